package handlers

import (
	"testing"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/pages"
)

// What the page says first has to be what a sign-in would come to.
func TestTheVerdictOnClaims(t *testing.T) {
	by := actor.Actor{TenantCode: "rivermark", TenantName: "Rivermark Print"}
	ann := actor.Identity{Subject: "ann", Tenant: "rivermark", Roles: []actor.Role{actor.Viewer}}
	change := func(c func(e *actor.Explanation)) actor.Explanation {
		e := actor.Explanation{Identity: ann, RoleClaim: "groups", TenantClaim: "tenant"}
		c(&e)
		return e
	}
	for name, c := range map[string]struct {
		said    actor.Explanation
		outcome components.Tone
		grants  int
	}{
		"everything":           {change(func(*actor.Explanation) {}), components.Good, 1},
		"no role":              {change(func(e *actor.Explanation) { e.Identity.Roles = nil }), components.Bad, 0},
		"no tenant":            {change(func(e *actor.Explanation) { e.Identity.Tenant = "" }), components.Bad, 1},
		"another tenant":       {change(func(e *actor.Explanation) { e.Identity.Tenant = "saltway" }), components.Warn, 1},
		"one tenant for all":   {change(func(e *actor.Explanation) { e.TenantClaim, e.Identity.Tenant = "", "rivermark" }), components.Good, 1},
		"another issuer":       {change(func(e *actor.Explanation) { e.Refusals = []string{"The issuer is another."} }), components.Bad, 1},
		"notes refuse nothing": {change(func(e *actor.Explanation) { e.Notes = []string{"No sid."} }), components.Good, 1},
	} {
		var v pages.ClaimsView
		judge(&v, by, c.said)
		if v.Outcome != c.outcome || len(v.Grants) != c.grants || v.Verdict == "" || !v.Judged {
			t.Errorf("%s: %s with %d roles (%s), want %s with %d", name, v.Outcome, len(v.Grants), v.Verdict, c.outcome, c.grants)
		}
	}
}
