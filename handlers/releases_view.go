package handlers

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

var releaseStates = map[runbook.State]components.State{
	runbook.Active:     {Code: "active", Word: "Running", Tone: components.Progress},
	runbook.SignedOff:  {Code: "signed_off", Word: "Signed off", Tone: components.Good},
	runbook.Closed:     {Code: "closed", Word: "Completed", Tone: components.Good},
	runbook.Aborted:    {Code: "aborted", Word: "Aborted", Tone: components.Bad},
	runbook.RolledBack: {Code: "rolled_back", Word: "Rolled back", Tone: components.Warn},
}

// appliedBefore is a migration that a release lists and did not bring: it was in the database when the release was started.
var appliedBefore = components.State{Code: "applied", Word: "Applied before", Tone: components.Neutral}

var (
	newestTemplate = components.State{Code: "newest", Word: "Newest", Tone: components.Info}
	olderTemplate  = components.State{Code: "older", Word: "Older", Tone: components.Neutral}
)

func releaseCounts(c runbook.Counts) components.Counts {
	return components.Counts{Done: c.Done, Failed: c.Failed, Skipped: c.Skipped, Open: c.Total - c.Done - c.Failed - c.Skipped}
}

func (h releases) listView(shell layouts.Shell, by actor.Actor, q runbook.Query, runs []runbook.Run) pages.ReleaseListView {
	v := pages.ReleaseListView{Shell: shell, AllHref: releasesPage, Filtered: q.State != "", WhoStart: roleTitles(actor.RolesWith(actor.ReleaseStart))}
	for _, f := range []struct {
		state runbook.State
		label string
	}{{"", "All"}, {runbook.Active, "Running"}, {runbook.SignedOff, "Signed off"}, {runbook.Closed, "Completed"}, {runbook.Aborted, "Aborted"}, {runbook.RolledBack, "Rolled back"}} {
		filter := components.Filter{Label: f.label, Href: listHref(f.state, ""), Code: string(f.state), Chosen: q.State == f.state}
		if f.state == "" {
			filter.Code = "all"
		}
		v.Filters = append(v.Filters, filter)
	}
	if len(runs) > releasePageSize {
		runs = runs[:releasePageSize]
		last := runs[releasePageSize-1]
		v.Pager.Older = listHref(q.State, last.StartedAt.Format(time.RFC3339Nano)+"_"+last.ID.String())
	}
	if !q.BeforeAt.IsZero() {
		v.Pager.Newest = listHref(q.State, "")
	}
	for _, run := range runs {
		row := pages.ReleaseRow{
			Code: run.Code, Title: run.Title, Href: runPath(run.ID), State: releaseStates[run.State], TZero: moment(run.T0, h.now(), run.Zone()),
			StartedBy: run.Starter.Name, Template: run.Template.Name + " " + run.Template.Version, Counts: releaseCounts(run.Counts),
		}
		if run.State == runbook.Active {
			row.Move = nextMove(run.Next)
		}
		v.Rows = append(v.Rows, row)
	}
	if n := len(runs); n > 0 {
		v.Pager.Shown = fmt.Sprintf("%s, started from %s to %s", counted(n, "release", "releases"), runs[0].StartedAt.Format(time.DateOnly), runs[n-1].StartedAt.Format(time.DateOnly))
	}
	if by.Can(actor.ReleaseStart) {
		v.Start = components.Link{Label: "Start a release", Href: releasesPage + "/new"}
		v.Primary = layouts.Action{Label: v.Start.Label, Href: v.Start.Href, Name: "start-release"}
	}
	return v
}

// nextMove says what a running release waits for, and whose move it is.
func nextMove(m runbook.Move) string {
	switch {
	case m.Item != "":
		return fmt.Sprintf("%s: %s, %s", m.Owner.Title(), m.Item, m.Title)
	case m.Gate != "":
		return "Signatures at the gate " + m.Gate
	}
	return "Nothing required is left; close it"
}

func listHref(state runbook.State, before string) string {
	query := url.Values{}
	if state != "" {
		query.Set("state", string(state))
	}
	if before != "" {
		query.Set("before", before)
	}
	if len(query) == 0 {
		return releasesPage
	}
	return releasesPage + "?" + query.Encode()
}

func (h releases) startView(c echo.Context) (pages.ReleaseStartView, error) {
	by := web.Actor(c)
	v := pages.ReleaseStartView{Shell: web.Shell(c, "Start a release", toReleases), Action: releasesPage, CancelHref: releasesPage, Guest: !by.Operator}
	running, is, err := h.stories.Active(c.Request().Context(), by)
	if err != nil {
		return pages.ReleaseStartView{}, err
	}
	open, at, err := h.lessons.Open(c.Request().Context(), by)
	if err != nil {
		return pages.ReleaseStartView{}, err
	}
	v.Lessons = openLessons(open, at)
	if is {
		v.Running = components.Link{Label: running.Code, Href: runPath(running.ID)}
	}
	if !by.Can(actor.ReleaseStart) {
		v.Refused, v.WhoCan = "Starting a release is not among your roles.", roleTitles(actor.RolesWith(actor.ReleaseStart))
	}
	v.RunbooksHref = runbooksPage
	templates, err := h.stories.Templates(c.Request().Context(), by)
	if err != nil {
		return pages.ReleaseStartView{}, err
	}
	offered := map[string]bool{} // by name: a name's newest version comes first
	for i, t := range templates {
		items := 0
		for _, p := range t.Phases {
			items += len(p.Items)
		}
		v.Templates = append(v.Templates, pages.TemplateChoice{
			Value: t.SHA256, Name: t.Title, Version: t.Version, SHA256: t.SHA256, Chosen: i == 0, News: newsOf(t, h.now()), Age: newestTemplate,
			Summary: strings.Join([]string{
				counted(len(t.Phases), "phase", "phases"), counted(items, "item", "items"), counted(len(t.Gates), "gate", "gates"), counted(len(t.Migrations), "migration", "migrations"),
			}, ", "),
		})
		if offered[t.Name] {
			v.Templates[i].Age = olderTemplate
		}
		offered[t.Name] = true
		if i == 0 {
			zone, err := time.LoadLocation(t.TimeZone)
			if err != nil {
				zone = time.UTC
			}
			v.Code, v.Zones = t.Release, zoneOptions(t.TimeZone, h.now())
			v.TZero = h.now().In(zone).Add(24*time.Hour + 30*time.Minute).Truncate(30 * time.Minute).Format(localTime)
		}
	}
	return v, nil
}

// sites are the zones that the forms offer, besides the one a release has.
var sites = []string{
	"UTC", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "Europe/Lisbon", "Europe/London",
	"Europe/Berlin", "Africa/Johannesburg", "Asia/Dubai", "Asia/Kolkata", "Asia/Singapore", "Asia/Tokyo", "Australia/Sydney",
}

func zoneOptions(chosen string, now time.Time) []components.Option {
	names := sites
	if chosen != "" && !slices.Contains(names, chosen) {
		names = append([]string{chosen}, names...)
	}
	var list []components.Option
	for _, name := range names {
		zone, err := time.LoadLocation(name)
		if err != nil {
			continue // a typed zone that is none has its own complaint
		}
		list = append(list, components.Option{Value: name, Label: name + " (UTC" + now.In(zone).Format("-07:00") + ")", Chosen: name == chosen})
	}
	return list
}

func (h releases) releaseView(shell layouts.Shell, by actor.Actor, r runbook.Release) pages.ReleaseShowView {
	zone, now := r.Run.Zone(), r.At
	v := pages.ReleaseShowView{
		Shell: shell, Code: r.Run.Code, Name: r.Run.Title, Href: runPath(r.Run.ID), State: releaseStates[r.Run.State],
		TZero: moment(r.Run.T0, now, zone), Zone: r.Run.TimeZone, Started: moment(r.Run.StartedAt, now, zone), By: r.Run.Starter.Name,
		Template:    pages.TemplateRef{Name: r.Template.Title, Version: r.Run.Template.Version, SHA256: r.Run.Template.SHA256},
		RunbookHref: runPath(r.Run.ID) + frozenPath,
	}
	if by.Can(actor.AuditRead) {
		v.DossierHref = v.Href + "/dossier"
	}
	if r.Newest.SHA256 != "" && r.Newest.SHA256 != r.Run.Template.SHA256 {
		v.Newer = "version " + r.Newest.Version + " of " + r.Newest.Name
	}
	v.TakenOver = takenOverLinks(r, by)
	if r.Run.State != runbook.Active {
		v.Ended = fmt.Sprintf("%s on %s by %s. %s", v.State.Word, r.Run.EndedAt.In(zone).Format("2 Jan 2006 at 15:04 MST"), r.Run.EndedBy, r.Run.EndReason)
	}
	if !r.Run.Ended() {
		v.LiveHref, v.WallHref = v.Href, v.Href+wallPath
	}
	v.Seen = fmt.Sprintf("%d.%d", r.Run.Version, r.Run.T0.Unix())
	waits := r.Waits()
	v.Phases = phaseViews(by, r, waits)
	for _, p := range v.Phases {
		v.Counts = add(v.Counts, p.Counts)
	}
	v.Timeline = timelineView(r, v.Phases)
	v.Next = nextView(by, r, waits)
	v.Migrations, v.MigrationsSentence = migrationLines(r)
	v.Rollback = rollbackBanner(r)
	if b, ok := r.RollingBack(); ok {
		v.State, v.Next = rollbackStates[b.State()], nextOfRollback(by, r, b)
	}
	if r.Run.State == runbook.Active || r.Run.State == runbook.SignedOff {
		v.RollBack = components.Link{Label: "Roll back", Href: rollbackHref(r.Run.ID)}
	}
	if r.Run.State == runbook.Active {
		v.Window = bannerOf(r.Moment, zone, v.Href+windowPath)
		if by.Can(actor.ReleaseManage) {
			h.manage(&v, r)
		}
	}
	return v
}

// movedRelease says what became of the release since the one that the person has open, as a whole and beside the forms.
func movedRelease(v *pages.ReleaseShowView, r runbook.Release, since string, t0 time.Time) {
	zone := r.Run.Zone()
	then, now := moment(t0, r.At, zone), moment(r.Run.T0, r.At, zone)
	v.Changed = []pages.Difference{{What: "State", Then: "as you saw it", Now: v.State.Word}}
	v.Moved.Text = "This release was changed since you opened this form."
	if !t0.Equal(r.Run.T0) {
		v.Changed = append(v.Changed, pages.Difference{What: "T-0", Then: then.Local + " (" + then.UTC + ")", Now: now.Local + " (" + now.UTC + ")"})
		v.Moved.Text = fmt.Sprintf("T-0 was %s when you opened this form, and is %s now.", then.Local, now.Local)
	}
	v.Moved.Href = v.Href + "?" + url.Values{"since": {since}}.Encode()
}

func (h releases) manage(v *pages.ReleaseShowView, r runbook.Release) {
	version := fmt.Sprint(r.Run.Version)
	v.Reschedule = pages.ReschedulePart{
		Action: v.Href + "/schedule", Version: version, TZero: r.Run.T0.In(r.Run.Zone()).Format(localTime), Zones: zoneOptions(r.Run.TimeZone, h.now()),
		Effect: fmt.Sprintf("Of the items, %d not yet settled move with it, and %d keep their times. Signatures given before become void, because the time is signed too.",
			v.Counts.Total()-v.Counts.Done-v.Counts.Skipped, v.Counts.Done+v.Counts.Skipped),
	}
	v.Abort = pages.AbortPart{
		Action: v.Href + "/abort", Version: version, Type: r.Run.Code,
		Effect: "The release ends for good and cannot be taken up again. Nothing that was applied is undone by it.",
	}
}

func add(a, b components.Counts) components.Counts {
	return components.Counts{Done: a.Done + b.Done, Failed: a.Failed + b.Failed, Blocked: a.Blocked + b.Blocked, Open: a.Open + b.Open, Skipped: a.Skipped + b.Skipped}
}

func migrationLines(r runbook.Release) ([]pages.MigrationLine, string) {
	var lines []pages.MigrationLine
	applied, before := 0, 0
	for _, m := range r.Migrations {
		state := migration.StateApplied // also where its undo failed: that left it as it was
		switch {
		case m.Direction == "":
			state = migration.StatePending
		case m.Direction == "up" && !m.Success:
			state = migration.StateFailed
		case (m.Direction == "down" || m.Direction == "restore") && m.Success:
			state = migration.StateUndone
		default:
			applied++
		}
		line := pages.MigrationLine{Version: "V" + m.Version, Title: m.Title, Href: migrationsPage + "/V" + m.Version, State: migrationState(state)}
		if m.Before(r.Run.StartedAt) {
			line.State, before = appliedBefore, before+1
		}
		lines = append(lines, line)
	}
	switch {
	case len(lines) == 0:
		return nil, "This release brings no migration."
	case before == len(lines):
		return lines, fmt.Sprintf("All %d were applied before this release; it brings nothing new.", before)
	case applied == len(lines) && before > 0:
		return lines, fmt.Sprintf("All %d are applied, %d of them before this release.", applied, before)
	case before > 0 && applied == before:
		return lines, fmt.Sprintf("%d to apply; %d were applied before this release.", len(lines)-applied, before)
	case before > 0:
		return lines, fmt.Sprintf("%d applied, %d of them before this release; %d to apply.", applied, before, len(lines)-applied)
	case applied == len(lines):
		return lines, fmt.Sprintf("All %d are applied.", applied)
	case applied == 0:
		return lines, fmt.Sprintf("%d to apply.", len(lines))
	}
	return lines, fmt.Sprintf("%d applied, %d to apply.", applied, len(lines)-applied)
}
