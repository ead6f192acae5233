package handlers

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var statusStates = map[dimension.Status]components.State{
	dimension.Verified:          {Code: "verified", Word: "Verified", Tone: components.Good},
	dimension.MasterDataUpdated: {Code: "updated", Word: "Master data updated", Tone: components.Info},
	dimension.VarianceDetected:  {Code: "variance", Word: "Beyond the tolerance", Tone: components.Warn},
	"":                          {Code: "differs", Word: "Differs from the other", Tone: components.Neutral},
}

var caseStates = map[dimension.State]components.State{
	dimension.SecondWanted: {Code: "second_wanted", Word: "Second reading wanted", Tone: components.Warn},
	dimension.ThirdWanted:  {Code: "third_wanted", Word: "Third reading wanted", Tone: components.Warn},
	dimension.InReview:     {Code: "review", Word: "To be decided", Tone: components.Warn},
	dimension.Remeasure:    {Code: "remeasure", Word: "To be measured again", Tone: components.Warn},
	dimension.Settled:      {Code: "settled", Word: "Settled", Tone: components.Good},
}

func orNothing(d decimal.NullDecimal) string {
	if !d.Valid {
		return "–"
	}
	return d.Decimal.String()
}

// names are the people, each once.
func names(people []dimension.Person) string {
	var all []string
	seen := map[dimension.Person]bool{}
	for _, p := range people {
		if !seen[p] {
			seen[p], all = true, append(all, p.Name)
		}
	}
	return strings.Join(all, ", ")
}

func reviewsView(shell layouts.Shell, by actor.Actor, q dimension.ReviewQuery, list dimension.Reviews) pages.DimensionReviewsView {
	v := pages.DimensionReviewsView{Shell: shell}
	v.Pager.NewestWord, v.Pager.OlderWord = "Back to the oldest", "Newer"
	if len(list.Cases) > dimensionsPageSize {
		list.Cases = list.Cases[:dimensionsPageSize]
		last := list.Cases[dimensionsPageSize-1]
		v.Pager.Older = dimensionReviews + "?" + url.Values{"after": {placeOf(last.ChangedAt, last.ID.String())}}.Encode()
	}
	if q.AfterID != uuid.Nil {
		v.Pager.Newest = dimensionReviews
	}
	for _, c := range list.Cases {
		row := pages.DimensionReviewRow{
			ID: c.ID.String(), Href: dimensionReviews + "/" + c.ID.String(), Code: c.Code, Name: c.Name, Facility: c.Facility, Volume: pct(c.VolumePct), Weight: pct(c.WeightPct),
			Readers: names(c.Readers), Since: moment(c.ChangedAt, list.At, time.UTC),
		}
		for _, p := range c.Readers {
			if p.Is(by) {
				row.Mine = "you measured it"
			}
		}
		v.Rows = append(v.Rows, row)
	}
	if len(v.Rows) > 0 {
		v.Pager.Shown = counted(len(v.Rows), "measurement", "measurements") + ", the oldest first"
	}
	return v
}

var causeWords = map[dimension.Cause]string{
	dimension.VolumeOff: "The volume is beyond the tolerance of what is recorded.", dimension.WeightOff: "The weight is beyond the tolerance of what is recorded.",
	dimension.VolumeDrift: "The volume is beyond the tolerance of what somebody approved last: small steps have added up.",
	dimension.WeightDrift: "The weight is beyond the tolerance of what somebody approved last: small steps have added up.",
}

func reviewView(shell layouts.Shell, by actor.Actor, r dimension.Review) pages.DimensionReviewView {
	v := pages.DimensionReviewView{
		Shell: shell, Code: r.Material.Code, Name: r.Material.Name, HistoryHref: dimensionMaterials + "/" + r.Material.ID.String(), Facility: r.Facility.Name,
		State: caseStates[r.Case.State], Version: fmt.Sprint(r.Case.Version), MaterialVersion: fmt.Sprint(r.Material.Version),
	}
	for _, cause := range r.Case.Causes {
		v.Causes = append(v.Causes, causeWords[cause])
	}
	v.Values = compared(r.Material.Master, r.Case)
	for _, one := range r.Readings {
		v.Readings = append(v.Readings, readingRowOf(one, r.At))
	}
	for _, d := range r.Decided {
		v.Decided = append(v.Decided, pages.DecidedRow{Round: fmt.Sprint(d.Round), Decision: decisionWords[d.Decision], Note: d.Note, By: d.By.Name, At: moment(d.At, r.At, time.UTC)})
	}
	effectView(&v, r.Effect)
	switch {
	case !by.Can(actor.DimensionReview):
		v.WhyNot, v.WhoCan = "Your roles do not decide about measurements.", roleTitles(actor.RolesWith(actor.DimensionReview))
	case r.WhyNot(by) != "":
		v.WhyNot = r.WhyNot(by)
		if r.Case.State == dimension.InReview {
			v.WhoCan = roleTitles(actor.RolesWith(actor.DimensionReview))
		}
	default:
		v.Action = dimensionReviews + "/" + r.Case.ID.String()
		v.ApproveWord = "Take over " + r.Case.Measured.TheVolume().CubicFeet().String() + " ft³ and " + r.Case.Measured.Weight.Pounds().String() + " lb"
	}
	return v
}

var decisionWords = map[dimension.Decision]string{
	dimension.ApproveMeasured: "The measurement was taken over", dimension.KeepMaster: "The master data was kept", dimension.MeasureAgain: "It was to be measured again",
}

// compared are the recorded and the measured values beside each other.
func compared(m dimension.Master, c dimension.Case) []pages.ComparedRow {
	taken := m.With(c.Measured)
	rows := []pages.ComparedRow{
		{Name: "Height", Unit: "in", Recorded: orNothing(m.Height), Measured: given(c.Measured.Height, taken.Height)},
		{Name: "Width", Unit: "in", Recorded: orNothing(m.Width), Measured: given(c.Measured.Width, taken.Width)},
		{Name: "Depth", Unit: "in", Recorded: orNothing(m.Thickness), Measured: given(c.Measured.Thickness, taken.Thickness)},
		{Name: "Volume", Unit: "ft³", Recorded: "–", Measured: given(c.Measured.TheVolume(), taken.CubicFeet), Variance: pct(c.VolumePct)},
		{Name: "Weight", Unit: "lb", Recorded: orNothing(m.Pounds), Measured: given(c.Measured.Weight, taken.Pounds), Variance: pct(c.WeightPct)},
	}
	if volume := m.TheVolume(); volume.Given() {
		rows[3].Recorded = volume.CubicFeet().String()
	}
	return rows
}

func given(a dimension.Amount, as decimal.NullDecimal) string {
	if !a.Given() {
		return "not measured, stays"
	}
	return as.Decimal.String()
}

func readingRowOf(r dimension.Reading, at time.Time) pages.ReadingRow {
	row := pages.ReadingRow{
		Nth: fmt.Sprintf("Round %d, reading %d", r.Round, r.Number), By: r.By.Name, At: moment(r.At, at, time.UTC), State: statusStates[r.Status], Notes: r.Notes, Asked: r.AskedBack,
		Volume: r.Box.TheVolume().CubicFeet().String() + " ft³",
	}
	for _, q := range dimension.Quantities {
		if a := r.Box.Of(q); a.Given() {
			row.Entered = append(row.Entered, quantityTitle(q)+" "+a.String())
		}
	}
	return row
}

func effectView(v *pages.DimensionReviewView, e dimension.Effect) {
	v.Effects = []string{
		counted(len(e.Bins), "bin holds it", "bins hold it") + "; " + counted(e.NoLonger(), "of them would hold more than fits", "of them would hold more than fits") + " that does not now.",
		counted(len(e.Putaways), "putaway is open", "putaways are open") + "; " + counted(e.Missing(), "would have no room", "would have no room") + ".",
		counted(len(e.Failures), "capacity failure is unresolved", "capacity failures are unresolved") + "; " + counted(e.Clearing(), "would clear", "would clear") + ".",
	}
	for _, b := range e.Bins {
		row := pages.BinRow{
			Location: b.Location, Facility: b.Facility, Quantity: b.Quantity.String(), Before: fill(b.BeforeCubicFeet, b.CapacityCubicFeet), After: fill(b.AfterCubicFeet, b.CapacityCubicFeet),
			Weight: fill(b.AfterPounds, b.CapacityPounds), State: components.State{Code: "fits", Word: "Fits", Tone: components.Good},
		}
		switch {
		case !b.Fits() && b.Fitted():
			row.State = components.State{Code: "no_longer", Word: "No longer fits", Tone: components.Bad}
		case !b.Fits():
			row.State = components.State{Code: "too_full", Word: "Too full, as now", Tone: components.Warn}
		case !b.Fitted():
			row.State = components.State{Code: "fits_then", Word: "Fits then", Tone: components.Info}
		}
		v.Bins = append(v.Bins, row)
	}
	if len(v.Bins) > 40 {
		v.MoreBins = fmt.Sprintf("%d more bins are counted above and not listed.", len(v.Bins)-40)
		v.Bins = v.Bins[:40]
	}
	for _, p := range e.Putaways {
		v.Others = append(v.Others, pages.EffectRow{What: "Putaway of lot " + p.Lot + " to " + p.Location, Needs: needs(p.RequiredCubicFeet, p.RequiredPounds), Room: needs(p.AvailableCubicFeet, p.AvailablePounds), State: fitsOr(p.Fits(), "Has room", "No room")})
	}
	for _, f := range e.Failures {
		v.Others = append(v.Others, pages.EffectRow{What: "Failure of lot " + f.Lot + " at " + f.Location, Needs: needs(f.RequiredCubicFeet, f.RequiredPounds), Room: needs(f.AvailableCubicFeet, f.AvailablePounds), State: fitsOr(f.Clears(), "Would clear", "Stays")})
	}
}

func fitsOr(fits bool, good, bad string) components.State {
	if fits {
		return components.State{Code: "fits", Word: good, Tone: components.Good}
	}
	return components.State{Code: "fits_not", Word: bad, Tone: components.Bad}
}

func needs(volume, weight decimal.Decimal) string {
	return volume.StringFixed(2) + " ft³, " + weight.StringFixed(1) + " lb"
}

// fill is how much of a capacity is used, in percent.
func fill(used, capacity decimal.Decimal) string {
	if !capacity.IsPositive() {
		return "no capacity recorded"
	}
	return used.Mul(decimal.New(100, 0)).DivRound(capacity, 1).StringFixed(1) + " %"
}

var changeWords = map[dimension.ChangeKind]components.State{
	dimension.FirstCapture: {Code: "first", Word: "First measured", Tone: components.Info}, dimension.Automatic: {Code: "automatic", Word: "Within the tolerance", Tone: components.Info},
	dimension.Approved: {Code: "approved", Word: "Approved", Tone: components.Good}, dimension.Kept: {Code: "kept", Word: "Kept", Tone: components.Good},
}

func historyView(shell layouts.Shell, by actor.Actor, h dimension.History) pages.MaterialShowView {
	m := h.Material.Master
	v := pages.MaterialShowView{Shell: shell, Code: h.Material.Code, Name: h.Material.Name, Barcodes: strings.Join(h.Barcodes, ", ")}
	v.Facts = []components.Fact{
		{Label: "Height", Value: withUnit(m.Height, "in")},
		{Label: "Width", Value: withUnit(m.Width, "in")},
		{Label: "Depth", Value: withUnit(m.Thickness, "in")},
		{Label: "Volume", Value: withUnit(m.CubicFeet, "ft³")},
		{Label: "Weight", Value: withUnit(m.Pounds, "lb")},
		{Label: "Version", Value: fmt.Sprint(h.Material.Version)},
	}
	if volume := m.TheVolume(); volume.Given() && !m.CubicFeet.Valid {
		v.Facts[3].Value = volume.CubicFeet().String() + " ft³, from its sides"
	}
	if by.Can(actor.DimensionMeasure) && h.Facility != uuid.Nil {
		v.MeasureHref = measurePath(h.Material.ID, h.Facility)
	}
	for _, c := range h.Open {
		row := pages.OpenCaseRow{State: caseStates[c.State], Since: moment(c.ChangedAt, h.At, time.UTC)}
		if c.State == dimension.InReview {
			row.Href = dimensionReviews + "/" + c.ID.String()
		}
		v.Open = append(v.Open, row)
	}
	for _, c := range h.Changes {
		row := pages.ChangeRow{State: changeWords[c.Kind], By: c.By.Name, At: moment(c.At, h.At, time.UTC), Reason: c.Reason, Version: fmt.Sprint(c.Version)}
		for _, d := range c.Old.Changed(c.New) {
			row.Changed = append(row.Changed, d.Word()+": "+orNothing(d.Old)+" → "+orNothing(d.New))
		}
		v.Changes = append(v.Changes, row)
	}
	for _, e := range h.Verifications {
		row := pages.VerificationRow{
			State: statusStates[e.Status], Facility: e.Facility, Volume: e.CubicFeet.String(), Weight: e.Pounds.String(), VolumePct: pct(e.VolumePct), WeightPct: pct(e.WeightPct),
			By: e.By, At: moment(e.At, h.At, time.UTC), Notes: e.Notes,
		}
		if e.Beyond {
			row.VolumePct += " (beyond what can be kept)"
		}
		v.Verifications = append(v.Verifications, row)
	}
	// What others measured is not shown while somebody else is still to measure blind.
	for _, r := range h.Readings {
		waits := false
		for _, c := range h.Open {
			waits = waits || c.ID == r.Case && c.State.Waits()
		}
		if !waits {
			v.Readings = append(v.Readings, readingRowOf(r, h.At))
		} else {
			v.Held = true
		}
	}
	return v
}

func withUnit(d decimal.NullDecimal, unit string) string {
	if !d.Valid {
		return ""
	}
	return d.Decimal.String() + " " + unit
}
