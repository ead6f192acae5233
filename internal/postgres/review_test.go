package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/review"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

func (w *watchedRelease) reviews() *review.Service {
	return review.NewService(postgres.Reviews{DB: w.db}, w.service, "demo")
}

func TestAReportIsComputedFromWhatIsStored(t *testing.T) {
	t.Parallel()
	w := watchRelease(t)
	ctx := t.Context()
	w.done("A1", "looked at it")
	if err := w.runbook.Fail(ctx, qa, w.seen("A2"), "the score is 3"); err != nil {
		t.Fatal(err)
	}
	if err := w.runbook.Reopen(ctx, qa, w.seen("A2"), "again"); err != nil {
		t.Fatal(err)
	}
	w.done("A2", "9.5")
	w.rejected("qa", qa)
	if err := w.signoff.Reopen(ctx, worker, w.reopening(1)); err != nil {
		t.Fatal(err)
	}
	w.sign(qa, signoff.GoNoGo, "qa")
	if err := w.runbook.Skip(ctx, qa, w.seen("A3"), "not this time"); err != nil {
		t.Fatal(err) // voids what was signed
	}
	w.sign(qa, signoff.GoNoGo, "qa")
	w.sign(backend, signoff.GoNoGo, "backend")
	w.sign(devops, signoff.GoNoGo, "devops")
	w.apply(worker, "up", true)
	w.turn(time.Hour, 1, 2)

	r, err := w.reviews().Report(ctx, worker, w.id)
	if err != nil {
		t.Fatal(err)
	}
	items := map[string]review.Item{}
	for _, i := range r.Items {
		items[i.ID] = i
	}
	if a2 := items["A2"]; a2.Failed != 1 || a2.Reopened != 1 || a2.State != "done" || a2.LateSeconds == nil || *a2.LateSeconds >= 0 {
		t.Errorf("A2 is %+v", a2)
	}
	standings := []string{}
	for _, s := range r.Signatures {
		standings = append(standings, s.Standing)
	}
	if got := strings.Join(standings, " "); got != "void counts counts counts" {
		t.Errorf("signatures: %s", got)
	}
	if !r.Gates[0].Passed || r.Gates[0].PassedAt == nil || r.Gates[1].Passed || r.Gates[1].PassedAt != nil {
		t.Errorf("gates: %+v", r.Gates)
	}
	if m := r.Migrations[0]; m.Version != "0.0.20" || m.AppliedAt == nil || m.RehearsedMs != nil {
		t.Errorf("migration: %+v", m)
	}
	if len(r.Stops) != 1 || r.Stops[0].Name != qa.Name || r.Stops[0].Role != "QA lead" || r.Stops[0].OpenedBy != worker.Name || r.Stops[0].Note != "There is a new backup." {
		t.Errorf("stops: %+v", r.Stops)
	}
	kinds := map[string]int{}
	for _, f := range r.Findings {
		kinds[f.Kind]++
	}
	for kind, want := range map[string]int{"gate_rejected": 1, "item_failed": 1, "item_reopened": 1, "signature_void": 1, "snapshot_missed": 2} {
		if kinds[kind] != want {
			t.Errorf("%d findings of %s, want %d; all: %v", kinds[kind], kind, want, r.Findings)
		}
	}
	if len(r.Snapshots) != 6 || len(r.Changes) != 20 {
		t.Errorf("%d snapshots and %d comparisons", len(r.Snapshots), len(r.Changes))
	}
	if _, err := r.JSON(); err != nil {
		t.Error(err)
	}
	if _, err := w.reviews().Report(ctx, stranger, w.id); !fault.Is(err, fault.NotFound) {
		t.Errorf("Report to a stranger = %v, want not found", err)
	}
}

// TestMigrationsThatWereThereBeforeAreNoneOfTheRelease: the second release lists what the first has applied.
func TestMigrationsThatWereThereBeforeAreNoneOfTheRelease(t *testing.T) {
	t.Parallel()
	w := watchRelease(t)
	ctx := t.Context()
	look := func() (runbook.Release, review.Migration) {
		shown, err := w.runbook.Show(ctx, worker, w.id)
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.reviews().Report(ctx, worker, w.id)
		if err != nil {
			t.Fatal(err)
		}
		return shown, r.Migrations[0]
	}
	w.apply(worker, "up", true)
	shown, m := look()
	if one := shown.Migrations[0]; !one.Own || one.Before(shown.Run.StartedAt) || m.ThereSince != nil || m.TookMs == nil {
		t.Errorf("of the release that applied it: %+v, %+v", one, m)
	}
	w.exec("UPDATE gatehouse.runs SET state = 'aborted', ended_at = now(), ended_by = 'Dana', end_reason = 'the line stops' WHERE run_id = $1", w.id)
	var err error
	// It is given no title, and has that of its runbook.
	w.id, err = w.runbook.Start(ctx, starter, runbook.StartRequest{Template: w.template.SHA256, Code: "REQ-2", T0: w.t0, TimeZone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	shown, m = look()
	if one := shown.Migrations[0]; one.Own || !one.Before(shown.Run.StartedAt) || m.ThereSince == nil || m.TookMs != nil || m.AppliedAt != nil {
		t.Errorf("of the release after it: %+v, %+v", one, m)
	}
	if shown.Run.Title != w.template.Title || shown.Run.Title == "" {
		t.Errorf("the title is %q, want that of the runbook, %q", shown.Run.Title, w.template.Title)
	}
	if got := states(w.show()); len(w.show().Run.Taken) != 0 || w.show().Run.Unmigrated {
		t.Errorf("what was there before is called not applied: %v", got)
	}
	w.apply(worker, "down", true)
	if shown, m = look(); !shown.Migrations[0].Own || shown.Migrations[0].Before(shown.Run.StartedAt) || m.ThereSince == nil {
		t.Errorf("taken back by the release after it: %+v, %+v", shown.Migrations[0], m)
	}
}

// TestOverridesAndRollbacksThatNobodyReviewedAreFindings: two people's word and one decision, until somebody looked at it.
func TestOverridesAndRollbacksThatNobodyReviewedAreFindings(t *testing.T) {
	t.Parallel()
	w := watchRelease(t)
	found := func() map[string]string {
		r, err := w.reviews().Report(t.Context(), worker, w.id)
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{}
		for _, f := range r.Findings {
			texts[f.Kind] = f.Text
		}
		return texts
	}
	override, rollback := uuid.New(), uuid.New()
	w.exec(`INSERT INTO gatehouse.apply_overrides (tenant_id, override_id, run_id, kind, reason, issuer, subject, name, auth_time, asked_at, expires_at)
		VALUES ($1, $2, $3, 'freeze', 'The line stands.', 'i', 'a', 'Dana', now(), now(), now() + interval '2 hours')`, worker.Tenant, override, w.id)
	if got := found()["overridden"]; got != "" {
		t.Errorf("what one person asked for overrides nothing: %q", got)
	}
	w.exec(`INSERT INTO gatehouse.apply_override_seconds (tenant_id, override_id, asked_issuer, asked_subject, issuer, subject, name, auth_time, seconded_at)
		VALUES ($1, $2, 'i', 'a', 'i', 'b', 'Ines', now(), now())`, worker.Tenant, override)
	if got, want := found()["overridden"], "A freeze was overridden: asked for by Dana, agreed to by Ines: The line stands."; got != want {
		t.Errorf("the report says %q, want %q", got, want)
	}
	w.exec(`INSERT INTO gatehouse.rollbacks (tenant_id, rollback_id, run_id, option_id, title, data_loss, safe, steps, reason, issuer, subject, name, auth_time, started_at)
		VALUES ($1, $2, $3, 'RB-1', 'Undo', 'none', true, '{one}', 'Pods restart.', 'i', 'a', 'Dana', now(), now())`, worker.Tenant, rollback, w.id)
	if got := found()["rolling_back"]; !strings.Contains(got, "RB-1, decided by Dana: Pods restart.") {
		t.Errorf("under way: %q", got)
	}
	w.exec(`INSERT INTO gatehouse.rollback_acts (tenant_id, rollback_id, kind, good, note, took_seconds, issuer, subject, name, done_at)
		VALUES ($1, $2, 'ended', true, 'It runs.', 60, 'i', 'a', 'Dana', now())`, worker.Tenant, rollback)
	if got := found()["rollback_not_reviewed"]; !strings.Contains(got, "has not been reviewed by somebody else") {
		t.Errorf("ended: %q", got)
	}
	w.exec(`INSERT INTO gatehouse.rollback_acts (tenant_id, rollback_id, kind, good, note, issuer, subject, name, auth_time, done_at)
		VALUES ($1, $2, 'reviewed', false, 'Too late.', 'i', 'b', 'Ines', now(), now())`, worker.Tenant, rollback)
	if got := found(); got["rollback_not_reviewed"] != "" || !strings.Contains(got["rollback_objected"], "Ines reviewed the rollback by RB-1, and something was not in order: Too late.") {
		t.Errorf("reviewed: %v", got)
	}
}

func TestLessonsStayOpenUntilSomebodyActedOnThem(t *testing.T) {
	t.Parallel()
	w := watchRelease(t)
	ctx, service := t.Context(), w.reviews()
	draft := review.Draft{ID: uuid.New(), Happened: "It was slow.", Why: "No index.", Todo: "Make one.", Owner: "backend_lead", DueOn: time.Now().UTC().AddDate(0, 0, 14).Truncate(24 * time.Hour)}

	wrong := review.Draft{ID: uuid.New(), Happened: "x", Owner: "king", DueOn: time.Now().AddDate(0, 0, -3)}
	err := service.AddLesson(ctx, worker, w.id, wrong)
	refused, ok := fault.As(err)
	if !ok || refused.Kind != fault.Invalid || len(refused.Fields) != 5 {
		t.Errorf("AddLesson(wrong) = %v, want a complaint about each of five fields", err)
	}
	for name, err := range map[string]error{
		"a reader":   service.AddLesson(ctx, housetest.Person(housetest.Rivermark, "Vera", actor.Viewer), w.id, draft),
		"a stranger": service.AddLesson(ctx, stranger, w.id, draft),
	} {
		if !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.NotFound) {
			t.Errorf("AddLesson by %s = %v", name, err)
		}
	}
	for range 2 { // pressed twice
		if err := service.AddLesson(ctx, worker, w.id, draft); err != nil {
			t.Fatal(err)
		}
	}
	for what, again := range map[string]func(*review.Draft) actor.Actor{
		"with other words":  func(d *review.Draft) actor.Actor { d.Todo = "Make two."; return worker },
		"by another person": func(*review.Draft) actor.Actor { return qa },
	} {
		other := draft
		by := again(&other)
		if err := service.AddLesson(ctx, by, w.id, other); !fault.Is(err, fault.Conflict) {
			t.Errorf("the same form %s = %v, want a conflict: nothing was stored", what, err)
		}
	}
	open, _, err := service.Open(ctx, qa)
	if err != nil || len(open) != 1 || open[0].Release != "REQ-1" || open[0].Todo != "Make one." || !open[0].DueOn.Equal(draft.DueOn) {
		t.Errorf("Open = %+v, %v", open, err)
	}
	if theirs, _, err := service.Open(ctx, stranger); err != nil || len(theirs) != 0 {
		t.Errorf("a stranger sees %d lessons, %v", len(theirs), err)
	}
	if err := service.Done(ctx, stranger, w.id, draft.ID, "it was done"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Done by a stranger = %v", err)
	}
	if err := service.Done(ctx, qa, w.id, draft.ID, " "); !fault.Is(err, fault.Invalid) {
		t.Errorf("Done without a word = %v", err)
	}
	if err := service.Done(ctx, qa, w.id, draft.ID, "The index is there."); err != nil {
		t.Fatal(err)
	}
	if err := service.Done(ctx, worker, w.id, draft.ID, "Again."); !fault.Is(err, fault.Conflict) {
		t.Errorf("Done twice = %v, want a conflict", err)
	}
	if open, _, err := service.Open(ctx, qa); err != nil || len(open) != 0 {
		t.Errorf("Open afterwards = %+v, %v", open, err)
	}
	r, err := service.Report(ctx, worker, w.id)
	if err != nil || len(r.Lessons) != 1 || r.Lessons[0].DoneBy != "Quin" || r.Lessons[0].DoneNote != "The index is there." {
		t.Errorf("the report's lessons: %+v, %v", r.Lessons, err)
	}
	if n := w.count(`SELECT count(*) FROM gatehouse.audit_events WHERE action LIKE 'lesson:%' AND outcome = 'done' AND tenant_id = $1`, worker.Tenant); n != 2 {
		t.Errorf("%d entries of lessons, want 2", n)
	}
	if _, err := w.super.Exec(ctx, "UPDATE gatehouse.release_lessons SET todo = 'nothing'"); err == nil {
		t.Error("a lesson was rewritten")
	}
}
