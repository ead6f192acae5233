package handlers

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// RollbackStories are the stories of taking a release back.
type RollbackStories interface {
	Show(ctx context.Context, by actor.Actor, run uuid.UUID) (runbook.RollbackPage, error)
	Begin(ctx context.Context, by actor.Actor, r runbook.BeginRequest) error
	Agree(ctx context.Context, by actor.Actor, run, rollback uuid.UUID) error
	Tick(ctx context.Context, by actor.Actor, r runbook.TickRequest) error
	End(ctx context.Context, by actor.Actor, r runbook.EndRequest) error
	Review(ctx context.Context, by actor.Actor, r runbook.ReviewRequest) error
}

const rollbackPath = "/rollback"

type rollbacks struct {
	stories RollbackStories
	now     func() time.Time
}

// Rollbacks is the subject of taking a release back: the way, its steps, its clock, its end and its review.
func Rollbacks(stories RollbackStories, now func() time.Time) []web.Route {
	h := rollbacks{stories, now}
	const page = releasesPage + "/:release" + rollbackPath
	const one = page + "/:rollback"
	return []web.Route{
		web.Needs(http.MethodGet, page, actor.ReleaseRead, h.show),
		{Method: http.MethodPost, Path: page, Right: actor.ReleaseRollback, Fresh: actor.FreshFor, Action: "rollback:begin", Doing: "roll this release back", Handler: h.begin},
		{Method: http.MethodPost, Path: one + "/agree", Right: actor.RollbackAgree, Fresh: actor.FreshFor, Action: "rollback:agree", Doing: "agree to this rollback", Handler: h.agree},
		{Method: http.MethodPost, Path: one + "/steps", Right: actor.ItemWork, Action: "rollback:step", Handler: h.tick},
		{Method: http.MethodPost, Path: one + "/end", Right: actor.ReleaseRollback, Action: "rollback:end", Handler: h.end},
		{Method: http.MethodPost, Path: one + "/review", Right: actor.RollbackReview, Fresh: actor.FreshFor, Action: "rollback:review", Doing: "review this rollback", Handler: h.review},
	}
}

func rollbackHref(run uuid.UUID) string { return runPath(run) + rollbackPath }

func (h rollbacks) load(c echo.Context) (runbook.RollbackPage, error) {
	id, err := web.ID(c, "release")
	if err != nil {
		return runbook.RollbackPage{}, err
	}
	return h.stories.Show(c.Request().Context(), web.Actor(c), id)
}

func (h rollbacks) view(c echo.Context, p runbook.RollbackPage) pages.ReleaseRollbackView {
	shell := web.Shell(c, "Rollback of "+p.Run.Code, toReleases, layouts.Crumb{Label: p.Run.Code, Href: runPath(p.Run.ID)})
	return h.rollbackView(shell, web.Actor(c), p)
}

func (h rollbacks) show(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	p, err := h.load(c)
	if err != nil {
		return err
	}
	v := h.view(c, p)
	if kept := web.Prefill(c); kept != nil {
		keepRollback(&v, func(name string) string { return kept[name] })
	}
	return web.Page(c, http.StatusOK, pages.ReleaseRollback(v))
}

// keepRollback puts what was typed back into its form, or beside it where that form is not offered now.
func keepRollback(v *pages.ReleaseRollbackView, typed func(string) string) {
	v.Typed = typedFacts(typed, [2]string{"option", "Way back"}, [2]string{"reason", "Reason"}, [2]string{"note", "What was seen"}, [2]string{"end_note", "How it stands"}, [2]string{"review_note", "Review"})
	if v.Current == nil && v.Start.Action != "" && v.Start.FreshHref == "" && typed("reason")+typed("option") != "" {
		v.Start.Reason, v.Typed = typed("reason"), nil
		for i := range v.Choices {
			v.Choices[i].Chosen = v.Choices[i].ID == typed("option")
		}
	}
	for i := range v.Past {
		if v.Past[i].ReviewAction != "" && typed("review_note") != "" {
			v.Past[i].ReviewNote, v.Typed = typed("review_note"), nil
		}
	}
	if v.Current == nil {
		return
	}
	for i, s := range v.Current.Steps {
		if s.Action != "" && s.Number == typed("step") {
			v.Current.Steps[i].Typed, v.Typed = typed("note"), nil
		}
	}
	if v.Current.EndAction != "" && typed("end_note") != "" {
		if typed("outcome") == "given_up" {
			v.Current.GiveUpNote, v.Typed = typed("end_note"), nil
		} else if v.Current.MayEnd {
			v.Current.EndNote, v.Typed = typed("end_note"), nil
		}
	}
}

// answer leads back to the page, or shows it with what was typed and what is wrong with it.
func (h rollbacks) answer(c echo.Context, form *web.Values, run uuid.UUID, err error, done string) error {
	refused, ok := correctable(err)
	if !ok {
		if err != nil {
			return err
		}
		web.Flash(c, layouts.FlashInfo, done)
		return web.SeeOther(c, rollbackHref(run))
	}
	p, err := h.load(c)
	if err != nil {
		return err
	}
	v := h.view(c, p)
	keepRollback(&v, form.Raw)
	complain(&v, refused, form.Raw("step"), c.Param("rollback"))
	return web.Again(c, refused, pages.ReleaseRollback(v))
}

func complain(v *pages.ReleaseRollbackView, refused *fault.Error, step, rollback string) {
	all := allComplaints(refused, "option", "reason", "key", "note", "step", "outcome", "end_note", "review_note", "verdict")
	if v.Current == nil {
		v.Start.Complaints = all
		for i := range v.Past {
			if v.Past[i].ID == rollback {
				v.Past[i].Complaints, v.Start.Complaints = all, nil
			}
		}
		if v.Start.Complaints != nil && v.Start.Action == "" {
			v.Refused = refused.Message
		}
		return
	}
	v.Current.Complaints = all
	for i, s := range v.Current.Steps {
		if s.Number == step {
			v.Current.Steps[i].Problem = refused.Fields["note"]
			for n := range all {
				if all[n].Field == "note" {
					v.Current.Complaints[n].Field = "note-" + s.Number
				}
			}
		}
	}
}

func (h rollbacks) begin(c echo.Context) error {
	run, err := web.ID(c, "release")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	r := runbook.BeginRequest{Run: run, Option: form.Text("option", 0, 40), Reason: form.Text("reason", 0, 4000), Key: form.UUID("key")}
	if err = form.Err(); err == nil {
		err = h.stories.Begin(c.Request().Context(), web.Actor(c), r)
	}
	return h.answer(c, form, run, err, "The clock runs. Nothing of this release is applied or signed from now on.")
}

// ids are the release and the rollback of the path, and the form.
func (h rollbacks) ids(c echo.Context) (run, rollback uuid.UUID, form *web.Values, err error) {
	if run, err = web.ID(c, "release"); err != nil {
		return run, rollback, nil, err
	}
	if rollback, err = web.ID(c, "rollback"); err != nil {
		return run, rollback, nil, err
	}
	form, err = web.Form(c)
	return run, rollback, form, err
}

func (h rollbacks) agree(c echo.Context) error {
	run, rollback, form, err := h.ids(c)
	if err != nil {
		return err
	}
	if err = form.Err(); err == nil {
		err = h.stories.Agree(c.Request().Context(), web.Actor(c), run, rollback)
	}
	return h.answer(c, form, run, err, "You agreed. The steps may begin.")
}

func (h rollbacks) tick(c echo.Context) error {
	run, rollback, form, err := h.ids(c)
	if err != nil {
		return err
	}
	r := runbook.TickRequest{Run: run, Rollback: rollback, Step: form.Int("step", 1, 1000), Needed: form.Choice("outcome", "done", "not_needed") == "done", Note: form.Text("note", 0, 4000)}
	if err = form.Err(); err == nil {
		err = h.stories.Tick(c.Request().Context(), web.Actor(c), r)
	}
	return h.answer(c, form, run, err, fmt.Sprintf("Step %d is settled.", r.Step))
}

func (h rollbacks) end(c echo.Context) error {
	run, rollback, form, err := h.ids(c)
	if err != nil {
		return err
	}
	r := runbook.EndRequest{Run: run, Rollback: rollback, GivenUp: form.Choice("outcome", "rolled_back", "given_up") == "given_up", Note: form.Text("end_note", 0, 4000)}
	if err = form.Err(); err == nil {
		err = h.stories.End(c.Request().Context(), web.Actor(c), r)
	}
	done := "The release is rolled back. Somebody else reviews it now."
	if r.GivenUp {
		done = "The rollback is given up, and the release goes on. Somebody else reviews it now."
	}
	return h.answer(c, form, run, err, done)
}

func (h rollbacks) review(c echo.Context) error {
	run, rollback, form, err := h.ids(c)
	if err != nil {
		return err
	}
	r := runbook.ReviewRequest{Run: run, Rollback: rollback, Objected: form.Choice("verdict", "in_order", "objected") == "objected", Note: form.Text("review_note", 0, 4000)}
	if err = form.Err(); err == nil {
		err = h.stories.Review(c.Request().Context(), web.Actor(c), r)
	}
	return h.answer(c, form, run, err, "Your review is stored.")
}
