package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func signIn() pages.SignInView {
	return pages.SignInView{Shell: stranger("Sign in to Gatehouse"), Provider: "Rivermark ID", LoginHref: "/login?return=%2Freleases", Returning: "the releases"}
}

func signInAway() pages.SignInView {
	v := signIn()
	v.Away = "Rivermark ID does not answer, so nobody can sign in right now."
	v.Refused = "The answer from Rivermark ID had been used before. Start the sign-in again."
	return v
}

func signedOut() pages.SignedOutView {
	return pages.SignedOutView{Shell: stranger("Signed out"), Provider: "Rivermark ID", LoginHref: "/login", ProviderStillOpen: true, ProviderLogoutHref: "https://id.example/logout"}
}

func me() pages.MeView {
	return pages.MeView{
		Shell: shell("Who am I", ""), Name: "Ines Duarte", Issuer: "http://127.0.0.1:8090", Subject: "ines", TenantName: "Rivermark Print", TenantID: "11111111-1111-7111-8111-111111111111",
		Grants:  []pages.RoleGrant{{Code: "devops_lead", Role: "DevOps lead", Why: "the claim roles of Rivermark ID names devops_lead", Allows: "start releases, sign for DevOps, apply and undo migrations"}},
		Ignored: []string{"forklift", "canteen"}, SignedIn: clock("13:30", "18 min ago"), Proven: clock("13:45", "3 min ago"), SignsUntil: clock("13:50", "in 2 min"),
		Sessions: []pages.SessionRow{
			{ID: "a", Current: true, Browser: "Firefox on Linux", Address: "10.0.0.7", Started: clock("13:30", "18 min ago"), LastSeen: clock("13:48", "now"), Ends: clock("21:30", "in 8 h"), EndHref: "/me/sessions/a/end"},
			{ID: "b", Browser: "Chrome on Android", Address: "10.0.3.21", Started: clock("06:02", "8 h ago"), LastSeen: clock("11:15", "3 h ago"), Ends: clock("14:02", "in 14 min"), EndHref: "/me/sessions/b/end"},
		},
	}
}

func meNobody() pages.MeView {
	v := me()
	v.Person.Roles, v.Grants, v.SignsUntil = nil, nil, components.Time{}
	v.AskWhom, v.FreshHref, v.Sessions = "Ask the person who runs Rivermark ID at your company to give you one.", "/login?fresh=1&return=%2Fme", v.Sessions[:1]
	return v
}

func freshSignIn(kept bool) pages.FreshSignInView {
	return pages.FreshSignInView{
		Shell: shell("Sign in afresh", layouts.PlaceReleases, toReleases), Doing: "sign as DevOps lead: go for T-0 on demo", Why: "A signature stands for a person, so it needs a person who has just shown who they are.",
		Limit: "5 minutes", Proven: clock("13:20", "28 min ago"), Provider: "Rivermark ID", LoginHref: "/login?fresh=1&return=%2Freleases", BackHref: "/releases/" + code + "/gates/go_no_go", BackLabel: "Back to the gate",
		Typed: []components.Fact{{Label: "Meaning", Value: "approved"}, {Label: "Note", Value: "All evidence read."}}, Kept: kept,
	}
}

func problemForbidden() pages.ProblemView {
	return pages.ProblemView{
		Shell: shell("You may not do this", ""), Status: 403, Kind: "forbidden", What: "Applying a migration is not among your roles (QA lead).", Safe: "Nothing was changed.",
		Next: "Ask one of the people who can, or go on reading.", WhoCan: []string{"DevOps lead"}, Back: components.Link{Label: "Back to V0.0.20", Href: "/migrations/V0.0.20"}, Links: []components.Link{{Label: "Who am I", Href: "/me"}},
	}
}

func problemUnavailable() pages.ProblemView {
	return pages.ProblemView{
		Shell: stranger("The database does not answer"), Status: 503, Kind: "unavailable", What: "Gatehouse could not reach its database.", Safe: "What you sent was not saved. You are still signed in.",
		Next: "Reload in a few seconds.", TryAgain: "in about 5 seconds", Details: []string{"The database was last seen at 14:02."}, Back: components.Link{Label: "To the releases", Href: "/releases"},
	}
}

func health() pages.HealthView {
	at := clock("14:03", "20 s ago")
	return pages.HealthView{
		Shell: shell("Health", layouts.PlaceHealth), Overall: unhealthy, Sentence: "The bin cache has not been reconciled for 42 minutes; five more things need a look.", At: at,
		Critical: []string{"Cache freshness: last reconciled 42 min ago, unhealthy from 30 min."}, Warnings: []string{"ML accuracy is 78.4 %, healthy above 80 %.", "The scheduler runs inside Gatehouse; pg_cron is not installed."},
		CheckNow: "/health-checks/run", LiveHref: "/health-checks", JSONHref: "/api/wms/optimization/health",
		Rows: []pages.HealthRow{
			{ID: "cache_freshness", Name: "Cache freshness", State: unhealthy, Value: "42 min", Threshold: "under 15 min; unhealthy from 30 min", Message: "The last reconciliation put 3 bins right.", At: at, Took: "2 ms", Query: "SELECT finished_at, corrected FROM cache_reconciliations ORDER BY finished_at DESC LIMIT 1"},
			{ID: "ml_accuracy", Name: "ML accuracy, 7 days", State: degraded, Value: "78.4 %", Threshold: "above 80 %; unhealthy at 70 % or less", At: at, Took: "3 ms"},
			{ID: "graphql", Name: "GraphQL endpoint", State: unknown, Threshold: "answers within 500 ms", Message: "The check itself could not run: no credential.", At: at},
			{ID: "statistics", Name: "Statistical metrics, 7 days", State: notDeployed, Threshold: "more than 0", Message: "V0.0.22 brings this table.", At: at},
			{ID: "database", Name: "Database connection", State: healthy, Value: "0.3 ms", Threshold: "answers", At: at, Took: "1 ms"},
		},
	}
}

func healthGood() pages.HealthView {
	v := health()
	v.Overall, v.Sentence, v.Critical, v.Warnings, v.Rows = healthy, "All eight checks passed 20 seconds ago.", nil, nil, v.Rows[4:]
	return v
}

func healthEmpty() pages.HealthView {
	return pages.HealthView{Shell: shell("Health", layouts.PlaceHealth), Overall: unknown, Sentence: "No check has run yet.", WhoCan: []string{"DevOps lead", "on-call engineer"}}
}

func auditList() pages.AuditListView {
	return pages.AuditListView{
		Shell: shell("Audit", layouts.PlaceAudit), Action: "/audit", AllHref: "/audit", Chain: components.State{Code: "whole", Word: "Chain whole", Tone: components.Good}, ChainSay: "Every entry up to 10 412 follows from the one before; checked 2 min ago.", ChainHead: digest, VerifyHref: "/audit/verify", ExportHref: "/audit/export",
		Sealed: pages.SealPart{
			State: components.State{Code: "sealed", Word: "Sealed", Tone: components.Good}, Say: "Everything up to entry 10 412 was sealed 2 min ago.",
			Facts: []components.Fact{{Label: "Seal", Value: "87"}, {Label: "Entry", Value: "10412"}, {Label: "Hash of the entry", Value: digest, Code: true}, {Label: "Key", Value: other, Code: true}, {Label: "Signature", Value: digest + other, Code: true}},
		},
		Filter: pages.AuditFilter{Person: "Ines", Any: true, Action: "gate:sign", Actions: []string{"gate:sign", "gate:withdraw"}, Outcomes: []components.Option{{Value: "", Label: "any"}}},
		Rows: []pages.AuditRow{
			{ID: "10412", At: clock("14:02", "1 min ago"), Who: "Ines Duarte", Role: "DevOps lead", Origin: "web, 10.0.0.7", Action: "migration.applied", Object: "migration V0.0.20", ObjectID: "migration 0.0.20", Href: "/migrations/V0.0.20", Outcome: components.State{Code: "done", Word: "Done", Tone: components.Good}, Summary: "in 1.2 s", Hash: digest, Previous: other, Changes: []pages.Difference{{What: "version", Then: "0.0.18", Now: "0.0.20"}}},
			{ID: "10411", At: clock("13:58", "5 min ago"), Who: "Aurelio Benedetti-Castellanos", Role: "QA lead", Origin: "web, 10.0.3.21", Action: "migration.apply", Object: "V0.0.20", Outcome: components.State{Code: "refused", Word: "Refused", Tone: components.Blocked}, Summary: "not among the person's roles", Hash: other, Previous: digest},
		},
		Pager: components.Pager{Shown: "2 entries", Older: "/audit?before=10411", Newest: "/audit"},
	}
}

func auditListEmpty() pages.AuditListView {
	return pages.AuditListView{Shell: shell("Audit", layouts.PlaceAudit), Action: "/audit", AllHref: "/audit", Chain: unknown, ChainSay: "The chain has not been checked yet.", Unrecorded: true, Sealed: pages.SealPart{State: components.State{Code: "none", Word: "Not sealed", Tone: components.Warn}, Say: "No seal key is configured."}}
}
