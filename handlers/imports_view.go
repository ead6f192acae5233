package handlers

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var importStates = map[dimension.ImportState]components.State{
	dimension.Arriving:  {Code: "arriving", Word: "Arriving", Tone: components.Info},
	dimension.Checking:  {Code: "checking", Word: "Being checked", Tone: components.Info},
	dimension.Refused:   {Code: "refused", Word: "Has wrong lines", Tone: components.Bad},
	dimension.Checked:   {Code: "checked", Word: "To be confirmed", Tone: components.Warn},
	dimension.Taking:    {Code: "taking", Word: "Being taken", Tone: components.Info},
	dimension.Taken:     {Code: "taken", Word: "Taken", Tone: components.Good},
	dimension.Discarded: {Code: "discarded", Word: "Discarded", Tone: components.Neutral},
}

// importOutcomes are what lines come to, in the order in which they are told.
var importOutcomes = []struct{ key, label string }{
	{string(dimension.Verified), "as recorded"},
	{string(dimension.MasterDataUpdated), "within the tolerance or the first: the master data follows"},
	{string(dimension.SecondWanted), "beyond the tolerance: a second person measures"},
	{string(dimension.ThirdWanted), "different from the reading before: a third person measures"},
	{string(dimension.InReview), "beyond the tolerance for everybody: a supervisor decides"},
	{dimension.NotTaken, "not taken"},
}

func importListView(shell layouts.Shell, by actor.Actor, list []dimension.Import, at time.Time) pages.ImportListView {
	v := pages.ImportListView{Shell: shell, ExampleHref: importsPage + "/example.csv"}
	if by.Can(actor.DimensionMeasure) {
		v.Action, v.MaxBytes = importsPage, dimension.ImportBytes
	} else {
		v.WhoCan = roleTitles(actor.RolesWith(actor.DimensionMeasure))
	}
	for _, i := range list {
		v.Rows = append(v.Rows, pages.ImportRow{
			ID: i.ID.String(), Href: importHref(i.ID), Name: i.Name, State: importStates[i.State], Lines: strconv.Itoa(i.Lines), By: i.By.Name, At: moment(i.At, at, time.UTC),
		})
		if i.State.Working() {
			v.LiveHref = shell.Path
		}
	}
	return v
}

func importView(shell layouts.Shell, by actor.Actor, p dimension.ImportPage, after int) pages.ImportShowView {
	v := pages.ImportShowView{
		Shell: shell, ID: p.ID.String(), State: importStates[p.State], Version: strconv.Itoa(p.Version), ProblemsHref: importHref(p.ID) + "/problems.csv",
		Facts: []components.Fact{
			{Label: "Lines", Value: strconv.Itoa(p.Lines)}, {Label: "Sent by", Value: p.By.Name}, {Label: "Sent", Time: moment(p.At, p.Clock, time.UTC)},
		},
	}
	if !p.ConfirmedAt.IsZero() {
		v.Facts = append(v.Facts, components.Fact{Label: "Confirmed by", Value: p.Confirmed.Name}, components.Fact{Label: "Confirmed", Time: moment(p.ConfirmedAt, p.Clock, time.UTC)})
	}
	if !p.EndedAt.IsZero() {
		v.Facts = append(v.Facts, components.Fact{Label: "Ended", Time: moment(p.EndedAt, p.Clock, time.UTC)})
	}
	if p.State.Working() {
		v.LiveHref = shell.Path
		v.Done, v.Of = strconv.Itoa(p.Done), strconv.Itoa(p.Lines)
	}
	v.Sentence = importSentence(p)
	tally := p.Preview
	if p.State == dimension.Taking || p.State == dimension.Taken {
		tally = p.Result.With(dimension.NotTaken, p.Preview[dimension.NotTaken])
	}
	if p.State != dimension.Refused && p.State != dimension.Discarded {
		for _, o := range importOutcomes {
			if n := tally[o.key]; n > 0 {
				v.Outcomes = append(v.Outcomes, pages.ImportOutcome{Code: o.key, Count: strconv.Itoa(n), Text: o.label})
			}
		}
	}
	importLists(&v, p, after)
	if p.State == dimension.Checked || p.State == dimension.Refused {
		importForms(&v, by, p)
	}
	return v
}

func importForms(v *pages.ImportShowView, by actor.Actor, p dimension.ImportPage) {
	if !by.Can(actor.DimensionMeasure) {
		v.WhoCan = roleTitles(actor.RolesWith(actor.DimensionMeasure))
		return
	}
	v.Discard = importHref(p.ID) + "/discard"
	if p.State != dimension.Checked {
		return
	}
	v.Confirm = importHref(p.ID) + "/confirm"
	v.ConfirmWord = "Take " + counted(p.Lines-p.Preview[dimension.NotTaken], "measurement", "measurements")
	if p.Asked > 0 {
		v.SureLabel = "I looked at the " + counted(p.Asked, "line", "lines") + " asked about, and they are right as they are"
	}
}

func importLists(v *pages.ImportShowView, p dimension.ImportPage, after int) {
	bad := p.Bad
	v.Pager.NewestWord, v.Pager.OlderWord = "Back to the first", "Further"
	if len(bad) > importsAsked {
		bad = bad[:importsAsked]
		v.Pager.Older = importHref(p.ID) + "?" + url.Values{"after": {strconv.Itoa(after + importsAsked)}}.Encode()
	}
	if after > 0 {
		v.Pager.Newest = importHref(p.ID)
	}
	for _, b := range bad {
		v.Bad = append(v.Bad, pages.ImportProblemRow{Line: strconv.Itoa(b.Line), Column: b.Column, Text: b.Text})
	}
	if p.Problems > dimension.ProblemsKept {
		v.MoreBad = fmt.Sprintf("%d problems were found; the first %d are kept.", p.Problems, dimension.ProblemsKept)
	}
	for _, a := range p.Asks {
		v.Asks = append(v.Asks, pages.ImportProblemRow{Line: strconv.Itoa(a.Line), Column: a.Code, Text: strings.Join(a.Asked, " ")})
	}
	if p.Asked > len(p.Asks) {
		v.MoreAsks = fmt.Sprintf("%d lines are asked about; the first %d are shown.", p.Asked, len(p.Asks))
	}
	for _, l := range p.Left {
		v.Left = append(v.Left, pages.ImportProblemRow{Line: strconv.Itoa(l.Line), Column: l.Code, Text: l.Reason})
	}
	if n := p.Preview[dimension.NotTaken] + p.Result[dimension.NotTaken]; n > len(p.Left) && len(p.Left) > 0 {
		v.MoreLeft = fmt.Sprintf("%d lines are not taken; the first %d are shown.", n, len(p.Left))
	}
}

// importSentence says where the file stands, and what comes next.
func importSentence(p dimension.ImportPage) string {
	switch p.State {
	case dimension.Arriving:
		return "The file is on its way. Nothing of it is a measurement yet."
	case dimension.Checking:
		return "Every line is being checked. Nothing is written by that; you may leave this page."
	case dimension.Refused:
		return counted(p.Problems, "problem was", "problems were") + " found, so nothing of the file is taken. Put them right and send it again."
	case dimension.Checked:
		return "Every line was checked, and nothing is written yet. Whoever confirms gives their word for these readings, and does not decide about them later."
	case dimension.Taking:
		return "The lines are being taken, each once. You may leave this page."
	case dimension.Taken:
		return "The file was taken. Each line is a reading of " + p.Confirmed.Name + "."
	case dimension.Discarded:
	}
	return "The file was discarded. Nothing of it was taken."
}
