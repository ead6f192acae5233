package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

const goNoGoAt = releaseAt + "/gates/go_no_go"

// openGate is a release whose first gate may be signed.
func openGate(t *testing.T) *shelf {
	t.Helper()
	s := openShelf(t)
	s.settle(runbook.Done, func(i runbook.Item) bool { return i.Gate == signoff.GoNoGo })
	return s
}

// filled is the form of the page as the browser would send it with a meaning chosen, and what a person typed on top.
func filled(page answer, typed ...string) []string {
	fields := []string{
		"version", page.typed("version"), "sha256", page.typed("sha256"), "role", page.typed("role"), "meaning", "approved", "note", "",
	}
	if len(page.all("name", "score")) > 0 {
		fields = append(fields, "score", "9.5")
	}
	return append(fields, typed...)
}

// signs opens the gate and signs it as that person.
func (s *shelf) signs(t *testing.T, by actor.Actor) {
	t.Helper()
	s.ask(t, by, http.MethodPost, goNoGoAt+"/sign", filled(s.ask(t, by, http.MethodGet, goNoGoAt))...).goesTo(goNoGoAt)
}

// contentZone is a moment in the zone of the shelf's release.
func contentZone(t *testing.T, at time.Time) string {
	t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	return at.In(zone).Format("2 Jan 2006, 15:04 MST")
}

func slotState(a answer, slot string) string {
	return attribute(a.all("data-slot", slot)[0], "data-state")
}

func TestGateThatIsBlockedSaysWhyAndOffersNoForm(t *testing.T) {
	s := openShelf(t)
	s.blockers = []signoff.Blocker{{Item: "PRE-P2", Text: "PRE-P2 is open."}}
	got := s.ask(t, qaLead, http.MethodGet, goNoGoAt)
	got.expect(http.StatusOK, "Not open for signing yet", "PRE-P2 is open.", "This gate cannot be signed yet.")
	if len(got.all("href", itemAt(runbook.Item{ID: "PRE-P2"}))) == 0 {
		t.Error("the blocker does not lead to its item")
	}
	if strings.Contains(got.body, "/sign\"") || strings.Contains(words(got.page), "Who can:") {
		t.Error("a blocked gate offers a form, or names people who could sign it now")
	}
}

func TestGateShowsWhatIsSignedAndSignsIt(t *testing.T) {
	s := openGate(t)
	s.items[slices.IndexFunc(s.items, func(i runbook.Item) bool { return i.Gate == signoff.GoNoGo })].Reason = "Nothing to see here."
	page := s.ask(t, qaLead, http.MethodGet, goNoGoAt)
	_, hash := s.content(signoff.GoNoGo)
	page.expect(http.StatusOK, "Sign as QA lead: Go / no-go on", "QA score", "REQ-1", "V0.0.20", "0 of 4 required signatures", hash)
	if page.typed("sha256") != hash {
		t.Errorf("the form carries %q, want the hash shown, %s", page.typed("sha256"), hash)
	}
	if rows := len(page.all("data-content", "")); rows != 29+len(s.migrations) {
		t.Errorf("%d rows of content, want 29 items and %d migrations", rows, len(s.migrations))
	}
	first := attribute(page.all("data-content", "")[0], "data-content")
	page.expect(http.StatusOK, "Note: Beside "+first+".", "Reason: Nothing to see here.", "Wim Baker, "+contentZone(t, s.at))
	slot, _ := s.gate(signoff.GoNoGo).Slot("qa")
	if got := page.text("data-statement", ""); got != strings.Join(strings.Fields(slot.Statement), " ") {
		t.Errorf("the statement: %q, want %q", got, slot.Statement)
	}

	fields := filled(page, "note", "Read it twice.")
	s.ask(t, qaLead, http.MethodPost, goNoGoAt+"/sign", fields...).goesTo(goNoGoAt)
	s.ask(t, qaLead, http.MethodPost, goNoGoAt+"/sign", fields...).goesTo(goNoGoAt) // the double press
	if len(s.signatures) != 1 || s.signatures[0].Statement != slot.Statement || s.signatures[0].Score.String() != "9.5" {
		t.Fatalf("the signatures: %+v", s.signatures)
	}
	signed := s.ask(t, qaLead, http.MethodGet, goNoGoAt)
	signed.expect(http.StatusOK, "9.5 of 10", "Read it twice.", "1 of 4 required signatures", "Withdraw my signature as QA lead")
	if got := words(signed.page); !strings.Contains(got, "· 9.5 of 10 · ") {
		t.Errorf("score and time of what was signed are not kept apart: %q", got)
	}
	if got := slotState(signed, "qa"); got != "valid" {
		t.Errorf("the place of the QA lead is %s", got)
	}
	if strings.Contains(signed.body, "/sign\"") {
		t.Error("somebody who has signed is offered to sign again")
	}
	given := "/signatures/" + s.signatures[0].ID.String()
	s.ask(t, viewer, http.MethodGet, given).expect(http.StatusOK, "The content is still exactly what was signed.", "Quinn Adler", qaLead.Issuer, hash)
}

// TestWhatWasThereBeforeIsNoMigrationOfTheRelease: only what the release brings stands under its name.
func TestWhatWasThereBeforeIsNoMigrationOfTheRelease(t *testing.T) {
	g := signoff.Gate{Release: signoff.Release{StartedAt: t0}, Content: `{"migrations":[{"version":"0.0.15"},{"version":"0.0.20"},{"version":"0.0.21"}],"applied":[
		{"version":"0.0.15","direction":"up","success":true,"finished_at":"` + t0.Add(-time.Hour).Format(time.RFC3339Nano) + `"},
		{"version":"0.0.20","direction":"up","success":true,"finished_at":"` + t0.Add(time.Hour).Format(time.RFC3339Nano) + `"}]}`}
	sections, err := contentSections(g)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sections {
		for _, r := range s.Rows {
			got = append(got, s.Title+": "+r.ID+" "+r.State.Word)
		}
	}
	want := []string{"Migrations of this release: V0.0.20 Applied", "Migrations of this release: V0.0.21 File frozen", "In the database before this release: V0.0.15 Applied before"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contentSections (-want +got):\n%s", diff)
	}
}

func TestGatePassesWithItsLastSignature(t *testing.T) {
	s := openGate(t)
	s.ask(t, devOps, http.MethodGet, goNoGoAt).expect(http.StatusOK, "The DevOps lead signs last")
	for _, by := range []actor.Actor{backend, qaLead, person("x", "Xin Rao", actor.StatisticalExpert), devOps} {
		s.signs(t, by)
	}
	got := s.ask(t, viewer, http.MethodGet, goNoGoAt)
	got.expect(http.StatusOK, "Passed: every required signature is there.")
	if state := attribute(got.all("data-gate", "go_no_go")[0], "data-state"); state != "passed" {
		t.Errorf("the gate is %s", state)
	}
}

func TestWhoMayNotSignSeesWhyAndWhoCan(t *testing.T) {
	s := openGate(t)
	both := starter
	both.Roles = []actor.Role{actor.QALead}
	for name, c := range map[string]struct {
		by  actor.Actor
		say []string
	}{
		"no place":             {viewer, []string{"None of your roles has a place at this gate.", "Who can:", "QA lead"}},
		"started the release":  {both, []string{"You started this release, and four eyes are asked for", "Who can:"}},
		"not the last one yet": {devOps, []string{"signs last, and these have not signed yet: Backend lead, QA lead, Statistical expert."}},
	} {
		got := s.ask(t, c.by, http.MethodGet, goNoGoAt)
		got.expect(http.StatusOK, c.say...)
		if strings.Contains(got.body, "/sign\"") {
			t.Errorf("%s: is offered to sign", name)
		}
	}
	fields := filled(s.ask(t, qaLead, http.MethodGet, goNoGoAt))
	s.ask(t, viewer, http.MethodPost, goNoGoAt+"/sign", fields...).expect(http.StatusForbidden, "gate:sign", "QA lead")
	s.ask(t, both, http.MethodPost, goNoGoAt+"/sign", fields...).expect(http.StatusForbidden, "You started this release")
	s.ask(t, backend, http.MethodPost, goNoGoAt+"/sign", fields...).expect(http.StatusForbidden, "Only a person who holds the role QA lead")
	machine := qaLead
	machine.Rights = []actor.Right{actor.ReleaseRead, actor.GateSign}
	s.ask(t, machine, http.MethodPost, goNoGoAt+"/sign", fields...).expect(http.StatusForbidden, "A machine cannot sign.")
	if len(s.signatures) != 0 {
		t.Errorf("somebody who may not has signed: %+v", s.signatures)
	}
}

func TestContentThatMovedIsShownBeforeItIsSigned(t *testing.T) {
	s := openGate(t)
	fields := filled(s.ask(t, qaLead, http.MethodGet, goNoGoAt), "note", "Typed with care.", "score", "8.1")
	s.runs[0].T0 = t0.Add(2 * time.Hour)
	s.changes = []signoff.Change{{What: "T-0", Then: "19:00", Now: "21:00"}}
	got := s.ask(t, qaLead, http.MethodPost, goNoGoAt+"/sign", fields...)
	got.expect(http.StatusConflict, "What you were about to sign has changed", "T-0", "19:00", "21:00")
	_, now := s.content(signoff.GoNoGo)
	if got.typed("note") != "Typed with care." || got.typed("score") != "8.1" || got.typed("sha256") != now {
		t.Errorf("the form after the conflict: note %q, score %q, hash %q", got.typed("note"), got.typed("score"), got.typed("sha256"))
	}
	if len(s.signatures) != 0 {
		t.Error("content that moved was signed")
	}
	// Moved, and blocked as well: no form, and still nothing typed is lost.
	s.blockers = []signoff.Blocker{{Text: "PRE-P2 is open."}}
	blocked := s.ask(t, qaLead, http.MethodPost, goNoGoAt+"/sign", fields...)
	blocked.expect(http.StatusConflict, "PRE-P2 is open.")
	if typed := blocked.text("data-typed", ""); !strings.Contains(typed, "Typed with care.") || !strings.Contains(typed, "8.1") {
		t.Errorf("what was typed: %q", typed)
	}
}

func TestAScoreThatIsNoneStaysInItsField(t *testing.T) {
	s := openGate(t)
	page := s.ask(t, qaLead, http.MethodGet, goNoGoAt)
	for _, score := range []string{"", "11", "9.55", "9,5", "NaN", "-1"} {
		got := s.ask(t, qaLead, http.MethodPost, goNoGoAt+"/sign", filled(page, "score", score, "note", "Kept.", "meaning", "reviewed")...)
		got.expect(http.StatusUnprocessableEntity)
		if got.typed("score") != score || got.typed("note") != "Kept." || got.typed("meaning") != "reviewed" || len(got.all("href", "#score")) != 1 {
			t.Errorf("score %q: the field holds %q, the note %q, the meaning %q", score, got.typed("score"), got.typed("note"), got.typed("meaning"))
		}
	}
	for name, forged := range map[string][]string{
		"no meaning": {"meaning", ""}, "another meaning": {"meaning", "witnessed"}, "no key": {"version", "x"}, "another place": {"role", "ceo"}, "half a hash": {"sha256", "abc"},
	} {
		if got := s.ask(t, qaLead, http.MethodPost, goNoGoAt+"/sign", filled(page, forged...)...); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d, want 422", name, got.status)
		}
	}
	if len(s.signatures) != 0 {
		t.Error("a refused form signed")
	}
}

func TestAStaleSignInIsLedToAFreshOne(t *testing.T) {
	s := openGate(t)
	fresh, stale := qaLead, qaLead
	fresh.AuthTime, stale.AuthTime = s.at.Add(-actor.FreshFor), s.at.Add(-actor.FreshFor-time.Second)
	if got := s.ask(t, fresh, http.MethodGet, goNoGoAt); len(got.all("data-fresh", "yes")) != 1 {
		t.Error("a sign-in of exactly five minutes ago is too old for the page")
	}
	got := s.ask(t, stale, http.MethodGet, goNoGoAt)
	want := "/login?fresh=1&return=" + url.QueryEscape(goNoGoAt)
	if len(got.all("data-fresh", "no")) != 1 || len(got.all("href", want)) == 0 || strings.Contains(got.body, "/sign\"") {
		t.Errorf("a stale sign-in is not led to %s", want)
	}
	for _, r := range Gates(signoff.NewService(signoffShelf{s}), func() time.Time { return s.at }) {
		if strings.HasSuffix(r.Path, "/sign") && (r.Fresh != 5*time.Minute || r.Right != actor.GateSign) {
			t.Errorf("the route asks for a sign-in of %s and %s", r.Fresh, r.Right)
		}
	}
}

func TestASignatureBecomesVoidWithItsContent(t *testing.T) {
	s := openGate(t)
	s.signs(t, qaLead)
	s.items[3].Title = "Something else"
	gate := s.ask(t, qaLead, http.MethodGet, goNoGoAt)
	gate.expect(http.StatusOK, "what was signed has changed since", "What has changed since then", "Something else")
	if got := slotState(gate, "qa"); got != "void" {
		t.Errorf("the place of the QA lead is %s", got)
	}
	given := s.signatures[0].ID
	page := s.ask(t, viewer, http.MethodGet, "/signatures/"+given.String())
	page.expect(http.StatusOK, "so this signature does not count.", string(s.items[3].ID)+" title", "Something else")
	s.signatures[0].Intact = false
	s.ask(t, viewer, http.MethodGet, "/signatures/"+given.String()).expect(http.StatusOK, "Hash mismatch")
	s.signatures[0].Intact = true
	s.signs(t, qaLead) // void is filled by signing again
	if got := slotState(s.ask(t, qaLead, http.MethodGet, goNoGoAt), "qa"); got != "valid" || len(s.signatures) != 2 {
		t.Errorf("after signing again the place is %s with %d signatures", got, len(s.signatures))
	}
}

func TestWithdrawingAsksForAReasonAndKeepsTheSignature(t *testing.T) {
	s := openGate(t)
	s.signs(t, qaLead)
	id, at := s.signatures[0].ID.String(), goNoGoAt+"/withdraw"
	none := s.ask(t, qaLead, http.MethodPost, at, "signature", id, "reason", "no")
	none.expect(http.StatusUnprocessableEntity, "A few words, please")
	if none.typed("reason") != "no" || none.typed("signature") != id {
		t.Error("the refused form lost what was typed")
	}
	s.ask(t, backend, http.MethodPost, at, "signature", id, "reason", "I would rather not.").expect(http.StatusForbidden, "only they can withdraw it")
	if strings.Contains(s.ask(t, backend, http.MethodGet, goNoGoAt).body, at) {
		t.Error("somebody else is offered to withdraw it")
	}
	s.ask(t, qaLead, http.MethodPost, at, "signature", uuid.NewString(), "reason", "Another one.").expect(http.StatusNotFound)
	s.ask(t, qaLead, http.MethodPost, at, "signature", id, "reason", "The backup is too old.").goesTo(goNoGoAt)
	again := s.ask(t, qaLead, http.MethodPost, at, "signature", id, "reason", "The backup is too old.")
	again.expect(http.StatusConflict, "You have withdrawn this signature already.")
	if typed := again.text("data-typed", ""); !strings.Contains(typed, "The backup is too old.") {
		t.Errorf("what was typed: %q", typed)
	}
	got := s.ask(t, viewer, http.MethodGet, goNoGoAt)
	got.expect(http.StatusOK, "Withdrawn: The backup is too old.")
	if state := slotState(got, "qa"); state != "withdrawn" {
		t.Errorf("the place of the QA lead is %s", state)
	}
	s.ask(t, viewer, http.MethodGet, "/signatures/"+id).expect(http.StatusOK, "Withdrawn by Quinn Adler on 23 Nov 2026 at 18:00 EST: The backup is too old.")
}

func TestAGateIsRejectedAndTriedAgain(t *testing.T) {
	s := openGate(t)
	s.signs(t, backend)
	page := s.ask(t, qaLead, http.MethodGet, goNoGoAt)
	page.expect(http.StatusOK, "Reject this gate", "Reject Go / no-go on")
	reject := goNoGoAt + "/reject"
	if strings.Contains(s.ask(t, viewer, http.MethodGet, goNoGoAt).body, reject) {
		t.Error("somebody without a place is offered to reject")
	}
	stale := qaLead
	stale.AuthTime = s.at.Add(-actor.FreshFor - time.Second)
	if old := s.ask(t, stale, http.MethodGet, goNoGoAt); strings.Contains(old.body, reject) || len(old.all("data-action", "fresh-reject")) != 1 {
		t.Error("a stale sign-in is not led to a fresh one before it rejects")
	}
	short := s.ask(t, qaLead, http.MethodPost, reject, "role", "qa", "key", page.typed("key"), "reject_reason", "no")
	short.expect(http.StatusUnprocessableEntity, "A few words, please")
	if short.typed("reject_reason") != "no" || len(s.stops) != 0 {
		t.Errorf("the refused form holds %q, and %d stops", short.typed("reject_reason"), len(s.stops))
	}
	fields := []string{"role", "qa", "key", page.typed("key"), "reject_reason", "The load test failed"}
	s.ask(t, qaLead, http.MethodPost, reject, fields...).goesTo(goNoGoAt)
	s.ask(t, qaLead, http.MethodPost, reject, fields...).goesTo(goNoGoAt) // the double press
	if len(s.stops) != 1 {
		t.Fatalf("%d stops, want 1", len(s.stops))
	}
	other := s.ask(t, backend, http.MethodPost, reject, "role", "backend", "key", uuid.NewString(), "reject_reason", "Me too, I think.")
	other.expect(http.StatusConflict, "Quinn Adler has rejected this gate already")
	if typed := other.text("data-typed", ""); !strings.Contains(typed, "Me too, I think.") {
		t.Errorf("what was typed: %q", typed)
	}

	shut := s.ask(t, backend, http.MethodGet, goNoGoAt)
	shut.expect(http.StatusOK, "This gate was rejected", "Rejected by Quinn Adler as QA lead on 23 Nov 2026 at 18:00 EST: The load test failed.", "Who can:", "On-call engineer")
	if got := attribute(shut.all("data-gate", "go_no_go")[0], "data-state"); got != "rejected" || strings.Contains(shut.body, "/attempts\"") || strings.Contains(shut.body, "/sign\"") {
		t.Errorf("the rejected gate is %s, or offers what is not for this person", got)
	}
	if got := slotState(shut, "backend"); got != "void" {
		t.Errorf("what was signed before is %s, want void", got)
	}
	release := s.ask(t, devOps, http.MethodGet, releaseAt)
	release.expect(http.StatusOK, "Go / no-go is shut. Rejected by Quinn Adler", "Your move", "A new attempt has to be opened")
	if card := release.all("data-gate", "go_no_go"); attribute(card[0], "data-state") != "rejected" {
		t.Error("the release does not show the gate as rejected")
	}
	s.ask(t, viewer, http.MethodGet, "/signatures/"+s.signatures[0].ID.String()).expect(http.StatusOK, "Quinn Adler rejected the gate as QA lead", "So this signature does not count any more.")

	page = s.ask(t, devOps, http.MethodGet, goNoGoAt)
	open := goNoGoAt + "/attempts"
	s.ask(t, devOps, http.MethodPost, open, "after", page.typed("after"), "key", page.typed("key"), "attempt_note", "").expect(http.StatusUnprocessableEntity, "A few words, please")
	s.items[0].Title = "Something else now"
	fields = []string{"after", page.typed("after"), "key", page.typed("key"), "attempt_note", "The load test passed."}
	s.ask(t, devOps, http.MethodPost, open, fields...).goesTo(goNoGoAt)
	s.ask(t, devOps, http.MethodPost, open, fields...).goesTo(goNoGoAt)
	s.ask(t, starter, http.MethodPost, open, "after", "1", "key", uuid.NewString(), "attempt_note", "Once more.").expect(http.StatusConflict, "Dana Okafor has opened attempt 2 already")
	if len(s.attempts) != 1 {
		t.Fatalf("%d attempts, want 1", len(s.attempts))
	}
	again := s.ask(t, qaLead, http.MethodGet, goNoGoAt)
	again.expect(http.StatusOK, "Attempt 2.", "Attempts before", "Attempt 2 was opened by Dana Okafor", "The load test passed.", "Something else now")
	if !strings.Contains(again.body, "/sign\"") {
		t.Error("the new attempt cannot be signed")
	}
	s.signs(t, qaLead)
	then := s.ask(t, viewer, http.MethodGet, goNoGoAt+"/attempts/1/content")
	if then.status != http.StatusOK || !strings.Contains(then.header.Get("Content-Disposition"), s.stops[0].ContentSHA256) || then.body != s.stops[0].Content {
		t.Errorf("what was rejected: %d, %s", then.status, then.header.Get("Content-Disposition"))
	}
	s.ask(t, viewer, http.MethodGet, goNoGoAt+"/attempts/2/content").expect(http.StatusNotFound)
}

func TestAGateSaysByWhenItHasToPassAndThatItsTimeIsOver(t *testing.T) {
	s := openGate(t)
	s.expires = s.at.Add(time.Hour)
	s.ask(t, qaLead, http.MethodGet, goNoGoAt).expect(http.StatusOK, "Has to be passed by 19:00 EST in 1 h")
	s.at = s.at.Add(2 * time.Hour)
	over := s.ask(t, qaLead, http.MethodGet, goNoGoAt)
	over.expect(http.StatusOK, "The time of this gate ran out", "Denied, because its time ran out on 23 Nov 2026 at 19:00 EST")
	if strings.Contains(over.body, "/sign\"") || strings.Contains(over.body, "/reject\"") || attribute(over.all("data-gate", "go_no_go")[0], "data-state") != "expired" {
		t.Error("a gate whose time is over offers to sign or to reject, or does not say so")
	}
	page := s.ask(t, devOps, http.MethodGet, goNoGoAt)
	s.ask(t, devOps, http.MethodPost, goNoGoAt+"/attempts", "after", page.typed("after"), "key", page.typed("key"), "attempt_note", "We begin anew.").goesTo(goNoGoAt)
	s.ask(t, qaLead, http.MethodGet, goNoGoAt).expect(http.StatusOK, "Attempt 2.", "Time ran out", "We begin anew.")
}
