package dossier

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
)

// Form names the layout of the archive; the signature is over it, too.
const Form = "gatehouse-dossier-1"

// The files of the archive, but for reports and files of evidence.
const (
	readmeFile    = "README.txt"
	pageFile      = "dossier.html"
	recordFile    = "release.json"
	templateFile  = "runbook-template.json"
	auditFile     = "audit.jsonl"
	keyFile       = "public-key.pem"
	manifestFile  = "manifest.json"
	signatureFile = "manifest.sig.json"
	reportDir     = "reports/"
	evidenceDir   = "evidence-files/"
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
	Waivers    []Row       `json:"waivers"`
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

// Dossier is all that is written.
type Dossier struct {
	Record   Record
	Template string
	// Trail is the tenant's audit trail from the release's first entry to a head, without a gap.
	Trail audit.Export
	// Key signs; nil where none is configured, and then nothing is signed and the archive says so.
	Key *audit.SealKey
	// At and By say when the release was read, and by whom.
	At time.Time
	By string
}

// Name is what the file is called.
func (d Dossier) Name() string {
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, d.Record.Release.Code)
	return "dossier-" + strings.Trim(safe, "-.") + "-" + d.At.UTC().Format("20060102T150405Z") + ".zip"
}

// Store is where releases are kept.
type Store interface {
	// Dossier writes down that the release is exported, seals the head where that is needed, and reads the release as it is.
	Dossier(ctx context.Context, by actor.Actor, run uuid.UUID) (Dossier, error)
	// Find gives the release of that code or id.
	Find(ctx context.Context, by actor.Actor, named string) (uuid.UUID, error)
}

// Service holds the stories.
type Service struct{ store Store }

// NewService makes the service.
func NewService(store Store) *Service { return &Service{store} }

// Export reads the release for an archive. It shows the trail, so it takes the right to read that.
func (s *Service) Export(ctx context.Context, by actor.Actor, run uuid.UUID) (Dossier, error) {
	if by.Origin != actor.CLI { // whoever has the server's own configuration asks nobody
		if err := by.Demand(actor.AuditRead); err != nil {
			return Dossier{}, err
		}
	}
	return s.store.Dossier(ctx, by, run)
}

// ExportNamed is Export of the release of that code or id, for the command line.
func (s *Service) ExportNamed(ctx context.Context, by actor.Actor, named string) (Dossier, error) {
	run, err := s.store.Find(ctx, by, named)
	if err != nil {
		return Dossier{}, err
	}
	return s.Export(ctx, by, run)
}

// manifest lists every file of the archive but itself and the signature.
type manifest struct {
	Form       string    `json:"form"`
	Tenant     uuid.UUID `json:"tenant_id"`
	Release    uuid.UUID `json:"run_id"`
	Code       string    `json:"code"`
	ExportedAt time.Time `json:"exported_at"`
	ExportedBy string    `json:"exported_by"`
	Files      []listed  `json:"files"`
}

type listed struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// signature is over the manifest.
type signature struct {
	KeyID     string `json:"key_id"`
	Signature []byte `json:"signature"`
}

// signed is the text that is signed.
func signed(manifestSHA256 string) []byte { return []byte(Form + " " + manifestSHA256) }

func indented(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding a part of the dossier: %w", err)
	}
	return append(text, '\n'), nil
}
