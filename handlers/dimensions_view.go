package handlers

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/scan"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func notYetView(shell layouts.Shell, missing *dimension.NotDeployed) pages.NotYetView {
	return pages.NotYetView{Shell: shell, Text: missing.Error(), Way: components.Link{Label: "To migration V" + missing.Version, Href: "/migrations/V" + missing.Version}}
}

func quantityWord(q dimension.Quantity) string {
	if q == dimension.Thickness {
		return "depth"
	}
	return string(q)
}

func quantityTitle(q dimension.Quantity) string {
	word := quantityWord(q)
	return strings.ToUpper(word[:1]) + word[1:]
}

var unitWords = map[dimension.Unit]string{
	dimension.Inch: "inches", dimension.Centimetre: "centimetres", dimension.Millimetre: "millimetres", dimension.Pound: "pounds", dimension.Kilogram: "kilograms", dimension.Gram: "grams",
	dimension.CubicFoot: "cubic feet",
}

var howTo = map[dimension.Quantity]string{
	dimension.Height:    "With its front towards you: from the bottom to the top.",
	dimension.Width:     "With its front towards you: from the left to the right.",
	dimension.Thickness: "From the front to the back.",
	dimension.Weight:    "One unit with its packing, on the scale.",
	dimension.Volume:    "Of one unit, for what has no sides to measure.",
}

// sheetView is one step of measuring. Nothing of what is recorded comes near it: Sheet does not have it.
func sheetView(shell layouts.Shell, by actor.Actor, sheet dimension.Sheet, e entry, here int) pages.MeasureView {
	all := steps(e.byVolume)
	base := dimensionMaterials + "/" + sheet.Material.String() + "/measure"
	v := pages.MeasureView{
		Shell: shell, Code: sheet.Code, Name: sheet.Name, Facility: sheet.Facility.Code, Location: sheet.Location, Action: base, CancelHref: listed(e.facility),
		Seen: fmt.Sprint(sheet.Version), WhyNot: sheet.WhyNot(by), Progress: fmt.Sprintf("%d of %d", min(here, len(all)-1)+1, len(all)), Check: here == len(all),
	}
	if n := len(sheet.Readers); n > 0 && v.WhyNot == "" {
		v.Nth = []string{"", "This is the second reading.", "This is the third reading; the middle of all three counts."}[min(n, 2)]
	}
	for i, q := range all {
		typed := e.typed[q]
		if i != here && typed[0] != "" || v.Check {
			v.Hidden = append(v.Hidden, [2]string{string(q), typed[0]}, [2]string{string(q) + "_unit", typed[1]})
		}
		if typed[0] != "" && (i < here || v.Check) {
			v.Typed = append(v.Typed, pages.TypedRow{
				Name: string(q), Label: quantityTitle(q), Value: typed[0], Unit: dimension.Unit(typed[1]).Word(), Href: base + "?" + e.query(string(q)), Problem: e.problems[q],
			})
		}
	}
	v.Hidden = append(v.Hidden, [2]string{"facility", e.facility.String()})
	if e.byVolume {
		v.Hidden = append(v.Hidden, [2]string{"by", "volume"})
	}
	if v.Check {
		v.BackHref = base + "?" + e.query(string(all[len(all)-1]))
		return v
	}
	q := all[here]
	v.Step = pages.MeasureStep{
		Name: string(q), Label: quantityTitle(q), Hint: howTo[q] + " " + q.Bounds(), Value: e.typed[q][0], Problem: e.problems[q], Side: string(q),
		Units: unitOptions(q, e.lastUnit(q, all[:here])),
	}
	if here > 0 {
		v.BackHref = base + "?" + e.query(string(all[here-1]))
	} else if !e.byVolume {
		v.OtherHref, v.OtherWord = base+"?"+url.Values{"facility": {e.facility.String()}, "by": {"volume"}}.Encode(), "It has no sides to measure: enter its volume"
	} else {
		v.OtherHref, v.OtherWord = base+"?"+url.Values{"facility": {e.facility.String()}}.Encode(), "Measure its sides"
	}
	return v
}

// lastUnit is the unit of a step: what was chosen, else that of the side before.
func (e entry) lastUnit(q dimension.Quantity, before []dimension.Quantity) string {
	unit := e.typed[q][1]
	if e.typed[q][0] == "" && e.problems[q] == "" {
		for _, b := range before {
			if slices.Contains(q.Units(), dimension.Unit(e.typed[b][1])) {
				unit = e.typed[b][1]
			}
		}
	}
	return unit
}

func unitOptions(q dimension.Quantity, chosen string) []components.Option {
	var options []components.Option
	for _, u := range q.Units() {
		options = append(options, components.Option{Value: string(u), Label: unitWords[u], Hint: u.Word(), Chosen: string(u) == chosen})
	}
	return options
}

// savedWords says what became of a measurement. Of one that is beyond the tolerance no figure is said: others measure it, blind.
func savedWords(r dimension.Reading) (layouts.FlashKind, string) {
	switch {
	case r.Outcome == dimension.SecondWanted:
		return layouts.FlashInfo, "Saved. It is more than " + r.Tolerance.Pct.String() + " % from what is recorded, so somebody else measures it too. The master data stays as it is."
	case r.Outcome == dimension.ThirdWanted:
		return layouts.FlashInfo, "Saved. The two readings differ, so a third person measures it, and the middle counts."
	case r.Outcome == dimension.InReview:
		return layouts.FlashInfo, "Saved. A supervisor decides what is right; the master data stays as it is until then."
	case r.Status == dimension.Verified:
		return layouts.FlashGood, "Saved. It is as recorded: volume " + pct(r.VolumePct) + ", weight " + pct(r.WeightPct) + "."
	}
	return layouts.FlashGood, "Saved, and the master data was updated: volume " + pct(r.VolumePct) + ", weight " + pct(r.WeightPct) + "."
}

// pct is a variance with two digits, as people read it.
func pct(d decimal.NullDecimal) string {
	if !d.Valid {
		return "recorded for the first time"
	}
	sign := ""
	if d.Decimal.IsPositive() {
		sign = "+"
	}
	return sign + d.Decimal.StringFixed(2) + " %"
}

func workView(shell layouts.Shell, by actor.Actor, q dimension.WorkQuery, w dimension.Work) pages.DimensionListView {
	v := pages.DimensionListView{
		Shell: shell, ScanAction: dimensionsPage, ReviewsHref: dimensionReviews, ImportsHref: importsPage, MayMeasure: by.Can(actor.DimensionMeasure), MayReview: by.Can(actor.DimensionReview),
		Facility: w.Facility.Name, FacilityID: w.Facility.ID.String(),
	}
	if w.Facility.ID == uuid.Nil {
		v.FacilityID = ""
	}
	address := func(change func(url.Values)) string {
		values := url.Values{}
		if w.Facility.ID != uuid.Nil {
			values.Set("facility", w.Facility.ID.String())
		}
		if q.Order == dimension.ByGain {
			values.Set("order", string(dimension.ByGain))
		}
		if q.Zone != "" {
			values.Set("zone", q.Zone)
		}
		change(values)
		return dimensionsPage + "?" + values.Encode()
	}
	if len(w.Facilities) > 1 {
		for _, f := range w.Facilities {
			v.Facilities = append(v.Facilities, components.Filter{Label: f.Code, Href: listed(f.ID), Chosen: f.ID == w.Facility.ID, Code: f.Code})
		}
	}
	v.Orders = []components.Filter{
		{Label: "On the way", Href: address(func(u url.Values) { u.Del("order") }), Chosen: q.Order != dimension.ByGain, Code: "walk"},
		{Label: "By gain", Href: address(func(u url.Values) { u.Set("order", "gain") }), Chosen: q.Order == dimension.ByGain, Code: "gain"},
	}
	if len(w.Zones) > 1 {
		v.Zones = []components.Filter{{Label: "All zones", Href: address(func(u url.Values) { u.Del("zone") }), Chosen: q.Zone == "", Code: "all"}}
		for _, z := range w.Zones {
			v.Zones = append(v.Zones, components.Filter{Label: z, Href: address(func(u url.Values) { u.Set("zone", z) }), Chosen: q.Zone == z, Code: z})
		}
	}
	if len(w.Tasks) > dimensionsPageSize {
		w.Tasks = w.Tasks[:dimensionsPageSize]
		last := w.Tasks[dimensionsPageSize-1]
		number := last.Walk
		if q.Order == dimension.ByGain {
			number = last.Gain
		}
		v.Pager.Older = address(func(u url.Values) { u.Set("after", fmt.Sprintf("%s_%d_%s", last.Material, number, last.Zone)) })
		v.Pager.OlderWord = "Further"
	}
	if q.AfterMaterial != uuid.Nil {
		v.Pager.Newest, v.Pager.NewestWord = address(func(url.Values) {}), "Back to the first"
	}
	for _, t := range w.Mine {
		v.Mine = append(v.Mine, measureRow(by, t, w))
	}
	for _, t := range w.Tasks {
		v.Rows = append(v.Rows, measureRow(by, t, w))
	}
	if len(v.Rows) > 0 {
		v.Pager.Shown = counted(len(v.Rows), "material", "materials")
	}
	for _, c := range w.Colleagues {
		v.Colleagues = append(v.Colleagues, components.Option{Value: c.ID.String(), Label: c.Person.Name})
	}
	if len(v.Colleagues) > 0 {
		v.Colleagues = append([]components.Option{{Label: "Choose who shall have it", Chosen: true}}, v.Colleagues...)
	}
	if by.Can(actor.DimensionReview) && w.Facility.ID != uuid.Nil {
		v.Ask = pages.AskForm{Action: dimensionsPage + "/tasks", Facility: w.Facility.ID.String()}
	}
	return v
}

var reasonStates = map[dimension.Reason]components.State{
	dimension.ForReading:   {Code: "reading", Word: "Second look", Tone: components.Warn},
	dimension.ForRemeasure: {Code: "remeasure", Word: "Measure again", Tone: components.Warn},
	dimension.ForFailure:   {Code: "failure", Word: "Does not fit", Tone: components.Bad},
	dimension.ForAsked:     {Code: "asked", Word: "Asked for", Tone: components.Info},
	dimension.ForOutlier:   {Code: "outlier", Word: "Outlier", Tone: components.Warn},
	dimension.ForUnknown:   {Code: "unknown", Word: "Not known", Tone: components.Unknown},
	dimension.ForNever:     {Code: "never", Word: "Never verified", Tone: components.Neutral},
	dimension.ForStale:     {Code: "stale", Word: "Verified long ago", Tone: components.Neutral},
}

// why says in a sentence why a material is to be measured, and what it brings.
func why(t dimension.Task, at time.Time) string {
	held := counted(t.Bins, "bin holds it", "bins hold it")
	switch t.Reason {
	case dimension.ForReading, dimension.ForRemeasure, dimension.ForAsked, dimension.ForOutlier:
		return t.Note
	case dimension.ForFailure:
		return counted(t.Failures, "putaway did not fit", "putaways did not fit") + " by what is recorded; " + held + "."
	case dimension.ForUnknown:
		return "Its volume or weight is not recorded; the fill of " + counted(t.Bins, "bin", "bins") + " is not known without it."
	case dimension.ForNever:
		return "Never verified here; " + held + "."
	case dimension.ForStale:
		return fmt.Sprintf("Verified %d days ago, more than %d; %s.", int(at.Sub(t.LastAt).Hours()/24), dimension.StaleAfter, held)
	}
	return ""
}

func measureRow(by actor.Actor, t dimension.Task, w dimension.Work) pages.MeasureRow {
	row := pages.MeasureRow{
		Material: t.Material.String(), Facility: t.Facility.String(), Version: fmt.Sprint(t.Version), Code: t.Code, Name: t.Name, Href: measurePath(t.Material, t.Facility),
		HistoryHref: dimensionMaterials + "/" + t.Material.String(), State: reasonStates[t.Reason], Why: why(t, w.At), Zone: t.Zone, Location: t.Location,
	}
	if !by.Can(actor.DimensionMeasure) {
		row.Href = row.HistoryHref
	}
	if t.Holder.Known() {
		row.Holder = t.Holder.Name
		if t.AssignedBy != "" {
			row.Holder += ", given by " + t.AssignedBy
		}
	}
	barred := t.IsBarred(by)
	switch {
	case barred:
		row.Barred = "You have measured it; somebody else does now."
		row.Href = row.HistoryHref
	case !by.Can(actor.DimensionMeasure):
	case t.Holder.Is(by):
		row.Mine, row.Release = true, dimensionsPage+"/tasks/release"
	case t.Holder.Known() && by.Can(actor.DimensionReview):
		row.Release = dimensionsPage + "/tasks/release"
	case !t.Holder.Known():
		row.Take = dimensionsPage + "/tasks/take"
	}
	if by.Can(actor.DimensionReview) && len(w.Colleagues) > 0 {
		row.Assign = dimensionsPage + "/tasks/assign"
	}
	return row
}

var foundWords = map[dimension.FoundKind]string{
	dimension.ByCode: "by its code", dimension.ByBarcode: "by its barcode", dimension.ByLot: "by a lot of it", dimension.ByLocation: "lies here",
}

// keepScan shows what was scanned and what became of it.
func keepScan(v *pages.DimensionListView, scanned string, read scan.Scan, problem string, w dimension.Work) {
	if strings.TrimSpace(scanned) == "" {
		return
	}
	v.Scan.Value, v.Scan.Problem = scanned, problem
	for _, f := range w.Found {
		row := pages.FoundRow{Code: f.Code, Name: f.Name, How: foundWords[f.Kind], Href: measurePath(f.Material, w.Facility.ID), HistoryHref: dimensionMaterials + "/" + f.Material.String()}
		if !v.MayMeasure {
			row.Href = row.HistoryHref
		}
		if f.Location != "" {
			row.How += ", " + f.Location
		}
		v.Found = append(v.Found, row)
	}
	switch {
	case problem != "" || len(v.Found) > 0:
	case read.Kind == scan.Order || read.Kind == scan.Ruler:
		v.Scan.Problem = "This barcode belongs to a measurement that is under way. Scan a material first."
	case read.GTIN != "":
		v.Scan.Problem = "Nobody has said yet which material " + read.GTIN + " is."
		if v.MayMeasure && v.FacilityID != "" {
			v.Link = pages.LinkForm{Action: dimensionsPage + "/barcodes", Facility: v.FacilityID, GTIN: read.GTIN}
		}
	default:
		v.Scan.Problem = "Nothing here has the code " + clipText(scanned, 60) + ": no material, no lot and no location."
	}
	if read.Level == scan.Case || read.Level == scan.Variable {
		v.Scan.Note = "This is the barcode of a case. Measure one unit of what is in it."
	}
}

func clipText(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
