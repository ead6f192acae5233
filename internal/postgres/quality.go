package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/quality"
)

// Quality reads the two summaries through their tenant-filtered views; it satisfies quality.Store.
type Quality struct{ DB *DB }

var _ quality.Store = Quality{}

type metricsRow struct {
	FacilityID                  uuid.UUID
	FacilityName                string
	MaterialsVerifiedCount      int
	MaterialsWithVariance       int
	AvgCubicFeetVariancePct     float64
	AvgWeightVariancePct        float64
	CapacityFailuresCount       int
	UnresolvedFailuresCount     int
	CrossdockCancellationsCount int
	PendingRelocationsCount     int
	AutoRemediationCount        int
	FailedRemediationCount      int
	AsOf                        time.Time
}

// Metrics reads the data-quality figures of every facility of the tenant, or of one.
func (q Quality) Metrics(ctx context.Context, by actor.Actor, facility uuid.NullUUID, limit int) ([]quality.Metrics, error) {
	var rows []metricsRow
	err := q.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("DataQualityMetrics"), pgx.StrictNamedArgs{"facility": facility, "limit": limit}).Query(collect(&rows))
	})
	if missingTable(err) {
		return nil, q.missing(ctx, by, quality.NotDeployed{What: "Data-quality figures", Version: "0.0.20"}, err)
	}
	list := make([]quality.Metrics, len(rows))
	for i, r := range rows {
		list[i] = r.metrics()
	}
	return list, notFilled(err)
}

func (r metricsRow) metrics() quality.Metrics {
	return quality.Metrics{
		Facility: r.FacilityID, FacilityName: r.FacilityName,
		MaterialsVerified: r.MaterialsVerifiedCount, MaterialsWithVariance: r.MaterialsWithVariance,
		AvgCubicFeetVariancePct: r.AvgCubicFeetVariancePct, AvgWeightVariancePct: r.AvgWeightVariancePct,
		CapacityFailures: r.CapacityFailuresCount, UnresolvedFailures: r.UnresolvedFailuresCount,
		CrossDockCancellations: r.CrossdockCancellationsCount, PendingRelocations: r.PendingRelocationsCount,
		AutoRemediations: r.AutoRemediationCount, FailedRemediations: r.FailedRemediationCount, AsOf: r.AsOf,
	}
}

type summaryRow struct {
	TenantID, FacilityID       uuid.UUID
	LastUpdate                 time.Time
	AlgorithmVersion           string
	CurrentAcceptanceRate      *float64
	CurrentAvgUtilization      float64
	CurrentStdDevUtilization   *float64
	CurrentTargetAchievement   *float64
	CurrentMLAccuracy          *float64
	CurrentSampleSize          int
	IsStatisticallySignificant bool
	UtilizationTrendSlope      *float64
	UtilizationTrendDirection  string
	AcceptanceTrendSlope       *float64
	AcceptanceTrendDirection   string
	TrendHasEnoughData         bool
	MeasurementsIn30d          int `db:"measurements_in_30d"`
	FirstMeasurement           *time.Time
	LastMeasurement            *time.Time
	ActiveOutliers             int
	CriticalOutliers           int
	AsOf                       time.Time
}

// Summary reads the statistics of one facility; false where the tenant has no such facility, or it no statistics.
func (q Quality) Summary(ctx context.Context, by actor.Actor, facility uuid.UUID) (quality.Summary, bool, error) {
	var row *summaryRow
	err := q.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("StatisticalSummary"), pgx.StrictNamedArgs{"facility": facility}).Query(collectMaybe(&row))
	})
	switch {
	case missingTable(err):
		return quality.Summary{}, false, q.missing(ctx, by, quality.NotDeployed{What: "Statistics", Version: "0.0.22"}, err)
	case err != nil || row == nil:
		return quality.Summary{}, false, notFilled(err)
	}
	return quality.Summary{
		Tenant: row.TenantID, Facility: row.FacilityID, LastUpdate: row.LastUpdate, AlgorithmVersion: row.AlgorithmVersion,
		AcceptanceRate: row.CurrentAcceptanceRate, AvgUtilization: row.CurrentAvgUtilization,
		StdDevUtilization: row.CurrentStdDevUtilization, TargetAchieved: row.CurrentTargetAchievement,
		MLAccuracy: row.CurrentMLAccuracy, SampleSize: row.CurrentSampleSize, Significant: row.IsStatisticallySignificant,
		UtilizationSlope: row.UtilizationTrendSlope, UtilizationTrend: quality.Trend(row.UtilizationTrendDirection),
		AcceptanceSlope: row.AcceptanceTrendSlope, AcceptanceTrend: quality.Trend(row.AcceptanceTrendDirection),
		EnoughData: row.TrendHasEnoughData, MeasurementsIn30Days: row.MeasurementsIn30d,
		FirstMeasurement: row.FirstMeasurement, LastMeasurement: row.LastMeasurement,
		ActiveOutliers: row.ActiveOutliers, CriticalOutliers: row.CriticalOutliers, AsOf: row.AsOf,
	}, true, nil
}

// missing tells what a pending migration has yet to bring from what somebody has taken away.
func (q Quality) missing(ctx context.Context, by actor.Actor, what quality.NotDeployed, err error) error {
	applied, lookErr := q.DB.countsAsApplied(ctx, by, what.Version)
	switch {
	case lookErr != nil:
		return lookErr
	case applied:
		return fault.New(fault.Unavailable, "%s are missing although migration V%s counts as applied. Whoever looks after the database has to put them back.",
			what.What, what.Version).Because(err)
	}
	return &what
}

// notFilled says what a summary that was restored without data is: there, and not to be read yet (SQLSTATE 55000).
func notFilled(err error) error {
	if sqlState(err) == "55000" {
		return fault.New(fault.Unavailable, "These figures have not been computed since the database was restored. They come with the next refresh.").Because(err)
	}
	return err
}

// RefreshSummaries recomputes the summaries whose last success is older than age, one transaction each, and says which
// failed and why. Where none is deployed there is nothing to do.
func (q Quality) RefreshSummaries(ctx context.Context, age time.Duration) (failed []string, err error) {
	by := actor.System(actor.Worker, "refresh_summaries")
	var due []struct{ CacheName string }
	err = q.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("SummariesToRefresh"), pgx.StrictNamedArgs{"seconds": age.Seconds()}).Query(collect(&due))
	})
	if missingTable(err) {
		return nil, nil
	}
	for _, view := range due {
		failure, refreshErr := q.refresh(ctx, by, view.CacheName)
		if refreshErr != nil {
			err = errors.Join(err, refreshErr)
			failure = "the database did not finish it"
		}
		if failure != "" {
			failed = append(failed, view.CacheName+": "+failure)
		}
	}
	return failed, err
}

// refresh says why the refresh failed; empty where it did not, or another one is at it.
func (q Quality) refresh(ctx context.Context, by actor.Actor, view string) (failure string, err error) {
	var row struct {
		Outcome    string
		DurationMs int
		Error      string
	}
	can := true // what is not there, the function says itself
	err = q.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sql("AllowMinutes")); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, sql("SummaryCanBeRefreshed"), pgx.StrictNamedArgs{"view": view}).Scan(&can); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		rows, err := tx.Query(ctx, sql("RefreshSummary"), pgx.StrictNamedArgs{"view": view})
		if err != nil {
			return err
		}
		return collectOne(&row)(rows)
	})
	switch {
	case row.Outcome == "FAILURE" && !can:
		failure = "it has no valid unique index on columns, over all rows, without which its readers would have to wait; build the index again, the page Migrations names it"
	case row.Outcome == "FAILURE":
		failure = row.Error
	}
	return failure, err
}
