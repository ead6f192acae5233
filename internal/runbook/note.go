package runbook

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Note is what somebody said beside an item: a comment, or why they took it over.
type Note struct {
	Words string
	// From is whom the item was taken over from; nobody where it is a comment.
	From Person
	By   Person
	At   time.Time
}

// TakenOver is an item that somebody took over from a person (Note.From) who has not got it back.
type TakenOver struct {
	Item  ItemID
	Title string
	Note
}

// ErrSaidOtherwise refuses a form that has been used for other words: a browser goes back to a page with its old key.
var ErrSaidOtherwise = fault.New(fault.Conflict, "This form has said something already, and that stands. What you typed now is not stored yet: press once more to say it as well.")

// Comment says something beside an item. It changes nothing of the item, so nobody is overtaken by it; key is the form's.
func (s *Service) Comment(ctx context.Context, by actor.Actor, run uuid.UUID, item ItemID, words string, key uuid.UUID) error {
	if err := by.Demand(actor.ItemWork); err != nil {
		return err
	}
	words = strings.TrimSpace(words)
	complaint := unstorable(words)
	switch n := utf8.RuneCountInString(words); {
	case complaint != "":
	case n == 0:
		complaint = "Write what you want to say."
	case n > maxNote:
		complaint = "At most 2000 characters, please. What is longer can be attached as a file."
	}
	if complaint != "" {
		return fault.New(fault.Invalid, "The comment cannot be taken as it is. Nothing was changed.").WithField("comment", complaint)
	}
	if key == uuid.Nil {
		return fault.New(fault.Invalid, "The form has lost its key. Open the item again.")
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		plan, err := tx.LockPlan(ctx, run)
		if err != nil {
			return err
		}
		if _, ok := plan.Item(item); !ok {
			return noItem()
		}
		if plan.Run.Ended() {
			return fault.New(fault.Conflict, "This release is over, so nothing is added to it any more.")
		}
		added, err := tx.AddNote(ctx, run, item, Note{Words: words, By: personOf(by)}, key)
		if err != nil || !added {
			return err
		}
		return tx.Record(ctx, audit.Event{
			Action: "item:comment", ObjectKind: "item", ObjectID: run.String() + "/" + string(item), Before: map[string]any{}, After: map[string]any{"comment": words},
		})
	})
}

// TakeOver takes an item out of somebody else's hands, with a note that they and everybody can read.
func (s *Service) TakeOver(ctx context.Context, by actor.Actor, seen Seen, note string) error {
	note = strings.TrimSpace(note)
	if complaint := checkReason(note); complaint != "" {
		return fault.New(fault.Invalid, "A note is needed for whoever had it. Nothing was changed.").WithField("reason", complaint)
	}
	key, err := s.newID()
	if err != nil {
		return err
	}
	return s.act(ctx, by, seen, TakeOver, note, func(ctx context.Context, tx Tx, _ Plan, item *Item) (bool, error) {
		_, err := tx.AddNote(ctx, seen.Run, seen.Item, Note{Words: note, From: item.Holder, By: personOf(by)}, key)
		return false, err
	})
}

// TakenFrom is the note with which the item was taken from this person, as long as somebody else has it in hand.
func (p ItemPage) TakenFrom(by actor.Actor) (Note, bool) {
	if p.Item.State != InProgress || by.SamePerson(p.Item.Holder.Issuer, p.Item.Holder.Subject) {
		return Note{}, false
	}
	for _, n := range slices.Backward(p.Notes) {
		if n.From.Known() {
			return n, by.SamePerson(n.From.Issuer, n.From.Subject)
		}
	}
	return Note{}, false
}
