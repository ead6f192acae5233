package migrator

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// RepairRequest says what became of a version, and who says so.
type RepairRequest struct {
	Version migration.Version
	As      migration.Repair
	By      actor.Actor
	Reason  string
	// Seen is the hash of the look that the choice was made on; empty where nobody looked before.
	Seen  string
	Facts Facts
	Log   func(line string)
}

// closeRuns is the answer to interrupted runs of the version: a person has looked, and this is what was found.
const closeRuns = `
UPDATE gatehouse.migration_runs
   SET acknowledged_by = $2, acknowledged_subject = $3, acknowledged_at = clock_timestamp(), acknowledged_note = left($4, 2000)
 WHERE version_number = $1 AND state = 'interrupted' AND acknowledged_at IS NULL`

// Repair records what became of a version, as far as the database proves it when it is looked at under the migration lock,
// and makes ledger and golang-migrate agree again. With RepairUndo it runs the undo file first. What is not proven is a
// fault.Conflict and changes nothing, but what an undo file without a transaction did until then.
func (m *Migrator) Repair(ctx context.Context, req RepairRequest) (probe migration.Probe, err error) {
	if req.Reason = strings.TrimSpace(req.Reason); req.Reason == "" {
		return probe, fault.New(fault.Invalid, "Say why it is repaired in this way.")
	}
	up, ok := m.files.Up(req.Version)
	if !ok {
		return probe, fault.New(fault.NotFound, "There is no migration %s.", req.Version.Title())
	}
	err = m.locked(ctx, migration.RunID{}, func(s *session) error {
		ladder, err := m.compare(ctx, s)
		if err != nil {
			return err
		}
		if probe, err = m.probe(ctx, s, ladder, req.Version, req.Facts); err != nil {
			return err
		}
		if req.Seen != "" && req.Seen != probe.Hash() {
			return fault.New(fault.Conflict, "The database is not any more what was looked at when this was chosen. Nothing was recorded; look again.")
		}
		if err := probe.Prove(req.As); err != nil {
			return err
		}
		if req.As != migration.RepairUndo {
			return m.settle(ctx, s, up, req, ladder, probe, true)
		}
		if err := inTime(ctx, s, req.By.Tenant); err != nil {
			return err
		}
		return m.undo(ctx, s, up, req, ladder, probe)
	})
	return probe, err
}

// inTime refuses to change the schema outside the window of the active release, and in a freeze.
func inTime(ctx context.Context, s *session, tenant uuid.UUID) error {
	var closed string
	if err := s.conn.QueryRow(ctx, "SELECT coalesce(gatehouse.repair_refusal($1), '')", tenant).Scan(&closed); err != nil {
		return wrap("asking for the change window", err)
	}
	if closed != "" {
		return fault.New(fault.GateClosed, "%s", closed)
	}
	return nil
}

// undo runs the undo file and records that nothing is left, where that is so. A file with a transaction does both or
// neither; one without goes statement by statement.
func (m *Migrator) undo(ctx context.Context, s *session, up migration.File, req RepairRequest, ladder migration.Ladder, probe migration.Probe) error {
	down, ok := m.files.Down(req.Version)
	if !ok {
		return fault.New(fault.Conflict, "There is no file to take %s back with.", req.Version.Title())
	}
	saved, err := readSaved(ctx, s.conn, down, readNewestSaved, int64(down.Version), down.SHA256)
	if err != nil {
		return wrap("reading what was saved", err)
	}
	// Plan cards alone are looked up from outside, where what is not committed cannot be seen.
	whole := !down.NoTransaction && m.expected != nil
	if whole {
		if _, err := s.conn.Exec(ctx, "BEGIN"); err != nil {
			return wrap("during the repair", err)
		}
	}
	err = m.takeBack(ctx, s, down, saved, req)
	if err == nil {
		err = m.settle(ctx, s, up, req, ladder, probe, !whole)
	}
	if err != nil && whole && !s.conn.IsClosed() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if _, rollback := s.conn.Exec(end, "ROLLBACK"); rollback != nil {
			return wrap("giving the repair back", rollback)
		}
	}
	return err
}

// takeBack runs the undo file and looks that nothing of the version is left.
func (m *Migrator) takeBack(ctx context.Context, s *session, down migration.File, saved migration.Saved, req RepairRequest) error {
	say := migration.StepRequest{Log: req.Log}
	whole := s.conn.PgConn().TxStatus() == 'T'
	if _, err := s.conn.Exec(ctx, setBounds, millis(down.Card.LockTimeout), millis(down.Card.StatementTimeout), whole); err != nil {
		return wrap("during the repair", err)
	}
	if err := guardLoss(ctx, s.conn, down, saved); err != nil {
		return undoStopped(err, down, 0)
	}
	for i, statement := range migration.Split(down.SQL) {
		say.Say("%s line %d", down.Script, statement.Line)
		if !whole {
			if _, err := s.conn.Exec(ctx, setBounds, millis(bareLockBound(down, statement)), millis(down.Card.StatementTimeout), false); err != nil {
				return wrap("during the repair", err)
			}
		}
		if _, err := exec(ctx, s.conn, statement.SQL); err != nil {
			return undoStopped(err, down, i)
		}
	}
	effects, _, err := m.effects(ctx, s, down.Version, req.Facts)
	if err != nil {
		return err
	}
	for _, e := range effects {
		if e.Verdict != migration.NotThere {
			return fault.New(fault.Conflict, "The undo file ran, and something is left: %s is %s. Nothing was recorded.", e.Object, e.Found)
		}
	}
	say.Say("Nothing of %s is left: %d of its objects were looked at.", down.Version.Title(), len(effects))
	return nil
}

func undoStopped(err error, down migration.File, finished int) error {
	if _, refused := fault.As(err); refused {
		return err
	}
	failure := describe(err, down, finished, down.SQL)
	return fault.New(fault.Conflict, "The undo file stopped as well, and nothing was recorded: %s", failure.Error()).Because(failure)
}

// settle writes ledger row and version in one transaction, and closes interrupted runs of the version. What is there and
// was not in the ledger is recorded as found; what is gone and was in the ledger is undone, and so is what somebody made by
// hand and its undo file took away; the others are tries that failed. begin says that there is no transaction yet.
func (m *Migrator) settle(ctx context.Context, s *session, up migration.File, req RepairRequest, ladder migration.Ladder, probe migration.Probe, begin bool) error {
	there := req.As == migration.RepairApplied
	file, entry, target := up, migration.Up, int(ladder.Below(req.Version))
	if there {
		target = int(up.Version)
	}
	byHand := req.As == migration.RepairUndo && !probe.InLedger && !probe.HalfWay
	if probe.InLedger || byHand {
		entry = migration.Down
		if down, ok := m.files.Down(up.Version); ok {
			file = down
		}
	}
	proof := signature(req, probe)
	var failure *migration.StepError
	switch {
	case there && !probe.InLedger:
		file, entry = up, migration.Baseline
	case byHand: // taken back, although no entry had brought it
	case there == probe.InLedger: // a way down that left everything, or a way up that left nothing
		failure = &migration.StepError{Script: up.Script, Message: proof}
	}
	s.notices = append(s.notices, proof)
	step := StepRequest{Version: up.Version, Direction: entry, By: req.By, Log: req.Log}
	d := &driver{ctx: ctx, s: s, set: m.set, file: file, req: step, target: target}
	if begin {
		if err := d.begin(true); err != nil {
			return wrap("recording the repair", err)
		}
	} else if err := s.conn.QueryRow(ctx, "SELECT transaction_timestamp()").Scan(&d.began); err != nil {
		return wrap("recording the repair", err)
	}
	var batch pgx.Batch
	batch.Queue(m.set.Ledger.sql(writeEntry), m.set.Ledger.entryArgs(file, step, d.began, s.notices, nil, failure))
	batch.Queue(writeState, m.set.Name, target, false)
	batch.Queue(closeRuns, int64(up.Version), req.By.Name, req.By.Subject, "Repaired as "+string(req.As)+": "+req.Reason)
	if err := s.conn.SendBatch(ctx, &batch).Close(); err != nil {
		return wrap("recording the repair", err)
	}
	if _, err := s.conn.Exec(ctx, "COMMIT"); err != nil {
		return wrap("recording the repair", err)
	}
	return nil
}

// signature is the choice as it stands in the ledger: who, as what, how freshly signed in, why, and what was seen.
func signature(req RepairRequest, probe migration.Probe) string {
	roles := make([]string, len(req.By.Roles))
	for i, r := range req.By.Roles {
		roles[i] = string(r)
	}
	who := req.By.Name
	if len(roles) > 0 {
		who += " (" + strings.Join(roles, ", ") + ")"
	}
	signedIn := "through a machine's credential"
	if !req.By.AuthTime.IsZero() {
		signedIn = "signed in at " + req.By.AuthTime.UTC().Format("2006-01-02 15:04:05Z")
	}
	return fmt.Sprintf("%s%s by %s, %s. %s The look has the SHA-256 %s. Why: %s", migration.RepairedAs, req.As, who, signedIn, probe.Sentence(), probe.Hash(), req.Reason)
}
