package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// ReportLine is a line of a table of the report: what it is about, when it was planned and when it happened.
type ReportLine struct {
	ID, What, Who string
	Identity      string // subject and issuer of who signed, for paper
	State         components.State
	Planned       components.Time
	Happened      components.Time
	Late          string // "12 min late", "3 min early"; empty where nothing is to be said
	Calm          bool   // it is not late
	Note          string
	After         string // what followed
}

// ReportMigration is how long a migration took, rehearsed and really.
type ReportMigration struct {
	Version, Title, Href string
	Rehearsed, Took      string
	Compared             string
	At                   components.Time
	By, Note             string
	NotHere              string // said instead of At, where it was not applied in this release
}

// ReportChange is one thing that was measured before T-0 and after it.
type ReportChange struct {
	Title, Unit   string
	Before, After components.State
	BeforeValue   string
	AfterValue    string
	AfterPoint    string
	Verdict       components.State
	Words         string
}

// Lesson is what a person learned, and whether it was acted on.
type Lesson struct {
	ID               string
	Release          components.Link
	Happened, Why    string
	Todo, Owner, Due string
	By               string
	Added            components.Time
	State            components.State
	Done             string // by whom
	DoneAt           components.Time
	DoneNote         string
	DoneAction       string // where "done" is posted; empty where it is not offered
	Note             string // what was typed
	NoteProblem      string
	Complaints       components.Complaints
}

// LessonForm asks for a lesson. It posts lesson, happened, why, todo, owner and due.
type LessonForm struct {
	Action                       string // empty where this person may not write one
	ID, Happened, Why, Todo, Due string
	Owners                       []components.Option
	Complaints                   components.Complaints
}

// ReportView is what was planned of a release and what happened.
type ReportView struct {
	layouts.Shell
	State         components.State
	Title         string
	Facts         []components.Fact
	Typed         []components.Fact // what was typed, where there is no form for it any more
	Findings      []string
	Sentence      string
	Tone          components.Tone
	Gates, Items  []ReportLine
	Stops         []ReportLine // attempts at gates that ended without being passed
	Signatures    []ReportLine
	Migrations    []ReportMigration
	Moves         []ReportLine
	Changes       []ReportChange
	NoChanges     string
	Lessons       []Lesson
	Form          LessonForm
	WhoWrites     []string
	JSONHref      string
	SnapshotsHref string
}
