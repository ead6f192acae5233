package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
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

func migrateStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "Say where every version stands, files against database", Args: cobra.NoArgs,
		Long: `Compares the files in this program with the ledger in the database, and says what golang-migrate itself
believes, and lists indexes that are not valid. Exit codes: 0 they agree, 4 they disagree or an index is not valid, 1 the database could not be read, 2 called wrongly.`,
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
			if err == nil && len(ladder.Invalid) > 0 {
				return exitError{exitDisagree, errors.New(ladder.Invalid[0].Sentence())}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// weighed is the ladder with what each file locks, by the sizes of the owner's database.
func weighed(ctx context.Context, m *migrator.Migrator) (migration.Ladder, error) {
	ladder, err := m.Status(ctx)
	if err != nil {
		return ladder, err
	}
	config, err := app.Load(os.Environ())
	if err != nil {
		return ladder, exitError{2, err}
	}
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
			more = fmt.Sprintf("%s, %s, %s ms. %s", r.Effect.By.Name, r.Effect.FinishedAt.UTC().Format("2006-01-02 15:04:05Z"), fmt.Sprint(r.Effect.Took.Milliseconds()), more)
		}
		if r.State == migration.StateFailed {
			more = r.Last.Error
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

func migratePlan() *cobra.Command {
	return &cobra.Command{
		Use: "plan", Short: "Say what is to be applied, with its plan card; changes nothing", Args: cobra.NoArgs,
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
	case r.Rehearsed.Passed:
		return fmt.Sprintf("%s in its newest rehearsal (%s)", r.Rehearsed.Up, r.Rehearsed.RecordedAt.UTC().Format("2006-01-02 15:04Z"))
	case !r.Rehearsed.RecordedAt.IsZero():
		return fmt.Sprintf("about %s by its plan card; its rehearsal did not pass", r.File.Card.Estimate)
	}
	return fmt.Sprintf("about %s by its plan card; not rehearsed", r.File.Card.Estimate)
}

func migrateApply() *cobra.Command {
	var release string
	cmd := &cobra.Command{
		Use: "apply VERSION --release ID", Short: "Apply the next version through its gate, and wait for it", Args: cobra.ExactArgs(1),
		Example: `  gatehouse migrate apply V0.0.20 --release 7b0c6e1e-6c4e-4a53-9d1a-2f8f7f0f2a11`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return change(cmd, args[0], release, func(ctx context.Context, s *migration.Service, by actor.Actor, v migration.Version, id uuid.UUID) (migration.Run, error) {
				file, ok := s.Files().Up(v)
				if !ok {
					return migration.Run{}, fault.New(fault.NotFound, "There is no migration %s.", v.Title())
				}
				return s.Apply(ctx, by, migration.ApplyRequest{Version: v, SHA256: file.SHA256, Release: id, Key: uuid.New(), Token: os.Getenv("GATEHOUSE_APPLY_TOKEN")})
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
	worker := migration.NewWorker(store, m, m.Files(), slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)))
	if err := worker.Work(ctx, migration.Ref{Tenant: run.Tenant, Run: run.ID}); err != nil {
		return err
	}
	return report(cmd, service, by, run.ID)
}

func refusalText(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Message
	}
	return "internal error"
}

// report prints the run's log and says how it ended.
func report(cmd *cobra.Command, service *migration.Service, by actor.Actor, id migration.RunID) error {
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
		return fmt.Errorf("the run is %s: %s", one.Run.State, one.Run.Error)
	}
	if failed, ok := migration.AllPassed(one.Checks); !ok {
		return exitError{exitDisagree, fmt.Errorf("the run succeeded, but %d of its %d post-checks do not hold; see the lines above", failed, len(one.Checks))}
	}
	return nil
}

func migrateBaseline() *cobra.Command {
	var create bool
	var to, reason string
	cmd := &cobra.Command{
		Use: "baseline", Short: "Check an existing warehouse against V0.0.14, or a later version, and record it", Args: cobra.NoArgs,
		Long: `Looks for every table and column that V0.0.14 stands for, lists what is missing, and records the version
only where nothing is. Nothing of the warehouse is changed. With --create, and only where none of its tables
exist, the baseline file is run and makes an empty warehouse. Either stands in the system's audit trail as
migration:baseline.

With --to and --reason it records versions that were applied by hand or by another tool, as far as the live schema
proves them: every object that they leave has to be there and equal. What another tool's own ledger says is
shown and proves nothing. Where only some are proven, those are recorded and what the next one lacks is listed.

Exit codes: 0 recorded or created, 4 something is missing, 1 failed, 2 called wrongly.`,
		Example: `  gatehouse migrate baseline
  gatehouse migrate baseline --to V0.0.18 --reason "applied by hand in 2024"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to != "" {
				if create {
					return exitError{2, errors.New("--create and --to do not go together")}
				}
				return adopt(cmd, to, reason)
			}
			m, err := owner()
			if err != nil {
				return err
			}
			recorded, err := m.Baseline(cmd.Context(), actor.System(actor.CLI, "baseline"), create, func(line string) { cmd.Println(line) })
			if err != nil {
				return coded(err)
			}
			what := "The warehouse was created at its baseline."
			if recorded {
				what = "The warehouse has everything that the baseline stands for; it is recorded."
			}
			if err := recordBaseline(cmd.Context(), m.Files().Versions()[0], recorded); err != nil {
				return fmt.Errorf("%s But it could not be written into the audit trail: %w", what, err)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), what)
			return err
		},
	}
	cmd.Flags().BoolVar(&create, "create", false, "make the warehouse where none of its tables exist")
	cmd.Flags().StringVar(&to, "to", "", "record versions up to this one, as far as the live schema proves them")
	cmd.Flags().StringVar(&reason, "reason", "", "why they are recorded without being run; stands in the ledger and the audit trail")
	return cmd
}

// recordBaseline writes down what became of the warehouse.
func recordBaseline(ctx context.Context, version migration.Version, recorded bool) error {
	config, err := app.Load(os.Environ())
	if err != nil {
		return err
	}
	did := "created"
	if recorded {
		did = "recorded"
	}
	return postgres.RecordAsOwner(ctx, string(config.OwnerDatabaseURL), actor.System(actor.CLI, "baseline"), audit.Event{
		Action: "migration:baseline", ObjectKind: "migration", ObjectID: version.String(), After: map[string]string{"warehouse": did},
	})
}

// coded gives a refusal the exit code that the help documents.
func coded(err error) error {
	var disagree *migration.Disagreement
	var locked *migration.Locked
	var busy *migration.Busy
	switch {
	case errors.As(err, &disagree):
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
