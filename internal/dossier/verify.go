package dossier

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
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
	Signatures              int
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
		return v.found, errors.Join(v.misfits...) // what was changed is named; what it says is not to be believed
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

// open reads the archive's list of files, and takes no name and no size for granted.
func (v *verifier) open(file io.ReaderAt, size int64) error {
	archive, err := zip.NewReader(file, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return misfit("the archive", "", "it cannot be read as a zip: %s", err)
	}
	if len(archive.File) > mostFiles {
		return misfit("the archive", "", "it has %d files, and no dossier has more than %d", len(archive.File), mostFiles)
	}
	if archive.Comment != "" {
		return misfit("the archive", "", "it has a comment, and no dossier has one")
	}
	var total uint64
	folded := map[string]string{}
	for _, f := range archive.File {
		shown := fmt.Sprintf("%.200q", f.Name)
		switch other, twice := folded[strings.ToLower(f.Name)]; {
		case twice && other == f.Name:
			return misfit(shown, "", "it stands in the archive twice")
		case twice:
			return misfit(shown, "", "it differs from %q in capitals alone, so one would be written over the other", other)
		case f.Name == "" || strings.HasPrefix(f.Name, "/") || strings.ContainsAny(f.Name, "\\:\x00") || strings.HasSuffix(f.Name, "/"):
			return misfit(shown, "", "this is no name of a file in a dossier")
		case !f.Mode().IsRegular():
			return misfit(shown, "", "it is no plain file")
		case f.Method != zip.Deflate && f.Method != zip.Store, f.Flags&1 != 0:
			return misfit(shown, "", "it is packed or encrypted in a way that no dossier is")
		}
		for _, part := range strings.Split(f.Name, "/") {
			if part == "" || part == "." || part == ".." {
				return misfit(shown, "", "its path leads out of the archive")
			}
		}
		if total += f.UncompressedSize64; f.UncompressedSize64 > mostBytes || total > mostBytes {
			return misfit(shown, "", "the archive would unpack to more than %d GiB", mostBytes>>30)
		}
		folded[strings.ToLower(f.Name)] = f.Name
		v.files[f.Name] = f
		v.names = append(v.names, f.Name)
	}
	return nil
}

// list reads the manifest and compares it with what is there.
func (v *verifier) list() error {
	text, err := v.read(manifestFile, mostLists)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	v.sum = hex.EncodeToString(sum[:])
	if err := strict(text, &v.manifest); err != nil {
		return misfit(manifestFile, "", "it cannot be read: %s", err)
	}
	if v.manifest.Form != Form {
		return misfit(manifestFile, "", "this program knows dossiers of the form %s, and this one is %.100q", Form, v.manifest.Form)
	}
	known := map[string]bool{manifestFile: true, signatureFile: true}
	for _, f := range v.manifest.Files {
		if known[f.Name] {
			return misfit(manifestFile, f.Name, "it is listed twice")
		}
		known[f.Name] = true
		if v.files[f.Name] == nil {
			v.complain(f.Name, "", "it is missing: the manifest lists it")
		}
	}
	for _, name := range v.names {
		if !known[name] {
			v.complain(name, "", "it does not belong here: the manifest does not list it")
		}
	}
	for _, name := range []string{readmeFile, pageFile, recordFile, templateFile, auditFile} {
		if !known[name] {
			v.complain(name, "", "it is missing, and every dossier has it")
		}
	}
	return nil
}

func (v *verifier) hashes() {
	for _, f := range v.manifest.Files {
		packed := v.files[f.Name]
		if packed == nil {
			continue
		}
		sum := sha256.New()
		n, err := v.copyTo(sum, packed, f.Bytes)
		switch {
		case err != nil:
			v.complain(f.Name, "", "it cannot be unpacked: %s", err)
		case n != f.Bytes:
			v.complain(f.Name, "", "it has %d bytes or more, and the manifest says %d", n, f.Bytes)
		case hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
			v.complain(f.Name, "", "it was changed: it does not have the SHA-256 that the manifest lists")
		}
	}
}

// copyTo unpacks at most one byte more than is expected, whatever the archive claims.
func (v *verifier) copyTo(w io.Writer, f *zip.File, expected int64) (int64, error) {
	if expected < 0 {
		return 0, errors.New("its size is less than nothing")
	}
	r, err := f.Open()
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(w, io.LimitReader(r, expected+1))
	if n > expected {
		return n, r.Close()
	}
	return n, errors.Join(err, r.Close())
}

// read gives a file whole.
func (v *verifier) read(name string, most int64) ([]byte, error) {
	f := v.files[name]
	if f == nil {
		return nil, misfit(name, "", "it is missing, and every dossier has it")
	}
	var b bytes.Buffer
	n, err := v.copyTo(&b, f, most)
	switch {
	case err != nil:
		return nil, misfit(name, "", "it cannot be unpacked: %s", err)
	case n > most:
		return nil, misfit(name, "", "it has more than %d bytes", most)
	}
	return b.Bytes(), nil
}

// signature checks who signed the manifest.
func (v *verifier) signature() {
	if v.files[signatureFile] == nil {
		if v.ring.Trusts() {
			v.complain(signatureFile, "", "it is missing: the dossier is not signed, so the key proves nothing about it")
		}
		return
	}
	text, err := v.read(signatureFile, mostLists)
	var s signature
	if err == nil {
		err = strict(text, &s)
	}
	if err != nil {
		v.complain(signatureFile, "", "it cannot be read")
		return
	}
	ring := v.ring
	if v.found.KeyID, v.found.Origin = s.KeyID, ring.Trusts(); !v.found.Origin {
		text, err := v.read(keyFile, mostLists)
		if err != nil {
			v.misfits = append(v.misfits, err)
			return
		}
		keys, err := audit.ParsePublicKeys(string(text))
		if err != nil || len(keys) != 1 {
			v.complain(keyFile, "", "it holds no public key")
			return
		}
		ring = audit.NewKeyring(nil, keys...)
	}
	key, ok := ring.Key(s.KeyID)
	switch {
	case !ok:
		v.complain(signatureFile, "", "the manifest was signed with key %.64s, and that is not the key it is checked with", s.KeyID)
	case !key.Verifies(signed(v.sum), s.Signature):
		v.complain(signatureFile, "", "this is not the signature of key %.64s over the manifest; one of the two was changed or exchanged", s.KeyID)
	}
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
	if v.manifest.Release != r.ID || v.manifest.Tenant != r.Tenant || v.manifest.Code != r.Code {
		v.complain(manifestFile, "", "it is the manifest of another release than %s is about", recordFile)
	}
	v.ownHashes()
	v.trail()
}

// ownHashes: whatever has a hash of its own has that hash.
func (v *verifier) ownHashes() {
	listed := map[string]string{}
	for _, f := range v.manifest.Files {
		listed[f.Name] = f.SHA256
	}
	if listed[templateFile] != v.record.Release.TemplateSHA256 {
		v.complain(templateFile, "", "it is not the runbook that was frozen: the release names another SHA-256")
	}
	for _, e := range v.record.Evidence {
		if e.Hash() != e.SHA256 {
			v.complain(recordFile, e.row(), "hash mismatch: it was changed after it was added")
		}
	}
	for _, s := range v.record.Signatures {
		if sum := sha256.Sum256([]byte(s.Content)); hex.EncodeToString(sum[:]) != s.ContentSHA256 {
			v.complain(recordFile, s.row(), "hash mismatch: the content stored is no longer the content that was signed")
		}
	}
	for _, p := range v.record.Rehearsals {
		if listed[p.Path] != p.SHA256 {
			v.complain(p.Path, "", "hash mismatch: it is not the report that was recorded")
		}
	}
	for _, f := range v.record.Files {
		if listed[f.Path] != f.SHA256 {
			v.complain(f.Path, fmt.Sprintf("file %d of item %s", f.Number, f.Item), "hash mismatch: its bytes are not those that were attached")
		}
	}
}

func (e Evidence) row() string  { return fmt.Sprintf("evidence %d of item %s", e.Number, e.Item) }
func (s Signature) row() string { return fmt.Sprintf("signature %s of %s", s.ID, s.Name) }
func (i Item) row() string      { return "item " + i.ID }

// said is what the trail says of the release, as far as it was read.
type said struct {
	begun      *audit.Entry
	template   string
	items      map[string]itemSaid
	evidence   map[string]string // item and number -> hash; empty where the entry has none
	signatures map[uuid.UUID]signatureSaid
	withdrawn  map[uuid.UUID]int64
}

type itemSaid struct {
	seq      int64
	State    string `json:"state"`
	Evidence int    `json:"evidence"`
	SHA256   string `json:"evidence_sha256"`
}

type signatureSaid struct {
	seq             int64
	ID              uuid.UUID `json:"signature"`
	Slot            string    `json:"slot"`
	Meaning         string    `json:"meaning"`
	Statement       string    `json:"statement"`
	ContentSHA256   string    `json:"content_sha256"`
	Issuer, Subject string    `json:"-"`
}

func key(item string, number int) string { return fmt.Sprintf("%s %d", item, number) }

func (v *verifier) trail() {
	f := v.files[auditFile]
	r, err := f.Open()
	if err != nil {
		v.complain(auditFile, "", "it cannot be unpacked: %s", err)
		return
	}
	defer func() { _ = r.Close() }() // it was read to its end, and its hash was checked
	s := said{items: map[string]itemSaid{}, evidence: map[string]string{}, signatures: map[uuid.UUID]signatureSaid{}, withdrawn: map[uuid.UUID]int64{}}
	ring := audit.Keyring{}
	if v.found.Origin {
		ring = v.ring
	}
	v.found.Trail, err = audit.ReadJSONL(r, ring, func(e audit.Entry) error { s.hear(v.record.Release, e); return nil })
	if err != nil {
		v.complain(auditFile, "", "%s", err)
		return
	}
	if v.found.Trail.TenantID != v.record.Release.Tenant || len(v.found.Trail.Filter) > 0 {
		v.complain(auditFile, "", "it is not the trail that belongs to %s", recordFile)
	}
	v.compare(s)
}

// hear takes in an entry. Only what was done counts, and only up to where the record was read.
func (s *said) hear(r Release, e audit.Entry) {
	if e.Outcome != string(audit.Done) || e.Seq > r.ReadAt || e.After == nil {
		return
	}
	run := r.ID.String()
	switch part, isPart := strings.CutPrefix(e.ObjectID, run+"/"); {
	case e.Action == "release:start" && e.ObjectID == run:
		var after struct{ Template struct{ SHA256 string } }
		if json.Unmarshal([]byte(*e.After), &after) == nil {
			s.begun, s.template = &e, after.Template.SHA256
		}
	case e.ObjectKind == "item" && isPart:
		after := itemSaid{seq: e.Seq}
		if json.Unmarshal([]byte(*e.After), &after) == nil && after.State != "" {
			s.items[part] = after
			if after.Evidence != 0 {
				if _, known := s.evidence[key(part, after.Evidence)]; !known || after.SHA256 != "" {
					s.evidence[key(part, after.Evidence)] = after.SHA256
				}
			}
		}
	case e.Action == "gate:sign" && isPart:
		after := signatureSaid{seq: e.Seq, Issuer: e.Issuer, Subject: e.Subject}
		if json.Unmarshal([]byte(*e.After), &after) == nil && after.ID != uuid.Nil {
			s.signatures[after.ID] = after
		}
	case e.Action == "gate:withdraw" && isPart:
		var after struct {
			ID uuid.UUID `json:"signature"`
		}
		if json.Unmarshal([]byte(*e.After), &after) == nil {
			s.withdrawn[after.ID] = e.Seq
		}
	}
}

// compare lays the record beside the trail.
func (v *verifier) compare(s said) {
	switch {
	case s.begun == nil:
		v.complain(auditFile, "", "no entry says that the release was started")
	case s.template != v.record.Release.TemplateSHA256:
		v.complain(recordFile, "the runbook", "entry %d of the trail says that the release was started from another one", s.begun.Seq)
	}
	for _, i := range v.record.Items {
		v.compareItem(i, s)
	}
	stored := map[string]bool{}
	for _, e := range v.record.Evidence {
		stored[key(e.Item, e.Number)] = true
		switch sum, heard := s.evidence[key(e.Item, e.Number)]; {
		case !heard:
			v.complain(recordFile, e.row(), "no entry of the trail knows of it")
		case sum != "" && sum != e.SHA256:
			v.complain(recordFile, e.row(), "it was exchanged: the trail knows it by another hash")
		}
	}
	for _, name := range sortedKeys(s.evidence) {
		if !stored[name] {
			item, number, _ := strings.Cut(name, " ")
			v.complain(recordFile, "evidence "+number+" of item "+item, "it is missing: the trail knows of it")
		}
	}
	v.compareSignatures(s)
}

func (v *verifier) compareItem(i Item, s said) {
	heard, ok := s.items[i.ID]
	number := 0
	if i.Evidence != nil {
		number = *i.Evidence
	}
	switch {
	case !ok && i.State != "open":
		v.complain(recordFile, i.row(), "it is %s, and no entry of the trail says so", i.State)
	case ok && heard.State != i.State:
		v.complain(recordFile, i.row(), "it is %s, and entry %d of the trail says that it is %s", i.State, heard.seq, heard.State)
	case ok && heard.Evidence != number:
		v.complain(recordFile, i.row(), "its evidence is number %d, and entry %d of the trail says number %d", number, heard.seq, heard.Evidence)
	}
}

func (v *verifier) compareSignatures(s said) {
	stored := map[uuid.UUID]bool{}
	for _, g := range v.record.Signatures {
		stored[g.ID] = true
		heard, ok := s.signatures[g.ID]
		switch {
		case !ok:
			v.complain(recordFile, g.row(), "no entry of the trail knows of it")
		case heard.ContentSHA256 != g.ContentSHA256 || heard.Slot != g.Slot || heard.Meaning != g.Meaning || heard.Statement != g.Statement || heard.Issuer != g.Issuer || heard.Subject != g.Subject:
			v.complain(recordFile, g.row(), "it is not the signature that entry %d of the trail knows", heard.seq)
		}
		if _, taken := s.withdrawn[g.ID]; taken != (g.WithdrawnAt != nil) {
			v.complain(recordFile, g.row(), "record and trail differ on whether it was withdrawn")
		}
	}
	for id, heard := range s.signatures {
		if !stored[id] {
			v.complain(recordFile, "signature "+id.String(), "it is missing: entry %d of the trail knows of it", heard.seq)
		}
	}
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
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
