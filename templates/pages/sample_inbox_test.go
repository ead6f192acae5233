package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var canBeDone = components.State{Code: "ready", Word: "Can be done now", Tone: components.Info}

func waitingList() pages.WaitingView {
	of, tzero := components.Link{Label: code, Href: "/releases/" + code}, clock("24 Dec, 14:00", "in 12 min")
	return pages.WaitingView{
		Shell: shell("Waiting for me", layouts.PlaceWaiting), NoticesHref: "/notices", Sentence: "4 things wait for you, and 1 is late.", Late: true,
		Rows: []pages.TaskRow{
			{ID: "item 1 PRE-P5", Kind: "item", Href: "/releases/x/items/PRE-P5", What: "PRE-P5", Name: "Backup drilled", As: "DevOps engineer", State: canBeDone, Due: clock("13:36", ""), Late: "12 min late", Release: of, TZero: tzero},
			{ID: "item 1 P1.1", Kind: "item", Href: "/releases/x/items/P1.1", What: "P1.1", Name: "Freeze announced", As: "DevOps engineer", Note: "optional", State: components.State{Code: "in_hand", Word: "In your hands", Tone: components.Progress}, Due: clock("13:30", ""), Late: "before the release was started", Calm: true, Release: of, TZero: tzero},
			{ID: "gate 1 go_no_go devops", Kind: "gate", Href: "/releases/x/gates/go_no_go", What: "Sign", Name: "Go / no-go", As: "DevOps lead", State: components.State{Code: "soon", Word: "Not yet", Tone: components.Blocked}, Needs: "Who authorises signs last, and others have not signed yet.", Due: clock("13:45", "in 3 min"), Release: of, TZero: tzero},
			{ID: "override 1", Kind: "override", Href: "/releases/x/window", What: "Second person", Name: "In a freeze", Note: "Tomás Ferreira asks: the customer's stocktaking was moved.", State: canBeDone, Due: clock("14:30", "in 48 min"), Until: true, Release: of, TZero: tzero},
			{ID: "restore 1", Kind: "restore", Href: "/migrations/backups/x/restore", What: "Second person", Name: "Restore of a backup", Note: "Tomás Ferreira asks: V0.0.20 lost the lots.", State: canBeDone, Due: clock("14:40", "in 58 min"), Until: true},
			{ID: "item 1 P2.1", Kind: "item", Href: "/releases/x/items/P2.1", What: "P2.1", Name: "Apply V0.0.15", As: "DevOps engineer", State: components.State{Code: "failed", Word: "Failed", Tone: components.Bad}, Due: clock("15:00", "in 1 h 18 min"), Release: of, TZero: tzero},
		},
		Pager: components.Pager{Shown: "6 things, soonest first", Older: "/waiting?after=x", Newest: "/waiting", OlderWord: "Later", NewestWord: "Back to the soonest"},
	}
}

func waitingListEmpty(reader bool) pages.WaitingView {
	v := pages.WaitingView{Shell: shell("Waiting for me", layouts.PlaceWaiting), NoticesHref: "/notices", Sentence: "Nothing waits for you."}
	if reader {
		v.Reader = "Your roles only read, so nothing waits for you: work and signatures are for others."
	}
	v.Nav[0].Count = 0
	return v
}

func noticeList() pages.NoticesView {
	return pages.NoticesView{
		Shell: shell("Notices", layouts.PlaceWaiting, layouts.Crumb{Label: "Waiting for me", Href: "/waiting"}), Undelivered: true,
		Rows: []pages.NoticeRow{
			{Key: "overdue/1", Kind: "overdue", To: "everybody who is DevOps engineer", Headline: "PRE-P5, Backup drilled was due at 13:36 WET (13:36 UTC) on 24 Dec 2025", Body: "Release " + code + ": PRE-P5, Backup drilled was due at 13:36 WET (13:36 UTC) on 24 Dec 2025 and is not done. It is for whoever is DevOps engineer, and nothing keeps it from being done.", Href: "/releases/x/items/PRE-P5", Written: clock("13:37", "5 min ago"), Due: clock("13:36", "6 min ago"), State: components.State{Code: "undelivered", Word: "Not delivered", Tone: components.Neutral}},
			{Key: "gate_waiting/1", Kind: "signature wanted", To: "Ines Duarte", Headline: "The gate Go / no-go waits for the signature of the DevOps lead", Body: "Read and sign it.", Href: "/releases/x/gates/go_no_go", Written: clock("13:20", "22 min ago"), Due: clock("13:45", "in 3 min"), State: components.State{Code: "delivered", Word: "Delivered", Tone: components.Good}, Delivered: clock("13:20", "22 min ago"), By: "webhook https://hooks.example.com"},
			{Key: "due_soon/1", Kind: "due soon", To: "everybody who is QA lead", Headline: "P1.2, Counts compared is due at 13:50", Body: "It is due.", Href: "/releases/x/items/P1.2", Written: clock("13:35", "7 min ago"), Due: clock("13:50", "in 8 min"), State: components.State{Code: "failing", Word: "Could not be delivered", Tone: components.Bad}, Problem: "The webhook answered 502, three times."},
		},
		Pager: components.Pager{Shown: "3 notices, newest first", Older: "/notices?before=x"},
	}
}

func noticeListEmpty() pages.NoticesView {
	return pages.NoticesView{Shell: shell("Notices", layouts.PlaceWaiting, layouts.Crumb{Label: "Waiting for me", Href: "/waiting"})}
}
