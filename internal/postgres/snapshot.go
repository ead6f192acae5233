package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/internal/inbox"
	"github.com/agogsaas/gatehouse/internal/snapshot"
)

// Snapshots is snapshot.Store.
type Snapshots struct{ DB *DB }

var _ snapshot.Store = Snapshots{}

// Clock is the database's time.
func (s Snapshots) Clock(ctx context.Context, by actor.Actor) (time.Time, error) {
	return Health(s).Clock(ctx, by)
}

type watchedRow struct {
	RunID                 uuid.UUID
	Code, TimeZone, State string
	T0, PlannedAt         time.Time
	EndedAt               *time.Time
}

type snapshotHeadRow struct {
	RunID, SnapshotID  uuid.UUID
	Point              string
	T0, DueAt, TakenAt time.Time
	SHA256             string `db:"sha256"`
}

func (r snapshotHeadRow) head() snapshot.Head {
	return snapshot.Head{ID: r.SnapshotID, Point: snapshot.Point(r.Point), T0: r.T0.UTC(), DueAt: r.DueAt.UTC(), TakenAt: r.TakenAt.UTC(), SHA256: r.SHA256}
}

type snapshotRow struct {
	snapshotHeadRow
	Content string
}

type snapshotMissRow struct {
	RunID              uuid.UUID
	Point              string
	T0, DueAt, FoundAt time.Time
	Why                string
}

// watched joins runs with what was taken and missed of them.
func watched(rows []watchedRow, heads []snapshotHeadRow, misses []snapshotMissRow) []snapshot.Run {
	runs := make([]snapshot.Run, len(rows))
	for i, row := range rows {
		run := snapshot.Run{
			ID: row.RunID, Code: row.Code, TimeZone: row.TimeZone, State: row.State, T0: row.T0.UTC(), PlannedAt: row.PlannedAt.UTC(), EndedAt: timeOrZero(row.EndedAt),
		}
		for _, h := range heads {
			if h.RunID == row.RunID {
				run.Taken = append(run.Taken, h.head())
			}
		}
		for _, m := range misses {
			if m.RunID == row.RunID {
				run.Missed = append(run.Missed, snapshot.Miss{Point: snapshot.Point(m.Point), T0: m.T0.UTC(), DueAt: m.DueAt.UTC(), FoundAt: m.FoundAt.UTC(), Why: m.Why})
			}
		}
		runs[i] = run
	}
	return runs
}

// Watched reads the releases of which something may be due.
func (s Snapshots) Watched(ctx context.Context, by actor.Actor, environment string, at time.Time) ([]snapshot.Run, error) {
	var runs []snapshot.Run
	err := s.DB.view(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql("WatchedRuns"), pgx.StrictNamedArgs{"environment": environment, "at": at})
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[watchedRow])
		if err != nil || len(found) == 0 {
			return err
		}
		runs, err = takenOf(ctx, tx, found)
		return err
	})
	return runs, err
}

func takenOf(ctx context.Context, tx pgx.Tx, found []watchedRow) ([]snapshot.Run, error) {
	ids := make([]uuid.UUID, len(found))
	for i, row := range found {
		ids[i] = row.RunID
	}
	var b pgx.Batch
	var heads []snapshotHeadRow
	var misses []snapshotMissRow
	b.Queue(sql("SnapshotHeads"), pgx.StrictNamedArgs{"runs": ids}).Query(collect(&heads))
	b.Queue(sql("SnapshotMisses"), pgx.StrictNamedArgs{"runs": ids}).Query(collect(&misses))
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return nil, err
	}
	return watched(found, heads, misses), nil
}

// migratedRow is when what a release brings was in the database; at is nothing where not all of it is.
type migratedRow struct {
	Unmigrated bool
	At         *time.Time
}

// Show reads a release with its snapshots, in one round trip.
func (s Snapshots) Show(ctx context.Context, by actor.Actor, run uuid.UUID) (snapshot.Run, []snapshot.Stored, error) {
	var row watchedRow
	var taken []snapshotRow
	var misses []snapshotMissRow
	var migrated migratedRow
	one, list := pgx.StrictNamedArgs{"run": run}, pgx.StrictNamedArgs{"runs": []uuid.UUID{run}}
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("WatchedRun"), one).Query(collectOne(&row))
		b.Queue(sql("Snapshots"), one).Query(collect(&taken))
		b.Queue(sql("SnapshotMisses"), list).Query(collect(&misses))
		b.Queue(sql("SnapshotMigrated"), one).Query(collectOne(&migrated))
	})
	if err != nil {
		return snapshot.Run{}, nil, noRelease(err)
	}
	heads, stored := make([]snapshotHeadRow, len(taken)), make([]snapshot.Stored, len(taken))
	for i, t := range taken {
		heads[i], stored[i] = t.snapshotHeadRow, snapshot.Stored{Head: t.head(), Text: t.Content}
	}
	shown := watched([]watchedRow{row}, heads, misses)[0]
	shown.Migrated, shown.Unmigrated = timeOrZero(migrated.At), migrated.Unmigrated
	return shown, stored, nil
}

// One reads a snapshot.
func (s Snapshots) One(ctx context.Context, by actor.Actor, run, id uuid.UUID) (snapshot.Stored, error) {
	var row snapshotRow
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("Snapshot"), pgx.StrictNamedArgs{"run": run, "snapshot": id}).Query(collectOne(&row))
	})
	return snapshot.Stored{Head: row.head(), Text: row.Content}, err
}

// Counts reads the three numbers that no health check gives.
func (s Snapshots) Counts(ctx context.Context, by actor.Actor) snapshot.Counts {
	h := Health(s)
	var c snapshot.Counts
	put := func(count *snapshot.Count, n int, err error) {
		count.N = n
		if err != nil {
			count.State, count.Why = health.Unread(err)
		}
	}
	var recommendations int
	err := h.reading(ctx, by, "putaway_recommendations", "0.0.15", func(b *pgx.Batch) {
		b.Queue(sql("SnapshotRecommendations")).QueryRow(func(row pgx.Row) error { return row.Scan(&recommendations) })
	})
	put(&c.Recommendations, recommendations, err)
	statistics, err := h.Statistics(ctx, by, health.StatisticsWindow)
	put(&c.Measurements, statistics.Measurements, err)
	put(&c.Outliers, statistics.CriticalPending, err)
	return c
}

type describedRow struct {
	N, Missing                                   int
	Mean, SD, Least, P25, Median, P75, P95, Most string
}

// Series describes the columns of the warehouse. Each is read by itself: one that is not there yet hides no other.
func (s Snapshots) Series(ctx context.Context, by actor.Actor, from, to time.Time) []snapshot.Series {
	period := []any{pgx.StrictNamedArgs{"from": from, "to": to}}
	var list []snapshot.Series
	for _, d := range []struct {
		name, title, unit, statement, table, version string
		args                                         []any
	}{
		{"bin_volume_utilization", "Volume used of the bins, as they are now", "%", "DescribeBinVolume", "bin_utilization_cache", "0.0.16", nil},
		{"bin_weight_utilization", "Weight used of the bins, as they are now", "%", "DescribeBinWeight", "bin_utilization_cache", "0.0.16", nil},
		{"recommendation_confidence", "Confidence of the period's recommendations", "", "DescribeConfidence", "putaway_recommendations", "0.0.15", period},
		{"recommendation_decision_seconds", "Time until the period's recommendations were decided", "s", "DescribeDecisions", "putaway_recommendations", "0.0.15", period},
		{"measured_acceptance_rate", "Acceptance rates that the warehouse measured in the period", "%", "DescribeAcceptance", "bin_optimization_statistical_metrics", "0.0.22", period},
	} {
		var row describedRow
		err := Health(s).reading(ctx, by, d.table, d.version, func(b *pgx.Batch) { b.Queue(sql(d.statement), d.args...).Query(collectOne(&row)) })
		series := snapshot.Series{
			Name: d.name, Title: d.title, Unit: d.unit, N: row.N, Missing: row.Missing, Mean: row.Mean, SD: row.SD, Min: row.Least,
			P25: row.P25, Median: row.Median, P75: row.P75, P95: row.P95, Max: row.Most,
		}
		if err != nil {
			series.State, series.Why = health.Unread(err)
		}
		list = append(list, series)
	}
	return list
}

// InTenant runs work in one transaction of the actor's tenant.
func (s Snapshots) InTenant(ctx context.Context, by actor.Actor, work func(context.Context, snapshot.Tx) error) error {
	return s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error { return work(ctx, snapshotTx{tx, by}) })
}

type snapshotTx struct {
	tx pgx.Tx
	by actor.Actor
}

func (t snapshotTx) Record(ctx context.Context, e audit.Event) error {
	return record(ctx, t.tx, t.by, e)
}

// Lock reads what was taken after it has the lock: in one statement the list could be older than the lock.
func (t snapshotTx) Lock(ctx context.Context, run uuid.UUID) (snapshot.Run, error) {
	if _, err := t.tx.Exec(ctx, sql("LockRun"), pgx.StrictNamedArgs{"run": run}); err != nil {
		return snapshot.Run{}, err
	}
	rows, err := t.tx.Query(ctx, sql("WatchedRun"), pgx.StrictNamedArgs{"run": run})
	if err != nil {
		return snapshot.Run{}, err
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[watchedRow])
	if err != nil {
		return snapshot.Run{}, noRelease(err)
	}
	runs, err := takenOf(ctx, t.tx, []watchedRow{row})
	if err != nil {
		return snapshot.Run{}, err
	}
	return runs[0], nil
}

func (t snapshotTx) Add(ctx context.Context, run uuid.UUID, s snapshot.Stored) error {
	_, err := t.tx.Exec(ctx, sql("AddSnapshot"), pgx.StrictNamedArgs{
		"run": run, "snapshot": s.ID, "point": string(s.Point), "t0": s.T0, "due_at": s.DueAt, "taken_at": s.TakenAt, "content": s.Text, "sha256": s.SHA256,
	})
	return err
}

func (t snapshotTx) AddMiss(ctx context.Context, run snapshot.Run, m snapshot.Miss) error {
	_, err := t.tx.Exec(ctx, sql("AddSnapshotMiss"), pgx.StrictNamedArgs{
		"run": run.ID, "point": string(m.Point), "t0": m.T0, "due_at": m.DueAt, "found_at": m.FoundAt, "why": m.Why,
	})
	if err != nil {
		return err
	}
	_, err = addNotices(ctx, t.tx, []inbox.Notice{{
		Kind: inbox.SnapshotMissed, Key: "snapshot_missed/" + run.ID.String() + "/" + string(m.Point) + "/" + m.DueAt.UTC().Format(time.RFC3339),
		Run: run.ID, Role: actor.OnCallEngineer, Headline: "The snapshot " + m.Point.Title() + " of release " + run.Code + " was missed",
		Body: m.Why, Path: "/releases/" + run.ID.String() + "/snapshots", DueAt: m.DueAt,
	}})
	return err
}
