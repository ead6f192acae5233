package handlers

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/runbook"
)

func TestTakingOverNeedsANoteThatWhoHadItSees(t *testing.T) {
	s, item := workable(t, runbook.Text)
	at := itemAt(item)
	s.ask(t, qaLead, http.MethodPost, at+"/take", "version", "1").goesTo(at)
	s.ask(t, qaLead, http.MethodPost, at+"/takeover", "version", "2", "reason", "I want it twice.").expect(http.StatusConflict, "You have this item in hand already.")
	s.ask(t, backend, http.MethodPost, at+"/take", "version", "2").expect(http.StatusConflict, "Quinn Adler has this item in hand", "taken over from them with a note")
	refused := s.ask(t, backend, http.MethodPost, at+"/takeover", "version", "2", "reason", "no")
	refused.expect(http.StatusUnprocessableEntity, "Say why in a few words", "Take it over from Quinn Adler")
	if len(refused.all("href", "#reason-takeover")) != 1 {
		t.Error("the summary does not lead to the note")
	}
	s.ask(t, backend, http.MethodPost, at+"/takeover", "version", "2", "reason", "Quinn is on the train.").goesTo(at)
	if got := s.item(item.ID); got.Holder.Name != backend.Name || got.Reason != "" {
		t.Errorf("the item is with %q, reason %q; want %s, and the note beside it and not in what is signed", got.Holder.Name, got.Reason, backend.Name)
	}
	theirs := s.ask(t, qaLead, http.MethodGet, at)
	if got := theirs.text("data-taken-from", ""); !strings.Contains(got, "Bo Ekman took this item over from you") || !strings.Contains(got, "Quinn is on the train.") {
		t.Errorf("who had it reads %q", got)
	}
	if got := s.ask(t, backend, http.MethodGet, at); len(got.all("data-taken-from", "")) != 0 || !strings.Contains(got.text("data-comment", ""), "took it over from Quinn Adler") {
		t.Error("who has it now reads that it was taken from them, or the note is not among the comments")
	}
}

func TestCommentsStandInOrderAndAreSaidOnce(t *testing.T) {
	s, item := workable(t, runbook.Text)
	at, key := itemAt(item), uuid.NewString()
	s.ask(t, viewer, http.MethodPost, at+"/comment", "key", key, "comment", "Let me in.").expect(http.StatusForbidden, "item:work")
	s.ask(t, qaLead, http.MethodPost, at+"/comment", "key", key, "comment", "").expect(http.StatusUnprocessableEntity, "Write what you want to say.")
	long := strings.Repeat("w", 2001)
	s.ask(t, qaLead, http.MethodPost, at+"/comment", "key", key, "comment", long).expect(http.StatusUnprocessableEntity, "At most 2000", long)
	for range 2 { // a double press
		s.ask(t, qaLead, http.MethodPost, at+"/comment", "key", key, "comment", "<b>First</b>").goesTo(at)
	}
	again := s.ask(t, qaLead, http.MethodPost, at+"/comment", "key", key, "comment", "Not the first")
	again.expect(http.StatusConflict, "is not stored yet: press once more", "Not the first")
	if strings.Contains(again.body, `value="`+key+`"`) {
		t.Error("the form that was used already is offered with its old key, and would be refused once more")
	}
	s.ask(t, backend, http.MethodPost, at+"/comment", "key", uuid.NewString(), "comment", "Second").goesTo(at)
	page := s.ask(t, viewer, http.MethodGet, at)
	said := page.all("data-comment", "")
	if len(said) != 2 || !strings.Contains(words(said[0]), "<b>First</b>") || !strings.Contains(words(said[1]), "Second") {
		t.Errorf("%d comments: want the first and the second, in this order, as they were typed", len(said))
	}
	// A comment changes nothing of the item, so nobody who typed meanwhile is overtaken.
	s.ask(t, qaLead, http.MethodPost, at+"/done", "version", "1", fieldOf(item), "All is there.", "note", "").goesTo(at)
}

func TestARequiredItemIsSkippedBySignatureOnly(t *testing.T) {
	s, item := workable(t, runbook.Text)
	at := itemAt(item)
	s.ask(t, viewer, http.MethodPost, at+"/waive", "version", "1", "reason", "It is late.").expect(http.StatusForbidden)
	s.ask(t, backend, http.MethodPost, at+"/waive", "version", "1", "reason", "It is late.").expect(http.StatusForbidden, "DevOps lead, QA lead")
	s.ask(t, qaLead, http.MethodPost, at+"/waive", "version", "1", "reason", "").expect(http.StatusUnprocessableEntity, "Say why in a few words")
	offered := s.ask(t, qaLead, http.MethodGet, at).text("data-statement", "")
	if !strings.HasPrefix(offered, "As QA lead I have read what "+string(item.ID)) {
		t.Errorf("the statement: %q", offered)
	}
	s.ask(t, qaLead, http.MethodPost, at+"/waive", "version", "1", "reason", "The staging site is gone for good.").goesTo(at)
	page := s.ask(t, viewer, http.MethodGet, at)
	if got := page.text("data-waived", ""); !strings.Contains(got, offered) || !strings.Contains(got, "Quinn Adler, QA lead") || !strings.Contains(got, "gone for good") {
		t.Errorf("the page says of the signature: %q", got)
	}
	if got := s.item(item.ID); got.State != runbook.Skipped {
		t.Errorf("the item is %s", got.State)
	}
	s.ask(t, qaLead, http.MethodPost, at+"/reopen", "version", "2", "reason", "It is back.").goesTo(at)
	if got := s.item(item.ID); got.Waiver != uuid.Nil {
		t.Error("put back to open, the item is still skipped by a signature")
	}
	stale := qaLead
	stale.AuthTime = s.at.Add(-6 * time.Minute)
	if got := s.ask(t, stale, http.MethodGet, at); len(got.all("data-fresh", "no")) != 1 || len(got.all("data-statement", "")) != 0 {
		t.Error("after an old sign-in the page offers the signature, and not the way to a fresh sign-in")
	}
}

func TestOldEvidenceIsSaidToBeStaleAndCanBeGivenAgain(t *testing.T) {
	s, item := workable(t, runbook.Text)
	at, limit := itemAt(item), 4*time.Hour
	s.ask(t, qaLead, http.MethodPost, at+"/done", "version", "1", fieldOf(item), "Measured.", "note", "").goesTo(at)
	for n := range s.items {
		if s.items[n].ID == item.ID {
			s.items[n].FreshFor, s.items[n].EvidenceAt = &limit, s.at.Add(-limit)
		}
	}
	state := func() string {
		return attribute(s.ask(t, qaLead, http.MethodGet, at).all("data-item", "")[0], "data-state")
	}
	if got := state(); got != "done" {
		t.Errorf("at its limit the item is %s, want done", got)
	}
	s.at = s.at.Add(time.Second)
	if got := state(); got != "stale" {
		t.Errorf("past its limit the item is %s, want stale", got)
	}
	s.ask(t, qaLead, http.MethodGet, releaseAt).expect(http.StatusOK, "Stale")
	s.ask(t, qaLead, http.MethodPost, at+"/done", "version", "2", fieldOf(item), "Measured again.", "note", "").goesTo(at)
}
