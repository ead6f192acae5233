package migrator_test

import (
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// TestAConcurrentRefreshIsLookedAtBeforeItsFileRuns: what PostgreSQL would refuse in the middle is refused before the first
// statement, with what is missing.
func TestAConcurrentRefreshIsLookedAtBeforeItsFileRuns(t *testing.T) {
	t.Parallel()
	db := empty(t)
	m := open(t, db, folder(map[int]string{
		14: "CREATE TABLE public.t14 (id int);\nCREATE MATERIALIZED VIEW public.m AS SELECT id FROM public.t14 WITH NO DATA;",
		15: "CREATE TABLE public.t15 (id int);\nREFRESH MATERIALIZED VIEW CONCURRENTLY public.m;",
	}))
	if err := step(t, m, migration.Up, "0.0.14"); err != nil {
		t.Fatal(err)
	}
	owner := pgtest.Pool(t, db.OwnerURL)
	for _, c := range []struct{ prepare, why string }{
		{"SELECT", "a valid unique index on columns, over all rows, which it has not"},
		{"CREATE UNIQUE INDEX part ON public.m (id) WHERE id > 0; CREATE UNIQUE INDEX sums ON public.m ((id + 1)); CREATE INDEX plain ON public.m (id)", "which it has not"},
		{"CREATE UNIQUE INDEX whole ON public.m (id)", "was never filled"},
	} {
		if _, err := owner.Exec(t.Context(), c.prepare); err != nil {
			t.Fatal(err)
		}
		if err := step(t, m, migration.Up, "0.0.15"); !refusedAs(err, fault.Conflict) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("after %s: %v, want Conflict with %q", c.prepare, err, c.why)
		}
		if entries := one[int](t, db.OwnerURL, "SELECT count(*)::int FROM gatehouse.migration_history WHERE version = '0.0.15'"); entries != 0 {
			t.Errorf("the ledger holds %d tries, and nothing was tried", entries)
		}
	}
	if _, err := owner.Exec(t.Context(), "REFRESH MATERIALIZED VIEW public.m"); err != nil {
		t.Fatal(err)
	}
	if err := step(t, m, migration.Up, "0.0.15"); err != nil {
		t.Errorf("with a unique index on a filled view: %v", err)
	}
}
