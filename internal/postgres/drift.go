package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// Drift is migration.DriftStore.
type Drift struct{ DB *DB }

var _ migration.DriftStore = Drift{}

type driftRow struct {
	VersionNumber int64
	CheckedAt     time.Time
	TookMs        int64
	Compared      int
	Differences   string
	ServerMajor   int
}

type acceptanceRow struct {
	AcceptanceID     uuid.UUID
	DifferenceSHA256 string `db:"difference_sha256"`
	Name, Reason     string
}

// LatestDrift reads the newest look and what was accepted of it, in one round trip.
func (d Drift) LatestDrift(ctx context.Context, by actor.Actor) (*migration.DriftReport, error) {
	var row *driftRow
	var accepted []acceptanceRow
	err := d.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("LatestDrift")).Query(collectMaybe(&row))
		b.Queue(sql("DriftAcceptances")).Query(collect(&accepted))
	})
	if err != nil || row == nil {
		return nil, err
	}
	report := &migration.DriftReport{
		Version: migration.Version(row.VersionNumber), CheckedAt: row.CheckedAt, Took: time.Duration(row.TookMs) * time.Millisecond, Compared: row.Compared,
		ServerMajor: row.ServerMajor,
	}
	if err := json.Unmarshal([]byte(row.Differences), &report.Differences); err != nil {
		return nil, fmt.Errorf("reading the newest look for drift: %w", err)
	}
	var list []migration.Acceptance
	for _, a := range accepted {
		list = append(list, migration.Acceptance{ID: a.AcceptanceID, SHA256: a.DifferenceSHA256, By: a.Name, Reason: a.Reason})
	}
	migration.MarkAccepted(report.Differences, list)
	return report, nil
}

// SaveDrift keeps a look.
func (d Drift) SaveDrift(ctx context.Context, by actor.Actor, r migration.DriftReport, e audit.Event) error {
	bare := make([]migration.Difference, len(r.Differences))
	for i, one := range r.Differences {
		one.AcceptanceID, one.AcceptedBy, one.AcceptedBecause, one.AcceptedUntil = uuid.Nil, "", "", time.Time{} // what is accepted is read when it is shown
		bare[i] = one
	}
	text, err := json.Marshal(bare)
	if err != nil {
		return fmt.Errorf("encoding a look for drift: %w", err)
	}
	return d.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql("SaveDrift"), pgx.StrictNamedArgs{
			"check_id": uuid.New(), "version": int64(r.Version), "compared": r.Compared, "took_ms": r.Took.Milliseconds(),
			"checked_by": by.Name, "differences": string(text),
		})
		if err != nil {
			return err
		}
		return record(ctx, tx, by, e)
	})
}

// AcceptDrift signs for a difference of the newest look.
func (d Drift) AcceptDrift(ctx context.Context, by actor.Actor, a migration.Acceptance, e audit.Event) (done bool, err error) {
	roles := make([]string, len(by.Roles))
	for i, r := range by.Roles {
		roles[i] = string(r)
	}
	var until *time.Time
	if !a.Until.IsZero() {
		until = &a.Until
	}
	return d.once(ctx, by, e, "AcceptDrift", pgx.StrictNamedArgs{
		"acceptance": a.ID, "sha256": a.SHA256, "issuer": by.Issuer, "subject": by.Subject, "name": by.Name, "roles": strings.Join(roles, ","),
		"auth_time": by.AuthTime, "reason": a.Reason, "expires_at": until,
	})
}

// WithdrawDrift takes an acceptance back.
func (d Drift) WithdrawDrift(ctx context.Context, by actor.Actor, id uuid.UUID, reason string, e audit.Event) (done bool, err error) {
	return d.once(ctx, by, e, "WithdrawDrift", pgx.StrictNamedArgs{
		"acceptance": id, "issuer": by.Issuer, "subject": by.Subject, "name": by.Name, "reason": reason,
	})
}

// once runs a statement that adds one row or none, and records the act where it did.
func (d Drift) once(ctx context.Context, by actor.Actor, e audit.Event, name string, args pgx.StrictNamedArgs) (done bool, err error) {
	err = d.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql(name), args)
		done = err == nil && tag.RowsAffected() > 0
		if !done {
			return err
		}
		return record(ctx, tx, by, e)
	})
	return done && err == nil, err
}
