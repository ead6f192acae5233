package crossdock

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Arrival is that a lot was put down, and where.
type Arrival struct {
	Cancellation uuid.UUID
	Scanned      string // code or barcode of the location
	// Sure is a code that was asked back about and scanned again.
	Sure string
}

// StoredLot is where a lot lies now.
type StoredLot struct {
	Cancellation Cancellation
	// Repeat says that it had been stored there before, and nothing was done.
	Repeat bool
}

// AsksBack is the refusal of a place that is possible but not the one that was told, or too small by the figures. Scanning it once
// more says that it is meant.
const AsksBack = "sure"

// StoreAt ends the errand where the lot really was put: the lot moves, the transfer is written and the cancellation ends, at once.
func (s *Service) StoreAt(ctx context.Context, by actor.Actor, a Arrival) (StoredLot, error) {
	if err := by.Demand(actor.CrossDockStore); err != nil {
		return StoredLot{}, err
	}
	var done StoredLot
	err := s.inTenant(ctx, by, func(ctx context.Context, tx Tx, now time.Time) error {
		c, ok, err := tx.Cancellation(ctx, a.Cancellation)
		if err != nil || !ok {
			if err == nil {
				err = noSuch()
			}
			return err
		}
		b, ok, err := tx.Bin(ctx, c.Lot.Need(c.ID), a.Scanned)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.Invalid, "Nothing was stored.").WithField("place", "There is no location "+clip(a.Scanned)+" in "+c.Lot.Facility.Code+". Scan the barcode of the place where the lot lies.")
		}
		if !c.Open() {
			if c.Actual.ID == b.ID {
				done = StoredLot{Cancellation: c, Repeat: true}
				return nil
			}
			return fault.New(fault.Conflict, "Lot %s was stored in %s by %s already. Nothing was moved.", c.Lot.Number, c.Actual.Code, c.StoredBy)
		}
		if err := accept(c, b, a.Sure); err != nil {
			return err
		}
		done.Cancellation, err = s.finish(ctx, tx, by, c, b, now)
		return err
	})
	return done, err
}

func clip(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return text
}

// accept judges a scanned place: what a rule forbids is refused; what is only not as told is asked back about once.
func accept(c Cancellation, b Bin, sure string) error {
	n := c.Lot.Need(c.ID)
	if why := n.Refuses(b); why != "" {
		return fault.New(fault.Invalid, "Nothing was stored.").WithField("place", why)
	}
	var doubts []string
	if c.To.Known() && c.To.ID != b.ID {
		doubts = append(doubts, b.Code+" is not "+c.To.Code+".")
	}
	if b.ID != c.Lot.At.ID {
		if why := n.Misfits(b); why != "" {
			doubts = append(doubts, why)
		}
	}
	if len(doubts) == 0 || strings.EqualFold(strings.TrimSpace(sure), b.Code) {
		return nil
	}
	return fault.New(fault.Invalid, "Nothing was stored yet.").
		WithField("place", strings.Join(doubts, " ")+" Scan "+b.Code+" once more if the lot really lies there.").
		WithField(AsksBack, b.Code)
}

func (s *Service) finish(ctx context.Context, tx Tx, by actor.Actor, c Cancellation, b Bin, now time.Time) (Cancellation, error) {
	before := c.Facts()
	from := c.Lot.At
	if from.ID != b.ID {
		if err := tx.Move(ctx, c, b.Spot); err != nil {
			return c, err
		}
	}
	c.Actual, c.StoredAt, c.StoredBy = b.Spot, now, by.Name
	c.Lot.At = b.Spot
	c.Version++
	if err := tx.Finish(ctx, c); err != nil {
		return c, err
	}
	note := "Stored where it was told."
	switch {
	case from.ID == b.ID:
		note = "It was recorded there already; nothing moved."
	case !c.To.Known():
		note = "Stored before a place was told."
	case c.To.ID != b.ID:
		note = "Stored elsewhere than told: not in " + c.To.Code + "."
	}
	if err := tx.AddEvent(ctx, c.ID, Event{Act: actStore, Note: note, From: from.Code, To: b.Code, By: person(by)}); err != nil {
		return c, err
	}
	return c, tx.Record(ctx, audit.Event{Action: "crossdock:store", ObjectKind: objectKind, ObjectID: c.ID.String(), Reason: note, Before: before, After: c.Facts()})
}

// Choice is another place that a person chose.
type Choice struct {
	Cancellation uuid.UUID
	Seen         int // the version that the person saw
	Location     string
	Note         string
}

// Choose promises the place that a person wants.
func (s *Service) Choose(ctx context.Context, by actor.Actor, ch Choice) error {
	if err := by.Demand(actor.CrossDockManage); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(strings.TrimSpace(ch.Note)); n < 3 || n > NotesMost {
		return fault.New(fault.Invalid, "Nothing was changed.").WithField("note", "Say why, in 3 to 2,000 characters.")
	}
	return s.inTenant(ctx, by, func(ctx context.Context, tx Tx, _ time.Time) error {
		c, err := s.openOne(ctx, tx, ch.Cancellation, ch.Seen)
		if err != nil {
			return err
		}
		n := c.Lot.Need(c.ID)
		b, ok, err := tx.Bin(ctx, n, strings.TrimSpace(ch.Location))
		if err != nil {
			return err
		}
		why := n.Refuses(b)
		if ok && why == "" {
			why = n.Misfits(b)
		}
		switch {
		case !ok:
			why = "There is no such location in " + c.Lot.Facility.Code + "."
		case b.ID == c.To.ID:
			why = "That is where it is to go already."
		}
		if why != "" {
			return fault.New(fault.Invalid, "Nothing was changed.").WithField("location", why)
		}
		before := c.Facts()
		was := c.To
		c.To, c.Why = b.Spot, by.Name+" chose it: "+strings.TrimSpace(ch.Note)
		c.Version++
		if err := tx.Put(ctx, c); err != nil {
			return err
		}
		if err := tx.AddEvent(ctx, c.ID, Event{Act: actChoose, Note: strings.TrimSpace(ch.Note), From: was.Code, To: b.Code, By: person(by)}); err != nil {
			return err
		}
		return tx.Record(ctx, audit.Event{Action: "crossdock:choose", ObjectKind: objectKind, ObjectID: c.ID.String(), Reason: ch.Note, Before: before, After: c.Facts()})
	})
}

func (s *Service) openOne(ctx context.Context, tx Tx, id uuid.UUID, seen int) (Cancellation, error) {
	c, ok, err := tx.Cancellation(ctx, id)
	switch {
	case err != nil:
		return c, err
	case !ok:
		return c, noSuch()
	case !c.Open():
		return c, fault.New(fault.Conflict, "Lot %s was stored in %s by %s already.", c.Lot.Number, c.Actual.Code, c.StoredBy)
	case seen != c.Version:
		return c, fault.New(fault.Conflict, "Somebody else has just changed this. Look at the page again.")
	}
	return c, nil
}

// Retry looks for a place now, in place of waiting for the scheduler.
func (s *Service) Retry(ctx context.Context, by actor.Actor, id uuid.UUID, seen int) (Cancellation, error) {
	if err := by.Demand(actor.CrossDockManage); err != nil {
		return Cancellation{}, err
	}
	var done Cancellation
	err := s.inTenant(ctx, by, func(ctx context.Context, tx Tx, _ time.Time) (err error) {
		if done, err = s.openOne(ctx, tx, id, seen); err != nil {
			return err
		}
		before := done.Facts()
		if err := s.replace(ctx, tx, by, &done); err != nil {
			return err
		}
		return tx.Record(ctx, audit.Event{Action: "crossdock:place", ObjectKind: objectKind, ObjectID: id.String(), Reason: "looked again by hand", Before: before, After: done.Facts()})
	})
	return done, err
}

// atOnce is how many the scheduler looks at in one turn.
const atOnce = 200

// Settle looks for places for those that have none, or whose place does not hold any more: each in a transaction of its own, so
// that one that fails keeps no other from its place. It says how many it gave a place to.
func (s *Service) Settle(ctx context.Context, by actor.Actor) (settled int, err error) {
	var ids []uuid.UUID
	err = s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		deployed, err := tx.Deployed(ctx)
		if err != nil || !deployed {
			return err
		}
		ids, err = tx.Unsettled(ctx, atOnce)
		return err
	})
	if err != nil {
		return 0, err
	}
	var failed error
	for _, id := range ids {
		placed := false
		err := s.inTenant(ctx, by, func(ctx context.Context, tx Tx, _ time.Time) error {
			c, ok, err := tx.Cancellation(ctx, id)
			if err != nil || !ok || !c.Open() {
				return err
			}
			before, was := c.Facts(), c.To
			if err := s.replace(ctx, tx, by, &c); err != nil {
				return err
			}
			if c.To.ID == was.ID {
				return nil
			}
			placed = c.To.Known()
			return tx.Record(ctx, audit.Event{Action: "crossdock:place", ObjectKind: objectKind, ObjectID: id.String(), Reason: c.Why, Before: before, After: c.Facts()})
		})
		switch {
		case err != nil:
			failed = fmt.Errorf("finding a place for %s: %w", id, err)
		case placed:
			settled++
		}
	}
	return settled, failed
}

// Limit is how long goods may stand in a zone of the dock. An empty zone is any zone of the facility that has none of its own.
type Limit struct {
	Facility Place
	Zone     string
	Within   time.Duration
	By       string
}

// DefaultLimit holds where nobody has set one.
const DefaultLimit = 4 * time.Hour

// longestLimit is a week: what may stand longer is not at a dock.
const longestLimit = 7 * 24 * time.Hour

// SetLimit sets how long goods may stand in a zone of the dock.
func (s *Service) SetLimit(ctx context.Context, by actor.Actor, l Limit) error {
	if err := by.Demand(actor.CrossDockManage); err != nil {
		return err
	}
	if l.Within < time.Minute || l.Within > longestLimit {
		return fault.New(fault.Invalid, "The limit was not changed.").WithField("minutes", "Between 1 minute and 7 days (10080 minutes), please.")
	}
	if utf8.RuneCountInString(l.Zone) > 50 {
		return fault.New(fault.Invalid, "The limit was not changed.").WithField("zone", "At most 50 characters, please.")
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		f, ok, err := tx.Facility(ctx, l.Facility.ID)
		if err != nil || !ok {
			if err == nil {
				err = noSuch()
			}
			return err
		}
		l.Facility, l.By = f, by.Name
		before, err := tx.SetLimit(ctx, l)
		if err != nil {
			return err
		}
		where := strings.TrimSpace(f.Code + " " + l.Zone)
		return tx.Record(ctx, audit.Event{
			Action: "crossdock:limit", ObjectKind: "dock_limit", ObjectID: where,
			Before: map[string]any{"minutes": int(before.Minutes())}, After: map[string]any{"minutes": int(l.Within.Minutes())},
		})
	})
}
