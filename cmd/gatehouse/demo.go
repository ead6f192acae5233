package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/agogsaas/gatehouse/internal/app"
)

func demoCommand() *cobra.Command {
	var plan app.DemoPlan
	var verbose bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Start the whole product with sample data; nothing to configure",
		Long: `Starts a private PostgreSQL (socket only, as an unprivileged account), fills a sample warehouse of two
companies, starts a demo identity provider with one person per role, and serves Gatehouse on all that.
Everything is real: the provider speaks OpenID Connect, the migrations change the database.

What was done in an earlier demo is still there the next time; --fresh starts over.

Listens on GATEHOUSE_ADDR (127.0.0.1:8080). PG_BINDIR names PostgreSQL's programs where they are in
no usual place. Stop it with Ctrl-C.

Exit codes: 0 stopped in order, 1 could not start, 2 called wrongly.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkDemoFlags(&plan); err != nil {
				return exitError{2, err}
			}
			config, err := app.Load(os.Environ())
			if err != nil {
				return exitError{2, err}
			}
			return runDemo(cmd, config, plan, verbose)
		},
	}
	cmd.Flags().StringVar(&plan.Size, "size", "small", "of the sample warehouse: small (seconds), medium, large (a million recommendations, minutes)")
	cmd.Flags().StringVar(&plan.From, "from", "V0.0.18", "where the warehouse stands before the release: V0.0.18, or V0.0.14 to send all six migrations through the gate")
	cmd.Flags().StringVar(&plan.ProviderAddr, "sign-in-addr", "127.0.0.1:8089", "where the demo identity provider listens")
	cmd.Flags().BoolVar(&plan.Fresh, "fresh", false, "throw away what an earlier demo of this size left")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "print the server's log lines")
	return cmd
}

func checkDemoFlags(plan *app.DemoPlan) error {
	switch plan.Size {
	case "small", "medium", "large":
	default:
		return errors.New("--size must be small, medium or large")
	}
	plan.From = strings.TrimPrefix(plan.From, "V")
	if plan.From != "0.0.18" && plan.From != "0.0.14" {
		return errors.New("--from must be V0.0.18 or V0.0.14")
	}
	return nil
}

func runDemo(cmd *cobra.Command, config app.Config, plan app.DemoPlan, verbose bool) error {
	began := time.Now()
	plan.Say = func(line string) { cmd.Println("==> " + line) }
	log := newLog(config)
	if !verbose {
		log = quietLog(config)
	}
	demo, err := app.StartDemo(cmd.Context(), config, plan, log)
	if err != nil {
		return err
	}
	defer demo.Close()
	a, err := app.New(cmd.Context(), demo.Config, log, time.Minute)
	if err != nil {
		return err
	}
	defer a.Close()
	work, ctx := errgroup.WithContext(cmd.Context())
	ctx, stop := context.WithCancel(ctx)
	work.Go(func() error { return demo.Keep(ctx, plan.Say) })
	work.Go(func() error { return demo.Live(ctx, plan) })
	work.Go(func() error {
		defer stop()
		return a.Serve(ctx, func(net.Addr) { announce(cmd, demo, time.Since(began)) })
	})
	return work.Wait()
}

// announce prints where to go and who one can be.
func announce(cmd *cobra.Command, demo *app.Demo, took time.Duration) {
	out := cmd.OutOrStdout()
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) } // a closed terminal stops nothing
	say("\nGatehouse is ready after %.1f s:\n\n    %s\n\n", took.Seconds(), demo.Config.PublicURL)
	say("Demo people (password %q for each; the sign-in page lists them too):\n\n", demo.People[0].Password)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "  user name\tname\troles") // as above
	for _, p := range demo.People {
		_, _ = fmt.Fprintf(table, "  %s\t%s\t%s\n", p.Username, p.Name, strings.Join(p.Groups, ", ")) // as above
	}
	_ = table.Flush() // as above
	if program, err := os.Executable(); err == nil {
		say("\nTo run a command against it, from another terminal:\n\n    (%s; %s doctor)\n", demo.Sourcing(), program)
	}
	say("\nCtrl-C stops everything. What you did is there the next time; --fresh starts over.\n")
}
