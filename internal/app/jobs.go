package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/internal/crossdock"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/internal/inbox"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/quality"
	"github.com/agogsaas/gatehouse/internal/setup"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/internal/snapshot"
)

// How often the scheduler does what.
const (
	reconcileEvery = 5 * time.Minute
	healthEvery    = time.Minute
	walkAuditEvery = time.Hour
	sealAuditEvery = 15 * time.Minute
	summariesEvery = time.Hour
	sweepEvery     = 10 * time.Minute
	expireEvery    = time.Minute
	pruneEvery     = 6 * time.Hour
	remindEvery    = 30 * time.Second
	planEvery      = 5 * time.Minute
	capacityEvery  = time.Minute
	dockEvery      = time.Minute
	// A snapshot is due at a minute; the one right before T-0 has no more than that minute.
	snapshotEvery = 15 * time.Second
)

// migrations have a queue of their own with one worker: a long reconciliation never stands before them.
const migrationQueue = "migrations"

type migrationRunArgs struct {
	Run    uuid.UUID `json:"run"`
	Tenant uuid.UUID `json:"tenant"`
}

func (migrationRunArgs) Kind() string { return migration.JobKind }

// InsertOpts: one attempt. A migration is never tried again by itself.
func (migrationRunArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: migrationQueue, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

type reconcileArgs struct{}

func (reconcileArgs) Kind() string { return health.ReconcileJob }

type healthRunArgs struct{}

func (healthRunArgs) Kind() string { return "health_run" }

type walkAuditArgs struct{}

func (walkAuditArgs) Kind() string { return "walk_audit" }

type sealAuditArgs struct{}

func (sealAuditArgs) Kind() string { return "seal_audit" }

type summariesArgs struct{}

func (summariesArgs) Kind() string { return "refresh_summaries" }

type qualityArgs struct{}

func (qualityArgs) Kind() string { return "quality_figures" }

type sweepArgs struct{}

func (sweepArgs) Kind() string { return "sweep" }

type expireGatesArgs struct{}

func (expireGatesArgs) Kind() string { return "expire_gates" }

type pruneArgs struct{}

func (pruneArgs) Kind() string { return "prune_backups" }

type remindArgs struct{}

func (remindArgs) Kind() string { return "remind" }

type planArgs struct{}

func (planArgs) Kind() string { return "plan_measuring" }

type snapshotArgs struct{}

func (snapshotArgs) Kind() string { return "snapshots" }

type walkCapacityArgs struct{}

func (walkCapacityArgs) Kind() string { return "walk_capacity" }

type settleDockArgs struct{}

func (settleDockArgs) Kind() string { return "settle_dock" }

// jobs are the works of the scheduler, each a function of ours.
type jobs struct {
	db      *postgres.DB
	trail   postgres.Audit
	health  *health.Service
	quality *quality.Service
	gates   *signoff.Service
	worker  *migration.Worker
	// measuring keeps the work list of what is to be measured.
	measuring *dimension.Service
	imports   *dimension.Imports
	copies    *operation.Worker
	// backups whose files are older than keep go by themselves; zero keeps them for ever.
	backups *backup.Service
	keep    time.Duration
	inbox   *inbox.Service
	hours   *snapshot.Service
	// capacity walks through the warehouse's transactions.
	capacity *capacity.Service
	// dock finds places for what stands at the dock without one.
	dock *crossdock.Service
	log  *slog.Logger
}

// client builds the job client. Periodic jobs are inserted by one elected process and worked by any, each at most once
// at a time.
func (j jobs) client() (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &migrationWorker{worker: j.worker})
	river.AddWorker(workers, &operationWorker{worker: j.copies})
	river.AddWorker(workers, &importWorker{imports: j.imports})
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[silentImportsArgs]) error { return j.silentImports(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[reconcileArgs]) error { return j.reconcile(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[healthRunArgs]) error {
		return j.eachTenant(ctx, "health checks", func(ctx context.Context, by actor.Actor) error {
			_, err := j.health.Run(ctx, by)
			return err
		})
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[walkAuditArgs]) error { return j.walkAudit(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[sealAuditArgs]) error { return j.sealAudit(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[sweepArgs]) error {
		return postgres.Sessions{DB: j.db}.Sweep(ctx)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[expireGatesArgs]) error {
		return j.eachTenant(ctx, "writing down gates whose time is over", func(ctx context.Context, by actor.Actor) error {
			_, err := j.gates.Expire(ctx, by)
			return err
		})
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[summariesArgs]) error { return j.summaries(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[qualityArgs]) error {
		return j.eachTenant(ctx, "computing the figures of data quality", j.quality.Compute)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[pruneArgs]) error { return j.pruneBackups(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[remindArgs]) error {
		return j.eachTenant(ctx, "writing reminders", func(ctx context.Context, by actor.Actor) error {
			_, err := j.inbox.Remind(ctx, by)
			return err
		})
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[planArgs]) error {
		return j.eachTenant(ctx, "planning what to measure", func(ctx context.Context, by actor.Actor) error {
			_, _, err := j.measuring.Plan(ctx, by)
			return err
		})
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[snapshotArgs]) error { return j.snapshots(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[walkCapacityArgs]) error { return j.walkCapacity(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[settleDockArgs]) error { return j.settleDock(ctx) }))
	periodic := []*river.PeriodicJob{
		every(reconcileEvery, reconcileArgs{}), every(healthEvery, healthRunArgs{}),
		every(walkAuditEvery, walkAuditArgs{}), every(sweepEvery, sweepArgs{}), every(summariesEvery, summariesArgs{}), every(quality.Every, qualityArgs{}),
		every(remindEvery, remindArgs{}), every(planEvery, planArgs{}), every(capacityEvery, walkCapacityArgs{}), every(dockEvery, settleDockArgs{}),
		every(expireEvery, expireGatesArgs{}), every(silentEvery, silentImportsArgs{}),
		every(snapshotEvery, snapshotArgs{}),
	}
	if j.keep > 0 {
		periodic = append(periodic, every(pruneEvery, pruneArgs{}))
	}
	if j.trail.Keys.Own() != nil {
		periodic = append(periodic, every(sealAuditEvery, sealAuditArgs{}))
	}
	client, err := river.NewClient(riverpgxv5.New(j.db.Pool()), &river.Config{
		Schema: setup.JobSchema, Workers: workers, Logger: j.log, MaxAttempts: 3,
		Queues:       map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4}, migrationQueue: {MaxWorkers: 1}, operationQueue: {MaxWorkers: 1}, importQueue: {MaxWorkers: 1}},
		PeriodicJobs: periodic,
		// The application owns no index and may not rebuild one.
		ReindexerIndexNames: []string{},
	})
	if err != nil {
		return nil, fmt.Errorf("building the job client: %w", err)
	}
	return client, nil
}

// every makes a job that is due at the start and then once per interval.
func every(interval time.Duration, args river.JobArgs) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(interval), func() (river.JobArgs, *river.InsertOpts) {
		return args, once()
	}, &river.PeriodicJobOpts{RunOnStart: true})
}

// once is for a job of which no second is added while one waits or works.
func once() *river.InsertOpts {
	return &river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
}

func (j jobs) reconcile(ctx context.Context) error {
	r, err := postgres.Health{DB: j.db}.Reconcile(ctx, "river")
	if err != nil {
		return fmt.Errorf("reconciling bin utilization: %w", err)
	}
	if r.Outcome == "FAILURE" {
		j.log.WarnContext(ctx, "bin utilization could not be reconciled", "why", r.Error)
	}
	if r.PutRight > 0 {
		j.log.WarnContext(ctx, "reconciliation had to put bins right", "checked", r.Checked, "put_right", r.PutRight)
	}
	return nil
}

// summaries recomputes the two summaries that are older than their interval.
func (j jobs) summaries(ctx context.Context) error {
	failed, err := postgres.Quality{DB: j.db}.RefreshSummaries(ctx, summariesEvery)
	if len(failed) > 0 {
		j.log.WarnContext(ctx, "summaries could not be refreshed", "summaries", failed)
	}
	return err
}

func (j jobs) walkAudit(ctx context.Context) error {
	walk := func(ctx context.Context, by actor.Actor) error {
		if by.Tenant != uuid.Nil {
			if alarm, err := j.trail.Notice(ctx, by); err != nil || alarm != "" {
				j.log.ErrorContext(ctx, "the audit trail is older than its published head", "tenant", by.TenantCode, "alarm", alarm, "error", err)
			}
		}
		check, err := j.trail.Verify(ctx, by)
		if err == nil && !check.Whole() {
			j.log.ErrorContext(ctx, "the audit chain does not hold", "tenant", by.TenantCode, "break", check.Break)
		}
		if err == nil && check.Whole() {
			// A log that is collected elsewhere is one more keeper of the head.
			j.log.InfoContext(ctx, "the audit chain is whole", "tenant", by.TenantCode, "seq", check.Seq, "head", hex.EncodeToString(check.Head))
		}
		if check.HeadsBegin {
			j.log.WarnContext(ctx, "no head of this audit chain had been published before; if some had, the file of GATEHOUSE_AUDIT_HEADS was emptied or exchanged",
				"tenant", by.TenantCode, "seq", check.Seq)
		}
		return err
	}
	return errors.Join(walk(ctx, actor.System(actor.Worker, "scheduler")), j.eachTenant(ctx, "walking the audit chain", walk))
}

// sealAudit seals what the trails have grown by since the last seal.
func (j jobs) sealAudit(ctx context.Context) error {
	seal := func(ctx context.Context, by actor.Actor) error {
		check, err := j.trail.Seal(ctx, by)
		if err == nil && !check.Whole() {
			j.log.ErrorContext(ctx, "the audit chain does not hold, and was not sealed", "tenant", by.TenantCode, "break", check.Break)
		}
		return err
	}
	return errors.Join(seal(ctx, actor.System(actor.Worker, "scheduler")), j.eachTenant(ctx, "sealing the audit chain", seal))
}

// pruneBackups removes the files of old backups, by the rules of `gatehouse backup prune`. The scheduler may do that for the
// tenant that operates the environment, and each removal stands in its audit trail.
func (j jobs) pruneBackups(ctx context.Context) error {
	return j.eachTenant(ctx, "removing the files of old backups", func(ctx context.Context, by actor.Actor) error {
		if !by.Operator {
			return nil
		}
		by.Rights = []actor.Right{actor.MigrationApply}
		removed, err := j.backups.Prune(ctx, by, j.keep)
		if len(removed) > 0 {
			j.log.InfoContext(ctx, "files of old backups were removed", "files", len(removed))
		}
		return err
	})
}

// snapshots takes what is due of the releases, and writes down what was missed.
func (j jobs) snapshots(ctx context.Context) error {
	return j.eachTenant(ctx, "taking snapshots", func(ctx context.Context, by actor.Actor) error {
		taken, missed, err := j.hours.Turn(ctx, by)
		if taken > 0 {
			j.log.InfoContext(ctx, "snapshots of a release were taken", "tenant", by.TenantCode, "snapshots", taken)
		}
		if missed > 0 {
			j.log.WarnContext(ctx, "snapshots of a release were missed", "tenant", by.TenantCode, "snapshots", missed)
		}
		return err
	})
}

// walkCapacity looks for what does not fit among the transactions that came since.
func (j jobs) walkCapacity(ctx context.Context) error {
	return j.eachTenant(ctx, "looking for what does not fit", func(ctx context.Context, by actor.Actor) error {
		walked, err := j.capacity.Walk(ctx, by)
		if walked.Found+walked.Adopted+walked.Expired > 0 {
			j.log.InfoContext(ctx, "capacity failures were found", "tenant", by.TenantCode, "looked", walked.Looked, "found", walked.Found, "taken_in", walked.Adopted, "opened_again", walked.Expired)
		}
		return err
	})
}

// settleDock looks for places for what waits for one.
func (j jobs) settleDock(ctx context.Context) error {
	return j.eachTenant(ctx, "finding places for what stands at the dock", func(ctx context.Context, by actor.Actor) error {
		settled, err := j.dock.Settle(ctx, by)
		if settled > 0 {
			j.log.InfoContext(ctx, "places were found for what stands at the dock", "tenant", by.TenantCode, "lots", settled)
		}
		return err
	})
}

// eachTenant works for every tenant in turn; one that fails keeps no other from its turn.
func (j jobs) eachTenant(ctx context.Context, what string, work func(context.Context, actor.Actor) error) error {
	tenants, err := j.db.Tenants(ctx)
	if err != nil {
		return fmt.Errorf("%s: listing tenants: %w", what, err)
	}
	var failed []error
	for _, t := range tenants {
		if err := work(ctx, t.Actor(actor.Worker, "scheduler")); err != nil {
			failed = append(failed, fmt.Errorf("%s for %s: %w", what, t.Code, err))
		}
	}
	return errors.Join(failed...)
}

type migrationWorker struct {
	river.WorkerDefaults[migrationRunArgs]
	worker *migration.Worker
}

// Timeout: a migration has the limits of its own plan card.
func (*migrationWorker) Timeout(*river.Job[migrationRunArgs]) time.Duration { return -1 }

// Work takes the step, and then has what the scheduler keeps right looked at at once: a version may just have brought it.
func (w *migrationWorker) Work(ctx context.Context, job *river.Job[migrationRunArgs]) error {
	if err := w.worker.Work(ctx, migration.Ref{Run: job.Args.Run, Tenant: job.Args.Tenant}); err != nil {
		return err
	}
	due := []river.InsertManyParams{{Args: reconcileArgs{}, InsertOpts: once()}, {Args: summariesArgs{}, InsertOpts: once()}, {Args: qualityArgs{}, InsertOpts: once()}}
	if _, err := river.ClientFromContext[pgx.Tx](ctx).InsertMany(ctx, due); err != nil {
		return fmt.Errorf("ordering a reconciliation after a migration: %w", err)
	}
	return nil
}
