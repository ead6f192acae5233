package handlers

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/inbox"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// InboxStories tell what waits for whom, and what people are to be told.
type InboxStories interface {
	Waiting(ctx context.Context, by actor.Actor, q inbox.Query) (inbox.List, error)
	Mark(ctx context.Context, by actor.Actor) (string, error)
	Notices(ctx context.Context, by actor.Actor, q inbox.NoticeQuery) ([]inbox.Notice, time.Time, error)
}

const (
	waitingPage   = "/waiting"
	noticesPage   = "/notices"
	inboxPageSize = 50
)

type inboxes struct{ stories InboxStories }

// Inbox is the subject of what waits: for the person who looks, and what is to be told to whom.
func Inbox(stories InboxStories) []web.Route {
	h := inboxes{stories}
	return []web.Route{
		web.Needs(http.MethodGet, waitingPage, actor.ReleaseRead, h.waiting),
		streams(waitingPage+eventsPath, actor.ReleaseRead, h.watch),
		web.Needs(http.MethodGet, noticesPage, actor.ReleaseRead, h.notices),
	}
}

// place reads a place in a list: a time and an id, as the pager writes them.
func place(values *web.Values, name string) (at time.Time, id string) {
	text := values.Text(name, 0, 300)
	if text == "" {
		return time.Time{}, ""
	}
	when, id, ok := strings.Cut(text, "_")
	at, err := time.Parse(time.RFC3339Nano, when)
	if err != nil || !ok || id == "" {
		values.Complain(name, "This is no place in the list.")
	}
	return at, id
}

func placeOf(at time.Time, id string) string { return at.UTC().Format(time.RFC3339Nano) + "_" + id }

func (h inboxes) waiting(c echo.Context) error {
	values := web.Query(c)
	q := inbox.Query{Limit: inboxPageSize + 1}
	q.AfterAt, q.AfterID = place(values, "after")
	if err := values.Err(); err != nil {
		return err
	}
	list, err := h.stories.Waiting(c.Request().Context(), web.Actor(c), q)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.WaitingList(waitingView(web.Shell(c, "Waiting for me"), web.Actor(c), q, list)))
}

func (h inboxes) notices(c echo.Context) error {
	values := web.Query(c)
	q := inbox.NoticeQuery{Limit: inboxPageSize + 1}
	at, id := place(values, "before")
	if id != "" {
		var err error
		if q.BeforeID, err = uuid.Parse(id); err != nil {
			values.Complain("before", "This is no place in the list.")
		}
		q.BeforeAt = at
	}
	if err := values.Err(); err != nil {
		return err
	}
	notices, now, err := h.stories.Notices(c.Request().Context(), web.Actor(c), q)
	if err != nil {
		return err
	}
	shell := web.Shell(c, "Notices", layouts.Crumb{Label: "Waiting for me", Href: waitingPage})
	return web.Page(c, http.StatusOK, pages.NoticeList(noticesView(shell, q, notices, now)))
}
