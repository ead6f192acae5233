package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Dimensions is dimension.Store.
type Dimensions struct{ DB *DB }

var _ dimension.Store = Dimensions{}

// verificationsVersion is what brings the table of verifications.
const verificationsVersion = "0.0.20"

// lacking says what it means that a page met a table that is not there: a thing that does not exist stays one that does not exist,
// what a pending migration has yet to bring is told from what somebody has taken away.
func (d Dimensions) lacking(ctx context.Context, by actor.Actor, err error, exists func() error) error {
	if !missingTable(err) {
		return err
	}
	if exists != nil {
		if notThere := exists(); notThere != nil && !missingTable(notThere) {
			return notThere
		}
	}
	applied, lookErr := d.DB.countsAsApplied(ctx, by, verificationsVersion)
	switch {
	case lookErr != nil:
		return lookErr
	case applied:
		return fault.New(fault.Unavailable, "A table of the warehouse is missing although migration V%s counts as applied. Whoever looks after the database has to put it back.",
			verificationsVersion).Because(err)
	}
	return &dimension.NotDeployed{Version: verificationsVersion}
}

// one is the only row of a statement in a batch, or that there is no such thing.
func one[R, T any](rows []R, as func(R) T) (T, error) {
	if len(rows) == 0 {
		var none T
		return none, nothingHere()
	}
	return as(rows[0]), nil
}

func nothingHere() error { return fault.New(fault.NotFound, "There is no such thing here.") }

// Sheet is the material to be measured, without anything that is recorded of its dimensions.
func (d Dimensions) Sheet(ctx context.Context, by actor.Actor, facility, material uuid.UUID) (dimension.Sheet, error) {
	var materials []struct {
		MaterialID                 uuid.UUID
		MaterialCode, MaterialName string
		Version                    int
		Location                   string
	}
	var facilities []facilityRow
	var readers []struct{ State, Issuer, Subject, Name string }
	var deployed struct{ Any bool }
	args := pgx.StrictNamedArgs{"facility": facility, "material": material}
	err := d.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("MaterialToMeasure"), args).Query(collect(&materials))
		b.Queue(sql("FacilityToMeasureAt"), pgx.StrictNamedArgs{"facility": facility}).Query(collect(&facilities))
		b.Queue(sql("ReadersOfOpenCase"), args).Query(collect(&readers))
		b.Queue(sql("VerificationsAreDeployed")).Query(collectOne(&deployed))
	})
	if err != nil {
		return dimension.Sheet{}, d.lacking(ctx, by, err, func() error { return d.exists(ctx, by, material) })
	}
	if len(materials) == 0 || len(facilities) == 0 {
		return dimension.Sheet{}, nothingHere()
	}
	m := materials[0]
	s := dimension.Sheet{Facility: facilities[0].facility(), Material: m.MaterialID, Code: m.MaterialCode, Name: m.MaterialName, Version: m.Version, Location: m.Location}
	for _, r := range readers {
		s.State = dimension.State(r.State)
		if r.Subject != "" {
			s.Readers = append(s.Readers, dimension.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name})
		}
	}
	return s, nil
}

// exists asks for the material alone.
func (d Dimensions) exists(ctx context.Context, by actor.Actor, material uuid.UUID) error {
	var found []materialRow
	err := d.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("MaterialByID"), pgx.StrictNamedArgs{"material": material}).Query(collect(&found))
	})
	if err == nil && len(found) == 0 {
		return nothingHere()
	}
	return err
}

// History reads what is known of a material's dimensions.
func (d Dimensions) History(ctx context.Context, by actor.Actor, material uuid.UUID) (dimension.History, error) {
	var materials []materialRow
	var verifications []verificationRow
	var changes []changeRow
	var readings []readingRow
	var open []caseRow
	var barcodes []struct{ GTIN string }
	var lies []struct{ FacilityID uuid.UUID }
	var clock struct{ At time.Time }
	args := pgx.StrictNamedArgs{"material": material}
	err := d.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("MaterialByID"), args).Query(collect(&materials))
		b.Queue(sql("VerificationsOfMaterial"), args).Query(collect(&verifications))
		b.Queue(sql("DimensionChanges"), pgx.StrictNamedArgs{"material": material, "most": 30}).Query(collect(&changes))
		b.Queue(sql("ReadingsOfMaterial"), args).Query(collect(&readings))
		b.Queue(sql("OpenDimensionCases"), args).Query(collect(&open))
		b.Queue(sql("BarcodesOfMaterial"), args).Query(collect(&barcodes))
		b.Queue(sql("FacilityOfMaterial"), args).Query(collect(&lies))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	})
	if err != nil {
		return dimension.History{}, d.lacking(ctx, by, err, func() error { return d.exists(ctx, by, material) })
	}
	h := dimension.History{Changes: each(changes, changeRow.change), Verifications: each(verifications, verificationRow.entry), Open: each(open, caseRow.dimensionCase), At: clock.At.UTC()}
	if h.Material, err = one(materials, materialRow.material); err != nil {
		return dimension.History{}, err
	}
	if h.Readings, err = readingsOf(readings); err != nil {
		return dimension.History{}, err
	}
	for _, b := range barcodes {
		h.Barcodes = append(h.Barcodes, b.GTIN)
	}
	if len(lies) > 0 {
		h.Facility = lies[0].FacilityID
	}
	return h, nil
}

// Reviews is a page of what waits for a decision.
func (d Dimensions) Reviews(ctx context.Context, by actor.Actor, q dimension.ReviewQuery) (dimension.Reviews, error) {
	var rows []queueRow
	var clock struct{ At time.Time }
	err := d.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("ReviewQueue"), pgx.StrictNamedArgs{"after_at": q.AfterAt, "after_id": q.AfterID, "most": q.Limit}).Query(collect(&rows))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	})
	return dimension.Reviews{Cases: each(rows, queueRow.line), At: clock.At.UTC()}, d.lacking(ctx, by, err, nil)
}

// Review is one case with what would change.
func (d Dimensions) Review(ctx context.Context, by actor.Actor, id uuid.UUID) (dimension.Review, error) {
	var cases []caseRow
	var materials []materialRow
	var facilities []facilityRow
	var readings []readingRow
	var decided []ruledRow
	var clock struct{ At time.Time }
	var r dimension.Review
	args := pgx.StrictNamedArgs{"case": id}
	err := d.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("DimensionCase"), args).Query(collect(&cases))
		b.Queue(sql("MaterialOfCase"), args).Query(collect(&materials))
		b.Queue(sql("FacilityOfCase"), args).Query(collect(&facilities))
		b.Queue(sql("ReadingsOfCase"), args).Query(collect(&readings))
		b.Queue(sql("ReviewsOfCase"), args).Query(collect(&decided))
		b.Queue(sql("BinsOfCase"), args).Query(collectInto(&r.Effect.Bins, binRow.bin))
		b.Queue(sql("PutawaysOfCase"), args).Query(collectInto(&r.Effect.Putaways, roomRow.putaway))
		b.Queue(sql("FailuresOfCase"), args).Query(collectInto(&r.Effect.Failures, failureRow.failure))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	})
	if err != nil {
		return dimension.Review{}, d.lacking(ctx, by, err, func() error { return d.caseExists(ctx, by, id) })
	}
	r.Decided, r.At = each(decided, ruledRow.ruled), clock.At.UTC()
	if r.Case, err = one(cases, caseRow.dimensionCase); err != nil {
		return dimension.Review{}, err
	}
	if r.Material, err = one(materials, materialRow.material); err != nil {
		return dimension.Review{}, err
	}
	if r.Facility, err = one(facilities, facilityRow.facility); err != nil {
		return dimension.Review{}, err
	}
	r.Readings, err = readingsOf(readings)
	return r, err
}

func (d Dimensions) caseExists(ctx context.Context, by actor.Actor, id uuid.UUID) error {
	var found []caseRow
	err := d.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("DimensionCase"), pgx.StrictNamedArgs{"case": id}).Query(collect(&found))
	})
	if err == nil && len(found) == 0 {
		return nothingHere()
	}
	return err
}

// InTenant runs work in one transaction of the actor's tenant.
func (d Dimensions) InTenant(ctx context.Context, by actor.Actor, work func(context.Context, dimension.Tx) error) error {
	err := d.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error { return work(ctx, dimensionTx{tx, by}) })
	return d.lacking(ctx, by, err, nil)
}

type dimensionTx struct {
	tx pgx.Tx
	by actor.Actor
}

func (t dimensionTx) Record(ctx context.Context, e audit.Event) error {
	return record(ctx, t.tx, t.by, e)
}

func (t dimensionTx) LockMaterial(ctx context.Context, id uuid.UUID) (dimension.Material, error) {
	return t.material(ctx, "LockMaterial", pgx.StrictNamedArgs{"material": id})
}

func (t dimensionTx) MaterialByCode(ctx context.Context, code string) (dimension.Material, error) {
	return t.material(ctx, "MaterialByCode", pgx.StrictNamedArgs{"code": code})
}

func (t dimensionTx) material(ctx context.Context, statement string, args pgx.StrictNamedArgs) (dimension.Material, error) {
	found, err := rowsOf[materialRow](ctx, t.tx, statement, args)
	if err != nil {
		return dimension.Material{}, err
	}
	return one(found, materialRow.material)
}

func (t dimensionTx) Facility(ctx context.Context, id uuid.UUID) (dimension.Facility, error) {
	found, err := rowsOf[facilityRow](ctx, t.tx, "FacilityToMeasureAt", pgx.StrictNamedArgs{"facility": id})
	if err != nil {
		return dimension.Facility{}, err
	}
	return one(found, facilityRow.facility)
}

func (t dimensionTx) ReadingWithKey(ctx context.Context, key uuid.UUID) (dimension.Reading, bool, error) {
	found, err := rowsOf[readingRow](ctx, t.tx, "ReadingWithKey", pgx.StrictNamedArgs{"key": key})
	if err != nil || len(found) == 0 {
		return dimension.Reading{}, false, err
	}
	r, err := found[0].reading()
	return r, true, err
}

func (t dimensionTx) OpenCase(ctx context.Context, facility, material uuid.UUID) (dimension.Case, []dimension.Reading, bool, error) {
	found, err := rowsOf[caseRow](ctx, t.tx, "OpenDimensionCase", pgx.StrictNamedArgs{"facility": facility, "material": material})
	if err != nil || len(found) == 0 {
		return dimension.Case{}, nil, false, err
	}
	c := found[0].dimensionCase()
	all, err := t.readings(ctx, c.ID)
	var ofRound []dimension.Reading
	for _, r := range all {
		if r.Round == c.Round {
			ofRound = append(ofRound, r)
		}
	}
	return c, ofRound, true, err
}

func (t dimensionTx) readings(ctx context.Context, id uuid.UUID) ([]dimension.Reading, error) {
	rows, err := rowsOf[readingRow](ctx, t.tx, "ReadingsOfCase", pgx.StrictNamedArgs{"case": id})
	if err != nil {
		return nil, err
	}
	return readingsOf(rows)
}

func (t dimensionTx) MaterialOf(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	found, err := rowsOf[caseRow](ctx, t.tx, "DimensionCase", pgx.StrictNamedArgs{"case": id})
	if err != nil {
		return uuid.Nil, err
	}
	c, err := one(found, caseRow.dimensionCase)
	return c.Material, err
}

func (t dimensionTx) Case(ctx context.Context, id uuid.UUID) (dimension.Case, []dimension.Reading, error) {
	found, err := rowsOf[caseRow](ctx, t.tx, "LockDimensionCase", pgx.StrictNamedArgs{"case": id})
	if err != nil {
		return dimension.Case{}, nil, err
	}
	c, err := one(found, caseRow.dimensionCase)
	if err != nil {
		return dimension.Case{}, nil, err
	}
	readings, err := t.readings(ctx, id)
	return c, readings, err
}

func (t dimensionTx) Tolerance(ctx context.Context, packaging string) (dimension.Tolerance, error) {
	found, err := rowsOf[toleranceRow](ctx, t.tx, "ToleranceOf", pgx.StrictNamedArgs{"packaging": packaging})
	if err != nil || len(found) == 0 {
		return dimension.Binding, err
	}
	return found[0].tolerance(), nil
}

// historyMost is how far back the record that somebody stands behind is looked for.
const historyMost = 1000

func (t dimensionTx) Changes(ctx context.Context, material uuid.UUID) ([]dimension.Change, error) {
	rows, err := rowsOf[changeRow](ctx, t.tx, "DimensionChanges", pgx.StrictNamedArgs{"material": material, "most": historyMost})
	return each(rows, changeRow.change), err
}

func (t dimensionTx) User(ctx context.Context, by actor.Actor) (uuid.UUID, error) {
	id := by.UserID
	if id == uuid.Nil {
		id = uuid.New()
	}
	var user uuid.UUID
	err := t.tx.QueryRow(ctx, sql("WarehouseUser"), pgx.StrictNamedArgs{"user": id, "issuer": by.Issuer, "subject": by.Subject, "name": by.Name}).Scan(&user)
	return user, err
}

func (t dimensionTx) exec(ctx context.Context, statement string, args pgx.StrictNamedArgs) (bool, error) {
	tag, err := t.tx.Exec(ctx, sql(statement), args)
	return err == nil && tag.RowsAffected() == 1, err
}

func (t dimensionTx) AddVerification(ctx context.Context, v dimension.Verification) error {
	volume, beyondVolume := dimension.Capped(v.Judgement.VolumePct)
	weight, beyondWeight := dimension.Capped(v.Judgement.WeightPct)
	master := v.Master
	measured := storedOf(v.Measured)
	_, err := t.exec(ctx, "AddVerification", pgx.StrictNamedArgs{
		"verification": v.ID, "material": v.Material, "facility": v.Facility,
		"master_cubic_feet": orNullAmount(master.TheVolume(), dimension.Amount.CubicFeet), "master_weight": master.Pounds,
		"master_width": master.Width, "master_height": master.Height, "master_thickness": master.Thickness,
		"cubic_feet": measured.cubicFeet, "weight": measured.weight, "width": measured.width, "height": measured.height, "thickness": measured.thickness,
		"cubic_feet_pct": volume, "weight_pct": weight, "beyond": beyondVolume || beyondWeight, "first": v.Judgement.First, "status": string(v.Judgement.Status),
		"exceeded": v.Judgement.Exceeded(), "automatic": v.Automatic, "user": v.User, "notes": v.Notes,
	})
	return err
}

func (t dimensionTx) SetMaster(ctx context.Context, m dimension.Material, newer dimension.Master, user uuid.UUID) (bool, error) {
	return t.exec(ctx, "SetMaster", pgx.StrictNamedArgs{
		"material": m.ID, "version": m.Version, "height": newer.Height, "width": newer.Width, "thickness": newer.Thickness, "cubic_feet": newer.CubicFeet, "weight": newer.Pounds, "user": user,
	})
}

func (t dimensionTx) AddChange(ctx context.Context, c dimension.Change) error {
	_, err := t.exec(ctx, "AddDimensionChange", pgx.StrictNamedArgs{
		"change": c.ID, "material": c.Material, "kind": string(c.Kind), "version": c.Version,
		"old_height": c.Old.Height, "old_width": c.Old.Width, "old_thickness": c.Old.Thickness, "old_cubic_feet": c.Old.CubicFeet, "old_weight": c.Old.Pounds,
		"new_height": c.New.Height, "new_width": c.New.Width, "new_thickness": c.New.Thickness, "new_cubic_feet": c.New.CubicFeet, "new_weight": c.New.Pounds,
		"reason": c.Reason, "case": orNull(c.Case), "verification": c.Verification, "issuer": c.By.Issuer, "subject": c.By.Subject, "name": c.By.Name,
	})
	return err
}

func (t dimensionTx) SaveCase(ctx context.Context, c dimension.Case, verification uuid.NullUUID) error {
	measured := storedOf(c.Measured)
	_, err := t.exec(ctx, "SaveDimensionCase", pgx.StrictNamedArgs{
		"case": c.ID, "facility": c.Facility, "material": c.Material, "code": c.Code, "round": c.Round, "state": string(c.State),
		"height": measured.height, "width": measured.width, "thickness": measured.thickness, "cubic_feet": measured.cubicFeet, "weight": measured.weight,
		"cubic_feet_pct": c.VolumePct, "weight_pct": c.WeightPct, "causes": causeNames(c.Causes), "verification": verification,
	})
	return err
}

func (t dimensionTx) AddReading(ctx context.Context, r dimension.Reading) error {
	entered, err := json.Marshal(enteredOf(r.Box))
	if err != nil {
		return fmt.Errorf("encoding what was entered: %w", err)
	}
	measured := storedOf(r.Box)
	asked := r.AskedBack
	if asked == nil {
		asked = []string{}
	}
	_, err = t.exec(ctx, "AddReading", pgx.StrictNamedArgs{
		"reading": r.ID, "case": r.Case, "round": r.Round, "number": r.Number, "material": r.Material, "facility": r.Facility, "version": r.Seen, "entered": string(entered),
		"height": measured.height, "width": measured.width, "thickness": measured.thickness, "cubic_feet": measured.cubicFeet, "weight": measured.weight,
		"asked_back": asked, "notes": r.Notes, "tolerance_pct": r.Tolerance.Pct, "tolerance_version": r.Tolerance.Version, "outcome": string(r.Outcome), "status": string(r.Status),
		"verification": r.Verification, "cubic_feet_pct": r.VolumePct, "weight_pct": r.WeightPct, "issuer": r.By.Issuer, "subject": r.By.Subject, "name": r.By.Name, "key": r.Key,
	})
	return err
}

func (t dimensionTx) AddReview(ctx context.Context, by actor.Actor, r dimension.Ruling, c dimension.Case, verification uuid.NullUUID) (bool, error) {
	return t.exec(ctx, "AddDimensionReview", pgx.StrictNamedArgs{
		"review": r.ID, "case": c.ID, "decision": string(r.Decision), "note": r.Note, "verification": verification, "seen": r.Seen,
		"issuer": by.Issuer, "subject": by.Subject, "name": by.Name,
	})
}

func (t dimensionTx) LinkBarcode(ctx context.Context, gtin string, material uuid.UUID) (uuid.NullUUID, error) {
	var was uuid.NullUUID
	err := t.tx.QueryRow(ctx, sql("LinkBarcode"), pgx.StrictNamedArgs{"gtin": gtin, "material": material, "issuer": t.by.Issuer, "subject": t.by.Subject, "name": t.by.Name}).Scan(&was)
	return was, err
}
