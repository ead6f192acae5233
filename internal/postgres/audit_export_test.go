package postgres_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func TestAnExportIsOfOneTenantAndStandsInTheTrail(t *testing.T) {
	t.Parallel()
	s := newSealing(t, "")
	export := func(q audit.Query) (audit.Found, string) {
		t.Helper()
		x, err := s.trail.Export(t.Context(), s.ours, q, "jsonl")
		if err != nil {
			t.Fatalf("Export: %v", err)
		}
		var b bytes.Buffer
		if _, err := x.WriteJSONL(&b); err != nil {
			t.Fatalf("WriteJSONL: %v", err)
		}
		found, err := audit.ReadJSONL(bytes.NewReader(b.Bytes()), s.trail.Keys, nil)
		if err != nil || !found.Origin {
			t.Fatalf("ReadJSONL = %+v, %v; want that it holds and where it comes from", found, err)
		}
		return found, b.String()
	}
	found, text := export(audit.Query{})
	if found.Entries != 7 || found.UpTo != 7 || found.Seal.Seq != 7 || strings.Contains(text, "theirs") || !strings.Contains(text, `"action":"audit:export"`) {
		t.Errorf("the whole trail = %+v; want six entries and its own, nothing of the other tenant\n%s", found, text)
	}
	found, text = export(audit.Query{Action: "item:take", From: time.Now().Add(-time.Hour)})
	if found.Entries != 3 || found.Filter["action"] != "item:take" || found.Filter["from"] == "" || strings.Contains(text, "item:done") {
		t.Errorf("the filtered trail = %+v; want three entries", found)
	}
	record(t, s.trail, s.ours, strings.Fields(strings.Repeat("item:done ", 1200))...) // more than is read at once
	if found, _ = export(audit.Query{}); found.Entries != 6+1200+3 {
		t.Errorf("a long trail has %d entries in the file, want %d", found.Entries, 6+1200+3)
	}
	page, err := s.trail.List(t.Context(), s.ours, audit.Query{Limit: 10, Action: "audit:export"})
	if err != nil || len(page.Entries) != 3 || page.Entries[1].After == nil || !strings.Contains(*page.Entries[1].After, `"action": "item:take"`) {
		t.Errorf("the trail says of its exports %+v, %v; want three, with their filters", page.Entries, err)
	}
	// What does not hold is exported all the same, and says so.
	super(t, s.d, "SET session_replication_role = replica; UPDATE gatehouse.audit_events SET reason = 'x' WHERE seq = 2")
	x, err := s.trail.Export(t.Context(), s.ours, audit.Query{}, "jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := x.WriteJSONL(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.ReadJSONL(&b, s.trail.Keys, nil); err == nil || !strings.Contains(err.Error(), "entry 2: was changed after it was written") {
		t.Errorf("ReadJSONL of a trail that was changed = %v; want entry 2", err)
	}
}

// A person's reading of the trail is one entry for a filter and a quarter of an hour, and not one for each reload.
func TestReadingTheTrailStandsInItOnce(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "")
	trail := postgres.Audit{DB: housetest.Open(t, d)}
	ours, second, theirs := housetest.Person(housetest.Rivermark, "ours"), housetest.Person(housetest.Rivermark, "second"), housetest.Person(housetest.Saltway, "theirs")
	record(t, trail, ours, "item:done")
	read := func(by string, q audit.Query, want int) {
		t.Helper()
		who := map[string]func() error{
			"ours":   func() error { _, err := trail.List(t.Context(), ours, q); return err },
			"second": func() error { _, err := trail.List(t.Context(), second, q); return err },
			"theirs": func() error { _, err := trail.List(t.Context(), theirs, q); return err },
		}
		if err := who[by](); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := pgtest.Pool(t, d.SuperURL).QueryRow(t.Context(), "SELECT count(*) FROM gatehouse.audit_events WHERE action = 'audit:read' AND tenant_id = $1", ours.Tenant).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != want {
			t.Errorf("after %s read with %v, %d readings stand in the trail, want %d", by, q.Filter(), n, want)
		}
	}
	read("ours", audit.Query{Limit: 5}, 1)
	read("ours", audit.Query{Limit: 5}, 1)
	read("ours", audit.Query{Limit: 5, Before: 1}, 1)
	read("second", audit.Query{Limit: 5}, 2)
	read("theirs", audit.Query{Limit: 5}, 2)
	read("ours", audit.Query{Limit: 5, Outcome: audit.Refused}, 3)
	read("ours", audit.Query{Limit: 5, Outcome: audit.Refused}, 3)
	super(t, d, "SET session_replication_role = replica; UPDATE gatehouse.audit_events SET at = at - interval '16 minutes' WHERE action = 'audit:read'")
	read("ours", audit.Query{Limit: 5}, 4)
	// Where it cannot be written down, the page says so.
	super(t, d, "REVOKE INSERT ON gatehouse.audit_events FROM gatehouse_app")
	if page, err := trail.List(t.Context(), second, audit.Query{Limit: 5, Action: "item:done"}); err != nil || !page.Unrecorded || len(page.Entries) != 1 {
		t.Errorf("List without an entry = %+v, %v; want one entry, and that the reading was not recorded", page, err)
	}
}
