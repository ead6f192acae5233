package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// Checks finds out facts of the database that a runbook item asks for. Nothing of what it does stays in the database.
type Checks struct{ DB *DB }

// Fact is what one check found. What could not be found out is not OK and says so.
type Fact struct {
	OK      bool
	Summary string
	Query   string // what was asked, so that a person can ask it again
	Value   any    // encodes to JSON
}

// The smallest server that every migration file runs on.
const leastServer = 150000

// DatabaseConnection asks the server who it is.
func (c Checks) DatabaseConnection(ctx context.Context, by actor.Actor) (Fact, error) {
	var server struct {
		Version string
		Number  int
	}
	started := time.Now()
	err := c.DB.page(ctx, by, func(b *pgx.Batch) { b.Queue(sql("ServerVersion")).Query(collectOne(&server)) })
	if err != nil {
		return Fact{}, err
	}
	took := time.Since(started)
	f := Fact{
		OK: server.Number >= leastServer, Query: sql("ServerVersion"), Value: map[string]any{"server_version": server.Version, "took_ms": float64(took.Microseconds()) / 1000},
		Summary: fmt.Sprintf("PostgreSQL %s answered in %.1f ms.", server.Version, float64(took.Microseconds())/1000),
	}
	if !f.OK {
		f.Summary = fmt.Sprintf("PostgreSQL %s answered, but at least version 15 is needed.", server.Version)
	}
	return f, nil
}

type versionRow struct {
	Version     string    `json:"version"`
	Success     bool      `json:"success"`
	InstalledOn time.Time `json:"installed_on"`
	Below       bool      `json:"-"`
}

// SchemaVersionLast lists the newest versions; the newest must have succeeded and be below a version: "0.0.20".
func (c Checks) SchemaVersionLast(ctx context.Context, by actor.Actor, below string) (Fact, error) {
	var rows []versionRow
	err := c.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("NewestSchemaVersions"), pgx.StrictNamedArgs{"below": below}).Query(collect(&rows))
	})
	if err != nil {
		return Fact{}, err
	}
	f := Fact{Value: rows, Query: "SELECT version, success, installed_on FROM schema_version ORDER BY string_to_array(version, '.')::integer[] DESC LIMIT 5"}
	switch {
	case len(rows) == 0:
		f.Summary = "schema_version holds no version at all."
	case !rows[0].Success:
		f.Summary = fmt.Sprintf("The last version is %s, and it failed.", rows[0].Version)
	case !rows[0].Below:
		f.Summary = fmt.Sprintf("The last version is %s; it should be below %s.", rows[0].Version, below)
	default:
		f.OK, f.Summary = true, fmt.Sprintf("The last version is %s, below %s.", rows[0].Version, below)
	}
	return f, nil
}

// SchemaVersions asks, in the requirement's own words, whether each of the versions stands there as successful.
func (c Checks) SchemaVersions(ctx context.Context, by actor.Actor, versions []string) (Fact, error) {
	var rows []struct {
		Version string `json:"version"`
		Success bool   `json:"success"`
	}
	err := c.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("SchemaVersionsOf"), pgx.StrictNamedArgs{"versions": versions}).Query(collect(&rows))
	})
	if err != nil {
		return Fact{}, err
	}
	applied := map[string]bool{}
	for _, r := range rows {
		applied[r.Version] = r.Success
	}
	var lacking []string
	for _, v := range versions {
		if success, there := applied[v]; !there {
			lacking = append(lacking, v+" is not applied")
		} else if !success {
			lacking = append(lacking, v+" failed")
		}
	}
	f := Fact{
		OK: len(lacking) == 0, Value: rows, Summary: strings.Join(versions, ", ") + " are applied successfully.",
		Query: "SELECT version, success FROM schema_version WHERE version IN ('" + strings.Join(versions, "', '") + "')",
	}
	if !f.OK {
		f.Summary = strings.Join(lacking, "; ") + "."
	}
	return f, nil
}

var nineTables = []string{
	"material_dimension_verifications", "capacity_validation_failures", "cross_dock_cancellations",
	"bin_optimization_remediation_log", "bin_optimization_statistical_metrics", "bin_optimization_ab_test_results",
	"bin_optimization_correlation_analysis", "bin_optimization_statistical_validations", "bin_optimization_outliers",
}

var twoMatviews = []string{"bin_optimization_data_quality", "bin_optimization_statistical_summary"}

type relationRow struct {
	Name        string `json:"name"`
	Kind        string `json:"kind"` // pg_class.relkind; empty where there is none
	Populated   bool   `json:"populated"`
	RowSecurity bool   `json:"row_security"`
	PrimaryKey  bool   `json:"primary_key"`
}

// TablesNine looks for the nine new tables, each with a primary key and row-level security.
func (c Checks) TablesNine(ctx context.Context, by actor.Actor) (Fact, error) {
	return c.relations(ctx, by, nineTables, "new tables", func(r relationRow) string {
		switch r.Kind {
		case "r", "p":
		case "":
			return r.Name + " is missing"
		default:
			return r.Name + " is no table"
		}
		switch {
		case !r.RowSecurity:
			return r.Name + " has no row-level security"
		case !r.PrimaryKey:
			return r.Name + " has no primary key"
		}
		return ""
	})
}

// MatviewsTwo looks for the two materialized views, and whether they hold data.
func (c Checks) MatviewsTwo(ctx context.Context, by actor.Actor) (Fact, error) {
	return c.relations(ctx, by, twoMatviews, "materialized views", func(r relationRow) string {
		switch {
		case r.Kind == "":
			return r.Name + " is missing"
		case r.Kind != "m":
			return r.Name + " is not a materialized view"
		case !r.Populated:
			return r.Name + " is not populated"
		}
		return ""
	})
}

func (c Checks) relations(ctx context.Context, by actor.Actor, names []string, what string, complaint func(relationRow) string) (Fact, error) {
	var rows []relationRow
	err := c.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("RelationsPresent"), pgx.StrictNamedArgs{"names": names}).Query(collect(&rows))
	})
	if err != nil {
		return Fact{}, err
	}
	var complaints []string
	for _, r := range rows {
		if s := complaint(r); s != "" {
			complaints = append(complaints, s)
		}
	}
	found := len(rows) - len(complaints)
	f := Fact{
		OK: found == len(names), Value: rows, Summary: fmt.Sprintf("All %d %s are there.", len(names), what),
		Query: "SELECT relname, relkind, relispopulated, relrowsecurity FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname IN ('" + strings.Join(names, "', '") + "')",
	}
	if !f.OK {
		f.Summary = fmt.Sprintf("%d of %d %s are there: %s.", found, len(names), what, strings.Join(complaints, "; "))
	}
	return f, nil
}

// errUndo rolls a try back that has found out what it wanted to know.
var errUndo = errors.New("undo")

const confidenceConstraint = "chk_confidence_score_range"

// ConstraintConfidence tries to store a recommendation with confidence 1.5, in a transaction that is rolled back
// whatever happens. The same row is tried with 0.5 first: only if that goes in does the refusal prove anything.
func (c Checks) ConstraintConfidence(ctx context.Context, by actor.Actor) (Fact, error) {
	f := Fact{Query: strings.ReplaceAll(sql("TryRecommendation"), "@confidence", "1.5") + "; ROLLBACK"}
	err := c.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql("ValidRecommendation"))
		if err != nil {
			return err
		}
		var valid *validRow
		if err := collectMaybe(&valid)(rows); err != nil {
			return err
		}
		if valid == nil {
			f.Summary = "Unknown: this tenant has no active bin or no active material to make a valid recommendation from."
			return errUndo
		}
		control, err := try(ctx, tx, by, *valid, 0.5)
		if err != nil {
			return err
		}
		if control != nil {
			f.Summary = fmt.Sprintf("Unknown: even a confidence of 0.5 was refused (SQLSTATE %s, %s), so a refusal of 1.5 would prove nothing.", control.Code, control.ConstraintName)
			return errUndo
		}
		refusal, err := try(ctx, tx, by, *valid, 1.5)
		if err != nil {
			return err
		}
		f.judge(refusal)
		return errUndo
	})
	switch {
	case errors.Is(err, errUndo):
		return f, nil
	case missingTable(err):
		f.Summary = "Unknown: putaway_recommendations or a table it needs is missing."
		return f, nil
	}
	return Fact{}, err
}

type validRow struct{ FacilityID, LocationID, MaterialID uuid.UUID }

// try inserts inside a savepoint and gives the server's refusal; nil where the row went in.
func try(ctx context.Context, tx pgx.Tx, by actor.Actor, v validRow, confidence float64) (*pgconn.PgError, error) {
	var refusal *pgconn.PgError
	err := pgx.BeginFunc(ctx, tx, func(inner pgx.Tx) error {
		_, err := inner.Exec(ctx, sql("TryRecommendation"), pgx.StrictNamedArgs{
			"tenant": by.Tenant, "facility": v.FacilityID, "material": v.MaterialID, "location": v.LocationID, "confidence": confidence,
		})
		return err
	})
	if errors.As(err, &refusal) && (strings.HasPrefix(refusal.Code, "23") || strings.HasPrefix(refusal.Code, "22")) {
		return refusal, nil
	}
	return nil, err
}

func (f *Fact) judge(refusal *pgconn.PgError) {
	if refusal == nil {
		f.Value = map[string]any{"control": "accepted", "accepted": true}
		f.Summary = "A confidence of 1.5 was accepted: there is no range constraint yet. Nothing was kept."
		return
	}
	f.Value = map[string]any{"control": "accepted", "accepted": false, "sqlstate": refusal.Code, "constraint": refusal.ConstraintName}
	f.OK = refusal.Code == "23514" && refusal.ConstraintName == confidenceConstraint
	f.Summary = fmt.Sprintf("A confidence of 1.5 was refused by %s (SQLSTATE %s); 0.5 was accepted. Nothing was kept.", refusal.ConstraintName, refusal.Code)
	if !f.OK {
		f.Summary = fmt.Sprintf("A confidence of 1.5 was refused for another reason than its range: SQLSTATE %s, constraint %q.", refusal.Code, refusal.ConstraintName)
	}
}
