package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

type fileRow struct {
	Number                int
	FileName              string
	Bytes                 int
	SHA256                string `db:"sha256"`
	Counts, Intact        bool
	Issuer, Subject, Name string
	AddedAt               time.Time
}

func (r fileRow) file() runbook.File {
	return runbook.File{
		Number: r.Number, Name: r.FileName, Bytes: r.Bytes, SHA256: r.SHA256, Counts: r.Counts, Intact: r.Intact,
		By: runbook.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}, AddedAt: r.AddedAt.UTC(),
	}
}

type runFileRow struct {
	ItemID string
	fileRow
}

// Files lists all files of a run in the order of its items, their bytes hashed anew for Intact. A run of another tenant
// has none.
func (r Runbook) Files(ctx context.Context, by actor.Actor, run uuid.UUID) ([]runbook.RunFile, error) {
	var rows []runFileRow
	err := r.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("RunFiles"), pgx.StrictNamedArgs{"run": run}).Query(collect(&rows))
	})
	files := make([]runbook.RunFile, len(rows))
	for i, row := range rows {
		files[i] = runbook.RunFile{Item: runbook.ItemID(row.ItemID), File: row.file()}
	}
	return files, err
}

// WriteFile writes the stored bytes of a file of Files, whatever they are: where they are not Intact, that is what a
// tampered file has become.
func (r Runbook) WriteFile(ctx context.Context, by actor.Actor, run uuid.UUID, file runbook.RunFile, to io.Writer) error {
	for place := 1; ; {
		pieces, err := r.FilePieces(ctx, by, run, file.Item, file.Number, place)
		if err != nil || len(pieces) == 0 {
			return err
		}
		for _, piece := range pieces {
			if _, err := to.Write(piece); err != nil {
				return fmt.Errorf("writing the file %s of %s: %w", file.Name, file.Item, err)
			}
		}
		place += len(pieces)
	}
}

// File reads the newest file of an item with that hash, and hashes its bytes.
func (r Runbook) File(ctx context.Context, by actor.Actor, run uuid.UUID, item runbook.ItemID, sha256 string) (runbook.File, error) {
	var row *fileRow
	err := r.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("ItemFileByHash"), pgx.StrictNamedArgs{"run": run, "item": string(item), "sha256": sha256}).Query(collectMaybe(&row))
	})
	if err != nil {
		return runbook.File{}, err
	}
	if row == nil {
		return runbook.File{}, fault.New(fault.NotFound, "There is no such file here.")
	}
	return row.file(), nil
}

// FilePieces reads a few pieces of a file from a place on.
func (r Runbook) FilePieces(ctx context.Context, by actor.Actor, run uuid.UUID, item runbook.ItemID, file, from int) ([][]byte, error) {
	var pieces [][]byte
	err := r.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("FilePieces"), pgx.StrictNamedArgs{"run": run, "item": string(item), "number": file, "place": from}).
			Query(func(rows pgx.Rows) (err error) {
				pieces, err = pgx.CollectRows(rows, pgx.RowTo[[]byte])
				return err
			})
	})
	return pieces, err
}

func (t runbookTx) Files(ctx context.Context, run uuid.UUID, item runbook.ItemID) ([]runbook.File, error) {
	rows, err := t.tx.Query(ctx, sql("ItemFiles"), pgx.StrictNamedArgs{"run": run, "item": string(item)})
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[fileRow])
	files := make([]runbook.File, len(found))
	for i, row := range found {
		files[i] = row.file()
	}
	return files, err
}

// AddFile stores the pieces one by one and then the row, which the database refuses where the pieces are not what was received.
func (t runbookTx) AddFile(ctx context.Context, run uuid.UUID, item runbook.Item, a runbook.Attachment) (runbook.File, error) {
	f := runbook.File{Name: a.Name, Bytes: a.Bytes, SHA256: a.SHA256, Counts: true, By: runbook.Person{Issuer: t.by.Issuer, Subject: t.by.Subject, Name: t.by.Name}}
	err := t.tx.QueryRow(ctx, sql("NextFileNumber"), pgx.StrictNamedArgs{"run": run, "item": string(item.ID)}).Scan(&f.Number)
	if err != nil {
		return runbook.File{}, err
	}
	for n, piece := range a.Pieces {
		_, err := t.tx.Exec(ctx, sql("AddFilePiece"), pgx.StrictNamedArgs{"run": run, "item": string(item.ID), "number": f.Number, "place": n + 1, "body": piece})
		if err != nil {
			return runbook.File{}, err
		}
	}
	tag, err := t.tx.Exec(ctx, sql("AddFile"), pgx.StrictNamedArgs{
		"run": run, "item": string(item.ID), "number": f.Number, "round": item.Round, "sha256": a.SHA256, "file_name": a.Name, "bytes": a.Bytes,
		"issuer": f.By.Issuer, "subject": f.By.Subject, "name": f.By.Name,
	})
	if err == nil && tag.RowsAffected() != 1 {
		err = errors.New("the pieces of the file are not stored as they were received")
	}
	return f, err
}
