package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func migrateApply() *cobra.Command {
	var release string
	cmd := &cobra.Command{
		Use: "apply VERSION --release ID", Short: "Apply the next version through its gate, and wait for it", Args: cobra.ExactArgs(1),
		Long: `Applies the next version of a release whose go / no-go is passed, within its change window, and waits for the end.

Needs GATEHOUSE_TOKEN with the right migration:apply, GATEHOUSE_APPLY_TOKEN with a one-time token for this version, made on
the release's page Window, GATEHOUSE_DATABASE_URL and GATEHOUSE_OWNER_DATABASE_URL.

Exit codes: 0 applied, 1 failed (a failed migration leaves nothing behind), 2 called wrongly, 3 the gate or the change window
is closed, there is no good one-time token, or it is not allowed, 4 files and database disagree, or a post-check does not hold,
5 another run has the floor.`,
		Example: `  gatehouse migrate apply V0.0.20 --release 7b0c6e1e-6c4e-4a53-9d1a-2f8f7f0f2a11`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return change(cmd, args[0], release, func(ctx context.Context, s *migration.Service, by actor.Actor, v migration.Version, id uuid.UUID) (migration.Run, error) {
				file, ok := s.Files().Up(v)
				if !ok {
					return migration.Run{}, fault.New(fault.NotFound, "There is no migration %s.", v.Title())
				}
				token, err := variable("GATEHOUSE_APPLY_TOKEN")
				if err != nil {
					return migration.Run{}, err
				}
				return s.Apply(ctx, by, migration.ApplyRequest{Version: v, SHA256: file.SHA256, Release: id, Key: uuid.New(), Token: token})
			})
		},
	}
	cmd.Flags().StringVar(&release, "release", "", "id of the active release that plans the version")
	return cmd
}

type order func(ctx context.Context, s *migration.Service, by actor.Actor, v migration.Version, release uuid.UUID) (migration.Run, error)

// change orders a run as the machine of GATEHOUSE_TOKEN, executes it here and prints its log. A refusal goes into the
// audit trail, as it does for a page.
func change(cmd *cobra.Command, version, release string, ask order) error {
	v, err := migration.ParseVersion(version)
	if err != nil {
		return exitError{2, err}
	}
	id, err := uuid.Parse(release)
	if err != nil {
		return exitError{2, errors.New("--release must be the id of a release, as its page's address shows it")}
	}
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
	by, err := machineOf(ctx, db)
	if err != nil {
		return coded(err)
	}
	if !by.Can(actor.MigrationRead) {
		return exitError{exitGate, errors.New("the credential in GATEHOUSE_TOKEN lacks the right migration:read, so the outcome could not be shown; nothing was changed")}
	}
	store := postgres.Migrations{DB: db} // no queue: this process executes its run itself
	service := migration.NewService(store, m.Files(), time.Now)
	run, err := ask(ctx, service, by, v, id)
	if err != nil {
		refused := audit.Event{Action: "migration:" + cmd.Name(), ObjectKind: "migration", ObjectID: v.String(), Outcome: audit.Refused, Reason: refusalText(err)}
		return coded(errors.Join(err, postgres.Audit{DB: db}.Record(ctx, by, refused)))
	}
	heard := &stepError{Migrator: m}
	worker := migration.NewWorker(store, heard, m.Files(), slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)))
	if err := worker.Work(ctx, migration.Ref{Tenant: run.Tenant, Run: run.ID}); err != nil {
		return err
	}
	return report(cmd, service, by, run.ID, heard.err)
}

// stepError is the migrator, and remembers why its step was refused or failed: the run keeps words alone.
type stepError struct {
	migration.Migrator
	err error
}

func (m *stepError) Step(ctx context.Context, req migration.StepRequest) (result migration.StepResult, err error) {
	result, m.err = m.Migrator.Step(ctx, req)
	return result, m.err
}

func refusalText(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Message
	}
	return "internal error"
}

// report prints the run's log and says how it ended. step is why the migrator did not take it; nil where it did.
func report(cmd *cobra.Command, service *migration.Service, by actor.Actor, id migration.RunID, step error) error {
	one, err := service.Run(cmd.Context(), by, id)
	if err != nil {
		return err
	}
	for _, line := range one.Lines {
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n", line.At.UTC().Format("15:04:05.000"), line.Text); err != nil {
			return err
		}
	}
	if one.Run.State != migration.Succeeded {
		if _, refused := fault.As(step); refused {
			return coded(fmt.Errorf("the run is %s: %w", one.Run.State, step))
		}
		return fmt.Errorf("the run is %s: %s", one.Run.State, one.Run.Error)
	}
	if failed, ok := migration.AllPassed(one.Checks); !ok {
		return exitError{exitDisagree, fmt.Errorf("the run succeeded, but %d of its %d post-checks do not hold; see the lines above", failed, len(one.Checks))}
	}
	return nil
}
