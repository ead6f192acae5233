package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/dossier"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

// Dossiers reads releases for archives.
type Dossiers struct {
	DB    *DB
	Trail Audit
}

type partRow struct{ Part string }

// parts is a batch callback that reads rows of JSON.
func parts[T any](into *[]T) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		list, err := pgx.CollectRows(rows, pgx.RowToStructByName[partRow])
		*into = make([]T, len(list))
		for i, row := range list {
			if err == nil {
				err = json.Unmarshal([]byte(row.Part), &(*into)[i])
			}
		}
		return err
	}
}

type dossierRow struct {
	Release, Template string
	At                time.Time
}

type rehearsalPartRow struct{ Part, Report string }

// Find gives the newest release of that code, or the one of that id.
func (d Dossiers) Find(ctx context.Context, by actor.Actor, named string) (uuid.UUID, error) {
	var found []struct{ RunID uuid.UUID }
	err := d.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("RunsNamed"), pgx.StrictNamedArgs{"named": named}).Query(collect(&found))
	})
	switch {
	case err != nil:
		return uuid.Nil, err
	case len(found) == 0:
		return uuid.Nil, fault.New(fault.NotFound, "There is no release %q here.", named)
	case len(found) > 1:
		return uuid.Nil, fault.New(fault.Conflict, "There are %d releases %q; name one by its id. The newest is %s.", len(found), named, found[0].RunID)
	}
	return found[0].RunID, nil
}

// Dossier writes down that the release is exported, reads all of it in one moment, and has the head sealed afterwards, so
// that the seal is over whatever the record knows of.
func (d Dossiers) Dossier(ctx context.Context, by actor.Actor, run uuid.UUID) (dossier.Dossier, error) {
	err := d.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		var at time.Time
		var template string
		if err := tx.QueryRow(ctx, sql("RunTemplate"), pgx.StrictNamedArgs{"run": run}).Scan(&template, &at); err != nil {
			return noRelease(err)
		}
		return record(ctx, tx, by, audit.Event{Action: "release:export", ObjectKind: "release", ObjectID: run.String(), After: map[string]any{"form": dossier.Form}})
	})
	if err != nil {
		return dossier.Dossier{}, err
	}
	made, err := d.read(ctx, by, run)
	if err != nil {
		return dossier.Dossier{}, err
	}
	made.Key, made.By = d.Trail.Keys.Own(), by.Name
	return made, d.trail(ctx, by, run, &made)
}

func (d Dossiers) read(ctx context.Context, by actor.Actor, run uuid.UUID) (dossier.Dossier, error) {
	var head dossierRow
	var rehearsals []rehearsalPartRow
	var r dossier.Record
	var migrated migratedRow
	err := d.DB.page(ctx, by, func(b *pgx.Batch) {
		args := pgx.StrictNamedArgs{"run": run}
		b.Queue(sql("DossierRelease"), args).Query(collectOne(&head))
		b.Queue(sql("DossierItems"), args).Query(parts(&r.Items))
		b.Queue(sql("DossierEvidence"), args).Query(parts(&r.Evidence))
		b.Queue(sql("DossierGates"), args).Query(parts(&r.Gates))
		b.Queue(sql("DossierSignatures"), args).Query(parts(&r.Signatures))
		b.Queue(sql("DossierMigrations"), args).Query(parts(&r.Migrations))
		b.Queue(sql("DossierLedger"), args).Query(parts(&r.Ledger))
		b.Queue(sql("DossierWindows"), args).Query(parts(&r.Windows))
		b.Queue(sql("DossierFreezes"), args).Query(parts(&r.Freezes))
		b.Queue(sql("DossierOverrides"), args).Query(parts(&r.Overrides))
		b.Queue(sql("DossierTokens"), args).Query(parts(&r.Tokens))
		b.Queue(sql("DossierRehearsals"), args).Query(collect(&rehearsals))
		b.Queue(sql("DossierBackups"), args).Query(parts(&r.Backups))
		b.Queue(sql("DossierHealth"), args).Query(parts(&r.Health))
		b.Queue(sql("DossierWaivers"), args).Query(parts(&r.Waivers))
		b.Queue(sql("DossierFiles"), args).Query(parts(&r.Files))
		b.Queue(sql("DossierStops"), args).Query(parts(&r.Stops))
		b.Queue(sql("DossierAttempts"), args).Query(parts(&r.Attempts))
		b.Queue(sql("DossierRollbacks"), args).Query(parts(&r.Rollbacks))
		b.Queue(sql("DossierSnapshots"), args).Query(parts(&r.Snapshots))
		b.Queue(sql("DossierMisses"), args).Query(parts(&r.Misses))
		b.Queue(sql("DossierLessons"), args).Query(parts(&r.Lessons))
		b.Queue(sql("SnapshotMigrated"), args).Query(collectOne(&migrated))
	})
	if err == nil {
		err = json.Unmarshal([]byte(head.Release), &r.Release)
	}
	if err != nil {
		return dossier.Dossier{}, err
	}
	for i, f := range r.Files {
		stored := runbook.RunFile{Item: runbook.ItemID(f.Item), File: runbook.File{Number: f.Number, Name: f.Name}}
		r.Files[i].Write = func(ctx context.Context, to io.Writer) error {
			return Runbook{DB: d.DB}.WriteFile(ctx, by, run, stored, to)
		}
	}
	r.Rehearsals = make([]dossier.Report, len(rehearsals))
	for i, row := range rehearsals {
		if err := json.Unmarshal([]byte(row.Part), &r.Rehearsals[i]); err != nil {
			return dossier.Dossier{}, fmt.Errorf("reading a rehearsal: %w", err)
		}
		r.Rehearsals[i].Text = row.Report
	}
	return dossier.Dossier{Record: r, Template: head.Template, Migrated: timeOrZero(migrated.At), Unmigrated: migrated.Unmigrated, At: head.At.UTC()}, nil
}

// trail chooses what of the audit trail goes with the release: from its first entry to a head that is sealed. Of a release
// that is over that is the first seal after its last entry; otherwise the head is sealed now.
func (d Dossiers) trail(ctx context.Context, by actor.Actor, run uuid.UUID, made *dossier.Dossier) error {
	var span struct{ First, Last int64 }
	var seal *sealRow
	over := slices.Contains([]string{"aborted", "closed", "rolled_back"}, made.Record.Release.State)
	err := d.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("DossierSpan"), pgx.StrictNamedArgs{"run": run}).Query(collectOne(&span))
	})
	if err != nil {
		return err
	}
	if !over {
		span.Last = made.Record.Release.ReadAt
	}
	x := audit.Export{TenantID: by.Tenant, TenantCode: by.TenantCode, At: made.At, By: by.Name, From: max(1, span.First), UpTo: span.Last, Key: made.Key}
	if made.Key != nil {
		find := func() error {
			return d.DB.page(ctx, by, func(b *pgx.Batch) {
				b.Queue(sql("SealFrom"), pgx.StrictNamedArgs{"seq": span.Last, "key": made.Key.Public().ID()}).Query(collectMaybe(&seal))
			})
		}
		err := find()
		if err == nil && seal == nil {
			var check audit.Check
			if check, err = d.Trail.Seal(ctx, by); err == nil && check.Whole() {
				err = find()
			}
		}
		if err != nil {
			return err
		}
	}
	if seal != nil {
		sealed := seal.seal()
		x.Seal, x.UpTo = &sealed, sealed.Seq
	}
	x.Read = func(yield func(audit.Entry) error) error {
		return d.Trail.between(ctx, by, audit.Query{}, x.From-1, x.UpTo, yield)
	}
	made.Trail = x
	return nil
}
