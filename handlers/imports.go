package handlers

import (
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// ImportStories are the stories of files of measurements.
type ImportStories interface {
	Receive(ctx context.Context, by actor.Actor, name string, from io.Reader) (uuid.UUID, error)
	List(ctx context.Context, by actor.Actor) ([]dimension.Import, time.Time, error)
	Show(ctx context.Context, by actor.Actor, id uuid.UUID, afterProblem int) (dimension.ImportPage, error)
	Confirm(ctx context.Context, by actor.Actor, id uuid.UUID, seen int, sure bool) error
	Discard(ctx context.Context, by actor.Actor, id uuid.UUID, seen int) error
}

type imports struct {
	stories ImportStories
	now     func() time.Time
}

const (
	importsPage  = dimensionsPage + "/imports"
	importField  = "measurements"
	importsAsked = 100 // problems on a page
)

var toImports = layouts.Crumb{Label: "Files", Href: importsPage}

// Imports is the subject of files of measurements.
func Imports(stories ImportStories, now func() time.Time) []web.Route {
	h := imports{stories, now}
	return []web.Route{
		web.Needs(http.MethodGet, importsPage, actor.DimensionRead, h.list),
		{Method: http.MethodPost, Path: importsPage, Right: actor.DimensionMeasure, Action: "import:receive", Doing: "send a file of measurements", Handler: h.receive},
		web.Needs(http.MethodGet, importsPage+"/example.csv", actor.DimensionRead, h.example),
		web.Needs(http.MethodGet, importsPage+"/:import", actor.DimensionRead, h.show),
		web.Needs(http.MethodGet, importsPage+"/:import/problems.csv", actor.DimensionRead, h.problems),
		{Method: http.MethodPost, Path: importsPage + "/:import/confirm", Right: actor.DimensionMeasure, Action: "import:confirm", Doing: "confirm a file of measurements", Handler: h.confirm},
		{Method: http.MethodPost, Path: importsPage + "/:import/discard", Right: actor.DimensionMeasure, Action: "import:discard", Handler: h.discard},
	}
}

func importHref(id uuid.UUID) string { return importsPage + "/" + id.String() }

func (h imports) listView(c echo.Context) (pages.ImportListView, error) {
	list, at, err := h.stories.List(c.Request().Context(), web.Actor(c))
	if err != nil {
		return pages.ImportListView{}, err
	}
	return importListView(web.Shell(c, "Files of measurements", toDimensions), web.Actor(c), list, at), nil
}

func (h imports) list(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	v, err := h.listView(c)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.ImportList(v))
}

// receive reads the file while it arrives; what is wrong with it stands on its page.
func (h imports) receive(c echo.Context) error {
	form, err := web.UploadForm(c, dimension.ImportBytes)
	if err != nil {
		return err
	}
	form.Allow(importField)
	if err := form.Err(); err != nil {
		return err
	}
	var id uuid.UUID
	err = web.File(c, importField, func(name string, from io.Reader) (err error) {
		if name == "" {
			return fault.New(fault.Invalid, "No file was sent.").WithField(importField, "Choose a file.")
		}
		id, err = h.stories.Receive(c.Request().Context(), web.Actor(c), name, from)
		return err
	})
	if refused, ok := correctable(err); ok {
		v, err := h.listView(c)
		if err != nil {
			return err
		}
		v.Complaints = allComplaints(refused, importField)
		return web.Again(c, refused, pages.ImportList(v))
	}
	if err != nil {
		return err
	}
	return web.SeeOther(c, importHref(id))
}

func (h imports) example(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	return web.Download(c, "measurements-example.csv", "text/csv; charset=utf-8", func(w io.Writer) error {
		_, err := io.WriteString(w, dimension.ImportExample)
		return err
	})
}

func (h imports) shown(c echo.Context, after int) (pages.ImportShowView, error) {
	id, err := web.ID(c, "import")
	if err != nil {
		return pages.ImportShowView{}, err
	}
	p, err := h.stories.Show(c.Request().Context(), web.Actor(c), id, after)
	if err != nil {
		return pages.ImportShowView{}, err
	}
	return importView(web.Shell(c, p.Name, toDimensions, toImports), web.Actor(c), p, after), nil
}

func (h imports) show(c echo.Context) error {
	values := web.Query(c)
	after := 0
	if values.Has("after") {
		after = values.Int("after", 0, dimension.ProblemsKept)
	} else {
		values.Allow("after")
	}
	if err := values.Err(); err != nil {
		return err
	}
	v, err := h.shown(c, after)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.ImportShow(v))
}

// problems are all that are kept of a file, for whoever puts it right in a spreadsheet.
func (h imports) problems(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	id, err := web.ID(c, "import")
	if err != nil {
		return err
	}
	ctx, by := c.Request().Context(), web.Actor(c)
	first, err := h.stories.Show(ctx, by, id, 0)
	if err != nil {
		return err
	}
	return web.Download(c, "problems-"+id.String()+".csv", "text/csv; charset=utf-8", func(w io.Writer) error {
		out := csv.NewWriter(w)
		out.UseCRLF = true
		_ = out.Write([]string{"line", "column", "problem"}) // the writer keeps its error
		bad := first.Bad
		for after := 0; len(bad) > 0; {
			some := bad[:min(len(bad), importsAsked)]
			for _, p := range some {
				_ = out.Write([]string{strconv.Itoa(p.Line), p.Column, audit.NotAFormula(p.Text)})
			}
			after += len(some)
			if len(bad) <= importsAsked {
				break
			}
			next, err := h.stories.Show(ctx, by, id, after)
			if err != nil {
				return err
			}
			bad = next.Bad
		}
		out.Flush()
		return out.Error()
	})
}

func (h imports) confirm(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	id, err := web.ID(c, "import")
	if err != nil {
		return err
	}
	seen, sure := form.Int("version", 1, 1<<30), form.Ticked("sure")
	if err = form.Err(); err == nil {
		err = notYetEither(h.stories.Confirm(c.Request().Context(), web.Actor(c), id, seen, sure))
	}
	if refused, ok := correctable(err); ok {
		v, err := h.shown(c, 0)
		if err != nil {
			return err
		}
		v.Complaints = allComplaints(refused, "sure", "version")
		return web.Again(c, refused, pages.ImportShow(v))
	}
	if err != nil {
		return err
	}
	return web.SeeOther(c, importHref(id))
}

func (h imports) discard(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	id, err := web.ID(c, "import")
	if err != nil {
		return err
	}
	seen := form.Int("version", 1, 1<<30)
	if err := form.Err(); err != nil {
		return err
	}
	if err := h.stories.Discard(c.Request().Context(), web.Actor(c), id, seen); err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "The file was discarded. Nothing of it was taken.")
	return web.SeeOther(c, importsPage)
}
