package dimension

import (
	"github.com/shopspring/decimal"
)

// Status is what a measurement came to; the words are the client's.
type Status string

// The statuses.
const (
	Verified          Status = "VERIFIED"            // as recorded
	VarianceDetected  Status = "VARIANCE_DETECTED"   // beyond the tolerance: recorded, and the master data stays
	MasterDataUpdated Status = "MASTER_DATA_UPDATED" // within the tolerance, or the first: the master data is what was measured
)

// Tolerance is how far a measurement may be from what is recorded. It is data: by the packaging, with a version and where it
// comes from.
type Tolerance struct {
	Packaging string // the material's type; empty for every other
	Pct       decimal.Decimal
	Version   int
	Source    string
}

// Binding is the tolerance of the requirement, which holds where nothing else was decided.
var Binding = Tolerance{Pct: decimal.New(10, 0), Source: "Requirement: variance threshold 10 %"}

// exceeded compares without dividing, so that nothing is rounded: strictly more than the tolerance of what is recorded.
func (t Tolerance) exceeded(recorded, measured decimal.Decimal) bool {
	return measured.Sub(recorded).Abs().Mul(hundred).GreaterThan(t.Pct.Mul(recorded))
}

var hundred = decimal.New(100, 0)

// Cause is why a measurement was not taken over.
type Cause string

// The causes.
const (
	VolumeOff   Cause = "volume"       // from the recorded volume
	WeightOff   Cause = "weight"       // from the recorded weight
	VolumeDrift Cause = "volume_drift" // from the volume that somebody approved last, by many small steps
	WeightDrift Cause = "weight_drift"
)

// Judgement is what a measurement means for the record.
type Judgement struct {
	Status Status
	// First says that there was nothing to compare the volume or the weight with (D-55).
	First bool
	// VolumePct and WeightPct are the variance in percent of what is recorded, not capped; not valid where nothing is recorded.
	VolumePct, WeightPct decimal.NullDecimal
	// VolumeDriftPct and WeightDriftPct are the same from what was approved last.
	VolumeDriftPct, WeightDriftPct decimal.NullDecimal
	Causes                         []Cause
	// New is the record as it is from now on; the old one where nothing is taken over.
	New       Master
	Tolerance Tolerance
}

// Exceeded says whether a person has to decide.
func (j Judgement) Exceeded() bool { return j.Status == VarianceDetected }

// Updates says whether the record changes by itself.
func (j Judgement) Updates() bool { return j.Status == MasterDataUpdated }

// Judge compares what was measured with what is recorded, and with what somebody approved last. Both count: steps that are
// each within the tolerance must not add up to anything (D-59). Sides are not judged; they are taken over with the rest.
func (m Master) Judge(b Box, approved Master, t Tolerance) Judgement {
	j := Judgement{New: m, Tolerance: t}
	volume, weight := b.TheVolume(), b.Weight
	compare := func(recorded Master, q Quantity, measured Amount, cause Cause) decimal.NullDecimal {
		was := recorded.of(q)
		if !was.Given() {
			return decimal.NullDecimal{}
		}
		if t.exceeded(was.base(), measured.base()) {
			j.Causes = append(j.Causes, cause)
		}
		return decimal.NewNullDecimal(variance(was, measured))
	}
	j.VolumePct = compare(m, Volume, volume, VolumeOff)
	j.WeightPct = compare(m, Weight, weight, WeightOff)
	j.VolumeDriftPct = compare(approved, Volume, volume, VolumeDrift)
	j.WeightDriftPct = compare(approved, Weight, weight, WeightDrift)
	j.First = !j.VolumePct.Valid || !j.WeightPct.Valid
	taken := m.With(b)
	switch {
	case len(j.Causes) > 0:
		j.Status = VarianceDetected
	case j.First || changes(m, taken):
		j.Status, j.New = MasterDataUpdated, taken
	default:
		j.Status = Verified
	}
	return j
}

// changes says whether taking the measurement over would change anything that was measured, as it is stored. A volume that is
// recorded by its sides alone, and the same, is no change.
func changes(m, taken Master) bool {
	if !m.TheVolume().CubicFeet().Equal(taken.CubicFeet.Decimal) {
		return true
	}
	taken.CubicFeet = m.CubicFeet
	// The warehouse keeps six digits of a thickness, the verification four.
	if a, c := m.Thickness, taken.Thickness; a.Valid && c.Valid && a.Decimal.Round(storedPlaces).Equal(c.Decimal.Round(storedPlaces)) {
		taken.Thickness = m.Thickness
	}
	return !m.Equal(taken)
}

// shownPlaces are more digits than anybody reads; the decision never uses them.
const shownPlaces = 10

func variance(recorded, measured Amount) decimal.Decimal {
	return measured.base().Sub(recorded.base()).Mul(hundred).DivRound(recorded.base(), shownPlaces)
}

// most is what the warehouse can keep of a variance.
var most = decimal.RequireFromString("9999.99")

// Capped is a variance as it is stored: two digits, and never beyond what fits. beyond says that it was.
func Capped(pct decimal.NullDecimal) (stored decimal.NullDecimal, beyond bool) {
	if !pct.Valid {
		return pct, false
	}
	rounded := pct.Decimal.Round(2)
	switch {
	case rounded.GreaterThan(most):
		return decimal.NewNullDecimal(most), true
	case rounded.LessThan(most.Neg()):
		return decimal.NewNullDecimal(most.Neg()), true
	}
	return decimal.NewNullDecimal(rounded), false
}
