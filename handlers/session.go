package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// OwnSessions lists and ends the sessions of the person who asks, and nobody else's.
type OwnSessions interface {
	Own(ctx context.Context, by actor.Actor, idle time.Duration) ([]actor.Session, error)
	EndOwn(ctx context.Context, by actor.Actor, id uuid.UUID) error
}

type me struct {
	sessions OwnSessions
	provider string
	idle     time.Duration
	now      func() time.Time
}

// Me is the subject of who one is here: roles and where they come from, and one's sessions. provider is the identity
// provider's name, idle the limit after which a session is over.
func Me(sessions OwnSessions, provider string, idle time.Duration, now func() time.Time) []web.Route {
	h := me{sessions, provider, idle, now}
	return []web.Route{
		{Method: http.MethodGet, Path: "/me", Access: web.SignedIn, Action: "session:read", Handler: h.show},
		{Method: http.MethodPost, Path: "/me/sessions/:session/end", Access: web.SignedIn, Action: "session:end", Handler: h.end},
	}
}

func (h me) show(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	by := web.Actor(c)
	sessions, err := h.sessions.Own(c.Request().Context(), by, h.idle)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.Me(h.view(c, by, sessions)))
}

func (h me) end(c echo.Context) error {
	id, err := web.ID(c, "session")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	if err := form.Err(); err != nil {
		return err
	}
	by := web.Actor(c)
	if err := h.sessions.EndOwn(c.Request().Context(), by, id); err != nil {
		return err
	}
	if id.String() == by.Session {
		return web.SeeOther(c, "/signed-out")
	}
	web.Flash(c, layouts.FlashGood, "The session has ended.")
	return web.SeeOther(c, "/me")
}
