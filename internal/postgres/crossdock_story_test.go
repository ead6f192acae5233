package postgres_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/crossdock"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// dock is a warehouse with goods at its dock, the same in both tenants: the dock STAGE, the reserves R-60 and R-100 (named by their
// room in ft³; 1000 lb), the pick face P-10, the quarantine Q-1, and the lots L1 to L9 of ten pieces of M (6 ft³, 10 lb) at the dock.
type dock struct {
	*testing.T
	d       *pgtest.Database
	stories *crossdock.Service
	wes     actor.Actor // supervisor
	sam     actor.Actor // staff
	wms     actor.Actor
	theirs  actor.Actor
}

func aDock(t *testing.T) *dock {
	t.Helper()
	d := housetest.At(t, "0.0.22")
	warehouse(t, d)
	for i, tenant := range []uuid.UUID{housetest.Rivermark, housetest.Saltway} {
		super(t, d, fmt.Sprintf(`
UPDATE inventory_locations SET is_active = false WHERE tenant_id = '%[1]s';
UPDATE materials SET cubic_feet = 6, width_inches = 24, height_inches = 36, thickness_inches = 12, weight_lbs_per_unit = 10 WHERE tenant_id = '%[1]s';
INSERT INTO inventory_locations (tenant_id, location_id, facility_id, location_code, zone_code, location_type, cubic_feet, max_weight_lbs, length_inches, width_inches, height_inches)
SELECT '%[1]s', md5('%[1]s' || code)::uuid, '%[2]s', code, zone, kind, room, 1000, 48, 48, 75
  FROM (VALUES ('STAGE', 'DOCK', 'STAGING', 5000), ('R-60', 'RES', 'RESERVE', 60), ('R-100', 'RES', 'RESERVE', 100), ('P-10', 'PF', 'PICK_FACE', 60), ('Q-1', 'QUA', 'QUARANTINE', 5000)) v (code, zone, kind, room);
INSERT INTO lots (tenant_id, facility_id, lot_number, material_id, original_quantity, quantity_on_hand, quantity_available, location_id, received_date)
SELECT '%[1]s', '%[2]s', 'L' || n, '%[3]s', 10, 10, 10, md5('%[1]sSTAGE')::uuid, current_date FROM generate_series(1, 9) n;
INSERT INTO sales_orders (tenant_id, facility_id, sales_order_number, status) VALUES ('%[1]s', '%[2]s', 'SO-1', 'CANCELLED');`, tenant, thing('a', i), thing('c', i)))
	}
	return &dock{
		T: t, d: d, stories: crossdock.NewService(postgres.CrossDock{DB: housetest.Open(t, d)}, crossdock.BestFit{}),
		wes:    housetest.Person(housetest.Rivermark, "wes", actor.WarehouseSupervisor),
		sam:    housetest.Person(housetest.Rivermark, "sam", actor.WarehouseStaff),
		wms:    actor.Actor{Tenant: housetest.Rivermark, TenantCode: "rivermark", Issuer: "gatehouse", Subject: "credential:1", Name: "the WMS", Rights: []actor.Right{actor.CrossDockCancel}, Origin: actor.API},
		theirs: housetest.Person(housetest.Saltway, "bree", actor.WarehouseSupervisor),
	}
}

func cancels(key, lot string, reason crossdock.Reason) crossdock.Request {
	return crossdock.Request{Key: key, Facility: "F", Lot: lot, Reason: reason}
}

func (s *dock) cancel(r crossdock.Request) crossdock.Cancelled {
	s.Helper()
	done, err := s.stories.Cancel(s.Context(), s.wms, r)
	if err != nil {
		s.Fatalf("Cancel(%s, %s): %v", r.Key, r.Lot, err)
	}
	return done
}

func (s *dock) sees(id uuid.UUID) crossdock.Page {
	s.Helper()
	p, err := s.stories.Cancellation(s.Context(), s.wes, id)
	if err != nil {
		s.Fatalf("Cancellation: %v", err)
	}
	return p
}

func (s *dock) text(query string) (text string) {
	s.Helper()
	if err := pgtest.Pool(s.T, s.d.SuperURL).QueryRow(s.Context(), query).Scan(&text); err != nil {
		s.Fatalf("%s: %v", query, err)
	}
	return text
}

func (s *dock) is(what, query, want string) {
	s.Helper()
	if got := s.text(query); got != want {
		s.Errorf("%s: %s, want %s", what, got, want)
	}
}

func TestACancellationIsAlwaysRecordedAndFindsTheTightestPlace(t *testing.T) {
	t.Parallel()
	s := aDock(t)
	first := s.cancel(cancels("k1", "L1", crossdock.OrderCancelled))
	if first.Outcome != crossdock.Recorded || first.Cancellation.To.Code != "R-60" {
		t.Fatalf("the first: %s, to %q (%s); want R-60, which it fills", first.Outcome, first.Cancellation.To.Code, first.Cancellation.Why)
	}
	// What is promised is taken: the second one goes elsewhere, the third one to the pick face, and the fourth one nowhere yet.
	for i, want := range []string{"R-100", "P-10", ""} {
		got := s.cancel(cancels(fmt.Sprint("k", i+2), fmt.Sprint("L", i+2), crossdock.OrderDelayed))
		if got.Outcome != crossdock.Recorded || got.Cancellation.To.Code != want {
			t.Errorf("L%d: %s to %q (%s), want %q", i+2, got.Outcome, got.Cancellation.To.Code, got.Cancellation.Why, want)
		}
	}
	s.is("the warehouse's rows", `SELECT count(*) || ' ' || count(new_recommended_location_id) || ' ' || count(original_staging_location_id) FROM cross_dock_cancellations`, "4 3 4")
	if again := s.cancel(cancels("k1", "L1", crossdock.OrderCancelled)); again.Outcome != crossdock.Repeated || again.Cancellation.ID != first.Cancellation.ID {
		t.Errorf("the same key: %+v", again)
	}
	if _, err := s.stories.Cancel(t.Context(), s.wms, cancels("k1", "L5", crossdock.OrderCancelled)); !fault.Is(err, fault.Conflict) {
		t.Errorf("one key that says two things: %v", err)
	}
	if again := s.cancel(cancels("k9", "L1", crossdock.OrderDelayed)); again.Outcome != crossdock.Already || again.Cancellation.ID != first.Cancellation.ID {
		t.Errorf("another key for a lot that has one: %+v", again)
	}
	for what, r := range map[string]crossdock.Request{
		"no such lot": cancels("x1", "L99", crossdock.OrderCancelled), "no such facility": {Key: "x2", Facility: "G", Lot: "L5", Reason: crossdock.OrderCancelled},
		"no such order":    {Key: "x3", Facility: "F", Lot: "L5", Reason: crossdock.OrderCancelled, Order: "SO-9"},
		"no such location": {Key: "x4", Facility: "F", Lot: "L5", Reason: crossdock.OrderCancelled, Staging: "NOWHERE"},
	} {
		if _, err := s.stories.Cancel(t.Context(), s.wms, r); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, r := range map[string]crossdock.Request{
		"no key": cancels("", "L5", crossdock.OrderCancelled), "no reason": cancels("x5", "L5", ""), "an unknown reason": cancels("x6", "L5", "BECAUSE"),
		"another material": {Key: "x7", Facility: "F", Lot: "L5", Reason: crossdock.OrderCancelled, Material: "N"},
		"a long note":      {Key: "x8", Facility: "F", Lot: "L5", Reason: crossdock.OrderCancelled, Notes: strings.Repeat("ü", 2001)},
		"tomorrow":         {Key: "x9", Facility: "F", Lot: "L5", Reason: crossdock.OrderCancelled, ArrivedAt: time.Now().Add(24 * time.Hour)},
	} {
		if _, err := s.stories.Cancel(t.Context(), s.wms, r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := s.stories.Cancel(t.Context(), s.sam, cancels("x10", "L5", crossdock.OrderCancelled)); !fault.Is(err, fault.Forbidden) {
		t.Errorf("staff cancelled: %v", err)
	}
	s.is("still four", `SELECT count(*)::text FROM cross_dock_cancellations`, "4")
	s.is("entries of the trail", `SELECT count(*)::text FROM gatehouse.audit_events WHERE action = 'crossdock:cancel' AND outcome = 'done'`, "5")
}

func TestTheOtherTenantSeesNothingOfTheDock(t *testing.T) {
	t.Parallel()
	s := aDock(t)
	ours := s.cancel(cancels("k1", "L1", crossdock.OrderCancelled)).Cancellation
	theirs, err := s.stories.Cancel(t.Context(), s.theirs, cancels("k1", "L1", crossdock.OrderCancelled))
	if err != nil || theirs.Outcome != crossdock.Recorded || theirs.Cancellation.To.Code != "R-60" {
		t.Fatalf("theirs: %+v, %v; a place of theirs is free, whatever was promised of ours", theirs, err)
	}
	if _, err := s.stories.Cancellation(t.Context(), s.theirs, ours.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("they opened ours: %v", err)
	}
	if _, err := s.stories.StoreAt(t.Context(), s.theirs, crossdock.Arrival{Cancellation: ours.ID, Scanned: "R-60"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("they stored ours: %v", err)
	}
	if _, err := s.stories.Retry(t.Context(), s.theirs, ours.ID, ours.Version); !fault.Is(err, fault.NotFound) {
		t.Errorf("they retried ours: %v", err)
	}
	if err := s.stories.SetLimit(t.Context(), s.theirs, crossdock.Limit{Facility: ours.Lot.Facility, Within: time.Hour}); !fault.Is(err, fault.NotFound) {
		t.Errorf("they set a limit in ours: %v", err)
	}
	for _, by := range []actor.Actor{s.wes, s.theirs} {
		l, err := s.stories.List(t.Context(), by, crossdock.Query{Limit: 10})
		if err != nil || len(l.Rows) != 1 || len(l.Facilities) != 1 {
			t.Errorf("%s lists %d of %d facilities, %v", by.Name, len(l.Rows), len(l.Facilities), err)
		}
		d, err := s.stories.Dock(t.Context(), by, crossdock.Scan{Code: "L1"})
		if err != nil || len(d.Found) != 1 || len(d.Lots) != 1 || len(d.Next) != 1 {
			t.Errorf("%s scans L1: %d found, %d lots, %d next, %v", by.Name, len(d.Found), len(d.Lots), len(d.Next), err)
		}
	}
}

func TestGoodsOfDoubtfulQualityAreHeldInQuarantine(t *testing.T) {
	t.Parallel()
	s := aDock(t)
	bad := s.cancel(cancels("k1", "L1", crossdock.QualityIssue)).Cancellation
	if bad.To.Code != "Q-1" {
		t.Errorf("it goes to %q (%s), want Q-1", bad.To.Code, bad.Why)
	}
	s.is("the lot", `SELECT quality_status || ' ' || version FROM lots WHERE lot_number = 'L1' AND tenant_id = '`+housetest.Rivermark.String()+`'`, "HOLD 2")
	if _, err := s.stories.StoreAt(t.Context(), s.sam, crossdock.Arrival{Cancellation: bad.ID, Scanned: "R-60", Sure: "R-60"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a held lot was stored in a reserve: %v", err)
	}
	// A quality issue that is told of a lot that waits for something else already is not lost.
	second := s.cancel(cancels("k2", "L2", crossdock.OrderCancelled)).Cancellation
	if second.To.Code != "R-60" {
		t.Fatalf("L2 goes to %q", second.To.Code)
	}
	held := s.cancel(cancels("k3", "L2", crossdock.QualityIssue))
	if held.Outcome != crossdock.Held || held.Cancellation.ID != second.ID || held.Cancellation.To.Code != "Q-1" {
		t.Errorf("told of its quality: %s to %q", held.Outcome, held.Cancellation.To.Code)
	}
	s.is("the lots on hold", `SELECT count(*)::text FROM lots WHERE quality_status = 'HOLD'`, "2")
	// One that is held by others goes there, too, whatever the reason; and one that they hold later.
	super(t, s.d, `UPDATE lots SET quality_status = 'PENDING_INSPECTION' WHERE lot_number = 'L3'`)
	if third := s.cancel(cancels("k4", "L3", crossdock.OrderCancelled)).Cancellation; third.To.Code != "Q-1" {
		t.Errorf("a lot that awaits its inspection goes to %q", third.To.Code)
	}
	fourth := s.cancel(cancels("k5", "L4", crossdock.OrderCancelled)).Cancellation
	super(t, s.d, `UPDATE lots SET quality_status = 'QUARANTINE' WHERE lot_number = 'L4'`)
	s.settle(1)
	if got := s.sees(fourth.ID).Cancellation; got.To.Code != "Q-1" {
		t.Errorf("a lot that was put on hold since goes to %q", got.To.Code)
	}
}

func (s *dock) settle(want int) {
	s.Helper()
	got, err := s.stories.Settle(s.Context(), actor.Actor{Tenant: housetest.Rivermark, TenantCode: "rivermark", Issuer: "gatehouse", Subject: "scheduler", Name: "scheduler", Origin: actor.Worker})
	if err != nil || got != want {
		s.Errorf("Settle = %d, %v, want %d", got, err, want)
	}
}

func TestOneWithoutAPlaceWaitsAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := aDock(t)
	super(t, s.d, `UPDATE inventory_locations SET is_available = false, blocked_reason = 'inventory' WHERE location_type IN ('RESERVE', 'PICK_FACE')`)
	c := s.cancel(cancels("k1", "L1", crossdock.OrderCancelled)).Cancellation
	if c.To.Known() || !strings.Contains(c.Why, "No storage of F has room for 60 ft³ and 100 lb") {
		t.Fatalf("to %q, because %q", c.To.Code, c.Why)
	}
	s.settle(0)
	entries := `SELECT count(*)::text FROM gatehouse.audit_events WHERE action = 'crossdock:place'`
	s.is("what changed nothing is no entry", entries, "0")
	s.is("tries", `SELECT tries::text FROM gatehouse.crossdock_errands`, "2")
	super(t, s.d, `UPDATE inventory_locations SET is_available = true, blocked_reason = NULL WHERE location_code = 'R-100'`)
	s.settle(1)
	if got := s.sees(c.ID); got.Cancellation.To.Code != "R-100" || got.Cancellation.Version != 2 || len(got.Events) != 3 {
		t.Errorf("to %q, version %d, %d events", got.Cancellation.To.Code, got.Cancellation.Version, len(got.Events))
	}
	s.is("it is written down", entries, "1")
	s.settle(0)
	// The place is lost again: somebody filled it.
	super(t, s.d, `UPDATE lots SET location_id = (SELECT location_id FROM inventory_locations i WHERE i.tenant_id = lots.tenant_id AND location_code = 'R-100') WHERE lot_number = 'L9'`)
	s.settle(0)
	if got := s.sees(c.ID).Cancellation; got.To.Known() || !got.Waiting() {
		t.Errorf("to %q, which is full", got.To.Code)
	}
	// What nobody has measured waits for that.
	super(t, s.d, `UPDATE materials SET weight_lbs_per_unit = NULL`)
	s.settle(0)
	if got := s.sees(c.ID).Cancellation; !strings.Contains(got.Why, "Nobody knows how large M is") {
		t.Errorf("it waits because %q", got.Why)
	}
	// The supervisor looks again by hand.
	super(t, s.d, `UPDATE materials SET weight_lbs_per_unit = 10; UPDATE inventory_locations SET is_available = true WHERE location_code = 'P-10'`)
	got, err := s.stories.Retry(t.Context(), s.wes, c.ID, 3)
	if err != nil || got.To.Code != "P-10" {
		t.Errorf("Retry: to %q, %v", got.To.Code, err)
	}
	if _, err := s.stories.Retry(t.Context(), s.wes, c.ID, 3); !fault.Is(err, fault.Conflict) {
		t.Errorf("Retry of what was seen before: %v", err)
	}
	if _, err := s.stories.Retry(t.Context(), s.sam, c.ID, 4); !fault.Is(err, fault.Forbidden) {
		t.Errorf("staff retried: %v", err)
	}
	// What the warehouse writes into its table by itself gets a place, too.
	super(t, s.d, fmt.Sprintf(`INSERT INTO cross_dock_cancellations (tenant_id, facility_id, material_id, lot_number, cancellation_reason, cancelled_by)
		VALUES ('%s', '%s', '%s', 'L8', 'MATERIAL_QUALITY_ISSUE', '%s')`, housetest.Rivermark, thing('a', 0), thing('c', 0), thing('d', 0)))
	super(t, s.d, `UPDATE lots SET quality_status = 'HOLD' WHERE lot_number = 'L8'`)
	s.settle(1)
	s.is("its place", `SELECT location_code FROM cross_dock_cancellations JOIN inventory_locations ON location_id = new_recommended_location_id WHERE lot_number = 'L8'`, "Q-1")
}

func TestScanningTheRealPlaceMovesTheLotOnce(t *testing.T) {
	t.Parallel()
	s := aDock(t)
	c := s.cancel(cancels("k1", "L1", crossdock.OrderCancelled)).Cancellation
	other := s.cancel(cancels("k2", "L2", crossdock.OrderCancelled)).Cancellation
	moves := `SELECT count(*) || ' ' || coalesce(max(quantity), 0) || ' ' || coalesce(min(transaction_type), '') FROM inventory_transactions`
	for what, a := range map[string]crossdock.Arrival{
		"nothing like it": {Scanned: "Z-99"}, "the dock itself": {Scanned: "STAGE", Sure: "STAGE"}, "one that is not in use": {Scanned: "Z-A-1-1", Sure: "Z-A-1-1"},
		"another than told": {Scanned: "R-100"}, "one that is sure of another": {Scanned: "R-100", Sure: "R-60"},
	} {
		a.Cancellation = c.ID
		_, err := s.stories.StoreAt(t.Context(), s.sam, a)
		refused, ok := fault.As(err)
		if !ok || refused.Kind != fault.Invalid || refused.Fields["place"] == "" {
			t.Errorf("%s: %v", what, err)
		}
		if asks := refused != nil && refused.Fields[crossdock.AsksBack] == "R-100"; asks != strings.Contains(a.Scanned, "R-1") {
			t.Errorf("%s: asks back: %v", what, asks)
		}
	}
	s.is("nothing moved", moves, "0 0 ")
	viewer := housetest.Person(housetest.Rivermark, "vera", actor.Viewer)
	if _, err := s.stories.StoreAt(t.Context(), viewer, crossdock.Arrival{Cancellation: c.ID, Scanned: "R-60"}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a viewer stored it: %v", err)
	}

	var wg sync.WaitGroup
	var lock sync.Mutex
	done, repeats := 0, 0
	for range 20 {
		wg.Go(func() {
			r, err := s.stories.StoreAt(t.Context(), s.sam, crossdock.Arrival{Cancellation: c.ID, Scanned: "r-60"})
			lock.Lock()
			defer lock.Unlock()
			switch {
			case err != nil:
				t.Errorf("StoreAt: %v", err)
			case r.Repeat:
				repeats++
			default:
				done++
			}
		})
	}
	wg.Wait()
	if done != 1 || repeats != 19 {
		t.Errorf("%d moved it, %d found it moved; want 1 and 19", done, repeats)
	}
	s.is("one move", moves, "1 10.0000 TRANSFER")
	s.is("the row", `SELECT relocation_completed || ' ' || (actual_location_id = new_recommended_location_id) || ' ' || version FROM cross_dock_cancellations WHERE lot_number = 'L1'`, "true true 2")
	s.is("the lot", `SELECT location_code || ' ' || o.version FROM lots o JOIN inventory_locations l USING (tenant_id, location_id) WHERE lot_number = 'L1' AND o.tenant_id = '`+housetest.Rivermark.String()+`'`, "R-60 2")
	s.is("what is in the bin", `SELECT trim_scale(used_cubic_feet)::text FROM bin_utilization_cache WHERE location_code = 'R-60' AND tenant_id = '`+housetest.Rivermark.String()+`'`, "60")
	s.is("who did it", `SELECT display_name FROM cross_dock_cancellations JOIN users ON user_id = relocation_completed_by`, "sam")
	s.is("entries of the trail", `SELECT count(*)::text FROM gatehouse.audit_events WHERE action = 'crossdock:store' AND outcome = 'done'`, "1")
	if _, err := s.stories.StoreAt(t.Context(), s.sam, crossdock.Arrival{Cancellation: c.ID, Scanned: "P-10", Sure: "P-10"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("stored again elsewhere: %v", err)
	}
	// Elsewhere than told, scanned twice; the told place stays told.
	if r, err := s.stories.StoreAt(t.Context(), s.sam, crossdock.Arrival{Cancellation: other.ID, Scanned: "P-10", Sure: "p-10"}); err != nil || r.Cancellation.Actual.Code != "P-10" {
		t.Errorf("elsewhere: %+v, %v", r, err)
	}
	s.is("both are kept", `SELECT t.location_code || ' ' || a.location_code FROM cross_dock_cancellations x JOIN inventory_locations t ON t.location_id = new_recommended_location_id JOIN inventory_locations a ON a.location_id = actual_location_id WHERE lot_number = 'L2'`, "R-100 P-10")
	// The same lot can come back to the dock, and be cancelled again.
	super(t, s.d, `UPDATE lots SET location_id = (SELECT location_id FROM inventory_locations i WHERE i.tenant_id = lots.tenant_id AND location_code = 'STAGE') WHERE lot_number = 'L1'`)
	if again := s.cancel(cancels("k3", "L1", crossdock.OrderCancelled)); again.Outcome != crossdock.Recorded || again.Cancellation.ID == c.ID {
		t.Errorf("a second time: %+v", again)
	}
	if l, err := s.stories.List(t.Context(), s.wes, crossdock.Query{Standing: crossdock.Stored, Limit: 1}); err != nil || len(l.Rows) != 1 || l.Rows[0].ID != other.ID {
		t.Errorf("the newest that was stored: %+v, %v", l.Rows, err)
	} else if l, err = s.stories.List(t.Context(), s.wes, crossdock.Query{Standing: crossdock.Stored, Limit: 5, After: crossdock.Stored.Place(l.Rows[0])}); err != nil || len(l.Rows) != 1 || l.Rows[0].ID != c.ID {
		t.Errorf("and after it: %+v, %v", l.Rows, err)
	}
}

func TestTwentyCancelAtOnceAndOneRowIsThere(t *testing.T) {
	t.Parallel()
	s := aDock(t)
	outcomes := map[crossdock.Outcome]int{}
	var lock sync.Mutex
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			r, err := s.stories.Cancel(t.Context(), s.wms, cancels(fmt.Sprint("k", i/2), "L1", crossdock.OrderCancelled)) // each key twice
			lock.Lock()
			defer lock.Unlock()
			if err != nil {
				t.Errorf("Cancel: %v", err)
			}
			outcomes[r.Outcome]++
		})
	}
	wg.Wait()
	if outcomes[crossdock.Recorded] != 1 || outcomes[crossdock.Already] != 9 || outcomes[crossdock.Repeated] != 10 {
		t.Errorf("outcomes: %v", outcomes)
	}
	s.is("rows", `SELECT count(*)::text FROM cross_dock_cancellations`, "1")
	s.is("what was told", `SELECT count(*)::text FROM gatehouse.crossdock_told`, "10")
}

func TestASupervisorChoosesAndLimitsAreKept(t *testing.T) {
	t.Parallel()
	s := aDock(t)
	r := cancels("k1", "L1", crossdock.OrderCancelled)
	r.ArrivedAt, r.Order, r.Staging, r.Material = time.Now().Add(-5*time.Hour), "SO-1", "STAGE", "M"
	c := s.cancel(r).Cancellation
	if got := s.sees(c.ID).Cancellation; !got.Late(s.sees(c.ID).Now) || got.Limit != crossdock.DefaultLimit || got.Order.Code != "SO-1" {
		t.Errorf("after 5 hours of 4: late %v, limit %v, order %q", got.Late(s.sees(c.ID).Now), got.Limit, got.Order.Code)
	}
	choose := func(by actor.Actor, seen int, where, note string) error {
		return s.stories.Choose(t.Context(), by, crossdock.Choice{Cancellation: c.ID, Seen: seen, Location: where, Note: note})
	}
	s.cancel(cancels("k2", "L2", crossdock.OrderCancelled)) // R-100 is promised by that
	for what, err := range map[string]error{
		"promised to another": choose(s.wes, 1, "R-100", "nearer to the door"), "the dock": choose(s.wes, 1, "STAGE", "nearer to the door"),
		"nowhere": choose(s.wes, 1, "X", "nearer to the door"), "no reason": choose(s.wes, 1, "P-10", ""), "where it goes already": choose(s.wes, 1, "R-60", "nearer to the door"),
	} {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := choose(s.sam, 1, "P-10", "nearer to the door"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("staff chose: %v", err)
	}
	if err := choose(s.wes, 1, "P-10", "nearer to the door"); err != nil {
		t.Errorf("Choose: %v", err)
	}
	if err := choose(s.wes, 1, "R-60", "nearer to the door"); !fault.Is(err, fault.Conflict) {
		t.Errorf("of what was seen before: %v", err)
	}
	if got := s.sees(c.ID).Cancellation; got.To.Code != "P-10" || !strings.Contains(got.Why, "wes chose it: nearer") {
		t.Errorf("to %q: %q", got.To.Code, got.Why)
	}
	limit := func(zone string, within time.Duration) error {
		return s.stories.SetLimit(t.Context(), s.wes, crossdock.Limit{Facility: c.Lot.Facility, Zone: zone, Within: within})
	}
	for _, l := range []struct {
		zone   string
		within time.Duration
		late   int
	}{{"", 6 * time.Hour, 0}, {"DOCK", 2 * time.Hour, 1}, {"DOCK", 7 * time.Hour, 0}} {
		if err := limit(l.zone, l.within); err != nil {
			t.Errorf("SetLimit: %v", err)
		}
		if list, err := s.stories.List(t.Context(), s.wes, crossdock.Query{Standing: crossdock.Overdue, Limit: 5}); err != nil || len(list.Rows) != l.late {
			t.Errorf("with %v in %q: %d late, want %d, %v", l.within, l.zone, len(list.Rows), l.late, err)
		}
	}
	if err := limit("DOCK", 0); !fault.Is(err, fault.Invalid) {
		t.Errorf("no time at all: %v", err)
	}
	for zone, want := range map[string]int{"DOCK": 2, "RES": 0} {
		if list, err := s.stories.List(t.Context(), s.wes, crossdock.Query{Zone: zone, Limit: 5}); err != nil || len(list.Rows) != want {
			t.Errorf("in %s: %d, want %d, %v", zone, len(list.Rows), want, err)
		}
	}
	// The list is by how long they stand, and goes on after the last of a page.
	list, err := s.stories.List(t.Context(), s.wes, crossdock.Query{Limit: 1})
	if err != nil || len(list.Rows) != 1 || list.Rows[0].ID != c.ID || len(list.Limits) != 2 {
		t.Fatalf("the longest: %+v, %v", list.Rows, err)
	}
	list, err = s.stories.List(t.Context(), s.wes, crossdock.Query{Limit: 5, After: crossdock.Standing("").Place(list.Rows[0])})
	if err != nil || len(list.Rows) != 1 || list.Rows[0].Lot.Number != "L2" {
		t.Errorf("and after it: %+v, %v", list.Rows, err)
	}
	seen := 0
	if err := s.stories.Each(t.Context(), s.wes, crossdock.Query{}, func(crossdock.Cancellation) error { seen++; return nil }); err != nil || seen != 2 {
		t.Errorf("Each: %d, %v", seen, err)
	}
}
