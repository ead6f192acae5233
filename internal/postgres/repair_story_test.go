package postgres_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// repairing is the warehouse's own files and the stories of repair over them.
type repairing struct {
	*schemaChange
	stories *migration.Repairs
	copies  operation.Service
	hands   *operation.Worker
}

func repairingAt(t *testing.T, version string) repairing {
	t.Helper()
	d := housetest.At(t, version)
	m, err := migrator.New(migrator.WMS(), d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	s := &schemaChange{t: t, d: d, files: m.Files(), migrator: m, queue: &queued{}, devops: housetest.Person(housetest.Rivermark, "dora", actor.DevOpsLead)}
	s.store = postgres.Migrations{DB: housetest.Open(t, d), Jobs: s.queue}
	s.service = migration.NewService(s.store, m.Files(), time.Now)
	s.worker = migration.NewWorker(s.store, m, m.Files(), slog.New(slog.DiscardHandler))
	store := postgres.Operations{DB: s.store.DB}
	r := repairing{schemaChange: s, copies: operation.NewService(store)}
	r.stories = migration.NewRepairs(postgres.Probes{DB: s.store.DB}, r, operation.Asks{Service: r.copies}, m.Files())
	r.hands = operation.NewWorker(store, map[operation.Kind]operation.Work{operation.Repair: r.carryOut, operation.Reindex: r.rebuild}, slog.New(slog.DiscardHandler))
	return r
}

func (r repairing) Probe(ctx context.Context, v migration.Version) (migration.Probe, error) {
	return r.migrator.Probe(ctx, v, r.facts)
}

func (r repairing) carryOut(ctx context.Context, o operation.Operation, say func(string)) (operation.Done, error) {
	choice, v, err := migration.ParseRepairChoice(o.Argument)
	if err != nil {
		return operation.Done{}, err
	}
	_, err = r.migrator.Repair(ctx, migrator.RepairRequest{Version: v, As: choice.As, By: o.By, Reason: choice.Reason, Seen: choice.Seen, Facts: r.facts, Log: say})
	return operation.Done{Passed: err == nil, Sentence: "recorded"}, err
}

func (r repairing) rebuild(ctx context.Context, o operation.Operation, say func(string)) (operation.Done, error) {
	err := r.migrator.Rebuild(ctx, o.By.Tenant, o.Argument, say)
	return operation.Done{Passed: err == nil, Sentence: "rebuilt"}, err
}

func (r repairing) look(version string) migration.Probe {
	r.t.Helper()
	p, err := r.stories.Look(r.t.Context(), r.devops, must(migration.ParseVersion(version)))
	if err != nil {
		r.t.Fatalf("looking at %s: %v", version, err)
	}
	return p
}

func (r repairing) offers(p migration.Probe, want ...migration.Repair) {
	r.t.Helper()
	var got []string
	for _, o := range p.Offers {
		if o.Offered() {
			got = append(got, string(o.As))
		}
	}
	var words []string
	for _, w := range want {
		words = append(words, string(w))
	}
	if strings.Join(got, " ") != strings.Join(words, " ") {
		r.t.Errorf("%s (%s) offers %v, want %v: %+v", p.Version.Title(), p.Sentence(), got, want, p.Offers)
	}
}

func (r repairing) choice(p migration.Probe, as migration.Repair) migration.RepairOrder {
	return migration.RepairOrder{Version: p.Version, As: as, Seen: p.Hash(), Reason: "a test", Confirm: p.Version.Title(), Key: uuid.New()}
}

// carry does what was ordered, and gives its end.
func (r repairing) carry(id uuid.UUID) operation.Operation {
	r.t.Helper()
	if err := r.hands.Work(r.t.Context(), operation.Ref{Tenant: r.devops.Tenant, ID: id}); err != nil {
		r.t.Fatal(err)
	}
	o, _, err := r.copies.Look(r.t.Context(), r.devops, id)
	if err != nil {
		r.t.Fatal(err)
	}
	return o
}

func (r repairing) chosen(p migration.Probe, as migration.Repair) {
	r.t.Helper()
	id, err := r.stories.Order(r.t.Context(), r.devops, r.choice(p, as))
	if err != nil {
		r.t.Fatalf("%s as %s: %v", p.Version.Title(), as, err)
	}
	if o := r.carry(id); o.State != operation.Succeeded {
		r.t.Fatalf("%s as %s is %s: %s", p.Version.Title(), as, o.State, o.Sentence)
	}
}

// M12's check: V0.0.22 breaks, the page says that nothing is applied, that is chosen, and applying again works.
func TestABrokenVersionIsSaidNotAppliedAndAppliedAgain(t *testing.T) {
	t.Parallel()
	r := repairingAt(t, "0.0.21")
	release := r.release(housetest.Rivermark, true)
	r.offers(r.look("0.0.22"))
	// A type of the name of a table that the file makes late: no look at tables sees it, and the file stops there.
	r.super("CREATE TYPE public.bin_optimization_outliers AS ENUM ('in the way')")
	if run := r.apply("0.0.22", release); run.State != migration.Failed {
		t.Fatalf("V0.0.22 is %s, want failed", run.State)
	}
	p := r.look("0.0.22")
	if !strings.HasPrefix(p.Sentence(), "Nothing of V0.0.22 is applied.") {
		t.Errorf("it says %q", p.Sentence())
	}
	r.offers(p, migration.RepairNotApplied)
	none := 0
	for _, s := range p.Statements {
		if s.Verdict == migration.TookEffect || s.Verdict == migration.Otherwise {
			t.Errorf("line %d (%s): %s", s.Line, s.SQL, s.Verdict)
		}
		if s.Verdict == migration.NotThere {
			none++
		}
	}
	if none < 5 {
		t.Errorf("%d statements are proven not to have taken effect, want more", none)
	}
	r.chosen(p, migration.RepairNotApplied)
	r.super("DROP TYPE public.bin_optimization_outliers")
	if run := r.apply("0.0.22", release); run.State != migration.Succeeded {
		t.Errorf("applied again it is %s: %s", run.State, run.Error)
	}
	if notices := r.text("SELECT string_agg(notices, ' ') FROM gatehouse.migration_ledger WHERE version = '0.0.22'"); !strings.Contains(notices, p.Hash()) || !strings.Contains(notices, "dora (devops_lead), signed in at") {
		t.Errorf("the ledger says %q", notices)
	}
	signed := r.text("SELECT after::text FROM gatehouse.audit_events WHERE action = 'operation:order'")
	for _, want := range []string{p.Hash(), "auth_time", "not-applied"} {
		if !strings.Contains(signed, want) {
			t.Errorf("the audit entry lacks %q: %s", want, signed)
		}
	}
	r.offers(r.look("0.0.22"))
}

// Somebody ran the file, or a part of it, by hand.
func TestAChangeByHandIsRecordedOnlyWhereItIsWhole(t *testing.T) {
	t.Parallel()
	r := repairingAt(t, "0.0.20")
	up, _ := r.files.Up(must(migration.ParseVersion("0.0.21")))
	r.super("SET ROLE gatehouse_owner; " + up.SQL + "; RESET ROLE")
	p := r.look("0.0.21")
	r.offers(p, migration.RepairApplied, migration.RepairUndo)
	r.chosen(p, migration.RepairApplied)
	r.stands("0.0.21", migration.StateBaseline)

	// A part of V0.0.22: one table of five. Only running its undo file... which stops, because the rest is not there.
	r.super("SET ROLE gatehouse_owner; CREATE TABLE public.bin_optimization_outliers (id int); RESET ROLE")
	p = r.look("0.0.22")
	r.offers(p, migration.RepairUndo)
	id, err := r.stories.Order(t.Context(), r.devops, r.choice(p, migration.RepairUndo))
	if err != nil {
		t.Fatal(err)
	}
	if o := r.carry(id); o.State != operation.Failed || !strings.Contains(o.Sentence, "The undo file stopped as well, and nothing was recorded") {
		t.Errorf("undoing a part is %s: %s", o.State, o.Sentence)
	}
	r.offers(r.look("0.0.22"), migration.RepairUndo) // it was given back whole: the table is there still
	r.super("DROP TABLE public.bin_optimization_outliers")

	// The whole of it was taken away by hand.
	down, _ := r.files.Down(must(migration.ParseVersion("0.0.21")))
	r.super("SET ROLE gatehouse_owner; " + down.SQL + "; RESET ROLE")
	p = r.look("0.0.21")
	r.offers(p, migration.RepairNotApplied)
	r.chosen(p, migration.RepairNotApplied)
	r.stands("0.0.21", migration.StateUndone)
	if version := r.text("SELECT version::text FROM gatehouse.migration_state WHERE set_name = 'wms'"); version != "20" {
		t.Errorf("golang-migrate's row stands at %s, want 20", version)
	}
	r.offers(r.look("0.0.18")) // a later one stands on it
	if _, err := r.stories.Look(t.Context(), r.devops, must(migration.ParseVersion("0.0.99"))); !fault.Is(err, fault.NotFound) {
		t.Errorf("a version without a file = %v, want not found", err)
	}
}

// An undo of what somebody did by hand runs in one transaction with its proof, and asks for its losses to be saved.
func TestAnUndoByRepairLosesNothingUnsaved(t *testing.T) {
	t.Parallel()
	r := repairingAt(t, "0.0.14")
	up, _ := r.files.Up(must(migration.ParseVersion("0.0.15")))
	r.super("SET ROLE gatehouse_owner; " + up.SQL + "; RESET ROLE")
	p := r.look("0.0.15")
	r.super("INSERT INTO public.tenants (tenant_id, tenant_code, tenant_name) VALUES ('5a17ba00-0000-4000-8000-000000000001', 'a', 'A')")
	r.super("INSERT INTO public.warehouse_optimization_settings (tenant_id, setting_key, setting_value) VALUES ('5a17ba00-0000-4000-8000-000000000001', 'X', 1)")
	id, err := r.stories.Order(t.Context(), r.devops, r.choice(p, migration.RepairUndo))
	if err != nil {
		t.Fatal(err)
	}
	if o := r.carry(id); o.State != operation.Failed || !strings.Contains(o.Sentence, "nobody has saved them") {
		t.Fatalf("undoing what holds a row is %s: %s", o.State, o.Sentence)
	}
	if known, err := r.stories.Latest(t.Context(), r.devops, p.Version); err != nil || !known.Loses || known.Saved != nil {
		t.Errorf("before it is saved, known is %+v, %v", known, err)
	}
	saved := r.counted("0.0.15", 1)
	if known, err := r.stories.Latest(t.Context(), r.devops, p.Version); err != nil || known.Saved == nil || known.Saved.ID != saved {
		t.Errorf("after it was saved, known is %+v, %v", known, err)
	}
	if known, err := r.stories.Latest(t.Context(), r.devops, p.Version); err != nil || known.Outdated {
		t.Errorf("the look is called outdated before anything was recorded: %v", err)
	}
	r.chosen(p, migration.RepairUndo)
	if known, err := r.stories.Latest(t.Context(), r.devops, p.Version); err != nil || !known.Outdated {
		t.Errorf("the look from before the repair is not called outdated: %v", err)
	}
	r.stands("0.0.15", migration.StateUndone)
	r.offers(r.look("0.0.15"))
	// What was done stands as what it was: not as a try of the version that failed.
	if got := r.text("SELECT string_agg(direction || ' ' || success || ' ' || script, ', ') FROM gatehouse.migration_ledger WHERE version = '0.0.15'"); got != "down true U0.0.15__bin_utilization_tracking.sql" {
		t.Errorf("the ledger says %q", got)
	}
	if d, err := r.service.Show(t.Context(), r.devops, p.Version); err != nil || d.History[0].Repaired() != migration.RepairUndo {
		t.Errorf("its entry is not read as a repair: %+v, %v", d.History, err)
	}
	if known, err := r.stories.Latest(t.Context(), r.devops, p.Version); err != nil || known.Saved != nil {
		t.Errorf("the saving of rows that are gone speaks for another undo: %+v, %v", known.Saved, err)
	}
}

// What the page shows is no proof: a stale page, another tenant, a lost right, an old sign-in, a run under way and a second
// press are told.
func TestARepairIsJudgedWhenItIsDone(t *testing.T) {
	t.Parallel()
	r := repairingAt(t, "0.0.20")
	v := must(migration.ParseVersion("0.0.21"))
	up, _ := r.files.Up(v)
	down, _ := r.files.Down(v)
	r.super("SET ROLE gatehouse_owner; " + up.SQL + "; RESET ROLE")
	p := r.look("0.0.21")
	if known, err := r.stories.Latest(t.Context(), r.devops, v); err != nil || known.Probe == nil || known.Probe.Hash() != p.Hash() || known.Probe.LookedBy != "dora" {
		t.Errorf("the newest look = %+v, %v", known.Probe, err)
	}
	for what, one := range map[string]struct {
		by   actor.Actor
		kind fault.Kind
	}{
		"another tenant": {housetest.Person(housetest.Saltway, "sal", actor.DevOpsLead), fault.Forbidden},
		"a viewer":       {housetest.Person(housetest.Rivermark, "vic", actor.Viewer), fault.Forbidden},
		"an old sign-in": {func() actor.Actor { a := r.devops; a.AuthTime = time.Now().Add(-12 * time.Minute); return a }(), fault.Conflict},
	} {
		if _, err := r.stories.Order(t.Context(), one.by, r.choice(p, migration.RepairApplied)); !fault.Is(err, one.kind) {
			t.Errorf("%s = %v, want %v", what, err, one.kind)
		}
	}
	bad := r.choice(p, migration.RepairApplied)
	bad.Confirm, bad.Reason = "V0.0.20", " "
	if _, err := r.stories.Order(t.Context(), r.devops, bad); !fault.Is(err, fault.Invalid) {
		t.Errorf("another name and no reason = %v, want invalid", err)
	}
	if _, err := r.stories.Order(t.Context(), r.devops, r.choice(p, migration.RepairNotApplied)); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "does not prove") {
		t.Errorf("what is not proven = %v, want a conflict", err)
	}

	// Ordered, and then changed by hand before it is done: it is not recorded.
	order := r.choice(p, migration.RepairApplied)
	id, err := r.stories.Order(t.Context(), r.devops, order)
	if err != nil {
		t.Fatal(err)
	}
	r.super("SET ROLE gatehouse_owner; " + down.SQL + "; RESET ROLE")
	if o := r.carry(id); o.State != operation.Failed || !strings.Contains(o.Sentence, "not any more what was looked at") {
		t.Errorf("a stale choice is %s: %s", o.State, o.Sentence)
	}
	if _, err := r.stories.Order(t.Context(), r.devops, func() migration.RepairOrder {
		o := r.choice(p, migration.RepairApplied)
		o.Reason = "from a stale tab"
		return o
	}()); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "what your page shows") {
		t.Errorf("a stale page = %v, want to be told", err)
	}

	r.super("SET ROLE gatehouse_owner; " + up.SQL + "; RESET ROLE")
	p = r.look("0.0.21")
	order = r.choice(p, migration.RepairApplied)
	order.Reason = "it is there"
	id, err = r.stories.Order(t.Context(), r.devops, order)
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.stories.Order(t.Context(), r.devops, order)
	if err != nil || again != id {
		t.Errorf("the second press = %s, %v; want the first order %s", again, err, id)
	}
	if o := r.carry(id); o.State != operation.Succeeded {
		t.Fatalf("it is %s: %s", o.State, o.Sentence)
	}
	again, err = r.stories.Order(t.Context(), r.devops, order)
	if err != nil || again != id {
		t.Errorf("a press after it was done = %s, %v; want the first order %s", again, err, id)
	}
	if n := r.text("SELECT count(*)::text FROM gatehouse.migration_ledger WHERE version = '0.0.21'"); n != "1" {
		t.Errorf("the ledger has %s entries, want 1", n)
	}
}

// An interrupted run is closed by its repair, with the proof.
func TestAnInterruptedRunIsClosedByItsRepair(t *testing.T) {
	t.Parallel()
	r := repairingAt(t, "0.0.20")
	release := r.release(housetest.Rivermark, true)
	run, err := r.service.Apply(t.Context(), r.devops, r.request("0.0.21", release))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.copies.Ask(t.Context(), r.devops, operation.Repair, `{"version": "V0.0.21"}`, "", uuid.New()); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "under way") {
		t.Errorf("a repair while a run is queued = %v, want a conflict", err)
	}
	r.super("UPDATE gatehouse.migration_runs SET state = 'interrupted', finished_at = now() WHERE run_id = $1", run.ID)
	p := r.look("0.0.21")
	r.offers(p, migration.RepairNotApplied)
	r.chosen(p, migration.RepairNotApplied)
	if closed := r.see(run.ID).Run; closed.AcknowledgedBy != "dora" || !strings.Contains(closed.AcknowledgedNote, "Repaired as not-applied: a test") {
		t.Errorf("the run is closed by %q: %q", closed.AcknowledgedBy, closed.AcknowledgedNote)
	}
	if run := r.apply("0.0.21", release); run.State != migration.Succeeded {
		t.Errorf("applied again it is %s: %s", run.State, run.Error)
	}
}

// M14: an index that is not valid is dropped and built again by a deliberate step.
func TestAnInvalidIndexIsBuiltAgain(t *testing.T) {
	t.Parallel()
	r := repairingAt(t, "0.0.18")
	const index = "public.idx_lots_location"
	pool := pgtest.Pool(t, r.d.SuperURL)
	order := func(name string) operation.Operation {
		t.Helper()
		id, err := r.stories.Rebuild(t.Context(), r.devops, name, uuid.New())
		if err != nil {
			t.Fatal(err)
		}
		return r.carry(id)
	}
	if o := order(index); o.State != operation.Failed || !strings.Contains(o.Sentence, "no index that is not valid") {
		t.Errorf("rebuilding a valid index is %s: %s", o.State, o.Sentence)
	}
	before := r.text("SELECT pg_get_indexdef($1::regclass)", index)
	if _, err := pool.Exec(t.Context(), "UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1::regclass", index); err != nil {
		t.Fatal(err)
	}
	theirs := housetest.Person(housetest.Saltway, "sal", actor.DevOpsLead)
	if _, err := r.stories.Rebuild(t.Context(), theirs, index, uuid.New()); !fault.Is(err, fault.Forbidden) {
		t.Errorf("another tenant rebuilds: %v", err)
	}
	if o := order(index); o.State != operation.Succeeded {
		t.Fatalf("it is %s: %s", o.State, o.Sentence)
	}
	if after := r.text("SELECT pg_get_indexdef(i.indexrelid) || ' ' || i.indisvalid FROM pg_index i WHERE i.indexrelid = $1::regclass", index); after != before+" true" {
		t.Errorf("the index is %q, want %q and valid", after, before)
	}
	if report, err := r.migrator.Drift(t.Context()); err != nil || len(report.Differences) > 0 {
		t.Errorf("drift afterwards: %+v, %v", report.Differences, err)
	}
}
