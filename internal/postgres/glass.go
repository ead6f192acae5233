package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// Glass keeps signatures by break-glass, their reviews, and the outages of the provider.
type Glass struct {
	Signoff
	// Provider is what people call the provider, for the record of its outages.
	Provider string
}

var _ signoff.GlassStore = Glass{}

type glassRow struct {
	SignatureID, RunID                        uuid.UUID
	Gate, GateName, Name, Issuer, Subject     string
	CodeID                                    uuid.UUID
	FirstHolder, FirstIssuer, FirstSubject    string
	SecondHolder, SecondIssuer, SecondSubject string
	OutageID                                  uuid.UUID
	OutageSince                               time.Time
	OutageFailure                             string
	UsedAt, ReviewDueAt                       time.Time
	Verdict, ReviewReason, Reviewer           *string
	ReviewerIssuer, ReviewerSubject           *string
	ReviewedAt                                *time.Time
	ReviewKey                                 *uuid.UUID
}

func (r glassRow) glass() signoff.Glass {
	g := signoff.Glass{
		Signature: r.SignatureID, Code: r.CodeID, Gate: signoff.GateID(r.Gate), GateName: r.GateName, By: signoff.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name},
		First:  signoff.Person{Issuer: r.FirstIssuer, Subject: r.FirstSubject, Name: r.FirstHolder},
		Second: signoff.Person{Issuer: r.SecondIssuer, Subject: r.SecondSubject, Name: r.SecondHolder},
		Outage: r.OutageID, OutageSince: r.OutageSince.UTC(), Failure: r.OutageFailure, UsedAt: r.UsedAt.UTC(), ReviewDue: r.ReviewDueAt.UTC(),
	}
	if r.Verdict != nil {
		g.Review = &signoff.Review{
			Verdict: signoff.Verdict(*r.Verdict), Reason: deref(r.ReviewReason), At: timeOrZero(r.ReviewedAt), Key: orNil(r.ReviewKey),
			By: signoff.Person{Issuer: deref(r.ReviewerIssuer), Subject: deref(r.ReviewerSubject), Name: deref(r.Reviewer)},
		}
	}
	return g
}

// glassOf finds what a signature rests on; nil where it was given with a fresh sign-in.
func glassOf(list []signoff.Glass, signature uuid.UUID) *signoff.Glass {
	for i := range list {
		if list[i].Signature == signature {
			return &list[i]
		}
	}
	return nil
}

type outageRow struct {
	OutageID     uuid.UUID
	BeganAt      time.Time
	LastFailure  string
	LastFailedAt time.Time
	Failures     int
	At           time.Time
}

func (r outageRow) outage() signoff.Outage {
	return signoff.Outage{ID: r.OutageID, Since: r.BeganAt.UTC(), Failure: r.LastFailure, Last: r.LastFailedAt.UTC(), Failures: r.Failures, At: r.At.UTC()}
}

// Outage is the one that goes on; zero where there is none.
func (g Glass) Outage(ctx context.Context, by actor.Actor) (signoff.Outage, error) {
	var row *outageRow
	err := g.DB.page(ctx, by, func(b *pgx.Batch) { b.Queue(sql("OutageNow")).Query(collectMaybe(&row)) })
	if err != nil || row == nil {
		return signoff.Outage{}, err
	}
	return row.outage(), nil
}

// InGlass runs work in one transaction of the actor's tenant.
func (g Glass) InGlass(ctx context.Context, by actor.Actor, work func(context.Context, signoff.GlassTx) error) error {
	return g.transact(ctx, by, func(ctx context.Context, tx signoffTx) error { return work(ctx, glassTx{tx, g.Provider}) })
}

type glassTx struct {
	signoffTx
	provider string
}

func (t glassTx) Away(ctx context.Context, failure string) (signoff.Outage, error) {
	if _, err := t.tx.Exec(ctx, sql("ForgetOutage")); err != nil {
		return signoff.Outage{}, err
	}
	rows, err := t.tx.Query(ctx, sql("MeetOutage"), pgx.StrictNamedArgs{"provider": t.provider, "failure": failure})
	if err != nil {
		return signoff.Outage{}, err
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[outageRow])
	return row.outage(), err
}

func (t glassTx) Back(ctx context.Context) (bool, error) {
	tag, err := t.tx.Exec(ctx, sql("EndOutage"))
	return err == nil && tag.RowsAffected() > 0, err
}

type usedRow struct {
	Outcome                   string
	CodeID                    uuid.UUID
	FirstHolder, SecondHolder string
	ReviewDueAt               time.Time
}

func (t glassTx) Use(ctx context.Context, by actor.Actor, signature, outage uuid.UUID, r signoff.GlassRequest) (signoff.Used, error) {
	rows, err := t.tx.Query(ctx, sql("UseSigningCode"), pgx.StrictNamedArgs{
		"one": hashed(r.One), "other": hashed(r.Other), "signature": signature, "run": r.Run, "gate": string(r.Gate), "outage": outage,
		"issuer": by.Issuer, "subject": by.Subject, "name": by.Name,
	})
	if err != nil {
		return signoff.Used{}, err
	}
	var found *usedRow
	if err := collectMaybe(&found)(rows); err != nil || found == nil {
		return signoff.Used{}, err
	}
	return signoff.Used{Outcome: found.Outcome, Code: found.CodeID, First: found.FirstHolder, Second: found.SecondHolder, ReviewDue: found.ReviewDueAt.UTC()}, nil
}

func (t glassTx) Review(ctx context.Context, by actor.Actor, r signoff.ReviewRequest) (bool, error) {
	var reviewed int
	err := t.tx.QueryRow(ctx, sql("ReviewGlass"), pgx.StrictNamedArgs{
		"signature": r.Signature, "verdict": string(r.Verdict), "reason": r.Reason, "key": r.Key, "issuer": by.Issuer, "subject": by.Subject, "name": by.Name,
		"auth_time": by.AuthTime, "fresh_for": actor.FreshFor, "leeway": actor.Leeway, "acr": by.ACR, "origin": string(by.Origin), "ip": by.IP, "session": by.Session,
	}).Scan(&reviewed)
	return reviewed == 1, err
}

func (t glassTx) SignOffReviewed(ctx context.Context, by actor.Actor, run uuid.UUID) (bool, error) {
	tag, err := t.tx.Exec(ctx, sql("SignOffReviewed"), pgx.StrictNamedArgs{"run": run, "name": by.Name})
	return err == nil && tag.RowsAffected() == 1, err
}

type glassReleaseRow struct {
	RunID                                            uuid.UUID
	Code, Title, Environment, TimeZone, State        string
	StartedByIssuer, StartedBySubject, StartedByName string
}

func (t glassTx) GlassOf(ctx context.Context, signature uuid.UUID) (signoff.Glass, signoff.Release, error) {
	var of *glassRow
	var release *glassReleaseRow
	var b pgx.Batch
	args := pgx.StrictNamedArgs{"signature": signature}
	b.Queue(sql("GlassOfSignature"), args).Query(collectMaybe(&of))
	b.Queue(sql("GlassRelease"), args).Query(collectMaybe(&release))
	if err := t.tx.SendBatch(ctx, &b).Close(); err != nil {
		return signoff.Glass{}, signoff.Release{}, err
	}
	if of == nil || release == nil {
		return signoff.Glass{}, signoff.Release{}, fault.New(fault.NotFound, "There is no such signature by break-glass here.")
	}
	return of.glass(), signoff.Release{
		ID: release.RunID, Code: release.Code, Title: release.Title, Environment: release.Environment, TimeZone: release.TimeZone, Active: release.State == "active",
		StarterIssuer: release.StartedByIssuer, StarterSubject: release.StartedBySubject, StarterName: release.StartedByName,
	}, nil
}
