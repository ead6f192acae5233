package migrator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// Adoption is what became of a database that somebody else brought up.
type Adoption struct {
	Proofs  []migration.Proof // of the versions that are recorded now
	Lacking []migration.Difference
	// Stopped is the first version that could not be proven; zero where all could.
	Stopped migration.Version
	// Hints are what another tool's own ledger says. Nothing rests on them.
	Hints []string
}

// Adopt records versions that were applied by hand or by another tool, up to and including to, as far as the live schema
// proves them. It runs none of their statements.
func (m *Migrator) Adopt(ctx context.Context, by actor.Actor, to migration.Version, reason string) (a Adoption, err error) {
	if _, ok := m.files.Up(to); !ok || m.expected == nil {
		return a, fault.New(fault.NotFound, "There is no migration %s.", to.Title())
	}
	if reason = strings.TrimSpace(reason); reason == "" {
		return a, fault.New(fault.Invalid, "Say why these versions are recorded without being run.")
	}
	expected, err := m.expected()
	if err != nil {
		return a, err
	}
	err = m.locked(ctx, migration.RunID{}, func(s *session) error {
		ladder, err := m.compare(ctx, s)
		if err != nil {
			return err
		}
		since := highest(ladder)
		switch {
		case len(ladder.Problems) > 0:
			return ladder.Refusal()
		case since >= to:
			return fault.New(fault.Conflict, "%s is in the ledger already.", to.Title())
		}
		found, err := m.found(ctx, s.conn)
		if err != nil {
			return err
		}
		seen, err := look(ctx, s.conn, expected.Objects())
		if err != nil {
			return wrap("looking at the warehouse", err)
		}
		if a.Hints, err = foreignLedgers(ctx, s.conn); err != nil {
			return wrap("looking for other tools' ledgers", err)
		}
		if err := m.prove(expected, &a, since, to, found, seen); err != nil {
			return err
		}
		return m.adopt(ctx, s, expected, a, seen.catalog, by, reason)
	})
	return a, err
}

// prove looks for the highest version that the live schema proves. What stops the next one is kept.
func (m *Migrator) prove(expected *migration.Expectation, a *Adoption, since, to migration.Version, found migration.Found, seen sight) error {
	for _, v := range m.files.Versions() {
		if v <= since || v > to {
			continue
		}
		proofs, lacking, err := expected.Prove(since, v, found, seen.catalog, func(items []migration.Item) []migration.Item { return grantable(items, seen.roles) })
		if err != nil {
			return err
		}
		if len(lacking) == 0 {
			a.Proofs, a.Lacking, a.Stopped = proofs, nil, 0
		} else if a.Stopped == 0 {
			a.Lacking, a.Stopped = lacking, v
		}
	}
	return nil
}

// adopt records what is proven, lowest first, so that what a crash leaves is true as well.
func (m *Migrator) adopt(ctx context.Context, s *session, expected *migration.Expectation, a Adoption, live migration.Catalog, by actor.Actor, reason string) error {
	for n, p := range a.Proofs {
		file, _ := m.files.Up(p.Version)
		s.notices = []string{fmt.Sprintf("Found in the database and proven: %d objects are there and equal. SHA-256 of the proof: %s. Why it is recorded: %s", len(p.Objects), p.SHA256, reason)}
		var now *foundNow
		if n == len(a.Proofs)-1 {
			now = &foundNow{catalog: expected.Own(p.Version, live), proof: p.SHA256, reason: reason}
		}
		if err := m.record(ctx, s, file, by, now); err != nil {
			return err
		}
	}
	return nil
}

// foreignLedgers reads what other tools say is there: a hint for the person, and no proof.
func foreignLedgers(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	var hints []string
	for _, table := range []string{"public.flyway_schema_history", "public.schema_migrations"} {
		var readable *bool
		if err := conn.QueryRow(ctx, `SELECT has_table_privilege(to_regclass($1), 'SELECT')`, table).Scan(&readable); err != nil {
			return nil, err
		}
		switch {
		case readable == nil:
		case !*readable:
			hints = append(hints, table+" is there, and cannot be read as the owner")
		default:
			var versions string
			err := conn.QueryRow(ctx, `SELECT coalesce(string_agg(v, ', '), 'nothing') FROM (SELECT version::text AS v FROM `+table+` WHERE version IS NOT NULL ORDER BY 1 LIMIT 100) s`).Scan(&versions)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("reading %s", table), err)
			}
			hints = append(hints, table+" says: "+versions)
		}
	}
	return hints, nil
}
