package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// rehearsedReport is a report as a rehearsal of these files gives it; broken names the version that failed.
func (s *schemaChange) rehearsedReport(broken string, versions ...string) migration.RehearsalReport {
	s.t.Helper()
	r := migration.NewRehearsalReport(migration.RehearsalData{Kind: migration.OnCopy, Bytes: 8_000_000})
	r.Server, r.StartedAt = "15.0", time.Now().UTC()
	r.FinishedAt = r.StartedAt.Add(time.Second)
	for _, text := range versions {
		v, err := migration.ParseVersion(text)
		if err != nil {
			s.t.Fatal(err)
		}
		file, _ := s.files.Up(v)
		one := migration.RehearsedVersion{Version: text, SHA256: file.SHA256, Passes: []migration.RehearsedPass{
			{Direction: migration.Up, Took: 1200 * time.Millisecond}, {Direction: migration.Down, Took: 300 * time.Millisecond}, {Direction: migration.Up, Took: time.Second},
		}}
		if text == broken {
			one.Passes = one.Passes[:1]
			one.Passes[0].Error = "it failed"
		}
		r.Planned, r.Versions = append(r.Planned, text), append(r.Versions, one)
	}
	return r
}

func (s *schemaChange) keep(by actor.Actor, r migration.RehearsalReport) (migration.Rehearsal, error) {
	return migration.NewRehearsals(postgres.Rehearsals{DB: s.store.DB}).Hold(s.t.Context(), by, func(context.Context) (migration.RehearsalReport, error) { return r, nil })
}

func (s *schemaChange) speaksFor(tenant, release uuid.UUID) (id *uuid.UUID) {
	s.t.Helper()
	tx, err := pgtest.Pool(s.t, s.d.AppURL).Begin(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	defer tx.Rollback(s.t.Context()) //nolint:errcheck // nothing was written
	var b pgx.Batch
	b.Queue(`SELECT set_config('app.current_tenant_id', $1, true)`, tenant.String())
	b.Queue(`SELECT gatehouse.rehearsal_passed($1)`, release).QueryRow(func(row pgx.Row) error { return row.Scan(&id) })
	if err := tx.SendBatch(s.t.Context(), &b).Close(); err != nil {
		s.t.Fatal(err)
	}
	return id
}

func TestARehearsalSpeaksForExactlyTheFilesItRan(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);", "CREATE TABLE public.t15 (id int);"))
	release := housetest.Release(t, s.d, housetest.Rivermark, s.files, true)
	super, err := pgx.Connect(t.Context(), s.d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	defer super.Close(t.Context()) //nolint:errcheck // a test's own connection
	backup, err := housetest.BackUp(t.Context(), super, release)
	if err != nil {
		t.Fatal(err)
	}
	onBackup := func(broken string, versions ...string) migration.RehearsalReport {
		r := s.rehearsedReport(broken, versions...)
		r.Data = migration.RehearsalData{Kind: "backup", Backup: backup, Bytes: 8_000_000}
		return r
	}
	// leaves writes what a restore, or another way of coming and going, leaves in the ledger of V0.0.14.
	leaves := func(direction string) {
		t.Helper()
		if _, err := super.Exec(t.Context(), `INSERT INTO gatehouse.migration_ledger (version, version_number, description, script, direction, success, sha256, sha256_tokens, tenant_id,
			    actor_issuer, actor_subject, actor_name, actor_roles, origin, started_at, finished_at, duration_ms, server_version)
			SELECT version, version_number, description, script, $1, true, sha256, sha256_tokens, tenant_id, actor_issuer, actor_subject, actor_name, actor_roles, origin,
			       clock_timestamp(), clock_timestamp(), 1, server_version FROM gatehouse.migration_ledger WHERE version = '0.0.14' ORDER BY ledger_id LIMIT 1`, direction); err != nil {
			t.Fatal(err)
		}
	}
	wants := func(what string, want *uuid.UUID) {
		t.Helper()
		if diff := cmp.Diff(want, s.speaksFor(housetest.Rivermark, release)); diff != "" {
			t.Errorf("%s: rehearsal_passed (-want +got):\n%s", what, diff)
		}
	}
	wants("without a rehearsal", nil)
	if _, err := s.keep(s.devops, onBackup("", "0.0.14")); err != nil {
		t.Fatal(err)
	}
	wants("with one of two files rehearsed", nil)
	other := onBackup("", "0.0.14", "0.0.15")
	other.Versions[1].SHA256 = strings.Repeat("a", 64)
	if _, err := s.keep(s.devops, other); err != nil {
		t.Fatal(err)
	}
	wants("with another text of V0.0.15 rehearsed", nil)
	whole, err := s.keep(s.devops, onBackup("", "0.0.14", "0.0.15"))
	if err != nil {
		t.Fatal(err)
	}
	wants("with both rehearsed", &whole.ID)
	if got := s.speaksFor(housetest.Saltway, release); got != nil {
		t.Errorf("another tenant sees rehearsal %s", got)
	}
	s.apply("0.0.14", release)
	wants("after the first was applied", &whole.ID)
	rest, err := s.keep(s.devops, onBackup("", "0.0.15"))
	if err != nil {
		t.Fatal(err)
	}
	wants("with the rest rehearsed, the first being in the database", &rest.ID)
	leaves("restore")
	wants("with the first restored away since", &whole.ID)
	again, err := s.keep(s.devops, onBackup("", "0.0.15"))
	if err != nil {
		t.Fatal(err)
	}
	wants("with the rest rehearsed once more, where the first is not in the database", &whole.ID)
	leaves("baseline")
	wants("with the first in the database again, which it was not when the rest was rehearsed last", &rest.ID)
	if again, err = s.keep(s.devops, onBackup("", "0.0.15")); err != nil {
		t.Fatal(err)
	}
	wants("with the rest rehearsed since", &again.ID)
	if _, err := s.keep(s.devops, onBackup("0.0.15", "0.0.15")); err != nil {
		t.Fatal(err)
	}
	wants("after a later one of the same text failed", nil)
}

func TestARehearsalIsKeptAsItWasAndByTheOperatorAlone(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);"))
	report := s.rehearsedReport("", "0.0.14")
	kept, err := s.keep(s.devops, report)
	if err != nil {
		t.Fatal(err)
	}
	stories := migration.NewRehearsals(postgres.Rehearsals{DB: s.store.DB})
	shown, err := stories.Show(t.Context(), s.devops, kept.ID)
	if err != nil {
		t.Fatalf("Show: %v", err)
	}
	if diff := cmp.Diff(report, shown.Report); diff != "" {
		t.Errorf("the report came back changed (-kept +shown):\n%s", diff)
	}
	stranger := housetest.Person(housetest.Saltway, "sven", actor.DevOpsLead)
	if _, err := stories.Show(t.Context(), stranger, kept.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant's person sees it: %v", err)
	}
	for who, by := range map[string]actor.Actor{
		"another tenant": stranger, "a viewer": housetest.Person(housetest.Rivermark, "vera", actor.Viewer),
		"another tenant that says it operates": func() actor.Actor { a := stranger; a.Operator = true; return a }(),
	} {
		if _, err := s.keep(by, report); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s keeps a rehearsal: %v", who, err)
		}
	}
	for _, change := range []string{"UPDATE gatehouse.rehearsals SET passed = false", "DELETE FROM gatehouse.rehearsed_files", "TRUNCATE gatehouse.rehearsals CASCADE"} {
		if _, err := pgtest.Pool(t, s.d.OwnerURL).Exec(t.Context(), change); err == nil {
			t.Errorf("%s went through", change)
		}
	}
	overview, err := s.service.Ladder(t.Context(), s.devops, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := overview.Ladder.Rungs[0].Rehearsed; got.Up != 1200*time.Millisecond || !got.Passed || got.Rehearsal != kept.ID {
		t.Errorf("the ladder shows %+v of the rehearsal", got)
	}
}
