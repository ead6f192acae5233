package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// site is the whole product on a real database and a real identity provider. Its scheduler stands still, so nothing
// changes but what a test asks for.
type site struct {
	t        *testing.T
	url      string
	app      *app.App
	database *pgtest.Database
	super    *pgxpool.Pool
	provider *demoidp.Provider
	log      *requestLog
	people   map[string]*browser
	config   app.Config
	server   *httptest.Server
}

func open(t *testing.T, version string, more ...string) *site {
	t.Helper()
	s := &site{t: t, database: housetest.At(t, version), log: &requestLog{}, people: map[string]*browser{}}
	s.super = pgtest.Pool(t, s.database.SuperURL)
	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	var err error
	s.provider, err = demoidp.Start(t.Context(), demoidp.Config{
		ClientID: "gatehouse", ClientSecret: "secret of the test", RedirectURIs: []string{s.url + "/oidc/callback"}, PostLogoutURIs: []string{s.url + "/"},
	})
	if err != nil {
		t.Fatalf("starting the provider: %v", err)
	}
	t.Cleanup(s.provider.Close)
	config, err := app.Load(append([]string{
		"GATEHOUSE_PUBLIC_URL=" + s.url, "GATEHOUSE_ENVIRONMENT=demo", "GATEHOUSE_DATABASE_URL=" + s.database.AppURL,
		"GATEHOUSE_OWNER_DATABASE_URL=" + s.database.OwnerURL, "GATEHOUSE_OIDC_ISSUER=" + s.provider.Issuer(),
		"GATEHOUSE_OIDC_CLIENT_ID=gatehouse", "GATEHOUSE_OIDC_CLIENT_SECRET=secret of the test",
		"GATEHOUSE_BACKUP_DIR=" + t.TempDir(),
	}, more...))
	if err != nil {
		t.Fatalf("the configuration: %v", err)
	}
	if s.app, err = app.New(t.Context(), config, slog.New(slog.NewJSONHandler(s.log, nil)), time.Second); err != nil {
		t.Fatalf("app.New: %v", err)
	}
	s.config, s.server = config, server
	t.Cleanup(s.app.Close)
	server.Config.Handler = s.app.Handler()
	server.Start()
	t.Cleanup(server.Close)
	return s
}

// requestLog keeps the log line of each request by its reference.
type requestLog struct {
	mu    sync.Mutex
	lines map[string]requestLine
}

type requestLine struct {
	Msg, Ref, Method, Route, Why, Subject string
	Status, Statements, Trips             int
	Ms                                    float64
}

func (l *requestLog) Write(raw []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		l.lines = map[string]requestLine{}
	}
	var line requestLine
	if err := json.Unmarshal(bytes.TrimSpace(raw), &line); err != nil {
		return 0, err
	}
	if line.Msg == "request" {
		l.lines[line.Ref] = line
	}
	return len(raw), nil
}

// line is what was logged of an answer. The line is written before the server ends the answer of a page, whose length
// is known, so waiting for it is short.
func (s *site) line(a answer) requestLine {
	s.t.Helper()
	ref := a.Header.Get("X-Request-Id")
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		s.log.mu.Lock()
		line, ok := s.log.lines[ref]
		s.log.mu.Unlock()
		if ok {
			return line
		}
		select {
		case <-ctx.Done():
			s.t.Fatalf("%s was never logged", ref)
		case <-tick.C:
		}
	}
}

// browser is one person's: it keeps cookies, and follows no redirect by itself.
type browser struct {
	*site
	client *http.Client
}

func (s *site) stranger() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type answer struct {
	*http.Response
	body string
}

// main is the middle of the page, for failures.
func (a answer) main() string {
	text := a.body
	if _, after, ok := strings.Cut(text, "<main"); ok {
		text, _, _ = strings.Cut(after, "</main>")
	}
	return text[:min(len(text), 1200)]
}

var (
	// secrets of the machine that no page may show.
	leak = regexp.MustCompile(`(?i)sqlstate|pgconn|pgx|goroutine \d|\.go:\d|panic|insert into|relation "|/internal/|postgres://|violates `)
	// safe are the headers of every answer of ours.
	safe = map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	}
)

// do sends a request, and holds every answer of ours to the rules that no route is free of.
func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	a := answer{res, string(body)}
	if "http://"+r.URL.Host != b.url {
		return a
	}
	what := r.Method + " " + r.URL.Path
	for name, want := range safe {
		if got := res.Header.Get(name); got != want {
			b.t.Errorf("%s: header %s is %q, want %q", what, name, got, want)
		}
	}
	policy := res.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		b.t.Errorf("%s: Content-Security-Policy is %q", what, policy)
	}
	if !strings.HasPrefix(r.URL.Path, "/static/") && res.Header.Get("Cache-Control") != "no-store" {
		b.t.Errorf("%s: Cache-Control is %q, want no-store", what, res.Header.Get("Cache-Control"))
	}
	for _, name := range []string{"Server", "X-Powered-By"} {
		if got := res.Header.Get(name); got != "" {
			b.t.Errorf("%s tells %s: %s", what, name, got)
		}
	}
	if res.StatusCode >= 400 && leak.MatchString(a.body) {
		b.t.Errorf("%s answers %d and tells %q", what, res.StatusCode, leak.FindString(a.body))
	}
	if res.StatusCode >= 500 && res.StatusCode != http.StatusServiceUnavailable {
		b.t.Errorf("%s answers %d; the log says %s", what, res.StatusCode, b.line(a).Why)
	}
	return a
}

func (b *browser) request(method, where, contentType, body string) *http.Request {
	b.t.Helper()
	if strings.HasPrefix(where, "/") {
		where = b.url + where
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, where, strings.NewReader(body))
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, where, err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return r
}

const formType = "application/x-www-form-urlencoded"

func (b *browser) get(where string) answer {
	b.t.Helper()
	return b.do(b.request(http.MethodGet, where, "", ""))
}

func (b *browser) post(where string, fields url.Values) answer {
	b.t.Helper()
	return b.do(b.request(http.MethodPost, where, formType, fields.Encode()))
}

var loginID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// as is the browser of somebody who is signed in: "devops.lead@rivermark".
func (s *site) as(username string) *browser {
	s.t.Helper()
	if s.people[username] == nil {
		s.people[username] = s.stranger()
		s.people[username].signIn(username)
	}
	return s.people[username]
}

func (b *browser) signIn(username string) {
	b.t.Helper()
	a := b.get("/login")
	for range 12 {
		if found := loginID.FindStringSubmatch(a.body); found != nil {
			a = b.post(b.provider.Issuer()+"/login", url.Values{"id": {found[1]}, "username": {username}, "password": {demoidp.Password}})
			continue
		}
		to, err := a.Location()
		if err != nil {
			break
		}
		if back := strings.HasPrefix(to.String(), b.url+"/oidc/callback"); back {
			if a = b.get(to.String()); a.StatusCode == http.StatusSeeOther {
				return
			}
			break
		}
		a = b.get(to.String())
	}
	b.t.Fatalf("signing in as %s: %d %s", username, a.StatusCode, a.main())
}

// sql runs a statement past the rules.
func (s *site) sql(statement string, args ...any) {
	s.t.Helper()
	if _, err := s.super.Exec(s.t.Context(), statement, args...); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

// text reads one text past the rules.
func (s *site) text(query string, args ...any) string {
	s.t.Helper()
	var text string
	if err := s.super.QueryRow(s.t.Context(), query, args...).Scan(&text); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return text
}

// trail is the number of entries of an outcome in all trails.
func (s *site) trail(outcome string) int {
	s.t.Helper()
	var n int
	if err := s.super.QueryRow(s.t.Context(), `SELECT count(*) FROM gatehouse.audit_events WHERE outcome = $1`, outcome).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// facts is everything that Gatehouse keeps, except the trail, sign-ins under way and what a session remembers: equal
// facts mean that nothing was done.
func (s *site) facts() string {
	s.t.Helper()
	names, err := s.super.Query(s.t.Context(), `SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'r' AND (n.nspname = 'gatehouse' AND c.relname NOT IN ('audit_events', 'audit_heads', 'sign_in_attempts', 'sessions', 'knocks')
		   OR n.nspname = 'river' AND c.relname = 'river_job') ORDER BY 1`)
	if err != nil {
		s.t.Fatal(err)
	}
	tables, err := pgx.CollectRows(names, pgx.RowTo[string])
	if err != nil {
		s.t.Fatal(err)
	}
	parts := []string{`SELECT 'sessions', string_agg(session_id::text, ' ' ORDER BY session_id) FROM gatehouse.sessions`}
	for _, table := range tables {
		parts = append(parts, "SELECT '"+table+"', md5(string_agg(r::text, ' ' ORDER BY r::text)) FROM "+table+" r")
	}
	return s.text("SELECT string_agg(t.a || ' ' || coalesce(t.b, '-'), E'\n' ORDER BY t.a) FROM (" + strings.Join(parts, " UNION ALL ") + ") t (a, b)")
}

// stock gives both tenants a facility, a bin, a material and decisions, so that checks have something to read.
func (s *site) stock() {
	s.t.Helper()
	for n, tenant := range []uuid.UUID{housetest.Rivermark, housetest.Saltway} {
		fill := strings.NewReplacer("{tenant}", tenant.String(), "{n}", string(rune('1'+n)))
		s.sql(fill.Replace(`INSERT INTO tenants (tenant_id, tenant_code, tenant_name) VALUES ('{tenant}', 't{n}', 'Tenant {n}')`))
		s.sql(fill.Replace(`INSERT INTO facilities (tenant_id, facility_id, facility_code, facility_name, address_line1, city, postal_code, country)
			VALUES ('{tenant}', '00000000-0000-7000-8000-0000000000a{n}', 'F', 'North', 'x', 'x', 'x', 'x')`))
		s.sql(fill.Replace(`INSERT INTO materials (tenant_id, material_id, material_code, material_name, material_type)
			VALUES ('{tenant}', '00000000-0000-7000-8000-0000000000c{n}', 'M', 'M', 'INK')`))
		s.sql(fill.Replace(`INSERT INTO inventory_locations (tenant_id, location_id, facility_id, location_code, location_type, cubic_feet)
			VALUES ('{tenant}', '00000000-0000-7000-8000-0000000000b{n}', '00000000-0000-7000-8000-0000000000a{n}', 'Z-A-1-1', 'RESERVE', 100)`))
	}
}
