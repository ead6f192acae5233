package postgres_test

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/privatepg"
)

// slow is long enough to be killed in, and short enough where nobody kills it.
var slow = steps("CREATE TABLE public.t14 (id int);\nSELECT pg_sleep(20);")

// bare is the same outside a transaction: what came before the kill stands.
var bare = outsideTransaction(steps("CREATE TABLE public.t14 (id int);\nSELECT pg_sleep(20);"))

const childRun = "GATEHOUSE_TEST_CHILD_RUN"

// TestChildWorks is the program that gets killed: with the variable set it works one run, as a server would.
func TestChildWorks(t *testing.T) {
	spec := os.Getenv(childRun)
	if spec == "" {
		return // only the parent's call of this binary has work to do
	}
	parts := strings.Fields(spec)
	files := slow
	if parts[3] == "bare" {
		files = bare
	}
	if err := workAsChild(parts[0], parts[1], parts[2], files); err != nil {
		t.Fatal(err)
	}
}

func workAsChild(run, appURL, ownerURL string, files fs.FS) error {
	ctx := context.Background()
	db, err := postgres.Open(ctx, appURL)
	if err != nil {
		return err
	}
	defer db.Close()
	m, err := migrator.New(migrator.Set{Name: "wms", FS: files, Ledger: migrator.WMSLedger}, ownerURL)
	if err != nil {
		return err
	}
	w := migration.NewWorker(postgres.Migrations{DB: db}, m, m.Files(), slog.New(slog.DiscardHandler))
	return w.Work(ctx, migration.Ref{Tenant: housetest.Rivermark, Run: uuid.MustParse(run)})
}

// killInTheMiddle starts the child, waits until the server works for it, and kills the child as kill -9 does.
func killInTheMiddle(t *testing.T, s *schemaChange, run migration.RunID, file string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChildWorks$")
	child.Env = append(os.Environ(), childRun+"="+strings.Join([]string{run.String(), s.d.AppURL, s.d.OwnerURL, file}, " "))
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	awaitSleep(t, s, run)
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed, which is an error to Wait
}

// awaitSleep waits until the run's server process is in the middle of its file.
func awaitSleep(t *testing.T, s *schemaChange, run migration.RunID) {
	t.Helper()
	pool := pgtest.Pool(t, s.d.SuperURL)
	await(t, "the server works for the run", func() bool {
		var busy bool
		err := pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event = 'PgSleep')`,
			"gatehouse-migrator "+run.String()).Scan(&busy)
		return err == nil && busy
	})
}

// await polls for what another process does, up to a minute.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited a minute in vain: %s", what)
		}
	}
}

func TestAProgramKilledInTheMiddleLeavesTheTruthInTheDatabase(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), slow)
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", s.release(housetest.Rivermark, true)))
	if err != nil {
		t.Fatal(err)
	}
	killInTheMiddle(t, s, run.ID, "whole")
	// The next program starts. It sees what the server may still be doing, and is told when that has ended.
	s.super(`UPDATE gatehouse.migration_runs SET started_at = started_at - interval '1 minute'`)
	sawOrphan := false
	await(t, "the orphan ends and the run is resolved", func() bool {
		trace, err := s.migrator.Trace(t.Context(), run.ID)
		if err != nil {
			t.Fatalf("Trace: %v", err)
		}
		sawOrphan = sawOrphan || trace.Alive
		if err := s.worker.Resolve(t.Context()); err != nil {
			t.Fatalf("Resolve: %v", err)
		}
		state := s.see(run.ID).Run.State
		if trace.Alive && state != migration.Running {
			// It may have ended between the two looks; then it must be gone now.
			if now, err := s.migrator.Trace(t.Context(), run.ID); err != nil || now.Alive {
				t.Fatalf("the run was resolved as %s while its server process %d still works", state, trace.PID)
			}
		}
		return !state.Active()
	})
	got := s.see(run.ID).Run
	if got.State != migration.Interrupted || !strings.Contains(got.Resolution, "nothing of the step remains") {
		t.Errorf("the run is %s: %q; want interrupted, with what is known", got.State, got.Resolution)
	}
	if !sawOrphan {
		t.Log("the orphan ended before it was looked for")
	}
	var left bool
	err = pgtest.Pool(t, s.d.SuperURL).QueryRow(t.Context(), `SELECT to_regclass('public.t14') IS NOT NULL`).Scan(&left)
	if err != nil || left {
		t.Errorf("the killed step left its table: %v, %v", left, err)
	}
	if len(s.queue.refs) != 1 {
		t.Errorf("something was tried again: %v", s.queue.refs)
	}
}

// A file outside a transaction is killed half way: what stands is not denied, and nothing goes on over it.
func TestAProgramKilledOutsideATransactionSaysThatSomeOfItMayStand(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), bare)
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", s.release(housetest.Rivermark, true)))
	if err != nil {
		t.Fatal(err)
	}
	killInTheMiddle(t, s, run.ID, "bare")
	s.super(`UPDATE gatehouse.migration_runs SET started_at = started_at - interval '1 minute'`)
	await(t, "the orphan ends and the run is resolved", func() bool {
		if err := s.worker.Resolve(t.Context()); err != nil {
			t.Fatalf("Resolve: %v", err)
		}
		return !s.see(run.ID).Run.State.Active()
	})
	got := s.see(run.ID).Run
	if got.State != migration.Interrupted || !strings.Contains(got.Error, "may have taken effect") || strings.Contains(got.Resolution, "nothing of the step remains") {
		t.Errorf("the run is %s: %q, %q; want interrupted, and that some of it may stand", got.State, got.Error, got.Resolution)
	}
	if err := s.service.Acknowledge(t.Context(), s.devops, run.ID, "looked at it"); err != nil {
		t.Fatal(err)
	}
	if got := s.states(s.devops)["0.0.14"]; got != migration.StateDirty {
		t.Errorf("after it was looked at the version is %s, want dirty", got)
	}
	if _, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", run.Release)); err == nil {
		t.Error("it could be applied again over what stands of it")
	}
	if visible := s.states(housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead)); visible["0.0.14"] != migration.StateDirty {
		t.Errorf("the other tenant, whose warehouse it is too, sees %s, want dirty", visible["0.0.14"])
	}
}

// The commit reached the database and the program died before it could say so: the marker tells.
func TestAProgramKilledAfterTheCommitIsReadAsApplied(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);"))
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", s.release(housetest.Rivermark, true)))
	if err != nil {
		t.Fatal(err)
	}
	s.super(`UPDATE gatehouse.migration_runs SET state = 'running', started_at = clock_timestamp() - interval '1 minute'`)
	if _, err := s.migrator.Step(t.Context(), migration.StepRequest{Version: run.Version, Direction: migration.Up, SHA256: run.SHA256, By: s.devops, Run: run.ID}); err != nil {
		t.Fatal(err)
	}
	// A server process may be seen for a moment after its client has gone. While one is seen nothing is decided.
	config, err := pgx.ParseConfig(s.d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["application_name"] = "gatehouse-migrator " + run.ID.String()
	lingering, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.worker.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.see(run.ID).Run; got.State != migration.Running {
		t.Errorf("while its server process is seen the run is %s, want running", got.State)
	}
	if err := lingering.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, "the server processes of the run are gone and it is resolved", func() bool {
		if err := s.worker.Resolve(t.Context()); err != nil {
			t.Fatal(err)
		}
		return !s.see(run.ID).Run.State.Active()
	})
	if got := s.see(run.ID).Run; got.State != migration.Succeeded || !strings.Contains(got.Resolution, "Resolved after an interruption") {
		t.Errorf("the run is %s: %q; want succeeded, resolved after an interruption", got.State, got.Resolution)
	}
}

// M02: PostgreSQL itself is killed under a step, and comes back.
func TestPostgresKilledUnderAStep(t *testing.T) {
	t.Parallel()
	pg := pgtest.Cluster(t)
	d := pgtest.OpenOn(t, pg, func(ctx context.Context, superURL, _ string) error { return housetest.Prepare(ctx, superURL, "") })
	s := changing(t, d, slow)
	release := s.release(housetest.Rivermark, true)
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", release))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.worker.Work(t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}) }()
	awaitSleep(t, s, run.ID)
	if err := syscall.Kill(pg.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-pg.Exited()
	if err := pg.Restart(t.Context(), privatepg.Fast); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	if err := <-ended; err != nil {
		t.Fatalf("Work over a killed PostgreSQL: %v", err)
	}
	if took := time.Since(back); took > time.Minute {
		t.Errorf("the truth was found %s after the database came back, want within 60s (M03)", took)
	}
	got := s.see(run.ID).Run
	if got.State != migration.Failed || !strings.Contains(got.Error, "Nothing of it remains; it can be tried again") || !strings.Contains(got.Resolution, "no entry") {
		t.Errorf("the run is %s: %q, %q; want failed, rolled back, may be tried again", got.State, got.Error, got.Resolution)
	}
	if s.states(s.devops)["0.0.14"] != migration.StatePending {
		t.Errorf("the version is %s, want pending", s.states(s.devops)["0.0.14"])
	}
}
