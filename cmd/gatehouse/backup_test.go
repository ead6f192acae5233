package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/privatepg"
)

// backingUp is an operator with a folder for backups and a role that may make scratch databases.
func backingUp(t *testing.T) (o operator, dir string) {
	t.Helper()
	o, dir = atAShell(t, "0.0.18"), t.TempDir()
	t.Setenv("GATEHOUSE_BACKUP_DIR", dir)
	t.Setenv("GATEHOUSE_S3_ENDPOINT", "")
	t.Setenv("GATEHOUSE_SCRATCH_DATABASE_URL", o.d.SuperURL)
	t.Setenv("GATEHOUSE_TOKEN", o.token("migration:read", "migration:apply"))
	return o, dir
}

func (o operator) scratchDatabases() (n int) {
	o.t.Helper()
	err := pgtest.Pool(o.t, o.d.SuperURL).QueryRow(o.t.Context(), "SELECT count(*) FROM pg_database WHERE starts_with(datname, 'gatehouse_scratch_drill_')").Scan(&n)
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

// behindItsBack changes what may not be changed.
func (o operator) behindItsBack(change string) {
	o.t.Helper()
	if _, err := pgtest.Pool(o.t, o.d.SuperURL).Exec(o.t.Context(), "ALTER TABLE gatehouse.backups DISABLE TRIGGER ALL;"+change); err != nil {
		o.t.Fatal(err)
	}
}

func TestABackupIsWorthWhatItsDrillSays(t *testing.T) { onEachPlace(t, aBackupIsWorthWhatItsDrillSays) }

func aBackupIsWorthWhatItsDrillSays(t *testing.T, o operator, kept keeping) {
	id := strings.TrimSpace(o.must("backup", "create"))
	if listed := o.must("backup", "list"); !strings.Contains(listed, id) || !strings.Contains(listed, "V0.0.18") || !strings.Contains(listed, "never restored") {
		t.Errorf("before the drill the list is %q", listed)
	}
	if names := kept.names(); len(names) != 1 || !strings.HasSuffix(names[0], ".dump") {
		t.Errorf("%v is kept, want one dump", names)
	}
	o.must("backup", "verify", id)
	if listed := o.must("backup", "list"); !strings.Contains(listed, "never restored") {
		t.Errorf("a file that was only read again is listed as %q", listed)
	}
	o.must("backup", "drill", id)
	if listed := o.must("backup", "list"); !strings.Contains(listed, "restored in") {
		t.Errorf("after the drill the list is %q", listed)
	}
	if n := o.scratchDatabases(); n != 0 {
		t.Errorf("%d scratch databases are left, want none", n)
	}
	for _, action := range []string{"backup:create", "backup:verify", "backup:drill"} {
		if n := o.audited(action, "done"); n != 1 {
			t.Errorf("the audit trail holds %d of %s, want 1", n, action)
		}
	}
	// Who may only look, and who belongs to a company that does not operate the environment.
	t.Setenv("GATEHOUSE_TOKEN", o.token("migration:read"))
	o.must("backup", "list")
	o.refused(3, "migration:apply", "backup", "create")
	t.Setenv("GATEHOUSE_TOKEN", strings.TrimSpace(o.must("token", "--tenant", "saltway", "--name", "ci", "--right", "migration:read", "--right", "migration:apply")))
	if listed := o.must("backup", "list"); listed != "" {
		t.Errorf("the other tenant sees %q, want nothing", listed)
	}
	o.refused(3, "operates this environment", "backup", "create")
	o.refused(3, "operates this environment", "backup", "drill", id)
	o.refused(2, "must be the id", "backup", "drill", "newest")
	if creates, drills := o.audited("backup:create", "refused"), o.audited("backup:drill", "refused"); creates != 2 || drills != 1 {
		t.Errorf("the audit trail holds %d refused dumps and %d refused drills, want 2 and 1", creates, drills)
	}
}

// M16 and O01: whatever happened to the file, it is found before anybody relies on it, and nothing is restored from it.
func TestADamagedBackupIsFound(t *testing.T) { onEachPlace(t, aDamagedBackupIsFound) }

func aDamagedBackupIsFound(t *testing.T, o operator, kept keeping) {
	id := strings.TrimSpace(o.must("backup", "create"))
	name := kept.names()[0]
	whole := kept.read(name)
	write := func(content []byte) { kept.write(name, content) }
	flipped := append([]byte{}, whole...)
	flipped[len(flipped)/2] ^= 1
	write(flipped)
	o.refused(1, "has been altered", "backup", "verify", id)
	o.refused(1, "has been altered", "backup", "drill", id)
	write(whole[:len(whole)-1])
	o.refused(1, "bytes, and had", "backup", "verify", id)
	kept.remove(name)
	o.refused(1, "is gone", "backup", "drill", id)
	if listed := o.must("backup", "list"); !strings.Contains(listed, "does not restore") {
		t.Errorf("the list is %q", listed)
	}
	write(whole)
	o.must("backup", "drill", id)
	// A file that was cut, and a record that was made to fit it.
	cut := whole[:2000]
	write(cut)
	o.behindItsBack(fmt.Sprintf("UPDATE gatehouse.backups SET bytes = %d, sha256 = '%x'", len(cut), sha256.Sum256(cut)))
	o.refused(1, "the file is unreadable", "backup", "verify", id)
	o.refused(1, "the file is unreadable", "backup", "drill", id)
	write(whole)
	o.behindItsBack(fmt.Sprintf("UPDATE gatehouse.backups SET bytes = %d, sha256 = '%x'", len(whole), sha256.Sum256(whole)))
	if n := o.audited("backup:drill", "failed"); n != 3 {
		t.Errorf("the audit trail holds %d failed drills, want 3", n)
	}
	// A row that goes away behind its back is seen by the count.
	o.behindItsBack(`ALTER TABLE gatehouse.backups DROP CONSTRAINT backups_manifest_is_hashed;
		UPDATE gatehouse.backups SET manifest = replace(manifest, '"gatehouse.tenants":2', '"gatehouse.tenants":3')`)
	o.refused(1, "table gatehouse.tenants has 2 rows, and had 3", "backup", "drill", id)
}

// M15: a pg_dump that dies near its end, and one that is older than the server.
func TestAFailedDumpLeavesNoBackup(t *testing.T) {
	o, dir := backingUp(t)
	real, err := privatepg.FindBinDir("")
	if err != nil {
		t.Fatal(err)
	}
	tools := t.TempDir()
	pretend := func(script string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(tools, "pg_dump"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(real, "pg_restore"), filepath.Join(tools, "pg_restore")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PG_BINDIR", tools)
	pretend(`case "$1" in --version) exec ` + real + `/pg_dump --version;; esac
` + real + `/pg_dump "$@" | head -c 90000
echo "pg_dump: error: the disk is full" >&2
exit 1
`)
	o.refused(1, "the disk is full", "backup", "create")
	pretend("echo 'pg_dump (PostgreSQL) 13.4'\n")
	o.refused(1, "older pg_dump cannot dump a newer server", "backup", "create")
	if files, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(files) != 0 {
		t.Errorf("after failed dumps the folder holds %v, %v; want nothing", files, err)
	}
	if listed := o.must("backup", "list"); listed != "" {
		t.Errorf("after failed dumps the list is %q", listed)
	}
	if n := o.audited("backup:create", "failed"); n != 2 {
		t.Errorf("the audit trail holds %d failed dumps, want 2", n)
	}
}

func TestAFileIsItsOwnersAlone(t *testing.T) {
	o, dir := backingUp(t)
	o.must("backup", "create")
	info, err := os.Stat(filepath.Join(dir, folder{t, dir}.names()[0]))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v; want one that only its owner can read", info.Mode(), err)
	}
}

// What a release applies is rehearsed on what a restore would bring back.
func TestARehearsalOnABackup(t *testing.T) {
	o, _ := backingUp(t)
	id := strings.TrimSpace(o.must("backup", "create"))
	if plan := o.must("migrate", "plan"); !strings.Contains(plan, "by its plan card; not rehearsed") {
		t.Errorf("before a rehearsal the plan says:\n%s", plan)
	}
	out := o.must("migrate", "rehearse", "--backup", id)
	if plan := o.must("migrate", "plan"); !strings.Contains(plan, "in its newest rehearsal (") || strings.Contains(plan, "not rehearsed") {
		t.Errorf("after a rehearsal the plan says:\n%s", plan)
	}
	if !strings.Contains(out, "V0.0.20") || !strings.Contains(out, "AccessExclusiveLock") {
		t.Errorf("the rehearsal prints\n%s", out)
	}
	var kind, of string
	var passed bool
	err := pgtest.Pool(t, o.d.SuperURL).QueryRow(t.Context(), "SELECT data_kind, backup_id::text, passed FROM gatehouse.rehearsals").Scan(&kind, &of, &passed)
	if err != nil || kind != "backup" || of != id || !passed {
		t.Errorf("the rehearsal kept is of %s %s, passed %t, %v; want it passed on backup %s", kind, of, passed, err, id)
	}
	if n := o.scratchDatabases(); n != 0 {
		t.Errorf("%d scratch databases are left, want none", n)
	}
	o.refused(2, "say one of", "migrate", "rehearse", "--backup", id, "--on", o.d.OwnerURL)
	o.refused(2, "no such backup", "migrate", "rehearse", "--backup", "11111111-1111-7111-8111-111111111111")
}

func TestARepairIsAllowedProvenAndOnRecord(t *testing.T) {
	o := atAShell(t, "0.0.18")
	o.refused(3, "", "migrate", "repair", "V0.0.20", "--as", "not-applied", "--reason", "a test") // no token
	t.Setenv("GATEHOUSE_TOKEN", o.token("migration:read"))
	o.refused(3, "You may not change the schema", "migrate", "repair", "V0.0.20", "--as", "not-applied", "--reason", "a test")
	t.Setenv("GATEHOUSE_TOKEN", strings.TrimSpace(o.must("token", "--tenant", "saltway", "--name", "ci", "--right", "migration:apply")))
	o.refused(3, "operated by another organisation", "migrate", "repair", "V0.0.20", "--as", "not-applied", "--reason", "a test")
	t.Setenv("GATEHOUSE_TOKEN", o.token("migration:apply"))
	o.refused(4, "The ledger says so already", "migrate", "repair", "V0.0.20", "--as", "not-applied", "--reason", "a test")
	o.refused(2, "one of applied", "migrate", "repair", "V0.0.20", "--as", "forced", "--reason", "a test")
	if _, err := pgtest.Pool(t, o.d.SuperURL).Exec(t.Context(), "UPDATE gatehouse.migration_state SET version = 21, dirty = true WHERE set_name = 'wms'"); err != nil {
		t.Fatal(err)
	}
	o.refused(4, "stopped half way", "migrate", "status")
	o.refused(4, "does not prove that V0.0.21 is applied", "migrate", "repair", "V0.0.21", "--as", "applied", "--reason", "a test")
	if n := o.audited("migration:repair", "refused"); n != 4 {
		t.Errorf("the audit trail holds %d refused repairs, want 4", n)
	}
	if out := o.must("migrate", "repair", "V0.0.21", "--as", "not-applied", "--reason", "it was never begun"); !strings.Contains(out, "V0.0.21 is recorded as not-applied.") {
		t.Errorf("the repair prints %q", out)
	}
	o.must("migrate", "status")
	if n := o.audited("operation:order", "done"); n != 1 {
		t.Errorf("the audit trail holds %d orders, want 1", n)
	}
}

// Old files go, but never the newest backup nor the newest that restores.
func TestPruneKeepsWhatIsNeeded(t *testing.T) { onEachPlace(t, pruneKeepsWhatIsNeeded) }

func pruneKeepsWhatIsNeeded(t *testing.T, o operator, kept keeping) {
	var ids []string
	for range 4 {
		ids = append(ids, strings.TrimSpace(o.must("backup", "create")))
	}
	o.must("backup", "drill", ids[0])
	o.must("backup", "drill", ids[1])
	o.refused(2, "at least 24h", "backup", "prune", "--older-than", "1h")
	if out := o.must("backup", "prune"); out != "" {
		t.Errorf("backups of today are pruned: %q", out)
	}
	o.behindItsBack("UPDATE gatehouse.backups SET taken_at = taken_at - interval '40 days'")
	if out := o.must("backup", "prune"); strings.Count(out, ".dump") != 2 || !strings.Contains(out, ids[0][:8]) || !strings.Contains(out, ids[2][:8]) {
		t.Errorf("pruned were\n%s\nwant the first and the third: %v", out, ids)
	}
	if names := kept.names(); len(names) != 2 {
		t.Errorf("%v is kept, want two files", names)
	}
	if listed := o.must("backup", "list"); strings.Count(listed, "removed on") != 2 || strings.Count(listed, "restored in") != 1 {
		t.Errorf("the list is\n%s", listed)
	}
	if out := o.must("backup", "prune"); out != "" {
		t.Errorf("pruned again: %q", out)
	}
	o.refused(1, "is gone", "backup", "verify", ids[0])
	if n := o.audited("backup:prune", "done"); n != 2 {
		t.Errorf("the audit trail holds %d prunings, want 2", n)
	}
}
