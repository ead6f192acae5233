package handlers

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/net/html"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

const releaseAt = "/releases/33333333-3333-7333-8333-333333333333"

func TestReleaseListShowsRunsAndThePlaceInIt(t *testing.T) {
	s := openShelf(t)
	for n := range releasePageSize {
		run := s.runs[0]
		run.ID, run.State, run.Code = uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, n)), runbook.Closed, fmt.Sprint("OLD-", n)
		run.StartedAt = run.StartedAt.Add(-time.Duration(n+1) * time.Hour)
		s.runs = append(s.runs, run)
	}
	got := s.ask(t, devOps, http.MethodGet, "/releases")
	got.expect(http.StatusOK, "REQ-1", "Running", "24 Nov, 14:00", "OLD-48", "Start a release")
	if rows := len(got.all("data-release", "")); rows != releasePageSize || strings.Contains(got.body, "OLD-49") {
		t.Errorf("%d rows, want %d", rows, releasePageSize)
	}
	older := ""
	for _, link := range got.all("href", "") {
		if href := attribute(link, "href"); strings.Contains(href, "before=") {
			older = href
		}
	}
	s.ask(t, devOps, http.MethodGet, older).expect(http.StatusOK)
	if last := s.runs[releasePageSize-1]; !s.asked.BeforeAt.Equal(last.StartedAt) || s.asked.BeforeID != last.ID {
		t.Errorf("%s asks for what is before %s %s, want %s %s", older, s.asked.BeforeAt, s.asked.BeforeID, last.StartedAt, last.ID)
	}
	s.ask(t, devOps, http.MethodGet, "/releases?state=aborted").expect(http.StatusOK)
	if s.asked.State != runbook.Aborted {
		t.Errorf("the filter asks for %q", s.asked.State)
	}
	for _, wrong := range []string{"?before=yesterday", "?state=lost", "?sort=code"} {
		if got := s.ask(t, devOps, http.MethodGet, "/releases"+wrong); got.status != http.StatusUnprocessableEntity {
			t.Errorf("/releases%s: status %d", wrong, got.status)
		}
	}
}

func TestReleaseListEmptySaysWhatWouldBeThereAndWhoStarts(t *testing.T) {
	s := openShelf(t)
	s.runs = nil
	got := s.ask(t, viewer, http.MethodGet, "/releases")
	got.expect(http.StatusOK, "No release has been started yet", "Who can: DevOps engineer or DevOps lead")
	if strings.Contains(got.body, "/releases/new") {
		t.Error("a viewer is led to the form that starts a release")
	}
	s.ask(t, devOps, http.MethodGet, "/releases?state=closed").expect(http.StatusOK, "No release is in this state.")
}

func TestReleaseShowsPhasesTimelineAndOneNextStep(t *testing.T) {
	s := openShelf(t)
	s.settle(runbook.Done, func(i runbook.Item) bool { return i.Phase == "checklist" && i.Required })
	s.at = t0.Add(-20 * time.Minute)
	got := s.ask(t, devOps, http.MethodGet, releaseAt)
	got.expect(http.StatusOK, "14:00 EST in 20 min", "2026-11-24 19:00:00 UTC", "America/New_York", "now, 13:40 EST", "T-24h", "T+48h", "6 to apply")
	open := 0
	for _, phase := range got.all("data-phase", "") {
		if slices.ContainsFunc(phase.Attr, func(a html.Attribute) bool { return a.Key == "open" }) {
			open++
			if id := attribute(phase, "data-phase"); id != "validation" {
				t.Errorf("phase %s is unfolded, want validation", id)
			}
		}
	}
	if open != 1 || len(got.all("data-phase", "")) != len(s.template.Phases) {
		t.Errorf("%d of %d phases are unfolded", open, len(got.all("data-phase", "")))
	}
	if rows := len(got.all("data-item", "")); rows != len(s.items) {
		t.Errorf("%d items on the page, want %d", rows, len(s.items))
	}
	// No item of this phase is required, and still none of them can be worked on.
	if got := attribute(got.all("data-phase", "application")[0], "data-state"); got != "blocked" {
		t.Errorf("the phase application is %s before the migrations, want blocked", got)
	}
	if next := got.text("data-next", ""); !strings.Contains(next, "10 min late") || !strings.Contains(next, "P1.") {
		t.Errorf("the next step: %s", next)
	}
	for _, size := range []struct {
		what string
		by   actor.Actor
		path string
	}{{"release", devOps, releaseAt}, {"gate", devOps, releaseAt + "/gates/go_no_go"}} {
		page := s.ask(t, size.by, http.MethodGet, size.path)
		if wire := zipped(t, page.body); page.status != http.StatusOK || wire > 60_000 {
			t.Errorf("the page of a %s is %d bytes over the wire, %d before", size.what, wire, len(page.body))
		} else {
			t.Logf("the page of a %s: %d bytes, %d zipped", size.what, len(page.body), wire)
		}
	}
}

func zipped(t *testing.T, text string) int {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// The one next step, all the way through a release.
func TestNextStep(t *testing.T) {
	inPhases := func(ids ...runbook.PhaseID) func(runbook.Item) bool {
		return func(i runbook.Item) bool { return i.Required && slices.Contains(ids, i.Phase) }
	}
	gated := func(i runbook.Item) bool { return i.Gate == signoff.GoNoGo }
	cases := map[string]struct {
		by    actor.Actor
		given func(*shelf)
		who   string
		yours bool
		way   string
		says  string
	}{
		"at the start, the first required item": {devOps, func(*shelf) {}, "DevOps lead", true, "/items/PRE-P1", "PRE-P1"},
		"not mine":                              {viewer, func(*shelf) {}, "DevOps lead", false, "/items/PRE-P1", "PRE-P1"},
		"somebody has it": {devOps, func(s *shelf) {
			s.items[0].State, s.items[0].Holder = runbook.InProgress, runbook.Person{Subject: "w", Name: "Wim Baker"}
		}, "Wim Baker", false, "/items/PRE-P1", "PRE-P1"},
		"it has failed":                        {devOps, func(s *shelf) { s.settle(runbook.Failed, func(i runbook.Item) bool { return i.ID == "PRE-P1" }) }, "DevOps lead", true, "/items/PRE-P1", "PRE-P1 has failed"},
		"the gate, for who signs":              {qaLead, func(s *shelf) { s.settle(runbook.Done, gated) }, "Backend lead, QA lead, Statistical expert", true, "/gates/go_no_go", "0 of 4 required signatures"},
		"the gate, not yet for who signs last": {devOps, func(s *shelf) { s.settle(runbook.Done, gated) }, "Backend lead, QA lead, Statistical expert", false, "/gates/go_no_go", "Sign Go / no-go"},
		"the gate is blocked by something else": {qaLead, func(s *shelf) {
			s.settle(runbook.Done, gated)
			s.blockers = []signoff.Blocker{{Text: "A migration run is under way."}}
		}, "", false, "/gates/go_no_go", "waits. A migration run is under way."},
		"after the sign-off, what watches": {devOps, func(s *shelf) {
			s.settle(runbook.Done, func(i runbook.Item) bool { return i.Gate != "" })
			s.runs[0].State = runbook.SignedOff
		}, "", false, "/items/H1-1", "H1-1"},
		"signed off, only optional items left": {devOps, func(s *shelf) {
			s.settle(runbook.Done, inPhases("hour-1", "hour-4", "hour-24", "hour-48"))
			s.runs[0].State = runbook.SignedOff
		}, "", false, "", "Everything required is done"},
		"what was skipped by signature is settled": {qaLead, func(s *shelf) {
			s.settle(runbook.Done, gated)
			s.settle(runbook.Skipped, func(i runbook.Item) bool { return i.ID == "PRE-P1" })
		}, "Backend lead, QA lead, Statistical expert", true, "/gates/go_no_go", "0 of 4 required signatures"},
		"aborted: none": {devOps, func(s *shelf) { s.runs[0].State = runbook.Aborted }, "", false, "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := openShelf(t)
			c.given(s)
			r, err := runbookShelf{s}.Show(t.Context(), c.by, runID)
			if err != nil {
				t.Fatal(err)
			}
			waits := map[runbook.ItemID][]runbook.Wait{}
			for _, i := range r.Items {
				waits[i.ID] = r.Waiting(i)
			}
			got := nextView(c.by, r, waits)
			if name == "after the sign-off, what watches" {
				c.who, c.yours = s.items[slices.IndexFunc(s.items, func(i runbook.Item) bool { return i.ID == "H1-1" })].Owner.Title(), got.Yours
			}
			if got.Who != c.who || got.Yours != c.yours || !strings.HasSuffix(got.Way.Href, c.way) || (c.way == "") != (got.Way.Href == "") || !strings.Contains(got.Text, c.says) {
				t.Errorf("nextView = %+v\nwant who %q, yours %v, way %q, text with %q", got, c.who, c.yours, c.way, c.says)
			}
		})
	}
}

// After an end nothing waits and nothing is to be opened: neither items, nor phases, nor gates say so.
func TestNothingOfAnAbortedReleaseWaits(t *testing.T) {
	s := openShelf(t)
	s.runs[0].State = runbook.Aborted
	for path, says := range map[string]string{releaseAt: "Not done", releaseAt + "/gates/go_no_go": "Not passed", releaseAt + "/items/P1.1": "Not done", releaseAt + "/items/PRE-P1": "Not done"} {
		answer := s.ask(t, devOps, http.MethodGet, path)
		answer.expect(http.StatusOK)
		got := words(answer.page)
		for _, wrong := range []string{"Waiting", "waiting", "Closed", "have to be done first", "Not open for signing", "ticked by hand"} {
			if strings.Contains(got, wrong) {
				t.Errorf("%s of an aborted release says %q", path, wrong)
			}
		}
		if !strings.Contains(got, says) {
			t.Errorf("%s of an aborted release does not say %q", path, says)
		}
	}
}

func TestStartingARelease(t *testing.T) {
	fields := func(s *shelf, change ...string) []string {
		all := []string{"template", s.template.SHA256, "code", "REQ-9", "title", "The next one", "t_zero", "2026-12-01T14:00", "zone", "America/New_York"}
		return append(all, change...)
	}
	s := openShelf(t)
	s.runs = nil
	s.ask(t, devOps, http.MethodGet, "/releases/new").expect(http.StatusOK, "Start this release on", "11 phases, 82 items, 2 gates, 6 migrations", "Newest", "Older", "What claims an hour waits for it")
	own, guest := devOps, devOps
	own.Operator, guest.Operator = true, false
	for _, by := range []actor.Actor{own, guest} {
		if warned := len(s.ask(t, by, http.MethodGet, "/releases/new").all("data-guest", "")) == 1; warned == by.Operator {
			t.Errorf("that another company operates is said: %t, to a person of the operator: %t", warned, by.Operator)
		}
	}
	got := s.ask(t, devOps, http.MethodPost, "/releases", fields(s)...)
	if len(s.runs) != 1 {
		t.Fatalf("nothing was started: %d %s", got.status, words(got.page))
	}
	got.goesTo("/releases/" + s.runs[0].ID.String())
	if want := time.Date(2026, 12, 1, 19, 0, 0, 0, time.UTC); !s.runs[0].T0.Equal(want) || s.runs[0].TimeZone != "America/New_York" {
		t.Errorf("T-0 is %s in %s, want %s", s.runs[0].T0, s.runs[0].TimeZone, want)
	}

	again := s.ask(t, devOps, http.MethodPost, "/releases", fields(s)...)
	again.expect(http.StatusConflict, "Release REQ-9 is under way", "REQ-9")
	if again.typed("title") != "The next one" || again.typed("t_zero") != "2026-12-01T14:00" {
		t.Error("what was typed is lost with the conflict")
	}

	s.runs = nil
	wrong := s.ask(t, devOps, http.MethodPost, "/releases", fields(s, "code", "", "t_zero", "soon", "zone", "Asia/Tokyo")...)
	wrong.expect(http.StatusUnprocessableEntity, "A date and time like")
	if len(wrong.all("data-complaints", "")) != 1 || wrong.typed("t_zero") != "soon" || wrong.typed("zone") != "Asia/Tokyo" || wrong.typed("title") != "The next one" {
		t.Errorf("the refused form: t_zero %q, zone %q, title %q", wrong.typed("t_zero"), wrong.typed("zone"), wrong.typed("title"))
	}
	s.ask(t, devOps, http.MethodPost, "/releases", fields(s, "zone", "Mars/Olympus")...).expect(http.StatusUnprocessableEntity, "Choose the time zone of the site.")
	s.ask(t, devOps, http.MethodPost, "/releases", fields(s, "code", "")...).expect(http.StatusUnprocessableEntity, "The release needs a code")
	if len(s.runs) != 0 {
		t.Error("a refused form started a release")
	}

	s.ask(t, viewer, http.MethodGet, "/releases/new").expect(http.StatusOK, "Who can: DevOps engineer or DevOps lead")
	s.ask(t, viewer, http.MethodPost, "/releases", fields(s)...).expect(http.StatusForbidden, "DevOps engineer, DevOps lead")
}

func TestMovingTZero(t *testing.T) {
	s := openShelf(t)
	at := releaseAt + "/schedule"
	move := []string{"version", "1", "t_zero", "2026-11-25T09:30", "zone", "Europe/Lisbon", "reason", "The site asked for it."}
	s.ask(t, devOps, http.MethodPost, at, move...).goesTo(releaseAt)
	if want := time.Date(2026, 11, 25, 9, 30, 0, 0, time.UTC); !s.runs[0].T0.Equal(want) || s.runs[0].Version != 2 {
		t.Errorf("T-0 is %s, version %d", s.runs[0].T0, s.runs[0].Version)
	}
	overtaken := s.ask(t, devOps, http.MethodPost, at, append(move, "t_zero", "2026-11-26T10:00")...)
	overtaken.expect(http.StatusConflict, "T-0 is 25 Nov 2026 04:30 EST now")
	if overtaken.typed("t_zero") != "2026-11-26T10:00" || overtaken.typed("reason") != "The site asked for it." || overtaken.typed("version") != "2" {
		t.Errorf("the overtaken form: %q, %q, version %q", overtaken.typed("t_zero"), overtaken.typed("reason"), overtaken.typed("version"))
	}
	noReason := s.ask(t, devOps, http.MethodPost, at, "version", "2", "t_zero", "2026-11-26T10:00", "zone", "UTC", "reason", " ")
	noReason.expect(http.StatusUnprocessableEntity, "Say why in a few words")
	if noReason.typed("t_zero") != "2026-11-26T10:00" {
		t.Error("the typed time is lost")
	}
	both := s.ask(t, devOps, http.MethodPost, at, "version", "2", "t_zero", "2026-11-25T09:30", "zone", "Europe/Lisbon", "reason", "")
	both.expect(http.StatusUnprocessableEntity, "This is when T-0 is now.", "Say why in a few words")
	unread := s.ask(t, devOps, http.MethodPost, at, "version", "2", "t_zero", "soon", "zone", "Mars/Olympus", "reason", "")
	unread.expect(http.StatusUnprocessableEntity, "A date and time like", "Choose the time zone of the site.", "Say why in a few words")
	s.ask(t, viewer, http.MethodPost, at, move...).expect(http.StatusForbidden, "On-call engineer")
	if got := s.ask(t, viewer, http.MethodGet, releaseAt); strings.Contains(got.body, "/schedule") || strings.Contains(got.body, "/abort") {
		t.Error("a viewer is offered to move or to abort the release")
	}
}

func TestAbortingAsksForTheCode(t *testing.T) {
	s := openShelf(t)
	at := releaseAt + "/abort"
	wrong := s.ask(t, devOps, http.MethodPost, at, "version", "1", "confirm", "REQ-2", "abort_reason", "The backup cannot be read.")
	wrong.expect(http.StatusUnprocessableEntity, "Type REQ-1 to abort it.")
	if wrong.typed("abort_reason") != "The backup cannot be read." || wrong.typed("confirm") != "REQ-2" || s.runs[0].State != runbook.Active {
		t.Error("the refused form lost what was typed, or aborted")
	}
	s.ask(t, devOps, http.MethodPost, at, "version", "1", "confirm", "REQ-1", "abort_reason", "").expect(http.StatusUnprocessableEntity, "Say why in a few words")
	s.ask(t, devOps, http.MethodPost, at, "version", "1", "confirm", "", "abort_reason", "").
		expect(http.StatusUnprocessableEntity, "Type REQ-1 to abort it.", "Say why in a few words")
	s.ask(t, devOps, http.MethodPost, at, "version", "1", "confirm", strings.Repeat("REQ-1 ", 60), "abort_reason", "").
		expect(http.StatusUnprocessableEntity, "200 characters", "Say why in a few words")
	s.ask(t, devOps, http.MethodPost, at, "version", "1", "confirm", "REQ-1", "abort_reason", "The backup cannot be read.").goesTo(releaseAt)
	over := s.ask(t, devOps, http.MethodGet, releaseAt)
	over.expect(http.StatusOK, "The backup cannot be read.", "Aborted")
	if len(over.all("data-next", "")) != 0 || strings.Contains(over.body, "/schedule") {
		t.Error("a release that is over has a next step or can be moved")
	}
	s.ask(t, devOps, http.MethodPost, at, "version", "2", "confirm", "REQ-1", "abort_reason", "Once more.").expect(http.StatusConflict, "over")
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	s := openShelf(t)
	for _, path := range []string{
		"/releases/44444444-4444-7444-8444-444444444444", "/releases/REQ-1", releaseAt + "/items/P9.9", releaseAt + "/items/..%2f", releaseAt + "/gates/back",
		"/releases/44444444-4444-7444-8444-444444444444/gates/final", "/signatures/44444444-4444-7444-8444-444444444444", "/signatures/1",
	} {
		if got := s.ask(t, devOps, http.MethodGet, path); got.status != http.StatusNotFound {
			t.Errorf("GET %s: status %d, want 404", path, got.status)
		}
	}
}

// TestAnItemWhoseEvidenceWasAlteredIsNotGreen: whatever was said of it, nobody can rely on it.
func TestAnItemWhoseEvidenceWasAlteredIsNotGreen(t *testing.T) {
	s := openShelf(t)
	s.items[0].State, s.items[0].Altered = runbook.Done, true
	id := string(s.items[0].ID)
	for _, at := range []string{releaseAt, releaseAt + "/items/" + id} {
		if page := s.ask(t, viewer, http.MethodGet, at); len(page.all("data-state", alteredState.Code)) == 0 || !strings.Contains(page.body, "Hash mismatch") {
			t.Errorf("GET %s does not show the mismatch of %s", at, id)
		}
	}
	r := runbook.Release{Plan: s.plan(), Template: s.template}
	if p := phaseViews(viewer, r, nil)[0]; p.Counts.Failed != 1 || p.State.Code == "done" {
		t.Errorf("its phase: %+v, %s", p.Counts, p.State.Code)
	}
}

// TestTheWallSaysHowOverdueAnItemIs: also of what was due before there was a release, which is nobody's delay.
func TestTheWallSaysHowOverdueAnItemIs(t *testing.T) {
	s := openShelf(t)
	r := runbook.Release{Plan: s.plan(), Template: s.template}
	r.At = r.Items[0].Due(r.Run.T0).Add(3 * time.Hour)
	r.Run.StartedAt = r.At.Add(-time.Minute)
	row := wallView(layouts.Shell{}, viewer, r).Items[0]
	if row.Due.Relative != "3 h overdue" || row.Note != dueBeforeStart || row.Late != "" {
		t.Errorf("the wall says %q, %q, %q", row.Due.Relative, row.Note, row.Late)
	}
}

// A migration whose undo failed is still in the database, and one that was undone is called what its ladder calls it.
func TestMigrationLinesSayWhatStandsInTheDatabase(t *testing.T) {
	shown := func(direction string, success bool) runbook.MigrationShown {
		return runbook.MigrationShown{Migration: runbook.Migration{Version: "0.0.20"}, Direction: direction, Success: success}
	}
	lines, sentence := migrationLines(runbook.Release{Migrations: []runbook.MigrationShown{
		shown("up", true), shown("down", false), shown("down", true), shown("up", false), shown("", false), shown("restore", true),
	}})
	var words []string
	for _, l := range lines {
		words = append(words, l.State.Word)
	}
	want := []string{"Applied", "Applied", "Undone", "Failed", "Pending", "Undone"}
	if diff := cmp.Diff(want, words); diff != "" {
		t.Errorf("migrationLines (-want +got):\n%s", diff)
	}
	if sentence != "2 applied, 4 to apply." {
		t.Errorf("migrationLines says %q", sentence)
	}
	// What was there before is not the release's, and one that the release applied itself is, whenever it was.
	before, own := shown("up", true), shown("up", true)
	before.At, own.At, own.Own = t0.Add(-time.Hour), t0.Add(-time.Hour), true
	r := runbook.Release{Plan: runbook.Plan{Run: runbook.Run{StartedAt: t0}}, Migrations: []runbook.MigrationShown{before, own, shown("", false)}}
	lines, sentence = migrationLines(r)
	if lines[0].State.Word != "Applied before" || lines[1].State.Word != "Applied" || sentence != "2 applied, 1 of them before this release; 1 to apply." {
		t.Errorf("with one that was there before: %s, %s, %q", lines[0].State.Word, lines[1].State.Word, sentence)
	}
	r.Migrations = []runbook.MigrationShown{before, before}
	if _, sentence = migrationLines(r); sentence != "All 2 were applied before this release; it brings nothing new." {
		t.Errorf("all there before: %q", sentence)
	}
}
