package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

type pagesItemRow = pages.ItemRow

func releaseList() pages.ReleaseListView {
	v := pages.ReleaseListView{
		Shell: shell("Releases", layouts.PlaceReleases), AllHref: "/releases", AsOf: clock("14:00", "1 min ago"),
		Filters: []components.Filter{
			{Label: "All", Href: "/releases", Count: "14", Chosen: true, Code: "all"},
			{Label: "Running", Href: "/releases?state=running", Count: "1", Code: "running"},
			{Label: "Signed off", Href: "/releases?state=signed_off", Count: "11", Code: "signed_off"},
			{Label: "Aborted", Href: "/releases?state=aborted", Count: "2", Code: "aborted"},
		},
		Rows: []pages.ReleaseRow{
			{Code: code, Title: "Bin utilization: data quality, enhanced health and statistics", Href: "/releases/" + code, State: running, TZero: clock("24 Dec, 14:00", "in 12 min"), StartedBy: "Tomás Ferreira", Template: "WMS deployment 1.0.0", Counts: components.Counts{Done: 17, Failed: 1, Blocked: 2, Open: 41}, Move: "DevOps lead signs go / no-go"},
			{Code: "REQ-PUTAWAY-0042", Title: "Putaway weights", Href: "/releases/REQ-PUTAWAY-0042", State: components.State{Code: "signed_off", Word: "Signed off", Tone: components.Good}, TZero: clock("3 Oct, 09:00", "82 days ago"), StartedBy: "Ines Duarte", Template: "WMS deployment 0.9.0", Counts: components.Counts{Done: 58, Skipped: 3}},
			{Code: "REQ-CROSSDOCK-LONG-IDENTIFIER-WITHOUT-END-20250911-0001", Title: "Cross-dock cancellations are written down with who, why and what it cost, so that nobody needs to ask twice", Href: "/releases/x", State: components.State{Code: "aborted", Word: "Aborted", Tone: components.Bad}, TZero: clock("11 Sep, 22:00", "3 months ago"), StartedBy: "Aurelio Benedetti-Castellanos", Template: "WMS deployment 0.9.0", Counts: components.Counts{Done: 6, Failed: 1, Open: 54}},
		},
		Pager: components.Pager{Shown: "3 releases, from 24 Dec to 11 Sep", Older: "/releases?before=x", Newest: "/releases"},
		Start: components.Link{Label: "Start a release", Href: "/releases/new"},
	}
	v.Primary = layouts.Action{Label: "Start a release", Href: "/releases/new", Name: "start-release"}
	v.Flash = layouts.Flash{Kind: layouts.FlashGood, Text: "REQ-PUTAWAY-0042 was signed off."}
	return v
}

func releaseListEmpty() pages.ReleaseListView {
	return pages.ReleaseListView{Shell: shell("Releases", layouts.PlaceReleases), WhoStart: []string{"DevOps lead", "backend lead"}}
}

func releaseStart(complaints components.Complaints) pages.ReleaseStartView {
	return pages.ReleaseStartView{
		Shell: shell("Start a release", layouts.PlaceReleases, toReleases), Action: "/releases", CancelHref: "/releases",
		Templates: []pages.TemplateChoice{
			{Value: "wms-1", Name: "WMS deployment", Version: "1.0.0", SHA256: digest, Summary: "9 phases, 61 items, 2 gates", News: "What claims an hour waits for it.", Age: components.State{Code: "newest", Word: "Newest", Tone: components.Info}, Chosen: true},
			{Value: "wms-0", Name: "WMS deployment", Version: "0.9.0", SHA256: other, Summary: "9 phases, 58 items, 2 gates", News: "The first one.", Age: components.State{Code: "older", Word: "Older", Tone: components.Neutral}},
		},
		Code: code, Name: "Bin utilization: data quality, enhanced health and statistics", TZero: "2025-12-24T14:00",
		Zones:      []components.Option{{Value: "Europe/Lisbon", Label: "Europe/Lisbon (UTC+0)", Chosen: true}, {Value: "UTC", Label: "UTC"}},
		Complaints: complaints,
	}
}

func releaseStartRefused() pages.ReleaseStartView {
	v := releaseStart(nil)
	v.Refused, v.WhoCan = "Starting a release is not among your roles (viewer).", []string{"DevOps lead", "backend lead"}
	v.Running = components.Link{Label: code, Href: "/releases/" + code}
	return v
}

func releaseShow() pages.ReleaseShowView {
	v := pages.ReleaseShowView{
		Shell: shell(code, layouts.PlaceReleases, toReleases), Code: code, Href: "/releases/" + code, DossierHref: "/releases/" + code + "/dossier",
		Name:  "Bin utilization: data quality, enhanced health and statistics",
		State: running, TZero: components.Time{Local: "24 Dec, 14:00", Relative: "in 12 min", UTC: "2025-12-24 14:00:00 UTC"}, Zone: "Europe/Lisbon",
		Started: clock("23 Dec, 13:50", "yesterday"), By: "Tomás Ferreira",
		Template: pages.TemplateRef{Name: "WMS deployment", Version: "1.0.0", SHA256: digest}, Newer: "1.1.0 was published on 24 Dec",
		Next:   pages.NextStep{Text: "Sign go / no-go as DevOps lead: two signatures are missing before T-0.", Who: "DevOps lead", Yours: true, Due: clock("13:45", "3 min late"), Tone: components.Info, Way: components.Link{Label: "Read and sign", Href: "/releases/" + code + "/gates/go_no_go"}},
		Counts: components.Counts{Done: 17, Failed: 1, Blocked: 2, Open: 41, Skipped: 1},
		Migrations: []pages.MigrationLine{
			{Version: "V0.0.18", Title: "automated triggers", Href: "/migrations/V0.0.18", State: applied},
			{Version: "V0.0.20", Title: "fix bin optimization data quality", Href: "/migrations/V0.0.20", State: pending},
			{Version: "V0.0.21", Title: "fix uuid function", Href: "/migrations/V0.0.21", State: pending},
			{Version: "V0.0.22", Title: "bin utilization statistical analysis", Href: "/migrations/V0.0.22", State: blocked},
		},
		MigrationsSentence: "Three to apply; V0.0.20 waits for go / no-go.",
		LiveHref:           "/releases/" + code,
		Reschedule:         pages.ReschedulePart{Action: "/releases/" + code + "/schedule", Version: "7", TZero: "2025-12-24T14:00", Zones: []components.Option{{Value: "Europe/Lisbon", Label: "Europe/Lisbon (UTC+0)", Chosen: true}}, Effect: "41 open items move with it; 17 done items keep their times."},
		Abort:              pages.AbortPart{Action: "/releases/" + code + "/abort", Version: "7", Type: code, Effect: "The release ends for good and cannot be taken up again. Nothing that was applied is undone."},
	}
	v.Phases = phases()
	v.Timeline = components.Timeline{NowAfter: 1, NowPermille: 600, NowLabel: "now, 13:48", Text: "Nine phases and two gates from T-24h to T+48h. Now is 12 minutes before T-0, between pre-deployment validation and go / no-go."}
	for i, p := range v.Phases {
		v.Timeline.Marks = append(v.Timeline.Marks, components.Mark{Label: p.Name, Offset: p.Offset, Href: "#phase-" + p.ID, Time: p.Due, State: p.State, Summary: "1 of 6"})
		if i == 1 || i == 5 {
			v.Timeline.Marks = append(v.Timeline.Marks, components.Mark{Label: "Go / no-go", Offset: "T-15 min", Href: "#gate-go_no_go", Time: p.Due, State: closed, Gate: true})
		}
	}
	return v
}

func phases() []pages.Phase {
	phase := func(id, name, offset string, state components.State, prefix string, titles []string, states ...components.State) pages.Phase {
		rows, counts := items(prefix, titles, states...)
		return pages.Phase{ID: id, Name: name, Offset: offset, Due: clock("24 Dec, 13:30", ""), State: state, Counts: counts, Items: rows}
	}
	all := []pages.Phase{
		phase("checklist", "Pre-deployment checklist", "T-24 h", done, "PRE-P", []string{
			"V0.0.15 to V0.0.19 applied successfully", "Database backup completed and verified", "Staging tested and validated", "QA approval received",
			"Statistical analysis validated", "Frontend build tested", "Backend implementation reviewed", "Deployment notification sent to stakeholders",
			"On-call engineer assigned and briefed", "Rollback team identified and ready", "Maintenance window confirmed if required", "Database connection tested",
			"Prometheus scraping configured", "Grafana dashboards imported", "AlertManager rules active", "PagerDuty integration verified",
		}, done, done, done, done, done, done, done, done, done, done, skipped, done),
		phase("validation", "Pre-deployment validation", "T-30 min", inProgress, "P1.", []string{
			"Set the database variables, connect, select the version", "Timestamped dump, check its size, upload it to object storage", "List the last five rows of schema_version",
			"Checklist complete, team briefed, rollback procedures reviewed", "Services report ready", "Nothing else is being deployed",
		}, done, failed, done, blocked, inProgress, open),
		phase("migrations", "Database migrations", "T-0", blocked, "P2.", []string{
			"Dry run of the migrations; review the plan", "Apply V0.0.20, V0.0.21 and V0.0.22 in order", "schema_version shows the three versions successful", "The nine tables exist",
			"The two materialized views exist", "Negative test: confidence 1.5 is rejected by the range constraint", "The test row is gone",
		}, open),
		phase("application", "Application", "T+5 min", open, "P3.", []string{"Build and push the image", "Apply the deployment manifest", "Wait for the rollout", "List the pods", "Build the frontend and publish it"}, open),
		phase("check", "Validation", "T+10 min", open, "P4.", []string{"Health script says HEALTHY", "Smoke: batch putaway", "Smoke: data-quality metrics", "Smoke: enhanced health", "Smoke: statistical summary", "Metrics endpoint is complete", "Grafana opens", "All panels have data", "No critical alert", "Cache under 15 minutes", "Accuracy above 80 %"}, open),
		phase("monitoring", "Monitoring set-up", "T+30 min", open, "P5.", []string{"Alert rules are loaded", "A test alert arrives", "All checks are green", "No critical alerts"}, open),
		phase("hour1", "Hour 1", "T+1 h", open, "H1-", []string{"All health checks pass", "No critical alerts", "Metrics populate", "Dashboards show data", "Cache refreshes by itself", "Performance verified", "Status report sent"}, open),
		phase("hour24", "Hours 4 to 24", "T+24 h", open, "H24-", []string{"Error logs reviewed", "Data-quality metrics checked", "Statistics collection started", "P95 below 2 s", "Full statistics cycle", "Accuracy stable above 80 %", "No unresolved capacity failures", "Cache always under 15 minutes", "Outliers reviewed"}, open),
		phase("hour48", "Hour 48", "T+48 h", open, "H48-", []string{"Performance report", "Warnings and degraded states reviewed", "Optimisations planned", "Lessons documented"}, open),
	}
	all[1].Open = true
	all[1].Gates = []components.Gate{goNoGo(void)}
	final := goNoGo(missing)
	final.ID, final.Name, final.Href, final.Action, final.Sentence = "final_signoff", "Final sign-off", "/releases/"+code+"/gates/final_signoff", "", "Opens at T+1 h, when phases 3 to 6 are done."
	for i := range final.Slots {
		final.Slots[i] = components.Slot{ID: final.Slots[i].ID, Role: final.Slots[i].Role, Required: final.Slots[i].Required, State: missing}
	}
	all[6].Gates = []components.Gate{final}
	return all
}

func releaseShowOver() pages.ReleaseShowView {
	v := releaseShow()
	v.State = components.State{Code: "aborted", Word: "Aborted", Tone: components.Bad}
	v.Ended = "Aborted by Ines Duarte on 24 Dec, 14:20: “The backup could not be verified.”"
	v.Next, v.Reschedule, v.Abort, v.LiveHref, v.Newer = pages.NextStep{}, pages.ReschedulePart{}, pages.AbortPart{}, "", ""
	return v
}

func releaseShowRollingBack() pages.ReleaseShowView {
	v := releaseShow()
	v.Rollback = pages.RollbackBanner{
		Text: "This release is being rolled back by RB-1, decided by Olaf Nyström. Running for 3 min: 2 min left of its goal of 5 min. Nothing of it is applied or signed. ",
		Tone: components.Bad, Way: components.Link{Label: "Open the rollback", Href: "/releases/" + code + "/rollback"},
	}
	v.RollBack = components.Link{Label: "Roll back", Href: "/releases/" + code + "/rollback"}
	return v
}

func waysBack() []pages.RollbackChoice {
	return []pages.RollbackChoice{
		{ID: "RB-1", Title: "Undo the rollout", Time: "under 5 minutes", Loss: "none", Who: "DevOps lead", When: "Pods restart in a loop, or more than 10 percent of the requests fail.", Goal: "5 min", Takes: "one person alone, reviewed afterwards", Safe: true, Chosen: true, Steps: []string{"kubectl rollout undo deployment/<name>, then kubectl rollout status.", "Count the pods that are ready."}},
		{ID: "RB-5", Title: "Undo the migrations", Time: "seconds each", Loss: "every row in what they created", Who: "DevOps lead", When: "A migration did harm that nothing above mends.", Takes: "two people, because data is lost or the runbook asks for it", Steps: []string{"On the page Migrations, undo V0.0.22."}},
	}
}

func releaseRollback() pages.ReleaseRollbackView {
	return pages.ReleaseRollbackView{
		Shell: shell("Rollback of "+code, layouts.PlaceReleases, toReleases, toRelease), Code: code, State: running, Href: "/releases/" + code + "/rollback", Choices: waysBack(),
		Start: pages.RollbackStart{Action: "/releases/" + code + "/rollback", Key: "k", Reason: "x", Effect: "Roll " + code + " back on demo, and start the clock", Complaints: components.Complaints{{Field: "reason", Label: "Reason", Text: "Say why in a few words, for those who read this later."}, {Field: "option", Text: "Choose one of the ways back of this release's runbook."}}},
	}
}

func releaseRollbackStale() pages.ReleaseRollbackView {
	v := releaseRollback()
	v.Start.FreshHref, v.Start.Complaints = "/login?fresh=1&return=%2Freleases", nil
	return v
}

func rollbackUnderWay() pages.RollbackView {
	return pages.RollbackView{
		ID: "1", Option: "RB-5", Title: "Undo the migrations", Loss: "every row in what they created", State: components.State{Code: "under_way", Word: "Rolling back", Tone: components.Progress}, By: "Olaf Nyström", Started: clock("14:20", "3 min ago"),
		Reason: "Writes to lots fail.", Agreed: "Marta Lindqvist on 24 Dec 2025 at 14:21 UTC", Clock: "Running for 3 min: 7 min left of its goal of 10 min.", ClockTone: components.Warn, Open: true,
		Steps: []pages.RollbackStepView{
			{Number: "1", Text: "Undo V0.0.22, then V0.0.21, then V0.0.20.", State: done, By: "Ines Duarte", At: clock("14:22", "1 min ago"), Note: "All three succeeded; see the runs."},
			{Number: "2", Text: "Look at the objects on each page afterwards.", State: open, Action: "/releases/x/rollback/1/steps", Typed: "ok", Problem: "What did you see? Say why in a few words."},
			{Number: "3", Text: "Tell the shift lead.", State: components.State{Code: "not_needed", Word: "Not needed", Tone: components.Info}, By: "Ines Duarte", At: clock("14:22", "1 min ago"), Note: "She stands beside us."},
		},
		EndAction: "/releases/x/rollback/1/end", EndEffect: "End " + code + " as rolled back, and stop the clock", GiveUpNote: "x",
		Undo:       []pages.MigrationLine{{Version: "V0.0.22", Title: "statistics", Href: "/migrations/V0.0.22/down", State: components.State{Code: "applied", Word: "Applied", Tone: components.Good}}},
		Pages:      []components.Link{{Label: "Run the health checks", Href: "/health-checks"}},
		Complaints: components.Complaints{{Field: "note-2", Text: "What did you see? Say why in a few words."}},
	}
}

func releaseRollbackUnderWay() pages.ReleaseRollbackView {
	v := releaseRollback()
	b := rollbackUnderWay()
	v.Current, v.Start, v.LiveHref, v.EventHref = &b, pages.RollbackStart{}, "/releases/x/rollback", "/releases/x/events"
	return v
}

// releaseRollbackAsked waits for the second person, who has to sign in afresh; an earlier one was given up.
func releaseRollbackAsked() pages.ReleaseRollbackView {
	v := releaseRollbackUnderWay()
	b := rollbackUnderWay()
	b.State, b.Agreed, b.AgreeFresh, b.EndAction = components.State{Code: "asked", Word: "Waits for a second person", Tone: components.Blocked}, "", "/login?fresh=1", ""
	b.Complaints = nil
	for i := range b.Steps {
		b.Steps[i] = pages.RollbackStepView{Number: b.Steps[i].Number, Text: b.Steps[i].Text, State: open}
	}
	past := rollbackUnderWay()
	past.ID, past.Open, past.State, past.EndAction, past.Undo, past.Pages, past.Complaints = "0", false, components.State{Code: "given_up", Word: "Given up", Tone: components.Neutral}, "", nil, nil, nil
	past.Steps[1].Action, past.Clock, past.ClockTone, past.Ended = "", "Given up after 4 min.", components.Neutral, "Given up by Olaf Nyström on 24 Dec 2025 at 13:00 UTC: The pods came back."
	past.WantsReview, past.ReviewAction, past.ReviewNote = "Finding: nobody else has reviewed this rollback yet.", "/releases/x/rollback/0/review", "x"
	v.Current, v.Past = &b, []pages.RollbackView{past}
	return v
}

// releaseRollbackOver has ended, late, and was reviewed.
func releaseRollbackOver() pages.ReleaseRollbackView {
	v := releaseRollback()
	b := rollbackUnderWay()
	b.Open, b.State, b.EndAction, b.Undo, b.Pages, b.Complaints = false, components.State{Code: "rolled_back", Word: "Rolled back", Tone: components.Warn}, "", nil, nil, nil
	b.Steps[1].Action, b.Steps[1].State = "", done
	b.Clock, b.ClockTone, b.Ended = "Took 12 min: the goal of 10 min was missed by 2 min.", components.Bad, "Ended as rolled back by Olaf Nyström on 24 Dec 2025 at 14:32 UTC: The version before runs."
	b.Review, b.ReviewTone = "Reviewed by Quinn Adler on 26 Dec 2025 at 09:00 UTC, and it was in order: The ledger and the log agree.", components.Good
	v.Start, v.Refused, v.Past = pages.RollbackStart{}, "This release is over, so it is not rolled back any more.", []pages.RollbackView{b}
	return v
}
