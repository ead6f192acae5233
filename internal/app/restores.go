package app

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/pgdump"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/restore"
)

// Restores are the stories of restoring a backup, for the pages and the command line.
func Restores(db *postgres.DB, schema *migrator.Migrator, operations operation.Service) *restore.Service {
	return restore.NewService(postgres.Restores{DB: db}, restoreEyes{schema}, operation.Asks{Service: operations})
}

// restoreEyes look as the owner.
type restoreEyes struct{ schema *migrator.Migrator }

const ledgerTable = "gatehouse.migration_ledger"

// Measure counts what a restore would do now.
func (e restoreEyes) Measure(ctx context.Context, b backup.Backup, r *restore.Result) error {
	held, err := ledgerOf(b)
	if err != nil {
		return err
	}
	changes, highest, err := e.schema.PlanRestore(ctx, held)
	if err != nil {
		return err
	}
	then, _, _ := strings.Cut(b.Manifest.Standing, ";")
	if stood := standingWords(highest); then != stood {
		return fault.New(fault.Conflict, "The backup says that it was taken at %s, and the ledger here says %s: it is not a backup of this database.", then, stood)
	}
	for _, c := range changes {
		r.Versions = append(r.Versions, restore.Version{Version: c.Version.Title(), Goes: c.Goes()})
	}
	if highest >= 0 {
		r.WillStandAt = highest.Title()
	}
	ladder, err := e.schema.Status(ctx)
	if err != nil {
		return err
	}
	for _, rung := range ladder.Rungs {
		if rung.InDatabase() {
			r.StandsAt = rung.Version.Title()
		}
	}
	now, err := e.schema.WarehouseRows(ctx)
	if err != nil {
		return err
	}
	was := warehouseOf(b.Manifest.Rows)
	for _, name := range slices.Sorted(maps.Keys(was)) {
		counted, there := now[name]
		r.Tables = append(r.Tables, restore.Table{Name: name, Then: was[name], Now: counted.Rows, About: counted.About, Returns: !there})
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if _, held := was[name]; !held {
			r.Tables = append(r.Tables, restore.Table{Name: name, Now: now[name].Rows, About: now[name].About, Goes: true})
		}
	}
	return nil
}

// ledgerOf is how many entries the migration ledger had when the backup was taken.
func ledgerOf(b backup.Backup) (int, error) {
	n, ok := b.Manifest.Rows[ledgerTable]
	if !ok {
		return 0, fault.New(fault.Conflict, "%s holds no migration ledger, so nobody can say what its schema is. It is not restored from here.", b.Name)
	}
	return int(n), nil
}

func standingWords(highest migration.Version) string {
	if highest < 0 {
		return "no version"
	}
	return highest.Title()
}

// warehouseOf are the tables of the warehouse's schema.
func warehouseOf(rows map[string]int64) map[string]int64 {
	ours := map[string]int64{}
	for name, n := range rows {
		if strings.HasPrefix(name, "public.") {
			ours[name] = n
		}
	}
	return ours
}

// restore puts the warehouse back to what a backup held.
func (w works) restore(ctx context.Context, o operation.Operation, say func(string)) (operation.Done, error) {
	request, err := uuid.Parse(o.Argument)
	if err != nil {
		return operation.Done{}, fmt.Errorf("reading the order of a restore: %w", err)
	}
	by := o.By
	by.Rights = append(slices.Clone(by.Rights), actor.MigrationApply) // a machine's rights are not kept; that it may was asked when it was ordered
	b, err := w.backups.Whole(ctx, by, o.Subject)
	if err != nil {
		return operation.Done{}, err
	}
	held, err := ledgerOf(b)
	if err != nil {
		return operation.Done{}, err
	}
	say(fmt.Sprintf("%s was read again from end to end: its size and its SHA-256 %s are those of the record, and it holds every table.", b.Name, b.SHA256))
	var safety uuid.UUID
	sentence, err := w.schema.Restore(ctx, migrator.RestoreRequest{
		Request: request, Operation: o.ID, Backup: b.ID, Name: b.Name, SHA256: b.SHA256, By: o.By, Held: held, Log: say,
		Safety: func(ctx context.Context) (uuid.UUID, string, error) {
			dump, err := w.backups.Create(ctx, by)
			if err != nil {
				return uuid.Nil, "", err
			}
			safety = dump.ID
			return dump.ID, dump.Name, w.restores.Keep(ctx, by, dump.ID, request)
		},
		Section: func(ctx context.Context, section string, use func(io.Reader) error) error {
			file := func(work func(io.Reader) error) error { return w.backups.Reading(ctx, b, work) }
			return w.source.Section(ctx, file, section, use)
		},
		Compare: func(ctx context.Context, conn *pgx.Conn) ([]string, error) {
			rows, objects, err := pgdump.Measure(ctx, conn)
			if err != nil {
				return nil, err
			}
			was := backup.Manifest{Rows: warehouseOf(b.Manifest.Rows), Objects: b.Manifest.Warehouse}
			if was.Objects == nil { // a backup of before they were counted
				objects = nil
			}
			return was.Differences(backup.Manifest{Rows: rows, Objects: objects}), nil
		},
	})
	return operation.Done{Passed: err == nil, Sentence: sentence, Result: safety}, err
}
