package migrator_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// byHand runs files as another tool would: without a ledger of ours.
func byHand(t testing.TB, db *pgtest.Database, m *migrator.Migrator, versions ...string) {
	t.Helper()
	for _, text := range versions {
		file, _ := m.Files().Up(v(t, text))
		exec(t, db.OwnerURL, file.SQL)
	}
}

func proven(a migrator.Adoption) []string {
	var list []string
	for _, p := range a.Proofs {
		list = append(list, p.Version.String())
	}
	return list
}

func TestAdoptProvesWhatWasAppliedByHand(t *testing.T) {
	t.Parallel()
	db := empty(t)
	m := warehouse(t, db)
	byHand(t, db, m, "0.0.14", "0.0.15", "0.0.16", "0.0.18")
	exec(t, db.OwnerURL, "CREATE TABLE public.flyway_schema_history (version text); INSERT INTO public.flyway_schema_history VALUES ('99')")
	if _, err := m.Adopt(t.Context(), setUp, v(t, "0.0.18"), " "); !refusedAs(err, fault.Invalid) {
		t.Errorf("Adopt without a reason = %v, want Invalid", err)
	}

	a, err := m.Adopt(t.Context(), setUp, v(t, "0.0.18"), "applied by hand")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0.0.14", "0.0.15", "0.0.16", "0.0.18"}, proven(a)); diff != "" || a.Stopped != 0 {
		t.Fatalf("proven (-want +got):\n%sstopped at %s by %v", diff, a.Stopped, a.Lacking)
	}
	if diff := cmp.Diff([]string{"public.flyway_schema_history says: 99"}, a.Hints); diff != "" {
		t.Errorf("hints (-want +got):\n%s", diff)
	}
	notice := one[string](t, db.OwnerURL, "SELECT notices FROM gatehouse.migration_ledger WHERE version = '0.0.18'")
	if !strings.Contains(notice, a.Proofs[3].SHA256) || !strings.Contains(notice, "applied by hand") {
		t.Errorf("the ledger says %q, want the proof's hash and the reason", notice)
	}
	if err := step(t, m, migration.Up, "0.0.20"); err != nil {
		t.Errorf("the next step after the adoption: %v", err)
	}
	if list := differences(t, m); len(list) > 0 {
		t.Errorf("drift after the next step: %+v", list)
	}
}

func TestAdoptStopsWhereTheProofStops(t *testing.T) {
	t.Parallel()
	db := empty(t)
	m := warehouse(t, db)
	byHand(t, db, m, "0.0.14", "0.0.15", "0.0.16", "0.0.18")
	exec(t, db.OwnerURL, "DROP TRIGGER after_lot_insert_refresh_bin_util ON public.lots")
	a, err := m.Adopt(t.Context(), setUp, v(t, "0.0.18"), "applied by hand")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0.0.14", "0.0.15", "0.0.16"}, proven(a)); diff != "" || a.Stopped != v(t, "0.0.18") {
		t.Errorf("proven (-want +got):\n%sstopped at %s, want 0.0.18", diff, a.Stopped)
	}
	var lacking []string
	for _, d := range a.Lacking {
		lacking = append(lacking, d.ObjectKind+" "+d.Object)
	}
	if diff := cmp.Diff([]string{"trigger after_lot_insert_refresh_bin_util on public.lots"}, lacking); diff != "" {
		t.Errorf("lacking (-want +got):\n%s", diff)
	}
	want := map[string]migration.State{"0.0.14": migration.StateBaseline, "0.0.15": migration.StateBaseline, "0.0.16": migration.StateBaseline}
	got := states(t, m)
	for version, state := range want {
		if got[version] != state {
			t.Errorf("%s is %s, want %s", version, got[version], state)
		}
	}
	if err := step(t, m, migration.Up, "0.0.18"); err == nil {
		t.Error("V0.0.18 was applied over the half of it that is there")
	}
}

// TestAnERPOfItsOwnIsHeldToWhatWasFound records a warehouse whose tables are not word for word ours, adds a version, and
// changes something afterwards.
func TestAnERPOfItsOwnIsHeldToWhatWasFound(t *testing.T) {
	t.Parallel()
	db := empty(t)
	m := warehouse(t, db)
	byHand(t, db, m, "0.0.14")
	exec(t, db.OwnerURL, "ALTER TABLE public.lots ADD erp_colour text; DROP INDEX public.idx_lots_material")
	if _, err := m.Baseline(t.Context(), setUp, false, nil); err != nil {
		t.Fatal(err)
	}
	if list := differences(t, m); len(list) > 0 {
		t.Errorf("drift right after the baseline: %+v", list)
	}
	byHand(t, db, m, "0.0.15")
	if a, err := m.Adopt(t.Context(), setUp, v(t, "0.0.15"), "applied by hand"); err != nil || len(a.Proofs) != 1 {
		t.Fatalf("Adopt V0.0.15 on top = %v, %v, lacking %v", proven(a), err, a.Lacking)
	}
	if err := step(t, m, migration.Up, "0.0.16"); err != nil {
		t.Fatal(err)
	}
	exec(t, db.OwnerURL, "ALTER TABLE public.lots DROP erp_colour")
	if list := differences(t, m); len(list) != 1 || list[0].Kind != migration.DriftMissing || list[0].Object != "public.lots.erp_colour" {
		t.Errorf("after the ERP's own column is gone: %+v, want it missing", list)
	}
}
