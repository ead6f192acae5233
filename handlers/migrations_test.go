package handlers

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/pages"
)

// schema answers as migration.Service does, from a ladder of two files.
type schema struct {
	files   *migration.Files
	release *migration.Release
	run     migration.Run
	applied migration.ApplyRequest
	undone  migration.DownRequest
	refuse  error
	noted   string
	saved   *migration.Saved
	facts   []migration.Fact
	effect  time.Time // when V0.0.14 was applied
}

var (
	schemaNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	devops    = actor.Actor{Subject: "d", Name: "Dora", Operator: true, Roles: []actor.Role{actor.DevOpsLead}, AuthTime: schemaNow.Add(-time.Minute), Origin: actor.Web}
	someRun   = uuid.MustParse("7b0c6e1e-6c4e-4a53-9d1a-2f8f7f0f2a11")
)

func newSchema(t *testing.T) *schema {
	t.Helper()
	const card = "-- title: A step\n-- risk: medium\n-- estimate: 8s\n-- reversible: yes\n-- undo loses: <b>everything</b>\n"
	files, err := migration.ReadFiles(fstest.MapFS{
		"V0.0.14__a.sql": {Data: []byte(card + "SELECT 14;")}, "U0.0.14__a.sql": {Data: []byte("SELECT -14;")},
		"V0.0.15__b.sql": {Data: []byte(card + "-- creates: table public.made\nSELECT 15;")}, "U0.0.15__b.sql": {Data: []byte("SELECT -15;")},
	}, migration.Rules{Undo: true})
	if err != nil {
		t.Fatal(err)
	}
	s := &schema{files: files, release: &migration.Release{ID: uuid.New(), Code: "REL-1", GateOpen: true, BackedUp: true, Rehearsed: true, Plan: map[string]string{}}}
	for _, v := range files.Versions() {
		f, _ := files.Up(v)
		s.release.Plan[v.String()] = f.SHA256
	}
	s.run = migration.Run{ID: someRun, Version: 15, Direction: migration.Up, State: migration.Running, By: migration.Person{Name: "Dora"}, StartedAt: schemaNow.Add(-4 * time.Second)}
	return s
}

func (s *schema) ladder() migration.Ladder {
	f, _ := s.files.Up(14)
	l := migration.Build(s.files, []migration.Entry{{ID: 1, Version: 14, Direction: migration.Up, Success: true, SHA256: f.SHA256, FinishedAt: s.effect, By: migration.Person{Name: "Otto"}}},
		migration.Belief{Version: 14, Known: true}, nil)
	l.Stray(s.facts)
	return l
}

func (s *schema) Ladder(context.Context, actor.Actor, int64) (migration.Overview, error) {
	return migration.Overview{Ladder: s.ladder(), Release: s.release}, s.refuse
}

func (s *schema) Show(_ context.Context, _ actor.Actor, v migration.Version) (migration.Detail, error) {
	l := s.ladder()
	r, ok := l.Find(v)
	if !ok {
		return migration.Detail{}, fault.New(fault.NotFound, "no such version")
	}
	undo, has := s.files.Down(v)
	return migration.Detail{Ladder: l, Rung: r, Undo: undo, HasUndo: has, Release: s.release, Saved: s.saved}, nil
}

func (s *schema) Apply(_ context.Context, _ actor.Actor, req migration.ApplyRequest) (migration.Run, error) {
	s.applied = req
	return s.run, s.refuse
}

func (s *schema) Down(_ context.Context, _ actor.Actor, req migration.DownRequest) (migration.Run, error) {
	s.undone = req
	return s.run, s.refuse
}

func (s *schema) Run(context.Context, actor.Actor, migration.RunID) (migration.Sighting, error) {
	f, _ := s.files.Up(s.run.Version)
	return migration.Sighting{Run: s.run, File: f, Ladder: s.ladder(), Lines: []migration.Line{{Seq: 1, At: schemaNow, Text: migration.BlockerLines([]migration.Blocker{{PID: 4711, User: "wms", Application: "nightly", Age: 40 * time.Second, Query: "SELECT <b>1"}})[0]}}}, nil
}

func (s *schema) Tail(context.Context, actor.Actor, migration.RunID, int) (migration.Run, []migration.Line, bool, error) {
	return s.run, nil, false, s.refuse
}

func (s *schema) Acknowledge(_ context.Context, _ actor.Actor, _ migration.RunID, note string) error {
	s.noted = note
	return s.refuse
}

// ask sends one request straight to a handler, past the table's guard.
func (s *schema) ask(t *testing.T, by actor.Actor, method, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(599, fault.Of(err).String()) }
	for _, r := range Migrations(s, func() time.Time { return schemaNow }) {
		e.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
	}
	request := httptest.NewRequestWithContext(actor.Into(t.Context(), by), method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, request)
	return recorder
}

func TestTheNextStepIsOfferedToWhoMayTakeIt(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(*schema, *actor.Actor)
		has, hasNot string
	}{
		"open":            {func(*schema, *actor.Actor) {}, `action="/migrations/V0.0.15/apply"`, "Sign in afresh"},
		"sign-in too old": {func(_ *schema, a *actor.Actor) { a.AuthTime = schemaNow.Add(-time.Hour) }, "/login?fresh=1&amp;return=%2Fmigrations%2FV0.0.15", "/apply"},
		"no right":        {func(_ *schema, a *actor.Actor) { a.Roles = []actor.Role{actor.Viewer} }, "DevOps lead", "/apply"},
		"another tenant":  {func(_ *schema, a *actor.Actor) { a.Operator = false }, "operated by another organisation", "/apply"},
		"gate closed": {func(s *schema, _ *actor.Actor) {
			s.release.GateOpen, s.release.Missing = false, []actor.Role{actor.QALead}
		}, "Go / no-go still needs: QA lead.", "/apply"},
		"gate shut by a missing review": {func(s *schema, _ *actor.Actor) {
			s.release.GateOpen, s.release.Shut = false, "Stella signed here by break-glass, and nobody reviewed that."
		}, "Stella signed here by break-glass, and nobody reviewed that.", "no longer valid"},
		"no release":   {func(s *schema, _ *actor.Actor) { s.release = nil }, "No release is active", "/apply"},
		"another file": {func(s *schema, _ *actor.Actor) { s.release.Plan["0.0.15"] = "cafe" }, "another text of this file", "/apply"},
		"not planned":  {func(s *schema, _ *actor.Actor) { delete(s.release.Plan, "0.0.15") }, "does not plan it", "/apply"},
	} {
		for _, path := range []string{"/migrations", "/migrations/V0.0.15"} {
			s, by := newSchema(t), devops
			c.change(s, &by)
			got := s.ask(t, by, http.MethodGet, path, nil)
			if body := got.Body.String(); got.Code != http.StatusOK || !strings.Contains(body, c.has) || strings.Contains(body, c.hasNot) {
				t.Errorf("%s: GET %s = %d; it must say %q and not %q", name, path, got.Code, c.has, c.hasNot)
			}
		}
	}
}

func TestApplyingLeadsToTheRun(t *testing.T) {
	s := newSchema(t)
	key, release := uuid.New(), uuid.New()
	form := url.Values{"key": {key.String()}, "release": {release.String()}, "sha256": {strings.Repeat("a", 64)}}
	got := s.ask(t, devops, http.MethodPost, "/migrations/V0.0.15/apply", form)
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/migration-runs/"+someRun.String() {
		t.Errorf("POST apply = %d to %q, want 303 to the run", got.Code, got.Header().Get("Location"))
	}
	if want := (migration.ApplyRequest{Version: 15, SHA256: strings.Repeat("a", 64), Release: release, Key: key}); s.applied != want {
		t.Errorf("the story was asked %+v, want %+v", s.applied, want)
	}
	form.Set("key", "nonsense")
	if got := s.ask(t, devops, http.MethodPost, "/migrations/V0.0.15/apply", form); got.Body.String() != "invalid" {
		t.Errorf("POST apply with a bad key = %s, want invalid", got.Body)
	}
	s.refuse = fault.New(fault.GateClosed, "closed")
	form.Set("key", key.String())
	if got := s.ask(t, devops, http.MethodPost, "/migrations/V0.0.15/apply", form); got.Body.String() != "gate_closed" {
		t.Errorf("POST apply through a closed gate = %s, want gate_closed", got.Body)
	}
}

func TestUndoingKeepsWhatWasTyped(t *testing.T) {
	s := newSchema(t)
	s.refuse = fault.New(fault.Invalid, "not undone").WithField("confirm", "Type V0.0.14 here.")
	s.saved = &migration.Saved{ID: uuid.New(), Version: 14, TakenAt: schemaNow.Add(-time.Minute)}
	form := url.Values{"key": {uuid.NewString()}, "release": {uuid.NewString()}, "sha256": {strings.Repeat("a", 64)}, "loss": {uuid.NewString()}, "confirm": {"V0.0.1"}, "reason": {"it <i>was</i> early"}}
	got := s.ask(t, devops, http.MethodPost, "/migrations/V0.0.14/down", form)
	body := got.Body.String()
	if got.Code != http.StatusUnprocessableEntity || !strings.Contains(body, "Type V0.0.14 here.") || !strings.Contains(body, `value="V0.0.1"`) || !strings.Contains(body, "it &lt;i&gt;was&lt;/i&gt; early") {
		t.Errorf("POST down with a complaint = %d, want 422 with the complaint and what was typed", got.Code)
	}
	s.saved = nil
	if page := s.ask(t, devops, http.MethodGet, "/migrations/V0.0.14/down", nil).Body.String(); strings.Contains(page, `action="/migrations/V0.0.14/down"`) || !strings.Contains(page, `action="/migrations/V0.0.14/losses"`) {
		t.Error("GET down offers to undo what nobody has counted, or does not offer to count it")
	}
	s.saved = &migration.Saved{ID: uuid.New(), Version: 14, TakenAt: schemaNow.Add(-20 * time.Minute), Losses: []migration.Loss{{Table: "public.t", Rows: 12}}, Files: []migration.SavedFile{{Name: "undo.dump", SHA256: "abc"}}}
	if page := s.ask(t, devops, http.MethodGet, "/migrations/V0.0.14/down", nil).Body.String(); strings.Contains(page, `action="/migrations/V0.0.14/down"`) || !strings.Contains(page, "longer ago than 15 minutes") {
		t.Error("GET down offers to undo on an old saving")
	}
	s.saved.TakenAt = schemaNow.Add(-time.Minute)
	page := s.ask(t, devops, http.MethodGet, "/migrations/V0.0.14/down", nil).Body.String()
	for _, want := range []string{"You sign:", "throws away 12 rows and values, saved at", "undo.dump", "and lose 12 rows and values", s.saved.ID.String()} {
		if !strings.Contains(page, want) {
			t.Errorf("GET down does not say %q", want)
		}
	}
	if page := s.ask(t, devops, http.MethodGet, "/migrations/V0.0.14/down", nil).Body.String(); !strings.Contains(page, `action="/migrations/V0.0.14/down"`) || strings.Contains(page, "<b>everything") {
		t.Error("GET down offers no form, or shows the card's text as markup")
	}
	viewer := devops
	viewer.Roles = []actor.Role{actor.Viewer}
	if page := s.ask(t, viewer, http.MethodGet, "/migrations/V0.0.14/down", nil).Body.String(); strings.Contains(page, `<form method="post" action="/migrations`) || !strings.Contains(page, "DevOps engineer") {
		t.Error("GET down by a viewer offers the form, or does not say who can")
	}
}

func TestARunIsLiveUntilItEnds(t *testing.T) {
	s := newSchema(t)
	path := "/migration-runs/" + someRun.String()
	live := s.ask(t, devops, http.MethodGet, path, nil).Body.String()
	for _, want := range []string{
		`data-live="` + path + `"`, `data-live-events="` + path + `/events?after=1"`, `data-holder="4711"`, ">wms</td>", "nightly", "SELECT &lt;b&gt;1", "40.0 s", "This is the first try.",
		"by its plan card; not rehearsed",
	} {
		if !strings.Contains(live, want) {
			t.Errorf("the page of a running run does not say %q", want)
		}
	}
	s.run.State, s.run.Error, s.run.SQLState = migration.Failed, "V0.0.15__b.sql line 7 (SQLSTATE 23514): too much\nDetail: of it\nHint: less", "23514"
	page := s.ask(t, devops, http.MethodGet, path, nil).Body.String()
	for _, want := range []string{`data-sqlstate="23514"`, "too much", "of it", "less", "V0.0.15__b.sql line 7"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of a failed run does not say %q", want)
		}
	}
	if strings.Contains(page, "data-live=") {
		t.Error("the page of an ended run asks on")
	}
	s.run.State, s.run.Resolution = migration.Interrupted, "nothing remains"
	if page := s.ask(t, devops, http.MethodGet, path, nil).Body.String(); !strings.Contains(page, path+"/acknowledge") || !strings.Contains(page, "nothing remains") {
		t.Error("the page of an interrupted run offers nobody to close it, or hides what is known")
	}
	if got := s.ask(t, devops, http.MethodPost, path+"/acknowledge", url.Values{"reason": {""}}); got.Code != http.StatusUnprocessableEntity || s.noted != "" {
		t.Errorf("closing without a word = %d, want 422 and no note", got.Code)
	}
	if got := s.ask(t, devops, http.MethodPost, path+"/acknowledge", url.Values{"reason": {"power cut"}}); got.Code != http.StatusSeeOther || s.noted != "power cut" {
		t.Errorf("closing = %d with %q, want 303 with the note", got.Code, s.noted)
	}
}

// What a file without a transaction did before it failed stands; nobody is told otherwise.
func TestARunWithoutATransactionPromisesNoRollback(t *testing.T) {
	for _, state := range []migration.RunState{migration.Running, migration.Failed} {
		run := migration.Run{Version: 15, Direction: migration.Up, State: state}
		if _, safe := runSentence(run, true); !strings.Contains(safe, "without a transaction") || strings.Contains(safe, "rolled back") {
			t.Errorf("%s, without a transaction, says %q", state, safe)
		}
		if _, safe := runSentence(run, false); !strings.Contains(safe, "the database is as it was") {
			t.Errorf("%s, in a transaction, says %q", state, safe)
		}
	}
}

// How long it should take is what the newest rehearsal of exactly this text took, or else what its plan card says.
func TestARunIsHeldAgainstItsRehearsal(t *testing.T) {
	s := newSchema(t)
	h := migrations{s, func() time.Time { return schemaNow }}
	sight, _ := s.Run(t.Context(), devops, someRun)
	rehearsed := migration.RehearsedFile{Rehearsal: uuid.New(), Passed: true, Up: 2 * time.Second, Down: 500 * time.Millisecond, RecordedAt: schemaNow}
	for _, c := range []struct {
		name      string
		direction migration.Direction
		rehearsed migration.RehearsedFile
		estimate  string
		over      string
		linked    bool
	}{
		{"not rehearsed", migration.Up, migration.RehearsedFile{}, "8.0 s", "", false},
		{"rehearsed", migration.Up, rehearsed, "2.0 s", "It takes longer than that already.", true},
		{"down, rehearsed", migration.Down, rehearsed, "500 ms", "It takes longer than that already.", true},
		{"down, not rehearsed", migration.Down, migration.RehearsedFile{}, "", "", false},
		{"a rehearsal that did not pass", migration.Up, migration.RehearsedFile{Rehearsal: uuid.New(), Up: time.Hour, RecordedAt: schemaNow}, "8.0 s", "", false},
	} {
		sight.Run.Direction = c.direction
		for i := range sight.Ladder.Rungs {
			sight.Ladder.Rungs[i].Rehearsed = c.rehearsed
		}
		var v pages.MigrationRunView
		h.expect(&v, sight)
		if v.Estimate != c.estimate || v.Over != c.over || (v.EstimateHref != "") != c.linked {
			t.Errorf("%s: estimate %q, over %q, link %q; want %q, %q, linked %v", c.name, v.Estimate, v.Over, v.EstimateHref, c.estimate, c.over, c.linked)
		}
	}
}

func TestOddAddressesAreNotFound(t *testing.T) {
	s := newSchema(t)
	for _, path := range []string{"/migrations/0.0.15", "/migrations/V0.0.99", "/migrations/V15", "/migration-runs/nothing"} {
		if got := s.ask(t, devops, http.MethodGet, path, nil).Body.String(); got != "not_found" {
			t.Errorf("GET %s = %.60q, want not_found", path, got)
		}
	}
}
