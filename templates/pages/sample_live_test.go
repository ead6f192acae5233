package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func alsoHere() []pages.Present {
	return []pages.Present{{Name: "Marta Lindqvist", Since: clock("13:40", "2 min ago")}, {Name: "Aurelio Benedetti-Castellanos", Since: clock("13:41", "1 min ago")}}
}

func itemShowMoved() pages.ItemShowView {
	v := itemShow()
	v.Here = alsoHere()
	v.Moved = pages.MovedPart{Text: "Marta Lindqvist changed this item at 13:41: it is done now.", Href: "/releases/" + code + "/items/P1.2?since=2"}
	v.Conflict = &pages.OtherVersion{Looking: true, By: "Marta Lindqvist", At: clock("13:41", "1 min ago"), Rows: []pages.Difference{{What: "13:41:07 WET", Then: "version 2", Now: "Marta Lindqvist finished it"}}}
	return v
}

func gateShowMoved() pages.GateShowView {
	v := gateShow()
	v.Here, v.Looking = alsoHere()[:1], true
	v.Changed = []pages.Difference{{What: "PRE-P5 (item:reopen)", Then: "as you were shown it", Now: "by Marta Lindqvist at 13:41:07 UTC on 24 Dec 2025: the disk was full"}}
	v.Moved = pages.MovedPart{Text: "What you are about to sign has changed since you opened it, so this form signs nothing any more: 1 thing was done meanwhile.", Href: "/releases/" + code + "/gates/go_no_go?since=7.x"}
	return v
}

func releaseShowMoved() pages.ReleaseShowView {
	v := releaseShow()
	v.WallHref, v.Seen = "/releases/"+code+"/wall", "2.1766584800"
	v.Moved = pages.MovedPart{Text: "T-0 was 14:00 WET when you opened this form, and is 15:30 WET now.", Href: "/releases/" + code + "?since=1.1766584800"}
	v.Changed = []pages.Difference{{What: "State", Then: "as you saw it", Now: "Running"}, {What: "T-0", Then: "14:00 WET (2025-12-24 14:00:00 UTC)", Now: "15:30 WET (2025-12-24 15:30:00 UTC)"}}
	return v
}

func releaseWall() pages.WallView {
	v := pages.WallView{
		Shell: shell(code, layouts.PlaceReleases), Code: code, Name: "Bin utilization: data quality, enhanced health and statistics", State: running,
		TZero: clock("14:00", "in 12 min"), Zone: "Europe/Lisbon", Now: clock("13:48", ""), Counts: components.Counts{Done: 17, Failed: 1, Blocked: 2, Open: 41}, Late: "2 are late",
		Banner: "A freeze begins on 24 Dec 18:00 WET.", LiveHref: "/releases/" + code + "/wall", EventHref: "/releases/" + code + "/events", More: "and 31 more",
		Items: []pages.WallItem{
			{ID: "PRE-P5", Title: "Backup drilled", Who: "DevOps engineer", Due: clock("13:36", "12 min ago"), Late: "12 min late", State: canBeDone},
			{ID: "P1.1", Title: "Freeze announced to everybody who receives, picks or counts", Who: "Aurelio Benedetti-Castellanos", Held: true, Due: clock("13:50", "in 2 min"), State: components.State{Code: "in_progress", Word: "In progress", Tone: components.Progress}},
			{ID: "P2.1", Title: "Apply V0.0.15", Who: "DevOps engineer", Due: clock("14:00", "in 12 min"), State: components.State{Code: "blocked", Word: "Waiting", Tone: components.Blocked}},
		},
		Gates: []components.Gate{goNoGo(void)},
	}
	v.RefreshSeconds = 15
	return v
}

func releaseWallEnded() pages.WallView {
	v := releaseWall()
	v.Items, v.More, v.Late, v.Banner, v.LiveHref, v.EventHref, v.RefreshSeconds = nil, "", "", "", "", "", 0
	v.State, v.Ended = components.State{Code: "closed", Word: "Completed", Tone: components.Good}, "Completed on 26 Dec 2025 at 14:10 WET by Ines Duarte."
	return v
}
