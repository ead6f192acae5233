package dimension

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"
)

// Question is something about a measurement that is asked back before it counts.
type Question struct {
	Quantity Quantity // empty where it is about the whole
	Text     string
}

// slip is a factor by which a number is wrong when its unit is.
type slip struct {
	factor decimal.Decimal
	words  string
}

var (
	lengthSlips = []slip{
		{decimal.RequireFromString("2.54"), "as between inches and centimetres"},
		{decimal.New(10, 0), "as between centimetres and millimetres, or by a slipped point"},
		{decimal.RequireFromString("25.4"), "as between inches and millimetres"},
		{decimal.New(1000, 0), "as between metres and millimetres"},
	}
	weightSlips = []slip{
		{decimal.RequireFromString("2.20462262"), "as between pounds and kilograms"},
		{decimal.New(10, 0), "as by a slipped point"},
		{decimal.RequireFromString("453.59237"), "as between pounds and grams"},
		{decimal.New(1000, 0), "as between kilograms and grams"},
	}
	volumeSlips = []slip{{decimal.New(10, 0), "as by a slipped point"}, {decimal.New(1000, 0), "as by three digits"}}
	// nearly is how close to a factor something has to be to look like it.
	nearly = decimal.RequireFromString("0.05")
)

// Questions are what has to be asked back: a volume that its sides do not make, a number that looks like another unit's, and
// sides that look as if they changed places. None of them says what is recorded.
func (m Master) Questions(b Box) []Question {
	var list []Question
	if b.Volume.Given() && b.hasSides() && Binding.exceeded(b.bySides(), b.Volume.base()) {
		list = append(list, Question{Volume, fmt.Sprintf("The sides make %s ft³, and %s ft³ were entered: more than 10 %% apart. Which of them is right?",
			Amount{b.bySides(), cubicMillimetre}.CubicFeet(), b.Volume.CubicFeet())})
	}
	if m.swapped(b) {
		return append(list, Question{"", "The three sides look right, and in another order than this item stands. Is its front really in front of you, with the height upwards?"})
	}
	for _, q := range Quantities {
		if words := slipOf(q, m.of(q), b.Of(q)); words != "" {
			list = append(list, Question{q, fmt.Sprintf("Is it really %s? That is beside what this item has been, %s.", b.Of(q), words)})
		}
	}
	return list
}

// slipOf says which slip a number looks like; nothing where it looks like none, or is near what is recorded.
func slipOf(q Quantity, recorded, measured Amount) string {
	if !recorded.Given() || !measured.Given() || !Binding.exceeded(recorded.base(), measured.base()) {
		return ""
	}
	slips := lengthSlips
	switch q {
	case Weight:
		slips = weightSlips
	case Volume:
		slips = volumeSlips
	case Height, Width, Thickness:
	}
	small, large := decimal.Min(recorded.base(), measured.base()), decimal.Max(recorded.base(), measured.base())
	for _, s := range slips {
		expected := small.Mul(s.factor)
		if large.Sub(expected).Abs().LessThanOrEqual(expected.Mul(nearly)) {
			return s.words
		}
	}
	return ""
}

// swapped says whether the sides are those that are recorded, in another order.
func (m Master) swapped(b Box) bool {
	recorded := [3]Amount{m.of(Height), m.of(Width), m.of(Thickness)}
	measured := b.sides()
	var was, is []decimal.Decimal
	inOrder := true
	for i := range recorded {
		if !recorded[i].Given() || !measured[i].Given() {
			return false
		}
		was, is = append(was, recorded[i].base()), append(is, measured[i].base())
		inOrder = inOrder && !Binding.exceeded(was[i], is[i])
	}
	if inOrder {
		return false
	}
	slices.SortFunc(was, decimal.Decimal.Cmp)
	slices.SortFunc(is, decimal.Decimal.Cmp)
	for i := range was {
		if Binding.exceeded(was[i], is[i]) {
			return false
		}
	}
	return true
}
