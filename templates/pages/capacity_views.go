package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// CapacityFilter narrows a list of failures. What is empty narrows nothing.
type CapacityFilter struct {
	Action, AllHref                                         string
	Facilities, Causes, Severities, Standings, Ages, Owners []components.Option
	Zone                                                    string
	Any                                                     bool
	Export                                                  string // what the filter finds, for a spreadsheet; empty: not offered
}

// CapacityGroupRow is one cause with what lies behind it.
type CapacityGroupRow struct {
	ID, Href               string
	Label, Cause, Facility string
	Worst                  components.State
	Overflow               string // "140 % over"
	Open                   string // how many
	Parts                  string // "37 not begun, 12 in work, 1 to verify"
	Oldest, LastSeen       components.Time
}

// CapacityUndo is an act on many that the person can still take back.
type CapacityUndo struct {
	Action string // POST; empty: nothing to take back
	What   string
	Until  components.Time
}

// CapacityListView is the queue of failures, grouped by cause, worst first.
type CapacityListView struct {
	layouts.Shell
	NotDeployed    string // what a pending migration has yet to bring
	MigrationsHref string
	Filter         CapacityFilter
	Rows           []CapacityGroupRow
	Settled        bool // what is shown is not open any more
	Undo           CapacityUndo
	Walk           string // where the walk through the transactions stands
	WalkProblem    string
	Pager          components.Pager
}

// CapacityRow is one failure of a group.
type CapacityRow struct {
	ID, Href                      string
	Location, Zone, Material, Lot string
	Type                          string
	Volume, Weight                string // by how much
	Severity, State               components.State
	Owner                         string
	Times                         string // how often it was seen
	LastSeen, Due                 components.Time
	Late                          bool
}

// CapacityBulk is an act on everything that the filter finds.
type CapacityBulk struct {
	Action  string // POST; empty: not offered
	Key     string
	Filter  []components.Fact // what the filter says, sent along: name and value
	Takes   []CapacityTake
	Workers []components.Option
	Reason  string
}

// CapacityTake is one of the acts, and how many it would change.
type CapacityTake struct {
	Act, Shown, Effect string // the button says the effect
}

// CapacityGroupView is a group with its failures.
type CapacityGroupView struct {
	layouts.Shell
	Sentence   string
	Facts      []components.Fact
	Filter     CapacityFilter
	Rows       []CapacityRow
	Bulk       CapacityBulk
	WhyNot     string
	WhoCan     []string
	Undo       CapacityUndo
	Complaints components.Complaints
	Pager      components.Pager
}

// CapacityPicture is one unit in its bin, seen from the front, both to one scale. All figures are of the drawing.
type CapacityPicture struct {
	Known                      bool
	ViewBox                    string
	BinX, BinY, BinW, BinH     string
	UnitX, UnitY, UnitW, UnitH string
	Over                       bool // the unit stands out of the bin
	Text                       string
}

// CapacityFigure is one of what is needed against what is free.
type CapacityFigure struct {
	Name, Needed, Free, Over string
	Tone                     components.State
	// The bar: how much of the width is free, and how much is needed, in percent of the larger.
	FreeWidth, NeededWidth string
}

// CapacityEvent is a line of a failure's history.
type CapacityEvent struct {
	Act, What, By, Note string
	At                  components.Time
}

// CapacityAct is a form of one act. It posts version, and what the act needs.
type CapacityAct struct {
	Action string // POST; empty: not offered
	Notes  string // what was typed
}

// CapacityTells is an alert as the outbox has it.
type CapacityTells struct {
	To        string
	State     components.State
	At        components.Time
	Delivered string
}

// CapacityShowView is one failure: what does not fit, why that probably is, and what can be done.
type CapacityShowView struct {
	layouts.Shell
	State, Severity components.State
	Sentence        string
	Facts           []components.Fact
	Picture         CapacityPicture
	Figures         []CapacityFigure
	Sides           []components.Fact
	Cause, Reason   string
	Group           components.Link
	Same            string // "49 other failures have the same cause"
	Version         string

	Acknowledge, Assign, Fix, Verify, Doubt, Accept, Reopen CapacityAct
	Tried                                                   string // the act that was refused
	Barred                                                  string // why this person may not verify
	WhyNot                                                  string
	WhoCan                                                  []string
	FreshHref                                               string // accepting needs a fresh sign-in
	Workers, Codes                                          []components.Option
	Until                                                   string
	UntilMost                                               string

	Measure       string // POST: the material is to be measured; empty: not offered
	BinHref       string // where the bin's size is corrected
	Material      CapacityAct
	MaterialSay   string // what today's master data would clear
	MaterialShown string

	Seen       []CapacityEvent
	History    []CapacityEvent
	Sizes      []CapacityEvent
	Alerts     []CapacityTells
	Complaints components.Complaints
}

// For gives the complaint of a field, where the act is the one that was tried.
func (v CapacityShowView) For(act, field string) string {
	if v.Tried != act {
		return ""
	}
	return v.Complaints.For(field)
}

// CapacityBinView is the correction of a bin's size: what it would clear, before it is done.
type CapacityBinView struct {
	layouts.Shell
	Now                           []components.Fact
	LookAction                    string // GET
	Length, Width, Height, Weight string
	Looked                        bool // a size was given, and can be
	New                           string
	Would                         string // "This would clear 37 of the 41 open failures of the bin."
	Clears                        []CapacityRow
	More                          string
	Action                        string // POST; empty: not offered
	Seen, Shown                   string
	Effect                        string // the button
	Reason                        string
	WhyNot                        string
	WhoCan                        []string
	Complaints                    components.Complaints
}
