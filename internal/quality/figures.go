package quality

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// Bands are the bands of the variance of a volume, in percent of the recorded value, from far below it to far above.
const Bands = 7

// BandEdges part the bands. Up to 5 percent either way is one band; the edges 10 and -10 belong to what is within tolerance,
// because only what is strictly over them is out of it (DOMAIN 5.3).
var BandEdges = [Bands - 1]int{-20, -10, -5, 5, 10, 20}

// WithinTolerance says whether materials of a band may keep their recorded value.
func WithinTolerance(band int) bool { return band >= 2 && band <= 4 }

// Day are the figures of one facility as they were computed last on a day.
type Day struct {
	Facility        uuid.UUID
	Day, ComputedAt time.Time
	// Held are the materials of which a lot is there, Due those of them that no accepted measurement of the last 90 days stands
	// behind.
	Held, Due int
	// Failures24h are the capacity failures of the 24 hours before, Unresolved24h those of them that are unresolved; Unresolved are
	// all that are, and Pending the cancelled cross-docks that wait for a place.
	Failures24h, Unresolved24h, Unresolved, Pending int
	// ByVariance counts materials by the newest variance of their volume; FirstMeasured are those with no value to compare with.
	ByVariance    [Bands]int
	FirstMeasured int
}

// VerifiedPct is the share of the held materials that are verified, 0 to 100; false where none is held, which is not 100 percent.
func (d Day) VerifiedPct() (float64, bool) {
	if d.Held == 0 {
		return 0, false
	}
	return 100 * float64(d.Held-d.Due) / float64(d.Held), true
}

// Measured are all materials that were measured at least once.
func (d Day) Measured() int {
	sum := d.FirstMeasured
	for _, n := range d.ByVariance {
		sum += n
	}
	return sum
}

// Facility is a facility with what the summary of the warehouse says of it, and its figures of the last 30 days, oldest first.
type Facility struct {
	Metrics
	Days []Day
}

// Now are the newest figures; false where none were computed within 30 days.
func (f Facility) Now() (Day, bool) {
	if len(f.Days) == 0 {
		return Day{}, false
	}
	return f.Days[len(f.Days)-1], true
}

// Every is how often the figures are computed; StaleAfter is when they are too old to be believed without a word.
const (
	Every      = 10 * time.Minute
	StaleAfter = 30 * time.Minute
)

// Report is how good the master data of all facilities is.
type Report struct {
	Facilities []Facility
	// At is the database's clock, ComputedAt when the figures were computed last, zero for never; Took is how long that took.
	At, ComputedAt time.Time
	Took           time.Duration
	// FailingSince is since when they cannot be computed, zero where they can; Failure says why.
	FailingSince time.Time
	Failure      string
}

// Standing is whether a report may be believed.
type Standing string

// The standings of a report.
const (
	Fresh   Standing = "fresh"
	Stale   Standing = "stale"   // computed too long ago
	Failing Standing = "failing" // the newest attempt failed: the figures are those of the last one that did not
	Never   Standing = "never"   // nothing was computed yet
)

// Standing judges the report by its age and by how the newest attempt ended.
func (r Report) Standing() Standing {
	switch {
	case !r.FailingSince.IsZero():
		return Failing
	case r.ComputedAt.IsZero():
		return Never
	case r.At.Sub(r.ComputedAt) > StaleAfter:
		return Stale
	}
	return Fresh
}

// Report reads the figures of at most MostFacilities facilities.
func (s *Service) Report(ctx context.Context, by actor.Actor) (Report, error) {
	if err := by.Demand(actor.HealthRead); err != nil {
		return Report{}, err
	}
	return s.store.Report(ctx, by, MostFacilities)
}

// Compute computes the figures of the actor's tenant anew. That it failed, and why, is written down for whoever reads them.
func (s *Service) Compute(ctx context.Context, by actor.Actor) error {
	err := s.store.Compute(ctx, by)
	if err == nil {
		return nil
	}
	if failed := s.store.ComputeFailed(ctx, by, "The database did not finish computing them."); failed != nil {
		return failed
	}
	return err
}
