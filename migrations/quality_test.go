package migrations_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// file finds one version's release.
func file(t *testing.T, patch int) release {
	t.Helper()
	for _, r := range releases(t) {
		if r.patch == patch {
			return r
		}
	}
	t.Fatalf("no version 0.0.%d", patch)
	return release{}
}

const addRecommendations = `INSERT INTO putaway_recommendations (tenant_id, recommendation_id, facility_id, lot_number, material_id, quantity,
	recommended_location_id, algorithm_used, confidence_score)
	SELECT $1, ('10000000-0000-7000-8000-0000000001' || lpad(n::text, 2, '0'))::uuid, $2, 'L1', $3, 1, $4, 'ABC_VELOCITY_BEST_FIT_V2', $5
	FROM generate_series($6::integer, $7) n`

// TestOffendingConfidenceScoresAreNamed: V0.0.20 says which rows it cannot accept, and changes nothing.
func TestOffendingConfidenceScoresAreNamed(t *testing.T) {
	t.Parallel()
	_, owner := stocked(t, 18)
	mustExec(t, owner, addRecommendations, ours, facility, paper, binA, "0.87", 1, 3)
	mustExec(t, owner, addRecommendations, ours, facility, paper, binA, "1.50", 4, 5)
	mustExec(t, owner, addRecommendations, ours, facility, paper, binA, "-0.10", 6, 6)
	err := run(t.Context(), owner, file(t, 20).up)
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "23514" || pg.Hint == "" || pg.ConstraintName != "chk_confidence_score_range" {
		t.Fatalf("V0.0.20 over scores of 1.50: %v, want SQLSTATE 23514 with a hint and the constraint's name", err)
	}
	want := "3 putaway recommendation(s) have a confidence score outside 0 to 1: 10000000-0000-7000-8000-000000000104 (1.50), " +
		"10000000-0000-7000-8000-000000000105 (1.50), 10000000-0000-7000-8000-000000000106 (-0.10)"
	if diff := cmp.Diff(want, pg.Message); diff != "" {
		t.Errorf("what it says (-want +got):\n%s", diff)
	}
	if got := one(t, owner, "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'putaway_recommendations'::regclass AND attname = 'confidence_score'"); got != "numeric(3,2)" {
		t.Errorf("the refused migration left confidence_score as %s", got)
	}
	mustExec(t, owner, addRecommendations, ours, facility, paper, binA, "2", 10, 39)
	if err := run(t.Context(), owner, file(t, 20).up); err == nil || !strings.Contains(err.Error(), "33 putaway") || !strings.Contains(err.Error(), " and 13 more") {
		t.Errorf("V0.0.20 over 33 offending rows: %v, want the count, twenty of them and how many more", err)
	}
	mustExec(t, owner, "UPDATE putaway_recommendations SET confidence_score = 0.5 WHERE confidence_score NOT BETWEEN 0 AND 1")
	if err := run(t.Context(), owner, file(t, 20).up); err != nil {
		t.Errorf("V0.0.20 after the rows were corrected: %v", err)
	}
}

// TestUndoRoundsConfidence is what the plan card of V0.0.20 warns of.
func TestUndoRoundsConfidence(t *testing.T) {
	t.Parallel()
	_, owner := stocked(t, 20)
	mustExec(t, owner, addRecommendations, ours, facility, paper, binA, "0.875", 1, 1)
	_, err := owner.Exec(t.Context(), addRecommendations, ours, facility, paper, binA, "1.001", 2, 2)
	if got, want := sqlState(err), "23514"; got != want {
		t.Errorf("a score of 1.001: SQLSTATE %q, want %s", got, want)
	}
	if err := run(t.Context(), owner, file(t, 20).down); err != nil {
		t.Fatal(err)
	}
	if got, want := one(t, owner, "SELECT confidence_score FROM putaway_recommendations"), "0.88"; got != want {
		t.Errorf("the score after the undo is %s, want %s", got, want)
	}
	if loses := strings.Join(card(file(t, 20).up)["undo loses"], ""); !strings.Contains(loses, "0.875 becomes 0.88") {
		t.Errorf("the plan card does not say so: %q", loses)
	}
}

func TestDimensionVariance(t *testing.T) {
	t.Parallel()
	owner := connect(t, at(t, 20).OwnerURL)
	for _, c := range []struct{ master, measured, want string }{
		{"10.5", "10.5", "0.00"},
		{"10.5", "10.8", "2.86"},
		{"10.5", "12.0", "14.29"},
		{"10", "11", "10.00"},
		{"10", "8.9", "-11.00"},
		{"0", "5", "-"},
		{"NULL", "5", "-"},
		{"0.0001", "10000", "9999.99"},
		{"1", "NULL", "-"},
	} {
		// Storing it is the test of its range: a numeric(6,2) column takes it.
		if got := one(t, owner, fmt.Sprintf("SELECT calculate_dimension_variance(%s, %s)", c.master, c.measured)); got != c.want {
			t.Errorf("calculate_dimension_variance(%s, %s) = %s, want %s", c.master, c.measured, got, c.want)
		}
	}
}

func TestUUIDs(t *testing.T) {
	t.Parallel()
	for _, patch := range []int{20, 21} {
		owner := connect(t, at(t, patch).OwnerURL)
		mustExec(t, owner, "CREATE TEMP TABLE ids AS SELECT n, clock_timestamp() AS made, uuid_generate_v7()::text AS id FROM generate_series(1, 500) n")
		for what, sql := range map[string]string{
			"of another version or variant":    "SELECT count(*) FROM ids WHERE id !~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'",
			"twice":                            "SELECT count(*) - count(DISTINCT id) FROM ids",
			"with a time a second off":         "SELECT count(*) FROM ids WHERE abs(('x' || lpad(replace(left(id, 13), '-', ''), 16, '0'))::bit(64)::bigint - extract(epoch FROM made) * 1000) > 1000",
			"out of order across milliseconds": `SELECT count(*) FROM (SELECT left(id, 13) < lag(left(id, 13)) OVER (ORDER BY n) AS back FROM ids) o WHERE back`,
		} {
			if got := one(t, owner, sql); got != "0" {
				t.Errorf("at V0.0.%d, %s ids %s, want none", patch, got, what)
			}
		}
	}
	if got := strings.Count(file(t, 21).up, "gen_random_bytes(10)"); got != 1 {
		t.Errorf("V0.0.21 calls gen_random_bytes(10) %d times, want once", got)
	}
}

const verify = `INSERT INTO material_dimension_verifications (tenant_id, material_id, facility_id, measured_cubic_feet, measured_weight_lbs,
	cubic_feet_variance_pct, weight_variance_pct, verification_status, variance_threshold_exceeded, verified_by, verified_at)
	VALUES ($1, $2, $3, 1, 1, $4, $5, $6::text, $6::text = 'VARIANCE_DETECTED', $7, $8)`

// TestDataQualityCountsEachSourceOnce: three sources with two or three rows each multiply to twelve where they are joined raw.
func TestDataQualityCountsEachSourceOnce(t *testing.T) {
	t.Parallel()
	db, owner := stocked(t, 20)
	lot(t, owner, "L1", paper, binA, 10)
	lot(t, owner, "L2", paper, binA, 10)
	// Paper was off by 14 % and is now off by 3; ink had nothing to compare with.
	mustExec(t, owner, verify, ours, paper, facility, "14", "-12", "VARIANCE_DETECTED", user, "2026-01-01")
	mustExec(t, owner, verify, ours, paper, facility, "-3", "2", "MASTER_DATA_UPDATED", user, "2026-01-02")
	mustExec(t, owner, verify, ours, ink, facility, nil, nil, "MASTER_DATA_UPDATED", user, "2026-01-02")
	for range 3 {
		mustExec(t, owner, `INSERT INTO capacity_validation_failures (tenant_id, facility_id, location_id, material_id, lot_number, required_cubic_feet,
			available_cubic_feet, required_weight_lbs, available_weight_lbs, failure_type, severity) VALUES ($1, $2, $3, $4, 'L1', 60, 50, 1, 2, 'CUBIC_FEET_EXCEEDED', 'WARNING')`,
			ours, facility, binA, paper)
	}
	for _, number := range []string{"L1", "L2"} {
		mustExec(t, owner, `INSERT INTO cross_dock_cancellations (tenant_id, facility_id, material_id, lot_number, cancellation_reason, cancelled_by)
			VALUES ($1, $2, $3, $4, 'ORDER_CANCELLED', $5)`, ours, facility, paper, number, user)
	}
	mustExec(t, owner, `INSERT INTO bin_optimization_remediation_log (tenant_id, facility_id, health_check_type, health_status, remediation_action,
		action_successful, error_message, triggered_by) VALUES ($1, $2, 'DB_PERFORMANCE', 'DEGRADED', 'INDEX_REBUILT', false, 'no', 'SCHEDULER'),
		(NULL, NULL, 'MATERIALIZED_VIEW_FRESHNESS', 'UNHEALTHY', 'CACHE_REFRESHED', true, NULL, 'SCHEDULER')`, ours, facility)
	app := connect(t, db.AppURL)
	if got := one(t, app, "SELECT outcome, error FROM refresh_bin_optimization_view('bin_optimization_data_quality')"); got != "SUCCESS -" {
		t.Fatalf("refreshing: %s", got)
	}
	asTenant(t, app, ours, func(tx pgx.Tx) {
		got := rows(t, tx, `SELECT materials_verified_count, materials_with_variance, trim_scale(avg_cubic_feet_variance_pct),
			trim_scale(avg_weight_variance_pct), capacity_failures_count, unresolved_failures_count, crossdock_cancellations_count,
			pending_relocations_count, auto_remediation_count, failed_remediation_count FROM bin_optimization_data_quality_for_tenant`)
		if diff := cmp.Diff([]string{"2 0 3 2 3 3 2 2 1 1"}, got); diff != "" {
			t.Errorf("data quality of ours (-want +got):\n%s", diff)
		}
	})
	asTenant(t, app, theirs, func(tx pgx.Tx) {
		got := rows(t, tx, "SELECT left(facility_id::text, 1), materials_verified_count, avg_cubic_feet_variance_pct FROM bin_optimization_data_quality_for_tenant")
		if diff := cmp.Diff([]string{"2 0 -"}, got); diff != "" {
			t.Errorf("data quality of theirs (-want +got):\n%s", diff)
		}
	})
}

// TestRefreshAlwaysRecordsItsOutcome, for both views, and refuses a name that is neither.
func TestRefreshAlwaysRecordsItsOutcome(t *testing.T) {
	t.Parallel()
	db, owner := stocked(t, 22)
	app := connect(t, db.AppURL)
	for _, view := range []string{"bin_optimization_data_quality", "bin_optimization_statistical_summary"} {
		refresh := func() string {
			return one(t, app, "SELECT outcome, error FROM refresh_bin_optimization_view($1)", view)
		}
		status := func() string {
			return one(t, owner, "SELECT last_outcome, refresh_count, last_error FROM cache_refresh_status WHERE cache_name = $1", view)
		}
		if got, want := refresh()+"|"+status(), "SUCCESS -|SUCCESS 2 -"; got != want {
			t.Errorf("%s, refreshed: %q, want %q", view, got, want)
		}
		// As a restore without data leaves it: nothing can be read, and CONCURRENTLY is refused.
		mustExec(t, owner, "REFRESH MATERIALIZED VIEW "+view+" WITH NO DATA")
		if got, want := refresh()+"|"+status(), "SUCCESS -|SUCCESS 3 -"; got != want {
			t.Errorf("%s, filled from nothing: %q, want %q", view, got, want)
		}
		mustExec(t, owner, "ALTER MATERIALIZED VIEW "+view+" RENAME TO gone_"+view)
		want := fmt.Sprintf("relation %q does not exist", "public."+view)
		if got, want := refresh()+"|"+status(), "FAILURE "+want+"|FAILURE 3 "+want; got != want {
			t.Errorf("%s, gone: %q, want %q", view, got, want)
		}
	}
	for _, name := range []any{"lots", nil} {
		_, err := app.Exec(t.Context(), "SELECT refresh_bin_optimization_view($1)", name)
		if got, want := sqlState(err), "22023"; got != want {
			t.Errorf("refreshing %v: SQLSTATE %q, want %s", name, got, want)
		}
	}
}

const measure = `INSERT INTO bin_optimization_statistical_metrics (tenant_id, facility_id, measurement_timestamp, measurement_period_start,
	measurement_period_end, avg_volume_utilization, avg_weight_utilization, acceptance_rate, sample_size)
	SELECT $1, $2, now() - make_interval(days => $3 - n), now() - make_interval(days => $3 - n + 1), now() - make_interval(days => $3 - n),
		60 + n * $4::numeric, 50, 0.9 + n * $5::numeric, 40 FROM generate_series(0, $3::integer) n`

// TestTrendsArePerDay are the requirement's vectors: 10 points in 30 days is an improvement, and was STABLE per second.
func TestTrendsArePerDay(t *testing.T) {
	t.Parallel()
	_, owner := stocked(t, 22)
	for _, c := range []struct {
		days             int
		perDay, accepted string
		want             string
	}{
		{29, "0.1", "0", "0.1000 IMPROVING 0.0000 STABLE t 30"},
		{29, "0.3333", "0.0006", "0.3333 IMPROVING 0.0006 IMPROVING t 30"},
		{29, "-0.1", "-0.0006", "-0.1000 DECLINING -0.0006 DECLINING t 30"},
		{29, "0.04", "0.0004", "0.0400 STABLE 0.0004 STABLE t 30"},
		{6, "5", "0.01", "5.0000 STABLE 0.0100 STABLE f 7"}, // six days are no trend
		{7, "5", "0.01", "5.0000 IMPROVING 0.0100 IMPROVING t 8"},
	} {
		mustExec(t, owner, "DELETE FROM bin_optimization_statistical_metrics")
		mustExec(t, owner, measure, ours, facility, c.days, c.perDay, c.accepted)
		mustExec(t, owner, "SELECT refresh_bin_optimization_view('bin_optimization_statistical_summary')")
		got := one(t, owner, `SELECT round(utilization_trend_slope::numeric, 4), utilization_trend_direction, round(acceptance_trend_slope::numeric, 4),
			acceptance_trend_direction, trend_has_enough_data, measurements_in_30d FROM bin_optimization_statistical_summary`)
		if got != c.want {
			t.Errorf("trend of %s a day over %d days: %q, want %q", c.perDay, c.days, got, c.want)
		}
	}
	// The threshold is a setting, and the facility's own wins over the tenant's.
	mustExec(t, owner, `INSERT INTO warehouse_optimization_settings (tenant_id, facility_id, setting_key, setting_value)
		VALUES ($1, NULL, 'UTILIZATION_TREND_PER_DAY', 6), ($1, $2, 'UTILIZATION_TREND_PER_DAY', 4)`, ours, facility)
	direction := func() string {
		mustExec(t, owner, "SELECT refresh_bin_optimization_view('bin_optimization_statistical_summary')")
		return one(t, owner, "SELECT utilization_trend_direction FROM bin_optimization_statistical_summary")
	}
	if got, want := direction(), "IMPROVING"; got != want {
		t.Errorf("with the facility's threshold of 4: %s, want %s", got, want)
	}
	mustExec(t, owner, "DELETE FROM warehouse_optimization_settings WHERE setting_key = 'UTILIZATION_TREND_PER_DAY' AND facility_id IS NOT NULL")
	if got, want := direction(), "STABLE"; got != want {
		t.Errorf("with the tenant's threshold of 6: %s, want %s", got, want)
	}
	_, err := owner.Exec(t.Context(), `INSERT INTO warehouse_optimization_settings (tenant_id, setting_key, setting_value) VALUES ($1, 'UTILIZATION_TREND_PER_DAY', 1)`, ours)
	if got, want := sqlState(err), "23505"; got != want {
		t.Errorf("a second setting for the whole tenant: SQLSTATE %q, want %s", got, want)
	}
}

// TestTenantsSeeOnlyTheirOwn reads every table and view that has a tenant, as the application.
func TestTenantsSeeOnlyTheirOwn(t *testing.T) {
	t.Parallel()
	db, owner := stocked(t, 22)
	lot(t, owner, "L1", paper, binA, 10)
	mustExec(t, owner, addLot, theirs, "20000000-0000-7000-8000-00000000000f", "L1", "20000000-0000-7000-8000-0000000000b1", "20000000-0000-7000-8000-0000000000a1", 10)
	mustExec(t, owner, measure, ours, facility, 1, "1", "0")
	mustExec(t, owner, measure, theirs, "20000000-0000-7000-8000-00000000000f", 1, "1", "0")
	for _, view := range []string{"bin_optimization_data_quality", "bin_optimization_statistical_summary"} {
		mustExec(t, owner, "SELECT refresh_bin_optimization_view($1)", view)
	}
	mustExec(t, owner, `INSERT INTO inventory_transactions (tenant_id, facility_id, transaction_number, transaction_type, material_id, quantity, performed_by_user_id)
		SELECT m.tenant_id, f.facility_id, 'T1', 'ISSUE', m.material_id, 1, u.user_id FROM materials m JOIN facilities f USING (tenant_id) JOIN users u USING (tenant_id) WHERE m.material_code = 'INK'`)
	relations := rows(t, owner, `SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY 1`)
	app := connect(t, db.AppURL)
	full := 0
	for _, relation := range relations {
		counts := "SELECT count(*) FILTER (WHERE tenant_id = '" + ours + "'), count(*) FILTER (WHERE tenant_id IS DISTINCT FROM '" + ours + "') FROM " + relation
		if got := one(t, app, counts); got != "0 0" {
			t.Errorf("%s shows %s rows without a tenant, want none", relation, got)
		}
		all := one(t, owner, "SELECT count(*) > 0 FROM "+relation+" WHERE tenant_id = '"+theirs+"'")
		asTenant(t, app, ours, func(tx pgx.Tx) {
			mine, other, _ := strings.Cut(one(t, tx, counts), " ")
			if other != "0" {
				t.Errorf("%s shows us %s rows of others", relation, other)
			}
			if mine != "0" && all == "t" {
				full++
			}
		})
	}
	// The two views over materialized views answer the owner, who has no tenant, with nothing: they are checked by name above.
	if full < 11 {
		t.Errorf("only %d of %d relations had rows of both tenants to tell apart", full, len(relations))
	}
	asTenant(t, app, ours, func(tx pgx.Tx) {
		for view, want := range map[string]string{"bin_optimization_data_quality_for_tenant": "1", "bin_optimization_statistical_summary_for_tenant": "1", "bin_utilization_cache": "3"} {
			if got := one(t, tx, "SELECT count(*) FROM "+view); got != want {
				t.Errorf("%s shows us %s rows, want %s", view, got, want)
			}
		}
		_, err := tx.Exec(t.Context(), "UPDATE lots SET tenant_id = $1", theirs)
		if got, want := sqlState(err), "42501"; got != want {
			t.Errorf("giving our lot to them: SQLSTATE %q, want %s", got, want)
		}
	})
}
