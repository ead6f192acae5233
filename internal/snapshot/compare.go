package snapshot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/health"
)

// Hours are the points after T-0.
var Hours = []Point{Hour1, Hour4, Hour24, Hour48}

// Verdict is how an hour is compared with the baseline.
type Verdict string

// The verdicts. Uncomparable is no good news: one of the two is not known.
const (
	Better       Verdict = "better"
	Same         Verdict = "same"
	Changed      Verdict = "changed" // neither direction is the good one
	Worse        Verdict = "worse"
	Uncomparable Verdict = "unknown"
)

// Kind is what a line is of.
type Kind string

// The kinds.
const (
	KindCheck  Kind = "check"
	KindMetric Kind = "metric"
	KindSeries Kind = "series"
)

// Line is one thing that was measured, at the baseline and at each hour.
type Line struct {
	Kind              Kind
	Name, Title, Unit string
	Threshold         string
	Base              Cell
	Hours             map[Point]Cell
	// Rank orders the lines: the worst first, of the newest hour or where there is none of the baseline.
	Rank int
}

// Cell is what one snapshot says of a line. There is false where there is no snapshot.
type Cell struct {
	There   bool
	State   health.Level
	Value   string
	Why     string
	More    string // of a series: n and missing, spread
	Verdict Verdict
	Change  string // the difference to the baseline in words
}

// goodness says which direction is good: 1 up, -1 down, 0 neither. What takes a few milliseconds is never compared by its
// milliseconds: they differ each time, and the state says when they matter.
var goodness = map[string]int{
	"bin_utilization_cache_age_seconds": -1, "ml_model_accuracy_percentage": 1, "bin_optimization_health_status": 1,
	"capacity_validation_failures_unresolved": -1, "statistical_metrics_count": 1, "critical_outliers_pending": -1,
	string(health.MLAccuracy): 1, string(health.DataQuality): -1, string(health.Statistics): 1,
}

// compare lays the hours beside the baseline, worst first.
func compare(base *Reading, hours map[Point]*Reading) []Line {
	var lines []Line
	index := map[string]int{}
	enter := func(p Point, r *Reading) {
		if r == nil {
			return
		}
		put := func(kind Kind, name, title, unit, threshold string, c Cell) {
			c.There = true
			key := string(kind) + " " + name
			at, ok := index[key]
			if !ok {
				at = len(lines)
				index[key] = at
				lines = append(lines, Line{Kind: kind, Name: name, Title: title, Unit: unit, Threshold: threshold, Hours: map[Point]Cell{}})
			}
			if p == "" {
				lines[at].Base = c
			} else {
				lines[at].Hours[p] = c
			}
		}
		for _, c := range r.Content.Health {
			put(KindCheck, c.Name, c.Title, c.Unit, c.Threshold, Cell{State: c.State, Value: c.Value, Why: c.Message})
		}
		for _, m := range r.Content.Metrics {
			put(KindMetric, m.Name, m.Title, m.Unit, "", Cell{State: m.State, Value: m.Value, Why: m.Why})
		}
		for _, s := range r.Content.Series {
			put(KindSeries, s.Name, s.Title, s.Unit, "", Cell{State: s.State, Value: s.Mean, Why: s.Why, More: s.more()})
		}
	}
	enter("", base)
	for _, p := range Hours {
		enter(p, hours[p])
	}
	for i := range lines {
		lines[i].judge()
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return b.Rank - a.Rank })
	return lines
}

func (s Series) more() string {
	text := fmt.Sprintf("n %d, %d missing", s.N, s.Missing)
	if s.N > 0 {
		text += fmt.Sprintf("; median %s, P25 %s, P75 %s, P95 %s, from %s to %s", s.Median, s.P25, s.P75, s.P95, s.Min, s.Max)
		if s.SD != "" {
			text += ", SD " + s.SD
		}
	}
	return text
}

func (l *Line) judge() {
	newest := l.Base
	for _, p := range Hours {
		c, ok := l.Hours[p]
		if !ok {
			continue
		}
		c.Verdict, c.Change = l.difference(c)
		l.Hours[p], newest = c, c
	}
	l.Rank = 10 * weight(newest.State)
	switch newest.Verdict {
	case Worse:
		l.Rank += 5
	case Uncomparable:
		l.Rank += 3
	case Changed:
		l.Rank++
	case Better, Same:
	}
}

// weight orders states from best to worst, as package health does.
func weight(l health.Level) int {
	switch l {
	case health.Healthy:
		return 0
	case health.Warning, health.NotDeployed:
		return 1
	case health.Degraded, health.Unknown:
		return 2
	case health.Unhealthy:
		return 3
	}
	return 2
}

// difference says how a cell differs from the baseline.
func (l Line) difference(c Cell) (Verdict, string) {
	if !l.Base.There {
		return Uncomparable, "nothing to compare with: there is no baseline"
	}
	verdict, words := l.figures(c)
	if c.State == l.Base.State {
		return verdict, words
	}
	states := fmt.Sprintf("was %s, is %s", Words(l.Base.State), Words(c.State))
	if words != "" {
		states += "; " + words
	}
	switch from, to := weight(l.Base.State), weight(c.State); {
	case c.State == health.Unknown:
		return Uncomparable, states
	case l.Base.State == health.NotDeployed:
		return Changed, states
	case to > from:
		return Worse, states
	case to < from && l.Base.State != health.Unknown:
		return Better, states
	}
	return Changed, states
}

func (l Line) figures(c Cell) (Verdict, string) {
	before, errBefore := decimal.NewFromString(l.Base.Value)
	now, errNow := decimal.NewFromString(c.Value)
	switch {
	case errBefore != nil && errNow != nil:
		return Uncomparable, "not known, before and now"
	case errBefore != nil:
		return Uncomparable, "not known before T-0"
	case errNow != nil:
		return Uncomparable, "not known now"
	}
	by := now.Sub(before)
	if by.IsZero() {
		return Same, "as before"
	}
	direction, sign := "more", "+"
	if by.IsNegative() {
		direction, sign = "less", "−"
	}
	words := strings.TrimSpace(fmt.Sprintf("%s%s %s", sign, by.Abs(), l.Unit)) + " " + direction
	good := goodness[l.Name]
	// An age between two reconciliations goes up and down all the time; its state says when it is too much.
	if l.Name == "bin_utilization_cache_age_seconds" && c.State == l.Base.State {
		good = 0
	}
	switch by.Sign() * good {
	case 1:
		return Better, words
	case -1:
		return Worse, words
	}
	return Changed, words
}

// Words is a state as people say it.
func Words(l health.Level) string { return strings.ReplaceAll(string(l), "_", " ") }
