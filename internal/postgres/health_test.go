package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// warehouse puts one facility with a bin and a material into the warehouse of each tenant. Ids end in the tenant's
// number: facility ...a1, bin ...b1, material ...c1 for Rivermark, ...a2 and so on for Saltway.
func warehouse(t *testing.T, d *pgtest.Database) {
	t.Helper()
	for i, tenant := range []uuid.UUID{housetest.Rivermark, housetest.Saltway} {
		super(t, d, fmt.Sprintf(`
INSERT INTO tenants (tenant_id, tenant_code, tenant_name) VALUES ('%[1]s', 't%[2]d', 'Tenant %[2]d');
INSERT INTO facilities (tenant_id, facility_id, facility_code, facility_name, address_line1, city, postal_code, country)
VALUES ('%[1]s', '%[3]s', 'F', 'Facility %[2]d', 'x', 'x', 'x', 'x');
INSERT INTO users (tenant_id, user_id, username, email) VALUES ('%[1]s', '%[6]s', 'u%[2]d', 'u%[2]d@example.com');
INSERT INTO materials (tenant_id, material_id, material_code, material_name, material_type) VALUES ('%[1]s', '%[4]s', 'M', 'M', 'INK');
INSERT INTO inventory_locations (tenant_id, location_id, facility_id, location_code, location_type, cubic_feet, max_weight_lbs)
VALUES ('%[1]s', '%[5]s', '%[3]s', 'Z-A-1-1', 'RESERVE', 100, 1000);`, tenant, i+1, thing('a', i), thing('c', i), thing('b', i), thing('d', i)))
	}
}

func thing(kind rune, tenant int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("00000000-0000-7000-8000-0000000000%c%d", kind, tenant+1))
}

var discard = slog.New(slog.DiscardHandler)

func viewer(tenant uuid.UUID) actor.Actor { return housetest.Person(tenant, "viewer", actor.Viewer) }

func TestHealthReadsOnlyItsOwnTenant(t *testing.T) {
	d := housetest.At(t, "0.0.22")
	warehouse(t, d)
	// Ours: 9 of 12 accepted lately, and old decisions that no longer count. Theirs: everything is bad.
	super(t, d, fmt.Sprintf(`
INSERT INTO putaway_recommendations (tenant_id, facility_id, lot_number, material_id, quantity, recommended_location_id, algorithm_used, confidence_score, accepted, decided_at)
SELECT '%[1]s'::uuid, '%[2]s'::uuid, 'L', '%[3]s'::uuid, 1, '%[4]s'::uuid, 'x', 0.9, n <= 9, now() - interval '6 days 23 hours' FROM generate_series(1, 12) n
UNION ALL SELECT '%[1]s'::uuid, '%[2]s'::uuid, 'L', '%[3]s'::uuid, 1, '%[4]s'::uuid, 'x', 0.9, false, now() - interval '7 days 1 hour' FROM generate_series(1, 50) n
UNION ALL SELECT '%[1]s'::uuid, '%[2]s'::uuid, 'L', '%[3]s'::uuid, 1, '%[4]s'::uuid, 'x', 0.9, NULL, NULL FROM generate_series(1, 50) n
UNION ALL SELECT '%[5]s'::uuid, '%[6]s'::uuid, 'L', '%[7]s'::uuid, 1, '%[8]s'::uuid, 'x', 0.9, false, now() FROM generate_series(1, 99) n;
INSERT INTO capacity_validation_failures (tenant_id, facility_id, location_id, material_id, lot_number, required_cubic_feet, available_cubic_feet, required_weight_lbs, available_weight_lbs, failure_type, severity, last_seen_at)
SELECT '%[1]s'::uuid, '%[2]s'::uuid, '%[4]s'::uuid, '%[3]s'::uuid, 'L' || n, 2, 1, 1, 2, 'CUBIC_FEET_EXCEEDED', 'CRITICAL', now() - n * interval '10 hours' FROM generate_series(1, 4) n
UNION ALL SELECT '%[5]s'::uuid, '%[6]s'::uuid, '%[8]s'::uuid, '%[7]s'::uuid, 'L' || n, 2, 1, 1, 2, 'CUBIC_FEET_EXCEEDED', 'CRITICAL', now() FROM generate_series(1, 9) n;
INSERT INTO bin_optimization_statistical_metrics (tenant_id, facility_id, measurement_period_start, measurement_period_end, avg_volume_utilization, avg_weight_utilization, sample_size)
VALUES ('%[1]s', '%[2]s', now() - interval '1 day', now(), 50, 50, 30);
INSERT INTO bin_optimization_outliers (tenant_id, facility_id, metric_name, metric_value, detection_method, outlier_severity, outlier_type)
VALUES ('%[5]s', '%[6]s', 'm', 1, 'IQR', 'SEVERE', 'HIGH'), ('%[5]s', '%[6]s', 'n', 1, 'IQR', 'EXTREME', 'HIGH'), ('%[1]s', '%[2]s', 'm', 1, 'IQR', 'MODERATE', 'HIGH');`,
		housetest.Rivermark, thing('a', 0), thing('c', 0), thing('b', 0), housetest.Saltway, thing('a', 1), thing('c', 1), thing('b', 1)))

	h := postgres.Health{DB: housetest.Open(t, d)}
	ours, theirs := viewer(housetest.Rivermark), viewer(housetest.Saltway)
	for _, c := range []struct {
		by         actor.Actor
		decisions  health.DecisionReading
		failures   int
		statistics health.StatisticsReading
	}{
		{ours, health.DecisionReading{Accepted: 9, Decided: 12}, 2, health.StatisticsReading{Measurements: 1}},
		{theirs, health.DecisionReading{Decided: 99}, 9, health.StatisticsReading{CriticalPending: 2}},
	} {
		decisions, err := h.Decisions(t.Context(), c.by, health.AccuracyWindow)
		if err != nil || decisions != c.decisions {
			t.Errorf("%s: Decisions = %+v, %v; want %+v", c.by.TenantCode, decisions, err, c.decisions)
		}
		failures, err := h.UnresolvedFailures(t.Context(), c.by, health.FailuresWindow)
		if err != nil || failures != c.failures {
			t.Errorf("%s: UnresolvedFailures = %d, %v; want %d", c.by.TenantCode, failures, err, c.failures)
		}
		statistics, err := h.Statistics(t.Context(), c.by, health.StatisticsWindow)
		if err != nil || statistics != c.statistics {
			t.Errorf("%s: Statistics = %+v, %v; want %+v", c.by.TenantCode, statistics, err, c.statistics)
		}
	}
	if r, err := h.TimedQuery(t.Context(), ours); err != nil || r.Took <= 0 || r.Rows != 1 {
		t.Errorf("TimedQuery = %+v, %v; want the one bin", r, err)
	}
	if now, err := h.Clock(t.Context(), ours); err != nil || time.Since(now).Abs() > time.Minute {
		t.Errorf("Clock = %s, %v", now, err)
	}
}

func TestHealthOfACacheIsUnknownWhileItIsEmpty(t *testing.T) {
	d := housetest.At(t, "0.0.18")
	h := postgres.Health{DB: housetest.Open(t, d)}
	r, err := h.Cache(t.Context(), viewer(housetest.Rivermark))
	if err != nil || !r.Empty || r.LastRefresh.IsZero() {
		t.Fatalf("Cache of an empty warehouse = %+v, %v", r, err)
	}
	warehouse(t, d)
	super(t, d, "DELETE FROM bin_utilization_cache WHERE tenant_id = '"+housetest.Rivermark.String()+"'")
	if r, err = h.Cache(t.Context(), viewer(housetest.Rivermark)); err != nil || !r.Empty {
		t.Errorf("our cache is empty and the other tenant's is not: %+v, %v", r, err)
	}
	if r, err = h.Cache(t.Context(), viewer(housetest.Saltway)); err != nil || r.Empty || r.Now.Before(r.LastRefresh) {
		t.Errorf("the other tenant's cache: %+v, %v", r, err)
	}
	super(t, d, "UPDATE cache_refresh_status SET last_refresh_at = NULL, dirty_since = now()")
	if r, err = h.Cache(t.Context(), viewer(housetest.Saltway)); err != nil || !r.LastRefresh.IsZero() || r.DirtySince.IsZero() {
		t.Errorf("a cache that was never reconciled: %+v, %v", r, err)
	}
}

// What a pending migration brings is missing and to come; what was applied and is gone is missing and should be there.
func TestMissingTablesAreToldApart(t *testing.T) {
	type reading struct {
		object, version string
		read            func(postgres.Health, context.Context, actor.Actor) error
	}
	readings := []reading{
		{"cache_refresh_status", "0.0.18", func(h postgres.Health, ctx context.Context, by actor.Actor) error {
			_, err := h.Cache(ctx, by)
			return err
		}},
		{"cache_refresh_status", "0.0.18", func(h postgres.Health, ctx context.Context, by actor.Actor) error {
			_, err := h.Schedulers(ctx, by)
			return err
		}},
		{"putaway_recommendations", "0.0.15", func(h postgres.Health, ctx context.Context, by actor.Actor) error {
			_, err := h.Decisions(ctx, by, time.Hour)
			return err
		}},
		{"bin_utilization_cache", "0.0.16", func(h postgres.Health, ctx context.Context, by actor.Actor) error {
			_, err := h.TimedQuery(ctx, by)
			return err
		}},
		{"capacity_validation_failures", "0.0.20", func(h postgres.Health, ctx context.Context, by actor.Actor) error {
			_, err := h.UnresolvedFailures(ctx, by, time.Hour)
			return err
		}},
		{"bin_optimization_statistical_metrics", "0.0.22", func(h postgres.Health, ctx context.Context, by actor.Actor) error {
			_, err := h.Statistics(ctx, by, time.Hour)
			return err
		}},
	}
	by := viewer(housetest.Rivermark)
	pending := housetest.At(t, "0.0.14")
	gone := housetest.At(t, "0.0.22")
	super(t, gone, "DROP TABLE cache_refresh_status, putaway_recommendations, bin_utilization_cache, capacity_validation_failures, bin_optimization_statistical_metrics CASCADE")
	for _, state := range []struct {
		d       *pgtest.Database
		applied bool
	}{{pending, false}, {gone, true}} {
		h := postgres.Health{DB: housetest.Open(t, state.d)}
		for _, r := range readings {
			var missing *health.Missing
			err := r.read(h, t.Context(), by)
			if !errors.As(err, &missing) || missing.Object != r.object || missing.Version != r.version || missing.Applied != state.applied {
				t.Errorf("reading %s, applied %v: %v", r.object, state.applied, err)
			}
		}
	}
}

// Of two objects that one reading looks at, the one that is missing is named.
func TestTheMissingObjectIsNamed(t *testing.T) {
	d := housetest.At(t, "0.0.22")
	super(t, d, "ALTER TABLE bin_utilization_cache RENAME TO elsewhere; ALTER TABLE bin_optimization_outliers RENAME TO away")
	h, by := postgres.Health{DB: housetest.Open(t, d)}, viewer(housetest.Rivermark)
	var missing *health.Missing
	if _, err := h.Cache(t.Context(), by); !errors.As(err, &missing) || missing.Object != "bin_utilization_cache" || missing.Version != "0.0.16" || !missing.Applied {
		t.Errorf("Cache without bin_utilization_cache: %v", err)
	}
	if _, err := h.Statistics(t.Context(), by, time.Hour); !errors.As(err, &missing) || missing.Object != "bin_optimization_outliers" || !missing.Applied {
		t.Errorf("Statistics without bin_optimization_outliers: %v", err)
	}
}

func TestHealthBeforeAndAfterTheRelease(t *testing.T) {
	for _, c := range []struct {
		version     string
		notDeployed int
	}{{"0.0.18", 2}, {"0.0.22", 0}, {"0.0.14", 6}} {
		d := housetest.At(t, c.version)
		if c.version != "0.0.14" {
			warehouse(t, d)
		}
		h := postgres.Health{DB: housetest.Open(t, d)}
		service := health.NewService(h, time.Now, h, nil, discard)
		report, err := service.Run(t.Context(), housetest.Person(housetest.Rivermark, "run", actor.QALead))
		if err != nil {
			t.Fatalf("Run at %s: %v", c.version, err)
		}
		if got := len(report.NotDeployed()); got != c.notDeployed {
			t.Errorf("at %s %d checks are not deployed, want %d: %v", c.version, got, c.notDeployed, report.NotDeployed())
		}
		for _, r := range report.Results {
			if r.Level == health.Unhealthy {
				t.Errorf("at %s %s is unhealthy: %s", c.version, r.Check, r.Message)
			}
		}
	}
}

func TestHealthResultsAreKeptPerTenantAndForgotten(t *testing.T) {
	d := housetest.At(t, "")
	db := housetest.Open(t, d)
	h := postgres.Health{DB: db}
	ours, theirs := housetest.Person(housetest.Rivermark, "ours", actor.QALead), viewer(housetest.Saltway)
	report := func(level health.Level, value string) health.Report {
		r := health.Report{Run: uuid.Must(uuid.NewV7()), CheckedAt: time.Now()}
		for _, c := range health.Checks {
			r.Results = append(r.Results, health.Result{Check: c, Level: level, Value: value, Unit: "s", Message: "m", Took: 1500 * time.Microsecond})
		}
		return r
	}
	if r, err := h.Latest(t.Context(), ours); err != nil || len(r.Results) != 0 {
		t.Fatalf("Latest before any run = %+v, %v", r, err)
	}
	first, second := report(health.Unhealthy, ""), report(health.Degraded, "900.5")
	for _, r := range []health.Report{first, second} {
		if err := h.Keep(t.Context(), ours, r, health.Retention); err != nil {
			t.Fatalf("Keep: %v", err)
		}
	}
	ctx, meter := postgres.WithMeter(t.Context())
	got, err := h.Latest(ctx, ours)
	if err != nil || got.Run != second.Run || len(got.Results) != 8 || meter.Trips() != 1 {
		t.Fatalf("Latest = %+v, %v in %d trips", got, err, meter.Trips())
	}
	one := got.Results[1]
	if one.Check != health.CacheFreshness || one.Level != health.Degraded || one.Value != "900.5" || one.Unit != "s" || one.Took != 1500*time.Microsecond || one.CheckedAt.IsZero() {
		t.Errorf("a result came back as %+v", one)
	}
	if r, err := h.Latest(t.Context(), theirs); err != nil || len(r.Results) != 0 {
		t.Errorf("the other tenant sees %d of our results, %v", len(r.Results), err)
	}
	page, err := postgres.Audit{DB: db}.List(t.Context(), ours, audit.Query{Limit: 10, Action: "health:run"})
	if err != nil || len(page.Entries) != 2 || page.Entries[0].ObjectID != second.Run.String() {
		t.Errorf("a person's runs left %d audit entries, %v", len(page.Entries), err)
	}

	super(t, d, "UPDATE gatehouse.health_results SET checked_at = now() - interval '49 hours'")
	if err := h.Keep(t.Context(), housetest.Tenants()[0].Actor(actor.Worker, "health"), report(health.Healthy, "1"), health.Retention); err != nil {
		t.Fatal(err)
	}
	var rows int
	pool := pgtest.Pool(t, d.SuperURL)
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM gatehouse.health_results").Scan(&rows); err != nil || rows != 8 {
		t.Errorf("after 49 hours %d rows are left, want the 8 of the new run (%v)", rows, err)
	}
	page, err = postgres.Audit{DB: db}.List(t.Context(), ours, audit.Query{Limit: 10, Action: "health:run"})
	if err != nil || len(page.Entries) != 2 {
		t.Errorf("the scheduler's run is in the audit trail: %d entries, %v", len(page.Entries), err)
	}
}

// A run that an older program made, with fewer checks, is not healthy by what it left out.
func TestACheckThatAStoredRunLacksIsUnknown(t *testing.T) {
	h := postgres.Health{DB: housetest.Open(t, housetest.At(t, ""))}
	by := housetest.Person(housetest.Rivermark, "ours", actor.QALead)
	stored := health.Report{Run: uuid.Must(uuid.NewV7())}
	for _, c := range health.Checks[:7] {
		stored.Results = append(stored.Results, health.Result{Check: c, Level: health.Healthy, Message: "m"})
	}
	if err := h.Keep(t.Context(), by, stored, health.Retention); err != nil {
		t.Fatal(err)
	}
	got, err := h.Latest(t.Context(), by)
	if err != nil || len(got.Results) != len(health.Checks) || got.Level() != health.Unknown {
		t.Errorf("Latest of seven healthy checks = %s with %d results, %v; want unknown with all eight", got.Level(), len(got.Results), err)
	}
}

func TestSchedulersAreToldApart(t *testing.T) {
	d := housetest.At(t, "0.0.18")
	warehouse(t, d)
	h := postgres.Health{DB: housetest.Open(t, d)}
	by := viewer(housetest.Rivermark)
	r, err := h.Schedulers(t.Context(), by)
	if err != nil || len(r.Runs) != 0 || r.CronInstalled || r.CronJob {
		t.Fatalf("Schedulers before anything ran = %+v, %v", r, err)
	}
	super(t, d, "UPDATE bin_utilization_cache SET lot_count = 7 WHERE tenant_id = '"+housetest.Saltway.String()+"'")
	turn, err := h.Reconcile(t.Context(), "river")
	if err != nil || turn.Outcome != "SUCCESS" || turn.PutRight != 1 || turn.Checked != 2 {
		t.Fatalf("Reconcile = %+v, %v", turn, err)
	}
	r, err = h.Schedulers(t.Context(), by)
	if err != nil || len(r.Runs) != 1 || r.Runs[0].Scheduler != "river" || r.Runs[0].LastSuccess.IsZero() || !r.Runs[0].LastFailure.IsZero() || r.PutRight != 1 {
		t.Fatalf("Schedulers after a turn = %+v, %v", r, err)
	}

	// pg_cron as it looks from outside: first closed to us, then without a job, then with one.
	super(t, d, "CREATE SCHEMA cron; CREATE TABLE cron.job (jobname text, command text, active boolean)")
	for _, step := range []struct {
		do                       string
		installed, readable, job bool
	}{
		{"SELECT 1", true, false, false},
		{"GRANT USAGE ON SCHEMA cron TO gatehouse_app; GRANT SELECT ON cron.job TO gatehouse_app", true, true, false},
		{"INSERT INTO cron.job VALUES ('vacuum', 'VACUUM', true), ('refresh_bin_util', 'SELECT 1', false)", true, true, false},
		{"INSERT INTO cron.job VALUES ('x', 'SELECT public.scheduled_refresh_bin_utilization()', true)", true, true, true},
	} {
		super(t, d, step.do)
		r, err := h.Schedulers(t.Context(), by)
		if err != nil || r.CronInstalled != step.installed || r.CronReadable != step.readable || r.CronJob != step.job {
			t.Errorf("after %q: %+v, %v", step.do, r, err)
		}
	}
}

func TestReconcileThatFailsIsWrittenDown(t *testing.T) {
	d := housetest.At(t, "0.0.18")
	warehouse(t, d)
	h := postgres.Health{DB: housetest.Open(t, d)}
	super(t, d, "ALTER VIEW bin_utilization_summary RENAME TO elsewhere")
	turn, err := h.Reconcile(t.Context(), "river")
	if err != nil || turn.Outcome != "FAILURE" || turn.Error == "" {
		t.Fatalf("Reconcile = %+v, %v", turn, err)
	}
	r, err := h.Schedulers(t.Context(), viewer(housetest.Rivermark))
	if err != nil || len(r.Runs) != 1 || !r.Runs[0].LastSuccess.IsZero() || r.Runs[0].LastFailure.IsZero() || r.Runs[0].LastError != turn.Error {
		t.Errorf("Schedulers = %+v, %v", r, err)
	}
}

func TestReconcileBeforeItsMigration(t *testing.T) {
	d := housetest.At(t, "0.0.16")
	h := postgres.Health{DB: housetest.Open(t, d)}
	turn, err := h.Reconcile(t.Context(), "river")
	if err != nil || turn.Outcome != "NOT_DEPLOYED" {
		t.Errorf("Reconcile at 0.0.16 = %+v, %v", turn, err)
	}
}

func TestReconcileWhoseFunctionIsGoneHasFailed(t *testing.T) {
	d := housetest.At(t, "0.0.18")
	h := postgres.Health{DB: housetest.Open(t, d)}
	super(t, d, "DROP FUNCTION reconcile_bin_utilization")
	turn, err := h.Reconcile(t.Context(), "river")
	if err == nil || turn.Outcome != "FAILURE" || !strings.Contains(turn.Error, "counts as applied") {
		t.Errorf("Reconcile without its function = %+v, %v", turn, err)
	}
}

func TestConsoleSchema(t *testing.T) {
	d := housetest.At(t, "")
	h := postgres.Health{DB: housetest.Open(t, d)}
	version, dirty, err := h.ConsoleSchema(t.Context())
	if err != nil || dirty || version < 1000 {
		t.Errorf("ConsoleSchema = %d, %v, %v", version, dirty, err)
	}
	bare := pgtest.Open(t)
	db, err := postgres.Open(t.Context(), bare.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if _, _, err := (postgres.Health{DB: db}).ConsoleSchema(t.Context()); !fault.Is(err, fault.NotFound) {
		t.Errorf("ConsoleSchema of a bare database: %v, want not found", err)
	}
}

// The accuracy of a week must not cost months of history: both tables are probed through an index.
func TestHealthProbesUseIndexes(t *testing.T) {
	d := housetest.At(t, "0.0.22")
	warehouse(t, d)
	super(t, d, fmt.Sprintf(`
INSERT INTO putaway_recommendations (tenant_id, facility_id, lot_number, material_id, quantity, recommended_location_id, algorithm_used, confidence_score, accepted, decided_at)
SELECT '%s', '%s', 'L', '%s', 1, '%s', 'x', 0.9, true, now() - n * interval '5 minutes' FROM generate_series(1, 20000) n;
ANALYZE putaway_recommendations; ANALYZE bin_utilization_cache`, housetest.Rivermark, thing('a', 0), thing('c', 0), thing('b', 0)))
	pool := pgtest.Pool(t, d.AppURL)
	for name, query := range map[string]string{
		"HealthDecisions": strings.ReplaceAll(postgres.Statements["HealthDecisions"], "@seconds", "604800"),
		"HealthCache":     postgres.Statements["HealthCache"],
	} {
		tx, err := pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "SELECT set_config('app.current_tenant_id', $1, true)", housetest.Rivermark.String()); err != nil {
			t.Fatal(err)
		}
		rows, err := tx.Query(t.Context(), "EXPLAIN "+query)
		if err != nil {
			t.Fatal(err)
		}
		var plan strings.Builder
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			plan.WriteString(line + "\n")
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(plan.String(), "Seq Scan on putaway_recommendations") {
			t.Errorf("%s reads the whole table:\n%s", name, plan.String())
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
