package dossier

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

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
		v.signedContent(s.row(), s.Content, s.ContentSHA256)
	}
	for _, w := range v.record.Waivers {
		v.signedContent(waiverRow(w.ID), w.Content, w.ContentSHA256)
	}
	for _, s := range v.record.Stops {
		v.signedContent(stopRow(s.Gate, s.Attempt), s.Content, s.ContentSHA256)
	}
	for _, p := range v.record.Rehearsals {
		if listed[p.Path] != p.SHA256 {
			v.complain(p.Path, "", "hash mismatch: it is not the report that was recorded")
		}
	}
	for _, f := range v.record.Files {
		if listed[f.Path] != f.SHA256 {
			v.complain(f.Path, fileRow(f.Item, f.Number), "hash mismatch: its bytes are not those that were attached")
		}
	}
	v.rules()
	v.compared()
}

// signedContent checks the text that somebody signed, or stopped a gate on.
func (v *verifier) signedContent(row, content, sum string) {
	if hash := sha256.Sum256([]byte(content)); hex.EncodeToString(hash[:]) != sum {
		v.complain(recordFile, row, "hash mismatch: the content stored is no longer the content that was signed")
	}
}

func (e Evidence) row() string  { return fmt.Sprintf("evidence %d of item %s", e.Number, e.Item) }
func (s Signature) row() string { return fmt.Sprintf("signature %s of %s", s.ID, s.Name) }
func (i Item) row() string      { return "item " + i.ID }
