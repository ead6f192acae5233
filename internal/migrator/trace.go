package migrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/migration"
)

// Trace looks what became of a run: first for a server process that still works for it, then for its ledger row. In
// this order a process that commits and ends in between is not missed.
func (m *Migrator) Trace(ctx context.Context, run migration.RunID) (trace migration.Trace, err error) {
	s, err := m.connect(ctx, migration.RunID{})
	if err != nil {
		return migration.Trace{}, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	err = s.conn.QueryRow(ctx, findBackend, applicationName(run)).Scan(&trace.PID, &trace.Age)
	switch {
	case err == nil:
		trace.Alive = true
	case !errors.Is(err, pgx.ErrNoRows):
		return migration.Trace{}, wrap("looking for the run's server process", err)
	}
	rows, err := s.conn.Query(ctx, m.set.Ledger.sql(readRun), run)
	if err != nil {
		return migration.Trace{}, wrap("looking for the run's ledger entry", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[entryRow])
	if err != nil {
		return migration.Trace{}, wrap("looking for the run's ledger entry", err)
	}
	if len(found) > 0 {
		trace.Found, trace.Entry = true, found[0].entry()
	}
	return trace, nil
}

// blockerPause is between two looks at what a step waits for: much shorter than it waits for a lock.
const blockerPause = 250 * time.Millisecond

// Blockers says in lines of the log, each time it changes, who holds what the run waits for, until ctx ends. It ends nobody, and it
// needs one connection. While the database is away it is silent: the step itself will say that.
func (m *Migrator) Blockers(ctx context.Context, run migration.RunID, say func(string)) {
	for ctx.Err() == nil {
		m.watchBlockers(ctx, run, say)
		select {
		case <-ctx.Done():
		case <-time.After(blockerPause):
		}
	}
}

// watchBlockers looks until the connection or ctx ends.
func (m *Migrator) watchBlockers(ctx context.Context, run migration.RunID, say func(string)) {
	s, err := m.connect(ctx, migration.RunID{})
	if err != nil {
		return
	}
	defer func() { _ = s.close(ctx) }() // it was only read
	tick := time.NewTicker(blockerPause)
	defer tick.Stop()
	for last := []migration.Blocker(nil); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		rows, err := s.conn.Query(ctx, findBlockers, applicationName(run))
		if err != nil {
			return
		}
		list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[blocker])
		if err != nil {
			return
		}
		log := m.waits.of(run)
		if len(list) == 0 {
			log.saw("", time.Time{}, 0)
		}
		who := make([]migration.Blocker, len(list))
		for i, one := range list {
			log.saw(one.words(), one.Since, time.Duration(one.Seconds*float64(time.Second)))
			who[i] = one.Blocker
		}
		// How long they have held it grows by itself; only another holder or statement is news.
		if !slices.EqualFunc(who, last, migration.Blocker.Same) {
			for _, line := range migration.BlockerLines(who) {
				say(line)
			}
		}
		last = who
	}
}

// blocker is one who holds what a run waits for, and since when it waits.
type blocker struct {
	migration.Blocker
	Since   time.Time
	Seconds float64
}

// words name the holder as the ledger keeps it, the same at every look.
func (b blocker) words() string {
	return fmt.Sprintf("%s (%s, server process %d): %s", b.User, b.Application, b.PID, b.Query)
}
