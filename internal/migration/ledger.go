package migration

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/clock"
)

// Entry is one try in the ledger. The entry of a success was written in the migration's own transaction, so that where
// it stands the effect stands too; the entry of a failure was written after the rollback.
type Entry struct {
	ID           int64
	Version      Version
	Direction    Direction
	Description  string
	Script       string
	Success      bool
	SHA256       string
	TokensSHA256 string
	By           Person
	Release      uuid.UUID // zero where no release asked for it
	Run          uuid.UUID // zero where set-up ran it
	StartedAt    time.Time
	FinishedAt   time.Time
	Took         time.Duration
	Server       string // version of the PostgreSQL that ran it
	SQLState     string
	Error        string
	Notices      string
	Waits        *LockWaits // nil where nobody looked
}

// RepairedAs begins the line of the notices with which a person signed a repair; which one follows.
const RepairedAs = "Repaired as "

// Repaired is the repair that the entry records; empty where it is a try.
func (e Entry) Repaired() Repair {
	for line := range strings.SplitSeq(e.Notices, "\n") {
		if rest, is := strings.CutPrefix(line, RepairedAs); is {
			word, _, _ := strings.Cut(rest, " ")
			return Repair(word)
		}
	}
	return ""
}

// LockWaits is what a step waited for: how often, how long in all, and for whom, one a line.
type LockWaits struct {
	Times int
	Took  time.Duration
	For   string
}

// WaitWords says what the step waited for.
func (e Entry) WaitWords() string {
	switch w := e.Waits; {
	case w == nil:
		return "not recorded"
	case w.Times == 0:
		return "none seen"
	case w.For == "":
		return fmt.Sprintf("%d, %s in all", w.Times, clock.Duration(w.Took))
	default:
		return fmt.Sprintf("%d, %s in all, for: %s", w.Times, clock.Duration(w.Took), strings.ReplaceAll(w.For, "\n", "; "))
	}
}

// Person is who acted, as far as the reader may know: of another tenant's people only that they are another's.
type Person struct {
	Tenant          uuid.UUID
	Issuer, Subject string
	Name            string
	Roles           string
	Origin          string
}

// Belief is the one row that golang-migrate goes by.
type Belief struct {
	Version Version // zero before the first
	Known   bool    // false before the first migration
	Dirty   bool    // a file that runs without a transaction stopped half way
}

// standing is what a version's entries say together.
type standing struct {
	applied      bool
	baseline     bool
	undone       bool
	last         Entry
	lastSuccess  Entry // of any direction
	hasSuccess   bool
	failedSince  bool // the newest entry is a failure
	everRecorded bool
}

// standings folds entries; any order, and any subset that holds the newest success and the newest entry of each version.
func standings(entries []Entry) map[Version]standing {
	all := map[Version]standing{}
	for _, e := range entries {
		s := all[e.Version]
		if !s.everRecorded || e.ID > s.last.ID {
			s.last, s.everRecorded = e, true
		}
		if e.Success && (!s.hasSuccess || e.ID > s.lastSuccess.ID) {
			s.lastSuccess, s.hasSuccess = e, true
		}
		all[e.Version] = s
	}
	for v, s := range all {
		s.applied = s.hasSuccess && s.lastSuccess.Direction.Leaves()
		s.baseline = s.applied && s.lastSuccess.Direction == Baseline
		s.undone = s.hasSuccess && !s.lastSuccess.Direction.Leaves()
		s.failedSince = !s.last.Success
		all[v] = s
	}
	return all
}
