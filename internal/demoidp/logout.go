package demoidp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// endSession drops the browser's session, tells the application by back channel, and lets the library answer.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	cookie, here := p.browser(r)
	delete(p.sessions, cookie)
	p.mu.Unlock()
	if here != nil && p.config.BackChannelLogoutURI != "" {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
		if err := p.tell(ctx, here.subject, here.sid); err != nil {
			p.config.Log.Warn("the application was not told of a sign-out", "error", err)
		}
		cancel()
	}
	http.SetCookie(w, &http.Cookie{Name: browserCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode}) //nolint:gosec // as in signIn
	p.library.ServeHTTP(w, r)
}

// LogoutToken is what the back channel carries. Tests change its claims before it is signed.
func (p *Provider) LogoutToken(subject, sid string, change func(claims map[string]any)) (string, error) {
	return p.ForgedLogoutToken(subject, sid, "", change)
}

// ForgedLogoutToken is LogoutToken, signed in a way that may not count.
func (p *Provider) ForgedLogoutToken(subject, sid string, signing Signing, change func(claims map[string]any)) (string, error) {
	now := p.config.Now()
	claims := map[string]any{
		"iss": p.issuer, "sub": subject, "aud": p.config.ClientID, "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(),
		"jti": rand.Text(), "sid": sid,
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	if change != nil {
		change(claims)
	}
	return signing.sign(claims, p.signingKey(), "logout+jwt")
}

func (p *Provider) tell(ctx context.Context, subject, sid string) error {
	token, err := p.LogoutToken(subject, sid, nil)
	if err != nil {
		return err
	}
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.config.BackChannelLogoutURI, body)
	if err != nil {
		return fmt.Errorf("making the back-channel request: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("telling the application: %w", err)
	}
	if err := res.Body.Close(); err != nil {
		return fmt.Errorf("reading the application's answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the application answered %s", res.Status)
	}
	return nil
}

func signed(claims map[string]any, alg jose.SignatureAlgorithm, key any, kid, kind string) (string, error) {
	options := &jose.SignerOptions{}
	if kind != "" {
		options = options.WithType(jose.ContentType(kind))
	}
	if kid != "" {
		key = jose.JSONWebKey{Key: key, KeyID: kid}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		return "", fmt.Errorf("making a signer: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding claims: %w", err)
	}
	object, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	token, err := object.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("writing the token: %w", err)
	}
	return token, nil
}
