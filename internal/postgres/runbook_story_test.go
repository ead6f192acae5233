package postgres_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// release is a house with both services, people of both tenants, and a release that was started.
type release struct {
	t        *testing.T
	runbook  *runbook.Service
	signoff  *signoff.Service
	db       *postgres.DB
	super    *pgxpool.Pool
	checks   *checks
	id       uuid.UUID
	template runbook.Template
	house    *pgtest.Database // for a second process with connections of its own
}

// checks answers what a test tells it to; everything passes by default.
type checks struct {
	says map[string]runbook.CheckResult
}

func (c *checks) Check(_ context.Context, _ actor.Actor, name string, run runbook.RunFacts) (runbook.CheckResult, error) {
	if answer, ok := c.says[name]; ok {
		return answer, nil
	}
	value, err := json.Marshal(map[string]any{"check": name, "release": run.Code})
	return runbook.CheckResult{OK: true, Summary: name + " is as it should be.", Query: "SELECT " + name, Value: value}, err
}

// files is the migration files of a program, by version.
type files []runbook.Migration

func (f files) Files(context.Context) ([]runbook.Migration, error) { return f, nil }

func someFiles(versions ...string) files {
	var f files
	for _, v := range versions {
		f = append(f, runbook.Migration{Version: v, Title: "title of " + v, SHA256: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
	}
	return f
}

// The people of the stories. What they sign has to be signed within five minutes, as in life.
var (
	starter  = housetest.Person(housetest.Rivermark, "Sam", actor.DevOpsEngineer)
	worker   = housetest.Person(housetest.Rivermark, "Wim", actor.DevOpsEngineer)
	devops   = housetest.Person(housetest.Rivermark, "Dora", actor.DevOpsLead)
	backend  = housetest.Person(housetest.Rivermark, "Ben", actor.BackendLead)
	qa       = housetest.Person(housetest.Rivermark, "Quin", actor.QALead)
	stranger = housetest.Person(housetest.Saltway, "Olga", actor.DevOpsLead, actor.QALead)
)

// small is a runbook with everything the rules are about, and little of it.
const small = `{
"name":"small","version":"1.0.0","title":"Small","summary":"for tests","release":"REQ-1","time_zone":"Europe/Lisbon",
"migrations":["0.0.20"],
"phases":[
 {"id":"before","name":"Before","offset":"-1h","gate":"go_no_go","items":[
  {"id":"A1","title":"First","owner":"devops_engineer","required":true,"evidence":{"kind":"text","label":"What"},"do":"Do.","expected":"Done.","undo":"None is needed."},
  {"id":"A2","title":"Second","owner":"qa_lead","required":true,"after":["A1"],"evidence":{"kind":"number","label":"Score","min":"0","max":"10"},"do":"Do.","expected":"Done.","undo":"None is needed."},
  {"id":"A3","title":"Extra","owner":"qa_lead","required":false,"evidence":{"kind":"link","label":"Where"},"do":"Do.","expected":"Done.","undo":"None is needed."}]},
 {"id":"work","name":"Work","offset":"0","gate":"final","items":[
  {"id":"B1","title":"Applied","owner":"devops_engineer","required":true,"evidence":{"kind":"auto","check":"migration.applied"},"do":"Run.","expected":"Done.","undo":"Undo it."},
  {"id":"B2","title":"Healthy","owner":"qa_lead","required":true,"evidence":{"kind":"auto","check":"health.overall"},"do":"Run.","expected":"Done.","undo":"None is needed."}]},
 {"id":"watch","name":"Watch","offset":"+4h","gate":"none","items":[
  {"id":"C1","title":"Look","owner":"on_call_engineer","required":true,"evidence":{"kind":"statement","statement":"I have looked."},"do":"Look.","expected":"Done.","undo":"None is needed."}]}],
"gates":[
 {"id":"go_no_go","name":"Go / no-go","judges":"whether to go","after_phase":"before","offset":"-15m","after_migrations":false,"slots":[
  {"id":"qa","role":"qa_lead","required":true,"asks_score":true,"meanings":["approved","reviewed"],"statement":"Tested."},
  {"id":"backend","role":"backend_lead","required":true,"meanings":["approved"],"statement":"Built."},
  {"id":"product","role":"product_owner","required":false,"meanings":["approved"],"statement":"Wanted."},
  {"id":"devops","role":"devops_lead","required":true,"signs_last":true,"meanings":["approved"],"statement":"Go."}]},
 {"id":"final","name":"Final sign-off","judges":"whether it stays","after_phase":"work","offset":"+1h","after_migrations":true,"slots":[
  {"id":"qa","role":"qa_lead","required":true,"asks_score":true,"meanings":["approved"],"statement":"Tested again."},
  {"id":"devops","role":"devops_lead","required":true,"signs_last":true,"meanings":["approved"],"statement":"It stays."}]}],
"rollback":[],"troubleshooting":[]}`

var t0 = time.Date(2026, 3, 1, 14, 0, 0, 0, time.UTC)

func newHouse(t *testing.T) *release {
	t.Helper()
	d := housetest.At(t, "")
	r := &release{t: t, house: d, db: housetest.Open(t, d), super: pgtest.Pool(t, d.SuperURL), checks: &checks{says: map[string]runbook.CheckResult{}}}
	var err error
	if r.template, err = runbook.ParseTemplate([]byte(small)); err != nil {
		t.Fatalf("ParseTemplate: %v", err)
	}
	r.runbook, r.signoff = r.stories(r.template), signoff.NewService(postgres.Signoff{DB: r.db})
	return r
}

// stories is the runbook's service with one template.
func (r *release) stories(template runbook.Template) *runbook.Service {
	return runbook.NewService(postgres.Runbook{DB: r.db}, "demo", []runbook.Template{template}, someFiles("0.0.20"), r.checks)
}

func started(t *testing.T) *release {
	t.Helper()
	r := newHouse(t)
	r.id = r.start(starter)
	return r
}

func (r *release) start(by actor.Actor) uuid.UUID {
	r.t.Helper()
	id, err := r.runbook.Start(r.t.Context(), by, runbook.StartRequest{Template: r.template.SHA256, Code: "REQ-1", Title: "One", T0: t0, TimeZone: "Europe/Lisbon"})
	if err != nil {
		r.t.Fatalf("Start: %v", err)
	}
	return id
}

func (r *release) seen(item runbook.ItemID) runbook.Seen {
	r.t.Helper()
	return runbook.Seen{Run: r.id, Item: item, Version: r.item(item).Item.Version}
}

func (r *release) item(item runbook.ItemID) runbook.ItemPage {
	r.t.Helper()
	page, err := r.runbook.Item(r.t.Context(), worker, r.id, item)
	if err != nil {
		r.t.Fatalf("Item(%s): %v", item, err)
	}
	return page
}

func (r *release) done(item runbook.ItemID, value string) {
	r.t.Helper()
	if err := r.runbook.Done(r.t.Context(), worker, r.seen(item), value, ""); err != nil {
		r.t.Fatalf("Done(%s): %v", item, err)
	}
}

func (r *release) check(item runbook.ItemID) {
	r.t.Helper()
	if _, err := r.runbook.Check(r.t.Context(), worker, r.seen(item)); err != nil {
		r.t.Fatalf("Check(%s): %v", item, err)
	}
}

func (r *release) gate(id signoff.GateID) signoff.Gate {
	r.t.Helper()
	gate, err := r.signoff.Gate(r.t.Context(), worker, r.id, id)
	if err != nil {
		r.t.Fatalf("Gate(%s): %v", id, err)
	}
	return gate
}

// request is what the form of a gate's page sends for a slot.
func (r *release) request(id signoff.GateID, slot signoff.SlotID) signoff.SignRequest {
	r.t.Helper()
	gate := r.gate(id)
	s, ok := gate.Slot(slot)
	if !ok {
		r.t.Fatalf("gate %s has no slot %s", id, slot)
	}
	request := signoff.SignRequest{
		Run: r.id, Gate: id, Slot: slot, Meaning: signoff.Approved, Statement: s.Statement, ContentSHA256: gate.SHA256, Key: uuid.New(), SeenSeq: gate.Seq,
	}
	if s.AsksScore {
		score := signoff.Score(95)
		request.Score = &score
	}
	return request
}

// fresh is the person right after a sign-in.
func fresh(by actor.Actor) actor.Actor {
	by.AuthTime = time.Now()
	return by
}

func (r *release) sign(by actor.Actor, id signoff.GateID, slot signoff.SlotID) signoff.Signature {
	r.t.Helper()
	if time.Since(by.AuthTime) > actor.FreshFor {
		by = fresh(by)
	}
	given, err := r.signoff.Sign(r.t.Context(), by, r.request(id, slot))
	if err != nil {
		r.t.Fatalf("Sign(%s, %s as %s): %v", by.Name, id, slot, err)
	}
	return given
}

// ready brings the release to where its first gate can be signed, passed to where it has been, and finished to where the last can be.
func (r *release) ready() {
	r.t.Helper()
	r.done("A1", "looked at it")
	r.done("A2", "9.5")
}

func (r *release) passed() {
	r.t.Helper()
	r.ready()
	r.sign(qa, signoff.GoNoGo, "qa")
	r.sign(backend, signoff.GoNoGo, "backend")
	r.sign(devops, signoff.GoNoGo, "devops")
}

func (r *release) finished() {
	r.t.Helper()
	r.passed()
	r.apply(worker, "up", true)
	r.check("B1")
	r.check("B2")
}

// apply writes into the ledger what the migrator would.
func (r *release) apply(by actor.Actor, direction string, success bool) {
	r.t.Helper()
	var failed *string
	if !success {
		text := "division by zero"
		failed = &text
	}
	r.exec(`INSERT INTO gatehouse.migration_ledger (version, version_number, description, script, direction, success, sha256, sha256_tokens, tenant_id,
	           actor_issuer, actor_subject, actor_name, actor_roles, origin, release_id, started_at, finished_at, duration_ms, server_version, error)
	        VALUES ('0.0.20', 20, 'd', 's', $1, $2, 'x', 'x', $3, $4, $5, $6, '', 'web', $7, now(), now(), 1, '15', $8)`,
		direction, success, by.Tenant, by.Issuer, by.Subject, by.Name, r.id, failed)
}

func (r *release) exec(statement string, args ...any) {
	r.t.Helper()
	if _, err := r.super.Exec(r.t.Context(), statement, args...); err != nil {
		r.t.Fatalf("%s: %v", statement, err)
	}
}

func (r *release) count(query string, args ...any) int {
	r.t.Helper()
	var n int
	if err := r.super.QueryRow(r.t.Context(), query, args...).Scan(&n); err != nil {
		r.t.Fatalf("%s: %v", query, err)
	}
	return n
}

func (r *release) state() runbook.State {
	r.t.Helper()
	shown, err := r.runbook.Show(r.t.Context(), worker, r.id)
	if err != nil {
		r.t.Fatalf("Show: %v", err)
	}
	return shown.Run.State
}

func TestAReleaseGoesFromTheChecklistToTheEnd(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.finished()
	r.sign(qa, signoff.Final, "qa")
	if got := r.state(); got != runbook.Active {
		t.Errorf("before the last signature the release is %s, want active", got)
	}
	last := r.request(signoff.Final, "devops")
	given, err := r.signoff.Sign(t.Context(), fresh(devops), last)
	if err != nil {
		t.Fatalf("the last signature: %v", err)
	}
	if got := r.state(); got != runbook.SignedOff {
		t.Errorf("after the last signature the release is %s, want signed_off", got)
	}
	noted := r.events()
	if again, err := r.signoff.Sign(t.Context(), fresh(devops), last); err != nil || again.ID != given.ID || r.events() != noted {
		t.Errorf("a second press of the form that signed the release off = %s, %v, with %d entries; want the signature %s and no entry", again.ID, err, r.events()-noted, given.ID)
	}
	r.done("C1", "I have looked.")
	if got := r.state(); got != runbook.Closed {
		t.Errorf("after the last item the release is %s, want closed", got)
	}
	if again, err := r.signoff.Sign(t.Context(), fresh(devops), last); err != nil || again.ID != given.ID {
		t.Errorf("the same form after the release was closed = %s, %v; want the signature %s, which stands", again.ID, err, given.ID)
	}
}
