package postgres

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
)

type sealRow struct {
	TenantID        uuid.UUID
	Number, Seq     int64
	Hash            string
	SealedAt        time.Time
	Previous, KeyID string
	Signature       []byte
}

func (r sealRow) seal() audit.Seal {
	return audit.Seal{TenantID: r.TenantID, Number: r.Number, Seq: r.Seq, Hash: r.Hash, At: r.SealedAt.UTC(), Previous: r.Previous, KeyID: r.KeyID, Signature: r.Signature}
}

// holdSeals checks every seal of the tenant, holds the chain against the good ones, and compares them with those that were
// published. The first that does not fit is named in known.
func (a Audit) holdSeals(ctx context.Context, by actor.Actor, chain *audit.Chain, heads []audit.Head, k *known) error {
	published := map[int64]audit.Seal{}
	for _, h := range heads {
		if h.Seal == nil {
			continue
		}
		if other, ok := published[h.Seal.Number]; k.broken == "" && (ok && !other.Same(*h.Seal) || h.Seal.TenantID != by.Tenant || h.Seal.Seq != h.Seq || h.Seal.Hash != h.Hash) {
			k.broken = audit.SealBreak{Number: h.Seal.Number, What: "stands in the file of heads beside a head that it does not seal; the file was changed"}.Error()
		}
		published[h.Seal.Number] = *h.Seal
	}
	seals := audit.Seals{Ring: a.Keys}
	check := func(s audit.Seal) {
		err := seals.Add(s)
		if other, ok := published[s.Number]; ok && err == nil && !other.Same(s) {
			err = audit.SealBreak{Number: s.Number, What: "is not the one in the file of heads; one of the two was exchanged"}
		}
		delete(published, s.Number)
		if err != nil {
			k.broken = err.Error()
			return
		}
		chain.Hold(s.Head())
	}
	err := a.DB.view(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sql("NoStatementTimeout")); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, sql("AuditSeals"))
		if err != nil {
			return err
		}
		var r sealRow
		_, err = pgx.ForEachRow(rows, []any{&r.TenantID, &r.Number, &r.Seq, &r.Hash, &r.SealedAt, &r.Previous, &r.KeyID, &r.Signature}, func() error {
			if k.broken == "" {
				s := r.seal()
				s.Signature = append([]byte(nil), r.Signature...)
				check(s)
			}
			return nil
		})
		return err
	})
	if err != nil {
		return err
	}
	k.seal = seals.Newest()
	for number := range published {
		if k.broken == "" {
			k.broken = audit.SealBreak{Number: number, What: "stands in the file of heads and not in the database; it was taken out there, or an older state was restored"}.Error()
		}
	}
	return nil
}

// seal signs the head that a whole walk reached, unless the newest seal is over that entry already or over a later one.
func (a Audit) seal(ctx context.Context, by actor.Actor, check *audit.Check) error {
	key := a.Keys.Own()
	if key == nil {
		return nil
	}
	return a.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		newest, err := newestSeal(ctx, tx)
		if err != nil {
			return err
		}
		if check.Seal = newest; newest != nil && newest.Seq >= check.Seq && newest.KeyID == key.Public().ID() {
			return nil
		}
		var at time.Time
		if err := tx.QueryRow(ctx, sql("SealMoment")).Scan(&at); err != nil {
			return err
		}
		made := key.Seal(audit.Head{TenantID: by.Tenant, Seq: check.Seq, Hash: hex.EncodeToString(check.Head), At: at}, newest)
		if newest != nil && newest.Seq > made.Seq {
			return nil // somebody else sealed a later entry with another key: ours follows with the next walk
		}
		tag, err := tx.Exec(ctx, sql("AddAuditSeal"), pgx.StrictNamedArgs{
			"number": made.Number, "seq": made.Seq, "hash": made.Hash, "at": made.At, "previous": made.Previous, "key": made.KeyID, "signature": made.Signature,
		})
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 1 {
			check.Seal = &made
			return nil
		}
		check.Seal, err = newestSeal(ctx, tx) // another replica was first
		return err
	})
}

func newestSeal(ctx context.Context, tx pgx.Tx) (*audit.Seal, error) {
	rows, err := tx.Query(ctx, sql("AuditNewestSeal"))
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[sealRow])
	if err != nil || len(found) == 0 {
		return nil, err
	}
	s := found[0].seal()
	return &s, nil
}

// Seal seals the head as it is now: from the newest seal on, the entries are walked, and where they continue it the new
// head is sealed and published. Without a key it does nothing. What does not fit is in the check, as for Verify.
func (a Audit) Seal(ctx context.Context, by actor.Actor) (audit.Check, error) {
	var check audit.Check
	if a.Keys.Own() == nil {
		return check, nil
	}
	err := a.DB.view(ctx, by, func(ctx context.Context, tx pgx.Tx) (err error) {
		check.Seal, err = newestSeal(ctx, tx)
		return err
	})
	if err != nil {
		return check, err
	}
	if check.Seal == nil {
		return a.Verify(ctx, by) // nothing was sealed yet, so everything is looked at first
	}
	if wrong := a.Keys.Check(*check.Seal); wrong != nil {
		check.Break = wrong.Error()
		return check, nil //nolint:nilerr // what is wrong with the seal is what the check found
	}
	from := *check.Seal
	hash, err := hex.DecodeString(from.Hash)
	if err != nil {
		return check, fmt.Errorf("reading the hash of seal %d: %w", from.Number, err)
	}
	chain := audit.ChainFrom(from.Seq, hash)
	check.Seq = from.Seq
	if err := a.walk(ctx, by, &chain, &check); err != nil || !check.Whole() || check.Seq == from.Seq && from.KeyID == a.Keys.Own().Public().ID() {
		return check, err
	}
	if err := a.seal(ctx, by, &check); err != nil {
		return check, err
	}
	if !a.Heads.Kept() {
		return check, nil
	}
	return check, a.publish(by, check)
}
