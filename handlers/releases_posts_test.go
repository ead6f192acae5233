package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/handlers"
	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/review"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/web"
)

// floor is the pages of releases on a real database with the real runbook, without the guard of package web in front:
// what is refused here is refused by the stories and the statements.
type floor struct {
	t    *testing.T
	echo *echo.Echo
	path string // of the release
}

type yes struct{}

func (yes) Check(_ context.Context, _ actor.Actor, name string, _ runbook.RunFacts) (runbook.CheckResult, error) {
	return runbook.CheckResult{OK: true, Summary: name + " is fine.", Query: name, Value: []byte(`{"ok":true}`)}, nil
}

type anyFiles struct{}

func (anyFiles) Files(context.Context) ([]runbook.Migration, error) {
	var list []runbook.Migration
	for _, v := range []string{"0.0.15", "0.0.16", "0.0.18", "0.0.20", "0.0.21", "0.0.22"} {
		list = append(list, runbook.Migration{Version: v, Title: "title", SHA256: strings.Repeat("a", 64)})
	}
	return list, nil
}

var (
	sam    = housetest.Person(housetest.Rivermark, "Sam", actor.DevOpsEngineer)
	quin   = housetest.Person(housetest.Rivermark, "Quin", actor.QALead)
	vera   = housetest.Person(housetest.Rivermark, "Vera", actor.Viewer)
	theirs = housetest.Person(housetest.Saltway, "Olga", actor.DevOpsLead)
)

func newFloor(t *testing.T) *floor {
	t.Helper()
	db := housetest.Open(t, housetest.At(t, ""))
	templates, err := runbook.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	stories := runbook.NewService(postgres.Runbook{DB: db}, "demo", templates, anyFiles{}, yes{})
	f := &floor{t: t, echo: echo.New()}
	f.echo.HTTPErrorHandler = func(err error, c echo.Context) {
		status := web.Status(err)
		if status == http.StatusInternalServerError && !errors.Is(err, echo.ErrNotFound) {
			f.t.Errorf("%s: %v", c.Request().URL.Path, err)
		} else if status == http.StatusInternalServerError {
			status = http.StatusNotFound // the router's own answer
		}
		_ = c.String(status, err.Error())
	}
	routes := append(handlers.Releases(stories, noLessons{}, time.Now), handlers.Gates(signoff.NewService(postgres.Signoff{DB: db}), time.Now)...)
	for _, r := range routes {
		f.echo.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
	}
	status, _, to := f.post(sam, "/releases", "template", templates[0].SHA256, "code", "REQ-1", "title", "One & <only>", "t_zero", "2031-03-01T14:00", "zone", "Europe/Lisbon")
	if status != http.StatusSeeOther {
		t.Fatalf("starting a release answers %d, want 303", status)
	}
	f.path = to
	return f
}

func (f *floor) send(by actor.Actor, method, path string, body io.Reader) (int, string, string) {
	f.t.Helper()
	by.AuthTime = time.Now()
	request := httptest.NewRequestWithContext(actor.Into(f.t.Context(), by), method, path, body)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	f.echo.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.String(), recorder.Header().Get("Location")
}

func (f *floor) get(by actor.Actor, path string) (int, string) {
	f.t.Helper()
	status, body, _ := f.send(by, http.MethodGet, path, http.NoBody)
	return status, body
}

func (f *floor) post(by actor.Actor, path string, pairs ...string) (int, string, string) {
	f.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return f.send(by, http.MethodPost, path, strings.NewReader(form.Encode()))
}

var hidden = regexp.MustCompile(`name="(version|sha256|role|signature)" value="([^"]*)"`)

// form is the hidden fields of a page's first form.
func form(page string) map[string]string {
	fields := map[string]string{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		if fields[m[1]] == "" {
			fields[m[1]] = m[2]
		}
	}
	return fields
}

func TestReleasePagesAnswer(t *testing.T) {
	t.Parallel()
	f := newFloor(t)
	for path, words := range map[string]string{
		"/releases":                     "REQ-1",
		"/releases?state=active":        "REQ-1",
		"/releases?state=aborted":       "No release is in this state",
		"/releases/new":                 "has not ended",
		f.path:                          `data-item="PRE-P1"`,
		f.path + "/items/PRE-P1":        "cannot be ticked by hand",
		f.path + "/items/P2.1b":         "RB-5, Undo the migrations",
		f.path + "/gates/go_no_go":      `data-slot="devops"`,
		f.path + "/gates/final":         `data-gate="final"`,
		f.path + "/gates/final?slot=qa": "Exactly what is signed",
	} {
		status, body := f.get(quin, path)
		if status != http.StatusOK || !strings.Contains(body, words) {
			t.Errorf("GET %s = %d without %q", path, status, words)
		}
		if len(body) > 60_000 {
			t.Errorf("GET %s is %d bytes, want at most 60000", path, len(body))
		}
		if strings.Contains(body, "<only>") {
			t.Errorf("GET %s shows the title unescaped", path)
		}
	}
}

func TestForeignAndMalformedIDsAreNotFound(t *testing.T) {
	t.Parallel()
	f := newFloor(t)
	id := strings.TrimPrefix(f.path, "/releases/")
	for _, c := range []struct {
		by   actor.Actor
		path string
	}{
		{theirs, f.path},
		{theirs, f.path + "/items/PRE-P1"},
		{theirs, f.path + "/gates/final"},
		{quin, "/releases/" + uuid.NewString()},
		{quin, "/releases/" + strings.ToUpper(id)},
		{quin, "/releases/1"},
		{quin, "/releases/..%2f"},
		{quin, f.path + "/items/ZZ"},
		{quin, f.path + "/items/%27%20OR%201"},
		{quin, f.path + "/gates/other"},
		{quin, "/signatures/" + id},
	} {
		if status, body := f.get(c.by, c.path); status != http.StatusNotFound {
			t.Errorf("GET %s by %s = %d, want 404: %.200s", c.path, c.by.Name, status, body)
		}
	}
	for _, path := range []string{"/releases?before=x", "/releases?state=x", "/releases?before=2026-01-01T00:00:00Z_1", f.path + "?x=1"} {
		if status, _ := f.get(quin, path); status != web.Status(fault.New(fault.Invalid, "")) {
			t.Errorf("GET %s = %d, want a complaint", path, status)
		}
	}
}

// Posts that no page offers.
func TestCraftedPostsAreRefused(t *testing.T) {
	t.Parallel()
	f := newFloor(t)
	_, gate := f.get(quin, f.path+"/gates/go_no_go")
	hash := regexp.MustCompile(`[0-9a-f]{64}`).FindString(gate)
	ticket := uuid.NewString() + ".0"
	for _, c := range []struct {
		by    actor.Actor
		path  string
		pairs []string
		want  int
		words string
	}{
		{quin, "/gates/go_no_go/sign", []string{"role", "qa", "meaning", "approved", "score", "9.5", "sha256", hash, "version", ticket}, 409, "cannot be signed yet"},
		{quin, "/gates/final/sign", []string{"role", "qa", "meaning", "approved", "score", "9.5", "sha256", hash, "version", ticket}, 409, "cannot be signed yet"},
		{quin, "/gates/go_no_go/sign", []string{"role", "qa", "meaning", "approved", "sha256", hash, "version", ticket}, 422, "The score is needed"},
		{quin, "/gates/go_no_go/sign", []string{"role", "qa", "meaning", "approved", "score", "9.5", "sha256", hash, "version", "1"}, 422, "lost its key"},
		{quin, "/gates/go_no_go/sign", []string{"role", "qa", "meaning", "approved", "score", "9.5", "sha256", hash, "version", ticket, "signed_by", "x"}, 422, "does not know"},
		{vera, "/gates/go_no_go/sign", []string{"role", "qa", "meaning", "approved", "score", "9.5", "sha256", hash, "version", ticket}, 403, "gate:sign"},
		{theirs, "/gates/go_no_go/sign", []string{"role", "devops", "meaning", "approved", "sha256", hash, "version", ticket}, 404, ""},
		{quin, "/items/PRE-P1/done", []string{"version", "1", "note", "ticked"}, 409, "by hand"},
		{quin, "/items/PRE-P1/skip", []string{"version", "1", "reason", "no time"}, 409, "nobody skips it alone"},
		{quin, "/items/PRE-P4/done", []string{"version", "1", "evidence_number", "9,5"}, 422, "with a point"},
		{quin, "/items/PRE-P4/done", []string{"version", "1", "evidence_text", "9.5"}, 422, "does not know"},
		{quin, "/items/PRE-P4/done", []string{"version", "9", "evidence_number", "9.5"}, 409, "changed this item while you were typing"},
		{quin, "/items/PRE-C4/skip", []string{"version", "1", "reason", ""}, 422, "Say why"},
		{quin, "/items/P2.1b/check", []string{"version", "1"}, 409, "has to wait"},
		{vera, "/items/PRE-P4/done", []string{"version", "1", "evidence_number", "9.5"}, 403, "item:work"},
		{quin, "/schedule", []string{"version", "1", "t_zero", "2026-03-01T15:00", "zone", "UTC", "reason", "later"}, 403, "release:manage"},
		{sam, "/schedule", []string{"version", "1", "t_zero", "2026-03-01T15:00", "zone", "Mars", "reason", "later"}, 422, "time zone of the site"},
		{sam, "/abort", []string{"version", "1", "confirm", "REQ-2", "abort_reason", "enough"}, 422, "Type REQ-1"},
		{sam, "/abort", []string{"version", "7", "confirm", "REQ-1", "abort_reason", "enough"}, 409, "has changed"},
	} {
		status, body, _ := f.post(c.by, f.path+c.path, c.pairs...)
		if status != c.want || !strings.Contains(body, c.words) {
			t.Errorf("POST %s %v by %s = %d, want %d with %q", c.path, c.pairs, c.by.Name, status, c.want, c.words)
		}
	}
	// Everything at once: what the form cannot read, and what the story would not take.
	for _, typed := range [][2]string{{"soon", "UTC"}, {"soon", "Mars/Olympus"}} {
		status, body, _ := f.post(sam, "/releases", "template", "x", "code", "a/b", "title", strings.Repeat("x", 201), "t_zero", typed[0], "zone", typed[1])
		wants := []string{`href="#template">Runbook: Choose one`, `href="#code">Release code: The release needs`, `href="#title">Title: A title has at most 200`, `href="#t_zero">T-0: A date and time`}
		if typed[1] != "UTC" {
			wants = append(wants, `href="#zone">Time zone: Choose`)
		}
		for _, want := range wants {
			if status != http.StatusUnprocessableEntity || !strings.Contains(body, want) {
				t.Errorf("starting with %v = %d without %q", typed, status, want)
			}
		}
	}
	// A wrong zone does not make a right time wrong.
	if _, body, _ := f.post(sam, "/releases", "template", "x", "code", "REQ-9", "title", "t", "t_zero", "2026-03-01T14:00", "zone", "Mars/Olympus"); strings.Contains(body, `id="t_zero-problem"`) {
		t.Error("a right time beside a wrong zone is complained about")
	}
	if status, body, _ := f.post(sam, "/releases", "template", "x", "code", "REQ-9", "title", "", "t_zero", "soon", "zone", "UTC"); status != 422 || !strings.Contains(body, `value="REQ-9"`) {
		t.Errorf("a bad start = %d, want 422 with what was typed", status)
	}
}

// What the pages offer works: the forms are sent as they are drawn.
func TestTheFormsOfThePagesWork(t *testing.T) {
	t.Parallel()
	f := newFloor(t)
	for _, c := range []struct {
		item, act string
		pairs     []string
		state     string
	}{
		{"PRE-P1", "check", nil, "done"},
		{"PRE-P4", "take", nil, "in_progress"},
		{"PRE-P4", "done", []string{"evidence_number", "9.5", "note", "as agreed"}, "done"},
		{"PRE-P4", "reopen", []string{"reason", "typed it wrong"}, "open"},
		{"PRE-P4", "fail", []string{"reason", "it is bad"}, "failed"},
		{"PRE-C4", "skip", []string{"reason", "none is needed"}, "skipped"},
		{"PRE-P5", "done", []string{"evidence_statement", "I have checked the statistical methods of this release against reference data and they give the expected results."}, "done"},
	} {
		page := f.path + "/items/" + c.item
		_, body := f.get(quin, page)
		if !strings.Contains(body, fmt.Sprintf("action=%q", page+"/"+c.act)) {
			t.Fatalf("the page of %s does not offer %s", c.item, c.act)
		}
		status, answer, to := f.post(quin, page+"/"+c.act, append(c.pairs, "version", form(body)["version"])...)
		if status != http.StatusSeeOther || to != page {
			t.Fatalf("%s of %s = %d to %s: %.300s", c.act, c.item, status, to, answer)
		}
		if _, body := f.get(quin, page); !strings.Contains(body, fmt.Sprintf(`data-item=%q data-state=%q`, c.item, c.state)) {
			t.Errorf("after %s, %s is not %s", c.act, c.item, c.state)
		}
	}
}

// noLessons is a house in which nobody has learned anything yet.
type noLessons struct{}

func (noLessons) Open(context.Context, actor.Actor) ([]review.Lesson, time.Time, error) {
	return nil, time.Now(), nil
}
