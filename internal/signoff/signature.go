package signoff

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// GateID names a gate of a template, as "go_no_go".
type GateID string

// The gates of the requirement.
const (
	GoNoGo GateID = "go_no_go"
	Final  GateID = "final"
)

// SlotID names a slot of a gate, as "qa".
type SlotID string

// Meaning is what a person says with a signature.
type Meaning string

// The meanings.
const (
	Reviewed  Meaning = "reviewed"
	Approved  Meaning = "approved"
	Executed  Meaning = "executed"
	Witnessed Meaning = "witnessed"
)

// ParseMeaning reads a meaning; false where there is no such one.
func ParseMeaning(s string) (Meaning, bool) {
	switch m := Meaning(s); m {
	case Reviewed, Approved, Executed, Witnessed:
		return m, true
	}
	return "", false
}

// Slot is one role's place in a gate, as it was frozen when the release was started.
type Slot struct {
	ID        SlotID
	Role      actor.Role
	Required  bool
	SignsLast bool
	AsksScore bool
	Meanings  []Meaning
	// Statement is what the person declares, word by word.
	Statement string
	// DeputiesFrom is from when on a deputy of the role may sign here; zero where none ever may.
	DeputiesFrom time.Time
}

// Score is a QA score in tenths: 95 is 9.5 of 10.
type Score int

// ParseScore reads "9.5": 0 to 10, at most one digit after the point.
func ParseScore(s string) (Score, error) {
	refusal := fault.New(fault.Invalid, "The score is a number from 0 to 10 with at most one digit after the point, like 9.5.")
	whole, tenth, has := strings.Cut(s, ".")
	if len(whole) == 0 || len(whole) > 2 || (has && len(tenth) != 1) || strings.Trim(whole+tenth, "0123456789") != "" {
		return 0, refusal
	}
	n, err := strconv.Atoi(whole + (tenth + "0")[:1])
	if err != nil || n > 100 {
		return 0, refusal
	}
	return Score(n), nil
}

// String is the score as people write it: "9.5".
func (s Score) String() string { return strconv.Itoa(int(s)/10) + "." + strconv.Itoa(int(s)%10) }

// State says whether a signature counts.
type State string

// The states of a signature.
const (
	Standing  State = "standing"  // it counts
	Void      State = "void"      // what was signed is no longer what is there
	Withdrawn State = "withdrawn" // taken back by who gave it
	Denied    State = "denied"    // given by break-glass, and refused in its review
)

// Withdrawal is a signature taken back.
type Withdrawal struct {
	Reason string
	By     string
	At     time.Time
}

// Signature is one signature, as stored.
type Signature struct {
	ID            uuid.UUID
	Run           uuid.UUID
	Gate          GateID
	Slot          SlotID
	Role          actor.Role
	Meaning       Meaning
	Statement     string
	Score         *Score // nil where the slot asks for none
	Note          string
	Content       string // what was signed, byte by byte
	ContentSHA256 string
	// Intact says that the stored content still has the stored hash.
	Intact bool

	Issuer, Subject, Name string
	AuthTime              time.Time
	ACR                   string
	SignedAt              time.Time
	Withdrawn             *Withdrawal
	// Glass is what it rests on where it was given by break-glass; nil for a fresh sign-in.
	Glass *Glass
	// Deputy says by what right it was given in another's place; nil where the person held the role.
	Deputy *AsDeputy
}

// State judges the signature against the hash of the gate's content as it is now.
func (s Signature) State(sha256 string) State {
	switch {
	case s.Glass != nil && s.Glass.Review != nil && s.Glass.Review.Verdict == Refused:
		return Denied
	case s.Withdrawn != nil:
		return Withdrawn
	case s.ContentSHA256 != sha256 || !s.Intact:
		return Void
	}
	return Standing
}

// By says whether it is that person's.
func (s Signature) By(a actor.Actor) bool { return a.SamePerson(s.Issuer, s.Subject) }
