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

// NewestProbe is the newest look at a version and its repairs, in one round trip.
func (p Probes) NewestProbe(ctx context.Context, by actor.Actor, v migration.Version) (*migration.Probe, []migration.Repaired, error) {
	var row *probeRow
	var rows []repairRow
	err := p.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("NewestProbe"), pgx.StrictNamedArgs{"version": int64(v)}).Query(collectMaybe(&row))
		b.Queue(sql("RepairsOfVersion"), pgx.StrictNamedArgs{"version": v.Title()}).Query(collect(&rows))
	})
	if err != nil {
		return nil, nil, err
	}
	var repairs []migration.Repaired
	for _, r := range rows {
		choice, _, err := migration.ParseRepairChoice(r.Argument)
		if err != nil {
			return nil, nil, err
		}
		repairs = append(repairs, migration.Repaired{
			Operation: r.OperationID, Choice: choice, By: r.ActorName, Roles: strings.Join(r.ActorRoles, ", "), AuthTime: timeOrZero(r.AuthTime),
			Ordered: r.RequestedAt.UTC(), State: r.State, Sentence: r.Sentence,
		})
	}
	if row == nil {
		return nil, repairs, nil
	}
	probe := &migration.Probe{}
	if err := json.Unmarshal([]byte(row.Result), probe); err != nil {
		return nil, nil, fmt.Errorf("reading a look at %s: %w", v.Title(), err)
	}
	probe.LookedAt, probe.LookedBy = row.LookedAt.UTC(), row.LookedBy
	return probe, repairs, nil
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
