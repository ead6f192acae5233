package inbox

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/live"
)

// Store is where tasks and notices are read. Each read is one round trip.
type Store interface {
	// Waiting is a page of what waits for the person, soonest first, and how much of everything can be done now.
	Waiting(ctx context.Context, by actor.Actor, environment string, q Query) (List, error)
	// Ready is how much the person can do now.
	Ready(ctx context.Context, by actor.Actor, environment string) (int, error)
	// Mark changes with what may wait for anybody in the tenant.
	Mark(ctx context.Context, by actor.Actor) (string, error)
	// Notices is a page of the outbox, newest first.
	Notices(ctx context.Context, by actor.Actor, q NoticeQuery) ([]Notice, time.Time, error)
	InTenant(ctx context.Context, by actor.Actor, work func(context.Context, Tx) error) error
}

// Tx is everything that this package may do to the database.
type Tx interface {
	// All is every task of the tenant, and the database's clock.
	All(ctx context.Context, environment string) ([]Task, time.Time, error)
	// Add stores notices, and leaves out those whose key is there already; it says how many it stored.
	Add(ctx context.Context, notices []Notice) (int, error)
}

// Query asks for a page of tasks, soonest first.
type Query struct {
	// AfterAt and AfterID are the last task of the page before; zero for the first page.
	AfterAt time.Time
	AfterID string
	Limit   int
}

// List is a page of tasks.
type List struct {
	Tasks []Task
	// Ready is how many can be done now, and Late how many of those are late; of all pages.
	Ready, Late int
	At          time.Time // the database's clock
}

// NoticeQuery asks for a page of notices, newest first.
type NoticeQuery struct {
	BeforeAt time.Time
	BeforeID uuid.UUID
	Limit    int
}

// countFor is how long a count is good where nothing is done in the tenant: time alone makes things ready, too.
const countFor = 15 * time.Second

// mostCounts bounds what is remembered; beyond it everything is forgotten, which costs a statement each.
const mostCounts = 5000

// Service tells what waits for whom.
type Service struct {
	store       Store
	environment string
	now         func() time.Time

	mu     sync.Mutex
	counts map[signedIn]counted

	marked live.Together[uuid.UUID, string]
	ready  live.Together[signedIn, int]
}

// NewService makes the service for one environment. now only ages what is remembered.
func NewService(store Store, environment string, now func() time.Time) *Service {
	return &Service{store: store, environment: environment, now: now, counts: map[signedIn]counted{}}
}

// Waiting is a page of what waits for the person.
func (s *Service) Waiting(ctx context.Context, by actor.Actor, q Query) (List, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return List{}, err
	}
	q.Limit = min(max(q.Limit, 1), 200)
	return s.store.Waiting(ctx, by, s.environment, q)
}

// signedIn is a person as they are signed in: their roles decide what waits for them.
type signedIn struct {
	tenant                 uuid.UUID
	issuer, subject, roles string
}

type counted struct {
	seq   int64
	at    time.Time
	ready int
}

// Count is how much the person can do now. seq is the last entry of the tenant's audit trail as this request found it:
// nothing is done without one, so what was counted at it is right until time itself changes it, which is looked at again
// after a few seconds. It costs a statement after each change, and none otherwise.
func (s *Service) Count(ctx context.Context, by actor.Actor, seq int64) (int, error) {
	if !by.Can(actor.ItemWork) && !by.Can(actor.GateSign) && !by.Can(actor.DimensionReview) {
		return 0, nil
	}
	roles := make([]string, len(by.Roles))
	for i, role := range by.Roles {
		roles[i] = string(role)
	}
	slices.Sort(roles)
	key := signedIn{by.Tenant, by.Issuer, by.Subject, strings.Join(roles, " ")}
	at := s.now()
	s.mu.Lock()
	known, ok := s.counts[key]
	s.mu.Unlock()
	if ok && known.seq == seq && at.Sub(known.at).Abs() < countFor {
		return known.ready, nil
	}
	// The pages that one person has open are woken at the same moment, and share one look.
	ready, err := s.ready.Do(ctx, key, func(ctx context.Context) (int, error) { return s.store.Ready(ctx, by, s.environment) })
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.counts) >= mostCounts {
		clear(s.counts)
	}
	s.counts[key] = counted{seq, at, ready}
	return ready, nil
}

// Remind writes a notice for everything in the tenant that somebody is to be told now, and says how many were new. It is
// the scheduler's, and may run in any number of processes at once.
func (s *Service) Remind(ctx context.Context, by actor.Actor) (int, error) {
	added := 0
	err := s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		tasks, at, err := tx.All(ctx, s.environment)
		if err != nil {
			return err
		}
		added, err = tx.Add(ctx, reminders(tasks, at))
		return err
	})
	return added, err
}

// Notices is a page of what people of the tenant are to be told, newest first, and the database's clock.
func (s *Service) Notices(ctx context.Context, by actor.Actor, q NoticeQuery) ([]Notice, time.Time, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return nil, time.Time{}, err
	}
	q.Limit = min(max(q.Limit, 1), 200)
	return s.store.Notices(ctx, by, q)
}

// Mark changes with what may wait for the person: an open page asks again when it does.
func (s *Service) Mark(ctx context.Context, by actor.Actor) (string, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return "", err
	}
	return s.marked.Do(ctx, by.Tenant, func(ctx context.Context) (string, error) { return s.store.Mark(ctx, by) })
}
