package inbox

import (
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// Kind is what kind of thing waits.
type Kind string

// The kinds.
const (
	Item     Kind = "item"
	Gate     Kind = "gate"     // a place at a gate
	Override Kind = "override" // a second person for an override of the window, a freeze or the backup's age
	Restore  Kind = "restore"  // a second person for a restore
	Review   Kind = "review"   // another person's review of a signature by break-glass
	Rollback Kind = "rollback" // a second person for a rollback that loses data

	RollbackReview Kind = "rollback_review" // somebody else's look at a rollback that has ended
	RestoreStart   Kind = "restore_start"   // a restore that two people stand behind, and nobody has carried out

	DimensionReview Kind = "dimension_review" // a measurement beyond the tolerance, for whoever decides and has not measured
)

// Task is one thing that waits for somebody.
type Task struct {
	Kind Kind
	// ID names it among all tasks of the tenant; Object is the item, the gate, the kind of override, the backup, the rollback or
	// the signature.
	ID, Object string
	Title      string
	// Run and Release are the release that it belongs to; zero for a restore, which belongs to none.
	Run     uuid.UUID
	Release string
	Zone    string
	// Role may do it where nobody has it in hand; empty for requests, which anybody may agree to who signs.
	Role   actor.Role
	Holder Person // who has it in hand, who asks, or who signed
	// Deputies may sign in the place now, besides whoever holds the role.
	Deputies []Person
	Ready    bool
	Needs    string // why it is not ready
	Failed   bool
	// Required says that the release does not go on without it, Checked that the system answers it, and Watching that it
	// belongs to the hours after the sign-off.
	Required, Checked, Watching bool
	// Round counts how often the place at the gate was signed before.
	Round     int
	DueAt     time.Time // for a request, when it expires
	T0        time.Time
	StartedAt time.Time // of the release, or when the request was made
}

// Person is somebody.
type Person struct{ Issuer, Subject, Name string }

// Known says whether there is somebody.
func (p Person) Known() bool { return p.Subject != "" }

// Request says whether it is one person's wish that waits for a second one, or to be carried out. It is never late: it expires.
func (t Task) Request() bool {
	return t.Kind == Override || t.Kind == Restore || t.Kind == Rollback || t.Kind == RestoreStart
}

// EarlyStart says that it was due before its release began, which is nobody's delay.
func (t Task) EarlyStart() bool { return !t.Request() && t.DueAt.Before(t.StartedAt) }

// Late is how late it is; zero where it is not.
func (t Task) Late(at time.Time) time.Duration {
	if t.Request() || t.EarlyStart() || at.Before(t.DueAt) {
		return 0
	}
	return at.Sub(t.DueAt)
}

// Location is the release's time zone; UTC where this machine does not know it.
func (t Task) Location() *time.Location { return location(t.Zone) }

// Location is that of the release which the notice is about.
func (n Notice) Location() *time.Location { return location(n.Zone) }

func location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}
