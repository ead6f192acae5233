package migrator

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// Baseline brings the first version of the set into the ledger. A warehouse that is there is checked, table by table and
// column by column, and recorded only where nothing is missing. Where there is none, create runs the file.
func (m *Migrator) Baseline(ctx context.Context, by actor.Actor, create bool, log func(string)) (recorded bool, err error) {
	first := m.files.Versions()[0]
	file, _ := m.files.Up(first)
	err = m.locked(ctx, migration.RunID{}, func(s *session) error {
		ladder, err := m.compare(ctx, s)
		if err != nil {
			return err
		}
		if rung, _ := ladder.Find(first); rung.InDatabase() {
			return fault.New(fault.Conflict, "%s is in the ledger already.", first.Title())
		}
		if len(ladder.Problems) > 0 {
			return ladder.Refusal()
		}
		missing, any, err := lacks(ctx, s.conn, file)
		switch {
		case err != nil:
			return wrap("looking at the warehouse's tables", err)
		case !any && create:
			_, err = m.step(ctx, s, ladder, StepRequest{Version: first, Direction: migration.Up, By: by, Log: log})
			return err
		case !any:
			return fault.New(fault.Conflict, "There is no warehouse here. Look whether this is the right database; --create makes an empty warehouse.")
		case len(missing) > 0:
			cause := &migration.Disagreement{Problems: missing}
			return fault.New(fault.Conflict, "The warehouse lacks what %s stands for, so nothing was recorded:\n%s", first.Title(), cause.Error()).Because(cause)
		}
		recorded = true
		return m.recordFirst(ctx, s, file, by)
	})
	return recorded && err == nil, err
}

// lacks compares the catalog with what the file creates. any is whether there is any of its tables at all.
func lacks(ctx context.Context, conn *pgx.Conn, file migration.File) (missing []string, any bool, err error) {
	tables := migration.TablesOf(file.SQL)
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Name
	}
	rows, err := conn.Query(ctx, readColumns, names)
	if err != nil {
		return nil, false, err
	}
	type column struct {
		Table, Column, Owner string
		Ours                 bool
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[column])
	if err != nil {
		return nil, false, err
	}
	there := map[string]map[string]bool{}
	for _, c := range found {
		if there[c.Table] == nil {
			there[c.Table] = map[string]bool{}
			if !c.Ours {
				missing = append(missing, fmt.Sprintf("table %s belongs to %s: grant that role to gatehouse_owner, or give it the table", c.Table, c.Owner))
			}
		}
		there[c.Table][c.Column] = true
	}
	for _, t := range tables {
		if there[t.Name] == nil {
			missing = append(missing, "table "+t.Name)
			continue
		}
		for _, name := range t.Columns {
			if !there[t.Name][name] {
				missing = append(missing, "column "+t.Name+"."+name)
			}
		}
	}
	functions, err := lacksFunctions(ctx, conn, file)
	slices.Sort(missing)
	return append(missing, functions...), len(there) > 0, err
}

func lacksFunctions(ctx context.Context, conn *pgx.Conn, file migration.File) ([]string, error) {
	var names []string
	for _, o := range file.Card.Creates {
		if o.Kind == "function" {
			names = append(names, o.Name)
		}
	}
	rows, err := conn.Query(ctx, readMissingFunctions, names)
	if err != nil {
		return nil, err
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for i := range missing {
		missing[i] = "function " + missing[i]
	}
	return missing, err
}

// recordFirst records the set's first version with what the warehouse holds of it. From now on that is what the warehouse
// is held to: an ERP's own tables need not have been made by our file.
func (m *Migrator) recordFirst(ctx context.Context, s *session, file migration.File, by actor.Actor) error {
	if m.expected == nil {
		return m.record(ctx, s, file, by, nil)
	}
	expected, err := m.expected()
	if err != nil {
		return err
	}
	seen, err := look(ctx, s.conn, expected.Objects())
	if err != nil {
		return wrap("recording the baseline", err)
	}
	return m.record(ctx, s, file, by, &foundNow{catalog: expected.Own(file.Version, seen.catalog)})
}

// foundNow is what was found, for the record.
type foundNow struct {
	catalog       migration.Catalog
	proof, reason string
}

// record writes the ledger row and golang-migrate's version for a file that is not run, and what was found.
func (m *Migrator) record(ctx context.Context, s *session, file migration.File, by actor.Actor, found *foundNow) error {
	req := StepRequest{Version: file.Version, Direction: migration.Baseline, By: by}
	d := &driver{ctx: ctx, s: s, set: m.set, file: file, req: req, target: int(file.Version)}
	if err := d.begin(true); err != nil {
		return wrap("recording the baseline", err)
	}
	if found != nil {
		text, err := found.catalog.Encode()
		if err != nil {
			return err
		}
		_, err = s.conn.Exec(ctx, writeFound, int64(file.Version), string(text), migration.Hash(string(text)), found.proof, found.reason)
		if missingTable(err) {
			return fault.New(fault.Conflict, "Gatehouse's own tables are older than this program. Run `gatehouse setup` first.").Because(err)
		}
		if err != nil {
			return wrap("recording what was found", err)
		}
	}
	if err := d.commit(); err != nil {
		return wrap("recording the baseline", err)
	}
	return nil
}
