package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// RollbackBanner says on the page of a release that it is being rolled back, or that a rollback waits for its review.
type RollbackBanner struct {
	Text string // empty: nothing to say
	Tone components.Tone
	Way  components.Link
}

// RollbackChoice is a way back of the release's runbook.
type RollbackChoice struct {
	ID, Title  string // RB-1
	Time, Loss string
	Who, When  string
	Goal       string // "5 min"; empty where there is none
	Takes      string // "One person alone" or "Two people"
	Steps      []string
	Chosen     bool
	Safe       bool
}

// RollbackStart is the form that starts one. It posts option, reason and key.
type RollbackStart struct {
	Action     string // empty: not offered
	Key        string
	Reason     string
	Effect     string
	FreshHref  string
	Complaints components.Complaints
}

// RollbackStepView is one step of a rollback; its form posts step, outcome and note.
type RollbackStepView struct {
	Number  string
	Text    string
	State   components.State
	By      string
	At      components.Time
	Note    string
	Action  string // empty: not offered
	Typed   string
	Problem string
}

// RollbackView is one rollback.
type RollbackView struct {
	ID           string
	Option       string
	Title        string
	Loss         string
	Who          string // decides, by the runbook
	State        components.State
	By           string
	Started      components.Time
	Reason       string
	Agreed       string // who agreed and when; empty where nobody has to or has
	Clock        string // "Running for 3 min; 2 min left of 5 min."
	ClockTone    components.Tone
	Steps        []RollbackStepView
	Open         bool
	AgreeAction  string // empty: not offered
	AgreeEffect  string
	AgreeFresh   string
	AgreeWho     []string // who can, where this person cannot
	AgreeWhy     string   // why a second person is asked for
	Still        []string // versions of the release that are still in the database, where this way takes them back
	EndAction    string   // empty: not offered
	EndEffect    string
	MayEnd       bool // every step is settled
	EndNote      string
	GiveUpNote   string
	Ended        string
	Review       string // who reviewed it and what they said
	ReviewTone   components.Tone
	ReviewAction string // empty: not offered
	ReviewFresh  string
	ReviewNote   string
	NoUndo       string // why Undo is empty, where it would be shown
	WantsReview  string // the finding; empty where there is none
	ReviewWho    []string
	Undo         []MigrationLine // what the release applied, newest first, with its undo page
	Pages        []components.Link
	Complaints   components.Complaints
}

// ReleaseRollbackView is the page on which a release is taken back.
type ReleaseRollbackView struct {
	layouts.Shell
	Code    string
	State   components.State
	Href    string
	Window  Banner        // why nothing is applied or taken back now; empty where it is
	Current *RollbackView // the one under way
	Choices []RollbackChoice
	Start   RollbackStart
	Refused string // why none can be started
	WhoCan  []string
	Past    []RollbackView
	Typed   []components.Fact
	// While the release goes on, events say when to ask the page again; for its clock it asks every 20 seconds.
	LiveHref, EventHref string
}
