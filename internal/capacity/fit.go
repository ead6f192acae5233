package capacity

import (
	"slices"
)

// Box is a body by its sides in inches. A side that nobody knows is zero.
type Box struct{ Length, Width, Height Decimal }

// Known says whether all sides are known.
func (b Box) Known() bool {
	return b.Length.IsPositive() && b.Width.IsPositive() && b.Height.IsPositive()
}

// CubicFeet is the volume of the sides.
func (b Box) CubicFeet() Decimal {
	return b.Length.Mul(b.Width).Mul(b.Height).DivRound(cubicInches, 8)
}

func (b Box) sides() []Decimal {
	sides := []Decimal{b.Length, b.Width, b.Height}
	slices.SortFunc(sides, func(x, y Decimal) int { return x.Cmp(y) })
	return sides
}

// Fit says how one unit goes into a bin.
type Fit struct {
	Known  bool // all six sides are known; otherwise the volume decides alone
	Fits   bool
	Turned bool // only when turned
	// Placed is the unit as it is drawn: turned so that it goes in, or as it lies where no way does.
	Placed Box
}

// Into tries the six ways to turn one unit. It fits if its sides, smallest first, are no longer than the bin's.
func (b Box) Into(bin Box) Fit {
	f := Fit{Known: b.Known() && bin.Known(), Fits: true, Placed: b}
	if !f.Known {
		return f
	}
	f.Fits = inside(b, bin)
	if f.Fits {
		return f
	}
	mine, its := b.sides(), bin.sides()
	for i := range mine {
		if mine[i].GreaterThan(its[i]) {
			return f
		}
	}
	for _, turned := range b.turns() {
		if inside(turned, bin) {
			f.Fits, f.Turned, f.Placed = true, true, turned
			return f
		}
	}
	return f
}

func inside(b, bin Box) bool {
	return b.Length.LessThanOrEqual(bin.Length) && b.Width.LessThanOrEqual(bin.Width) && b.Height.LessThanOrEqual(bin.Height)
}

func (b Box) turns() []Box {
	l, w, h := b.Length, b.Width, b.Height
	return []Box{{l, w, h}, {w, l, h}, {l, h, w}, {h, l, w}, {w, h, l}, {h, w, l}}
}

// Drawing is a bin and one unit in it, seen from the front, in thousandths of the longer of all sides, so that both are to
// the same scale. The origin is at the bottom left.
type Drawing struct {
	Known               bool
	BinWidth, BinHeight int
	UnitWidth, UnitTall int
	// OverWidth and OverHeight say that the unit stands out of the bin on that side.
	OverWidth, OverHeight bool
}

// Draw puts the unit into the bin. Width is drawn along, height up.
func Draw(unit, bin Box) Drawing {
	f := unit.Into(bin)
	if !f.Known {
		return Drawing{}
	}
	longest := bin.Width
	for _, side := range []Decimal{bin.Height, f.Placed.Width, f.Placed.Height} {
		if side.GreaterThan(longest) {
			longest = side
		}
	}
	scale := func(side Decimal) int { return int(side.Mul(thousand).DivRound(longest, 0).IntPart()) }
	return Drawing{
		Known: true, BinWidth: scale(bin.Width), BinHeight: scale(bin.Height), UnitWidth: max(scale(f.Placed.Width), 1), UnitTall: max(scale(f.Placed.Height), 1),
		OverWidth: f.Placed.Width.GreaterThan(bin.Width), OverHeight: f.Placed.Height.GreaterThan(bin.Height),
	}
}
