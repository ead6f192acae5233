package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/inbox"
)

type capacityTx struct {
	tx pgx.Tx
	by actor.Actor
}

func (t capacityTx) Record(ctx context.Context, e audit.Event) error {
	return record(ctx, t.tx, t.by, e)
}

func (t capacityTx) Hold(ctx context.Context) (time.Time, error) {
	var at time.Time
	err := t.tx.QueryRow(ctx, sql("HoldCapacity")).Scan(&at, nil)
	return at.UTC(), err
}

func (t capacityTx) Deployed(ctx context.Context) (deployed bool, err error) {
	return deployed, t.tx.QueryRow(ctx, sql("CapacityDeployed")).Scan(&deployed)
}

func (t capacityTx) Sighted(ctx context.Context, source, key string) (capacity.Sighted, bool, error) {
	found, err := rowsOf[struct {
		FailureID     uuid.UUID
		Occurrence    int
		ContentSHA256 string `db:"content_sha256"`
	}](ctx, t.tx, "CapacitySighted", pgx.StrictNamedArgs{"source": source, "key": key})
	if err != nil || len(found) == 0 {
		return capacity.Sighted{}, false, err
	}
	return capacity.Sighted{Failure: found[0].FailureID, Occurrence: found[0].Occurrence, Content: found[0].ContentSHA256}, true, nil
}

type sceneRow struct {
	FacilityID                              uuid.UUID
	FacilityCode, FacilityName              string
	LocationID                              uuid.UUID
	LocationCode, LocationType, ZoneCode    string
	MaterialID                              uuid.UUID
	MaterialCode, MaterialName              string
	UnitWidth, UnitHeight, UnitThickness    *capacity.Decimal
	MaterialCubicFeet, UnitCubicFeet        *capacity.Decimal
	WeightLbsPerUnit                        *capacity.Decimal
	LengthInches, WidthInches, HeightInches *capacity.Decimal
	BinCubicFeet, MaxWeightLbs              *capacity.Decimal
	OtherBins, OtherMaterials               int
	ArrivedCubicFeet, ArrivedWeightLbs      capacity.Decimal
}

func (r sceneRow) scene() capacity.Scene {
	return capacity.Scene{
		Facility: capacity.Place{ID: r.FacilityID, Code: r.FacilityCode, Name: r.FacilityName}, Location: capacity.Place{ID: r.LocationID, Code: r.LocationCode},
		Material: capacity.Place{ID: r.MaterialID, Code: r.MaterialCode, Name: r.MaterialName}, LocationType: r.LocationType, Zone: r.ZoneCode,
		Evidence: capacity.Evidence{
			Material: r.MaterialID, Location: r.LocationID, MaterialCode: r.MaterialCode, LocationCode: r.LocationCode, LocationType: r.LocationType,
			UnitVolume: r.UnitCubicFeet, UnitWeight: r.WeightLbsPerUnit, MaterialVolume: r.MaterialCubicFeet,
			Unit:      capacity.Box{Length: orNow(r.UnitThickness), Width: orNow(r.UnitWidth), Height: orNow(r.UnitHeight)},
			Bin:       capacity.Box{Length: orNow(r.LengthInches), Width: orNow(r.WidthInches), Height: orNow(r.HeightInches)},
			BinVolume: r.BinCubicFeet, BinMaxWeight: r.MaxWeightLbs, BinsOfMaterial: r.OtherBins + 1, MaterialsOfBin: r.OtherMaterials + 1,
			Arrived: capacity.Load{CubicFeet: r.ArrivedCubicFeet, WeightLbs: r.ArrivedWeightLbs},
		},
	}
}

func (t capacityTx) Scene(ctx context.Context, s capacity.Sighting) (capacity.Scene, bool, error) {
	found, err := rowsOf[sceneRow](ctx, t.tx, "CapacityScene", pgx.StrictNamedArgs{
		"facility": s.Facility, "location": s.Location, "material": s.Material, "lot": s.Lot, "at": s.At,
	})
	if err != nil || len(found) == 0 {
		return capacity.Scene{}, false, err
	}
	return found[0].scene(), true, nil
}

func (t capacityTx) one(ctx context.Context, statement string, args pgx.StrictNamedArgs) (capacity.Case, bool, error) {
	found, err := rowsOf[overfullRow](ctx, t.tx, statement, args)
	if err != nil || len(found) == 0 {
		return capacity.Case{}, false, err
	}
	return found[0].failure(), true, nil
}

func (t capacityTx) CaseOf(ctx context.Context, location, material uuid.UUID, kind capacity.Type) (capacity.Case, bool, error) {
	return t.one(ctx, "LockCapacityCaseOf", pgx.StrictNamedArgs{"location": location, "material": material, "type": string(kind)})
}

func (t capacityTx) Case(ctx context.Context, id uuid.UUID) (capacity.Case, bool, error) {
	return t.one(ctx, "LockCapacityCase", pgx.StrictNamedArgs{"failure": id})
}

func (t capacityTx) many(ctx context.Context, statement string, args pgx.StrictNamedArgs) ([]capacity.Case, error) {
	found, err := rowsOf[overfullRow](ctx, t.tx, statement, args)
	return casesOf(found), err
}

func (t capacityTx) OpenIn(ctx context.Context, location uuid.UUID, most int) ([]capacity.Case, error) {
	return t.many(ctx, "LockCapacityOfBin", pgx.StrictNamedArgs{"location": location, "limit": most})
}

func (t capacityTx) OpenOf(ctx context.Context, material uuid.UUID, most int) ([]capacity.Case, error) {
	return t.many(ctx, "LockCapacityOfMaterial", pgx.StrictNamedArgs{"material": material, "limit": most})
}

// group is the id of the group that a guess puts failures into.
func (t capacityTx) group(ctx context.Context, facility uuid.UUID, g capacity.Guess) (id uuid.UUID, err error) {
	fresh, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, err
	}
	return id, t.tx.QueryRow(ctx, sql("CapacityGroupFor"), pgx.StrictNamedArgs{
		"group": fresh, "facility": facility, "cause": string(g.Cause), "subject": g.Subject, "label": g.Label,
	}).Scan(&id)
}

func (t capacityTx) Add(ctx context.Context, c capacity.Case, g capacity.Guess, s capacity.Sighting) (capacity.Case, error) {
	_, err := t.tx.Exec(ctx, sql("AddFailure"), pgx.StrictNamedArgs{
		"failure": c.ID, "facility": c.Facility.ID, "location": c.Location.ID, "material": c.Material.ID, "lot": c.Lot,
		"required_cubic_feet": c.Needed.CubicFeet, "available_cubic_feet": shown(c.Needed.CubicFeet, c.Free.CubicFeet), "required_weight": c.Needed.WeightLbs,
		"available_weight": shown(c.Needed.WeightLbs, c.Free.WeightLbs), "type": string(c.Verdict.Type), "severity": string(c.Verdict.Severity),
		"cubic_feet_overflow": c.Verdict.Volume.Stored(), "weight_overflow": c.Verdict.Weight.Stored(), "seen_at": c.LastSeen,
		"recommendation": orNull(s.Recommendation), "moved_by": orNull(s.MovedBy),
	})
	if err != nil {
		return c, err
	}
	return t.add(ctx, c, g)
}

// shown is what is free as the warehouse's row keeps it: where nothing is needed nothing is exceeded, and its constraint
// would read an overfull bin as exceeded.
func shown(needed, free capacity.Decimal) capacity.Decimal {
	if needed.IsZero() && free.IsNegative() {
		return capacity.Decimal{}
	}
	return free
}

func (t capacityTx) add(ctx context.Context, c capacity.Case, g capacity.Guess) (capacity.Case, error) {
	group, err := t.group(ctx, c.Facility.ID, g)
	if err != nil {
		return c, err
	}
	c.Group = group
	var b pgx.Batch
	b.Queue(sql("AddCapacityCase"), pgx.StrictNamedArgs{
		"failure": c.ID, "group": c.Group, "facility": c.Facility.ID, "facility_code": c.Facility.Code, "location": c.Location.ID, "location_code": c.Location.Code,
		"location_type": c.LocationType, "zone": c.Zone, "material": c.Material.ID, "material_code": c.Material.Code, "lot": c.Lot, "quantity": c.Quantity,
		"required_cubic_feet": c.Needed.CubicFeet, "available_cubic_feet": c.Free.CubicFeet, "required_weight": c.Needed.WeightLbs, "available_weight": c.Free.WeightLbs,
		"type": string(c.Verdict.Type), "severity": string(c.Verdict.Severity), "overflow": c.Verdict.Worst().Sort(), "bin_cubic_feet": c.BinCubicFeet,
		"bin_max_weight": c.BinMaxWeight, "unit_cubic_feet": c.UnitCubicFeet, "unit_weight": c.UnitWeight, "reason": c.Reason,
		"first_seen": c.FirstSeen, "last_seen": c.LastSeen, "opened": c.OpenedAt, "source": string(c.Source),
	})
	b.Queue(sql("AddCapacityEvent"), t.event(c, capacity.Event{Version: c.Version, Act: capacity.First, To: c.State, By: t.me()}))
	return c, t.tx.SendBatch(ctx, &b).Close()
}

func (t capacityTx) me() capacity.Person {
	return capacity.Person{Issuer: t.by.Issuer, Subject: t.by.Subject, Name: t.by.Name}
}

func (t capacityTx) event(c capacity.Case, e capacity.Event) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"failure": c.ID, "version": e.Version, "act": string(e.Act), "from": string(e.From), "to": string(e.To), "note": e.Note,
		"issuer": e.By.Issuer, "subject": e.By.Subject, "name": e.By.Name,
	}
}

func (t capacityTx) Adopt(ctx context.Context, c capacity.Case, g capacity.Guess) error {
	_, err := t.add(ctx, c, g)
	return err
}

func (t capacityTx) Gather(ctx context.Context, c capacity.Case, g capacity.Guess) error {
	args := pgx.StrictNamedArgs{"group": c.Group, "reason": g.Reason, "facility": c.Facility.ID, "material": nil, "location": nil}
	switch g.Cause {
	case capacity.BadDimension:
		args["material"] = c.Material.ID
	case capacity.BadBin:
		args["location"] = c.Location.ID
	case capacity.Rule, capacity.Race:
		return nil
	}
	_, err := t.tx.Exec(ctx, sql("GatherCapacity"), args)
	return err
}

func (t capacityTx) AddSighting(ctx context.Context, c capacity.Case, s capacity.Sighting, told string) error {
	_, err := t.tx.Exec(ctx, sql("AddCapacitySighting"), pgx.StrictNamedArgs{
		"source": told, "key": s.Key, "failure": c.ID, "content": s.Content(), "occurrence": c.Occurrences, "lot": s.Lot, "quantity": s.Quantity,
		"required_cubic_feet": s.Needed.CubicFeet, "available_cubic_feet": s.Free.CubicFeet, "required_weight": s.Needed.WeightLbs, "available_weight": s.Free.WeightLbs,
		"seen_at": s.At, "told_by": t.by.Name,
	})
	return err
}

func (t capacityTx) Save(ctx context.Context, c capacity.Case, e capacity.Event) error {
	tag, err := t.tx.Exec(ctx, sql("SaveCapacityCase"), pgx.StrictNamedArgs{
		"failure": c.ID, "lot": c.Lot, "quantity": c.Quantity, "required_cubic_feet": c.Needed.CubicFeet, "available_cubic_feet": c.Free.CubicFeet,
		"required_weight": c.Needed.WeightLbs, "available_weight": c.Free.WeightLbs, "severity": string(c.Verdict.Severity), "overflow": c.Verdict.Worst().Sort(),
		"state": string(c.State), "version": c.Version, "owner_issuer": c.Owner.Issuer, "owner_subject": c.Owner.Subject, "owner_name": c.Owner.Name,
		"fix_code": string(c.FixCode), "fix_notes": c.FixNotes, "fixed_issuer": c.FixedBy.Issuer, "fixed_subject": c.FixedBy.Subject, "fixed_name": c.FixedBy.Name, "fixed_at": timeOrNull(c.FixedAt),
		"verified_issuer": c.VerifiedBy.Issuer, "verified_subject": c.VerifiedBy.Subject, "verified_name": c.VerifiedBy.Name, "verified_at": timeOrNull(c.VerifiedAt),
		"accepted_until": timeOrNull(c.AcceptUntil), "accepted_issuer": c.AcceptedBy.Issuer, "accepted_subject": c.AcceptedBy.Subject, "accepted_name": c.AcceptedBy.Name, "accept_reason": c.AcceptWhy,
		"occurrences": c.Occurrences, "last_seen": c.LastSeen, "opened": c.OpenedAt, "reopened": c.Reopened,
	})
	if err != nil {
		return err
	}
	if tag.RowsAffected() != 1 {
		return fault.New(fault.Conflict, "Somebody else has just changed this failure. Look at the page again.")
	}
	if _, err := t.tx.Exec(ctx, sql("AddCapacityEvent"), t.event(c, e)); err != nil {
		return err
	}
	return t.follow(ctx, c)
}

// follow keeps the warehouse's own row in step: it is resolved once a second person has verified it. Where a migration was
// taken back there is no such row any more, and the case alone remains.
func (t capacityTx) follow(ctx context.Context, c capacity.Case) error {
	deployed, err := t.Deployed(ctx)
	if err != nil || !deployed {
		return err
	}
	args := pgx.StrictNamedArgs{
		"failure": c.ID, "occurrences": c.Occurrences, "last_seen": c.LastSeen, "resolved": c.State == capacity.Verified, "resolved_at": nil, "resolved_by": nil, "code": "", "notes": "",
	}
	if c.State == capacity.Verified {
		user, err := warehouseUser(ctx, t.tx, c.FixedBy)
		if err != nil {
			return err
		}
		args["resolved_at"], args["resolved_by"], args["code"], args["notes"] = c.VerifiedAt, user, string(c.FixCode), c.FixNotes
	}
	_, err = t.tx.Exec(ctx, sql("FollowFailure"), args)
	return err
}

// warehouseUser is the warehouse's own user of somebody who signs in here.
func warehouseUser(ctx context.Context, tx pgx.Tx, p capacity.Person) (id uuid.UUID, err error) {
	return id, tx.QueryRow(ctx, sql("WarehouseUser"), pgx.StrictNamedArgs{"user": uuid.New(), "issuer": p.Issuer, "subject": p.Subject, "name": p.Name}).Scan(&id)
}

func (t capacityTx) Since(ctx context.Context, id uuid.UUID, version int) ([]capacity.Event, error) {
	found, err := rowsOf[capacityEventRow](ctx, t.tx, "CapacityEventsSince", pgx.StrictNamedArgs{"failure": id, "version": version})
	return eventsOf(found), err
}

func (t capacityTx) Worker(ctx context.Context, id uuid.UUID) (capacity.Person, bool, error) {
	found, err := rowsOf[candidateRow](ctx, t.tx, "CapacityWorker", pgx.StrictNamedArgs{"person": id, "working": working()})
	if err != nil || len(found) == 0 {
		return capacity.Person{}, false, err
	}
	return workersOf(found)[0].Person, true, nil
}

func (t capacityTx) Tell(ctx context.Context, alerts []capacity.Alert) error {
	notices := make([]inbox.Notice, len(alerts))
	for i, a := range alerts {
		notices[i] = inbox.Notice{
			Kind: inbox.CapacityFailure, Key: a.Key, Role: a.Role, Headline: clipped(a.Headline, 300), Body: clipped(a.Body, 4000), Path: a.Path, DueAt: a.DueAt,
			Person: inbox.Person{Issuer: a.Person.Issuer, Subject: a.Person.Subject, Name: a.Person.Name},
		}
	}
	_, err := addNotices(ctx, t.tx, notices)
	return err
}

func clipped(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

func (t capacityTx) LockBin(ctx context.Context, location uuid.UUID) (capacity.BinNow, bool, error) {
	found, err := rowsOf[shelfRow](ctx, t.tx, "LockBin", pgx.StrictNamedArgs{"location": location})
	if err != nil || len(found) == 0 {
		return capacity.BinNow{}, false, err
	}
	return found[0].bin(), true, nil
}

func (t capacityTx) UnitNow(ctx context.Context, material uuid.UUID) (*capacity.Load, error) {
	found, err := rowsOf[struct{ UnitCubicFeet, WeightLbsPerUnit *capacity.Decimal }](ctx, t.tx, "UnitNow", pgx.StrictNamedArgs{"material": material})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return unitOf(found[0].UnitCubicFeet, found[0].WeightLbsPerUnit), nil
}

func (t capacityTx) Resize(ctx context.Context, r capacity.Resize) error {
	user, err := warehouseUser(ctx, t.tx, r.By)
	if err != nil {
		return err
	}
	exactly := func(d *capacity.Decimal) string {
		if d == nil {
			return ""
		}
		return d.String()
	}
	side := func(d capacity.Decimal) string {
		if !d.IsPositive() {
			return ""
		}
		return d.String()
	}
	before, err := json.Marshal(keptSize{side(r.Bin.Box.Length), side(r.Bin.Box.Width), side(r.Bin.Box.Height), exactly(r.Bin.CubicFeet), exactly(r.Bin.MaxWeight)})
	if err != nil {
		return err
	}
	after, err := json.Marshal(keptSize{r.To.Length.String(), r.To.Width.String(), r.To.Height.String(), r.CubicFeet.String(), r.MaxWeight.String()})
	if err != nil {
		return err
	}
	var b pgx.Batch
	b.Queue(sql("ResizeBin"), pgx.StrictNamedArgs{
		"location": r.Bin.ID, "seen": r.Bin.Version, "length": r.To.Length, "width": r.To.Width, "height": r.To.Height, "cubic_feet": r.CubicFeet, "max_weight": r.MaxWeight, "user": user,
	}).Exec(func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() != 1 {
			return fault.New(fault.Conflict, "Somebody else has just changed this bin. Look at the page again.")
		}
		return nil
	})
	b.Queue(sql("AddBinSize"), pgx.StrictNamedArgs{
		"id": r.ID, "location": r.Bin.ID, "code": r.Bin.Code, "failure": r.Failure, "before": string(before), "after": string(after), "cleared": r.Cleared, "reason": r.Reason,
		"issuer": r.By.Issuer, "subject": r.By.Subject, "name": r.By.Name,
	})
	return t.tx.SendBatch(ctx, &b).Close()
}
