package review

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/snapshot"
)

// Lesson is what a person learned from a release.
type Lesson struct {
	ID       uuid.UUID  `json:"id"`
	Run      uuid.UUID  `json:"release"`
	Release  string     `json:"release_code"`
	Happened string     `json:"what_happened"`
	Why      string     `json:"why"`
	Todo     string     `json:"to_do"`
	Owner    string     `json:"owner"`
	DueOn    time.Time  `json:"due_on"`
	By       string     `json:"by"`
	AddedAt  time.Time  `json:"added_at"`
	DoneAt   *time.Time `json:"done_at"`
	DoneBy   string     `json:"done_by"`
	DoneNote string     `json:"done_note"`
}

// Overdue says whether it should have been done by that day.
func (l Lesson) Overdue(at time.Time) bool {
	return l.DoneAt == nil && at.UTC().Format(time.DateOnly) > l.DueOn.Format(time.DateOnly)
}

// Draft is a lesson that somebody writes down. ID is made with the form, so that pressing twice writes one.
type Draft struct {
	ID                         uuid.UUID
	Happened, Why, Todo, Owner string
	DueOn                      time.Time // zero where none was given
}

const (
	textLeast, textMost = 3, 2000
	dueWithin           = 2 * 365 * 24 * time.Hour
)

// Owners are the roles that a lesson can be given to: those who work on items.
func Owners() []actor.Role { return actor.RolesWith(actor.ItemWork) }

// check says everything that is wrong with a draft at once.
func (d Draft) check(now time.Time) error {
	refusal := fault.New(fault.Invalid, "The lesson cannot be written down like this. Nothing was saved.")
	for _, f := range []struct{ name, value, empty string }{
		{"happened", d.Happened, "Say what happened."}, {"why", d.Why, "Say why it happened."}, {"todo", d.Todo, "Say what is to be done."},
	} {
		switch n := utf8.RuneCountInString(f.value); {
		case n < textLeast:
			refusal = refusal.WithField(f.name, f.empty)
		case n > textMost:
			refusal = refusal.WithField(f.name, "At most 2000 characters.")
		}
	}
	known := false
	for _, role := range Owners() {
		known = known || string(role) == d.Owner
	}
	if !known {
		refusal = refusal.WithField("owner", "Choose the role that has to do it.")
	}
	today, _ := time.Parse(time.DateOnly, now.UTC().Format(time.DateOnly))
	switch {
	case d.DueOn.IsZero():
		refusal = refusal.WithField("due", "Say until which day it is to be done.")
	case d.DueOn.Before(today):
		refusal = refusal.WithField("due", "This day is over. Choose today or a later one.")
	case d.DueOn.After(today.Add(dueWithin)):
		refusal = refusal.WithField("due", "Choose a day within two years.")
	}
	if refusal.Fields != nil {
		return refusal
	}
	return nil
}

// ErrSaidOtherwise refuses a form that has been used for another lesson: a browser goes back to a page with its old id.
var ErrSaidOtherwise = fault.New(fault.Conflict, "This form has written a lesson down already, and that one stands. What you typed now is not stored yet: press once more to write it down as well.")

// Store is where reports are read and lessons kept. Each read is one round trip.
type Store interface {
	Report(ctx context.Context, by actor.Actor, run uuid.UUID) (Report, error)
	// Open are the lessons that nobody has acted on yet, the most urgent first.
	Open(ctx context.Context, by actor.Actor, environment string) ([]Lesson, time.Time, error)
	InTenant(ctx context.Context, by actor.Actor, work func(context.Context, Tx) error) error
}

// Tx is everything that reviews do to the database.
type Tx interface {
	Clock(ctx context.Context) (time.Time, error)
	// AddLesson stores it with its release; false where it is stored already, ErrSaidOtherwise where its id is another
	// lesson's, and NotFound where there is no such release.
	AddLesson(ctx context.Context, run uuid.UUID, d Draft) (bool, error)
	// MarkDone says that a lesson of the release was acted on; false where somebody has said so, and NotFound where there is none.
	MarkDone(ctx context.Context, run, lesson uuid.UUID, note string) (bool, error)
	Record(ctx context.Context, e audit.Event) error
}

// Watcher shows the snapshots of a release.
type Watcher interface {
	Show(ctx context.Context, by actor.Actor, run uuid.UUID) (snapshot.Watch, error)
}

// Service holds the stories.
type Service struct {
	store       Store
	snapshots   Watcher
	environment string
}

// NewService makes the service for one environment.
func NewService(store Store, snapshots Watcher, environment string) *Service {
	return &Service{store, snapshots, environment}
}

// Report computes the report of a release from what is stored now.
func (s *Service) Report(ctx context.Context, by actor.Actor, run uuid.UUID) (Report, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return Report{}, err
	}
	r, err := s.store.Report(ctx, by, run)
	if err != nil {
		return Report{}, err
	}
	w, err := s.snapshots.Show(ctx, by, run)
	if err != nil {
		return Report{}, err
	}
	r.complete(w)
	return r, nil
}

// Open are the lessons of earlier releases that are still open.
func (s *Service) Open(ctx context.Context, by actor.Actor) ([]Lesson, time.Time, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return nil, time.Time{}, err
	}
	return s.store.Open(ctx, by, s.environment)
}

// AddLesson writes a lesson down. A release that is over can still be learned from.
func (s *Service) AddLesson(ctx context.Context, by actor.Actor, run uuid.UUID, d Draft) error {
	if err := by.Demand(actor.ItemWork); err != nil {
		return err
	}
	d.Happened, d.Why, d.Todo = strings.TrimSpace(d.Happened), strings.TrimSpace(d.Why), strings.TrimSpace(d.Todo)
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		now, err := tx.Clock(ctx)
		if err != nil {
			return err
		}
		if err := d.check(now); err != nil {
			return err
		}
		added, err := tx.AddLesson(ctx, run, d)
		if err != nil || !added {
			return err
		}
		return tx.Record(ctx, audit.Event{Action: "lesson:add", ObjectKind: "lesson", ObjectID: d.ID.String(), After: map[string]any{
			"release": run, "happened": d.Happened, "why": d.Why, "todo": d.Todo, "owner": d.Owner, "due_on": d.DueOn.Format(time.DateOnly),
		}})
	})
}

// Done says that what a lesson asks for was done, and how.
func (s *Service) Done(ctx context.Context, by actor.Actor, run, lesson uuid.UUID, note string) error {
	if err := by.Demand(actor.ItemWork); err != nil {
		return err
	}
	note = strings.TrimSpace(note)
	if n := utf8.RuneCountInString(note); n < textLeast || n > textMost {
		return fault.New(fault.Invalid, "The lesson was not marked as done. Nothing was saved.").WithField("note", "Say what was done, in 3 to 2000 characters.")
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		marked, err := tx.MarkDone(ctx, run, lesson, note)
		if err != nil {
			return err
		}
		if !marked {
			return fault.New(fault.Conflict, "Somebody has already said that this lesson was acted on. Nothing of yours was saved.")
		}
		return tx.Record(ctx, audit.Event{
			Action: "lesson:done", ObjectKind: "lesson", ObjectID: lesson.String(), Reason: note,
			Before: map[string]any{"release": run, "done": false}, After: map[string]any{"release": run, "done": true},
		})
	})
}
