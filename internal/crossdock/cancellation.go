package crossdock

import (
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Decimal is an exact number.
type Decimal = capacity.Decimal

// Reason is why a cross-dock was cancelled. The words are the warehouse schema's.
type Reason string

// The reasons.
const (
	OrderCancelled   Reason = "ORDER_CANCELLED"
	OrderDelayed     Reason = "ORDER_DELAYED"
	QuantityMismatch Reason = "QUANTITY_MISMATCH"
	QualityIssue     Reason = "MATERIAL_QUALITY_ISSUE"
	ManualOverride   Reason = "MANUAL_OVERRIDE"
)

// Reasons are all of them.
func Reasons() []Reason {
	return []Reason{OrderCancelled, OrderDelayed, QuantityMismatch, QualityIssue, ManualOverride}
}

// Words is the reason as people say it.
func (r Reason) Words() string {
	switch r {
	case OrderCancelled:
		return "Order cancelled"
	case OrderDelayed:
		return "Order delayed"
	case QuantityMismatch:
		return "Quantity does not match"
	case QualityIssue:
		return "Quality issue"
	case ManualOverride:
		return "Decided by hand"
	}
	return string(r)
}

// Known says whether it is a reason at all.
func (r Reason) Known() bool {
	for _, known := range Reasons() {
		if r == known {
			return true
		}
	}
	return false
}

// Place is something that people know by a code.
type Place struct {
	ID         uuid.UUID
	Code, Name string
}

// Known says whether there is anything.
func (p Place) Known() bool { return p.ID != uuid.Nil }

// Spot is a location as a list shows it.
type Spot struct {
	Place
	Zone, Type string
}

// released is the quality of goods that may be used.
const released = "RELEASED"

// Lot is what stands at the dock.
type Lot struct {
	ID        uuid.UUID
	Number    string
	Version   int
	Facility  Place
	Material  Place
	Quantity  Decimal
	Unit      string // of measure
	Quality   string
	At        Spot           // where it is now; zero where nobody knows
	Piece     *capacity.Load // one unit by the master data; nil: unknown
	Box       capacity.Box   // of one unit
	Cold      bool           // needs a cooled place
	Clearance string         // the least security a place needs
	ArrivedAt time.Time      // when it was last brought to where it is; zero: not known
	Gone      bool           // deleted, or not active any more
}

// OnHold says whether the lot may not be used now.
func (l Lot) OnHold() bool { return l.Quality != released }

// Cancellation is the errand of one lot.
type Cancellation struct {
	ID       uuid.UUID
	Version  int
	Lot      Lot
	Reason   Reason
	Order    Place // the order it was for
	Staging  Spot  // where it stood when it was cancelled
	To       Spot  // where it is to go; zero: waiting for a place
	Why      string
	Actual   Spot // where it was really stored
	Since    time.Time
	Limit    time.Duration // how long it may stand at the dock
	At       time.Time     // cancelled
	By       string
	Notes    string
	StoredAt time.Time
	StoredBy string
}

// Open says whether the lot still has to be carried somewhere.
func (c Cancellation) Open() bool { return c.StoredAt.IsZero() }

// Waiting says whether no place was found yet.
func (c Cancellation) Waiting() bool { return c.Open() && !c.To.Known() }

// Dwell is how long it stands, or stood, at the dock.
func (c Cancellation) Dwell(now time.Time) time.Duration {
	if !c.Open() {
		now = c.StoredAt
	}
	return max(now.Sub(c.Since), 0)
}

// Late says whether it stands at the dock for longer than its zone allows.
func (c Cancellation) Late(now time.Time) bool { return c.Open() && c.Dwell(now) > c.Limit }

// Path is where the cancellation stands.
func (c Cancellation) Path() string { return "/cross-dock/" + c.ID.String() }

// Facts are what the trail keeps of it.
func (c Cancellation) Facts() map[string]any {
	facts := map[string]any{
		"facility": c.Lot.Facility.Code, "lot": c.Lot.Number, "material": c.Lot.Material.Code, "reason": string(c.Reason), "quality": c.Lot.Quality,
		"at": c.Lot.At.Code, "to": c.To.Code, "version": c.Version,
	}
	if c.Why != "" {
		facts["why"] = c.Why
	}
	if !c.Open() {
		facts["stored_in"] = c.Actual.Code
	}
	return facts
}

// Acts, as the history of a cancellation names them.
const (
	actCancel  = "cancel"
	actTold    = "told_again"
	actHold    = "hold"
	actPlace   = "place"
	actUnplace = "unplace"
	actChoose  = "choose"
	actStore   = "store"
)

// Event is something that happened to a cancellation.
type Event struct {
	Act, Note string
	From, To  string // codes of locations
	By        Person
	At        time.Time
}

// Person is somebody who acts.
type Person struct{ Issuer, Subject, Name string }

func person(by actor.Actor) Person { return Person{by.Issuer, by.Subject, by.Name} }

// objectKind is what the trail calls a cancellation.
const objectKind = "cross_dock_cancellation"

func noSuch() error { return fault.New(fault.NotFound, "There is no such thing here.") }

// NotDeployed says that the warehouse has no table of cancellations yet.
func NotDeployed() error {
	return fault.New(fault.Unavailable, "Cross-dock cancellations are not deployed yet: they come with migration V0.0.20 of the warehouse. Nothing was recorded; try again when it is applied.")
}
