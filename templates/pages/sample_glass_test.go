package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func breakGlass() pages.BreakGlassView {
	gate := gateShow()
	v := pages.BreakGlassView{
		Shell: shell("Sign by break-glass", layouts.PlaceReleases, toReleases, toRelease), Provider: "the demo sign-in", GateName: "Go / no-go",
		GateHref: "/releases/" + code + "/gates/go_no_go", LoginHref: "/login?fresh=1&return=%2Freleases", MeetAction: "/releases/" + code + "/gates/go_no_go/outage",
		Away: true, Since: clock("13:21", "27 min ago"), LastTry: clock("13:47", "1 min ago"), Failure: "dial tcp 10.0.3.7:443: connect: connection refused",
		Proven: clock("12:50", "58 min ago"), Sections: gate.Sections, SHA256: digest, ContentHref: "/releases/" + code + "/gates/go_no_go/content", Sign: gate.Sign,
	}
	v.Sign.Effect = "Sign as DevOps lead by break-glass: Go / no-go on demo"
	return v
}

// breakGlassNotAway is before the server has found out that nobody answers.
func breakGlassNotAway() pages.BreakGlassView {
	v := breakGlass()
	v.Away = false
	return v
}

func breakGlassTypedWrongly() pages.BreakGlassView {
	v := breakGlass()
	v.Kept = true
	v.Complaints = components.Complaints{{Field: "second", Text: "A half has 20 letters and digits; these are 3."}}
	return v
}

func breakGlassRefused() pages.BreakGlassView {
	v := breakGlass()
	v.Refused = "You started this release, and four eyes are asked for: another DevOps lead has to sign its gates."
	return v
}
