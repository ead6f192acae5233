package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// request is what is known about a request while it is answered; the log line is written from it at the end.
type request struct {
	ref  string
	form *Values // the body, once it was read
	// parts is the rest of a form with a file, once its fields were read.
	parts *parts
	// unlimited is the request's context without the time that it may take.
	unlimited context.Context //nolint:containedctx // it belongs to this very request
	// tokenHash is the stored name of the session that came with the request; found says whether it is still there.
	tokenHash string
	found     bool
	expired   bool   // a session's cookie came, and the session is over
	alarm     string // why nothing may be changed in the session's tenant
	seq       int64  // the last entry of that tenant's audit trail, when the session was found
	seal      actor.Seal
	// as is who a refused sign-in stands for, in the audit trail.
	as actor.Actor
	// attempt is the sign-in that the callback finishes, once it is known.
	attempt *actor.SignIn
	why     error // what the answer refuses
}

const requestKey = "gatehouse.request"

func of(c echo.Context) *request {
	if r, ok := c.Get(requestKey).(*request); ok {
		return r
	}
	r := &request{ref: newRef()}
	c.Set(requestKey, r)
	return r
}

// newRef is what a person quotes and we find in the log: ten letters and digits.
func newRef() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return hex.EncodeToString(b[:])
}

// Ref is the reference of the request.
func Ref(c echo.Context) string { return of(c).ref }

// Actor is who makes the request; the zero Actor where nobody is signed in.
func Actor(c echo.Context) actor.Actor { return actor.From(c.Request().Context()) }

func setContext(c echo.Context, ctx context.Context) { c.SetRequest(c.Request().WithContext(ctx)) }

// outermost catches panics, gives the reference, renders what was refused and writes the one log line.
func (w *Web) outermost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		started := time.Now() // the clock of durations, not of facts
		r := of(c)
		c.Set(webKey, w)
		c.Response().Header().Set("X-Request-Id", r.ref)
		count := func() (int64, int64) { return 0, 0 }
		if w.config.Meter != nil {
			var ctx context.Context
			ctx, count = w.config.Meter(c.Request().Context())
			setContext(c, ctx)
		}
		end := w.limit(c)
		defer end()
		if err := w.caught(c, next); err != nil {
			w.fail(err, c)
		}
		statements, trips := count()
		w.logLine(c, time.Since(started), statements, trips)
		return nil
	}
}

// limit gives the request the time it may take: a database that does not answer must not hold it for ever.
func (w *Web) limit(c echo.Context) (end func()) {
	route, _ := w.route(c)
	if route.Streams {
		return func() {}
	}
	within := w.config.ChangeWithin
	if m := c.Request().Method; m == http.MethodGet || m == http.MethodHead {
		within = w.config.ReadWithin
	}
	switch {
	case route.Uploads > 0 && isMultipart(c):
		within = UploadWithin
	case route.Long:
		within = HandOutWithin
	}
	whole := c.Request().Context()
	limited, cancel := context.WithTimeout(whole, within)
	setContext(c, limited)
	of(c).unlimited = whole
	return func() {
		cancel()
		of(c).endUpload()
	}
}

// lift takes the limit away again: the page that says what was given up can still be drawn.
func lift(c echo.Context) {
	if whole := of(c).unlimited; whole != nil {
		setContext(c, kept{whole, c.Request().Context()})
	}
}

// kept ends with one context and holds the values of another.
type kept struct {
	context.Context                 //nolint:containedctx // it is one
	values          context.Context //nolint:containedctx // as above
}

func (k kept) Value(key any) any { return k.values.Value(key) }

// caught runs next and gives a panic as an error. http.ErrAbortHandler is how a handler cuts a connection on purpose.
func (w *Web) caught(c echo.Context, next echo.HandlerFunc) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler { //nolint:errorlint // recover gives the very value
			panic(p)
		}
		if w.config.OnPanic != nil {
			w.config.OnPanic()
		}
		err = &panicked{value: p, stack: debug.Stack()}
	}()
	return next(c)
}

type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func (w *Web) logLine(c echo.Context, took time.Duration, statements, trips int64) {
	r, by := of(c), Actor(c)
	status := c.Response().Status
	attrs := []slog.Attr{
		slog.String("ref", r.ref), slog.String("method", c.Request().Method), slog.String("route", c.Path()),
		slog.Int("status", status), slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.String("tenant", by.TenantCode), slog.String("subject", by.Subject),
		slog.Int64("statements", statements), slog.Int64("trips", trips),
	}
	level := slog.LevelInfo
	if r.why != nil {
		attrs = append(attrs, slog.String("why", oneLine(r.why.Error())))
		if p, ok := r.why.(*panicked); ok { //nolint:errorlint // made above, never wrapped
			attrs = append(attrs, slog.String("stack", string(p.stack)))
		}
		if status >= 500 {
			level = slog.LevelError
		}
	}
	w.config.Log.LogAttrs(c.Request().Context(), level, "request", attrs...)
}

// oneLine bounds a text from outside so that it stays one short line of the log, whatever the log's format.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	return clip(s, 1000)
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
