package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/change"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// hashes is change.Files over the files of a story.
type hashes struct{ files *migration.Files }

func (h hashes) Hashes(version, direction string) (plan, file string, ok bool) {
	v := must(migration.ParseVersion(version))
	up, hasUp := h.files.Up(v)
	run, hasRun := h.files.In(migration.Direction(direction), v)
	return up.SHA256, run.SHA256, hasUp && hasRun
}

// changeTime is a schemaChange with a release whose time is judged.
type changeTime struct {
	*schemaChange
	changes *change.Service
	release uuid.UUID
	lead    actor.Actor
}

func timing(t *testing.T, signed bool) changeTime {
	t.Helper()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);", "CREATE TABLE public.t15 (id int);"))
	return changeTime{
		s, change.NewService(postgres.Changes{DB: s.store.DB}, hashes{s.files}), s.release(housetest.Rivermark, signed),
		housetest.Person(housetest.Rivermark, "bella", actor.BackendLead),
	}
}

// window sets the release's window past the rule, which another test holds.
func (s changeTime) window(from, until string) {
	s.t.Helper()
	s.super(`INSERT INTO gatehouse.release_windows (tenant_id, run_id, number, starts_at, ends_at, reason, issuer, subject, name)
		SELECT tenant_id, run_id, 1 + (SELECT count(*) FROM gatehouse.release_windows), clock_timestamp() + $2::interval, clock_timestamp() + $3::interval, 'a test', 'test', 'test', 'Test'
		  FROM gatehouse.runs WHERE run_id = $1`, s.release, from, until)
}

func (s changeTime) freeze() {
	s.t.Helper()
	err := s.changes.Freeze(s.t.Context(), s.devops, uuid.New(), change.Span{From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Reason: "Christmas trade."})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s changeTime) page() change.Page {
	s.t.Helper()
	p, err := s.changes.Show(s.t.Context(), s.devops, s.release)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// closed expects every door to refuse with the one sentence.
func (s changeTime) closed(words string) {
	s.t.Helper()
	sentence := s.page().Moment.Refusal
	if !strings.Contains(sentence, words) {
		s.t.Fatalf("the refusal is %q, want %q", sentence, words)
	}
	_, err := s.service.Apply(s.t.Context(), s.devops, s.request("0.0.14", s.release))
	s.says(err, fault.GateClosed, sentence)
	machine := s.devops
	machine.Origin = actor.CLI
	_, err = s.service.Apply(s.t.Context(), machine, s.request("0.0.14", s.release))
	s.says(err, fault.GateClosed, sentence)
}

func (s changeTime) says(err error, kind fault.Kind, words string) {
	s.t.Helper()
	if f, ok := fault.As(err); !ok || f.Kind != kind || !strings.Contains(f.Message, words) {
		s.t.Fatalf("got %v, want %s with %q", err, kind, words)
	}
}

// override is asked for by one person and agreed to by another.
func (s changeTime) override(kind change.Kind) {
	s.t.Helper()
	id := uuid.New()
	if err := s.changes.Ask(s.t.Context(), s.devops, change.Asked{ID: id, Release: s.release, Kind: kind, Reason: "It cannot wait.", For: time.Hour}); err != nil {
		s.t.Fatal(err)
	}
	if err := s.changes.Second(s.t.Context(), s.lead, s.release, id); err != nil {
		s.t.Fatal(err)
	}
}

// The limits by the second: a window begins with its start and is over at its end, and so does a freeze.
func TestWindowAndFreezeAreJudgedToTheSecond(t *testing.T) {
	t.Parallel()
	s := timing(t, true)
	at := time.Date(2026, 12, 13, 7, 0, 0, 0, time.UTC)
	s.super(`UPDATE gatehouse.runs SET t0 = $2, time_zone = 'America/New_York' WHERE run_id = $1`, s.release, at)
	s.super(`INSERT INTO gatehouse.freezes (tenant_id, freeze_id, starts_at, ends_at, reason, issuer, subject, name)
		VALUES ($1, gen_random_uuid(), $2, $3, 'Stock is counted.', 'test', 'test', 'Test')`, housetest.Rivermark, at.Add(time.Hour), at.Add(2*time.Hour))
	// Another tenant's freeze is no freeze of ours.
	s.super(`INSERT INTO gatehouse.freezes (tenant_id, freeze_id, starts_at, ends_at, reason, issuer, subject, name)
		VALUES ($1, gen_random_uuid(), $2, $3, 'Theirs.', 'test', 'test', 'Test')`, housetest.Saltway, at, at.Add(4*time.Hour))
	pool := pgtest.Pool(t, s.d.SuperURL)
	for _, c := range []struct {
		after time.Duration
		says  string
	}{
		{-time.Second, "from 13 Dec 2026 02:00 to 13 Dec 2026 06:00 (America/New_York)"},
		{0, ""},
		{time.Hour - time.Second, ""},
		{time.Hour, "frozen, which is until 13 Dec 2026 04:00 (America/New_York): Stock is counted."},
		{2*time.Hour - time.Second, "frozen"},
		{2 * time.Hour, ""},
		{4*time.Hour - time.Second, ""},
		{4 * time.Hour, "outside the change window"},
		{4*time.Hour + time.Second, "outside the change window"},
	} {
		var got string
		err := pool.QueryRow(t.Context(), `SELECT coalesce(refusal, '') FROM gatehouse.change_moment($1, $2, $3)`, housetest.Rivermark, s.release, at.Add(c.after)).Scan(&got)
		if err != nil || (c.says == "") != (got == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s after T-0 the refusal is %q, %v; want %q", c.after, got, err, c.says)
		}
	}
}

func TestOutsideTheWindowEveryDoorRefusesAndTwoPeopleOpenIt(t *testing.T) {
	t.Parallel()
	s := timing(t, true)
	s.window("1 hour", "3 hours")
	s.closed("outside the change window")
	theirs := housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead)
	if _, err := s.changes.Show(t.Context(), theirs, s.release); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant's look = %v, want not found", err)
	}
	id := uuid.New()
	ask := change.Asked{ID: id, Release: s.release, Kind: change.Window, Reason: " ", For: time.Hour}
	s.says(s.changes.Ask(t.Context(), s.devops, ask), fault.Invalid, "")
	ask.Reason = "A line stands still."
	stale := s.devops
	stale.AuthTime = time.Now().Add(-6 * time.Minute)
	s.says(s.changes.Ask(t.Context(), stale, ask), fault.Conflict, "older than five minutes")
	if err := s.changes.Ask(t.Context(), s.devops, ask); err != nil {
		t.Fatal(err)
	}
	s.closed("outside the change window") // one person is no override
	s.says(s.changes.Second(t.Context(), s.devops, s.release, id), fault.Forbidden, "somebody else has to agree")
	renamed := s.devops
	renamed.Name, renamed.UserID = "another", uuid.New()
	s.says(s.changes.Second(t.Context(), renamed, s.release, id), fault.Forbidden, "somebody else has to agree")
	old := s.lead
	old.AuthTime = time.Now().Add(-6 * time.Minute)
	s.says(s.changes.Second(t.Context(), old, s.release, id), fault.Forbidden, "older than five minutes")
	s.says(s.changes.Second(t.Context(), pretending(theirs), s.release, id), fault.NotFound, "")
	s.closed("outside the change window")
	if err := s.changes.Second(t.Context(), s.lead, s.release, id); err != nil {
		t.Fatal(err)
	}
	p := s.page()
	if text, calm := p.Moment.Banner(time.UTC); calm || !strings.Contains(text, "Two people have overridden the change window until") {
		t.Errorf("the banner is %q, calm %t", text, calm)
	}
	if run := s.apply("0.0.14", s.release); run.State != migration.Succeeded {
		t.Errorf("with the override the run ended %s: %s", run.State, run.Error)
	}
	// An override of the window is none of a freeze.
	s.freeze()
	_, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.15", s.release))
	s.says(err, fault.GateClosed, "frozen")
	s.override(change.Frost)
	if run := s.apply("0.0.15", s.release); run.State != migration.Succeeded {
		t.Errorf("with both overrides the run ended %s: %s", run.State, run.Error)
	}
	for action, want := range map[string]int{"override:ask": 2, "override:second": 2, "environment:freeze": 1} {
		var n int
		err := pgtest.Pool(t, s.d.SuperURL).QueryRow(t.Context(), `SELECT count(*) FROM gatehouse.audit_events WHERE action = $1 AND outcome = 'done'`, action).Scan(&n)
		if err != nil || n != want {
			t.Errorf("the trail holds %d of %s, %v; want %d", n, action, err, want)
		}
	}
}

func TestAnOverrideExpiresAndIsJudgedToTheSecond(t *testing.T) {
	t.Parallel()
	s := timing(t, true)
	s.window("1 hour", "3 hours")
	s.override(change.Window)
	pool := pgtest.Pool(t, s.d.SuperURL)
	var before, at bool
	err := pool.QueryRow(t.Context(), `
		SELECT (gatehouse.change_moment(tenant_id, run_id, expires_at - interval '1 second')).window_until IS NOT NULL,
		       (gatehouse.change_moment(tenant_id, run_id, expires_at)).window_until IS NOT NULL
		  FROM gatehouse.apply_overrides`).Scan(&before, &at)
	if err != nil || !before || at {
		t.Errorf("a second before its end the override counts: %t, at its end: %t (%v); want true, false", before, at, err)
	}
}

// The order may lie in the window and the start no more; and the start may, and the lock no more.
func TestTheWindowIsAskedAgainAtTheStartAndBesideTheLock(t *testing.T) {
	t.Parallel()
	s := timing(t, true)
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", s.release))
	if err != nil {
		t.Fatal(err)
	}
	s.window("1 hour", "3 hours")
	if err := s.worker.Work(t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}); err != nil {
		t.Fatal(err)
	}
	if got := s.see(run.ID).Run; got.State != migration.Failed || !strings.Contains(got.Error, "outside the change window") || !got.StartedAt.IsZero() {
		t.Errorf("the run is %s, begun %s: %q; want failed by the window, and never begun", got.State, got.StartedAt, got.Error)
	}
	s.window("-1 hour", "3 hours")
	if run, err = s.service.Apply(t.Context(), s.devops, s.request("0.0.14", s.release)); err != nil {
		t.Fatal(err)
	}
	s.super(`UPDATE gatehouse.migration_runs SET state = 'running', started_at = now() WHERE run_id = $1`, run.ID)
	s.freeze()
	_, err = s.migrator.Step(t.Context(), migration.StepRequest{Version: run.Version, Direction: migration.Up, SHA256: run.SHA256, By: s.devops, Release: s.release, Run: run.ID})
	s.says(err, fault.GateClosed, "frozen")
	if failed := new(migration.StepError); errors.As(err, &failed) {
		t.Errorf("the refusal is told as a failure of the file: %v", err)
	}
	if got := s.states(s.devops)["0.0.14"]; got == migration.StateApplied || got == migration.StateFailed {
		t.Errorf("V0.0.14 is %s, though the freeze came before its lock", got)
	}
}

// Taking back is a change, too.
func TestNothingIsTakenBackOutsideTheWindow(t *testing.T) {
	t.Parallel()
	s := timing(t, true)
	s.apply("0.0.14", s.release)
	s.window("1 hour", "3 hours")
	v := must(migration.ParseVersion("0.0.14"))
	undo, _ := s.files.Down(v)
	_, err := s.service.Down(t.Context(), s.devops, migration.DownRequest{Version: v, SHA256: undo.SHA256, Release: s.release, Confirm: "0.0.14", Reason: "too early", Key: uuid.New()})
	s.says(err, fault.GateClosed, "outside the change window")
}

// over: nobody is told that something is set which holds nothing any more.
func (s changeTime) over(err error) {
	s.t.Helper()
	if f, ok := fault.As(err); !ok || f.Kind != fault.Invalid || !strings.Contains(f.Fields["until"], "over already") {
		s.t.Errorf("a time that is over: %v, want a complaint about its end", err)
	}
}

func TestTheWindowStandsOnceSomebodySigned(t *testing.T) {
	t.Parallel()
	span := change.Span{From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Reason: "second Sunday"}
	open := timing(t, false)
	if err := open.changes.SetWindow(t.Context(), open.devops, open.release, span); err != nil {
		t.Fatal(err)
	}
	if got := open.page(); got.Moment.SetBy != "dora" || !got.Moment.Ends.Equal(span.Until.Truncate(time.Microsecond)) {
		t.Errorf("the window is %+v, want dora's", got.Moment)
	}
	signed := timing(t, true)
	signed.says(signed.changes.SetWindow(t.Context(), signed.devops, signed.release, span), fault.Conflict, "does not move any more")
	gone := change.Span{From: time.Now().Add(-48 * time.Hour), Until: time.Now().Add(-47 * time.Hour), Reason: "last week"}
	open.over(open.changes.SetWindow(t.Context(), open.devops, open.release, gone))
	open.over(open.changes.Freeze(t.Context(), open.devops, uuid.New(), gone))
	span.Until = span.From.Add(25 * time.Hour)
	open.says(open.changes.SetWindow(t.Context(), open.devops, open.release, span), fault.Invalid, "")
	theirs := pretending(housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead))
	span.Until = span.From.Add(2 * time.Hour)
	open.says(open.changes.SetWindow(t.Context(), theirs, open.release, span), fault.NotFound, "")
}

// M14: a backup that is too old or was never restored is overridden by two people; a rehearsal that did not pass is not.
func TestTheProofIsOverriddenByTwoPeopleAndARehearsalByNobody(t *testing.T) {
	t.Parallel()
	s := timing(t, true)
	s.super(`ALTER TABLE gatehouse.backup_checks DISABLE TRIGGER USER`)
	s.super(`DELETE FROM gatehouse.backup_checks`)
	_, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", s.release))
	s.says(err, fault.GateClosed, migration.NoBackup)
	s.override(change.Proof)
	if run := s.apply("0.0.14", s.release); run.State != migration.Succeeded {
		t.Errorf("with the override the run ended %s: %s", run.State, run.Error)
	}
	bare := timing(t, false)
	bare.override(change.Proof)
	_, err = bare.service.Apply(t.Context(), bare.devops, bare.request("0.0.14", bare.release))
	bare.says(err, fault.GateClosed, "go / no-go") // never for a missing signature
	bare.super(`INSERT INTO gatehouse.signatures (tenant_id, signature_id, run_id, gate, slot, attempt, role, meaning, statement, note, content, content_sha256,
	          issuer, subject, name, auth_time, acr, origin, ip, session, signed_at, idempotency_key)
	      SELECT tenant_id, gen_random_uuid(), run_id, 'go_no_go', 'qa', 1, 'qa_lead', 'approved', 'Go.', '', c.text, encode(sha256(convert_to(c.text, 'UTF8')), 'hex'),
	          'https://id.test', 'quinn', 'quinn', now(), '', 'web', '', '', now(), gen_random_uuid()
	        FROM gatehouse.runs CROSS JOIN LATERAL (SELECT set_config('app.current_tenant_id', tenant_id::text, true)) t
	        CROSS JOIN LATERAL (SELECT gatehouse.gate_content(run_id, 'go_no_go')::text AS text WHERE t IS NOT NULL) c WHERE run_id = $1`, bare.release)
	_, err = bare.service.Apply(t.Context(), bare.devops, bare.request("0.0.14", bare.release))
	bare.says(err, fault.GateClosed, migration.NotRehearsed)
}
