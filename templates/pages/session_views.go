package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// SignInView is the page of someone nobody knows yet.
type SignInView struct {
	layouts.Shell
	Provider  string // the identity provider's name: "Rivermark ID"
	LoginHref string // GET /login?return=...
	Returning string // where signing in leads back to, in words; may be empty
	Away      string // why signing in is not possible right now; empty when it is
	Refused   string // why the last attempt was refused; empty when it was not
	// WayBackHref is the door for two sealed halves, shown where the provider lets nobody in.
	WayBackHref string
}

// SignedOutView says what signing out ended, and what it did not.
type SignedOutView struct {
	layouts.Shell
	Provider           string
	LoginHref          string
	ProviderStillOpen  bool   // the session at the provider could not be ended from here
	ProviderLogoutHref string // where to end it by hand, when known
}

// RoleGrant is one role of a person, with where it comes from and what it lets them do.
type RoleGrant struct {
	Code, Role string // "qa_lead", "QA lead"
	Why        string // "from the claim roles of Rivermark ID"
	Allows     string // "sign for QA at both gates; mark QA items done"
}

// SessionRow is one of the person's sessions.
type SessionRow struct {
	ID       string
	Current  bool
	Browser  string
	Address  string
	Started  components.Time
	LastSeen components.Time
	Ends     components.Time
	EndHref  string // POST
}

// MeView is what Gatehouse knows about the person who asks.
type MeView struct {
	layouts.Shell
	Name            string
	Issuer, Subject string
	TenantName      string
	TenantID        string
	Grants          []RoleGrant
	Ignored         []string // claim values that mean nothing here
	AskWhom         string   // who gives roles, shown when there are none
	SignedIn        components.Time
	Proven          components.Time // auth_time: when the provider last saw the person prove who they are
	SignsUntil      components.Time // until when a signature needs no fresh sign-in; zero when it does
	FreshHref       string          // GET /login?fresh=1&return=/me
	Sessions        []SessionRow
}

// FreshSignInView answers an act that needs a sign-in younger than the one the
// person has. Nothing was done; what was typed is shown and goes back with them.
type FreshSignInView struct {
	layouts.Shell
	Doing     string // "sign as QA lead: go for T-0 on demo"
	Why       string
	Limit     string // "5 minutes"
	Proven    components.Time
	Provider  string
	LoginHref string // GET /login?fresh=1&return=...
	BackHref  string
	BackLabel string
	Typed     []components.Fact
	Kept      bool // the form will be filled again after signing in
}

// SwitchUserView hands a shared browser to the next person. It goes on by itself; the link is for browsers that do not.
type SwitchUserView struct {
	layouts.Shell
	Provider   string
	NextHref   string
	AtProvider bool   // the next step ends the session at the provider
	AgainHref  string // the sign-in itself, where the provider's own sign-out goes nowhere
}

// WayBackView is the form for the two sealed halves of a code.
type WayBackView struct {
	layouts.Shell
	Provider   string
	Action     string // POST
	LoginHref  string
	Refused    string
	Complaints map[string]string // by field
}

// ClaimsView is what Gatehouse makes of pasted claims. Judged says whether there is anything to say yet.
type ClaimsView struct {
	layouts.Shell
	Action     string // POST
	Typed      string
	Complaints components.Complaints
	Judged     bool
	Outcome    components.Tone // good: may sign in; bad: may not
	Verdict    string
	Name       string
	Subject    string
	Email      string
	Tenant     string
	TenantWhy  string
	RoleClaim  string // where the roles were looked for
	Shape      string // what is wrong with the role claim as a whole
	Entries    []ClaimEntry
	More       int // entries that are not listed
	Grants     []RoleGrant
	Notes      []string
}

// ClaimEntry is one entry of the role claim.
type ClaimEntry struct {
	Text    string
	Tone    components.Tone
	Word    string // "counts", "does not count"
	Because string
}
