package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var (
	critical   = components.State{Code: "critical", Word: "Critical", Tone: components.Bad}
	fixedState = components.State{Code: "fixed", Word: "Fixed, to verify", Tone: components.Progress}
	newState   = components.State{Code: "new", Word: "New", Tone: components.Neutral}
	toCapacity = layouts.Crumb{Label: "Capacity failures", Href: "/capacity-failures"}
)

func capacityFilter(action string) pages.CapacityFilter {
	any := []components.Option{{Label: "any", Chosen: true}, {Value: "x", Label: "something"}}
	return pages.CapacityFilter{Action: action, AllHref: action, Facilities: any, Causes: any, Severities: any, Standings: any, Ages: any, Owners: any, Export: "/capacity-failures/csv"}
}

func capacityList() pages.CapacityListView {
	return pages.CapacityListView{
		Shell: shell("Capacity failures", layouts.PlaceCapacity), Filter: capacityFilter("/capacity-failures"),
		Rows: []pages.CapacityGroupRow{
			{ID: "1", Href: "/capacity-failures/groups/1", Label: "SH-00008", Cause: "Material's dimensions", Facility: "Rivermark Main Mill", Worst: critical, Overflow: "no room at all", Open: "50", Parts: "37 not begun, 12 in work, 1 to verify", Oldest: clock("20 Dec, 09:12", "4 days ago"), LastSeen: clock("14:05", "now")},
			{ID: "2", Href: "/capacity-failures/groups/2", Label: "Bins of type RESERVE", Cause: "Rule that chose the bin", Facility: "Rivermark West", Worst: degraded, Overflow: "12.5 % over", Open: "1", Parts: "1 in work", Oldest: clock("14:00", "5 min ago"), LastSeen: clock("14:00", "5 min ago")},
		},
		Undo:  pages.CapacityUndo{Action: "/capacity-failures/acts/1/undo", What: "You have assigned 37 failures: The roll delivery.", Until: clock("14:15", "in 10 min")},
		Walk:  "The warehouse's transactions were looked at now.",
		Pager: components.Pager{Shown: "2 causes", Older: "/capacity-failures?after=2_12.5_x", OlderWord: "More"},
	}
}

func capacityListEmpty() pages.CapacityListView {
	return pages.CapacityListView{
		Shell: shell("Capacity failures", layouts.PlaceCapacity), Filter: capacityFilter("/capacity-failures"), MigrationsHref: "/migrations",
		NotDeployed: "Capacity failures are not deployed yet: their table comes with migration V0.0.20.", WalkProblem: "One of the last could not be judged: transaction 1.",
	}
}

func capacityRowSample() pages.CapacityRow {
	return pages.CapacityRow{
		ID: "1", Href: "/capacity-failures/1", Location: "RES-B02-05-01", Zone: "RES", Material: "SH-00008", Lot: "RM1-0000123", Type: "Too little volume", Volume: "20 % over", Weight: "fits",
		Severity: critical, State: fixedState, Owner: "Rafa Lindt", Times: "seen 3 times", LastSeen: clock("14:00", "5 min ago"), Due: clock("13:00", "1 h ago"), Late: true,
	}
}

func capacityGroup() pages.CapacityGroupView {
	settled := capacityRowSample()
	settled.ID, settled.Zone, settled.Owner, settled.Late, settled.Due = "2", "", "", false, components.Time{}
	return pages.CapacityGroupView{
		Shell: shell("SH-00008", layouts.PlaceCapacity, toCapacity), Sentence: "50 failures are open with this probable cause: 37 not begun, 12 in work, 1 to verify.",
		Facts: []components.Fact{{Label: "Probable cause", Value: "Material's dimensions"}}, Filter: capacityFilter("/capacity-failures/groups/1"), Rows: []pages.CapacityRow{capacityRowSample(), settled},
		Bulk: pages.CapacityBulk{
			Action: "/capacity-failures/groups/1/acts", Key: "k", Filter: []components.Fact{{Label: "zone", Value: "RES"}}, Workers: []components.Option{{Label: "Nobody yet", Chosen: true}, {Value: "w", Label: "Rafa Lindt (QA engineer)"}},
			Takes: []pages.CapacityTake{{Act: "acknowledge", Shown: "37", Effect: "Acknowledge 37 failures"}, {Act: "assign", Shown: "49", Effect: "Assign 49 failures"}},
		},
		Complaints: components.Complaints{{Field: "reason", Text: "A reason for all of them, please, from 3 to 2000 characters."}},
	}
}

func capacityGroupReader() pages.CapacityGroupView {
	return pages.CapacityGroupView{
		Shell: shell("SH-00008", layouts.PlaceCapacity, toCapacity), Sentence: "No failure is open.", Filter: capacityFilter("/capacity-failures/groups/1"),
		WhyNot: "Your roles do not include working on failures.", WhoCan: []string{"QA lead"},
	}
}

func capacityShow() pages.CapacityShowView {
	act := func(name string) pages.CapacityAct { return pages.CapacityAct{Action: "/capacity-failures/1/" + name} }
	return pages.CapacityShowView{
		Shell: shell("SH-00008 in RES-B02-05-01", layouts.PlaceCapacity, toCapacity), State: newState, Severity: critical, Sentence: "Too little volume. It was due 2 h ago.",
		Facts:   []components.Fact{{Label: "Bin", Value: "RES-B02-05-01", Code: true}},
		Picture: pages.CapacityPicture{Known: true, ViewBox: "0 0 840 1040", BinX: "20", BinY: "220", BinW: "800", BinH: "800", UnitX: "20", UnitY: "20", UnitW: "400", UnitH: "1000", Over: true, Text: "One piece, 24 in wide and 60 in high, in the bin, 48 in wide and 48 in high. It stands out of the bin."},
		Figures: []pages.CapacityFigure{
			{Name: "Volume", Needed: "60 ft³", Free: "50 ft³", Over: "20 % over", Tone: components.State{Code: "over", Word: "20 % over", Tone: components.Bad}, FreeWidth: "83.3%", NeededWidth: "100.0%"},
			{Name: "Weight", Needed: "1 lb", Free: "500 lb", Over: "fits", Tone: components.State{Code: "fits", Word: "Fits", Tone: components.Good}, FreeWidth: "100.0%", NeededWidth: "0.2%"},
		},
		Sides: []components.Fact{{Label: "Sides", Value: "not even one piece goes in, however it is turned"}}, Cause: "Material's dimensions", Reason: "Its master data says 0.6 cubic feet, and its own sides make 6.",
		Group: components.Link{Label: "All failures with this cause", Href: "/capacity-failures/groups/1"}, Same: "49 open failures of this material, 1 of this bin", Version: "4",
		Acknowledge: act("acknowledge"), Assign: act("assign"), Fix: act("fix"), Accept: act("accept"), Workers: []components.Option{{Label: "Choose somebody", Chosen: true}},
		Codes: []components.Option{{Label: "Choose what settled it", Chosen: true}}, Until: "2025-12-31", UntilMost: "24 Mar 2026", BinHref: "/capacity-failures/1/bin", Measure: "/capacity-failures/1/measure",
		Material: act("material"), MaterialSay: "By today's master data it fits: this and 37 others would be fixed", MaterialShown: "38",
		Seen:    []pages.CapacityEvent{{Act: "seen", What: "10 of lot L1", By: "the WMS", At: clock("14:00", "5 min ago"), Note: "60 ft³ and 1 lb needed, 50 ft³ and 500 lb free"}},
		History: []pages.CapacityEvent{{Act: "record", What: "Recorded", By: "the WMS", At: clock("14:00", "5 min ago")}},
		Sizes:   []pages.CapacityEvent{{Act: "resize", What: "48 × 48 × 75 in → 48 × 48 × 83 in", By: "Wes Tarrant", At: clock("13:00", "1 h ago"), Note: "Measured with a tape."}},
		Alerts: []pages.CapacityTells{
			{To: "Warehouse supervisor", State: components.State{Code: "delivered", Word: "Delivered", Tone: components.Good}, At: clock("14:00", "5 min ago"), Delivered: "by slack #floor, 24 Dec 14:00:02 UTC"},
			{To: "DevOps lead", State: components.State{Code: "waiting", Word: "Not delivered yet", Tone: components.Neutral}, At: clock("14:00", "5 min ago")},
		},
		Tried: "fix", Complaints: components.Complaints{{Field: "notes", Text: "At least 10 characters, please, for those who read this in a year."}},
	}
}

func capacityShowFixed() pages.CapacityShowView {
	v := capacityShow()
	v.State, v.Picture = fixedState, pages.CapacityPicture{Text: "There is no drawing: the sides of the bin or of the material are unknown."}
	v.Acknowledge, v.Assign, v.Fix, v.Accept, v.Material, v.MaterialSay, v.BinHref, v.Measure, v.Alerts, v.Sizes, v.Complaints, v.Tried = pages.CapacityAct{}, pages.CapacityAct{}, pages.CapacityAct{}, pages.CapacityAct{}, pages.CapacityAct{}, "", "", "", nil, nil, nil, ""
	v.Verify, v.Doubt, v.Reopen = pages.CapacityAct{Action: "/capacity-failures/1/verify"}, pages.CapacityAct{Action: "/capacity-failures/1/doubt"}, pages.CapacityAct{Action: "/capacity-failures/1/reopen"}
	return v
}

func capacityShowBarred() pages.CapacityShowView {
	v := capacityShowFixed()
	v.Verify, v.Barred, v.FreshHref, v.Accept = pages.CapacityAct{}, "You fixed it yourself; somebody else looks whether it holds.", "/login?fresh=1&return=%2Fcapacity-failures%2F1", pages.CapacityAct{Action: "/capacity-failures/1/accept"}
	return v
}

func capacityBin() pages.CapacityBinView {
	return pages.CapacityBinView{
		Shell: shell("Size of RES-B02-05-01", layouts.PlaceCapacity, toCapacity), Now: []components.Fact{{Label: "Size", Value: "48 × 48 × 75 in, 100 ft³, 1000 lb"}}, LookAction: "/capacity-failures/1/bin",
		Length: "48", Width: "48", Height: "83", Weight: "1000", Looked: true, New: "It would hold 110.6667 ft³ and carry 1000 lb.", Would: "That would clear 37 of 41 open failures", Clears: []pages.CapacityRow{capacityRowSample()},
		More: "And 36 more.", Action: "/capacity-failures/1/bin", Seen: "3", Shown: "37", Effect: "Correct RES-B02-05-01 and fix 37 failures",
	}
}

func capacityBinRefused() pages.CapacityBinView {
	v := capacityBin()
	v.Looked, v.Width, v.Complaints = false, "0", components.Complaints{{Field: "width", Text: "More than 0 and at most 12000 inches, please."}}
	return v
}
