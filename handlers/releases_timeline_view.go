package handlers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var itemStates = map[runbook.ItemState]components.State{
	runbook.Open:       {Code: "open", Word: "Open", Tone: components.Neutral},
	runbook.InProgress: {Code: "in_progress", Word: "In progress", Tone: components.Progress},
	runbook.Done:       {Code: "done", Word: "Done", Tone: components.Good},
	runbook.Failed:     {Code: "failed", Word: "Failed", Tone: components.Bad},
	runbook.Skipped:    {Code: "skipped", Word: "Skipped", Tone: components.Info},
}

var blockedState = components.State{Code: "blocked", Word: "Waiting", Tone: components.Blocked}

// leftState is of what was not done before the release ended.
var leftState = components.State{Code: "left", Word: "Not done", Tone: components.Neutral}

// staleState is of what was done with evidence that is too old now to be signed on.
var staleState = components.State{Code: "stale", Word: "Stale", Tone: components.Warn}

// alteredState is of what has evidence that is no longer what was given: nobody can rely on it, whatever was said.
var alteredState = components.State{Code: "mismatch", Word: "Hash mismatch", Tone: components.Bad}

// itemState is the item's state as people see it: an open item that has to wait is said to wait, and a done one whose
// evidence is too old to be stale.
func itemState(plan runbook.Plan, i runbook.Item, waits []runbook.Wait) components.State {
	switch {
	case i.Altered:
		return alteredState
	case plan.Stale(i):
		return staleState
	case plan.Run.Ended() && (i.State == runbook.Open || i.State == runbook.InProgress):
		return leftState
	case i.State == runbook.Open && len(waits) > 0:
		return blockedState
	}
	return itemStates[i.State]
}

// early says how long before its time an item was done. That is allowed, and never silent.
func early(i runbook.Item, t0 time.Time) string {
	ahead := i.Due(t0).Sub(i.SettledAt)
	if i.State != runbook.Done || ahead < time.Minute {
		return ""
	}
	return "done " + duration(ahead) + " before its time"
}

// due is when an item is due; how late it is says how long ago that was, so that is not said twice.
func due(i runbook.Item, run runbook.Run, now time.Time) (when components.Time, over string) {
	when, over = moment(i.Due(run.T0), now, run.Zone()), late(i, run, now)
	if over != "" {
		when.Relative = ""
	}
	return when, over
}

const dueBeforeStart = "before the release was started"

// late says how late an item is; nothing for what is settled. What was due before there was a release is nobody's delay.
func late(i runbook.Item, run runbook.Run, now time.Time) string {
	at := i.Due(run.T0)
	over := now.Sub(at)
	switch {
	case i.State.Settled() || over < time.Minute:
		return ""
	case at.Before(run.StartedAt):
		return dueBeforeStart
	}
	return duration(over) + " late"
}

func phaseViews(by actor.Actor, r runbook.Release, waits map[runbook.ItemID][]runbook.Wait) []pages.Phase {
	var phases []pages.Phase
	unfolded := false
	for _, spec := range r.Template.Phases {
		p := pages.Phase{ID: string(spec.ID), Name: spec.Name, Offset: spec.Offset.String(), Due: moment(r.Run.T0.Add(time.Duration(spec.Offset)), r.At, r.Run.Zone())}
		waiting, free, moving := false, false, false
		for _, i := range r.Items {
			if i.Phase != spec.ID {
				continue
			}
			row := pages.ItemRow{
				ID: string(i.ID), Title: i.Title, Owner: i.Owner.Title(), Due: moment(i.Due(r.Run.T0), r.At, r.Run.Zone()), State: itemState(r.Plan, i, waits[i.ID]),
				Who: i.Settled.Name, Auto: i.Kind == runbook.Auto, Extra: !i.Required,
			}
			if i.Holder.Known() {
				row.Who = i.Holder.Name
			}
			if i.State.Settled() {
				row.Due.Relative = ""
			}
			if r.Run.State == runbook.Active || r.Run.State == runbook.SignedOff {
				row.Late = late(i, r.Run, r.At)
				row.Calm = row.Late == dueBeforeStart
			}
			p.Items = append(p.Items, row)
			p.Counts = add(p.Counts, countOf(row.State.Code))
			waiting = waiting || (i.Required && row.State == blockedState)
			free = free || (i.Required && row.State == itemStates[runbook.Open])
			moving = moving || i.State != runbook.Open
		}
		p.State = phaseState(p.Counts, waiting && !free, moving, requiredDone(r, spec.ID))
		if r.Run.Ended() && p.State.Code != "done" && p.State.Code != "failed" {
			p.State = leftState
		}
		if !unfolded && p.State.Code != "done" {
			p.Open, unfolded = true, true
		}
		for _, g := range r.Gates {
			if g.AfterPhase == spec.ID {
				p.Gates = append(p.Gates, gateCard(by, g.Signing, r.At, r.Run.Zone()))
			}
		}
		phases = append(phases, p)
	}
	return phases
}

func countOf(code string) components.Counts {
	switch code {
	case "done":
		return components.Counts{Done: 1}
	case "failed", alteredState.Code:
		return components.Counts{Failed: 1}
	case "skipped":
		return components.Counts{Skipped: 1}
	case "blocked":
		return components.Counts{Blocked: 1}
	}
	return components.Counts{Open: 1}
}

func requiredDone(r runbook.Release, phase runbook.PhaseID) bool {
	for _, i := range r.Items {
		if i.Phase == phase && i.Required && !r.Good(i) {
			return false
		}
	}
	return true
}

func phaseState(counts components.Counts, waiting, moving, done bool) components.State {
	switch {
	case counts.Failed > 0:
		return itemStates[runbook.Failed]
	case counts.Total() == counts.Done+counts.Skipped:
		return itemStates[runbook.Done]
	case done && moving:
		return components.State{Code: "done", Word: "Required items done", Tone: components.Good}
	case moving:
		return itemStates[runbook.InProgress]
	case waiting, counts.Blocked > 0 && counts.Open == 0:
		return blockedState
	}
	return itemStates[runbook.Open]
}

// timelineView puts phases and gates on one line, with now between them.
func timelineView(r runbook.Release, phases []pages.Phase) components.Timeline {
	t := components.Timeline{NowAfter: -1, NowLabel: "now, " + r.At.In(r.Run.Zone()).Format("15:04 MST")}
	var times []time.Time
	for n, p := range phases {
		times = append(times, r.Run.T0.Add(time.Duration(r.Template.Phases[n].Offset)))
		t.Marks = append(t.Marks, components.Mark{
			Label: p.Name, Offset: p.Offset, Href: "#phase-" + p.ID, Time: p.Due, State: p.State,
			Summary: doneWords(p.Counts),
		})
		for _, g := range r.Gates {
			if string(g.AfterPhase) != p.ID {
				continue
			}
			at := r.Run.T0.Add(g.Offset)
			times = append(times, at)
			missing := len(g.Signing.Missing())
			t.Marks = append(t.Marks, components.Mark{
				Label: g.Name, Offset: runbook.Offset(g.Offset).String(), Href: "#gate-" + string(g.ID), Time: moment(at, r.At, r.Run.Zone()),
				State: gateState(g.Signing), Summary: signaturesMissing(missing), Gate: true,
			})
		}
	}
	for i, at := range times {
		if !at.After(r.At) {
			t.NowAfter = i
		}
	}
	if next := t.NowAfter + 1; t.NowAfter >= 0 && next < len(times) {
		if whole := times[next].Sub(times[t.NowAfter]); whole > 0 {
			t.NowPermille = int(1000 * r.At.Sub(times[t.NowAfter]) / whole)
		}
	}
	t.Text = fmt.Sprintf("%s and %s from %s to %s.", counted(len(phases), "phase", "phases"), counted(len(r.Gates), "gate", "gates"), phases[0].Offset, phases[len(phases)-1].Offset)
	if t.NowAfter >= 0 {
		t.Text += " The last mark that has begun is " + t.Marks[t.NowAfter].Label + "."
	}
	return t
}

// doneWords is the line below a phase on the timeline; what was skipped was not done.
func doneWords(c components.Counts) string {
	words := fmt.Sprintf("%d of %d done", c.Done, c.Total())
	if c.Skipped > 0 {
		words += fmt.Sprintf(", %d skipped", c.Skipped)
	}
	return words
}

// nextView is the first thing that keeps the release from going on.
func nextView(by actor.Actor, r runbook.Release, waits map[runbook.ItemID][]runbook.Wait) pages.NextStep {
	if r.Run.Ended() {
		return pages.NextStep{}
	}
	for _, phase := range r.Template.Phases {
		for _, i := range r.Items {
			if i.Phase == phase.ID && i.Required && !r.Good(i) && (r.Run.State == runbook.Active || i.Gate == "") && onlyTime(waits[i.ID]) {
				return nextItem(by, r, i, waits[i.ID])
			}
		}
		for _, g := range r.Gates {
			if r.Run.State == runbook.Active && g.AfterPhase == phase.ID && !g.Passed {
				return nextGate(by, r, g)
			}
		}
	}
	if r.Run.State == runbook.SignedOff {
		return pages.NextStep{Text: "Everything required is done. What is left is optional; do it or skip it with a reason, and the release is completed.", Tone: components.Info}
	}
	return pages.NextStep{}
}

// onlyTime says that nobody keeps the item waiting.
func onlyTime(waits []runbook.Wait) bool {
	return !slices.ContainsFunc(waits, func(w runbook.Wait) bool { return w.Until.IsZero() })
}

func nextItem(by actor.Actor, r runbook.Release, i runbook.Item, untilThen []runbook.Wait) pages.NextStep {
	when, over := due(i, r.Run, r.At)
	n := pages.NextStep{
		Text: string(i.ID) + ": " + i.Title + ".", Who: i.Owner.Title(), Yours: by.Has(i.Owner), Due: when,
		Tone: components.Info, Detail: over, Way: components.Link{Label: "Open " + string(i.ID), Href: itemHref(r.Run.ID, i.ID)},
	}
	if len(untilThen) > 0 {
		n.Detail, n.Tone = untilThen[0].Text, components.Blocked
	}
	switch {
	case i.State == runbook.Failed:
		n.Text, n.Tone = string(i.ID)+" has failed: "+i.Title+".", components.Bad
	case i.Holder.Known():
		n.Who, n.Yours = i.Holder.Name, by.SamePerson(i.Holder.Issuer, i.Holder.Subject)
	}
	return n
}

func nextGate(by actor.Actor, r runbook.Release, g runbook.GateShown) pages.NextStep {
	n := pages.NextStep{Due: moment(r.Run.T0.Add(g.Offset), r.At, r.Run.Zone()), Tone: components.Info, Way: components.Link{Label: "Open the gate", Href: gateHref(r.Run.ID, g.ID)}}
	if stop, ok := g.Signing.Stopped(); ok {
		n.Text, n.Tone, n.Due = g.Name+" is shut. "+stopWords(stop, r.Run.Zone()), components.Bad, components.Time{}
		n.Detail = "A new attempt has to be opened, and everybody signs anew."
		n.Who, n.Yours = strings.Join(roleTitles(actor.RolesWith(actor.ReleaseManage)), ", "), by.Can(actor.ReleaseManage)
		return n
	}
	if len(g.Signing.Blockers) > 0 {
		n.Text, n.Tone = "The gate "+g.Name+" waits. "+g.Signing.Blockers[0].Text, components.Blocked
		return n
	}
	var who []string
	for _, s := range g.Signing.Missing() {
		if g.Signing.Refuse(by, s) == nil {
			n.Yours = true
		}
		if !s.SignsLast || len(g.Signing.Missing()) == 1 {
			who = append(who, s.Role.Title())
		}
	}
	n.Who, n.Text = strings.Join(who, ", "), fmt.Sprintf("Sign %s: %s.", g.Name, missingWords(g.Signing))
	if n.Yours {
		n.Way.Label = "Read and sign"
	}
	return n
}

func missingWords(g signoff.Gate) string {
	missing := g.Missing()
	if len(missing) == 0 {
		return "every required signature is there"
	}
	required := 0
	for _, s := range g.Slots {
		if s.Required {
			required++
		}
	}
	var roles []string
	for _, s := range missing {
		roles = append(roles, s.Role.Title())
	}
	return fmt.Sprintf("%d of %d required signatures; missing: %s", required-len(missing), required, strings.Join(roles, ", "))
}

// signaturesMissing is the line below a gate on the timeline.
func signaturesMissing(n int) string {
	if n == 0 {
		return "all signed"
	}
	return counted(n, "signature missing", "signatures missing")
}
