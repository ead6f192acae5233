package migration

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// RunID identifies a run: one press of the button, and what came of it.
type RunID = uuid.UUID

// RunState is where a run stands.
type RunState string

// The states of a run. They only go forward: queued, running, then one of the last three.
const (
	Queued      RunState = "queued"
	Running     RunState = "running"
	Succeeded   RunState = "succeeded"
	Failed      RunState = "failed"
	Interrupted RunState = "interrupted"
)

// Active says whether the run still has the floor.
func (s RunState) Active() bool { return s == Queued || s == Running }

// Run is one step of the schema, asked for by somebody.
type Run struct {
	ID        RunID
	Tenant    uuid.UUID
	Release   uuid.UUID
	Version   Version
	Direction Direction
	SHA256    string // of the file that was shown and accepted
	State     RunState
	By        Person

	RequestedAt time.Time
	StartedAt   time.Time // zero while queued
	FinishedAt  time.Time // zero while active
	Took        time.Duration
	Error       string
	SQLState    string
	// Resolution says how the truth was found where the run itself could not report it.
	Resolution string
	Reason     string // why it is undone

	AcknowledgedBy   string
	AcknowledgedAt   time.Time
	AcknowledgedNote string
}

// neverBegan is the resolution of a run that we refused ourselves.
const neverBegan = "Gatehouse refused the step, and nothing was changed."

// Refused says that the step was refused by Gatehouse and not by the database: nothing of it ran, or nothing of it was kept.
func (r Run) Refused() bool { return r.State == Failed && r.Resolution == neverBegan }

// DriftWay is the way out of a refusal because of drift; what differs follows it line by line.
const DriftWay = "Repair each difference, or sign for it on the page Drift:"

// Drifted says that the step was refused because the live schema is not what the files made.
func (r Run) Drifted() bool { return r.Refused() && strings.Contains(r.Error, DriftWay) }

// Sentence says what the run does and since when, for people who must wait for it.
func (r Run) Sentence() string {
	verb := map[Direction]string{Up: "applying", Down: "undoing"}[r.Direction]
	since := r.StartedAt
	if since.IsZero() {
		since = r.RequestedAt
	}
	return fmt.Sprintf("%s is %s %s, since %s UTC.", r.By.Name, verb, r.Version.Title(), since.UTC().Format("15:04:05"))
}

// Line is one line of a run's log.
type Line struct {
	Seq  int
	At   time.Time
	Text string
}

// Busy is the cause of a refusal because another run has the floor; it carries that run for the link.
type Busy struct{ Run Run }

// Error says who is busy with what.
func (b *Busy) Error() string { return b.Run.Sentence() }
