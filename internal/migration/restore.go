package migration

import (
	"slices"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// RestoreChange is what a restore does to one version, as its ledger entry says it afterwards.
type RestoreChange struct {
	Version Version
	// Direction is Restored for a version that goes, and Baseline for one that comes back, or comes back from another text.
	Direction Direction
	// Was is the entry that put the version into the database: the one that goes, or the one that comes back.
	Was Entry
}

// Goes says whether the version is no longer in the database after the restore.
func (c RestoreChange) Goes() bool { return c.Direction == Restored }

// PlanRestore says what a restore does to the versions. entries are the whole ledger; the backup holds the first held of
// them, because nothing is ever taken out of a ledger and its writers stand in one line. highest is what the schema stands
// at after the restore, below zero for nothing. A ledger that is no continuation of the backup's is a fault.Conflict.
func PlanRestore(entries []Entry, held int) (changes []RestoreChange, highest Version, err error) {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Entry) int { return int(a.ID - b.ID) })
	if held > len(entries) {
		return nil, 0, fault.New(fault.Conflict, "The backup knows %d entries of the migration ledger and this database %d: it is an older state than the backup's, and what is missing here cannot be written anew. Nothing was changed.", held, len(entries))
	}
	then, now := standings(entries[:held]), standings(entries)
	highest = -1
	for v, is := range now {
		was := then[v]
		switch {
		case is.applied && !was.applied:
			changes = append(changes, RestoreChange{Version: v, Direction: Restored, Was: is.lastSuccess})
		case was.applied && (!is.applied || is.lastSuccess.TokensSHA256 != was.lastSuccess.TokensSHA256):
			changes = append(changes, RestoreChange{Version: v, Direction: Baseline, Was: was.lastSuccess})
		}
		if was.applied {
			highest = max(highest, v)
		}
	}
	slices.SortFunc(changes, func(a, b RestoreChange) int { return int(a.Version - b.Version) })
	return changes, highest, nil
}
