package dimension

import (
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// Material is what is measured: one unit of it.
type Material struct {
	ID         uuid.UUID
	Code, Name string
	Type       string
	Master     Master
	Version    int
}

// Facility is where it is measured.
type Facility struct {
	ID         uuid.UUID
	Code, Name string
}

// Person is somebody.
type Person struct{ Issuer, Subject, Name string }

// Is says whether the person is the actor.
func (p Person) Is(by actor.Actor) bool { return by.SamePerson(p.Issuer, p.Subject) }

// Known says whether there is somebody.
func (p Person) Known() bool { return p.Subject != "" }

// Reading is what one person measured in one round of a case, and what followed.
type Reading struct {
	ID, Case           uuid.UUID
	Facility, Material uuid.UUID
	Round, Number      int
	Seen               int // the version of the material
	Box                Box // as it was entered
	AskedBack          []string
	Notes              string
	Tolerance          Tolerance
	Outcome            State
	Status             Status // empty where two readings differed
	Verification       uuid.NullUUID
	VolumePct          decimal.NullDecimal
	WeightPct          decimal.NullDecimal
	Causes             []Cause
	By                 Person
	Key                uuid.UUID
	At                 time.Time
}

// Case is the measuring of one material at one facility, until nobody has to do anything any more.
type Case struct {
	ID, Facility, Material uuid.UUID
	Code                   string // of the material
	Round                  int
	State                  State
	// Measured is what was judged last, as it is stored: in inches, cubic feet and pounds.
	Measured             Box
	VolumePct, WeightPct decimal.NullDecimal
	Causes               []Cause
	OpenedAt, ChangedAt  time.Time
	Version              int
}

// Verification is the record of one judgement, as the client's table has it.
type Verification struct {
	ID, Facility, Material uuid.UUID
	Master                 Master
	Measured               Box
	Judgement              Judgement
	// Automatic says that the master data followed by itself.
	Automatic bool
	Notes     string
	User      uuid.UUID
}

// ChangeKind is how the record came to be what it is.
type ChangeKind string

// The kinds of changes.
const (
	FirstCapture ChangeKind = "first"
	Automatic    ChangeKind = "automatic" // within the tolerance
	Approved     ChangeKind = "approved"  // by a supervisor
	Kept         ChangeKind = "kept"      // by a supervisor: the record is right as it is
)

// Change is one line of the history of a material's master data.
type Change struct {
	ID, Material uuid.UUID
	Kind         ChangeKind
	Version      int // of the material, after it
	Old, New     Master
	Reason       string
	Case         uuid.UUID
	Verification uuid.NullUUID
	By           Person
	At           time.Time
}

// LastApproved is the record that a person stands behind: what a supervisor approved or kept last, or the first measurement;
// and where nobody did yet, what was recorded before it first changed by itself. Where somebody else has changed the record since,
// that is what counts: the company's other systems may do so. newest is first in the list.
func LastApproved(current Master, newest []Change) Master {
	if len(newest) == 0 || !newest[0].New.Equal(current) {
		return current
	}
	for _, c := range newest {
		if c.Kind != Automatic {
			return c.New
		}
	}
	return newest[len(newest)-1].Old
}
