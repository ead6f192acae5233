package operation

import (
	"context"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Service is what pages may do with operations.
type Service struct{ store Store }

// NewService makes the stories over a store.
func NewService(store Store) Service { return Service{store} }

// Order asks for work. Whoever may apply a migration may order, in the tenant that operates the environment. The key makes
// a double press one order.
func (s Service) Order(ctx context.Context, by actor.Actor, kind Kind, subject, key uuid.UUID) (Operation, error) {
	if err := by.Demand(actor.MigrationApply); err != nil {
		return Operation{}, err
	}
	if !by.Operator {
		return Operation{}, fault.New(fault.Forbidden, "The database is looked after by the tenant that operates this environment.")
	}
	o := Operation{ID: uuid.New(), Kind: kind, Subject: subject, By: by, State: Queued}
	return s.store.Order(ctx, by, o, key, audit.Event{
		Action: "operation:order", ObjectKind: "operation", ObjectID: o.ID.String(), After: map[string]string{"kind": string(kind), "backup": subjectText(subject)},
	})
}

func subjectText(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}

// Look is one operation and its log.
func (s Service) Look(ctx context.Context, by actor.Actor, id uuid.UUID) (Operation, []Line, error) {
	o, lines, _, err := s.Tail(ctx, by, id, 0)
	return o, lines, err
}

// Tail is one operation and what its log holds after a line, for who watches it; more says that there is more.
func (s Service) Tail(ctx context.Context, by actor.Actor, id uuid.UUID, after int) (o Operation, lines []Line, more bool, err error) {
	if err := by.Demand(actor.MigrationRead); err != nil {
		return Operation{}, nil, false, err
	}
	o, lines, err = s.store.Look(ctx, by, id, after, mostLines+1)
	if len(lines) > mostLines {
		lines, more = lines[:mostLines], true
	}
	return o, lines, more, err
}

// Overview is what the page of backups shows.
func (s Service) Overview(ctx context.Context, by actor.Actor) (Overview, error) {
	if err := by.Demand(actor.MigrationRead); err != nil {
		return Overview{}, err
	}
	return s.store.Overview(ctx, by)
}
