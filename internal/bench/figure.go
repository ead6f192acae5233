package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// figure is one measured value with the goal it is held against.
type figure struct {
	what    string // "P8 one lot changed, 100000 bins"
	format  string // of the value: "ratio %.2f of a bare commit"
	value   float64
	goal    float64
	atLeast bool // the value shall reach the goal; otherwise it shall not pass it
	note    string
}

// holds is false for a value that is not a number: nothing measured is nothing shown.
func (f figure) holds() bool {
	if math.IsNaN(f.value) || math.IsInf(f.value, 0) {
		return false
	}
	if f.atLeast {
		return f.value >= f.goal
	}
	return f.value <= f.goal
}

func (f figure) String() string {
	sign, verdict := "<=", "holds"
	if f.atLeast {
		sign = ">="
	}
	if !f.holds() {
		verdict = "short"
	}
	line := fmt.Sprintf("%s: %s, goal %s %s, %s", f.what, fmt.Sprintf(f.format, f.value), sign, strconv.FormatFloat(f.goal, 'g', 4, 64), verdict)
	if f.note != "" {
		line += " (" + f.note + ")"
	}
	return line
}

// pair is both sides, measured one right after the other.
type pair struct{ ours, theirs float64 }

// ratio is the median of the pairs' ratios.
func ratio(pairs []pair) float64 {
	list := make([]float64, len(pairs))
	for i, p := range pairs {
		list[i] = p.ours / p.theirs
	}
	return median(list)
}

// median is NaN where there is nothing to take one of.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// sample is a set of durations.
type sample []time.Duration

// at is the value that the given part of the sample does not exceed, by nearest rank.
func (s sample) at(part float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(0, int(math.Ceil(part*float64(len(sorted))))-1)]
}

// ms is the p50 in milliseconds, NaN where there is nothing.
func (s sample) ms() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	return s.at(0.5).Seconds() * 1000
}

func (s sample) String() string {
	return fmt.Sprintf("p50 %s p95 %s n %d", short(s.at(0.5)), short(s.at(0.95)), len(s))
}

func short(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1000) }

func loadAverage() (float64, error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, fmt.Errorf("reading the load average: %w", err)
	}
	first, _, _ := strings.Cut(string(text), " ")
	return strconv.ParseFloat(first, 64)
}

func loadText() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

// processor names the machine's processor.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}
