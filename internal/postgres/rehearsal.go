package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// Rehearsals is migration.RehearsalStore.
type Rehearsals struct{ DB *DB }

var _ migration.RehearsalStore = Rehearsals{}

// AddRehearsal keeps a report, a row for each of its files, and the event, in one transaction.
func (s Rehearsals) AddRehearsal(ctx context.Context, by actor.Actor, r migration.Rehearsal, text string, e audit.Event) (added bool, err error) {
	report := r.Report
	var backup *uuid.UUID
	if report.Data.Backup != uuid.Nil {
		backup = &report.Data.Backup
	}
	var sampled, whole *int64
	if report.Data.Sample != nil {
		size := report.Data.Sample.Size()
		sampled, whole = &size.Rows, &size.Of
	}
	err = s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		var id uuid.UUID
		err := tx.QueryRow(ctx, sql("AddRehearsal"), pgx.StrictNamedArgs{
			"tenant": by.Tenant, "rehearsal": r.ID, "passed": report.Passed(), "verdict": report.Verdict(), "data_kind": report.Data.Kind,
			"backup": backup, "data_bytes": report.Data.Bytes, "sample_rows": sampled, "whole_rows": whole, "server": report.Server, "started_at": report.StartedAt,
			"finished_at": report.FinishedAt, "issuer": r.By.Issuer, "subject": r.By.Subject, "name": r.By.Name, "roles": r.By.Roles,
			"origin": r.By.Origin, "report": text, "sha256": r.SHA256,
		}).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		added = true
		for i, v := range report.Versions {
			if _, err := tx.Exec(ctx, sql("AddRehearsedFile"), pgx.StrictNamedArgs{
				"tenant": by.Tenant, "rehearsal": r.ID, "version": v.Version, "position": i + 1, "sha256": v.SHA256,
				"passed": len(v.Wrong()) == 0, "up_ms": v.UpTime().Milliseconds(), "down_ms": v.DownTime().Milliseconds(),
			}); err != nil {
				return err
			}
		}
		return record(ctx, tx, by, e)
	})
	return added && err == nil, err
}

// Rehearsal is one rehearsal of the actor's tenant, and the text of its report.
func (s Rehearsals) Rehearsal(ctx context.Context, by actor.Actor, id uuid.UUID) (migration.Rehearsal, string, error) {
	var row struct {
		RehearsalID, TenantID                                    uuid.UUID
		ActorIssuer, ActorSubject, ActorName, ActorRoles, Origin string
		RecordedAt                                               time.Time
		Report                                                   string
		ReportSHA256                                             string `db:"report_sha256"`
	}
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("Rehearsal"), pgx.StrictNamedArgs{"rehearsal": id}).Query(collectOne(&row))
	})
	return migration.Rehearsal{
		ID: row.RehearsalID, RecordedAt: row.RecordedAt, SHA256: row.ReportSHA256,
		By: migration.Person{
			Tenant: row.TenantID, Issuer: row.ActorIssuer, Subject: row.ActorSubject, Name: row.ActorName, Roles: row.ActorRoles, Origin: row.Origin,
		},
	}, row.Report, err
}

// List is the newest 50 rehearsals of the actor's tenant, without their reports.
func (s Rehearsals) List(ctx context.Context, by actor.Actor) ([]migration.RehearsalSummary, error) {
	var rows []struct {
		RehearsalID       uuid.UUID
		Passed            bool
		Verdict, DataKind string
		DataBytes         int64
		SampleRows        *int64
		WholeRows         *int64
		RecordedAt        time.Time
		ActorName         string
		ReportSHA256      string `db:"report_sha256"`
		Versions          []string
	}
	err := s.DB.page(ctx, by, func(b *pgx.Batch) { b.Queue(sql("NewestRehearsals")).Query(collect(&rows)) })
	var list []migration.RehearsalSummary
	for _, r := range rows {
		list = append(list, migration.RehearsalSummary{
			ID: r.RehearsalID, Passed: r.Passed, Verdict: r.Verdict, Data: migration.RehearsalData{Kind: r.DataKind, Bytes: r.DataBytes},
			Sample:     sampleSize(r.SampleRows, r.WholeRows),
			RecordedAt: r.RecordedAt, By: r.ActorName, SHA256: r.ReportSHA256, Versions: r.Versions,
		})
	}
	return list, err
}

type rehearsedRow struct {
	RehearsalID  uuid.UUID
	Version      string
	SHA256       string `db:"sha256"`
	Passed       bool
	UpMs, DownMs int64
	SampleRows   *int64
	WholeRows    *int64
	RecordedAt   time.Time
}

// sampleSize is nil where a rehearsal ran on all of the data.
func sampleSize(rows, of *int64) *migration.SampleSize {
	if rows == nil || of == nil {
		return nil
	}
	return &migration.SampleSize{Rows: *rows, Of: *of}
}

// rehearsedFiles is a batch callback for RehearsedFiles.
func rehearsedFiles(into *[]migration.RehearsedFile) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		list, err := pgx.CollectRows(rows, pgx.RowToStructByName[rehearsedRow])
		for _, r := range list {
			*into = append(*into, migration.RehearsedFile{
				Rehearsal: r.RehearsalID, Version: r.Version, SHA256: r.SHA256, Passed: r.Passed,
				Up: time.Duration(r.UpMs) * time.Millisecond, Down: time.Duration(r.DownMs) * time.Millisecond, RecordedAt: r.RecordedAt,
				Sample: sampleSize(r.SampleRows, r.WholeRows),
			})
		}
		return err
	}
}

// CatalogFacts looks objects of plan cards up in the catalog of any database, as whoever the address names.
func CatalogFacts(ctx context.Context, url string, objects []migration.Object) (facts []migration.Fact, err error) {
	kinds, names := objectNames(objects)
	err = withConn(ctx, url, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, sql("CatalogObjects"), pgx.StrictNamedArgs{"kinds": kinds, "names": names})
		if err != nil {
			return translate(err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[catalogRow])
		facts = factsOf(objects, found)
		return translate(err)
	})
	return facts, err
}

// RehearsedFiles is the newest rehearsal of each text of each file, as the owner sees it: of the tenant that operates.
func RehearsedFiles(ctx context.Context, ownerURL string) (files []migration.RehearsedFile, err error) {
	err = withConn(ctx, ownerURL, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, sql("RehearsedFiles"))
		if err != nil {
			return translate(err)
		}
		return translate(rehearsedFiles(&files)(rows))
	})
	return files, err
}
