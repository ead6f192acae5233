package postgres_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// growingOld starts the small runbook with a check before go / no-go whose evidence is good for four hours.
func growingOld(t *testing.T) *release {
	t.Helper()
	r := newHouse(t)
	text := strings.Replace(small, `"required":false,"evidence":{"kind":"link","label":"Where"}`, `"required":true,"fresh_for":"+4h","evidence":{"kind":"auto","check":"backup.restores"}`, 1)
	var err error
	if r.template, err = runbook.ParseTemplate([]byte(text)); err != nil {
		t.Fatalf("ParseTemplate: %v", err)
	}
	r.runbook = r.stories(r.template)
	r.checks.says["backup.restores"] = runbook.CheckResult{OK: true, Summary: "It restores.", Query: "SELECT 1", Value: []byte(`{}`), At: time.Now()}
	if r.id, err = r.runbook.Start(t.Context(), starter, runbook.StartRequest{
		Template: r.template.SHA256, Code: "REQ-1", Title: "One", T0: time.Now(), TimeZone: "Europe/Lisbon",
	}); err != nil {
		t.Fatalf("Start: %v", err)
	}
	return r
}

// aged lets the newest evidence of A3 be so old.
func (r *release) aged(by string) {
	r.t.Helper()
	r.exec(`ALTER TABLE gatehouse.run_evidence DISABLE TRIGGER USER`)
	r.exec(`UPDATE gatehouse.run_evidence SET added_at = clock_timestamp() - $1::interval WHERE item_id = 'A3'`, by)
}

// R6: what was found too long ago is found again before anybody signs.
func TestEvidenceGrowsOldAndKeepsItsGateShut(t *testing.T) {
	t.Parallel()
	r := growingOld(t)
	r.done("A1", "looked at it")
	r.done("A2", "9.5")
	r.check("A3")
	r.aged("4 hours 5 minutes")
	r.knock(fresh(qa), r.request(signoff.GoNoGo, "qa"), fault.Conflict, "A3, Extra, was found at")
	r.check("A3")
	r.sign(qa, signoff.GoNoGo, "qa")
	r.aged("3 hours 55 minutes")
	if got := r.gate(signoff.GoNoGo).Blockers; len(got) != 0 {
		t.Errorf("five minutes before its limit the gate is kept shut by %v", got)
	}
}

// S14: the limit to the second.
func TestEvidenceIsGoodUpToItsLimit(t *testing.T) {
	t.Parallel()
	r := newHouse(t)
	for after, want := range map[string]int{"3:59:59": 0, "4:00:00": 0, "4:00:01": 1} {
		if got := r.count(`SELECT gatehouse.went_stale('2026-12-01', 14400, timestamptz '2026-12-01' + $1::interval)::integer`, after); got != want {
			t.Errorf("%s after it was found the evidence is stale: %d, want %d", after, got, want)
		}
	}
	if got := r.count(`SELECT coalesce(gatehouse.went_stale('2026-12-01', NULL, '2036-12-01'), false)::integer`); got != 0 {
		t.Error("evidence without a limit grows old")
	}
}

// A check that said yes before a migration was taken back says nothing of the one that was applied again.
func TestWhatWasFoundBeforeAnUndoIsFoundAgain(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.passed()
	r.apply(worker, "up", true)
	r.check("B1")
	r.check("B2")
	told := func() (words []string) {
		for _, b := range r.gate(signoff.Final).Blockers {
			if strings.Contains(b.Text, "was found before V0.0.20 was taken back") {
				words = append(words, b.Item)
			}
		}
		return words
	}
	r.apply(worker, "down", false)
	if got := told(); len(got) != 0 {
		t.Errorf("after an undo that failed %v are asked for again", got)
	}
	r.apply(worker, "down", true)
	r.apply(worker, "up", true)
	if got := told(); !slices.Equal(got, []string{"B1", "B2"}) {
		t.Errorf("after down and up %v are asked for again, want both checks", got)
	}
	r.check("B1")
	r.check("B2")
	if got := told(); len(got) != 0 {
		t.Errorf("after the checks ran again %v are still asked for", got)
	}
}
