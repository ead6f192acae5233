package handlers

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// GlassStories are the stories of signing while the identity provider is away, and of reviewing that.
type GlassStories interface {
	Gate(ctx context.Context, by actor.Actor, run uuid.UUID, gate signoff.GateID) (signoff.Gate, error)
	// Outage is the one that goes on; zero where there is none.
	Outage(ctx context.Context, by actor.Actor) (signoff.Outage, error)
	// Meet asks the provider now; it refuses where somebody answers.
	Meet(ctx context.Context, by actor.Actor) (signoff.Outage, error)
	SignByGlass(ctx context.Context, by actor.Actor, r signoff.GlassRequest) (signoff.Signature, error)
	// Review says whether the release was signed off by it.
	Review(ctx context.Context, by actor.Actor, r signoff.ReviewRequest) (bool, error)
	Signature(ctx context.Context, by actor.Actor, id uuid.UUID) (signoff.Signature, signoff.Gate, []signoff.Change, error)
}

type glass struct {
	stories  GlassStories
	provider string
	now      func() time.Time
}

const (
	glassPath  = "/break-glass"
	outagePath = "/outage"
	reviewPath = "/review"
)

// Glass is the subject of break-glass: the page with its form, asking the provider, signing, and the review. provider is the
// identity provider's name.
func Glass(stories GlassStories, provider string, now func() time.Time) []web.Route {
	h := glass{stories, provider, now}
	const page = releasesPage + "/:release/gates/:gate"
	return []web.Route{
		web.Needs(http.MethodGet, page+glassPath, actor.GateSign, h.show),
		{Method: http.MethodPost, Path: page + outagePath, Right: actor.GateSign, Action: "provider:outage", Guesses: true, Handler: h.meet},
		{Method: http.MethodPost, Path: page + glassPath, Right: actor.GateSign, Action: "signing_code:use", Guesses: true, Forgets: true, Handler: h.sign},
		{Method: http.MethodPost, Path: "/signatures/:signature" + reviewPath, Right: actor.GateSign, Fresh: actor.FreshFor, Action: "gate:review", Doing: "review this signature", Handler: h.review},
	}
}

// WithoutProvider is the way to break-glass from the page of a gate at which somebody wanted to sign.
func WithoutProvider(page string) (components.Link, bool) {
	path, query, _ := strings.Cut(page, "?")
	parts := strings.Split(strings.TrimPrefix(path, releasesPage+"/"), "/")
	if !strings.HasPrefix(path, releasesPage+"/") || len(parts) < 3 || parts[1] != "gates" {
		return components.Link{}, false
	}
	run, err := uuid.Parse(parts[0])
	if err != nil {
		return components.Link{}, false
	}
	gate := signoff.Gate{ID: signoff.GateID(url.PathEscape(parts[2])), Release: signoff.Release{ID: run}}
	slot := ""
	if values, err := url.ParseQuery(query); err == nil {
		slot = values.Get("slot")
	}
	return components.Link{Label: "Sign by break-glass instead", Href: glassHref(gate, signoff.SlotID(slot))}, true
}

// load reads the gate of the path.
func (h glass) load(c echo.Context) (signoff.Gate, error) {
	run, gate, err := gateOf(c)
	if err != nil {
		return signoff.Gate{}, err
	}
	return h.stories.Gate(c.Request().Context(), web.Actor(c), run, gate)
}

func (h glass) show(c echo.Context) error {
	query := web.Query(c)
	slot := signoff.SlotID(query.Text("slot", 0, 40))
	if err := query.Err(); err != nil {
		return err
	}
	gate, err := h.load(c)
	if err != nil {
		return err
	}
	v, err := h.view(c, gate, slot)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.BreakGlass(v))
}

// meet asks the provider whether it is there. Only where nobody answers the form is offered.
func (h glass) meet(c echo.Context) error {
	gate, err := h.load(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	slot := signoff.SlotID(form.Text("role", 0, 40))
	if err = form.Err(); err == nil {
		_, err = h.stories.Meet(c.Request().Context(), web.Actor(c))
	}
	if refused, ok := correctable(err); ok {
		return h.again(c, gate, nil, slot, refused)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(c, glassHref(gate, slot))
}

// sign takes both halves with the signature. The halves are never shown again and never kept.
func (h glass) sign(c echo.Context) error {
	gate, err := h.load(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	r := signoff.GlassRequest{SignRequest: signoff.SignRequest{Run: gate.Release.ID, Gate: gate.ID, Slot: signoff.SlotID(form.Text("role", 1, 40))}}
	r.ContentSHA256, r.Note = form.Text("sha256", 64, 64), form.Text("note", 0, 2000)
	r.Key, r.SeenSeq = readTicket(form)
	if r.Meaning = signoff.Meaning(form.Text("meaning", 0, 40)); r.Meaning == "" {
		form.Complain("meaning", "Choose what your signature means.")
	}
	slot, ok := gate.Slot(r.Slot)
	if !ok {
		form.Complain("role", "This gate has no such place to sign in.")
	}
	r.Statement = slot.Statement
	if slot.AsksScore {
		r.Score = readScore(form)
	}
	r.One, r.Other = web.Halves(form)
	var signed signoff.Signature
	if err = form.Err(); err == nil {
		signed, err = h.stories.SignByGlass(c.Request().Context(), web.Actor(c), r)
	}
	if refused, ok := refusedHere(err); ok {
		return h.again(c, gate, form, r.Slot, refused)
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashInfo, "You have signed "+gate.Name+" as "+slot.Role.Title()+" by break-glass. The code is used up, and somebody else has to review the signature.")
	return web.SeeOther(c, signatureHref(signed.ID))
}

// refusedHere says whether a refusal is said on the page with the form: what can be put right, and halves that open nothing.
// Whoever mistyped a letter in an outage has the form before them, and not a page that leads nowhere.
func refusedHere(err error) (*fault.Error, bool) {
	if refused, ok := fault.As(err); ok && (refused.Kind == fault.Forbidden || refused.Kind == fault.Unauthenticated) {
		return refused, true
	}
	return correctable(err)
}

// again shows the page as it is now, with what was typed beside the halves, and why nothing was signed.
func (h glass) again(c echo.Context, before signoff.Gate, form *web.Values, slot signoff.SlotID, refused *fault.Error) error {
	gate, err := h.stories.Gate(c.Request().Context(), web.Actor(c), before.Release.ID, before.ID)
	if err != nil {
		return err
	}
	v, err := h.view(c, gate, slot)
	if err != nil {
		return err
	}
	if form == nil {
		v.Answers = refused.Message
		return web.Again(c, refused, pages.BreakGlass(v))
	}
	keepGlass(&v, form.Raw)
	v.Complaints = allComplaints(refused, "role", "meaning", "score", "note", "version", "sha256", "first", "second")
	return web.Again(c, refused, pages.BreakGlass(v))
}

func (h glass) review(c echo.Context) error {
	id, err := web.ID(c, "signature")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	r := signoff.ReviewRequest{Signature: id, Verdict: signoff.Verdict(form.Text("verdict", 0, 20)), Reason: form.Text("review_reason", 0, 2000), Key: form.UUID("key")}
	over := false
	if err = form.Err(); err == nil {
		over, err = h.stories.Review(c.Request().Context(), web.Actor(c), r)
	}
	refused, ok := correctable(err)
	if !ok {
		if err != nil {
			return err
		}
		web.Flash(c, layouts.FlashInfo, reviewed(r.Verdict, over))
		return web.SeeOther(c, signatureHref(id))
	}
	given, gate, changes, err := h.stories.Signature(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return err
	}
	v := signatureView(signatureShell(c, given, gate), given, gate, changes)
	reviewForm(&v, web.Actor(c), given, gate, h.now())
	keepReview(&v, form.Raw)
	v.Complaints = allComplaints(refused, "verdict", "review_reason", "key")
	return web.Again(c, refused, pages.SignatureShow(v))
}

func reviewed(verdict signoff.Verdict, over bool) string {
	switch {
	case over:
		return "Your review stands, and with it the release is signed off."
	case verdict == signoff.Refused:
		return "Your review stands. The signature is void from now on, and the place at the gate is empty."
	}
	return "Your review stands. The signature counts like any other."
}
