package capacity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
)

// WalkTx is what the walk through the transactions may do to the database.
type WalkTx interface {
	// Step gives the next transactions that put something into a bin, oldest first, after where the walk stands, each with
	// what is in the bin now; and keeps that they were looked at. It begins with those of the last day.
	Step(ctx context.Context, most int) ([]Putaway, error)
	// Stand keeps where the walk stands.
	Stand(ctx context.Context, looked, found int, problem string) error
	// Strangers are failures that somebody wrote into the warehouse's own table, without a case.
	Strangers(ctx context.Context, most int) ([]Stranger, error)
	// Ending are accepted cases whose last day is before the day, locked.
	Ending(ctx context.Context, before time.Time, most int) ([]Case, error)
	// Deliver copies into the warehouse's table what the outbox says of alerts, and says how many.
	Deliver(ctx context.Context) (int, error)
}

// Putaway is a transaction that put goods into a bin.
type Putaway struct {
	ID                           uuid.UUID
	Facility, Location, Material string
	Lot                          string
	// Quantity is how many pieces, at most as many as the lot still has there: what was picked since needs no room.
	Quantity Decimal
	At       time.Time
	By       uuid.UUID
	// Unit is one piece by the master data; nil where its volume or its weight is unknown, and then nothing can be judged.
	Unit *Load
	// Free is what the bin has left without these pieces; nil where nobody said what it holds.
	Free *Load
	// Still says that the lot lies in that bin. What has left it again is nobody's trouble any more.
	Still bool
}

// Stranger is a failure without a case, as it stands in the warehouse's table.
type Stranger struct {
	ID       uuid.UUID
	Sighting Sighting
	Scene    Scene
	Opened   time.Time
	Resolved bool
}

// Sighting says what does not fit about a putaway; false where it fits, or nobody can say.
func (p Putaway) Sighting() (Sighting, bool) {
	if !p.Still || p.Unit == nil || p.Free == nil || !p.Quantity.IsPositive() {
		return Sighting{}, false
	}
	needed := Load{p.Unit.CubicFeet.Mul(p.Quantity).Round(figures), p.Unit.WeightLbs.Mul(p.Quantity).Round(figures)}
	if needed.Fits(*p.Free) {
		return Sighting{}, false
	}
	return Sighting{
		Key: p.ID.String(), Facility: p.Facility, Location: p.Location, Material: p.Material, Lot: p.Lot, Quantity: p.Quantity, Needed: needed, Free: *p.Free,
		At: p.At, MovedBy: p.By, Source: ByTransaction,
	}, true
}

var (
	one   = decimal.NewFromInt(1)
	least = decimal.RequireFromString("0.0001")
)

// aStep is how many transactions one step of the walk looks at.
const aStep = 500

// Walked is what a walk did.
type Walked struct{ Looked, Found, Adopted, Expired, Delivered int }

// Walk looks at the transactions that came since it last did, takes in failures that stand in the warehouse's table without
// a case, ends acceptances whose day is over, and copies what became of alerts. Where the warehouse has no table of failures
// there is nothing to do. Each step is a transaction of its own.
func (s *Service) Walk(ctx context.Context, by actor.Actor) (Walked, error) {
	var sum Walked
	for {
		var step Walked
		deployed := false
		err := s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
			step = Walked{}
			now, err := tx.Hold(ctx)
			if err != nil {
				return err
			}
			if deployed, err = tx.Deployed(ctx); err != nil || !deployed {
				return err
			}
			if err := s.step(ctx, tx, by, now, &step); err != nil {
				return err
			}
			return s.tidy(ctx, tx, by, now, &step)
		})
		if err != nil || !deployed {
			return sum, err
		}
		sum.Looked, sum.Found, sum.Adopted = sum.Looked+step.Looked, sum.Found+step.Found, sum.Adopted+step.Adopted
		sum.Expired, sum.Delivered = sum.Expired+step.Expired, sum.Delivered+step.Delivered
		if step.Looked < aStep && step.Adopted < aStep && step.Expired < aStep {
			return sum, nil
		}
	}
}

func (s *Service) step(ctx context.Context, tx Tx, by actor.Actor, now time.Time, w *Walked) error {
	putaways, err := tx.Step(ctx, aStep)
	if err != nil {
		return err
	}
	problem := ""
	for _, p := range putaways {
		w.Looked++
		seen, ok := p.Sighting()
		if !ok {
			continue
		}
		if seen.At.Before(now.Add(-oldestSighting)) {
			seen.At = now.Add(-oldestSighting) // its date says when it was said to be; it was written now
		}
		if refused := seen.check(now); refused != nil {
			problem = fmt.Sprintf("transaction %s: %s", p.ID, refused)
			continue
		}
		if _, err := s.record(ctx, tx, by, seen, now); err != nil {
			return fmt.Errorf("transaction %s: %w", p.ID, err)
		}
		w.Found++
	}
	return tx.Stand(ctx, w.Looked, w.Found, problem)
}

func (s *Service) tidy(ctx context.Context, tx Tx, by actor.Actor, now time.Time, w *Walked) error {
	strangers, err := tx.Strangers(ctx, aStep)
	if err != nil {
		return err
	}
	for _, x := range strangers {
		if err := s.adopt(ctx, tx, x); err != nil {
			return err
		}
		w.Adopted++
	}
	ended, err := tx.Ending(ctx, day(now), aStep)
	if err != nil {
		return err
	}
	for _, c := range ended {
		why := "Its acceptance until " + c.AcceptUntil.Format(time.DateOnly) + " by " + c.AcceptedBy.Name + " is over."
		if err := s.do(ctx, tx, by, c, Change{Act: Expire, Notes: why}, now); err != nil {
			return err
		}
		c.Reopened++
		c.OpenedAt = now
		if err := tx.Tell(ctx, alerts(c)); err != nil {
			return err
		}
		w.Expired++
	}
	w.Delivered, err = tx.Deliver(ctx)
	return err
}

// adopt makes the case of a failure that somebody wrote into the warehouse's own table.
func (s *Service) adopt(ctx context.Context, tx Tx, x Stranger) error {
	verdict, exceeded := Judge(x.Sighting.Needed, x.Sighting.Free)
	if !exceeded {
		return nil // the table's own constraint lets no such row in
	}
	e := x.Scene.Evidence
	// The table does not say how many pieces it was; by the master data they are as many as need that volume.
	x.Sighting.Quantity = one
	if e.UnitVolume != nil && e.UnitVolume.IsPositive() {
		x.Sighting.Quantity = decimal.Max(x.Sighting.Needed.CubicFeet.DivRound(*e.UnitVolume, figures), least)
	}
	e.Needed, e.Free = x.Sighting.Needed, x.Sighting.Free // and of pieces that were worked out nothing can be concluded
	g := GuessCause(e)
	c := Case{
		ID: x.ID, Facility: x.Scene.Facility, Location: x.Scene.Location, LocationType: x.Scene.LocationType, Zone: x.Scene.Zone, Material: x.Scene.Material,
		Lot: x.Sighting.Lot, Quantity: x.Sighting.Quantity, Needed: x.Sighting.Needed, Free: x.Sighting.Free, Verdict: verdict,
		BinCubicFeet: e.BinVolume, BinMaxWeight: e.BinMaxWeight, UnitCubicFeet: e.UnitVolume, UnitWeight: e.UnitWeight,
		Cause: g.Cause, Reason: g.Reason, State: New, Version: 1, Occurrences: 1, FirstSeen: x.Opened, LastSeen: x.Sighting.At, OpenedAt: x.Opened, Source: ByTable,
	}
	if err := tx.Adopt(ctx, c, g); err != nil {
		return err
	}
	if err := tx.Tell(ctx, alerts(c)); err != nil {
		return err
	}
	return tx.Record(ctx, audit.Event{Action: "capacity:adopt", ObjectKind: objectKind, ObjectID: c.ID.String(), Reason: x.Sighting.words(), After: c.Facts()})
}
