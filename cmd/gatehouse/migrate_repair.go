package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func migrateRepair() *cobra.Command {
	var as, reason string
	cmd := &cobra.Command{
		Use: "repair VERSION --as applied|not-applied|undo --reason TEXT", Short: "Say what became of a version, where the database proves it", Args: cobra.ExactArgs(1),
		Long: `A file without a transaction that is cut off leaves what its statements did before; a run may be interrupted; somebody
may have changed the schema by hand. This looks at what each statement of the file leaves, and records one of three
things, and only where the database proves it, under the migration lock:

  not-applied  nothing of it is there; it can be applied again
  applied      everything that it leaves is there and sound (no invalid index)
  undo         runs its undo file, in one transaction where it can, looks that nothing is left, and then as not-applied

Where a statement leaves no trace (UPDATE, say), applied is not taken, and not-applied only of a file that is one
transaction with its ledger entry. There is no repair to a version without a file. It closes interrupted runs of the
version. The choice stands in the ledger and the audit trail, with the SHA-256 of what was seen. On the page of the
version the same is done with a fresh sign-in, and each statement is shown.

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

// repair orders as the machine of GATEHOUSE_TOKEN and does the work itself; what is refused stands in the audit trail too.
func repair(cmd *cobra.Command, version migration.Version, kind migration.Repair, reason string) error {
	w, err := atWork(cmd)
	if err != nil {
		return err
	}
	defer w.db.Close()
	id, err := w.repairs.Order(cmd.Context(), w.by, migration.RepairOrder{Version: version, As: kind, Reason: reason, Confirm: version.Title(), Key: uuid.New()})
	if err != nil {
		event := audit.Event{Action: "migration:repair", ObjectKind: "migration", ObjectID: version.String(), Outcome: audit.Refused, Reason: refusalText(err), After: map[string]string{"as": string(kind)}}
		return errors.Join(err, postgres.Audit{DB: w.db}.Record(cmd.Context(), w.by, event))
	}
	_, err = w.do(cmd, id)
	return err
}

// work is what a command needs that does an operation itself.
type work struct {
	db         *postgres.DB
	by         actor.Actor
	files      *migration.Files
	repairs    *migration.Repairs
	operations operation.Service
	worker     *operation.Worker
}

// atWork opens the database as the machine of GATEHOUSE_TOKEN.
func atWork(cmd *cobra.Command) (work, error) {
	m, err := owner()
	if err != nil {
		return work{}, err
	}
	config, err := app.Load(os.Environ())
	if err != nil {
		return work{}, exitError{2, err}
	}
	db, err := openDatabase(cmd)
	if err != nil {
		return work{}, err
	}
	by, err := machineOf(cmd.Context(), db)
	if err != nil {
		db.Close()
		return work{}, err
	}
	operations := operation.NewService(postgres.Operations{DB: db}) // no queue: this process does the work itself
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	w := work{db: db, by: by, files: m.Files(), repairs: app.Repairs(config, db, m, operations), operations: operations}
	backups, err := app.Backups(config, db, func(text string, err error) { log.Warn(text, "error", err) })
	if err == nil {
		w.worker, err = app.NewOperationWorker(config, backups, db, m, log)
	}
	if err != nil {
		db.Close()
		return work{}, err
	}
	return w, nil
}

// do does an operation to its end and prints its log.
func (w work) do(cmd *cobra.Command, id uuid.UUID) (operation.Operation, error) {
	ctx := cmd.Context()
	if err := w.worker.Work(ctx, operation.Ref{Tenant: w.by.Tenant, ID: id}); err != nil {
		return operation.Operation{}, err
	}
	reader := w.by
	if !reader.Can(actor.MigrationRead) {
		reader.Rights = append(reader.Rights, actor.MigrationRead) // its own work, whose end it has to say
	}
	o, lines, err := w.operations.Look(ctx, reader, id)
	if err != nil {
		return o, err
	}
	for _, line := range lines {
		cmd.PrintErrln(line.Text)
	}
	if o.State != operation.Succeeded {
		return o, fault.New(fault.Conflict, "%s", o.Sentence)
	}
	return o, nil
}
