package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/privatepg"
)

// dumpedBy is a dump as another tool takes one, in the folder of backups.
func (o operator) dumpedBy(dir, name string, flags ...string) {
	o.t.Helper()
	bin, err := privatepg.FindBinDir("")
	if err != nil {
		o.t.Fatal(err)
	}
	args := append([]string{"--format=custom", "--file=" + filepath.Join(dir, name), "--dbname=" + o.d.OwnerURL}, flags...)
	if out, err := exec.CommandContext(o.t.Context(), filepath.Join(bin, "pg_dump"), args...).CombinedOutput(); err != nil {
		o.t.Fatalf("pg_dump: %v\n%s", err, out)
	}
}

func (o operator) register(name, file string, more ...string) string {
	o.t.Helper()
	args := append([]string{
		"backup", "register", "--provider", "Northwind Cloud", "--id", name, "--taken", time.Now().UTC().Format(time.RFC3339), "--covers", "The whole database",
		"--evidence", "https://status.example.com/" + name,
	}, more...)
	if file != "" {
		args = append(args, "--file", file)
	}
	return strings.TrimSpace(o.must(args...))
}

// fresh says how many backups an apply could count on.
func (o operator) fresh() (n int) {
	o.t.Helper()
	err := pgtest.Pool(o.t, o.d.AppURL).QueryRow(o.t.Context(), `WITH me AS (SELECT set_config('app.current_tenant_id', $1, false))
		SELECT count(f.backup_id) FROM me LEFT JOIN LATERAL gatehouse.fresh_backups() f ON me.set_config IS NOT NULL`, housetest.Rivermark.String()).Scan(&n)
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

func (o operator) listed(id, want string) {
	o.t.Helper()
	for _, line := range strings.Split(o.must("backup", "list"), "\n") {
		if strings.HasPrefix(line, id) {
			if !strings.Contains(line, want) {
				o.t.Errorf("%s is listed as %q, want %q in it", id, line, want)
			}
			return
		}
	}
	o.t.Errorf("%s is not in the list", id)
}

// TestAnExternalBackupIsWorthWhatItsDrillSays: B6. A word opens nothing; a dump that shows of which database it is does.
func TestAnExternalBackupIsWorthWhatItsDrillSays(t *testing.T) {
	o, dir := backingUp(t)
	if _, err := pgtest.Pool(t, o.d.OwnerURL).Exec(t.Context(), "CREATE TABLE public.kept (id int); INSERT INTO public.kept VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	bare := o.register("snap-1", "")
	o.listed(bare, "registered, drill due by")
	o.refused(1, "no file of it here", "backup", "drill", bare)
	o.must("backup", "attest", bare, "--restored", time.Now().UTC().Format(time.RFC3339), "--evidence", "Restored into staging; the counts are in ticket 4711.")
	o.listed(bare, "restored, by attestation")

	o.dumpedBy(dir, "unmarked.dump")
	unmarked := o.register("snap-2", "unmarked.dump")
	if said := o.must("backup", "drill", unmarked); !strings.Contains(said, "restored after") || strings.Contains(said, "counts") {
		t.Errorf("a dump without a mark: %q", said)
	}
	o.listed(unmarked, "not proven to be of this database")

	o.must("backup", "mark")
	o.dumpedBy(dir, "part.dump", "--exclude-table-data=public.kept")
	part := o.register("snap-3", "part.dump")
	o.must("backup", "drill", part)
	o.listed(part, "table public.kept is empty in it")

	if n := o.fresh(); n != 0 {
		t.Fatalf("%d backups open the way to apply, and none is proven", n)
	}
	o.dumpedBy(dir, "marked.dump")
	marked := o.register("snap-4", "marked.dump")
	if n := o.fresh(); n != 0 {
		t.Errorf("a registered dump counts before its drill")
	}
	said := o.must("backup", "drill", marked)
	_, counts, found := strings.Cut(strings.TrimSuffix(strings.TrimSpace(said), "."), "counts as backup ")
	if !found {
		t.Fatalf("a dump with a mark: %q", said)
	}
	o.listed(marked, "proven to be of this database")
	o.listed(counts, "restored in")
	if n := o.fresh(); n != 1 {
		t.Errorf("%d backups open the way to apply, want the one that was proven", n)
	}
	o.must("backup", "verify", counts)
	o.must("backup", "drill", counts)
	o.refused(1, "counts as backup", "backup", "drill", marked)
	// It is not ours to remove.
	o.behindItsBack(`UPDATE gatehouse.backups SET taken_at = taken_at - interval '90 days'`)
	o.must("backup", "create")
	if removed := o.must("backup", "prune"); removed != "" {
		t.Errorf("%q was removed, and another tool put it there", removed)
	}
	for action, want := range map[string]int{"backup:register": 4, "backup:attest": 1, "backup:mark": 1} {
		if n := o.audited(action, "done"); n != want {
			t.Errorf("the audit trail holds %d of %s, want %d", n, action, want)
		}
	}
	if n := o.scratchDatabases(); n != 0 {
		t.Errorf("%d scratch databases are left, want none", n)
	}
}

// TestAnExternalBackupThatDoesNotRestoreIsFound: another file than was registered, one that is gone, one that is no dump, and
// the dump of another database with a mark of its own.
func TestAnExternalBackupThatDoesNotRestoreIsFound(t *testing.T) {
	o, dir := backingUp(t)
	if err := os.WriteFile(filepath.Join(dir, "text.dump"), []byte("no dump"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := o.register("snap-1", "text.dump")
	o.refused(1, "does not restore", "backup", "drill", text)
	o.listed(text, "does not restore")
	other := o.register("snap-2", "text.dump", "--sha256", strings.Repeat("0", 64))
	o.refused(1, "another one than was registered", "backup", "drill", other)
	gone := o.register("snap-3", "gone.dump")
	o.refused(1, "is not where backups are kept", "backup", "drill", gone)
	if n := o.audited("backup:drill", "failed"); n != 3 {
		t.Errorf("the audit trail holds %d failed drills, want 3", n)
	}

	super := pgtest.Pool(t, o.d.SuperURL)
	o.must("backup", "mark")
	o.dumpedBy(dir, "theirs.dump")
	// The same dump, and a database that never made the mark that is in it; then one that is of another cluster.
	theirs := o.register("snap-4", "theirs.dump")
	if _, err := super.Exec(t.Context(), `ALTER TABLE gatehouse.backup_marks DISABLE TRIGGER ALL; UPDATE gatehouse.backup_marks SET mark_id = gen_random_uuid()`); err != nil {
		t.Fatal(err)
	}
	o.must("backup", "drill", theirs)
	o.listed(theirs, "no mark of this database is in it")
	o.must("backup", "mark")
	o.dumpedBy(dir, "cluster.dump")
	cluster := o.register("snap-5", "cluster.dump")
	if _, err := super.Exec(t.Context(), `UPDATE gatehouse.backup_marks SET system = '1'`); err != nil {
		t.Fatal(err)
	}
	o.must("backup", "drill", cluster)
	o.listed(cluster, "no mark of this database is in it")
	if n := o.fresh(); n != 0 {
		t.Errorf("%d backups open the way to apply, want none", n)
	}
	for name, c := range map[string]struct {
		code int
		want string
		args []string
	}{
		"twice":          {1, "is registered already", []string{"--id", "snap-1", "--taken", "2026-01-01T00:00:00Z"}},
		"of tomorrow":    {2, "not in the future", []string{"--id", "snap-6", "--taken", time.Now().Add(24 * time.Hour).Format(time.RFC3339)}},
		"when":           {2, "must be a moment", []string{"--id", "snap-6", "--taken", "yesterday"}},
		"a hash":         {2, "64 digits", []string{"--id", "snap-6", "--taken", "2026-01-01T00:00:00Z", "--sha256", "abc"}},
		"another folder": {2, "in no folder below", []string{"--id", "snap-6", "--taken", "2026-01-01T00:00:00Z", "--file", "../etc/passwd"}},
	} {
		t.Log(name)
		o.refused(c.code, c.want, append([]string{"backup", "register", "--provider", "Northwind Cloud", "--covers", "all", "--evidence", "a link"}, c.args...)...)
	}
	// Who may only look, and who does not operate the environment.
	mark := []string{"backup", "mark"}
	t.Setenv("GATEHOUSE_TOKEN", o.token("migration:read"))
	o.refused(3, "migration:apply", mark...)
	t.Setenv("GATEHOUSE_TOKEN", strings.TrimSpace(o.must("token", "--tenant", "saltway", "--name", "ci", "--right", "migration:read", "--right", "migration:apply")))
	if listed := o.must("backup", "list"); listed != "" {
		t.Errorf("the other tenant sees %q, want nothing", listed)
	}
	o.refused(3, "operates this environment", mark...)
	o.refused(3, "operates this environment", "backup", "attest", gone, "--restored", "2026-01-01T00:00:00Z", "--evidence", "x")
	o.refused(3, "operates this environment", "backup", "register", "--provider", "p", "--id", "i", "--taken", "2026-01-01T00:00:00Z", "--covers", "c", "--evidence", "e")
}
