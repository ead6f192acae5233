package change

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Store is what this package asks of the database.
type Store interface {
	// Look reads a release's page in one round trip; NotFound where the tenant has no such release.
	Look(ctx context.Context, by actor.Actor, release uuid.UUID) (Page, error)
	InTenant(ctx context.Context, by actor.Actor, work func(ctx context.Context, tx Tx) error) error
}

// Tx is everything that one transaction may do. Each of these is one statement that does its work only where all that is
// asked holds, and says false where it did nothing.
type Tx interface {
	SetWindow(ctx context.Context, release uuid.UUID, r Span) (bool, error)
	Freeze(ctx context.Context, id uuid.UUID, r Span) (bool, error)
	Ask(ctx context.Context, r Asked) (bool, error)
	Second(ctx context.Context, release, override uuid.UUID) (bool, error)
	AddToken(ctx context.Context, r Wanted) (time.Time, bool, error)
	Revoke(ctx context.Context, release, token uuid.UUID) (bool, error)
	// Page is Look within the transaction, for saying why one of these did nothing.
	Page(ctx context.Context, release uuid.UUID) (Page, error)
	Record(ctx context.Context, e audit.Event) error
}

// Files are the migration files of this program.
type Files interface {
	// Hashes are those of a version's up file, and of the file that the direction runs; false where there is none.
	Hashes(version, direction string) (plan, file string, ok bool)
}

// Span is a window or a freeze that somebody sets.
type Span struct {
	From, Until time.Time
	Reason      string
}

// Asked is an override that one person asks for.
type Asked struct {
	ID      uuid.UUID // of the form: pressing it twice asks once
	Release uuid.UUID
	Kind    Kind
	Reason  string
	For     time.Duration
}

// Wanted is a token to be made.
type Wanted struct {
	ID                           uuid.UUID // of the form
	Release                      uuid.UUID
	Version, Direction           string
	PlanSHA256, SHA256, Token256 string
}

// Service is what people may do about the time of a change.
type Service struct {
	store Store
	files Files
}

// NewService makes the stories.
func NewService(store Store, files Files) *Service { return &Service{store, files} }

const (
	longestWindow   = 24 * time.Hour
	longestFreeze   = 31 * 24 * time.Hour
	longestOverride = 8 * time.Hour
)

// Show is a release's window with everything around it.
func (s *Service) Show(ctx context.Context, by actor.Actor, release uuid.UUID) (Page, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return Page{}, err
	}
	return s.store.Look(ctx, by, release)
}

// may asks for a right, for a person, and that their organisation operates the environment.
func may(by actor.Actor, right actor.Right) error {
	if err := by.Demand(right); err != nil {
		return err
	}
	if !by.Operator {
		return fault.New(fault.Forbidden, "This environment is operated by another organisation; only its people say when it is changed.")
	}
	if by.Origin != actor.Web {
		return fault.New(fault.Forbidden, "This is a person's word; no machine can give it.")
	}
	return nil
}

// check asks who set it when they signed in, which was minutes ago: what ended before that is over by any clock.
func (r Span) check(by actor.Actor, longest time.Duration, what string) error {
	refusal := fault.New(fault.Invalid, "The %s was not set.", what)
	switch {
	case !r.Until.After(by.AuthTime):
		refusal = refusal.WithField("until", fmt.Sprintf("This %s would be over already. Say a time that is to come.", what))
	case !r.Until.After(r.From):
		refusal = refusal.WithField("until", "The end must come after the start.")
	case r.Until.Sub(r.From) > longest:
		refusal = refusal.WithField("until", fmt.Sprintf("A %s lasts at most %.0f hours.", what, longest.Hours()))
	}
	return reasoned(refusal, r.Reason)
}

// reasoned adds the complaint about a missing reason, and is nil where there is no complaint at all.
func reasoned(refusal *fault.Error, reason string) error {
	if strings.TrimSpace(reason) == "" {
		refusal = refusal.WithField("reason", "Say why; it stands in the audit trail.")
	}
	if refusal.Fields == nil {
		return nil
	}
	return refusal
}

// SetWindow sets the change window of a release of which nobody has signed go / no-go yet: what is signed is signed with
// its window. Afterwards the signatures are taken back first, or two people override.
func (s *Service) SetWindow(ctx context.Context, by actor.Actor, release uuid.UUID, r Span) error {
	if err := may(by, actor.ReleaseManage); err != nil {
		return err
	}
	if err := r.check(by, longestWindow, "window"); err != nil {
		return err
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		page, err := tx.Page(ctx, release)
		if err != nil {
			return err
		}
		done, err := tx.SetWindow(ctx, release, r)
		if err == nil && !done {
			return s.why(ctx, tx, release, "The window does not move any more: go / no-go has a signature. Take the signatures back first, or let two people override the window.")
		}
		before := Span{From: page.Moment.Starts, Until: page.Moment.Ends}
		return recorded(ctx, tx, err, audit.Event{Action: "release:window", ObjectKind: "release", ObjectID: release.String(), Reason: r.Reason, Before: before.values(), After: r.values()})
	})
}

func (r Span) values() map[string]string {
	return map[string]string{"from": r.From.UTC().Format(time.RFC3339), "until": r.Until.UTC().Format(time.RFC3339)}
}

// Freeze keeps everybody from changing the schema for a time. A freeze is never ended early.
func (s *Service) Freeze(ctx context.Context, by actor.Actor, id uuid.UUID, r Span) error {
	if err := may(by, actor.ReleaseManage); err != nil {
		return err
	}
	if err := r.check(by, longestFreeze, "freeze"); err != nil {
		return err
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		done, err := tx.Freeze(ctx, id, r)
		if err == nil && !done {
			return nil // the form arrived twice
		}
		return recorded(ctx, tx, err, audit.Event{Action: "environment:freeze", ObjectKind: "freeze", ObjectID: id.String(), Reason: r.Reason, After: r.values()})
	})
}

// Ask is the first half of an override.
func (s *Service) Ask(ctx context.Context, by actor.Actor, r Asked) error {
	if err := may(by, actor.ReleaseManage); err != nil {
		return err
	}
	if err := s.CheckAsked(r); err != nil {
		return err
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		done, err := tx.Ask(ctx, r)
		if err == nil && !done {
			return s.why(ctx, tx, r.Release, "This form was sent already, or your sign-in is older than five minutes. Look at the page again.")
		}
		return recorded(ctx, tx, err, audit.Event{
			Action: "override:ask", ObjectKind: "release", ObjectID: r.Release.String(), Reason: r.Reason,
			After: map[string]string{"override": r.ID.String(), "kind": string(r.Kind), "for": r.For.String()},
		})
	})
}

// CheckAsked says what is wrong with what is asked for, without asking.
func (s *Service) CheckAsked(r Asked) error {
	refusal := fault.New(fault.Invalid, "The override was not asked for.")
	if r.Kind != Window && r.Kind != Frost && r.Kind != Proof {
		refusal = refusal.WithField("kind", "Choose what is overridden.")
	}
	if r.For <= 0 || r.For > longestOverride {
		refusal = refusal.WithField("hours", "An override lasts 1 to 8 hours.")
	}
	return reasoned(refusal, r.Reason)
}

// Second is the other half; who asked cannot give it.
func (s *Service) Second(ctx context.Context, by actor.Actor, release, override uuid.UUID) error {
	if err := may(by, actor.GateSign); err != nil {
		return err
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		done, err := tx.Second(ctx, release, override)
		if err == nil && !done {
			return whyNotSecond(ctx, tx, by, release, override)
		}
		return recorded(ctx, tx, err, audit.Event{
			Action: "override:second", ObjectKind: "release", ObjectID: release.String(),
			Before: map[string]any{"override": override, "seconded": false}, After: map[string]any{"override": override, "seconded": true},
		})
	})
}

func whyNotSecond(ctx context.Context, tx Tx, by actor.Actor, release, override uuid.UUID) error {
	page, err := tx.Page(ctx, release)
	if err != nil {
		return err
	}
	for _, o := range page.Overrides {
		switch {
		case o.ID != override:
		case o.SecondBy != "":
			return fault.New(fault.Conflict, "%s has put their name to it already.", o.SecondBy)
		case o.Issuer == by.Issuer && o.Subject == by.Subject:
			return fault.New(fault.Forbidden, "You asked for this override, so somebody else has to agree. Nobody overrides alone.")
		case o.ExpiredAlready:
			return fault.New(fault.Conflict, "This override has expired. Ask for it anew.")
		case !page.Active:
			return fault.New(fault.Conflict, "Release %s is over.", page.Code)
		default:
			return fault.New(fault.Forbidden, "Your sign-in is older than five minutes. Sign in afresh, then agree.")
		}
	}
	return fault.New(fault.NotFound, "There is no such override.")
}

// MakeToken makes the one-time token with which the command line may take one step. It is given once and never shown again.
func (s *Service) MakeToken(ctx context.Context, by actor.Actor, id, release uuid.UUID, version, direction string) (string, time.Time, error) {
	right := actor.MigrationApply
	if direction == "down" {
		right = actor.MigrationDown
	}
	if err := may(by, right); err != nil {
		return "", time.Time{}, err
	}
	r := Wanted{ID: id, Release: release, Version: version, Direction: direction}
	var ok bool
	if r.PlanSHA256, r.SHA256, ok = s.files.Hashes(version, direction); !ok {
		return "", time.Time{}, fault.New(fault.NotFound, "This program has no file for that step.")
	}
	token, err := newToken()
	if err != nil {
		return "", time.Time{}, err
	}
	r.Token256 = Hash(token)
	var until time.Time
	err = s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		made, done, err := tx.AddToken(ctx, r)
		if err == nil && !done {
			return s.why(ctx, tx, release, "No token was made: this form made one already, or the release does not plan exactly this file. Look at the page again.")
		}
		until = made
		return recorded(ctx, tx, err, audit.Event{
			Action: "token:make", ObjectKind: "release", ObjectID: release.String(),
			After: map[string]string{"token": id.String(), "version": version, "direction": direction, "sha256": r.SHA256, "expires_at": made.UTC().Format(time.RFC3339)},
		})
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return token, until, nil
}

// Revoke ends a token that was not used.
func (s *Service) Revoke(ctx context.Context, by actor.Actor, release, token uuid.UUID) error {
	if err := may(by, actor.MigrationApply); err != nil {
		return err
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		done, err := tx.Revoke(ctx, release, token)
		if err == nil && !done {
			return fault.New(fault.Conflict, "There is no such token, or it was used or revoked already.")
		}
		return recorded(ctx, tx, err, audit.Event{
			Action: "token:revoke", ObjectKind: "release", ObjectID: release.String(),
			Before: map[string]any{"token": token, "revoked": false}, After: map[string]any{"token": token, "revoked": true},
		})
	})
}

func recorded(ctx context.Context, tx Tx, err error, e audit.Event) error {
	if err != nil {
		return err
	}
	return tx.Record(ctx, e)
}

// why says what keeps a statement from doing its work; otherwise is the reason that is left.
func (s *Service) why(ctx context.Context, tx Tx, release uuid.UUID, otherwise string) error {
	page, err := tx.Page(ctx, release)
	switch {
	case err != nil:
		return err
	case !page.Active:
		return fault.New(fault.Conflict, "Release %s is over.", page.Code)
	case !strings.HasPrefix(otherwise, "No token"):
	case !page.GateOpen:
		return fault.New(fault.GateClosed, "The go / no-go gate of release %s is not open, so no token can be made.", page.Code)
	case page.Moment.Refusal != "":
		return fault.New(fault.GateClosed, "%s", page.Moment.Refusal)
	}
	return fault.New(fault.Conflict, "%s", otherwise)
}

const tokenPrefix = "ghapply_"

func newToken() (string, error) {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("making a token: %w", err)
	}
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// Hash is how a token is kept and looked for; that of no token is empty.
func Hash(token string) string {
	if token = strings.TrimSpace(token); token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
