package handlers

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

var runStates = map[migration.RunState]components.State{
	migration.Queued:      {Code: "queued", Word: "Queued", Tone: components.Progress},
	migration.Running:     {Code: "running", Word: "Running", Tone: components.Progress},
	migration.Succeeded:   {Code: "succeeded", Word: "Succeeded", Tone: components.Good},
	migration.Failed:      {Code: "failed", Word: "Failed", Tone: components.Bad},
	migration.Interrupted: {Code: "interrupted", Word: "Interrupted", Tone: components.Bad},
}

func (h migrations) runView(c echo.Context, by actor.Actor, one migration.Sighting) pages.MigrationRunView {
	run := one.Run
	title := run.Version.Title()
	v := pages.MigrationRunView{
		Shell: web.Shell(c, runTitle(run), toMigrations, layouts.Crumb{Label: title, Href: versionHref(run.Version)}),
		Run:   run.ID.String(), Version: title, Name: one.File.Card.Title, Direction: string(run.Direction), State: runStates[run.State],
		By: run.By.Name, Started: moment(run.StartedAt, h.now(), time.UTC), Ended: moment(run.FinishedAt, h.now(), time.UTC),
		Checks: checkRows(one.Checks, run.State == migration.Succeeded), SHA256: run.SHA256, Elapsed: duration(h.elapsed(run)), ElapsedMs: h.elapsed(run).Milliseconds(),
	}
	if rung, is := one.Ladder.Find(run.Version); is {
		v.ChecksSay = checksSay(one.Checks, rung.InDatabase())
	}
	v.Sentence, v.Safe = runSentence(run, one.File.NoTransaction)
	if one.Release != nil && one.Release.ID == run.Release {
		v.Window = windowBanner(by, one.Release)
	}
	h.expect(&v, one)
	for _, l := range one.Lines {
		v.Lines = append(v.Lines, runLine(l))
	}
	if run.State.Active() {
		v.LiveHref, v.RefreshSeconds = runHref(run.ID), 3
		v.EventHref = eventHref(v.LiveHref, v.Lines)
		v.Waiting = h.waiting(migration.ReadWait(one.Lines))
	}
	if run.State == migration.Failed {
		v.Error = runError(by, run)
	}
	if run.State == migration.Interrupted {
		v.Stopped = h.stopped(by, run)
	}
	if next, ok := one.Ladder.Next(); ok && !run.State.Active() {
		v.Next = components.Link{Label: "To " + next.Version.Title(), Href: versionHref(next.Version)}
	}
	return v
}

func runTitle(run migration.Run) string {
	if run.Direction == migration.Down {
		return "Undoing " + run.Version.Title()
	}
	return "Applying " + run.Version.Title()
}

func (h migrations) elapsed(run migration.Run) time.Duration {
	switch {
	case run.Took > 0:
		return run.Took
	case run.StartedAt.IsZero():
		return 0
	}
	return max(0, h.now().Sub(run.StartedAt))
}

// runSentence says what happened, and what is true of the database now.
// bare is a file that runs without a transaction.
func runSentence(run migration.Run, bare bool) (sentence, safe string) {
	what, done := run.Version.Title()+" is being applied", run.Version.Title()+" is applied."
	if run.Direction == migration.Down {
		what, done = run.Version.Title()+" is being undone", run.Version.Title()+" was taken back."
	}
	switch {
	case bare && run.State == migration.Running:
		return what + ".", "Its file runs without a transaction: if it fails, what its statements did before stands. You may leave this page."
	case run.Refused():
		return run.Version.Title() + " was refused.", run.Resolution
	case bare && run.State == migration.Failed:
		return run.Version.Title() + " failed.", strings.TrimSpace("Its file runs without a transaction: what its statements did before the failure stands. The post-checks show what is there. " + run.Resolution)
	}
	switch run.State {
	case migration.Queued:
		return what + "; the worker takes it up in a moment.", "Nothing has been changed yet. You may leave this page."
	case migration.Running:
		return what + ".", "It is one transaction: if it fails, the database is as it was. You may leave this page."
	case migration.Succeeded:
		return done, strings.TrimSpace(run.Resolution)
	case migration.Failed:
		return run.Version.Title() + " failed.", strings.TrimSpace("What it did was rolled back; the database is as it was before. " + run.Resolution)
	case migration.Interrupted:
	}
	return "The program ended while " + what + ".", run.Resolution
}

func lineTone(text string) components.Tone {
	switch {
	case strings.HasPrefix(text, "WARNING"), strings.HasPrefix(text, "Waiting:"), strings.HasPrefix(text, "Post-check "):
		return components.Warn
	case strings.Contains(text, "(SQLSTATE "):
		return components.Bad
	}
	return components.Neutral
}

func runLine(l migration.Line) pages.LogLine {
	return pages.LogLine{Seq: l.Seq, At: l.At.UTC().Format("15:04:05.000"), Text: l.Text, Tone: lineTone(l.Text)}
}

// eventHref is where the events of a page come from that shows these lines.
func eventHref(page string, lines []pages.LogLine) string {
	after := 0
	if len(lines) > 0 {
		after = lines[len(lines)-1].Seq
	}
	return fmt.Sprintf("%s%s?after=%d", page, eventsPath, after)
}

// expect says how long the step should take: as the newest rehearsal of exactly this text took, or else by its plan card,
// which knows only the way up.
func (h migrations) expect(v *pages.MigrationRunView, one migration.Sighting) {
	rung, _ := one.Ladder.Find(one.Run.Version)
	took, card := rung.Rehearsed.Up, one.File.Card.Estimate
	if one.Run.Direction == migration.Down {
		took, card = rung.Rehearsed.Down, 0
	}
	v.EstimateFrom = "by its plan card; not rehearsed"
	expected := card
	if rung.Rehearsed.Passed && rung.Rehearsed.Sample != nil {
		v.EstimateFrom = "by its plan card; " + onSample(rung.Rehearsed, took)
	}
	if rung.Rehearsed.Measures() {
		expected, v.EstimateFrom, v.EstimateHref = max(took, time.Millisecond), "in its newest rehearsal", rehearsalHref(rung.Rehearsed.Rehearsal)
	}
	if expected <= 0 {
		v.EstimateFrom = "nobody has measured it"
		return
	}
	v.Estimate, v.ExpectedMs, v.Permille = duration(expected), expected.Milliseconds(), int(h.elapsed(one.Run)*1000/expected)
	switch {
	case v.Permille <= 1000, one.Run.Refused():
	case one.Run.State.Active():
		v.Over = "It takes longer than that already."
	default:
		v.Over = "It took longer than that."
	}
}

// waiting is who holds a lock that the step waits for, and what has been tried.
func (h migrations) waiting(w *migration.LockWait) *pages.LockWait {
	if w == nil {
		return nil
	}
	v := &pages.LockWait{Tries: "This is the first try."}
	if w.Of > 0 {
		v.Tries = fmt.Sprintf("%d of %d tries were in vain.", w.Tries, w.Of)
	}
	since := max(0, h.now().Sub(w.At))
	for _, b := range w.Blockers {
		v.Holders = append(v.Holders, pages.LockHolder{
			Process: strconv.Itoa(b.PID), User: b.User, Program: b.Application, Age: duration(b.Age + since), Query: b.Query,
		})
	}
	return v
}

// runError says who stopped a run and why: we ourselves, with what each line of the refusal names, or the database.
func runError(by actor.Actor, run migration.Run) *pages.DatabaseError {
	if run.SQLState != "" {
		return databaseError(run)
	}
	first, rest, _ := strings.Cut(run.Error, "\n")
	e := &pages.DatabaseError{Heading: "Why it failed", Message: first}
	if run.Refused() {
		e.Heading = "Gatehouse refused the step"
	}
	if rest == "" {
		return e
	}
	e.Points = strings.Split(rest, "\n")
	if run.Drifted() && by.Operator {
		e.Way = components.Link{Label: "To the page Drift", Href: driftPage}
	}
	return e
}

// databaseError takes apart what StepError put together: the place and the message, then lines of detail.
func databaseError(run migration.Run) *pages.DatabaseError {
	first, rest, _ := strings.Cut(run.Error, "\n")
	e := &pages.DatabaseError{Heading: "PostgreSQL said", SQLState: run.SQLState, Message: first}
	if place, message, ok := strings.Cut(first, " (SQLSTATE "+run.SQLState+"): "); ok {
		e.Where, e.Message = place, message
	}
	for line := range strings.SplitSeq(rest, "\n") {
		switch label, text, _ := strings.Cut(line, ": "); label {
		case "Detail":
			e.Detail = text
		case "Hint":
			e.Hint = text
		case "In":
			e.Where = strings.TrimSpace(e.Where + ", in " + text)
		}
	}
	return e
}

func (h migrations) stopped(by actor.Actor, run migration.Run) *pages.Interrupted {
	s := &pages.Interrupted{
		Text: run.Error,
		Known: []components.Fact{
			{Label: "Asked for by", Value: run.By.Name},
			{Label: "Began", Time: moment(run.StartedAt, h.now(), time.UTC)},
			{Label: "Found to be cut off", Time: moment(run.FinishedAt, h.now(), time.UTC)},
			{Label: "What the database says", Value: run.Resolution},
		},
		Advice: []string{
			"Find out why the program ended: its log, the machine's log, or whoever stopped it.",
			"Look at the version's page of repair: it shows statement by statement what of the step is there, and a repair there closes this run with its proof.",
			"Or close this run with a sentence about what you found. Then the version can be applied again, through its gate.",
		},
	}
	if by.Operator {
		s.Repair = components.Link{Label: "What of " + run.Version.Title() + " is in the database", Href: repairHref(run.Version)}
	}
	switch {
	case !run.AcknowledgedAt.IsZero():
		s.Settled = fmt.Sprintf("%s closed it on %s UTC: %s", run.AcknowledgedBy, run.AcknowledgedAt.UTC().Format("2 Jan 2006 at 15:04"), run.AcknowledgedNote)
	case by.Can(actor.MigrationApply) && by.Operator:
		s.Action = runHref(run.ID) + "/acknowledge"
	default:
		s.WhoCan = roleTitles(actor.RolesWith(actor.MigrationApply))
	}
	return s
}
