package pages_test

import (
	"strconv"

	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func quality() pages.QualityView {
	v := pages.QualityView{
		Shell: shell("Data quality", layouts.PlaceQuality), At: clock("13:40", "8 min ago"), CSVHref: "/data-quality.csv", LiveHref: "/data-quality",
		Overall:  components.State{Code: "open", Word: "To do", Tone: components.Warn},
		Sentence: "108 materials are to be measured of 520; 7 capacity failures are unresolved; 2 cancelled cross-docks wait for a place.",
		Filters: []components.Filter{
			{Label: "All facilities", Href: "/data-quality", Chosen: true, Code: "all"},
			{Label: "Porto, Leça da Palmeira, rolls and substrates", Href: "/data-quality?facility=1", Code: "1"},
			{Label: "Aveiro", Href: "/data-quality?facility=2", Code: "2"},
			{Label: "Empty shed", Href: "/data-quality?facility=3", Code: "3"},
		},
		Rows: []pages.QualityRow{
			{
				ID: "1", Name: "Porto, Leça da Palmeira, rolls and substrates", ShareOf: "312 of 420 held", State: components.State{Code: "open", Word: "74.2 %", Tone: components.Warn}, Due: "108", OutOfTolerance: "19",
				Volume: "volume 4.12 %", Weight: "weight 2.07 %", Failures: "5", Unresolved24h: "4 unresolved", Unresolved: "7", Pending: "2", Remediations: "1 of 12",
			},
			{ID: "2", Name: "Aveiro", ShareOf: "100 of 100 held", State: components.State{Code: "good", Word: "100.0 %", Tone: components.Good}, Due: "0", OutOfTolerance: "0", Volume: "volume 0.40 %", Weight: "weight 0.11 %", Failures: "0", Unresolved24h: "0 unresolved", Unresolved: "0", Pending: "0", Remediations: "0 of 0"},
			{ID: "3", Name: "Empty shed", State: components.State{Code: "unknown", Word: "Not computed yet", Tone: components.Unknown}, OutOfTolerance: "0", Remediations: "0 of 0"},
		},
		Variance: components.Histogram{
			ID: "variance", Title: "Newest variance of each material", Of: "Materials", Along: "measured volume against the recorded one, %", Edges: []string{"−20", "−10", "−5", "+5", "+10", "+20"},
			Text: "Of 412 measured materials that had a recorded volume, 393 within 10 %, 19 beyond. 6 were measured for the first time.",
		},
		Course: components.Course{ID: "course", Title: "Verified share over 30 days", Text: "From 41.0 % on 2 Nov to 79.2 % on 30 Nov, over 5 days."},
	}
	for i, n := range []int{2, 5, 21, 340, 32, 9, 3} {
		tone := components.Good
		if i < 2 || i > 4 {
			tone = components.Bad
		}
		v.Variance.Columns = append(v.Variance.Columns, components.Column{Label: "band", Count: n, Text: strconv.Itoa(n), Tone: tone})
	}
	for i, pct := range []float64{41, 52.5, 0, 70, 79.2} {
		v.Course.Points = append(v.Course.Points, components.Point{Label: strconv.Itoa(i+26) + " Nov", Text: strconv.Itoa(int(pct)) + " %", Percent: pct, Missing: pct == 0})
	}
	return v
}

func qualityMissing() pages.QualityView {
	return pages.QualityView{Shell: shell("Data quality", layouts.PlaceQuality), Missing: "Data-quality figures are not deployed yet: they come with migration V0.0.20.", Way: components.Link{Label: "See V0.0.20", Href: "/migrations/V0.0.20"}}
}

func qualityFailing() pages.QualityView {
	v := quality()
	v.Overall = components.State{Code: "failing", Word: "Failing", Tone: components.Bad}
	v.Sentence = "The figures cannot be computed since 30 Nov, 12:10 UTC. The database did not finish computing them. What is shown is from before that."
	v.Rows = v.Rows[:1]
	return v
}
