package web_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/web"
)

// I14, "a signature in the middle of a step-up": the provider ends the session while its person is on the way back.
func TestAStepUpOfAnEndedSessionCountsForNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	for name, end := range map[string]func(b *browser){
		"by the provider": func(*browser) {
			sid := s.rows(`SELECT provider_session FROM gatehouse.sessions`)[0]
			token, err := s.provider.LogoutToken("x", sid, nil)
			if err != nil {
				t.Fatal(err)
			}
			wantStatus(t, "the logout token", s.tell(token), http.StatusOK)
		},
		"by its person elsewhere": func(*browser) { s.sql(`DELETE FROM gatehouse.sessions`) },
		"with the person's access": func(*browser) {
			s.sql(`UPDATE gatehouse.people SET disabled_at = now()`)
			s.sql(`UPDATE gatehouse.people SET disabled_at = NULL`)
		},
	} {
		before := len(s.events("session:sign_in", audit.Refused))
		b := s.as("qa.lead@rivermark")
		callback := b.toCallback("/login?fresh=1&return=%2Fsign", "qa.lead@rivermark")
		end(b)
		a := b.get(callback)
		wantStatus(t, "the way back from the step-up, ended "+name, a, http.StatusBadRequest)
		wantText(t, "the page", a.body, "has ended meanwhile", "nothing was signed")
		wantStatus(t, "GET /home, ended "+name, b.get("/home"), http.StatusUnauthorized)
		if got := s.rows(`SELECT session_id::text FROM gatehouse.sessions`); len(got) != 0 {
			t.Errorf("ended %s: %d sessions, want none", name, len(got))
		}
		refused := s.events("session:sign_in", audit.Refused)[before:]
		if len(refused) != 1 || !strings.HasPrefix(refused[0], s.subject("qa.lead@rivermark")) {
			t.Errorf("ended %s: the trail says %q, want one refusal of that person", name, refused)
		}
	}
	// A session that has only grown too old may be followed by another: what was typed over it is kept for its person.
	b := s.as("qa.lead@rivermark")
	callback := b.toCallback("/login?fresh=1&return=%2Fsign", "qa.lead@rivermark")
	s.sql(`UPDATE gatehouse.sessions SET expires_at = now() - interval '1 second'`)
	wantStatus(t, "the way back from the step-up of a session that grew too old", b.get(callback), http.StatusSeeOther)
	// Somebody else has taken over the browser meanwhile.
	callback = b.toCallback("/login?fresh=1&return=%2Fsign", "qa.lead@rivermark")
	b.get(b.toCallback("/login?switch=1", "viewer@rivermark"))
	wantStatus(t, "the way back into another person's session", b.get(callback), http.StatusForbidden)
	wantText(t, "who is signed in", b.get("/home").body, s.subject("viewer@rivermark"))
}

var refreshTo = regexp.MustCompile(`^0; url=(.+)$`)

// goOn goes where a page leads by itself, and along the redirects after it.
func (b *browser) goOn(a answer) answer {
	b.t.Helper()
	to := refreshTo.FindStringSubmatch(a.Header.Get("Refresh"))
	if to == nil {
		b.t.Fatalf("the page leads nowhere by itself: %d %s", a.StatusCode, a.main())
	}
	if !strings.Contains(a.body, `href="`+html.EscapeString(to[1])+`"`) {
		b.t.Errorf("the page has no link to %s for browsers that do not go on: %s", to[1], a.main())
	}
	return b.follow(b.get(to[1]))
}

// I4: a shared tablet. One act ends the session of the one person here and there, and the next signs in with a password.
func TestTheNextPersonAtASharedBrowser(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("warehouse.staff@rivermark")
	stolen, sid := b.cookie("gatehouse"), s.rows(`SELECT provider_session FROM gatehouse.sessions`)[0]

	left := b.post("/switch-user", nil)
	wantStatus(t, "POST /switch-user", left, http.StatusOK)
	if got := left.Header.Get("Clear-Site-Data"); !strings.Contains(got, "cache") {
		t.Errorf("Clear-Site-Data = %q, want the cache among it", got)
	}
	if got := s.rows(`SELECT session_id::text FROM gatehouse.sessions`); len(got) != 0 {
		t.Errorf("%d sessions are left behind, want none", len(got))
	}
	back := b.goOn(left) // ends the session at the provider, and comes back
	wantText(t, "the page on the way", back.body, `data-page="switch_user"`)
	login := b.goOn(back)
	found := loginID.FindStringSubmatch(login.body)
	if found == nil {
		t.Fatalf("the next person is not asked for a password: %d %s", login.StatusCode, login.main())
	}
	a := b.post(s.provider.Issuer()+"/login", url.Values{"id": {found[1]}, "username": {"warehouse.supervisor@rivermark"}, "password": {demoidp.Password}})
	b.follow(a)
	wantText(t, "GET /home", b.get("/home").body, s.subject("warehouse.supervisor@rivermark"))
	if got := s.rows(`SELECT p.subject FROM gatehouse.sessions JOIN gatehouse.people p USING (person_id)`); len(got) != 1 || got[0] != s.subject("warehouse.supervisor@rivermark") {
		t.Errorf("sessions of %v, want one of the next person", got)
	}
	if now := s.rows(`SELECT provider_session FROM gatehouse.sessions`); now[0] == sid {
		t.Errorf("the next person works in the provider's session of the one before")
	}
	want := []string{
		"session:sign_in " + s.subject("warehouse.staff@rivermark"), "session:sign_out " + s.subject("warehouse.staff@rivermark"),
		"session:sign_in " + s.subject("warehouse.supervisor@rivermark"),
	}
	if diff := cmp.Diff(want, s.rows(`SELECT action || ' ' || subject FROM gatehouse.audit_events WHERE tenant_id = $1 AND action LIKE 'session:%' ORDER BY seq`, rivermark)); diff != "" {
		t.Errorf("the trail (-want +got):\n%s", diff)
	}
	thief := s.browser()
	again := thief.request(http.MethodGet, "/home", nil)
	again.AddCookie(&http.Cookie{Name: "__Host-gatehouse", Value: stolen})
	wantStatus(t, "GET /home with the cookie of the person before", thief.do(again), http.StatusUnauthorized)

	// A provider that keeps its session and signs in whom it remembers lets nobody in: only a password of now counts.
	s.provider.Behave(demoidp.Behaviour{Claims: func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() }})
	old := b.get(b.toCallback("/login?switch=1", "warehouse.staff@rivermark"))
	wantStatus(t, "a sign-in of the next person with an old password", old, http.StatusBadRequest)
	wantText(t, "the page", old.body, "not afresh")
}

// RELIABILITY 3.1, rp-init-logout-other-state: what comes back with a state that is not ours leads nowhere by itself.
func TestAnotherStateAfterSigningOutLeadsNowhere(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("viewer@rivermark")
	b.post("/switch-user", nil)
	for _, state := range []string{"", "?state=", "?state=forged"} {
		a := b.get("/signed-out" + state)
		wantStatus(t, "GET /signed-out"+state, a, http.StatusOK)
		if a.Header.Get("Refresh") != "" || !strings.Contains(a.body, `data-page="signed_out"`) {
			t.Errorf("/signed-out%s leads on to %q", state, a.Header.Get("Refresh"))
		}
	}
}

func (s *site) sealed(t *testing.T) postgres.WayBackCode {
	t.Helper()
	code, err := postgres.MakeWayBack(t.Context(), s.database.OwnerURL, housetest.Tenants()[0].Actor(actor.CLI, "test"), postgres.WayBackPlan{
		FirstHolder: "Ada Morrow", SecondHolder: "Omar Fitch", Reason: "the provider sends no groups", Lifetime: time.Hour, Session: 20 * time.Minute,
	})
	if err != nil {
		t.Fatalf("MakeWayBack: %v", err)
	}
	return code
}

// I3: two sealed halves open one short session that looks and does nothing.
func TestAWayBackIn(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.provider.Behave(demoidp.Behaviour{Down: true})
	code, other := s.sealed(t), s.sealed(t)
	if kept := strings.Join(s.rows(`SELECT w::text FROM gatehouse.way_back_codes w`), " "); strings.Contains(kept, code.First) || strings.Contains(kept, code.Second) {
		t.Errorf("the halves themselves are kept")
	}
	b := s.browser()
	wantText(t, "the sign-in while the provider is away", b.get("/login").body, `href="/way-back"`)
	wantStatus(t, "GET /way-back", b.get("/way-back"), http.StatusOK)
	halves := func(one, two string) url.Values { return url.Values{"first": {one}, "second": {two}} }
	for name, c := range map[string]struct {
		form   url.Values
		status int
		says   string
	}{
		"one half twice":      {halves(code.First, code.First), http.StatusUnprocessableEntity, "same half"},
		"one half alone":      {halves(code.First, ""), http.StatusUnprocessableEntity, "The other half is missing"},
		"too short":           {halves(code.First, "ABC"), http.StatusUnprocessableEntity, "20 letters and digits"},
		"halves of two codes": {halves(code.First, other.Second), http.StatusForbidden, "open nothing"},
		"two first halves":    {halves(code.First, other.First), http.StatusForbidden, "open nothing"},
		"guessed":             {halves(strings.Repeat("A", 20), strings.Repeat("B", 20)), http.StatusForbidden, "open nothing"},
	} {
		a := b.post("/way-back", c.form)
		wantStatus(t, name, a, c.status)
		wantText(t, name, html.UnescapeString(a.body), c.says)
		if strings.Contains(a.body, code.First) {
			t.Errorf("%s: the page shows a half again", name)
		}
	}
	if b.cookie("gatehouse") != "" {
		t.Fatalf("wrong halves gave a session")
	}

	typed := strings.ToLower(code.Second[:5] + "-" + code.Second[5:10] + " " + code.Second[10:])
	in := b.post("/way-back", halves(typed, code.First)) // whichever is typed first
	wantStatus(t, "both halves", in, http.StatusSeeOther)
	wantStatus(t, "GET /things", b.get("/things"), http.StatusOK)
	wantText(t, "GET /things", b.get("/things").body, "Way back in: Ada Morrow and Omar Fitch", "can look, and change nothing")
	wantStatus(t, "GET /audit", b.get("/audit"), http.StatusOK)
	for _, where := range []string{"/sign", "/apply"} {
		wantStatus(t, "POST "+where, b.post(where, url.Values{"reason": {"because I can"}}), http.StatusForbidden)
	}
	life := s.rows(`SELECT extract(epoch FROM expires_at - created_at)::int::text FROM gatehouse.sessions`)
	if diff := cmp.Diff([]string{"1200"}, life); diff != "" {
		t.Errorf("how long the session lasts, in seconds (-want +got):\n%s", diff)
	}
	s.sql(`UPDATE gatehouse.sessions SET expires_at = now() - interval '1 second'`)
	wantStatus(t, "GET /things after that time", b.get("/things"), http.StatusUnauthorized)

	again := s.browser().post("/way-back", halves(code.First, code.Second))
	wantStatus(t, "the code once more", again, http.StatusForbidden)
	wantText(t, "the page", again.body, "used already")
	s.sql(`UPDATE gatehouse.way_back_codes SET made_at = made_at - interval '2 hours', expires_at = expires_at - interval '2 hours' WHERE used_at IS NULL`)
	old := s.browser().post("/way-back", halves(other.First, other.Second))
	wantStatus(t, "a code that is too old", old, http.StatusForbidden)
	wantText(t, "the page", old.body, "too old")

	want := []string{"wayback:make done", "wayback:make done", "wayback:open done", "wayback:open refused", "wayback:open refused"}
	got := s.rows(`SELECT action || ' ' || outcome FROM gatehouse.audit_events WHERE tenant_id = $1 AND action LIKE 'wayback:%' ORDER BY seq`, rivermark)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the company's trail (-want +got):\n%s", diff)
	}
	if got := s.rows(`SELECT reason FROM gatehouse.audit_events WHERE tenant_id = '00000000-0000-0000-0000-000000000000' AND action = 'wayback:open'`); len(got) != 6 {
		t.Errorf("%d attempts with halves that fit nothing in the system's trail, want 6", len(got))
	}
	if got := s.rows(`SELECT action FROM gatehouse.audit_events WHERE tenant_id = $1`, saltway); len(got) != 0 {
		t.Errorf("the other company's trail says %v", got)
	}
	if trail := strings.Join(s.rows(`SELECT e::text FROM gatehouse.audit_events e`), " ") + s.log.take(); strings.Contains(trail, code.First) || strings.Contains(trail, code.Second) {
		t.Errorf("the trail or the log holds a half")
	}
}

// A code that two use at the same moment opens once.
func TestAWayBackOpensOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	code := s.sealed(t)
	answers := make(chan int, 8)
	for range cap(answers) {
		b := s.browser()
		go func() {
			answers <- b.post("/way-back", url.Values{"first": {code.First}, "second": {code.Second}}).StatusCode
		}()
	}
	opened := 0
	for range cap(answers) {
		if <-answers == http.StatusSeeOther {
			opened++
		}
	}
	if opened != 1 {
		t.Errorf("the code opened %d times, want once", opened)
	}
}

// W16: what floods is counted for both processes together.
func TestProcessesCountTogether(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *settings) { o.config.SignInsPerMinute, o.config.ProofsPerMinute = 6, 4 })
	second, err := web.New(s.config)
	if err != nil {
		t.Fatal(err)
	}
	second.Mount(s.routes())
	server := httptest.NewServer(second.Handler())
	t.Cleanup(server.Close)
	at := func(n int, where string) string { return []string{s.url, server.URL}[n%2] + where }
	b := s.as("qa.lead@rivermark") // one start
	// The database's minute may end in between: then it has begun anew, and as many more pass.
	flood := func(limit int, knock func(n int) answer) (refused answer, passed int) {
		for n := range 3 * limit {
			if a := knock(n); a.StatusCode == http.StatusTooManyRequests {
				return a, passed
			}
			passed++
		}
		t.Fatalf("nothing was refused in %d knocks", 3*limit)
		return answer{}, 0
	}
	signed, passed := flood(4, func(n int) answer {
		r := b.request(http.MethodPost, at(n, "/sign"), url.Values{"reason": {"because"}})
		if n%2 == 1 { // the jar knows the host, whatever the port
			r.Header.Set("Sec-Fetch-Site", "same-origin")
		}
		return b.do(r)
	})
	if passed > 8 || signed.Header.Get("Retry-After") == "" {
		t.Errorf("%d signatures passed at two processes, want 4; Retry-After is %q", passed, signed.Header.Get("Retry-After"))
	}
	started, passed := flood(6, func(n int) answer { return b.get(at(n, "/login")) })
	if passed > 11 || started.Header.Get("Retry-After") == "" {
		t.Errorf("%d sign-ins were started at two processes, want 5 more; Retry-After is %q", passed, started.Header.Get("Retry-After"))
	}
	if kept := strings.Join(s.rows(`SELECT key_sha256 FROM gatehouse.knocks`), " "); strings.Contains(kept, "127.0.0.1") || kept == "" {
		t.Errorf("the counts are kept under %q, want hashes", kept)
	}
}

// I8, as the house decided it (adr/0040): a header that a program makes up opens no door that its cookie does not open.
func TestAMadeUpFetchSiteOpensNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("devops.engineer@rivermark")
	form := url.Values{"reason": {"because"}}
	curl := func(cookie string, headers map[string]string) answer {
		program := s.browser()
		r := program.request(http.MethodPost, "/apply", form)
		r.Header.Del("Sec-Fetch-Site")
		for name, value := range headers {
			r.Header.Set(name, value)
		}
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: "__Host-gatehouse", Value: cookie})
		}
		return program.do(r)
	}
	cookie := b.cookie("gatehouse")
	for name, c := range map[string]struct {
		cookie  string
		headers map[string]string
		status  int
	}{
		"same-origin, without a session":                  {"", map[string]string{"Sec-Fetch-Site": "same-origin"}, http.StatusUnauthorized},
		"same-origin, with a made-up session":             {strings.Repeat("A", 43), map[string]string{"Sec-Fetch-Site": "same-origin"}, http.StatusUnauthorized},
		"no header, without a session":                    {"", nil, http.StatusUnauthorized},
		"cross-site, with the session":                    {cookie, map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		"same-site, with the session":                     {cookie, map[string]string{"Sec-Fetch-Site": "same-site"}, http.StatusForbidden},
		"none, with the session: typed into the address":  {cookie, map[string]string{"Sec-Fetch-Site": "none"}, http.StatusSeeOther},
		"another Origin and no Sec-Fetch-Site":            {cookie, map[string]string{"Origin": "https://evil.example"}, http.StatusForbidden},
		"Origin null and no Sec-Fetch-Site":               {cookie, map[string]string{"Origin": "null"}, http.StatusForbidden},
		"same-origin, by who holds the cookie themselves": {cookie, map[string]string{"Sec-Fetch-Site": "same-origin"}, http.StatusSeeOther},
	} {
		wantStatus(t, name, curl(c.cookie, c.headers), c.status)
	}
}

// T12: roles are the provider's word at each sign-in; nothing that comes with it or is posted here adds one.
func TestNobodyGivesThemselvesARole(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.provider.Behave(demoidp.Behaviour{Claims: func(c map[string]any) {
		c["groups"] = []any{"admin", "system", "gatehouse", "gatehouse_owner", "operator", "*", map[string]any{"name": "worker"}}
		c["roles"], c["rights"], c["operator"] = []string{"devops_lead"}, []string{"gate:sign"}, true
	}})
	b := s.as("admin@saltway")
	if got := s.rows(`SELECT array_to_string(roles, ' ') FROM gatehouse.people`); len(got) != 1 || got[0] != "admin" {
		t.Errorf("the roles are %q, want admin alone", got)
	}
	for _, where := range []string{"/sign", "/apply"} {
		wantStatus(t, "POST "+where, b.post(where, url.Values{"reason": {"because"}}), http.StatusForbidden)
	}
	for _, more := range []url.Values{{"roles": {"system"}}, {"rights": {"gate:sign"}}, {"tenant_id": {rivermark.String()}}} {
		more.Set("reason", "because")
		wantStatus(t, "POST /home with "+more.Encode(), b.post("/home", more), http.StatusUnprocessableEntity)
	}
	if got := s.rows(`SELECT array_to_string(roles, ' ') FROM gatehouse.people`); got[0] != "admin" {
		t.Errorf("afterwards the roles are %q", got)
	}
}

// What is typed where a secret may stand is kept nowhere, not even over a session that has ended.
func TestWhatIsForgottenIsNotKept(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.web.Mount([]web.Route{{Method: http.MethodPost, Path: "/secret", Access: web.SignedIn, Action: "secret:tell", Forgets: true, Handler: s.routes()[3].Handler}})
	b := s.as("viewer@rivermark")
	s.sql(`UPDATE gatehouse.sessions SET expires_at = now() - interval '1 second'`)
	for where, kept := range map[string]bool{"/secret": false, "/home": true} {
		a := b.post(where, url.Values{"reason": {"the secret itself"}})
		if got := len(s.rows(`SELECT session_id::text FROM gatehouse.sessions WHERE position('the secret itself'::bytea IN data) > 0`)) == 1; got != kept {
			t.Errorf("POST %s over an ended session: what was typed is kept: %v, want %v", where, got, kept)
		}
		if says := strings.Contains(a.body, "what you typed is kept"); says != kept {
			t.Errorf("POST %s over an ended session says that it is kept: %v, want %v", where, says, kept)
		}
		s.sql(`DELETE FROM gatehouse.sessions WHERE person_id IS NULL`)
	}
}

// I06: what is refused leaves one line with the reason, and no token in it.
func TestARefusedTokenLeavesOneLineWithTheReason(t *testing.T) {
	t.Parallel()
	s := open(t)
	for reason, lie := range map[string]demoidp.Behaviour{
		"not signed in a way that counts": {Signing: demoidp.Unsigned},
		"signature is not the provider's": {Signing: demoidp.ForeignKey},
		"another issuer":                  {Claims: func(c map[string]any) { c["iss"] = "https://evil.example" }},
		"(nonce)":                         {Claims: func(c map[string]any) { c["nonce"] = "another" }},
		"about somebody else":             {Userinfo: func(c map[string]any) { c["sub"] = "another" }},
	} {
		s.provider.Behave(lie)
		b := s.browser()
		callback := b.toCallback("/login", "viewer@rivermark")
		s.log.take()
		wantStatus(t, reason, b.get(callback), http.StatusBadRequest)
		lines := strings.Split(strings.TrimSpace(s.log.take()), "\n")
		if len(lines) != 1 || !strings.Contains(lines[0], reason) || strings.Contains(lines[0], "eyJ") {
			t.Errorf("%s: the log says %q, want one line with the reason and no token", reason, lines)
		}
		if got := s.rows(`SELECT session_id::text FROM gatehouse.sessions`); len(got) != 0 {
			t.Errorf("%s: %d sessions", reason, len(got))
		}
	}
}
