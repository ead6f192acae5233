package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func itemShowTalk() pages.ItemShowView {
	v := itemShow()
	at := "/releases/" + code + "/items/P1.2"
	v.Yours, v.Who = false, "Marta Lindqvist"
	v.Acts = pages.ItemActs{TakeOver: at + "/takeover", TakeOverText: "Take it over from Marta Lindqvist", Tried: "takeover"}
	v.Complaints = components.Complaints{{Field: "reason", Text: "Say why in a few words, for those who read this later."}}
	v.TakenFrom = pages.Comment{By: "Marta Lindqvist", At: clock("13:44", "4 min ago"), Words: "You were called away; I finish it."}
	v.Comments = pages.Comments{Action: at + "/comment", Key: "7", Said: []pages.Comment{
		{By: "Ines Duarte", At: clock("13:38", "10 min ago"), Words: "The first dump was on the wrong disk.\nI take another."},
		{By: "Marta Lindqvist", At: clock("13:44", "4 min ago"), Words: "You were called away; I finish it.", TookOverFrom: "Ines Duarte"},
	}}
	v.State, v.GoodUntil = components.State{Code: "stale", Word: "Stale", Tone: components.Warn}, clock("13:40", "8 min ago")
	v.Waive.Roles = []string{"Backend lead", "DevOps lead", "QA lead"}
	return v
}

func itemShowWaived() pages.ItemShowView {
	v := itemShow()
	v.State, v.Acts = skipped, pages.ItemActs{Reopen: "/releases/" + code + "/items/P1.2/reopen"}
	v.Waived = pages.Waived{
		By: "Marta Lindqvist", Role: "Backend lead", At: clock("13:44", "4 min ago"), SHA256: digest, Reason: "The storage is away until tomorrow, and the dump of last night restores.",
		Statement: "As Backend lead I have read what P1.2 (Timestamped dump) asks for and why it is not done, and I answer for it that release " + code + " goes on without it.", Mismatch: true,
	}
	return v
}

func itemShowWaiveStale() pages.ItemShowView {
	v := itemShow()
	v.Acts.Tried = "waive"
	v.Waive = pages.WaiveForm{Action: "/releases/" + code + "/items/P1.2/waive", FreshHref: "/login?fresh=1&return=%2Freleases", Roles: []string{"QA lead"}}
	return v
}

func runbookList() pages.RunbookListView {
	return pages.RunbookListView{
		Shell: shell("Runbooks", layouts.PlaceReleases, toReleases), Action: "/runbooks", MaxBytes: 2 << 20,
		Rows: []pages.RunbookRow{
			{Name: "bin-optimization", Version: "1.3.0", Title: "Bin optimization deployment", SHA256: digest, Href: "/runbooks/" + digest, Items: "86 items", News: "What follows up to four weeks later is in it.", Age: components.State{Code: "newest", Word: "Newest", Tone: components.Info}},
			{Name: "rivermark-night-shift", Version: "2.0.1", Title: "Night shift, both halls", SHA256: other, Href: "/runbooks/" + other, Items: "12 items", News: "Your company's own, imported by Ines Duarte at 23 Dec, 16:02.", Age: components.State{Code: "older", Word: "Older", Tone: components.Neutral}},
		},
		Complaints: components.Complaints{{Field: "runbook_file", Text: "It is not a runbook as this version of Gatehouse reads it: 2 errors."}},
		Problems:   []string{"line 14: error: phases[0].items[0].owner: its owner \"boss\" is no role", "line 31: warning: phases[0].items[2]: item N3 has no undo"},
	}
}

func runbookListRefused() pages.RunbookListView {
	v := runbookList()
	v.Action, v.Complaints, v.Problems = "", nil, nil
	v.Refused, v.WhoCan = "Importing a runbook is not among your roles.", []string{"DevOps lead"}
	return v
}

func runbookFrozen() pages.RunbookFrozenView {
	return pages.RunbookFrozenView{
		Shell: shell("Runbook of "+code, layouts.PlaceReleases, toReleases, toRelease), Newest: "bin-optimization 1.3.0",
		Facts: []components.Fact{{Label: "Runbook", Value: "bin-optimization"}, {Label: "Version", Value: "1.2.0"}, {Label: "SHA-256", Value: digest, Code: true}},
		Rows: []pages.Difference{
			{What: "Item H48-1, evidence", Then: `{"kind":"text","label":"Where the report is, and its result"}`, Now: `{"kind":"file","label":"The report, as a file of up to 20 MB"}`},
			{What: "Item SC-B", Now: "The six capabilities are live"},
			{What: "Item X-1", Then: "Was there once"},
		},
	}
}

func runbookFrozenSame() pages.RunbookFrozenView {
	v := runbookFrozen()
	v.Same, v.Rows = true, nil
	return v
}
