package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var statusOf = map[fault.Kind]int{
	fault.Internal: http.StatusInternalServerError, fault.Invalid: http.StatusUnprocessableEntity,
	fault.Unauthenticated: http.StatusUnauthorized, fault.Forbidden: http.StatusForbidden, fault.NotFound: http.StatusNotFound,
	fault.Conflict: http.StatusConflict, fault.GateClosed: http.StatusLocked, fault.TooLarge: http.StatusRequestEntityTooLarge,
	fault.TooMany: http.StatusTooManyRequests, fault.Unavailable: http.StatusServiceUnavailable,
}

// Status is the HTTP status of an error.
func Status(err error) int { return statusOf[fault.Of(err)] }

// Again answers a refused form with its own page, which shows what was typed and what to put right. The refusal is
// written down like any other, with the names of the fields and never with what was typed into them.
func Again(c echo.Context, refused *fault.Error, page templ.Component) error {
	r := of(c)
	r.why = errors.Join(r.why, refused)
	if w, ok := c.Get(webKey).(*Web); ok {
		w.recordRefusal(c, refused)
	}
	return Page(c, Status(refused), page)
}

// refusal is an error made ready to be shown. For anything that is no fault it says nothing of the error itself.
type refusal struct {
	status  int
	kind    fault.Kind
	message string
	title   string
	fields  map[string]string
}

func refusalOf(err error) refusal {
	if f, ok := fault.As(err); ok && f.Kind != fault.Internal {
		return refusal{status: statusOf[f.Kind], kind: f.Kind, message: f.Message, title: f.Title, fields: f.Fields}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return refusal{http.StatusServiceUnavailable, fault.Unavailable, "The answer took too long and was given up. If you were changing something, look whether it was done before you do it again.", "", nil}
	}
	var router *echo.HTTPError
	if errors.As(err, &router) {
		switch router.Code {
		case http.StatusNotFound:
			return refusal{router.Code, fault.NotFound, "There is no page at this address.", "", nil}
		case http.StatusMethodNotAllowed:
			return refusal{router.Code, fault.Invalid, "This address does not answer that kind of request. Nothing was changed.", "", nil}
		}
	}
	return refusal{http.StatusInternalServerError, fault.Internal, "Something went wrong on our side.", "", nil}
}

// fail turns an error into status and page, or a JSON problem for programs. The one log line carries the cause.
func (w *Web) fail(err error, c echo.Context) {
	r := of(c)
	lift(c)
	if r.why != nil || errors.Is(err, context.Canceled) && c.Request().Context().Err() != nil {
		r.why = errors.Join(r.why, err)
		return // answered already, or nobody is there to read
	}
	r.why = err
	w.recordRefusal(c, err)
	if c.Response().Committed {
		return // half of something long was sent; the log line says what ended it
	}
	said := refusalOf(err)
	if said.kind == fault.Unavailable || said.kind == fault.TooMany {
		if c.Response().Header().Get("Retry-After") == "" {
			c.Response().Header().Set("Retry-After", "10")
		}
	}
	if said.kind == fault.Unauthenticated && IsAPI(c.Request().URL.Path) {
		c.Response().Header().Set("WWW-Authenticate", `Bearer realm="gatehouse"`)
	}
	if e := w.answer(c, said); e != nil {
		r.why = errors.Join(err, e)
		if !c.Response().Committed {
			// Not even the page of refusals could be drawn.
			_ = c.HTML(said.status, pages.Fallback(r.ref))
		}
	}
}

func (w *Web) answer(c echo.Context, said refusal) error {
	switch {
	case IsAPI(c.Request().URL.Path):
		return w.problemJSON(c, said)
	case isSignInOutage(c, said):
		return w.unavailableSignIn(c, said)
	case said.kind == fault.Unauthenticated && Actor(c).SignedIn() && (c.Path() != callbackPath || of(c).attempt != nil && of(c).attempt.Fresh()):
		return w.freshSignInPage(c, said)
	case said.kind == fault.Unauthenticated:
		return w.signInPage(c, said)
	}
	return w.problemPage(c, said)
}

// Problem is the JSON form of a refusal (RFC 9457).
type Problem struct {
	Type   string            `json:"type"`
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Detail string            `json:"detail"`
	Kind   string            `json:"kind"`
	Ref    string            `json:"ref"`
	Fields map[string]string `json:"fields,omitempty"`
	WhoCan []string          `json:"who_can,omitempty"`
}

func (w *Web) problemJSON(c echo.Context, said refusal) error {
	c.Response().Header().Set(echo.HeaderContentType, "application/problem+json")
	return c.JSON(said.status, Problem{
		Type: "about:blank", Title: http.StatusText(said.status), Status: said.status,
		Detail: said.message, Kind: said.kind.String(), Ref: of(c).ref, Fields: said.fields, WhoCan: w.whoCan(c, said),
	})
}

// sessionLost answers in place of a page whose session could not be stored. Nothing of the page was sent yet.
func (w *Web) sessionLost(c echo.Context, to http.ResponseWriter, err error) {
	r := of(c)
	r.why = errors.Join(r.why, err)
	for _, name := range []string{"Location", "Content-Length", "Content-Encoding", "Set-Cookie", echo.HeaderContentType} {
		to.Header().Del(name)
	}
	to.Header().Set("Retry-After", "5")
	to.Header().Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
	c.Response().Status = http.StatusServiceUnavailable
	to.WriteHeader(http.StatusServiceUnavailable)
	_, _ = to.Write([]byte(pages.Fallback(r.ref)))
}

// recordRefusal writes into the audit trail who was refused what: every refused right, and every refused request that
// would have changed something. What is refused for load or because something is away is only logged.
func (w *Web) recordRefusal(c echo.Context, err error) {
	f, ok := fault.As(err)
	route, routed := w.route(c)
	if !ok || !routed || f.Kind == fault.TooMany || f.Kind == fault.Unavailable {
		return
	}
	reading := c.Request().Method == http.MethodGet
	if reading && f.Kind != fault.Forbidden && route.Action != signInAction {
		return
	}
	by := Actor(c)
	if as := of(c).as; as.SignedIn() {
		by = as
	}
	if !by.SignedIn() {
		by = actor.System(actor.Web, "nobody")
		by.IP = c.RealIP()
		// Strangers can be refused as often as they like; the trail is not theirs to fill.
		if allowed, _ := w.strays.Allow(by.IP); !allowed {
			return
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), 5*time.Second)
	defer cancel()
	e := w.config.Recorder.Record(ctx, by, audit.Event{
		Action: route.action(), ObjectKind: "page", ObjectID: clip(oneLine(c.Request().URL.Path), 200),
		Outcome: audit.Refused, Reason: reasonOf(f),
	})
	if e != nil {
		r := of(c)
		r.why = errors.Join(r.why, e)
	}
}

// reasonOf is why, with the fields that were at fault.
func reasonOf(f *fault.Error) string {
	if len(f.Fields) == 0 {
		return f.Message
	}
	return f.Message + " (" + strings.Join(sorted(f.Fields), ", ") + ")"
}

func (w *Web) problemPage(c echo.Context, said refusal) error {
	v := pages.ProblemView{
		Shell: Shell(c, problemTitle(said)), Status: said.status, Kind: said.kind.String(), What: said.message,
		WhoCan: w.whoCan(c, said),
		Back:   components.Link{Label: "Back", Href: returnPath(c)},
	}
	switch said.kind {
	case fault.Internal:
		v.Safe = "Whatever you did was either done completely or not at all; the page you came from shows which."
		v.Next = "Go back and reload. If it happens again, tell your DevOps lead the reference " + of(c).ref + "."
	case fault.Unavailable: // the message says what became of the change
		if of(c).tokenHash != "" {
			v.Safe = "You stay signed in, and what was saved before stays as it is."
		}
		if c.Path() == "/login" || c.Path() == callbackPath {
			w.freshAway(c, &v)
		}
	case fault.TooMany:
		v.Safe = "Nothing was changed."
		v.TryAgain = "in about " + retryAfter(c) + " seconds"
	case fault.NotFound:
		v.Next = "Check the address, or start from the list."
	case fault.Invalid, fault.Conflict, fault.GateClosed, fault.TooLarge, fault.Forbidden, fault.Unauthenticated:
		v.Safe = "Nothing was changed."
	}
	if c.Path() == callbackPath && said.kind == fault.Forbidden && w.config.WayBack != nil && !Actor(c).SignedIn() {
		v.Links = append(v.Links, components.Link{Label: "Nobody gets in? A way back for two people", Href: wayBackPath})
	}
	for _, name := range sorted(said.fields) {
		v.Details = append(v.Details, name+": "+said.fields[name])
	}
	if v.Back.Href == c.Request().URL.RequestURI() {
		v.Back = components.Link{Label: "To the start", Href: "/"}
	}
	return Page(c, said.status, pages.Problem(v))
}

// freshAway says what somebody does who is signed in, wanted to prove it once more, and met nobody.
func (w *Web) freshAway(c echo.Context, v *pages.ProblemView) {
	back := w.back(c)
	v.Back = components.Link{Label: "Back to where you were", Href: back}
	v.Next = "Try again in a minute. Reading and working on items goes on meanwhile; what asks for a fresh sign-in waits."
	v.Links = append(v.Links, components.Link{Label: "Try again to sign in afresh", Href: LoginHref(back, true)})
	if w.config.WithoutProvider == nil {
		return
	}
	if way, ok := w.config.WithoutProvider(back); ok {
		v.Next += " Where that cannot wait, two people with sealed envelopes can go by break-glass."
		v.Links = append(v.Links, way)
	}
}

func retryAfter(c echo.Context) string {
	if s, err := strconv.Atoi(c.Response().Header().Get("Retry-After")); err == nil {
		return strconv.Itoa(s)
	}
	return "10"
}

func problemTitle(said refusal) string {
	if said.title != "" {
		return said.title
	}
	switch said.kind {
	case fault.Internal:
		return "Something went wrong"
	case fault.Invalid:
		if said.status == http.StatusMethodNotAllowed {
			return "Not this way"
		}
		return "This cannot be accepted as it stands"
	case fault.Unauthenticated:
		return "Sign in"
	case fault.Forbidden:
		return "You may not do this"
	case fault.NotFound:
		return "Not found"
	case fault.Conflict:
		return "Overtaken by events"
	case fault.GateClosed:
		return "The gate is closed"
	case fault.TooLarge:
		return "Too large"
	case fault.TooMany:
		return "Too many at once"
	case fault.Unavailable:
		return "Not available right now"
	}
	return "Refused"
}
