package handlers

import (
	"fmt"
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

// view is the page of break-glass: the form where the provider is known to be away and the person may sign here, or else
// why there is none.
func (h glass) view(c echo.Context, g signoff.Gate, wanted signoff.SlotID) (pages.BreakGlassView, error) {
	by, zone, href := web.Actor(c), gateZone(g), gateHref(g.Release.ID, g.ID)
	shell := web.Shell(c, "Sign by break-glass", toReleases, layouts.Crumb{Label: g.Release.Code, Href: runPath(g.Release.ID)}, layouts.Crumb{Label: g.Name, Href: href})
	v := pages.BreakGlassView{
		Shell: shell, Provider: h.provider, GateName: g.Name, GateHref: href, SHA256: g.SHA256, ContentHref: href + contentPath,
		LoginHref: web.LoginHref(href, true), MeetAction: href + outagePath,
	}
	chosen, why := glassSlot(g, by, wanted)
	if chosen == nil {
		v.Refused = why
		return v, nil
	}
	v.Place = string(chosen.ID)
	out, err := h.stories.Outage(c.Request().Context(), by)
	if err != nil {
		return v, err
	}
	v.Proven = moment(by.AuthTime, g.At, zone)
	if !out.Known() {
		return v, nil
	}
	v.Away, v.Since, v.LastTry, v.Failure = true, moment(out.Since, out.At, zone), moment(out.Last, out.At, zone), out.Failure
	if v.Sections, err = contentSections(g); err != nil {
		return v, err
	}
	v.Sign = pages.SignForm{
		Action: href + glassPath, Roles: []components.Option{{Value: string(chosen.ID), Label: signsAs(by, *chosen), Chosen: true}},
		Statement: chosen.Statement, AsksScore: chosen.AsksScore, Version: newTicket(g.Seq),
		Effect: fmt.Sprintf("Sign as %s by break-glass: %s on %s", signsAs(by, *chosen), g.Name, v.Environment.Word()),
	}
	v.Sign.Meanings = []components.Option{{Label: "Choose what your signature means", Chosen: true}}
	for _, m := range chosen.Meanings {
		v.Sign.Meanings = append(v.Sign.Meanings, components.Option{Value: string(m), Label: meaningWords[m]})
	}
	return v, nil
}

// glassHref is the page of break-glass for a place of the gate.
func glassHref(g signoff.Gate, slot signoff.SlotID) string {
	href := gateHref(g.Release.ID, g.ID)
	return href + glassPath + strings.TrimPrefix(placeHref(g, slot), href)
}

// glassSlot is the place that the person may fill this way, the wanted one before others; nil with the reason where there is none.
func glassSlot(g signoff.Gate, by actor.Actor, wanted signoff.SlotID) (*signoff.Slot, string) {
	var chosen *signoff.Slot
	why := "None of your roles has a place at this gate."
	for i, slot := range g.Mine(by) {
		refused, ok := fault.As(g.RefuseGlass(by, slot))
		if !ok && (chosen == nil || isFor(slot, wanted)) {
			chosen = &slot
		}
		if ok && (i == 0 || isFor(slot, wanted)) {
			why = refused.Message
		}
	}
	return chosen, why
}

// keepGlass puts back what was typed, and never the halves.
func keepGlass(v *pages.BreakGlassView, typed func(string) string) {
	if !v.Away || v.Refused != "" {
		v.Typed = typedFacts(typed, [2]string{"meaning", "Meaning"}, [2]string{"score", "QA score"}, [2]string{"note", "Note"})
		return
	}
	v.Sign.Note, v.Sign.Score = typed("note"), typed("score")
	for i := range v.Sign.Meanings {
		v.Sign.Meanings[i].Chosen = v.Sign.Meanings[i].Value == typed("meaning")
	}
}

func signatureShell(c echo.Context, s signoff.Signature, g signoff.Gate) layouts.Shell {
	return web.Shell(c, "Signature of "+s.Name, toReleases, layouts.Crumb{Label: g.Release.Code, Href: runPath(g.Release.ID)})
}

// glassFacts are what a signature by break-glass rests on, for its own page.
func glassFacts(g signoff.Glass, now time.Time, zone *time.Location) []components.Fact {
	facts := []components.Fact{
		{Label: "Sealed code", Value: g.Code.String(), Code: true},
		{Label: "Halves of", Value: g.First.Name + " and " + g.Second.Name},
		{Label: "Provider away since", Time: moment(g.OutageSince, now, zone)},
		{Label: "How it failed", Value: g.Failure},
		{Label: "Review due by", Time: moment(g.ReviewDue, now, zone)},
	}
	if v := g.Review; v != nil {
		facts = append(facts, components.Fact{Label: "Reviewed by", Value: v.By.Name + ": " + string(v.Verdict)}, components.Fact{Label: "Reviewed", Time: moment(v.At, now, zone)})
		if v.Reason != "" {
			facts = append(facts, components.Fact{Label: "Reason of the review", Value: v.Reason})
		}
	}
	return facts
}

// reviewForm offers the review to who may give it, and tells everybody else why not.
func reviewForm(v *pages.SignatureShowView, by actor.Actor, s signoff.Signature, g signoff.Gate, now time.Time) {
	if s.Glass == nil || s.Glass.Review != nil {
		return
	}
	if refused, ok := fault.As(s.Glass.RefuseReview(by, g.Release)); ok {
		v.Review.Refused, v.Review.WhoCan = refused.Message, roleTitles(actor.RolesWith(actor.GateSign))
		return
	}
	v.Review.Action, v.Review.Key = signatureHref(s.ID)+reviewPath, uuid.NewString()
	v.Review.Verdicts = []components.Option{
		{Value: string(signoff.Upheld), Label: "Upheld: it was this person, and it was right to sign this way"},
		{Value: string(signoff.Refused), Label: "Refused: the signature is void from now on"},
	}
	if now.Sub(by.AuthTime) > actor.FreshFor {
		v.Review.FreshHref = web.LoginHref(signatureHref(s.ID), true)
	}
}

func keepReview(v *pages.SignatureShowView, typed func(string) string) {
	v.Review.Reason = typed("review_reason")
	for i := range v.Review.Verdicts {
		v.Review.Verdicts[i].Chosen = v.Review.Verdicts[i].Value == typed("verdict")
	}
	if v.Review.Action == "" || v.Review.FreshHref != "" {
		v.Typed = typedFacts(typed, [2]string{"verdict", "What you found"}, [2]string{"review_reason", "Reason"})
	}
}
