package main

import (
	"math"
	"testing"
	"time"
)

func TestFigureSaysWhatItIs(t *testing.T) {
	for _, c := range []struct {
		name string
		in   figure
		want string
	}{
		{"below a limit", figure{"P8 one lot", "ratio %.1f", 2.4, 3, false, ""}, "P8 one lot: ratio 2.4, goal <= 3, holds"},
		{"above a limit", figure{"P8 one lot", "ratio %.1f", 3.1, 3, false, "n 7"}, "P8 one lot: ratio 3.1, goal <= 3, short (n 7)"},
		{"reaches a goal", figure{"P3 list", "ratio %.2f", 0.7, 0.7, true, ""}, "P3 list: ratio 0.70, goal >= 0.7, holds"},
		{"misses a goal", figure{"P3 list", "ratio %.2f", 0.69, 0.7, true, ""}, "P3 list: ratio 0.69, goal >= 0.7, short"},
		{"nothing measured", figure{"P3 list", "ratio %.2f", math.NaN(), 0.7, true, ""}, "P3 list: ratio NaN, goal >= 0.7, short"},
		{"divided by nothing", figure{"P3 list", "ratio %.2f", math.Inf(1), 0.7, true, ""}, "P3 list: ratio +Inf, goal >= 0.7, short"},
	} {
		if got := c.in.String(); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRatioIsTheMedianOfPairs(t *testing.T) {
	// One pair that something else disturbed must not move the figure.
	if got, want := ratio([]pair{{2, 1}, {2.2, 1}, {90, 1}, {1.8, 1}, {4, 2}}), 2.0; got != want {
		t.Errorf("ratio = %v, want %v", got, want)
	}
	if got := ratio(nil); !math.IsNaN(got) {
		t.Errorf("ratio of no pairs = %v, want NaN", got)
	}
}

func TestSampleRanks(t *testing.T) {
	var s sample
	for i := 100; i > 0; i-- {
		s = append(s, time.Duration(i)*time.Millisecond)
	}
	if got, want := s.at(0.95), 95*time.Millisecond; got != want {
		t.Errorf("p95 = %v, want %v", got, want)
	}
	if got, want := s.ms(), 50.0; got != want {
		t.Errorf("p50 = %v, want %v", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{{"-only", "P99"}, {"-pairs", "4"}, {"-rows", "10"}, {"-unknown"}} {
		if _, _, err := parse(args); err == nil {
			t.Errorf("parse(%v) accepted it", args)
		}
	}
	if _, chosen, err := parse([]string{"-only", "p12,P3"}); err != nil || len(chosen) != 2 || chosen[0].id != "P12" {
		t.Errorf("parse(p12,P3) = %v, %v", chosen, err)
	}
}
