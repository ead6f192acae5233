package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var (
	importChecking = components.State{Code: "checking", Word: "Being checked", Tone: components.Info}
	importWrong    = components.State{Code: "refused", Word: "Has wrong lines", Tone: components.Bad}
	importWaits    = components.State{Code: "checked", Word: "To be confirmed", Tone: components.Warn}
)

func importListEmpty() pages.ImportListView {
	return pages.ImportListView{Shell: shell("Files of measurements", layouts.PlaceDimensions, toDimensions), ExampleHref: "/dimensions/imports/example.csv", WhoCan: []string{"Warehouse staff"}}
}

func importList() pages.ImportListView {
	v := importListEmpty()
	v.Action, v.MaxBytes, v.WhoCan, v.LiveHref = "/dimensions/imports", 32<<20, nil, "/dimensions/imports"
	v.Complaints = components.Complaints{{Field: "measurements", Text: "Choose a file."}}
	v.Rows = []pages.ImportRow{
		{ID: "i1", Href: "/dimensions/imports/i1", Name: "dock-2-machine-of-a-name-that-is-as-long-as-names-become.csv", State: importChecking, Lines: "100000", By: "Iris Vega", At: components.Time{Local: "14:05", Relative: "2 min ago", UTC: "2026-03-02 14:05:00 UTC"}},
		{ID: "i2", Href: "/dimensions/imports/i2", Name: "sheet.csv", State: importWrong, Lines: "12", By: "Iris Vega", At: components.Time{Local: "14:05", Relative: "2 min ago", UTC: "2026-03-02 14:05:00 UTC"}},
	}
	return v
}

func importChecked() pages.ImportShowView {
	return pages.ImportShowView{
		Shell: shell("sheet.csv", layouts.PlaceDimensions, toDimensions), ID: "i1", State: importWaits, Sentence: "Every line was checked, and nothing is written yet.",
		Facts:    []components.Fact{{Label: "Lines", Value: "200"}, {Label: "Sent by", Value: "Iris Vega"}},
		Outcomes: []pages.ImportOutcome{{Code: "VERIFIED", Count: "50", Text: "as recorded"}, {Code: "not_taken", Count: "1", Text: "not taken"}},
		Asks:     []pages.ImportProblemRow{{Line: "7", Column: "PR-00001", Text: "Is it really 100 ft³? That is beside what this item has been, as by a slipped point."}}, MoreAsks: "150 lines are asked about; the first 100 are shown.",
		Left: []pages.ImportProblemRow{{Line: "9", Column: "PR-00002", Text: "It was measured, and a supervisor decides what is right."}}, Version: "2", Confirm: "/dimensions/imports/i1/confirm",
		Discard: "/dimensions/imports/i1/discard", ConfirmWord: "Take 199 measurements", SureLabel: "I looked at the 150 lines asked about, and they are right as they are",
		Complaints: components.Complaints{{Field: "sure", Text: "Look at the lines that are asked about, and say that they are right as they are."}},
	}
}

func importRefused() pages.ImportShowView {
	return pages.ImportShowView{
		Shell: shell("sheet.csv", layouts.PlaceDimensions, toDimensions), ID: "i2", State: importWrong, Sentence: "1200 problems were found, so nothing of the file is taken.",
		Bad: []pages.ImportProblemRow{
			{Line: "3", Column: "volume", Text: "Write it with a point and without separators, like 10.5."},
			{Line: "9", Text: "The quote that opens in this line is never closed, so what comes after it was not read."},
			{Line: "12", Column: "material", Text: "No material has the code <script>alert(1)</script> here."},
		},
		MoreBad: "1200 problems were found; the first 1000 are kept.", ProblemsHref: "/dimensions/imports/i2/problems.csv",
		Pager: components.Pager{Older: "/dimensions/imports/i2?after=100", OlderWord: "Further"}, WhoCan: []string{"Warehouse staff"},
	}
}

func importTaking() pages.ImportShowView {
	return pages.ImportShowView{
		Shell: shell("machine.csv", layouts.PlaceDimensions, toDimensions), ID: "i3", State: components.State{Code: "taking", Word: "Being taken", Tone: components.Info},
		Sentence: "The lines are being taken, each once. You may leave this page.", LiveHref: "/dimensions/imports/i3", Done: "41200", Of: "100000",
		Outcomes: []pages.ImportOutcome{{Code: "MASTER_DATA_UPDATED", Count: "41200", Text: "within the tolerance or the first: the master data follows"}},
	}
}
