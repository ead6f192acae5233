package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var (
	toStore   = components.State{Code: "to_store", Word: "To store", Tone: components.Progress}
	lateState = components.State{Code: "late", Word: "Late: more than 4 h", Tone: components.Warn}
	atTheDock = []components.Option{{Label: "any", Chosen: true}, {Value: "x", Label: "something"}}
)

func dockRowSample() pages.DockRow {
	return pages.DockRow{
		ID: "1", Href: "/cross-dock/1", Lot: "RM1-0000123", Material: "PR-00001", Name: "Roll, 48 in", Quantity: "10 EA", Reason: "Order cancelled", At: "STA-D01-01-02", Zone: "STA", To: "RES-B02-05-01",
		State: toStore, Late: lateState, Dwell: "5 h 2 min", Since: clock("09:03", "5 h ago"), By: "Sample warehouse system",
	}
}

func dockRowStored() pages.DockRow {
	r := dockRowSample()
	r.ID, r.Late, r.Actual, r.State, r.Stored = "2", components.State{}, "RES-B02-05-02", components.State{Code: "stored", Word: "Stored", Tone: components.Good}, clock("14:00", "5 min ago")
	return r
}

func dockRowWaiting() pages.DockRow {
	r := dockRowSample()
	r.ID, r.To, r.Late, r.State = "3", "", components.State{}, components.State{Code: "waiting", Word: "Waiting for a place", Tone: components.Blocked}
	return r
}

func crossDockList() pages.CrossDockListView {
	return pages.CrossDockListView{
		Shell: shell("Cross-dock", layouts.PlaceCrossDock), DockHref: "/cross-dock/dock",
		Filter: pages.DockFilter{Action: "/cross-dock", AllHref: "/cross-dock", Export: "/cross-dock/csv", Facilities: atTheDock, Reasons: atTheDock, Standings: atTheDock, Zone: "STA", Any: true},
		Rows:   []pages.DockRow{dockRowSample(), dockRowWaiting(), dockRowStored()},
		Limits: pages.DockLimits{
			Action: "/cross-dock/dock/limits", Rows: []components.Fact{{Label: "RM-MAIN, zone STA", Value: "2 h, set by Wes Orr"}}, Facilities: atTheDock, Minutes: "0",
			Complaints: components.Complaints{{Field: "minutes", Text: "Between 1 minute and 7 days, please."}},
		},
		Pager: components.Pager{Shown: "3 lots", Older: "/cross-dock?after=x", OlderWord: "More"},
	}
}

func crossDockListEmpty() pages.CrossDockListView {
	v := crossDockList()
	v.Rows, v.Limits, v.Pager, v.Filter.Any, v.Filter.Zone = nil, pages.DockLimits{}, components.Pager{}, false, ""
	return v
}

func crossDockShow() pages.CrossDockShowView {
	return pages.CrossDockShowView{
		Shell: shell("Lot RM1-0000123", layouts.PlaceCrossDock), Row: dockRowSample(), Why: "It needs 60 ft³ and 100 lb, and of the reserve places with room for that this has the least: 61 ft³ and 900 lb.",
		Facts: []components.Fact{{Label: "Material", Value: "PR-00001, Roll, 48 in"}}, StoreHref: "/cross-dock/1/store", Version: "2", Choose: "/cross-dock/1/choose", Retry: "/cross-dock/1/retry", Location: "X",
		Complaints: components.Complaints{{Field: "location", Text: "There is no such location in RM-MAIN."}},
		Events:     []pages.DockEvent{{What: "Given a place", Where: "from STA-D01-01-02 to RES-B02-05-01", By: "scheduler", At: clock("14:00", "5 min ago")}, {What: "Cancelled", Note: "Order cancelled.", Where: "in STA-D01-01-02", By: "Sample warehouse system", At: clock("09:03", "5 h ago")}},
	}
}

func crossDockNew() pages.CrossDockNewView {
	return pages.CrossDockNewView{
		Shell: shell("Cancel a cross-dock", layouts.PlaceCrossDock), Action: "/cross-dock", Key: "k", Facilities: atTheDock, Reasons: atTheDock, Lot: "X",
		Complaints: components.Complaints{{Field: "lot", Text: "This facility has no lot of that number."}},
	}
}

func dock() pages.DockView {
	return pages.DockView{
		Shell: shell("Dock", layouts.PlaceCrossDock), ScanAction: "/cross-dock/dock", FacilityID: "f", ListHref: "/cross-dock", Note: "Nothing is cancelled of lot L9.",
		Facilities: []components.Filter{{Label: "RM-MAIN", Href: "/cross-dock/dock?facility=f", Chosen: true, Code: "RM-MAIN"}}, Found: []pages.DockRow{dockRowSample()}, Next: []pages.DockRow{dockRowSample(), dockRowWaiting()},
	}
}

func dockAnswer() pages.DockAnswerView {
	return pages.DockAnswerView{
		Shell: shell("Lot RM1-0000123", layouts.PlaceCrossDock), Row: dockRowSample(), Code: "store", Verb: "Store it in", Place: "RES-B02-05-01", Detail: "Zone RES", Why: "It needs 60 ft³.", Action: "/cross-dock/1/store",
		Sure: "RES-B02-05-02", Problem: "RES-B02-05-02 is not RES-B02-05-01. Scan RES-B02-05-02 once more if the lot really lies there.", BackHref: "/cross-dock/dock",
	}
}

func dockAnswerWaiting() pages.DockAnswerView {
	return pages.DockAnswerView{
		Shell: shell("Lot RM1-0000123", layouts.PlaceCrossDock), Row: dockRowWaiting(), Code: "wait", Verb: "Leave it here: no place is free yet", Why: "No storage of RM-MAIN has room.", Conflict: "Somebody else was faster.",
		WhyNot: "Your roles do not include storing what stands at the dock.", WhoCan: []string{"Warehouse staff"}, BackHref: "/cross-dock/dock",
	}
}
