package capacity

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// Cause is what probably lies behind a failure.
type Cause string

// The causes.
const (
	BadDimension Cause = "dimension" // the material's master data
	BadBin       Cause = "bin"       // the bin's own size
	Race         Cause = "race"      // two putaways met in one bin
	Rule         Cause = "rule"      // what chose the bin let it through
)

// Causes are all of them, as filters offer them.
func Causes() []Cause { return []Cause{BadDimension, BadBin, Rule, Race} }

// Words is the cause as people say it.
func (c Cause) Words() string {
	switch c {
	case BadDimension:
		return "Material's dimensions"
	case BadBin:
		return "Bin's size"
	case Race:
		return "Two putaways met"
	case Rule:
		return "Rule that chose the bin"
	}
	return "Unknown"
}

// Evidence is what is known around a failure when its cause is guessed.
type Evidence struct {
	Material, Location uuid.UUID
	MaterialCode       string
	LocationCode       string
	LocationType       string
	Quantity           Decimal
	Needed             Load
	UnitVolume         *Decimal // by the master data; nil: unknown
	UnitWeight         *Decimal
	Unit               Box      // the material's sides
	MaterialVolume     *Decimal // the cubic feet that stand beside the sides; nil where there are none
	Bin                Box
	BinVolume          *Decimal
	BinMaxWeight       *Decimal
	BinsOfMaterial     int // bins in which this material does not fit, this one included
	MaterialsOfBin     int // materials that do not fit in this bin, this one included
	Free               Load
	Arrived            Load // what else came into the bin within the quarter of an hour before
	Recommended        bool // a recommendation named this bin
}

// Guess is a cause with its reason, and what it is about: failures with one subject are one group.
type Guess struct {
	Cause   Cause
	Subject string
	Label   string
	Reason  string
}

var (
	cubicInches = decimal.NewFromInt(1728)
	thousand    = decimal.NewFromInt(1000)
	lowest      = decimal.RequireFromString("0.01")
	// disagree is by how many percent two statements of one volume may differ before one of them is called wrong.
	disagree = decimal.NewFromInt(10)
)

// enough is how many bins of one material, or materials of one bin, point at it.
const enough = 3

// apart says whether two figures differ by more than ten percent of the second.
func apart(a, b Decimal) bool {
	return a.Sub(b).Abs().Mul(hundred).GreaterThan(disagree.Mul(b.Abs()))
}

// GuessCause says what probably lies behind a failure, the surest sign first.
func GuessCause(e Evidence) Guess {
	material := func(format string, args ...any) Guess {
		return Guess{BadDimension, "material " + e.Material.String(), e.MaterialCode, fmt.Sprintf(format, args...)}
	}
	bin := func(format string, args ...any) Guess {
		return Guess{BadBin, "bin " + e.Location.String(), e.LocationCode, fmt.Sprintf(format, args...)}
	}
	switch {
	case e.MaterialVolume != nil && e.MaterialVolume.IsPositive() && e.Unit.Known() && apart(*e.MaterialVolume, e.Unit.CubicFeet()):
		return material("Its master data says %s cubic feet, and its own sides make %s.", e.MaterialVolume.String(), e.Unit.CubicFeet().Round(2).String())
	case e.UnitVolume == nil:
		return material("Nobody has measured it: its volume is unknown here.")
	case e.Quantity.IsPositive() && apart(e.Needed.CubicFeet, e.UnitVolume.Mul(e.Quantity)):
		return material("What does not fit was counted with %s cubic feet for each, and the master data says %s.", e.Needed.CubicFeet.DivRound(e.Quantity, 4).String(), e.UnitVolume.Round(4).String())
	case e.BinVolume == nil || !e.BinVolume.IsPositive():
		return bin("Nobody has said how large the bin is.")
	case e.Bin.Known() && apart(*e.BinVolume, e.Bin.CubicFeet()):
		return bin("It is said to hold %s cubic feet, and its own sides make %s.", e.BinVolume.String(), e.Bin.CubicFeet().Round(2).String())
	case e.BinMaxWeight == nil || !e.BinMaxWeight.IsPositive():
		return bin("Nobody has said what weight the bin carries.")
	case !e.Arrived.None() && e.Needed.Fits(Load{e.Free.CubicFeet.Add(e.Arrived.CubicFeet), e.Free.WeightLbs.Add(e.Arrived.WeightLbs)}):
		return Guess{Race, "race " + e.Location.String(), e.LocationCode, "Other goods came into the bin within a quarter of an hour, and without them this would have fitted."}
	case e.BinsOfMaterial >= enough && e.BinsOfMaterial >= e.MaterialsOfBin:
		return material("It does not fit in %d bins, so what is wrong is probably with the material.", e.BinsOfMaterial)
	case e.MaterialsOfBin >= enough:
		return bin("%d materials do not fit in it, so what is wrong is probably with the bin.", e.MaterialsOfBin)
	}
	by := "Nobody's recommendation led there: somebody chose the bin without its room being looked at."
	if e.Recommended {
		by = "A recommendation named this bin although it has no room for that."
	}
	return Guess{Rule, "rule " + e.LocationType, "Bins of type " + e.LocationType, by}
}
