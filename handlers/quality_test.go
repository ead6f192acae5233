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
	"github.com/agogsaas/gatehouse/internal/quality"
)

type figures struct {
	report quality.Report
	err    error
}

func (f figures) Report(context.Context, actor.Actor) (quality.Report, error) { return f.report, f.err }

// openQuality asks for a page of the subject, past the table's guard.
func openQuality(t *testing.T, f figures, path string) *httptest.ResponseRecorder {
	t.Helper()
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(599, fault.Of(err).String()) }
	for _, r := range Quality(f) {
		e.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
	}
	request := httptest.NewRequestWithContext(actor.Into(t.Context(), healthViewer), http.MethodGet, path, http.NoBody)
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, request)
	return recorder
}

func twoFacilities() quality.Report {
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	today := at.Truncate(24 * time.Hour)
	one := quality.Facility{Metrics: quality.Metrics{Facility: uuid.UUID{1}, FacilityName: "=Porto", MaterialsVerified: 3, MaterialsWithVariance: 1, AvgCubicFeetVariancePct: -4.5, AsOf: at}}
	one.Days = []quality.Day{
		{Facility: one.Facility, Day: today.AddDate(0, 0, -1), ComputedAt: at.AddDate(0, 0, -1), Held: 4, Due: 3},
		{Facility: one.Facility, Day: today, ComputedAt: at, Held: 3000, Due: 1, Unresolved: 7, Failures24h: 2, Unresolved24h: 1, ByVariance: [quality.Bands]int{0, 1, 0, 2, 0, 0, 0}},
	}
	two := quality.Facility{Metrics: quality.Metrics{Facility: uuid.UUID{2}, FacilityName: "Aveiro", AsOf: at}}
	return quality.Report{At: at, ComputedAt: at, Facilities: []quality.Facility{one, two}}
}

func TestQualityPageNeverCallsTheUnknownZero(t *testing.T) {
	page := openQuality(t, figures{report: twoFacilities()}, "/data-quality").Body.String()
	_, two, _ := strings.Cut(page, `data-facility="`+uuid.UUID{2}.String())
	two, _, _ = strings.Cut(two, "</tr>")
	if !strings.Contains(two, "Not computed yet") || !strings.Contains(two, "data-due>–<") {
		t.Errorf("a facility without figures is shown as %s", two)
	}
	for _, words := range []string{"99.9 %", "2999 of 3000 held", "1 material is of 3000 to be measured", "7 capacity failures are unresolved", "2 within 10 %, 1 beyond", "No day of the last 30"} {
		if !strings.Contains(page, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	// Alone the facility has a course; the other one keeps the whole from having one.
	page = openQuality(t, figures{report: twoFacilities()}, "/data-quality?facility="+uuid.UUID{1}.String()).Body.String()
	if !strings.Contains(page, "From 25.0 % on 29 Nov to 99.9 % on 30 Nov, over 2 days.") {
		t.Error("the course of one facility is not told")
	}
}

func TestQualityPageSaysWhetherItMayBeBelieved(t *testing.T) {
	r := twoFacilities()
	r.Facilities = r.Facilities[:1]
	states := map[string]func(*quality.Report){
		`data-state="open"`:    func(*quality.Report) {},
		`data-state="never"`:   func(r *quality.Report) { r.ComputedAt = time.Time{} },
		`data-state="stale"`:   func(r *quality.Report) { r.At = r.At.Add(quality.StaleAfter + time.Second) },
		`data-state="failing"`: func(r *quality.Report) { r.FailingSince, r.Failure = r.At, "The database did not finish." },
	}
	for want, change := range states {
		changed := r
		change(&changed)
		page := openQuality(t, figures{report: changed}, "/data-quality").Body.String()
		verdict, _, _ := strings.Cut(page, "Facilities</h2>")
		if !strings.Contains(verdict, want) {
			t.Errorf("the verdict does not say %s", want)
		}
	}
	page := openQuality(t, figures{err: &quality.NotDeployed{What: "Data-quality figures", Version: "0.0.20"}}, "/data-quality").Body.String()
	if !strings.Contains(page, `href="/migrations/V0.0.20"`) || strings.Contains(page, "<table") {
		t.Error("before its migration the page does not lead to it, or shows figures")
	}
	if a := openQuality(t, figures{err: fault.New(fault.Unavailable, "These figures have not been computed.")}, "/data-quality"); a.Code != 599 {
		t.Errorf("figures that cannot be read are answered with %d", a.Code)
	}
}

func TestQualityTableIsSafeInASpreadsheet(t *testing.T) {
	a := openQuality(t, figures{report: twoFacilities()}, "/data-quality.csv")
	lines := strings.Split(strings.TrimSpace(a.Body.String()), "\n")
	if len(lines) != 3 || !strings.Contains(lines[1], ",'=Porto,") || !strings.Contains(lines[1], ",99.9,2,1,7,0,") || !strings.Contains(lines[1], ",-4.50,") {
		t.Errorf("the table is %q", lines)
	}
	if !strings.Contains(lines[2], ",Aveiro,,,,,,,,,") {
		t.Errorf("what was not computed is not empty: %q", lines[2])
	}
}
