package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/inbox"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// Inbox is inbox.Store.
type Inbox struct{ DB *DB }

var _ inbox.Store = Inbox{}

type taskRow struct {
	Kind, ID                            string
	RunID                               *uuid.UUID
	Code, TimeZone, Object, Title, Role string
	HolderIssuer, HolderSubject         string
	HolderName                          string
	Ready                               bool
	Needs, State                        string
	Required, Checked, Watching         bool
	Round                               int
	DueAt                               time.Time
	T0                                  *time.Time
	StartedAt                           time.Time
	Deputies                            []inbox.Person
}

func (r taskRow) task() inbox.Task {
	return inbox.Task{
		Deputies: r.Deputies,
		Kind:     inbox.Kind(r.Kind), ID: r.ID, Object: r.Object, Title: r.Title, Run: orNil(r.RunID), Release: r.Code, Zone: r.TimeZone, Role: actor.Role(r.Role),
		Holder: inbox.Person{Issuer: r.HolderIssuer, Subject: r.HolderSubject, Name: r.HolderName}, Ready: r.Ready, Needs: r.Needs, Failed: r.State == "failed",
		Required: r.Required, Checked: r.Checked, Watching: r.Watching, Round: r.Round, DueAt: r.DueAt.UTC(), T0: timeOrZero(r.T0), StartedAt: r.StartedAt.UTC(),
	}
}

func tasksOf(rows []taskRow) []inbox.Task {
	tasks := make([]inbox.Task, len(rows))
	for i, row := range rows {
		tasks[i] = row.task()
	}
	return tasks
}

// forPerson are the arguments that say for whom; the statements name whoever may not by issuer and subject.
func forPerson(by actor.Actor, environment string) pgx.StrictNamedArgs {
	var rights []string
	for _, right := range []actor.Right{actor.ItemWork, actor.GateSign, actor.RollbackAgree, actor.RollbackReview, actor.MigrationDown, actor.DimensionReview} {
		if by.Can(right) {
			rights = append(rights, string(right))
		}
	}
	return pgx.StrictNamedArgs{
		"environment": environment, "me": by.Issuer + " " + by.Subject, "roles": roleNames(by), "rights": rights,
		"deputises": signoff.MayDeputise(by), "person": map[string]string{"issuer": by.Issuer, "subject": by.Subject},
	}
}

type readyRow struct {
	Ready, Late int
	At          time.Time
}

// Waiting is a page of what waits for the person.
func (i Inbox) Waiting(ctx context.Context, by actor.Actor, environment string, q inbox.Query) (inbox.List, error) {
	page := forPerson(by, environment)
	page["after_at"], page["after_id"], page["most"] = q.AfterAt, q.AfterID, q.Limit
	var rows []taskRow
	var ready readyRow
	err := i.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("Waiting"), page).Query(collect(&rows))
		b.Queue(sql("WaitingReady"), forPerson(by, environment)).Query(collectOne(&ready))
	})
	return inbox.List{Tasks: tasksOf(rows), Ready: ready.Ready, Late: ready.Late, At: ready.At.UTC()}, err
}

// Ready is how much the person can do now.
func (i Inbox) Ready(ctx context.Context, by actor.Actor, environment string) (int, error) {
	var ready readyRow
	err := i.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("WaitingReady"), forPerson(by, environment)).Query(collectOne(&ready))
	})
	return ready.Ready, err
}

type noticeRow struct {
	NoticeID                    uuid.UUID
	Key, Kind                   string
	RunID                       *uuid.UUID
	Role, Issuer, Subject, Name string
	Headline, Body, Path        string
	DueAt, CreatedAt            time.Time
	DeliveredAt                 *time.Time
	DeliveredBy                 string
	Attempts                    int
	Problem                     string
	TimeZone                    string
	Settled                     string
}

// Notices is a page of the outbox, newest first.
func (i Inbox) Notices(ctx context.Context, by actor.Actor, q inbox.NoticeQuery) ([]inbox.Notice, time.Time, error) {
	args := pgx.StrictNamedArgs{"before_at": q.BeforeAt, "before_id": q.BeforeID, "most": q.Limit}
	if q.BeforeAt.IsZero() {
		args["before_at"], args["before_id"] = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), uuid.Max
	}
	var rows []noticeRow
	var clock struct{ At time.Time }
	err := i.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("Notices"), args).Query(collect(&rows))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	})
	notices := make([]inbox.Notice, len(rows))
	for n, r := range rows {
		notices[n] = inbox.Notice{
			ID: r.NoticeID, Kind: inbox.NoticeKind(r.Kind), Key: r.Key, Run: orNil(r.RunID), Role: actor.Role(r.Role),
			Person:   inbox.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name},
			Headline: r.Headline, Body: r.Body, Path: r.Path, DueAt: r.DueAt.UTC(), CreatedAt: r.CreatedAt.UTC(),
			DeliveredAt: timeOrZero(r.DeliveredAt), DeliveredBy: r.DeliveredBy, Attempts: r.Attempts, Problem: r.Problem, Zone: r.TimeZone, Settled: r.Settled,
		}
	}
	return notices, clock.At.UTC(), err
}

// Mark changes with what may wait for anybody in the tenant.
func (i Inbox) Mark(ctx context.Context, by actor.Actor) (string, error) {
	var mark struct{ Changes, Seq int64 }
	err := i.DB.page(ctx, by, func(b *pgx.Batch) { b.Queue(sql("TenantMark")).Query(collectOne(&mark)) })
	return fmt.Sprint(mark.Changes, " ", mark.Seq), err
}

// InTenant runs work in one transaction of the actor's tenant.
func (i Inbox) InTenant(ctx context.Context, by actor.Actor, work func(context.Context, inbox.Tx) error) error {
	return i.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error { return work(ctx, inboxTx{tx}) })
}

type inboxTx struct{ tx pgx.Tx }

func (t inboxTx) All(ctx context.Context, environment string) ([]inbox.Task, time.Time, error) {
	var b pgx.Batch
	var rows []taskRow
	var clock struct{ At time.Time }
	b.Queue(sql("WaitingAll"), pgx.StrictNamedArgs{"environment": environment}).Query(collect(&rows))
	b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	err := t.tx.SendBatch(ctx, &b).Close()
	return tasksOf(rows), clock.At.UTC(), err
}

func (t inboxTx) Add(ctx context.Context, notices []inbox.Notice) (int, error) {
	return addNotices(ctx, t.tx, notices)
}

// addNotices puts notices into the outbox, in the transaction of whatever they tell of, and says how many were new.
func addNotices(ctx context.Context, tx pgx.Tx, notices []inbox.Notice) (int, error) {
	added := 0
	var b pgx.Batch
	for _, n := range notices {
		b.Queue(sql("AddNotice"), pgx.StrictNamedArgs{
			"key": n.Key, "kind": string(n.Kind), "run": orNull(n.Run), "role": string(n.Role), "issuer": n.Person.Issuer, "subject": n.Person.Subject,
			"name": n.Person.Name, "headline": n.Headline, "body": n.Body, "path": n.Path, "due_at": n.DueAt,
		}).Exec(func(tag pgconn.CommandTag) error {
			added += int(tag.RowsAffected())
			return nil
		})
	}
	return added, tx.SendBatch(ctx, &b).Close()
}

func orNil(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}
