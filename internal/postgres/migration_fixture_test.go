package postgres_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// schemaChange is everything that a story about migrations needs: a database, files, the service and the worker.
type schemaChange struct {
	t        *testing.T
	d        *pgtest.Database
	files    *migration.Files
	migrator *migrator.Migrator
	store    postgres.Migrations
	service  *migration.Service
	worker   *migration.Worker
	queue    *queued
	devops   actor.Actor
}

// queued remembers what was enqueued, as part of the transaction that enqueues it.
type queued struct{ refs []migration.Ref }

func (q *queued) EnqueueMigration(_ context.Context, _ pgx.Tx, ref migration.Ref) error {
	q.refs = append(q.refs, ref)
	return nil
}

func changing(t *testing.T, d *pgtest.Database, files fs.FS) *schemaChange {
	t.Helper()
	m, err := migrator.New(migrator.Set{Name: "wms", FS: files, Ledger: migrator.WMSLedger}, d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	s := &schemaChange{t: t, d: d, files: m.Files(), migrator: m, queue: &queued{}, devops: housetest.Person(housetest.Rivermark, "dora", actor.DevOpsLead)}
	s.store = postgres.Migrations{DB: housetest.Open(t, d), Jobs: s.queue}
	s.service = migration.NewService(s.store, m.Files(), time.Now)
	s.worker = migration.NewWorker(s.store, m, m.Files(), slog.New(slog.DiscardHandler))
	return s
}

const planCard = "-- title: A step\n-- risk: low\n-- estimate: 1s\n-- reversible: yes\n"

// steps are files V0.0.14 and on, each with the SQL given and an undo file that drops table tN.
func steps(sql ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i, text := range sql {
		n := 14 + i
		files[fmt.Sprintf("V0.0.%d__step.sql", n)] = &fstest.MapFile{Data: []byte(fmt.Sprintf("%s-- creates: table public.t%d\n%s", planCard, n, text))}
		files[fmt.Sprintf("U0.0.%d__step.sql", n)] = &fstest.MapFile{Data: []byte(fmt.Sprintf("DROP TABLE public.t%d;", n))}
	}
	return files
}

// outsideTransaction makes every up file one that runs without a transaction.
func outsideTransaction(files fstest.MapFS) fstest.MapFS {
	for name, file := range files {
		if name[0] == 'V' {
			file.Data = append([]byte("-- migrate:no-transaction\n"), file.Data...)
		}
	}
	return files
}

// release is housetest's, of every file; signed, everything is proven for it too.
func (s *schemaChange) release(tenant uuid.UUID, signed bool) uuid.UUID {
	s.t.Helper()
	if signed {
		return housetest.ReadyRelease(s.t, s.d, tenant, s.files)
	}
	return housetest.Release(s.t, s.d, tenant, s.files, false)
}

func (s *schemaChange) request(version string, release uuid.UUID) migration.ApplyRequest {
	s.t.Helper()
	v, err := migration.ParseVersion(version)
	if err != nil {
		s.t.Fatal(err)
	}
	f, _ := s.files.Up(v)
	return migration.ApplyRequest{Version: v, SHA256: f.SHA256, Release: release, Key: uuid.New()}
}

// apply presses the button and lets the worker work.
func (s *schemaChange) apply(version string, release uuid.UUID) migration.Run {
	s.t.Helper()
	run, err := s.service.Apply(s.t.Context(), s.devops, s.request(version, release))
	if err != nil {
		s.t.Fatalf("Apply(%s): %v", version, err)
	}
	if err := s.worker.Work(s.t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}); err != nil {
		s.t.Fatalf("Work(%s): %v", version, err)
	}
	return s.see(run.ID).Run
}

func (s *schemaChange) see(id migration.RunID) migration.Sighting {
	s.t.Helper()
	one, err := s.service.Run(s.t.Context(), s.devops, id)
	if err != nil {
		s.t.Fatalf("Run(%s): %v", id, err)
	}
	return one
}

func (s *schemaChange) states(by actor.Actor) map[string]migration.State {
	s.t.Helper()
	o, err := s.service.Ladder(s.t.Context(), by, 0)
	if err != nil {
		s.t.Fatalf("Ladder: %v", err)
	}
	all := map[string]migration.State{}
	for _, r := range o.Ladder.Rungs {
		all[r.Version.String()] = r.State
	}
	return all
}

func (s *schemaChange) super(sql string, args ...any) {
	s.t.Helper()
	if _, err := pgtest.Pool(s.t, s.d.SuperURL).Exec(s.t.Context(), sql, args...); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}
