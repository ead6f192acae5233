package demoidp

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

// Config says where the provider listens and whom it serves.
type Config struct {
	// Addr is where to listen; 127.0.0.1:0 where empty.
	Addr string
	// Issuer is the address under which it is known; http:// and the listener's address where empty.
	Issuer                 string
	ClientID, ClientSecret string
	RedirectURIs           []string
	PostLogoutURIs         []string
	// BackChannelLogoutURI is told when a session ends here; nobody is told where empty.
	BackChannelLogoutURI string
	// People can sign in; DemoPeople where nil.
	People []Person
	// GroupsAsObjects sends groups as [{"name": "qa_lead"}] instead of ["qa_lead"].
	GroupsAsObjects bool
	Log             *slog.Logger
	Now             func() time.Time
}

// Provider is a running provider.
type Provider struct {
	config  Config
	issuer  string
	people  map[string]Person // by subject
	library *op.Provider
	server  *http.Server
	origins string // of the client, for the login page's form-action
	lies    atomic.Pointer[Behaviour]
	fetches atomic.Int64 // of the key set

	mu       sync.Mutex
	requests map[string]*authRequest
	codes    map[string]string // code -> request
	tokens   map[string]*authRequest
	sessions map[string]*session // browser cookie -> session
	keys     []*rsaKey           // the last one signs
}

// Start listens and serves until ctx ends or Close is called.
func Start(ctx context.Context, config Config) (*Provider, error) {
	if config.ClientID == "" || config.ClientSecret == "" || len(config.RedirectURIs) == 0 {
		return nil, errors.New("the demo identity provider needs ClientID, ClientSecret and RedirectURIs")
	}
	if config.Addr == "" {
		config.Addr = "127.0.0.1:0"
	}
	if config.People == nil {
		config.People = DemoPeople()
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", config.Addr)
	if err != nil {
		return nil, fmt.Errorf("the demo identity provider cannot listen on %s: %w", config.Addr, err)
	}
	p, err := newProvider(config, listener.Addr().String())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	go func() {
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			config.Log.Error("the demo identity provider stopped", "error", err)
		}
	}()
	context.AfterFunc(ctx, p.Close)
	return p, nil
}

func newProvider(config Config, address string) (*Provider, error) {
	p := &Provider{
		config: config, issuer: config.Issuer, people: map[string]Person{},
		requests: map[string]*authRequest{}, codes: map[string]string{}, tokens: map[string]*authRequest{}, sessions: map[string]*session{},
	}
	if p.issuer == "" {
		p.issuer = "http://" + address
	}
	for _, person := range config.People {
		p.people[person.Subject()] = person
	}
	for _, uri := range config.RedirectURIs {
		u, err := url.Parse(uri)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("%q is no redirect address", uri)
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(strings.Fields(p.origins), origin) {
			p.origins += " " + origin
		}
	}
	if err := p.Rotate(); err != nil {
		return nil, err
	}
	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	library, err := op.NewProvider(&op.Config{
		CryptoKey: secret, CodeMethodS256: true, AuthMethodPost: true,
		SupportedScopes:            []string{"openid", "profile", "email", "groups", "tenant"},
		DefaultLogoutRedirectURI:   "/signed-out",
		BackChannelLogoutSupported: true, BackChannelLogoutSessionSupported: true,
	}, p, op.StaticIssuer(p.issuer), op.WithAllowInsecure(), op.WithLogger(config.Log))
	if err != nil {
		return nil, fmt.Errorf("making the demo identity provider: %w", err)
	}
	p.library = library
	p.server = &http.Server{
		Handler: p.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: time.Minute, ErrorLog: slog.NewLogLogger(config.Log.Handler(), slog.LevelDebug),
	}
	return p, nil
}

// Issuer is the provider's address, as it stands in tokens.
func (p *Provider) Issuer() string { return p.issuer }

// People are who can sign in, in the order of the login page.
func (p *Provider) People() []Person { return slices.Clone(p.config.People) }

// KeyFetches counts how often the key set was asked for.
func (p *Provider) KeyFetches() int64 { return p.fetches.Load() }

// Close stops listening and cuts every connection.
func (p *Provider) Close() {
	_ = p.server.Close() // nothing is lost: whoever waits for an answer gets a closed connection
}

// Rotate makes a new signing key. The one before stays in the key set, as at real providers.
func (p *Provider) Rotate() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("making a signing key: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(p.keys, &rsaKey{id: "demo-" + rand.Text()[:8], key: key})
	if len(p.keys) > 2 {
		p.keys = p.keys[len(p.keys)-2:]
	}
	return nil
}

func (p *Provider) handler() http.Handler {
	mux := http.NewServeMux()
	issuer := op.NewIssuerInterceptor(p.library.IssuerFromRequest)
	mux.HandleFunc("GET /login", p.showLogin)
	mux.HandleFunc("POST /login", issuer.HandlerFunc(p.signIn))
	mux.HandleFunc("GET /style.css", style)
	mux.HandleFunc("GET /signed-out", p.signedOut)
	mux.HandleFunc("GET /end_session", p.endSession)
	mux.Handle("/", p.library)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"+p.origins)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		p.misbehaving(mux).ServeHTTP(w, r)
	})
}
