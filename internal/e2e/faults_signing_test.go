package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"
)

// killedRounds is how often the program is killed at a random moment of a signing.
const killedRounds = 12

// S16, S17: whatever moment the program dies at, the signature and its audit entry are both there or both not; and the
// same form, sent again, says which and never signs twice.
func (b *besieged) killedWhileSigning(t *testing.T) {
	for _, c := range []struct {
		fault string
		want  int // signatures that stand before the form is sent again
	}{{"signoff.before_commit=kill", 0}, {"signoff.after_commit=kill", 1}, {"signoff.after_commit=error", 1}} {
		b.restart(0, c.fault)
		b.signThrough(t, c.fault, func() {}, c.want)
	}
	b.restart(0)
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed of the moments: %d", seed)
	for round := range killedRounds {
		moment := time.Duration(random.IntN(12_000)) * time.Microsecond
		b.signThrough(t, fmt.Sprintf("round %d, killed after %s", round, moment), func() {
			time.AfterFunc(moment, func() { _ = b.processes[0].cmd.Process.Kill() }) // it may be too late, which is a moment, too
		}, -1)
	}
}

// signThrough signs once through the first process, which dies or fails at it, starts that again, sends the same form
// through the second, and takes the signature back. want is what the first press must have left; -1 where either may be.
func (b *besieged) signThrough(t *testing.T, what string, strike func(), want int) {
	t.Helper()
	qa, gate := b.as("qa_lead"), b.release+"/gates/go_no_go"
	form := signing(t, qa.get(gate).body)
	form.Set("score", "9.5")
	signed, noted := b.signatures(), b.entries("gate:sign", "done")
	strike()
	first := qa.at(b.via(0)).post(gate+"/sign", form)
	b.restart(0)
	left := b.signatures() - signed
	if got := b.entries("gate:sign", "done") - noted; left > 1 || got != left {
		t.Fatalf("%s: %d signatures with %d audit entries, want one of each or none", what, left, got)
	}
	if want >= 0 && left != want {
		t.Errorf("%s: %d signatures were left, want %d", what, left, want)
	}
	if want >= 0 && first.err == nil && first.status < http.StatusInternalServerError {
		t.Errorf("%s: the fault was not met, the answer is %d", what, first.status)
	}
	if first.status == http.StatusSeeOther && left != 1 {
		t.Fatalf("%s: the answer said signed, and nothing is stored", what)
	}
	wantStatus(t, what+": the form again", qa.at(b.via(1)).post(gate+"/sign", form), http.StatusSeeOther, "")
	if s, n := b.signatures()-signed, b.entries("gate:sign", "done")-noted; s != 1 || n != 1 {
		t.Fatalf("%s: after the form was sent again there are %d signatures with %d audit entries, want 1 and 1", what, s, n)
	}
	back := fields(t, qa.get(gate).body, "/withdraw")
	back.Set("reason", "next round")
	wantStatus(t, what+": withdrawing", qa.post(gate+"/withdraw", back), http.StatusSeeOther, "")
}
