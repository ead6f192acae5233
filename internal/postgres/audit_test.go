package postgres_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func record(t *testing.T, trail postgres.Audit, by actor.Actor, actions ...string) {
	t.Helper()
	for _, action := range actions {
		e := audit.Event{Action: action, ObjectKind: "item", ObjectID: "PRE-P1 ünïcode €", Reason: "because\nof this", After: map[string]any{"n": 1.50, "t": "x"}}
		if err := trail.Record(t.Context(), by, e); err != nil {
			t.Fatalf("Record(%s): %v", action, err)
		}
	}
}

func super(t *testing.T, d *pgtest.Database, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.PgConn().Exec(t.Context(), statement).ReadAll(); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func TestAuditIsReadByItsOwnTenantInOneRoundTrip(t *testing.T) {
	d := housetest.At(t, "")
	trail := postgres.Audit{DB: housetest.Open(t, d)}
	ours, theirs := housetest.Person(housetest.Rivermark, "ours"), housetest.Person(housetest.Saltway, "theirs")
	record(t, trail, ours, "item:done", "item:fail", "gate:sign")
	record(t, trail, theirs, "item:done")

	ctx, meter := postgres.WithMeter(t.Context())
	page, err := trail.List(ctx, ours, audit.Query{Limit: 2})
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	if len(page.Entries) != 2 || !page.More || page.Entries[0].Seq != 3 || page.Entries[0].Action != "gate:sign" {
		t.Errorf("List(limit 2) = %+v", page)
	}
	if meter.Trips() != 1 {
		t.Errorf("List took %d round trips, want 1", meter.Trips())
	}
	page, err = trail.List(t.Context(), ours, audit.Query{Limit: 2, Before: page.Entries[1].Seq})
	if err != nil || len(page.Entries) != 1 || page.More || page.Entries[0].Seq != 1 {
		t.Errorf("List(second page) = %+v, %v", page, err)
	}
	page, err = trail.List(t.Context(), ours, audit.Query{Limit: 10, Action: "item:fail"})
	if err != nil || len(page.Entries) != 1 {
		t.Errorf("List(item:fail) = %+v, %v", page, err)
	}
	page, err = trail.List(t.Context(), theirs, audit.Query{Limit: 10})
	if err != nil || len(page.Entries) != 1 || page.Entries[0].Subject != "theirs" {
		t.Errorf("List as the other tenant = %+v, %v", page, err)
	}
}

// What was refused on a page of a release is found under the release, and nothing of another.
func TestRefusedAttemptsAreFoundUnderTheirRelease(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "")
	trail := postgres.Audit{DB: housetest.Open(t, d)}
	ours, theirs := housetest.Person(housetest.Rivermark, "ours"), housetest.Person(housetest.Saltway, "theirs")
	const run, other = "01a22e67-fa3d-7296-b36c-92d75977e9f5", "01a22e67-fa3d-7296-b36c-92d75977e9f6"
	write := func(by actor.Actor, kind, object string, outcome audit.Outcome) {
		t.Helper()
		if err := trail.Record(t.Context(), by, audit.Event{Action: "item:done", ObjectKind: kind, ObjectID: object, Outcome: outcome}); err != nil {
			t.Fatal(err)
		}
	}
	write(ours, "release", run, audit.Done)
	write(ours, "page", "/releases/"+run, audit.Refused)
	write(ours, "page", "/releases/"+run+"/items/A1/done", audit.Refused)
	write(ours, "item", run+"/A1", audit.Refused)
	write(ours, "item", run+"/A1", audit.Done)
	write(ours, "page", "/releases/"+other+"/abort", audit.Refused)
	write(ours, "page", "/releases/new", audit.Refused)
	write(theirs, "page", "/releases/"+run, audit.Refused)
	for name, c := range map[string]struct {
		q    audit.Query
		want []string
	}{
		"the release":      {audit.Query{ObjectKind: "release", ObjectID: run}, []string{run + "/A1", "/releases/" + run + "/items/A1/done", "/releases/" + run, run}},
		"what was refused": {audit.Query{ObjectKind: "release", ObjectID: run, Outcome: audit.Refused}, []string{run + "/A1", "/releases/" + run + "/items/A1/done", "/releases/" + run}},
		"an item":          {audit.Query{ObjectKind: "item", ObjectID: run + "/A1"}, []string{run + "/A1", run + "/A1"}},
		"releases at all":  {audit.Query{ObjectKind: "release"}, []string{run}},
	} {
		c.q.Limit = 20
		page, err := trail.List(t.Context(), ours, c.q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range page.Entries {
			got = append(got, e.ObjectID)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAuditIsAppendOnlyForEverybody(t *testing.T) {
	d := housetest.At(t, "")
	record(t, postgres.Audit{DB: housetest.Open(t, d)}, housetest.Person(housetest.Rivermark, "ours"), "item:done")
	for who, url := range map[string]string{"application": d.AppURL, "owner": d.OwnerURL} {
		for _, statement := range []string{
			"UPDATE gatehouse.audit_events SET reason = 'x'", "DELETE FROM gatehouse.audit_events", "TRUNCATE gatehouse.audit_events",
		} {
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			_, err = conn.Exec(t.Context(), statement)
			if err == nil || (!strings.Contains(err.Error(), "append-only") && !strings.Contains(err.Error(), "permission denied")) {
				t.Errorf("%s as %s = %v, want a refusal", statement, who, err)
			}
			_ = conn.Close(t.Context())
		}
	}
}

// What a superuser does behind the triggers' back is found, and named.
func TestVerifyFindsWhatASuperuserChanged(t *testing.T) {
	const off = "SET session_replication_role = replica; "
	const rewind = `DELETE FROM gatehouse.audit_events WHERE seq > 3;
		UPDATE gatehouse.audit_heads h SET seq = e.seq, hash = e.hash FROM gatehouse.audit_events e WHERE e.tenant_id = h.tenant_id AND e.seq = 3`
	for _, c := range []struct{ name, statement, want string }{
		{"nothing", "SELECT 1", ""},
		{"one byte", off + "UPDATE gatehouse.audit_events SET reason = 'becausf' WHERE seq = 3", "entry 3: was changed after it was written"},
		{"one deleted", off + "DELETE FROM gatehouse.audit_events WHERE seq = 3", "entry 3: missing"},
		{"tail deleted", off + "DELETE FROM gatehouse.audit_events WHERE seq > 3", "entry 4: missing"},
		{"all deleted", off + "DELETE FROM gatehouse.audit_events", "entry 1: missing"},
		{"two swapped", off + "UPDATE gatehouse.audit_events SET action = CASE seq WHEN 2 THEN 'item:fail' ELSE 'item:take' END WHERE seq IN (2, 3)", "entry 2: was changed after it was written"},
		{"rewound", off + rewind, "entry 4: missing: the walk of "},
		{"rewound and written on", off + rewind + `; SET session_replication_role = origin;
			INSERT INTO gatehouse.audit_events (tenant_id, seq, at, origin, issuer, subject, name, roles, ip, action, object_kind, object_id, outcome, reason, prev_hash, hash)
			SELECT tenant_id, 0, now(), origin, issuer, 'other', name, roles, ip, action, object_kind, object_id, outcome, reason, '', ''
			  FROM gatehouse.audit_events, generate_series(1, 3) WHERE seq = 2`, "is not the entry that the walk of "},
		{"head cut with the tail", off + "DELETE FROM gatehouse.audit_events WHERE seq > 3; DELETE FROM gatehouse.audit_heads", "the head of the chain is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := housetest.At(t, "")
			trail := postgres.Audit{DB: housetest.Open(t, d)}
			by := housetest.Person(housetest.Rivermark, "ours")
			record(t, trail, by, "item:done", "item:take", "item:fail", "gate:sign", "item:done")
			if check, err := trail.Verify(t.Context(), by); err != nil || !check.Whole() {
				t.Fatalf("Verify before = %+v, %v", check, err)
			}
			super(t, d, c.statement)
			check, err := trail.Verify(t.Context(), by)
			if err != nil {
				t.Fatalf("Verify: %v", err)
			}
			if c.want == "" && !check.Whole() || !strings.Contains(check.Break, c.want) {
				t.Errorf("Verify after %s = %q, want %q", c.name, check.Break, c.want)
			}
			page, err := trail.List(t.Context(), by, audit.Query{Limit: 1})
			if err != nil || page.Checked == nil || page.Checked.Break != check.Break {
				t.Errorf("the page's check = %+v, %v; want what Verify found", page.Checked, err)
			}
		})
	}
}

// A02: who rewinds the chain, its head and the walks that are stored is found by the head that was published.
func TestVerifyHoldsTheChainAgainstPublishedHeads(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "")
	file := filepath.Join(t.TempDir(), "heads.jsonl")
	trail := postgres.Audit{DB: housetest.Open(t, d), Heads: audit.HeadFile{Path: file}}
	ours, theirs := housetest.Person(housetest.Rivermark, "ours"), housetest.Person(housetest.Saltway, "theirs")
	record(t, trail, ours, "item:done", "item:take", "item:fail", "gate:sign")
	record(t, trail, theirs, "item:done")
	for _, by := range []actor.Actor{ours, theirs, ours} {
		if check, err := trail.Verify(t.Context(), by); err != nil || !check.Whole() {
			t.Fatalf("Verify as %s = %+v, %v", by.Name, check, err)
		}
	}
	heads, err := trail.Heads.Of(ours.Tenant)
	if err != nil || len(heads) != 2 || heads[0].Seq != 5 || heads[1].Seq != 6 {
		t.Fatalf("two walks published %+v, %v; want entries 5 and 6", heads, err)
	}
	// Half a line, as a power failure leaves it, hides no head before or after it.
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"tenant_id":"1111`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	super(t, d, `SET session_replication_role = replica; DELETE FROM gatehouse.audit_checks; DELETE FROM gatehouse.audit_events WHERE seq > 3;
		UPDATE gatehouse.audit_heads h SET seq = e.seq, hash = e.hash FROM gatehouse.audit_events e WHERE e.tenant_id = h.tenant_id AND e.seq = 3`)
	check, err := trail.Verify(t.Context(), ours)
	if err != nil || !strings.Contains(check.Break, "entry 4: missing: the published head of ") {
		t.Errorf("Verify of a rewound chain = %q, %v; want that the published head knows entry 6", check.Break, err)
	}
	if check, err := trail.Verify(t.Context(), theirs); err != nil || !check.Whole() {
		t.Errorf("Verify of the other tenant = %+v, %v; want whole", check, err)
	}
	if heads, err = trail.Heads.Of(theirs.Tenant); err != nil || len(heads) != 2 {
		t.Errorf("the other tenant's heads after half a line = %+v, %v; want two", heads, err)
	}
	trail.Heads.Path = t.TempDir() // a folder
	if _, err := trail.Verify(t.Context(), theirs); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Verify with heads that cannot be read = %v; want a refusal and no green light", err)
	}
}

// A head that cannot be published, a file that was emptied, one of another database, and a tenant without a chain.
func TestHeadsThatCannotBeHad(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "")
	db, ours := housetest.Open(t, d), housetest.Person(housetest.Rivermark, "ours")
	ours.Origin = actor.Worker // whose walks leave no entry
	theirs := housetest.Person(housetest.Saltway, "theirs")
	theirs.Origin = actor.Worker
	in := func(path string) postgres.Audit { return postgres.Audit{DB: db, Heads: audit.HeadFile{Path: path}} }
	newest := func() *audit.Check {
		t.Helper()
		page, err := in("").List(t.Context(), ours, audit.Query{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		return page.Checked
	}
	record(t, in(""), ours, "item:done", "item:take")

	nowhere := filepath.Join(t.TempDir(), "not", "there", "heads.jsonl")
	if _, err := in(nowhere).Verify(t.Context(), ours); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Verify with a file that cannot be written = %v, want a refusal", err)
	}
	if got := newest(); got != nil {
		t.Errorf("a walk whose head was not published is shown as %+v; want that it was not walked", got)
	}

	file := filepath.Join(t.TempDir(), "heads.jsonl")
	lines := func() int {
		t.Helper()
		heads, err := in(file).Heads.Of(ours.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		return len(heads)
	}
	if check, err := in(file).Verify(t.Context(), theirs); err != nil || !check.Whole() || check.Seq != 0 {
		t.Errorf("Verify of a tenant without a chain = %+v, %v; want nothing walked and nothing broken", check, err)
	}
	if heads, err := in(file).Heads.Of(theirs.Tenant); err != nil || len(heads) != 0 {
		t.Errorf("a tenant without a chain has published %+v, %v; want nothing", heads, err)
	}
	var both sync.WaitGroup // two replicas at once
	for range 2 {
		both.Go(func() {
			if check, err := in(file).Verify(t.Context(), ours); err != nil || !check.Whole() || check.HeadsBegin {
				t.Errorf("Verify by one of two = %+v, %v; want whole, and nothing missed", check, err)
			}
		})
	}
	both.Wait()
	if check, err := in(file).Verify(t.Context(), ours); err != nil || !check.Whole() || lines() < 1 || lines() > 2 {
		t.Errorf("Verify after two at once = %+v, %v, with %d heads; want whole, with one or two", check, err, lines())
	}

	if err := os.Truncate(file, 0); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		if check, err := in(file).Verify(t.Context(), ours); err != nil || !check.Whole() || check.HeadsBegin != want || lines() != 1 {
			t.Errorf("Verify with an emptied file = %+v, %v, with %d heads; want one head, and its beginning said once", check, err, lines())
		}
	}

	other := audit.Head{TenantID: ours.Tenant, Seq: 1, Hash: strings.Repeat("ab", 32)}
	if err := in(file).Heads.Add(other); err != nil {
		t.Fatal(err)
	}
	check, err := in(file).Verify(t.Context(), ours)
	if err != nil || !strings.Contains(check.Break, "entry 1: is not the entry that the published head of ") || !strings.Contains(check.Break, "another database") {
		t.Errorf("Verify with the heads of another database = %+v, %v; want entry 1 named, and what it may be", check, err)
	}
	if got := lines(); got != 2 {
		t.Errorf("a chain that does not hold was published: %d heads, want 2", got)
	}
}

func TestManyWritersMakeOneChain(t *testing.T) {
	d := housetest.At(t, "")
	trail := postgres.Audit{DB: housetest.Open(t, d)}
	by := housetest.Person(housetest.Rivermark, "ours")
	const writers, each = 8, 25
	failed := make(chan error, writers)
	for range writers {
		go func() {
			for range each {
				if err := trail.Record(t.Context(), by, audit.Event{Action: "item:done"}); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range writers {
		if err := <-failed; err != nil {
			t.Fatalf("Record: %v", err)
		}
	}
	check, err := trail.Verify(t.Context(), by)
	// The walk that a person asks for stands in the trail itself.
	if err != nil || !check.Whole() || check.Seq != writers*each+1 {
		t.Errorf("Verify after %d entries by %d writers = %+v, %v", writers*each, writers, check, err)
	}
}

// Each entry is hashed over eighteen fields. Where the function of a field cannot be written into the statement, each is a call
// that is planned anew, and an entry costs several times as much.
func TestTheCanonicalFormIsOneExpression(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "")
	rows, err := pgtest.Pool(t, d.SuperURL).Query(t.Context(), "EXPLAIN (VERBOSE, COSTS OFF) SELECT gatehouse.audit_canonical(e) FROM gatehouse.audit_events e")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	plan := strings.Join(lines, "\n")
	if !strings.Contains(plan, "octet_length") || strings.Contains(plan, "audit_field(") || strings.Contains(plan, "audit_canonical(") {
		t.Errorf("the canonical form is made by calls:\n%s", plan)
	}
}

func TestCheckRoleRefusesWhoCouldLookPastTenants(t *testing.T) {
	d := housetest.At(t, "")
	for who, url := range map[string]string{"superuser": d.SuperURL, "owner": d.OwnerURL} {
		db, err := postgres.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.CheckRole(t.Context()); err == nil || !strings.Contains(err.Error(), "gatehouse_app") {
			t.Errorf("CheckRole as %s = %v, want a refusal with advice", who, err)
		}
		db.Close()
	}
}
