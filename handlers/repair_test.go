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
	"github.com/agogsaas/gatehouse/internal/migration"
)

// hospital answers as migration.Repairs does.
type hospital struct {
	probe   *migration.Probe
	loses   bool
	old     bool // the look is from before the newest entry
	saved   *migration.Saved
	ordered migration.RepairOrder
	index   string
	refuse  error
}

func (h *hospital) Latest(context.Context, actor.Actor, migration.Version) (migration.Known, error) {
	return migration.Known{Probe: h.probe, Loses: h.loses, Outdated: h.old, Saved: h.saved, Done: []migration.Repaired{{Operation: someRun, Choice: migration.RepairChoice{As: migration.RepairUndo, Reason: "<b>once</b>"}, By: "Otto", Roles: "devops_engineer", State: "failed", Ordered: schemaNow}}}, nil
}

func (h *hospital) Look(context.Context, actor.Actor, migration.Version) (migration.Probe, error) {
	return migration.Probe{}, h.refuse
}

func (h *hospital) Order(_ context.Context, _ actor.Actor, o migration.RepairOrder) (uuid.UUID, error) {
	h.ordered = o
	return someRun, h.refuse
}

func (h *hospital) SaveLosses(context.Context, actor.Actor, migration.Version, uuid.UUID) (uuid.UUID, error) {
	return someRun, h.refuse
}

func (h *hospital) Rebuild(_ context.Context, _ actor.Actor, index string, _ uuid.UUID) (uuid.UUID, error) {
	h.index = index
	return someRun, h.refuse
}

func (h *hospital) ask(t *testing.T, by actor.Actor, method, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(599, fault.Of(err).String()) }
	for _, r := range Repairs(h, func() time.Time { return schemaNow }) {
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

func TestTheRepairPageOffersOnlyWhatIsProven(t *testing.T) {
	h := &hospital{}
	const page = "/migrations/V0.0.15/repair"
	if got := h.ask(t, devops, http.MethodGet, page, nil).Body.String(); !strings.Contains(got, "Nobody has looked yet") || strings.Contains(got, `name="as"`) || !strings.Contains(got, `action="/migrations/V0.0.15/probe"`) {
		t.Error("before a look the page offers a choice, or no look")
	}
	h.probe = &migration.Probe{
		Version: 15, LookedAt: schemaNow.Add(-time.Minute), LookedBy: "Otto",
		Statements: []migration.Probed{{Line: 7, SQL: "CREATE TABLE <t>", Verdict: migration.NotThere, Effects: []migration.Effect{{Object: "table public.t", After: "there", Found: "not there", Verdict: migration.NotThere}}}},
		Offers:     []migration.Offer{{As: migration.RepairNotApplied}, {As: migration.RepairApplied, WhyNot: "Not everything of it is there."}, {As: migration.RepairUndo, WhyNot: "Nothing of it is there to be undone."}},
	}
	got := h.ask(t, devops, http.MethodGet, page, nil).Body.String()
	for _, want := range []string{`value="not-applied"`, "CREATE TABLE &lt;t&gt;", "Did not take effect", "table public.t", "Not everything of it is there.", h.probe.Hash(), "&lt;b&gt;once&lt;/b&gt;", "Nothing of V0.0.15 is applied."} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(got, `value="applied"`) || strings.Contains(got, `value="undo"`) {
		t.Error("the page offers what is not proven")
	}
	stale := devops
	stale.AuthTime = schemaNow.Add(-time.Hour)
	if got := h.ask(t, stale, http.MethodGet, page, nil).Body.String(); strings.Contains(got, `method="post" action="/migrations`) || !strings.Contains(got, `data-action="fresh"`) {
		t.Error("an old sign-in may choose")
	}
	viewer := devops
	viewer.Roles = []actor.Role{actor.Viewer}
	if got := h.ask(t, viewer, http.MethodGet, page, nil).Body.String(); strings.Contains(got, `method="post" action="/migrations`) || !strings.Contains(got, "DevOps engineer") {
		t.Error("a viewer may choose, or is not told who can")
	}
}

func TestAChoiceKeepsWhatWasTypedAndLeadsToItsWork(t *testing.T) {
	h := &hospital{probe: &migration.Probe{Version: 15, Offers: []migration.Offer{{As: migration.RepairNotApplied}}}}
	const page = "/migrations/V0.0.15/repair"
	key, seen := uuid.New(), strings.Repeat("a", 64)
	form := url.Values{"key": {key.String()}, "seen": {seen}, "as": {"not-applied"}, "reason": {"it <i>broke</i>"}, "confirm": {"V0.0.1"}}
	h.refuse = fault.New(fault.Invalid, "no").WithField("confirm", "Type V0.0.15 here.")
	got := h.ask(t, devops, http.MethodPost, page, form)
	if body := got.Body.String(); got.Code != http.StatusUnprocessableEntity || !strings.Contains(body, "Type V0.0.15 here.") || !strings.Contains(body, "it &lt;i&gt;broke&lt;/i&gt;") || !strings.Contains(body, `value="not-applied" checked`) {
		t.Errorf("a complaint = %d, want 422 with what was typed", got.Code)
	}
	h.refuse = nil
	got = h.ask(t, devops, http.MethodPost, page, form)
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/operations/"+someRun.String() {
		t.Errorf("a choice = %d to %q, want its operation", got.Code, got.Header().Get("Location"))
	}
	if want := (migration.RepairOrder{Version: 15, As: migration.RepairNotApplied, Seen: seen, Reason: "it <i>broke</i>", Confirm: "V0.0.1", Key: key}); h.ordered != want {
		t.Errorf("the story was asked %+v, want %+v", h.ordered, want)
	}
	form.Del("as")
	if got := h.ask(t, devops, http.MethodPost, page, form); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "Choose what became of it.") {
		t.Errorf("no choice = %d, want 422", got.Code)
	}
	form.Set("as", "force")
	if got := h.ask(t, devops, http.MethodPost, page, form); got.Body.String() != "invalid" {
		t.Errorf("a choice that there is not = %s, want invalid", got.Body)
	}
	h.refuse = fault.New(fault.Conflict, "stale")
	form.Set("as", "undo")
	if got := h.ask(t, devops, http.MethodPost, page, form); got.Body.String() != "conflict" {
		t.Errorf("a stale page = %s, want conflict", got.Body)
	}
	h.refuse = nil
	if got := h.ask(t, devops, http.MethodPost, "/migrations/indexes/rebuild", url.Values{"key": {key.String()}, "index": {"public.i"}}); got.Code != http.StatusSeeOther || h.index != "public.i" {
		t.Errorf("rebuilding = %d of %q", got.Code, h.index)
	}
	if got := h.ask(t, devops, http.MethodPost, "/migrations/V0.0.15/losses", url.Values{"key": {key.String()}}); got.Code != http.StatusSeeOther {
		t.Errorf("saving = %d", got.Code)
	}
	for _, odd := range []string{"/migrations/0.0.15/repair", "/migrations/V1/repair"} {
		if got := h.ask(t, devops, http.MethodGet, odd, nil).Body.String(); got != "not_found" {
			t.Errorf("GET %s = %.40q, want not_found", odd, got)
		}
	}
}

// What running the undo file would lose is counted and saved on the page itself; a look that is outdated offers nothing.
func TestARepairSavesWhatItLosesAndOffersNothingOnAnOldLook(t *testing.T) {
	h := &hospital{loses: true, probe: &migration.Probe{
		Version: 15, LookedAt: schemaNow.Add(-time.Minute), Offers: []migration.Offer{{As: migration.RepairUndo}},
		Statements: []migration.Probed{{Line: 7, SQL: "CREATE TABLE a", Verdict: migration.TookEffect}, {Line: 8, SQL: "CREATE TABLE b", Verdict: migration.TookEffect}, {Line: 9, SQL: "UPDATE a", Verdict: migration.LeavesNone}},
	}}
	const page = "/migrations/V0.0.15/repair"
	got := h.ask(t, devops, http.MethodGet, page, nil).Body.String()
	for _, want := range []string{`action="/migrations/V0.0.15/losses"`, "not run before", "2 statements took effect"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	h.saved = &migration.Saved{Version: 15, TakenAt: schemaNow, Losses: []migration.Loss{{Table: "public.t", Rows: 3}}, Files: []migration.SavedFile{{Name: "undo.dump", SHA256: "abc"}}}
	if got := h.ask(t, devops, http.MethodGet, page, nil).Body.String(); !strings.Contains(got, "throws away 3 rows and values") || !strings.Contains(got, "undo.dump") {
		t.Error("the page does not show what was saved")
	}
	h.old = true
	if got := h.ask(t, devops, http.MethodGet, page, nil).Body.String(); strings.Contains(got, `value="undo"`) || !strings.Contains(got, "since somebody last looked") || !strings.Contains(got, `action="/migrations/V0.0.15/probe"`) {
		t.Error("an old look offers a repair, or does not say that it is old")
	}
}
