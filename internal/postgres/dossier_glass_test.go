package postgres_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/dossier"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// newBroken is a release of which a deputy signed by break-glass and was upheld, a lead did and was refused, and signed anew.
func newBroken(t *testing.T) bundled {
	t.Helper()
	g := &glass{release: deputised(t), provider: &silence{words: "connection refused"}}
	g.service = g.process()
	g.late()
	g.named(pia)
	request := func(slot signoff.SlotID) signoff.GlassRequest {
		r := g.asks(signoff.GoNoGo, slot, g.sealed(0, "Hana Holder", "Hugo Holder"))
		r.Note = "The provider is away."
		return r
	}
	g.meet()
	upheld, err := g.service.SignByGlass(t.Context(), stale(pia), request("qa"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.review(fresh(reviewer), upheld.ID, signoff.Upheld, "I have asked her."); err != nil {
		t.Fatal(err)
	}
	refused, err := g.service.SignByGlass(t.Context(), stale(backend), request("backend"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.review(fresh(reviewer), refused.ID, signoff.Refused, strings.Repeat("Ben was not there. ", 105)); err != nil {
		t.Fatal(err)
	}
	anew := g.sign(backend, signoff.GoNoGo, "backend")
	if err := g.signoff.Withdraw(t.Context(), backend, g.id, anew.Gate, anew.ID, "I read it again."); err != nil {
		t.Fatal(err)
	}
	g.sign(backend, signoff.GoNoGo, "backend")
	b := bundled{release: g.release, key: sealKey(t)}
	b.trail = postgres.Audit{DB: g.db, Heads: audit.HeadFile{Path: filepath.Join(t.TempDir(), "heads")}, Keys: audit.NewKeyring(b.key)}
	b.stories = dossier.NewService(postgres.Dossiers{DB: g.db, Trail: b.trail})
	return b
}

// What a superuser does to break-glass, deputies and the rules of gates is found in a dossier made afterwards, and named.
func TestWhatASuperuserDidToBreakGlassDeputiesAndRulesIsFound(t *testing.T) {
	t.Parallel()
	b := newBroken(t)
	const of = " WHERE slot = 'qa'"
	const glassRow, review = "whether it was signed by break-glass, or on its review: ", " WHERE verdict = 'upheld'"
	const used = " WHERE signature_id IN (SELECT signature_id FROM kept_signatures WHERE slot = 'qa')"
	const gate, item = "release.json: gate go_no_go: it is not what the runbook says that was frozen", ": it is not what the runbook says that was frozen"
	b.tampered([]string{
		"signatures", "signature_withdrawals", "glass_signatures", "glass_reviews", "deputies", "deputy_revocations", "signing_codes", "provider_outages",
		"run_gates", "run_gate_slots", "run_items", "audit_events", "audit_heads", "audit_seals", "audit_checks",
	}, []tampering{
		{"nothing", "SELECT 1", "", ""},
		{"a score", "UPDATE gatehouse.signatures SET score = 1.5" + of, "of Pia: it is not the signature that entry ", ""},
		{"a score, by its name", "UPDATE gatehouse.signatures SET score = 1.5" + of, "knows: score", ""},
		{"a note", "UPDATE gatehouse.signatures SET note = 'All is well.'" + of, "knows: note", ""},
		{"a role", "UPDATE gatehouse.signatures SET role = 'product_owner'" + of, "role", ""},
		{"a meaning", "UPDATE gatehouse.signatures SET meaning = 'reviewed'" + of, "knows: meaning", ""},
		{"a name", "UPDATE gatehouse.signatures SET name = 'Mallory'" + of, "knows: name", ""},
		{"a gate", "UPDATE gatehouse.signatures SET gate = 'final'" + of, "knows: gate", ""},
		{"when somebody signed in", "UPDATE gatehouse.signatures SET auth_time = auth_time + interval '59 minutes'" + of, "knows: sign-in", ""},
		{"how strongly", "UPDATE gatehouse.signatures SET acr = 'mfa'" + of, "knows: strength of the sign-in", ""},
		{"when somebody signed", "UPDATE gatehouse.signatures SET signed_at = signed_at + interval '1 second'" + of, "knows: time", ""},
		{"whose a withdrawal is", "UPDATE gatehouse.signature_withdrawals SET name = 'Mallory' WHERE reason = 'I read it again.'", "it was withdrawn by somebody else, or for another reason", ""},
		{"why one was withdrawn", "UPDATE gatehouse.signature_withdrawals SET reason = 'Just so.' WHERE reason = 'I read it again.'", "it was withdrawn by somebody else, or for another reason", ""},
		{"why one was refused", "UPDATE gatehouse.signature_withdrawals SET reason = 'Just so.' WHERE starts_with(reason, 'Refused')", "it was withdrawn by somebody else, or for another reason", ""},
		{"that it was break-glass", "UPDATE gatehouse.signatures SET glass_code_id = NULL, auth_time = signed_at" + of + "; DELETE FROM gatehouse.glass_reviews" + review + "; DELETE FROM gatehouse.glass_signatures" + used, glassRow + "whether it was", ""},
		{
			"that it was not", "INSERT INTO gatehouse.glass_signatures SELECT u.tenant_id, s.signature_id, gen_random_uuid(), u.run_id, u.gate, u.first_holder, u.second_holder, u.outage_id, u.outage_since, u.outage_failure, u.used_at, u.review_due_at FROM kept_glass_signatures u, kept_signatures s WHERE s.slot = 'backend' AND s.attempt = 3 LIMIT 1; " +
				"INSERT INTO gatehouse.signing_codes SELECT u.tenant_id, u.code_id, repeat('a', 64), repeat('b', 64), 'a', '', '', 'b', '', '', 'x', now(), now() + interval '2 days', NULL, '' FROM gatehouse.glass_signatures u WHERE NOT EXISTS (SELECT FROM kept_signing_codes c WHERE c.code_id = u.code_id)",
			glassRow + "whether it was", "",
		},
		{"whose the halves were", "UPDATE gatehouse.glass_signatures SET first_holder = 'Somebody Else'" + used, glassRow + "the holders", ""},
		{"why there was an outage", "UPDATE gatehouse.glass_signatures SET outage_failure = 'it burned'" + used, glassRow + "the outage", ""},
		{"since when there was one", "UPDATE gatehouse.glass_signatures SET outage_since = outage_since - interval '1 day'" + used, glassRow + "the outage", ""},
		{"when the review is due", "UPDATE gatehouse.glass_signatures SET used_at = used_at + interval '1 day', review_due_at = review_due_at + interval '1 day'" + used, glassRow + "by when to review it", ""},
		{"another code", "DELETE FROM gatehouse.glass_signatures WHERE signature_id IN (SELECT signature_id FROM kept_signatures WHERE slot = 'backend'); UPDATE gatehouse.glass_signatures SET code_id = (SELECT code_id FROM kept_signing_codes ORDER BY made_at DESC LIMIT 1)" + used, glassRow + "the code", ""},
		{"a verdict", "UPDATE gatehouse.glass_reviews SET verdict = 'refused'" + review, glassRow + "the verdict", ""},
		{"why it was upheld", "UPDATE gatehouse.glass_reviews SET reason = 'Just so.'" + review, glassRow + "the reason of the review", ""},
		{"who upheld it", "UPDATE gatehouse.glass_reviews SET name = 'Mallory'" + review, glassRow + "who reviewed it", ""},
		{"who that is", "UPDATE gatehouse.glass_reviews SET subject = 'Mallory'" + review, glassRow + "who reviewed it", ""},
		{"a review taken out", "DELETE FROM gatehouse.glass_reviews" + review, glassRow + "the verdict", ""},
		{"who named a deputy", "UPDATE gatehouse.deputies SET named_by = 'Mallory'", "knows: deputy", ""},
		{"for which days", "UPDATE gatehouse.deputies SET until_day = until_day + 1", "knows: the deputy's days", ""},
		{"from which day", "UPDATE gatehouse.deputies SET from_day = from_day + 1", "knows: the deputy's days", ""},
		{"why there was a deputy", "UPDATE gatehouse.deputies SET reason = 'Just so.'", "knows: why there was a deputy", ""},
		{"that it was a deputy", "UPDATE gatehouse.signatures SET deputy = NULL" + of, "knows: deputy", ""},
		{"how much evidence", "UPDATE gatehouse.run_gates SET least_items = 1 WHERE gate = 'go_no_go'", gate, ""},
		{"how many files", "UPDATE gatehouse.run_gates SET least_files = 1 WHERE gate = 'go_no_go'", gate, ""},
		{"how many checks", "UPDATE gatehouse.run_gates SET least_checks = 1 WHERE gate = 'go_no_go'", gate, ""},
		{"which checks", "UPDATE gatehouse.run_gates SET required_checks = '{x}' WHERE gate = 'go_no_go'", gate, ""},
		{"whether authors sign", "UPDATE gatehouse.run_gates SET authors_barred = true WHERE gate = 'go_no_go'", gate, ""},
		{"whether who applied signs", "UPDATE gatehouse.run_gates SET after_migrations = false WHERE gate = 'final'", "release.json: gate final" + item, ""},
		{"when a gate expires", "UPDATE gatehouse.run_gates SET expires_seconds = 60000 WHERE gate = 'go_no_go'", gate, ""},
		{"when a gate is due", "UPDATE gatehouse.run_gates SET offset_seconds = 0 WHERE gate = 'go_no_go'", gate, ""},
		{"when a gate opens", "UPDATE gatehouse.run_gates SET not_before_seconds = -86400 WHERE gate = 'go_no_go'", gate, ""},
		{"the order of the gates", "UPDATE gatehouse.run_gates SET position = 9 WHERE gate = 'go_no_go'", gate, ""},
		{"what a gate follows", "UPDATE gatehouse.run_gates SET after_phase = 'watch' WHERE gate = 'go_no_go'", gate, ""},
		{"who signs last", "UPDATE gatehouse.run_gate_slots SET signs_last = false WHERE slot = 'devops' AND gate = 'go_no_go'", "release.json: place devops of gate go_no_go" + item, ""},
		{"who gives a score", "UPDATE gatehouse.run_gate_slots SET asks_score = false WHERE slot = 'qa' AND gate = 'go_no_go'", "release.json: place qa of gate go_no_go" + item, ""},
		{"what a signature may mean", "UPDATE gatehouse.run_gate_slots SET meanings = '{witnessed}' WHERE slot = 'qa' AND gate = 'go_no_go'", "release.json: place qa of gate go_no_go" + item, ""},
		{"when deputies sign", "UPDATE gatehouse.run_gate_slots SET deputies_seconds = 0 WHERE slot = 'qa' AND gate = 'go_no_go'", "release.json: place qa of gate go_no_go" + item, ""},
		{"who has to sign", "UPDATE gatehouse.run_gate_slots SET required = false WHERE slot = 'backend' AND gate = 'go_no_go'", "release.json: place backend of gate go_no_go" + item, ""},
		{"whose a place is", "UPDATE gatehouse.run_gate_slots SET role = 'devops_lead' WHERE slot = 'product' AND gate = 'go_no_go'", "release.json: place product of gate go_no_go" + item, ""},
		{"a place taken out", "DELETE FROM gatehouse.run_gate_slots WHERE slot = 'product'", "release.json: place product of gate go_no_go: it is missing", ""},
		{"a place put in", "INSERT INTO gatehouse.run_gate_slots SELECT tenant_id, run_id, gate, 'extra', 9, role, false, signs_last, asks_score, meanings, statement, deputies_seconds FROM kept_run_gate_slots WHERE slot = 'qa' AND gate = 'final'", "release.json: place extra of gate final: the runbook that was frozen knows of none", ""},
		{"what is required", "UPDATE gatehouse.run_items SET required = false WHERE item_id = 'B1'", "release.json: item B1" + item, ""},
		{"how long a check is good", "UPDATE gatehouse.run_items SET fresh_seconds = 864000 WHERE item_id = 'B1'", "release.json: item B1" + item, ""},
		{"which check is run", "UPDATE gatehouse.run_items SET check_name = 'database.connection' WHERE item_id = 'B1'", "release.json: item B1" + item, ""},
		{"what comes first", "UPDATE gatehouse.run_items SET after_items = '{}' WHERE item_id = 'A2'", "release.json: item A2" + item, ""},
		{"which gate judges an item", "UPDATE gatehouse.run_items SET gate = '' WHERE item_id = 'B1'", "release.json: item B1" + item, ""},
		{"an item taken out", "DELETE FROM gatehouse.run_items WHERE item_id = 'C1'", "release.json: item C1: it is missing", ""},
	})
}

// The page tells of it all, and what names can hold changes nothing on it.
func TestADossierTellsOfBreakGlass(t *testing.T) {
	t.Parallel()
	g := broken(t)
	nasty := housetest.Person(housetest.Rivermark, "<img src=x onerror=window.__x=1>", actor.BackendLead)
	given := g.breaks(qa, signoff.GoNoGo, "qa")
	if _, err := g.review(fresh(nasty), given.ID, signoff.Upheld, "</dd><script>window.__x=1</script>"); err != nil {
		t.Fatal(err)
	}
	b := bundled{release: g.release, key: sealKey(t)}
	b.trail = postgres.Audit{DB: g.db, Heads: audit.HeadFile{Path: filepath.Join(t.TempDir(), "heads")}, Keys: audit.NewKeyring(b.key)}
	b.stories = dossier.NewService(postgres.Dossiers{DB: g.db, Trail: b.trail})
	archive := b.export()
	if _, err := b.verify(archive); err != nil {
		t.Errorf("Verify = %v, want that it fits", err)
	}
	page := string(unpacked(t, archive)["dossier.html"])
	if strings.Contains(page, "<script") || strings.Contains(page, "<img") || !strings.Contains(page, "Signed by break-glass: not proven by a fresh sign-in.") || !strings.Contains(page, "&lt;/dd&gt;&lt;script&gt;") {
		t.Error("the page does not tell of break-glass, or takes its texts for markup")
	}
}
