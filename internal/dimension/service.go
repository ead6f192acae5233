package dimension

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Store is where measurements are kept. Each read is one round trip. What the warehouse does not have yet is *NotDeployed.
type Store interface {
	// Sheet is what whoever measures may see, and nothing of what is recorded.
	Sheet(ctx context.Context, by actor.Actor, facility, material uuid.UUID) (Sheet, error)
	History(ctx context.Context, by actor.Actor, material uuid.UUID) (History, error)
	Reviews(ctx context.Context, by actor.Actor, q ReviewQuery) (Reviews, error)
	Review(ctx context.Context, by actor.Actor, id uuid.UUID) (Review, error)
	Work(ctx context.Context, by actor.Actor, q WorkQuery) (Work, error)
	// Plan brings the work list up to date, and says how many tasks came and went.
	Plan(ctx context.Context, by actor.Actor) (added, removed int, err error)
	InTenant(ctx context.Context, by actor.Actor, work func(context.Context, Tx) error) error
}

// Tx is everything that this package may do to the database.
type Tx interface {
	// LockMaterial holds the material until the transaction ends; NotFound where it is none of the tenant, or deleted.
	LockMaterial(ctx context.Context, id uuid.UUID) (Material, error)
	Facility(ctx context.Context, id uuid.UUID) (Facility, error)
	ReadingWithKey(ctx context.Context, key uuid.UUID) (Reading, bool, error)
	// OpenCase is the one that is not settled, with the readings of its round.
	OpenCase(ctx context.Context, facility, material uuid.UUID) (Case, []Reading, bool, error)
	// Case holds a case until the transaction ends, with all its readings.
	Case(ctx context.Context, id uuid.UUID) (Case, []Reading, error)
	MaterialOf(ctx context.Context, id uuid.UUID) (uuid.UUID, error)
	Tolerance(ctx context.Context, packaging string) (Tolerance, error)
	// Changes is the history of a material's master data, newest first, as far back as LastApproved looks.
	Changes(ctx context.Context, material uuid.UUID) ([]Change, error)
	// User is the actor in the warehouse's own table of users.
	User(ctx context.Context, by actor.Actor) (uuid.UUID, error)

	AddVerification(ctx context.Context, v Verification) error
	// SetMaster writes the record; false where the material is not at that version any more.
	SetMaster(ctx context.Context, m Material, newer Master, user uuid.UUID) (bool, error)
	AddChange(ctx context.Context, c Change) error
	SaveCase(ctx context.Context, c Case, verification uuid.NullUUID) error
	AddReading(ctx context.Context, r Reading) error
	AddReview(ctx context.Context, by actor.Actor, r Ruling, c Case, verification uuid.NullUUID) (bool, error)

	// Want puts a material onto the work list or changes why it is there, and Done takes it off.
	Want(ctx context.Context, w Wanted) error
	Done(ctx context.Context, facility, material uuid.UUID) error
	Task(ctx context.Context, facility, material uuid.UUID) (Task, error)
	HoldTask(ctx context.Context, t Task, holder Person, assignedBy string) (bool, error)
	Colleague(ctx context.Context, id uuid.UUID) (Colleague, error)
	MaterialByCode(ctx context.Context, code string) (Material, error)
	LinkBarcode(ctx context.Context, gtin string, material uuid.UUID) (was uuid.NullUUID, err error)

	Record(ctx context.Context, e audit.Event) error
}

// NotDeployed is the error of something for which the warehouse's schema is too old.
type NotDeployed struct{ Version string }

func (n *NotDeployed) Error() string {
	return fmt.Sprintf("Measurements are not deployed yet: their table comes with migration V%s.", n.Version)
}

// Service is the stories of measuring.
type Service struct {
	store Store
	now   func() time.Time
}

// NewService keeps measurements in store.
func NewService(store Store, now func() time.Time) *Service { return &Service{store, now} }

// Sheet is what whoever measures sees: the material, and whether it may be measured by them now.
type Sheet struct {
	Facility   Facility
	Material   uuid.UUID
	Code, Name string
	Version    int
	State      State    // of the open case; empty where none is open
	Readers    []Person // who has measured in this round
	Location   string   // where it lies first on the way
}

// Sheet reads it.
func (s *Service) Sheet(ctx context.Context, by actor.Actor, facility, material uuid.UUID) (Sheet, error) {
	if err := by.Demand(actor.DimensionMeasure); err != nil {
		return Sheet{}, err
	}
	return s.store.Sheet(ctx, by, facility, material)
}

// WhyNot says why the person may not measure it now; empty where they may.
func (s Sheet) WhyNot(by actor.Actor) string {
	if s.State == InReview {
		return inReview
	}
	for _, p := range s.Readers {
		if p.Is(by) {
			return readAlready
		}
	}
	return ""
}

const (
	inReview    = "It was measured, and a supervisor decides what is right. Until then it is not measured again."
	readAlready = "You have measured it already, and somebody else has to measure it now: a second look is worth something when other eyes take it."
)

// Measurement is what a form sends.
type Measurement struct {
	Facility, Material uuid.UUID
	Seen               int // the version of the material that the person saw
	Box                Box
	Notes              string
	Sure               bool // what was asked back was answered
	Key                uuid.UUID
}

// NotesMost is how long notes may be.
const NotesMost = 2000

func (m Measurement) check() error {
	err := m.Box.Check()
	refused, _ := fault.As(err)
	add := func(field, text string) {
		if refused == nil {
			refused = fault.New(fault.Invalid, "The measurement was not saved. Something has to be put right first.")
		}
		refused = refused.WithField(field, text)
	}
	if n := utf8.RuneCountInString(m.Notes); n > NotesMost {
		add("notes", fmt.Sprintf("At most %d characters, please; these are %d.", NotesMost, n))
	}
	if strings.ContainsRune(m.Notes, 0) || !utf8.ValidString(m.Notes) {
		add("notes", "The notes hold a character that cannot be kept. Remove it.")
	}
	if m.Key == uuid.Nil {
		add("key", "This form was not made here. Open the page again.")
	}
	if refused == nil {
		return nil
	}
	return refused
}

// Measure takes a reading, judges it, and lets the record follow where it may, all in one transaction. The same form sent again
// gives what the first one gave.
func (s *Service) Measure(ctx context.Context, by actor.Actor, m Measurement) (Reading, error) {
	if err := by.Demand(actor.DimensionMeasure); err != nil {
		return Reading{}, err
	}
	if by.Rights != nil {
		return Reading{}, fault.New(fault.Forbidden, "A measurement is a person's word; no machine gives it.")
	}
	m.Notes = strings.TrimSpace(m.Notes)
	if err := m.check(); err != nil {
		return Reading{}, err
	}
	var saved Reading
	err := s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		var err error
		saved, err = measure(ctx, tx, by, m)
		return err
	})
	return saved, err
}

func measure(ctx context.Context, tx Tx, by actor.Actor, m Measurement) (Reading, error) {
	// Whoever holds the material is alone with its cases: the second of two identical forms waits here and finds the first.
	material, err := tx.LockMaterial(ctx, m.Material)
	if err != nil {
		return Reading{}, err
	}
	if earlier, found, err := tx.ReadingWithKey(ctx, m.Key); err != nil || found {
		return again(earlier, by, m, err)
	}
	if _, err := tx.Facility(ctx, m.Facility); err != nil {
		return Reading{}, err
	}
	changes, err := tx.Changes(ctx, material.ID)
	if err != nil {
		return Reading{}, err
	}
	if m.Seen != material.Version {
		return Reading{}, overtaken(material, m.Seen, changes)
	}
	open, before, found, err := tx.OpenCase(ctx, m.Facility, material.ID)
	if err != nil {
		return Reading{}, err
	}
	if !found {
		open = Case{ID: newID(), Facility: m.Facility, Material: material.ID, Code: material.Code, Round: 1}
	}
	sheet := Sheet{State: open.State}
	boxes := make([]Box, 0, len(before)+1)
	for _, r := range before {
		sheet.Readers, boxes = append(sheet.Readers, r.By), append(boxes, r.Box)
	}
	if why := sheet.WhyNot(by); why != "" {
		return Reading{}, fault.New(fault.Conflict, "%s Nothing of yours was saved.", why)
	}
	asked := material.Master.Questions(m.Box)
	if len(asked) > 0 && !m.Sure {
		return Reading{}, askBack(asked)
	}
	tolerance, err := tx.Tolerance(ctx, material.Type)
	if err != nil {
		return Reading{}, err
	}
	step := material.Master.Decide(append(boxes, m.Box), LastApproved(material.Master, changes), tolerance)
	r := Reading{
		ID: newID(), Case: open.ID, Facility: m.Facility, Material: material.ID, Round: open.Round, Number: len(before) + 1, Seen: m.Seen, Box: m.Box,
		Notes: m.Notes, Tolerance: tolerance, Outcome: step.State, By: Person{by.Issuer, by.Subject, by.Name}, Key: m.Key,
	}
	for _, q := range asked {
		r.AskedBack = append(r.AskedBack, q.Text)
	}
	return r, carryOut(ctx, tx, by, material, open, step, &r)
}

// carryOut writes what follows from a reading.
func carryOut(ctx context.Context, tx Tx, by actor.Actor, material Material, open Case, step Step, r *Reading) error {
	was := open.State
	open.State = step.State
	if step.Judged {
		j := step.Judgement
		user, err := tx.User(ctx, by)
		if err != nil {
			return err
		}
		v := Verification{ID: newID(), Facility: r.Facility, Material: material.ID, Master: material.Master, Measured: step.Measured, Judgement: j, Automatic: j.Updates(), Notes: r.Notes, User: user}
		if err := tx.AddVerification(ctx, v); err != nil {
			return err
		}
		r.Status, r.VolumePct, r.WeightPct, r.Causes, r.Verification = j.Status, j.VolumePct, j.WeightPct, j.Causes, uuid.NullUUID{UUID: v.ID, Valid: true}
		open.Measured, open.VolumePct, open.WeightPct, open.Causes = step.Measured, j.VolumePct, j.WeightPct, j.Causes
		if j.Updates() {
			kind, reason := Automatic, "Measured within the tolerance of "+tolerancePct(j.Tolerance)+"."
			if j.First {
				kind, reason = FirstCapture, "Measured for the first time."
			}
			c := Change{Kind: kind, Old: material.Master, New: j.New, Reason: reason, Case: open.ID, Verification: r.Verification}
			if err := change(ctx, tx, by, material, c, user); err != nil {
				return err
			}
		}
	}
	if err := tx.SaveCase(ctx, open, r.Verification); err != nil {
		return err
	}
	if err := tx.AddReading(ctx, *r); err != nil {
		return err
	}
	if err := keepTask(ctx, tx, open); err != nil {
		return err
	}
	return tx.Record(ctx, audit.Event{
		Action: "dimension:measure", ObjectKind: "material", ObjectID: material.ID.String(),
		Before: map[string]any{"state": orNone(string(was)), "master": material.Master.Fields(), "version": material.Version},
		After: map[string]any{
			"case": open.ID, "reading": r.ID, "code": material.Code, "facility": r.Facility, "measured": r.Box.fields(), "state": string(open.State), "status": string(r.Status),
			"master": step.newMaster(material.Master).Fields(), "verification": nullable(r.Verification), "asked_back": len(r.AskedBack),
		},
	})
}

func (s Step) newMaster(old Master) Master {
	if !s.Judged {
		return old
	}
	return s.Judgement.New
}

// change writes master data and its history.
func change(ctx context.Context, tx Tx, by actor.Actor, material Material, c Change, user uuid.UUID) error {
	c.ID, c.Material, c.Version, c.By = newID(), material.ID, material.Version, Person{by.Issuer, by.Subject, by.Name}
	if c.Kind != Kept {
		written, err := tx.SetMaster(ctx, material, c.New, user)
		if err != nil {
			return err
		}
		if !written {
			return fault.New(fault.Conflict, "The master data of %s changed at the same moment. Nothing of yours was saved; look at it again.", material.Code)
		}
		c.Version++
	}
	return tx.AddChange(ctx, c)
}

// keepTask keeps the work list in step with a case.
func keepTask(ctx context.Context, tx Tx, c Case) error {
	switch c.State {
	case SecondWanted:
		return tx.Want(ctx, Wanted{c.Facility, c.Material, ForReading, "A second person measures: the first reading is beyond the tolerance."})
	case ThirdWanted:
		return tx.Want(ctx, Wanted{c.Facility, c.Material, ForReading, "A third person measures: the first two readings differ."})
	case Remeasure:
		return tx.Want(ctx, Wanted{c.Facility, c.Material, ForRemeasure, "A supervisor wants it measured again."})
	case InReview, Settled:
	}
	return tx.Done(ctx, c.Facility, c.Material)
}

// again answers a form that was sent before.
func again(earlier Reading, by actor.Actor, m Measurement, err error) (Reading, error) {
	if err != nil {
		return Reading{}, err
	}
	if !earlier.By.Is(by) || earlier.Material != m.Material || earlier.Facility != m.Facility || !earlier.Box.same(m.Box) {
		return Reading{}, fault.New(fault.Conflict, "This form was sent before with something else in it, and that was saved. Open the page again to measure anew.")
	}
	return earlier, nil
}

func askBack(asked []Question) error {
	refused := fault.New(fault.Invalid, "Please look at this again before it is saved.")
	var all []string
	for _, q := range asked {
		if q.Quantity == "" {
			all = append(all, q.Text)
			continue
		}
		refused = refused.WithField(string(q.Quantity), q.Text)
	}
	all = append(all, "Measure once more. If it is right as it is, say so below and save.")
	return refused.WithField("sure", strings.Join(all, " "))
}

// overtaken says what changed since the person saw the material, without its numbers: a reading is blind.
func overtaken(material Material, seen int, changes []Change) error {
	refused := fault.New(fault.Conflict, "The master data of %s was changed while you measured. Nothing of yours was saved, and what you typed is still here: look at the item once more and save again.", material.Code)
	said := fmt.Sprintf("You saw version %d, and it is at version %d now.", seen, material.Version)
	for i := len(changes) - 1; i >= 0; i-- {
		if c := changes[i]; c.Version > seen && c.Kind != Kept {
			var fields []string
			for _, d := range c.Old.Changed(c.New) {
				fields = append(fields, d.Word())
			}
			said += fmt.Sprintf(" %s changed %s on %s.", c.By.Name, strings.Join(fields, ", "), c.At.UTC().Format("2 Jan 2006 at 15:04 UTC"))
		}
	}
	return refused.WithField("seen", said)
}

// Word is the column as people say it.
func (d Difference) Word() string {
	switch d.Field {
	case "height_inches":
		return "the height"
	case "width_inches":
		return "the width"
	case "thickness_inches":
		return "the depth"
	case "cubic_feet":
		return "the volume"
	}
	return "the weight"
}

// fields are what was entered, as the audit trail keeps it.
func (b Box) fields() map[string]any {
	fields := map[string]any{}
	for _, q := range Quantities {
		if a := b.Of(q); a.Given() {
			fields[string(q)] = a.Value.String() + " " + string(a.Unit)
		}
	}
	return fields
}

func (b Box) same(other Box) bool {
	for _, q := range Quantities {
		x, y := b.Of(q), other.Of(q)
		if x.Unit != y.Unit || !x.Value.Equal(y.Value) {
			return false
		}
	}
	return true
}

func tolerancePct(t Tolerance) string { return t.Pct.String() + " %" }

func newID() uuid.UUID {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.New()
	}
	return id
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func nullable(id uuid.NullUUID) any {
	if id.Valid {
		return id.UUID
	}
	return nil
}
