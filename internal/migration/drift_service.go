package migration

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// DriftReader looks at the live schema as its owner.
type DriftReader interface {
	Drift(ctx context.Context) (DriftReport, error)
}

// DriftStore keeps looks and acceptances. Each method that changes something writes its audit event in the same
// transaction.
type DriftStore interface {
	// LatestDrift is the newest look with the acceptances that hold now; nil where nobody has looked yet.
	LatestDrift(ctx context.Context, by actor.Actor) (*DriftReport, error)
	SaveDrift(ctx context.Context, by actor.Actor, r DriftReport, e audit.Event) error
	// AcceptDrift says no where the newest look does not hold exactly this difference, or the sign-in is not fresh.
	AcceptDrift(ctx context.Context, by actor.Actor, a Acceptance, e audit.Event) (bool, error)
	// WithdrawDrift says no where there is no such acceptance, or it is withdrawn already.
	WithdrawDrift(ctx context.Context, by actor.Actor, id uuid.UUID, reason string, e audit.Event) (bool, error)
}

// Acceptance is a person's word that one difference may stay, exactly as it was seen.
type Acceptance struct {
	ID     uuid.UUID
	SHA256 string // of the difference
	By     string
	Reason string
	Until  time.Time // zero: until it is withdrawn
}

// MarkAccepted writes the acceptances onto the differences they are for. A difference that has changed has another hash,
// and its old acceptance is for nothing.
func MarkAccepted(differences []Difference, acceptances []Acceptance) {
	for _, a := range acceptances {
		for i := range differences {
			if d := &differences[i]; d.SHA256 == a.SHA256 {
				d.AcceptanceID, d.AcceptedBy, d.AcceptedBecause, d.AcceptedUntil = a.ID, a.By, a.Reason, a.Until
			}
		}
	}
}

// Drifts are the stories of the live schema held against the files.
type Drifts struct {
	store  DriftStore
	reader DriftReader
}

// NewDrifts joins the store with the owner's view of the schema.
func NewDrifts(store DriftStore, reader DriftReader) *Drifts { return &Drifts{store, reader} }

// Latest is the newest look; nil where nobody has looked yet.
func (s *Drifts) Latest(ctx context.Context, by actor.Actor) (*DriftReport, error) {
	if !by.Operator {
		return nil, notOperator()
	}
	return s.store.LatestDrift(ctx, by)
}

// Check looks at the live schema now and keeps what it saw.
func (s *Drifts) Check(ctx context.Context, by actor.Actor) (DriftReport, error) {
	if err := mayChange(by, actor.MigrationApply); err != nil {
		return DriftReport{}, err
	}
	report, err := s.reader.Drift(ctx)
	if err != nil {
		return report, err
	}
	return report, s.store.SaveDrift(ctx, by, report, audit.Event{
		Action: "migration:check_drift", ObjectKind: "schema", ObjectID: report.Version.String(),
		After: map[string]int{"differences": len(report.Differences), "open": len(report.Open())},
	})
}

// Accept signs for one difference of the newest look.
func (s *Drifts) Accept(ctx context.Context, by actor.Actor, sha256, reason string, until time.Time) error {
	if err := mayChange(by, actor.MigrationApply); err != nil {
		return err
	}
	a := Acceptance{ID: uuid.New(), SHA256: sha256, By: by.Name, Reason: strings.TrimSpace(reason), Until: until}
	if len(a.Reason) < 3 {
		return fault.New(fault.Invalid, "The difference was not accepted.").WithField("reason", "Say why it may stay.")
	}
	done, err := s.store.AcceptDrift(ctx, by, a, audit.Event{
		Action: "migration:accept_drift", ObjectKind: "difference", ObjectID: sha256, Reason: a.Reason,
		Before: map[string]any{"accepted": false}, After: map[string]any{"accepted": true, "acceptance": a.ID},
	})
	if err == nil && !done {
		return fault.New(fault.Conflict, "The newest look does not show this difference as it was accepted. Look again.")
	}
	return err
}

// Withdraw takes an acceptance back; the difference stops the next apply again.
func (s *Drifts) Withdraw(ctx context.Context, by actor.Actor, id uuid.UUID, reason string) error {
	if err := mayChange(by, actor.MigrationApply); err != nil {
		return err
	}
	reason = strings.TrimSpace(reason)
	if len(reason) < 3 {
		return fault.New(fault.Invalid, "The acceptance was not withdrawn.").WithField("reason", "Say why it may not stay.")
	}
	done, err := s.store.WithdrawDrift(ctx, by, id, reason, audit.Event{
		Action: "migration:withdraw_drift", ObjectKind: "acceptance", ObjectID: id.String(), Reason: reason,
		Before: map[string]any{"withdrawn": false}, After: map[string]any{"withdrawn": true},
	})
	if err == nil && !done {
		return fault.New(fault.NotFound, "There is no such acceptance, or it was withdrawn already.")
	}
	return err
}
