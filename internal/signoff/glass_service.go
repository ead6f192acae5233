package signoff

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Provider is the identity provider, as far as it has to be asked whether it is there.
type Provider interface {
	// Reach makes an attempt of its own, and says how that failed where nobody answered; empty where somebody did, whatever
	// was answered. A caller that goes away does not make it fail.
	Reach(ctx context.Context) (failure string)
}

// Outage is a time in which the server's own attempts at the provider reached nobody.
type Outage struct {
	ID       uuid.UUID
	Since    time.Time
	Failure  string // of the last attempt
	Last     time.Time
	Failures int
	At       time.Time // the database's clock when this was read
}

// OutageKnownFor is how long after a failed attempt the form of break-glass is offered without another.
const OutageKnownFor = 10 * time.Minute

// Known says that the outage was met lately.
func (o Outage) Known() bool { return o.ID != uuid.Nil && o.At.Sub(o.Last) < OutageKnownFor }

// Used is what became of two sealed halves.
type Used struct {
	Outcome       string // signed, used, expired, revoked, alone, untold, no_outage; empty where they fit no code
	Code          uuid.UUID
	First, Second string
	ReviewDue     time.Time
}

// GlassStore is where break-glass is kept.
type GlassStore interface {
	Store
	// Outage is the one that goes on, as it was last met; zero where there is none.
	Outage(ctx context.Context, by actor.Actor) (Outage, error)
	InGlass(ctx context.Context, by actor.Actor, work func(context.Context, GlassTx) error) error
}

// GlassTx is everything that break-glass may do to the database.
type GlassTx interface {
	Tx
	// Away notes an attempt that reached nobody; Back that one was answered, and says whether that ended an outage.
	Away(ctx context.Context, failure string) (Outage, error)
	Back(ctx context.Context) (bool, error)
	// Use uses up the code of two halves for the signature, if both fit and everything about it holds.
	Use(ctx context.Context, by actor.Actor, signature, outage uuid.UUID, r GlassRequest) (Used, error)
	// Review stores a verdict if every rule lets it pass, and takes a signature back that is refused; false where one does not.
	Review(ctx context.Context, by actor.Actor, r ReviewRequest) (bool, error)
	// SignOffReviewed ends the release if its last gate counts as passed now; it says whether it did.
	SignOffReviewed(ctx context.Context, by actor.Actor, run uuid.UUID) (bool, error)
	// GlassOf is what a signature rests on, with its release; NotFound where it was given with a fresh sign-in.
	GlassOf(ctx context.Context, signature uuid.UUID) (Glass, Release, error)
}

// GlassService holds the stories of signing while the identity provider is away.
type GlassService struct {
	*Service
	store    GlassStore
	provider Provider
}

// NewGlass makes the service.
func NewGlass(store GlassStore, provider Provider) *GlassService {
	return &GlassService{NewService(store), store, provider}
}

// GlassRequest is a signature by break-glass as the form sends it.
type GlassRequest struct {
	SignRequest
	// One and Other are the two sealed halves, whichever came first.
	One, Other string
}

// Outage is the one that goes on, as it was last met.
func (s *GlassService) Outage(ctx context.Context, by actor.Actor) (Outage, error) {
	if err := by.Demand(actor.GateSign); err != nil {
		return Outage{}, err
	}
	return s.store.Outage(ctx, by)
}

// Meet asks the provider whether it is there, and writes down what came of it. It refuses where somebody answers.
func (s *GlassService) Meet(ctx context.Context, by actor.Actor) (Outage, error) {
	if err := by.Demand(actor.GateSign); err != nil {
		return Outage{}, err
	}
	failure := s.provider.Reach(ctx)
	if failure == "" {
		if err := s.back(ctx, by); err != nil {
			return Outage{}, err
		}
		return Outage{}, errAnswers
	}
	var met Outage
	err := s.store.InGlass(ctx, by, func(ctx context.Context, tx GlassTx) error {
		var err error
		if met, err = tx.Away(ctx, failure); err != nil {
			return err
		}
		return tx.Record(ctx, audit.Event{
			Action: "provider:outage", ObjectKind: "provider_outage", ObjectID: met.ID.String(),
			Before: map[string]any{"failures": met.Failures - 1}, After: map[string]any{"since": met.Since.UTC().Format(time.RFC3339), "failure": met.Failure, "failures": met.Failures},
		})
	})
	return met, err
}

var errAnswers = fault.New(fault.Conflict, "The identity provider answers, so nothing is signed by break-glass. Sign in afresh and sign at the gate as usual.")

// back writes down that an outage is over, where one went on.
func (s *GlassService) back(ctx context.Context, by actor.Actor) error {
	return s.store.InGlass(ctx, by, func(ctx context.Context, tx GlassTx) error {
		ended, err := tx.Back(ctx)
		if err != nil || !ended {
			return err
		}
		return tx.Record(ctx, audit.Event{Action: "provider:back", ObjectKind: "provider_outage", Before: map[string]any{"away": true}, After: map[string]any{"away": false}})
	})
}

// SignByGlass gives a signature on a session whose sign-in is not fresh, with both halves of a sealed code, while the
// provider is away by an attempt made now. Every other rule of the gate holds. A form that arrives a second time gets the
// signature it gave the first time.
func (s *GlassService) SignByGlass(ctx context.Context, by actor.Actor, r GlassRequest) (Signature, error) {
	if err := checkRequest(by, &r.SignRequest); err != nil {
		return Signature{}, err
	}
	if by.Origin != actor.Web {
		return Signature{}, fault.New(fault.Forbidden, "Break-glass is for a person at the gate's page.")
	}
	signed, again, err := s.given(ctx, by, r.SignRequest)
	if err != nil || again {
		return signed, err
	}
	met, err := s.Meet(ctx, by)
	if err != nil {
		return Signature{}, err
	}
	id, err := s.newID()
	if err != nil {
		return Signature{}, err
	}
	err = s.store.InGlass(ctx, by, func(ctx context.Context, tx GlassTx) error {
		if err := tx.LockRelease(ctx, r.Run); err != nil {
			return err
		}
		first, again, err := tx.SignedWith(ctx, r.Key)
		if err != nil {
			return err
		}
		if again {
			signed = first
			return sameForm(ctx, tx, by, r.SignRequest, first)
		}
		if err := refuseGlass(ctx, tx, by, r.SignRequest); err != nil {
			return err
		}
		used, err := tx.Use(ctx, by, id, met.ID, r)
		if err != nil {
			return err
		}
		if err := used.refuse(); err != nil {
			return err
		}
		r.Code = used.Code
		added, err := tx.Add(ctx, by, id, r.SignRequest)
		if err != nil {
			return err
		}
		if !added {
			return s.why(ctx, tx, by, r.SignRequest)
		}
		if signed, again, err = tx.SignedWith(ctx, r.Key); err != nil {
			return err
		}
		if !again {
			return errors.New("signoff: the signature that was just stored is not there")
		}
		return recordGlass(ctx, tx, signed, used, met)
	})
	return signed, err
}

// given finds the signature that the form has given already.
func (s *GlassService) given(ctx context.Context, by actor.Actor, r SignRequest) (signed Signature, again bool, err error) {
	err = s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		if signed, again, err = tx.SignedWith(ctx, r.Key); err != nil || !again {
			return err
		}
		return sameForm(ctx, tx, by, r, signed)
	})
	return signed, again, err
}

// refuseGlass says what keeps the person from signing this way, before a code is looked at.
func refuseGlass(ctx context.Context, tx Tx, by actor.Actor, r SignRequest) error {
	gate, err := tx.Gate(ctx, r.Run, r.Gate)
	if err != nil {
		return err
	}
	slot, ok := gate.Slot(r.Slot)
	if !ok {
		return fault.New(fault.NotFound, "This gate has no such place to sign in.")
	}
	return gate.RefuseGlass(by, slot)
}

func (u Used) refuse() error {
	switch u.Outcome {
	case "signed":
		return nil
	case "used":
		return fault.New(fault.Forbidden, "This code was used already, and each is good for one time. Nothing was signed.")
	case "expired":
		return fault.New(fault.Forbidden, "This code is too old. Nothing was signed; another pair of envelopes is needed.")
	case "revoked":
		return fault.New(fault.Forbidden, "This code was revoked. Nothing was signed; another pair of envelopes is needed.")
	case "alone":
		return fault.New(fault.Forbidden, "Both halves are held by you, and two people are asked for. Nothing was signed.")
	case "untold":
		return fault.New(fault.Forbidden, "The audit trail knows this code in another way than it is stored, or not at all. Nothing was signed. Tell your auditor, and use another pair of envelopes.")
	case "no_outage":
		return fault.New(fault.Conflict, "The server has to have met the provider's absence twice, the second time just now. Nothing was signed; try once more.")
	}
	return fault.New(fault.Forbidden, "These two halves fit no code of your company. Nothing was signed. Check both, letter by letter, and that they are of the same pair of envelopes.")
}

// recordGlass writes down that the code was used up, and the signature.
func recordGlass(ctx context.Context, tx Tx, signed Signature, used Used, met Outage) error {
	facts := map[string]any{
		"code": used.Code, "first_holder": used.First, "second_holder": used.Second, "outage": met.ID,
		"outage_since": met.Since.UTC().Format(time.RFC3339), "outage_failure": met.Failure, "review_due": used.ReviewDue.UTC().Format(time.RFC3339),
	}
	event := signed.event(false)
	if after, ok := event.After.(map[string]any); ok {
		after["break_glass"] = facts
	}
	if err := tx.Record(ctx, event); err != nil {
		return err
	}
	return tx.Record(ctx, audit.Event{
		Action: "signing_code:use", ObjectKind: "signing_code", ObjectID: used.Code.String(), Reason: signed.Note,
		Before: map[string]any{"used": false}, After: map[string]any{"used": true, "signature": signed.ID, "release": signed.Run, "gate": signed.Gate, "first_holder": used.First, "second_holder": used.Second},
	})
}

// ReviewRequest is a review of a signature by break-glass as the form sends it.
type ReviewRequest struct {
	Signature uuid.UUID
	Verdict   Verdict
	Reason    string
	// Key is the form's own; a form that arrives twice reviews once.
	Key uuid.UUID
}

// Review gives another person's word on a signature by break-glass, at any time after it, also when the release is over. What
// is refused is void from then on. It says whether the release was signed off by it.
func (s *GlassService) Review(ctx context.Context, by actor.Actor, r ReviewRequest) (over bool, err error) {
	if err := checkPerson(by, actor.GateSign, r.Key); err != nil {
		return false, err
	}
	if err := r.check(); err != nil {
		return false, err
	}
	err = s.store.InGlass(ctx, by, func(ctx context.Context, tx GlassTx) error {
		glass, release, err := tx.GlassOf(ctx, r.Signature)
		if err != nil {
			return err
		}
		if err := tx.LockRelease(ctx, release.ID); err != nil {
			return err
		}
		done, err := tx.Review(ctx, by, r)
		if err != nil {
			return err
		}
		if !done {
			return whyNotReviewed(ctx, tx, by, r)
		}
		if release.Active { // also what was refused may be the last that was missing: of one that was given anew since
			if over, err = tx.SignOffReviewed(ctx, by, release.ID); err != nil {
				return err
			}
		}
		return tx.Record(ctx, audit.Event{
			Action: "gate:review", ObjectKind: "gate", ObjectID: release.ID.String() + "/" + string(glass.Gate), Reason: r.Reason,
			Before: map[string]any{"signature": r.Signature, "reviewed": false, "review_due": glass.ReviewDue.UTC().Format(time.RFC3339)},
			After:  map[string]any{"signature": r.Signature, "verdict": r.Verdict, "code": glass.Code, "signer": glass.By.Name, "release_signed_off": over},
		})
	})
	return over, err
}

func (r *ReviewRequest) check() error {
	r.Reason = strings.TrimSpace(r.Reason)
	least := 0
	switch r.Verdict {
	case Upheld:
	case Refused:
		least = 3
	default:
		return fault.New(fault.Invalid, "Something in the form has to be put right first. Nothing was changed.").WithField("verdict", "Choose what you found.")
	}
	return checkText("review_reason", r.Reason, least)
}

// whyNotReviewed says which rule kept the review from being stored; nil for a form that has reviewed already.
func whyNotReviewed(ctx context.Context, tx GlassTx, by actor.Actor, r ReviewRequest) error {
	glass, release, err := tx.GlassOf(ctx, r.Signature)
	if err != nil {
		return err
	}
	if v := glass.Review; v != nil && v.Key == r.Key && by.SamePerson(v.By.Issuer, v.By.Subject) && v.Verdict == r.Verdict && v.Reason == r.Reason {
		return nil
	}
	if err := glass.RefuseReview(by, release); err != nil {
		return err
	}
	gate, err := tx.Gate(ctx, release.ID, glass.Gate)
	if err != nil {
		return err
	}
	if err := fresh(by, gate.At); err != nil {
		return err
	}
	return fault.New(fault.Conflict, "Something changed at this very moment, or this form was used before. Nothing was reviewed. Look at the page again.")
}
