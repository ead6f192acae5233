package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func migratePlan() *cobra.Command {
	return &cobra.Command{
		Use: "plan", Short: "Say what is to be applied, with its plan card; changes nothing", Args: cobra.NoArgs,
		Long: `Lists every version that is pending, in the order in which it would be applied: the file and its plan card (risk, how
long it is expected to take, by its rehearsal where there was one, whether it can be undone, who waits for its locks,
what undoing it loses), how many objects it creates and changes, its SHA-256, and what its look-through found.

It reads the database as its owner (GATEHOUSE_OWNER_DATABASE_URL) and changes nothing.

Exit codes: 0 said, 1 the database cannot be asked, 2 called or configured wrongly, 4 files and ledger do not fit
each other; "gatehouse migrate status" says where.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := owner()
			if err != nil {
				return err
			}
			ladder, err := weighed(cmd.Context(), m)
			if err != nil {
				return coded(err)
			}
			if len(ladder.Problems) > 0 {
				return exitError{exitDisagree, ladder.Refusal()}
			}
			config, err := app.Load(os.Environ())
			if err != nil {
				return exitError{2, err}
			}
			rehearsed, err := postgres.RehearsedFiles(cmd.Context(), string(config.OwnerDatabaseURL))
			if err != nil {
				return coded(err)
			}
			ladder.WithRehearsals(rehearsed)
			pending := 0
			for _, r := range ladder.Rungs {
				if r.InDatabase() || !r.HasFile {
					continue
				}
				pending++
				card := r.File.Card
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n    %s risk, %s, reversible: %t\n    locks: %s\n    undo loses: %s\n    creates %d objects, changes %d\n    SHA-256 %s\n",
					r.File.Script, card.Title, card.Risk, expected(r), card.Reversible, card.Locks, card.UndoLoses, len(card.Creates), len(card.Changes), r.File.SHA256)
				if err == nil && r.Lint != nil {
					err = printLint(cmd.OutOrStdout(), []lintReport{{LintReport: *r.Lint}})
				}
				if err != nil {
					return err
				}
			}
			if pending == 0 {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), "Nothing is pending.")
			}
			return err
		},
	}
}

// expected is how long the step up should take, and who says so.
func expected(r migration.Rung) string {
	switch {
	case r.Rehearsed.Passed && r.Rehearsed.Sample != nil:
		return fmt.Sprintf("about %s by its plan card; %s on %s (%s), which says nothing about the whole", r.File.Card.Estimate, r.Rehearsed.Up,
			r.Rehearsed.Sample.Words(), r.Rehearsed.RecordedAt.UTC().Format("2006-01-02 15:04Z"))
	case r.Rehearsed.Passed:
		return fmt.Sprintf("%s in its newest rehearsal (%s)", r.Rehearsed.Up, r.Rehearsed.RecordedAt.UTC().Format("2006-01-02 15:04Z"))
	case !r.Rehearsed.RecordedAt.IsZero():
		return fmt.Sprintf("about %s by its plan card; its rehearsal did not pass", r.File.Card.Estimate)
	}
	return fmt.Sprintf("about %s by its plan card; not rehearsed", r.File.Card.Estimate)
}
