package handlers

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/live"
	"github.com/agogsaas/gatehouse/internal/migration"
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
	return web.Stream(c, live.Topic{Kind: live.MigrationRun, ID: id}, after, func(ctx context.Context, after int64) (web.Tail, error) {
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
	return web.Stream(c, live.Topic{Kind: live.Operation, ID: id}, after, func(ctx context.Context, after int64) (web.Tail, error) {
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
