package warehouse_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/demo/warehouse"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/migrations"
)

// sample is what most tests look at; the clock is read once, so that each clone is of the same warehouse.
var sample = warehouse.Options{Size: warehouse.Small, Seed: 3, Now: time.Now()}

// made opens a database with the small warehouse at V0.0.18, as the demo has it. The same key opens the same again.
func made(t *testing.T, key string, o warehouse.Options) *pgx.Conn {
	t.Helper()
	db := pgtest.OpenWith(t, "demo-"+key, func(ctx context.Context, superURL, database string) error {
		conn, err := pgx.Connect(ctx, superURL)
		if err != nil {
			return fmt.Errorf("connecting to the template: %w", err)
		}
		return errors.Join(build(ctx, conn, database, o), conn.Close(ctx))
	})
	conn, err := pgx.Connect(t.Context(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return conn
}

// build does what the demo's set-up does, as the owner.
func build(ctx context.Context, conn *pgx.Conn, database string, o warehouse.Options) error {
	_, err := conn.Exec(ctx, "CREATE ROLE gatehouse_owner LOGIN")
	var there *pgconn.PgError
	if err != nil && (!errors.As(err, &there) || there.Code != "42710") {
		return err
	}
	for _, sql := range []string{
		"ALTER DATABASE " + pgx.Identifier{database}.Sanitize() + " OWNER TO gatehouse_owner", "SET SESSION AUTHORIZATION gatehouse_owner",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	if err := apply(ctx, conn, 14, 14); err != nil {
		return err
	}
	if err := warehouse.Warehouse(ctx, conn, o); err != nil {
		return err
	}
	if err := apply(ctx, conn, 15, 18); err != nil {
		return err
	}
	return warehouse.History(ctx, conn, o)
}

func apply(ctx context.Context, conn *pgx.Conn, from, to int) error {
	entries, err := fs.Glob(migrations.WMS, "V0.0.*.sql")
	if err != nil {
		return err
	}
	for _, name := range entries {
		patch, err := strconv.Atoi(name[5:7])
		if err != nil {
			return err
		}
		if patch < from || patch > to {
			continue
		}
		sql, err := fs.ReadFile(migrations.WMS, name)
		if err != nil {
			return err
		}
		if _, err := conn.PgConn().Exec(ctx, string(sql)).ReadAll(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func one[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func TestSmall(t *testing.T) {
	t.Parallel()
	conn := made(t, "sample", sample)
	for table, least := range map[string]int64{
		"tenants": 2, "facilities": 3, "materials": 1400, "inventory_locations": 1800, "lots": 4000, "inventory_transactions": 12000,
		"sales_orders": 1000, "sales_order_lines": 4000, "pick_lists": 540, "wave_lines": 1000, "putaway_recommendations": 7000,
		"material_velocity_metrics": 1000, "reslotting_history": 100, "bin_utilization_cache": 1800, "ml_model_weights": 2,
	} {
		if got := one[int64](t, conn, "SELECT count(*) FROM "+table); got < least {
			t.Errorf("%s has %d rows, want at least %d", table, got, least)
		}
	}
	if got := one[int32](t, conn, "SELECT bins_put_right FROM reconcile_bin_utilization()"); got != 0 {
		t.Errorf("reconciling found %d bins wrong, want none", got)
	}
	if got := one[int64](t, conn, "SELECT rows_put_right_total FROM cache_refresh_status WHERE cache_name = 'bin_utilization_cache'"); got != 0 {
		t.Errorf("%d bins were put right while it was made, want none", got)
	}
	if got := one[int64](t, conn, "SELECT count(*) FROM inventory_locations WHERE aisle_code IS NULL"); got != 0 {
		t.Errorf("%d bins have no aisle after V0.0.16", got)
	}
	if got := one[int64](t, conn, "SELECT count(*) FROM bin_utilization_cache WHERE utilization_status = 'OPTIMAL'"); got < 500 {
		t.Errorf("only %d bins are filled as they should be", got)
	}
	for _, q := range []struct{ what, sql string }{
		{"transactions after now", "SELECT count(*) FROM inventory_transactions WHERE transaction_date > now()"},
		{"decisions after now", "SELECT count(*) FROM putaway_recommendations WHERE decided_at > now()"},
		{"confidence scores out of range", "SELECT count(*) FROM putaway_recommendations WHERE confidence_score NOT BETWEEN 0 AND 1"},
	} {
		if got := one[int64](t, conn, q.sql); got != 0 {
			t.Errorf("%d %s, want none", got, q.what)
		}
	}
	// The release this warehouse waits for.
	if err := apply(t.Context(), conn, 20, 22); err != nil {
		t.Errorf("V0.0.20 to 22 over the sample: %v", err)
	}
}

// TestAccuracy: what the health check of a release will judge has to be healthy, on enough decisions to mean something.
func TestAccuracy(t *testing.T) {
	t.Parallel()
	conn := made(t, "sample", sample)
	for _, c := range []struct {
		tenant    string
		low, high float64
	}{{warehouse.RivermarkID, 86, 90}, {warehouse.SaltwayID, 83, 90}} {
		const week = " FROM putaway_recommendations WHERE tenant_id = $1 AND decided_at > now() - interval '7 days' AND accepted IS NOT NULL"
		if got := one[int64](t, conn, "SELECT count(*)"+week, c.tenant); got < 60 {
			t.Errorf("%d decisions in a week of %s, want at least 60", got, c.tenant)
		}
		if got := one[float64](t, conn, "SELECT (100.0 * count(*) FILTER (WHERE accepted) / count(*))::float8"+week, c.tenant); got < c.low || got > c.high {
			t.Errorf("accuracy of %s in the last week is %.1f %%, want %.0f to %.0f", c.tenant, got, c.low, c.high)
		}
	}
}

// TestFaults finds each planted thing the way a page would, and for the kinds that are counted, nothing else.
func TestFaults(t *testing.T) {
	t.Parallel()
	conn := made(t, "sample", sample)
	find := map[warehouse.Kind]string{
		warehouse.WrongDimensions: `SELECT DISTINCT t.tenant_code || ' ' || m.material_code FROM materials m JOIN tenants t USING (tenant_id) JOIN lots l USING (tenant_id, material_id)
			WHERE abs(m.cubic_feet - m.width_inches * m.height_inches * m.thickness_inches / 1728) > m.cubic_feet * 0.1 ORDER BY 1`,
		warehouse.MissingDimensions: `SELECT t.tenant_code || ' ' || m.material_code FROM materials m JOIN tenants t USING (tenant_id)
			WHERE EXISTS (SELECT FROM lots l JOIN bin_utilization_cache c USING (tenant_id, location_id) WHERE l.material_id = m.material_id AND c.unknown_volume_lots > 0)
			AND unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) IS NULL ORDER BY 1`,
		warehouse.Overfilled: `SELECT t.tenant_code || ' ' || c.location_code FROM bin_utilization_cache c JOIN tenants t USING (tenant_id)
			WHERE c.utilization_status = 'OVERUTILIZED' AND c.volume_utilization_pct > 100 ORDER BY 1`,
		warehouse.VelocitySpike: `SELECT t.tenant_code || ' ' || v.material_code FROM material_velocity_analysis v JOIN tenants t USING (tenant_id) WHERE v.velocity_spike ORDER BY 1`,
		warehouse.DeadStock:     `SELECT t.tenant_code || ' ' || v.material_code FROM material_velocity_analysis v JOIN tenants t USING (tenant_id) WHERE v.velocity_drop ORDER BY 1`,
		warehouse.Congestion:    `SELECT t.tenant_code || ' ' || a.aisle_code FROM aisle_congestion_metrics a JOIN tenants t USING (tenant_id) WHERE a.congestion_level = 'HIGH' ORDER BY 1`,
		warehouse.DriftingAisle: `SELECT tenant_code || ' ' || aisle_code FROM (
				SELECT t.tenant_code, l.facility_id, l.aisle_code,
					avg(r.accepted::int) FILTER (WHERE r.decided_at < now() - interval '60 days') AS before,
					avg(r.accepted::int) FILTER (WHERE r.decided_at > now() - interval '21 days') AS after, count(*) AS decided
				FROM putaway_recommendations r JOIN tenants t USING (tenant_id)
				JOIN inventory_locations l ON l.tenant_id = r.tenant_id AND l.location_id = r.recommended_location_id
				WHERE r.accepted IS NOT NULL GROUP BY 1, 2, 3) a
			WHERE decided > 100 AND before - after > 0.3 ORDER BY 1`,
	}
	want := map[warehouse.Kind][]string{}
	for _, f := range warehouse.Faults {
		want[f.Kind] = append(want[f.Kind], f.Tenant+" "+f.Code)
	}
	for kind, sql := range find {
		rows, err := conn.Query(t.Context(), sql)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(want[kind])), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
	if len(want) != len(find) {
		t.Errorf("%d kinds are planted and %d are looked for", len(want), len(find))
	}
}

// TestTheSameAgain: the same options make the same rows, and another seed makes others.
func TestTheSameAgain(t *testing.T) {
	t.Parallel()
	sums := func(key string, o warehouse.Options) map[string]string {
		conn := made(t, key, o)
		all := map[string]string{}
		for _, table := range []string{
			"tenants", "facilities", "users", "materials", "inventory_locations", "lots", "sales_orders", "sales_order_lines", "inventory_transactions",
			"wave_processing", "pick_lists", "wave_lines", "putaway_recommendations", "reslotting_history", "material_velocity_metrics",
		} {
			all[table] = one[string](t, conn, "SELECT md5(string_agg(md5(x::text), '' ORDER BY x::text)) FROM "+table+" x")
		}
		return all
	}
	var done, total int
	other := sample
	other.Seed++
	other.Progress = func(d, all int, _ string) {
		if d > all || (all == total && d < done) {
			t.Errorf("progress says %d of %d after %d of %d", d, all, done, total)
		}
		done, total = d, all
	}
	first, second, third := sums("sample", sample), sums("again", sample), sums("other", other)
	if done != total || total == 0 {
		t.Errorf("progress ends at %d of %d", done, total)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the same options twice (-first +second):\n%s", diff)
	}
	if first["lots"] == third["lots"] || first["putaway_recommendations"] == third["putaway_recommendations"] {
		t.Errorf("another seed made the same lots or recommendations")
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	if got, err := warehouse.ParseSize("medium"); err != nil || got != warehouse.Medium {
		t.Errorf("ParseSize(medium) = %q, %v", got, err)
	}
	if _, err := warehouse.ParseSize("huge"); err == nil {
		t.Error("ParseSize(huge) has no complaint")
	}
}
