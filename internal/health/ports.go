package health

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// Warehouse reads what the checks judge, each in one cheap question to the actor's tenant. A table that is not there is
// reported as *Missing.
type Warehouse interface {
	// Clock asks the database for nothing but its time.
	Clock(ctx context.Context, by actor.Actor) (time.Time, error)
	Cache(ctx context.Context, by actor.Actor) (CacheReading, error)
	// Decisions counts what people decided about recommendations within the window.
	Decisions(ctx context.Context, by actor.Actor, window time.Duration) (DecisionReading, error)
	// TimedQuery is how long ten rows of the cache take, on a connection that is open already.
	TimedQuery(ctx context.Context, by actor.Actor) (QueryReading, error)
	Schedulers(ctx context.Context, by actor.Actor) (SchedulerReading, error)
	// UnresolvedFailures counts capacity failures of the window that nobody has resolved, up to CountedAtMost.
	UnresolvedFailures(ctx context.Context, by actor.Actor, window time.Duration) (int, error)
	// Statistics counts each of its figures up to CountedAtMost.
	Statistics(ctx context.Context, by actor.Actor, window time.Duration) (StatisticsReading, error)
}

// CountedAtMost is where counting stops, so that a check stays cheap however much there is to count.
const CountedAtMost = 1000

// Endpoint asks a real question of the real GraphQL endpoint.
type Endpoint interface {
	Ask(ctx context.Context, by actor.Actor) (EndpointReading, error)
}

// Store keeps results.
type Store interface {
	// Keep writes the results of one run, forgets those that are older than keep, and records the act for a person.
	Keep(ctx context.Context, by actor.Actor, r Report, keep time.Duration) error
	// Latest gives the newest run of the tenant; a Report without results where there is none.
	Latest(ctx context.Context, by actor.Actor) (Report, error)
}

// CacheReading is the state of bin_utilization_cache, all times by the database's clock.
type CacheReading struct {
	Now         time.Time
	Empty       bool      // no bin of this tenant is in it
	LastRefresh time.Time // zero where no reconciliation has ever succeeded
	DirtySince  time.Time // zero where it is not known to be wrong
	PutRight    int       // bins that the last reconciliation had to correct
}

// DecisionReading counts decided recommendations.
type DecisionReading struct{ Accepted, Decided int }

// QueryReading is how long rows of the cache took, and how many there were.
type QueryReading struct {
	Took time.Duration
	Rows int
}

// JobRun is what one scheduler has done about the reconciliation.
type JobRun struct {
	Scheduler   string // "river" or "pg_cron"
	LastSuccess time.Time
	LastFailure time.Time
	LastError   string
}

// SchedulerReading is who reconciles the cache, and with what success.
type SchedulerReading struct {
	Now  time.Time
	Runs []JobRun
	// CronInstalled, CronReadable and CronJob tell pg_cron: the extension is there, this role may look, a job is active.
	CronInstalled, CronReadable, CronJob bool
	// LastRefresh is the last success by whomever, as the reconciliation itself recorded it.
	LastRefresh time.Time
	PutRight    int
}

// StatisticsReading counts measurements and open outliers.
type StatisticsReading struct{ Measurements, CriticalPending int }

// EndpointReading is what the GraphQL endpoint answered.
type EndpointReading struct {
	Took time.Duration
	// NotDeployed says that it answered, but that its data wait for a migration.
	NotDeployed bool
}

// Missing is the error of a reading whose table is not there.
type Missing struct {
	Object  string // "capacity_validation_failures"
	Version string // the migration that brings it: "0.0.20"
	Applied bool   // that migration counts as applied all the same
}

func (m *Missing) Error() string {
	if m.Applied {
		return fmt.Sprintf("%s is missing although migration V%s counts as applied", m.Object, m.Version)
	}
	return fmt.Sprintf("%s comes with migration V%s, which is not applied yet", m.Object, m.Version)
}

// Unasked is the error of an endpoint check that could not even be tried, or was refused at the door: it says nothing
// about the endpoint's health.
type Unasked struct{ Why string }

func (u *Unasked) Error() string { return u.Why }

// newRunID makes run ids that sort by time.
func newRunID() (uuid.UUID, error) { return uuid.NewV7() }
