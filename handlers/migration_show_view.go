package handlers

import (
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func (h migrations) showView(shell layouts.Shell, by actor.Actor, d migration.Detail) pages.MigrationShowView {
	r, card := d.Rung, d.Rung.File.Card
	v := pages.MigrationShowView{
		Shell: shell, Version: r.Version.Title(), Name: card.Title, State: migrationState(r.State), Risk: riskState(r),
		SHA256: r.File.SHA256, File: r.File.Script, SQL: r.File.SQL, UndoFile: d.Undo.Script, UndoSQL: d.Undo.SQL,
		Reversible: reversible(card), PostChecks: checkRows(d.Checks, r.InDatabase()), ChecksSay: checksSay(d.Checks, r.InDatabase()), Runs: h.ledgerRows(d.History),
		Plan: h.planFacts(r), Window: windowBanner(by, d.Release), Lint: lintView(r), Diff: diffView(r), Rename: r.Rename,
	}
	if r.HasFile && r.InDatabase() && r.Effect.SHA256 != r.File.SHA256 {
		v.RecordedAs, v.Cosmetic = r.Effect.SHA256, r.State != migration.StateChanged
	}
	if r.State == migration.StateMissingFile {
		v.Name, v.File = r.Effect.Description, r.Effect.Script+" (missing here)"
	}
	switch {
	case r.Next:
		v.Next = h.nextView(shell, by, d.Ladder, d.Release)
	case r.State == migration.StateHandMade:
		v.Next = whyNotNext(r, d.Runs)
		v.Next.Tone = components.Bad
		if r.Blocked != r.StrayWords() {
			v.Next.WhyNot = append(v.Next.WhyNot, components.Link{Label: r.StrayWords()})
		}
		v.Next.WhyNot[len(v.Next.WhyNot)-1].Href = repairLink(by, r).Href
	default:
		v.Next = whyNotNext(r, d.Runs)
	}
	if by.Operator && r.HasFile {
		v.RepairHref = repairHref(r.Version)
	}
	if by.Operator && r.CanUndo && d.HasUndo {
		v.DownHref = versionHref(r.Version) + "/down"
	}
	return v
}

func reversible(card migration.Card) string {
	switch {
	case card.Title == "":
		return ""
	case card.Reversible:
		return "It can be undone. Undoing loses: " + card.UndoLoses + "."
	}
	return "It cannot be undone without loss: " + card.UndoLoses + "."
}

func (h migrations) planFacts(r migration.Rung) []components.Fact {
	patience := duration(r.File.Card.LockTimeout)
	if !r.File.NoTransaction {
		patience += ", then gives way and tries again"
	}
	facts := []components.Fact{
		{Label: "Estimate", Value: estimate(r)},
		{Label: "Locks", Value: r.File.Card.Locks},
		{Label: "Waits for a lock at most", Value: patience},
		{Label: "A statement may take", Value: duration(r.File.Card.StatementTimeout)},
		{Label: "Creates", Value: counted(len(r.File.Card.Creates), "object", "objects")},
		{Label: "Changes", Value: counted(len(r.File.Card.Changes), "object", "objects")},
	}
	if r.Rehearsed.Rehearsal != uuid.Nil {
		facts[0].Href = rehearsalHref(r.Rehearsed.Rehearsal)
	}
	if r.Note != "" {
		facts = append(facts, components.Fact{Label: "Note", Value: r.Note})
	}
	if r.InDatabase() {
		facts = append(facts,
			components.Fact{Label: "Took", Value: duration(r.Effect.Took)},
			components.Fact{Label: "Applied by", Value: r.Effect.By.Name},
			components.Fact{Label: "Applied", Time: moment(r.Effect.FinishedAt, h.now(), time.UTC)},
			components.Fact{Label: "By PostgreSQL", Value: r.Effect.Server})
	}
	return facts
}

// checksSay says in one sentence what all checks say; empty where one has to be read by itself.
func checksSay(checks []migration.Check, inDatabase bool) string {
	failed, passed := migration.AllPassed(checks)
	switch {
	case len(checks) == 0 || failed > 0 || !passed:
		return ""
	case inDatabase:
		return "All of it is there: " + counted(len(checks), "check holds", "checks hold")
	}
	return "Nothing of it is there: " + counted(len(checks), "object was", "objects were") + " looked at"
}

// checkRows are the checks as rows. Before the version is applied nothing is proven: that an object is not there yet is
// as it should be, and no tick.
func checkRows(checks []migration.Check, applied bool) []components.Check {
	var rows []components.Check
	for _, c := range checks {
		row := components.Check{Name: c.Name, Expected: c.Expected, Found: c.Found}
		switch {
		case !c.Passed:
			row.State = components.State{Code: "failed", Word: "Does not hold", Tone: components.Bad}
		case applied:
			row.State = components.State{Code: "passed", Word: "Holds", Tone: components.Good}
		default:
			row.State = components.State{Code: "waiting", Word: "Not yet", Tone: components.Neutral}
		}
		rows = append(rows, row)
	}
	return rows
}
