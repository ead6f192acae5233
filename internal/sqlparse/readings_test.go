package sqlparse_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/migrations"
)

const readingsFolder = "../../migrations/wms/readings"

// TestReadingsAreWhatTheParserReads fails where a file has changed and its reading has not. UPDATE=1 (`make readings`)
// writes down what the parser reads.
func TestReadingsAreWhatTheParserReads(t *testing.T) {
	t.Parallel()
	files, err := migration.ReadFiles(migrations.WMS, migration.Rules{Undo: true})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, v := range files.Versions() {
		for _, d := range []migration.Direction{migration.Up, migration.Down} {
			file, _ := files.In(d, v)
			want[migration.ReadingName(file.Script)] = true
			statements, err := shared.Parse(file.SQL)
			if err != nil {
				t.Fatalf("Parse(%s): %v", file.Script, err)
			}
			got, err := migration.ReadingOf(file, statements).Encode()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(readingsFolder, migration.ReadingName(file.Script))
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(path, got, 0o600); err != nil {
					t.Fatal(err)
				}
				continue
			}
			written, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(written, got) {
				t.Errorf("%s is stale (%v), `make readings` writes it anew (-file +parser):\n%s", path, err, cmp.Diff(string(written), string(got)))
			}
		}
	}
	there, err := filepath.Glob(readingsFolder + "/*.json")
	if err != nil || len(there) == 0 {
		t.Fatalf("%s: %v, %v", readingsFolder, there, err)
	}
	for _, path := range there {
		if !want[filepath.Base(path)] {
			t.Errorf("%s is the reading of no file", path)
		}
	}
}

// What was written down says the same of a file as the parser does when it is asked.
func TestAReadingIsWorthTheParser(t *testing.T) {
	t.Parallel()
	files, err := migration.ReadFiles(migrations.WMS, migration.Rules{Undo: true})
	if err != nil {
		t.Fatal(err)
	}
	files.UseReadings(migrations.Readings)
	for _, v := range files.Versions() {
		file, _ := files.Up(v)
		reading, ok, err := files.Reading(file)
		if err != nil || !ok {
			t.Fatalf("Reading(%s) = %t, %v", file.Script, ok, err)
		}
		if diff := cmp.Diff(lint(t, file, large), migration.Lint(file, reading.Statements, large)); diff != "" {
			t.Errorf("the lint of %s (-parser +reading):\n%s", file.Script, diff)
		}
	}
}
