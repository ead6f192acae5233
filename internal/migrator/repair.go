package migrator

import (
	"context"
	"fmt"
	"strings"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// RepairRequest is a repair of the version that stopped half way.
type RepairRequest struct {
	Version migration.Version
	As      migration.Repair
	By      actor.Actor
	Reason  string
	// Facts looks at the catalog of this database.
	Facts func(ctx context.Context, objects []migration.Object) ([]migration.Fact, error)
	Log   func(line string)
}

// Repair records what became of a version that stopped half way, as far as the catalog proves it, and makes ledger and
// golang-migrate agree again. With RepairUndo it runs the undo file first. What is not proven is a fault.Conflict and
// changes nothing, but what an undo file did until then.
func (m *Migrator) Repair(ctx context.Context, req RepairRequest) error {
	if req.Reason = strings.TrimSpace(req.Reason); req.Reason == "" {
		return fault.New(fault.Invalid, "Say why it is repaired in this way.")
	}
	up, ok := m.files.Up(req.Version)
	if !ok {
		return fault.New(fault.NotFound, "There is no migration %s.", req.Version.Title())
	}
	return m.locked(ctx, migration.RunID{}, func(s *session) error {
		ladder, err := m.compare(ctx, s)
		if err != nil {
			return err
		}
		half, direction, is := ladder.HalfWay()
		if !is || half != req.Version {
			return fault.New(fault.Conflict, "%s did not stop half way; there is nothing to repair.", req.Version.Title())
		}
		if req.As == migration.RepairUndo {
			if err := m.undoHalf(ctx, s, req); err != nil {
				return err
			}
		}
		facts, err := req.Facts(ctx, m.files.Objects(req.Version))
		if err != nil {
			return wrap("looking at what is there", err)
		}
		checks, err := migration.Prove(up, req.As, facts)
		if err != nil {
			return err
		}
		return m.settle(ctx, s, up, direction, req, ladder.Below(req.Version), checks)
	})
}

// undoHalf runs the undo file, statement by statement: it may be one that runs outside a transaction itself.
func (m *Migrator) undoHalf(ctx context.Context, s *session, req RepairRequest) error {
	down, ok := m.files.Down(req.Version)
	if !ok {
		return fault.New(fault.Conflict, "There is no file to take %s back with.", req.Version.Title())
	}
	for i, statement := range migration.Split(down.SQL) {
		if req.Log != nil {
			req.Log(fmt.Sprintf("%s line %d", down.Script, statement.Line))
		}
		if _, err := s.conn.Exec(ctx, setBounds, millis(bareLockBound(down, statement)), millis(down.Card.StatementTimeout), false); err != nil {
			return wrap("during the repair", err)
		}
		if _, err := exec(ctx, s.conn, statement.SQL); err != nil {
			failure := describe(err, down, i, down.SQL)
			return fault.New(fault.Conflict, "The undo file stopped as well, and nothing was recorded: %s", failure.Error()).Because(failure)
		}
	}
	return nil
}

// settle writes ledger row and version in one transaction. What was on its way up and is there is recorded as found; what
// was on its way down and is gone is undone; the other two are tries that failed.
func (m *Migrator) settle(ctx context.Context, s *session, up migration.File, direction migration.Direction, req RepairRequest, below migration.Version, checks int) error {
	there := req.As == migration.RepairApplied
	file, entry, target := up, direction, int(below)
	if there {
		target = int(up.Version)
	}
	proof := fmt.Sprintf("Stopped half way, and repaired as %s: %d post-checks prove it. Why: %s", req.As, checks, req.Reason)
	var failure *migration.StepError
	switch {
	case there && direction == migration.Up:
		entry = migration.Baseline
	case there == (direction == migration.Down): // a way down that left everything, or a way up that left nothing
		failure = &migration.StepError{Script: up.Script, Message: proof}
	}
	if down, ok := m.files.Down(up.Version); ok && direction == migration.Down {
		file = down
	}
	s.notices = []string{proof}
	step := StepRequest{Version: up.Version, Direction: entry, By: req.By, Log: req.Log}
	d := &driver{ctx: ctx, s: s, set: m.set, file: file, req: step, target: target}
	if err := d.begin(true); err != nil {
		return wrap("recording the repair", err)
	}
	if _, err := s.conn.Exec(ctx, m.set.Ledger.sql(writeEntry), m.set.Ledger.entryArgs(file, step, d.began, s.notices, nil, failure)); err != nil {
		return wrap("recording the repair", err)
	}
	if _, err := s.conn.Exec(ctx, writeState, m.set.Name, target, false); err != nil {
		return wrap("recording the repair", err)
	}
	if _, err := s.conn.Exec(ctx, "COMMIT"); err != nil {
		return wrap("recording the repair", err)
	}
	return nil
}
