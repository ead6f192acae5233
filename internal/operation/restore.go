package operation

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Fate is what the database itself knows of work that changes it in one transaction: a restore. Of other work it knows
// nothing.
type Fate struct {
	Known bool
	// Running says that the connection which does it is still there, so that it may still be committed.
	Running bool
	// Happened says that it was committed.
	Happened bool
	Sentence string
	Result   uuid.UUID
}

// OrderRestore orders what two people agreed to; the statement that keeps the order holds all of it once more.
func (a Asks) OrderRestore(ctx context.Context, by actor.Actor, backup, request, key uuid.UUID) (uuid.UUID, error) {
	if err := by.Demand(actor.MigrationDown); err != nil {
		return uuid.Nil, err
	}
	if !by.Operator {
		return uuid.Nil, fault.New(fault.Forbidden, "The database is looked after by the tenant that operates this environment.")
	}
	o := Operation{ID: uuid.New(), Kind: Restore, Subject: backup, Argument: request.String(), By: by, State: Queued}
	ordered, err := a.store.Order(ctx, by, o, key, audit.Event{
		Action: "operation:order", ObjectKind: "operation", ObjectID: o.ID.String(),
		After: map[string]string{"kind": string(Restore), "backup": backup.String(), "argument": request.String()},
	})
	return ordered.ID, err
}

// unread is where the database did not say. The page of the restore reads it whenever the database answers.
var unread = Fate{Sentence: "Whether it was committed could not be read; the page of the restore says."}

// fate asks until the database answers, or the program has to end.
func (w *Worker) fate(ctx context.Context, ref Ref) Fate {
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastTry, cancel) })()
	for {
		f, err := w.store.Fate(last, ref)
		if err == nil && !f.Running {
			return f
		}
		if err != nil && !fault.Is(err, fault.Unavailable) && !errors.Is(err, context.Canceled) {
			w.log.ErrorContext(ctx, "what became of a restore cannot be read", "operation", ref.ID, "error", err)
			return unread
		}
		select {
		case <-last.Done():
			return unread
		case <-time.After(retryPause):
		}
	}
}
