package main

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

// A file that somebody attached is in the dossier byte by byte; one byte less in the archive, or another one in the database,
// is found at a shell, with the file named.
func TestAFileOfEvidenceIsFollowedIntoTheDossier(t *testing.T) {
	o := atAShell(t, "")
	dir := t.TempDir()
	seal := filepath.Join(dir, "seal.key")
	key := seal + ".pub"
	o.must("audit", "keygen", seal)
	t.Setenv("GATEHOUSE_SEAL_KEY_FILE", seal)
	templates, err := runbook.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	template := templates[0]
	db := housetest.Open(t, o.d)
	by := housetest.Person(housetest.Rivermark, "Wim", actor.DevOpsEngineer)
	stories := runbook.NewService(postgres.Runbook{DB: db}, "demo", templates, planOf(template.Migrations), nil)
	run, err := stories.Start(t.Context(), by, runbook.StartRequest{Template: template.SHA256, Code: "REQ-7", Title: "Seven", T0: time.Now().Add(time.Hour), TimeZone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	body := bytes.Repeat([]byte("counted by hand\n"), 40_000)
	attached, err := runbook.ReceiveFile("count.txt", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	item := template.Phases[0].Items[0].ID
	if err := stories.Attach(t.Context(), by, run, item, attached); err != nil {
		t.Fatal(err)
	}

	whole := filepath.Join(dir, "whole.zip")
	o.must("release", "export", "REQ-7", "--tenant", "rivermark", "--out", whole)
	if said := o.must("verify-bundle", whole, "--key", key); !strings.Contains(said, "attached files: 1;") {
		t.Errorf("verify-bundle says %q, want the file counted", said)
	}
	name := "evidence-files/" + string(item) + "/1-count.txt"
	if stored := entry(t, whole, name); !bytes.Equal(stored, body) {
		t.Errorf("%s has %d bytes, want the %d that were attached", name, len(stored), len(body))
	}
	o.refused(1, name+": it was changed", "verify-bundle", rewritten(t, whole, name), "--key", key)

	super := pgtest.Pool(t, o.d.SuperURL)
	for _, statement := range []string{
		"ALTER TABLE gatehouse.evidence_chunks DISABLE TRIGGER USER",
		"UPDATE gatehouse.evidence_chunks SET body = set_byte(body, 9, get_byte(body, 9) # 1) WHERE place = 2",
	} {
		if _, err := super.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	after := filepath.Join(dir, "after.zip")
	o.must("release", "export", "REQ-7", "--tenant", "rivermark", "--out", after)
	o.refused(1, name+": file 1 of item "+string(item)+": hash mismatch", "verify-bundle", after, "--key", key)
}

// planOf is a program with the files of these versions.
type planOf []string

func (p planOf) Files(context.Context) ([]runbook.Migration, error) {
	var files []runbook.Migration
	for _, version := range p {
		files = append(files, runbook.Migration{Version: version, Title: "title", SHA256: strings.Repeat("a", 64)})
	}
	return files, nil
}

func entry(t *testing.T, archive, name string) []byte {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// rewritten is the archive with one byte of that file changed.
func rewritten(t *testing.T, archive, name string) string {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for _, f := range z.File {
		text := entry(t, archive, f.Name)
		if f.Name == name {
			text[len(text)/2] ^= 1
		}
		w, err := out.Create(f.Name)
		if err == nil {
			_, err = w.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rewritten.zip")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
