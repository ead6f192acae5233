package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// standing are the published heads of a tenant that still hold it: not those of a state that somebody acknowledged as
// thrown away by a restore. Oldest first.
func (a Audit) standing(ctx context.Context, by actor.Actor) ([]audit.Head, error) {
	heads, err := a.Heads.Of(by.Tenant)
	if err != nil || len(heads) == 0 {
		return nil, err
	}
	var gone []struct {
		PublishedAt time.Time
		AgreedSeq   int64
	}
	err = a.DB.page(ctx, by, func(b *pgx.Batch) { b.Queue(sql("AcknowledgedAlarms")).Query(collect(&gone)) })
	return slices.DeleteFunc(heads, func(h audit.Head) bool {
		for _, g := range gone {
			// The database keeps microseconds.
			if h.Seq > g.AgreedSeq && !h.At.Truncate(time.Microsecond).After(g.PublishedAt) {
				return true
			}
		}
		return false
	}), err
}

// newestHeads are looked at when a program starts; the walk holds the chain against all.
const newestHeads = 1000

// Notice compares the trail of the actor's tenant with the heads that were published outside the database. Where the newest
// is not in it, an older state was restored: the tenant is read-only from then on, until somebody acknowledges it. It gives
// the sentence that says so; empty where all is well.
func (a Audit) Notice(ctx context.Context, by actor.Actor) (sentence string, err error) {
	heads, err := a.standing(ctx, by)
	if err != nil || len(heads) == 0 {
		return "", err
	}
	newest := heads[len(heads)-1]
	heads = heads[max(0, len(heads)-newestHeads):]
	seqs := make([]int64, len(heads))
	for i, h := range heads {
		seqs[i] = h.Seq
	}
	err = a.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql("AuditHashesAt"), pgx.StrictNamedArgs{"seqs": seqs})
		if err != nil {
			return err
		}
		here := map[int64]string{}
		var seq int64
		var hash string
		if _, err := pgx.ForEachRow(rows, []any{&seq, &hash}, func() error { here[seq] = hash; return nil }); err != nil {
			return err
		}
		agreed := int64(0)
		for _, h := range heads {
			if here[h.Seq] == h.Hash {
				agreed = max(agreed, h.Seq)
			}
		}
		if here[newest.Seq] != newest.Hash {
			if err := a.alarm(ctx, tx, by, newest, agreed); err != nil {
				return err
			}
		}
		return tx.QueryRow(ctx, sql("AuditAlarm")).Scan(&sentence)
	})
	return sentence, err
}

func (a Audit) alarm(ctx context.Context, tx pgx.Tx, by actor.Actor, newest audit.Head, agreed int64) error {
	rows, err := tx.Query(ctx, sql("AddAuditAlarm"), pgx.StrictNamedArgs{
		"alarm": uuid.New(), "seq": newest.Seq, "hash": newest.Hash, "at": newest.At, "agreed": agreed,
	})
	if err != nil {
		return err
	}
	added, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil || len(added) == 0 {
		return err
	}
	return record(ctx, tx, by, audit.Event{
		Action: "audit:alarm", ObjectKind: "audit", ObjectID: added[0].String(), Outcome: audit.Failed, Reason: "The trail does not hold the head that was published last.",
		After: map[string]any{"published_seq": newest.Seq, "published_hash": newest.Hash, "published_at": newest.At.UTC().Format(time.RFC3339), "agreed_seq": agreed},
	})
}

// Acknowledge is somebody's word that an older state was restored, and that it is to go on from here. What was published of
// the state that is gone does not hold the trail any more; the next walk publishes the new head.
func (a Audit) Acknowledge(ctx context.Context, by actor.Actor, reason string) error {
	if err := by.Demand(actor.AuditAcknowledge); err != nil {
		return err
	}
	if by.Origin != actor.Web {
		return fault.New(fault.Forbidden, "This is a person's word; no machine can give it.")
	}
	if strings.TrimSpace(reason) == "" {
		return fault.New(fault.Invalid, "Nothing was acknowledged.").WithField("reason", "Say why an older state was restored; it stands in the audit trail.")
	}
	return a.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql("AcknowledgeAlarms"), pgx.StrictNamedArgs{
			"reason": reason, "issuer": by.Issuer, "subject": by.Subject, "name": by.Name, "auth_time": by.AuthTime,
		})
		if err != nil {
			return err
		}
		done, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return err
		}
		if len(done) == 0 {
			return fault.New(fault.Conflict, "There is nothing to acknowledge, or your sign-in is older than five minutes.")
		}
		return record(ctx, tx, by, audit.Event{
			Action: "audit:acknowledge", ObjectKind: "audit", ObjectID: done[0].String(), Reason: reason,
			Before: map[string]any{"alarms": done, "acknowledged": false}, After: map[string]any{"alarms": done, "acknowledged": true},
		})
	})
}
