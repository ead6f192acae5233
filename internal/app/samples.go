package app

import (
	"context"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/pgdump"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// RehearseOnSample clones the schema and a sample of the rows beside the database, of a table at most perTable whole,
// rehearses the pending migrations on that, drops it and keeps the report. Who may not is told before anything is cloned.
func RehearseOnSample(ctx context.Context, config Config, db *postgres.DB, schema *migrator.Migrator, by actor.Actor, perTable int, say func(string)) (migration.Rehearsal, error) {
	return rehearseOnSample(ctx, source(config, nil), migration.NewRehearsals(postgres.Rehearsals{DB: db}), schema, by, perTable, say)
}

func rehearseOnSample(ctx context.Context, from pgdump.Source, rehearsals migration.Rehearsals, schema *migrator.Migrator, by actor.Actor, perTable int, say func(string)) (migration.Rehearsal, error) {
	return rehearsals.Hold(ctx, by, func(ctx context.Context) (report migration.RehearsalReport, err error) {
		say("The schema and a sample of the rows are cloned beside the database. What passes on a sample opens no gate.")
		err = from.OnSample(ctx, perTable, say, func(ctx context.Context, address string, sample backup.Sample) error {
			data := migration.RehearsalData{Kind: migration.OnSample, Sample: &migration.RehearsalSample{RowsPerTable: sample.RowsPerTable}}
			for _, t := range sample.Tables {
				data.Sample.Tables = append(data.Sample.Tables, migration.SampledTable{Table: t.Table, Rows: t.Rows, Of: t.Of})
			}
			report, err = schema.Rehearse(ctx, migrator.RehearseRequest{URL: address, Data: data, Facts: postgres.CatalogFacts, Say: say})
			return err
		})
		return report, err
	})
}

// rehearseSample is a rehearsal where there is no backup yet.
func (w works) rehearseSample(ctx context.Context, o operation.Operation, say func(string)) (operation.Done, error) {
	kept, err := rehearseOnSample(ctx, w.source, w.rehearsals, w.schema, o.By, backup.UsualSampleRows, say)
	if err != nil {
		return operation.Done{}, err
	}
	return rehearsed(kept, say), nil
}
