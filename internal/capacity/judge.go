package capacity

import (
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// Decimal is an exact number.
type Decimal = decimal.Decimal

// Load is a volume and a weight.
type Load struct{ CubicFeet, WeightLbs Decimal }

// None says whether it is nothing at all.
func (l Load) None() bool { return l.CubicFeet.IsZero() && l.WeightLbs.IsZero() }

// Type says what is exceeded. The words are the warehouse schema's.
type Type string

// The types.
const (
	VolumeExceeded Type = "CUBIC_FEET_EXCEEDED"
	WeightExceeded Type = "WEIGHT_EXCEEDED"
	BothExceeded   Type = "BOTH_EXCEEDED"
)

// Severity is how bad it is, by the larger overflow.
type Severity string

// The severities. Info is only kept; the others alert.
const (
	Info     Severity = "INFO"
	Warning  Severity = "WARNING"
	Critical Severity = "CRITICAL"
)

// Rank puts severities in order; the worst is the highest.
func (s Severity) Rank() int {
	switch s {
	case Critical:
		return 3
	case Warning:
		return 2
	case Info:
		return 1
	}
	return 0
}

// Overflow is by how many percent of the room too much is needed. NoRoom says that there was none at all, of which nothing
// is a percentage.
type Overflow struct {
	Pct    Decimal
	NoRoom bool
}

// mostPct is what the schema's numeric(6,2) holds.
var mostPct = decimal.RequireFromString("9999.99")

// Stored is the percentage as the schema keeps it: nil where there was no room.
func (o Overflow) Stored() *Decimal {
	if o.NoRoom {
		return nil
	}
	pct := o.Pct.Round(2)
	if pct.GreaterThan(mostPct) {
		pct = mostPct
	}
	return &pct
}

// Sort puts overflows in order: no room is worse than any percentage.
func (o Overflow) Sort() Decimal {
	if o.NoRoom {
		return mostPct.Add(decimal.NewFromInt(1))
	}
	return decimal.Min(o.Pct.Round(4), mostPct)
}

// Verdict is what is exceeded, and by how much.
type Verdict struct {
	Type           Type
	Volume, Weight Overflow // zero where that one is not exceeded
	Severity       Severity
}

// Worst is the larger overflow.
func (v Verdict) Worst() Overflow {
	if v.Volume.Sort().GreaterThanOrEqual(v.Weight.Sort()) {
		return v.Volume
	}
	return v.Weight
}

// Fits says whether the load has room in both.
func (l Load) Fits(room Load) bool {
	return !exceeds(l.CubicFeet, room.CubicFeet) && !exceeds(l.WeightLbs, room.WeightLbs)
}

// exceeds: what needs nothing exceeds nothing, however overfull the bin is.
func exceeds(needed, free Decimal) bool { return needed.IsPositive() && needed.GreaterThan(free) }

// Judge holds what is needed against what is free; false where it fits.
func Judge(needed, free Load) (Verdict, bool) {
	volume, weight := exceeds(needed.CubicFeet, free.CubicFeet), exceeds(needed.WeightLbs, free.WeightLbs)
	v := Verdict{Severity: Info}
	switch {
	case volume && weight:
		v.Type = BothExceeded
	case volume:
		v.Type = VolumeExceeded
	case weight:
		v.Type = WeightExceeded
	default:
		return Verdict{}, false
	}
	for _, side := range []struct {
		exceeded     bool
		needed, free Decimal
		into         *Overflow
	}{{volume, needed.CubicFeet, free.CubicFeet, &v.Volume}, {weight, needed.WeightLbs, free.WeightLbs, &v.Weight}} {
		if !side.exceeded {
			continue
		}
		overflow, severity := judgeOne(side.needed, side.free)
		*side.into = overflow
		if severity.Rank() > v.Severity.Rank() {
			v.Severity = severity
		}
	}
	return v, true
}

var (
	hundred = decimal.NewFromInt(100)
	// warnsFrom and alarmsOver are percent: below the first it is only kept, above the second it is critical.
	warnsFrom  = decimal.NewFromInt(5)
	alarmsOver = decimal.NewFromInt(20)
)

// judgeOne compares products, never a rounded quotient: 20.0001 % is critical and 20 % is not.
func judgeOne(needed, free Decimal) (Overflow, Severity) {
	if !free.IsPositive() {
		return Overflow{NoRoom: true}, Critical
	}
	over := needed.Sub(free).Mul(hundred)
	pct := Overflow{Pct: over.DivRound(free, 8)}
	switch {
	case over.GreaterThan(alarmsOver.Mul(free)):
		return pct, Critical
	case over.GreaterThanOrEqual(warnsFrom.Mul(free)):
		return pct, Warning
	}
	return pct, Info
}

// The largest figures that are believed; the schema holds numeric(10,4).
var (
	mostCubicFeet = decimal.NewFromInt(100_000)
	mostPounds    = decimal.NewFromInt(900_000)
	mostPieces    = decimal.NewFromInt(1_000_000)
)

// figures is how many digits after the point the schema holds.
const figures = 4

// checkFigures complains about figures that cannot be, by field.
func (s Sighting) checkFigures(refused *fault.Error) {
	for _, f := range []struct {
		name, what  string
		value, most Decimal
		negative    bool
	}{
		{"required_cubic_feet", "cubic feet", s.Needed.CubicFeet, mostCubicFeet, false},
		{"required_weight_lbs", "pounds", s.Needed.WeightLbs, mostPounds, false},
		{"available_cubic_feet", "cubic feet", s.Free.CubicFeet, mostCubicFeet, true},
		{"available_weight_lbs", "pounds", s.Free.WeightLbs, mostPounds, true},
	} {
		switch {
		case f.value.IsNegative() && !f.negative:
			_ = refused.WithField(f.name, "Nothing needs less than 0 "+f.what+".")
		case f.value.Abs().GreaterThan(f.most):
			_ = refused.WithField(f.name, "At most "+f.most.String()+" "+f.what+", please.")
		case !f.value.Equal(f.value.Truncate(figures)):
			_ = refused.WithField(f.name, "At most 4 digits after the point, please.")
		}
	}
	switch {
	case !s.Quantity.IsPositive() || s.Quantity.GreaterThan(mostPieces):
		_ = refused.WithField("quantity", "More than 0 and at most "+mostPieces.String()+", please.")
	case !s.Quantity.Equal(s.Quantity.Truncate(figures)):
		_ = refused.WithField("quantity", "At most 4 digits after the point, please.")
	}
}

// ParseDecimal reads an exact number as programs write it: digits, one point, perhaps a sign. Exponents, commas and digits
// of other scripts are refused; so is anything longer than any figure here.
func ParseDecimal(text string) (Decimal, bool) {
	if len(text) == 0 || len(text) > 30 {
		return Decimal{}, false
	}
	points, digits := 0, 0
	for i, ch := range []byte(text) {
		switch {
		case ch >= '0' && ch <= '9':
			digits++
		case ch == '-' && i == 0:
		case ch == '.' && digits > 0 && i < len(text)-1:
			if points++; points > 1 {
				return Decimal{}, false
			}
		default:
			return Decimal{}, false
		}
	}
	d, err := decimal.NewFromString(text)
	return d, err == nil && digits > 0
}
