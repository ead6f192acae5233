package handlers

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

// part is a field of a form with a file; a file where it has a name.
type part struct {
	field, value, file string
}

// send posts a form as a browser does where it has a file.
func (s *shelf) send(t *testing.T, by actor.Actor, path string, parts ...part) answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, p := range parts {
		w, err := form.CreateFormField(p.field)
		if p.file != "" {
			w, err = form.CreateFormFile(p.field, p.file)
		}
		if err == nil {
			_, err = w.Write([]byte(p.value))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return s.post(t, by, path, form.FormDataContentType(), &body)
}

// asksForFile makes the item one that asks for a file, in the frozen template as well.
func (s *shelf) asksForFile(t *testing.T, id runbook.ItemID) runbook.Item {
	t.Helper()
	for n := range s.items {
		if s.items[n].ID == id {
			s.items[n].Kind = runbook.FileKind
		}
	}
	spec, _, _ := s.template.Spec(id)
	old := `"label": "` + spec.Evidence.Label + `"`
	text := strings.Replace(s.template.Text, `"kind": "text",`+between(s.template.Text, `"kind": "text",`, old)+old, `"kind": "file", `+old, 1)
	template, err := runbook.ParseTemplate([]byte(text))
	if err != nil {
		t.Fatalf("ParseTemplate: %v", err)
	}
	if spec, _, _ := template.Spec(id); spec.Evidence.Kind != runbook.FileKind {
		t.Fatalf("%s asks for %s", id, spec.Evidence.Kind)
	}
	s.template = template
	return s.item(id)
}

// between is the blanks that stand between two neighbouring lines of the template.
func between(text, a, b string) string {
	for blanks := range 40 {
		gap := "\n" + strings.Repeat(" ", blanks)
		if strings.Contains(text, a+gap+b) {
			return gap
		}
	}
	return " "
}

func TestAFileFinishesTheItemThatAsksForOne(t *testing.T) {
	s, item := workable(t, runbook.Text)
	item = s.asksForFile(t, item.ID)
	at := itemAt(item)
	page := s.ask(t, qaLead, http.MethodGet, at)
	page.expect(http.StatusOK, "Up to 20 MB")
	if len(page.all("enctype", "multipart/form-data")) != 2 {
		t.Error("want two forms that can carry a file: to finish it, and to attach one")
	}
	s.send(t, qaLead, at+"/done", part{field: "version", value: "1"}, part{field: "note", value: "Seen at ten."}).
		expect(http.StatusUnprocessableEntity, "Choose a file", "Seen at ten.")
	s.send(t, qaLead, at+"/done", part{field: "version", value: "1"}, part{field: "note", value: "Seen at ten."}, part{field: "evidence_file", value: "", file: "empty.txt"}).
		expect(http.StatusUnprocessableEntity, "The file is empty", "Seen at ten.")
	large := s.send(t, qaLead, at+"/done", part{field: "version", value: "1"}, part{field: "note", value: "Seen at ten."},
		part{field: "evidence_file", value: strings.Repeat("x", runbook.MaxFile+1), file: "large.bin"})
	large.expect(http.StatusRequestEntityTooLarge, "20 MB", "Seen at ten.")
	if len(large.all("href", "#evidence_file")) != 1 {
		t.Error("the summary does not lead to the file")
	}
	if len(s.files[item.ID]) != 0 || s.item(item.ID).State != runbook.Open {
		t.Errorf("refused files left %d files and the item %s", len(s.files[item.ID]), s.item(item.ID).State)
	}
	s.send(t, qaLead, at+"/done", part{field: "version", value: "1"}, part{field: "note", value: ""}, part{field: "evidence_file", value: "%PDF", file: "../../report.pdf"}).goesTo(at)
	done := s.ask(t, qaLead, http.MethodGet, at)
	done.expect(http.StatusOK, "report.pdf, 4 bytes")
	hash := s.files[item.ID][0].SHA256
	if len(done.all("href", at+"/files/"+hash)) == 0 {
		t.Error("no link to the file")
	}

	// Put back and begun again, it can be finished with a file that is attached meanwhile.
	s.ask(t, qaLead, http.MethodPost, at+"/reopen", "version", "2", "reason", "The wrong report.").goesTo(at)
	s.send(t, qaLead, at+"/done", part{field: "version", value: "3"}, part{field: "note", value: ""}, part{field: "attached", value: hash}).
		expect(http.StatusUnprocessableEntity, "Choose a file, or one of those that are attached.")
	s.send(t, qaLead, at+"/files", part{field: "evidence_file", value: "right", file: "right.pdf"}).goesTo(at)
	s.send(t, qaLead, at+"/done", part{field: "version", value: "3"}, part{field: "note", value: ""}, part{field: "attached", value: s.files[item.ID][1].SHA256}).goesTo(at)
	if got := s.item(item.ID).State; got != runbook.Done {
		t.Errorf("finished with an attached file it is %s", got)
	}
}

func TestFilesAreAttachedToAnyItemAndComeBackAsThingsToKeep(t *testing.T) {
	s, item := workable(t, runbook.Text)
	at := itemAt(item)
	s.send(t, viewer, at+"/files", part{field: "evidence_file", value: "x", file: "x.txt"}).expect(http.StatusForbidden, "item:work")
	s.send(t, qaLead, at+"/files").expect(http.StatusUnprocessableEntity, "Choose a file.")
	s.send(t, qaLead, at+"/files", part{field: "role", value: "admin"}, part{field: "evidence_file", value: "x", file: "x.txt"}).
		expect(http.StatusUnprocessableEntity, "does not know the field role")
	s.send(t, qaLead, at+"/files", part{field: "evidence_file", value: "x", file: "x.txt"}, part{field: "role", value: "admin"}).
		expect(http.StatusUnprocessableEntity, "follows the file")
	if n := len(s.files[item.ID]); n != 0 {
		t.Fatalf("%d files after refused forms", n)
	}
	page := "<script>alert(document.cookie)</script>"
	s.send(t, qaLead, at+"/files", part{field: "evidence_file", value: page, file: `harmless"; x=.png`}).goesTo(at)
	hash := s.files[item.ID][0].SHA256
	got := s.ask(t, viewer, http.MethodGet, at+"/files/"+hash)
	if got.status != http.StatusOK || got.body != page {
		t.Fatalf("the file: %d %q", got.status, got.body)
	}
	for key, want := range map[string]string{
		"Content-Type": "application/octet-stream", "Content-Length": "39", "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
		"Content-Disposition": `attachment; filename="harmless\"; x=.png"`,
	} {
		if got.header.Get(key) != want {
			t.Errorf("%s is %q, want %q", key, got.header.Get(key), want)
		}
	}
	s.ask(t, viewer, http.MethodGet, at+"/files/"+strings.Repeat("0", 64)).expect(http.StatusNotFound)
	s.files[item.ID][0].Intact = false
	s.ask(t, viewer, http.MethodGet, at+"/files/"+hash).expect(http.StatusConflict, "Hash mismatch")
	shown := s.ask(t, viewer, http.MethodGet, at)
	if len(shown.all("data-mismatch", "")) != 1 || len(shown.all("href", at+"/files/"+hash)) != 0 {
		t.Error("the page does not say the mismatch, or still links to the file")
	}
	if states := shown.all("data-state", alteredState.Code); len(states) == 0 {
		t.Error("the item is not said to have a hash mismatch")
	}
}
