package capacity

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

// BinTx is what corrections may do to the database.
type BinTx interface {
	// LockBin is a bin as it is, locked; false where the tenant has none.
	LockBin(ctx context.Context, location uuid.UUID) (BinNow, bool, error)
	// Resize gives the bin another size, and keeps the change.
	Resize(ctx context.Context, change Resize) error
	// OpenIn are the open cases of a bin, and OpenOf those of a material, locked, worst first, at most so many.
	OpenIn(ctx context.Context, location uuid.UUID, most int) ([]Case, error)
	OpenOf(ctx context.Context, material uuid.UUID, most int) ([]Case, error)
	// UnitNow is one piece of a material by today's master data; nil where nobody knows.
	UnitNow(ctx context.Context, material uuid.UUID) (*Load, error)
}

// Resize is a bin's correction as it is kept.
type Resize struct {
	ID        uuid.UUID
	Bin       BinNow // before
	To        Box
	CubicFeet Decimal
	MaxWeight Decimal
	Failure   uuid.UUID
	Reason    string
	Cleared   int
	By        Person
}

// Size is what somebody says a bin measures.
type Size struct {
	Sides     Box
	MaxWeight Decimal
}

// Load is what a bin of that size holds.
func (z Size) Load() Load {
	return Load{CubicFeet: z.Sides.CubicFeet().Round(figures), WeightLbs: z.MaxWeight}
}

// The largest bin that is believed, in inches and pounds.
var (
	longestSide = decimal.NewFromInt(12_000)
	mostWeight  = decimal.NewFromInt(900_000)
)

// Check says what cannot be, by field; nil where all can.
func (z Size) Check() *fault.Error {
	wrong := fault.New(fault.Invalid, "Something in the form has to be put right first. Nothing was changed.")
	for _, f := range []struct {
		name, unit string
		value, top Decimal
	}{{"length", "inches", z.Sides.Length, longestSide}, {"width", "inches", z.Sides.Width, longestSide}, {"height", "inches", z.Sides.Height, longestSide}, {"weight", "pounds", z.MaxWeight, mostWeight}} {
		switch {
		case !f.value.IsPositive() || f.value.GreaterThan(f.top):
			_ = wrong.WithField(f.name, fmt.Sprintf("More than 0 and at most %s %s, please.", f.top, f.unit))
		case !f.value.Equal(f.value.Truncate(2)):
			_ = wrong.WithField(f.name, "At most 2 digits after the point, please.")
		}
	}
	if wrong.Fields == nil && z.Load().CubicFeet.GreaterThan(mostCubicFeet) {
		_ = wrong.WithField("length", "That is a bin of more than "+mostCubicFeet.String()+" cubic feet.")
	}
	if wrong.Fields == nil {
		return nil
	}
	return wrong
}

// Cleared are those of the cases that a correction would clear. It is asked before, to say how many, and again when it is
// done; the count of both is the same, or the correction is refused.
func Cleared(cases []Case, to Correction) []Case {
	var list []Case
	for _, c := range cases {
		if c.Can(FixIt) && c.Clears(to) {
			list = append(list, c)
		}
	}
	return list
}

// Correct is a bin's correction, as its form sends it.
type Correct struct {
	Failure uuid.UUID // from whose page it is done
	SeenBin int       // the version of the bin that the page showed
	Shown   int       // how many failures the page said it would clear
	Size    Size
	Reason  string
}

// CorrectBin gives a bin its true size, keeps what it was, and fixes what fits then. A second person verifies each.
func (s *Service) CorrectBin(ctx context.Context, by actor.Actor, r Correct) (cleared int, err error) {
	if err := by.Demand(actor.CapacityWork); err != nil {
		return 0, err
	}
	r.Reason = strings.TrimSpace(r.Reason)
	wrong := r.Size.Check()
	if n := utf8.RuneCountInString(r.Reason); n < leastNote || n > 2000 {
		if wrong == nil {
			wrong = fault.New(fault.Invalid, "Something in the form has to be put right first. Nothing was changed.")
		}
		_ = wrong.WithField("reason", fmt.Sprintf("From %d to 2000 characters, please: who measured it, and how.", leastNote))
	}
	if wrong != nil {
		return 0, wrong
	}
	id, err := s.newID()
	if err != nil {
		return 0, err
	}
	err = s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		now, err := tx.Hold(ctx)
		if err != nil {
			return err
		}
		c, ok, err := tx.Case(ctx, r.Failure)
		if err != nil {
			return err
		}
		if !ok {
			return noSuch()
		}
		bin, ok, err := tx.LockBin(ctx, c.Location.ID)
		if err != nil {
			return err
		}
		if !ok {
			return noSuch()
		}
		if bin.Version != r.SeenBin {
			return fault.New(fault.Conflict, "Somebody changed the bin %s since you opened the page. It measures %s now, and nothing of yours was changed. Look at it again.", bin.Code, bin.Words())
		}
		cases, err := tx.OpenIn(ctx, bin.ID, MostAtOnce+1)
		if err != nil {
			return err
		}
		load := r.Size.Load()
		fixes, err := all(cases, Correction{Bin: &load}, r.Shown)
		if err != nil {
			return err
		}
		cleared = len(fixes)
		change := Resize{
			ID: id, Bin: bin, To: r.Size.Sides, CubicFeet: load.CubicFeet, MaxWeight: r.Size.MaxWeight, Failure: c.ID, Reason: r.Reason, Cleared: cleared, By: person(by),
		}
		if err := tx.Resize(ctx, change); err != nil {
			return err
		}
		err = tx.Record(ctx, audit.Event{
			Action: "bin:resize", ObjectKind: "bin", ObjectID: bin.Code, Reason: r.Reason, Before: bin.facts(),
			After: map[string]any{
				"length_inches": r.Size.Sides.Length, "width_inches": r.Size.Sides.Width, "height_inches": r.Size.Sides.Height,
				"cubic_feet": load.CubicFeet, "max_weight_lbs": r.Size.MaxWeight, "version": bin.Version + 1, "cleared": cleared,
			},
		})
		if err != nil {
			return err
		}
		return s.fixAll(ctx, tx, by, fixes, Change{Act: FixIt, Code: BinCapacityCorrected, Notes: r.Reason}, now)
	})
	return cleared, err
}

// all are the cases that a correction clears, where they are as many as was said before.
func all(cases []Case, to Correction, shown int) ([]Case, error) {
	if len(cases) > MostAtOnce {
		return nil, fault.New(fault.Conflict, "More than %d failures are open here, which is more than can be fixed with one press. Settle some by hand first.", MostAtOnce)
	}
	fixes := Cleared(cases, to)
	if len(fixes) != shown {
		return nil, fault.New(fault.Conflict, "The page said that this would clear %d failures, and now it would clear %d. Nothing was changed; look at it again.", shown, len(fixes))
	}
	return fixes, nil
}

func (s *Service) fixAll(ctx context.Context, tx Tx, by actor.Actor, cases []Case, ch Change, now time.Time) error {
	for _, c := range cases {
		if err := s.do(ctx, tx, by, c, ch, now); err != nil {
			return err
		}
	}
	return nil
}

// Remeasured is what fixes the failures of a material whose master data was corrected since.
type Remeasured struct {
	Failure uuid.UUID
	Shown   int
	Notes   string
}

// MaterialCorrected fixes what fits by today's master data of the failure's material.
func (s *Service) MaterialCorrected(ctx context.Context, by actor.Actor, r Remeasured) (cleared int, err error) {
	if err := by.Demand(actor.CapacityWork); err != nil {
		return 0, err
	}
	r.Notes = strings.TrimSpace(r.Notes)
	if n := utf8.RuneCountInString(r.Notes); n < leastNote || n > 2000 {
		return 0, fault.New(fault.Invalid, "Something in the form has to be put right first. Nothing was changed.").
			WithField("material_notes", fmt.Sprintf("From %d to 2000 characters, please.", leastNote))
	}
	err = s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		now, err := tx.Hold(ctx)
		if err != nil {
			return err
		}
		c, ok, err := tx.Case(ctx, r.Failure)
		if err != nil {
			return err
		}
		if !ok {
			return noSuch()
		}
		unit, err := tx.UnitNow(ctx, c.Material.ID)
		if err != nil {
			return err
		}
		if unit == nil {
			return fault.New(fault.Conflict, "Nobody knows what one piece of %s measures. Have it measured first.", c.Material.Code)
		}
		cases, err := tx.OpenOf(ctx, c.Material.ID, MostAtOnce+1)
		if err != nil {
			return err
		}
		fixes, err := all(cases, Correction{Unit: unit}, r.Shown)
		if err != nil {
			return err
		}
		if len(fixes) == 0 {
			return fault.New(fault.Conflict, "By today's master data none of them would fit. Nothing was changed.")
		}
		cleared = len(fixes)
		return s.fixAll(ctx, tx, by, fixes, Change{Act: FixIt, Code: MasterDataCorrected, Notes: r.Notes}, now)
	})
	return cleared, err
}

// Words is the size of a bin as people say it.
func (b BinNow) Words() string {
	text := "unknown sides"
	if b.Box.Known() {
		text = fmt.Sprintf("%s × %s × %s in", b.Box.Length, b.Box.Width, b.Box.Height)
	}
	for _, part := range []struct {
		value *Decimal
		unit  string
	}{{b.CubicFeet, "ft³"}, {b.MaxWeight, "lb"}} {
		if part.value == nil {
			text += ", unknown " + part.unit
			continue
		}
		text += ", " + part.value.String() + " " + part.unit
	}
	return text
}

func (b BinNow) facts() map[string]any {
	return map[string]any{
		"length_inches": b.Box.Length, "width_inches": b.Box.Width, "height_inches": b.Box.Height, "cubic_feet": b.CubicFeet, "max_weight_lbs": b.MaxWeight, "version": b.Version,
	}
}
