package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/demoidp"
)

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()

	before := b.get("/home")
	wantStatus(t, "GET /home signed out", before, http.StatusUnauthorized)
	wantText(t, "the sign-in page", before.body, `data-page="sign_in"`, `href="/login?return=%2Fhome"`, "Demo ID")

	landed := b.get(b.toCallback("/login?return=%2Fhome%3Fx%3D1", "qa.lead@rivermark"))
	wantStatus(t, "the callback", landed, http.StatusSeeOther)
	if got, want := landed.Header.Get("Location"), "/home?x=1"; got != want {
		t.Errorf("the callback leads to %q, want %q", got, want)
	}
	home := b.get("/home")
	wantStatus(t, "GET /home signed in", home, http.StatusOK)
	wantText(t, "GET /home", home.body, "here is "+s.subject("qa.lead@rivermark")+" of rivermark")
	if diff := cmp.Diff([]string{s.subject("qa.lead@rivermark") + " "}, s.events("session:sign_in", audit.Done)); diff != "" {
		t.Errorf("audit of the sign-in (-want +got):\n%s", diff)
	}

	stolen := b.cookie("gatehouse")
	out := b.post("/logout", nil)
	wantStatus(t, "POST /logout", out, http.StatusOK)
	wantText(t, "the page after signing out", out.body, `data-page="signed_out"`, s.provider.Issuer()+"/end_session?client_id=gatehouse", "id_token_hint=")
	if got := out.Header.Get("Clear-Site-Data"); !strings.Contains(got, "storage") {
		t.Errorf("Clear-Site-Data = %q", got)
	}
	wantStatus(t, "GET /home after signing out", b.get("/home"), http.StatusUnauthorized)
	thief := s.browser()
	again := thief.request(http.MethodGet, "/home", nil)
	again.AddCookie(&http.Cookie{Name: "__Host-gatehouse", Value: stolen})
	wantStatus(t, "GET /home with the cookie of the ended session", thief.do(again), http.StatusUnauthorized)
}

func TestStateIsSingleUseAndOfOneBrowser(t *testing.T) {
	t.Parallel()
	s := open(t)
	b, other := s.browser(), s.browser()
	callback := b.toCallback("/login", "viewer@rivermark")

	wantStatus(t, "the callback in another browser", other.get(callback), http.StatusBadRequest)
	if got := other.cookie("gatehouse"); got != "" {
		t.Errorf("the other browser got a session")
	}
	wantStatus(t, "the callback in its own browser", b.get(callback), http.StatusSeeOther)
	wantStatus(t, "the callback once more", b.get(callback), http.StatusBadRequest)
	wantStatus(t, "GET /home", b.get("/home"), http.StatusOK)
	forged := b.get("/oidc/callback?state=made-up&code=made-up")
	wantStatus(t, "a made-up callback", forged, http.StatusBadRequest)
	wantStatus(t, "a callback with two states", b.get("/oidc/callback?state=a&state=b&code=c"), http.StatusUnprocessableEntity)
	if got, want := len(s.rows(`SELECT state_sha256 FROM gatehouse.sign_in_attempts`)), 0; got != want {
		t.Errorf("%d sign-ins are left over, want %d", got, want)
	}
}

func TestThreeTabs(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	var callbacks []string
	for _, page := range []string{"/home?tab=1", "/home?tab=2", "/home?tab=3"} {
		callbacks = append(callbacks, b.toCallback("/login?return="+url.QueryEscape(page), "viewer@rivermark"))
	}
	for i, page := range []string{"/home?tab=1", "/home?tab=2", "/home?tab=3"} {
		if got := b.get(callbacks[i]).Header.Get("Location"); got != page {
			t.Errorf("tab %d landed on %q, want %q", i+1, got, page)
		}
	}
	if got := len(s.rows(`SELECT token_sha256 FROM gatehouse.sessions`)); got != 1 {
		t.Errorf("%d sessions, want 1: each sign-in replaces the one before", got)
	}
}

func TestSignInGivesANewSessionID(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("viewer@rivermark")
	first := b.cookie("gatehouse")
	b.get(b.toCallback("/login", "viewer@rivermark"))
	second := b.cookie("gatehouse")
	if first == second || second == "" {
		t.Fatalf("the session id did not change at sign-in")
	}
	victim := s.browser()
	planted := victim.request(http.MethodGet, "/home", nil)
	planted.AddCookie(&http.Cookie{Name: "__Host-gatehouse", Value: first})
	wantStatus(t, "GET /home with the planted id", victim.do(planted), http.StatusUnauthorized)
}

func TestOnlyTheHashIsStored(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("viewer@rivermark")
	token := b.cookie("gatehouse")
	stored := s.rows(`SELECT token_sha256 FROM gatehouse.sessions`)
	if len(stored) != 1 || stored[0] == token || strings.Contains(stored[0], token) {
		t.Fatalf("stored %q for the token %q", stored, token)
	}
	thief := s.browser()
	r := thief.request(http.MethodGet, "/home", nil)
	r.AddCookie(&http.Cookie{Name: "__Host-gatehouse", Value: stored[0]})
	wantStatus(t, "GET /home with what the table holds", thief.do(r), http.StatusUnauthorized)
}

func TestWhoMayNotSignInIsToldWhy(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, c := range []struct {
		username string
		says     []string
	}{
		{"norole@rivermark", []string{"no role that Gatehouse knows", "cleaners, choir", "Ask"}},
		{"nogroups@rivermark", []string{"empty or missing", "Ask"}},
		{"viewer@nowhere", []string{"nowhere", "no company of that code", "Ask"}},
		{"viewer@none", []string{"does not say to which company", "Ask"}},
	} {
		b := s.browser()
		a := b.signIn(c.username)
		wantStatus(t, "signing in as "+c.username, a, http.StatusForbidden)
		wantText(t, "the page for "+c.username, a.body, c.says...)
		if b.cookie("gatehouse") != "" {
			t.Errorf("%s got a session", c.username)
		}
	}
	if got := len(s.events("session:sign_in", audit.Refused)); got != 4 {
		t.Errorf("%d refused sign-ins in the trail, want 4", got)
	}
}

func TestAPersonIsIssuerAndSubject(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.as("viewer@rivermark")
	s.as("auditor@rivermark")
	// Somebody with the same sub at another issuer, in another tenant, with the same mail, is another person.
	s.sql(`INSERT INTO gatehouse.people (tenant_id, person_id, issuer, subject, name, email)
	       SELECT '22222222-2222-7222-8222-222222222222', gen_random_uuid(), 'https://elsewhere.example', subject, name, email FROM gatehouse.people LIMIT 1`)
	s.as("viewer@rivermark")
	if got := len(s.rows(`SELECT subject FROM gatehouse.people`)); got != 3 {
		t.Errorf("%d people, want 3", got)
	}
	// The same issuer and subject in another tenant cannot be two people.
	s.provider.Behave(demoidp.Behaviour{
		Claims: func(c map[string]any) { c["tenant"] = "saltway" },
	})
	b := s.browser()
	a := b.signIn("viewer@rivermark")
	wantStatus(t, "signing in with the tenant of others", a, http.StatusForbidden)
	wantText(t, "the page", a.body, "somebody of another company")
	if got := s.events("session:sign_in", audit.Refused); len(got) != 1 || !strings.HasPrefix(got[0], s.subject("viewer@rivermark")) || !strings.Contains(got[0], "another company") {
		t.Errorf("the trail says %q of the sign-in with the tenant of others, want one refusal of that person", got)
	}
}

func TestAFreshSignInIsOfTheSamePerson(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("qa.lead@rivermark")
	before := b.cookie("gatehouse")
	callback := b.toCallback("/login?fresh=1&return=%2Fsign", "backend.lead@rivermark")
	a := b.get(callback)
	wantStatus(t, "another person's fresh sign-in", a, http.StatusForbidden)
	wantText(t, "the page", a.body, "Another person came back", "your session is as it was")
	wantText(t, "who is signed in", b.get("/home").body, s.subject("qa.lead@rivermark"))
	if b.cookie("gatehouse") != before {
		t.Errorf("the first session changed")
	}
	refused := s.events("session:sign_in", audit.Refused)
	if len(refused) != 1 || !strings.HasPrefix(refused[0], s.subject("qa.lead@rivermark")) || !strings.Contains(refused[0], s.subject("backend.lead@rivermark")) {
		t.Errorf("the trail holds %q, want one refusal of the session's person that names who came back", refused)
	}
	if own := s.rows(`SELECT tenant_id::text FROM gatehouse.audit_events WHERE action = 'session:sign_in' AND outcome = 'refused'`); len(own) != 1 || own[0] != "11111111-1111-7111-8111-111111111111" {
		t.Errorf("the refusal stands in the trail of %v, want that of the session's company", own)
	}
	wantStatus(t, "the same person's fresh sign-in", b.get(b.toCallback("/login?fresh=1&return=%2Fsign", "qa.lead@rivermark")), http.StatusSeeOther)
}

// S09: roles that the provider took away meanwhile are gone with the fresh sign-in.
func TestAFreshSignInDecidesTheRoles(t *testing.T) {
	t.Parallel()
	s := open(t)
	for name, groups := range map[string][]string{"another role": {"viewer"}, "no role": {}} {
		before := len(s.events("session:end", audit.Done))
		s.provider.Behave(demoidp.Behaviour{})
		b := s.as("qa.lead@rivermark")
		form := url.Values{"reason": {"because"}}
		wantStatus(t, name+": POST /sign while the role is held", b.post("/sign", form), http.StatusSeeOther)
		s.provider.Behave(demoidp.Behaviour{Claims: func(c map[string]any) {
			c["groups"] = groups
		}})
		b.get(b.toCallback("/login?fresh=1&return=%2Fsign", "qa.lead@rivermark"))
		if ended := len(s.events("session:end", audit.Done)) - before; ended != map[string]int{"no role": 1}[name] {
			t.Errorf("%s: %d ends of a session stand in the trail, want one where no role is left", name, ended)
		}
		if a := b.post("/sign", form); a.StatusCode != http.StatusForbidden && a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: POST /sign after the role was taken away: %d, want 403 or 401", name, a.StatusCode)
		}
	}
}

func TestAFreshSignInNeedsAProvenTime(t *testing.T) {
	t.Parallel()
	s := open(t)
	for name, c := range map[string]struct {
		change func(map[string]any)
		says   string
	}{
		"no auth_time":       {func(c map[string]any) { delete(c, "auth_time") }, "when you proved who you are"},
		"old auth_time":      {func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() }, "60 minutes ago"},
		"auth_time to come":  {func(c map[string]any) { c["auth_time"] = time.Now().Add(time.Hour).Unix() }, "in the future"},
		"auth_time as words": {func(c map[string]any) { c["auth_time"] = "now" }, "when you proved who you are"},
	} {
		s.provider.Behave(demoidp.Behaviour{})
		b := s.as("qa.lead@rivermark")
		s.provider.Behave(demoidp.Behaviour{Claims: c.change})
		a := b.get(b.toCallback("/login?fresh=1", "qa.lead@rivermark"))
		if a.StatusCode == http.StatusSeeOther {
			t.Errorf("%s: the fresh sign-in was accepted", name)
		}
		wantText(t, name, a.body, c.says)
		wantStatus(t, name+": GET /home afterwards", b.get("/home"), http.StatusOK)
	}
}

func TestTheProviderMayBeAway(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.provider.Behave(demoidp.Behaviour{Down: true})
	b := s.browser()
	a := b.get("/login")
	wantStatus(t, "GET /login without a provider", a, http.StatusServiceUnavailable)
	wantText(t, "the page", a.body, "cannot be reached", "data-provider-away")
	if a.Header.Get("Retry-After") == "" {
		t.Errorf("no Retry-After")
	}
	s.provider.Behave(demoidp.Behaviour{})
	wantStatus(t, "signing in once it is back", b.signIn("viewer@rivermark"), http.StatusSeeOther)
	s.provider.Behave(demoidp.Behaviour{Down: true})
	wantStatus(t, "GET /home while it is away again", b.get("/home"), http.StatusOK)
	stale := b.get("/login?fresh=1")
	wantStatus(t, "a fresh sign-in while it is away", stale, http.StatusServiceUnavailable)
	wantText(t, "the page", stale.body, "identity provider")
}

func TestTheProvidersErrorIsSaidInOurWords(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	to, err := b.get("/login").Location()
	if err != nil {
		t.Fatalf("GET /login leads nowhere: %v", err)
	}
	state := to.Query().Get("state")
	a := b.get("/oidc/callback?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C%2Fscript%3E+call+0900&state=" + state)
	wantStatus(t, "a refused sign-in", a, http.StatusBadRequest)
	wantText(t, "the page", a.body, "stopped at the identity provider")
	if strings.Contains(a.body, "script>alert") || strings.Contains(a.body, "0900") {
		t.Errorf("the provider's text is on our page:\n%s", a.body)
	}
}

func TestRedirectURIIsConfiguredNotAsked(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	r := b.request(http.MethodGet, "/login", nil)
	r.Host = "evil.example"
	r.Header.Set("X-Forwarded-Host", "evil.example")
	r.Header.Set("X-Forwarded-Proto", "gopher")
	r.Header.Set("Forwarded", "host=evil.example")
	to, err := b.do(r).Location()
	if err != nil {
		t.Fatalf("GET /login leads nowhere: %v", err)
	}
	q := to.Query()
	if got, want := q.Get("redirect_uri"), s.url+"/oidc/callback"; got != want {
		t.Errorf("redirect_uri = %q, want %q", got, want)
	}
	if q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || q.Get("state") == "" || q.Get("nonce") == "" {
		t.Errorf("the request to the provider lacks PKCE, state or nonce: %v", q)
	}
	if strings.HasPrefix(to.String(), "http://evil") {
		t.Errorf("the browser is sent to %s", to)
	}
}

func TestSignInStartsAreLimited(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *settings) { o.config.SignInsPerMinute = 5 })
	b := s.browser()
	var refused answer
	for range 6 {
		refused = b.get("/login")
	}
	wantStatus(t, "the sixth sign-in within a minute", refused, http.StatusTooManyRequests)
	if refused.Header.Get("Retry-After") == "" {
		t.Errorf("no Retry-After")
	}
}

func TestBackChannelLogoutEndsTheSession(t *testing.T) {
	t.Parallel()
	s := open(t)
	b, other := s.as("viewer@rivermark"), s.as("viewer@rivermark")
	sid := s.rows(`SELECT provider_session FROM gatehouse.sessions ORDER BY created_at LIMIT 1`)[0]
	forged := map[string]func(map[string]any){
		"another issuer":   func(c map[string]any) { c["iss"] = "https://evil.example" },
		"another audience": func(c map[string]any) { c["aud"] = "other" },
		"no event":         func(c map[string]any) { delete(c, "events") },
		"with a nonce":     func(c map[string]any) { c["nonce"] = "n" },
		"no sid":           func(c map[string]any) { delete(c, "sid") },
		"old":              func(c map[string]any) { c["iat"] = time.Now().Add(-time.Hour).Unix() },
		"expired":          func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
	}
	for name, change := range forged {
		token, err := s.provider.LogoutToken("x", sid, change)
		if err != nil {
			t.Fatalf("LogoutToken: %v", err)
		}
		wantStatus(t, "a logout token: "+name, s.tell(token), http.StatusBadRequest)
	}
	wantStatus(t, "a logout token: none", s.tell("nonsense"), http.StatusBadRequest)
	wantStatus(t, "GET /home after bad tokens", b.get("/home"), http.StatusOK)
	const ended = `SELECT concat_ws(' ', tenant_id = '00000000-0000-0000-0000-000000000000', name, outcome, reason, after::text) FROM gatehouse.audit_events WHERE action = 'session:end'`
	if got := s.rows(ended); len(got) != 0 {
		t.Errorf("bad tokens ended nothing and left %q in the trail", got)
	}
	token, err := s.provider.LogoutToken("x", sid, nil)
	if err != nil {
		t.Fatalf("LogoutToken: %v", err)
	}
	wantStatus(t, "a good logout token", s.tell(token), http.StatusOK)
	wantStatus(t, "its replay", s.tell(token), http.StatusOK)
	wantStatus(t, "GET /home in the ended session", b.get("/home"), http.StatusUnauthorized)
	wantStatus(t, "GET /home in the other session", other.get("/home"), http.StatusOK)
	// The good one and its replay: one session ended, so one entry.
	if got := s.rows(ended); len(got) != 1 || !strings.Contains(got[0], `The identity provider ended the session. {"ended": 1}`) {
		t.Errorf("the trail says %q of the ended session, want one entry", got)
	}
}

// tell posts as the provider does: from a server, without cookies or browser headers.
func (s *site) tell(token string) answer {
	s.t.Helper()
	b := s.browser()
	r := b.request(http.MethodPost, "/oidc/backchannel", url.Values{"logout_token": {token}})
	r.Header.Del("Sec-Fetch-Site")
	return b.do(r)
}

func TestSignOutAtTheProviderToo(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("viewer@rivermark")
	end := b.provider.Issuer() + "/end_session?client_id=gatehouse&post_logout_redirect_uri=" + url.QueryEscape(s.url+"/signed-out")
	a := b.follow(b.get(end))
	wantText(t, "the page after signing out there", a.body, `data-page="signed_out"`)
	wantStatus(t, "GET /home: the back channel ended it", b.get("/home"), http.StatusUnauthorized)
}
