package dossier

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/audit"
)

// The most that is read of an archive, whatever it claims.
const (
	mostFiles = 20_000
	mostBytes = 8 << 30
	mostText  = 512 << 20 // of a file that is read whole
	mostLists = 64 << 20  // of the manifest
)

// Found is what a check found out about an archive that fits.
type Found struct {
	Tenant, Code, Title, By string
	Release                 uuid.UUID
	At                      time.Time
	Files                   int
	Items, Evidence         int
	Signatures, Waivers     int
	Attached                int // files of evidence
	Stops, Rollbacks        int
	Snapshots, Misses       int
	Lessons                 int
	Trail                   audit.Found
	// KeyID is the key that signed the manifest; empty where none did. Origin says that the key was trusted by who checks.
	KeyID  string
	Origin bool
}

// Misfit is what does not fit: the file of the archive, and within it the row.
type Misfit struct{ File, Row, What string }

func (m Misfit) Error() string {
	if m.Row == "" {
		return m.File + ": " + m.What
	}
	return m.File + ": " + m.Row + ": " + m.What
}

func misfit(file, row, format string, args ...any) error {
	return Misfit{file, row, fmt.Sprintf(format, args...)}
}

// Verify checks an archive with nothing but itself and the keys of the ring. Every misfit that is found is in the error,
// which is made of Misfits; where the archive as such cannot be trusted, the first.
func Verify(file io.ReaderAt, size int64, ring audit.Keyring) (Found, error) {
	v := &verifier{ring: ring, files: map[string]*zip.File{}}
	if err := v.open(file, size); err != nil {
		return Found{}, err
	}
	if err := v.list(); err != nil {
		return Found{}, err
	}
	v.hashes()
	v.signature()
	if len(v.misfits) > 0 {
		found := v.found // what the files say of themselves is not to be believed
		v.contents()     // it names the row of what was changed
		return found, errors.Join(v.misfits...)
	}
	v.contents()
	return v.found, errors.Join(v.misfits...)
}

// KeyIn is the key that the archive brings along. It proves nothing by itself.
func KeyIn(file io.ReaderAt, size int64) (audit.PublicKey, error) {
	v := &verifier{files: map[string]*zip.File{}}
	if err := v.open(file, size); err != nil {
		return audit.PublicKey{}, err
	}
	text, err := v.read(keyFile, mostLists)
	if err != nil {
		return audit.PublicKey{}, misfit(keyFile, "", "it is missing: the dossier is not signed")
	}
	keys, err := audit.ParsePublicKeys(string(text))
	if err != nil || len(keys) != 1 {
		return audit.PublicKey{}, misfit(keyFile, "", "it holds no public key")
	}
	return keys[0], nil
}

type verifier struct {
	ring     audit.Keyring
	files    map[string]*zip.File
	names    []string
	manifest manifest
	sum      string // SHA-256 of the manifest
	record   Record
	found    Found
	misfits  []error
}

func (v *verifier) complain(file, row, format string, args ...any) {
	v.misfits = append(v.misfits, misfit(file, row, format, args...))
}

// contents checks what the files say: each by itself, and against the trail.
func (v *verifier) contents() {
	text, err := v.read(recordFile, mostText)
	if err == nil {
		if wrong := strict(text, &v.record); wrong != nil {
			err = misfit(recordFile, "", "it cannot be read: %s", wrong)
		}
	}
	if err != nil {
		v.misfits = append(v.misfits, err)
		return
	}
	r := v.record.Release
	v.found.Tenant, v.found.Code, v.found.Title, v.found.By, v.found.Release, v.found.At = r.TenantName, r.Code, r.Title, v.manifest.ExportedBy, r.ID, v.manifest.ExportedAt
	v.found.Files, v.found.Items, v.found.Evidence, v.found.Signatures = len(v.names), len(v.record.Items), len(v.record.Evidence), len(v.record.Signatures)
	v.found.Waivers, v.found.Attached, v.found.Stops, v.found.Rollbacks = len(v.record.Waivers), len(v.record.Files), len(v.record.Stops), len(v.record.Rollbacks)
	v.found.Snapshots, v.found.Misses, v.found.Lessons = len(v.record.Snapshots), len(v.record.Misses), len(v.record.Lessons)
	if v.manifest.Release != r.ID || v.manifest.Tenant != r.Tenant || v.manifest.Code != r.Code {
		v.complain(manifestFile, "", "it is the manifest of another release than %s is about", recordFile)
	}
	v.ownHashes()
	v.trail()
}

// strict reads JSON that has no field we do not know, so that nothing goes unchecked.
func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows after its end")
	}
	return nil
}
