package handlers

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

var externalWorths = map[backup.ExternalWorth]components.State{
	backup.ExternalProven:   {Code: "proven", Word: "Restored here", Tone: components.Good},
	backup.ExternalOther:    {Code: "unproven", Word: "Restores, of unknown origin", Tone: components.Warn},
	backup.ExternalAttested: {Code: "attested", Word: "Restored, by attestation", Tone: components.Warn},
	backup.ExternalDue:      {Code: "due", Word: "Never restored", Tone: components.Warn},
	backup.ExternalOverdue:  {Code: "overdue", Word: "Drill overdue", Tone: components.Bad},
	backup.ExternalBroken:   {Code: "broken", Word: "Does not restore", Tone: components.Bad},
}

// externalRow is an external backup in a list.
func externalRow(x backup.External, now time.Time, within time.Duration) pages.ExternalRow {
	worth, why := x.Worth(now, within)
	switch worth {
	case backup.ExternalDue, backup.ExternalOverdue:
		why = "drill due " + why
	case backup.ExternalProven, backup.ExternalOther, backup.ExternalAttested, backup.ExternalBroken:
	}
	return pages.ExternalRow{
		ID: x.ID.String(), Href: externalHref(x.ID), Name: x.Provider + " " + x.Identifier, Taken: moment(x.TakenAt, now, time.UTC),
		Worth: externalWorths[worth], Why: why, Covers: x.Covers, By: x.By,
	}
}

func externalRows(list []backup.External, now time.Time, within time.Duration) (rows []pages.ExternalRow) {
	for _, x := range list {
		rows = append(rows, externalRow(x, now, within))
	}
	return rows
}

func (h externals) stale(by actor.Actor) bool {
	return by.AuthTime.IsZero() || h.now().Sub(by.AuthTime) > migrationFreshness
}

func (h externals) listView(shell layouts.Shell, by actor.Actor, list []backup.External) pages.ExternalListView {
	v := pages.ExternalListView{
		Shell: shell, Rows: externalRows(list, h.now(), h.stories.Within()),
		Nothing: "No backup of another tool has been registered.",
		Lead: fmt.Sprintf("A backup that your provider or another tool took is written down here by a person, with evidence. It has to be restored within %d days, and it opens no gate before.",
			int(h.stories.Within().Hours())/24),
	}
	switch {
	case !by.Operator:
		v.Lead, v.Nothing = "", "The database is looked after by the tenant that operates this environment; its backups are not shown here."
	case !by.Can(actor.MigrationApply):
		v.WhoCan = roleTitles(actor.RolesWith(actor.MigrationApply))
	case h.stale(by):
		v.Fresh = web.LoginHref(externalsPage, true)
	default:
		v.Form.Action = externalsPage
	}
	return v
}

func (h externals) showView(shell layouts.Shell, by actor.Actor, x backup.External) pages.ExternalShowView {
	worth, _ := x.Worth(h.now(), h.stories.Within())
	row := externalRow(x, h.now(), h.stories.Within())
	v := pages.ExternalShowView{
		Shell: shell, ID: row.ID, Worth: row.Worth, Why: row.Why, Follows: worth.Sentence(), SHA256: x.SHA256,
		Facts: []components.Fact{
			{Label: "Taken, says " + x.By, Time: row.Taken},
			{Label: "Covers", Value: x.Covers},
			{Label: "Evidence", Value: x.Evidence},
			{Label: "Registered", Time: moment(x.RegisteredAt, h.now(), time.UTC)},
			{Label: "File where backups are kept", Value: x.File},
		},
	}
	if x.File == "" {
		v.Facts[4].Value = "none, so nothing can be restored from here"
	}
	for _, d := range []*backup.ExternalDrill{x.Own, x.Attested} {
		if d == nil {
			continue
		}
		label, text := "Restored here by "+d.By, "it restores"
		switch {
		case d.Attested:
			label, text = "Restored elsewhere, says "+d.By, d.Evidence
		case !d.Passed:
			text = d.Findings[0]
		case d.Unproven != "":
			text = d.Unproven
		}
		v.Facts = append(v.Facts, components.Fact{Label: label, Value: d.RestoredAt.UTC().Format("2006-01-02 15:04 UTC") + ": " + text})
	}
	switch {
	case !by.Operator || worth == backup.ExternalProven:
	case !by.Can(actor.MigrationApply):
		v.WhoCan = roleTitles(actor.RolesWith(actor.MigrationApply))
	case h.stale(by):
		v.Fresh = web.LoginHref(externalHref(x.ID), true)
	default:
		if x.File != "" {
			v.Drill = pages.Order{Action: externalHref(x.ID) + "/drill", Key: uuid.NewString(), Effect: "Restore it beside the database"}
		}
		v.Attest.Action = externalHref(x.ID) + "/attest"
	}
	return v
}
