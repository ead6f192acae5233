package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var toDimensions = layouts.Crumb{Label: "Dimensions", Href: "/dimensions"}

func notYet() pages.NotYetView {
	return pages.NotYetView{
		Shell: shell("Dimensions", layouts.PlaceDimensions), Text: "Measurements are not deployed yet: their table comes with migration V0.0.20.",
		Way: components.Link{Label: "To migration V0.0.20", Href: "/migrations/V0.0.20"},
	}
}

func dimensionList() pages.DimensionListView {
	v := dimensionListEmpty()
	v.Facility = "Rivermark Main Mill"
	v.Facilities = []components.Filter{{Label: "RM-MAIN", Href: "/dimensions?facility=f", Chosen: true, Code: "RM-MAIN"}, {Label: "RM-WEST", Href: "/dimensions?facility=g", Code: "RM-WEST"}}
	v.Zones = []components.Filter{{Label: "All zones", Href: "/dimensions", Chosen: true, Code: "all"}, {Label: "RES", Href: "/dimensions?zone=RES", Code: "RES"}}
	v.MayReview = true
	v.Colleagues = []components.Option{{Label: "Choose who shall have it", Chosen: true}, {Value: "p", Label: "Iris Vega"}}
	v.Mine = []pages.MeasureRow{{
		Material: "m1", Facility: "f", Version: "2", Code: "PR-00021", Name: "Paper roll, grade 4", Href: "/dimensions/materials/m1/measure?facility=f", HistoryHref: "/dimensions/materials/m1", Mine: true,
		State: components.State{Code: "unknown", Word: "Not known", Tone: components.Unknown}, Why: "Its volume or weight is not recorded; the fill of 3 bins is not known without it.", Location: "RES-B02-05-01", Holder: "Iris Vega, given by Wes Tarrant", Release: "/dimensions/tasks/release",
	}}
	v.Rows = []pages.MeasureRow{
		{
			Material: "m2", Facility: "f", Version: "1", Code: "SH-00008", Name: "Sheeted stock, skid carton, grade 1, of a name that is as long as names become", Href: "/dimensions/materials/m2/measure?facility=f", HistoryHref: "/dimensions/materials/m2",
			State: components.State{Code: "failure", Word: "Does not fit", Tone: components.Bad}, Why: "2 putaways did not fit by what is recorded; 7 bins hold it.", Location: "PF-A01-01-02", Take: "/dimensions/tasks/take", Assign: "/dimensions/tasks/assign",
		},
		{
			Material: "m3", Facility: "f", Version: "1", Code: "IN-00013", Name: "Process ink, pail", Href: "/dimensions/materials/m3", HistoryHref: "/dimensions/materials/m3",
			State: components.State{Code: "reading", Word: "Second look", Tone: components.Warn}, Why: "A second person measures: the first reading is beyond the tolerance.", Barred: "You have measured it; somebody else does now.",
		},
	}
	v.Ask = pages.AskForm{Action: "/dimensions/tasks", Facility: "f"}
	v.Pager = components.Pager{Shown: "2 materials", Older: "/dimensions?after=x", OlderWord: "Further"}
	return v
}

func dimensionListEmpty() pages.DimensionListView {
	return pages.DimensionListView{
		Shell: shell("Dimensions", layouts.PlaceDimensions), ScanAction: "/dimensions", ReviewsHref: "/dimensions/reviews", ImportsHref: "/dimensions/imports", FacilityID: "f", MayMeasure: true,
		Orders: []components.Filter{{Label: "On the way", Href: "/dimensions", Chosen: true, Code: "walk"}, {Label: "By gain", Href: "/dimensions?order=gain", Code: "gain"}},
	}
}

func dimensionListRefused() pages.DimensionListView {
	v := dimensionListEmpty()
	v.Scan = pages.ScanField{Value: "4006381333931", Problem: "Nobody has said yet which material 04006381333931 is.", Note: "This is the barcode of a case. Measure one unit of what is in it."}
	v.Link = pages.LinkForm{Action: "/dimensions/barcodes", Facility: "f", GTIN: "04006381333931", Code: "X", Complaints: components.Complaints{{Field: "code", Text: "No material has the code X."}}}
	v.Found = []pages.FoundRow{{Code: "PR-00001", Name: "Paper roll", How: "lies here, RES-B02-05-01", Href: "/dimensions/materials/m/measure", HistoryHref: "/dimensions/materials/m"}}
	return v
}

func measureStep() pages.MeasureView {
	return pages.MeasureView{
		Shell: shell("Measure PR-00021", layouts.PlaceDimensions, toDimensions), Code: "PR-00021", Name: "Paper roll, grade 4", Facility: "RM-MAIN", Location: "RES-B02-05-01", Action: "/dimensions/materials/m/measure",
		BackHref: "/dimensions/materials/m/measure?step=height", CancelHref: "/dimensions?facility=f", Progress: "2 of 4", Nth: "This is the second reading.",
		Step: pages.MeasureStep{
			Name: "width", Label: "Width", Hint: "With its front towards you: from the left to the right. More than 0, at most 10 000 in.", Value: "12,5", Problem: "Write it with a point and without separators, like 12.5.", Side: "width",
			Units: []components.Option{{Value: "in", Label: "inches"}, {Value: "cm", Label: "centimetres", Chosen: true}, {Value: "mm", Label: "millimetres"}},
		},
		Typed:  []pages.TypedRow{{Name: "height", Label: "Height", Value: "30", Unit: "cm", Href: "/dimensions/materials/m/measure?step=height"}},
		Hidden: [][2]string{{"height", "30"}, {"height_unit", "cm"}, {"facility", "f"}},
	}
}

func measureCheck() pages.MeasureView {
	v := measureStep()
	v.Check, v.Key, v.Seen, v.Notes, v.AsksBack, v.Progress = true, "k", "3", "A corner is crushed.", true, "4 of 4"
	v.Typed = append(v.Typed, pages.TypedRow{Name: "weight", Label: "Weight", Value: "20", Unit: "kg", Href: "/dimensions/materials/m/measure?step=weight"})
	v.Conflict = "The master data of PR-00021 was changed while you measured."
	v.Complaints = components.Complaints{{Field: "height", Text: "Is it really 30 cm? That is beside what this item has been, as between inches and centimetres."}, {Field: "sure", Text: "Measure once more. If it is right as it is, say so below and save."}}
	return v
}

func measureWhyNot() pages.MeasureView {
	v := measureStep()
	v.WhyNot = "You have measured it already, and somebody else has to measure it now: a second look is worth something when other eyes take it."
	return v
}

func dimensionReviews() pages.DimensionReviewsView {
	return pages.DimensionReviewsView{
		Shell: shell("Measurements to decide", layouts.PlaceDimensions, toDimensions),
		Rows:  []pages.DimensionReviewRow{{ID: "c", Href: "/dimensions/reviews/c", Code: "PR-00021", Name: "Paper roll", Facility: "RM-MAIN", Volume: "+22.00 %", Weight: "0.00 %", Readers: "Iris Vega, Ivan Roe", Mine: "you measured it", Since: clock("14:05", "12 min ago")}},
		Pager: components.Pager{Shown: "1 measurement, the oldest first"},
	}
}

func dimensionReview() pages.DimensionReviewView {
	return pages.DimensionReviewView{
		Shell: shell("PR-00021", layouts.PlaceDimensions, toDimensions), Code: "PR-00021", Name: "Paper roll", HistoryHref: "/dimensions/materials/m", Facility: "Rivermark Main Mill",
		State: components.State{Code: "review", Word: "To be decided", Tone: components.Warn}, Causes: []string{"The volume is beyond the tolerance of what is recorded."},
		Values:   []pages.ComparedRow{{Name: "Height", Unit: "in", Recorded: "24", Measured: "not measured, stays"}, {Name: "Volume", Unit: "ft³", Recorded: "10", Measured: "12.2", Variance: "+22.00 %"}},
		Readings: []pages.ReadingRow{{Nth: "Round 1, reading 1", By: "Iris Vega", At: clock("14:05", "12 min ago"), State: components.State{Code: "variance", Word: "Beyond the tolerance", Tone: components.Warn}, Entered: []string{"Volume 12 ft³", "Weight 20 lb"}, Volume: "12 ft³", Notes: "A corner is crushed.", Asked: []string{"Is it really 12 ft³?"}}},
		Decided:  []pages.DecidedRow{{Round: "1", Decision: "It was to be measured again", Note: "The first two differ much.", By: "Wes Tarrant", At: clock("13:05", "1 h ago")}},
		Effects:  []string{"1 bin holds it; 1 of them would hold more than fits that does not now."},
		Bins:     []pages.BinRow{{Location: "RES-B02-05-01", Facility: "RM-MAIN", Quantity: "10", Before: "90.9 %", After: "110.9 %", Weight: "20.0 %", State: components.State{Code: "no_longer", Word: "No longer fits", Tone: components.Bad}}},
		MoreBins: "2 more bins are counted above and not listed.",
		Others:   []pages.EffectRow{{What: "Putaway of lot L2 to RES-B02-05-01", Needs: "12.20 ft³, 20.0 lb", Room: "10.00 ft³, 800.0 lb", State: components.State{Code: "fits_not", Word: "No room", Tone: components.Bad}}},
		Action:   "/dimensions/reviews/c", ApproveWord: "Take over 12.2 ft³ and 20 lb", Version: "3", MaterialVersion: "1",
	}
}

func dimensionReviewRefused() pages.DimensionReviewView {
	v := dimensionReview()
	v.Conflict, v.Note = "The master data of PR-00021 changed since you opened this page, so nothing was decided.", "x"
	v.Complaints = components.Complaints{{Field: "note", Text: "Say why, in 3 to 2000 characters."}}
	return v
}

func dimensionReviewWhyNot() pages.DimensionReviewView {
	v := dimensionReview()
	v.Action, v.WhyNot, v.WhoCan = "", "You measured it yourself, so somebody else decides.", []string{"QA lead", "Warehouse supervisor"}
	return v
}

func materialShow() pages.MaterialShowView {
	return pages.MaterialShowView{
		Shell: shell("PR-00021", layouts.PlaceDimensions, toDimensions), Code: "PR-00021", Name: "Paper roll", Barcodes: "04006381333931", Facts: []components.Fact{{Label: "Height", Value: "24 in"}, {Label: "Width"}},
		MeasureHref: "/dimensions/materials/m/measure?facility=f", Held: true,
		Open:          []pages.OpenCaseRow{{State: components.State{Code: "review", Word: "To be decided", Tone: components.Warn}, Since: clock("14:05", "12 min ago"), Href: "/dimensions/reviews/c"}},
		Changes:       []pages.ChangeRow{{State: components.State{Code: "approved", Word: "Approved", Tone: components.Good}, Changed: []string{"the volume: 10 → 12.2"}, By: "Wes Tarrant", Reason: "I looked at both.", Version: "2", At: clock("14:05", "12 min ago")}, {State: components.State{Code: "kept", Word: "Kept", Tone: components.Good}, By: "Wes Tarrant", Reason: "It is right.", Version: "1", At: clock("13:05", "1 h ago")}},
		Verifications: []pages.VerificationRow{{State: components.State{Code: "updated", Word: "Master data updated", Tone: components.Info}, Facility: "RM-MAIN", Volume: "12.2", Weight: "20", VolumePct: "+22.00 %", WeightPct: "0.00 %", By: "Wes Tarrant", Notes: "Approved.", At: clock("14:05", "12 min ago")}},
		Readings:      dimensionReview().Readings,
	}
}

func materialShowEmpty() pages.MaterialShowView {
	return pages.MaterialShowView{Shell: shell("PR-00021", layouts.PlaceDimensions, toDimensions), Code: "PR-00021", Name: "Paper roll"}
}
