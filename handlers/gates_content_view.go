package handlers

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/pages"
)

// differences are the first changes in the words of the page; a page with hundreds of them says less.
func differences(changes []signoff.Change) []pages.Difference {
	const enough = 20
	var list []pages.Difference
	for _, c := range changes[:min(enough, len(changes))] {
		list = append(list, pages.Difference{What: c.What, Then: cutText(c.Then), Now: cutText(c.Now)})
	}
	if more := len(changes) - enough; more > 0 {
		list = append(list, pages.Difference{What: "More", Then: "", Now: counted(more, "further change", "further changes")})
	}
	return list
}

func cutText(s string) string {
	const enough = 300
	if runes := []rune(s); len(runes) > enough {
		return string(runes[:enough]) + "…"
	}
	return s
}

func contentSections(g signoff.Gate) ([]pages.ContentSection, error) {
	content, err := signoff.ParseContent(g.Content)
	if err != nil {
		return nil, err
	}
	attempts := pages.ContentSection{Title: "What came before"}
	for _, e := range content.Stops {
		attempts.Facts = append(attempts.Facts, components.Fact{
			Label: fmt.Sprintf("Attempt %d, %s", e.Attempt, e.Kind), Value: fmt.Sprintf("%s, %s: %s", e.By, contentTime(e.At, gateZone(g)), e.Reason),
		})
	}
	for _, a := range content.Attempts {
		attempts.Facts = append(attempts.Facts, components.Fact{Label: fmt.Sprintf("Attempt %d, opened", a.Attempt), Value: fmt.Sprintf("%s, %s: %s", a.By, contentTime(a.At, gateZone(g)), a.Note)})
	}
	for _, b := range content.Rollbacks {
		attempts.Facts = append(attempts.Facts, components.Fact{Label: b.Option + ", given up", Value: fmt.Sprintf("Begun by %s: %s. Given up by %s: %s", b.By, b.Reason, b.GivenUpBy, b.GivenUp)})
	}
	release := pages.ContentSection{Title: "Release", Facts: []components.Fact{
		{Label: "Code", Value: content.Release.Code, Code: true},
		{Label: "Title", Value: content.Release.Title},
		{Label: "Environment", Value: content.Release.Environment},
		{Label: "T-0", Value: contentTime(content.Release.T0, gateZone(g))},
		{Label: "Time zone", Value: content.Release.TimeZone},
		{Label: "Runbook", Value: content.Template.Name + " " + content.Template.Version},
		{Label: "Runbook, SHA-256", Value: content.Template.SHA256, Code: true},
	}}
	if content.Expires != "" {
		release.Facts = append(release.Facts, components.Fact{Label: "To be passed by", Value: contentTime(content.Expires, gateZone(g))})
	}
	if h := content.Health; h != nil {
		release.Facts = append(release.Facts, components.Fact{Label: "Health", Value: h.Summary + " (" + h.At + ")"})
	}
	judged := pages.ContentSection{Title: "Items this gate judges"}
	for _, i := range content.Items {
		row := pages.ContentRow{ID: i.ID, Title: i.Title, State: itemStates[runbook.ItemState(i.State)], Href: itemHref(g.Release.ID, runbook.ItemID(i.ID))}
		if i.Evidence != nil {
			row.SHA256, row.Said, row.Note = i.Evidence.SHA256, cmp.Or(i.Evidence.Summary, i.Evidence.Value), i.Evidence.Note
		}
		for _, f := range i.Files {
			row.Files = append(row.Files, f.Name+", "+bytesWords(f.Bytes)+", SHA-256 "+f.SHA256)
		}
		row.Reason = i.Reason
		if w := i.Waiver; w != nil {
			row.Said = "Skipped by the signature of " + w.By + ": “" + w.Statement + "” (SHA-256 " + w.SHA256 + ")"
		}
		if i.By != "" {
			row.By = i.By + ", " + contentTime(i.At, gateZone(g))
		}
		judged.Rows = append(judged.Rows, row)
	}
	files, before := pages.ContentSection{Title: "Migrations of this release"}, pages.ContentSection{Title: "In the database before this release"}
	for _, m := range content.Migrations {
		row := pages.ContentRow{ID: "V" + m.Version, Title: m.Title, SHA256: m.SHA256, Href: migrationsPage + "/V" + m.Version, State: components.State{Code: "file", Word: "File frozen", Tone: components.Info}}
		there := false
		for _, a := range content.Applied {
			switch {
			case a.Version != m.Version:
			case !a.Success:
				row.State = components.State{Code: "failed", Word: "Last try failed", Tone: components.Bad}
			case a.Direction == "down", a.Direction == "restore":
				row.State = migrationState(migration.StateUndone)
			default:
				row.State = migrationState(migration.StateApplied)
				there = wasThere(a, g.Release.StartedAt)
			}
		}
		if there {
			row.State = appliedBefore
			before.Rows = append(before.Rows, row)
			continue
		}
		files.Rows = append(files.Rows, row)
	}
	sections := []pages.ContentSection{release}
	if len(attempts.Facts) > 0 {
		sections = append(sections, attempts)
	}
	if sections = append(sections, judged, files); len(before.Rows) > 0 {
		sections = append(sections, before)
	}
	return sections, nil
}

// wasThere says whether the ledger's entry is from before a release was started, so that the migration is none of its own.
func wasThere(a signoff.ContentApplied, started time.Time) bool {
	at, err := time.Parse(time.RFC3339Nano, a.FinishedAt)
	return err == nil && at.Before(started)
}

// contentTime is a time of the content for reading, in the release's zone: "30 Nov 2026, 04:36 EST".
func contentTime(at string, zone *time.Location) string {
	t, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return at
	}
	local := t.In(zone)
	return local.Format("2 Jan 2006, 15:04") + " " + zoneName(local)
}

// indented is the content for reading; the hash is over the text without these line breaks.
func indented(content string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(content), "", "  ") != nil {
		return content
	}
	return b.String()
}
