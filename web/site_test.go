package web_test

import (
	"bytes"
	"context"
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

	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/oidc"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/web"
)

// site is a whole server with a real database and a real identity provider, and a few routes to knock at.
type site struct {
	t        testing.TB
	url      string
	database *pgtest.Database
	db       *postgres.DB
	provider *demoidp.Provider
	web      *web.Web
	clock    *clock
	log      *logBook
	panics   int
	config   web.Config
}

// clock is time that a test can move.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBook) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.text.String()
	l.text.Reset()
	return s
}

type option func(*settings)

type settings struct {
	config web.Config
	idp    demoidp.Config
	oidc   oidc.Config
	now    func() time.Time // the provider adapter's clock
}

func open(t *testing.T, options ...option) *site {
	t.Helper()
	s := &site{t: t, database: housetest.At(t, ""), clock: &clock{}, log: &logBook{}}
	s.db = housetest.Open(t, s.database)
	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	set := &settings{
		idp: demoidp.Config{
			ClientID: "gatehouse", ClientSecret: "secret of the test", RedirectURIs: []string{s.url + "/oidc/callback"},
			PostLogoutURIs: []string{s.url + "/signed-out"}, BackChannelLogoutURI: s.url + "/oidc/backchannel",
			People: append(demoidp.DemoPeople(), strangers()...),
		},
		now: s.clock.Now,
	}
	set.config = web.Config{
		PublicURL: s.url, Environment: layouts.Demo, Sessions: postgres.Sessions{DB: s.db}, Attempts: postgres.SignIns{DB: s.db},
		People: postgres.People{DB: s.db}, Credentials: postgres.Credentials{DB: s.db}, Recorder: postgres.Audit{DB: s.db},
		SignInsPerMinute: 1000, WayBack: postgres.WayBack{DB: s.db}, Knocks: postgres.Knocks{DB: s.db}, OnPanic: func() { s.panics++ }, Now: s.clock.Now,
		Places: []web.Place{{Place: layouts.PlaceHealth, Label: "Health", Href: "/things", Right: actor.HealthRead}},
		Log:    slog.New(slog.NewJSONHandler(s.log, nil)),
		Meter: func(ctx context.Context) (context.Context, func() (int64, int64)) {
			ctx, m := postgres.WithMeter(ctx)
			return ctx, func() (int64, int64) { return m.Statements(), m.Trips() }
		},
	}
	for _, o := range options {
		o(set)
	}
	var err error
	if s.provider, err = demoidp.Start(t.Context(), set.idp); err != nil {
		t.Fatalf("starting the provider: %v", err)
	}
	t.Cleanup(s.provider.Close)
	set.oidc.DisplayName, set.oidc.Issuer, set.oidc.ClientID, set.oidc.ClientSecret = "Demo ID", s.provider.Issuer(), "gatehouse", "secret of the test"
	set.oidc.RedirectURL, set.oidc.PostLogoutURL, set.oidc.Now = s.url+"/oidc/callback", s.url+"/signed-out", set.now
	if set.config.Provider == nil {
		if set.config.Provider, err = oidc.New(set.oidc); err != nil {
			t.Fatalf("making the adapter: %v", err)
		}
	}
	s.config = set.config
	if s.web, err = web.New(set.config); err != nil {
		t.Fatalf("web.New: %v", err)
	}
	s.web.Mount(s.routes())
	server.Config.Handler = s.web.Handler()
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log:\n%s", s.log.take())
		}
	})
	return s
}

func strangers() []demoidp.Person {
	return []demoidp.Person{
		{Username: "norole@rivermark", Password: "demo", Name: "Nobody Special", Tenant: "rivermark", Groups: []string{"cleaners", "choir"}},
		{Username: "nogroups@rivermark", Password: "demo", Name: "No Groups", Tenant: "rivermark"},
		{Username: "viewer@nowhere", Password: "demo", Name: "From Nowhere", Tenant: "nowhere", Groups: []string{"viewer"}},
		{Username: "viewer@none", Password: "demo", Name: "Without Company", Groups: []string{"viewer"}},
	}
}

// routes are the doors of the test: one of each kind.
func (s *site) routes() []web.Route {
	text := func(c echo.Context) error {
		by := web.Actor(c)
		return c.String(http.StatusOK, "here is "+by.Subject+" of "+by.TenantCode+" typed="+web.Prefill(c)["reason"])
	}
	form := func(c echo.Context) error {
		f, err := web.Form(c)
		if err != nil {
			return err
		}
		reason := f.Text("reason", 3, 200)
		if err := f.Err(); err != nil {
			return err
		}
		web.Flash(c, layouts.FlashGood, "Kept: "+reason)
		return web.SeeOther(c, "/things")
	}
	return []web.Route{
		{Method: http.MethodGet, Path: "/", Access: web.Public, Handler: text},
		{Method: http.MethodGet, Path: "/livez", Access: web.Bare, Handler: func(c echo.Context) error { return c.String(http.StatusOK, "alive") }},
		{Method: http.MethodGet, Path: "/home", Access: web.SignedIn, Handler: text},
		{Method: http.MethodPost, Path: "/home", Access: web.SignedIn, Action: "home:change", Handler: form},
		web.Needs(http.MethodGet, "/things", actor.HealthRead, func(c echo.Context) error {
			return web.Page(c, http.StatusOK, layouts.Frame(web.Shell(c, "Things"), "things"))
		}),
		web.Needs(http.MethodGet, "/audit", actor.AuditRead, text),
		web.Needs(http.MethodPost, "/apply", actor.MigrationApply, form),
		web.Needs(http.MethodPost, "/again", actor.HealthRead, func(c echo.Context) error {
			f, err := web.Form(c)
			if err != nil {
				return err
			}
			f.Text("reason", 3, 200)
			if refused, ok := fault.As(f.Err()); ok {
				return web.Again(c, refused, layouts.Frame(web.Shell(c, "Typed: "+f.Raw("reason")), "again"))
			}
			return web.SeeOther(c, "/things")
		}),
		{Method: http.MethodGet, Path: "/sign", Right: actor.GateSign, Handler: text},
		{Method: http.MethodPost, Path: "/sign", Right: actor.GateSign, Fresh: 5 * time.Minute, Doing: "sign this gate", Handler: form},
		web.Needs(http.MethodGet, "/api/things", actor.HealthRead, func(c echo.Context) error {
			return c.JSON(http.StatusOK, map[string]string{"origin": string(web.Actor(c).Origin), "tenant": web.Actor(c).TenantCode})
		}),
		{Method: http.MethodGet, Path: "/slow", Access: web.SignedIn, Handler: func(c echo.Context) error {
			<-c.Request().Context().Done()
			return c.Request().Context().Err()
		}},
		{Method: http.MethodGet, Path: "/panic", Access: web.Public, Handler: func(echo.Context) error { panic("the secret of the panic") }},
		{Method: http.MethodGet, Path: "/broken", Access: web.Public, Handler: func(echo.Context) error {
			return fault.New(fault.Internal, "secret text").Because(io.ErrUnexpectedEOF)
		}},
	}
}

// browser is one person's browser: it keeps cookies and follows redirects by hand.
type browser struct {
	*site
	client *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatalf("cookiejar.New: %v", err)
	}
	return &browser{s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type answer struct {
	*http.Response
	body string
}

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
	return answer{res, string(body)}
}

// main is the middle of the page, for failures.
func (a answer) main() string {
	if _, after, ok := strings.Cut(a.body, "<main"); ok {
		before, _, _ := strings.Cut(after, "</main>")
		return before
	}
	return a.body
}

func (b *browser) request(method, where string, fields url.Values) *http.Request {
	b.t.Helper()
	if strings.HasPrefix(where, "/") {
		where = b.url + where
	}
	var body io.Reader
	if fields != nil {
		body = strings.NewReader(fields.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, where, body)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, where, err)
	}
	if fields != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return r
}

func (b *browser) get(where string) answer {
	b.t.Helper()
	return b.do(b.request(http.MethodGet, where, nil))
}

func (b *browser) post(where string, fields url.Values) answer {
	b.t.Helper()
	if fields == nil {
		fields = url.Values{}
	}
	return b.do(b.request(http.MethodPost, where, fields))
}

// follow goes along redirects until a page answers.
func (b *browser) follow(a answer) answer {
	b.t.Helper()
	for range 10 {
		to, err := a.Location()
		if err != nil {
			return a
		}
		a = b.get(to.String())
	}
	b.t.Fatalf("the redirects do not end")
	return a
}

var loginID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// toCallback goes from /login through the provider's page and stops before our callback.
func (b *browser) toCallback(login, username string) string {
	b.t.Helper()
	a := b.get(login)
	for range 5 {
		to, err := a.Location()
		if err != nil {
			break
		}
		if strings.HasPrefix(to.String(), b.url+"/oidc/callback") {
			return to.String()
		}
		a = b.get(to.String())
	}
	found := loginID.FindStringSubmatch(a.body)
	if found == nil {
		b.t.Fatalf("GET %s did not lead to the provider's page: %d %s", login, a.StatusCode, a.main())
	}
	a = b.post(b.provider.Issuer()+"/login", url.Values{"id": {found[1]}, "username": {username}, "password": {demoidp.Password}})
	for range 5 {
		to, err := a.Location()
		if err != nil {
			b.t.Fatalf("the provider did not send %s back: %d %s", username, a.StatusCode, a.main())
		}
		if strings.HasPrefix(to.String(), b.url+"/oidc/callback") {
			return to.String()
		}
		a = b.get(to.String())
	}
	b.t.Fatalf("the provider's redirects do not end")
	return ""
}

// signIn signs in and gives the answer of the callback.
func (b *browser) signIn(username string) answer {
	b.t.Helper()
	return b.get(b.toCallback("/login", username))
}

// as is a browser in which somebody is signed in.
func (s *site) as(username string) *browser {
	s.t.Helper()
	b := s.browser()
	if a := b.signIn(username); a.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("signing in as %s: %d %s", username, a.StatusCode, a.main())
	}
	return b
}

func (b *browser) cookie(name string) string {
	u, err := url.Parse(b.url)
	if err != nil {
		b.t.Fatalf("url.Parse(%q): %v", b.url, err)
	}
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "__Host-"+name {
			return c.Value
		}
	}
	return ""
}

// subject of a demo person.
func (s *site) subject(username string) string {
	for _, p := range s.provider.People() {
		if p.Username == username {
			return p.Subject()
		}
	}
	s.t.Fatalf("nobody is %s", username)
	return ""
}

// sql runs a statement past the rules.
func (s *site) sql(statement string, args ...any) {
	s.t.Helper()
	if _, err := pgtest.Pool(s.t, s.database.SuperURL).Exec(s.t.Context(), statement, args...); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

// rows reads one column of text past the rules.
func (s *site) rows(query string, args ...any) []string {
	s.t.Helper()
	rows, err := pgtest.Pool(s.t, s.database.SuperURL).Query(s.t.Context(), query, args...)
	if err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return list
}

func (s *site) events(action string, outcome audit.Outcome) []string {
	return s.rows(`SELECT subject || ' ' || reason FROM gatehouse.audit_events WHERE action = $1 AND outcome = $2 ORDER BY at`, action, string(outcome))
}

func wantStatus(t *testing.T, what string, got answer, want int) {
	t.Helper()
	if got.StatusCode != want {
		t.Errorf("%s = %d, want %d\n%s", what, got.StatusCode, want, got.main())
	}
}

func wantText(t *testing.T, what, got string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %q:\n%s", what, want, got)
		}
	}
}

var rivermark, saltway = housetest.Rivermark, housetest.Saltway
