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
	"github.com/agogsaas/gatehouse/internal/inbox"
	"github.com/agogsaas/gatehouse/web"
)

// pile is an inbox in memory.
type pile struct {
	list    inbox.List
	notices []inbox.Notice
	asked   inbox.Query
	before  inbox.NoticeQuery
}

func (p *pile) Waiting(_ context.Context, _ actor.Actor, q inbox.Query) (inbox.List, error) {
	p.asked = q
	return p.list, nil
}

func (p *pile) Mark(context.Context, actor.Actor) (string, error) { return "1", nil }

func (p *pile) Notices(_ context.Context, _ actor.Actor, q inbox.NoticeQuery) ([]inbox.Notice, time.Time, error) {
	p.before = q
	return p.notices, t0, nil
}

func (p *pile) get(t *testing.T, by actor.Actor, path string) (int, string) {
	t.Helper()
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(web.Status(err), err.Error()) }
	for _, r := range Inbox(p) {
		e.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
	}
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, httptest.NewRequestWithContext(actor.Into(t.Context(), by), http.MethodGet, path, nil))
	return recorder.Code, recorder.Body.String()
}

func waitsFor(change func(*inbox.Task)) inbox.Task {
	task := inbox.Task{
		Kind: inbox.Item, ID: "item " + runID.String() + " P2.1", Object: "P2.1", Title: "Apply V0.0.15", Run: runID, Release: "REQ-1", Zone: "America/New_York",
		Role: actor.DevOpsEngineer, Ready: true, Required: true, DueAt: t0, T0: t0, StartedAt: t0.Add(-24 * time.Hour),
	}
	change(&task)
	return task
}

func TestWhatWaitsSaysHowLateInWords(t *testing.T) {
	p := &pile{list: inbox.List{At: t0.Add(12 * time.Minute), Ready: 3, Late: 1, Tasks: []inbox.Task{
		waitsFor(func(*inbox.Task) {}),
		waitsFor(func(t *inbox.Task) { t.StartedAt = t0.Add(time.Minute) }),
		waitsFor(func(t *inbox.Task) {
			t.Kind, t.Object, t.Title, t.DueAt, t.Holder.Name = inbox.Override, "freeze", "It has to go.", t0.Add(time.Hour), "Sam"
		}),
		waitsFor(func(t *inbox.Task) {
			t.Ready, t.Needs, t.DueAt = false, "P1.1, First, comes first.", t0.Add(30*time.Minute)
		}),
	}}}
	status, body := p.get(t, devOps, "/waiting")
	for _, want := range []string{
		"3 things wait for you, and 1 is late.", "12 min late", "before the release was started", "P2.1", "2026-11-24 19:00:00 UTC", "In a freeze", "Sam asks: It has to go.",
		"expires", "in 48 min", "Not yet", "P1.1, First, comes first.", "/releases/" + runID.String() + "/items/P2.1", "/releases/" + runID.String() + "/window",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if status != http.StatusOK || strings.Count(body, "12 min late") != 1 {
		t.Errorf("status %d, %d are called late", status, strings.Count(body, "12 min late"))
	}
	p.list = inbox.List{At: t0}
	if _, body := p.get(t, viewer, "/waiting"); !strings.Contains(body, "Your roles only read") {
		t.Error("a reader is not told why nothing waits for them")
	}
	if _, body := p.get(t, devOps, "/waiting"); !strings.Contains(body, "Nothing waits for you.") || strings.Contains(body, "only read") {
		t.Error("the empty page does not say so")
	}
}

func TestWhatWaitsGoesOnBehindItsLast(t *testing.T) {
	p := &pile{list: inbox.List{At: t0}}
	for range inboxPageSize + 1 {
		p.list.Tasks = append(p.list.Tasks, waitsFor(func(*inbox.Task) {}))
	}
	_, body := p.get(t, devOps, "/waiting")
	later := "/waiting?" + url.Values{"after": {t0.Format(time.RFC3339Nano) + "_item " + runID.String() + " P2.1"}}.Encode()
	if !strings.Contains(body, strings.ReplaceAll(later, "&", "&amp;")) || strings.Count(body, "data-task=") != inboxPageSize {
		t.Errorf("%d rows, and no way to %s", strings.Count(body, "data-task="), later)
	}
	if status, _ := p.get(t, devOps, later); status != http.StatusOK || !p.asked.AfterAt.Equal(t0) || p.asked.AfterID != p.list.Tasks[0].ID {
		t.Errorf("%s: %d, asks for what is after %s %s", later, status, p.asked.AfterAt, p.asked.AfterID)
	}
	for _, wrong := range []string{"/waiting?after=yesterday", "/waiting?after=2026-11-24T19:00:00Z", "/waiting?sort=x", "/notices?before=2026-11-24T19:00:00Z_x", "/notices?after=x"} {
		if status, _ := p.get(t, devOps, wrong); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", wrong, status)
		}
	}
}

func TestNoticesSayThatNobodyDeliversThem(t *testing.T) {
	id := uuid.New()
	p := &pile{notices: []inbox.Notice{
		{ID: id, Kind: inbox.Overdue, Key: "k", Role: actor.QALead, Headline: "P1, First, was due", Body: "It was.", Path: "/releases/x", DueAt: t0, CreatedAt: t0.Add(-time.Minute), Zone: "America/New_York"},
		{ID: id, Kind: "escalated_far", Key: "l", Person: inbox.Person{Name: "Quinn", Subject: "q"}, Headline: "Q", Body: "B", Path: "/", DueAt: t0, CreatedAt: t0, DeliveredAt: t0, DeliveredBy: "webhook"},
		{ID: id, Kind: inbox.DueSoon, Key: "m", Role: actor.QALead, Headline: "R", Body: "B", Path: "/", DueAt: t0, CreatedAt: t0, Attempts: 3, Problem: "It answered 502."},
		{ID: id, Kind: inbox.GateWaiting, Key: "n", Role: actor.QALead, Headline: "S", Body: "B", Path: "/", DueAt: t0, CreatedAt: t0, Settled: "Signed since by Quinn"},
	}}
	status, body := p.get(t, viewer, "/notices?before="+url.QueryEscape(placeOf(t0, id.String())))
	for _, want := range []string{"No channel is configured", "Not delivered", "Delivered", "Could not be delivered", "It answered 502.", "everybody who is QA lead", "Quinn", "escalated far", "13:59 EST", "Signed since by Quinn"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if status != http.StatusOK || p.before.BeforeID != id || !p.before.BeforeAt.Equal(t0) {
		t.Errorf("%d, asks for what is before %s %s", status, p.before.BeforeAt, p.before.BeforeID)
	}
}
