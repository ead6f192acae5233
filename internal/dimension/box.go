package dimension

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// Box is what somebody has measured of one unit of a material. Sides that were not measured are no Amount; the volume is
// given, or follows from all three sides.
type Box struct {
	Height, Width, Thickness Amount
	Volume                   Amount
	Weight                   Amount
}

// Of is the amount of a quantity.
func (b Box) Of(q Quantity) Amount {
	switch q {
	case Height:
		return b.Height
	case Width:
		return b.Width
	case Thickness:
		return b.Thickness
	case Volume:
		return b.Volume
	case Weight:
	}
	return b.Weight
}

// Set puts an amount in the place of a quantity.
func (b *Box) Set(q Quantity, a Amount) {
	switch q {
	case Height:
		b.Height = a
	case Width:
		b.Width = a
	case Thickness:
		b.Thickness = a
	case Volume:
		b.Volume = a
	case Weight:
		b.Weight = a
	}
}

// Quantities are all of a box, in the order in which they are asked.
var Quantities = []Quantity{Height, Width, Thickness, Volume, Weight}

// sides are the three of them, in order.
func (b Box) sides() [3]Amount { return [3]Amount{b.Height, b.Width, b.Thickness} }

// hasSides says whether all three were measured.
func (b Box) hasSides() bool { return b.Height.Given() && b.Width.Given() && b.Thickness.Given() }

// bySides is the volume that the sides make, in cubic millimetres.
func (b Box) bySides() decimal.Decimal {
	return b.Height.base().Mul(b.Width.base()).Mul(b.Thickness.base())
}

// TheVolume is the one volume rule (D-07): what was measured as the volume, else height × width × thickness.
func (b Box) TheVolume() Amount {
	if b.Volume.Given() {
		return b.Volume
	}
	if b.hasSides() {
		return Amount{b.bySides(), cubicMillimetre}
	}
	return Amount{}
}

// Check refuses what no item can be (D-57), with a complaint for each quantity.
func (b Box) Check() error {
	problems := map[string]string{}
	for _, q := range Quantities {
		if a := b.Of(q); a.Given() {
			if problem := q.outside(a); problem != "" {
				problems[string(q)] = problem
			}
		}
	}
	if !b.Weight.Given() {
		problems[string(Weight)] = "This is needed."
	}
	volume := b.TheVolume()
	switch {
	case !volume.Given():
		for _, q := range []Quantity{Height, Width, Thickness} {
			if !b.Of(q).Given() {
				problems[string(q)] = "This is needed, or the volume."
			}
		}
	case len(problems) == 0:
		if problem := Volume.outside(volume); problem != "" {
			problems[string(Thickness)] = "The sides make " + volume.CubicFeet().String() + " ft³. " + problem
			if b.Volume.Given() {
				problems[string(Volume)] = problem
			}
		}
	}
	if len(problems) == 0 {
		return nil
	}
	refusal := fault.New(fault.Invalid, "The measurement was not saved. Something has to be put right first.")
	for name, text := range problems {
		refusal = refusal.WithField(name, text)
	}
	return refusal
}

// Agree says whether two readings of one item are the same within the tolerance, whichever of them is compared with the other.
func (t Tolerance) Agree(a, b Box) bool {
	within := func(x, y decimal.Decimal) bool { return !t.exceeded(decimal.Min(x, y), decimal.Max(x, y)) }
	return within(a.TheVolume().base(), b.TheVolume().base()) && within(a.Weight.base(), b.Weight.base())
}

// Median is the middle of several readings, quantity by quantity, each over those readings that have it: of three the one in
// the middle, of two what lies halfway. Volumes are compared as volumes, not by their sides.
func Median(boxes ...Box) Box {
	var middle Box
	for _, q := range Quantities {
		var all []decimal.Decimal
		for _, b := range boxes {
			a := b.Of(q)
			if q == Volume {
				a = b.TheVolume()
			}
			if a.Given() {
				all = append(all, a.base())
			}
		}
		if len(all) > 0 {
			middle.Set(q, Amount{median(all), baseOf(q)})
		}
	}
	return middle
}

func baseOf(q Quantity) Unit {
	switch q {
	case Weight:
		return Gram
	case Volume:
		return cubicMillimetre
	case Height, Width, Thickness:
	}
	return Millimetre
}

func median(all []decimal.Decimal) decimal.Decimal {
	slices.SortFunc(all, decimal.Decimal.Cmp)
	half := len(all) / 2
	if len(all)%2 == 1 {
		return all[half]
	}
	return all[half-1].Add(all[half]).Mul(decimal.RequireFromString("0.5"))
}
