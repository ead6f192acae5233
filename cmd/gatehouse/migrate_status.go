package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func migrateStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "Say where every version stands, files against database", Args: cobra.NoArgs,
		Long: `Compares the files in this program with the ledger in the database, and says what golang-migrate itself
believes, lists objects of versions that are not applied and that somebody made by hand, and indexes that are not valid. Exit codes:
0 they agree, 4 they disagree, something was made by hand or an index is not valid, 1 the database could not be read, 2 called wrongly.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := owner()
			if err != nil {
				return err
			}
			ladder, err := weighed(cmd.Context(), m)
			if err != nil {
				return coded(err)
			}
			if asJSON {
				err = printStatusJSON(cmd.OutOrStdout(), ladder)
			} else {
				err = printStatus(cmd.OutOrStdout(), ladder)
			}
			if err == nil && len(ladder.Problems) > 0 {
				return exitError{exitDisagree, ladder.Refusal()}
			}
			if stray, is := ladder.HandMade(); err == nil && is {
				return exitError{exitDisagree, errors.New(stray.StrayWords() + " " + repairWords(stray))}
			}
			if err == nil && len(ladder.Invalid) > 0 {
				return exitError{exitDisagree, errors.New(ladder.Invalid[0].Sentence())}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// weighed is the ladder with what stands there by somebody's hand, and with what each file locks, by the sizes of the owner's
// database.
func weighed(ctx context.Context, m *migrator.Migrator) (migration.Ladder, error) {
	ladder, err := m.Status(ctx)
	if err != nil {
		return ladder, err
	}
	config, err := app.Load(os.Environ())
	if err != nil {
		return ladder, exitError{2, err}
	}
	made := m.Files().Made(m.Files().Versions()...)
	facts, err := postgres.CatalogFacts(ctx, string(config.OwnerDatabaseURL), made)
	if err != nil {
		return ladder, err
	}
	ladder.Stray(facts)
	live, err := postgres.LintLiveAsOwner(ctx, string(config.OwnerDatabaseURL), m.Files().LintAsks(m.Files().Versions()...))
	if err != nil {
		return ladder, err
	}
	ladder.Weigh(m.Files(), live)
	return ladder, nil
}

type rungJSON struct {
	Version     string          `json:"version"`
	State       migration.State `json:"state"`
	Script      string          `json:"script"`
	SHA256      string          `json:"sha256,omitempty"`
	Recorded    string          `json:"recorded_sha256,omitempty"`
	AppliedBy   string          `json:"applied_by,omitempty"`
	AppliedAt   *time.Time      `json:"applied_at,omitempty"`
	Next        bool            `json:"next"`
	BlockedBy   string          `json:"blocked_by,omitempty"`
	Note        string          `json:"note,omitempty"`
	HandMade    []string        `json:"hand_made,omitempty"` // its objects that stand there without an entry
	LastError   string          `json:"last_error,omitempty"`
	LastErrorIn string          `json:"last_sqlstate,omitempty"`
	// Rename gives what is out of order its place at the end; Diff is how a changed file differs from what was applied.
	Rename string              `json:"rename,omitempty"`
	Diff   *migration.TextDiff `json:"difference,omitempty"`
	// Lint is of what is not in the database yet.
	Lint *migration.LintReport `json:"lint,omitempty"`
}

func printStatusJSON(out io.Writer, ladder migration.Ladder) error {
	document := struct {
		Rungs    []rungJSON `json:"migrations"`
		Problems []string   `json:"problems"`
		Invalid  []string   `json:"invalid_indexes"`
		Engine   struct {
			Version string `json:"version"`
			Dirty   bool   `json:"dirty"`
		} `json:"golang_migrate"`
	}{Problems: append([]string{}, ladder.Problems...), Invalid: []string{}}
	for _, i := range ladder.Invalid {
		document.Invalid = append(document.Invalid, i.Name)
	}
	if ladder.Belief.Known {
		document.Engine.Version, document.Engine.Dirty = ladder.Belief.Version.String(), ladder.Belief.Dirty
	}
	for _, r := range ladder.Rungs {
		row := rungJSON{
			Version: r.Version.String(), State: r.State, Script: r.File.Script, SHA256: r.File.SHA256, Next: r.Next, BlockedBy: r.Blocked, Note: r.Note,
		}
		if r.InDatabase() {
			row.Recorded, row.AppliedBy, row.AppliedAt = r.Effect.SHA256, r.Effect.By.Name, &r.Effect.FinishedAt
		}
		if !r.HasFile {
			row.Script = r.Effect.Script
		}
		if r.State == migration.StateFailed {
			row.LastError, row.LastErrorIn = r.Last.Error, r.Last.SQLState
		}
		for _, o := range r.Astray {
			row.HandMade = append(row.HandMade, o.Kind+" "+o.Name)
		}
		row.Rename, row.Diff = r.Rename, r.Diff
		if !r.InDatabase() {
			row.Lint = r.Lint
		}
		document.Rungs = append(document.Rungs, row)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

func printStatus(out io.Writer, ladder migration.Ladder) error {
	for _, r := range ladder.Rungs {
		name, more := r.File.Script, r.Note
		if !r.HasFile {
			name = r.Effect.Script
		}
		if r.InDatabase() {
			more = fmt.Sprintf("%s, %s, %d ms. %s", r.Effect.By.Name, r.Effect.FinishedAt.UTC().Format("2006-01-02 15:04:05Z"), r.Effect.Took.Milliseconds(), more)
		}
		if r.State == migration.StateFailed {
			more = r.Last.Error
		}
		if r.State == migration.StateHandMade {
			more = r.StrayWords() + " " + repairWords(r)
		}
		if r.Lint != nil && !r.InDatabase() {
			more = strings.TrimSpace(more + " " + r.Lint.Summary())
		}
		if _, err := fmt.Fprintf(out, "%-13s %-70s %s\n%s", r.State, name, more, differenceWords(r)); err != nil {
			return err
		}
	}
	for _, i := range ladder.Invalid {
		if _, err := fmt.Fprintln(out, i.Sentence()); err != nil {
			return err
		}
	}
	belief := "nothing"
	if ladder.Belief.Known {
		belief = fmt.Sprintf("%s, dirty: %t", ladder.Belief.Version.Title(), ladder.Belief.Dirty)
	}
	_, err := fmt.Fprintf(out, "golang-migrate believes: %s\n", belief)
	return err
}

// repairWords says where the way out of a version made by hand begins.
func repairWords(r migration.Rung) string {
	return fmt.Sprintf("Its page of repair shows what is there, and gatehouse migrate repair %s records what became of it; a whole warehouse that was there before Gatehouse is recorded by gatehouse migrate baseline.", r.Version.Title())
}

// differenceWords are how a changed file differs from what was applied, as wdiff writes it.
func differenceWords(r migration.Rung) string {
	if r.Diff == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "    %s\n", r.Diff.Sentence())
	for _, h := range r.Diff.Hunks {
		fmt.Fprintf(&b, "    line %d then, line %d now: ", h.WasLine, h.NowLine)
		for _, w := range h.Words {
			b.WriteString(map[migration.WordIs]string{migration.WordSame: w.Text, migration.WordGone: "[-" + w.Text + "-]", migration.WordNew: "{+" + w.Text + "+}"}[w.Is] + " ")
		}
		b.WriteByte('\n')
	}
	return b.String()
}
