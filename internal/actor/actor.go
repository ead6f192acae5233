package actor

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// Origin is the way in through which somebody acts.
type Origin string

// The ways in.
const (
	Web    Origin = "web"
	CLI    Origin = "cli"
	API    Origin = "api"
	Worker Origin = "worker"
)

// Identity is what an identity provider proved in one sign-in.
type Identity struct {
	Issuer, Subject string
	Name, Email     string
	// Tenant is the code in the tenant claim; empty where the token has none.
	Tenant string
	// Roles are the entries of the role claim that Gatehouse knows.
	Roles []Role
	// UnknownRoles are the entries of the role claim that Gatehouse does not know, for the page that explains.
	UnknownRoles []string
	// AuthTime is when the person proved who they are, by the provider's clock; zero where the token does not say.
	AuthTime time.Time
	// ACR is the authentication context class, where the provider gives one.
	ACR string
	// ProviderSession is the provider's session id (claim sid), for back-channel logout.
	ProviderSession string
	// IDToken is kept for sign-out at the provider (id_token_hint).
	IDToken string
}

// Actor is a person or machine that acts in one tenant.
type Actor struct {
	UserID          uuid.UUID
	Tenant          uuid.UUID
	TenantCode      string
	TenantName      string
	Operator        bool // the tenant that operates this environment; only its people may change the schema
	Issuer, Subject string
	Name            string
	Roles           []Role
	// Rights narrows what a machine credential may do; nil means whatever the roles carry.
	Rights   []Right
	AuthTime time.Time
	ACR      string
	Origin   Origin
	IP       string
	// Session identifies the sign-in without being its secret.
	Session string
}

// SystemTenant is the tenant of acts that belong to no tenant: set-up, refused sign-ins, the scheduler.
var SystemTenant = uuid.Nil

// System is Gatehouse itself, acting through origin; what names the part that acts, as it shall stand in the audit trail.
func System(origin Origin, what string) Actor {
	return Actor{Tenant: SystemTenant, TenantCode: "system", Issuer: "gatehouse", Subject: what, Name: "Gatehouse " + what, Origin: origin}
}

// SignedIn says whether the actor is somebody at all.
func (a Actor) SignedIn() bool { return a.Subject != "" }

// Has says whether the actor holds the role.
func (a Actor) Has(role Role) bool { return slices.Contains(a.Roles, role) }

// Can says whether one of the actor's roles carries the right, or the machine credential names it.
func (a Actor) Can(right Right) bool {
	if a.Rights != nil {
		return slices.Contains(a.Rights, right)
	}
	for _, role := range a.Roles {
		if slices.Contains(rightsOf[role], right) {
			return true
		}
	}
	return false
}

// Demand is nil where the actor Can do it; otherwise the fault.Forbidden that names the right and whose it is.
func (a Actor) Demand(right Right) error {
	if a.Can(right) {
		return nil
	}
	var who []string
	for _, role := range RolesWith(right) {
		who = append(who, role.Title())
	}
	return fault.New(fault.Forbidden, "Your roles do not include this (%s). It can be done by: %s.", right, strings.Join(who, ", "))
}

// FreshFor is how old the sign-in behind a signature or another act that needs proof may be, and Leeway how far ahead of
// ours the provider's clock may be.
const (
	FreshFor = 5 * time.Minute
	Leeway   = time.Minute
)

// SamePerson says whether both acts are by one human: the same subject at the same issuer.
func (a Actor) SamePerson(issuer, subject string) bool {
	return a.Issuer == issuer && a.Subject == subject
}

type contextKey struct{}

// Into puts the actor into the context of a request or job.
func Into(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, contextKey{}, a)
}

// From is the actor of the context; the zero Actor where nobody is signed in.
func From(ctx context.Context) Actor {
	a, _ := ctx.Value(contextKey{}).(Actor)
	return a
}
