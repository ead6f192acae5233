package handlers

import (
	"bufio"
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/crossdock"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/scan"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// CrossDockStories are the stories of goods at the dock whose order is gone.
type CrossDockStories interface {
	List(ctx context.Context, by actor.Actor, q crossdock.Query) (crossdock.List, error)
	Dock(ctx context.Context, by actor.Actor, q crossdock.Scan) (crossdock.Dock, error)
	Cancellation(ctx context.Context, by actor.Actor, id uuid.UUID) (crossdock.Page, error)
	Each(ctx context.Context, by actor.Actor, q crossdock.Query, yield func(crossdock.Cancellation) error) error
	Cancel(ctx context.Context, by actor.Actor, r crossdock.Request) (crossdock.Cancelled, error)
	StoreAt(ctx context.Context, by actor.Actor, a crossdock.Arrival) (crossdock.StoredLot, error)
	Choose(ctx context.Context, by actor.Actor, ch crossdock.Choice) error
	Retry(ctx context.Context, by actor.Actor, id uuid.UUID, seen int) (crossdock.Cancellation, error)
	SetLimit(ctx context.Context, by actor.Actor, l crossdock.Limit) error
}

type crossDocks struct {
	stories CrossDockStories
	now     func() time.Time
}

const (
	crossDockPage     = "/cross-dock"
	dockPage          = crossDockPage + "/dock"
	crossDockPageSize = 50
)

var toCrossDock = layouts.Crumb{Label: "Cross-dock", Href: crossDockPage}

// CrossDock is the subject of goods at the dock whose order is gone.
func CrossDock(stories CrossDockStories, now func() time.Time) []web.Route {
	h := crossDocks{stories, now}
	one := crossDockPage + "/:cancellation"
	return []web.Route{
		web.Needs(http.MethodGet, crossDockPage, actor.CrossDockRead, h.list),
		{Method: http.MethodGet, Path: crossDockPage + "/csv", Right: actor.CrossDockRead, Long: true, Handler: h.export},
		web.Needs(http.MethodGet, crossDockPage+"/new", actor.CrossDockCancel, h.form),
		{Method: http.MethodPost, Path: crossDockPage, Right: actor.CrossDockCancel, Action: "crossdock:cancel", Handler: h.cancel},
		{Method: http.MethodPost, Path: dockPage + "/limits", Right: actor.CrossDockManage, Action: "crossdock:limit", Handler: h.limit},
		web.Needs(http.MethodGet, dockPage, actor.CrossDockRead, h.dock),
		web.Needs(http.MethodGet, one, actor.CrossDockRead, h.show),
		web.Needs(http.MethodGet, one+"/store", actor.CrossDockRead, h.answer),
		{Method: http.MethodPost, Path: one + "/store", Right: actor.CrossDockStore, Action: "crossdock:store", Handler: h.store},
		{Method: http.MethodPost, Path: one + "/choose", Right: actor.CrossDockManage, Action: "crossdock:choose", Handler: h.choose},
		{Method: http.MethodPost, Path: one + "/retry", Right: actor.CrossDockManage, Action: "crossdock:place", Handler: h.retry},
		{Method: http.MethodPost, Path: "/api/v1/cross-dock-cancellations", Right: actor.CrossDockCancel, Action: "crossdock:cancel", Handler: h.record},
	}
}

// crossDockFilter reads what of the dock is asked for.
func crossDockFilter(values *web.Values) crossdock.Query {
	q := crossdock.Query{Zone: values.Text("zone", 0, 50)}
	if values.Has("facility") {
		q.Facility = values.UUID("facility")
	}
	values.Allow("facility")
	q.Reason = crossdock.Reason(optionalChoice(values, "reason", texts(crossdock.Reasons())...))
	q.Standing = crossdock.Standing(optionalChoice(values, "standing", texts(crossdock.Standings())...))
	return q
}

func (h crossDocks) list(c echo.Context) error {
	values := web.Query(c)
	q := crossDockFilter(values)
	place := capacityPlace(values)
	q.After = crossdock.Cursor{At: place.At, ID: place.ID}
	if err := values.Err(); err != nil {
		return err
	}
	v, err := h.listPage(c, q)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.CrossDockList(v))
}

func (h crossDocks) listPage(c echo.Context, q crossdock.Query) (pages.CrossDockListView, error) {
	q.Limit = crossDockPageSize + 1
	l, err := h.stories.List(c.Request().Context(), web.Actor(c), q)
	if err != nil {
		return pages.CrossDockListView{}, err
	}
	return crossDockListView(web.Shell(c, "Cross-dock"), web.Actor(c), q, l), nil
}

func (h crossDocks) limit(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	l := crossdock.Limit{Facility: crossdock.Place{ID: form.UUID("facility")}, Zone: form.Text("zone", 0, 50), Within: time.Duration(form.Int("minutes", 1, 10080)) * time.Minute}
	if err = form.Err(); err == nil {
		err = h.stories.SetLimit(c.Request().Context(), web.Actor(c), l)
	}
	if refused, ok := correctable(err); ok {
		v, err := h.listPage(c, crossdock.Query{})
		if err != nil {
			return err
		}
		v.Limits.Zone, v.Limits.Minutes, v.Limits.Complaints = form.Raw("zone"), form.Raw("minutes"), allComplaints(refused, "facility", "zone", "minutes")
		return web.Again(c, refused, pages.CrossDockList(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "The limit is set.")
	return web.SeeOther(c, crossDockPage)
}

// dock takes a scan: what is one lot leads to its answer, several are listed.
func (h crossDocks) dock(c echo.Context) error {
	values := web.Query(c)
	var q crossdock.Scan
	if values.Has("facility") {
		q.Facility = values.UUID("facility")
	}
	values.Allow("facility", "scan")
	if err := values.Err(); err != nil {
		return err
	}
	scanned := strings.TrimSpace(values.Raw("scan"))
	problem := ""
	if scanned != "" {
		read, err := scan.Read(scanned)
		if refused, ok := fault.As(err); ok {
			problem = refused.Message
		}
		q.Code, q.Lot, q.GTIN = read.Code, read.Lot, read.GTIN
		if read.Lot != "" {
			q.GTIN = "" // the label says which lot it is
		}
	}
	d, err := h.stories.Dock(c.Request().Context(), web.Actor(c), q)
	if err != nil {
		return err
	}
	if one, ok := meant(q, d.Found); ok {
		return web.SeeOther(c, storePath(one.ID))
	}
	v := dockView(web.Shell(c, "Dock", toCrossDock), q, d)
	v.Value, v.Problem = values.Raw("scan"), problem
	status := http.StatusOK
	if problem != "" {
		status = http.StatusUnprocessableEntity
	}
	return web.Page(c, status, pages.Dock(v))
}

func storePath(id uuid.UUID) string { return crossDockPage + "/" + id.String() + "/store" }

// meant is the one cancellation that a scan means: the only one, or the only one whose lot has that number.
func meant(q crossdock.Scan, found []crossdock.Cancellation) (crossdock.Cancellation, bool) {
	var lots []crossdock.Cancellation
	for _, c := range found {
		if c.Lot.Number == q.Lot || c.Lot.Number == q.Code {
			lots = append(lots, c)
		}
	}
	if len(lots) > 0 {
		found = lots
	}
	if len(found) != 1 {
		return crossdock.Cancellation{}, false
	}
	return found[0], true
}

func (h crossDocks) page(c echo.Context) (crossdock.Page, error) {
	id, err := web.ID(c, "cancellation")
	if err != nil {
		return crossdock.Page{}, err
	}
	return h.stories.Cancellation(c.Request().Context(), web.Actor(c), id)
}

func (h crossDocks) answer(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.DockAnswer(dockAnswerView(web.Shell(c, "Lot "+p.Cancellation.Lot.Number, toCrossDock), web.Actor(c), p)))
}

func (h crossDocks) store(c echo.Context) error {
	id, err := web.ID(c, "cancellation")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	a := crossdock.Arrival{Cancellation: id, Scanned: form.Text("place", 0, 100), Sure: form.Text("sure", 0, 50)}
	if read, err := scan.Read(a.Scanned); err == nil && (read.Command == scan.Back || read.Command == scan.Cancel) {
		return web.SeeOther(c, dockPage)
	}
	var done crossdock.StoredLot
	if err = form.Err(); err == nil {
		done, err = h.stories.StoreAt(c.Request().Context(), web.Actor(c), a)
	}
	if refused, ok := correctable(err); ok {
		p, err := h.page(c)
		if err != nil {
			return err
		}
		v := dockAnswerView(web.Shell(c, "Lot "+p.Cancellation.Lot.Number, toCrossDock), web.Actor(c), p)
		v.Problem, v.Sure = refused.Fields["place"], refused.Fields[crossdock.AsksBack]
		if refused.Kind == fault.Conflict {
			v.Conflict = refused.Message
		}
		return web.Again(c, refused, pages.DockAnswer(v))
	}
	if err != nil {
		return err
	}
	said := "Lot " + done.Cancellation.Lot.Number + " lies in " + done.Cancellation.Actual.Code + "."
	if done.Repeat {
		said += " That was written down before; nothing was done twice."
	}
	web.Flash(c, layouts.FlashGood, said)
	return web.SeeOther(c, dockPage)
}

func (h crossDocks) show(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.CrossDockShow(crossDockShowView(web.Shell(c, "Lot "+p.Cancellation.Lot.Number, toCrossDock), web.Actor(c), p)))
}

func (h crossDocks) choose(c echo.Context) error {
	id, err := web.ID(c, "cancellation")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	ch := crossdock.Choice{Cancellation: id, Seen: form.Int("version", 1, 1<<30), Location: form.Text("location", 0, 50), Note: form.Text("note", 0, crossdock.NotesMost)}
	if err = form.Err(); err == nil {
		err = h.stories.Choose(c.Request().Context(), web.Actor(c), ch)
	}
	return h.changed(c, form, err, id, "It is sent to "+ch.Location+".")
}

func (h crossDocks) retry(c echo.Context) error {
	id, err := web.ID(c, "cancellation")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	seen, said := form.Int("version", 1, 1<<30), ""
	if err = form.Err(); err == nil {
		var now crossdock.Cancellation
		now, err = h.stories.Retry(c.Request().Context(), web.Actor(c), id, seen)
		said = "It goes to " + now.To.Code + "."
		if err == nil && now.Waiting() {
			said = now.Why
		}
	}
	return h.changed(c, form, err, id, said)
}

// changed answers an act on one cancellation.
func (h crossDocks) changed(c echo.Context, form *web.Values, err error, id uuid.UUID, said string) error {
	if refused, ok := correctable(err); ok {
		p, err := h.page(c)
		if err != nil {
			return err
		}
		v := crossDockShowView(web.Shell(c, "Lot "+p.Cancellation.Lot.Number, toCrossDock), web.Actor(c), p)
		v.Location, v.Note, v.Complaints = form.Raw("location"), form.Raw("note"), allComplaints(refused, "location", "note", "version")
		return web.Again(c, refused, pages.CrossDockShow(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashInfo, said)
	return web.SeeOther(c, crossDockPage+"/"+id.String())
}

func (h crossDocks) form(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	v, err := h.newPage(c, uuid.NewString(), crossdock.Request{})
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.CrossDockNew(v))
}

func (h crossDocks) newPage(c echo.Context, key string, r crossdock.Request) (pages.CrossDockNewView, error) {
	l, err := h.stories.List(c.Request().Context(), web.Actor(c), crossdock.Query{Limit: 1})
	if err == nil && !l.Deployed {
		err = crossdock.NotDeployed()
	}
	if err != nil {
		return pages.CrossDockNewView{}, err
	}
	return crossDockNewView(web.Shell(c, "Cancel a cross-dock", toCrossDock), l, key, r), nil
}

func (h crossDocks) cancel(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	r := crossdock.Request{
		Key: form.UUID("key").String(), Facility: form.Text("facility", 0, 50), Lot: form.Text("lot", 0, 100), Material: form.Text("material", 0, 100),
		Reason: crossdock.Reason(form.Choice("reason", texts(crossdock.Reasons())...)), Staging: form.Text("staging_location", 0, 50), Order: form.Text("sales_order", 0, 50),
		Notes: form.Text("notes", 0, crossdock.NotesMost),
	}
	var done crossdock.Cancelled
	if err = form.Err(); err == nil {
		done, err = h.stories.Cancel(c.Request().Context(), web.Actor(c), r)
	}
	if none, ok := fault.As(err); ok && none.Kind == fault.NotFound && none.Fields != nil {
		// What was typed names nothing: that is put right on the same page.
		err = &fault.Error{Kind: fault.Invalid, Message: none.Message, Fields: none.Fields}
	}
	if refused, ok := correctable(err); ok {
		key := form.Raw("key")
		if refused.Kind == fault.Conflict {
			key = uuid.NewString()
		}
		r.Reason = crossdock.Reason(form.Raw("reason"))
		r.Lot, r.Material, r.Staging, r.Order, r.Notes = form.Raw("lot"), form.Raw("material"), form.Raw("staging_location"), form.Raw("sales_order"), form.Raw("notes")
		v, err := h.newPage(c, key, r)
		if err != nil {
			return err
		}
		v.Complaints = allComplaints(refused, "facility", "lot", "reason", "material", "staging_location", "sales_order", "notes", "key")
		return web.Again(c, refused, pages.CrossDockNew(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, cancelledWords(done))
	return web.SeeOther(c, done.Cancellation.Path())
}

var crossDockColumns = []string{
	"cancellation_id", "facility", "lot", "material", "quantity", "unit", "quality_status", "reason", "sales_order", "stands_at", "zone", "told_location", "why", "actual_location",
	"at_dock_since", "at_dock_minutes", "limit_minutes", "late", "cancelled_at", "cancelled_by", "stored_at", "stored_by", "notes",
}

// export sends what the filter finds, as a spreadsheet reads it and calculates nothing of it.
func (h crossDocks) export(c echo.Context) error {
	values := web.Query(c)
	q := crossDockFilter(values)
	if err := values.Err(); err != nil {
		return err
	}
	now := h.now().UTC()
	return web.Download(c, "cross-dock-"+now.Format("20060102T150405Z")+".csv", "text/csv; charset=utf-8", func(w io.Writer) error {
		buffered := bufio.NewWriterSize(w, 64<<10)
		out := csv.NewWriter(buffered)
		out.UseCRLF = true
		if err := out.Write(crossDockColumns); err != nil {
			return err
		}
		err := h.stories.Each(c.Request().Context(), web.Actor(c), q, func(x crossdock.Cancellation) error { return out.Write(crossDockLine(x, now)) })
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

func crossDockLine(x crossdock.Cancellation, now time.Time) []string {
	stamp := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.UTC().Format(time.RFC3339)
	}
	minutes := func(d time.Duration) string { return strconv.Itoa(int(d.Minutes())) }
	line := []string{
		x.ID.String(), x.Lot.Facility.Code, x.Lot.Number, x.Lot.Material.Code, x.Lot.Quantity.String(), x.Lot.Unit, x.Lot.Quality, string(x.Reason), x.Order.Code, x.Lot.At.Code, x.Lot.At.Zone,
		x.To.Code, x.Why, x.Actual.Code, stamp(x.Since), minutes(x.Dwell(now)), minutes(x.Limit), strconv.FormatBool(x.Late(now)), stamp(x.At), x.By, stamp(x.StoredAt), x.StoredBy, x.Notes,
	}
	for i, cell := range line {
		line[i] = audit.NotAFormula(cell)
	}
	return line
}
