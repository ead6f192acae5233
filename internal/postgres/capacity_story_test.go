package postgres_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// shelf is a warehouse with something that does not fit: in both tenants the bins B-01 to B-05 of 100 ft³ and 1000 lb, and
// the materials M (6 ft³, 10 lb) and N.
type shelf struct {
	*testing.T
	d       *pgtest.Database
	stories *capacity.Service
	db      *postgres.DB
	wes     actor.Actor // supervisor
	rafa    actor.Actor // QA
	wms     actor.Actor
	theirs  actor.Actor
}

func aShelf(t *testing.T) *shelf {
	t.Helper()
	d := housetest.At(t, "0.0.22")
	warehouse(t, d)
	for i, tenant := range []uuid.UUID{housetest.Rivermark, housetest.Saltway} {
		super(t, d, fmt.Sprintf(`
UPDATE materials SET cubic_feet = 6, width_inches = 24, height_inches = 36, thickness_inches = 12, weight_lbs_per_unit = 10 WHERE tenant_id = '%[1]s';
INSERT INTO materials (tenant_id, material_code, material_name, material_type, cubic_feet, weight_lbs_per_unit) VALUES ('%[1]s', 'N', 'N', 'INK', 2, 5);
INSERT INTO inventory_locations (tenant_id, location_id, facility_id, location_code, zone_code, location_type, cubic_feet, max_weight_lbs, length_inches, width_inches, height_inches)
SELECT '%[1]s', md5('%[1]s bin ' || n)::uuid, '%[2]s', 'B-0' || n, 'RES', 'RESERVE', 100, 1000, 48, 48, 75 FROM generate_series(1, 5) n`, tenant, thing('a', i)))
	}
	db := housetest.Open(t, d)
	s := &shelf{
		T: t, d: d, db: db, stories: capacity.NewService(postgres.Capacity{DB: db}),
		wes:    housetest.Person(housetest.Rivermark, "wes", actor.WarehouseSupervisor),
		rafa:   housetest.Person(housetest.Rivermark, "rafa", actor.QAEngineer),
		wms:    actor.Actor{Tenant: housetest.Rivermark, TenantCode: "rivermark", Issuer: "gatehouse", Subject: "credential:1", Name: "the WMS", Rights: []actor.Right{actor.CapacityRecord}, Origin: actor.API},
		theirs: housetest.Person(housetest.Saltway, "bree", actor.WarehouseSupervisor),
	}
	super(t, d, fmt.Sprintf(`INSERT INTO gatehouse.people (tenant_id, person_id, issuer, subject, name, roles)
		VALUES ('%s', '%s', 'https://id.test', 'wes', 'wes', '{warehouse_supervisor}'), ('%[1]s', '%[3]s', 'https://id.test', 'rafa', 'rafa', '{qa_engineer}')`, housetest.Rivermark, s.wes.UserID, s.rafa.UserID))
	return s
}

func exact(text string) decimal.Decimal { return decimal.RequireFromString(text) }

// sees is a sighting of pieces of M that need 6 ft³ each, into a bin with room for 50.
func sees(key, bin string, pieces int64) capacity.Sighting {
	return capacity.Sighting{
		Key: key, Facility: "F", Location: bin, Material: "M", Lot: "L-" + key, Quantity: decimal.NewFromInt(pieces),
		Needed: capacity.Load{CubicFeet: decimal.NewFromInt(6 * pieces), WeightLbs: decimal.NewFromInt(10 * pieces)},
		Free:   capacity.Load{CubicFeet: exact("50"), WeightLbs: exact("500")}, Source: capacity.ByWMS,
	}
}

func (s *shelf) record(seen capacity.Sighting) capacity.Recorded {
	s.Helper()
	r, err := s.stories.Record(s.Context(), s.wms, seen)
	if err != nil {
		s.Fatalf("Record(%s): %v", seen.Key, err)
	}
	return r
}

func (s *shelf) failure(id uuid.UUID) capacity.FailurePage {
	s.Helper()
	p, err := s.stories.Failure(s.Context(), s.wes, id)
	if err != nil {
		s.Fatalf("Failure: %v", err)
	}
	return p
}

func (s *shelf) act(by actor.Actor, id uuid.UUID, act capacity.Act) error {
	s.Helper()
	return s.stories.Act(s.Context(), by, capacity.Request{
		Failure: id, Seen: s.failure(id).Case.Version, Act: act, Worker: s.rafa.UserID, Code: capacity.StockMoved, Notes: "moved into B-09 by hand", Until: time.Now().UTC().AddDate(0, 0, 3).Truncate(24 * time.Hour),
	})
}

func (s *shelf) must(by actor.Actor, id uuid.UUID, acts ...capacity.Act) {
	s.Helper()
	for _, act := range acts {
		if err := s.act(by, id, act); err != nil {
			s.Fatalf("%s by %s: %v", act, by.Name, err)
		}
	}
}

func (s *shelf) text(query string) (text string) {
	s.Helper()
	if err := pgtest.Pool(s.T, s.d.SuperURL).QueryRow(s.Context(), query).Scan(&text); err != nil {
		s.Fatalf("%s: %v", query, err)
	}
	return text
}

func TestAFailureIsRecordedOnceAndCounted(t *testing.T) {
	t.Parallel()
	s := aShelf(t)
	first := s.record(sees("k1", "B-01", 10))
	if !first.New || first.Occurrence != 1 || first.Case.Verdict.Severity != capacity.Warning {
		t.Fatalf("the first: %+v", first)
	}
	if again := s.record(sees("k1", "B-01", 10)); !again.Repeat || again.Case.ID != first.Case.ID || again.Occurrence != 1 {
		t.Errorf("the same key: %+v", again)
	}
	if _, err := s.stories.Record(t.Context(), s.wms, sees("k1", "B-01", 11)); !fault.Is(err, fault.Conflict) {
		t.Errorf("one key that says two things: %v", err)
	}
	if second := s.record(sees("k2", "B-01", 11)); second.New || second.Occurrence != 2 || second.Case.ID != first.Case.ID || second.Case.Verdict.Severity != capacity.Critical {
		t.Errorf("seen again, worse: %+v", second)
	}
	if got, want := s.text(`SELECT count(*) || ' ' || max(occurrences) || ' ' || max(severity) FROM capacity_validation_failures`), "1 2 WARNING"; got != want {
		t.Errorf("the warehouse's rows: %s, want %s", got, want)
	}
	// A machine of the same key but another name, and another tenant, tell of other things.
	other := s.wms
	other.Subject = "credential:2"
	if r, err := s.stories.Record(t.Context(), other, sees("k1", "B-02", 10)); err != nil || !r.New {
		t.Errorf("another machine's k1: %+v, %v", r, err)
	}
	for what, seen := range map[string]capacity.Sighting{"no such bin": sees("k3", "B-99", 10), "no such facility": {Key: "k4", Facility: "G", Location: "B-01", Material: "M", Lot: "L", Quantity: exact("1"), Needed: sees("", "", 10).Needed}} {
		if _, err := s.stories.Record(t.Context(), s.wms, seen); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := s.stories.Record(t.Context(), s.wms, sees("k5", "B-01", 8)); !fault.Is(err, fault.Invalid) {
		t.Errorf("what fits: %v, want refused", err)
	}
	if _, err := s.stories.Failure(t.Context(), s.theirs, first.Case.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant reads it: %v", err)
	}
	if o, err := s.stories.Overview(t.Context(), s.theirs, capacity.Query{Limit: 10}); err != nil || len(o.Groups) != 0 {
		t.Errorf("another tenant's list: %+v, %v", o.Groups, err)
	}
	if err := s.stories.Act(t.Context(), s.theirs, capacity.Request{Failure: first.Case.ID, Seen: 2, Act: capacity.Acknowledge}); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant acts: %v", err)
	}
	if _, err := s.stories.Record(t.Context(), viewer(housetest.Rivermark), sees("k6", "B-01", 10)); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a viewer records: %v", err)
	}
}

func TestManyAtOnceAreOneFailure(t *testing.T) {
	t.Parallel()
	s := aShelf(t)
	var wait sync.WaitGroup
	fresh := make(chan bool, 40)
	for i := range 40 {
		wait.Go(func() {
			key := fmt.Sprint("k", i%20) // each key twice
			r, err := s.stories.Record(t.Context(), s.wms, sees(key, "B-01", 10))
			if err != nil {
				t.Errorf("%s: %v", key, err)
			}
			fresh <- r.New && !r.Repeat
		})
	}
	wait.Wait()
	close(fresh)
	made := 0
	for f := range fresh {
		if f {
			made++
		}
	}
	got := s.text(`SELECT count(*) || ' ' || max(v.occurrences) || ' ' || (SELECT count(*) FROM gatehouse.capacity_sightings) || ' ' || (SELECT sum(untouched) FROM gatehouse.capacity_groups) FROM capacity_validation_failures v`)
	if want := "1 20 20 1"; got != want || made != 1 {
		t.Errorf("rows, times seen, sightings, in its group: %s, want %s; made %d", got, want, made)
	}
}

func TestTheAlertIsSentOnceSomebodyDeliveredIt(t *testing.T) {
	t.Parallel()
	s := aShelf(t)
	r := s.record(sees("k1", "B-01", 10)) // 20 %: the supervisor
	s.record(sees("k2", "B-02", 20))      // 140 %: DevOps, too
	mild := sees("k3", "B-03", 10)
	mild.Free.CubicFeet = exact("59")
	s.record(mild) // kept, and told nobody
	roles := s.text(`SELECT string_agg(role, ' ' ORDER BY due_at DESC, role DESC) FROM gatehouse.notices WHERE kind = 'capacity_failure'`)
	if want := "warehouse_supervisor warehouse_supervisor devops_lead"; roles != want {
		t.Errorf("told: %s, want %s", roles, want)
	}
	if body := s.text(`SELECT body FROM gatehouse.notices WHERE path = '/capacity-failures/` + r.Case.ID.String() + `'`); !strings.Contains(body, "60 ft³ needed and 50 free (20 % over)") {
		t.Errorf("the alert says %q", body)
	}
	walked := func() string {
		if _, err := s.stories.Walk(t.Context(), housetest.Tenants()[0].Actor(actor.Worker, "scheduler")); err != nil {
			t.Fatalf("Walk: %v", err)
		}
		return s.text(`SELECT string_agg(alert_sent::text, ' ' ORDER BY created_at) FROM capacity_validation_failures`)
	}
	if got := walked(); got != "false false false" {
		t.Errorf("before anybody delivered: %s", got)
	}
	super(t, s.d, `UPDATE gatehouse.notices SET delivered_at = clock_timestamp(), delivered_by = 'slack #floor', attempts = 2 WHERE path = '/capacity-failures/`+r.Case.ID.String()+`'`)
	if got := walked(); got != "true false false" {
		t.Errorf("once the first was delivered: %s", got)
	}
	// The same again is not told again; when it gets worse it is.
	s.record(sees("k4", "B-01", 10))
	before := s.text(`SELECT count(*)::text FROM gatehouse.notices`)
	s.record(sees("k5", "B-01", 11))
	if got := s.text(`SELECT count(*)::text FROM gatehouse.notices`); before != "3" || got != "5" {
		t.Errorf("notices after it was seen again: %s, and after it got worse: %s; want 3 and 5", before, got)
	}
}

func TestAFailureGoesFromNewToVerifiedByTwoPeopleAndReopens(t *testing.T) {
	t.Parallel()
	s := aShelf(t)
	id := s.record(sees("k1", "B-01", 10)).Case.ID
	s.must(s.wes, id, capacity.Acknowledge, capacity.Assign, capacity.FixIt)
	if got := s.text(`SELECT resolved::text FROM capacity_validation_failures`); got != "false" {
		t.Errorf("fixed, and called resolved before anybody looked")
	}
	if err := s.act(s.wes, id, capacity.Verify); !fault.Is(err, fault.Forbidden) {
		t.Errorf("the fixer verifies: %v", err)
	}
	if err := s.stories.Act(t.Context(), s.rafa, capacity.Request{Failure: id, Seen: 2, Act: capacity.Verify}); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "assigned by wes, then fixed by wes") {
		t.Errorf("from an older page: %v, want what others did", err)
	}
	s.must(s.rafa, id, capacity.Verify)
	if got := s.text(`SELECT v.resolved || ' ' || v.resolution_code || ' ' || u.display_name || ' ' || v.resolution_notes FROM capacity_validation_failures v JOIN users u ON u.user_id = v.resolved_by`); got != "true STOCK_MOVED wes moved into B-09 by hand" {
		t.Errorf("the warehouse's row: %s", got)
	}
	// The constraint holds it, too, past every program.
	if _, err := pgtest.Pool(t, s.d.SuperURL).Exec(t.Context(), `UPDATE gatehouse.capacity_cases SET verified_subject = fixed_subject`); err == nil || !strings.Contains(err.Error(), "capacity_cases_two_people") {
		t.Errorf("one person in both places: %v", err)
	}
	r := s.record(sees("k2", "B-01", 12))
	if !r.Reopened || r.Case.State != capacity.Reopened || r.Case.ID != id {
		t.Errorf("the same failure again: %+v", r)
	}
	if got := s.text(`SELECT resolved || coalesce(resolution_code, ' -') || ' ' || occurrences FROM capacity_validation_failures`); got != "false - 2" {
		t.Errorf("the warehouse's row: %s", got)
	}
	p := s.failure(id)
	var acts []string
	for _, e := range p.Events {
		acts = append(acts, string(e.Act))
	}
	if got, want := strings.Join(acts, " "), "recur verify fix assign acknowledge record"; got != want {
		t.Errorf("its history: %s, want %s", got, want)
	}
	if got := s.text(`SELECT string_agg(action, ' ' ORDER BY seq) FROM gatehouse.audit_events WHERE object_kind = 'capacity_failure'`); got != "capacity:record capacity:acknowledge capacity:assign capacity:fix capacity:verify capacity:record" {
		t.Errorf("the trail: %s", got)
	}
	// A button that was pressed twice did it once.
	seen := p.Case.Version
	for range 2 {
		if err := s.stories.Act(t.Context(), s.wes, capacity.Request{Failure: id, Seen: seen, Act: capacity.Acknowledge}); err != nil {
			t.Errorf("pressed twice: %v", err)
		}
	}
}

func TestAnAcceptanceIsOverByItself(t *testing.T) {
	t.Parallel()
	s := aShelf(t)
	id := s.record(sees("k1", "B-01", 10)).Case.ID
	if err := s.act(s.rafa, id, capacity.Accept); !fault.Is(err, fault.Forbidden) {
		t.Errorf("QA engineers accept: %v", err)
	}
	s.must(s.wes, id, capacity.Accept)
	walk := func() capacity.State {
		if _, err := s.stories.Walk(t.Context(), housetest.Tenants()[0].Actor(actor.Worker, "scheduler")); err != nil {
			t.Fatalf("Walk: %v", err)
		}
		return s.failure(id).Case.State
	}
	if got := walk(); got != capacity.Accepted {
		t.Errorf("before its day: %s", got)
	}
	super(t, s.d, `UPDATE gatehouse.capacity_cases SET accepted_until = (clock_timestamp() AT TIME ZONE 'UTC')::date - 1`)
	if got := walk(); got != capacity.Reopened {
		t.Errorf("after its day: %s", got)
	}
	if got := s.text(`SELECT count(*)::text FROM gatehouse.notices`); got != "2" {
		t.Errorf("%s notices, want that of the failure and that of the end", got)
	}
}

func newCapacity(t *testing.T, d *pgtest.Database) *capacity.Service {
	t.Helper()
	return capacity.NewService(postgres.Capacity{DB: housetest.Open(t, d)})
}
