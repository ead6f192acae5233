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
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/web"
)

// register is a roster in memory that refuses what it is told to.
type register struct {
	roster  signoff.Roster
	refuses error
	named   signoff.NameRequest
	revoked uuid.UUID
}

func (r *register) Roster(context.Context, actor.Actor, signoff.RosterQuery) (signoff.Roster, error) {
	return r.roster, nil
}

func (r *register) Name(_ context.Context, _ actor.Actor, q signoff.NameRequest) error {
	r.named = q
	return r.refuses
}

func (r *register) Revoke(_ context.Context, _ actor.Actor, id uuid.UUID, _ string) error {
	r.revoked = id
	return r.refuses
}

func (r *register) ask(t *testing.T, by actor.Actor, method, path string, fields ...string) (int, string) {
	t.Helper()
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(web.Status(err), err.Error()) }
	for _, route := range Deputies(r, func() time.Time { return t0 }) {
		e.Add(route.Method, route.Path, echo.HandlerFunc(route.Handler))
	}
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	request := httptest.NewRequestWithContext(actor.Into(t.Context(), by), method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		request.Header.Set(echo.HeaderContentType, echo.MIMEApplicationForm)
	}
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.String()
}

var (
	quin   = actor.Actor{Issuer: "i", Subject: "quin", Name: "Quin", Roles: []actor.Role{actor.QALead}, AuthTime: t0}
	nobody = actor.Actor{Issuer: "i", Subject: "vera", Name: "Vera", Roles: []actor.Role{actor.Viewer}, AuthTime: t0}
	ben    = signoff.Candidate{ID: uuid.MustParse("44444444-4444-7444-8444-444444444444"), Person: signoff.Person{Issuer: "i", Subject: "ben", Name: "Ben"}, Roles: []actor.Role{actor.BackendLead}}
)

func lineOf(change func(*signoff.Deputy)) signoff.Deputy {
	day := signoff.Day(t0, time.UTC)
	d := signoff.Deputy{
		ID: uuid.MustParse("55555555-5555-7555-8555-555555555555"), Role: actor.QALead, Person: ben.Person, From: day, Until: day.AddDate(0, 0, 5), Reason: "Quin is away.",
		NamedBy: signoff.Person{Issuer: "i", Subject: "quin", Name: "Quin"}, NamedAt: t0.Add(-time.Hour),
	}
	change(&d)
	return d
}

func TestTheRosterSaysHowEachLineStands(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*signoff.Deputy)
		says   string
		revoke bool
	}{
		"in force": {func(*signoff.Deputy) {}, `data-state="in_force"`, true},
		"to come":  {func(d *signoff.Deputy) { d.From = d.From.AddDate(0, 0, 2) }, `data-state="to_come"`, true},
		"over":     {func(d *signoff.Deputy) { d.From, d.Until = d.From.AddDate(0, 0, -9), d.Until.AddDate(0, 0, -9) }, `data-state="over"`, false},
		"revoked":  {func(d *signoff.Deputy) { d.Revoked = &signoff.Withdrawal{By: "Quin", Reason: "Back.", At: t0} }, "Revoked by Quin on", false},
	} {
		r := &register{roster: signoff.Roster{Deputies: []signoff.Deputy{lineOf(c.change)}, At: t0}}
		code, body := r.ask(t, quin, http.MethodGet, "/deputies")
		if code != http.StatusOK || !strings.Contains(body, c.says) || strings.Contains(body, `data-action="revoke"`) != c.revoke {
			t.Errorf("%s: %d without %q, or revoking is offered: %v, want %v", what, code, c.says, strings.Contains(body, `data-action="revoke"`), c.revoke)
		}
		if _, body := r.ask(t, nobody, http.MethodGet, "/deputies"); strings.Contains(body, "<form method=\"post\" action=\"/deputies") {
			t.Errorf("%s: who holds no role that signs is offered a form", what)
		}
	}
}

// Late in the evening of a warehouse in the west it is tomorrow in UTC: today is the warehouse's.
func TestTheRostersDaysAreTheReleasesOwn(t *testing.T) {
	late := time.Date(2026, 12, 1, 2, 30, 0, 0, time.UTC)
	line := lineOf(func(d *signoff.Deputy) {
		d.NamedAt, d.From = late.Add(-time.Hour), time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
		d.Until = d.From
	})
	fresh := quin
	fresh.AuthTime = late
	r := &register{roster: signoff.Roster{At: late, TimeZone: "America/Chicago", Candidates: []signoff.Candidate{ben}, Deputies: []signoff.Deputy{line}}}
	if _, body := r.ask(t, fresh, http.MethodGet, "/deputies"); !strings.Contains(body, `data-state="in_force"`) || !strings.Contains(body, `value="2026-11-30"`) {
		t.Errorf("a line of today is not in force, or the form begins with another day: %s", body)
	}
}

func TestWhoCanBeChosenAsADeputy(t *testing.T) {
	r := &register{roster: signoff.Roster{At: t0, Candidates: []signoff.Candidate{ben, {ID: uuid.New(), Person: signoff.Person{Issuer: "i", Subject: "quin", Name: "Quin"}, Roles: quin.Roles}, {ID: uuid.New(), Person: signoff.Person{Issuer: "i", Subject: "q2", Name: "Quim"}, Roles: quin.Roles}}}}
	_, body := r.ask(t, quin, http.MethodGet, "/deputies")
	if !strings.Contains(body, "Ben (Backend lead)") || strings.Contains(body, "Quin (") || strings.Contains(body, "Quim (") || !strings.Contains(body, "Nobody is named.") {
		t.Errorf("who can be chosen, or that nobody is named, is not said: %s", body)
	}
	stale := quin
	stale.AuthTime = t0.Add(-6 * time.Minute)
	if _, body := r.ask(t, stale, http.MethodGet, "/deputies"); !strings.Contains(body, `data-action="fresh"`) || strings.Contains(body, `name="person"`) {
		t.Error("with a stale sign-in the form is offered all the same")
	}
	r.roster.Candidates = nil
	if _, body := r.ask(t, quin, http.MethodGet, "/deputies"); !strings.Contains(body, "data-nobody") {
		t.Error("a form is offered in which nobody can be chosen")
	}
}

func TestARefusedNamingKeepsWhatWasTyped(t *testing.T) {
	r := &register{roster: signoff.Roster{At: t0, Candidates: []signoff.Candidate{ben}, Deputies: []signoff.Deputy{lineOf(func(*signoff.Deputy) {})}}}
	typed := []string{"role", "qa_lead", "person", ben.ID.String(), "from", "2026-11-30", "until", "2027-11-30", "reason", "Quin is away.", "key", uuid.NewString()}
	r.refuses = fault.New(fault.Invalid, "wrong").WithField("until", "At most 90 days.")
	code, body := r.ask(t, quin, http.MethodPost, "/deputies", typed...)
	if code != http.StatusUnprocessableEntity || !strings.Contains(body, "At most 90 days.") || !strings.Contains(body, `value="2027-11-30"`) || !strings.Contains(body, "Quin is away.") || !strings.Contains(body, `value="`+ben.ID.String()+`" selected`) {
		t.Errorf("a refused naming = %d: %s", code, body)
	}
	r.named = signoff.NameRequest{}
	code, body = r.ask(t, quin, http.MethodPost, "/deputies", append(typed, "from", "tomorrow")...)
	if code != http.StatusUnprocessableEntity || !strings.Contains(body, "This is no day.") || !strings.Contains(body, `value="tomorrow"`) || !r.named.From.IsZero() {
		t.Errorf("no day = %d, and %+v was asked for", code, r.named)
	}
	r.refuses = nil
	if code, _ := r.ask(t, quin, http.MethodPost, "/deputies", typed...); code != http.StatusSeeOther || r.named.Person != ben.ID || r.named.Until.Format(time.DateOnly) != "2027-11-30" {
		t.Errorf("naming = %d with %+v", code, r.named)
	}
	line := lineOf(func(*signoff.Deputy) {})
	r.refuses = fault.New(fault.Invalid, "wrong").WithField("revoke_reason", "A few words, please.")
	code, body = r.ask(t, quin, http.MethodPost, "/deputies/revoke", "deputy", line.ID.String(), "revoke_reason", "no")
	if code != http.StatusUnprocessableEntity || !strings.Contains(body, "A few words, please.") || !strings.Contains(body, ">no</textarea>") || r.revoked != line.ID {
		t.Errorf("a refused revoking = %d: %s", code, body)
	}
}
