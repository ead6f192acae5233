package app_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// another starts a second process of the same house, whose clock is off by that much. Its pages are asked for by toProcess.
func (s *site) another(skew time.Duration) http.Handler {
	s.t.Helper()
	a, err := app.NewAt(s.t.Context(), s.config, slog.New(slog.NewJSONHandler(s.log, nil)), time.Second, func() time.Time { return time.Now().Add(skew) })
	if err != nil {
		s.t.Fatalf("app.NewAt: %v", err)
	}
	s.t.Cleanup(a.Close)
	return a.Handler()
}

// through sends what the browser would send, its cookies with it, to that process, and holds the answer for its status.
func (b *browser) through(process http.Handler, method, where string, fields url.Values, header ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := b.request(method, where, formType, fields.Encode())
	if method == http.MethodGet {
		r = b.request(method, where, "", "")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for _, cookie := range b.client.Jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
	r.RequestURI, r.Host = r.URL.RequestURI(), r.URL.Host
	recorder := httptest.NewRecorder()
	process.ServeHTTP(recorder, r)
	return recorder
}

// atItsGate is a story whose release can be signed at its first gate.
func atItsGate(t *testing.T) *story {
	t.Helper()
	s := &story{open(t, "0.0.18"), map[string]string{}}
	start := act{who: "devops.engineer", path: "/releases", page: "/releases/new"}
	a := s.as("devops.engineer@rivermark").post(start.path, s.fields(start))
	if a.StatusCode != http.StatusSeeOther {
		t.Fatalf("starting a release: %d %s", a.StatusCode, a.main())
	}
	s.ids["release"] = last(a)
	s.finishItems()
	return s
}

func (s *story) gate() string { return "/releases/" + s.ids["release"] + "/gates/go_no_go" }

// codes is how often each status was answered.
func codes(list []int) map[int]int {
	n := map[int]int{}
	for _, code := range list {
		n[code]++
	}
	return n
}

// Break-glass, attacked through the whole site and two processes: wrong doors, wrong people, odd forms, many presses.
func TestBreakGlassIsAttacked(t *testing.T) {
	s := atItsGate(t)
	other := s.another(0)
	s.providerAway()
	s.sealEnvelopes()
	qa, path := s.as("qa.lead@rivermark"), s.gate()+"/break-glass"
	for range 2 { // the second is the one that counts
		if a := qa.post(s.gate()+"/outage", url.Values{}); a.StatusCode != http.StatusSeeOther {
			t.Fatalf("asking the provider: %d %s", a.StatusCode, a.main())
		}
	}
	form := s.fields(act{who: "qa.lead", path: path, page: path, typed: map[string]string{"meaning": "approved", "score": "9.5", "note": "The provider is away.", "first": "{first}", "second": "{second}"}})
	with := func(name string, values ...string) url.Values {
		changed := url.Values{}
		for field, list := range form {
			changed[field] = list
		}
		changed[name] = values
		return changed
	}
	nothing := func(what string) {
		t.Helper()
		if n := s.text(`SELECT ((SELECT count(*) FROM gatehouse.signatures) + (SELECT count(*) FROM gatehouse.glass_signatures))::text`); n != "0" {
			t.Fatalf("%s: something was signed", what)
		}
	}
	for what, c := range map[string]struct {
		who    string
		form   url.Values
		header []string
		status int
	}{
		"another origin":  {"qa.lead@rivermark", form, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, http.StatusForbidden},
		"a foreign site":  {"qa.lead@rivermark", form, []string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		"plain text":      {"qa.lead@rivermark", form, []string{"Content-Type", "text/plain"}, http.StatusUnprocessableEntity},
		"nobody":          {"", form, nil, http.StatusUnauthorized},
		"who only reads":  {"viewer@rivermark", form, nil, http.StatusForbidden},
		"another tenant":  {"devops.lead@saltway", form, nil, http.StatusNotFound},
		"one field more":  {"qa.lead@rivermark", with("glass_code_id", uuid.NewString()), nil, http.StatusUnprocessableEntity},
		"a tenant":        {"qa.lead@rivermark", with("tenant_id", uuid.NewString()), nil, http.StatusUnprocessableEntity},
		"a field twice":   {"qa.lead@rivermark", with("note", "one", "two"), nil, http.StatusUnprocessableEntity},
		"two places":      {"qa.lead@rivermark", with("role", "qa", "backend"), nil, http.StatusUnprocessableEntity},
		"a long note":     {"qa.lead@rivermark", with("note", strings.Repeat("x", 100_000)), nil, http.StatusUnprocessableEntity},
		"NUL":             {"qa.lead@rivermark", with("note", "a\x00b"), nil, http.StatusUnprocessableEntity},
		"no UTF-8":        {"qa.lead@rivermark", with("note", "\xff\xfe"), nil, http.StatusUnprocessableEntity},
		"an empty half":   {"qa.lead@rivermark", with("second", ""), nil, http.StatusUnprocessableEntity},
		"the same half":   {"qa.lead@rivermark", with("second", s.ids["first"]), nil, http.StatusUnprocessableEntity},
		"another content": {"qa.lead@rivermark", with("sha256", strings.Repeat("0", 64)), nil, http.StatusConflict},
		"another's place": {"qa.lead@rivermark", with("role", "devops"), nil, http.StatusUnprocessableEntity},
	} {
		by := s.stranger()
		if c.who != "" {
			by = s.people[c.who]
		}
		a := by.through(s.app.Handler(), http.MethodPost, path, c.form, c.header...)
		if a.Code != c.status {
			t.Errorf("%s: %d, want %d: %.600s", what, a.Code, c.status, a.Body)
		}
		nothing(what)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		if a := qa.through(s.app.Handler(), method, path+"?"+form.Encode(), nil); a.Code == http.StatusSeeOther || a.Code >= 500 {
			t.Errorf("%s: %d", method, a.Code)
		}
		nothing(method)
	}
	// A half that was typed wrongly: refused, written down without it, and what was typed beside it is kept.
	wrong := strings.Repeat("Z", 20)
	if a := qa.post(path, with("second", wrong)); a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "fit no code") || !strings.Contains(a.body, "The provider is away.") || strings.Contains(a.body, wrong) || strings.Contains(a.body, s.ids["first"]) {
		t.Errorf("a wrong half: %d %s", a.StatusCode, a.main())
	}
	if n := s.text(`SELECT count(*)::text FROM gatehouse.audit_events WHERE action = 'signing_code:use' AND outcome = 'refused'`); n == "0" {
		t.Error("no refused use of a code stands in the trail")
	}
	nothing("a wrong half")
	// Twenty presses of one form, through both processes: one signature, and every answer leads to it.
	places, statuses := make([]string, 20), make([]int, 20)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() {
			a := qa.through([]http.Handler{s.app.Handler(), other}[i%2], http.MethodPost, path, form)
			statuses[i], places[i] = a.Code, a.Header().Get("Location")
		})
	}
	all.Wait()
	if n := s.text(`SELECT concat_ws(' ', (SELECT count(*) FROM gatehouse.signatures), (SELECT count(*) FROM gatehouse.glass_signatures),
		(SELECT count(*) FROM gatehouse.audit_events WHERE action = 'signing_code:use' AND outcome = 'done'))`); n != "1 1 1" || codes(statuses)[http.StatusSeeOther] != 20 {
		t.Fatalf("20 presses were answered with %v and left %s signatures, codes and entries; want 303 and one each", codes(statuses), n)
	}
	for _, place := range places {
		if place != places[0] || !strings.HasPrefix(place, "/signatures/") {
			t.Errorf("presses led to %s and %s, want one signature", place, places[0])
		}
	}
	s.ids["glass"] = strings.TrimPrefix(places[0], "/signatures/")
	if n := s.text(`SELECT count(*)::text FROM gatehouse.audit_events e WHERE e::text LIKE '%' || $1 || '%' OR e::text LIKE '%' || $2 || '%' OR e::text LIKE '%' || $3 || '%'`, s.ids["first"], s.ids["second"], wrong); n != "0" {
		t.Errorf("halves stand in %s entries of the trail", n)
	}
	// The provider is back before somebody else's second half: nothing is signed that way any more, and the review goes on.
	s.providerBack()
	s.sealEnvelopes()
	review := "/signatures/" + s.ids["glass"] + "/review"
	for who, want := range map[string]int{"viewer@rivermark": http.StatusForbidden, "devops.lead@saltway": http.StatusNotFound, "qa.lead@rivermark": http.StatusForbidden} {
		fields := url.Values{"verdict": {"refused"}, "review_reason": {"I know nothing of it."}, "key": {uuid.NewString()}}
		if a := s.as(who).post(review, fields); a.StatusCode != want {
			t.Errorf("a review by %s: %d, want %d: %s", who, a.StatusCode, want, a.main())
		}
	}
	if n := s.text(`SELECT count(*)::text FROM gatehouse.glass_reviews`); n != "0" {
		t.Fatalf("%s reviews were stored of none", n)
	}
	fields := s.fields(act{who: "devops.lead", path: review, page: "/signatures/" + s.ids["glass"], typed: map[string]string{"verdict": "upheld", "review_reason": "I asked all three."}})
	lead := s.as("devops.lead@rivermark")
	for i := range statuses {
		all.Go(func() {
			statuses[i] = lead.through([]http.Handler{s.app.Handler(), other}[i%2], http.MethodPost, review, fields).Code
		})
	}
	all.Wait()
	if n := s.text(`SELECT concat_ws(' ', (SELECT count(*) FROM gatehouse.glass_reviews), (SELECT count(*) FROM gatehouse.audit_events WHERE action = 'gate:review' AND outcome = 'done'))`); n != "1 1" || codes(statuses)[http.StatusSeeOther] != 20 {
		t.Errorf("20 presses of a review were answered with %v and left %s reviews and entries; want 303 and one each", codes(statuses), n)
	}
}

// The roster, attacked the same way; and D11: what one process changes, the other follows at once.
func TestD11TheRosterIsOneForAllProcesses(t *testing.T) {
	s := atItsGate(t)
	other := s.another(0)
	s.sql(`ALTER TABLE gatehouse.run_gate_slots DISABLE TRIGGER USER`)
	s.sql(`UPDATE gatehouse.run_gate_slots SET deputies_seconds = 0 WHERE gate = 'go_no_go' AND slot = 'qa'`)
	s.sql(`UPDATE gatehouse.runs SET t0 = now()`)
	for _, who := range []string{"product.owner@rivermark", "viewer@rivermark", "devops.lead@saltway"} {
		s.as(who)
	}
	s.ids["person"] = s.text(`SELECT person_id::text FROM gatehouse.people WHERE email LIKE 'product.owner@rivermark%'`)
	s.ids["theirs"] = s.text(`SELECT person_id::text FROM gatehouse.people WHERE email LIKE 'devops.lead@saltway%'`)
	s.ids["viewer"] = s.text(`SELECT person_id::text FROM gatehouse.people WHERE email LIKE 'viewer@rivermark%'`)
	naming := act{who: "qa.lead", path: "/deputies", page: "/deputies", typed: map[string]string{"person": "{person}", "reason": "Quality is away for a week."}}
	form := s.fields(naming)
	lines := func() string { return s.text(`SELECT count(*)::text FROM gatehouse.deputies`) }
	for what, c := range map[string]struct {
		who, field, value string
		header            []string
		status            int
	}{
		"another origin":  {"qa.lead@rivermark", "key", "{key}", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, http.StatusForbidden},
		"nobody":          {"", "key", "{key}", nil, http.StatusUnauthorized},
		"who only reads":  {"viewer@rivermark", "key", "{key}", nil, http.StatusForbidden},
		"another tenant":  {"devops.lead@saltway", "key", "{key}", nil, http.StatusForbidden},
		"their person":    {"qa.lead@rivermark", "person", "{theirs}", nil, http.StatusUnprocessableEntity},
		"no signer":       {"qa.lead@rivermark", "person", "{viewer}", nil, http.StatusUnprocessableEntity},
		"no role of hers": {"qa.lead@rivermark", "role", "admin", nil, http.StatusForbidden},
		"for ever":        {"qa.lead@rivermark", "until", "9999-12-31", nil, http.StatusUnprocessableEntity},
		"no day":          {"qa.lead@rivermark", "from", "infinity", nil, http.StatusUnprocessableEntity},
		"a long reason":   {"qa.lead@rivermark", "reason", strings.Repeat("x", 5000), nil, http.StatusUnprocessableEntity},
		"who named them":  {"qa.lead@rivermark", "named_subject", "Mallory", nil, http.StatusUnprocessableEntity},
	} {
		changed := url.Values{}
		for name, list := range form {
			changed[name] = list
		}
		changed.Set("key", uuid.NewString())
		if c.field != "key" {
			changed.Set(c.field, s.fill(c.value))
		}
		by := s.stranger()
		if c.who != "" {
			by = s.as(c.who)
		}
		if a := by.through(s.app.Handler(), http.MethodPost, "/deputies", changed, c.header...); a.Code != c.status || lines() != "0" {
			t.Errorf("%s: %d with %s lines, want %d and none: %.600s", what, a.Code, lines(), c.status, a.Body)
		}
	}
	// Twenty presses through both processes name once.
	lead, deputy, statuses := s.as("qa.lead@rivermark"), s.as("product.owner@rivermark"), make([]int, 20)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() {
			statuses[i] = lead.through([]http.Handler{s.app.Handler(), other}[i%2], http.MethodPost, "/deputies", form).Code
		})
	}
	all.Wait()
	if codes(statuses)[http.StatusSeeOther] != 20 || lines() != "1" {
		t.Fatalf("20 presses were answered with %v and left %s lines, want 303 and one", codes(statuses), lines())
	}
	// The page was opened in one process; the line is revoked in the other; the form signs nothing.
	s.ids["deputy"] = s.text(`SELECT deputy_id::text FROM gatehouse.deputies`)
	sign := s.fields(act{who: "product.owner", path: s.gate() + "/sign", page: s.gate() + "?slot=qa", typed: map[string]string{"meaning": "approved", "score": "9.5"}})
	revoke := url.Values{"deputy": {s.ids["deputy"]}, "revoke_reason": {"Quality is back."}}
	for _, who := range []string{"viewer@rivermark", "devops.lead@saltway", "backend.lead@rivermark"} {
		if a := s.as(who).through(other, http.MethodPost, "/deputies/revoke", revoke); a.Code != http.StatusForbidden && a.Code != http.StatusNotFound {
			t.Errorf("revoking by %s: %d", who, a.Code)
		}
	}
	if a := deputy.through(other, http.MethodGet, s.gate()+"?slot=qa", nil); a.Code != http.StatusOK || !strings.Contains(a.Body.String(), `value="qa"`) {
		t.Errorf("the other process does not offer the deputy the place: %d", a.Code)
	}
	if a := lead.through(other, http.MethodPost, "/deputies/revoke", revoke); a.Code != http.StatusSeeOther {
		t.Fatalf("revoking: %d", a.Code)
	}
	if a := deputy.post(s.gate()+"/sign", sign); a.StatusCode != http.StatusForbidden || s.text(`SELECT count(*)::text FROM gatehouse.signatures`) != "0" {
		t.Errorf("signing by a line that was revoked meanwhile: %d %s", a.StatusCode, a.main())
	}
	if a := deputy.get(s.gate() + "?slot=qa"); strings.Contains(a.body, `value="qa"`) {
		t.Error("the process that did not revoke still offers the place")
	}
	// The form that named them, once more: it does not say that they are named.
	if a := lead.post("/deputies", form); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "revoked since") {
		t.Errorf("the form of a revoked line: %d %s", a.StatusCode, a.main())
	}
	// A person who is disabled by one process is nobody in the other, and named by nobody.
	db := housetest.Open(t, s.database)
	issuer, subject := s.text(`SELECT issuer FROM gatehouse.people WHERE person_id = $1`, s.ids["person"]), s.text(`SELECT subject FROM gatehouse.people WHERE person_id = $1`, s.ids["person"])
	if err := (postgres.People{DB: db}).Disable(t.Context(), housetest.Tenants()[0].Actor(actor.CLI, "test"), issuer, subject, true); err != nil {
		t.Fatal(err)
	}
	if a := deputy.through(other, http.MethodGet, s.gate(), nil); a.Code != http.StatusUnauthorized && a.Code != http.StatusSeeOther {
		t.Errorf("who was disabled is answered %d", a.Code)
	}
	fresh := s.fields(act{who: "qa.lead", path: "/deputies", page: "/deputies", typed: map[string]string{"reason": "Quality is away."}})
	fresh.Set("person", s.ids["person"])
	if a := lead.through(other, http.MethodPost, "/deputies", fresh); a.Code != http.StatusUnprocessableEntity || lines() != "1" {
		t.Errorf("naming who was disabled: %d with %s lines", a.Code, lines())
	}
}

// S19: the application's clock is ten minutes wrong. Nothing is signed on a sign-in that is not fresh by the database's
// clock, what is signed is dated by it, and health tells of the difference.
func TestS19TheApplicationsClockIsTenMinutesWrong(t *testing.T) {
	s := atItsGate(t)
	behind, ahead := s.another(-10*time.Minute), s.another(10*time.Minute)
	count := func() string { return s.text(`SELECT count(*)::text FROM gatehouse.signatures`) }
	sign := act{who: "qa.lead", path: s.gate() + "/sign", page: s.gate(), typed: map[string]string{"meaning": "approved", "score": "9.5"}}

	// Signed in nine minutes ago: fresh by the clock that is behind, and not by the database's.
	s.provider.Behave(demoidp.Behaviour{Claims: func(claims map[string]any) { claims["auth_time"] = time.Now().Add(-9 * time.Minute).Unix() }})
	qa := s.as("qa.lead@rivermark")
	page := answer{body: qa.through(behind, http.MethodGet, s.gate(), nil).Body.String()}
	form, ok := formOf(t, page.body, sign.path)
	if !ok {
		t.Fatalf("the process that is behind offers no form: %s", page.main())
	}
	form.Set("meaning", "approved")
	form.Set("score", "9.5")
	if a := qa.through(behind, http.MethodPost, sign.path, form); a.Code != http.StatusUnauthorized || count() != "0" {
		t.Errorf("a sign-in of nine minutes ago, by a clock that is ten behind: %d with %s signatures, want 401 and none", a.Code, count())
	}
	// Signed in now: dated by the database's clock, whatever this one says.
	s.provider.Behave(demoidp.Behaviour{})
	delete(s.people, "qa.lead@rivermark")
	form, qa = s.fields(sign), s.as("qa.lead@rivermark")
	if a := qa.through(ahead, http.MethodPost, sign.path, form); a.Code != http.StatusUnauthorized || count() != "0" {
		t.Errorf("through a clock that is ten ahead: %d with %s signatures, want that a fresh sign-in is asked for", a.Code, count())
	}
	if a := qa.through(behind, http.MethodPost, sign.path, form); a.Code != http.StatusSeeOther || count() != "1" {
		t.Errorf("a fresh sign-in through a clock that is ten behind: %d with %s signatures: %.600s", a.Code, count(), a.Body)
	}
	if got := s.text(`SELECT (signed_at BETWEEN now() - interval '1 minute' AND now() AND auth_time >= signed_at - interval '5 minutes')::text FROM gatehouse.signatures`); got != "true" {
		t.Error("the signature is not dated by the database's clock")
	}
	for says, process := range map[string]http.Handler{"behind the database": behind, "ahead of the database": ahead} {
		s.sql(`DELETE FROM gatehouse.health_results`)
		run := s.fields(act{who: "devops.lead", path: "/health-checks/run", page: "/health-checks"})
		if a := s.as("devops.lead@rivermark").through(process, http.MethodPost, "/health-checks/run", run); a.Code != http.StatusSeeOther {
			t.Fatalf("running the checks: %d", a.Code)
		}
		if a := s.as("devops.lead@rivermark").through(process, http.MethodGet, "/health-checks", nil); !strings.Contains(a.Body.String(), says) {
			t.Errorf("health does not say that this process's clock is %s's: %d", says, a.Code)
		}
	}
}
