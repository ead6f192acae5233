package postgres_test

import (
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// ruled is a release whose first gate judges a check as well, by these rules.
func ruled(t *testing.T, rules string) *release {
	t.Helper()
	const check = `,
  {"id":"A4","title":"Answers","owner":"devops_engineer","required":false,"fresh_for":"+4h","evidence":{"kind":"auto","check":"database.connection"},"do":"Run.","expected":"Done.","undo":"None is needed."}]},
 {"id":"work"`
	text := strings.Replace(small, "]},\n {\"id\":\"work\"", check, 1)
	text = strings.Replace(text, `"offset":"-15m",`, `"offset":"-15m",`+rules+`,`, 1)
	r := newHouse(t)
	var err error
	if r.template, err = runbook.ParseTemplate([]byte(text)); err != nil {
		t.Fatalf("ParseTemplate: %v", err)
	}
	r.runbook = r.stories(r.template)
	r.id = r.start(starter)
	return r
}

// A1: what a gate's runbook asks for in evidence keeps it shut until it is there, also for whoever posts past the page.
func TestAGateAsksForItsMinimumOfEvidence(t *testing.T) {
	t.Parallel()
	r := ruled(t, `"minimum_evidence":{"items":3,"files":1,"checks":1},"required_checks":["database.connection"]`)
	if err := r.runbook.Waive(t.Context(), fresh(qa), r.seen("A1"), "It was seen before."); err != nil {
		t.Fatalf("Waive: %v", err)
	}
	r.done("A2", "9.5")
	if err := r.runbook.Skip(t.Context(), qa, r.seen("A3"), "Not needed."); err != nil {
		t.Fatalf("Skip: %v", err)
	}
	// Two of three are settled without evidence: a signed skipping is none.
	for _, words := range []string{
		"needs evidence for at least 3 items, and has it for 1.", "needs a file with at least 1 item, and 0 have one.",
		"at least 1 check of the system that found everything good, and has 0.", "The check database.connection has to have found everything good, and not too long ago: run it at A4, Answers.",
	} {
		if !blocked(r.gate(signoff.GoNoGo), words) {
			t.Errorf("the gate is not kept shut by %q, but by %+v", words, r.gate(signoff.GoNoGo).Blockers)
		}
	}
	r.knock(fresh(qa), r.request(signoff.GoNoGo, "qa"), fault.Conflict, "needs evidence for at least 3 items")

	for _, item := range []runbook.ItemID{"A1", "A3"} {
		if err := r.runbook.Reopen(t.Context(), qa, r.seen(item), "It is needed after all."); err != nil {
			t.Fatalf("Reopen(%s): %v", item, err)
		}
	}
	r.done("A1", "looked at it")
	r.check("A4")
	if got := r.gate(signoff.GoNoGo).Blockers; len(got) != 1 || !strings.Contains(got[0].Text, "a file") {
		t.Errorf("with three items and the check the gate is kept shut by %+v, want the missing file alone", got)
	}
	r.knock(fresh(qa), r.request(signoff.GoNoGo, "qa"), fault.Conflict, "needs a file")
	if err := r.runbook.Reopen(t.Context(), worker, r.seen("A1"), "A file is wanted."); err != nil {
		t.Fatalf("Reopen: %v", err)
	}
	r.attach("A1", "seen.txt", []byte("seen"))
	r.done("A1", "looked at it")
	r.sign(qa, signoff.GoNoGo, "qa")

	// The check grows old, and no longer counts as one that found everything good.
	r.exec(`ALTER TABLE gatehouse.run_evidence DISABLE TRIGGER USER`)
	r.exec(`UPDATE gatehouse.run_evidence SET added_at = clock_timestamp() - interval '5 hours' WHERE item_id = 'A4'`)
	r.knock(fresh(backend), r.request(signoff.GoNoGo, "backend"), fault.Conflict, "A4, Answers")
	if g := r.gate(signoff.GoNoGo); !blocked(g, "at least 1 check of the system") || !blocked(g, "The check database.connection") {
		t.Errorf("a check that is too old still counts: %+v", g.Blockers)
	}
	if got, _ := r.signoff.Gate(t.Context(), stranger, r.id, signoff.GoNoGo); len(got.Slots) > 0 {
		t.Error("another tenant reads the gate")
	}
}

// A2: who gave evidence does not judge it; who had the system look does.
func TestWhoGaveEvidenceDoesNotSignItsGate(t *testing.T) {
	t.Parallel()
	r := ruled(t, `"evidence_author_may_not_sign":true`)
	both := housetest.Person(housetest.Rivermark, "Bea", actor.QALead)
	second := housetest.Person(housetest.Rivermark, "Quim", actor.QALead)
	r.done("A1", "looked at it")
	if err := r.runbook.Done(t.Context(), both, r.seen("A2"), "9.5", ""); err != nil {
		t.Fatalf("Done: %v", err)
	}
	if _, err := r.runbook.Check(t.Context(), second, r.seen("A4")); err != nil {
		t.Fatalf("Check: %v", err)
	}
	gate := r.gate(signoff.GoNoGo)
	if len(gate.Authors) != 2 || !gate.Rules.AuthorsBarred {
		t.Errorf("Authors = %+v, want the two who gave evidence", gate.Authors)
	}
	r.knock(fresh(both), r.request(signoff.GoNoGo, "qa"), fault.Forbidden, "You gave the evidence of A2")
	r.sign(second, signoff.GoNoGo, "qa")
	if got := r.signatures(); got != 1 {
		t.Fatalf("%d signatures, want the one of who ran the check", got)
	}
	// A file is evidence, too, and what was put back is not.
	if err := r.runbook.Reopen(t.Context(), both, r.seen("A2"), "Somebody else shall look."); err != nil {
		t.Fatalf("Reopen: %v", err)
	}
	if err := r.runbook.Attach(t.Context(), backend, r.id, "A2", received(t, "score.txt", []byte("9.5"))); err != nil {
		t.Fatalf("Attach: %v", err)
	}
	r.done("A2", "9.5")
	r.knock(fresh(backend), r.request(signoff.GoNoGo, "backend"), fault.Forbidden, "You gave the evidence of A2")
	r.sign(both, signoff.GoNoGo, "qa")
}

// A release without the rule goes by as before: a lead gives evidence and signs.
func TestWithoutTheRuleAnAuthorSigns(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.done("A1", "looked at it")
	if err := r.runbook.Done(t.Context(), qa, r.seen("A2"), "9.5", ""); err != nil {
		t.Fatalf("Done: %v", err)
	}
	r.sign(qa, signoff.GoNoGo, "qa")
}
