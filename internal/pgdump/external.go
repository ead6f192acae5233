package pgdump

import (
	"context"
	"io"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/backup"
)

var _ backup.ExternalSource = Source{}

// Holds counts what the database itself holds now.
func (s Source) Holds(ctx context.Context) (backup.Manifest, error) { return s.count(ctx, s.OwnerURL) }

// mostMarks of a dump are looked at, the newest.
const mostMarks = 20

// RestoreMarked restores the file into a scratch database, counts what is there, reads the newest marks and drops it.
func (s Source) RestoreMarked(ctx context.Context, file io.Reader) (m backup.Manifest, marks []uuid.UUID, err error) {
	err = s.OnScratch(ctx, file, func(ctx context.Context, address string) error {
		if m, err = s.count(ctx, address); err != nil {
			return err
		}
		marks, err = marksIn(ctx, address)
		return err
	})
	return m, marks, err
}

// marksIn are the marks of a restored database; none where it is no database of Gatehouse's.
func marksIn(ctx context.Context, address string) ([]uuid.UUID, error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, away(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it was only read
	var there bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass('gatehouse.backup_marks') IS NOT NULL").Scan(&there); err != nil || !there {
		return nil, err
	}
	rows, err := conn.Query(ctx, "SELECT mark_id FROM gatehouse.backup_marks ORDER BY marked_at DESC LIMIT $1", mostMarks)
	if err != nil {
		return nil, away(err)
	}
	marks, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, away(err)
	}
	return marks, nil
}
