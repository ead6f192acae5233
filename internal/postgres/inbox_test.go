package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/inbox"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

func (r *release) inbox() *inbox.Service {
	return inbox.NewService(postgres.Inbox{DB: r.db}, "demo", time.Now)
}

// everybody is who a release's people are, and who they are not.
func everybody() []actor.Actor {
	person := func(name string, roles ...actor.Role) actor.Actor {
		return housetest.Person(housetest.Rivermark, name, roles...)
	}
	return []actor.Actor{
		starter, worker, devops, backend, qa, person("Pia", actor.ProductOwner), person("Otto", actor.OnCallEngineer), person("Quim", actor.QALead),
		person("Both", actor.QALead, actor.DevOpsLead, actor.BackendLead), person("Vera", actor.Viewer), person("Ada", actor.Auditor, actor.Admin), stranger,
	}
}

// canDo is what the person can do now by the rules of the acts themselves.
func (r *release) canDo(by actor.Actor) []string {
	r.t.Helper()
	can := []string{}
	shown, err := r.runbook.Show(r.t.Context(), worker, r.id)
	if err != nil {
		r.t.Fatal(err)
	}
	if by.Tenant != worker.Tenant {
		return can
	}
	for _, i := range shown.Items {
		mine := by.Has(i.Owner)
		if i.Holder.Known() {
			mine = by.SamePerson(i.Holder.Issuer, i.Holder.Subject)
		}
		acts := shown.Acts(by, i)
		finishes := slices.Contains(acts, runbook.Finish) || slices.Contains(acts, runbook.RunCheck) || i.State == runbook.Failed && slices.Contains(acts, runbook.Reopen)
		if mine && finishes && len(shown.Waiting(i)) == 0 && !i.State.Settled() {
			can = append(can, string(i.ID))
		}
	}
	for _, g := range shown.Gates {
		if g.Passed {
			continue // its optional places can still be signed, and nothing waits for that
		}
		for _, slot := range g.Signing.Slots {
			if g.Signing.Refuse(by, slot) == nil {
				can = append(can, string(g.ID)+" "+string(slot.ID))
			}
		}
	}
	slices.Sort(can)
	return can
}

// TestWhatWaitsIsWhatThePersonCanDo holds gatehouse.waiting against the rules of the acts, for everybody, at every stage.
func TestWhatWaitsIsWhatThePersonCanDo(t *testing.T) {
	t.Parallel()
	r := started(t)
	service := r.inbox()
	stages := []struct {
		name string
		do   func()
	}{
		{"started", func() {}},
		{"taken", func() {
			if err := r.runbook.Take(t.Context(), worker, r.seen("A1")); err != nil {
				t.Fatal(err)
			}
		}},
		{"first done", func() { r.done("A1", "looked") }},
		{"second failed", func() {
			if err := r.runbook.Fail(t.Context(), qa, r.seen("A2"), "the score is 3"); err != nil {
				t.Fatal(err)
			}
		}},
		{"reopened", func() {
			if err := r.runbook.Reopen(t.Context(), qa, r.seen("A2"), "again"); err != nil {
				t.Fatal(err)
			}
		}},
		{"gate open", func() { r.done("A2", "9.5") }},
		{"one signed", func() { r.sign(qa, signoff.GoNoGo, "qa") }},
		{"content moved", func() {
			if err := r.runbook.Skip(t.Context(), qa, r.seen("A3"), "not this time"); err != nil {
				t.Fatal(err)
			}
		}},
		{"signed again", func() { r.sign(qa, signoff.GoNoGo, "qa"); r.sign(backend, signoff.GoNoGo, "backend") }},
		{"rejected", func() {
			if err := r.signoff.Reject(t.Context(), fresh(backend), signoff.RejectRequest{Run: r.id, Gate: signoff.GoNoGo, Slot: "backend", Reason: "the counts differ", Key: uuid.New()}); err != nil {
				t.Fatal(err)
			}
		}},
		{"a new attempt", func() {
			if err := r.signoff.Reopen(t.Context(), starter, signoff.ReopenRequest{Run: r.id, Gate: signoff.GoNoGo, After: 1, Note: "counted again", Key: uuid.New()}); err != nil {
				t.Fatal(err)
			}
		}},
		{"signed anew", func() { r.sign(qa, signoff.GoNoGo, "qa"); r.sign(backend, signoff.GoNoGo, "backend") }},
		{"passed", func() { r.sign(devops, signoff.GoNoGo, "devops") }},
		{"applied", func() { r.apply(worker, "up", true) }},
		{"checked", func() { r.check("B1"); r.check("B2") }},
		{"taken back", func() { r.apply(worker, "down", true) }},
		{"applied again", func() { r.apply(worker, "up", true); r.check("B1"); r.check("B2") }},
		{"qa signed", func() { r.sign(qa, signoff.Final, "qa") }},
	}
	for _, stage := range stages {
		stage.do()
		for _, by := range everybody() {
			list, err := service.Waiting(t.Context(), by, inbox.Query{Limit: 100})
			if err != nil {
				t.Fatalf("%s, %s: %v", stage.name, by.Name, err)
			}
			got := []string{}
			for _, task := range list.Tasks {
				if !task.Ready {
					continue
				}
				name := task.Object
				if task.Kind == inbox.Gate {
					name = strings.TrimPrefix(task.ID, "gate "+r.id.String()+" ")
				}
				got = append(got, name)
			}
			slices.Sort(got)
			want := r.canDo(by)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: what waits for %s (-can +waits):\n%s", stage.name, by.Name, diff)
			}
			if n, err := (postgres.Inbox{DB: r.db}).Ready(t.Context(), by, "demo"); err != nil || n != len(want) || list.Ready != n {
				t.Errorf("%s: the number for %s is %d (the list says %d), %v; want %d", stage.name, by.Name, n, list.Ready, err, len(want))
			}
		}
	}
	if len(r.canDo(devops)) == 0 {
		t.Error("nothing waits for the one who signs last, so nothing was compared at the end")
	}
}

// A person sees what comes to them soon, and pages by the place of the last one, whatever comes in between.
func TestWhatWaitsIsPaged(t *testing.T) {
	t.Parallel()
	r := started(t)
	service, both := r.inbox(), housetest.Person(housetest.Rivermark, "Both", actor.QALead, actor.DevOpsLead, actor.DevOpsEngineer)
	all, err := service.Waiting(t.Context(), both, inbox.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, task := range all.Tasks {
		want = append(want, task.ID)
		if !task.Ready && task.Needs == "" {
			t.Errorf("%s is not ready, and nothing says why", task.ID)
		}
	}
	q := inbox.Query{Limit: 2}
	for range 20 {
		list, err := service.Waiting(t.Context(), both, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Tasks) == 0 {
			break
		}
		for _, task := range list.Tasks {
			got = append(got, task.ID)
			q.AfterAt, q.AfterID = task.DueAt, task.ID
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 5 {
		t.Errorf("in pages of two (-whole +paged):\n%s", diff)
	}
}

func TestWhoAsksForASecondPersonIsNotAskedThemselves(t *testing.T) {
	t.Parallel()
	r := started(t)
	service := r.inbox()
	asks := func(kind string) {
		r.exec(`INSERT INTO gatehouse.apply_overrides (tenant_id, override_id, run_id, kind, reason, issuer, subject, name, auth_time, expires_at)
			VALUES ($1, $2, $3, $4, 'It has to go now.', $5, $6, $7, clock_timestamp(), clock_timestamp() + interval '1 hour')`,
			devops.Tenant, uuid.New(), r.id, kind, devops.Issuer, devops.Subject, devops.Name)
	}
	asks("window")
	waiting := func(by actor.Actor) int {
		list, err := service.Waiting(t.Context(), by, inbox.Query{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		return len(slices.DeleteFunc(list.Tasks, func(t inbox.Task) bool { return t.Kind != inbox.Override }))
	}
	for by, want := range map[*actor.Actor]int{&devops: 0, &qa: 1, &backend: 1, &worker: 0, &stranger: 0} {
		if got := waiting(*by); got != want {
			t.Errorf("%d overrides wait for %s, want %d", got, by.Name, want)
		}
	}
	r.exec(`INSERT INTO gatehouse.apply_override_seconds (tenant_id, override_id, asked_issuer, asked_subject, issuer, subject, name, auth_time, seconded_at)
		SELECT tenant_id, override_id, issuer, subject, $1, $2, $3, clock_timestamp(), clock_timestamp() FROM gatehouse.apply_overrides`, qa.Issuer, qa.Subject, qa.Name)
	if got := waiting(backend); got != 0 {
		t.Errorf("%d overrides wait for Ben after Quin agreed", got)
	}
}

// Two replicas that look at once, again and again, write each reminder once; another tenant gets none.
func TestRemindersAreWrittenOnceByTwoReplicas(t *testing.T) {
	t.Parallel()
	r := newHouse(t)
	soon := time.Now().Add(time.Hour + 10*time.Minute) // what comes an hour before T-0 is due in 10 minutes
	var err error
	r.id, err = r.runbook.Start(t.Context(), starter, runbook.StartRequest{Template: r.template.SHA256, Code: "REQ-1", Title: "One", T0: soon, TimeZone: "Europe/Lisbon"})
	if err != nil {
		t.Fatal(err)
	}
	other, err := postgres.Open(t.Context(), r.db.Pool().Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	replicas := []*inbox.Service{r.inbox(), inbox.NewService(postgres.Inbox{DB: other}, "demo", time.Now)}
	remind := func() (added int) {
		t.Helper()
		var mu sync.Mutex
		var all sync.WaitGroup
		for n := range 20 {
			all.Go(func() {
				for _, tenant := range housetest.Tenants() {
					k, err := replicas[n%2].Remind(t.Context(), tenant.Actor(actor.Worker, "scheduler"))
					if err != nil {
						t.Errorf("Remind: %v", err)
					}
					mu.Lock()
					added += k
					mu.Unlock()
				}
			})
		}
		all.Wait()
		return added
	}
	outbox := func(by actor.Actor) []string {
		t.Helper()
		notices, _, err := replicas[0].Notices(t.Context(), by, inbox.NoticeQuery{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		list := []string{}
		for _, n := range notices {
			list = append(list, fmt.Sprintf("%s %s%s", n.Kind, n.Role, n.Person.Name))
			if !n.DeliveredAt.IsZero() || n.DeliveredBy != "" {
				t.Errorf("%s is called delivered", n.Key)
			}
		}
		slices.Sort(list)
		return list
	}
	expect := func(what string, want ...string) {
		t.Helper()
		before := len(outbox(qa))
		if added := remind(); added != len(want)-before {
			t.Errorf("%s: %d were said to be new, want %d", what, added, len(want)-before)
		}
		if diff := cmp.Diff(want, outbox(qa)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		if theirs := outbox(stranger); len(theirs) != 0 {
			t.Errorf("%s: another company is told %v", what, theirs)
		}
	}
	expect("due in 10 minutes", "due_soon devops_engineer")
	r.done("A1", "looked")
	expect("the next one", "due_soon devops_engineer", "due_soon qa_lead")
	r.done("A2", "9.5")
	expect("the gate is open", "due_soon devops_engineer", "due_soon qa_lead", "gate_waiting backend_lead", "gate_waiting qa_lead")
	r.sign(qa, signoff.GoNoGo, "qa")
	r.sign(backend, signoff.GoNoGo, "backend")
	expect("the last one", "due_soon devops_engineer", "due_soon qa_lead", "gate_waiting backend_lead", "gate_waiting devops_lead", "gate_waiting qa_lead")
}

// TestANoticeSaysWhatBecameOfItsCause: what was done or signed after it was written is to be done by nobody any more.
func TestANoticeSaysWhatBecameOfItsCause(t *testing.T) {
	t.Parallel()
	r := started(t)
	told := func(key, place, role string) {
		r.exec(`INSERT INTO gatehouse.notices (tenant_id, key, kind, run_id, role, issuer, subject, name, headline, body, path, due_at)
		        VALUES ($1, $2, 'overdue', $3, $4, '', '', '', 'H', 'B', '/releases/' || $3::uuid::text || $5::text, now())`, worker.Tenant, key, r.id, role, place)
	}
	told("item", "/items/A1", "devops_engineer")
	told("other item", "/items/A2", "qa_lead")
	told("gate", "/gates/go_no_go", "qa_lead")
	told("other place", "/gates/go_no_go", "backend_lead")
	settled := func() map[string]string {
		list, _, err := r.inbox().Notices(t.Context(), worker, inbox.NoticeQuery{Limit: 50})
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, n := range list {
			all[n.Key] = n.Settled
		}
		return all
	}
	for key, got := range settled() {
		if got != "" {
			t.Errorf("%s is said to be settled before anything was done: %q", key, got)
		}
	}
	r.ready()
	r.exec("UPDATE gatehouse.run_items SET settled_at = settled_at - interval '1 hour' WHERE item_id = 'A2'") // before it was told
	r.sign(qa, signoff.GoNoGo, "qa")
	got := settled()
	if got["other place"] != "" || got["other item"] != "" || got["gate"] != "Signed since by "+qa.Name || !strings.HasPrefix(got["item"], "Done since by ") {
		t.Errorf("settled: %v", got)
	}
	r.exec("UPDATE gatehouse.runs SET state = 'aborted', ended_at = now(), ended_by = 'Dana', end_reason = 'the line stops' WHERE run_id = $1", r.id)
	if got := settled(); got["other place"] != "The release is over" {
		t.Errorf("after the end: %v", got)
	}
}
