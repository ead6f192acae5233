package handlers

import (
	"context"
	"io"
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/dossier"
	"github.com/agogsaas/gatehouse/web"
)

// DossierStories put a release into an archive.
type DossierStories interface {
	Export(ctx context.Context, by actor.Actor, run uuid.UUID) (dossier.Dossier, error)
}

type dossiers struct{ stories DossierStories }

// Dossiers is the subject of releases as archives. It is a POST because it leaves an entry in the trail.
func Dossiers(stories DossierStories) []web.Route {
	h := dossiers{stories}
	return []web.Route{
		{Method: http.MethodPost, Path: releasesPage + "/:release/dossier", Right: actor.AuditRead, Action: "release:export", Streams: true, Handler: h.export},
	}
}

func (h dossiers) export(c echo.Context) error {
	id, err := web.ID(c, "release")
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
	d, err := h.stories.Export(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return err
	}
	return web.Download(c, d.Name(), "application/zip", func(w io.Writer) error { return d.Write(c.Request().Context(), w) })
}
