package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/backup"
)

// Backups is backup.Store.
type Backups struct{ DB *DB }

var _ backup.Store = Backups{}

// Add keeps a backup and the event, in one transaction.
func (s Backups) Add(ctx context.Context, by actor.Actor, b backup.Backup, e audit.Event) (added bool, err error) {
	manifest, err := b.Manifest.Text()
	if err != nil {
		return false, err
	}
	err = s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		var id uuid.UUID
		err := tx.QueryRow(ctx, sql("AddBackup"), pgx.StrictNamedArgs{
			"tenant": by.Tenant, "backup": b.ID, "name": b.Name, "bytes": b.Bytes, "sha256": b.SHA256, "taken_at": b.Manifest.TakenAt,
			"took_ms": b.Took.Milliseconds(), "manifest": manifest, "issuer": by.Issuer, "subject": by.Subject, "actor": by.Name, "origin": string(by.Origin),
		}).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		added = true
		return record(ctx, tx, by, e)
	})
	return added && err == nil, err
}

// AddCheck keeps a look at a backup and the event, in one transaction.
func (s Backups) AddCheck(ctx context.Context, by actor.Actor, id uuid.UUID, c backup.Check, e audit.Event) error {
	return s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql("AddBackupCheck"), pgx.StrictNamedArgs{
			"tenant": by.Tenant, "check": uuid.New(), "backup": id, "kind": string(c.Kind), "passed": c.Passed, "findings": c.Findings,
			"took_ms": c.Took.Milliseconds(), "issuer": by.Issuer, "subject": by.Subject, "actor": by.Name, "origin": string(by.Origin),
		})
		if err != nil {
			return err
		}
		return record(ctx, tx, by, e)
	})
}

// Record keeps an event alone.
func (s Backups) Record(ctx context.Context, by actor.Actor, e audit.Event) error {
	return s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error { return record(ctx, tx, by, e) })
}

type backupRow struct {
	BackupID       uuid.UUID
	Name           string
	Bytes          int64
	SHA256         string `db:"sha256"`
	TakenAt        time.Time
	TookMs         int64
	Manifest       string
	ActorName      string
	Verified       *bool
	VerifiedAt     *time.Time
	VerifyFindings []string
	Drilled        *bool
	DrilledAt      *time.Time
	DrillFindings  []string
	DrillMs        *int64
	PrunedAt       *time.Time
	KeptUntil      *time.Time
}

func (r backupRow) backup() (backup.Backup, error) {
	b := backup.Backup{ID: r.BackupID, Name: r.Name, Bytes: r.Bytes, SHA256: r.SHA256, Took: time.Duration(r.TookMs) * time.Millisecond, By: r.ActorName}
	if err := json.Unmarshal([]byte(r.Manifest), &b.Manifest); err != nil {
		return b, fmt.Errorf("reading the manifest of backup %s: %w", r.BackupID, err)
	}
	if r.Verified != nil && r.VerifiedAt != nil {
		b.Verified = &backup.Check{Kind: backup.Verify, Passed: *r.Verified, At: r.VerifiedAt.UTC(), Findings: r.VerifyFindings}
	}
	if r.Drilled != nil && r.DrilledAt != nil && r.DrillMs != nil {
		b.Drilled = &backup.Check{
			Kind: backup.Drill, Passed: *r.Drilled, At: r.DrilledAt.UTC(), Findings: r.DrillFindings, Took: time.Duration(*r.DrillMs) * time.Millisecond,
		}
	}
	b.Removed, b.KeptUntil = timeOrZero(r.PrunedAt), timeOrZero(r.KeptUntil)
	return b, nil
}

// Prunable are the oldest 200 backups whose files may go.
func (s Backups) Prunable(ctx context.Context, by actor.Actor, keep time.Duration) ([]backup.Named, error) {
	var rows []struct {
		BackupID uuid.UUID
		Name     string
	}
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("PrunableBackups"), pgx.StrictNamedArgs{"keep": keep}).Query(collect(&rows))
	})
	list := make([]backup.Named, len(rows))
	for i, row := range rows {
		list[i] = backup.Named{ID: row.BackupID, Name: row.Name}
	}
	return list, err
}

// List is the newest 50 backups of the actor's tenant, or the one that is named.
func (s Backups) List(ctx context.Context, by actor.Actor, id *uuid.UUID) ([]backup.Backup, error) {
	var rows []backupRow
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("ListBackups"), pgx.StrictNamedArgs{"backup": id}).Query(collect(&rows))
	})
	if err != nil {
		return nil, err
	}
	return backupsOf(rows)
}

func backupsOf(rows []backupRow) (list []backup.Backup, err error) {
	list = make([]backup.Backup, len(rows))
	for i, row := range rows {
		if list[i], err = row.backup(); err != nil {
			return nil, err
		}
	}
	return list, nil
}
