package snapshot

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

var t0 = time.Date(2026, 11, 24, 19, 0, 0, 0, time.UTC)

func head(p Point, late time.Duration) Head {
	return Head{ID: uuid.New(), Point: p, T0: t0, DueAt: p.Due(t0), TakenAt: p.Due(t0).Add(late)}
}

func TestWhereAPointStands(t *testing.T) {
	for name, c := range map[string]struct {
		point   Point
		after   time.Duration // T-0
		change  func(*Run)
		want    State
		overdue bool
	}{
		"before its time":                  {Hour1, 59*time.Minute + 59*time.Second, nil, Waiting, false},
		"at its time":                      {Hour1, time.Hour, nil, Due, false},
		"within the grace":                 {Hour1, time.Hour + Grace - time.Second, nil, Due, false},
		"at the end of the grace":          {Hour1, time.Hour + Grace, nil, Due, true},
		"the finding is written":           {Hour1, 2 * time.Hour, func(r *Run) { r.Missed = []Miss{{Point: Hour1, T0: t0}} }, Due, false},
		"the finding is of another T-0":    {Hour1, 2 * time.Hour, func(r *Run) { r.Missed = []Miss{{Point: Hour1, T0: t0.Add(time.Minute)}} }, Due, true},
		"when the next hour is due":        {Hour1, 4 * time.Hour, nil, Missed, true},
		"taken":                            {Hour1, 2 * time.Hour, func(r *Run) { r.Taken = []Head{head(Hour1, Grace)} }, Taken, false},
		"taken late":                       {Hour1, 2 * time.Hour, func(r *Run) { r.Taken = []Head{head(Hour1, Grace+time.Second)} }, TakenLate, false},
		"taken before the migrations":      {Hour1, 2 * time.Hour, func(r *Run) { r.Taken, r.Migrated = []Head{head(Hour1, 0)}, t0.Add(time.Hour+time.Second) }, Unmigrated, false},
		"taken while one is not applied":   {Hour1, 2 * time.Hour, func(r *Run) { r.Taken, r.Unmigrated = []Head{head(Hour1, 0)}, true }, Unmigrated, false},
		"taken after the migrations":       {Hour1, 2 * time.Hour, func(r *Run) { r.Taken, r.Migrated = []Head{head(Hour1, 0)}, t0.Add(time.Hour) }, Taken, false},
		"a baseline before the migrations": {Before, 0, func(r *Run) { r.Taken, r.Unmigrated = []Head{head(Before, 0)}, true }, Taken, false},
		"taken for an earlier T-0":         {Hour1, 2 * time.Hour, func(r *Run) { r.Taken = []Head{head(Hour1, -time.Second)} }, Due, true},
		"taken so late that it is another": {Hour1, 5 * time.Hour, func(r *Run) { r.Taken = []Head{head(Hour1, 3*time.Hour)} }, Missed, true},
		"a baseline that is due":           {Before, -30 * time.Second, nil, Due, false},
		"a baseline at T-0":                {Before, 0, nil, Missed, true},
		"an early baseline that is late":   {HalfHourBefore, -15 * time.Minute, nil, Due, true},
		"due before T-0 was set":           {Hour1, 2 * time.Hour, func(r *Run) { r.PlannedAt = t0.Add(90 * time.Minute) }, Due, false},
		"over before T-0 was set":          {HalfHourBefore, time.Minute, func(r *Run) { r.PlannedAt = t0.Add(-time.Minute) }, NotPlanned, false},
		"the release ended before":         {Hour4, 5 * time.Hour, func(r *Run) { r.EndedAt = t0.Add(2 * time.Hour) }, Ended, false},
		"the release ended after":          {Hour1, 61 * time.Minute, func(r *Run) { r.EndedAt = t0.Add(61 * time.Minute) }, Due, false},
	} {
		run := Run{T0: t0, PlannedAt: t0.Add(-48 * time.Hour)}
		if c.change != nil {
			c.change(&run)
		}
		if got := run.place(c.point, t0.Add(c.after)); got.State != c.want || got.Overdue != c.overdue {
			t.Errorf("%s: %s, overdue %v; want %s, %v", name, got.State, got.Overdue, c.want, c.overdue)
		}
	}
}

func TestABaselineIsTheLatestWithinTheHourBefore(t *testing.T) {
	early, right := head(HalfHourBefore, 0), head(Before, time.Second)
	for name, c := range map[string]struct {
		taken []Head
		t0    time.Time
		want  uuid.UUID
	}{
		"both":                          {[]Head{early, right}, t0, right.ID},
		"the early one alone":           {[]Head{early}, t0, early.ID},
		"T-0 moved by 20 minutes":       {[]Head{early, right}, t0.Add(20 * time.Minute), right.ID},
		"T-0 moved by two hours":        {[]Head{early, right}, t0.Add(2 * time.Hour), uuid.Nil},
		"T-0 moved back before the one": {[]Head{early, right}, t0.Add(-5 * time.Minute), early.ID},
		"an hour after T-0 is none":     {[]Head{head(Hour1, 0)}, t0, uuid.Nil},
		"none":                          {nil, t0, uuid.Nil},
	} {
		got, ok := Run{T0: c.t0, Taken: c.taken}.Baseline()
		if got.ID != c.want || ok != (c.want != uuid.Nil) {
			t.Errorf("%s: %s, %v; want %s", name, got.Point, ok, c.want)
		}
	}
}

func TestLatenessIsSaid(t *testing.T) {
	for late, want := range map[time.Duration]string{0: "", Grace: "", 37*time.Minute + 20*time.Second: "late by 37 min", 3 * time.Hour: "late by 3 h"} {
		if got := head(Hour1, late).Lateness(); got != want {
			t.Errorf("late by %s is said %q, want %q", late, got, want)
		}
	}
}

func reading(p Point, change func(*Content)) *Reading {
	c := Content{
		Health:  []Check{{Name: "cache_freshness", Title: "Cache freshness", State: "healthy", Value: "60", Unit: "s"}, {Name: "ml_accuracy", Title: "ML accuracy", State: "healthy", Value: "90", Unit: "%"}},
		Metrics: []Figure{{Name: "critical_outliers_pending", Title: "Outliers", State: "healthy", Value: "0"}},
		Series:  []Series{{Name: "bin_volume_utilization", Title: "Volume", Unit: "%", State: "healthy", N: 40, Mean: "61.50"}},
	}
	if change != nil {
		change(&c)
	}
	return &Reading{Head: head(p, 0), Content: c, Intact: true}
}

func TestTheWorstStandsFirstAndDifferencesAreSaid(t *testing.T) {
	base := reading(Before, nil)
	hour := reading(Hour1, func(c *Content) {
		c.Health[1].State, c.Health[1].Value = "unhealthy", "65"
		c.Metrics[0].State, c.Metrics[0].Value = "warning", "3"
		c.Series[0].State, c.Series[0].Mean = "unknown", ""
	})
	var got []string
	for _, l := range compare(base, map[Point]*Reading{Hour1: hour}) {
		got = append(got, fmt.Sprintf("%s: %s, %s", l.Name, l.Hours[Hour1].Verdict, l.Hours[Hour1].Change))
	}
	want := []string{
		"ml_accuracy: worse, was healthy, is unhealthy; −25 % less",
		"bin_volume_utilization: unknown, was healthy, is unknown; not known now",
		"critical_outliers_pending: worse, was healthy, is warning; +3 more",
		"cache_freshness: same, as before",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("compare (-want +got):\n%s", diff)
	}
	for _, l := range compare(nil, map[Point]*Reading{Hour1: hour}) {
		if c := l.Hours[Hour1]; c.Verdict != Uncomparable || !strings.Contains(c.Change, "no baseline") {
			t.Errorf("%s without a baseline is %s, %q", l.Name, c.Verdict, c.Change)
		}
	}
}

func TestNothingUnknownIsGreen(t *testing.T) {
	for name, s := range map[string]Series{"nothing there": {}, "all missing": {Missing: 3}, "few": {N: 29}, "some missing": {N: 40, Missing: 1}} {
		if got := s.judge(); got.State == "healthy" || got.Why == "" {
			t.Errorf("%s: %s, %q", name, got.State, got.Why)
		}
	}
	if got := (Series{N: 30}).judge(); got.State != "healthy" {
		t.Errorf("30 values of 30 are %s", got.State)
	}
	if f := (Count{State: "unknown", Why: "gone"}).figure("x", "X"); f.Value != "" || f.State != "unknown" {
		t.Errorf("a number that was not read is %q, %s", f.Value, f.State)
	}
}

func TestTheCanonicalFormIsStable(t *testing.T) {
	text, sum, err := Content{Format: Format, Point: Hour1, T0: t0, Release: "a<b"}.Canonical()
	if err != nil || !strings.HasPrefix(text, `{"due_at":`) || !strings.Contains(text, "a<b") || strings.Contains(text, " ") {
		t.Fatalf("Canonical = %s, %v", text, err)
	}
	if _, intact, err := Read(text, sum); err != nil || !intact {
		t.Errorf("Read = %v, %v; want it intact", intact, err)
	}
	if _, intact, _ := Read(strings.Replace(text, "a<b", "a<c", 1), sum); intact {
		t.Error("a changed content is called intact")
	}
}
