package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/audit"
)

// chainBlock is how many entries go in with one COPY.
const chainBlock = 100_000

var chainColumns = []string{
	"tenant_id", "seq", "at", "origin", "issuer", "subject", "name", "roles", "ip", "action", "object_kind", "object_id",
	"outcome", "reason", "before", "after", "prev_hash", "hash",
}

// madeChain is a chain that grows by an entry at a time; everything in one follows from its number.
type madeChain struct {
	tenant uuid.UUID
	seq    int64
	head   [sha256.Size]byte
}

var firstEntry = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func (c *madeChain) next() audit.Entry {
	c.seq++
	n, outcome := int(c.seq), "done"
	if n%41 == 0 {
		outcome = "refused"
	}
	before, after := `{"state": "open", "version": 1}`, `{"state": "done", "version": 2, "evidence": 1}`
	e := audit.Entry{
		TenantID: c.tenant, Seq: c.seq, At: firstEntry.Add(time.Duration(n) * 1_000_003 * time.Microsecond),
		Origin: "web", Issuer: "https://id.example.com", Subject: "subject-" + strconv.Itoa(n%97), Name: "Eli Brandt", Roles: "devops_engineer", IP: "10.0.0.7",
		Action: "item:done", ObjectKind: "item", ObjectID: "0b8f2c1e-6a54-4c0e-9d3f-6f6b6a1f3f10/PRE-P" + strconv.Itoa(n%80),
		Outcome: outcome, Reason: "The restore showed the same counts of lots and materials.", Before: &before, After: &after,
		PrevHash: append([]byte(nil), c.head[:]...),
	}
	c.head = sha256.Sum256([]byte(e.Canonical()))
	e.Hash = append([]byte(nil), c.head[:]...)
	return e
}

// chain copies a chain of so many entries in, the triggers off, as a restore does: through them it would take minutes. Only
// here the hashes come from Go, so the database's own function is asked afterwards whether it would have made the same.
func (h *home) chain(ctx context.Context, database string, tenant uuid.UUID, entries int64) error {
	return h.with(ctx, h.super(database), func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "SET session_replication_role = replica"); err != nil {
			return err
		}
		indexes, err := setAside(ctx, conn)
		if err != nil {
			return err
		}
		c := madeChain{tenant: tenant}
		for c.seq < entries {
			upTo := min(entries, c.seq+chainBlock)
			_, err := conn.CopyFrom(ctx, pgx.Identifier{"gatehouse", "audit_events"}, chainColumns, pgx.CopyFromFunc(func() ([]any, error) {
				if c.seq == upTo {
					return nil, nil
				}
				e := c.next()
				return []any{
					e.TenantID, e.Seq, e.At, e.Origin, e.Issuer, e.Subject, e.Name, e.Roles, e.IP, e.Action, e.ObjectKind, e.ObjectID,
					e.Outcome, e.Reason, *e.Before, *e.After, e.PrevHash, e.Hash,
				}, nil
			}))
			if err != nil {
				return fmt.Errorf("copying entries up to %d: %w", upTo, err)
			}
		}
		for _, statement := range append(indexes, "SET session_replication_role = origin", "VACUUM (ANALYZE) gatehouse.audit_events") {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%.60s: %w", statement, err)
			}
		}
		if _, err := conn.Exec(ctx, "INSERT INTO gatehouse.audit_heads (tenant_id, seq, hash) VALUES ($1, $2, $3)", tenant, c.seq, c.head[:]); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
			return err
		}
		var asked, same int64
		err = conn.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE hash = sha256(convert_to(gatehouse.audit_canonical(e), 'UTF8')))
			  FROM gatehouse.audit_events e WHERE tenant_id = $1 AND seq = ANY (SELECT generate_series(1, $2::bigint, 997))`, tenant, entries).Scan(&asked, &same)
		if err == nil && (asked == 0 || asked != same) {
			err = fmt.Errorf("of %d entries the database would have made %d the same", asked, same)
		}
		return err
	})
}

// setAside drops the indexes that are not the key's, and gives the statements that bring them back: one sort each is much
// less work than a million places each.
func setAside(ctx context.Context, conn *pgx.Conn) (back []string, err error) {
	rows, err := conn.Query(ctx, `SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
		 WHERE i.indrelid = 'gatehouse.audit_events'::regclass AND NOT i.indisunique ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	var names []string
	var name, definition string
	if _, err := pgx.ForEachRow(rows, []any{&name, &definition}, func() error {
		names, back = append(names, name), append(back, definition)
		return nil
	}); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("the trail has no indexes but its key")
	}
	for _, name := range names {
		if _, err := conn.Exec(ctx, "DROP INDEX "+name); err != nil {
			return nil, err
		}
	}
	return back, nil
}
