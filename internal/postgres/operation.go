package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/operation"
)

// OperationJobs puts an operation into the queue as part of the transaction that adds it.
type OperationJobs interface {
	EnqueueOperation(ctx context.Context, tx pgx.Tx, ref operation.Ref) error
}

// Operations is operation.Store. Jobs may be nil where the caller does the work itself, as the command line does.
type Operations struct {
	DB   *DB
	Jobs OperationJobs
}

var _ operation.Store = Operations{}

type operationRow struct {
	OperationID                          uuid.UUID
	Kind                                 string
	Subject                              *uuid.UUID
	Argument                             string
	AuthTime                             *time.Time
	State                                string
	ActorIssuer, ActorSubject, ActorName string
	ActorRoles                           []string
	Origin                               string
	RequestedAt                          time.Time
	StartedAt, FinishedAt                *time.Time
	Sentence                             string
	Result                               *uuid.UUID
}

// operation is the row again; whoever ordered acts for the operator, or there would be no row.
func (r operationRow) operation(tenant uuid.UUID) operation.Operation {
	by := actor.Actor{
		Tenant: tenant, Operator: true, Issuer: r.ActorIssuer, Subject: r.ActorSubject, Name: r.ActorName, Origin: actor.Origin(r.Origin),
		AuthTime: timeOrZero(r.AuthTime),
	}
	for _, role := range r.ActorRoles {
		by.Roles = append(by.Roles, actor.Role(role))
	}
	return operation.Operation{
		ID: r.OperationID, Kind: operation.Kind(r.Kind), Subject: deref(r.Subject), Argument: r.Argument, By: by, State: operation.State(r.State), RequestedAt: r.RequestedAt.UTC(),
		StartedAt: timeOrZero(r.StartedAt), FinishedAt: timeOrZero(r.FinishedAt), Sentence: r.Sentence, Result: deref(r.Result),
	}
}

// Order keeps an operation with its job and its event.
func (s Operations) Order(ctx context.Context, by actor.Actor, o operation.Operation, key uuid.UUID, e audit.Event) (ordered operation.Operation, err error) {
	roles := make([]string, len(by.Roles))
	for i, r := range by.Roles {
		roles[i] = string(r)
	}
	err = s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		var id uuid.UUID
		err := tx.QueryRow(ctx, sql("AddOperation"), pgx.StrictNamedArgs{
			"tenant": by.Tenant, "operation": o.ID, "key": key, "kind": string(o.Kind), "subject": idOrNull(o.Subject), "issuer": by.Issuer,
			"actor_subject": by.Subject, "name": by.Name, "roles": roles, "origin": string(by.Origin), "argument": o.Argument, "auth_time": orNullTime(by.AuthTime),
		}).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			ordered, err = s.inTheWay(ctx, tx, by, o, key)
			return err
		}
		if err != nil {
			return err
		}
		if s.Jobs != nil {
			if err := s.Jobs.EnqueueOperation(ctx, tx, operation.Ref{Tenant: by.Tenant, ID: o.ID}); err != nil {
				return err
			}
		}
		ordered = o
		return record(ctx, tx, by, e)
	})
	return ordered, err
}

// inTheWay says why an order was not taken: it was taken before, another is under way, or there is nothing to work on.
func (s Operations) inTheWay(ctx context.Context, tx pgx.Tx, by actor.Actor, o operation.Operation, key uuid.UUID) (operation.Operation, error) {
	var same, busy []operationRow
	var b pgx.Batch
	b.Queue(sql("OperationByKey"), pgx.StrictNamedArgs{"key": key}).Query(collect(&same))
	b.Queue(sql("OperationUnderWay")).Query(collect(&busy))
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return operation.Operation{}, err
	}
	switch {
	case len(same) > 0:
		return twice(same[0].operation(by.Tenant), by, o)
	case len(busy) > 0:
		return operation.Operation{}, fault.New(fault.Conflict, "A %s that %s ordered at %s UTC is still under way. Wait for its end, then order again.",
			busy[0].Kind, busy[0].ActorName, busy[0].RequestedAt.UTC().Format("15:04"))
	}
	if closed, err := changeRefused(ctx, tx, by, o); err != nil || closed != "" {
		return operation.Operation{}, errors.Join(err, closedGate(closed))
	}
	if o.Argument != "" {
		return operation.Operation{}, fault.New(fault.Conflict, "Nothing was ordered: a run of a migration is under way, or your sign-in is older than ten minutes. Wait for the run's end, sign in afresh, and look again.")
	}
	return operation.Operation{}, fault.New(fault.NotFound, "There is no such backup, or its file was removed.")
}

// twice is the order that the same form made before, for the same person and work; a form does no other work than its own.
func twice(before operation.Operation, by actor.Actor, o operation.Operation) (operation.Operation, error) {
	if before.Kind != o.Kind || before.Subject != o.Subject || before.Argument != o.Argument || before.By.Issuer != by.Issuer || before.By.Subject != by.Subject {
		return operation.Operation{}, fault.New(fault.Conflict, "This form was used already, for a %s that %s ordered. Nothing was ordered; look at the page again.", before.Kind, before.By.Name)
	}
	return before, nil
}

func idOrNull(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// Look is one operation and what its log holds after a line.
func (s Operations) Look(ctx context.Context, by actor.Actor, id uuid.UUID, after, limit int) (operation.Operation, []operation.Line, error) {
	var row operationRow
	var lines []struct {
		Seq  int
		At   time.Time
		Line string
	}
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("Operation"), pgx.StrictNamedArgs{"operation": id}).Query(collectOne(&row))
		b.Queue(sql("OperationLines"), pgx.StrictNamedArgs{"operation": id, "after": after, "limit": limit}).Query(collect(&lines))
	})
	if err != nil {
		return operation.Operation{}, nil, err
	}
	list := make([]operation.Line, len(lines))
	for i, l := range lines {
		list[i] = operation.Line{Seq: l.Seq, At: l.At.UTC(), Text: l.Line}
	}
	return row.operation(by.Tenant), list, nil
}

// Overview is the newest 50 backups and the newest 10 operations of the actor's tenant.
func (s Operations) Overview(ctx context.Context, by actor.Actor) (o operation.Overview, err error) {
	var backups []backupRow
	var externals []externalRow
	var operations []operationRow
	err = s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("ListBackups"), pgx.StrictNamedArgs{"backup": (*uuid.UUID)(nil)}).Query(collect(&backups))
		b.Queue(sql("ExternalBackups"), pgx.StrictNamedArgs{"external": (*uuid.UUID)(nil)}).Query(collect(&externals))
		b.Queue(sql("NewestOperations")).Query(collect(&operations))
	})
	if err != nil {
		return o, err
	}
	if o.Backups, err = backupsOf(backups); err != nil {
		return o, err
	}
	o.Externals = externalsOf(externals)
	for _, row := range operations {
		o.Operations = append(o.Operations, row.operation(by.Tenant))
	}
	return o, nil
}

// operationWorker is who writes starts and ends: Gatehouse itself, inside the tenant of the operation.
func operationWorker(ref operation.Ref) actor.Actor {
	by := actor.System(actor.Worker, "operation worker")
	by.Tenant = ref.Tenant
	return by
}

func (s Operations) inTenantOf(ctx context.Context, ref operation.Ref, work func(context.Context, pgx.Tx) error) error {
	return s.DB.inTenant(ctx, operationWorker(ref), work)
}

// Start marks a queued operation running.
func (s Operations) Start(ctx context.Context, ref operation.Ref) (o operation.Operation, started bool, err error) {
	err = s.inTenantOf(ctx, ref, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql("StartOperation"), pgx.StrictNamedArgs{"operation": ref.ID})
		if err != nil {
			return err
		}
		list, err := pgx.CollectRows(rows, pgx.RowToStructByName[operationRow])
		if started = len(list) == 1; started {
			o = list[0].operation(ref.Tenant)
		}
		return err
	})
	return o, started && err == nil, err
}

// Beat says that the work goes on.
func (s Operations) Beat(ctx context.Context, ref operation.Ref) error {
	return s.inTenantOf(ctx, ref, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql("BeatOperation"), pgx.StrictNamedArgs{"operation": ref.ID})
		return err
	})
}

// Say adds a line to the log.
func (s Operations) Say(ctx context.Context, ref operation.Ref, line string) error {
	return s.inTenantOf(ctx, ref, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql("AddOperationLine"), pgx.StrictNamedArgs{"tenant": ref.Tenant, "operation": ref.ID, "line": line})
		return err
	})
}

// Finish writes the end and its event; what has ended already stays as it is.
func (s Operations) Finish(ctx context.Context, ref operation.Ref, state operation.State, done operation.Done, e audit.Event) error {
	return s.inTenantOf(ctx, ref, func(ctx context.Context, tx pgx.Tx) error {
		var id uuid.UUID
		err := tx.QueryRow(ctx, sql("FinishOperation"), pgx.StrictNamedArgs{
			"operation": ref.ID, "state": string(state), "sentence": done.Sentence, "result": idOrNull(done.Result),
		}).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return record(ctx, tx, operationWorker(ref), e)
	})
}

// Unfinished lists queued and running operations of all tenants.
func (s Operations) Unfinished(ctx context.Context) ([]operation.Ref, error) {
	var rows []struct {
		TenantID, OperationID uuid.UUID
		State                 string
		IdleSeconds           float64
	}
	err := s.DB.page(ctx, actor.System(actor.Worker, "operation worker"), func(b *pgx.Batch) {
		b.Queue(sql("UnfinishedOperations")).Query(collect(&rows))
	})
	refs := make([]operation.Ref, len(rows))
	for i, r := range rows {
		refs[i] = operation.Ref{Tenant: r.TenantID, ID: r.OperationID, State: operation.State(r.State), Idle: time.Duration(r.IdleSeconds * float64(time.Second))}
	}
	return refs, err
}

func orNullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// changeRefused is why work that changes the schema may not be ordered now: a repair that runs an undo file, and the
// rebuilding of an index. It is empty where it may, and for any other work.
func changeRefused(ctx context.Context, tx pgx.Tx, by actor.Actor, o operation.Operation) (closed string, err error) {
	switch o.Kind {
	case operation.Reindex:
	case operation.Repair:
		choice, _, err := migration.ParseRepairChoice(o.Argument)
		if err != nil || choice.As != migration.RepairUndo {
			return "", err
		}
	case operation.Backup, operation.Drill, operation.Rehearsal, operation.External, operation.Sample, operation.Losses, operation.Restore:
		return "", nil
	}
	err = tx.QueryRow(ctx, sql("RepairRefusal"), pgx.StrictNamedArgs{"tenant": by.Tenant}).Scan(&closed)
	return closed, err
}

func closedGate(sentence string) error {
	if sentence == "" {
		return nil
	}
	return fault.New(fault.GateClosed, "%s", sentence)
}
