package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Externals is backup.ExternalStore.
type Externals struct{ DB *DB }

var _ backup.ExternalStore = Externals{}

// added runs a statement that gives a row where it was let through, and keeps the event with it.
func (s Externals) added(ctx context.Context, by actor.Actor, e audit.Event, name string, args pgx.StrictNamedArgs) (added bool, err error) {
	err = s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		if added, err = givesRow(ctx, tx, name, args); err != nil || !added {
			return err
		}
		return record(ctx, tx, by, e)
	})
	return added && err == nil, err
}

func givesRow(ctx context.Context, tx pgx.Tx, name string, args pgx.StrictNamedArgs) (bool, error) {
	var id uuid.UUID
	err := tx.QueryRow(ctx, sql(name), args).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Register keeps an external backup and the event.
func (s Externals) Register(ctx context.Context, by actor.Actor, x backup.External, e audit.Event) (bool, error) {
	added, err := s.added(ctx, by, e, "AddExternalBackup", pgx.StrictNamedArgs{
		"tenant": by.Tenant, "external": x.ID, "provider": x.Provider, "identifier": x.Identifier, "taken_at": x.TakenAt, "covers": x.Covers, "evidence": x.Evidence,
		"sha256": x.SHA256, "file": x.File, "issuer": by.Issuer, "subject": by.Subject, "actor": by.Name, "auth_time": orNullTime(by.AuthTime), "origin": string(by.Origin),
	})
	if fault.Is(err, fault.Conflict) {
		err = fault.New(fault.Conflict, "%s %s is registered already; the list shows it.", x.Provider, x.Identifier).Because(err)
	}
	return added, err
}

// AddMark writes down where the log stands.
func (s Externals) AddMark(ctx context.Context, by actor.Actor, id uuid.UUID, e audit.Event) (bool, error) {
	return s.added(ctx, by, e, "AddBackupMark", pgx.StrictNamedArgs{
		"tenant": by.Tenant, "mark": id, "issuer": by.Issuer, "subject": by.Subject, "actor": by.Name, "origin": string(by.Origin),
	})
}

// Mark is the newest of the marks that this very cluster made for the actor's tenant.
func (s Externals) Mark(ctx context.Context, by actor.Actor, ids []uuid.UUID) (mark backup.Mark, found bool, err error) {
	var rows []struct {
		MarkID   uuid.UUID
		MarkedAt time.Time
		System   string
		WAL      string `db:"wal"`
	}
	err = s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("NewestMark"), pgx.StrictNamedArgs{"marks": ids}).Query(collect(&rows))
	})
	if err != nil || len(rows) == 0 {
		return mark, false, err
	}
	return backup.Mark{ID: rows[0].MarkID, At: rows[0].MarkedAt.UTC(), System: rows[0].System, WAL: rows[0].WAL}, true, nil
}

type externalRow struct {
	ExternalID                                              uuid.UUID
	Provider, Identifier, Covers, Evidence, File, ActorName string
	SHA256                                                  string `db:"sha256"`
	TakenAt, RegisteredAt                                   time.Time
	OwnPassed                                               *bool
	OwnFindings                                             []string
	OwnUnproven, OwnBy, AttestedEvidence, AttestedBy        *string
	OwnAt, AttestedAt                                       *time.Time
	OwnMs, AttestedMs                                       *int64
	OwnBackup                                               *uuid.UUID
}

func (r externalRow) external() backup.External {
	x := backup.External{
		ID: r.ExternalID, Provider: r.Provider, Identifier: r.Identifier, TakenAt: r.TakenAt.UTC(), Covers: r.Covers, Evidence: r.Evidence, SHA256: r.SHA256, File: r.File,
		By: r.ActorName, RegisteredAt: r.RegisteredAt.UTC(),
	}
	if r.OwnPassed != nil {
		x.Own = &backup.ExternalDrill{
			Passed: *r.OwnPassed, Findings: r.OwnFindings, Unproven: deref(r.OwnUnproven), RestoredAt: timeOrZero(r.OwnAt), Took: time.Duration(deref(r.OwnMs)) * time.Millisecond,
			By: deref(r.OwnBy), Backup: deref(r.OwnBackup),
		}
	}
	if r.AttestedAt != nil {
		x.Attested = &backup.ExternalDrill{
			Attested: true, Passed: true, RestoredAt: timeOrZero(r.AttestedAt), Took: time.Duration(deref(r.AttestedMs)) * time.Millisecond, Evidence: deref(r.AttestedEvidence), By: deref(r.AttestedBy),
		}
	}
	return x
}

func externalsOf(rows []externalRow) []backup.External {
	list := make([]backup.External, len(rows))
	for i, r := range rows {
		list[i] = r.external()
	}
	return list
}

// Externals are the newest 50 of the actor's tenant, or the one that is named.
func (s Externals) Externals(ctx context.Context, by actor.Actor, id *uuid.UUID) ([]backup.External, error) {
	var rows []externalRow
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("ExternalBackups"), pgx.StrictNamedArgs{"external": id}).Query(collect(&rows))
	})
	return externalsOf(rows), err
}

// AddExternalDrill keeps a drill with its event; where the backup counts from then on, as a backup with its drill, too.
func (s Externals) AddExternalDrill(ctx context.Context, by actor.Actor, id uuid.UUID, d backup.ExternalDrill, counts *backup.Backup, e audit.Event) (added bool, err error) {
	err = s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		if counts != nil {
			if err := addCounting(ctx, tx, by, *counts); err != nil {
				return err
			}
		}
		kind := "own"
		if d.Attested {
			kind = "attested"
		}
		added, err = givesRow(ctx, tx, "AddExternalDrill", pgx.StrictNamedArgs{
			"drill": uuid.New(), "external": id, "kind": kind, "passed": d.Passed, "findings": d.Findings, "unproven": d.Unproven, "restored_at": d.RestoredAt,
			"took_ms": d.Took.Milliseconds(), "evidence": d.Evidence, "backup": idOrNull(d.Backup), "issuer": by.Issuer, "subject": by.Subject, "actor": by.Name,
			"auth_time": orNullTime(by.AuthTime), "origin": string(by.Origin),
		})
		if err != nil || !added {
			return err
		}
		return record(ctx, tx, by, e)
	})
	return added && err == nil, err
}

// addCounting keeps the backup as which an external one counts, and that it was restored.
func addCounting(ctx context.Context, tx pgx.Tx, by actor.Actor, b backup.Backup) error {
	manifest, err := b.Manifest.Text()
	if err != nil {
		return err
	}
	var id uuid.UUID
	err = tx.QueryRow(ctx, sql("AddBackup"), pgx.StrictNamedArgs{
		"tenant": by.Tenant, "backup": b.ID, "name": b.Name, "bytes": b.Bytes, "sha256": b.SHA256, "taken_at": b.Manifest.TakenAt,
		"took_ms": int64(0), "manifest": manifest, "issuer": by.Issuer, "subject": by.Subject, "actor": by.Name, "origin": string(by.Origin),
	}).Scan(&id)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, sql("AddBackupCheck"), pgx.StrictNamedArgs{
		"tenant": by.Tenant, "check": uuid.New(), "backup": b.ID, "kind": string(backup.Drill), "passed": true, "findings": []string{},
		"took_ms": b.Took.Milliseconds(), "issuer": by.Issuer, "subject": by.Subject, "actor": by.Name, "origin": string(by.Origin),
	})
	return err
}

// Record keeps an event alone.
func (s Externals) Record(ctx context.Context, by actor.Actor, e audit.Event) error {
	return Backups(s).Record(ctx, by, e)
}
