package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/health"
)

// Format names the form of the content.
const Format = "gatehouse-snapshot-1"

// Content is everything that a snapshot says. Figures are exact decimal text; one that could not be read is empty, and its
// state and why say so.
type Content struct {
	Format      string    `json:"format"`
	Run         uuid.UUID `json:"run"`
	Release     string    `json:"release"`
	Environment string    `json:"environment"`
	Tenant      string    `json:"tenant"`
	Point       Point     `json:"point"`
	T0          time.Time `json:"t0"`
	DueAt       time.Time `json:"due_at"`
	TakenAt     time.Time `json:"taken_at"`
	LateSeconds int64     `json:"late_seconds"`
	// From and To are the period that the figures of the warehouse are about.
	From    time.Time `json:"period_from"`
	To      time.Time `json:"period_to"`
	Status  string    `json:"health_status"`
	Health  []Check   `json:"health_checks"`
	Metrics []Figure  `json:"metrics"`
	Series  []Series  `json:"statistics"`
}

// Check is one health check in a snapshot.
type Check struct {
	Name      string       `json:"name"`
	Title     string       `json:"title"`
	State     health.Level `json:"state"`
	Value     string       `json:"value"`
	Unit      string       `json:"unit"`
	Threshold string       `json:"threshold"`
	Message   string       `json:"message"`
	Query     string       `json:"query"`
}

// Figure is one of the seven metrics under the requirement's own name.
type Figure struct {
	Name  string       `json:"name"`
	Title string       `json:"title"`
	Value string       `json:"value"`
	Unit  string       `json:"unit"`
	State health.Level `json:"state"`
	Why   string       `json:"why"`
}

// Series is a column of the warehouse described: of N values, with how many were missing.
type Series struct {
	Name    string       `json:"name"`
	Title   string       `json:"title"`
	Unit    string       `json:"unit"`
	State   health.Level `json:"state"`
	Why     string       `json:"why"`
	N       int          `json:"n"`
	Missing int          `json:"missing"`
	Mean    string       `json:"mean"`
	SD      string       `json:"standard_deviation"`
	Min     string       `json:"min"`
	P25     string       `json:"p25"`
	Median  string       `json:"median"`
	P75     string       `json:"p75"`
	P95     string       `json:"p95"`
	Max     string       `json:"max"`
}

// Adequate is how many values it takes before a mean says something.
const Adequate = 30

// judge says what the numbers are worth: of none, nothing is known.
func (s Series) judge() Series {
	if s.State != "" {
		return s
	}
	switch {
	case s.N == 0 && s.Missing == 0:
		s.State, s.Why = health.Unknown, "There was nothing to describe in this period."
	case s.N == 0:
		s.State, s.Why = health.Unknown, fmt.Sprintf("All %d values are missing.", s.Missing)
	case s.N < Adequate:
		s.State, s.Why = health.Warning, fmt.Sprintf("Only %d values; it takes %d before a mean says something.", s.N, Adequate)
	case s.Missing > 0:
		s.State, s.Why = health.Warning, fmt.Sprintf("%d of %d values are missing.", s.Missing, s.N+s.Missing)
	default:
		s.State = health.Healthy
	}
	return s
}

// Counts are the three numbers that no health check gives by itself; each with why it could not be read.
type Counts struct {
	Recommendations, Measurements, Outliers Count
}

// Count is a number, or the reason why there is none.
type Count struct {
	N     int
	State health.Level // empty where it was read
	Why   string
}

func (c Count) figure(name, title string) Figure {
	f := Figure{Name: name, Title: title, State: c.State, Why: c.Why}
	if c.State == "" {
		f.State, f.Value = health.Healthy, fmt.Sprint(c.N)
		if c.N >= health.CountedAtMost && name != "putaway_recommendations_total" {
			f.Why = fmt.Sprintf("Counting stops at %d.", health.CountedAtMost)
		}
	}
	return f
}

// metrics are the seven of the requirement, from what was read.
func metrics(report health.Report, counts Counts) []Figure {
	of := func(check health.Check, name, title, unit string) Figure {
		f := Figure{Name: name, Title: title, Unit: unit, State: health.Unknown, Why: "The health check did not run."}
		for _, r := range report.Results {
			if r.Check == check {
				f.Value, f.State, f.Why = r.Value, r.Level, ""
				if r.Value == "" {
					f.Why = r.Message
				}
			}
		}
		return f
	}
	status := Figure{Name: "bin_optimization_health_status", Title: "Health as a whole (2 healthy, 1 degraded, 0 unhealthy)", State: report.Level(), Value: "1"}
	switch report.Status() {
	case health.StatusHealthy:
		status.Value = "2"
	case health.StatusUnhealthy:
		status.Value = "0"
	case health.StatusDegraded:
	}
	measurements := counts.Measurements.figure("statistical_metrics_count", "Statistical measurements of 7 days")
	if measurements.Value == "0" {
		measurements.State, measurements.Why = health.Warning, "Nothing was measured in 7 days."
	}
	outliers := counts.Outliers.figure("critical_outliers_pending", "SEVERE and EXTREME outliers pending")
	if outliers.Value != "" && outliers.Value != "0" {
		outliers.State = health.Warning
	}
	return []Figure{
		of(health.CacheFreshness, "bin_utilization_cache_age_seconds", "Age of the cache", "s"),
		of(health.MLAccuracy, "ml_model_accuracy_percentage", "Accuracy of 7 days", "%"),
		counts.Recommendations.figure("putaway_recommendations_total", "Recommendations of 24 hours"),
		status,
		of(health.DataQuality, "capacity_validation_failures_unresolved", "Capacity failures of 24 hours unresolved", ""),
		measurements,
		outliers,
	}
}

func checksOf(report health.Report) []Check {
	list := make([]Check, len(report.Results))
	for i, r := range report.Results {
		list[i] = Check{
			Name: string(r.Check), Title: r.Check.Title(), State: r.Level, Value: r.Value, Unit: r.Unit, Threshold: r.Check.Threshold(),
			Message: r.Message, Query: r.Check.Query(),
		}
	}
	return list
}

// Canonical is the content as it is hashed and stored: JSON with its keys in order and nothing between them.
func (c Content) Canonical() (text, sum string, err error) {
	encode := func(v any) ([]byte, error) {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		err := e.Encode(v)
		return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
	}
	first, err := encode(c)
	if err != nil {
		return "", "", fmt.Errorf("encoding a snapshot: %w", err)
	}
	var sorted any
	d := json.NewDecoder(bytes.NewReader(first))
	d.UseNumber()
	if err := d.Decode(&sorted); err != nil {
		return "", "", fmt.Errorf("ordering a snapshot: %w", err)
	}
	canonical, err := encode(sorted)
	if err != nil {
		return "", "", fmt.Errorf("encoding a snapshot: %w", err)
	}
	hash := sha256.Sum256(canonical)
	return string(canonical), hex.EncodeToString(hash[:]), nil
}

// Read reads a content back, and says whether it is the one that the hash is of.
func Read(text, sum string) (Content, bool, error) {
	hash := sha256.Sum256([]byte(text))
	var c Content
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return c, false, fmt.Errorf("reading a snapshot: %w", err)
	}
	return c, hex.EncodeToString(hash[:]) == sum, nil
}
