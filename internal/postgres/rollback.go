package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

// Rollbacks keeps releases being taken back.
type Rollbacks struct{ DB *DB }

// Rollbacks reads the page in one round trip, with the template that the release was frozen from.
func (r Rollbacks) Rollbacks(ctx context.Context, by actor.Actor, run uuid.UUID) (runbook.RollbackPage, string, error) {
	rows := rollbackRows{}
	var moment *momentRow
	err := r.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("Run"), pgx.StrictNamedArgs{"run": run}).Query(collectOne(&rows.run))
		rows.queue(b, run)
		b.Queue(sql("ChangeMoment"), pgx.StrictNamedArgs{"release": run}).Query(collectMaybe(&moment))
	})
	if err != nil {
		return runbook.RollbackPage{}, "", noRelease(err)
	}
	page := rows.page()
	if moment != nil {
		page.Moment = moment.moment()
	}
	return page, rows.template.Template, nil
}

// InRollback runs work in one transaction of the actor's tenant.
func (r Rollbacks) InRollback(ctx context.Context, by actor.Actor, work func(context.Context, runbook.RollbackTx) error) error {
	return r.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		return work(ctx, rollbackTx{tx: tx, by: by})
	})
}

type rollbackRows struct {
	run        runRow
	template   runTemplateRow
	rollbacks  []rollbackRow
	acts       []rollbackActRow
	migrations []runMigrationRow
}

func (r *rollbackRows) queue(b *pgx.Batch, run uuid.UUID) {
	args := pgx.StrictNamedArgs{"run": run}
	b.Queue(sql("RunTemplate"), args).Query(collectOne(&r.template))
	b.Queue(sql("Rollbacks"), args).Query(collect(&r.rollbacks))
	b.Queue(sql("RollbackActs"), args).Query(collect(&r.acts))
	b.Queue(sql("RunMigrations"), args).Query(collect(&r.migrations))
}

func (r *rollbackRows) page() runbook.RollbackPage {
	p := runbook.RollbackPage{Run: r.run.run(), At: r.template.At.UTC(), Rollbacks: r.list(r.run.RunID)}
	for _, row := range r.migrations {
		p.Migrations = append(p.Migrations, row.shown())
	}
	return p
}

// list puts together what was done to each rollback.
func (r *rollbackRows) list(run uuid.UUID) []runbook.Rollback {
	var list []runbook.Rollback
	for _, row := range r.rollbacks {
		b := row.rollback(run)
		for _, act := range r.acts {
			if act.RollbackID == b.ID {
				act.put(&b)
			}
		}
		list = append(list, b)
	}
	return list
}

type rollbackRow struct {
	RollbackID                uuid.UUID
	OptionID, Title, DataLoss string
	Safe                      bool
	GoalSeconds               *int
	Steps                     []string
	Reason                    string
	Issuer, Subject, Name     string
	StartedAt                 time.Time
}

func (r rollbackRow) rollback(run uuid.UUID) runbook.Rollback {
	b := runbook.Rollback{
		ID: r.RollbackID, Run: run, Option: r.OptionID, Title: r.Title, DataLoss: r.DataLoss, Safe: r.Safe, Reason: r.Reason,
		By: runbook.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}, StartedAt: r.StartedAt.UTC(),
	}
	if r.GoalSeconds != nil {
		b.Goal = time.Duration(*r.GoalSeconds) * time.Second
	}
	for _, text := range r.Steps {
		b.Steps = append(b.Steps, runbook.RollbackStep{Text: text})
	}
	return b
}

type rollbackActRow struct {
	RollbackID            uuid.UUID
	Kind                  string
	Step                  int
	Good                  bool
	Note                  string
	TookSeconds           *int
	GoalKept              *bool
	Issuer, Subject, Name string
	DoneAt                time.Time
}

func (r rollbackActRow) put(b *runbook.Rollback) {
	act := &runbook.RollbackAct{By: runbook.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}, Note: r.Note, At: r.DoneAt.UTC()}
	switch {
	case r.Kind == "agreed":
		b.Agreed = act
	case r.Kind == "step" && r.Step <= len(b.Steps):
		b.Steps[r.Step-1].Done, b.Steps[r.Step-1].Needed = act, r.Good
	case r.Kind == "ended":
		b.Ended, b.GivenUp, b.Kept = act, !r.Good, r.GoalKept != nil && *r.GoalKept
		if r.TookSeconds != nil {
			b.Took = time.Duration(*r.TookSeconds) * time.Second
		}
	case r.Kind == "reviewed":
		b.Reviewed, b.Objected = act, !r.Good
	}
}

type rollbackTx struct {
	tx pgx.Tx
	by actor.Actor
}

func (t rollbackTx) Record(ctx context.Context, e audit.Event) error {
	return record(ctx, t.tx, t.by, e)
}

// Lock locks first and reads afterwards, so that what it reads is what whoever held the lock before has left.
func (t rollbackTx) Lock(ctx context.Context, run uuid.UUID) (runbook.RollbackPage, string, error) {
	found, err := t.tx.Query(ctx, sql("LockRun"), pgx.StrictNamedArgs{"run": run})
	if err != nil {
		return runbook.RollbackPage{}, "", err
	}
	rows := rollbackRows{}
	if rows.run, err = pgx.CollectExactlyOneRow(found, pgx.RowToStructByName[runRow]); err != nil {
		return runbook.RollbackPage{}, "", noRelease(err)
	}
	var b pgx.Batch
	rows.queue(&b, run)
	if err := t.tx.SendBatch(ctx, &b).Close(); err != nil {
		return runbook.RollbackPage{}, "", err
	}
	return rows.page(), rows.template.Template, nil
}

// did runs a statement that does its work in one row or refuses with none.
func (t rollbackTx) did(ctx context.Context, statement string, args pgx.StrictNamedArgs) (bool, error) {
	tag, err := t.tx.Exec(ctx, sql(statement), args)
	return err == nil && tag.RowsAffected() == 1, err
}

func (t rollbackTx) who(rollback uuid.UUID, more pgx.StrictNamedArgs) pgx.StrictNamedArgs {
	args := pgx.StrictNamedArgs{"rollback": rollback, "issuer": t.by.Issuer, "subject": t.by.Subject, "name": t.by.Name}
	for name, value := range more {
		args[name] = value
	}
	return args
}

func (t rollbackTx) freshly(rollback uuid.UUID, more pgx.StrictNamedArgs) pgx.StrictNamedArgs {
	args := t.who(rollback, more)
	args["auth_time"], args["fresh_for"], args["leeway"] = t.by.AuthTime, actor.FreshFor, actor.Leeway
	return args
}

func (t rollbackTx) Begin(ctx context.Context, b runbook.Rollback) (bool, error) {
	steps := make([]string, len(b.Steps))
	for i, s := range b.Steps {
		steps[i] = s.Text
	}
	return t.did(ctx, "BeginRollback", t.freshly(b.ID, pgx.StrictNamedArgs{
		"run": b.Run, "option": b.Option, "title": b.Title, "data_loss": b.DataLoss, "safe": b.Safe, "goal_seconds": intOrNull(int(b.Goal.Seconds())),
		"steps": steps, "reason": b.Reason,
	}))
}

func (t rollbackTx) Agree(ctx context.Context, rollback uuid.UUID) (bool, error) {
	return t.did(ctx, "AgreeRollback", t.freshly(rollback, nil))
}

func (t rollbackTx) Tick(ctx context.Context, rollback uuid.UUID, step int, needed bool, note string) (bool, error) {
	return t.did(ctx, "TickRollback", t.who(rollback, pgx.StrictNamedArgs{"step": step, "good": needed, "note": note}))
}

func (t rollbackTx) End(ctx context.Context, rollback uuid.UUID, givenUp bool, note string) (bool, error) {
	done, err := t.did(ctx, "EndRollback", t.who(rollback, pgx.StrictNamedArgs{"given_up": givenUp, "note": note}))
	if err != nil || !done {
		return done, err
	}
	if givenUp {
		_, err := t.did(ctx, "CloseAfterRollback", pgx.StrictNamedArgs{"rollback": rollback})
		return true, err
	}
	ended, err := t.did(ctx, "EndRolledBackRun", pgx.StrictNamedArgs{"rollback": rollback})
	if err == nil && !ended {
		return false, fmt.Errorf("postgres: rollback %s ended, and its release did not end with it", rollback)
	}
	return ended, err
}

func (t rollbackTx) Review(ctx context.Context, rollback uuid.UUID, objected bool, note string) (bool, error) {
	return t.did(ctx, "ReviewRollback", t.freshly(rollback, pgx.StrictNamedArgs{"objected": objected, "note": note}))
}

func (t rollbackTx) Notify(ctx context.Context, b runbook.Rollback, roles []actor.Role, headline, body string, due time.Time) error {
	for _, role := range roles {
		_, err := t.tx.Exec(ctx, sql("AddNotice"), pgx.StrictNamedArgs{
			"key": "rollback:" + string(b.State()) + ":" + b.ID.String() + ":" + string(role), "kind": "rollback", "run": b.Run, "role": string(role),
			"issuer": "", "subject": "", "name": "", "headline": headline, "body": body, "path": "/releases/" + b.Run.String() + "/rollback", "due_at": due,
		})
		if err != nil {
			return err
		}
	}
	return nil
}
