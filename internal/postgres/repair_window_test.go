package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/operation"
)

func (r repairing) frozen(tenant uuid.UUID) {
	r.t.Helper()
	r.super(`INSERT INTO gatehouse.freezes (tenant_id, freeze_id, starts_at, ends_at, reason, issuer, subject, name)
		VALUES ($1, gen_random_uuid(), clock_timestamp() - interval '1 hour', clock_timestamp() + interval '1 hour', 'Stock-taking', 'i', 's', 'n')`, tenant)
}

// refusedInTime: neither the page nor the order lets the undo file be run now.
func (r repairing) refusedInTime(p migration.Probe, words string) {
	r.t.Helper()
	if _, err := r.stories.Order(r.t.Context(), r.devops, r.choice(p, migration.RepairUndo)); !fault.Is(err, fault.GateClosed) || !strings.Contains(err.Error(), words) {
		r.t.Errorf("ordering its undo: %v, want GateClosed with %q", err, words)
	}
	if said := r.closed(p); !strings.Contains(said, words) {
		r.t.Errorf("the page says %q, want %q", said, words)
	}
}

func (r repairing) closed(p migration.Probe) string {
	r.t.Helper()
	known, err := r.stories.Latest(r.t.Context(), r.devops, p.Version)
	if err != nil || known.Probe == nil {
		r.t.Fatalf("the newest look: %v, %v", known.Probe, err)
	}
	return known.Probe.Closed
}

// TestARepairThatRunsTheUndoFileKeepsTheWindow: it changes the schema, so it asks as an undo does, when it is ordered and
// under the lock; what only records does not ask.
func TestARepairThatRunsTheUndoFileKeepsTheWindow(t *testing.T) {
	t.Parallel()
	r := repairingAt(t, "0.0.20")
	up, _ := r.files.Up(must(migration.ParseVersion("0.0.21")))
	r.super("SET ROLE gatehouse_owner; " + up.SQL + "; RESET ROLE")
	p := r.look("0.0.21")
	r.offers(p, migration.RepairApplied, migration.RepairUndo)

	// Without a release there is no window; a freeze holds, and another company's holds nobody of ours.
	r.frozen(housetest.Saltway)
	if said := r.closed(p); said != "" {
		t.Errorf("another company's freeze closes ours: %q", said)
	}
	r.frozen(housetest.Rivermark)
	r.refusedInTime(p, "while the environment is frozen")
	if said := r.closed(p); !strings.Contains(said, ". Wait for its end, or start a release") {
		t.Errorf("the reason of the freeze runs into the next sentence: %q", said)
	}
	const thaw = `ALTER TABLE gatehouse.freezes DISABLE TRIGGER ALL; DELETE FROM gatehouse.freezes`
	r.super(thaw)

	// Outside the window of the active release, with the sentence of every other door.
	release := r.release(housetest.Rivermark, true)
	r.super(`INSERT INTO gatehouse.release_windows (tenant_id, run_id, number, starts_at, ends_at, reason, issuer, subject, name)
		SELECT tenant_id, run_id, 1, clock_timestamp() + interval '1 hour', clock_timestamp() + interval '2 hours', 'Tonight.', 'i', 's', 'n'
		  FROM gatehouse.runs WHERE run_id = $1`, release)
	r.refusedInTime(p, r.text(`SELECT gatehouse.change_refusal(tenant_id, run_id) FROM gatehouse.runs WHERE state = 'active'`))
	if orders := r.text("SELECT count(*)::text FROM gatehouse.operations WHERE kind = 'repair'"); orders != "0" {
		t.Errorf("%s repairs were ordered", orders)
	}
	r.super(`ALTER TABLE gatehouse.release_windows DISABLE TRIGGER ALL; DELETE FROM gatehouse.release_windows`)

	// It closes between the order and the lock.
	id, err := r.stories.Order(t.Context(), r.devops, r.choice(p, migration.RepairUndo))
	if err != nil {
		t.Fatal(err)
	}
	r.frozen(housetest.Rivermark)
	if o := r.carry(id); o.State != operation.Failed || !strings.Contains(o.Sentence, "while the environment is frozen") {
		t.Errorf("with a freeze before the lock it is %s: %s", o.State, o.Sentence)
	}
	r.offers(r.look("0.0.21"), migration.RepairApplied, migration.RepairUndo) // nothing was taken back

	// What only records goes through in the same freeze.
	r.chosen(r.look("0.0.21"), migration.RepairApplied)
	r.stands("0.0.21", migration.StateBaseline)
}

// TestRebuildingAnIndexKeepsTheWindow: it changes the schema, too, so it asks when it is ordered and under the lock.
func TestRebuildingAnIndexKeepsTheWindow(t *testing.T) {
	t.Parallel()
	r := repairingAt(t, "0.0.18")
	const index, valid = "public.idx_lots_location", "SELECT indisvalid::text FROM pg_index WHERE indexrelid = 'public.idx_lots_location'::regclass"
	r.super("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.idx_lots_location'::regclass")
	refused := func(words string) {
		t.Helper()
		if _, err := r.stories.Rebuild(t.Context(), r.devops, index, uuid.New()); !fault.Is(err, fault.GateClosed) || !strings.Contains(err.Error(), words) {
			t.Errorf("ordering it: %v, want GateClosed with %q", err, words)
		}
	}
	r.frozen(housetest.Rivermark)
	refused("while the environment is frozen")
	r.super(`ALTER TABLE gatehouse.freezes DISABLE TRIGGER ALL; DELETE FROM gatehouse.freezes`)
	release := r.release(housetest.Rivermark, true)
	r.super(`INSERT INTO gatehouse.release_windows (tenant_id, run_id, number, starts_at, ends_at, reason, issuer, subject, name)
		SELECT tenant_id, run_id, 1, clock_timestamp() + interval '1 hour', clock_timestamp() + interval '2 hours', 'Tonight.', 'i', 's', 'n'
		  FROM gatehouse.runs WHERE run_id = $1`, release)
	refused(r.text(`SELECT gatehouse.change_refusal(tenant_id, run_id) FROM gatehouse.runs WHERE state = 'active'`))
	if orders := r.text("SELECT count(*)::text FROM gatehouse.operations WHERE kind = 'reindex'"); orders != "0" {
		t.Errorf("%s were ordered", orders)
	}
	r.super(`ALTER TABLE gatehouse.release_windows DISABLE TRIGGER ALL; DELETE FROM gatehouse.release_windows`)

	// It closes between the order and the lock; another company's freeze closes nothing.
	r.frozen(housetest.Saltway)
	id, err := r.stories.Rebuild(t.Context(), r.devops, index, uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	r.frozen(housetest.Rivermark)
	if o := r.carry(id); o.State != operation.Failed || !strings.Contains(o.Sentence, "while the environment is frozen") {
		t.Errorf("with a freeze before the lock it is %s: %s", o.State, o.Sentence)
	}
	if got := r.text(valid); got != "false" {
		t.Errorf("the index was built in a freeze: valid is %s", got)
	}
}
