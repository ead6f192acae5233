package migration

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// InvalidIndex is what a CREATE INDEX CONCURRENTLY that was cut leaves: kept up by every write, used by no query.
type InvalidIndex struct {
	Name  string // schema first, quoted where SQL needs it
	Table string
}

// Drop is the statement that removes it, so that its file can be applied again.
func (i InvalidIndex) Drop() string { return "DROP INDEX CONCURRENTLY " + i.Name }

// Sentence says what it is, and what can be done.
func (i InvalidIndex) Sentence() string {
	return fmt.Sprintf("Index %s on %s is not valid: every write pays for it and no query uses it. Unless somebody is building it at this moment, remove it: %s;", i.Name, i.Table, i.Drop())
}

// Choice is one way out of a version that stopped half way.
type Choice string

// The choices.
const (
	MarkNotApplied Choice = "not-applied" // nothing of it is there
	MarkApplied    Choice = "applied"     // everything that its card names is there
	RunDown        Choice = "down"        // its undo file takes away what is there
	DropIndex      Choice = "drop-index"  // an invalid index goes, and nothing else
)

// Way is a choice, and why it cannot be taken; empty where it can.
type Way struct {
	Choice Choice
	WhyNot string
}

// Finding is what the database shows of a version that may have stopped half way.
type Finding struct {
	Rung Rung
	// Checks are the objects of its card, each held against what should be there if it was applied.
	Checks  []Check
	Invalid []InvalidIndex
	Ways    []Way
}

// Examine judges a version by the facts; only what they prove can be chosen. There is a way only for a version that has a
// file and at which golang-migrate stopped.
func (l Ladder) Examine(files *Files, v Version, facts []Fact) (Finding, error) {
	rung, ok := l.Find(v)
	switch {
	case !ok || !rung.HasFile:
		return Finding{}, fault.New(fault.NotFound, "There is no file for %s; a version without one is never recorded.", v.Title())
	case l.Halfway() != v && len(l.Invalid) == 0:
		return Finding{}, fault.New(fault.Conflict, "%s did not stop half way; there is nothing to repair.", v.Title())
	}
	f := Finding{Rung: rung, Invalid: l.Invalid, Checks: Checks(rung.File, true, facts)}
	_, hasUndo := files.Down(v)
	f.Ways = []Way{
		{MarkNotApplied, whyNotGone(rung.File.Card, facts)},
		{MarkApplied, whyNotThere(rung.File.Card, f.Checks)},
		{RunDown, ""},
		{DropIndex, ""},
	}
	if !hasUndo {
		f.Ways[2].WhyNot = "There is no undo file."
	}
	if len(l.Invalid) == 0 {
		f.Ways[3].WhyNot = "No index is invalid."
	}
	if l.Halfway() != v {
		for i := range 3 {
			f.Ways[i].WhyNot = v.Title() + " did not stop half way."
		}
	}
	return f, nil
}

// Halfway is the version that stopped half way, up or down; -1 where none did.
func (l Ladder) Halfway() Version {
	if !l.Belief.Dirty {
		return -1
	}
	// While a version is taken back, golang-migrate already believes the one below it.
	halfway := l.Belief.Version
	if r, ok := l.Find(halfway); !l.Belief.Known || ok && r.InDatabase() {
		for _, r := range l.Rungs {
			if r.InDatabase() {
				halfway = max(halfway, r.Version)
			}
		}
	}
	return halfway
}

// Below is the highest version in the database under v; -1 where there is none.
func (l Ladder) Below(v Version) Version {
	below := Version(-1)
	for _, r := range l.Rungs {
		if r.Version < v && r.InDatabase() {
			below = max(below, r.Version)
		}
	}
	return below
}

// whyNotGone says what keeps "nothing of it is there" from being proven.
func whyNotGone(card Card, facts []Fact) string {
	if len(card.Creates) == 0 {
		return "Its plan card names nothing that it creates, so that nothing of it is there cannot be seen."
	}
	var there []string
	for _, f := range facts {
		created := slices.Contains(card.Creates, f.Object)
		switch {
		case created && f.Found:
			there = append(there, f.Object.String()+" is there")
		case !created && f.Object.Type == "":
			there = append(there, "whether "+f.Object.String()+" was changed cannot be seen")
		case !created && f.Found && f.Detail == f.Object.Type:
			there = append(there, f.Object.String()+" is changed")
		}
	}
	return sentence(there)
}

// whyNotThere says which post-condition does not hold.
func whyNotThere(card Card, checks []Check) string {
	if len(card.Creates) == 0 {
		return "Its plan card names nothing that it creates, so that it took effect cannot be seen."
	}
	var lacking []string
	for _, c := range checks {
		if !c.Passed {
			lacking = append(lacking, fmt.Sprintf("%s: %s", c.Name, c.Found))
		}
	}
	return sentence(lacking)
}

func sentence(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, "; ") + "."
}

// Allows is the refusal of a choice that the facts do not prove; nil where they do.
func (f Finding) Allows(c Choice, index string) error {
	i := slices.IndexFunc(f.Ways, func(w Way) bool { return w.Choice == c })
	switch {
	case i < 0:
		return fault.New(fault.Invalid, "%q is no way to repair a version.", c)
	case f.Ways[i].WhyNot != "":
		return fault.New(fault.Conflict, "%s cannot be repaired in this way: %s", f.Rung.Version.Title(), f.Ways[i].WhyNot)
	case c == DropIndex && !slices.ContainsFunc(f.Invalid, func(x InvalidIndex) bool { return x.Name == index }):
		return fault.New(fault.Conflict, "Index %q is none of the invalid ones.", index)
	}
	return nil
}
