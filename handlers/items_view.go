package handlers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/snapshot"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func itemView(shell layouts.Shell, by actor.Actor, p runbook.ItemPage) pages.ItemShowView {
	zone, now, item := p.Run.Zone(), p.At, p.Item
	waits := p.Waiting(item)
	v := pages.ItemShowView{
		Shell: shell, Here: others(by, p.Here, now, zone), ID: string(item.ID), Name: item.Title, Phase: p.Phase.Name + ", " + p.Phase.Offset.String(), State: itemState(p.Plan, item, waits),
		Owner: item.Owner.Title(), Who: item.Holder.Name, Yours: item.Holder.Known() && by.SamePerson(item.Holder.Issuer, item.Holder.Subject),
		Due: moment(item.Due(p.Run.T0), now, zone), Required: item.Required, Do: strings.Split(p.Spec.Do, "\n"), Command: p.Spec.Command,
		Expected: p.Spec.Expected, Undo: undoLines(p), Auto: item.Kind == runbook.Auto, Asked: askedView(p.Spec.Evidence),
		Version: fmt.Sprint(item.Version), ReleaseHref: runPath(p.Run.ID),
	}
	for _, hour := range snapshot.Hours {
		if strings.HasPrefix(v.ID, hour.Items()) {
			v.Snapshots = components.Link{Label: "Snapshot of " + strings.ToLower(hour.Title()), Href: snapshotsPath(p.Run.ID)}
		}
	}
	if strings.HasPrefix(v.ID, snapshot.Hour48.Items()) {
		v.Report = components.Link{Label: "Report of this release and its lessons", Href: reportPath(p.Run.ID)}
	}
	if !item.SettledAt.IsZero() {
		v.Settled = pages.Settled{Word: settledWords[item.State], By: item.Settled.Name, At: moment(item.SettledAt, now, zone)}
	}
	if item.State.Settled() {
		v.Due, v.Late = past(item.Due(p.Run.T0), now, zone), early(item, p.Run.T0)
	}
	if p.Run.State == runbook.Active || p.Run.State == runbook.SignedOff {
		if when, over := due(item, p.Run, now); over != "" {
			v.Due, v.Late, v.Calm = when, over, over == dueBeforeStart
		}
		v.LiveHref = itemHref(p.Run.ID, item.ID)
	}
	if v.Auto && (p.Run.State == runbook.Active || p.Run.State == runbook.SignedOff) {
		v.AutoWhy = "This item cannot be ticked by hand: its evidence is what the system itself answers (check " + item.Check + ")."
	}
	if !item.State.Settled() && !p.Run.Ended() {
		for _, w := range waits {
			v.Waiting = append(v.Waiting, waitLink(p, w))
		}
	}
	if !by.Can(actor.ItemWork) {
		v.Refused, v.WhoCan = "Working on items is not among your roles.", roleTitles(actor.RolesWith(actor.ItemWork))
	}
	v.Acts = actsView(itemHref(p.Run.ID, item.ID), p.Acts(by, item), item)
	waiveView(&v, by, p)
	v.Bars = barred(by, p)
	talkView(&v, by, p)
	if until := item.GoodUntil(); !until.IsZero() {
		v.GoodUntil = moment(until, now, zone)
	}
	for _, e := range p.Evidence {
		v.Evidence = append(v.Evidence, evidenceView(p, e, now, zone))
	}
	if slices.ContainsFunc(p.Files, func(f runbook.File) bool { return f.Counts && !f.Intact }) {
		v.State = alteredState // the list of the release reads no file again, and this page does
	}
	v.Files = filesView(p, func(f runbook.File) components.Time { return moment(f.AddedAt, now, zone) })
	v.Attach, v.Asked.Attached = attachView(by, p), attachedOptions(p)
	for _, h := range p.History {
		v.History = append(v.History, pages.HistoryLine{At: moment(h.At, now, zone), Who: h.Who, What: historyWords(h.Action), Note: h.Reason})
	}
	for n, other := range p.Items {
		if other.ID == item.ID && n > 0 {
			v.Previous = components.Link{Label: string(p.Items[n-1].ID), Href: itemHref(p.Run.ID, p.Items[n-1].ID)}
		}
		if other.ID == item.ID && n+1 < len(p.Items) {
			v.Following = components.Link{Label: string(p.Items[n+1].ID), Href: itemHref(p.Run.ID, p.Items[n+1].ID)}
		}
	}
	return v
}

// settledWords are the labels of who brought an item to its state.
var settledWords = map[runbook.ItemState]string{runbook.Done: "Done by", runbook.Failed: "Failed by", runbook.Skipped: "Skipped by"}

// undoTried marks an undo that nobody has tried, and says of one that was tried by what.
func undoTried(p runbook.ItemPage) string {
	if !p.Spec.HasUndo() {
		return ""
	}
	proof, ok := p.Plan.Item(p.Spec.UndoTestedBy)
	switch {
	case !ok:
		return "(Not tried: no rehearsal covers this undo.)"
	case proof.State != runbook.Done:
		return fmt.Sprintf("(Not tried yet: %s, %s, tries it.)", proof.ID, proof.Title)
	}
	return fmt.Sprintf("(Tried by %s, %s, on %s.)", proof.ID, proof.Title, proof.SettledAt.In(p.Run.Zone()).Format("2 Jan 2006 at 15:04 MST"))
}

// undoLines is the item's own undo, then a line for each rollback option and trouble that it refers to.
func undoLines(p runbook.ItemPage) []string {
	var parts []string
	if p.Spec.Undo != "" {
		parts = append(parts, strings.TrimSpace(p.Spec.Undo+" "+undoTried(p)))
	}
	for _, id := range p.Spec.See {
		for _, r := range p.Template.Rollback {
			if r.ID == id {
				parts = append(parts, fmt.Sprintf("%s, %s (%s, data loss: %s, by: %s). %s", r.ID, r.Title, r.Time, r.DataLoss, r.Who, strings.Join(r.Steps, " ")))
			}
		}
		for _, r := range p.Template.Troubleshooting {
			if r.ID == id {
				parts = append(parts, fmt.Sprintf("%s, %s: %s %s", r.ID, r.Symptom, r.Diagnosis, r.Remedy))
			}
		}
	}
	return parts
}

// barred says, before somebody gives evidence, which gate they can then not sign; empty where the runbook bars nobody.
func barred(by actor.Actor, p runbook.ItemPage) string {
	if p.Item.Kind == runbook.Auto || p.Run.Ended() || p.Item.State.Settled() || !by.Can(actor.ItemWork) {
		return ""
	}
	for _, g := range p.Template.Gates {
		if g.ID != p.Phase.Gate || !g.EvidenceAuthorMayNotSign {
			continue
		}
		var roles []string
		for _, s := range g.Slots {
			roles = append(roles, s.Role.Title())
		}
		return fmt.Sprintf("Whoever gives the evidence of this item cannot sign the gate %s, which judges it. If you are to sign there as %s, leave it to somebody else.", g.Name, strings.Join(roles, ", "))
	}
	return ""
}

func waitLink(p runbook.ItemPage, w runbook.Wait) components.Link {
	if !w.Until.IsZero() {
		return components.Link{Label: w.Text}
	}
	if w.Gate != "" {
		return components.Link{Label: w.Text, Href: gateHref(p.Run.ID, w.Gate)}
	}
	return components.Link{Label: w.Text, Href: itemHref(p.Run.ID, w.Item)}
}

func actsView(at string, acts []runbook.Act, item runbook.Item) pages.ItemActs {
	var v pages.ItemActs
	for _, act := range acts {
		href := at + "/" + string(act)
		switch act {
		case runbook.Take:
			v.Take, v.TakeText = href, "Take it"
		case runbook.TakeOver:
			v.TakeOver, v.TakeOverText = href, "Take it over from "+item.Holder.Name
		case runbook.Waive: // waiveView says it, with what is signed
		case runbook.RunCheck:
			v.Check = href
		case runbook.Finish:
			v.Done = href
		case runbook.GiveUp:
			v.Fail = href
		case runbook.Reopen:
			v.Reopen = href
		case runbook.Skip:
			v.Skip = href
		}
	}
	return v
}

func askedView(a runbook.Asks) pages.EvidenceForm {
	v := pages.EvidenceForm{Kind: pages.EvidenceKind(a.Kind), Label: a.Label, Unit: a.Unit, Statement: a.Statement}
	switch {
	case a.Kind == runbook.Link:
		v.Hint = "An address that begins with https:// or http://."
	case a.Kind == runbook.FileKind:
		v.Hint = "Up to 20 MB. It is stored with its hash and cannot be taken away again."
	case a.Kind != runbook.Number:
	case a.Min != "" && a.Max != "":
		v.Hint = strings.TrimSpace(fmt.Sprintf("From %s to %s %s", a.Min, a.Max, a.Unit)) + "."
	case a.Min != "":
		v.Hint = strings.TrimSpace(fmt.Sprintf("%s %s", a.Min, a.Unit)) + " or more."
	case a.Max != "":
		v.Hint = strings.TrimSpace(fmt.Sprintf("%s %s", a.Max, a.Unit)) + " or less."
	}
	return v
}

func evidenceView(p runbook.ItemPage, e runbook.Evidence, now time.Time, zone *time.Location) pages.Evidence {
	v := pages.Evidence{
		Kind: string(e.Kind), Value: e.Value, Note: e.Note, By: e.By.Name, At: moment(e.AddedAt, now, zone), SHA256: e.SHA256,
		Mismatch: !e.Intact, Machine: e.Kind == runbook.Auto, Query: e.Query,
	}
	switch e.Kind {
	case runbook.Auto:
		v.Kind, v.Value, v.Answer = "check", e.Summary, e.Value
		v.Passed = components.State{Code: "passed", Word: "Passed", Tone: components.Good}
		if !e.Passed {
			v.Passed = components.State{Code: "failed", Word: "Failed", Tone: components.Bad}
		}
	case runbook.Link:
		v.Href = e.Value
	case runbook.Number:
		v.Value = strings.TrimSpace(e.Value + " " + p.Spec.Evidence.Unit)
	case runbook.FileKind:
		v.Value = e.Summary + ", SHA-256 " + e.Value
		for _, f := range p.Files {
			if f.SHA256 == e.Value && f.Intact {
				v.Href = fileHref(p, f.SHA256)
			}
			v.Mismatch = v.Mismatch || f.SHA256 == e.Value && !f.Intact
		}
	case runbook.Text, runbook.Statement:
	}
	return v
}

var historySaid = map[string]string{
	"item:take": "took it", "item:check": "ran its check", "item:done": "finished it", "item:fail": "said that it failed",
	"item:reopen": "put it back to open", "item:skip": "skipped it", "item:attach": "attached a file",
	"item:comment": "commented", "item:takeover": "took it over", "item:waive": "skipped it by signature",
}

func historyWords(action string) string {
	if words, ok := historySaid[action]; ok {
		return words
	}
	return action
}

// movedItem says what became of the item since a version of it that the person has open, as a whole and beside the form.
func movedItem(v *pages.ItemShowView, p runbook.ItemPage, since int) {
	v.Conflict = conflictView(p, runbook.Seen{Run: p.Run.ID, Item: p.Item.ID, Version: since})
	v.Conflict.Looking = true
	v.Moved = pages.MovedPart{
		Text: fmt.Sprintf("%s changed this item at %s: it is %s now.", v.Conflict.By, v.Conflict.At.Local, strings.ToLower(v.State.Word)),
		Href: fmt.Sprintf("%s?since=%d", itemHref(p.Run.ID, p.Item.ID), since),
	}
}

// conflictView says what became of the item since the person opened the page.
func conflictView(p runbook.ItemPage, seen runbook.Seen) *pages.OtherVersion {
	zone := p.Run.Zone()
	other := &pages.OtherVersion{By: "Somebody", At: moment(p.At, p.At, zone)}
	// The history is newest first, and each line of it made one version, but for files and comments, which change no state.
	changed := slices.DeleteFunc(slices.Clone(p.History), func(h runbook.HistoryLine) bool { return h.Action == "item:attach" || h.Action == "item:comment" })
	for n, h := range changed {
		if n >= p.Item.Version-seen.Version {
			break
		}
		if n == 0 {
			other.By, other.At = h.Who, moment(h.At, p.At, zone)
		}
		now := h.Who + " " + historyWords(h.Action)
		if h.Reason != "" {
			now += ": " + h.Reason
		}
		other.Rows = append(other.Rows, pages.Difference{What: h.At.In(zone).Format("15:04:05 MST"), Then: fmt.Sprintf("version %d", p.Item.Version-n-1), Now: now})
	}
	other.Rows = append(other.Rows, pages.Difference{What: "State", Then: fmt.Sprintf("as you saw it, version %d", seen.Version), Now: itemStates[p.Item.State].Word})
	return other
}

// yoursAndTheirs lays what was typed and not saved beside the evidence that is there now.
func yoursAndTheirs(p runbook.ItemPage, typed func(string) string) []pages.Difference {
	theirs := pages.Evidence{}
	if p.Item.Evidence != 0 && len(p.Evidence) > 0 {
		theirs = evidenceView(p, p.Evidence[0], p.At, p.Run.Zone())
	}
	var rows []pages.Difference
	for _, f := range []struct{ what, yours, theirs string }{
		{"Evidence", typed("evidence_" + string(p.Item.Kind)), theirs.Value}, {"Note", typed("note"), theirs.Note}, {"Reason", typed("reason"), p.Item.Reason},
	} {
		if f.yours != "" {
			rows = append(rows, pages.Difference{What: f.what, Then: "yours, not saved: " + f.yours, Now: cmp.Or(f.theirs, "none"), Typed: true})
		}
	}
	return rows
}
