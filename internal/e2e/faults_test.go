package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

// TestFaults attacks the running whole: RELIABILITY.md's cases that need two processes, a provider and a database that
// can be taken away. The steps build on one release, in this order.
func TestFaults(t *testing.T) {
	b := besiege(t)
	for _, step := range []struct {
		name string
		work func(*testing.T)
	}{
		{"provider away at the start", b.providerAwayAtStart},
		{"a release is started", b.startRelease},
		{"five people, two processes, one is killed", b.fivePeople},
		{"the release up to its gate", b.toTheGate},
		{"one form, two processes", b.oneFormTwoProcesses},
		{"the program is killed while somebody signs", b.killedWhileSigning},
		{"evidence replaced before signing", b.evidenceBefore},
		{"provider away at signing", b.providerAwayAtSigning},
		{"signed by all", b.signAll},
		{"nothing proven", b.nothingProven},
		{"evidence replaced after signing", b.evidenceAfter},
		{"the other tenant", b.otherTenant},
		{"sign-out and a disabled person", b.signedOut},
		{"a dry run that is still open", b.dryRunOpen},
		{"a planned file that changed", b.plannedFileChanged},
		{"the program dies before the commit", b.diesBeforeCommit},
		{"the program dies after the commit", b.diesAfterCommit},
		{"two people, two processes, one double press", b.manyPresses},
		{"an applied file that changed", b.appliedFileChanged},
		{"the database restarts under load", b.databaseRestarts},
		{"told to end under load", b.toldToEnd},
		{"started wrongly", b.startedWrongly},
	} {
		if !t.Run(step.name, step.work) {
			t.Fatalf("%q failed; what follows builds on it", step.name)
		}
	}
}

// I01: both processes are ready without the provider, say so, and work once it is there.
func (b *besieged) providerAwayAtStart(t *testing.T) {
	stranger := newClient(t, b.url, b.via(0), "viewer@rivermark")
	wantStatus(t, "sign-in without the provider", stranger.get("/login?return=/releases"), http.StatusServiceUnavailable, "be reached")
	b.demo.Provider.Behave(demoidp.Behaviour{})
	b.until(15*time.Second, "sign-in through both processes", func() bool {
		return stranger.get("/login").status == http.StatusSeeOther && stranger.at(b.via(1)).get("/login").status == http.StatusSeeOther
	})
}

func (b *besieged) startRelease(t *testing.T) {
	starter := b.as("devops_engineer")
	form := fields(t, starter.get("/releases/new").body, "/releases")
	// The runbook that asks for no backup before go / no-go, so that what nothing speaks for can be ordered; within its window.
	form.Set("template", runbookOf(t, "1.1.0"))
	form.Set("zone", "UTC")
	form.Set("t_zero", time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15:04"))
	a := starter.post("/releases", form)
	wantStatus(t, "starting the release", a, http.StatusSeeOther, "")
	b.release = a.header.Get("Location")
}

func (b *besieged) toTheGate(t *testing.T) {
	for _, i := range []struct{ id, owner, value string }{
		{"PRE-P1", "devops_lead", ""},
		{"PRE-P2", "devops_lead", "Seen with our own eyes."},
		{"PRE-P3", "qa_lead", "Seen with our own eyes."},
		{"PRE-P4", "qa_lead", "9.5"},
		{"PRE-P5", "statistical_expert", ""},
		{"PRE-P7", "backend_lead", "Seen with our own eyes."},
		{"PRE-C1", "product_owner", "Seen with our own eyes."},
		{"PRE-C2", "devops_lead", "Seen with our own eyes."},
		{"PRE-C3", "devops_lead", "Seen with our own eyes."},
		{"PRE-I1", "devops_engineer", ""},
		{"RD-DB", "devops_lead", ""},
		{"RD-SEC", "backend_lead", ""},
		{"RD-DOC", "qa_lead", ""},
		{"RD-TEAM", "devops_lead", ""},
		{"P1.1", "devops_engineer", ""},
		{"P1.2", "devops_lead", "Seen with our own eyes."},
		{"P1.3", "devops_engineer", ""},
		{"T30-1", "devops_lead", ""},
		{"T30-2", "devops_lead", ""},
		{"T30-3", "on_call_engineer", ""},
	} {
		b.finish(t, i.id, i.owner, i.value)
	}
}

// runbookOf is how the start form names the runbook of a version.
func runbookOf(t *testing.T, version string) string {
	t.Helper()
	all, err := runbook.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, template := range all {
		if template.Version == version {
			return template.SHA256
		}
	}
	t.Fatalf("there is no runbook %s", version)
	return ""
}

// finish does one item as its owner: by its check, or with evidence.
func (b *besieged) finish(t *testing.T, id, owner, value string) {
	t.Helper()
	by, page := b.as(owner), b.release+"/items/"+id
	body, act := by.get(page).body, "/done"
	if strings.Contains(body, page+`/check"`) {
		act = "/check"
	}
	form := fields(t, body, act)
	for name := range form {
		if value != "" && (name == "evidence_text" || name == "evidence_number") {
			form.Set(name, value)
		}
	}
	wantStatus(t, "finishing "+id, by.post(page+act, form), http.StatusSeeOther, "")
	if got := by.get(page).body; !strings.Contains(got, fmt.Sprintf(`data-item="%s" data-state="done"`, id)) {
		t.Fatalf("%s is not done: %s", id, words(got))
	}
}

// S01: the same form, sent at once to both processes.
func (b *besieged) oneFormTwoProcesses(t *testing.T) {
	qa, gate := b.as("qa_lead"), b.release+"/gates/go_no_go"
	for round := range 20 {
		form := signing(t, qa.get(gate).body)
		form.Set("score", "9.5")
		signed, noted := b.signatures(), b.entries("gate:sign", "done")
		for n, a := range both(func(n int) answer { return qa.at(b.via(n)).post(gate+"/sign", form) }) {
			wantStatus(t, fmt.Sprintf("round %d, press %d", round, n), a, http.StatusSeeOther, "")
		}
		if got := b.signatures() - signed; got != 1 {
			t.Fatalf("round %d: two presses made %d signatures, want 1", round, got)
		}
		if got := b.entries("gate:sign", "done") - noted; got != 1 {
			t.Fatalf("round %d: two presses made %d audit entries, want 1", round, got)
		}
		back := fields(t, qa.get(gate).body, "/withdraw")
		back.Set("reason", "next round")
		wantStatus(t, "withdrawing", qa.post(gate+"/withdraw", back), http.StatusSeeOther, "")
	}
}

func (b *besieged) signatures() int { return ask[int](b, "SELECT count(*) FROM gatehouse.signatures") }

func (b *besieged) entries(action, outcome string) int {
	return ask[int](b, "SELECT count(*) FROM gatehouse.audit_events WHERE action = $1 AND outcome = $2", action, outcome)
}

// both does something through both processes at the same moment.
func both(work func(n int) answer) [2]answer {
	var answers [2]answer
	var ready, done sync.WaitGroup
	ready.Add(len(answers))
	for n := range answers {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			answers[n] = work(n)
		})
	}
	done.Wait()
	return answers
}

// S04: what was shown is not what stands there now.
func (b *besieged) evidenceBefore(t *testing.T) {
	backend, gate := b.as("backend_lead"), b.release+"/gates/go_no_go"
	form := signing(t, backend.get(gate).body)
	form.Set("note", "typed with care")
	b.replaceEvidence(t)
	before := b.signatures()
	a := backend.post(gate+"/sign", form)
	wantStatus(t, "signing what was replaced", a, http.StatusConflict, "typed with care")
	if got := b.signatures(); got != before {
		t.Errorf("a stale form left %d signatures, want %d", got, before)
	}
}

// replaceEvidence opens an item of the gate again and finishes it with other evidence.
func (b *besieged) replaceEvidence(t *testing.T) {
	t.Helper()
	by, page := b.as("devops_lead"), b.release+"/items/PRE-C2"
	form := fields(t, by.get(page).body, "/reopen")
	form.Set("reason", "the wrong window was named")
	wantStatus(t, "opening PRE-C2 again", by.post(page+"/reopen", form), http.StatusSeeOther, "")
	b.finish(t, "PRE-C2", "devops_lead", "another window "+time.Now().String())
}

// I02: who is signed in goes on working; a signature has to wait, and what was typed stays.
func (b *besieged) providerAwayAtSigning(t *testing.T) {
	statistics, gate := newClient(b.t, b.url, b.url, "statistical.expert@rivermark"), b.release+"/gates/go_no_go"
	b.demo.Provider.Behave(demoidp.Behaviour{Clock: 0, Claims: func(claims map[string]any) {
		claims["auth_time"] = time.Now().Add(-time.Hour).Unix()
	}})
	statistics.signIn("/login?return=" + url.QueryEscape(gate))
	b.demo.Provider.Behave(demoidp.Behaviour{Down: true})
	shown := b.as("statistical_expert").get(gate)
	form := signing(t, shown.body)
	form.Set("note", "kept over the outage")
	before := b.signatures()
	wantStatus(t, "signing with an old sign-in", statistics.post(gate+"/sign", form), http.StatusUnauthorized, "")
	wantStatus(t, "a fresh sign-in without the provider", statistics.get("/login?fresh=1&return="+url.QueryEscape(gate)), http.StatusServiceUnavailable, "be reached")
	wantStatus(t, "working without the provider", statistics.get(b.release), http.StatusOK, "")
	if got := b.signatures(); got != before {
		t.Errorf("%d signatures were made without the provider, want none", got-before)
	}
	b.demo.Provider.Behave(demoidp.Behaviour{})
	b.until(15*time.Second, "the provider's return", func() bool {
		return statistics.get("/login?fresh=1&return="+url.QueryEscape(gate)).status == http.StatusSeeOther
	})
	a := statistics.signIn("/login?fresh=1&return=" + url.QueryEscape(gate))
	if !strings.Contains(a.body, "kept over the outage") {
		t.Errorf("the typed note is gone after the outage: %s", words(a.body))
	}
	b.people["statistical.expert@rivermark"] = statistics
}

func (b *besieged) signAll(t *testing.T) {
	gate := b.release + "/gates/go_no_go"
	for _, role := range []string{"backend_lead", "qa_lead", "statistical_expert", "devops_lead"} {
		by := b.as(role)
		form := signing(t, by.get(gate).body)
		if form.Has("score") {
			form.Set("score", "9.5")
		}
		wantStatus(t, role+" signs", by.post(gate+"/sign", form), http.StatusSeeOther, "")
	}
	if !ask[bool](b, gatePassed) {
		t.Fatal("the gate is not passed after all have signed")
	}
}

const gatePassed = `SELECT gatehouse.gate_passed(r.run_id, 'go_no_go') IS TRUE
	FROM (SELECT set_config('app.current_tenant_id', '11111111-1111-7111-8111-111111111111', false)) AS entered
	JOIN gatehouse.runs r ON entered IS NOT NULL AND r.state = 'active'`

// S05: a signature stands for what was signed and for nothing else.
func (b *besieged) evidenceAfter(t *testing.T) {
	devops := b.as("devops_engineer")
	b.replaceEvidence(t)
	wantStatus(t, "applying on void signatures", devops.post("/migrations/V0.0.20/apply", b.pastTheButton()), http.StatusLocked, "go / no-go")
	if got := ask[int](b, "SELECT count(*) FROM gatehouse.migration_runs"); got != 0 {
		t.Errorf("%d runs were ordered on void signatures, want none", got)
	}
	if body := devops.get(b.release + "/gates/go_no_go").body; !strings.Contains(body, `data-state="void"`) {
		t.Errorf("the gate's page does not call its signatures void: %s", words(body))
	}
	b.signAll(t)
}

func wantStatus(t *testing.T, what string, a answer, status int, part string) {
	t.Helper()
	if a.err != nil || a.status != status || !strings.Contains(a.body, part) {
		t.Fatalf("%s: %d, %v; want %d with %q; it says: %s", what, a.status, a.err, status, part, words(a.body))
	}
}
