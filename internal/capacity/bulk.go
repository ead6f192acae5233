package capacity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// MostAtOnce is how many failures one press may change.
const MostAtOnce = 500

// UndoWithin is for how long an act on many can be taken back by whoever did it.
const UndoWithin = 10 * time.Minute

// ManyActs are the acts that can be done on many at once.
func ManyActs() []Act { return []Act{Acknowledge, Assign} }

// Bulk is an act on many.
type Bulk struct {
	ID       uuid.UUID
	Act      Act
	Reason   string
	Cases    int
	By       Person
	DoneAt   time.Time
	UndoneAt time.Time
}

// BulkTx is what acts on many may do to the database.
type BulkTx interface {
	// BulkWith is the act that the form's key has done already; false where it has not.
	BulkWith(ctx context.Context, key uuid.UUID) (Bulk, bool, error)
	Bulk(ctx context.Context, id uuid.UUID) (Bulk, bool, error)
	// Matching are the cases of a group that a query finds and an act takes, locked, at most so many.
	Matching(ctx context.Context, group uuid.UUID, q Query, states []State, most int) ([]Case, error)
	// SaveMany stores the act, and the cases with what was done to each. before is what they were.
	SaveMany(ctx context.Context, b Bulk, key uuid.UUID, before, after []Case) error
	// PutBack restores the cases that nobody has touched since the act, and says which.
	PutBack(ctx context.Context, b Bulk, by Person) ([]uuid.UUID, error)
}

// Many is an act on everything that a filter finds in a group.
type Many struct {
	Group  uuid.UUID
	Filter Query
	Act    Act
	Worker uuid.UUID
	Reason string
	Shown  int // how many the page said that it would take
	Key    uuid.UUID
}

// Many does an act on many failures, and gives what can be taken back.
func (s *Service) Many(ctx context.Context, by actor.Actor, m Many) (Bulk, error) {
	if err := by.Demand(actor.CapacityWork); err != nil {
		return Bulk{}, err
	}
	m.Reason = strings.TrimSpace(m.Reason)
	wrong := fault.New(fault.Invalid, "Something in the form has to be put right first. Nothing was changed.")
	if n := utf8.RuneCountInString(m.Reason); n < 3 || n > 2000 {
		_ = wrong.WithField("reason", "A reason for all of them, please, from 3 to 2000 characters.")
	}
	if !slices.Contains(ManyActs(), m.Act) {
		_ = wrong.WithField("act", "This cannot be done to many at once.")
	}
	if m.Act == Assign && m.Worker == uuid.Nil {
		_ = wrong.WithField("worker", "Choose who shall have them in hand.")
	}
	if wrong.Fields != nil {
		return Bulk{}, wrong
	}
	id, err := s.newID()
	if err != nil {
		return Bulk{}, err
	}
	var done Bulk
	err = s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		now, err := tx.Hold(ctx)
		if err != nil {
			return err
		}
		if first, again, err := tx.BulkWith(ctx, m.Key); err != nil || again {
			done = first
			return err
		}
		ch := Change{Act: m.Act, Notes: m.Reason}
		if m.Act == Assign {
			owner, ok, err := tx.Worker(ctx, m.Worker)
			if err != nil {
				return err
			}
			if !ok {
				return wrong.WithField("worker", "Choose somebody from the list: who has signed in here before, and may work on failures.")
			}
			ch.Owner = owner
		}
		before, err := tx.Matching(ctx, m.Group, m.Filter, m.Act.From(), MostAtOnce+1)
		if err != nil {
			return err
		}
		switch {
		case len(before) > MostAtOnce:
			return fault.New(fault.Invalid, "More than %d failures at once cannot be taken back together. Narrow the filter.", MostAtOnce)
		case len(before) == 0:
			return fault.New(fault.Conflict, "There is none left to which this can be done. Look at the list again.")
		case len(before) != m.Shown:
			return fault.New(fault.Conflict, "The page said %d failures, and there are %d now. Nothing was changed; look at the list again.", m.Shown, len(before))
		}
		after := slices.Clone(before)
		ids := make([]string, len(after))
		for i := range after {
			if err := after[i].Apply(ch, by, now); err != nil {
				return err
			}
			ids[i] = after[i].ID.String()
		}
		done = Bulk{ID: id, Act: m.Act, Reason: m.Reason, Cases: len(after), By: person(by), DoneAt: now}
		if err := tx.SaveMany(ctx, done, m.Key, before, after); err != nil {
			return err
		}
		return tx.Record(ctx, audit.Event{
			Action: "capacity:bulk", ObjectKind: "capacity_bulk", ObjectID: id.String(), Reason: m.Reason,
			Before: map[string]any{"states": tally(before), "failures": ids}, After: map[string]any{"act": m.Act, "states": tally(after), "owner": ch.Owner.Name, "failures": len(after)},
		})
	})
	return done, err
}

func tally(cases []Case) map[State]int {
	n := map[State]int{}
	for _, c := range cases {
		n[c.State]++
	}
	return n
}

// Undo takes an act on many back, for everything that nobody has touched since. It says how many were put back.
func (s *Service) Undo(ctx context.Context, by actor.Actor, id uuid.UUID) (back int, b Bulk, err error) {
	if err := by.Demand(actor.CapacityWork); err != nil {
		return 0, Bulk{}, err
	}
	err = s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		now, err := tx.Hold(ctx)
		if err != nil {
			return err
		}
		var ok bool
		if b, ok, err = tx.Bulk(ctx, id); err != nil {
			return err
		}
		switch {
		case !ok:
			return noSuch()
		case !b.By.Is(by):
			return fault.New(fault.Forbidden, "%s did this, and only they can take it back.", b.By.Name)
		case !b.UndoneAt.IsZero():
			return fault.New(fault.Conflict, "It was taken back already.")
		case now.Sub(b.DoneAt) > UndoWithin:
			return fault.New(fault.Conflict, "It can be taken back for %.0f minutes, and they are over. Change the failures one by one.", UndoWithin.Minutes())
		}
		restored, err := tx.PutBack(ctx, b, person(by))
		if err != nil {
			return err
		}
		back = len(restored)
		return tx.Record(ctx, audit.Event{
			Action: "capacity:undo", ObjectKind: "capacity_bulk", ObjectID: id.String(), Reason: b.Reason,
			Before: map[string]any{"act": b.Act, "failures": b.Cases}, After: map[string]any{"put_back": back, "left": b.Cases - back},
		})
	})
	return back, b, err
}

// UndoneWords says what became of taking an act back.
func UndoneWords(back int, b Bulk) string {
	if left := b.Cases - back; left > 0 {
		return fmt.Sprintf("%d were put back; %d had been touched since and stay as they are.", back, left)
	}
	return fmt.Sprintf("All %d were put back.", back)
}
