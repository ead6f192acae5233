package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// SpanForm sets a window or a freeze. Its fields post as key, from, until, reason; times are local to the release's zone.
type SpanForm struct {
	Action              string // empty: not offered
	Key                 string // empty where the form needs none
	From, Until, Reason string
	Complaints          components.Complaints
	WhyNot              string
}

// OverrideForm asks for an override. Its fields post as key, kind, hours, reason.
type OverrideForm struct {
	Action     string // empty: not offered
	Key        string
	Kinds      []components.Option
	Hours      string
	Reason     string
	Complaints components.Complaints
}

// TokenForm makes a one-time token. Its fields post as key and step.
type TokenForm struct {
	Action     string // empty: not offered
	Key        string
	Steps      []components.Option // "up 0.0.20", "down 0.0.20"
	WhyNot     string
	Complaints components.Complaints
}

// OverrideRow is one override.
type OverrideRow struct {
	ID, Kind, Reason, By string
	Asked, Expires       components.Time
	State                components.State
	Second               string // who agreed
	Agree                string // POST; empty: not offered
	WhyNot               string
	WhoAgrees            []string // who can agree, where this person cannot
}

// TokenRow is one token.
type TokenRow struct {
	ID, Version, Direction, By string
	Made, Expires              components.Time
	State                      components.State
	RunHref                    string
	Revoke                     string // POST; empty: not offered
}

// FreezeRow is one freeze that is not over.
type FreezeRow struct {
	From, Until components.Time
	Reason, By  string
}

// MadeToken is a token in the one answer that shows it.
type MadeToken struct {
	Token, Command, Until string
}

// ReleaseWindowView is when a release may change the schema, and who said otherwise.
type ReleaseWindowView struct {
	layouts.Shell
	Sentence  string
	Tone      components.Tone
	From      components.Time
	Until     components.Time
	SetBy     string
	Zone      string
	Made      *MadeToken
	FreshHref string // where to sign in again first; then no form is offered
	Window    SpanForm
	Freeze    SpanForm
	Override  OverrideForm
	Token     TokenForm
	Freezes   []FreezeRow
	Overrides []OverrideRow
	Tokens    []TokenRow
	WhoCan    []string
}

// Banner is what people should know ahead of and during a change window or a freeze.
type Banner struct {
	Text string // empty: nothing
	Tone components.Tone
	Href string
}

// prefixed lets the links of a summary lead to the fields of one of several forms that share their names.
func prefixed(list components.Complaints, form string) components.Complaints {
	var own components.Complaints
	for _, c := range list {
		if c.Field != "" && c.Field != "kind" && c.Field != "hours" {
			c.Field = form + "-" + c.Field
		}
		own = append(own, c)
	}
	return own
}
