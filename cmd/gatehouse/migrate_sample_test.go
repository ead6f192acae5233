package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// TestWithoutABackupASampleIsRehearsedOn: what passes on a sample is kept and marked, opens nothing, and is no estimate; as
// soon as a backup restores, that is rehearsed on.
func TestWithoutABackupASampleIsRehearsedOn(t *testing.T) {
	o, _ := backingUp(t)
	out := o.must("migrate", "rehearse", "--json", "--rows", "2")
	var report migration.RehearsalReport
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !report.Passed() || report.Data.Kind != migration.OnSample || report.Data.Sample == nil || len(report.Data.Sample.Tables) < 10 {
		t.Fatalf("the report passed %t on %+v", report.Passed(), report.Data)
	}
	if !strings.Contains(report.Verdict(), "on a sample of ") {
		t.Errorf("the verdict %q does not say that it was a sample", report.Verdict())
	}
	if plan := o.must("migrate", "plan"); !strings.Contains(plan, "by its plan card") || !strings.Contains(plan, "says nothing about the whole") || strings.Contains(plan, "in its newest rehearsal") {
		t.Errorf("the plan takes a sample's time for an estimate:\n%s", plan)
	}
	if n := o.scratchDatabases(); n != 0 {
		t.Errorf("%d scratch databases are left, want none", n)
	}
	if n := o.audited("migration:rehearse", "done"); n != 1 {
		t.Errorf("the audit trail holds %d rehearsals, want 1", n)
	}
	id := strings.TrimSpace(o.must("backup", "create"))
	if again := o.must("migrate", "rehearse"); !strings.Contains(again, "on a sample of ") {
		t.Errorf("a backup that was never restored was rehearsed on:\n%s", again)
	}
	o.must("backup", "drill", id)
	if whole := o.must("migrate", "rehearse"); !strings.Contains(whole, "on a restored backup of ") {
		t.Errorf("with a backup that restores it rehearsed otherwise:\n%s", whole)
	}
	if forced := o.must("migrate", "rehearse", "--sample"); !strings.Contains(forced, "on a sample of ") {
		t.Errorf("--sample gave:\n%s", forced)
	}
	// The times of all of the data stay, though a sample was rehearsed on later.
	if plan := o.must("migrate", "plan"); !strings.Contains(plan, "in its newest rehearsal") || strings.Contains(plan, "says nothing about the whole") {
		t.Errorf("after a rehearsal on a backup the plan is\n%s", plan)
	}
	o.refused(2, "say one of", "migrate", "rehearse", "--sample", "--backup", id)
	o.refused(2, "between 1 and", "migrate", "rehearse", "--sample", "--rows", "0")
	t.Setenv("GATEHOUSE_TOKEN", o.token("migration:read"))
	o.refused(3, "may not change the schema", "migrate", "rehearse", "--sample")
	t.Setenv("GATEHOUSE_TOKEN", strings.TrimSpace(o.must("token", "--tenant", "saltway", "--name", "ci", "--right", "migration:read", "--right", "migration:apply")))
	o.refused(3, "operated by another", "migrate", "rehearse", "--sample")
	var theirs int
	err := pgtest.Pool(t, o.d.SuperURL).QueryRow(t.Context(), "SELECT count(*) FROM gatehouse.rehearsals r JOIN gatehouse.tenants t USING (tenant_id) WHERE NOT t.is_operator").Scan(&theirs)
	if err != nil || theirs != 0 {
		t.Errorf("the other tenant has %d rehearsals (%v)", theirs, err)
	}
}

const childSample = "TEST_CHILD_SAMPLE"

// TestChildSamples is the program that gets killed.
func TestChildSamples(t *testing.T) {
	if os.Getenv(childSample) == "" {
		return // only the parent's call of this binary has work to do
	}
	root := rootCommand()
	root.SetArgs([]string{"migrate", "rehearse", "--sample"})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAKilledRehearsalOnASampleLeavesNoDatabaseForLong(t *testing.T) {
	o, _ := backingUp(t)
	tools, begun := slowRestore(t)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChildSamples$")
	child.Env = append(os.Environ(), childSample+"=yes", "PG_BINDIR="+tools)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(begun); err != nil { // waits until the schema is being restored
		t.Fatal(err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed, which is an error to Wait
	left := o.scratchNames()
	if len(left) != 1 {
		t.Fatalf("the killed rehearsal left %v, want one database", left)
	}
	o.awaitGone(left[0])
	o.must("migrate", "rehearse", "--sample")
	if names := o.scratchNames(); len(names) != 0 {
		t.Errorf("after the next rehearsal there are %v, want none", names)
	}
	var kept int
	if err := pgtest.Pool(t, o.d.SuperURL).QueryRow(t.Context(), "SELECT count(*) FROM gatehouse.rehearsals").Scan(&kept); err != nil || kept != 1 {
		t.Errorf("%d rehearsals are kept (%v), want that of the second alone", kept, err)
	}
}
