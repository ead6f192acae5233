package handlers

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var capacitySeverities = map[capacity.Severity]components.State{
	capacity.Critical: {Code: "critical", Word: "Critical", Tone: components.Bad},
	capacity.Warning:  {Code: "warning", Word: "Warning", Tone: components.Warn},
	capacity.Info:     {Code: "info", Word: "Info", Tone: components.Info},
}

var capacityStates = map[capacity.State]components.State{
	capacity.New:          {Code: "new", Word: "New", Tone: components.Neutral},
	capacity.Acknowledged: {Code: "acknowledged", Word: "Acknowledged", Tone: components.Info},
	capacity.Assigned:     {Code: "assigned", Word: "Assigned", Tone: components.Progress},
	capacity.Fixed:        {Code: "fixed", Word: "Fixed, to verify", Tone: components.Progress},
	capacity.Verified:     {Code: "verified", Word: "Verified", Tone: components.Good},
	capacity.Accepted:     {Code: "accepted", Word: "Accepted for now", Tone: components.Blocked},
	capacity.Reopened:     {Code: "reopened", Word: "Reopened", Tone: components.Warn},
}

var capacityStandings = map[capacity.Standing]string{
	capacity.Untouched: "not begun", capacity.InWork: "in work", capacity.ToVerify: "fixed, to verify", capacity.PutUpWith: "accepted for now", capacity.Settled: "verified",
}

func severityOfRank(rank int) components.State {
	for severity, state := range capacitySeverities {
		if severity.Rank() == rank {
			return state
		}
	}
	return components.State{}
}

// filterQuery is the filter as it stands in an address.
func filterQuery(q capacity.Query) url.Values {
	values := url.Values{}
	set := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	if q.Facility != uuid.Nil {
		set("facility", q.Facility.String())
	}
	set("zone", q.Zone)
	set("cause", string(q.Cause))
	set("severity", string(q.Severity))
	set("standing", string(q.Standing))
	for _, a := range ages {
		if a.least == q.OlderThan {
			set("age", a.value)
		}
	}
	switch {
	case q.Mine:
		set("owner", "me")
	case q.Nobodys:
		set("owner", "nobody")
	}
	return values
}

func capacityFilterView(action string, q capacity.Query, facilities []capacity.Place) pages.CapacityFilter {
	chosen := filterQuery(q)
	pick := func(name, all string, list ...components.Option) []components.Option {
		offered := append([]components.Option{{Label: all, Chosen: chosen.Get(name) == ""}}, list...)
		for i := range offered[1:] {
			offered[i+1].Chosen = offered[i+1].Value == chosen.Get(name)
		}
		return offered
	}
	f := pages.CapacityFilter{Action: action, AllHref: action, Zone: q.Zone, Any: len(chosen) > 0}
	var list []components.Option
	for _, p := range facilities {
		list = append(list, components.Option{Value: p.ID.String(), Label: p.Code + ", " + p.Name})
	}
	f.Facilities = pick("facility", "any", list...)
	list = nil
	for _, c := range capacity.Causes() {
		list = append(list, components.Option{Value: string(c), Label: c.Words()})
	}
	f.Causes = pick("cause", "any", list...)
	list = nil
	for _, s := range []capacity.Severity{capacity.Critical, capacity.Warning, capacity.Info} {
		list = append(list, components.Option{Value: string(s), Label: capacitySeverities[s].Word})
	}
	f.Severities = pick("severity", "any", list...)
	list = nil
	for _, s := range capacity.Standings() {
		list = append(list, components.Option{Value: string(s), Label: capacityStandings[s]})
	}
	f.Standings = pick("standing", "all open", list...)
	list = nil
	for _, a := range ages {
		list = append(list, components.Option{Value: a.value, Label: a.label})
	}
	f.Ages = pick("age", "any time", list...)
	f.Owners = pick("owner", "anybody's", components.Option{Value: "me", Label: "mine"}, components.Option{Value: "nobody", Label: "nobody's"})
	return f
}

// withPlace is the address of a list from another place on.
func withPlace(path string, query url.Values, place string) string {
	query.Del("after")
	if place != "" {
		query.Set("after", place)
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

func undoView(b *capacity.Bulk, now time.Time) pages.CapacityUndo {
	if b == nil {
		return pages.CapacityUndo{}
	}
	return pages.CapacityUndo{
		Action: capacityPage + "/acts/" + b.ID.String() + "/undo", Until: moment(b.DoneAt.Add(capacity.UndoWithin), now, time.UTC),
		What: fmt.Sprintf("You have %s %s: %s.", b.Act.Past(), counted(b.Cases, "failure", "failures"), b.Reason),
	}
}

func capacityListView(shell layouts.Shell, q capacity.Query, o capacity.Overview, query url.Values) pages.CapacityListView {
	v := pages.CapacityListView{Shell: shell, Filter: capacityFilterView(capacityPage, q, o.Facilities), Undo: undoView(o.Undo, o.Now), MigrationsHref: migrationsPage}
	v.Settled = q.Standing == capacity.PutUpWith || q.Standing == capacity.Settled
	v.Filter.Export = withPlace(capacityPage+"/csv", filterQuery(q), "")
	if !o.Deployed {
		v.NotDeployed = "Capacity failures are not deployed yet: their table comes with migration V0.0.20. Until it is applied nothing is recorded, and what is shown here is what was known before."
	}
	if len(o.Groups) > capacityPageSize {
		o.Groups = o.Groups[:capacityPageSize]
		last := o.Groups[capacityPageSize-1]
		place := fmt.Sprintf("%d_%s_%s", last.WorstRank, last.WorstOverflow, last.ID)
		if v.Settled {
			place = placeOf(last.LastSeen, last.ID.String())
		}
		v.Pager.Older = withPlace(capacityPage, query, place)
	}
	if q.After.Set() {
		v.Pager.Newest = withPlace(capacityPage, query, "")
	}
	v.Pager.NewestWord, v.Pager.OlderWord = "Back to the worst", "More"
	for _, g := range o.Groups {
		v.Rows = append(v.Rows, capacityGroupRow(g, q.Standing, o.Now))
	}
	if len(v.Rows) > 0 {
		v.Pager.Shown = counted(len(v.Rows), "cause", "causes")
	}
	switch {
	case !o.Walk.WalkedAt.IsZero():
		v.Walk = fmt.Sprintf("The warehouse's transactions were looked at %s, up to those of %s: %s since this began, %d of which did not fit. What is committed late is still found for an hour.",
			relative(o.Walk.WalkedAt.Sub(o.Now)), o.Walk.At.Format("2 Jan 15:04:05 UTC"), counted(int(o.Walk.Looked), "transaction", "transactions"), o.Walk.Found)
		if o.Walk.Problem != "" {
			v.WalkProblem = "One of the last could not be judged: " + o.Walk.Problem
		}
	case o.Deployed:
		v.Walk = "The warehouse's transactions have not been looked at yet; that is done once a minute."
	}
	return v
}

func capacityGroupRow(g capacity.Group, standing capacity.Standing, now time.Time) pages.CapacityGroupRow {
	row := pages.CapacityGroupRow{
		ID: g.ID.String(), Href: groupHref(g.ID), Label: g.Label, Cause: g.Cause.Words(), Facility: cmp.Or(g.Facility.Name, g.Facility.Code), Open: strconv.Itoa(g.Open()),
		Worst: severityOfRank(g.WorstRank), Overflow: overflowWords(g), Parts: parts(g), Oldest: moment(g.OldestOpen, now, time.UTC), LastSeen: moment(g.LastSeen, now, time.UTC),
	}
	if standing == capacity.PutUpWith || standing == capacity.Settled {
		row.Href += "?standing=" + string(standing)
	}
	return row
}

func overflowWords(g capacity.Group) string {
	noRoom := capacity.Overflow{NoRoom: true}
	if g.WorstOverflow.GreaterThanOrEqual(noRoom.Sort()) {
		return noRoom.Words()
	}
	return capacity.Overflow{Pct: g.WorstOverflow}.Words()
}

// parts says where the failures of a group stand.
func parts(g capacity.Group) string {
	text := ""
	for _, p := range []struct {
		n    int
		word string
	}{{g.Untouched, "not begun"}, {g.InWork, "in work"}, {g.ToVerify, "to verify"}, {g.Accepted, "accepted"}, {g.Verified, "verified"}} {
		if p.n == 0 {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", p.n, p.word)
	}
	return text
}

func capacityGroupView(shell layouts.Shell, by actor.Actor, q capacity.Query, p capacity.GroupPage, query url.Values) pages.CapacityGroupView {
	g := p.Group
	href := groupHref(g.ID)
	v := pages.CapacityGroupView{
		Shell: shell, Filter: capacityFilterView(href, q, nil), Undo: undoView(p.Undo, p.Now),
		Sentence: counted(g.Open(), "failure is", "failures are") + " open with this probable cause: " + parts(g) + ".",
		Facts: []components.Fact{
			{Label: "Probable cause", Value: g.Cause.Words()},
			{Label: "Facility", Value: g.Facility.Code + ", " + g.Facility.Name},
			{Label: "Open since", Time: moment(g.OldestOpen, p.Now, time.UTC)},
			{Label: "Last seen", Time: moment(g.LastSeen, p.Now, time.UTC)},
		},
	}
	if g.Open() == 0 {
		v.Sentence = "No failure with this probable cause is open: " + parts(g) + "."
		v.Facts = slices.Delete(v.Facts, 2, 3)
	}
	if len(p.Cases) > capacityPageSize {
		p.Cases = p.Cases[:capacityPageSize]
		last := p.Cases[capacityPageSize-1]
		v.Pager.Older = withPlace(href, query, fmt.Sprintf("%d_%s_%s", last.Verdict.Severity.Rank(), last.Verdict.Worst().Sort(), last.ID))
	}
	if q.After.Set() {
		v.Pager.Newest = withPlace(href, query, "")
	}
	v.Pager.NewestWord, v.Pager.OlderWord = "Back to the worst", "More"
	for _, c := range p.Cases {
		v.Rows = append(v.Rows, capacityRow(c, p.Now))
	}
	if len(v.Rows) > 0 {
		v.Pager.Shown = counted(len(v.Rows), "failure", "failures")
	}
	bulkView(&v, by, q, p)
	return v
}

// bulkView offers what can be done to all that the filter finds.
func bulkView(v *pages.CapacityGroupView, by actor.Actor, q capacity.Query, p capacity.GroupPage) {
	if !by.Can(actor.CapacityWork) {
		v.WhyNot, v.WhoCan = "Your roles do not include working on failures.", roleTitles(actor.RolesWith(actor.CapacityWork))
		return
	}
	for _, act := range capacity.ManyActs() {
		n := p.Actable[act]
		switch {
		case n == 0:
			continue
		case n > capacity.MostAtOnce:
			v.WhyNot = fmt.Sprintf("More than %d failures match, which is more than one press changes and takes back. Narrow the filter to do something to all of them.", capacity.MostAtOnce)
			return
		}
		effect := map[capacity.Act]string{capacity.Acknowledge: "Acknowledge ", capacity.Assign: "Assign "}[act]
		v.Bulk.Takes = append(v.Bulk.Takes, pages.CapacityTake{Act: string(act), Shown: strconv.Itoa(n), Effect: effect + counted(n, "failure", "failures")})
	}
	if len(v.Bulk.Takes) == 0 {
		return
	}
	v.Bulk.Action, v.Bulk.Key, v.Bulk.Workers = groupHref(p.Group.ID)+"/acts", uuid.NewString(), workerOptions(p.Workers, "Nobody yet")
	chosen := filterQuery(q)
	for _, name := range []string{"zone", "severity", "standing", "age", "owner"} {
		if chosen.Has(name) {
			v.Bulk.Filter = append(v.Bulk.Filter, components.Fact{Label: name, Value: chosen.Get(name)})
		}
	}
}

func workerOptions(workers []capacity.Worker, none string) []components.Option {
	list := []components.Option{{Label: none, Chosen: true}}
	for _, w := range workers {
		list = append(list, components.Option{Value: w.ID.String(), Label: w.Name + " (" + strings.Join(roleTitles(w.Roles), ", ") + ")"})
	}
	return list
}

func capacityRow(c capacity.Case, now time.Time) pages.CapacityRow {
	row := pages.CapacityRow{
		ID: c.ID.String(), Href: c.Path(), Location: c.Location.Code, Zone: c.Zone, Material: c.Material.Code, Lot: c.Lot, Type: c.Verdict.Type.Words(),
		Volume: c.Verdict.Volume.Words(), Weight: c.Verdict.Weight.Words(), Severity: capacitySeverities[c.Verdict.Severity], State: capacityStates[c.State],
		Owner: c.Owner.Name, Times: "seen " + times(c.Occurrences), LastSeen: moment(c.LastSeen, now, time.UTC),
	}
	if c.State.Open() {
		row.Due, row.Late = moment(c.DueAt(), now, time.UTC), now.After(c.DueAt())
	}
	return row
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
