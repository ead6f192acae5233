package migration

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// Repair is what a person says about a version of which ledger and database do not agree, or of which nobody knows.
type Repair string

// The repairs. Each is taken only where the database proves it.
const (
	RepairApplied    Repair = "applied"     // everything of it is there
	RepairNotApplied Repair = "not-applied" // nothing of it is there
	RepairUndo       Repair = "undo"        // run its undo file; then nothing of it is there
)

var repairs = []Repair{RepairNotApplied, RepairApplied, RepairUndo}

// ParseRepair reads a repair.
func ParseRepair(s string) (Repair, error) {
	r := Repair(s)
	if slices.Contains(repairs, r) {
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

// Probe judges a look at a version: which repairs the database proves, and why the others are not offered. waiting is an
// interrupted run of it that nobody has closed.
func (l Ladder) Probe(files *Files, v Version, effects []Effect, blind bool, waiting uuid.UUID) (Probe, error) {
	rung, known := l.Find(v)
	if !known || !rung.HasFile {
		return Probe{}, fault.New(fault.NotFound, "There is no file for %s, so nothing is recorded of it.", v.Title())
	}
	half, _, is := l.HalfWay()
	p := Probe{
		Version: v, Script: rung.File.Script, SHA256: rung.File.SHA256, Bare: rung.File.NoTransaction, InLedger: rung.InDatabase(), HalfWay: is && half == v, Waiting: waiting,
	}
	if down, ok := files.Down(v); ok && p.InLedger && p.HalfWay {
		p.Bare = down.NoTransaction
	}
	p.Statements, p.Rest = Statements(rung.File, effects, blind)
	for _, r := range repairs {
		p.Offers = append(p.Offers, Offer{As: r, WhyNot: l.whyNot(files, rung, p, r, blind)})
	}
	return p, nil
}

// whyNot says why a repair is not offered; empty where it is.
func (l Ladder) whyNot(files *Files, rung Rung, p Probe, r Repair, blind bool) string {
	down, undoable := files.Down(p.Version)
	aloof := r == RepairUndo && undoable && !down.NoTransaction && p.Version > highestOf(l.Rungs)
	if why := l.outOfPlace(rung, p, aloof); why != "" {
		return why
	}
	done, not, other := p.count()
	settled := !p.HalfWay && p.Waiting == uuid.Nil
	switch r {
	case RepairUndo:
		switch {
		case !undoable:
			return "There is no file to take it back with."
		case p.HalfWay:
			return ""
		case p.InLedger:
			return "It is applied; to take it back use its page Undo."
		case done+other == 0:
			return "Nothing of it is there to be undone."
		}
		return ""
	case RepairNotApplied:
		if done+other > 0 {
			return "Something of it is there: " + p.first(TookEffect, Otherwise)
		}
		if settled && !p.InLedger && rung.State != StateFailed {
			return "The ledger says so already; there is nothing to repair."
		}
		return p.unproven(rung, p.InLedger, blind, done+not)
	case RepairApplied:
		if not+other > 0 || done == 0 {
			return "Not everything of it is there: " + p.first(NotThere, Otherwise)
		}
		if settled && p.InLedger {
			return "The ledger says so already; there is nothing to repair."
		}
		return p.unproven(rung, !p.InLedger, blind, done+not)
	}
	return "There is no such repair."
}

// outOfPlace says why nothing can be recorded of the version now. aloof is the undoing of what somebody made by hand of a
// version whose turn has not come: that keeps every lower one from being applied, so it may be taken back by a file with a
// transaction, which does it whole or not at all.
func (l Ladder) outOfPlace(rung Rung, p Probe, aloof bool) string {
	half, _, is := l.HalfWay()
	switch {
	case is && half != p.Version:
		return half.Title() + " stopped half way and comes first."
	case is:
		return ""
	case len(l.Problems) > 0:
		return "Files and database disagree: " + strings.Join(l.Problems, " ")
	case p.InLedger && p.Version != highestOf(l.Rungs):
		return "A later version is applied on top of it."
	case !p.InLedger && !rung.Next && !aloof:
		return "It is not its turn: " + rung.Blocked
	}
	return ""
}

// unproven says what of the file leaves no trace, where a trace is needed: outside a transaction, and where the word
// contradicts the ledger. Otherwise the ledger, whose entry commits together with the file, covers it.
func (p Probe) unproven(rung Rung, contradicts, blind bool, effects int) string {
	if !contradicts && !p.Bare && !p.HalfWay {
		return ""
	}
	for _, s := range p.Statements {
		if s.Verdict == LeavesNone {
			word, _, _ := strings.Cut(strings.ToUpper(s.SQL), " ")
			return fmt.Sprintf("Line %d of its file (%s) leaves nothing that could be looked at.", s.Line, word)
		}
	}
	if blind && len(rung.File.Card.Changes) > 0 {
		return "Its plan card names less than its file does."
	}
	if effects == 0 {
		return "It leaves nothing that could be looked at."
	}
	return ""
}

func (p Probe) first(verdicts ...Verdict) string {
	for _, e := range p.effects() {
		if slices.Contains(verdicts, e.Verdict) {
			return fmt.Sprintf("%s: found %s.", e.Object, short40(e.Found))
		}
	}
	return "nothing of it can be looked at."
}

func short40(s string) string {
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:59]) + "…"
	}
	return s
}

// manyDisagree is how many things a refusal names one by one.
const manyDisagree = 10

// Prove refuses with a fault.Conflict what the look does not prove, and says what is otherwise.
func (p Probe) Prove(r Repair) error {
	offer := p.Offer(r)
	if offer.Offered() {
		return nil
	}
	var wrong []string
	bad := map[Repair][]Verdict{RepairApplied: {NotThere, Otherwise}, RepairNotApplied: {TookEffect, Otherwise}, RepairUndo: {TookEffect, Otherwise}}[r]
	for _, e := range p.effects() {
		if slices.Contains(bad, e.Verdict) {
			wrong = append(wrong, fmt.Sprintf("%s: found %s", e.Object, short40(e.Found)))
		}
	}
	text := strings.Join(wrong[:min(manyDisagree, len(wrong))], "; ")
	if more := len(wrong) - manyDisagree; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	if text == "" || r == RepairUndo {
		text = offer.WhyNot // an undo is not offered for what stands around it, never for what is there
	}
	claim := map[Repair]string{RepairApplied: "is applied", RepairNotApplied: "is not applied", RepairUndo: "can be taken back here"}[r]
	return fault.New(fault.Conflict, "The database does not prove that %s %s, so nothing was recorded. %s", p.Version.Title(), claim, text).Because(&Disagreement{Problems: append(wrong, offer.WhyNot)})
}
