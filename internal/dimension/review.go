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

// Decision is what a supervisor decides; the words are the client's.
type Decision string

// The decisions.
const (
	ApproveMeasured Decision = "APPROVE_MEASURED"
	KeepMaster      Decision = "KEEP_MASTER"
	MeasureAgain    Decision = "REMEASURE"
)

// ReviewQuery asks for a page of what waits for a decision, the oldest first.
type ReviewQuery struct {
	AfterAt time.Time
	AfterID uuid.UUID
	Limit   int
}

// Reviews is a page of cases that wait for a decision.
type Reviews struct {
	Cases []ReviewLine
	At    time.Time // the database's clock
}

// ReviewLine is one of them.
type ReviewLine struct {
	Case
	Name     string // of the material
	Facility string // its code
	Readers  []Person
}

// Review is all that somebody needs to decide.
type Review struct {
	Case     Case
	Material Material
	Facility Facility
	Readings []Reading
	Decided  []Ruled
	Effect   Effect
	At       time.Time
}

// Ruled is a decision that was made.
type Ruled struct {
	Round    int
	Decision Decision
	Note     string
	By       Person
	At       time.Time
}

// Effect is what changes when the measurement is taken over.
type Effect struct {
	Bins     []BinEffect
	Putaways []PutawayEffect
	Failures []FailureEffect
}

// BinEffect is a bin that holds the material, before and after.
type BinEffect struct {
	Location, Facility                string
	Quantity                          decimal.Decimal
	CapacityCubicFeet, CapacityPounds decimal.Decimal
	BeforeCubicFeet, AfterCubicFeet   decimal.Decimal
	BeforePounds, AfterPounds         decimal.Decimal
}

// Fits says whether the bin's stock fits into it after, and Fitted whether it does now. A bin without a capacity fits nothing in
// particular, so it is not counted.
func (b BinEffect) Fits() bool {
	return within(b.AfterCubicFeet, b.CapacityCubicFeet) && within(b.AfterPounds, b.CapacityPounds)
}

// Fitted says whether its stock fits by what is recorded now.
func (b BinEffect) Fitted() bool {
	return within(b.BeforeCubicFeet, b.CapacityCubicFeet) && within(b.BeforePounds, b.CapacityPounds)
}

func within(used, capacity decimal.Decimal) bool {
	return !capacity.IsPositive() || used.LessThanOrEqual(capacity)
}

// PutawayEffect is an open recommendation for the material.
type PutawayEffect struct {
	Lot, Location                       string
	Quantity                            decimal.Decimal
	RequiredCubicFeet, RequiredPounds   decimal.Decimal // after
	AvailableCubicFeet, AvailablePounds decimal.Decimal
}

// Fits says whether it still has room.
func (p PutawayEffect) Fits() bool {
	return p.RequiredCubicFeet.LessThanOrEqual(p.AvailableCubicFeet) && p.RequiredPounds.LessThanOrEqual(p.AvailablePounds)
}

// FailureEffect is an unresolved capacity failure of the material, and what it would need after.
type FailureEffect struct {
	Lot, Location                       string
	RequiredCubicFeet, RequiredPounds   decimal.Decimal // after
	AvailableCubicFeet, AvailablePounds decimal.Decimal // as the failure recorded it
}

// Clears says whether it would not have failed.
func (f FailureEffect) Clears() bool {
	return f.RequiredCubicFeet.LessThanOrEqual(f.AvailableCubicFeet) && f.RequiredPounds.LessThanOrEqual(f.AvailablePounds)
}

// NoLonger counts the bins that hold more than fits after, and did not before; Clearing the failures that would be none, and
// Missing the open putaways that have no room any more.
func (e Effect) NoLonger() (n int) {
	for _, b := range e.Bins {
		if b.Fitted() && !b.Fits() {
			n++
		}
	}
	return n
}

// Clearing counts the failures that would be none.
func (e Effect) Clearing() (n int) {
	for _, f := range e.Failures {
		if f.Clears() {
			n++
		}
	}
	return n
}

// Missing counts the open putaways that have no room any more.
func (e Effect) Missing() (n int) {
	for _, p := range e.Putaways {
		if !p.Fits() {
			n++
		}
	}
	return n
}

// Reviews reads what waits for a decision.
func (s *Service) Reviews(ctx context.Context, by actor.Actor, q ReviewQuery) (Reviews, error) {
	if err := by.Demand(actor.DimensionRead); err != nil {
		return Reviews{}, err
	}
	q.Limit = min(max(q.Limit, 1), 200)
	return s.store.Reviews(ctx, by, q)
}

// Case reads one case with what would change.
func (s *Service) Case(ctx context.Context, by actor.Actor, id uuid.UUID) (Review, error) {
	if err := by.Demand(actor.DimensionRead); err != nil {
		return Review{}, err
	}
	return s.store.Review(ctx, by, id)
}

// WhyNot says why the person may not decide; empty where they may.
func (r Review) WhyNot(by actor.Actor) string {
	if r.Case.State != InReview {
		return "Nothing is to be decided here now."
	}
	if hasRead(r.Readings, by) {
		return measuredYourself
	}
	return ""
}

const measuredYourself = "You measured it yourself, so somebody else decides."

func hasRead(readings []Reading, by actor.Actor) bool {
	for _, r := range readings {
		if r.By.Is(by) {
			return true
		}
	}
	return false
}

// Ruling is a decision as the form sends it: with the versions that the person saw.
type Ruling struct {
	ID       uuid.UUID
	Case     uuid.UUID
	Decision Decision
	Note     string
	Seen     int // version of the case
	Material int // version of the material
}

func (r Ruling) check() error {
	refused := fault.New(fault.Invalid, "Nothing was decided yet. Something has to be put right first.")
	if n := utf8.RuneCountInString(r.Note); n < 3 || n > NotesMost || strings.ContainsRune(r.Note, 0) {
		refused = refused.WithField("note", fmt.Sprintf("Say why, in 3 to %d characters.", NotesMost))
	}
	if r.Decision != ApproveMeasured && r.Decision != KeepMaster && r.Decision != MeasureAgain {
		refused = refused.WithField("decision", "Choose one.")
	}
	if len(refused.Fields) == 0 {
		return nil
	}
	return refused
}

// Decide carries out a supervisor's decision. Whoever measured in the case does not make it: the statement that writes it sees to that.
func (s *Service) Decide(ctx context.Context, by actor.Actor, r Ruling) error {
	if err := by.Demand(actor.DimensionReview); err != nil {
		return err
	}
	if by.Rights != nil {
		return fault.New(fault.Forbidden, "A decision is a person's word; no machine gives it.")
	}
	r.Note = strings.TrimSpace(r.Note)
	if err := r.check(); err != nil {
		return err
	}
	r.ID = newID()
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error { return decide(ctx, tx, by, r) })
}

func decide(ctx context.Context, tx Tx, by actor.Actor, r Ruling) error {
	// The material first, as whoever measures holds it first.
	id, err := tx.MaterialOf(ctx, r.Case)
	if err != nil {
		return err
	}
	material, err := tx.LockMaterial(ctx, id)
	if err != nil {
		return err
	}
	c, readings, err := tx.Case(ctx, r.Case)
	if err != nil {
		return err
	}
	switch {
	case hasRead(readings, by):
		return fault.New(fault.Forbidden, "%s Nothing was changed.", measuredYourself)
	case c.State != InReview:
		return fault.New(fault.Conflict, "Somebody else has decided this meanwhile, or it is being measured again. Nothing of yours was saved.")
	case r.Material != material.Version || r.Seen != c.Version:
		return differs(ctx, tx, material, r)
	}
	was, verification, err := c.State, uuid.NullUUID{}, error(nil)
	record := material.Master
	switch r.Decision {
	case ApproveMeasured:
		record = material.Master.With(c.Measured)
		verification, err = approve(ctx, tx, by, material, c, r, readings)
		c.State = Settled
	case KeepMaster:
		err = change(ctx, tx, by, material, Change{Kind: Kept, Old: material.Master, New: material.Master, Reason: r.Note, Case: c.ID}, uuid.Nil)
		c.State = Settled
	case MeasureAgain:
		c.State = Remeasure
	}
	if err != nil {
		return err
	}
	written, err := tx.AddReview(ctx, by, r, c, verification)
	if err != nil {
		return err
	}
	if !written {
		return fault.New(fault.Forbidden, "%s Nothing was changed.", measuredYourself)
	}
	if c.State == Remeasure {
		c.Round++
	}
	if err := tx.SaveCase(ctx, c, verification); err != nil {
		return err
	}
	if err := keepTask(ctx, tx, c); err != nil {
		return err
	}
	return tx.Record(ctx, audit.Event{
		Action: "dimension:review", ObjectKind: "material", ObjectID: material.ID.String(), Reason: r.Note,
		Before: map[string]any{"state": string(was), "master": material.Master.Fields(), "version": material.Version},
		After: map[string]any{
			"case": c.ID, "code": material.Code, "decision": string(r.Decision), "state": string(c.State), "master": record.Fields(), "verification": nullable(verification),
		},
	})
}

// approve takes the measurement over: a verification of its own, because that of the measurement stays what it was.
func approve(ctx context.Context, tx Tx, by actor.Actor, material Material, c Case, r Ruling, readings []Reading) (uuid.NullUUID, error) {
	user, err := tx.User(ctx, by)
	if err != nil {
		return uuid.NullUUID{}, err
	}
	judged := material.Master.Judge(c.Measured, Master{}, Binding)
	judged.Status = MasterDataUpdated
	v := Verification{
		ID: newID(), Facility: c.Facility, Material: material.ID, Master: material.Master, Measured: c.Measured, Judgement: judged, User: user,
		Notes: fmt.Sprintf("Approved by review of %d reading(s): %s", len(readings), r.Note),
	}
	if err := tx.AddVerification(ctx, v); err != nil {
		return uuid.NullUUID{}, err
	}
	id := uuid.NullUUID{UUID: v.ID, Valid: true}
	return id, change(ctx, tx, by, material, Change{Kind: Approved, Old: material.Master, New: material.Master.With(c.Measured), Reason: r.Note, Case: c.ID, Verification: id}, user)
}

// differs says what changed since the person opened the page.
func differs(ctx context.Context, tx Tx, material Material, r Ruling) error {
	refused := fault.New(fault.Conflict, "The master data of %s changed since you opened this page, so nothing was decided. What is shown now is what holds: look at it again.", material.Code)
	changes, err := tx.Changes(ctx, material.ID)
	if err != nil {
		return err
	}
	var said []string
	for i := len(changes) - 1; i >= 0; i-- {
		if c := changes[i]; c.Version > r.Material && c.Kind != Kept {
			for _, d := range c.Old.Changed(c.New) {
				said = append(said, fmt.Sprintf("%s changed %s from %s to %s.", c.By.Name, d.Word(), shownOrNone(d.Old), shownOrNone(d.New)))
			}
		}
	}
	if len(said) == 0 {
		said = []string{fmt.Sprintf("You saw version %d, and it is at version %d now.", r.Material, material.Version)}
	}
	return refused.WithField("seen", strings.Join(said, " "))
}

func shownOrNone(d decimal.NullDecimal) string {
	if !d.Valid {
		return "nothing"
	}
	return d.Decimal.String()
}
