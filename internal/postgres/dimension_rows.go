package postgres

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/dimension"
)

func each[R, T any](rows []R, as func(R) T) []T {
	list := make([]T, len(rows))
	for i, r := range rows {
		list[i] = as(r)
	}
	return list
}

// collectInto is a batch callback that reads all rows as values of the domain.
func collectInto[R, T any](into *[]T, as func(R) T) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		list, err := pgx.CollectRows(rows, pgx.RowToStructByName[R])
		*into = each(list, as)
		return err
	}
}

type materialRow struct {
	MaterialID                            uuid.UUID
	MaterialCode, MaterialName            string
	MaterialType                          string
	HeightInches, WidthInches             decimal.NullDecimal
	ThicknessInches, CubicFeet, WeightLbs decimal.NullDecimal
	Version                               int
}

func (r materialRow) material() dimension.Material {
	return dimension.Material{
		ID: r.MaterialID, Code: r.MaterialCode, Name: r.MaterialName, Type: r.MaterialType, Version: r.Version,
		Master: dimension.Master{Height: r.HeightInches, Width: r.WidthInches, Thickness: r.ThicknessInches, CubicFeet: r.CubicFeet, Pounds: r.WeightLbs},
	}
}

type facilityRow struct {
	FacilityID                 uuid.UUID
	FacilityCode, FacilityName string
}

func (r facilityRow) facility() dimension.Facility {
	return dimension.Facility{ID: r.FacilityID, Code: r.FacilityCode, Name: r.FacilityName}
}

type toleranceRow struct {
	Packaging    string
	TolerancePct decimal.Decimal
	Version      int
	Source       string
}

func (r toleranceRow) tolerance() dimension.Tolerance {
	return dimension.Tolerance{Packaging: r.Packaging, Pct: r.TolerancePct, Version: r.Version, Source: r.Source}
}

type caseRow struct {
	CaseID, FacilityID, MaterialID                                     uuid.UUID
	MaterialCode                                                       string
	Round                                                              int
	State                                                              string
	MeasuredHeightInches, MeasuredWidthInches, MeasuredThicknessInches decimal.NullDecimal
	MeasuredCubicFeet, MeasuredWeightLbs                               decimal.NullDecimal
	CubicFeetPct, WeightPct                                            decimal.NullDecimal
	Causes                                                             []string
	OpenedAt, ChangedAt                                                time.Time
	Version                                                            int
}

func (r caseRow) dimensionCase() dimension.Case {
	c := dimension.Case{
		ID: r.CaseID, Facility: r.FacilityID, Material: r.MaterialID, Code: r.MaterialCode, Round: r.Round, State: dimension.State(r.State),
		Measured: dimension.Box{
			Height: amountOr(r.MeasuredHeightInches, dimension.Inch), Width: amountOr(r.MeasuredWidthInches, dimension.Inch), Thickness: amountOr(r.MeasuredThicknessInches, dimension.Inch),
			Volume: amountOr(r.MeasuredCubicFeet, dimension.CubicFoot), Weight: amountOr(r.MeasuredWeightLbs, dimension.Pound),
		},
		VolumePct: r.CubicFeetPct, WeightPct: r.WeightPct, OpenedAt: r.OpenedAt.UTC(), ChangedAt: r.ChangedAt.UTC(), Version: r.Version,
	}
	for _, cause := range r.Causes {
		c.Causes = append(c.Causes, dimension.Cause(cause))
	}
	return c
}

func amountOr(d decimal.NullDecimal, unit dimension.Unit) dimension.Amount {
	if !d.Valid {
		return dimension.Amount{}
	}
	return dimension.Amount{Value: d.Decimal, Unit: unit}
}

func causeNames(causes []dimension.Cause) []string {
	names := make([]string, len(causes))
	for i, c := range causes {
		names[i] = string(c)
	}
	return names
}

type readingRow struct {
	ReadingID, CaseID, FacilityID, MaterialID uuid.UUID
	Round, Number, MaterialVersion            int
	Entered                                   []byte
	AskedBack                                 []string
	Notes                                     string
	TolerancePct                              decimal.Decimal
	ToleranceVersion                          int
	Outcome, Status                           string
	VerificationID                            uuid.NullUUID
	CubicFeetPct, WeightPct                   decimal.NullDecimal
	Issuer, Subject, Name                     string
	IdempotencyKey                            uuid.UUID
	MeasuredAt                                time.Time
}

func (r readingRow) reading() (dimension.Reading, error) {
	box, err := boxOf(r.Entered)
	if err != nil {
		return dimension.Reading{}, fmt.Errorf("reading what was entered in %s: %w", r.ReadingID, err)
	}
	one := dimension.Reading{
		Box: box,
		ID:  r.ReadingID, Case: r.CaseID, Facility: r.FacilityID, Material: r.MaterialID, Round: r.Round, Number: r.Number, Seen: r.MaterialVersion, AskedBack: r.AskedBack, Notes: r.Notes,
		Tolerance: dimension.Tolerance{Pct: r.TolerancePct, Version: r.ToleranceVersion}, Outcome: dimension.State(r.Outcome), Status: dimension.Status(r.Status), Verification: r.VerificationID,
		VolumePct: r.CubicFeetPct, WeightPct: r.WeightPct, By: dimension.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}, Key: r.IdempotencyKey, At: r.MeasuredAt.UTC(),
	}
	return one, nil
}

// boxOf is what was entered, again.
func boxOf(entered []byte) (dimension.Box, error) {
	var amounts map[string]enteredAmount
	var box dimension.Box
	if err := json.Unmarshal(entered, &amounts); err != nil {
		return box, err
	}
	for quantity, a := range amounts {
		box.Set(dimension.Quantity(quantity), dimension.Amount{Value: a.Value, Unit: dimension.Unit(a.Unit)})
	}
	return box, nil
}

func readingsOf(rows []readingRow) ([]dimension.Reading, error) {
	list := make([]dimension.Reading, len(rows))
	var err error
	for i, r := range rows {
		if list[i], err = r.reading(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// enteredAmount is an amount exactly as it was typed; the value is text, so that no digit is lost.
type enteredAmount struct {
	Value decimal.Decimal `json:"value"`
	Unit  string          `json:"unit"`
}

func enteredOf(b dimension.Box) map[string]enteredAmount {
	entered := map[string]enteredAmount{}
	for _, q := range dimension.Quantities {
		if a := b.Of(q); a.Given() {
			entered[string(q)] = enteredAmount{a.Value, string(a.Unit)}
		}
	}
	return entered
}

// stored is a box in the columns of the warehouse.
type stored struct{ height, width, thickness, cubicFeet, weight decimal.NullDecimal }

func storedOf(b dimension.Box) stored {
	return stored{
		orNullAmount(b.Height, dimension.Amount.Inches), orNullAmount(b.Width, dimension.Amount.Inches), orNullAmount(b.Thickness, dimension.Amount.Inches),
		orNullAmount(b.TheVolume(), dimension.Amount.CubicFeet), orNullAmount(b.Weight, dimension.Amount.Pounds),
	}
}

func orNullAmount(a dimension.Amount, as func(dimension.Amount) decimal.Decimal) decimal.NullDecimal {
	if !a.Given() {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(as(a))
}

type changeRow struct {
	ChangeID, MaterialID                                              uuid.UUID
	Kind                                                              string
	MaterialVersion                                                   int
	OldHeightInches, OldWidthInches, OldThicknessInches, OldCubicFeet decimal.NullDecimal
	OldWeightLbs                                                      decimal.NullDecimal
	NewHeightInches, NewWidthInches, NewThicknessInches, NewCubicFeet decimal.NullDecimal
	NewWeightLbs                                                      decimal.NullDecimal
	Reason                                                            string
	CaseID                                                            *uuid.UUID
	VerificationID                                                    uuid.NullUUID
	Issuer, Subject, Name                                             string
	ChangedAt                                                         time.Time
}

func (r changeRow) change() dimension.Change {
	return dimension.Change{
		ID: r.ChangeID, Material: r.MaterialID, Kind: dimension.ChangeKind(r.Kind), Version: r.MaterialVersion,
		Old:    dimension.Master{Height: r.OldHeightInches, Width: r.OldWidthInches, Thickness: r.OldThicknessInches, CubicFeet: r.OldCubicFeet, Pounds: r.OldWeightLbs},
		New:    dimension.Master{Height: r.NewHeightInches, Width: r.NewWidthInches, Thickness: r.NewThicknessInches, CubicFeet: r.NewCubicFeet, Pounds: r.NewWeightLbs},
		Reason: r.Reason, Case: orNil(r.CaseID), Verification: r.VerificationID, By: dimension.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}, At: r.ChangedAt.UTC(),
	}
}

type verificationRow struct {
	VerificationStatus, FacilityCode                            string
	MeasuredWeightLbs, MeasuredCubicFeet                        decimal.Decimal
	CubicFeetVariancePct, WeightVariancePct                     decimal.NullDecimal
	FirstMeasurement, VarianceOutOfRange, AutoUpdatedMasterData bool
	VerifiedBy, Notes                                           string
	VerifiedAt                                                  time.Time
}

func (r verificationRow) entry() dimension.Entry {
	return dimension.Entry{
		Status: dimension.Status(r.VerificationStatus), Facility: r.FacilityCode, Pounds: r.MeasuredWeightLbs, CubicFeet: r.MeasuredCubicFeet,
		VolumePct: r.CubicFeetVariancePct, WeightPct: r.WeightVariancePct, First: r.FirstMeasurement, Beyond: r.VarianceOutOfRange, Automatic: r.AutoUpdatedMasterData,
		By: r.VerifiedBy, Notes: r.Notes, At: r.VerifiedAt.UTC(),
	}
}

type queueRow struct {
	caseRow
	MaterialName, FacilityCode string
	Readers                    []dimension.Person
}

func (r queueRow) line() dimension.ReviewLine {
	return dimension.ReviewLine{Case: r.dimensionCase(), Name: r.MaterialName, Facility: r.FacilityCode, Readers: r.Readers}
}

type ruledRow struct {
	Round                 int
	Decision, Note        string
	Issuer, Subject, Name string
	ReviewedAt            time.Time
}

func (r ruledRow) ruled() dimension.Ruled {
	return dimension.Ruled{
		Round: r.Round, Decision: dimension.Decision(r.Decision), Note: r.Note, By: dimension.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}, At: r.ReviewedAt.UTC(),
	}
}

type binRow struct {
	LocationCode, FacilityCode        string
	Quantity                          decimal.Decimal
	CapacityCubicFeet, CapacityPounds decimal.Decimal
	BeforeCubicFeet, AfterCubicFeet   decimal.Decimal
	BeforePounds, AfterPounds         decimal.Decimal
}

func (r binRow) bin() dimension.BinEffect {
	return dimension.BinEffect{
		Location: r.LocationCode, Facility: r.FacilityCode, Quantity: r.Quantity, CapacityCubicFeet: r.CapacityCubicFeet, CapacityPounds: r.CapacityPounds,
		BeforeCubicFeet: r.BeforeCubicFeet, AfterCubicFeet: r.AfterCubicFeet, BeforePounds: r.BeforePounds, AfterPounds: r.AfterPounds,
	}
}

type roomRow struct {
	Lot, LocationCode                   string
	Quantity                            decimal.Decimal
	RequiredCubicFeet, RequiredPounds   decimal.Decimal
	AvailableCubicFeet, AvailablePounds decimal.Decimal
}

func (r roomRow) putaway() dimension.PutawayEffect {
	return dimension.PutawayEffect{
		Lot: r.Lot, Location: r.LocationCode, Quantity: r.Quantity, RequiredCubicFeet: r.RequiredCubicFeet, RequiredPounds: r.RequiredPounds,
		AvailableCubicFeet: r.AvailableCubicFeet, AvailablePounds: r.AvailablePounds,
	}
}

type failureRow struct {
	Lot, LocationCode                   string
	RequiredCubicFeet, RequiredPounds   decimal.Decimal
	AvailableCubicFeet, AvailablePounds decimal.Decimal
}

func (r failureRow) failure() dimension.FailureEffect {
	return dimension.FailureEffect{
		Lot: r.Lot, Location: r.LocationCode, RequiredCubicFeet: r.RequiredCubicFeet, RequiredPounds: r.RequiredPounds,
		AvailableCubicFeet: r.AvailableCubicFeet, AvailablePounds: r.AvailablePounds,
	}
}
