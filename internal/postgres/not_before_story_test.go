package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// timed starts the small runbook with claims that need their time: A1 from an hour before T-0 on, the final gate from an
// hour after it.
func timed(t *testing.T, fromNow time.Duration) *release {
	t.Helper()
	r := newHouse(t)
	text := strings.Replace(small, `"id":"A1",`, `"id":"A1","not_before":"-1h",`, 1)
	text = strings.Replace(text, `"id":"final",`, `"id":"final","not_before":"+1h",`, 1)
	var err error
	if r.template, err = runbook.ParseTemplate([]byte(text)); err != nil {
		t.Fatalf("ParseTemplate: %v", err)
	}
	r.runbook = r.stories(r.template)
	r.id, err = r.runbook.Start(t.Context(), starter, runbook.StartRequest{
		Template: r.template.SHA256, Code: "REQ-1", Title: "One", T0: time.Now().Add(fromNow), TimeZone: "Europe/Lisbon",
	})
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	return r
}

func (r *release) schedule(fromNow time.Duration) {
	r.t.Helper()
	shown, err := r.runbook.Show(r.t.Context(), worker, r.id)
	if err != nil {
		r.t.Fatalf("Show: %v", err)
	}
	err = r.runbook.Schedule(r.t.Context(), devops, runbook.SeenRun{Run: r.id, Version: shown.Run.Version}, time.Now().Add(fromNow), "the clock of the test")
	if err != nil {
		r.t.Fatalf("Schedule: %v", err)
	}
}

func TestNothingIsSaidBeforeItsTime(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r := timed(t, 3*time.Hour)
	err := r.runbook.Done(ctx, worker, r.seen("A1"), "looked at it", "")
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "can be said from") || !strings.Contains(err.Error(), "T-1h") {
		t.Errorf("Done two hours early = %v, want a conflict that says from when on", err)
	}
	if acts := r.item("A1").Acts(worker, r.item("A1").Item); len(acts) != 2 || acts[0] != runbook.Take || acts[1] != runbook.GiveUp {
		t.Errorf("before its time one can %v, want to take it or to say that it failed", acts)
	}
	if err := r.runbook.Take(ctx, worker, r.seen("A1")); err != nil {
		t.Errorf("Take before its time: %v", err)
	}

	// Past the service, the statement itself refuses by the database's clock.
	item := r.item("A1").Item
	err = postgres.Runbook{DB: r.db}.InTenant(ctx, worker, func(ctx context.Context, tx runbook.Tx) error {
		number, err := tx.AddEvidence(ctx, r.id, item.ID, runbook.Evidence{Kind: runbook.Text, Value: "looked", By: runbook.Person{Issuer: worker.Issuer, Subject: worker.Subject, Name: worker.Name}})
		if err != nil {
			return err
		}
		seen := item.Version
		item.State, item.Holder, item.Evidence, item.Version = runbook.Done, runbook.Person{}, number, seen+1
		item.Settled, item.SettledAt, item.DueThen = runbook.Person{Subject: "w", Name: "Wim"}, time.Now().Add(48*time.Hour), time.Now()
		return tx.Change(ctx, r.id, item, seen)
	})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a change past the service = %v, want a conflict", err)
	}

	r.schedule(-2 * time.Hour)
	r.done("A1", "looked at it")
}

func TestWhatWasSaidBeforeANewTZeroIsSaidAgain(t *testing.T) {
	t.Parallel()
	r := timed(t, -2*time.Hour)
	r.ready()
	r.sign(qa, signoff.GoNoGo, "qa")
	r.schedule(3 * time.Hour)
	r.knock(fresh(backend), r.request(signoff.GoNoGo, "backend"), fault.Conflict, "A1, First, was said before its time as T-0 is now.")
	if !strings.Contains(r.gate(signoff.GoNoGo).Content, `"not_before": "`) {
		t.Error("the content that is signed does not hold when A1 could be said")
	}
	r.schedule(-2 * time.Hour)
	r.sign(backend, signoff.GoNoGo, "backend")
}

func TestTheFinalGateOpensAtItsTime(t *testing.T) {
	t.Parallel()
	r := timed(t, -30*time.Minute)
	r.finished()
	r.knock(fresh(qa), r.request(signoff.Final, "qa"), fault.Conflict, "The gate opens at")
	r.schedule(-61 * time.Minute)
	r.sign(qa, signoff.GoNoGo, "qa") // again, because T-0 was signed too
	r.sign(backend, signoff.GoNoGo, "backend")
	r.sign(devops, signoff.GoNoGo, "devops")
	r.sign(qa, signoff.Final, "qa")
	r.sign(devops, signoff.Final, "devops")
	if got := r.state(); got != runbook.SignedOff {
		t.Errorf("an hour after T-0 the release is %s, want signed_off", got)
	}
}
