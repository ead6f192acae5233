package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func TestFactsBeforeAndAfterTheRelease(t *testing.T) {
	by := viewer(housetest.Rivermark)
	checks := map[string]func(context.Context, postgres.Checks) (postgres.Fact, error){
		"database": func(ctx context.Context, c postgres.Checks) (postgres.Fact, error) {
			return c.DatabaseConnection(ctx, by)
		},
		"last 18": func(ctx context.Context, c postgres.Checks) (postgres.Fact, error) {
			return c.SchemaVersionLast(ctx, by, "0.0.20")
		},
		"three": func(ctx context.Context, c postgres.Checks) (postgres.Fact, error) {
			return c.SchemaVersions(ctx, by, []string{"0.0.20", "0.0.21", "0.0.22"})
		},
		"baseline": func(ctx context.Context, c postgres.Checks) (postgres.Fact, error) {
			return c.SchemaVersions(ctx, by, []string{"0.0.15", "0.0.16", "0.0.18"})
		},
		"tables":   func(ctx context.Context, c postgres.Checks) (postgres.Fact, error) { return c.TablesNine(ctx, by) },
		"matviews": func(ctx context.Context, c postgres.Checks) (postgres.Fact, error) { return c.MatviewsTwo(ctx, by) },
		"constraint": func(ctx context.Context, c postgres.Checks) (postgres.Fact, error) {
			return c.ConstraintConfidence(ctx, by)
		},
	}
	for version, want := range map[string]map[string]bool{
		"0.0.18": {"database": true, "last 18": true, "baseline": true, "three": false, "tables": false, "matviews": false, "constraint": false},
		"0.0.21": {"database": true, "last 18": false, "baseline": true, "three": false, "tables": false, "matviews": false, "constraint": true},
		"0.0.22": {"database": true, "last 18": false, "baseline": true, "three": true, "tables": true, "matviews": true, "constraint": true},
	} {
		d := housetest.At(t, version)
		warehouse(t, d)
		c := postgres.Checks{DB: housetest.Open(t, d)}
		for name, check := range checks {
			got, err := check(t.Context(), c)
			if err != nil || got.OK != want[name] || got.Summary == "" || got.Query == "" || got.Value == nil {
				t.Errorf("%s at %s = %+v, %v; want OK %v", name, version, got, err, want[name])
			}
		}
	}
}

func TestMatviewsMustBePopulatedAndTablesBeTables(t *testing.T) {
	d := housetest.At(t, "0.0.22")
	c := postgres.Checks{DB: housetest.Open(t, d)}
	by := viewer(housetest.Rivermark)
	super(t, d, "REFRESH MATERIALIZED VIEW bin_optimization_statistical_summary WITH NO DATA")
	if got, err := c.MatviewsTwo(t.Context(), by); err != nil || got.OK || !strings.Contains(got.Summary, "bin_optimization_statistical_summary is not populated") {
		t.Errorf("MatviewsTwo = %+v, %v", got, err)
	}
	super(t, d, "ALTER TABLE cross_dock_cancellations DISABLE ROW LEVEL SECURITY; ALTER TABLE bin_optimization_remediation_log DROP CONSTRAINT bin_optimization_remediation_log_pkey")
	got, err := c.TablesNine(t.Context(), by)
	if err != nil || got.OK || !strings.Contains(got.Summary, "cross_dock_cancellations has no row-level security") || !strings.Contains(got.Summary, "remediation_log has no primary key") {
		t.Errorf("TablesNine = %+v, %v", got, err)
	}
	super(t, d, "ALTER TABLE bin_optimization_outliers RENAME TO was_outliers; CREATE VIEW bin_optimization_outliers AS SELECT 1 AS one")
	if got, err := c.TablesNine(t.Context(), by); err != nil || got.OK || !strings.Contains(got.Summary, "6 of 9") || !strings.Contains(got.Summary, "is no table") {
		t.Errorf("TablesNine = %+v, %v", got, err)
	}
}

func TestConstraintCheckProvesSomethingAndLeavesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		harm string
		ok   bool
		says string
	}{
		"as deployed":          {"SELECT 1", true, "refused by chk_confidence_score_range (SQLSTATE 23514)"},
		"constraint dropped":   {"ALTER TABLE putaway_recommendations DROP CONSTRAINT chk_confidence_score_range", false, "was accepted"},
		"another constraint":   {"ALTER TABLE putaway_recommendations DROP CONSTRAINT chk_confidence_score_range, ADD CONSTRAINT other CHECK (confidence_score < 1.2)", false, "another reason"},
		"another SQLSTATE":     {"ALTER TABLE putaway_recommendations DROP CONSTRAINT chk_confidence_score_range, ALTER confidence_score TYPE numeric(3,3)", false, "SQLSTATE 22003"},
		"nothing is accepted":  {"ALTER TABLE putaway_recommendations ADD CONSTRAINT never CHECK (quantity > 1000)", false, "prove nothing"},
		"a tenant without bin": {"UPDATE inventory_locations SET is_active = false", false, "Unknown: this tenant has no active bin"},
	} {
		d := housetest.At(t, "0.0.22")
		warehouse(t, d)
		super(t, d, c.harm)
		got, err := (postgres.Checks{DB: housetest.Open(t, d)}).ConstraintConfidence(t.Context(), viewer(housetest.Rivermark))
		if err != nil || got.OK != c.ok || !strings.Contains(got.Summary, c.says) {
			t.Errorf("%s: %+v, %v; want OK %v and %q", name, got, err, c.ok, c.says)
		}
		var left int
		if err := pgtest.Pool(t, d.SuperURL).QueryRow(t.Context(), "SELECT count(*) FROM putaway_recommendations").Scan(&left); err != nil || left != 0 {
			t.Errorf("%s: %d rows were left behind, %v", name, left, err)
		}
	}
}

func TestConstraintCheckUsesItsOwnTenantsData(t *testing.T) {
	d := housetest.At(t, "0.0.22")
	warehouse(t, d)
	super(t, d, fmt.Sprintf("UPDATE materials SET deleted_at = now() WHERE tenant_id = '%s'", housetest.Saltway))
	c := postgres.Checks{DB: housetest.Open(t, d)}
	for _, by := range []actor.Actor{viewer(housetest.Rivermark), viewer(housetest.Saltway)} {
		got, err := c.ConstraintConfidence(t.Context(), by)
		if err != nil || got.OK != (by.Tenant == housetest.Rivermark) {
			t.Errorf("%s: %+v, %v", by.TenantCode, got, err)
		}
	}
}
