package migrator_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

var setUp = actor.System(actor.CLI, "set-up")

const card = "-- title: A step\n-- risk: low\n-- estimate: 1s\n-- reversible: yes\n"

// folder is a set of up files with their undo files, by patch version.
func folder(up map[int]string) fstest.MapFS {
	files := fstest.MapFS{}
	for patch, sql := range up {
		files[fmt.Sprintf("V0.0.%d__step.sql", patch)] = &fstest.MapFile{Data: []byte(card + sql)}
		files[fmt.Sprintf("U0.0.%d__step.sql", patch)] = &fstest.MapFile{Data: []byte(fmt.Sprintf("DROP TABLE IF EXISTS public.t%d;", patch))}
	}
	return files
}

func tables(patches ...int) map[int]string {
	up := map[int]string{}
	for _, p := range patches {
		up[p] = fmt.Sprintf("CREATE TABLE public.t%d (id int);\n", p)
	}
	return up
}

func open(t testing.TB, db *pgtest.Database, files fs.FS) *migrator.Migrator {
	t.Helper()
	m, err := migrator.New(migrator.Set{Name: "wms", FS: files, Ledger: migrator.WMSLedger}, db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// upTo brings the database to the highest file.
func upTo(t testing.TB, m *migrator.Migrator) {
	t.Helper()
	if _, err := m.UpTo(t.Context(), m.Files().Last(), setUp, nil); err != nil {
		t.Fatalf("UpTo(%s): %v", m.Files().Last(), err)
	}
}

func step(t testing.TB, m *migrator.Migrator, d migration.Direction, version string) error {
	t.Helper()
	_, err := m.Step(t.Context(), migrator.StepRequest{Version: v(t, version), Direction: d, By: setUp, Log: func(line string) { t.Log(line) }})
	return err
}

func v(t testing.TB, s string) migration.Version {
	t.Helper()
	version, err := migration.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func states(t testing.TB, m *migrator.Migrator) map[string]migration.State {
	t.Helper()
	ladder, err := m.Status(t.Context())
	if err != nil {
		t.Fatalf("Status: %v", err)
	}
	all := map[string]migration.State{}
	for _, r := range ladder.Rungs {
		all[r.Version.String()] = r.State
	}
	return all
}

func one[T any](t testing.TB, url, sql string, args ...any) T {
	t.Helper()
	rows, err := pgtest.Pool(t, url).Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func refusedAs(err error, kind fault.Kind) bool { return fault.Is(err, kind) }

func disagreement(err error) []string {
	var d *migration.Disagreement
	if errors.As(err, &d) {
		return d.Problems
	}
	return nil
}

func empty(t testing.TB) *pgtest.Database {
	t.Helper()
	return housetest.At(t, "")
}
