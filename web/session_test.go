package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func TestLimitsAreJudgedByTheDatabasesClock(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("viewer@rivermark")
	s.clock.move(24 * time.Hour) // our own clock does not matter
	s.sql(`UPDATE gatehouse.sessions SET last_seen_at = now() - interval '29 minutes 59 seconds'`)
	wantStatus(t, "GET /home a second before the idle limit", b.get("/home"), http.StatusOK)
	s.sql(`UPDATE gatehouse.sessions SET last_seen_at = now() - interval '30 minutes 1 second'`)
	over := b.get("/home")
	wantStatus(t, "GET /home a second after the idle limit", over, http.StatusUnauthorized)
	wantText(t, "the page", over.body, "Your sign-in has ended")

	s.clock.move(-24 * time.Hour)
	b = s.as("viewer@rivermark")
	s.sql(`UPDATE gatehouse.sessions SET expires_at = now() + interval '1 second', last_seen_at = now() - interval '2 minutes'`)
	wantStatus(t, "GET /home a second before the absolute limit", b.get("/home"), http.StatusOK)
	if got := s.rows(`SELECT session_id::text FROM gatehouse.sessions WHERE last_seen_at > now() - interval '1 minute'`); len(got) != 1 {
		t.Errorf("the use was noted in %d sessions, want 1", len(got))
	}
	s.sql(`UPDATE gatehouse.sessions SET expires_at = now() - interval '1 second'`)
	wantStatus(t, "GET /home after the absolute limit, in constant use", b.get("/home"), http.StatusUnauthorized)
}

func TestAnEndedSessionKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("viewer@rivermark")
	s.sql(`UPDATE gatehouse.sessions SET expires_at = now() - interval '1 second'`)
	r := b.request(http.MethodPost, "/home", url.Values{"reason": {"a long thought"}})
	r.Header.Set("Referer", s.url+"/home?x=1")
	refused := b.do(r)
	wantStatus(t, "POST /home with an ended session", refused, http.StatusUnauthorized)
	wantText(t, "the page", refused.body, `href="/login?return=%2Fhome%3Fx%3D1"`, "what you typed is kept")

	b.get(s.provider.Issuer() + "/end_session")
	stranger := b.get(b.toCallback("/login?return=%2Fhome%3Fx%3D1", "auditor@rivermark"))
	if got := b.get(stranger.Header.Get("Location")).body; strings.Contains(got, "a long thought") {
		t.Errorf("another person sees what was typed: %s", got)
	}
}

func TestTheSamePersonFindsWhatTheyTyped(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("viewer@rivermark")
	s.sql(`UPDATE gatehouse.sessions SET expires_at = now() - interval '1 second'`)
	r := b.request(http.MethodPost, "/home", url.Values{"reason": {"a long thought"}})
	r.Header.Set("Referer", s.url+"/home")
	b.do(r)
	landed := b.get(b.toCallback("/login?return=%2Fhome", "viewer@rivermark"))
	wantText(t, "the form after signing in again", b.get(landed.Header.Get("Location")).body, "typed=a long thought")
	wantStatus(t, "sending it", b.post("/home", url.Values{"reason": {"a long thought"}}), http.StatusSeeOther)
	if got := b.get("/home").body; strings.Contains(got, "a long thought") {
		t.Errorf("the form is still filled after it was accepted: %s", got)
	}
}

func TestAStrangerCannotFillTheTable(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	for range 20 {
		r := b.request(http.MethodPost, "/home", url.Values{"reason": {"anything"}})
		r.AddCookie(&http.Cookie{Name: "__Host-gatehouse", Value: strings.Repeat("A", 43)})
		wantStatus(t, "POST /home by a stranger", b.do(r), http.StatusUnauthorized)
	}
	if got := len(s.rows(`SELECT token_sha256 FROM gatehouse.sessions`)); got != 0 {
		t.Errorf("%d sessions of strangers, want none", got)
	}
	if got := len(s.events("home:change", audit.Refused)); got == 0 || got > 11 {
		t.Errorf("%d refusals of strangers in the trail, want some and at most 11", got)
	}
}

func TestAStaleSignInKeepsTheForm(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("qa.lead@rivermark")
	fields := url.Values{"reason": {"all nine tables are there"}}
	wantStatus(t, "POST /sign just after signing in", b.post("/sign", fields), http.StatusSeeOther)
	s.clock.move(5*time.Minute + time.Second)
	r := b.request(http.MethodPost, "/sign", fields)
	r.Header.Set("Referer", s.url+"/sign")
	stale := b.do(r)
	wantStatus(t, "POST /sign later", stale, http.StatusUnauthorized)
	wantText(t, "the page", stale.body, `data-page="fresh_sign_in"`, "/login?fresh=1&amp;return=%2Fsign", "sign this gate", "all nine tables are there", "5 minutes")
	if got := stale.Header.Get("Location"); got != "" {
		t.Errorf("a POST leads to %s", got)
	}
	wantText(t, "GET /sign", b.get("/sign").body, "typed=all nine tables are there")
	wantText(t, "GET /sign once more", b.get("/sign").body, "typed=all nine tables are there")
	s.clock.move(-(5*time.Minute + time.Second)) // the provider's clock stands still; ours comes back to it
	landed := b.get(b.toCallback("/login?fresh=1&return=%2Fsign", "qa.lead@rivermark"))
	wantText(t, "the form after the fresh sign-in", b.get(landed.Header.Get("Location")).body, "typed=all nine tables are there")
	wantStatus(t, "POST /sign afresh", b.post("/sign", fields), http.StatusSeeOther)
	wantText(t, "GET /sign after it was accepted", b.get("/sign").body+"$", "typed=$")
}

func TestTooMuchTypedIsNotKept(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("qa.lead@rivermark")
	s.clock.move(6 * time.Minute)
	a := b.post("/sign", url.Values{"reason": {strings.Repeat("long ", 20000)}})
	wantStatus(t, "POST /sign with 100 kB", a, http.StatusUnauthorized)
	wantText(t, "the page", a.main()[:2000], "Sign in afresh")
	wantText(t, "GET /sign", b.get("/sign").body+"$", "typed=$")
}

func TestADisabledPersonIsSignedOut(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("viewer@rivermark")
	s.sql(`UPDATE gatehouse.people SET disabled_at = now()`)
	wantStatus(t, "GET /home of somebody whose access ended", b.get("/home"), http.StatusUnauthorized)
	a := b.signIn("viewer@rivermark")
	wantStatus(t, "signing in again", a, http.StatusForbidden)
	wantText(t, "the page", a.body, "access to Gatehouse was ended")
}

func TestALateAnswerDoesNotBringASessionBack(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.as("qa.lead@rivermark")
	sessions := postgres.Sessions{DB: s.db}
	hash := s.rows(`SELECT token_sha256 FROM gatehouse.sessions`)[0]
	if err := sessions.End(t.Context(), hash); err != nil {
		t.Fatalf("End: %v", err)
	}
	if err := sessions.Change(t.Context(), hash, actor.Session{Data: []byte("late")}); err != nil {
		t.Fatalf("Change: %v", err)
	}
	if got := len(s.rows(`SELECT token_sha256 FROM gatehouse.sessions`)); got != 0 {
		t.Errorf("the ended session is back")
	}
}

// TestADeadDatabaseIsNeverNotSignedIn is D01 at the level of the store: while the database goes away and comes back
// under load, people read 503 and never 401.
func TestADeadDatabaseIsNeverNotSignedIn(t *testing.T) {
	t.Parallel()
	s := open(t)
	var browsers []*browser
	for range 4 {
		browsers = append(browsers, s.as("viewer@rivermark"))
	}
	pool := pgtest.Pool(t, strings.Replace(s.database.SuperURL, "/"+s.database.Name, "/postgres", 1))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[int]int{}
	for _, b := range browsers {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				a := b.get("/home")
				mu.Lock()
				seen[a.StatusCode]++
				mu.Unlock()
				if a.StatusCode == http.StatusServiceUnavailable && a.Header.Get("Retry-After") == "" {
					t.Errorf("503 without Retry-After")
				}
			}
		})
	}
	for _, statement := range []string{
		"ALTER DATABASE " + s.database.Name + " ALLOW_CONNECTIONS false",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + s.database.Name + "'",
		"SELECT pg_sleep(0.3)",
		"ALTER DATABASE " + s.database.Name + " ALLOW_CONNECTIONS true",
	} {
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
	for _, b := range browsers {
		for b.get("/home").StatusCode != http.StatusOK {
			if t.Context().Err() != nil {
				t.Fatalf("the site did not come back")
			}
		}
	}
	close(stop)
	wg.Wait()
	for status, n := range seen {
		if status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Errorf("%d answers of %d, want only 200 and 503: %v", n, status, seen)
		}
	}
	if seen[http.StatusServiceUnavailable] == 0 {
		t.Errorf("nobody met the dead database: %v", seen)
	}
}

func TestABarePageNeedsNoDatabase(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("viewer@rivermark")
	s.db.Close()
	wantStatus(t, "GET /livez without a database", b.get("/livez"), http.StatusOK)
	wantStatus(t, "HEAD /livez, as what watches from outside asks", b.do(b.request(http.MethodHead, "/livez", nil)), http.StatusOK)
	wantStatus(t, "GET /home without a database", b.get("/home"), http.StatusServiceUnavailable)
}

func TestMachinesSignInWithTokens(t *testing.T) {
	t.Parallel()
	s := open(t)
	credentials := postgres.Credentials{DB: s.db}
	by := actor.System(actor.CLI, "set-up")
	by.Tenant = rivermark
	token, made, err := credentials.Create(t.Context(), by, "health probe", []actor.Right{actor.HealthRead}, time.Hour)
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	ask := func(where, token string) answer {
		b := s.browser()
		r := b.request(http.MethodGet, where, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		return b.do(r)
	}
	a := ask("/api/things", token)
	wantStatus(t, "GET /api/things with a token", a, http.StatusOK)
	wantText(t, "the answer", a.body, `"origin":"api"`, `"tenant":"rivermark"`)
	wantStatus(t, "GET /things with a token", ask("/things", token), http.StatusUnauthorized)
	bad := ask("/api/things", token+"x")
	wantStatus(t, "GET /api/things with another token", bad, http.StatusUnauthorized)
	wantText(t, "the problem", bad.body, `"kind":"unauthenticated"`, `"status":401`)
	if bad.Header.Get("WWW-Authenticate") == "" || bad.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("headers of the problem: %v", bad.Header)
	}
	if stored := s.rows(`SELECT token_sha256 FROM gatehouse.machine_credentials`); strings.Contains(stored[0], token) {
		t.Errorf("the token itself is stored")
	}
	if err := credentials.Revoke(t.Context(), by, made.ID); err != nil {
		t.Fatalf("Revoke: %v", err)
	}
	wantStatus(t, "GET /api/things with a revoked token", ask("/api/things", token), http.StatusUnauthorized)

	viewer := actor.Actor{Tenant: rivermark, Issuer: "i", Subject: "s", Name: "n", Roles: []actor.Role{actor.Viewer}}
	if _, _, err := credentials.Create(t.Context(), viewer, "more", []actor.Right{actor.MigrationApply}, time.Hour); !fault.Is(err, fault.Forbidden) {
		t.Errorf("Create of a right that one does not hold = %v, want Forbidden", err)
	}
	if err := credentials.Revoke(t.Context(), actor.Actor{Tenant: saltway, Subject: "s"}, made.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("Revoke by another tenant = %v, want NotFound", err)
	}
}

func TestTwoRoundTripsAtMost(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("viewer@rivermark")
	b.get("/things")
	s.log.take()
	b.get("/things")
	wantText(t, "the log line of a page without statements of its own", s.log.take(), `"trips":1`, `"status":200`, `"tenant":"rivermark"`, s.subject("viewer@rivermark"))
}
