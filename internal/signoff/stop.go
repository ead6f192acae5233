package signoff

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// StopKind is how an attempt at a gate ended without passing.
type StopKind string

// The ways.
const (
	Rejected StopKind = "rejected" // by somebody who holds a place at the gate
	Expired  StopKind = "expired"  // nobody passed it in its time
)

// Stop is an attempt at a gate that ended without passing, as stored.
type Stop struct {
	Attempt       int
	Kind          StopKind
	Slot          SlotID     // empty for an expiry
	Role          actor.Role // empty for an expiry
	Reason        string
	Content       string // what the gate was about then
	ContentSHA256 string
	// Intact says that the stored content still has the stored hash.
	Intact                bool
	Issuer, Subject, Name string
	At                    time.Time
	Key                   uuid.UUID // of the form that stopped it
}

// Attempt is a further attempt at a gate, opened after one was stopped.
type Attempt struct {
	Number int
	Note   string
	By     string
	At     time.Time
	Key    uuid.UUID // of the form that opened it
}

// Attempt is the number of the attempt that is under way.
func (g Gate) Attempt() int {
	if n := len(g.Attempts); n > 0 {
		return g.Attempts[n-1].Number
	}
	return 1
}

// Stopped is the end of the attempt that is under way; false where it goes on. An expiry that nobody has written down yet
// has no content.
func (g Gate) Stopped() (Stop, bool) {
	i := slices.IndexFunc(g.Stops, func(s Stop) bool { return s.Attempt == g.Attempt() })
	switch {
	case i >= 0:
		return g.Stops[i], true
	case g.Overdue:
		return Stop{Attempt: g.Attempt(), Kind: Expired, At: g.ExpiresAt}, true
	}
	return Stop{}, false
}

// RefuseReject says why the person cannot reject the gate from that slot; nil where they can. To stop is allowed to
// whoever holds the role, whatever else keeps them from signing: a brake has no four eyes.
func (g Gate) RefuseReject(by actor.Actor, slot Slot) error {
	if !g.Release.Active {
		return fault.New(fault.Conflict, "This release is over, so nothing at its gates is decided any more.")
	}
	if !by.Has(slot.Role) || !by.Can(actor.GateSign) {
		return fault.New(fault.Forbidden, "Only a person who holds the role %s at the identity provider rejects from this place.", slot.Role.Title())
	}
	if s, ok := g.Stopped(); ok {
		return fault.New(fault.Conflict, "%s", s.already())
	}
	return nil
}

func (s Stop) already() string {
	if s.Kind == Expired {
		return "The time of this gate has run out, so it is denied already."
	}
	return s.Name + " has rejected this gate already, on " + s.At.UTC().Format("2 Jan 2006 at 15:04 UTC") + "."
}

// RejectRequest is a rejection as the form sends it.
type RejectRequest struct {
	Run    uuid.UUID
	Gate   GateID
	Slot   SlotID
	Reason string
	// Key is the form's own; a form that arrives twice rejects once.
	Key uuid.UUID
}

// Reject stops a gate: nobody signs it, nothing is applied through it, and what was signed counts no longer, until
// somebody opens a new attempt. A form that arrives a second time changes nothing.
func (s *Service) Reject(ctx context.Context, by actor.Actor, r RejectRequest) error {
	if err := checkPerson(by, actor.GateSign, r.Key); err != nil {
		return err
	}
	r.Reason = strings.TrimSpace(r.Reason)
	if err := checkText("reject_reason", r.Reason, 3); err != nil {
		return err
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		if err := tx.LockRelease(ctx, r.Run); err != nil {
			return err
		}
		before, err := tx.Gate(ctx, r.Run, r.Gate)
		if err != nil {
			return err
		}
		done, err := tx.Reject(ctx, by, r)
		if err != nil {
			return err
		}
		if !done {
			return whyNotRejected(by, before, r)
		}
		slot, _ := before.Slot(r.Slot)
		return tx.Record(ctx, audit.Event{
			Action: "gate:reject", ObjectKind: "gate", ObjectID: r.Run.String() + "/" + string(r.Gate), Reason: r.Reason,
			Before: map[string]any{"attempt": before.Attempt(), "stopped": false, "passed": before.Passed(), "signatures": before.standing()},
			After:  map[string]any{"attempt": before.Attempt(), "stopped": Rejected, "slot": r.Slot, "role": slot.Role, "content_sha256": before.SHA256},
		})
	})
}

// standing lists the places that a signature fills now.
func (g Gate) standing() []SlotID {
	var filled []SlotID
	for _, slot := range g.Slots {
		if _, ok := g.Standing(slot.ID); ok {
			filled = append(filled, slot.ID)
		}
	}
	return filled
}

// whyNotRejected says which rule kept the rejection from being stored; nil for a form that has rejected already.
func whyNotRejected(by actor.Actor, gate Gate, r RejectRequest) error {
	if s, ok := gate.Stopped(); ok && s.Key == r.Key && by.SamePerson(s.Issuer, s.Subject) && s.Slot == r.Slot && s.Reason == r.Reason {
		return nil
	}
	slot, ok := gate.Slot(r.Slot)
	if !ok {
		return fault.New(fault.NotFound, "This gate has no such place.")
	}
	if err := gate.RefuseReject(by, slot); err != nil {
		return err
	}
	if err := fresh(by, gate.At); err != nil {
		return err
	}
	return fault.New(fault.Conflict, "The gate changed at this very moment, or this form was used before. Nothing was rejected. Look at the page again.")
}

func checkPerson(by actor.Actor, right actor.Right, key uuid.UUID) error {
	if err := by.Demand(right); err != nil {
		return err
	}
	if by.Rights != nil {
		return fault.New(fault.Forbidden, "This is a person's word; no machine can give it.")
	}
	if key == uuid.Nil {
		return fault.New(fault.Invalid, "The form has lost its key. Open the gate again.").WithField("version", "The form has lost its key. Open the gate again.")
	}
	return nil
}

// ReopenRequest opens the attempt after the one that was stopped.
type ReopenRequest struct {
	Run  uuid.UUID
	Gate GateID
	// After is the attempt that was shown as stopped.
	After int
	Note  string
	// Key is the form's own; a form that arrives twice opens one attempt.
	Key uuid.UUID
}

// Reopen opens a new attempt at a gate that was rejected or has expired. Everybody signs anew.
func (s *Service) Reopen(ctx context.Context, by actor.Actor, r ReopenRequest) error {
	if err := checkPerson(by, actor.ReleaseManage, r.Key); err != nil {
		return err
	}
	r.Note = strings.TrimSpace(r.Note)
	if err := checkText("attempt_note", r.Note, 3); err != nil {
		return err
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		if err := tx.LockRelease(ctx, r.Run); err != nil {
			return err
		}
		if err := expire(ctx, tx, r.Run, r.Gate); err != nil { // the scheduler may not have come by yet
			return err
		}
		before, err := tx.Gate(ctx, r.Run, r.Gate)
		if err != nil {
			return err
		}
		done, err := tx.Reopen(ctx, by, r)
		if err != nil {
			return err
		}
		if !done {
			return whyNotReopened(before, r)
		}
		stop, _ := before.Stopped()
		return tx.Record(ctx, audit.Event{
			Action: "gate:reopen", ObjectKind: "gate", ObjectID: r.Run.String() + "/" + string(r.Gate), Reason: r.Note,
			Before: map[string]any{"attempt": r.After, "stopped": stop.Kind}, After: map[string]any{"attempt": r.After + 1, "stopped": false},
		})
	})
}

// whyNotReopened says why no attempt was opened; nil for a form that has opened it already.
func whyNotReopened(gate Gate, r ReopenRequest) error {
	opened, ok := gate.opened(r.After + 1)
	if ok && opened.Note == r.Note && opened.Key == r.Key {
		return nil
	}
	switch _, stopped := gate.Stopped(); {
	case !gate.Release.Active:
		return fault.New(fault.Conflict, "This release is over, so no gate of it is tried again.")
	case ok:
		return fault.New(fault.Conflict, "%s has opened attempt %d already. Look at the gate as it is now.", opened.By, opened.Number)
	case !stopped:
		return fault.New(fault.Conflict, "This gate is not stopped, so there is no new attempt to open.")
	}
	return fault.New(fault.Conflict, "The gate changed at this very moment and nothing was opened. Look at the page again.")
}

func (g Gate) opened(number int) (Attempt, bool) {
	i := slices.IndexFunc(g.Attempts, func(a Attempt) bool { return a.Number == number })
	if i < 0 {
		return Attempt{}, false
	}
	return g.Attempts[i], true
}

// Expire writes down, once each, that the gates of running releases whose time is over are denied. They are closed by
// then anyhow: whether a gate may be signed or passed never waits for this.
func (s *Service) Expire(ctx context.Context, scheduler actor.Actor) (int, error) {
	overdue, err := s.store.Overdue(ctx, scheduler)
	if err != nil {
		return 0, err
	}
	for _, g := range overdue {
		err := s.store.InTenant(ctx, scheduler, func(ctx context.Context, tx Tx) error {
			if err := tx.LockRelease(ctx, g.Run); err != nil {
				return err
			}
			return expire(ctx, tx, g.Run, g.Gate)
		})
		if err != nil {
			return 0, err
		}
	}
	return len(overdue), nil
}

// expire writes an expiry down where there is one that nobody has written down yet; the release is locked.
func expire(ctx context.Context, tx Tx, run uuid.UUID, gate GateID) error {
	stop, done, err := tx.Expire(ctx, run, gate)
	if err != nil || !done {
		return err
	}
	return tx.Record(ctx, audit.Event{
		Action: "gate:expire", ObjectKind: "gate", ObjectID: run.String() + "/" + string(gate), Reason: stop.Reason,
		Before: map[string]any{"attempt": stop.Attempt, "stopped": false},
		After:  map[string]any{"attempt": stop.Attempt, "stopped": stop.Kind, "content_sha256": stop.ContentSHA256},
	})
}

// GateRef names a gate of a release.
type GateRef struct {
	Run  uuid.UUID
	Gate GateID
}
