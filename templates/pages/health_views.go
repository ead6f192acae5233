package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// HealthRow is one of the eight checks.
type HealthRow struct {
	ID        string // data-check: "cache_freshness"
	Name      string
	State     components.State // healthy, degraded, unhealthy, unknown, not_deployed
	Value     string           // "9 min 20 s"
	Threshold string           // "healthy under 15 min, unhealthy from 30 min"
	Message   string
	Took      string
	At        components.Time
	Query     string // what was asked, verbatim
}

// HealthView is the state of the warehouse in one sentence, worst first.
type HealthView struct {
	layouts.Shell
	Overall  components.State
	Sentence string
	At       components.Time
	Critical []string
	Warnings []string
	Rows     []HealthRow
	CheckNow string // POST; empty where this person may not
	WhoCan   []string
	LiveHref string
	JSONHref string
}

// AuditFilter is what the list was asked for. Its fields get person, action,
// object, outcome, day.
type AuditFilter struct {
	Person, Action, Object, Day string
	Actions, People             []string // suggested; any other may be typed
	Objects                     []components.Option
	Outcomes                    []components.Option
	Any                         bool // something is asked for
}

// Outcome is the outcome that was asked for; empty for any.
func (f AuditFilter) Outcome() string {
	for _, o := range f.Outcomes {
		if o.Chosen {
			return o.Value
		}
	}
	return ""
}

// Narrowed says whether anything is left out, but for the place in the list.
func (f AuditFilter) Narrowed() bool {
	return f.Person != "" || f.Object != "" || f.Action != "" || f.Day != "" || f.Outcome() != ""
}

// AuditRow is one act or refusal.
type AuditRow struct {
	ID       string
	At       components.Time
	Who      string
	Role     string
	Origin   string // "web", "command line", "worker"
	Action   string
	Object   string // what people call it: "item PRE-P1"
	ObjectID string // what the filter asks for: "item <release>/PRE-P1"
	Href     string // the object's page, where it has one
	Outcome  components.State
	Summary  string
	Changes  []Difference
	Hash     string
	Previous string
	Alone    bool            // the only entry of the page, shown unfolded and whole
	Whole    components.Link // where the entry stands whole, if something of it was cut here
}

// AuditListView is who did what, when, to what.
type AuditListView struct {
	layouts.Shell
	Action   string // GET /audit
	Filter   AuditFilter
	Rows     []AuditRow
	Near     []components.Link // what was meant, perhaps, where nothing was found
	Pager    components.Pager
	Chain    components.State
	ChainSay string // "The chain is whole up to entry 10 412, checked 2 min ago."
	// ChainHead is the hash of the last entry that was walked; may be empty.
	ChainHead  string
	VerifyHref string // POST; empty where this person may not
	ExportHref string // POST; empty where this person may not
	Sealed     SealPart
	Unrecorded bool // the trail takes no entry, not even that it was read
	AllHref    string
	// Where an older state of the database was restored: who may acknowledge it, and the form or the way to it.
	AcknowledgeHref, FreshHref string
	Reason                     string
	Complaints                 components.Complaints
	WhoCan                     []string
}

// SealPart is the newest seal of the trail, or that there is none.
type SealPart struct {
	State components.State
	Say   string
	Facts []components.Fact // what is needed to check it elsewhere
}
