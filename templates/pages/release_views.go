package pages

import (
	"slices"

	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// ReleaseRow is one release in the list.
type ReleaseRow struct {
	Code, Title string
	Href        string
	State       components.State
	TZero       components.Time
	StartedBy   string
	Template    string // "WMS deployment 1.0.0"
	Counts      components.Counts
	Move        string // whose move it is: "QA lead signs go / no-go"; empty when over
}

// ReleaseListView is the releases, newest first.
type ReleaseListView struct {
	layouts.Shell
	Filters  []components.Filter
	Filtered bool // a filter is chosen, so an empty list may not be all there is
	AllHref  string
	Rows     []ReleaseRow
	Pager    components.Pager
	AsOf     components.Time // when the counts in the filters were taken
	Start    components.Link // to the start form; zero for who may not
	WhoStart []string        // roles that may start one
}

// TemplateChoice is one runbook a release can be started from.
type TemplateChoice struct {
	Value   string // posted as "template"
	Name    string
	Version string
	SHA256  string
	Summary string           // "9 phases, 61 items, 2 gates"
	News    string           // what this version brought
	Age     components.State // newest of its name, or older
	Chosen  bool
}

// Current are the choices that stand open: the newest of each name. Older are the others, folded.
func (v ReleaseStartView) Current() []TemplateChoice { return v.aged(false) }

// Older are the earlier versions of each name.
func (v ReleaseStartView) Older() []TemplateChoice { return v.aged(true) }

func (v ReleaseStartView) aged(older bool) []TemplateChoice {
	var list []TemplateChoice
	for _, t := range v.Templates {
		if (t.Age.Code == "older") == older {
			list = append(list, t)
		}
	}
	return list
}

// OlderChosen says that what is chosen stands among the older ones.
func (v ReleaseStartView) OlderChosen() bool {
	return slices.ContainsFunc(v.Older(), func(t TemplateChoice) bool { return t.Chosen })
}

// ReleaseStartView is the form that starts a release and freezes its runbook.
// Its fields post as template, code, title, t_zero, zone.
type ReleaseStartView struct {
	layouts.Shell
	Action       string // POST /releases
	RunbooksHref string
	CancelHref   string
	Templates    []TemplateChoice
	Code         string
	Name         string // posted as "title"
	TZero        string // "2025-12-24T14:00", local to the zone
	Zones        []components.Option
	Complaints   components.Complaints
	Running      components.Link // the release that already runs here; zero when none does
	Guest        bool            // another company operates the environment, so its migrations are not this one's to apply
	Refused      string          // why this person may not start one; empty when they may
	WhoCan       []string
	Lessons      []Lesson // of earlier releases, that nobody has acted on yet
}

// TemplateRef names the runbook a release was frozen from.
type TemplateRef struct {
	Name, Version, SHA256 string
}

// NextStep is the one thing to do now, and whose move it is.
type NextStep struct {
	Text   string
	Who    string // "QA lead", or "you"
	Yours  bool
	Due    components.Time
	Tone   components.Tone
	Way    components.Link // zero when there is nothing to press
	Detail string
}

// ItemRow is one item of the runbook. It is kept light: a release has about 75.
type ItemRow struct {
	ID    string
	Title string
	Owner string
	Due   components.Time
	State components.State
	Who   string // who has it or did it
	Auto  bool   // done by the system
	Late  string // "12 min late"; empty when it is not
	Calm  bool   // what Late says is nobody's delay
	Extra bool   // not required
}

// Phase is one phase of a release, with the gates that stand after it.
type Phase struct {
	ID     string
	Name   string
	Offset string
	Due    components.Time
	State  components.State
	Counts components.Counts
	Open   bool // drawn unfolded
	Items  []ItemRow
	Gates  []components.Gate
}

// MigrationLine is one migration in a release's summary.
type MigrationLine struct {
	Version, Title, Href string
	State                components.State
}

// ReschedulePart moves T-0. Its fields post as t_zero, zone, reason, version.
type ReschedulePart struct {
	Action     string // empty: not offered
	Version    string
	TZero      string
	Zones      []components.Option
	Reason     string
	Effect     string // "41 open items move with it; 12 done items keep their times."
	Complaints components.Complaints
}

// AbortPart ends the release for good. Its fields post as confirm, abort_reason, version.
type AbortPart struct {
	Action     string // empty: not offered
	Version    string
	Confirm    string // what was typed
	Type       string // what must be typed: the release's code
	Reason     string
	Effect     string
	Complaints components.Complaints
}

// ReleaseShowView is one release as a timeline, with the one next step.
type ReleaseShowView struct {
	layouts.Shell
	Seen        string // what the forms were made from: the version of the release and its T-0
	Moved       MovedPart
	Changed     []Difference // what is not as the person has it open, who looks at both
	WallHref    string       // the same for a big screen; empty when it is over
	Code        string
	Name        string
	Href        string // this page; items are Href + "/items/" + ID
	State       components.State
	TZero       components.Time
	Zone        string
	Started     components.Time
	By          string // who started it
	Template    TemplateRef
	Newer       string // "1.1.0 was published on 23 Dec"; empty when this is the newest
	Counts      components.Counts
	Timeline    components.Timeline
	Next        NextStep
	Phases      []Phase
	TakenOver   []components.Link // items that somebody took over from who looks
	RunbookHref string            // of the frozen runbook, and in what the newest differs

	Migrations         []MigrationLine
	MigrationsSentence string

	Window      Banner
	Reschedule  ReschedulePart
	Abort       AbortPart
	Ended       string // why and when it ended, for a release that is over
	DossierHref string // POST; empty where this person may not
	LiveHref    string // asked again while the page is open; empty when nothing can change
	// Rollback is said on the page while there is one; RollBack leads to where the release is taken back, zero where nothing is left.
	Rollback RollbackBanner
	RollBack components.Link
}
