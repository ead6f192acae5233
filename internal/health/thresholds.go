package health

import (
	"fmt"
	"time"
)

// The thresholds, all of them. An age or a duration is in the better band only below its limit; an accuracy only above
// it. So 900 s is degraded, 1800 s unhealthy, 80 % degraded and 70 % unhealthy.
const (
	CacheDegradedFrom  = 15 * time.Minute
	CacheUnhealthyFrom = 30 * time.Minute

	AccuracyHealthyAbove  = 80 // percent
	AccuracyDegradedAbove = 70 // percent
	AccuracyWindow        = 7 * 24 * time.Hour
	AccuracyNeeds         = 10 // decided recommendations

	QueryDegradedFrom  = 100 * time.Millisecond
	QueryUnhealthyFrom = 500 * time.Millisecond

	FailuresWindow       = 24 * time.Hour
	FailuresCriticalFrom = 5 // one to four are a warning

	StatisticsWindow = 7 * 24 * time.Hour

	// SchedulerLateFrom is three turns of the reconciliation, which is due every five minutes.
	SchedulerLateFrom = 15 * time.Minute

	// ClockSkewLimit is how far this server's clock and the database's may be apart.
	ClockSkewLimit = 30 * time.Second

	// CheckDeadline is what one check may take before it is given up.
	CheckDeadline = 2 * time.Second
	// RunsLateFrom is the age from which stored results no longer stand for now; a run is due every minute.
	RunsLateFrom = 5 * time.Minute
	// Retention is how long results are kept.
	Retention = 48 * time.Hour
)

type description struct{ title, threshold, query string }

var described = map[Check]description{
	Database: {
		title: "Database connection",
		threshold: fmt.Sprintf("healthy when the database answers within %s; unhealthy when it does not; "+
			"a warning when its clock and this server's are more than %s apart", words(CheckDeadline), words(ClockSkewLimit)),
		query: "SELECT clock_timestamp()",
	},
	CacheFreshness: {
		title: "Cache freshness",
		threshold: fmt.Sprintf("healthy under %s, degraded from %s, unhealthy from %s since the last reconciliation; unknown while the cache is empty",
			words(CacheDegradedFrom), words(CacheDegradedFrom), words(CacheUnhealthyFrom)),
		query: "SELECT last_refresh_at FROM cache_refresh_status WHERE cache_name = 'bin_utilization_cache'",
	},
	MLAccuracy: {
		title: "ML accuracy",
		threshold: fmt.Sprintf("healthy above %d %%, degraded above %d %%, else unhealthy, over the decisions of 7 days; unknown under %d decisions",
			AccuracyHealthyAbove, AccuracyDegradedAbove, AccuracyNeeds),
		query: "SELECT count(*) FILTER (WHERE accepted), count(*) FROM putaway_recommendations WHERE decided_at >= now() - interval '7 days'",
	},
	QueryPerformance: {
		title: "Query performance",
		threshold: fmt.Sprintf("healthy under %s, degraded under %s, unhealthy from %s; unknown while the cache is empty",
			words(QueryDegradedFrom), words(QueryUnhealthyFrom), words(QueryUnhealthyFrom)),
		query: "SELECT location_code, volume_utilization_pct, utilization_status FROM bin_utilization_cache LIMIT 10",
	},
	Scheduler: {
		title: "Scheduler",
		threshold: fmt.Sprintf("healthy when the reconciliation succeeded less than %s ago, by Gatehouse's own scheduler or by pg_cron; "+
			"degraded when it did not; a warning when there is neither", words(SchedulerLateFrom)),
		query: "SELECT scheduler, last_success_at, last_error FROM gatehouse.job_runs WHERE job_name = 'reconcile_utilization'",
	},
	GraphQL: {
		title:     "GraphQL endpoint",
		threshold: fmt.Sprintf("healthy when a real query is answered within %s; unhealthy when it is not", words(CheckDeadline)),
		query:     "POST /graphql: query HealthCheck { getDataQualityMetrics { facilityId facilityName } }",
	},
	DataQuality: {
		title: "Data quality",
		threshold: fmt.Sprintf("healthy without unresolved capacity failures of the last 24 hours, a warning for 1 to %d, critical from %d (the whole is then DEGRADED)",
			FailuresCriticalFrom-1, FailuresCriticalFrom),
		query: "SELECT count(*) FROM capacity_validation_failures WHERE NOT resolved AND last_seen_at >= now() - interval '24 hours'",
	},
	Statistics: {
		title:     "Statistics",
		threshold: "a warning when nothing was measured in 7 days, or while SEVERE or EXTREME outliers are PENDING; else healthy",
		query: "SELECT count(*) FROM bin_optimization_statistical_metrics WHERE measurement_timestamp >= now() - interval '7 days'; " +
			"SELECT count(*) FROM bin_optimization_outliers WHERE investigation_status = 'PENDING' AND outlier_severity IN ('SEVERE', 'EXTREME')",
	},
}

// words says a duration as people do, to two units: "9 min 20 s", "3 h", "120 ms".
func words(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + words(-d)
	case d < time.Millisecond:
		return "less than 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return two(int(d.Minutes()), "min", int(d.Seconds())%60, "s")
	case d < 48*time.Hour:
		return two(int(d.Hours()), "h", int(d.Minutes())%60, "min")
	}
	return two(int(d.Hours())/24, "days", int(d.Hours())%24, "h")
}

func two(a int, aUnit string, b int, bUnit string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, aUnit)
	}
	return fmt.Sprintf("%d %s %d %s", a, aUnit, b, bUnit)
}
