package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/health"
)

// Health reads what the health checks judge (health.Warehouse) and keeps their results (health.Store).
type Health struct{ DB *DB }

var (
	_ health.Warehouse = Health{}
	_ health.Store     = Health{}
)

// Keep writes the results of one run down. People's runs are acts and leave an audit entry; the scheduler's do not.
func (h Health) Keep(ctx context.Context, by actor.Actor, r health.Report, keep time.Duration) error {
	var checks, levels, values, units, messages []string
	var took []float64
	for _, one := range r.Results {
		checks, levels = append(checks, string(one.Check)), append(levels, string(one.Level))
		values, units = append(values, one.Value), append(units, one.Unit)
		messages, took = append(messages, one.Message), append(took, float64(one.Took.Microseconds())/1000)
	}
	return h.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		var b pgx.Batch
		b.Queue(sql("KeepHealthResults"), pgx.StrictNamedArgs{
			"tenant": by.Tenant, "run": r.Run, "checks": checks, "levels": levels, "values": values,
			"units": units, "messages": messages, "took_ms": took,
		})
		b.Queue(sql("ForgetHealthResults"), pgx.StrictNamedArgs{"seconds": keep.Seconds()})
		if err := tx.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
		if by.Origin == actor.Worker {
			return nil
		}
		return record(ctx, tx, by, audit.Event{
			Action: "health:run", ObjectKind: "health_run", ObjectID: r.Run.String(), After: map[string]any{"status": r.Status()},
		})
	})
}

type healthRow struct {
	RunID     uuid.UUID
	CheckName string
	Level     string
	Value     string
	Unit      string
	Message   string
	TookMs    float64
	CheckedAt time.Time
}

// Latest gives the newest run of the tenant, in the order of health.Checks.
func (h Health) Latest(ctx context.Context, by actor.Actor) (health.Report, error) {
	var rows []healthRow
	err := h.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("LatestHealthResults")).Query(collect(&rows))
	})
	if err != nil || len(rows) == 0 {
		return health.Report{}, err
	}
	found := map[health.Check]healthRow{}
	for _, row := range rows {
		found[health.Check(row.CheckName)] = row
	}
	report := health.Report{Run: rows[0].RunID, CheckedAt: rows[0].CheckedAt}
	for _, check := range health.Checks {
		row, ok := found[check]
		if !ok { // stored by a version of the program that had fewer checks
			report.Results = append(report.Results, health.Result{
				Check: check, Level: health.Unknown, Message: "The newest run did not make this check.", CheckedAt: report.CheckedAt,
			})
			continue
		}
		report.Results = append(report.Results, health.Result{
			Check: check, Level: health.Level(row.Level), Value: row.Value, Unit: row.Unit, Message: row.Message,
			Took: time.Duration(row.TookMs * float64(time.Millisecond)), CheckedAt: row.CheckedAt,
		})
	}
	return report, nil
}

// Reconcile runs one turn of the reconciliation and writes down that this scheduler did it. The start is committed
// first, so that a turn that dies is seen to have started and not to have succeeded.
func (h Health) Reconcile(ctx context.Context, scheduler string) (health.Reconciliation, error) {
	by := actor.System(actor.Worker, health.ReconcileJob)
	args := pgx.StrictNamedArgs{"job": health.ReconcileJob, "scheduler": scheduler}
	err := h.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql("JobStarted"), args)
		return err
	})
	if err != nil {
		return health.Reconciliation{}, err
	}
	turn, err := h.reconcile(ctx, by)
	if missingFunction(err) {
		applied, lookErr := h.DB.countsAsApplied(ctx, by, "0.0.18")
		if lookErr == nil && !applied {
			return health.Reconciliation{Outcome: "NOT_DEPLOYED", Error: "Migration V0.0.18 is not applied yet."}, nil
		}
		turn = health.Reconciliation{Outcome: "FAILURE", Error: "its function is missing although migration V0.0.18 counts as applied"}
		err = errors.Join(err, lookErr)
	} else if err != nil {
		turn = health.Reconciliation{Outcome: "FAILURE", Error: "the database did not finish it"}
	}
	noted := h.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		switch turn.Outcome {
		case "SUCCESS":
			_, err := tx.Exec(ctx, sql("JobSucceeded"), args)
			return err
		case "BUSY":
			return nil // whoever is at it records the outcome
		}
		_, err := tx.Exec(ctx, sql("JobFailed"), pgx.StrictNamedArgs{"job": health.ReconcileJob, "scheduler": scheduler, "error": turn.Error})
		return err
	})
	return turn, errors.Join(err, noted)
}

func (h Health) reconcile(ctx context.Context, by actor.Actor) (health.Reconciliation, error) {
	var turn struct {
		Outcome    string
		Checked    int
		PutRight   int
		DurationMs int
		Error      string
	}
	err := h.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sql("AllowMinutes")); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, sql("ReconcileUtilization"))
		if err != nil {
			return err
		}
		return collectOne(&turn)(rows)
	})
	return health.Reconciliation{
		Outcome: turn.Outcome, Checked: turn.Checked, PutRight: turn.PutRight,
		Took: time.Duration(turn.DurationMs) * time.Millisecond, Error: turn.Error,
	}, err
}

func missingFunction(err error) bool { return sqlState(err) == "42883" }

func missingTable(err error) bool { return sqlState(err) == "42P01" || sqlState(err) == "42703" }

// sqlState is PostgreSQL's code of the error; empty where it is none of PostgreSQL's.
func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
