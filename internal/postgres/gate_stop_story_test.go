package postgres_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

func (r *release) rejection(slot signoff.SlotID) signoff.RejectRequest {
	return signoff.RejectRequest{Run: r.id, Gate: signoff.GoNoGo, Slot: slot, Reason: "The backup is from last week.", Key: uuid.New()}
}

func (r *release) reopening(after int) signoff.ReopenRequest {
	return signoff.ReopenRequest{Run: r.id, Gate: signoff.GoNoGo, After: after, Note: "There is a new backup.", Key: uuid.New()}
}

func (r *release) rejected(slot signoff.SlotID, by actor.Actor) {
	r.t.Helper()
	if err := r.signoff.Reject(r.t.Context(), fresh(by), r.rejection(slot)); err != nil {
		r.t.Fatalf("Reject: %v", err)
	}
}

func (r *release) stops() int { return r.count("SELECT count(*) FROM gatehouse.gate_stops") }

// expiring is a release whose first gate may be passed for eight hours after it is due.
func expiring(t *testing.T) *release {
	t.Helper()
	r := newHouse(t)
	var err error
	r.template, err = runbook.ParseTemplate([]byte(strings.Replace(small, `"offset":"-15m"`, `"offset":"-15m","expires_after":"+8h"`, 1)))
	if err != nil {
		t.Fatalf("ParseTemplate: %v", err)
	}
	r.runbook = r.stories(r.template)
	r.id = r.start(starter)
	r.exec("UPDATE gatehouse.runs SET t0 = now() WHERE run_id = $1", r.id)
	return r
}

func TestARejectedGateIsShutUntilANewAttempt(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.passed()
	if !r.passedNow(signoff.GoNoGo) {
		t.Fatal("the gate is not passed")
	}
	request, signed := r.request(signoff.GoNoGo, "product"), r.gate(signoff.GoNoGo)
	r.rejected("qa", qa)

	gate := r.gate(signoff.GoNoGo)
	stop, ok := gate.Stopped()
	if !ok || stop.Kind != signoff.Rejected || stop.Name != qa.Name || stop.Role != actor.QALead || stop.Reason != "The backup is from last week." || !stop.Intact || stop.Content != signed.Content {
		t.Errorf("Stopped = %+v, %v; want the rejection by %s with what the gate was about", stop, ok, qa.Name)
	}
	if r.passedNow(signoff.GoNoGo) || gate.Passed() {
		t.Error("a rejected gate is still passed")
	}
	if _, ok := gate.Standing("backend"); ok {
		t.Error("a signature from before the rejection still stands")
	}
	owner := housetest.Person(housetest.Rivermark, "Petra", actor.ProductOwner)
	r.knock(fresh(owner), request, fault.Conflict, "has rejected this gate")
	r.knock(fresh(owner), r.request(signoff.GoNoGo, "product"), fault.Conflict, "has rejected this gate")
	if err := r.runbook.Take(t.Context(), worker, r.seen("B1")); !fault.Is(err, fault.Conflict) {
		t.Errorf("Take(B1) behind the rejected gate = %v, want a conflict", err)
	}
	if len(gate.Blockers) == 0 || !strings.Contains(gate.Blockers[0].Text, "Quin rejected this gate") {
		t.Errorf("the blockers say %+v, want first who rejected", gate.Blockers)
	}

	if err := r.signoff.Reopen(t.Context(), worker, r.reopening(1)); err != nil {
		t.Fatalf("Reopen: %v", err)
	}
	gate = r.gate(signoff.GoNoGo)
	if _, ok := gate.Stopped(); ok || gate.Attempt() != 2 || gate.Attempts[0].Note != "There is a new backup." {
		t.Errorf("after the new attempt the gate is at %d, stopped %v: %+v", gate.Attempt(), ok, gate.Attempts)
	}
	if r.passedNow(signoff.GoNoGo) {
		t.Error("a new attempt takes the old signatures with it")
	}
	changes, err := signoff.Compare(stop.Content, gate.Content)
	if err != nil || len(changes) != 2 || changes[0].What != "End of attempt 1" || changes[1].What != "Attempt 2" || !strings.Contains(changes[0].Now, "rejected by Quin") {
		t.Errorf("the difference to the rejected attempt is %+v, %v; want its end and the new one", changes, err)
	}
	r.sign(qa, signoff.GoNoGo, "qa")
	r.sign(backend, signoff.GoNoGo, "backend")
	r.sign(devops, signoff.GoNoGo, "devops")
	if !r.passedNow(signoff.GoNoGo) {
		t.Error("the new attempt does not pass when all have signed")
	}
	if got := r.count("SELECT count(*) FROM gatehouse.audit_events WHERE outcome = 'done' AND action IN ('gate:reject', 'gate:reopen')"); got != 2 {
		t.Errorf("%d audit entries of the rejection and the new attempt, want 2", got)
	}
}

func TestWhoMayRejectAndWhoMayOpenANewAttempt(t *testing.T) {
	t.Parallel()
	r := started(t)
	knock := func(what string, err error, kind fault.Kind, words string) {
		t.Helper()
		if !fault.Is(err, kind) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s = %v; want %s with %q", what, err, kind, words)
		}
	}
	reject := func(by actor.Actor, change func(*signoff.RejectRequest)) error {
		request := r.rejection("qa")
		change(&request)
		return r.signoff.Reject(t.Context(), by, request)
	}
	none := func(*signoff.RejectRequest) {}
	stale, machine := qa, fresh(qa)
	stale.AuthTime = time.Now().Add(-6 * time.Minute)
	machine.Rights = []actor.Right{actor.GateSign}
	knock("another role", reject(fresh(backend), none), fault.Forbidden, "QA lead")
	knock("no right", reject(fresh(worker), none), fault.Forbidden, "gate:sign")
	knock("a machine", reject(machine, none), fault.Forbidden, "no machine")
	knock("a stale sign-in", reject(stale, none), fault.Unauthenticated, "five minutes")
	knock("no reason", reject(fresh(qa), func(q *signoff.RejectRequest) { q.Reason = " x " }), fault.Invalid, "reject_reason")
	knock("NUL", reject(fresh(qa), func(q *signoff.RejectRequest) { q.Reason = "a\x00bcd" }), fault.Invalid, "reject_reason")
	knock("too much", reject(fresh(qa), func(q *signoff.RejectRequest) { q.Reason = strings.Repeat("x", 2001) }), fault.Invalid, "reject_reason")
	knock("no key", reject(fresh(qa), func(q *signoff.RejectRequest) { q.Key = uuid.Nil }), fault.Invalid, "key")
	knock("no such place", reject(fresh(qa), func(q *signoff.RejectRequest) { q.Slot = "nobody" }), fault.NotFound, "no such place")
	knock("another tenant", reject(fresh(stranger), none), fault.NotFound, "no such release")
	knock("nothing to open", r.signoff.Reopen(t.Context(), worker, r.reopening(1)), fault.Conflict, "not stopped")
	if r.stops() != 0 {
		t.Fatal("a refused rejection stopped the gate")
	}
	// A brake has no four eyes: who started the release may stop it, as long as the role has a place.
	lead := housetest.Person(housetest.Rivermark, "Lena", actor.DevOpsLead)
	r.exec("UPDATE gatehouse.runs SET started_by_issuer = $2, started_by_subject = $3 WHERE run_id = $1", r.id, lead.Issuer, lead.Subject)
	r.rejected("devops", lead)
	knock("a second rejection", reject(fresh(qa), none), fault.Conflict, "Lena has rejected")
	knock("no right to open", r.signoff.Reopen(t.Context(), fresh(qa), r.reopening(1)), fault.Forbidden, "release:manage")
	knock("another tenant opens", r.signoff.Reopen(t.Context(), fresh(stranger), r.reopening(1)), fault.NotFound, "no such release")
	knock("another attempt", r.signoff.Reopen(t.Context(), worker, r.reopening(2)), fault.Conflict, "nothing was opened")
	short := r.reopening(1)
	short.Note = ""
	knock("no note", r.signoff.Reopen(t.Context(), worker, short), fault.Invalid, "attempt_note")
	if got := r.count("SELECT count(*) FROM gatehouse.gate_attempts"); got != 0 {
		t.Errorf("%d attempts were opened, want none", got)
	}
	r.exec("UPDATE gatehouse.runs SET state = 'aborted', ended_at = now(), ended_by = 'Sam', end_reason = 'enough' WHERE run_id = $1", r.id)
	knock("a release that is over", r.signoff.Reopen(t.Context(), worker, r.reopening(1)), fault.Conflict, "over")
}

// Two processes, each with its own connections, and the same form at both.
func TestARejectionAndANewAttemptHappenOnce(t *testing.T) {
	t.Parallel()
	r := started(t)
	other := signoff.NewService(postgres.Signoff{DB: housetest.Open(t, r.house)})
	for round := 1; round <= 20; round++ {
		reject, reopen, before := r.rejection("qa"), r.reopening(round), r.events()
		both := func(act func(*signoff.Service) error) []error {
			errs := make([]error, 2)
			var wait sync.WaitGroup
			for i, s := range []*signoff.Service{r.signoff, other} {
				wait.Go(func() { errs[i] = act(s) })
			}
			wait.Wait()
			return errs
		}
		if err := errors.Join(both(func(s *signoff.Service) error { return s.Reject(t.Context(), fresh(qa), reject) })...); err != nil {
			t.Fatalf("round %d: the same rejection twice: %v", round, err)
		}
		if err := errors.Join(both(func(s *signoff.Service) error { return s.Reopen(t.Context(), worker, reopen) })...); err != nil {
			t.Fatalf("round %d: the same new attempt twice: %v", round, err)
		}
		if got := r.events() - before; got != 2 {
			t.Fatalf("round %d: %d audit entries, want 2", round, got)
		}
		if r.stops() != round || r.count("SELECT count(*) FROM gatehouse.gate_attempts") != round {
			t.Fatalf("round %d: %d stops", round, r.stops())
		}
		// The form of the round before, from the Back button: it says that it has been, and changes nothing.
		if err := r.signoff.Reject(t.Context(), fresh(qa), reject); !fault.Is(err, fault.Conflict) || r.stops() != round {
			t.Errorf("round %d: the used form once more = %v with %d stops; want a conflict and nothing", round, err, r.stops())
		}
	}
	// Two tabs, two forms: one opens, the other is told who did.
	r.rejected("qa", qa)
	var errs [2]error
	var wait sync.WaitGroup
	for i, s := range []*signoff.Service{r.signoff, other} {
		wait.Go(func() { errs[i] = s.Reopen(t.Context(), worker, r.reopening(21)) })
	}
	wait.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !strings.Contains(errors.Join(errs[:]...).Error(), "Wim has opened attempt 22 already") {
		t.Errorf("two new attempts at once: %v and %v; want one, and who opened it", errs[0], errs[1])
	}
}

// A7: the clock that decides is the database's, and nobody has to have come by.
func TestAGateWhoseTimeIsOverIsDenied(t *testing.T) {
	t.Parallel()
	r := expiring(t)
	r.ready()
	r.sign(qa, signoff.GoNoGo, "qa")
	move := func(seconds int) {
		r.exec("UPDATE gatehouse.runs SET t0 = clock_timestamp() + interval '15 minutes' - interval '8 hours' + make_interval(secs => $2) WHERE run_id = $1", r.id, seconds)
	}
	move(60)
	if _, stopped := r.gate(signoff.GoNoGo).Stopped(); stopped {
		t.Fatal("the gate is denied a minute before its time is over")
	}
	r.sign(qa, signoff.GoNoGo, "qa")
	move(-1)
	gate := r.gate(signoff.GoNoGo)
	if stop, stopped := gate.Stopped(); !stopped || stop.Kind != signoff.Expired || r.stops() != 0 {
		t.Fatalf("a second after its time the gate is %+v, %v, with %d written down; want expired by the clock alone", stop, stopped, r.stops())
	}
	r.knock(fresh(backend), r.request(signoff.GoNoGo, "backend"), fault.Conflict, "time of this gate has run out")
	if err := r.signoff.Reject(t.Context(), fresh(qa), r.rejection("qa")); !fault.Is(err, fault.Conflict) {
		t.Errorf("rejecting what is denied already = %v, want a conflict", err)
	}

	// Two schedulers come by at once, and again: it is written down once.
	scheduler := housetest.Person(housetest.Rivermark, "scheduler")
	scheduler.Origin = actor.Worker
	before := r.events()
	var errs [3]error
	var wait sync.WaitGroup
	other := signoff.NewService(postgres.Signoff{DB: housetest.Open(t, r.house)})
	for i, s := range []*signoff.Service{r.signoff, other, r.signoff} {
		wait.Go(func() { _, errs[i] = s.Expire(t.Context(), scheduler) })
	}
	wait.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatalf("Expire: %v", err)
	}
	if got := r.events() - before; got != 1 || r.stops() != 1 {
		t.Errorf("%d entries and %d stops, want one of each", got, r.stops())
	}
	elsewhere := housetest.Person(housetest.Saltway, "scheduler")
	if n, err := r.signoff.Expire(t.Context(), elsewhere); n != 0 || err != nil {
		t.Errorf("the other tenant's scheduler finds %d, %v; want none", n, err)
	}
	// Moving T-0 does not bring it back to life.
	move(3600)
	if _, stopped := r.gate(signoff.GoNoGo).Stopped(); !stopped {
		t.Error("a gate that was denied is open again after T-0 moved")
	}

	if err := r.signoff.Reopen(t.Context(), worker, r.reopening(1)); err != nil {
		t.Fatalf("Reopen: %v", err)
	}
	move(-3600)
	gate = r.gate(signoff.GoNoGo)
	if _, stopped := gate.Stopped(); stopped || gate.ExpiresAt.Sub(gate.At) < 7*time.Hour {
		t.Errorf("the new attempt has until %s, and it is %s; want the whole limit from its opening on", gate.ExpiresAt, gate.At)
	}
	r.sign(qa, signoff.GoNoGo, "qa")
}

// Nobody has written the expiry down, and somebody opens the new attempt: both are kept.
func TestANewAttemptWritesTheExpiryDown(t *testing.T) {
	t.Parallel()
	r := expiring(t)
	r.exec("UPDATE gatehouse.runs SET t0 = now() - interval '1 day' WHERE run_id = $1", r.id)
	if err := r.signoff.Reopen(t.Context(), worker, r.reopening(1)); err != nil {
		t.Fatalf("Reopen: %v", err)
	}
	gate := r.gate(signoff.GoNoGo)
	if len(gate.Stops) != 1 || gate.Stops[0].Kind != signoff.Expired || !strings.Contains(gate.Stops[0].Reason, "It had to be passed by") || gate.Attempt() != 2 {
		t.Errorf("the gate: stops %+v, attempt %d; want the expiry and attempt 2", gate.Stops, gate.Attempt())
	}
	if got := r.count("SELECT count(*) FROM gatehouse.audit_events WHERE action IN ('gate:expire', 'gate:reopen')"); got != 2 {
		t.Errorf("%d entries, want both", got)
	}
}

// A gate that passed in time stays passed, whatever hour it is.
func TestAPassedGateDoesNotExpire(t *testing.T) {
	t.Parallel()
	r := expiring(t)
	r.passed()
	// Time goes by: T-0 and with it the limit lie a day back, and the signatures are of the content as it was then already.
	r.exec("UPDATE gatehouse.runs SET t0 = now() - interval '1 day' WHERE run_id = $1", r.id)
	if _, stopped := r.gate(signoff.GoNoGo).Stopped(); !stopped {
		t.Fatal("the gate is not over its time")
	}
	r.exec("ALTER TABLE gatehouse.signatures DISABLE TRIGGER signatures_append_only")
	r.exec(`UPDATE gatehouse.signatures s SET content = c.content, content_sha256 = encode(sha256(convert_to(c.content, 'UTF8')), 'hex')
		FROM (SELECT set_config('app.current_tenant_id', $2, true) AS entered) e
		CROSS JOIN LATERAL (SELECT gatehouse.gate_content($1, 'go_no_go')::text AS content WHERE e.entered IS NOT NULL) c`, r.id, housetest.Rivermark.String())
	if !r.passedNow(signoff.GoNoGo) {
		t.Fatal("the gate is not passed")
	}
	if _, stopped := r.gate(signoff.GoNoGo).Stopped(); stopped {
		t.Error("a passed gate is denied")
	}
}

func TestAForgedRejectionIsSeen(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.rejected("qa", qa)
	r.exec("ALTER TABLE gatehouse.gate_stops DISABLE TRIGGER gate_stops_append_only")
	r.exec("ALTER TABLE gatehouse.gate_stops DROP CONSTRAINT gate_stops_content_hash")
	r.exec("UPDATE gatehouse.gate_stops SET content = replace(content, 'Lisbon', 'Berlin')")
	if stop, _ := r.gate(signoff.GoNoGo).Stopped(); stop.Intact {
		t.Error("a forged content of a rejection is called intact")
	}
	// The application may add, and nothing else.
	if got := r.count(`SELECT count(*) FROM information_schema.role_table_grants
		WHERE grantee = 'gatehouse_app' AND table_name IN ('gate_stops', 'gate_attempts') AND privilege_type NOT IN ('SELECT', 'INSERT')`); got != 0 {
		t.Errorf("the application has %d rights more than to read and to add", got)
	}
}
