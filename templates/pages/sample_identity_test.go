package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func switchUser(atProvider bool) pages.SwitchUserView {
	v := pages.SwitchUserView{Shell: stranger("Next person"), Provider: "Rivermark ID", NextHref: "/login?return=%2F&switch=1", AtProvider: atProvider, AgainHref: "/login?return=%2F&switch=1"}
	if atProvider {
		v.NextHref = "https://id.example/logout?state=abc"
	}
	return v
}

func wayBack(refused string, complaints map[string]string) pages.WayBackView {
	return pages.WayBackView{Shell: stranger("A way back in"), Provider: "Rivermark ID", Action: "/way-back", LoginHref: "/login?return=%2F", Refused: refused, Complaints: complaints}
}

func claims() pages.ClaimsView {
	return pages.ClaimsView{Shell: shell("Who would this be?", layouts.PlaceSettings), Action: "/settings/claims"}
}

func claimsRefused() pages.ClaimsView {
	v := claims()
	v.Typed = `{"sub": "ines", "groups": [`
	v.Complaints = components.Complaints{{Field: "claims", Label: "Claims", Text: "This is no JSON object: it breaks off. Claims look like {\"sub\": \"...\", \"groups\": [\"viewer\"]}."}}
	return v
}

func claimsGetsIn() pages.ClaimsView {
	v := claims()
	v.Typed, v.Judged, v.Outcome = `{"sub": "ines", "name": "Ines Duarte", "tenant": "rivermark", "groups": ["devops_lead", "canteen", "admin "]}`, true, components.Good
	v.Verdict = "They would come in as somebody of Rivermark Print, unless their access was ended here or the account is known as another company's."
	v.Name, v.Subject, v.Tenant, v.TenantWhy, v.RoleClaim = "Ines Duarte", "ines", "rivermark", "From tenant: it is the code of Rivermark Print.", "groups"
	v.Entries = []pages.ClaimEntry{
		{Text: "devops_lead", Tone: components.Good, Word: "counts", Because: "it is the role DevOps lead."},
		{Text: "canteen", Tone: components.Neutral, Word: "does not count", Because: "no role of Gatehouse has this name."},
		{Text: "admin ", Tone: components.Neutral, Word: "does not count", Because: "almost admin: there is a space before or after it."},
	}
	v.Grants = []pages.RoleGrant{{Code: "devops_lead", Role: "DevOps lead", Allows: "see releases; start a release; sign at gates"}}
	v.Notes = []string{"There is no session id (sid): signing out at the provider cannot end the session here."}
	return v
}

func claimsStaysOut() pages.ClaimsView {
	v := claims()
	v.Typed, v.Judged, v.Outcome = `{"sub": "ines"}`, true, components.Bad
	v.Verdict = "They would be shown why they may not come in: no entry of the role claim names a role."
	v.Subject, v.TenantWhy, v.RoleClaim, v.Shape = "ines", "There is no text at tenant, so nobody can tell to which company they belong.", "realm_access.roles", "It is not among these claims."
	return v
}

func claimsElsewhere() pages.ClaimsView {
	v := claimsGetsIn()
	v.Outcome, v.Verdict, v.Tenant = components.Warn, "They would not come in as somebody of Rivermark Print.", "elsewhere"
	v.TenantWhy = "From tenant: it is not the code of Rivermark Print, which is rivermark."
	v.Entries = append(v.Entries, pages.ClaimEntry{Tone: components.Neutral, Word: "does not count", Because: "a number, and no text."})
	v.More = 9800
	return v
}
