package dimension

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/shopspring/decimal"
)

// Unit is what an amount is measured in.
type Unit string

// The units that people measure in, and the three in which amounts are compared.
const (
	Inch       Unit = "in"
	Centimetre Unit = "cm"
	Millimetre Unit = "mm"
	Pound      Unit = "lb"
	Kilogram   Unit = "kg"
	Gram       Unit = "g"
	CubicFoot  Unit = "ft3"

	cubicMillimetre Unit = "mm3"
)

// Lengths, Weights and Volumes are the units that may be chosen for each.
var (
	Lengths = []Unit{Inch, Centimetre, Millimetre}
	Weights = []Unit{Pound, Kilogram, Gram}
	Volumes = []Unit{CubicFoot}
)

// factors are what one of a unit is in the base of its kind, exactly: millimetres, grams, cubic millimetres. Every one of
// them is a finite decimal, so nothing is rounded until something is stored in inches, pounds or cubic feet.
var factors = map[Unit]decimal.Decimal{
	Inch: decimal.RequireFromString("25.4"), Centimetre: decimal.New(10, 0), Millimetre: decimal.New(1, 0),
	Pound: decimal.RequireFromString("453.59237"), Kilogram: decimal.New(1000, 0), Gram: decimal.New(1, 0),
	CubicFoot: decimal.RequireFromString("28316846.592"), cubicMillimetre: decimal.New(1, 0),
}

// Amount is a number with its unit, exactly as it was entered. The zero Amount is none.
type Amount struct {
	Value decimal.Decimal
	Unit  Unit
}

// Given says whether there is an amount.
func (a Amount) Given() bool { return a.Unit != "" }

// String is the amount as people write it.
func (a Amount) String() string {
	if !a.Given() {
		return ""
	}
	return a.Value.String() + " " + a.Unit.Word()
}

// Word is the unit as people write it.
func (u Unit) Word() string {
	switch u {
	case CubicFoot:
		return "ft³"
	case cubicMillimetre:
		return "mm³"
	case Inch, Centimetre, Millimetre, Pound, Kilogram, Gram:
	}
	return string(u)
}

// base is the amount in millimetres, grams or cubic millimetres, exactly.
func (a Amount) base() decimal.Decimal { return a.Value.Mul(factors[a.Unit]) }

// stored are how many digits after the point the warehouse keeps of each.
const (
	storedPlaces    = 4
	thicknessPlaces = 6
)

// in is the amount in another unit of its kind, rounded as it is stored.
func (a Amount) in(u Unit, places int32) decimal.Decimal {
	return a.base().DivRound(factors[u], places)
}

// Inches is a length as the warehouse keeps it.
func (a Amount) Inches() decimal.Decimal { return a.in(Inch, storedPlaces) }

// Pounds is a weight as the warehouse keeps it.
func (a Amount) Pounds() decimal.Decimal { return a.in(Pound, storedPlaces) }

// CubicFeet is a volume as the warehouse keeps it.
func (a Amount) CubicFeet() decimal.Decimal { return a.in(CubicFoot, storedPlaces) }

// Quantity is what is measured of an item, in the order in which it is asked.
type Quantity string

// The quantities.
const (
	Height    Quantity = "height"
	Width     Quantity = "width"
	Thickness Quantity = "thickness"
	Volume    Quantity = "volume"
	Weight    Quantity = "weight"
)

// Units are those in which a quantity may be measured, the usual one first.
func (q Quantity) Units() []Unit {
	switch q {
	case Weight:
		return Weights
	case Volume:
		return Volumes
	case Height, Width, Thickness:
	}
	return Lengths
}

// bounds are the most that a quantity may be (D-57), in the unit in which the warehouse keeps it.
var bounds = map[Quantity]Amount{
	Height: {decimal.New(10_000, 0), Inch}, Width: {decimal.New(10_000, 0), Inch}, Thickness: {decimal.New(10_000, 0), Inch},
	Volume: {decimal.New(10_000, 0), CubicFoot}, Weight: {decimal.New(50_000, 0), Pound},
}

// Bounds says in words what a quantity may be.
func (q Quantity) Bounds() string {
	most := bounds[q]
	return fmt.Sprintf("More than 0, at most %s.", thousands(most.Value)+" "+most.Unit.Word())
}

// ParseAmount reads what was typed for a quantity; the problem is a sentence for whoever typed it, and empty where there is none.
func ParseAmount(q Quantity, text string, unit Unit) (a Amount, problem string) {
	known := false
	for _, u := range q.Units() {
		known = known || u == unit
	}
	if !known {
		return Amount{}, "Choose the unit."
	}
	value, problem := number(text)
	if problem != "" {
		return Amount{}, problem
	}
	a = Amount{value, unit}
	if problem := q.outside(a); problem != "" {
		return Amount{}, problem
	}
	return a, ""
}

// outside says why an amount is none that the quantity may have; empty where it may.
func (q Quantity) outside(a Amount) string {
	most := bounds[q]
	switch {
	case !a.Value.IsPositive():
		return "This has to be more than 0."
	case a.base().GreaterThan(most.base()):
		return fmt.Sprintf("This is more than can be: at most %s %s. Check the unit and the point.", thousands(most.Value), most.Unit.Word())
	case a.in(most.Unit, storedPlaces).IsZero():
		return fmt.Sprintf("This is smaller than can be kept: at least 0.0001 %s. Check the unit and the point.", most.Unit.Word())
	}
	return ""
}

// mostDigits keeps an amount within what a tape or a scale can say, and within what is stored as it was entered.
const (
	mostBefore = 9
	mostAfter  = 6
)

// number reads a plain decimal. Whatever else it is, the problem says how it would be right, and nothing is guessed.
func number(text string) (decimal.Decimal, string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return decimal.Zero, "This is needed."
	}
	if len(text) > 200 {
		return decimal.Zero, "This is longer than any number. Write it like 12.5."
	}
	if latin := latinDigits(text); latin != text {
		return decimal.Zero, fmt.Sprintf("Write it with the digits 0 to 9, like %s.", example(latin))
	}
	switch {
	case strings.ContainsAny(text, ",'\u2019\u066b\u066c") || strings.Count(text, ".") > 1 || strings.ContainsFunc(text, unicode.IsSpace):
		return decimal.Zero, fmt.Sprintf("Write it with a point and without separators, like %s.", example(text))
	case isNumber(strings.TrimPrefix(text, "-")) && strings.HasPrefix(text, "-"):
		return decimal.Zero, "This has to be more than 0."
	case exponent(text):
		return decimal.Zero, "Write the number out, without an exponent, like 12.5."
	case !isNumber(text):
		return decimal.Zero, "This is no number. Write it like 12.5, and choose the unit beside it."
	}
	before, after, _ := strings.Cut(text, ".")
	if len(strings.TrimLeft(before, "0")) > mostBefore || len(after) > mostAfter {
		return decimal.Zero, fmt.Sprintf("At most %d digits before the point and %d after it.", mostBefore, mostAfter)
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return decimal.Zero, "This is no number. Write it like 12.5."
	}
	return d, ""
}

// isNumber says whether the text is digits with at most one point between them.
func isNumber(text string) bool {
	before, after, point := strings.Cut(text, ".")
	return allDigits(before) && (!point || allDigits(after))
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func exponent(text string) bool {
	mantissa, power, found := strings.Cut(strings.ToLower(text), "e")
	return found && isNumber(strings.TrimLeft(mantissa, "+-")) && allDigits(strings.TrimLeft(power, "+-"))
}

// latinDigits puts the digits 0 to 9, and their point, in the place of those of other scripts.
func latinDigits(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\u066b' || r == '\uff0e':
			return '.'
		case r == '\uff0c':
			return ','
		case r <= unicode.MaxASCII || !unicode.IsDigit(r):
			return r
		}
		for d := rune(0); d < 10; d++ {
			if isZero(r - d) {
				return '0' + d
			}
		}
		return r
	}, text)
}

// isZero says whether r is the zero of a script: its digits follow one another, and several scripts may stand in a row.
func isZero(r rune) bool {
	for _, table := range unicode.Nd.R16 {
		if r >= rune(table.Lo) && r <= rune(table.Hi) {
			return (r-rune(table.Lo))%10 == 0
		}
	}
	for _, table := range unicode.Nd.R32 {
		if r >= rune(table.Lo) && r <= rune(table.Hi) {
			return (r-rune(table.Lo))%10 == 0
		}
	}
	return false
}

// example is how a number would be right that somebody wrote with commas, spaces or apostrophes: the last separator is taken
// for the point where it can be one. It is shown and never used.
func example(text string) string {
	var kept strings.Builder
	last := strings.LastIndexAny(text, ".,")
	for i, r := range text {
		switch {
		case r >= '0' && r <= '9':
			kept.WriteRune(r)
		case i == last && kept.Len() > 0:
			kept.WriteByte('.')
		}
	}
	right := strings.TrimSuffix(kept.String(), ".")
	if !isNumber(right) || len(right) > mostBefore+mostAfter {
		return "12.5"
	}
	return right
}

func thousands(d decimal.Decimal) string {
	s := d.String()
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
