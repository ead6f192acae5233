package handlers

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

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
	}
	for _, r := range o.Ladder.Rungs {
		v.Rungs = append(v.Rungs, h.rungView(by, r))
	}
	for _, i := range o.Ladder.Invalid {
		row := pages.InvalidRow{Text: i.Sentence(), Index: i.Name}
		switch {
		case !by.Can(actor.MigrationApply) || !by.Operator:
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

// nextView is the next step as this person may take it.
func (h migrations) nextView(shell layouts.Shell, by actor.Actor, l migration.Ladder, release *migration.Release) pages.NextMigration {
	next, ok := l.Next()
	if !ok {
		return repairFirst(by, l)
	}
	n := pages.NextMigration{Version: next.Version.Title(), Title: next.File.Card.Title, Tone: components.Blocked}
	planned := ""
	if release != nil {
		planned = release.Plan[next.Version.String()]
	}
	switch {
	case !by.Operator:
		n.Text = "This environment is operated by another organisation; only its people may change the schema."
		return n
	case release == nil:
		n.Text = next.Version.Title() + " waits for a release."
		n.WhyNot = []components.Link{{Label: "No release is active. A migration is applied as part of one.", Href: "/releases"}}
	case planned == "":
		n.Text = next.Version.Title() + " is not part of the active release."
		n.WhyNot = []components.Link{{Label: "Release " + release.Code + " does not plan it.", Href: releaseHref(release)}}
	case planned != next.File.SHA256:
		n.Text = next.Version.Title() + " is not the file that the release was started with."
		n.WhyNot = []components.Link{{Label: "Release " + release.Code + " was started with another text of this file.", Href: releaseHref(release)}}
	case !release.GateOpen:
		n.Text = next.Version.Title() + " waits for go / no-go."
		n.WhyNot = []components.Link{{Label: gateWords(release), Href: releaseHref(release) + "/gates/" + migration.Gate}}
	case !release.BackedUp:
		n.Text = next.Version.Title() + " waits for a backup that restores."
		n.WhyNot = []components.Link{{Label: migration.NoBackup, Href: backupsPage}}
	case !release.Rehearsed:
		n.Text = next.Version.Title() + " waits for a rehearsal."
		n.WhyNot = []components.Link{{Label: migration.NotRehearsed, Href: backupsPage}}
	case release.Unsettled != "":
		n.Text = next.Version.Title() + " waits for the runbook."
		n.WhyNot = []components.Link{{Label: migration.WantsSettled(release.Code, release.Unsettled), Href: releaseHref(release)}}
	case release.Moment.Refusal != "":
		n.Text = next.Version.Title() + " waits for the change window."
		n.WhyNot = []components.Link{{Label: release.Moment.Refusal, Href: windowHref(release.ID)}}
	case !by.Can(actor.MigrationApply):
		n.Text, n.Tone = next.Version.Title()+" may be applied: go / no-go is passed.", components.Info
		n.WhoCan = roleTitles(actor.RolesWith(actor.MigrationApply))
	default:
		n.Text, n.Tone = next.Version.Title()+" may be applied: go / no-go is passed.", components.Good
		h.offer(&n, shell, by, next, release)
		if r, is := l.HandMade(); is {
			n.Tone = components.Warn
			n.Text += " Objects of " + r.Version.Title() + " were made by hand: unless that is taken away or signed for on the page Drift, the step is refused."
		}
	}
	return n
}

// repairFirst says that what somebody made by hand comes first, where the version that would be next is it.
func repairFirst(by actor.Actor, l migration.Ladder) pages.NextMigration {
	r, is := l.HandMade()
	if !is || r.Blocked != r.StrayWords() {
		return pages.NextMigration{}
	}
	return pages.NextMigration{
		Version: r.Version.Title(), Title: r.File.Card.Title, Tone: components.Bad, Text: r.Version.Title() + " waits for its repair.",
		WhyNot: []components.Link{{Label: r.StrayWords(), Href: repairLink(by, r).Href}},
	}
}

func (h migrations) offer(n *pages.NextMigration, shell layouts.Shell, by actor.Actor, next migration.Rung, release *migration.Release) {
	if h.stale(by) {
		n.FreshHref = web.LoginHref(versionHref(next.Version), true)
		return
	}
	n.Apply = pages.ApplyForm{
		Action: versionHref(next.Version) + "/apply", Key: uuid.NewString(), Release: release.ID.String(), SHA256: next.File.SHA256,
		Effect: "Apply " + next.Version.Title() + " to " + environment(shell),
	}
}

func (h migrations) stale(by actor.Actor) bool {
	return by.AuthTime.IsZero() || h.now().Sub(by.AuthTime) > migrationFreshness
}

func releaseHref(r *migration.Release) string { return "/releases/" + r.ID.String() }

// windowBanner is the banner of the active release, for people whose organisation changes the schema.
func windowBanner(by actor.Actor, release *migration.Release) pages.Banner {
	if release == nil || !by.Operator {
		return pages.Banner{}
	}
	zone, err := time.LoadLocation(release.Zone)
	if err != nil {
		zone = time.UTC
	}
	return bannerOf(release.Moment, zone, windowHref(release.ID))
}

func gateWords(r *migration.Release) string {
	if len(r.Missing) == 0 {
		return "A signature of go / no-go is no longer valid."
	}
	words := "Go / no-go still needs:"
	for i, title := range roleTitles(r.Missing) {
		if i > 0 {
			words += ","
		}
		words += " " + title
	}
	return words + "."
}

func roleTitles(roles []actor.Role) []string {
	titles := make([]string, len(roles))
	for i, r := range roles {
		titles[i] = r.Title()
	}
	return titles
}

func (h migrations) ledgerRows(entries []migration.Entry) []pages.LedgerRow {
	var rows []pages.LedgerRow
	for _, e := range entries {
		row := pages.LedgerRow{
			ID: fmt.Sprint(e.ID), At: moment(e.FinishedAt, h.now(), time.UTC), Version: e.Version.Title(), Direction: string(e.Direction),
			Outcome: components.State{Code: "done", Word: "Done", Tone: components.Good}, By: e.By.Name, Duration: duration(e.Took),
			SHA256: e.SHA256, Note: e.SQLState,
		}
		if !e.Success {
			row.Outcome = components.State{Code: "failed", Word: "Failed", Tone: components.Bad}
		}
		repairRow(&row, e)
		if e.Run != uuid.Nil {
			row.RunHref = runHref(e.Run)
		}
		row.Details, row.Error, row.Notices = entryFacts(e), e.Error, e.Notices
		rows = append(rows, row)
	}
	return rows
}

// repairRow words an entry with which a person repaired a version: nothing was tried, but for an undo file that ran.
func repairRow(row *pages.LedgerRow, e migration.Entry) {
	switch e.Repaired() {
	case "":
		return
	case migration.RepairUndo:
		row.Note = "repair: its undo file was run"
	case migration.RepairApplied:
		row.Note = "repair: found there"
	case migration.RepairNotApplied:
		row.Note = "repair: found not there"
	}
	if !e.Success {
		row.Outcome = components.State{Code: "repaired", Word: "Not applied", Tone: components.Neutral}
		if e.Direction == migration.Down {
			row.Outcome.Word = "Still applied"
		}
	}
}

func (h migrations) showView(shell layouts.Shell, by actor.Actor, d migration.Detail) pages.MigrationShowView {
	r, card := d.Rung, d.Rung.File.Card
	v := pages.MigrationShowView{
		Shell: shell, Version: r.Version.Title(), Name: card.Title, State: migrationState(r.State), Risk: riskState(r),
		SHA256: r.File.SHA256, File: r.File.Script, SQL: r.File.SQL, UndoFile: d.Undo.Script, UndoSQL: d.Undo.SQL,
		Reversible: reversible(card), PostChecks: checkRows(d.Checks, r.InDatabase()), Runs: h.ledgerRows(d.History),
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

// whyNotNext says what comes first; nothing for a version that is in the database.
func whyNotNext(r migration.Rung, runs []migration.Run) pages.NextMigration {
	if r.Blocked == "" {
		return pages.NextMigration{}
	}
	n := pages.NextMigration{Text: r.Version.Title() + " cannot be applied now.", Tone: components.Blocked}
	why := components.Link{Label: r.Blocked}
	for _, run := range runs {
		why.Href = runHref(run.ID)
	}
	n.WhyNot = []components.Link{why}
	return n
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

func (h migrations) downView(c echo.Context, by actor.Actor, d migration.Detail) pages.MigrationDownView {
	r, shell := d.Rung, web.Shell(c, "Undo "+d.Rung.Version.Title(), toMigrations, layouts.Crumb{Label: d.Rung.Version.Title(), Href: versionHref(d.Rung.Version)})
	v := pages.MigrationDownView{
		Shell: shell, Version: r.Version.Title(), Name: r.File.Card.Title, CancelHref: versionHref(r.Version),
		SHA256: d.Undo.SHA256, UndoSQL: d.Undo.SQL, Key: uuid.NewString(),
		LostText: "Undoing " + r.Version.Title() + " takes back what it made, and loses: " + r.File.Card.UndoLoses + ".",
		Keeps:    "The ledger keeps every run, this one too. Everything that earlier versions hold stays.",
		Effect:   "Undo " + r.Version.Title() + " on " + environment(shell),
	}
	for _, o := range r.File.Card.Creates {
		if o.Kind == "table" || o.Kind == "matview" || o.Kind == "column" {
			v.Lost = append(v.Lost, components.Fact{Label: o.Kind, Value: o.Name, Code: true})
		}
	}
	h.downSaved(&v, d, shell)
	switch {
	case !by.Can(actor.MigrationDown) || !by.Operator:
		v.Refused, v.WhoCan = "You may not undo a migration here.", roleTitles(actor.RolesWith(actor.MigrationDown))
	case r.State == migration.StateHandMade:
		v.WhyNot = []components.Link{{Label: r.StrayWords() + " It is taken back on its page of repair, where what would be lost is counted and saved as well.", Href: repairHref(r.Version)}}
	case !r.InDatabase() && r.State != migration.StateDirty:
		v.WhyNot = []components.Link{{Label: r.Version.Title() + " is not in the database."}}
	case r.State == migration.StateDirty:
		v.WhyNot = []components.Link{{Label: r.Version.Title() + " stopped half way. It is taken back on its page of repair.", Href: repairHref(r.Version)}}
		if !h.stale(by) && d.HasUndo {
			v.Save = saveOrder(r.Version)
		}
	case !r.CanUndo || !d.HasUndo:
		v.WhyNot = cannotUndo(d)
	case d.Release == nil:
		v.WhyNot = []components.Link{{Label: "No release is active. Start a release that plans this version; a migration is undone as part of one.", Href: "/releases"}}
	case d.Release.Plan[r.Version.String()] == "":
		v.WhyNot = []components.Link{{Label: "Release " + d.Release.Code + " does not plan this version.", Href: releaseHref(d.Release)}}
	case d.Release.Moment.Refusal != "":
		v.WhyNot = []components.Link{{Label: d.Release.Moment.Refusal, Href: windowHref(d.Release.ID)}}
	case h.stale(by):
		v.FreshHref = web.LoginHref(versionHref(r.Version)+"/down", true)
	case d.Saved == nil || d.Saved.WhyNot(r, h.now()) != "":
		v.Save = saveOrder(r.Version)
	default:
		v.Save = saveOrder(r.Version)
		v.Save.Effect = saveAgain
		v.Action, v.Release, v.Loss, v.Signs = versionHref(r.Version)+"/down", d.Release.ID.String(), d.Saved.ID.String(), d.Saved.Meaning()
		if n, _ := d.Saved.Lost(); n > 0 {
			v.Effect += " and lose " + d.Saved.Things()
		}
	}
	return v
}

func saveOrder(v migration.Version) pages.Order {
	return pages.Order{Action: versionHref(v) + "/losses", Key: uuid.NewString(), Effect: "Count what undoing " + v.Title() + " would lose, and save it"}
}

// downSaved shows what was counted and where it was saved.
func (h migrations) downSaved(v *pages.MigrationDownView, d migration.Detail, shell layouts.Shell) {
	if d.Saved == nil {
		v.SavedText = "What would be lost on " + environment(shell) + " has not been counted yet. Nothing is undone before it was counted and saved."
		return
	}
	v.SavedText = d.Saved.Meaning()
	if why := d.Saved.WhyNot(d.Rung, h.now()); why != "" {
		v.SavedText += " " + why
	}
	v.SavedAt, v.Work = moment(d.Saved.TakenAt, h.now(), time.UTC), components.Link{Label: "with this log", Href: operationHref(d.Saved.Operation)}
	v.Counted, v.Files = lostFacts(*d.Saved)
}

const saveAgain = "Count and save it again"

// lostFacts are what was counted, and where it was saved.
func lostFacts(s migration.Saved) (lost, files []components.Fact) {
	for _, l := range s.Losses {
		lost = append(lost, components.Fact{Label: l.What(), Value: l.Count()})
	}
	for _, f := range s.Files {
		files = append(files, components.Fact{Label: f.Name, Value: fmt.Sprintf("%s; %d bytes, SHA-256 %s", f.Holds, f.Bytes, f.SHA256)})
	}
	return lost, files
}

func cannotUndo(d migration.Detail) []components.Link {
	var why []components.Link
	for _, p := range d.Ladder.Problems {
		why = append(why, components.Link{Label: p})
	}
	for _, run := range d.Runs {
		why = append(why, components.Link{Label: runLabel(run), Href: runHref(run.ID)})
	}
	if why == nil {
		why = []components.Link{{Label: "Only the last version that was applied here can be undone.", Href: migrationsPage}}
	}
	return why
}
