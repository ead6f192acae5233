package housetest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// Release is an active release of a tenant that plans every file, with a go / no-go gate of one slot; signed where it shall
// be open.
func Release(t testing.TB, d *pgtest.Database, tenant uuid.UUID, files *migration.Files, signed bool) uuid.UUID {
	t.Helper()
	id := uuid.New()
	conn, err := pgx.Connect(t.Context(), d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // a test's own connection
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
			t.Fatalf("making a release: %s: %v", sql, err)
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
	for i, v := range files.Versions() {
		f, _ := files.Up(v)
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
