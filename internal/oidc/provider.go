package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Config says which provider, and how it names things.
type Config struct {
	// DisplayName is what people call the provider; its host where empty.
	DisplayName            string
	Issuer                 string
	ClientID, ClientSecret string
	// RedirectURL is where the browser comes back: the public address and /oidc/callback. Never made from a request.
	RedirectURL string
	// PostLogoutURL is where the browser comes back after signing out at the provider.
	PostLogoutURL string
	// Scopes to ask for besides openid; profile and email where nil.
	Scopes []string
	// RoleClaim and TenantClaim name the claims, with dots for a claim inside a claim ("realm_access.roles");
	// groups and tenant where empty.
	RoleClaim, TenantClaim string
	// ACR are the authentication context classes of which a fresh sign-in has to have one, in order of preference; any where
	// empty. A sign-in of another class is one, but proves nothing that a signature could rest on.
	ACR []string
	// FixedTenant is the tenant of everybody, for a provider that serves one company and has no tenant claim.
	FixedTenant string
	// Now is our clock; Transport is how we reach the provider. Both optional.
	Now       func() time.Time
	Transport http.RoundTripper
}

// Provider is one identity provider.
type Provider struct {
	config Config
	client *http.Client
	asking singleflight.Group

	mu   sync.Mutex
	here *discovered
}

// discovered is what the provider said about itself.
type discovered struct {
	provider   *oidc.Provider
	verifier   *oidc.IDTokenVerifier
	keys       *keySet
	endSession string
	userinfo   bool
}

// algorithms that a token may be signed with. Shared secrets and "none" are not among them, whatever discovery says.
var algorithms = []string{oidc.RS256, oidc.ES256}

const (
	callTimeout = 5 * time.Second
	answerLimit = 1 << 20
	leeway      = 2 * time.Minute
	freshWithin = 5 * time.Minute
)

// New checks the configuration. It does not speak to the provider.
func New(config Config) (*Provider, error) {
	issuer, err := url.Parse(config.Issuer)
	if err != nil || issuer.Host == "" || (issuer.Scheme != "https" && issuer.Scheme != "http") {
		return nil, fmt.Errorf("the issuer %q is not an address like https://id.example.com", config.Issuer)
	}
	if config.ClientID == "" || config.RedirectURL == "" {
		return nil, errors.New("the identity provider needs a client id and a redirect address")
	}
	if config.DisplayName == "" {
		config.DisplayName = issuer.Host
	}
	if config.Scopes == nil {
		config.Scopes = []string{"profile", "email"}
	}
	if config.RoleClaim == "" {
		config.RoleClaim = "groups"
	}
	if config.TenantClaim == "" {
		config.TenantClaim = "tenant"
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Provider{config: config, client: boundedClient(config.Transport)}, nil
}

// Name is what people call the provider.
func (p *Provider) Name() string { return p.config.DisplayName }

// Begin is the address to which the browser goes. The provider is asked anew whether it is there: a person who is sent
// to a dead address loses the page, and what they typed, to an error of the browser.
func (p *Provider) Begin(ctx context.Context, s actor.SignIn) (string, error) {
	d, err := p.fetch(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(s.Nonce), oauth2.S256ChallengeOption(s.Verifier)}
	if s.Fresh() || s.Anew {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
		if len(p.config.ACR) > 0 {
			options = append(options, oauth2.SetAuthURLParam("acr_values", strings.Join(p.config.ACR, " ")))
		}
	}
	return p.oauth(d).AuthCodeURL(s.State, options...), nil
}

// Finish exchanges the code and proves the identity.
func (p *Provider) Finish(ctx context.Context, code string, s actor.SignIn) (actor.Identity, error) {
	if code == "" {
		return actor.Identity{}, refused("it carries no code")
	}
	d, err := p.discover(ctx)
	if err != nil {
		return actor.Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := p.oauth(d).Exchange(ctx, code, oauth2.VerifierOption(s.Verifier))
	if err != nil {
		return actor.Identity{}, exchangeRefused(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok || raw == "" {
		return actor.Identity{}, refused("it carries no ID token")
	}
	proven, err := p.prove(ctx, d, raw, token.AccessToken, code, s)
	if err != nil {
		return actor.Identity{}, err
	}
	if d.userinfo {
		if err := p.addUserinfo(ctx, d, token, proven); err != nil {
			return actor.Identity{}, err
		}
	}
	return p.identity(proven, raw), nil
}

// SignOut is the address at which the person signs out at the provider; empty where it has none, or was never reached.
func (p *Provider) SignOut(_ context.Context, idToken string) string {
	p.mu.Lock()
	d := p.here
	p.mu.Unlock()
	if d == nil || d.endSession == "" {
		return ""
	}
	u, err := url.Parse(d.endSession)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.config.ClientID)
	if idToken != "" {
		q.Set("id_token_hint", idToken)
	}
	if p.config.PostLogoutURL != "" {
		q.Set("post_logout_redirect_uri", p.config.PostLogoutURL)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// Ping says whether the provider can be reached, for doctor and readiness details.
func (p *Provider) Ping(ctx context.Context) error {
	_, err := p.fetch(ctx)
	return err
}

func (p *Provider) oauth(d *discovered) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: d.provider.Endpoint(),
		RedirectURL: p.config.RedirectURL, Scopes: append([]string{oidc.ScopeOpenID}, p.config.Scopes...),
	}
}

// discover asks the provider about itself once. While it is away every caller gets the same answer at the same time:
// one slow call, not a queue of them.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	d := p.here
	p.mu.Unlock()
	if d != nil {
		return d, nil
	}
	return p.fetch(ctx)
}

func (p *Provider) fetch(ctx context.Context) (*discovered, error) {
	answer := p.asking.DoChan("discovery", func() (any, error) {
		// The first caller may go away; the others still wait for the answer.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		provider, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.config.Issuer)
		if err != nil {
			return nil, err
		}
		d, err := p.understand(provider)
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.here = d
		return d, nil
	})
	select {
	case <-ctx.Done():
		return nil, away(ctx.Err())
	case got := <-answer:
		if got.Err != nil {
			return nil, away(got.Err)
		}
		d, ok := got.Val.(*discovered)
		if !ok {
			return nil, away(errors.New("discovery gave nothing"))
		}
		return d, nil
	}
}

func (p *Provider) understand(provider *oidc.Provider) (*discovered, error) {
	var said struct {
		JWKS       string `json:"jwks_uri"`
		EndSession string `json:"end_session_endpoint"`
		Userinfo   string `json:"userinfo_endpoint"`
	}
	if err := provider.Claims(&said); err != nil {
		return nil, fmt.Errorf("reading the provider's description of itself: %w", err)
	}
	if said.JWKS == "" {
		return nil, errors.New("the provider names no key set")
	}
	keys := p.keysAt(said.JWKS)
	// Times are judged in prove.go, with one stated leeway in both directions.
	config := &oidc.Config{ClientID: p.config.ClientID, SupportedSigningAlgs: algorithms, SkipExpiryCheck: true}
	return &discovered{
		provider: provider, keys: keys, endSession: said.EndSession, userinfo: said.Userinfo != "",
		verifier: oidc.NewVerifier(p.config.Issuer, keys, config),
	}, nil
}

// keysAt keeps the key set we have, with what it remembers of its fetches, as long as its address stays.
func (p *Provider) keysAt(address string) *keySet {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.here != nil && p.here.keys.address == address {
		return p.here.keys
	}
	return &keySet{address: address, client: p.client, now: p.config.Now}
}

func away(err error) error {
	if strings.Contains(err.Error(), "did not match the issuer") {
		return fault.New(fault.Unavailable, "The identity provider gives itself another name (issuer) than Gatehouse was told. "+
			"Nobody can sign in until its address is put right in the configuration.").Because(err)
	}
	return fault.New(fault.Unavailable, "The identity provider cannot be reached at the moment. Nothing was changed; try again in a minute.").Because(err)
}

// refused says why an answer of the provider is not accepted. The reason names the rule, never a value of the token.
func refused(format string, args ...any) *fault.Error {
	return fault.New(fault.Unauthenticated, "The identity provider's answer was not accepted: %s. Nobody was signed in. "+
		"Try again; if it stays so, tell whoever looks after the provider.", fmt.Sprintf(format, args...))
}

func exchangeRefused(err error) error {
	var answered *oauth2.RetrieveError
	if errors.As(err, &answered) {
		if answered.Response != nil && answered.Response.StatusCode >= 500 {
			return away(fmt.Errorf("token endpoint: %s", answered.Response.Status))
		}
		// The error's own text may hold the whole answer, tokens included; the code is enough.
		return refused("it does not know this sign-in any more").Because(fmt.Errorf("token endpoint: error=%q", answered.ErrorCode))
	}
	var network *url.Error
	if errors.As(err, &network) || errors.Is(err, errTooLarge) || errors.Is(err, context.DeadlineExceeded) {
		return away(errors.New(firstLine(err)))
	}
	return refused("it cannot be read").Because(errors.New("token endpoint: " + firstLine(err)))
}
