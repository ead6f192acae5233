package oidc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// proven is an ID token that passed every check, with all its claims.
type proven struct {
	token  *oidc.IDToken
	claims map[string]any
}

// prove checks an ID token against the sign-in that asked for it.
func (p *Provider) prove(ctx context.Context, d *discovered, raw, accessToken, code string, s actor.SignIn) (*proven, error) {
	ctx, failure := expectFailure(ctx)
	token, err := d.verifier.Verify(ctx, raw)
	if *failure != nil {
		return nil, away(*failure)
	}
	if err != nil {
		return nil, refused("%s", what(err)).Because(err)
	}
	t := &proven{token: token, claims: map[string]any{}}
	if err := token.Claims(&t.claims); err != nil {
		return nil, refused("its claims cannot be read").Because(err)
	}
	if err := checkCode(t, code); err != nil {
		return nil, err
	}
	for _, check := range []func(*proven, string, actor.SignIn) error{
		p.checkTimes, p.checkSubject, p.checkAudience, checkNonce, checkAccessToken, p.checkAuthTime, p.checkACR,
	} {
		if err := check(t, accessToken, s); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// what names the rule that go-oidc found broken; its own text quotes the token. It gives its errors no types, so its
// words are all there is; an unknown one is the general sentence.
func what(err error) string {
	text := err.Error()
	switch {
	case strings.Contains(text, "different provider"):
		return "it names another issuer"
	case strings.Contains(text, "expected audience"):
		return "it was made for another application"
	case strings.Contains(text, "signature algorithm"), strings.Contains(text, "malformed jwt"), strings.Contains(text, "malformed token"):
		return "it is not signed in a way that counts"
	case strings.Contains(text, "verify signature"):
		return "its signature is not the provider's"
	}
	return "the ID token is not valid"
}

// checkTimes compares the provider's clock with ours first: a token that was made for us just now tells exactly how
// far they differ, and every other time in it is only worth something if they do not.
func (p *Provider) checkTimes(t *proven, _ string, _ actor.SignIn) error {
	now := p.config.Now()
	if t.token.IssuedAt.IsZero() || t.claims["iat"] == nil {
		return refused("it does not say when it was made (iat)")
	}
	if apart := t.token.IssuedAt.Sub(now); apart.Abs() > leeway {
		side := "ahead of"
		if apart < 0 {
			side = "behind"
		}
		return refused("the provider's clock differs by %s: it is %s ours. Set both clocks by NTP", words(apart.Abs()), side)
	}
	if t.token.Expiry.IsZero() || t.claims["exp"] == nil {
		return refused("it does not say until when it holds (exp)")
	}
	if now.After(t.token.Expiry.Add(leeway)) {
		return refused("it has expired")
	}
	if notBefore, ok := seconds(t.claims["nbf"]); ok && now.Add(leeway).Before(notBefore) {
		return refused("it does not hold yet (nbf)")
	}
	return nil
}

func words(d time.Duration) string {
	if d < 2*time.Hour {
		return fmt.Sprintf("%d minutes", int(d.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("%d hours", int(d.Round(time.Hour).Hours()))
}

func (p *Provider) checkSubject(t *proven, _ string, _ actor.SignIn) error {
	if strings.TrimSpace(t.token.Subject) == "" {
		return refused("it does not say who signed in (sub)")
	}
	if len(t.token.Subject) > 255 {
		return refused("its subject is longer than 255 characters")
	}
	if strings.ContainsFunc(t.token.Subject, unicode.IsControl) { // no database keeps a NUL, and no page shows the others
		return refused("its subject holds control characters (sub)")
	}
	return nil
}

// checkAudience refuses further audiences unless the token says that it was made for us: whoever else it is for could
// hand it to us.
func (p *Provider) checkAudience(t *proven, _ string, _ actor.SignIn) error {
	azp, present := t.claims["azp"].(string)
	if present && azp != p.config.ClientID {
		return refused("it was made for another application (azp)")
	}
	others := slices.ContainsFunc(t.token.Audience, func(a string) bool { return a != p.config.ClientID })
	if others && !present {
		return refused("it is for other applications too (aud)")
	}
	return nil
}

func checkNonce(t *proven, _ string, s actor.SignIn) error {
	if s.Nonce == "" || subtle.ConstantTimeCompare([]byte(t.token.Nonce), []byte(s.Nonce)) != 1 {
		return refused("it does not belong to this sign-in (nonce)")
	}
	return nil
}

// checkAccessToken compares at_hash where there is one; in the code flow a provider may leave it out, since the
// access token came by the same connection.
func checkAccessToken(t *proven, accessToken string, _ actor.SignIn) error {
	if t.claims["at_hash"] == nil {
		return nil
	}
	if err := t.token.VerifyAccessToken(accessToken); err != nil {
		return refused("its access token belongs to another answer (at_hash)").Because(err)
	}
	return nil
}

// checkCode compares c_hash where there is one: in the code flow nobody has to send it, and who does has to mean this code.
// Both algorithms that count hash with SHA-256.
func checkCode(t *proven, code string) error {
	if t.claims["c_hash"] == nil {
		return nil
	}
	sum := sha256.Sum256([]byte(code))
	said, _ := t.claims["c_hash"].(string)
	if subtle.ConstantTimeCompare([]byte(said), []byte(base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]))) != 1 {
		return refused("it belongs to another answer (c_hash)")
	}
	return nil
}

// checkAuthTime is for a fresh sign-in, and for the next person at a shared browser: only auth_time proves that somebody was
// asked, not that a browser came back.
func (p *Provider) checkAuthTime(t *proven, _ string, s actor.SignIn) error {
	at, present := seconds(t.claims["auth_time"])
	now := p.config.Now()
	switch {
	case !present && (s.Fresh() || s.Anew):
		return refused("it does not say when you proved who you are (auth_time)")
	case !present:
		return nil
	case at.Sub(now) > leeway:
		return refused("it says that you proved who you are in the future (auth_time)")
	case (s.Fresh() || s.Anew) && now.Sub(at) > freshWithin:
		return refused("you proved who you are %s ago, and not afresh (auth_time)", words(now.Sub(at)))
	}
	return nil
}

// checkACR refuses a fresh sign-in of another class than was asked for: acr_values is a wish, and providers may not know it.
func (p *Provider) checkACR(t *proven, _ string, s actor.SignIn) error {
	acr := text(t.claims["acr"], 200)
	switch {
	case !s.Fresh() || p.strongEnough(acr):
		return nil
	case acr == "":
		return refused("it does not say in what way you proved who you are (acr), and a signature needs one of: %s", strings.Join(p.config.ACR, ", "))
	}
	return refused("you proved who you are in the way %q (acr), and a signature needs one of: %s", acr, strings.Join(p.config.ACR, ", "))
}

// addUserinfo adds what the ID token leaves out. Userinfo is not signed, so it counts only for the very same subject,
// and never against the ID token.
func (p *Provider) addUserinfo(ctx context.Context, d *discovered, token *oauth2.Token, t *proven) error {
	info, err := d.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return away(errors.New("userinfo: " + firstLine(err)))
	}
	if subtle.ConstantTimeCompare([]byte(info.Subject), []byte(t.token.Subject)) != 1 {
		return refused("what it says about you (userinfo) is about somebody else")
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return refused("what it says about you (userinfo) cannot be read").Because(err)
	}
	for name, value := range more {
		if _, said := t.claims[name]; !said && !protocol[name] {
			t.claims[name] = value
		}
	}
	return nil
}

// protocol are claims that count only where they are signed.
var protocol = map[string]bool{
	"iss": true, "sub": true, "aud": true, "azp": true, "exp": true, "iat": true, "nbf": true, "nonce": true, "at_hash": true,
	"auth_time": true, "acr": true, "amr": true, "sid": true,
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// seconds reads a time claim. Fractions, strings and numbers out of range are no times.
func seconds(v any) (time.Time, bool) {
	var n int64
	switch x := v.(type) {
	case float64:
		if x != x || x < 0 || x > 1e11 {
			return time.Time{}, false
		}
		n = int64(x)
	case json.Number:
		var err error
		if n, err = x.Int64(); err != nil {
			return time.Time{}, false
		}
	default:
		return time.Time{}, false
	}
	return time.Unix(n, 0), n > 0
}
