package health

import (
	"time"

	"github.com/google/uuid"
)

// Check names one of the eight checks.
type Check string

// The checks, in the order in which they are shown.
const (
	Database         Check = "database_connection"
	CacheFreshness   Check = "cache_freshness"
	MLAccuracy       Check = "ml_accuracy"
	QueryPerformance Check = "query_performance"
	Scheduler        Check = "scheduler"
	GraphQL          Check = "graphql_endpoint"
	DataQuality      Check = "data_quality"
	Statistics       Check = "statistics"
)

// Checks are all eight in order.
var Checks = []Check{Database, CacheFreshness, MLAccuracy, QueryPerformance, Scheduler, GraphQL, DataQuality, Statistics}

// Result is what one check found at one moment.
type Result struct {
	Check Check
	Level Level
	// Value is the measured figure as exact decimal text, in Unit; empty where nothing could be read.
	Value, Unit string
	Message     string
	Took        time.Duration
	CheckedAt   time.Time
}

// Title is the check as people say it.
func (c Check) Title() string { return described[c].title }

// Threshold is the rule in one sentence.
func (c Check) Threshold() string { return described[c].threshold }

// Query is what the check asks, for whoever wants to ask it by hand.
func (c Check) Query() string { return described[c].query }

// Known says whether there is such a check.
func (c Check) Known() bool { _, ok := described[c]; return ok }

// Critical says whether the result belongs on the list of critical issues.
func (r Result) Critical() bool { return r.Level == Unhealthy }

// Report is the state of one tenant's bin optimization: the eight results of one run.
type Report struct {
	Run     uuid.UUID
	Results []Result
	// CheckedAt is when the run ended; zero where there was none.
	CheckedAt time.Time
	// Late is set where the newest run is older than it should be: its results no longer say how things are now.
	Late string
	// NotStored is set where the run's results could not be written down.
	NotStored string
}

// Level is the whole in one level: the worst result, and unknown where the results are too old to go by.
func (r Report) Level() Level {
	level := Overall(r.Results)
	if r.Late != "" {
		return worst(level, Unknown)
	}
	return level
}

// Status is the whole in the requirement's words.
func (r Report) Status() Status { return r.Level().Status() }

// Critical are the messages of the checks that are unhealthy.
func (r Report) Critical() []string {
	return r.messages(func(l Level) bool { return l == Unhealthy })
}

// Warnings are the messages of everything else that is not healthy, late results included.
func (r Report) Warnings() []string {
	var all []string
	if r.Late != "" {
		all = append(all, r.Late)
	}
	all = append(all, r.messages(func(l Level) bool { return l != Unhealthy && l != Healthy && l != NotDeployed })...)
	if r.NotStored != "" {
		all = append(all, r.NotStored)
	}
	return all
}

// NotDeployed are the checks whose tables a pending migration has yet to bring.
func (r Report) NotDeployed() []string {
	return r.messages(func(l Level) bool { return l == NotDeployed })
}

func (r Report) messages(which func(Level) bool) []string {
	var list []string
	for _, one := range r.Results {
		if which(one.Level) {
			list = append(list, one.Check.Title()+": "+one.Message)
		}
	}
	return list
}

// Sentence is the state in one sentence, worst first.
func (r Report) Sentence() string {
	if len(r.Results) == 0 {
		return "No health check has run yet, so nothing is known."
	}
	if r.Late != "" {
		return r.Late
	}
	level := r.Level()
	for _, one := range r.Results {
		if one.Level == level || level == Degraded && one.Check == DataQuality && one.Level == Unhealthy {
			if level == Healthy {
				break
			}
			return one.Check.Title() + ": " + one.Message
		}
	}
	if missing := r.NotDeployed(); len(missing) > 0 {
		return "What is deployed is healthy. " + missing[0]
	}
	return "All eight checks are healthy."
}
