package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// BreakGlassView is where two people sign while the identity provider is away.
type BreakGlassView struct {
	layouts.Shell
	Provider    string
	GateName    string
	GateHref    string
	LoginHref   string // a fresh sign-in, for when the provider answers
	Refused     string // why this person cannot sign here this way
	Place       string // of the gate, in which they would sign
	Answers     string // that somebody answered when the server asked
	Away        bool   // the server has met the provider's absence lately
	Since       components.Time
	LastTry     components.Time
	Failure     string // of the last attempt, in its own words
	MeetAction  string // where the server asks the provider
	Proven      components.Time
	Sections    []ContentSection
	SHA256      string
	ContentHref string
	Sign        SignForm
	Complaints  components.Complaints
	Typed       []components.Fact
}

// ReviewForm is the review of a signature by break-glass. It posts verdict, review_reason and key.
type ReviewForm struct {
	Action    string // empty: not offered
	Key       string
	Verdicts  []components.Option
	Reason    string
	FreshHref string // where to sign in again first, when the sign-in is not fresh enough
	Refused   string // why this person cannot give it
	WhoCan    []string
}
