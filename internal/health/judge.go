package health

import (
	"fmt"
	"strconv"
	"time"
)

// verdict is what a judgement gives: the rest of a Result is the same for every check.
type verdict struct {
	level       Level
	value, unit string
	message     string
}

// judgeClock compares the database's clock with ours at the middle of the question.
func judgeClock(database, ours time.Time, took time.Duration) verdict {
	v := verdict{Healthy, milliseconds(took), "ms", fmt.Sprintf("The database answered in %s.", words(took))}
	skew := ours.Sub(database)
	if skew > ClockSkewLimit || skew < -ClockSkewLimit {
		direction := "ahead of"
		if skew < 0 {
			skew, direction = -skew, "behind"
		}
		v.level = Warning
		v.message = fmt.Sprintf("The database answered, but this server's clock is %s %s the database's. Times of signatures are the database's; put the clocks right.", words(skew), direction)
	}
	return v
}

func judgeCache(r CacheReading) verdict {
	switch {
	case r.Empty:
		return verdict{Unknown, "", "s", "The cache holds no bin of this tenant, so there is nothing to be fresh."}
	case r.LastRefresh.IsZero():
		return verdict{Unknown, "", "s", "No reconciliation has succeeded yet."}
	}
	age := r.Now.Sub(r.LastRefresh)
	if age < 0 {
		return verdict{Unknown, "", "s", fmt.Sprintf("The last reconciliation lies %s in the future by the database's clock: its clock was set back, or the cache came from another server.", words(-age))}
	}
	v := verdict{
		byAge(age, CacheDegradedFrom, CacheUnhealthyFrom), seconds(age), "s",
		fmt.Sprintf("Reconciled %s ago, %s.", words(age), putRight(r.PutRight)),
	}
	if !r.DirtySince.IsZero() {
		v.level = worst(v.level, Warning)
		v.message += fmt.Sprintf(" Known to be wrong since %s, until the next reconciliation.", r.DirtySince.UTC().Format("15:04 UTC"))
	}
	return v
}

// judgeAccuracy compares in whole numbers, so that exactly 80 % is not healthy and exactly 70 % not degraded.
func judgeAccuracy(r DecisionReading) verdict {
	if r.Decided < AccuracyNeeds {
		return verdict{Unknown, "", "%", fmt.Sprintf("Only %s in 7 days; it takes %d to judge.", plural(r.Decided, "decided recommendation"), AccuracyNeeds)}
	}
	level := Unhealthy
	switch {
	case 100*r.Accepted > AccuracyHealthyAbove*r.Decided:
		level = Healthy
	case 100*r.Accepted > AccuracyDegradedAbove*r.Decided:
		level = Degraded
	}
	// Cut, not rounded: 79.96 % must not read as 80.0 %.
	tenths := r.Accepted * 1000 / r.Decided
	pct := fmt.Sprintf("%d.%d", tenths/10, tenths%10)
	return verdict{level, pct, "%", fmt.Sprintf("%s %% of %s of the last 7 days were accepted.", pct, plural(r.Decided, "decided recommendation"))}
}

func judgeQuery(r QueryReading) verdict {
	if r.Rows == 0 {
		return verdict{Unknown, "", "ms", "The cache holds no bin of this tenant, so there is nothing whose reading could be timed."}
	}
	return verdict{
		byAge(r.Took, QueryDegradedFrom, QueryUnhealthyFrom), milliseconds(r.Took), "ms",
		fmt.Sprintf("%s of the cache took %s.", plural(r.Rows, "row"), words(r.Took)),
	}
}

func judgeScheduler(r SchedulerReading) verdict {
	newest, failing, known := JobRun{}, JobRun{}, r.CronJob
	for _, run := range r.Runs {
		known = true
		if run.LastSuccess.After(newest.LastSuccess) {
			newest = run
		}
		if run.LastFailure.After(failing.LastFailure) {
			failing = run
		}
	}
	cron := cronWords(r)
	if !known {
		return verdict{Warning, "", "s", "Nothing reconciles the cache on a schedule: Gatehouse's scheduler has never run, and " + cron}
	}
	// A success that Gatehouse's scheduler did not write down is pg_cron's, or somebody's by hand.
	if r.CronJob && r.LastRefresh.After(newest.LastSuccess) {
		newest = JobRun{Scheduler: "pg_cron", LastSuccess: r.LastRefresh}
	}
	if newest.LastSuccess.IsZero() {
		return verdict{Degraded, "", "s", "A scheduler is there, but no reconciliation has succeeded yet" + because(failing.LastError) + "."}
	}
	age := r.Now.Sub(newest.LastSuccess)
	if age < 0 {
		return verdict{Unknown, "", "s", fmt.Sprintf("The last success of the scheduler lies %s in the future by the database's clock.", words(-age))}
	}
	v := verdict{Healthy, seconds(age), "s", fmt.Sprintf("%s reconciled %s ago, %s; %s", schedulerName(newest.Scheduler), words(age), putRight(r.PutRight), cron)}
	switch {
	case age >= SchedulerLateFrom:
		v.level = Degraded
		v.message = fmt.Sprintf("The last successful reconciliation, by %s, was %s ago%s.", schedulerName(newest.Scheduler), words(age), because(failing.LastError))
	case failing.LastFailure.After(newest.LastSuccess):
		v.level = Warning
		v.message = fmt.Sprintf("The last reconciliation failed%s; %s succeeded %s ago.", because(failing.LastError), schedulerName(newest.Scheduler), words(age))
	}
	return v
}

func cronWords(r SchedulerReading) string {
	switch {
	case r.CronJob:
		return "pg_cron has a job for it."
	case !r.CronInstalled:
		return "pg_cron is not installed."
	case !r.CronReadable:
		return "pg_cron is installed, but this role may not read its jobs."
	}
	return "pg_cron is installed but has no active job for it."
}

func schedulerName(s string) string {
	if s == "pg_cron" {
		return "pg_cron"
	}
	return "Gatehouse's scheduler"
}

func because(err string) string {
	if err == "" {
		return ""
	}
	return " (" + err + ")"
}

func judgeEndpoint(r EndpointReading) verdict {
	v := verdict{Healthy, milliseconds(r.Took), "ms", fmt.Sprintf("A real query was answered in %s.", words(r.Took))}
	if r.NotDeployed {
		v.message = fmt.Sprintf("The endpoint answered in %s; the data it was asked for wait for a migration.", words(r.Took))
	}
	return v
}

func judgeFailures(unresolved int) verdict {
	v := verdict{Healthy, strconv.Itoa(unresolved), "", "No unresolved capacity failure in the last 24 hours."}
	switch {
	case unresolved < 0:
		return verdict{Unknown, "", "", "The number of capacity failures could not be read."}
	case unresolved >= FailuresCriticalFrom:
		v.level = Unhealthy
	case unresolved > 0:
		v.level = Warning
	}
	if unresolved > 0 {
		v.message = fmt.Sprintf("%s of the last 24 hours unresolved.", counted(unresolved, "capacity failure"))
	}
	return v
}

// judgeStatistics warns at the first critical outlier; the alert above five is another rule.
func judgeStatistics(r StatisticsReading) verdict {
	v := verdict{Healthy, strconv.Itoa(r.Measurements), "", fmt.Sprintf("%s in 7 days, no critical outlier pending.", counted(r.Measurements, "measurement"))}
	if r.CriticalPending > 0 {
		v.level = Warning
		v.message = fmt.Sprintf("%s in 7 days, and %s pending.", counted(r.Measurements, "measurement"), counted(r.CriticalPending, "SEVERE or EXTREME outlier"))
	}
	if r.Measurements == 0 {
		v.level = Warning
		v.message = "Nothing was measured in 7 days"
		if r.CriticalPending > 0 {
			v.message += fmt.Sprintf(", and %s pending", counted(r.CriticalPending, "SEVERE or EXTREME outlier"))
		}
		v.message += "."
	}
	return v
}

func byAge(age, degradedFrom, unhealthyFrom time.Duration) Level {
	switch {
	case age >= unhealthyFrom:
		return Unhealthy
	case age >= degradedFrom:
		return Degraded
	}
	return Healthy
}

// milliseconds is a duration as exact text; of what is short, a tenth still says something.
func milliseconds(d time.Duration) string {
	if d < 10*time.Millisecond {
		tenths := d.Microseconds() / 100
		return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
	}
	return strconv.FormatInt(d.Milliseconds(), 10)
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

func putRight(bins int) string {
	if bins == 0 {
		return "no bin had to be put right"
	}
	return plural(bins, "bin") + " had to be put right"
}

// counted says so where counting stopped.
func counted(n int, thing string) string {
	if n >= CountedAtMost {
		return fmt.Sprintf("%d or more %ss", n, thing)
	}
	return plural(n, thing)
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
