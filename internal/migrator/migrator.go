package migrator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// StepRequest is the word of package migration, for callers that only migrate.
type StepRequest = migration.StepRequest

// StepResult is the word of package migration, for callers that only migrate.
type StepResult = migration.StepResult

// Migrator changes one schema as the database's owner.
type Migrator struct {
	set    Set
	files  *migration.Files
	config *pgx.ConnConfig
	// expected reads what each version leaves, once and when somebody looks: it is a megabyte of text. nil for a set whose
	// drift nobody looks for.
	expected func() (*migration.Expectation, error)
	waits    waitLogs
	// Patience is how long the lock of another migrator is waited for.
	Patience time.Duration
	// LockTries is how often a file is begun whose lock was not had. Between two tries everybody else may pass.
	LockTries int
}

// New reads the set's files, and refuses them with a list of all that is wrong. It does not connect.
func New(set Set, ownerURL string) (*Migrator, error) {
	files, err := migration.ReadFiles(set.FS, migration.Rules{Undo: true})
	if err != nil {
		return nil, fmt.Errorf("the files of set %s: %w", set.Name, err)
	}
	var expected func() (*migration.Expectation, error)
	if set.Expected != nil {
		expected = sync.OnceValues(func() (*migration.Expectation, error) { return migration.ReadExpectation(set.Expected, files) })
	}
	if set.Readings != nil {
		files.UseReadings(set.Readings)
	}
	config, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return nil, errors.New("the owner's database address is not one of PostgreSQL's (postgres://user@host:5432/database)")
	}
	// One round trip a statement, and nothing prepared that a migration could make stale.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.ConnectTimeout = 10 * time.Second
	config.RuntimeParams["timezone"] = "UTC"
	// A backend whose client is dead notices within seconds, even in the middle of a long statement.
	config.RuntimeParams["client_connection_check_interval"] = "2s"
	return &Migrator{set: set, files: files, config: config, expected: expected, Patience: 5 * time.Second, LockTries: 6}, nil
}

// Files are the set's files.
func (m *Migrator) Files() *migration.Files { return m.files }

// Status compares files and database.
func (m *Migrator) Status(ctx context.Context) (ladder migration.Ladder, err error) {
	s, err := m.connect(ctx, migration.RunID{})
	if err != nil {
		return migration.Ladder{}, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	if ladder, err = m.compare(ctx, s); err != nil || !m.set.Ledger.claims {
		return ladder, err
	}
	return ladder, m.explain(ctx, s, &ladder)
}

// explain finds how files differ from what was applied, where they do.
func (m *Migrator) explain(ctx context.Context, s *session, ladder *migration.Ladder) error {
	var hashes []string
	for _, r := range ladder.Rungs {
		if r.State == migration.StateChanged {
			hashes = append(hashes, r.Effect.SHA256)
		}
	}
	if len(hashes) == 0 {
		return nil
	}
	texts := map[string]string{}
	var hash, body string
	rows, err := s.conn.Query(ctx, readTexts, hashes)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&hash, &body}, func() error { texts[hash] = body; return nil })
	}
	if err != nil {
		return wrap("reading the texts of applied files", err)
	}
	ladder.Explain(texts)
	return nil
}

func (m *Migrator) compare(ctx context.Context, s *session) (migration.Ladder, error) {
	entries, belief, err := m.read(ctx, s.conn)
	if err != nil {
		return migration.Ladder{}, wrap("reading the ledger", err)
	}
	ladder := migration.Build(m.files, entries, belief, nil)
	if m.set.Ledger.claims {
		ladder.Invalid, err = invalidIndexes(ctx, s.conn)
	}
	return ladder, err
}

// Step applies or takes back one version. A refusal is a fault and changed nothing; a migration.StepError failed and is
// in the ledger; a migration.Unknown has to be looked up with Trace when the database is back.
func (m *Migrator) Step(ctx context.Context, req StepRequest) (result StepResult, err error) {
	err = m.locked(ctx, req.Run, func(s *session) error {
		ladder, err := m.compare(ctx, s)
		if err != nil {
			return err
		}
		if req.Direction == migration.Up {
			if err := m.refuseDriftPatiently(ctx, s, ladder, req); err != nil {
				return err
			}
		}
		result, err = m.step(ctx, s, ladder, req)
		return err
	})
	return result, err
}

// UpTo applies every version up to and including the last, one step at a time on one connection, for set-up and
// demonstration. It passes no gate.
func (m *Migrator) UpTo(ctx context.Context, last migration.Version, by actor.Actor, log func(string)) (results []StepResult, err error) {
	if _, ok := m.files.Up(last); !ok {
		return nil, fault.New(fault.NotFound, "There is no file for %s.", last.Title())
	}
	err = m.locked(ctx, migration.RunID{}, func(s *session) error {
		ladder, err := m.compare(ctx, s)
		for err == nil {
			next, ok := ladder.Next()
			if len(ladder.Problems) > 0 {
				return ladder.Refusal()
			}
			if !ok || next.Version > last {
				return nil
			}
			var one StepResult
			one, err = m.step(ctx, s, ladder, StepRequest{Version: next.Version, Direction: migration.Up, By: by, Log: log})
			if err == nil {
				results = append(results, one)
				ladder, err = m.compare(ctx, s)
			}
		}
		return err
	})
	return results, err
}

// locked runs work on a session that holds the set's lock. The lock ends with the connection.
func (m *Migrator) locked(ctx context.Context, run migration.RunID, work func(*session) error) error {
	s, err := m.connect(ctx, run)
	if err != nil {
		return err
	}
	// What was committed is committed, however the connection ends.
	defer func() { _ = s.close(ctx) }()
	if err := m.refuseMight(ctx, s); err != nil {
		return err
	}
	if err := s.lock(ctx, m.set.Ledger.lock, m.Patience); err != nil {
		return wrap("before the step", err)
	}
	if err := m.bootstrap(ctx, s.conn); err != nil {
		return err
	}
	return work(s)
}

// step judges under the lock, then lets the engine take one step.
func (m *Migrator) step(ctx context.Context, s *session, ladder migration.Ladder, req StepRequest) (StepResult, error) {
	file, err := ladder.Judge(m.files, req)
	if err != nil {
		return StepResult{}, err
	}
	if err := refreshable(ctx, s, file); err != nil {
		return StepResult{}, err
	}
	version := database.NilVersion
	if ladder.Belief.Known {
		version = int(ladder.Belief.Version)
	}
	s.notices, s.hear = nil, req.Log
	waited := m.waits.begin(req.Run)
	defer m.waits.end(req.Run)
	d := &driver{
		ctx: ctx, s: s, set: m.set, file: file, req: req, version: version, tries: max(m.LockTries, 1), waited: waited, started: time.Now(),
	}
	engine, err := migrate.NewWithInstance(m.set.Name, files{m.files}, "gatehouse", d)
	if err != nil {
		return StepResult{}, fmt.Errorf("making golang-migrate's engine: %w", err)
	}
	start := time.Now()
	if req.Direction == migration.Down {
		err = engine.Steps(-1)
	} else {
		err = engine.Steps(1)
	}
	if err != nil {
		return StepResult{}, err
	}
	took := time.Since(start)
	req.Say("%s committed after %s, with its version and its ledger entry.", file.Script, clock.Duration(took))
	return StepResult{
		Version: req.Version, Direction: req.Direction, Script: file.Script, StartedAt: d.began, Took: took, Notices: s.notices,
	}, nil
}

// wrap keeps refusals as they are and turns a lost connection into one.
func wrap(what string, err error) error {
	if _, ok := fault.As(err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.New(fault.Unavailable, "The database did not answer as its owner. Nothing was changed.").Because(fmt.Errorf("%s: %w", what, err))
}
