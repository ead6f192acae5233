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

func TestBaselineRecordsAWarehouseThatIsWhole(t *testing.T) {
	t.Parallel()
	db := empty(t)
	m, err := migrator.New(migrator.WMS(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Baseline(t.Context(), setUp, false, nil); !refusedAs(err, fault.Conflict) || !strings.Contains(err.Error(), "no warehouse here") {
		t.Fatalf("Baseline of an empty database = %v, want a refusal", err)
	}
	// A warehouse that somebody else made: the same tables, and no ledger.
	file, _ := m.Files().Up(v(t, "0.0.14"))
	owner := pgtest.Pool(t, db.OwnerURL)
	for _, sql := range []string{file.SQL, "ALTER TABLE public.lots RENAME COLUMN lot_number TO lot_no", "DROP TABLE public.wave_lines"} {
		if _, err := owner.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql[:20], err)
		}
	}
	_, err = m.Baseline(t.Context(), setUp, true, nil)
	if diff := cmp.Diff([]string{"column public.lots.lot_number", "table public.wave_lines"}, disagreement(err)); diff != "" {
		t.Fatalf("Baseline of a warehouse with gaps: missing (-want +got):\n%s%v", diff, err)
	}
	if got := one[int64](t, db.OwnerURL, "SELECT count(*) FROM gatehouse.migration_ledger"); got != 0 {
		t.Errorf("the refused baseline left %d ledger entries", got)
	}
}

func TestBaselineThenTheNextStep(t *testing.T) {
	t.Parallel()
	db := empty(t)
	files := folder(tables(14, 15))
	if _, err := pgtest.Pool(t, db.OwnerURL).Exec(t.Context(), "CREATE TABLE public.t14 (id int, more text)"); err != nil {
		t.Fatal(err)
	}
	m := open(t, db, files)
	recorded, err := m.Baseline(t.Context(), setUp, false, nil)
	if err != nil || !recorded {
		t.Fatalf("Baseline = %v, %v; want recorded", recorded, err)
	}
	if _, err := m.Baseline(t.Context(), setUp, false, nil); !refusedAs(err, fault.Conflict) {
		t.Errorf("Baseline once more = %v, want Conflict", err)
	}
	upTo(t, m)
	want := map[string]migration.State{"0.0.14": migration.StateBaseline, "0.0.15": migration.StateApplied}
	if diff := cmp.Diff(want, states(t, m)); diff != "" {
		t.Errorf("Status (-want +got):\n%s", diff)
	}
	if err := step(t, m, migration.Down, "0.0.15"); err != nil {
		t.Fatal(err)
	}
	if err := step(t, m, migration.Down, "0.0.14"); !refusedAs(err, fault.Conflict) {
		t.Errorf("undoing a baseline = %v, want Conflict", err)
	}
}

func TestBaselineCreatesOnlyWhereThereIsNothing(t *testing.T) {
	t.Parallel()
	m := open(t, empty(t), folder(tables(14)))
	recorded, err := m.Baseline(t.Context(), setUp, true, nil)
	if err != nil || recorded {
		t.Fatalf("Baseline with create = %v, %v; want created, not recorded", recorded, err)
	}
	if got := states(t, m)["0.0.14"]; got != migration.StateApplied {
		t.Errorf("the state is %s, want applied", got)
	}
}
