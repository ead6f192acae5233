package change

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Moment is how a release stands to its window and to the freezes, by the database's clock.
type Moment struct {
	At           time.Time
	Starts, Ends time.Time
	SetBy        string // who set the window; empty where it follows from T-0
	// The freeze that holds or, where none does, the next one; zero where there is none.
	FreezeFrom, FreezeUntil time.Time
	FreezeReason            string
	// Until when two people have overridden it; zero where they have not.
	WindowPassed, FreezePassed, ProofPassed time.Time
	// Refusal is the sentence with which every door refuses now; empty where a change may be made.
	Refusal string
}

// within says whether the moment lies in the window, which begins with its start and is over at its end.
func (m Moment) within() bool { return !m.At.Before(m.Starts) && m.At.Before(m.Ends) }

// Frozen says whether a freeze holds.
func (m Moment) Frozen() bool { return !m.FreezeFrom.IsZero() && !m.At.Before(m.FreezeFrom) }

const stamp = "2 Jan 15:04 MST"

// Banner says what people should know ahead of and during a window or a freeze; empty where that is nothing. calm says
// that it is no warning.
func (m Moment) Banner(zone *time.Location) (text string, calm bool) {
	if m.Starts.IsZero() {
		return "", true
	}
	at := func(t time.Time) string { return t.In(zone).Format(stamp) }
	var parts []string
	calm = m.Refusal == ""
	switch {
	case m.Refusal != "":
		parts = append(parts, m.Refusal)
	case m.within():
		parts = append(parts, fmt.Sprintf("The change window is open until %s.", at(m.Ends)))
	}
	if m.Refusal == "" && !m.FreezeFrom.IsZero() && !m.Frozen() {
		parts = append(parts, fmt.Sprintf("A freeze begins on %s and ends on %s: %s", at(m.FreezeFrom), at(m.FreezeUntil), m.FreezeReason))
	}
	for _, passed := range []struct {
		what  string
		until time.Time
	}{{"the change window", m.WindowPassed}, {"the freeze", m.FreezePassed}, {"the age of the backup", m.ProofPassed}} {
		if !passed.until.IsZero() {
			parts, calm = append(parts, fmt.Sprintf("Two people have overridden %s until %s.", passed.what, at(passed.until))), false
		}
	}
	return strings.Join(parts, " "), calm
}

// Kind is what an override overrides.
type Kind string

// The kinds.
const (
	Window Kind = "window"
	Frost  Kind = "freeze"
	Proof  Kind = "proof"
)

// Words say what a kind means.
func (k Kind) Words() string {
	switch k {
	case Window:
		return "Outside the change window"
	case Frost:
		return "In a freeze"
	case Proof:
		return "With a backup that is too old or was never restored"
	}
	return string(k)
}

// Override is asked for by one person and counts once a second one has put their name to it, until it expires.
type Override struct {
	ID             uuid.UUID
	Kind           Kind
	Reason         string
	By             string
	Issuer         string
	Subject        string
	AskedAt        time.Time
	ExpiresAt      time.Time
	SecondBy       string // empty while nobody has
	SecondedAt     time.Time
	ExpiredAlready bool
}

// Token is a one-time token of the command line, without itself.
type Token struct {
	ID        uuid.UUID
	Version   string
	Direction string
	By        string
	MadeAt    time.Time
	ExpiresAt time.Time
	State     string // good, used, revoked, expired, void
	Run       uuid.UUID
}

// Freeze is a time in which nothing is changed.
type Freeze struct {
	From, Until time.Time
	Reason, By  string
}

// Planned is a version that the release plans.
type Planned struct {
	Version string // 0.0.20
	Title   string
	Applied bool // by the last entry of the ledger
}

// Page is a release's window, freezes, overrides and tokens.
type Page struct {
	Release   uuid.UUID
	Code      string
	Zone      string
	Active    bool
	GateOpen  bool
	Signed    bool // a signature of go / no-go stands, so the window does not move any more
	Moment    Moment
	Freezes   []Freeze
	Overrides []Override
	Tokens    []Token
	Plan      []Planned
}
