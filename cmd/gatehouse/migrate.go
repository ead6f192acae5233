package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
)

// The exit codes of gatehouse migrate.
const (
	exitGate     = 3
	exitDisagree = 4
	exitBusy     = 5
)

func migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "See and change the warehouse's schema, through the same gate as the pages",
		Long: `Shows where every migration of the warehouse stands, and applies or takes back one version at a time.

There is no way around the gate: "apply" and "down" go through the same story as the pages, and need a release that
plans the version and stands within its change window. They want two things: who asks, which is the machine credential
in GATEHOUSE_TOKEN ("gatehouse token" makes one with the rights migration:read and migration:apply or migration:down);
and that the gate let it through, which is a one-time token in GATEHOUSE_APPLY_TOKEN. A person makes that one on the
release's page Window once go / no-go is signed; it is good once, for one version, direction and text of the file, until
the window ends and for an hour at most, and void when the gate is. They need GATEHOUSE_DATABASE_URL and
GATEHOUSE_OWNER_DATABASE_URL; the server need not run.

Exit codes: 0 it worked, 1 it failed (a failed migration leaves nothing behind), 2 called wrongly,
3 the gate or the change window is closed, there is no good one-time token, or it is not allowed, 4 files and database disagree, or a post-check does not hold, 5 another run has the floor.`,
	}
	cmd.AddCommand(migrateStatus(), migratePlan(), migrateApply(), migrateDown(), migrateBaseline(), migrateDrift(), migrateRehearse(), migrateLint(), migrateRepair())
	return cmd
}

// owner is the migrator of the warehouse.
func owner() (*migrator.Migrator, error) {
	config, err := app.Load(os.Environ())
	if err != nil {
		return nil, exitError{2, err}
	}
	if config.OwnerDatabaseURL == "" {
		return nil, exitError{2, errors.New("GATEHOUSE_OWNER_DATABASE_URL is not set")}
	}
	m, err := migrator.New(migrator.WMS(), string(config.OwnerDatabaseURL))
	if err != nil {
		return nil, exitError{exitDisagree, err}
	}
	return m, nil
}

// coded gives a refusal the exit code that the help documents.
func coded(err error) error {
	var disagree *migration.Disagreement
	var locked *migration.Locked
	var busy *migration.Busy
	var drifted *migration.Drifted
	switch {
	case errors.As(err, &disagree), errors.As(err, &drifted):
		return exitError{exitDisagree, err}
	case errors.As(err, &locked), errors.As(err, &busy):
		return exitError{exitBusy, err}
	case fault.Is(err, fault.GateClosed), fault.Is(err, fault.Forbidden), fault.Is(err, fault.Unauthenticated):
		return exitError{exitGate, err}
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.NotFound):
		return exitError{2, err}
	}
	return err
}
