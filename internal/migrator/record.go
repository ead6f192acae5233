package migrator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// entryRow is a ledger row as the database gives it.
type entryRow struct {
	LedgerID      int64
	VersionNumber int64
	Description   string
	Script        string
	Direction     string
	Success       bool
	SHA256        string    `db:"sha256"`
	SHA256Tokens  string    `db:"sha256_tokens"`
	TenantID      uuid.UUID `db:"tenant_id"`
	ActorIssuer   string
	ActorSubject  string
	ActorName     string
	ActorRoles    string
	Origin        string
	ReleaseID     *uuid.UUID `db:"release_id"`
	RunID         *uuid.UUID `db:"run_id"`
	StartedAt     time.Time
	FinishedAt    time.Time
	DurationMs    int64
	ServerVersion string
	Sqlstate      *string
	Error         *string
	Notices       string
	LockWaits     *int
	LockWaitMs    *int64
	LockWaitedFor *string
}

func (r entryRow) entry() migration.Entry {
	var waits *migration.LockWaits
	if r.LockWaits != nil {
		waits = &migration.LockWaits{Times: *r.LockWaits, Took: time.Duration(value(r.LockWaitMs)) * time.Millisecond, For: value(r.LockWaitedFor)}
	}
	return migration.Entry{
		ID: r.LedgerID, Version: migration.Version(r.VersionNumber), Direction: migration.Direction(r.Direction),
		Description: r.Description, Script: r.Script, Success: r.Success, SHA256: r.SHA256, TokensSHA256: r.SHA256Tokens,
		By: migration.Person{
			Tenant: r.TenantID, Issuer: r.ActorIssuer, Subject: r.ActorSubject, Name: r.ActorName, Roles: r.ActorRoles, Origin: r.Origin,
		},
		Release: value(r.ReleaseID), Run: value(r.RunID), StartedAt: r.StartedAt, FinishedAt: r.FinishedAt,
		Took: time.Duration(r.DurationMs) * time.Millisecond, Server: r.ServerVersion,
		SQLState: value(r.Sqlstate), Error: value(r.Error), Notices: r.Notices, Waits: waits,
	}
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// orNull is nil for the zero value.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// read is the ledger and golang-migrate's row, in one round trip. A ledger that is not there yet is empty for the
// console, and a refusal for the warehouse.
func (m *Migrator) read(ctx context.Context, conn *pgx.Conn) ([]migration.Entry, migration.Belief, error) {
	var entries []migration.Entry
	var belief migration.Belief
	var batch pgx.Batch
	batch.Queue(m.set.Ledger.sql(readEntries)).Query(func(rows pgx.Rows) error {
		list, err := pgx.CollectRows(rows, pgx.RowToStructByName[entryRow])
		for _, row := range list {
			entries = append(entries, row.entry())
		}
		return err
	})
	batch.Queue(readState, m.set.Name).QueryRow(func(row pgx.Row) error {
		var version int64
		err := row.Scan(&version, &belief.Dirty)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		belief.Version, belief.Known = migration.Version(max(version, 0)), version >= 0
		return err
	})
	err := conn.SendBatch(ctx, &batch).Close()
	if staleTable(err) {
		return nil, migration.Belief{}, fault.New(fault.Conflict, "Gatehouse's own tables are older than this program. Run `gatehouse setup` first.").Because(err)
	}
	if !missingTable(err) {
		return entries, belief, err
	}
	if m.set.Ledger.own {
		return nil, migration.Belief{}, nil
	}
	return nil, migration.Belief{}, fault.New(fault.Conflict, "Gatehouse's own tables are not there yet. Run `gatehouse setup` first.").Because(err)
}

func missingTable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "3F000")
}

// staleTable is a column that a later version of the console's schema brings.
func staleTable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42703"
}

// bootstrap makes what the console's ledger needs before the console's first file. Called under the lock: CREATE TABLE
// IF NOT EXISTS races with itself.
func (m *Migrator) bootstrap(ctx context.Context, conn *pgx.Conn) error {
	if !m.set.Ledger.own {
		return nil
	}
	for _, statement := range []string{makeState, makeLedger} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			if missingTable(err) {
				return fault.New(fault.Conflict, "Schema gatehouse is not there yet. Run `gatehouse setup` first.").Because(err)
			}
			return fmt.Errorf("making the migrator's own tables: %w", err)
		}
	}
	return nil
}

// entryArgs is one try as the ledger keeps it; failure is nil for a success, and waits where nobody looked.
func (l Ledger) entryArgs(file migration.File, req migration.StepRequest, began time.Time, notices []string, waits *migration.LockWaits, failure *migration.StepError) pgx.StrictNamedArgs {
	roles := make([]string, len(req.By.Roles))
	for i, role := range req.By.Roles {
		roles[i] = string(role)
	}
	var state, text *string
	if failure != nil {
		state, text = orNull(failure.SQLState), orNull(failure.Error())
	}
	args := pgx.StrictNamedArgs{
		"version": file.Version.String(), "version_number": int64(file.Version), "description": file.Description(),
		"script": file.Script, "direction": string(req.Direction), "success": failure == nil,
		"sha256": file.SHA256, "sha256_tokens": file.TokensSHA256,
		"tenant_id": req.By.Tenant, "actor_issuer": req.By.Issuer, "actor_subject": req.By.Subject,
		"actor_name": req.By.Name, "actor_roles": strings.Join(roles, ","), "origin": string(req.By.Origin),
		"release_id": orNull(req.Release), "run_id": orNull(req.Run),
		"started_at": began, "sqlstate": state, "error": text, "notices": strings.Join(notices, "\n"),
	}
	if !l.claims {
		return args
	}
	args["lock_waits"], args["lock_wait_ms"], args["lock_waited_for"] = (*int)(nil), (*int64)(nil), (*string)(nil)
	if waits != nil {
		took := waits.Took.Milliseconds()
		args["lock_waits"], args["lock_wait_ms"], args["lock_waited_for"] = &waits.Times, &took, &waits.For
	}
	return args
}
