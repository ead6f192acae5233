package crossdock

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
)

// Store is where cancellations are kept. Each read is one round trip.
type Store interface {
	List(ctx context.Context, by actor.Actor, q Query) (List, error)
	// Dock is what a scan at the dock finds.
	Dock(ctx context.Context, by actor.Actor, q Scan) (Dock, error)
	// One is everything that is known of one cancellation; false where there is none.
	One(ctx context.Context, by actor.Actor, id uuid.UUID) (Page, bool, error)
	// Each gives what the query finds in the order of the list, in memory that does not grow with it.
	Each(ctx context.Context, by actor.Actor, q Query, yield func(Cancellation) error) error
	InTenant(ctx context.Context, by actor.Actor, work func(context.Context, Tx) error) error
}

// Tx is everything that the stories of the dock may do to the database.
type Tx interface {
	// Hold keeps everybody else in the tenant from promising places until the transaction ends, and gives the clock.
	Hold(ctx context.Context) (time.Time, error)
	Deployed(ctx context.Context) (bool, error)
	// Told is what was said before under the key; false where nothing was.
	Told(ctx context.Context, teller, key string) (Told, bool, error)
	AddTold(ctx context.Context, c Cancellation, t Told) error
	// Lot is a lot by the code of its facility and its number, locked; false where there is none.
	Lot(ctx context.Context, facility, number string, now time.Time) (Lot, bool, error)
	// Spot is a location of a facility by its code or barcode; false where there is none.
	Spot(ctx context.Context, facility uuid.UUID, code string) (Spot, bool, error)
	// SalesOrder is an order of the facility by its number.
	SalesOrder(ctx context.Context, facility uuid.UUID, number string) (Place, bool, error)
	// OpenOf is the open cancellation of a lot, locked.
	OpenOf(ctx context.Context, l Lot) (Cancellation, bool, error)
	// Cancellation is one, locked, with its lot.
	Cancellation(ctx context.Context, id uuid.UUID) (Cancellation, bool, error)
	// Bin is a location by its code or barcode, for what the need is for.
	Bin(ctx context.Context, n Need, code string) (Bin, bool, error)
	Shelves(n Need) Shelves
	Add(ctx context.Context, c Cancellation, recommendation uuid.UUID) error
	// Put keeps where a cancellation is to go, and why, as its version says.
	Put(ctx context.Context, c Cancellation) error
	// Tried keeps why there is still no place.
	Tried(ctx context.Context, c Cancellation) error
	HoldLot(ctx context.Context, l Lot) error
	// Move brings the lot to a location and writes the transfer.
	Move(ctx context.Context, c Cancellation, to Spot) error
	// Finish ends a cancellation where it was stored.
	Finish(ctx context.Context, c Cancellation) error
	AddEvent(ctx context.Context, id uuid.UUID, e Event) error
	// Unsettled are open cancellations without a place, or with one that does not hold any more; the longest untried first.
	Unsettled(ctx context.Context, most int) ([]uuid.UUID, error)
	SetLimit(ctx context.Context, l Limit) (before time.Duration, err error)
	Facility(ctx context.Context, id uuid.UUID) (Place, bool, error)
	Record(ctx context.Context, e audit.Event) error
}

// Standing is what of the errands is asked for. Empty is everything that is open.
type Standing string

// The standings.
const (
	Placeless Standing = "waiting" // for a place
	Overdue   Standing = "late"
	Stored    Standing = "stored"
)

// Standings are all of them.
func Standings() []Standing { return []Standing{Placeless, Overdue, Stored} }

// Query asks for a page. What is empty does not narrow it.
type Query struct {
	Facility uuid.UUID
	Zone     string // in which it stands
	Reason   Reason
	Standing Standing
	After    Cursor
	Limit    int
}

// Cursor is a place in a list that is ordered by time.
type Cursor struct {
	At time.Time
	ID uuid.UUID
}

// Set says whether it is a place at all.
func (c Cursor) Set() bool { return c.ID != uuid.Nil }

// List is a page of cancellations: the open ones by how long they stand at the dock, the stored ones newest first.
type List struct {
	Deployed   bool // the warehouse has the table
	Rows       []Cancellation
	Facilities []Place
	Limits     []Limit
	Now        time.Time
}

// Scan is what was scanned at the dock: any of these.
type Scan struct {
	Facility  uuid.UUID
	Code, Lot string
	GTIN      string
}

// Asked says whether anything was scanned.
func (s Scan) Asked() bool { return s.Code != "" || s.Lot != "" || s.GTIN != "" }

// Dock is what the dock's page shows.
type Dock struct {
	Deployed   bool // the warehouse has the table
	Facility   Place
	Facilities []Place
	// Found are the open cancellations that the scan means; Lots the lots of that number without any.
	Found []Cancellation
	Lots  []Lot
	// Next are those that stand here longest.
	Next []Cancellation
	Now  time.Time
}

// Page is everything that is known of one cancellation.
type Page struct {
	Cancellation Cancellation
	Events       []Event
	Now          time.Time
}

// Service holds the stories of the dock.
type Service struct {
	store  Store
	placer Placer
	newID  func() (uuid.UUID, error)
}

// NewService makes the service. Times come from the database.
func NewService(store Store, placer Placer) *Service {
	return &Service{store: store, placer: placer, newID: uuid.NewV7}
}

// most is the largest page.
const most = 200

// List is a page of cancellations.
func (s *Service) List(ctx context.Context, by actor.Actor, q Query) (List, error) {
	if err := by.Demand(actor.CrossDockRead); err != nil {
		return List{}, err
	}
	q.Limit = min(max(q.Limit, 1), most)
	return s.store.List(ctx, by, q)
}

// Dock is what a scan at the dock finds.
func (s *Service) Dock(ctx context.Context, by actor.Actor, q Scan) (Dock, error) {
	if err := by.Demand(actor.CrossDockRead); err != nil {
		return Dock{}, err
	}
	return s.store.Dock(ctx, by, q)
}

// Cancellation is everything that is known of one.
func (s *Service) Cancellation(ctx context.Context, by actor.Actor, id uuid.UUID) (Page, error) {
	if err := by.Demand(actor.CrossDockRead); err != nil {
		return Page{}, err
	}
	p, ok, err := s.store.One(ctx, by, id)
	if err == nil && !ok {
		err = noSuch()
	}
	return p, err
}

// Each gives what a query finds, one by one.
func (s *Service) Each(ctx context.Context, by actor.Actor, q Query, yield func(Cancellation) error) error {
	if err := by.Demand(actor.CrossDockRead); err != nil {
		return err
	}
	return s.store.Each(ctx, by, q, yield)
}

// Place is where a list of this standing goes on after a cancellation.
func (s Standing) Place(c Cancellation) Cursor {
	if s == Stored {
		return Cursor{At: c.At, ID: c.ID}
	}
	return Cursor{At: c.Since, ID: c.ID}
}
