package capacity

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

// Request is an act on one failure, as its form sends it.
type Request struct {
	Failure uuid.UUID
	Seen    int // the version that the page showed
	Act     Act
	Worker  uuid.UUID // assign: to whom
	Code    Code      // fix
	Notes   string
	Until   time.Time // accept: the last day, at midnight UTC
}

// LongestAcceptance is for how many days something may be put up with before somebody has to say so anew.
const LongestAcceptance = 90

// leastNote is how long a note is at least where the schema asks for one.
const leastNote = 10

// rightFor is what an act takes.
func rightFor(act Act) actor.Right {
	switch act {
	case Accept, Reopen:
		return actor.CapacityAccept
	case Acknowledge, Assign, FixIt, Verify, Doubt, Recur, Expire, First, Undone:
	}
	return actor.CapacityWork
}

func (r Request) check(now time.Time) error {
	refused := fault.New(fault.Invalid, "Something in the form has to be put right first. Nothing was changed.")
	notes := utf8.RuneCountInString(strings.TrimSpace(r.Notes))
	switch r.Act {
	case FixIt, Accept, Doubt, Reopen:
		if notes < leastNote {
			_ = refused.WithField("notes", fmt.Sprintf("At least %d characters, please, for those who read this in a year.", leastNote))
		}
	case Acknowledge, Assign, Verify, Recur, Expire, First, Undone:
	}
	if notes > 2000 {
		_ = refused.WithField("notes", "At most 2000 characters, please.")
	}
	if r.Act == FixIt {
		known := false
		for _, code := range Codes() {
			known = known || code == r.Code
		}
		if !known {
			_ = refused.WithField("code", "Choose what settled it.")
		}
	}
	if r.Act == Assign && r.Worker == uuid.Nil {
		_ = refused.WithField("worker", "Choose who shall have it in hand.")
	}
	if r.Act == Accept {
		today := day(now)
		switch {
		case !r.Until.After(today):
			_ = refused.WithField("until", "Tomorrow at the earliest: an acceptance that ends today says nothing.")
		case r.Until.After(today.AddDate(0, 0, LongestAcceptance)):
			_ = refused.WithField("until", fmt.Sprintf("At most %d days ahead. What lasts longer is accepted anew, by somebody who has looked again.", LongestAcceptance))
		}
	}
	if refused.Fields != nil {
		return refused
	}
	return nil
}

// day is the day of a moment, at midnight UTC.
func day(at time.Time) time.Time {
	y, m, d := at.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// Act does one act on one failure.
func (s *Service) Act(ctx context.Context, by actor.Actor, r Request) error {
	if err := by.Demand(rightFor(r.Act)); err != nil {
		return err
	}
	r.Notes = strings.TrimSpace(r.Notes)
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		now, err := tx.Hold(ctx)
		if err != nil {
			return err
		}
		c, ok, err := tx.Case(ctx, r.Failure)
		if err != nil {
			return err
		}
		if !ok {
			return noSuch()
		}
		if c.Version != r.Seen {
			return overtaken(ctx, tx, by, c, r.Seen, r.Act)
		}
		if err := r.check(now); err != nil {
			return err
		}
		ch := Change{Act: r.Act, Code: r.Code, Notes: r.Notes, Until: r.Until}
		if r.Act == Assign {
			if ch.Owner, ok, err = tx.Worker(ctx, r.Worker); err != nil {
				return err
			}
			if !ok {
				return fault.New(fault.Invalid, "Something in the form has to be put right first. Nothing was changed.").
					WithField("worker", "Choose somebody from the list: who has signed in here before, and may work on failures.")
			}
		}
		return s.do(ctx, tx, by, c, ch, now)
	})
}

// do applies a change, keeps it, and writes it down.
func (s *Service) do(ctx context.Context, tx Tx, by actor.Actor, c Case, ch Change, now time.Time) error {
	before, state := c.Facts(), c.State
	if err := c.Apply(ch, by, now); err != nil {
		return err
	}
	if err := tx.Save(ctx, c, Event{Version: c.Version, Act: ch.Act, From: state, To: c.State, Note: ch.Notes, By: person(by)}); err != nil {
		return err
	}
	return tx.Record(ctx, audit.Event{
		Action: "capacity:" + string(ch.Act), ObjectKind: objectKind, ObjectID: c.ID.String(), Reason: ch.Notes, Before: before, After: c.Facts(),
	})
}

// overtaken says what others did since the page was drawn. A button that was pressed twice did it once.
func overtaken(ctx context.Context, tx Tx, by actor.Actor, c Case, seen int, act Act) error {
	events, err := tx.Since(ctx, c.ID, seen)
	if err != nil {
		return err
	}
	if len(events) == 1 && events[0].Act == act && events[0].By.Is(by) && events[0].Bulk == uuid.Nil {
		return nil
	}
	var said []string
	for _, e := range events {
		said = append(said, fmt.Sprintf("%s by %s", e.Act.Past(), e.By.Name))
	}
	return fault.New(fault.Conflict, "Others were quicker, and nothing of yours was changed. Since you opened the page this failure was %s. It is %s now. Look at it again.",
		strings.Join(said, ", then "), c.State)
}

// Past is what an act did, as people say it.
func (a Act) Past() string {
	switch a {
	case Acknowledge:
		return "acknowledged"
	case Assign:
		return "assigned"
	case FixIt:
		return "fixed"
	case Verify:
		return "verified"
	case Doubt:
		return "found not to hold"
	case Accept:
		return "accepted until a day"
	case Reopen:
		return "reopened"
	case Recur:
		return "seen again"
	case Expire:
		return "opened because its acceptance was over"
	case Undone:
		return "put back"
	case First:
		return "recorded"
	}
	return string(a)
}

// What else stands in a history.
const (
	First  Act = "record"
	Undone Act = "undo"
)
