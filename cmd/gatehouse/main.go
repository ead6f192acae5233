// Command gatehouse is the whole product: the server, the demo, and the commands with which an operator sets it up,
// migrates, checks and asks it.
//
// Exit codes, unless a command's help says more: 0 it worked, 1 it failed, 2 it was called wrongly.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // a site's time zone must be known in an image that has no zone files

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// version is set by the linker.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	root := rootCommand()
	began := false
	check := root.PersistentPreRunE
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		began = err == nil
		return err
	}
	command, err := root.ExecuteContextC(ctx)
	stop()
	if err == nil {
		return
	}
	code := 1
	var exit exitError
	switch {
	case errors.As(err, &exit):
		code = exit.code
	case !began:
		code = wronglyCalled(command)
	}
	if text := sentence(err); text != "" {
		fmt.Fprintln(os.Stderr, "gatehouse: "+text)
	}
	os.Exit(code)
}

// sentence is the error for who reads the terminal: a refusal in its own words, with what is wrong with each thing that was
// said, and its cause only where that is what has to be put right.
func sentence(err error) string {
	refused, ok := fault.As(err)
	if !ok {
		return err.Error()
	}
	words := refused.Message
	if cause := errors.Unwrap(refused); cause != nil && refused.Kind == fault.Unavailable {
		words += " (" + cause.Error() + ")"
	}
	for _, field := range slices.Sorted(maps.Keys(refused.Fields)) {
		words += "\n  " + field + ": " + refused.Fields[field]
	}
	return strings.Replace(err.Error(), refused.Error(), words, 1)
}

// wronglyCalled is the exit code for arguments that make no sense. `gatehouse health` keeps 2 for UNHEALTHY.
func wronglyCalled(cmd *cobra.Command) int {
	if cmd.Name() == "health" {
		return 3
	}
	return 2
}

// exitError ends the program with a code of its own; a nil cause prints nothing more.
type exitError struct {
	code  int
	cause error
}

func (e exitError) Error() string {
	if e.cause == nil {
		return ""
	}
	return e.cause.Error()
}

func (e exitError) Unwrap() error { return e.cause }

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "gatehouse",
		Short: "Deploy a warehouse's bin-utilization optimization, with gates that hold",
		Long: `Gatehouse is the console from which a company deploys its warehouse's bin-utilization
optimization, and then lives with it: a runbook with evidence, gates that people sign after a
fresh sign-in, database migrations behind those gates, health checks, and an audit trail.

To look at it, run "gatehouse demo": it starts everything it needs by itself.
To install it: "gatehouse setup", then "gatehouse doctor", then "gatehouse serve".`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
	}
	// The library looks for missing flags only after this, when a command counts as begun.
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := cmd.ValidateRequiredFlags(); err != nil {
			return exitError{wronglyCalled(cmd), err}
		}
		return nil
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return exitError{wronglyCalled(cmd), err} })
	root.AddCommand(serveCommand(), demoCommand(), setupCommand(), doctorCommand(), configCommand(), migrateCommand(), backupCommand(), runbookCommand(), healthCommand(), auditCommand(), releaseCommand(), verifyBundleCommand(), tokenCommand(), personCommand(), adminCommand(), versionCommand())
	for _, group := range root.Commands() {
		if group.HasSubCommands() && !group.Runnable() {
			group.RunE = onlyGroups
		}
	}
	return root
}

// onlyGroups answers a command that only groups others: with its help, or with what it does not know.
func onlyGroups(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	return exitError{2, fmt.Errorf("unknown command %q for %q; see %q", args[0], cmd.CommandPath(), cmd.CommandPath()+" --help")}
}

// needed marks flags without which a command is called wrongly.
func needed(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the caller has just made a flag of this name
		}
	}
}
