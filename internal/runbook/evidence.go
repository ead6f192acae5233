package runbook

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Kind is what an item asks for before it may be done.
type Kind string

// The kinds of evidence.
const (
	Text      Kind = "text"
	Number    Kind = "number"
	Link      Kind = "link"
	Statement Kind = "statement"
	FileKind  Kind = "file" // a file; the evidence holds its hash
	Auto      Kind = "auto" // a check of the system; nobody can tick it by hand
)

// Evidence is one piece of evidence, as stored.
type Evidence struct {
	Number  int
	Kind    Kind
	Value   string
	Note    string
	Summary string // what a check says it found; of a file, its name and size
	Query   string // what a check asked
	Passed  bool
	SHA256  string
	// Intact says that value, note, summary and query still have the hash they were stored with.
	Intact  bool
	By      Person
	AddedAt time.Time
}

// Asks is what an item asks for, as its template says.
type Asks struct {
	Kind  Kind   `json:"kind"`
	Label string `json:"label,omitempty"`
	// Min, Max and Unit bound a number; decimals as text, because they are exact.
	Min  string `json:"min,omitempty"`
	Max  string `json:"max,omitempty"`
	Unit string `json:"unit,omitempty"`
	// Decimals is how many digits may follow the point; nil for any number of them.
	Decimals *int32 `json:"decimals,omitempty"`
	// Statement is what a person declares, word by word.
	Statement string `json:"statement,omitempty"`
	// Check names the check that fills an item of kind auto.
	Check string `json:"check,omitempty"`
}

// The limits of what a person may type as evidence.
const (
	maxText = 8000
	maxLink = 2000
	maxNote = 2000
)

// accept reads what a person typed, or says what is wrong with it. field is the form's name for it.
func (a Asks) accept(value, note string) (Evidence, error) {
	value, note = strings.TrimSpace(value), strings.TrimSpace(note)
	field := "evidence_" + string(a.Kind)
	var complaint string
	switch a.Kind {
	case Text:
		complaint = checkText(value)
	case Number:
		complaint = a.checkNumber(value)
	case Link:
		complaint = checkLink(value)
	case Statement:
		if value != a.Statement {
			complaint = "Confirm the statement as it stands here, word by word."
		}
	case FileKind:
		if !sha256Form.MatchString(value) {
			field, complaint = FileField, "Choose a file, or one of those that are attached."
		}
	case Auto:
		return Evidence{}, fault.New(fault.Conflict, "The system fills this item itself, and nobody can tick it by hand. Run its check.")
	}
	refusal := fault.New(fault.Invalid, "The evidence cannot be taken as it is. Nothing was changed.")
	if complaint == "" {
		complaint = unstorable(value)
	}
	if complaint != "" {
		refusal = refusal.WithField(field, complaint)
	}
	if problem := unstorable(note); problem != "" {
		refusal = refusal.WithField("note", problem)
	} else if utf8.RuneCountInString(note) > maxNote {
		refusal = refusal.WithField("note", fmt.Sprintf("At most %d characters, please.", maxNote))
	}
	if refusal.Fields != nil {
		return Evidence{}, refusal
	}
	return Evidence{Kind: a.Kind, Value: value, Note: note, Passed: true}, nil
}

func unstorable(s string) string {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return "The text holds characters that cannot be stored. Remove them."
	}
	return ""
}

func checkText(s string) string {
	switch n := utf8.RuneCountInString(s); {
	case n < 3:
		return "Evidence is needed: say what you saw, in a few words."
	case n > maxText:
		return fmt.Sprintf("At most %d characters, please; these are %d. A link can hold more.", maxText, n)
	}
	return ""
}

func checkLink(s string) string {
	if s == "" {
		return "A link is needed, like https://example.com/report."
	}
	if len(s) > maxLink {
		return fmt.Sprintf("At most %d characters, please.", maxLink)
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || strings.ContainsFunc(s, blankOrControl) {
		return "This is not an address that begins with https:// or http:// and names a host."
	}
	if u.User != nil {
		return "The address holds a user name or a password. Everybody who may read this release would see it; leave it out."
	}
	return ""
}

func blankOrControl(r rune) bool { return r <= ' ' || r == 0x7f }

func (a Asks) checkNumber(s string) string {
	if s == "" {
		return "A number is needed."
	}
	if strings.Contains(s, ",") {
		return "Write the number with a point and without separators, like 1234.5."
	}
	n, ok := parseNumber(s)
	if !ok {
		return "This is not a plain number, like 42 or 9.5."
	}
	if least, ok := parseNumber(a.Min); ok && n.LessThan(least) {
		return fmt.Sprintf("At least %s%s is asked for. If it is really less, the item has failed: press “It failed”.", a.Min, withUnit(a.Unit))
	}
	if most, ok := parseNumber(a.Max); ok && n.GreaterThan(most) {
		return fmt.Sprintf("At most %s%s is asked for. If it is really more, the item has failed: press “It failed”.", a.Max, withUnit(a.Unit))
	}
	if a.Decimals != nil && -n.Exponent() > *a.Decimals {
		return fmt.Sprintf("Too many digits after the point: at most %d here.", *a.Decimals)
	}
	return ""
}

func withUnit(unit string) string {
	if unit == "" {
		return ""
	}
	return " " + unit
}

// parseNumber reads digits with at most one point and a leading minus. NaN, infinities and exponents are no numbers here.
func parseNumber(s string) (decimal.Decimal, bool) {
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, has := strings.Cut(digits, ".")
	if whole == "" || (has && fraction == "") || len(s) > 30 || strings.Trim(whole+fraction, "0123456789") != "" {
		return decimal.Zero, false
	}
	n, err := decimal.NewFromString(s)
	return n, err == nil
}

// hash is what the database hashes the evidence to (gatehouse.evidence_sha256).
func (e Evidence) hash() string {
	return audit.HashOf("gatehouse-evidence-1", string(e.Kind), e.Value, e.Note, e.Summary, e.Query)
}
