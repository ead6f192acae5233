package postgres_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// concurrent is a table, and a file of its own that makes an index on it CONCURRENTLY.
func concurrent() fstest.MapFS {
	files := steps("CREATE TABLE public.t14 (id int);\nINSERT INTO public.t14 VALUES (1), (2);")
	files["V0.0.15__an_index.sql"] = &fstest.MapFile{Data: []byte("-- migrate:no-transaction\n" + planCard +
		"-- creates: index public.t14_id\nCREATE INDEX CONCURRENTLY t14_id ON public.t14 (id);")}
	files["U0.0.15__an_index.sql"] = &fstest.MapFile{Data: []byte("DROP INDEX IF EXISTS public.t14_id;")}
	return files
}

// M12: a build that is cut leaves an invalid index. It is named, removed by a deliberate step, and the file applies again.
func TestAnIndexWhoseBuildWasKilledIsFoundAndRemovedAndBuiltAgain(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), concurrent())
	release := s.release(housetest.Rivermark, true)
	s.apply("0.0.14", release)
	killTheBuild(t, s, release)
	repairs := migration.NewRepairs(s.store, s.files, s.migrator)
	v, _ := migration.ParseVersion("0.0.15")
	order := migration.RepairOrder{Version: v, Choice: migration.MarkNotApplied, Reason: "the build was killed", By: s.devops}

	if got := s.states(s.devops)["0.0.15"]; got != migration.StateDirty {
		t.Fatalf("after the build was killed the version is %s, want dirty", got)
	}
	overview, err := s.service.Ladder(t.Context(), s.devops, 0)
	if err != nil || len(overview.Ladder.Invalid) != 1 || overview.Ladder.Invalid[0].Name != "public.t14_id" {
		t.Errorf("the ladder names %v, %v; want the invalid index public.t14_id", overview.Ladder.Invalid, err)
	}
	for _, choice := range []migration.Choice{migration.MarkNotApplied, migration.MarkApplied, "force"} {
		order.Choice = choice
		if err := repairs.Repair(t.Context(), order); !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s with half of the index there = %v, want a refusal: neither is proven", choice, err)
		}
	}
	order.Choice, order.Index = migration.DropIndex, "public.t14_pkey"
	if err := repairs.Repair(t.Context(), order); !fault.Is(err, fault.Conflict) {
		t.Errorf("removing an index that is not invalid = %v, want a Conflict", err)
	}
	order.Index = "public.t14_id"
	if err := repairs.Repair(t.Context(), order); err != nil {
		t.Fatalf("removing the invalid index: %v", err)
	}
	order.Choice = migration.MarkNotApplied
	if err := repairs.Repair(t.Context(), order); err != nil {
		t.Fatalf("marking it not applied once nothing of it is there: %v", err)
	}
	if got := s.text(`SELECT direction FROM gatehouse.migration_ledger ORDER BY ledger_id DESC LIMIT 1`); got != "repair_removed" {
		t.Errorf("the ledger's newest entry is %s, want repair_removed", got)
	}
	if got := s.text(`SELECT string_agg(outcome, ',') FROM gatehouse.audit_events WHERE action = 'migration:repair'`); got != "done,done" {
		t.Errorf("the audit trail holds repairs that %s, want two that were done", got)
	}
	if got := s.apply("0.0.15", release); got.State != migration.Succeeded {
		t.Errorf("applying it again ended %s: %s", got.State, got.Error)
	}
}

// killTheBuild orders the index and ends its server process while it waits for an older transaction.
func killTheBuild(t *testing.T, s *schemaChange, release migration.RunID) {
	t.Helper()
	old, err := pgx.Connect(t.Context(), s.d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // a test's own connection
	if _, err := old.Exec(t.Context(), "BEGIN; LOCK TABLE public.t14 IN ROW EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.15", release))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.worker.Work(t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}) }()
	await(t, "the index is begun", func() bool {
		return s.text(`SELECT count(*)::text FROM pg_index WHERE indexrelid = to_regclass('public.t14_id') AND NOT indisvalid`) == "1"
	})
	s.text(`SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE application_name = $1`, "gatehouse-migrator "+run.ID.String())
	if err := <-ended; err != nil {
		t.Fatalf("Work whose build was killed: %v", err)
	}
	got := s.see(run.ID).Run
	if got.State != migration.Interrupted || !strings.Contains(got.Error, "may have taken effect") {
		t.Errorf("the run is %s: %q; want interrupted, and that some of it may stand", got.State, got.Error)
	}
	if err := s.service.Acknowledge(t.Context(), s.devops, run.ID, "the build was killed"); err != nil {
		t.Fatal(err)
	}
}

// A file outside a transaction fails after its table: its undo file runs, or what is there is finished by hand and proven.
func TestAVersionThatStoppedHalfWayIsTakenBackOrProven(t *testing.T) {
	t.Parallel()
	files := outsideTransaction(steps("CREATE TABLE public.t14 (id int);\nSELECT 1/0;"))
	for choice, want := range map[migration.Choice]migration.State{
		migration.RunDown: migration.StateUndone, migration.MarkApplied: migration.StateApplied,
	} {
		s := changing(t, housetest.At(t, ""), files)
		s.apply("0.0.14", s.release(housetest.Rivermark, true))
		repairs := migration.NewRepairs(s.store, s.files, s.migrator)
		order := migration.RepairOrder{Version: s.files.Last(), Choice: choice, Reason: "the division", By: housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead)}
		if err := repairs.Repair(t.Context(), order); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a repair by people who do not operate the environment = %v, want Forbidden", err)
		}
		order.By = housetest.Person(housetest.Rivermark, "quinn", actor.QALead)
		if err := repairs.Repair(t.Context(), order); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a repair without the right = %v, want Forbidden", err)
		}
		order.By = s.devops
		if err := repairs.Repair(t.Context(), order); err != nil {
			t.Fatalf("%s: %v", choice, err)
		}
		if got := s.states(s.devops)["0.0.14"]; got != want {
			t.Errorf("after %s the version is %s, want %s", choice, got, want)
		}
		if err := repairs.Repair(t.Context(), order); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s once more = %v, want Conflict: nothing is half way", choice, err)
		}
		shown := s.text(`SELECT count(*)::text FROM public.schema_version WHERE success`)
		if (shown == "1") != (choice == migration.MarkApplied) {
			t.Errorf("after %s schema_version shows %s versions", choice, shown)
		}
	}
}

// A build waits for every older transaction. Nobody waits behind it, so it outlasts the file's lock_timeout: giving up would
// leave an index that is not valid.
func TestAnIndexBuiltConcurrentlyOutlastsItsLockTimeout(t *testing.T) {
	t.Parallel()
	files := concurrent()
	index := files["V0.0.15__an_index.sql"]
	index.Data = []byte(strings.Replace(string(index.Data), "-- creates", "-- lock_timeout: 50ms\n-- creates", 1))
	s := changing(t, housetest.At(t, ""), files)
	release := s.release(housetest.Rivermark, true)
	s.apply("0.0.14", release)
	old, err := pgx.Connect(t.Context(), s.d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // a test's own connection
	if _, err := old.Exec(t.Context(), "BEGIN; LOCK TABLE public.t14 IN ROW EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.15", release))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.worker.Work(t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}) }()
	await(t, "the build waits for longer than its lock_timeout, or ends", func() bool {
		waits := s.text(`SELECT count(*)::text FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'
			AND clock_timestamp() - query_start > interval '150ms'`, "gatehouse-migrator "+run.ID.String())
		return waits == "1" || !s.see(run.ID).Run.State.Active()
	})
	if _, err := old.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got := s.see(run.ID).Run; got.State != migration.Succeeded {
		t.Errorf("the build ended %s: %s; want succeeded once the older transaction was over", got.State, got.Error)
	}
}
