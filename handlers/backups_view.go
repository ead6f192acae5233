package handlers

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

// backupCommands are how one is taken and proven; the ids are the operator's to fill in.
const backupCommands = `gatehouse backup create
gatehouse backup drill ID
gatehouse migrate rehearse --backup ID`

var backupWorths = map[backup.Worth]components.State{
	backup.Proven:   {Code: "proven", Word: "Restored", Tone: components.Good},
	backup.Unproven: {Code: "unproven", Word: "Never restored", Tone: components.Warn},
	backup.Removed:  {Code: "removed", Word: "Removed", Tone: components.Neutral},
	backup.Broken:   {Code: "broken", Word: "Does not restore", Tone: components.Bad},
}

var operationStates = map[operation.State]components.State{
	operation.Queued:      {Code: "queued", Word: "Queued", Tone: components.Progress},
	operation.Running:     {Code: "running", Word: "Running", Tone: components.Progress},
	operation.Succeeded:   {Code: "succeeded", Word: "Succeeded", Tone: components.Good},
	operation.Failed:      {Code: "failed", Word: "Failed", Tone: components.Bad},
	operation.Interrupted: {Code: "interrupted", Word: "Interrupted", Tone: components.Bad},
}

func (h backups) listView(shell layouts.Shell, by actor.Actor, o operation.Overview) pages.BackupListView {
	v := pages.BackupListView{
		Shell: shell, Commands: backupCommands, Tone: components.Warn, Sentence: "No backup has been restored here yet.",
		Nothing: "No backup has been taken with Gatehouse yet. A file proves nothing until it was restored once; this page says what each is worth.",
	}
	if !by.Operator {
		v.Sentence, v.Commands = "", ""
		v.Nothing = "The database is looked after by the tenant that operates this environment; its backups are not shown here."
		return v
	}
	v.Externals, v.Register = externalRows(o.Externals, h.now(), h.drillWithin), components.Link{Label: "Backups of other tools", Href: externalsPage}
	may := false
	for _, one := range o.Operations {
		row := h.operationRow(one)
		if one.State.Active() {
			v.UnderWay = &row
		}
		v.Operations = append(v.Operations, row)
	}
	switch {
	case h.off != "":
		v.Off = h.off
	case !by.Can(actor.MigrationApply):
		v.WhoCan = roleTitles(actor.RolesWith(actor.MigrationApply))
	case v.UnderWay == nil:
		may = true
		v.Take = pages.Order{Action: backupsPage, Key: uuid.NewString(), Effect: "Back up " + environment(shell) + " and restore the backup once"}
	}
	for _, b := range o.Backups {
		worth, why := b.Worth()
		if v.Tone != components.Good && b.Drilled != nil {
			v.Sentence = "No backup here is known to restore now. Take one, and restore it once."
		}
		row := pages.BackupRow{
			ID: b.ID.String(), Taken: moment(b.Manifest.TakenAt, h.now(), time.UTC), Worth: backupWorths[worth], Why: why, Standing: b.Manifest.Standing,
			Size: fmt.Sprintf("%.1f MB", float64(b.Bytes)/1e6), Tables: counted(len(b.Manifest.Rows), "table", "tables"), By: b.By, Name: b.Name, SHA256: b.SHA256,
		}
		if !b.KeptUntil.IsZero() {
			row.Safety = "Safety dump of a restore, kept until " + b.KeptUntil.UTC().Format("2 Jan 2006")
			if worth == backup.Unproven {
				row.Safety += ". It was read again and not restored, because everybody waited: restore it beside the database now"
			}
		}
		if worth == backup.Proven {
			row.RestoreHref = restoreHref(b.ID)
		}
		if may && worth != backup.Removed {
			row.Orders = []pages.Order{{Action: backupsPage + "/" + row.ID + "/drill", Key: uuid.NewString(), Effect: "Restore it beside the database"}}
			if worth != backup.Broken {
				row.Orders = append(row.Orders, pages.Order{Action: backupsPage + "/" + row.ID + "/rehearse", Key: uuid.NewString(), Effect: "Rehearse the migrations on it"})
			}
		}
		if worth == backup.Proven && v.Tone != components.Good {
			v.Tone, v.Sentence = components.Good, "The newest backup that restores was taken on "+clock.Stamp(b.Manifest.TakenAt)+"; it was restored "+why+"."
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

func (h backups) operationRow(o operation.Operation) pages.OperationRow {
	return pages.OperationRow{
		ID: o.ID.String(), Href: operationHref(o.ID), Title: operationTitle(o.Kind), State: operationStates[o.State], By: o.By.Name,
		Ordered: moment(o.RequestedAt, h.now(), time.UTC), Sentence: o.Sentence,
	}
}

func operationTitle(kind operation.Kind) string {
	switch kind {
	case operation.Backup:
		return "Backup"
	case operation.Drill:
		return "Drill of a backup"
	case operation.Rehearsal:
		return "Rehearsal"
	case operation.Sample:
		return "Rehearsal on a sample"
	case operation.External:
		return "Drill of another tool's backup"
	case operation.Losses:
		return "Saving what an undo loses"
	case operation.Repair:
		return "Repair"
	case operation.Reindex:
		return "Rebuilding an index"
	case operation.Restore:
		return "Restore"
	}
	return string(kind)
}

func (h backups) operationView(shell layouts.Shell, o operation.Operation, lines []operation.Line) pages.OperationShowView {
	v := pages.OperationShowView{
		Shell: shell, ID: o.ID.String(), Kind: string(o.Kind), State: operationStates[o.State], Sentence: o.Sentence, By: o.By.Name, Elapsed: "–",
		Ordered: moment(o.RequestedAt, h.now(), time.UTC), Started: moment(o.StartedAt, h.now(), time.UTC), Ended: moment(o.FinishedAt, h.now(), time.UTC),
		Next: components.Link{Label: "To the backups", Href: backupsPage},
	}
	if (o.Kind == operation.Rehearsal || o.Kind == operation.Sample) && o.Result != uuid.Nil {
		v.Next = components.Link{Label: "To the report, statement by statement", Href: rehearsalHref(o.Result)}
	}
	v.Next = operationNext(o, v.Next)
	if !o.StartedAt.IsZero() {
		end := o.FinishedAt
		if end.IsZero() {
			end = h.now()
		}
		elapsed := max(0, end.Sub(o.StartedAt))
		v.Elapsed, v.ElapsedMs = duration(elapsed), elapsed.Milliseconds()
	}
	for _, l := range lines {
		v.Lines = append(v.Lines, operationLine(l))
	}
	if o.State.Active() {
		v.LiveHref, v.RefreshSeconds = operationHref(o.ID), 3
		v.EventHref = eventHref(v.LiveHref, v.Lines)
		v.Sentence = "The database itself is only read. You may leave this page; the work goes on."
		if o.Kind == operation.Repair || o.Kind == operation.Reindex || o.Kind == operation.Restore {
			v.Sentence = "It changes the database. You may leave this page; the work goes on."
		}
		if o.State == operation.Queued {
			v.Sentence = "It is taken up in a moment. You may leave this page."
		}
	}
	return v
}

func operationLine(l operation.Line) pages.LogLine {
	tone := components.Neutral
	if strings.HasPrefix(l.Text, "Found: ") {
		tone = components.Bad
	}
	return pages.LogLine{Seq: l.Seq, At: l.At.UTC().Format("15:04:05.000"), Text: l.Text, Tone: tone}
}

// operationNext leads back to where the work was ordered.
func operationNext(o operation.Operation, usual components.Link) components.Link {
	switch o.Kind {
	case operation.Losses:
		return components.Link{Label: "To the undo of " + o.Argument, Href: migrationsPage + "/" + o.Argument + "/down"}
	case operation.Repair:
		if _, v, err := migration.ParseRepairChoice(o.Argument); err == nil {
			return components.Link{Label: "To the repair of " + v.Title(), Href: repairHref(v)}
		}
	case operation.Reindex:
		return components.Link{Label: "To the migrations", Href: migrationsPage}
	case operation.Restore:
		return components.Link{Label: "To the restore of this backup", Href: restoreHref(o.Subject)}
	case operation.External:
		if id, err := uuid.Parse(o.Argument); err == nil {
			return components.Link{Label: "To the backup", Href: externalHref(id)}
		}
	case operation.Backup, operation.Drill, operation.Rehearsal, operation.Sample:
	}
	return usual
}
