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
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// RepairStories are the stories of versions of which ledger and database do not agree, of what an undo loses, and of
// indexes that are not valid.
type RepairStories interface {
	Latest(ctx context.Context, by actor.Actor, v migration.Version) (migration.Known, error)
	Look(ctx context.Context, by actor.Actor, v migration.Version) (migration.Probe, error)
	Order(ctx context.Context, by actor.Actor, o migration.RepairOrder) (operation uuid.UUID, err error)
	SaveLosses(ctx context.Context, by actor.Actor, v migration.Version, key uuid.UUID) (operation uuid.UUID, err error)
	Rebuild(ctx context.Context, by actor.Actor, index string, key uuid.UUID) (operation uuid.UUID, err error)
}

const rebuildHref = migrationsPage + "/indexes/rebuild"

func repairHref(v migration.Version) string { return versionHref(v) + "/repair" }

type repairs struct {
	stories RepairStories
	now     func() time.Time
}

// Repairs is the subject of what went wrong with a migration, and of the way back.
func Repairs(stories RepairStories, now func() time.Time) []web.Route {
	h := repairs{stories, now}
	post := func(path, action, doing string, right actor.Right, handler web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Path: migrationsPage + path, Right: right, Fresh: migrationFreshness, Doing: doing, Action: action, Handler: handler}
	}
	return []web.Route{
		web.Needs(http.MethodGet, migrationsPage+"/:version/repair", actor.MigrationRead, h.show),
		post("/:version/probe", "migration:probe", "look what of a migration is in the database", actor.MigrationApply, h.look),
		post("/:version/repair", "migration:repair", "repair a migration", actor.MigrationApply, h.order),
		post("/:version/losses", "migration:save_losses", "count and save what an undo would lose", actor.MigrationDown, h.losses),
		post("/indexes/rebuild", "migration:rebuild_index", "rebuild an index", actor.MigrationApply, h.rebuild),
	}
}

func (h repairs) show(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	version, err := versionOf(c)
	if err != nil {
		return err
	}
	v, err := h.view(c, version)
	if err != nil {
		return err
	}
	if typed := web.Prefill(c); typed != nil {
		v.Reason, v.Confirm = typed["reason"], typed["confirm"]
		choose(&v, typed["as"])
	}
	return web.Page(c, http.StatusOK, pages.MigrationRepair(v))
}

func (h repairs) look(c echo.Context) error {
	version, err := versionOf(c)
	if err != nil {
		return err
	}
	if err := pressed(c); err != nil {
		return err
	}
	if _, err := h.stories.Look(c.Request().Context(), web.Actor(c), version); err != nil {
		return err
	}
	return web.SeeOther(c, repairHref(version))
}

func (h repairs) order(c echo.Context) error {
	version, err := versionOf(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	order := migration.RepairOrder{
		Version: version, Key: form.UUID("key"), Seen: form.Text("seen", 64, 64), Reason: form.Text("reason", 0, 1000), Confirm: form.Text("confirm", 0, 40),
	}
	if form.Has("as") {
		order.As, err = migration.ParseRepair(form.Text("as", 1, 20))
		if err != nil {
			return err
		}
	} else {
		form.Complain("as", "Choose what became of it.")
	}
	var operation uuid.UUID
	if err = form.Err(); err == nil {
		operation, err = h.stories.Order(c.Request().Context(), web.Actor(c), order)
	}
	if refused, ok := fault.As(err); ok && refused.Kind == fault.Invalid && len(refused.Fields) > 0 {
		return h.again(c, version, form, refused)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(c, operationHref(operation))
}

// again is the page with what was typed and the complaints.
func (h repairs) again(c echo.Context, version migration.Version, form *web.Values, refused *fault.Error) error {
	v, err := h.view(c, version)
	if err != nil {
		return err
	}
	v.Reason, v.Confirm, v.Complaints = form.Raw("reason"), form.Raw("confirm"), complaints(refused, "as", "reason", "confirm")
	choose(&v, form.Raw("as"))
	if len(v.Complaints) == 0 {
		return refused
	}
	return web.Again(c, refused, pages.MigrationRepair(v))
}

func choose(v *pages.MigrationRepairView, as string) {
	for i := range v.Offers {
		v.Offers[i].Chosen = v.Offers[i].Value == as
	}
}

func (h repairs) losses(c echo.Context) error {
	version, err := versionOf(c)
	if err != nil {
		return err
	}
	key, err := pressedOnce(c)
	if err != nil {
		return err
	}
	operation, err := h.stories.SaveLosses(c.Request().Context(), web.Actor(c), version, key)
	if err != nil {
		return err
	}
	return web.SeeOther(c, operationHref(operation))
}

func (h repairs) rebuild(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	key, index := form.UUID("key"), form.Text("index", 1, 200)
	if err := form.Err(); err != nil {
		return err
	}
	operation, err := h.stories.Rebuild(c.Request().Context(), web.Actor(c), index, key)
	if err != nil {
		return err
	}
	return web.SeeOther(c, operationHref(operation))
}
