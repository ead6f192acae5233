package postgres_test

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/pgdump"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// fullDisk is a place where nothing can be written to its end.
type fullDisk struct{ backup.Folder }

type fullFile struct{ backup.File }

func (f fullDisk) Create(ctx context.Context, name string) (backup.File, error) {
	file, err := f.Folder.Create(ctx, name)
	return fullFile{file}, err
}

func (fullFile) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

var _ io.Writer = fullFile{}

// save counts and saves what the undo of a version would lose, as the worker does.
func (s *schemaChange) save(version string, place backup.Place) (migration.Saved, error) {
	s.t.Helper()
	v := must(migration.ParseVersion(version))
	down, _ := s.files.Down(v)
	losses, unread := migration.Losses(down)
	if len(unread) > 0 {
		s.t.Fatalf("not readable: %v", unread)
	}
	parts := make([]backup.Part, len(losses))
	for i, l := range losses {
		parts[i] = backup.Part{Table: l.Table, Column: l.Column, To: l.To, Where: l.Where}
	}
	kept, err := pgdump.Source{OwnerURL: s.d.OwnerURL}.Save(s.t.Context(), place, "undo", parts, func(string) {})
	if err != nil {
		return migration.Saved{}, err
	}
	operations := postgres.Operations{DB: s.store.DB}
	ordered, err := operation.NewService(operations).Ask(s.t.Context(), s.devops, operation.Losses, v.Title(), "", uuid.New())
	if err != nil {
		s.t.Fatal(err)
	}
	saved := migration.Saved{ID: uuid.New(), Operation: ordered.ID, Version: v, UndoSHA256: down.SHA256, TakenAt: kept.TakenAt, OldestXID: kept.OldestXID, NextXID: kept.NextXID}
	for i, p := range kept.Parts {
		losses[i].Rows, losses[i].AtLeast, losses[i].Recent, losses[i].RecentSum = p.Rows, p.AtLeast, p.Recent, p.RecentSum
	}
	saved.Losses = losses
	for _, f := range kept.Files {
		saved.Files = append(saved.Files, migration.SavedFile{Name: f.Name, Holds: f.Holds, Bytes: f.Bytes, SHA256: f.SHA256})
	}
	if err := (postgres.Losses{DB: s.store.DB}).Add(s.t.Context(), s.devops, saved); err != nil {
		s.t.Fatal(err)
	}
	s.super("UPDATE gatehouse.operations SET state = 'running', started_at = now() WHERE operation_id = $1", ordered.ID)
	s.super("UPDATE gatehouse.operations SET state = 'succeeded', finished_at = now() WHERE operation_id = $1", ordered.ID)
	return saved, nil
}

// counted is a saving that found so many rows and values.
func (s *schemaChange) counted(version string, want int64) uuid.UUID {
	s.t.Helper()
	saved, err := s.save(version, backup.Folder{Dir: s.t.TempDir()})
	if err != nil {
		s.t.Fatal(err)
	}
	if n, _ := saved.Lost(); n != want {
		s.t.Fatalf("%s would lose %d, want %d", version, n, want)
	}
	return saved.ID
}

func (s *schemaChange) down(version string, release, loss uuid.UUID) (migration.Run, error) {
	s.t.Helper()
	v := must(migration.ParseVersion(version))
	undo, _ := s.files.Down(v)
	run, err := s.service.Down(s.t.Context(), s.devops, migration.DownRequest{
		Version: v, SHA256: undo.SHA256, Release: release, Loss: loss, Confirm: v.Title(), Reason: "a test", Key: uuid.New(),
	})
	if err != nil {
		return run, err
	}
	if err := s.worker.Work(s.t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}); err != nil {
		s.t.Fatal(err)
	}
	return s.see(run.ID).Run, nil
}

func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
