package app

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/migrations"
)

// TestANewerSchemaIsTakenAndAnOlderOneRefused is M22: during a roll the program of before meets the tables of after.
func TestANewerSchemaIsTakenAndAnOlderOneRefused(t *testing.T) {
	d := housetest.At(t, "")
	if err := checkConsoleSchema(t.Context(), d.OwnerURL); err != nil {
		t.Fatalf("at its own tables: %v", err)
	}
	// The next release adds a column.
	next := fstest.MapFS{}
	if err := fs.WalkDir(migrations.Console, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrations.Console, name)
		next[name] = &fstest.MapFile{Data: text}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	next["V0.9.0__next.sql"] = &fstest.MapFile{Data: []byte("-- title: Next\n-- risk: low\n-- estimate: 1s\n-- reversible: yes\n-- creates: column gatehouse.runs.next\nALTER TABLE gatehouse.runs ADD COLUMN next text;")}
	next["U0.9.0__next.sql"] = &fstest.MapFile{Data: []byte("ALTER TABLE gatehouse.runs DROP COLUMN next;")}
	m, err := migrator.New(migrator.Set{Name: "console", FS: next, Ledger: migrator.ConsoleLedger}, d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.UpTo(t.Context(), m.Files().Last(), actor.System(actor.CLI, "the next release"), nil); err != nil {
		t.Fatal(err)
	}
	if err := checkConsoleSchema(t.Context(), d.OwnerURL); err != nil {
		t.Errorf("at tables of the next release: %v; want that the program works on", err)
	}
	// Both work: the program of before starts a release and reads it on the tables of after.
	schema, err := migrator.New(migrator.WMS(), d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	housetest.Release(t, d, housetest.Rivermark, schema.Files(), true)
	if _, err := pgtest.Pool(t, d.SuperURL).Exec(t.Context(), `ALTER TABLE gatehouse.console_ledger DISABLE TRIGGER USER; DELETE FROM gatehouse.console_ledger WHERE version = '0.1.36'`); err != nil {
		t.Fatal(err)
	}
	if err := checkConsoleSchema(t.Context(), d.OwnerURL); err == nil || !strings.Contains(err.Error(), "older than this program (0.1.36 is missing)") {
		t.Errorf("at older tables: %v, want a refusal that names what is missing", err)
	}
}
