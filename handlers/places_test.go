package handlers

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// glassShelf is break-glass on the shelf: it signs nothing, and refuses what it is told to.
type glassShelf struct {
	*signoff.Service
	s *shelf
}

func (g glassShelf) Outage(context.Context, actor.Actor) (signoff.Outage, error) {
	return g.s.outage, nil
}

func (g glassShelf) Meet(context.Context, actor.Actor) (signoff.Outage, error) {
	return g.s.outage, g.s.breaking
}

func (g glassShelf) SignByGlass(context.Context, actor.Actor, signoff.GlassRequest) (signoff.Signature, error) {
	return signoff.Signature{}, g.s.breaking
}

func (g glassShelf) Review(context.Context, actor.Actor, signoff.ReviewRequest) (bool, error) {
	return false, g.s.breaking
}

// twoPlaces is an open gate, and the product owner who is the QA lead's deputy as well.
func twoPlaces(t *testing.T) (*shelf, actor.Actor) {
	t.Helper()
	owner := person("o", "Ona Perez", actor.ProductOwner)
	s := openGate(t)
	s.deputies = []signoff.Deputy{{
		ID: uuid.New(), Role: actor.QALead, Person: signoff.Person{Issuer: owner.Issuer, Subject: owner.Subject, Name: owner.Name},
		From: s.at, Until: s.at, Reason: "On the road.", NamedBy: signoff.Person{Name: "Quinn Adler"}, NamedAt: s.at,
	}}
	return s, owner
}

func TestWhoCouldFillSeveralPlacesChoosesOneAndKeepsIt(t *testing.T) {
	s, owner := twoPlaces(t)
	own := s.ask(t, owner, http.MethodGet, goNoGoAt)
	if got := own.typed("role"); got != "product" {
		t.Fatalf("the form is of %q, want the person's own place", got)
	}
	if len(own.all("href", goNoGoAt+"?slot=qa")) != 1 {
		t.Error("the other place is not offered, and whoever signs in the first is barred from it")
	}
	for _, asked := range []string{"qa", "qa_lead"} { // the place, or its role, as the list of what waits names it
		page := s.ask(t, owner, http.MethodGet, goNoGoAt+"?slot="+asked)
		if got := page.typed("role"); got != "qa" {
			t.Errorf("slot=%s: the form is of %q, want qa", asked, got)
		}
		if len(page.all("data-live", goNoGoAt+"?slot=qa")) != 1 {
			t.Errorf("slot=%s: what changes by itself would put the form of another place there", asked)
		}
	}
	owner.AuthTime = s.at.Add(-time.Hour)
	stale := s.ask(t, owner, http.MethodGet, goNoGoAt+"?slot=qa")
	if len(stale.all("href", "/login?fresh=1&return="+url.QueryEscape(goNoGoAt+"?slot=qa"))) == 0 {
		t.Error("the fresh sign-in leads back to another place")
	}
	if len(stale.all("href", goNoGoAt+"/break-glass?slot=qa")) != 1 {
		t.Error("break-glass leads to another place")
	}
	if got := s.ask(t, qaLead, http.MethodGet, goNoGoAt); len(got.all("data-action", "other-place")) != 0 {
		t.Error("who has one place is asked which")
	}
}

func TestHalvesThatOpenNothingLeaveTheForm(t *testing.T) {
	s, owner := twoPlaces(t)
	owner.AuthTime = s.at.Add(-time.Hour)
	s.outage = signoff.Outage{ID: uuid.New(), Since: s.at, Last: s.at, At: s.at, Failures: 1, Failure: "connection refused"}
	page := s.ask(t, owner, http.MethodGet, goNoGoAt+"/break-glass?slot=qa")
	page.expect(http.StatusOK, "Your company's sign-in is away", "Sign as deputy of the QA lead by break-glass")
	s.breaking = fault.New(fault.Forbidden, "These two halves fit no code of your company.")
	one, other := strings.Repeat("A", 20), strings.Repeat("B", 20)
	again := s.ask(t, owner, http.MethodPost, goNoGoAt+"/break-glass", append(filled(page), "note", "It cannot wait.", "first", one, "second", other)...)
	again.expect(http.StatusForbidden, "These two halves fit no code of your company.")
	if again.typed("note") != "It cannot wait." || again.typed("role") != "qa" {
		t.Errorf("the note is %q and the place %q after a mistyped half", again.typed("note"), again.typed("role"))
	}
	if strings.Contains(again.body, one) || strings.Contains(again.body, other) {
		t.Error("a half is shown again")
	}
	lacking := s.ask(t, owner, http.MethodPost, goNoGoAt+"/break-glass", append(filled(page), "first", "", "second", "")...)
	lacking.expect(http.StatusUnprocessableEntity, "One half is missing.", "The other half is missing.")
}

func TestAFreshSignInThatMeetsNobodyLeadsToBreakGlass(t *testing.T) {
	for page, want := range map[string]string{
		goNoGoAt:                    goNoGoAt + "/break-glass",
		goNoGoAt + "?slot=qa":       goNoGoAt + "/break-glass?slot=qa",
		releaseAt + "/items/PRE-P1": "",
		releaseAt:                   "",
		"/releases/x/gates/final":   "",
		"/migrations":               "",
	} {
		way, ok := WithoutProvider(page)
		if way.Href != want || ok != (want != "") {
			t.Errorf("WithoutProvider(%s) = %q, %v; want %q", page, way.Href, ok, want)
		}
	}
}
