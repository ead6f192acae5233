package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func releaseWindow() pages.ReleaseWindowView {
	here, key := "/releases/"+code+"/window", "33333333-3333-7333-8333-333333333333"
	return pages.ReleaseWindowView{
		Shell: shell("Window of "+code, layouts.PlaceReleases, toReleases, toRelease), Tone: components.Warn,
		Sentence: "Nothing is applied or taken back outside the change window of release " + code + ". Two people have overridden the freeze until 24 Dec 16:00 EST.",
		From:     clock("14:00", "in 25 min"), Until: clock("18:00", "in 4 h"), SetBy: "T-0: the four hours from it on", Zone: "America/New_York",
		Window: pages.SpanForm{WhyNot: "The window does not move any more, because go / no-go has a signature."},
		Freeze: pages.SpanForm{Action: here + "/freeze", Key: key, From: "2025-12-24T15:00", Until: "2025-12-25T15:00", Complaints: components.Complaints{{Field: "reason", Text: "Say why; it stands in the audit trail."}}},
		Override: pages.OverrideForm{Action: here + "/overrides", Key: key, Hours: "2", Kinds: []components.Option{
			{Value: "window", Label: "Outside the change window"}, {Value: "freeze", Label: "In a freeze"}, {Value: "proof", Label: "With a backup that is too old or was never restored"},
		}},
		Token: pages.TokenForm{
			Action: here + "/tokens", Key: key, Steps: []components.Option{{Value: "up 0.0.21", Label: "Apply V0.0.21, UUID"}, {Value: "down 0.0.20", Label: "Take back V0.0.20, Cross-dock cancellations"}},
		},
		Made:    &pages.MadeToken{Token: "ghapply_shown-this-once", Command: "gatehouse migrate apply V0.0.20 --release " + code, Until: "15:05 EST"},
		Freezes: []pages.FreezeRow{{From: clock("13:00", "35 min ago"), Until: clock("23:59", "in 10 h"), Reason: "Christmas trade.", By: "Ines Duarte"}},
		Overrides: []pages.OverrideRow{
			{ID: "1", Kind: "In a freeze.", Reason: "The line stands still.", By: "Ines Duarte", Second: "Eli Brandt", Asked: clock("13:40", "25 min ago"), Expires: clock("16:00", "in 2 h"), State: components.State{Code: "counts", Word: "counts", Tone: components.Warn}},
			{ID: "2", Kind: "Outside the change window.", Reason: "It cannot wait.", By: "Ines Duarte", Asked: clock("13:50", "15 min ago"), Expires: clock("15:50", "in 2 h"), State: components.State{Code: "asked", Word: "waits for a second person", Tone: components.Info}, Agree: here + "/overrides/2/second"},
		},
		Tokens: []pages.TokenRow{
			{ID: "3", Version: "V0.0.20", Direction: "up", By: "Ines Duarte", Made: clock("13:55", "10 min ago"), Expires: clock("14:55", "in 50 min"), State: components.State{Code: "good", Word: "good", Tone: components.Good}, Revoke: here + "/tokens/3/revoke"},
			{ID: "4", Version: "V0.0.18", Direction: "up", By: "Ines Duarte", Made: clock("13:30", "35 min ago"), Expires: clock("14:30", "in 25 min"), State: components.State{Code: "used", Word: "used", Tone: components.Neutral}, RunHref: "/migration-runs/5"},
		},
	}
}

func releaseWindowStale() pages.ReleaseWindowView {
	v := releaseWindow()
	v.Made, v.Freezes, v.Overrides, v.Tokens = nil, nil, nil, nil
	v.Window, v.Freeze, v.Override, v.Token = pages.SpanForm{}, pages.SpanForm{}, pages.OverrideForm{}, pages.TokenForm{}
	v.Sentence, v.Tone, v.FreshHref, v.WhoCan = "The change window is open until 24 Dec 18:00 EST.", components.Good, "/login?fresh=1", []string{"DevOps lead"}
	return v
}
