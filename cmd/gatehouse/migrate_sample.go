package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// rehearseWhatThereIs rehearses on the newest backup that restores, or where there is none, or a sample is asked for, on a
// sample of so many rows of a table.
func rehearseWhatThereIs(cmd *cobra.Command, sampled bool, rows int) (kept migration.Rehearsal, err error) {
	config, err := app.Load(os.Environ())
	if err != nil {
		return kept, exitError{2, err}
	}
	if !sampled && config.KeepsBackups() {
		newest := ""
		err := withBackups(cmd, func(ctx context.Context, s *backup.Service, by actor.Actor) error {
			list, err := s.List(ctx, by)
			for _, b := range list {
				if worth, _ := b.Worth(); worth == backup.Proven && newest == "" {
					newest = b.ID.String()
				}
			}
			return err
		})
		if err != nil {
			return kept, err
		}
		if newest != "" {
			cmd.PrintErrln("The newest backup that restores is " + newest + ".")
			return rehearseBackup(cmd, newest)
		}
	}
	m, err := owner()
	if err != nil {
		return kept, err
	}
	db, err := openDatabase(cmd)
	if err != nil {
		return kept, err
	}
	defer db.Close()
	by, err := machineOf(cmd.Context(), db)
	if err != nil {
		return kept, err
	}
	return app.RehearseOnSample(cmd.Context(), config, db, m, by, rows, func(line string) { cmd.PrintErrln(line) })
}
