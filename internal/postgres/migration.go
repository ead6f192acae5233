package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// MigrationJobs puts a run into the queue as part of the transaction that adds it.
type MigrationJobs interface {
	EnqueueMigration(ctx context.Context, tx pgx.Tx, run migration.Ref) error
}

// Migrations is migration.Store. Jobs may be nil where the caller executes its runs itself, as the command line does.
type Migrations struct {
	DB   *DB
	Jobs MigrationJobs
}

var _ migration.Store = Migrations{}

// Look reads what a page of migrations shows, in one round trip.
func (m Migrations) Look(ctx context.Context, by actor.Actor, q migration.Question) (migration.Sight, error) {
	var sight migration.Sight
	var release *migrationReleaseRow
	var lines []migrationLineRow
	var objects []catalogRow
	var runs []migration.Run
	var losses *lossRow
	var lint lintRows
	var texts []migrationTextRow
	err := m.DB.page(ctx, by, func(b *pgx.Batch) {
		queueStanding(b, &sight)
		b.Queue(sql("MigrationRelease")).Query(collectMaybe(&release))
		b.Queue(sql("RehearsedFiles")).Query(rehearsedFiles(&sight.Rehearsed))
		b.Queue(sql("SomeBackupRestores")).QueryRow(func(row pgx.Row) error { return row.Scan(&sight.Restores) })
		b.Queue(sql("InvalidIndexes")).Query(collect(&sight.Invalid))
		if q.Limit > 0 {
			b.Queue(sql("MigrationHistory"), pgx.StrictNamedArgs{"before": q.Before, "version": int64(q.Version), "limit": q.Limit + 1}).
				Query(ledgerEntries(&sight.History))
		}
		if q.Version != 0 {
			b.Queue(sql("MigrationRunsOfVersion"), pgx.StrictNamedArgs{"version": int64(q.Version)}).Query(migrationRuns(&sight.Recent))
		}
		if q.Run != uuid.Nil {
			b.Queue(sql("MigrationRun"), pgx.StrictNamedArgs{"run": q.Run}).Query(migrationRuns(&runs))
			b.Queue(sql("MigrationRunLines"), pgx.StrictNamedArgs{"run": q.Run}).Query(collect(&lines))
		}
		if q.Undo != "" {
			b.Queue(sql("NewestLosses"), pgx.StrictNamedArgs{"version": int64(q.Version), "undo_sha256": q.Undo}).Query(collectMaybe(&losses))
		}
		queueObjects(b, q.Objects, &objects)
		lint.queue(b, q.Lint)
		if len(q.Known) > 0 {
			b.Queue(sql("MigrationTexts"), pgx.StrictNamedArgs{"version": int64(q.Version), "known": q.Known}).Query(collect(&texts))
			sight.Texts = map[string]string{}
		}
	})
	if err != nil {
		return migration.Sight{}, err
	}
	if release != nil {
		if sight.Release, err = release.release(); err != nil {
			return migration.Sight{}, err
		}
	}
	if losses != nil {
		saved, err := losses.saved()
		if err != nil {
			return migration.Sight{}, err
		}
		sight.Saved = &saved
	}
	if len(runs) > 0 {
		sight.Run = &runs[0]
	}
	for _, t := range texts {
		sight.Texts[t.SHA256] = t.Body
	}
	sight.Live = lint.live(q.Lint)
	for _, l := range lines {
		sight.Lines = append(sight.Lines, migration.Line{Seq: l.Seq, At: l.At, Text: l.Line})
	}
	sight.Facts = factsOf(q.Objects, objects)
	return sight, nil
}

// Tail reads a run and what its log holds after a line, in one round trip.
func (m Migrations) Tail(ctx context.Context, by actor.Actor, id migration.RunID, after, limit int) (migration.Run, []migration.Line, error) {
	var row migrationRunRow
	var lines []migrationLineRow
	err := m.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("MigrationRun"), pgx.StrictNamedArgs{"run": id}).Query(collectOne(&row))
		b.Queue(sql("MigrationRunTail"), pgx.StrictNamedArgs{"run": id, "after": after, "limit": limit}).Query(collect(&lines))
	})
	list := make([]migration.Line, len(lines))
	for i, l := range lines {
		list[i] = migration.Line{Seq: l.Seq, At: l.At, Text: l.Line}
	}
	return row.run(), list, err
}

func queueStanding(b *pgx.Batch, sight *migration.Sight) {
	b.Queue(sql("MigrationStates")).Query(ledgerEntries(&sight.Entries))
	b.Queue(sql("MigrationBelief")).QueryRow(migrationBelief(&sight.Belief))
	b.Queue(sql("MigrationRunsInTheWay")).Query(migrationRuns(&sight.Runs))
}

func queueObjects(b *pgx.Batch, objects []migration.Object, into *[]catalogRow) {
	if len(objects) > 0 {
		kinds, names := objectNames(objects)
		b.Queue(sql("CatalogObjects"), pgx.StrictNamedArgs{"kinds": kinds, "names": names}).Query(collect(into))
	}
}

func factsOf(objects []migration.Object, rows []catalogRow) (facts []migration.Fact) {
	for _, o := range rows {
		facts = append(facts, migration.Fact{Object: objects[o.Number-1], Found: o.Found, Sound: o.Sound, Detail: o.Detail})
	}
	return facts
}

func objectNames(objects []migration.Object) (kinds, names []string) {
	for _, o := range objects {
		kinds, names = append(kinds, o.Kind), append(names, o.Name)
	}
	return kinds, names
}

// Unfinished lists queued and running runs of all tenants.
func (m Migrations) Unfinished(ctx context.Context) ([]migration.Ref, error) {
	var rows []struct {
		TenantID, RunID uuid.UUID
		State           string
		IdleSeconds     float64
	}
	err := m.DB.page(ctx, actor.System(actor.Worker, "migration worker"), func(b *pgx.Batch) {
		b.Queue(sql("UnfinishedMigrationRuns")).Query(collect(&rows))
	})
	if err != nil {
		return nil, err
	}
	var refs []migration.Ref
	for _, r := range rows {
		refs = append(refs, migration.Ref{
			Tenant: r.TenantID, Run: r.RunID, State: migration.RunState(r.State), Idle: time.Duration(r.IdleSeconds * float64(time.Second)),
		})
	}
	return refs, nil
}

// InTenant runs work in one transaction of the actor's tenant.
func (m Migrations) InTenant(ctx context.Context, by actor.Actor, work func(context.Context, migration.Tx) error) error {
	return m.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		return work(ctx, migrationTx{tx: tx, by: by, jobs: m.Jobs})
	})
}

type migrationTx struct {
	tx   pgx.Tx
	by   actor.Actor
	jobs MigrationJobs
}

func (t migrationTx) Standing(ctx context.Context, objects []migration.Object) (migration.Sight, error) {
	var sight migration.Sight
	var found []catalogRow
	var b pgx.Batch
	queueObjects(&b, objects, &found) // first: what a run makes in the meantime is then not taken for somebody's hand
	queueStanding(&b, &sight)
	err := t.tx.SendBatch(ctx, &b).Close()
	sight.Facts = factsOf(objects, found)
	return sight, err
}

func (t migrationTx) RunByKey(ctx context.Context, key uuid.UUID) (migration.Run, bool, error) {
	run, err := t.one(ctx, "MigrationRunByKey", pgx.StrictNamedArgs{"key": key})
	if errors.Is(err, pgx.ErrNoRows) {
		return migration.Run{}, false, nil
	}
	return run, err == nil, err
}

func (t migrationTx) Run(ctx context.Context, id migration.RunID) (migration.Run, error) {
	return t.one(ctx, "LockMigrationRun", pgx.StrictNamedArgs{"run": id})
}

func (t migrationTx) one(ctx context.Context, name string, args pgx.StrictNamedArgs) (migration.Run, error) {
	rows, err := t.tx.Query(ctx, sql(name), args)
	if err != nil {
		return migration.Run{}, err
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[migrationRunRow])
	return row.run(), err
}

func (t migrationTx) AddRun(ctx context.Context, o migration.Order) (bool, error) {
	return t.changed(ctx, "AddMigrationRun", pgx.StrictNamedArgs{
		"tenant": t.by.Tenant, "run": o.Run.ID, "key": o.Key, "release": o.Run.Release, "version": o.Run.Version.String(),
		"version_number": int64(o.Run.Version), "direction": string(o.Run.Direction), "sha256": o.Run.SHA256,
		"plan_sha256": o.PlanSHA256, "issuer": o.Run.By.Issuer, "subject": o.Run.By.Subject, "name": o.Run.By.Name,
		"roles": o.Run.By.Roles, "origin": o.Run.By.Origin, "reason": o.Run.Reason, "token": o.TokenSHA256,
		"loss": idOrNull(o.Loss), "auth_time": orNullTime(o.AuthTime),
	})
}

func (t migrationTx) Saved(ctx context.Context, loss uuid.UUID) (migration.Saved, error) {
	rows, err := t.tx.Query(ctx, sql("Losses"), pgx.StrictNamedArgs{"loss": loss})
	if err != nil {
		return migration.Saved{}, err
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[lossRow])
	if err != nil {
		return migration.Saved{}, err
	}
	return row.saved()
}

func (t migrationTx) Obstacles(ctx context.Context, o migration.Order) (migration.Obstacles, error) {
	var row obstacleRow
	var release *migrationReleaseRow
	var runs []migration.Run
	var b pgx.Batch
	b.Queue(sql("MigrationObstacles"), pgx.StrictNamedArgs{
		"tenant": t.by.Tenant, "release": o.Run.Release, "version": o.Run.Version.String(), "version_number": int64(o.Run.Version),
		"direction": string(o.Run.Direction), "sha256": o.Run.SHA256, "token": o.TokenSHA256,
		"loss": idOrNull(o.Loss), "origin": o.Run.By.Origin, "auth_time": orNullTime(o.AuthTime),
	}).Query(collectOne(&row))
	b.Queue(sql("MigrationRelease")).Query(collectMaybe(&release))
	b.Queue(sql("MigrationRunsInTheWay")).Query(migrationRuns(&runs))
	if err := t.tx.SendBatch(ctx, &b).Close(); err != nil {
		return migration.Obstacles{}, err
	}
	is := migration.Obstacles{
		Operator: row.Operator, ReleaseFound: row.ReleaseFound, ReleaseState: row.ReleaseState, ReleaseCode: row.ReleaseCode,
		GateOpen: row.GateOpen, BackedUp: row.BackedUp, Rehearsed: row.Rehearsed, Saved: row.Saved, Unsettled: row.Unsettled, PlannedSHA256: row.PlannedSHA256, Stopped: row.Stopped, RollingBack: row.RollingBack, Closed: row.Closed, Token: row.Token,
	}
	if release != nil && release.RunID == o.Run.Release {
		is.Missing = rolesOf(release.Missing)
	}
	for i, run := range runs {
		if run.State.Active() {
			is.Busy = &runs[i]
		} else {
			is.Interrupted = &runs[i]
		}
	}
	return is, nil
}

func (t migrationTx) Enqueue(ctx context.Context, run migration.Ref) error {
	if t.jobs == nil {
		return nil
	}
	return t.jobs.EnqueueMigration(ctx, t.tx, run)
}

func (t migrationTx) Start(ctx context.Context, id migration.RunID) (bool, error) {
	return t.changed(ctx, "StartMigrationRun", pgx.StrictNamedArgs{"run": id})
}

func (t migrationTx) Closed(ctx context.Context, release uuid.UUID) (sentence string, err error) {
	err = t.tx.QueryRow(ctx, sql("ChangeRefusal"), pgx.StrictNamedArgs{"tenant": t.by.Tenant, "release": release}).Scan(&sentence)
	return sentence, err
}

func (t migrationTx) Finish(ctx context.Context, id migration.RunID, o migration.Outcome) (bool, error) {
	var text, state *string
	if o.Error != "" {
		text = &o.Error
	}
	if o.SQLState != "" {
		state = &o.SQLState
	}
	return t.changed(ctx, "FinishMigrationRun", pgx.StrictNamedArgs{
		"run": id, "state": string(o.State), "error": text, "sqlstate": state, "resolution": o.Resolution, "duration_ms": o.Took.Milliseconds(),
	})
}

func (t migrationTx) Acknowledge(ctx context.Context, id migration.RunID, note string) (bool, error) {
	return t.changed(ctx, "AcknowledgeMigrationRun", pgx.StrictNamedArgs{
		"run": id, "name": t.by.Name, "subject": t.by.Subject, "note": note,
	})
}

func (t migrationTx) AddLine(ctx context.Context, id migration.RunID, line string) error {
	_, err := t.tx.Exec(ctx, sql("AddMigrationRunLine"), pgx.StrictNamedArgs{"tenant": t.by.Tenant, "run": id, "line": line})
	return err
}

func (t migrationTx) Record(ctx context.Context, e audit.Event) error {
	return record(ctx, t.tx, t.by, e)
}

// changed runs a statement that returns a row where it did its work.
func (t migrationTx) changed(ctx context.Context, name string, args pgx.StrictNamedArgs) (bool, error) {
	var id uuid.UUID
	err := t.tx.QueryRow(ctx, sql(name), args).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
