package health

// Level is how good one check is.
type Level string

// The levels.
const (
	Healthy     Level = "healthy"
	Warning     Level = "warning"  // healthy, with something to look at
	Degraded    Level = "degraded" // works, but worse than it must
	Unknown     Level = "unknown"  // could not be read, which counts like degraded
	Unhealthy   Level = "unhealthy"
	NotDeployed Level = "not_deployed" // a pending migration has yet to bring it
)

// Status is the answer in the requirement's three words.
type Status string

// The statuses.
const (
	StatusHealthy   Status = "HEALTHY"
	StatusDegraded  Status = "DEGRADED"
	StatusUnhealthy Status = "UNHEALTHY"
)

// weight orders levels from best to worst. Not deployed weighs as a warning: no failure, but nothing to call healthy.
func (l Level) weight() int {
	switch l {
	case Healthy:
		return 0
	case Warning, NotDeployed:
		return 1
	case Degraded, Unknown:
		return 2
	case Unhealthy:
		return 3
	}
	return 2 // a level nobody knows is not a good one
}

// Status is the level in the requirement's words: warnings are HEALTHY, unknown is DEGRADED.
func (l Level) Status() Status {
	switch l.weight() {
	case 0, 1:
		return StatusHealthy
	case 2:
		return StatusDegraded
	}
	return StatusUnhealthy
}

// ExitCode is what the program `gatehouse health` ends with.
func (s Status) ExitCode() int {
	switch s {
	case StatusHealthy:
		return 0
	case StatusUnhealthy:
		return 2
	case StatusDegraded:
	}
	return 1
}

// worst gives the worse of two levels; among equals degraded is said before unknown, and a warning before not deployed.
func worst(a, b Level) Level {
	if b.weight() > a.weight() || b.weight() == a.weight() && (b == Degraded || b == Warning) {
		return b
	}
	return a
}

// Overall aggregates: the worst wins. One exception is the requirement's own (C-01): five or more unresolved capacity
// failures are shown as critical but leave the whole DEGRADED, because nothing is down. No result at all is unknown.
func Overall(results []Result) Level {
	if len(results) == 0 {
		return Unknown
	}
	overall := Healthy
	for _, r := range results {
		level := r.Level
		if r.Check == DataQuality && level == Unhealthy {
			level = Degraded
		}
		overall = worst(overall, level)
	}
	if overall == NotDeployed {
		return Warning
	}
	return overall
}
