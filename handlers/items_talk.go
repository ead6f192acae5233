package handlers

import (
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// commenting is what answer calls the form of a comment; it is no act that changes the item's state.
const commenting runbook.Act = "comment"

// comment says something beside the item. The item's version does not change by it, so the form has only its own key.
func (h items) comment(c echo.Context) error {
	run, item, err := itemOf(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	words, key := form.Text("comment", 0, 2000), form.UUID("key")
	if err = form.Err(); err == nil {
		err = h.stories.Comment(c.Request().Context(), web.Actor(c), run, item, words, key)
	}
	return h.answer(c, form, runbook.Seen{Run: run, Item: item}, commenting, err, "Your comment stands beside "+string(item)+".")
}

// talkView is what people said beside the item, and that it was taken over from who looks at it.
func talkView(v *pages.ItemShowView, by actor.Actor, p runbook.ItemPage) {
	zone := p.Run.Zone()
	for _, n := range p.Notes {
		row := pages.Comment{By: n.By.Name, At: moment(n.At, p.At, zone), Words: n.Words}
		if n.From.Known() {
			row.TookOverFrom = n.From.Name
		}
		v.Comments.Said = append(v.Comments.Said, row)
	}
	if by.Can(actor.ItemWork) && !p.Run.Ended() {
		v.Comments.Action, v.Comments.Key = itemHref(p.Run.ID, p.Item.ID)+"/"+string(commenting), uuid.NewString()
	}
	if n, ok := p.TakenFrom(by); ok {
		v.TakenFrom = pages.Comment{By: n.By.Name, At: moment(n.At, p.At, zone), Words: n.Words}
	}
}

// waiveView is how a required item is skipped: who may sign it, what they sign, and who did.
func waiveView(v *pages.ItemShowView, by actor.Actor, p runbook.ItemPage) {
	zone := p.Run.Zone()
	if w := p.Waiver; w != nil {
		v.Waived = pages.Waived{By: w.By.Name, Role: w.Role.Title(), At: moment(w.At, p.At, zone), Statement: w.Statement, Reason: w.Reason, SHA256: w.SHA256, Mismatch: !w.Intact}
	}
	if !p.Item.Required {
		return
	}
	v.Waive.Roles = roleTitles(p.WaiverRoles)
	role, ok := p.WaiverRole(by)
	if !ok {
		return
	}
	for _, act := range p.Acts(by, p.Item) {
		if act == runbook.Waive {
			v.Waive.Action = itemHref(p.Run.ID, p.Item.ID) + "/" + string(runbook.Waive)
			v.Waive.Statement = runbook.WaiverStatement(p.Run, p.Item, role)
			if by.AuthTime.IsZero() || p.At.Sub(by.AuthTime) > actor.FreshFor {
				v.Waive.FreshHref = web.LoginHref(itemHref(p.Run.ID, p.Item.ID), true)
			}
		}
	}
}

// takenOverLinks are the items that somebody took over from who looks at the release.
func takenOverLinks(r runbook.Release, by actor.Actor) []components.Link {
	var links []components.Link
	for _, t := range r.TakenOver {
		if !by.SamePerson(t.From.Issuer, t.From.Subject) {
			continue
		}
		links = append(links, components.Link{
			Label: t.By.Name + " took " + string(t.Item) + ", " + t.Title + ", over from you at " + t.At.In(r.Run.Zone()).Format("15:04 MST") + ": " + t.Words,
			Href:  itemHref(r.Run.ID, t.Item),
		})
	}
	return links
}
