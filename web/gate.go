package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// guard asks each route's two questions: may this person do it at all, and have they proved lately who they are?
func (w *Web) guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		route, ok := w.route(c)
		if !ok {
			return next(c) // echo's own answer: not found, or another method
		}
		by := Actor(c)
		switch route.Access {
		case Bare, Public:
			return next(c)
		case SignedIn:
			if !by.SignedIn() {
				return signInFirst(c, route)
			}
		case NeedsRight:
			if !by.SignedIn() {
				return signInFirst(c, route)
			}
			if !by.Can(route.Right) {
				return mayNot(by, route.Right)
			}
		}
		if route.Fresh > 0 && !fresh(by, w.config.Now(), route.Fresh) {
			return errStale
		}
		if (route.Fresh > 0 || route.Guesses) && c.Request().Method != http.MethodGet {
			if err := w.often(c, "proof "+by.Issuer+" "+by.Subject, w.config.ProofsPerMinute,
				"You have tried this kind of act more than %d times within a minute. Nothing was done; wait a minute."); err != nil {
				return err
			}
		}
		if c.Request().Method == http.MethodGet {
			return next(c)
		}
		putBack := w.setAside(c)
		err := next(c)
		if err != nil {
			putBack()
		}
		return err
	}
}

func signInFirst(c echo.Context, route Route) error {
	if of(c).expired && route.Forgets {
		return fault.New(fault.Unauthenticated, "Your sign-in has ended. Sign in again to go on; what you typed here is never kept.")
	}
	if of(c).expired {
		return fault.New(fault.Unauthenticated, "Your sign-in has ended. Sign in again to go on; what you typed is kept.")
	}
	return fault.New(fault.Unauthenticated, "Sign in to see this page.")
}

// errStale is answered with the page that leads to a fresh sign-in.
var errStale = fault.New(fault.Unauthenticated, "This step needs proof that it is you. Sign in again; what you typed is kept.")

func mayNot(by actor.Actor, right actor.Right) error {
	return fault.New(fault.Forbidden, "You are signed in as %s (%s), and that does not carry the right that is needed here (%s).",
		by.Name, roleTitles(by), right)
}

// whoCan names the roles that may do what was refused for want of a right; nil where the refusal is about something else.
func (w *Web) whoCan(c echo.Context, said refusal) []string {
	route, ok := w.route(c)
	if !ok || said.kind != fault.Forbidden || route.Right == "" || Actor(c).Can(route.Right) {
		return nil
	}
	return titles(actor.RolesWith(route.Right))
}

func roleTitles(by actor.Actor) string {
	if len(by.Roles) == 0 {
		return "no role"
	}
	return strings.Join(titles(by.Roles), ", ")
}

func titles(roles []actor.Role) []string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = r.Title()
	}
	return words
}

// fresh judges auth_time by our clock. A time ahead of ours is a skew that sign-in has bounded already. Machines prove
// who they are with every request.
func fresh(by actor.Actor, now time.Time, within time.Duration) bool {
	if by.Origin != actor.Web {
		return by.SignedIn()
	}
	return !by.AuthTime.IsZero() && now.Sub(by.AuthTime) <= within
}

// FreshUntil says until when this sign-in is good for a signature, and whether it still is.
func FreshUntil(c echo.Context) (time.Time, bool) {
	by := Actor(c)
	if by.AuthTime.IsZero() {
		return time.Time{}, false
	}
	web, _ := c.Get(webKey).(*Web)
	until := by.AuthTime.Add(actor.FreshFor)
	return until, web != nil && !web.config.Now().After(until)
}
