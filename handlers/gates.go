package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// SignoffStories are the stories of gates and signatures.
type SignoffStories interface {
	Gate(ctx context.Context, by actor.Actor, run uuid.UUID, gate signoff.GateID) (signoff.Gate, error)
	// Since is what was done in the release after an entry of the audit trail.
	Since(ctx context.Context, by actor.Actor, run uuid.UUID, seq int64) ([]signoff.Change, error)
	Sign(ctx context.Context, by actor.Actor, r signoff.SignRequest) (signoff.Signature, error)
	Withdraw(ctx context.Context, by actor.Actor, run uuid.UUID, gate signoff.GateID, signature uuid.UUID, reason string) error
	Reject(ctx context.Context, by actor.Actor, r signoff.RejectRequest) error
	Reopen(ctx context.Context, by actor.Actor, r signoff.ReopenRequest) error
	Signature(ctx context.Context, by actor.Actor, id uuid.UUID) (signoff.Signature, signoff.Gate, []signoff.Change, error)
}

type gates struct {
	stories SignoffStories
	now     func() time.Time
}

// Gates is the subject of gates: what is signed, the signing, the taking back, the rejecting and the new attempt, and one
// signature.
func Gates(stories SignoffStories, now func() time.Time) []web.Route {
	h := gates{stories, now}
	const page = releasesPage + "/:release/gates/:gate"
	return []web.Route{
		web.Needs(http.MethodGet, page, actor.ReleaseRead, h.show),
		web.Needs(http.MethodGet, page+contentPath, actor.ReleaseRead, h.content),
		{Method: http.MethodPost, Path: page + "/sign", Right: actor.GateSign, Fresh: actor.FreshFor, Doing: "sign this gate", Handler: h.sign},
		{Method: http.MethodPost, Path: page + "/withdraw", Right: actor.GateSign, Action: "gate:withdraw", Handler: h.withdraw},
		{Method: http.MethodPost, Path: page + "/reject", Right: actor.GateSign, Fresh: actor.FreshFor, Action: "gate:reject", Doing: "reject this gate", Handler: h.reject},
		{Method: http.MethodPost, Path: page + "/attempts", Right: actor.ReleaseManage, Action: "gate:reopen", Handler: h.reopen},
		web.Needs(http.MethodGet, page+"/attempts/:attempt"+contentPath, actor.ReleaseRead, h.stopped),
		web.Needs(http.MethodGet, "/signatures/:signature", actor.ReleaseRead, h.signature),
		web.Needs(http.MethodGet, "/signatures/:signature"+contentPath, actor.ReleaseRead, h.signed),
	}
}

// contentPath follows a gate or a signature: the text whose SHA-256 is signed, byte by byte.
const contentPath = "/content"

func gateHref(run uuid.UUID, gate signoff.GateID) string {
	return runPath(run) + "/gates/" + string(gate)
}

func signatureHref(id uuid.UUID) string { return "/signatures/" + id.String() }

// gateOf reads the release and the gate of the path.
func gateOf(c echo.Context) (uuid.UUID, signoff.GateID, error) {
	run, err := web.ID(c, "release")
	if err != nil {
		return uuid.Nil, "", err
	}
	gate := signoff.GateID(c.Param("gate"))
	return run, gate, nil // which gates there are is the release's own to say
}

// load reads the gate of the path.
func (h gates) load(c echo.Context) (signoff.Gate, error) {
	run, gate, err := gateOf(c)
	if err != nil {
		return signoff.Gate{}, err
	}
	return h.stories.Gate(c.Request().Context(), web.Actor(c), run, gate)
}

func gateShell(c echo.Context, g signoff.Gate) layouts.Shell {
	return web.Shell(c, g.Name, toReleases, layouts.Crumb{Label: g.Release.Code, Href: runPath(g.Release.ID)})
}

func (h gates) show(c echo.Context) error {
	query := web.Query(c)
	slot := signoff.SlotID(query.Text("slot", 0, 40))
	seq, sha256, _ := strings.Cut(query.Text("since", 0, 90), ".")
	since, wrong := strconv.ParseInt(cmp.Or(seq, "0"), 10, 64)
	if wrong != nil || since < 0 {
		query.Complain("since", "This is no state of the gate.")
	}
	if err := query.Err(); err != nil {
		return err
	}
	kept := web.Prefill(c)
	if slot == "" {
		slot = signoff.SlotID(kept["role"]) // what was typed belongs to that place
	}
	gate, err := h.load(c)
	if err != nil {
		return err
	}
	v, err := h.gateView(gateShell(c, gate), web.Actor(c), gate, slot)
	if err != nil {
		return err
	}
	if since > 0 && sha256 != gate.SHA256 {
		changes, err := h.stories.Since(c.Request().Context(), web.Actor(c), gate.Release.ID, since)
		if err != nil {
			return err
		}
		movedGate(&v, gate, changes, seq+"."+sha256, slot)
	}
	if kept != nil {
		typed := func(name string) string { return kept[name] }
		if typed("reject_reason")+typed("attempt_note") != "" {
			keepStopping(&v, typed)
		} else {
			keepSigning(&v, typed)
		}
	}
	return web.Page(c, http.StatusOK, pages.GateShow(v))
}

// content is what a signature would be bound to now.
func (h gates) content(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	gate, err := h.load(c)
	if err != nil {
		return err
	}
	return hashed(c, "gate-"+string(gate.ID), gate.Content, gate.SHA256)
}

// signed is what a signature was bound to.
func (h gates) signed(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	id, err := web.ID(c, "signature")
	if err != nil {
		return err
	}
	given, _, _, err := h.stories.Signature(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return err
	}
	return hashed(c, "signature-"+given.ID.String(), given.Content, given.ContentSHA256)
}

// hashed sends a text as a file that is named after its hash, so that sha256sum says whether it is the one.
func hashed(c echo.Context, name, text, sha256 string) error {
	c.Response().Header().Set(echo.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", name+"."+sha256+".json"))
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, []byte(text))
}

// keepSigning puts what was typed back into the form, or beside it where no form is offered now.
func keepSigning(v *pages.GateShowView, typed func(string) string) {
	if !v.CanSign || v.Sign.FreshHref != "" {
		v.Typed = typedFacts(typed, [2]string{"meaning", "Meaning"}, [2]string{"score", "QA score"}, [2]string{"note", "Note"}, [2]string{"reason", "Reason"})
		return
	}
	v.Sign.Note, v.Sign.Score = typed("note"), typed("score")
	for i := range v.Sign.Meanings {
		v.Sign.Meanings[i].Chosen = v.Sign.Meanings[i].Value == typed("meaning")
	}
}

// The form's version is a ticket: the key that makes a double press one signature, and the place in the audit trail up
// to which the person has seen what happened.
func newTicket(seq int64) string { return uuid.NewString() + "." + strconv.FormatInt(seq, 10) }

func readTicket(form *web.Values) (uuid.UUID, int64) {
	key, seq, _ := strings.Cut(form.Text("version", 1, 60), ".")
	id, wrongKey := uuid.Parse(key)
	at, wrongSeq := strconv.ParseInt(seq, 10, 64)
	if wrongKey != nil || wrongSeq != nil || at < 0 {
		form.Complain("version", "The form has lost its key. Open the gate again.")
	}
	return id, at
}

func (h gates) sign(c echo.Context) error {
	gate, err := h.load(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	r := signoff.SignRequest{Run: gate.Release.ID, Gate: gate.ID, Slot: signoff.SlotID(form.Text("role", 1, 40))}
	r.ContentSHA256, r.Note = form.Text("sha256", 64, 64), form.Text("note", 0, 2000)
	r.Key, r.SeenSeq = readTicket(form)
	if r.Meaning = signoff.Meaning(form.Text("meaning", 0, 40)); r.Meaning == "" {
		form.Complain("meaning", "Choose what your signature means.")
	}
	// The statement is part of the content, so its hash says which one was shown.
	slot, ok := gate.Slot(r.Slot)
	if !ok {
		form.Complain("role", "This gate has no such place to sign in.")
	}
	r.Statement = slot.Statement
	if slot.AsksScore {
		r.Score = readScore(form)
	}
	if err = form.Err(); err == nil {
		_, err = h.stories.Sign(c.Request().Context(), web.Actor(c), r)
	}
	if err != nil {
		return h.refuse(c, form, r.Slot, err)
	}
	web.Flash(c, layouts.FlashGood, "You have signed "+gate.Name+" as "+slot.Role.Title()+".")
	return web.SeeOther(c, gateHref(gate.Release.ID, gate.ID))
}

func readScore(form *web.Values) *signoff.Score {
	text := form.Text("score", 0, 20)
	if text == "" {
		form.Complain("score", "The score is needed, from 0 to 10.")
		return nil
	}
	score, err := signoff.ParseScore(text)
	if refused, ok := fault.As(err); ok {
		form.Complain("score", refused.Message)
		return nil
	}
	return &score
}

// refuse shows the gate as it is now, with what was typed and why nothing was signed.
func (h gates) refuse(c echo.Context, form *web.Values, slot signoff.SlotID, err error) error {
	refused, ok := correctable(err)
	if !ok {
		return err
	}
	gate, failed := h.load(c)
	if failed != nil {
		return failed
	}
	v, failed := h.gateView(gateShell(c, gate), web.Actor(c), gate, slot)
	if failed != nil {
		return failed
	}
	keepSigning(&v, form.Raw)
	v.Complaints = allComplaints(refused, "role", "meaning", "score", "note", "version", "sha256")
	var moved *signoff.Moved
	if errors.As(err, &moved) {
		v.Changed = differences(moved.Changes)
		if len(v.Changed) == 0 {
			v.Changed = []pages.Difference{{What: "Content", Then: form.Raw("sha256"), Now: gate.SHA256}}
		}
		v.Complaints = nil
	}
	return web.Again(c, refused, pages.GateShow(v))
}

func (h gates) withdraw(c echo.Context) error {
	gate, err := h.load(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	signature, reason := form.UUID("signature"), form.Text("reason", 0, 2000)
	if err = form.Err(); err == nil {
		err = h.stories.Withdraw(c.Request().Context(), web.Actor(c), gate.Release.ID, gate.ID, signature, reason)
	}
	if refused, ok := correctable(err); ok {
		v, err := h.gateView(gateShell(c, gate), web.Actor(c), gate, "")
		if err != nil {
			return err
		}
		if v.Withdraw.Reason = form.Raw("reason"); v.Withdraw.Action == "" {
			v.Typed = typedFacts(form.Raw, [2]string{"reason", "Reason"})
		}
		v.Complaints = allComplaints(refused, "signature", "reason")
		return web.Again(c, refused, pages.GateShow(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashInfo, "Your signature has been withdrawn. It stays readable, marked as withdrawn.")
	return web.SeeOther(c, gateHref(gate.Release.ID, gate.ID))
}

// stopped is what the gate was about when an attempt ended.
func (h gates) stopped(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	gate, err := h.load(c)
	if err != nil {
		return err
	}
	for _, s := range gate.Stops {
		if c.Param("attempt") == strconv.Itoa(s.Attempt) {
			return hashed(c, fmt.Sprintf("gate-%s-attempt-%d", gate.ID, s.Attempt), s.Content, s.ContentSHA256)
		}
	}
	return web.NotFound()
}

// keepStopping puts the reason of a rejection or the note of a new attempt back, or beside the form where none is offered now.
func keepStopping(v *pages.GateShowView, typed func(string) string) {
	if v.Reject.Action == "" && v.Reopen.Action == "" {
		v.Typed = typedFacts(typed, [2]string{"reject_reason", "Reason"}, [2]string{"attempt_note", "Note"})
	}
	if v.Reject.Reason = typed("reject_reason"); v.Reject.Action == "" && v.Reject.Reason != "" {
		v.Typed = typedFacts(typed, [2]string{"reject_reason", "Reason"})
	}
	if v.Reopen.Note = typed("attempt_note"); v.Reopen.Action == "" && v.Reopen.Note != "" {
		v.Typed = typedFacts(typed, [2]string{"attempt_note", "Note"})
	}
}

func (h gates) reject(c echo.Context) error {
	gate, err := h.load(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	r := signoff.RejectRequest{Run: gate.Release.ID, Gate: gate.ID, Slot: signoff.SlotID(form.Text("role", 1, 40)), Reason: form.Text("reject_reason", 0, 2000), Key: form.UUID("key")}
	if err = form.Err(); err == nil {
		err = h.stories.Reject(c.Request().Context(), web.Actor(c), r)
	}
	return h.decided(c, form, gate, err, gate.Name+" is rejected. Nothing passes it until a new attempt is opened and signed anew.")
}

func (h gates) reopen(c echo.Context) error {
	gate, err := h.load(c)
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	r := signoff.ReopenRequest{Run: gate.Release.ID, Gate: gate.ID, After: form.Int("after", 1, 1<<30), Note: form.Text("attempt_note", 0, 2000), Key: form.UUID("key")}
	if err = form.Err(); err == nil {
		err = h.stories.Reopen(c.Request().Context(), web.Actor(c), r)
	}
	return h.decided(c, form, gate, err, fmt.Sprintf("Attempt %d is open. Everybody signs anew.", r.After+1))
}

// decided leads back to the gate, or shows it with what was typed and what is wrong with it.
func (h gates) decided(c echo.Context, form *web.Values, gate signoff.Gate, err error, done string) error {
	refused, ok := correctable(err)
	if !ok {
		if err != nil {
			return err
		}
		web.Flash(c, layouts.FlashInfo, done)
		return web.SeeOther(c, gateHref(gate.Release.ID, gate.ID))
	}
	now, err := h.load(c)
	if err != nil {
		return err
	}
	v, err := h.gateView(gateShell(c, now), web.Actor(c), now, "")
	if err != nil {
		return err
	}
	keepStopping(&v, form.Raw)
	v.Complaints = allComplaints(refused, "role", "reject_reason", "attempt_note", "after", "key")
	return web.Again(c, refused, pages.GateShow(v))
}

func (h gates) signature(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	id, err := web.ID(c, "signature")
	if err != nil {
		return err
	}
	given, gate, changes, err := h.stories.Signature(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return err
	}
	v := signatureView(signatureShell(c, given, gate), given, gate, changes)
	reviewForm(&v, web.Actor(c), given, gate, h.now())
	if kept := web.Prefill(c); kept != nil {
		keepReview(&v, func(name string) string { return kept[name] })
	}
	return web.Page(c, http.StatusOK, pages.SignatureShow(v))
}

// gateZone is the site's time zone; UTC where this machine does not know it.
func gateZone(g signoff.Gate) *time.Location { return siteZone(g.Release.TimeZone) }
