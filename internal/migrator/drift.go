package migrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

const (
	readAcceptances = `
SELECT a.acceptance_id, a.difference_sha256, a.name, a.reason
  FROM gatehouse.drift_acceptances a
 WHERE (a.expires_at IS NULL OR a.expires_at > clock_timestamp())
   AND NOT EXISTS (SELECT FROM gatehouse.drift_withdrawals w WHERE w.acceptance_id = a.acceptance_id)
 ORDER BY a.accepted_at`

	readFound = `SELECT version_number, catalog::text FROM gatehouse.warehouse_found ORDER BY found_id DESC LIMIT 1`

	writeFound = `
INSERT INTO gatehouse.warehouse_found (version_number, catalog, catalog_sha256, proof_sha256, reason)
VALUES ($1, $2::jsonb, $3, $4, $5)`
)

// Drift compares the live schema with what the ledger's version leaves, on a connection of its own. It also counts what
// the destructive repairs would throw away.
func (m *Migrator) Drift(ctx context.Context) (report migration.DriftReport, err error) {
	s, err := m.connect(ctx, migration.RunID{})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	ladder, err := m.compare(ctx, s)
	if err != nil {
		return report, err
	}
	if report, err = m.drift(ctx, s, ladder); err != nil {
		return report, err
	}
	for i := range report.Differences {
		report.Differences[i].Loses = countLoss(ctx, s.conn, report.Differences[i])
	}
	return report, nil
}

// countLoss says how many values a repair would throw away, where that can be counted quickly.
func countLoss(ctx context.Context, conn *pgx.Conn, d migration.Difference) string {
	if d.Counting == "" {
		return ""
	}
	bounded, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var values int64
	var batch pgx.Batch
	batch.Queue("BEGIN READ ONLY")
	batch.Queue("SELECT set_config('statement_timeout', '1s', true)")
	batch.Queue(d.Counting).QueryRow(func(row pgx.Row) error { return row.Scan(&values) })
	batch.Queue("COMMIT")
	if err := conn.SendBatch(bounded, &batch).Close(); err != nil {
		if _, err := conn.Exec(ctx, "ROLLBACK"); err != nil {
			return "not counted; the database did not answer"
		}
		return "not counted; there are too many rows to count in a second"
	}
	return fmt.Sprintf("%d values", values)
}

// drift compares on a session that is there. A set that has no expectation has no drift.
func (m *Migrator) drift(ctx context.Context, s *session, ladder migration.Ladder) (migration.DriftReport, error) {
	began := time.Now()
	report := migration.DriftReport{CheckedAt: began, Version: highest(ladder)}
	if m.expected == nil || report.Version == 0 {
		return report, nil
	}
	expected, err := m.expected()
	if err != nil {
		return report, err
	}
	if _, ok := expected.At(report.Version); !ok {
		return report, ladder.Refusal()
	}
	found, err := m.found(ctx, s.conn)
	if err != nil {
		return report, err
	}
	seen, err := look(ctx, s.conn, expected.Objects())
	if err != nil {
		return report, wrap("looking for drift", err)
	}
	want := expected.For(report.Version, found)
	want.Items = grantable(want.Items, seen.roles)
	report.Differences = migration.Compare(want, seen.catalog, expected.Later(report.Version), expected.Source(report.Version))
	report.Compared, report.ServerMajor = len(want.Items), seen.catalog.ServerMajor
	err = accept(ctx, s.conn, report.Differences)
	report.Took = time.Since(began)
	return report, err
}

func highest(ladder migration.Ladder) migration.Version {
	var v migration.Version
	for _, r := range ladder.Rungs {
		if r.InDatabase() {
			v = max(v, r.Version)
		}
	}
	return v
}

// grantable leaves out grants to roles that this server does not have: the files make them only where the role exists.
func grantable(items []migration.Item, roles map[string]bool) []migration.Item {
	var list []migration.Item
	for _, i := range items {
		_, grantee, _ := strings.Cut(i.Name, " TO ")
		if i.Kind != "grant" || roles[grantee] {
			list = append(list, i)
		}
	}
	return list
}

// found is what the warehouse was seen to hold when it was recorded without running our files.
func (m *Migrator) found(ctx context.Context, conn *pgx.Conn) (migration.Found, error) {
	var version int64
	var text string
	err := conn.QueryRow(ctx, readFound).Scan(&version, &text)
	if errors.Is(err, pgx.ErrNoRows) {
		return migration.Found{}, nil
	}
	if missingTable(err) {
		return migration.Found{}, fault.New(fault.Conflict, "Gatehouse's own tables are older than this program. Run `gatehouse setup` first.").Because(err)
	}
	if err != nil {
		return migration.Found{}, wrap("reading what was found at the baseline", err)
	}
	f := migration.Found{Version: migration.Version(version)}
	if err := json.Unmarshal([]byte(text), &f.Catalog); err != nil {
		return f, fmt.Errorf("reading what was found at the baseline: %w", err)
	}
	return f, nil
}

// accept marks the differences that somebody signed for.
func accept(ctx context.Context, conn *pgx.Conn, differences []migration.Difference) error {
	type row struct {
		AcceptanceID     uuid.UUID
		DifferenceSHA256 string `db:"difference_sha256"`
		Name, Reason     string
	}
	rows, err := conn.Query(ctx, readAcceptances)
	if err != nil {
		return wrap("reading what was accepted", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return wrap("reading what was accepted", err)
	}
	accepted := make([]migration.Acceptance, len(list))
	for i, r := range list {
		accepted[i] = migration.Acceptance{ID: r.AcceptanceID, SHA256: r.DifferenceSHA256, By: r.Name, Reason: r.Reason}
	}
	migration.MarkAccepted(differences, accepted)
	return nil
}

// refuseDrift lets nothing be applied on top of a schema that is not the expected one.
func (m *Migrator) refuseDrift(ctx context.Context, s *session, ladder migration.Ladder) error {
	report, err := m.drift(ctx, s, ladder)
	if err != nil || len(report.Open()) == 0 {
		return err
	}
	cause := &migration.Drifted{Report: report}
	return fault.New(fault.Conflict, "The warehouse is not what %s left, so nothing was changed. %s\n%s",
		report.Version.Title(), migration.DriftWay, cause.Error()).Because(cause)
}

// refuseDriftPatiently looks again where the look met somebody's lock, as often as a step is begun whose lock was not had.
func (m *Migrator) refuseDriftPatiently(ctx context.Context, s *session, ladder migration.Ladder, req StepRequest) error {
	tries := max(m.LockTries, 1)
	for try := 1; ; try++ {
		err := m.refuseDrift(ctx, s, ladder)
		if !lockNotHad(err) {
			return err
		}
		req.Say("LOCK: the live schema could not be read before the step, because somebody holds a table of it, try %d of %d.", try, tries)
		if try == tries {
			return fault.New(fault.Unavailable, "Somebody holds a table of the warehouse locked, so the live schema could not be read before the step. Nothing was changed; it can be tried again when the lock is gone.").Because(err)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}
