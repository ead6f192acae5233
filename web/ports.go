package web

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
)

// Sessions keeps sign-ins by the SHA-256 of their secret. A store that cannot answer returns a fault of kind
// Unavailable; "not found" is said with false, never with an error.
type Sessions interface {
	// Find gives the session unless it is over, by the database's clock: idle for longer than idle, or past its end.
	Find(ctx context.Context, tokenHash string, idle time.Duration) (actor.Session, bool, error)
	// Live says whether Find would give the session, and does not count as use of it.
	Live(ctx context.Context, tokenHash string, idle time.Duration) (bool, error)
	// FormerPerson says whose session that was, also when it is over but not yet swept away.
	FormerPerson(ctx context.Context, tokenHash string) (uuid.UUID, bool, error)
	// Add stores a new session that ends after lifetime.
	Add(ctx context.Context, tokenHash string, s actor.Session, lifetime time.Duration) error
	// Change replaces the data of a session that is still there; one that was ended meanwhile stays ended.
	Change(ctx context.Context, tokenHash string, s actor.Session) error
	// End removes the session; one that is not there is no error.
	End(ctx context.Context, tokenHash string) error
	// EndByProvider removes every session that began with the provider's session id, and says how many.
	EndByProvider(ctx context.Context, providerSession string) (int, error)
}

// Attempts keeps sign-ins that have begun.
type Attempts interface {
	// Begin stores an attempt that is good for lifetime, and sweeps old ones away.
	Begin(ctx context.Context, s actor.SignIn, lifetime time.Duration) error
	// Take removes and returns the attempt of this state in this browser; false where there is none, or no longer.
	Take(ctx context.Context, state, browser string) (actor.SignIn, bool, error)
}

// People knows who may sign in.
type People interface {
	// SignIn finds the tenant, writes the person down with the roles of this sign-in, and gives the actor.
	// It refuses (Forbidden) an unknown tenant, somebody who belongs to another one, and somebody whose access ended.
	SignIn(ctx context.Context, id actor.Identity, ip string) (actor.Actor, error)
}

// Credentials knows the machines that may act.
type Credentials interface {
	// Authenticate gives the machine behind a bearer token; Unauthenticated where the token is unknown, over or revoked.
	Authenticate(ctx context.Context, token string, origin actor.Origin, ip string) (actor.Actor, error)
}

// WayBack knows the sealed halves of a way back in.
type WayBack interface {
	// Open uses up the code of the two halves, once, and gives what it opens. It refuses (Forbidden) halves that fit no code,
	// and a code that was used or is too old; by is then for the audit trail: the code's, where both halves fit one.
	Open(ctx context.Context, one, other, ip string) (opened actor.WayBack, by actor.Actor, err error)
}

// Knocks counts how often somebody came, for all processes together.
type Knocks interface {
	// Knock notes that the key came once more, and says how often it has within this minute.
	Knock(ctx context.Context, key string) (int, error)
}

// IdentityProvider proves who somebody is. What it refuses is a fault whose message the person may read.
type IdentityProvider interface {
	// Name is what people call the provider.
	Name() string
	// Begin is the address to which the browser goes; Unavailable where the provider cannot be reached.
	Begin(ctx context.Context, s actor.SignIn) (string, error)
	// Finish exchanges the code and proves the identity; it compares what s says with what the provider says.
	Finish(ctx context.Context, code string, s actor.SignIn) (actor.Identity, error)
	// SignOut is the address at which the person signs out at the provider too; empty where it offers none.
	SignOut(ctx context.Context, idToken string) string
	// LoggedOut checks a back-channel logout token and gives the provider session that has ended.
	LoggedOut(ctx context.Context, logoutToken string) (providerSession string, err error)
}

// Waiting says how much somebody can do now. seq is the last entry of their tenant's audit trail as the request found it.
type Waiting interface {
	Count(ctx context.Context, by actor.Actor, seq int64) (int, error)
}

// Recorder writes refusals into the audit trail.
type Recorder interface {
	Record(ctx context.Context, by actor.Actor, e audit.Event) error
}

// Meter counts what a request asks of the database; nil counts nothing.
type Meter func(ctx context.Context) (context.Context, func() (statements, trips int64))
