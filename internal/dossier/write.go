package dossier

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// Write writes the archive as it goes: memory does not grow with the files and the trail.
func (d Dossier) Write(ctx context.Context, to io.Writer) error {
	a := &archive{zip: zip.NewWriter(to), dossier: d}
	if err := a.contents(ctx); err != nil {
		return err
	}
	if err := a.seal(); err != nil {
		return err
	}
	if err := a.zip.Close(); err != nil {
		return fmt.Errorf("ending the archive: %w", err)
	}
	return nil
}

type archive struct {
	zip     *zip.Writer
	dossier Dossier
	listed  []listed
}

func (a *archive) contents(ctx context.Context) error {
	d := a.dossier
	for i := range d.Record.Files {
		d.Record.Files[i].Path = filePath(d.Record.Files[i])
	}
	for i := range d.Record.Rehearsals {
		d.Record.Rehearsals[i].Path = reportDir + "rehearsal-" + d.Record.Rehearsals[i].ID.String() + ".json"
	}
	record, err := indented(d.Record)
	if err != nil {
		return err
	}
	if err := a.text(readmeFile, []byte(d.readme())); err != nil {
		return err
	}
	// The page shows the trail, too, so it reads it once more; between the two readings nothing of it can change but its end,
	// and where it ends is fixed.
	if err := a.add(pageFile, d.writePage); err != nil {
		return err
	}
	if err := a.text(recordFile, record); err != nil {
		return err
	}
	if err := a.text(templateFile, []byte(d.Template)); err != nil {
		return err
	}
	if err := a.add(auditFile, func(w io.Writer) error { _, err := d.Trail.WriteJSONL(w); return err }); err != nil {
		return err
	}
	for _, r := range d.Record.Rehearsals {
		if err := a.text(r.Path, []byte(r.Text)); err != nil {
			return err
		}
	}
	for _, f := range d.Record.Files {
		if err := a.add(f.Path, func(w io.Writer) error { return f.Write(ctx, w) }); err != nil {
			return err
		}
	}
	if d.Key != nil {
		return a.text(keyFile, []byte(d.Key.Public().PEM()))
	}
	return nil
}

func (a *archive) seal() error {
	d := a.dossier
	list, err := indented(manifest{Form, d.Record.Release.Tenant, d.Record.Release.ID, d.Record.Release.Code, d.At.UTC(), d.By, a.listed})
	if err != nil {
		return err
	}
	if err := a.text(manifestFile, list); err != nil || d.Key == nil {
		return err
	}
	sum := sha256.Sum256(list)
	text, err := indented(signature{d.Key.Public().ID(), d.Key.Sign(signed(hex.EncodeToString(sum[:])))})
	if err != nil {
		return err
	}
	return a.text(signatureFile, text)
}

func (a *archive) text(name string, text []byte) error {
	return a.add(name, func(w io.Writer) error { _, err := w.Write(text); return err })
}

// add writes a file and lists it. Every file is dated with the reading, so that nothing differs between two writings.
func (a *archive) add(name string, write func(io.Writer) error) error {
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.dossier.At.UTC()})
	if err != nil {
		return fmt.Errorf("beginning %s of the archive: %w", name, err)
	}
	sum := sha256.New()
	counted := &counter{}
	if err := write(io.MultiWriter(w, sum, counted)); err != nil {
		return fmt.Errorf("writing %s of the archive: %w", name, err)
	}
	a.listed = append(a.listed, listed{name, counted.bytes, hex.EncodeToString(sum.Sum(nil))})
	return nil
}

type counter struct{ bytes int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	return len(p), nil
}

// filePath is where a file of evidence stands: below its item, with its number, so that two of one name keep apart. Of the
// name only what is harmless in every file system is kept; the record has it whole.
func filePath(f File) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '_'
	}, path.Base(f.Name))
	if name = strings.Trim(name, "."); len(name) > 80 {
		name = name[len(name)-80:]
	}
	return evidenceDir + f.Item + "/" + strconv.Itoa(f.Number) + "-" + name
}

func (d Dossier) readme() string {
	r := d.Record.Release
	var b strings.Builder
	fmt.Fprintf(&b, "Dossier of release %s (%s), %s, environment %s.\nRead from Gatehouse on %s by %s.\n\n", r.Code, r.Title, r.TenantName, r.Environment, d.At.UTC().Format("2 January 2006 15:04:05 UTC"), d.By)
	fmt.Fprintf(&b, `%-22s the dossier to read and print; needs nothing but a browser
%-22s the release as data: items, evidence, gates, signatures with the text that was signed, signed
                       skippings, rejections, rollbacks with their reviews, snapshots and what they were compared
                       with, lessons, migrations
%-22s the runbook as it was frozen when the release was started
%-22s the audit trail from the start of the release on, without a gap; each line has what its hash is over
%-22s reports of rehearsals
%-22s files that were attached to items
%-22s the SHA-256 of every file here

`, pageFile, recordFile, templateFile, auditFile, reportDir, evidenceDir, manifestFile)
	if d.Key == nil {
		b.WriteString("This dossier is not signed: no seal key was configured where it was made.\n")
		b.WriteString("\nTo check that it fits itself: gatehouse verify-bundle FILE\n")
		return b.String()
	}
	fmt.Fprintf(&b, "%-22s the Ed25519 signature over the manifest\n%-22s the key it was signed with\n\n", signatureFile, keyFile)
	b.WriteString("To check it, offline and without configuration:\n\n    gatehouse verify-bundle FILE --key PUBLIC.pem\n\n")
	b.WriteString("Take PUBLIC.pem from whoever runs Gatehouse, not from this archive: the key in the archive proves only that\nthe archive fits itself. Its fingerprint (SHA-256 of the DER form) is\n\n    " + d.Key.Public().ID() + "\n")
	fmt.Fprintf(&b, "\nBy hand: the signature is over the text %q, a space, and the SHA-256 of %s in\nhexadecimal digits.\n", Form, manifestFile)
	return b.String()
}
