package postgres_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
)

func (s *shelf) groups(q capacity.Query) []capacity.Group {
	s.Helper()
	if q.Limit == 0 {
		q.Limit = 50
	}
	o, err := s.stories.Overview(s.Context(), s.wes, q)
	if err != nil {
		s.Fatalf("Overview: %v", err)
	}
	return o.Groups
}

// C2: fifty failures of one material are one row that says fifty.
func TestFailuresOfOneCauseAreOneRow(t *testing.T) {
	t.Parallel()
	s := aShelf(t)
	super(t, s.d, fmt.Sprintf(`INSERT INTO inventory_locations (tenant_id, facility_id, location_code, zone_code, location_type, cubic_feet, max_weight_lbs)
		SELECT '%s', '%s', 'C-' || n, 'Z' || n %% 2, 'PICK_FACE', 100, 1000 FROM generate_series(1, 50) n`, housetest.Rivermark, thing('a', 0)))
	for n := range 50 {
		s.record(sees(fmt.Sprint("k", n), fmt.Sprint("C-", n+1), 10))
	}
	worse := sees("w", "B-01", 40)
	worse.Material = "N"
	worse.Needed.CubicFeet = exact("80") // forty pieces of 2
	s.record(worse)
	groups := s.groups(capacity.Query{})
	if len(groups) != 2 || groups[0].Label != "Bins of type RESERVE" || groups[1].Open() != 50 || groups[1].Cause != capacity.BadDimension || groups[1].Label != "M" {
		t.Fatalf("groups: %+v", groups)
	}
	for name, c := range map[string]struct {
		q    capacity.Query
		want int
	}{
		"the critical ones":  {capacity.Query{Severity: capacity.Critical}, 1},
		"a zone":             {capacity.Query{Zone: "Z1"}, 1},
		"no such zone":       {capacity.Query{Zone: "Z9"}, 0},
		"a cause":            {capacity.Query{Cause: capacity.Rule}, 1},
		"the facility":       {capacity.Query{Facility: thing('a', 0)}, 2},
		"another's facility": {capacity.Query{Facility: thing('a', 1)}, 0},
		"mine":               {capacity.Query{Mine: true}, 0},
		"nobody's":           {capacity.Query{Nobodys: true}, 2},
		"older than an hour": {capacity.Query{OlderThan: 3600e9}, 0},
		"to be verified":     {capacity.Query{Standing: capacity.ToVerify}, 0},
		"what was settled":   {capacity.Query{Standing: capacity.Settled}, 0},
		"after the first":    {capacity.Query{After: capacity.Cursor{Rank: groups[0].WorstRank, Overflow: groups[0].WorstOverflow, ID: groups[0].ID}}, 1},
	} {
		if got := s.groups(c.q); len(got) != c.want {
			t.Errorf("%s: %d groups, want %d", name, len(got), c.want)
		}
	}
	page, err := s.stories.Group(t.Context(), s.wes, groups[1].ID, capacity.Query{Limit: 20})
	if err != nil || len(page.Cases) != 20 || page.Actable[capacity.Acknowledge] != 50 {
		t.Fatalf("a page of the group: %d cases, %v, %v", len(page.Cases), page.Actable, err)
	}
	last := page.Cases[19]
	next, err := s.stories.Group(t.Context(), s.wes, groups[1].ID, capacity.Query{Limit: 20, After: capacity.Cursor{Rank: last.Verdict.Severity.Rank(), Overflow: last.Verdict.Worst().Sort(), ID: last.ID}})
	if err != nil || len(next.Cases) != 20 || next.Cases[0].ID == last.ID {
		t.Errorf("the next page: %d, %v", len(next.Cases), err)
	}
	if _, err := s.stories.Group(t.Context(), s.theirs, groups[1].ID, capacity.Query{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant reads the group: %v", err)
	}
}

func TestManyAreAssignedTogetherAndPutBack(t *testing.T) {
	t.Parallel()
	s := aShelf(t)
	var ids []uuid.UUID
	for n := range 4 {
		ids = append(ids, s.record(sees(fmt.Sprint("k", n), fmt.Sprint("B-0", n+1), 10)).Case.ID)
	}
	group := s.failure(ids[3]).Case.Group
	m := capacity.Many{Group: group, Act: capacity.Assign, Worker: s.rafa.UserID, Reason: "the roll delivery of Monday", Shown: 4, Key: uuid.New()}
	for name, change := range map[string]func(*capacity.Many){
		"without a reason":    func(m *capacity.Many) { m.Reason = " " },
		"to nobody":           func(m *capacity.Many) { m.Worker = uuid.Nil },
		"to somebody unknown": func(m *capacity.Many) { m.Worker = uuid.New() },
		"a fix":               func(m *capacity.Many) { m.Act = capacity.FixIt },
	} {
		wrong := m
		change(&wrong)
		if _, err := s.stories.Many(t.Context(), s.wes, wrong); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	stale := m
	stale.Shown = 3
	if _, err := s.stories.Many(t.Context(), s.wes, stale); !fault.Is(err, fault.Conflict) {
		t.Errorf("a page that said three: %v", err)
	}
	foreign := m
	foreign.Shown = 4
	if _, err := s.stories.Many(t.Context(), s.theirs, foreign); err == nil {
		t.Error("another tenant assigns ours")
	}
	done, err := s.stories.Many(t.Context(), s.wes, m)
	if err != nil || done.Cases != 4 {
		t.Fatalf("Many = %+v, %v", done, err)
	}
	if again, err := s.stories.Many(t.Context(), s.wes, m); err != nil || again.ID != done.ID {
		t.Errorf("the same form again: %+v, %v", again, err)
	}
	if got := s.text(`SELECT count(*) || ' ' || min(owner_name) FROM gatehouse.capacity_cases WHERE state = 'assigned'`); got != "4 rafa" {
		t.Errorf("assigned: %s", got)
	}
	s.must(s.rafa, ids[0], capacity.FixIt) // touched since
	if _, _, err := s.stories.Undo(t.Context(), s.rafa, done.ID); !fault.Is(err, fault.Forbidden) {
		t.Errorf("somebody else takes it back: %v", err)
	}
	if _, _, err := s.stories.Undo(t.Context(), s.theirs, done.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant takes it back: %v", err)
	}
	back, _, err := s.stories.Undo(t.Context(), s.wes, done.ID)
	if err != nil || back != 3 {
		t.Fatalf("Undo = %d, %v", back, err)
	}
	if got := s.text(`SELECT string_agg(state || ' ' || owner_name, ', ' ORDER BY state) FROM gatehouse.capacity_cases`); got != "fixed rafa, new , new , new " {
		t.Errorf("after: %s", got)
	}
	if got := s.text(`SELECT untouched || ' ' || in_work || ' ' || to_verify FROM gatehouse.capacity_groups WHERE open > 0`); got != "3 0 1" {
		t.Errorf("its group: %s", got)
	}
	if _, _, err := s.stories.Undo(t.Context(), s.wes, done.ID); !fault.Is(err, fault.Conflict) {
		t.Errorf("taken back twice: %v", err)
	}
	super(t, s.d, `UPDATE gatehouse.capacity_bulks SET undone_at = NULL, done_at = clock_timestamp() - interval '11 minutes'`)
	if _, _, err := s.stories.Undo(t.Context(), s.wes, done.ID); !fault.Is(err, fault.Conflict) {
		t.Errorf("after eleven minutes: %v", err)
	}
}

// C6: what a correction would clear is what it clears.
func TestABinIsCorrectedAndClearsWhatItSaid(t *testing.T) {
	t.Parallel()
	s := aShelf(t)
	first := s.record(sees("k1", "B-01", 10)).Case // 60 needed, 50 free
	other := sees("k2", "B-01", 35)                // of N: 70 needed
	other.Material, other.Needed.CubicFeet = "N", exact("70")
	s.record(other)
	s.record(sees("k3", "B-02", 10)) // of another bin
	p := s.failure(first.ID)
	size := capacity.Size{Sides: capacity.Box{Length: exact("48"), Width: exact("48"), Height: exact("83")}, MaxWeight: exact("1000")} // 110.6667 ft³
	load := size.Load()
	would := len(capacity.Cleared(p.SameBin, capacity.Correction{Bin: &load}))
	if would != 1 || len(p.SameBin) != 2 {
		t.Fatalf("would clear %d of %d", would, len(p.SameBin))
	}
	r := capacity.Correct{Failure: first.ID, SeenBin: p.Bin.Version, Shown: would, Size: size, Reason: "measured with a tape by Iris"}
	for name, c := range map[string]struct {
		change func(*capacity.Correct)
		want   fault.Kind
	}{
		"another number":    {func(r *capacity.Correct) { r.Shown = 2 }, fault.Conflict},
		"an older page":     {func(r *capacity.Correct) { r.SeenBin-- }, fault.Conflict},
		"without a reason":  {func(r *capacity.Correct) { r.Reason = "short" }, fault.Invalid},
		"a side of nothing": {func(r *capacity.Correct) { r.Size.Sides.Width = exact("0") }, fault.Invalid},
		"three digits":      {func(r *capacity.Correct) { r.Size.Sides.Width = exact("48.001") }, fault.Invalid},
	} {
		wrong := r
		c.change(&wrong)
		if _, err := s.stories.CorrectBin(t.Context(), s.wes, wrong); !fault.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.stories.CorrectBin(t.Context(), s.theirs, r); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant: %v", err)
	}
	cleared, err := s.stories.CorrectBin(t.Context(), s.wes, r)
	if err != nil || cleared != would {
		t.Fatalf("CorrectBin = %d, %v; want %d", cleared, err, would)
	}
	if got := s.text(`SELECT cubic_feet || ' ' || version FROM inventory_locations WHERE location_code = 'B-01' AND tenant_id = '` + housetest.Rivermark.String() + `'`); got != "110.6667 2" {
		t.Errorf("the bin: %s", got)
	}
	if got := s.text(`SELECT total_cubic_feet::text FROM bin_utilization_cache WHERE location_code = 'B-01' AND tenant_id = '` + housetest.Rivermark.String() + `'`); got != "110.6667" {
		t.Errorf("the bin was not recomputed: %s", got)
	}
	p = s.failure(first.ID)
	if p.Case.State != capacity.Fixed || p.Case.FixCode != capacity.BinCapacityCorrected || len(p.Sizes) != 1 || p.Sizes[0].Before != "48 × 48 × 75 in, 100 ft³, 1000 lb" {
		t.Errorf("after: %s %s, history %+v", p.Case.State, p.Case.FixCode, p.Sizes)
	}
	if err := s.act(s.wes, first.ID, capacity.Verify); !fault.Is(err, fault.Forbidden) {
		t.Errorf("who corrected the bin verifies: %v", err)
	}
	s.must(s.rafa, first.ID, capacity.Verify)
}

func TestAMaterialThatWasCorrectedClearsItsFailures(t *testing.T) {
	t.Parallel()
	s := aShelf(t)
	id := s.record(sees("k1", "B-01", 10)).Case.ID
	s.record(sees("k2", "B-02", 10))
	s.record(sees("k3", "B-03", 40)) // too many even then
	fixed := capacity.Remeasured{Failure: id, Shown: 0, Notes: "measured anew this morning"}
	if _, err := s.stories.MaterialCorrected(t.Context(), s.wes, fixed); !fault.Is(err, fault.Conflict) {
		t.Errorf("nothing was corrected: %v", err)
	}
	super(t, s.d, `UPDATE materials SET cubic_feet = 4.5, version = version + 1 WHERE material_code = 'M'`)
	p := s.failure(id)
	fixed.Shown = len(capacity.Cleared(p.SameMaterial, capacity.Correction{Unit: p.Bin.MaterialNow}))
	if cleared, err := s.stories.MaterialCorrected(t.Context(), s.wes, fixed); err != nil || cleared != 2 || fixed.Shown != 2 {
		t.Errorf("MaterialCorrected = %d, %v; shown %d", cleared, err, fixed.Shown)
	}
}

func TestTheWalkFindsWhatDoesNotFitOnce(t *testing.T) {
	t.Parallel()
	s := aShelf(t)
	scheduler := housetest.Tenants()[0].Actor(actor.Worker, "scheduler")
	walk := func() capacity.Walked {
		t.Helper()
		w, err := s.stories.Walk(t.Context(), scheduler)
		if err != nil {
			t.Fatalf("Walk: %v", err)
		}
		return w
	}
	put := func(lot, bin string, pieces int) {
		super(t, s.d, fmt.Sprintf(`INSERT INTO lots (tenant_id, facility_id, lot_number, material_id, original_quantity, quantity_on_hand, quantity_available, location_id, received_date)
			SELECT '%[1]s', '%[2]s', '%[3]s', '%[4]s', %[5]d, %[5]d, %[5]d, location_id, now() FROM inventory_locations WHERE tenant_id = '%[1]s' AND location_code = '%[6]s';
			INSERT INTO inventory_transactions (tenant_id, facility_id, transaction_number, transaction_type, material_id, lot_number, quantity, to_location_id, performed_by_user_id)
			SELECT '%[1]s', '%[2]s', 'T-%[3]s', 'RECEIPT', '%[4]s', '%[3]s', %[5]d, location_id, '%[7]s' FROM inventory_locations WHERE tenant_id = '%[1]s' AND location_code = '%[6]s'`,
			housetest.Rivermark, thing('a', 0), lot, thing('c', 0), pieces, bin, thing('d', 0)))
	}
	put("A", "B-01", 15) // 90 of 100
	if w := walk(); w.Looked != 1 || w.Found != 0 {
		t.Errorf("what fits: %+v", w)
	}
	put("B", "B-01", 4) // 24 into the 10 that are left
	if w := walk(); w.Looked != 1 || w.Found != 1 {
		t.Errorf("what does not: %+v", w)
	}
	if w := walk(); w.Looked != 0 || w.Found != 0 {
		t.Errorf("walked again: %+v", w)
	}
	if got := s.text(`SELECT lot_number || ' ' || required_cubic_feet || ' ' || available_cubic_feet || ' ' || severity || ' ' || coalesce(putaway_user_id::text, '-') FROM capacity_validation_failures`); got != "B 24.0000 10.0000 CRITICAL "+thing('d', 0).String() {
		t.Errorf("found: %s", got)
	}
	// One that took an hour to commit is found; one that was picked since is nobody's trouble.
	put("C", "B-02", 20)
	super(t, s.d, `UPDATE inventory_transactions SET created_at = now() - interval '50 minutes', transaction_date = now() - interval '50 minutes' WHERE lot_number = 'C'`)
	put("D", "B-03", 20)
	super(t, s.d, `UPDATE lots SET quantity_on_hand = 1 WHERE lot_number = 'D'`)
	if w := walk(); w.Looked != 2 || w.Found != 1 {
		t.Errorf("late, and picked: %+v", w)
	}
	// A row that the warehouse wrote itself gets its case.
	super(t, s.d, fmt.Sprintf(`INSERT INTO capacity_validation_failures (tenant_id, facility_id, location_id, material_id, lot_number, required_cubic_feet, available_cubic_feet, required_weight_lbs, available_weight_lbs, failure_type, severity)
		SELECT '%s', '%s', location_id, '%s', 'E', 60, 50, 1, 2, 'CUBIC_FEET_EXCEEDED', 'WARNING' FROM inventory_locations WHERE tenant_id = '%[1]s' AND location_code = 'B-04'`, housetest.Rivermark, thing('a', 0), thing('c', 0)))
	if w := walk(); w.Adopted != 1 {
		t.Errorf("the warehouse's own row: %+v", w)
	}
	if w := walk(); w.Adopted != 0 {
		t.Errorf("twice: %+v", w)
	}
	o, err := s.stories.Overview(t.Context(), s.wes, capacity.Query{Limit: 5})
	if err != nil || o.Walk.Looked != 4 || o.Walk.Found != 2 || o.Walk.At.IsZero() {
		t.Errorf("where it stands: %+v, %v", o.Walk, err)
	}
	if w, err := s.stories.Walk(t.Context(), housetest.Tenants()[1].Actor(actor.Worker, "scheduler")); err != nil || w.Looked != 0 {
		t.Errorf("the other tenant's walk: %+v, %v", w, err)
	}
}

func TestBeforeItsMigrationNothingIsRecordedAndTheListSaysSo(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "0.0.18")
	warehouse(t, d)
	s := &shelf{T: t, d: d, stories: newCapacity(t, d), wes: housetest.Person(housetest.Rivermark, "wes", actor.WarehouseSupervisor)}
	if _, err := s.stories.Record(t.Context(), s.wes, sees("k1", "Z-A-1-1", 10)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Record at 0.0.18: %v", err)
	}
	if o, err := s.stories.Overview(t.Context(), s.wes, capacity.Query{Limit: 5}); err != nil || o.Deployed {
		t.Errorf("Overview at 0.0.18: %+v, %v", o, err)
	}
	if w, err := s.stories.Walk(t.Context(), housetest.Tenants()[0].Actor(actor.Worker, "scheduler")); err != nil || w.Looked != 0 {
		t.Errorf("Walk at 0.0.18: %+v, %v", w, err)
	}
	none := newCapacity(t, housetest.At(t, ""))
	if _, err := none.Overview(t.Context(), s.wes, capacity.Query{Limit: 5}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Overview without a warehouse: %v", err)
	}
}
