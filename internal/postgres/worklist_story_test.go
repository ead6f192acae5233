package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/inbox"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func (f *floor) plan() (added, removed int) {
	f.t.Helper()
	added, removed, err := f.s.Plan(f.t.Context(), iris)
	if err != nil {
		f.t.Fatalf("Plan: %v", err)
	}
	return added, removed
}

func (f *floor) work(by actor.Actor, q dimension.WorkQuery) dimension.Work {
	f.t.Helper()
	if q.Limit == 0 {
		q.Limit = 50
	}
	w, err := f.s.Work(f.t.Context(), by, q)
	if err != nil {
		f.t.Fatalf("Work: %v", err)
	}
	return w
}

const reasonOf = `SELECT coalesce(max(reason), 'none') FROM gatehouse.measure_tasks WHERE material_id = $1`

// What is to be measured and why: never verified, not known, a capacity failure, more than 90 whole days.
func TestWhatIsToBeMeasuredAndWhy(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	if added, _ := f.plan(); added != 1 {
		t.Errorf("the first plan adds %d, want 1", added)
	}
	f.is("never verified", "never", reasonOf, paper)
	if added, removed := f.plan(); added+removed != 0 {
		t.Errorf("the second plan adds %d and removes %d", added, removed)
	}
	f.measure(iris, f.of("10.5", "20"))
	f.is("measured", "none", reasonOf, paper)
	age := func(interval string) {
		f.exec(`ALTER TABLE material_dimension_verifications DISABLE TRIGGER ALL`)
		f.exec(`UPDATE material_dimension_verifications SET verified_at = clock_timestamp() - $1::interval`, interval)
		f.exec(`ALTER TABLE material_dimension_verifications ENABLE TRIGGER ALL`)
		f.plan()
	}
	for interval, want := range map[string]string{"89 days": "none", "90 days": "none", "90 days 23:59": "none", "91 days": "stale", "200 days": "stale"} {
		f.exec(`DELETE FROM gatehouse.measure_tasks`)
		age(interval)
		f.is("verified "+interval+" ago", want, reasonOf, paper)
	}
	age("1 day")
	f.is("verified again", "none", reasonOf, paper)
	f.exec(`INSERT INTO capacity_validation_failures (tenant_id, facility_id, location_id, material_id, lot_number, required_cubic_feet, available_cubic_feet, required_weight_lbs, available_weight_lbs, failure_type, severity)
		VALUES ($1, $2, $3, $4, 'L1', 2, 1, 1, 2, 'CUBIC_FEET_EXCEEDED', 'CRITICAL')`, housetest.Rivermark, mill, thing('b', 0), paper)
	f.plan()
	f.is("a capacity failure", "failure", reasonOf, paper)
	f.exec(`UPDATE materials SET cubic_feet = NULL, width_inches = NULL WHERE material_id = $1`, paper)
	f.exec(`DELETE FROM capacity_validation_failures`)
	f.plan()
	f.is("not known", "unknown", reasonOf, paper)
	f.exec(`UPDATE lots SET quantity_on_hand = 0 WHERE tenant_id = $1`, housetest.Rivermark)
	if _, removed := f.plan(); removed != 1 {
		t.Errorf("a material that is not there any more: %d removed", removed)
	}
	f.is("the other tenant's tasks", "0", `SELECT count(*)::text FROM gatehouse.measure_tasks WHERE tenant_id = $1`, housetest.Saltway)
}

func TestTasksAreTakenGivenBackAndAssigned(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	f.plan()
	f.exec(`INSERT INTO gatehouse.people (tenant_id, person_id, issuer, subject, name, roles) VALUES ($1, gen_random_uuid(), $2, 'Ines', 'Ines', '{warehouse_staff}'), ($1, gen_random_uuid(), $2, 'v', 'V', '{viewer}'),
		($3, gen_random_uuid(), $2, 'Cato', 'Cato', '{warehouse_staff}')`, housetest.Rivermark, iris.Issuer, housetest.Saltway)
	hold := func() dimension.Hold {
		w := f.work(iris, dimension.WorkQuery{})
		if len(w.Tasks) != 1 {
			t.Fatalf("the list has %d tasks", len(w.Tasks))
		}
		return dimension.Hold{Facility: mill, Material: paper, Seen: w.Tasks[0].Version}
	}
	first := hold()
	if err := f.s.Take(t.Context(), iris, first); err != nil {
		t.Fatalf("Take: %v", err)
	}
	if err := f.s.Take(t.Context(), ivan, hold()); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "Iris has taken") {
		t.Errorf("taking what is taken: %v", err)
	}
	if err := f.s.Release(t.Context(), ivan, hold()); !fault.Is(err, fault.Conflict) {
		t.Errorf("giving back another's: %v", err)
	}
	if err := f.s.Take(t.Context(), iris, first); !fault.Is(err, fault.Conflict) {
		t.Errorf("an older state: %v", err)
	}
	if mine := f.work(iris, dimension.WorkQuery{}).Mine; len(mine) != 1 {
		t.Errorf("Iris has %d tasks", len(mine))
	}
	if err := f.s.Release(t.Context(), wes, hold()); err != nil {
		t.Errorf("a supervisor gives it back: %v", err)
	}
	w := f.work(wes, dimension.WorkQuery{})
	if len(w.Colleagues) != 1 || w.Colleagues[0].Person.Name != "Ines" {
		t.Fatalf("who may be given a task: %+v", w.Colleagues)
	}
	give := hold()
	give.Colleague = w.Colleagues[0].ID
	if err := f.s.Assign(t.Context(), iris, give); !fault.Is(err, fault.Forbidden) {
		t.Errorf("staff assigns: %v", err)
	}
	if err := f.s.Assign(t.Context(), wes, give); err != nil {
		t.Errorf("Assign: %v", err)
	}
	f.is("who has it", "Ines by Wes", `SELECT taken_name || ' by ' || assigned_by FROM gatehouse.measure_tasks`)
	give = hold()
	give.Colleague = uuid.MustParse(f.text(`SELECT person_id::text FROM gatehouse.people WHERE subject = 'Cato'`))
	if err := f.s.Assign(t.Context(), wes, give); !fault.Is(err, fault.Invalid) {
		t.Errorf("assigning to another tenant's: %v", err)
	}
	if err := f.s.Take(t.Context(), cato, hold()); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant takes ours: %v", err)
	}
	f.is("the trail", "task:take task:release task:assign", `SELECT string_agg(action, ' ' ORDER BY seq) FROM gatehouse.audit_events WHERE action LIKE 'task:%' AND outcome = 'done'`)
}

func TestSomebodyAsksForAMeasurement(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	f.measure(iris, f.of("10", "20"))
	if err := f.s.Ask(t.Context(), rafa, dimension.Ask{Facility: mill, Code: " M ", Note: "The label looks wrong."}); err != nil {
		t.Fatalf("Ask: %v", err)
	}
	f.is("the task", "asked Rafa: The label looks wrong.", `SELECT reason || ' ' || note FROM gatehouse.measure_tasks`)
	if _, removed := f.plan(); removed != 0 {
		t.Error("the plan takes away what somebody asked for")
	}
	for what, a := range map[string]dimension.Ask{"no code": {Facility: mill, Note: "Why not."}, "no such": {Facility: mill, Code: "X", Note: "Why not."}, "no note": {Facility: mill, Code: "M", Note: "x"}} {
		if err := f.s.Ask(t.Context(), rafa, a); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := f.s.Ask(t.Context(), rafa, dimension.Ask{Facility: thing('a', 1), Code: "M", Note: "Why not."}); !fault.Is(err, fault.NotFound) {
		t.Errorf("their facility: %v", err)
	}
	if err := f.s.Ask(t.Context(), iris, dimension.Ask{Facility: mill, Code: "M", Note: "Why not."}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("staff asks: %v", err)
	}
}

// The list is walked by zone and walking order, or by what it brings, and no page repeats or leaves out anything.
func TestTheWorkListHasPages(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	f.exec(`INSERT INTO materials (tenant_id, material_id, material_code, material_name, material_type, cubic_feet, weight_lbs_per_unit)
		SELECT $1, uuid_generate_v7(), 'N-' || g, 'N', 'INK', CASE WHEN g % 3 = 0 THEN NULL ELSE 1 END, 1 FROM generate_series(1, 30) g`, housetest.Rivermark)
	f.exec(`INSERT INTO inventory_locations (tenant_id, location_id, facility_id, location_code, location_type, cubic_feet, max_weight_lbs, zone_code, pick_sequence)
		SELECT $1, uuid_generate_v7(), $2, 'Q-' || g, 'RESERVE', 100, 1000, CASE WHEN g % 2 = 0 THEN 'A' ELSE 'B' END, g FROM generate_series(1, 30) g`, housetest.Rivermark, mill)
	f.exec(`INSERT INTO lots (tenant_id, facility_id, lot_number, material_id, original_quantity, quantity_on_hand, quantity_available, location_id, received_date)
		SELECT m.tenant_id, $2, 'N' || m.material_code, m.material_id, 1, 1, 1, l.location_id, '2026-01-01' FROM materials m
		JOIN inventory_locations l ON l.location_code = 'Q-' || substr(m.material_code, 3) WHERE m.tenant_id = $1`, housetest.Rivermark, mill)
	if added, _ := f.plan(); added != 31 {
		t.Fatalf("the plan adds %d, want 31", added)
	}
	for _, order := range []dimension.WorkOrder{dimension.ByWalk, dimension.ByGain} {
		seen := map[uuid.UUID]bool{}
		q := dimension.WorkQuery{Order: order, Limit: 7}
		var last dimension.Task
		for {
			w := f.work(iris, q)
			if len(w.Tasks) == 0 {
				break
			}
			for _, task := range w.Tasks {
				if seen[task.Material] {
					t.Fatalf("%s: %s stands twice", order, task.Code)
				}
				seen[task.Material] = true
				if order == dimension.ByGain && last.Code != "" && task.Gain > last.Gain || order == dimension.ByWalk && last.Zone == task.Zone && task.Walk < last.Walk {
					t.Errorf("%s: %s after %s", order, task.Code, last.Code)
				}
				last = task
			}
			q.AfterZone, q.AfterMaterial, q.AfterNumber = last.Zone, last.Material, last.Walk
			if order == dimension.ByGain {
				q.AfterNumber = last.Gain
			}
		}
		if len(seen) != 31 {
			t.Errorf("%s: %d of 31 tasks were shown", order, len(seen))
		}
	}
	w := f.work(iris, dimension.WorkQuery{Zone: "A"})
	if len(w.Tasks) != 15 || strings.Join(w.Zones, " ") != "A B" {
		t.Errorf("zone A has %d tasks, zones %v", len(w.Tasks), w.Zones)
	}
	if _, err := f.s.Work(t.Context(), iris, dimension.WorkQuery{Facility: thing('a', 1)}); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant's facility: %v", err)
	}
	if theirs := f.work(cato, dimension.WorkQuery{}); len(theirs.Tasks) != 0 {
		t.Errorf("the other tenant sees %d tasks", len(theirs.Tasks))
	}
}

func TestWhatIsScannedIsFound(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	if _, err := f.s.Link(t.Context(), iris, mill, "04006381333931", "M"); err != nil {
		t.Fatalf("Link: %v", err)
	}
	if _, err := f.s.Link(t.Context(), iris, mill, "04006381333931", "X"); !fault.Is(err, fault.Invalid) {
		t.Errorf("linking to nothing: %v", err)
	}
	f.exec(`UPDATE inventory_locations SET barcode = 'BIN7' WHERE location_id = $1`, thing('b', 0))
	for what, c := range map[string]struct {
		q    dimension.WorkQuery
		kind dimension.FoundKind
	}{
		"its code":       {dimension.WorkQuery{Code: "M"}, dimension.ByCode},
		"in small":       {dimension.WorkQuery{Code: "m"}, dimension.ByCode},
		"its number":     {dimension.WorkQuery{GTIN: "04006381333931"}, dimension.ByBarcode},
		"a lot":          {dimension.WorkQuery{Lot: "L1"}, dimension.ByLot},
		"a lot's code":   {dimension.WorkQuery{Code: "L1"}, dimension.ByLot},
		"a location":     {dimension.WorkQuery{Code: "Z-A-1-1"}, dimension.ByLocation},
		"its barcode":    {dimension.WorkQuery{Code: "BIN7"}, dimension.ByLocation},
		"nothing":        {dimension.WorkQuery{Code: "NOPE"}, ""},
		"another number": {dimension.WorkQuery{GTIN: "00000096385074"}, ""},
	} {
		w := f.work(iris, c.q)
		if c.kind == "" {
			if len(w.Found) != 0 {
				t.Errorf("%s finds %+v", what, w.Found)
			}
			continue
		}
		if len(w.Found) != 1 || w.Found[0].Kind != c.kind || w.Found[0].Material != paper {
			t.Errorf("%s finds %+v", what, w.Found)
		}
	}
	if theirs := f.work(cato, dimension.WorkQuery{GTIN: "04006381333931"}); len(theirs.Found) != 0 {
		t.Errorf("the other tenant finds %+v by our number", theirs.Found)
	}
}

// A review waits for whoever may decide it, and never for whoever measured.
func TestAReviewWaitsForASupervisorWhoHasNotMeasured(t *testing.T) {
	t.Parallel()
	f := newFloor(t, "0.0.22")
	f.measure(wes, f.of("12", "20"))
	f.measure(ivan, f.of("12.4", "20"))
	box := postgres.Inbox{DB: housetest.Open(t, f.d)}
	for _, c := range []struct {
		by   actor.Actor
		want int
	}{{rafa, 1}, {wes, 0}, {ivan, 0}, {ines, 0}, {bree, 0}, {housetest.Person(housetest.Rivermark, "lead", actor.BackendLead), 0}} {
		list, err := box.Waiting(t.Context(), c.by, "test", inbox.Query{Limit: 10})
		if err != nil || len(list.Tasks) != c.want || list.Ready != c.want {
			t.Errorf("%s (%v) waits for %d, %d ready, %v; want %d", c.by.Name, c.by.Roles, len(list.Tasks), list.Ready, err, c.want)
		}
	}
}
