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

// Probes is migration.ProbeStore.
type Probes struct{ DB *DB }

var _ migration.ProbeStore = Probes{}

type probeRow struct {
	LookedAt         time.Time
	LookedBy, Result string
	SHA256           string `db:"sha256"`
	Outdated         bool
}

type repairRow struct {
	OperationID uuid.UUID
	Argument    string
	AuthTime    *time.Time
	State       string
	ActorName   string
	ActorRoles  []string
	RequestedAt time.Time
	Sentence    string
}

// NewestProbe is the newest look at a version, its repairs, and the saving that speaks for its undo, in one round trip.
func (p Probes) NewestProbe(ctx context.Context, by actor.Actor, v migration.Version, undo string) (known migration.Known, err error) {
	var row *probeRow
	var rows []repairRow
	var closed string
	var losses *lossRow
	err = p.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("NewestProbe"), pgx.StrictNamedArgs{"version": int64(v)}).Query(collectMaybe(&row))
		b.Queue(sql("RepairsOfVersion"), pgx.StrictNamedArgs{"version": v.Title()}).Query(collect(&rows))
		b.Queue(sql("SpeakingLosses"), pgx.StrictNamedArgs{"version": int64(v), "undo_sha256": undo}).Query(collectMaybe(&losses))
		b.Queue(sql("RepairRefusal"), pgx.StrictNamedArgs{"tenant": by.Tenant}).QueryRow(func(row pgx.Row) error { return row.Scan(&closed) })
	})
	if err != nil {
		return known, err
	}
	if losses != nil {
		saved, err := losses.saved()
		if err != nil {
			return known, err
		}
		known.Saved = &saved
	}
	for _, r := range rows {
		choice, _, err := migration.ParseRepairChoice(r.Argument)
		if err != nil {
			return known, err
		}
		known.Done = append(known.Done, migration.Repaired{
			Operation: r.OperationID, Choice: choice, By: r.ActorName, Roles: strings.Join(r.ActorRoles, ", "), AuthTime: timeOrZero(r.AuthTime),
			Ordered: r.RequestedAt.UTC(), State: r.State, Sentence: r.Sentence,
		})
	}
	if row == nil {
		return known, nil
	}
	known.Probe = &migration.Probe{}
	if err := json.Unmarshal([]byte(row.Result), known.Probe); err != nil {
		return known, fmt.Errorf("reading a look at %s: %w", v.Title(), err)
	}
	known.Probe.LookedAt, known.Probe.LookedBy = row.LookedAt.UTC(), row.LookedBy
	known.Outdated, known.Probe.Closed = row.Outdated, closed
	return known, nil
}

// SaveProbe keeps a look.
func (p Probes) SaveProbe(ctx context.Context, by actor.Actor, probe migration.Probe, e audit.Event) error {
	text, err := json.Marshal(probe)
	if err != nil {
		return fmt.Errorf("encoding a look at %s: %w", probe.Version.Title(), err)
	}
	return p.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql("AddProbe"), pgx.StrictNamedArgs{
			"probe": uuid.New(), "version": int64(probe.Version), "looked_by": by.Name, "result": string(text), "sha256": probe.Hash(),
		})
		if err != nil {
			return err
		}
		return record(ctx, tx, by, e)
	})
}
