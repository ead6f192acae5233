package signoff

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// ReviewWithin is how long a signature by break-glass may wait for its review. The database holds the same.
const ReviewWithin = 72 * time.Hour

// Glass is what a signature by break-glass rests on instead of a fresh sign-in.
type Glass struct {
	Signature, Code uuid.UUID
	Gate            GateID
	GateName        string
	// By is who signed.
	By Person
	// First and Second are the two whose sealed halves were typed; without a subject where only their name was known.
	First, Second Person
	// Outage is the record of the provider's absence: since when, and how the last attempt failed.
	Outage      uuid.UUID
	OutageSince time.Time
	Failure     string
	UsedAt      time.Time
	// ReviewDue is by when somebody else has to have reviewed it; Review is what they found, nil while nobody has.
	ReviewDue time.Time
	Review    *Review
}

// Verdict is what a review of break-glass comes to.
type Verdict string

// The verdicts.
const (
	Upheld  Verdict = "upheld"  // it was right to sign this way, and it was this person
	Refused Verdict = "refused" // the signature is void from then on
)

// Review is another person's word on a signature by break-glass.
type Review struct {
	Verdict Verdict
	Reason  string
	By      Person
	At      time.Time
	Key     uuid.UUID // of the form that gave it
}

// Overdue says that nobody reviewed it in time.
func (g Glass) Overdue(at time.Time) bool { return g.Review == nil && !at.Before(g.ReviewDue) }

// Says is the mark that such a signature carries wherever it stands.
func (g Glass) Says(at time.Time, zone *time.Location) string {
	due := g.ReviewDue.In(zone).Format("2 Jan 2006 at 15:04 MST")
	const mark = "Signed by break-glass: not proven by a fresh sign-in. "
	switch {
	case g.Review == nil && g.Overdue(at):
		return mark + "The review was due by " + due + " and is missing."
	case g.Review == nil:
		return mark + "Review due by " + due + "."
	}
	text := mark + fmt.Sprintf("Review: %s by %s on %s", g.Review.Verdict, g.Review.By.Name, g.Review.At.In(zone).Format("2 Jan 2006 at 15:04 MST"))
	if g.Review.Reason != "" {
		return text + ": " + g.Review.Reason
	}
	return text + "."
}

// Holds says whether a half was that person's: by issuer and subject where those are known, or else by name.
func (g Glass) Holds(by actor.Actor) bool { return g.First.is(by) || g.Second.is(by) }

func (p Person) is(by actor.Actor) bool {
	if p.Subject != "" {
		return by.SamePerson(p.Issuer, p.Subject)
	}
	return strings.EqualFold(strings.TrimSpace(p.Name), strings.TrimSpace(by.Name))
}

// RefuseReview says why the person cannot review the signature; nil where they can.
func (g Glass) RefuseReview(by actor.Actor, release Release) error {
	switch {
	case g.Review != nil:
		return fault.New(fault.Conflict, "%s has reviewed this signature already, on %s: %s.", g.Review.By.Name, g.Review.At.UTC().Format("2 Jan 2006 at 15:04 UTC"), g.Review.Verdict)
	case !by.Can(actor.GateSign) || by.Rights != nil:
		return fault.New(fault.Forbidden, "Only a person who may sign at gates reviews a signature.")
	case by.SamePerson(g.By.Issuer, g.By.Subject):
		return fault.New(fault.Forbidden, "This is your own signature; somebody else has to review it.")
	case by.SamePerson(release.StarterIssuer, release.StarterSubject):
		return fault.New(fault.Forbidden, "You started this release; somebody else has to review its signatures.")
	case g.Holds(by):
		return fault.New(fault.Forbidden, "One of the two halves was yours; somebody else has to review this signature.")
	}
	return nil
}

// HeldUp lists the signatures by break-glass whose missing review keeps the gate from counting as passed: those of its own
// that are overdue and, at the last gate, every one of the release.
func (g Gate) HeldUp() []Glass {
	var missing []Glass
	for _, u := range g.Glass {
		if u.Review == nil && (g.Last || u.Gate == g.ID && u.Overdue(g.At)) {
			missing = append(missing, u)
		}
	}
	return missing
}

// RefuseGlass says why the person cannot sign by break-glass in that place now, whatever the provider does; nil where they can.
func (g Gate) RefuseGlass(by actor.Actor, slot Slot) error {
	if err := g.Refuse(by, slot); err != nil {
		return err
	}
	switch {
	case by.AuthTime.IsZero():
		return fault.New(fault.Forbidden, "The identity provider never said when you proved who you are (auth_time), so nothing can be signed on this session.")
	case fresh(by, g.At) == nil:
		return fault.New(fault.Conflict, "Your sign-in is fresh enough for a signature. Sign at the gate as usual; no break-glass is needed.")
	case by.AuthTime.After(g.At):
		return fresh(by, g.At)
	}
	return nil
}
