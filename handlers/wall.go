package handlers

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

const (
	// wallPath follows a release: the same for a big screen.
	wallPath = "/wall"
	// wallItems is how many items are read from three metres away on one screen.
	wallItems = 6
	// wallRefresh is how often the wall reloads itself without script, in seconds.
	wallRefresh = 15
)

func (h releases) wall(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	release, err := h.load(c)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.ReleaseWall(wallView(web.Shell(c, release.Run.Code), web.Actor(c), release)))
}

func wallView(shell layouts.Shell, by actor.Actor, r runbook.Release) pages.WallView {
	zone, now := r.Run.Zone(), r.At
	v := pages.WallView{
		Shell: shell, Code: r.Run.Code, Name: r.Run.Title, State: releaseStates[r.Run.State], TZero: moment(r.Run.T0, now, zone), Zone: r.Run.TimeZone,
		Now: past(now, now, zone), LiveHref: runPath(r.Run.ID) + wallPath, EventHref: runPath(r.Run.ID) + eventsPath,
	}
	v.RefreshSeconds = wallRefresh
	if r.Run.Ended() {
		v.LiveHref, v.EventHref, v.RefreshSeconds = "", "", 0
		v.Ended = fmt.Sprintf("%s on %s by %s.", v.State.Word, r.Run.EndedAt.In(zone).Format("2 Jan 2006 at 15:04 MST"), r.Run.EndedBy)
	}
	if r.Run.State == runbook.Active {
		v.Banner, v.Calm = r.Moment.Banner(zone)
	}
	var due []runbook.Item
	behind, waits := 0, r.Waits()
	for _, i := range r.Items {
		state := itemState(r.Plan, i, waits[i.ID])
		v.Counts = add(v.Counts, countOf(state.Code))
		if i.Required && !i.State.Settled() && !r.Run.Ended() {
			due = append(due, i)
			if over := late(i, r.Run, now); over != "" && over != dueBeforeStart {
				behind++
			}
		}
	}
	slices.SortStableFunc(due, func(a, b runbook.Item) int { return a.Due(r.Run.T0).Compare(b.Due(r.Run.T0)) })
	if behind > 0 {
		v.Late = isAre(behind) + " late"
	}
	if len(due) > wallItems {
		v.More = fmt.Sprintf("and %d more", len(due)-wallItems)
		due = due[:wallItems]
	}
	for _, i := range due {
		when := moment(i.Due(r.Run.T0), now, zone)
		row := pages.WallItem{ID: string(i.ID), Title: i.Title, Who: i.Owner.Title(), Due: when, State: itemState(r.Plan, i, waits[i.ID])}
		if over := late(i, r.Run, now); over == dueBeforeStart {
			row.Due.Relative, row.Note = duration(now.Sub(i.Due(r.Run.T0)))+" overdue", dueBeforeStart // nobody's delay
		} else {
			row.Late = over
		}
		if i.Holder.Known() {
			row.Who, row.Held = i.Holder.Name, true
		}
		v.Items = append(v.Items, row)
	}
	for _, g := range r.Gates {
		v.Gates = append(v.Gates, gateCard(by, g.Signing, now, zone))
	}
	return v
}
