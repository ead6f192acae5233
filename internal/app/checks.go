package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

// Checks answers the items of the runbook that no person can tick: each name of runbook.Checks is one question to a
// story or to the database. What cannot be found out is not OK.
type Checks struct {
	Database   postgres.Checks
	Health     *health.Service
	Migrations *migration.Service
	// Endpoint is where the smoke tests send their queries.
	Endpoint *endpoint
	Now      func() time.Time
}

var _ runbook.Checker = Checks{}

// The versions that are new with this feature, as the requirement's own query names them.
var newVersions = []string{"0.0.20", "0.0.21", "0.0.22"}

// Check runs the check of that name.
func (c Checks) Check(ctx context.Context, by actor.Actor, name string, run runbook.RunFacts) (runbook.CheckResult, error) {
	fact, err := c.find(ctx, by, name, run)
	if err != nil {
		return runbook.CheckResult{}, err
	}
	value, err := json.Marshal(fact.Value)
	if err != nil {
		return runbook.CheckResult{}, fmt.Errorf("encoding what check %s found: %w", name, err)
	}
	return runbook.CheckResult{OK: fact.OK, Summary: fact.Summary, Query: fact.Query, Value: value, At: c.Now().UTC()}, nil
}

func (c Checks) find(ctx context.Context, by actor.Actor, name string, run runbook.RunFacts) (postgres.Fact, error) {
	switch name {
	case "database.connection":
		return c.Database.DatabaseConnection(ctx, by)
	case "schema_version.last":
		return c.Database.SchemaVersionLast(ctx, by, newVersions[0])
	case "schema_version.three":
		return c.Database.SchemaVersions(ctx, by, newVersions)
	case "tables.nine":
		return c.Database.TablesNine(ctx, by)
	case "matviews.two":
		return c.Database.MatviewsTwo(ctx, by)
	case "constraint.confidence":
		return c.Database.ConstraintConfidence(ctx, by)
	case "migration.baseline", "migration.plan", "migration.applied":
		return c.migration(ctx, by, name, run)
	case "backup.restores":
		return c.Database.BackupRestores(ctx, by, run.Run)
	case "migration.rehearsed":
		return c.Database.MigrationRehearsed(ctx, by, run.Run)
	case "health.overall":
		return c.overall(ctx, by)
	case "cache.freshness":
		return one(c.Health.One(ctx, by, health.CacheFreshness)), nil
	case "ml.accuracy":
		return one(c.Health.One(ctx, by, health.MLAccuracy)), nil
	case "graphql.data_quality", "graphql.health", "graphql.statistics":
		return c.smoke(ctx, by, name)
	}
	return postgres.Fact{}, fmt.Errorf("the runbook asks for check %q, which nobody answers", name)
}

// overall runs the eight checks now. A run that is under way may have begun before what is to be judged, so it is waited
// out and another one made.
func (c Checks) overall(ctx context.Context, by actor.Actor) (postgres.Fact, error) {
	report, err := c.Health.Run(ctx, by)
	for tries := 0; fault.Is(err, fault.Conflict) && tries < 40; tries++ {
		select {
		case <-ctx.Done():
			return postgres.Fact{}, ctx.Err()
		case <-time.After(250 * time.Millisecond):
			report, err = c.Health.Run(ctx, by)
		}
	}
	if err != nil {
		return postgres.Fact{}, err
	}
	f := postgres.Fact{
		OK: report.Status() == health.StatusHealthy && len(report.NotDeployed()) == 0, Value: report.Document(by.TenantCode),
		Query: "the eight health checks, each with its own query", Summary: string(report.Status()) + withWarnings(report) + ". " + report.Sentence(),
	}
	if missing := report.NotDeployed(); len(missing) > 0 && report.Status() == health.StatusHealthy {
		f.Summary = "Not all checks can be made yet. " + strings.Join(missing, " ")
	}
	return f, nil
}

// withWarnings keeps a signer from reading HEALTHY where something was found.
func withWarnings(report health.Report) string {
	switch n := len(report.Warnings()); n {
	case 0:
		return ""
	case 1:
		return ", with 1 warning"
	default:
		return fmt.Sprintf(", with %d warnings", n)
	}
}

// one is a single health check as evidence: a warning is not what the item asks for.
func one(r health.Result) postgres.Fact {
	return postgres.Fact{
		OK: r.Level == health.Healthy, Summary: fmt.Sprintf("%s: %s", r.Level, r.Message), Query: r.Check.Query(),
		Value: map[string]any{"check": r.Check, "level": r.Level, "value": r.Value, "unit": r.Unit, "threshold": r.Check.Threshold()},
	}
}

const ladderQuery = "files of this program against gatehouse.migration_ledger, version by version"

type rungValue struct {
	Version string `json:"version"`
	State   string `json:"state"`
	SHA256  string `json:"sha256"`
	Next    bool   `json:"next,omitempty"`
}

func (c Checks) migration(ctx context.Context, by actor.Actor, name string, run runbook.RunFacts) (postgres.Fact, error) {
	ladder, objects, err := c.Migrations.Verify(ctx, by)
	if err != nil {
		return postgres.Fact{}, err
	}
	var rungs []rungValue
	for _, r := range ladder.Rungs {
		rungs = append(rungs, rungValue{r.Version.String(), string(r.State), r.File.SHA256, r.Next})
	}
	f := postgres.Fact{Query: ladderQuery, Value: rungs}
	var wrong []string
	switch name {
	case "migration.baseline":
		f.Summary, wrong = beforeRelease(ladder)
	case "migration.plan":
		f.Summary, wrong = planOf(ladder, run)
	case "migration.applied":
		f.Summary, wrong = appliedOf(ladder, run)
		for _, o := range objects {
			if !o.Passed {
				wrong = append(wrong, fmt.Sprintf("%s: expected %s, found %s", o.Name, o.Expected, o.Found))
			}
		}
	}
	f.OK = len(wrong) == 0
	if !f.OK {
		f.Summary = strings.Join(wrong, "; ") + "."
	}
	return f, nil
}

// beforeRelease asks for the warehouse's baseline, and that whatever else is applied is whole and unchanged.
func beforeRelease(l migration.Ladder) (summary string, wrong []string) {
	var applied []string
	for _, r := range l.Rungs {
		if r.InDatabase() {
			applied = append(applied, r.Version.String())
		}
	}
	wrong = troubles(l)
	if rung, ok := l.Find(baseline); !ok || !rung.InDatabase() {
		wrong = append(wrong, baseline.Title()+", the warehouse itself, is not recorded as applied")
	}
	return "Applied and unchanged: " + strings.Join(applied, ", ") + ".", wrong
}

// planOf asks whether the release's migrations can be applied in their order, from the files that were frozen with it.
func planOf(l migration.Ladder, run runbook.RunFacts) (summary string, wrong []string) {
	wrong = append(troubles(l), changedFiles(l, run)...)
	var pending []string
	for _, m := range run.Migrations {
		v, err := migration.ParseVersion(m.Version)
		if err != nil {
			return "", append(wrong, err.Error())
		}
		if rung, ok := l.Find(v); ok && !rung.InDatabase() {
			pending = append(pending, m.Version)
		}
	}
	next, ok := l.Next()
	switch {
	case len(run.Migrations) == 0:
		return "", append(wrong, "the release names no migration")
	case len(pending) == 0:
		return "Nothing is left to apply: every migration of this release is in the database.", wrong
	case !ok:
		wrong = append(wrong, "none of "+strings.Join(pending, ", ")+" may be applied next")
	case next.Version.String() != pending[0]:
		wrong = append(wrong, fmt.Sprintf("the next one is %s, which is not the first of this release's (%s)", next.Version, pending[0]))
	}
	return fmt.Sprintf("Clean: %s in this order; files and database agree.", strings.Join(pending, ", ")), wrong
}

// appliedOf asks whether every migration of the release is in the database, from the file that was frozen with it.
func appliedOf(l migration.Ladder, run runbook.RunFacts) (summary string, wrong []string) {
	wrong = append(troubles(l), changedFiles(l, run)...)
	var took time.Duration
	for _, m := range run.Migrations {
		v, err := migration.ParseVersion(m.Version)
		if err != nil {
			return "", append(wrong, err.Error())
		}
		rung, ok := l.Find(v)
		if !ok || !rung.InDatabase() {
			wrong = append(wrong, m.Version+" is not applied")
			continue
		}
		took += rung.Effect.Took
	}
	if len(run.Migrations) == 0 {
		wrong = append(wrong, "the release names no migration")
	}
	return fmt.Sprintf("All %d migrations of the release are applied from the frozen files, in %s of work; their objects are there.",
		len(run.Migrations), clock.Duration(took)), wrong
}

func changedFiles(l migration.Ladder, run runbook.RunFacts) []string {
	var wrong []string
	for _, m := range run.Migrations {
		v, err := migration.ParseVersion(m.Version)
		if err != nil {
			continue
		}
		if rung, ok := l.Find(v); !ok || !rung.HasFile {
			wrong = append(wrong, "this program has no file for "+m.Version)
		} else if rung.File.SHA256 != m.SHA256 {
			wrong = append(wrong, "the file of "+m.Version+" is not the one the release was started with")
		}
	}
	return wrong
}

// troubles are what must be put right before anything else: disagreements, failures and runs nobody has looked at.
func troubles(l migration.Ladder) []string {
	var wrong []string
	for _, p := range l.Problems {
		wrong = append(wrong, strings.TrimSuffix(p, "."))
	}
	for _, r := range l.Rungs {
		switch r.State {
		case migration.StateFailed:
			wrong = append(wrong, "the last try of "+r.Version.String()+" failed")
		case migration.StateDirty:
			wrong = append(wrong, r.Version.String()+" stopped half way, outside a transaction")
		case migration.StateInterrupted:
			wrong = append(wrong, "a run of "+r.Version.String()+" was cut off and nobody has looked at it yet")
		case migration.StateHandMade:
			wrong = append(wrong, "objects of "+r.Version.String()+" were made by hand")
		case migration.StateApplied, migration.StateBaseline, migration.StatePending, migration.StateBlocked, migration.StateRunning,
			migration.StateChanged, migration.StateMissingFile, migration.StateOutOfOrder, migration.StateUndone:
		}
	}
	return wrong
}
