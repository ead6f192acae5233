package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// R8: one release at a time in a tenant's environment, also when two are started at once.
func TestOneReleaseRunsAtATime(t *testing.T) {
	t.Parallel()
	r := newHouse(t)
	request := runbook.StartRequest{Template: r.template.SHA256, Code: "REQ-1", Title: "One", T0: t0, TimeZone: "UTC"}
	var errs [4]error
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { _, errs[i] = r.runbook.Start(t.Context(), starter, request) })
	}
	all.Wait()
	started := 0
	for _, err := range errs {
		switch {
		case err == nil:
			started++
		case !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "One release runs at a time"):
			t.Errorf("a second start is refused with %v", err)
		}
	}
	if started != 1 {
		t.Errorf("%d releases were started at once, want 1", started)
	}
	if _, err := r.runbook.Start(t.Context(), stranger, request); err != nil {
		t.Errorf("the other tenant cannot start its own: %v", err)
	}
}

func TestStartRefusesWhatIsNoRelease(t *testing.T) {
	t.Parallel()
	r := newHouse(t)
	good := runbook.StartRequest{Template: r.template.SHA256, Code: "REQ-1", Title: "One", T0: t0, TimeZone: "UTC"}
	for field, change := range map[string]func(*runbook.StartRequest){
		"template": func(s *runbook.StartRequest) { s.Template = strings.Repeat("0", 64) },
		"code":     func(s *runbook.StartRequest) { s.Code = strings.Repeat("x", 101) },
		"title":    func(s *runbook.StartRequest) { s.Title = strings.Repeat("x", 301) },
		"t_zero":   func(s *runbook.StartRequest) { s.T0 = time.Time{} },
		"zone":     func(s *runbook.StartRequest) { s.TimeZone = "Mars/Olympus" },
	} {
		request := good
		change(&request)
		_, err := r.runbook.Start(t.Context(), starter, request)
		if refused, ok := fault.As(err); !ok || refused.Kind != fault.Invalid || refused.Fields[field] == "" {
			t.Errorf("Start with a bad %s = %v, want a complaint about it", field, err)
		}
	}
	if _, err := r.runbook.Start(t.Context(), qa, good); !fault.Is(err, fault.Forbidden) {
		t.Errorf("Start by a QA lead = %v, want forbidden", err)
	}
	without := runbook.NewService(postgres.Runbook{DB: r.db}, "demo", []runbook.Template{r.template}, someFiles("0.0.19"), r.checks)
	if _, err := without.Start(t.Context(), starter, good); !fault.Is(err, fault.Conflict) {
		t.Errorf("Start without the file of a migration = %v, want a conflict", err)
	}
}

// R1 and S18: what a release was started from stays, whatever becomes of the template.
func TestAReleaseKeepsItsFrozenRunbook(t *testing.T) {
	t.Parallel()
	r := started(t)
	edited, err := runbook.ParseTemplate([]byte(strings.Replace(strings.Replace(small, `"version":"1.0.0"`, `"version":"1.1.0"`, 1), `"id":"A3"`, `"id":"A4"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := r.stories(edited).Show(t.Context(), worker, r.id)
	if err != nil {
		t.Fatalf("Show: %v", err)
	}
	if _, ok := shown.Item("A3"); !ok || len(shown.Items) != 6 || shown.Template.Text != small || shown.Newest.Version != "1.1.0" {
		t.Errorf("the release has %d items, template %s, newest %s; want its own 6 items and to know of 1.1.0", len(shown.Items), shown.Template.Version, shown.Newest.Version)
	}
	want := []runbook.Migration{{Version: "0.0.20", Title: "title of 0.0.20", SHA256: strings.Repeat("a", 64)}}
	if got := []runbook.Migration{shown.Migrations[0].Migration}; !cmp.Equal(want, got) {
		t.Errorf("frozen migrations are %+v, want %+v", got, want)
	}
}

// S13 and its kind: order, kinds, states and holders, posted past the page.
func TestItemsRefuseWhatIsOutOfOrder(t *testing.T) {
	t.Parallel()
	r := started(t)
	ctx := t.Context()
	other := housetest.Person(housetest.Rivermark, "Olaf", actor.DevOpsEngineer)
	refused := func(what string, err error, kind fault.Kind, words string) {
		t.Helper()
		if !fault.Is(err, kind) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s = %v, want %s with %q", what, err, kind, words)
		}
	}
	before := r.events()
	refused("A2 before A1", r.runbook.Done(ctx, worker, r.seen("A2"), "9.5", ""), fault.Conflict, "A1, First, is open.")
	_, err := r.runbook.Check(ctx, worker, r.seen("B1"))
	refused("B1 before its phase and gate", err, fault.Conflict, "A1, First, is open.")
	refused("B1 by hand", r.runbook.Done(ctx, worker, r.seen("B1"), "done", ""), fault.Conflict, "has to wait")
	_, err = r.runbook.Check(ctx, worker, r.seen("A1"))
	refused("a check of what a person does", err, fault.Conflict, "not one that the system checks")
	refused("skip of what is required", r.runbook.Skip(ctx, worker, r.seen("A1"), "no time"), fault.Conflict, "nobody skips it alone")
	refused("skip without a reason", r.runbook.Skip(ctx, worker, r.seen("A3"), " "), fault.Invalid, "reason")
	refused("done without evidence", r.runbook.Done(ctx, worker, r.seen("A1"), "", ""), fault.Invalid, "evidence_text")
	refused("a viewer", r.runbook.Take(ctx, housetest.Person(housetest.Rivermark, "Vera", actor.Viewer), r.seen("A1")), fault.Forbidden, "item:work")
	refused("the other tenant", r.runbook.Take(ctx, stranger, r.seen("A1")), fault.NotFound, "no such release")
	refused("no such item", r.runbook.Take(ctx, worker, runbook.Seen{Run: r.id, Item: "ZZ", Version: 1}), fault.NotFound, "no such item")
	refused("reopen of what is open", r.runbook.Reopen(ctx, worker, r.seen("A1"), "because"), fault.Conflict, "is open")
	if got := r.events(); got != before {
		t.Errorf("refusals wrote %d entries of what was done", got-before)
	}

	// R7: the second one is told who has it.
	if err := r.runbook.Take(ctx, worker, r.seen("A1")); err != nil {
		t.Fatalf("Take: %v", err)
	}
	refused("take what Wim has", r.runbook.Take(ctx, other, r.seen("A1")), fault.Conflict, "Wim has this item in hand")
	refused("finish what Wim has", r.runbook.Done(ctx, other, r.seen("A1"), "looked", ""), fault.Conflict, "Wim has this item in hand")
	if err := r.runbook.Reopen(ctx, other, r.seen("A1"), "Wim has gone home"); err != nil {
		t.Errorf("taking it from Wim with a reason: %v", err)
	}
	r.ready()
	r.sign(qa, signoff.GoNoGo, "qa")
	refused("B1 before the gate", r.runbook.Take(ctx, worker, r.seen("B1")), fault.Conflict, "gate Go / no-go has not been passed")
	r.sign(backend, signoff.GoNoGo, "backend")
	r.sign(devops, signoff.GoNoGo, "devops")
	refused("an auto item by hand", r.runbook.Done(ctx, worker, r.seen("B1"), "done", ""), fault.Conflict, "nobody can tick it by hand")
	refused("failing an auto item by hand", r.runbook.Fail(ctx, worker, r.seen("B1"), "I say so"), fault.Conflict, "fills this item itself")
}

// U7: who was overtaken is told by whom, and two at once cannot both win.
func TestTwoPeopleChangeOneItem(t *testing.T) {
	t.Parallel()
	r := started(t)
	seen := r.seen("A1")
	var errs [2]error
	var both sync.WaitGroup
	for i := range errs {
		both.Go(func() { errs[i] = r.runbook.Done(t.Context(), worker, seen, fmt.Sprintf("version %d", i), "") })
	}
	both.Wait()
	var overtaken *runbook.Overtaken
	if (errs[0] == nil) == (errs[1] == nil) || !errors.As(errors.Join(errs[:]...), &overtaken) {
		t.Fatalf("two changes of one version end with %v and %v, want one Overtaken", errs[0], errs[1])
	}
	if overtaken.Now.State != runbook.Done || overtaken.Now.Settled.Name != "Wim" || !fault.Is(overtaken, fault.Conflict) {
		t.Errorf("the loser is shown %+v", overtaken.Now)
	}
	if got := r.count("SELECT count(*) FROM gatehouse.run_evidence"); got != 1 {
		t.Errorf("%d pieces of evidence are kept, want 1", got)
	}
}

func TestACheckFillsItsItem(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.passed()
	r.checks.says["migration.applied"] = runbook.CheckResult{Summary: "0.0.20 is missing.", Query: "SELECT 1", Value: []byte(`{"missing":["0.0.20"]}`)}
	result, err := r.runbook.Check(t.Context(), worker, r.seen("B1"))
	if err != nil || result.OK {
		t.Fatalf("Check = %+v, %v; want a result that says no", result, err)
	}
	page := r.item("B1")
	if page.Item.State != runbook.Failed || page.Item.Reason != "0.0.20 is missing." || len(page.Evidence) != 1 || page.Evidence[0].Passed || !page.Evidence[0].Intact {
		t.Errorf("after a check that says no the item is %+v with %+v", page.Item, page.Evidence)
	}
	delete(r.checks.says, "migration.applied")
	r.check("B1")
	page = r.item("B1")
	if page.Item.State != runbook.Done || page.Item.Reason != "" || page.Item.Evidence != 2 || len(page.Evidence) != 2 {
		t.Errorf("after a check that says yes the item is %+v with %d pieces of evidence", page.Item, len(page.Evidence))
	}
	r.checks.says["health.overall"] = runbook.CheckResult{OK: true, Summary: "fine", Value: []byte("not JSON")}
	if _, err := r.runbook.Check(t.Context(), worker, r.seen("B2")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a check with an answer that is no JSON = %v, want unavailable", err)
	}
	if got := r.item("B2").Item.State; got != runbook.Open {
		t.Errorf("a check that could not be kept left the item %s, want open", got)
	}
}

// R2: T-0 moves what is open, and nothing that is settled.
func TestMovingTZeroMovesWhatIsOpen(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.done("A1", "looked at it")
	later := t0.Add(time.Hour)
	if err := r.runbook.Schedule(t.Context(), devops, runbook.SeenRun{Run: r.id, Version: 1}, later, "the carrier is late"); err != nil {
		t.Fatalf("Schedule: %v", err)
	}
	shown, err := r.runbook.Show(t.Context(), worker, r.id)
	if err != nil {
		t.Fatal(err)
	}
	got := map[runbook.ItemID]string{}
	for _, i := range shown.Items {
		got[i.ID] = i.Due(shown.Run.T0).Format("15:04")
	}
	want := map[runbook.ItemID]string{"A1": "13:00", "A2": "14:00", "A3": "14:00", "B1": "15:00", "B2": "15:00", "C1": "19:00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("due times after T-0 moved by an hour (-want +got):\n%s", diff)
	}
	logged := r.count(`SELECT count(*) FROM gatehouse.audit_events WHERE action = 'release:schedule' AND reason = 'the carrier is late'
	                      AND before->>'t0' = '2026-03-01T14:00:00Z' AND after->>'t0' = '2026-03-01T15:00:00Z'`)
	if logged != 1 {
		t.Errorf("%d audit entries hold both times, want 1", logged)
	}
	if err := r.runbook.Schedule(t.Context(), devops, runbook.SeenRun{Run: r.id, Version: 1}, t0, "back again"); !fault.Is(err, fault.Conflict) {
		t.Errorf("moving T-0 from an old page = %v, want a conflict", err)
	}
}

func TestAnAbortedReleaseStandsStill(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	seen := runbook.SeenRun{Run: r.id, Version: 1}
	if err := r.runbook.Abort(t.Context(), devops, seen, "REQ-2", "enough"); !fault.Is(err, fault.Invalid) {
		t.Errorf("Abort with another code = %v, want invalid", err)
	}
	if refused, ok := fault.As(r.runbook.Abort(t.Context(), devops, seen, "REQ-2", " ")); !ok || refused.Fields["confirm"] == "" || refused.Fields["reason"] == "" {
		t.Errorf("Abort with another code and no reason complains of %v, want of both", refused)
	}
	if refused, ok := fault.As(r.runbook.Schedule(t.Context(), devops, seen, t0, "")); !ok || refused.Fields["t_zero"] == "" || refused.Fields["reason"] == "" {
		t.Errorf("moving T-0 to where it is, without a reason, complains of %v, want of both", refused)
	}
	if err := r.runbook.Abort(t.Context(), devops, seen, "REQ-1", "enough"); err != nil {
		t.Fatalf("Abort: %v", err)
	}
	if err := r.runbook.Reopen(t.Context(), worker, r.seen("A1"), "because"); !fault.Is(err, fault.Conflict) {
		t.Errorf("an item of it can be reopened: %v", err)
	}
	r.knock(fresh(qa), r.request(signoff.GoNoGo, "qa"), fault.Conflict, "is over")
	r.start(starter) // and another may begin
}

// What was signed off stays: only the watching after it goes on.
func TestASignedOffReleaseIsFrozen(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.finished()
	r.sign(qa, signoff.Final, "qa")
	given := r.sign(devops, signoff.Final, "devops")
	if err := r.runbook.Reopen(t.Context(), worker, r.seen("A1"), "because"); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "signed off") {
		t.Errorf("Reopen after the sign-off = %v, want a conflict", err)
	}
	if err := r.signoff.Withdraw(t.Context(), devops, r.id, given.Gate, given.ID, "sorry"); !fault.Is(err, fault.Conflict) {
		t.Errorf("Withdraw after the sign-off = %v, want a conflict", err)
	}
	r.apply(worker, "down", true)
	gate := r.gate(signoff.Final)
	if got := given.State(gate.SHA256); got != signoff.Void {
		t.Errorf("after a migration was taken back the final signature is %s, want void", got)
	}
}

// A06: every act writes exactly one entry, with who, and what it was and is.
func TestEveryActIsWrittenDownOnce(t *testing.T) {
	t.Parallel()
	r := newHouse(t)
	ctx := t.Context()
	var given signoff.Signature
	for _, act := range []struct {
		action string
		do     func() error
	}{
		{"release:start", func() error { r.id = r.start(starter); return nil }},
		{"item:take", func() error { return r.runbook.Take(ctx, worker, r.seen("A1")) }},
		{"item:done", func() error { return r.runbook.Done(ctx, worker, r.seen("A1"), "looked", "") }},
		{"item:fail", func() error { return r.runbook.Fail(ctx, worker, r.seen("A2"), "bad") }},
		{"item:reopen", func() error { return r.runbook.Reopen(ctx, worker, r.seen("A2"), "again") }},
		{"item:skip", func() error { return r.runbook.Skip(ctx, worker, r.seen("A3"), "not here") }},
		{"item:done", func() error { return r.runbook.Done(ctx, worker, r.seen("A2"), "9", "") }},
		{"gate:sign", func() (err error) {
			given, err = r.signoff.Sign(ctx, fresh(qa), r.request(signoff.GoNoGo, "qa"))
			return err
		}},
		{"gate:withdraw", func() error { return r.signoff.Withdraw(ctx, qa, r.id, given.Gate, given.ID, "hm, wait") }},
		{"release:schedule", func() error {
			return r.runbook.Schedule(ctx, devops, runbook.SeenRun{Run: r.id, Version: 1}, t0.Add(time.Hour), "later")
		}},
		{"gate:sign", func() error { r.sign(qa, signoff.GoNoGo, "qa"); return nil }},
		{"gate:sign", func() error { r.sign(backend, signoff.GoNoGo, "backend"); return nil }},
		{"gate:sign", func() error { r.sign(devops, signoff.GoNoGo, "devops"); return nil }},
		{"item:check", func() error { _, err := r.runbook.Check(ctx, worker, r.seen("B1")); return err }},
		{"release:abort", func() error {
			return r.runbook.Abort(ctx, devops, runbook.SeenRun{Run: r.id, Version: 2}, "REQ-1", "enough")
		}},
	} {
		before := r.events()
		if err := act.do(); err != nil {
			t.Fatalf("%s: %v", act.action, err)
		}
		written := r.count(`SELECT count(*) FROM gatehouse.audit_events WHERE action = $1 AND after IS NOT NULL AND subject <> '' AND tenant_id = $2
		                       AND seq = (SELECT max(seq) FROM gatehouse.audit_events WHERE tenant_id = $2) AND (before IS NOT NULL OR action = 'release:start')`, act.action, housetest.Rivermark)
		if got := r.events() - before; got != 1 || written != 1 {
			t.Errorf("%s wrote %d entries, of which %d say what it was and is; want 1 and 1", act.action, got, written)
		}
	}
}

// T01 and T08: nothing of the other tenant is found, and nothing can be tied to it.
func TestTheOtherTenantSeesNothing(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	given := r.sign(qa, signoff.GoNoGo, "qa")
	ctx := t.Context()
	for what, ask := range map[string]func(id uuid.UUID) error{
		"Show":      func(id uuid.UUID) error { _, err := r.runbook.Show(ctx, stranger, id); return err },
		"Item":      func(id uuid.UUID) error { _, err := r.runbook.Item(ctx, stranger, id, "A1"); return err },
		"Gate":      func(id uuid.UUID) error { _, err := r.signoff.Gate(ctx, stranger, id, signoff.GoNoGo); return err },
		"Signature": func(id uuid.UUID) error { _, _, _, err := r.signoff.Signature(ctx, stranger, id); return err },
	} {
		id := r.id
		if what == "Signature" {
			id = given.ID
		}
		theirs, nobodys := ask(id), ask(uuid.New())
		if !fault.Is(theirs, fault.NotFound) || theirs.Error() != nobodys.Error() {
			t.Errorf("%s of a foreign id = %v, of an unknown one = %v; want the same not found", what, theirs, nobodys)
		}
	}
	if runs, err := r.runbook.List(ctx, stranger, runbook.Query{Limit: 10}); err != nil || len(runs) != 0 {
		t.Errorf("List shows %d releases of another tenant, %v", len(runs), err)
	}
	for _, insert := range []string{
		"INSERT INTO gatehouse.run_migrations (tenant_id, run_id, version, position, title, sha256) VALUES ($2, $1, '9.9.9', 9, 'x', repeat('a', 64))",
		"INSERT INTO gatehouse.run_gates (tenant_id, run_id, gate, position, name, judges, after_phase, offset_seconds, after_migrations) VALUES ($2, $1, 'x', 9, 'x', 'x', 'x', 0, false)",
		"INSERT INTO gatehouse.run_evidence (tenant_id, run_id, item_id, number, kind, value, note, summary, query, passed, sha256, issuer, subject, name) VALUES ($2, $1, 'A1', 99, 'text', 'x', '', '', '', true, 'x', 'x', 'x', 'x')",
		"INSERT INTO gatehouse.signature_withdrawals (tenant_id, signature_id, reason, issuer, subject, name) SELECT $2, signature_id, 'because', 'x', 'x', 'x' FROM gatehouse.signatures WHERE run_id = $1",
	} {
		// As a superuser, who is past row-level security: the keys themselves have to refuse.
		if _, err := r.super.Exec(ctx, insert, r.id, housetest.Saltway); err == nil || !strings.Contains(err.Error(), "23503") {
			t.Errorf("%s = %v, want a foreign key violation", insert, err)
		}
	}
}

func TestPagesCostOneRoundTrip(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	given := r.sign(qa, signoff.GoNoGo, "qa")
	for name, read := range map[string]func(*testing.T) int64{
		"list": func(t *testing.T) int64 {
			ctx, m := postgres.WithMeter(t.Context())
			_, err := r.runbook.List(ctx, worker, runbook.Query{Limit: 50})
			fail(t, err)
			return m.Trips()
		},
		"release": func(t *testing.T) int64 {
			ctx, m := postgres.WithMeter(t.Context())
			_, err := r.runbook.Show(ctx, worker, r.id)
			fail(t, err)
			return m.Trips()
		},
		"item": func(t *testing.T) int64 {
			ctx, m := postgres.WithMeter(t.Context())
			_, err := r.runbook.Item(ctx, worker, r.id, "A1")
			fail(t, err)
			return m.Trips()
		},
		"gate": func(t *testing.T) int64 {
			ctx, m := postgres.WithMeter(t.Context())
			_, err := r.signoff.Gate(ctx, worker, r.id, signoff.GoNoGo)
			fail(t, err)
			return m.Trips()
		},
		"signature": func(t *testing.T) int64 {
			ctx, m := postgres.WithMeter(t.Context())
			_, _, _, err := r.signoff.Signature(ctx, worker, given.ID)
			fail(t, err)
			return m.Trips()
		},
	} {
		if got := read(t); got != 1 {
			t.Errorf("the %s page takes %d round trips, want 1", name, got)
		}
	}
}

func fail(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The list says whose move it is: the first item that keeps the first shut gate shut, then the signatures, then what is left.
func TestTheListSaysWhoseMoveItIs(t *testing.T) {
	t.Parallel()
	r := started(t)
	next := func() runbook.Move {
		runs, err := r.runbook.List(t.Context(), worker, runbook.Query{Limit: 10})
		fail(t, err)
		if len(runs) != 1 {
			t.Fatalf("the list shows %d releases, want 1", len(runs))
		}
		return runs[0].Next
	}
	want := func(move runbook.Move) {
		t.Helper()
		if diff := cmp.Diff(move, next()); diff != "" {
			t.Errorf("the next move (-want +got):\n%s", diff)
		}
	}
	want(runbook.Move{Item: "A1", Title: "First", Owner: actor.DevOpsEngineer, Gate: "Go / no-go"})
	r.ready()
	want(runbook.Move{Gate: "Go / no-go"})
	r.sign(qa, signoff.GoNoGo, "qa")
	r.sign(backend, signoff.GoNoGo, "backend")
	want(runbook.Move{Gate: "Go / no-go"})
	r.sign(devops, signoff.GoNoGo, "devops")
	want(runbook.Move{Item: "B1", Title: "Applied", Owner: actor.DevOpsEngineer, Gate: "Final sign-off"})
	if runs, err := r.runbook.List(t.Context(), stranger, runbook.Query{Limit: 10}); err != nil || len(runs) != 0 {
		t.Errorf("the other tenant's list = %v, %v; want nothing", runs, err)
	}
}

func TestTheListIsReadByKey(t *testing.T) {
	t.Parallel()
	r := newHouse(t)
	for range 5 {
		r.id = r.start(starter)
		fail(t, r.runbook.Abort(t.Context(), devops, runbook.SeenRun{Run: r.id, Version: 1}, "REQ-1", "next one"))
	}
	r.exec("UPDATE gatehouse.runs SET started_at = '2026-01-01'") // all at one moment: the id decides
	seen := map[uuid.UUID]bool{}
	q := runbook.Query{State: runbook.Aborted, Limit: 2}
	for range 3 {
		runs, err := r.runbook.List(t.Context(), worker, q)
		fail(t, err)
		for _, run := range runs {
			if seen[run.ID] {
				t.Errorf("release %s stands on two pages", run.ID)
			}
			seen[run.ID] = true
			q.BeforeAt, q.BeforeID = run.StartedAt, run.ID
		}
	}
	if len(seen) != 5 {
		t.Errorf("three pages of two show %d releases, want 5", len(seen))
	}
}
