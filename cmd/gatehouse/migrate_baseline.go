package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func migrateBaseline() *cobra.Command {
	var create bool
	var to, reason string
	cmd := &cobra.Command{
		Use: "baseline", Short: "Check an existing warehouse against V0.0.14, or a later version, and record it", Args: cobra.NoArgs,
		Long: `Looks for every table and column that V0.0.14 stands for, lists what is missing, and records the version
only where nothing is. Nothing of the warehouse is changed. With --create, and only where none of its tables
exist, the baseline file is run and makes an empty warehouse. Either stands in the system's audit trail as
migration:baseline.

With --to and --reason it records versions that were applied by hand or by another tool, as far as the live schema
proves them: every object that they leave has to be there and equal. What another tool's own ledger says is
shown and proves nothing. Where only some are proven, those are recorded and what the next one lacks is listed.

Exit codes: 0 recorded or created, 4 something is missing, 1 failed, 2 called wrongly.`,
		Example: `  gatehouse migrate baseline
  gatehouse migrate baseline --to V0.0.18 --reason "applied by hand in 2024"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to != "" {
				if create {
					return exitError{2, errors.New("--create and --to do not go together")}
				}
				return adopt(cmd, to, reason)
			}
			if reason != "" {
				return exitError{2, errors.New("--reason goes with --to")}
			}
			m, err := owner()
			if err != nil {
				return err
			}
			recorded, err := m.Baseline(cmd.Context(), actor.System(actor.CLI, "baseline"), create, func(line string) { cmd.Println(line) })
			if err != nil {
				return coded(err)
			}
			what := "The warehouse was created at its baseline."
			if recorded {
				what = "The warehouse has everything that the baseline stands for; it is recorded."
			}
			if err := recordBaseline(cmd.Context(), m.Files().Versions()[0], recorded); err != nil {
				return fmt.Errorf("%s But it could not be written into the audit trail: %w", what, err)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), what)
			return err
		},
	}
	cmd.Flags().BoolVar(&create, "create", false, "make the warehouse where none of its tables exist")
	cmd.Flags().StringVar(&to, "to", "", "record versions up to this one, as far as the live schema proves them")
	cmd.Flags().StringVar(&reason, "reason", "", "why they are recorded without being run; stands in the ledger and the audit trail")
	return cmd
}

// recordBaseline writes down what became of the warehouse.
func recordBaseline(ctx context.Context, version migration.Version, recorded bool) error {
	config, err := app.Load(os.Environ())
	if err != nil {
		return err
	}
	did := "created"
	if recorded {
		did = "recorded"
	}
	return postgres.RecordAsOwner(ctx, string(config.OwnerDatabaseURL), actor.System(actor.CLI, "baseline"), audit.Event{
		Action: "migration:baseline", ObjectKind: "migration", ObjectID: version.String(), After: map[string]string{"warehouse": did},
	})
}
