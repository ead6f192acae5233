package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/migrations"
)

func TestAReleaseAppliesItsMigrationsInOrder(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, "0.0.18"), migrations.WMS)
	release := s.release(housetest.Rivermark, true)
	for _, version := range []string{"0.0.20", "0.0.21", "0.0.22"} {
		run := s.apply(version, release)
		if run.State != migration.Succeeded {
			t.Fatalf("applying %s ended %s: %s", version, run.State, run.Error)
		}
		one := s.see(run.ID)
		if failed, ok := migration.AllPassed(one.Checks); !ok || len(one.Checks) == 0 {
			t.Errorf("after %s %d of %d post-checks fail: %v", version, failed, len(one.Checks), one.Checks)
		}
		if len(one.Lines) < 3 {
			t.Errorf("the log of %s holds %v, want at least begin, running and committed", version, one.Lines)
		}
	}
	ladder, checks, err := s.service.Verify(t.Context(), s.devops)
	if failed, ok := migration.AllPassed(checks); err != nil || !ok || len(ladder.Problems) > 0 {
		t.Errorf("Verify() = %d failures, %v, %v", failed, ladder.Problems, err)
	}
	app := pgtest.Pool(t, s.d.AppURL)
	rows, err := app.Query(t.Context(), `SELECT version || ' ' || success FROM schema_version WHERE version IN ('0.0.20','0.0.21','0.0.22') ORDER BY version`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if diff := cmp.Diff([]string{"0.0.20 true", "0.0.21 true", "0.0.22 true"}, got); err != nil || diff != "" {
		t.Errorf("the requirement's own query as the application (-want +got):\n%s%v", diff, err)
	}
	entry, err := s.service.Show(t.Context(), s.devops, must(migration.ParseVersion("0.0.22")))
	if err != nil || entry.History[0].By.Subject != "dora" || entry.History[0].Release != release || entry.History[0].Server == "" {
		t.Errorf("the ledger of 0.0.22 says %+v, %v; want dora, the release and the server", entry.History, err)
	}
	s.super(`DROP INDEX public.idx_crossdock_cancel_lot`)
	d, err := s.service.Show(t.Context(), s.devops, must(migration.ParseVersion("0.0.20")))
	if failed, _ := migration.AllPassed(d.Checks); err != nil || failed != 1 {
		t.Errorf("with one index dropped %d post-checks fail, want 1 (%v)", failed, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Every one of these posts straight past the page.
func TestTheGateOfMigrationsHoldsWithoutItsButton(t *testing.T) {
	t.Parallel()
	files := steps("CREATE TABLE public.t14 (id int);", "CREATE TABLE public.t15 (id int);")
	closed := changing(t, housetest.At(t, ""), files)
	closedRelease := closed.release(housetest.Rivermark, false)
	opened := changing(t, housetest.At(t, ""), files)
	release := opened.release(housetest.Rivermark, true)
	theirs := housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead)
	theirRelease := opened.release(housetest.Saltway, true)
	for name, c := range map[string]struct {
		s       *schemaChange
		by      actor.Actor
		version string
		change  func(*migration.ApplyRequest)
		release uuid.UUID
		kind    fault.Kind
		says    string
	}{
		"gate closed":           {closed, closed.devops, "0.0.14", nil, closedRelease, fault.GateClosed, "signature of QA lead"},
		"another hash":          {opened, opened.devops, "0.0.14", func(r *migration.ApplyRequest) { r.SHA256 = strings.Repeat("a", 64) }, release, fault.Conflict, "not the file that was shown"},
		"no right":              {opened, housetest.Person(housetest.Rivermark, "quinn", actor.QALead), "0.0.14", nil, release, fault.Forbidden, "DevOps"},
		"another tenant":        {opened, theirs, "0.0.14", nil, theirRelease, fault.Forbidden, "another organisation"},
		"another's release":     {opened, opened.devops, "0.0.14", nil, theirRelease, fault.GateClosed, "none of yours"},
		"no release":            {opened, opened.devops, "0.0.14", nil, uuid.New(), fault.GateClosed, "none of yours"},
		"wrong order":           {opened, opened.devops, "0.0.15", nil, release, fault.Conflict, "V0.0.14 comes first"},
		"pretends to operate":   {opened, pretending(theirs), "0.0.14", nil, theirRelease, fault.Forbidden, "another organisation"},
		"version without files": {opened, opened.devops, "0.0.14", func(r *migration.ApplyRequest) { r.Version = 99 }, release, fault.NotFound, "no migration V0.0.99"},
	} {
		req := c.s.request(c.version, c.release)
		if c.change != nil {
			c.change(&req)
		}
		_, err := c.s.service.Apply(t.Context(), c.by, req)
		if f, ok := fault.As(err); !ok || f.Kind != c.kind || !strings.Contains(f.Message, c.says) {
			t.Errorf("%s: Apply = %v, want %s with %q", name, err, c.kind, c.says)
		}
	}
	if n := len(opened.queue.refs) + len(closed.queue.refs); n != 0 {
		t.Errorf("%d refused runs were enqueued", n)
	}
}

func pretending(by actor.Actor) actor.Actor { by.Operator = true; return by }

func TestASignatureTakenBackClosesTheGateBeforeApplyAndBeforeStart(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);"))
	release := s.release(housetest.Rivermark, true)
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", release))
	if err != nil {
		t.Fatal(err)
	}
	s.super(`INSERT INTO gatehouse.signature_withdrawals (tenant_id, signature_id, reason, issuer, subject, name)
	         SELECT tenant_id, signature_id, 'doubts', issuer, subject, name FROM gatehouse.signatures`)
	if err := s.worker.Work(t.Context(), s.queue.refs[0]); err != nil {
		t.Fatal(err)
	}
	if got := s.see(run.ID).Run; got.State != migration.Failed || !strings.Contains(got.Error, "gate closed") {
		t.Errorf("a run whose gate closed before it began is %s: %q; want failed because of the gate", got.State, got.Error)
	}
	if _, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", release)); !fault.Is(err, fault.GateClosed) {
		t.Errorf("Apply after the signature was taken back = %v, want GateClosed", err)
	}
}

func TestAnAbortBetweenOrderAndStartStopsTheStep(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);"))
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", s.release(housetest.Rivermark, true)))
	if err != nil {
		t.Fatal(err)
	}
	s.super(`UPDATE gatehouse.runs SET state = 'aborted', ended_at = now(), end_reason = 'enough'`)
	if err := s.worker.Work(t.Context(), s.queue.refs[0]); err != nil {
		t.Fatal(err)
	}
	if got := s.see(run.ID).Run; got.State != migration.Failed || !strings.Contains(got.Error, "the release ended") {
		t.Errorf("a run of an aborted release is %s: %q; want failed because the release ended", got.State, got.Error)
	}
}

func TestTwoPressesAreOneRunAndTwoPeopleAreOneWinner(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);"))
	req := s.request("0.0.14", s.release(housetest.Rivermark, true))
	const presses = 4
	runs := make([]migration.Run, presses)
	errs := make([]error, presses)
	var all sync.WaitGroup
	for i := range presses {
		all.Go(func() { runs[i], errs[i] = s.service.Apply(t.Context(), s.devops, req) })
	}
	all.Wait()
	for i := range presses {
		if errs[i] != nil || runs[i].ID != runs[0].ID {
			t.Errorf("press %d gave run %s, %v; want %s", i, runs[i].ID, errs[i], runs[0].ID)
		}
	}
	other := req
	other.Key = uuid.New()
	_, err := s.service.Apply(t.Context(), housetest.Person(housetest.Rivermark, "dan", actor.DevOpsEngineer), other)
	var busy *migration.Busy
	if !errors.As(err, &busy) || busy.Run.ID != runs[0].ID || !strings.Contains(err.Error(), "dora") {
		t.Errorf("a second person's Apply = %v, want Busy with dora's run", err)
	}
	if len(s.queue.refs) != 1 {
		t.Errorf("%d jobs were enqueued, want 1", len(s.queue.refs))
	}
}

func TestTwoPeopleAtTheSameMoment(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);"))
	release := s.release(housetest.Rivermark, true)
	errs := make([]error, 4)
	var all sync.WaitGroup
	for i := range errs {
		req := s.request("0.0.14", release)
		all.Go(func() {
			_, errs[i] = s.service.Apply(t.Context(), housetest.Person(housetest.Rivermark, fmt.Sprint("person", i), actor.DevOpsLead), req)
		})
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !fault.Is(err, fault.Conflict) {
			t.Errorf("a loser got %v, want Conflict", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d people got a run, want 1", won, len(errs))
	}
}

func TestDownAsksForTheVersionAndAReason(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);"))
	release := s.release(housetest.Rivermark, true)
	s.apply("0.0.14", release)
	v := must(migration.ParseVersion("0.0.14"))
	undo, _ := s.files.Down(v)
	req := migration.DownRequest{Version: v, SHA256: undo.SHA256, Release: release, Confirm: "V0.0.15", Key: uuid.New()}
	_, err := s.service.Down(t.Context(), s.devops, req)
	if f, ok := fault.As(err); !ok || f.Fields["confirm"] == "" || f.Fields["reason"] == "" {
		t.Fatalf("Down with another version typed and no reason = %v, want complaints about both", err)
	}
	req.Confirm, req.Reason = "0.0.14", "it was too early"
	if _, err := s.service.Down(t.Context(), s.devops, req); !fault.Is(err, fault.GateClosed) || !strings.Contains(err.Error(), "counted") {
		t.Fatalf("Down of what nobody has counted = %v, want a closed gate", err)
	}
	req.Loss = s.counted("0.0.14", 0)
	run, err := s.service.Down(t.Context(), s.devops, req)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.worker.Work(t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}); err != nil {
		t.Fatal(err)
	}
	if got := s.see(run.ID); got.Run.State != migration.Succeeded {
		t.Fatalf("undoing ended %s: %s", got.Run.State, got.Run.Error)
	}
	if diff := cmp.Diff(map[string]migration.State{"0.0.14": migration.StateUndone}, s.states(s.devops)); diff != "" {
		t.Errorf("after undoing (-want +got):\n%s", diff)
	}
	var shown int
	if err := pgtest.Pool(t, s.d.AppURL).QueryRow(t.Context(), `SELECT count(*) FROM schema_version`).Scan(&shown); err != nil || shown != 0 {
		t.Errorf("schema_version shows %d rows, %v; want none for what was taken back", shown, err)
	}
	if again := s.apply("0.0.14", release); again.State != migration.Succeeded {
		t.Errorf("applying again ended %s: %s", again.State, again.Error)
	}
}

func TestAFailedRunSaysWhereAndLeavesTheVersionToTryAgain(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);\nSELECT 1/0;"))
	run := s.apply("0.0.14", s.release(housetest.Rivermark, true))
	if run.State != migration.Failed || run.SQLState != "22012" || !strings.HasPrefix(run.Error, "V0.0.14__step.sql line 7 (SQLSTATE 22012): division by zero") {
		t.Errorf("the run is %s, %s, %q; want failed, 22012, file and line 7", run.State, run.SQLState, run.Error)
	}
	rows := pgtest.Pool(t, s.d.AppURL)
	var success bool
	if err := rows.QueryRow(t.Context(), `SELECT success FROM schema_version WHERE version = '0.0.14'`).Scan(&success); err != nil || success {
		t.Errorf("schema_version says success %v, %v; want false until a try succeeds", success, err)
	}
	o, err := s.service.Ladder(t.Context(), s.devops, 0)
	if err != nil || o.Ladder.Rungs[0].State != migration.StateFailed || !o.Ladder.Rungs[0].Next {
		t.Errorf("the rung is %+v, %v; want failed and next", o.Ladder.Rungs[0], err)
	}
}

func TestTheOtherTenantSeesTheSchemaAndNoNames(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);", "DO $$ BEGIN RAISE EXCEPTION 'row of tenant one'; END $$;"))
	release := s.release(housetest.Rivermark, true)
	run := s.apply("0.0.14", release)
	s.apply("0.0.15", release)
	sam := housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead)
	o, err := s.service.Ladder(t.Context(), sam, 0)
	if err != nil {
		t.Fatal(err)
	}
	if o.Ladder.Rungs[0].State != migration.StateApplied || o.Ladder.Rungs[1].State != migration.StateFailed {
		t.Errorf("the other tenant sees %s and %s, want applied and failed", o.Ladder.Rungs[0].State, o.Ladder.Rungs[1].State)
	}
	for _, e := range o.History {
		all := fmt.Sprintf("%+v", e)
		if strings.Contains(all, "dora") || strings.Contains(all, "tenant one") || e.Run != uuid.Nil || e.Release != uuid.Nil || e.By.Name != "another organisation" {
			t.Errorf("the other tenant reads %s", all)
		}
	}
	if len(o.Runs) != 0 || o.Release != nil {
		t.Errorf("the other tenant sees runs %v and release %v", o.Runs, o.Release)
	}
	if _, err := s.service.Run(t.Context(), sam, run.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("Run of the other tenant = %v, want NotFound", err)
	}
}

func TestPagesAskOnce(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, "0.0.18"), migrations.WMS)
	run := s.apply("0.0.20", s.release(housetest.Rivermark, true))
	for name, page := range map[string]func(context.Context) error{
		"ladder": func(ctx context.Context) error { _, err := s.service.Ladder(ctx, s.devops, 0); return err },
		"show": func(ctx context.Context) error {
			_, err := s.service.Show(ctx, s.devops, must(migration.ParseVersion("0.0.20")))
			return err
		},
		"run": func(ctx context.Context) error { _, err := s.service.Run(ctx, s.devops, run.ID); return err },
	} {
		ctx, meter := postgres.WithMeter(t.Context())
		if err := page(ctx); err != nil {
			t.Fatal(err)
		}
		if got := meter.Trips(); got != 1 {
			t.Errorf("page %s took %d round trips, want 1", name, got)
		}
	}
}

func TestWhatAnInterruptedRunNeeds(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);"))
	release := s.release(housetest.Rivermark, true)
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", release))
	if err != nil {
		t.Fatal(err)
	}
	// A program marked it running and died before it reached the database.
	s.super(`UPDATE gatehouse.migration_runs SET state = 'running', started_at = clock_timestamp() - interval '1 minute'`)
	if err := s.worker.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.see(run.ID).Run; got.State != migration.Interrupted || !strings.Contains(got.Resolution, "nothing of the step remains") {
		t.Fatalf("the run is %s: %q; want interrupted and what is known", got.State, got.Resolution)
	}
	if diff := cmp.Diff(map[string]migration.State{"0.0.14": migration.StateInterrupted}, s.states(s.devops)); diff != "" {
		t.Errorf("the ladder (-want +got):\n%s", diff)
	}
	if _, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", release)); !fault.Is(err, fault.Conflict) {
		t.Errorf("Apply before somebody looked = %v, want Conflict", err)
	}
	if err := s.service.Acknowledge(t.Context(), housetest.Person(housetest.Rivermark, "quinn", actor.QALead), run.ID, "fine"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("Acknowledge without the right = %v, want Forbidden", err)
	}
	if err := s.service.Acknowledge(t.Context(), s.devops, run.ID, " "); !fault.Is(err, fault.Invalid) {
		t.Errorf("Acknowledge without a word = %v, want Invalid", err)
	}
	if err := s.service.Acknowledge(t.Context(), s.devops, run.ID, "the machine lost power"); err != nil {
		t.Fatal(err)
	}
	if got := s.apply("0.0.14", release); got.State != migration.Succeeded {
		t.Errorf("applying after that ended %s: %s", got.State, got.Error)
	}
}

func TestAnOrderThatNobodyTakesUpEndsAndDoesNotStartLater(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);"))
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", s.release(housetest.Rivermark, true)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.worker.Resolve(t.Context()); err != nil || s.see(run.ID).Run.State != migration.Queued {
		t.Fatalf("a fresh order is %s, %v; want still queued", s.see(run.ID).Run.State, err)
	}
	s.super(`UPDATE gatehouse.migration_runs SET requested_at = requested_at - interval '6 minutes'`)
	if err := s.worker.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.worker.Work(t.Context(), s.queue.refs[0]); err != nil {
		t.Fatal(err)
	}
	if got := s.see(run.ID).Run; got.State != migration.Interrupted || !strings.Contains(got.Resolution, "never began") {
		t.Errorf("an old order is %s: %q; want interrupted, never begun", got.State, got.Resolution)
	}
}

func TestARunThatWasGivenUpDoesNotBegin(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);"))
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", s.release(housetest.Rivermark, true)))
	if err != nil {
		t.Fatal(err)
	}
	s.super(`UPDATE gatehouse.migration_runs SET state = 'interrupted'`)
	_, err = s.migrator.Step(t.Context(), migration.StepRequest{Version: run.Version, Direction: migration.Up, By: s.devops, Run: run.ID})
	var given *migration.GivenUp
	if !errors.As(err, &given) {
		t.Errorf("Step of a run that was given up = %v, want GivenUp", err)
	}
	if got := s.states(s.devops)["0.0.14"]; got != migration.StateInterrupted {
		t.Errorf("the version is %s, want interrupted and not applied", got)
	}
}
