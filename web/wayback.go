package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

const wayBackPath = "/way-back"

func (w *Web) showWayBack(c echo.Context) error {
	if err := Query(c).Err(); err != nil {
		return err
	}
	return Page(c, http.StatusOK, pages.WayBack(w.wayBackView(c)))
}

func (w *Web) wayBackView(c echo.Context) pages.WayBackView {
	return pages.WayBackView{Shell: Shell(c, "A way back in"), Provider: w.config.Provider.Name(), Action: wayBackPath, LoginHref: LoginHref("/", false)}
}

// openWayBack begins a session of two sealed halves. What was typed is never shown again and never kept.
func (w *Web) openWayBack(c echo.Context) error {
	if err := w.mayStart(c); err != nil {
		return err
	}
	form, err := Form(c)
	if err != nil {
		return err
	}
	one, other := Halves(form)
	err = form.Err()
	if err == nil {
		err = w.breakIn(c, one, other)
	}
	refused, ok := fault.As(err)
	if !ok || (refused.Kind != fault.Invalid && refused.Kind != fault.Forbidden) {
		return err
	}
	v := w.wayBackView(c)
	v.Refused, v.Complaints = refused.Message, refused.Fields
	return Again(c, refused, pages.WayBack(v))
}

// breakIn uses the code up and leads to the start; every page then says whose two halves opened it.
func (w *Web) breakIn(c echo.Context, one, other string) error {
	ctx := c.Request().Context()
	opened, by, err := w.config.WayBack.Open(ctx, one, other, c.RealIP())
	if err != nil {
		of(c).as = by
		return err
	}
	factsOf(ctx).lifetime = opened.Session
	if err := w.begin(c, by, actor.Identity{}); err != nil {
		return err
	}
	Flash(c, layouts.FlashInfo, sprint("You are in for %d minutes, to look and to find out what is wrong; nothing can be changed or signed this way. "+
		"It stands in the audit trail.", int(opened.Session.Minutes())))
	return SeeOther(c, "/")
}
