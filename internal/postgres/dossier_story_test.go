package postgres_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/dossier"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/review"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// bundled is a release of which everything has happened that a dossier tells of: a rollback that was given up and reviewed, a
// gate that was rejected and begun again, evidence, a file, signatures at both gates, a withdrawal, a signed skipping, a
// ledger, snapshots of which one was missed, a lesson. Its trail is sealed.
type bundled struct {
	*release
	trail   postgres.Audit
	stories *dossier.Service
	key     *audit.SealKey
}

func newBundled(t *testing.T) bundled {
	t.Helper()
	r := lived(t)
	r.finished()
	given := r.sign(qa, signoff.Final, "qa")
	if err := r.signoff.Withdraw(t.Context(), fresh(qa), r.id, given.Gate, given.ID, "read it again first"); err != nil {
		t.Fatal(err)
	}
	r.sign(qa, signoff.Final, "qa")
	b := bundled{release: r, key: sealKey(t)}
	b.trail = postgres.Audit{DB: r.db, Heads: audit.HeadFile{Path: filepath.Join(t.TempDir(), "heads")}, Keys: audit.NewKeyring(b.key)}
	b.stories = dossier.NewService(postgres.Dossiers{DB: r.db, Trail: b.trail})
	return b
}

// lived is the release before anything of it is signed that stays, and what happens beside the gates.
func lived(t *testing.T) *release {
	t.Helper()
	w := &watchedRelease{release: newHouse(t), t0: time.Now().Add(72 * time.Hour).UTC().Truncate(time.Minute)}
	back := backRelease{w.release, runbook.NewRollbacks(postgres.Rollbacks{DB: w.db}), nil}
	ctx, must := t.Context(), func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	w.template, err = runbook.ParseTemplate([]byte(strings.NewReplacer(`"rollback":[]`, waysBack, `  {"id":"A3"`,
		`  {"id":"A4","title":"Watch","owner":"devops_engineer","required":true,"evidence":{"kind":"text","label":"What"},"do":"Do.","expected":"Done.","undo":"None is needed."},
		{"id":"A3"`).Replace(small)))
	must(err)
	w.runbook = w.stories(w.template)
	w.id, err = w.runbook.Start(ctx, starter, runbook.StartRequest{Template: w.template.SHA256, Code: "REQ-1", Title: "One", T0: w.t0, TimeZone: "Europe/Lisbon"})
	must(err)

	b := back.begin(devops, "RB-4")
	must(back.back.Agree(ctx, fresh(backend), w.id, b.ID))
	must(back.back.Tick(ctx, worker, back.tick(b, 1)))
	given := back.end(b)
	given.GivenUp, given.Note = true, "The damage was none."
	must(back.back.End(ctx, devops, given))
	must(back.back.Review(ctx, fresh(oncall), runbook.ReviewRequest{Run: w.id, Rollback: b.ID, Objected: true, Note: "Asked for too early."}))

	w.rejected("backend", backend)
	must(w.signoff.Reopen(ctx, devops, w.reopening(1)))
	w.attach("A1", "Zählung №1.pdf", bytes.Repeat([]byte("a scan of the count\n"), 50_000)) // more than one piece
	must(w.runbook.Waive(ctx, fresh(qa), w.seen("A4"), "Nobody is there that night."))

	w.service = w.snapshots()
	w.turn(-15*time.Minute, 1, 1)
	w.turn(-time.Minute, 1, 0)
	w.turn(time.Hour, 1, 0)

	lesson := review.Draft{ID: uuid.New(), Happened: "It was slow.", Why: "No index.", Todo: "Make one.", Owner: "backend_lead", DueOn: time.Now().UTC().AddDate(0, 0, 14).Truncate(24 * time.Hour)}
	must(w.reviews().AddLesson(ctx, worker, w.id, lesson))
	must(w.reviews().Done(ctx, qa, w.id, lesson.ID, "The index is there."))
	return w.release
}

func (b bundled) export() []byte {
	b.t.Helper()
	d, err := b.stories.Export(b.t.Context(), devops, b.id)
	if err != nil {
		b.t.Fatalf("Export: %v", err)
	}
	var out bytes.Buffer
	if err := d.Write(b.t.Context(), &out); err != nil {
		b.t.Fatalf("Write: %v", err)
	}
	return out.Bytes()
}

func (b bundled) verify(archive []byte) (dossier.Found, error) {
	return dossier.Verify(bytes.NewReader(archive), int64(len(archive)), audit.NewKeyring(nil, b.key.Public()))
}

func TestADossierHoldsAllOfAReleaseAndProvesItself(t *testing.T) {
	t.Parallel()
	b := newBundled(t)
	archive := b.export()
	found, err := b.verify(archive)
	if err != nil || !found.Origin || found.Items != 7 || found.Evidence != 4 || found.Signatures != 5 || found.Trail.Seal == nil || found.Code != "REQ-1" {
		t.Errorf("Verify = %+v, %v; want all of the release, from whoever holds the key", found, err)
	}
	if found, err := dossier.Verify(bytes.NewReader(archive), int64(len(archive)), audit.Keyring{}); err != nil || found.Origin || found.KeyID != b.key.Public().ID() {
		t.Errorf("Verify without a key = %+v, %v; want that it fits itself, and no more", found, err)
	}
	if _, err := dossier.Verify(bytes.NewReader(archive), int64(len(archive)), audit.NewKeyring(nil, sealKey(t).Public())); err == nil || !strings.Contains(err.Error(), "manifest.sig.json: the manifest was signed with key "+b.key.Public().ID()) {
		t.Errorf("Verify with another key = %v; want the key named that signed it", err)
	}
	page := string(unpacked(t, archive)["dossier.html"])
	for _, words := range []string{
		"looked at it", "Tested again.", "read it again first", "withdrawn", "0.0.20", "item:done",
		"The backup is from last week.", "as attempt 2", "There is a new backup.", "Nobody is there that night.", "Restore it.", "The damage was none.", "<b>objected</b> by Olaf",
		"Asked for too early.", "Missed:", "Hour 1</b>", "compared with the baseline before T-0", "cannot be compared", "It was slow.", "The index is there.", "lesson:done",
		"Zählung №1.pdf", "<b>Quin</b> as qa lead", b.key.Public().ID(),
	} {
		if !strings.Contains(page, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "ZgotmplZ") {
		t.Error("the page holds a script, or something that its template refused")
	}
	d, err := b.stories.Export(t.Context(), devops, b.id)
	if err != nil {
		t.Fatal(err)
	}
	var once, twice bytes.Buffer
	if err := d.Write(t.Context(), &once); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), &twice); err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
		t.Errorf("written twice it has %d and %d bytes (%v), and not the same", once.Len(), twice.Len(), err)
	}
	if n := b.count(`SELECT count(*) FROM gatehouse.audit_events WHERE action = 'release:export' AND outcome = 'done' AND object_id = $1`, b.id.String()); n != 2 {
		t.Errorf("%d exports stand in the trail, want 2", n)
	}
	// Another tenant's is none, and who may not read the trail gets none.
	if _, err := b.stories.Export(t.Context(), stranger, b.id); !fault.Is(err, fault.NotFound) {
		t.Errorf("Export by another tenant = %v, want not found", err)
	}
	if _, err := b.stories.Export(t.Context(), backend, b.id); !fault.Is(err, fault.Forbidden) {
		t.Errorf("Export by who may not read the trail = %v, want forbidden", err)
	}
	// Without a key it is written all the same, and says so; a key then proves nothing.
	plain := bundled{release: b.release, key: b.key, stories: dossier.NewService(postgres.Dossiers{DB: b.db, Trail: postgres.Audit{DB: b.db}})}
	archive = plain.export()
	if found, err := dossier.Verify(bytes.NewReader(archive), int64(len(archive)), audit.Keyring{}); err != nil || found.KeyID != "" {
		t.Errorf("Verify of an unsigned dossier = %+v, %v; want that it fits itself", found, err)
	}
	if _, err := b.verify(archive); err == nil || !strings.Contains(err.Error(), "manifest.sig.json: it is missing") {
		t.Errorf("Verify of an unsigned dossier with a key = %v; want that the key proves nothing", err)
	}
}

// An hour that was measured before the migrations says nothing of what they did, so the dossier compares it as little as the page.
func TestADossierComparesNoHourBeforeTheMigrations(t *testing.T) {
	t.Parallel()
	r := lived(t)
	stories := dossier.NewService(postgres.Dossiers{DB: r.db, Trail: postgres.Audit{DB: r.db}})
	compared := func() int {
		t.Helper()
		d, err := stories.Export(t.Context(), devops, r.id)
		if err != nil {
			t.Fatal(err)
		}
		return len(d.Record.Compared)
	}
	if got := compared(); got != 0 {
		t.Errorf("before the migrations %d hours are compared, want none", got)
	}
	r.finished()
	if got := compared(); got != 1 {
		t.Errorf("of hours after the migrations %d are compared, want hour 1", got)
	}
}

// What a superuser does to any stored thing is found in a dossier made afterwards, by the walk, or by both, and named.
func TestWhatASuperuserDidIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	b := newBundled(t)
	tables := []string{
		"runs", "run_items", "run_evidence", "signatures", "signature_withdrawals", "evidence_files", "evidence_chunks", "item_waivers", "gate_stops", "gate_attempts",
		"rollbacks", "rollback_acts", "run_snapshots", "run_snapshot_misses", "release_lessons", "release_lesson_marks", "audit_events", "audit_heads", "audit_seals", "audit_checks",
	}
	const rehash = "UPDATE gatehouse.run_evidence SET sha256 = gatehouse.evidence_sha256(kind, value, note, summary, query) WHERE item_id = 'A1'"
	const last = "(SELECT max(seq) FROM kept_audit_events)"
	b.tampered(tables, []tampering{
		{"nothing", "SELECT 1", "", ""},
		{"evidence", "UPDATE gatehouse.run_evidence SET value = 'never looked' WHERE item_id = 'A1'", "release.json: evidence 1 of item A1: hash mismatch", ""},
		{"evidence and its hash", "UPDATE gatehouse.run_evidence SET value = 'never looked' WHERE item_id = 'A1'; " + rehash, "release.json: evidence 1 of item A1: it was exchanged", ""},
		{
			"evidence taken out", "UPDATE gatehouse.run_items SET evidence = NULL, state = 'open', settled_at = NULL, due_at = NULL, settled_subject = '' WHERE item_id = 'A1'; DELETE FROM gatehouse.run_evidence WHERE item_id = 'A1'",
			"release.json: evidence 1 of item A1: it is missing", "",
		},
		{
			"evidence put in", "INSERT INTO gatehouse.run_evidence SELECT tenant_id, run_id, item_id, 2, kind, value, note, summary, query, passed, sha256, issuer, subject, name, added_at FROM kept_run_evidence WHERE item_id = 'A1'",
			"release.json: evidence 2 of item A1: no entry of the trail knows of it", "",
		},
		{"an item", "UPDATE gatehouse.run_items SET state = 'failed' WHERE item_id = 'A2'", "release.json: item A2: it is failed, and entry ", ""},
		{"who settled an item", "UPDATE gatehouse.run_items SET settled_subject = 'Mallory' WHERE item_id = 'A2'", "release.json: item A2: it was settled by somebody else, says entry ", ""},
		{"an open item", "UPDATE gatehouse.run_items SET state = 'failed', settled_at = now(), due_at = now(), settled_subject = 'x' WHERE item_id = 'A3'", "release.json: item A3: it is failed, and no entry of the trail says so", ""},
		{"a byte of a file", "UPDATE gatehouse.evidence_chunks SET body = set_byte(body, 7, 65) WHERE place = 2", "evidence-files/A1/1-Z_hlung__1.pdf: file 1 of item A1: hash mismatch", ""},
		{"a piece of a file", "DELETE FROM gatehouse.evidence_chunks WHERE place = 2", "evidence-files/A1/1-Z_hlung__1.pdf: file 1 of item A1: hash mismatch", ""},
		{
			"a file and its hash", "UPDATE gatehouse.evidence_chunks SET body = set_byte(body, 7, 65) WHERE place = 2; " +
				"UPDATE gatehouse.evidence_files f SET sha256 = (SELECT encode(sha256(string_agg(c.body, '' ORDER BY c.place)), 'hex') FROM gatehouse.evidence_chunks c)",
			"release.json: file 1 of item A1: it is not what entry ", "",
		},
		{"a file taken out", "DELETE FROM gatehouse.evidence_chunks; DELETE FROM gatehouse.evidence_files", "release.json: file 1 of item A1: it is missing: entry ", ""},
		{"a file's name", "UPDATE gatehouse.evidence_files SET file_name = 'empty.pdf'", "release.json: file 1 of item A1: it is not what entry ", ""},
		{"a skipping", "ALTER TABLE gatehouse.item_waivers DROP CONSTRAINT item_waivers_content_hash; UPDATE gatehouse.item_waivers SET content = '{}'", "hash mismatch: the content stored is no longer the content that was signed", ""},
		{"a skipping and its hash", "UPDATE gatehouse.item_waivers SET content = '{}', content_sha256 = encode(sha256('{}'), 'hex')", "release.json: skipping ", ""},
		{"who skipped", "UPDATE gatehouse.item_waivers SET subject = 'Mallory'", "release.json: skipping ", ""},
		{"a skipping taken out", "ALTER TABLE gatehouse.run_items DROP CONSTRAINT run_items_required_skipped_by_signature; UPDATE gatehouse.run_items SET waiver = NULL; DELETE FROM gatehouse.item_waivers", ": it is missing: entry ", ""},
		{"a rejection", "UPDATE gatehouse.gate_stops SET reason = 'no reason'", "release.json: end of attempt 1 at gate go_no_go: it is not what entry ", ""},
		{"what was rejected", "ALTER TABLE gatehouse.gate_stops DROP CONSTRAINT gate_stops_content_hash; UPDATE gatehouse.gate_stops SET content = '{}'", "release.json: end of attempt 1 at gate go_no_go: hash mismatch", ""},
		{"what was rejected and its hash", "UPDATE gatehouse.gate_stops SET content = '{}', content_sha256 = encode(sha256('{}'), 'hex')", "release.json: end of attempt 1 at gate go_no_go: it is not what entry ", ""},
		{"a rejection taken out", "DELETE FROM gatehouse.gate_attempts; DELETE FROM gatehouse.gate_stops", "release.json: end of attempt 1 at gate go_no_go: it is missing: entry ", ""},
		{"a new attempt", "UPDATE gatehouse.gate_attempts SET note = 'just so'", "release.json: attempt 2 at gate go_no_go: it is not what entry ", ""},
		{"a rollback", "UPDATE gatehouse.rollbacks SET reason = 'no reason'", "release.json: rollback ", ""},
		{"a rollback's steps", "UPDATE gatehouse.rollbacks SET steps = '{Nothing.}'", "release.json: rollback ", ""},
		{"a rollback taken out", "DELETE FROM gatehouse.rollback_acts; DELETE FROM gatehouse.rollbacks", "release.json: rollback ", ""},
		{"a step of a rollback", "UPDATE gatehouse.rollback_acts SET note = 'not seen' WHERE kind = 'step'", "release.json: step 1 of rollback ", ""},
		{"who agreed to a rollback", "UPDATE gatehouse.rollback_acts SET subject = 'Mallory' WHERE kind = 'agreed'", "release.json: agreement to rollback ", ""},
		{"the end of a rollback", "UPDATE gatehouse.rollback_acts SET good = true WHERE kind = 'ended'", "release.json: end of rollback ", ""},
		{"the review of a rollback", "UPDATE gatehouse.rollback_acts SET good = true WHERE kind = 'reviewed'", "release.json: review of rollback ", ""},
		{"a review taken out", "DELETE FROM gatehouse.rollback_acts WHERE kind = 'reviewed'", "release.json: review of rollback ", ""},
		{"a snapshot", "ALTER TABLE gatehouse.run_snapshots DROP CONSTRAINT run_snapshots_hashed; UPDATE gatehouse.run_snapshots SET content = replace(content, 'unknown', 'healthy') WHERE point = 'hour_1'", "hash mismatch: it was changed after it was taken", ""},
		{
			"a snapshot and its hash", "UPDATE gatehouse.run_snapshots SET content = replace(content, 'unknown', 'healthy') WHERE point = 'hour_1'; " +
				"UPDATE gatehouse.run_snapshots SET sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')",
			"release.json: snapshot ", "",
		},
		{"a snapshot's hour", "UPDATE gatehouse.run_snapshots SET taken_at = taken_at + interval '1 second' WHERE point = 'hour_1'", "its content is of another hour than the row says", ""},
		{"a snapshot taken out", "DELETE FROM gatehouse.run_snapshots WHERE point = 'hour_1'", "release.json: snapshot ", ""},
		{"a missed snapshot", "DELETE FROM gatehouse.run_snapshot_misses", "release.json: missed snapshot before_30m of ", ""},
		{"why one was missed", "UPDATE gatehouse.run_snapshot_misses SET why = 'it rained'", "release.json: missed snapshot before_30m of ", ""},
		{"a lesson", "UPDATE gatehouse.release_lessons SET todo = 'nothing'", "release.json: lesson ", ""},
		{"a lesson taken out", "DELETE FROM gatehouse.release_lesson_marks; DELETE FROM gatehouse.release_lessons", "release.json: lesson ", ""},
		{"that a lesson was acted on", "UPDATE gatehouse.release_lesson_marks SET note = 'it was not'", "release.json: that lesson ", ""},
		{"a signature", "UPDATE gatehouse.signatures SET content = '{}', content_sha256 = encode(sha256('{}'), 'hex') WHERE slot = 'backend'", "of Ben: it is not the signature that entry ", ""},
		{"who signed", "UPDATE gatehouse.signatures SET subject = 'Mallory' WHERE slot = 'backend'", "of Ben: it is not the signature that entry ", ""},
		{
			"a deputy's right that nobody gave", `INSERT INTO gatehouse.deputies (tenant_id, deputy_id, role, issuer, subject, name, from_day, until_day, reason, named_issuer, named_subject, named_by, auth_time, acr, origin, ip, session, named_at, idempotency_key)
			SELECT tenant_id, '77777777-7777-7777-8777-777777777777', role, issuer, subject, name, now(), now(), 'made up', 'x', 'x', 'Mallory', now(), '', 'web', '', '', now(), gen_random_uuid() FROM kept_signatures WHERE slot = 'backend';
			UPDATE gatehouse.signatures SET deputy = '77777777-7777-7777-8777-777777777777' WHERE slot = 'backend'`,
			"of Ben: it is not the signature that entry ", "",
		},
		{"a signature taken out", "DELETE FROM gatehouse.signatures WHERE slot = 'backend'", "it is missing: entry ", ""},
		{"a signature put in", `INSERT INTO gatehouse.signatures SELECT tenant_id, gen_random_uuid(), run_id, 'final', 'devops', 1, role, meaning, statement, score, note, content, content_sha256, issuer, subject, name, auth_time, acr, origin, ip, session, signed_at, gen_random_uuid()
			FROM kept_signatures WHERE slot = 'devops'`, "of Dora: no entry of the trail knows of it", ""},
		{"a withdrawal taken out", "DELETE FROM gatehouse.signature_withdrawals", "record and trail differ on whether it was withdrawn", ""},
		{
			"the runbook", "UPDATE gatehouse.runs SET template = replace(template, 'Do.', 'Do not.'), template_sha256 = encode(sha256(convert_to(replace(template, 'Do.', 'Do not.'), 'UTF8')), 'hex')",
			"release.json: the runbook: entry ", "",
		},
		{"an entry of the trail", "UPDATE gatehouse.audit_events SET reason = 'x' WHERE seq = 3", "audit.jsonl: line ", "entry 3: was changed after it was written"},
		{"an entry taken out", "DELETE FROM gatehouse.audit_events WHERE seq = 3", "audit.jsonl: line ", "entry 3: missing"},
		{
			"the newest entries", "DELETE FROM gatehouse.audit_events WHERE seq > " + last + " - 2; UPDATE gatehouse.audit_heads h SET seq = e.seq, hash = e.hash FROM gatehouse.audit_events e WHERE e.tenant_id = h.tenant_id AND e.seq = " + last + " - 2",
			"", " knows; it was rewritten",
		}, // entries were written since
		{"the newest seal", "DELETE FROM gatehouse.audit_seals", "", "stands in the file of heads and not in the database"},
		{"a seal", "UPDATE gatehouse.audit_seals SET hash = repeat('a', 64)", "", "does not carry the signature"},
	})
}

// tampering is something that a superuser does, and what the two checks say of it; nothing where one cannot see it.
type tampering struct{ name, statement, bundle, walk string }

// tampered does each thing, looks at what the checks say, and puts the tables back.
func (b bundled) tampered(tables []string, cases []tampering) {
	t := b.t
	t.Helper()
	if check, err := b.trail.Verify(t.Context(), devops); err != nil || !check.Whole() {
		t.Fatalf("Verify before = %+v, %v", check, err)
	}
	for _, table := range tables {
		b.exec("CREATE TABLE kept_" + table + " AS SELECT * FROM gatehouse." + table)
	}
	off := func(statement string) {
		b.t.Helper()
		tx, err := b.super.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
		if _, err := tx.Conn().PgConn().Exec(t.Context(), "SET LOCAL session_replication_role = replica; "+statement).ReadAll(); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range cases {
		off(c.statement)
		_, err := b.verify(b.export())
		if c.bundle == "" && c.walk == "" && err != nil || c.bundle != "" && (err == nil || !strings.Contains(err.Error(), c.bundle)) {
			t.Errorf("%s: verify-bundle says %v, want %q", c.name, err, c.bundle)
		}
		check, err := b.trail.Verify(t.Context(), devops)
		if err != nil || c.walk == "" && !check.Whole() || !strings.Contains(check.Break, c.walk) {
			t.Errorf("%s: audit verify says %q, %v; want %q", c.name, check.Break, err, c.walk)
		}
		for _, table := range tables {
			off("DELETE FROM gatehouse." + table + "; INSERT INTO gatehouse." + table + " SELECT * FROM kept_" + table)
		}
		b.trail.Heads.Path = filepath.Join(t.TempDir(), "heads")
		if _, err := b.trail.Verify(t.Context(), devops); err != nil { // publishes what stands now
			t.Fatal(err)
		}
		b.stories = dossier.NewService(postgres.Dossiers{DB: b.db, Trail: b.trail})
		off("DELETE FROM kept_audit_events; INSERT INTO kept_audit_events SELECT * FROM gatehouse.audit_events; DELETE FROM kept_audit_heads; INSERT INTO kept_audit_heads SELECT * FROM gatehouse.audit_heads; " +
			"DELETE FROM kept_audit_seals; INSERT INTO kept_audit_seals SELECT * FROM gatehouse.audit_seals; DELETE FROM kept_audit_checks; INSERT INTO kept_audit_checks SELECT * FROM gatehouse.audit_checks")
	}
}

func unpacked(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// part is a file as it is put into an archive again.
type part struct {
	name string
	text []byte
}

func packed(t *testing.T, parts []part) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range parts {
		w, err := z.Create(p.name)
		if err == nil {
			_, err = w.Write(p.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// relisted is the archive with a manifest that fits it again, signed by key where there is one.
func relisted(t *testing.T, files map[string][]byte, key *audit.SealKey) map[string][]byte {
	t.Helper()
	if key != nil {
		files["public-key.pem"] = []byte(key.Public().PEM())
	}
	var list map[string]any
	if err := json.Unmarshal(files["manifest.json"], &list); err != nil {
		t.Fatal(err)
	}
	for _, f := range list["files"].([]any) { //nolint:forcetypeassert // the manifest is ours
		f := f.(map[string]any) //nolint:forcetypeassert // as above
		text, sum := files[f["name"].(string)], sha256.Sum256(files[f["name"].(string)])
		f["bytes"], f["sha256"] = len(text), hex.EncodeToString(sum[:])
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	files["manifest.json"] = text
	if key != nil {
		sum := sha256.Sum256(text)
		sig, err := json.Marshal(map[string]any{"key_id": key.Public().ID(), "signature": key.Sign([]byte("gatehouse-dossier-1 " + hex.EncodeToString(sum[:])))})
		if err != nil {
			t.Fatal(err)
		}
		files["manifest.sig.json"] = sig
	}
	return files
}

func inOrder(files map[string][]byte) []part {
	var parts []part
	for name, text := range files {
		parts = append(parts, part{name, text})
	}
	return parts
}

// A gate whose time ran out stands in the dossier as nobody's doing.
func TestAnExpiredGateIsInTheDossier(t *testing.T) {
	t.Parallel()
	r := expiring(t)
	r.exec("UPDATE gatehouse.runs SET t0 = now() - interval '9 hours' WHERE run_id = $1", r.id)
	if n, err := r.signoff.Expire(t.Context(), schedulerOf(worker)); err != nil || n != 1 {
		t.Fatalf("Expire = %d, %v", n, err)
	}
	b := bundled{release: r, key: sealKey(t)}
	b.trail = postgres.Audit{DB: r.db, Heads: audit.HeadFile{Path: filepath.Join(t.TempDir(), "heads")}, Keys: audit.NewKeyring(b.key)}
	b.stories = dossier.NewService(postgres.Dossiers{DB: r.db, Trail: b.trail})
	archive := b.export()
	if _, err := b.verify(archive); err != nil {
		t.Errorf("Verify = %v, want that it fits", err)
	}
	if page := string(unpacked(t, archive)["dossier.html"]); !strings.Contains(page, "Attempt 1 <b>expired</b>") || !strings.Contains(page, "Begun again</dt><dd>no") {
		t.Error("the page does not tell of the expiry")
	}
}

// A08: whatever is done to the archive itself is refused, and named.
func TestWhateverIsDoneToADossierIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	b := newBundled(t)
	whole := b.export()
	change := func(name, old, now string) func(map[string][]byte) []part {
		return func(f map[string][]byte) []part {
			was := string(f[name])
			if f[name] = []byte(strings.Replace(was, old, now, 1)); was == string(f[name]) {
				t.Fatalf("%s holds no %s", name, old)
			}
			return inOrder(f)
		}
	}
	add := func(name string) func(map[string][]byte) []part {
		return func(f map[string][]byte) []part { return append(inOrder(f), part{name, []byte("x")}) }
	}
	stranger := sealKey(t)
	for name, c := range map[string]struct {
		do   func(map[string][]byte) []part
		want string
	}{
		"nothing":    {inOrder, ""},
		"the page":   {change("dossier.html", "looked at it", "looked at IT"), "dossier.html: it was changed"},
		"the record": {change("release.json", "looked at it", "looked at IT"), "release.json: it was changed"},
		"the trail":  {change("audit.jsonl", "item:done", "item:skip"), "audit.jsonl: it was changed"},
		"a file":     {change("evidence-files/A1/1-Z_hlung__1.pdf", "count", "cuont"), "evidence-files/A1/1-Z_hlung__1.pdf: it was changed"},
		"no file":    {func(f map[string][]byte) []part { delete(f, "evidence-files/A1/1-Z_hlung__1.pdf"); return inOrder(f) }, "evidence-files/A1/1-Z_hlung__1.pdf: it is missing"},
		"the key": {func(f map[string][]byte) []part {
			f["public-key.pem"] = []byte(stranger.Public().PEM())
			return inOrder(f)
		}, "public-key.pem: it was changed"},
		"the manifest":   {change("manifest.json", `"code": "REQ-1"`, `"code": "REQ-2"`), "manifest.sig.json: this is not the signature of key"},
		"the signature":  {change("manifest.sig.json", `"signature": "`, `"signature": "AAAA`), "manifest.sig.json: this is not the signature of key"},
		"no signature":   {func(f map[string][]byte) []part { delete(f, "manifest.sig.json"); return inOrder(f) }, "manifest.sig.json: it is missing"},
		"no manifest":    {func(f map[string][]byte) []part { delete(f, "manifest.json"); return inOrder(f) }, "manifest.json: it is missing"},
		"no page":        {func(f map[string][]byte) []part { delete(f, "dossier.html"); return inOrder(f) }, "dossier.html: it is missing"},
		"one more":       {add("extra.txt"), "extra.txt: it does not belong here"},
		"one twice":      {func(f map[string][]byte) []part { return append(inOrder(f), part{"release.json", f["release.json"]}) }, `"release.json": it stands in the archive twice`},
		"capitals":       {add("Release.json"), "differs from"},
		"out of it":      {add("../outside"), `"../outside": its path leads out of the archive`},
		"from the root":  {add("/etc/passwd"), `"/etc/passwd": this is no name of a file in a dossier`},
		"a drive":        {add(`C:\x`), "this is no name of a file in a dossier"},
		"a folder":       {func(f map[string][]byte) []part { return append(inOrder(f), part{"folder/", nil}) }, `"folder/": this is no name of a file in a dossier`},
		"by a stranger":  {func(f map[string][]byte) []part { return inOrder(relisted(t, f, stranger)) }, "manifest.sig.json: the manifest was signed with key " + stranger.Public().ID()},
		"page, relisted": {func(f map[string][]byte) []part { f["dossier.html"] = []byte("x"); return inOrder(relisted(t, f, nil)) }, "manifest.sig.json: this is not the signature"},
	} {
		archive := packed(t, c.do(unpacked(t, whole)))
		_, err := b.verify(archive)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: Verify = %v, want %q", name, err, c.want)
		}
	}
	// A row that was changed is named beside its file.
	for want, do := range map[string]func(map[string][]byte) []part{
		"release.json: evidence 1 of item A1: hash mismatch": change("release.json", "looked at it", "looked at IT"),
		"audit.jsonl: line 18: entry 17: ":                   change("audit.jsonl", "item:done", "item:skip"),
	} {
		if _, err := b.verify(packed(t, do(unpacked(t, whole)))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Verify = %v, want %q named", err, want)
		}
	}
	// Who makes a manifest and a signature of their own is found without the key only where they forget what the trail says.
	forged := unpacked(t, whole)
	forged["release.json"] = bytes.Replace(forged["release.json"], []byte("looked at it"), []byte("looked at IT"), 1)
	archive := packed(t, inOrder(relisted(t, forged, stranger)))
	if _, err := dossier.Verify(bytes.NewReader(archive), int64(len(archive)), audit.Keyring{}); err == nil || !strings.Contains(err.Error(), "release.json: evidence 1 of item A1: hash mismatch") {
		t.Errorf("Verify of a forgery without a key = %v, want the evidence named", err)
	}
	for what, c := range map[string]struct{ old, now, want string }{
		"a reason":      {`"reason": "Nobody is there that night."`, `"reason": "It was done."`, "release.json: item A4: its reason is not the one that entry "},
		"a skipping":    {`"statement": "As `, `"statement": "as `, "release.json: skipping "},
		"a file's hash": {`"file_name": "Z`, `"file_name": "z`, "release.json: file 1 of item A1: it is not what entry "},
		"a rollback":    {`"note": "Asked for too early."`, `"note": "Well done."`, "release.json: review of rollback "},
		"a rejection":   {`"reason": "The backup is from last week."`, `"reason": "None."`, "release.json: end of attempt 1 at gate go_no_go: "},
		"a lesson":      {`"todo": "Make one."`, `"todo": "Nothing."`, "release.json: lesson "},
		"a missed hour": {`"why": "The snapshot `, `"why": "No snapshot `, "release.json: missed snapshot before_30m of "},
		"a comparison": {`"after": {
            "state": "`, `"after": {
            "state": "very `, " of hour_1 compared: the snapshots say something else"},
	} {
		forged := unpacked(t, whole)
		was := forged["release.json"]
		if forged["release.json"] = bytes.Replace(was, []byte(c.old), []byte(c.now), 1); bytes.Equal(was, forged["release.json"]) {
			t.Fatalf("release.json holds no %s", c.old)
		}
		archive := packed(t, inOrder(relisted(t, forged, stranger)))
		if _, err := dossier.Verify(bytes.NewReader(archive), int64(len(archive)), audit.Keyring{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Verify of a forgery without a key = %v, want %q", what, err, c.want)
		}
	}
	for _, cut := range []int{0, 10, len(whole) / 2, len(whole) - 1} {
		if _, err := b.verify(whole[:cut]); err == nil || !strings.Contains(err.Error(), "cannot be read as a zip") {
			t.Errorf("Verify of the first %d bytes = %v, want that it cannot be read", cut, err)
		}
	}
	for at := 0; at < len(whole); at += max(1, len(whole)/400) { // every byte somewhere
		bad := bytes.Clone(whole)
		bad[at] ^= 0x10
		if found, err := b.verify(bad); err == nil && !harmless(whole, bad) {
			t.Errorf("Verify with byte %d of %d changed = %+v, want that it is found", at, len(whole), found)
		}
	}
}

// harmless says that the archive has the same files with the same bytes: what was changed is a date, or the like.
func harmless(a, b []byte) bool {
	read := func(archive []byte) string {
		z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
		if err != nil {
			return err.Error()
		}
		var s strings.Builder
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				return err.Error()
			}
			text, err := io.ReadAll(r)
			fmt.Fprintf(&s, "%s %x %v\n", f.Name, sha256.Sum256(text), err)
		}
		return s.String()
	}
	return read(a) == read(b)
}

// A bomb is not unpacked, whatever it claims to be.
func TestABombIsNotUnpacked(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 65 { // more than a manifest may have
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := dossier.Verify(bytes.NewReader(b.Bytes()), int64(b.Len()), audit.Keyring{}); err == nil || !strings.Contains(err.Error(), "manifest.json: it has more than") {
		t.Errorf("Verify of a bomb = %v, want a refusal", err)
	}
	huge := bytes.Clone(b.Bytes())
	// The size that the list of files claims: 32 bits of ones say that it stands elsewhere, so one less.
	at := bytes.LastIndex(huge, []byte("PK\x01\x02"))
	copy(huge[at+24:], []byte{0xfe, 0xff, 0xff, 0xff})
	if _, err := dossier.Verify(bytes.NewReader(huge), int64(len(huge)), audit.Keyring{}); err == nil {
		t.Error("Verify of an archive that lies about a size gives no error")
	}
}
