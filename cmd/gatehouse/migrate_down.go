package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func migrateDown() *cobra.Command {
	var release, confirm, reason, loses string
	cmd := &cobra.Command{
		Use: "down VERSION --release ID --confirm VERSION --reason TEXT [--loses N]", Short: "Take the last version back, and wait for it", Args: cobra.ExactArgs(1),
		Long: `First counts, in one snapshot, the rows and values that the undo file throws away, and saves them from the same snapshot
where backups are kept, folder or bucket: tables as a dump of pg_dump, columns as CSV with their key. Where that fails nothing is undone.
Where it is more than none, nothing is undone unless --loses says the same number. The step itself then keeps every
writer out, and gives up where anything was written there since.

GATEHOUSE_APPLY_TOKEN has to hold a one-time token for this version and direction, made on the release's page Window.

Exit codes: 0 taken back, 1 failed, 2 called wrongly, 3 it is not allowed, or it would lose rows that --loses does not name,
4 what is there is otherwise, 5 another run has the floor.`,
		Example: `  gatehouse migrate down V0.0.22 --release 7b0c6e1e-6c4e-4a53-9d1a-2f8f7f0f2a11 --confirm V0.0.22 --reason "wrong release" --loses 12`,
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := migration.ParseVersion(args[0])
			if err != nil {
				return exitError{2, err}
			}
			saved, err := saveLosses(cmd, v, loses)
			if err != nil {
				return coded(err)
			}
			return change(cmd, args[0], release, func(ctx context.Context, s *migration.Service, by actor.Actor, v migration.Version, id uuid.UUID) (migration.Run, error) {
				file, ok := s.Files().Down(v)
				if !ok {
					return migration.Run{}, fault.New(fault.NotFound, "There is no file to take %s back with.", v.Title())
				}
				token, err := variable("GATEHOUSE_APPLY_TOKEN")
				if err != nil {
					return migration.Run{}, err
				}
				return s.Down(ctx, by, migration.DownRequest{Version: v, SHA256: file.SHA256, Release: id, Loss: saved, Confirm: confirm, Reason: reason, Key: uuid.New(), Token: token})
			})
		},
	}
	cmd.Flags().StringVar(&release, "release", "", "id of the active release that plans the version")
	cmd.Flags().StringVar(&confirm, "confirm", "", "the version once more")
	cmd.Flags().StringVar(&reason, "reason", "", "why it is taken back; stands in the audit trail")
	cmd.Flags().StringVar(&loses, "loses", "0", "how many rows and values may be lost, as this command counts them")
	return cmd
}

// saveLosses counts and saves what the undo would lose, and refuses where that is not what was said.
func saveLosses(cmd *cobra.Command, v migration.Version, loses string) (uuid.UUID, error) {
	said, err := strconv.ParseInt(loses, 10, 64)
	if err != nil || said < 0 {
		return uuid.Nil, exitError{2, errors.New("--loses must be a number of rows")}
	}
	w, err := atWork(cmd)
	if err != nil {
		return uuid.Nil, err
	}
	defer w.db.Close()
	ctx := cmd.Context()
	refused := func(err error) error {
		event := audit.Event{Action: "migration:down", ObjectKind: "migration", ObjectID: v.String(), Outcome: audit.Refused, Reason: refusalText(err)}
		return errors.Join(err, postgres.Audit{DB: w.db}.Record(ctx, w.by, event))
	}
	id, err := w.repairs.SaveLosses(ctx, w.by, v, uuid.New())
	if err != nil {
		return uuid.Nil, refused(err)
	}
	o, err := w.do(cmd, id)
	if err != nil {
		return uuid.Nil, refused(err)
	}
	saved, err := postgres.Losses{DB: w.db}.Saved(ctx, w.by, o.Result)
	if err != nil {
		return uuid.Nil, err
	}
	cmd.PrintErrln(o.Sentence)
	if n, _ := saved.Lost(); n != said {
		return uuid.Nil, refused(fault.New(fault.GateClosed, "%s Nothing was undone. If that is meant, say it: --loses %d", o.Sentence, n))
	}
	return o.Result, nil
}
