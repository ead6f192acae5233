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
	if err := by.Demand(actor.MigrationRead); err != nil {
		return Operation{}, nil, err
	}
	return s.store.Look(ctx, by, id)
}

// Overview is what the page of backups shows.
func (s Service) Overview(ctx context.Context, by actor.Actor) (Overview, error) {
	if err := by.Demand(actor.MigrationRead); err != nil {
		return Overview{}, err
	}
	return s.store.Overview(ctx, by)
}
