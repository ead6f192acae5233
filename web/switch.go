package web

import (
	"crypto/subtle"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/templates/pages"
)

// nextCookie holds the state with which the provider sends a browser back whose next person is to sign in.
const nextCookie = "gatehouse-next"

// switchUser hands a shared browser to the next person in one act: the session ends here, then at the provider, and the
// next sign-in asks for a password whatever the provider still remembers. The way leads over a page that goes on by itself,
// since a redirect off-site after a POST is what form-action 'self' blocks.
func (w *Web) switchUser(c echo.Context) error {
	form, err := Form(c)
	if err != nil {
		return err
	}
	if err := form.Err(); err != nil {
		return err
	}
	there, err := w.leave(c, "Another person takes over this browser.")
	if err != nil {
		return err
	}
	next := LoginHref("/", false) + "&switch=1"
	u, err := url.Parse(there)
	if there == "" || err != nil {
		return w.nextPage(c, http.StatusOK, next, false)
	}
	state := secret()
	q := u.Query()
	q.Set("state", state)
	u.RawQuery = q.Encode()
	c.SetCookie(secureCookie(nextCookie, state, int(attemptLifetime.Seconds())))
	return w.nextPage(c, http.StatusOK, u.String(), true)
}

// nextPerson says whether the provider has sent this browser back from a change of persons that began in it. Another state
// than ours changes nothing.
func (w *Web) nextPerson(c echo.Context) bool {
	expected, state := cookieValue(c, nextCookie), c.QueryParam("state")
	if expected == "" || subtle.ConstantTimeCompare([]byte(expected), []byte(state)) != 1 {
		return false
	}
	c.SetCookie(secureCookie(nextCookie, "", -1))
	return true
}

// nextPage goes on to the address by itself, and has a link for browsers that do not.
func (w *Web) nextPage(c echo.Context, status int, to string, atProvider bool) error {
	c.Response().Header().Set("Refresh", "0; url="+to)
	return Page(c, status, pages.SwitchUser(pages.SwitchUserView{
		Shell: Shell(c, "Next person"), Provider: w.config.Provider.Name(), NextHref: to, AtProvider: atProvider, AgainHref: LoginHref("/", false) + "&switch=1",
	}))
}
