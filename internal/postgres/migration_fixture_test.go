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

// release is an active release of a tenant that plans every file, with a go / no-go gate of one slot; signed by the
// devops lead where it shall be open.
func (s *schemaChange) release(tenant uuid.UUID, signed bool) uuid.UUID {
	s.t.Helper()
	id := uuid.New()
	conn, err := pgx.Connect(s.t.Context(), s.d.SuperURL)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(s.t.Context()) //nolint:errcheck // a test's own connection
	exec := func(sql string, args ...any) {
		s.t.Helper()
		if _, err := conn.Exec(s.t.Context(), sql, args...); err != nil {
			s.t.Fatalf("making a release: %s: %v", sql, err)
		}
	}
	exec(`SELECT set_config('app.current_tenant_id', $1, false)`, tenant.String())
	exec(`INSERT INTO gatehouse.runs (tenant_id, run_id, environment, code, title, t0, time_zone, template_name, template_version, template_sha256,
	          template, started_by_issuer, started_by_subject, started_by_name, items_total)
	      VALUES ($1, $2, 'test', 'REL-1', 'A release', now(), 'UTC', 'test', '1', encode(sha256('{}'), 'hex'), '{}', 'https://id.test', 'otto', 'otto', 0)`, tenant, id)
	exec(`INSERT INTO gatehouse.run_gates (tenant_id, run_id, gate, position, name, judges, after_phase, offset_seconds, after_migrations)
	      VALUES ($1, $2, 'go_no_go', 1, 'Go / no-go', 'the migrations', 'a', 0, false)`, tenant, id)
	exec(`INSERT INTO gatehouse.run_gate_slots (tenant_id, run_id, gate, slot, position, role, required, signs_last, asks_score, meanings, statement)
	      VALUES ($1, $2, 'go_no_go', 'qa', 1, 'qa_lead', true, false, false, '{approved}', 'Go.')`, tenant, id)
	for i, v := range s.files.Versions() {
		f, _ := s.files.Up(v)
		exec(`INSERT INTO gatehouse.run_migrations (tenant_id, run_id, version, position, title, sha256) VALUES ($1, $2, $3, $4, $5, $6)`,
			tenant, id, v.String(), i+1, f.Card.Title, f.SHA256)
	}
	if signed {
		exec(`INSERT INTO gatehouse.signatures (tenant_id, signature_id, run_id, gate, slot, attempt, role, meaning, statement, note, content, content_sha256,
		          issuer, subject, name, auth_time, acr, origin, ip, session, signed_at, idempotency_key)
		      VALUES ($1, gen_random_uuid(), $2, 'go_no_go', 'qa', 1, 'qa_lead', 'approved', 'Go.', '', gatehouse.gate_content($2, 'go_no_go')::text,
		          gatehouse.gate_content_sha256($2, 'go_no_go'), 'https://id.test', 'quinn', 'quinn', now(), '', 'web', '', '', now(), gen_random_uuid())`, tenant, id)
	}
	return id
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
