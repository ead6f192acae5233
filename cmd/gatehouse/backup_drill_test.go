package main

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/privatepg"
)

const childDrill = "TEST_CHILD_DRILL"

// TestChildDrills is the program that gets killed: with the variable set it drills that backup.
func TestChildDrills(t *testing.T) {
	id := os.Getenv(childDrill)
	if id == "" {
		return // only the parent's call of this binary has work to do
	}
	root := rootCommand()
	root.SetArgs([]string{"backup", "drill", id})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// slowRestore is a folder of tools whose pg_restore says that it has begun, and waits until it is ended.
func slowRestore(t *testing.T) (dir, begun string) {
	t.Helper()
	tools, err := privatepg.FindBinDir("")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	begun = filepath.Join(dir, "begun")
	if err := syscall.Mkfifo(begun, 0o600); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\ncase \"$1\" in --list) exec " + tools + "/pg_restore \"$@\";; esac\necho $$ > " + begun + "\nexec cat > /dev/null\n"
	if err := os.WriteFile(filepath.Join(dir, "pg_restore"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(tools, "pg_dump"), filepath.Join(dir, "pg_dump")); err != nil {
		t.Fatal(err)
	}
	return dir, begun
}

// What a killed drill leaves is dropped by the next; what another program is drilling just now is not.
func TestAKilledDrillLeavesNoDatabaseForLong(t *testing.T) {
	o, _ := backingUp(t)
	id := strings.TrimSpace(o.must("backup", "create"))
	tools, begun := slowRestore(t)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChildDrills$")
	child.Env = append(os.Environ(), childDrill+"="+id, "PG_BINDIR="+tools)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(begun); err != nil { // waits until the restore has begun
		t.Fatal(err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed, which is an error to Wait
	left := o.scratchNames()
	if len(left) != 1 {
		t.Fatalf("the killed drill left %v, want one database", left)
	}
	// Another program's drill, under way.
	const theirs = "gatehouse_scratch_drill_1_theirs"
	config, err := pgx.ParseConfig(o.d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["application_name"] = theirs
	other, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(t.Context(), "CREATE DATABASE "+theirs); err != nil {
		t.Fatal(err)
	}
	o.awaitGone(left[0])
	o.must("backup", "drill", id)
	if names := o.scratchNames(); !slices.Equal(names, []string{theirs}) {
		t.Errorf("after the next drill there are %v, want the other program's alone", names)
	}
	if err := other.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.awaitGone(theirs)
	o.must("backup", "drill", id)
	if names := o.scratchNames(); len(names) != 0 {
		t.Errorf("when the other program has ended there are %v, want none", names)
	}
}

func (o operator) scratchNames() (names []string) {
	o.t.Helper()
	rows, err := pgtest.Pool(o.t, o.d.SuperURL).Query(o.t.Context(), "SELECT datname FROM pg_database WHERE starts_with(datname, 'gatehouse_scratch_drill_')")
	if err != nil {
		o.t.Fatal(err)
	}
	if names, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		o.t.Fatal(err)
	}
	return names
}

// awaitGone waits until the server has noticed that a program is gone.
func (o operator) awaitGone(name string) {
	o.t.Helper()
	for there := true; there; {
		err := pgtest.Pool(o.t, o.d.SuperURL).QueryRow(o.t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1)", name).Scan(&there)
		if err != nil {
			o.t.Fatal(err)
		}
	}
}

// An address that names the database once more in its parameters would lead a drill into the real one.
func TestADrillNeverRestoresIntoTheSource(t *testing.T) {
	o, _ := backingUp(t)
	id := strings.TrimSpace(o.must("backup", "create"))
	u, err := url.Parse(o.d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("dbname", strings.TrimPrefix(u.Path, "/"))
	u.RawQuery = q.Encode()
	t.Setenv("GATEHOUSE_OWNER_DATABASE_URL", u.String())
	o.refused(1, "never restores into the database that was dumped", "backup", "drill", id)
	if n := o.scratchDatabases(); n != 0 {
		t.Errorf("%d scratch databases are left, want none", n)
	}
	if listed := o.must("backup", "list"); !strings.Contains(listed, "never restored") {
		t.Errorf("the list is %q", listed)
	}
}
