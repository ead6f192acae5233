package capacity

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Store is where failures are kept. Each read is one round trip.
type Store interface {
	Overview(ctx context.Context, by actor.Actor, q Query) (Overview, error)
	// Group is one group with a page of its cases; false where there is none.
	Group(ctx context.Context, by actor.Actor, id uuid.UUID, q Query) (GroupPage, bool, error)
	// Failure is everything that is known of one failure; false where there is none.
	Failure(ctx context.Context, by actor.Actor, id uuid.UUID) (FailurePage, bool, error)
	// Each gives what the query finds, worst first, in memory that does not grow with it.
	Each(ctx context.Context, by actor.Actor, q Query, yield func(Case) error) error
	InTenant(ctx context.Context, by actor.Actor, work func(context.Context, Tx) error) error
}

// Tx is everything that the stories of failures may do to the database.
type Tx interface {
	// Hold keeps everybody else in the tenant from changing failures until the transaction ends, and gives the clock. What a
	// correction would clear is then what it clears.
	Hold(ctx context.Context) (time.Time, error)
	// Deployed says whether the warehouse has the table of failures.
	Deployed(ctx context.Context) (bool, error)

	// Sighted is what was said before under the key; false where nothing was.
	Sighted(ctx context.Context, source, key string) (Sighted, bool, error)
	// Scene looks up what a sighting names by code; false where the tenant has no such facility, bin in it, or material.
	Scene(ctx context.Context, s Sighting) (Scene, bool, error)
	// CaseOf is the case of a bin, a material and a type, locked; false where there is none.
	CaseOf(ctx context.Context, location, material uuid.UUID, kind Type) (Case, bool, error)
	// Add stores a new failure in the warehouse's table, and its case, in the group of the guess.
	Add(ctx context.Context, c Case, g Guess, s Sighting) (Case, error)
	// Adopt stores the case of a failure that stands in the warehouse's table already.
	Adopt(ctx context.Context, c Case, g Guess) error
	// Gather puts open cases of the same subject that lie under the rule into the group of the guess.
	Gather(ctx context.Context, c Case, g Guess) error
	// AddSighting keeps what was said.
	AddSighting(ctx context.Context, c Case, s Sighting, told string) error

	// Case is one case, locked; false where there is none.
	Case(ctx context.Context, id uuid.UUID) (Case, bool, error)
	// Save stores a case that was changed, with what was done, and keeps the warehouse's own row in step.
	Save(ctx context.Context, c Case, e Event) error
	// Since is what was done to a case after a version, oldest first.
	Since(ctx context.Context, id uuid.UUID, version int) ([]Event, error)
	// Workers are those who may have a failure in hand.
	Worker(ctx context.Context, person uuid.UUID) (Person, bool, error)
	// Tell puts an alert into the outbox.
	Tell(ctx context.Context, alerts []Alert) error
	Record(ctx context.Context, e audit.Event) error

	BulkTx
	BinTx
	WalkTx
}

// Query asks for a page. What is empty does not narrow it.
type Query struct {
	Facility uuid.UUID
	Zone     string
	Cause    Cause
	Severity Severity
	Standing Standing
	// Owner: of the person themself, or of nobody.
	Mine, Nobodys bool
	// OlderThan is for how long at least something has been open.
	OlderThan time.Duration
	// Group narrows what Each gives.
	Group uuid.UUID
	After Cursor
	Limit int
}

// Standing is what of a life is asked for. Empty is everything that is open.
type Standing string

// The standings.
const (
	Untouched Standing = "untouched"
	InWork    Standing = "in_work"
	ToVerify  Standing = "to_verify"
	PutUpWith Standing = "accepted"
	Settled   Standing = "verified"
)

// Standings are all of them.
func Standings() []Standing { return []Standing{Untouched, InWork, ToVerify, PutUpWith, Settled} }

// States are the states that a standing means.
func (s Standing) States() []State {
	switch s {
	case Untouched:
		return []State{New, Reopened}
	case InWork:
		return []State{Acknowledged, Assigned}
	case ToVerify:
		return []State{Fixed}
	case PutUpWith:
		return []State{Accepted}
	case Settled:
		return []State{Verified}
	}
	return []State{New, Reopened, Acknowledged, Assigned, Fixed}
}

// Cursor is a place in a list that is ordered by the worst.
type Cursor struct {
	Rank     int
	Overflow Decimal
	At       time.Time // where the list is ordered by time
	ID       uuid.UUID
}

// Set says whether it is a place at all.
func (c Cursor) Set() bool { return c.ID != uuid.Nil }

// Group is what is known of one cause in one facility.
type Group struct {
	ID       uuid.UUID
	Facility Place
	Cause    Cause
	Subject  string
	Label    string
	// How many there are, by where they stand.
	Untouched, InWork, ToVerify, Accepted, Verified int
	WorstRank                                       int
	WorstOverflow                                   Decimal
	OldestOpen, LastSeen                            time.Time
}

// Open is how many are not settled.
func (g Group) Open() int { return g.Untouched + g.InWork + g.ToVerify }

// Walk is where the walk through the transactions stands.
type Walk struct {
	At, WalkedAt  time.Time
	Looked, Found int64
	Problem       string
}

// Overview is a page of groups.
type Overview struct {
	Deployed   bool // the warehouse has the table of failures
	Groups     []Group
	Facilities []Place
	Walk       Walk // zero where nobody walked yet
	Undo       *Bulk
	Now        time.Time
}

// GroupPage is a group with a page of its cases.
type GroupPage struct {
	Group   Group
	Cases   []Case
	Workers []Worker
	// Actable is how many of what the filter finds each act on many would take, at most one more than MostAtOnce.
	Actable map[Act]int
	Undo    *Bulk // the person's own last act on many, while it can be taken back
	Now     time.Time
}

// Worker is somebody who may have a failure in hand.
type Worker struct {
	ID uuid.UUID
	Person
	Roles []actor.Role
}

// Event is something that was done to a case.
type Event struct {
	Version  int
	Act      Act
	From, To State
	Note     string
	Before   *Work
	Bulk     uuid.UUID
	By       Person
	At       time.Time
}

// Work is the part of a case that an act on many changes, so that it can be put back.
type Work struct {
	State State  `json:"state"`
	Owner Person `json:"owner"`
}

// Seen is a sighting as it was kept.
type Seen struct {
	Source       string
	Lot          string
	Quantity     Decimal
	Needed, Free Load
	At           time.Time
	By           string
}

// BinNow is a bin as it is.
type BinNow struct {
	Place
	Version      int
	Box          Box
	CubicFeet    *Decimal
	MaxWeight    *Decimal
	Gone         bool // not active any more
	Utilization  *Decimal
	MaterialNow  *Load // one piece of the failure's material, by today's master data; nil: unknown
	MaterialUnit Box
	MaterialName string
}

// SizeChange is a size that a bin was given here.
type SizeChange struct {
	At            time.Time
	By            string
	Before, After string
	Reason        string
	Cleared       int
}

// FailurePage is everything that is known of a failure.
type FailurePage struct {
	Case    Case
	Group   Group
	Bin     BinNow
	Seen    []Seen
	Events  []Event
	Sizes   []SizeChange
	Workers []Worker
	Alerts  []Told
	// SameBin and SameMaterial are the open failures of the bin, and of the material; at most MostAtOnce + 1.
	SameBin, SameMaterial []Case
	Now                   time.Time
}

// Told is an alert as the outbox has it.
type Told struct {
	Role        actor.Role
	At          time.Time
	DeliveredAt time.Time
	DeliveredBy string
	Attempts    int
	Problem     string
}

// Service holds the stories of failures.
type Service struct {
	store Store
	newID func() (uuid.UUID, error)
}

// NewService makes the service. Times come from the database.
func NewService(store Store) *Service { return &Service{store: store, newID: uuid.NewV7} }

// most is the largest page.
const most = 200

// Overview is a page of groups, worst first.
func (s *Service) Overview(ctx context.Context, by actor.Actor, q Query) (Overview, error) {
	if err := by.Demand(actor.CapacityRead); err != nil {
		return Overview{}, err
	}
	q.Limit = min(max(q.Limit, 1), most)
	return s.store.Overview(ctx, by, q)
}

// Group is a group with a page of its cases.
func (s *Service) Group(ctx context.Context, by actor.Actor, id uuid.UUID, q Query) (GroupPage, error) {
	if err := by.Demand(actor.CapacityRead); err != nil {
		return GroupPage{}, err
	}
	q.Limit = min(max(q.Limit, 1), most)
	page, ok, err := s.store.Group(ctx, by, id, q)
	if err == nil && !ok {
		err = noSuch()
	}
	return page, err
}

// Failure is everything that is known of one failure.
func (s *Service) Failure(ctx context.Context, by actor.Actor, id uuid.UUID) (FailurePage, error) {
	if err := by.Demand(actor.CapacityRead); err != nil {
		return FailurePage{}, err
	}
	page, ok, err := s.store.Failure(ctx, by, id)
	if err == nil && !ok {
		err = noSuch()
	}
	return page, err
}

// Each gives what a query finds, one by one.
func (s *Service) Each(ctx context.Context, by actor.Actor, q Query, yield func(Case) error) error {
	if err := by.Demand(actor.CapacityRead); err != nil {
		return err
	}
	return s.store.Each(ctx, by, q, yield)
}

func noSuch() error { return fault.New(fault.NotFound, "There is no such thing here.") }

// notDeployed is the refusal of what a pending migration has yet to bring.
func notDeployed() error {
	return fault.New(fault.Unavailable, "Capacity failures are not deployed yet: they come with migration V0.0.20 of the warehouse. Nothing was recorded; try again when it is applied.")
}
