package operation

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/backup"
)

// Kind is what is done.
type Kind string

// The kinds.
const (
	Backup    Kind = "backup"    // one is taken, and restored once beside the database
	Drill     Kind = "drill"     // the subject, a backup, is restored beside the database
	Rehearsal Kind = "rehearsal" // the pending migrations run on the restored subject, a backup
	// External restores the file of an external backup, which stands in the argument.
	External Kind = "external"
	// Sample is a rehearsal where there is no backup yet: on the schema and a sample of the rows.
	Sample Kind = "sample"

	// These work on the database itself; what they work on stands in the argument.
	Losses  Kind = "losses"  // what the undo of a version would lose is counted and saved
	Repair  Kind = "repair"  // what became of a version is recorded as the database proves it, or its undo file is run
	Reindex Kind = "reindex" // an index that is not valid is dropped and built again

	// Restore puts the warehouse back to what the subject, a backup, held; the argument is the request that two people
	// stand behind.
	Restore Kind = "restore"
)

// State is where an operation stands.
type State string

// The states. An operation goes forward only; one that was called interrupted may still report how it ended.
const (
	Queued      State = "queued"
	Running     State = "running"
	Succeeded   State = "succeeded"
	Failed      State = "failed"
	Interrupted State = "interrupted"
)

// Active says whether it still has the floor.
func (s State) Active() bool { return s == Queued || s == Running }

// Operation is one order, and what came of it.
type Operation struct {
	ID      uuid.UUID
	Kind    Kind
	Subject uuid.UUID // the backup it works on; nil where it works on none
	// Argument is what it works on where that is no backup.
	Argument string
	By       actor.Actor
	State    State

	RequestedAt time.Time
	StartedAt   time.Time // zero while queued
	FinishedAt  time.Time // zero while active
	// Sentence says how it ended.
	Sentence string
	// Result is the backup or the rehearsal that it left; nil where it left none.
	Result uuid.UUID
}

// Line is a line of an operation's log.
type Line struct {
	Seq  int
	At   time.Time
	Text string
}

// Ref is where an operation is found, and for an unfinished one how long nothing was heard of it.
type Ref struct {
	Tenant, ID uuid.UUID
	State      State
	Idle       time.Duration
}

// Done is how work ended.
type Done struct {
	Passed   bool
	Sentence string
	Result   uuid.UUID
}

// Overview is what the page of backups shows: the newest 50 backups of each sort and the newest 10 operations, newest first.
type Overview struct {
	Backups    []backup.Backup
	Externals  []backup.External
	Operations []Operation
}

// Store keeps operations.
type Store interface {
	// Order keeps the operation, its job and its event in one transaction. The same key again gives the operation that it
	// made. It is refused with Conflict while another is under way, and with NotFound where the subject cannot be worked on.
	Order(ctx context.Context, by actor.Actor, o Operation, key uuid.UUID, e audit.Event) (Operation, error)
	// Look gives one operation and what its log holds after a line, in one round trip; NotFound where the tenant has none such.
	Look(ctx context.Context, by actor.Actor, id uuid.UUID, after, limit int) (Operation, []Line, error)
	Overview(ctx context.Context, by actor.Actor) (Overview, error)

	// Start marks a queued operation running; false where it is not queued any more.
	Start(ctx context.Context, ref Ref) (Operation, bool, error)
	// Beat says that the work goes on.
	Beat(ctx context.Context, ref Ref) error
	Say(ctx context.Context, ref Ref, line string) error
	// Finish writes the end and its event; what has ended already stays as it is.
	Finish(ctx context.Context, ref Ref, state State, done Done, e audit.Event) error
	// Fate is what the database knows of work that changes it in one transaction.
	Fate(ctx context.Context, ref Ref) (Fate, error)
	// Unfinished lists queued and running operations of all tenants.
	Unfinished(ctx context.Context) ([]Ref, error)
}
