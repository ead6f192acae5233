package postgres

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

type auditRow struct {
	TenantID                             uuid.UUID
	Seq                                  int64
	At                                   time.Time
	Origin, Issuer, Subject, Name, Roles string
	IP                                   string
	Action, ObjectKind, ObjectID         string
	Outcome, Reason                      string
	Before, After                        *string
	PrevHash, Hash                       []byte
}

func (r auditRow) entry() audit.Entry { return audit.Entry(r) }

type checkRow struct {
	Seq       int64
	Head      []byte
	Break     string
	Entries   int64
	CheckedAt time.Time
}

func (r checkRow) check() *audit.Check {
	return &audit.Check{Seq: r.Seq, Head: r.Head, Break: r.Break, Entries: r.Entries, CheckedAt: r.CheckedAt}
}

func queryArgs(q audit.Query) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"person": q.Person, "action": q.Action, "object_kind": q.ObjectKind, "object_id": q.ObjectID,
		"outcome": string(q.Outcome), "from": timeOrNull(q.From), "to": timeOrNull(q.To),
	}
}

// List reads a page of the actor's tenant's trail and the newest check of its chain, and writes down that it was read, in
// one round trip. Reading it again with the same filter within a quarter of an hour is the same reading. Where the trail takes
// no entry it is shown all the same, and the page says so.
func (a Audit) List(ctx context.Context, by actor.Actor, q audit.Query) (audit.Page, error) {
	var rows []auditRow
	var checked *checkRow
	var seal *sealRow
	var names []struct{ Name string }
	var releases []struct {
		RunID uuid.UUID
		Code  string
	}
	seen, err := reading(by, q)
	if err != nil {
		return audit.Page{}, err
	}
	fill := func(b *pgx.Batch) {
		args := queryArgs(q)
		args["before"], args["limit"] = q.Before, q.Limit+1
		b.Queue(sql("AuditPage"), args).Query(collect(&rows))
		b.Queue(sql("AuditNewestCheck")).Query(collectMaybe(&checked))
		b.Queue(sql("AuditNewestSeal")).Query(collectMaybe(&seal))
		b.Queue(sql("AuditNames")).Query(collect(&names))
		b.Queue(sql("AuditReleases")).Query(collect(&releases))
	}
	unrecorded := false
	err = a.DB.pageThen(ctx, by, fill, func(b *pgx.Batch) { b.Queue(sql("RecordAuditReading"), seen) })
	if err != nil && ctx.Err() == nil && !fault.Is(err, fault.Unavailable) {
		// A trail that takes no entry has to be looked at more than any other.
		unrecorded, rows, checked, seal, names, releases = true, nil, nil, nil, nil, nil
		err = a.DB.page(ctx, by, fill)
	}
	if err != nil {
		return audit.Page{}, err
	}
	page := audit.Page{More: len(rows) > q.Limit, Published: a.Heads.Kept(), Sealing: a.Keys.Own() != nil, Unrecorded: unrecorded}
	if seal != nil {
		newest := seal.seal()
		page.Seal, page.Proven = &newest, a.Keys.Trusts()
		if err := a.Keys.Check(newest); err != nil {
			page.SealProblem, page.Proven = err.Error(), false
		}
	}
	for _, n := range names {
		page.Names = append(page.Names, n.Name)
	}
	for _, r := range releases {
		page.Releases = append(page.Releases, audit.Release{ID: r.RunID.String(), Code: r.Code})
	}
	for _, r := range rows[:min(len(rows), q.Limit)] {
		page.Entries = append(page.Entries, r.entry())
	}
	if checked != nil {
		page.Checked = checked.check()
	}
	return page, nil
}

// Verify walks the chain of the actor's tenant from its first entry to its head, stores the result and returns it. It
// streams: memory does not grow with the trail. That a person had it walked stands in the trail too, and the walk goes on
// over that entry. Into a chain that does not hold it writes nothing: the refusal which they are shown is the entry.
func (a Audit) Verify(ctx context.Context, by actor.Actor) (audit.Check, error) {
	var chain audit.Chain
	var check audit.Check
	known, err := a.hold(ctx, by, &chain)
	if err != nil {
		return audit.Check{}, err
	}
	check.Seal, check.Unproven = known.seal, known.seal != nil && !a.Keys.Trusts()
	if err := a.walk(ctx, by, &chain, &check); err != nil {
		return audit.Check{}, err
	}
	if by.Origin == actor.Web && check.Whole() && known.broken == "" {
		err := a.Record(ctx, by, audit.Event{
			Action: "audit:verify", ObjectKind: "audit", ObjectID: strconv.FormatInt(check.Seq, 10), After: map[string]int64{"entries": check.Entries},
		})
		if err != nil {
			return audit.Check{}, err
		}
		if err := a.walk(ctx, by, &chain, &check); err != nil {
			return audit.Check{}, err
		}
	}
	if known.broken != "" {
		check.Break = strings.Trim(check.Break+"; "+known.broken, "; ")
	}
	if check.Whole() {
		if err := a.keep(ctx, by, &check, known); err != nil {
			return check, err
		}
	}
	err = a.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql("AddAuditCheck"), pgx.StrictNamedArgs{
			"tenant": by.Tenant, "seq": check.Seq, "head": check.Head, "break": check.Break, "entries": check.Entries,
		})
		return err
	})
	return check, err
}

// keep seals the head that a whole walk reached, and then publishes it. Both come before the walk is stored: one whose head
// is kept nowhere else makes no page green. And the seal stands in the database before it stands in the file, so that a seal
// which is in the file alone was taken out of the database.
func (a Audit) keep(ctx context.Context, by actor.Actor, check *audit.Check, known known) error {
	if check.Seq == 0 {
		return nil
	}
	if err := a.seal(ctx, by, check); err != nil {
		return err
	}
	if !a.Heads.Kept() {
		return nil
	}
	sealed := int64(0)
	if check.Seal != nil {
		sealed = check.Seal.Number
	}
	if check.Seq <= known.published && sealed <= known.sealed {
		return nil
	}
	if err := a.publish(by, *check); err != nil {
		return err
	}
	check.HeadsBegin = known.published == 0 && known.walked > 0
	return nil
}

// publish writes the head to the file, with the seal over it.
func (a Audit) publish(by actor.Actor, check audit.Check) error {
	head := audit.Head{TenantID: by.Tenant, Seq: check.Seq, Hash: hex.EncodeToString(check.Head), At: check.CheckedAt.UTC()}
	if check.Seal != nil && check.Seal.Seq == check.Seq {
		head.Seal = check.Seal
	}
	if err := a.Heads.Add(head); err != nil {
		return fault.New(fault.Unavailable, "The chain is whole up to entry %d, but its head could not be published, so this walk was not recorded. Tell whoever runs the server.", check.Seq).Because(err)
	}
	return nil
}

// known is the newest entry that was published outside the database, the newest that a stored walk reached, the newest seal
// that was published and the newest there is, and what is wrong with the seals.
type known struct {
	published, walked, sealed int64
	seal                      *audit.Seal
	broken                    string
}

// hold tells the chain what earlier walks found, what was published outside the database, and what was sealed.
func (a Audit) hold(ctx context.Context, by actor.Actor, chain *audit.Chain) (k known, err error) {
	var found *checkRow
	err = a.DB.page(ctx, by, func(b *pgx.Batch) { b.Queue(sql("AuditFarthestCheck")).Query(collectMaybe(&found)) })
	if err != nil {
		return known{}, err
	}
	if found != nil {
		k.walked = found.Seq
		chain.Hold(audit.Head{TenantID: by.Tenant, Seq: found.Seq, Hash: hex.EncodeToString(found.Head), At: found.CheckedAt, Keeper: "the walk"})
	}
	// The file is read after the walks and before the seals: a walk is stored after its head stands in the file, and a seal
	// stands in the database before it stands in the file. So whatever another replica does meanwhile fits.
	heads, err := a.standing(ctx, by)
	if err != nil {
		return known{}, fault.New(fault.Unavailable, "The published heads cannot be read, so the chain was not walked. Tell whoever runs the server.").Because(err)
	}
	for _, h := range heads {
		chain.Hold(h)
		k.published = max(k.published, h.Seq)
		if h.Seal != nil {
			k.sealed = max(k.sealed, h.Seal.Number)
		}
	}
	return k, a.holdSeals(ctx, by, chain, heads, &k)
}

// walk adds to the chain what comes after its head.
func (a Audit) walk(ctx context.Context, by actor.Actor, chain *audit.Chain, check *audit.Check) error {
	after := check.Seq
	if after == 0 {
		after = math.MinInt64 // what stands before entry 1 does not belong there, and is found
	}
	// One snapshot for entries and head: what is appended meanwhile belongs to the next walk.
	options := pgx.TxOptions{AccessMode: pgx.ReadOnly, IsoLevel: pgx.RepeatableRead}
	err := a.DB.transact(ctx, by, options, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sql("NoStatementTimeout")); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, sql("AuditWalk"), pgx.QueryResultFormats{pgx.BinaryFormatCode}, pgx.StrictNamedArgs{"after": after})
		if err != nil {
			return err
		}
		entries, err := follow(rows, chain)
		check.Entries += entries
		check.Seq, check.Head = chain.Head()
		var broken audit.Break
		if errors.As(err, &broken) {
			check.Break = broken.Error()
			return nil
		}
		if err != nil {
			return err
		}
		if err := compareHead(ctx, tx, check); err != nil || !check.Whole() {
			return err
		}
		if errors.As(chain.End(), &broken) {
			check.Break = broken.Error()
		}
		return nil
	})
	if check.Head == nil {
		check.Head = make([]byte, 32)
	}
	check.CheckedAt = time.Now()
	return err
}

// compareHead finds a trail whose newest entries were cut off: the head remembers them.
func compareHead(ctx context.Context, tx pgx.Tx, check *audit.Check) error {
	var seq int64
	var hash []byte
	err := tx.QueryRow(ctx, sql("AuditHead")).Scan(&seq, &hash)
	switch {
	case errors.Is(err, pgx.ErrNoRows) && check.Entries == 0 && check.Seq == 0:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		check.Break = "the head of the chain is missing"
	case err != nil:
		return err
	case seq > check.Seq:
		check.Break = audit.Break{Seq: check.Seq + 1, What: "missing: the head of the chain stands at a later entry, the newest were cut off"}.Error()
	case seq < check.Seq, !bytes.Equal(hash, check.Head):
		check.Break = audit.Break{Seq: check.Seq, What: "does not fit the head of the chain"}.Error()
	}
	return nil
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
