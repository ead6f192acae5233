package runbook

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// RollbackStore is where rollbacks are kept.
type RollbackStore interface {
	Rollbacks(ctx context.Context, by actor.Actor, run uuid.UUID) (RollbackPage, string, error) // with the frozen template
	InRollback(ctx context.Context, by actor.Actor, work func(context.Context, RollbackTx) error) error
}

// RollbackTx is everything a rollback may do to the database. Each of these is one statement that does its work only where
// all that is asked holds, and says false where it did nothing.
type RollbackTx interface {
	// Lock holds off every other change of the release, and reads the page.
	Lock(ctx context.Context, run uuid.UUID) (RollbackPage, string, error)
	Begin(ctx context.Context, b Rollback) (bool, error)
	Agree(ctx context.Context, rollback uuid.UUID) (bool, error)
	Tick(ctx context.Context, rollback uuid.UUID, step int, needed bool, note string) (bool, error)
	// End ends the rollback; unless it is given up, the release with it.
	End(ctx context.Context, rollback uuid.UUID, givenUp bool, note string) (bool, error)
	Review(ctx context.Context, rollback uuid.UUID, objected bool, note string) (bool, error)
	// Notify writes into the outbox, once for each state that a rollback comes to, what people of these roles are to be told.
	Notify(ctx context.Context, b Rollback, roles []actor.Role, headline, body string, due time.Time) error
	Record(ctx context.Context, e audit.Event) error
}

// Rollbacks holds the stories of taking a release back.
type Rollbacks struct{ store RollbackStore }

// NewRollbacks makes the stories.
func NewRollbacks(store RollbackStore) *Rollbacks { return &Rollbacks{store} }

// Show is the page of a release's rollbacks.
func (s *Rollbacks) Show(ctx context.Context, by actor.Actor, run uuid.UUID) (RollbackPage, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return RollbackPage{}, err
	}
	page, text, err := s.store.Rollbacks(ctx, by, run)
	if err != nil {
		return RollbackPage{}, err
	}
	return page.with(text)
}

// BeginRequest is a rollback to be started.
type BeginRequest struct {
	Run    uuid.UUID
	Option string
	Reason string
	Key    uuid.UUID // of the form: pressing it twice starts one
}

func person(by actor.Actor, right actor.Right) error {
	if err := by.Demand(right); err != nil {
		return err
	}
	if by.Rights != nil {
		return fault.New(fault.Forbidden, "This is a person's word; no machine can give it.")
	}
	return nil
}

// Begin starts a rollback. One that loses data takes a second person before its first step.
func (s *Rollbacks) Begin(ctx context.Context, by actor.Actor, r BeginRequest) error {
	if err := person(by, actor.ReleaseRollback); err != nil {
		return err
	}
	r.Reason = strings.TrimSpace(r.Reason)
	return s.store.InRollback(ctx, by, func(ctx context.Context, tx RollbackTx) error {
		page, err := lockRollbacks(ctx, tx, r.Run)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(page.Options, func(o RollbackOption) bool { return o.ID == r.Option })
		refusal := fault.New(fault.Invalid, "The rollback was not started. Nothing was changed.")
		if i < 0 {
			refusal = refusal.WithField("option", "Choose one of the ways back of this release's runbook.")
		}
		if complaint := checkReason(r.Reason); complaint != "" {
			refusal = refusal.WithField("reason", complaint)
		}
		if r.Key == uuid.Nil {
			refusal = refusal.WithField("key", "The form has lost its key. Open the page again.")
		}
		if refusal.Fields != nil {
			return refusal
		}
		if again, err := page.begun(by, r); again || err != nil {
			return err
		}
		o := page.Options[i]
		b := Rollback{ID: r.Key, Run: r.Run, Option: o.ID, Title: o.Title, DataLoss: o.DataLoss, Safe: o.Safe(), Goal: o.Within(), Reason: r.Reason, By: personOf(by)}
		for _, text := range o.Steps {
			b.Steps = append(b.Steps, RollbackStep{Text: text})
		}
		done, err := tx.Begin(ctx, b)
		if err != nil {
			return err
		}
		if !done {
			return whyNoRollback(page)
		}
		told := actor.RolesWith(actor.ItemWork)
		if !b.Safe { // whoever may agree is told what to do, and the others what was decided
			told = slices.DeleteFunc(told, func(r actor.Role) bool { return slices.Contains(actor.RolesWith(actor.RollbackAgree), r) })
		}
		err = tx.Notify(ctx, b, told, fmt.Sprintf("Release %s is being rolled back by %s", page.Run.Code, b.Option),
			fmt.Sprintf("%s decided it: %s Nothing of the release is applied or signed while that lasts.", by.Name, b.Reason), page.At)
		if err != nil {
			return err
		}
		if !b.Safe {
			err := tx.Notify(ctx, b, actor.RolesWith(actor.RollbackAgree), fmt.Sprintf("Agree to %s of release %s, or not", b.Option, page.Run.Code),
				fmt.Sprintf("%s wants to roll the release back by %s, which loses data (%s): %s", by.Name, b.Option, b.DataLoss, b.Reason), page.At)
			if err != nil {
				return err
			}
		}
		after := map[string]any{
			"state": page.Run.State, "rollback": b.ID, "option": o.ID, "title": o.Title, "data_loss": o.DataLoss, "takes_two": !b.Safe, "goal": b.Goal.String(), "steps": o.Steps,
		}
		return tx.Record(ctx, audit.Event{
			Action: "rollback:begin", ObjectKind: "release", ObjectID: r.Run.String(), Reason: r.Reason,
			Before: map[string]any{"state": page.Run.State, "rollback": ""}, After: after,
		})
	})
}

// begun says whether this very form started one already, or another of its name said something else.
func (p RollbackPage) begun(by actor.Actor, r BeginRequest) (bool, error) {
	i := slices.IndexFunc(p.Rollbacks, func(b Rollback) bool { return b.ID == r.Key })
	if i < 0 {
		return false, nil
	}
	b := p.Rollbacks[i]
	if b.Option != r.Option || b.Reason != r.Reason || !by.SamePerson(b.By.Issuer, b.By.Subject) {
		return false, fault.New(fault.Conflict, "This form was used for another rollback already. Open the page again.")
	}
	return true, nil
}

func lockRollbacks(ctx context.Context, tx RollbackTx, run uuid.UUID) (RollbackPage, error) {
	page, text, err := tx.Lock(ctx, run)
	if err != nil {
		return RollbackPage{}, err
	}
	return page.with(text)
}

func whyNoRollback(page RollbackPage) error {
	if b, ok := page.Open(); ok {
		return fault.New(fault.Conflict, "%s is rolling this release back already, by %s. One rollback runs at a time: end it first.", b.By.Name, b.Option)
	}
	if page.Run.State != Active && page.Run.State != SignedOff {
		return fault.New(fault.Conflict, "This release is over, so it is not rolled back any more. Start a release that takes it back.")
	}
	return stale()
}

// stale refuses a sign-in that is too old.
func stale() error {
	return fault.New(fault.Unauthenticated, "This needs a sign-in of the last five minutes. Sign in again; what you typed stays.")
}

// Agree is the second person's word to a rollback that loses data.
func (s *Rollbacks) Agree(ctx context.Context, by actor.Actor, run, rollback uuid.UUID) error {
	if err := person(by, actor.RollbackAgree); err != nil {
		return err
	}
	return s.change(ctx, by, run, rollback, func(ctx context.Context, tx RollbackTx, b Rollback) (audit.Event, error) {
		if b.Agreed != nil && by.SamePerson(b.Agreed.By.Issuer, b.Agreed.By.Subject) && b.Open() {
			return audit.Event{}, nil // pressed twice
		}
		done, err := tx.Agree(ctx, rollback)
		switch {
		case err != nil || done:
			return audit.Event{
				Action: "rollback:agree", Before: map[string]any{"rollback": rollback, "state": b.State()}, After: map[string]any{"rollback": rollback, "state": RollbackGoing},
			}, err
		case b.Safe:
			return audit.Event{}, fault.New(fault.Conflict, "%s needs no second person.", b.Option)
		case b.Ended != nil:
			return audit.Event{}, fault.New(fault.Conflict, "This rollback has ended already.")
		case b.Agreed != nil:
			return audit.Event{}, fault.New(fault.Conflict, "%s has agreed already.", b.Agreed.By.Name)
		case by.SamePerson(b.By.Issuer, b.By.Subject):
			return audit.Event{}, fault.New(fault.Forbidden, "You asked for this rollback, and it loses data: somebody else has to agree.")
		}
		return audit.Event{}, stale()
	})
}

// TickRequest says that a step was done, or is not needed.
type TickRequest struct {
	Run, Rollback uuid.UUID
	Step          int // from one
	Needed        bool
	Note          string // what was seen, or why it is not needed
}

// Tick settles one step, with what was seen. What was said stays.
func (s *Rollbacks) Tick(ctx context.Context, by actor.Actor, r TickRequest) error {
	if err := person(by, actor.ItemWork); err != nil {
		return err
	}
	r.Note = strings.TrimSpace(r.Note)
	if complaint := checkReason(r.Note); complaint != "" {
		return fault.New(fault.Invalid, "The step was not settled. Nothing was changed.").WithField("note", "What did you see? "+complaint)
	}
	return s.change(ctx, by, r.Run, r.Rollback, func(ctx context.Context, tx RollbackTx, b Rollback) (audit.Event, error) {
		if r.Step < 1 || r.Step > len(b.Steps) {
			return audit.Event{}, fault.New(fault.NotFound, "This rollback has no such step.")
		}
		step := b.Steps[r.Step-1]
		if d := step.Done; d != nil && d.Note == r.Note && step.Needed == r.Needed && by.SamePerson(d.By.Issuer, d.By.Subject) {
			return audit.Event{}, nil // pressed twice
		}
		done, err := tx.Tick(ctx, r.Rollback, r.Step, r.Needed, r.Note)
		switch {
		case err != nil || done:
			outcome := "done"
			if !r.Needed {
				outcome = "not needed"
			}
			return audit.Event{
				Action: "rollback:step", Reason: r.Note, Before: map[string]any{"rollback": r.Rollback, "step": r.Step, "state": "open"},
				After: map[string]any{"rollback": r.Rollback, "step": r.Step, "state": outcome, "text": step.Text},
			}, err
		case b.Ended != nil:
			return audit.Event{}, fault.New(fault.Conflict, "This rollback has ended already, so its steps stay as they are.")
		case step.Done != nil:
			return audit.Event{}, fault.New(fault.Conflict, "%s has settled step %d already: %s", step.Done.By.Name, r.Step, step.Done.Note)
		}
		return audit.Event{}, fault.New(fault.Conflict, "%s loses data, so a second person has to agree before its first step.", b.Option)
	})
}

// EndRequest ends a rollback.
type EndRequest struct {
	Run, Rollback uuid.UUID
	GivenUp       bool // the release goes on
	Note          string
}

// End ends a rollback. When every step is settled, the release ends with it as rolled back; given up, the release goes on.
func (s *Rollbacks) End(ctx context.Context, by actor.Actor, r EndRequest) error {
	if err := person(by, actor.ReleaseRollback); err != nil {
		return err
	}
	r.Note = strings.TrimSpace(r.Note)
	if complaint := checkReason(r.Note); complaint != "" {
		return fault.New(fault.Invalid, "The rollback was not ended. Nothing was changed.").WithField("end_note", complaint)
	}
	return s.change(ctx, by, r.Run, r.Rollback, func(ctx context.Context, tx RollbackTx, b Rollback) (audit.Event, error) {
		if b.Ended != nil && b.Ended.Note == r.Note && b.GivenUp == r.GivenUp && by.SamePerson(b.Ended.By.Issuer, b.Ended.By.Subject) {
			return audit.Event{}, nil // pressed twice
		}
		done, err := tx.End(ctx, r.Rollback, r.GivenUp, r.Note)
		switch {
		case err != nil:
			return audit.Event{}, err
		case done:
			page, _, err := tx.Lock(ctx, r.Run)
			if err != nil {
				return audit.Event{}, err
			}
			ended, err := page.find(r.Rollback)
			if err != nil {
				return audit.Event{}, err
			}
			err = tx.Notify(ctx, ended, actor.RolesWith(actor.RollbackReview), fmt.Sprintf("Review %s of release %s", ended.Option, page.Run.Code),
				fmt.Sprintf("%s ended the rollback by %s. Somebody who neither asked for it nor ended it has to review it; until then it is a finding.", by.Name, ended.Option),
				ended.Ended.At.Add(ReviewWithin))
			if err != nil {
				return audit.Event{}, err
			}
			after := map[string]any{"rollback": r.Rollback, "state": ended.State(), "took_seconds": int(ended.Took.Seconds())}
			if ended.Goal > 0 && !r.GivenUp {
				after["goal_seconds"], after["goal_kept"] = int(ended.Goal.Seconds()), ended.Kept
			}
			if page.Run.State == Closed { // what was left to do was done while it ran
				after["release"] = Closed
			}
			return audit.Event{Action: "rollback:end", Reason: r.Note, Before: map[string]any{"rollback": r.Rollback, "state": b.State()}, After: after}, nil
		case b.Ended != nil:
			return audit.Event{}, fault.New(fault.Conflict, "%s has ended this rollback already.", b.Ended.By.Name)
		case b.State() == RollbackAsked:
			return audit.Event{}, fault.New(fault.Conflict, "%s loses data, and the second person has not agreed. Until then it can only be given up.", b.Option)
		}
		return audit.Event{}, fault.New(fault.Conflict, "These steps are still open: %s. Say of each what was seen, or why it is not needed.", numbers(b.Left()))
	})
}

func numbers(list []int) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ", ")
}

// ReviewRequest is a second person's look at a rollback that has ended.
type ReviewRequest struct {
	Run, Rollback uuid.UUID
	Objected      bool
	Note          string
}

// Review is the look of somebody who neither asked for the rollback nor ended it. Until then it is a finding.
func (s *Rollbacks) Review(ctx context.Context, by actor.Actor, r ReviewRequest) error {
	if err := person(by, actor.RollbackReview); err != nil {
		return err
	}
	r.Note = strings.TrimSpace(r.Note)
	if complaint := checkReason(r.Note); complaint != "" {
		return fault.New(fault.Invalid, "The review was not stored. Nothing was changed.").WithField("review_note", complaint)
	}
	return s.change(ctx, by, r.Run, r.Rollback, func(ctx context.Context, tx RollbackTx, b Rollback) (audit.Event, error) {
		if b.Reviewed != nil && b.Reviewed.Note == r.Note && b.Objected == r.Objected && by.SamePerson(b.Reviewed.By.Issuer, b.Reviewed.By.Subject) {
			return audit.Event{}, nil // pressed twice
		}
		done, err := tx.Review(ctx, r.Rollback, r.Objected, r.Note)
		switch {
		case err != nil || done:
			return audit.Event{
				Action: "rollback:review", Reason: r.Note, Before: map[string]any{"rollback": r.Rollback, "reviewed": false},
				After: map[string]any{"rollback": r.Rollback, "reviewed": true, "objected": r.Objected},
			}, err
		case b.Ended == nil:
			return audit.Event{}, fault.New(fault.Conflict, "This rollback has not ended, so there is nothing to review yet.")
		case b.Reviewed != nil:
			return audit.Event{}, fault.New(fault.Conflict, "%s has reviewed this rollback already.", b.Reviewed.By.Name)
		case by.SamePerson(b.By.Issuer, b.By.Subject), by.SamePerson(b.Ended.By.Issuer, b.Ended.By.Subject):
			return audit.Event{}, fault.New(fault.Forbidden, "You started or ended this rollback, so somebody else has to review it.")
		}
		return audit.Event{}, stale()
	})
}

// change is the way of every act on a rollback: lock the release, do it, write it down. An act that was done before by the
// same form leaves no second entry.
func (s *Rollbacks) change(ctx context.Context, by actor.Actor, run, rollback uuid.UUID, act func(context.Context, RollbackTx, Rollback) (audit.Event, error)) error {
	return s.store.InRollback(ctx, by, func(ctx context.Context, tx RollbackTx) error {
		page, _, err := tx.Lock(ctx, run)
		if err != nil {
			return err
		}
		b, err := page.find(rollback)
		if err != nil {
			return err
		}
		e, err := act(ctx, tx, b)
		if err != nil || e.Action == "" {
			return err
		}
		e.ObjectKind, e.ObjectID = "release", run.String()
		return tx.Record(ctx, e)
	})
}
