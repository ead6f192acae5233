package oidc_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/oidc"
)

// A provider that answers is there, whatever it says; and nobody makes it look away by hanging up.
func TestOnlySilenceIsAnOutage(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	for name, c := range map[string]struct {
		behaviour demoidp.Behaviour
		hangsUp   bool
		want      string
	}{
		"it is there":                    {demoidp.Behaviour{}, false, ""},
		"it gives itself another name":   {demoidp.Behaviour{DiscoveryIssuer: "https://evil.example"}, false, ""},
		"who asks has hung up":           {demoidp.Behaviour{}, true, ""},
		"it closes every connection":     {demoidp.Behaviour{Down: true}, false, "EOF"},
		"away, and who asks has hung up": {demoidp.Behaviour{Down: true}, true, "EOF"},
	} {
		p.provider.Behave(c.behaviour)
		ctx := t.Context()
		if c.hangsUp {
			ctx = gone
		}
		if got := p.adapter.Reach(ctx); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: Reach = %q, want %q", name, got, c.want)
		}
	}
	for status, away := range map[int]bool{200: false, 302: false, 403: false, 404: false, 429: false, 500: true, 502: true, 503: true} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		provider, err := oidc.New(oidc.Config{Issuer: server.URL, ClientID: "c", RedirectURL: "https://here.example/oidc/callback"})
		if err != nil {
			t.Fatal(err)
		}
		if got := provider.Reach(t.Context()); (got != "") != away {
			t.Errorf("an answer of %d: Reach = %q, want an outage: %v", status, got, away)
		}
		server.Close()
		if got := provider.Reach(t.Context()); !strings.Contains(got, "refused") {
			t.Errorf("nobody listens: Reach = %q", got)
		}
	}
}
