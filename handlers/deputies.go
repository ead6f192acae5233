package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// DeputyStories are the stories of the roster of deputies.
type DeputyStories interface {
	Roster(ctx context.Context, by actor.Actor, q signoff.RosterQuery) (signoff.Roster, error)
	Name(ctx context.Context, by actor.Actor, r signoff.NameRequest) error
	Revoke(ctx context.Context, by actor.Actor, id uuid.UUID, reason string) error
}

type deputies struct {
	stories DeputyStories
	now     func() time.Time
}

const (
	deputiesPage     = "/deputies"
	deputiesPageSize = 50
)

// Deputies is the subject of who may sign in whose place.
func Deputies(stories DeputyStories, now func() time.Time) []web.Route {
	h := deputies{stories, now}
	return []web.Route{
		web.Needs(http.MethodGet, deputiesPage, actor.ReleaseRead, h.show),
		{Method: http.MethodPost, Path: deputiesPage, Right: actor.GateSign, Fresh: actor.FreshFor, Action: "deputy:name", Doing: "name a deputy", Handler: h.name},
		{Method: http.MethodPost, Path: deputiesPage + "/revoke", Right: actor.GateSign, Action: "deputy:revoke", Handler: h.revoke},
	}
}

func (h deputies) view(c echo.Context, q signoff.RosterQuery) (pages.DeputiesView, error) {
	q.Limit = deputiesPageSize + 1
	roster, err := h.stories.Roster(c.Request().Context(), web.Actor(c), q)
	if err != nil {
		return pages.DeputiesView{}, err
	}
	v := h.rosterView(web.Shell(c, "Deputies", toReleases), web.Actor(c), roster)
	if !q.BeforeAt.IsZero() {
		v.Pager.Newest = deputiesPage
	}
	return v, nil
}

func (h deputies) show(c echo.Context) error {
	values := web.Query(c)
	var q signoff.RosterQuery
	if at, id := place(values, "before"); id != "" {
		var err error
		if q.BeforeID, err = uuid.Parse(id); err != nil {
			values.Complain("before", "This is no place in the list.")
		}
		q.BeforeAt = at
	}
	if err := values.Err(); err != nil {
		return err
	}
	v, err := h.view(c, q)
	if err != nil {
		return err
	}
	if kept := web.Prefill(c); kept != nil {
		keepNaming(&v, func(name string) string { return kept[name] })
	}
	return web.Page(c, http.StatusOK, pages.Deputies(v))
}

// keepNaming puts what was typed back into the form, or beside it where no form is offered now.
func keepNaming(v *pages.DeputiesView, typed func(string) string) {
	if v.Form.Action == "" || v.Form.FreshHref != "" {
		v.Typed = typedFacts(typed, [2]string{"from", "First day"}, [2]string{"until", "Last day"}, [2]string{"reason", "Why"})
		return
	}
	v.Form.From, v.Form.Until, v.Form.Reason = typed("from"), typed("until"), typed("reason")
	for _, list := range []struct {
		options []components.Option
		name    string
	}{{v.Form.Roles, "role"}, {v.Form.People, "person"}} {
		if slices.ContainsFunc(list.options, func(o components.Option) bool { return o.Value == typed(list.name) }) {
			for i := range list.options {
				list.options[i].Chosen = list.options[i].Value == typed(list.name)
			}
		}
	}
}

func readDay(form *web.Values, name string) time.Time {
	text := form.Text(name, 1, 40)
	day, err := time.Parse(time.DateOnly, text)
	if text != "" && (err != nil || day.Year() < 2000 || day.Year() > 2200) {
		form.Complain(name, "This is no day. Write it as 2026-12-24.")
	}
	return day
}

func (h deputies) name(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	r := signoff.NameRequest{Role: actor.Role(form.Text("role", 1, 50)), From: readDay(form, "from"), Until: readDay(form, "until"), Reason: form.Text("reason", 0, 2000), Key: form.UUID("key")}
	if person, err := uuid.Parse(form.Text("person", 0, 40)); err == nil {
		r.Person = person
	} else {
		form.Complain("person", "Choose who shall be the deputy.")
	}
	if err = form.Err(); err == nil {
		err = h.stories.Name(c.Request().Context(), web.Actor(c), r)
	}
	refused, ok := correctable(err)
	if ok {
		v, err := h.view(c, signoff.RosterQuery{})
		if err != nil {
			return err
		}
		keepNaming(&v, form.Raw)
		v.Complaints = allComplaints(refused, "role", "person", "from", "until", "reason", "key")
		return web.Again(c, refused, pages.Deputies(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, fmt.Sprintf("A deputy of the %s is named for %s to %s, and stands first in the roster.", r.Role.Title(), r.From.Format(dayWords), r.Until.Format(dayWords)))
	return web.SeeOther(c, deputiesPage)
}

func (h deputies) revoke(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	id, reason := form.UUID("deputy"), form.Text("revoke_reason", 0, 2000)
	if err = form.Err(); err == nil {
		err = h.stories.Revoke(c.Request().Context(), web.Actor(c), id, reason)
	}
	refused, ok := correctable(err)
	if ok {
		v, err := h.view(c, signoff.RosterQuery{})
		if err != nil {
			return err
		}
		said := allComplaints(refused, "deputy", "revoke_reason")
		i := slices.IndexFunc(v.Rows, func(r pages.DeputyRow) bool { return r.ID == form.Raw("deputy") && r.Revoke != "" })
		if i >= 0 {
			v.Rows[i].RevokeReason, v.Rows[i].Complaints = form.Raw("revoke_reason"), said
		} else {
			v.Complaints, v.Typed = said, typedFacts(form.Raw, [2]string{"revoke_reason", "Why"})
		}
		return web.Again(c, refused, pages.Deputies(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashInfo, "Revoked. The line stays readable, and so does what was signed by it.")
	return web.SeeOther(c, deputiesPage)
}

var (
	deputyToCome  = components.State{Code: "to_come", Word: "To come", Tone: components.Neutral}
	deputyNow     = components.State{Code: "in_force", Word: "In force", Tone: components.Good}
	deputyOver    = components.State{Code: "over", Word: "Over", Tone: components.Neutral}
	deputyRevoked = components.State{Code: "revoked", Word: "Revoked", Tone: components.Warn}
)

const dayWords = "2 Jan 2006"

func (h deputies) rosterView(shell layouts.Shell, by actor.Actor, roster signoff.Roster) pages.DeputiesView {
	v := pages.DeputiesView{Shell: shell}
	zone := siteZone(roster.TimeZone)
	today := signoff.Day(roster.At, zone)
	if len(roster.Deputies) > deputiesPageSize {
		roster.Deputies = roster.Deputies[:deputiesPageSize]
		last := roster.Deputies[deputiesPageSize-1]
		v.Pager.Older = deputiesPage + "?" + url.Values{"before": {placeOf(last.NamedAt, last.ID.String())}}.Encode()
	}
	for _, d := range roster.Deputies {
		row := pages.DeputyRow{
			ID: d.ID.String(), Role: d.Role.Title(), Name: d.Person.Name, From: d.From.Format(dayWords), Until: d.Until.Format(dayWords), Reason: d.Reason,
			NamedBy: d.NamedBy.Name, NamedAt: moment(d.NamedAt, roster.At, zone), State: deputyNow,
		}
		switch {
		case d.Revoked != nil:
			row.State = deputyRevoked
			row.Revoked = "Revoked by " + d.Revoked.By + " on " + d.Revoked.At.In(zone).Format("2 Jan 2006 at 15:04 MST") + ": " + d.Revoked.Reason
		case today.After(d.Until):
			row.State = deputyOver
		case today.Before(d.From):
			row.State = deputyToCome
		}
		if d.Revoked == nil && !today.After(d.Until.AddDate(0, 0, 1)) && d.Revokes(by) {
			row.Revoke = deputiesPage + "/revoke"
		}
		v.Rows = append(v.Rows, row)
	}
	if len(v.Rows) > 0 {
		v.Pager.Shown = counted(len(v.Rows), "line", "lines") + ", newest first"
	}
	h.formView(&v, by, roster, today)
	return v
}

// formView offers the form to who may name somebody, or says why there is none.
func (h deputies) formView(v *pages.DeputiesView, by actor.Actor, roster signoff.Roster, today time.Time) {
	roles := signoff.Names(by)
	if len(roles) == 0 {
		v.WhyNot, v.WhoCan = "A deputy is named by somebody who holds the role, and neither administers nor audits.", roleTitles(actor.RolesWith(actor.GateSign))
		return
	}
	v.Form = pages.DeputyForm{Action: deputiesPage, Key: uuid.NewString(), From: today.Format(time.DateOnly), Until: today.AddDate(0, 0, 13).Format(time.DateOnly)}
	for i, role := range roles {
		v.Form.Roles = append(v.Form.Roles, components.Option{Value: string(role), Label: role.Title(), Chosen: i == 0})
	}
	v.Form.People = []components.Option{{Label: "Choose who shall be the deputy", Chosen: true}}
	for _, p := range roster.Candidates {
		needed := slices.ContainsFunc(roles, func(role actor.Role) bool { return !slices.Contains(p.Roles, role) })
		if needed && !by.SamePerson(p.Person.Issuer, p.Person.Subject) {
			v.Form.People = append(v.Form.People, components.Option{Value: p.ID.String(), Label: p.Person.Name + " (" + strings.Join(roleTitles(p.Roles), ", ") + ")"})
		}
	}
	if len(v.Form.People) == 1 {
		v.Form.Nobody = "There is nobody to choose yet: only somebody who has signed in here before, and holds another role that signs, can be a deputy. Ask them to sign in once."
	}
	if h.now().Sub(by.AuthTime) > actor.FreshFor {
		v.Form.FreshHref = web.LoginHref(deputiesPage, true)
	}
}
