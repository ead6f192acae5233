package runbook

import (
	"testing"
	"time"
)

// What was too old when a release was aborted was never done anew: ending makes nothing fresh.
func TestWhatWentStaleStaysStaleWhenTheReleaseEnds(t *testing.T) {
	limit, found := 4*time.Hour, time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	item := Item{ID: "A3", State: Done, FreshFor: &limit, EvidenceAt: found}
	for name, tc := range map[string]struct {
		run  Run
		at   time.Time
		want bool
	}{
		"in time":                         {Run{State: Active}, found.Add(3 * time.Hour), false},
		"too old":                         {Run{State: Active}, found.Add(5 * time.Hour), true},
		"aborted when it was too old":     {Run{State: Aborted, EndedAt: found.Add(5 * time.Hour)}, found.Add(9 * time.Hour), true},
		"aborted while it was good":       {Run{State: Aborted, EndedAt: found.Add(3 * time.Hour)}, found.Add(9 * time.Hour), false},
		"signed off: its gate has judged": {Run{State: SignedOff}, found.Add(9 * time.Hour), false},
	} {
		if got := (Plan{Run: tc.run, At: tc.at}).Stale(item); got != tc.want {
			t.Errorf("%s: Stale = %t, want %t", name, got, tc.want)
		}
	}
}
