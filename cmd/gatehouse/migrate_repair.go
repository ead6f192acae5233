package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func migrateRepair() *cobra.Command {
	var as, index, reason string
	cmd := &cobra.Command{
		Use: "repair VERSION", Short: "See what is there of a version that stopped half way, and choose the way out", Args: cobra.ExactArgs(1),
		Long: `Looks for every object of the version's plan card and says which ways out that proves. Without --as nothing is
changed. With it, and with --reason, one of them is taken; it stands in the ledger and in the audit trail:

  not-applied   nothing of it is in the database: it may be applied again
  applied       everything that its plan card names is there, and sound
  down          runs its undo file
  drop-index    removes the invalid index that --index names, and changes nothing else; in the audit trail alone

What is not proven is refused. The machine credential in GATEHOUSE_TOKEN needs migration:read and migration:apply, for
"down" migration:down. Exit codes as of "gatehouse migrate"; 1 also where the way out is not proven.`,
		Example: `  gatehouse migrate repair V0.0.23
  gatehouse migrate repair V0.0.23 --as drop-index --index public.idx_bins --reason "the build was killed"
  gatehouse migrate repair V0.0.23 --as not-applied --reason "the build was killed, its index is gone"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := migration.ParseVersion(args[0])
			if err != nil {
				return exitError{2, err}
			}
			return repair(cmd, migration.RepairOrder{Version: v, Choice: migration.Choice(as), Index: index, Reason: reason})
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "the way out: not-applied, applied, down or drop-index")
	cmd.Flags().StringVar(&index, "index", "", "the invalid index to remove, as it was listed")
	cmd.Flags().StringVar(&reason, "reason", "", "what happened; stands in the ledger and the audit trail")
	return cmd
}

func repair(cmd *cobra.Command, order migration.RepairOrder) error {
	m, err := owner()
	if err != nil {
		return err
	}
	db, err := openDatabase(cmd)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx := cmd.Context()
	order.By, err = postgres.Credentials{DB: db}.Authenticate(ctx, os.Getenv("GATEHOUSE_TOKEN"), actor.CLI, "")
	if err != nil {
		return coded(err)
	}
	order.Log = func(line string) { cmd.Println(line) }
	repairs := migration.NewRepairs(postgres.Migrations{DB: db}, m.Files(), m)
	if order.Choice == "" {
		finding, err := repairs.Examine(ctx, order.By, order.Version)
		if err != nil {
			return coded(err)
		}
		return printFinding(cmd.OutOrStdout(), finding)
	}
	if err := repairs.Repair(ctx, order); err != nil {
		return coded(errors.Join(err, refusedRepair(ctx, db, order, err)))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "Done: %s, %s.\n", order.Version.Title(), order.Choice)
	return err
}

func refusedRepair(ctx context.Context, db *postgres.DB, order migration.RepairOrder, err error) error {
	return postgres.Audit{DB: db}.Record(ctx, order.By, audit.Event{
		Action: "migration:repair", ObjectKind: "migration", ObjectID: order.Version.String(), Outcome: audit.Refused, Reason: refusalText(err),
	})
}

func printFinding(out io.Writer, f migration.Finding) error {
	say := func(format string, args ...any) error {
		_, err := fmt.Fprintf(out, format+"\n", args...)
		return err
	}
	err := say("%s is %s. %s", f.Rung.Version.Title(), f.Rung.State, f.Rung.State.Words())
	for _, c := range f.Checks {
		err = errors.Join(err, say("  %s: %s", c.Name, c.Found))
	}
	for _, i := range f.Invalid {
		err = errors.Join(err, say("  %s", i.Sentence()))
	}
	for _, w := range f.Ways {
		if w.WhyNot == "" {
			err = errors.Join(err, say("  --as %-12s can be chosen", w.Choice))
		} else {
			err = errors.Join(err, say("  --as %-12s no: %s", w.Choice, w.WhyNot))
		}
	}
	return err
}
