package signoff

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Store is where gates and signatures are kept.
type Store interface {
	// Gate reads a gate for its page.
	Gate(ctx context.Context, by actor.Actor, run uuid.UUID, gate GateID) (Gate, error)
	// Signature reads one signature and its gate as it stands now.
	Signature(ctx context.Context, by actor.Actor, id uuid.UUID) (Signature, Gate, error)
	// Overdue lists the gates of running releases whose time is over and of which nobody has written it down.
	Overdue(ctx context.Context, by actor.Actor) ([]GateRef, error)
	// Since tells what was done in the release after an entry of the audit trail.
	Since(ctx context.Context, by actor.Actor, run uuid.UUID, seq int64) ([]Change, error)
	InTenant(ctx context.Context, by actor.Actor, work func(context.Context, Tx) error) error
}

// Tx is everything signing may do to the database.
type Tx interface {
	// LockRelease holds off every other change of the release until the transaction ends.
	LockRelease(ctx context.Context, run uuid.UUID) error
	// SignedWith finds the signature that a form with this key has given already.
	SignedWith(ctx context.Context, key uuid.UUID) (Signature, bool, error)
	Gate(ctx context.Context, run uuid.UUID, gate GateID) (Gate, error)
	// Add stores the signature if the gate lets it pass; false where it does not. All rules stand in the statement.
	Add(ctx context.Context, by actor.Actor, id uuid.UUID, r SignRequest) (bool, error)
	// Withdraw takes back a standing or void signature of this person's own, while the release runs.
	Withdraw(ctx context.Context, by actor.Actor, id uuid.UUID, reason string) (bool, error)
	// Reject stops the attempt that is under way; false where a rule keeps it from being stopped.
	Reject(ctx context.Context, by actor.Actor, r RejectRequest) (bool, error)
	// Reopen opens the attempt after a stopped one; false where it is not the next.
	Reopen(ctx context.Context, by actor.Actor, r ReopenRequest) (bool, error)
	// Expire writes down that the time of an attempt is over, and gives its number and the words; false where it is not.
	Expire(ctx context.Context, run uuid.UUID, gate GateID) (expired Stop, done bool, err error)
	// SignOff ends the release if this gate is its last one and has been passed; it says whether it did.
	SignOff(ctx context.Context, by actor.Actor, run uuid.UUID, gate GateID) (bool, error)
	// Since tells what changed in the release after an entry of the audit trail.
	Since(ctx context.Context, run uuid.UUID, seq int64) ([]Change, error)
	Record(ctx context.Context, e audit.Event) error
}

// Service holds the stories of signing.
type Service struct {
	store Store
	newID func() (uuid.UUID, error)
}

// NewService makes the service. Times come from the database, so that a wrong clock here signs nothing at the wrong time.
func NewService(store Store) *Service { return &Service{store: store, newID: uuid.NewV7} }

// SignRequest is a signature as the form sends it.
type SignRequest struct {
	Run  uuid.UUID
	Gate GateID
	Slot SlotID
	// Meaning, Statement and ContentSHA256 are what the person was shown.
	Meaning       Meaning
	Statement     string
	ContentSHA256 string
	Score         *Score
	Note          string
	// Key is the form's own; a form that arrives twice signs once.
	Key uuid.UUID
	// Code is the sealed code that this transaction has used up for the signature, in place of a fresh sign-in.
	Code uuid.UUID
	// SeenSeq is Gate.Seq of the page, to tell what has changed since.
	SeenSeq int64
}

// Moved refuses a signature of content that is no longer there.
type Moved struct {
	Changes []Change
	refusal *fault.Error
}

// Error is the log's text.
func (m *Moved) Error() string { return m.refusal.Error() }

// Unwrap gives the refusal.
func (m *Moved) Unwrap() error { return m.refusal }

// Gate is a gate for its page. It asks for the right to read releases.
func (s *Service) Gate(ctx context.Context, by actor.Actor, run uuid.UUID, gate GateID) (Gate, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return Gate{}, err
	}
	return s.store.Gate(ctx, by, run, gate)
}

// Since tells what was done in the release after an entry of the audit trail, for who had a gate open then.
func (s *Service) Since(ctx context.Context, by actor.Actor, run uuid.UUID, seq int64) ([]Change, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return nil, err
	}
	return s.store.Since(ctx, by, run, seq)
}

// Sign gives a signature and returns it. A form that arrives a second time gets the signature it gave the first time.
func (s *Service) Sign(ctx context.Context, by actor.Actor, r SignRequest) (Signature, error) {
	r.Code = uuid.Nil
	if err := checkRequest(by, &r); err != nil {
		return Signature{}, err
	}
	id, err := s.newID()
	if err != nil {
		return Signature{}, err
	}
	var signed Signature
	err = s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		if err := tx.LockRelease(ctx, r.Run); err != nil {
			return err
		}
		first, again, err := tx.SignedWith(ctx, r.Key)
		if err != nil {
			return err
		}
		if again {
			signed = first
			return sameForm(ctx, tx, by, r, first)
		}
		added, err := tx.Add(ctx, by, id, r)
		if err != nil {
			return err
		}
		if !added {
			return s.why(ctx, tx, by, r)
		}
		over, err := tx.SignOff(ctx, by, r.Run, r.Gate)
		if err != nil {
			return err
		}
		if signed, again, err = tx.SignedWith(ctx, r.Key); err != nil {
			return err
		}
		if !again {
			return errors.New("signoff: the signature that was just stored is not there")
		}
		return tx.Record(ctx, signed.event(over))
	})
	return signed, err
}

func (s Signature) event(signedOff bool) audit.Event {
	after := map[string]any{
		"signature": s.ID, "slot": s.Slot, "role": s.Role, "meaning": s.Meaning, "statement": s.Statement,
		"content_sha256": s.ContentSHA256, "auth_time": s.AuthTime.UTC().Format(time.RFC3339), "acr": s.ACR,
		"signed_at": s.SignedAt.UTC().Format(time.RFC3339Nano), "release_signed_off": signedOff,
	}
	if s.Score != nil {
		after["score"] = s.Score.String()
	}
	if d := s.Deputy; d != nil {
		after["deputy"], after["deputy_named_by"] = d.ID, d.NamedBy
		after["deputy_from"], after["deputy_until"], after["deputy_reason"] = d.From, d.Until, d.Reason
	}
	return audit.Event{
		Action: "gate:sign", ObjectKind: "gate", ObjectID: s.Run.String() + "/" + string(s.Gate), Reason: s.Note,
		Before: map[string]any{"slot": s.Slot, "signed": false}, After: after,
	}
}

// sameForm lets a form that arrives again have the signature it gave, as long as that one says the same and still stands.
func sameForm(ctx context.Context, tx Tx, by actor.Actor, r SignRequest, first Signature) error {
	switch {
	case !first.By(by) || first.Run != r.Run || first.Gate != r.Gate || first.Slot != r.Slot:
		return fault.New(fault.Conflict, "This form has been used for another signature already. Open the gate again.")
	case !first.says(r):
		return fault.New(fault.Conflict, "This form has signed already, and said something else. That signature stands as it was given; nothing was signed now. Open the gate again.")
	case first.Withdrawn != nil:
		return fault.New(fault.Conflict, "This form has signed already, and that signature was taken back since. Nothing was signed now. Open the gate again to sign anew.")
	}
	gate, err := tx.Gate(ctx, r.Run, r.Gate)
	if err == nil && first.State(gate.SHA256) == Void {
		return fault.New(fault.Conflict, "This form has signed already, and that signature is void: what the gate is about has changed since. Nothing was signed now. Open the gate again and read what changed.")
	}
	return err
}

// says tells whether the form declares what the signature holds.
func (s Signature) says(r SignRequest) bool {
	sameScore := s.Score == nil && r.Score == nil || s.Score != nil && r.Score != nil && *s.Score == *r.Score
	return sameScore && s.Meaning == r.Meaning && s.Statement == r.Statement && s.ContentSHA256 == r.ContentSHA256 && s.Note == r.Note
}

// why says which rule kept the signature from being stored.
func (s *Service) why(ctx context.Context, tx Tx, by actor.Actor, r SignRequest) error {
	gate, err := tx.Gate(ctx, r.Run, r.Gate)
	if err != nil {
		return err
	}
	slot, ok := gate.Slot(r.Slot)
	if !ok {
		return fault.New(fault.NotFound, "This gate has no such place to sign in.")
	}
	if err := gate.Refuse(by, slot); err != nil {
		return err
	}
	if err := fresh(by, gate.At); err != nil && r.Code == uuid.Nil {
		return err
	}
	if gate.SHA256 != r.ContentSHA256 {
		changes, err := tx.Since(ctx, r.Run, r.SeenSeq)
		if err != nil {
			return err
		}
		return &Moved{Changes: changes, refusal: fault.New(fault.Conflict, "What this gate is about has changed since you opened the page, so nothing was signed. Read what changed, then decide again.")}
	}
	return refuseWords(slot, r)
}

// refuseWords says what is wrong with what the person declared.
func refuseWords(slot Slot, r SignRequest) error {
	switch {
	case !slices.Contains(slot.Meanings, r.Meaning):
		return fault.New(fault.Invalid, "Something in the form has to be put right first. Nothing was signed.").WithField("meaning", "This role does not sign with that meaning.")
	case r.Statement != slot.Statement:
		return fault.New(fault.Conflict, "The statement you were shown is not the one of this place. Open the gate again; nothing was signed.")
	case slot.AsksScore && r.Score == nil:
		return fault.New(fault.Invalid, "Something in the form has to be put right first. Nothing was signed.").WithField("score", "The score is needed, from 0 to 10.")
	case !slot.AsksScore && r.Score != nil:
		return fault.New(fault.Invalid, "Something in the form has to be put right first. Nothing was signed.").WithField("score", "This role gives no score.")
	}
	return fault.New(fault.Conflict, "The gate changed at this very moment and nothing was signed. Look at the page again.")
}

func checkRequest(by actor.Actor, r *SignRequest) error {
	if err := by.Demand(actor.GateSign); err != nil {
		return err
	}
	if by.Rights != nil {
		return fault.New(fault.Forbidden, "A machine cannot sign. A person has to.")
	}
	if r.Key == uuid.Nil {
		return fault.New(fault.Invalid, "The form has lost its key. Open the gate again.")
	}
	r.Note = strings.TrimSpace(r.Note)
	return checkText("note", r.Note, 0)
}

func checkText(field, text string, least int) error {
	refusal := fault.New(fault.Invalid, "Something in the form has to be put right first. Nothing was changed.")
	switch {
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return refusal.WithField(field, "The text holds characters that cannot be stored. Remove them.")
	case utf8.RuneCountInString(text) < least:
		return refusal.WithField(field, "A few words, please, for those who read this in a year.")
	case utf8.RuneCountInString(text) > 2000:
		return refusal.WithField(field, "At most 2000 characters, please.")
	}
	return nil
}

// Withdraw takes back the person's own signature at a gate, with a reason. The signature and its withdrawal both stay.
func (s *Service) Withdraw(ctx context.Context, by actor.Actor, run uuid.UUID, at GateID, signature uuid.UUID, reason string) error {
	if err := by.Demand(actor.GateSign); err != nil {
		return err
	}
	reason = strings.TrimSpace(reason)
	if err := checkText("reason", reason, 3); err != nil {
		return err
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		if err := tx.LockRelease(ctx, run); err != nil {
			return err
		}
		gate, given, err := findSignature(ctx, tx, run, at, signature)
		if err != nil {
			return err
		}
		done, err := tx.Withdraw(ctx, by, signature, reason)
		if err != nil {
			return err
		}
		if !done {
			return refuseWithdrawal(by, gate, given)
		}
		return tx.Record(ctx, audit.Event{
			Action: "gate:withdraw", ObjectKind: "gate", ObjectID: run.String() + "/" + string(given.Gate), Reason: reason,
			Before: map[string]any{"signature": given.ID, "slot": given.Slot, "state": given.State(gate.SHA256)},
			After:  map[string]any{"signature": given.ID, "slot": given.Slot, "state": Withdrawn},
		})
	})
}

// findSignature reads the gate with a signature of its own.
func findSignature(ctx context.Context, tx Tx, run uuid.UUID, at GateID, signature uuid.UUID) (Gate, Signature, error) {
	gate, err := tx.Gate(ctx, run, at)
	if err != nil {
		return Gate{}, Signature{}, err
	}
	i := slices.IndexFunc(gate.Signatures, func(s Signature) bool { return s.ID == signature })
	if i < 0 {
		return Gate{}, Signature{}, fault.New(fault.NotFound, "There is no such signature at this gate.")
	}
	return gate, gate.Signatures[i], nil
}

func refuseWithdrawal(by actor.Actor, gate Gate, given Signature) error {
	switch {
	case !given.By(by):
		return fault.New(fault.Forbidden, "This is the signature of %s, and only they can withdraw it.", given.Name)
	case given.Withdrawn != nil:
		return fault.New(fault.Conflict, "You have withdrawn this signature already.")
	case !gate.Release.Active:
		return fault.New(fault.Conflict, "This release is over, so its signatures stay as they are.")
	}
	return fault.New(fault.Conflict, "The gate changed at this very moment and nothing was withdrawn. Look at the page again.")
}

// Signature is one signature with its gate as it stands now, and what has changed since it was given.
func (s *Service) Signature(ctx context.Context, by actor.Actor, id uuid.UUID) (Signature, Gate, []Change, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return Signature{}, Gate{}, nil, err
	}
	given, gate, err := s.store.Signature(ctx, by, id)
	if err != nil {
		return Signature{}, Gate{}, nil, err
	}
	changes, err := Compare(given.Content, gate.Content)
	return given, gate, changes, err
}
