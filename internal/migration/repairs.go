package migration

import (
	"context"
	"strings"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// RepairOrder is one way out, chosen by somebody.
type RepairOrder struct {
	Version Version
	Choice  Choice
	Index   string // of DropIndex, as the finding names it
	Reason  string
	By      actor.Actor
	Log     func(line string)
}

// Repairer sees and changes the schema as its owner.
type Repairer interface {
	Status(ctx context.Context) (Ladder, error)
	Repair(ctx context.Context, order RepairOrder, facts func(context.Context) ([]Fact, error)) error
}

// Repairs are the stories of a version that stopped half way.
type Repairs struct {
	store    Store
	files    *Files
	repairer Repairer
}

// NewRepairs makes the stories.
func NewRepairs(store Store, files *Files, repairer Repairer) *Repairs {
	return &Repairs{store: store, files: files, repairer: repairer}
}

// Examine says what the database shows of the version, and which ways out that proves.
func (r *Repairs) Examine(ctx context.Context, by actor.Actor, v Version) (Finding, error) {
	if err := mayRead(by); err != nil {
		return Finding{}, err
	}
	ladder, err := r.repairer.Status(ctx)
	if err != nil {
		return Finding{}, err
	}
	facts, err := r.facts(ctx, by, v)
	if err != nil {
		return Finding{}, err
	}
	return ladder.Examine(r.files, v, facts)
}

func (r *Repairs) facts(ctx context.Context, by actor.Actor, v Version) ([]Fact, error) {
	sight, err := r.store.Look(ctx, by, Question{Objects: r.files.Objects(v)})
	return sight.Facts, err
}

// Repair takes a way out that the database proves, with a reason, and writes it into ledger and audit trail.
func (r *Repairs) Repair(ctx context.Context, order RepairOrder) error {
	right := actor.MigrationApply
	if order.Choice == RunDown {
		right = actor.MigrationDown
	}
	if err := mayChange(order.By, right); err != nil {
		return err
	}
	if order.Reason = strings.TrimSpace(order.Reason); order.Reason == "" {
		return fault.New(fault.Invalid, "Nothing was repaired.").WithField("reason", "Say what happened, and why this is the way out.")
	}
	event := audit.Event{
		Action: "migration:repair", ObjectKind: "migration", ObjectID: order.Version.String(), Reason: order.Reason,
		After: map[string]string{"choice": string(order.Choice), "index": order.Index},
	}
	err := r.repairer.Repair(ctx, order, func(ctx context.Context) ([]Fact, error) { return r.facts(ctx, order.By, order.Version) })
	if err != nil {
		return err
	}
	return r.store.InTenant(ctx, order.By, func(ctx context.Context, tx Tx) error { return tx.Record(ctx, event) })
}
