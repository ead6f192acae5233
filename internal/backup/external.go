package backup

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/clock"
)

// External is a backup that another tool took, as a person registered it. It is worth nothing until it was restored.
type External struct {
	ID                   uuid.UUID
	Provider, Identifier string
	TakenAt              time.Time // as the person says
	Covers, Evidence     string
	SHA256               string // of the file, as the person says; empty where unknown
	File                 string // a dump of it in the place where backups are kept; empty where there is none
	By                   string
	RegisteredAt         time.Time
	// Own is the newest drill that Gatehouse made of the file, Attested the newest that a person attested; nil where none.
	Own, Attested *ExternalDrill
}

// ExternalDrill is one restoring of an external backup.
type ExternalDrill struct {
	Attested bool
	Passed   bool
	Findings []string // what was wrong; empty where it passed
	// Unproven says why a drill of our own that passed does not count: the file does not show of which database it is.
	Unproven   string
	RestoredAt time.Time
	Took       time.Duration
	Evidence   string // of an attested one
	By         string
	// Backup is the backup as which it counts since; nil where it counts for nothing.
	Backup uuid.UUID
}

// ExternalWorth is what an external backup is good for.
type ExternalWorth string

// The worths of external backups. Only the first opens a gate.
const (
	ExternalProven   ExternalWorth = "restored here, and proven to be of this database"
	ExternalOther    ExternalWorth = "restored here, not proven to be of this database"
	ExternalAttested ExternalWorth = "restored, by attestation"
	ExternalDue      ExternalWorth = "registered, drill due"
	ExternalOverdue  ExternalWorth = "drill overdue"
	ExternalBroken   ExternalWorth = "does not restore"
)

// Worth is what it is good for at a moment, and why. within is how long after its registration it has to be restored.
func (e External) Worth(now time.Time, within time.Duration) (ExternalWorth, string) {
	due := e.RegisteredAt.Add(within)
	switch {
	case e.Own != nil && !e.Own.Passed:
		return ExternalBroken, strings.Join(e.Own.Findings, "; ")
	case e.Own != nil && e.Own.Backup != uuid.Nil:
		return ExternalProven, "in " + clock.Duration(e.Own.Took) + " on " + clock.Stamp(e.Own.RestoredAt)
	case e.Own != nil:
		return ExternalOther, e.Own.Unproven
	case e.Attested != nil:
		return ExternalAttested, "on " + clock.Stamp(e.Attested.RestoredAt) + ", says " + e.Attested.By
	case now.After(due):
		return ExternalOverdue, "since " + clock.Stamp(due)
	}
	return ExternalDue, "by " + clock.Stamp(due)
}

// Sentence is what follows from the worth for whoever wants to apply a migration.
func (w ExternalWorth) Sentence() string {
	switch w {
	case ExternalProven:
		return "It counts as a backup of our own, from the mark on that was found in it."
	case ExternalOther:
		return "It opens no gate. Two people may override that on the release's page Window."
	case ExternalAttested:
		return "Nobody saw it restore here, so it opens no gate. Two people may override that on the release's page Window."
	case ExternalDue, ExternalOverdue:
		return "It opens no gate before it was restored."
	case ExternalBroken:
		return "It opens no gate. Put the file right and restore it again, or register it anew."
	}
	return ""
}

// Registration is what a person says of an external backup.
type Registration struct {
	Provider, Identifier, Covers, Evidence, SHA256, File string
	TakenAt                                              time.Time
}

// Attestation is what a person says of a drill that somebody else made.
type Attestation struct {
	RestoredAt time.Time
	Took       time.Duration // zero where unknown
	Evidence   string
}

// Mark is where the log of this cluster stood at a moment.
type Mark struct {
	ID          uuid.UUID
	At          time.Time
	System, WAL string
}

// ExternalStore keeps what is known of external backups. Nothing in it is ever changed.
type ExternalStore interface {
	// Register keeps the backup and the event; false where the tenant does not operate the environment or a person's sign-in
	// is not fresh. The same provider and identifier twice is a Conflict.
	Register(ctx context.Context, by actor.Actor, x External, e audit.Event) (bool, error)
	// AddMark writes down where the log stands; false where the tenant does not operate the environment.
	AddMark(ctx context.Context, by actor.Actor, id uuid.UUID, e audit.Event) (bool, error)
	// Externals are the newest 50, newest first; where id is not nil, that one alone.
	Externals(ctx context.Context, by actor.Actor, id *uuid.UUID) ([]External, error)
	// Mark finds the newest of the marks that the tenant's database holds, of this very cluster; false where it holds none.
	Mark(ctx context.Context, by actor.Actor, ids []uuid.UUID) (Mark, bool, error)
	// AddExternalDrill keeps a drill and its event, and where the backup counts from then on, the backup with its drill; false
	// where a person's sign-in is not fresh.
	AddExternalDrill(ctx context.Context, by actor.Actor, id uuid.UUID, d ExternalDrill, counts *Backup, e audit.Event) (bool, error)
	// Record keeps an event of which nothing else remains.
	Record(ctx context.Context, by actor.Actor, e audit.Event) error
}

// ExternalSource restores what others dumped.
type ExternalSource interface {
	// RestoreMarked restores the file into a database of its own, reads it as Dump does, with the newest marks in it, and
	// throws it away. A file that does not restore is a fault.Invalid with the tool's words.
	RestoreMarked(ctx context.Context, file io.Reader) (Manifest, []uuid.UUID, error)
	// Holds counts what the database itself holds now.
	Holds(ctx context.Context) (Manifest, error)
}

// unmarked says why a file that restores does not count.
const unmarked = "no mark of this database is in it: run `gatehouse backup mark` before the other tool dumps, and register that dump"

// incomplete says what the database holds now and the dump does not; empty where it is the whole. Rows may have come and gone
// since, so only a table that has rows now and none in the dump is called lacking; Gatehouse's own fill up all the time.
func incomplete(restored, now Manifest) string {
	shape := func(m Manifest) Manifest {
		bare := Manifest{Standing: m.Standing, Objects: m.Objects, Rows: map[string]int64{}}
		for table := range m.Rows {
			bare.Rows[table] = 0
		}
		return bare
	}
	lacks := shape(now).Differences(shape(restored))
	for _, table := range union(now.Rows, nil) {
		if got, there := restored.Rows[table]; there && got == 0 && now.Rows[table] > 0 && !strings.HasPrefix(table, "gatehouse.") {
			lacks = append(lacks, "table "+table+" is empty in it, and has rows now")
		}
	}
	switch len(lacks) {
	case 0:
		return ""
	case 1, 2, 3:
		return "it is not all that the database holds now: " + strings.Join(lacks, "; ")
	}
	return fmt.Sprintf("it is not all that the database holds now: %s; and %d more", strings.Join(lacks[:3], "; "), len(lacks)-3)
}

// lasts is what the person reads of how long there is time for a drill.
func lasts(within time.Duration) string { return fmt.Sprintf("%d days", int(within.Hours())/24) }
