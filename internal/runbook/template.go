package runbook

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

//go:embed templates/*.v*.json
var templateFiles embed.FS

// PhaseID names a phase of a template.
type PhaseID string

// Template is a runbook as it is written down.
type Template struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Title   string `json:"title"`
	Summary string `json:"summary"`
	// Release is the code that the start form proposes, and TimeZone the site's.
	Release  string `json:"release"`
	TimeZone string `json:"time_zone"`
	// Migrations are the versions the release brings, as the ledger writes them: "0.0.20".
	Migrations      []string          `json:"migrations"`
	Phases          []PhaseSpec       `json:"phases"`
	Gates           []GateSpec        `json:"gates"`
	Rollback        []RollbackOption  `json:"rollback"`
	Troubleshooting []Troubleshooting `json:"troubleshooting"`

	// Text is the file, byte by byte, and SHA256 its hash: what a run is frozen from.
	Text   string `json:"-"`
	SHA256 string `json:"-"`
	// Imported says who brought it, where a company did.
	Imported Imported `json:"-"`
}

// PhaseSpec is a phase: items that are due together.
type PhaseSpec struct {
	ID     PhaseID `json:"id"`
	Name   string  `json:"name"`
	Offset Offset  `json:"offset"`
	// NotBefore is what an item of the phase has where it names none of its own.
	NotBefore *Offset        `json:"not_before,omitempty"`
	Gate      signoff.GateID `json:"gate"` // the gate that judges it: "go_no_go", "final" or "none"
	Items     []ItemSpec     `json:"items"`
}

// ItemSpec is one item: what to do, what to expect, how to take it back.
type ItemSpec struct {
	ID       ItemID     `json:"id"`
	Title    string     `json:"title"`
	Owner    actor.Role `json:"owner"`
	Required bool       `json:"required"`
	Offset   *Offset    `json:"offset,omitempty"` // the phase's where it is left out
	// NotBefore is when its claim can be true at the earliest; nothing where any time is right.
	NotBefore *Offset `json:"not_before,omitempty"`
	// FreshFor is how long what its check found is good for signing, "+4h"; nothing where it is good for ever.
	FreshFor *Offset  `json:"fresh_for,omitempty"`
	After    []ItemID `json:"after,omitempty"`
	Evidence Asks     `json:"evidence"`
	Do       string   `json:"do"`
	Command  string   `json:"command,omitempty"`
	Expected string   `json:"expected"`
	Undo     string   `json:"undo"`
	// UndoTestedBy is an item before it whose check tries this undo: a rehearsal goes up, down and up again.
	UndoTestedBy ItemID   `json:"undo_tested_by,omitempty"`
	See          []string `json:"see,omitempty"`    // ids of rollback options and troubleshooting entries
	Covers       []string `json:"covers,omitempty"` // ids of the requirement's lists that this item does as well
}

// GateSpec is a gate and the slots that have to sign it.
type GateSpec struct {
	ID         signoff.GateID `json:"id"`
	Name       string         `json:"name"`
	Judges     string         `json:"judges"`
	AfterPhase PhaseID        `json:"after_phase"`
	Offset     Offset         `json:"offset"`
	NotBefore  *Offset        `json:"not_before,omitempty"` // when it can be signed at the earliest
	// ExpiresAfter is how long after it is due it may still be passed, "+8h"; nothing where it never expires.
	ExpiresAfter    *Offset `json:"expires_after,omitempty"`
	AfterMigrations bool    `json:"after_migrations"`
	// MinimumEvidence is how much of what it judges has to be shown, and RequiredChecks are names of checks of which each has
	// to have found everything good at an item of it, and not too long ago.
	MinimumEvidence *MinimumEvidence `json:"minimum_evidence,omitempty"`
	RequiredChecks  []string         `json:"required_checks,omitempty"`
	// EvidenceAuthorMayNotSign says that whoever gave evidence of an item that it judges does not sign it.
	EvidenceAuthorMayNotSign bool       `json:"evidence_author_may_not_sign,omitempty"`
	Covers                   []string   `json:"covers,omitempty"`
	Slots                    []SlotSpec `json:"slots"`
}

// MinimumEvidence is how many items that a gate judges have to be done with evidence of any kind, with a file, and by a check
// of the system that found everything good. An item that was skipped counts for nothing.
type MinimumEvidence struct {
	Items  int `json:"items,omitempty"`
	Files  int `json:"files,omitempty"`
	Checks int `json:"checks,omitempty"`
}

// SlotSpec is a place at a gate.
type SlotSpec struct {
	ID        signoff.SlotID    `json:"id"`
	Role      actor.Role        `json:"role"`
	Required  bool              `json:"required"`
	SignsLast bool              `json:"signs_last,omitempty"`
	AsksScore bool              `json:"asks_score,omitempty"`
	Meanings  []signoff.Meaning `json:"meanings"`
	Statement string            `json:"statement"`
	// DeputiesAfter is how long after the gate is due a deputy of the role may sign here, "+30m"; nothing where none ever may.
	DeputiesAfter *Offset `json:"deputies_after,omitempty"`
}

// RollbackOption is a way back, as it really works.
type RollbackOption struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Time     string   `json:"time"`
	DataLoss string   `json:"data_loss"`
	Who      string   `json:"who"`
	When     string   `json:"when"`
	Steps    []string `json:"steps"`
	// Goal is how long it may take, "+5m"; left out, the last number of minutes in time. TwoPeople asks for two also where
	// nothing is lost. Show names what this console has for it: migrations, backups, health.
	Goal      *Offset  `json:"goal,omitempty"`
	TwoPeople bool     `json:"two_people,omitempty"`
	Show      []string `json:"show,omitempty"`
}

// Troubleshooting is a symptom and its remedy.
type Troubleshooting struct {
	ID        string `json:"id"`
	Symptom   string `json:"symptom"`
	Diagnosis string `json:"diagnosis"`
	Remedy    string `json:"remedy"`
}

// Offset is a distance from T-0, written "-24h", "-30m", "0" or "+10m".
type Offset time.Duration

// UnmarshalJSON reads the written form.
func (o *Offset) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("an offset is a text like \"-30m\": %w", err)
	}
	if s == "0" {
		*o = 0
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || (s[0] != '+' && s[0] != '-') || d%time.Minute != 0 {
		return fmt.Errorf("offset %q is not of the form -24h, -30m, 0 or +10m", s)
	}
	*o = Offset(d)
	return nil
}

// String is the distance as people write it: "T-24h", "T+10m", "T-0".
func (o Offset) String() string {
	d := time.Duration(o)
	sign := "T+"
	if d <= 0 {
		sign, d = "T-", -d
	}
	hours, minutes := int(d.Hours()), int(d.Minutes())%60
	switch {
	case d == 0:
		return "T-0"
	case minutes == 0:
		return sign + strconv.Itoa(hours) + "h"
	case hours == 0:
		return sign + strconv.Itoa(minutes) + "m"
	}
	return sign + strconv.Itoa(hours) + "h" + strconv.Itoa(minutes) + "m"
}

// ParseTemplate reads a template and refuses one that is inconsistent.
func ParseTemplate(text []byte) (Template, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var t Template
	if err := decoder.Decode(&t); err != nil {
		return Template{}, fmt.Errorf("reading a runbook template: %w", err)
	}
	if decoder.More() {
		return Template{}, fmt.Errorf("runbook template %s: something follows after its end", t.Name)
	}
	sum := sha256.Sum256(text)
	t.Text, t.SHA256 = string(text), hex.EncodeToString(sum[:])
	if wrong := t.check(); len(wrong) > 0 {
		return Template{}, fmt.Errorf("runbook template %s %s: %s", t.Name, t.Version, wrong[0].Text)
	}
	return t, nil
}

// Frozen is ParseTemplate of a text that a run keeps and everybody who looks at the run reads: it is parsed once. What is
// given out is shared and must not be changed.
func Frozen(text string) (Template, error) {
	frozen.Lock()
	t, ok := frozen.texts[text]
	frozen.Unlock()
	if ok {
		return t, nil
	}
	t, err := ParseTemplate([]byte(text))
	if err != nil {
		return Template{}, err
	}
	frozen.Lock()
	defer frozen.Unlock()
	if frozen.texts == nil || len(frozen.texts) >= mostFrozen {
		frozen.texts = map[string]Template{} // beyond the bound everything is forgotten, which costs a parsing each
	}
	frozen.texts[t.Text] = t
	return t, nil
}

// mostFrozen bounds what is remembered: a template is a few hundred kilobytes.
const mostFrozen = 16

var frozen struct {
	sync.Mutex
	texts map[string]Template
}

// Embedded are the templates of this program, newest version first within a name.
func Embedded() ([]Template, error) {
	names, err := fs.Glob(templateFiles, "templates/*.v*.json")
	if err != nil {
		return nil, fmt.Errorf("looking for runbook templates: %w", err)
	}
	var all []Template
	for _, name := range names {
		text, err := fs.ReadFile(templateFiles, name)
		if err != nil {
			return nil, fmt.Errorf("reading a runbook template: %w", err)
		}
		t, err := ParseTemplate(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, t)
	}
	sortTemplates(all)
	return all, nil
}

func sortTemplates(all []Template) {
	slices.SortFunc(all, func(a, b Template) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return compareVersions(b.Version, a.Version)
	})
}

// news says in one line what each released version brought. A released file is never edited, so it stands beside them.
var news = map[string]string{
	"bin-optimization 1.0.0": "The first one. Nothing waits for its hour, and people say themselves that a backup was taken.",
	"bin-optimization 1.1.0": "What claims an hour waits for it, the final sign-off too. People still say themselves that a backup was taken.",
	"bin-optimization 1.2.0": "The system itself finds the backup that restores and the rehearsal of these files, and both grow old.",
	"bin-optimization 1.3.0": "What follows up to four weeks later and the six capabilities are in it, each trouble is linked from what leads to it, and the report of two days is a file.",
	"bin-optimization 1.4.0": "Restoring a backup is the console's own act, by two people, and the report, the lessons and the dossier are named where they help.",
	"bin-optimization 1.5.0": "The gates have an end and rules of their own, deputies may sign when they are late, and nobody judges at the final sign-off what they gave the evidence of.",
}

// News is what the version brought, for whoever chooses between versions.
func (t Template) News() string { return news[t.Name+" "+t.Version] }

func compareVersions(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		m, _ := strconv.Atoi(x)
		n, _ := strconv.Atoi(y)
		return m - n
	})
}

// Ref names the template exactly.
func (t Template) Ref() TemplateRef {
	return TemplateRef{Name: t.Name, Version: t.Version, SHA256: t.SHA256}
}

// Spec finds what the template says of an item, and the phase it belongs to.
func (t Template) Spec(id ItemID) (ItemSpec, PhaseSpec, bool) {
	for _, phase := range t.Phases {
		for _, item := range phase.Items {
			if item.ID == id {
				return item, phase, true
			}
		}
	}
	return ItemSpec{}, PhaseSpec{}, false
}

// HasUndo says that there is something to undo: a template says so in words where there is not.
func (i ItemSpec) HasUndo() bool {
	return i.Undo != "" && !strings.HasPrefix(i.Undo, "None is needed")
}

// times are when an item of the phase is due, and when it can be said at the earliest.
func (p PhaseSpec) times(item ItemSpec) (due Offset, notBefore *Offset) {
	return *cmp.Or(item.Offset, &p.Offset), cmp.Or(item.NotBefore, p.NotBefore)
}

// Items are the items of a new run, in order.
func (t Template) Items() []Item {
	var items []Item
	for _, phase := range t.Phases {
		gate := phase.Gate
		if gate == NoGate {
			gate = ""
		}
		for _, spec := range phase.Items {
			due, notBefore := phase.times(spec)
			items = append(items, Item{
				ID: spec.ID, Position: len(items) + 1, Phase: phase.ID, Gate: gate, Title: spec.Title, Owner: spec.Owner,
				Required: spec.Required, Offset: time.Duration(due), NotBefore: (*time.Duration)(notBefore), FreshFor: (*time.Duration)(spec.FreshFor), After: spec.After, Kind: spec.Evidence.Kind,
				Check: spec.Evidence.Check, State: Open, Round: 1, Version: 1,
			})
		}
	}
	return items
}

// NoGate is how a phase says that no gate judges it.
const NoGate signoff.GateID = "none"
