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
	Reason    string // why it was left out, or failed
	By        string // who said it, and when
	State     components.State
	SHA256    string // of the evidence or of the file
	Href      string
}

// EarlierSignature is what someone before said at this gate.
type EarlierSignature struct {
	Role, By, Meaning string
	Note, Score       string
	At                components.Time
	State             components.State // valid, void, withdrawn
	Href              string
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
	Statement  string // stored verbatim
	AsksScore  bool
	Score      string
	Note       string
	Effect     string // the button: "Sign as QA lead: go for T-0 on production"
	Version    string
	FreshUntil components.Time // until when the sign-in is fresh enough
	Proven     components.Time
	FreshHref  string // where to sign in again, when it is not fresh enough
	Limit      string // "5 minutes"
}

// WithdrawForm takes one's own signature back. It posts reason and signature.
type WithdrawForm struct {
	Action    string // empty: not offered
	Signature string
	Effect    string // "Withdraw my signature as QA lead"
	Reason    string
}

// GateShowView is a gate: exactly what is signed, who has, and the form for who may.
type GateShowView struct {
	layouts.Shell
	Gate        components.Gate
	Code        string // the release's
	Sections    []ContentSection
	SHA256      string // of the canonical content
	ContentHref string // the canonical content itself; may be empty
	Earlier     []SignedTogether
	Blockers    []components.Link // why it is not open for signing yet
	CanSign     bool
	Sign        SignForm
	Withdraw    WithdrawForm
	Refused     string // why this person cannot sign: no slot, started the release, applied a migration
	WhoCan      []string
	Changed     []Difference // the content moved between showing and signing
	Complaints  components.Complaints
	Typed       []components.Fact // typed into a form that is not offered now
	LiveHref    string
}

// SignatureShowView is one signature, as it will be read in years.
type SignatureShowView struct {
	layouts.Shell
	ID              string
	Name            string
	Role, Meaning   string
	Score, Note     string
	At              components.Time
	Proven          components.Time
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
	HashHolds       bool // the content stored still has the hash stored
}
