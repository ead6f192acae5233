package runbook

import (
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// ItemID names an item as the runbook does: "P2.2d".
type ItemID string

// ItemState is where an item stands. "Blocked" is no state: it is derived, by Plan.Waiting.
type ItemState string

// The states of an item.
const (
	Open       ItemState = "open"
	InProgress ItemState = "in_progress"
	Done       ItemState = "done"
	Failed     ItemState = "failed"
	Skipped    ItemState = "skipped"
)

// Settled says whether nothing more is expected to happen.
func (s ItemState) Settled() bool { return s == Done || s == Skipped }

// Act is something a person does to an item.
type Act string

// The acts.
const (
	Take     Act = "take"
	RunCheck Act = "check"
	Finish   Act = "done"
	GiveUp   Act = "fail"
	Reopen   Act = "reopen"
	Skip     Act = "skip"
	TakeOver Act = "takeover" // from whoever has it in hand, with a note
	Waive    Act = "waive"    // skip what is required, by a signature
)

// Person is who did something.
type Person struct{ Issuer, Subject, Name string }

// Known says whether there is somebody.
func (p Person) Known() bool { return p.Subject != "" }

func personOf(by actor.Actor) Person { return Person{by.Issuer, by.Subject, by.Name} }

// Item is an item of a run.
type Item struct {
	ID       ItemID
	Position int
	Phase    PhaseID
	Gate     signoff.GateID // the gate whose content it is part of; empty after the last
	Title    string
	Owner    actor.Role
	Required bool
	Offset   time.Duration
	// NotBefore is the distance from T-0 before which its claim cannot be true; nil where any time is right.
	NotBefore *time.Duration
	// FreshFor is how long its evidence is good for signing; nil for ever. What is older is stale until its gate has passed.
	FreshFor *time.Duration
	After    []ItemID
	Kind     Kind
	Check    string

	State ItemState
	// EvidenceAt is when the evidence that counts was given; zero where none does.
	EvidenceAt time.Time
	// Altered says that the evidence that counts is not what was given: its hash does not match.
	Altered bool
	// Waiver is the signature by which a required item is skipped.
	Waiver    uuid.UUID
	Holder    Person // while it is in progress
	Settled   Person // who finished, failed or skipped it
	SettledAt time.Time
	DueThen   time.Time // when it was due as it was settled; zero before that
	Reason    string
	Evidence  int // the number of the evidence that counts; 0 where none does
	// evidenceHash is of evidence that is added right now: the audit entry holds it, so that the trail knows what was added.
	evidenceHash string
	// waived is the signature by which it is skipped right now, for the audit entry, too.
	waived *WaiverToSign
	// Round is how often the item was begun. Putting back what was done, failed or skipped begins the next, and the files of
	// the one before count no longer.
	Round   int
	Version int
}

// Due is when the item is to be done: by T-0 for what is still to do, as it was then for what is settled.
func (i Item) Due(t0 time.Time) time.Time {
	if !i.DueThen.IsZero() {
		return i.DueThen
	}
	return t0.Add(i.Offset)
}

// Earliest is when the item can be said at the earliest; false where any time is right.
func (i Item) Earliest(t0 time.Time) (time.Time, bool) {
	if i.NotBefore == nil {
		return time.Time{}, false
	}
	return t0.Add(*i.NotBefore), true
}

// next is the state that follows when the act is done to the item, or why it cannot be done. passed is a check's result.
func (i Item) next(act Act, passed bool) (ItemState, error) {
	switch {
	case act == Take && i.State == Open:
		return InProgress, nil
	case act == Take && i.State == InProgress:
		return "", fault.New(fault.Conflict, "%s has this item in hand. They can finish it, or it can be taken over from them with a note.", i.Holder.Name)
	case act == TakeOver && i.State == InProgress:
		return InProgress, nil
	case act == TakeOver:
		return "", fault.New(fault.Conflict, "Nobody has this item in hand, so there is nobody to take it over from. Look at the page again.")
	case act == RunCheck && i.Kind != Auto:
		return "", fault.New(fault.Conflict, "This item is not one that the system checks. It is done by a person, with evidence.")
	case act == RunCheck && i.State != Skipped && passed:
		return Done, nil
	case act == RunCheck && i.State != Skipped:
		return Failed, nil
	case act == Finish && i.Kind == Auto:
		return "", fault.New(fault.Conflict, "The system fills this item itself, and nobody can tick it by hand. Run its check.")
	case act == Finish && (i.State == Open || i.State == InProgress):
		return Done, nil
	case act == GiveUp && i.Kind == Auto:
		return "", fault.New(fault.Conflict, "The system fills this item itself. Run its check; it fails by itself where there is cause.")
	case act == GiveUp && (i.State == Open || i.State == InProgress):
		return Failed, nil
	case act == Reopen && i.State != Open:
		return Open, nil
	case act == Skip && i.Required:
		return "", fault.New(fault.Conflict, "This item is required, so nobody skips it alone: it takes the signature of somebody whose role signs its gate.")
	case act == Waive && !i.Required:
		return "", fault.New(fault.Conflict, "This item is not required. It can be skipped with a reason, and needs no signature.")
	case (act == Skip || act == Waive) && (i.State == Open || i.State == InProgress || i.State == Failed):
		return Skipped, nil
	}
	return "", fault.New(fault.Conflict, "This item is %s, so that cannot be done now. Look at the page again.", i.State.words())
}

func (s ItemState) words() string {
	switch s {
	case InProgress:
		return "in progress"
	case Open, Done, Failed, Skipped:
		return string(s)
	}
	return string(s)
}

// heldByOther says that somebody else has the item in hand, whom only a reopening can take it from.
func (i Item) heldByOther(by actor.Actor) error {
	if i.State == InProgress && !by.SamePerson(i.Holder.Issuer, i.Holder.Subject) {
		return fault.New(fault.Conflict, "%s has this item in hand. They can finish it, or it can be taken over from them with a note.", i.Holder.Name)
	}
	return nil
}

// apply changes the item. What a reopening takes away stays in the evidence and in the audit trail.
func (i *Item) apply(to ItemState, by Person, at, t0 time.Time, reason string) {
	due := t0.Add(i.Offset)
	if to == Open && i.State != InProgress {
		i.Round++
	}
	if to != Skipped {
		i.Waiver = uuid.Nil
	}
	i.State, i.Reason = to, reason
	i.Holder, i.Settled, i.SettledAt, i.DueThen = Person{}, Person{}, time.Time{}, time.Time{}
	switch to {
	case Open:
		i.Evidence = 0
	case InProgress:
		i.Holder, i.Evidence = by, 0
	case Done, Failed, Skipped:
		i.Settled, i.SettledAt, i.DueThen = by, at, due
	}
	i.Version++
}

// ParseItemID reads an item's name as it stands in an address; false where nothing could have it.
func ParseItemID(s string) (ItemID, bool) {
	return ItemID(s), itemID.MatchString(s)
}
