package migration

import (
	"cmp"
	"slices"
)

// LockMode is one of PostgreSQL's eight table locks; a higher one keeps more people waiting.
type LockMode int

// The table locks, in the order of PostgreSQL 15's documentation, 13.3.1 "Table-Level Locks". The numbers are the
// server's own (lockdefs.h).
const (
	NoLock LockMode = iota
	AccessShare
	RowShare
	RowExclusive
	ShareUpdateExclusive
	Share
	ShareRowExclusive
	Exclusive
	AccessExclusive
)

var lockNames = [...]string{"no lock", "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"}

// String is the name as pg_locks shows it.
func (m LockMode) String() string {
	if m < 0 || int(m) >= len(lockNames) {
		return "unknown lock"
	}
	return lockNames[m]
}

// Waits says who waits while somebody holds the lock on a relation.
func (m LockMode) Waits(relation string) string {
	switch m {
	case AccessExclusive:
		return "reads and writes of " + relation + " wait"
	case Exclusive, ShareRowExclusive, Share:
		return "writes of " + relation + " wait; reads go on"
	case ShareUpdateExclusive:
		return "reads and writes of " + relation + " go on; VACUUM and other schema changes wait"
	case RowExclusive:
		return "reads of " + relation + " go on; who changes the same rows waits"
	case NoLock, AccessShare, RowShare:
	}
	return "nobody who reads or writes " + relation + " waits"
}

// LintLock is a lock that a statement takes on a relation that was there before the file.
type LintLock struct {
	Line     int      `json:"line"`
	Relation string   `json:"relation"`
	Mode     LockMode `json:"-"`
	Lock     string   `json:"lock"`
	Waits    string   `json:"waits"`
}

// locks are what a statement takes by the documentation: for each command the reference page of PostgreSQL 15, for the
// sub-commands of ALTER TABLE the page of ALTER TABLE, which names every one that takes less than ACCESS EXCLUSIVE.
func (s Parsed) locks() []LintLock {
	strongest := map[string]LockMode{}
	take := func(mode LockMode, relations ...string) {
		for _, r := range relations {
			if r != "" {
				strongest[r] = max(strongest[r], mode)
			}
		}
	}
	take(s.mode(), s.Relations...)
	take(ShareRowExclusive, s.References...)
	for _, a := range s.Actions {
		take(a.mode(), s.Relations...)
		if a.References != "" {
			take(a.referencedMode(), a.References)
		}
	}
	list := make([]LintLock, 0, len(strongest))
	for relation, mode := range strongest {
		if mode != NoLock {
			list = append(list, LintLock{s.Line, relation, mode, mode.String(), mode.Waits(relation)})
		}
	}
	slices.SortFunc(list, func(a, b LintLock) int {
		return cmp.Or(cmp.Compare(b.Mode, a.Mode), cmp.Compare(a.Relation, b.Relation))
	})
	return list
}

// mode is the lock of the command itself on what it is about.
func (s Parsed) mode() LockMode {
	concurrently := func(with, without LockMode) LockMode {
		if s.Concurrently {
			return with
		}
		return without
	}
	switch s.Kind {
	case KindCreate:
		return s.createMode()
	case KindDrop:
		return concurrently(ShareUpdateExclusive, AccessExclusive)
	case KindRename, KindTruncate, KindCluster:
		if s.Object == "index" {
			return ShareUpdateExclusive
		}
		return AccessExclusive
	case KindRefresh:
		return concurrently(Exclusive, AccessExclusive)
	case KindReindex:
		return concurrently(ShareUpdateExclusive, Share)
	case KindVacuum:
		if s.Full {
			return AccessExclusive
		}
		return ShareUpdateExclusive
	case KindLock:
		return s.Mode
	case KindInsert, KindUpdate, KindDelete:
		return RowExclusive
	case KindCopy:
		if s.Value == "to" {
			return AccessShare
		}
		return RowExclusive
	case KindAlterTable, KindAddValue, KindGrant, KindDo, KindAlterSystem, KindSet, KindTransaction, KindOther:
	}
	return NoLock
}

// createMode is the lock on the table that an index, a trigger, a policy or a rule is made on.
func (s Parsed) createMode() LockMode {
	switch s.Object {
	case "index":
		if s.Concurrently {
			return ShareUpdateExclusive
		}
		return Share
	case "trigger":
		return ShareRowExclusive
	case "policy", "rule":
		return AccessExclusive
	case "statistics":
		return ShareUpdateExclusive
	}
	return NoLock
}

func (a ParsedAction) mode() LockMode {
	switch a.Kind {
	case ActionValidate, ActionSetting, ActionAttach:
		return ShareUpdateExclusive
	case ActionTrigger:
		return ShareRowExclusive
	case ActionAddConstraint:
		if a.Constraint == "foreign key" {
			return ShareRowExclusive
		}
	case ActionAddColumn, ActionDropColumn, ActionColumnType, ActionSetNotNull, ActionDropConstraint, ActionRewrite, ActionBrief:
	}
	return AccessExclusive
}

// referencedMode is the lock on the table that a foreign key points at, or on the partition that is attached.
func (a ParsedAction) referencedMode() LockMode {
	if a.Kind == ActionAttach {
		return AccessExclusive
	}
	return ShareRowExclusive
}
