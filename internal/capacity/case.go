package capacity

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// State is where a failure stands.
type State string

// The states. Reopened is like New, of something that was settled before.
const (
	New          State = "new"
	Acknowledged State = "acknowledged"
	Assigned     State = "assigned"
	Fixed        State = "fixed" // somebody says so; a second person looks
	Verified     State = "verified"
	Accepted     State = "accepted" // put up with until a day
	Reopened     State = "reopened"
)

// States are all of them, in the order of a life.
func States() []State {
	return []State{New, Acknowledged, Assigned, Fixed, Verified, Accepted, Reopened}
}

// Open says whether there is still something to do.
func (s State) Open() bool { return s != Verified && s != Accepted }

// Act is something that is done to a failure.
type Act string

// The acts. Recur and Expire are nobody's.
const (
	Acknowledge Act = "acknowledge"
	Assign      Act = "assign"
	FixIt       Act = "fix"
	Verify      Act = "verify"
	Doubt       Act = "doubt" // whoever looked found that the fix does not hold
	Accept      Act = "accept"
	Reopen      Act = "reopen"
	Recur       Act = "recur"
	Expire      Act = "expire"
)

// Code is what settled a failure. The words are the warehouse schema's.
type Code string

// The codes.
const (
	MasterDataCorrected  Code = "MASTER_DATA_CORRECTED"
	BinCapacityCorrected Code = "BIN_CAPACITY_CORRECTED"
	StockMoved           Code = "STOCK_MOVED"
	FalseAlarm           Code = "FALSE_ALARM"
	Other                Code = "OTHER"
)

// Codes are all of them.
func Codes() []Code {
	return []Code{MasterDataCorrected, BinCapacityCorrected, StockMoved, FalseAlarm, Other}
}

// Words is the code as people say it.
func (c Code) Words() string {
	switch c {
	case MasterDataCorrected:
		return "Master data corrected"
	case BinCapacityCorrected:
		return "Bin's capacity corrected"
	case StockMoved:
		return "Stock moved"
	case FalseAlarm:
		return "False alarm"
	case Other:
		return "Something else"
	}
	return string(c)
}

// Person is somebody who acts, or has something in hand.
type Person struct{ Issuer, Subject, Name string }

// Known says whether there is anybody.
func (p Person) Known() bool { return p.Subject != "" }

// Is says whether the actor is that person.
func (p Person) Is(by actor.Actor) bool { return p.Known() && by.SamePerson(p.Issuer, p.Subject) }

func person(by actor.Actor) Person { return Person{by.Issuer, by.Subject, by.Name} }

// Case is a failure at work.
type Case struct {
	ID       uuid.UUID
	Group    uuid.UUID
	Facility Place
	Location Place
	// LocationType, Zone: of the bin, as it was.
	LocationType, Zone string
	Material           Place
	Lot                string
	Quantity           Decimal
	Needed, Free       Load
	Verdict            Verdict
	// Bin is what the bin could hold in all when it was seen, and Unit what one piece was by the master data; nil: unknown.
	BinCubicFeet, BinMaxWeight *Decimal
	UnitCubicFeet, UnitWeight  *Decimal
	Cause                      Cause
	Reason                     string // of the guess

	State       State
	Version     int
	Owner       Person
	FixCode     Code
	FixNotes    string
	FixedBy     Person
	FixedAt     time.Time
	VerifiedBy  Person
	VerifiedAt  time.Time
	AcceptUntil time.Time // a day, at midnight UTC; the acceptance holds until it is over
	AcceptedBy  Person
	AcceptWhy   string

	Occurrences         int
	FirstSeen, LastSeen time.Time
	OpenedAt            time.Time // from when its clock runs
	Reopened            int
	Source              Source
}

// Place is something of the warehouse that has an id and a code.
type Place struct {
	ID         uuid.UUID
	Code, Name string
}

// Source is how a failure was noticed.
type Source string

// The sources.
const (
	ByWMS         Source = "wms"         // the API
	ByTransaction Source = "transaction" // the walk through the transactions
	ByTable       Source = "table"       // a row that somebody wrote into the schema's own table
)

// Due is how long a failure may stay open, by its severity.
func (s Severity) Due() time.Duration {
	switch s {
	case Critical:
		return 4 * time.Hour
	case Warning:
		return 24 * time.Hour
	case Info:
	}
	return 7 * 24 * time.Hour
}

// DueAt is until when it should be settled. Where it reopens, the clock starts anew.
func (c Case) DueAt() time.Time { return c.OpenedAt.Add(c.Verdict.Severity.Due()) }

// from says from which states an act leads on, and where to.
var from = map[Act]struct {
	states []State
	to     State
}{
	Acknowledge: {[]State{New, Reopened}, Acknowledged},
	Assign:      {[]State{New, Reopened, Acknowledged, Assigned}, Assigned},
	FixIt:       {[]State{New, Reopened, Acknowledged, Assigned}, Fixed},
	Verify:      {[]State{Fixed}, Verified},
	Doubt:       {[]State{Fixed}, Reopened},
	Accept:      {[]State{New, Reopened, Acknowledged, Assigned, Accepted}, Accepted},
	Reopen:      {[]State{Fixed, Verified, Accepted}, Reopened},
	Recur:       {[]State{Fixed, Verified}, Reopened},
	Expire:      {[]State{Accepted}, Reopened},
}

// Can says whether the act leads on from where the failure stands, whoever does it.
func (c Case) Can(act Act) bool { return slices.Contains(from[act].states, c.State) }

// From are the states from which an act leads on.
func (a Act) From() []State { return from[a].states }

// To is where an act leads.
func (a Act) To() State { return from[a].to }

// Bars says why this person may not do the act; empty where they may, as far as that goes.
func (c Case) Bars(act Act, by actor.Actor) string {
	if act == Verify && c.FixedBy.Is(by) {
		return "You fixed it yourself; somebody else looks whether it holds."
	}
	return ""
}

// Change is what an act needs besides who does it.
type Change struct {
	Act   Act
	Owner Person    // assign
	Code  Code      // fix
	Notes string    // fix, doubt, reopen, accept: why
	Until time.Time // accept: the last day
}

// Apply does the act, or says why not. now is the database's clock.
func (c *Case) Apply(ch Change, by actor.Actor, now time.Time) error {
	if !c.Can(ch.Act) {
		return fault.New(fault.Conflict, "%s", c.cannot(ch.Act))
	}
	if why := c.Bars(ch.Act, by); why != "" {
		return fault.New(fault.Forbidden, "%s", why)
	}
	switch ch.Act {
	case Assign:
		c.Owner = ch.Owner
	case FixIt:
		c.FixCode, c.FixNotes, c.FixedBy, c.FixedAt = ch.Code, ch.Notes, person(by), now
	case Verify:
		c.VerifiedBy, c.VerifiedAt = person(by), now
	case Accept:
		c.AcceptedBy, c.AcceptUntil, c.AcceptWhy = person(by), ch.Until, ch.Notes
	case Doubt, Reopen, Recur, Expire:
		c.reopen(now)
	case Acknowledge, First, Undone: // who has seen it stands in the history
	}
	c.State = from[ch.Act].to
	c.Version++
	return nil
}

// reopen forgets what settled it; the history keeps that.
func (c *Case) reopen(now time.Time) {
	c.Reopened++
	c.OpenedAt = now
	c.FixCode, c.FixNotes, c.FixedBy, c.FixedAt = "", "", Person{}, time.Time{}
	c.VerifiedBy, c.VerifiedAt = Person{}, time.Time{}
	c.AcceptedBy, c.AcceptUntil, c.AcceptWhy = Person{}, time.Time{}, ""
}

func (c Case) cannot(act Act) string {
	now := "This failure is " + string(c.State)
	switch act {
	case Verify, Doubt:
		return now + "; only what somebody has fixed is verified."
	case Reopen:
		return now + " and open already."
	case Acknowledge:
		return now + "; somebody has seen it already."
	case Assign, FixIt, Accept:
		return now + "; reopen it first."
	case Recur, Expire, First, Undone:
	}
	return now + "."
}

// Again takes in that it was seen once more: a settled failure reopens by itself, one that is accepted stays accepted until its day, and an open one is
// counted. It keeps the worst figures of those that were seen while it was open. It says whether people have to be told anew.
func (c *Case) Again(s Sighting, v Verdict, now time.Time) (tell bool) {
	before := c.Verdict.Severity
	c.Occurrences++
	if s.At.After(c.LastSeen) {
		c.LastSeen = s.At
	}
	reopens := c.Can(Recur)
	if reopens || v.Worst().Sort().GreaterThan(c.Verdict.Worst().Sort()) {
		c.Verdict, c.Needed, c.Free, c.Lot, c.Quantity = v, s.Needed, s.Free, s.Lot, s.Quantity
	}
	if reopens {
		c.reopen(now)
		c.State = Reopened
	}
	c.Version++
	return reopens || c.State.Open() && c.Verdict.Severity.Rank() > before.Rank()
}

// Expired says whether an acceptance is over at a moment: its last day has ended everywhere in UTC.
func (c Case) Expired(now time.Time) bool {
	return c.State == Accepted && !now.Before(c.AcceptUntil.AddDate(0, 0, 1))
}

// Facts is what the trail says of a failure.
func (c Case) Facts() map[string]any {
	f := map[string]any{
		"state": c.State, "version": c.Version, "severity": c.Verdict.Severity, "occurrences": c.Occurrences, "cause": c.Cause,
	}
	for name, value := range map[string]string{
		"owner": c.Owner.Name, "fix_code": string(c.FixCode), "fix_notes": c.FixNotes, "fixed_by": c.FixedBy.Name, "verified_by": c.VerifiedBy.Name,
		"accepted_by": c.AcceptedBy.Name, "accept_reason": c.AcceptWhy,
	} {
		if value != "" {
			f[name] = value
		}
	}
	if !c.AcceptUntil.IsZero() {
		f["accepted_until"] = c.AcceptUntil.Format(time.DateOnly)
	}
	return f
}

// Correction is what the bin, or one piece of the material, would be afterwards.
type Correction struct {
	Bin  *Load // what the bin holds in all
	Unit *Load // of one piece
}

// Clears says whether an open failure would fit after a correction. It takes what was in the bin then as it was: the bin's
// free room grows by as much as the bin does, and what is needed is the pieces times one piece.
func (c Case) Clears(to Correction) bool {
	needed, free := c.Needed, c.Free
	if to.Bin != nil {
		if c.BinCubicFeet == nil || c.BinMaxWeight == nil {
			return false
		}
		free.CubicFeet = free.CubicFeet.Add(to.Bin.CubicFeet).Sub(*c.BinCubicFeet)
		free.WeightLbs = free.WeightLbs.Add(to.Bin.WeightLbs).Sub(*c.BinMaxWeight)
	}
	if to.Unit != nil {
		needed = Load{to.Unit.CubicFeet.Mul(c.Quantity), to.Unit.WeightLbs.Mul(c.Quantity)}
	}
	return needed.Fits(free)
}
