package migration

import (
	"fmt"
	"slices"
	"strings"
)

// Made are the objects that the versions' files create, in order of version: what should not be there before they ran. An
// extension is not among them, because a server may have it for other reasons.
func (s *Files) Made(versions ...Version) []Object {
	var list []Object
	for _, v := range versions {
		list = append(list, madeBy(s.up[v])...)
	}
	return list
}

func madeBy(f File) []Object {
	return slices.DeleteFunc(slices.Clone(f.Card.Creates), func(o Object) bool { return o.Kind == "extension" })
}

// Stray holds the catalog against versions that the ledger does not hold. Where an object stands that only such a version
// makes, somebody made it by hand: the version is not applied over it. It goes by facts about Made, and leaves alone what a
// run is busy with or was cut off in, because there objects are to be expected.
func (l *Ladder) Stray(facts []Fact) {
	found := map[string]bool{}
	for _, f := range facts {
		found[named(f.Object)] = f.Found
	}
	ours := map[string]bool{}
	for _, r := range l.Rungs {
		if r.InDatabase() {
			mark(ours, r.File)
		}
	}
	for i := range l.Rungs {
		r := &l.Rungs[i]
		if r.InDatabase() || !slices.Contains([]State{StatePending, StateBlocked, StateFailed, StateUndone}, r.State) {
			continue
		}
		for _, o := range madeBy(r.File) {
			if found[named(o)] && !ours[named(o)] {
				r.Astray = append(r.Astray, o)
			}
		}
		mark(ours, r.File) // of two that make it, the first is asked about it
		if len(r.Astray) == 0 {
			continue
		}
		r.State = StateHandMade
		if r.Next {
			r.Next, r.Blocked = false, r.StrayWords()
		}
	}
}

func mark(known map[string]bool, f File) {
	for _, o := range f.Card.Creates {
		known[named(o)] = true
	}
}

func named(o Object) string { return o.Kind + " " + o.Name }

// StrayWords says what of a version stands in the database by somebody's hand; empty where nothing does.
func (r Rung) StrayWords() string {
	if len(r.Astray) == 0 {
		return ""
	}
	const most = 3
	names := make([]string, 0, most)
	for _, o := range r.Astray[:min(most, len(r.Astray))] {
		names = append(names, named(o))
	}
	text := strings.Join(names, ", ")
	if more := len(r.Astray) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%d of the %d objects that %s makes stand in the database, though the ledger has no entry of it: %s. Somebody made them by hand, or another tool did.",
		len(r.Astray), len(madeBy(r.File)), r.Version.Title(), text)
}

// HandMade is the lowest version of which objects stand that no entry speaks of.
func (l Ladder) HandMade() (Rung, bool) {
	for _, r := range l.Rungs {
		if r.State == StateHandMade {
			return r, true
		}
	}
	return Rung{}, false
}
