package housetest

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// ReadyRelease is a signed Release for which everything is proven: its files may be applied.
func ReadyRelease(t testing.TB, d *pgtest.Database, tenant uuid.UUID, files *migration.Files) uuid.UUID {
	t.Helper()
	id := Release(t, d, tenant, files, true)
	conn, err := pgx.Connect(t.Context(), d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // a test's own connection
	if err := Prove(t.Context(), conn, id); err != nil {
		t.Fatalf("proving a release: %v", err)
	}
	return id
}

// step is a statement with its arguments.
type step struct {
	sql  string
	args []any
}

func run(ctx context.Context, conn *pgx.Conn, steps []step) error {
	for _, s := range steps {
		if _, err := conn.Exec(ctx, s.sql, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// Prove writes what a backup, its drill and a rehearsal of everything that a release plans leave, without doing them: for
// stories about what comes after. conn sees all tenants.
func Prove(ctx context.Context, conn *pgx.Conn, release uuid.UUID) error {
	backup, err := BackUp(ctx, conn, release)
	if err != nil {
		return err
	}
	rehearsal := uuid.New()
	report, hash, err := migration.NewRehearsalReport(migration.RehearsalData{Kind: "backup", Backup: backup}).Canonical()
	if err != nil {
		return err
	}
	return run(ctx, conn, []step{
		{`INSERT INTO gatehouse.rehearsals (tenant_id, rehearsal_id, passed, verdict, data_kind, backup_id, data_bytes, server_version, started_at, finished_at,
		      actor_issuer, actor_subject, actor_name, actor_roles, origin, report, report_sha256)
		  SELECT tenant_id, $2, true, 'It passed.', 'backup', $3, 1, '15', clock_timestamp(), clock_timestamp(),
		         'test', 'test', 'Test', '', 'cli', $4, $5 FROM gatehouse.runs WHERE run_id = $1`, []any{release, rehearsal, backup, report, hash}},
		{`INSERT INTO gatehouse.rehearsed_files (tenant_id, rehearsal_id, version, position, sha256, passed, up_ms, down_ms)
		  SELECT tenant_id, $2, version, position, sha256, true, 1, 1 FROM gatehouse.run_migrations WHERE run_id = $1`, []any{release, rehearsal}},
	})
}

// BackUp writes what a backup for the tenant of a release, and its drill, leave.
func BackUp(ctx context.Context, conn *pgx.Conn, release uuid.UUID) (uuid.UUID, error) {
	backup := uuid.New()
	return backup, run(ctx, conn, []step{
		{`INSERT INTO gatehouse.backups (tenant_id, backup_id, name, bytes, sha256, taken_at, took_ms, manifest, manifest_sha256,
		      actor_issuer, actor_subject, actor_name, origin)
		  SELECT r.tenant_id, $2, 'test.dump', 1, repeat('0', 64), clock_timestamp(), 1, m.text, encode(sha256(convert_to(m.text, 'UTF8')), 'hex'),
		         'test', 'test', 'Test', 'cli'
		    FROM gatehouse.runs r,
		         (SELECT json_build_object('wal', pg_current_wal_lsn(), 'system', system_identifier::text)::text AS text FROM pg_control_system()) m
		   WHERE r.run_id = $1`, []any{release, backup}},
		{`INSERT INTO gatehouse.backup_checks (tenant_id, check_id, backup_id, kind, passed, findings, took_ms, actor_issuer, actor_subject, actor_name, origin)
		  SELECT tenant_id, gen_random_uuid(), backup_id, 'drill', true, '{}', 1, 'test', 'test', 'Test', 'cli' FROM gatehouse.backups WHERE backup_id = $1`, []any{backup}},
	})
}
