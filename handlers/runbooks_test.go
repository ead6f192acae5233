package handlers

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

// ours is the newest runbook as another company could make it its own.
func ours(t *testing.T, version string) string {
	t.Helper()
	text := templates(t)[0].Text
	text = strings.Replace(text, `"name": "bin-optimization"`, `"name": "our-own"`, 1)
	return strings.Replace(text, `"version": "`+templates(t)[0].Version+`"`, `"version": "`+version+`"`, 1)
}

func TestARunbookIsImportedOnceAndOffered(t *testing.T) {
	s := openShelf(t)
	lead := person("d", "Dana Okafor", actor.DevOpsLead)
	file := func(text string) part { return part{field: "runbook_file", value: text, file: "ours.json"} }
	s.send(t, qaLead, "/runbooks", file(ours(t, "1.0.0"))).expect(http.StatusForbidden, "DevOps lead")
	s.send(t, lead, "/runbooks").expect(http.StatusUnprocessableEntity, "Choose a file.")
	wrong := strings.Replace(strings.Replace(ours(t, "1.0.0"), `"owner": "qa_lead"`, `"owner": "boss"`, 1), `"TS-7"`, `"TS-99"`, 1)
	refused := s.send(t, lead, "/runbooks", file(wrong))
	refused.expect(http.StatusUnprocessableEntity, "2 errors", "is no role", "TS-99, which is not there", "line ", "A browser does not keep a chosen file: choose it again.")
	if strings.Contains(refused.body, "what you typed is still here") {
		t.Error("the page says that a file is still there")
	}
	s.send(t, lead, "/runbooks", file(templates(t)[0].Text)).expect(http.StatusUnprocessableEntity, "belongs to a runbook of Gatehouse itself")
	s.send(t, lead, "/runbooks", file(strings.Repeat(" ", runbook.MaxTemplate+1))).expect(http.StatusRequestEntityTooLarge, "2 MiB")
	if len(s.imported) != 0 {
		t.Fatal("a refused runbook was kept")
	}
	s.send(t, lead, "/runbooks", file(ours(t, "1.0.0"))).goesTo("/runbooks")
	s.send(t, lead, "/runbooks", file(ours(t, "1.0.0"))).expect(http.StatusConflict, "here already, byte by byte")
	s.send(t, lead, "/runbooks", file(strings.Replace(ours(t, "1.0.0"), "Database answers", "It answers", 1))).expect(http.StatusConflict, "never replaced")
	s.send(t, lead, "/runbooks", file(ours(t, "1.10.0"))).goesTo("/runbooks")
	list := s.ask(t, viewer, http.MethodGet, "/runbooks")
	list.expect(http.StatusOK, "imported by Dana Okafor", "Importing a runbook is not among your roles.")
	if got := list.all("data-summary", ""); len(got) != 2 || words(got[0]) != strings.Join(strings.Fields(templates(t)[0].Summary), " ") {
		t.Errorf("%d of the company's two runbooks say what they are", len(got))
	}
	var rows []string
	for _, n := range list.all("data-runbook", "") {
		rows = append(rows, attribute(n, "data-runbook"))
	}
	if got := strings.Join(rows[len(rows)-2:], ", "); got != "our-own 1.10.0, our-own 1.0.0" {
		t.Errorf("the company's own stand as %s, want the newest first", got)
	}
	if got := s.ask(t, viewer, http.MethodGet, "/runbooks/"+s.imported[0].SHA256); got.body != ours(t, "1.0.0") {
		t.Error("the text is not given back byte by byte")
	}
	s.ask(t, viewer, http.MethodGet, "/runbooks/"+strings.Repeat("0", 64)).expect(http.StatusNotFound)
	s.ask(t, starter, http.MethodGet, "/releases/new").expect(http.StatusOK, "imported by Dana Okafor")
}

func TestAReleaseShowsInWhatTheNewestRunbookDiffers(t *testing.T) {
	s := openShelf(t)
	s.ask(t, viewer, http.MethodGet, releaseAt+"/runbook").expect(http.StatusOK, s.template.SHA256, "This release runs by the newest version.")
	all := templates(t)
	s.template = all[slices.IndexFunc(all, func(o runbook.Template) bool { return o.Version == "1.2.0" })]
	s.runs[0].Template = s.template.Ref()
	s.ask(t, viewer, http.MethodGet, releaseAt).expect(http.StatusOK, "A newer runbook exists", "What is different")
	got := s.ask(t, viewer, http.MethodGet, releaseAt+"/runbook")
	got.expect(http.StatusOK, s.template.Version, s.template.SHA256, "Item H48-1, evidence", "The six capabilities are live")
}
