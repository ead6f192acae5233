package migration

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/clock"
)

// StepRequest is one version, one direction.
type StepRequest struct {
	Version   Version
	Direction Direction
	// SHA256 is the hash of the file as it was shown; empty leaves the check out, for set-up alone.
	SHA256  string
	By      actor.Actor
	Release uuid.UUID
	// Run names the run in the ledger; where it is set, the step runs only while that run is marked running.
	Run RunID
	// Log is told what happens as it happens; nil tells nobody. It may be called from another goroutine.
	Log func(line string)
}

// Say tells Log, where there is one.
func (r StepRequest) Say(format string, args ...any) {
	if r.Log != nil {
		r.Log(fmt.Sprintf(format, args...))
	}
}

// StepResult is what a step that succeeded did.
type StepResult struct {
	Version   Version
	Direction Direction
	Script    string
	StartedAt time.Time
	Took      time.Duration
	Notices   []string
}

// StepError is a step that failed and is known to have left nothing, or, Dirty, something.
type StepError struct {
	Script   string
	Line     int // 0 where unknown
	SQLState string
	Message  string
	Detail   string
	Hint     string
	Where    string // inside a function
	Dirty    bool   // a file without a transaction: the statements before stand
	cause    error
}

// NewStepError keeps the cause for the log.
func NewStepError(e StepError, cause error) *StepError { e.cause = cause; return &e }

// Error says file, line and SQLSTATE first.
func (e *StepError) Error() string {
	text := e.Script
	if e.Line > 0 {
		text += fmt.Sprintf(" line %d", e.Line)
	}
	if e.SQLState != "" {
		text += " (SQLSTATE " + e.SQLState + ")"
	}
	text += ": " + e.Message
	for _, more := range []struct{ label, text string }{{"Detail", e.Detail}, {"Hint", e.Hint}, {"In", e.Where}} {
		if more.text != "" {
			text += "\n" + more.label + ": " + more.text
		}
	}
	return text
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *StepError) Unwrap() error { return e.cause }

// Unknown is a step whose outcome could not be read, because the database went away. The ledger knows.
type Unknown struct{ Cause error }

// Error says that nobody knows yet.
func (e *Unknown) Error() string {
	return "the database went away before it answered; whether the step took effect is read from the ledger when it is back: " + e.Cause.Error()
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Unknown) Unwrap() error { return e.Cause }

// Holder is who has the migrator's lock.
type Holder struct {
	PID         int
	Application string
	Age         time.Duration
}

// Locked is the cause of a refusal because somebody else migrates.
type Locked struct{ Holder Holder }

// Error names the holder.
func (e *Locked) Error() string {
	if e.Holder.PID == 0 {
		return "another migrator held the lock until just now"
	}
	return fmt.Sprintf("%s (server process %d) has held the migration lock for %s", e.Holder.Application, e.Holder.PID, clock.Duration(e.Holder.Age))
}

// Disagreement is the cause of a refusal because files and database do not agree.
type Disagreement struct{ Problems []string }

// Error is one problem a line.
func (e *Disagreement) Error() string { return (&FilesError{e.Problems}).Error() }

// GivenUp is the cause of a refusal because the run is no longer marked running.
type GivenUp struct{ State RunState }

// Error says what the run is marked as.
func (e *GivenUp) Error() string {
	return fmt.Sprintf("the run is marked %s, so its step must not begin", e.State)
}

// Trace is what the database knows about a run whose program may be gone.
type Trace struct {
	// Alive says that the server still works for it; PID and Age are that server process's.
	Alive bool
	PID   int
	Age   time.Duration
	// Found says that the ledger holds the run's Entry.
	Found bool
	Entry Entry
}
