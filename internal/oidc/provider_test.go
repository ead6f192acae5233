package oidc_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/oidc"
)

const callback = "http://gatehouse.test/oidc/callback"

// pair is an adapter and the provider it speaks to.
type pair struct {
	t        *testing.T
	provider *demoidp.Provider
	adapter  *oidc.Provider
}

func start(t *testing.T, change func(*oidc.Config, *demoidp.Config)) pair {
	t.Helper()
	idp := demoidp.Config{ClientID: "gatehouse", ClientSecret: "secret", RedirectURIs: []string{callback}}
	config := oidc.Config{ClientID: "gatehouse", ClientSecret: "secret", RedirectURL: callback, PostLogoutURL: "http://gatehouse.test/signed-out"}
	if change != nil {
		change(&config, &idp)
	}
	provider, err := demoidp.Start(t.Context(), idp)
	if err != nil {
		t.Fatalf("demoidp.Start: %v", err)
	}
	t.Cleanup(provider.Close)
	config.Issuer = provider.Issuer()
	adapter, err := oidc.New(config)
	if err != nil {
		t.Fatalf("oidc.New: %v", err)
	}
	return pair{t, provider, adapter}
}

func attempt() actor.SignIn {
	return actor.SignIn{State: "the state", Nonce: "the nonce", Verifier: strings.Repeat("v", 43), ReturnTo: "/"}
}

var loginID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// code goes through the provider's pages as a person and gives the code that comes back.
func (p pair) code(s actor.SignIn, username string) string {
	p.t.Helper()
	to, err := p.adapter.Begin(p.t.Context(), s)
	if err != nil {
		p.t.Fatalf("Begin: %v", err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatalf("cookiejar.New: %v", err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "gatehouse.test" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page := p.fetch(client, to, nil)
	found := loginID.FindStringSubmatch(page.body)
	if found == nil {
		p.t.Fatalf("no login page at %s: %s", to, page.body)
	}
	back := p.fetch(client, p.provider.Issuer()+"/login", url.Values{"id": {found[1]}, "username": {username}, "password": {demoidp.Password}})
	location, err := back.Location()
	if err != nil {
		p.t.Fatalf("no way back for %s: %d %s", username, back.StatusCode, back.body)
	}
	if got := location.Query().Get("state"); got != s.State {
		p.t.Fatalf("state = %q, want %q", got, s.State)
	}
	return location.Query().Get("code")
}

type answer struct {
	*http.Response
	body string
}

func (p pair) fetch(client *http.Client, to string, form url.Values) answer {
	p.t.Helper()
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, to, body)
	if err != nil {
		p.t.Fatalf("%s: %v", to, err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := client.Do(r)
	if err != nil {
		p.t.Fatalf("%s: %v", to, err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatalf("%s: %v", to, err)
	}
	return answer{res, string(text)}
}

// finish signs somebody in with the behaviour of the moment.
func (p pair) finish(s actor.SignIn, username string) (actor.Identity, error) {
	p.t.Helper()
	return p.adapter.Finish(p.t.Context(), p.code(s, username), s)
}

func TestAnHonestSignIn(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	got, err := p.finish(attempt(), "devops.lead@rivermark")
	if err != nil {
		t.Fatalf("Finish: %v", err)
	}
	if time.Since(got.AuthTime) > time.Minute || got.ProviderSession == "" || got.IDToken == "" {
		t.Errorf("Finish = %+v, want a fresh auth_time, a sid and the ID token", got)
	}
	got.AuthTime, got.ProviderSession, got.IDToken = time.Time{}, "", ""
	want := actor.Identity{
		Issuer: p.provider.Issuer(), Subject: demoidp.DemoPeople()[0].Subject(), Name: "Dana Okafor", Email: "devops.lead@rivermark.example",
		Tenant: "rivermark", Roles: []actor.Role{actor.DevOpsLead}, ACR: "1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Finish (-want +got):\n%s", diff)
	}
	out, err := url.Parse(p.adapter.SignOut(t.Context(), "the token"))
	if err != nil || out.Query().Get("id_token_hint") != "the token" || out.Query().Get("post_logout_redirect_uri") == "" {
		t.Errorf("SignOut = %v, %v", out, err)
	}
}

// TestWhatTheProviderSendsIsProven is RELIABILITY 3.2: each row is one thing that is wrong, with the reason given.
func TestWhatTheProviderSendsIsProven(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	set := func(name string, value any) demoidp.Behaviour {
		return demoidp.Behaviour{Claims: func(c map[string]any) { c[name] = value }}
	}
	drop := func(name string) demoidp.Behaviour {
		return demoidp.Behaviour{Claims: func(c map[string]any) { delete(c, name) }}
	}
	both := func(pairs ...any) demoidp.Behaviour {
		return demoidp.Behaviour{Claims: func(c map[string]any) {
			for i := 0; i < len(pairs); i += 2 {
				c[pairs[i].(string)] = pairs[i+1] //nolint:forcetypeassert // names stand at even places
			}
		}}
	}
	seconds := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for _, c := range []struct {
		name    string
		b       demoidp.Behaviour
		fresh   bool
		refused string // empty: accepted
	}{
		{name: "honest"},
		{name: "another issuer", b: set("iss", "https://evil.example"), refused: "another issuer"},
		{name: "another audience", b: both("aud", "other", "azp", "other"), refused: "made for another application"},
		{name: "a second audience without azp", b: demoidp.Behaviour{Claims: func(c map[string]any) {
			c["aud"] = []string{"other", "gatehouse"}
			delete(c, "azp")
		}}, refused: "for other applications too"},
		{name: "a second audience, azp another", b: both("aud", []string{"other", "gatehouse"}, "azp", "other"), refused: "azp"},
		{name: "one audience, azp another", b: set("azp", "other"), refused: "azp"},
		{name: "a second audience, azp us", b: both("aud", []string{"other", "gatehouse"}, "azp", "gatehouse")},
		{name: "no nonce", b: drop("nonce"), refused: "nonce"},
		{name: "another nonce", b: set("nonce", "the nonce of another"), refused: "nonce"},
		{name: "no signature", b: demoidp.Behaviour{Signing: demoidp.Unsigned}, refused: "not signed in a way that counts"},
		{name: "the public key as a secret", b: demoidp.Behaviour{Signing: demoidp.HMACOfPublicKey}, refused: "not signed in a way that counts"},
		{name: "another key", b: demoidp.Behaviour{Signing: demoidp.ForeignKey}, refused: "signature"},
		{name: "no key id", b: demoidp.Behaviour{Signing: demoidp.NoKeyID}},
		{name: "expired", b: set("exp", seconds(-3*time.Minute)), refused: "expired"},
		{name: "no exp", b: drop("exp"), refused: "(exp)"},
		{name: "not yet", b: set("nbf", seconds(4*time.Minute)), refused: "(nbf)"},
		{name: "no iat", b: drop("iat"), refused: "(iat)"},
		{name: "iat a day ahead", b: set("iat", seconds(24*time.Hour)), refused: "clock differs by"},
		{name: "no sub", b: drop("sub"), refused: "(sub)"},
		{name: "an empty sub", b: set("sub", " "), refused: "(sub)"},
		{name: "a sub with a NUL", b: set("sub", "a\x00b"), refused: "control characters"},
		{name: "another at_hash", b: set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), refused: "at_hash"},
		{name: "no at_hash", b: drop("at_hash")},
		{name: "no auth_time", b: drop("auth_time")},
		{name: "no auth_time, fresh", b: drop("auth_time"), fresh: true, refused: "auth_time"},
		{name: "old auth_time, fresh", b: set("auth_time", seconds(-6*time.Minute)), fresh: true, refused: "not afresh"},
		{name: "auth_time 4 minutes ago, fresh", b: set("auth_time", seconds(-4*time.Minute)), fresh: true},
		{name: "userinfo of another", b: demoidp.Behaviour{Userinfo: func(c map[string]any) { c["sub"] = "somebody" }}, refused: "somebody else"},
	} {
		s := attempt()
		if c.fresh {
			s.ExpectIssuer, s.ExpectSubject = p.provider.Issuer(), demoidp.DemoPeople()[0].Subject()
		}
		p.provider.Behave(c.b)
		id, err := p.finish(s, "devops.lead@rivermark")
		p.provider.Behave(demoidp.Behaviour{})
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%s: Finish = %v, want it accepted", c.name, err)
		case c.refused == "":
		case err == nil:
			t.Errorf("%s: Finish = %v, want a refusal", c.name, id)
		case !fault.Is(err, fault.Unauthenticated) || !strings.Contains(err.Error(), c.refused):
			t.Errorf("%s: Finish = %v, want a refusal that says %q", c.name, err, c.refused)
		case strings.Contains(err.Error(), "eyJ"):
			t.Errorf("%s: the refusal holds a token: %v", c.name, err)
		}
	}
}

func TestTheClocksMayDifferALittle(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	for _, c := range []struct {
		ahead time.Duration
		says  string
	}{
		{90 * time.Second, ""},
		{-90 * time.Second, ""},
		{10 * time.Minute, "clock differs by 10 minutes: it is ahead of ours"},
		{-10 * time.Minute, "clock differs by 10 minutes: it is behind ours"},
	} {
		p.provider.Behave(demoidp.Behaviour{Clock: c.ahead})
		_, err := p.finish(attempt(), "viewer@rivermark")
		p.provider.Behave(demoidp.Behaviour{})
		if (err == nil) != (c.says == "") || (err != nil && !strings.Contains(err.Error(), c.says)) {
			t.Errorf("provider's clock %v ahead: Finish = %v, want %q", c.ahead, err, c.says)
		}
	}
}

func TestACodeIsOfOneSignIn(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	s := attempt()
	code := p.code(s, "viewer@rivermark")
	other := s
	other.Verifier = strings.Repeat("w", 43)
	if _, err := p.adapter.Finish(t.Context(), code, other); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("Finish with another verifier = %v, want Unauthenticated", err)
	}
	if _, err := p.adapter.Finish(t.Context(), "", s); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("Finish without a code = %v, want Unauthenticated", err)
	}
}

func TestRoleClaims(t *testing.T) {
	t.Parallel()
	p := start(t, func(o *oidc.Config, _ *demoidp.Config) { o.RoleClaim = "realm_access.roles" })
	many := make([]string, 10000)
	for i := range many {
		many[i] = "group-" + strings.Repeat("x", i%10)
	}
	many[9999] = "qa_lead"
	for _, c := range []struct {
		name    string
		claim   any
		roles   []actor.Role
		unknown int
	}{
		{"missing", nil, nil, 0},
		{"a string", "viewer", []actor.Role{actor.Viewer}, 0},
		{"words in a string", "admin viewer", nil, 1},
		{"with a space", []string{"admin ", " admin"}, nil, 2},
		{"other case", []string{"Admin"}, nil, 1},
		{"objects by name", []any{map[string]any{"name": "qa_lead"}, map[string]any{"id": "viewer"}, map[string]any{"other": "admin"}}, []actor.Role{actor.QALead, actor.Viewer}, 0},
		{"numbers", []any{1, true, nil, "viewer"}, []actor.Role{actor.Viewer}, 0},
		{"twice", []string{"viewer", "viewer"}, []actor.Role{actor.Viewer}, 0},
		{"ten thousand", many, []actor.Role{actor.QALead}, 50},
		{"a map", map[string]any{"admin": true}, nil, 0},
	} {
		p.provider.Behave(demoidp.Behaviour{Claims: func(claims map[string]any) {
			delete(claims, "groups")
			if c.claim != nil {
				claims["realm_access"] = map[string]any{"roles": c.claim}
			}
		}})
		id, err := p.finish(attempt(), "viewer@rivermark")
		if err != nil {
			t.Errorf("%s: Finish: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.roles, id.Roles); diff != "" || len(id.UnknownRoles) != c.unknown {
			t.Errorf("%s: roles (-want +got):\n%s%d unknown, want %d", c.name, diff, len(id.UnknownRoles), c.unknown)
		}
	}
}

func TestGroupsAsObjectsAndOnlyInUserinfo(t *testing.T) {
	t.Parallel()
	p := start(t, func(_ *oidc.Config, d *demoidp.Config) { d.GroupsAsObjects = true })
	p.provider.Behave(demoidp.Behaviour{Claims: func(c map[string]any) { delete(c, "groups") }})
	id, err := p.finish(attempt(), "qa.lead@rivermark")
	if err != nil {
		t.Fatalf("Finish: %v", err)
	}
	if diff := cmp.Diff([]actor.Role{actor.QALead}, id.Roles); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
}

func TestTheProviderMayComeLater(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	p.provider.Behave(demoidp.Behaviour{Down: true})
	if _, err := p.adapter.Begin(t.Context(), attempt()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "identity provider cannot be reached") {
		t.Errorf("Begin = %v, want Unavailable", err)
	}
	p.provider.Behave(demoidp.Behaviour{DiscoveryIssuer: "https://evil.example"})
	if _, err := p.adapter.Begin(t.Context(), attempt()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "another name (issuer)") {
		t.Errorf("Begin = %v, want Unavailable that names the issuer", err)
	}
	p.provider.Behave(demoidp.Behaviour{})
	if _, err := p.finish(attempt(), "viewer@rivermark"); err != nil {
		t.Errorf("Finish once it is there: %v", err)
	}
}

func TestRotatedKeysWorkAtOnce(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	for i := range 2 {
		if _, err := p.finish(attempt(), "viewer@rivermark"); err != nil {
			t.Fatalf("sign-in %d: %v", i, err)
		}
		if i == 0 {
			if err := p.provider.Rotate(); err != nil {
				t.Fatalf("Rotate: %v", err)
			}
		}
	}
}

func TestUnknownKeysCostOneFetch(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var mu sync.Mutex
	p := start(t, func(o *oidc.Config, _ *demoidp.Config) {
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	if _, err := p.finish(attempt(), "viewer@rivermark"); err != nil {
		t.Fatalf("Finish: %v", err)
	}
	before := p.provider.KeyFetches()
	p.provider.Behave(demoidp.Behaviour{Signing: demoidp.UnknownKey})
	flood := func() {
		for range 10 {
			if _, err := p.finish(attempt(), "viewer@rivermark"); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("Finish with an unknown key = %v, want Unauthenticated", err)
			}
		}
	}
	flood()
	if got := p.provider.KeyFetches() - before; got != 1 {
		t.Errorf("%d fetches for ten unknown keys, want 1", got)
	}
	mu.Lock()
	now = now.Add(11 * time.Second)
	mu.Unlock()
	flood()
	if got := p.provider.KeyFetches() - before; got != 2 {
		t.Errorf("%d fetches after eleven seconds, want 2", got)
	}
}

func TestABadKeySet(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault demoidp.KeySetFault
		want  fault.Kind
	}{
		"50 MiB":              {demoidp.HugeKeySet, fault.Unavailable},
		"a byte now and then": {demoidp.SlowKeySet, fault.Unavailable},
		"keys for encryption": {demoidp.EncryptionKeySet, fault.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, nil)
			p.provider.Behave(demoidp.Behaviour{KeySet: c.fault})
			s := attempt()
			code := p.code(s, "viewer@rivermark")
			started := time.Now()
			_, err := p.adapter.Finish(t.Context(), code, s)
			if !fault.Is(err, c.want) {
				t.Errorf("Finish = %v, want kind %v", err, c.want)
			}
			if took := time.Since(started); took > 8*time.Second {
				t.Errorf("Finish took %v, want at most 5 seconds and a little", took)
			}
		})
	}
}

// S06: a fresh sign-in is asked for as one, and an ordinary one is not.
func TestWhatIsAskedOfTheProvider(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	fresh := attempt()
	fresh.ExpectIssuer, fresh.ExpectSubject = p.provider.Issuer(), "somebody"
	for name, c := range map[string]struct {
		attempt        actor.SignIn
		prompt, maxAge string
	}{"ordinary": {attempt(), "", ""}, "fresh": {fresh, "login", "0"}} {
		to, err := p.adapter.Begin(t.Context(), c.attempt)
		if err != nil {
			t.Fatalf("%s: Begin: %v", name, err)
		}
		address, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		asked := address.Query()
		got := []string{asked.Get("prompt"), asked.Get("max_age"), asked.Get("state"), asked.Get("nonce"), asked.Get("code_challenge_method"), asked.Get("response_type"), asked.Get("redirect_uri")}
		want := []string{c.prompt, c.maxAge, "the state", "the nonce", "S256", "code", callback}
		if diff := cmp.Diff(want, got); diff != "" || strings.Contains(to, c.attempt.Verifier) {
			t.Errorf("%s: Begin leads to %s (-want +got):\n%s", name, to, diff)
		}
	}
}

// A signature may rest on a class of sign-in: it is asked for, and what came back is checked, because acr_values is a wish.
func TestTheClassOfAFreshSignInIsAskedForAndChecked(t *testing.T) {
	t.Parallel()
	p := start(t, func(c *oidc.Config, _ *demoidp.Config) { c.ACR = []string{"phr", "mfa"} })
	fresh := attempt()
	fresh.ExpectIssuer, fresh.ExpectSubject = p.provider.Issuer(), demoidp.DemoPeople()[0].Subject()
	for name, c := range map[string]struct {
		attempt actor.SignIn
		want    string
	}{"ordinary": {attempt(), ""}, "fresh": {fresh, "phr mfa"}} {
		to, err := p.adapter.Begin(t.Context(), c.attempt)
		if err != nil {
			t.Fatalf("%s: Begin: %v", name, err)
		}
		address, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		if got := address.Query().Get("acr_values"); got != c.want {
			t.Errorf("%s: acr_values = %q, want %q", name, got, c.want)
		}
	}
	for name, c := range map[string]struct {
		acr     any
		fresh   bool
		refused string
		proven  bool
	}{
		"the second class": {"mfa", true, "", true}, "another class": {"pwd", true, `in the way "pwd"`, false}, "no class": {nil, true, "does not say in what way", false},
		"a list": {[]string{"mfa"}, true, "does not say in what way", false}, "ordinary, another class": {"pwd", false, "", false}, "ordinary, the first class": {"phr", false, "", true},
	} {
		s := attempt()
		if c.fresh {
			s.ExpectIssuer, s.ExpectSubject = fresh.ExpectIssuer, fresh.ExpectSubject
		}
		p.provider.Behave(demoidp.Behaviour{Claims: func(claims map[string]any) {
			if claims["acr"] = c.acr; c.acr == nil {
				delete(claims, "acr")
			}
		}})
		id, err := p.finish(s, "devops.lead@rivermark")
		p.provider.Behave(demoidp.Behaviour{})
		switch {
		case c.refused != "" && (!fault.Is(err, fault.Unauthenticated) || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%s: Finish = %v, want a refusal that says %q", name, err, c.refused)
		case c.refused == "" && err != nil:
			t.Errorf("%s: Finish = %v, want it accepted", name, err)
		case c.refused == "" && id.AuthTime.IsZero() == c.proven:
			t.Errorf("%s: the sign-in proves since %v; want a proof: %v", name, id.AuthTime, c.proven)
		}
	}
}
