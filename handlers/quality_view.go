package handlers

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/quality"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

// toMigration is the way to the migration that brings what is missing.
func toMigration(version string) components.Link {
	return components.Link{Label: "See V" + version, Href: migrationsPage + "/V" + version}
}

func qualityView(shell layouts.Shell, r quality.Report, facility string) pages.QualityView {
	v := pages.QualityView{Shell: shell, At: moment(r.ComputedAt, r.At, time.UTC), LiveHref: shell.Path, CSVHref: qualityPage + ".csv"}
	v.Overall, v.Sentence = qualityVerdict(r)
	list := slices.Clone(r.Facilities)
	slices.SortStableFunc(list, func(a, b quality.Facility) int { return cmp.Compare(toMeasure(b), toMeasure(a)) })
	chosen := r.Facilities
	v.Filters = []components.Filter{{Label: "All facilities", Href: qualityPage, Code: "all", Chosen: true}}
	for _, f := range list {
		v.Rows = append(v.Rows, qualityRow(f))
		one := f.Facility.String()
		filter := components.Filter{Label: f.FacilityName, Href: qualityPage + "?facility=" + one, Code: one, Chosen: one == facility}
		if filter.Chosen {
			v.Filters[0].Chosen, v.Facility, chosen = false, f.FacilityName, []quality.Facility{f}
		}
		v.Filters = append(v.Filters, filter)
	}
	v.Variance, v.Course = varianceChart(chosen), courseChart(chosen, r.At)
	return v
}

func toMeasure(f quality.Facility) int {
	now, _ := f.Now()
	return now.Due
}

// qualityVerdict is first whether the figures may be believed, and then what they say.
func qualityVerdict(r quality.Report) (components.State, string) {
	switch r.Standing() {
	case quality.Failing:
		text := fmt.Sprintf("The figures cannot be computed since %s. %s", r.FailingSince.UTC().Format("2 Jan, 15:04 UTC"), r.Failure)
		if !r.ComputedAt.IsZero() {
			text += " What is shown is from before that."
		}
		return components.State{Code: "failing", Word: "Failing", Tone: components.Bad}, text
	case quality.Never:
		return components.State{Code: "never", Word: "Unknown", Tone: components.Unknown}, "The figures have not been computed yet. That happens every " + duration(quality.Every) + "."
	case quality.Stale:
		return components.State{Code: "stale", Word: "Too old", Tone: components.Warn}, fmt.Sprintf("The figures are %s old; they are computed every %s, so something keeps that from happening.", duration(r.At.Sub(r.ComputedAt)), duration(quality.Every))
	case quality.Fresh:
	}
	var total quality.Day
	for _, f := range r.Facilities {
		now, _ := f.Now()
		total.Held, total.Due, total.Unresolved, total.Pending = total.Held+now.Held, total.Due+now.Due, total.Unresolved+now.Unresolved, total.Pending+now.Pending
	}
	said := []string{}
	if total.Due > 0 {
		said = append(said, fmt.Sprintf("%s of %d to be measured", counted(total.Due, "material is", "materials are"), total.Held))
	}
	if total.Unresolved > 0 {
		said = append(said, counted(total.Unresolved, "capacity failure is", "capacity failures are")+" unresolved")
	}
	if total.Pending > 0 {
		said = append(said, counted(total.Pending, "cancelled cross-dock waits", "cancelled cross-docks wait")+" for a place")
	}
	switch {
	case total.Held == 0 && len(said) == 0:
		return components.State{Code: "empty", Word: "Nothing held", Tone: components.Neutral}, "No facility holds a lot, so there is nothing to be verified."
	case len(said) == 0:
		return components.State{Code: "good", Word: "Good", Tone: components.Good}, "Every material that is held is verified, and nothing is unresolved."
	}
	return components.State{Code: "open", Word: "To do", Tone: components.Warn}, strings.ToUpper(said[0][:1]) + strings.Join(said, "; ")[1:] + "."
}

// verifiedShare is the share in percent with a unit; empty where nothing is held.
func verifiedShare(d quality.Day, unit string) string {
	pct, ok := d.VerifiedPct()
	if !ok {
		return ""
	}
	return strconv.FormatFloat(float64(int(pct*10))/10, 'f', 1, 64) + unit // rounded down: 99.96 is not all
}

func qualityRow(f quality.Facility) pages.QualityRow {
	row := pages.QualityRow{
		ID: f.Facility.String(), Name: f.FacilityName, OutOfTolerance: strconv.Itoa(f.MaterialsWithVariance), Volume: "volume " + decimals(f.AvgCubicFeetVariancePct) + " %",
		Weight: "weight " + decimals(f.AvgWeightVariancePct) + " %", Remediations: fmt.Sprintf("%d of %d", f.FailedRemediations, f.AutoRemediations),
	}
	if f.MaterialsVerified+f.MaterialsWithVariance == 0 {
		row.Volume, row.Weight = "", "" // of nothing that was measured there is no mean
	}
	now, ok := f.Now()
	if !ok {
		row.State = components.State{Code: "unknown", Word: "Not computed yet", Tone: components.Unknown}
		return row
	}
	row.Share = verifiedShare(now, " %")
	row.ShareOf = fmt.Sprintf("%d of %d held", now.Held-now.Due, now.Held)
	row.Due, row.Failures, row.Unresolved24h, row.Unresolved, row.Pending = strconv.Itoa(now.Due), strconv.Itoa(now.Failures24h), strconv.Itoa(now.Unresolved24h)+" unresolved", strconv.Itoa(now.Unresolved), strconv.Itoa(now.Pending)
	switch {
	case now.Held == 0:
		row.State, row.ShareOf = components.State{Code: "empty", Word: "Nothing held", Tone: components.Neutral}, ""
	case now.Due == 0:
		row.State = components.State{Code: "good", Word: row.Share, Tone: components.Good}
	default:
		row.State = components.State{Code: "open", Word: row.Share, Tone: components.Warn}
	}
	return row
}

func varianceChart(facilities []quality.Facility) components.Histogram {
	h := components.Histogram{ID: "variance", Title: "Newest variance of each material", Of: "Materials", Along: "measured volume against the recorded one, %"}
	for _, edge := range quality.BandEdges {
		h.Edges = append(h.Edges, signed(edge))
	}
	var sum [quality.Bands]int
	within, all, first := 0, 0, 0
	for _, f := range facilities {
		now, _ := f.Now()
		for i, n := range now.ByVariance {
			sum[i] += n
			all += n
			if quality.WithinTolerance(i) {
				within += n
			}
		}
		first += now.FirstMeasured
	}
	for i, n := range sum {
		column := components.Column{Label: bandLabel(i), Count: n, Text: strconv.Itoa(n), Tone: components.Bad}
		if quality.WithinTolerance(i) {
			column.Tone = components.Good
		}
		h.Columns = append(h.Columns, column)
	}
	if h.Text = "Nothing has been measured that had a value to be compared with."; all > 0 {
		h.Text = fmt.Sprintf("Of %s that had a recorded volume, %d within 10 %%, %d beyond.", counted(all, "measured material", "measured materials"), within, all-within)
	}
	if first > 0 {
		h.Text += fmt.Sprintf(" %s for the first time.", counted(first, "was measured", "were measured"))
	}
	return h
}

func signed(n int) string {
	if n > 0 {
		return "+" + strconv.Itoa(n)
	}
	return "−" + strconv.Itoa(-n)
}

// bandLabel says which variances a band holds, and on which side its edges are.
func bandLabel(i int) string {
	e := quality.BandEdges
	switch {
	case i == 0:
		return "below " + signed(e[0])
	case i == len(e):
		return "above " + signed(e[len(e)-1])
	case i < 3:
		return fmt.Sprintf("%s to below %s", signed(e[i-1]), signed(e[i]))
	case i == 3:
		return fmt.Sprintf("%s to %s", signed(e[2]), signed(e[3]))
	}
	return fmt.Sprintf("above %s to %s", signed(e[i-1]), signed(e[i]))
}

// courseChart is the verified share of 30 days. A day on which one of the facilities has no figures is missing.
func courseChart(facilities []quality.Facility, at time.Time) components.Course {
	c := components.Course{ID: "course", Title: "Verified share over 30 days"}
	today := at.UTC().Truncate(24 * time.Hour)
	days := map[time.Time]quality.Day{}
	there := map[time.Time]int{}
	for _, f := range facilities {
		for _, d := range f.Days {
			sum, day := days[d.Day.UTC()], d.Day.UTC()
			sum.Held, sum.Due = sum.Held+d.Held, sum.Due+d.Due
			days[day] = sum
			there[day]++
		}
	}
	known, first, last := 0, "", ""
	for day := today.AddDate(0, 0, -29); !day.After(today); day = day.AddDate(0, 0, 1) {
		p := components.Point{Label: day.Format("2 Jan")}
		pct, ok := days[day].VerifiedPct()
		if ok && there[day] == len(facilities) {
			p.Percent, p.Text = pct, verifiedShare(days[day], " %")
			known++
			if first == "" {
				first = p.Text + " on " + p.Label
			}
			last = p.Text + " on " + p.Label
		} else {
			p.Missing, p.Text = true, "not computed"
		}
		c.Points = append(c.Points, p)
	}
	switch known {
	case 0:
		c.Text = "No day of the last 30 has a share yet."
	case 1:
		c.Text = "One day so far: " + last + "."
	default:
		c.Text = fmt.Sprintf("From %s to %s, over %d days.", first, last, known)
	}
	return c
}
