package app_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/housetest"
)

// do takes those of the story's acts, in their order.
func (s *story) do(routes ...string) {
	s.t.Helper()
	for _, a := range acts() {
		if !slices.Contains(routes, a.route) {
			continue
		}
		if a.before != nil {
			a.before(s)
		}
		answer := s.as(a.who+"@rivermark").post(s.fill(a.path), s.fields(a))
		if answer.StatusCode != http.StatusSeeOther {
			s.t.Fatalf("%s: %d %s", a.route, answer.StatusCode, answer.main())
		}
		if a.after != nil {
			a.after(s, answer)
		}
	}
}

// settle runs an item's check anew, and gives the hash of the report or the file that its evidence names.
func (s *story) settle(item string) {
	s.t.Helper()
	base := "/releases/{release}/items/" + item
	for _, a := range []act{
		{path: base + "/reopen", page: base, who: "devops.lead", typed: map[string]string{"reason": "It is checked anew."}},
		{path: base + "/check", page: base, who: "devops.lead"},
	} {
		if answer := s.as(a.who+"@rivermark").post(s.fill(a.path), s.fields(a)); answer.StatusCode != http.StatusSeeOther {
			s.t.Fatalf("%s: %d %s", a.path, answer.StatusCode, answer.main())
		}
	}
	if state := s.text(`SELECT state FROM gatehouse.run_items WHERE item_id = $1`, item); state != "done" {
		s.t.Fatalf("%s is %s after its check", item, state)
	}
}

// content is what go / no-go signs as it stands now, and whether the gate is passed.
func (s *story) content() (text string, passed bool) {
	s.t.Helper()
	err := pgx.BeginFunc(s.t.Context(), s.super, func(tx pgx.Tx) error {
		if _, err := tx.Exec(s.t.Context(), "SELECT set_config('app.current_tenant_id', $1, true)", housetest.Rivermark.String()); err != nil {
			return err
		}
		return tx.QueryRow(s.t.Context(), "SELECT gatehouse.gate_content($1, 'go_no_go')::text, coalesce(gatehouse.gate_passed($1, 'go_no_go'), false)",
			uuid.MustParse(s.ids["release"])).Scan(&text, &passed)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return text, passed
}

// TestGoNoGoSignsTheRehearsalAndTheDrillByTheirHashes: M7. What was signed names the rehearsal's report by its SHA-256, and
// the backup that was restored by that of its file, of its manifest and by its drill. Another rehearsal in its place is other
// content: the signatures are void, and nothing is applied.
func TestGoNoGoSignsTheRehearsalAndTheDrillByTheirHashes(t *testing.T) {
	s := &story{open(t, "0.0.18"), map[string]string{}}
	s.stock()
	s.do("POST /releases", "POST /releases/:release/window")
	s.prove()
	s.finishItems()
	s.settle("P1.2")
	s.settle("P1.2b")
	s.do("POST /releases/:release/gates/:gate/sign")
	const newest = `SELECT report_sha256 FROM gatehouse.rehearsals ORDER BY recorded_at DESC LIMIT 1`
	signed := s.text(newest)
	s.passGate() // signs, and leaves a newer backup and a newer rehearsal beside those that were signed
	text, passed := s.content()
	if !passed {
		t.Fatal("go / no-go is not passed")
	}
	for what, want := range map[string]string{
		"the rehearsal's report": signed, "the rehearsal": s.text(`SELECT rehearsal_id::text FROM gatehouse.rehearsals ORDER BY recorded_at LIMIT 1`),
		"the file of the backup": s.text(`SELECT sha256 FROM gatehouse.backups ORDER BY recorded_at LIMIT 1`),
		"its manifest":           s.text(`SELECT manifest_sha256 FROM gatehouse.backups ORDER BY recorded_at LIMIT 1`),
		"its drill":              s.text(`SELECT check_id::text FROM gatehouse.backup_checks WHERE kind = 'drill' ORDER BY recorded_at LIMIT 1`),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("what is signed does not name %s, %s", what, want)
		}
	}
	// A newer rehearsal alone changes nothing of what was signed. Put in the place of the other, it does.
	s.settle("P1.2b")
	again, passed := s.content()
	other := s.text(`SELECT rehearsal_id::text FROM gatehouse.rehearsals ORDER BY recorded_at DESC LIMIT 1`)
	if !strings.Contains(again, other) || passed {
		t.Errorf("with rehearsal %s in its place (named: %t) the gate is passed: %t; want that the signatures are void", other, strings.Contains(again, other), passed)
	}
	page := s.as("devops.engineer@rivermark").get("/migrations/V0.0.20")
	if _, offered := formOf(t, page.body, "/migrations/V0.0.20/apply"); offered {
		t.Error("the page offers to apply what nobody signed")
	}
}
