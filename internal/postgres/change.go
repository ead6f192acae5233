package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/change"
)

// Changes is change.Store.
type Changes struct{ DB *DB }

var _ change.Store = Changes{}

// momentRow is what gatehouse.change_moment says.
type momentRow struct {
	StartsAt, EndsAt                           time.Time
	SetBy                                      string
	FreezeFrom, FreezeUntil                    *time.Time
	FreezeReason                               string
	WindowUntil, FreezePassedUntil, ProofUntil *time.Time
	Refusal                                    string
	At                                         time.Time
}

func (r momentRow) moment() change.Moment {
	return change.Moment{
		At: r.At, Starts: r.StartsAt, Ends: r.EndsAt, SetBy: r.SetBy, FreezeFrom: deref(r.FreezeFrom), FreezeUntil: deref(r.FreezeUntil),
		FreezeReason: r.FreezeReason, WindowPassed: deref(r.WindowUntil), FreezePassed: deref(r.FreezePassedUntil), ProofPassed: deref(r.ProofUntil),
		Refusal: r.Refusal,
	}
}

type changePageRow struct {
	RunID                    uuid.UUID
	Code, TimeZone           string
	Active, GateOpen, Signed bool
	momentRow
}

type freezeRow struct {
	StartsAt, EndsAt time.Time
	Reason, Name     string
}

type overrideRow struct {
	OverrideID                          uuid.UUID
	Kind, Reason, Name, Issuer, Subject string
	AskedAt, ExpiresAt                  time.Time
	Expired                             bool
	SecondName                          string
	SecondedAt                          *time.Time
}

type applyTokenRow struct {
	TokenID                  uuid.UUID
	Version, Direction, Name string
	MadeAt, ExpiresAt        time.Time
	UsedBy                   *uuid.UUID
	State                    string
}

type changeRows struct {
	page      *changePageRow
	freezes   []freezeRow
	overrides []overrideRow
	tokens    []applyTokenRow
	plan      []struct {
		Version, Title string
		Applied        bool
	}
}

func (c *changeRows) queue(b *pgx.Batch, release uuid.UUID) {
	args := pgx.StrictNamedArgs{"release": release}
	b.Queue(sql("ChangePage"), args).Query(collectMaybe(&c.page))
	b.Queue(sql("ChangeFreezes")).Query(collect(&c.freezes))
	b.Queue(sql("ChangeOverrides"), args).Query(collect(&c.overrides))
	b.Queue(sql("ChangeTokens"), args).Query(collect(&c.tokens))
	b.Queue(sql("ChangePlan"), args).Query(collect(&c.plan))
}

func (c *changeRows) result() (change.Page, error) {
	if c.page == nil {
		return change.Page{}, noRelease(pgx.ErrNoRows)
	}
	p := change.Page{
		Release: c.page.RunID, Code: c.page.Code, Zone: c.page.TimeZone, Active: c.page.Active, GateOpen: c.page.GateOpen, Signed: c.page.Signed, Moment: c.page.moment(),
	}
	for _, f := range c.freezes {
		p.Freezes = append(p.Freezes, change.Freeze{From: f.StartsAt, Until: f.EndsAt, Reason: f.Reason, By: f.Name})
	}
	for _, o := range c.overrides {
		p.Overrides = append(p.Overrides, change.Override{
			ID: o.OverrideID, Kind: change.Kind(o.Kind), Reason: o.Reason, By: o.Name, Issuer: o.Issuer, Subject: o.Subject, AskedAt: o.AskedAt,
			ExpiresAt: o.ExpiresAt, ExpiredAlready: o.Expired, SecondBy: o.SecondName, SecondedAt: deref(o.SecondedAt),
		})
	}
	for _, k := range c.tokens {
		p.Tokens = append(p.Tokens, change.Token{
			ID: k.TokenID, Version: k.Version, Direction: k.Direction, By: k.Name, MadeAt: k.MadeAt, ExpiresAt: k.ExpiresAt, State: k.State, Run: deref(k.UsedBy),
		})
	}
	for _, m := range c.plan {
		p.Plan = append(p.Plan, change.Planned{Version: m.Version, Title: m.Title, Applied: m.Applied})
	}
	return p, nil
}

// Look reads a release's page in one round trip.
func (c Changes) Look(ctx context.Context, by actor.Actor, release uuid.UUID) (change.Page, error) {
	var rows changeRows
	if err := c.DB.page(ctx, by, func(b *pgx.Batch) { rows.queue(b, release) }); err != nil {
		return change.Page{}, err
	}
	return rows.result()
}

// InTenant runs work in one transaction of the actor's tenant.
func (c Changes) InTenant(ctx context.Context, by actor.Actor, work func(context.Context, change.Tx) error) error {
	return c.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error { return work(ctx, changeTx{tx, by}) })
}

type changeTx struct {
	tx pgx.Tx
	by actor.Actor
}

func (t changeTx) Page(ctx context.Context, release uuid.UUID) (change.Page, error) {
	var rows changeRows
	var b pgx.Batch
	rows.queue(&b, release)
	if err := t.tx.SendBatch(ctx, &b).Close(); err != nil {
		return change.Page{}, err
	}
	return rows.result()
}

func (t changeTx) Record(ctx context.Context, e audit.Event) error { return record(ctx, t.tx, t.by, e) }

// person is who acts, as every one of these statements keeps it.
func (t changeTx) person(more pgx.StrictNamedArgs) pgx.StrictNamedArgs {
	more["issuer"], more["subject"], more["name"] = t.by.Issuer, t.by.Subject, t.by.Name
	return more
}

// did runs a statement that returns its one value where it did its work.
func (t changeTx) did(ctx context.Context, into any, name string, args pgx.StrictNamedArgs) (bool, error) {
	err := t.tx.QueryRow(ctx, sql(name), t.person(args)).Scan(into)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (t changeTx) SetWindow(ctx context.Context, release uuid.UUID, r change.Span) (bool, error) {
	return t.did(ctx, new(uuid.UUID), "SetReleaseWindow", pgx.StrictNamedArgs{"release": release, "starts_at": r.From, "ends_at": r.Until, "reason": r.Reason})
}

func (t changeTx) Freeze(ctx context.Context, id uuid.UUID, r change.Span) (bool, error) {
	return t.did(ctx, new(uuid.UUID), "AddFreeze", pgx.StrictNamedArgs{"freeze": id, "starts_at": r.From, "ends_at": r.Until, "reason": r.Reason})
}

func (t changeTx) Ask(ctx context.Context, r change.Asked) (bool, error) {
	return t.did(ctx, new(uuid.UUID), "AskOverride", pgx.StrictNamedArgs{
		"override": r.ID, "release": r.Release, "kind": string(r.Kind), "reason": r.Reason, "seconds": r.For.Seconds(), "auth_time": t.by.AuthTime,
	})
}

func (t changeTx) Second(ctx context.Context, release, override uuid.UUID) (bool, error) {
	return t.did(ctx, new(uuid.UUID), "SecondOverride", pgx.StrictNamedArgs{"release": release, "override": override, "auth_time": t.by.AuthTime})
}

func (t changeTx) AddToken(ctx context.Context, r change.Wanted) (until time.Time, done bool, err error) {
	done, err = t.did(ctx, &until, "AddApplyToken", pgx.StrictNamedArgs{
		"id": r.ID, "token": r.Token256, "release": r.Release, "version": r.Version, "direction": r.Direction, "sha256": r.SHA256, "plan_sha256": r.PlanSHA256,
	})
	return until, done, err
}

func (t changeTx) Revoke(ctx context.Context, release, token uuid.UUID) (bool, error) {
	return t.did(ctx, new(uuid.UUID), "RevokeApplyToken", pgx.StrictNamedArgs{"release": release, "id": token})
}
