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
	"github.com/agogsaas/gatehouse/internal/review"
	"github.com/agogsaas/gatehouse/web"
)

// drawer is a report and lessons in memory.
type drawer struct {
	report review.Report
	open   []review.Lesson
	refuse error
	drafts *[]review.Draft
}

func (d drawer) Open(context.Context, actor.Actor) ([]review.Lesson, time.Time, error) {
	return d.open, t0, nil
}

func (d drawer) Report(context.Context, actor.Actor, uuid.UUID) (review.Report, error) {
	return d.report, nil
}

func (d drawer) AddLesson(_ context.Context, _ actor.Actor, _ uuid.UUID, draft review.Draft) error {
	*d.drafts = append(*d.drafts, draft)
	return d.refuse
}

func (d drawer) Done(context.Context, actor.Actor, uuid.UUID, uuid.UUID, string) error {
	return d.refuse
}

func (d drawer) ask(t *testing.T, by actor.Actor, method, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(web.Status(err), err.Error()) }
	for _, r := range Reports(d) {
		e.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
	}
	request := httptest.NewRequestWithContext(actor.Into(t.Context(), by), method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		request.Header.Set(echo.HeaderContentType, echo.MIMEApplicationForm)
	}
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, request)
	return recorder
}

func TestAReportSaysWhatWasPlannedAndWhatHappened(t *testing.T) {
	minutes := func(n int64) *int64 { n *= 60; return &n }
	ms := func(n int64) *int64 { return &n }
	settled := t0.Add(40 * time.Minute)
	lesson := review.Lesson{ID: uuid.New(), Run: runID, Release: "REQ-1", Happened: "It was slow.", Why: "No index.", Todo: "Make one.", Owner: "backend_lead", DueOn: t0.AddDate(0, 0, -2), By: "Sam"}
	d := drawer{report: review.Report{
		Run: review.Run{ID: runID, Code: "REQ-1", State: "signed_off", TimeZone: "America/New_York", T0: t0, StartedAt: t0.Add(-time.Hour)}, At: t0.Add(2 * time.Hour),
		Findings:   []review.Finding{{Kind: "item_late", Text: "P2.1, Apply, was settled 40 min late."}},
		Items:      []review.Item{{ID: "P2.1", Title: "Apply", State: "done", Due: t0, Settled: &settled, LateSeconds: minutes(40), Failed: 1}, {ID: "P2.2", Title: "Look", State: "done", Due: t0, Settled: &settled, LateSeconds: minutes(-3)}},
		Migrations: []review.Migration{{Version: "0.0.20", Title: "Fix", RehearsedMs: ms(8000), TookMs: ms(9500)}, {Version: "0.0.21", Title: "UUID"}, {Version: "0.0.15", Title: "First", ThereSince: &settled}},
		Stops:      []review.Stop{{Gate: "Go / no-go", Attempt: 1, Kind: "rejected", Role: "QA lead", Name: "Quin", Reason: "The score is 3.", OpenedBy: "Dev", OpenedAt: &settled, Note: "Tested anew."}, {Gate: "Final", Attempt: 1, Kind: "expired", Reason: "Its time ended."}},
		Signatures: []review.Signature{{Gate: "Go / no-go", Role: "QA lead", Name: "Quin", Standing: "void"}}, Lessons: []review.Lesson{lesson},
	}}
	body := d.ask(t, devOps, http.MethodGet, reportPath(runID), nil).Body.String()
	for _, want := range []string{"<em>40 min late</em>", "<small>3 min early</small>", `data-state="rejected"`, "Quin, QA lead", "Dev opened attempt 2: Tested anew.", `data-state="expired"`, "No new attempt was opened.", "1.5 s longer than rehearsed", "not rehearsed", "not applied", "not in this release", "was there before", "before this release", `data-state="void"`, "1 finding, the gravest first.", "Overdue", "Failed 1 time", "/done", `name="happened"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if reader := d.ask(t, viewer, http.MethodGet, reportPath(runID), nil).Body.String(); strings.Contains(reader, "<form method=\"post\" action=\"/releases") {
		t.Error("a reader is offered a form")
	}
	if got := d.ask(t, viewer, http.MethodGet, reportPath(runID)+"/json", nil); !strings.Contains(got.Body.String(), `"times_failed": 1`) || !strings.Contains(got.Header().Get("Content-Disposition"), "report-") {
		t.Errorf("JSON: %s", got.Body)
	}
}

func TestALessonThatIsRefusedKeepsWhatWasTyped(t *testing.T) {
	var drafts []review.Draft
	id := uuid.New()
	d := drawer{report: review.Report{Run: review.Run{ID: runID, Code: "REQ-1"}}, drafts: &drafts, refuse: fault.New(fault.Invalid, "No.").WithField("due", "This day is over.")}
	form := url.Values{"lesson": {id.String()}, "happened": {"It <broke>"}, "why": {"haste"}, "todo": {"wait"}, "owner": {"qa_lead"}, "due": {"2026-11-01"}}
	got := d.ask(t, devOps, http.MethodPost, runPath(runID)+"/lessons", form)
	body := got.Body.String()
	for _, want := range []string{"It &lt;broke&gt;", "This day is over.", id.String(), "2026-11-01", `value="qa_lead" selected`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page after a refusal does not hold %q", want)
		}
	}
	if got.Code != http.StatusUnprocessableEntity || len(drafts) != 1 || drafts[0].ID != id || drafts[0].DueOn.Format(time.DateOnly) != "2026-11-01" {
		t.Errorf("%d, drafts %+v", got.Code, drafts)
	}
	d.refuse = review.ErrSaidOtherwise
	got = d.ask(t, devOps, http.MethodPost, runPath(runID)+"/lessons", form)
	if body := got.Body.String(); got.Code != http.StatusConflict || !strings.Contains(body, "press once more") || !strings.Contains(body, "It &lt;broke&gt;") || strings.Contains(body, id.String()) {
		t.Errorf("a form that was used for another lesson answers %d; want what was typed, and an id of its own", got.Code)
	}
	d.refuse, drafts = nil, drafts[:1]
	if got := d.ask(t, devOps, http.MethodPost, runPath(runID)+"/lessons", form); got.Code != http.StatusSeeOther {
		t.Errorf("a lesson that is taken answers %d", got.Code)
	}
	form.Set("lesson", "x")
	if got := d.ask(t, devOps, http.MethodPost, runPath(runID)+"/lessons", form); got.Code != http.StatusUnprocessableEntity || len(drafts) != 2 {
		t.Errorf("a form without its id answers %d", got.Code)
	}
}

// Somebody else was quicker, and the lesson has no form any more: what was typed stands beside it.
func TestALessonThatIsDoneAlreadyKeepsWhatWasTyped(t *testing.T) {
	done := t0.Add(-time.Hour)
	lesson := review.Lesson{ID: uuid.New(), Run: runID, Todo: "Make one.", DueOn: t0, DoneAt: &done, DoneBy: "Quin", DoneNote: "The index is there."}
	d := drawer{report: review.Report{Run: review.Run{ID: runID, Code: "REQ-1"}, Lessons: []review.Lesson{lesson}}, refuse: fault.New(fault.Conflict, "Somebody has already said so.")}
	got := d.ask(t, devOps, http.MethodPost, runPath(runID)+"/lessons/"+lesson.ID.String()+"/done", url.Values{"note": {"I made <two>"}})
	for _, want := range []string{"data-typed", "What was done", "I made &lt;two&gt;", "The index is there."} {
		if !strings.Contains(got.Body.String(), want) {
			t.Errorf("the page after a conflict does not hold %q", want)
		}
	}
	if got.Code != http.StatusConflict {
		t.Errorf("it answers %d, want a conflict", got.Code)
	}
}
