package postgres_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// withFileItem is a release of a runbook whose first item asks for a file.
func withFileItem(t *testing.T) *release {
	t.Helper()
	r := newHouse(t)
	text := strings.Replace(small, `"evidence":{"kind":"text","label":"What"}`, `"evidence":{"kind":"file","label":"Report"}`, 1)
	var err error
	if r.template, err = runbook.ParseTemplate([]byte(text)); err != nil {
		t.Fatalf("ParseTemplate: %v", err)
	}
	r.runbook = r.stories(r.template)
	r.id = r.start(starter)
	return r
}

func received(t *testing.T, name string, body []byte) runbook.Attachment {
	t.Helper()
	a, err := runbook.ReceiveFile(name, bytes.NewReader(body))
	if err != nil {
		t.Fatalf("ReceiveFile(%q): %v", name, err)
	}
	return a
}

func (r *release) attach(item runbook.ItemID, name string, body []byte) runbook.Attachment {
	r.t.Helper()
	a := received(r.t, name, body)
	if err := r.runbook.Attach(r.t.Context(), worker, r.id, item, a); err != nil {
		r.t.Fatalf("Attach(%s, %s): %v", item, name, err)
	}
	return a
}

// tamper changes a byte of all stored files, as nobody but a superuser can.
func (r *release) tamper() {
	r.t.Helper()
	r.exec("ALTER TABLE gatehouse.evidence_chunks DISABLE TRIGGER USER")
	r.exec("UPDATE gatehouse.evidence_chunks SET body = set_byte(body, 0, get_byte(body, 0) # 1) WHERE place = 1")
	r.exec("ALTER TABLE gatehouse.evidence_chunks ENABLE TRIGGER USER")
}

func blocked(g signoff.Gate, words string) bool {
	return slices.ContainsFunc(g.Blockers, func(b signoff.Blocker) bool { return strings.Contains(b.Text, words) })
}

func TestAFileComesBackByteByByteAndOnlyToItsTenant(t *testing.T) {
	t.Parallel()
	r := withFileItem(t)
	body := bytes.Repeat([]byte("a warehouse in pieces\n"), 70_000) // six pieces, the last one short
	a := received(t, "report.pdf", body)
	if err := r.runbook.DoneWithFile(t.Context(), worker, r.seen("A1"), a, "as printed"); err != nil {
		t.Fatalf("DoneWithFile: %v", err)
	}
	page := r.item("A1")
	if page.Item.State != runbook.Done || len(page.Evidence) != 1 || page.Evidence[0].Value != a.SHA256 || !page.Evidence[0].Intact {
		t.Errorf("the item is %s with %+v", page.Item.State, page.Evidence)
	}
	if len(page.Files) != 1 || !page.Files[0].Intact || !page.Files[0].Counts || page.Files[0].By.Name != worker.Name || page.Files[0].Bytes != len(body) {
		t.Errorf("its files: %+v", page.Files)
	}
	opened, err := r.runbook.File(t.Context(), qa, r.id, "A1", a.SHA256)
	if err != nil {
		t.Fatalf("File: %v", err)
	}
	var back bytes.Buffer
	err = opened.Each(t.Context(), func(piece []byte) error { back.Write(piece); return nil })
	if err != nil || !bytes.Equal(back.Bytes(), body) || opened.Name != "report.pdf" {
		t.Errorf("what came back has %d bytes as %q, %v; want the %d that were sent", back.Len(), opened.Name, err, len(body))
	}
	var written bytes.Buffer
	store := postgres.Runbook{DB: r.db}
	files, err := store.Files(t.Context(), qa, r.id)
	if err != nil || len(files) != 1 || files[0].Item != "A1" {
		t.Fatalf("Files: %+v, %v", files, err)
	}
	if err := store.WriteFile(t.Context(), qa, r.id, files[0], &written); err != nil || !bytes.Equal(written.Bytes(), body) {
		t.Errorf("WriteFile wrote %d bytes, %v", written.Len(), err)
	}

	// The other company knows the release, the item and the hash, and has none of them.
	if _, err := r.runbook.File(t.Context(), stranger, r.id, "A1", a.SHA256); !fault.Is(err, fault.NotFound) {
		t.Errorf("the file for another company: %v, want not found", err)
	}
	if err := r.runbook.Attach(t.Context(), stranger, r.id, "A2", a); !fault.Is(err, fault.NotFound) {
		t.Errorf("attaching for another company: %v, want not found", err)
	}
	if theirs, err := store.Files(t.Context(), stranger, r.id); err != nil || len(theirs) != 0 {
		t.Errorf("another company lists %+v, %v", theirs, err)
	}
	var nothing bytes.Buffer
	if err := store.WriteFile(t.Context(), stranger, r.id, files[0], &nothing); err != nil || nothing.Len() != 0 {
		t.Errorf("another company reads %d bytes, %v", nothing.Len(), err)
	}
	for _, hash := range []string{strings.ToUpper(a.SHA256), a.SHA256[:63], "../" + a.SHA256, strings.Repeat("0", 64)} {
		if _, err := r.runbook.File(t.Context(), qa, r.id, "A1", hash); !fault.Is(err, fault.NotFound) {
			t.Errorf("File(%q): %v, want not found", hash, err)
		}
	}
	if err := r.runbook.Attach(t.Context(), viewer(worker.Tenant), r.id, "A1", a); !fault.Is(err, fault.Forbidden) {
		t.Errorf("attaching as a viewer: %v, want forbidden", err)
	}
}

func TestTheSameFileTwiceIsOneAndWhatIsSignedChangesByIt(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	signed := r.sign(qa, signoff.GoNoGo, "qa")
	r.attach("A1", "shelf.jpg", []byte("a picture"))
	noted := r.events()
	r.attach("A1", "shelf again.jpg", []byte("a picture"))
	if n := r.count("SELECT count(*) FROM gatehouse.evidence_files"); n != 1 || r.events() != noted {
		t.Errorf("the same file twice is %d files, with %d entries more; want one, and none", n, r.events()-noted)
	}
	gate := r.gate(signoff.GoNoGo)
	if state := gate.Signatures[0].State(gate.SHA256); state != signoff.Void {
		t.Errorf("the signature of before the file is %s, want void", state)
	}
	changes, err := signoff.Compare(signed.Content, gate.Content)
	if err != nil || len(changes) != 1 || !strings.Contains(changes[0].Now, "shelf.jpg, 9 bytes, by "+worker.Name) {
		t.Errorf("what changed: %+v, %v; want the file alone", changes, err)
	}
}

func TestATamperedFileShutsItsGateAndIsNotHandedOut(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	a := r.attach("A1", "scan.png", bytes.Repeat([]byte{7}, 300_000))
	request := r.request(signoff.GoNoGo, "qa")
	r.tamper()
	if page := r.item("A1"); len(page.Files) != 1 || page.Files[0].Intact {
		t.Errorf("the page of the item takes the tampered file for whole: %+v", page.Files)
	}
	if _, err := r.runbook.File(t.Context(), qa, r.id, "A1", a.SHA256); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "Hash mismatch") {
		t.Errorf("File: %v, want that its hash does not match", err)
	}
	if !blocked(r.gate(signoff.GoNoGo), "scan.png") {
		t.Errorf("the gate does not name the file: %+v", r.gate(signoff.GoNoGo).Blockers)
	}
	if _, err := r.signoff.Sign(t.Context(), fresh(qa), request); err == nil || !strings.Contains(err.Error(), "scan.png") {
		t.Errorf("signing with a tampered file: %v, want a refusal that names it", err)
	}

	// The way on: put it back, and do it anew with the right one. What was before stays to be seen, and counts no longer.
	if err := r.runbook.Reopen(t.Context(), worker, r.seen("A1"), "The file was tampered with."); err != nil {
		t.Fatalf("Reopen: %v", err)
	}
	r.done("A1", "looked again")
	r.attach("A1", "scan.png", bytes.Repeat([]byte{7}, 300_000))
	page := r.item("A1")
	if len(page.Files) != 2 || page.Files[0].Counts || page.Files[0].Intact || !page.Files[1].Counts || !page.Files[1].Intact {
		t.Errorf("the files after it was put back: %+v", page.Files)
	}
	r.sign(qa, signoff.GoNoGo, "qa")
}

func TestTamperedEvidenceOfAnyKindShutsItsGate(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	r.exec("ALTER TABLE gatehouse.run_evidence DISABLE TRIGGER USER")
	if i := r.item("A2").Item; i.Altered {
		t.Errorf("A2 is called altered before anybody altered it")
	}
	r.exec("UPDATE gatehouse.run_evidence SET value = '10' WHERE item_id = 'A2'")
	if i, other := r.item("A2").Item, r.item("A1").Item; !i.Altered || i.State != runbook.Done || other.Altered {
		t.Errorf("A2 is %s and altered: %v; A1: %v", i.State, i.Altered, other.Altered)
	}
	if !blocked(r.gate(signoff.GoNoGo), "A2, Second, has evidence that is not what was given") {
		t.Errorf("the gate does not say it: %+v", r.gate(signoff.GoNoGo).Blockers)
	}
	if _, err := r.signoff.Sign(t.Context(), fresh(qa), r.request(signoff.GoNoGo, "qa")); err == nil || !strings.Contains(err.Error(), "hash does not match") {
		t.Errorf("signing on tampered evidence: %v, want a refusal", err)
	}
}

func TestFilesAreOnlyAddedAndOnlyWhileTheItemMayBeWorkedOn(t *testing.T) {
	t.Parallel()
	r := started(t)
	a := r.attach("A3", "notes.txt", []byte("notes"))
	for _, statement := range []string{
		"UPDATE gatehouse.evidence_files SET file_name = 'x'", "DELETE FROM gatehouse.evidence_files",
		"UPDATE gatehouse.evidence_chunks SET body = 'x'", "DELETE FROM gatehouse.evidence_chunks",
	} {
		if _, err := r.super.Exec(t.Context(), statement); err == nil {
			t.Errorf("%s as the superuser, past no trigger: want a refusal", statement)
		}
	}
	shown, err := r.runbook.Show(t.Context(), worker, r.id)
	if err != nil {
		t.Fatalf("Show: %v", err)
	}
	err = r.runbook.Abort(t.Context(), devops, runbook.SeenRun{Run: r.id, Version: shown.Run.Version}, "REQ-1", "Enough for today.")
	if err != nil {
		t.Fatalf("Abort: %v", err)
	}
	if err := r.runbook.Attach(t.Context(), worker, r.id, "A1", a); !fault.Is(err, fault.Conflict) {
		t.Errorf("attaching to an aborted release: %v, want a conflict", err)
	}
	if n := r.count("SELECT count(*) FROM gatehouse.evidence_chunks"); n != 1 {
		t.Errorf("%d pieces are stored, want the one of before", n)
	}
}

func TestAnItemHasNoMoreFilesThanItMay(t *testing.T) {
	t.Parallel()
	r := started(t)
	for n := range 20 {
		r.attach("A1", "page.png", []byte{byte(n)})
	}
	err := r.runbook.Attach(t.Context(), worker, r.id, "A1", received(t, "page.png", []byte("one more")))
	if refused, ok := fault.As(err); !ok || !strings.Contains(refused.Fields[runbook.FileField], "20 files") {
		t.Errorf("the 21st file: %v, want a complaint at its field", err)
	}
	other := runbook.Attachment{Name: "x", SHA256: strings.Repeat("a", 64), Bytes: 3, Pieces: [][]byte{[]byte("abc")}}
	if err := r.runbook.Attach(t.Context(), worker, r.id, "A2", other); err == nil {
		t.Error("a file whose pieces are not what its hash says was stored")
	}
	if n := r.count("SELECT count(*) FROM gatehouse.evidence_chunks WHERE item_id = 'A2'"); n != 0 {
		t.Errorf("%d pieces of the refused file are left", n)
	}
}
