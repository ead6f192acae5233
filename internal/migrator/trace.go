package migrator

import (
	"context"
	"errors"
	"strings"

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

// Blockers says in words who holds what the run waits for; empty where it does not wait. It ends nobody.
func (m *Migrator) Blockers(ctx context.Context, run migration.RunID) (words string, err error) {
	s, err := m.connect(ctx, migration.RunID{})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	rows, err := s.conn.Query(ctx, findBlockers, applicationName(run))
	if err != nil {
		return "", wrap("looking for blockers", err)
	}
	who, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", wrap("looking for blockers", err)
	}
	return strings.Join(who, "; "), nil
}
