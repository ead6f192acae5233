package app

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/dimension"
)

const (
	// importQueue has one worker: a file of a hundred thousand lines never stands before a reminder.
	importQueue = "imports"
	silentEvery = time.Minute
)

type importArgs struct {
	Import uuid.UUID `json:"import"`
	Tenant uuid.UUID `json:"tenant"`
}

func (importArgs) Kind() string { return "measurement_import" }

// InsertOpts: one attempt, and a second job of the same file does no harm. What falls silent is taken up by silentImports.
func (importArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: importQueue, MaxAttempts: 1}
}

type silentImportsArgs struct{}

func (silentImportsArgs) Kind() string { return "silent_imports" }

type importWorker struct {
	river.WorkerDefaults[importArgs]
	imports *dimension.Imports
}

// Timeout: a file takes as long as it has lines.
func (*importWorker) Timeout(*river.Job[importArgs]) time.Duration { return -1 }

func (w *importWorker) Work(ctx context.Context, job *river.Job[importArgs]) error {
	return w.imports.Work(ctx, dimension.ImportRef{Tenant: job.Args.Tenant, ID: job.Args.Import})
}

// importQueueing puts the work on a file into the transaction that asks for it.
type importQueueing struct{ client *river.Client[pgx.Tx] }

// EnqueueImport adds the job; it is seen when the transaction commits.
func (q *importQueueing) EnqueueImport(ctx context.Context, tx pgx.Tx, ref dimension.ImportRef) error {
	_, err := q.client.InsertTx(ctx, tx, importArgs{Import: ref.ID, Tenant: ref.Tenant}, nil)
	return err
}

// silentImports has files taken up again whose program is gone.
func (j jobs) silentImports(ctx context.Context) error {
	return j.eachTenant(ctx, "looking for files of measurements that stand still", func(ctx context.Context, by actor.Actor) error {
		taken, err := j.imports.Silent(ctx, by)
		if taken > 0 {
			j.log.WarnContext(ctx, "files of measurements stood still and are taken up again", "tenant", by.TenantCode, "files", taken)
		}
		return err
	})
}
