package dossier

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/agogsaas/gatehouse/internal/audit"
)

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
