package migrations_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// systemTables have no tenant. Anything else without one is a mistake.
var systemTables = map[string]bool{"cache_refresh_status": true}

func TestEveryTableBelongsToATenant(t *testing.T) {
	t.Parallel()
	owner := connect(t, at(t, 22).OwnerURL)
	tables := rows(t, owner, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1")
	if len(tables) < 27 {
		t.Fatalf("only %d tables in schema public", len(tables))
	}
	for _, table := range tables {
		if systemTables[table] {
			continue
		}
		if got := one(t, owner, "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = $1::regclass", table); got != "t f" {
			t.Errorf("%s: row security enabled, forced: %s, want t f", table, got)
		}
		policies := rows(t, owner, "SELECT policyname, permissive, roles, cmd, qual, with_check FROM pg_policies WHERE schemaname = 'public' AND tablename = $1", table)
		want := []string{"tenant PERMISSIVE {public} ALL (tenant_id = current_tenant()) (tenant_id = current_tenant())"}
		if diff := cmp.Diff(want, policies); diff != "" {
			t.Errorf("policies of %s (-want +got):\n%s", table, diff)
		}
		if got := one(t, owner, `SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
			WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indpred IS NULL AND a.attname = 'tenant_id'`, table); got == "0" {
			t.Errorf("%s has no unique key that leads with tenant_id", table)
		}
	}
}

// TestForeignKeysStayInTheTenant: a foreign key to anything but the tenant itself carries the tenant along.
func TestForeignKeysStayInTheTenant(t *testing.T) {
	t.Parallel()
	owner := connect(t, at(t, 22).OwnerURL)
	loose := rows(t, owner, `SELECT conrelid::regclass, conname FROM pg_constraint c
		WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND confrelid <> 'public.tenants'::regclass
		AND (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]) <> 'tenant_id' ORDER BY 1, 2`)
	if len(loose) > 0 {
		t.Errorf("foreign keys that could point into another tenant: %q", loose)
	}
	db, conn := stocked(t, 14)
	_ = db
	_, err := conn.Exec(t.Context(), addLot, theirs, "20000000-0000-7000-8000-00000000000f", "L1", "20000000-0000-7000-8000-0000000000b1", binA, 1)
	if got, want := sqlState(err), "23503"; got != want {
		t.Errorf("their lot in our bin: SQLSTATE %q, want %s", got, want)
	}
}

func TestNoTimestampWithoutTimeZone(t *testing.T) {
	t.Parallel()
	owner := connect(t, at(t, 22).OwnerURL)
	if bare := rows(t, owner, `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'`); len(bare) > 0 {
		t.Errorf("times without a zone: %q", bare)
	}
}

func TestTheApplicationOwnsNothing(t *testing.T) {
	t.Parallel()
	owner := connect(t, at(t, 22).OwnerURL)
	if owned := rows(t, owner, `SELECT relname FROM pg_class WHERE relowner = 'gatehouse_app'::regrole
		UNION ALL SELECT proname FROM pg_proc WHERE proowner = 'gatehouse_app'::regrole`); len(owned) > 0 {
		t.Errorf("gatehouse_app owns %q", owned)
	}
	if reach := rows(t, owner, `SELECT relname FROM pg_class WHERE relkind = 'm' AND relnamespace = 'public'::regnamespace
		AND (has_table_privilege('gatehouse_app', oid, 'SELECT') OR has_table_privilege('wms_application_role', oid, 'SELECT'))`); len(reach) > 0 {
		t.Errorf("materialized views, which know no row level security, that an application may read: %q", reach)
	}
	// Evidence is written once; only what a workflow moves on may be changed, and nothing may be deleted.
	evidence := rows(t, owner, `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
		AND has_table_privilege('gatehouse_app', oid, 'DELETE') ORDER BY 1`)
	if diff := cmp.Diff([]string{"warehouse_optimization_settings"}, evidence); diff != "" {
		t.Errorf("tables the application may delete from (-want +got):\n%s", diff)
	}
	for _, table := range []string{"material_dimension_verifications", "bin_optimization_remediation_log"} {
		if got := one(t, owner, "SELECT has_any_column_privilege('gatehouse_app', $1, 'UPDATE')", table); got != "f" {
			t.Errorf("the application may update %s, which is evidence", table)
		}
	}
}

func TestViewsAskAsWhoeverReads(t *testing.T) {
	t.Parallel()
	owner := connect(t, at(t, 22).OwnerURL)
	got := rows(t, owner, "SELECT relname, array_to_string(reloptions, ',') FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace ORDER BY 1")
	want := []string{
		"aisle_congestion_metrics security_invoker=true", "bin_optimization_data_quality_for_tenant security_barrier=true",
		"bin_optimization_statistical_summary_for_tenant security_barrier=true", "bin_utilization_summary security_invoker=true",
		"material_velocity_analysis security_invoker=true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("views and how they see (-want +got):\n%s", diff)
	}
}

// TestFunctionsWithTheOwnersRights: each pins its search_path and is callable by no stranger.
func TestFunctionsWithTheOwnersRights(t *testing.T) {
	t.Parallel()
	owner := connect(t, at(t, 22).OwnerURL)
	all := rows(t, owner, `SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace`)
	if len(all) != 11 {
		t.Errorf("%d functions run with the owner's rights, want 11: %q", len(all), all)
	}
	if loose := rows(t, owner, `SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace
		AND (NOT COALESCE(proconfig, '{}') @> ARRAY['search_path=pg_catalog, pg_temp'] OR has_function_privilege('public', oid, 'EXECUTE'))`); len(loose) > 0 {
		t.Errorf("with an open search_path, or callable by everybody: %q", loose)
	}
	if may := rows(t, owner, `SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace
		AND has_function_privilege('gatehouse_app', oid, 'EXECUTE') ORDER BY 1`); !cmp.Equal(may, []string{
		"reconcile_bin_utilization", "refresh_bin_optimization_view", "refresh_bin_utilization_for_location",
	}) {
		t.Errorf("functions the application may call: %q", may)
	}
}

// TestWhatTheRequirementVerifies is its own list of what must be there after deployment.
func TestWhatTheRequirementVerifies(t *testing.T) {
	t.Parallel()
	owner := connect(t, at(t, 22).OwnerURL)
	tables := rows(t, owner, `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name = ANY ($1) ORDER BY 1`, []string{
		"material_dimension_verifications", "capacity_validation_failures", "cross_dock_cancellations", "bin_optimization_remediation_log",
		"bin_optimization_statistical_metrics", "bin_optimization_ab_test_results", "bin_optimization_correlation_analysis",
		"bin_optimization_statistical_validations", "bin_optimization_outliers",
	})
	if got, want := len(tables), 9; got != want {
		t.Errorf("%d of the nine new tables: %q", got, tables)
	}
	views := rows(t, owner, "SELECT matviewname, ispopulated FROM pg_matviews WHERE schemaname = 'public' ORDER BY 1")
	if diff := cmp.Diff([]string{"bin_optimization_data_quality t", "bin_optimization_statistical_summary t"}, views); diff != "" {
		t.Errorf("materialized views, populated (-want +got):\n%s", diff)
	}
	if got, want := one(t, owner, `SELECT data_type, numeric_precision, numeric_scale FROM information_schema.columns
		WHERE table_name = 'putaway_recommendations' AND column_name = 'confidence_score'`), "numeric 4 3"; got != want {
		t.Errorf("confidence_score is %s, want %s", got, want)
	}
	if got, want := one(t, owner, "SELECT pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE conname = 'chk_confidence_score_range'"),
		"CHECK (((confidence_score >= (0)::numeric) AND (confidence_score <= (1)::numeric))) t"; got != want {
		t.Errorf("chk_confidence_score_range is %s, want %s", got, want)
	}
	names := rows(t, owner, "SELECT DISTINCT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN ('lots'::regclass, 'inventory_transactions'::regclass) ORDER BY 1")
	want := []string{
		"after_lot_delete_refresh_bin_util", "after_lot_insert_refresh_bin_util", "after_lot_truncate_mark_bin_util",
		"after_lot_update_refresh_bin_util", "after_transaction_refresh_bin_util",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("triggers (-want +got):\n%s", diff)
	}
}
