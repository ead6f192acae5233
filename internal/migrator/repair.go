package migrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// readInvalidIndexes leaves out an index of which another session holds the build: that one is not left behind yet.
const readInvalidIndexes = `
SELECT format('%I.%I', s.nspname, c.relname) AS name, format('%I.%I', ts.nspname, t.relname) AS table
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace ts ON ts.oid = t.relnamespace
 WHERE NOT (i.indisvalid AND i.indisready) AND c.relkind = 'i' AND s.nspname = 'public'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
 ORDER BY 1`

func invalidIndexes(ctx context.Context, conn *pgx.Conn) ([]migration.InvalidIndex, error) {
	rows, err := conn.Query(ctx, readInvalidIndexes)
	if err != nil {
		return nil, wrap("looking for invalid indexes", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[migration.InvalidIndex])
	if err != nil {
		return nil, wrap("looking for invalid indexes", err)
	}
	return list, nil
}

// Repair takes one of the ways out of a version that stopped half way, under the migration lock. The facts are asked for
// under that lock, too: what they prove is still so when it is written.
func (m *Migrator) Repair(ctx context.Context, order migration.RepairOrder, facts func(context.Context) ([]migration.Fact, error)) error {
	return m.locked(ctx, migration.RunID{}, func(s *session) error {
		ladder, err := m.compare(ctx, s)
		if err != nil {
			return err
		}
		seen, err := facts(ctx)
		if err != nil {
			return err
		}
		finding, err := ladder.Examine(m.files, order.Version, seen)
		if err != nil {
			return err
		}
		if err := finding.Allows(order.Choice, order.Index); err != nil {
			return err
		}
		return m.repair(ctx, s, ladder, finding.Rung.File, order)
	})
}

func (m *Migrator) repair(ctx context.Context, s *session, ladder migration.Ladder, file migration.File, order migration.RepairOrder) error {
	s.notices, s.hear = []string{"REPAIR: " + order.Reason}, order.Log
	below := int(ladder.Below(order.Version))
	d := &driver{ctx: ctx, s: s, set: m.set, file: file, version: int(order.Version), target: int(order.Version), tries: max(m.LockTries, 1)}
	d.req = StepRequest{Version: order.Version, By: order.By, Log: order.Log}
	switch order.Choice {
	case migration.MarkApplied:
		d.req.Direction = migration.RepairApplied
		return d.note()
	case migration.MarkNotApplied:
		d.req.Direction, d.target = migration.RepairRemoved, below
		return d.note()
	case migration.RunDown:
		undo, _ := m.files.Down(order.Version) // Examine has seen that it is there
		d.req.Direction, d.file, d.target = migration.Down, undo, below
		if undo.NoTransaction {
			return d.runBare(undo.SQL) //nolint:contextcheck // a driver carries it, because golang-migrate does not
		}
		return d.runWhole(undo.SQL) //nolint:contextcheck // as above
	case migration.DropIndex:
		return dropIndex(ctx, s.conn, file.Card, order.Index)
	}
	return fmt.Errorf("migrator: no way to repair: %q", order.Choice)
}

// note writes the entry and golang-migrate's version, and runs nothing.
func (d *driver) note() error {
	if err := d.begin(true); err != nil {
		return wrap("recording the repair", err)
	}
	return d.commit()
}

// dropIndex removes an index that cannot be used. index is one of those that the catalog has just named, in its quoting.
func dropIndex(ctx context.Context, conn *pgx.Conn, card migration.Card, index string) error {
	if _, err := conn.Exec(ctx, setBounds, millis(card.StatementTimeout), millis(card.StatementTimeout), false); err != nil {
		return wrap("before removing the index", err)
	}
	began := time.Now()
	if _, err := conn.Exec(ctx, migration.InvalidIndex{Name: index}.Drop()); err != nil {
		return errors.Join(fault.New(fault.Conflict, "Index %s was not removed after %s; look again whether it is still there.", index, time.Since(began).Round(time.Second)), err)
	}
	return nil
}
