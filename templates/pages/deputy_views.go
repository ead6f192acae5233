package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// DeputyRow is a line of the roster.
type DeputyRow struct {
	ID, Role, Name string
	State          components.State // from a day on, in force, over, revoked
	From, Until    string           // days
	Reason         string
	NamedBy        string
	NamedAt        components.Time
	Revoked        string // by whom, when and why; empty while it is not
	Revoke         string // POST; empty: not offered
	RevokeReason   string // what was typed
	Complaints     components.Complaints
}

// DeputyForm names a deputy. It posts role, person, from, until, reason and key.
type DeputyForm struct {
	Action              string // empty: not offered
	Key                 string
	Roles, People       []components.Option
	From, Until, Reason string
	FreshHref           string // where to sign in again first, when the sign-in is not fresh enough
	Nobody              string // why there is nobody to choose
}

// DeputiesView is the roster of deputies.
type DeputiesView struct {
	layouts.Shell
	Rows       []DeputyRow
	Form       DeputyForm
	WhyNot     string // why this person names nobody
	WhoCan     []string
	Complaints components.Complaints
	Typed      []components.Fact
	Pager      components.Pager
}
