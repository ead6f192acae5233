package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/time/rate"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/live"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// Config is what a Web is made of. Everything without "optional" is needed; New says what is missing.
type Config struct {
	// PublicURL is where people reach us: https://gatehouse.example.com. Redirects never come from the Host header.
	PublicURL   string
	Environment layouts.Environment
	Assets      layouts.Assets
	// Static serves /static/; optional.
	Static http.Handler
	// WithoutProvider says what can be done on a page that asked for a fresh sign-in while the provider is away; it may be nil.
	WithoutProvider func(page string) (components.Link, bool)
	// Places are the entries of the navigation, drawn for those who hold the right.
	Places []Place
	// TrustedProxies may say for whom they speak (X-Forwarded-For); nobody else may. Optional.
	TrustedProxies []*net.IPNet
	// IdleLimit and AbsoluteLimit end a session; 30 minutes and 12 hours where zero.
	IdleLimit, AbsoluteLimit time.Duration
	// ReadWithin and ChangeWithin are how long the answer to a GET, and to anything else, may take before the request is given
	// up: 20 and 50 seconds where zero. What streams has no such limit.
	ReadWithin, ChangeWithin time.Duration
	// SignInsPerMinute is how many sign-ins one address may start; 30 where zero.
	SignInsPerMinute int
	// ProofsPerMinute is how many acts that need a fresh sign-in one person may try; 120 where zero.
	ProofsPerMinute int

	Sessions    Sessions
	Attempts    Attempts
	People      People
	Credentials Credentials
	Provider    IdentityProvider
	Recorder    Recorder

	// Waiting says how much waits for the person, for the place of the navigation that counts; optional.
	Waiting Waiting
	// WayBack knows the sealed halves that open a way back in; without it there is no such door. Optional.
	WayBack WayBack
	// Knocks counts for all processes together; without it each counts for itself alone. Optional.
	Knocks Knocks

	// Hub wakes the pages that are open; without one there are no streams. Optional.
	Hub *live.Hub
	// Heartbeat is between two signs of life on a stream, so that a proxy keeps the connection and a dead one is found; the
	// session is looked at as often. 15 seconds where zero.
	Heartbeat time.Duration

	Meter Meter // optional
	// OnPanic counts panics for the alarm; optional.
	OnPanic func()
	Log     *slog.Logger
	Now     func() time.Time
}

// Place is one entry of the navigation.
type Place struct {
	Place       layouts.Place
	Label, Href string
	Short       string // what the label begins with, for where it has little room
	Right       actor.Right
	Counts      bool // shows how much waits for the person
	// FirstFor are the roles for whose work this is the place: it stands before all others for them, and in the bar of a telephone.
	FirstFor []actor.Role
}

// Web is an HTTP server that is safe before its first route.
type Web struct {
	config   Config
	public   *url.URL
	echo     *echo.Echo
	routes   map[string]Route
	sessions *scs.SessionManager
	origins  *http.CrossOriginProtection
	starts   middleware.RateLimiterStore // sign-in starts
	strays   middleware.RateLimiterStore // audit entries of nobody
	streams  streams
}

// New builds the server with the routes every site has: sign-in, sign-out, theme, assets.
func New(config Config) (*Web, error) {
	public, err := url.Parse(config.PublicURL)
	if err != nil || (public.Scheme != "https" && public.Scheme != "http") || public.Host == "" || (public.Path != "" && public.Path != "/") {
		return nil, fmt.Errorf("the public address %q is not an address like https://gatehouse.example.com", config.PublicURL)
	}
	if config.Sessions == nil || config.Attempts == nil || config.People == nil || config.Credentials == nil ||
		config.Provider == nil || config.Recorder == nil || config.Log == nil || config.Now == nil {
		return nil, errors.New("web: Sessions, Attempts, People, Credentials, Provider, Recorder, Log and Now are all needed")
	}
	config.IdleLimit = orDuration(config.IdleLimit, 30*time.Minute)
	config.AbsoluteLimit = orDuration(config.AbsoluteLimit, 12*time.Hour)
	// More than a statement may take, and less than the server's limit for writing the answer.
	config.ReadWithin = orDuration(config.ReadWithin, 20*time.Second)
	config.ChangeWithin = orDuration(config.ChangeWithin, 50*time.Second)
	config.Heartbeat = orDuration(config.Heartbeat, 15*time.Second)
	if config.SignInsPerMinute == 0 {
		config.SignInsPerMinute = 30
	}
	if config.ProofsPerMinute == 0 {
		config.ProofsPerMinute = 120
	}
	w := &Web{
		config: config, public: public, echo: echo.New(), routes: map[string]Route{},
		origins: http.NewCrossOriginProtection(),
		starts:  perMinute(config.SignInsPerMinute), strays: perMinute(10),
	}
	w.sessions = w.newSessionManager()
	w.echo.HideBanner, w.echo.HidePort = true, true
	w.echo.HTTPErrorHandler = w.fail
	w.echo.IPExtractor = addressOf(config.TrustedProxies)
	w.echo.Use(w.outermost, w.headers, w.sameOrigin, w.session, w.identify, w.guard)
	w.mountOwn()
	return w, nil
}

// Mount adds routes. A route that asks for a right and names none, or stands twice, is a slip of ours and stops the program.
func (w *Web) Mount(routes []Route) {
	for _, r := range routes {
		key := r.Method + " " + r.Path
		_, twice := w.routes[key]
		switch {
		case twice:
			panic("web: route stands twice: " + key)
		case r.Access == NeedsRight && r.Right == "":
			panic("web: route names no right: " + key)
		case r.Handler == nil:
			panic("web: route has no handler: " + key)
		}
		w.routes[key] = r
		w.echo.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
		// What watches a service from outside asks for heads.
		if r.Method == http.MethodGet && r.Access == Bare {
			w.echo.HEAD(r.Path, echo.HandlerFunc(r.Handler))
		}
	}
}

// Routes is the route table as it was mounted, own routes included, in no order.
func (w *Web) Routes() []Route {
	all := make([]Route, 0, len(w.routes))
	for _, r := range w.routes {
		all = append(all, r)
	}
	return all
}

// Handler is the whole server.
func (w *Web) Handler() http.Handler { return w.echo }

// mountOwn adds the routes that every site has.
func (w *Web) mountOwn() {
	w.Mount([]Route{
		{Method: http.MethodGet, Path: "/login", Access: Public, Action: signInAction, Handler: w.login},
		{Method: http.MethodGet, Path: callbackPath, Access: Public, Action: signInAction, Handler: w.callback},
		{Method: http.MethodPost, Path: "/oidc/backchannel", Access: Bare, Action: "session:end", Handler: w.backChannel},
		{Method: http.MethodPost, Path: "/logout", Access: Public, Action: "session:sign_out", Handler: w.logout},
		{Method: http.MethodGet, Path: "/logout", Access: Public, Handler: w.loggedOutAlready},
		{Method: http.MethodGet, Path: "/signed-out", Access: Public, Handler: w.signedOut},
		{Method: http.MethodPost, Path: "/switch-user", Access: Public, Action: "session:switch", Handler: w.switchUser},
		{Method: http.MethodPost, Path: "/theme", Access: Public, Action: "theme:choose", Handler: w.theme},
	})
	if w.config.WayBack != nil {
		w.Mount([]Route{
			{Method: http.MethodGet, Path: wayBackPath, Access: Public, Handler: w.showWayBack},
			{Method: http.MethodPost, Path: wayBackPath, Access: Public, Action: "wayback:open", Forgets: true, Handler: w.openWayBack},
		})
	}
	if w.config.Static != nil {
		w.Mount([]Route{{Method: http.MethodGet, Path: "/static/*", Access: Bare, Handler: func(c echo.Context) error {
			w.config.Static.ServeHTTP(c.Response(), c.Request())
			return nil
		}}})
	}
}

// route is the line of the table that this request matched; the zero Route where none did.
func (w *Web) route(c echo.Context) (Route, bool) {
	method := c.Request().Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	r, ok := w.routes[method+" "+c.Path()]
	return r, ok
}

// sameOrigin refuses a change that a page of another site started. The check reads Sec-Fetch-Site and Origin, so forms
// carry no token; programs send neither and pass, as they carry no cookie.
func (w *Web) sameOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := w.origins.Check(c.Request()); err != nil {
			return fault.New(fault.Forbidden, "This request came from a page of another site and was refused. Open Gatehouse itself and do it there.").Because(err)
		}
		return next(c)
	}
}

func addressOf(trusted []*net.IPNet) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, n := range trusted {
		options = append(options, echo.TrustIPRange(n))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

// perMinute limits by key in the memory of this process: with n processes behind a balancer an address gets n times as
// much, which the lifetime and the size of what is limited here allow for.
func perMinute(n int) middleware.RateLimiterStore {
	return middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{
		Rate: rate.Limit(float64(n) / 60), Burst: n, ExpiresIn: 3 * time.Minute,
	})
}

func orDuration(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
