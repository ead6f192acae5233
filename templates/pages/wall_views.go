package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// WallItem is an item as it is read from three metres away.
type WallItem struct {
	ID, Title string
	Who       string // who has it in hand, or whose it is
	Held      bool   // somebody has it in hand
	Due       components.Time
	Late      string // "12 min late"; empty where it is not
	Note      string // beside when it was due; empty where there is nothing to say
	State     components.State
}

// WallView is a release for a big screen: what is due next, who does it, how late it is, and the gates.
type WallView struct {
	layouts.Shell
	Code, Name string
	State      components.State
	TZero      components.Time
	Zone       string
	Now        components.Time // when this was true
	Counts     components.Counts
	Late       string // "2 are late"; empty where nothing is
	Items      []WallItem
	More       string // "and 31 more"
	Gates      []components.Gate
	Banner     string
	Calm       bool // the banner is no warning
	Ended      string
	LiveHref   string
	EventHref  string
}
