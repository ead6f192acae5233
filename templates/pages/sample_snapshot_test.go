package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var (
	takenOnTime = components.State{Code: "taken", Word: "Taken on time", Tone: components.Good}
	notYetTaken = components.State{Code: "waiting", Word: "Not yet", Tone: components.Neutral}
	missedOne   = components.State{Code: "missed", Word: "Missed", Tone: components.Bad}
	healthyOne  = components.State{Code: "healthy", Word: "Healthy", Tone: components.Good}
	unknownOne  = components.State{Code: "unknown", Word: "Unknown", Tone: components.Unknown}
)

func snapshotPlaces(states ...components.State) []pages.SnapshotPlace {
	places := []pages.SnapshotPlace{
		{Point: "before_30m", Title: "Half an hour before T-0", Offset: "T-30m", Due: clock("13:30", "2 h ago")},
		{Point: "before", Title: "Right before T-0", Offset: "T-1m", Due: clock("13:59", "2 h ago")},
		{Point: "hour_1", Title: "Hour 1", Offset: "T+1h", Due: clock("15:00", "1 h ago")},
		{Point: "hour_4", Title: "Hour 4", Offset: "T+4h", Due: clock("18:00", "in 2 h")},
		{Point: "hour_24", Title: "Hour 24", Offset: "T+24h", Due: clock("25 Dec, 14:00", "in 22 h")},
		{Point: "hour_48", Title: "Hour 48", Offset: "T+48h", Due: clock("26 Dec, 14:00", "in 1 day")},
	}
	for i := range places {
		places[i].State = states[i]
		if states[i].Code == "taken" || states[i].Code == "late" {
			places[i].SHA256, places[i].RawHref, places[i].Taken = digest, "/releases/"+code+"/snapshots/"+places[i].Point, places[i].Due
		}
	}
	return places
}

func snapshotsShell() layouts.Shell {
	return shell("Snapshots", layouts.PlaceReleases, toReleases, layouts.Crumb{Label: code, Href: "/releases/" + code})
}

func snapshotsFull() pages.SnapshotsView {
	v := pages.SnapshotsView{
		Shell: snapshotsShell(), Sentence: "3 snapshots of 6 moments taken, none missed.", Tone: components.Info, ReportHref: "/releases/" + code + "/report",
		Places:  snapshotPlaces(takenOnTime, takenOnTime, takenOnTime, notYetTaken, notYetTaken, notYetTaken),
		Columns: []string{"Baseline", "Hour 1"},
		Lines: []pages.SnapshotLine{
			{Name: "check ml_accuracy", Title: "ML accuracy", Kind: "health check", Threshold: "healthy above 80 %, degraded above 70 %, else unhealthy", Cells: []pages.SnapshotCell{
				{Column: "Baseline", There: true, State: healthyOne, Value: "92.4 %", Why: "92.4 % of 131 decided recommendations of the last 7 days were accepted."},
				{Column: "Hour 1", There: true, State: components.State{Code: "unhealthy", Word: "Unhealthy", Tone: components.Bad}, Value: "64.1 %", Why: "64.1 % of 139 decided recommendations of the last 7 days were accepted.", Verdict: components.State{Code: "worse", Word: "Worse", Tone: components.Warn}, Change: "was healthy, is unhealthy; −28.3 % less"},
			}},
			{Name: "series measured_acceptance_rate", Title: "Acceptance rates that the warehouse measured in the period", Kind: "statistics, mean of the values", Cells: []pages.SnapshotCell{
				{Column: "Baseline", There: true, State: components.State{Code: "not_deployed", Word: "Not deployed yet", Tone: components.Neutral}, Why: "Not deployed yet: bin_optimization_statistical_metrics comes with migration V0.0.22, which is not applied yet."},
				{Column: "Hour 1", There: true, State: unknownOne, Why: "There was nothing to describe in this period.", More: "n 0, 0 missing", Verdict: components.State{Code: "unknown", Word: "Not comparable", Tone: components.Unknown}, Change: "was not deployed, is unknown; not known, before and now"},
			}},
			{Name: "series bin_volume_utilization", Title: "Volume used of the bins, as they are now", Kind: "statistics, mean of the values", Cells: []pages.SnapshotCell{
				{Column: "Baseline", There: true, State: components.State{Code: "warning", Word: "Warning", Tone: components.Warn}, Value: "61.40 %", Why: "3 of 512 values are missing.", More: "n 509, 3 missing; median 63.10, P25 41.00, P75 79.90, P95 96.20, from 0.00 to 100.00, SD 24.31"},
				{Column: "Hour 1"},
			}},
		},
	}
	v.Places[1].Baseline = true
	v.Superseded = []pages.SnapshotPlace{{Point: "before_30m", Title: "Half an hour before T-0", Offset: "T-30m", State: components.State{Code: "superseded", Word: "T-0 moved", Tone: components.Neutral}, Due: clock("23 Dec, 13:30", "1 day ago"), Taken: clock("23 Dec, 13:30", "1 day ago"), SHA256: other, RawHref: "/releases/" + code + "/snapshots/old"}}
	v.Places[2].Mismatch = true
	return v
}

func snapshotsEmpty() pages.SnapshotsView {
	return pages.SnapshotsView{
		Shell: snapshotsShell(), Sentence: "0 snapshots of 6 moments taken, none missed.", Tone: components.Info,
		NoBaseline: "There is no baseline yet. It is taken half an hour and a minute before T-0; the later one counts.",
		Nothing:    "Nothing has been measured yet. The first snapshot is taken half an hour before T-0, the next right before it, and then after 1, 4, 24 and 48 hours.",
		Places:     snapshotPlaces(notYetTaken, notYetTaken, notYetTaken, notYetTaken, notYetTaken, notYetTaken),
	}
}

func snapshotsMissed() pages.SnapshotsView {
	v := snapshotsEmpty()
	v.Sentence, v.Tone = "1 snapshot of 6 moments taken; 3 were missed, which are findings.", components.Bad
	v.NoBaseline = "There is no baseline: nothing was measured within the hour before T-0, and it cannot be measured later."
	late := components.State{Code: "late", Word: "Taken late", Tone: components.Warn}
	v.Places = snapshotPlaces(missedOne, missedOne, late, notYetTaken, notYetTaken, notYetTaken)
	for i := range 3 {
		v.Places[i].Finding = "The snapshot " + v.Places[i].Title + " was due and was not taken within 10 min. The server was not running, or could not reach the database."
	}
	v.Places[2].Late = "late by 37 min"
	v.Columns = []string{"Baseline", "Hour 1"}
	v.Lines = []pages.SnapshotLine{{Name: "check scheduler", Title: "Scheduler", Kind: "health check", Cells: []pages.SnapshotCell{{Column: "Baseline"}, {Column: "Hour 1", There: true, State: healthyOne, Value: "12 s", Verdict: components.State{Code: "unknown", Word: "Not comparable", Tone: components.Unknown}, Change: "nothing to compare with: there is no baseline"}}}}
	return v
}
