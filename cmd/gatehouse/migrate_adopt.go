package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// adopt records what somebody else applied, with its proof, and says what it could not prove.
func adopt(cmd *cobra.Command, to, reason string) error {
	version, err := migration.ParseVersion(to)
	if err != nil {
		return exitError{2, err}
	}
	m, err := owner()
	if err != nil {
		return err
	}
	config, err := app.Load(os.Environ())
	if err != nil {
		return exitError{2, err}
	}
	by := actor.System(actor.CLI, "baseline")
	adoption, err := m.Adopt(cmd.Context(), by, version, reason)
	if err != nil {
		return coded(err)
	}
	for _, p := range adoption.Proofs {
		err := postgres.RecordAsOwner(cmd.Context(), string(config.OwnerDatabaseURL), by, audit.Event{
			Action: "migration:baseline", ObjectKind: "migration", ObjectID: p.Version.String(), Reason: reason,
			After: map[string]any{"warehouse": "proven", "objects": len(p.Objects), "proof_sha256": p.SHA256},
		})
		if err != nil {
			return fmt.Errorf("%s is recorded, but it could not be written into the audit trail: %w", p.Version.Title(), err)
		}
	}
	return printAdoption(cmd, adoption)
}

func printAdoption(cmd *cobra.Command, a migrator.Adoption) error {
	out := cmd.OutOrStdout()
	for _, hint := range a.Hints {
		if _, err := fmt.Fprintf(out, "Another tool's ledger, which proves nothing: %s\n", hint); err != nil {
			return err
		}
	}
	for _, p := range a.Proofs {
		if _, err := fmt.Fprintf(out, "%s is recorded: %d objects found and equal, proof SHA-256 %s\n", p.Version.Title(), len(p.Objects), p.SHA256); err != nil {
			return err
		}
		for _, object := range p.Objects {
			if _, err := fmt.Fprintf(out, "    %s\n", object); err != nil {
				return err
			}
		}
	}
	if a.Stopped == 0 {
		return nil
	}
	cause := &migration.Disagreement{}
	for _, d := range a.Lacking {
		cause.Problems = append(cause.Problems, d.Sentence())
	}
	return exitError{exitDisagree, fmt.Errorf("%s is not proven, so it is not recorded:\n%w", a.Stopped.Title(), cause)}
}
