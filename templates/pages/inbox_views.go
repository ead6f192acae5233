package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// TaskRow is one thing that waits for the person who looks.
type TaskRow struct {
	ID, Kind   string // data-task, data-kind
	Href       string
	What, Name string // "P2.1" and its title, "Sign" and the gate's name
	As         string // the role that may; empty for requests
	Note       string
	State      components.State
	Needs      string // why it cannot be done yet; empty where it can
	Due        components.Time
	Until      bool   // it is no time to do it by, but when the request expires
	Late       string // "12 min late"; empty where it is not
	Calm       bool   // what stands in Late is nobody's delay
	Release    components.Link
	TZero      components.Time
}

// WaitingView is what waits for the person who looks, soonest first.
type WaitingView struct {
	layouts.Shell
	LiveHref    string // asked again while the page is open
	EventHref   string
	Sentence    string
	Late        bool
	Reader      string // why nothing can wait for them; empty where something can
	Rows        []TaskRow
	Pager       components.Pager
	NoticesHref string
}

// NoticeRow is something that somebody is to be told.
type NoticeRow struct {
	Key       string
	Kind      string
	To        string
	Headline  string
	Body      string
	Href      string
	Written   components.Time
	Due       components.Time
	State     components.State
	Delivered components.Time
	By        string // the channel that delivered it
	Problem   string
}

// NoticesView is the outbox, newest first.
type NoticesView struct {
	layouts.Shell
	Undelivered bool // some of those shown were not delivered
	Rows        []NoticeRow
	Pager       components.Pager
}
