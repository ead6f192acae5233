package health

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Document is a Report as programs read it. Its checks cacheAge, mlModelAccuracy, databaseConnection, congestionCache and
// autoRemediation are the requirement's own words; all eight checks stand beside them.
type Document struct {
	Status      Status                   `json:"status"`
	Level       Level                    `json:"level"`
	ExitCode    int                      `json:"exitCode"`
	Message     string                   `json:"message"`
	Tenant      string                   `json:"tenant,omitempty"`
	CheckedAt   *time.Time               `json:"checkedAt"`
	Run         string                   `json:"run,omitempty"`
	Checks      map[string]CheckDocument `json:"checks"`
	Critical    []string                 `json:"critical"`
	Warnings    []string                 `json:"warnings"`
	NotDeployed []string                 `json:"notDeployed"`
}

// CheckDocument is one check as programs read it. The figures are null where they could not be read, never 0.
type CheckDocument struct {
	Status    string     `json:"status"` // HEALTHY, WARNING, DEGRADED, UNKNOWN, UNHEALTHY, NOT_DEPLOYED; NOT_APPLICABLE
	Title     string     `json:"title"`
	Value     *string    `json:"value"` // exact, in Unit
	Unit      string     `json:"unit,omitempty"`
	Message   string     `json:"message"`
	Threshold string     `json:"threshold,omitempty"`
	Query     string     `json:"query,omitempty"`
	TookMs    *float64   `json:"tookMs,omitempty"`
	CheckedAt *time.Time `json:"checkedAt,omitempty"`

	AgeMinutes        *float64 `json:"ageMinutes,omitempty"` // of cacheAge
	Accuracy          *float64 `json:"accuracy,omitempty"`   // of mlModelAccuracy, percent
	LastRemediationAt *string  `json:"lastRemediationAt,omitempty"`
}

var documentKeys = map[Check]string{
	Database: "databaseConnection", CacheFreshness: "cacheAge", MLAccuracy: "mlModelAccuracy", QueryPerformance: "queryPerformance",
	Scheduler: "scheduler", GraphQL: "graphqlEndpoint", DataQuality: "dataQuality", Statistics: "statistics",
}

// DocumentKey is the name of the check in a Document.
func (c Check) DocumentKey() string { return documentKeys[c] }

// Document gives the report in the form that programs read.
func (r Report) Document(tenant string) Document {
	d := Document{
		Status: r.Status(), Level: r.Level(), ExitCode: r.Status().ExitCode(), Message: r.Sentence(), Tenant: tenant,
		Checks: map[string]CheckDocument{}, Critical: some(r.Critical()), Warnings: some(r.Warnings()), NotDeployed: some(r.NotDeployed()),
	}
	if !r.CheckedAt.IsZero() {
		at := r.CheckedAt.UTC()
		d.CheckedAt, d.Run = &at, r.Run.String()
	}
	found := map[Check]bool{}
	for _, one := range r.Results {
		found[one.Check] = true
		d.Checks[one.Check.DocumentKey()] = one.document()
	}
	for _, check := range Checks {
		if !found[check] {
			d.Checks[check.DocumentKey()] = CheckDocument{
				Status: "UNKNOWN", Title: check.Title(), Message: "This check has not run.", Threshold: check.Threshold(), Query: check.Query(),
			}
		}
	}
	d.Checks["congestionCache"] = CheckDocument{
		Status: "NOT_APPLICABLE", Title: "Congestion cache", Message: "Congestion is computed when it is read, so there is no cache that could be stale.",
	}
	d.Checks["autoRemediation"] = CheckDocument{
		Status: "NOT_APPLICABLE", Title: "Automatic remediation", Message: "Nothing is remedied automatically: a health check only reads.",
	}
	return d
}

func (r Result) document() CheckDocument {
	took, at := float64(r.Took.Microseconds())/1000, r.CheckedAt.UTC()
	d := CheckDocument{
		Status: strings.ToUpper(string(r.Level)), Title: r.Check.Title(), Unit: r.Unit, Message: r.Message,
		Threshold: r.Check.Threshold(), Query: r.Check.Query(), TookMs: &took, CheckedAt: &at,
	}
	if r.Value == "" {
		return d
	}
	d.Value = &r.Value
	figure, err := strconv.ParseFloat(r.Value, 64)
	if err != nil {
		return d
	}
	switch r.Check {
	case CacheFreshness:
		minutes := figure / 60
		d.AgeMinutes = &minutes
	case MLAccuracy:
		d.Accuracy = &figure
	case Database, QueryPerformance, Scheduler, GraphQL, DataQuality, Statistics:
	}
	return d
}

// some makes an empty list of none: programs read [] more easily than null.
func some(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// Show is the value with its unit as people read it: "9 min 20 s", "92.4 %", "3".
func (r Result) Show() string {
	whole, err := strconv.ParseInt(r.Value, 10, 64)
	switch {
	case r.Value == "":
		return ""
	case r.Unit == "s" && err == nil:
		return words(time.Duration(whole) * time.Second)
	case r.Unit == "":
		return r.Value
	}
	return fmt.Sprintf("%s %s", r.Value, r.Unit)
}
