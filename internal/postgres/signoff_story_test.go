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
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// knock signs past the page, and wants the refusal of that kind with words of it; and that nothing came of it.
func (r *release) knock(by actor.Actor, request signoff.SignRequest, kind fault.Kind, words string) {
	r.t.Helper()
	if err := r.refusal(by, request, kind, words); err == nil {
		r.t.Error("nothing was refused")
	}
}

// refusal is knock for who wants to look at the refusal itself.
func (r *release) refusal(by actor.Actor, request signoff.SignRequest, kind fault.Kind, words string) error {
	r.t.Helper()
	signatures, events := r.signatures(), r.events()
	_, err := r.signoff.Sign(r.t.Context(), by, request)
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), words) {
		r.t.Errorf("Sign(%s, %s as %s) = %v; want %s with %q", by.Name, request.Gate, request.Slot, err, kind, words)
	}
	if got := r.signatures(); got != signatures {
		r.t.Errorf("a refused signature left %d signatures, want %d", got, signatures)
	}
	if got := r.events(); got != events {
		r.t.Errorf("a refused signature left %d audit entries of what was done, want %d", got, events)
	}
	return err
}

func (r *release) signatures() int { return r.count("SELECT count(*) FROM gatehouse.signatures") }

func (r *release) events() int {
	return r.count("SELECT count(*) FROM gatehouse.audit_events WHERE outcome = 'done'")
}

func (r *release) passedNow(id signoff.GateID) bool {
	r.t.Helper()
	var passed bool
	err := r.super.QueryRow(r.t.Context(), `SELECT gatehouse.gate_passed($1, $2)
		FROM (SELECT set_config('app.current_tenant_id', $3, false)) AS entered WHERE entered IS NOT NULL`,
		r.id, string(id), housetest.Rivermark.String()).Scan(&passed)
	if err != nil {
		r.t.Fatalf("gate_passed: %v", err)
	}
	return passed
}

// S01: one form, pressed twice at the same moment, fifty times.
func TestADoublePressSignsOnce(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	for round := range 50 {
		request, before := r.request(signoff.GoNoGo, "qa"), r.events()
		var given [2]signoff.Signature
		var errs [2]error
		var both sync.WaitGroup
		for i := range given {
			both.Go(func() { given[i], errs[i] = r.signoff.Sign(t.Context(), fresh(qa), request) })
		}
		both.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if given[0].ID != given[1].ID || given[0].ID == uuid.Nil {
			t.Errorf("round %d: the second press shows signature %s, want the first, %s", round, given[1].ID, given[0].ID)
		}
		if got := r.events() - before; got != 1 {
			t.Errorf("round %d: two presses made %d audit entries, want 1", round, got)
		}
		if got := r.signatures(); got != round+1 {
			t.Fatalf("round %d: there are %d signatures, want %d", round, got, round+1)
		}
		if err := r.signoff.Withdraw(t.Context(), qa, r.id, given[0].Gate, given[0].ID, "next round"); err != nil {
			t.Fatalf("round %d: Withdraw: %v", round, err)
		}
	}
}

func TestAUsedFormSignsNothingElse(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	request := r.request(signoff.GoNoGo, "qa")
	if _, err := r.signoff.Sign(t.Context(), fresh(qa), request); err != nil {
		t.Fatalf("Sign: %v", err)
	}
	other := r.request(signoff.GoNoGo, "backend")
	other.Key = request.Key
	r.knock(fresh(backend), other, fault.Conflict, "another signature")
	for name, spoil := range map[string]func(*signoff.SignRequest){
		"meaning": func(s *signoff.SignRequest) { s.Meaning = "executed" },
		"note":    func(s *signoff.SignRequest) { s.Note = "something else" },
		"score":   func(s *signoff.SignRequest) { s.Score = new(signoff.Score) },
		"content": func(s *signoff.SignRequest) { s.ContentSHA256 = strings.Repeat("0", 64) },
	} {
		changed := request
		spoil(&changed)
		if _, err := r.signoff.Sign(t.Context(), fresh(qa), changed); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "said something else") {
			t.Errorf("the same form with another %s = %v; want that it says something else", name, err)
		}
	}
}

// Back, and the old form once more: nobody is told that they have signed where no signature of theirs stands.
func TestAnOldFormDoesNotPretendToHaveSigned(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	request := r.request(signoff.GoNoGo, "qa")
	given, err := r.signoff.Sign(t.Context(), fresh(qa), request)
	if err != nil {
		t.Fatalf("Sign: %v", err)
	}
	if again, err := r.signoff.Sign(t.Context(), fresh(qa), request); err != nil || again.ID != given.ID {
		t.Fatalf("the form once more while it stands = %s, %v; want the signature %s", again.ID, err, given.ID)
	}
	if err := r.signoff.Withdraw(t.Context(), qa, r.id, given.Gate, given.ID, "thought again"); err != nil {
		t.Fatalf("Withdraw: %v", err)
	}
	r.knock(fresh(qa), request, fault.Conflict, "taken back since")
	if got := r.signatures(); got != 1 {
		t.Errorf("there are %d signatures, want the one that was taken back", got)
	}
}

// S03: two people of one role, at the same moment.
func TestTwoPeopleOfOneRoleFillOneSlot(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	second := housetest.Person(housetest.Rivermark, "Quentin", actor.QALead)
	requests := [2]signoff.SignRequest{r.request(signoff.GoNoGo, "qa"), r.request(signoff.GoNoGo, "qa")}
	var errs [2]error
	var both sync.WaitGroup
	for i, by := range []actor.Actor{fresh(qa), fresh(second)} {
		both.Go(func() { _, errs[i] = r.signoff.Sign(t.Context(), by, requests[i]) })
	}
	both.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("two people signed one slot with %v and %v; want exactly one refusal", errs[0], errs[1])
	}
	holder, _ := r.gate(signoff.GoNoGo).Standing("qa")
	if err := errors.Join(errs[:]...); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), holder.Name+" has signed") {
		t.Errorf("the other one was told %v, want who holds the slot (%s)", err, holder.Name)
	}
	if got := r.signatures(); got != 1 {
		t.Errorf("%d signatures, want 1", got)
	}
}

// S04: what the page showed is replaced before the signature arrives.
func TestContentThatMovedIsNotSigned(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	request := r.request(signoff.GoNoGo, "qa")
	if err := r.runbook.Reopen(t.Context(), worker, r.seen("A2"), "typed it wrong"); err != nil {
		t.Fatalf("Reopen: %v", err)
	}
	r.done("A2", "7.0")
	err := r.refusal(fresh(qa), request, fault.Conflict, "has changed since you opened the page")
	var moved *signoff.Moved
	if !errors.As(err, &moved) {
		t.Fatalf("Sign = %T, want a *signoff.Moved", err)
	}
	var what []string
	for _, c := range moved.Changes {
		what = append(what, c.What)
	}
	if got, want := strings.Join(what, "|"), "A2 (item:reopen)|A2 (item:done)"; got != want {
		t.Errorf("it says that this changed: %s, want %s", got, want)
	}
}

// S05: anything bound that is changed behind our back voids the signature, and is named.
func TestChangedContentVoidsASignature(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ statement, what string }{
		"T-0":           {"UPDATE gatehouse.runs SET t0 = t0 + interval '1 second' WHERE run_id = $1", "T-0"},
		"item state":    {"UPDATE gatehouse.run_items SET reason = 'x' WHERE run_id = $1 AND item_id = 'A1'", "A1 reason"},
		"who did it":    {"UPDATE gatehouse.run_items SET settled_name = 'Mallory' WHERE run_id = $1 AND item_id = 'A1'", "A1 by"},
		"required":      {"UPDATE gatehouse.run_items SET required = false WHERE run_id = $1 AND item_id = 'A1'", "A1 required"},
		"evidence":      {"ALTER TABLE gatehouse.run_evidence DISABLE TRIGGER run_evidence_append_only; UPDATE gatehouse.run_evidence SET value = 'forged' WHERE item_id = 'A1'", "A1 evidence"},
		"file":          {"ALTER TABLE gatehouse.run_migrations DISABLE TRIGGER run_migrations_append_only; UPDATE gatehouse.run_migrations SET sha256 = repeat('b', 64)", "File of migration 0.0.20"},
		"statement":     {"ALTER TABLE gatehouse.run_gate_slots DISABLE TRIGGER run_gate_slots_append_only; UPDATE gatehouse.run_gate_slots SET statement = 'Anything.' WHERE slot = 'devops' AND gate = 'go_no_go'", "Place devops"},
		"slot required": {"ALTER TABLE gatehouse.run_gate_slots DISABLE TRIGGER run_gate_slots_append_only; UPDATE gatehouse.run_gate_slots SET required = false WHERE slot = 'qa' AND gate = 'go_no_go'", "Place qa"},
		"environment":   {"UPDATE gatehouse.runs SET environment = 'production' WHERE run_id = $1", "Environment"},
		"extra item":    {"UPDATE gatehouse.run_items SET title = 'Something else' WHERE run_id = $1 AND item_id = 'A3'", "A3 title"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := started(t)
			r.passed()
			given, _ := r.gate(signoff.GoNoGo).Standing("backend")
			if !r.passedNow(signoff.GoNoGo) {
				t.Fatal("the gate is not passed before the change")
			}
			for _, statement := range strings.Split(c.statement, "; ") {
				if strings.Contains(statement, "$1") {
					r.exec(statement, r.id)
				} else {
					r.exec(statement)
				}
			}
			_, gate, changes, err := r.signoff.Signature(t.Context(), worker, given.ID)
			if err != nil {
				t.Fatalf("Signature: %v", err)
			}
			if got := given.State(gate.SHA256); got != signoff.Void {
				t.Errorf("after the change the signature is %s, want void", got)
			}
			if len(changes) != 1 || changes[0].What != c.what {
				t.Errorf("it says that this changed: %+v, want only %q", changes, c.what)
			}
			if r.passedNow(signoff.GoNoGo) {
				t.Error("gate_passed still says yes")
			}
			shown := r.gate(signoff.GoNoGo)
			if len(shown.Signatures) != 3 {
				t.Fatalf("the gate shows %d signatures, want 3", len(shown.Signatures))
			}
			for _, s := range shown.Signatures {
				if got := s.State(shown.SHA256); got != signoff.Void {
					t.Errorf("%s's signature is %s, want void", s.Name, got)
				}
			}
		})
	}
}

func TestAForgedContentOfASignatureIsSeen(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.passed()
	r.exec("ALTER TABLE gatehouse.signatures DISABLE TRIGGER signatures_append_only")
	r.exec("ALTER TABLE gatehouse.signatures DROP CONSTRAINT signatures_content_hash")
	r.exec("UPDATE gatehouse.signatures SET content = replace(content, 'Europe/Lisbon', 'Europe/Berlin') WHERE slot = 'qa'")
	shown := r.gate(signoff.GoNoGo)
	for _, s := range shown.Signatures {
		want := signoff.Standing
		if s.Slot == "qa" {
			want = signoff.Void
		}
		if got := s.State(shown.SHA256); got != want || s.Intact != (want == signoff.Standing) {
			t.Errorf("the signature as %s is %s, intact %v; want %s", s.Slot, got, s.Intact, want)
		}
	}
}

// S10: who started the release, whatever else they are.
func TestTheStarterSignsNoGate(t *testing.T) {
	t.Parallel()
	r := newHouse(t)
	lead := housetest.Person(housetest.Rivermark, "Lena", actor.DevOpsLead, actor.QALead)
	r.id = r.start(lead)
	r.ready()
	r.knock(fresh(lead), r.request(signoff.GoNoGo, "qa"), fault.Forbidden, "four eyes")
	again := fresh(lead) // another account of the same person: other name, same subject
	again.UserID, again.Name, again.Session = uuid.New(), "Lena the Second", "other"
	r.knock(again, r.request(signoff.GoNoGo, "qa"), fault.Forbidden, "four eyes")
}

func TestWhoAppliedSignsNoFinalGate(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.passed()
	r.apply(qa, "up", true)
	r.check("B1")
	r.check("B2")
	r.knock(fresh(qa), r.request(signoff.Final, "qa"), fault.Forbidden, "You applied a migration")
	other := housetest.Person(housetest.Rivermark, "Quentin", actor.QALead)
	r.sign(other, signoff.Final, "qa")
}

// Four eyes across releases: what an earlier release applied is judged here, and not by whoever applied it.
func TestWhoAppliedInAnEarlierReleaseSignsNoFinalGate(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.passed()
	r.apply(qa, "up", true)
	r.exec("UPDATE gatehouse.runs SET state = 'aborted', ended_at = now(), ended_by = 'Sam', end_reason = 'begun anew' WHERE run_id = $1", r.id)
	r.id = r.start(starter)
	r.passed()
	r.check("B1")
	r.check("B2")
	r.knock(fresh(qa), r.request(signoff.Final, "qa"), fault.Forbidden, "You applied a migration")
	other := housetest.Person(housetest.Rivermark, "Quentin", actor.QALead)
	r.sign(other, signoff.Final, "qa")
}

// S11: two roles, one person.
func TestOnePersonFillsOneSlot(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	both := housetest.Person(housetest.Rivermark, "Bo", actor.QALead, actor.BackendLead)
	r.sign(both, signoff.GoNoGo, "qa")
	r.knock(fresh(both), r.request(signoff.GoNoGo, "backend"), fault.Conflict, "One person fills one place")
	given, _ := r.gate(signoff.GoNoGo).Standing("qa")
	if err := r.signoff.Withdraw(t.Context(), both, r.id, given.Gate, given.ID, "I sign the other one"); err != nil {
		t.Fatalf("Withdraw: %v", err)
	}
	r.sign(both, signoff.GoNoGo, "backend")
}

// S12 and its kind: crafted posts past everything that would have kept the button away.
func TestASignatureHoldsToTheGateWithoutItsButton(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.done("A1", "looked at it")
	r.knock(fresh(qa), r.request(signoff.GoNoGo, "qa"), fault.Conflict, "A2, Second, is open.")
	if err := r.runbook.Fail(t.Context(), worker, r.seen("A2"), "it is bad"); err != nil {
		t.Fatalf("Fail: %v", err)
	}
	r.knock(fresh(qa), r.request(signoff.GoNoGo, "qa"), fault.Conflict, "A2, Second, is failed.")
	if err := r.runbook.Reopen(t.Context(), worker, r.seen("A2"), "try again"); err != nil {
		t.Fatalf("Reopen: %v", err)
	}
	r.done("A2", "9.5")

	r.knock(fresh(devops), r.request(signoff.GoNoGo, "devops"), fault.Conflict, "signs last")
	r.knock(fresh(worker), r.request(signoff.GoNoGo, "qa"), fault.Forbidden, "gate:sign")
	r.knock(fresh(backend), r.request(signoff.GoNoGo, "qa"), fault.Forbidden, "QA lead")
	r.knock(fresh(qa), r.change(func(s *signoff.SignRequest) { s.Meaning = signoff.Executed }), fault.Invalid, "meaning")
	r.knock(fresh(qa), r.change(func(s *signoff.SignRequest) { s.Statement = "Tested a bit." }), fault.Conflict, "statement")
	r.knock(fresh(qa), r.change(func(s *signoff.SignRequest) { s.Score = nil }), fault.Invalid, "score")
	r.knock(fresh(qa), r.change(func(s *signoff.SignRequest) { s.Slot = "nobody" }), fault.NotFound, "no such place")
	r.knock(fresh(qa), r.change(func(s *signoff.SignRequest) { s.Key = uuid.Nil }), fault.Invalid, "key")
	r.knock(fresh(qa), r.change(func(s *signoff.SignRequest) { s.Note = "a\x00b" }), fault.Invalid, "note")
	r.knock(fresh(qa), r.change(func(s *signoff.SignRequest) { s.Run = uuid.New() }), fault.NotFound, "no such release")
	r.knock(fresh(stranger), r.request(signoff.GoNoGo, "qa"), fault.NotFound, "no such release")
	machine := fresh(qa)
	machine.Rights = []actor.Right{actor.GateSign}
	r.knock(machine, r.request(signoff.GoNoGo, "qa"), fault.Forbidden, "machine")

	// The final gate, before its time: items, the gate before it and the migrations keep it closed.
	r.knock(fresh(qa), r.request(signoff.Final, "qa"), fault.Conflict, "B1, Applied, is open.")
	r.sign(qa, signoff.GoNoGo, "qa")
	r.sign(backend, signoff.GoNoGo, "backend")
	r.sign(devops, signoff.GoNoGo, "devops")
	r.check("B1") // the check says yes, and the ledger says nothing
	r.check("B2")
	r.knock(fresh(qa), r.request(signoff.Final, "qa"), fault.Conflict, "V0.0.20 is not applied")
	r.apply(worker, "up", true)
	r.apply(worker, "down", false)
	r.knock(fresh(qa), r.request(signoff.Final, "qa"), fault.Conflict, "V0.0.20 is not applied")
}

func (r *release) change(change func(*signoff.SignRequest)) signoff.SignRequest {
	r.t.Helper()
	request := r.request(signoff.GoNoGo, "qa")
	change(&request)
	return request
}

// S08, as far as it is ours: how old the sign-in is, by the database's clock.
func TestASignatureNeedsAFreshSignIn(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	for name, c := range map[string]struct {
		at    time.Time
		words string
	}{
		"never said":    {time.Time{}, "does not say when"},
		"too old":       {time.Now().Add(-5*time.Minute - time.Second), "last five minutes"},
		"in the future": {time.Now().Add(2 * time.Minute), "differ by more than a minute"},
	} {
		by := qa
		by.AuthTime = c.at
		if err := r.refusal(by, r.request(signoff.GoNoGo, "qa"), fault.Unauthenticated, c.words); err == nil {
			t.Errorf("a sign-in that is %s signs", name)
		}
	}
	almost := qa
	almost.AuthTime = time.Now().Add(-4*time.Minute - 30*time.Second)
	r.sign(almost, signoff.GoNoGo, "qa")
}

// S15: signed, not executed, withdrawn: what asks for the gate is refused, and the trail keeps it all.
func TestAWithdrawnSignatureClosesTheGate(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.passed()
	if !r.passedNow(signoff.GoNoGo) {
		t.Fatal("gate_passed is false after all have signed")
	}
	given, _ := r.gate(signoff.GoNoGo).Standing("qa")
	for name, c := range map[string]struct {
		by   actor.Actor
		run  uuid.UUID
		why  string
		kind fault.Kind
	}{
		"somebody else's": {backend, r.id, "no longer", fault.Forbidden},
		"no reason":       {qa, r.id, " ", fault.Invalid},
		"another release": {qa, uuid.New(), "no longer", fault.NotFound},
		"another tenant":  {stranger, r.id, "no longer", fault.NotFound},
	} {
		if err := r.signoff.Withdraw(t.Context(), c.by, c.run, given.Gate, given.ID, c.why); !fault.Is(err, c.kind) {
			t.Errorf("Withdraw(%s) = %v, want %s", name, err, c.kind)
		}
	}
	if err := r.signoff.Withdraw(t.Context(), qa, r.id, signoff.Final, given.ID, "no longer"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Withdraw at another gate = %v, want %s", err, fault.NotFound)
	}
	if err := r.signoff.Withdraw(t.Context(), qa, r.id, given.Gate, given.ID, "I have second thoughts"); err != nil {
		t.Fatalf("Withdraw: %v", err)
	}
	if r.passedNow(signoff.GoNoGo) {
		t.Error("gate_passed still says yes")
	}
	if err := r.runbook.Take(t.Context(), worker, r.seen("B1")); !fault.Is(err, fault.Conflict) {
		t.Errorf("Take(B1) behind the closed gate = %v, want a conflict", err)
	}
	if err := r.signoff.Withdraw(t.Context(), qa, r.id, given.Gate, given.ID, "once more"); !fault.Is(err, fault.Conflict) {
		t.Errorf("withdrawing twice = %v, want a conflict", err)
	}
	if got := r.signatures(); got != 3 {
		t.Errorf("%d signatures are kept, want 3", got)
	}
	r.sign(qa, signoff.GoNoGo, "qa")
	if !r.passedNow(signoff.GoNoGo) {
		t.Error("signing again does not pass the gate")
	}
}

// S16's property: no signature without its audit entry, and no entry without its signature; by content, not by count.
func TestSignaturesAndTheTrailAgree(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.finished()
	r.sign(qa, signoff.Final, "qa")
	r.sign(devops, signoff.Final, "devops")
	lost := r.count(`
		SELECT count(*) FROM (SELECT signature_id::text, content_sha256, issuer, subject FROM gatehouse.signatures) s
		  FULL JOIN (SELECT after->>'signature' AS id, after->>'content_sha256' AS sha256, issuer, subject FROM gatehouse.audit_events WHERE action = 'gate:sign' AND outcome = 'done') e
		    ON e.id = s.signature_id AND e.sha256 = s.content_sha256 AND e.issuer = s.issuer AND e.subject = s.subject
		 WHERE s.signature_id IS NULL OR e.id IS NULL`)
	if lost != 0 || r.signatures() != 5 {
		t.Errorf("%d of %d signatures and entries have no counterpart, want 0 of 5", lost, r.signatures())
	}
}

// S20: what was written stays as it was written; what cannot be stored is refused.
func TestNotesAndReasonsAreKeptToTheLetter(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	for _, note := range []string{strings.Repeat("é", 2000), "🏭 ok 👍🏽", "\u202eevil\u202c and \u200fright", "<script>alert(1)</script>", "line\nline"} {
		request := r.request(signoff.GoNoGo, "qa")
		request.Note = note
		given, err := r.signoff.Sign(t.Context(), fresh(qa), request)
		if err != nil || given.Note != note {
			t.Fatalf("Sign(note %q) keeps %q, %v", note, given.Note, err)
		}
		if err := r.signoff.Withdraw(t.Context(), qa, r.id, given.Gate, given.ID, note); err != nil {
			t.Fatalf("Withdraw(%q): %v", note, err)
		}
		gate := r.gate(signoff.GoNoGo)
		if latest, _ := gate.Latest("qa"); latest.Withdrawn == nil || latest.Withdrawn.Reason != note {
			t.Errorf("the reason %q is kept as %+v", note, latest.Withdrawn)
		}
	}
	for _, note := range []string{strings.Repeat("x", 2001), "a\x00b", "a\xffb"} {
		r.knock(fresh(qa), r.change(func(s *signoff.SignRequest) { s.Note = note }), fault.Invalid, "note")
	}
}
