package app_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/app"
)

// A03: the database is set back to a state that is older than the head that was published. The next program that starts
// says so on every page of that tenant and changes nothing for it, through no door, until somebody acknowledges it.
func TestAnOlderStateIsReadOnlyUntilItIsAcknowledged(t *testing.T) {
	s := &story{open(t, "0.0.18", "GATEHOUSE_AUDIT_HEADS="+filepath.Join(t.TempDir(), "heads")), map[string]string{}}
	start := act{path: "/releases", page: "/releases/new"}
	release := func(who, code string) answer {
		s.t.Helper()
		by := s.as(who)
		fields, ok := formOf(t, by.get("/releases/new").body, "/releases")
		if !ok {
			t.Fatalf("%s is shown no form", who)
		}
		fields.Set("code", code)
		return by.post(start.path, fields)
	}
	want := func(what string, a answer, status int, words string) {
		t.Helper()
		if a.StatusCode != status || !strings.Contains(a.body, words) {
			t.Errorf("%s: %d, want %d and %q: %s", what, a.StatusCode, status, words, a.main())
		}
	}
	verified := func(status int) {
		t.Helper()
		want("walking the chain", s.as("auditor@rivermark").post("/audit/verify", url.Values{}), status, "")
	}
	alarm := func(who string) bool {
		t.Helper()
		return strings.Contains(s.as(who).get("/releases").body, "data-alarm")
	}
	for _, who := range []string{"devops.lead@rivermark", "devops.lead@saltway", "auditor@rivermark", "qa.lead@rivermark"} {
		s.as(who)
	}
	verified(http.StatusSeeOther)
	yesterday := s.text(`SELECT max(seq)::text FROM gatehouse.audit_events WHERE tenant_id = (SELECT tenant_id FROM gatehouse.tenants WHERE is_operator)`)
	want("starting a release", release("devops.lead@rivermark", "R-1"), http.StatusSeeOther, "")
	verified(http.StatusSeeOther)
	published := s.text(`SELECT max(seq)::text FROM gatehouse.audit_events WHERE tenant_id = (SELECT tenant_id FROM gatehouse.tenants WHERE is_operator)`)

	s.restart()
	if alarm("devops.lead@rivermark") {
		t.Fatal("there is an alarm before anything was set back")
	}
	s.sql(`ALTER TABLE gatehouse.runs DISABLE TRIGGER ALL`)
	s.sql(`UPDATE gatehouse.runs SET state = 'aborted', ended_at = now(), end_reason = 'a test' WHERE state = 'active'`)
	s.sql(`ALTER TABLE gatehouse.runs ENABLE TRIGGER ALL`)
	s.sql(`ALTER TABLE gatehouse.audit_events DISABLE TRIGGER ALL`)
	s.sql(`DELETE FROM gatehouse.audit_events WHERE seq > $1::bigint AND tenant_id = (SELECT tenant_id FROM gatehouse.tenants WHERE is_operator)`, yesterday)
	s.sql(`UPDATE gatehouse.audit_heads h SET seq = e.seq, hash = e.hash FROM gatehouse.audit_events e
		WHERE e.tenant_id = h.tenant_id AND e.seq = $1::bigint AND h.tenant_id = (SELECT tenant_id FROM gatehouse.tenants WHERE is_operator)`, yesterday)
	s.sql(`ALTER TABLE gatehouse.audit_events ENABLE TRIGGER ALL`)
	s.sql(`ALTER TABLE gatehouse.audit_checks DISABLE TRIGGER ALL`)
	s.sql(`DELETE FROM gatehouse.audit_checks`)
	if alarm("devops.lead@rivermark") {
		t.Error("nobody has started since, and there is an alarm")
	}
	s.restart()
	s.restart() // the second start finds what the first wrote down
	for _, where := range []string{"/releases", "/migrations", "/migrations/backups", "/health-checks", "/audit", "/me"} {
		if page := s.as("devops.lead@rivermark").get(where).body; !strings.Contains(page, "data-alarm") || !strings.Contains(page, "entry "+published+" of the audit trail was published") {
			t.Errorf("GET %s says nothing of an older state", where)
		}
	}
	// What would be refused cannot be pressed; what is not refused, as acknowledging, can.
	const shut = `<fieldset class="shut" disabled aria-describedby="alarm">`
	for who, where := range map[string]string{"devops.lead@rivermark": "/releases/new", "devops.engineer@rivermark": "/migrations/backups"} {
		if page := s.as(who).get(where).body; !strings.Contains(page, shut) || !strings.Contains(page, `method="post"`) {
			t.Errorf("GET %s shows %s forms that would be refused, as if they could be sent", where, who)
		}
	}
	for who, where := range map[string]string{"auditor@rivermark": "/audit", "viewer@rivermark": "/me", "devops.lead@saltway": "/releases/new"} {
		if page := s.as(who).get(where).body; strings.Contains(page, shut) {
			t.Errorf("GET %s shows %s no form that can be sent", where, who)
		}
	}
	if alarm("devops.lead@saltway") {
		t.Error("the other tenant is told of what is not theirs")
	}
	want("starting a release", release("devops.lead@rivermark", "R-2"), http.StatusConflict, "<li>An older state of this database was restored")
	want("the other tenant's release", release("devops.lead@saltway", "R-2"), http.StatusSeeOther, "")
	want("ordering a backup", s.as("devops.lead@rivermark").post("/migrations/backups", url.Values{"key": {"33333333-3333-4333-8333-333333333333"}}), http.StatusConflict, `"lead">An older state`)
	want("its heading", s.as("devops.lead@rivermark").post("/migrations/backups", url.Values{"key": {"33333333-3333-4333-8333-333333333334"}}), http.StatusConflict, "Your company is read-only here</h1>")
	if got := s.text(`SELECT count(*)::text FROM gatehouse.runs WHERE code = 'R-2' AND tenant_id = (SELECT tenant_id FROM gatehouse.tenants WHERE is_operator)`) + s.text(`SELECT count(*)::text FROM gatehouse.operations`); got != "00" {
		t.Errorf("releases and operations that were refused: %s, want none", got)
	}
	verified(http.StatusConflict)

	acknowledge := func(who, reason string) answer {
		return s.as(who).post("/audit/acknowledge", url.Values{"reason": {reason}})
	}
	want("acknowledging without the right", acknowledge("devops.lead@rivermark", "x"), http.StatusForbidden, "Auditor")
	want("acknowledging without a reason", acknowledge("auditor@rivermark", " "), http.StatusUnprocessableEntity, "Say why")
	want("the other tenant's auditor", acknowledge("auditor@saltway", "x"), http.StatusConflict, "nothing to acknowledge")
	if page := s.as("auditor@rivermark").get("/audit").body; !strings.Contains(page, `action="/audit/acknowledge"`) {
		t.Error("the auditor is shown no way to acknowledge")
	}
	want("acknowledging", acknowledge("auditor@rivermark", "The disk was lost; this is the backup of the night."), http.StatusSeeOther, "")
	want("acknowledging twice", acknowledge("auditor@rivermark", "again"), http.StatusConflict, "nothing to acknowledge")
	if got := s.text(`SELECT string_agg(action || ' ' || outcome || ' ' || reason, '; ' ORDER BY seq) FROM gatehouse.audit_events WHERE action IN ('audit:alarm', 'audit:acknowledge') AND outcome <> 'refused'`); !strings.HasPrefix(got, "audit:alarm failed ") || !strings.HasSuffix(got, "audit:acknowledge done The disk was lost; this is the backup of the night.") {
		t.Errorf("the trail says %q", got)
	}
	if alarm("devops.lead@rivermark") {
		t.Error("it was acknowledged, and there is an alarm")
	}
	if page := s.as("devops.lead@rivermark").get("/releases/new").body; strings.Contains(page, shut) {
		t.Error("it was acknowledged, and no form can be sent")
	}
	want("starting a release afterwards", release("devops.lead@rivermark", "R-3"), http.StatusSeeOther, "")
	verified(http.StatusSeeOther) // against the file of heads as it is: nobody moved it away
	s.restart()
	if alarm("devops.lead@rivermark") {
		t.Error("after the next start there is an alarm again")
	}
}

// restart lets another program take over, as it starts.
func (s *site) restart() {
	s.t.Helper()
	next, err := app.New(s.t.Context(), s.config, slog.New(slog.NewJSONHandler(s.log, nil)), time.Second)
	if err != nil {
		s.t.Fatalf("app.New: %v", err)
	}
	s.t.Cleanup(next.Close)
	s.server.Config.Handler = next.Handler()
}
