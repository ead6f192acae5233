package handlers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// TemplateStories are the stories of runbooks before a release is started from them.
type TemplateStories interface {
	Templates(ctx context.Context, by actor.Actor) ([]runbook.Template, error)
	Template(ctx context.Context, by actor.Actor, sha256 string) (runbook.Template, error)
	Import(ctx context.Context, by actor.Actor, text []byte) (runbook.Template, []runbook.Problem, error)
	Frozen(ctx context.Context, by actor.Actor, run uuid.UUID) (runbook.Release, runbook.Template, error)
}

const (
	runbooksPage = "/runbooks"
	// frozenPath follows a release: the runbook it was started from, and in what the newest differs.
	frozenPath = "/runbook"
)

type runbooks struct {
	stories TemplateStories
	now     func() time.Time
}

// runbookRoutes are the runbooks that a release can be started from, the bringing of one's own, and the one of a release.
func runbookRoutes(stories TemplateStories, now func() time.Time) []web.Route {
	h := runbooks{stories, now}
	return []web.Route{
		web.Needs(http.MethodGet, runbooksPage, actor.ReleaseRead, h.list),
		{Method: http.MethodPost, Path: runbooksPage, Right: actor.RunbookImport, Uploads: runbook.MaxTemplate, Handler: h.bring},
		web.Needs(http.MethodGet, runbooksPage+"/:sha256", actor.ReleaseRead, h.text),
		web.Needs(http.MethodGet, releasesPage+"/:release"+frozenPath, actor.ReleaseRead, h.frozen),
	}
}

func (h runbooks) list(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	v, err := h.listView(c)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.RunbookList(v))
}

func (h runbooks) listView(c echo.Context) (pages.RunbookListView, error) {
	by := web.Actor(c)
	v := pages.RunbookListView{Shell: web.Shell(c, "Runbooks", toReleases)}
	all, err := h.stories.Templates(c.Request().Context(), by)
	if err != nil {
		return v, err
	}
	newest := map[string]bool{}
	for _, t := range all {
		row := pages.RunbookRow{
			Name: t.Name, Version: t.Version, Title: t.Title, SHA256: t.SHA256, Href: runbooksPage + "/" + t.SHA256, News: newsOf(t, h.now()),
			Items: counted(len(t.Items()), "item", "items"), Age: newestTemplate,
		}
		if t.Imported.By.Known() {
			row.Summary = t.Summary // what ours say of themselves is said by their news
		}
		if newest[t.Name] {
			row.Age = olderTemplate
		}
		newest[t.Name] = true
		v.Rows = append(v.Rows, row)
	}
	if by.Can(actor.RunbookImport) {
		v.Action, v.MaxBytes = runbooksPage, runbook.MaxTemplate
	} else {
		v.Refused, v.WhoCan = "Importing a runbook is not among your roles.", roleTitles(actor.RolesWith(actor.RunbookImport))
	}
	return v, nil
}

// newsOf is what a version brought, or who brought it.
func newsOf(t runbook.Template, now time.Time) string {
	if !t.Imported.By.Known() {
		return t.News()
	}
	at := moment(t.Imported.At, now, time.UTC)
	return "Your company's own, imported by " + t.Imported.By.Name + " at " + at.Local + "."
}

// bring imports the runbook of the form's file, and says at once all that is wrong with it.
func (h runbooks) bring(c echo.Context) error {
	form, err := web.UploadForm(c, runbook.MaxTemplate)
	if err != nil {
		return err
	}
	form.Allow(runbook.TemplateField)
	var text []byte
	err = web.File(c, runbook.TemplateField, func(name string, from io.Reader) (err error) {
		refuse := fault.New(fault.Invalid, "The runbook cannot be imported. Nothing was changed.")
		if text, err = io.ReadAll(io.LimitReader(from, runbook.MaxTemplate+1)); err != nil {
			return fault.New(fault.Invalid, "The file did not arrive whole. Nothing was changed; send it again.").Because(err)
		}
		switch {
		case name == "":
			return refuse.WithField(runbook.TemplateField, "Choose a file.")
		case len(text) > runbook.MaxTemplate:
			refuse.Kind = fault.TooLarge
			return refuse.WithField(runbook.TemplateField, "A runbook may have 2 MiB, and this file has more.")
		}
		return nil
	})
	if err == nil {
		err = form.Err()
	}
	var brought runbook.Template
	var problems []runbook.Problem
	if err == nil {
		brought, problems, err = h.stories.Import(c.Request().Context(), web.Actor(c), text)
	}
	if refused, ok := correctable(err); ok {
		v, err := h.listView(c)
		if err != nil {
			return err
		}
		v.Complaints = allComplaints(refused, runbook.TemplateField)
		for _, p := range problems {
			v.Problems = append(v.Problems, p.String())
		}
		return web.Again(c, refused, pages.RunbookList(v))
	}
	if err != nil {
		return err
	}
	said := fmt.Sprintf("%s %s is imported. Releases can be started from it.", brought.Name, brought.Version)
	if len(problems) > 0 {
		said += fmt.Sprintf(" It has %s: %s", counted(len(problems), "warning", "warnings"), problems[0])
	}
	web.Flash(c, layouts.FlashGood, said)
	return web.SeeOther(c, runbooksPage)
}

// text is a runbook as it is written down, byte by byte.
func (h runbooks) text(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	t, err := h.stories.Template(c.Request().Context(), web.Actor(c), c.Param("sha256"))
	if err != nil {
		return err
	}
	return hashed(c, t.Name+"-"+t.Version, t.Text, t.SHA256)
}

func (h runbooks) frozen(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	run, err := web.ID(c, "release")
	if err != nil {
		return err
	}
	r, newest, err := h.stories.Frozen(c.Request().Context(), web.Actor(c), run)
	if err != nil {
		return err
	}
	v := pages.RunbookFrozenView{
		Shell: web.Shell(c, "Runbook of "+r.Run.Code, toReleases, layouts.Crumb{Label: r.Run.Code, Href: runPath(r.Run.ID)}),
		Facts: []components.Fact{
			{Label: "Runbook", Value: r.Run.Template.Name},
			{Label: "Version", Value: r.Run.Template.Version},
			{Label: "SHA-256", Value: r.Run.Template.SHA256, Code: true},
			{Label: "Frozen", Time: moment(r.Run.StartedAt, r.At, r.Run.Zone())},
		},
		Newest: newest.Name + " " + newest.Version, Same: newest.SHA256 == r.Run.Template.SHA256,
	}
	for _, change := range runbook.DiffTemplates(r.Template, newest) {
		v.Rows = append(v.Rows, pages.Difference{What: strings.TrimSpace(change.What), Then: change.Then, Now: change.Now})
	}
	return web.Page(c, http.StatusOK, pages.RunbookFrozen(v))
}
