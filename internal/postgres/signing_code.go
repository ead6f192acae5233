package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// SigningCodePlan is what a sealed code for signing shall be.
type SigningCodePlan struct {
	FirstHolder, SecondHolder, Reason string
	// Lifetime is how long the two envelopes are good.
	Lifetime time.Duration
}

// SigningCode is a code that was just made. The halves are known here and nowhere else.
type SigningCode struct {
	ID            uuid.UUID
	First, Second string
	ExpiresAt     time.Time
	// FirstKnown and SecondKnown say that the holder is a person who has signed in here.
	FirstKnown, SecondKnown bool
}

// Bounds of a plan.
const (
	ShortestSigningCode = 24 * time.Hour
	LongestSigningCode  = 90 * 24 * time.Hour
)

func (p *SigningCodePlan) check() error {
	p.FirstHolder, p.SecondHolder, p.Reason = strings.TrimSpace(p.FirstHolder), strings.TrimSpace(p.SecondHolder), strings.TrimSpace(p.Reason)
	for _, text := range [][2]string{{"The name of who gets the first half", p.FirstHolder}, {"The name of who gets the second half", p.SecondHolder}, {"The reason", p.Reason}} {
		if err := oneLine(text[0], text[1]); err != nil {
			return err
		}
	}
	switch {
	case strings.EqualFold(p.FirstHolder, p.SecondHolder):
		return fault.New(fault.Invalid, "The two halves go to two people, and %s is one.", p.FirstHolder)
	case p.Lifetime < ShortestSigningCode || p.Lifetime > LongestSigningCode:
		return fault.New(fault.Invalid, "A sealed code is good for 1 to 90 days.")
	}
	return nil
}

func oneLine(what, text string) error {
	if n := utf8.RuneCountInString(text); n < 3 || n > 200 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return fault.New(fault.Invalid, "%s has 3 to 200 characters, on one line.", what)
	}
	return nil
}

type personRow struct{ Issuer, Subject string }

// personNamed finds who of the tenant is called that; zero where nobody is, or several.
func personNamed(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, name string) (personRow, error) {
	rows, err := tx.Query(ctx, sql("PersonNamed"), pgx.StrictNamedArgs{"tenant": tenant, "name": name})
	if err != nil {
		return personRow{}, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[personRow])
	if err != nil || len(found) != 1 {
		return personRow{}, err
	}
	return found[0], nil
}

// MakeSigningCode makes a sealed code of two halves for a tenant, as the owner, and writes down that it did.
func MakeSigningCode(ctx context.Context, ownerURL string, by actor.Actor, plan SigningCodePlan) (SigningCode, error) {
	if err := plan.check(); err != nil {
		return SigningCode{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return SigningCode{}, fmt.Errorf("making an id: %w", err)
	}
	code := SigningCode{ID: id, First: rand.Text()[:actor.WayBackHalf], Second: rand.Text()[:actor.WayBackHalf]}
	err = asOwner(ctx, ownerURL, func(tx pgx.Tx) error {
		first, err := personNamed(ctx, tx, by.Tenant, plan.FirstHolder)
		if err != nil {
			return err
		}
		second, err := personNamed(ctx, tx, by.Tenant, plan.SecondHolder)
		if err != nil {
			return err
		}
		code.FirstKnown, code.SecondKnown = first.Subject != "", second.Subject != ""
		if code.FirstKnown && first == second {
			return fault.New(fault.Invalid, "%s and %s are one person here; the two halves go to two.", plan.FirstHolder, plan.SecondHolder)
		}
		err = tx.QueryRow(ctx, sql("AddSigningCode"), pgx.StrictNamedArgs{
			"tenant": by.Tenant, "code": id, "first": hashed(code.First), "second": hashed(code.Second), "reason": plan.Reason,
			"first_holder": plan.FirstHolder, "first_issuer": first.Issuer, "first_subject": first.Subject,
			"second_holder": plan.SecondHolder, "second_issuer": second.Issuer, "second_subject": second.Subject, "lifetime_seconds": plan.Lifetime.Seconds(),
		}).Scan(&code.ExpiresAt)
		if err != nil {
			return err
		}
		return record(ctx, tx, by, audit.Event{
			Action: "signing_code:make", ObjectKind: "signing_code", ObjectID: id.String(), Reason: plan.Reason,
			After: map[string]any{
				"first_holder": plan.FirstHolder, "first_issuer": first.Issuer, "first_subject": first.Subject,
				"second_holder": plan.SecondHolder, "second_issuer": second.Issuer, "second_subject": second.Subject,
				"expires_at": code.ExpiresAt, "sealed": hashed(hashed(code.First) + hashed(code.Second)),
			},
		})
	})
	return code, err
}

// RevokeSigningCode makes a code worthless, as the owner, and writes down that it did.
func RevokeSigningCode(ctx context.Context, ownerURL string, by actor.Actor, code uuid.UUID, reason string) error {
	reason = strings.TrimSpace(reason)
	if err := oneLine("The reason", reason); err != nil {
		return err
	}
	return asOwner(ctx, ownerURL, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sql("LockSigningCode"), pgx.StrictNamedArgs{"tenant": by.Tenant, "code": code}); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sql("RevokeSigningCode"), pgx.StrictNamedArgs{"tenant": by.Tenant, "code": code, "reason": reason})
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return fault.New(fault.NotFound, "There is no code %s of %s that could be revoked: unknown, used or revoked already.", code, by.TenantCode)
		}
		return record(ctx, tx, by, audit.Event{
			Action: "signing_code:revoke", ObjectKind: "signing_code", ObjectID: code.String(), Reason: reason,
			Before: map[string]any{"revoked": false}, After: map[string]any{"revoked": true},
		})
	})
}

// SigningCodeFacts is what is known of a code; never its halves.
type SigningCodeFacts struct {
	CodeID                    uuid.UUID
	FirstHolder, SecondHolder string
	FirstKnown, SecondKnown   bool
	Reason                    string
	MadeAt, ExpiresAt         time.Time
	State                     string // good, used, revoked, expired
	EndedAt                   *time.Time
	RevokedReason             string
}

// SigningCodes lists the newest 200 codes of the tenant, as the owner.
func SigningCodes(ctx context.Context, ownerURL string, by actor.Actor) (list []SigningCodeFacts, err error) {
	err = asOwner(ctx, ownerURL, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql("SigningCodes"), pgx.StrictNamedArgs{"tenant": by.Tenant})
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, pgx.RowToStructByName[SigningCodeFacts])
		return err
	})
	return list, err
}

// asOwner runs work in one transaction of the owner's.
func asOwner(ctx context.Context, ownerURL string, work func(pgx.Tx) error) error {
	err := withConn(ctx, ownerURL, func(conn *pgx.Conn) error { return pgx.BeginFunc(ctx, conn, work) })
	if err != nil {
		return translate(err)
	}
	return nil
}
