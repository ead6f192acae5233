package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/quality"
)

type qualityDayRow struct {
	FacilityID                  uuid.UUID
	Day, ComputedAt             time.Time
	MaterialsHeld, MaterialsDue int
	Failures24h                 int `db:"failures_24h"`
	Unresolved24h               int `db:"unresolved_24h"`
	Unresolved, Pending         int
	ByVariance                  []int
	FirstMeasured               int
}

func (r qualityDayRow) figures() quality.Day {
	d := quality.Day{
		Facility: r.FacilityID, Day: r.Day, ComputedAt: r.ComputedAt.UTC(), Held: r.MaterialsHeld, Due: r.MaterialsDue, Failures24h: r.Failures24h,
		Unresolved24h: r.Unresolved24h, Unresolved: r.Unresolved, Pending: r.Pending, FirstMeasured: r.FirstMeasured,
	}
	copy(d.ByVariance[:], r.ByVariance)
	return d
}

type qualityTurnRow struct {
	At                        time.Time
	SucceededAt, FailingSince *time.Time
	TookMs                    *int
	Failure                   *string
}

// Report reads the figures of every facility of the tenant, in one round trip and by key.
func (q Quality) Report(ctx context.Context, by actor.Actor, limit int) (quality.Report, error) {
	var metrics []metricsRow
	var days []qualityDayRow
	var turn qualityTurnRow
	err := q.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("DataQualityMetrics"), pgx.StrictNamedArgs{"facility": uuid.NullUUID{}, "limit": limit}).Query(collect(&metrics))
		b.Queue(sql("QualityDays"), pgx.StrictNamedArgs{"limit": limit}).Query(collect(&days))
		b.Queue(sql("QualityTurn")).Query(collectOne(&turn))
	})
	if missingTable(err) {
		return quality.Report{}, q.missing(ctx, by, quality.NotDeployed{What: "Data-quality figures", Version: "0.0.20"}, err)
	}
	if err != nil {
		return quality.Report{}, notFilled(err)
	}
	report := quality.Report{
		At: turn.At.UTC(), ComputedAt: timeOrZero(turn.SucceededAt), FailingSince: timeOrZero(turn.FailingSince), Failure: deref(turn.Failure),
		Took: time.Duration(deref(turn.TookMs)) * time.Millisecond,
	}
	of := map[uuid.UUID][]quality.Day{}
	for _, row := range days {
		of[row.FacilityID] = append(of[row.FacilityID], row.figures())
	}
	for _, row := range metrics {
		report.Facilities = append(report.Facilities, quality.Facility{Metrics: row.metrics(), Days: of[row.FacilityID]})
	}
	return report, nil
}

// Compute writes the figures of the tenant's facilities as they are now. It reads the whole of their tables, so it has minutes.
func (q Quality) Compute(ctx context.Context, by actor.Actor) error {
	err := q.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		for _, statement := range []string{"AllowMinutes", "ComputeQuality", "QualityComputed"} {
			if _, err := tx.Exec(ctx, sql(statement)); err != nil {
				return err
			}
		}
		return nil
	})
	if missingTable(err) {
		applied, lookErr := q.DB.countsAsApplied(ctx, by, "0.0.20")
		if lookErr != nil {
			return lookErr
		}
		if !applied {
			return nil
		}
	}
	return err
}

// ComputeFailed writes down that the figures cannot be computed.
func (q Quality) ComputeFailed(ctx context.Context, by actor.Actor, why string) error {
	return q.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql("QualityFailed"), pgx.StrictNamedArgs{"failure": why})
		return err
	})
}
