package health

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestCacheAge(t *testing.T) {
	for _, c := range []struct {
		age   time.Duration
		want  Level
		value string
	}{
		{0, Healthy, "0"},
		{14*time.Minute + 59*time.Second, Healthy, "899"},
		{15*time.Minute - time.Nanosecond, Healthy, "899"},
		{15 * time.Minute, Degraded, "900"},
		{29*time.Minute + 59*time.Second, Degraded, "1799"},
		{30*time.Minute - time.Nanosecond, Degraded, "1799"},
		{30 * time.Minute, Unhealthy, "1800"},
		{72 * time.Hour, Unhealthy, "259200"},
	} {
		got := judgeCache(CacheReading{Now: noon, LastRefresh: noon.Add(-c.age)})
		if got.level != c.want || got.value != c.value || got.unit != "s" {
			t.Errorf("age %s: got %s %q %s, want %s %q s", c.age, got.level, got.value, got.unit, c.want, c.value)
		}
	}
}

func TestCacheThatSaysNothingIsUnknown(t *testing.T) {
	for name, r := range map[string]CacheReading{
		"empty":            {Now: noon, LastRefresh: noon, Empty: true},
		"never reconciled": {Now: noon},
		"clock runs back":  {Now: noon, LastRefresh: noon.Add(time.Second)},
	} {
		got := judgeCache(r)
		if got.level != Unknown || got.value != "" {
			t.Errorf("%s: got %s with value %q, want unknown without one", name, got.level, got.value)
		}
	}
	if got := judgeCache(CacheReading{Now: noon, LastRefresh: noon.Add(10 * time.Minute)}); !strings.Contains(got.message, "10 min in the future") || !strings.Contains(got.message, "clock") {
		t.Errorf("a clock that runs back is called %q", got.message)
	}
}

func TestCacheKnownToBeWrongIsNotHealthy(t *testing.T) {
	got := judgeCache(CacheReading{Now: noon, LastRefresh: noon.Add(-time.Minute), DirtySince: noon.Add(-30 * time.Second)})
	if got.level != Warning || !strings.Contains(got.message, "wrong since 11:59 UTC") {
		t.Errorf("got %s, %q", got.level, got.message)
	}
	got = judgeCache(CacheReading{Now: noon, LastRefresh: noon.Add(-time.Hour), DirtySince: noon.Add(-30 * time.Second)})
	if got.level != Unhealthy {
		t.Errorf("being wrong as well made an old cache %s", got.level)
	}
}

func TestAccuracy(t *testing.T) {
	for _, c := range []struct {
		accepted, decided int
		want              Level
		value             string
	}{
		{801, 1000, Healthy, "80.1"},
		{800, 1000, Degraded, "80.0"},
		{8, 10, Degraded, "80.0"},
		{80001, 100000, Healthy, "80.0"}, // above 80, by little
		{799, 1000, Degraded, "79.9"},
		{701, 1000, Degraded, "70.1"},
		{700, 1000, Unhealthy, "70.0"},
		{7, 10, Unhealthy, "70.0"},
		{0, 10, Unhealthy, "0.0"},
		{10, 10, Healthy, "100.0"},
		{9, 9, Unknown, ""},
		{0, 0, Unknown, ""},
	} {
		got := judgeAccuracy(DecisionReading{c.accepted, c.decided})
		if got.level != c.want || got.value != c.value {
			t.Errorf("%d of %d: got %s %q, want %s %q", c.accepted, c.decided, got.level, got.value, c.want, c.value)
		}
	}
	if got := judgeAccuracy(DecisionReading{3, 9}); !strings.Contains(got.message, "9 decided recommendations") || !strings.Contains(got.message, "10") {
		t.Errorf("too few decisions are called %q", got.message)
	}
}

func TestQueryTime(t *testing.T) {
	const ms = time.Millisecond
	for took, want := range map[time.Duration]Level{
		99 * ms: Healthy, 100*ms - 1: Healthy, 100 * ms: Degraded, 499 * ms: Degraded, 500*ms - 1: Degraded, 500 * ms: Unhealthy, 9 * time.Second: Unhealthy,
	} {
		if got := judgeQuery(QueryReading{took, 10}); got.level != want {
			t.Errorf("%s: got %s, want %s", took, got.level, want)
		}
	}
}

func TestNoRowIsNoFastQuery(t *testing.T) {
	if got := judgeQuery(QueryReading{Took: time.Millisecond}); got.level != Unknown || got.value != "" {
		t.Errorf("no row in a millisecond: got %s %q", got.level, got.value)
	}
	if got := judgeQuery(QueryReading{400 * time.Microsecond, 3}); got.value != "0.4" || got.message != "3 rows of the cache took less than 1 ms." {
		t.Errorf("three rows in 400 µs: got %q, %q", got.value, got.message)
	}
}

func TestWhereCountingStoppedIsSaid(t *testing.T) {
	for _, got := range []string{judgeFailures(CountedAtMost).message, judgeStatistics(StatisticsReading{CountedAtMost, 0}).message} {
		if !strings.HasPrefix(got, "1000 or more ") {
			t.Errorf("a thousand and what is beyond it are told as %q", got)
		}
	}
}

func TestCapacityFailures(t *testing.T) {
	for n, want := range map[int]Level{0: Healthy, 1: Warning, 4: Warning, 5: Unhealthy, 1000: Unhealthy, -1: Unknown} {
		if got := judgeFailures(n); got.level != want {
			t.Errorf("%d unresolved: got %s, want %s", n, got.level, want)
		}
	}
}

func TestStatistics(t *testing.T) {
	for _, c := range []struct {
		measured, critical int
		want               Level
	}{{1, 0, Healthy}, {0, 0, Warning}, {1, 1, Warning}, {30, 6, Warning}, {0, 1, Warning}} {
		if got := judgeStatistics(StatisticsReading{c.measured, c.critical}); got.level != c.want {
			t.Errorf("%+v: got %s", c, got.level)
		}
	}
	if got := judgeStatistics(StatisticsReading{0, 2}).message; !strings.Contains(got, "Nothing was measured") || !strings.Contains(got, "2 SEVERE or EXTREME outliers") {
		t.Errorf("two findings are told as %q", got)
	}
}

func TestScheduler(t *testing.T) {
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	river := func(success, failure time.Time, e string) []JobRun {
		return []JobRun{{Scheduler: "river", LastSuccess: success, LastFailure: failure, LastError: e}}
	}
	for name, c := range map[string]struct {
		reading SchedulerReading
		want    Level
		says    string
	}{
		"nothing schedules":            {SchedulerReading{}, Warning, "pg_cron is not installed"},
		"nothing, though it ran once":  {SchedulerReading{LastRefresh: ago(time.Minute)}, Warning, "Nothing reconciles"},
		"ours, and no pg_cron":         {SchedulerReading{Runs: river(ago(2*time.Minute), time.Time{}, "")}, Healthy, "Gatehouse's scheduler reconciled 2 min ago"},
		"ours, just in time":           {SchedulerReading{Runs: river(ago(15*time.Minute-1), time.Time{}, "")}, Healthy, "14 min 59 s"},
		"ours, late":                   {SchedulerReading{Runs: river(ago(15*time.Minute), time.Time{}, "")}, Degraded, "was 15 min ago"},
		"started, never succeeded":     {SchedulerReading{Runs: river(time.Time{}, ago(time.Minute), "lock timeout")}, Degraded, "lock timeout"},
		"last turn failed":             {SchedulerReading{Runs: river(ago(6*time.Minute), ago(time.Minute), "disk full")}, Warning, "disk full"},
		"clock runs back":              {SchedulerReading{Runs: river(noon.Add(time.Minute), time.Time{}, "")}, Unknown, "in the future"},
		"pg_cron alone":                {SchedulerReading{CronInstalled: true, CronReadable: true, CronJob: true, LastRefresh: ago(time.Minute)}, Healthy, "pg_cron reconciled 1 min ago"},
		"pg_cron whose job stopped":    {SchedulerReading{CronInstalled: true, CronReadable: true, CronJob: true, LastRefresh: ago(time.Hour)}, Degraded, "by pg_cron, was 1 h ago"},
		"pg_cron that never did":       {SchedulerReading{CronInstalled: true, CronReadable: true, CronJob: true}, Degraded, "no reconciliation has succeeded"},
		"pg_cron without a job":        {SchedulerReading{CronInstalled: true, CronReadable: true}, Warning, "no active job"},
		"pg_cron that may not be read": {SchedulerReading{CronInstalled: true}, Warning, "may not read"},
	} {
		c.reading.Now = noon
		if got := judgeScheduler(c.reading); got.level != c.want || !strings.Contains(got.message, c.says) {
			t.Errorf("%s: got %s, %q; want %s and %q", name, got.level, got.message, c.want, c.says)
		}
	}
}

func TestClock(t *testing.T) {
	for skew, want := range map[time.Duration]Level{
		0: Healthy, 30 * time.Second: Healthy, 31 * time.Second: Warning, -31 * time.Second: Warning, 10 * time.Minute: Warning,
	} {
		if got := judgeClock(noon, noon.Add(skew), time.Millisecond); got.level != want {
			t.Errorf("skew %s: got %s, want %s", skew, got.level, want)
		}
	}
	if got := judgeClock(noon, noon.Add(-10*time.Minute), 0).message; !strings.Contains(got, "10 min behind the database's") {
		t.Errorf("skew is told as %q", got)
	}
}

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "less than 1 ms", time.Millisecond: "1 ms", 120 * time.Millisecond: "120 ms", 42 * time.Second: "42 s", 9*time.Minute + 20*time.Second: "9 min 20 s",
		15 * time.Minute: "15 min", 3*time.Hour + 5*time.Minute: "3 h 5 min", 75 * time.Hour: "3 days 3 h", -time.Minute: "-1 min",
	} {
		if got := words(d); got != want {
			t.Errorf("words(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestThresholdsSayWhatIsJudged(t *testing.T) {
	for check, numbers := range map[Check][]string{
		CacheFreshness: {"15 min", "30 min"}, MLAccuracy: {"80 %", "70 %", "10 decisions"}, QueryPerformance: {"100 ms", "500 ms"},
		DataQuality: {"1 to 4", "from 5"}, Scheduler: {"15 min"},
	} {
		for _, n := range numbers {
			if !strings.Contains(check.Threshold(), n) {
				t.Errorf("the threshold of %s does not say %q: %s", check, n, check.Threshold())
			}
		}
	}
	for _, check := range Checks {
		if check.Title() == "" || check.Threshold() == "" || check.Query() == "" || check.DocumentKey() == "" {
			t.Errorf("check %s is not described", check)
		}
	}
	if got, want := len(Checks), 8; got != want || len(described) != want {
		t.Errorf("there are %d checks and %d descriptions, want %d", got, len(described), want)
	}
}

func TestOverallWorstWins(t *testing.T) {
	set := func(levels ...Level) []Result {
		var list []Result
		for i, l := range levels {
			list = append(list, Result{Check: []Check{CacheFreshness, MLAccuracy, Statistics}[i], Level: l})
		}
		return list
	}
	for _, c := range []struct {
		results []Result
		want    Level
		code    int
	}{
		{nil, Unknown, 1},
		{set(Healthy, Healthy, Healthy), Healthy, 0},
		{set(Healthy, Warning), Warning, 0},
		{set(NotDeployed, Healthy), Warning, 0},
		{set(NotDeployed, NotDeployed), Warning, 0},
		{set(NotDeployed, Unknown), Unknown, 1},
		{set(Unknown, Degraded), Degraded, 1},
		{set(Degraded, Unknown), Degraded, 1},
		{set(Healthy, Unknown), Unknown, 1},
		{set(Warning, Degraded), Degraded, 1},
		{set(Unhealthy, Degraded, Warning), Unhealthy, 2},
		{set(Unhealthy, Unhealthy, Warning), Unhealthy, 2}, // the original's script ended DEGRADED here
		{set(Level("rosy")), Level("rosy"), 1},
	} {
		got := Overall(c.results)
		if got != c.want || got.Status().ExitCode() != c.code {
			t.Errorf("Overall(%v) = %s, exit %d; want %s, exit %d", c.results, got, got.Status().ExitCode(), c.want, c.code)
		}
	}
}

// Whatever the order, and whatever else is found, the whole is never better than any of its parts.
func TestOverallIsNeverBetterThanAPart(t *testing.T) {
	levels := []Level{Healthy, Warning, Degraded, Unknown, Unhealthy, NotDeployed}
	for _, a := range levels {
		for _, b := range levels {
			for _, c := range levels {
				results := []Result{{Check: Database, Level: a}, {Check: GraphQL, Level: b}, {Check: MLAccuracy, Level: c}}
				overall := Overall(results)
				for _, part := range []Level{a, b, c} {
					if overall.weight() < part.weight() {
						t.Fatalf("Overall(%s, %s, %s) = %s, which is better than %s", a, b, c, overall, part)
					}
				}
			}
		}
	}
}

func TestDataQualityIsCriticalButLeavesTheWholeDegraded(t *testing.T) {
	report := Report{Results: []Result{
		{Check: Database, Level: Healthy, Message: "ok"},
		{Check: DataQuality, Level: judgeFailures(6).level, Message: judgeFailures(6).message},
	}}
	if report.Status() != StatusDegraded || report.Status().ExitCode() != 1 {
		t.Errorf("six failures alone: %s, want DEGRADED", report.Status())
	}
	if len(report.Critical()) != 1 || !strings.Contains(report.Sentence(), "6 capacity failures") {
		t.Errorf("critical issues %v, sentence %q", report.Critical(), report.Sentence())
	}
	report.Results = append(report.Results, Result{Check: GraphQL, Level: Unhealthy, Message: "down"})
	if got := report.Status().ExitCode(); got != 2 {
		t.Errorf("GraphQL down and six failures: exit %d, want 2", got)
	}
}

func ExampleReport_Sentence() {
	fmt.Println(Report{}.Sentence())
	fmt.Println(Report{Results: []Result{{Check: Database, Level: Healthy}}}.Sentence())
	// Output:
	// No health check has run yet, so nothing is known.
	// All eight checks are healthy.
}
