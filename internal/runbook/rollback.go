package runbook

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/change"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// What a way back leads to inside this console, beside its steps.
const (
	ShowMigrations = "migrations" // the undo pages of what the release applied
	ShowBackups    = "backups"    // restoring a backup
	ShowHealth     = "health"     // the health checks
)

var shows = []string{ShowMigrations, ShowBackups, ShowHealth}

// shownBefore is what the options of the templates show that were released before they said so themselves.
var shownBefore = map[string][]string{"RB-1": {ShowHealth}, "RB-2": {ShowHealth}, "RB-4": {ShowBackups, ShowHealth}, "RB-5": {ShowMigrations, ShowHealth}}

// Safe says whether one person may take this way back alone: it loses no data, and the template does not ask for two.
func (o RollbackOption) Safe() bool { return o.DataLoss == "none" && !o.TwoPeople }

// Pages are what the console itself has for this way back.
func (o RollbackOption) Pages() []string {
	if o.Show != nil {
		return o.Show
	}
	return shownBefore[o.ID]
}

var minutesAtMost = regexp.MustCompile(`(\d{1,4}) minutes?$`)

// Within is how long the way back may take: the template's goal, or else the last number of minutes in its time. Zero
// where there is none.
func (o RollbackOption) Within() time.Duration {
	if o.Goal != nil {
		return time.Duration(*o.Goal)
	}
	if m := minutesAtMost.FindStringSubmatch(o.Time); m != nil {
		n, _ := strconv.Atoi(m[1])
		return time.Duration(n) * time.Minute
	}
	return 0
}

func (o RollbackOption) check() error {
	switch {
	case o.ID == "" || o.Title == "" || o.Time == "" || o.DataLoss == "" || o.Who == "" || o.When == "" || len(o.Steps) == 0:
		return fmt.Errorf("rollback option %s does not say what, when, who, how long, what is lost and how", o.ID)
	case o.Goal != nil && *o.Goal <= 0:
		return fmt.Errorf("rollback option %s has a goal that is not above zero", o.ID)
	case slices.ContainsFunc(o.Show, func(s string) bool { return !slices.Contains(shows, s) }):
		return fmt.Errorf("rollback option %s shows something that is none of %s", o.ID, strings.Join(shows, ", "))
	}
	return nil
}

// RollbackState is where a rollback stands.
type RollbackState string

// The states of a rollback.
const (
	RollbackAsked   RollbackState = "asked"       // it takes two people, and the second has not agreed
	RollbackGoing   RollbackState = "under_way"   // its steps are being done
	RollbackDone    RollbackState = "rolled_back" // the release ended with it
	RollbackGivenUp RollbackState = "given_up"    // the release goes on
)

// Rollback is a release being taken back by one of the ways of its template.
type Rollback struct {
	ID       uuid.UUID
	Run      uuid.UUID
	Option   string // RB-1
	Title    string
	DataLoss string
	Safe     bool
	Goal     time.Duration // zero where there is none
	Steps    []RollbackStep
	Reason   string
	By       Person
	// StartedAt is when it was asked for: the clock runs from the decision on, also while a second person is looked for.
	StartedAt time.Time
	Agreed    *RollbackAct // nil where it needs nobody, or nobody has
	Ended     *RollbackAct
	GivenUp   bool
	Took      time.Duration // from start to end
	Kept      bool          // it ended within its goal
	Reviewed  *RollbackAct
	Objected  bool // the review found something that was not in order
}

// RollbackStep is one step of a rollback, and what was seen when it was done.
type RollbackStep struct {
	Text   string
	Done   *RollbackAct // nil while it is open
	Needed bool         // false where somebody said, with a reason, that it is not needed
}

// RollbackAct is something that somebody did to a rollback.
type RollbackAct struct {
	By   Person
	Note string
	At   time.Time
}

// State is where it stands.
func (b Rollback) State() RollbackState {
	switch {
	case b.Ended != nil && b.GivenUp:
		return RollbackGivenUp
	case b.Ended != nil:
		return RollbackDone
	case !b.Safe && b.Agreed == nil:
		return RollbackAsked
	}
	return RollbackGoing
}

// Open says that it has not ended.
func (b Rollback) Open() bool { return b.Ended == nil }

// WantsReview says that it has ended and that nobody else has looked at it yet: a finding until then.
func (b Rollback) WantsReview() bool { return b.Ended != nil && b.Reviewed == nil }

// Left lists the steps, counted from one, that are neither done nor said to be not needed.
func (b Rollback) Left() []int {
	var left []int
	for i, s := range b.Steps {
		if s.Done == nil {
			left = append(left, i+1)
		}
	}
	return left
}

// took is how long it has run at that moment.
func (b Rollback) took(at time.Time) time.Duration {
	if b.Ended != nil {
		return b.Took
	}
	return max(at.Sub(b.StartedAt), 0)
}

// ReviewWithin is how long after its end a rollback should have been reviewed.
const ReviewWithin = 72 * time.Hour

// Clock is how long it took or has run, and how much of the goal is left; below zero it is missed.
func (b Rollback) Clock(at time.Time) (took, left time.Duration) {
	took = b.took(at)
	return took, b.Goal - took
}

// RollbackPage is what the page of a release's rollbacks shows.
type RollbackPage struct {
	Run        Run
	Options    []RollbackOption
	Rollbacks  []Rollback // newest first
	Migrations []MigrationShown
	Moment     change.Moment // how the release stands to its window and the freezes
	At         time.Time
}

// RollingBack is the rollback of the release that has not ended.
func (r Release) RollingBack() (Rollback, bool) { return RollbackPage{Rollbacks: r.Rollbacks}.Open() }

// Open is the rollback that has not ended.
func (p RollbackPage) Open() (Rollback, bool) {
	i := slices.IndexFunc(p.Rollbacks, Rollback.Open)
	if i < 0 {
		return Rollback{}, false
	}
	return p.Rollbacks[i], true
}

func (p RollbackPage) find(id uuid.UUID) (Rollback, error) {
	i := slices.IndexFunc(p.Rollbacks, func(b Rollback) bool { return b.ID == id })
	if i < 0 {
		return Rollback{}, fault.New(fault.NotFound, "This release has no such rollback.")
	}
	return p.Rollbacks[i], nil
}

// with adds the ways back of the frozen template.
func (p RollbackPage) with(template string) (RollbackPage, error) {
	t, err := ParseTemplate([]byte(template))
	p.Options = t.Rollback
	return p, err
}
