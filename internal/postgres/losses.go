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
	"github.com/agogsaas/gatehouse/internal/migration"
)

// Losses keeps what an undo would lose.
type Losses struct{ DB *DB }

type lossRow struct {
	LossID, OperationID uuid.UUID
	VersionNumber       int64
	UndoSHA256          string `db:"undo_sha256"`
	TakenAt             time.Time
	OldestXid, NextXid  int64
	Items, Files        string
}

func (r lossRow) saved() (migration.Saved, error) {
	s := migration.Saved{
		ID: r.LossID, Operation: r.OperationID, Version: migration.Version(r.VersionNumber), UndoSHA256: r.UndoSHA256, TakenAt: r.TakenAt.UTC(), OldestXID: r.OldestXid, NextXID: r.NextXid,
	}
	if err := errors.Join(json.Unmarshal([]byte(r.Items), &s.Losses), json.Unmarshal([]byte(r.Files), &s.Files)); err != nil {
		return s, fmt.Errorf("reading what an undo would lose: %w", err)
	}
	return s, nil
}

// Add keeps a saving in the tenant of whoever ordered it, with its event.
func (l Losses) Add(ctx context.Context, by actor.Actor, s migration.Saved) error {
	items, err := json.Marshal(s.Losses)
	if err != nil {
		return fmt.Errorf("encoding what an undo would lose: %w", err)
	}
	files, err := json.Marshal(s.Files)
	if err != nil {
		return fmt.Errorf("encoding where it was saved: %w", err)
	}
	lost, _ := s.Lost()
	return l.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql("AddLosses"), pgx.StrictNamedArgs{
			"loss": s.ID, "operation": s.Operation, "version": int64(s.Version), "undo_sha256": s.UndoSHA256, "taken_at": s.TakenAt,
			"oldest_xid": s.OldestXID, "next_xid": s.NextXID, "lost": lost, "items": string(items), "files": string(files), "file_count": len(s.Files),
		})
		if err != nil {
			return err
		}
		return record(ctx, tx, by, audit.Event{
			Action: "migration:save_losses", ObjectKind: "migration", ObjectID: s.Version.String(),
			After: map[string]any{"loss": s.ID, "lost": lost, "files": s.Files, "undo_sha256": s.UndoSHA256},
		})
	})
}

// Saved is one saving of the actor's tenant.
func (l Losses) Saved(ctx context.Context, by actor.Actor, id uuid.UUID) (migration.Saved, error) {
	var row lossRow
	err := l.DB.page(ctx, by, func(b *pgx.Batch) { b.Queue(sql("Losses"), pgx.StrictNamedArgs{"loss": id}).Query(collectOne(&row)) })
	if err != nil {
		return migration.Saved{}, err
	}
	return row.saved()
}
