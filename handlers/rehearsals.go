package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// RehearsalStories are what the pages of rehearsals call.
type RehearsalStories interface {
	List(ctx context.Context, by actor.Actor) ([]migration.RehearsalSummary, error)
	Show(ctx context.Context, by actor.Actor, id uuid.UUID) (migration.Rehearsal, error)
	Text(ctx context.Context, by actor.Actor, id uuid.UUID) (migration.Rehearsal, string, error)
}

const rehearsalsPage = migrationsPage + "/rehearsals"

type rehearsals struct {
	stories RehearsalStories
	now     func() time.Time
}

// Rehearsals is the subject of what migrations did to a copy: a list, a page, and the report as it was hashed.
func Rehearsals(stories RehearsalStories, now func() time.Time) []web.Route {
	h := rehearsals{stories, now}
	return []web.Route{
		web.Needs(http.MethodGet, rehearsalsPage, actor.MigrationRead, h.list),
		web.Needs(http.MethodGet, rehearsalsPage+"/:rehearsal", actor.MigrationRead, h.show),
		web.Needs(http.MethodGet, rehearsalsPage+"/:rehearsal/report", actor.MigrationRead, h.report),
	}
}

var toRehearsals = layouts.Crumb{Label: "Rehearsals", Href: rehearsalsPage}

func rehearsalHref(id uuid.UUID) string { return rehearsalsPage + "/" + id.String() }

func (h rehearsals) list(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	list, err := h.stories.List(c.Request().Context(), web.Actor(c))
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.RehearsalList(h.listView(web.Shell(c, "Rehearsals", toMigrations), web.Actor(c), list)))
}

func (h rehearsals) show(c echo.Context) error {
	id, err := plainID(c, "rehearsal")
	if err != nil {
		return err
	}
	r, err := h.stories.Show(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.RehearsalShow(h.showView(web.Shell(c, "Rehearsal", toMigrations, toRehearsals), r)))
}

// report is the very text of which the SHA-256 is, so that anybody can check it.
func (h rehearsals) report(c echo.Context) error {
	id, err := plainID(c, "rehearsal")
	if err != nil {
		return err
	}
	r, text, err := h.stories.Text(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="rehearsal-`+r.ID.String()+`.json"`)
	return c.Blob(http.StatusOK, "application/json; charset=utf-8", []byte(text))
}

// plainID is an id of the path, at an address without parameters.
func plainID(c echo.Context, name string) (uuid.UUID, error) {
	if err := web.Query(c).Err(); err != nil {
		return uuid.Nil, err
	}
	return web.ID(c, name)
}
