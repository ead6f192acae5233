package handlers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/restore"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

var restoreStates = map[restore.State]components.State{
	restore.Asked:     {Code: "asked", Word: "Waits for a second person", Tone: components.Info},
	restore.Agreed:    {Code: "agreed", Word: "Two people agree", Tone: components.Warn},
	restore.UnderWay:  {Code: "under_way", Word: "Under way", Tone: components.Progress},
	restore.Restored:  {Code: "restored", Word: "Restored", Tone: components.Good},
	restore.Failed:    {Code: "failed", Word: "Changed nothing", Tone: components.Bad},
	restore.Withdrawn: {Code: "withdrawn", Word: "Withdrawn", Tone: components.Neutral},
	restore.Expired:   {Code: "expired", Word: "Expired", Tone: components.Neutral},
	restore.Void:      {Code: "void", Word: "Void", Tone: components.Bad},
}

// reader is what the reader of the page may do.
type reader struct {
	by           actor.Actor
	fresh        bool
	asks, agrees bool
}

func (h restores) restoreView(shell layouts.Shell, by actor.Actor, p restore.Page) pages.BackupRestoreView {
	b := p.Backup
	v := pages.BackupRestoreView{Shell: shell, Backup: b.ID.String(), Database: p.Database, Sessions: p.Sessions, Tone: components.Warn}
	worth, why := b.Worth()
	v.Facts = []components.Fact{
		{Label: "Taken", Time: moment(b.Manifest.TakenAt, h.now(), time.UTC)},
		{Label: "Warehouse at", Value: b.Manifest.Standing},
		{Label: "What it is worth", Value: backupWorths[worth].Word + " " + why},
		{Label: "File", Value: b.Name, Code: true},
		{Label: "SHA-256", Value: b.SHA256, Code: true},
	}
	may := p.State != "" && h.off == ""
	switch {
	case h.off != "":
		v.Sentence = h.off
	case p.State == "":
		v.Sentence = "This backup may not be restored. Only one whose newest drill passed, and of which nothing was found since, is; restore it beside the database first."
	default:
		v.Sentence = "A restore puts the warehouse back to how it stood at " + moment(b.Manifest.TakenAt, h.now(), time.UTC).Local + ". Everything since then is lost, but for the dump that is taken first."
	}
	if worth == backup.Proven && b.Drilled != nil {
		v.Facts = append(v.Facts, components.Fact{Label: "Time to restore", Value: duration(b.Drilled.Took) + " in its newest drill; the dump that is taken first comes on top"})
	}
	r := reader{by: by, fresh: !by.AuthTime.IsZero() && h.now().Sub(by.AuthTime) <= actor.FreshFor, asks: by.Can(actor.MigrationDown), agrees: by.Can(actor.GateSign)}
	if may && !r.fresh && (r.asks || r.agrees) {
		v.FreshHref = web.LoginHref(restoreHref(b.ID), true)
	}
	if !r.asks {
		v.WhoCan = roleTitles(actor.RolesWith(actor.MigrationDown))
	}
	if may && r.fresh && r.asks {
		v.LookAction = restoreHref(b.ID) + "/look"
	}
	h.lookView(&v, p, r, may)
	for _, one := range p.Requests {
		v.Requests = append(v.Requests, h.requestView(one, r, may))
	}
	return v
}

// eitherOf names who holds a right.
func eitherOf(right actor.Right) string {
	titles := roleTitles(actor.RolesWith(right))
	if len(titles) < 2 {
		return strings.Join(titles, "")
	}
	return strings.Join(titles[:len(titles)-1], ", ") + " or " + titles[len(titles)-1]
}

// lookView is what was counted, and the form that asks on it.
func (h restores) lookView(v *pages.BackupRestoreView, p restore.Page, r reader, may bool) {
	l := p.Look
	if l == nil {
		if v.LookAction != "" {
			v.Ask.WhyNot = "It can be asked for once it was counted what a restore would do."
		}
		return
	}
	v.Look = &pages.RestoreLook{ID: l.ID.String(), Sentence: l.Result.Sentence(), By: l.By, At: moment(l.At, h.now(), time.UTC), Versions: versionLines(l.Result)}
	switch {
	case !l.Current:
		v.Look.Stale = "The backup or the schema has changed since. Count again."
	case !l.Recent:
		v.Look.Stale = "This is older than 15 minutes. Count again before you ask."
	case may && r.fresh && r.asks:
		v.Ask = pages.RestoreForm{Action: restoreHref(l.Backup), Key: uuid.NewString(), Look: l.ID.String(), ID: "database"}
	}
	tables := slices.Clone(l.Result.Tables) // what differs is read first
	slices.SortStableFunc(tables, func(a, b restore.Table) int {
		switch {
		case a.Differs() == b.Differs():
			return 0
		case a.Differs():
			return -1
		}
		return 1
	})
	for _, t := range tables {
		v.Look.Tables = append(v.Look.Tables, tableRow(t))
	}
}

func versionLines(r restore.Result) (lines []string) {
	for _, version := range r.Versions {
		if version.Goes {
			lines = append(lines, version.Version+" is no longer in the warehouse afterwards. It can be applied again, through its gate.")
		} else {
			lines = append(lines, version.Version+" is in the warehouse again afterwards.")
		}
	}
	return lines
}

func tableRow(t restore.Table) pages.RestoreTable {
	row := pages.RestoreTable{Name: t.Name, Now: fmt.Sprint(t.Now), Then: fmt.Sprint(t.Then), After: "the same number"}
	if t.About {
		row.Now = "about " + row.Now
	}
	switch {
	case t.Goes:
		row.Then, row.After = "–", "the table goes"
	case t.Returns:
		row.Now, row.After = "–", "the table comes back"
	case t.Now > t.Then:
		row.After = fmt.Sprintf("%d fewer", t.Now-t.Then)
	case t.Now < t.Then:
		row.After = fmt.Sprintf("%d more", t.Then-t.Now)
	}
	return row
}

func (h restores) requestView(q restore.Request, r reader, may bool) pages.RestoreRow {
	state, here := q.State(), restoreHref(q.Backup)+"/"+q.ID.String()
	row := pages.RestoreRow{
		ID: q.ID.String(), Reason: q.Reason, By: q.By, State: restoreStates[state], Sentence: q.Sentence, Second: q.AgreedBy,
		Asked: moment(q.AskedAt, h.now(), time.UTC),
	}
	if state.Open() || state == restore.Expired {
		row.Expires = moment(q.ExpiresAt, h.now(), time.UTC)
	}
	if q.Operation != uuid.Nil {
		row.Operation = components.Link{Label: "To its log", Href: operationHref(q.Operation)}
	}
	switch {
	case q.Safety == uuid.Nil:
	case q.SafetyRestores:
		row.Safety = "What was there before is in " + q.SafetyName + ", and a drill restored it since."
	default:
		row.Safety, row.SafetyHref = "What was there before is in "+q.SafetyName+". It was read again from end to end and never restored, so nobody knows yet that it restores. Restore it beside the database.", backupsPage
	}
	if q.WithdrawnBy != "" {
		row.Sentence = "Withdrawn by " + q.WithdrawnBy + "."
	}
	if !state.Open() {
		return row
	}
	row.Counted, row.Versions, row.SHA256 = q.Result.Sentence(), versionLines(q.Result), q.Content
	if r.asks || r.agrees {
		row.Withdraw = here + "/withdraw"
	}
	if state == restore.Agreed && may {
		row.Command = "gatehouse backup restore --request " + row.ID + " --confirm " + q.Result.Database
	}
	mine := q.Issuer == r.by.Issuer && q.Subject == r.by.Subject
	switch {
	case state == restore.Asked && mine:
		row.WhyNot = "You asked for it, so somebody else has to agree: " + eitherOf(actor.GateSign) + "."
	case state == restore.Asked && !r.agrees:
		row.WhyNot = "Who can agree: " + eitherOf(actor.GateSign) + "."
	case state == restore.Agreed && !r.asks:
		row.WhyNot = "Who can order it now: " + eitherOf(actor.MigrationDown) + "."
	case !may || !r.fresh:
	case state == restore.Asked && r.agrees:
		row.Agree = pages.RestoreForm{Action: here + "/agree", Seen: q.Content, ID: "database-" + row.ID}
	case state == restore.Agreed && r.asks:
		row.Start = pages.RestoreForm{Action: here + "/start", Key: uuid.NewString(), ID: "database-" + row.ID}
		row.Agree.ID = row.Start.ID
	}
	return row
}
