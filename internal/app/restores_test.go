package app

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/restore"
)

// restoring is a warehouse at a version with rows in it, a folder for backups, and people.
type restoring struct {
	t             *testing.T
	d             *pgtest.Database
	db            *postgres.DB
	super         *pgxpool.Pool
	schema        *migrator.Migrator
	backups       *backup.Service
	stories       *restore.Service
	operations    operation.Service
	worker        *operation.Worker
	dora, quentin actor.Actor
	database      string
	folder        string
}

func restoringAt(t *testing.T, version string) *restoring {
	t.Helper()
	d := housetest.At(t, version)
	config := Config{OwnerDatabaseURL: Secret(d.OwnerURL), ScratchDatabaseURL: Secret(d.SuperURL), BackupDir: t.TempDir()}
	r := &restoring{
		folder: config.BackupDir,
		t:      t, d: d, db: housetest.Open(t, d), super: pgtest.Pool(t, d.SuperURL), database: d.Name,
		dora: housetest.Person(housetest.Rivermark, "dora", actor.DevOpsLead), quentin: housetest.Person(housetest.Rivermark, "quentin", actor.QALead),
	}
	var err error
	if r.schema, err = migrator.New(migrator.WMS(), d.OwnerURL); err != nil {
		t.Fatal(err)
	}
	r.schema.LockTries = 1
	if r.backups, err = Backups(config, r.db, func(text string, err error) { t.Errorf("%s: %v", text, err) }); err != nil {
		t.Fatal(err)
	}
	r.operations = operation.NewService(postgres.Operations{DB: r.db})
	r.stories = Restores(r.db, r.schema, r.operations)
	if r.worker, err = NewOperationWorker(config, r.backups, r.db, r.schema, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	r.exec(`INSERT INTO public.tenants (tenant_id, tenant_code, tenant_name)
		SELECT gen_random_uuid(), 'r' || n, 'Restored ' || n FROM generate_series(1, 3) n`)
	return r
}

func (r *restoring) exec(statement string, args ...any) {
	r.t.Helper()
	if _, err := r.super.Exec(r.t.Context(), statement, args...); err != nil {
		r.t.Fatalf("%s: %v", statement, err)
	}
}

func (r *restoring) text(query string, args ...any) (s string) {
	r.t.Helper()
	if err := r.super.QueryRow(r.t.Context(), "SELECT coalesce(("+query+")::text, '')", args...).Scan(&s); err != nil {
		r.t.Fatalf("%s: %v", query, err)
	}
	return s
}

// taken is a backup that was restored once beside the database.
func (r *restoring) taken() backup.Backup {
	r.t.Helper()
	b, err := r.backups.Create(r.t.Context(), r.dora)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, check, err := r.backups.Drill(r.t.Context(), r.dora, b.ID); err != nil || !check.Passed {
		r.t.Fatalf("the drill found %v, %v", check.Findings, err)
	}
	return b
}

func (r *restoring) upTo(version string) {
	r.t.Helper()
	v, err := migration.ParseVersion(version)
	if err == nil {
		_, err = r.schema.UpTo(r.t.Context(), v, actor.System(actor.CLI, "a test"), nil)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *restoring) page(b uuid.UUID) restore.Page {
	r.t.Helper()
	p, err := r.stories.Show(r.t.Context(), r.dora, b)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *restoring) looked(b uuid.UUID) restore.Look {
	r.t.Helper()
	if err := r.stories.Count(r.t.Context(), r.dora, b); err != nil {
		r.t.Fatal(err)
	}
	return *r.page(b).Look
}

func (r *restoring) asked(b uuid.UUID) restore.Request {
	r.t.Helper()
	id := uuid.New()
	err := r.stories.Ask(r.t.Context(), r.dora, restore.Wanted{ID: id, Backup: b, Look: r.looked(b).ID, Reason: "the import went wrong", Database: r.database})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.find(id)
}

func (r *restoring) find(id uuid.UUID) restore.Request {
	r.t.Helper()
	found, err := r.stories.Find(r.t.Context(), r.dora, id)
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

func (r *restoring) agreed(b uuid.UUID) restore.Request {
	r.t.Helper()
	request := r.asked(b)
	if _, err := r.stories.Agree(r.t.Context(), r.quentin, request.ID, r.database, request.Content); err != nil {
		r.t.Fatal(err)
	}
	return r.find(request.ID)
}

func (r *restoring) started(request uuid.UUID) uuid.UUID {
	r.t.Helper()
	_, id, err := r.stories.Start(r.t.Context(), r.dora, request, r.database, uuid.New())
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// done carries an order out and gives how it ended, with its log.
func (r *restoring) done(id uuid.UUID) (operation.Operation, string) {
	r.t.Helper()
	if err := r.worker.Work(r.t.Context(), operation.Ref{Tenant: housetest.Rivermark, ID: id}); err != nil {
		r.t.Fatal(err)
	}
	return r.seen(id)
}

func (r *restoring) seen(id uuid.UUID) (operation.Operation, string) {
	r.t.Helper()
	o, lines, err := r.operations.Look(r.t.Context(), r.dora, id)
	if err != nil {
		r.t.Fatal(err)
	}
	var log []string
	for _, l := range lines {
		log = append(log, l.Text)
	}
	return o, strings.Join(log, "\n")
}

// everything is all that a restore that failed must leave: the warehouse's rows and objects, and the ledger.
func (r *restoring) everything() string {
	return r.text(`SELECT string_agg(line, E'\n' ORDER BY line) FROM (
		SELECT c.relname || ' ' || c.oid AS line FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
		UNION ALL SELECT 'row ' || tenant_code || ' ' || tenant_name FROM public.tenants
		UNION ALL SELECT 'ledger ' || ledger_id || ' ' || version || ' ' || direction FROM gatehouse.migration_ledger
		UNION ALL SELECT 'state ' || version || ' ' || dirty FROM gatehouse.migration_state) s`)
}

func (r *restoring) refused(err error, kind fault.Kind, words string) {
	r.t.Helper()
	f, ok := fault.As(err)
	said := ""
	if ok {
		said = f.Error()
	}
	if !ok || f.Kind != kind || !strings.Contains(said, words) {
		r.t.Errorf("refused with %v, want %s and %q", err, kind, words)
	}
}

// The whole way: rows changed and two versions applied since the backup; afterwards the warehouse is the backup's, and what
// Gatehouse knows is all there, with what the restore did.
func TestARestorePutsTheWarehouseBackAndKeepsTheEvidence(t *testing.T) {
	t.Parallel()
	r := restoringAt(t, "0.0.16")
	before := r.taken()
	r.upTo("0.0.18")
	r.exec("UPDATE public.tenants SET tenant_name = 'wrong'; DELETE FROM public.tenants WHERE tenant_code = 'r3'; SET ROLE gatehouse_owner; CREATE TABLE public.by_hand (id int); CREATE VIEW public.on_top AS SELECT tenant_id FROM public.tenants; RESET ROLE")
	audit, ledger := r.text("SELECT count(*) FROM gatehouse.audit_events"), r.text("SELECT count(*) FROM gatehouse.migration_ledger")

	look := r.looked(before.ID)
	if look.Result.StandsAt != "V0.0.18" || look.Result.WillStandAt != "V0.0.16" || len(look.Result.Versions) != 1 || !look.Result.Versions[0].Goes {
		t.Errorf("the look says %+v; want V0.0.18 to go", look.Result)
	}
	if !strings.Contains(look.Result.Sentence(), "would be back") {
		t.Errorf("the look says %q", look.Result.Sentence())
	}
	request := r.agreed(before.ID)
	if request.State() != restore.Agreed {
		t.Fatalf("the request is %s", request.State())
	}
	o, log := r.done(r.started(request.ID))
	if o.State != operation.Succeeded || !strings.Contains(o.Sentence, "V0.0.18 no longer in it") {
		t.Fatalf("it ended as %s: %s\n%s", o.State, o.Sentence, log)
	}
	for query, want := range map[string]string{
		"SELECT string_agg(tenant_code || ' ' || tenant_name, ',' ORDER BY tenant_code) FROM public.tenants WHERE tenant_code ~ '^r[0-9]'":     "r1 Restored 1,r2 Restored 2,r3 Restored 3",
		"SELECT count(*) FROM pg_class WHERE relname IN ('by_hand', 'on_top')":                                                                 "0",
		"SELECT version FROM gatehouse.migration_state WHERE set_name = 'wms'":                                                                 "16",
		"SELECT string_agg(version || ' ' || direction || ' ' || actor_name, ',') FROM gatehouse.migration_ledger WHERE ledger_id > " + ledger: "0.0.18 restore dora",
		"SELECT string_agg(version, ',' ORDER BY installed_rank) FROM public.schema_version":                                                   "0.0.14,0.0.15,0.0.16",
		"SELECT outcome || ' ' || name FROM gatehouse.audit_events WHERE action = 'backup:restore'":                                            "done dora",
		"SELECT count(*) > " + audit + " FROM gatehouse.audit_events":                                                                          "true",
	} {
		if got := r.text(query); got != want {
			t.Errorf("%s = %q, want %q", query, got, want)
		}
	}
	if !strings.Contains(log, "Every object is what its version leaves") {
		t.Errorf("the log says nothing of drift:\n%s", log)
	}
	ladder, err := r.schema.Status(t.Context())
	if err != nil || len(ladder.Problems) > 0 {
		t.Errorf("after it files, ledger and golang-migrate disagree: %v, %v", ladder.Problems, err)
	}
	trail := postgres.Audit{DB: r.db}
	if check, err := trail.Verify(t.Context(), r.dora); err != nil || !check.Whole() {
		t.Errorf("the audit chain = %+v, %v", check, err)
	}
	if got := r.find(request.ID); got.State() != restore.Restored || got.Safety != o.Result {
		t.Errorf("the request is %s with safety dump %s, want restored with %s", got.State(), got.Safety, o.Result)
	}
	// Applied again, and then the safety dump brings back what the restore threw away.
	r.upTo("0.0.18")
	if _, check, err := r.backups.Drill(t.Context(), r.dora, o.Result); err != nil || !check.Passed {
		t.Fatalf("the safety dump's drill found %v, %v", check.Findings, err)
	}
	if back, log := r.done(r.started(r.agreed(o.Result).ID)); back.State != operation.Succeeded || r.text("SELECT count(*) FROM public.by_hand") != "0" {
		t.Errorf("the way back ended as %s: %s\n%s", back.State, back.Sentence, log)
	}
	if got := r.text("SELECT string_agg(DISTINCT tenant_name, ',') FROM public.tenants WHERE tenant_code ~ '^r[0-9]'"); got != "wrong" {
		t.Errorf("the way back brought %q", got)
	}
}

// After a restore the warehouse is another one, also where the same versions stand: what was counted before it is stale, and
// what two people agreed to before it is void.
func TestARestoreOutdatesWhatWasCountedAndAgreedBefore(t *testing.T) {
	t.Parallel()
	r := restoringAt(t, "0.0.14")
	b := r.taken()
	r.exec("DELETE FROM public.tenants WHERE tenant_code = 'r3'")
	first, second := r.agreed(b.ID), r.agreed(b.ID)
	if o, log := r.done(r.started(first.ID)); o.State != operation.Succeeded {
		t.Fatalf("the restore ended as %s: %s\n%s", o.State, o.Sentence, log)
	}
	if page := r.page(b.ID); page.Look == nil || page.Look.Current {
		t.Errorf("what was counted before the restore still stands: %+v", page.Look)
	}
	if got := r.find(second.ID).State(); got != restore.Void {
		t.Errorf("the other request is %s after the restore, want %s", got, restore.Void)
	}
	_, _, err := r.stories.Start(t.Context(), r.dora, second.ID, r.database, uuid.New())
	r.refused(err, fault.Conflict, "not what was shown when this was asked for")
	if got := r.find(r.asked(b.ID).ID).State(); got != restore.Asked {
		t.Errorf("what is counted and asked for afterwards is %s", got)
	}
}

// Two people, each with a fresh sign-in and the name typed, for one hour, for exactly what was shown, once.
func TestARestoreTakesTwoPeople(t *testing.T) {
	t.Parallel()
	r := restoringAt(t, "0.0.14")
	b, ctx := r.taken(), t.Context()
	stranger := housetest.Person(housetest.Saltway, "sven", actor.DevOpsLead)
	reader := housetest.Person(housetest.Rivermark, "vera", actor.Viewer)
	machine := r.dora
	machine.Origin, machine.Issuer = actor.CLI, "gatehouse"
	stale := func(by actor.Actor) actor.Actor { by.AuthTime = time.Now().Add(-6 * time.Minute); return by }

	unproven, err := r.backups.Create(ctx, r.dora)
	if err != nil {
		t.Fatal(err)
	}
	r.refused(r.stories.Count(ctx, r.dora, unproven.ID), fault.Conflict, "never restored")
	r.refused(r.stories.Count(ctx, reader, b.ID), fault.Forbidden, "")
	r.refused(r.stories.Count(ctx, stranger, b.ID), fault.Forbidden, "operates this environment")
	_, err = r.stories.Show(ctx, stranger, b.ID)
	r.refused(err, fault.NotFound, "no such backup")

	look := r.looked(b.ID)
	wanted := restore.Wanted{ID: uuid.New(), Backup: b.ID, Look: look.ID, Reason: "why", Database: r.database}
	wrong := wanted
	wrong.Database, wrong.Reason = r.database+"x", " "
	err = r.stories.Ask(ctx, r.dora, wrong)
	r.refused(err, fault.Invalid, "not the name of this database")
	r.refused(err, fault.Invalid, "Say why")
	r.refused(r.stories.Ask(ctx, stale(r.dora), wanted), fault.Forbidden, "five minutes")
	r.refused(r.stories.Ask(ctx, machine, wanted), fault.Forbidden, "no machine")
	r.refused(r.stories.Ask(ctx, stranger, wanted), fault.Forbidden, "operates this environment")
	r.refused(r.stories.Ask(ctx, r.quentin, wanted), fault.Forbidden, "")
	for range 2 { // pressed twice
		if err := r.stories.Ask(ctx, r.dora, wanted); err != nil {
			t.Fatal(err)
		}
	}
	r.refused(r.stories.Ask(ctx, housetest.Person(housetest.Rivermark, "dana", actor.DevOpsLead), wanted), fault.Conflict, "used already, by dora")
	request := r.find(wanted.ID)
	if got := r.page(b.ID).Requests; len(got) != 1 || got[0].State() != restore.Asked {
		t.Fatalf("there are %d requests, want the one that was asked for", len(got))
	}
	_, _, err = r.stories.Start(ctx, r.dora, request.ID, r.database, uuid.New())
	r.refused(err, fault.Conflict, "Nobody has agreed")

	agree := func(by actor.Actor, database, seen string) error {
		_, err := r.stories.Agree(ctx, by, request.ID, database, seen)
		return err
	}
	r.refused(agree(r.dora, r.database, request.Content), fault.Forbidden, "somebody else has to agree")
	r.refused(agree(r.quentin, "warehouse", request.Content), fault.Invalid, "not the name of this database")
	r.refused(agree(r.quentin, r.database, strings.Repeat("0", 64)), fault.Conflict, "not what was asked for")
	r.refused(agree(stale(r.quentin), r.database, request.Content), fault.Forbidden, "five minutes")
	r.refused(agree(machine, r.database, request.Content), fault.Forbidden, "no machine")
	r.refused(agree(reader, r.database, request.Content), fault.Forbidden, "")
	r.refused(agree(housetest.Person(housetest.Saltway, "wanda", actor.QALead), r.database, request.Content), fault.NotFound, "Nobody asked")
	_, err = r.stories.Withdraw(ctx, housetest.Person(housetest.Saltway, "wanda", actor.QALead), request.ID)
	r.refused(err, fault.NotFound, "Nobody asked")
	if err := agree(r.quentin, r.database, request.Content); err != nil {
		t.Fatal(err)
	}
	r.refused(agree(housetest.Person(housetest.Rivermark, "paula", actor.ProductOwner), r.database, request.Content), fault.Conflict, "quentin has agreed already")

	// The statement behind the order asks for all of it once more; nobody gets past by not asking the service.
	past := func(by actor.Actor, backup, request uuid.UUID) error {
		_, err := operation.Asks{Service: r.operations}.OrderRestore(ctx, by, backup, request, uuid.New())
		return err
	}
	r.refused(past(r.dora, unproven.ID, request.ID), fault.Conflict, "Nothing was ordered")
	r.refused(past(r.dora, b.ID, uuid.New()), fault.Conflict, "Nothing was ordered")
	r.refused(past(stale(stale(r.dora)), b.ID, request.ID), fault.Conflict, "Nothing was ordered")
	r.refused(past(stranger, b.ID, request.ID), fault.Forbidden, "operates this environment")
	_, _, err = r.stories.Start(ctx, r.dora, request.ID, "production", uuid.New())
	r.refused(err, fault.Invalid, "not the name of this database")

	// A second request, withdrawn; a third, of which something moved; a fourth that is too old.
	second := r.agreed(b.ID)
	if _, err := r.stories.Withdraw(ctx, r.quentin, second.ID); err != nil {
		t.Fatal(err)
	}
	_, _, err = r.stories.Start(ctx, r.dora, second.ID, r.database, uuid.New())
	r.refused(err, fault.Conflict, "was withdrawn by quentin")
	third := r.agreed(b.ID)
	r.upTo("0.0.15")
	if got := r.find(third.ID).State(); got != restore.Void {
		t.Errorf("after a migration the request is %s, want void", got)
	}
	_, _, err = r.stories.Start(ctx, r.dora, third.ID, r.database, uuid.New())
	r.refused(err, fault.Conflict, "not what was shown")
	fourth := r.agreed(b.ID)
	r.exec(`ALTER TABLE gatehouse.restore_requests DISABLE TRIGGER ALL;
		UPDATE gatehouse.restore_requests SET asked_at = asked_at - interval '61 minutes', expires_at = expires_at - interval '61 minutes', auth_time = auth_time - interval '61 minutes'`)
	_, _, err = r.stories.Start(ctx, r.dora, fourth.ID, r.database, uuid.New())
	r.refused(err, fault.Conflict, "older than an hour")

	// Pressed twice it is one order, and a request is good once.
	fifth, key := r.agreed(b.ID), uuid.New()
	var orders []uuid.UUID
	for range 2 {
		_, id, err := r.stories.Start(ctx, r.dora, fifth.ID, r.database, key)
		if err != nil {
			t.Fatal(err)
		}
		orders = append(orders, id)
	}
	if orders[0] != orders[1] {
		t.Errorf("pressing twice made two orders, %v", orders)
	}
	_, err = r.stories.Withdraw(ctx, r.dora, fifth.ID)
	r.refused(err, fault.Conflict, "is being carried out")
	if o, log := r.done(orders[0]); o.State != operation.Succeeded {
		t.Fatalf("it ended as %s: %s\n%s", o.State, o.Sentence, log)
	}
	_, _, err = r.stories.Start(ctx, r.dora, fifth.ID, r.database, uuid.New())
	r.refused(err, fault.Conflict, "carried out already")
	if got := r.text("SELECT string_agg(action, ',' ORDER BY seq) FROM gatehouse.audit_events WHERE action ~ '^restore:' AND after->>'request' = $1", second.ID.String()); got != "restore:ask,restore:agree,restore:withdraw" {
		t.Errorf("the trail says %q", got)
	}
}

// Whatever stops a restore leaves the warehouse and the ledger as they were, and says so.
func TestAFailedRestoreLeavesEverything(t *testing.T) {
	t.Parallel()
	r := restoringAt(t, "0.0.16")
	b := r.taken()
	r.exec("UPDATE public.tenants SET tenant_name = 'kept'; CREATE SCHEMA theirs AUTHORIZATION gatehouse_owner")
	// A table that somebody holds is not waited for: its rows are the server's estimate, and called that.
	letGo := r.held("LOCK TABLE public.lots IN ACCESS EXCLUSIVE MODE")
	for _, table := range r.looked(b.ID).Result.Tables {
		if table.About != (table.Name == "public.lots") {
			t.Errorf("%s is estimated: %t", table.Name, table.About)
		}
	}
	letGo()
	path := filepath.Join(r.folder, b.Name)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(content []byte) func() {
		return func() {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	var end func()
	release := func() { end() }
	altered := append([]byte{}, whole...)
	altered[len(altered)/2] ^= 1
	for _, c := range []struct {
		name          string
		prepare, mend func()
		words         string
		safety        bool // whether the safety dump was taken
	}{
		{"the file is altered", write(altered), func() {
			write(whole)()
			if _, check, err := r.backups.Drill(t.Context(), r.dora, b.ID); err != nil || !check.Passed {
				t.Fatalf("the drill found %v, %v", check.Findings, err)
			}
		}, "is not whole: the file has been altered", false},
		{"somebody writes", func() { end = r.held("UPDATE public.tenants SET tenant_name = 'never'") }, release, "of postgres (the warehouse)", false},
		{"somebody reads", func() { end = r.held("SELECT FROM public.tenants") }, release, "of postgres (the warehouse)", true},
		{
			"another schema needs it", func() {
				r.exec("SET ROLE gatehouse_owner; CREATE TABLE theirs.orders (tenant uuid REFERENCES public.tenants); RESET ROLE")
			},
			func() { r.exec("DROP TABLE theirs.orders") }, "take away what is not the warehouse's: constraint orders_tenant_fkey", true,
		},
		{"it fails in its last section", func() {
			r.exec(`CREATE FUNCTION theirs.no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no index today'; END $$;
				CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION theirs.no()`)
		}, func() { r.exec("DROP EVENT TRIGGER no; DROP FUNCTION theirs.no()") }, "no index today", true},
		{"withdrawn after it was ordered", func() {
			r.exec(`INSERT INTO gatehouse.restore_withdrawals (tenant_id, request_id, issuer, subject, name)
				SELECT tenant_id, argument::uuid, 'x', 'x', 'x' FROM gatehouse.operations WHERE kind = 'restore' AND state = 'queued'`)
		}, func() {}, "was withdrawn in the meantime", false},
		{"it is not what was counted", func() {
			r.exec(`ALTER TABLE gatehouse.backups DISABLE TRIGGER ALL; ALTER TABLE gatehouse.backups DROP CONSTRAINT backups_manifest_is_hashed;
				UPDATE gatehouse.backups SET manifest = regexp_replace(manifest, '"public.tenants":[0-9]+', '"public.tenants":77')`)
		}, func() {}, "table public.tenants has", true},
	} {
		request := r.agreed(b.ID)
		ordered := r.started(request.ID)
		c.prepare()
		before, safeties := r.everything(), r.text("SELECT count(*) FROM gatehouse.restore_safeties")
		o, log := r.done(ordered)
		after := r.everything()
		c.mend()
		if o.State != operation.Failed || !strings.Contains(o.Sentence, c.words) {
			t.Errorf("%s: it ended as %s: %s; want it failed with %q\n%s", c.name, o.State, o.Sentence, c.words, log)
		}
		if after != before {
			t.Errorf("%s: something is otherwise\n%s", c.name, cmp.Diff(before, after))
		}
		if taken := r.text("SELECT count(*) FROM gatehouse.restore_safeties") != safeties; taken != c.safety {
			t.Errorf("%s: a safety dump was taken: %t, want %t", c.name, taken, c.safety)
		}
		if got := r.find(request.ID); got.State() != restore.Failed && got.State() != restore.Withdrawn {
			t.Errorf("%s: the request is %s", c.name, got.State())
		}
	}
	if got := r.text("SELECT count(*) FROM gatehouse.restore_outcomes") + r.text("SELECT count(*) FROM gatehouse.audit_events WHERE action = 'backup:restore'"); got != "00" {
		t.Errorf("outcomes and entries of restores that did not happen: %s, want none", got)
	}
	// Another run has the floor.
	r.exec(`INSERT INTO gatehouse.migration_runs (tenant_id, run_id, request_key, release_id, version, version_number, direction, sha256, state, actor_issuer, actor_subject, actor_name, actor_roles, origin)
		SELECT tenant_id, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '0.0.18', 18, 'up', repeat('0', 64), 'queued', 'x', 'x', 'x', '', 'web' FROM gatehouse.tenants WHERE is_operator`)
	_, _, err = r.stories.Start(t.Context(), r.dora, r.agreed(b.ID).ID, r.database, uuid.New())
	r.refused(err, fault.Conflict, "a run of a migration is under way")
}

// Retention takes no dump from before a restore until its time is over.
func TestPruningKeepsTheSafetyDump(t *testing.T) {
	t.Parallel()
	r := restoringAt(t, "0.0.14")
	b := r.taken()
	o, log := r.done(r.started(r.agreed(b.ID).ID))
	if o.State != operation.Succeeded {
		t.Fatalf("it ended as %s: %s\n%s", o.State, o.Sentence, log)
	}
	if list, err := r.backups.List(t.Context(), r.dora); err != nil || list[0].ID != o.Result || list[0].KeptUntil.Before(time.Now().Add(29*24*time.Hour)) || !list[1].KeptUntil.IsZero() {
		t.Errorf("the list marks %v, %v; want the safety dump alone, kept for 30 days", list, err)
	}
	newest := r.taken()
	r.exec("ALTER TABLE gatehouse.backups DISABLE TRIGGER ALL")
	r.exec("UPDATE gatehouse.backups SET taken_at = taken_at - interval '20 days' WHERE backup_id <> $1", newest.ID)
	pruned := func() (names string) {
		removed, err := r.backups.Prune(t.Context(), r.dora, 48*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range removed {
			names += n.ID.String() + " "
		}
		return names
	}
	if got := pruned(); got != b.ID.String()+" " {
		t.Errorf("pruned %q, want the old backup %s and not the safety dump %s", got, b.ID, o.Result)
	}
	r.exec("ALTER TABLE gatehouse.restore_safeties DISABLE TRIGGER ALL; UPDATE gatehouse.restore_safeties SET kept_until = clock_timestamp()")
	if got := pruned(); got != o.Result.String()+" " {
		t.Errorf("when its time is over pruning removes %q, want the safety dump %s", got, o.Result)
	}
}

// held is a transaction of another program on the warehouse.
func (r *restoring) held(statement string) (end func()) {
	r.t.Helper()
	config, err := pgx.ParseConfig(r.d.SuperURL)
	if err != nil {
		r.t.Fatal(err)
	}
	config.RuntimeParams["application_name"] = "the warehouse"
	conn, err := pgx.ConnectConfig(r.t.Context(), config)
	if err == nil {
		_, err = conn.Exec(r.t.Context(), "BEGIN; "+statement)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return func() { _ = conn.Close(context.WithoutCancel(r.t.Context())) }
}
