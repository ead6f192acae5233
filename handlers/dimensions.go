package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/scan"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// DimensionStories are the stories of measuring.
type DimensionStories interface {
	Sheet(ctx context.Context, by actor.Actor, facility, material uuid.UUID) (dimension.Sheet, error)
	Measure(ctx context.Context, by actor.Actor, m dimension.Measurement) (dimension.Reading, error)
	History(ctx context.Context, by actor.Actor, material uuid.UUID) (dimension.History, error)
	Reviews(ctx context.Context, by actor.Actor, q dimension.ReviewQuery) (dimension.Reviews, error)
	Case(ctx context.Context, by actor.Actor, id uuid.UUID) (dimension.Review, error)
	Decide(ctx context.Context, by actor.Actor, r dimension.Ruling) error
	Work(ctx context.Context, by actor.Actor, q dimension.WorkQuery) (dimension.Work, error)
	Take(ctx context.Context, by actor.Actor, h dimension.Hold) error
	Release(ctx context.Context, by actor.Actor, h dimension.Hold) error
	Assign(ctx context.Context, by actor.Actor, h dimension.Hold) error
	Ask(ctx context.Context, by actor.Actor, a dimension.Ask) error
	Link(ctx context.Context, by actor.Actor, facility uuid.UUID, gtin, code string) (dimension.Material, error)
}

type dimensions struct {
	stories DimensionStories
	now     func() time.Time
}

const (
	dimensionsPage     = "/dimensions"
	dimensionReviews   = dimensionsPage + "/reviews"
	dimensionMaterials = dimensionsPage + "/materials"
	dimensionsPageSize = 25
)

var toDimensions = layouts.Crumb{Label: "Dimensions", Href: dimensionsPage}

// Dimensions is the subject of what is measured, by whom, and who decides.
func Dimensions(stories DimensionStories, now func() time.Time) []web.Route {
	h := dimensions{stories, now}
	return []web.Route{
		web.Needs(http.MethodGet, dimensionsPage, actor.DimensionRead, h.work),
		{Method: http.MethodPost, Path: dimensionsPage + "/tasks", Right: actor.DimensionReview, Action: "task:ask", Handler: h.ask},
		{Method: http.MethodPost, Path: dimensionsPage + "/tasks/take", Right: actor.DimensionMeasure, Action: "task:take", Handler: h.take},
		{Method: http.MethodPost, Path: dimensionsPage + "/tasks/release", Right: actor.DimensionMeasure, Action: "task:release", Handler: h.release},
		{Method: http.MethodPost, Path: dimensionsPage + "/tasks/assign", Right: actor.DimensionReview, Action: "task:assign", Handler: h.assign},
		{Method: http.MethodPost, Path: dimensionsPage + "/barcodes", Right: actor.DimensionMeasure, Action: "barcode:link", Handler: h.link},
		web.Needs(http.MethodGet, dimensionMaterials+"/:material", actor.DimensionRead, h.history),
		web.Needs(http.MethodGet, dimensionMaterials+"/:material/measure", actor.DimensionMeasure, h.sheet),
		{Method: http.MethodPost, Path: dimensionMaterials + "/:material/measure", Right: actor.DimensionMeasure, Action: "dimension:measure", Doing: "save a measurement", Handler: h.measure},
		web.Needs(http.MethodGet, dimensionReviews, actor.DimensionRead, h.reviews),
		web.Needs(http.MethodGet, dimensionReviews+"/:case", actor.DimensionRead, h.review),
		{Method: http.MethodPost, Path: dimensionReviews + "/:case", Right: actor.DimensionReview, Action: "dimension:review", Doing: "decide about a measurement", Handler: h.decide},
	}
}

// notYet answers a page whose table a pending migration has yet to bring; any other error passes.
func notYet(c echo.Context, title string, err error) error {
	var missing *dimension.NotDeployed
	if !errors.As(err, &missing) {
		return err
	}
	return web.Page(c, http.StatusOK, pages.NotYet(notYetView(web.Shell(c, title, toDimensions), missing)))
}

// notYetEither is the same for what would have changed something.
func notYetEither(err error) error {
	var missing *dimension.NotDeployed
	if !errors.As(err, &missing) {
		return err
	}
	return fault.New(fault.Conflict, "%s Nothing was saved.", missing.Error())
}

// workQuery reads what the page of the work list is asked for.
func workQuery(values *web.Values) dimension.WorkQuery {
	q := dimension.WorkQuery{Order: dimension.ByWalk, Zone: values.Text("zone", 0, 50), Limit: dimensionsPageSize + 1}
	if values.Has("facility") {
		q.Facility = values.UUID("facility")
	} else {
		values.Allow("facility")
	}
	if order := values.Text("order", 0, 10); order == string(dimension.ByGain) {
		q.Order = dimension.ByGain
	} else if order != "" && order != string(dimension.ByWalk) {
		values.Complain("order", "The list stands by walk or by gain.")
	}
	after := values.Text("after", 0, 200)
	if after == "" {
		return q
	}
	parts := strings.SplitN(after, "_", 3)
	if len(parts) == 3 {
		number, wrong := strconv.Atoi(parts[1])
		id, wrongID := uuid.Parse(parts[0])
		if wrong == nil && wrongID == nil {
			q.AfterMaterial, q.AfterNumber, q.AfterZone = id, number, parts[2]
			return q
		}
	}
	values.Complain("after", "This is no place in the list.")
	return q
}

func (h dimensions) work(c echo.Context) error {
	values := web.Query(c)
	q := workQuery(values)
	values.Allow("scan")
	scanned := values.Raw("scan")
	if err := values.Err(); err != nil {
		return err
	}
	var read scan.Scan
	var problem string
	if strings.TrimSpace(scanned) != "" {
		var err error
		if read, err = scan.Read(scanned); err != nil {
			refused, _ := fault.As(err)
			problem = refused.Message
		}
		q.Code, q.GTIN, q.Lot = read.Code, read.GTIN, read.Lot
	}
	w, err := h.stories.Work(c.Request().Context(), web.Actor(c), q)
	if err != nil {
		return notYet(c, "Dimensions", err)
	}
	if hit, ok := only(w.Found); ok && web.Actor(c).Can(actor.DimensionMeasure) {
		return web.SeeOther(c, measurePath(hit.Material, w.Facility.ID))
	}
	v := workView(web.Shell(c, "Dimensions"), web.Actor(c), q, w)
	status := http.StatusOK
	keepScan(&v, scanned, read, problem, w)
	if problem != "" {
		status = http.StatusUnprocessableEntity
	}
	return web.Page(c, status, pages.DimensionList(v))
}

// only is the material that was found, where it was one and meant: not one that a bin holds beside others, nor one of many lots.
func only(found []dimension.Found) (dimension.Found, bool) {
	if len(found) == 0 || found[0].Kind == dimension.ByLocation {
		return dimension.Found{}, false
	}
	for _, f := range found[1:] {
		if f.Kind == found[0].Kind && f.Material != found[0].Material {
			return dimension.Found{}, false
		}
	}
	return found[0], true
}

// listed leads back to the list of a facility.
func listed(facility uuid.UUID) string {
	return dimensionsPage + "?" + url.Values{"facility": {facility.String()}}.Encode()
}

func (h dimensions) holding(c echo.Context, colleague bool, act func(context.Context, actor.Actor, dimension.Hold) error, said string) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	hold := dimension.Hold{Facility: form.UUID("facility"), Material: form.UUID("material"), Seen: form.Int("version", 1, 1<<30)}
	if colleague {
		if hold.Colleague, err = uuid.Parse(form.Text("colleague", 0, 40)); err != nil {
			form.Complain("colleague", "Choose who shall have it.")
		}
	}
	if err := form.Err(); err != nil {
		return err
	}
	if err := act(c.Request().Context(), web.Actor(c), hold); err != nil {
		return notYetEither(err)
	}
	web.Flash(c, layouts.FlashGood, said)
	return web.SeeOther(c, listed(hold.Facility))
}

func (h dimensions) take(c echo.Context) error {
	return h.holding(c, false, h.stories.Take, "The task is yours.")
}

func (h dimensions) release(c echo.Context) error {
	return h.holding(c, false, h.stories.Release, "The task is free again.")
}

func (h dimensions) assign(c echo.Context) error {
	return h.holding(c, true, h.stories.Assign, "The task was given.")
}

func (h dimensions) ask(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	a := dimension.Ask{Facility: form.UUID("facility"), Code: form.Text("code", 0, 100), Note: form.Text("note", 0, 400)}
	if err = form.Err(); err == nil {
		err = notYetEither(h.stories.Ask(c.Request().Context(), web.Actor(c), a))
	}
	refused, ok := correctable(err)
	if ok {
		q := dimension.WorkQuery{Order: dimension.ByWalk, Limit: dimensionsPageSize + 1, Facility: a.Facility}
		w, err := h.stories.Work(c.Request().Context(), web.Actor(c), q)
		if err != nil {
			return notYetEither(err)
		}
		v := workView(web.Shell(c, "Dimensions"), web.Actor(c), q, w)
		v.Ask.Code, v.Ask.Note, v.Ask.Complaints = form.Raw("code"), form.Raw("note"), allComplaints(refused, "code", "note", "facility")
		return web.Again(c, refused, pages.DimensionList(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, a.Code+" stands on the work list now.")
	return web.SeeOther(c, listed(a.Facility))
}

// link keeps of which material a trade item number is, and goes on to measure it.
func (h dimensions) link(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	facility, gtin, code := form.UUID("facility"), form.Text("gtin", 0, 14), form.Text("code", 0, 100)
	if read, err := scan.Read(gtin); err != nil || read.GTIN != gtin {
		form.Complain("gtin", "This is no trade item number. Scan it again.")
	}
	var material dimension.Material
	if err = form.Err(); err == nil {
		material, err = h.stories.Link(c.Request().Context(), web.Actor(c), facility, gtin, code)
		err = notYetEither(err)
	}
	refused, ok := correctable(err)
	if ok {
		q := dimension.WorkQuery{Order: dimension.ByWalk, Limit: dimensionsPageSize + 1, Facility: facility, GTIN: gtin}
		w, err := h.stories.Work(c.Request().Context(), web.Actor(c), q)
		if err != nil {
			return notYetEither(err)
		}
		v := workView(web.Shell(c, "Dimensions"), web.Actor(c), q, w)
		v.Link = pages.LinkForm{Action: dimensionsPage + "/barcodes", Facility: w.Facility.ID.String(), GTIN: gtin, Code: form.Raw("code"), Complaints: allComplaints(refused, "gtin", "code", "facility")}
		return web.Again(c, refused, pages.DimensionList(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "From now on this barcode is "+material.Code+".")
	return web.SeeOther(c, measurePath(material.ID, facility))
}

func (h dimensions) history(c echo.Context) error {
	id, err := web.ID(c, "material")
	if err != nil {
		return err
	}
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	history, err := h.stories.History(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return notYet(c, "Material", err)
	}
	return web.Page(c, http.StatusOK, pages.MaterialShow(historyView(web.Shell(c, history.Material.Code, toDimensions), web.Actor(c), history)))
}

func (h dimensions) reviews(c echo.Context) error {
	values := web.Query(c)
	q := dimension.ReviewQuery{Limit: dimensionsPageSize + 1}
	if at, id := place(values, "after"); id != "" {
		var err error
		if q.AfterID, err = uuid.Parse(id); err != nil {
			values.Complain("after", "This is no place in the list.")
		}
		q.AfterAt = at
	}
	if err := values.Err(); err != nil {
		return err
	}
	list, err := h.stories.Reviews(c.Request().Context(), web.Actor(c), q)
	if err != nil {
		return notYet(c, "Measurements to decide", err)
	}
	return web.Page(c, http.StatusOK, pages.DimensionReviews(reviewsView(web.Shell(c, "Measurements to decide", toDimensions), web.Actor(c), q, list)))
}

func (h dimensions) reviewed(c echo.Context) (pages.DimensionReviewView, error) {
	id, err := web.ID(c, "case")
	if err != nil {
		return pages.DimensionReviewView{}, err
	}
	r, err := h.stories.Case(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return pages.DimensionReviewView{}, err
	}
	return reviewView(web.Shell(c, r.Case.Code, toDimensions, layouts.Crumb{Label: "To decide", Href: dimensionReviews}), web.Actor(c), r), nil
}

func (h dimensions) review(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	v, err := h.reviewed(c)
	if err != nil {
		return notYet(c, "Measurement", err)
	}
	if kept := web.Prefill(c); kept != nil {
		v.Note = kept["note"]
	}
	return web.Page(c, http.StatusOK, pages.DimensionReview(v))
}

func (h dimensions) decide(c echo.Context) error {
	id, err := web.ID(c, "case")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	r := dimension.Ruling{
		Case: id, Seen: form.Int("version", 1, 1<<30), Material: form.Int("material_version", 1, 1<<30), Note: form.Text("note", 0, dimension.NotesMost),
		Decision: dimension.Decision(form.Choice("decision", string(dimension.ApproveMeasured), string(dimension.KeepMaster), string(dimension.MeasureAgain))),
	}
	if err = form.Err(); err == nil {
		err = notYetEither(h.stories.Decide(c.Request().Context(), web.Actor(c), r))
	}
	refused, ok := correctable(err)
	if ok {
		v, err := h.reviewed(c)
		if err != nil {
			return notYetEither(err)
		}
		v.Note, v.Complaints = form.Raw("note"), allComplaints(refused, "decision", "note", "seen", "version", "material_version")
		if refused.Kind == fault.Conflict {
			v.Conflict = refused.Message
		}
		return web.Again(c, refused, pages.DimensionReview(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, decidedWords[r.Decision])
	return web.SeeOther(c, dimensionReviews)
}

var decidedWords = map[dimension.Decision]string{
	dimension.ApproveMeasured: "What was measured is the master data from now on, and the bins that hold it were computed anew.",
	dimension.KeepMaster:      "The master data stays as it is.",
	dimension.MeasureAgain:    "It stands on the work list again, to be measured from the beginning.",
}

// measurePath is where a material is measured.
func measurePath(material, facility uuid.UUID) string {
	return dimensionMaterials + "/" + material.String() + "/measure?" + url.Values{"facility": {facility.String()}}.Encode()
}

// steps are what is asked, in order: the sides from the front, then the weight; or the volume in place of the sides.
func steps(byVolume bool) []dimension.Quantity {
	if byVolume {
		return []dimension.Quantity{dimension.Volume, dimension.Weight}
	}
	return []dimension.Quantity{dimension.Height, dimension.Width, dimension.Thickness, dimension.Weight}
}

// entry is what was typed so far, as it came, and what of it can be used.
type entry struct {
	facility uuid.UUID
	byVolume bool
	typed    map[dimension.Quantity][2]string // value and unit
	box      dimension.Box
	problems map[dimension.Quantity]string
	order    map[dimension.Quantity]scan.Command
}

// readEntry reads the fields of a sheet, from the address or from the form: both have the same.
func readEntry(values *web.Values) entry {
	e := entry{facility: values.UUID("facility"), typed: map[dimension.Quantity][2]string{}, problems: map[dimension.Quantity]string{}, order: map[dimension.Quantity]scan.Command{}}
	e.byVolume = values.Text("by", 0, 10) == "volume"
	for _, q := range dimension.Quantities {
		values.Allow(string(q), string(q)+"_unit")
		text, unit := values.Raw(string(q)), values.Raw(string(q)+"_unit")
		if unit == "" {
			unit = string(q.Units()[0])
		}
		if !slices.Contains(steps(e.byVolume), q) || strings.TrimSpace(text) == "" {
			e.typed[q] = [2]string{"", unit}
			continue
		}
		text, unit = e.scanned(q, text, unit)
		e.typed[q] = [2]string{text, unit}
		if e.problems[q] != "" || e.order[q] != "" {
			continue
		}
		a, problem := dimension.ParseAmount(q, text, dimension.Unit(unit))
		if problem != "" {
			e.problems[q] = problem
		} else {
			e.box.Set(q, a)
		}
	}
	return e
}

var sideOf = map[scan.Side]dimension.Quantity{scan.Height: dimension.Height, scan.Width: dimension.Width, scan.Depth: dimension.Thickness}

// scanned takes a mark of the ruler or a command for what was typed into a field.
func (e *entry) scanned(q dimension.Quantity, text, unit string) (value, in string) {
	read, err := scan.Read(text)
	switch {
	case err != nil || read.Kind != scan.Ruler && read.Kind != scan.Order:
		return text, unit
	case read.Kind == scan.Order:
		e.order[q] = read.Command
		return "", unit
	case sideOf[read.Side] != q:
		e.problems[q] = "This mark is for the " + quantityWord(sideOf[read.Side]) + ", and the " + quantityWord(q) + " is asked for."
		return text, unit
	}
	return read.Millimetres.String(), string(dimension.Millimetre)
}

// query carries what was typed to another step.
func (e entry) query(step string) string {
	q := url.Values{"facility": {e.facility.String()}, "step": {step}}
	if e.byVolume {
		q.Set("by", "volume")
	}
	for _, name := range steps(e.byVolume) {
		if typed := e.typed[name]; typed[0] != "" {
			q.Set(string(name), typed[0])
			q.Set(string(name)+"_unit", typed[1])
		}
	}
	return q.Encode()
}

const checkStep = "check"

// sheet asks for one quantity after the other. What was typed goes along in the address, so that it works without script and
// going back loses nothing; nothing is kept until the last step is saved.
func (h dimensions) sheet(c echo.Context) error {
	id, err := web.ID(c, "material")
	if err != nil {
		return err
	}
	values := web.Query(c)
	if !values.Has("facility") {
		// From a link that does not know where: the list asks.
		values.Allow("facility")
		if err := values.Err(); err != nil {
			return err
		}
		return h.whereToMeasure(c, id)
	}
	e := readEntry(values)
	at, step := values.Text("at", 0, 20), values.Text("step", 0, 20)
	if err := values.Err(); err != nil {
		return err
	}
	sheet, err := h.stories.Sheet(c.Request().Context(), web.Actor(c), e.facility, id)
	if err != nil {
		return notYet(c, "Measure", err)
	}
	all := steps(e.byVolume)
	status, here := http.StatusOK, stepNamed(all, step)
	if i := slices.Index(all, dimension.Quantity(at)); i >= 0 { // an answer
		q := all[i]
		switch command := e.order[q]; {
		case command == scan.Cancel:
			return web.SeeOther(c, listed(e.facility))
		case command == scan.Back:
			return web.SeeOther(c, dimensionMaterials+"/"+id.String()+"/measure?"+e.query(string(all[max(i-1, 0)])))
		case e.problems[q] != "" || !e.box.Of(q).Given():
			if e.problems[q] == "" {
				e.problems[q] = "This is needed."
			}
			here, status = i, http.StatusUnprocessableEntity
		default:
			here = nextStep(all, e.box, i)
		}
	}
	v := sheetView(web.Shell(c, "Measure "+sheet.Code, toDimensions), web.Actor(c), sheet, e, here)
	if here == len(all) {
		v.Key, v.Notes = uuid.NewString(), ""
		if kept := web.Prefill(c); kept != nil {
			v.Notes = kept["notes"]
		}
	}
	return web.Page(c, status, pages.Measure(v))
}

// stepNamed is the place of a step among all; the first where it is none.
func stepNamed(all []dimension.Quantity, name string) int {
	if name == checkStep {
		return len(all)
	}
	return max(slices.Index(all, dimension.Quantity(name)), 0)
}

// nextStep is the first that is still open after i, and the check where none is.
func nextStep(all []dimension.Quantity, box dimension.Box, i int) int {
	for n := i + 1; n < len(all); n++ {
		if !box.Of(all[n]).Given() {
			return n
		}
	}
	for n := range all {
		if !box.Of(all[n]).Given() {
			return n
		}
	}
	return len(all)
}

// whereToMeasure finds a facility for a material whose link names none.
func (h dimensions) whereToMeasure(c echo.Context, id uuid.UUID) error {
	history, err := h.stories.History(c.Request().Context(), web.Actor(c), id)
	if err != nil {
		return notYet(c, "Measure", err)
	}
	if history.Facility == uuid.Nil {
		return web.SeeOther(c, dimensionMaterials+"/"+id.String())
	}
	return web.SeeOther(c, measurePath(id, history.Facility))
}

func (h dimensions) measure(c echo.Context) error {
	id, err := web.ID(c, "material")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	e := readEntry(form)
	m := dimension.Measurement{
		Facility: e.facility, Material: id, Box: e.box, Seen: form.Int("seen", 1, 1<<30), Notes: form.Text("notes", 0, dimension.NotesMost), Sure: form.Ticked("sure"), Key: form.UUID("key"),
	}
	form.Allow("command")
	switch read, err := scan.Read(form.Raw("command")); {
	case err == nil && read.Command == scan.Back:
		return web.SeeOther(c, dimensionMaterials+"/"+id.String()+"/measure?"+e.query(string(dimension.Weight)))
	case err == nil && read.Command == scan.Cancel:
		return web.SeeOther(c, listed(e.facility))
	case form.Has("command") && (err != nil || read.Command != scan.OK):
		form.Complain("command", "Scan OK to save, BACK to go back, or CANCEL to leave it.")
	}
	for q, problem := range e.problems {
		form.Complain(string(q), problem)
	}
	var saved dimension.Reading
	if err = form.Err(); err == nil {
		saved, err = h.stories.Measure(c.Request().Context(), web.Actor(c), m)
		err = notYetEither(err)
	}
	refused, ok := correctable(err)
	if ok {
		sheet, err := h.stories.Sheet(c.Request().Context(), web.Actor(c), e.facility, id)
		if err != nil {
			return notYetEither(err)
		}
		v := sheetView(web.Shell(c, "Measure "+sheet.Code, toDimensions), web.Actor(c), sheet, e, len(steps(e.byVolume)))
		v.Key, v.Notes, v.AsksBack, v.Sure = form.Raw("key"), form.Raw("notes"), refused.Fields["sure"] != "", m.Sure
		v.Complaints = allComplaints(refused, "height", "width", "thickness", "volume", "weight", "sure", "notes", "seen", "command", "key", "facility")
		if refused.Kind == fault.Conflict {
			v.Conflict, v.Key = refused.Message, uuid.NewString()
		}
		return web.Again(c, refused, pages.Measure(v))
	}
	if err != nil {
		return err
	}
	kind, said := savedWords(saved)
	web.Flash(c, kind, said)
	return web.SeeOther(c, listed(saved.Facility))
}
