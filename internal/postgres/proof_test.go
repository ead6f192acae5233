package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// TestOnlyFreshProofOpensTheWay takes a release for which everything is proven, and for each case spoils one thing.
func TestOnlyFreshProofOpensTheWay(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps(`CREATE TABLE public.t14 (id int)`, `CREATE TABLE public.t15 (id int)`))
	release := s.release(housetest.Rivermark, true)
	super, err := pgx.Connect(t.Context(), s.d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	defer super.Close(t.Context()) //nolint:errcheck // a test's own connection

	const touch = `UPDATE gatehouse.backups SET manifest = `
	const hashed = `, manifest_sha256 = encode(sha256(convert_to(`
	manifest := func(text string) string { return touch + text + hashed + text + `, 'UTF8')), 'hex')` }
	look := func(kind string, passed bool) string {
		findings := `'{}'`
		if !passed {
			findings = `'{"table public.lots has 3 rows, and had 4"}'`
		}
		return `INSERT INTO gatehouse.backup_checks (tenant_id, check_id, backup_id, kind, passed, findings, took_ms, actor_issuer, actor_subject, actor_name, origin)
			SELECT tenant_id, gen_random_uuid(), backup_id, '` + kind + `', cardinality(` + findings + `::text[]) = 0, ` + findings + `, 1, 'test', 'test', 'Test', 'cli' FROM gatehouse.backups`
	}
	sample := func(passed bool) string {
		return fmt.Sprintf(`INSERT INTO gatehouse.rehearsals (tenant_id, rehearsal_id, passed, verdict, data_kind, sample_rows, whole_rows, data_bytes, server_version, started_at,
				finished_at, actor_issuer, actor_subject, actor_name, actor_roles, origin, report, report_sha256)
			SELECT tenant_id, gen_random_uuid(), %[1]t, verdict, 'sample', 2, 3, 1, server_version, started_at, finished_at, actor_issuer, actor_subject, actor_name, actor_roles,
			       origin, report, report_sha256 FROM gatehouse.rehearsals;
			INSERT INTO gatehouse.rehearsed_files (tenant_id, rehearsal_id, version, position, sha256, passed, up_ms, down_ms)
			SELECT f.tenant_id, s.rehearsal_id, f.version, f.position, f.sha256, %[1]t, 1, 1 FROM gatehouse.rehearsed_files f CROSS JOIN gatehouse.rehearsals s WHERE s.data_kind = 'sample'`, passed)
	}
	// copied is a newer rehearsal, on a copy that somebody made by hand.
	copied := func() string {
		return `INSERT INTO gatehouse.rehearsals (tenant_id, rehearsal_id, passed, verdict, data_kind, data_bytes, server_version, started_at,
				finished_at, actor_issuer, actor_subject, actor_name, actor_roles, origin, report, report_sha256)
			SELECT tenant_id, gen_random_uuid(), true, verdict, 'copy', 1, server_version, started_at, finished_at, actor_issuer, actor_subject, actor_name, actor_roles,
			       origin, report, report_sha256 FROM gatehouse.rehearsals;
			INSERT INTO gatehouse.rehearsed_files (tenant_id, rehearsal_id, version, position, sha256, passed, up_ms, down_ms)
			SELECT f.tenant_id, s.rehearsal_id, f.version, f.position, f.sha256, true, 1, 1 FROM gatehouse.rehearsed_files f CROSS JOIN gatehouse.rehearsals s WHERE s.data_kind = 'copy'`
	}
	// another is a second backup, from so long before, and the rehearsal on it.
	another := func(before string, drilled bool) string {
		text := `INSERT INTO gatehouse.backups (tenant_id, backup_id, name, bytes, sha256, taken_at, took_ms, manifest, manifest_sha256, actor_issuer, actor_subject, actor_name, origin)
			SELECT tenant_id, '00000000-0000-7000-8000-00000000000b', 'other.dump', bytes, sha256, taken_at - interval '` + before + `', took_ms, manifest, manifest_sha256,
			       actor_issuer, actor_subject, actor_name, origin FROM gatehouse.backups;
			UPDATE gatehouse.rehearsals SET backup_id = '00000000-0000-7000-8000-00000000000b'`
		if drilled {
			text += `; INSERT INTO gatehouse.backup_checks (tenant_id, check_id, backup_id, kind, passed, findings, took_ms, actor_issuer, actor_subject, actor_name, origin)
				SELECT tenant_id, gen_random_uuid(), '00000000-0000-7000-8000-00000000000b', 'drill', true, '{}', 1, 'test', 'test', 'Test', 'cli' FROM gatehouse.backup_checks`
		}
		return text
	}
	for what, c := range map[string]struct {
		spoil               string
		backedUp, rehearsed bool
	}{
		"nothing":                      {`SELECT`, true, true},
		"verified since":               {look("verify", true), true, true},
		"older than a day":             {`UPDATE gatehouse.backups SET taken_at = taken_at - interval '1 day'`, false, false},
		"from the future":              {`UPDATE gatehouse.backups SET taken_at = taken_at + interval '1 hour'`, false, false},
		"of another cluster":           {manifest(`jsonb_set(manifest::jsonb, '{system}', '"1"')::text`), false, false},
		"much was written since":       {`CREATE OR REPLACE FUNCTION gatehouse.most_wal_since_backup() RETURNS bigint LANGUAGE sql AS 'SELECT -1::bigint'`, false, false},
		"the log is behind the backup": {manifest(`jsonb_set(manifest::jsonb, '{wal}', to_jsonb((pg_current_wal_lsn() + 1000000)::text))::text`), false, false},
		"never restored":               {`DELETE FROM gatehouse.backup_checks`, false, false},
		"verified, never restored":     {`DELETE FROM gatehouse.backup_checks; ` + look("verify", true), false, false},
		"a later drill failed":         {look("drill", false), false, false},
		"found damaged since":          {look("verify", false), false, false},
		"its file was removed":         {look("prune", true), false, false},
		"the rehearsal failed":         {`UPDATE gatehouse.rehearsals SET passed = false`, true, false},
		"rehearsed on a sample alone":  {`UPDATE gatehouse.rehearsals SET data_kind = 'sample', backup_id = NULL, sample_rows = 2, whole_rows = 3`, true, false},
		"rehearsed on a copy alone":    {`UPDATE gatehouse.rehearsals SET data_kind = 'copy', backup_id = NULL`, true, false},
		"on an older drilled backup":   {another("1 hour", true), true, true},
		"on one that is days older":    {another("2 days", true), true, false},
		"on one that was not drilled":  {another("1 hour", false), true, false},
		"passed on a copy since":       {copied(), true, true},
		"passed on a sample since":     {sample(true), true, true},
		"failed on a sample since":     {sample(false), true, false},
		"of another text of a file":    {`UPDATE gatehouse.rehearsed_files SET sha256 = repeat('0', 64) WHERE version = '0.0.15'`, true, false},
		"rehearsed before the backup":  {`UPDATE gatehouse.rehearsals SET recorded_at = recorded_at - interval '1 hour'`, true, false},
		"the backup is another's":      {`UPDATE gatehouse.backups SET tenant_id = '` + housetest.Saltway.String() + `'`, false, false},
		"no backup, rehearsed":         {`DELETE FROM gatehouse.backup_checks; DELETE FROM gatehouse.backups`, false, false},
	} {
		var backup, rehearsal *uuid.UUID
		err := pgx.BeginFunc(t.Context(), super, func(tx pgx.Tx) error {
			_, err := tx.Conn().PgConn().Exec(t.Context(), `SET LOCAL session_replication_role = replica; `+c.spoil+`;
				SELECT set_config('app.current_tenant_id', '`+housetest.Rivermark.String()+`', true); SET LOCAL ROLE gatehouse_app`).ReadAll()
			if err != nil {
				return err
			}
			if err := tx.QueryRow(t.Context(), `SELECT backup_id, rehearsal_id FROM gatehouse.apply_proof($1)`, release).Scan(&backup, &rehearsal); err != nil {
				return err
			}
			return tx.Rollback(t.Context())
		})
		if err != nil && err.Error() != pgx.ErrTxClosed.Error() {
			t.Fatalf("%s: %v", what, err)
		}
		if (backup != nil) != c.backedUp || (rehearsal != nil) != c.rehearsed {
			t.Errorf("%s: backed up %t, rehearsed %t; want %t, %t", what, backup != nil, rehearsal != nil, c.backedUp, c.rehearsed)
		}
	}
}

// TestAnOpenGateIsNotEnough: the statement that orders a run asks for the proof, whoever asks and through whichever door.
func TestAnOpenGateIsNotEnough(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps(`CREATE TABLE public.t14 (id int)`))
	release := housetest.Release(t, s.d, housetest.Rivermark, s.files, true)
	super, err := pgx.Connect(t.Context(), s.d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	defer super.Close(t.Context()) //nolint:errcheck // a test's own connection
	refused := func(why string) {
		t.Helper()
		if _, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", release)); !fault.Is(err, fault.GateClosed) || !strings.Contains(err.Error(), why) {
			t.Errorf("applying: %v; want a closed gate that says %q", err, why)
		}
		if len(s.queue.refs) != 0 {
			t.Errorf("%d runs were ordered", len(s.queue.refs))
		}
	}
	refused(migration.NoBackup)
	backup, err := housetest.BackUp(t.Context(), super, release)
	if err != nil {
		t.Fatal(err)
	}
	refused(migration.NotRehearsed)
	report := s.rehearsedReport("", "0.0.14")
	if _, err := s.keep(s.devops, report); err != nil {
		t.Fatal(err)
	}
	refused(migration.NotRehearsed) // a copy that somebody made by hand is a copy of nobody knows what
	report.Data = migration.RehearsalData{Kind: "backup", Backup: backup}
	if _, err := s.keep(s.devops, report); err != nil {
		t.Fatal(err)
	}
	s.apply("0.0.14", release)
}
