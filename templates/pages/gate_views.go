package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// ContentSection is one part of what is signed.
type ContentSection struct {
	Title string
	Facts []components.Fact
	Rows  []ContentRow
}

// ContentRow is an item or a migration in the content that is signed.
type ContentRow struct {
	ID, Title string
	Said      string // the evidence in words: what was typed, or what a check found
	Note      string // beside the evidence
	Files     []string
	Reason    string // why it was left out, or failed
	By        string // who said it, and when
	State     components.State
	SHA256    string // of the evidence or of the file
	Href      string
}

// EarlierSignature is what someone before said at this gate.
type EarlierSignature struct {
	Role, By, Meaning string
	Identity          string // subject and issuer, for paper
	Deputy            string // by what right it was given in another's place; empty where the person held the role
	Note, Score       string
	At                components.Time
	State             components.State // valid, void, withdrawn
	Href              string
	Glass             string // that it was given by break-glass; empty for a fresh sign-in
}

// SignedTogether are signatures of the same content, and what moved since.
type SignedTogether struct {
	Signatures []EarlierSignature
	Changed    []Difference // empty where the content is still that one
}

// SignForm is the signature about to be given. It posts role, meaning, score,
// note, sha256 (the content shown) and version.
type SignForm struct {
	Action     string
	Roles      []components.Option // one or several the person may fill here
	Meanings   []components.Option
	Statement  string            // stored verbatim
	Others     []components.Link // the other places that the person could fill instead; one person fills one
	Deputy     string            // in whose place, and who said so; empty where the person holds the role
	AsksScore  bool
	Score      string
	Note       string
	Effect     string // the button: "Sign as QA lead: go for T-0 on production"
	Version    string
	FreshUntil components.Time // until when the sign-in is fresh enough
	Proven     components.Time
	FreshHref  string // where to sign in again, when it is not fresh enough
	GlassHref  string // where to sign while the provider is away
	Limit      string // "5 minutes"
}

// As is the place that the form fills.
func (f SignForm) As() string {
	if len(f.Roles) == 0 {
		return ""
	}
	return f.Roles[0].Label
}

// WithdrawForm takes one's own signature back. It posts reason and signature.
type WithdrawForm struct {
	Action    string // empty: not offered
	Signature string
	Effect    string // "Withdraw my signature as QA lead"
	Reason    string
}

// GateAttempt is an attempt at the gate that ended without passing it.
type GateAttempt struct {
	Number      string
	Kind        string // rejected, expired
	State       components.State
	By, Role    string // empty for an expiry
	At          components.Time
	Reason      string
	SHA256      string // of what the gate was about then
	ContentHref string
	HashHolds   bool
	Next        string // who opened the next attempt, when and why; empty while nobody has
	Changed     []Difference
}

// RejectForm stops the gate. It posts role, reject_reason and key.
type RejectForm struct {
	Action    string // empty: not offered
	Roles     []components.Option
	Key       string
	Says      string // what it does
	Effect    string // the button: "Reject Go / no-go on production"
	Reason    string
	FreshHref string // where to sign in again first, when the sign-in is not fresh enough
}

// ReopenForm opens the next attempt. It posts after, attempt_note and key.
type ReopenForm struct {
	Action string // empty: not offered
	After  string // the attempt that was stopped
	Key    string
	Effect string // "Open attempt 2 of Go / no-go"
	Note   string
}

// GateShowView is a gate: exactly what is signed, who has, and the form for who may.
type GateShowView struct {
	layouts.Shell
	Here         []Present // who else has it open
	Seen         string    // what the form was made from: the content and the place in the trail
	Moved        MovedPart
	Gate         components.Gate
	Code         string // the release's
	Sections     []ContentSection
	SHA256       string   // of the canonical content
	ContentHref  string   // the canonical content itself; may be empty
	Rules        []string // by which it is signed, in words
	DeputiesHref string   // the roster
	Earlier      []SignedTogether
	Blockers     []components.Link // why it is not open for signing yet
	CanSign      bool
	Sign         SignForm
	Withdraw     WithdrawForm
	Attempt      string          // "Attempt 2"; empty for the first
	Expires      components.Time // when the attempt has to have passed, while it has not
	StopTitle    string
	Stopped      string // how the attempt that is under way ended; empty while it goes on
	WhoReopens   []string
	Reopen       ReopenForm
	Reject       RejectForm
	Attempts     []GateAttempt
	Refused      string // why this person cannot sign: no slot, started the release, applied a migration
	WhoCan       []string
	Changed      []Difference // the content moved between showing and signing
	Looking      bool         // nothing was sent: the person only looks at what moved
	Complaints   components.Complaints
	Typed        []components.Fact // typed into a form that is not offered now
	LiveHref     string
}

// SignatureShowView is one signature, as it will be read in years.
type SignatureShowView struct {
	layouts.Shell
	ID              string
	Name            string
	Role, Meaning   string
	Deputy          string // by what right it was given in another's place
	Score, Note     string
	At              components.Time
	Proven          components.Time
	ACR             string // in what way identity was proven; empty where the provider does not say
	Issuer, Subject string
	Gate            components.Link
	Release         components.Link
	Statement       string
	SHA256          string
	Content         string // the canonical content as signed
	ContentHref     string // the same, byte by byte
	State           components.State
	Why             string // why it is void or withdrawn; or that it still holds
	Changed         []Difference
	HashHolds       bool   // the content stored still has the hash stored
	Glass           string // that it was given by break-glass, and what its review says; empty for a fresh sign-in
	GlassFacts      []components.Fact
	Review          ReviewForm
	Complaints      components.Complaints
	Typed           []components.Fact
}
