package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Sessions keeps sign-ins. They are found before any tenant is known, so its statements stand outside tenant
// transactions and each names what it is about: a token's hash, or a person with their tenant.
type Sessions struct{ DB *DB }

// one runs a single statement in a single round trip.
func (s Sessions) one(ctx context.Context, name string, args pgx.StrictNamedArgs, read func(pgx.Rows) error) error {
	rows, err := s.DB.pool.Query(ctx, sql(name), args)
	if err != nil {
		return translate(err)
	}
	return translate(read(rows))
}

func (s Sessions) exec(ctx context.Context, name string, args pgx.StrictNamedArgs) (int64, error) {
	tag, err := s.DB.pool.Exec(ctx, sql(name), args)
	return tag.RowsAffected(), translate(err)
}

// Find gives the session unless it is over by the database's clock.
func (s Sessions) Find(ctx context.Context, tokenHash string, idle time.Duration) (actor.Session, bool, error) {
	type row struct {
		SessionID     uuid.UUID
		Data          []byte
		Alarm         string
		Seq           int64
		SealNumber    *int64
		SealSeq       *int64
		SealHash      *string
		SealedAt      *time.Time
		SealKey       *string
		SealSignature []byte
	}
	var found *row
	err := s.one(ctx, "FindSession", pgx.StrictNamedArgs{"token": tokenHash, "idle_seconds": idle.Seconds()}, collectMaybe(&found))
	if err != nil || found == nil {
		return actor.Session{}, false, err
	}
	session := actor.Session{ID: found.SessionID, Data: found.Data, Alarm: found.Alarm, Seq: found.Seq}
	if found.SealNumber != nil {
		session.Seal = actor.Seal{
			Number: *found.SealNumber, Entry: *found.SealSeq, Hash: *found.SealHash, At: found.SealedAt.UTC(),
			Key: *found.SealKey, Signature: hex.EncodeToString(found.SealSignature),
		}
	}
	return session, true, nil
}

// Live says whether the session is there still, and does not count as use of it.
func (s Sessions) Live(ctx context.Context, tokenHash string, idle time.Duration) (bool, error) {
	var is struct{ Live bool }
	err := s.one(ctx, "SessionIsLive", pgx.StrictNamedArgs{"token": tokenHash, "idle_seconds": idle.Seconds()}, collectOne(&is))
	return is.Live, err
}

// FormerPerson says whose session that was, over or not.
func (s Sessions) FormerPerson(ctx context.Context, tokenHash string) (uuid.UUID, bool, error) {
	type row struct{ PersonID uuid.UUID }
	var found *row
	err := s.one(ctx, "FormerPerson", pgx.StrictNamedArgs{"token": tokenHash}, collectMaybe(&found))
	if err != nil || found == nil {
		return uuid.Nil, false, err
	}
	return found.PersonID, true, nil
}

// Add stores a new session that ends after lifetime.
func (s Sessions) Add(ctx context.Context, tokenHash string, n actor.Session, lifetime time.Duration) error {
	_, err := s.exec(ctx, "AddSession", pgx.StrictNamedArgs{
		"token": tokenHash, "tenant": orNull(n.Tenant), "person": orNull(n.Person), "provider_session": n.ProviderSession,
		"data": n.Data, "ip": n.IP, "agent": n.Agent, "lifetime_seconds": lifetime.Seconds(),
	})
	return err
}

// Change replaces the data of a session that is still there.
func (s Sessions) Change(ctx context.Context, tokenHash string, n actor.Session) error {
	_, err := s.exec(ctx, "ChangeSession", pgx.StrictNamedArgs{"token": tokenHash, "data": n.Data})
	return err
}

// End removes the session.
func (s Sessions) End(ctx context.Context, tokenHash string) error {
	_, err := s.exec(ctx, "EndSession", pgx.StrictNamedArgs{"token": tokenHash})
	return err
}

// EndByProvider removes every session that began with the provider's session id.
func (s Sessions) EndByProvider(ctx context.Context, providerSession string) (int, error) {
	n, err := s.exec(ctx, "EndProviderSessions", pgx.StrictNamedArgs{"provider_session": providerSession})
	return int(n), err
}

// Own lists the sessions of the actor, latest use first.
func (s Sessions) Own(ctx context.Context, by actor.Actor, idle time.Duration) ([]actor.Session, error) {
	type row struct {
		SessionID                        uuid.UUID
		IP                               string
		Agent                            string
		CreatedAt, LastSeenAt, ExpiresAt time.Time
	}
	var rows []row
	err := s.one(ctx, "SessionsOfPerson", pgx.StrictNamedArgs{
		"person": by.UserID, "tenant": by.Tenant, "idle_seconds": idle.Seconds(),
	}, collect(&rows))
	if err != nil {
		return nil, err
	}
	list := make([]actor.Session, len(rows))
	for i, r := range rows {
		list[i] = actor.Session{
			ID: r.SessionID, Tenant: by.Tenant, Person: by.UserID, IP: r.IP, Agent: r.Agent,
			CreatedAt: r.CreatedAt, LastSeenAt: r.LastSeenAt, ExpiresAt: r.ExpiresAt,
		}
	}
	return list, nil
}

// EndOwn ends one of the actor's own sessions; anybody else's is not found.
func (s Sessions) EndOwn(ctx context.Context, by actor.Actor, id uuid.UUID) error {
	return s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql("EndSessionOfPerson"), pgx.StrictNamedArgs{"session": id, "person": by.UserID, "tenant": by.Tenant})
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.NotFound, "There is no such thing here.")
		}
		return record(ctx, tx, by, audit.Event{Action: "session:end", ObjectKind: "session", ObjectID: id.String(), Before: sessionOpen, After: sessionOver})
	})
}

// What ending a session changes.
var sessionOpen, sessionOver = map[string]string{"session": "open"}, map[string]string{"session": "ended"}

// SignIns keeps sign-ins that have begun.
type SignIns struct{ DB *DB }

// Begin stores an attempt under the hashes of its state and browser.
func (s SignIns) Begin(ctx context.Context, a actor.SignIn, lifetime time.Duration) error {
	_, err := Sessions(s).exec(ctx, "BeginSignIn", pgx.StrictNamedArgs{
		"state": hashed(a.State), "browser": hashed(a.Browser), "nonce": a.Nonce, "verifier": a.Verifier, "return_to": a.ReturnTo,
		"expect_issuer": a.ExpectIssuer, "expect_subject": a.ExpectSubject, "anew": a.Anew, "lifetime_seconds": lifetime.Seconds(),
	})
	return err
}

// Take removes and returns the attempt of this state in this browser.
func (s SignIns) Take(ctx context.Context, state, browser string) (actor.SignIn, bool, error) {
	type row struct {
		Nonce, Verifier, ReturnTo, ExpectIssuer, ExpectSubject string
		Anew                                                   bool
	}
	var found *row
	err := Sessions(s).one(ctx, "TakeSignIn", pgx.StrictNamedArgs{"state": hashed(state), "browser": hashed(browser)}, collectMaybe(&found))
	if err != nil || found == nil {
		return actor.SignIn{}, false, err
	}
	return actor.SignIn{
		State: state, Browser: browser, Nonce: found.Nonce, Verifier: found.Verifier, ReturnTo: found.ReturnTo,
		ExpectIssuer: found.ExpectIssuer, ExpectSubject: found.ExpectSubject, Anew: found.Anew,
	}, true, nil
}

// Knocks counts who comes how often, for all processes together.
type Knocks struct{ DB *DB }

// Knock notes that the key came once more, and says how often it has within this minute. Only the key's hash is kept.
func (k Knocks) Knock(ctx context.Context, key string) (int, error) {
	var counted struct{ Times int }
	err := Sessions(k).one(ctx, "Knock", pgx.StrictNamedArgs{"key": hashed(key)}, collectOne(&counted))
	return counted.Times, err
}

func hashed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func orNull(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
