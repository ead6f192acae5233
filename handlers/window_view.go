package handlers

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/change"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

var tokenStates = map[string]components.State{
	"good":    {Code: "good", Word: "Good", Tone: components.Good},
	"used":    {Code: "used", Word: "Used", Tone: components.Neutral},
	"revoked": {Code: "revoked", Word: "Revoked", Tone: components.Neutral},
	"expired": {Code: "expired", Word: "Expired", Tone: components.Neutral},
	"void":    {Code: "void", Word: "Void", Tone: components.Bad},
}

// bannerOf is what people should know ahead of and during a window or a freeze.
func bannerOf(m change.Moment, zone *time.Location, href string) pages.Banner {
	text, calm := m.Banner(zone)
	b := pages.Banner{Text: text, Tone: components.Warn, Href: href}
	if calm {
		b.Tone = components.Info
	}
	return b
}

func (h windows) windowView(shell layouts.Shell, by actor.Actor, p change.Page, zone *time.Location) pages.ReleaseWindowView {
	m, now := p.Moment, p.Moment.At
	v := pages.ReleaseWindowView{
		Shell: shell, From: moment(m.Starts, now, zone), Until: moment(m.Ends, now, zone), Zone: p.Zone, SetBy: m.SetBy, Tone: components.Good,
	}
	if v.SetBy == "" {
		v.SetBy = "T-0: the four hours from it on"
	}
	text, calm := m.Banner(zone)
	if v.Sentence = text; !calm {
		v.Tone = components.Warn
	}
	if !p.Active {
		v.Sentence, v.Tone = "Nothing is applied or taken back under this release any more.", components.Neutral
	}
	for _, f := range p.Freezes {
		v.Freezes = append(v.Freezes, pages.FreezeRow{From: moment(f.From, now, zone), Until: moment(f.Until, now, zone), Reason: f.Reason, By: f.By})
	}
	acts := p.Active && by.Operator
	fresh := !by.AuthTime.IsZero() && h.now().Sub(by.AuthTime) <= actor.FreshFor
	if acts && !fresh && (by.Can(actor.ReleaseManage) || by.Can(actor.GateSign)) {
		v.FreshHref = web.LoginHref(windowHref(p.Release), true)
	}
	if acts && !by.Can(actor.ReleaseManage) {
		v.WhoCan = roleTitles(actor.RolesWith(actor.ReleaseManage))
	}
	for _, o := range p.Overrides {
		v.Overrides = append(v.Overrides, overrideView(by, p, o, acts && fresh, zone))
	}
	for _, k := range p.Tokens {
		v.Tokens = append(v.Tokens, tokenView(by, p, k, acts && fresh, zone))
	}
	if acts && fresh {
		h.forms(&v, by, p, zone)
	}
	return v
}

// forms are what this person may do here.
func (h windows) forms(v *pages.ReleaseWindowView, by actor.Actor, p change.Page, zone *time.Location) {
	here, from := windowHref(p.Release), p.Moment.At.In(zone).Add(time.Hour).Truncate(time.Hour)
	if by.Can(actor.ReleaseManage) {
		v.Freeze = pages.SpanForm{Action: here + "/freeze", Key: uuid.NewString(), From: from.Format(localTime), Until: from.Add(24 * time.Hour).Format(localTime)}
		v.Override = pages.OverrideForm{Action: here + "/overrides", Key: uuid.NewString(), Hours: "2"}
		for _, kind := range []change.Kind{change.Window, change.Frost, change.Proof} {
			v.Override.Kinds = append(v.Override.Kinds, components.Option{Value: string(kind), Label: kind.Words()})
		}
		if p.Signed {
			v.Window.WhyNot = "The window does not move any more, because go / no-go has a signature. Take the signatures back first, or let two people override it."
		} else {
			v.Window = pages.SpanForm{Action: here, From: p.Moment.Starts.In(zone).Format(localTime), Until: p.Moment.Ends.In(zone).Format(localTime)}
		}
	}
	if !by.Can(actor.MigrationApply) {
		return
	}
	switch {
	case !p.GateOpen:
		v.Token.WhyNot = "A token can be made once go / no-go is passed."
	case p.Moment.Refusal != "":
		v.Token.WhyNot = "A token can be made once a change may be made."
	default:
		v.Token = pages.TokenForm{
			Action: here + "/tokens", Key: uuid.NewString(),
		}
		var back []components.Option
		for _, m := range p.Plan {
			if m.Applied {
				back = append(back, components.Option{Value: "down " + m.Version, Label: "Take back V" + m.Version + ", " + m.Title})
			} else {
				v.Token.Steps = append(v.Token.Steps, components.Option{Value: "up " + m.Version, Label: "Apply V" + m.Version + ", " + m.Title})
			}
		}
		slices.Reverse(back) // the newest goes first
		v.Token.Steps = append(v.Token.Steps, back...)
	}
}

func overrideView(by actor.Actor, p change.Page, o change.Override, acts bool, zone *time.Location) pages.OverrideRow {
	now := p.Moment.At
	row := pages.OverrideRow{
		ID: o.ID.String(), Kind: o.Kind.Words() + ".", Reason: o.Reason, By: o.By, Second: o.SecondBy,
		Asked: moment(o.AskedAt, now, zone), Expires: moment(o.ExpiresAt, now, zone),
	}
	switch {
	case o.ExpiredAlready:
		row.State = components.State{Code: "expired", Word: "Expired", Tone: components.Neutral}
	case o.SecondBy != "":
		row.State = components.State{Code: "counts", Word: "Counts", Tone: components.Warn}
	default:
		row.State = components.State{Code: "asked", Word: "Waits for a second person", Tone: components.Info}
		switch {
		case o.Issuer == by.Issuer && o.Subject == by.Subject:
			row.WhyNot = "You asked for it, so somebody else has to agree."
		case p.Active && (!by.Can(actor.GateSign) || !by.Operator):
			row.WhoAgrees = roleTitles(actor.RolesWith(actor.GateSign))
		case acts:
			row.Agree = windowHref(p.Release) + "/overrides/" + row.ID + "/second"
		}
	}
	return row
}

func tokenView(by actor.Actor, p change.Page, k change.Token, acts bool, zone *time.Location) pages.TokenRow {
	now := p.Moment.At
	row := pages.TokenRow{
		ID: k.ID.String(), Version: "V" + k.Version, Direction: k.Direction, By: k.By, Made: moment(k.MadeAt, now, zone),
		Expires: moment(k.ExpiresAt, now, zone), State: tokenStates[k.State],
	}
	if k.Run != uuid.Nil {
		row.RunHref = runHref(k.Run)
	}
	if acts && by.Can(actor.MigrationApply) && (k.State == "good" || k.State == "void") {
		row.Revoke = windowHref(p.Release) + "/tokens/" + row.ID + "/revoke"
	}
	return row
}
