package postgres

import (
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/internal/crossdock"
)

type spotRow struct {
	LocationID   uuid.UUID
	LocationCode string
	LocationType string
	ZoneCode     string
}

func (r spotRow) spot() crossdock.Spot {
	return crossdock.Spot{Place: crossdock.Place{ID: r.LocationID, Code: r.LocationCode}, Zone: r.ZoneCode, Type: r.LocationType}
}

func spotOf(id *uuid.UUID, code, zone, kind string) crossdock.Spot {
	if id == nil {
		return crossdock.Spot{}
	}
	return crossdock.Spot{Place: crossdock.Place{ID: *id, Code: code}, Zone: zone, Type: kind}
}

// dockLotRow is a lot as every statement of the dock gives it.
type dockLotRow struct {
	LotID                                      uuid.UUID
	LotVersion                                 int
	FacilityID                                 uuid.UUID
	FacilityCode, FacilityName                 string
	LotNumber                                  string
	QuantityOnHand                             capacity.Decimal
	UnitOfMeasure, QualityStatus               string
	LotGone                                    bool
	MaterialID                                 uuid.UUID
	MaterialCode, MaterialName                 string
	UnitCubicFeet, WeightLbsPerUnit            *capacity.Decimal
	ThicknessInches, WidthInches, HeightInches *capacity.Decimal
	TemperatureControlled                      bool
	SecurityZone                               string
	LocationID                                 *uuid.UUID
	LocationCode, ZoneCode, LocationType       string
}

func (r dockLotRow) lot() crossdock.Lot {
	return crossdock.Lot{
		ID: r.LotID, Number: r.LotNumber, Version: r.LotVersion, Facility: crossdock.Place{ID: r.FacilityID, Code: r.FacilityCode, Name: r.FacilityName},
		Material: crossdock.Place{ID: r.MaterialID, Code: r.MaterialCode, Name: r.MaterialName}, Quantity: r.QuantityOnHand, Unit: r.UnitOfMeasure, Quality: r.QualityStatus,
		At: spotOf(r.LocationID, r.LocationCode, r.ZoneCode, r.LocationType), Piece: unitOf(r.UnitCubicFeet, r.WeightLbsPerUnit),
		Box:  capacity.Box{Length: orNow(r.ThicknessInches), Width: orNow(r.WidthInches), Height: orNow(r.HeightInches)},
		Cold: r.TemperatureControlled, Clearance: r.SecurityZone, Gone: r.LotGone,
	}
}

type arrivedLotRow struct {
	dockLotRow
	ArrivedAt *time.Time
}

func (r arrivedLotRow) lot() crossdock.Lot {
	l := r.dockLotRow.lot()
	l.ArrivedAt = timeOrZero(r.ArrivedAt)
	return l
}

type errandRow struct {
	dockLotRow
	CancellationID                        uuid.UUID
	Version                               int
	CancellationReason                    string
	OriginalSalesOrderID                  *uuid.UUID
	OrderNumber                           string
	SinceAt                               time.Time
	Why                                   string
	StagingID                             *uuid.UUID
	StagingCode, StagingZone, StagingType string
	ToID                                  *uuid.UUID
	ToCode, ToZone, ToType                string
	ActualID                              *uuid.UUID
	ActualCode, ActualZone, ActualType    string
	CancelledAt                           time.Time
	CancelledBy, Notes                    string
	RelocationCompletedAt                 *time.Time
	StoredBy                              string
	LimitMinutes                          int
}

func (r errandRow) cancellation() crossdock.Cancellation {
	c := crossdock.Cancellation{
		ID: r.CancellationID, Version: r.Version, Lot: r.lot(), Reason: crossdock.Reason(r.CancellationReason),
		Staging: spotOf(r.StagingID, r.StagingCode, r.StagingZone, r.StagingType), To: spotOf(r.ToID, r.ToCode, r.ToZone, r.ToType),
		Actual: spotOf(r.ActualID, r.ActualCode, r.ActualZone, r.ActualType), Why: r.Why, Since: r.SinceAt.UTC(), Limit: time.Duration(r.LimitMinutes) * time.Minute,
		At: r.CancelledAt.UTC(), By: r.CancelledBy, Notes: r.Notes, StoredAt: timeOrZero(r.RelocationCompletedAt), StoredBy: r.StoredBy,
	}
	if r.OriginalSalesOrderID != nil {
		c.Order = crossdock.Place{ID: *r.OriginalSalesOrderID, Code: r.OrderNumber}
	}
	return c
}

type dockBinRow struct {
	spotRow
	Active, IsAvailable                     bool
	BlockedReason                           string
	TemperatureControlled                   bool
	SecurityZone                            string
	Stated                                  bool
	FreeCubicFeet, FreeWeightLbs            capacity.Decimal
	Unknown                                 bool
	LengthInches, WidthInches, HeightInches *capacity.Decimal
	Rank                                    int
}

func (r dockBinRow) bin() crossdock.Bin {
	return crossdock.Bin{
		Spot: r.spot(), Active: r.Active, Available: r.IsAvailable, Blocked: r.BlockedReason, Cold: r.TemperatureControlled, Clearance: r.SecurityZone, Stated: r.Stated,
		Free: capacity.Load{CubicFeet: r.FreeCubicFeet, WeightLbs: r.FreeWeightLbs}, Unknown: r.Unknown, Rank: r.Rank,
		Box: capacity.Box{Length: orNow(r.LengthInches), Width: orNow(r.WidthInches), Height: orNow(r.HeightInches)},
	}
}

type dockPlaceRow struct {
	FacilityID                 uuid.UUID
	FacilityCode, FacilityName string
}

func (r dockPlaceRow) place() crossdock.Place {
	return crossdock.Place{ID: r.FacilityID, Code: r.FacilityCode, Name: r.FacilityName}
}

type dockLimitRow struct {
	dockPlaceRow
	ZoneCode string
	Minutes  int
	SetBy    string
}

func (r dockLimitRow) limit() crossdock.Limit {
	return crossdock.Limit{Facility: r.place(), Zone: r.ZoneCode, Within: time.Duration(r.Minutes) * time.Minute, By: r.SetBy}
}

type dockEventRow struct {
	Act, Note, FromCode, ToCode string
	Issuer, Subject, Name       string
	At                          time.Time
}

func (r dockEventRow) event() crossdock.Event {
	return crossdock.Event{Act: r.Act, Note: r.Note, From: r.FromCode, To: r.ToCode, By: crossdock.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}, At: r.At.UTC()}
}
