package postgres_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/review"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// atTheLastGate is a release of which only the last signature is missing.
func atTheLastGate(t *testing.T) *glass {
	t.Helper()
	g := broken(t)
	g.sign(qa, signoff.GoNoGo, "qa")
	g.sign(backend, signoff.GoNoGo, "backend")
	g.sign(devops, signoff.GoNoGo, "devops")
	g.apply(worker, "up", true)
	g.check("B1")
	g.check("B2")
	g.sign(qa, signoff.Final, "qa")
	return g
}

// The last review may be a refusal: of a signature that was taken back and given anew. The release must not stay open for it.
func TestARefusalMayBeTheLastReviewThatWasMissing(t *testing.T) {
	t.Parallel()
	g := atTheLastGate(t)
	first := g.breaks(devops, signoff.Final, "devops")
	if err := g.signoff.Withdraw(t.Context(), devops, g.id, first.Gate, first.ID, "The provider is back; I sign as usual."); err != nil {
		t.Fatal(err)
	}
	g.sign(devops, signoff.Final, "devops")
	if got := g.state(); got != runbook.Active {
		t.Fatalf("with a review missing the release is %s", got)
	}
	over, err := g.review(fresh(reviewer), first.ID, signoff.Refused, "It was not needed.")
	if err != nil || !over || g.state() != runbook.SignedOff {
		t.Errorf("the last review, a refusal = %v, %v, and the release is %s; want it signed off by the signatures that stand", over, err, g.state())
	}
}

// A refusal that takes the last signature back signs nothing off.
func TestARefusalSignsNothingOff(t *testing.T) {
	t.Parallel()
	g := atTheLastGate(t)
	last := g.breaks(devops, signoff.Final, "devops")
	if over, err := g.review(fresh(reviewer), last.ID, signoff.Refused, "I know nothing of it."); err != nil || over || g.state() != runbook.Active {
		t.Errorf("Review = %v, %v, and the release is %s; want it to go on", over, err, g.state())
	}
}

// Whoever wants to revoke a code while it is being used waits, and is told that it is too late.
func TestACodeThatIsBeingUsedIsNotRevoked(t *testing.T) {
	t.Parallel()
	g := broken(t)
	g.meet()
	g.meet()
	usual := g.sign(backend, signoff.GoNoGo, "backend")
	code := g.sealed(0, "Hana Holder", "Hugo Holder")
	tx, err := g.super.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }() // it was committed, or the test failed
	var said string
	if err := tx.QueryRow(t.Context(), `SELECT u.outcome FROM (SELECT set_config('app.current_tenant_id', $1, true)) AS entered(x)
		CROSS JOIN LATERAL gatehouse.use_signing_code(encode(sha256(convert_to($2, 'UTF8')), 'hex'), encode(sha256(convert_to($3, 'UTF8')), 'hex'), $4, $5, 'go_no_go',
			(SELECT outage_id FROM gatehouse.provider_outages), 'i', 's', 'n') u WHERE entered.x IS NOT NULL`,
		housetest.Rivermark.String(), code.First, code.Second, usual.ID, g.id).Scan(&said); err != nil || said != "signed" {
		t.Fatalf("using the code = %q, %v", said, err)
	}
	var revoked error
	var both sync.WaitGroup
	both.Go(func() {
		revoked = postgres.RevokeSigningCode(t.Context(), g.house.OwnerURL, housetest.Tenants()[0].Actor(actor.CLI, "test"), code.ID, "an envelope was opened")
	})
	g.untilSomebodyWaits()
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	both.Wait()
	if !fault.Is(revoked, fault.NotFound) || !strings.Contains(revoked.Error(), "used") {
		t.Errorf("revoking a code that was used meanwhile = %v, want that it cannot be", revoked)
	}
	if n := g.count("SELECT count(*) FROM gatehouse.signing_codes WHERE revoked_at IS NOT NULL") + g.count("SELECT count(*) FROM gatehouse.audit_events WHERE action = 'signing_code:revoke' AND outcome = 'done'"); n != 0 {
		t.Errorf("a used code is revoked, or the trail says so (%d)", n)
	}
}

// And whoever uses a code that is being revoked waits, and signs nothing.
func TestACodeThatIsBeingRevokedIsNotUsed(t *testing.T) {
	t.Parallel()
	g := broken(t)
	g.meet()
	request := g.asks(signoff.GoNoGo, "qa", g.sealed(0, "Hana Holder", "Hugo Holder"))
	tx, err := g.super.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }() // it was committed, or the test failed
	if _, err := tx.Exec(t.Context(), "UPDATE gatehouse.signing_codes SET revoked_at = now(), revoked_reason = 'an envelope was opened'"); err != nil {
		t.Fatal(err)
	}
	answered := g.waiting(func() error {
		_, err := g.service.SignByGlass(t.Context(), stale(qa), request)
		return err
	})
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "revoked") || g.used() != 0 {
		t.Errorf("using a code that was revoked meanwhile = %v", err)
	}
}

// One code and twenty forms at once, through two processes and at two places: one signature, and one entry of each kind.
func TestTwentyFormsAndOneCode(t *testing.T) {
	t.Parallel()
	g := broken(t)
	g.meet()
	code := g.sealed(0, "Hana Holder", "Hugo Holder")
	people, slots := []actor.Actor{stale(qa), stale(backend)}, []signoff.SlotID{"qa", "backend"}
	services := []*signoff.GlassService{g.service, g.process()}
	errs := make([]error, 20)
	var all sync.WaitGroup
	for i := range errs {
		request := g.asks(signoff.GoNoGo, slots[i%2], code)
		all.Go(func() { _, errs[i] = services[i/2%2].SignByGlass(t.Context(), people[i%2], request) })
	}
	all.Wait()
	signed := 0
	for i, err := range errs {
		switch {
		case err == nil:
			signed++
		case !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.Conflict):
			t.Errorf("form %d = %v, want that the code was used, or the place filled", i, err)
		}
	}
	if n := g.count("SELECT count(*) FROM gatehouse.audit_events WHERE action IN ('gate:sign', 'signing_code:use') AND outcome = 'done'"); signed != 1 || g.signatures() != 1 || g.used() != 1 || n != 2 {
		t.Errorf("%d of 20 signed, with %d signatures, %d used codes and %d entries; want one signature with its code and two entries", signed, g.signatures(), g.used(), n)
	}
}

// S01: one form of break-glass, pressed twenty times at once through two processes, signs once and uses one code.
func TestAPressOfBreakGlassCountsOnce(t *testing.T) {
	t.Parallel()
	g := broken(t)
	g.meet()
	request := g.asks(signoff.GoNoGo, "qa", g.sealed(0, "Hana Holder", "Hugo Holder"))
	services := []*signoff.GlassService{g.service, g.process()}
	given, errs := make([]signoff.Signature, 20), make([]error, 20)
	by := stale(qa)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { given[i], errs[i] = services[i%2].SignByGlass(t.Context(), by, request) })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil || given[i].ID != given[0].ID {
			t.Errorf("press %d = %s, %v; want the one signature", i, given[i].ID, err)
		}
	}
	if g.signatures() != 1 || g.used() != 1 {
		t.Errorf("%d signatures by %d codes, want one of each", g.signatures(), g.used())
	}
	// The same form says something else, is somebody else's, or is sent after the signature was taken back.
	other := request
	other.Note = "Something else."
	g.turnedAway(by, other, fault.Conflict, "said something else")
	g.turnedAway(stale(backend), request, fault.Conflict, "another signature")
	if err := g.signoff.Withdraw(t.Context(), qa, g.id, given[0].Gate, given[0].ID, "I take it back"); err != nil {
		t.Fatal(err)
	}
	g.turnedAway(by, request, fault.Conflict, "taken back since")
}

// Twenty reviews at once, of two minds: one counts, and one entry tells of it.
func TestTwentyReviewsAndOneCounts(t *testing.T) {
	t.Parallel()
	g := broken(t)
	given := g.breaks(qa, signoff.GoNoGo, "qa")
	errs := make([]error, 20)
	verdicts := []signoff.Verdict{signoff.Upheld, signoff.Refused}
	var all sync.WaitGroup
	for i := range errs {
		by := fresh(housetest.Person(housetest.Rivermark, "Reviewer "+string(rune('A'+i)), actor.BackendLead))
		all.Go(func() { _, errs[i] = g.review(by, given.ID, verdicts[i%2], "I have asked.") })
	}
	all.Wait()
	counts := 0
	for i, err := range errs {
		if err == nil {
			counts++
		} else if !fault.Is(err, fault.Conflict) {
			t.Errorf("review %d = %v, want that somebody else has reviewed it", i, err)
		}
	}
	refused := g.count("SELECT count(*) FROM gatehouse.glass_reviews WHERE verdict = 'refused'")
	if n := g.count("SELECT count(*) FROM gatehouse.audit_events WHERE action = 'gate:review' AND outcome = 'done'"); counts != 1 || n != 1 || g.count("SELECT count(*) FROM gatehouse.signature_withdrawals") != refused {
		t.Errorf("%d reviews count, %d entries, %d refused", counts, n, refused)
	}
}

// Every rule of the gate holds for break-glass as well: for a deputy, for who gave the evidence, who applied, who signed.
func TestTheRulesOfTheGateHoldForBreakGlass(t *testing.T) {
	t.Parallel()
	g := &glass{release: deputised(t), provider: &silence{words: "connection refused"}}
	g.service = g.process()
	g.meet()
	code := g.sealed(0, "Hana Holder", "Hugo Holder")
	line := g.named(pia)
	g.turnedAway(stale(pia), g.asks(signoff.GoNoGo, "qa", code), fault.Conflict, "deputies sign here from")
	g.late()
	if err := g.roster().Revoke(t.Context(), fresh(qa), line, "Quin is back."); err != nil {
		t.Fatal(err)
	}
	g.turnedAway(stale(pia), g.asks(signoff.GoNoGo, "qa", code), fault.Forbidden, "a deputy whom the roster names for today")
	g.named(pia)
	both := housetest.Person(housetest.Rivermark, "Bo", actor.BackendLead, actor.QALead)
	g.sign(both, signoff.GoNoGo, "backend")
	g.turnedAway(stale(both), g.asks(signoff.GoNoGo, "qa", code), fault.Conflict, "One person fills one place")
	g.exec("UPDATE gatehouse.runs SET started_by_issuer = $2, started_by_subject = $3 WHERE run_id = $1", g.id, pia.Issuer, pia.Subject)
	g.turnedAway(stale(pia), g.asks(signoff.GoNoGo, "qa", code), fault.Forbidden, "You started this release")
	g.exec("UPDATE gatehouse.runs SET started_by_issuer = $2, started_by_subject = $3 WHERE run_id = $1", g.id, starter.Issuer, starter.Subject)
	g.exec("ALTER TABLE gatehouse.run_gates DISABLE TRIGGER USER")
	g.exec("UPDATE gatehouse.run_gates SET after_migrations = true WHERE gate = 'go_no_go'")
	g.apply(pia, "up", true)
	g.turnedAway(stale(pia), g.asks(signoff.GoNoGo, "qa", code), fault.Forbidden, "You applied a migration")
	g.exec("UPDATE gatehouse.run_gates SET after_migrations = false WHERE gate = 'go_no_go'")
	given, err := g.service.SignByGlass(t.Context(), stale(pia), g.asks(signoff.GoNoGo, "qa", code))
	if err != nil || given.Deputy == nil {
		t.Fatalf("a deputy signs by break-glass = %+v, %v", given.Deputy, err)
	}
	// A gate that is stopped takes no signature, and the code stays good for the next attempt.
	other := g.sealed(0, "Ida Holder", "Ivo Holder")
	g.rejected("qa", qa)
	g.turnedAway(stale(backend), g.asks(signoff.GoNoGo, "backend", other), fault.Conflict, "Nobody signs here until a new attempt")
	if err := g.signoff.Reopen(t.Context(), devops, g.reopening(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := g.service.SignByGlass(t.Context(), stale(backend), g.asks(signoff.GoNoGo, "backend", other)); err != nil {
		t.Errorf("a code that was not used signs in the next attempt: %v", err)
	}
}

func TestWhoGaveEvidenceBreaksNoGlassForIt(t *testing.T) {
	t.Parallel()
	g := &glass{release: ruled(t, `"evidence_author_may_not_sign":true`), provider: &silence{words: "connection refused"}}
	g.service = g.process()
	g.meet()
	g.done("A1", "looked at it")
	if err := g.runbook.Done(t.Context(), qa, g.seen("A2"), "9.5", ""); err != nil {
		t.Fatal(err)
	}
	g.turnedAway(stale(qa), g.asks(signoff.GoNoGo, "qa", g.sealed(0, "Hana Holder", "Hugo Holder")), fault.Forbidden, "You gave the evidence of A2")
}

// A10, S20: whatever is typed for halves is looked up as it is, and shown and kept nowhere.
func TestHalvesOfAnyKindFitNothing(t *testing.T) {
	t.Parallel()
	g := broken(t)
	g.meet()
	code := g.sealed(0, "Hana Holder", "Hugo Holder")
	for _, half := range []string{"", " ", strings.ToLower(code.Second), code.Second + " ", code.Second[:19], "' OR ''='", "a\x00b", "\xff\xfe", strings.Repeat("A", 1<<20), "\u202e" + code.Second, code.First} {
		request := g.asks(signoff.GoNoGo, "qa", code)
		request.Other = half
		g.turnedAway(stale(qa), request, fault.Forbidden, "fit no code")
	}
	for _, note := range []string{"a\x00b", "\xff\xfe", strings.Repeat("é", 2001)} {
		request := g.asks(signoff.GoNoGo, "qa", code)
		request.Note = note
		g.turnedAway(stale(qa), request, fault.Invalid, "put right")
	}
	request := g.asks(signoff.GoNoGo, "qa", code)
	request.Note = strings.TrimSpace(strings.Repeat("🙂", 1000) + "\u202e txt.exe")
	given, err := g.service.SignByGlass(t.Context(), stale(qa), request)
	if err != nil || given.Note != request.Note {
		t.Errorf("an odd note that can be stored = %v; want it byte by byte", err)
	}
}

// What an application that went wrong could try on the database alone, as its own role in its own tenant.
func TestTheApplicationAloneCannotBendBreakGlass(t *testing.T) {
	t.Parallel()
	g := broken(t)
	given := g.breaks(qa, signoff.GoNoGo, "qa")
	if _, err := g.review(fresh(reviewer), given.ID, signoff.Upheld, ""); err != nil {
		t.Fatal(err)
	}
	for statement, want := range map[string]string{
		"UPDATE gatehouse.glass_signatures SET review_due_at = now()":               "permission denied",
		"DELETE FROM gatehouse.glass_signatures":                                    "permission denied",
		"UPDATE gatehouse.glass_reviews SET verdict = 'refused'":                    "permission denied",
		"TRUNCATE gatehouse.glass_reviews":                                          "permission denied",
		"UPDATE gatehouse.signing_codes SET expires_at = now() + interval '1 day'":  "permission denied",
		"UPDATE gatehouse.provider_outages SET first_failure = 'x'":                 "permission denied",
		"DELETE FROM gatehouse.provider_outages":                                    "permission denied",
		"UPDATE gatehouse.deputies SET until_day = until_day + 1":                   "permission denied",
		"DELETE FROM gatehouse.deputy_revocations":                                  "permission denied",
		"UPDATE gatehouse.run_gates SET least_items = 0":                            "permission denied",
		"UPDATE gatehouse.run_gate_slots SET deputies_seconds = 0":                  "permission denied",
		"INSERT INTO gatehouse.glass_reviews SELECT * FROM gatehouse.glass_reviews": "glass_reviews_pkey",
		"SELECT second_sha256 FROM gatehouse.signing_codes":                         "permission denied",
		"INSERT INTO gatehouse.provider_outages (tenant_id, provider, first_failure, last_failure) VALUES ('" + housetest.Saltway.String() + "', 'p', 'x', 'x')": "row-level security",
	} {
		if err := g.asApp(statement); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", statement, err, want)
		}
	}
	// A review that no fresh sign-in proves, of a signature that has none yet.
	usual := g.breaks(backend, signoff.GoNoGo, "backend")
	if err := g.asApp(`INSERT INTO gatehouse.glass_reviews (tenant_id, signature_id, verdict, reason, issuer, subject, name, auth_time, acr, origin, ip, session, reviewed_at, idempotency_key)
		VALUES (gatehouse.current_tenant(), '` + usual.ID.String() + `', 'upheld', '', 'i', 's', 'n', now() - interval '6 minutes', '', 'web', '', '', now(), gen_random_uuid())`); err == nil || !strings.Contains(err.Error(), "glass_reviews_fresh") {
		t.Errorf("a review on a sign-in of six minutes ago: %v", err)
	}
	// A code that was used for one gate signs no other.
	g.meet()
	code := g.sealed(0, "Ida Holder", "Ivo Holder")
	other := uuid.New()
	err := g.asApp(`WITH used AS MATERIALIZED (
		SELECT u.code_id FROM gatehouse.use_signing_code(encode(sha256('` + code.First + `'), 'hex'), encode(sha256('` + code.Second + `'), 'hex'), '` + other.String() + `',
			'` + g.id.String() + `', 'final', (SELECT outage_id FROM gatehouse.provider_outages WHERE ended_at IS NULL), 'i', 's', 'n') u)
		` + strings.Replace(copySignature("(SELECT code_id FROM used)", "signed_at - interval '1 hour'"), "gen_random_uuid(), run_id", "'"+other.String()+"', run_id", 1) + " LIMIT 1")
	if err == nil || !strings.Contains(err.Error(), "glass_signatures_signature") {
		t.Errorf("a code that was used for one gate, and a signature at another: %v", err)
	}
	// Whatever the table is, a superuser meets the trigger first.
	for _, table := range []string{"glass_signatures", "glass_reviews", "deputies", "deputy_revocations"} {
		if _, err := g.super.Exec(t.Context(), "DELETE FROM gatehouse."+table); err == nil {
			t.Errorf("DELETE FROM %s as a superuser went through", table)
		}
	}
}

// Another tenant's code, outage, signature and review are none for us, and ours none for them.
func TestBreakGlassStaysInItsTenant(t *testing.T) {
	t.Parallel()
	g := broken(t)
	given := g.breaks(qa, signoff.GoNoGo, "qa")
	theirs := g.sealed(1, "Olga", "Oskar")
	if _, err := g.service.Meet(t.Context(), stale(stranger)); err != nil {
		t.Fatal(err)
	}
	if n := g.count("SELECT count(DISTINCT tenant_id) FROM gatehouse.provider_outages"); n != 2 {
		t.Fatalf("outages of %d tenants, want 2", n)
	}
	for _, statement := range []string{"glass_signatures", "glass_reviews", "glass_marks", "signing_codes", "provider_outages", "deputies", "roster"} {
		if err := g.asApp(`DO $$ BEGIN IF EXISTS (SELECT tenant_id FROM gatehouse.` + statement + ` WHERE tenant_id <> gatehouse.current_tenant()) THEN RAISE EXCEPTION 'seen'; END IF; END $$`); err != nil {
			t.Errorf("%s of another tenant: %v", statement, err)
		}
	}
	request := g.asks(signoff.GoNoGo, "backend", theirs)
	g.turnedAway(stale(backend), request, fault.Forbidden, "fit no code")
	if err := g.asApp(`DO $$ BEGIN IF EXISTS (SELECT FROM gatehouse.use_signing_code(encode(sha256('` + theirs.First + `'), 'hex'), encode(sha256('` + theirs.Second + `'), 'hex'),
		gen_random_uuid(), '` + g.id.String() + `', 'go_no_go', gen_random_uuid(), 'i', 's', 'n')) THEN RAISE EXCEPTION 'seen'; END IF; END $$`); err != nil {
		t.Errorf("another tenant's code answers: %v", err)
	}
	if _, err := g.review(fresh(stranger), given.ID, signoff.Refused, "because"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a review from another tenant = %v", err)
	}
	if got := g.waitingFor(stranger); len(got) != 0 {
		t.Errorf("another tenant is shown %d reviews", len(got))
	}
}

// A provider that comes back between two attempts, seen by another process, is back for this one, too.
func TestOneProcessThatIsAnsweredEndsTheOutage(t *testing.T) {
	t.Parallel()
	g := broken(t)
	g.meet()
	back := &silence{}
	other := signoff.NewGlass(postgres.Glass{Signoff: postgres.Signoff{DB: g.db}, Provider: "Rivermark ID"}, back)
	if _, err := other.Meet(t.Context(), stale(backend)); !fault.Is(err, fault.Conflict) {
		t.Fatalf("Meet of a provider that answers = %v", err)
	}
	code := g.sealed(0, "Hana Holder", "Hugo Holder")
	// The next attempt is the first of another outage, however often it was met before.
	g.turnedAway(stale(qa), g.asks(signoff.GoNoGo, "qa", code), fault.Conflict, "met the provider's absence twice")
	// And where the last attempt was too long ago, nothing is signed on it.
	met, err := g.service.Meet(t.Context(), stale(qa))
	if err != nil || met.Failures != 2 {
		t.Fatalf("Meet = %+v, %v", met, err)
	}
	g.exec("UPDATE gatehouse.provider_outages SET last_failed_at = last_failed_at - interval '61 seconds' WHERE ended_at IS NULL")
	says := func() string {
		t.Helper()
		err := g.asApp(`DO $$ DECLARE said text; BEGIN
			SELECT outcome INTO said FROM gatehouse.use_signing_code(encode(sha256('` + code.First + `'), 'hex'), encode(sha256('` + code.Second + `'), 'hex'), gen_random_uuid(), '` + g.id.String() + `', 'go_no_go',
				'` + met.ID.String() + `', 'i', 's', 'n');
			RAISE EXCEPTION 'it says %', said; END $$`)
		return err.Error()
	}
	if got := says(); !strings.Contains(got, "it says no_outage") {
		t.Errorf("on an attempt of a minute ago it says %s, want no outage", got)
	}
	g.exec("UPDATE gatehouse.provider_outages SET last_failed_at = now() WHERE ended_at IS NULL")
	if got := says(); !strings.Contains(got, "it says signed") {
		t.Errorf("on an attempt of just now it says %s, want signed", got)
	}
	g.exec("UPDATE gatehouse.provider_outages SET ended_at = now() WHERE ended_at IS NULL")
	if got := says(); !strings.Contains(got, "it says no_outage") {
		t.Errorf("on an outage that is over it says %s, want no outage", got)
	}
}

// The two halves of one person, under whatever name: as the holder, the one who signs, and the one who reviews.
func TestOnePersonIsNeverTwo(t *testing.T) {
	t.Parallel()
	g := broken(t)
	g.meet()
	if _, err := (postgres.People{DB: g.db}).SignIn(t.Context(), actor.Identity{Issuer: qa.Issuer, Subject: qa.Subject, Name: "Quin Adler", Tenant: "rivermark", Roles: []actor.Role{actor.QALead}}, ""); err != nil {
		t.Fatal(err)
	}
	// Known by who they are, whatever they are called now; known by a name alone, by that name in any letters.
	code := g.sealed(0, "Quin Adler", "  QUIN ")
	g.turnedAway(stale(qa), g.asks(signoff.GoNoGo, "qa", code), fault.Forbidden, "held by you")
	given := g.breaks(backend, signoff.GoNoGo, "backend")
	for _, name := range []string{"Hana Holder", "HANA HOLDER", " hana holder "} {
		by := fresh(housetest.Person(housetest.Rivermark, name, actor.QALead))
		if _, err := g.review(by, given.ID, signoff.Upheld, ""); !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "two halves was yours") {
			t.Errorf("a review by %q, who holds a half = %v", name, err)
		}
	}
	// Who holds a half by name alone is not asked for a review either.
	holder := housetest.Person(housetest.Rivermark, "Hana Holder", actor.QALead)
	g.exec(`INSERT INTO gatehouse.people (tenant_id, person_id, issuer, subject, name, roles) VALUES ($1, gen_random_uuid(), $2, $3, $4, '{qa_lead}')`, holder.Tenant, holder.Issuer, holder.Subject, holder.Name)
	if got := g.waitingFor(holder); len(got) != 0 {
		t.Errorf("%d reviews wait for who holds a half", len(got))
	}
	if got := g.waitingFor(reviewer); len(got) != 1 {
		t.Errorf("%d reviews wait for somebody else, want 1", len(got))
	}
}

// A code that the trail does not know as it is opens nothing: whoever rules the database alone makes none, and brings none back.
func TestACodeThatTheTrailDoesNotKnowOpensNothing(t *testing.T) {
	t.Parallel()
	g := broken(t)
	g.meet()
	request := func(code postgres.SigningCode) signoff.GlassRequest { return g.asks(signoff.GoNoGo, "qa", code) }
	for what, c := range map[string]struct{ forge, words string }{
		"made past the command":         {"UPDATE gatehouse.signing_codes SET code_id = gen_random_uuid() WHERE code_id = $1", "trail"},
		"of other holders":              {"UPDATE gatehouse.signing_codes SET first_holder = 'Somebody Else' WHERE code_id = $1", "trail"},
		"of another person":             {"UPDATE gatehouse.signing_codes SET first_subject = 'x' WHERE code_id = $1", "trail"},
		"of another issuer":             {"UPDATE gatehouse.signing_codes SET first_issuer = 'https://id.test' WHERE code_id = $1", "trail"},
		"of another second person":      {"UPDATE gatehouse.signing_codes SET second_subject = 'x' WHERE code_id = $1", "trail"},
		"of another second issuer":      {"UPDATE gatehouse.signing_codes SET second_issuer = 'https://id.test' WHERE code_id = $1", "trail"},
		"of another second holder":      {"UPDATE gatehouse.signing_codes SET second_holder = 'Somebody Else' WHERE code_id = $1", "trail"},
		"good for longer":               {"UPDATE gatehouse.signing_codes SET expires_at = expires_at + interval '1 day' WHERE code_id = $1", "trail"},
		"with halves that were not its": {"", "trail"},
		"used once more":                {"", "trail"},
		"brought back":                  {"UPDATE gatehouse.signing_codes SET revoked_at = NULL, revoked_reason = '' WHERE code_id = $1", "trail"},
	} {
		code := g.sealed(0, "Hana Holder", "Hugo Holder")
		switch {
		case what == "brought back":
			if err := postgres.RevokeSigningCode(t.Context(), g.house.OwnerURL, housetest.Tenants()[0].Actor(actor.CLI, "test"), code.ID, "an envelope was opened"); err != nil {
				t.Fatal(err)
			}
			fallthrough
		case c.forge != "":
			g.exec(c.forge, code.ID)
		case what == "used once more":
			given, err := g.service.SignByGlass(t.Context(), stale(qa), request(code))
			if err != nil {
				t.Fatal(err)
			}
			for _, table := range []string{"signatures", "glass_signatures"} {
				g.exec("ALTER TABLE gatehouse." + table + " DISABLE TRIGGER USER")
			}
			g.exec("WITH gone AS (DELETE FROM gatehouse.signatures WHERE signature_id = $1) DELETE FROM gatehouse.glass_signatures WHERE signature_id = $1", given.ID)
		default:
			forged := strings.Repeat("Z", 20)
			g.exec("UPDATE gatehouse.signing_codes SET first_sha256 = encode(sha256(convert_to($2, 'UTF8')), 'hex') WHERE code_id = $1", code.ID, forged)
			code.First = forged
		}
		g.turnedAway(stale(qa), request(code), fault.Forbidden, c.words)
		if t.Failed() {
			t.Fatalf("that was a code %s", what)
		}
	}
	if _, err := g.service.SignByGlass(t.Context(), stale(qa), request(g.sealed(0, "Hana Holder", "Hugo Holder"))); err != nil {
		t.Errorf("a code as it was made: %v", err)
	}
}

// S19: a clock that is ten minutes wrong on the application's side signs nothing at the wrong time: the database's clock says
// when, and whether a sign-in was fresh.
func TestS19TheDatabasesClockSigns(t *testing.T) {
	t.Parallel()
	g := broken(t)
	for _, skew := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		by := qa
		by.AuthTime = time.Now().Add(skew) // a sign-in of this moment, as a server with that clock would believe it
		if _, err := g.signoff.Sign(t.Context(), by, g.request(signoff.GoNoGo, "qa")); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("Sign with an auth_time that is %s off = %v, want a refusal", skew, err)
		}
	}
	g.meet()
	ahead := qa
	ahead.AuthTime = time.Now().Add(10 * time.Minute)
	g.turnedAway(ahead, g.asks(signoff.GoNoGo, "qa", g.sealed(0, "Hana Holder", "Hugo Holder")), fault.Unauthenticated, "differ by more than a minute")
	given := g.breaks(qa, signoff.GoNoGo, "qa")
	if n := g.count("SELECT count(*) FROM gatehouse.glass_signatures u JOIN gatehouse.signatures s USING (tenant_id, signature_id) WHERE s.signed_at BETWEEN now() - interval '1 minute' AND now() AND u.used_at BETWEEN now() - interval '1 minute' AND now()"); n != 1 {
		t.Error("a signature or its code is dated by another clock than the database's")
	}
	if !slices.ContainsFunc(g.gate(signoff.GoNoGo).Glass, func(u signoff.Glass) bool { return u.Signature == given.ID && !u.Overdue(time.Now().UTC()) }) || given.ID == uuid.Nil {
		t.Error("the review is overdue at once")
	}
}

// The report says of a signature by break-glass what its own page says, and does not count what was changed.
func TestTheReportSaysHowASignatureWasGiven(t *testing.T) {
	t.Parallel()
	g := broken(t)
	given := g.breaks(qa, signoff.GoNoGo, "qa")
	g.sign(backend, signoff.GoNoGo, "backend")
	says := func() (of, usual review.Signature) {
		t.Helper()
		r, err := (postgres.Reviews{DB: g.db}).Report(t.Context(), worker, g.id)
		if err != nil || len(r.Signatures) != 2 {
			t.Fatalf("Report = %+v, %v", r.Signatures, err)
		}
		return r.Signatures[0], r.Signatures[1]
	}
	lisbon, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		t.Fatal(err)
	}
	wanted := func() string { return g.gate(signoff.GoNoGo).Glass[0].Says(time.Now().UTC(), lisbon) }
	if of, usual := says(); of.Reason != wanted() || !strings.Contains(of.Reason, "Review due by ") || usual.Reason != "" || of.Standing != "counts" {
		t.Errorf("the report says %q and %q, want %q and nothing", of.Reason, usual.Reason, wanted())
	}
	g.later(73 * time.Hour)
	if of, _ := says(); of.Reason != wanted() || !strings.Contains(of.Reason, "and is missing") {
		t.Errorf("of a missed review the report says %q, want %q", of.Reason, wanted())
	}
	if _, err := g.review(fresh(reviewer), given.ID, signoff.Refused, "Quin was not there"); err != nil {
		t.Fatal(err)
	}
	if of, _ := says(); !strings.HasPrefix(of.Reason, "Refused in the review of break-glass: Quin was not there ") || !strings.HasSuffix(of.Reason, wanted()) || of.Standing != "withdrawn" {
		t.Errorf("of a refused one the report says %q as %s, want %q at its end", of.Reason, of.Standing, wanted())
	}
	g.exec("ALTER TABLE gatehouse.signatures DISABLE TRIGGER signatures_append_only")
	g.exec("ALTER TABLE gatehouse.signatures DROP CONSTRAINT signatures_content_hash")
	g.exec("UPDATE gatehouse.signatures SET content = replace(content, 'Europe/Lisbon', 'Europe/Berlin') WHERE slot = 'backend'")
	if _, usual := says(); usual.Standing != "void" {
		t.Errorf("a signature whose content was changed is %s in the report", usual.Standing)
	}
}
