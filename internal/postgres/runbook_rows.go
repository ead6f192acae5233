package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/live"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

type runRow struct {
	RunID                                            uuid.UUID `db:"run_id"`
	Environment, Code, Title, State                  string
	T0                                               time.Time
	TimeZone, TemplateName, TemplateVersion          string
	TemplateSHA256                                   string `db:"template_sha256"`
	StartedByIssuer, StartedBySubject, StartedByName string
	StartedAt                                        time.Time
	EndedAt                                          *time.Time
	EndedBy, EndReason                               string
	ItemsTotal, ItemsDone, ItemsFailed, ItemsSkipped int
	Version                                          int
}

func (r runRow) run() runbook.Run {
	return runbook.Run{
		ID: r.RunID, Environment: r.Environment, Code: r.Code, Title: r.Title, State: runbook.State(r.State), T0: r.T0.UTC(), TimeZone: r.TimeZone,
		Template: runbook.TemplateRef{Name: r.TemplateName, Version: r.TemplateVersion, SHA256: r.TemplateSHA256},
		Starter:  runbook.Person{Issuer: r.StartedByIssuer, Subject: r.StartedBySubject, Name: r.StartedByName}, StartedAt: r.StartedAt.UTC(),
		EndedAt: timeOrZero(r.EndedAt), EndedBy: r.EndedBy, EndReason: r.EndReason,
		Counts: runbook.Counts{Total: r.ItemsTotal, Done: r.ItemsDone, Failed: r.ItemsFailed, Skipped: r.ItemsSkipped}, Version: r.Version,
	}
}

// listedRunRow is what a list shows of a run.
type listedRunRow struct {
	RunID                                            uuid.UUID `db:"run_id"`
	Code, Title, State                               string
	T0                                               time.Time
	TimeZone, TemplateName, TemplateVersion          string
	StartedByName                                    string
	StartedAt                                        time.Time
	ItemsTotal, ItemsDone, ItemsFailed, ItemsSkipped int
}

func (r listedRunRow) run(environment string) runbook.Run {
	return runbook.Run{
		ID: r.RunID, Environment: environment, Code: r.Code, Title: r.Title, State: runbook.State(r.State), T0: r.T0.UTC(), TimeZone: r.TimeZone,
		Template: runbook.TemplateRef{Name: r.TemplateName, Version: r.TemplateVersion},
		Starter:  runbook.Person{Name: r.StartedByName}, StartedAt: r.StartedAt.UTC(),
		Counts: runbook.Counts{Total: r.ItemsTotal, Done: r.ItemsDone, Failed: r.ItemsFailed, Skipped: r.ItemsSkipped},
	}
}

func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

type runItemRow struct {
	ItemID                                     string
	Position                                   int
	Phase, Gate, Title, OwnerRole              string
	Required                                   bool
	OffsetSeconds                              int
	NotBeforeSeconds, FreshSeconds             *int
	AfterItems                                 []string
	Kind, CheckName, State                     string
	HolderIssuer, HolderSubject, HolderName    string
	SettledIssuer, SettledSubject, SettledName string
	SettledAt, DueAt                           *time.Time
	Reason                                     string
	Evidence                                   *int
	EvidenceAt                                 *time.Time
	Round                                      int
	Waiver                                     *uuid.UUID
	Version                                    int
	Altered                                    bool
}

func (r runItemRow) item() runbook.Item {
	i := runbook.Item{
		ID: runbook.ItemID(r.ItemID), Position: r.Position, Phase: runbook.PhaseID(r.Phase), Gate: signoff.GateID(r.Gate), Title: r.Title,
		Owner: actor.Role(r.OwnerRole), Required: r.Required, Offset: time.Duration(r.OffsetSeconds) * time.Second,
		Kind: runbook.Kind(r.Kind), Check: r.CheckName, State: runbook.ItemState(r.State),
		Holder:    runbook.Person{Issuer: r.HolderIssuer, Subject: r.HolderSubject, Name: r.HolderName},
		Settled:   runbook.Person{Issuer: r.SettledIssuer, Subject: r.SettledSubject, Name: r.SettledName},
		SettledAt: timeOrZero(r.SettledAt), DueThen: timeOrZero(r.DueAt), Reason: r.Reason, EvidenceAt: timeOrZero(r.EvidenceAt), Round: r.Round, Version: r.Version,
		Altered: r.Altered,
	}
	if r.NotBeforeSeconds != nil {
		distance := time.Duration(*r.NotBeforeSeconds) * time.Second
		i.NotBefore = &distance
	}
	if r.FreshSeconds != nil {
		limit := time.Duration(*r.FreshSeconds) * time.Second
		i.FreshFor = &limit
	}
	if r.Waiver != nil {
		i.Waiver = *r.Waiver
	}
	for _, id := range r.AfterItems {
		i.After = append(i.After, runbook.ItemID(id))
	}
	if r.Evidence != nil {
		i.Evidence = *r.Evidence
	}
	return i
}

type runGateRow struct {
	Gate, Name, Judges, AfterPhase string
	OffsetSeconds                  int
	Passed                         bool
	At                             time.Time
}

// planRows are the rows of a plan, read by one batch.
type planRows struct {
	run   runRow
	items []runItemRow
	gates []runGateRow
}

// queue asks for the items and gates; the run itself is asked for by queueRun, or was locked before.
func (p *planRows) queue(b *pgx.Batch, run uuid.UUID) {
	args := pgx.StrictNamedArgs{"run": run}
	b.Queue(sql("RunItems"), args).Query(collect(&p.items))
	b.Queue(sql("RunGates"), args).Query(collect(&p.gates))
}

func (p *planRows) queueRun(b *pgx.Batch, run uuid.UUID) {
	b.Queue(sql("Run"), pgx.StrictNamedArgs{"run": run}).Query(collectOne(&p.run))
	p.queue(b, run)
}

func (p *planRows) plan() runbook.Plan {
	plan := runbook.Plan{Run: p.run.run()}
	for _, row := range p.items {
		plan.Items = append(plan.Items, row.item())
	}
	for _, row := range p.gates {
		plan.Gates = append(plan.Gates, runbook.Gate{
			ID: signoff.GateID(row.Gate), Name: row.Name, Judges: row.Judges, AfterPhase: runbook.PhaseID(row.AfterPhase),
			Offset: time.Duration(row.OffsetSeconds) * time.Second, Passed: row.Passed,
		})
		plan.At = row.At.UTC()
	}
	return plan
}

type runMigrationRow struct {
	Version, Title string
	SHA256         string `db:"sha256"`
	Direction      string
	Success        bool
	FinishedAt     *time.Time
	Own            bool
}

func (m runMigrationRow) shown() runbook.MigrationShown {
	return runbook.MigrationShown{
		Migration: runbook.Migration{Version: m.Version, Title: m.Title, SHA256: m.SHA256},
		Direction: m.Direction, Success: m.Success, At: timeOrZero(m.FinishedAt), Own: m.Own,
	}
}

type runEvidenceRow struct {
	Number                            int
	Kind, Value, Note, Summary, Query string
	Passed                            bool
	SHA256                            string `db:"sha256"`
	Intact                            bool
	Issuer, Subject, Name             string
	AddedAt                           time.Time
}

func (r runEvidenceRow) evidence() runbook.Evidence {
	return runbook.Evidence{
		Number: r.Number, Kind: runbook.Kind(r.Kind), Value: r.Value, Note: r.Note, Summary: r.Summary, Query: r.Query, Passed: r.Passed,
		SHA256: r.SHA256, Intact: r.Intact, By: runbook.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}, AddedAt: r.AddedAt.UTC(),
	}
}

type runTemplateRow struct {
	Template string
	At       time.Time
}

// Show reads a run, its items, gates, signatures and migrations in one round trip.
func (r Runbook) Show(ctx context.Context, by actor.Actor, run uuid.UUID) (runbook.Release, error) {
	var plan planRows
	var gates gateRows
	var migrations []runMigrationRow
	var template runTemplateRow
	var moment *momentRow
	var taken []takenOverRow
	var newest *templateRefRow
	var back rollbackRows
	args := pgx.StrictNamedArgs{"run": run}
	err := r.DB.page(ctx, by, func(b *pgx.Batch) {
		plan.queueRun(b, run)
		gates.queue(b, run, nil, "GateMarks")
		b.Queue(sql("RunMigrations"), args).Query(collect(&migrations))
		b.Queue(sql("RunTemplate"), args).Query(collectOne(&template))
		b.Queue(sql("NewestImported"), args).Query(collectMaybe(&newest))
		b.Queue(sql("TakenOver"), args).Query(collect(&taken))
		b.Queue(sql("ChangeMoment"), pgx.StrictNamedArgs{"release": run}).Query(collectMaybe(&moment))
		b.Queue(sql("Rollbacks"), args).Query(collect(&back.rollbacks))
		b.Queue(sql("RollbackActs"), args).Query(collect(&back.acts))
	})
	if err != nil {
		return runbook.Release{}, err
	}
	release := runbook.Release{Plan: plan.plan()}
	if moment != nil {
		release.Moment = moment.moment()
	}
	if release.Template, err = runbook.Frozen(template.Template); err != nil {
		return runbook.Release{}, err
	}
	if newest != nil {
		release.Newest = runbook.TemplateRef{Name: newest.Name, Version: newest.Version, SHA256: newest.SHA256}
	}
	for _, row := range taken {
		release.TakenOver = append(release.TakenOver, runbook.TakenOver{Item: runbook.ItemID(row.ItemID), Title: row.Title, Note: row.note()})
	}
	signing := gates.gates()
	for i, g := range release.Plan.Gates {
		release.Gates = append(release.Gates, runbook.GateShown{Gate: g, Signing: signing[i]})
	}
	for _, m := range migrations {
		release.Migrations = append(release.Migrations, m.shown())
	}
	release.Rollbacks = back.list(run)
	return release, nil
}

type historyRow struct {
	At                   time.Time
	Name, Action, Reason string
}

// Item reads an item with its plan, evidence and history in one round trip.
func (r Runbook) Item(ctx context.Context, by actor.Actor, run uuid.UUID, item runbook.ItemID) (runbook.ItemPage, error) {
	var plan planRows
	var template runTemplateRow
	var evidence []runEvidenceRow
	var history []historyRow
	var here []presentRow
	var files []fileRow
	var notes []noteRow
	var waiver *waiverRow
	err := r.DB.page(ctx, by, func(b *pgx.Batch) {
		plan.queueRun(b, run)
		b.Queue(sql("RunTemplate"), pgx.StrictNamedArgs{"run": run}).Query(collectOne(&template))
		b.Queue(sql("RunEvidence"), pgx.StrictNamedArgs{"run": run, "item": string(item)}).Query(collect(&evidence))
		b.Queue(sql("ItemFilesRead"), pgx.StrictNamedArgs{"run": run, "item": string(item)}).Query(collect(&files))
		b.Queue(sql("ItemNotes"), pgx.StrictNamedArgs{"run": run, "item": string(item)}).Query(collect(&notes))
		b.Queue(sql("ItemWaiver"), pgx.StrictNamedArgs{"run": run, "item": string(item)}).Query(collectMaybe(&waiver))
		b.Queue(sql("RunItemHistory"), pgx.StrictNamedArgs{"object": run.String() + "/" + string(item)}).Query(collect(&history))
		b.Queue(sql("PresentAt"), pgx.StrictNamedArgs{"place": live.Place(run, "item "+string(item))}).Query(collect(&here))
	})
	if err != nil {
		return runbook.ItemPage{}, err
	}
	page := runbook.ItemPage{Plan: plan.plan(), Here: presentOf(here)}
	found, ok := page.Plan.Item(item)
	if !ok {
		return runbook.ItemPage{}, noRelease(pgx.ErrNoRows)
	}
	page.Item = found
	if page.Template, err = runbook.Frozen(template.Template); err != nil {
		return runbook.ItemPage{}, err
	}
	for _, row := range evidence {
		page.Evidence = append(page.Evidence, row.evidence())
	}
	for _, row := range notes {
		page.Notes = append(page.Notes, row.note())
	}
	if waiver != nil {
		page.WaiverRoles, page.Waiver = waiver.roles(), waiver.waiver()
	}
	for _, row := range files {
		page.Files = append(page.Files, row.file())
	}
	for _, row := range history {
		page.History = append(page.History, runbook.HistoryLine{At: row.At.UTC(), Who: row.Name, Action: row.Action, Reason: row.Reason})
	}
	return page, nil
}

// presentRow is somebody who has a page open.
type presentRow struct {
	Issuer, Subject, Name string
	Since                 time.Time
}

func presentOf(rows []presentRow) []live.Present {
	var list []live.Present
	for _, r := range rows {
		list = append(list, live.Present{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name, Since: r.Since.UTC()})
	}
	return list
}

type releaseMarkRow struct {
	State           string
	Changes, Ledger int64
	Here            string
}

// Mark is what tells an open page of the release that it shows something that was.
func (r Runbook) Mark(ctx context.Context, by actor.Actor, run, place uuid.UUID) (runbook.Mark, error) {
	var row releaseMarkRow
	err := r.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("ReleaseMark"), pgx.StrictNamedArgs{"run": run, "place": place}).Query(collectOne(&row))
	})
	if err != nil {
		return runbook.Mark{}, noRelease(err)
	}
	state := runbook.State(row.State)
	return runbook.Mark{Value: fmt.Sprint(row.State, row.Changes, " ", row.Ledger, " ", row.Here), Over: runbook.Run{State: state}.Ended()}, nil
}
