package postgres_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

const waysBack = `"rollback":[
 {"id":"RB-1","title":"Undo the rollout","time":"under 5 minutes","data_loss":"none","who":"DevOps lead","when":"Pods restart.","steps":["Undo it.","Count the pods."]},
 {"id":"RB-4","title":"Restore","time":"30 to 60 minutes","data_loss":"everything since the backup","who":"DevOps lead","when":"Damage.","steps":["Restore it."]}]`

var oncall = housetest.Person(housetest.Rivermark, "Olaf", actor.OnCallEngineer)

type backRelease struct {
	*release
	back, other *runbook.Rollbacks
}

func withWaysBack(t *testing.T) backRelease {
	t.Helper()
	r := newHouse(t)
	var err error
	if r.template, err = runbook.ParseTemplate([]byte(strings.Replace(small, `"rollback":[]`, waysBack, 1))); err != nil {
		t.Fatalf("ParseTemplate: %v", err)
	}
	r.runbook = r.stories(r.template)
	r.id = r.start(starter)
	return backRelease{r, runbook.NewRollbacks(postgres.Rollbacks{DB: r.db}), runbook.NewRollbacks(postgres.Rollbacks{DB: housetest.Open(t, r.house)})}
}

func (r backRelease) page() runbook.RollbackPage {
	r.t.Helper()
	p, err := r.back.Show(r.t.Context(), worker, r.id)
	if err != nil {
		r.t.Fatalf("Show: %v", err)
	}
	return p
}

func (r backRelease) begin(by actor.Actor, option string) runbook.Rollback {
	r.t.Helper()
	if err := r.back.Begin(r.t.Context(), fresh(by), runbook.BeginRequest{Run: r.id, Option: option, Reason: "Pods restart in a loop.", Key: uuid.New()}); err != nil {
		r.t.Fatalf("Begin(%s): %v", option, err)
	}
	return r.page().Rollbacks[0]
}

func (r backRelease) tick(b runbook.Rollback, step int) runbook.TickRequest {
	return runbook.TickRequest{Run: r.id, Rollback: b.ID, Step: step, Needed: true, Note: "Seen with my own eyes."}
}

func (r backRelease) end(b runbook.Rollback) runbook.EndRequest {
	return runbook.EndRequest{Run: r.id, Rollback: b.ID, Note: "The version before runs."}
}

func (r backRelease) knock(what string, err error, kind fault.Kind, words string) {
	r.t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), words) {
		r.t.Errorf("%s = %v; want %s with %q", what, err, kind, words)
	}
}

func TestOnePersonRollsBackWhatLosesNothingAndAnotherReviewsIt(t *testing.T) {
	t.Parallel()
	r := withWaysBack(t)
	r.passed()
	queued := r.queued(devops)
	b := r.begin(oncall, "RB-1")
	if b.State() != runbook.RollbackGoing || !b.Safe || b.Goal != 5*time.Minute || len(b.Steps) != 2 || b.By.Name != "Olaf" {
		t.Fatalf("the rollback is %+v; want RB-1 under way, against five minutes", b)
	}
	// Nothing of it is signed or applied from now on, whoever asks: the gate, and what waits in the queue or is put there.
	if blockers := r.gate(signoff.Final).Blockers; !strings.Contains(blockers[0].Text, "being rolled back by RB-1, decided by Olaf") {
		t.Errorf("the gate is kept shut by %+v, want first the rollback", blockers[0])
	}
	r.exec("UPDATE gatehouse.migration_runs SET state = 'running', started_at = now() WHERE run_id = $1", queued)
	if got := r.count("SELECT count(*) FROM gatehouse.migration_runs WHERE run_id = $1 AND state = 'queued'", queued); got != 1 {
		t.Error("a migration that waited in the queue was started in the middle of a rollback")
	}
	r.knock("a second one", r.back.Begin(t.Context(), fresh(devops), runbook.BeginRequest{Run: r.id, Option: "RB-4", Reason: "It is worse.", Key: uuid.New()}), fault.Conflict, "Olaf is rolling this release back already")

	r.knock("to end it early", r.back.End(t.Context(), oncall, r.end(b)), fault.Conflict, "These steps are still open: 1, 2")
	if err := r.back.Tick(t.Context(), worker, r.tick(b, 1)); err != nil {
		t.Fatalf("Tick: %v", err)
	}
	leave := r.tick(b, 2)
	leave.Needed, leave.Note = false, "There is one pod only."
	if err := r.back.Tick(t.Context(), oncall, leave); err != nil {
		t.Fatalf("Tick(not needed): %v", err)
	}
	r.knock("a step twice", r.back.Tick(t.Context(), worker, runbook.TickRequest{Run: r.id, Rollback: b.ID, Step: 2, Needed: true, Note: "Done after all."}), fault.Conflict, "Olaf has settled step 2 already")
	if err := r.back.End(t.Context(), oncall, r.end(b)); err != nil {
		t.Fatalf("End: %v", err)
	}
	b = r.page().Rollbacks[0]
	if r.state() != runbook.RolledBack || b.State() != runbook.RollbackDone || !b.Kept || b.Took <= 0 || !b.WantsReview() || b.Steps[1].Needed {
		t.Errorf("after the end the release is %s and the rollback %+v; want both rolled back, within the goal, to be reviewed", r.state(), b)
	}
	shown, err := r.runbook.Show(t.Context(), worker, r.id)
	if err != nil || !shown.Run.Ended() || shown.Run.EndedBy != "Olaf" || !strings.Contains(shown.Run.EndReason, "RB-1, Undo the rollout: The version before runs.") || len(shown.Rollbacks) != 1 {
		t.Errorf("the release says %+v, %v; want who ended it how", shown.Run, err)
	}
	if got := r.count("SELECT count(*) FROM gatehouse.notices WHERE kind = 'rollback' AND headline LIKE 'Review %'"); got != len(actor.RolesWith(actor.RollbackReview)) {
		t.Errorf("%d notices of the review, want one for each role that may", got)
	}

	review := runbook.ReviewRequest{Run: r.id, Rollback: b.ID, Note: "The log and the pods agree."}
	r.knock("one's own review", r.back.Review(t.Context(), fresh(oncall), review), fault.Forbidden, "somebody else has to review")
	r.knock("a review without the right", r.back.Review(t.Context(), fresh(worker), review), fault.Forbidden, "rollback:review")
	stale := qa
	stale.AuthTime = time.Now().Add(-6 * time.Minute)
	r.knock("a stale review", r.back.Review(t.Context(), stale, review), fault.Unauthenticated, "five minutes")
	r.knock("another tenant's", r.back.Review(t.Context(), fresh(stranger), review), fault.NotFound, "no such release")
	if err := r.back.Review(t.Context(), fresh(qa), review); err != nil {
		t.Fatalf("Review: %v", err)
	}
	if b = r.page().Rollbacks[0]; b.WantsReview() || b.Objected || b.Reviewed.By.Name != qa.Name {
		t.Errorf("after the review: %+v", b)
	}
	if got := r.count("SELECT count(*) FROM gatehouse.audit_events WHERE outcome = 'done' AND action LIKE 'rollback:%'"); got != 5 {
		t.Errorf("%d audit entries, want begin, two steps, end and review", got)
	}
}

func TestARollbackThatLosesDataTakesTwo(t *testing.T) {
	t.Parallel()
	r := withWaysBack(t)
	for what, by := range map[string]actor.Actor{"an engineer": fresh(worker), "another tenant": fresh(stranger)} {
		err := r.back.Begin(t.Context(), by, runbook.BeginRequest{Run: r.id, Option: "RB-4", Reason: "Damage.", Key: uuid.New()})
		if !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.NotFound) {
			t.Errorf("%s begins: %v", what, err)
		}
	}
	stale, machine := devops, fresh(devops)
	stale.AuthTime = time.Now().Add(-6 * time.Minute)
	machine.Rights = []actor.Right{actor.ReleaseRollback}
	good := runbook.BeginRequest{Run: r.id, Option: "RB-4", Reason: "Damage.", Key: uuid.New()}
	r.knock("a stale sign-in", r.back.Begin(t.Context(), stale, good), fault.Unauthenticated, "five minutes")
	r.knock("a machine", r.back.Begin(t.Context(), machine, good), fault.Forbidden, "no machine")
	bad := runbook.BeginRequest{Run: r.id, Option: "RB-9", Reason: "x"}
	err := r.back.Begin(t.Context(), fresh(devops), bad)
	if refused, ok := fault.As(err); !ok || refused.Fields["option"] == "" || refused.Fields["reason"] == "" || refused.Fields["key"] == "" {
		t.Errorf("Begin with nothing right = %v; want a sentence for each field", err)
	}
	if len(r.page().Rollbacks) != 0 {
		t.Fatal("a refused rollback began")
	}

	b := r.begin(devops, "RB-4")
	if b.State() != runbook.RollbackAsked || b.Goal != time.Hour {
		t.Fatalf("RB-4 is %s against %s; want asked, against an hour", b.State(), b.Goal)
	}
	r.knock("a step before the second person", r.back.Tick(t.Context(), worker, r.tick(b, 1)), fault.Conflict, "a second person has to agree")
	r.knock("the end before the second person", r.back.End(t.Context(), devops, r.end(b)), fault.Conflict, "has not agreed")
	r.knock("agreeing with oneself", r.back.Agree(t.Context(), fresh(devops), r.id, b.ID), fault.Forbidden, "somebody else has to agree")
	r.knock("agreeing without the right", r.back.Agree(t.Context(), fresh(qa), r.id, b.ID), fault.Forbidden, "rollback:agree")
	late := backend
	late.AuthTime = time.Now().Add(-6 * time.Minute)
	r.knock("agreeing with a stale sign-in", r.back.Agree(t.Context(), late, r.id, b.ID), fault.Unauthenticated, "five minutes")
	if err := r.back.Agree(t.Context(), fresh(backend), r.id, b.ID); err != nil {
		t.Fatalf("Agree: %v", err)
	}
	r.knock("agreeing again", r.back.Agree(t.Context(), fresh(oncall), r.id, b.ID), fault.Conflict, "Ben has agreed already")
	if err := r.back.Tick(t.Context(), worker, r.tick(b, 1)); err != nil {
		t.Fatalf("Tick: %v", err)
	}
	// The clock runs from the decision on: an hour and a second later the goal is missed, by the database's clock.
	r.exec("ALTER TABLE gatehouse.rollbacks DISABLE TRIGGER rollbacks_append_only")
	r.exec("UPDATE gatehouse.rollbacks SET started_at = now() - interval '3601 seconds', auth_time = now() - interval '3601 seconds'")
	if err := r.back.End(t.Context(), devops, r.end(b)); err != nil {
		t.Fatalf("End: %v", err)
	}
	if b = r.page().Rollbacks[0]; b.Kept || b.Took < time.Hour {
		t.Errorf("it took %s and the goal was kept: %v; want it missed", b.Took, b.Kept)
	}
	r.knock("a rollback of what is over", r.back.Begin(t.Context(), fresh(devops), good), fault.Conflict, "over")
}

func TestARollbackThatIsGivenUpLetsTheReleaseGoOn(t *testing.T) {
	t.Parallel()
	r := withWaysBack(t)
	r.passed()
	b := r.begin(devops, "RB-1")
	give := r.end(b)
	give.GivenUp = true
	if err := r.back.End(t.Context(), devops, give); err != nil {
		t.Fatalf("End(given up): %v", err)
	}
	if r.state() != runbook.Active || r.page().Rollbacks[0].State() != runbook.RollbackGivenUp {
		t.Fatalf("the release is %s, the rollback %s", r.state(), r.page().Rollbacks[0].State())
	}
	// What is signed names it, so what was signed before is void.
	if r.passedNow(signoff.GoNoGo) {
		t.Error("the gate is passed with signatures that know nothing of the rollback")
	}
	gate := r.gate(signoff.GoNoGo)
	given, _ := gate.Latest("qa")
	changes, err := signoff.Compare(given.Content, gate.Content)
	if err != nil || len(changes) != 1 || changes[0].What != "Rollback 1" || !strings.Contains(changes[0].Now, "given up by Dora") {
		t.Errorf("it says that this changed: %+v, %v", changes, err)
	}
	r.sign(qa, signoff.GoNoGo, "qa")
	if !r.page().Rollbacks[0].WantsReview() {
		t.Error("a rollback that was given up wants no review")
	}
	r.begin(oncall, "RB-1")
}

// While it is being taken back a release has one end, its rollback's: aborted or closed meanwhile, that could never end.
func TestAReleaseThatIsRolledBackEndsWithThat(t *testing.T) {
	t.Parallel()
	r := withWaysBack(t)
	r.passed()
	b := r.begin(oncall, "RB-1")
	shown, err := r.runbook.Show(t.Context(), worker, r.id)
	if err != nil {
		t.Fatal(err)
	}
	seen := runbook.SeenRun{Run: r.id, Version: shown.Run.Version}
	r.knock("to abort it", r.runbook.Abort(t.Context(), devops, seen, shown.Run.Code, "It is all broken."), fault.Conflict, "being rolled back by RB-1, decided by Olaf")
	for step := range 2 {
		if err := r.back.Tick(t.Context(), worker, r.tick(b, step+1)); err != nil {
			t.Fatalf("Tick: %v", err)
		}
	}
	if err := r.back.End(t.Context(), oncall, r.end(b)); err != nil || r.state() != runbook.RolledBack {
		t.Errorf("End = %v, and the release is %s", err, r.state())
	}
}

// Its last item may be done while it is being taken back: it closes when that is given up, and not before.
func TestAReleaseClosesWhenItsRollbackIsGivenUp(t *testing.T) {
	t.Parallel()
	r := withWaysBack(t)
	r.finished()
	r.sign(qa, signoff.Final, "qa")
	r.sign(devops, signoff.Final, "devops")
	b := r.begin(oncall, "RB-1")
	r.done("C1", "I have looked.")
	if r.state() != runbook.SignedOff {
		t.Fatalf("with its last item the release is %s in the middle of a rollback, want signed off", r.state())
	}
	give := r.end(b)
	give.GivenUp = true
	if err := r.back.End(t.Context(), oncall, give); err != nil || r.state() != runbook.Closed {
		t.Errorf("End(given up) = %v, and the release is %s; want it closed, as nothing is left to do", err, r.state())
	}
	if n := r.count("SELECT count(*) FROM gatehouse.audit_events WHERE action = 'rollback:end' AND after ->> 'release' = 'closed'"); n != 1 {
		t.Errorf("%d entries say that the release closed with it, want 1", n)
	}
}

// Two processes, two people, the same form, and each thing happens once.
func TestARollbackHappensOnce(t *testing.T) {
	t.Parallel()
	r := withWaysBack(t)
	both := func(what string, act func(*runbook.Rollbacks) error) {
		t.Helper()
		var errs [2]error
		var wait sync.WaitGroup
		before := r.events()
		for i, s := range []*runbook.Rollbacks{r.back, r.other} {
			wait.Go(func() { errs[i] = act(s) })
		}
		wait.Wait()
		if err := errors.Join(errs[:]...); err != nil || r.events()-before != 1 {
			t.Errorf("%s, twice at once: %v with %d entries; want one and no refusal", what, err, r.events()-before)
		}
	}
	for range 10 {
		begin := runbook.BeginRequest{Run: r.id, Option: "RB-4", Reason: "Damage.", Key: uuid.New()}
		both("begin", func(s *runbook.Rollbacks) error { return s.Begin(t.Context(), fresh(devops), begin) })
		b := r.page().Rollbacks[0]
		both("agree", func(s *runbook.Rollbacks) error { return s.Agree(t.Context(), fresh(backend), r.id, b.ID) })
		both("step", func(s *runbook.Rollbacks) error { return s.Tick(t.Context(), worker, r.tick(b, 1)) })
		give := r.end(b)
		give.GivenUp = true
		both("end", func(s *runbook.Rollbacks) error { return s.End(t.Context(), devops, give) })
		both("review", func(s *runbook.Rollbacks) error {
			return s.Review(t.Context(), fresh(qa), runbook.ReviewRequest{Run: r.id, Rollback: b.ID, Objected: true, Note: "It was not needed."})
		})
	}
	if got := len(r.page().Rollbacks); got != 10 {
		t.Errorf("%d rollbacks, want 10", got)
	}
	// Two people decide at the same moment: one way is taken.
	var errs [2]error
	var wait sync.WaitGroup
	for i, by := range []actor.Actor{fresh(devops), fresh(oncall)} {
		wait.Go(func() {
			errs[i] = []*runbook.Rollbacks{r.back, r.other}[i].Begin(t.Context(), by, runbook.BeginRequest{Run: r.id, Option: "RB-1", Reason: "Pods restart.", Key: uuid.New()})
		})
	}
	wait.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("two people decided at once: %v and %v; want one", errs[0], errs[1])
	}
}

// queued puts a step up of the release into the queue, as the pages do.
func (r backRelease) queued(by actor.Actor) uuid.UUID {
	r.t.Helper()
	id := uuid.New()
	r.exec("ALTER TABLE gatehouse.migration_runs DISABLE TRIGGER migration_runs_in_time")
	r.exec(`INSERT INTO gatehouse.migration_runs (tenant_id, run_id, request_key, release_id, version, version_number, direction, sha256,
		actor_issuer, actor_subject, actor_name, actor_roles, origin, reason)
		VALUES ($1, $2, gen_random_uuid(), $3, '0.0.20', 20, 'up', repeat('a', 64), $4, $5, $6, '', 'web', '')`, by.Tenant, id, r.id, by.Issuer, by.Subject, by.Name)
	if r.count("SELECT count(*) FROM gatehouse.migration_runs WHERE run_id = $1", id) != 1 {
		r.t.Fatal("the run is not in the queue")
	}
	return id
}
