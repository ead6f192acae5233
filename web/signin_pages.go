package web

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/pages"
)

// signInPage answers somebody nobody knows yet. What a person typed over a session that has ended is kept for them.
func (w *Web) signInPage(c echo.Context, said refusal) error {
	back, status := w.back(c), said.status
	switch {
	case c.Path() == callbackPath:
		status = http.StatusBadRequest // what is wrong is the answer that came, not that none came
	case c.Request().Method != http.MethodGet:
		w.keepTyped(c)
	}
	v := pages.SignInView{
		Shell: Shell(c, "Sign in"), Provider: w.config.Provider.Name(), LoginHref: LoginHref(back, false), Refused: said.message,
	}
	if back != "/" {
		v.Returning = back
	}
	if c.Request().Method == http.MethodGet && c.Path() != callbackPath && !of(c).expired {
		v.Refused = "" // a first visit: nothing has gone wrong
	}
	return Page(c, status, pages.SignIn(v))
}

// freshSignInPage answers an act that needs a younger sign-in. Nothing was done; a link leads to the provider and back.
func (w *Web) freshSignInPage(c echo.Context, said refusal) error {
	by, back := Actor(c), w.back(c)
	v := pages.FreshSignInView{
		Shell: Shell(c, "Prove that it is you"), Doing: "go on", Why: said.message, Limit: limitOf(c, w), Provider: w.config.Provider.Name(),
		Proven: Moment(c, by.AuthTime), LoginHref: LoginHref(back, true), BackHref: back, BackLabel: "Back without signing in",
	}
	if route, ok := w.route(c); ok && route.Doing != "" {
		v.Doing = route.Doing
	}
	if c.Request().Method != http.MethodGet {
		fields, kept := w.keepTyped(c)
		v.Kept = kept
		for _, name := range shown(fields) {
			v.Typed = append(v.Typed, components.Fact{Label: spoken(name), Value: fields[name]})
		}
	}
	return Page(c, said.status, pages.FreshSignIn(v))
}

func limitOf(c echo.Context, w *Web) string {
	limit := actor.FreshFor
	if route, ok := w.route(c); ok && route.Fresh > 0 {
		limit = route.Fresh
	}
	return sprint("%d minutes", int(limit.Minutes()))
}

func (w *Web) signedOutPage(c echo.Context, there string) error {
	v := pages.SignedOutView{
		Shell: Shell(c, "Signed out"), Provider: w.config.Provider.Name(), LoginHref: LoginHref("/", false),
		ProviderLogoutHref: there, ProviderStillOpen: true,
	}
	return Page(c, http.StatusOK, pages.SignedOut(v))
}

// loggedOutAlready answers whoever asks for the address of the form that signs out, as a reload does.
func (w *Web) loggedOutAlready(c echo.Context) error {
	if err := Query(c).Err(); err != nil {
		return err
	}
	return SeeOther(c, "/signed-out")
}

// signedOut is where the provider sends people after they signed out there too.
func (w *Web) signedOut(c echo.Context) error {
	if Actor(c).SignedIn() {
		return SeeOther(c, "/")
	}
	if w.nextPerson(c) {
		return w.nextPage(c, http.StatusOK, LoginHref("/", false)+"&switch=1", false)
	}
	return Page(c, http.StatusOK, pages.SignedOut(pages.SignedOutView{
		Shell: Shell(c, "Signed out"), Provider: w.config.Provider.Name(), LoginHref: LoginHref("/", false),
	}))
}

// What ending a session changes.
var sessionOpen, sessionOver = map[string]string{"session": "open"}, map[string]string{"session": "ended"}

// recordSignOut writes the sign-out down. The session is over by now, and stays over if this fails.
func (w *Web) recordSignOut(c echo.Context, by actor.Actor, reason string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), 5*time.Second)
	defer cancel()
	return w.config.Recorder.Record(ctx, by, audit.Event{
		Action: "session:sign_out", ObjectKind: "person", ObjectID: by.UserID.String(), Reason: reason, Before: sessionOpen, After: sessionOver,
	})
}

// recordLost writes down that a session ended because its person may not be here any more.
func (w *Web) recordLost(c echo.Context, by actor.Actor) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), 5*time.Second)
	defer cancel()
	return w.config.Recorder.Record(ctx, by, audit.Event{
		Action: "session:end", ObjectKind: "person", ObjectID: by.UserID.String(), Reason: "A fresh sign-in showed that this person may not be here any more.",
		Before: sessionOpen, After: sessionOver,
	})
}

// unavailableSignIn is the sign-in page while the provider is away: it says so instead of a link that cannot work.
func (w *Web) unavailableSignIn(c echo.Context, said refusal) error {
	v := pages.SignInView{
		Shell: Shell(c, "Sign in"), Provider: w.config.Provider.Name(), Away: said.message,
		LoginHref: LoginHref(w.back(c), c.QueryParam("fresh") == "1"),
	}
	if w.config.WayBack != nil {
		v.WayBackHref = wayBackPath
	}
	return Page(c, said.status, pages.SignIn(v))
}

// isSignInOutage says whether a person without a session meets a provider, or a table of attempts, that is away.
func isSignInOutage(c echo.Context, said refusal) bool {
	return said.kind == fault.Unavailable && !Actor(c).SignedIn() && (c.Path() == "/login" || c.Path() == callbackPath)
}

// Moment is a time as pages show it: UTC on the page, how long ago or until beside it.
func Moment(c echo.Context, t time.Time) components.Time {
	if t.IsZero() {
		return components.Time{}
	}
	now := time.Now()
	if w, ok := c.Get(webKey).(*Web); ok {
		now = w.config.Now()
	}
	t = t.UTC()
	layout := "15:04"
	if t.Format(time.DateOnly) != now.UTC().Format(time.DateOnly) {
		layout = "2 Jan 2006, 15:04"
	}
	return components.Time{Local: t.Format(layout) + " UTC", Relative: relative(t.Sub(now)), UTC: t.Format("2006-01-02 15:04:05") + " UTC"}
}

// relative says a distance in time as people do.
func relative(d time.Duration) string {
	size := d.Abs()
	var words string
	switch {
	case size < time.Minute:
		words = sprint("%d s", int(size.Seconds()))
	case size < 2*time.Hour:
		words = sprint("%d min", int(size.Minutes()))
	case size < 48*time.Hour:
		words = sprint("%d h", int(size.Hours()))
	default:
		words = sprint("%d days", int(size.Hours()/24))
	}
	if d < 0 {
		return words + " ago"
	}
	return "in " + words
}

func spoken(name string) string {
	words := strings.ReplaceAll(name, "_", " ")
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
