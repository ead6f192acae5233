package components

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNowStandsBetweenTheMarksAndNeverOutsideThePicture(t *testing.T) {
	marks := make([]Mark, 4) // at 12.5, 37.5, 62.5 and 87.5 percent
	for _, c := range []struct {
		after, permille int
		want, anchor    string
	}{
		{-1, 0, "0.00%", "start"},
		{-1, 1000, "12.50%", "start"},
		{0, 0, "12.50%", "start"},
		{1, 500, "50.00%", "middle"},
		{1, 5000, "62.50%", "middle"},
		{2, -3, "62.50%", "end"},
		{3, 0, "87.50%", "end"},
		{3, 1000, "100.00%", "end"},
	} {
		line := Timeline{Marks: marks, NowAfter: c.after, NowPermille: c.permille}
		if got := line.nowX(); got != c.want {
			t.Errorf("now after mark %d, %d ‰ on: x = %s, want %s", c.after, c.permille, got, c.want)
		}
		if got := line.nowAnchor(); got != c.anchor {
			t.Errorf("now after mark %d: anchor = %s, want %s", c.after, got, c.anchor)
		}
	}
	if got := (Timeline{}).nowX(); got != "0%" {
		t.Errorf("a timeline without marks puts now at %s, want 0%%", got)
	}
}

func TestPercentIsNotAHundredBeforeAllIsDone(t *testing.T) {
	for _, c := range []struct {
		counts Counts
		want   int
	}{
		{Counts{}, 0},
		{Counts{Done: 299, Open: 1}, 99},
		{Counts{Done: 2, Skipped: 1}, 100},
		{Counts{Done: 2, Failed: 1}, 66},
	} {
		if got := c.counts.Percent(); got != c.want {
			t.Errorf("Percent(%+v) = %d, want %d", c.counts, got, c.want)
		}
	}
}

// What waits is not done, so it fills nothing.
func TestTheBarLaysItsPartsEndToEnd(t *testing.T) {
	got := Counts{Done: 2, Skipped: 1, Blocked: 1, Open: 4}.segments()
	want := []segment{{"0.0%", "25.0%", "done"}, {"25.0%", "12.5%", "skipped"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(segment{})); diff != "" {
		t.Errorf("segments (-want +got):\n%s", diff)
	}
}

func TestComplaintsOfAFieldAreSaidTogether(t *testing.T) {
	all := Complaints{{Field: "code", Text: "It is taken."}, {Field: "title", Text: "It is missing."}, {Field: "code", Text: "It is too long."}}
	if got, want := all.For("code"), "It is taken. It is too long."; got != want {
		t.Errorf("For(code) = %q, want %q", got, want)
	}
	if got := all.For("zone"); got != "" {
		t.Errorf("For(zone) = %q, want nothing", got)
	}
}

func TestWhoCanReadsAsASentence(t *testing.T) {
	for want, who := range map[string][]string{
		"":                                   nil,
		"QA lead":                            {"QA lead"},
		"QA lead or DevOps lead":             {"QA lead", "DevOps lead"},
		"QA lead, DevOps lead or an auditor": {"QA lead", "DevOps lead", "an auditor"},
	} {
		if got := joined(who); got != want {
			t.Errorf("joined(%q) = %q, want %q", who, got, want)
		}
	}
}

func TestAHashIsRecognisedByItsBeginning(t *testing.T) {
	if got, want := short("9f2b6c1d40e8a7735be1"), "9f2b6c1d40e8"; got != want {
		t.Errorf("short = %q, want %q", got, want)
	}
	if got := short("9f2b"); got != "9f2b" {
		t.Errorf("short of a short one = %q, want it whole", got)
	}
}
