package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
)

const checkStamp = "2006-01-02 15:04:05 UTC"

// BackupRestores is the newest backup that a restore of the release could count on now, by the very function that the
// statement which applies asks (gatehouse.apply_proof).
func (c Checks) BackupRestores(ctx context.Context, by actor.Actor, run uuid.UUID) (Fact, error) {
	var rows []struct {
		BackupID       uuid.UUID `json:"backup"`
		Name           string    `json:"file"`
		Bytes          int64     `json:"bytes"`
		SHA256         string    `json:"sha256" db:"sha256"`
		ManifestSHA256 string    `json:"manifest_sha256" db:"manifest_sha256"`
		TakenAt        time.Time `json:"taken_at"`
		RestoredAt     time.Time `json:"restored_at"`
		Drill          uuid.UUID `json:"drill"`
	}
	err := c.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("FreshBackup"), pgx.StrictNamedArgs{"run": run}).Query(collect(&rows))
	})
	if err != nil {
		return Fact{}, err
	}
	f := Fact{Value: rows, Query: "SELECT backup_id FROM gatehouse.apply_proof('" + run.String() + "')", Summary: migration.NoBackup}
	if len(rows) == 1 {
		b := rows[0]
		f.OK, f.Summary = true, fmt.Sprintf("%s was taken at %s and restored at %s; %d bytes, SHA-256 %s.",
			b.Name, b.TakenAt.UTC().Format(checkStamp), b.RestoredAt.UTC().Format(checkStamp), b.Bytes, b.SHA256)
	}
	return f, nil
}

// MigrationRehearsed is the rehearsal that speaks for the release now, by the same function.
func (c Checks) MigrationRehearsed(ctx context.Context, by actor.Actor, run uuid.UUID) (Fact, error) {
	type rehearsal struct {
		RehearsalID   uuid.UUID       `json:"rehearsal"`
		BackupID      uuid.UUID       `json:"backup"`
		BackupName    string          `json:"backup_file"`
		ReportSHA256  string          `json:"report_sha256" db:"report_sha256"`
		ServerVersion string          `json:"server_version"`
		StartedAt     time.Time       `json:"started_at"`
		RecordedAt    time.Time       `json:"recorded_at"`
		Files         string          `json:"-"`
		FilesSHA256   json.RawMessage `json:"files_sha256" db:"-"`
	}
	var rows []rehearsal
	err := c.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("RehearsalOfRelease"), pgx.StrictNamedArgs{"run": run}).Query(collect(&rows))
	})
	if err != nil {
		return Fact{}, err
	}
	f := Fact{Query: "SELECT rehearsal_id FROM gatehouse.apply_proof('" + run.String() + "')", Summary: migration.NotRehearsed}
	for i := range rows {
		rows[i].FilesSHA256 = json.RawMessage(rows[i].Files)
	}
	f.Value = rows
	if len(rows) == 1 {
		r := rows[0]
		f.OK, f.Summary = true, fmt.Sprintf("Exactly these files passed a rehearsal on the restored backup %s, by PostgreSQL %s, recorded at %s; report SHA-256 %s.",
			r.BackupName, r.ServerVersion, r.RecordedAt.UTC().Format(checkStamp), r.ReportSHA256)
	}
	return f, nil
}
