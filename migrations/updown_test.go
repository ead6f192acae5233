package migrations_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/privatepg"
)

// schema is what pg_dump says about schema public.
func schema(t *testing.T, url string) string {
	t.Helper()
	bin, err := privatepg.FindBinDir(os.Getenv("PG_BINDIR"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "pg_dump"), "--schema-only", "--schema=public", url).CombinedOutput()
	if err != nil {
		t.Fatalf("pg_dump: %v\n%s", err, out)
	}
	lines := strings.Split(string(out), "\n")
	// pg_dump puts a random word into these two.
	lines = slices.DeleteFunc(lines, func(l string) bool {
		return strings.HasPrefix(l, `\restrict `) || strings.HasPrefix(l, `\unrestrict `)
	})
	return strings.Join(lines, "\n")
}

// TestUpDownUp goes up one version, down again, and up for good, at every version: what a down file leaves is what was
// there before its up file, object by object, and the second up makes what the first made.
func TestUpDownUp(t *testing.T) {
	t.Parallel()
	db := at(t, 0)
	owner := connect(t, db.OwnerURL)
	before := schema(t, db.OwnerURL)
	for _, r := range releases(t) {
		objects := card(r.up)["creates"]
		step := func(what, sql string, there bool) string {
			t.Helper()
			if err := run(t.Context(), owner, sql); err != nil {
				t.Fatalf("%s, %s: %v", r.name, what, err)
			}
			for _, object := range objects {
				if got, want := exists(t, owner, object), there; got != want {
					t.Errorf("%s, after %s: %s there: %t, want %t", r.name, what, object, got, want)
				}
			}
			return schema(t, db.OwnerURL)
		}
		up := step("up", r.up, true)
		if diff := cmp.Diff(before, step("down", r.down, false)); diff != "" {
			t.Errorf("%s: the schema after its down file differs from the one before it (-before +after):\n%s", r.name, diff)
		}
		if diff := cmp.Diff(up, step("up again", r.up, true)); diff != "" {
			t.Errorf("%s: the second up made another schema than the first (-first +second):\n%s", r.name, diff)
		}
		before = up
	}
}

// TestUpDownUpWithStock does the same with a warehouse in it, from V0.0.15: no step may stumble over data.
func TestUpDownUpWithStock(t *testing.T) {
	t.Parallel()
	_, owner := stocked(t, 14)
	lot(t, owner, "L1", paper, binA, 100)
	all := releases(t)[1:]
	for range 2 {
		for _, r := range all {
			if err := run(t.Context(), owner, r.up); err != nil {
				t.Fatalf("%s: %v", r.name, err)
			}
		}
		if got, want := one(t, owner, "SELECT volume_utilization_pct FROM bin_utilization_cache WHERE location_id = $1", binA), "50.0000"; got != want {
			t.Errorf("bin A after all ups is %s %% full, want %s", got, want)
		}
		for _, r := range slices.Backward(all) {
			if err := run(t.Context(), owner, r.down); err != nil {
				t.Fatalf("down of %s: %v", r.name, err)
			}
		}
	}
	if got, want := one(t, owner, "SELECT count(*) FROM lots"), "1"; got != want {
		t.Errorf("%s lots after going down, want %s: the baseline's data must stay", got, want)
	}
}

func TestBaselineUndoRefusesAWarehouseInUse(t *testing.T) {
	t.Parallel()
	_, owner := stocked(t, 14)
	err := run(t.Context(), owner, releases(t)[0].down)
	if got, want := sqlState(err), "23001"; got != want {
		t.Fatalf("undoing the baseline of a warehouse in use: SQLSTATE %q (%v), want %s", got, err, want)
	}
	if got, want := one(t, owner, "SELECT count(*) FROM tenants"), "2"; got != want {
		t.Errorf("%s tenants after the refusal, want %s", got, want)
	}
}

// TestRolesMayBeMissing: a grant to a role that is not there must not stop a migration.
func TestRolesMayBeMissing(t *testing.T) {
	t.Parallel()
	for _, r := range releases(t) {
		for _, role := range []string{"gatehouse_app", "wms_application_role"} {
			grants, guards := strings.Count(r.up, "TO "+role+";"), strings.Count(r.up, "rolname = '"+role+"'")
			if grants > 0 && guards != 1 {
				t.Errorf("%s grants to %s %d times behind %d guards, want one guard", r.name, role, grants, guards)
			}
		}
	}
	db := at(t, 0)
	owner := connect(t, db.OwnerURL)
	for _, r := range releases(t) {
		// Roles belong to the whole server; the same file about a role that nobody has is the same test.
		sql := strings.ReplaceAll(strings.ReplaceAll(r.up, "wms_application_role", "nobody_has_this_role"), "gatehouse_app", "nor_this_one")
		if err := run(t.Context(), owner, sql); err != nil {
			t.Errorf("%s without the roles it grants to: %v", r.name, err)
		}
	}
}
