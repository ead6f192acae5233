package dimension

import (
	"slices"

	"github.com/shopspring/decimal"
)

// Master is what the warehouse has recorded of one unit: inches, cubic feet, pounds. What is not recorded is not valid.
type Master struct {
	CubicFeet                decimal.NullDecimal `json:"cubic_feet"`
	Height, Width, Thickness decimal.NullDecimal
	Pounds                   decimal.NullDecimal `json:"weight_lbs"`
}

// TheVolume is the one volume rule (D-07): the recorded cubic feet, else height × width × thickness; else nobody knows it.
func (m Master) TheVolume() Amount {
	if positive(m.CubicFeet) {
		return Amount{m.CubicFeet.Decimal, CubicFoot}
	}
	if positive(m.Height) && positive(m.Width) && positive(m.Thickness) {
		return Box{
			Height: Amount{m.Height.Decimal, Inch}, Width: Amount{m.Width.Decimal, Inch}, Thickness: Amount{m.Thickness.Decimal, Inch},
		}.TheVolume()
	}
	return Amount{}
}

// of is what is recorded of a quantity; a quantity of zero is none.
func (m Master) of(q Quantity) Amount {
	value, unit := m.Pounds, Pound
	switch q {
	case Height:
		value, unit = m.Height, Inch
	case Width:
		value, unit = m.Width, Inch
	case Thickness:
		value, unit = m.Thickness, Inch
	case Volume:
		return m.TheVolume()
	case Weight:
	}
	if !positive(value) {
		return Amount{}
	}
	return Amount{value.Decimal, unit}
}

// Equal says whether both record the same; 12 and 12.0000 are the same.
func (m Master) Equal(other Master) bool {
	mine, theirs := m.list(), other.list()
	return slices.EqualFunc(mine[:], theirs[:], func(a, b decimal.NullDecimal) bool {
		return a.Valid == b.Valid && (!a.Valid || a.Decimal.Equal(b.Decimal))
	})
}

func (m Master) list() [5]decimal.NullDecimal {
	return [5]decimal.NullDecimal{m.Height, m.Width, m.Thickness, m.CubicFeet, m.Pounds}
}

// fieldNames are the columns of the warehouse, in the order of list.
var fieldNames = [5]string{"height_inches", "width_inches", "thickness_inches", "cubic_feet", "weight_lbs"}

// Fields are the recorded values by the names of their columns, as the audit trail keeps them: nothing for what is not recorded.
func (m Master) Fields() map[string]any {
	fields := map[string]any{}
	for i, value := range m.list() {
		if value.Valid {
			fields[fieldNames[i]] = value.Decimal.String()
		}
	}
	return fields
}

// Difference is one value that changed.
type Difference struct {
	Field    string // the column's name
	Old, New decimal.NullDecimal
}

// Changed lists what differs from m in the newer one.
func (m Master) Changed(newer Master) []Difference {
	var list []Difference
	mine, theirs := m.list(), newer.list()
	for i := range mine {
		if a, b := mine[i], theirs[i]; a.Valid != b.Valid || a.Valid && !a.Decimal.Equal(b.Decimal) {
			list = append(list, Difference{fieldNames[i], a, b})
		}
	}
	return list
}

// With is the record with what was measured put in: only what was measured (D-56), rounded as it is stored.
func (m Master) With(b Box) Master {
	set := func(into *decimal.NullDecimal, a Amount, unit Unit, places int32) {
		if a.Given() {
			*into = decimal.NewNullDecimal(a.in(unit, places))
		}
	}
	set(&m.Height, b.Height, Inch, storedPlaces)
	set(&m.Width, b.Width, Inch, storedPlaces)
	set(&m.Thickness, b.Thickness, Inch, thicknessPlaces)
	set(&m.CubicFeet, b.TheVolume(), CubicFoot, storedPlaces)
	set(&m.Pounds, b.Weight, Pound, storedPlaces)
	return m
}

func positive(d decimal.NullDecimal) bool { return d.Valid && d.Decimal.IsPositive() }
