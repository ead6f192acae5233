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
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func migrateRepair() *cobra.Command {
	var as, reason string
	cmd := &cobra.Command{
		Use: "repair VERSION --as applied|not-applied|undo --reason TEXT", Short: "Say what became of a version that stopped half way, where the database proves it", Args: cobra.ExactArgs(1),
		Long: `A file without a transaction that is cut off leaves what its statements did before. Until somebody has said what is
there, nothing else is applied. This looks at every object of the plan card and records one of three things, and only
where the database proves it:

  applied      everything that it creates is there and sound (no invalid index)
  not-applied  nothing of it is there; it can be applied again
  undo         runs its undo file, statement by statement, and then as not-applied

What a file does beside creating objects (UPDATE, say) cannot be proven; then only undo is taken. There is no repair to a
version without a file, and none of a version that did not stop half way. It stands in the ledger and the audit trail.

Needs GATEHOUSE_TOKEN with the right migration:apply, GATEHOUSE_DATABASE_URL and GATEHOUSE_OWNER_DATABASE_URL.

Exit codes: 0 recorded, 1 failed or not proven, 2 called wrongly, 3 it is not allowed, 4 what is there is otherwise,
5 another run has the floor.`,
		Example: `  gatehouse migrate repair V0.0.23 --as undo --reason "the index was cut off by the restart at 02:10"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			version, err := migration.ParseVersion(args[0])
			if err != nil {
				return exitError{2, err}
			}
			kind, err := migration.ParseRepair(as)
			if err != nil {
				return coded(err)
			}
			if err := repair(cmd, version, kind, reason); err != nil {
				return coded(err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is recorded as %s.\n", version.Title(), kind)
			return err
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "applied, not-applied or undo")
	cmd.Flags().StringVar(&reason, "reason", "", "why; stands in the ledger and the audit trail")
	return cmd
}

// repair acts as the machine of GATEHOUSE_TOKEN; what is refused stands in the audit trail too.
func repair(cmd *cobra.Command, version migration.Version, kind migration.Repair, reason string) error {
	m, err := owner()
	if err != nil {
		return err
	}
	config, err := app.Load(os.Environ())
	if err != nil {
		return exitError{2, err}
	}
	db, err := openDatabase(cmd)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx := cmd.Context()
	by, err := postgres.Credentials{DB: db}.Authenticate(ctx, os.Getenv("GATEHOUSE_TOKEN"), actor.CLI, "")
	if err != nil {
		return err
	}
	err = by.Demand(actor.MigrationApply)
	if err == nil && !by.Operator {
		err = fault.New(fault.Forbidden, "The schema is changed by the tenant that operates this environment.")
	}
	if err == nil {
		_, err = m.Repair(ctx, migrator.RepairRequest{
			Version: version, As: kind, By: by, Reason: reason, Log: func(line string) { cmd.PrintErrln(line) },
			Facts: func(ctx context.Context, objects []migration.Object) ([]migration.Fact, error) {
				return postgres.CatalogFacts(ctx, string(config.OwnerDatabaseURL), objects)
			},
		})
	}
	event := audit.Event{Action: "migration:repair", ObjectKind: "migration", ObjectID: version.String(), Reason: reason, After: map[string]string{"as": string(kind)}}
	if err != nil {
		event.Outcome, event.Reason = audit.Refused, refusalText(err)
	}
	return errors.Join(err, postgres.Audit{DB: db}.Record(ctx, by, event))
}
