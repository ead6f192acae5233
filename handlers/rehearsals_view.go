package handlers

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

const (
	// slowStatement is from where on a statement is shown even if it locks and rewrites nothing that was there.
	slowStatement = 20 * time.Millisecond
	// mostMeasured of a pass are shown; the report holds all.
	mostMeasured = 25
)

func rehearsalState(passed bool) components.State {
	if passed {
		return components.State{Code: "passed", Word: "Passed", Tone: components.Good}
	}
	return components.State{Code: "failed", Word: "Did not pass", Tone: components.Bad}
}

func (h rehearsals) listView(shell layouts.Shell, by actor.Actor, list []migration.RehearsalSummary) pages.RehearsalListView {
	v := pages.RehearsalListView{
		Shell: shell, Backups: backupsPage,
		Nothing: "No migration has been rehearsed yet. A rehearsal runs every pending file up, down and up again on a restored backup, and measures each statement.",
	}
	if !by.Operator {
		v.Backups = ""
		v.Nothing = "Migrations are rehearsed by the tenant that operates this environment; its rehearsals are not shown here."
	}
	for _, r := range list {
		v.Rows = append(v.Rows, pages.RehearsalRow{
			ID: r.ID.String(), Href: rehearsalHref(r.ID), Held: moment(r.RecordedAt, h.now(), time.UTC), State: rehearsalState(r.Passed), Verdict: r.Verdict,
			Versions: versionTitles(r.Versions), Data: r.DataWords(), By: r.By, SHA256: r.SHA256,
		})
	}
	return v
}

func versionTitles(versions []string) string {
	titles := make([]string, len(versions))
	for i, v := range versions {
		titles[i] = "V" + v
	}
	return strings.Join(titles, ", ")
}

func (h rehearsals) showView(shell layouts.Shell, r migration.Rehearsal) pages.RehearsalShowView {
	report := r.Report
	v := pages.RehearsalShowView{
		Shell: shell, ID: r.ID.String(), State: rehearsalState(report.Passed()), Verdict: report.Verdict(), SHA256: r.SHA256,
		Download: rehearsalHref(r.ID) + "/report",
		Facts: []components.Fact{
			{Label: "Held", Time: moment(r.RecordedAt, h.now(), time.UTC)},
			{Label: "By", Value: r.By.Name},
			{Label: "On", Value: report.Data.Words()},
			{Label: "From its first file to its last", Value: duration(max(0, report.FinishedAt.Sub(report.StartedAt)))},
			{Label: "By PostgreSQL", Value: report.Server},
		},
	}
	switch {
	case report.Data.Kind == migration.OnCopy:
		v.Caveat = "It ran on a copy that somebody made by hand, and nobody here saw of what. What does not work shows here; that it passed opens no gate, unless two people override the age of the backup."
	case report.Data.Sample != nil:
		v.Caveat = "It ran on " + report.Data.Sample.Words() + ". What does not work shows here; that it passed proves nothing about all of the data, opens no gate, and its times are no estimate."
		v.Sampled = sampledTables(report.Data)
	}
	for _, one := range report.Versions {
		v.Versions = append(v.Versions, rehearsedVersion(one))
	}
	if missing := len(report.Planned) - len(report.Versions); missing > 0 {
		v.Missing = "Not reached: " + versionTitles(report.Planned[len(report.Versions):]) + ". The first error ends a rehearsal."
	}
	return v
}

func rehearsedVersion(one migration.RehearsedVersion) pages.RehearsedVersion {
	v := pages.RehearsedVersion{
		Version: "V" + one.Version, Href: migrationsPage + "/V" + one.Version, State: rehearsalState(len(one.Wrong()) == 0),
		SHA256: one.SHA256, Wrong: one.Wrong(), Schema: "not compared: it did not run up, down and up again", Checks: "not made",
	}
	if len(one.Passes) == 3 && one.Passes[2].Error == "" {
		v.Schema, v.Checks = "the same", allHold(one.Checks)
		if differ := len(one.Left) + len(one.Differs); differ > 0 {
			v.Schema = counted(differ, "difference", "differences")
		}
		if len(one.Failed) > 0 {
			v.Checks = fmt.Sprintf("%d of %d do not hold", len(one.Failed), one.Checks)
		}
	}
	names := []string{"Up", "Down", "Up again"}
	for i, p := range one.Passes {
		v.Passes = append(v.Passes, rehearsedPass(names[min(i, 2)], fmt.Sprintf("pass-%s-%d", one.Version, i), p))
	}
	return v
}

func allHold(checks int) string {
	if checks == 1 {
		return "the one holds"
	}
	return fmt.Sprintf("all %d hold", checks)
}

func rehearsedPass(name, id string, p migration.RehearsedPass) pages.RehearsedPass {
	v := pages.RehearsedPass{Name: name, Took: duration(p.Took), Error: p.Error, Open: id}
	noticed := 0
	for _, s := range p.Statements {
		if len(noticedLocks(s.Locks))+len(s.Rewrites) == 0 && s.Took < slowStatement {
			continue
		}
		if noticed++; noticed > mostMeasured {
			continue
		}
		v.Measured = append(v.Measured, pages.RehearsedStatement{
			Line: strconv.Itoa(s.Line), SQL: s.SQL, Took: duration(s.Took), Rows: strconv.FormatInt(s.Rows, 10),
			WAL: fmt.Sprintf("%.1f kB", float64(s.WALBytes)/1000), Locks: noticedLocks(s.Locks), Rewrites: s.Rewrites,
		})
	}
	v.Words = counted(len(p.Statements), "statement", "statements")
	switch quiet := len(p.Statements) - noticed; {
	case quiet > 0 && noticed == 0:
		v.Words += ", quick, and without a lock on what was there"
	case quiet > 0:
		v.Words += fmt.Sprintf("; %d of them quick, and without a lock on what was there", quiet)
	}
	if noticed > mostMeasured {
		v.Words += fmt.Sprintf("; the first %d of the others are shown, the report holds all", mostMeasured)
	}
	if p.Bare {
		v.Words += "; it runs without a transaction, so its locks end with each statement and could not be read"
	}
	return v
}

// noticedLocks leaves out the lock of reading, which keeps nobody but a rewrite waiting.
func noticedLocks(locks []migration.HeldLock) []string {
	var words []string
	for _, l := range locks {
		if l.Mode != "AccessShareLock" {
			words = append(words, l.Relation+": "+l.Mode)
		}
	}
	return words
}
