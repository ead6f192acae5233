package oidc

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Reach asks the provider for its description of itself, by an attempt of its own that shares nothing with anybody's
// sign-in, and says how that failed where nobody was reached: no connection, no answer in time, or an answer that only
// says that a server has trouble. It gives nothing where somebody answers, whatever is said: a provider that is configured
// wrongly is there. Who asks may go away without the attempt failing.
func (p *Provider) Reach(ctx context.Context) (failure string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(p.config.Issuer, "/")+"/.well-known/openid-configuration", nil)
	if err != nil {
		return "" // our own address is wrong, which is no outage
	}
	r.Header.Set("Cache-Control", "no-cache")
	answer, err := p.client.Do(r)
	if err != nil {
		return short(firstLine(err))
	}
	defer func() { _ = answer.Body.Close() }() // read to its end or given up
	if answer.StatusCode >= http.StatusInternalServerError {
		return fmt.Sprintf("it answered %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil && !strings.Contains(err.Error(), errTooLarge.Error()) {
		return short(firstLine(err))
	}
	return ""
}

func short(s string) string {
	const enough = 300
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	if runes := []rune(s); len(runes) > enough {
		s = string(runes[:enough])
	}
	if strings.TrimSpace(s) == "" {
		return "the attempt failed without a word"
	}
	return s
}
