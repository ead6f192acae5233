package postgres_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/inbox"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

var (
	pia   = housetest.Person(housetest.Rivermark, "Pia", actor.ProductOwner)
	petra = housetest.Person(housetest.Rivermark, "Petra", actor.ProductOwner)
)

// deputised is a release that is ready for its first gate, whose place of QA has deputies half an hour after it is due, and a
// house that knows its people. T-0 is now: the gate was due 15 minutes ago, and the moment comes in 15.
func deputised(t *testing.T) *release {
	t.Helper()
	r := newHouse(t)
	var err error
	text := strings.Replace(small, `"role":"qa_lead","required":true,"asks_score":true,"meanings":["approved","reviewed"]`, `"role":"qa_lead","required":true,"asks_score":true,"deputies_after":"+30m","meanings":["approved","reviewed"]`, 1)
	if r.template, err = runbook.ParseTemplate([]byte(text)); err != nil {
		t.Fatalf("ParseTemplate: %v", err)
	}
	r.runbook = r.stories(r.template)
	r.id = r.start(starter)
	r.exec("UPDATE gatehouse.runs SET t0 = now() WHERE run_id = $1", r.id)
	for _, p := range []actor.Actor{starter, worker, devops, backend, qa, pia, petra, stranger, housetest.Person(housetest.Rivermark, "Ada", actor.Admin, actor.QALead)} {
		roles := make([]string, len(p.Roles))
		for i, role := range p.Roles {
			roles[i] = string(role)
		}
		r.exec(`INSERT INTO gatehouse.people (tenant_id, person_id, issuer, subject, name, roles) VALUES ($1, gen_random_uuid(), $2, $3, $4, $5)`, p.Tenant, p.Issuer, p.Subject, p.Name, roles)
	}
	r.ready()
	return r
}

// late lets the moment of the deputies have come.
func (r *release) late() {
	r.t.Helper()
	r.exec("UPDATE gatehouse.runs SET t0 = now() - interval '20 minutes' WHERE run_id = $1", r.id)
}

func (r *release) roster() *signoff.RosterService {
	return signoff.NewRoster(postgres.Deputies{DB: r.db})
}

func (r *release) person(p actor.Actor) uuid.UUID {
	r.t.Helper()
	var id uuid.UUID
	if err := r.super.QueryRow(r.t.Context(), "SELECT person_id FROM gatehouse.people WHERE issuer = $1 AND subject = $2", p.Issuer, p.Subject).Scan(&id); err != nil {
		r.t.Fatalf("person %s: %v", p.Name, err)
	}
	return id
}

// naming is what the form sends that names somebody for today and two weeks.
func (r *release) naming(p actor.Actor) signoff.NameRequest {
	r.t.Helper()
	today := signoff.Day(time.Now(), time.UTC)
	return signoff.NameRequest{Role: actor.QALead, Person: r.person(p), From: today.AddDate(0, 0, -1), Until: today.AddDate(0, 0, 13), Reason: "Quin is away.", Key: uuid.New()}
}

// named puts somebody onto the roster and gives the line.
func (r *release) named(p actor.Actor) uuid.UUID {
	r.t.Helper()
	request := r.naming(p)
	if err := r.roster().Name(r.t.Context(), fresh(qa), request); err != nil {
		r.t.Fatalf("Name(%s): %v", p.Name, err)
	}
	return r.lineOf(request)
}

// lineOf is the line that a form has put onto the roster.
func (r *release) lineOf(request signoff.NameRequest) uuid.UUID {
	r.t.Helper()
	var id uuid.UUID
	if err := r.super.QueryRow(r.t.Context(), "SELECT deputy_id FROM gatehouse.deputies WHERE idempotency_key = $1", request.Key).Scan(&id); err != nil {
		r.t.Fatal(err)
	}
	return id
}

func (r *release) lines() int { return r.count("SELECT count(*) FROM gatehouse.deputies") }

// A7: who may name whom, for how long; every rule also holds for whoever posts past the page.
func TestWhoNamesWhomAsDeputy(t *testing.T) {
	t.Parallel()
	r := deputised(t)
	stale, machine, admin := qa, fresh(qa), housetest.Person(housetest.Rivermark, "Ada", actor.Admin, actor.QALead)
	stale.AuthTime = time.Now().Add(-6 * time.Minute)
	machine.Rights = []actor.Right{actor.GateSign}
	none := func(*signoff.NameRequest) {}
	r.exec("UPDATE gatehouse.people SET roles = '{admin,product_owner}' WHERE subject = 'Ada'") // signs by a role that she is not named for
	for what, c := range map[string]struct {
		by     actor.Actor
		change func(*signoff.NameRequest)
		kind   fault.Kind
		words  string
	}{
		"another role":           {fresh(backend), none, fault.Forbidden, "holds a role that signs"},
		"no right to sign":       {fresh(worker), none, fault.Forbidden, "gate:sign"},
		"an administrator":       {fresh(admin), none, fault.Forbidden, "neither administers nor audits"},
		"a machine":              {machine, none, fault.Forbidden, "no machine"},
		"a stale sign-in":        {stale, none, fault.Unauthenticated, "five minutes"},
		"another tenant":         {fresh(stranger), none, fault.Invalid, "person"},
		"theirs":                 {fresh(qa), func(q *signoff.NameRequest) { q.Person = r.person(stranger) }, fault.Invalid, "person"},
		"themselves":             {fresh(qa), func(q *signoff.NameRequest) { q.Person = r.person(qa) }, fault.Invalid, "person"},
		"who may not sign":       {fresh(qa), func(q *signoff.NameRequest) { q.Person = r.person(worker) }, fault.Invalid, "person"},
		"who administers":        {fresh(qa), func(q *signoff.NameRequest) { q.Person = r.person(admin) }, fault.Invalid, "person"},
		"nobody":                 {fresh(qa), func(q *signoff.NameRequest) { q.Person = uuid.New() }, fault.Invalid, "person"},
		"no reason":              {fresh(qa), func(q *signoff.NameRequest) { q.Reason = " x " }, fault.Invalid, "reason"},
		"NUL":                    {fresh(qa), func(q *signoff.NameRequest) { q.Reason = "a\x00bcd" }, fault.Invalid, "reason"},
		"no key":                 {fresh(qa), func(q *signoff.NameRequest) { q.Key = uuid.Nil }, fault.Invalid, "key"},
		"91 days":                {fresh(qa), func(q *signoff.NameRequest) { q.Until = q.From.AddDate(0, 0, 90) }, fault.Invalid, "until"},
		"backwards":              {fresh(qa), func(q *signoff.NameRequest) { q.Until = q.From.AddDate(0, 0, -1) }, fault.Invalid, "until"},
		"for the past":           {fresh(qa), func(q *signoff.NameRequest) { q.From = q.From.AddDate(0, 0, -2) }, fault.Invalid, "from"},
		"a role nobody signs":    {fresh(qa), func(q *signoff.NameRequest) { q.Role = actor.DevOpsEngineer }, fault.Forbidden, "holds a role that signs"},
		"a role that is not his": {fresh(qa), func(q *signoff.NameRequest) { q.Role = actor.DevOpsLead }, fault.Forbidden, "holds a role that signs"},
	} {
		request := r.naming(pia)
		c.change(&request)
		if err := r.roster().Name(t.Context(), c.by, request); !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s = %v; want %s with %q", what, err, c.kind, c.words)
		}
	}
	// Also where they held another role when they signed in last.
	r.exec("UPDATE gatehouse.people SET roles = '{backend_lead}' WHERE subject = 'Quin'")
	self := r.naming(qa)
	if err := r.roster().Name(t.Context(), fresh(qa), self); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "person") {
		t.Errorf("naming themselves by another role = %v", err)
	}
	if got := r.lines(); got != 0 {
		t.Fatalf("%d lines on the roster after refusals", got)
	}
	request := r.naming(pia)
	request.Until = request.From.AddDate(0, 0, 89)
	for range 2 { // the second press names nobody anew
		if err := r.roster().Name(t.Context(), fresh(qa), request); err != nil {
			t.Fatalf("Name: %v", err)
		}
	}
	for what, spoil := range map[string]func(*signoff.NameRequest){
		"person":    func(q *signoff.NameRequest) { q.Person = r.person(petra) },
		"nobody":    func(q *signoff.NameRequest) { q.Person = uuid.New() },
		"reason":    func(q *signoff.NameRequest) { q.Reason = "Something else." },
		"first day": func(q *signoff.NameRequest) { q.From = q.From.AddDate(0, 0, 1) },
		"last day":  func(q *signoff.NameRequest) { q.Until = q.Until.AddDate(0, 0, -1) },
		"role":      func(q *signoff.NameRequest) { q.Role = actor.BackendLead },
	} {
		changed := request
		spoil(&changed)
		if err := r.roster().Name(t.Context(), fresh(qa), changed); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "said something else") {
			t.Errorf("the same form with another %s = %v, want that it said something else", what, err)
		}
	}
	if err := r.roster().Name(t.Context(), fresh(housetest.Person(housetest.Rivermark, "Quim", actor.QALead)), request); !fault.Is(err, fault.Conflict) {
		t.Errorf("the same form by somebody else = %v, want a conflict", err)
	}
	if got := r.count("SELECT count(*) FROM gatehouse.audit_events WHERE action = 'deputy:name' AND outcome = 'done'"); got != 1 || r.lines() != 1 {
		t.Errorf("%d entries and %d lines, want one each", got, r.lines())
	}
	if theirs, err := r.roster().Roster(t.Context(), stranger, signoff.RosterQuery{Limit: 10}); err != nil || len(theirs.Deputies) != 0 || len(theirs.Candidates) != 1 {
		t.Errorf("another tenant reads %+v, %v; want an empty roster and its own person", theirs, err)
	}
	for _, statement := range []string{"UPDATE gatehouse.deputies SET until_day = until_day + 1", "DELETE FROM gatehouse.deputies", "DELETE FROM gatehouse.deputy_revocations"} {
		if _, err := r.super.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "append") && !strings.Contains(err.Error(), "never") {
			t.Errorf("%s = %v, want a refusal", statement, err)
		}
	}
}

// A7: a deputy signs from the moment on that the runbook names, and it is kept who named them.
func TestADeputySignsFromTheirMomentOn(t *testing.T) {
	t.Parallel()
	r := deputised(t)
	request := func() signoff.SignRequest { return r.request(signoff.GoNoGo, "qa") }
	r.knock(fresh(pia), request(), fault.Forbidden, "a deputy whom the roster names for today")
	line := r.named(pia)
	r.knock(fresh(pia), request(), fault.Conflict, "deputies sign here from")
	r.late()
	r.knock(fresh(petra), request(), fault.Forbidden, "a deputy whom the roster names for today")
	r.knock(fresh(pia), r.request(signoff.GoNoGo, "backend"), fault.Forbidden, "holds the role Backend lead")

	given := r.sign(pia, signoff.GoNoGo, "qa")
	if d := given.Deputy; d == nil || d.ID != line || d.NamedBy != qa.Name || d.Reason != "Quin is away." || given.Role != actor.QALead || given.Subject != pia.Subject {
		t.Errorf("the signature is %+v by %+v; want Pia's as a deputy, named by %s", given, d, qa.Name)
	}
	if got := r.count(`SELECT count(*) FROM gatehouse.audit_events WHERE action = 'gate:sign' AND outcome = 'done' AND after::jsonb ->> 'deputy' = $1 AND after::jsonb ->> 'deputy_named_by' = $2`, line.String(), qa.Name); got != 1 {
		t.Errorf("%d entries name the deputy, want 1", got)
	}
	// One person, one place: also where the own place is an optional one.
	r.knock(fresh(pia), r.request(signoff.GoNoGo, "product"), fault.Conflict, "One person fills one place")
	// Whoever named them holds the role no longer, and the line is revoked: what was signed stays.
	if err := r.roster().Revoke(t.Context(), fresh(qa), line, "Quin is back."); err != nil {
		t.Fatalf("Revoke: %v", err)
	}
	r.sign(backend, signoff.GoNoGo, "backend")
	r.sign(devops, signoff.GoNoGo, "devops")
	if !r.passedNow(signoff.GoNoGo) {
		t.Error("the gate with the deputy's signature is not passed")
	}
	if err := r.signoff.Withdraw(t.Context(), pia, r.id, given.Gate, given.ID, "I was wrong."); err != nil {
		t.Errorf("Withdraw = %v, want that a deputy takes back their own", err)
	}
	r.knock(fresh(pia), request(), fault.Forbidden, "a deputy whom the roster names for today")
	// Past all Go: the foreign key holds the signature to the line's person and role.
	_, err := r.super.Exec(t.Context(), `INSERT INTO gatehouse.signatures SELECT s.tenant_id, gen_random_uuid(), run_id, gate, slot, 9, role, meaning, statement, score, note, content, content_sha256,
		issuer, 'Mallory', name, auth_time, acr, origin, ip, session, signed_at, gen_random_uuid(), deputy FROM gatehouse.signatures s WHERE slot = 'qa'`)
	if err == nil || !strings.Contains(err.Error(), "signatures_deputy") {
		t.Errorf("a signature of another person by Pia's line = %v, want the constraint", err)
	}
}

func TestFourEyesHoldForADeputy(t *testing.T) {
	t.Parallel()
	r := deputised(t)
	r.late()
	r.named(backend)
	r.named(pia)
	r.knock(fresh(backend), r.request(signoff.GoNoGo, "qa"), fault.Conflict, "Your own place at this gate comes first")
	admin := pia
	admin.Roles = []actor.Role{actor.ProductOwner, actor.Admin}
	r.knock(fresh(admin), r.request(signoff.GoNoGo, "qa"), fault.Forbidden, "nobody's deputy")
	without := pia
	without.Roles = []actor.Role{actor.Viewer}
	r.knock(fresh(without), r.request(signoff.GoNoGo, "qa"), fault.Forbidden, "gate:sign")
	r.exec("UPDATE gatehouse.runs SET started_by_issuer = $2, started_by_subject = $3 WHERE run_id = $1", r.id, pia.Issuer, pia.Subject)
	r.knock(fresh(pia), r.request(signoff.GoNoGo, "qa"), fault.Forbidden, "You started this release")
	// Another backend lead has filled the own place: then the deputy is free.
	r.sign(housetest.Person(housetest.Rivermark, "Bo", actor.BackendLead), signoff.GoNoGo, "backend")
	if given := r.sign(backend, signoff.GoNoGo, "qa"); given.Deputy == nil {
		t.Error("the backend lead signed for QA, and not as a deputy")
	}
}

// The days are over, or have not come: by the release's own zone.
func TestADeputyIsOneOnTheirDays(t *testing.T) {
	t.Parallel()
	r := deputised(t)
	r.late()
	r.named(pia)
	r.exec("ALTER TABLE gatehouse.deputies DISABLE TRIGGER USER")
	r.exec("ALTER TABLE gatehouse.audit_events DISABLE TRIGGER USER")
	for _, days := range []int{-20, 2} {
		r.moved(days)
		r.knock(fresh(pia), r.request(signoff.GoNoGo, "qa"), fault.Forbidden, "a deputy whom the roster names for today")
		r.moved(-days)
	}
	r.sign(pia, signoff.GoNoGo, "qa")
}

// moved makes every line of the roster one for other days, and so that the trail knows it for them.
func (r *release) moved(days int) {
	r.t.Helper()
	r.exec(`UPDATE gatehouse.deputies SET from_day = from_day + $1::int, until_day = until_day + $1::int, named_at = named_at + make_interval(days => $1), auth_time = auth_time + make_interval(days => $1)`, days)
	r.exec(`UPDATE gatehouse.audit_events e SET after = e.after || jsonb_build_object('from', to_char(d.from_day, 'YYYY-MM-DD'), 'until', to_char(d.until_day, 'YYYY-MM-DD'))
		FROM gatehouse.deputies d WHERE e.action = 'deputy:name' AND e.object_id = d.deputy_id::text`)
}

// A line that the trail does not know as it stands opens nothing: whoever rules the database alone makes nobody a deputy.
func TestALineThatTheTrailDoesNotKnowOpensNothing(t *testing.T) {
	t.Parallel()
	r := deputised(t)
	r.late()
	line, gone := r.named(pia), r.named(petra)
	if err := r.roster().Revoke(t.Context(), fresh(qa), gone, "Quin is back."); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"deputies", "deputy_revocations"} {
		r.exec("ALTER TABLE gatehouse." + table + " DISABLE TRIGGER USER")
		r.exec("CREATE TABLE kept_" + table + " AS SELECT * FROM gatehouse." + table)
	}
	for what, c := range map[string]struct {
		forge string
		by    actor.Actor
	}{
		"put in":           {"UPDATE gatehouse.deputies SET deputy_id = gen_random_uuid() WHERE deputy_id = '" + line.String() + "'", pia},
		"of another role":  {"UPDATE gatehouse.deputies SET role = 'backend_lead' WHERE deputy_id = '" + line.String() + "'", pia},
		"of somebody else": {"UPDATE gatehouse.deputies SET subject = 'Petra' WHERE deputy_id = '" + line.String() + "'", petra},
		"of another giver": {"UPDATE gatehouse.deputies SET named_subject = 'Mallory' WHERE deputy_id = '" + line.String() + "'", pia},
		"for longer":       {"UPDATE gatehouse.deputies SET until_day = until_day + 1 WHERE deputy_id = '" + line.String() + "'", pia},
		"for earlier":      {"UPDATE gatehouse.deputies SET from_day = from_day + 1 WHERE deputy_id = '" + line.String() + "'", pia},
		"brought back":     {"DELETE FROM gatehouse.deputy_revocations", petra},
	} {
		r.exec(c.forge)
		slot := signoff.SlotID("qa")
		if what == "of another role" {
			r.exec("ALTER TABLE gatehouse.run_gate_slots DISABLE TRIGGER USER")
			r.exec("UPDATE gatehouse.run_gate_slots SET deputies_seconds = 0 WHERE slot = 'backend'")
			slot = "backend"
		}
		r.knock(fresh(c.by), r.request(signoff.GoNoGo, slot), fault.Forbidden, "a deputy whom the roster names for today")
		list, err := r.inbox().Waiting(t.Context(), c.by, inbox.Query{Limit: 50})
		for _, task := range list.Tasks {
			if task.Kind == inbox.Gate && (task.Role == actor.QALead || task.Role == actor.BackendLead) {
				t.Errorf("a line %s: the place of the %s waits for %s (%v)", what, task.Role, c.by.Name, err)
			}
		}
		r.exec("DELETE FROM gatehouse.deputy_revocations; DELETE FROM gatehouse.deputies; INSERT INTO gatehouse.deputies SELECT * FROM kept_deputies; INSERT INTO gatehouse.deputy_revocations SELECT * FROM kept_deputy_revocations")
	}
	r.sign(pia, signoff.GoNoGo, "qa")
}

func TestWhoRevokesADeputy(t *testing.T) {
	t.Parallel()
	r := deputised(t)
	r.late()
	naming := r.naming(pia)
	if err := r.roster().Name(t.Context(), fresh(qa), naming); err != nil {
		t.Fatalf("Name: %v", err)
	}
	line := r.lineOf(naming)
	for what, c := range map[string]struct {
		by    actor.Actor
		kind  fault.Kind
		words string
	}{
		"another role": {fresh(backend), fault.Forbidden, "Only who is QA lead, and Pia"}, "no right": {fresh(worker), fault.Forbidden, "gate:sign"}, "another tenant": {fresh(stranger), fault.NotFound, "no such line"},
	} {
		if err := r.roster().Revoke(t.Context(), c.by, line, "because"); !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s = %v; want %s with %q", what, err, c.kind, c.words)
		}
	}
	if err := r.roster().Revoke(t.Context(), fresh(qa), line, " "); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a reason = %v", err)
	}
	request := r.request(signoff.GoNoGo, "qa")
	if err := r.roster().Revoke(t.Context(), pia, line, "I am ill."); err != nil {
		t.Fatalf("Revoke by the deputy: %v", err)
	}
	r.knock(fresh(pia), request, fault.Forbidden, "a deputy whom the roster names for today")
	if err := r.roster().Revoke(t.Context(), fresh(qa), line, "once more"); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second time = %v, want a conflict", err)
	}
	// The form that named them, sent again from an old page, does not pretend that they are named.
	if err := r.roster().Name(t.Context(), fresh(qa), naming); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "revoked since") {
		t.Errorf("the form of a line that was revoked, once more = %v, want that it was revoked", err)
	}
	page, err := r.roster().Roster(t.Context(), qa, signoff.RosterQuery{Limit: 10})
	if err != nil || len(page.Deputies) != 1 || page.Deputies[0].Revoked == nil || page.Deputies[0].Revoked.By != pia.Name {
		t.Errorf("the roster says %+v, %v; want the revoked line", page.Deputies, err)
	}
}

// Two deputies, and the holder, press at the same moment: one signature is in the place.
func TestDeputiesAndTheHolderSignAtOnce(t *testing.T) {
	t.Parallel()
	r := deputised(t)
	r.late()
	r.named(pia)
	line := r.named(petra)
	for round := range 10 {
		people := []actor.Actor{pia, petra, qa}
		var all sync.WaitGroup
		errs := make([]error, len(people))
		for i, p := range people {
			request := r.request(signoff.GoNoGo, "qa")
			all.Go(func() { _, errs[i] = r.signoff.Sign(t.Context(), fresh(p), request) })
		}
		all.Wait()
		signed := 0
		for i, err := range errs {
			switch {
			case err == nil:
				signed++
			case !fault.Is(err, fault.Conflict):
				t.Errorf("round %d: %s = %v, want that somebody has signed already", round, people[i].Name, err)
			}
		}
		gate := r.gate(signoff.GoNoGo)
		given, ok := gate.Standing("qa")
		if signed != 1 || !ok || r.signatures() != round+1 {
			t.Fatalf("round %d: %d signed, %d signatures, standing %v; want exactly one", round, signed, r.signatures(), ok)
		}
		for _, p := range people {
			if given.By(p) {
				if err := r.signoff.Withdraw(t.Context(), p, r.id, given.Gate, given.ID, "next round"); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	// Signing and being revoked at once: who signed did so before the line ended.
	request := r.request(signoff.GoNoGo, "qa")
	var both sync.WaitGroup
	var signing, revoking error
	both.Go(func() { _, signing = r.signoff.Sign(t.Context(), fresh(petra), request) })
	both.Go(func() { revoking = r.roster().Revoke(t.Context(), fresh(qa), line, "Quin is back.") })
	both.Wait()
	if revoking != nil || signing != nil && !fault.Is(signing, fault.Forbidden) {
		t.Fatalf("signing = %v, revoking = %v", signing, revoking)
	}
	if got := r.count(`SELECT count(*) FROM gatehouse.signatures s JOIN gatehouse.deputy_revocations r ON r.deputy_id = s.deputy WHERE s.signed_at > r.revoked_at`); got != 0 {
		t.Error("a deputy has signed after being revoked")
	}
}

// Who signs while their line is being revoked waits for that, and signs nothing.
func TestADeputyWhoIsBeingRevokedWaits(t *testing.T) {
	t.Parallel()
	r := deputised(t)
	r.late()
	line := r.named(pia)
	request := r.request(signoff.GoNoGo, "qa")
	tx, err := r.super.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }() // it was committed, or the test failed
	for _, statement := range []string{
		"SELECT pg_advisory_xact_lock(hashtextextended('roster " + housetest.Rivermark.String() + "', 0))",
		"INSERT INTO gatehouse.deputy_revocations (tenant_id, deputy_id, reason, issuer, subject, name) VALUES ('" + housetest.Rivermark.String() + "', '" + line.String() + "', 'Quin is back.', 'i', 's', 'n')",
	} {
		if _, err := tx.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	ended := r.waiting(func() error {
		_, err := r.signoff.Sign(t.Context(), fresh(pia), request)
		return err
	})
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !fault.Is(err, fault.Forbidden) || r.signatures() != 0 {
		t.Errorf("signing by a line that was revoked meanwhile = %v with %d signatures", err, r.signatures())
	}
}

// A7: deputies are told once, when their moment comes, and the place waits for them from then on.
func TestDeputiesAreCalledOnce(t *testing.T) {
	t.Parallel()
	r := deputised(t)
	r.named(pia)
	r.named(backend)
	waiting := func(by actor.Actor) bool {
		list, err := r.inbox().Waiting(t.Context(), by, inbox.Query{Limit: 50})
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range list.Tasks {
			if task.Kind == inbox.Gate && task.Role == actor.QALead && task.Ready {
				return true
			}
		}
		return false
	}
	calls := func() int { return r.count("SELECT count(*) FROM gatehouse.notices WHERE kind = 'deputy_called'") }
	remind := func() {
		if _, err := r.inbox().Remind(t.Context(), actor.Actor{Tenant: housetest.Rivermark, Issuer: "gatehouse", Subject: "scheduler", Name: "Gatehouse"}); err != nil {
			t.Fatalf("Remind: %v", err)
		}
	}
	remind()
	if waiting(pia) || calls() != 0 {
		t.Errorf("before the moment the place waits for the deputy (%v), or %d were called", waiting(pia), calls())
	}
	r.late()
	remind()
	remind()
	if !waiting(pia) || calls() != 2 {
		t.Errorf("from the moment on: waits for Pia: %v, %d calls; want one for each deputy", waiting(pia), calls())
	}
	if waiting(backend) || waiting(petra) || !waiting(qa) {
		t.Error("the place waits for who has a place of their own to fill, or for who is no deputy; or no longer for who holds the role")
	}
	r.sign(pia, signoff.GoNoGo, "qa")
	if waiting(pia) || waiting(qa) {
		t.Error("a place that is filled still waits")
	}
}
