package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/faultpoint"
	"github.com/agogsaas/gatehouse/internal/live"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// Signoff keeps gates and signatures.
type Signoff struct{ DB *DB }

// InTenant runs work in one transaction of the actor's tenant.
func (s Signoff) InTenant(ctx context.Context, by actor.Actor, work func(context.Context, signoff.Tx) error) error {
	return s.transact(ctx, by, func(ctx context.Context, tx signoffTx) error { return work(ctx, tx) })
}

// transact runs work in one transaction of the actor's tenant.
func (s Signoff) transact(ctx context.Context, by actor.Actor, work func(context.Context, signoffTx) error) error {
	err := s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		if err := work(ctx, signoffTx{tx: tx, by: by}); err != nil {
			return err
		}
		return faultpoint.Hit("signoff.before_commit")
	})
	if err != nil {
		return err
	}
	return faultpoint.Hit("signoff.after_commit")
}

// Gate reads a gate in one round trip.
func (s Signoff) Gate(ctx context.Context, by actor.Actor, run uuid.UUID, gate signoff.GateID) (signoff.Gate, error) {
	name := string(gate)
	var rows gateRows
	var here []presentRow
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		rows.queue(b, run, &name, "GateSignatures")
		b.Queue(sql("PresentAt"), pgx.StrictNamedArgs{"place": live.Place(run, "gate "+name)}).Query(collect(&here))
	})
	if err != nil {
		return signoff.Gate{}, err
	}
	g, err := rows.one()
	g.Here = presentOf(here)
	return g, err
}

// Signature reads a signature and its gate as it is now, in one round trip.
func (s Signoff) Signature(ctx context.Context, by actor.Actor, id uuid.UUID) (signoff.Signature, signoff.Gate, error) {
	var given signatureRow
	var head gateHeadRow
	var glass *glassRow
	args := pgx.StrictNamedArgs{"signature": id}
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("SignatureByID"), args).Query(collectOne(&given))
		b.Queue(sql("GateOfSignature"), args).Query(collectOne(&head))
		b.Queue(sql("GlassOfSignature"), args).Query(collectMaybe(&glass))
	})
	if err != nil {
		return signoff.Signature{}, signoff.Gate{}, err
	}
	signature, err := given.signature()
	if glass != nil {
		of := glass.glass()
		signature.Glass = &of
	}
	return signature, head.gate(), err
}

// Overdue lists the gates whose time is over and of which nobody has written it down.
func (s Signoff) Overdue(ctx context.Context, by actor.Actor) ([]signoff.GateRef, error) {
	var rows []gateRefRow
	err := s.DB.page(ctx, by, func(b *pgx.Batch) { b.Queue(sql("OverdueGates")).Query(collect(&rows)) })
	refs := make([]signoff.GateRef, len(rows))
	for i, row := range rows {
		refs[i] = signoff.GateRef{Run: row.RunID, Gate: signoff.GateID(row.Gate)}
	}
	return refs, err
}

type gateRefRow struct {
	RunID uuid.UUID
	Gate  string
}

type signoffTx struct {
	tx pgx.Tx
	by actor.Actor
}

func (t signoffTx) Record(ctx context.Context, e audit.Event) error {
	return record(ctx, t.tx, t.by, e)
}

func (t signoffTx) LockRelease(ctx context.Context, run uuid.UUID) error {
	rows, err := t.tx.Query(ctx, sql("LockRun"), pgx.StrictNamedArgs{"run": run})
	if err != nil {
		return err
	}
	_, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[runRow])
	return noRelease(err)
}

func (t signoffTx) SignedWith(ctx context.Context, key uuid.UUID) (signoff.Signature, bool, error) {
	rows, err := t.tx.Query(ctx, sql("SignatureWithKey"), pgx.StrictNamedArgs{"key": key})
	if err != nil {
		return signoff.Signature{}, false, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[signatureRow])
	if err != nil || len(found) == 0 {
		return signoff.Signature{}, false, err
	}
	signature, err := found[0].signature()
	return signature, true, err
}

func (t signoffTx) Gate(ctx context.Context, run uuid.UUID, gate signoff.GateID) (signoff.Gate, error) {
	name := string(gate)
	var b pgx.Batch
	var rows gateRows
	rows.queue(&b, run, &name, "GateSignatures")
	if err := t.tx.SendBatch(ctx, &b).Close(); err != nil {
		return signoff.Gate{}, err
	}
	return rows.one()
}

func (t signoffTx) Add(ctx context.Context, by actor.Actor, id uuid.UUID, r signoff.SignRequest) (bool, error) {
	var score *string
	if r.Score != nil {
		s := r.Score.String()
		score = &s
	}
	// Whoever is revoked from now on is so after this signature; the statement after the lock sees every revocation before it.
	if _, err := t.tx.Exec(ctx, sql("HoldRosterToSign")); err != nil {
		return false, err
	}
	tag, err := t.tx.Exec(ctx, sql("AddSignature"), pgx.StrictNamedArgs{
		"run": r.Run, "gate": string(r.Gate), "slot": string(r.Slot), "signature": id, "meaning": string(r.Meaning), "statement": r.Statement,
		"score": score, "note": r.Note, "shown": r.ContentSHA256, "roles": roleNames(by), "signing": signing(), "issuer": by.Issuer, "subject": by.Subject, "name": by.Name,
		"auth_time": by.AuthTime, "fresh_for": actor.FreshFor, "leeway": actor.Leeway, "acr": by.ACR, "origin": string(by.Origin), "ip": by.IP, "session": by.Session, "key": r.Key,
		"code": orNull(r.Code),
	})
	if err != nil {
		return false, err
	}
	return tag.RowsAffected() == 1, nil
}

func roleNames(by actor.Actor) []string {
	roles := make([]string, len(by.Roles))
	for i, role := range by.Roles {
		roles[i] = string(role)
	}
	return roles
}

func (t signoffTx) Reject(ctx context.Context, by actor.Actor, r signoff.RejectRequest) (bool, error) {
	tag, err := t.tx.Exec(ctx, sql("RejectGate"), pgx.StrictNamedArgs{
		"run": r.Run, "gate": string(r.Gate), "slot": string(r.Slot), "reason": r.Reason, "key": r.Key, "roles": roleNames(by),
		"issuer": by.Issuer, "subject": by.Subject, "name": by.Name, "auth_time": by.AuthTime, "fresh_for": actor.FreshFor, "leeway": actor.Leeway,
		"acr": by.ACR, "origin": string(by.Origin), "ip": by.IP, "session": by.Session,
	})
	return err == nil && tag.RowsAffected() == 1, err
}

func (t signoffTx) Reopen(ctx context.Context, by actor.Actor, r signoff.ReopenRequest) (bool, error) {
	tag, err := t.tx.Exec(ctx, sql("ReopenGate"), pgx.StrictNamedArgs{
		"run": r.Run, "gate": string(r.Gate), "after": r.After, "note": r.Note, "key": r.Key, "issuer": by.Issuer, "subject": by.Subject, "name": by.Name,
	})
	return err == nil && tag.RowsAffected() == 1, err
}

func (t signoffTx) Expire(ctx context.Context, run uuid.UUID, gate signoff.GateID) (signoff.Stop, bool, error) {
	rows, err := t.tx.Query(ctx, sql("ExpireGate"), pgx.StrictNamedArgs{"run": run, "gate": string(gate)})
	if err != nil {
		return signoff.Stop{}, false, err
	}
	written, err := pgx.CollectRows(rows, pgx.RowToStructByName[expiredRow])
	if err != nil || len(written) == 0 {
		return signoff.Stop{}, false, err
	}
	w := written[0]
	return signoff.Stop{Attempt: w.Attempt, Kind: signoff.Expired, Reason: w.Reason, ContentSHA256: w.ContentSHA256}, true, nil
}

type expiredRow struct {
	Attempt       int
	Reason        string
	ContentSHA256 string `db:"content_sha256"`
}

func (t signoffTx) Withdraw(ctx context.Context, by actor.Actor, id uuid.UUID, reason string) (bool, error) {
	tag, err := t.tx.Exec(ctx, sql("WithdrawSignature"), pgx.StrictNamedArgs{
		"signature": id, "reason": reason, "issuer": by.Issuer, "subject": by.Subject, "name": by.Name,
	})
	if err != nil {
		return false, err
	}
	return tag.RowsAffected() == 1, nil
}

func (t signoffTx) SignOff(ctx context.Context, by actor.Actor, run uuid.UUID, gate signoff.GateID) (bool, error) {
	tag, err := t.tx.Exec(ctx, sql("SignOffRun"), pgx.StrictNamedArgs{"run": run, "gate": string(gate), "name": by.Name})
	if err != nil {
		return false, err
	}
	return tag.RowsAffected() == 1, nil
}

func (t signoffTx) Since(ctx context.Context, run uuid.UUID, seq int64) ([]signoff.Change, error) {
	rows, err := t.tx.Query(ctx, sql("ChangesSince"), pgx.StrictNamedArgs{"run": run.String(), "seq": seq})
	if err != nil {
		return nil, err
	}
	events, err := pgx.CollectRows(rows, pgx.RowToStructByName[sinceRow])
	return changesOf(events), err
}

// Since tells what was done in the release after an entry of the audit trail.
func (s Signoff) Since(ctx context.Context, by actor.Actor, run uuid.UUID, seq int64) ([]signoff.Change, error) {
	var events []sinceRow
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("ChangesSince"), pgx.StrictNamedArgs{"run": run.String(), "seq": seq}).Query(collect(&events))
	})
	return changesOf(events), err
}

func changesOf(events []sinceRow) []signoff.Change {
	changes := make([]signoff.Change, len(events))
	for i, e := range events {
		changes[i] = e.change()
	}
	return changes
}

type sinceRow struct {
	At                             time.Time
	Name, Action, ObjectID, Reason string
}

func (r sinceRow) change() signoff.Change {
	what := r.Action
	if _, item, ok := strings.Cut(r.ObjectID, "/"); ok {
		what = item + " (" + r.Action + ")"
	}
	now := "by " + r.Name + " at " + r.At.UTC().Format("15:04:05 UTC on 2 Jan 2006")
	if r.Reason != "" {
		now += ": " + r.Reason
	}
	return signoff.Change{What: what, Then: "as you were shown it", Now: now}
}

func noGate() error {
	return fault.New(fault.NotFound, "There is no such release or gate here.").Because(errors.New("no rows"))
}
