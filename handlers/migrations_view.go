package handlers

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

var migrationStates = map[migration.State]components.State{
	migration.StateApplied:     {Word: "Applied", Tone: components.Good},
	migration.StateBaseline:    {Word: "Baseline", Tone: components.Good},
	migration.StatePending:     {Word: "Pending", Tone: components.Neutral},
	migration.StateBlocked:     {Word: "Blocked", Tone: components.Blocked},
	migration.StateRunning:     {Word: "Running", Tone: components.Progress},
	migration.StateFailed:      {Word: "Failed", Tone: components.Bad},
	migration.StateDirty:       {Word: "Half way", Tone: components.Bad},
	migration.StateChanged:     {Word: "Changed", Tone: components.Bad},
	migration.StateMissingFile: {Word: "File missing", Tone: components.Bad},
	migration.StateOutOfOrder:  {Word: "Out of order", Tone: components.Bad},
	migration.StateUndone:      {Word: "Undone", Tone: components.Warn},
	migration.StateInterrupted: {Word: "Interrupted", Tone: components.Bad},
	migration.StateHandMade:    {Word: "Made by hand", Tone: components.Bad},
}

func migrationState(s migration.State) components.State {
	state := migrationStates[s]
	state.Code = string(s)
	return state
}

// riskState is what the plan card says of the risk; a version that is in the database has it behind it.
func riskState(r migration.Rung) components.State {
	risk := r.File.Card.Risk
	tone := map[string]components.Tone{"low": components.Info, "medium": components.Warn, "high": components.Bad}[risk]
	if risk == "" {
		return components.State{}
	}
	if r.InDatabase() {
		tone = components.Neutral
	}
	return components.State{Code: risk, Word: strings.ToUpper(risk[:1]) + risk[1:] + " risk", Tone: tone}
}

func (h migrations) listView(shell layouts.Shell, by actor.Actor, o migration.Overview, before int64) pages.MigrationListView {
	v := pages.MigrationListView{
		Shell: shell, LiveHref: migrationsPage, LibrarySays: beliefWords(o.Ladder.Belief),
		NothingToSee: "This program carries no migration files.",
		Next:         h.nextView(shell, by, o.Ladder, o.Release),
		Window:       windowBanner(by, o.Release),
	}
	v.Sentence, v.Tone = ladderSentence(o.Ladder)
	if by.Operator {
		v.DriftHref, v.BackupsHref, v.RehearsalsHref = driftPage, backupsPage, rehearsalsPage
		v.Sample = h.sampleView(shell, by, o)
	}
	for _, r := range o.Ladder.Rungs {
		v.Rungs = append(v.Rungs, h.rungView(by, r))
	}
	for _, i := range o.Ladder.Invalid {
		row := pages.InvalidRow{Text: i.Sentence(), Index: i.Name}
		switch {
		case !by.Operator:
			row.WhyNot = "The database is looked after by the tenant that operates this environment."
		case !by.Can(actor.MigrationApply):
			row.WhyNot = "It can be rebuilt by: " + strings.Join(roleTitles(actor.RolesWith(actor.MigrationApply)), ", ") + "."
		case o.Release != nil && o.Release.Moment.Refusal != "":
			row.WhyNot = o.Release.Moment.Refusal
		case h.stale(by):
			v.InvalidFresh = web.LoginHref(migrationsPage, true)
		default:
			row.Rebuild = pages.Order{Action: rebuildHref, Key: uuid.NewString(), Effect: "Drop " + i.Name + " and build it again on " + environment(shell)}
		}
		v.Invalid = append(v.Invalid, row)
	}
	for _, run := range o.Runs {
		v.Running = components.Link{Label: runLabel(run), Href: runHref(run.ID)}
		if run.State.Active() {
			break
		}
	}
	v.Ledger = h.ledgerRows(o.History)
	for i, e := range o.History { // fifty rows whole would be a heavy page
		v.Ledger[i].More = fmt.Sprintf("%s#entry-%d", versionHref(e.Version), e.ID)
	}
	v.LedgerPager = ledgerPager(o, before)
	return v
}

func beliefWords(b migration.Belief) string {
	switch {
	case !b.Known:
		return "no version, not dirty"
	case b.Dirty:
		return "version " + b.Version.String() + ", dirty"
	}
	return "version " + b.Version.String() + ", not dirty"
}

func ladderSentence(l migration.Ladder) (string, components.Tone) {
	if len(l.Problems) > 0 {
		return "Files and database disagree, so nothing can be applied. " + l.Problems[0], components.Bad
	}
	applied, running := 0, migration.Rung{}
	for _, r := range l.Rungs {
		if r.InDatabase() {
			applied++
		}
		if r.State == migration.StateRunning || r.State == migration.StateInterrupted {
			running = r
		}
	}
	text := fmt.Sprintf("%d of %d in the database", applied, len(l.Rungs))
	next, ok := l.Next()
	handMade, stray := l.HandMade()
	switch {
	case running.State == migration.StateRunning:
		return text + "; " + running.Version.Title() + " is under way.", components.Progress
	case running.State == migration.StateInterrupted:
		return text + "; a run of " + running.Version.Title() + " was cut off and needs a person.", components.Bad
	case stray:
		return text + "; objects of " + handMade.Version.Title() + " were made by hand.", components.Bad
	case ok && next.State == migration.StateFailed:
		return text + "; the last try of " + next.Version.Title() + " failed and left nothing behind.", components.Bad
	case ok:
		return text + "; " + next.Version.Title() + " is next.", components.Info
	}
	return text + ". Nothing is pending.", components.Good
}

func runLabel(run migration.Run) string {
	if run.State.Active() {
		return run.Sentence()
	}
	return fmt.Sprintf("A run of %s was cut off and needs a person.", run.Version.Title())
}

func ledgerPager(o migration.Overview, before int64) components.Pager {
	p := components.Pager{Shown: counted(len(o.History), "entry", "entries")}
	if before > 0 {
		p.Newest = migrationsPage
	}
	if o.More {
		p.Older = fmt.Sprintf("%s?before=%d", migrationsPage, o.History[len(o.History)-1].ID)
	}
	return p
}

func (h migrations) rungView(by actor.Actor, r migration.Rung) pages.Rung {
	v := pages.Rung{
		Version: r.Version.Title(), Title: r.File.Card.Title, Href: versionHref(r.Version),
		State: migrationState(r.State), Risk: riskState(r), Locks: r.File.Card.Locks, SHA256: r.File.SHA256,
		File: "no file", Database: "nothing", Differs: differs(r), Rename: r.Rename,
	}
	if r.HasFile {
		v.File, v.Estimate = r.File.Script, estimate(r)
	}
	if r.Lint != nil && !r.InDatabase() {
		v.Lint, v.LintTone = r.Lint.Summary(), lintTone(*r.Lint)
	}
	switch {
	case r.InDatabase():
		v.Real, v.By, v.At = duration(r.Effect.Took), r.Effect.By.Name, moment(r.Effect.FinishedAt, h.now(), time.UTC)
		v.Database = "applied"
		if r.State == migration.StateBaseline {
			v.Database, v.Real = "found and recorded", ""
		}
	case r.State == migration.StateFailed:
		v.Database = "not there; last try failed"
	case r.State == migration.StateDirty:
		v.Database = "some of it may be there"
	case r.State == migration.StateUndone:
		v.Database = "taken back"
	case r.State == migration.StateHandMade:
		v.Database = counted(len(r.Astray), "object", "objects") + " of it, and no entry"
		v.Repair = repairLink(by, r)
	}
	return v
}

// repairLink leads whoever's organisation changes the schema to the page of repair; nobody else.
func repairLink(by actor.Actor, r migration.Rung) components.Link {
	if !by.Operator {
		return components.Link{}
	}
	return components.Link{Label: "What of " + r.Version.Title() + " is there, and its repair", Href: repairHref(r.Version)}
}

// estimate is how long the version takes by its newest rehearsal, or else by its plan card, and says which.
func estimate(r migration.Rung) string {
	switch {
	case r.Rehearsed.Passed && r.Rehearsed.Sample != nil:
		return duration(r.File.Card.Estimate) + " by its plan card; " + onSample(r.Rehearsed, r.Rehearsed.Up)
	case r.Rehearsed.Passed:
		return duration(r.Rehearsed.Up) + ", rehearsed"
	case !r.Rehearsed.RecordedAt.IsZero():
		return duration(r.File.Card.Estimate) + " by its plan card; its rehearsal did not pass"
	case r.InDatabase():
		return duration(r.File.Card.Estimate)
	}
	return duration(r.File.Card.Estimate) + " by its plan card; not rehearsed"
}

// differs says what does not agree, or what else a person must know about a rung.
func differs(r migration.Rung) string {
	switch r.State {
	case migration.StateChanged, migration.StateMissingFile, migration.StateOutOfOrder, migration.StateInterrupted, migration.StateDirty:
		return r.State.Words()
	case migration.StateFailed:
		if r.Last.Repaired() != "" {
			return "A person looked after the last try, and nothing of it is there."
		}
		return "The last try failed and left nothing behind. " + firstLine(r.Last.Error)
	case migration.StateHandMade:
		return r.StrayWords()
	case migration.StateApplied, migration.StateBaseline, migration.StatePending, migration.StateBlocked, migration.StateRunning, migration.StateUndone:
	}
	return r.Note
}

func firstLine(s string) string {
	for i, r := range s {
		if r == '\n' {
			return s[:i]
		}
	}
	return s
}
