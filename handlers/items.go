package handlers

import (
	"context"
	"errors"
	"net/http"

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

// ItemStories are the stories of one item of a release.
type ItemStories interface {
	Item(ctx context.Context, by actor.Actor, run uuid.UUID, item runbook.ItemID) (runbook.ItemPage, error)
	Take(ctx context.Context, by actor.Actor, seen runbook.Seen) error
	Check(ctx context.Context, by actor.Actor, seen runbook.Seen) (runbook.CheckResult, error)
	Done(ctx context.Context, by actor.Actor, seen runbook.Seen, value, note string) error
	Fail(ctx context.Context, by actor.Actor, seen runbook.Seen, reason string) error
	Reopen(ctx context.Context, by actor.Actor, seen runbook.Seen, reason string) error
	Skip(ctx context.Context, by actor.Actor, seen runbook.Seen, reason string) error
	DoneWithFile(ctx context.Context, by actor.Actor, seen runbook.Seen, file runbook.Attachment, note string) error
	TakeOver(ctx context.Context, by actor.Actor, seen runbook.Seen, note string) error
	Waive(ctx context.Context, by actor.Actor, seen runbook.Seen, reason string) error
	Comment(ctx context.Context, by actor.Actor, run uuid.UUID, item runbook.ItemID, words string, key uuid.UUID) error
	Attach(ctx context.Context, by actor.Actor, run uuid.UUID, item runbook.ItemID, file runbook.Attachment) error
	File(ctx context.Context, by actor.Actor, run uuid.UUID, item runbook.ItemID, sha256 string) (runbook.OpenFile, error)
}

type items struct{ stories ItemStories }

// itemRoutes are the page of one item, and everything a person can do to it.
func itemRoutes(stories ItemStories) []web.Route {
	h := items{stories}
	const page = releasesPage + "/:release/items/:item"
	act := func(name runbook.Act, handler web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Path: page + "/" + string(name), Right: actor.ItemWork, Action: "item:" + string(name), Handler: handler}
	}
	return []web.Route{
		web.Needs(http.MethodGet, page, actor.ReleaseRead, h.show),
		act(runbook.Take, h.take),
		act(runbook.RunCheck, h.check),
		{Method: http.MethodPost, Path: page + "/" + string(runbook.Finish), Right: actor.ItemWork, Action: "item:done", Uploads: runbook.MaxFile, Handler: h.done},
		act(runbook.GiveUp, h.reasoned(runbook.GiveUp, stories.Fail)),
		act(runbook.Reopen, h.reasoned(runbook.Reopen, stories.Reopen)),
		act(runbook.Skip, h.reasoned(runbook.Skip, stories.Skip)),
		act(runbook.TakeOver, h.reasoned(runbook.TakeOver, stories.TakeOver)),
		{Method: http.MethodPost, Path: page + "/" + string(runbook.Waive), Right: actor.GateSign, Action: "item:waive", Fresh: actor.FreshFor, Doing: "sign that a required item is skipped", Handler: h.reasoned(runbook.Waive, stories.Waive)},
		act(commenting, h.comment),
		{Method: http.MethodPost, Path: page + filesPath, Right: actor.ItemWork, Action: "item:attach", Uploads: runbook.MaxFile, Handler: h.attach},
		{Method: http.MethodGet, Path: page + filesPath + "/:sha256", Right: actor.ReleaseRead, Long: true, Handler: h.file},
	}
}

func itemHref(run uuid.UUID, item runbook.ItemID) string {
	return runPath(run) + "/items/" + string(item)
}

// itemOf reads the release and the item of the path. An id that could not be one is not found, like one that nothing has.
func itemOf(c echo.Context) (uuid.UUID, runbook.ItemID, error) {
	run, err := web.ID(c, "release")
	if err != nil {
		return uuid.Nil, "", err
	}
	item, ok := runbook.ParseItemID(c.Param("item"))
	if !ok {
		return uuid.Nil, "", web.NotFound()
	}
	return run, item, nil
}

func (h items) show(c echo.Context) error {
	query := web.Query(c)
	since := optionalInt(query, "since", 1, 1<<30)
	if err := query.Err(); err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	v := itemView(itemShell(c, page), web.Actor(c), page)
	if since > 0 && since < page.Item.Version {
		movedItem(&v, page, since)
	}
	if typed := web.Prefill(c); typed != nil {
		act := runbook.Finish
		switch {
		case typed["reason"] != "":
			act = "" // several forms ask for a reason, and which of them it was is not known
		case typed["comment"] != "":
			act = commenting
		}
		keepTyped(&v, func(name string) string { return typed[name] }, act)
	}
	return web.Page(c, http.StatusOK, pages.ItemShow(v))
}

func (h items) page(c echo.Context) (runbook.ItemPage, error) {
	run, item, err := itemOf(c)
	if err != nil {
		return runbook.ItemPage{}, err
	}
	return h.stories.Item(c.Request().Context(), web.Actor(c), run, item)
}

func itemShell(c echo.Context, page runbook.ItemPage) layouts.Shell {
	return web.Shell(c, string(page.Item.ID)+" "+page.Item.Title, toReleases, layouts.Crumb{Label: page.Run.Code, Href: runPath(page.Run.ID)})
}

// seenItem reads what the form was made from.
func seenItem(c echo.Context) (*web.Values, runbook.Seen, error) {
	run, item, err := itemOf(c)
	if err != nil {
		return nil, runbook.Seen{}, err
	}
	form, err := web.UploadForm(c, runbook.MaxFile)
	if err != nil {
		return nil, runbook.Seen{}, err
	}
	return form, runbook.Seen{Run: run, Item: item, Version: form.Int("version", 1, 1<<30)}, nil
}

func (h items) take(c echo.Context) error {
	form, seen, err := seenItem(c)
	if err != nil {
		return err
	}
	if err = form.Err(); err == nil {
		err = h.stories.Take(c.Request().Context(), web.Actor(c), seen)
	}
	return h.answer(c, form, seen, runbook.Take, err, string(seen.Item)+" is in your hands now.")
}

func (h items) check(c echo.Context) error {
	form, seen, err := seenItem(c)
	if err != nil {
		return err
	}
	var result runbook.CheckResult
	if err = form.Err(); err == nil {
		result, err = h.stories.Check(c.Request().Context(), web.Actor(c), seen)
	}
	if err == nil && !result.OK {
		web.Flash(c, layouts.FlashBad, "The check failed, and so has "+string(seen.Item)+". "+result.Summary)
		return web.SeeOther(c, itemHref(seen.Run, seen.Item))
	}
	return h.answer(c, form, seen, runbook.RunCheck, err, string(seen.Item)+" is done. "+result.Summary)
}

// done reads the one field that the item's kind of evidence asks for; any other is a field that the form does not know.
func (h items) done(c echo.Context) error {
	page, err := h.page(c)
	if err != nil {
		return err
	}
	form, seen, err := seenItem(c)
	if err != nil {
		return err
	}
	if page.Item.Kind == runbook.FileKind {
		err := h.doneWithFile(c, form, seen)
		return h.answer(c, form, seen, runbook.Finish, err, string(seen.Item)+" is done.")
	}
	value := ""
	if page.Item.Kind != runbook.Auto {
		value = form.Text("evidence_"+string(page.Item.Kind), 0, 8000)
	}
	note := form.Text("note", 0, 2000)
	if err = form.Err(); err == nil {
		err = h.stories.Done(c.Request().Context(), web.Actor(c), seen, value, note)
	}
	return h.answer(c, form, seen, runbook.Finish, err, string(seen.Item)+" is done.")
}

func (h items) reasoned(act runbook.Act, story func(context.Context, actor.Actor, runbook.Seen, string) error) web.Handler {
	said := map[runbook.Act]string{
		runbook.GiveUp: " has failed. It keeps the release from going on.", runbook.Reopen: " is open again.", runbook.Skip: " is skipped.",
		runbook.TakeOver: " is in your hands now. Your note stands beside it.", runbook.Waive: " is skipped by your signature.",
	}
	return func(c echo.Context) error {
		form, seen, err := seenItem(c)
		if err != nil {
			return err
		}
		reason := form.Text("reason", 0, 2000)
		if err = form.Err(); err == nil {
			err = story(c.Request().Context(), web.Actor(c), seen, reason)
		}
		return h.answer(c, form, seen, act, err, string(seen.Item)+said[act])
	}
}

// answer goes back to the item's page; what can be put right is shown on it, with what was typed.
func (h items) answer(c echo.Context, form *web.Values, seen runbook.Seen, act runbook.Act, err error, said string) error {
	if err == nil {
		web.Flash(c, layouts.FlashGood, said)
		return web.SeeOther(c, itemHref(seen.Run, seen.Item))
	}
	refused, ok := correctable(err)
	if !ok {
		return err
	}
	page, failed := h.page(c)
	if failed != nil {
		return failed
	}
	v := itemView(itemShell(c, page), web.Actor(c), page)
	keepTyped(&v, form.Raw, act)
	v.Complaints = itemComplaints(refused)
	var overtaken *runbook.Overtaken
	if errors.As(err, &overtaken) {
		v.Conflict = conflictView(page, seen)
		v.Conflict.Rows = append(v.Conflict.Rows, yoursAndTheirs(page, form.Raw)...)
		v.Complaints = nil
	}
	return web.Again(c, refused, pages.ItemShow(v))
}

// keepTyped puts what was typed back into the form of the act, or beside the forms where that one is not offered now:
// somebody else may have finished the item meanwhile.
func keepTyped(v *pages.ItemShowView, typed func(string) string, act runbook.Act) {
	evidence := "evidence_" + string(v.Asked.Kind)
	if act == attaching {
		v.Attach.Tried = true
		return // a browser sends a file once, and no page can put it back into its field
	}
	switch {
	case act == runbook.Finish && v.Acts.Done != "":
		v.Asked.Value, v.Asked.Note = typed(evidence), typed("note")
		v.Asked.Confirmed = v.Asked.Kind == pages.EvidenceStatement && v.Asked.Value != ""
	case act == commenting && v.Comments.Action != "":
		v.Comments.Text = typed("comment")
	case act == runbook.GiveUp && v.Acts.Fail != "", act == runbook.Reopen && v.Acts.Reopen != "", act == runbook.Skip && v.Acts.Skip != "",
		act == runbook.TakeOver && v.Acts.TakeOver != "", act == runbook.Waive && v.Waive.Action != "":
		v.Acts.Reason, v.Acts.Tried = typed("reason"), string(act)
	default:
		v.Typed = typedFacts(typed, [2]string{evidence, "Evidence"}, [2]string{"note", "Note"}, [2]string{"reason", "Reason"}, [2]string{"comment", "Comment"})
	}
}

// typedFacts are the fields that were filled in, each a name and its label.
func typedFacts(typed func(string) string, fields ...[2]string) []components.Fact {
	var facts []components.Fact
	for _, f := range fields {
		if text := typed(f[0]); text != "" {
			facts = append(facts, components.Fact{Label: f[1], Value: text})
		}
	}
	return facts
}

func itemComplaints(refused *fault.Error) components.Complaints {
	return allComplaints(refused, "version", "evidence_text", "evidence_number", "evidence_link", "evidence_statement", runbook.FileField, "note", "reason", "comment")
}
