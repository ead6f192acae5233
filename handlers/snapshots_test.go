package handlers

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/snapshot"
	"github.com/agogsaas/gatehouse/web"
)

// album is snapshots in memory.
type album struct{ watch snapshot.Watch }

func (a album) Show(_ context.Context, _ actor.Actor, run uuid.UUID) (snapshot.Watch, error) {
	if run != runID {
		return snapshot.Watch{}, fault.New(fault.NotFound, "There is no such release here.")
	}
	return a.watch, nil
}

func (a album) Raw(context.Context, actor.Actor, uuid.UUID, uuid.UUID) (snapshot.Stored, error) {
	return snapshot.Stored{Head: snapshot.Head{Point: snapshot.Hour1, SHA256: strings.Repeat("a", 64)}, Text: `{"a":1}`}, nil
}

func (a album) get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(web.Status(err), err.Error()) }
	for _, r := range Snapshots(a) {
		e.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
	}
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, httptest.NewRequestWithContext(actor.Into(t.Context(), viewer), http.MethodGet, path, nil))
	return recorder
}

func TestSnapshotsSayWhatWasMissedAndHowLate(t *testing.T) {
	run := snapshot.Run{ID: runID, Code: "REQ-1", TimeZone: "America/New_York", T0: t0}
	due := snapshot.Hour1.Due(t0)
	run.Taken = []snapshot.Head{{ID: uuid.New(), Point: snapshot.Hour1, T0: t0, DueAt: due, TakenAt: due.Add(37 * time.Minute), SHA256: strings.Repeat("b", 64)}}
	run.Missed = []snapshot.Miss{{Point: snapshot.Hour1, T0: t0, DueAt: due, Why: "It was not taken within 10 min."}}
	at := t0.Add(2 * time.Hour)
	w := snapshot.Watch{Run: run, At: at, Places: run.Places(at), Hours: map[snapshot.Point]*snapshot.Reading{snapshot.Hour1: {Head: run.Taken[0], Intact: false}}}
	w.Lines = []snapshot.Line{{Kind: snapshot.KindMetric, Name: "critical_outliers_pending", Title: "Outliers", Hours: map[snapshot.Point]snapshot.Cell{
		snapshot.Hour1: {There: true, State: "unknown", Why: "It could not be read.", Verdict: snapshot.Uncomparable, Change: "nothing to compare with: there is no baseline"},
	}}}
	got := album{w}.get(t, snapshotsPath(runID))
	for _, want := range []string{
		"late by 37 min", "Finding: It was not taken within 10 min.", "There is no baseline: nothing was measured", "1 was missed, which is a finding", "no longer has this hash",
		`data-point="before_30m" data-state="missed"`, `data-state="unknown"`, "Not comparable", "/snapshots/" + run.Taken[0].ID.String(),
	} {
		if !strings.Contains(got.Body.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(got.Body.String(), `data-state="healthy"`) {
		t.Error("something that is not known is shown as healthy")
	}
	raw := album{w}.get(t, snapshotsPath(runID)+"/"+uuid.NewString())
	if raw.Body.String() != `{"a":1}` || !strings.Contains(raw.Header().Get("Content-Disposition"), "snapshot-hour_1-aaaaaaaaaaaa.json") {
		t.Errorf("raw: %s, %v", raw.Body, raw.Header())
	}
	for path, want := range map[string]int{snapshotsPath(uuid.New()): 404, snapshotsPath(runID) + "?x=1": 422, snapshotsPath(runID) + "/none": 404, releasesPage + "/none/snapshots": 404} {
		if got := (album{w}).get(t, path).Code; got != want {
			t.Errorf("GET %s = %d, want %d", path, got, want)
		}
	}
}

// Of a release that was over before T-0 nothing is promised that will not come.
func TestSnapshotsOfAReleaseThatIsOverPromiseNothing(t *testing.T) {
	run := snapshot.Run{ID: runID, Code: "REQ-1", TimeZone: "America/New_York", T0: t0, State: "aborted", EndedAt: t0.Add(-2 * time.Hour)}
	at := t0.Add(-time.Hour)
	body := album{snapshot.Watch{Run: run, At: at, Places: run.Places(at)}}.get(t, snapshotsPath(runID)).Body.String()
	if !strings.Contains(body, "the release was over before one was taken") || !strings.Contains(body, "and the release is over.") {
		t.Error("the page does not say that the release is over")
	}
	for _, promise := range []string{"no baseline yet", "measured yet"} {
		if strings.Contains(body, promise) {
			t.Errorf("the page says %q", promise)
		}
	}
}
