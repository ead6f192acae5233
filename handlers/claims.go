package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// ClaimsExplainer says what a sign-in with these claims would come to.
type ClaimsExplainer interface {
	Explain(claims string) (actor.Explanation, error)
}

type claims struct {
	explainer ClaimsExplainer
}

const (
	claimsPage  = "/settings/claims"
	claimsLimit = 200_000 // characters
)

// Claims is the subject of what Gatehouse makes of a sign-in's claims. What is pasted is answered and forgotten.
func Claims(explainer ClaimsExplainer) []web.Route {
	h := claims{explainer}
	return []web.Route{
		web.Needs(http.MethodGet, claimsPage, actor.IdentityExplain, h.ask),
		{Method: http.MethodPost, Path: claimsPage, Right: actor.IdentityExplain, Forgets: true, Handler: h.explain},
	}
}

func (h claims) ask(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.Claims(h.view(c)))
}

func (h claims) explain(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	pasted := form.Text("claims", 1, claimsLimit)
	err = form.Err()
	var said actor.Explanation
	if err == nil {
		said, err = h.explainer.Explain(pasted)
	}
	v := h.view(c)
	v.Typed = form.Raw("claims")
	if refused, ok := fault.As(err); ok && refused.Kind == fault.Invalid {
		if len(v.Typed) > 4*claimsLimit {
			v.Typed = "" // it would only be sent to and fro
		}
		v.Complaints = allComplaints(refused, "claims")
		return web.Again(c, refused, pages.Claims(v))
	}
	if err != nil {
		return err
	}
	judge(&v, web.Actor(c), said)
	return web.Page(c, http.StatusOK, pages.Claims(v))
}
