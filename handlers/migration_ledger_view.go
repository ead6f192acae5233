package handlers

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/pages"
)

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

// entryFacts is what the ledger keeps of a try beside its row. What belongs to another organisation is empty and left out.
func entryFacts(e migration.Entry) []components.Fact {
	facts := []components.Fact{
		{Label: "Script", Value: e.Script},
		{Label: "Began", Value: e.StartedAt.UTC().Format("2006-01-02 15:04:05.000Z")},
		{Label: "Ended", Value: e.FinishedAt.UTC().Format("2006-01-02 15:04:05.000Z")},
		{Label: "Server", Value: "PostgreSQL " + e.Server},
		{Label: "Lock waits", Value: e.WaitWords()},
		{Label: "SHA-256 of what it says", Value: e.TokensSHA256, Code: true},
	}
	for _, f := range []components.Fact{
		{Label: "SQLSTATE", Value: e.SQLState, Code: true},
		{Label: "As", Value: strings.ReplaceAll(e.By.Roles, ",", ", ")},
		{Label: "Through", Value: e.By.Origin},
		{Label: "Release", Value: idOrNone(e.Release), Code: true},
		{Label: "Run", Value: idOrNone(e.Run), Code: true},
	} {
		if f.Value != "" {
			facts = append(facts, f)
		}
	}
	return facts
}

func idOrNone(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}
