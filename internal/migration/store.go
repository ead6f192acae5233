package migration

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/change"
)

// Store is what this package asks of the database as the application; everything else only the Migrator may do.
type Store interface {
	// Look reads what a page needs, in one round trip.
	Look(ctx context.Context, by actor.Actor, q Question) (Sight, error)
	// Tail reads a run and what its log holds after a line, in one round trip; NotFound where the tenant has none such.
	Tail(ctx context.Context, by actor.Actor, id RunID, after, limit int) (Run, []Line, error)
	// InTenant runs work in one transaction of the actor's tenant.
	InTenant(ctx context.Context, by actor.Actor, work func(ctx context.Context, tx Tx) error) error
	// Unfinished lists runs that are queued or running, of all tenants.
	Unfinished(ctx context.Context) ([]Ref, error)
}

// Tx is everything that one transaction may do.
type Tx interface {
	// Standing is the ledger, golang-migrate's row, the runs that are in the way, and what of the objects is there.
	Standing(ctx context.Context, objects []Object) (Sight, error)
	// RunByKey is the run that a form's key has already made; false where there is none.
	RunByKey(ctx context.Context, key uuid.UUID) (Run, bool, error)
	// AddRun inserts the run where every gate is open, in the statement itself; false where one is not.
	AddRun(ctx context.Context, order Order) (bool, error)
	// Saved is a saving of what an undo would lose.
	Saved(ctx context.Context, loss uuid.UUID) (Saved, error)
	// Obstacles says which condition of AddRun does not hold.
	Obstacles(ctx context.Context, order Order) (Obstacles, error)
	// Enqueue hands the run to the worker when this transaction commits.
	Enqueue(ctx context.Context, run Ref) error
	// Run is a run of this tenant, locked until the transaction ends.
	Run(ctx context.Context, id RunID) (Run, error)
	// Start marks a queued run running, where its gate is still open; false where it is not queued any more or may not start.
	Start(ctx context.Context, id RunID) (bool, error)
	// Closed is why a release may change nothing now, because of its window or a freeze; empty where it may.
	Closed(ctx context.Context, release uuid.UUID) (string, error)
	// Finish marks a queued or running run with its outcome; false where it has one already.
	Finish(ctx context.Context, id RunID, o Outcome) (bool, error)
	// Acknowledge notes that a person has looked at an interrupted run; false where that was done already.
	Acknowledge(ctx context.Context, id RunID, note string) (bool, error)
	// AddLine adds to a run's log.
	AddLine(ctx context.Context, id RunID, line string) error
	Record(ctx context.Context, e audit.Event) error
}

// Ref finds a run before its tenant has been entered.
type Ref struct {
	Tenant uuid.UUID     `json:"tenant"`
	Run    RunID         `json:"run"`
	State  RunState      `json:"-"`
	Idle   time.Duration `json:"-"` // since it was started or, if it was not, asked for
}

// Question says what a page shows.
type Question struct {
	Version Version // of the page of one version; zero for the ladder
	Run     RunID   // of the page of one run
	Before  int64   // ledger entries older than this one; 0 for the newest
	Limit   int     // ledger entries; 0 for none
	Objects []Object
	// Undo is the hash of an undo file, for what it would lose.
	Undo  string
	Lint  LintQuestion // what the lint would like to know
	Known []string     // hashes of this program's files: of what was applied with another text, the text is wanted
}

// Sight is what the database showed.
type Sight struct {
	Entries []Entry // newest success and newest failure of each version
	Belief  Belief
	Runs    []Run    // active, or interrupted and not acknowledged
	Release *Release // the tenant's active release; nil where there is none
	History []Entry  // newest first, one more than asked for where there are more
	Recent  []Run    // of the version, newest first
	Facts   []Fact
	Run     *Run
	Lines   []Line
	// Rehearsed is the newest rehearsal of each text of a file.
	Rehearsed []RehearsedFile
	// Restores says whether there is a backup that was restored once and whose file is kept.
	Restores bool
	// Invalid are indexes that no query may use; one that is being built stands here, too.
	Invalid []InvalidIndex
	// Saved is the newest saving of what the undo file asked about would lose; nil where there is none.
	Saved *Saved
	Live  LintLive
	Texts map[string]string // that were applied and are not among the known, by hash
}

// Release is the active release as far as migrations go.
type Release struct {
	ID       uuid.UUID
	Code     string
	GateOpen bool
	// BackedUp and Rehearsed say whether a fresh backup restores, and whether the release's files passed a rehearsal on it.
	BackedUp, Rehearsed bool
	// Missing are the roles whose signature the gate still needs.
	Missing []actor.Role
	// Shut says what keeps the gate shut besides: that it was stopped, or that nobody reviewed a signature by break-glass in time.
	Shut string
	// Unsettled are the required items that the runbook puts before applying and that are not settled; empty where all are.
	Unsettled string
	// Plan holds the hash of each version as it was frozen when the release started.
	Plan map[string]string
	// Moment is how it stands to its change window, in its time zone.
	Moment change.Moment
	Zone   string
}

// Order is a run to be inserted.
type Order struct {
	Run Run
	Key uuid.UUID
	// PlanSHA256 is the hash of the up file, which the release has frozen.
	PlanSHA256 string
	// Loss is what the undo would lose, as it was saved; AuthTime when whoever orders signed in.
	Loss     uuid.UUID
	AuthTime time.Time
	// TokenSHA256 is the hash of the one-time token that every door but the pages has to show.
	TokenSHA256 string
}

// Obstacles are the conditions of AddRun, one by one.
type Obstacles struct {
	Operator      bool
	ReleaseFound  bool
	ReleaseState  string
	ReleaseCode   string
	GateOpen      bool
	BackedUp      bool // a fresh backup restores
	Rehearsed     bool // the release's files passed a rehearsal on it
	Missing       []actor.Role
	Unsettled     string // required items that the runbook puts before applying
	Stopped       string // that go / no-go was rejected or ran out of time; empty where it was not
	RollingBack   string // by which way the release is being taken back; empty while it is not
	Closed        string // why the change window or a freeze refuses; empty where they do not
	Token         string // what is wrong with the one-time token; empty where nothing is
	PlannedSHA256 string // empty where the release does not plan the version
	Busy          *Run
	Interrupted   *Run
	Saved         bool // what the undo would lose was saved a moment ago, from this very file
}

// Outcome is how a run ended.
type Outcome struct {
	State      RunState
	Error      string
	SQLState   string
	Resolution string
	Took       time.Duration
}

// Migrator changes the schema as its owner.
type Migrator interface {
	Step(ctx context.Context, req StepRequest) (StepResult, error)
	Trace(ctx context.Context, run RunID) (Trace, error)
	// Blockers says, as BlockerLines writes it and each time it changes, who holds what the run waits for, until ctx ends.
	Blockers(ctx context.Context, run RunID, say func(string))
}
