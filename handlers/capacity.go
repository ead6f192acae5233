package handlers

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// CapacityStories are the stories of capacity failures.
type CapacityStories interface {
	Overview(ctx context.Context, by actor.Actor, q capacity.Query) (capacity.Overview, error)
	Group(ctx context.Context, by actor.Actor, id uuid.UUID, q capacity.Query) (capacity.GroupPage, error)
	Failure(ctx context.Context, by actor.Actor, id uuid.UUID) (capacity.FailurePage, error)
	Each(ctx context.Context, by actor.Actor, q capacity.Query, yield func(capacity.Case) error) error
	Record(ctx context.Context, by actor.Actor, seen capacity.Sighting) (capacity.Recorded, error)
	Act(ctx context.Context, by actor.Actor, r capacity.Request) error
	Many(ctx context.Context, by actor.Actor, m capacity.Many) (capacity.Bulk, error)
	Undo(ctx context.Context, by actor.Actor, id uuid.UUID) (int, capacity.Bulk, error)
	CorrectBin(ctx context.Context, by actor.Actor, r capacity.Correct) (int, error)
	MaterialCorrected(ctx context.Context, by actor.Actor, r capacity.Remeasured) (int, error)
}

// Measures puts a material onto the list of what is to be measured.
type Measures interface {
	AskFor(ctx context.Context, by actor.Actor, w dimension.Wanted) error
}

type capacities struct {
	stories  CapacityStories
	measures Measures
	now      func() time.Time
}

const (
	capacityPage     = "/capacity-failures"
	capacityPageSize = 40
)

var toCapacity = layouts.Crumb{Label: "Capacity failures", Href: capacityPage}

// Capacity is the subject of goods that do not fit where they were put.
func Capacity(stories CapacityStories, measures Measures, now func() time.Time) []web.Route {
	h := capacities{stories, measures, now}
	one := capacityPage + "/:failure"
	act := func(name string, act capacity.Act) web.Route {
		return web.Route{Method: http.MethodPost, Path: one + "/" + name, Right: actor.CapacityWork, Action: "capacity:" + name, Handler: h.act(act)}
	}
	accept, reopen := act("accept", capacity.Accept), act("reopen", capacity.Reopen)
	accept.Right, accept.Fresh, accept.Doing = actor.CapacityAccept, actor.FreshFor, "put up with a failure until a day"
	reopen.Right = actor.CapacityAccept
	return []web.Route{
		web.Needs(http.MethodGet, capacityPage, actor.CapacityRead, h.list),
		{Method: http.MethodGet, Path: capacityPage + "/csv", Right: actor.CapacityRead, Long: true, Handler: h.export},
		web.Needs(http.MethodGet, capacityPage+"/groups/:group", actor.CapacityRead, h.group),
		{Method: http.MethodPost, Path: capacityPage + "/groups/:group/acts", Right: actor.CapacityWork, Action: "capacity:bulk", Handler: h.many},
		{Method: http.MethodPost, Path: capacityPage + "/acts/:bulk/undo", Right: actor.CapacityWork, Action: "capacity:undo", Handler: h.undo},
		web.Needs(http.MethodGet, one, actor.CapacityRead, h.show),
		act("acknowledge", capacity.Acknowledge), act("assign", capacity.Assign), act("fix", capacity.FixIt), act("verify", capacity.Verify), act("doubt", capacity.Doubt),
		accept, reopen,
		web.Needs(http.MethodGet, one+"/bin", actor.CapacityRead, h.bin),
		{Method: http.MethodPost, Path: one + "/bin", Right: actor.CapacityWork, Action: "bin:resize", Handler: h.correctBin},
		{Method: http.MethodPost, Path: one + "/material", Right: actor.CapacityWork, Action: "capacity:fix", Handler: h.material},
		{Method: http.MethodPost, Path: one + "/measure", Right: actor.CapacityWork, Action: "task:ask", Handler: h.measure},
		{Method: http.MethodPost, Path: "/api/v1/capacity-failures", Right: actor.CapacityRecord, Action: "capacity:record", Handler: h.record},
	}
}

// ages are for how long something has been open, as the filter offers it.
var ages = []struct {
	value, label string
	least        time.Duration
}{{"4h", "more than 4 hours", 4 * time.Hour}, {"1d", "more than a day", 24 * time.Hour}, {"7d", "more than a week", 7 * 24 * time.Hour}, {"30d", "more than 30 days", 30 * 24 * time.Hour}}

// capacityFilter reads what of the failures is asked for.
func capacityFilter(values *web.Values) capacity.Query {
	q := capacity.Query{Zone: values.Text("zone", 0, 50)}
	if values.Has("facility") {
		q.Facility = values.UUID("facility")
	}
	values.Allow("facility")
	q.Cause = capacity.Cause(optionalChoice(values, "cause", texts(capacity.Causes())...))
	q.Severity = capacity.Severity(optionalChoice(values, "severity", string(capacity.Critical), string(capacity.Warning), string(capacity.Info)))
	q.Standing = capacity.Standing(optionalChoice(values, "standing", texts(capacity.Standings())...))
	offered := make([]string, len(ages))
	for i, a := range ages {
		offered[i] = a.value
	}
	chosen := optionalChoice(values, "age", offered...)
	for _, a := range ages {
		if a.value == chosen {
			q.OlderThan = a.least
		}
	}
	switch optionalChoice(values, "owner", "me", "nobody") {
	case "me":
		q.Mine = true
	case "nobody":
		q.Nobodys = true
	}
	return q
}

func texts[T ~string](list []T) []string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = string(v)
	}
	return all
}

// capacityPlace reads a place in a list: its rank, its overflow and its id, or a moment and an id.
func capacityPlace(values *web.Values) (c capacity.Cursor) {
	text := values.Text("after", 0, 120)
	if text == "" {
		return c
	}
	parts := strings.Split(text, "_")
	id, err := uuid.Parse(parts[len(parts)-1])
	ok := err == nil
	switch len(parts) {
	case 2:
		c.At, err = time.Parse(time.RFC3339Nano, parts[0])
		ok = ok && err == nil
	case 3:
		c.Rank, err = strconv.Atoi(parts[0])
		ok = ok && err == nil && c.Rank >= 0 && c.Rank <= 9
		overflow, number := capacity.ParseDecimal(parts[1])
		c.Overflow, ok = overflow, ok && number
	default:
		ok = false
	}
	if !ok {
		values.Complain("after", "This is no place in the list.")
		return capacity.Cursor{}
	}
	c.ID = id
	return c
}

func (h capacities) list(c echo.Context) error {
	values := web.Query(c)
	q := capacityFilter(values)
	q.After, q.Limit = capacityPlace(values), capacityPageSize+1
	if err := values.Err(); err != nil {
		return err
	}
	o, err := h.stories.Overview(c.Request().Context(), web.Actor(c), q)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.CapacityList(capacityListView(web.Shell(c, "Capacity failures"), q, o, c.Request().URL.Query())))
}

func (h capacities) group(c echo.Context) error {
	values := web.Query(c)
	q := capacityFilter(values)
	q.After = capacityPlace(values)
	if err := values.Err(); err != nil {
		return err
	}
	v, err := h.groupPage(c, q, c.Request().URL.Query())
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.CapacityGroup(v))
}

func (h capacities) groupPage(c echo.Context, q capacity.Query, query url.Values) (pages.CapacityGroupView, error) {
	id, err := web.ID(c, "group")
	if err != nil {
		return pages.CapacityGroupView{}, err
	}
	q.Limit = capacityPageSize + 1
	p, err := h.stories.Group(c.Request().Context(), web.Actor(c), id, q)
	if err != nil {
		return pages.CapacityGroupView{}, err
	}
	return capacityGroupView(web.Shell(c, p.Group.Label, toCapacity), web.Actor(c), q, p, query), nil
}

// many does an act on everything that the filter of the page finds.
func (h capacities) many(c echo.Context) error {
	group, err := web.ID(c, "group")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	m := capacity.Many{Group: group, Filter: capacityFilter(form), Reason: form.Text("reason", 0, 4000), Key: form.UUID("key")}
	m.Act = capacity.Act(form.Choice("act", texts(capacity.ManyActs())...))
	for _, act := range capacity.ManyActs() {
		shown := optionalInt(form, "shown_"+string(act), 0, capacity.MostAtOnce+1)
		if act == m.Act {
			m.Shown = shown
		}
	}
	if form.Has("worker") {
		m.Worker = form.UUID("worker")
	}
	form.Allow("worker")
	var done capacity.Bulk
	if err = form.Err(); err == nil {
		done, err = h.stories.Many(c.Request().Context(), web.Actor(c), m)
	}
	if refused, ok := correctable(err); ok {
		v, err := h.groupPage(c, m.Filter, filterQuery(m.Filter))
		if err != nil {
			return err
		}
		v.Bulk.Reason, v.Complaints = form.Raw("reason"), allComplaints(refused, "reason", "worker", "act", "key")
		for i := range v.Bulk.Workers {
			v.Bulk.Workers[i].Chosen = v.Bulk.Workers[i].Value == form.Raw("worker")
		}
		return web.Again(c, refused, pages.CapacityGroup(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, fmt.Sprintf("%s %s.", counted(done.Cases, "failure is", "failures are"), done.Act.Past()))
	return web.SeeOther(c, groupHref(group))
}

func groupHref(id uuid.UUID) string { return capacityPage + "/groups/" + id.String() }

func (h capacities) undo(c echo.Context) error {
	id, err := web.ID(c, "bulk")
	if err != nil {
		return err
	}
	if err := pressed(c); err != nil {
		return err
	}
	back, b, err := h.stories.Undo(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashInfo, capacity.UndoneWords(back, b))
	return web.SeeOther(c, capacityPage)
}

func (h capacities) show(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	v, err := h.showPage(c)
	if err != nil {
		return err
	}
	if kept := web.Prefill(c); kept != nil {
		v.Accept.Notes, v.Tried = kept["notes"], "accept"
		if kept["until"] != "" {
			v.Until = kept["until"]
		}
	}
	return web.Page(c, http.StatusOK, pages.CapacityShow(v))
}

func (h capacities) showPage(c echo.Context) (pages.CapacityShowView, error) {
	id, err := web.ID(c, "failure")
	if err != nil {
		return pages.CapacityShowView{}, err
	}
	p, err := h.stories.Failure(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return pages.CapacityShowView{}, err
	}
	return h.showView(web.Shell(c, p.Case.Material.Code+" in "+p.Case.Location.Code, toCapacity, layouts.Crumb{Label: p.Case.Cause.Words(), Href: groupHref(p.Case.Group)}), web.Actor(c), p), nil
}

// act does one act on one failure.
func (h capacities) act(act capacity.Act) web.Handler {
	return func(c echo.Context) error {
		id, err := web.ID(c, "failure")
		if err != nil {
			return err
		}
		form, err := web.Form(c)
		if err != nil {
			return err
		}
		r := capacity.Request{Failure: id, Act: act, Seen: form.Int("version", 1, 1_000_000_000)}
		switch act {
		case capacity.FixIt:
			r.Code, r.Notes = capacity.Code(form.Choice("code", texts(capacity.Codes())...)), form.Text("notes", 0, 4000)
		case capacity.Assign:
			r.Worker, err = uuid.Parse(form.Text("worker", 0, 40))
			if err != nil {
				r.Worker = uuid.Nil
			}
		case capacity.Accept:
			r.Until, r.Notes = readDay(form, "until"), form.Text("notes", 0, 4000)
		case capacity.Doubt, capacity.Reopen:
			r.Notes = form.Text("notes", 0, 4000)
		case capacity.Acknowledge, capacity.Verify, capacity.Recur, capacity.Expire, capacity.First, capacity.Undone:
		}
		if err = form.Err(); err == nil {
			err = h.stories.Act(c.Request().Context(), web.Actor(c), r)
		}
		if refused, ok := correctable(err); ok {
			return h.showAgain(c, refused, string(act), form)
		}
		if err != nil {
			return err
		}
		web.Flash(c, layouts.FlashGood, "The failure is "+act.Past()+".")
		return web.SeeOther(c, capacityPage+"/"+id.String())
	}
}

// showAgain answers a refused act with the failure as it is now, and what was typed.
func (h capacities) showAgain(c echo.Context, refused *fault.Error, tried string, form *web.Values) error {
	v, err := h.showPage(c)
	if err != nil {
		return err
	}
	v.Tried, v.Complaints = tried, allComplaints(refused, "notes", "worker", "code", "until", "version", "material_notes", "shown")
	notes := form.Raw("notes")
	v.Fix.Notes, v.Doubt.Notes, v.Accept.Notes, v.Reopen.Notes, v.Material.Notes = notes, notes, notes, notes, form.Raw("material_notes")
	for i := range v.Codes {
		v.Codes[i].Chosen = v.Codes[i].Value == form.Raw("code")
	}
	for i := range v.Workers {
		v.Workers[i].Chosen = v.Workers[i].Value == form.Raw("worker")
	}
	if until := form.Raw("until"); until != "" {
		v.Until = until
	}
	return web.Again(c, refused, pages.CapacityShow(v))
}

// material fixes what fits by today's master data.
func (h capacities) material(c echo.Context) error {
	id, err := web.ID(c, "failure")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	r := capacity.Remeasured{Failure: id, Shown: form.Int("shown", 0, capacity.MostAtOnce), Notes: form.Text("material_notes", 0, 4000)}
	cleared := 0
	if err = form.Err(); err == nil {
		cleared, err = h.stories.MaterialCorrected(c.Request().Context(), web.Actor(c), r)
	}
	if refused, ok := correctable(err); ok {
		return h.showAgain(c, refused, "material", form)
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, counted(cleared, "failure is", "failures are")+" fixed. A second person looks whether it holds.")
	return web.SeeOther(c, capacityPage+"/"+id.String())
}

// measure puts the failure's material onto the list of what is to be measured.
func (h capacities) measure(c echo.Context) error {
	id, err := web.ID(c, "failure")
	if err != nil {
		return err
	}
	if err := pressed(c); err != nil {
		return err
	}
	p, err := h.stories.Failure(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return err
	}
	f := p.Case
	note := fmt.Sprintf("%s: %s into %s, %s.", f.Verdict.Type.Words(), f.Quantity, f.Location.Code, f.Verdict.Worst().Words())
	err = h.measures.AskFor(c.Request().Context(), web.Actor(c), dimension.Wanted{Facility: f.Facility.ID, Material: f.Material.ID, Reason: dimension.ForFailure, Note: note})
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, f.Material.Code+" is on the list of what is to be measured.")
	return web.SeeOther(c, f.Path())
}

// sizeOf reads a bin's size; false where none was sent.
func sizeOf(values *web.Values) (capacity.Size, bool) {
	sent := false
	side := func(name string) capacity.Decimal {
		text := values.Text(name, 0, 30)
		if text == "" {
			return capacity.Decimal{}
		}
		sent = true
		d, ok := capacity.ParseDecimal(text)
		if !ok {
			values.Complain(name, "A number like 48.5, please: digits and one point.")
		}
		return d
	}
	size := capacity.Size{Sides: capacity.Box{Length: side("length"), Width: side("width"), Height: side("height")}, MaxWeight: side("weight")}
	return size, sent
}

// bin shows what another size of the failure's bin would clear.
func (h capacities) bin(c echo.Context) error {
	values := web.Query(c)
	size, sent := sizeOf(values)
	for _, name := range values.Names() {
		if !slices.Contains([]string{"length", "width", "height", "weight"}, name) {
			return values.Err()
		}
	}
	var refused *fault.Error
	if err := values.Err(); err != nil {
		var ok bool
		if refused, ok = correctable(err); !ok {
			return err
		}
	} else if sent {
		refused = size.Check()
	}
	v, err := h.binPage(c, size, sent && refused == nil)
	if err != nil {
		return err
	}
	if sent {
		v.Length, v.Width, v.Height, v.Weight = values.Raw("length"), values.Raw("width"), values.Raw("height"), values.Raw("weight")
	}
	status := http.StatusOK
	if refused != nil {
		v.Complaints, status = allComplaints(refused, "length", "width", "height", "weight"), http.StatusUnprocessableEntity
	}
	return web.Page(c, status, pages.CapacityBin(v))
}

func (h capacities) binPage(c echo.Context, size capacity.Size, looked bool) (pages.CapacityBinView, error) {
	id, err := web.ID(c, "failure")
	if err != nil {
		return pages.CapacityBinView{}, err
	}
	p, err := h.stories.Failure(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return pages.CapacityBinView{}, err
	}
	shell := web.Shell(c, "Size of "+p.Case.Location.Code, toCapacity, layouts.Crumb{Label: p.Case.Material.Code + " in " + p.Case.Location.Code, Href: p.Case.Path()})
	return binView(shell, web.Actor(c), p, size, looked), nil
}

func (h capacities) correctBin(c echo.Context) error {
	id, err := web.ID(c, "failure")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	size, _ := sizeOf(form)
	r := capacity.Correct{Failure: id, Size: size, SeenBin: form.Int("bin_version", 1, 1_000_000_000), Shown: form.Int("shown", 0, capacity.MostAtOnce), Reason: form.Text("reason", 0, 4000)}
	cleared := 0
	if err = form.Err(); err == nil {
		cleared, err = h.stories.CorrectBin(c.Request().Context(), web.Actor(c), r)
	}
	if refused, ok := correctable(err); ok {
		v, err := h.binPage(c, size, size.Check() == nil)
		if err != nil {
			return err
		}
		v.Length, v.Width, v.Height, v.Weight, v.Reason = form.Raw("length"), form.Raw("width"), form.Raw("height"), form.Raw("weight"), form.Raw("reason")
		v.Complaints = allComplaints(refused, "length", "width", "height", "weight", "reason")
		return web.Again(c, refused, pages.CapacityBin(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "The bin has its true size, and "+counted(cleared, "failure is", "failures are")+" fixed by that. A second person looks whether it holds.")
	return web.SeeOther(c, capacityPage+"/"+id.String())
}

var capacityColumns = []string{
	"failure_id", "facility", "location", "zone", "material", "lot", "quantity", "failure_type", "severity", "state", "cause", "cause_reason", "owner",
	"required_cubic_feet", "available_cubic_feet", "volume_overflow_pct", "required_weight_lbs", "available_weight_lbs", "weight_overflow_pct", "occurrences",
	"first_seen_at", "last_seen_at", "open_since", "due_at", "resolution_code", "resolution_notes", "fixed_by", "verified_by", "accepted_until",
}

// export sends each failure that the filter finds, as a spreadsheet reads it and calculates nothing of it.
func (h capacities) export(c echo.Context) error {
	values := web.Query(c)
	q := capacityFilter(values)
	if err := values.Err(); err != nil {
		return err
	}
	return web.Download(c, "capacity-failures-"+h.now().UTC().Format("20060102T150405Z")+".csv", "text/csv; charset=utf-8", func(w io.Writer) error {
		buffered := bufio.NewWriterSize(w, 64<<10)
		out := csv.NewWriter(buffered)
		out.UseCRLF = true
		if err := out.Write(capacityColumns); err != nil {
			return err
		}
		err := h.stories.Each(c.Request().Context(), web.Actor(c), q, func(f capacity.Case) error { return out.Write(capacityLine(f)) })
		if err != nil {
			return err
		}
		out.Flush()
		if err := out.Error(); err != nil {
			return err
		}
		return buffered.Flush()
	})
}

func capacityLine(f capacity.Case) []string {
	percent := func(o capacity.Overflow) string {
		if o.NoRoom {
			return "no room"
		}
		return o.Pct.Round(2).String()
	}
	stamp := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.UTC().Format(time.RFC3339)
	}
	until := ""
	if !f.AcceptUntil.IsZero() {
		until = f.AcceptUntil.Format(time.DateOnly)
	}
	line := []string{
		f.ID.String(), f.Facility.Code, f.Location.Code, f.Zone, f.Material.Code, f.Lot, f.Quantity.String(), string(f.Verdict.Type), string(f.Verdict.Severity), string(f.State),
		string(f.Cause), f.Reason, f.Owner.Name, f.Needed.CubicFeet.String(), f.Free.CubicFeet.String(), percent(f.Verdict.Volume), f.Needed.WeightLbs.String(),
		f.Free.WeightLbs.String(), percent(f.Verdict.Weight), strconv.Itoa(f.Occurrences), stamp(f.FirstSeen), stamp(f.LastSeen), stamp(f.OpenedAt), stamp(f.DueAt()),
		string(f.FixCode), f.FixNotes, f.FixedBy.Name, f.VerifiedBy.Name, until,
	}
	for i, cell := range line {
		line[i] = audit.NotAFormula(cell)
	}
	return line
}
