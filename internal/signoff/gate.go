package signoff

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/live"
)

// Release is what a gate has to know of the release it belongs to.
type Release struct {
	ID             uuid.UUID
	Code, Title    string
	Environment    string
	TimeZone       string
	Active         bool
	StarterIssuer  string
	StarterSubject string
	StarterName    string
	StartedAt      time.Time
}

// Person is somebody who did something that keeps them from judging it.
type Person struct{ Issuer, Subject, Name string }

// Author is somebody who gave evidence that a gate judges, and an item for which they did.
type Author struct {
	Person
	Item string
}

// Rules are what a gate asks for besides its places, frozen with the release. What they miss is among the blockers.
type Rules struct {
	// Items, Files and Checks are how many items have to be done with evidence, with a file, and by a check that found
	// everything good; RequiredChecks name checks of which each has to have.
	Items, Files, Checks int
	RequiredChecks       []string
	// AuthorsBarred says that whoever gave evidence of an item that the gate judges does not sign it.
	AuthorsBarred bool
}

// Blocker is something that has to be done before anybody may sign. Item is empty where it is not an item.
type Blocker struct{ Item, Text string }

// Gate is a gate as it stands at one moment.
type Gate struct {
	Release Release
	ID      GateID
	Name    string
	Judges  string
	// Last says that passing this gate signs the release off.
	Last bool
	// AfterMigrations says that it judges what the migrations did, so whoever applied one may not sign.
	AfterMigrations bool
	Slots           []Slot
	// Signatures are all that were ever given here, oldest first.
	Signatures []Signature
	Content    string
	SHA256     string
	Blockers   []Blocker
	Appliers   []Person
	Rules      Rules
	// Authors gave evidence that this gate judges; only where that keeps them from signing.
	Authors []Author
	// Deputies are the lines of the roster that are for today and for a place of this gate, whether their moment has come or not.
	Deputies []Deputy
	// Attempts are the second and every further attempt, and Stops how attempts ended without passing.
	Attempts []Attempt
	Stops    []Stop
	// Glass are the signatures by break-glass of the whole release.
	Glass []Glass
	// ExpiresAt is when the attempt has to have passed; zero where the gate has no end. Overdue says that it has not.
	ExpiresAt time.Time
	Overdue   bool
	// Here is who has the gate open now, where it was read for its page.
	Here []live.Present
	// At is the database's clock when this was read, and Seq the last entry of the audit trail then.
	At  time.Time
	Seq int64
}

// Slot finds a slot by its name.
func (g Gate) Slot(id SlotID) (Slot, bool) {
	i := slices.IndexFunc(g.Slots, func(s Slot) bool { return s.ID == id })
	if i < 0 {
		return Slot{}, false
	}
	return g.Slots[i], true
}

// Latest is the newest signature in a slot, whatever its state.
func (g Gate) Latest(id SlotID) (Signature, bool) {
	for _, s := range slices.Backward(g.Signatures) {
		if s.Slot == id {
			return s, true
		}
	}
	return Signature{}, false
}

// Standing is the signature that fills a slot now.
func (g Gate) Standing(id SlotID) (Signature, bool) {
	for _, s := range slices.Backward(g.Signatures) {
		if s.Slot == id && s.State(g.SHA256) == Standing {
			return s, true
		}
	}
	return Signature{}, false
}

// Missing lists the required slots that nobody fills.
func (g Gate) Missing() []Slot {
	var missing []Slot
	for _, s := range g.Slots {
		if _, ok := g.Standing(s.ID); !ok && s.Required {
			missing = append(missing, s)
		}
	}
	return missing
}

// Passed says whether every required slot is filled and no review is missing that keeps it from counting.
func (g Gate) Passed() bool { return len(g.Slots) > 0 && len(g.Missing()) == 0 && len(g.HeldUp()) == 0 }

// Mine lists the slots whose role the person holds, and then those in which they are a deputy today.
func (g Gate) Mine(by actor.Actor) []Slot {
	var mine, others []Slot
	for _, s := range g.Slots {
		if by.Has(s.Role) {
			mine = append(mine, s)
		} else if _, ok := g.DeputyOf(by, s); ok {
			others = append(others, s)
		}
	}
	return append(mine, others...)
}

// Refuse says why the person cannot fill the slot now, whatever they would sign with; nil where they can.
func (g Gate) Refuse(by actor.Actor, slot Slot) error {
	if !g.Release.Active {
		return fault.New(fault.Conflict, "This release is over, so nothing at its gates can be signed any more.")
	}
	if !by.Has(slot.Role) {
		if err := g.refuseDeputy(by, slot); err != nil {
			return err
		}
	}
	if !by.Can(actor.GateSign) {
		return fault.New(fault.Forbidden, "Only a person who holds the role %s at the identity provider signs in this place.", slot.Role.Title())
	}
	if by.SamePerson(g.Release.StarterIssuer, g.Release.StarterSubject) {
		return fault.New(fault.Forbidden, "You started this release, and four eyes are asked for: another %s has to sign its gates.", slot.Role.Title())
	}
	if g.AfterMigrations && slices.ContainsFunc(g.Appliers, func(p Person) bool { return by.SamePerson(p.Issuer, p.Subject) }) {
		return fault.New(fault.Forbidden, "You applied a migration of this release, so you cannot sign the gate that judges it: another %s has to.", slot.Role.Title())
	}
	if i := slices.IndexFunc(g.Authors, func(a Author) bool { return by.SamePerson(a.Issuer, a.Subject) }); i >= 0 {
		return fault.New(fault.Forbidden, "You gave the evidence of %s, which this gate judges, so you cannot sign it: another %s has to.", g.Authors[i].Item, slot.Role.Title())
	}
	if s, ok := g.Stopped(); ok {
		return fault.New(fault.Conflict, "%s Nobody signs here until a new attempt is opened.", s.already())
	}
	for _, s := range g.Signatures {
		if s.Slot != slot.ID && s.Withdrawn == nil && s.By(by) {
			return fault.New(fault.Conflict, "You have signed this gate already as %s. One person fills one place at a gate.", s.as())
		}
	}
	if s, ok := g.Standing(slot.ID); ok {
		if s.By(by) {
			return fault.New(fault.Conflict, "You have signed as %s already, on %s.", s.as(), s.SignedAt.UTC().Format("2 Jan 2006 at 15:04 UTC"))
		}
		return fault.New(fault.Conflict, "%s has signed as %s already, on %s.", s.Name, slot.Role.Title(), s.SignedAt.UTC().Format("2 Jan 2006 at 15:04 UTC"))
	}
	if len(g.Blockers) > 0 {
		return fault.New(fault.Conflict, "This gate cannot be signed yet. %s", sentences(g.Blockers))
	}
	if slot.SignsLast {
		var waiting []string
		for _, s := range g.Missing() {
			if !s.SignsLast {
				waiting = append(waiting, s.Role.Title())
			}
		}
		if len(waiting) > 0 {
			return fault.New(fault.Conflict, "The %s signs last, and these have not signed yet: %s.", slot.Role.Title(), strings.Join(waiting, ", "))
		}
	}
	return nil
}

// as is in what place a signature was given: that of its role, or of a deputy of it.
func (s Signature) as() string {
	if s.Deputy != nil {
		return "deputy of the " + s.Role.Title()
	}
	return s.Role.Title()
}

// sentences puts the first few blockers into one text.
func sentences(blockers []Blocker) string {
	const enough = 3
	var texts []string
	for _, b := range blockers[:min(enough, len(blockers))] {
		texts = append(texts, b.Text)
	}
	if len(blockers) > enough {
		texts = append(texts, fmt.Sprintf("And %d more: the gate lists them all.", len(blockers)-enough))
	}
	return strings.Join(texts, " ")
}

// fresh says why the sign-in is not good enough for a signature at that moment of the database's clock.
func fresh(by actor.Actor, at time.Time) error {
	switch {
	case by.AuthTime.IsZero():
		return fault.New(fault.Unauthenticated, "The identity provider does not say when you proved who you are (auth_time), and a signature needs that. Nothing was signed.")
	case by.AuthTime.After(at.Add(actor.Leeway)):
		return fault.New(fault.Unauthenticated, "The identity provider says that you will sign in later than now: its clock and the database's differ by more than a minute. Nothing was signed.")
	case by.AuthTime.Before(at.Add(-actor.FreshFor)):
		return fault.New(fault.Unauthenticated, "A signature needs a sign-in of the last five minutes. Sign in again; what you typed stays.")
	}
	return nil
}
