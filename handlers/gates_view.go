package handlers

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

var signatureStates = map[signoff.State]components.State{
	signoff.Standing:  {Code: "valid", Word: "Valid", Tone: components.Good},
	signoff.Void:      {Code: "void", Word: "Void", Tone: components.Bad},
	signoff.Withdrawn: {Code: "withdrawn", Word: "Withdrawn", Tone: components.Warn},
	signoff.Denied:    {Code: "denied", Word: "Refused in its review", Tone: components.Bad},
}

func gateState(g signoff.Gate) components.State {
	switch {
	case g.Passed():
		return components.State{Code: "passed", Word: "Passed", Tone: components.Good}
	case !g.Release.Active:
		return components.State{Code: "unpassed", Word: "Not passed", Tone: components.Neutral}
	case stopKind(g) == signoff.Rejected:
		return components.State{Code: "rejected", Word: "Rejected", Tone: components.Bad}
	case stopKind(g) == signoff.Expired:
		return components.State{Code: "expired", Word: "Denied: time ran out", Tone: components.Bad}
	case len(g.HeldUp()) > 0 && len(g.Missing()) == 0:
		return components.State{Code: "unreviewed", Word: "Waits for a review", Tone: components.Warn}
	case len(g.Blockers) > 0:
		return components.State{Code: "closed", Word: "Closed", Tone: components.Blocked}
	case len(g.Signatures) > 0:
		return components.State{Code: "signing", Word: "Being signed", Tone: components.Progress}
	}
	return components.State{Code: "open", Word: "Open for signing", Tone: components.Info}
}

// stopKind is how the attempt that is under way has ended; empty where it goes on.
func stopKind(g signoff.Gate) signoff.StopKind {
	stop, _ := g.Stopped()
	return stop.Kind
}

// gateCard is a gate with its slots, as it stands between phases and on its own page.
func gateCard(by actor.Actor, g signoff.Gate, now time.Time, zone *time.Location) components.Gate {
	card := components.Gate{
		ID: string(g.ID), Name: g.Name, Judges: "Judges " + g.Judges + ".", State: gateState(g), Href: gateHref(g.Release.ID, g.ID),
		Sentence: missingSentence(g),
	}
	for _, slot := range g.Slots {
		s := components.Slot{ID: string(slot.ID), Role: slot.Role.Title(), Required: slot.Required, State: components.State{Code: "missing", Word: "Missing", Tone: components.Neutral}, Mine: g.Refuse(by, slot) == nil}
		if !slot.Required {
			s.State.Word = "Not given"
		}
		if given, ok := newest(g, slot.ID); ok {
			state := given.State(g.SHA256)
			s.State, s.By, s.Meaning, s.At, s.Href = signatureStates[state], given.Name, string(given.Meaning), moment(given.SignedAt, now, zone), signatureHref(given.ID)
			if given.Deputy != nil {
				s.By += ", as deputy"
			}
			if given.Score != nil {
				s.Score = given.Score.String() + " of 10"
			}
			if given.Glass != nil {
				s.Glass = given.Glass.Says(g.At, zone)
			}
			if state == signoff.Void {
				s.VoidBecause = "what was signed has changed since"
			}
		}
		if s.Mine {
			card.Action = "Read and sign as " + signsAs(by, slot)
		}
		card.Slots = append(card.Slots, s)
	}
	if card.Action == "" {
		card.Action = "Open the gate"
	}
	return card
}

// signsAs is what somebody signs as in a place: "QA lead", or "deputy of the QA lead".
func signsAs(by actor.Actor, slot signoff.Slot) string {
	if by.Has(slot.Role) {
		return slot.Role.Title()
	}
	return "deputy of the " + slot.Role.Title()
}

// newest is the signature that fills the slot, or else the last one that did.
func newest(g signoff.Gate, slot signoff.SlotID) (signoff.Signature, bool) {
	if s, ok := g.Standing(slot); ok {
		return s, true
	}
	return g.Latest(slot)
}

func missingSentence(g signoff.Gate) string {
	words := missingWords(g)
	if g.Passed() {
		return "Passed: " + words + "."
	}
	if held := g.HeldUp(); len(held) > 0 && len(g.Missing()) == 0 {
		return fmt.Sprintf("Every required signature is there, and %s by break-glass to be reviewed before this gate counts as passed.", counted(len(held), "signature has", "signatures have"))
	}
	if !g.Release.Active {
		return words + ". The release has ended, so it is not signed any more."
	}
	if stop, ok := g.Stopped(); ok {
		return stopWords(stop, gateZone(g)) + " It stays shut until somebody who manages releases opens a new attempt."
	}
	if len(g.Blockers) > 0 {
		return fmt.Sprintf("Not open for signing yet: %s to be done first.", counted(len(g.Blockers), "thing has", "things have"))
	}
	return words + "."
}

// stopWords say how an attempt ended.
func stopWords(s signoff.Stop, zone *time.Location) string {
	at := s.At.In(zone).Format("2 Jan 2006 at 15:04 MST")
	switch {
	case s.Kind == signoff.Rejected:
		return fmt.Sprintf("Rejected by %s as %s on %s: %s", s.Name, s.Role.Title(), at, s.Reason) + fullStop(s.Reason)
	case s.Reason != "":
		return "Denied, because its time ran out. " + s.Reason
	}
	return fmt.Sprintf("Denied, because its time ran out on %s and not all had signed.", at)
}

// attemptViews are the attempts that ended, newest first, and what differs since.
func attemptViews(g signoff.Gate, zone *time.Location) ([]pages.GateAttempt, error) {
	var list []pages.GateAttempt
	for _, s := range slices.Backward(g.Stops) {
		v := pages.GateAttempt{
			Number: fmt.Sprint(s.Attempt), Kind: string(s.Kind), State: components.State{Code: "rejected", Word: "Rejected", Tone: components.Bad},
			By: s.Name, Role: s.Role.Title(), At: moment(s.At, g.At, zone), Reason: s.Reason, SHA256: s.ContentSHA256, HashHolds: s.Intact,
			ContentHref: fmt.Sprintf("%s/attempts/%d%s", gateHref(g.Release.ID, g.ID), s.Attempt, contentPath),
		}
		if s.Kind == signoff.Expired {
			v.State, v.By = components.State{Code: "expired", Word: "Time ran out", Tone: components.Bad}, ""
		}
		changes, err := signoff.Compare(s.Content, g.Content)
		if err != nil {
			return nil, err
		}
		// That the attempt ended, and began again, stands above in whole sentences.
		changes = slices.DeleteFunc(changes, func(c signoff.Change) bool { return c.AboutAttempts() })
		v.Changed = differences(changes)
		for _, a := range g.Attempts {
			if a.Number == s.Attempt+1 {
				v.Next = fmt.Sprintf("Attempt %d was opened by %s on %s: %s", a.Number, a.By, a.At.In(zone).Format("2 Jan 2006 at 15:04 MST"), a.Note)
			}
		}
		list = append(list, v)
	}
	return list, nil
}

func (h gates) gateView(shell layouts.Shell, by actor.Actor, g signoff.Gate, wanted signoff.SlotID) (pages.GateShowView, error) {
	zone := gateZone(g)
	v := pages.GateShowView{
		Shell: shell, Gate: gateCard(by, g, g.At, zone), Code: g.Release.Code, SHA256: g.SHA256,
		ContentHref: gateHref(g.Release.ID, g.ID) + contentPath,
	}
	v.DeputiesHref = deputiesPage
	v.Rules = gateRules(g, zone)
	v.Here, v.Seen = others(by, g.Here, g.At, zone), fmt.Sprintf("%d.%s", g.Seq, g.SHA256)
	var err error
	if v.Sections, err = contentSections(g); err != nil {
		return pages.GateShowView{}, err
	}
	for _, b := range g.Blockers {
		if !g.Release.Active {
			break // nothing opens it any more
		}
		link := components.Link{Label: b.Text}
		if b.Item != "" {
			link.Href = itemHref(g.Release.ID, runbook.ItemID(b.Item))
		}
		v.Blockers = append(v.Blockers, link)
	}
	if v.Earlier, err = earlierViews(g, zone); err != nil {
		return pages.GateShowView{}, err
	}
	if v.Attempts, err = attemptViews(g, zone); err != nil {
		return pages.GateShowView{}, err
	}
	h.stopView(&v, by, g, zone)
	for _, given := range g.Signatures {
		if given.By(by) && given.Withdrawn == nil && g.Release.Active {
			v.Withdraw = pages.WithdrawForm{Action: gateHref(g.Release.ID, g.ID) + "/withdraw", Signature: given.ID.String(), Effect: "Withdraw my signature as " + given.Role.Title()}
		}
	}
	h.signView(&v, by, g, wanted, zone)
	if g.Release.Active {
		v.LiveHref = gateHref(g.Release.ID, g.ID)
		if len(v.Sign.Others) > 0 {
			v.LiveHref = placeHref(g, signoff.SlotID(v.Sign.Roles[0].Value)) // what changes by itself leaves the person in the place they chose
		}
	}
	return v, nil
}

// placeHref is the gate with the form of one of its places, for who could fill several.
func placeHref(g signoff.Gate, slot signoff.SlotID) string {
	href := gateHref(g.Release.ID, g.ID)
	if slot != "" {
		href += "?" + url.Values{"slot": {string(slot)}}.Encode()
	}
	return href
}

// identityWords is who somebody is at the provider, as paper has to say it.
func identityWords(subject, issuer string) string {
	return "Subject " + subject + " at " + issuer
}

// isFor says whether a place is the one that an address names, by its own name or by its role's.
func isFor(slot signoff.Slot, wanted signoff.SlotID) bool {
	return slot.ID == wanted || string(slot.Role) == string(wanted)
}

// stopView says by when the gate has to pass, or that it is stopped; and offers the rejection to who holds a place, and
// the new attempt to who manages releases.
func (h gates) stopView(v *pages.GateShowView, by actor.Actor, g signoff.Gate, zone *time.Location) {
	if n := g.Attempt(); n > 1 {
		v.Attempt = fmt.Sprintf("Attempt %d", n)
	}
	if !g.Release.Active {
		return
	}
	stop, stopped := g.Stopped()
	if !stopped && !g.ExpiresAt.IsZero() && !g.Passed() {
		v.Expires = moment(g.ExpiresAt, g.At, zone)
	}
	href := gateHref(g.Release.ID, g.ID)
	if stopped {
		v.Stopped = stopWords(stop, zone)
		v.StopTitle = "This gate was rejected"
		if stop.Kind == signoff.Expired {
			v.StopTitle = "The time of this gate ran out"
		}
		v.WhoReopens = roleTitles(actor.RolesWith(actor.ReleaseManage))
		if by.Can(actor.ReleaseManage) && by.Rights == nil {
			v.Reopen = pages.ReopenForm{
				Action: href + "/attempts", After: fmt.Sprint(stop.Attempt), Key: uuid.NewString(),
				Effect: fmt.Sprintf("Open attempt %d of %s", stop.Attempt+1, g.Name),
			}
		}
		return
	}
	for _, slot := range g.Mine(by) {
		if g.RefuseReject(by, slot) == nil {
			v.Reject.Roles = append(v.Reject.Roles, components.Option{Value: string(slot.ID), Label: slot.Role.Title(), Chosen: len(v.Reject.Roles) == 0})
		}
	}
	if len(v.Reject.Roles) > 0 {
		v.Reject.Action, v.Reject.Key = href+"/reject", uuid.NewString()
		v.Reject.Effect = fmt.Sprintf("Reject %s on %s", g.Name, v.Environment.Word())
		v.Reject.Says = "The gate is shut at once: nobody signs it and nothing is applied through it. Every signature given here so far counts no longer. A new attempt has to be opened, and everybody signs anew."
		if h.now().Sub(by.AuthTime) > actor.FreshFor {
			v.Reject.FreshHref = web.LoginHref(href, true)
		}
	}
}

// movedGate says what became of the content since the one that the person has open, as a whole and beside the form.
func movedGate(v *pages.GateShowView, g signoff.Gate, changes []signoff.Change, since string, slot signoff.SlotID) {
	v.Looking, v.Changed = true, differences(changes)
	if len(v.Changed) == 0 {
		_, then, _ := strings.Cut(since, ".")
		v.Changed = []pages.Difference{{What: "Content", Then: then, Now: g.SHA256}}
	}
	v.Moved = pages.MovedPart{
		Text: "What you are about to sign has changed since you opened it, so this form signs nothing any more: " + counted(len(changes), "thing was", "things were") + " done meanwhile.",
		Href: gateHref(g.Release.ID, g.ID) + "?" + sinceQuery(since, slot).Encode(),
	}
}

func sinceQuery(since string, slot signoff.SlotID) url.Values {
	query := url.Values{"since": {since}}
	if slot != "" {
		query.Set("slot", string(slot))
	}
	return query
}

// signView offers the form for the slot this person may fill, or says why there is none.
func (h gates) signView(v *pages.GateShowView, by actor.Actor, g signoff.Gate, wanted signoff.SlotID, zone *time.Location) {
	var chosen *signoff.Slot
	var why error
	var open []signoff.Slot
	for _, slot := range g.Mine(by) {
		refused := g.Refuse(by, slot)
		if refused != nil && (why == nil || isFor(slot, wanted)) {
			why = refused
		}
		if refused == nil {
			open = append(open, slot)
			if chosen == nil || isFor(slot, wanted) {
				chosen = &slot
			}
		}
	}
	if chosen == nil {
		v.Refused, v.WhoCan = refusedSigning(g, why)
		return
	}
	v.CanSign = true
	href, back := gateHref(g.Release.ID, g.ID), gateHref(g.Release.ID, g.ID)
	if len(open) > 1 {
		back = placeHref(g, chosen.ID)
	}
	v.Sign = pages.SignForm{
		Action: href + "/sign", Roles: []components.Option{{Value: string(chosen.ID), Label: signsAs(by, *chosen), Chosen: true}},
		Statement: chosen.Statement, AsksScore: chosen.AsksScore, Version: newTicket(g.Seq), Limit: "5 minutes", Proven: moment(by.AuthTime, g.At, zone),
		Effect: fmt.Sprintf("Sign as %s: %s on %s", signsAs(by, *chosen), g.Name, v.Environment.Word()), FreshUntil: moment(by.AuthTime.Add(actor.FreshFor), g.At, zone),
	}
	if d, ok := g.DeputyOf(by, *chosen); ok {
		v.Sign.Deputy = fmt.Sprintf("You sign in the place of the %s as their deputy. %s named you for %s to %s: %s", chosen.Role.Title(), d.NamedBy.Name, d.From.Format(dayWords), d.Until.Format(dayWords), d.Reason)
	}
	// What a signature means is chosen, never taken over from the form.
	v.Sign.Meanings = []components.Option{{Label: "Choose what your signature means", Chosen: true}}
	for _, m := range chosen.Meanings {
		v.Sign.Meanings = append(v.Sign.Meanings, components.Option{Value: string(m), Label: meaningWords[m]})
	}
	// By the clock that judges the POST, so that the page never offers a form that would be turned away.
	if h.now().Sub(by.AuthTime) > actor.FreshFor {
		v.Sign.FreshHref = web.LoginHref(back, true)
		if g.RefuseGlass(by, *chosen) == nil {
			v.Sign.GlassHref = href + glassPath + strings.TrimPrefix(back, href)
		}
	}
	for _, slot := range open {
		if slot.ID != chosen.ID {
			v.Sign.Others = append(v.Sign.Others, components.Link{Label: "Sign as " + signsAs(by, slot) + " instead", Href: placeHref(g, slot.ID)})
		}
	}
}

var meaningWords = map[signoff.Meaning]string{
	signoff.Approved:  "approved: I answer for it",
	signoff.Reviewed:  "reviewed: I have read it and object to nothing",
	signoff.Executed:  "executed: I have done it",
	signoff.Witnessed: "witnessed: I have seen it done",
}

func refusedSigning(g signoff.Gate, why error) (string, []string) {
	var missing []actor.Role
	for _, s := range g.Missing() {
		missing = append(missing, s.Role)
	}
	if refused, ok := fault.As(why); ok {
		if refused.Kind != fault.Forbidden {
			return refused.Message, nil // a matter of time, not of who
		}
		return refused.Message, roleTitles(missing)
	}
	if !g.Release.Active || len(missing) == 0 {
		return "There is nothing left to sign here.", nil
	}
	return "None of your roles has a place at this gate.", roleTitles(missing)
}

func fullStop(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return ""
	}
	return "."
}
