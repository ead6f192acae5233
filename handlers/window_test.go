package handlers

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/change"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// openRelease refuses as the stories do, and shows an active release.
type openRelease struct{ *change.Service }

func (openRelease) Show(_ context.Context, _ actor.Actor, release uuid.UUID) (change.Page, error) {
	return change.Page{Release: release, Code: "R-1", Zone: "UTC", Active: true, Moment: change.Moment{At: schemaNow}}, nil
}

// Who asks for an override wrongly is told all of it at once, and what they chose and typed stays.
func TestAnOverrideThatIsAskedForWronglyKeepsWhatWasChosen(t *testing.T) {
	t.Parallel()
	by := actor.Actor{Subject: "eli", Operator: true, AuthTime: schemaNow, Origin: actor.Web, Rights: []actor.Right{actor.ReleaseManage}}
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(599, fault.Of(err).String()) }
	for _, r := range Windows(openRelease{change.NewService(nil, nil)}, func() time.Time { return schemaNow }) {
		e.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
	}
	form := url.Values{"key": {uuid.NewString()}, "kind": {"freeze"}, "hours": {"99"}, "reason": {""}}
	request := httptest.NewRequestWithContext(actor.Into(t.Context(), by), http.MethodPost, windowHref(someRun)+"/overrides", strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, request)
	page := recorder.Body.String()
	for _, want := range []string{`value="freeze" checked`, `value="99"`, "A whole number from 1 to 8", "Say why"} {
		if !strings.Contains(page, want) {
			t.Errorf("the answer %d has no %s: %s", recorder.Code, want, page)
		}
	}
	if strings.Count(page, "checked") != 1 {
		t.Error("more than one kind is chosen")
	}
}

// TestAnOpenOverrideSaysWhoMayAgree: to whoever may not, it names the roles, and to whoever may, it offers the button.
func TestAnOpenOverrideSaysWhoMayAgree(t *testing.T) {
	t.Parallel()
	o := change.Override{ID: uuid.New(), Kind: change.Frost, By: "Dana", Issuer: "i", Subject: "dana"}
	p := change.Page{Release: someRun, Active: true, Moment: change.Moment{At: schemaNow}}
	for name, c := range map[string]struct {
		by     actor.Actor
		agrees bool
		who    int
	}{
		"who asked":        {actor.Actor{Issuer: "i", Subject: "dana", Operator: true, Rights: []actor.Right{actor.GateSign}}, false, 0},
		"who signs gates":  {actor.Actor{Issuer: "i", Subject: "ines", Operator: true, Rights: []actor.Right{actor.GateSign}}, true, 0},
		"who is on call":   {actor.Actor{Issuer: "i", Subject: "olaf", Operator: true, Rights: []actor.Right{actor.ItemWork}}, false, len(actor.RolesWith(actor.GateSign))},
		"of another house": {actor.Actor{Issuer: "i", Subject: "gus", Rights: []actor.Right{actor.GateSign}}, false, len(actor.RolesWith(actor.GateSign))},
	} {
		if row := overrideView(c.by, p, o, c.by.Operator, time.UTC); (row.Agree != "") != c.agrees || len(row.WhoAgrees) != c.who {
			t.Errorf("%s: offered %q, who can: %v", name, row.Agree, row.WhoAgrees)
		}
	}
}
