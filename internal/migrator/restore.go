package migrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/faultpoint"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// restoreLockTimeout is how long a restore waits for a lock at a time.
const restoreLockTimeout = 2 * time.Second

// RestoreRequest is a restore that two people agreed to.
type RestoreRequest struct {
	Request, Operation uuid.UUID
	Backup             uuid.UUID
	Name, SHA256       string // of the backup's file
	By                 actor.Actor
	// Held is how many entries the ledger had when the backup was taken.
	Held int
	// Safety dumps the database while every writer waits, and gives the dump's id and name.
	Safety func(ctx context.Context) (uuid.UUID, string, error)
	// Section hands on the SQL of a section of the dump: pre-data, data, post-data.
	Section func(ctx context.Context, section string, use func(io.Reader) error) error
	// Compare says how what is now in the connection's transaction differs from what the backup held.
	Compare func(ctx context.Context, conn *pgx.Conn) ([]string, error)
	Log     func(line string)
}

func (r RestoreRequest) say(format string, args ...any) {
	if r.Log != nil {
		r.Log(fmt.Sprintf(format, args...))
	}
}

// agreed is what let the restore be ordered, as the restore's own transaction sees it.
type agreed struct {
	Same, Withdrawn           bool
	Reason, AskedBy, AgreedBy string
}

// Restore puts the warehouse's schema back to what a backup holds, in one transaction with the ledger's entries about it,
// golang-migrate's version, the audit entry and the word that it is done. From before the safety dump until the end nobody
// else writes to the warehouse, and from then on nobody reads. It gives the sentence that says what was done. Any error
// leaves everything as it was, but one while committing: then gatehouse.restore_outcomes has the row or has it not.
func (m *Migrator) Restore(ctx context.Context, req RestoreRequest) (sentence string, err error) {
	err = m.locked(ctx, req.Operation, func(s *session) error {
		if sentence, err = m.restore(ctx, s, req); err != nil {
			return err
		}
		req.say("The restore is committed. The warehouse's application may be started again.")
		m.freshStatistics(ctx, s, req)
		return nil
	})
	return sentence, err
}

func (m *Migrator) restore(ctx context.Context, s *session, req RestoreRequest) (string, error) {
	began := time.Now()
	word, err := m.beginRestore(ctx, s, req)
	if err != nil {
		return "", err
	}
	changes, highest, err := m.planRestore(ctx, s.conn, req.Held)
	if err != nil {
		return "", err
	}
	if err := m.lockWarehouse(ctx, s, req, "EXCLUSIVE"); err != nil {
		return "", err
	}
	req.say("Nobody else writes to the warehouse any more. It is dumped once more before anything is changed.")
	safety, name, err := req.Safety(ctx)
	if err != nil {
		return "", err
	}
	req.say("The safety dump is %s, read again from end to end. Nobody restores it now, because everybody waits: restore it beside the database when this is over.", name)
	if err := faultpoint.Hit("restore.after_safety"); err != nil {
		return "", err
	}
	if err := m.lockWarehouse(ctx, s, req, "ACCESS EXCLUSIVE"); err != nil {
		return "", err
	}
	if err := m.replaceWarehouse(ctx, s, req); err != nil {
		return "", err
	}
	if _, err := s.conn.Exec(ctx, "RESET ALL"); err != nil { // the dump's own settings
		return "", restoring(err)
	}
	if _, err := s.conn.Exec(ctx, unbound, millis(restoreLockTimeout)); err != nil {
		return "", restoring(err)
	}
	findings, err := req.Compare(ctx, s.conn)
	if err != nil {
		return "", restoring(err)
	}
	if len(findings) > 0 {
		return "", fault.New(fault.Conflict, "What was restored is not what the backup held, so it was given back and nothing was changed: %s.", strings.Join(findings, "; "))
	}
	req.say("Every table holds the rows that were counted when the backup was taken.")
	sentence := fmt.Sprintf("The warehouse is as %s held it%s. The safety dump %s is of what was there before.", req.Name, changeWords(changes), name)
	if err := m.recordRestore(ctx, s, req, record{word, changes, highest, began, safety, sentence}); err != nil {
		return "", err
	}
	if err := faultpoint.Hit("restore.before_commit"); err != nil {
		return "", err
	}
	if _, err := s.conn.Exec(ctx, "COMMIT"); err != nil {
		return "", committing(err)
	}
	return sentence, faultpoint.Hit("restore.after_commit")
}

func changeWords(changes []migration.RestoreChange) string {
	var gone, back []string
	for _, c := range changes {
		if c.Goes() {
			gone = append(gone, c.Version.Title())
		} else {
			back = append(back, c.Version.Title())
		}
	}
	var words string
	if len(gone) > 0 {
		words += "; " + strings.Join(gone, ", ") + " no longer in it"
	}
	if len(back) > 0 {
		words += "; " + strings.Join(back, ", ") + " in it again"
	}
	return words
}

// beginRestore opens the transaction and asks for the agreement once more.
func (m *Migrator) beginRestore(ctx context.Context, s *session, req RestoreRequest) (word agreed, err error) {
	if _, err = s.conn.Exec(ctx, "BEGIN"); err == nil {
		_, err = s.conn.Exec(ctx, unbound, millis(restoreLockTimeout))
	}
	if err != nil {
		return word, restoring(err)
	}
	rows, err := s.conn.Query(ctx, claimRestore, req.By.Tenant, req.Request)
	if err == nil {
		word, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[agreed])
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return word, fault.New(fault.Conflict, "No two people stand behind this restore. Nothing was changed.")
	case err != nil:
		return word, restoring(err)
	case word.Withdrawn:
		return word, fault.New(fault.Conflict, "This restore was withdrawn in the meantime. Nothing was changed.")
	case !word.Same:
		return word, fault.New(fault.Conflict, "The backup or the schema is not what was shown when two people agreed. Nothing was changed; look again and ask anew.")
	}
	return word, nil
}

// PlanRestore says what a restore of a backup that knows so many entries of the ledger would do to the versions, and how
// many entries there are now.
func (m *Migrator) PlanRestore(ctx context.Context, held int) (changes []migration.RestoreChange, highest migration.Version, err error) {
	s, err := m.connect(ctx, migration.RunID{})
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	return m.planRestore(ctx, s.conn, held)
}

func (m *Migrator) planRestore(ctx context.Context, conn *pgx.Conn, held int) ([]migration.RestoreChange, migration.Version, error) {
	rows, err := conn.Query(ctx, m.set.Ledger.sql(readAllEntries))
	if err != nil {
		return nil, 0, wrap("reading the ledger", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[entryRow])
	if err != nil {
		return nil, 0, wrap("reading the ledger", err)
	}
	entries := make([]migration.Entry, len(list))
	for i, row := range list {
		entries[i] = row.entry()
	}
	return migration.PlanRestore(entries, held)
}

// lockWarehouse takes every table of the warehouse, and gives up where somebody else holds one for too long.
func (m *Migrator) lockWarehouse(ctx context.Context, s *session, req RestoreRequest, mode string) error {
	rows, err := s.conn.Query(ctx, warehouseTables)
	if err != nil {
		return restoring(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return restoring(err)
	}
	if len(tables) == 0 {
		return nil
	}
	statement := "SAVEPOINT locks; LOCK TABLE " + strings.Join(tables, ", ") + " IN " + mode + " MODE"
	for try := 1; ; try++ {
		_, err := exec(ctx, s.conn, statement)
		switch {
		case err == nil:
			return nil
		case !lockNotHad(err) && !deadlocked(err):
			return restoring(err)
		}
		holders := m.holders(ctx, s, mode)
		if try >= max(m.LockTries, 1) {
			return fault.New(fault.Conflict, "The warehouse is in use: %s. Stop the warehouse's application, end these sessions, and order again. Nothing was changed.", holders)
		}
		req.say("The warehouse is in use: %s. Trying again.", holders)
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// holders names who is in the way. It is asked after the lock was not had, so they may be gone.
func (m *Migrator) holders(ctx context.Context, s *session, mode string) string {
	if _, err := s.conn.Exec(ctx, "ROLLBACK TO SAVEPOINT locks"); err != nil {
		return "the database did not say by whom"
	}
	rows, err := s.conn.Query(ctx, warehouseHolders, mode == "ACCESS EXCLUSIVE")
	if err != nil {
		return "the database did not say by whom"
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		PID               int
		User, Application string
	}])
	if err != nil || len(list) == 0 {
		return "somebody held a table for a moment"
	}
	names := make([]string, len(list))
	for i, h := range list {
		names[i] = fmt.Sprintf("process %d of %s (%s)", h.PID, h.User, h.Application)
	}
	return strings.Join(names, ", ")
}

// replaceWarehouse takes away what is there and runs the backup's sections. Nothing outside the warehouse may be gone then.
func (m *Migrator) replaceWarehouse(ctx context.Context, s *session, req RestoreRequest) error {
	before, err := outside(ctx, s.conn)
	if err != nil {
		return err
	}
	rows, err := s.conn.Query(ctx, warehouseDrops)
	if err != nil {
		return restoring(err)
	}
	drops, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		Statement string
		Place     int
	}])
	if err != nil {
		return restoring(err)
	}
	for _, drop := range drops {
		if _, err := s.conn.Exec(ctx, drop.Statement); err != nil {
			return restoring(err)
		}
	}
	after, err := outside(ctx, s.conn)
	if err != nil {
		return err
	}
	var lost []string
	for name := range before {
		if !after[name] && len(lost) < 5 {
			lost = append(lost, name)
		}
	}
	if len(lost) > 0 {
		return fault.New(fault.Conflict, "A restore would take away what is not the warehouse's: %s. Nothing was changed.", strings.Join(lost, ", "))
	}
	req.say("%d things were taken away, and nothing outside the warehouse's schema.", len(drops))
	if err := faultpoint.Hit("restore.after_drop"); err != nil {
		return err
	}
	for _, section := range []string{"pre-data", "data", "post-data"} {
		began := time.Now()
		run := runText
		if section == "data" {
			run = runData
		}
		if err := req.Section(ctx, section, func(script io.Reader) error { return run(ctx, s.conn, script) }); err != nil {
			return restoring(err)
		}
		req.say("Section %s of the backup is restored after %s.", section, clock.Duration(time.Since(began)))
	}
	return nil
}

func outside(ctx context.Context, conn *pgx.Conn) (map[string]bool, error) {
	rows, err := conn.Query(ctx, outsideWarehouse)
	if err != nil {
		return nil, restoring(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, restoring(err)
	}
	names := make(map[string]bool, len(list))
	for _, name := range list {
		names[name] = true
	}
	return names, nil
}

// record is what stands of a restore afterwards.
type record struct {
	agreed
	changes  []migration.RestoreChange
	highest  migration.Version
	began    time.Time
	safety   uuid.UUID
	sentence string
}

// recordRestore makes files, ledger and golang-migrate agree again, and writes who did what.
func (m *Migrator) recordRestore(ctx context.Context, s *session, req RestoreRequest, r record) error {
	proof := fmt.Sprintf("Restored from %s (SHA-256 %s), asked for by %s and agreed to by %s. Why: %s", req.Name, req.SHA256, r.AskedBy, r.AgreedBy, r.Reason)
	var batch pgx.Batch
	versions := map[string]string{}
	for _, c := range r.changes {
		file, ok := m.files.Up(c.Version)
		if !ok {
			file = migration.File{Version: c.Version}
		}
		file.Script, file.SHA256, file.TokensSHA256 = c.Was.Script, c.Was.SHA256, c.Was.TokensSHA256
		args := m.set.Ledger.entryArgs(file, StepRequest{Version: c.Version, Direction: c.Direction, By: req.By}, r.began, []string{proof}, nil, nil)
		args["description"] = c.Was.Description
		batch.Queue(m.set.Ledger.sql(writeEntry), args)
		versions[c.Version.Title()] = string(c.Direction)
	}
	batch.Queue(writeState, m.set.Name, int64(max(r.highest, -1)), false)
	batch.Queue(closeAllRuns, req.By.Name, req.By.Subject, proof)
	batch.Queue(writeOutcome, req.By.Tenant, req.Request, req.Operation, r.safety, r.sentence)
	if err := s.conn.SendBatch(ctx, &batch).Close(); err != nil {
		return restoring(err)
	}
	if err := m.tellDrift(ctx, s, req); err != nil {
		return err
	}
	after, err := json.Marshal(map[string]any{
		"request": req.Request, "operation": req.Operation, "file": req.Name, "sha256": req.SHA256, "safety": r.safety,
		"asked_by": r.AskedBy, "agreed_by": r.AgreedBy, "versions": versions,
	})
	if err != nil {
		return err
	}
	roles := make([]string, len(req.By.Roles))
	for i, role := range req.By.Roles {
		roles[i] = string(role)
	}
	// Last of all: the entry holds up every other of the tenant until the end.
	_, err = s.conn.Exec(ctx, writeAudit, req.By.Tenant, string(req.By.Origin), req.By.Issuer, req.By.Subject, req.By.Name,
		strings.Join(roles, ","), req.By.IP, req.Backup.String(), r.Reason, string(after))
	return restoring(err)
}

// tellDrift says where the schema that came back differs from what its versions leave. It is what the backup held, so it
// stops nothing; the page of drift shows it with the statements that repair it.
func (m *Migrator) tellDrift(ctx context.Context, s *session, req RestoreRequest) error {
	ladder, err := m.compare(ctx, s)
	if err != nil {
		return restoring(err)
	}
	for _, problem := range ladder.Problems {
		req.say("Found: %s", problem)
	}
	if len(ladder.Problems) > 0 {
		return nil
	}
	report, err := m.drift(ctx, s, ladder)
	if err != nil {
		return restoring(err)
	}
	if len(report.Differences) == 0 {
		req.say("Every object is what its version leaves: %d were compared.", report.Compared)
		return nil
	}
	req.say("Found: %d objects differ from what their versions leave, as they did when the backup was taken. The page Drift shows each.", len(report.Differences))
	return nil
}

// freshStatistics lets the planner know the tables that came back. A failure costs speed and nothing else.
func (m *Migrator) freshStatistics(ctx context.Context, s *session, req RestoreRequest) {
	rows, err := s.conn.Query(ctx, warehouseTables)
	if err != nil {
		return
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) == 0 {
		return
	}
	if _, err := s.conn.Exec(ctx, "ANALYZE "+strings.Join(tables, ", ")); err != nil {
		req.say("Statistics were not made: %v. Run ANALYZE.", err)
	}
}

// committing is the error of the commit. Where the server refused it everything was given back; where its answer was not
// heard nobody knows yet.
func committing(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) || errors.Is(err, context.Canceled) {
		return restoring(err)
	}
	return fault.New(fault.Unavailable, "The database went away while the restore was being committed. Its page says whether it took place.").Because(err)
}

// restoring keeps refusals as they are; everything else was given back.
func restoring(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.As(err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	said := err.Error()
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		said = pg.Message
	}
	return fault.New(fault.Unavailable, "The restore did not come to its end: %s. It is one transaction, so what it had done was given back.", said).Because(err)
}
