package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/graph"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// The smoke tests' queries ask for every field, as the runbook expects.
const (
	smokeQuality = `query SmokeDataQuality { getDataQualityMetrics { facilityId facilityName materialsVerifiedCount materialsWithVariance avgCubicFeetVariancePct avgWeightVariancePct capacityFailuresCount unresolvedFailuresCount crossdockCancellationsCount pendingRelocationsCount autoRemediationCount failedRemediationCount asOf } }`
	smokeHealth  = `query SmokeHealth { getBinOptimizationHealthEnhanced(autoRemediate: false) { status message remediationActions { action successful } timestamp checks { name status level message } } }`
	smokeSummary = `query SmokeStatistics($facility: ID!) { getStatisticalSummary(facilityId: $facility) { facilityId lastUpdate algorithmVersion currentAcceptanceRate currentAvgUtilization currentStdDevUtilization currentTargetAchievement currentMlAccuracy currentSampleSize isStatisticallySignificant utilizationTrendSlope utilizationTrendDirection acceptanceTrendSlope acceptanceTrendDirection trendHasEnoughData measurementsIn30d firstMeasurement lastMeasurement activeOutliers criticalOutliers asOf } }`
)

type smokeAnswer struct {
	Data struct {
		Metrics []json.RawMessage `json:"getDataQualityMetrics"`
		Health  *struct {
			Status  string `json:"status"`
			Message string `json:"message"`
			Checks  []struct {
				Name   string `json:"name"`
				Status string `json:"status"`
				Level  string `json:"level"`
			} `json:"checks"`
		} `json:"getBinOptimizationHealthEnhanced"`
		Summary json.RawMessage `json:"getStatisticalSummary"`
	} `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

// smoke sends a real query to the real endpoint and judges the answer. An endpoint that cannot be asked is no error of
// ours but the finding.
func (c Checks) smoke(ctx context.Context, by actor.Actor, name string) (postgres.Fact, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*health.CheckDeadline)
	defer cancel()
	switch name {
	case "graphql.data_quality":
		f, got := c.ask(ctx, by, smokeQuality, nil)
		if f.OK {
			judgeSmokeQuality(&f, got)
		}
		return f, nil
	case "graphql.health":
		f, got := c.ask(ctx, by, smokeHealth, nil)
		if f.OK {
			judgeSmokeHealth(&f, got)
		}
		return f, nil
	}
	f, got := c.ask(ctx, by, smokeQuality, nil)
	if !f.OK {
		return f, nil
	}
	if len(got.Data.Metrics) == 0 {
		f.OK, f.Summary = false, "Unknown: this tenant has no facility to ask statistics of."
		return f, nil
	}
	var first struct {
		FacilityID string `json:"facilityId"`
	}
	if err := json.Unmarshal(got.Data.Metrics[0], &first); err != nil {
		return postgres.Fact{}, fmt.Errorf("reading a facility from the data-quality answer: %w", err)
	}
	f, got = c.ask(ctx, by, smokeSummary, map[string]string{"facility": first.FacilityID})
	if f.OK {
		f.Value = map[string]any{"facility": first.FacilityID, "summary": got.Data.Summary}
		f.Summary = "Answered with a row, without errors."
		if string(got.Data.Summary) == "null" {
			f.Summary = "Answered with null, without errors: nothing has been measured for this facility yet."
		}
	}
	return f, nil
}

func judgeSmokeQuality(f *postgres.Fact, got smokeAnswer) {
	if len(got.Data.Metrics) == 0 {
		f.OK, f.Summary = false, "Unknown: it answered without errors, but for no facility, so no field was seen."
		return
	}
	f.Value = map[string]any{"facilities": len(got.Data.Metrics), "first": got.Data.Metrics[0]}
	f.Summary = fmt.Sprintf("Answered without errors and with all fields, for %d of this tenant's facilities.", len(got.Data.Metrics))
}

func judgeSmokeHealth(f *postgres.Fact, got smokeAnswer) {
	if got.Data.Health == nil {
		f.OK, f.Summary = false, "The answer holds no health."
		return
	}
	f.Value = got.Data.Health
	f.OK = got.Data.Health.Status == string(health.StatusHealthy) && len(got.Data.Health.Checks) == len(health.Checks)
	for _, one := range got.Data.Health.Checks {
		f.OK = f.OK && one.Status == string(health.StatusHealthy) && one.Level != string(health.NotDeployed)
	}
	f.Summary = got.Data.Health.Status + ". " + got.Data.Health.Message
}

// ask gives a finding that is OK where the endpoint answered 200 without errors.
func (c Checks) ask(ctx context.Context, by actor.Actor, query string, variables map[string]string) (postgres.Fact, smokeAnswer) {
	f := postgres.Fact{Query: "POST /graphql: " + query, Value: map[string]any{}}
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		f.Summary = "The query could not be written."
		return f, smokeAnswer{}
	}
	reply, err := c.Endpoint.probe().Post(ctx, by, string(body))
	var unasked *health.Unasked
	var plain *health.Plain
	switch {
	case errors.As(err, &unasked):
		f.Summary = "Unknown: " + unasked.Why
		return f, smokeAnswer{}
	case errors.As(err, &plain):
		f.Summary = "The GraphQL endpoint cannot be used: " + plain.Text
		return f, smokeAnswer{}
	case err != nil:
		f.Summary = "The GraphQL endpoint did not answer in time."
		return f, smokeAnswer{}
	}
	f.Value = map[string]any{"status": reply.Status, "took_ms": reply.Took.Milliseconds()}
	var got smokeAnswer
	switch err := json.Unmarshal(reply.Body, &got); {
	case reply.Status != http.StatusOK:
		f.Summary = fmt.Sprintf("The GraphQL endpoint answered with status %d.", reply.Status)
	case err != nil:
		f.Summary = "What the endpoint answered is not GraphQL."
	case len(got.Errors) > 0:
		f.Summary = fmt.Sprintf("The endpoint answered with an error (%v): %s", got.Errors[0].Extensions["code"], got.Errors[0].Message)
	default:
		f.OK = true
	}
	return f, got
}

// probe asks the configured endpoint, or this server itself.
func (e *endpoint) probe() graph.Probe {
	url := e.url
	if own := e.own.Load(); url == "" && own != nil {
		url = *own
	}
	return graph.Probe{URL: url, Token: e.token}
}
