package crossdock

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Request asks to cancel a cross-dock, with what is named by code.
type Request struct {
	// Key names the request for whoever sends it: the same key is the same request.
	Key           string
	Facility, Lot string
	Material      string // what the lot holds, to be sure; empty: not said
	Reason        Reason
	Staging       string // where it stands; empty: where the lot is recorded
	Order         string // the number of the order it was for; empty: not said
	Notes         string
	// ArrivedAt is since when it stands at the dock; zero: when the warehouse last moved it there, and else from now on.
	ArrivedAt      time.Time
	Recommendation uuid.UUID // that brought it to the dock; zero: none
}

// Told is what a key stands for.
type Told struct {
	Cancellation         uuid.UUID
	Teller, Key, Content string
	Outcome              Outcome
}

// Outcome is what became of a request.
type Outcome string

// The outcomes.
const (
	Recorded Outcome = "recorded" // there is a new cancellation
	Already  Outcome = "open"     // the lot had one that is open
	Held     Outcome = "held"     // it had one, and is held for its quality from now on
	Repeated Outcome = "repeated" // the key was sent before; nothing was done
)

// Cancelled is a request that was taken in.
type Cancelled struct {
	Cancellation Cancellation
	Outcome      Outcome
}

// Content is what a request says, so that one key cannot say two things.
func (r Request) Content() string {
	sum := sha256.New()
	for _, text := range []string{r.Facility, r.Lot, r.Material, string(r.Reason), r.Staging, r.Order, r.Notes, r.Recommendation.String()} {
		_, _ = fmt.Fprintf(sum, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// teller is who asks, as the keys of one are no other's.
func teller(by actor.Actor) string { return by.Issuer + " " + by.Subject }

// NotesMost is how long a note may be.
const NotesMost = 2000

// How long ago a lot may have come to the dock, and how far ahead of our clock.
const (
	oldestArrival = 30 * 24 * time.Hour
	clockLeeway   = 5 * time.Minute
)

func (r Request) check(now time.Time) error {
	refused := fault.New(fault.Invalid, "Something in it has to be put right first. Nothing was recorded.")
	for _, f := range []struct {
		name, value string
		most        int
		needed      bool
	}{
		{"idempotency_key", r.Key, 200, true},
		{"facility", r.Facility, 50, true},
		{"lot", r.Lot, 100, true},
		{"material", r.Material, 100, false},
		{"staging_location", r.Staging, 50, false},
		{"sales_order", r.Order, 50, false},
		{"notes", r.Notes, NotesMost, false},
	} {
		switch n := utf8.RuneCountInString(f.value); {
		case f.needed && strings.TrimSpace(f.value) == "":
			_ = refused.WithField(f.name, "This is needed.")
		case n > f.most:
			_ = refused.WithField(f.name, fmt.Sprintf("At most %d characters, please; these are %d.", f.most, n))
		}
	}
	if !r.Reason.Known() {
		_ = refused.WithField("reason", "One of ORDER_CANCELLED, ORDER_DELAYED, QUANTITY_MISMATCH, MATERIAL_QUALITY_ISSUE and MANUAL_OVERRIDE, please.")
	}
	switch {
	case r.ArrivedAt.IsZero():
	case r.ArrivedAt.After(now.Add(clockLeeway)):
		_ = refused.WithField("arrived_at", "That is in the future by our clock.")
	case r.ArrivedAt.Before(now.Add(-oldestArrival)):
		_ = refused.WithField("arrived_at", "That is longer ago than 30 days.")
	}
	if refused.Fields != nil {
		return refused
	}
	return nil
}

// Cancel writes down that a lot at the dock is no longer for its order, and finds it a new place. Without one it waits, and is
// written down all the same.
func (s *Service) Cancel(ctx context.Context, by actor.Actor, r Request) (Cancelled, error) {
	if err := by.Demand(actor.CrossDockCancel); err != nil {
		return Cancelled{}, err
	}
	var done Cancelled
	err := s.inTenant(ctx, by, func(ctx context.Context, tx Tx, now time.Time) (err error) {
		done, err = s.cancel(ctx, tx, by, r, now)
		return err
	})
	return done, err
}

// inTenant does work alone in the tenant, where the warehouse has the table.
func (s *Service) inTenant(ctx context.Context, by actor.Actor, work func(context.Context, Tx, time.Time) error) error {
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		now, err := tx.Hold(ctx)
		if err != nil {
			return err
		}
		if deployed, err := tx.Deployed(ctx); err != nil || !deployed {
			if err == nil {
				err = NotDeployed()
			}
			return err
		}
		return work(ctx, tx, now)
	})
}

func (s *Service) cancel(ctx context.Context, tx Tx, by actor.Actor, r Request, now time.Time) (Cancelled, error) {
	if err := r.check(now); err != nil {
		return Cancelled{}, err
	}
	before, told, err := tx.Told(ctx, teller(by), r.Key)
	if err != nil {
		return Cancelled{}, err
	}
	if told {
		return repeated(ctx, tx, r, before)
	}
	l, ok, err := tx.Lot(ctx, r.Facility, r.Lot, now)
	if err != nil {
		return Cancelled{}, err
	}
	if !ok {
		return Cancelled{}, fault.New(fault.NotFound, "There is no such facility, or no such lot in it. Nothing was recorded.").
			WithField("lot", "This facility has no lot of that number.")
	}
	done, err := s.open(ctx, tx, by, r, l, now)
	if err != nil {
		return Cancelled{}, err
	}
	return done, tx.AddTold(ctx, done.Cancellation, Told{Teller: teller(by), Key: r.Key, Content: r.Content(), Outcome: done.Outcome})
}

func repeated(ctx context.Context, tx Tx, r Request, before Told) (Cancelled, error) {
	if before.Content != r.Content() {
		return Cancelled{}, fault.New(fault.Conflict, "This idempotency key has said something else before. Nothing was recorded; a new cancellation needs a new key.")
	}
	c, ok, err := tx.Cancellation(ctx, before.Cancellation)
	if err == nil && !ok {
		err = noSuch()
	}
	return Cancelled{Cancellation: c, Outcome: Repeated}, err
}

// open makes the cancellation of a lot, or finds the one that is open.
func (s *Service) open(ctx context.Context, tx Tx, by actor.Actor, r Request, l Lot, now time.Time) (Cancelled, error) {
	if r.Material != "" && r.Material != l.Material.Code {
		return Cancelled{}, fault.New(fault.Invalid, "The lot holds something else. Nothing was recorded.").
			WithField("material", "Lot "+l.Number+" is of "+l.Material.Code+".")
	}
	if c, found, err := tx.OpenOf(ctx, l); err != nil || found {
		if err != nil {
			return Cancelled{}, err
		}
		return s.again(ctx, tx, by, r, c)
	}
	if l.Gone || !l.Quantity.IsPositive() {
		return Cancelled{}, fault.New(fault.Conflict, "Nothing is left of lot %s. Nothing was recorded.", l.Number)
	}
	c := Cancellation{Lot: l, Reason: r.Reason, Staging: l.At, At: now, Since: r.ArrivedAt, By: by.Name, Notes: r.Notes, Version: 1}
	if c.Since.IsZero() {
		c.Since = l.ArrivedAt
	}
	if c.Since.IsZero() {
		c.Since = now
	}
	if err := named(ctx, tx, r, &c); err != nil {
		return Cancelled{}, err
	}
	var err error
	if c.ID, err = s.newID(); err != nil {
		return Cancelled{}, err
	}
	held := r.Reason == QualityIssue && !l.OnHold()
	if held {
		if err := tx.HoldLot(ctx, l); err != nil {
			return Cancelled{}, err
		}
	}
	if r.Reason == QualityIssue && !c.Lot.OnHold() {
		c.Lot.Quality = "HOLD"
	}
	chosen, err := s.placer.Place(ctx, c.Lot.Need(c.ID), tx.Shelves(c.Lot.Need(c.ID)))
	if err != nil {
		return Cancelled{}, err
	}
	c.take(chosen)
	if err := tx.Add(ctx, c, r.Recommendation); err != nil {
		return Cancelled{}, err
	}
	events := []Event{{Act: actCancel, Note: strings.TrimSpace(r.Reason.Words() + ". " + r.Notes), From: c.Staging.Code, By: person(by)}}
	if held {
		events = append(events, Event{Act: actHold, Note: "The lot is on hold.", By: person(by)})
	}
	events = append(events, c.placed(person(by)))
	for _, e := range events {
		if err := tx.AddEvent(ctx, c.ID, e); err != nil {
			return Cancelled{}, err
		}
	}
	return Cancelled{c, Recorded}, tx.Record(ctx, audit.Event{Action: "crossdock:cancel", ObjectKind: objectKind, ObjectID: c.ID.String(), Reason: r.Reason.Words(), After: c.Facts()})
}

// named looks up what a request names beside the lot.
func named(ctx context.Context, tx Tx, r Request, c *Cancellation) error {
	if r.Staging != "" {
		spot, ok, err := tx.Spot(ctx, c.Lot.Facility.ID, r.Staging)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.NotFound, "There is no such location in this facility. Nothing was recorded.").WithField("staging_location", "This facility has no such location.")
		}
		c.Staging = spot
	}
	if r.Order != "" {
		order, ok, err := tx.SalesOrder(ctx, c.Lot.Facility.ID, r.Order)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.NotFound, "There is no such order in this facility. Nothing was recorded.").WithField("sales_order", "This facility has no order of that number.")
		}
		c.Order = order
	}
	return nil
}

// take makes a placement the cancellation's own.
func (c *Cancellation) take(p Placement) {
	c.To, c.Why = Spot{}, p.Why
	if p.Bin != nil {
		c.To = p.Bin.Spot
	}
}

// placed is the event of the place that the cancellation has now.
func (c Cancellation) placed(by Person) Event {
	if !c.To.Known() {
		return Event{Act: actUnplace, Note: c.Why, By: by}
	}
	return Event{Act: actPlace, Note: c.Why, From: c.Lot.At.Code, To: c.To.Code, By: by}
}

// again is told of a lot that has an open cancellation. A quality issue is not lost by that: the lot is held, and goes elsewhere.
func (s *Service) again(ctx context.Context, tx Tx, by actor.Actor, r Request, c Cancellation) (Cancelled, error) {
	before := c.Facts()
	if err := tx.AddEvent(ctx, c.ID, Event{Act: actTold, Note: strings.TrimSpace(r.Reason.Words() + ". " + r.Notes), By: person(by)}); err != nil {
		return Cancelled{}, err
	}
	outcome := Already
	if r.Reason == QualityIssue && !c.Lot.OnHold() {
		outcome = Held
		if err := tx.HoldLot(ctx, c.Lot); err != nil {
			return Cancelled{}, err
		}
		if err := tx.AddEvent(ctx, c.ID, Event{Act: actHold, Note: "The lot is on hold.", By: person(by)}); err != nil {
			return Cancelled{}, err
		}
		c.Lot.Quality = "HOLD"
		if err := s.replace(ctx, tx, by, &c); err != nil {
			return Cancelled{}, err
		}
	}
	return Cancelled{c, outcome}, tx.Record(ctx, audit.Event{
		Action: "crossdock:cancel", ObjectKind: objectKind, ObjectID: c.ID.String(), Reason: "told again: " + r.Reason.Words(), Before: before, After: c.Facts(),
	})
}

// replace gives an open cancellation the place that is best now, and keeps it.
func (s *Service) replace(ctx context.Context, tx Tx, by actor.Actor, c *Cancellation) error {
	n := c.Lot.Need(c.ID)
	chosen, err := s.placer.Place(ctx, n, tx.Shelves(n))
	if err != nil {
		return err
	}
	was := c.To
	c.take(chosen)
	if c.To.ID == was.ID {
		return tx.Tried(ctx, *c)
	}
	c.Version++
	if err := tx.Put(ctx, *c); err != nil {
		return err
	}
	e := c.placed(person(by))
	if was.Known() && !c.To.Known() {
		e.From = was.Code
	}
	return tx.AddEvent(ctx, c.ID, e)
}
