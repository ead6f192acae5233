package migrator_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

func warehouse(t testing.TB, db *pgtest.Database) *migrator.Migrator {
	t.Helper()
	m, err := migrator.New(migrator.WMS(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func differences(t testing.TB, m *migrator.Migrator) []migration.Difference {
	t.Helper()
	report, err := m.Drift(t.Context())
	if err != nil {
		t.Fatalf("Drift: %v", err)
	}
	t.Logf("looked at %d items in %s", report.Compared, report.Took)
	return report.Differences
}

func exec(t testing.TB, url, sql string) {
	t.Helper()
	if _, err := pgtest.Pool(t, url).Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// TestDriftIsNamedAndItsRepairRepairs changes one thing by hand, looks, runs the statement that the difference offers,
// and looks again.
func TestDriftIsNamedAndItsRepairRepairs(t *testing.T) {
	t.Parallel()
	db := housetest.At(t, "0.0.18")
	m := warehouse(t, db)
	if list := differences(t, m); len(list) > 0 {
		t.Fatalf("drift where nobody changed anything: %+v", list)
	}
	for _, c := range []struct {
		name, change string
		super        bool
		want         []string // kind, object kind, object
	}{
		{"a column added", "ALTER TABLE public.lots ADD x text", false, []string{"extra column public.lots.x"}},
		{"a column's default", "ALTER TABLE public.lots ALTER COLUMN quantity_on_hand SET DEFAULT 7", false, []string{"differs column public.lots.quantity_on_hand"}},
		{"null allowed", "ALTER TABLE public.lots ALTER COLUMN lot_number DROP NOT NULL", false, []string{"differs column public.lots.lot_number"}},
		{"an index dropped", "DROP INDEX public.idx_lots_location", false, []string{"missing index public.idx_lots_location"}},
		{"an index added", "CREATE INDEX by_hand ON public.lots (lot_number)", false, []string{"extra index public.by_hand"}},
		{"an index invalid", "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.idx_lots_location'::regclass", true, []string{"differs index public.idx_lots_location"}},
		{"a function replaced", "CREATE OR REPLACE FUNCTION public.current_tenant() RETURNS uuid LANGUAGE sql STABLE AS 'SELECT NULL::uuid'", false, []string{"differs function public.current_tenant()"}},
		{"a function's search_path", "ALTER FUNCTION public.recompute_bin_utilization(uuid[]) RESET ALL", false, []string{"differs function public.recompute_bin_utilization(p_locations uuid[])"}},
		{"a policy dropped", "DROP POLICY tenant ON public.lots", false, []string{"missing policy tenant on public.lots"}},
		{"a policy opened", "ALTER POLICY tenant ON public.lots USING (true)", false, []string{"differs policy tenant on public.lots"}},
		{"a second policy", "CREATE POLICY all_of_it ON public.lots USING (true)", false, []string{"extra policy all_of_it on public.lots"}},
		{"row level security off", "ALTER TABLE public.lots DISABLE ROW LEVEL SECURITY", false, []string{"differs table public.lots"}},
		{"a grant added", "GRANT DELETE ON public.inventory_transactions TO gatehouse_app", false, []string{"extra grant DELETE TO gatehouse_app on public.inventory_transactions"}},
		{"a grant on a column", "GRANT UPDATE (quantity) ON public.inventory_transactions TO gatehouse_app", false, []string{"extra grant UPDATE (quantity) TO gatehouse_app on public.inventory_transactions"}},
		{"a grant revoked", "REVOKE SELECT ON public.lots FROM gatehouse_app", false, []string{"missing grant SELECT TO gatehouse_app on public.lots"}},
		{"execute for everybody", "GRANT EXECUTE ON FUNCTION public.recompute_bin_utilization(uuid[]) TO PUBLIC", false, []string{"extra grant EXECUTE TO PUBLIC on public.recompute_bin_utilization(p_locations uuid[])"}},
		{"a constraint not validated", "ALTER TABLE public.materials DROP CONSTRAINT materials_zone_known, ADD CONSTRAINT materials_zone_known CHECK (security_zone IN ('STANDARD', 'RESTRICTED', 'SECURE', 'HIGH_SECURITY', 'VAULT')) NOT VALID", false, []string{"differs constraint materials_zone_known on public.materials"}},
		{"a constraint dropped", "ALTER TABLE public.materials DROP CONSTRAINT materials_zone_known", false, []string{"missing constraint materials_zone_known on public.materials"}},
		{"a trigger disabled", "ALTER TABLE public.lots DISABLE TRIGGER USER", false, []string{"differs trigger", "differs trigger", "differs trigger", "differs trigger"}},
		{"a table of the next version", "CREATE TABLE public.capacity_validation_failures (id int)", false, []string{"early table public.capacity_validation_failures"}},
		{"a foreign table", "CREATE TABLE public.erp_invoices (id int)", false, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := db.OwnerURL
			if c.super {
				url = db.SuperURL
			}
			exec(t, url, c.change)
			list := differences(t, m)
			got := []string{}
			for _, d := range list {
				text := string(d.Kind) + " " + d.ObjectKind + " " + d.Object
				if d.ObjectKind == "trigger" {
					text = string(d.Kind) + " trigger"
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
			for _, d := range list {
				exec(t, db.OwnerURL, d.Repair)
			}
			if left := differences(t, m); len(left) > 0 {
				t.Errorf("after its repair %q it still differs: %+v", list[0].Repair, left)
			}
		})
	}
}

// TestApplyRefusesWhatChangedBehindItsBack looks, is content, and then somebody changes the schema before the apply.
func TestApplyRefusesWhatChangedBehindItsBack(t *testing.T) {
	t.Parallel()
	db := housetest.At(t, "0.0.18")
	m := warehouse(t, db)
	if list := differences(t, m); len(list) > 0 {
		t.Fatalf("drift where nobody changed anything: %+v", list)
	}
	exec(t, db.OwnerURL, "ALTER TABLE public.lots ADD x text")
	err := step(t, m, migration.Up, "0.0.20")
	var drifted *migration.Drifted
	if !refusedAs(err, fault.Conflict) || !errors.As(err, &drifted) || !strings.Contains(err.Error(), "public.lots.x") {
		t.Fatalf("Step onto a drifted schema = %v, want a Conflict that names the column", err)
	}
	if got := states(t, m)["0.0.20"]; got != migration.StatePending {
		t.Errorf("after the refusal V0.0.20 is %s, want pending", got)
	}

	// Signed for, it may go on; changed again, the signature is void.
	d := differences(t, m)[0]
	if d.Loses != "0 values" || !d.Destructive {
		t.Errorf("the repair loses %q, destructive %t; want 0 values, true", d.Loses, d.Destructive)
	}
	acceptance(t, db, d)
	if list := differences(t, m); len(list) != 1 || !list[0].Accepted() || list[0].AcceptedBecause != "the ERP needs it" {
		t.Errorf("after the acceptance: %+v", list)
	}
	exec(t, db.OwnerURL, "ALTER TABLE public.lots ALTER COLUMN x TYPE varchar(3)")
	if err := step(t, m, migration.Up, "0.0.20"); !errors.As(err, &drifted) {
		t.Errorf("Step after what was accepted has changed again = %v, want a refusal", err)
	}
	exec(t, db.OwnerURL, "ALTER TABLE public.lots ALTER COLUMN x TYPE text")
	if err := step(t, m, migration.Up, "0.0.20"); err != nil {
		t.Errorf("Step with the difference accepted = %v", err)
	}
}

func acceptance(t testing.TB, db *pgtest.Database, d migration.Difference) {
	t.Helper()
	_, err := pgtest.Pool(t, db.OwnerURL).Exec(t.Context(), `
INSERT INTO gatehouse.drift_acceptances (tenant_id, acceptance_id, object, difference_sha256, sentence, issuer, subject, name, roles, auth_time, reason)
VALUES ($1, $2, $3, $4, $5, 'https://id.test', 'lead', 'Lead', 'devops_lead', clock_timestamp(), 'the ERP needs it')`,
		housetest.Rivermark, uuid.New(), d.Object, d.SHA256, d.Sentence())
	if err != nil {
		t.Fatal(err)
	}
}

// TestWhatAVersionTakesBackIsNoDrift goes down version by version: what an undo file leaves is what the version below it
// was seen to leave.
func TestWhatAVersionTakesBackIsNoDrift(t *testing.T) {
	t.Parallel()
	m := warehouse(t, housetest.At(t, "0.0.22"))
	versions := m.Files().Versions()
	for i := len(versions) - 1; i > 0; i-- {
		if err := step(t, m, migration.Down, versions[i].String()); err != nil {
			t.Fatal(err)
		}
		if list := differences(t, m); len(list) > 0 {
			t.Errorf("after taking %s back: %+v", versions[i].Title(), list)
		}
	}
	if err := step(t, m, migration.Up, versions[1].String()); err != nil {
		t.Error(err)
	}
}

// A table that somebody holds wholly for himself is waited for like any other lock, and is no database that is away.
func TestALockedTableIsWaitedForBeforeTheStep(t *testing.T) {
	t.Parallel()
	db := housetest.At(t, "0.0.18")
	m := warehouse(t, db)
	holder, err := pgtest.Pool(t, db.SuperURL).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = holder.Rollback(context.Background()) })
	if _, err := holder.Exec(t.Context(), "LOCK TABLE public.materials IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	m.LockTries = 1
	err = step(t, m, migration.Up, "0.0.20")
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "holds a table of the warehouse locked") {
		t.Errorf("a step behind somebody's lock = %v; want that somebody holds a table", err)
	}
	m.LockTries = 6
	var said []string
	_, err = m.Step(t.Context(), migrator.StepRequest{Version: v(t, "0.0.20"), Direction: migration.Up, By: setUp, Log: func(line string) {
		said = append(said, line)
		if strings.Contains(line, "try 1 of 6") {
			if err := holder.Rollback(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}})
	if err != nil || !strings.Contains(strings.Join(said, "\n"), "LOCK: the live schema could not be read") {
		t.Errorf("a step whose look met a lock that was given back = %v, having said %q; want it applied after a second look", err, said)
	}
}
