package migrator

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// Facts looks at objects of plan cards in the catalog of this database.
type Facts func(ctx context.Context, objects []migration.Object) ([]migration.Fact, error)

const readWaiting = `
SELECT run_id FROM gatehouse.migration_runs
 WHERE version_number = $1 AND state = 'interrupted' AND acknowledged_at IS NULL
 ORDER BY requested_at DESC LIMIT 1`

// Probe looks what of a version is in the database, statement by statement, and which repairs that proves. It changes
// nothing, and is no proof for later: Repair looks again, under the lock.
func (m *Migrator) Probe(ctx context.Context, v migration.Version, facts Facts) (probe migration.Probe, err error) {
	s, err := m.connect(ctx, migration.RunID{})
	if err != nil {
		return probe, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	ladder, err := m.compare(ctx, s)
	if err != nil {
		return probe, err
	}
	return m.probe(ctx, s, ladder, v, facts)
}

func (m *Migrator) probe(ctx context.Context, s *session, ladder migration.Ladder, v migration.Version, facts Facts) (migration.Probe, error) {
	var waiting uuid.UUID
	if err := s.conn.QueryRow(ctx, readWaiting, int64(v)).Scan(&waiting); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return migration.Probe{}, wrap("looking for an interrupted run", err)
	}
	effects, blind, err := m.effects(ctx, s, v, facts)
	if err != nil {
		return migration.Probe{}, err
	}
	return ladder.Probe(m.files, v, effects, blind, waiting)
}

// effects are what the version leaves, and what of it is there. blind is a set of which only the plan cards are known.
func (m *Migrator) effects(ctx context.Context, s *session, v migration.Version, facts Facts) (list []migration.Effect, blind bool, err error) {
	up, ok := m.files.Up(v)
	if !ok {
		return nil, false, fault.New(fault.NotFound, "There is no file for %s, so nothing is recorded of it.", v.Title())
	}
	if m.expected == nil {
		found, err := facts(ctx, m.files.Objects(v))
		return migration.CardEffects(up, found), true, wrapped("looking at what is there", err)
	}
	expected, err := m.expected()
	if err != nil {
		return nil, false, err
	}
	found, err := m.found(ctx, s.conn)
	if err != nil {
		return nil, false, err
	}
	seen, err := look(ctx, s.conn, expected.Objects())
	if err != nil {
		return nil, false, wrap("looking at what is there", err)
	}
	after := expected.For(v, found)
	before := migration.Catalog{ServerMajor: after.ServerMajor}
	if below, has := m.below(v); has {
		before = expected.For(below, found)
	}
	after.Items, before.Items = grantable(after.Items, seen.roles), grantable(before.Items, seen.roles)
	return migration.Effects(before, after, seen.catalog), false, nil
}

// below is the version before v in the set.
func (m *Migrator) below(v migration.Version) (below migration.Version, has bool) {
	for _, one := range m.files.Versions() {
		if one < v {
			below, has = one, true
		}
	}
	return below, has
}
