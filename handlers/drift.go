package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// DriftStories are the stories of the live schema held against the files.
type DriftStories interface {
	Latest(ctx context.Context, by actor.Actor) (*migration.DriftReport, error)
	Check(ctx context.Context, by actor.Actor) (migration.DriftReport, error)
	Accept(ctx context.Context, by actor.Actor, sha256, reason string, until time.Time) error
	Withdraw(ctx context.Context, by actor.Actor, acceptance uuid.UUID, reason string) error
}

const (
	driftPage    = migrationsPage + "/drift"
	longestDrift = 365 // days that an acceptance may last
)

type drift struct {
	stories DriftStories
	now     func() time.Time
}

// Drift is the subject of what somebody else changed in the warehouse's schema.
func Drift(stories DriftStories, now func() time.Time) []web.Route {
	h := drift{stories, now}
	post := func(path, action, doing string, handler web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Path: driftPage + path, Right: actor.MigrationApply, Fresh: migrationFreshness, Doing: doing, Action: action, Handler: handler}
	}
	return []web.Route{
		web.Needs(http.MethodGet, driftPage, actor.MigrationRead, h.show),
		post("/check", "migration:check_drift", "look at the live schema", h.check),
		post("/accept", "migration:accept_drift", "accept a difference", h.accept),
		post("/withdraw", "migration:withdraw_drift", "withdraw an acceptance", h.withdraw),
	}
}

func (h drift) show(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	v, err := h.view(c)
	if err != nil {
		return err
	}
	if typed := web.Prefill(c); typed != nil {
		v.Failed, v.Reason, v.Days = typed["sha256"]+typed["acceptance"], typed["reason"], typed["days"]
	}
	return web.Page(c, http.StatusOK, pages.Drift(v))
}

func (h drift) check(c echo.Context) error {
	if err := pressed(c); err != nil {
		return err
	}
	if _, err := h.stories.Check(c.Request().Context(), web.Actor(c)); err != nil {
		return err
	}
	return web.SeeOther(c, driftPage)
}

func (h drift) accept(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	sha, reason := form.Text("sha256", 64, 64), form.Text("reason", 0, 2000)
	var until time.Time
	if form.Has("days") {
		until = h.now().AddDate(0, 0, form.Int("days", 1, longestDrift))
	} else {
		form.Allow("days")
	}
	if err = form.Err(); err == nil {
		err = h.stories.Accept(c.Request().Context(), web.Actor(c), sha, reason, until)
	}
	if err != nil {
		return h.again(c, err, form, sha)
	}
	web.Flash(c, layouts.FlashGood, "Signed. It may stay exactly as it is now.")
	return web.SeeOther(c, driftPage)
}

func (h drift) withdraw(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	id, reason := form.UUID("acceptance"), form.Text("reason", 0, 2000)
	if err = form.Err(); err == nil {
		err = h.stories.Withdraw(c.Request().Context(), web.Actor(c), id, reason)
	}
	if err != nil {
		return h.again(c, err, form, id.String())
	}
	web.Flash(c, layouts.FlashGood, "Withdrawn. The difference stops the next apply again.")
	return web.SeeOther(c, driftPage)
}

// again shows the page with what was typed, where the complaints are about what a person types.
func (h drift) again(c echo.Context, err error, form *web.Values, failed string) error {
	refused, ok := fault.As(err)
	if !ok || refused.Kind != fault.Invalid || !onlyFields(refused, "reason", "days") {
		return err
	}
	v, err := h.view(c)
	if err != nil {
		return err
	}
	v.Failed, v.Reason, v.Days = failed, form.Raw("reason"), form.Raw("days")
	v.Complaints = complaints(refused, "reason", "days")
	return web.Again(c, refused, pages.Drift(v))
}
