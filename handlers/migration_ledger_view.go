package handlers

import (
	"strings"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/components"
)

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
