package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/pgdump"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/restore"
)

// operationQueue has one worker: a backup and a rehearsal never run side by side, and neither stands before a migration.
const operationQueue = "operations"

type operationArgs struct {
	Operation uuid.UUID `json:"operation"`
	Tenant    uuid.UUID `json:"tenant"`
}

func (operationArgs) Kind() string { return "operation" }

// InsertOpts: one attempt. A person orders again.
func (operationArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: operationQueue, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

type operationWorker struct {
	river.WorkerDefaults[operationArgs]
	worker *operation.Worker
}

// Timeout: a dump takes as long as the database is large.
func (*operationWorker) Timeout(*river.Job[operationArgs]) time.Duration { return -1 }

func (w *operationWorker) Work(ctx context.Context, job *river.Job[operationArgs]) error {
	return w.worker.Work(ctx, operation.Ref{Tenant: job.Args.Tenant, ID: job.Args.Operation})
}

// operationQueueing puts an operation's job into the transaction that orders it.
type operationQueueing struct{ client *river.Client[pgx.Tx] }

// EnqueueOperation adds the job; it is seen when the transaction commits.
func (q *operationQueueing) EnqueueOperation(ctx context.Context, tx pgx.Tx, ref operation.Ref) error {
	_, err := q.client.InsertTx(ctx, tx, operationArgs{Operation: ref.ID, Tenant: ref.Tenant}, nil)
	return err
}

// works are how each kind of operation is done.
type works struct {
	backups    *backup.Service
	externals  *backup.Externals
	rehearsals migration.Rehearsals
	schema     *migrator.Migrator
	source     pgdump.Source
	place      backup.Place // nil where none is configured
	losses     postgres.Losses
	restores   *restore.Service
	ownerURL   string
}

// NewOperationWorker does what people order on the pages of backups and migrations, and what the command line does itself.
func NewOperationWorker(config Config, backups *backup.Service, db *postgres.DB, schema *migrator.Migrator, log *slog.Logger) (*operation.Worker, error) {
	w := works{
		backups: backups, rehearsals: migration.NewRehearsals(postgres.Rehearsals{DB: db}), schema: schema,
		source: source(config, nil), losses: postgres.Losses{DB: db}, ownerURL: string(config.OwnerDatabaseURL),
		restores: Restores(db, schema, operation.NewService(postgres.Operations{DB: db})),
	}
	var err error
	if w.externals, err = Externals(config, db); err != nil {
		return nil, err
	}
	if config.KeepsBackups() {
		if w.place, _, err = config.backupPlace(); err != nil {
			return nil, err
		}
	}
	ready := func(work operation.Work) operation.Work {
		return func(ctx context.Context, o operation.Operation, say func(string)) (operation.Done, error) {
			if !config.KeepsBackups() {
				return operation.Done{}, fault.New(fault.Invalid, "%s", noBackupPlace)
			}
			return work(ctx, o, say)
		}
	}
	return operation.NewWorker(postgres.Operations{DB: db}, map[operation.Kind]operation.Work{
		operation.Backup: ready(w.backup), operation.Drill: ready(w.drill), operation.Rehearsal: ready(w.rehearse), operation.Sample: w.rehearseSample, operation.External: ready(w.drillExternal),
		operation.Restore: ready(w.restore),
		operation.Losses:  w.saveLosses, operation.Repair: w.repair, operation.Reindex: w.reindex,
	}, log), nil
}

// backup takes one and restores it once.
func (w works) backup(ctx context.Context, o operation.Operation, say func(string)) (operation.Done, error) {
	say("The database is dumped, and its rows are counted in the same snapshot.")
	b, err := w.backups.Create(ctx, o.By)
	if err != nil {
		return operation.Done{}, err
	}
	say(fmt.Sprintf("%s is written: %.1f MB in %s, SHA-256 %s.", b.Name, float64(b.Bytes)/1e6, clock.Duration(b.Took), b.SHA256))
	done, err := w.prove(ctx, o.By, b.ID, say)
	if _, refused := fault.As(err); refused {
		say("The backup was taken. It was not restored.")
	}
	return done, err
}

func (w works) drill(ctx context.Context, o operation.Operation, say func(string)) (operation.Done, error) {
	return w.prove(ctx, o.By, o.Subject, say)
}

func (w works) prove(ctx context.Context, by actor.Actor, id uuid.UUID, say func(string)) (operation.Done, error) {
	say("The file is read again, restored beside the database, and counted.")
	b, check, err := w.backups.Drill(ctx, by, id)
	done := operation.Done{Result: id}
	if err != nil {
		return done, err
	}
	for _, finding := range check.Findings {
		say("Found: " + finding + ".")
	}
	done.Passed, done.Sentence = check.Passed, fmt.Sprintf("%s restores: %d tables hold the rows that were counted when it was taken. It took %s.",
		b.Name, len(b.Manifest.Rows), clock.Duration(check.Took))
	if !check.Passed {
		done.Sentence = fmt.Sprintf("%s does not restore: %s.", b.Name, check.Findings[0])
	}
	return done, nil
}

func (w works) rehearse(ctx context.Context, o operation.Operation, say func(string)) (done operation.Done, err error) {
	say("The backup is restored beside the database.")
	err = w.backups.OnCopy(ctx, o.By, o.Subject, func(ctx context.Context, address string) error {
		kept, err := w.rehearsals.Hold(ctx, o.By, func(ctx context.Context) (migration.RehearsalReport, error) {
			return w.schema.Rehearse(ctx, migrator.RehearseRequest{
				URL: address, Data: migration.RehearsalData{Kind: "backup", Backup: o.Subject}, Facts: postgres.CatalogFacts, Say: say,
			})
		})
		if err == nil {
			done = rehearsed(kept, say)
		}
		return err
	})
	return done, err
}

// rehearsed says what a rehearsal found, and how it ended.
func rehearsed(kept migration.Rehearsal, say func(string)) operation.Done {
	for _, v := range kept.Report.Versions {
		for _, wrong := range v.Wrong() {
			say("Found: " + v.Version + ": " + wrong)
		}
	}
	return operation.Done{Result: kept.ID, Passed: kept.Report.Passed(), Sentence: kept.Report.Verdict()}
}
