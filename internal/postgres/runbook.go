package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

// Runbook keeps releases and their items.
type Runbook struct{ DB *DB }

// InTenant runs work in one transaction of the actor's tenant.
func (r Runbook) InTenant(ctx context.Context, by actor.Actor, work func(context.Context, runbook.Tx) error) error {
	return r.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		return work(ctx, runbookTx{tx: tx, by: by})
	})
}

// List reads a page of runs, newest first.
func (r Runbook) List(ctx context.Context, by actor.Actor, environment string, q runbook.Query) ([]runbook.Run, error) {
	name := "ListRuns"
	args := pgx.StrictNamedArgs{"environment": environment, "before_at": q.BeforeAt, "before_id": q.BeforeID, "most": q.Limit}
	if q.BeforeAt.IsZero() {
		// Later than every run that there is.
		args["before_at"], args["before_id"] = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), uuid.Max
	}
	if q.State != "" {
		name, args["state"] = "ListRunsOfState", string(q.State)
	}
	var rows []listedRunRow
	var moves []moveRow
	err := r.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql(name), args).Query(collect(&rows))
		if q.BeforeAt.IsZero() { // the running release is the newest of its environment
			b.Queue(sql("NextMove"), pgx.StrictNamedArgs{"environment": environment}).Query(collect(&moves))
		}
	})
	runs := make([]runbook.Run, len(rows))
	for i, row := range rows {
		runs[i] = row.run(environment)
		for _, m := range moves {
			if m.RunID == row.RunID {
				runs[i].Next = runbook.Move{Item: runbook.ItemID(m.Item), Title: m.Title, Owner: actor.Role(m.Owner), Gate: m.Gate}
			}
		}
	}
	return runs, err
}

type moveRow struct {
	RunID                    uuid.UUID
	Item, Title, Owner, Gate string
}

// Active reads the run that is under way in the environment.
func (r Runbook) Active(ctx context.Context, by actor.Actor, environment string) (runbook.Run, bool, error) {
	var row *runRow
	err := r.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("ActiveRun"), pgx.StrictNamedArgs{"environment": environment}).Query(collectMaybe(&row))
	})
	if err != nil || row == nil {
		return runbook.Run{}, false, err
	}
	return row.run(), true, nil
}

type runbookTx struct {
	tx pgx.Tx
	by actor.Actor
}

func (t runbookTx) Record(ctx context.Context, e audit.Event) error {
	return record(ctx, t.tx, t.by, e)
}

func (t runbookTx) Active(ctx context.Context, environment string) (runbook.Run, bool, error) {
	rows, err := t.tx.Query(ctx, sql("ActiveRun"), pgx.StrictNamedArgs{"environment": environment})
	if err != nil {
		return runbook.Run{}, false, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[runRow])
	if err != nil || len(found) == 0 {
		return runbook.Run{}, false, err
	}
	return found[0].run(), true, nil
}

// Add stores the run and everything frozen in it as one batch.
func (t runbookTx) Add(ctx context.Context, run runbook.Run, template runbook.Template, migrations []runbook.Migration) error {
	var b pgx.Batch
	tenant := t.by.Tenant
	b.Queue(sql("AddRun"), pgx.StrictNamedArgs{
		"tenant": tenant, "run": run.ID, "environment": run.Environment, "code": run.Code, "title": run.Title, "t0": run.T0,
		"time_zone": run.TimeZone, "template_name": template.Name, "template_version": template.Version,
		"template_sha256": template.SHA256, "template": template.Text, "issuer": t.by.Issuer, "subject": t.by.Subject,
		"name": t.by.Name, "items_total": run.Counts.Total,
	})
	for _, i := range template.Items() {
		after := make([]string, len(i.After))
		for n, id := range i.After {
			after[n] = string(id)
		}
		b.Queue(sql("AddRunItem"), pgx.StrictNamedArgs{
			"tenant": tenant, "run": run.ID, "item": string(i.ID), "position": i.Position, "phase": string(i.Phase), "gate": string(i.Gate),
			"title": i.Title, "owner_role": string(i.Owner), "required": i.Required, "offset_seconds": int(i.Offset.Seconds()), "not_before_seconds": secondsOrNull(i.NotBefore), "fresh_seconds": secondsOrNull(i.FreshFor),
			"after_items": after, "kind": string(i.Kind), "check_name": i.Check,
		})
	}
	for n, g := range template.Gates {
		var least runbook.MinimumEvidence
		if g.MinimumEvidence != nil {
			least = *g.MinimumEvidence
		}
		b.Queue(sql("AddRunGate"), pgx.StrictNamedArgs{
			"tenant": tenant, "run": run.ID, "gate": string(g.ID), "position": n + 1, "name": g.Name, "judges": g.Judges,
			"after_phase": string(g.AfterPhase), "offset_seconds": int(time.Duration(g.Offset).Seconds()),
			"not_before_seconds": secondsOrNull((*time.Duration)(g.NotBefore)), "expires_seconds": secondsOrNull((*time.Duration)(g.ExpiresAfter)), "after_migrations": g.AfterMigrations,
			"least_items": least.Items, "least_files": least.Files, "least_checks": least.Checks, "required_checks": append([]string{}, g.RequiredChecks...),
			"authors_barred": g.EvidenceAuthorMayNotSign,
		})
		for m, s := range g.Slots {
			meanings := make([]string, len(s.Meanings))
			for k, meaning := range s.Meanings {
				meanings[k] = string(meaning)
			}
			b.Queue(sql("AddRunGateSlot"), pgx.StrictNamedArgs{
				"tenant": tenant, "run": run.ID, "gate": string(g.ID), "slot": string(s.ID), "position": m + 1, "role": string(s.Role),
				"required": s.Required, "signs_last": s.SignsLast, "asks_score": s.AsksScore, "meanings": meanings, "statement": s.Statement,
				"deputies_seconds": secondsOrNull((*time.Duration)(s.DeputiesAfter)),
			})
		}
	}
	for n, m := range migrations {
		b.Queue(sql("AddRunMigration"), pgx.StrictNamedArgs{
			"tenant": tenant, "run": run.ID, "version": m.Version, "position": n + 1, "title": m.Title, "sha256": m.SHA256,
		})
	}
	return secondRun(t.tx.SendBatch(ctx, &b).Close())
}

// secondRun says in words that another run was started in the same moment.
func secondRun(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "runs_one_active" {
		return fault.New(fault.Conflict, "Another release was started here at this very moment. One release runs at a time: finish or abort it first.").Because(err)
	}
	return err
}

// LockPlan locks first and reads afterwards, so that what it reads is what whoever held the lock before has left.
func (t runbookTx) LockPlan(ctx context.Context, run uuid.UUID) (runbook.Plan, error) {
	rows, err := t.tx.Query(ctx, sql("LockRun"), pgx.StrictNamedArgs{"run": run})
	if err != nil {
		return runbook.Plan{}, err
	}
	head, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[runRow])
	if err != nil {
		return runbook.Plan{}, noRelease(err)
	}
	var b pgx.Batch
	plan := planRows{run: head}
	plan.queue(&b, run)
	if err := t.tx.SendBatch(ctx, &b).Close(); err != nil {
		return runbook.Plan{}, err
	}
	return plan.plan(), nil
}

func noRelease(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(fault.NotFound, "There is no such release here.").Because(err)
	}
	return err
}

func (t runbookTx) Template(ctx context.Context, run uuid.UUID) (string, error) {
	var text string
	var at time.Time
	err := t.tx.QueryRow(ctx, sql("RunTemplate"), pgx.StrictNamedArgs{"run": run}).Scan(&text, &at)
	return text, noRelease(err)
}

func (t runbookTx) AddEvidence(ctx context.Context, run uuid.UUID, item runbook.ItemID, e runbook.Evidence) (int, error) {
	var number int
	err := t.tx.QueryRow(ctx, sql("AddRunEvidence"), pgx.StrictNamedArgs{
		"run": run, "item": string(item), "kind": string(e.Kind), "value": e.Value, "note": e.Note, "summary": e.Summary, "query": e.Query,
		"passed": e.Passed, "issuer": e.By.Issuer, "subject": e.By.Subject, "name": e.By.Name,
	}).Scan(&number)
	return number, err
}

func (t runbookTx) Change(ctx context.Context, run uuid.UUID, i runbook.Item, seen int) error {
	tag, err := t.tx.Exec(ctx, sql("ChangeRunItem"), pgx.StrictNamedArgs{
		"run": run, "item": string(i.ID), "state": string(i.State),
		"holder_issuer": i.Holder.Issuer, "holder_subject": i.Holder.Subject, "holder_name": i.Holder.Name,
		"settled_issuer": i.Settled.Issuer, "settled_subject": i.Settled.Subject, "settled_name": i.Settled.Name,
		"settled_at": timeOrNull(i.SettledAt), "due_at": timeOrNull(i.DueThen), "reason": i.Reason, "evidence": intOrNull(i.Evidence), "round": i.Round, "waiver": idOrNull(i.Waiver),
		"version": i.Version, "seen": seen,
	})
	if err != nil {
		return err
	}
	if tag.RowsAffected() != 1 {
		return fault.New(fault.Conflict, "Somebody else has changed this item at this very moment. Look at the page again.")
	}
	_, err = t.tx.Exec(ctx, sql("CountRunItems"), pgx.StrictNamedArgs{"run": run})
	return err
}

func (t runbookTx) ChangeRun(ctx context.Context, run runbook.Run, seen int) error {
	tag, err := t.tx.Exec(ctx, sql("ChangeRun"), pgx.StrictNamedArgs{
		"run": run.ID, "state": string(run.State), "t0": run.T0, "ended_at": timeOrNull(run.EndedAt), "ended_by": run.EndedBy,
		"end_reason": run.EndReason, "version": run.Version, "seen": seen,
	})
	if err == nil && tag.RowsAffected() != 1 {
		err = fault.New(fault.Conflict, "Somebody else has changed this release at this very moment. Look at the page again.")
	}
	return err
}

func (t runbookTx) RollingBack(ctx context.Context, run uuid.UUID) (way string, err error) {
	err = t.tx.QueryRow(ctx, sql("RollingBack"), pgx.StrictNamedArgs{"run": run}).Scan(&way)
	return way, err
}

func secondsOrNull(d *time.Duration) *int {
	if d == nil {
		return nil
	}
	seconds := int(d.Seconds())
	return &seconds
}

func intOrNull(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}
