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
	"golang.org/x/net/html"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/web"
)

// cabinet is break-glass in memory, over the gate of a shelf; it refuses what it is told to.
type cabinet struct {
	*shelf
	away     signoff.Outage
	refuses  error
	given    *signoff.Signature
	over     bool
	signed   []signoff.GlassRequest
	reviewed []signoff.ReviewRequest
	met      int
}

func (c *cabinet) Gate(_ context.Context, _ actor.Actor, run uuid.UUID, id signoff.GateID) (signoff.Gate, error) {
	return signoffShelf{c.shelf}.Gate(context.Background(), actor.Actor{}, run, id)
}

func (c *cabinet) Outage(context.Context, actor.Actor) (signoff.Outage, error) { return c.away, nil }

func (c *cabinet) Meet(context.Context, actor.Actor) (signoff.Outage, error) {
	c.met++
	return c.away, c.refuses
}

func (c *cabinet) SignByGlass(_ context.Context, _ actor.Actor, r signoff.GlassRequest) (signoff.Signature, error) {
	c.signed = append(c.signed, r)
	return signoff.Signature{ID: runID}, c.refuses
}

func (c *cabinet) Review(_ context.Context, _ actor.Actor, r signoff.ReviewRequest) (bool, error) {
	c.reviewed = append(c.reviewed, r)
	return c.over, c.refuses
}

func (c *cabinet) Signature(_ context.Context, _ actor.Actor, id uuid.UUID) (signoff.Signature, signoff.Gate, []signoff.Change, error) {
	if c.given == nil || c.given.ID != id {
		return signoff.Signature{}, signoff.Gate{}, nil, fault.New(fault.NotFound, "There is no such signature.")
	}
	return *c.given, c.gate(signoff.GoNoGo), nil, nil
}

func (c *cabinet) ask(t *testing.T, by actor.Actor, method, path string, fields ...string) answer {
	t.Helper()
	form := url.Values{}
	for n := 0; n+1 < len(fields); n += 2 {
		form.Set(fields[n], fields[n+1])
	}
	now := func() time.Time { return c.at }
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(web.Status(err), err.Error()) }
	for _, r := range Glass(c, "Rivermark ID", now) {
		e.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
	}
	request := httptest.NewRequestWithContext(actor.Into(t.Context(), by), method, path, strings.NewReader(form.Encode()))
	request.Header.Set(echo.HeaderContentType, echo.MIMEApplicationForm)
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, request)
	page, err := html.Parse(strings.NewReader(recorder.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return answer{t, recorder.Code, recorder.Header(), recorder.Body.String(), page}
}

const glassAt = goNoGoAt + "/break-glass"

// tired is the QA lead on a session of an hour ago.
func tired() actor.Actor {
	by := qaLead
	by.AuthTime = deskClock.Add(-time.Hour)
	return by
}

// openCabinet is a gate that may be signed, while the provider has been away for a minute.
func openCabinet(t *testing.T) *cabinet {
	t.Helper()
	s := openShelf(t)
	s.settle(runbook.Done, func(i runbook.Item) bool { return i.Gate == signoff.GoNoGo })
	return &cabinet{shelf: s, away: signoff.Outage{ID: uuid.New(), Since: deskClock.Add(-time.Minute), Last: deskClock.Add(-time.Second), Failure: "connection <refused>", Failures: 1, At: deskClock}}
}

const oneHalf, otherHalf = "AAAAABBBBBCCCCCDDDDD", "EEEEEFFFFFGGGGGHHHHH"

// broken are the fields as the page sends them, and what a person typed on top.
func (c *cabinet) broken(t *testing.T, typed ...string) []string {
	t.Helper()
	page := c.ask(t, tired(), http.MethodGet, glassAt)
	return append([]string{
		"version", page.typed("version"), "sha256", page.typed("sha256"), "role", page.typed("role"), "meaning", "approved", "score", "9.5", "note", "The provider is away.",
		"first", "aaaaa-bbbbb-ccccc-ddddd", "second", "EEEEE FFFFF GGGGG HHHHH",
	}, typed...)
}

func TestBreakGlassIsOfferedWhereTheProviderIsAway(t *testing.T) {
	c := openCabinet(t)
	page := c.ask(t, tired(), http.MethodGet, glassAt)
	page.expect(http.StatusOK, "Rivermark ID is away since", "connection <refused>", "You last proved who you are", "Sign as QA lead by break-glass: Go / no-go on")
	slot, _ := c.gate(signoff.GoNoGo).Slot("qa")
	if got := page.text("data-statement", ""); got != strings.Join(strings.Fields(slot.Statement), " ") {
		t.Errorf("the statement is %q", got)
	}
	for _, name := range []string{"first", "second"} {
		if field := page.all("name", name)[0]; attribute(field, "type") != "password" || attribute(field, "value") != "" || attribute(field, "autocomplete") != "off" {
			t.Errorf("the half %s is a field that shows or remembers it: %v", name, field.Attr)
		}
	}
	// Nobody has met its absence lately: only asking is offered.
	c.away.Last = deskClock.Add(-11 * time.Minute)
	page = c.ask(t, tired(), http.MethodGet, glassAt)
	page.expect(http.StatusOK, "Is Rivermark ID really away?")
	if len(page.all("name", "first")) != 0 || len(page.all("action", goNoGoAt+"/outage")) != 1 {
		t.Error("without an outage halves are asked for, or nobody can look for one")
	}
	c.ask(t, tired(), http.MethodPost, goNoGoAt+"/outage").expectRedirect(glassAt)
	if c.met != 1 {
		t.Errorf("the provider was asked %d times", c.met)
	}
	c.refuses = fault.New(fault.Conflict, "The identity provider answers.")
	c.ask(t, tired(), http.MethodPost, goNoGoAt+"/outage").expect(http.StatusConflict, "The identity provider answers.", "Is Rivermark ID really away?")
	c.refuses = fault.New(fault.Unavailable, "away")
	c.ask(t, tired(), http.MethodPost, goNoGoAt+"/outage").expect(http.StatusServiceUnavailable)
}

func (a answer) expectRedirect(path string) {
	a.t.Helper()
	if a.status != http.StatusSeeOther || a.header.Get("Location") != path {
		a.t.Errorf("status %d to %q, want 303 to %q", a.status, a.header.Get("Location"), path)
	}
}

func TestWhoIsOfferedNoBreakGlass(t *testing.T) {
	never := qaLead
	never.AuthTime = time.Time{}
	started := tired()
	started.Issuer, started.Subject = starter.Issuer, starter.Subject
	for what, c := range map[string]struct {
		by     actor.Actor
		change func(*cabinet)
		says   string
	}{
		"a fresh sign-in":      {qaLead, func(*cabinet) {}, "Your sign-in is fresh enough"},
		"no proof at all":      {never, func(*cabinet) {}, "never said when you proved who you are"},
		"no place":             {person("x", "Xin Rao", actor.OnCallEngineer), func(*cabinet) {}, "None of your roles has a place at this gate."},
		"the starter":          {started, func(*cabinet) {}, "You started this release"},
		"a gate that is shut":  {tired(), func(c *cabinet) { c.blockers = []signoff.Blocker{{Text: "PRE-P2 is open."}} }, "PRE-P2 is open."},
		"a release that ended": {tired(), func(c *cabinet) { c.runs[0].State = runbook.Aborted }, "This release is over"},
	} {
		cab := openCabinet(t)
		c.change(cab)
		page := cab.ask(t, c.by, http.MethodGet, glassAt)
		page.expect(http.StatusOK, c.says)
		if len(page.all("data-refused", "")) != 1 || len(page.all("name", "first")) != 0 || strings.Contains(page.body, `method="post" action="`+goNoGoAt) {
			t.Errorf("%s: a form is offered all the same", what)
		}
	}
	c := openCabinet(t)
	c.ask(t, tired(), http.MethodGet, releaseAt+"/gates/other/break-glass").expect(http.StatusNotFound)
	c.ask(t, tired(), http.MethodGet, "/releases/"+uuid.NewString()+"/gates/go_no_go/break-glass").expect(http.StatusNotFound)
	c.ask(t, tired(), http.MethodGet, glassAt+"?x=1").expect(http.StatusUnprocessableEntity)
}

func TestBreakGlassIsSignedAsItWasTyped(t *testing.T) {
	c := openCabinet(t)
	fields := c.broken(t)
	c.ask(t, tired(), http.MethodPost, glassAt, c.broken(t, "statement", "Anything else.")...).expect(http.StatusUnprocessableEntity, "does not know the field statement")
	c.ask(t, tired(), http.MethodPost, glassAt, fields...).goesTo("/signatures/" + runID.String())
	if len(c.signed) != 1 {
		t.Fatalf("%d were asked for", len(c.signed))
	}
	r := c.signed[0]
	slot, _ := c.gate(signoff.GoNoGo).Slot("qa")
	key, _, _ := strings.Cut(fields[1], ".")
	if r.One != oneHalf || r.Other != otherHalf || r.Run != runID || r.Gate != signoff.GoNoGo || r.Slot != "qa" || r.Meaning != signoff.Approved || r.Statement != slot.Statement ||
		r.Score == nil || *r.Score != 95 || r.Note != "The provider is away." || r.Key.String() != key || r.SeenSeq != 7 || r.ContentSHA256 != fields[3] || r.Code != uuid.Nil {
		t.Errorf("what was asked for: %+v", r)
	}
}

// What is wrong with the form is said beside its fields, nothing is asked for, and neither half comes back.
func TestAWrongFormOfBreakGlassKeepsAllButTheHalves(t *testing.T) {
	for what, c := range map[string]struct{ field, value, says string }{
		"no half":          {"second", "", "The other half is missing."},
		"a short half":     {"first", "AAAAA-BBBBB-CCCCC-DDDD", "A half has 20 letters and digits; these are 19."},
		"the same twice":   {"second", oneHalf, "This is the same half once more."},
		"no meaning":       {"meaning", "", "Choose what your signature means."},
		"no score":         {"score", "", "The score is needed, from 0 to 10."},
		"no number":        {"score", "ten", "The score is a number from 0 to 10"},
		"a long note":      {"note", strings.Repeat("x", 2001), "2000"},
		"no key":           {"version", "x", "The form has lost its key."},
		"a negative entry": {"version", uuid.NewString() + ".-1", "The form has lost its key."},
	} {
		cab := openCabinet(t)
		page := cab.ask(t, tired(), http.MethodPost, glassAt, cab.broken(t, c.field, c.value)...)
		page.expect(http.StatusUnprocessableEntity, c.says)
		cab.keeps(t, what, page)
		if len(cab.signed) != 0 {
			t.Errorf("%s: a signature was asked for", what)
		}
		if c.field != "note" && page.typed("note") != "The provider is away." {
			t.Errorf("%s: the note is %q", what, page.typed("note"))
		}
	}
}

// A place that the gate does not have asks for nothing.
func TestBreakGlassAtNoPlaceIsRefused(t *testing.T) {
	c := openCabinet(t)
	fields := c.broken(t, "role", "nobody")
	for i := range fields {
		if fields[i] == "score" {
			fields[i] = "note" // the place asks for none
		}
	}
	c.ask(t, tired(), http.MethodPost, glassAt, fields...).expect(http.StatusUnprocessableEntity, "This gate has no such place to sign in.")
	if len(c.signed) != 0 {
		t.Error("a signature was asked for")
	}
}

// keeps wants that no half is in the answer.
func (c *cabinet) keeps(t *testing.T, what string, page answer) {
	t.Helper()
	for _, half := range []string{oneHalf, otherHalf, "aaaaa-bbbbb", "EEEEE FFFFF", "AAAAA-BBBBB"} {
		if strings.Contains(page.body, half) {
			t.Errorf("%s: the answer holds a half, %s", what, half)
		}
	}
}

// A refusal shows the page as it is now, with what was typed; also one of the code, so that a typing error costs no note.
func TestARefusedBreakGlassKeepsWhatWasTyped(t *testing.T) {
	for what, refusal := range map[string]struct {
		kind   fault.Kind
		status int
	}{
		"wrong halves": {fault.Forbidden, http.StatusForbidden}, "it answers": {fault.Conflict, http.StatusConflict}, "a field": {fault.Invalid, http.StatusUnprocessableEntity},
		"a clock": {fault.Unauthenticated, http.StatusUnauthorized},
	} {
		c := openCabinet(t)
		fields := c.broken(t)
		c.refuses = fault.New(refusal.kind, "These two halves fit no code.").WithField("score", "Why so low?")
		page := c.ask(t, tired(), http.MethodPost, glassAt, fields...)
		page.expect(refusal.status, "Why so low?")
		c.keeps(t, what, page)
		if page.typed("note") != "The provider is away." || page.typed("score") != "9.5" || page.typed("meaning") != "approved" || page.typed("version") == fields[1] {
			t.Errorf("%s: the form holds %q, %q, %q, with the key %q", what, page.typed("note"), page.typed("score"), page.typed("meaning"), page.typed("version"))
		}
	}
	c := openCabinet(t)
	fields := c.broken(t)
	c.refuses = fault.New(fault.Forbidden, "These two halves fit no code.")
	c.ask(t, tired(), http.MethodPost, glassAt, fields...).expect(http.StatusForbidden, "These two halves fit no code.")
	// Where the form is not offered any more, what was typed stands beside it.
	c.away.Last = time.Time{}
	c.refuses = fault.New(fault.Conflict, "The identity provider answers.")
	page := c.ask(t, tired(), http.MethodPost, glassAt, fields...)
	page.expect(http.StatusConflict, "The identity provider answers.", "The provider is away.", "9.5")
	c.keeps(t, "no form", page)
	c.refuses = fault.New(fault.Unavailable, "The database is away.")
	c.ask(t, tired(), http.MethodPost, glassAt, fields...).expect(http.StatusServiceUnavailable)
}

func (c *cabinet) reviewable() string {
	hash := c.gate(signoff.GoNoGo)
	c.given = &signoff.Signature{
		ID: uuid.MustParse("77777777-7777-7777-8777-777777777777"), Run: runID, Gate: signoff.GoNoGo, Slot: "qa", Role: actor.QALead, Meaning: signoff.Approved, Content: hash.Content,
		ContentSHA256: hash.SHA256, Intact: true, Issuer: qaLead.Issuer, Subject: qaLead.Subject, Name: qaLead.Name, SignedAt: deskClock,
		Glass: &signoff.Glass{By: signoff.Person{Issuer: qaLead.Issuer, Subject: qaLead.Subject, Name: qaLead.Name}, First: signoff.Person{Name: "Hana"}, Second: signoff.Person{Name: "Hugo"}, ReviewDue: deskClock.Add(72 * time.Hour)},
	}
	return "/signatures/" + c.given.ID.String() + "/review"
}

func TestAReviewIsGivenAsItWasTyped(t *testing.T) {
	c := openCabinet(t)
	path, key := c.reviewable(), uuid.New()
	for _, r := range []struct {
		verdict, reason string
		over            bool
	}{{"upheld", "", false}, {"refused", "I know nothing of it.", false}, {"upheld", "", true}} {
		c.over = r.over
		c.ask(t, backend, http.MethodPost, path, "verdict", r.verdict, "review_reason", r.reason, "key", key.String()).goesTo("/signatures/" + c.given.ID.String())
		if got := c.reviewed[len(c.reviewed)-1]; got != (signoff.ReviewRequest{Signature: c.given.ID, Verdict: signoff.Verdict(r.verdict), Reason: r.reason, Key: key}) {
			t.Errorf("what was asked for: %+v", got)
		}
	}
	for want, got := range map[string]string{
		"with it the release is signed off": reviewed(signoff.Refused, true), "void from now on": reviewed(signoff.Refused, false), "counts like any other": reviewed(signoff.Upheld, false),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
	before := len(c.reviewed)
	c.ask(t, backend, http.MethodPost, path, "verdict", "upheld", "key", "x").expect(http.StatusUnprocessableEntity)
	c.ask(t, backend, http.MethodPost, "/signatures/x/review", "verdict", "upheld", "key", key.String()).expect(http.StatusNotFound)
	if len(c.reviewed) != before {
		t.Error("a form without a key, or of no signature, asked for a review")
	}
}

func TestARefusedReviewKeepsWhatWasTyped(t *testing.T) {
	c := openCabinet(t)
	path := c.reviewable()
	typed := []string{"verdict", "refused", "review_reason", "no", "key", uuid.NewString()}
	c.refuses = fault.New(fault.Invalid, "wrong").WithField("review_reason", "A few words, please.")
	page := c.ask(t, backend, http.MethodPost, path, typed...)
	page.expect(http.StatusUnprocessableEntity, "A few words, please.")
	if chosen := page.all("value", "refused"); page.typed("review_reason") != "no" || len(chosen) != 1 || !has(chosen[0], "checked") || page.typed("key") == typed[5] {
		t.Errorf("the form does not hold what was typed, or keeps its key: %q, %v", page.typed("review_reason"), chosen)
	}
	// Who may not review, or has to prove who they are, is shown what was typed beside the page.
	c.refuses = fault.New(fault.Conflict, "Somebody was quicker.")
	stale := backend
	stale.AuthTime = deskClock.Add(-time.Hour)
	for by, says := range map[*actor.Actor]string{&qaLead: "This is your own signature", &stale: "Sign in afresh, then come back here"} {
		page := c.ask(t, *by, http.MethodPost, path, typed...)
		page.expect(http.StatusConflict, "Somebody was quicker.", says)
		if len(page.all("name", "verdict")) != 0 || !strings.Contains(words(page.page), "What you found") {
			t.Errorf("%s: a form is offered, or what was typed is gone", by.Name)
		}
	}
	c.refuses = fault.New(fault.Unavailable, "away")
	c.ask(t, backend, http.MethodPost, path, typed...).expect(http.StatusServiceUnavailable)
}

func has(n *html.Node, key string) bool {
	for _, attr := range n.Attr {
		if attr.Key == key {
			return true
		}
	}
	return false
}
