package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// floor is a warehouse of two tenants, each with a facility, a bin with ten of the one material, and people.
type floor struct {
	t     *testing.T
	d     *pgtest.Database
	super *pgxpool.Pool
	s     *dimension.Service
}

var (
	iris  = housetest.Person(housetest.Rivermark, "Iris", actor.WarehouseStaff)
	ivan  = housetest.Person(housetest.Rivermark, "Ivan", actor.WarehouseStaff)
	ines  = housetest.Person(housetest.Rivermark, "Ines", actor.WarehouseStaff)
	wes   = housetest.Person(housetest.Rivermark, "Wes", actor.WarehouseSupervisor)
	rafa  = housetest.Person(housetest.Rivermark, "Rafa", actor.QAEngineer)
	cato  = housetest.Person(housetest.Saltway, "Cato", actor.WarehouseStaff)
	bree  = housetest.Person(housetest.Saltway, "Bree", actor.WarehouseSupervisor)
	paper = thing('c', 0)
	mill  = thing('a', 0)
)

func newFloor(t *testing.T, version string) *floor {
	t.Helper()
	f := &floor{t: t, d: housetest.At(t, version)}
	f.super = pgtest.Pool(t, f.d.SuperURL)
	warehouse(t, f.d)
	for i, tenant := range []uuid.UUID{housetest.Rivermark, housetest.Saltway} {
		f.exec(`UPDATE materials SET cubic_feet = 10, weight_lbs_per_unit = 20, width_inches = 24, height_inches = 24, thickness_inches = 30 WHERE tenant_id = $1`, tenant)
		f.exec(`INSERT INTO lots (tenant_id, facility_id, lot_number, material_id, original_quantity, quantity_on_hand, quantity_available, location_id, received_date)
			VALUES ($1, $2, 'L1', $3, 10, 10, 10, $4, '2026-01-01')`, tenant, thing('a', i), thing('c', i), thing('b', i))
	}
	f.s = dimension.NewService(postgres.Dimensions{DB: housetest.Open(t, f.d)}, time.Now)
	return f
}

func (f *floor) exec(sql string, args ...any) {
	f.t.Helper()
	if _, err := f.super.Exec(f.t.Context(), sql, args...); err != nil {
		f.t.Fatalf("%s: %v", sql, err)
	}
}

func (f *floor) text(sql string, args ...any) string {
	f.t.Helper()
	var got *string
	if err := f.super.QueryRow(f.t.Context(), sql, args...).Scan(&got); err != nil {
		f.t.Fatalf("%s: %v", sql, err)
	}
	if got == nil {
		return "NULL"
	}
	return *got
}

func (f *floor) is(what, want, sql string, args ...any) {
	f.t.Helper()
	if got := f.text(sql, args...); got != want {
		f.t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func n(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// of is a form with a volume and a weight.
func (f *floor) of(volume, weight string) dimension.Measurement {
	f.t.Helper()
	var version int
	if err := f.super.QueryRow(f.t.Context(), "SELECT version FROM materials WHERE material_id = $1", paper).Scan(&version); err != nil {
		f.t.Fatal(err)
	}
	return dimension.Measurement{
		Facility: mill, Material: paper, Seen: version, Key: uuid.New(),
		Box: dimension.Box{Volume: dimension.Amount{Value: n(volume), Unit: dimension.CubicFoot}, Weight: dimension.Amount{Value: n(weight), Unit: dimension.Pound}},
	}
}

func (f *floor) measure(by actor.Actor, m dimension.Measurement) dimension.Reading {
	f.t.Helper()
	r, err := f.s.Measure(f.t.Context(), by, m)
	if err != nil {
		f.t.Fatalf("%s measures: %v", by.Name, err)
	}
	return r
}

const verificationRow = `SELECT concat_ws(' ', verification_status, measured_cubic_feet, measured_weight_lbs, coalesce(cubic_feet_variance_pct::text, '-'), coalesce(weight_variance_pct::text, '-'),
	variance_threshold_exceeded, auto_updated_master_data, first_measurement) FROM material_dimension_verifications ORDER BY verified_at DESC, verification_id DESC LIMIT 1`

const masterRow = `SELECT concat_ws(' ', height_inches, width_inches, trim_scale(thickness_inches), cubic_feet, weight_lbs_per_unit, 'v' || version) FROM materials WHERE material_id = $1`

// A measurement within the tolerance is the record from then on, and the bin that holds the material is filled by it.
func TestAMeasurementWithinTheToleranceIsTheRecord(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	f.is("the bin before", "100.0000", `SELECT used_cubic_feet::text FROM bin_utilization_cache WHERE location_id = $1`, thing('b', 0))
	r := f.measure(iris, f.of("10.8", "20.5"))
	if r.Outcome != dimension.Settled || r.Status != dimension.MasterDataUpdated {
		t.Errorf("the reading is %+v", r)
	}
	f.is("the verification", "MASTER_DATA_UPDATED 10.8000 20.5000 8.00 2.50 f t f", verificationRow)
	f.is("the record", "24.0000 24.0000 30 10.8000 20.5000 v2", masterRow, paper)
	f.is("the bin after", "108.0000", `SELECT used_cubic_feet::text FROM bin_utilization_cache WHERE location_id = $1`, thing('b', 0))
	f.is("the history", "automatic 10 10.8 Iris 2 t", `SELECT concat_ws(' ', kind, old_cubic_feet, new_cubic_feet, name, material_version, verification_id IS NOT NULL) FROM gatehouse.dimension_changes`)
	f.is("who verified", "Iris", `SELECT u.display_name FROM material_dimension_verifications v JOIN users u ON u.user_id = v.verified_by`)
	f.is("the trail", "dimension:measure done", `SELECT concat_ws(' ', action, outcome) FROM gatehouse.audit_events WHERE action LIKE 'dimension%'`)

	f.measure(iris, f.of("10.8", "20.5"))
	f.is("measured again", "VERIFIED 10.8000 20.5000 0.00 0.00 f f f", verificationRow)
	f.is("the record, verified", "24.0000 24.0000 30 10.8000 20.5000 v2", masterRow, paper)
	f.is("users of Iris", "1", `SELECT count(*)::text FROM users WHERE sso_user_id = 'Iris'`)
}

// D-55: what nobody has recorded is recorded; there is no variance.
func TestTheFirstMeasurementBecomesTheRecord(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.20")
	f.exec(`UPDATE materials SET cubic_feet = NULL, weight_lbs_per_unit = 0, width_inches = NULL, height_inches = NULL, thickness_inches = NULL WHERE material_id = $1`, paper)
	m := f.of("5", "3")
	m.Box.Volume = dimension.Amount{}
	for q, v := range map[dimension.Quantity]string{dimension.Height: "30", dimension.Width: "60", dimension.Thickness: "10"} {
		m.Box.Set(q, dimension.Amount{Value: n(v), Unit: dimension.Centimetre})
	}
	if r := f.measure(iris, m); r.Status != dimension.MasterDataUpdated {
		t.Errorf("the reading is %+v", r)
	}
	f.is("the verification", "MASTER_DATA_UPDATED 0.6357 3.0000 - - f t t", verificationRow)
	f.is("the record", "11.8110 23.6220 3.937008 0.6357 3.0000 v2", masterRow, paper)
	f.is("as it was entered", `{"width": {"unit": "cm", "value": "60"}, "height": {"unit": "cm", "value": "30"}, "weight": {"unit": "lb", "value": "3"}, "thickness": {"unit": "cm", "value": "10"}}`,
		`SELECT entered::text FROM gatehouse.dimension_readings`)
	f.is("the kind", "first", `SELECT kind FROM gatehouse.dimension_changes`)
}

// V4: beyond the tolerance a second person measures; where both differ a third, and the middle decides.
func TestBeyondTheToleranceOthersMeasure(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	if r := f.measure(iris, f.of("12", "20")); r.Outcome != dimension.SecondWanted || r.Status != dimension.VarianceDetected {
		t.Fatalf("the first reading is %+v", r)
	}
	f.is("the verification", "VARIANCE_DETECTED 12.0000 20.0000 20.00 0.00 t f f", verificationRow)
	f.is("the record stays", "24.0000 24.0000 30 10.0000 20.0000 v1", masterRow, paper)
	f.is("the task", "reading", `SELECT reason FROM gatehouse.measure_tasks`)
	if _, err := f.s.Measure(t.Context(), iris, f.of("12", "20")); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("the same person measures again: %v, want a conflict", err)
	}
	if sheet, err := f.s.Sheet(t.Context(), iris, mill, paper); err != nil || sheet.WhyNot(iris) == "" || sheet.WhyNot(ivan) != "" {
		t.Errorf("the sheet keeps back %q and %q, %v", sheet.WhyNot(iris), sheet.WhyNot(ivan), err)
	}
	if r := f.measure(ivan, f.of("10", "20")); r.Outcome != dimension.ThirdWanted || r.Status != "" {
		t.Fatalf("the second reading is %+v", r)
	}
	f.is("verifications", "1", `SELECT count(*)::text FROM material_dimension_verifications`)
	if r := f.measure(ines, f.of("12.4", "20")); r.Outcome != dimension.InReview || r.Status != dimension.VarianceDetected {
		t.Fatalf("the third reading is %+v", r)
	}
	f.is("the middle of three", "VARIANCE_DETECTED 12.0000 20.0000 20.00 0.00 t f f", verificationRow)
	f.is("tasks while it is reviewed", "0", `SELECT count(*)::text FROM gatehouse.measure_tasks`)
	fourth := housetest.Person(housetest.Rivermark, "Igor", actor.WarehouseStaff)
	if _, err := f.s.Measure(t.Context(), fourth, f.of("10", "20")); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "supervisor decides") {
		t.Errorf("measuring during a review: %v, want a conflict", err)
	}

	// Two who agree within the tolerance settle it without anybody else.
	g := newFloor(t, "0.0.22")
	g.measure(iris, g.of("11.1", "20"))
	if r := g.measure(ivan, g.of("10.7", "20")); r.Outcome != dimension.Settled {
		t.Errorf("the second reading is %+v", r)
	}
	g.is("what lies between them", "MASTER_DATA_UPDATED 10.9000 20.0000 9.00 0.00 f t f", verificationRow)
}

// The same form sent five times at once is one measurement, and every answer is the first one's.
func TestTheSameMeasurementFiveTimesAtOnceIsOne(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	m := f.of("10.8", "20.5")
	var all sync.WaitGroup
	var mu sync.Mutex
	ids := map[uuid.UUID]int{}
	for range 5 {
		all.Go(func() {
			r, err := f.s.Measure(t.Context(), iris, m)
			if err != nil {
				t.Errorf("Measure: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[r.ID]++
		})
	}
	all.Wait()
	if len(ids) != 1 {
		t.Errorf("five forms gave the readings %v", ids)
	}
	f.is("rows", "1 1 1 1", `SELECT concat_ws(' ', (SELECT count(*) FROM material_dimension_verifications), (SELECT count(*) FROM gatehouse.dimension_readings),
		(SELECT count(*) FROM gatehouse.dimension_changes), (SELECT count(*) FROM gatehouse.audit_events WHERE action = 'dimension:measure'))`)
	m.Box.Weight.Value = n("20.6")
	if _, err := f.s.Measure(t.Context(), iris, m); !fault.Is(err, fault.Conflict) {
		t.Errorf("the same form with something else in it: %v, want a conflict", err)
	}
	if _, err := f.s.Measure(t.Context(), ivan, f.withKey(m)); !fault.Is(err, fault.Conflict) {
		t.Errorf("the same form by somebody else: %v, want a conflict", err)
	}
}

func (f *floor) withKey(m dimension.Measurement) dimension.Measurement {
	other := f.of("10.8", "20.5")
	other.Key = m.Key
	return other
}

// Many who measure the same material at once: what is written is as if they had come one after the other.
func TestManyAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	m := f.of("10.5", "20")
	var all sync.WaitGroup
	var mu sync.Mutex
	saved, conflicts := 0, 0
	for i := range 12 {
		all.Go(func() {
			mine := m
			mine.Key = uuid.New()
			_, err := f.s.Measure(t.Context(), housetest.Person(housetest.Rivermark, fmt.Sprint("p", i), actor.WarehouseStaff), mine)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				saved++
			case fault.Is(err, fault.Conflict):
				conflicts++
			default:
				t.Errorf("Measure: %v", err)
			}
		})
	}
	all.Wait()
	// The first changes the record; the others saw another version of it and are told so.
	if saved != 1 || conflicts != 11 {
		t.Errorf("%d were saved and %d told of the change, want 1 and 11", saved, conflicts)
	}
	f.is("rows", "1 1", `SELECT concat_ws(' ', (SELECT count(*) FROM material_dimension_verifications), (SELECT count(*) FROM gatehouse.dimension_readings))`)
}

// W19: the record changed while somebody measured. What changed is said, and its numbers are not: a reading is blind.
func TestAChangedMaterialIsToldWithoutItsNumbers(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	mine := f.of("10.2", "20")
	f.measure(ivan, f.of("10.77", "20.5"))
	_, err := f.s.Measure(t.Context(), iris, mine)
	refused, ok := fault.As(err)
	if !ok || refused.Kind != fault.Conflict || !strings.Contains(refused.Fields["seen"], "Ivan changed the volume, the weight") || strings.Contains(refused.Fields["seen"], "10.77") {
		t.Errorf("a changed material: %v", err)
	}
	f.is("rows", "1", `SELECT count(*)::text FROM gatehouse.dimension_readings`)
	mine.Seen = 2
	f.measure(iris, mine)
}

// Q09: five steps of nine percent.
func TestStepsOfNinePercentStopAtTheSecond(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	f.measure(iris, f.of("10.9", "20"))
	if r := f.measure(iris, f.of("11.881", "20")); r.Outcome != dimension.SecondWanted || len(r.Causes) != 1 || r.Causes[0] != dimension.VolumeDrift {
		t.Errorf("the second step is %+v", r)
	}
	f.is("the record", "24.0000 24.0000 30 10.9000 20.0000 v2", masterRow, paper)
	// Another system's change of the record is what counts from then on.
	g := newFloor(t, "0.0.22")
	g.measure(iris, g.of("10.9", "20"))
	g.exec(`UPDATE materials SET cubic_feet = 11.5, version = version + 1 WHERE material_id = $1`, paper)
	if r := g.measure(iris, g.of("12", "20")); r.Status != dimension.MasterDataUpdated {
		t.Errorf("after another system's change: %+v", r)
	}
}

func TestWhatLooksLikeASlipIsAskedBack(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	m := f.of("100", "20")
	_, err := f.s.Measure(t.Context(), iris, m)
	if refused, ok := fault.As(err); !ok || refused.Kind != fault.Invalid || refused.Fields["sure"] == "" || !strings.Contains(refused.Fields["volume"], "slipped point") {
		t.Fatalf("ten times as much: %v", err)
	}
	f.is("rows", "0", `SELECT count(*)::text FROM gatehouse.dimension_readings`)
	m.Sure = true
	f.measure(iris, m)
	f.is("what was asked", "1", `SELECT cardinality(asked_back)::text FROM gatehouse.dimension_readings`)
}

// T07, X: what is another tenant's, or deleted, is not there.
func TestOthersAndDeletedThingsAreNotThere(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	for what, change := range map[string]func(*dimension.Measurement){
		"their material":    func(m *dimension.Measurement) { m.Material = thing('c', 1) },
		"their facility":    func(m *dimension.Measurement) { m.Facility = thing('a', 1) },
		"no material":       func(m *dimension.Measurement) { m.Material = uuid.New() },
		"no facility":       func(m *dimension.Measurement) { m.Facility = uuid.New() },
		"facility for both": func(m *dimension.Measurement) { m.Material, m.Facility = thing('c', 1), thing('a', 1) },
	} {
		m := f.of("10.5", "20")
		change(&m)
		if _, err := f.s.Measure(t.Context(), iris, m); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v, want not found", what, err)
		}
		if _, err := f.s.Sheet(t.Context(), iris, m.Facility, m.Material); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: the sheet %v, want not found", what, err)
		}
	}
	r := f.measure(iris, f.of("12", "20"))
	f.measure(ivan, f.of("12.1", "20"))
	if _, err := f.s.Case(t.Context(), bree, r.Case); !fault.Is(err, fault.NotFound) {
		t.Errorf("their supervisor reads our case: %v", err)
	}
	if err := f.s.Decide(t.Context(), bree, dimension.Ruling{Case: r.Case, Decision: dimension.ApproveMeasured, Note: "Fine.", Seen: 2, Material: 1}); !fault.Is(err, fault.NotFound) {
		t.Errorf("their supervisor decides our case: %v", err)
	}
	if list, err := f.s.Reviews(t.Context(), bree, dimension.ReviewQuery{Limit: 10}); err != nil || len(list.Cases) != 0 {
		t.Errorf("their supervisor's list: %+v, %v", list, err)
	}
	if _, err := f.s.History(t.Context(), cato, paper); !fault.Is(err, fault.NotFound) {
		t.Errorf("their staff reads our history: %v", err)
	}
	f.exec(`UPDATE materials SET deleted_at = now() WHERE material_id = $1`, paper)
	if _, err := f.s.Measure(t.Context(), ines, f.of("10.5", "20")); !fault.Is(err, fault.NotFound) {
		t.Errorf("a deleted material: %v, want not found", err)
	}
	viewer := housetest.Person(housetest.Rivermark, "v", actor.Viewer)
	if _, err := f.s.Measure(t.Context(), viewer, f.of("10.5", "20")); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a viewer measures: %v", err)
	}
	machine := iris
	machine.Rights = []actor.Right{actor.DimensionMeasure}
	if _, err := f.s.Measure(t.Context(), machine, f.of("10.5", "20")); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a machine measures: %v", err)
	}
}

// reviewed is a case of two readings that agree, 12 and 12.4 cubic feet where 10 are recorded.
func (f *floor) reviewed() dimension.Review {
	f.t.Helper()
	f.measure(iris, f.of("12", "20"))
	r := f.measure(ivan, f.of("12.4", "20"))
	if r.Outcome != dimension.InReview {
		f.t.Fatalf("the second reading is %+v", r)
	}
	review, err := f.s.Case(f.t.Context(), wes, r.Case)
	if err != nil {
		f.t.Fatalf("Case: %v", err)
	}
	return review
}

func ruling(r dimension.Review, d dimension.Decision) dimension.Ruling {
	return dimension.Ruling{Case: r.Case.ID, Decision: d, Note: "I looked at both.", Seen: r.Case.Version, Material: r.Material.Version}
}

func TestASupervisorTakesTheMeasurementOver(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	f.exec(`INSERT INTO putaway_recommendations (tenant_id, facility_id, lot_number, material_id, quantity, recommended_location_id, algorithm_used, confidence_score) VALUES ($1, $2, 'L2', $3, 1, $4, 'x', 0.9)`,
		housetest.Rivermark, mill, paper, thing('b', 0))
	f.exec(`UPDATE inventory_locations SET cubic_feet = 110 WHERE location_id = $1`, thing('b', 0))
	r := f.reviewed()
	e := r.Effect
	if len(e.Bins) != 1 || e.NoLonger() != 1 || !e.Bins[0].AfterCubicFeet.Equal(n("122")) || !e.Bins[0].BeforeCubicFeet.Equal(n("100")) || len(e.Putaways) != 1 || e.Missing() != 1 {
		t.Errorf("what would change: %+v", e)
	}
	if why := r.WhyNot(wes); why != "" {
		t.Errorf("the supervisor is kept from it: %s", why)
	}
	if err := f.s.Decide(t.Context(), wes, ruling(r, dimension.ApproveMeasured)); err != nil {
		t.Fatalf("Decide: %v", err)
	}
	f.is("the verification", "MASTER_DATA_UPDATED 12.2000 20.0000 22.00 0.00 f f f", verificationRow)
	f.is("the record", "24.0000 24.0000 30 12.2000 20.0000 v2", masterRow, paper)
	f.is("the bin", "122.0000", `SELECT used_cubic_feet::text FROM bin_utilization_cache WHERE location_id = $1`, thing('b', 0))
	f.is("the history", "approved Wes I looked at both.", `SELECT concat_ws(' ', kind, name, reason) FROM gatehouse.dimension_changes`)
	f.is("the case", "settled", `SELECT state FROM gatehouse.dimension_cases`)
	if err := f.s.Decide(t.Context(), rafa, ruling(r, dimension.KeepMaster)); !fault.Is(err, fault.Conflict) {
		t.Errorf("deciding what was decided: %v, want a conflict", err)
	}
	// What was approved is what steps are measured from.
	if got := f.measure(iris, f.of("13.3", "20")); got.Status != dimension.MasterDataUpdated {
		t.Errorf("nine percent more than was approved: %+v", got)
	}
	h, err := f.s.History(t.Context(), cato, thing('c', 1))
	if err != nil || len(h.Changes) != 0 || len(h.Verifications) != 0 {
		t.Errorf("the other tenant's history: %+v, %v", h, err)
	}
	h, err = f.s.History(t.Context(), iris, paper)
	if err != nil || len(h.Changes) != 2 || len(h.Verifications) != 4 || len(h.Readings) != 3 {
		t.Errorf("the history has %d changes, %d verifications, %d readings, %v", len(h.Changes), len(h.Verifications), len(h.Readings), err)
	}
}

func TestASupervisorKeepsTheRecordOrHasItMeasuredAgain(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	r := f.reviewed()
	if err := f.s.Decide(t.Context(), wes, ruling(r, dimension.MeasureAgain)); err != nil {
		t.Fatalf("Decide: %v", err)
	}
	f.is("the task", "remeasure", `SELECT reason FROM gatehouse.measure_tasks`)
	f.is("the case", "remeasure 2", `SELECT concat_ws(' ', state, round) FROM gatehouse.dimension_cases`)
	// From the beginning: whoever measured before may do so again.
	f.measure(iris, f.of("12.1", "20"))
	f.measure(ines, f.of("12.3", "20"))
	again, err := f.s.Case(t.Context(), wes, r.Case.ID)
	if err != nil || again.Case.Round != 2 || again.Case.State != dimension.InReview || len(again.Readings) != 4 || len(again.Decided) != 1 {
		t.Fatalf("the second round: %+v, %v", again.Case, err)
	}
	if err := f.s.Decide(t.Context(), wes, ruling(again, dimension.KeepMaster)); err != nil {
		t.Fatalf("Decide: %v", err)
	}
	f.is("the record", "24.0000 24.0000 30 10.0000 20.0000 v1", masterRow, paper)
	f.is("the history", "kept", `SELECT kind FROM gatehouse.dimension_changes`)
	f.is("verifications that update", "0", `SELECT count(*)::text FROM material_dimension_verifications WHERE verification_status = 'MASTER_DATA_UPDATED'`)
	// A record that was kept counts as verified: the plan does not ask for it at once.
	if added, _, err := f.s.Plan(t.Context(), iris); err != nil || added != 0 {
		t.Errorf("Plan adds %d, %v", added, err)
	}
}

// Who measured does not decide, whatever else they are; the statement itself sees to that.
func TestWhoMeasuredDoesNotDecide(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	f.measure(wes, f.of("12", "20"))
	r := f.measure(ivan, f.of("12.4", "20"))
	review, err := f.s.Case(t.Context(), wes, r.Case)
	if err != nil || review.WhyNot(wes) == "" || review.WhyNot(rafa) != "" {
		t.Fatalf("Case: %q, %q, %v", review.WhyNot(wes), review.WhyNot(rafa), err)
	}
	for what, c := range map[string]struct {
		by     actor.Actor
		change func(*dimension.Ruling)
		kind   fault.Kind
	}{
		"who measured":       {wes, func(*dimension.Ruling) {}, fault.Forbidden},
		"staff":              {ines, func(*dimension.Ruling) {}, fault.Forbidden},
		"no note":            {rafa, func(r *dimension.Ruling) { r.Note = " x " }, fault.Invalid},
		"a long note":        {rafa, func(r *dimension.Ruling) { r.Note = strings.Repeat("x", 4096) }, fault.Invalid},
		"no decision":        {rafa, func(r *dimension.Ruling) { r.Decision = "" }, fault.Invalid},
		"an older case":      {rafa, func(r *dimension.Ruling) { r.Seen-- }, fault.Conflict},
		"an older material":  {rafa, func(r *dimension.Ruling) { r.Material-- }, fault.Conflict},
		"something unknown":  {rafa, func(r *dimension.Ruling) { r.Case = uuid.New() }, fault.NotFound},
		"another's decision": {rafa, func(r *dimension.Ruling) { r.Decision = "DELETE" }, fault.Invalid},
	} {
		q := ruling(review, dimension.ApproveMeasured)
		c.change(&q)
		if err := f.s.Decide(t.Context(), c.by, q); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v, want %s", what, err, c.kind)
		}
	}
	f.is("reviews", "0", `SELECT count(*)::text FROM gatehouse.dimension_reviews`)
	f.is("the record", "24.0000 24.0000 30 10.0000 20.0000 v1", masterRow, paper)
	var all sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 5 {
		all.Go(func() {
			if f.s.Decide(t.Context(), rafa, ruling(review, dimension.ApproveMeasured)) == nil {
				mu.Lock()
				defer mu.Unlock()
				done++
			}
		})
	}
	all.Wait()
	if done != 1 {
		t.Errorf("%d of five decisions at once were carried out", done)
	}
}

func TestTheGateOfReviewIsItsStatement(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	r := f.reviewed()
	ask := func(by actor.Actor) bool {
		var written bool
		err := (postgres.Dimensions{DB: housetest.Open(t, f.d)}).InTenant(t.Context(), by, func(ctx context.Context, tx dimension.Tx) error {
			var err error
			written, err = tx.AddReview(ctx, by, withID(ruling(r, dimension.KeepMaster)), r.Case, uuid.NullUUID{})
			if err == nil {
				err = errors.New("taken back")
			}
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "taken back") {
			t.Fatalf("AddReview: %v", err)
		}
		return written
	}
	for _, c := range []struct {
		by   actor.Actor
		want bool
	}{{iris, false}, {ivan, false}, {wes, true}} {
		if got := ask(c.by); got != c.want {
			t.Errorf("the statement lets %s through: %v, want %v", c.by.Name, got, c.want)
		}
	}
}

func TestBeforeItsMigrationAndAfterItWasTakenAway(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.18")
	var missing *dimension.NotDeployed
	if _, err := f.s.Measure(t.Context(), iris, f.of("10.5", "20")); !errors.As(err, &missing) || missing.Version != "0.0.20" {
		t.Errorf("Measure at 0.0.18: %v", err)
	}
	if _, err := f.s.Sheet(t.Context(), iris, mill, paper); !errors.As(err, &missing) {
		t.Errorf("Sheet at 0.0.18: %v", err)
	}
	if _, err := f.s.Sheet(t.Context(), cato, thing('a', 1), paper); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant's Sheet at 0.0.18: %v, want not found", err)
	}
	if _, err := f.s.Work(t.Context(), iris, dimension.WorkQuery{}); !errors.As(err, &missing) {
		t.Errorf("Work at 0.0.18: %v", err)
	}
	if added, removed, err := f.s.Plan(t.Context(), iris); err != nil || added+removed != 0 {
		t.Errorf("Plan at 0.0.18 = %d, %d, %v", added, removed, err)
	}
	g := newFloor(t, "0.0.20")
	g.exec(`DROP TABLE material_dimension_verifications CASCADE`)
	if _, err := g.s.Sheet(t.Context(), iris, mill, paper); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Sheet whose table is gone: %v, want unavailable", err)
	}
}

func withID(r dimension.Ruling) dimension.Ruling {
	r.ID = uuid.New()
	return r
}
