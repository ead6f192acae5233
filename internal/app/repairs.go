package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// Repairs are the stories of repairs, of what an undo loses and of broken indexes, for the pages and the command line.
func Repairs(config Config, db *postgres.DB, schema *migrator.Migrator, operations operation.Service) *migration.Repairs {
	return migration.NewRepairs(postgres.Probes{DB: db}, prober{schema, string(config.OwnerDatabaseURL)}, operation.Asks{Service: operations}, schema.Files())
}

// prober looks as the owner.
type prober struct {
	schema   *migrator.Migrator
	ownerURL string
}

func (p prober) Probe(ctx context.Context, v migration.Version) (migration.Probe, error) {
	return p.schema.Probe(ctx, v, p.facts)
}

func (p prober) facts(ctx context.Context, objects []migration.Object) ([]migration.Fact, error) {
	return postgres.CatalogFacts(ctx, p.ownerURL, objects)
}

// saveLosses counts what the undo of a version would lose, and saves it.
func (w works) saveLosses(ctx context.Context, o operation.Operation, say func(string)) (operation.Done, error) {
	v, err := migration.ParseVersion(o.Argument)
	if err != nil {
		return operation.Done{}, err
	}
	down, ok := w.schema.Files().Down(v)
	if !ok {
		return operation.Done{}, fault.New(fault.NotFound, "There is no file to take %s back with.", v.Title())
	}
	losses, unread := migration.Losses(down)
	if len(unread) > 0 {
		return operation.Done{}, fault.New(fault.Conflict, "What %s throws away cannot be counted beforehand, so it is not undone from here.", unread[0])
	}
	parts := make([]backup.Part, len(losses))
	for i, l := range losses {
		parts[i] = backup.Part{Table: l.Table, Column: l.Column, To: l.To, Where: l.Where}
	}
	things := fmt.Sprintf("%d things. They are", len(parts))
	if len(parts) == 1 {
		things = "one thing. It is"
	}
	say(fmt.Sprintf("%s is read: it throws away %s counted in one snapshot.", down.Script, things))
	saved := migration.Saved{ID: uuid.New(), Operation: o.ID, Version: v, UndoSHA256: down.SHA256}
	stem := fmt.Sprintf("undo_%s_%s", v.Title(), saved.ID.String()[:8])
	kept, err := w.source.Save(ctx, w.place, strings.ToLower(stem), parts, say)
	if err != nil {
		return operation.Done{}, err
	}
	saved.TakenAt, saved.OldestXID, saved.NextXID = kept.TakenAt, kept.OldestXID, kept.NextXID
	for i, p := range kept.Parts {
		losses[i].Rows, losses[i].AtLeast, losses[i].Recent, losses[i].RecentSum = p.Rows, p.AtLeast, p.Recent, p.RecentSum
		say(fmt.Sprintf("%s %s.", losses[i].Count(), losses[i].What()))
	}
	saved.Losses = losses
	for _, f := range kept.Files {
		saved.Files = append(saved.Files, migration.SavedFile{Name: f.Name, Holds: f.Holds, Bytes: f.Bytes, SHA256: f.SHA256})
	}
	if err := w.losses.Add(ctx, workerFor(o.By), saved); err != nil {
		return operation.Done{}, err
	}
	return operation.Done{Passed: true, Sentence: saved.Meaning(), Result: saved.ID}, nil
}

// workerFor is Gatehouse itself, at work for a person's order.
func workerFor(by actor.Actor) actor.Actor {
	worker := actor.System(actor.Worker, "operation worker")
	worker.Tenant = by.Tenant
	return worker
}

// repair carries a choice out, where the database still proves it.
func (w works) repair(ctx context.Context, o operation.Operation, say func(string)) (operation.Done, error) {
	choice, v, err := migration.ParseRepairChoice(o.Argument)
	if err != nil {
		return operation.Done{}, err
	}
	say(fmt.Sprintf("%s is looked at under the migration lock, to be repaired as %s.", v.Title(), choice.As))
	probe, err := w.schema.Repair(ctx, migrator.RepairRequest{
		Version: v, As: choice.As, By: o.By, Reason: choice.Reason, Seen: choice.Seen, Log: say,
		Facts: prober{w.schema, w.ownerURL}.facts,
	})
	if err != nil {
		return operation.Done{}, err
	}
	say(probe.Sentence())
	return operation.Done{Passed: true, Sentence: fmt.Sprintf("%s is recorded as %s. The look before it has the SHA-256 %s.", v.Title(), choice.As, probe.Hash())}, nil
}

// reindex drops an index that is not valid and builds it again.
func (w works) reindex(ctx context.Context, o operation.Operation, say func(string)) (operation.Done, error) {
	if err := w.schema.Rebuild(ctx, o.By.Tenant, o.Argument, say); err != nil {
		return operation.Done{}, err
	}
	return operation.Done{Passed: true, Sentence: o.Argument + " does no harm any more; the log says what was done."}, nil
}
