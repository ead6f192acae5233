package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/web"
)

const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *settings) { o.config.PublicURL = "https://gatehouse.example" })
	b := s.browser()
	for _, route := range append(s.web.Routes(), web.Route{Method: http.MethodGet, Path: "/nowhere"}, web.Route{Method: http.MethodDelete, Path: "/home"}) {
		a := b.do(b.request(route.Method, strings.NewReplacer(":session", "x").Replace(route.Path), nil))
		got := map[string]string{}
		want := map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store", "Server": "",
			"Strict-Transport-Security": "max-age=63072000; includeSubDomains",
		}
		for name := range want {
			got[name] = a.Header.Get(name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %s = %d (-want +got):\n%s", route.Method, route.Path, a.StatusCode, diff)
		}
		if a.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s %s has no reference", route.Method, route.Path)
		}
	}
}

func TestWhoGetsWhat(t *testing.T) {
	t.Parallel()
	s := open(t)
	nobody, viewer, lead := s.browser(), s.as("viewer@rivermark"), s.as("devops.lead@rivermark")
	reason := url.Values{"reason": {"because"}}
	for _, c := range []struct {
		method, path               string
		fields                     url.Values
		nobody, viewer, devopsLead int
	}{
		{http.MethodGet, "/", nil, 200, 200, 200},
		{http.MethodGet, "/home", nil, 401, 200, 200},
		{http.MethodPost, "/home", reason, 401, 303, 303},
		{http.MethodGet, "/things", nil, 401, 200, 200},
		{http.MethodGet, "/audit", nil, 401, 403, 200},
		{http.MethodPost, "/apply", reason, 401, 403, 303},
		{http.MethodPost, "/sign", reason, 401, 403, 303},
		{http.MethodGet, "/api/things", nil, 401, 200, 200},
		{http.MethodPost, "/apply", url.Values{"reason": {"x"}}, 401, 403, 422},
		{http.MethodPost, "/apply", url.Values{"reason": {"because"}, "_method": {"DELETE"}}, 401, 403, 422},
		{http.MethodHead, "/apply", nil, 405, 405, 405},
		{http.MethodTrace, "/apply", nil, 405, 405, 405},
		{http.MethodDelete, "/apply", nil, 405, 405, 405},
		{http.MethodGet, "/apply", nil, 405, 405, 405},
		{http.MethodGet, "/nowhere", nil, 404, 404, 404},
	} {
		for _, who := range []struct {
			name string
			b    *browser
			want int
		}{{"nobody", nobody, c.nobody}, {"viewer", viewer, c.viewer}, {"devops lead", lead, c.devopsLead}} {
			r := who.b.request(c.method, c.path, c.fields)
			wantStatus(t, c.method+" "+c.path+" by "+who.name, who.b.do(r), who.want)
		}
	}
	refused := s.events("migration:apply", audit.Refused)
	if len(refused) < 5 {
		t.Errorf("the trail holds %d refusals of migration:apply, want each: %q", len(refused), refused)
	}
	forbidden := viewer.get("/audit")
	wantText(t, "a refused right", forbidden.body, "Viewer", "audit:read", "data-who-may", "Auditor")
	if got := s.events("audit:read", audit.Refused); len(got) != 2 {
		t.Errorf("the trail holds %d refusals of audit:read, want 2", len(got))
	}
	options := viewer.do(viewer.request(http.MethodOptions, "/apply", nil))
	if options.StatusCode != http.StatusNoContent && options.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("OPTIONS /apply = %d", options.StatusCode)
	}
}

func TestOtherSitesCannotChangeAnything(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("devops.lead@rivermark")
	for name, header := range map[string][2]string{
		"cross-site":     {"Sec-Fetch-Site", "cross-site"},
		"same-site":      {"Sec-Fetch-Site", "same-site"},
		"another origin": {"Origin", "https://evil.example"},
		"null origin":    {"Origin", "null"},
	} {
		for _, route := range s.web.Routes() {
			if route.Method != http.MethodPost {
				continue
			}
			r := b.request(http.MethodPost, route.Path, url.Values{"reason": {"because"}})
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set(header[0], header[1])
			wantStatus(t, name+": POST "+route.Path, b.do(r), http.StatusForbidden)
		}
	}
	wantStatus(t, "GET /home afterwards", b.get("/home"), http.StatusOK)
	plain := b.request(http.MethodPost, "/apply", url.Values{"reason": {"because"}})
	plain.Header.Set("Content-Type", "text/plain")
	wantStatus(t, "a form as text/plain", b.do(plain), http.StatusUnprocessableEntity)
	twice := b.request(http.MethodPost, "/apply", url.Values{"reason": {"one", "two"}})
	wantStatus(t, "a field that stands twice", b.do(twice), http.StatusUnprocessableEntity)
	big := b.post("/apply", url.Values{"reason": {strings.Repeat("x", 1<<20)}})
	wantStatus(t, "a body over 1 MiB", big, http.StatusRequestEntityTooLarge)
}

func TestFailuresSayNothingOfUs(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	for _, path := range []string{"/panic", "/broken"} {
		s.log.take()
		a := b.get(path)
		wantText(t, path, a.body, a.Header.Get("X-Request-Id"))
		for _, secret := range []string{"secret", "goroutine", ".go", "SQLSTATE", "go1."} {
			if strings.Contains(a.main(), secret) {
				t.Errorf("GET %s shows %q: %s", path, secret, a.main())
			}
		}
		wantText(t, "the log", s.log.take(), a.Header.Get("X-Request-Id"), `"status":500`)
	}
	wantStatus(t, "GET /panic", b.get("/panic"), http.StatusInternalServerError)
	if s.panics != 2 {
		t.Errorf("%d panics counted, want 2", s.panics)
	}
	wantStatus(t, "GET / afterwards", b.get("/"), http.StatusOK)
}

// A page is smaller with gzip, and whole again when it is unpacked; who does not take it gets it plain.
func TestPagesAreSentWithGzipToWhoTakesIt(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	for accepted, want := range map[string]string{"": "", "br": "", "gzip;q=0": "", "gzip, deflate, br": "gzip"} {
		for _, path := range []string{"/signed-out", "/nowhere"} {
			r := b.request(http.MethodGet, path, nil)
			r.Header.Set("Accept-Encoding", accepted) // set by hand, so that the client leaves the body as it came
			a := b.do(r)
			body := a.body
			if got := a.Header.Get("Content-Encoding"); got != want {
				t.Errorf("GET %s, accepting %q, comes with encoding %q, want %q", path, accepted, got, want)
			}
			if !strings.Contains(strings.Join(a.Header.Values("Vary"), ","), "Accept-Encoding") {
				t.Errorf("GET %s, accepting %q, varies by %q", path, accepted, a.Header.Values("Vary"))
			}
			if want == "gzip" {
				z, err := gzip.NewReader(strings.NewReader(body))
				if err != nil {
					t.Fatalf("GET %s: %v", path, err)
				}
				raw, err := io.ReadAll(z)
				if err != nil {
					t.Fatalf("GET %s: %v", path, err)
				}
				if len(body) >= len(raw) {
					t.Errorf("GET %s is %d bytes with gzip and %d without", path, len(body), len(raw))
				}
				body = string(raw)
			}
			if !strings.Contains(body, "<main") || !strings.HasSuffix(strings.TrimSpace(body), "</html>") {
				t.Errorf("GET %s, accepting %q, is not the whole page", path, accepted)
			}
		}
	}
}

func TestFlashIsShownOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("devops.lead@rivermark")
	after := b.follow(b.post("/apply", url.Values{"reason": {"<b>because</b>"}}))
	wantText(t, "the page after the act", after.body, `data-flash="good"`, "Kept: &lt;b&gt;because&lt;/b&gt;")
	if again := b.get("/things"); strings.Contains(again.body, "data-flash") {
		t.Errorf("the sentence is shown twice")
	}
}

func TestThemeIsRemembered(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("viewer@rivermark")
	a := b.post("/theme", url.Values{"theme": {"dark"}, "return": {"/things"}})
	if got := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || got != "/things" {
		t.Errorf("POST /theme = %d to %q, want 303 to /things", a.StatusCode, got)
	}
	wantText(t, "GET /things", b.get("/things").body, `data-theme="dark"`, `data-nav="health"`)
	away := b.post("/theme", url.Values{"theme": {"system"}, "return": {"//evil.example"}})
	if got := away.Header.Get("Location"); got != "/" {
		t.Errorf("POST /theme leads to %q, want /", got)
	}
	if got := b.get("/things").body; strings.Contains(got, "data-theme=") {
		t.Errorf("the theme is still chosen")
	}
}

func TestForwardedAddressesCountOnlyFromTrustedProxies(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.as("viewer@rivermark")
	r := b.request(http.MethodGet, "/audit", nil)
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	wantStatus(t, "GET /audit", b.do(r), http.StatusForbidden)
	got := s.rows(`SELECT DISTINCT ip FROM gatehouse.audit_events WHERE action = 'audit:read'`)
	if diff := cmp.Diff([]string{"127.0.0.1"}, got); diff != "" {
		t.Errorf("address in the trail (-want +got):\n%s", diff)
	}
}

// A form that is shown again with what was typed was refused all the same, and the trail says so, without the words.
func TestAFormThatIsShownAgainIsWrittenDownAsRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	theirs, ours := s.as("viewer@saltway"), s.as("viewer@rivermark")
	r := ours.post("/again", url.Values{"reason": {"§§"}})
	wantStatus(t, "a form with a reason that is too short", r, 422)
	wantText(t, "the form shown again", r.body, "Typed: §§")
	got := s.events(string(actor.HealthRead), audit.Refused)
	if len(got) != 1 || !strings.Contains(got[0], "(reason)") || strings.Contains(got[0], "§§") {
		t.Errorf("the trail holds %q, want one refusal that names the field and not what was typed", got)
	}
	wantStatus(t, "the same form, put right, by the other tenant", theirs.post("/again", url.Values{"reason": {"because"}}), 303)
	if got := s.events(string(actor.HealthRead), audit.Refused); len(got) != 1 {
		t.Errorf("the trail holds %q, want no second refusal", got)
	}
}

// The page after a sign-out is the answer to a POST; whoever asks for its address gets the one that can be reloaded.
func TestTheAddressOfSigningOutCanBeReloaded(t *testing.T) {
	t.Parallel()
	nobody := open(t).browser()
	r := nobody.get("/logout")
	wantStatus(t, "GET /logout", r, 303)
	if got := r.Header.Get("Location"); got != "/signed-out" {
		t.Errorf("GET /logout leads to %q, want /signed-out", got)
	}
}

// D05: what does not come back is given up, with a page that says so, and the person stays signed in.
func TestARequestEndsByItsDeadline(t *testing.T) {
	s := open(t, func(set *settings) { set.config.ReadWithin = 3 * time.Second })
	b := s.browser()
	b.signIn("viewer@rivermark")
	a := b.get("/slow")
	wantStatus(t, "GET of what does not come back", a, http.StatusServiceUnavailable)
	if a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, "took too long") {
		t.Errorf("a request that was given up is answered with Retry-After %q and\n%s", a.Header.Get("Retry-After"), a.body)
	}
	wantStatus(t, "GET /home afterwards", b.get("/home"), http.StatusOK)
}
