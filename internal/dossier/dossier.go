package dossier

import (
	"context"
	"encoding/json"
	"fmt"
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

// Dossier is all that is written.
type Dossier struct {
	Record   Record
	Template string
	// Trail is the tenant's audit trail from the release's first entry to a head, without a gap.
	Trail audit.Export
	// Key signs; nil where none is configured, and then nothing is signed and the archive says so.
	Key *audit.SealKey
	// Migrated is when the last of the release's migrations was in the database; Unmigrated is that not all of them are. What was
	// measured before that is compared with nothing.
	Migrated   time.Time
	Unmigrated bool
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
	d, err := s.store.Dossier(ctx, by, run)
	if err == nil {
		d.Record.Compared, err = d.compare()
	}
	return d, err
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
