package handlers

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/live"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// eventsPath is where the events of a page stand, below the page.
const eventsPath = "/events"

// streams is the row of a route that goes on for as long as there is something to come; it asks for the page's own right.
func streams(path string, right actor.Right, handler web.Handler) web.Route {
	route := web.Needs(http.MethodGet, path, right, handler)
	route.Streams = true
	return route
}

// watch sends what happens to a run to whoever looks at its page.
func (h migrations) watch(c echo.Context) error {
	after, err := web.After(c)
	if err != nil {
		return err
	}
	id, err := web.ID(c, "run")
	if err != nil {
		return err
	}
	by := web.Actor(c)
	var seen []migration.Line
	return web.Stream(c, []live.Topic{{Kind: live.MigrationRun, ID: id}}, after, func(ctx context.Context, after int64) (web.Tail, error) {
		run, lines, more, err := h.stories.Tail(ctx, by, id, int(after))
		if err != nil {
			return web.Tail{}, err
		}
		tail := web.Tail{More: more, Over: !run.State.Active()}
		for _, l := range lines {
			tail.Lines = append(tail.Lines, eventLine(int64(l.Seq), runLine(l)))
		}
		// Who is waited for stands beside the log, and is read from its newest lines.
		seen = lastOf(append(seen, lines...))
		tail.Mark = string(run.State)
		if wait := migration.ReadWait(seen); wait != nil && run.State.Active() {
			tail.Mark += fmt.Sprintf(" %s %d %v", wait.At, wait.Tries, wait.Blockers)
		}
		return tail, nil
	})
}

// Presence tells who else has an item or a gate open.
type Presence interface {
	// Enter says that the person has the place open, until leave is called.
	Enter(ctx context.Context, by actor.Actor, place uuid.UUID) (leave func())
}

// Marking is the story that tells an open page of a release that it shows something that was.
type Marking interface {
	Mark(ctx context.Context, by actor.Actor, run, place uuid.UUID) (runbook.Mark, error)
}

// lookouts wake the open pages of a release.
type lookouts struct {
	stories  Marking
	presence Presence
}

// lookoutRoutes are the events of a release's page, which its wall shares, and of the pages of its items and gates.
func lookoutRoutes(stories Marking, presence Presence) []web.Route {
	h := lookouts{stories, presence}
	return []web.Route{
		streams(releasesPage+"/:release"+eventsPath, actor.ReleaseRead, h.release),
		streams(releasesPage+"/:release/items/:item"+eventsPath, actor.ReleaseRead, h.item),
		streams(releasesPage+"/:release/gates/:gate"+eventsPath, actor.ReleaseRead, h.gate),
	}
}

func (h lookouts) release(c echo.Context) error {
	id, err := web.ID(c, "release")
	if err != nil {
		return err
	}
	return h.watch(c, id, "")
}

func (h lookouts) item(c echo.Context) error {
	run, item, err := itemOf(c)
	if err != nil {
		return err
	}
	return h.watch(c, run, "item "+string(item))
}

func (h lookouts) gate(c echo.Context) error {
	run, gate, err := gateOf(c)
	if err != nil {
		return err
	}
	return h.watch(c, run, "gate "+string(gate))
}

// watch says when something of the release has changed, and who comes to the place and leaves it. Whoever may not see the
// release is present nowhere in it.
func (h lookouts) watch(c echo.Context, run uuid.UUID, what string) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	by, topics := web.Actor(c), []live.Topic{{Kind: live.Release, ID: run}}
	place := uuid.Nil
	if what != "" {
		place = live.Place(run, what)
		topics = append(topics, live.Topic{Kind: live.Presence, ID: place})
	}
	leave := func() {}
	defer func() { leave() }()
	entered := what == "" || h.presence == nil
	return web.Stream(c, topics, 0, func(ctx context.Context, _ int64) (web.Tail, error) {
		mark, err := h.stories.Mark(ctx, by, run, place)
		if err == nil && !entered {
			// Only here, since a stream that is refused, for want of room too, must not wake everybody who has the place open.
			entered, leave = true, h.presence.Enter(ctx, by, place)
			mark, err = h.stories.Mark(ctx, by, run, place)
		}
		return web.Tail{Mark: mark.Value, Over: mark.Over}, err
	})
}

// watch says when what waits for the person may have changed.
func (h inboxes) watch(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	by := web.Actor(c)
	return web.Stream(c, []live.Topic{{Kind: live.Tenant, ID: by.Tenant}}, 0, func(ctx context.Context, _ int64) (web.Tail, error) {
		mark, err := h.stories.Mark(ctx, by)
		return web.Tail{Mark: mark}, err
	})
}

// others are those who have a place open besides the person who looks.
func others(by actor.Actor, here []live.Present, now time.Time, zone *time.Location) []pages.Present {
	var list []pages.Present
	for _, p := range here {
		if !by.SamePerson(p.Issuer, p.Subject) {
			list = append(list, pages.Present{Name: p.Name, Since: moment(p.Since, now, zone)})
		}
	}
	return list
}

// lastOf are as many lines as a wait can be read from.
func lastOf(lines []migration.Line) []migration.Line {
	const enough = 50
	return lines[max(0, len(lines)-enough):]
}

// watch sends what happens to an operation to whoever looks at its page.
func (h backups) watch(c echo.Context) error {
	after, err := web.After(c)
	if err != nil {
		return err
	}
	id, err := web.ID(c, "operation")
	if err != nil {
		return err
	}
	by := web.Actor(c)
	return web.Stream(c, []live.Topic{{Kind: live.Operation, ID: id}}, after, func(ctx context.Context, after int64) (web.Tail, error) {
		o, lines, more, err := h.stories.Tail(ctx, by, id, int(after))
		if err != nil {
			return web.Tail{}, err
		}
		tail := web.Tail{Mark: string(o.State), More: more, Over: !o.State.Active()}
		for _, l := range lines {
			tail.Lines = append(tail.Lines, eventLine(int64(l.Seq), operationLine(l)))
		}
		return tail, nil
	})
}

// eventLine is a line of the page as an event.
func eventLine(seq int64, l pages.LogLine) web.TailLine {
	return web.TailLine{Seq: seq, At: l.At, Text: l.Text, Tone: string(l.Tone)}
}
