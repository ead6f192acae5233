package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// inEveryState is a ledger in which every version of the warehouse stands differently, and an index that is not valid.
func inEveryState(t *testing.T) operator {
	t.Helper()
	o := atAShell(t, "")
	m, err := migrator.New(migrator.WMS(), o.d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	super := pgtest.Pool(t, o.d.SuperURL)
	record := func(version, direction string, success, changed bool) {
		t.Helper()
		v, err := migration.ParseVersion(version)
		if err != nil {
			t.Fatal(err)
		}
		file, _ := m.Files().Up(v)
		if changed {
			file.SHA256, file.TokensSHA256 = strings.Repeat("a", 64), strings.Repeat("b", 64)
		}
		_, err = super.Exec(t.Context(), `
			INSERT INTO gatehouse.migration_ledger (version, version_number, description, script, direction, success, sha256, sha256_tokens, tenant_id,
			    actor_issuer, actor_subject, actor_name, actor_roles, origin, started_at, finished_at, duration_ms, server_version, error)
			VALUES ($1, $2, 'a step', 'V' || $1 || '__step.sql', $3, $4, $5, $6, '00000000-0000-0000-0000-000000000000',
			    'test', 'test', 'test', '', 'cli', now(), now(), 1, '15', CASE WHEN $4 THEN NULL ELSE 'no' END)`,
			version, int64(v), direction, success, file.SHA256, file.TokensSHA256)
		if err != nil {
			t.Fatal(err)
		}
	}
	record("0.0.14", "up", true, false)
	record("0.0.16", "up", true, true)
	record("0.0.17", "up", true, false)
	record("0.0.18", "up", false, false)
	record("0.0.20", "up", true, false)
	record("0.0.20", "down", true, false)
	halfway, _ := migration.ParseVersion("0.0.21")
	for _, sql := range []string{
		`CREATE TABLE public.lots (id int)`, `CREATE INDEX lots_id ON public.lots (id)`,
		`ALTER TABLE public.lots OWNER TO gatehouse_owner`,
		`UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.lots_id'::regclass`,
	} {
		if _, err := super.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	_, err = super.Exec(t.Context(), `INSERT INTO gatehouse.migration_state (set_name, version, dirty) VALUES ('wms', $1, true)
		ON CONFLICT (set_name) DO UPDATE SET version = excluded.version, dirty = true`, int64(halfway))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// M1 of the features: every state stands in the JSON, beside what golang-migrate believes.
func TestStatusShowsEveryState(t *testing.T) {
	o := inEveryState(t)
	out, err := o.run("migrate", "status", "--json")
	if got := exitCode(err); got != exitDisagree {
		t.Errorf("exit code %d, want %d: files and database disagree", got, exitDisagree)
	}
	var document struct {
		Migrations []struct {
			Version, State, Rename string
			Difference             *migration.TextDiff
		}
		Invalid []string `json:"invalid_indexes"`
		Engine  struct {
			Version string
			Dirty   bool
		} `json:"golang_migrate"`
	}
	if err := json.Unmarshal([]byte(out), &document); err != nil {
		t.Fatalf("status --json: %v\n%s", err, out)
	}
	got := map[string]string{}
	for _, m := range document.Migrations {
		got[m.Version] = m.State
		if late := m.State == "out_of_order"; late != strings.Contains(m.Rename, "git mv V0.0.15__bin_utilization_tracking.sql V0.0.23__bin_utilization_tracking.sql") {
			t.Errorf("%s is %s, and to rename it %q is said", m.Version, m.State, m.Rename)
		}
		if changed := m.State == "changed"; changed != (m.Difference != nil) {
			t.Errorf("%s is %s, and its difference is %+v", m.Version, m.State, m.Difference)
		}
	}
	want := map[string]string{
		"0.0.14": "applied", "0.0.15": "out_of_order", "0.0.16": "changed", "0.0.17": "missing_file",
		"0.0.18": "failed", "0.0.20": "undone", "0.0.21": "dirty", "0.0.22": "blocked",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"public.lots_id"}, document.Invalid); diff != "" {
		t.Errorf("invalid indexes (-want +got):\n%s", diff)
	}
	if document.Engine.Version != "0.0.21" || !document.Engine.Dirty {
		t.Errorf("golang-migrate believes %s, dirty %t; want 0.0.21, dirty", document.Engine.Version, document.Engine.Dirty)
	}
	if said, _ := o.run("migrate", "status"); !strings.Contains(said, "before Gatehouse kept the texts of files") {
		t.Errorf("of a changed file whose text was not kept, status says:\n%s", said)
	}
}
