package handlers

import (
	"fmt"
	"strconv"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

func (h capacities) showView(shell layouts.Shell, by actor.Actor, p capacity.FailurePage) pages.CapacityShowView {
	c := p.Case
	v := pages.CapacityShowView{
		Shell: shell, State: capacityStates[c.State], Severity: capacitySeverities[c.Verdict.Severity], Sentence: capacitySentence(c, p.Now), Version: strconv.Itoa(c.Version),
		Cause: c.Cause.Words(), Reason: c.Reason, Group: components.Link{Label: "All failures with this cause", Href: groupHref(c.Group)},
		Picture: pictureView(p.Bin), Figures: figuresView(c), Sides: sidesView(p.Bin), Facts: capacityFacts(c, p.Now),
	}
	for _, e := range p.Events {
		v.History = append(v.History, eventView(e, p.Now))
	}
	for _, s := range p.Seen {
		v.Seen = append(v.Seen, pages.CapacityEvent{
			Act: "seen", What: s.Quantity.String() + " of lot " + s.Lot, By: s.By, At: moment(s.At, p.Now, time.UTC),
			Note: fmt.Sprintf("%s ft³ and %s lb needed, %s ft³ and %s lb free", s.Needed.CubicFeet, s.Needed.WeightLbs, s.Free.CubicFeet, s.Free.WeightLbs),
		})
	}
	for _, s := range p.Sizes {
		v.Sizes = append(v.Sizes, pages.CapacityEvent{
			Act: "resize", What: s.Before + " → " + s.After, By: s.By, At: moment(s.At, p.Now, time.UTC), Note: s.Reason + " It cleared " + counted(s.Cleared, "failure", "failures") + ".",
		})
	}
	for _, a := range p.Alerts {
		v.Alerts = append(v.Alerts, toldView(a, p.Now))
	}
	h.acts(&v, by, p)
	return v
}

func capacitySentence(c capacity.Case, now time.Time) string {
	switch c.State {
	case capacity.Fixed:
		return fmt.Sprintf("%s says that it is fixed (%s). Somebody else has to look whether it holds.", c.FixedBy.Name, c.FixCode.Words())
	case capacity.Verified:
		return fmt.Sprintf("Fixed by %s, verified by %s.", c.FixedBy.Name, c.VerifiedBy.Name)
	case capacity.Accepted:
		return fmt.Sprintf("%s puts up with it until %s: %s. Then it opens again by itself.", c.AcceptedBy.Name, c.AcceptUntil.Format(dayWords), c.AcceptWhy)
	case capacity.New, capacity.Acknowledged, capacity.Assigned, capacity.Reopened:
	}
	due := "It is due " + relative(c.DueAt().Sub(now)) + "."
	if now.After(c.DueAt()) {
		due = "It was due " + relative(c.DueAt().Sub(now)) + "."
	}
	return c.Verdict.Type.Words() + ". " + due
}

func capacityFacts(c capacity.Case, now time.Time) []components.Fact {
	facts := []components.Fact{
		{Label: "Facility", Value: c.Facility.Code},
		{Label: "Bin", Value: c.Location.Code, Code: true},
		{Label: "Type of bin", Value: c.LocationType},
		{Label: "Zone", Value: c.Zone},
		{Label: "Material", Value: c.Material.Code, Code: true},
		{Label: "Lot", Value: c.Lot, Code: true},
		{Label: "Pieces", Value: c.Quantity.String()},
		{Label: "In the hands of", Value: c.Owner.Name},
		{Label: "Seen", Value: times(c.Occurrences)},
		{Label: "First seen", Time: moment(c.FirstSeen, now, time.UTC)},
		{Label: "Last seen", Time: moment(c.LastSeen, now, time.UTC)},
	}
	if c.Reopened > 0 {
		facts = append(facts, components.Fact{Label: "Reopened", Value: times(c.Reopened)})
	}
	if c.State.Open() {
		facts = append(facts, components.Fact{Label: "Due", Time: moment(c.DueAt(), now, time.UTC)})
	}
	return facts
}

func sidesView(b capacity.BinNow) []components.Fact {
	unit, fit := "unknown: nobody measured it", b.MaterialUnit.Into(b.Box)
	if b.MaterialUnit.Known() {
		unit = fmt.Sprintf("%s × %s × %s in", b.MaterialUnit.Length, b.MaterialUnit.Width, b.MaterialUnit.Height)
	}
	goes := "unknown sides, so the volume decides"
	switch {
	case fit.Known && fit.Fits && fit.Turned:
		goes = "one piece goes in when it is turned"
	case fit.Known && fit.Fits:
		goes = "one piece goes in as it is"
	case fit.Known:
		goes = "not even one piece goes in, however it is turned"
	}
	return []components.Fact{{Label: "The bin now", Value: b.Words()}, {Label: "One piece", Value: unit}, {Label: "Sides", Value: goes}}
}

func pictureView(b capacity.BinNow) pages.CapacityPicture {
	d := capacity.Draw(b.MaterialUnit, b.Box)
	if !d.Known {
		return pages.CapacityPicture{Text: "There is no drawing: the sides of the bin or of the material are unknown."}
	}
	const margin = 20
	width, height := max(d.BinWidth, d.UnitWidth), max(d.BinHeight, d.UnitTall)
	p := pages.CapacityPicture{
		Known: true, Over: d.OverWidth || d.OverHeight, ViewBox: fmt.Sprintf("0 0 %d %d", width+2*margin, height+2*margin),
		BinX: strconv.Itoa(margin), BinY: strconv.Itoa(margin + height - d.BinHeight), BinW: strconv.Itoa(d.BinWidth), BinH: strconv.Itoa(d.BinHeight),
		UnitX: strconv.Itoa(margin), UnitY: strconv.Itoa(margin + height - d.UnitTall), UnitW: strconv.Itoa(d.UnitWidth), UnitH: strconv.Itoa(d.UnitTall),
	}
	f := b.MaterialUnit.Into(b.Box)
	p.Text = fmt.Sprintf("One piece, %s in wide and %s in high, in the bin, %s in wide and %s in high, seen from the front and to scale.", f.Placed.Width, f.Placed.Height, b.Box.Width, b.Box.Height)
	if p.Over {
		p.Text += " It stands out of the bin."
	}
	return p
}

func figuresView(c capacity.Case) []pages.CapacityFigure {
	var list []pages.CapacityFigure
	for _, f := range []struct {
		name, unit   string
		needed, free capacity.Decimal
		over         capacity.Overflow
	}{{"Volume", "ft³", c.Needed.CubicFeet, c.Free.CubicFeet, c.Verdict.Volume}, {"Weight", "lb", c.Needed.WeightLbs, c.Free.WeightLbs, c.Verdict.Weight}} {
		tone := components.State{Code: "fits", Word: "Fits", Tone: components.Good}
		if f.over.NoRoom || f.over.Pct.IsPositive() {
			tone = components.State{Code: "over", Word: f.over.Words(), Tone: components.Bad}
		}
		needed, _ := f.needed.Float64()
		free, _ := f.free.Float64()
		larger := max(needed, free)
		width := func(value float64) string {
			if larger <= 0 || value <= 0 {
				return "0%"
			}
			return strconv.FormatFloat(value/larger*100, 'f', 1, 64) + "%"
		}
		list = append(list, pages.CapacityFigure{
			Name: f.name, Needed: f.needed.String() + " " + f.unit, Free: f.free.String() + " " + f.unit, Over: f.over.Words(), Tone: tone, FreeWidth: width(free), NeededWidth: width(needed),
		})
	}
	return list
}

func eventView(e capacity.Event, now time.Time) pages.CapacityEvent {
	what := e.Act.Past()
	if e.Act == capacity.Recur && e.To == capacity.Reopened {
		what = "seen again, and so reopened"
	}
	return pages.CapacityEvent{Act: string(e.Act), What: sentenceCase(what), By: e.By.Name, At: moment(e.At, now, time.UTC), Note: e.Note}
}

func sentenceCase(text string) string {
	if text == "" {
		return ""
	}
	return string(text[0]-'a'+'A') + text[1:] // the words of acts begin with a small letter of ASCII
}

func toldView(a capacity.Told, now time.Time) pages.CapacityTells {
	t := pages.CapacityTells{To: a.Role.Title(), At: moment(a.At, now, time.UTC), State: components.State{Code: "waiting", Word: "Not delivered yet", Tone: components.Neutral}}
	switch {
	case !a.DeliveredAt.IsZero():
		t.State = components.State{Code: "delivered", Word: "Delivered", Tone: components.Good}
		t.Delivered = "by " + a.DeliveredBy + ", " + a.DeliveredAt.Format("2 Jan 15:04:05 UTC")
	case a.Problem != "":
		t.State = components.State{Code: "failed", Word: "Not delivered", Tone: components.Bad}
		t.Delivered = fmt.Sprintf("tried %s; the last time: %s", times(a.Attempts), a.Problem)
	}
	return t
}

// acts offers what this person may do to the failure where it stands.
func (h capacities) acts(v *pages.CapacityShowView, by actor.Actor, p capacity.FailurePage) {
	c := p.Case
	works, accepts := by.Can(actor.CapacityWork), by.Can(actor.CapacityAccept)
	offer := func(allowed bool, act capacity.Act) pages.CapacityAct {
		if !allowed || !c.Can(act) {
			return pages.CapacityAct{}
		}
		return pages.CapacityAct{Action: c.Path() + "/" + string(act)}
	}
	v.Acknowledge, v.Assign, v.Fix = offer(works, capacity.Acknowledge), offer(works, capacity.Assign), offer(works, capacity.FixIt)
	v.Verify, v.Doubt = offer(works, capacity.Verify), offer(works, capacity.Doubt)
	v.Accept, v.Reopen = offer(accepts, capacity.Accept), offer(accepts, capacity.Reopen)
	if works && c.Can(capacity.Verify) {
		if v.Barred = c.Bars(capacity.Verify, by); v.Barred != "" {
			v.Verify = pages.CapacityAct{}
		}
	}
	if !works {
		v.WhyNot, v.WhoCan = "Your roles do not include working on failures.", roleTitles(actor.RolesWith(actor.CapacityWork))
		return
	}
	v.Workers = workerOptions(p.Workers, "Choose somebody")
	v.Codes = []components.Option{{Label: "Choose what settled it", Chosen: true}}
	for _, code := range capacity.Codes() {
		v.Codes = append(v.Codes, components.Option{Value: string(code), Label: code.Words()})
	}
	today := p.Now.UTC()
	v.Until, v.UntilMost = today.AddDate(0, 0, 7).Format(time.DateOnly), today.AddDate(0, 0, capacity.LongestAcceptance).Format(dayWords)
	if h.now().Sub(by.AuthTime) > actor.FreshFor {
		v.FreshHref = web.LoginHref(c.Path(), true)
	}
	if c.Can(capacity.FixIt) && !p.Bin.Gone && p.Bin.Version > 0 {
		v.BinHref = c.Path() + "/bin"
	}
	if c.Can(capacity.FixIt) {
		v.Measure = c.Path() + "/measure"
	}
	if c.Can(capacity.FixIt) && p.Bin.MaterialNow != nil && c.Clears(capacity.Correction{Unit: p.Bin.MaterialNow}) {
		n := len(capacity.Cleared(p.SameMaterial, capacity.Correction{Unit: p.Bin.MaterialNow}))
		v.MaterialSay = "By today's master data it fits: " + andOthers(n) + " would be fixed"
		v.Material.Action, v.MaterialShown = c.Path()+"/material", strconv.Itoa(n)
	}
	if n := len(p.SameMaterial) + len(p.SameBin); n > 2 {
		v.Same = fmt.Sprintf("%d open failures of this material, %d of this bin", len(p.SameMaterial), len(p.SameBin))
	}
}

// andOthers says how many a correction clears besides the one that is looked at.
func andOthers(n int) string {
	if n <= 1 {
		return "this failure"
	}
	return "this and " + counted(n-1, "other", "others")
}

func binView(shell layouts.Shell, by actor.Actor, p capacity.FailurePage, size capacity.Size, looked bool) pages.CapacityBinView {
	b := p.Bin
	v := pages.CapacityBinView{
		Shell: shell, LookAction: p.Case.Path() + "/bin", Seen: strconv.Itoa(b.Version),
		Now: []components.Fact{{Label: "Size", Value: b.Words()}, {Label: "Open failures", Value: strconv.Itoa(len(p.SameBin))}},
	}
	switch {
	case !by.Can(actor.CapacityWork):
		v.WhyNot, v.WhoCan = "Your roles do not include working on failures.", roleTitles(actor.RolesWith(actor.CapacityWork))
		return v
	case b.Gone || b.Version == 0:
		v.WhyNot = "The bin is not in use any more, so there is nothing to correct."
		return v
	}
	if b.Box.Known() {
		v.Length, v.Width, v.Height = b.Box.Length.String(), b.Box.Width.String(), b.Box.Height.String()
	}
	if b.MaxWeight != nil {
		v.Weight = b.MaxWeight.String()
	}
	if !looked {
		return v
	}
	load := size.Load()
	clears := capacity.Cleared(p.SameBin, capacity.Correction{Bin: &load})
	v.Looked, v.Action, v.Shown = true, p.Case.Path()+"/bin", strconv.Itoa(len(clears))
	v.New = fmt.Sprintf("It would hold %s ft³ and carry %s lb.", load.CubicFeet, load.WeightLbs)
	v.Would = fmt.Sprintf("That would clear %d of %s", len(clears), counted(len(p.SameBin), "open failure", "open failures"))
	v.Effect = "Correct " + p.Case.Location.Code + " and fix " + counted(len(clears), "failure", "failures")
	if len(clears) == 0 {
		v.Would, v.Effect = "That would clear none of them", "Correct "+p.Case.Location.Code
	}
	for i, c := range clears {
		if i == 20 {
			v.More = fmt.Sprintf("And %d more.", len(clears)-i)
			break
		}
		v.Clears = append(v.Clears, capacityRow(c, p.Now))
	}
	return v
}
