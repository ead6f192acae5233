package e2e

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// S13: the runbook puts the dry run before applying, and the statement that orders a run knows it.
func (b *besieged) dryRunOpen(t *testing.T) {
	by := b.as("devops_engineer")
	if page := by.get("/migrations/V0.0.20").body; strings.Contains(page, `/V0.0.20/apply"`) || !strings.Contains(page, "P2.1a") {
		t.Errorf("the page of V0.0.20 offers to apply it, or does not say what comes first: %s", words(page))
	}
	wantStatus(t, "applying before the dry run", by.post("/migrations/V0.0.20/apply", b.pastTheButton()), http.StatusLocked, "P2.1a")
	if got := ask[int](b, "SELECT count(*) FROM gatehouse.migration_runs"); got != 0 {
		t.Errorf("%d runs were ordered before the dry run, want none", got)
	}
	b.finish(t, "P2.1a", "devops_engineer", "")
}

// pastTheButton is the form that applies V0.0.20, made by hand: the page offers none.
func (b *besieged) pastTheButton() url.Values {
	b.t.Helper()
	return url.Values{
		"key": {uuid.NewString()}, "release": {b.release[strings.LastIndex(b.release, "/")+1:]},
		"sha256": {ask[string](b, `SELECT sha256 FROM gatehouse.run_migrations WHERE version = '0.0.20'`)},
	}
}

// M14: an open gate is not enough. A backup that was restored, and a rehearsal, are taken and held by the buttons of the page.
func (b *besieged) nothingProven(t *testing.T) {
	const backups, version = "/migrations/backups", "/migrations/V0.0.20"
	engineer := b.as("devops_engineer")
	refused := func(want string) {
		t.Helper()
		if page := engineer.get(version).body; strings.Contains(page, version+`/apply"`) || !strings.Contains(page, want) {
			t.Errorf("the page of V0.0.20 offers to apply it, or does not say %q: %s", want, words(page))
		}
		wantStatus(t, "applying what nothing speaks for", engineer.post(version+"/apply", b.pastTheButton()), http.StatusLocked, want)
	}
	ordered := func(form string) {
		t.Helper()
		a := engineer.post(form, fields(t, engineer.get(backups).body, form))
		wantStatus(t, "ordering "+form, a, http.StatusSeeOther, "")
		where := a.header.Get("Location")
		b.until(time.Minute, "the end of "+form, func() bool { return !strings.Contains(engineer.get(where).body, "data-live=") })
		if page := engineer.get(where).body; !strings.Contains(page, `data-state="succeeded"`) {
			t.Fatalf("%s: %s", form, words(page))
		}
	}
	refused("restored in a drill")
	ordered(backups)
	refused("did not pass a rehearsal")
	ordered(backups + "/" + ask[string](b, `SELECT backup_id::text FROM gatehouse.backups`) + "/rehearse")
}

// A planned file whose text is another one now: the gate's own statement refuses it.
func (b *besieged) plannedFileChanged(t *testing.T) {
	form := fields(t, b.as("devops_engineer").get("/migrations/V0.0.20").body, "/apply")
	b.tell(`CREATE TABLE public.kept_plan AS SELECT tenant_id, run_id, version, sha256 FROM gatehouse.run_migrations;
		ALTER TABLE gatehouse.run_migrations DISABLE TRIGGER run_migrations_append_only;
		UPDATE gatehouse.run_migrations SET sha256 = repeat('0', 64) WHERE version = '0.0.20'`)
	wantStatus(t, "applying another file than was planned", b.as("devops_engineer").post("/migrations/V0.0.20/apply", form), http.StatusLocked, "not the file")
	b.tell(`UPDATE gatehouse.run_migrations m SET sha256 = k.sha256 FROM public.kept_plan k WHERE (m.tenant_id, m.run_id, m.version) = (k.tenant_id, k.run_id, k.version);
		ALTER TABLE gatehouse.run_migrations ENABLE TRIGGER run_migrations_append_only;
		DROP TABLE public.kept_plan`)
	if got := ask[int](b, "SELECT count(*) FROM gatehouse.migration_runs"); got != 0 {
		t.Errorf("%d runs were ordered of a file that nobody planned, want none", got)
	}
}

// order applies a version and gives the page of its run.
func (b *besieged) order(t *testing.T, by *client, version string) string {
	t.Helper()
	a := by.post("/migrations/"+version+"/apply", fields(t, by.get("/migrations/"+version).body, "/apply"))
	wantStatus(t, "applying "+version, a, http.StatusSeeOther, "")
	return a.header.Get("Location")
}

// dies starts both processes with a fault in them, applies, waits until whoever took the run up is dead, and starts
// both again without.
func (b *besieged) dies(t *testing.T, version, fault string) string {
	t.Helper()
	for n := range b.processes {
		b.restart(n, fault)
	}
	run := b.order(t, b.as("devops_engineer"), version)
	select {
	case <-b.processes[0].ended:
	case <-b.processes[1].ended:
	case <-time.After(30 * time.Second):
		t.Fatal("neither process died of the fault")
	}
	for n := range b.processes {
		b.restart(n)
	}
	return run
}

func runState(page string) string {
	_, after, _ := strings.Cut(page, `data-live-region="state" data-state="`)
	state, _, _ := strings.Cut(after, `"`)
	return state
}

// settled waits until the page of a run says how it ended.
func (b *besieged) settled(run string) string {
	b.t.Helper()
	state := ""
	b.until(time.Minute, "the end of "+run, func() bool {
		state = runState(b.as("devops_engineer").get(run).body)
		return state != "" && state != "queued" && state != "running"
	})
	return state
}

func (b *besieged) inLedger(version string) int {
	return ask[int](b, "SELECT count(*) FROM gatehouse.migration_ledger WHERE version = $1 AND success", version)
}

// M01, before the commit: nothing remains, nothing is tried again, and a person closes the run before it goes on.
func (b *besieged) diesBeforeCommit(t *testing.T) {
	run := b.dies(t, "V0.0.20", "migrator.after_effect=kill")
	if got := b.settled(run); got != "interrupted" {
		t.Fatalf("the run is %s, want interrupted", got)
	}
	if got := b.inLedger("0.0.20"); got != 0 {
		t.Errorf("the ledger has %d entries of a step that was cut off, want none", got)
	}
	if ask[bool](b, "SELECT to_regclass('public.material_dimension_verifications') IS NOT NULL") {
		t.Error("a table of the step that was cut off is there")
	}
	by := b.as("devops_engineer")
	if page := by.get("/migrations/V0.0.20").body; strings.Contains(page, `/apply"`) {
		t.Error("the step is offered again before anybody looked at the run that was cut off")
	}
	form := fields(t, by.get(run).body, "/acknowledge")
	form.Set("reason", "the machine was switched off; the ledger is clean")
	wantStatus(t, "closing the run", by.post(run+"/acknowledge", form), http.StatusSeeOther, "")
	if got := ask[int](b, "SELECT count(*) FROM gatehouse.migration_runs"); got != 1 {
		t.Errorf("%d runs, want 1: nothing is tried again by itself", got)
	}
}

// M01, after the commit: the step took effect, and the ledger says so.
func (b *besieged) diesAfterCommit(t *testing.T) {
	run := b.dies(t, "V0.0.20", "migrator.after_commit=kill")
	if got := b.settled(run); got != "succeeded" {
		t.Fatalf("the run is %s, want succeeded: its effect is committed", got)
	}
	if got := b.inLedger("0.0.20"); got != 1 {
		t.Errorf("the ledger has %d entries, want 1", got)
	}
}

// M04: one person presses twice, another once, at the same moment, on two processes, while a lock holds the step back.
func (b *besieged) manyPresses(t *testing.T) {
	engineer, lead := b.as("devops_engineer"), b.as("devops_lead")
	twice := fields(t, engineer.get("/migrations/V0.0.21").body, "/apply")
	once := fields(t, lead.get("/migrations/V0.0.21").body, "/apply")
	before := ask[int](b, "SELECT count(*) FROM gatehouse.migration_runs")
	var third answer
	var first [2]answer
	b.owner(func(ctx context.Context, conn *pgx.Conn) {
		if _, err := conn.Exec(ctx, "BEGIN; LOCK TABLE gatehouse.migration_ledger IN SHARE MODE"); err != nil {
			t.Fatal(err)
		}
		answers := make(chan answer, 1)
		go func() { answers <- lead.at(b.via(0)).post("/migrations/V0.0.21/apply", once) }()
		first = both(func(n int) answer { return engineer.at(b.via(n)).post("/migrations/V0.0.21/apply", twice) })
		third = <-answers
		if _, err := conn.Exec(ctx, "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
	})
	won, lost, winner := first[0], []answer{third}, "Eli Brandt"
	if third.status == http.StatusSeeOther {
		won, lost, winner = third, first[:], "Dana Okafor"
	} else if first[0].header.Get("Location") != first[1].header.Get("Location") {
		t.Errorf("a double press led to %q and %q, want the same run", first[0].header.Get("Location"), first[1].header.Get("Location"))
	}
	wantStatus(t, "the first press", won, http.StatusSeeOther, "")
	for _, a := range lost {
		wantStatus(t, "who came second", a, http.StatusConflict, winner)
	}
	if got := b.settled(won.header.Get("Location")); got != "succeeded" {
		t.Errorf("the run is %s, want succeeded", got)
	}
	if got := ask[int](b, "SELECT count(*) FROM gatehouse.migration_runs") - before; got != 1 {
		t.Errorf("three presses made %d runs, want 1", got)
	}
	if got := b.inLedger("0.0.21"); got != 1 {
		t.Errorf("the ledger has %d entries, want 1", got)
	}
}

// M05: the ledger knows another text of an applied file than this program carries.
func (b *besieged) appliedFileChanged(t *testing.T) {
	by := b.as("devops_engineer")
	form := fields(t, by.get("/migrations/V0.0.22").body, "/apply")
	trigger := ask[string](b, "SELECT tgname FROM pg_trigger WHERE tgrelid = 'gatehouse.migration_ledger'::regclass AND NOT tgisinternal LIMIT 1")
	change := func(from, to string) {
		turned := func(column string) string {
			return column + " = translate(" + column + ", '" + from + "', '" + to + "')"
		}
		b.tell(`ALTER TABLE gatehouse.migration_ledger DISABLE TRIGGER ` + trigger + `;
			UPDATE gatehouse.migration_ledger SET ` + turned("sha256") + ", " + turned("sha256_tokens") + ` WHERE version = '0.0.21';
			ALTER TABLE gatehouse.migration_ledger ENABLE TRIGGER ` + trigger)
	}
	change("0123456789abcdef", "123456789abcdef0")
	wantStatus(t, "applying over a changed file", by.post("/migrations/V0.0.22/apply", form), http.StatusConflict, "disagree")
	if page := by.get("/migrations"); !strings.Contains(page.body, "disagree") {
		t.Errorf("the page does not say that files and database disagree: %s", words(page.body))
	}
	change("123456789abcdef0", "0123456789abcdef")
	if got := b.inLedger("0.0.22"); got != 0 {
		t.Errorf("V0.0.22 was applied over a changed file")
	}
}
