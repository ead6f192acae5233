package quality

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// Metrics are the data-quality figures of one facility.
type Metrics struct {
	Facility                                      uuid.UUID
	FacilityName                                  string
	MaterialsVerified, MaterialsWithVariance      int
	AvgCubicFeetVariancePct, AvgWeightVariancePct float64 // means of absolute values; for show, nothing is compared with them
	CapacityFailures, UnresolvedFailures          int
	CrossDockCancellations, PendingRelocations    int
	AutoRemediations, FailedRemediations          int
	AsOf                                          time.Time
}

// Trend is which way a figure goes.
type Trend string

// The trends.
const (
	Improving Trend = "IMPROVING"
	Stable    Trend = "STABLE"
	Declining Trend = "DECLINING"
)

// Summary is the latest measurement of a facility, its trend over 30 days and its open outliers. A nil figure was not measured.
type Summary struct {
	Tenant, Facility                  uuid.UUID
	LastUpdate                        time.Time
	AlgorithmVersion                  string
	AcceptanceRate                    *float64
	AvgUtilization                    float64
	StdDevUtilization, TargetAchieved *float64
	MLAccuracy                        *float64
	SampleSize                        int
	Significant                       bool
	UtilizationSlope, AcceptanceSlope *float64 // per day
	UtilizationTrend, AcceptanceTrend Trend
	EnoughData                        bool // for a trend to be one
	MeasurementsIn30Days              int
	FirstMeasurement, LastMeasurement *time.Time
	ActiveOutliers, CriticalOutliers  int
	AsOf                              time.Time
}

// NotDeployed is the error of a summary that a pending migration has yet to bring.
type NotDeployed struct{ What, Version string }

func (n *NotDeployed) Error() string {
	return fmt.Sprintf("%s are not deployed yet: they come with migration V%s.", n.What, n.Version)
}

// Store reads the summaries of the actor's tenant. What is not deployed is *NotDeployed.
type Store interface {
	Metrics(ctx context.Context, by actor.Actor, facility uuid.NullUUID, limit int) ([]Metrics, error)
	// Summary gives false where the facility has none, does not exist or is another tenant's.
	Summary(ctx context.Context, by actor.Actor, facility uuid.UUID) (Summary, bool, error)
	// Report reads the figures of every facility, of at most so many.
	Report(ctx context.Context, by actor.Actor, limit int) (Report, error)
	// Compute writes the figures of now. Where the warehouse has none of their tables yet it does nothing.
	Compute(ctx context.Context, by actor.Actor) error
	ComputeFailed(ctx context.Context, by actor.Actor, why string) error
}

// MostFacilities bounds how many facilities one question is answered for.
const MostFacilities = 200

// Service answers questions about quality and statistics.
type Service struct{ store Store }

// NewService reads from store.
func NewService(store Store) *Service { return &Service{store: store} }

// Metrics are the figures of every facility, or of one; a facility that is not there has none.
func (s *Service) Metrics(ctx context.Context, by actor.Actor, facility uuid.NullUUID) ([]Metrics, error) {
	return s.store.Metrics(ctx, by, facility, MostFacilities)
}

// Summary is the statistics of one facility; false where there are none.
func (s *Service) Summary(ctx context.Context, by actor.Actor, facility uuid.UUID) (Summary, bool, error) {
	return s.store.Summary(ctx, by, facility)
}
