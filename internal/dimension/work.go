package dimension

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Reason is why a material is to be measured.
type Reason string

// The reasons, the most urgent first.
const (
	ForReading   Reason = "reading"   // another person's reading is wanted
	ForRemeasure Reason = "remeasure" // a supervisor wants it measured again
	ForFailure   Reason = "failure"   // a capacity failure names it
	ForAsked     Reason = "asked"     // somebody of QA asked
	ForOutlier   Reason = "outlier"   // a figure that lies out names it
	ForUnknown   Reason = "unknown"   // its volume is not known
	ForNever     Reason = "never"     // it was never verified here
	ForStale     Reason = "stale"     // verified more than 90 days ago
)

// StaleAfter is how many whole days a verification is good for; on the ninetieth it still is.
const StaleAfter = 90

// Wanted is a material that somebody or something wants measured.
type Wanted struct {
	Facility, Material uuid.UUID
	Reason             Reason
	Note               string
}

// Task is a line of the work list.
type Task struct {
	Facility, Material uuid.UUID
	Code, Name         string
	Reason             Reason
	Note               string
	LastAt             time.Time
	Failures, Bins     int
	Zone, Location     string
	Walk, Gain         int
	Holder             Person
	TakenAt            time.Time
	AssignedBy         string
	Version            int
	// Barred are those who have measured it in this round, so that others do.
	Barred []Person
}

// IsBarred says whether the person has measured it in this round.
func (t Task) IsBarred(by actor.Actor) bool {
	for _, p := range t.Barred {
		if p.Is(by) {
			return true
		}
	}
	return false
}

// WorkOrder is in which order the work list stands.
type WorkOrder string

// The orders.
const (
	ByWalk WorkOrder = "walk" // by zone and walking order
	ByGain WorkOrder = "gain" // by what it brings, the most first
)

// WorkQuery asks for a page of the work list, and for what was scanned.
type WorkQuery struct {
	Facility uuid.UUID // zero: the first one
	Order    WorkOrder
	Zone     string // empty: all
	// The last line of the page before; AfterMaterial is zero for the first page.
	AfterZone     string
	AfterNumber   int // walk or gain
	AfterMaterial uuid.UUID
	Limit         int
	// What was scanned: one of these, or nothing.
	Code, GTIN, Lot string
}

// Colleague is somebody who may measure.
type Colleague struct {
	ID     uuid.UUID
	Person Person
}

// Work is a page of the work list with what belongs to it.
type Work struct {
	Facilities []Facility
	Facility   Facility
	Zones      []string
	Tasks      []Task
	Mine       []Task // those that the person has taken, whatever the page
	Colleagues []Colleague
	Found      []Found
	At         time.Time
}

// FoundKind is by what something was found.
type FoundKind string

// The kinds.
const (
	ByCode     FoundKind = "code"
	ByBarcode  FoundKind = "gtin"
	ByLot      FoundKind = "lot"
	ByLocation FoundKind = "location"
)

// Found is a material that was found by what was scanned.
type Found struct {
	Material   uuid.UUID
	Code, Name string
	Kind       FoundKind
	Location   string // where it lies here
}

// Work reads it.
func (s *Service) Work(ctx context.Context, by actor.Actor, q WorkQuery) (Work, error) {
	if err := by.Demand(actor.DimensionRead); err != nil {
		return Work{}, err
	}
	q.Limit = min(max(q.Limit, 1), 200)
	if q.Order != ByGain {
		q.Order = ByWalk
	}
	return s.store.Work(ctx, by, q)
}

// Plan brings the tenant's work list up to date. It is the scheduler's.
func (s *Service) Plan(ctx context.Context, by actor.Actor) (added, removed int, err error) {
	return s.store.Plan(ctx, by)
}

// Hold is what somebody does with a task: taking it, giving it back, or giving it to somebody.
type Hold struct {
	Facility, Material uuid.UUID
	Seen               int
	// Colleague is who is to have it; zero for whoever asks.
	Colleague uuid.UUID
	Release   bool
}

// Take gives a task to whoever asks, who may measure; Release lets it go.
func (s *Service) Take(ctx context.Context, by actor.Actor, h Hold) error {
	if err := by.Demand(actor.DimensionMeasure); err != nil {
		return err
	}
	return s.hold(ctx, by, h, Person{by.Issuer, by.Subject, by.Name}, "")
}

// Release gives a task back. A supervisor may take it from somebody.
func (s *Service) Release(ctx context.Context, by actor.Actor, h Hold) error {
	if err := by.Demand(actor.DimensionMeasure); err != nil {
		return err
	}
	h.Release = true
	return s.hold(ctx, by, h, Person{}, "")
}

// Assign gives a task to a colleague.
func (s *Service) Assign(ctx context.Context, by actor.Actor, h Hold) error {
	if err := by.Demand(actor.DimensionReview); err != nil {
		return err
	}
	return s.hold(ctx, by, h, Person{}, by.Name)
}

func (s *Service) hold(ctx context.Context, by actor.Actor, h Hold, to Person, assignedBy string) error {
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		task, err := tx.Task(ctx, h.Facility, h.Material)
		if err != nil {
			return err
		}
		if h.Colleague != uuid.Nil {
			c, err := tx.Colleague(ctx, h.Colleague)
			if err != nil {
				return err
			}
			to = c.Person
		}
		if why := task.whyNot(by, h, to); why != "" {
			return fault.New(fault.Conflict, "%s", why)
		}
		held, err := tx.HoldTask(ctx, Task{Facility: h.Facility, Material: h.Material, Version: h.Seen}, to, assignedBy)
		if err != nil {
			return err
		}
		if !held {
			return fault.New(fault.Conflict, "Somebody else has changed this task meanwhile. Look at the list again.")
		}
		action := "task:take"
		switch {
		case h.Release:
			action = "task:release"
		case assignedBy != "":
			action = "task:assign"
		}
		return tx.Record(ctx, audit.Event{
			Action: action, ObjectKind: "material", ObjectID: task.Material.String(),
			Before: map[string]any{"facility": task.Facility, "code": task.Code, "with": orNone(task.Holder.Name)},
			After:  map[string]any{"facility": task.Facility, "code": task.Code, "with": orNone(to.Name)},
		})
	})
}

// whyNot says why a task cannot be given to somebody now; empty where it can.
func (t Task) whyNot(by actor.Actor, h Hold, to Person) string {
	mine := t.Holder.Is(by)
	switch {
	case h.Release && !t.Holder.Known():
		return "Nobody has this task, so there is nothing to give back."
	case h.Release && !mine && !by.Can(actor.DimensionReview):
		return t.Holder.Name + " has this task; they or a supervisor can give it back."
	case h.Release:
		return ""
	case h.Colleague == uuid.Nil && t.Holder.Known() && !mine:
		return t.Holder.Name + " has taken this task. Take another, or ask a supervisor."
	}
	for _, p := range t.Barred {
		if p.Issuer == to.Issuer && p.Subject == to.Subject {
			return to.Name + " has measured it already; somebody else has to measure it now."
		}
	}
	return ""
}

// Ask is somebody's wish that a material be measured.
type Ask struct {
	Facility uuid.UUID
	Code     string
	Note     string
}

// Ask puts a material onto the work list.
func (s *Service) Ask(ctx context.Context, by actor.Actor, a Ask) error {
	if err := by.Demand(actor.DimensionReview); err != nil {
		return err
	}
	a.Code, a.Note = strings.TrimSpace(a.Code), strings.TrimSpace(a.Note)
	refused := fault.New(fault.Invalid, "Nothing was asked for yet. Something has to be put right first.")
	if a.Code == "" {
		refused = refused.WithField("code", "Say which material, by its code.")
	}
	if n := utf8.RuneCountInString(a.Note); n < 3 || n > 400 {
		refused = refused.WithField("note", "Say why, in 3 to 400 characters.")
	}
	if len(refused.Fields) > 0 {
		return refused
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		if _, err := tx.Facility(ctx, a.Facility); err != nil {
			return err
		}
		material, err := tx.MaterialByCode(ctx, a.Code)
		if fault.Is(err, fault.NotFound) {
			return fault.New(fault.Invalid, "Nothing was asked for yet.").WithField("code", fmt.Sprintf("No material has the code %s.", a.Code))
		}
		if err != nil {
			return err
		}
		return s.want(ctx, tx, material, Wanted{a.Facility, material.ID, ForAsked, by.Name + ": " + a.Note}, a.Note)
	})
}

// AskFor is the same for a part of the product that knows which material it is: what it found is the reason.
func (s *Service) AskFor(ctx context.Context, by actor.Actor, w Wanted) error {
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		material, err := tx.LockMaterial(ctx, w.Material)
		if err != nil {
			return err
		}
		if _, err := tx.Facility(ctx, w.Facility); err != nil {
			return err
		}
		return s.want(ctx, tx, material, w, w.Note)
	})
}

func (s *Service) want(ctx context.Context, tx Tx, material Material, w Wanted, why string) error {
	if c, _, found, err := tx.OpenCase(ctx, w.Facility, w.Material); err != nil || found && c.State == InReview {
		if err == nil {
			err = fault.New(fault.Conflict, "%s was measured, and a supervisor decides what is right. It can be asked for after that.", material.Code)
		}
		return err
	}
	if err := tx.Want(ctx, w); err != nil {
		return err
	}
	return tx.Record(ctx, audit.Event{
		Action: "task:ask", ObjectKind: "material", ObjectID: material.ID.String(), Reason: why,
		After: map[string]any{"facility": w.Facility, "code": material.Code, "reason": string(w.Reason)},
	})
}

// Link says of which material a trade item number is.
func (s *Service) Link(ctx context.Context, by actor.Actor, facility uuid.UUID, gtin, code string) (Material, error) {
	if err := by.Demand(actor.DimensionMeasure); err != nil {
		return Material{}, err
	}
	var material Material
	err := s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		if _, err := tx.Facility(ctx, facility); err != nil { // where it is to be measured next
			return err
		}
		var err error
		if material, err = tx.MaterialByCode(ctx, strings.TrimSpace(code)); fault.Is(err, fault.NotFound) {
			return fault.New(fault.Invalid, "The barcode was not linked.").WithField("code", fmt.Sprintf("No material has the code %s.", strings.TrimSpace(code)))
		}
		if err != nil {
			return err
		}
		was, err := tx.LinkBarcode(ctx, gtin, material.ID)
		if err != nil {
			return err
		}
		return tx.Record(ctx, audit.Event{
			Action: "barcode:link", ObjectKind: "material", ObjectID: material.ID.String(),
			Before: map[string]any{"gtin": gtin, "material": nullable(was)}, After: map[string]any{"gtin": gtin, "material": material.ID, "code": material.Code},
		})
	})
	return material, err
}

// History is everything that is known of a material's dimensions.
type History struct {
	Material      Material
	Facility      uuid.UUID // one where it lies, to measure it at
	Verifications []Entry
	Changes       []Change
	Readings      []Reading
	Open          []Case
	Barcodes      []string
	At            time.Time
}

// Entry is a verification as it stands in the warehouse's table.
type Entry struct {
	Status               Status
	Facility             string // its code
	Pounds, CubicFeet    decimal.Decimal
	VolumePct, WeightPct decimal.NullDecimal
	First, Beyond        bool
	Automatic            bool
	By, Notes            string
	At                   time.Time
}

// History reads it.
func (s *Service) History(ctx context.Context, by actor.Actor, material uuid.UUID) (History, error) {
	if err := by.Demand(actor.DimensionRead); err != nil {
		return History{}, err
	}
	return s.store.History(ctx, by, material)
}
