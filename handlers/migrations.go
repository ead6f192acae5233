package handlers

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// MigrationStories are the stories of the warehouse's schema.
type MigrationStories interface {
	Ladder(ctx context.Context, by actor.Actor, before int64) (migration.Overview, error)
	Show(ctx context.Context, by actor.Actor, v migration.Version) (migration.Detail, error)
	Apply(ctx context.Context, by actor.Actor, req migration.ApplyRequest) (migration.Run, error)
	Down(ctx context.Context, by actor.Actor, req migration.DownRequest) (migration.Run, error)
	Run(ctx context.Context, by actor.Actor, id migration.RunID) (migration.Sighting, error)
	Tail(ctx context.Context, by actor.Actor, id migration.RunID, after int) (run migration.Run, lines []migration.Line, more bool, err error)
	Acknowledge(ctx context.Context, by actor.Actor, id migration.RunID, note string) error
}

const (
	migrationsPage = "/migrations"
	runsPage       = "/migration-runs"
	// migrationFreshness is how old the sign-in of whoever changes the schema may be.
	migrationFreshness = 10 * time.Minute
)

type migrations struct {
	stories MigrationStories
	now     func() time.Time
}

// Migrations is the subject of the warehouse's schema: the ladder, one version, one run.
func Migrations(stories MigrationStories, now func() time.Time) []web.Route {
	h := migrations{stories, now}
	change := func(path string, right actor.Right, doing string, handler web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Path: path, Right: right, Fresh: migrationFreshness, Doing: doing, Handler: handler}
	}
	acknowledge := change(runsPage+"/:run/acknowledge", actor.MigrationApply, "close an interrupted run", h.acknowledge)
	acknowledge.Action = "migration:acknowledge"
	return []web.Route{
		web.Needs(http.MethodGet, migrationsPage, actor.MigrationRead, h.list),
		web.Needs(http.MethodGet, migrationsPage+"/:version", actor.MigrationRead, h.show),
		change(migrationsPage+"/:version/apply", actor.MigrationApply, "apply a migration", h.apply),
		web.Needs(http.MethodGet, migrationsPage+"/:version/down", actor.MigrationRead, h.askDown),
		change(migrationsPage+"/:version/down", actor.MigrationDown, "undo a migration", h.down),
		web.Needs(http.MethodGet, runsPage+"/:run", actor.MigrationRead, h.run),
		streams(runsPage+"/:run"+eventsPath, actor.MigrationRead, h.watch),
		acknowledge,
	}
}

func (h migrations) list(c echo.Context) error {
	values := web.Query(c)
	before, err := cursor(values, "before")
	if err != nil {
		return err
	}
	o, err := h.stories.Ladder(c.Request().Context(), web.Actor(c), before)
	if err != nil {
		return err
	}
	shell := web.Shell(c, "Migrations")
	return web.Page(c, http.StatusOK, pages.MigrationList(h.listView(shell, web.Actor(c), o, before)))
}

// cursor reads the place in the ledger after which a page begins; 0 is the newest.
func cursor(values *web.Values, name string) (int64, error) {
	var at int64
	if values.Has(name) {
		n, err := strconv.ParseInt(values.Text(name, 1, 19), 10, 64)
		if err != nil || n < 1 {
			values.Complain(name, "This is no place in the list.")
		}
		at = n
	} else {
		values.Allow(name)
	}
	return at, values.Err()
}

func (h migrations) show(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	version, err := versionOf(c)
	if err != nil {
		return err
	}
	d, err := h.stories.Show(c.Request().Context(), web.Actor(c), version)
	if err != nil {
		return err
	}
	shell := web.Shell(c, "Migration "+version.Title(), toMigrations)
	return web.Page(c, http.StatusOK, pages.MigrationShow(h.showView(shell, web.Actor(c), d)))
}

var toMigrations = layouts.Crumb{Label: "Migrations", Href: migrationsPage}

// versionOf reads the version of the path, in the one form that links carry.
func versionOf(c echo.Context) (migration.Version, error) {
	v, err := migration.ParseVersion(c.Param("version"))
	if err != nil || c.Param("version") != v.Title() {
		return 0, web.NotFound()
	}
	return v, nil
}

func versionHref(v migration.Version) string { return migrationsPage + "/" + v.Title() }

func runHref(id migration.RunID) string { return runsPage + "/" + id.String() }

func (h migrations) apply(c echo.Context) error {
	version, err := versionOf(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	req := migration.ApplyRequest{
		Version: version, Key: form.UUID("key"), Release: form.UUID("release"), SHA256: form.Text("sha256", 64, 64),
	}
	if err := form.Err(); err != nil {
		return err
	}
	run, err := h.stories.Apply(c.Request().Context(), web.Actor(c), req)
	if err != nil {
		return err
	}
	return web.SeeOther(c, runHref(run.ID))
}

func (h migrations) askDown(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	version, err := versionOf(c)
	if err != nil {
		return err
	}
	d, err := h.stories.Show(c.Request().Context(), web.Actor(c), version)
	if err != nil {
		return err
	}
	v := h.downView(c, web.Actor(c), d)
	if typed := web.Prefill(c); typed != nil {
		v.Reason, v.Confirm = typed["reason"], typed["confirm"]
	}
	return web.Page(c, http.StatusOK, pages.MigrationDown(v))
}

func (h migrations) down(c echo.Context) error {
	version, err := versionOf(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	req := migration.DownRequest{
		Version: version, Key: form.UUID("key"), Release: form.UUID("release"), SHA256: form.Text("sha256", 64, 64), Loss: form.UUID("loss"),
		Confirm: form.Text("confirm", 0, 40), Reason: form.Text("reason", 0, 2000),
	}
	err = form.Err()
	var run migration.Run
	if err == nil {
		run, err = h.stories.Down(c.Request().Context(), web.Actor(c), req)
	}
	if refused, ok := fault.As(err); ok && refused.Kind == fault.Invalid && onlyFields(refused, "confirm", "reason") {
		return h.downAgain(c, version, form, refused)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(c, runHref(run.ID))
}

// onlyFields says whether the complaints are all about fields that the person can put right on the page.
func onlyFields(refused *fault.Error, names ...string) bool {
	for field := range refused.Fields {
		if field != names[0] && field != names[len(names)-1] {
			return false
		}
	}
	return len(refused.Fields) > 0
}

// downAgain is the page with what was typed and the complaints.
func (h migrations) downAgain(c echo.Context, version migration.Version, form *web.Values, refused *fault.Error) error {
	d, err := h.stories.Show(c.Request().Context(), web.Actor(c), version)
	if err != nil {
		return err
	}
	v := h.downView(c, web.Actor(c), d)
	v.Reason, v.Confirm = form.Raw("reason"), form.Raw("confirm")
	v.Complaints = complaints(refused, "reason", "confirm")
	return web.Again(c, refused, pages.MigrationDown(v))
}

func (h migrations) run(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	id, err := web.ID(c, "run")
	if err != nil {
		return err
	}
	one, err := h.stories.Run(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.MigrationRun(h.runView(c, web.Actor(c), one)))
}

func (h migrations) acknowledge(c echo.Context) error {
	id, err := web.ID(c, "run")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	reason := form.Text("reason", 1, 2000)
	if err = form.Err(); err == nil {
		err = h.stories.Acknowledge(c.Request().Context(), web.Actor(c), id, reason)
	}
	if refused, ok := fault.As(err); ok && refused.Kind == fault.Invalid && onlyFields(refused, "reason") {
		return h.acknowledgeAgain(c, id, form, refused)
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "The run is closed. The next step may be ordered.")
	return web.SeeOther(c, runHref(id))
}

func (h migrations) acknowledgeAgain(c echo.Context, id uuid.UUID, form *web.Values, refused *fault.Error) error {
	one, err := h.stories.Run(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return err
	}
	v := h.runView(c, web.Actor(c), one)
	if v.Stopped == nil {
		return refused
	}
	v.Stopped.Reason, v.Stopped.Complaints = form.Raw("reason"), complaints(refused, "reason")
	return web.Again(c, refused, pages.MigrationRun(v))
}

// environment is the system's name as buttons repeat it.
func environment(shell layouts.Shell) string { return shell.Environment.Word() }

// fieldLabels are what the pages call the fields, for the list of complaints above a form.
var fieldLabels = map[string]string{
	"template": "Runbook", "code": "Release code", "title": "Title", "t_zero": "T-0", "zone": "Time zone",
	"reason": "Reason", "abort_reason": "Reason", "confirm": "Confirmation", "days": "Days", "database": "Database's name",
	"provider": "Provider or tool", "identifier": "Identifier there", "taken": "Taken", "covers": "What it covers", "evidence": "Evidence", "sha256": "SHA-256",
	"file": "File", "restored": "Restored",
}

// complaints are those of the named fields, in the order in which the form asks.
func complaints(refused *fault.Error, names ...string) components.Complaints {
	var list components.Complaints
	for _, name := range names {
		if text := refused.Fields[name]; text != "" {
			list = append(list, components.Complaint{Field: name, Label: fieldLabels[name], Text: text})
		}
	}
	return list
}
