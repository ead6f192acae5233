package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/app"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Say how Gatehouse is configured, and from where"}
	cmd.AddCommand(&cobra.Command{
		Use: "check", Short: "List every variable with its value and where that comes from, and what is wrong",
		Long: `Lists every variable that Gatehouse reads: its value, and whether that comes from the environment, from a file
(NAME_FILE), from PG* variables or is the default. Secrets are shown as *** and never printed. What cannot be read, what
contradicts, what is missing for "gatehouse serve" and variables that Gatehouse does not know are named afterwards, all at
once. It looks at nothing outside: "gatehouse doctor" asks the database and the identity provider.

Exit codes: 0 "gatehouse serve" would take it, 1 it would not.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, s := range app.Settings(os.Environ()) {
				value := s.Value
				if value == "" {
					value = "-"
				}
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%-30s  %-40s  %s\n", s.Name, value, s.Source); err != nil {
					return err
				}
			}
			if _, err := app.LoadServe(os.Environ()); err != nil {
				problems := strings.Split(err.Error(), "\n")
				return exitError{1, errors.New(fmt.Sprintf("%d of these keep Gatehouse from serving:\n  ", len(problems)) + strings.Join(problems, "\n  "))}
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "\nNothing is missing, and everything can be read.")
			return err
		},
	})
	return cmd
}
