package handlers

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

func itemAt(i runbook.Item) string { return releaseAt + "/items/" + string(i.ID) }

// fieldOf is the field in which evidence of the item's kind is typed.
func fieldOf(i runbook.Item) string { return "evidence_" + string(i.Kind) }

// workable gives a release and an item of it that can be worked on now and is of that kind.
func workable(t *testing.T, kind runbook.Kind) (*shelf, runbook.Item) {
	t.Helper()
	s := openShelf(t)
	return s, s.first(t, kind)
}

func TestItemShowsWhatToDoAndItsAct(t *testing.T) {
	s, item := workable(t, runbook.Text)
	spec, phase, _ := s.template.Spec(item.ID)
	got := s.ask(t, qaLead, http.MethodGet, itemAt(item))
	got.expect(http.StatusOK, item.Title, phase.Name, item.Owner.Title(), spec.Evidence.Label, "nobody yet")
	if want := strings.Join(strings.Fields(spec.Expected), " "); got.text("data-expected", "") != want {
		t.Errorf("expected: %q, want %q", got.text("data-expected", ""), want)
	}
	if got.typed("version") != "1" || len(got.all("action", itemAt(item)+"/done")) != 1 {
		t.Error("no form to finish it, or not with the version")
	}
	refused := s.ask(t, viewer, http.MethodGet, itemAt(item))
	refused.expect(http.StatusOK, "Working on items is not among your roles.", "Who can:", "QA lead")
	if forms := refused.all("action", ""); strings.Contains(refused.body, itemAt(item)+"/take") {
		t.Errorf("a viewer has %d forms of the item", len(forms))
	}
	for _, act := range []string{"take", "check", "done", "fail", "reopen", "skip"} {
		fields := []string{"version", "1"}
		switch act {
		case "done":
			fields = append(fields, fieldOf(item), "all is well", "note", "")
		case "fail", "reopen", "skip":
			fields = append(fields, "reason", "because of it")
		}
		s.ask(t, viewer, http.MethodPost, itemAt(item)+"/"+act, fields...).expect(http.StatusForbidden, "QA lead", "item:work")
	}
}

func TestItemFromTakenToDoneAndBack(t *testing.T) {
	s, item := workable(t, runbook.Text)
	at := itemAt(item)
	s.ask(t, qaLead, http.MethodPost, at+"/take", "version", "1").goesTo(at)
	if got := s.ask(t, qaLead, http.MethodGet, at).text("data-holder", ""); got != "you" {
		t.Errorf("the page says that %q has it", got)
	}
	s.ask(t, backend, http.MethodPost, at+"/done", "version", "2", fieldOf(item), "All of it is there.", "note", "").
		expect(http.StatusConflict, "Quinn Adler has this item in hand", "All of it is there.")
	s.ask(t, qaLead, http.MethodPost, at+"/done", "version", "2", fieldOf(item), "All of it is there.", "note", "Seen at ten.").goesTo(at)
	done := s.ask(t, qaLead, http.MethodGet, at)
	done.expect(http.StatusOK, "All of it is there.", "Seen at ten.", strings.Repeat("e", 12))
	if got := attribute(done.all("data-item", "")[0], "data-state"); got != "done" {
		t.Errorf("the item is %s", got)
	}
	if got := done.text("data-holder", ""); !strings.HasPrefix(got, "Quinn Adler ") || !strings.Contains(done.body, "Done by") {
		t.Errorf("a done item was done by %q", got)
	}
	s.ask(t, qaLead, http.MethodPost, at+"/reopen", "version", "3", "reason", "It was the wrong file.").goesTo(at)
	s.ask(t, qaLead, http.MethodGet, at).expect(http.StatusOK, "put it back to open", "It was the wrong file.", "All of it is there.")
	s.ask(t, qaLead, http.MethodPost, at+"/fail", "version", "4", "reason", "The file is empty.").goesTo(at)
	if state := s.item(item.ID).State; state != runbook.Failed {
		t.Errorf("the item is %s, want failed", state)
	}
}

func (s *shelf) item(id runbook.ItemID) runbook.Item {
	item, _ := s.plan().Item(id)
	return item
}

func TestRefusedEvidenceStaysInItsField(t *testing.T) {
	for kind, c := range map[runbook.Kind]struct{ typed, complaint string }{
		runbook.Text:      {"ok", "Evidence is needed"},
		runbook.Number:    {"1,5", "Write the number with a point"},
		runbook.Link:      {"javascript:alert(1)", "This is not an address"},
		runbook.Statement: {"", "Confirm the statement"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			s := openShelf(t)
			item := s.reach(t, kind)
			got := s.ask(t, qaLead, http.MethodPost, itemAt(item)+"/done", "version", versionOfForm(item), fieldOf(item), c.typed, "note", "Typed with care.")
			got.expect(http.StatusUnprocessableEntity, c.complaint)
			if len(got.all("data-complaints", "")) != 1 || len(got.all("href", "#"+fieldOf(item))) != 1 {
				t.Error("the summary does not lead to the field")
			}
			if len(got.all("data-kept", "")) != 1 {
				t.Error("the page does not say that its fields are the person's, and would draw over them")
			}
			if kind != runbook.Statement && got.typed(fieldOf(item)) != c.typed || got.typed("note") != "Typed with care." {
				t.Errorf("typed text: %q, note %q", got.typed(fieldOf(item)), got.typed("note"))
			}
			if state := s.item(item.ID).State; state != runbook.Open {
				t.Errorf("the item is %s after a refused form", state)
			}
		})
	}
}

func TestAReasonIsAskedForAndBelongsToItsAct(t *testing.T) {
	s, item := workable(t, runbook.Text)
	got := s.ask(t, qaLead, http.MethodPost, itemAt(item)+"/fail", "version", "1", "reason", "no")
	got.expect(http.StatusUnprocessableEntity, "Say why in a few words")
	for _, n := range got.all("name", "reason") {
		want := ""
		if attribute(n, "id") == "reason-fail" {
			want = "no"
		}
		if words(n) != want {
			t.Errorf("the field %s holds %q, want %q", attribute(n, "id"), words(n), want)
		}
	}
	if len(got.all("href", "#reason-fail")) != 1 {
		t.Error("the summary does not lead to the reason of the failure")
	}
	required := s.ask(t, qaLead, http.MethodPost, itemAt(s.items[0])+"/skip", "version", "1", "reason", "Not needed.")
	required.expect(http.StatusConflict, "This item is required, so nobody skips it alone", "Not needed.")
}

func TestOvertakenItemShowsBothVersions(t *testing.T) {
	s, item := workable(t, runbook.Text)
	at := itemAt(item)
	s.ask(t, backend, http.MethodPost, at+"/done", "version", "1", fieldOf(item), "Their text.", "note", "").goesTo(at)
	// The item is done, so there is no form for what was typed; it stands on the page all the same.
	got := s.ask(t, qaLead, http.MethodPost, at+"/done", "version", "1", fieldOf(item), "My own text.", "note", "My note.")
	got.expect(http.StatusConflict, "Their text.", "finished it")
	if typed := got.text("data-typed", ""); !strings.Contains(typed, "My own text.") || !strings.Contains(typed, "My note.") {
		t.Errorf("what was typed: %q", typed)
	}
	if conflict := got.text("data-conflict", ""); !strings.Contains(conflict, "Done") || strings.Contains(conflict, "still in the form") {
		t.Errorf("the conflict: %q", conflict)
	}
	if n := len(s.evidence[item.ID]); n != 1 {
		t.Errorf("%d pieces of evidence, want theirs alone", n)
	}

	// Put back to open meanwhile, so the form is there again, with what was typed in it and the version of now.
	s.ask(t, backend, http.MethodPost, at+"/reopen", "version", "2", "reason", "Not right yet.").goesTo(at)
	again := s.ask(t, qaLead, http.MethodPost, at+"/done", "version", "1", fieldOf(item), "My own text.", "note", "")
	again.expect(http.StatusConflict, "Not right yet.", "still in the form")
	if again.typed(fieldOf(item)) != "My own text." || again.typed("version") != "3" {
		t.Errorf("the form holds %q with version %s", again.typed(fieldOf(item)), again.typed("version"))
	}
}

func TestItemThatWaitsSaysForWhat(t *testing.T) {
	s := openShelf(t)
	last := s.items[len(s.items)-1]
	got := s.ask(t, qaLead, http.MethodGet, itemAt(last))
	got.expect(http.StatusOK, "This item waits for:", "The gate Go / no-go has not been passed.")
	if strings.Contains(got.body, itemAt(last)+"/done") {
		t.Error("an item that has to wait can be finished")
	}
	s.ask(t, qaLead, http.MethodPost, itemAt(last)+"/take", "version", "1").expect(http.StatusConflict, "has to wait")
}

func TestACheckFillsItsItem(t *testing.T) {
	s := openShelf(t)
	item := s.first(t, runbook.Auto)
	at := itemAt(item)
	page := s.ask(t, devOps, http.MethodGet, at)
	page.expect(http.StatusOK, "cannot be ticked by hand", item.Check, "Run the check now")
	if strings.Contains(page.body, at+"/done") {
		t.Error("an item of kind auto can be ticked")
	}
	s.ask(t, devOps, http.MethodPost, at+"/done", "version", "1", "note", "I looked.").expect(http.StatusConflict, "nobody can tick it by hand")

	s.found = runbook.CheckResult{Summary: "V0.0.18 has failed.", Query: "SELECT 1", Value: []byte(`{"failed":1}`), At: s.at}
	s.ask(t, devOps, http.MethodPost, at+"/check", "version", "1").goesTo(at)
	failed := s.ask(t, devOps, http.MethodGet, at)
	failed.expect(http.StatusOK, "V0.0.18 has failed.", "SELECT 1", `{"failed":1}`)
	if got := attribute(failed.all("data-item", "")[0], "data-state"); got != "failed" {
		t.Errorf("after a check that says no the item is %s", got)
	}
	s.found.OK, s.found.Summary = true, "All is applied."
	s.ask(t, devOps, http.MethodPost, at+"/check", "version", "2").goesTo(at)
	if got := s.item(item.ID).State; got != runbook.Done {
		t.Errorf("after a check that says yes the item is %s", got)
	}
}

func TestAForgedFormOfAnItemIsRefused(t *testing.T) {
	s, item := workable(t, runbook.Text)
	for name, fields := range map[string][]string{
		"no version":       {fieldOf(item), "All is well.", "note", ""},
		"a stranger field": {"version", "1", fieldOf(item), "All is well.", "state", "done"},
		"another kind":     {"version", "1", "evidence_link", "https://example.com"},
		"control letters":  {"version", "1", fieldOf(item), "bell \a rings", "note", ""},
	} {
		if got := s.ask(t, qaLead, http.MethodPost, itemAt(item)+"/done", fields...); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d, want 422", name, got.status)
		}
	}
	if got := s.item(item.ID); got.State != runbook.Open || got.Version != 1 {
		t.Errorf("a forged form changed the item: %+v", got)
	}
}

// versionOfForm is the version of the item as a form carries it.
func versionOfForm(i runbook.Item) string { return strconv.Itoa(i.Version) }

// reach finds the first item of the kind, and settles what it waits for.
func (s *shelf) reach(t *testing.T, kind runbook.Kind) runbook.Item {
	t.Helper()
	for _, i := range s.items {
		if i.Kind == kind {
			s.settle(runbook.Done, func(before runbook.Item) bool { return before.Position < i.Position })
			return s.item(i.ID)
		}
	}
	t.Fatalf("the runbook asks for no evidence of kind %s", kind)
	return runbook.Item{}
}

func TestLateIsSaidOfWhatIsOpen(t *testing.T) {
	item := runbook.Item{Offset: -30 * time.Minute, State: runbook.Open}
	for name, c := range map[string]struct {
		state   runbook.ItemState
		now     time.Duration
		started time.Duration
		want    string
	}{
		"before":               {runbook.Open, -31 * time.Minute, -time.Hour, ""},
		"in its minute":        {runbook.Open, -30*time.Minute + 59*time.Second, -time.Hour, ""},
		"after it":             {runbook.Open, -18 * time.Minute, -time.Hour, "12 min late"},
		"failed and not yet":   {runbook.Failed, 0, -time.Hour, "30 min late"},
		"done":                 {runbook.Done, 0, -time.Hour, ""},
		"skipped":              {runbook.Skipped, 0, -time.Hour, ""},
		"due before the start": {runbook.Open, 0, -29 * time.Minute, "before the release was started"},
		"due at the start":     {runbook.Open, 0, -30 * time.Minute, "30 min late"},
	} {
		item.State = c.state
		run := runbook.Run{T0: t0, StartedAt: t0.Add(c.started)}
		if got := late(item, run, t0.Add(c.now)); got != c.want {
			t.Errorf("%s: late = %q, want %q", name, got, c.want)
		}
	}
}

// What is late says so once: "1 day late", and not "1 day ago" beside it.
func TestLateIsSaidOnce(t *testing.T) {
	item := runbook.Item{Offset: -30 * time.Minute, State: runbook.Open}
	if when, over := due(item, runbook.Run{T0: t0}, t0); over != "30 min late" || when.Relative != "" || !when.Known() {
		t.Errorf("due of what is late = %+v, %q", when, over)
	}
	if when, over := due(item, runbook.Run{T0: t0}, t0.Add(-42*time.Minute)); over != "" || when.Relative != "in 12 min" {
		t.Errorf("due of what is not late yet = %+v, %q", when, over)
	}
}

func TestEarlyIsSaidOfWhatIsDone(t *testing.T) {
	for name, c := range map[string]struct {
		state runbook.ItemState
		at    time.Duration
		want  string
	}{
		"long before":   {runbook.Done, -88 * time.Minute, "done 58 min before its time"},
		"in its minute": {runbook.Done, -30*time.Minute - 59*time.Second, ""},
		"late":          {runbook.Done, 0, ""},
		"skipped":       {runbook.Skipped, -88 * time.Minute, ""},
	} {
		item := runbook.Item{Offset: -30 * time.Minute, State: c.state, SettledAt: t0.Add(c.at)}
		if got := early(item, t0); got != c.want {
			t.Errorf("%s: early = %q, want %q", name, got, c.want)
		}
	}
}

func TestAnItemSaysWhichGateItsEvidenceBarsFrom(t *testing.T) {
	for id, want := range map[signoff.GateID]int{signoff.Final: 1, signoff.GoNoGo: 0} {
		s := openShelf(t)
		for i := range s.template.Gates {
			s.template.Gates[i].EvidenceAuthorMayNotSign = s.template.Gates[i].ID == signoff.Final
		}
		i := s.items[slices.IndexFunc(s.items, func(i runbook.Item) bool { return i.Gate == id && i.Kind == runbook.Text })]
		s.settle(runbook.Done, func(o runbook.Item) bool { return o.ID != i.ID })
		page := s.ask(t, backend, http.MethodGet, itemAt(i))
		if got := len(page.all("data-bars", "")); got != want {
			t.Errorf("%s of the gate %s says %d times that its evidence bars from signing, want %d: %.300s", i.ID, id, got, want, page.body)
		}
	}
}
