package migration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Prober looks at the database as its owner.
type Prober interface {
	Probe(ctx context.Context, v Version) (Probe, error)
}

// ProbeStore keeps looks.
type ProbeStore interface {
	// NewestProbe is what is known of a version; undo is the hash of its undo file.
	NewestProbe(ctx context.Context, by actor.Actor, v Version, undo string) (Known, error)
	SaveProbe(ctx context.Context, by actor.Actor, p Probe, e audit.Event) error
}

// Asks hands long work on the database to whoever does it.
type Asks interface {
	AskRepair(ctx context.Context, by actor.Actor, argument, reason string, key uuid.UUID) (operation uuid.UUID, err error)
	AskLosses(ctx context.Context, by actor.Actor, argument string, key uuid.UUID) (operation uuid.UUID, err error)
	AskReindex(ctx context.Context, by actor.Actor, argument string, key uuid.UUID) (operation uuid.UUID, err error)
}

// Known is what is known of a version that may need a repair.
type Known struct {
	Probe *Probe // the newest look; nil where nobody has looked
	// Outdated says that the ledger has an entry of the version from after the look, which then proves nothing any more.
	Outdated bool
	Done     []Repaired // the repairs of it that were ordered, newest first
	Loses    bool       // its undo file throws something away, which has to be counted and saved before it runs
	Unread   string     // what of the undo file cannot be counted beforehand, so that it is not run from here
	Saved    *Saved     // what it would lose, where that was saved and still speaks for an undo
}

// Repaired is a repair that was ordered.
type Repaired struct {
	Operation uuid.UUID
	Choice    RepairChoice
	By, Roles string
	AuthTime  time.Time
	Ordered   time.Time
	State     string
	Sentence  string
}

// RepairChoice is what somebody chose, as the order carries it.
type RepairChoice struct {
	Version string `json:"version"`
	As      Repair `json:"as"`
	Reason  string `json:"reason"`
	Seen    string `json:"seen,omitempty"` // hash of the look that it was chosen on
}

// ParseRepairChoice reads an order.
func ParseRepairChoice(text string) (c RepairChoice, v Version, err error) {
	if err = json.Unmarshal([]byte(text), &c); err == nil {
		v, err = ParseVersion(c.Version)
	}
	if err != nil {
		return c, v, fmt.Errorf("reading the order of a repair: %w", err)
	}
	return c, v, nil
}

// Repairs are the stories of versions of which ledger and database do not agree.
type Repairs struct {
	store  ProbeStore
	prober Prober
	asks   Asks
	files  *Files
}

// NewRepairs joins the looks that are kept, the owner's eyes and whoever does long work.
func NewRepairs(store ProbeStore, prober Prober, asks Asks, files *Files) *Repairs {
	return &Repairs{store, prober, asks, files}
}

// Latest is what is known of a version: the newest look, the repairs of it, and what running its undo file would lose.
func (s *Repairs) Latest(ctx context.Context, by actor.Actor, v Version) (Known, error) {
	if err := mayRead(by); err != nil {
		return Known{}, err
	}
	if !by.Operator {
		return Known{}, notOperator()
	}
	if _, ok := s.files.Up(v); !ok {
		return Known{}, fault.New(fault.NotFound, "There is no migration %s.", v.Title())
	}
	down, has := s.files.Down(v)
	known, err := s.store.NewestProbe(ctx, by, v, down.SHA256)
	if err != nil || !has {
		return known, err
	}
	losses, unread := Losses(down)
	if known.Loses = len(losses) > 0; len(unread) > 0 {
		known.Unread = unread[0]
	}
	return known, nil
}

// Look looks at the database now and keeps what it saw.
func (s *Repairs) Look(ctx context.Context, by actor.Actor, v Version) (Probe, error) {
	if err := mayChange(by, actor.MigrationApply); err != nil {
		return Probe{}, err
	}
	p, err := s.prober.Probe(ctx, v)
	if err != nil {
		return p, err
	}
	return p, s.store.SaveProbe(ctx, by, p, audit.Event{
		Action: "migration:probe", ObjectKind: "migration", ObjectID: v.String(), After: map[string]string{"sha256": p.Hash(), "found": p.Sentence()},
	})
}

// RepairOrder is a choice, with the version's name typed.
type RepairOrder struct {
	Version Version
	As      Repair
	Seen    string
	Reason  string
	Confirm string
	Key     uuid.UUID
}

// Order hands the choice to whoever carries it out. What is done then is judged again, under the migration lock; here it is
// only refused early what the database does not prove now, or what is not any more what the person saw.
func (s *Repairs) Order(ctx context.Context, by actor.Actor, o RepairOrder) (operation uuid.UUID, err error) {
	if err := mayChange(by, actor.MigrationApply); err != nil {
		return uuid.Nil, err
	}
	o.Reason = strings.TrimSpace(o.Reason)
	refusal := fault.New(fault.Invalid, "Nothing was recorded of %s.", o.Version.Title())
	if typed, err := ParseVersion(strings.TrimSpace(o.Confirm)); err != nil || typed != o.Version {
		refusal = refusal.WithField("confirm", fmt.Sprintf("Type %s here to say that it is this version.", o.Version.Title()))
	}
	if len(o.Reason) < 3 {
		refusal = refusal.WithField("reason", "Say why it is repaired in this way.")
	}
	if refusal.Fields != nil {
		return uuid.Nil, refusal
	}
	text, err := json.Marshal(RepairChoice{Version: o.Version.Title(), As: o.As, Reason: o.Reason, Seen: o.Seen})
	if err != nil {
		return uuid.Nil, fmt.Errorf("encoding the order of a repair: %w", err)
	}
	// The second press finds what the first one made; what it made may have changed what is seen.
	known, err := s.store.NewestProbe(ctx, by, o.Version, "")
	if err != nil {
		return uuid.Nil, err
	}
	for _, r := range known.Done {
		if r.Choice.Seen == o.Seen && r.Choice.As == o.As && r.Choice.Reason == o.Reason {
			return s.asks.AskRepair(ctx, by, string(text), o.Reason, o.Key)
		}
	}
	now, err := s.prober.Probe(ctx, o.Version)
	if err != nil {
		return uuid.Nil, err
	}
	if o.Seen != "" && now.Hash() != o.Seen {
		return uuid.Nil, fault.New(fault.Conflict, "The database is not any more what your page shows: somebody repaired it, applied something, or changed it by hand. Nothing was recorded; look again.")
	}
	if err := now.Prove(o.As); err != nil {
		return uuid.Nil, err
	}
	return s.asks.AskRepair(ctx, by, string(text), o.Reason, o.Key)
}

// SaveLosses has counted and saved what undoing a version would lose.
func (s *Repairs) SaveLosses(ctx context.Context, by actor.Actor, v Version, key uuid.UUID) (operation uuid.UUID, err error) {
	if err := mayChange(by, actor.MigrationDown); err != nil {
		return uuid.Nil, err
	}
	down, ok := s.files.Down(v)
	if !ok {
		return uuid.Nil, fault.New(fault.NotFound, "There is no file to take %s back with.", v.Title())
	}
	if _, unread := Losses(down); len(unread) > 0 {
		return uuid.Nil, fault.New(fault.Conflict, "What %s throws away cannot be counted beforehand, so it is not undone from here.", unread[0])
	}
	return s.asks.AskLosses(ctx, by, v.Title(), key)
}

// Rebuild has an index that is not valid dropped and built again.
func (s *Repairs) Rebuild(ctx context.Context, by actor.Actor, index string, key uuid.UUID) (operation uuid.UUID, err error) {
	if err := mayChange(by, actor.MigrationApply); err != nil {
		return uuid.Nil, err
	}
	return s.asks.AskReindex(ctx, by, index, key)
}
