package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/restore"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// RestoreStories are the stories of putting the warehouse back to what a backup held.
type RestoreStories interface {
	Show(ctx context.Context, by actor.Actor, backup uuid.UUID) (restore.Page, error)
	Find(ctx context.Context, by actor.Actor, request uuid.UUID) (restore.Request, error)
	Count(ctx context.Context, by actor.Actor, backup uuid.UUID) error
	Ask(ctx context.Context, by actor.Actor, w restore.Wanted) error
	Agree(ctx context.Context, by actor.Actor, request uuid.UUID, database, seen string) (restore.Request, error)
	Withdraw(ctx context.Context, by actor.Actor, request uuid.UUID) (restore.Request, error)
	Start(ctx context.Context, by actor.Actor, request uuid.UUID, database string, key uuid.UUID) (restore.Request, uuid.UUID, error)
}

type restores struct {
	stories RestoreStories
	off     string
	now     func() time.Time
}

// Restores is the subject of a restore, which takes two people. off says why none can be ordered here.
func Restores(stories RestoreStories, off string, now func() time.Time) []web.Route {
	h := restores{stories, off, now}
	const page = backupsPage + "/:backup/restore"
	post := func(path string, right actor.Right, action, doing string, handler web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Path: page + path, Right: right, Fresh: actor.FreshFor, Action: action, Doing: doing, Handler: handler}
	}
	withdraw := post("/:request/withdraw", actor.MigrationRead, "restore:withdraw", "", h.withdraw)
	withdraw.Fresh = 0 // taking back is never made hard
	return []web.Route{
		web.Needs(http.MethodGet, page, actor.MigrationRead, h.show),
		post("/look", actor.MigrationDown, "backup:look", "count what a restore would do", h.look),
		post("", actor.MigrationDown, "restore:ask", "ask for a restore", h.ask),
		post("/:request/agree", actor.GateSign, "restore:agree", "agree to a restore", h.agree),
		withdraw,
		post("/:request/start", actor.MigrationDown, "restore:start", "restore the warehouse", h.start),
	}
}

func restoreHref(backup uuid.UUID) string { return backupsPage + "/" + backup.String() + "/restore" }

func (h restores) view(c echo.Context, backup uuid.UUID) (pages.BackupRestoreView, error) {
	p, err := h.stories.Show(c.Request().Context(), web.Actor(c), backup)
	if err != nil {
		return pages.BackupRestoreView{}, err
	}
	shell := web.Shell(c, "Restore a backup", toMigrations, layouts.Crumb{Label: "Backups", Href: backupsPage})
	return h.restoreView(shell, web.Actor(c), p), nil
}

func (h restores) show(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	backup, err := web.ID(c, "backup")
	if err != nil {
		return err
	}
	v, err := h.view(c, backup)
	if err != nil {
		return err
	}
	if typed := web.Prefill(c); typed != nil {
		v.Ask.Reason, v.Ask.Typed = typed["reason"], typed["database"]
	}
	return web.Page(c, http.StatusOK, pages.BackupRestore(v))
}

func (h restores) look(c echo.Context) error {
	backup, err := web.ID(c, "backup")
	if err != nil {
		return err
	}
	if err := pressed(c); err != nil {
		return err
	}
	if err := h.stories.Count(c.Request().Context(), web.Actor(c), backup); err != nil {
		return err
	}
	return web.SeeOther(c, restoreHref(backup))
}

func (h restores) ask(c echo.Context) error {
	backup, err := web.ID(c, "backup")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	w := restore.Wanted{ID: form.UUID("key"), Backup: backup, Look: form.UUID("look"), Reason: form.Text("reason", 0, 2000), Database: form.Text("database", 0, 200)}
	if err = form.Err(); err == nil {
		err = h.stories.Ask(c.Request().Context(), web.Actor(c), w)
	}
	if refused, ok := correctable(err); ok {
		v, err := h.view(c, backup)
		if err != nil {
			return err
		}
		v.Ask.Reason, v.Ask.Typed, v.Complaints = form.Raw("reason"), form.Raw("database"), allComplaints(refused, "reason", "database")
		v.Ask.Problem = v.Complaints.For("database")
		return web.Again(c, refused, pages.BackupRestore(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "You asked for a restore. It waits for a second person.")
	return web.SeeOther(c, restoreHref(backup))
}

// requestOf is the request of the path, under the backup that it is about and no other. Who may not see it at all, and one
// that there is not, is refused by the story, in its own order.
func (h restores) requestOf(c echo.Context) (backup, request uuid.UUID, err error) {
	if backup, err = web.ID(c, "backup"); err != nil {
		return backup, request, err
	}
	if request, err = web.ID(c, "request"); err != nil {
		return backup, request, err
	}
	if found, err := h.stories.Find(c.Request().Context(), web.Actor(c), request); err == nil && found.Backup != backup {
		return backup, request, fault.New(fault.NotFound, "Nobody asked for such a restore of this backup.")
	}
	return backup, request, nil
}

// named reads a form whose one field for people is the database's name, and lets it be corrected.
func (h restores) named(c echo.Context, act func(backup, request uuid.UUID, database string, form *web.Values) (string, error)) error {
	backup, request, err := h.requestOf(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	where, err := act(backup, request, form.Text("database", 0, 200), form)
	if refused, ok := correctable(err); ok {
		return h.again(c, backup, request, form, refused)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(c, where)
}

// again is the page with what was typed beside the request it was typed for.
func (h restores) again(c echo.Context, backup, request uuid.UUID, form *web.Values, refused *fault.Error) error {
	v, err := h.view(c, backup)
	if err != nil {
		return err
	}
	v.Complaints = allComplaints(refused, "database")
	for i := range v.Requests {
		r := &v.Requests[i]
		if r.ID != request.String() {
			continue
		}
		for _, f := range []*pages.RestoreForm{&r.Agree, &r.Start} {
			f.Typed, f.Problem = form.Raw("database"), v.Complaints.For("database")
		}
		for j := range v.Complaints {
			v.Complaints[j].Field = r.Agree.ID
		}
	}
	return web.Again(c, refused, pages.BackupRestore(v))
}

func (h restores) agree(c echo.Context) error {
	return h.named(c, func(backup, request uuid.UUID, database string, form *web.Values) (string, error) {
		seen := form.Text("seen", 64, 64)
		if err := form.Err(); err != nil {
			return "", err
		}
		if _, err := h.stories.Agree(c.Request().Context(), web.Actor(c), request, database, seen); err != nil {
			return "", err
		}
		web.Flash(c, layouts.FlashGood, "You agreed. The restore may be ordered until the request ends.")
		return restoreHref(backup), nil
	})
}

func (h restores) start(c echo.Context) error {
	return h.named(c, func(_, request uuid.UUID, database string, form *web.Values) (string, error) {
		key := form.UUID("key")
		if err := form.Err(); err != nil {
			return "", err
		}
		_, operation, err := h.stories.Start(c.Request().Context(), web.Actor(c), request, database, key)
		return operationHref(operation), err
	})
}

func (h restores) withdraw(c echo.Context) error {
	backup, request, err := h.requestOf(c)
	if err != nil {
		return err
	}
	if err := pressed(c); err != nil {
		return err
	}
	if _, err := h.stories.Withdraw(c.Request().Context(), web.Actor(c), request); err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "The request is withdrawn.")
	return web.SeeOther(c, restoreHref(backup))
}
