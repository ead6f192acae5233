package health

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// ReadyWithin is how long the database may take before this process counts as not ready.
const ReadyWithin = time.Second

// Gate is one condition of readiness, in words that hold no address and no secret.
type Gate struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Needed says whether the process is not ready without it; the others are notes.
	Needed bool   `json:"needed"`
	Why    string `json:"why,omitempty"`
}

// Readiness says whether this process can serve requests now.
type Readiness struct {
	Ready bool   `json:"ready"`
	Gates []Gate `json:"checks"`
}

// SchemaStore tells the version of Gatehouse's own schema, as a number; Unavailable where the database is away.
type SchemaStore interface {
	ConsoleSchema(ctx context.Context) (version int64, dirty bool, err error)
}

// Probe judges readiness. It asks at most once a second, however many ask it: it stands on a public address.
type Probe struct {
	store SchemaStore
	want  int64
	name  func(int64) string
	notes []Note
	now   func() time.Time

	mu   sync.Mutex
	last Readiness
	at   time.Time
}

// Note is a condition that is worth knowing and stops nothing: the identity provider's keys, say.
type Note struct {
	Name string
	// Check gives why it does not hold, in words for everybody; empty where it does.
	Check func(ctx context.Context) string
}

// NewProbe expects Gatehouse's own schema at version want, which name says in words.
func NewProbe(store SchemaStore, want int64, name func(int64) string, now func() time.Time, notes ...Note) *Probe {
	return &Probe{store: store, want: want, name: name, notes: notes, now: now}
}

// Ready judges now, or repeats a judgement that is less than a second old.
func (p *Probe) Ready(ctx context.Context) Readiness {
	p.mu.Lock()
	defer p.mu.Unlock()
	if age := p.now().Sub(p.at); !p.at.IsZero() && age >= 0 && age < time.Second {
		return p.last
	}
	// One caller who hangs up must not spoil the answer for the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ReadyWithin)
	defer cancel()
	database, schema := p.gates(ctx)
	p.last = Readiness{Ready: database.OK && schema.OK, Gates: []Gate{database, schema}}
	for _, n := range p.notes {
		why := n.Check(ctx)
		p.last.Gates = append(p.last.Gates, Gate{Name: n.Name, OK: why == "", Why: why})
	}
	p.at = p.now()
	return p.last
}

func (p *Probe) gates(ctx context.Context) (database, schema Gate) {
	database = Gate{Name: "database", OK: true, Needed: true}
	schema = Gate{Name: "schema", OK: true, Needed: true}
	version, dirty, err := p.store.ConsoleSchema(ctx)
	switch {
	case fault.Is(err, fault.NotFound):
		schema.OK, schema.Why = false, "Gatehouse's own tables are not there. Run gatehouse setup."
	case err != nil:
		database.OK, database.Why = false, "The database does not answer."
		schema.OK, schema.Why = false, "Not known while the database does not answer."
	case dirty:
		schema.OK, schema.Why = false, "The last change of Gatehouse's own tables did not finish. Run gatehouse setup."
	case version < p.want:
		schema.OK, schema.Why = false, fmt.Sprintf("Gatehouse's own tables stand at %s, this program needs %s. Run gatehouse setup.", p.name(version), p.name(p.want))
	case version > p.want:
		// Still ready: while a release is rolled out, the program of before works on the newer tables.
		schema.Why = fmt.Sprintf("Gatehouse's own tables stand at %s, which is newer than this program (%s).", p.name(version), p.name(p.want))
	}
	return database, schema
}
