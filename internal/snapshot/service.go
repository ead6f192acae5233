package snapshot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/health"
)

// Store is where snapshots are kept and figures are read.
type Store interface {
	// Clock is the database's time.
	Clock(ctx context.Context, by actor.Actor) (time.Time, error)
	// Watched are the releases of which something may be due, with what was taken of them.
	Watched(ctx context.Context, by actor.Actor, environment string, at time.Time) ([]Run, error)
	// Show is one release with its snapshots.
	Show(ctx context.Context, by actor.Actor, run uuid.UUID) (Run, []Stored, error)
	// One is a snapshot of a release.
	One(ctx context.Context, by actor.Actor, run, id uuid.UUID) (Stored, error)
	Counts(ctx context.Context, by actor.Actor) Counts
	// Series describes the warehouse; what happened is narrowed to the period.
	Series(ctx context.Context, by actor.Actor, from, to time.Time) []Series
	InTenant(ctx context.Context, by actor.Actor, work func(context.Context, Tx) error) error
}

// Tx is everything that snapshots do to the database.
type Tx interface {
	// Lock holds off every other change of the run until the transaction ends, and reads it.
	Lock(ctx context.Context, run uuid.UUID) (Run, error)
	Add(ctx context.Context, run uuid.UUID, s Stored) error
	// AddMiss writes a finding, and a notice for whoever is on call.
	AddMiss(ctx context.Context, run Run, m Miss) error
	Record(ctx context.Context, e audit.Event) error
}

// Stored is a snapshot with its canonical content.
type Stored struct {
	Head
	Text string
}

// Looker makes the health checks.
type Looker interface {
	Look(ctx context.Context, by actor.Actor) health.Report
}

// Service takes snapshots and shows them.
type Service struct {
	store       Store
	health      Looker
	environment string
	newID       func() (uuid.UUID, error)
}

// NewService makes the service for one environment.
func NewService(store Store, looker Looker, environment string) *Service {
	return &Service{store: store, health: looker, environment: environment, newID: uuid.NewV7}
}

// Turn takes what is due now and writes down what was missed. It is the scheduler's, and asked every few seconds: what
// fails is tried again at the next turn, for as long as it can still be said to be of its hour.
func (s *Service) Turn(ctx context.Context, by actor.Actor) (taken, missed int, err error) {
	now, err := s.store.Clock(ctx, by)
	if err != nil {
		return 0, 0, err
	}
	runs, err := s.store.Watched(ctx, by, s.environment, now)
	if err != nil {
		return 0, 0, err
	}
	var failed []error
	for _, run := range runs {
		for _, place := range run.Places(now) {
			if place.Overdue {
				wrote, err := s.miss(ctx, by, run.ID, place.Point, now)
				failed = append(failed, err)
				missed += wrote
			}
			if place.State == Due {
				wrote, err := s.take(ctx, by, run, place)
				failed = append(failed, err)
				taken += wrote
			}
		}
	}
	return taken, missed, errors.Join(failed...)
}

// miss writes the finding, where nobody else has meanwhile and it is still one.
func (s *Service) miss(ctx context.Context, by actor.Actor, id uuid.UUID, p Point, now time.Time) (wrote int, err error) {
	err = s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		run, err := tx.Lock(ctx, id)
		if err != nil {
			return err
		}
		place := run.place(p, now)
		if !place.Overdue {
			return nil
		}
		m := run.missing(place, now)
		if err := tx.AddMiss(ctx, run, m); err != nil {
			return err
		}
		wrote = 1
		return tx.Record(ctx, audit.Event{
			Action: "snapshot:miss", ObjectKind: "release", ObjectID: id.String(), Reason: m.Why,
			After: map[string]any{"point": p, "due_at": m.DueAt.UTC().Format(time.RFC3339)},
		})
	})
	if err != nil {
		return 0, fmt.Errorf("writing down the missed snapshot %s of %s: %w", p, id, err)
	}
	return wrote, nil
}

// take measures without holding anything, and then stores what it found under the run's lock, if it is still due and nobody
// was faster.
func (s *Service) take(ctx context.Context, by actor.Actor, seen Run, due Place) (took int, err error) {
	fail := func(err error) (int, error) {
		return 0, fmt.Errorf("taking the snapshot %s of %s: %w", due.Point, seen.ID, err)
	}
	at, err := s.store.Clock(ctx, by)
	if err != nil {
		return fail(err)
	}
	content := s.measure(ctx, by, seen, due, at)
	id, err := s.newID()
	if err != nil {
		return fail(err)
	}
	stored := Stored{Head: Head{ID: id, Point: due.Point, T0: seen.T0, DueAt: due.Due, TakenAt: at}}
	if stored.Text, stored.SHA256, err = content.Canonical(); err != nil {
		return fail(err)
	}
	err = s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		run, err := tx.Lock(ctx, seen.ID)
		if err != nil {
			return err
		}
		if place := run.place(due.Point, at); place.State != Due || !run.T0.Equal(seen.T0) {
			return nil
		}
		if err := tx.Add(ctx, run.ID, stored); err != nil {
			return err
		}
		took = 1
		return tx.Record(ctx, audit.Event{
			Action: "snapshot:take", ObjectKind: "release", ObjectID: run.ID.String(), After: map[string]any{
				"snapshot": id, "point": due.Point, "sha256": stored.SHA256, "status": content.Status, "due_at": due.Due.UTC().Format(time.RFC3339), "late_seconds": content.LateSeconds,
			},
		})
	})
	if err != nil {
		return fail(err)
	}
	return took, nil
}

// measure reads everything that a snapshot says. Before T-0 the figures are those of the day before, and after it those
// since T-0.
func (s *Service) measure(ctx context.Context, by actor.Actor, run Run, place Place, at time.Time) Content {
	from := run.T0
	if place.Point.Baseline() {
		from = at.Add(-24 * time.Hour)
	}
	report := s.health.Look(ctx, by)
	c := Content{
		Format: Format, Run: run.ID, Release: run.Code, Environment: s.environment, Tenant: by.TenantCode, Point: place.Point,
		T0: run.T0.UTC(), DueAt: place.Due.UTC(), TakenAt: at.UTC(), LateSeconds: int64(at.Sub(place.Due) / time.Second), From: from.UTC(), To: at.UTC(),
		Status: string(report.Status()), Health: checksOf(report), Metrics: metrics(report, s.store.Counts(ctx, by)),
	}
	for _, series := range s.store.Series(ctx, by, from, at) {
		c.Series = append(c.Series, series.judge())
	}
	return c
}

// Watch is a release with its snapshots, as its page shows them.
type Watch struct {
	Run    Run
	Places []Place
	At     time.Time
	// Base is the baseline, and Hours what was taken after T-0; nil where there is none.
	Base  *Reading
	Hours map[Point]*Reading
	Lines []Line
}

// Reading is a snapshot that was read back.
type Reading struct {
	Head
	Content Content
	Intact  bool // the content is the one that the hash is of
}

// Show is the release's snapshots laid beside each other.
func (s *Service) Show(ctx context.Context, by actor.Actor, run uuid.UUID) (Watch, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return Watch{}, err
	}
	now, err := s.store.Clock(ctx, by)
	if err != nil {
		return Watch{}, err
	}
	r, stored, err := s.store.Show(ctx, by, run)
	if err != nil {
		return Watch{}, err
	}
	return Lay(r, stored, now)
}

// Lay lays what is stored of a release beside each other, as it stands at a moment.
func Lay(r Run, stored []Stored, now time.Time) (Watch, error) {
	w := Watch{Run: r, Places: r.Places(now), At: now, Hours: map[Point]*Reading{}}
	readings := map[uuid.UUID]*Reading{}
	for _, one := range stored {
		content, intact, err := Read(one.Text, one.SHA256)
		if err != nil {
			return w, err
		}
		readings[one.ID] = &Reading{one.Head, content, intact}
	}
	if base, ok := r.Baseline(); ok {
		w.Base = readings[base.ID]
	}
	for _, place := range w.Places {
		if place.Head != nil && !place.Point.Baseline() && place.State != Unmigrated {
			w.Hours[place.Point] = readings[place.Head.ID]
		}
	}
	w.Lines = compare(w.Base, w.Hours)
	return w, nil
}

// Raw is the canonical content of one snapshot.
func (s *Service) Raw(ctx context.Context, by actor.Actor, run, id uuid.UUID) (Stored, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return Stored{}, err
	}
	return s.store.One(ctx, by, run, id)
}
