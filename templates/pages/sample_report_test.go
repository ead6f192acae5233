package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func openLesson() pages.Lesson {
	return pages.Lesson{
		ID: "l1", Happened: "The refresh of the view took 4 minutes.", Why: "It was never rehearsed on a copy of this size.", Todo: "Rehearse on the nightly copy.", Owner: "DevOps lead", Due: "14 Jan 2026",
		By: "Tomás Ferreira", Added: clock("26 Dec, 15:00", "1 min ago"), State: components.State{Code: "open", Word: "Open", Tone: components.Info},
	}
}

func reportShell() layouts.Shell {
	return shell("Report", layouts.PlaceReleases, toReleases, layouts.Crumb{Label: code, Href: "/releases/" + code})
}

func report() pages.ReportView {
	done, mine := openLesson(), openLesson()
	mine.DoneAction = "/releases/" + code + "/lessons/l1/done"
	done.ID, done.State, done.Done, done.DoneAt, done.DoneNote = "l2", components.State{Code: "done", Word: "Done", Tone: components.Good}, "Ines Duarte", clock("27 Dec, 09:00", "1 day ago"), "It runs each night."
	finished := components.State{Code: "done", Word: "Done", Tone: components.Good}
	return pages.ReportView{
		Shell: reportShell(), State: components.State{Code: "signed_off", Word: "Signed off", Tone: components.Good}, Title: "Bin utilization",
		Facts:    []components.Fact{{Label: "T-0", Time: clock("24 Dec, 14:00", "")}, {Label: "Runbook", Value: "bin-optimization 1.2.0"}},
		Findings: []string{"Migration 0.0.20 failed once.", "P2.1b, Migrations applied, was settled 18 min late."}, Sentence: "2 findings, the gravest first.", Tone: components.Warn,
		Gates:      []pages.ReportLine{{ID: "go_no_go", What: "Go / no-go", State: components.State{Code: "passed", Word: "Passed", Tone: components.Good}, Planned: clock("13:45", ""), Happened: clock("13:52", ""), Late: "7 min late"}},
		Stops:      []pages.ReportLine{{What: "Go / no-go, attempt 1", Who: "Ines Duarte, QA lead", State: components.State{Code: "rejected", Word: "Rejected", Tone: components.Bad}, Happened: clock("13:30", ""), Note: "The dry run was of another file.", After: "Tomás Ferreira opened attempt 2: It was run anew."}},
		Items:      []pages.ReportLine{{ID: "P2.1b", What: "P2.1b, Migrations applied", Who: "Tomás Ferreira", State: finished, Planned: clock("14:00", ""), Happened: clock("14:18", ""), Late: "18 min late", Note: "Failed 1 time, put back 1 time."}, {ID: "H48-4", What: "H48-4, Lessons written down", State: components.State{Code: "open", Word: "Open", Tone: components.Neutral}, Planned: clock("26 Dec, 14:00", "")}},
		Signatures: []pages.ReportLine{{ID: "qa", What: "Go / no-go: QA lead", Who: "Ines Duarte, approved", State: components.State{Code: "void", Word: "Void", Tone: components.Bad}, Happened: clock("13:40", "")}},
		Migrations: []pages.ReportMigration{{Version: "0.0.20", Title: "Data quality", Href: "/migrations/0.0.20", Rehearsed: "8.0 s", Took: "9.5 s", Compared: "1.5 s longer than rehearsed", At: clock("14:02", ""), By: "Tomás Ferreira", Note: "failed 1 time"}, {Version: "0.0.21", Title: "UUID", Href: "/migrations/0.0.21", Rehearsed: "not rehearsed", Took: "not applied", NotHere: "not in this release"}},
		Moves:      []pages.ReportLine{{What: "From 23 Dec 2025, 14:00 UTC to 24 Dec 2025, 14:00 UTC", Who: "Tomás Ferreira", State: components.State{Code: "moved", Word: "Moved", Tone: components.Info}, Happened: clock("23 Dec, 12:00", ""), Note: "The line is late."}},
		Changes:    []pages.ReportChange{{Title: "ML accuracy", Before: healthyOne, BeforeValue: "92.4 %", After: unknownOne, AfterPoint: "Hour 48", Verdict: components.State{Code: "unknown", Word: "Not comparable", Tone: components.Unknown}, Words: "was healthy, is unknown; not known now"}},
		Lessons:    []pages.Lesson{mine, done}, JSONHref: "/releases/" + code + "/report/json", SnapshotsHref: "/releases/" + code + "/snapshots",
		Form: pages.LessonForm{Action: "/releases/" + code + "/lessons", ID: "l3", Owners: []components.Option{{Value: "", Label: "Choose a role", Chosen: true}, {Value: "qa_lead", Label: "QA lead"}}},
	}
}

func reportComplaints() pages.ReportView {
	v := report()
	v.Form.Happened, v.Form.Complaints = "It was slow.", components.Complaints{{Field: "why", Label: "Why", Text: "Say why it happened."}, {Field: "due", Label: "Until which day", Text: "This day is over. Choose today or a later one."}}
	return v
}

func reportEmpty() pages.ReportView {
	return pages.ReportView{
		Shell: reportShell(), State: running, Title: "Bin utilization", Sentence: "Nothing is to be looked at.", Tone: components.Good, WhoWrites: []string{"DevOps lead"},
		NoChanges: "Nothing has been measured, so nothing can be compared.", JSONHref: "/releases/" + code + "/report/json", SnapshotsHref: "/releases/" + code + "/snapshots",
	}
}

func releaseStartLessons() pages.ReleaseStartView {
	v, l := releaseStart(nil), openLesson()
	l.Release = components.Link{Label: "REQ-PUTAWAY-0042", Href: "/releases/x/report"}
	v.Lessons = []pages.Lesson{l}
	return v
}
