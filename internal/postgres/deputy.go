package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// Deputies keeps the roster of deputies.
type Deputies struct{ DB *DB }

var _ signoff.RosterStore = Deputies{}

type deputyRow struct {
	DeputyID                           uuid.UUID
	Role, Issuer, Subject, Name        string
	FromDay, UntilDay                  time.Time
	Reason                             string
	NamedIssuer, NamedSubject, NamedBy string
	NamedAt                            time.Time
	IdempotencyKey                     uuid.UUID
	RevokedReason, RevokedBy           *string
	RevokedAt                          *time.Time
}

func (r deputyRow) deputy() signoff.Deputy {
	d := signoff.Deputy{
		ID: r.DeputyID, Role: actor.Role(r.Role), Person: signoff.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}, From: r.FromDay.UTC(), Until: r.UntilDay.UTC(),
		Reason: r.Reason, NamedBy: signoff.Person{Issuer: r.NamedIssuer, Subject: r.NamedSubject, Name: r.NamedBy}, NamedAt: r.NamedAt.UTC(), Key: r.IdempotencyKey,
	}
	if r.RevokedAt != nil {
		d.Revoked = &signoff.Withdrawal{Reason: deref(r.RevokedReason), By: deref(r.RevokedBy), At: r.RevokedAt.UTC()}
	}
	return d
}

func deputiesOf(rows []deputyRow) []signoff.Deputy {
	list := make([]signoff.Deputy, len(rows))
	for i, row := range rows {
		list[i] = row.deputy()
	}
	return list
}

type candidateRow struct {
	PersonID              uuid.UUID
	Issuer, Subject, Name string
	Roles                 []string
}

func (r candidateRow) candidate() signoff.Candidate {
	c := signoff.Candidate{ID: r.PersonID, Person: signoff.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}}
	for _, role := range r.Roles {
		c.Roles = append(c.Roles, actor.Role(role))
	}
	return c
}

// signing are the roles that carry the right to sign.
func signing() []string {
	var roles []string
	for _, role := range actor.RolesWith(actor.GateSign) {
		roles = append(roles, string(role))
	}
	return roles
}

// Roster is a page of the roster, who can be named, and the database's clock, in one round trip.
func (d Deputies) Roster(ctx context.Context, by actor.Actor, q signoff.RosterQuery) (signoff.Roster, error) {
	args := pgx.StrictNamedArgs{"before_at": q.BeforeAt, "before_id": q.BeforeID, "most": q.Limit}
	if q.BeforeAt.IsZero() {
		args["before_at"], args["before_id"] = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), uuid.Max
	}
	var rows []deputyRow
	var people []candidateRow
	var clock struct {
		At       time.Time
		TimeZone string
	}
	err := d.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("RosterNewest"), args).Query(collect(&rows))
		b.Queue(sql("DeputyCandidates"), pgx.StrictNamedArgs{"signing": signing()}).Query(collect(&people))
		b.Queue(sql("RosterClock")).Query(collectOne(&clock))
	})
	roster := signoff.Roster{Deputies: deputiesOf(rows), At: clock.At.UTC(), TimeZone: clock.TimeZone}
	for _, row := range people {
		roster.Candidates = append(roster.Candidates, row.candidate())
	}
	return roster, err
}

// InTenant runs work in one transaction of the actor's tenant.
func (d Deputies) InTenant(ctx context.Context, by actor.Actor, work func(context.Context, signoff.RosterTx) error) error {
	return d.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error { return work(ctx, rosterTx{tx, by}) })
}

type rosterTx struct {
	tx pgx.Tx
	by actor.Actor
}

func (t rosterTx) Record(ctx context.Context, e audit.Event) error { return record(ctx, t.tx, t.by, e) }

func (t rosterTx) Hold(ctx context.Context) (time.Time, error) {
	var at time.Time
	err := t.tx.QueryRow(ctx, sql("HoldRoster")).Scan(&at, nil)
	return at.UTC(), err
}

func (t rosterTx) Candidate(ctx context.Context, person uuid.UUID) (signoff.Candidate, bool, error) {
	found, err := rowsOf[candidateRow](ctx, t.tx, "DeputyCandidate", pgx.StrictNamedArgs{"person": person})
	if err != nil || len(found) == 0 {
		return signoff.Candidate{}, false, err
	}
	return found[0].candidate(), true, nil
}

func (t rosterTx) Deputy(ctx context.Context, id uuid.UUID) (signoff.Deputy, bool, error) {
	return t.one(ctx, "DeputyByID", pgx.StrictNamedArgs{"deputy": id})
}

func (t rosterTx) NamedWith(ctx context.Context, key uuid.UUID) (signoff.Deputy, bool, error) {
	return t.one(ctx, "DeputyWithKey", pgx.StrictNamedArgs{"key": key})
}

func (t rosterTx) one(ctx context.Context, statement string, args pgx.StrictNamedArgs) (signoff.Deputy, bool, error) {
	found, err := rowsOf[deputyRow](ctx, t.tx, statement, args)
	if err != nil || len(found) == 0 {
		return signoff.Deputy{}, false, err
	}
	return found[0].deputy(), true, nil
}

func rowsOf[T any](ctx context.Context, tx pgx.Tx, statement string, args pgx.StrictNamedArgs) ([]T, error) {
	rows, err := tx.Query(ctx, sql(statement), args)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}

func (t rosterTx) Name(ctx context.Context, by actor.Actor, id uuid.UUID, r signoff.NameRequest) (bool, error) {
	tag, err := t.tx.Exec(ctx, sql("NameDeputy"), pgx.StrictNamedArgs{
		"deputy": id, "role": string(r.Role), "person": r.Person, "from_day": r.From, "until_day": r.Until, "reason": r.Reason, "key": r.Key,
		"roles": roleNames(by), "signing": signing(), "issuer": by.Issuer, "subject": by.Subject, "name": by.Name, "auth_time": by.AuthTime,
		"fresh_for": actor.FreshFor, "leeway": actor.Leeway, "acr": by.ACR, "origin": string(by.Origin), "ip": by.IP, "session": by.Session,
	})
	return err == nil && tag.RowsAffected() == 1, err
}

func (t rosterTx) Revoke(ctx context.Context, by actor.Actor, id uuid.UUID, reason string) (bool, error) {
	tag, err := t.tx.Exec(ctx, sql("RevokeDeputy"), pgx.StrictNamedArgs{
		"deputy": id, "reason": reason, "roles": roleNames(by), "signing": signing(), "issuer": by.Issuer, "subject": by.Subject, "name": by.Name,
	})
	return err == nil && tag.RowsAffected() == 1, err
}
