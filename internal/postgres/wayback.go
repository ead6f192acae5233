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

// WayBack opens the way back in that MakeWayBack made.
type WayBack struct{ DB *DB }

type openedRow struct {
	Outcome        string
	TenantID       uuid.UUID
	TenantCode     string
	TenantName     string
	IsOperator     bool
	CodeID         uuid.UUID
	FirstHolder    string
	SecondHolder   string
	Reason         string
	SessionSeconds int
}

// Open uses the code of two halves up and writes down that it was used, in one transaction. The refusal of halves that fit
// one code, used or too old, says so: who has both has a right to know, and the company's trail shows who tried.
func (g WayBack) Open(ctx context.Context, one, other, ip string) (actor.WayBack, actor.Actor, error) {
	var opened actor.WayBack
	var by actor.Actor
	err := g.DB.inTenant(ctx, actor.System(actor.Web, "way back"), func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql("UseWayBack"), pgx.StrictNamedArgs{"one": hashed(one), "other": hashed(other), "ip": ip})
		if err != nil {
			return err
		}
		var found *openedRow
		if err := collectMaybe(&found)(rows); err != nil {
			return err
		}
		if found == nil {
			return fault.New(fault.Forbidden, "These two halves open nothing. Check both, letter by letter; each half is of the code that was made last for its holder.")
		}
		opened = actor.WayBack{
			Code: found.CodeID, FirstHolder: found.FirstHolder, SecondHolder: found.SecondHolder, Reason: found.Reason,
			Session: time.Duration(found.SessionSeconds) * time.Second,
			Tenant:  found.TenantID, TenantCode: found.TenantCode, TenantName: found.TenantName, Operator: found.IsOperator,
		}
		by = opened.Actor(ip)
		switch found.Outcome {
		case "used":
			return fault.New(fault.Forbidden, "This code was used already, and each is good for one time. A new one has to be made.")
		case "expired":
			return fault.New(fault.Forbidden, "This code is too old. A new one has to be made.")
		}
		if _, err := tx.Exec(ctx, sql("EnterTenant"), pgx.StrictNamedArgs{"tenant": by.Tenant.String()}); err != nil {
			return err
		}
		return record(ctx, tx, by, audit.Event{
			Action: "wayback:open", ObjectKind: "way_back_code", ObjectID: opened.Code.String(), Reason: opened.Reason,
			Before: map[string]any{"used": false},
			After:  map[string]any{"used": true, "first_holder": opened.FirstHolder, "second_holder": opened.SecondHolder, "session_seconds": found.SessionSeconds},
		})
	})
	return opened, by, err
}

// WayBackPlan is what a code shall be.
type WayBackPlan struct {
	FirstHolder, SecondHolder, Reason string
	// Lifetime is how long the code waits to be used; Session is how long what it opens lasts.
	Lifetime, Session time.Duration
}

// WayBackCode is a code that was just made. The halves are known here and nowhere else.
type WayBackCode struct {
	ID            uuid.UUID
	First, Second string
	ExpiresAt     time.Time
}

// Bounds of a plan.
const (
	ShortestWayBack        = 5 * time.Minute
	LongestWayBack         = 4 * time.Hour
	LongestWayBackSession  = time.Hour
	ShortestWayBackSession = 5 * time.Minute
)

func (p *WayBackPlan) check() error {
	p.FirstHolder, p.SecondHolder, p.Reason = strings.TrimSpace(p.FirstHolder), strings.TrimSpace(p.SecondHolder), strings.TrimSpace(p.Reason)
	for what, text := range map[string]string{"The name of who gets the first half": p.FirstHolder, "The name of who gets the second half": p.SecondHolder, "The reason": p.Reason} {
		if n := utf8.RuneCountInString(text); n < 3 || n > 200 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			return fault.New(fault.Invalid, "%s has 3 to 200 characters, on one line.", what)
		}
	}
	switch {
	case strings.EqualFold(p.FirstHolder, p.SecondHolder):
		return fault.New(fault.Invalid, "The two halves go to two people, and %s is one.", p.FirstHolder)
	case p.Lifetime < ShortestWayBack || p.Lifetime > LongestWayBack:
		return fault.New(fault.Invalid, "A code waits from 5 minutes to 4 hours to be used.")
	case p.Session < ShortestWayBackSession || p.Session > LongestWayBackSession:
		return fault.New(fault.Invalid, "What a code opens lasts from 5 minutes to an hour.")
	}
	return nil
}

// MakeWayBack makes a one-time code of two halves for a tenant, as the owner, and writes down that it did.
func MakeWayBack(ctx context.Context, ownerURL string, by actor.Actor, plan WayBackPlan) (WayBackCode, error) {
	if err := plan.check(); err != nil {
		return WayBackCode{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return WayBackCode{}, fmt.Errorf("making an id: %w", err)
	}
	code := WayBackCode{ID: id, First: rand.Text()[:actor.WayBackHalf], Second: rand.Text()[:actor.WayBackHalf]}
	err = withConn(ctx, ownerURL, func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			err := tx.QueryRow(ctx, sql("AddWayBack"), pgx.StrictNamedArgs{
				"tenant": by.Tenant, "code": id, "first": hashed(code.First), "second": hashed(code.Second),
				"first_holder": plan.FirstHolder, "second_holder": plan.SecondHolder, "reason": plan.Reason,
				"session_seconds": int(plan.Session.Seconds()), "lifetime_seconds": plan.Lifetime.Seconds(),
			}).Scan(&code.ExpiresAt)
			if err != nil {
				return err
			}
			return record(ctx, tx, by, audit.Event{
				Action: "wayback:make", ObjectKind: "way_back_code", ObjectID: id.String(), Reason: plan.Reason,
				After: map[string]any{"first_holder": plan.FirstHolder, "second_holder": plan.SecondHolder, "expires_at": code.ExpiresAt, "session_seconds": int(plan.Session.Seconds())},
			})
		})
	})
	if err != nil {
		return WayBackCode{}, translate(err)
	}
	return code, nil
}
