package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

func TestARequiredItemSkippedBySignatureStandsInWhatItsGateSigns(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.done("A1", "looked at it")
	ctx, reason := t.Context(), "The meter is broken, and the last score holds."
	for who, c := range map[string]struct {
		err  error
		kind fault.Kind
	}{
		"who has no role of the gate": {r.runbook.Waive(ctx, fresh(worker), r.seen("A2"), reason), fault.Forbidden},
		"another company":             {r.runbook.Waive(ctx, fresh(stranger), r.seen("A2"), reason), fault.NotFound},
		"an old sign-in":              {r.runbook.Waive(ctx, old(qa), r.seen("A2"), reason), fault.Unauthenticated},
		"no reason":                   {r.runbook.Waive(ctx, fresh(qa), r.seen("A2"), " "), fault.Invalid},
		"an item that is done":        {r.runbook.Waive(ctx, fresh(qa), r.seen("A1"), reason), fault.Conflict},
		"an item that is not needed":  {r.runbook.Waive(ctx, fresh(qa), r.seen("A3"), reason), fault.Conflict},
		"without a signature":         {r.runbook.Skip(ctx, qa, r.seen("A2"), reason), fault.Conflict},
	} {
		if !fault.Is(c.err, c.kind) {
			t.Errorf("skipping by %s: %v, want %s", who, c.err, c.kind)
		}
	}
	lead := starter
	lead.Roles = devops.Roles
	if err := r.runbook.Waive(ctx, fresh(lead), r.seen("A2"), reason); !fault.Is(err, fault.Forbidden) {
		t.Errorf("skipping by who started the release: %v, want forbidden", err)
	}
	if n := r.count("SELECT count(*) FROM gatehouse.item_waivers"); n != 0 {
		t.Fatalf("%d signatures after refused ones", n)
	}
	if err := r.runbook.Waive(ctx, fresh(backend), r.seen("A2"), reason); err != nil {
		t.Fatalf("Waive: %v", err)
	}
	page := r.item("A2")
	if page.Item.State != runbook.Skipped || page.Waiver == nil || !page.Waiver.Intact || page.Waiver.By.Name != backend.Name || page.Waiver.Reason != reason {
		t.Fatalf("the item is %s with %+v", page.Item.State, page.Waiver)
	}
	gate := r.gate(signoff.GoNoGo)
	content, err := signoff.ParseContent(gate.Content)
	if err != nil || len(gate.Blockers) != 0 {
		t.Fatalf("the gate: %v, %v; want nothing that keeps it shut", gate.Blockers, err)
	}
	if w := content.Items[1].Waiver; w == nil || w.Statement != page.Waiver.Statement || w.Reason != reason || w.SHA256 != page.Waiver.SHA256 {
		t.Errorf("what the gate signs holds of it %+v", content.Items[1].Waiver)
	}
	r.sign(qa, signoff.GoNoGo, "qa")
	if err := r.runbook.Reopen(ctx, worker, r.seen("A2"), "There is a meter after all."); err != nil {
		t.Fatalf("Reopen: %v", err)
	}
	if gate := r.gate(signoff.GoNoGo); len(gate.Blockers) == 0 || gate.Signatures[0].State(gate.SHA256) != signoff.Void {
		t.Error("put back to open, the item keeps the gate neither shut nor voids what was signed with it skipped")
	}
	if n := r.count("SELECT count(*) FROM gatehouse.item_waivers"); n != 1 {
		t.Errorf("%d signatures are stored, want the one that was given", n)
	}
}

// The constraint holds whoever writes: without a signature no required item is skipped.
func TestTheDatabaseSkipsNoRequiredItemWithoutASignature(t *testing.T) {
	t.Parallel()
	r := started(t)
	_, err := r.super.Exec(t.Context(), `UPDATE gatehouse.run_items SET state = 'skipped', reason = 'no', settled_at = now(), due_at = now(), settled_subject = 'x' WHERE item_id = 'A1'`)
	if err == nil || !strings.Contains(err.Error(), "run_items_required_skipped_by_signature") {
		t.Errorf("skipping by hand: %v, want the constraint's refusal", err)
	}
}

func TestTakingOverIsWrittenDownAndSeenByWhoHadIt(t *testing.T) {
	t.Parallel()
	r := started(t)
	ctx := t.Context()
	if err := r.runbook.Take(ctx, worker, r.seen("A1")); err != nil {
		t.Fatalf("Take: %v", err)
	}
	before := r.gate(signoff.GoNoGo).SHA256
	if err := r.runbook.TakeOver(ctx, stranger, r.seen("A1"), "Mine now."); !fault.Is(err, fault.NotFound) {
		t.Errorf("taking over from another company: %v, want not found", err)
	}
	if err := r.runbook.TakeOver(ctx, backend, r.seen("A1"), "Wim is off shift."); err != nil {
		t.Fatalf("TakeOver: %v", err)
	}
	if got := r.gate(signoff.GoNoGo).SHA256; got != before {
		t.Error("having taken an item over changed what is signed")
	}
	shown, err := r.runbook.Show(ctx, worker, r.id)
	if err != nil || len(shown.TakenOver) != 1 || shown.TakenOver[0].Words != "Wim is off shift." || shown.TakenOver[0].By.Name != backend.Name || shown.TakenOver[0].From.Name != worker.Name {
		t.Errorf("the release tells %+v, %v; want who took it from whom", shown.TakenOver, err)
	}
	if n := r.count("SELECT count(*) FROM gatehouse.audit_events WHERE action = 'item:takeover' AND before ->> 'holder' = $1 AND reason = 'Wim is off shift.'", worker.Name); n != 1 {
		t.Errorf("the trail has %d entries of it that name who had it, want 1", n)
	}
	if err := r.runbook.TakeOver(ctx, worker, r.seen("A1"), "I am back."); err != nil {
		t.Fatalf("TakeOver back: %v", err)
	}
	if shown, err := r.runbook.Show(ctx, worker, r.id); err != nil || len(shown.TakenOver) != 1 || shown.TakenOver[0].From.Name != backend.Name {
		t.Errorf("taken back, the release tells %+v, %v; want that it was taken from %s", shown.TakenOver, err, backend.Name)
	}
}

func TestCommentsAreAddedOnceAndOnlyByTheirTenant(t *testing.T) {
	t.Parallel()
	r := started(t)
	ctx, key := t.Context(), uuid.New()
	for range 2 {
		if err := r.runbook.Comment(ctx, worker, r.id, "A1", "Look at bay 4.\u00a0✓", key); err != nil {
			t.Fatalf("Comment: %v", err)
		}
	}
	// A browser that goes back has the old key: other words with it are not stored, and nobody is told that they were.
	if err := r.runbook.Comment(ctx, worker, r.id, "A1", "No, bay 5.", key); !fault.Is(err, fault.Conflict) {
		t.Errorf("other words with the key of a form that was used: %v, want a conflict", err)
	}
	if err := r.runbook.Comment(ctx, qa, r.id, "A1", "Look at bay 4.\u00a0✓", key); !fault.Is(err, fault.Conflict) {
		t.Errorf("somebody else's form: %v, want a conflict", err)
	}
	if err := r.runbook.Comment(ctx, qa, r.id, "A1", "Looked.", uuid.New()); err != nil {
		t.Fatalf("Comment: %v", err)
	}
	if err := r.runbook.Comment(ctx, stranger, r.id, "A1", "Me too.", uuid.New()); !fault.Is(err, fault.NotFound) {
		t.Errorf("a comment of another company: %v, want not found", err)
	}
	page := r.item("A1")
	if len(page.Notes) != 2 || page.Notes[0].Words != "Look at bay 4.\u00a0✓" || page.Notes[1].By.Name != qa.Name || page.Item.Version != 1 {
		t.Errorf("version %d with the comments %+v; want two in order, and the version of before", page.Item.Version, page.Notes)
	}
	if n := r.count("SELECT count(*) FROM gatehouse.audit_events WHERE action = 'item:comment'"); n != 2 {
		t.Errorf("%d entries of comments, want 2", n)
	}
	for _, statement := range []string{"UPDATE gatehouse.item_notes SET words = 'x'", "DELETE FROM gatehouse.item_notes", "DELETE FROM gatehouse.item_waivers"} {
		if _, err := r.super.Exec(ctx, statement); err == nil {
			t.Errorf("%s as the superuser, past no trigger: want a refusal", statement)
		}
	}
}

// Evidence of people grows old as that of checks does: to the second, by the clock of the database.
func TestStaleEvidenceOpensTheItemBeforeItsGate(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	r.exec("UPDATE gatehouse.run_items SET fresh_seconds = 14400 WHERE item_id = 'A1'")
	age := func(by string) {
		r.exec("ALTER TABLE gatehouse.run_evidence DISABLE TRIGGER USER")
		r.exec("UPDATE gatehouse.run_evidence SET added_at = clock_timestamp() - $1::interval WHERE item_id = 'A1'", by)
	}
	age("3:59:00")
	if page := r.item("A1"); page.Stale(page.Item) || len(r.gate(signoff.GoNoGo).Blockers) != 0 {
		t.Error("a minute before its limit it is stale")
	}
	age("4:00:01")
	page := r.item("A1")
	if !page.Stale(page.Item) || !blocked(r.gate(signoff.GoNoGo), "Give its evidence again.") {
		t.Errorf("a second past its limit: stale %t, the gate says %+v", page.Stale(page.Item), r.gate(signoff.GoNoGo).Blockers)
	}
	second, _ := page.Plan.Item("A2")
	if waits := page.Waiting(second); len(waits) != 1 || !strings.Contains(waits[0].Text, "is stale: its evidence was good until") {
		t.Errorf("what comes after it waits for %+v", waits)
	}
	r.done("A1", "looked at it again")
	if page := r.item("A1"); page.Stale(page.Item) || page.Item.Round != 1 {
		t.Error("with evidence given again it is still stale, or begun anew")
	}
	r.sign(qa, signoff.GoNoGo, "qa")
	r.sign(backend, signoff.GoNoGo, "backend")
	r.sign(devops, signoff.GoNoGo, "devops")
	age("5:00:00")
	if page := r.item("A1"); page.Stale(page.Item) && page.Gates[0].Passed {
		t.Error("what was signed in time went stale after its gate had passed")
	}
}

// old is the person too long after their sign-in.
func old(by actor.Actor) actor.Actor {
	by.AuthTime = time.Now().Add(-actor.FreshFor - time.Second)
	return by
}
