package postgres_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// indexed is a set whose second file makes an index without keeping anybody waiting.
func indexed() fstest.MapFS {
	files := steps("CREATE TABLE public.t14 (id int);")
	files["V0.0.15__index.sql"] = &fstest.MapFile{Data: []byte("-- migrate:no-transaction\n" + planCard + "-- creates: index public.i15\nCREATE INDEX CONCURRENTLY i15 ON public.t14 (id);\n")}
	files["U0.0.15__index.sql"] = &fstest.MapFile{Data: []byte("-- migrate:no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS public.i15;\n")}
	return files
}

func (s *schemaChange) repair(version string, as migration.Repair, reason string) error {
	s.t.Helper()
	v, err := migration.ParseVersion(version)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.migrator.Repair(s.t.Context(), migrator.RepairRequest{
		Version: v, As: as, By: s.devops, Reason: reason,
		Facts: func(ctx context.Context, objects []migration.Object) ([]migration.Fact, error) {
			return postgres.CatalogFacts(ctx, s.d.OwnerURL, objects)
		},
	})
}

func (s *schemaChange) unproven(version string, as migration.Repair, words string) {
	s.t.Helper()
	if err := s.repair(version, as, "a test"); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), words) {
		s.t.Errorf("repair of %s as %s = %v; want a conflict that says %q", version, as, err, words)
	}
}

func (s *schemaChange) stands(version string, want migration.State) {
	s.t.Helper()
	if got := s.states(s.devops)[version]; got != want {
		s.t.Errorf("%s is %s, want %s", version, got, want)
	}
}

// M12: the server process of a CREATE INDEX CONCURRENTLY is ended in the middle. The invalid index is found and named, and
// goes by a deliberate step.
func TestAnIndexThatWasCutOffIsRepaired(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), indexed())
	release := s.release(housetest.Rivermark, true)
	s.apply("0.0.14", release)
	writer, err := pgx.Connect(t.Context(), s.d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // a test's own connection
	if _, err := writer.Exec(t.Context(), "BEGIN; INSERT INTO public.t14 VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.15", release))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.worker.Work(t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}) }()
	pool := pgtest.Pool(t, s.d.SuperURL)
	await(t, "the index waits for the writer, and is ended", func() bool {
		var killed bool
		err := pool.QueryRow(t.Context(), `SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_activity
			WHERE application_name = $1 AND wait_event_type = 'Lock'`, "gatehouse-migrator "+run.ID.String()).Scan(&killed)
		return err == nil && killed
	})
	if err := <-ended; err != nil {
		t.Fatalf("Work: %v", err)
	}
	if got := s.see(run.ID).Run.State; got != migration.Interrupted {
		t.Fatalf("the run is %s, want interrupted", got)
	}
	if err := s.service.Acknowledge(t.Context(), s.devops, run.ID, "looked at it"); err != nil {
		t.Fatal(err)
	}
	s.stands("0.0.15", migration.StateDirty)
	if o, err := s.service.Ladder(t.Context(), s.devops, 0); err != nil || len(o.Ladder.Invalid) != 1 || o.Ladder.Invalid[0].Name != "public.i15" {
		t.Errorf("the page of migrations lists the indexes %v, %v; want public.i15, which is not valid", o.Ladder.Invalid, err)
	}
	s.unproven("0.0.14", migration.RepairNotApplied, "did not stop half way")
	s.unproven("0.0.15", migration.RepairApplied, "index public.i15: expected there, found there, but not valid")
	s.unproven("0.0.15", migration.RepairNotApplied, "index public.i15: expected not there, found there")
	if err := s.repair("0.0.15", migration.RepairUndo, "  "); !fault.Is(err, fault.Invalid) {
		t.Errorf("a repair without a reason = %v, want invalid", err)
	}
	s.stands("0.0.15", migration.StateDirty)
	if _, err := writer.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := s.repair("0.0.15", migration.RepairUndo, "cut off by a restart"); err != nil {
		t.Fatalf("repair: %v", err)
	}
	s.stands("0.0.15", migration.StateFailed)
	if again := s.apply("0.0.15", release); again.State != migration.Succeeded {
		t.Errorf("applied again it is %s: %s", again.State, again.Error)
	}
	s.stands("0.0.15", migration.StateApplied)
	notices := s.text("SELECT string_agg(notices, ' ') FROM gatehouse.migration_ledger WHERE version = '0.0.15'")
	if !strings.Contains(notices, "repaired as undo: 1 post-checks prove it. Why: cut off by a restart") {
		t.Errorf("the ledger says %q", notices)
	}
}

// What is there is recorded as that, on the way up and on the way down.
func TestARepairRecordsWhatTheDatabaseProves(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), indexed())
	release := s.release(housetest.Rivermark, true)
	s.apply("0.0.14", release)
	half := func(version int) {
		s.super("UPDATE gatehouse.migration_state SET version = $1, dirty = true WHERE set_name = 'wms'", version)
	}
	s.unproven("0.0.15", migration.RepairApplied, "did not stop half way")
	half(15) // on the way up, with nothing done
	s.stands("0.0.15", migration.StateDirty)
	s.unproven("0.0.15", migration.RepairApplied, "found missing")
	if err := s.repair("0.0.15", migration.RepairNotApplied, "nothing was begun"); err != nil {
		t.Fatal(err)
	}
	s.stands("0.0.15", migration.StateFailed)
	s.apply("0.0.15", release)
	half(14) // on the way down, with nothing done
	s.stands("0.0.15", migration.StateDirty)
	s.stands("0.0.14", migration.StateApplied)
	if err := s.repair("0.0.15", migration.RepairApplied, "it is all there"); err != nil {
		t.Fatal(err)
	}
	s.stands("0.0.15", migration.StateApplied)
	half(14) // on the way down, with everything done
	s.super("DROP INDEX public.i15")
	if err := s.repair("0.0.15", migration.RepairNotApplied, "it is all gone"); err != nil {
		t.Fatal(err)
	}
	s.stands("0.0.15", migration.StateUndone)
	half(15) // on the way up, with everything done
	s.super("CREATE INDEX i15 ON public.t14 (id)")
	if err := s.repair("0.0.15", migration.RepairApplied, "it was finished by hand"); err != nil {
		t.Fatal(err)
	}
	s.stands("0.0.15", migration.StateBaseline)
}

func TestWhatLeavesNoTraceIsNotProven(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), outsideTransaction(steps("CREATE TABLE public.t14 (id int);\nINSERT INTO public.t14 VALUES (1);")))
	s.super("INSERT INTO gatehouse.migration_state (set_name, version, dirty) VALUES ('wms', 14, true)")
	s.unproven("0.0.14", migration.RepairNotApplied, "(INSERT) leaves nothing")
	s.super("CREATE TABLE public.t14 (id int)")
	s.super("ALTER TABLE public.t14 OWNER TO gatehouse_owner")
	s.unproven("0.0.14", migration.RepairApplied, "(INSERT) leaves nothing")
	if err := s.repair("0.0.14", migration.RepairUndo, "taken back"); err != nil {
		t.Fatal(err)
	}
	s.stands("0.0.14", migration.StateFailed)
}
