package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func deputies() pages.DeputiesView {
	return pages.DeputiesView{
		Shell: shell("Deputies", layouts.PlaceReleases, toReleases),
		Rows: []pages.DeputyRow{
			{ID: "1", Role: "QA lead", Name: "Aurelio Benedetti-Castellanos", State: components.State{Code: "in_force", Word: "In force", Tone: components.Good}, From: "20 Dec 2025", Until: "2 Jan 2026", Reason: "Quality is away over the holidays.", NamedBy: "Marta Lindqvist", NamedAt: clock("19 Dec, 09:12", "5 days ago"), Revoke: "/deputies/revoke", RevokeReason: "x", Complaints: components.Complaints{{Field: "revoke_reason", Text: "A few words, please, for those who read this in a year."}}},
			{ID: "2", Role: "Backend lead", Name: "Ines Duarte", State: components.State{Code: "revoked", Word: "Revoked", Tone: components.Warn}, From: "1 Dec 2025", Until: "31 Dec 2025", Reason: "A long journey.", NamedBy: "Marta Lindqvist", NamedAt: clock("1 Dec, 09:12", "23 days ago"), Revoked: "Revoked by Ines Duarte on 3 Dec 2025 at 10:00 UTC: I am ill."},
		},
		Form: pages.DeputyForm{
			Action: "/deputies", Key: "k", Roles: []components.Option{{Value: "qa_lead", Label: "QA lead", Chosen: true}}, From: "2025-12-24", Until: "2026-01-06", Reason: "Away",
			People: []components.Option{{Label: "Choose who shall be the deputy", Chosen: true}, {Value: "p", Label: "Ines Duarte (Backend lead)"}},
		},
		Pager: components.Pager{Shown: "2 lines, newest first"},
	}
}

func deputiesRefused() pages.DeputiesView {
	return pages.DeputiesView{Shell: shell("Deputies", layouts.PlaceReleases, toReleases), WhyNot: "A deputy is named by somebody who holds the role, and neither administers nor audits.", WhoCan: []string{"QA lead"}}
}

func deputiesStale() pages.DeputiesView {
	v := deputies()
	v.Form.FreshHref = "/login?fresh=1&return=%2Fdeputies"
	v.Typed = []components.Fact{{Label: "Why", Value: "Away"}}
	return v
}
