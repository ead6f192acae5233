package demoidp

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"net/url"
	"slices"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// authRequest is one sign-in under way; it satisfies op.AuthRequest.
type authRequest struct {
	id       string
	asked    *oidc.AuthRequest
	subject  string
	sid      string
	authTime time.Time
	done     bool
	created  time.Time
}

func (a *authRequest) GetID() string                      { return a.id }
func (a *authRequest) GetACR() string                     { return "1" }
func (a *authRequest) GetAMR() []string                   { return []string{"pwd"} }
func (a *authRequest) GetAudience() []string              { return []string{a.asked.ClientID} }
func (a *authRequest) GetAuthTime() time.Time             { return a.authTime }
func (a *authRequest) GetClientID() string                { return a.asked.ClientID }
func (a *authRequest) GetNonce() string                   { return a.asked.Nonce }
func (a *authRequest) GetRedirectURI() string             { return a.asked.RedirectURI }
func (a *authRequest) GetScopes() []string                { return a.asked.Scopes }
func (a *authRequest) GetState() string                   { return a.asked.State }
func (a *authRequest) GetSubject() string                 { return a.subject }
func (a *authRequest) Done() bool                         { return a.done }
func (a *authRequest) GetResponseType() oidc.ResponseType { return a.asked.ResponseType }
func (a *authRequest) GetResponseMode() oidc.ResponseMode { return a.asked.ResponseMode }
func (a *authRequest) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: a.asked.CodeChallenge, Method: a.asked.CodeChallengeMethod}
}

// client satisfies op.Client: the one application that may use this provider.
type client struct{ config Config }

func (c client) GetID() string                       { return c.config.ClientID }
func (c client) RedirectURIs() []string              { return c.config.RedirectURIs }
func (c client) PostLogoutRedirectURIs() []string    { return c.config.PostLogoutURIs }
func (c client) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c client) AuthMethod() oidc.AuthMethod         { return oidc.AuthMethodBasic }
func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}

func (c client) GrantTypes() []oidc.GrantType { return []oidc.GrantType{oidc.GrantTypeCode} }

func (c client) LoginURL(id string) string { return "/login?id=" + url.QueryEscape(id) }

func (c client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }

func (c client) IDTokenLifetime() time.Duration                               { return 10 * time.Minute }
func (c client) DevMode() bool                                                { return true } // allows http:// redirects
func (c client) IsScopeAllowed(s string) bool                                 { return s == "groups" || s == "tenant" }
func (c client) IDTokenUserinfoClaimsAssertion() bool                         { return true }
func (c client) ClockSkew() time.Duration                                     { return 0 }
func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string     { return same }
func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string { return same }

func same(scopes []string) []string { return scopes }

type rsaKey struct {
	id  string
	key *rsa.PrivateKey
}

func (k *rsaKey) ID() string                                  { return k.id }
func (k *rsaKey) Key() any                                    { return k.key }
func (k *rsaKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }

type publicKey struct{ *rsaKey }

func (k publicKey) Key() any                           { return &k.key.PublicKey }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k publicKey) Use() string                        { return "sig" }

var errNotOffered = errors.New("not offered by the demo identity provider")

// CreateAuthRequest begins a sign-in; without PKCE it does not.
func (p *Provider) CreateAuthRequest(_ context.Context, asked *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	if asked.CodeChallenge == "" || asked.CodeChallengeMethod != oidc.CodeChallengeMethodS256 {
		return nil, oidc.ErrInvalidRequest().WithDescription("PKCE with S256 is needed")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, a := range p.requests {
		if time.Since(a.created) > 10*time.Minute {
			delete(p.requests, id)
		}
	}
	a := &authRequest{id: rand.Text(), asked: asked, created: time.Now()}
	p.requests[a.id] = a
	return a, nil
}

// AuthRequestByID finds a sign-in under way.
func (p *Provider) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.requests[id]; a != nil {
		return a, nil
	}
	return nil, errors.New("this sign-in is unknown or over")
}

// AuthRequestByCode redeems a code, once.
func (p *Provider) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	p.mu.Lock()
	id := p.codes[code]
	delete(p.codes, code)
	p.mu.Unlock()
	return p.AuthRequestByID(ctx, id)
}

// SaveAuthCode remembers which sign-in a code is for.
func (p *Provider) SaveAuthCode(_ context.Context, id, code string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes[code] = id
	return nil
}

// DeleteAuthRequest forgets a sign-in that is done.
func (p *Provider) DeleteAuthRequest(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.requests, id)
	return nil
}

// CreateAccessToken gives a token that is good for userinfo.
func (p *Provider) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	a, ok := r.(*authRequest)
	if !ok {
		return "", time.Time{}, errNotOffered
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, old := range p.tokens {
		if time.Since(old.created) > 20*time.Minute {
			delete(p.tokens, id)
		}
	}
	id := rand.Text()
	p.tokens[id] = a
	return id, time.Now().Add(5 * time.Minute), nil
}

// CreateAccessAndRefreshTokens is not offered: nobody asks for offline access.
func (p *Provider) CreateAccessAndRefreshTokens(context.Context, op.TokenRequest, string) (string, string, time.Time, error) {
	return "", "", time.Time{}, errNotOffered
}

// TokenRequestByRefreshToken is not offered.
func (p *Provider) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, op.ErrInvalidRefreshToken
}

// TerminateSession forgets the person's tokens.
func (p *Provider) TerminateSession(_ context.Context, subject, _ string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, a := range p.tokens {
		if a.subject == subject {
			delete(p.tokens, id)
		}
	}
	return nil
}

// RevokeToken forgets a token.
func (p *Provider) RevokeToken(_ context.Context, token, _, _ string) *oidc.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tokens, token)
	return nil
}

// GetRefreshTokenInfo is not offered.
func (p *Provider) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", op.ErrInvalidRefreshToken
}

// SigningKey is the newest key.
func (p *Provider) SigningKey(context.Context) (op.SigningKey, error) { return p.signingKey(), nil }

func (p *Provider) signingKey() *rsaKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys[len(p.keys)-1]
}

// SignatureAlgorithms is RS256 alone.
func (p *Provider) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

// KeySet is what verifies our signatures.
func (p *Provider) KeySet(context.Context) ([]op.Key, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var set []op.Key
	for _, k := range p.keys {
		set = append(set, publicKey{k})
	}
	return set, nil
}

// GetClientByClientID knows one application.
func (p *Provider) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != p.config.ClientID {
		return nil, errors.New("unknown client")
	}
	return client{p.config}, nil
}

// AuthorizeClientIDSecret compares in constant time.
func (p *Provider) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id != p.config.ClientID || subtle.ConstantTimeCompare([]byte(secret), []byte(p.config.ClientSecret)) != 1 {
		return errors.New("wrong client or secret")
	}
	return nil
}

// SetUserinfoFromScopes is the library's old way and does nothing.
func (p *Provider) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest fills the ID token.
func (p *Provider) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, r op.IDTokenRequest, scopes []string) error {
	if a, ok := r.(*authRequest); ok {
		info.AppendClaims("sid", a.sid)
	}
	return p.fill(info, r.GetSubject(), scopes)
}

// SetUserinfoFromToken fills the answer of the userinfo endpoint.
func (p *Provider) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, token, subject, _ string) error {
	p.mu.Lock()
	a := p.tokens[token]
	p.mu.Unlock()
	if a == nil {
		return errors.New("the token is not valid")
	}
	return p.fill(info, subject, a.GetScopes())
}

func (p *Provider) fill(info *oidc.UserInfo, subject string, scopes []string) error {
	person, ok := p.people[subject]
	if !ok {
		return errors.New("unknown person")
	}
	info.Subject = subject
	if slices.Contains(scopes, "profile") {
		info.Name, info.PreferredUsername = person.Name, person.Username
	}
	if slices.Contains(scopes, "email") {
		info.Email, info.EmailVerified = person.Email, true
	}
	if person.Tenant != "" {
		info.AppendClaims("tenant", person.Tenant)
	}
	if p.config.GroupsAsObjects {
		objects := []map[string]string{}
		for _, g := range person.Groups {
			objects = append(objects, map[string]string{"name": g})
		}
		info.AppendClaims("groups", objects)
	} else if person.Groups != nil {
		info.AppendClaims("groups", person.Groups)
	}
	return nil
}

// SetIntrospectionFromToken is not offered.
func (p *Provider) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errNotOffered
}

// GetPrivateClaimsFromScopes adds nothing to access tokens.
func (p *Provider) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return map[string]any{}, nil
}

// GetKeyByIDAndClientID is not offered.
func (p *Provider) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errNotOffered
}

// ValidateJWTProfileScopes is not offered.
func (p *Provider) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errNotOffered
}

// Health says that the provider works whenever it is asked.
func (p *Provider) Health(context.Context) error { return nil }
