package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/internal/quality"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// stories are asked at once: fields of the root are answered concurrently.
type stories struct {
	mu      sync.Mutex
	report  health.Report
	metrics []quality.Metrics
	summary *quality.Summary
	err     error
	asked   int
	by      actor.Actor
}

func (s *stories) note(by actor.Actor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.by = s.asked+1, by
}

func (s *stories) Latest(_ context.Context, by actor.Actor) (health.Report, error) {
	s.note(by)
	return s.report, s.err
}

func (s *stories) Metrics(_ context.Context, by actor.Actor, _ uuid.NullUUID) ([]quality.Metrics, error) {
	s.note(by)
	return s.metrics, s.err
}

func (s *stories) Summary(_ context.Context, by actor.Actor, _ uuid.UUID) (quality.Summary, bool, error) {
	s.note(by)
	if s.summary == nil {
		return quality.Summary{}, false, s.err
	}
	return *s.summary, true, s.err
}

type reply struct {
	status int
	body   string
	Data   map[string]any
	Errors []struct {
		Message    string
		Extensions map[string]any
	}
	Extensions struct {
		Cost struct{ Depth, Complexity, Limit int }
	}
}

func (r reply) code() string {
	if len(r.Errors) == 0 {
		return ""
	}
	code, _ := r.Errors[0].Extensions["code"].(string)
	return code
}

var devops = actor.Actor{Tenant: uuid.MustParse("11111111-1111-7111-8111-111111111111"), Subject: "devops", Roles: []actor.Role{actor.DevOpsLead}}

func post(t *testing.T, s *stories, o Options, by actor.Actor, contentType, body string) reply {
	t.Helper()
	o.Health, o.Quality, o.Log, o.Now = s, s, slog.New(slog.DiscardHandler), func() time.Time { return noon }
	e := echo.New()
	e.POST("/graphql", New(o).Serve)
	request := httptest.NewRequestWithContext(actor.Into(t.Context(), by), http.MethodPost, "/graphql", strings.NewReader(body))
	request.Header.Set("Content-Type", contentType)
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, request)
	r := reply{status: recorder.Code, body: recorder.Body.String()}
	if err := json.Unmarshal(recorder.Body.Bytes(), &r); err != nil {
		t.Fatalf("the answer to %.80q is no JSON: %s", body, recorder.Body)
	}
	return r
}

func query(t *testing.T, s *stories, q string) reply {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": q})
	if err != nil {
		t.Fatal(err)
	}
	return post(t, s, Options{}, devops, "application/json", string(body))
}

func TestThreeQuestionsAreAnswered(t *testing.T) {
	rate := 0.92
	s := &stories{
		report:  health.Report{CheckedAt: noon, Results: []health.Result{{Check: health.CacheFreshness, Level: health.Degraded, Message: "Reconciled 16 min ago."}}},
		metrics: []quality.Metrics{{Facility: uuid.MustParse("00000000-0000-7000-8000-0000000000a1"), FacilityName: "North", MaterialsVerified: 3, AvgCubicFeetVariancePct: 4.25, AsOf: noon.In(time.FixedZone("x", 3600))}},
		summary: &quality.Summary{AcceptanceRate: &rate, UtilizationTrend: quality.Improving, AcceptanceTrend: quality.Stable, SampleSize: 250, AsOf: noon, LastUpdate: noon},
	}
	r := query(t, s, `{ getBinOptimizationHealthEnhanced(autoRemediate: true) { status message remediationActions { action } timestamp checkedAt }
		getDataQualityMetrics { facilityId facilityName materialsVerifiedCount avgCubicFeetVariancePct asOf }
		getStatisticalSummary(facilityId: "00000000-0000-7000-8000-0000000000a1") { currentAcceptanceRate currentMlAccuracy utilizationTrendDirection currentSampleSize asOf } }`)
	want := `{"getBinOptimizationHealthEnhanced":{"status":"DEGRADED","message":"Cache freshness: Reconciled 16 min ago.","remediationActions":[],"timestamp":"2026-11-23T12:00:00Z","checkedAt":"2026-11-23T12:00:00Z"},` +
		`"getDataQualityMetrics":[{"facilityId":"00000000-0000-7000-8000-0000000000a1","facilityName":"North","materialsVerifiedCount":3,"avgCubicFeetVariancePct":4.25,"asOf":"2026-11-23T12:00:00Z"}],` +
		`"getStatisticalSummary":{"currentAcceptanceRate":0.92,"currentMlAccuracy":null,"utilizationTrendDirection":"IMPROVING","currentSampleSize":250,"asOf":"2026-11-23T12:00:00Z"}}`
	if r.status != http.StatusOK || !strings.Contains(r.body, want) {
		t.Errorf("status %d\n got %s\nwant %s", r.status, r.body, want)
	}
	if s.by.Tenant != devops.Tenant || s.asked != 3 {
		t.Errorf("the stories were asked %d times, for tenant %s", s.asked, s.by.Tenant)
	}
	if r.Extensions.Cost.Depth != 3 || r.Extensions.Cost.Limit != maxComplexity || r.Extensions.Cost.Complexity == 0 {
		t.Errorf("the cost shown is %+v", r.Extensions.Cost)
	}
}

func TestNothingKnownIsNotHealthy(t *testing.T) {
	r := query(t, &stories{}, `{ getBinOptimizationHealthEnhanced { status message checkedAt } getStatisticalSummary(facilityId: "00000000-0000-7000-8000-0000000000a1") { sample: currentSampleSize } }`)
	health, _ := r.Data["getBinOptimizationHealthEnhanced"].(map[string]any)
	if at, asked := health["checkedAt"]; health["status"] != "DEGRADED" || !asked || at != nil || !strings.Contains(fmt.Sprint(health["message"]), "No health check") || len(r.Errors) != 0 {
		t.Errorf("no run, no statistics: %s", r.body)
	}
	if summary, there := r.Data["getStatisticalSummary"]; !there || summary != nil {
		t.Errorf("a facility without statistics: %s", r.body)
	}
}

func TestErrorsAreTypedAndTellNoSecrets(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"to come":      {&quality.NotDeployed{What: "Statistics", Version: "0.0.22"}, codeNotDeployed},
		"refused":      {fault.New(fault.Forbidden, "Not you."), codeForbidden},
		"away":         {fault.New(fault.Unavailable, "Away."), codeUnavailable},
		"a mistake":    {errors.New("password=secret at 10.0.0.7"), codeInternal},
		"out of time":  {context.DeadlineExceeded, codeUnavailable},
		"not a number": {fault.New(fault.Invalid, "No."), codeValidation},
	} {
		r := query(t, &stories{err: c.err}, "{ getDataQualityMetrics { facilityId } }")
		if r.status != http.StatusOK || r.code() != c.want || strings.Contains(r.body, "secret") {
			t.Errorf("%s: status %d, %s; want code %s", name, r.status, r.body, c.want)
		}
	}
	s := &stories{}
	r := query(t, s, `{ getDataQualityMetrics(facilityId: "1; DROP TABLE x") { facilityId } }`)
	if r.code() != codeValidation || s.asked != 0 {
		t.Errorf("a facility that is no UUID: %s, asked %d", r.body, s.asked)
	}
	var panics *stories
	if r := query(t, panics, "{ getDataQualityMetrics { facilityId } }"); r.code() != codeInternal || strings.Contains(r.body, "nil pointer") {
		t.Errorf("a panic: %s", r.body)
	}
}

func TestWhatIsTooMuchIsRefusedBeforeAnythingIsAsked(t *testing.T) {
	for name, q := range map[string]string{
		"depth 50":           nested(50),
		"1000 aliases":       "{" + strings.Repeat("x: getDataQualityMetrics { facilityId } ", 1000) + "}",
		"a circle":           "{ ...A } fragment A on Query { getDataQualityMetrics { facilityId } ...A }",
		"100 operations":     strings.Repeat("query { getDataQualityMetrics { facilityId } } ", 100),
		"introspection":      "{ __schema { types { name } } }",
		"many tokens":        "{ getDataQualityMetrics { " + strings.Repeat("facilityId ", 3000) + "} }",
		"deep arguments":     `{ getDataQualityMetrics(facilityId: ` + strings.Repeat("[", 5000) + `) { facilityId } }`,
		"no such field":      "{ getDataQualityMetricz { facilityId } }",
		"a mutation":         "mutation { verifyMaterialDimensions { success } }",
		"a subscription":     "subscription { getDataQualityMetrics { facilityId } }",
		"tenant as argument": `{ getDataQualityMetrics(tenantId: "x") { facilityId } }`,
		"not GraphQL":        "SELECT 1",
		"empty":              "",
	} {
		s := &stories{}
		r := query(t, s, q)
		if r.status != http.StatusBadRequest || s.asked != 0 || r.code() != codeValidation && r.code() != codeForbidden {
			t.Errorf("%s: status %d, asked %d times: %.200s", name, r.status, s.asked, r.body)
		}
		if strings.Contains(r.body, "Did you mean") {
			t.Errorf("%s: the refusal suggests names: %s", name, r.body)
		}
	}
}

func TestOnlyJSONObjectsAreRead(t *testing.T) {
	const ok = `{"query":"{ __typename }"}`
	for name, c := range map[string]struct {
		contentType, body string
		want              int
	}{
		"as it should be":          {"application/json", ok, 200},
		"with charset":             {"application/json; charset=utf-8", ok, 200},
		"with variables":           {"application/json", `{"query":"query Q($f: ID) { getDataQualityMetrics(facilityId: $f) { facilityId } }","operationName":"Q","variables":{"f":null},"extensions":{}}`, 200},
		"another charset":          {"application/json; charset=utf-7", ok, 415},
		"as a form":                {"application/x-www-form-urlencoded", "query=%7B__typename%7D", 415},
		"as text":                  {"text/plain", ok, 415},
		"without a type":           {"", ok, 415},
		"a batch":                  {"application/json", "[" + ok + "]", 400},
		"a batch, indented":        {"application/json", " \n[" + ok + "]", 400},
		"two objects":              {"application/json", ok + ok, 400},
		"an unknown member":        {"application/json", `{"query":"{ __typename }","tenantId":"x"}`, 400},
		"a key twice":              {"application/json", `{"query":"{ __typename }","query":"{ a }"}`, 400},
		"a key twice, deeper":      {"application/json", `{"query":"{ __typename }","variables":{"a":[{"b":1,"b":2}]}}`, 400},
		"a key spelt otherwise":    {"application/json", `{"QUERY":"{ __typename }"}`, 400},
		"one key in two spellings": {"application/json", `{"Query":"{ a }","query":"{ __typename }"}`, 400},
		"two spellings, deeper":    {"application/json", `{"query":"{ __typename }","variables":{"a":1,"A":2}}`, 200},
		"one name at two depths":   {"application/json", `{"query":"{ __typename }","variables":{"query":[{"a":1},{"a":2}]}}`, 200},
		"half an object":           {"application/json", `{"query":"`, 400},
		"nothing":                  {"application/json", "", 400},
		"a large body":             {"application/json", `{"query":"` + strings.Repeat(" ", maxBody) + `"}`, 413},
		"unknown operation":        {"application/json", `{"query":"query A { __typename }","operationName":"B"}`, 400},
		"variable of a wrong type": {"application/json", `{"query":"query Q($f: ID) { getDataQualityMetrics(facilityId: $f) { facilityId } }","variables":{"f":{"a":1}}}`, 400},
	} {
		r := post(t, &stories{}, Options{}, devops, c.contentType, c.body)
		if r.status != c.want || c.want != 200 && r.code() != codeValidation {
			t.Errorf("%s: status %d, want %d: %.200s", name, r.status, c.want, r.body)
		}
		if strings.HasPrefix(name, "a batch") && !strings.Contains(r.body, "one query at a time") {
			t.Errorf("%s is refused with %.200s", name, r.body)
		}
	}
}

func TestIntrospectionIsForFewAndNeverInProduction(t *testing.T) {
	const ask = `{"query":"{ __schema { queryType { name } } __type(name: \"Query\") { name } }"}`
	viewer := actor.Actor{Subject: "v", Roles: []actor.Role{actor.Viewer, actor.QALead}}
	machine := actor.Actor{Subject: "m", Rights: []actor.Right{actor.GraphQLQuery}}
	for name, c := range map[string]struct {
		by      actor.Actor
		allowed bool
		want    int
	}{
		"devops, not in production": {devops, true, 200},
		"devops, in production":     {devops, false, 400},
		"viewer":                    {viewer, true, 400},
		"machine":                   {machine, true, 400},
	} {
		r := post(t, &stories{}, Options{Introspection: c.allowed}, c.by, "application/json", ask)
		if r.status != c.want || c.want == 400 && r.code() != codeForbidden || c.want == 200 && !strings.Contains(r.body, `"Query"`) {
			t.Errorf("%s: status %d, want %d: %s", name, r.status, c.want, r.body)
		}
	}
}
