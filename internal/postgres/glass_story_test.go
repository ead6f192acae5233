package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/inbox"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// silence is a provider that fails with these words; empty where it is there.
type silence struct {
	mu    sync.Mutex
	words string
	asked int
}

func (s *silence) Reach(context.Context) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.words
}

func (s *silence) fall(words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.words = words
}

// glass is a release whose gate can be signed while the provider is away.
type glass struct {
	*release
	provider *silence
	service  *signoff.GlassService
}

func broken(t *testing.T) *glass {
	t.Helper()
	g := &glass{release: started(t), provider: &silence{words: "connection refused"}}
	g.ready()
	g.service = g.process()
	return g
}

// process is another process of the same house.
func (g *glass) process() *signoff.GlassService {
	return signoff.NewGlass(postgres.Glass{Signoff: postgres.Signoff{DB: g.db}, Provider: "Rivermark ID"}, g.provider)
}

// sealed makes a code as the command does.
func (g *glass) sealed(tenant int, first, second string) postgres.SigningCode {
	g.t.Helper()
	code, err := postgres.MakeSigningCode(g.t.Context(), g.house.OwnerURL, housetest.Tenants()[tenant].Actor(actor.CLI, "test"),
		postgres.SigningCodePlan{FirstHolder: first, SecondHolder: second, Reason: "quarterly", Lifetime: 28 * 24 * time.Hour})
	if err != nil {
		g.t.Fatalf("MakeSigningCode: %v", err)
	}
	return code
}

// stale is the person on a session of an hour ago.
func stale(by actor.Actor) actor.Actor {
	by.AuthTime = time.Now().Add(-time.Hour)
	return by
}

func (g *glass) meet() {
	g.t.Helper()
	if _, err := g.service.Meet(g.t.Context(), stale(qa)); err != nil {
		g.t.Fatalf("Meet: %v", err)
	}
}

func (g *glass) asks(id signoff.GateID, slot signoff.SlotID, code postgres.SigningCode) signoff.GlassRequest {
	g.t.Helper()
	return signoff.GlassRequest{SignRequest: g.request(id, slot), One: code.First, Other: code.Second}
}

// breaks signs by break-glass, with a code of its own.
func (g *glass) breaks(by actor.Actor, id signoff.GateID, slot signoff.SlotID) signoff.Signature {
	g.t.Helper()
	g.meet()
	given, err := g.service.SignByGlass(g.t.Context(), stale(by), g.asks(id, slot, g.sealed(0, "Hana Holder", "Hugo Holder")))
	if err != nil {
		g.t.Fatalf("SignByGlass(%s, %s as %s): %v", by.Name, id, slot, err)
	}
	return given
}

// turnedAway wants the refusal of that kind with words of it, and that nothing came of it: no signature, and no code used.
func (g *glass) turnedAway(by actor.Actor, r signoff.GlassRequest, kind fault.Kind, words string) {
	g.t.Helper()
	signatures, used, done := g.signatures(), g.used(), g.count("SELECT count(*) FROM gatehouse.audit_events WHERE outcome = 'done' AND action NOT LIKE 'provider:%'")
	_, err := g.service.SignByGlass(g.t.Context(), by, r)
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), words) {
		g.t.Errorf("SignByGlass(%s as %s) = %v; want %s with %q", by.Name, r.Slot, err, kind, words)
	}
	if g.signatures() != signatures || g.used() != used || g.count("SELECT count(*) FROM gatehouse.audit_events WHERE outcome = 'done' AND action NOT LIKE 'provider:%'") != done {
		g.t.Errorf("a refusal (%q) left something behind", words)
	}
}

func (g *glass) used() int { return g.count("SELECT count(*) FROM gatehouse.glass_signatures") }

// reviewer may sign, and has nothing to do with any of it.
var reviewer = housetest.Person(housetest.Rivermark, "Rosa", actor.BackendLead)

func (g *glass) review(by actor.Actor, signature uuid.UUID, verdict signoff.Verdict, reason string) (bool, error) {
	return g.service.Review(g.t.Context(), by, signoff.ReviewRequest{Signature: signature, Verdict: verdict, Reason: reason, Key: uuid.New()})
}

// A signature by break-glass counts, carries all it rests on, and is written down with its code.
func TestASignatureByBreakGlass(t *testing.T) {
	t.Parallel()
	g := broken(t)
	code := g.sealed(0, "Hana Holder", "Hugo Holder")
	g.meet()
	by, request := stale(qa), g.asks(signoff.GoNoGo, "qa", code)
	request.One, request.Other = request.Other, request.One // whichever is typed first
	given, err := g.service.SignByGlass(t.Context(), by, request)
	if err != nil {
		t.Fatalf("SignByGlass: %v", err)
	}
	again, err := g.service.SignByGlass(t.Context(), by, request)
	if err != nil || again.ID != given.ID || g.signatures() != 1 {
		t.Errorf("the form once more = %s, %v, %d signatures; want the first one", again.ID, err, g.signatures())
	}
	gate := g.gate(signoff.GoNoGo)
	s, ok := gate.Standing("qa")
	if !ok || s.Glass == nil || s.Glass.Code != code.ID || s.Glass.First.Name != "Hana Holder" || s.Glass.Second.Name != "Hugo Holder" ||
		s.Glass.Failure != "connection refused" || s.Glass.Outage == uuid.Nil || !s.Glass.ReviewDue.Equal(s.Glass.UsedAt.Add(signoff.ReviewWithin)) || !s.AuthTime.Equal(by.AuthTime.UTC().Truncate(time.Microsecond)) {
		t.Errorf("it stands as %+v with %+v", s, s.Glass)
	}
	if says := s.Glass.Says(gate.At, time.UTC); !strings.HasPrefix(says, "Signed by break-glass: not proven by a fresh sign-in. Review due by ") {
		t.Errorf("it says %q", says)
	}
	shown, _, _, err := g.signoff.Signature(t.Context(), worker, given.ID)
	if err != nil || shown.Glass == nil || shown.Glass.Code != code.ID {
		t.Errorf("its own page has %+v, %v", shown.Glass, err)
	}
	if n := g.count(`SELECT count(*) FROM gatehouse.audit_events WHERE action = 'gate:sign' AND after->'break_glass'->>'code' = $1 AND after->'break_glass'->>'outage_failure' = 'connection refused'`, code.ID.String()) +
		g.count(`SELECT count(*) FROM gatehouse.audit_events WHERE action = 'signing_code:use' AND outcome = 'done' AND object_id = $1`, code.ID.String()); n != 2 {
		t.Errorf("%d entries of the trail tell of it, want 2", n)
	}
	if n := g.count(`SELECT count(*) FROM gatehouse.audit_events e WHERE e::text LIKE '%' || $1 || '%' OR e::text LIKE '%' || $2 || '%'`, code.First, code.Second) +
		g.count(`SELECT count(*) FROM gatehouse.signing_codes c WHERE c::text LIKE '%' || $1 || '%'`, code.First); n != 0 {
		t.Errorf("a half is kept in %d rows", n)
	}
	// The rest of the gate goes on as ever, and it passes within the time of the review.
	g.sign(backend, signoff.GoNoGo, "backend")
	g.sign(devops, signoff.GoNoGo, "devops")
	if !g.passedNow(signoff.GoNoGo) || !g.gate(signoff.GoNoGo).Passed() {
		t.Error("the gate is not passed within the time of the review")
	}
}

// Whatever is wrong with the halves, the outage or the person: nothing is signed and no code is used up.
func TestBreakGlassIsRefused(t *testing.T) {
	t.Parallel()
	g := broken(t)
	code, other, theirs := g.sealed(0, "Hana Holder", "Hugo Holder"), g.sealed(0, "Ida Holder", "Ivo Holder"), g.sealed(1, "Olga", "Oskar")
	request := func() signoff.GlassRequest { return g.asks(signoff.GoNoGo, "qa", code) }
	by := stale(qa)

	g.provider.fall("")
	g.turnedAway(by, request(), fault.Conflict, "provider answers")
	g.provider.fall("no route to host")
	g.turnedAway(by, request(), fault.Conflict, "met the provider's absence twice") // the form came first, and only now was it met
	half := request()
	half.Other = other.Second
	g.turnedAway(by, half, fault.Forbidden, "fit no code")
	half.Other = half.One
	g.turnedAway(by, half, fault.Forbidden, "fit no code")
	half.Other = ""
	g.turnedAway(by, half, fault.Forbidden, "fit no code")
	g.turnedAway(by, g.asks(signoff.GoNoGo, "qa", theirs), fault.Forbidden, "fit no code")
	g.turnedAway(fresh(qa), request(), fault.Conflict, "fresh enough")
	never := qa
	never.AuthTime = time.Time{}
	g.turnedAway(never, request(), fault.Forbidden, "never said")
	g.turnedAway(stale(starter), request(), fault.Forbidden, "gate:sign")
	g.turnedAway(stale(backend), request(), fault.Forbidden, "QA lead")
	g.turnedAway(stale(devops), g.asks(signoff.GoNoGo, "devops", code), fault.Conflict, "signs last")
	g.turnedAway(stale(stranger), request(), fault.NotFound, "no such release")
	machine, remote := by, by
	machine.Rights, remote.Origin = []actor.Right{actor.GateSign}, actor.CLI
	g.turnedAway(machine, request(), fault.Forbidden, "machine")
	g.turnedAway(remote, request(), fault.Forbidden, "at the gate's page")
	moved := request()
	moved.ContentSHA256 = strings.Repeat("0", 64)
	g.turnedAway(by, moved, fault.Conflict, "changed since")
	worded := request()
	worded.Statement = "Tested a bit."
	g.turnedAway(by, worded, fault.Conflict, "statement")

	alone := housetest.Person(housetest.Rivermark, "Hana Holder", actor.QALead)
	g.exec("UPDATE gatehouse.signing_codes SET second_issuer = $2, second_subject = $3 WHERE code_id = $1", code.ID, alone.Issuer, alone.Subject)
	g.turnedAway(stale(alone), request(), fault.Forbidden, "held by you")
	g.exec("UPDATE gatehouse.signing_codes SET made_at = made_at - interval '60 days', expires_at = made_at - interval '59 days' WHERE code_id = $1", code.ID)
	g.turnedAway(by, request(), fault.Forbidden, "too old")
	operator := housetest.Tenants()[0].Actor(actor.CLI, "test")
	if err := postgres.RevokeSigningCode(t.Context(), g.house.OwnerURL, operator, other.ID, "an envelope was opened"); err != nil {
		t.Fatalf("RevokeSigningCode: %v", err)
	}
	g.turnedAway(by, g.asks(signoff.GoNoGo, "qa", other), fault.Forbidden, "revoked")
	if err := postgres.RevokeSigningCode(t.Context(), g.house.OwnerURL, operator, theirs.ID, "not ours"); !fault.Is(err, fault.NotFound) {
		t.Errorf("revoking another company's code = %v", err)
	}
	g.provider.fall("") // between the page and the post
	g.turnedAway(by, request(), fault.Conflict, "provider answers")
	if n := g.count("SELECT count(*) FROM gatehouse.provider_outages WHERE ended_at IS NULL AND tenant_id = $1", housetest.Rivermark); n != 0 {
		t.Errorf("%d outages go on after the provider answered", n)
	}
}

// The person may hold one half; the other one is then somebody else's.
func TestTheSignerMayHoldOneHalf(t *testing.T) {
	t.Parallel()
	g := broken(t)
	g.meet()
	if _, err := g.service.SignByGlass(t.Context(), stale(qa), g.asks(signoff.GoNoGo, "qa", g.sealed(0, qa.Name, "Hugo Holder"))); err != nil {
		t.Errorf("SignByGlass of who holds one half: %v", err)
	}
}

// One code, two forms at the same moment, in two processes and at two places: one signature.
func TestACodeIsUsedOnce(t *testing.T) {
	t.Parallel()
	g := broken(t)
	g.meet()
	for round := range 10 {
		code := g.sealed(0, "Hana Holder", "Hugo Holder")
		forms := [2]signoff.GlassRequest{g.asks(signoff.GoNoGo, "qa", code), g.asks(signoff.GoNoGo, "backend", code)}
		people, services := [2]actor.Actor{stale(qa), stale(backend)}, [2]*signoff.GlassService{g.service, g.process()}
		var errs [2]error
		var both sync.WaitGroup
		for i := range forms {
			both.Go(func() { _, errs[i] = services[i].SignByGlass(t.Context(), people[i], forms[i]) })
		}
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !strings.Contains(errors.Join(errs[:]...).Error(), "used already") {
			t.Fatalf("round %d: %v and %v; want one signature, and one code that was used", round, errs[0], errs[1])
		}
		for _, s := range g.gate(signoff.GoNoGo).Signatures {
			if s.Withdrawn == nil {
				by := qa
				if s.By(backend) {
					by = backend
				}
				if err := g.signoff.Withdraw(t.Context(), by, g.id, s.Gate, s.ID, "next round"); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// The application alone cannot write what a signature without a fresh sign-in rests on, nor a signature without it.
func TestTheDatabaseAsksForAFreshSignInOrACode(t *testing.T) {
	t.Parallel()
	g := broken(t)
	g.breaks(qa, signoff.GoNoGo, "qa")
	for statement, want := range map[string]string{
		`INSERT INTO gatehouse.glass_signatures SELECT * FROM gatehouse.glass_signatures`:                                 "permission denied",
		`SELECT first_sha256 FROM gatehouse.signing_codes`:                                                                "permission denied",
		`INSERT INTO gatehouse.signing_codes (tenant_id, code_id) VALUES (gatehouse.current_tenant(), gen_random_uuid())`: "permission denied",
		copySignature("NULL", "signed_at - interval '1 hour'"):                                                            "signatures_fresh",
		copySignature("glass_code_id", "signed_at - interval '1 hour'"):                                                   "signatures_glass",
		copySignature("gen_random_uuid()", "signed_at - interval '1 hour'"):                                               "signatures_glass",
		`UPDATE gatehouse.provider_outages SET began_at = now()`:                                                          "permission denied",
		`DELETE FROM gatehouse.glass_reviews`:                                                                             "permission denied",
	} {
		if err := g.asApp(statement); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", statement, err, want)
		}
	}
	// A code that is used up without a signature does not commit.
	g.meet()
	code := g.sealed(0, "Hana Holder", "Hugo Holder")
	err := g.asApp(`SELECT gatehouse.use_signing_code(encode(sha256(convert_to('` + code.First + `', 'UTF8')), 'hex'), encode(sha256(convert_to('` + code.Second + `', 'UTF8')), 'hex'),
		gen_random_uuid(), '` + g.id.String() + `', 'go_no_go', (SELECT outage_id FROM gatehouse.provider_outages WHERE ended_at IS NULL), 'i', 's', 'n')`)
	if err == nil || !strings.Contains(err.Error(), "glass_signatures_signature") {
		t.Errorf("a code used up for nothing: %v", err)
	}
}

func copySignature(code, authTime string) string {
	return `INSERT INTO gatehouse.signatures (tenant_id, signature_id, run_id, gate, slot, attempt, role, meaning, statement, score, note, content, content_sha256,
		issuer, subject, name, auth_time, acr, origin, ip, session, signed_at, idempotency_key, glass_code_id)
	SELECT tenant_id, gen_random_uuid(), run_id, gate, slot, attempt + 1, role, meaning, statement, score, note, content, content_sha256,
		issuer, subject, name, ` + authTime + `, acr, origin, ip, session, signed_at, gen_random_uuid(), ` + code + ` FROM gatehouse.signatures`
}

// asApp runs a statement as the application, in our tenant.
func (g *glass) asApp(statement string) error {
	g.t.Helper()
	conn, err := pgx.Connect(g.t.Context(), g.house.AppURL)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(g.t.Context())) }() // only its answer is wanted
	return pgx.BeginFunc(g.t.Context(), conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(g.t.Context(), "SELECT set_config('app.current_tenant_id', $1, true)", housetest.Rivermark.String()); err != nil {
			return err
		}
		_, err := tx.Exec(g.t.Context(), statement)
		return err
	})
}

// Who may not review, and that one review is all there is.
func TestWhoReviewsBreakGlass(t *testing.T) {
	t.Parallel()
	g := broken(t)
	holder := housetest.Person(housetest.Rivermark, "Hana Holder", actor.QALead)
	lead := housetest.Person(housetest.Rivermark, "Lena", actor.DevOpsLead)
	g.exec("UPDATE gatehouse.runs SET started_by_issuer = $2, started_by_subject = $3 WHERE run_id = $1", g.id, lead.Issuer, lead.Subject)
	given := g.breaks(qa, signoff.GoNoGo, "qa")
	for name, c := range map[string]struct {
		by      actor.Actor
		verdict signoff.Verdict
		reason  string
		kind    fault.Kind
		words   string
	}{
		"the signer":           {fresh(qa), signoff.Upheld, "", fault.Forbidden, "your own signature"},
		"the starter":          {fresh(lead), signoff.Upheld, "", fault.Forbidden, "You started"},
		"a holder":             {fresh(holder), signoff.Upheld, "", fault.Forbidden, "two halves was yours"},
		"who cannot sign":      {fresh(worker), signoff.Upheld, "", fault.Forbidden, "gate:sign"},
		"an old sign-in":       {stale(reviewer), signoff.Upheld, "", fault.Unauthenticated, "last five minutes"},
		"the other tenant":     {fresh(stranger), signoff.Upheld, "", fault.NotFound, "no such signature"},
		"refused in silence":   {fresh(reviewer), signoff.Refused, " ", fault.Invalid, "right first"},
		"without a verdict":    {fresh(reviewer), "", "", fault.Invalid, "right first"},
		"another verdict":      {fresh(reviewer), "maybe", "", fault.Invalid, "right first"},
		"an unstorable reason": {fresh(reviewer), signoff.Refused, "a\x00bcd", fault.Invalid, "right first"},
	} {
		if _, err := g.review(c.by, given.ID, c.verdict, c.reason); !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("Review by %s = %v; want %s with %q", name, err, c.kind, c.words)
		}
	}
	if n := g.count("SELECT count(*) FROM gatehouse.glass_reviews"); n != 0 {
		t.Fatalf("%d reviews were stored of none", n)
	}
	usual := g.sign(backend, signoff.GoNoGo, "backend")
	if _, err := g.review(fresh(reviewer), usual.ID, signoff.Refused, "no reason"); !fault.Is(err, fault.NotFound) {
		t.Errorf("reviewing a usual signature = %v", err)
	}
	// Two at once, of two minds: one of them counts, whole.
	second := housetest.Person(housetest.Rivermark, "Rolf", actor.BackendLead)
	var errs [2]error
	var both sync.WaitGroup
	both.Go(func() { _, errs[0] = g.review(fresh(reviewer), given.ID, signoff.Upheld, "") })
	both.Go(func() { _, errs[1] = g.review(fresh(second), given.ID, signoff.Refused, "I know nothing of it") })
	both.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !fault.Is(errors.Join(errs[:]...), fault.Conflict) {
		t.Fatalf("two reviews: %v and %v; want one", errs[0], errs[1])
	}
	want := signoff.Standing
	if errs[1] == nil {
		want = signoff.Denied
	}
	gate := g.gate(signoff.GoNoGo)
	if s, _ := gate.Latest("qa"); s.State(gate.SHA256) != want {
		t.Errorf("after the review the signature is %s, want %s", s.State(gate.SHA256), want)
	}
	request := signoff.ReviewRequest{Signature: given.ID, Verdict: signoff.Upheld, Key: uuid.New()}
	if _, err := g.service.Review(t.Context(), fresh(second), request); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second review = %v, want a conflict", err)
	}
}

// Refused: the signature is void, the gate is shut, and somebody signs anew.
func TestARefusedReviewShutsTheGate(t *testing.T) {
	t.Parallel()
	g := broken(t)
	given := g.breaks(qa, signoff.GoNoGo, "qa")
	g.sign(backend, signoff.GoNoGo, "backend")
	g.sign(devops, signoff.GoNoGo, "devops")
	request := signoff.ReviewRequest{Signature: given.ID, Verdict: signoff.Refused, Reason: "Quin was not there", Key: uuid.New()}
	for range 2 { // the second time the form arrives changes nothing
		if _, err := g.service.Review(t.Context(), fresh(reviewer), request); err != nil {
			t.Fatalf("Review: %v", err)
		}
	}
	if g.passedNow(signoff.GoNoGo) {
		t.Error("the gate is passed by a signature that was refused")
	}
	gate := g.gate(signoff.GoNoGo)
	if s, _ := gate.Latest("qa"); s.State(gate.SHA256) != signoff.Denied || gate.Passed() || len(gate.Missing()) != 1 {
		t.Errorf("the signature is %s, the gate passed: %v", s.State(gate.SHA256), gate.Passed())
	}
	if n := g.count("SELECT count(*) FROM gatehouse.audit_events WHERE action = 'gate:review' AND outcome = 'done'"); n != 1 {
		t.Errorf("%d entries of the review, want 1", n)
	}
	g.sign(qa, signoff.GoNoGo, "qa")
	if !g.passedNow(signoff.GoNoGo) {
		t.Error("signing anew does not pass the gate")
	}
}

// Not reviewed in time: the gate counts as not passed until it is, and its own time is not over because of that.
func TestAReviewThatIsMissing(t *testing.T) {
	t.Parallel()
	g := broken(t)
	given := g.breaks(qa, signoff.GoNoGo, "qa")
	g.sign(backend, signoff.GoNoGo, "backend")
	g.sign(devops, signoff.GoNoGo, "devops")
	g.later(72 * time.Hour)
	gate := g.gate(signoff.GoNoGo)
	if g.passedNow(signoff.GoNoGo) || gate.Passed() || gate.Overdue || len(gate.HeldUp()) != 1 {
		t.Errorf("with its review overdue: passed %v, %v, its time over %v, held up by %d", g.passedNow(signoff.GoNoGo), gate.Passed(), gate.Overdue, len(gate.HeldUp()))
	}
	if g.count(`SELECT count(*) FROM (SELECT set_config('app.current_tenant_id', $1, false)) AS entered(x) WHERE x IS NOT NULL AND gatehouse.gate_filled($2, 'go_no_go')`, housetest.Rivermark.String(), g.id) != 1 {
		t.Error("its places are not filled any more, so that its time would be over because of the review")
	}
	if len(gate.Blockers) != 1 || !strings.HasPrefix(gate.Blockers[0].Text, "Quin signed here by break-glass, and nobody reviewed that by ") {
		t.Errorf("what keeps it shut: %+v", gate.Blockers)
	}
	if next, err := (postgres.Migrations{DB: g.db}).Look(t.Context(), worker, migration.Question{}); err != nil || next.Release == nil || next.Release.Shut != gate.Blockers[0].Text {
		t.Errorf("the page of the migrations says %+v, %v; want %q", next.Release, err, gate.Blockers[0].Text)
	}
	if got := g.finding("glass_missed"); got != "Quin signed Go / no-go as QA lead by break-glass, and nobody reviewed that in time." {
		t.Errorf("the report says %q", got)
	}
	if err := g.runbook.Take(t.Context(), worker, g.seen("B1")); !fault.Is(err, fault.Conflict) {
		t.Errorf("Take(B1) behind a gate that counts as not passed = %v", err)
	}
	if _, err := g.review(fresh(reviewer), given.ID, signoff.Upheld, "late, and right"); err != nil {
		t.Fatalf("Review: %v", err)
	}
	if !g.passedNow(signoff.GoNoGo) || !g.gate(signoff.GoNoGo).Passed() {
		t.Error("reviewed late, the gate still counts as not passed")
	}
}

// finding is what the report of the release finds of that kind; empty where it finds nothing.
func (g *glass) finding(kind string) string {
	g.t.Helper()
	w := &watchedRelease{release: g.release, now: time.Now()}
	w.service = w.snapshots()
	report, err := w.reviews().Report(g.t.Context(), worker, g.id)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Kind == kind {
			return f.Text
		}
	}
	return ""
}

// later makes everything that was given by break-glass older.
func (g *glass) later(by time.Duration) {
	g.t.Helper()
	g.exec("ALTER TABLE gatehouse.glass_signatures DISABLE TRIGGER glass_signatures_append_only")
	g.exec("UPDATE gatehouse.glass_signatures SET used_at = used_at - make_interval(secs => $1), review_due_at = review_due_at - make_interval(secs => $1)", by.Seconds())
	g.exec("ALTER TABLE gatehouse.glass_signatures ENABLE TRIGGER glass_signatures_append_only")
}

// The last gate waits for every review, and the last review signs the release off; one may follow when all is over.
func TestTheSignOffWaitsForReviews(t *testing.T) {
	t.Parallel()
	g := broken(t)
	first := g.breaks(qa, signoff.GoNoGo, "qa")
	g.sign(backend, signoff.GoNoGo, "backend")
	g.sign(devops, signoff.GoNoGo, "devops")
	g.apply(worker, "up", true)
	g.check("B1")
	g.check("B2")
	g.knock(fresh(qa), g.request(signoff.Final, "qa"), fault.Conflict, "Quin signed the gate Go / no-go by break-glass, and that is not reviewed yet")
	if over, err := g.review(fresh(reviewer), first.ID, signoff.Upheld, ""); err != nil || over {
		t.Fatalf("Review = %v, %v", over, err)
	}
	g.sign(qa, signoff.Final, "qa")
	last := g.breaks(devops, signoff.Final, "devops")
	if g.passedNow(signoff.Final) || g.gate(signoff.Final).Passed() || g.state() != runbook.Active {
		t.Errorf("signed off before the review: %s", g.state())
	}
	over, err := g.review(fresh(reviewer), last.ID, signoff.Upheld, "")
	if err != nil || !over || g.state() != runbook.SignedOff {
		t.Errorf("the last review = %v, %v and leaves the release %s; want it signed off", over, err, g.state())
	}
}

func TestAReleaseThatIsOverIsReviewedAllTheSame(t *testing.T) {
	t.Parallel()
	g := broken(t)
	given := g.breaks(qa, signoff.GoNoGo, "qa")
	if err := g.signoff.Withdraw(t.Context(), qa, g.id, given.Gate, given.ID, "I take it back"); err != nil {
		t.Fatal(err)
	}
	g.exec("UPDATE gatehouse.runs SET state = 'aborted', ended_at = now(), ended_by = 'Sam', end_reason = 'enough' WHERE run_id = $1", g.id)
	if got := g.waitingFor(reviewer); len(got) != 1 || got[0].Object != given.ID.String() {
		t.Errorf("what waits for the reviewer of an aborted release: %+v", got)
	}
	if over, err := g.review(fresh(reviewer), given.ID, signoff.Refused, "it was not needed"); err != nil || over {
		t.Errorf("Review of an aborted release = %v, %v", over, err)
	}
}

func (g *glass) waitingFor(by actor.Actor) (reviews []inbox.Task) {
	g.t.Helper()
	list, err := g.inbox().Waiting(g.t.Context(), by, inbox.Query{Limit: 50})
	if err != nil {
		g.t.Fatal(err)
	}
	for _, task := range list.Tasks {
		if task.Kind == inbox.Review {
			reviews = append(reviews, task)
		}
	}
	return reviews
}

// A review waits for whoever may give it, sorted by when it is due, and is told of: once while it is wanted, once when late.
func TestAReviewWaitsAndIsToldOf(t *testing.T) {
	t.Parallel()
	g := broken(t)
	given := g.breaks(qa, signoff.GoNoGo, "qa")
	for _, by := range []actor.Actor{qa, starter, worker, stranger} {
		if got := g.waitingFor(by); len(got) != 0 {
			t.Errorf("%s has %d reviews waiting, want none", by.Name, len(got))
		}
	}
	got := g.waitingFor(reviewer)
	if len(got) != 1 || !got[0].Ready || !got[0].DueAt.Equal(g.gate(signoff.GoNoGo).Glass[0].ReviewDue) || got[0].Path() != "/signatures/"+given.ID.String() {
		t.Fatalf("what waits for the reviewer: %+v", got)
	}
	told := func(kind inbox.NoticeKind) int {
		t.Helper()
		for range 2 {
			if _, err := g.inbox().Remind(t.Context(), worker); err != nil {
				t.Fatal(err)
			}
		}
		return g.count("SELECT count(*) FROM gatehouse.notices WHERE kind = $1", string(kind))
	}
	roles := len(actor.RolesWith(actor.GateSign))
	if got := told(inbox.ReviewWanted); got != roles {
		t.Errorf("told of the review %d times, want once to each of %d roles", got, roles)
	}
	g.later(73 * time.Hour)
	if got := told(inbox.ReviewMissed); got != roles {
		t.Errorf("told of the missed review %d times, want once to each of %d roles", got, roles)
	}
	if _, err := g.review(fresh(reviewer), given.ID, signoff.Upheld, ""); err != nil {
		t.Fatal(err)
	}
	if got := g.waitingFor(reviewer); len(got) != 0 {
		t.Errorf("after it was given, %d reviews wait", len(got))
	}
}

// A session that its person, or the provider, has ended signs nothing this way either; nor does it review.
func TestAnEndedSessionBreaksNoGlass(t *testing.T) {
	t.Parallel()
	g := broken(t)
	g.meet()
	by := g.session("glass")
	by.AuthTime = time.Now().Add(-time.Hour)
	request := g.asks(signoff.GoNoGo, "qa", g.sealed(0, "Hana Holder", "Hugo Holder"))
	if n, err := (postgres.Sessions{DB: g.db}).EndByProvider(t.Context(), "glass"); n != 1 || err != nil {
		t.Fatalf("EndByProvider = %d, %v", n, err)
	}
	g.turnedAway(by, request, fault.Unauthenticated, "sign-in here has ended")
	given := g.breaks(qa, signoff.GoNoGo, "qa")
	ended := fresh(reviewer)
	ended.Session = by.Session
	if _, err := g.review(ended, given.ID, signoff.Upheld, ""); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("Review in an ended session = %v", err)
	}
}

// An outage is one record for as long as it is looked at; who answers ends it, and so does nobody looking.
func TestOutagesAreKept(t *testing.T) {
	t.Parallel()
	g := broken(t)
	if out, err := g.service.Outage(t.Context(), qa); err != nil || out.Known() {
		t.Errorf("before anybody looked: %+v, %v", out, err)
	}
	first, err := g.service.Meet(t.Context(), stale(qa))
	if err != nil {
		t.Fatal(err)
	}
	g.provider.fall("no such host")
	second, err := g.service.Meet(t.Context(), stale(backend))
	if err != nil || second.ID != first.ID || second.Failures != 2 || second.Failure != "no such host" || !second.Since.Equal(first.Since) || !second.Known() {
		t.Errorf("met again: %+v, %v; want the same outage", second, err)
	}
	g.exec("UPDATE gatehouse.provider_outages SET began_at = began_at - interval '1 hour', last_failed_at = last_failed_at - interval '11 minutes'")
	if out, err := g.service.Outage(t.Context(), qa); err != nil || out.Known() {
		t.Errorf("eleven minutes later it is still known: %+v, %v", out, err)
	}
	third, err := g.service.Meet(t.Context(), stale(qa))
	if err != nil || third.ID == first.ID || third.Failures != 1 {
		t.Errorf("met after nobody looked: %+v, %v; want another outage", third, err)
	}
	if out, err := g.service.Outage(t.Context(), stranger); err != nil || out.ID != uuid.Nil {
		t.Errorf("the other tenant sees %+v, %v", out, err)
	}
	g.provider.fall("")
	if _, err := g.service.Meet(t.Context(), stale(qa)); !fault.Is(err, fault.Conflict) {
		t.Errorf("Meet of a provider that answers = %v", err)
	}
	if _, err := g.service.Meet(t.Context(), worker); !fault.Is(err, fault.Forbidden) {
		t.Errorf("Meet by who cannot sign = %v", err)
	}
	for action, want := range map[string]int{"provider:outage": 3, "provider:back": 1} {
		if got := g.count("SELECT count(*) FROM gatehouse.audit_events WHERE action = $1 AND outcome = 'done'", action); got != want {
			t.Errorf("%d entries of %s, want %d", got, action, want)
		}
	}
}

func TestHowSigningCodesAreMade(t *testing.T) {
	t.Parallel()
	g := broken(t)
	operator := housetest.Tenants()[0].Actor(actor.CLI, "test")
	if _, err := (postgres.People{DB: g.db}).SignIn(t.Context(), actor.Identity{Issuer: "https://id.example", Subject: "h", Name: "Hana Holder", Tenant: "rivermark", Roles: []actor.Role{actor.QALead}}, ""); err != nil {
		t.Fatal(err)
	}
	plan := postgres.SigningCodePlan{FirstHolder: "Hana Holder", SecondHolder: "Hugo Holder", Reason: "quarterly", Lifetime: 24 * time.Hour}
	for name, spoil := range map[string]func(*postgres.SigningCodePlan){
		"one person":   func(p *postgres.SigningCodePlan) { p.SecondHolder = " hana holder" },
		"no reason":    func(p *postgres.SigningCodePlan) { p.Reason = " " },
		"for too long": func(p *postgres.SigningCodePlan) { p.Lifetime = 91 * 24 * time.Hour },
		"for an hour":  func(p *postgres.SigningCodePlan) { p.Lifetime = time.Hour },
		"two lines":    func(p *postgres.SigningCodePlan) { p.FirstHolder = "Hana\nHolder" },
	} {
		spoiled := plan
		spoil(&spoiled)
		if _, err := postgres.MakeSigningCode(t.Context(), g.house.OwnerURL, operator, spoiled); !fault.Is(err, fault.Invalid) {
			t.Errorf("a code with %s = %v, want a refusal", name, err)
		}
	}
	code, err := postgres.MakeSigningCode(t.Context(), g.house.OwnerURL, operator, plan)
	if err != nil || !code.FirstKnown || code.SecondKnown {
		t.Fatalf("MakeSigningCode = %+v, %v; want the first holder known", code, err)
	}
	g.exec("UPDATE gatehouse.people SET email = 'hh@rivermark.example' WHERE subject = 'h'")
	plan.SecondHolder = "hh@rivermark.example"
	if _, err := postgres.MakeSigningCode(t.Context(), g.house.OwnerURL, operator, plan); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "one person here") {
		t.Errorf("one person under two names = %v, want a refusal", err)
	}
	list, err := postgres.SigningCodes(t.Context(), g.house.OwnerURL, operator)
	if err != nil || len(list) != 1 || list[0].State != "good" || list[0].CodeID != code.ID {
		t.Errorf("SigningCodes = %+v, %v", list, err)
	}
	if list, err := postgres.SigningCodes(t.Context(), g.house.OwnerURL, housetest.Tenants()[1].Actor(actor.CLI, "test")); err != nil || len(list) != 0 {
		t.Errorf("the other tenant's codes are %+v, %v", list, err)
	}
}
