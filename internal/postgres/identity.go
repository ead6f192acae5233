package postgres

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// People writes down who signed in. A person is issuer and subject, never an e-mail address, and belongs to one tenant.
type People struct{ DB *DB }

type tenantRow struct {
	TenantID   uuid.UUID
	TenantCode string
	TenantName string
	IsOperator bool
}

// SignIn finds the tenant of the claim, writes the person down with the roles of this sign-in, and gives the actor.
func (p People) SignIn(ctx context.Context, id actor.Identity, ip string) (actor.Actor, error) {
	tenant, err := p.tenant(ctx, id)
	if err != nil {
		return actor.Actor{}, err
	}
	by := actor.Actor{
		Tenant: tenant.TenantID, TenantCode: tenant.TenantCode, TenantName: tenant.TenantName, Operator: tenant.IsOperator,
		Issuer: id.Issuer, Subject: id.Subject, Name: firstFilled(id.Name, id.Email, id.Subject), Roles: id.Roles,
		AuthTime: id.AuthTime, ACR: id.ACR, Origin: actor.Web, IP: ip,
	}
	err = p.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		written, err := writeDown(ctx, tx, by, id.Email)
		if err != nil {
			return err
		}
		if written.Disabled {
			return fault.New(fault.Forbidden, "Your access to Gatehouse was ended. Ask an administrator of %s if that is a mistake.", by.TenantName)
		}
		by.UserID = written.PersonID
		return record(ctx, tx, by, audit.Event{
			Action: "session:sign_in", ObjectKind: "person", ObjectID: by.UserID.String(),
			After: map[string]any{"auth_time": id.AuthTime, "acr": id.ACR},
		})
	})
	if err != nil {
		return actor.Actor{}, err
	}
	return by, nil
}

func (p People) tenant(ctx context.Context, id actor.Identity) (tenantRow, error) {
	if id.Tenant == "" {
		return tenantRow{}, fault.New(fault.Forbidden, "Your sign-in does not say to which company you belong. "+
			"Ask whoever looks after accounts at your identity provider to add the tenant claim.")
	}
	var found *tenantRow
	err := Sessions(p).one(ctx, "TenantByCode", pgx.StrictNamedArgs{"code": id.Tenant}, collectMaybe(&found))
	if err != nil {
		return tenantRow{}, err
	}
	if found == nil {
		return tenantRow{}, fault.New(fault.Forbidden, "Your sign-in says that you belong to %q, and Gatehouse knows no company of that code. "+
			"Ask an administrator of Gatehouse whether it has to be set up.", short(id.Tenant))
	}
	return *found, nil
}

// Disable ends a person's access, with every session of theirs, or gives it back.
func (p People) Disable(ctx context.Context, by actor.Actor, issuer, subject string, disabled bool) error {
	return p.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql("DisablePerson"), pgx.StrictNamedArgs{
			"tenant": by.Tenant, "issuer": issuer, "subject": subject, "disabled": disabled,
		})
		if err != nil {
			return err
		}
		changed, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return err
		}
		if len(changed) == 0 {
			return fault.New(fault.NotFound, "Nobody of %s with that issuer and subject has signed in yet, or it was so already.", by.TenantName)
		}
		action := "person:enable"
		if disabled {
			action = "person:disable"
		}
		return record(ctx, tx, by, audit.Event{
			Action: action, ObjectKind: "person", ObjectID: changed[0].String(),
			Before: map[string]any{"issuer": issuer, "subject": subject, "disabled": !disabled}, After: map[string]any{"issuer": issuer, "subject": subject, "disabled": disabled},
		})
	})
}

type writtenPerson struct {
	PersonID uuid.UUID
	Disabled bool
}

func writeDown(ctx context.Context, tx pgx.Tx, by actor.Actor, email string) (writtenPerson, error) {
	roles := make([]string, len(by.Roles))
	for i, r := range by.Roles {
		roles[i] = string(r)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return writtenPerson{}, fmt.Errorf("making an id: %w", err)
	}
	rows, err := tx.Query(ctx, sql("WriteDownPerson"), pgx.StrictNamedArgs{
		"tenant": by.Tenant, "person": id, "issuer": by.Issuer, "subject": by.Subject, "name": by.Name, "email": email, "roles": roles,
	})
	if err != nil {
		return writtenPerson{}, err
	}
	written, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[writtenPerson])
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42501" {
		return writtenPerson{}, fault.New(fault.Forbidden, "You are known here as somebody of another company than %s. "+
			"One account belongs to one company; ask an administrator of Gatehouse.", by.TenantName).Because(err)
	}
	return written, err
}

// Credentials knows the machines that may act. Only the SHA-256 of a token is stored.
type Credentials struct{ DB *DB }

// tokenPrefix lets people and secret scanners see what a leaked string is.
const tokenPrefix = "gatehouse_"

var errNoSuchToken = fault.New(fault.Unauthenticated, "This token is unknown, has expired or was revoked. `gatehouse token` makes a new one.")

// Authenticate gives the machine behind a bearer token, with the rights that its row names and no roles.
func (c Credentials) Authenticate(ctx context.Context, token string, origin actor.Origin, ip string) (actor.Actor, error) {
	if !strings.HasPrefix(token, tokenPrefix) || len(token) > 100 {
		return actor.Actor{}, errNoSuchToken
	}
	type row struct {
		CredentialID uuid.UUID
		TenantID     uuid.UUID
		Name         string
		Rights       []string
	}
	var found *row
	if err := Sessions(c).one(ctx, "FindCredential", pgx.StrictNamedArgs{"token": hashed(token)}, collectMaybe(&found)); err != nil {
		return actor.Actor{}, err
	}
	if found == nil {
		return actor.Actor{}, errNoSuchToken
	}
	by := actor.Actor{
		UserID: found.CredentialID, Tenant: found.TenantID, Issuer: "gatehouse", Subject: "credential:" + found.CredentialID.String(),
		Name: found.Name, Rights: []actor.Right{}, Origin: origin, IP: ip,
	}
	for _, name := range found.Rights {
		if right, ok := actor.ParseRight(name); ok {
			by.Rights = append(by.Rights, right)
		}
	}
	var tenant tenantRow
	err := c.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("TenantHere"), pgx.StrictNamedArgs{"tenant": found.TenantID}).Query(collectOne(&tenant))
	})
	if err != nil {
		return actor.Actor{}, err
	}
	by.TenantCode, by.TenantName, by.Operator = tenant.TenantCode, tenant.TenantName, tenant.IsOperator
	return by, nil
}

// Credential is a machine credential without its secret.
type Credential struct {
	ID        uuid.UUID
	Name      string
	Rights    []actor.Right
	CreatedBy string
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt *time.Time
}

// LongestCredential is how long a credential may be good: one that is never made anew is one that nobody looks after.
const LongestCredential = 366 * 24 * time.Hour

// longestName of a credential, in characters.
const longestName = 100

// Create makes a credential in the actor's tenant and gives its token, which is never shown again. Nobody can give a
// machine a right that they do not hold themselves; Gatehouse's own set-up (actor.System in that tenant) can.
func (c Credentials) Create(ctx context.Context, by actor.Actor, name string, rights []actor.Right, lifetime time.Duration) (string, Credential, error) {
	names := make([]string, len(rights))
	for i, r := range rights {
		if _, known := actor.ParseRight(string(r)); !known {
			return "", Credential{}, fault.New(fault.Invalid, "There is no right named %q.", short(string(r)))
		}
		if !r.ForMachines() {
			return "", Credential{}, fault.New(fault.Invalid, "The right %s is a person's; no machine can be given it.", r)
		}
		if by.Issuer != "gatehouse" && !by.Can(r) || by.Rights != nil && !slices.Contains(by.Rights, r) {
			return "", Credential{}, fault.New(fault.Forbidden, "You do not hold the right %s and so cannot give it away.", r)
		}
		names[i] = string(r)
	}
	switch {
	case strings.TrimSpace(name) == "" || len(rights) == 0 || lifetime <= 0:
		return "", Credential{}, fault.New(fault.Invalid, "A credential needs a name, at least one right and a lifetime.")
	case utf8.RuneCountInString(name) > longestName:
		return "", Credential{}, fault.New(fault.Invalid, "The name of a credential has at most %d characters.", longestName)
	case lifetime > LongestCredential:
		return "", Credential{}, fault.New(fault.Invalid, "A credential is good for a year at most. Make a new one then, and revoke the old.")
	}
	token, err := newToken()
	if err != nil {
		return "", Credential{}, err
	}
	type row struct {
		CredentialID uuid.UUID
		ExpiresAt    time.Time
	}
	var made row
	err = c.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql("AddCredential"), pgx.StrictNamedArgs{
			"token": hashed(token), "tenant": by.Tenant, "name": name, "rights": names, "created_by": by.Name, "lifetime_seconds": lifetime.Seconds(),
		})
		if err != nil {
			return err
		}
		if made, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[row]); err != nil {
			return err
		}
		return record(ctx, tx, by, audit.Event{
			Action: "credential:create", ObjectKind: "credential", ObjectID: made.CredentialID.String(),
			After: map[string]any{"name": name, "rights": names, "expires_at": made.ExpiresAt},
		})
	})
	if err != nil {
		return "", Credential{}, err
	}
	return token, Credential{ID: made.CredentialID, Name: name, Rights: rights, CreatedBy: by.Name, ExpiresAt: made.ExpiresAt}, nil
}

// Revoke ends a credential of the actor's tenant at once.
func (c Credentials) Revoke(ctx context.Context, by actor.Actor, id uuid.UUID) error {
	return c.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql("RevokeCredential"), pgx.StrictNamedArgs{"credential": id, "tenant": by.Tenant})
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.NotFound, "There is no such credential, or it was revoked already.")
		}
		return record(ctx, tx, by, audit.Event{Action: "credential:revoke", ObjectKind: "credential", ObjectID: id.String()})
	})
}

// List gives the credentials of the actor's tenant, newest first.
func (c Credentials) List(ctx context.Context, by actor.Actor) ([]Credential, error) {
	type row struct {
		CredentialID         uuid.UUID
		Name                 string
		Rights               []string
		CreatedBy            string
		CreatedAt, ExpiresAt time.Time
		RevokedAt            *time.Time
	}
	var rows []row
	if err := Sessions(c).one(ctx, "CredentialsOfTenant", pgx.StrictNamedArgs{"tenant": by.Tenant}, collect(&rows)); err != nil {
		return nil, err
	}
	list := make([]Credential, len(rows))
	for i, r := range rows {
		list[i] = Credential{ID: r.CredentialID, Name: r.Name, CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, RevokedAt: r.RevokedAt}
		for _, name := range r.Rights {
			list[i].Rights = append(list[i].Rights, actor.Right(name))
		}
	}
	return list, nil
}

func newToken() (string, error) {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("making a token: %w", err)
	}
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:]), nil
}

func firstFilled(texts ...string) string {
	for _, s := range texts {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

// short bounds a text from outside before it becomes part of a sentence.
func short(s string) string {
	runes := []rune(s)
	if len(runes) > 80 {
		return string(runes[:80]) + "…"
	}
	return s
}
