package review

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/snapshot"
)

// Report is what was planned of a release and what happened.
type Report struct {
	Run        Run         `json:"release"`
	At         time.Time   `json:"computed_at"`
	Findings   []Finding   `json:"findings"`
	Items      []Item      `json:"items"`
	Gates      []Gate      `json:"gates"`
	Stops      []Stop      `json:"gates_stopped"`
	Signatures []Signature `json:"signatures"`
	Migrations []Migration `json:"migrations"`
	Moves      []Move      `json:"moves_of_t0"`
	Overrides  []Override  `json:"overrides"`
	Rollbacks  []Rollback  `json:"rollbacks"`
	Refused    int         `json:"refused_attempts"`
	Snapshots  []Snapshot  `json:"snapshots"`
	Changes    []Change    `json:"health_compared"`
	Lessons    []Lesson    `json:"lessons"`
}

// Run is the release.
type Run struct {
	ID          uuid.UUID  `json:"id"`
	Code        string     `json:"code"`
	Title       string     `json:"title"`
	Environment string     `json:"environment"`
	State       string     `json:"state"`
	T0          time.Time  `json:"t0"`
	TimeZone    string     `json:"time_zone"`
	Template    string     `json:"runbook"`
	SHA256      string     `json:"runbook_sha256"`
	StartedBy   string     `json:"started_by"`
	StartedAt   time.Time  `json:"started_at"`
	EndedAt     *time.Time `json:"ended_at"`
	EndedBy     string     `json:"ended_by"`
	EndReason   string     `json:"end_reason"`
}

// Item is an item of the runbook, when it was due and when it was settled.
type Item struct {
	ID       string     `json:"id"`
	Title    string     `json:"title"`
	Owner    string     `json:"owner"`
	Required bool       `json:"required"`
	State    string     `json:"state"`
	Due      time.Time  `json:"due_at"`
	Settled  *time.Time `json:"settled_at"`
	By       string     `json:"settled_by"`
	Reason   string     `json:"reason"`
	Failed   int        `json:"times_failed"`
	Reopened int        `json:"times_reopened"`
	// LateSeconds is nothing where the item is not settled, or was due before the release was started: that is nobody's delay.
	LateSeconds *int64 `json:"late_seconds"`
}

// Gate is a gate, when it was due and when its last place was signed.
type Gate struct {
	Gate        string     `json:"gate"`
	Name        string     `json:"name"`
	Due         time.Time  `json:"due_at"`
	Passed      bool       `json:"passed"`
	PassedAt    *time.Time `json:"passed_at"`
	LateSeconds *int64     `json:"late_seconds"`
}

// Stop is that an attempt at a gate ended without being passed: "rejected" by a person, or "expired". What follows is the
// attempt that somebody opened after it; nothing where nobody did.
type Stop struct {
	Gate     string     `json:"gate"`
	Attempt  int        `json:"attempt"`
	Kind     string     `json:"kind"`
	Role     string     `json:"role"` // empty for an expiry
	Name     string     `json:"name"`
	Reason   string     `json:"reason"`
	At       time.Time  `json:"stopped_at"`
	OpenedBy string     `json:"next_opened_by"`
	OpenedAt *time.Time `json:"next_opened_at"`
	Note     string     `json:"next_note"`
}

// Signature is one that was given, and what became of it: "counts", "void" where what was signed changed, "withdrawn".
type Signature struct {
	Gate     string    `json:"gate"`
	Slot     string    `json:"slot"`
	Role     string    `json:"role"`
	Name     string    `json:"name"`
	Meaning  string    `json:"meaning"`
	Issuer   string    `json:"issuer"`
	Subject  string    `json:"subject"`
	SignedAt time.Time `json:"signed_at"`
	Standing string    `json:"standing"`
	// Glass is how far the review is of one that was given by break-glass: due, missed, upheld, refused; empty for any other.
	Glass  string `json:"break_glass,omitempty"`
	Reason string `json:"reason"`
}

// Migration is how long one took in the rehearsal of the same text, and in this release.
type Migration struct {
	Version     string     `json:"version"`
	Title       string     `json:"title"`
	RehearsedMs *int64     `json:"rehearsed_ms"`
	TookMs      *int64     `json:"took_ms"`
	AppliedAt   *time.Time `json:"applied_at"`
	By          string     `json:"applied_by"`
	Failures    int        `json:"failed_tries"`
	Undone      bool       `json:"taken_back"`
	// ThereSince is when it was applied, where that was before the release was started.
	ThereSince *time.Time `json:"there_since"`
}

// Move is that T-0 was moved.
type Move struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	From   string    `json:"from"`
	To     string    `json:"to"`
}

// Override is what two people have overridden: "window", "freeze", "proof".
type Override struct {
	Kind   string    `json:"kind"`
	Reason string    `json:"reason"`
	By     string    `json:"asked_by"`
	Second string    `json:"agreed_by"`
	At     time.Time `json:"agreed_at"`
	Until  time.Time `json:"until"`
}

// Rollback is that the release was being taken back; it is reviewed by somebody else once it has ended.
type Rollback struct {
	Option     string     `json:"option"`
	Reason     string     `json:"reason"`
	By         string     `json:"decided_by"`
	StartedAt  time.Time  `json:"started_at"`
	EndedAt    *time.Time `json:"ended_at"`
	GivenUp    bool       `json:"given_up"`
	ReviewedAt *time.Time `json:"reviewed_at"`
	Objected   bool       `json:"objected"`
	Reviewer   string     `json:"reviewed_by"`
	Review     string     `json:"review"`
}

// overridden says what a kind of override passed over.
var overridden = map[string]string{"window": "The change window was", "freeze": "A freeze was", "proof": "The age of the backup was"}

// Snapshot is where a measuring of the release stands.
type Snapshot struct {
	Point    snapshot.Point `json:"point"`
	State    snapshot.State `json:"state"`
	DueAt    time.Time      `json:"due_at"`
	TakenAt  *time.Time     `json:"taken_at"`
	SHA256   string         `json:"sha256"`
	Lateness string         `json:"lateness"`
	Finding  string         `json:"finding"`
}

// Change is one thing that was measured before T-0 and after it.
type Change struct {
	Kind    snapshot.Kind    `json:"kind"`
	Name    string           `json:"name"`
	Title   string           `json:"title"`
	Unit    string           `json:"unit"`
	Before  Measured         `json:"before"`
	After   Measured         `json:"after"`
	Point   snapshot.Point   `json:"after_point"`
	Verdict snapshot.Verdict `json:"verdict"`
	Words   string           `json:"words"`
}

// Measured is a state and a value; both are empty where there is none.
type Measured struct {
	State string `json:"state"`
	Value string `json:"value"`
}

// Finding is something that somebody should look at.
type Finding struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// LateFrom is how late an item has to be to be a finding.
const LateFrom = 15 * time.Minute

// complete adds what follows from what was read.
func (r *Report) complete(w snapshot.Watch) {
	for i := range r.Items {
		one := &r.Items[i]
		if one.Settled != nil && !one.Due.Before(r.Run.StartedAt) {
			one.LateSeconds = lateness(one.Due, *one.Settled)
		}
	}
	for i := range r.Gates {
		one := &r.Gates[i]
		if !one.Passed {
			one.PassedAt = nil
		} else if one.PassedAt != nil && !one.Due.Before(r.Run.StartedAt) {
			one.LateSeconds = lateness(one.Due, *one.PassedAt)
		}
	}
	for _, p := range w.Places {
		s := Snapshot{Point: p.Point, State: p.State, DueAt: p.Due}
		if p.Head != nil {
			s.TakenAt, s.SHA256, s.Lateness = &p.Head.TakenAt, p.Head.SHA256, p.Head.Lateness()
		}
		if p.Miss != nil {
			s.Finding = p.Miss.Why
		}
		r.Snapshots = append(r.Snapshots, s)
	}
	for _, l := range w.Lines {
		c := Change{Kind: l.Kind, Name: l.Name, Title: l.Title, Unit: l.Unit, Before: Measured{string(l.Base.State), l.Base.Value}}
		for _, p := range snapshot.Hours { // the last one that was measured
			if cell, ok := l.Hours[p]; ok {
				c.After, c.Point, c.Verdict, c.Words = Measured{string(cell.State), cell.Value}, p, cell.Verdict, cell.Change
			}
		}
		r.Changes = append(r.Changes, c)
	}
	r.find(w)
}

func lateness(due, settled time.Time) *int64 {
	late := int64(settled.Sub(due) / time.Second)
	return &late
}

// find writes down what is to be looked at, the gravest first.
func (r *Report) find(w snapshot.Watch) {
	add := func(kind, form string, args ...any) {
		r.Findings = append(r.Findings, Finding{kind, fmt.Sprintf(form, args...)})
	}
	if r.Run.State == "aborted" {
		add("aborted", "The release was aborted by %s: %s", r.Run.EndedBy, r.Run.EndReason)
	}
	if r.Run.State == "rolled_back" {
		add("rolled_back", "The release was rolled back, ended by %s: %s", r.Run.EndedBy, r.Run.EndReason)
	}
	for _, b := range r.Rollbacks {
		switch {
		case b.EndedAt == nil:
			add("rolling_back", "The release is being rolled back by %s, decided by %s: %s", b.Option, b.By, b.Reason)
		case b.ReviewedAt == nil:
			add("rollback_not_reviewed", "The rollback by %s, decided by %s, has not been reviewed by somebody else.", b.Option, b.By)
		case b.Objected:
			add("rollback_objected", "%s reviewed the rollback by %s, and something was not in order: %s", b.Reviewer, b.Option, b.Review)
		}
	}
	for _, o := range r.Overrides {
		add("overridden", "%s overridden: asked for by %s, agreed to by %s: %s", overridden[o.Kind], o.By, o.Second, o.Reason)
	}
	for _, s := range r.Stops {
		next := "No new attempt was opened."
		if s.OpenedAt != nil {
			next = fmt.Sprintf("%s opened attempt %d: %s", s.OpenedBy, s.Attempt+1, s.Note)
		}
		if s.Kind == "rejected" {
			add("gate_rejected", "%s, attempt %d, was rejected by %s as %s: %s %s", s.Gate, s.Attempt, s.Name, s.Role, sentence(s.Reason), next)
		} else {
			add("gate_expired", "%s, attempt %d, ran out of time: %s %s", s.Gate, s.Attempt, sentence(s.Reason), next)
		}
	}
	for _, m := range r.Migrations {
		if m.Failures > 0 {
			add("migration_failed", "Migration %s failed %s.", m.Version, times(m.Failures))
		}
		if m.Undone {
			add("migration_undone", "Migration %s was taken back.", m.Version)
		}
	}
	for _, c := range r.Changes {
		switch {
		case c.After.State == "unhealthy":
			add("unhealthy", "%s was unhealthy at %s.", c.Title, c.Point.Title())
		case c.Verdict == snapshot.Worse:
			add("worse", "%s is worse than before T-0: %s.", c.Title, c.Words)
		}
	}
	for _, s := range r.Snapshots {
		if s.Finding != "" {
			add("snapshot_missed", "%s", s.Finding)
		}
	}
	for _, s := range r.Snapshots {
		if s.State == snapshot.Unmigrated {
			add("snapshot_unmigrated", "The snapshot %s was taken before the migrations were applied: it says nothing of what they did, and is not compared.", s.Point.Title())
		}
	}
	if w.Base == nil && !r.At.Before(r.Run.T0) {
		add("no_baseline", "There is no baseline of the hour before T-0, so whether anything became better or worse is not known.")
	}
	for _, i := range r.Items {
		if i.Failed > 0 {
			add("item_failed", "%s, %s, failed %s, and is %s now.", i.ID, i.Title, times(i.Failed), i.State)
		}
		if i.Reopened > 0 {
			add("item_reopened", "%s, %s, was put back to open %s.", i.ID, i.Title, times(i.Reopened))
		}
	}
	for _, i := range r.Items {
		if i.Required && i.LateSeconds != nil && time.Duration(*i.LateSeconds)*time.Second >= LateFrom {
			add("item_late", "%s, %s, was settled %s late.", i.ID, i.Title, clock.Duration(time.Duration(*i.LateSeconds)*time.Second))
		}
	}
	for _, s := range r.Signatures {
		switch s.Glass {
		case "missed":
			add("glass_missed", "%s signed %s as %s by break-glass, and nobody reviewed that in time.", s.Name, s.Gate, s.Role)
		case "due":
			add("glass_due", "%s signed %s as %s by break-glass, and nobody has reviewed that yet.", s.Name, s.Gate, s.Role)
		case "upheld", "refused":
			add("glass", "%s signed %s as %s by break-glass; its review: %s.", s.Name, s.Gate, s.Role, s.Glass)
		}
		switch s.Standing {
		case "withdrawn":
			add("signature_withdrawn", "%s withdrew the signature as %s at %s: %s", s.Name, s.Role, s.Gate, s.Reason)
		case "void":
			add("signature_void", "The signature of %s as %s at %s became void, because what was signed changed.", s.Name, s.Role, s.Gate)
		}
	}
	if len(r.Moves) > 0 {
		add("t0_moved", "T-0 was moved %s.", times(len(r.Moves)))
	}
	if r.Refused > 0 {
		add("refused", "%s at this release was refused; the audit trail has each.", plural(r.Refused, "attempt"))
	}
}

// sentence is what somebody wrote with an end, so that something can be said after it.
func sentence(text string) string {
	if text = strings.TrimSpace(text); text != "" && !strings.ContainsRune(".!?", rune(text[len(text)-1])) {
		text += "."
	}
	return text
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// JSON is the report as programs read it.
func (r Report) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the report of %s: %w", r.Run.Code, err)
	}
	return append(text, '\n'), nil
}

// RoleTitle is a role as people say it.
func RoleTitle(role string) string { return actor.Role(role).Title() }
