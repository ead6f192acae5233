package migrator_test

import (
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
)

// M18: what a file hides from the reader of its statements runs as a role that reaches nothing but the schema, and an owner
// that reaches more is refused before a file is run.
func TestAHiddenProgramIsNotRun(t *testing.T) {
	t.Parallel()
	db := empty(t)
	hidden := folder(map[int]string{14: "CREATE TABLE public.t14 (id int);\nDO $$ BEGIN EXECUTE 'COPY public.t14 FROM PRO' || 'GRAM ''echo 1'''; END $$;\n"})
	err := step(t, open(t, db, hidden), migration.Up, "0.0.14")
	if err == nil || !strings.Contains(err.Error(), "42501") || one[bool](t, db.SuperURL, "SELECT to_regclass('public.t14') IS NOT NULL") {
		t.Errorf("a hidden COPY FROM PROGRAM: %v; want permission denied, and nothing left", err)
	}

	as, err := migrator.New(migrator.Set{Name: "wms", FS: hidden, Ledger: migrator.WMSLedger}, db.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	if err := step(t, as, migration.Up, "0.0.14"); !refusedAs(err, fault.Conflict) || !strings.Contains(err.Error(), "is a superuser") {
		t.Errorf("a step as a superuser: %v; want a refusal", err)
	}
	if err := as.CheckRole(t.Context()); !refusedAs(err, fault.Conflict) {
		t.Errorf("what doctor says of a superuser: %v; want a refusal", err)
	}
	if err := open(t, db, hidden).CheckRole(t.Context()); err != nil {
		t.Errorf("what doctor says of gatehouse_owner: %v", err)
	}
}
