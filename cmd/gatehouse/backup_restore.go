package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func backupRestore() *cobra.Command {
	var request, confirm string
	cmd := &cobra.Command{
		Use: "restore --request ID --confirm DATABASE", Short: "Put the warehouse back to what a backup held, as two people agreed on its page", Args: cobra.NoArgs,
		Long: `Restores the warehouse's schema of this very database from a backup, in one transaction. The migration ledger, the audit
trail, releases, evidence and sessions are not touched, but for the entries that say what was done.

A restore is asked for and agreed to on the backup's page (Migrations, Backups, "Restore the warehouse from it"), by two
people with a fresh sign-in each. --request is the id of what they agreed to; it is good for an hour, once, and as long
as neither the backup nor the ledger changes. --confirm is the database's name once more.

It reads the file again, keeps every writer out, dumps what is there now (kept for 30 days, whatever "prune" is asked),
restores, counts every table and compares it with the record. Where somebody holds a table it names them and changes
nothing: stop the warehouse's application first, and start it again afterwards. Stopped at any instant it leaves what was
there before; its log and its end stand on the page of the operation.

Needs GATEHOUSE_TOKEN with the rights migration:apply and migration:down, GATEHOUSE_DATABASE_URL,
GATEHOUSE_OWNER_DATABASE_URL and the place for backups.

Exit codes: 0 restored, 1 failed and changed nothing, 2 called wrongly, 3 it is not allowed: no two people stand behind it,
or the name is another.`,
		Example: `  gatehouse backup restore --request 7b0c6e1e-6c4e-4a53-9d1a-2f8f7f0f2a11 --confirm warehouse`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if request == "" || confirm == "" {
				return exitError{exitGate, errors.New("nothing is restored without the request that two people agreed to (--request) and the database's name (--confirm)")}
			}
			id, err := uuid.Parse(request)
			if err != nil {
				return exitError{2, errors.New("--request must be the id of a request, as the page of the backup shows it")}
			}
			w, err := atWork(cmd)
			if err != nil {
				return coded(err)
			}
			defer w.db.Close()
			o, err := w.restore(cmd, id, confirm)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), o.Sentence)
			return err
		},
	}
	cmd.Flags().StringVar(&request, "request", "", "id of the request that two people agreed to")
	cmd.Flags().StringVar(&confirm, "confirm", "", "the database's name")
	return cmd
}

// restore orders as the machine of GATEHOUSE_TOKEN and does the work itself; what is refused stands in the audit trail too.
func (w work) restore(cmd *cobra.Command, request uuid.UUID, confirm string) (operation.Operation, error) {
	config, err := app.Load(os.Environ())
	if err != nil {
		return operation.Operation{}, exitError{2, err}
	}
	m, err := migrator.New(migrator.WMS(), string(config.OwnerDatabaseURL))
	if err != nil {
		return operation.Operation{}, err
	}
	found, id, err := app.Restores(w.db, m, w.operations).Start(cmd.Context(), w.by, request, confirm, uuid.New())
	if err != nil {
		event := audit.Event{Action: "restore:start", ObjectKind: "backup", ObjectID: found.Backup.String(), Outcome: audit.Refused, Reason: refusalText(err), After: map[string]string{"request": request.String()}}
		return operation.Operation{}, exitError{exitGate, errors.Join(err, postgres.Audit{DB: w.db}.Record(cmd.Context(), w.by, event))}
	}
	o, err := w.do(cmd, id)
	if err != nil {
		return o, exitError{1, err}
	}
	return o, nil
}
