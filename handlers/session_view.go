package handlers

import (
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// allows says in words what each right lets one do, in the order of the page.
var allows = []struct {
	right actor.Right
	words string
}{
	{actor.ReleaseRead, "see releases"},
	{actor.ReleaseStart, "start a release"},
	{actor.ReleaseManage, "move T-0 and abort"},
	{actor.ItemWork, "work on runbook items"},
	{actor.GateSign, "sign at gates"},
	{actor.MigrationRead, "see migrations"},
	{actor.MigrationApply, "apply migrations"},
	{actor.MigrationDown, "undo migrations"},
	{actor.HealthRead, "see health"},
	{actor.HealthRun, "run health checks"},
	{actor.AuditRead, "read the audit trail"},
	{actor.GraphQLQuery, "query the GraphQL interface"},
	{actor.IdentityExplain, "see what a sign-in's claims come to"},
}

func (h me) view(c echo.Context, by actor.Actor, sessions []actor.Session) pages.MeView {
	now := h.now()
	v := pages.MeView{
		Shell: web.Shell(c, "Who am I"), Name: by.Name, Issuer: by.Issuer, Subject: by.Subject,
		TenantName: by.TenantName, TenantID: by.Tenant.String(), Proven: moment(by.AuthTime, now, time.UTC),
		FreshHref: "/login?fresh=1&return=%2Fme",
		AskWhom:   "Whoever looks after accounts at " + h.provider + " can give you one.",
	}
	if !by.Can(actor.GateSign) {
		v.FreshHref = ""
	} else if until, fresh := web.FreshUntil(c); fresh {
		v.SignsUntil = moment(until, now, time.UTC)
	}
	if by.CameBack() {
		v.FreshHref = ""
		v.Grants = append(v.Grants, pages.RoleGrant{Code: "way_back", Role: "Way back in", Why: "two sealed halves opened it", Allows: allowedTo(by)})
	}
	for _, role := range by.Roles {
		v.Grants = append(v.Grants, pages.RoleGrant{
			Code: string(role), Role: role.Title(), Why: "named by " + h.provider + " when you signed in", Allows: allowed(role),
		})
	}
	for _, s := range sessions {
		row := pages.SessionRow{
			ID: s.ID.String(), Current: s.ID.String() == by.Session, Browser: browserName(s.Agent), Address: s.IP,
			Started: moment(s.CreatedAt, now, time.UTC), LastSeen: moment(s.LastSeenAt, now, time.UTC),
			Ends: moment(s.ExpiresAt, now, time.UTC), EndHref: "/me/sessions/" + s.ID.String() + "/end",
		}
		if row.Current {
			v.SignedIn = row.Started
		}
		v.Sessions = append(v.Sessions, row)
	}
	return v
}

func allowed(role actor.Role) string { return allowedTo(actor.Actor{Roles: []actor.Role{role}}) }

func allowedTo(holder actor.Actor) string {
	var words []string
	for _, a := range allows {
		if holder.Can(a.right) {
			words = append(words, a.words)
		}
	}
	return strings.Join(words, "; ")
}

// browserName is enough of a user agent to tell one's own devices apart.
func browserName(agent string) string {
	if agent == "" {
		return "unknown"
	}
	name := "Another browser"
	for _, b := range []struct{ mark, name string }{
		{"Edg/", "Edge"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
	} {
		if strings.Contains(agent, b.mark) {
			name = b.name
			break
		}
	}
	for _, s := range []struct{ mark, name string }{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	} {
		if strings.Contains(agent, s.mark) {
			return name + " on " + s.name
		}
	}
	return name
}
