package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// ExternalStories are the stories of backups that other tools took.
type ExternalStories interface {
	List(ctx context.Context, by actor.Actor) ([]backup.External, error)
	Show(ctx context.Context, by actor.Actor, id uuid.UUID) (backup.External, error)
	Check(r backup.Registration) error
	Register(ctx context.Context, by actor.Actor, r backup.Registration) (backup.External, error)
	Attest(ctx context.Context, by actor.Actor, id uuid.UUID, a backup.Attestation) error
	Within() time.Duration
}

const externalsPage = backupsPage + "/external"

type externals struct {
	stories    ExternalStories
	operations ExternalOrders
	now        func() time.Time
}

// ExternalOrders orders that the file of an external backup is restored.
type ExternalOrders interface {
	Ask(ctx context.Context, by actor.Actor, kind operation.Kind, argument, reason string, key uuid.UUID) (operation.Operation, error)
}

// Externals is the subject of backups that other tools took: who registered them, and whether they restore.
func Externals(stories ExternalStories, operations ExternalOrders, now func() time.Time) []web.Route {
	h := externals{stories, operations, now}
	post := func(path, action, doing string, handler web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Path: externalsPage + path, Right: actor.MigrationApply, Fresh: migrationFreshness, Action: action, Doing: doing, Handler: handler}
	}
	return []web.Route{
		web.Needs(http.MethodGet, externalsPage, actor.MigrationRead, h.list),
		post("", "backup:register", "register an external backup", h.register),
		web.Needs(http.MethodGet, externalsPage+"/:external", actor.MigrationRead, h.show),
		post("/:external/drill", "backup:drill", "restore an external backup beside the database", h.drill),
		post("/:external/attest", "backup:attest", "attest the drill of an external backup", h.attest),
	}
}

var toBackups = layouts.Crumb{Label: "Backups", Href: backupsPage}

func externalHref(id uuid.UUID) string { return externalsPage + "/" + id.String() }

func (h externals) list(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	v, err := h.listed(c)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.ExternalList(v))
}

func (h externals) listed(c echo.Context) (pages.ExternalListView, error) {
	list, err := h.stories.List(c.Request().Context(), web.Actor(c))
	if err != nil {
		return pages.ExternalListView{}, err
	}
	return h.listView(web.Shell(c, "Backups of other tools", toMigrations, toBackups), web.Actor(c), list), nil
}

// registered are the fields of a registration, in the order in which the form asks.
var registered = []string{"provider", "identifier", "taken", "covers", "evidence", "file", "sha256"}

func (h externals) register(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	r := backup.Registration{
		Provider: form.Text("provider", 0, 200), Identifier: form.Text("identifier", 0, 500), TakenAt: form.Time("taken", time.UTC), Covers: form.Text("covers", 0, 1000),
		Evidence: form.Text("evidence", 0, 2000), SHA256: form.Text("sha256", 0, 64), File: form.Text("file", 0, 200),
	}
	var x backup.External
	if err = form.Err(); err != nil {
		err = withComplaints(err, h.stories.Check(r))
	} else {
		x, err = h.stories.Register(c.Request().Context(), web.Actor(c), r)
	}
	if refused, ok := correctable(err); ok {
		v, err := h.listed(c)
		if err != nil {
			return err
		}
		keepRegistration(&v.Form, form)
		v.Form.Complaints = allComplaints(refused, registered...)
		return web.Again(c, refused, pages.ExternalList(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "It is registered. It is worth nothing until it was restored once.")
	return web.SeeOther(c, externalHref(x.ID))
}

func keepRegistration(f *pages.ExternalForm, form *web.Values) {
	f.Provider, f.Identifier, f.Taken, f.Covers = form.Raw("provider"), form.Raw("identifier"), form.Raw("taken"), form.Raw("covers")
	f.Evidence, f.SHA256, f.File = form.Raw("evidence"), form.Raw("sha256"), form.Raw("file")
}

func (h externals) shown(c echo.Context) (pages.ExternalShowView, error) {
	id, err := web.ID(c, "external")
	if err != nil {
		return pages.ExternalShowView{}, err
	}
	x, err := h.stories.Show(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return pages.ExternalShowView{}, err
	}
	shell := web.Shell(c, x.Provider+" "+x.Identifier, toMigrations, toBackups, layouts.Crumb{Label: "Of other tools", Href: externalsPage})
	return h.showView(shell, web.Actor(c), x), nil
}

func (h externals) show(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	v, err := h.shown(c)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.ExternalShow(v))
}

func (h externals) drill(c echo.Context) error {
	id, err := web.ID(c, "external")
	if err != nil {
		return err
	}
	key, err := pressedOnce(c)
	if err != nil {
		return err
	}
	if _, err := h.stories.Show(c.Request().Context(), web.Actor(c), id); err != nil {
		return err
	}
	o, err := h.operations.Ask(c.Request().Context(), web.Actor(c), operation.External, id.String(), "", key)
	if err != nil {
		return err
	}
	return web.SeeOther(c, operationHref(o.ID))
}

func (h externals) attest(c echo.Context) error {
	id, err := web.ID(c, "external")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	a := backup.Attestation{RestoredAt: form.Time("restored", time.UTC), Evidence: form.Text("evidence", 0, 2000)}
	if err = form.Err(); err == nil {
		err = h.stories.Attest(c.Request().Context(), web.Actor(c), id, a)
	}
	if refused, ok := correctable(err); ok {
		v, err := h.shown(c)
		if err != nil {
			return err
		}
		v.Attest.Restored, v.Attest.Evidence = form.Raw("restored"), form.Raw("evidence")
		v.Attest.Complaints = allComplaints(refused, "restored", "evidence")
		return web.Again(c, refused, pages.ExternalShow(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "The drill is written down as yours. It opens no gate by itself.")
	return web.SeeOther(c, externalHref(id))
}
