package handlers

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"golang.org/x/net/html"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/change"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/web"
)

// rollbackDesk answers with what a test put there, and keeps what it was asked.
type rollbackDesk struct {
	page   runbook.RollbackPage
	refuse error
	begun  []runbook.BeginRequest
	ticked []runbook.TickRequest
	ended  []runbook.EndRequest
	looked []runbook.ReviewRequest
	agreed int
}

func (d *rollbackDesk) Show(_ context.Context, _ actor.Actor, run uuid.UUID) (runbook.RollbackPage, error) {
	if run != runID {
		return runbook.RollbackPage{}, fault.New(fault.NotFound, "There is no such release here.")
	}
	return d.page, nil
}

func (d *rollbackDesk) Begin(_ context.Context, _ actor.Actor, r runbook.BeginRequest) error {
	d.begun = append(d.begun, r)
	return d.refuse
}

func (d *rollbackDesk) Agree(context.Context, actor.Actor, uuid.UUID, uuid.UUID) error {
	d.agreed++
	return d.refuse
}

func (d *rollbackDesk) Tick(_ context.Context, _ actor.Actor, r runbook.TickRequest) error {
	d.ticked = append(d.ticked, r)
	return d.refuse
}

func (d *rollbackDesk) End(_ context.Context, _ actor.Actor, r runbook.EndRequest) error {
	d.ended = append(d.ended, r)
	return d.refuse
}

func (d *rollbackDesk) Review(_ context.Context, _ actor.Actor, r runbook.ReviewRequest) error {
	d.looked = append(d.looked, r)
	return d.refuse
}

var (
	onCall     = person("o", "Olaf Nyström", actor.OnCallEngineer)
	rollbackAt = releaseAt + "/rollback"
)

func openDesk(t *testing.T) *rollbackDesk {
	t.Helper()
	s := openShelf(t)
	d := &rollbackDesk{page: runbook.RollbackPage{Run: s.runs[0], Options: s.template.Rollback, At: deskClock}}
	for _, v := range s.template.Migrations {
		d.page.Migrations = append(d.page.Migrations, runbook.MigrationShown{Migration: runbook.Migration{Version: v}, Direction: "up", Success: true, Own: true})
	}
	return d
}

func (d *rollbackDesk) ask(t *testing.T, by actor.Actor, method, path string, fields ...string) answer {
	t.Helper()
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(web.Status(err), err.Error()) }
	for _, r := range Rollbacks(d, func() time.Time { return deskClock }) {
		e.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
	}
	form := url.Values{}
	for n := 0; n+1 < len(fields); n += 2 {
		form.Set(fields[n], fields[n+1])
	}
	request := httptest.NewRequestWithContext(actor.Into(t.Context(), by), method, path, strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, request)
	page, err := html.Parse(strings.NewReader(recorder.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return answer{t, recorder.Code, recorder.Header(), recorder.Body.String(), page}
}

// rolling puts a rollback by that option under way, three minutes ago.
func (d *rollbackDesk) rolling(option string) *runbook.Rollback {
	for _, o := range d.page.Options {
		if o.ID == option {
			b := runbook.Rollback{ID: uuid.New(), Run: runID, Option: o.ID, Title: o.Title, DataLoss: o.DataLoss, Safe: o.Safe(), Goal: o.Within(), Reason: "Pods restart.", By: runbook.Person{Issuer: onCall.Issuer, Subject: onCall.Subject, Name: onCall.Name}, StartedAt: deskClock.Add(-3 * time.Minute)}
			for _, s := range o.Steps {
				b.Steps = append(b.Steps, runbook.RollbackStep{Text: s})
			}
			d.page.Rollbacks = []runbook.Rollback{b}
		}
	}
	return &d.page.Rollbacks[0]
}

func TestAWayBackIsChosenFromTheRunbook(t *testing.T) {
	d := openDesk(t)
	page := d.ask(t, onCall, http.MethodGet, rollbackAt)
	page.expect(http.StatusOK, "RB-1", "one person alone, reviewed afterwards", "RB-4", "two people", "Goal 5 min", "Goal 10 min", "Goal 1 h", "and start the clock")
	if got := len(page.all("data-option", "")); got != 5 {
		t.Errorf("%d ways back, want the five of the runbook", got)
	}
	if other := d.ask(t, viewer, http.MethodGet, rollbackAt); strings.Contains(other.body, "<form method=\"post\" action=\""+rollbackAt) || !strings.Contains(words(other.page), "Who can: DevOps lead or On-call engineer") {
		t.Error("somebody who may not is offered to start a rollback, or is not told who may")
	}
	stale := onCall
	stale.AuthTime = deskClock.Add(-actor.FreshFor - time.Second)
	if old := d.ask(t, stale, http.MethodGet, rollbackAt); len(old.all("data-action", "fresh")) != 1 || len(old.all("data-action", "rollback")) != 0 {
		t.Error("a stale sign-in is not led to a fresh one")
	}
	d.refuse = fault.New(fault.Invalid, "No.").WithField("reason", "Say why in a few words.")
	bad := d.ask(t, onCall, http.MethodPost, rollbackAt, "option", "RB-2", "reason", "x", "key", page.typed("key"))
	bad.expect(http.StatusUnprocessableEntity, "Say why in a few words.")
	if bad.typed("reason") != "x" || len(bad.all("checked", "")) != 1 || attribute(bad.all("checked", "")[0], "value") != "RB-2" {
		t.Error("the refused form lost the way or the reason")
	}
	d.refuse = nil
	d.ask(t, onCall, http.MethodPost, rollbackAt, "option", "RB-2", "reason", "It is slow.", "key", page.typed("key")).goesTo(rollbackAt)
	if got := d.begun[len(d.begun)-1]; got.Option != "RB-2" || got.Reason != "It is slow." || got.Key.String() != page.typed("key") || got.Run != runID {
		t.Errorf("the story was asked for %+v", got)
	}
	d.page.Run.State = runbook.Closed
	d.ask(t, onCall, http.MethodGet, rollbackAt).expect(http.StatusOK, "This release is over, so it is not rolled back any more.")
}

func TestARollbackShowsItsClockItsStepsAndWhatTheConsoleHas(t *testing.T) {
	d := openDesk(t)
	b := d.rolling("RB-5")
	at := rollbackAt + "/" + b.ID.String()
	asked := d.ask(t, backend, http.MethodGet, rollbackAt)
	asked.expect(http.StatusOK, "Waits for a second person", "Agree to RB-5 of REQ-1: every row in what they created is lost", "Running for 3 min. The runbook sets no goal for it.")
	if strings.Contains(asked.body, at+"/steps") {
		t.Error("a step is offered before the second person has agreed")
	}
	d.ask(t, onCall, http.MethodGet, rollbackAt).expect(http.StatusOK, "needs two people, so a second person has to agree before its first step", "Who can:")
	b.StartedAt = deskClock.Add(-3*time.Minute - 346*time.Millisecond)
	if page := d.ask(t, onCall, http.MethodGet, rollbackAt); strings.Contains(page.body, "346 ms") {
		t.Error("the clock of an outage is read by the millisecond")
	}
	d.ask(t, backend, http.MethodPost, at+"/agree").goesTo(rollbackAt)
	b.Agreed = &runbook.RollbackAct{By: runbook.Person{Name: "Bo Ekman"}, At: deskClock.Add(-2 * time.Minute)}
	going := d.ask(t, onCall, http.MethodGet, rollbackAt)
	going.expect(http.StatusOK, "Bo Ekman on 23 Nov 2026 at 17:58 EST", "Run the health checks", "Step 1 is done")
	if len(going.all("data-still", "")) != 0 {
		t.Error("what is left is said before the end is near")
	}
	steps := slices.Clone(b.Steps)
	for i := range b.Steps {
		b.Steps[i].Done = &runbook.RollbackAct{By: b.By, Note: "Seen.", At: deskClock}
	}
	d.ask(t, onCall, http.MethodGet, rollbackAt).expect(http.StatusOK, "Still in the database: V0.0.22")
	b.Steps = steps
	undo := going.all("data-undo", "")[0]
	if first := words(undo); !strings.HasPrefix(first, "V0.0.22") || len(going.all("href", migrationsPage+"/V0.0.22/down")) != 1 {
		t.Errorf("the undo pages: %q", first)
	}
	for i := range d.page.Migrations { // what was there before, or another release brought, is not this one's to take back
		d.page.Migrations[i].Own = false
	}
	d.page.Moment = change.Moment{Starts: deskClock, Ends: deskClock.Add(time.Hour), Refusal: "A freeze holds until 24 Nov 06:00 EST: inventory."}
	none := d.ask(t, onCall, http.MethodGet, rollbackAt)
	none.expect(http.StatusOK, "This release has applied no migration, so there is none of its own to take back.",
		"Gatehouse applies nothing and takes no migration back now. A freeze holds until 24 Nov 06:00 EST: inventory.", "after asking the backend lead")
	if len(none.all("href", migrationsPage+"/V0.0.22/down")) != 0 {
		t.Error("a migration of another release is offered to be taken back")
	}
	d.refuse = fault.New(fault.Invalid, "No.").WithField("note", "What did you see?")
	bad := d.ask(t, onCall, http.MethodPost, at+"/steps", "step", "2", "outcome", "done", "note", "ok")
	bad.expect(http.StatusUnprocessableEntity, "What did you see?")
	if kept := bad.all("id", "note-2"); len(kept) != 1 || words(kept[0]) != "ok" || len(bad.all("href", "#note-2")) != 1 {
		t.Error("the refused step lost what was typed, or the complaint does not lead to it")
	}
	d.refuse = nil
	d.ask(t, onCall, http.MethodPost, at+"/steps", "step", "2", "outcome", "not_needed", "note", "There is nothing.").goesTo(rollbackAt)
	if got := d.ticked[len(d.ticked)-1]; got.Needed || got.Step != 2 || got.Note != "There is nothing." {
		t.Errorf("the story was asked for %+v", got)
	}
	d.ask(t, onCall, http.MethodPost, at+"/steps", "step", "2", "outcome", "perhaps", "note", "x").expect(http.StatusUnprocessableEntity)
}

func TestTheEndAndTheReviewOfARollback(t *testing.T) {
	d := openDesk(t)
	b := d.rolling("RB-1")
	at := rollbackAt + "/" + b.ID.String()
	early := d.ask(t, onCall, http.MethodGet, rollbackAt)
	early.expect(http.StatusOK, "Running for 3 min: 2 min left of its goal of 5 min.")
	if len(early.all("data-action", "end")) != 0 || len(early.all("data-action", "give-up")) != 1 {
		t.Error("the end is offered with open steps, or giving up is not")
	}
	b.StartedAt = deskClock.Add(-7 * time.Minute)
	d.ask(t, onCall, http.MethodGet, rollbackAt).expect(http.StatusOK, "Running for 7 min: 2 min over its goal of 5 min.")
	for i := range b.Steps {
		b.Steps[i].Done, b.Steps[i].Needed = &runbook.RollbackAct{By: b.By, Note: "Seen.", At: deskClock}, true
	}
	if ready := d.ask(t, onCall, http.MethodGet, rollbackAt); len(ready.all("data-action", "end")) != 1 {
		t.Error("the end is not offered although all is settled")
	}
	d.ask(t, onCall, http.MethodPost, at+"/end", "outcome", "rolled_back", "end_note", "It runs.").goesTo(rollbackAt)
	d.ask(t, onCall, http.MethodPost, at+"/end", "outcome", "given_up", "end_note", "It runs.").goesTo(rollbackAt)
	if d.ended[0].GivenUp || !d.ended[1].GivenUp {
		t.Errorf("the story was asked for %+v", d.ended)
	}
	b.Ended, b.Took, d.page.Run.State = &runbook.RollbackAct{By: b.By, Note: "It runs.", At: deskClock}, 7*time.Minute, runbook.RolledBack
	over := d.ask(t, qaLead, http.MethodGet, rollbackAt)
	over.expect(http.StatusOK, "Took 7 min: the goal of 5 min was missed by 2 min.", "Finding: nobody else has reviewed this rollback yet.", "It was in order")
	if own := d.ask(t, onCall, http.MethodGet, rollbackAt); strings.Contains(own.body, at+"/review") {
		t.Error("who rolled back is offered to review it")
	}
	d.refuse = fault.New(fault.Conflict, "Dana has reviewed this rollback already.")
	late := d.ask(t, qaLead, http.MethodPost, at+"/review", "verdict", "objected", "review_note", "Too late.")
	late.expect(http.StatusConflict, "Dana has reviewed this rollback already.")
	if late.typed("review_note") != "Too late." {
		t.Error("the refused review lost what was typed")
	}
	d.refuse = nil
	d.ask(t, qaLead, http.MethodPost, at+"/review", "verdict", "objected", "review_note", "Too late.").goesTo(rollbackAt)
	if !d.looked[1].Objected {
		t.Error("an objection is stored as none")
	}
	b.Reviewed, b.Objected = &runbook.RollbackAct{By: runbook.Person{Name: "Quinn Adler"}, Note: "Too late.", At: deskClock}, true
	d.ask(t, viewer, http.MethodGet, rollbackAt).expect(http.StatusOK, "Reviewed by Quinn Adler", "something was not in order: Too late.")
}

func TestAReleaseShowsItsRollback(t *testing.T) {
	s := openShelf(t)
	d := openDesk(t)
	s.rollbacks = []runbook.Rollback{*d.rolling("RB-1")}
	page := s.ask(t, viewer, http.MethodGet, releaseAt)
	page.expect(http.StatusOK, "This release is being rolled back by RB-1, decided by Olaf Nyström. Running for 3 min", "Nothing of it is applied or signed.")
	if len(page.all("href", rollbackAt)) < 2 {
		t.Error("the release does not lead to its rollback")
	}
	// Its head and its next step are those of the rollback, and not of the runbook that stands still.
	page.expect(http.StatusOK, "RB-1, step 1: "+s.rollbacks[0].Steps[0].Text)
	if len(page.all("data-state", "under_way")) == 0 || strings.Contains(page.body, "Sign Go / no-go") {
		t.Error("the release still says what its runbook would do next")
	}
	s.rollbacks[0].Safe = false
	s.ask(t, viewer, http.MethodGet, releaseAt).expect(http.StatusOK, "RB-1 waits for a second person to agree.")
	s.rollbacks[0].Ended, s.runs[0].State = &runbook.RollbackAct{At: s.at}, runbook.RolledBack
	s.ask(t, viewer, http.MethodGet, releaseAt).expect(http.StatusOK, "Finding: the rollback by RB-1 has not been reviewed")
}
