package graph

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/health"
)

func token(text string, err error) func(context.Context, actor.Actor) (string, error) {
	return func(context.Context, actor.Actor) (string, error) { return text, err }
}

func TestProbeJudgesWhatTheEndpointSays(t *testing.T) {
	var unasked *health.Unasked
	var plain *health.Plain
	for name, c := range map[string]struct {
		status      int
		body        string
		want        any // nil for healthy
		notDeployed bool
	}{
		"facilities":            {200, `{"data":{"getDataQualityMetrics":[{"facilityId":"x"}]}}`, nil, false},
		"no facility":           {200, `{"data":{"getDataQualityMetrics":[]}}`, nil, false},
		"to come":               {200, `{"data":null,"errors":[{"message":"m","extensions":{"code":"NOT_DEPLOYED"}}]}`, nil, true},
		"an error":              {200, `{"data":null,"errors":[{"message":"m","extensions":{"code":"INTERNAL"}}]}`, &plain, false},
		"an error of anybody's": {200, `{"errors":[{"message":"<script>"}]}`, &plain, false},
		"an empty answer":       {200, `{}`, &plain, false},
		"a page":                {200, `<html>it works`, &plain, false},
		"no credential":         {401, `{}`, &unasked, false},
		"no right":              {403, `{}`, &unasked, false},
		"too often":             {429, `{}`, &unasked, false},
		"broken":                {500, `{}`, &plain, false},
		"nobody there":          {404, `{}`, &plain, false},
		"a redirect":            {302, ``, &plain, false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent, _ := io.ReadAll(r.Body)
			if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer t" || !strings.Contains(string(sent), "getDataQualityMetrics") {
				t.Errorf("%s: asked %s with %q: %s", name, r.Method, r.Header.Get("Authorization"), sent)
			}
			w.Header().Set("Location", "http://elsewhere.invalid/")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		got, err := Probe{URL: server.URL, Token: token("t", nil)}.Ask(t.Context(), actor.Actor{})
		server.Close()
		switch {
		case c.want == nil && (err != nil || got.NotDeployed != c.notDeployed):
			t.Errorf("%s: %+v, %v", name, got, err)
		case c.want != nil && (err == nil || !errors.As(err, c.want)):
			t.Errorf("%s: %v, want %T", name, err, c.want)
		case err != nil && strings.Contains(err.Error(), "<script>"):
			t.Errorf("%s: the message repeats the endpoint's text: %v", name, err)
		}
	}
}

func TestProbeThatCannotAskSaysSo(t *testing.T) {
	var unasked *health.Unasked
	for name, p := range map[string]Probe{
		"no address":        {Token: token("t", nil)},
		"no token":          {URL: "http://127.0.0.1:1/graphql", Token: token("", nil)},
		"no luck":           {URL: "http://127.0.0.1:1/graphql", Token: token("", errors.New("sealed"))},
		"no usable address": {URL: "http://127.0.0.1:x/graphql", Token: token("t", nil)},
	} {
		if _, err := p.Ask(t.Context(), actor.Actor{}); !errors.As(err, &unasked) {
			t.Errorf("%s: %v, want unasked", name, err)
		}
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	var plain *health.Plain
	if _, err := (Probe{URL: closed.URL, Token: token("t", nil)}).Ask(t.Context(), actor.Actor{}); !errors.As(err, &plain) {
		t.Errorf("nobody listens: %v, want a plain reason", err)
	}
	release := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hangs.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := (Probe{URL: hangs.URL, Token: token("t", nil)}).Ask(ctx, actor.Actor{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a hang: %v, want the deadline", err)
	}
}
