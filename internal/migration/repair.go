package migration

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// Repair is what a person says about a version that stopped half way.
type Repair string

// The repairs. Each is taken only where the catalog proves it.
const (
	RepairApplied    Repair = "applied"     // everything of it is there
	RepairNotApplied Repair = "not-applied" // nothing of it is there
	RepairUndo       Repair = "undo"        // run its undo file; then nothing of it is there
)

// ParseRepair reads a repair.
func ParseRepair(s string) (Repair, error) {
	r := Repair(s)
	if slices.Contains([]Repair{RepairApplied, RepairNotApplied, RepairUndo}, r) {
		return r, nil
	}
	return "", fault.New(fault.Invalid, "A repair is one of %s, %s and %s.", RepairApplied, RepairNotApplied, RepairUndo)
}

// HalfWay is the version that stopped half way outside a transaction, and in which direction. golang-migrate's engine notes
// the version that it goes to: on its way down that is the one below.
func (l Ladder) HalfWay() (v Version, d Direction, is bool) {
	return halfWay(l.Belief, highestOf(l.Rungs))
}

func halfWay(belief Belief, highest Version) (Version, Direction, bool) {
	switch {
	case !belief.Dirty:
		return 0, "", false
	case highest > belief.Version || !belief.Known:
		return highest, Down, true
	}
	return belief.Version, Up, true
}

func highestOf(rungs []Rung) Version {
	highest := Version(-1)
	for _, r := range rungs {
		if r.InDatabase() {
			highest = max(highest, r.Version)
		}
	}
	return highest
}

// Below is the highest version in the database under v, which is where golang-migrate stands without v; -1 for none.
func (l Ladder) Below(v Version) Version {
	below := Version(-1)
	for _, r := range l.Rungs {
		if r.InDatabase() && r.Version < v {
			below = r.Version
		}
	}
	return below
}

// Prove says whether the catalog proves the repair, and how many checks did. What it does not prove is a fault.Conflict that
// lists everything that is otherwise.
func Prove(file File, r Repair, facts []Fact) (checks int, err error) {
	if r != RepairUndo {
		if why := unprovable(file); why != "" {
			return 0, fault.New(fault.Conflict, "%s cannot be proven: %s. Nothing was recorded.", file.Version.Title(), why)
		}
	}
	list := Checks(file, r == RepairApplied, facts)
	var wrong []string
	for _, c := range list {
		if !c.Passed {
			wrong = append(wrong, fmt.Sprintf("%s: expected %s, found %s", c.Name, c.Expected, c.Found))
		}
	}
	if len(wrong) > 0 {
		cause := &Disagreement{Problems: wrong}
		return 0, fault.New(fault.Conflict, "The database does not prove that %s is %s, so nothing was recorded: %s.", file.Version.Title(), r, strings.Join(wrong, "; ")).Because(cause)
	}
	return len(list), nil
}

// unprovable finds what a file does that no look at the objects of its card can show afterwards.
func unprovable(file File) string {
	creates := 0
	for _, s := range Split(file.SQL) {
		word, _, _ := strings.Cut(strings.ToUpper(s.SQL), " ")
		switch word {
		case "SET", "RESET", "ANALYZE":
		case "CREATE":
			creates++
		default:
			return fmt.Sprintf("line %d of its file (%s) leaves nothing that its plan card could be held against", s.Line, word)
		}
	}
	if len(file.Card.Changes) > 0 || creates > len(file.Card.Creates) {
		return "its plan card names less than its file does"
	}
	return ""
}
