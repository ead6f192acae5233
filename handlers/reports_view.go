package handlers

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/internal/review"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var (
	reviewItemStates = map[string]components.State{
		"open": {Code: "open", Word: "Open", Tone: components.Neutral}, "in_progress": {Code: "in_progress", Word: "In progress", Tone: components.Progress},
		"done": {Code: "done", Word: "Done", Tone: components.Good}, "failed": {Code: "failed", Word: "Failed", Tone: components.Bad},
		"skipped": {Code: "skipped", Word: "Skipped", Tone: components.Warn},
	}
	reviewRunStates = map[string]components.State{
		"active": {Code: "active", Word: "Running", Tone: components.Progress}, "signed_off": {Code: "signed_off", Word: "Signed off", Tone: components.Good},
		"closed": {Code: "closed", Word: "Completed", Tone: components.Good}, "aborted": {Code: "aborted", Word: "Aborted", Tone: components.Bad},
		"rolled_back": {Code: "rolled_back", Word: "Rolled back", Tone: components.Warn},
	}
	signatureStandings = map[string]components.State{
		"counts": {Code: "counts", Word: "Counts", Tone: components.Good}, "void": {Code: "void", Word: "Void", Tone: components.Bad},
		"withdrawn": {Code: "withdrawn", Word: "Withdrawn", Tone: components.Warn},
	}
	gatePassed    = components.State{Code: "passed", Word: "Passed", Tone: components.Good}
	gateNotPassed = components.State{Code: "open", Word: "Not passed", Tone: components.Blocked}
	gateRejected  = components.State{Code: "rejected", Word: "Rejected", Tone: components.Bad}
	gateExpired   = components.State{Code: "expired", Word: "Ran out of time", Tone: components.Bad}
	t0Moved       = components.State{Code: "moved", Word: "Moved", Tone: components.Info}
	lessonOpen    = components.State{Code: "open", Word: "Open", Tone: components.Info}
	lessonLate    = components.State{Code: "overdue", Word: "Overdue", Tone: components.Warn}
	lessonDone    = components.State{Code: "done", Word: "Done", Tone: components.Good}
)

// lateness says a lateness in words; what is within a minute of its time is on time.
func lateness(seconds *int64) string {
	if seconds == nil {
		return ""
	}
	d := time.Duration(*seconds) * time.Second
	switch {
	case d >= time.Minute:
		return duration(d.Truncate(time.Minute)) + " late"
	case d <= -time.Minute:
		return duration((-d).Truncate(time.Minute)) + " early"
	}
	return "on time"
}

// inTime says of what lateness says something about that it was not late.
func inTime(seconds *int64) bool {
	return seconds != nil && *seconds < int64(time.Minute/time.Second)
}

func reportView(shell layouts.Shell, by actor.Actor, r review.Report) (pages.ReportView, error) {
	zone := siteZone(r.Run.TimeZone)
	at := func(t *time.Time) components.Time {
		if t == nil {
			return components.Time{}
		}
		return past(*t, r.At, zone)
	}
	v := pages.ReportView{
		Shell: shell, State: reviewRunStates[r.Run.State], Title: r.Run.Title, JSONHref: reportPath(r.Run.ID) + "/json", SnapshotsHref: snapshotsPath(r.Run.ID),
		Tone: components.Good, Sentence: "Nothing is to be looked at.", WhoWrites: roleTitles(review.Owners()),
	}
	v.Facts = []components.Fact{
		{Label: "T-0", Time: past(r.Run.T0, r.At, zone)},
		{Label: "Runbook", Value: r.Run.Template},
		{Label: "Started by", Value: r.Run.StartedBy},
		{Label: "Started", Time: past(r.Run.StartedAt, r.At, zone)},
		{Label: "Computed", Time: past(r.At, r.At, zone)},
	}
	if r.Run.EndedAt != nil {
		v.Facts = append(v.Facts, components.Fact{Label: "Ended", Time: at(r.Run.EndedAt)}, components.Fact{Label: "Ended by", Value: r.Run.EndedBy})
	}
	for _, f := range r.Findings {
		v.Findings = append(v.Findings, f.Text)
	}
	if r.Run.State == "active" || r.Run.State == "signed_off" {
		v.Tone, v.Sentence = components.Info, "Nothing is to be looked at so far. The release is not over."
	}
	if n := len(r.Findings); n > 0 {
		v.Tone, v.Sentence = components.Warn, counted(n, "finding", "findings")+", the gravest first."
	}
	for _, g := range r.Gates {
		line := pages.ReportLine{ID: g.Gate, What: g.Name, State: gateNotPassed, Planned: past(g.Due, r.At, zone), Happened: at(g.PassedAt), Late: lateness(g.LateSeconds), Calm: inTime(g.LateSeconds)}
		if g.Passed {
			line.State = gatePassed
		}
		v.Gates = append(v.Gates, line)
	}
	for _, s := range r.Stops {
		v.Stops = append(v.Stops, reportStop(s, past(s.At, r.At, zone)))
	}
	for _, i := range r.Items {
		line := pages.ReportLine{
			ID: i.ID, What: i.ID + ", " + i.Title, Who: i.By, State: reviewItemStates[i.State], Planned: past(i.Due, r.At, zone), Happened: at(i.Settled), Late: lateness(i.LateSeconds), Calm: inTime(i.LateSeconds), Note: i.Reason,
		}
		if i.Failed > 0 || i.Reopened > 0 {
			line.Note = fmt.Sprintf("Failed %s, put back %s. %s", counted(i.Failed, "time", "times"), counted(i.Reopened, "time", "times"), i.Reason)
		}
		if i.Settled != nil && i.LateSeconds == nil {
			line.Late, line.Calm = dueBeforeStart, true
		}
		v.Items = append(v.Items, line)
	}
	for _, s := range r.Signatures {
		v.Signatures = append(v.Signatures, pages.ReportLine{
			ID: s.Slot, What: s.Gate + ": " + s.Role, Who: s.Name + ", " + s.Meaning, Identity: identityWords(s.Subject, s.Issuer), State: signatureStandings[s.Standing], Happened: past(s.SignedAt, r.At, zone), Note: s.Reason,
		})
	}
	for _, m := range r.Moves {
		v.Moves = append(v.Moves, pages.ReportLine{What: "From " + utcStamp(m.From) + " to " + utcStamp(m.To), Who: m.By, State: t0Moved, Happened: past(m.At, r.At, zone), Note: m.Reason})
	}
	for _, m := range r.Migrations {
		v.Migrations = append(v.Migrations, reportMigration(m, at(m.AppliedAt)))
	}
	reportChanges(&v, r)
	for _, l := range r.Lessons {
		one := lessonView(l, r.At, zone)
		if l.DoneAt == nil && by.Can(actor.ItemWork) {
			one.DoneAction = runPath(r.Run.ID) + "/lessons/" + l.ID.String() + "/done"
		}
		v.Lessons = append(v.Lessons, one)
	}
	if by.Can(actor.ItemWork) {
		id, err := uuid.NewV7()
		if err != nil {
			return v, fmt.Errorf("making an id for a lesson: %w", err)
		}
		v.Form = pages.LessonForm{Action: runPath(r.Run.ID) + "/lessons", ID: id.String(), Owners: ownerOptions("")}
	}
	return v, nil
}

// utcStamp says a time as the audit trail keeps it in the form of every page; what is no time is left as it is.
func utcStamp(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return at.UTC().Format("2 Jan 2006, 15:04 UTC")
}

func reportStop(s review.Stop, at components.Time) pages.ReportLine {
	line := pages.ReportLine{What: fmt.Sprintf("%s, attempt %d", s.Gate, s.Attempt), State: gateExpired, Happened: at, Note: s.Reason}
	if s.Kind == "rejected" {
		line.State, line.Who = gateRejected, s.Name+", "+s.Role
	}
	line.After = "No new attempt was opened."
	if s.OpenedAt != nil {
		line.After = fmt.Sprintf("%s opened attempt %d: %s", s.OpenedBy, s.Attempt+1, s.Note)
	}
	return line
}

func reportMigration(m review.Migration, at components.Time) pages.ReportMigration {
	row := pages.ReportMigration{Version: m.Version, Title: m.Title, Href: "/migrations/" + m.Version, Rehearsed: "not rehearsed", Took: "not applied", NotHere: "not in this release", At: at, By: m.By}
	if m.RehearsedMs != nil {
		row.Rehearsed = duration(time.Duration(*m.RehearsedMs) * time.Millisecond)
	}
	if m.TookMs != nil {
		row.Took = duration(time.Duration(*m.TookMs) * time.Millisecond)
	}
	if m.RehearsedMs != nil && m.TookMs != nil {
		switch d := time.Duration(*m.TookMs-*m.RehearsedMs) * time.Millisecond; {
		case d > 0:
			row.Compared = duration(d) + " longer than rehearsed"
		case d < 0:
			row.Compared = duration(-d) + " shorter than rehearsed"
		default:
			row.Compared = "as rehearsed"
		}
	}
	if m.TookMs == nil && m.ThereSince != nil {
		row.Took, row.NotHere = "was there before", "before this release"
	}
	if m.Failures > 0 {
		row.Note = "failed " + counted(m.Failures, "time", "times")
	}
	if m.Undone {
		row.Note = "was taken back"
	}
	return row
}

func reportChanges(v *pages.ReportView, r review.Report) {
	for _, c := range r.Changes {
		unit := func(value string) string {
			if value == "" || c.Unit == "" {
				return value
			}
			return value + " " + c.Unit
		}
		row := pages.ReportChange{Title: c.Title, BeforeValue: unit(c.Before.Value), AfterValue: unit(c.After.Value), Words: c.Words, Verdict: verdictStates[c.Verdict]}
		if c.Before.State != "" {
			row.Before = healthState(health.Level(c.Before.State))
		}
		if c.After.State != "" {
			row.After, row.AfterPoint = healthState(health.Level(c.After.State)), c.Point.Title()
		}
		v.Changes = append(v.Changes, row)
	}
	if !slices.ContainsFunc(r.Changes, func(c review.Change) bool { return c.Point != "" }) {
		v.NoChanges = "Nothing has been measured after the migrations of the release, so there is nothing to compare with."
	}
	if len(r.Changes) == 0 {
		v.NoChanges = "Nothing has been measured, so nothing can be compared."
	}
}

func lessonView(l review.Lesson, now time.Time, zone *time.Location) pages.Lesson {
	v := pages.Lesson{
		ID: l.ID.String(), Happened: l.Happened, Why: l.Why, Todo: l.Todo, Owner: actor.Role(l.Owner).Title(), Due: l.DueOn.Format("2 Jan 2006"), By: l.By,
		Added: moment(l.AddedAt, now, zone), State: lessonOpen,
	}
	switch {
	case l.DoneAt != nil:
		v.State, v.Done, v.DoneAt, v.DoneNote = lessonDone, l.DoneBy, moment(*l.DoneAt, now, zone), l.DoneNote
	case l.Overdue(now):
		v.State = lessonLate
	}
	return v
}

// openLessons are those that whoever starts a release should know, each with the way to where it can be said to be done.
func openLessons(list []review.Lesson, now time.Time) []pages.Lesson {
	var views []pages.Lesson
	for _, l := range list {
		v := lessonView(l, now, time.UTC)
		v.Release = components.Link{Label: l.Release, Href: reportPath(l.Run)}
		views = append(views, v)
	}
	return views
}

func ownerOptions(chosen string) []components.Option {
	list := []components.Option{{Value: "", Label: "Choose a role", Chosen: chosen == ""}}
	for _, role := range review.Owners() {
		list = append(list, components.Option{Value: string(role), Label: role.Title(), Chosen: string(role) == chosen})
	}
	return list
}
