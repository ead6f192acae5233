package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/tcpproxy"
)

// behindAReader is a house at V0.0.14 whose V0.0.15 needs a table that somebody else is reading in a long transaction.
func behindAReader(t *testing.T) (s *schemaChange, release migration.RunID, reader *pgx.Conn) {
	t.Helper()
	s = changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);", "ALTER TABLE public.t14 ADD COLUMN b int;\nCREATE TABLE public.t15 (id int);"))
	release = s.release(housetest.Rivermark, true)
	s.apply("0.0.14", release)
	reader, err := pgx.Connect(t.Context(), s.d.OwnerURL+"&application_name=reporting")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close(context.Background()) })
	if _, err := reader.Exec(t.Context(), "BEGIN; SELECT count(*) FROM public.t14"); err != nil {
		t.Fatal(err)
	}
	return s, release, reader
}

// log is what the page of the run shows.
func (s *schemaChange) log(id migration.RunID) string {
	var said strings.Builder
	for _, line := range s.see(id).Lines {
		said.WriteString(line.Text + "\n")
	}
	return said.String()
}

// M10 of the features: who blocks is said, it is tried again, and then it fails clean.
func TestWhoBlocksAStepIsSaid(t *testing.T) {
	t.Parallel()
	s, release, _ := behindAReader(t)
	s.migrator.LockTries = 2
	run := s.apply("0.0.15", release)
	if run.State != migration.Failed || run.SQLState != "55P03" {
		t.Errorf("behind a long transaction the run is %s, %s; want failed with 55P03", run.State, run.SQLState)
	}
	said := s.log(run.ID)
	for _, want := range []string{"Waiting: ", "reporting", "try 1 of 2", "try 2 of 2"} {
		if !strings.Contains(said, want) {
			t.Errorf("the log does not say %q:\n%s", want, said)
		}
	}
	if got := s.states(s.devops)["0.0.15"]; got != migration.StateFailed {
		t.Errorf("the version is %s, want failed", got)
	}
}

// M11: who comes later is not kept waiting for longer than one lock timeout, and the step succeeds when its turn comes.
func TestALockThatWasNotHadIsTriedForAgain(t *testing.T) {
	t.Parallel()
	s, release, reader := behindAReader(t)
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.15", release))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.worker.Work(t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}) }()
	await(t, "the step queues behind the reader", func() bool { return strings.Contains(s.log(run.ID), "Waiting: ") })
	wait := migration.ReadWait(s.see(run.ID).Lines)
	if wait == nil || len(wait.Blockers) != 1 || wait.Blockers[0].Application != "reporting" || !strings.Contains(wait.Blockers[0].Query, "count(*)") || wait.Blockers[0].PID != int(reader.PgConn().PID()) {
		t.Errorf("what the step waits for is read as %+v, want the reader's session", wait)
	}
	late, err := pgx.Connect(t.Context(), s.d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // a test's own connection
	if _, err := late.Exec(t.Context(), "SET lock_timeout = '4s'; SELECT count(*) FROM public.t14"); err != nil {
		t.Errorf("somebody who reads while the step waits = %v; want an answer as soon as the step stands back", err)
	}
	await(t, "the first try is given up", func() bool { return strings.Contains(s.log(run.ID), "try 1 of 6") })
	if _, err := reader.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatalf("Work: %v", err)
	}
	if got := s.see(run.ID).Run; got.State != migration.Succeeded {
		t.Errorf("after the reader has gone the run is %s: %s; want succeeded", got.State, got.Error)
	}
	notices := s.text("SELECT notices FROM gatehouse.migration_ledger WHERE run_id = $1", run.ID)
	if !strings.Contains(notices, "LOCK: not had within 2s, try 1 of 6.") {
		t.Errorf("the ledger's notices do not hold the lock wait: %q", notices)
	}
}

// M11 of the list of bad luck, by name: a long reader of putaway_recommendations, and V0.0.20, which rewrites that table.
func TestALongReaderDoesNotMakeV0020HoldUpTheWarehouse(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, "0.0.18"), migrator.WMS().FS)
	release := s.release(housetest.Rivermark, true)
	read := func(program string) *pgx.Conn {
		conn, err := pgx.Connect(t.Context(), s.d.OwnerURL+"&application_name="+program)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		return conn
	}
	long := read("reporting")
	if _, err := long.Exec(t.Context(), "BEGIN; SELECT count(*) FROM public.putaway_recommendations"); err != nil {
		t.Fatal(err)
	}
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.20", release))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.worker.Work(t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}) }()
	await(t, "V0.0.20 queues behind the reader", func() bool { return strings.Contains(s.log(run.ID), "Waiting: ") })
	longest, late := time.Duration(0), read("putaway")
	for !strings.Contains(s.log(run.ID), "try 1 of 6") {
		began := time.Now()
		if _, err := late.Exec(t.Context(), "SELECT count(*) FROM public.putaway_recommendations"); err != nil {
			t.Fatalf("a reader behind V0.0.20: %v", err)
		}
		longest = max(longest, time.Since(began))
	}
	if most := 2500 * time.Millisecond; longest > most {
		t.Errorf("a reader waited %s behind V0.0.20, want at most the 2 s of a lock_timeout", longest)
	}
	if _, err := long.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatalf("Work: %v", err)
	}
	if got := s.see(run.ID).Run; got.State != migration.Succeeded {
		t.Errorf("after the reader has gone V0.0.20 is %s: %s; want succeeded", got.State, got.Error)
	}
}

// M03: the network between the migrator and the database is cut, both ways, in the middle of a step.
func TestTheNetworkIsCutUnderAStep(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), slow)
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", s.release(housetest.Rivermark, true)))
	if err != nil {
		t.Fatal(err)
	}
	there, err := pgx.ParseConfig(s.d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	wire := tcpproxy.Start(t, "unix", fmt.Sprintf("%s/.s.PGSQL.%d", there.Host, there.Port))
	far, err := migrator.New(migrator.Set{Name: "wms", FS: slow, Ledger: migrator.WMSLedger},
		fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", there.User, there.Password, wire.Addr(), there.Database))
	if err != nil {
		t.Fatal(err)
	}
	worker := migration.NewWorker(s.store, far, s.files, slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	go func() { ended <- worker.Work(t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}) }()
	awaitSleep(t, s, run.ID)
	wire.CutBoth()
	if got := s.see(run.ID).Run.State; got != migration.Running {
		t.Errorf("while nobody can know, the run is %s; want running", got)
	}
	wire.Resume()
	back := time.Now()
	if err := <-ended; err != nil {
		t.Fatalf("Work over a cut network: %v", err)
	}
	if took := time.Since(back); took > time.Minute {
		t.Errorf("the truth was found %s after the network came back, want within 60s", took)
	}
	got := s.see(run.ID).Run
	if got.State != migration.Failed || !strings.Contains(got.Error, "Nothing of it remains; it can be tried again") {
		t.Errorf("the run is %s: %q; want failed, rolled back, may be tried again", got.State, got.Error)
	}
	if got := s.states(s.devops)["0.0.14"]; got != migration.StatePending {
		t.Errorf("the version is %s, want pending", got)
	}
}

// text is the one value that a query gives, read past every rule.
func (s *schemaChange) text(query string, args ...any) (value string) {
	s.t.Helper()
	if err := pgtest.Pool(s.t, s.d.SuperURL).QueryRow(s.t.Context(), query, args...).Scan(&value); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return value
}
