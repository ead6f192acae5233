package migrator_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
)

const expectedFolder = "../../migrations/wms/expected"

// TestExpectedIsWhatTheFilesLeave brings a real database up version by version and reads it. UPDATE=1 (`make expected`)
// writes down what it finds.
func TestExpectedIsWhatTheFilesLeave(t *testing.T) {
	t.Parallel()
	db := empty(t)
	set := migrator.WMS()
	set.Expected = nil // it is what is being made
	m, err := migrator.New(set, db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range m.Files().Versions() {
		if _, err := m.UpTo(t.Context(), version, setUp, nil); err != nil {
			t.Fatal(err)
		}
		compareExpected(t, m, version)
	}
}

func compareExpected(t *testing.T, m *migrator.Migrator, version migration.Version) {
	t.Helper()
	catalog, err := m.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	catalog.Version = version.String()
	got, err := catalog.Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(expectedFolder, version.Title()+".json")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file migration.Catalog
	if err := json.Unmarshal(want, &file); err != nil {
		t.Fatal(err)
	}
	if file.ServerMajor != catalog.ServerMajor { // another major prints some definitions in other words
		if differences := migration.Compare(file, catalog, nil, func(migration.Item) string { return "" }); len(differences) > 0 {
			t.Errorf("%s is stale: %v", path, differences)
		}
		return
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s is stale, `make expected` writes it anew (-file +database):\n%s", path, cmp.Diff(string(want), string(got)))
	}
}
