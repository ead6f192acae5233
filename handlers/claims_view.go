package handlers

import (
	"fmt"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

func (h claims) view(c echo.Context) pages.ClaimsView {
	return pages.ClaimsView{Shell: web.Shell(c, "Who would this be?"), Action: claimsPage}
}

// judge fills in what the claims come to, as far as they alone can tell: whether the person's access was ended is not among them.
func judge(v *pages.ClaimsView, by actor.Actor, said actor.Explanation) {
	id := said.Identity
	v.Judged, v.Name, v.Subject, v.Email, v.Tenant = true, id.Name, id.Subject, id.Email, id.Tenant
	v.RoleClaim, v.Shape, v.More, v.Notes = said.RoleClaim, said.Shape, said.More, append(said.Refusals, said.Notes...)
	for _, e := range said.Entries {
		row := pages.ClaimEntry{Text: e.Text, Tone: components.Neutral, Word: "does not count", Because: e.Why + "."}
		if e.Counts {
			row.Tone, row.Word, row.Because = components.Good, "counts", "it is the role "+e.Role.Title()+"."
		}
		v.Entries = append(v.Entries, row)
	}
	for _, role := range id.Roles {
		v.Grants = append(v.Grants, pages.RoleGrant{Code: string(role), Role: role.Title(), Allows: allowed(role)})
	}
	ours := false
	// Only of one's own company something is said: which others there are is nobody's business.
	switch {
	case said.TenantClaim == "":
		ours, v.TenantWhy = true, "The same for everybody: the configuration says so."
	case id.Tenant == "":
		v.TenantWhy = fmt.Sprintf("There is no text at %s, so nobody can tell to which company they belong.", said.TenantClaim)
	case id.Tenant == by.TenantCode:
		ours, v.TenantWhy = true, fmt.Sprintf("From %s: it is the code of %s.", said.TenantClaim, by.TenantName)
	default:
		v.TenantWhy = fmt.Sprintf("From %s: it is not the code of %s, which is %s.", said.TenantClaim, by.TenantName, by.TenantCode)
	}
	switch {
	case len(said.Refusals) > 0:
		v.Outcome, v.Verdict = components.Bad, "A sign-in with these claims would be refused: "+said.Refusals[0]
	case len(id.Roles) == 0:
		v.Outcome, v.Verdict = components.Bad, "They would be shown why they may not come in: no entry of the role claim names a role."
	case id.Tenant == "" && !ours:
		v.Outcome, v.Verdict = components.Bad, "They would be shown why they may not come in: no company is named."
	case !ours:
		v.Outcome, v.Verdict = components.Warn, "They would not come in as somebody of "+by.TenantName+"."
	default:
		v.Outcome, v.Verdict = components.Good, "They would come in as somebody of "+by.TenantName+", unless their access was ended here or the account is known as another company's."
	}
}
