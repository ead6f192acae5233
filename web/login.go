package web

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

const (
	browserCookie   = "gatehouse-browser" // ties sign-ins that have begun to one browser, all its tabs alike
	attemptLifetime = 10 * time.Minute
	callbackPath    = "/oidc/callback"
	signInAction    = "session:sign_in"
	idTokenLimit    = 16 << 10 // a larger one is not kept: sign-out at the provider then asks once more
)

// login sends the browser to the identity provider. With fresh=1 the person who is signed in has to prove it again.
func (w *Web) login(c echo.Context) error {
	if err := w.mayStart(c); err != nil {
		return err
	}
	query := Query(c)
	back := localOrHome(query.Raw("return"))
	again, anew := query.Ticked("fresh"), query.Ticked("switch")
	query.Allow("return")
	if err := query.Err(); err != nil {
		return err
	}
	attempt := actor.SignIn{State: secret(), Nonce: secret(), Verifier: secret(), ReturnTo: back, Browser: w.browser(c), Anew: anew}
	if by := Actor(c); again && by.SignedIn() {
		attempt.ExpectIssuer, attempt.ExpectSubject = by.Issuer, by.Subject
	}
	ctx := c.Request().Context()
	to, err := w.config.Provider.Begin(ctx, attempt)
	if err != nil {
		return err
	}
	if err := w.config.Attempts.Begin(ctx, attempt, attemptLifetime); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// callback takes the provider's answer. Until everything in it is proven, a session that exists stays as it was.
func (w *Web) callback(c echo.Context) error {
	query := Query(c) // providers add parameters of their own, so strangers are let be; doubles are not
	if problem, bad := query.Problems()[""]; bad {
		return fault.New(fault.Invalid, "The identity provider's answer cannot be read: %s", problem)
	}
	ctx := c.Request().Context()
	attempt, ok, err := w.config.Attempts.Take(ctx, query.Raw("state"), cookieValue(c, browserCookie))
	if err != nil {
		return err
	}
	if !ok {
		return errUnknownAttempt
	}
	of(c).attempt = &attempt
	if err := w.sessionOf(c, attempt); err != nil {
		return err
	}
	if code := query.Raw("error"); code != "" {
		return providerRefused(code)
	}
	identity, err := w.config.Provider.Finish(ctx, query.Raw("code"), attempt)
	if err != nil {
		return err
	}
	of(c).as = suspect(identity, c.RealIP())
	if attempt.Fresh() && (identity.Issuer != attempt.ExpectIssuer || identity.Subject != attempt.ExpectSubject) {
		// It is the trail of the company whose session was asked for more that has to show it.
		if by := Actor(c); by.SignedIn() {
			of(c).as = by
		}
		return fault.New(fault.Forbidden, "Another person came back from the sign-in than the one who is signed in here. "+
			"Nothing was signed and your session is as it was. To work as somebody else, sign out first. %s knows who came back as %q.",
			w.config.Provider.Name(), clip(oneLine(identity.Subject), 100))
	}
	if len(identity.Roles) == 0 {
		return w.endOwn(c, identity, fault.New(fault.Forbidden, "%s knows you as %s, but gives you no role that Gatehouse knows. %s "+
			"Ask whoever looks after accounts at %s for one of the roles, then sign in again.",
			w.config.Provider.Name(), named(identity), cameWith(identity), w.config.Provider.Name()))
	}
	by, err := w.config.People.SignIn(ctx, identity, c.RealIP())
	if fault.Is(err, fault.Forbidden) {
		return w.endOwn(c, identity, err)
	}
	if err != nil {
		return err
	}
	if err := w.begin(c, by, identity); err != nil {
		return err
	}
	return SeeOther(c, localOrHome(attempt.ReturnTo))
}

// sessionOf refuses a fresh sign-in whose session was ended meanwhile: by its person elsewhere, by the provider, or because
// somebody else has taken over the browser. What such a session had begun is void, a signature above all. One that has only
// grown too old may be followed by another; its row is still there.
func (w *Web) sessionOf(c echo.Context, attempt actor.SignIn) error {
	if !attempt.Fresh() || Actor(c).SamePerson(attempt.ExpectIssuer, attempt.ExpectSubject) {
		return nil
	}
	if r := of(c); !Actor(c).SignedIn() && r.expired {
		_, grownOld, err := w.config.Sessions.FormerPerson(c.Request().Context(), r.tokenHash)
		if err != nil || grownOld {
			return err
		}
	}
	if Actor(c).SignedIn() {
		return fault.New(fault.Forbidden, "Somebody else works in this browser by now, so this fresh sign-in does not count, and nothing was signed.")
	}
	of(c).as = suspect(actor.Identity{Issuer: attempt.ExpectIssuer, Subject: attempt.ExpectSubject}, c.RealIP())
	return fault.New(fault.Unauthenticated, "The session in which this fresh sign-in began has ended meanwhile, so the sign-in does not count and nothing was signed. "+
		"Sign in, and start again what you were doing.")
}

// endOwn ends the session of a person whom the provider has just proven and who may not be here any more: with the roles
// of an earlier sign-in they could go on signing until that one is old. It gives the refusal back.
func (w *Web) endOwn(c echo.Context, identity actor.Identity, refusal error) error {
	ctx, by := c.Request().Context(), Actor(c)
	if !by.SignedIn() || !by.SamePerson(identity.Issuer, identity.Subject) {
		return refusal
	}
	if err := w.sessions.Destroy(ctx); err != nil {
		return unavailable(err)
	}
	setContext(c, actor.Into(ctx, actor.Actor{}))
	if err := w.recordLost(c, by); err != nil {
		return err
	}
	return refusal
}

// begin makes the session the person's: a new id always, and nothing of whoever was here before.
func (w *Web) begin(c echo.Context, by actor.Actor, identity actor.Identity) error {
	ctx := c.Request().Context()
	before := Actor(c)
	if before.SignedIn() && !before.SamePerson(by.Issuer, by.Subject) {
		if err := w.sessions.Clear(ctx); err != nil {
			return fmt.Errorf("emptying the session of the person before: %w", err)
		}
	}
	if err := w.sessions.RenewToken(ctx); err != nil {
		return unavailable(err)
	}
	raw, err := encodeActor(by)
	if err != nil {
		return fmt.Errorf("storing who signed in: %w", err)
	}
	w.sessions.Put(ctx, keyActor, raw)
	w.sessions.Remove(ctx, keyIDToken)
	if identity.IDToken != "" && len(identity.IDToken) <= idTokenLimit {
		w.sessions.Put(ctx, keyIDToken, identity.IDToken)
	}
	facts := factsOf(ctx)
	facts.by, facts.providerSession = by, identity.ProviderSession
	setContext(c, actor.Into(ctx, by))
	return nil
}

// errUnknownAttempt answers a state that was used, is too old, or began in another browser; the three look alike.
var errUnknownAttempt = fault.New(fault.Unauthenticated,
	"This sign-in was finished already, took longer than ten minutes, or began in another browser. Start it again.")

// providerRefused says it in our words: what the provider's error_description says is anybody's text.
func providerRefused(code string) error {
	switch code {
	case "access_denied":
		return fault.New(fault.Unauthenticated, "The sign-in was stopped at the identity provider.")
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return fault.New(fault.Unauthenticated, "The identity provider wants you to sign in there again.")
	case "temporarily_unavailable", "server_error":
		return fault.New(fault.Unavailable, "The identity provider cannot be reached or has trouble of its own. Try again in a minute.")
	}
	return fault.New(fault.Unauthenticated, "The identity provider refused the sign-in.").Because(fmt.Errorf("error=%q", clip(oneLine(code), 100)))
}

func named(id actor.Identity) string {
	if id.Name != "" {
		return id.Name
	}
	return id.Subject
}

func cameWith(id actor.Identity) string {
	if len(id.UnknownRoles) == 0 {
		return "The role claim of your sign-in was empty or missing."
	}
	list := id.UnknownRoles
	more := ""
	if len(list) > 10 {
		more = fmt.Sprintf(" and %d more", len(list)-10)
		list = list[:10]
	}
	short := make([]string, len(list))
	for i, s := range list {
		short[i] = clip(oneLine(s), 60)
	}
	return "Your sign-in came with: " + strings.Join(short, ", ") + more + "."
}

// suspect is who a refused sign-in stands for in the audit trail.
func suspect(id actor.Identity, ip string) actor.Actor {
	return actor.Actor{
		Tenant: actor.SystemTenant, TenantCode: "system", Issuer: id.Issuer, Subject: id.Subject, Name: id.Name,
		Roles: id.Roles, Origin: actor.Web, IP: ip,
	}
}

// logout ends the session here and offers the way to end it at the provider. That way is a link: a redirect off-site
// after a POST is what form-action 'self' blocks.
func (w *Web) logout(c echo.Context) error {
	there, err := w.leave(c, "")
	if err != nil {
		return err
	}
	return w.signedOutPage(c, there)
}

// leave ends the session here, with everything that a browser keeps of it, and gives the address that ends it at the provider.
func (w *Web) leave(c echo.Context, reason string) (there string, err error) {
	ctx := c.Request().Context()
	by := Actor(c)
	there = w.config.Provider.SignOut(ctx, w.sessions.GetString(ctx, keyIDToken))
	if err := w.sessions.Destroy(ctx); err != nil {
		return "", unavailable(err)
	}
	c.Response().Header().Set("Clear-Site-Data", `"cache", "storage"`)
	c.SetCookie(secureCookie(flashCookie, "", -1)) // it may say what was done
	if by.SignedIn() {
		if err := w.recordSignOut(c, by, reason); err != nil {
			return "", err
		}
	}
	setContext(c, actor.Into(c.Request().Context(), actor.Actor{}))
	return there, nil
}

// backChannel is where the provider says that a session has ended there.
func (w *Web) backChannel(c echo.Context) error {
	form, err := Form(c)
	if err != nil {
		return badLogout(c, err)
	}
	ctx := c.Request().Context()
	session, err := w.config.Provider.LoggedOut(ctx, form.Raw("logout_token"))
	if fault.Is(err, fault.Unavailable) {
		return err
	}
	if err != nil {
		return badLogout(c, err)
	}
	ended, err := w.config.Sessions.EndByProvider(ctx, session)
	if err != nil {
		return err
	}
	if ended > 0 {
		if err := w.recordEnded(c, ended); err != nil {
			return err
		}
	}
	return c.NoContent(http.StatusOK)
}

// recordEnded writes down that the provider ended sessions here. They are over by now, and stay over if this fails.
func (w *Web) recordEnded(c echo.Context, ended int) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), 5*time.Second)
	defer cancel()
	by := actor.System(actor.API, "back-channel logout")
	by.IP = c.RealIP()
	return w.config.Recorder.Record(ctx, by, audit.Event{
		Action: "session:end", ObjectKind: "session", Reason: "The identity provider ended the session.", After: map[string]int{"ended": ended},
	})
}

func badLogout(c echo.Context, err error) error {
	of(c).why = err
	return c.JSON(http.StatusBadRequest, map[string]string{"error": "invalid_request"})
}

// browser gives this browser's secret, and a new one to a browser that has none.
func (w *Web) browser(c echo.Context) string {
	if value := plausibleToken(cookieValue(c, browserCookie)); value != "" {
		return value
	}
	value := secret()
	c.SetCookie(secureCookie(browserCookie, value, 24*3600))
	return value
}

// secret is 32 random bytes as 43 letters.
func secret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// back is where a refused sign-in leads when it is tried again: to what the person wanted, never to the callback itself.
func (w *Web) back(c echo.Context) string {
	switch {
	case of(c).attempt != nil:
		return localOrHome(of(c).attempt.ReturnTo)
	case c.Path() == "/login":
		return localOrHome(c.QueryParam("return"))
	}
	return returnPath(c)
}

// LoginHref leads to the sign-in and back to one of our pages; again asks for a fresh one.
func LoginHref(back string, again bool) string {
	q := url.Values{"return": {back}}
	if again {
		q.Set("fresh", "1")
	}
	return "/login?" + q.Encode()
}
