package dossier

import (
	"time"

	"github.com/google/uuid"
)

// Waiver is the signature by which a required item was skipped, with the very text that was signed.
type Waiver struct {
	ID            uuid.UUID `json:"waiver_id"`
	Item          string    `json:"item_id"`
	Role          string    `json:"role"`
	Statement     string    `json:"statement"`
	Reason        string    `json:"reason"`
	Content       string    `json:"content"`
	ContentSHA256 string    `json:"content_sha256"`
	Issuer        string    `json:"issuer"`
	Subject       string    `json:"subject"`
	Name          string    `json:"name"`
	AuthTime      time.Time `json:"auth_time"`
	ACR           string    `json:"acr"`
	SignedAt      time.Time `json:"signed_at"`
}

// Stop is that an attempt at a gate ended without passing it: somebody rejected it, or its time ran out.
type Stop struct {
	Gate          string     `json:"gate"`
	Attempt       int        `json:"attempt"`
	Kind          string     `json:"kind"`
	Slot          string     `json:"slot"` // empty for an expiry, as its role
	Role          string     `json:"role"`
	Reason        string     `json:"reason"`
	Content       string     `json:"content"`
	ContentSHA256 string     `json:"content_sha256"`
	Issuer        string     `json:"issuer"`
	Subject       string     `json:"subject"`
	Name          string     `json:"name"`
	AuthTime      *time.Time `json:"auth_time"`
	At            time.Time  `json:"stopped_at"`
}

// Attempt is the second or a further attempt at a gate; the first has none.
type Attempt struct {
	Gate     string    `json:"gate"`
	Attempt  int       `json:"attempt"`
	Note     string    `json:"note"`
	Issuer   string    `json:"issuer"`
	Subject  string    `json:"subject"`
	Name     string    `json:"name"`
	OpenedAt time.Time `json:"opened_at"`
}

// Rollback is that somebody decided to take the release back, and what was done to it then.
type Rollback struct {
	ID          uuid.UUID     `json:"rollback_id"`
	Option      string        `json:"option_id"`
	Title       string        `json:"title"`
	DataLoss    string        `json:"data_loss"`
	Safe        bool          `json:"safe"`
	GoalSeconds *int          `json:"goal_seconds"`
	Steps       []string      `json:"steps"`
	Reason      string        `json:"reason"`
	Issuer      string        `json:"issuer"`
	Subject     string        `json:"subject"`
	Name        string        `json:"name"`
	AuthTime    time.Time     `json:"auth_time"`
	StartedAt   time.Time     `json:"started_at"`
	Acts        []RollbackAct `json:"acts"`
}

// RollbackAct is an act on a rollback: "agreed", a "step", "ended", "reviewed". Good is of a step that it was done and not
// left out, of the end that it was not given up, and of the review that nothing was objected.
type RollbackAct struct {
	Kind        string     `json:"kind"`
	Step        int        `json:"step"`
	Good        bool       `json:"good"`
	Note        string     `json:"note"`
	TookSeconds *int       `json:"took_seconds"`
	GoalKept    *bool      `json:"goal_kept"`
	Issuer      string     `json:"issuer"`
	Subject     string     `json:"subject"`
	Name        string     `json:"name"`
	AuthTime    *time.Time `json:"auth_time"`
	DoneAt      time.Time  `json:"done_at"`
}

// Snapshot is what was measured before T-0, or at an hour after it; content is the canonical text that its hash is of.
type Snapshot struct {
	ID       uuid.UUID `json:"snapshot_id"`
	Point    string    `json:"point"`
	T0       time.Time `json:"t0"`
	DueAt    time.Time `json:"due_at"`
	TakenAt  time.Time `json:"taken_at"`
	StoredAt time.Time `json:"stored_at"`
	Content  string    `json:"content"`
	SHA256   string    `json:"sha256"`
}

// Miss is a snapshot that was not taken when it was due. It stays, also beside a late one.
type Miss struct {
	Point   string    `json:"point"`
	T0      time.Time `json:"t0"`
	DueAt   time.Time `json:"due_at"`
	FoundAt time.Time `json:"found_at"`
	Why     string    `json:"why"`
}

// Comparison is an hour beside the baseline.
type Comparison struct {
	Point    string         `json:"point"`
	Snapshot uuid.UUID      `json:"snapshot_id"`
	Baseline *uuid.UUID     `json:"baseline_id"` // nothing where there is none: then nothing can be compared
	Lines    []ComparedLine `json:"lines"`
}

// ComparedLine is one thing that was measured: a check, a metric, or a column of the warehouse.
type ComparedLine struct {
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Unit    string   `json:"unit"`
	Before  Measured `json:"before"`
	After   Measured `json:"after"`
	Verdict string   `json:"verdict"`
	Change  string   `json:"change"`
}

// Measured is a state and a value; both are empty where the snapshot does not have the line.
type Measured struct {
	State string `json:"state"`
	Value string `json:"value"`
}

// Lesson is what a person learned from the release and, where somebody said so, that it was acted on.
type Lesson struct {
	ID          uuid.UUID  `json:"lesson_id"`
	Happened    string     `json:"happened"`
	Why         string     `json:"why"`
	Todo        string     `json:"todo"`
	Owner       string     `json:"owner_role"`
	DueOn       string     `json:"due_on"`
	Issuer      string     `json:"issuer"`
	Subject     string     `json:"subject"`
	Name        string     `json:"name"`
	AddedAt     time.Time  `json:"added_at"`
	DoneNote    *string    `json:"done_note"`
	DoneIssuer  *string    `json:"done_issuer"`
	DoneSubject *string    `json:"done_subject"`
	DoneName    *string    `json:"done_name"`
	DoneAt      *time.Time `json:"done_at"`
}
