package handlers

import (
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/crossdock"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

const dockNotDeployed = "Cross-dock cancellations are not deployed yet: their table comes with migration V0.0.20. Until it is applied nothing can be cancelled here."

var dockStandings = map[crossdock.Standing]string{crossdock.Placeless: "waiting for a place", crossdock.Overdue: "late at the dock", crossdock.Stored: "stored"}

// dockState is where the errand of a lot stands.
func dockState(x crossdock.Cancellation) components.State {
	switch {
	case !x.Open():
		return components.State{Code: "stored", Word: "Stored", Tone: components.Good}
	case x.Waiting():
		return components.State{Code: "waiting", Word: "Waiting for a place", Tone: components.Blocked}
	case x.Lot.OnHold():
		return components.State{Code: "hold", Word: "On hold, to quarantine", Tone: components.Warn}
	}
	return components.State{Code: "to_store", Word: "To store", Tone: components.Progress}
}

func dockRow(x crossdock.Cancellation, now time.Time, href string) pages.DockRow {
	row := pages.DockRow{
		ID: x.ID.String(), Href: href, Lot: x.Lot.Number, Material: x.Lot.Material.Code, Name: x.Lot.Material.Name, Quantity: x.Lot.Quantity.String() + " " + x.Lot.Unit,
		Reason: x.Reason.Words(), At: x.Lot.At.Code, Zone: x.Lot.At.Zone, To: x.To.Code, Actual: x.Actual.Code, State: dockState(x), Dwell: duration(x.Dwell(now)),
		Since: moment(x.Since, now, time.UTC), Stored: moment(x.StoredAt, now, time.UTC), By: x.By,
	}
	if !x.Open() {
		row.At, row.Zone = x.Staging.Code, x.Staging.Zone
	}
	if x.Late(now) {
		row.Late = components.State{Code: "late", Word: "Late: more than " + duration(x.Limit), Tone: components.Warn}
	}
	return row
}

func crossDockQuery(q crossdock.Query) url.Values {
	values := url.Values{}
	for name, value := range map[string]string{"zone": q.Zone, "reason": string(q.Reason), "standing": string(q.Standing)} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if q.Facility != uuid.Nil {
		values.Set("facility", q.Facility.String())
	}
	return values
}

func chosenOf(all, chosen string, list []components.Option) []components.Option {
	offered := append([]components.Option{{Label: all, Chosen: chosen == ""}}, list...)
	for i := range offered[1:] {
		offered[i+1].Chosen = offered[i+1].Value == chosen
	}
	return offered
}

func crossDockListView(shell layouts.Shell, by actor.Actor, q crossdock.Query, l crossdock.List) pages.CrossDockListView {
	v := pages.CrossDockListView{Shell: shell, DockHref: dockPage, MigrationsHref: migrationsPage, Stored: q.Standing == crossdock.Stored}
	if !l.Deployed {
		v.NotDeployed = dockNotDeployed
		return v
	}
	if by.Can(actor.CrossDockCancel) {
		v.Primary = layouts.Action{Label: "Cancel a cross-dock", Href: crossDockPage + "/new", Name: "new"}
	}
	chosen := crossDockQuery(q)
	var facilities, codes, reasons, standings []components.Option
	for _, f := range l.Facilities {
		facilities = append(facilities, components.Option{Value: f.ID.String(), Label: f.Code + ", " + f.Name})
	}
	codes = append(codes, facilities...)
	for _, r := range crossdock.Reasons() {
		reasons = append(reasons, components.Option{Value: string(r), Label: r.Words()})
	}
	for _, s := range crossdock.Standings() {
		standings = append(standings, components.Option{Value: string(s), Label: dockStandings[s]})
	}
	v.Filter = pages.DockFilter{
		Action: crossDockPage, AllHref: crossDockPage, Export: withPlace(crossDockPage+"/csv", crossDockQuery(q), ""), Zone: q.Zone, Any: len(chosen) > 0,
		Facilities: chosenOf("any", chosen.Get("facility"), facilities), Reasons: chosenOf("any", chosen.Get("reason"), reasons), Standings: chosenOf("all at the dock", chosen.Get("standing"), standings),
	}
	if len(l.Rows) > crossDockPageSize {
		l.Rows = l.Rows[:crossDockPageSize]
		last := q.Standing.Place(l.Rows[crossDockPageSize-1])
		v.Pager.Older = withPlace(crossDockPage, crossDockQuery(q), placeOf(last.At, last.ID.String()))
	}
	if q.After.Set() {
		v.Pager.Newest = withPlace(crossDockPage, crossDockQuery(q), "")
	}
	v.Pager.NewestWord, v.Pager.OlderWord = "Back to the first", "More"
	for _, x := range l.Rows {
		v.Rows = append(v.Rows, dockRow(x, l.Now, x.Path()))
	}
	if len(v.Rows) > 0 {
		v.Pager.Shown = counted(len(v.Rows), "lot", "lots")
	}
	for _, limit := range l.Limits {
		zone := "any other zone"
		if limit.Zone != "" {
			zone = "zone " + limit.Zone
		}
		v.Limits.Rows = append(v.Limits.Rows, components.Fact{Label: limit.Facility.Code + ", " + zone, Value: duration(limit.Within) + ", set by " + limit.By})
	}
	if by.Can(actor.CrossDockManage) {
		v.Limits.Action, v.Limits.Facilities = dockPage+"/limits", codes
	}
	return v
}

func dockView(shell layouts.Shell, q crossdock.Scan, d crossdock.Dock) pages.DockView {
	v := pages.DockView{Shell: shell, MigrationsHref: migrationsPage, ScanAction: dockPage, ListHref: crossDockPage}
	if !d.Deployed {
		v.NotDeployed = dockNotDeployed
		return v
	}
	if q.Facility != uuid.Nil {
		v.FacilityID = q.Facility.String()
	}
	if len(d.Facilities) > 1 {
		v.Facilities = []components.Filter{{Label: "all", Href: dockPage, Chosen: q.Facility == uuid.Nil, Code: "all"}}
		for _, f := range d.Facilities {
			v.Facilities = append(v.Facilities, components.Filter{Label: f.Code, Href: dockPage + "?facility=" + f.ID.String(), Chosen: f.ID == q.Facility, Code: f.Code})
		}
	}
	for _, x := range d.Found {
		v.Found = append(v.Found, dockRow(x, d.Now, storePath(x.ID)))
	}
	for _, x := range d.Next {
		v.Next = append(v.Next, dockRow(x, d.Now, storePath(x.ID)))
	}
	if q.Asked() && len(d.Found) == 0 {
		v.Note = "Nothing that stands at the dock without an order is known by that. Scan the label of the lot, or ask the supervisor."
		for _, l := range d.Lots {
			v.Note = "Nothing is cancelled of lot " + l.Number + ": there is nothing to do with it here."
			if l.At.Known() {
				v.Note += " It is recorded in " + l.At.Code + "."
			}
		}
	}
	return v
}

// dockAnswerView is the one answer at the dock.
func dockAnswerView(shell layouts.Shell, by actor.Actor, p crossdock.Page) pages.DockAnswerView {
	x := p.Cancellation
	v := pages.DockAnswerView{Shell: shell, Row: dockRow(x, p.Now, x.Path()), Why: x.Why, BackHref: dockPage, Place: x.To.Code}
	switch state := v.Row.State; state.Code {
	case "stored":
		v.Code, v.Verb, v.Place, v.Detail = "done", "Nothing to do. It lies in", x.Actual.Code, "Stored by "+x.StoredBy+"."
	case "waiting":
		v.Code, v.Verb, v.Place = "wait", "Leave it here: no place is free yet", ""
	case "hold":
		v.Code, v.Verb = "hold", "Hold it in"
	default:
		v.Code, v.Verb = "store", "Store it in"
	}
	if x.To.Zone != "" && x.Open() {
		v.Detail = "Zone " + x.To.Zone
	}
	switch {
	case !x.Open():
	case by.Can(actor.CrossDockStore):
		v.Action = storePath(x.ID)
	default:
		v.WhyNot, v.WhoCan = "Your roles do not include storing what stands at the dock.", roleTitles(actor.RolesWith(actor.CrossDockStore))
	}
	return v
}

var dockActs = map[string]string{
	"cancel": "Cancelled", "told_again": "Told again", "hold": "Put on hold", "place": "Given a place", "unplace": "Without a place", "choose": "Another place was chosen", "store": "Stored",
}

func crossDockShowView(shell layouts.Shell, by actor.Actor, p crossdock.Page) pages.CrossDockShowView {
	x := p.Cancellation
	v := pages.CrossDockShowView{Shell: shell, Row: dockRow(x, p.Now, x.Path()), Why: x.Why, Version: strconv.Itoa(x.Version)}
	fact := func(label, value string) {
		if value != "" {
			v.Facts = append(v.Facts, components.Fact{Label: label, Value: value})
		}
	}
	fact("Material", x.Lot.Material.Code+", "+x.Lot.Material.Name)
	fact("Quantity", v.Row.Quantity)
	fact("Facility", x.Lot.Facility.Code+", "+x.Lot.Facility.Name)
	fact("Reason", x.Reason.Words())
	fact("Order it was for", x.Order.Code)
	fact("Quality", kindWords(x.Lot.Quality))
	fact("It is recorded in", x.Lot.At.Code)
	fact("It is to go to", x.To.Code)
	fact("It was stored in", x.Actual.Code)
	fact("At the dock", v.Row.Dwell)
	v.Facts = append(v.Facts, components.Fact{Label: "Cancelled", Time: moment(x.At, p.Now, time.UTC)})
	fact("By", x.By)
	fact("Note", x.Notes)
	if x.Open() {
		if by.Can(actor.CrossDockStore) {
			v.StoreHref = storePath(x.ID)
		}
		if by.Can(actor.CrossDockManage) {
			v.Choose, v.Retry = x.Path()+"/choose", x.Path()+"/retry"
		}
	}
	for _, e := range p.Events {
		where := ""
		switch {
		case e.From != "" && e.To != "":
			where = "from " + e.From + " to " + e.To
		case e.From != "":
			where = "in " + e.From
		case e.To != "":
			where = "to " + e.To
		}
		v.Events = append(v.Events, pages.DockEvent{What: dockActs[e.Act], Note: e.Note, Where: where, By: e.By.Name, At: moment(e.At, p.Now, time.UTC)})
	}
	return v
}

// kindWords is a word of the warehouse as people say it.
func kindWords(code string) string {
	switch code {
	case "RELEASED":
		return "Released"
	case "HOLD":
		return "On hold"
	case "QUARANTINE":
		return "In quarantine"
	case "PENDING_INSPECTION":
		return "To be inspected"
	case "REJECTED":
		return "Rejected"
	}
	return code
}

func crossDockNewView(shell layouts.Shell, l crossdock.List, key string, r crossdock.Request) pages.CrossDockNewView {
	v := pages.CrossDockNewView{Shell: shell, Action: crossDockPage, Key: key, Lot: r.Lot, Material: r.Material, Staging: r.Staging, Order: r.Order, Notes: r.Notes}
	for i, f := range l.Facilities {
		v.Facilities = append(v.Facilities, components.Option{Value: f.Code, Label: f.Code + ", " + f.Name, Chosen: f.Code == r.Facility || r.Facility == "" && i == 0})
	}
	for i, reason := range crossdock.Reasons() {
		v.Reasons = append(v.Reasons, components.Option{Value: string(reason), Label: reason.Words(), Chosen: reason == r.Reason || r.Reason == "" && i == 0})
	}
	return v
}

func cancelledWords(done crossdock.Cancelled) string {
	x := done.Cancellation
	where := "It goes to " + x.To.Code + "."
	if x.Waiting() {
		where = x.Why
	}
	switch done.Outcome {
	case crossdock.Already:
		return "Lot " + x.Lot.Number + " was cancelled before, and that was written down. " + where
	case crossdock.Held:
		return "Lot " + x.Lot.Number + " was cancelled before, and is on hold from now on. " + where
	case crossdock.Recorded, crossdock.Repeated:
	}
	return "The cross-dock of lot " + x.Lot.Number + " is cancelled. " + where
}
