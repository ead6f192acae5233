package handlers

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/change"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// ChangeStories are the stories of change windows, freezes, overrides and one-time tokens.
type ChangeStories interface {
	Show(ctx context.Context, by actor.Actor, release uuid.UUID) (change.Page, error)
	SetWindow(ctx context.Context, by actor.Actor, release uuid.UUID, r change.Span) error
	Freeze(ctx context.Context, by actor.Actor, id uuid.UUID, r change.Span) error
	Ask(ctx context.Context, by actor.Actor, r change.Asked) error
	CheckAsked(r change.Asked) error
	Second(ctx context.Context, by actor.Actor, release, override uuid.UUID) error
	MakeToken(ctx context.Context, by actor.Actor, id, release uuid.UUID, version, direction string) (string, time.Time, error)
	Revoke(ctx context.Context, by actor.Actor, release, token uuid.UUID) error
}

const windowPath = "/window"

type windows struct {
	stories ChangeStories
	now     func() time.Time
}

// Windows is the subject of when a release may change the schema, and of who said otherwise.
func Windows(stories ChangeStories, now func() time.Time) []web.Route {
	h := windows{stories, now}
	const page = releasesPage + "/:release" + windowPath
	post := func(path string, right actor.Right, action, doing string, handler web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Path: page + path, Right: right, Fresh: actor.FreshFor, Action: action, Doing: doing, Handler: handler}
	}
	return []web.Route{
		web.Needs(http.MethodGet, page, actor.ReleaseRead, h.show),
		post("", actor.ReleaseManage, "release:window", "set the change window", h.set),
		post("/freeze", actor.ReleaseManage, "environment:freeze", "freeze the environment", h.freeze),
		post("/overrides", actor.ReleaseManage, "override:ask", "ask for an override", h.ask),
		post("/overrides/:override/second", actor.GateSign, "override:second", "agree to an override", h.second),
		post("/tokens", actor.MigrationApply, "token:make", "make a one-time token", h.token),
		post("/tokens/:token/revoke", actor.MigrationApply, "token:revoke", "revoke a one-time token", h.revoke),
	}
}

func windowHref(release uuid.UUID) string { return runPath(release) + windowPath }

// load reads the release of the path; everything on this page is said in its time zone.
func (h windows) load(c echo.Context) (change.Page, *time.Location, error) {
	id, err := web.ID(c, "release")
	if err != nil {
		return change.Page{}, nil, err
	}
	p, err := h.stories.Show(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return change.Page{}, nil, err
	}
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		zone = time.UTC
	}
	return p, zone, nil
}

func (h windows) view(c echo.Context, p change.Page, zone *time.Location) pages.ReleaseWindowView {
	shell := web.Shell(c, "Window of "+p.Code, toReleases, layouts.Crumb{Label: p.Code, Href: runPath(p.Release)})
	return h.windowView(shell, web.Actor(c), p, zone)
}

func (h windows) show(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	p, zone, err := h.load(c)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.ReleaseWindow(h.view(c, p, zone)))
}

// readSpan reads a window or a freeze in the release's time zone.
func readSpan(form *web.Values, zone *time.Location) change.Span {
	return change.Span{From: form.Time("from", zone), Until: form.Time("until", zone), Reason: form.Text("reason", 0, 2000)}
}

func (h windows) set(c echo.Context) error {
	p, zone, err := h.load(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	span := readSpan(form, zone)
	if err = form.Err(); err == nil {
		err = h.stories.SetWindow(c.Request().Context(), web.Actor(c), p.Release, span)
	}
	if refused, ok := correctable(err); ok {
		v := h.view(c, p, zone)
		keepSpan(&v.Window, form)
		v.Window.Complaints = allComplaints(refused, "from", "until", "reason")
		return web.Again(c, refused, pages.ReleaseWindow(v))
	}
	return h.back(c, p.Release, err, "The change window is set. Go / no-go is signed with it.")
}

func (h windows) freeze(c echo.Context) error {
	p, zone, err := h.load(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	key, span := form.UUID("key"), readSpan(form, zone)
	if err = form.Err(); err == nil {
		err = h.stories.Freeze(c.Request().Context(), web.Actor(c), key, span)
	}
	if refused, ok := correctable(err); ok {
		v := h.view(c, p, zone)
		keepSpan(&v.Freeze, form)
		v.Freeze.Complaints = allComplaints(refused, "from", "until", "reason")
		return web.Again(c, refused, pages.ReleaseWindow(v))
	}
	return h.back(c, p.Release, err, "The freeze is set. Nothing is applied or taken back while it holds.")
}

func keepSpan(f *pages.SpanForm, form *web.Values) {
	f.From, f.Until, f.Reason = form.Raw("from"), form.Raw("until"), form.Raw("reason")
}

// back leads to the page again, with what was done.
func (h windows) back(c echo.Context, release uuid.UUID, err error, done string) error {
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, done)
	return web.SeeOther(c, windowHref(release))
}

func (h windows) ask(c echo.Context) error {
	p, zone, err := h.load(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	asked := change.Asked{
		Release: p.Release, ID: form.UUID("key"), Kind: change.Kind(form.Choice("kind", string(change.Window), string(change.Frost), string(change.Proof))),
		For: time.Duration(form.Int("hours", 1, 8)) * time.Hour, Reason: form.Text("reason", 0, 2000),
	}
	if err = form.Err(); err != nil {
		err = withComplaints(err, h.stories.CheckAsked(asked))
	} else {
		err = h.stories.Ask(c.Request().Context(), web.Actor(c), asked)
	}
	if refused, ok := correctable(err); ok {
		v := h.view(c, p, zone)
		v.Override.Hours, v.Override.Reason = form.Raw("hours"), form.Raw("reason")
		for i := range v.Override.Kinds {
			v.Override.Kinds[i].Chosen = v.Override.Kinds[i].Value == form.Raw("kind")
		}
		v.Override.Complaints = allComplaints(refused, "kind", "hours", "reason")
		return web.Again(c, refused, pages.ReleaseWindow(v))
	}
	return h.back(c, p.Release, err, "The override is asked for. It counts once somebody else agrees.")
}

func (h windows) second(c echo.Context) error {
	p, _, err := h.load(c)
	if err != nil {
		return err
	}
	override, err := web.ID(c, "override")
	if err != nil {
		return err
	}
	if err := pressed(c); err != nil {
		return err
	}
	return h.back(c, p.Release, h.stories.Second(c.Request().Context(), web.Actor(c), p.Release, override), "You agreed. The override counts until it ends.")
}

// token answers with the page itself: the token is in this answer and in no other.
func (h windows) token(c echo.Context) error {
	release, err := web.ID(c, "release")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	key, step := form.UUID("key"), form.Text("step", 1, 40)
	direction, version, _ := strings.Cut(step, " ")
	if version == "" || direction != "up" && direction != "down" {
		form.Complain("step", "Choose a step of the list.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	made, until, err := h.stories.MakeToken(c.Request().Context(), web.Actor(c), key, release, version, direction)
	if err != nil {
		return err
	}
	p, zone, err := h.load(c)
	if err != nil {
		return err
	}
	v := h.view(c, p, zone)
	v.Made = &pages.MadeToken{Token: made, Command: command(p.Release, version, direction), Until: until.In(zone).Format("15:04 MST")}
	return web.Page(c, http.StatusOK, pages.ReleaseWindow(v))
}

func command(release uuid.UUID, version, direction string) string {
	if direction == "down" {
		return "gatehouse migrate down V" + version + " --release " + release.String() + " --confirm V" + version + ` --reason "..."`
	}
	return "gatehouse migrate apply V" + version + " --release " + release.String()
}

func (h windows) revoke(c echo.Context) error {
	release, err := web.ID(c, "release")
	if err != nil {
		return err
	}
	token, err := web.ID(c, "token")
	if err != nil {
		return err
	}
	if err := pressed(c); err != nil {
		return err
	}
	return h.back(c, release, h.stories.Revoke(c.Request().Context(), web.Actor(c), release, token), "The token is revoked.")
}
