package migrations_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// bin reads what the cache says about one bin.
func bin(t testing.TB, q querier, id string) string {
	t.Helper()
	return one(t, q, `SELECT trim_scale(used_cubic_feet), trim_scale(volume_utilization_pct), trim_scale(used_weight_lbs), lot_count,
		unknown_volume_lots, utilization_status FROM bin_utilization_cache WHERE location_id = $1`, id)
}

func TestVolumeRule(t *testing.T) {
	t.Parallel()
	owner := connect(t, at(t, 15).OwnerURL)
	for _, c := range []struct{ in, want string }{
		{"2.5, 12, 12, 12", "2.5"}, // what was measured wins
		{"NULL, 12, 12, 12", "1"},
		{"0, 12, 12, 6", "0.5"},
		{"NULL, 12, 12, NULL", "-"}, // a missing thickness is not an inch
		{"NULL, 12, 0, 12", "-"},
		{"NULL, NULL, NULL, NULL", "-"},
	} {
		if got := one(t, owner, "SELECT trim_scale(unit_cubic_feet("+c.in+"))"); got != c.want {
			t.Errorf("unit_cubic_feet(%s) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestStatusBoundaries(t *testing.T) {
	t.Parallel()
	owner := connect(t, at(t, 15).OwnerURL)
	for _, c := range []struct{ pct, unknown, want string }{
		{"0", "false", "UNDERUTILIZED"},
		{"29.99", "false", "UNDERUTILIZED"},
		{"30", "false", "NORMAL"},
		{"59.99", "false", "NORMAL"},
		{"60", "false", "OPTIMAL"},
		{"85", "false", "OPTIMAL"},
		{"85.1", "false", "NORMAL"},
		{"95", "false", "NORMAL"},
		{"95.1", "false", "OVERUTILIZED"},
		{"10", "true", "VOLUME_UNKNOWN"},
		{"70", "true", "VOLUME_UNKNOWN"},
		{"96", "true", "OVERUTILIZED"},
	} {
		if got := one(t, owner, "SELECT bin_utilization_status($1::numeric, $2::boolean)", c.pct, c.unknown); got != c.want {
			t.Errorf("bin_utilization_status(%s, %s) = %s, want %s", c.pct, c.unknown, got, c.want)
		}
	}
}

// TestTriggersFollowEveryChange makes each change as the application, which has no right to write the cache.
func TestTriggersFollowEveryChange(t *testing.T) {
	t.Parallel()
	db, owner := stocked(t, 18)
	lot(t, owner, "L1", paper, binA, 100) // 50 cubic feet
	lot(t, owner, "L2", ink, binA, 20)    // 20
	lot(t, owner, "L3", paper, binB, 10)  // 5
	app := connect(t, db.AppURL)
	const full = "70 70 280 2 0 OPTIMAL"
	for _, c := range []struct{ name, sql, wantA, wantB string }{
		{"nothing", "SELECT 1", full, "5 5 20 1 0 UNDERUTILIZED"},
		{"a lot arrives", "INSERT INTO lots (tenant_id, facility_id, lot_number, material_id, location_id, original_quantity, quantity_on_hand, quantity_available, received_date) SELECT tenant_id, facility_id, 'L4', material_id, location_id, 10, 10, 10, received_date FROM lots WHERE lot_number = 'L1'", "75 75 300 3 0 OPTIMAL", "5 5 20 1 0 UNDERUTILIZED"},
		{"a quantity changes", "UPDATE lots SET quantity_on_hand = 50 WHERE lot_number = 'L1'", "45 45 180 2 0 NORMAL", "5 5 20 1 0 UNDERUTILIZED"},
		{"a lot is used up", "UPDATE lots SET quantity_on_hand = 0 WHERE lot_number = 'L1'", "20 20 80 1 0 UNDERUTILIZED", "5 5 20 1 0 UNDERUTILIZED"},
		{"a lot moves", "UPDATE lots SET location_id = '" + binB + "' WHERE lot_number = 'L2'", "50 50 200 1 0 NORMAL", "25 25 100 2 0 UNDERUTILIZED"},
		{"two lots change places", "UPDATE lots SET location_id = CASE lot_number WHEN 'L1' THEN '" + binB + "' ELSE '" + binA + "' END::uuid WHERE lot_number IN ('L1', 'L3')", "25 25 100 2 0 UNDERUTILIZED", "50 50 200 1 0 NORMAL"},
		{"a lot leaves its bin", "UPDATE lots SET location_id = NULL WHERE lot_number = 'L1'", "20 20 80 1 0 UNDERUTILIZED", "5 5 20 1 0 UNDERUTILIZED"},
		{"a lot is deleted", "UPDATE lots SET deleted_at = now() WHERE lot_number = 'L1'", "20 20 80 1 0 UNDERUTILIZED", "5 5 20 1 0 UNDERUTILIZED"},
		{"stock on hold still takes room", "UPDATE lots SET quality_status = 'HOLD' WHERE lot_number = 'L1'", full, "5 5 20 1 0 UNDERUTILIZED"},
		{"a lot turns out to be something else", "UPDATE lots SET material_id = '" + ink + "' WHERE lot_number = 'L3'", full, "10 10 40 1 0 UNDERUTILIZED"},
		{"a material is measured", "UPDATE materials SET cubic_feet = 0.9 WHERE material_code = 'PAPER'", "110 110 280 2 0 OVERUTILIZED", "9 9 20 1 0 UNDERUTILIZED"},
		{"dimensions are lost", "UPDATE materials SET cubic_feet = NULL WHERE material_code = 'PAPER'", "20 20 280 2 1 VOLUME_UNKNOWN", "0 0 20 1 1 VOLUME_UNKNOWN"},
		{"a weight changes", "UPDATE materials SET weight_lbs_per_unit = 3 WHERE material_code = 'PAPER'", "70 70 380 2 0 OPTIMAL", "5 5 30 1 0 UNDERUTILIZED"},
		{"a bin turns out smaller", "UPDATE inventory_locations SET cubic_feet = 70 WHERE location_id = '" + binA + "'", "70 100 280 2 0 OVERUTILIZED", "5 5 20 1 0 UNDERUTILIZED"},
		{"a bin has no capacity", "UPDATE inventory_locations SET cubic_feet = NULL WHERE location_id = '" + binA + "'", "70 0 280 2 0 VOLUME_UNKNOWN", "5 5 20 1 0 UNDERUTILIZED"},
	} {
		asTenant(t, app, ours, func(tx pgx.Tx) {
			mustExec(t, tx, c.sql)
			if got := bin(t, tx, binA); got != c.wantA {
				t.Errorf("%s: bin A is %q, want %q", c.name, got, c.wantA)
			}
			if got := bin(t, tx, binB); got != c.wantB {
				t.Errorf("%s: bin B is %q, want %q", c.name, got, c.wantB)
			}
		})
	}
	asTenant(t, app, ours, func(tx pgx.Tx) {
		mustExec(t, tx, "UPDATE inventory_locations SET is_active = false WHERE location_id = $1", binA)
		if got := one(t, tx, "SELECT count(*) FROM bin_utilization_cache WHERE location_id = $1", binA); got != "0" {
			t.Errorf("a bin that is out of use is still in the cache")
		}
		mustExec(t, tx, "UPDATE inventory_locations SET is_active = true WHERE location_id = $1", binA)
		if got := bin(t, tx, binA); got != full {
			t.Errorf("bin A back in use is %q, want %q", got, full)
		}
	})
	mustExec(t, owner, "DELETE FROM lots WHERE lot_number = 'L1'")
	if got, want := bin(t, owner, binA), "20 20 80 1 0 UNDERUTILIZED"; got != want {
		t.Errorf("after a hard delete bin A is %q, want %q", got, want)
	}
}

// TestOnlyTouchedBinsAreWritten: the row version of a bin that no statement touched stays the same.
func TestOnlyTouchedBinsAreWritten(t *testing.T) {
	t.Parallel()
	_, owner := stocked(t, 18)
	lot(t, owner, "L1", paper, binA, 10)
	lot(t, owner, "L2", paper, binB, 10)
	versions := func() []string {
		return rows(t, owner, "SELECT right(location_id::text, 2), xmin FROM bin_utilization_cache WHERE tenant_id = $1 ORDER BY 1", ours)
	}
	before := versions()
	mustExec(t, owner, "UPDATE lots SET updated_at = now()")
	if diff := cmp.Diff(before, versions()); diff != "" {
		t.Errorf("a change that moves nothing rewrote bins (-before +after):\n%s", diff)
	}
	mustExec(t, owner, "UPDATE lots SET quantity_on_hand = 11 WHERE lot_number = 'L1'")
	after := versions()
	if after[0] == before[0] || after[1] != before[1] || after[2] != before[2] {
		t.Errorf("bins rewritten by a change in bin a1: before %q, after %q", before, after)
	}
	if got := one(t, owner, "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE '%bin_util' AND tgtype & 1 = 1"); got != "0" {
		t.Errorf("%s triggers fire for each row, want none", got)
	}
}

// TestTransactionsRepairTheBinsTheyName: a transaction moves no lot, but whoever books one gets the bin looked at.
func TestTransactionsRepairTheBinsTheyName(t *testing.T) {
	t.Parallel()
	_, owner := stocked(t, 18)
	lot(t, owner, "L1", paper, binA, 100)
	mustExec(t, owner, "UPDATE bin_utilization_cache SET used_cubic_feet = 1")
	mustExec(t, owner, `INSERT INTO inventory_transactions (tenant_id, facility_id, transaction_number, transaction_type, material_id,
		quantity, from_location_id, to_location_id, performed_by_user_id) VALUES ($1, $2, 'T1', 'TRANSFER', $3, 1, $4, $5, $6)`,
		ours, facility, paper, binA, binB, user)
	got := rows(t, owner, "SELECT right(location_id::text, 2), used_cubic_feet FROM bin_utilization_cache WHERE tenant_id = $1 ORDER BY 1", ours)
	if diff := cmp.Diff([]string{"a1 50.0000", "a2 0.0000", "a3 1"}, got); diff != "" {
		t.Errorf("bins after a transfer from a1 to a2 (-want +got):\n%s", diff)
	}
}

func TestReconciliationPutsRightOnlyWhatIsWrong(t *testing.T) {
	t.Parallel()
	db, owner := stocked(t, 18)
	lot(t, owner, "L1", paper, binA, 100)
	app := connect(t, db.AppURL)
	reconcile := func() string {
		t.Helper()
		return one(t, app, "SELECT outcome, bins_checked, bins_put_right, error FROM reconcile_bin_utilization()")
	}
	if got, want := reconcile(), "SUCCESS 6 0 -"; got != want {
		t.Errorf("reconciling a right cache: %q, want %q", got, want)
	}
	mustExec(t, owner, "UPDATE bin_utilization_cache SET volume_utilization_pct = 1 WHERE location_id = $1", binA)
	mustExec(t, owner, "DELETE FROM bin_utilization_cache WHERE location_id = $1", binB)
	if got, want := reconcile(), "SUCCESS 6 2 -"; got != want {
		t.Errorf("reconciling one wrong and one missing bin: %q, want %q", got, want)
	}
	if got, want := bin(t, owner, binA), "50 50 200 1 0 NORMAL"; got != want {
		t.Errorf("bin A is %q, want %q", got, want)
	}
	mustExec(t, owner, "ALTER TABLE inventory_locations DISABLE TRIGGER USER")
	mustExec(t, owner, "UPDATE inventory_locations SET deleted_at = now() WHERE location_id = $1", binC)
	if got, want := reconcile(), "SUCCESS 5 1 -"; got != want {
		t.Errorf("reconciling a bin that went behind the triggers' back: %q, want %q", got, want)
	}
	// One success when the migration was applied, and three since.
	const status = "SELECT last_outcome, refresh_count, rows_checked, rows_put_right, rows_put_right_total, last_refresh_at IS NOT NULL, dirty_since IS NULL, last_error IS NULL FROM cache_refresh_status WHERE cache_name = 'bin_utilization_cache'"
	if got, want := one(t, owner, status), "SUCCESS 4 5 1 3 t t t"; got != want {
		t.Errorf("status row %q, want %q", got, want)
	}
	mustExec(t, owner, "TRUNCATE lots CASCADE")
	if got := one(t, owner, "SELECT dirty_since IS NOT NULL FROM cache_refresh_status WHERE cache_name = 'bin_utilization_cache'"); got != "t" {
		t.Errorf("emptying lots did not mark the cache dirty")
	}
	if got, want := reconcile(), "SUCCESS 5 1 -"; got != want {
		t.Errorf("reconciling after lots were emptied: %q, want %q", got, want)
	}
}

// TestReconciliationRecordsItsFailure: an exception would roll the record back with everything else.
func TestReconciliationRecordsItsFailure(t *testing.T) {
	t.Parallel()
	db, owner := stocked(t, 18)
	app := connect(t, db.AppURL)
	mustExec(t, owner, "ALTER TABLE bin_utilization_cache RENAME TO gone")
	if got, want := one(t, app, "SELECT outcome, bins_checked, error FROM reconcile_bin_utilization()"),
		`FAILURE - relation "public.bin_utilization_cache" does not exist`; got != want {
		t.Errorf("reconciling without a cache: %q, want %q", got, want)
	}
	const status = "SELECT last_outcome, refresh_count, last_error, last_error_at > last_refresh_at FROM cache_refresh_status WHERE cache_name = 'bin_utilization_cache'"
	if got, want := one(t, owner, status), `FAILURE 1 relation "public.bin_utilization_cache" does not exist t`; got != want {
		t.Errorf("status row %q, want %q", got, want)
	}
}

func TestOnlyOneReconciliationRuns(t *testing.T) {
	t.Parallel()
	db, _ := stocked(t, 18)
	first, second := connect(t, db.AppURL), connect(t, db.AppURL)
	tx, err := first.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := one(t, tx, "SELECT outcome FROM reconcile_bin_utilization()"); got != "SUCCESS" {
		t.Fatalf("the first run: %s", got)
	}
	if got, want := one(t, second, "SELECT outcome FROM reconcile_bin_utilization()"), "BUSY"; got != want {
		t.Errorf("a run beside another: %s, want %s", got, want)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := one(t, second, "SELECT outcome FROM reconcile_bin_utilization()"), "SUCCESS"; got != want {
		t.Errorf("the next run: %s, want %s", got, want)
	}
}

// TestVelocity are the requirement's own vectors; the last is a material that stopped moving.
func TestVelocity(t *testing.T) {
	t.Parallel()
	_, owner := stocked(t, 16)
	for _, c := range []struct {
		recent, before int
		want           string
	}{{200, 50, "1900 t f"}, {10, 100, "-50 f f"}, {9, 100, "-55 f t"}, {5, 0, "100 f f"}, {0, 100, "-100 f t"}} {
		mustExec(t, owner, "TRUNCATE inventory_transactions CASCADE")
		mustExec(t, owner, `INSERT INTO inventory_transactions (tenant_id, facility_id, transaction_number, transaction_type,
			transaction_date, material_id, quantity, performed_by_user_id)
			SELECT $1, $2, 'T' || n, 'ISSUE', now() - CASE WHEN n <= $5 THEN interval '10 days' ELSE interval '90 days' END, $3, 1, $4
			FROM generate_series(1, $5 + $6::integer) n`, ours, facility, paper, user, c.recent, c.before)
		if got := one(t, owner, "SELECT trim_scale(velocity_change_pct), velocity_spike, velocity_drop FROM material_velocity_analysis"); got != c.want {
			t.Errorf("velocity of %d picks after %d: %q, want %q", c.recent, c.before, got, c.want)
		}
	}
}

// TestCongestion is the requirement's vectors, over bins that got their aisle from their code.
func TestCongestion(t *testing.T) {
	t.Parallel()
	_, owner := stocked(t, 15)
	if err := run(t.Context(), owner, releases(t)[2].up); err != nil {
		t.Fatal(err)
	}
	mustExec(t, owner, "INSERT INTO wave_processing (tenant_id, wave_id, facility_id, wave_number) VALUES ($1, $2, $3, 'W1')", ours, facility, facility)
	for _, c := range []struct {
		lists, minutes int
		want           string
	}{{5, 15, "65 HIGH"}, {1, 5, "15 LOW"}, {1, 20, "30 LOW"}, {3, 10, "40 MEDIUM"}, {3, 60, "60 MEDIUM"}} {
		tx, err := owner.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// Two lines of each list are in the aisle: a list counts once all the same.
		mustExec(t, tx, `INSERT INTO pick_lists (tenant_id, facility_id, pick_list_number, wave_id, picker_user_id, assigned_at, started_at, status)
			SELECT $1, $2, 'P' || n, $2, $3, now(), now() - make_interval(mins => $4), 'IN_PROGRESS' FROM generate_series(1, $5) n`,
			ours, facility, user, c.minutes, c.lists)
		mustExec(t, tx, `INSERT INTO wave_lines (tenant_id, wave_id, pick_list_id, material_id, quantity_required, pick_location_id)
			SELECT tenant_id, wave_id, pick_list_id, $1, 1, $2 FROM pick_lists, generate_series(1, 2)`, paper, binA)
		got := one(t, tx, "SELECT round(congestion_score), congestion_level FROM aisle_congestion_metrics WHERE aisle_code = 'A01'")
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("congestion of %d lists for %d minutes: %q, want %q", c.lists, c.minutes, got, c.want)
		}
	}
}
