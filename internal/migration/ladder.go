package migration

import (
	"fmt"
	"slices"
	"strings"
)

// State is where one version stands, files and database taken together.
type State string

// The states.
const (
	StateApplied     State = "applied"
	StateBaseline    State = "baseline"     // found in the database and recorded, not run
	StatePending     State = "pending"      // the next one
	StateBlocked     State = "blocked"      // waits for an earlier one
	StateRunning     State = "running"      // queued or under way
	StateFailed      State = "failed"       // the last try was rolled back
	StateDirty       State = "dirty"        // stopped half way outside a transaction
	StateChanged     State = "changed"      // applied, and the file says something else now
	StateMissingFile State = "missing_file" // applied, and this program carries no such file
	StateOutOfOrder  State = "out_of_order" // not applied, below one that is
	StateUndone      State = "undone"       // applied once, then taken back
	StateInterrupted State = "interrupted"  // its run was cut off and nobody has looked yet
	StateHandMade    State = "hand_made"    // not applied, and objects of it stand all the same
)

// Words says the state in a sentence, for the legend.
func (s State) Words() string {
	return map[State]string{
		StateApplied:     "In the database, from exactly this file.",
		StateBaseline:    "Was found in the database, checked and recorded; Gatehouse did not run it to its end.",
		StatePending:     "Not in the database; the next one to apply.",
		StateBlocked:     "Not in the database; an earlier one comes first.",
		StateRunning:     "Being applied or undone now.",
		StateFailed:      "The last try failed and left nothing behind; it can be tried again.",
		StateDirty:       "Runs without a transaction and stopped half way: some of its statements may have taken effect.",
		StateChanged:     "In the database, but the file has been changed since.",
		StateMissingFile: "In the database, but this version of Gatehouse carries no such file.",
		StateOutOfOrder:  "Not in the database, although a later version is.",
		StateUndone:      "Was in the database once and has been taken back.",
		StateInterrupted: "A run was cut off; what is known of its effect stands on its page, and a person has to look.",
		StateHandMade:    "Not applied, and objects that it makes stand in the database all the same: somebody made them by hand.",
	}[s]
}

// Rung is one version of the ladder.
type Rung struct {
	Version Version
	State   State
	File    File // zero where the file is missing
	HasFile bool
	// Next is the one that may be applied, and CanUndo the one that may be taken back, as far as order and files go.
	Next, CanUndo bool
	// Blocked says what must happen first; empty for Next.
	Blocked string
	// Note is what is worth knowing and stops nothing.
	Note string
	// Rehearsed is the newest rehearsal of exactly this file; zero where there was none.
	Rehearsed RehearsedFile
	// Last is the newest entry, and Effect the newest successful one; zero where there is none.
	Last, Effect Entry
	// Lint is what the file locks and could do with less, by the sizes of today; nil where nobody read the file.
	Lint *LintReport
	// Diff is how the file differs from what was applied; nil unless it does, or where nobody asked.
	Diff *TextDiff
	// Astray are objects of a version that is not in the database which stand there all the same, by somebody's hand.
	Astray []Object
	// Rename is the command that gives a version that is out of order its place at the end.
	Rename string
}

// InDatabase says whether the version's objects are there, by the ledger.
func (r Rung) InDatabase() bool {
	return r.Effect.Success && r.Effect.Direction.Leaves()
}

// Ladder is every version that has a file or an entry, lowest first.
type Ladder struct {
	Rungs  []Rung
	Belief Belief
	// Problems are disagreements between files and database; with any of them nothing is applied nor undone.
	Problems []string
	// Invalid are indexes that the database keeps up and no query may use. They stop nothing, and do not go by themselves.
	Invalid []InvalidIndex
}

// Find is the rung of a version.
func (l Ladder) Find(v Version) (Rung, bool) {
	for _, r := range l.Rungs {
		if r.Version == v {
			return r, true
		}
	}
	return Rung{}, false
}

// Next is the rung that may be applied.
func (l Ladder) Next() (Rung, bool) {
	for _, r := range l.Rungs {
		if r.Next {
			return r, true
		}
	}
	return Rung{}, false
}

// Build compares files, ledger and golang-migrate's own belief. runs are those under way or interrupted and not yet
// acknowledged.
func Build(files *Files, entries []Entry, belief Belief, runs []Run) Ladder {
	known := standings(entries)
	l := Ladder{Belief: belief}
	highest := Version(-1)
	for v, s := range known {
		if s.applied {
			highest = max(highest, v)
		}
	}
	for _, v := range versionsOf(files, known) {
		r := rung(files, v, known[v], highest)
		if half, _, is := halfWay(belief, highest); is && half == v {
			r.State = StateDirty
		}
		l.Rungs = append(l.Rungs, r)
	}
	l.rename()
	l.Problems = problems(l.Rungs, belief, highest)
	l.order(highest)
	l.mark(runs)
	return l
}

// rename finds each version that is out of order a free one behind all others.
func (l *Ladder) rename() {
	if len(l.Rungs) == 0 {
		return
	}
	free := l.Rungs[len(l.Rungs)-1].Version
	for i := range l.Rungs {
		r := &l.Rungs[i]
		if r.State != StateOutOfOrder {
			continue
		}
		free++ // versions are numbers; after 0.0.999 comes 0.1.0
		now := free.String() + "__" + r.File.Name + ".sql"
		was := r.Version.String() + "__" + r.File.Name + ".sql"
		r.Rename = fmt.Sprintf("git mv V%s V%s && git mv U%s U%s", was, now, was, now)
	}
}

func versionsOf(files *Files, known map[Version]standing) []Version {
	all := files.Versions()
	for v := range known {
		if _, ok := files.Up(v); !ok {
			all = append(all, v)
		}
	}
	slices.Sort(all)
	return all
}

// rung judges one version by itself.
func rung(files *Files, v Version, s standing, highest Version) Rung {
	r := Rung{Version: v, Last: s.last, Effect: s.lastSuccess}
	r.File, r.HasFile = files.Up(v)
	switch {
	case s.applied && !r.HasFile:
		r.State = StateMissingFile
	case s.baseline:
		r.State = StateBaseline
	case s.applied && s.lastSuccess.SHA256 != r.File.SHA256 && s.lastSuccess.TokensSHA256 != r.File.TokensSHA256:
		r.State = StateChanged
	case s.applied:
		r.State = StateApplied
	case r.HasFile && v < highest:
		r.State = StateOutOfOrder
	case s.everRecorded && s.failedSince:
		r.State = StateFailed
	case s.undone:
		r.State = StateUndone
	default:
		r.State = StatePending
	}
	switch {
	case r.State == StateApplied && s.lastSuccess.SHA256 != r.File.SHA256:
		r.Note = "Comments or white space of the file have changed since it was applied; what it does has not."
	case r.State == StateUndone && s.lastSuccess.Direction == Restored:
		r.Note = "A restore of an older backup took it out of the database; no undo file ran."
	case r.InDatabase() && s.failedSince && s.last.Direction == Down:
		r.Note = "The last try to undo it failed and changed nothing."
	}
	return r
}

func problems(rungs []Rung, belief Belief, highest Version) []string {
	var list []string
	for _, r := range rungs {
		switch r.State {
		case StateChanged:
			list = append(list, fmt.Sprintf("%s has been changed since it was applied (then %s, now %s).", r.File.Script, short(r.Effect.SHA256), short(r.File.SHA256)))
		case StateMissingFile:
			list = append(list, fmt.Sprintf("%s is applied, but its file %s is missing here.", r.Version.Title(), r.Effect.Script))
		case StateOutOfOrder:
			list = append(list, fmt.Sprintf("%s is out of order: %s is applied already. Give it a higher version, in the folder of the migrations: %s", r.File.Script, highest.Title(), r.Rename))
		default: // the other states are no disagreement
		}
	}
	switch {
	case belief.Dirty:
		half, _, _ := halfWay(belief, highest)
		list = append(list, fmt.Sprintf("%s runs without a transaction and stopped half way; a person has to look what is there and repair it (gatehouse migrate repair).", half.Title()))
	case belief.Known && belief.Version != highest, !belief.Known && highest >= 0:
		list = append(list, fmt.Sprintf("golang-migrate believes %s, the ledger says %s.", beliefWords(belief), versionWords(highest)))
	}
	return list
}

func beliefWords(b Belief) string {
	if !b.Known {
		return "nothing is applied"
	}
	return b.Version.Title()
}

func versionWords(v Version) string {
	if v < 0 {
		return "nothing is applied"
	}
	return v.Title()
}

func short(hash string) string { return hash[:min(12, len(hash))] }

// order finds the one step up and the one step down that there are.
func (l *Ladder) order(highest Version) {
	var before string
	for i := range l.Rungs {
		r := &l.Rungs[i]
		if r.InDatabase() {
			_, hasFile := r.File, r.HasFile
			r.CanUndo = hasFile && r.Version == highest && r.State != StateBaseline && len(l.Problems) == 0
			continue
		}
		switch {
		case !r.HasFile:
			r.Blocked = "This version of Gatehouse carries no file for it."
		case len(l.Problems) > 0:
			r.Blocked = "Files and database disagree: " + strings.Join(l.Problems, " ")
		case before != "":
			r.Blocked = before + " comes first."
		default:
			r.Next = true
		}
		if r.State == StatePending && !r.Next {
			r.State = StateBlocked
		}
		if before == "" && r.HasFile {
			before = r.Version.Title()
		}
	}
}

// mark puts runs over what the ledger says.
func (l *Ladder) mark(runs []Run) {
	busy := ""
	for _, run := range runs {
		for i := range l.Rungs {
			r := &l.Rungs[i]
			if r.Version != run.Version {
				continue
			}
			switch {
			case run.State.Active():
				r.State, busy = StateRunning, run.Sentence()
			case run.State == Interrupted && run.AcknowledgedAt.IsZero():
				r.State, busy = StateInterrupted, fmt.Sprintf("A run of %s was cut off; somebody has to look at it and acknowledge it first.", run.Version.Title())
			}
		}
	}
	if busy == "" {
		return
	}
	for i := range l.Rungs {
		r := &l.Rungs[i]
		if r.Next {
			r.Next, r.Blocked = false, busy
		}
		r.CanUndo = false
	}
}
