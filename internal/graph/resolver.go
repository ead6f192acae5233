package graph

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/internal/quality"
)

// Health gives the latest stored health run.
type Health interface {
	Latest(ctx context.Context, by actor.Actor) (health.Report, error)
}

// Quality gives the two summaries.
type Quality interface {
	Metrics(ctx context.Context, by actor.Actor, facility uuid.NullUUID) ([]quality.Metrics, error)
	Summary(ctx context.Context, by actor.Actor, facility uuid.UUID) (quality.Summary, bool, error)
}

type resolver struct {
	health  Health
	quality Quality
	now     func() time.Time
}

// Query is the root of every read; there is no other root.
func (r *resolver) Query() QueryResolver { return r }

// GetDataQualityMetrics answers for every facility of the tenant, or for one.
func (r *resolver) GetDataQualityMetrics(ctx context.Context, facilityID *string) ([]*DataQualityMetrics, error) {
	var facility uuid.NullUUID
	if facilityID != nil {
		id, err := parseID("facilityId", *facilityID)
		if err != nil {
			return nil, err
		}
		facility = uuid.NullUUID{UUID: id, Valid: true}
	}
	found, err := r.quality.Metrics(ctx, actor.From(ctx), facility)
	if err != nil {
		return nil, err
	}
	list := make([]*DataQualityMetrics, len(found))
	for i, m := range found {
		list[i] = &DataQualityMetrics{
			FacilityID: m.Facility.String(), FacilityName: m.FacilityName,
			MaterialsVerifiedCount: m.MaterialsVerified, MaterialsWithVariance: m.MaterialsWithVariance,
			AvgCubicFeetVariancePct: m.AvgCubicFeetVariancePct, AvgWeightVariancePct: m.AvgWeightVariancePct,
			CapacityFailuresCount: m.CapacityFailures, UnresolvedFailuresCount: m.UnresolvedFailures,
			CrossdockCancellationsCount: m.CrossDockCancellations, PendingRelocationsCount: m.PendingRelocations,
			AutoRemediationCount: m.AutoRemediations, FailedRemediationCount: m.FailedRemediations,
			AsOf: m.AsOf.UTC(),
		}
	}
	return list, nil
}

// GetBinOptimizationHealthEnhanced reads the newest run. The argument autoRemediate starts nothing: a read never
// changes anything, whoever asks.
func (r *resolver) GetBinOptimizationHealthEnhanced(ctx context.Context, _ *bool) (*HealthCheckResultEnhanced, error) {
	report, err := r.health.Latest(ctx, actor.From(ctx))
	if err != nil {
		return nil, err
	}
	at, checked := r.now(), (*time.Time)(nil) // the client's schema asks for a timestamp, whether there was a check or not
	if !report.CheckedAt.IsZero() {
		at, checked = report.CheckedAt, utc(&report.CheckedAt)
	}
	checks := make([]*HealthCheck, len(report.Results))
	for i, one := range report.Results {
		checks[i] = &HealthCheck{Name: string(one.Check), Status: HealthStatus(one.Level.Status()), Level: string(one.Level), Message: one.Message}
	}
	return &HealthCheckResultEnhanced{
		Status: HealthStatus(report.Status()), Message: report.Sentence(),
		RemediationActions: []*RemediationAction{}, Timestamp: at.UTC(), CheckedAt: checked, Checks: checks,
	}, nil
}

// GetStatisticalSummary answers for one facility.
func (r *resolver) GetStatisticalSummary(ctx context.Context, facilityID string) (*StatisticalSummary, error) {
	id, err := parseID("facilityId", facilityID)
	if err != nil {
		return nil, err
	}
	s, ok, err := r.quality.Summary(ctx, actor.From(ctx), id)
	if err != nil || !ok {
		return nil, err
	}
	return &StatisticalSummary{
		TenantID: s.Tenant.String(), FacilityID: s.Facility.String(), LastUpdate: s.LastUpdate.UTC(), AlgorithmVersion: s.AlgorithmVersion,
		CurrentAcceptanceRate: s.AcceptanceRate, CurrentAvgUtilization: s.AvgUtilization, CurrentStdDevUtilization: s.StdDevUtilization,
		CurrentTargetAchievement: s.TargetAchieved, CurrentMlAccuracy: s.MLAccuracy, CurrentSampleSize: s.SampleSize,
		IsStatisticallySignificant: s.Significant,
		UtilizationTrendSlope:      s.UtilizationSlope, UtilizationTrendDirection: TrendDirection(s.UtilizationTrend),
		AcceptanceTrendSlope: s.AcceptanceSlope, AcceptanceTrendDirection: TrendDirection(s.AcceptanceTrend),
		TrendHasEnoughData: s.EnoughData, MeasurementsIn30d: s.MeasurementsIn30Days, FirstMeasurement: utc(s.FirstMeasurement), LastMeasurement: utc(s.LastMeasurement),
		ActiveOutliers: s.ActiveOutliers, CriticalOutliers: s.CriticalOutliers, AsOf: s.AsOf.UTC(),
	}, nil
}

func parseID(argument, text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil || len(text) != 36 {
		return uuid.Nil, fault.New(fault.Invalid, "%s is not a UUID.", argument)
	}
	return id, nil
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}
