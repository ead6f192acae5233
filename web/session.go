package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

const sessionCookie = "gatehouse"

// What a session holds, by key.
const (
	keyActor   = "actor"    // the signed-in actor, as JSON
	keyIDToken = "id_token" // for sign-out at the provider
	keyTyped   = "typed"    // what was typed over a stale sign-in, as JSON
)

// newSessionManager uses scs for tokens, rotation and the in-request copy. Both time limits are left to the store,
// which judges them by the database's clock; scs's idle timeout would write at every read.
func (w *Web) newSessionManager() *scs.SessionManager {
	m := scs.New()
	m.Lifetime = w.config.AbsoluteLimit
	m.HashTokenInStore = true
	m.Store = sessionStore{w.config.Sessions, w.config.IdleLimit, w.config.AbsoluteLimit}
	m.Cookie.Name = "__Host-" + sessionCookie
	m.Cookie.Secure, m.Cookie.HttpOnly, m.Cookie.SameSite, m.Cookie.Path = true, true, http.SameSiteLaxMode, "/"
	m.Cookie.Persist = false
	return m
}

// sessionStore is scs's view of Sessions. Who signs in, from where, travels in the context as a sessionFacts.
type sessionStore struct {
	sessions       Sessions
	idle, lifetime time.Duration
}

type sessionFacts struct {
	request         *request
	ip, agent       string
	by              actor.Actor
	providerSession string
	sessionID       uuid.UUID
	lifetime        time.Duration // of the session that begins; zero is the site's
}

type factsKey struct{}

func factsOf(ctx context.Context) *sessionFacts {
	if f, ok := ctx.Value(factsKey{}).(*sessionFacts); ok {
		return f
	}
	return &sessionFacts{request: &request{}}
}

var errNoContext = errors.New("web: the session store needs a context")

func (s sessionStore) Find(string) ([]byte, bool, error)      { return nil, false, errNoContext }
func (s sessionStore) Commit(string, []byte, time.Time) error { return errNoContext }
func (s sessionStore) Delete(string) error                    { return errNoContext }
func (s sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return s.sessions.End(ctx, token)
}

func (s sessionStore) FindCtx(ctx context.Context, tokenHash string) ([]byte, bool, error) {
	found, ok, err := s.sessions.Find(ctx, tokenHash, s.idle)
	if err != nil {
		return nil, false, err
	}
	f := factsOf(ctx)
	f.request.tokenHash, f.request.found, f.request.expired = tokenHash, ok, !ok
	f.sessionID, f.request.alarm, f.request.seq, f.request.seal = found.ID, found.Alarm, found.Seq, found.Seal
	return found.Data, ok, nil
}

// CommitCtx adds a new session or changes the one that came with the request. Only the latter may fail to exist: it
// was ended meanwhile, and a late answer must not bring it back.
func (s sessionStore) CommitCtx(ctx context.Context, tokenHash string, data []byte, _ time.Time) error {
	f := factsOf(ctx)
	session := actor.Session{
		Tenant: f.by.Tenant, Person: f.by.UserID, ProviderSession: f.providerSession, IP: f.ip, Agent: f.agent, Data: data,
	}
	if f.request.found && tokenHash == f.request.tokenHash {
		return s.sessions.Change(ctx, tokenHash, session)
	}
	lifetime := orDuration(f.lifetime, s.lifetime)
	if !f.by.SignedIn() {
		lifetime = typedLifetime // nobody's session lives only until the sign-in it waits for
	}
	return s.sessions.Add(ctx, tokenHash, session, lifetime)
}

// session looks up the session of the request, in one round trip and only where a cookie came, and stores what changed
// before the first byte of the answer.
func (w *Web) session(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if route, ok := w.route(c); ok && route.Access == Bare {
			return next(c)
		}
		c.Response().Header().Add("Vary", "Cookie")
		facts := &sessionFacts{request: of(c), ip: c.RealIP(), agent: clip(oneLine(c.Request().UserAgent()), 200)}
		ctx := context.WithValue(c.Request().Context(), factsKey{}, facts)
		ctx, err := w.sessions.Load(ctx, plausibleToken(cookieValue(c, sessionCookie)))
		if err != nil {
			// Never "not signed in": people would be sent to sign in because a database restarts.
			c.Response().Header().Set("Retry-After", "5")
			return unavailable(err)
		}
		setContext(c, ctx)
		saver := &savingWriter{ResponseWriter: c.Response().Writer, web: w, echo: c}
		c.Response().Writer = saver
		err = next(c)
		if err != nil {
			// The answer to a refusal may store typed text, so it is rendered while the session can still be saved.
			w.fail(err, c)
		}
		saver.save()
		return nil
	}
}

// plausibleToken drops what cannot be one of ours, before it costs a round trip. Tokens are 43 letters of base64url.
func plausibleToken(s string) string {
	if b, err := base64.RawURLEncoding.DecodeString(s); err != nil || len(b) != sha256.Size {
		return ""
	}
	return s
}

// unavailable keeps a fault that says so already, and makes anything else one: a session store that fails in an
// unexpected way is away all the same.
func unavailable(err error) error {
	if fault.Is(err, fault.Unavailable) {
		return err
	}
	return fault.New(fault.Unavailable, "Gatehouse cannot look up sign-ins at the moment. Nothing was changed; try again in a minute.").Because(err)
}

// identify puts the actor of the session, or of the bearer token, into the request's context.
func (w *Web) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if route, ok := w.route(c); ok && route.Access == Bare {
			return next(c)
		}
		ctx := c.Request().Context()
		if token, ok := bearer(c); ok {
			by, err := w.config.Credentials.Authenticate(ctx, token, actor.API, c.RealIP())
			if err != nil {
				return err
			}
			setContext(c, actor.Into(ctx, by))
			return next(c)
		}
		raw := w.sessions.GetBytes(ctx, keyActor)
		if len(raw) == 0 {
			return next(c)
		}
		by, err := decodeActor(raw)
		if err != nil {
			// Written by another version of the program: signing in again is the cure.
			return next(c)
		}
		facts := factsOf(ctx)
		by.Origin, by.IP, by.Session = actor.Web, facts.ip, facts.sessionID.String()
		facts.by = by
		setContext(c, actor.Into(ctx, by))
		return next(c)
	}
}

func encodeActor(by actor.Actor) ([]byte, error) { return json.Marshal(by) }

func decodeActor(raw []byte) (actor.Actor, error) {
	var by actor.Actor
	err := json.Unmarshal(raw, &by)
	if err == nil && !by.SignedIn() {
		err = errors.New("the session names nobody")
	}
	return by, err
}

// savingWriter stores a changed session just before the first byte of the answer. Where that fails, the answer is 503
// instead: a person must not read "done" under a session that was not kept.
type savingWriter struct {
	http.ResponseWriter
	web    *Web
	echo   echo.Context
	saved  bool
	failed bool
}

func (s *savingWriter) save() {
	if s.saved {
		return
	}
	s.saved = true
	if err := s.web.commitSession(s.echo, s.ResponseWriter); err != nil {
		s.failed = true
		s.web.sessionLost(s.echo, s.ResponseWriter, err)
	}
}

// WriteHeader saves first.
func (s *savingWriter) WriteHeader(status int) {
	s.save()
	if !s.failed {
		s.ResponseWriter.WriteHeader(status)
	}
}

// Write saves first; what follows a failure is dropped.
func (s *savingWriter) Write(b []byte) (int, error) {
	s.save()
	if s.failed {
		return len(b), nil
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach Flush and deadlines.
func (s *savingWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (w *Web) commitSession(c echo.Context, to http.ResponseWriter) error {
	ctx := c.Request().Context()
	switch w.sessions.Status(ctx) {
	case scs.Modified:
		token, expiry, err := w.sessions.Commit(ctx)
		if err != nil {
			return err
		}
		w.sessions.WriteSessionCookie(ctx, to, token, expiry)
		to.Header().Set("Cache-Control", "no-store")
	case scs.Destroyed:
		w.sessions.WriteSessionCookie(ctx, to, "", time.Time{})
		to.Header().Set("Cache-Control", "no-store")
	case scs.Unmodified:
	}
	return nil
}
