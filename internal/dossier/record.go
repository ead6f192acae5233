package dossier

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/audit"
)

// Row is a row of what the record shows as it is and judges nothing of.
type Row map[string]any

// Record is the release as it stands in the database, every table of it.
type Record struct {
	Release    Release     `json:"release"`
	Items      []Item      `json:"items"`
	Evidence   []Evidence  `json:"evidence"`
	Files      []File      `json:"files"`
	Gates      []Gate      `json:"gates"`
	Signatures []Signature `json:"signatures"`
	Migrations []Row       `json:"migrations"`
	Ledger     []Row       `json:"ledger"`
	Windows    []Row       `json:"windows"`
	Freezes    []Row       `json:"freezes"`
	Overrides  []Row       `json:"overrides"`
	Tokens     []Row       `json:"tokens"`
	Rehearsals []Report    `json:"rehearsals"`
	Backups    []Row       `json:"backups"`
	Health     []Row       `json:"health"`
	Waivers    []Waiver    `json:"waivers"`
	Stops      []Stop      `json:"gates_stopped"`
	Attempts   []Attempt   `json:"gates_begun_again"`
	Rollbacks  []Rollback  `json:"rollbacks"`
	Snapshots  []Snapshot  `json:"snapshots"`
	Misses     []Miss      `json:"snapshots_missed"`
	// Compared lays each hour beside the baseline; it follows from the snapshots.
	Compared []Comparison `json:"compared"`
	Lessons  []Lesson     `json:"lessons"`
}

// Release is the run itself.
type Release struct {
	Tenant          uuid.UUID  `json:"tenant_id"`
	TenantName      string     `json:"tenant_name"`
	ID              uuid.UUID  `json:"run_id"`
	Environment     string     `json:"environment"`
	Code            string     `json:"code"`
	Title           string     `json:"title"`
	State           string     `json:"state"`
	T0              time.Time  `json:"t0"`
	TimeZone        string     `json:"time_zone"`
	TemplateName    string     `json:"template_name"`
	TemplateVersion string     `json:"template_version"`
	TemplateSHA256  string     `json:"template_sha256"`
	Starter         string     `json:"started_by_name"`
	StarterIssuer   string     `json:"started_by_issuer"`
	StarterSubject  string     `json:"started_by_subject"`
	StartedAt       time.Time  `json:"started_at"`
	EndedAt         *time.Time `json:"ended_at"`
	EndedBy         string     `json:"ended_by"`
	EndReason       string     `json:"end_reason"`
	// ReadAt is the newest entry of the tenant's trail when all this was read.
	ReadAt int64 `json:"read_at_entry"`
}

// Item is an item of the runbook as it stands.
type Item struct {
	ID             string     `json:"item_id"`
	Position       int        `json:"position"`
	Phase          string     `json:"phase"`
	Gate           string     `json:"gate"`
	Title          string     `json:"title"`
	Owner          string     `json:"owner_role"`
	Required       bool       `json:"required"`
	Kind           string     `json:"kind"`
	Check          string     `json:"check_name"`
	State          string     `json:"state"`
	Holder         string     `json:"holder_name"`
	Settled        string     `json:"settled_name"`
	SettledIssuer  string     `json:"settled_issuer"`
	SettledSubject string     `json:"settled_subject"`
	SettledAt      *time.Time `json:"settled_at"`
	DueAt          time.Time  `json:"due_at"`
	Reason         string     `json:"reason"`
	Evidence       *int       `json:"evidence"`
	Version        int        `json:"version"`
	// Frozen is what the runbook says of it besides; nil in dossiers of before.
	Frozen *Frozen `json:"frozen"`
}

// Evidence is one piece of evidence, the ones that count no longer included.
type Evidence struct {
	Item    string    `json:"item_id"`
	Number  int       `json:"number"`
	Kind    string    `json:"kind"`
	Value   string    `json:"value"`
	Note    string    `json:"note"`
	Summary string    `json:"summary"`
	Query   string    `json:"query"`
	Passed  bool      `json:"passed"`
	SHA256  string    `json:"sha256"`
	Issuer  string    `json:"issuer"`
	Subject string    `json:"subject"`
	Name    string    `json:"name"`
	AddedAt time.Time `json:"added_at"`
}

// Hash is what the evidence has to hash to; the same form stands in SQL as gatehouse.evidence_sha256.
func (e Evidence) Hash() string {
	return audit.HashOf("gatehouse-evidence-1", e.Kind, e.Value, e.Note, e.Summary, e.Query)
}

// File is a file that somebody attached to an item.
type File struct {
	Item    string    `json:"item_id"`
	Number  int       `json:"number"`
	Name    string    `json:"file_name"`
	Bytes   int64     `json:"bytes"`
	SHA256  string    `json:"sha256"`
	By      string    `json:"name"`
	AddedAt time.Time `json:"added_at"`
	// Path is where it stands in the archive.
	Path string `json:"path"`
	// Write writes its bytes.
	Write func(ctx context.Context, to io.Writer) error `json:"-"`
}

// Gate is a gate with its places.
type Gate struct {
	ID     string `json:"gate"`
	Name   string `json:"name"`
	Judges string `json:"judges"`
	Passed bool   `json:"passed"`
	// SHA256 is of its content as it stands; a signature of another one is void.
	SHA256 string `json:"content_sha256"`
	Slots  []Row  `json:"slots"`
	// Rules are nil in dossiers of before.
	Rules *Rules `json:"rules"`
}

// Signature is a signature with the very text that was signed.
type Signature struct {
	ID              uuid.UUID  `json:"signature_id"`
	Gate            string     `json:"gate"`
	Slot            string     `json:"slot"`
	Role            string     `json:"role"`
	Meaning         string     `json:"meaning"`
	Statement       string     `json:"statement"`
	Score           *string    `json:"score"`
	Note            string     `json:"note"`
	Content         string     `json:"content"`
	ContentSHA256   string     `json:"content_sha256"`
	Issuer          string     `json:"issuer"`
	Subject         string     `json:"subject"`
	Name            string     `json:"name"`
	AuthTime        time.Time  `json:"auth_time"`
	ACR             string     `json:"acr"`
	SignedAt        time.Time  `json:"signed_at"`
	WithdrawnReason *string    `json:"withdrawn_reason"`
	WithdrawnBy     *string    `json:"withdrawn_by"`
	WithdrawnAt     *time.Time `json:"withdrawn_at"`
	// Glass is what it rests on where no fresh sign-in proves it; nil for a usual one.
	Glass *Glass `json:"break_glass,omitempty"`
	// Where it was given in another's place: the line of the roster, who named the deputy, for which days and why.
	Deputy        *uuid.UUID `json:"deputy_id"`
	DeputyNamedBy *string    `json:"deputy_named_by"`
	DeputyNamedAt *time.Time `json:"deputy_named_at"`
	DeputyFrom    *string    `json:"deputy_from"`
	DeputyUntil   *string    `json:"deputy_until"`
	DeputyReason  *string    `json:"deputy_reason"`
}

// Glass is what a signature by break-glass rests on, and what its review found.
type Glass struct {
	Code          uuid.UUID `json:"code"`
	FirstHolder   string    `json:"first_holder"`
	SecondHolder  string    `json:"second_holder"`
	Outage        uuid.UUID `json:"outage"`
	OutageSince   time.Time `json:"outage_since"`
	OutageFailure string    `json:"outage_failure"`
	ReviewDueAt   time.Time `json:"review_due_at"`
	Verdict       *string   `json:"verdict"`
	ReviewReason  *string   `json:"review_reason"`
	Reviewer      *string   `json:"reviewer"`
	// ReviewerIssuer and ReviewerSubject say who that is.
	ReviewerIssuer  *string    `json:"reviewer_issuer"`
	ReviewerSubject *string    `json:"reviewer_subject"`
	ReviewedAt      *time.Time `json:"reviewed_at"`
}

// Report is a rehearsal; its report stands in a file of its own, byte by byte.
type Report struct {
	ID         uuid.UUID `json:"rehearsal_id"`
	Passed     bool      `json:"passed"`
	Verdict    string    `json:"verdict"`
	Data       string    `json:"data_kind"`
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at"`
	By         string    `json:"actor_name"`
	SHA256     string    `json:"report_sha256"`
	Path       string    `json:"path"`
	Text       string    `json:"-"`
}
