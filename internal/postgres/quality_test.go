package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/quality"
)

func TestQualityShowsOnlyItsOwnTenant(t *testing.T) {
	d := housetest.At(t, "0.0.22")
	warehouse(t, d)
	super(t, d, fmt.Sprintf(`
INSERT INTO material_dimension_verifications (tenant_id, material_id, facility_id, measured_cubic_feet, measured_weight_lbs, cubic_feet_variance_pct, verification_status, verified_by)
VALUES ('%[1]s', '%[3]s', '%[2]s', 1, 1, -4.5, 'VERIFIED', '%[4]s');
INSERT INTO bin_optimization_statistical_metrics (tenant_id, facility_id, measurement_timestamp, measurement_period_start, measurement_period_end, avg_volume_utilization, avg_weight_utilization, sample_size)
SELECT '%[1]s', '%[2]s', now() - n * interval '1 day', now() - (n + 1) * interval '1 day', now() - n * interval '1 day', 70 - n, 50, 30 FROM generate_series(0, 9) n;
INSERT INTO bin_optimization_outliers (tenant_id, facility_id, metric_name, metric_value, detection_method, outlier_severity, outlier_type)
VALUES ('%[1]s', '%[2]s', 'm', 1, 'IQR', 'SEVERE', 'HIGH'), ('%[1]s', '%[2]s', 'n', 1, 'IQR', 'MILD', 'HIGH')`,
		housetest.Rivermark, thing('a', 0), thing('c', 0), thing('d', 0)))
	q := postgres.Quality{DB: housetest.Open(t, d)}
	ours, theirs := viewer(housetest.Rivermark), viewer(housetest.Saltway)

	before, err := q.Metrics(t.Context(), ours, uuid.NullUUID{}, 10)
	if err != nil || len(before) != 0 {
		t.Fatalf("a read computed the figures: %+v, %v", before, err)
	}
	if failed, err := q.RefreshSummaries(t.Context(), time.Hour); err != nil || len(failed) != 0 {
		t.Fatalf("RefreshSummaries = %v, %v", failed, err)
	}
	if got, err := q.Metrics(t.Context(), ours, uuid.NullUUID{}, 10); err != nil || len(got) != 0 {
		t.Fatalf("summaries of this hour were computed again: %+v, %v", got, err)
	}
	if failed, err := q.RefreshSummaries(t.Context(), 0); err != nil || len(failed) != 0 {
		t.Fatalf("RefreshSummaries = %v, %v", failed, err)
	}

	got, err := q.Metrics(t.Context(), ours, uuid.NullUUID{}, 10)
	if err != nil || len(got) != 1 {
		t.Fatalf("Metrics = %+v, %v", got, err)
	}
	if m := got[0]; m.Facility != thing('a', 0) || m.FacilityName != "Facility 1" || m.MaterialsVerified != 1 || m.AvgCubicFeetVariancePct != 4.5 || m.AvgWeightVariancePct != 0 || m.AsOf.IsZero() {
		t.Errorf("Metrics = %+v", m)
	}
	s, ok, err := q.Summary(t.Context(), ours, thing('a', 0))
	if err != nil || !ok {
		t.Fatalf("Summary = %v, %v", ok, err)
	}
	if s.AvgUtilization != 70 || s.UtilizationTrend != quality.Improving || s.AcceptanceRate != nil || s.MeasurementsIn30Days != 10 || !s.EnoughData || s.ActiveOutliers != 2 || s.CriticalOutliers != 1 {
		t.Errorf("Summary = %+v", s)
	}

	// Another tenant's facility is answered like one that does not exist.
	for name, facility := range map[string]uuid.UUID{"foreign": thing('a', 0), "unknown": uuid.Must(uuid.NewV7())} {
		metrics, err := q.Metrics(t.Context(), theirs, uuid.NullUUID{UUID: facility, Valid: true}, 10)
		if err != nil || len(metrics) != 0 {
			t.Errorf("%s facility: Metrics = %+v, %v", name, metrics, err)
		}
		if _, ok, err := q.Summary(t.Context(), theirs, facility); err != nil || ok {
			t.Errorf("%s facility: Summary = %v, %v", name, ok, err)
		}
	}
	if all, err := q.Metrics(t.Context(), theirs, uuid.NullUUID{}, 10); err != nil || len(all) != 1 || all[0].Facility != thing('a', 1) {
		t.Errorf("the other tenant's Metrics = %+v, %v", all, err)
	}
}

func TestQualityBeforeItsMigrationsAndWithoutData(t *testing.T) {
	d := housetest.At(t, "0.0.18")
	q := postgres.Quality{DB: housetest.Open(t, d)}
	by := viewer(housetest.Rivermark)
	var missing *quality.NotDeployed
	if _, err := q.Metrics(t.Context(), by, uuid.NullUUID{}, 10); !errors.As(err, &missing) || missing.Version != "0.0.20" {
		t.Errorf("Metrics at 0.0.18: %v", err)
	}
	if _, _, err := q.Summary(t.Context(), by, thing('a', 0)); !errors.As(err, &missing) || missing.Version != "0.0.22" {
		t.Errorf("Summary at 0.0.18: %v", err)
	}
	if failed, err := q.RefreshSummaries(t.Context(), 0); err != nil || len(failed) != 0 {
		t.Errorf("RefreshSummaries at 0.0.18 = %v, %v", failed, err)
	}

	gone := housetest.At(t, "0.0.22")
	super(t, gone, "DROP VIEW bin_optimization_data_quality_for_tenant, bin_optimization_statistical_summary_for_tenant")
	q = postgres.Quality{DB: housetest.Open(t, gone)}
	if _, err := q.Metrics(t.Context(), by, uuid.NullUUID{}, 10); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Metrics whose view is gone: %v, want unavailable", err)
	}
	if _, _, err := q.Summary(t.Context(), by, thing('a', 0)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Summary whose view is gone: %v, want unavailable", err)
	}

	restored := housetest.At(t, "0.0.22")
	super(t, restored, "REFRESH MATERIALIZED VIEW bin_optimization_data_quality WITH NO DATA")
	q = postgres.Quality{DB: housetest.Open(t, restored)}
	if _, err := q.Metrics(t.Context(), by, uuid.NullUUID{}, 10); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Metrics of a summary restored without data: %v, want unavailable", err)
	}
}

// TestASummaryWithoutItsUniqueIndexSaysSo: the index is looked for before the refresh, and named; the other summary is not
// kept from its own.
func TestASummaryWithoutItsUniqueIndexSaysSo(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "0.0.22")
	q := postgres.Quality{DB: housetest.Open(t, d)}
	if failed, err := q.RefreshSummaries(t.Context(), 0); err != nil || len(failed) != 0 {
		t.Fatalf("RefreshSummaries = %v, %v", failed, err)
	}
	_, err := pgtest.Pool(t, d.OwnerURL).Exec(t.Context(), `DO $$ DECLARE i regclass; BEGIN
		FOR i IN SELECT indexrelid FROM pg_index WHERE indrelid = 'public.bin_optimization_data_quality'::regclass AND indisunique LOOP EXECUTE 'DROP INDEX ' || i; END LOOP; END $$`)
	if err != nil {
		t.Fatal(err)
	}
	failed, err := q.RefreshSummaries(t.Context(), 0)
	if err != nil || len(failed) != 1 || !strings.HasPrefix(failed[0], "bin_optimization_data_quality: it has no valid unique index") {
		t.Errorf("RefreshSummaries = %q, %v; want the view and what it lacks", failed, err)
	}
}
