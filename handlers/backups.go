package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// OperationStories are what the page of backups and the page of an operation call.
type OperationStories interface {
	Overview(ctx context.Context, by actor.Actor) (operation.Overview, error)
	Order(ctx context.Context, by actor.Actor, kind operation.Kind, subject, key uuid.UUID) (operation.Operation, error)
	ExternalOrders
	Look(ctx context.Context, by actor.Actor, id uuid.UUID) (operation.Operation, []operation.Line, error)
	Tail(ctx context.Context, by actor.Actor, id uuid.UUID, after int) (o operation.Operation, lines []operation.Line, more bool, err error)
}

const (
	backupsPage    = migrationsPage + "/backups"
	operationsPage = "/operations"
)

type backups struct {
	stories     OperationStories
	off         string
	drillWithin time.Duration // of an external backup, from its registration
	now         func() time.Time
}

// Backups is the subject of dumps, of what each is worth, and of the work that proves it. off says why none can be ordered, drillWithin
// how long after its registration an external backup has to be restored.
func Backups(stories OperationStories, off string, drillWithin time.Duration, now func() time.Time) []web.Route {
	h := backups{stories, off, drillWithin, now}
	order := func(path, doing string, kind operation.Kind) web.Route {
		return web.Route{Method: http.MethodPost, Path: path, Right: actor.MigrationApply, Action: "operation:order", Fresh: migrationFreshness, Doing: doing, Handler: h.order(kind)}
	}
	return []web.Route{
		web.Needs(http.MethodGet, backupsPage, actor.MigrationRead, h.list),
		order(backupsPage, "take a backup", operation.Backup),
		order(backupsPage+"/:backup/drill", "restore a backup beside the database", operation.Drill),
		order(backupsPage+"/:backup/rehearse", "rehearse the migrations", operation.Rehearsal),
		order(rehearsalsPage, "rehearse the migrations on a sample", operation.Sample),
		web.Needs(http.MethodGet, operationsPage+"/:operation", actor.MigrationRead, h.show),
		streams(operationsPage+"/:operation"+eventsPath, actor.MigrationRead, h.watch),
	}
}

func (h backups) list(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	o, err := h.stories.Overview(c.Request().Context(), web.Actor(c))
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.BackupList(h.listView(web.Shell(c, "Backups", toMigrations), web.Actor(c), o)))
}

func (h backups) order(kind operation.Kind) web.Handler {
	return func(c echo.Context) error {
		subject := uuid.Nil
		if kind != operation.Backup && kind != operation.Sample {
			id, err := web.ID(c, "backup")
			if err != nil {
				return err
			}
			subject = id
		}
		key, err := pressedOnce(c)
		if err != nil {
			return err
		}
		o, err := h.stories.Order(c.Request().Context(), web.Actor(c), kind, subject, key)
		if err != nil {
			return err
		}
		return web.SeeOther(c, operationHref(o.ID))
	}
}

func operationHref(id uuid.UUID) string { return operationsPage + "/" + id.String() }

func (h backups) show(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	id, err := web.ID(c, "operation")
	if err != nil {
		return err
	}
	o, lines, err := h.stories.Look(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return err
	}
	shell := web.Shell(c, operationTitle(o.Kind), toMigrations, layouts.Crumb{Label: "Backups", Href: backupsPage})
	return web.Page(c, http.StatusOK, pages.OperationShow(h.operationView(shell, o, lines)))
}
