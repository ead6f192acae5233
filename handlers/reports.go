package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/review"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// LessonStories tell which lessons are open.
type LessonStories interface {
	Open(ctx context.Context, by actor.Actor) ([]review.Lesson, time.Time, error)
}

// ReviewStories look back on a release.
type ReviewStories interface {
	LessonStories
	Report(ctx context.Context, by actor.Actor, run uuid.UUID) (review.Report, error)
	AddLesson(ctx context.Context, by actor.Actor, run uuid.UUID, d review.Draft) error
	Done(ctx context.Context, by actor.Actor, run, lesson uuid.UUID, note string) error
}

type reports struct{ stories ReviewStories }

// Reports is the subject of a release's report and its lessons.
func Reports(stories ReviewStories) []web.Route {
	h := reports{stories}
	return []web.Route{
		web.Needs(http.MethodGet, releasesPage+"/:release/report", actor.ReleaseRead, h.show),
		web.Needs(http.MethodGet, releasesPage+"/:release/report/json", actor.ReleaseRead, h.json),
		{Method: http.MethodPost, Path: releasesPage + "/:release/lessons", Right: actor.ItemWork, Action: "lesson:add", Handler: h.add},
		{Method: http.MethodPost, Path: releasesPage + "/:release/lessons/:lesson/done", Right: actor.ItemWork, Action: "lesson:done", Handler: h.done},
	}
}

func reportPath(run uuid.UUID) string { return runPath(run) + "/report" }

func (h reports) view(c echo.Context, run uuid.UUID) (pages.ReportView, error) {
	r, err := h.stories.Report(c.Request().Context(), web.Actor(c), run)
	if err != nil {
		return pages.ReportView{}, err
	}
	shell := web.Shell(c, "Report", toReleases, layouts.Crumb{Label: r.Run.Code, Href: runPath(run)})
	return reportView(shell, web.Actor(c), r)
}

func (h reports) show(c echo.Context) error {
	run, err := plainID(c, "release")
	if err != nil {
		return err
	}
	v, err := h.view(c, run)
	if err != nil {
		return err
	}
	if kept := web.Prefill(c); kept != nil && kept["happened"] != "" {
		keepLesson(&v, func(name string) string { return kept[name] })
	}
	return web.Page(c, http.StatusOK, pages.Report(v))
}

func (h reports) json(c echo.Context) error {
	run, err := plainID(c, "release")
	if err != nil {
		return err
	}
	r, err := h.stories.Report(c.Request().Context(), web.Actor(c), run)
	if err != nil {
		return err
	}
	text, err := r.JSON()
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="report-`+run.String()+`.json"`)
	return c.Blob(http.StatusOK, "application/json; charset=utf-8", text)
}

// keepLesson puts what was typed back into the form of a lesson.
func keepLesson(v *pages.ReportView, typed func(string) string) {
	v.Form.Happened, v.Form.Why, v.Form.Todo, v.Form.Due = typed("happened"), typed("why"), typed("todo"), typed("due")
	v.Form.Owners = ownerOptions(typed("owner"))
	if id, err := uuid.Parse(typed("lesson")); err == nil {
		v.Form.ID = id.String()
	}
}

func (h reports) add(c echo.Context) error {
	run, err := web.ID(c, "release")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	// Lengths, the role and the day are the story's to judge, so that everything is said at once.
	d := review.Draft{Happened: form.Text("happened", 0, 8000), Why: form.Text("why", 0, 8000), Todo: form.Text("todo", 0, 8000), Owner: form.Text("owner", 0, 60)}
	id, wrongID := uuid.Parse(form.Text("lesson", 0, 60))
	day := form.Text("due", 0, 40)
	if wrongID != nil || id == uuid.Nil {
		return fault.New(fault.Invalid, "This form is not complete. Open the page again, and write the lesson there.")
	}
	d.ID = id
	d.DueOn, _ = time.Parse(time.DateOnly, day)
	if err = form.Err(); err == nil {
		err = h.stories.AddLesson(c.Request().Context(), web.Actor(c), run, d)
	}
	if refused, ok := correctable(err); ok {
		v, err := h.view(c, run)
		if err != nil {
			return err
		}
		unused := v.Form.ID
		keepLesson(&v, form.Raw)
		if refused.Kind == fault.Conflict {
			v.Form.ID = unused // the form's own is another lesson's
		}
		v.Form.Complaints = allComplaints(refused, "happened", "why", "todo", "owner", "due")
		return web.Again(c, refused, pages.Report(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "The lesson is written down. Whoever starts the next release sees it for as long as it is open.")
	return web.SeeOther(c, reportPath(run))
}

func (h reports) done(c echo.Context) error {
	run, err := web.ID(c, "release")
	if err != nil {
		return err
	}
	lesson, err := web.ID(c, "lesson")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	note := form.Text("note", 0, 8000)
	if err = form.Err(); err == nil {
		err = h.stories.Done(c.Request().Context(), web.Actor(c), run, lesson, note)
	}
	if refused, ok := correctable(err); ok {
		v, err := h.view(c, run)
		if err != nil {
			return err
		}
		for i := range v.Lessons {
			if v.Lessons[i].ID == lesson.String() {
				v.Lessons[i].Note, v.Lessons[i].Complaints = form.Raw("note"), allComplaints(refused, "note")
			}
		}
		if refused.Kind == fault.Conflict { // the lesson has no form any more
			v.Typed = typedFacts(form.Raw, [2]string{"note", "What was done"})
		}
		return web.Again(c, refused, pages.Report(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "It is written down that the lesson was acted on.")
	return web.SeeOther(c, reportPath(run))
}
