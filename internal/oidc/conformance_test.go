package oidc_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/oidc"
)

// The modules of the OpenID Foundation's suite for relying parties (RELIABILITY 3.1), by their names without
// "oidcc-client-test". The suite cannot see whether we refused, so this test does.
var (
	mustAccept = []string{
		"", "-kid-absent-single-jwks", "-idtoken-sig-rs256", "-userinfo-bearer-header", "-scope-userinfo-claims", "-client-secret-basic",
		"-discovery-openid-config", "-discovery-jwks-uri-keys", "-signing-key-rotation", "-signing-key-rotation-just-before-signing",
		"-rp-backchannel-rpinitlogout", "-rp-init-logout", "-nonce-unless-code-flow",
	}
	mustReject = []string{
		"-invalid-iss", "-missing-sub", "-invalid-aud", "-missing-iat", "-invalid-sig-rs256", "-userinfo-invalid-sub", "-nonce-invalid",
		"-idtoken-sig-none", "-discovery-issuer-mismatch", "-missing-aud", "-invalid-sig-hs256", "-invalid-sig-es256",
		"-rp-backchannel-rpinitlogout-alg-none", "-rp-backchannel-rpinitlogout-no-event", "-rp-backchannel-rpinitlogout-with-nonce",
		"-rp-backchannel-rpinitlogout-wrong-alg", "-rp-backchannel-rpinitlogout-wrong-aud", "-rp-backchannel-rpinitlogout-wrong-event",
		"-rp-backchannel-rpinitlogout-wrong-iss", "-invalid-athash", "-invalid-chash",
	}
	// Not offered, and so neither: refresh tokens are never asked for, and the front channel carries no token.
	// -rp-init-logout-other-state is web's: TestAnotherStateAfterSigningOutLeadsNowhere.
	notOffered = []string{"-refresh-token", "-refresh-token-invalid-issuer", "-refresh-token-invalid-sub", "-missing-athash", "-missing-chash"}
)

// wiretap keeps the requests to the provider, as they left.
type wiretap struct {
	mu   sync.Mutex
	seen map[string]*http.Request // by path
}

func (w *wiretap) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if w.seen == nil {
		w.seen = map[string]*http.Request{}
	}
	w.seen[r.URL.Path] = r.Clone(r.Context())
	w.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

func (w *wiretap) request(t *testing.T, path string) *http.Request {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[path] == nil {
		t.Fatalf("nothing was asked of %s", path)
	}
	return w.seen[path]
}

func TestConformanceByName(t *testing.T) {
	t.Parallel()
	const username = "devops.lead@rivermark"
	tap := &wiretap{}
	var ahead atomic.Int64
	p := start(t, func(o *oidc.Config, _ *demoidp.Config) {
		o.Transport = tap
		o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	claims := func(change func(c map[string]any)) demoidp.Behaviour { return demoidp.Behaviour{Claims: change} }
	set := func(name string, value any) demoidp.Behaviour {
		return claims(func(c map[string]any) { c[name] = value })
	}
	drop := func(name string) demoidp.Behaviour {
		return claims(func(c map[string]any) { delete(c, name) })
	}
	signInWith := func(b demoidp.Behaviour) func(t *testing.T) error {
		return func(t *testing.T) error {
			p.provider.Behave(b)
			defer p.provider.Behave(demoidp.Behaviour{})
			_, err := p.finish(attempt(), username)
			return err
		}
	}
	afterRotation := func(between func(t *testing.T)) func(t *testing.T) error {
		return func(t *testing.T) error {
			if _, err := p.finish(attempt(), username); err != nil {
				return err
			}
			ahead.Add(int64(11 * time.Second)) // what a forged key cost before is forgotten: see TestUnknownKeysCostOneFetch
			s := attempt()
			var code string
			if between != nil {
				code = p.code(s, username) // the keys change while the person comes back
				between(t)
			} else {
				rotate(t, p)
				code = p.code(s, username)
			}
			_, err := p.adapter.Finish(t.Context(), code, s)
			return err
		}
	}
	logout := func(signing demoidp.Signing, change func(c map[string]any)) func(t *testing.T) error {
		return func(t *testing.T) error {
			token, err := p.provider.ForgedLogoutToken("sub", "sid", signing, change)
			if err != nil {
				t.Fatalf("ForgedLogoutToken: %v", err)
			}
			sid, err := p.adapter.LoggedOut(t.Context(), token)
			if err == nil && sid != "sid" {
				t.Errorf("LoggedOut = %q, want sid", sid)
			}
			return err
		}
	}
	const event = "http://schemas.openid.net/event/backchannel-logout"
	honest := signInWith(demoidp.Behaviour{})

	cases := map[string]struct {
		does func(t *testing.T) error
		says string // the refusal; what is accepted has none
	}{
		"":                        {does: honest},
		"-kid-absent-single-jwks": {does: signInWith(demoidp.Behaviour{Signing: demoidp.NoKeyID})},
		"-idtoken-sig-rs256":      {does: honest},
		"-userinfo-bearer-header": {does: func(t *testing.T) error {
			err := honest(t)
			r := tap.request(t, "/userinfo")
			if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") || r.URL.RawQuery != "" {
				t.Errorf("userinfo was asked with %q and %q", r.Header.Get("Authorization"), r.URL.RawQuery)
			}
			return err
		}},
		"-scope-userinfo-claims": {does: func(t *testing.T) error {
			p.provider.Behave(drop("name"))
			defer p.provider.Behave(demoidp.Behaviour{})
			id, err := p.finish(attempt(), username)
			if err == nil && id.Name != "Dana Okafor" {
				t.Errorf("the name is %q; userinfo has it", id.Name)
			}
			return err
		}},
		"-client-secret-basic": {does: func(t *testing.T) error {
			err := honest(t)
			if id, secret, ok := tap.request(t, "/oauth/token").BasicAuth(); !ok || id != "gatehouse" || secret != "secret" {
				t.Errorf("the client showed itself as %q, %v; want HTTP Basic", id, ok)
			}
			return err
		}},
		"-discovery-openid-config": {does: func(t *testing.T) error {
			err := honest(t)
			tap.request(t, "/.well-known/openid-configuration")
			return err
		}},
		"-discovery-jwks-uri-keys": {does: func(t *testing.T) error {
			err := honest(t)
			tap.request(t, "/keys")
			return err
		}},
		"-signing-key-rotation":                     {does: afterRotation(nil)},
		"-signing-key-rotation-just-before-signing": {does: afterRotation(func(t *testing.T) { rotate(t, p) })},
		"-rp-backchannel-rpinitlogout":              {does: logout("", nil)},
		"-rp-init-logout": {does: func(t *testing.T) error {
			out, err := url.Parse(p.adapter.SignOut(t.Context(), "the hint"))
			if err != nil || out.Query().Get("id_token_hint") != "the hint" || out.Query().Get("post_logout_redirect_uri") == "" || out.Query().Get("client_id") != "gatehouse" {
				t.Errorf("SignOut = %v, %v", out, err)
			}
			return err
		}},
		// A code flow may go without a nonce; ours never does, which the suite takes as well.
		"-nonce-unless-code-flow": {does: honest},

		"-invalid-iss":          {does: signInWith(set("iss", "https://evil.example")), says: "another issuer"},
		"-missing-sub":          {does: signInWith(drop("sub")), says: "(sub)"},
		"-invalid-aud":          {does: signInWith(claims(func(c map[string]any) { c["aud"] = "another"; delete(c, "azp") })), says: "another application"},
		"-missing-aud":          {does: signInWith(claims(func(c map[string]any) { delete(c, "aud"); delete(c, "azp") })), says: "another application"},
		"-missing-iat":          {does: signInWith(drop("iat")), says: "(iat)"},
		"-invalid-sig-rs256":    {does: signInWith(demoidp.Behaviour{Signing: demoidp.ForeignKey}), says: "signature"},
		"-invalid-sig-hs256":    {does: signInWith(demoidp.Behaviour{Signing: demoidp.HMACOfPublicKey}), says: "not signed in a way that counts"},
		"-invalid-sig-es256":    {does: signInWith(demoidp.Behaviour{Signing: demoidp.ForeignES256}), says: "signature"},
		"-idtoken-sig-none":     {does: signInWith(demoidp.Behaviour{Signing: demoidp.Unsigned}), says: "not signed in a way that counts"},
		"-userinfo-invalid-sub": {does: signInWith(demoidp.Behaviour{Userinfo: func(c map[string]any) { c["sub"] = "another" }}), says: "about somebody else"},
		"-nonce-invalid":        {does: signInWith(set("nonce", "another")), says: "(nonce)"},
		"-invalid-athash":       {does: signInWith(set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")), says: "at_hash"},
		"-invalid-chash":        {does: signInWith(set("c_hash", "AAAAAAAAAAAAAAAAAAAAAA")), says: "c_hash"},
		"-discovery-issuer-mismatch": {does: func(t *testing.T) error {
			p.provider.Behave(demoidp.Behaviour{DiscoveryIssuer: "https://evil.example"})
			defer p.provider.Behave(demoidp.Behaviour{})
			_, err := p.adapter.Begin(t.Context(), attempt())
			return err
		}, says: "another name (issuer)"},
		"-rp-backchannel-rpinitlogout-alg-none":    {does: logout(demoidp.Unsigned, nil), says: "not valid"},
		"-rp-backchannel-rpinitlogout-wrong-alg":   {does: logout(demoidp.HMACOfPublicKey, nil), says: "not valid"},
		"-rp-backchannel-rpinitlogout-no-event":    {does: logout("", func(c map[string]any) { delete(c, "events") }), says: "not valid"},
		"-rp-backchannel-rpinitlogout-wrong-event": {does: logout("", func(c map[string]any) { c["events"] = map[string]any{event + "x": map[string]any{}} }), says: "not valid"},
		"-rp-backchannel-rpinitlogout-with-nonce":  {does: logout("", func(c map[string]any) { c["nonce"] = "n" }), says: "not valid"},
		"-rp-backchannel-rpinitlogout-wrong-aud":   {does: logout("", func(c map[string]any) { c["aud"] = "another" }), says: "not valid"},
		"-rp-backchannel-rpinitlogout-wrong-iss":   {does: logout("", func(c map[string]any) { c["iss"] = "https://evil.example" }), says: "not valid"},
	}
	if told := len(mustAccept) + len(mustReject); told != len(cases) {
		t.Errorf("%d cases for %d names", len(cases), told)
	}
	for i, name := range slices.Concat(mustAccept, mustReject) {
		c, ok := cases[name]
		if !ok {
			t.Errorf("%q has no case", name)
			continue
		}
		t.Run("oidcc-client-test"+name, func(t *testing.T) {
			err := c.does(t)
			switch accept := i < len(mustAccept); {
			case accept && err != nil:
				t.Errorf("refused: %v", err)
			case !accept && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("answered with %v, want a refusal that says %q", err, c.says)
			case err != nil && strings.Contains(err.Error(), "eyJ"):
				t.Errorf("the refusal holds a token: %v", err)
			}
		})
	}
	// What is not offered is not asked for either.
	to, err := p.adapter.Begin(t.Context(), attempt())
	if err != nil {
		t.Fatal(err)
	}
	asked, err := url.Parse(to)
	if err != nil || asked.Query().Get("response_type") != "code" || strings.Contains(asked.Query().Get("scope"), "offline_access") || asked.Query().Get("response_mode") != "" {
		t.Errorf("the provider is asked for %s, %v; want a code alone, by the query, and none of %v", to, err, notOffered)
	}
	if _, err := p.adapter.LoggedOut(t.Context(), ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("LoggedOut without a token = %v, want Invalid", err)
	}
}

func rotate(t *testing.T, p pair) {
	t.Helper()
	if err := p.provider.Rotate(); err != nil {
		t.Fatalf("Rotate: %v", err)
	}
}

// The next person at a shared browser is asked for as one, and a provider that signs in whom it remembers is refused.
func TestTheNextPersonIsAskedForAnew(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	s := attempt()
	s.Anew = true
	to, err := p.adapter.Begin(t.Context(), s)
	if err != nil || !strings.Contains(to, "prompt=login") {
		t.Errorf("Begin = %s, %v, want prompt=login", to, err)
	}
	for name, change := range map[string]func(c map[string]any){
		"an hour ago":  func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() },
		"no auth_time": func(c map[string]any) { delete(c, "auth_time") },
	} {
		p.provider.Behave(demoidp.Behaviour{Claims: change})
		if _, err := p.finish(s, "viewer@rivermark"); !fault.Is(err, fault.Unauthenticated) || !strings.Contains(err.Error(), "auth_time") {
			t.Errorf("%s: Finish = %v, want a refusal for auth_time", name, err)
		}
	}
	p.provider.Behave(demoidp.Behaviour{})
	if _, err := p.finish(s, "viewer@rivermark"); err != nil {
		t.Errorf("with a password of now: %v", err)
	}
}
