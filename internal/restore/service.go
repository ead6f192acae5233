package restore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Store keeps looks, requests and agreements. Nothing in it is ever changed.
type Store interface {
	// Look reads a backup's page in one round trip; NotFound where the tenant has no such backup.
	Look(ctx context.Context, by actor.Actor, backup uuid.UUID) (Page, error)
	// Request is one request; NotFound where the tenant has none such.
	Request(ctx context.Context, by actor.Actor, id uuid.UUID) (Request, error)
	InTenant(ctx context.Context, by actor.Actor, work func(ctx context.Context, tx Tx) error) error
}

// Tx is what one transaction may do. Each but the last two is one statement that does its work only where all that is asked
// holds, and says false where it did nothing.
type Tx interface {
	AddLook(ctx context.Context, l Look, state string) (bool, error)
	Ask(ctx context.Context, r Wanted) (bool, error)
	Agree(ctx context.Context, request uuid.UUID, database, seen string) (bool, error)
	Withdraw(ctx context.Context, request uuid.UUID) (bool, error)
	AddSafety(ctx context.Context, backup, request uuid.UUID, keep time.Duration) error
	Record(ctx context.Context, e audit.Event) error
}

// Eyes look at the database as its owner. They fill in what a Result says beside file and sessions.
type Eyes interface {
	Measure(ctx context.Context, b backup.Backup, r *Result) error
}

// Orders hand the work to whoever does it. The same key again gives the order that it made.
type Orders interface {
	OrderRestore(ctx context.Context, by actor.Actor, backup, request, key uuid.UUID) (operation uuid.UUID, err error)
}

// Wanted is a restore that one person asks for.
type Wanted struct {
	ID       uuid.UUID // of the form: pressing it twice asks once
	Backup   uuid.UUID
	Look     uuid.UUID // what was shown
	Reason   string
	Database string // typed
}

// Service is what people may do about restoring.
type Service struct {
	store  Store
	eyes   Eyes
	orders Orders
}

// NewService makes the stories.
func NewService(store Store, eyes Eyes, orders Orders) *Service { return &Service{store, eyes, orders} }

func may(by actor.Actor, right actor.Right) error {
	if err := by.Demand(right); err != nil {
		return err
	}
	if !by.Operator {
		return fault.New(fault.Forbidden, "The database is looked after by the tenant that operates this environment.")
	}
	return nil
}

// aPerson is for what no machine can say. Another tenant's request is not found, so nobody has to ask whose it is.
func aPerson(by actor.Actor, right actor.Right) error {
	if err := by.Demand(right); err != nil {
		return err
	}
	if by.Origin != actor.Web {
		return fault.New(fault.Forbidden, "This is a person's word; no machine can give it.")
	}
	return nil
}

// operatorsPerson is who may ask.
func operatorsPerson(by actor.Actor) error {
	if err := may(by, actor.MigrationDown); err != nil {
		return err
	}
	return aPerson(by, actor.MigrationDown)
}

// Show is everything about restoring one backup.
func (s *Service) Show(ctx context.Context, by actor.Actor, id uuid.UUID) (Page, error) {
	if err := by.Demand(actor.MigrationRead); err != nil {
		return Page{}, err
	}
	return s.store.Look(ctx, by, id)
}

// Count looks what a restore would do now, and keeps it.
func (s *Service) Count(ctx context.Context, by actor.Actor, id uuid.UUID) error {
	if err := operatorsPerson(by); err != nil {
		return err
	}
	page, err := s.store.Look(ctx, by, id)
	if err != nil {
		return err
	}
	if page.State == "" {
		return notRestorable(page)
	}
	b := page.Backup
	l := Look{ID: uuid.New(), Backup: b.ID, By: by.Name, Result: Result{
		Database: page.Database, File: b.Name, SHA256: b.SHA256, TakenAt: b.Manifest.TakenAt, Sessions: page.Sessions,
	}}
	if err := s.eyes.Measure(ctx, b, &l.Result); err != nil {
		return err
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		done, err := tx.AddLook(ctx, l, page.State)
		if err == nil && !done {
			return fault.New(fault.Conflict, "The backup or the schema changed while it was looked at. Look again.")
		}
		return recorded(ctx, tx, err, audit.Event{Action: "backup:look", ObjectKind: "backup", ObjectID: id.String(), After: map[string]string{"look": l.ID.String(), "found": l.Result.Sentence()}})
	})
}

func notRestorable(p Page) error {
	worth, why := p.Backup.Worth()
	return fault.New(fault.Conflict, "%s may not be restored (%s). Only a backup whose newest drill passed, and of which nothing was found since, is.", p.Backup.Name, strings.TrimSpace(string(worth)+" "+why))
}

// Ask is the first person's word. It stands for an hour.
func (s *Service) Ask(ctx context.Context, by actor.Actor, w Wanted) error {
	if err := operatorsPerson(by); err != nil {
		return err
	}
	page, err := s.store.Look(ctx, by, w.Backup)
	if err != nil {
		return err
	}
	refusal := fault.New(fault.Invalid, "Nothing was asked for.")
	if strings.TrimSpace(w.Reason) == "" {
		refusal = refusal.WithField("reason", "Say why; it stands in the ledger and the audit trail.")
	}
	if w.Database != page.Database {
		refusal = refusal.WithField("database", wrongName(page.Database))
	}
	if refusal.Fields != nil {
		return refusal
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		done, err := tx.Ask(ctx, w)
		if err == nil && !done {
			return whyNotAsked(by, page, w)
		}
		return recorded(ctx, tx, err, audit.Event{
			Action: "restore:ask", ObjectKind: "backup", ObjectID: w.Backup.String(), Reason: w.Reason,
			After: map[string]string{"request": w.ID.String(), "look": w.Look.String(), "database": w.Database},
		})
	})
}

func wrongName(database string) string {
	return fmt.Sprintf("That is not the name of this database. It is %s; type it exactly.", database)
}

func whyNotAsked(by actor.Actor, page Page, w Wanted) error {
	for _, r := range page.Requests {
		switch {
		case r.ID != w.ID:
		case r.Issuer == by.Issuer && r.Subject == by.Subject && r.Reason == w.Reason:
			return nil // the form arrived twice
		default:
			return fault.New(fault.Conflict, "This form was used already, by %s, for: %s. Nothing was asked for; look at the page again.", r.By, r.Reason)
		}
	}
	switch {
	case page.State == "":
		return notRestorable(page)
	case page.Look == nil || page.Look.ID != w.Look || !page.Look.Recent || !page.Look.Current:
		return fault.New(fault.Conflict, "What you were shown is older than 15 minutes, or is not what stands now. Count again, and ask then.")
	}
	return fault.New(fault.Forbidden, "Your sign-in is older than five minutes. Sign in afresh, then ask.")
}

// Agree is the second person's word, to exactly the content that they saw. Who asked cannot give it.
func (s *Service) Agree(ctx context.Context, by actor.Actor, id uuid.UUID, database, seen string) (Request, error) {
	if err := aPerson(by, actor.GateSign); err != nil {
		return Request{}, err
	}
	r, err := s.store.Request(ctx, by, id)
	if err != nil {
		return r, err
	}
	if database != r.Result.Database {
		return r, fault.New(fault.Invalid, "You did not agree to anything.").WithField("database", wrongName(r.Result.Database))
	}
	return r, s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		done, err := tx.Agree(ctx, id, database, seen)
		if err == nil && !done {
			return whyNotAgreed(by, r, seen)
		}
		return recorded(ctx, tx, err, audit.Event{
			Action: "restore:agree", ObjectKind: "backup", ObjectID: r.Backup.String(),
			Before: map[string]string{"request": id.String(), "state": string(r.State())},
			After:  map[string]string{"request": id.String(), "state": string(Agreed), "content": r.Content, "database": database},
		})
	})
}

func whyNotAgreed(by actor.Actor, r Request, seen string) error {
	switch state := r.State(); {
	case r.AgreedBy != "" && state == Agreed:
		return fault.New(fault.Conflict, "%s has agreed already.", r.AgreedBy)
	case state != Asked:
		return notOpen(r)
	case r.Issuer == by.Issuer && r.Subject == by.Subject:
		return fault.New(fault.Forbidden, "You asked for this restore, so somebody else has to agree. Nobody restores alone.")
	case seen != r.Content:
		return fault.New(fault.Conflict, "What you agreed to is not what was asked for. Look at the page again.")
	}
	return fault.New(fault.Forbidden, "Your sign-in is older than five minutes. Sign in afresh, then agree.")
}

// notOpen says why nothing can be done about a request any more.
func notOpen(r Request) error {
	words := map[State]string{
		Asked: "Nobody has agreed to this restore yet. A second person has to.", Agreed: "This restore may be carried out.",
		UnderWay: "This restore is being carried out.", Restored: "This restore was carried out already; a request is good once.",
		Failed:    "This restore was ordered once and changed nothing; a request is good once. Ask anew.",
		Withdrawn: "This restore was withdrawn by " + r.WithdrawnBy + ".", Expired: "This request is older than an hour. Ask anew.",
		Void: "The backup or the schema is not what was shown when this was asked for. Count again, and ask anew.",
	}
	return fault.New(fault.Conflict, "%s Nothing was changed.", words[r.State()])
}

// Withdraw takes a request back. Whoever may ask or agree may.
func (s *Service) Withdraw(ctx context.Context, by actor.Actor, id uuid.UUID) (Request, error) {
	if !by.Can(actor.GateSign) {
		if err := aPerson(by, actor.MigrationDown); err != nil {
			return Request{}, err
		}
	}
	r, err := s.store.Request(ctx, by, id)
	if err != nil {
		return r, err
	}
	return r, s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		done, err := tx.Withdraw(ctx, id)
		if err == nil && !done {
			return notOpen(r)
		}
		return recorded(ctx, tx, err, audit.Event{
			Action: "restore:withdraw", ObjectKind: "backup", ObjectID: r.Backup.String(),
			Before: map[string]string{"request": id.String(), "state": string(r.State())}, After: map[string]string{"request": id.String(), "state": string(Withdrawn)},
		})
	})
}

// Start orders a restore that two people stand behind. A request is carried out once at most.
func (s *Service) Start(ctx context.Context, by actor.Actor, id uuid.UUID, database string, key uuid.UUID) (Request, uuid.UUID, error) {
	if err := may(by, actor.MigrationDown); err != nil {
		return Request{}, uuid.Nil, err
	}
	r, err := s.store.Request(ctx, by, id)
	if err != nil {
		return r, uuid.Nil, err
	}
	if database != r.Result.Database {
		return r, uuid.Nil, fault.New(fault.Invalid, "Nothing was restored.").WithField("database", wrongName(r.Result.Database))
	}
	operation, err := s.orders.OrderRestore(ctx, by, r.Backup, r.ID, key)
	if fault.Is(err, fault.Conflict) && r.State() != Agreed {
		err = notOpen(r)
	}
	return r, operation, err
}

// Find is one request, for who carries it out.
func (s *Service) Find(ctx context.Context, by actor.Actor, id uuid.UUID) (Request, error) {
	if err := by.Demand(actor.MigrationRead); err != nil {
		return Request{}, err
	}
	return s.store.Request(ctx, by, id)
}

// Keep marks the dump that was taken before a restore.
func (s *Service) Keep(ctx context.Context, by actor.Actor, backup, request uuid.UUID) error {
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		return recorded(ctx, tx, tx.AddSafety(ctx, backup, request, KeepSafety), audit.Event{
			Action: "backup:keep", ObjectKind: "backup", ObjectID: backup.String(), After: map[string]string{"request": request.String(), "for": KeepSafety.String()},
		})
	})
}

func recorded(ctx context.Context, tx Tx, err error, e audit.Event) error {
	if err != nil {
		return err
	}
	return tx.Record(ctx, e)
}
