package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// ImportListView is the newest files of measurements, and the way to send one.
type ImportListView struct {
	layouts.Shell
	Rows        []ImportRow
	Action      string // empty: not offered
	MaxBytes    int
	ExampleHref string
	Complaints  components.Complaints
	WhoCan      []string
	LiveHref    string
}

// ImportRow is one file.
type ImportRow struct {
	ID, Href, Name string
	State          components.State
	Lines, By      string
	At             components.Time
}

// ImportShowView is one file: where it stands, what is wrong with it, what it comes to.
type ImportShowView struct {
	layouts.Shell
	ID           string
	State        components.State
	Sentence     string
	Facts        []components.Fact
	LiveHref     string // empty: nothing changes by itself
	Done, Of     string
	Outcomes     []ImportOutcome
	Bad          []ImportProblemRow
	MoreBad      string
	ProblemsHref string
	Pager        components.Pager
	Asks, Left   []ImportProblemRow
	MoreAsks     string
	MoreLeft     string

	Version, Confirm, Discard string // empty: not offered
	ConfirmWord, SureLabel    string
	Complaints                components.Complaints
	WhoCan                    []string
}

// ImportOutcome is how many lines come to what.
type ImportOutcome struct{ Code, Count, Text string }

// ImportProblemRow is a line of the file and what is said about it.
type ImportProblemRow struct{ Line, Column, Text string }
