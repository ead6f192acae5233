package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/health"
)

type checked struct {
	report health.Report
	err    error
	runs   int
	ready  health.Readiness
	asked  int
}

func (c *checked) Latest(context.Context, actor.Actor) (health.Report, error) { return c.report, c.err }

func (c *checked) Run(context.Context, actor.Actor) (health.Report, error) {
	c.runs++
	return c.report, c.err
}

func (c *checked) Ready(context.Context) health.Readiness {
	c.asked++
	return c.ready
}

var checkedAt = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func checkedReport(levels ...health.Level) health.Report {
	r := health.Report{CheckedAt: checkedAt}
	for i, l := range levels {
		r.Results = append(r.Results, health.Result{Check: health.Checks[i], Level: l, Value: "90", Unit: "s", Message: "Message of " + string(health.Checks[i]) + ".", CheckedAt: checkedAt})
	}
	return r
}

// knock sends one request straight to the handler of a route, past the table's own guard.
func knock(t *testing.T, c *checked, by actor.Actor, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		_ = c.String(599, fault.Of(err).String())
	}
	for _, r := range Health(c, c, func() time.Time { return checkedAt.Add(time.Minute) }) {
		e.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
	}
	request := httptest.NewRequestWithContext(actor.Into(t.Context(), by), method, path, http.NoBody)
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, request)
	return recorder
}

var (
	healthViewer = actor.Actor{Subject: "v", Name: "V", TenantCode: "rivermark", Roles: []actor.Role{actor.Viewer}}
	healthQA     = actor.Actor{Subject: "q", Name: "Q", TenantCode: "rivermark", Roles: []actor.Role{actor.QALead}}
)

func TestHealthPageShowsTheWorstFirst(t *testing.T) {
	c := &checked{report: checkedReport(health.Healthy, health.Degraded, health.Unknown, health.Unhealthy, health.Warning, health.NotDeployed)}
	page := knock(t, c, healthViewer, http.MethodGet, "/health-checks").Body.String()
	last := -1
	for _, check := range []string{"query_performance", "cache_freshness", "ml_accuracy", "scheduler", "graphql_endpoint", "database_connection"} {
		at := strings.Index(page, `data-check="`+check+`"`)
		if at <= last {
			t.Errorf("check %s stands at %d, after %d: not worst first", check, at, last)
		}
		last = at
	}
	for _, want := range []string{
		`data-state="unhealthy"`, "Message of query_performance.", "1 min 30 s", "healthy under 15 min", "1 min ago", "Not deployed yet",
		"SELECT last_refresh_at FROM cache_refresh_status", "QA lead",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, `action="/health-checks/run"`) {
		t.Error("a viewer is offered to run the checks")
	}
	if page := knock(t, c, healthQA, http.MethodGet, "/health-checks").Body.String(); !strings.Contains(page, `action="/health-checks/run"`) {
		t.Error("a QA lead is not offered to run the checks")
	}
}

func TestHealthPageBeforeTheFirstRunIsNotGreen(t *testing.T) {
	page := knock(t, &checked{}, healthViewer, http.MethodGet, "/health-checks").Body.String()
	if !strings.Contains(page, `data-state="unknown"`) || strings.Contains(page, `data-state="healthy"`) || !strings.Contains(page, "No health check has run yet") {
		t.Errorf("the page before the first run: %s", page)
	}
}

func TestRunningTheChecksReturnsToThePage(t *testing.T) {
	c := &checked{report: checkedReport(health.Healthy)}
	got := knock(t, c, healthQA, http.MethodPost, "/health-checks/run")
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/health-checks" || c.runs != 1 {
		t.Errorf("status %d to %q after %d runs", got.Code, got.Header().Get("Location"), c.runs)
	}
	c.err = fault.New(fault.Conflict, "A health check is running already.")
	if got := knock(t, c, healthQA, http.MethodPost, "/health-checks/run").Body.String(); got != "conflict" {
		t.Errorf("a run that is under way: %s", got)
	}
}

func TestHealthJSON(t *testing.T) {
	for level, want := range map[health.Level]struct {
		status int
		word   string
	}{
		health.Healthy: {200, "HEALTHY"}, health.Warning: {200, "HEALTHY"}, health.Degraded: {200, "DEGRADED"},
		health.Unknown: {200, "DEGRADED"}, health.Unhealthy: {503, "UNHEALTHY"},
	} {
		got := knock(t, &checked{report: checkedReport(level)}, healthViewer, http.MethodGet, "/api/wms/optimization/health")
		var document health.Document
		if err := json.Unmarshal(got.Body.Bytes(), &document); err != nil {
			t.Fatal(err)
		}
		if got.Code != want.status || string(document.Status) != want.word || document.Tenant != "rivermark" || len(document.Checks) != 10 {
			t.Errorf("%s: status %d, %s for %q with %d checks", level, got.Code, document.Status, document.Tenant, len(document.Checks))
		}
	}
}

func TestLivenessKnowsNoDatabase(t *testing.T) {
	c := &checked{}
	if got := knock(t, c, actor.Actor{}, http.MethodGet, "/livez"); got.Code != http.StatusOK || c.asked != 0 {
		t.Errorf("status %d, readiness asked %d times", got.Code, c.asked)
	}
}

func TestReadinessSaysWhyAndHealthSaysLittle(t *testing.T) {
	for name, c := range map[string]struct {
		ready         health.Readiness
		readyz, short int
	}{
		"ready":         {health.Readiness{Ready: true, Gates: []health.Gate{{Name: "database", OK: true}, {Name: "schema", OK: true}}}, 200, 200},
		"database away": {health.Readiness{Gates: []health.Gate{{Name: "database", Why: "The database does not answer."}}}, 503, 503},
		"schema older":  {health.Readiness{Gates: []health.Gate{{Name: "database", OK: true}, {Name: "schema", Why: "Run gatehouse setup."}}}, 503, 200},
	} {
		readyz := knock(t, &checked{ready: c.ready}, actor.Actor{}, http.MethodGet, "/readyz")
		if readyz.Code != c.readyz || c.readyz == 503 && !strings.Contains(readyz.Body.String(), c.ready.Gates[len(c.ready.Gates)-1].Why) {
			t.Errorf("%s: /readyz = %d %s", name, readyz.Code, readyz.Body)
		}
		short := knock(t, &checked{ready: c.ready}, actor.Actor{}, http.MethodGet, "/health")
		if short.Code != c.short || strings.Contains(short.Body.String(), "setup") || strings.Contains(short.Body.String(), "answer") {
			t.Errorf("%s: /health = %d %s", name, short.Code, short.Body)
		}
	}
}
