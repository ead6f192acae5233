package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/health"
)

// reading runs one statement of a check in one round trip. Where its table is not there, a second one finds out whether
// the migration that brings it counts as applied.
func (h Health) reading(ctx context.Context, by actor.Actor, object, version string, fill func(b *pgx.Batch)) error {
	return h.unread(ctx, by, object, version, h.DB.page(ctx, by, fill))
}

// unread says why an object could not be read.
func (h Health) unread(ctx context.Context, by actor.Actor, object, version string, err error) error {
	switch {
	case missingTable(err):
		object, version = named(err, object, version)
		applied, lookErr := h.DB.countsAsApplied(ctx, by, version)
		if lookErr != nil {
			return lookErr
		}
		return &health.Missing{Object: object, Version: version, Applied: applied}
	case sqlState(err) == "42501":
		return &health.Plain{Text: "the application's database role may not read " + object + "."}
	}
	return err
}

// readElsewhere are objects that a reading of another one looks at as well, with the version that brings them.
var readElsewhere = map[string]string{"bin_utilization_cache": "0.0.16", "bin_optimization_outliers": "0.0.22"}

// named is the object that the database misses, where it is another than the reading's own. Its text may be in any
// language; the name stands in it as it is.
func named(err error, object, version string) (missing, broughtBy string) {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && !strings.Contains(pg.Message, object) {
		for other, by := range readElsewhere {
			if strings.Contains(pg.Message, other) {
				return other, by
			}
		}
	}
	return object, version
}

// countsAsApplied says whether a version of the warehouse's schema is recorded as applied: "0.0.20".
func (db *DB) countsAsApplied(ctx context.Context, by actor.Actor, version string) (bool, error) {
	var applied bool
	err := db.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("MigrationCountsAsApplied"), pgx.StrictNamedArgs{"version": version}).
			QueryRow(func(row pgx.Row) error { return row.Scan(&applied) })
	})
	return applied, err
}

// Clock asks the database for its time.
func (h Health) Clock(ctx context.Context, by actor.Actor) (time.Time, error) {
	var now time.Time
	err := h.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("HealthClock")).QueryRow(func(row pgx.Row) error { return row.Scan(&now) })
	})
	return now, err
}

// Cache reads how fresh the cache is.
func (h Health) Cache(ctx context.Context, by actor.Actor) (health.CacheReading, error) {
	var row struct {
		Now           time.Time
		Empty         bool
		LastRefreshAt *time.Time
		DirtySince    *time.Time
		PutRight      int
	}
	err := h.reading(ctx, by, "cache_refresh_status", "0.0.18", func(b *pgx.Batch) {
		b.Queue(sql("HealthCache")).Query(collectOne(&row))
	})
	return health.CacheReading{
		Now: row.Now, Empty: row.Empty, LastRefresh: orZero(row.LastRefreshAt), DirtySince: orZero(row.DirtySince), PutRight: row.PutRight,
	}, err
}

// Decisions counts what people decided within the window.
func (h Health) Decisions(ctx context.Context, by actor.Actor, window time.Duration) (health.DecisionReading, error) {
	var row struct{ Accepted, Decided int }
	err := h.reading(ctx, by, "putaway_recommendations", "0.0.15", func(b *pgx.Batch) {
		b.Queue(sql("HealthDecisions"), pgx.StrictNamedArgs{"seconds": window.Seconds()}).Query(collectOne(&row))
	})
	return health.DecisionReading{Accepted: row.Accepted, Decided: row.Decided}, err
}

// TimedQuery measures the statement and its way there and back, on a connection that is open and has it prepared:
// what connecting costs is the pool's affair, and happens once in a connection's life.
func (h Health) TimedQuery(ctx context.Context, by actor.Actor) (health.QueryReading, error) {
	var r health.QueryReading
	err := h.DB.view(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Prepare(ctx, "HealthTimedQuery", sql("HealthTimedQuery")); err != nil {
			return err
		}
		started := time.Now()
		tag, err := tx.Exec(ctx, "HealthTimedQuery")
		r.Took, r.Rows = time.Since(started), int(tag.RowsAffected())
		return err
	})
	return r, h.unread(ctx, by, "bin_utilization_cache", "0.0.16", err)
}

// Schedulers reads who reconciles the cache.
func (h Health) Schedulers(ctx context.Context, by actor.Actor) (health.SchedulerReading, error) {
	var status struct {
		Now           time.Time
		LastRefreshAt *time.Time
		PutRight      int
	}
	var runs []struct {
		Scheduler     string
		LastSuccessAt *time.Time
		LastFailureAt *time.Time
		LastError     string
	}
	var cron struct{ Installed, Readable, Job bool }
	err := h.reading(ctx, by, "cache_refresh_status", "0.0.18", func(b *pgx.Batch) {
		b.Queue(sql("HealthScheduler")).Query(collectOne(&status))
		b.Queue(sql("HealthJobRuns"), pgx.StrictNamedArgs{"job": health.ReconcileJob}).Query(collect(&runs))
		b.Queue(sql("HealthCron")).Query(collectOne(&cron))
	})
	r := health.SchedulerReading{
		Now: status.Now, LastRefresh: orZero(status.LastRefreshAt), PutRight: status.PutRight,
		CronInstalled: cron.Installed, CronReadable: cron.Readable, CronJob: cron.Job,
	}
	for _, run := range runs {
		r.Runs = append(r.Runs, health.JobRun{
			Scheduler: run.Scheduler, LastSuccess: orZero(run.LastSuccessAt), LastFailure: orZero(run.LastFailureAt), LastError: run.LastError,
		})
	}
	return r, err
}

// UnresolvedFailures counts capacity failures that nobody has resolved.
func (h Health) UnresolvedFailures(ctx context.Context, by actor.Actor, window time.Duration) (int, error) {
	n := -1
	err := h.reading(ctx, by, "capacity_validation_failures", "0.0.20", func(b *pgx.Batch) {
		b.Queue(sql("HealthFailures"), pgx.StrictNamedArgs{"seconds": window.Seconds(), "most": health.CountedAtMost}).
			QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
	})
	return n, err
}

// Statistics counts measurements within the window, and critical outliers that wait.
func (h Health) Statistics(ctx context.Context, by actor.Actor, window time.Duration) (health.StatisticsReading, error) {
	var row struct{ Measurements, CriticalPending int }
	err := h.reading(ctx, by, "bin_optimization_statistical_metrics", "0.0.22", func(b *pgx.Batch) {
		b.Queue(sql("HealthStatistics"), pgx.StrictNamedArgs{"seconds": window.Seconds(), "most": health.CountedAtMost}).Query(collectOne(&row))
	})
	return health.StatisticsReading{Measurements: row.Measurements, CriticalPending: row.CriticalPending}, err
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// ConsoleSchema tells the version of Gatehouse's own schema; NotFound where it is not there.
func (h Health) ConsoleSchema(ctx context.Context) (version int64, dirty bool, err error) {
	err = h.DB.page(ctx, actor.System(actor.Worker, "readiness"), func(b *pgx.Batch) {
		b.Queue(sql("ConsoleSchema")).QueryRow(func(row pgx.Row) error { return row.Scan(&version, &dirty) })
	})
	if missingTable(err) {
		return 0, false, fault.New(fault.NotFound, "Gatehouse's own tables are not there.").Because(err)
	}
	return version, dirty, err
}
