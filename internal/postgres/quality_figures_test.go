package postgres_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/quality"
)

// stocked adds materials of a tenant, each with a lot; the variance of the newest measurement of the nth is the nth of the list.
const stocked = `
INSERT INTO materials (tenant_id, material_id, material_code, material_name, material_type)
SELECT '%[1]s', ('00000000-0000-7000-9000-%[5]s0000000' || lpad(n::text, 4, '0'))::uuid, 'N' || n, 'N', 'INK' FROM generate_series(1, %[6]d) n;
INSERT INTO lots (tenant_id, facility_id, lot_number, material_id, original_quantity, quantity_on_hand, quantity_available, received_date)
SELECT '%[1]s', '%[2]s', 'L' || n || '-' || k, ('00000000-0000-7000-9000-%[5]s0000000' || lpad(n::text, 4, '0'))::uuid, 1, 1, 1, now() FROM generate_series(1, %[6]d) n, generate_series(1, 2) k;
INSERT INTO material_dimension_verifications (tenant_id, material_id, facility_id, measured_cubic_feet, measured_weight_lbs, cubic_feet_variance_pct, verification_status, verified_by, verified_at, first_measurement, variance_threshold_exceeded)
SELECT '%[1]s', ('00000000-0000-7000-9000-%[5]s0000000' || lpad(n::text, 4, '0'))::uuid, '%[2]s', 1, 1, pct,
       CASE WHEN abs(pct) > 10 THEN 'VARIANCE_DETECTED' ELSE 'VERIFIED' END, '%[4]s', now() - age, pct IS NULL, abs(COALESCE(pct, 0)) > 10
  FROM (VALUES %[7]s) m (n, pct, age)`

func TestQualityFiguresAreThoseOfTheDay(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "0.0.22")
	warehouse(t, d)
	day := "interval '1 day'"
	// Of eleven materials ten were measured: one exactly at the limit, one just over it, one only long ago, one for the first time;
	// of the tenth only the older measurement was accepted.
	super(t, d, fmt.Sprintf(stocked, housetest.Rivermark, thing('a', 0), "", thing('d', 0), "1", 11, fmt.Sprintf(
		`(1, 0.0, %[1]s), (2, 10.0, %[1]s), (3, 10.01, %[1]s), (4, -10.01, %[1]s), (5, -20.01, %[1]s), (6, 20.0, %[1]s), (7, 2.0, 90 * %[1]s), (8, 2.0, 91 * %[1]s), (9, NULL, %[1]s), (10, 1.0, 2 * %[1]s), (10, 30.0, %[1]s)`, day)))
	super(t, d, fmt.Sprintf(stocked, housetest.Saltway, thing('a', 1), "", thing('d', 1), "2", 3, fmt.Sprintf(`(1, 50.0, %[1]s), (2, 50.0, %[1]s), (3, 50.0, %[1]s)`, day)))
	super(t, d, fmt.Sprintf(`
INSERT INTO capacity_validation_failures (tenant_id, facility_id, location_id, material_id, lot_number, required_cubic_feet, available_cubic_feet, required_weight_lbs, available_weight_lbs, failure_type, severity, last_seen_at)
SELECT '%[1]s'::uuid, '%[2]s'::uuid, '%[4]s'::uuid, '%[3]s'::uuid, 'L' || n, 2, 1, 1, 2, 'CUBIC_FEET_EXCEEDED', 'CRITICAL', now() - n * interval '10 hours' FROM generate_series(1, 4) n`,
		housetest.Rivermark, thing('a', 0), thing('c', 0), thing('b', 0)))
	db := housetest.Open(t, d)
	service := quality.NewService(postgres.Quality{DB: db})
	if failed, err := (postgres.Quality{DB: db}).RefreshSummaries(t.Context(), 0); err != nil || len(failed) > 0 {
		t.Fatal(failed, err)
	}
	ours, theirs := viewer(housetest.Rivermark), viewer(housetest.Saltway)

	r, err := service.Report(t.Context(), ours)
	if err != nil || r.Standing() != quality.Never || len(r.Facilities) != 1 || len(r.Facilities[0].Days) != 0 {
		t.Fatalf("before anything was computed: %+v, %v", r, err)
	}
	for range 2 { // a second turn of the same day writes over the first
		if err := service.Compute(t.Context(), schedulerOf(ours)); err != nil {
			t.Fatal(err)
		}
	}
	r, err = service.Report(t.Context(), ours)
	if err != nil || r.Standing() != quality.Fresh || len(r.Facilities) != 1 || len(r.Facilities[0].Days) != 1 {
		t.Fatalf("Report = %+v, %v", r, err)
	}
	got, _ := r.Facilities[0].Now()
	want := quality.Day{
		Facility: thing('a', 0), Held: 11, Due: 6, // 3, 4, 5, 6, 8 and 11; the one of 90 days is verified yet
		Failures24h: 2, Unresolved24h: 2, Unresolved: 4, ByVariance: [quality.Bands]int{1, 1, 0, 3, 1, 2, 1}, FirstMeasured: 1,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(quality.Day{}, "Day", "ComputedAt")); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
	if got.Measured() != 10 {
		t.Errorf("%d materials were measured, want 10", got.Measured())
	}

	// The other company has neither ours nor, until its own turn, any.
	other, err := service.Report(t.Context(), theirs)
	if err != nil || other.Standing() != quality.Never || len(other.Facilities) != 1 || other.Facilities[0].Facility != thing('a', 1) || len(other.Facilities[0].Days) != 0 {
		t.Errorf("the other company's report: %+v, %v", other, err)
	}
}

func TestQualityThatCannotBeComputedSaysSinceWhen(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "0.0.22")
	warehouse(t, d)
	db := housetest.Open(t, d)
	service := quality.NewService(postgres.Quality{DB: db})
	by := viewer(housetest.Rivermark)
	if err := service.Compute(t.Context(), schedulerOf(by)); err != nil {
		t.Fatal(err)
	}
	super(t, d, "REVOKE SELECT ON lots FROM gatehouse_app")
	for range 2 {
		if err := service.Compute(t.Context(), schedulerOf(by)); err == nil {
			t.Fatal("computing them without a table that they are of succeeded")
		}
	}
	r, err := service.Report(t.Context(), by)
	if err != nil || r.Standing() != quality.Failing || r.Failure == "" || r.ComputedAt.IsZero() || r.FailingSince.Before(r.ComputedAt) {
		t.Errorf("after a failure: %+v, %v", r, err)
	}
	since := r.FailingSince
	super(t, d, "GRANT SELECT ON lots TO gatehouse_app")
	if err := service.Compute(t.Context(), schedulerOf(by)); err != nil {
		t.Fatal(err)
	}
	r, err = service.Report(t.Context(), by)
	if err != nil || r.Standing() != quality.Fresh || !r.ComputedAt.After(since) {
		t.Errorf("after it was put right: %+v, %v", r, err)
	}
	r.At = r.ComputedAt.Add(quality.StaleAfter + time.Second)
	if r.Standing() != quality.Stale {
		t.Errorf("half an hour later it is %s, want stale", r.Standing())
	}
}

func TestQualityFiguresBeforeTheirMigration(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "0.0.18")
	service := quality.NewService(postgres.Quality{DB: housetest.Open(t, d)})
	by := viewer(housetest.Rivermark)
	if err := service.Compute(t.Context(), schedulerOf(by)); err != nil {
		t.Errorf("Compute before V0.0.20 = %v, want nothing to do", err)
	}
	var missing *quality.NotDeployed
	if _, err := service.Report(t.Context(), by); !errors.As(err, &missing) {
		t.Errorf("Report before V0.0.20 = %v, want not deployed", err)
	}
	nobody := by
	nobody.Roles = nil
	if _, err := service.Report(t.Context(), nobody); !fault.Is(err, fault.Forbidden) {
		t.Errorf("Report to nobody = %v, want forbidden", err)
	}
}
