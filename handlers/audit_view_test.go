package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
)

// oldTrail answers as the database does: newest first, older than Before, at most Limit.
type oldTrail []audit.Entry

func (o oldTrail) List(_ context.Context, _ actor.Actor, q audit.Query) (audit.Page, error) {
	var page audit.Page
	for _, e := range o {
		if q.Before == 0 || e.Seq < q.Before {
			page.Entries = append(page.Entries, e)
		}
	}
	if len(page.Entries) > q.Limit {
		page.Entries, page.More = page.Entries[:q.Limit], true
	}
	return page, nil
}

func (o oldTrail) Verify(context.Context, actor.Actor) (audit.Check, error) {
	return audit.Check{}, nil
}

func (oldTrail) Export(context.Context, actor.Actor, audit.Query, string) (audit.Export, error) {
	return audit.Export{}, nil
}

func (oldTrail) Acknowledge(context.Context, actor.Actor, string) error { return nil }

// A full page of entries with a long reason and long values each still make a small page, and each leads to itself, whole.
func TestLongValuesOfTheTrailAreCutAndLeadToTheWhole(t *testing.T) {
	t.Parallel()
	var trail oldTrail
	for n := range 50 {
		facts := map[string]string{"a_script": fmt.Sprint("begin ", n, strings.Repeat(fmt.Sprintf(" é%x", n*7919), 20_000), " end")}
		for f := range 200 {
			facts[fmt.Sprint("field", f)] = "x"
		}
		raw, err := json.Marshal(facts)
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		trail = append(trail, audit.Entry{Seq: int64(60 - n), At: t0, Action: "item:done", Outcome: "done", Reason: strings.Repeat("why ", 500), Before: &text, After: &text})
	}
	h := auditTrail{trail, func() time.Time { return t0 }}
	get := func(path string) string {
		recorder := httptest.NewRecorder()
		if err := h.list(echo.New().NewContext(httptest.NewRequest(http.MethodGet, path, http.NoBody), recorder)); err != nil {
			t.Fatal(err)
		}
		return recorder.Body.String()
	}
	list := get("/audit")
	if wire := zipped(t, list); wire > 60_000 {
		t.Errorf("a page of long entries is %d bytes over the wire, want at most 60000", wire)
	}
	if strings.Contains(list, " end") || strings.Count(list, `href="/audit?entry=`) != auditPageSize {
		t.Error("a long value stands whole in the list, or does not lead to the whole entry")
	}
	one := get("/audit?entry=33")
	if strings.Count(one, "data-row") != 1 || strings.Count(one, " end<") != 2 || !strings.Contains(one, "field199") || strings.Contains(one, "?entry=") {
		t.Errorf("the page of one entry does not show it whole: %d bytes", len(one))
	}
	if none := get("/audit?entry=99"); strings.Contains(none, "data-row") {
		t.Error("an entry that is not there is answered with another one")
	}
}

// Each kind of thing that the trail names, as the services write it, and the page that shows it.
func TestWhatAnEntryIsAboutLeadsToItsPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, id, name, href string }{
		{"item", "r1/PRE-P1", "item PRE-P1", "/releases/r1/items/PRE-P1"},
		{"gate", "r1/go_no_go", "gate go_no_go", "/releases/r1/gates/go_no_go"},
		{"release", "r1", "release r1", "/releases/r1"},
		{"migration", "0.0.20", "migration V0.0.20", "/migrations/V0.0.20"},
		{"migration_run", "m1", "migration run m1", "/migration-runs/m1"},
		{"operation", "o1", "operation o1", "/operations/o1"},
		{"person", "p1", "person p1", ""},
		{"item", "PRE-P1", "item PRE-P1", ""},
		{"page", "/releases/r1/items/PRE-P1/done", "page /releases/r1/items/PRE-P1/done", ""},
		{"item", "r1/../../logout?x", "item ../../logout?x", "/releases/r1/items/..%2F..%2Flogout%3Fx"},
		{"", "", "", ""},
	} {
		if name, href := auditObject(c.kind, c.id); name != c.name || href != c.href {
			t.Errorf("auditObject(%q, %q) = %q, %q; want %q, %q", c.kind, c.id, name, href, c.name, c.href)
		}
	}
}

// What the program writes into the trail is suggested where it is filtered: nobody has to know how an act is called.
func TestEveryActOfTheTrailIsSuggested(t *testing.T) {
	act := regexp.MustCompile(`Action: +"([a-z_]+:[a-z_]+)"`)
	found := 0
	for _, dir := range []string{"../cmd", "../handlers", "../internal"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range act.FindAllSubmatch(text, -1) {
				found++
				if name := string(m[1]); !slices.Contains(auditActions, name) && name != "session:read" { // reading leaves no entry
					t.Errorf("%s writes %s, and the filter does not suggest it", path, name)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 30 {
		t.Errorf("%d acts were found in the sources; this test looks in the wrong place", found)
	}
}

// namedTrail knows a release and a person, and holds one entry or none.
type namedTrail struct{ oldTrail }

func (n namedTrail) List(ctx context.Context, by actor.Actor, q audit.Query) (audit.Page, error) {
	page, err := n.oldTrail.List(ctx, by, q)
	page.Names, page.Releases = []string{"Dana Okafor"}, []audit.Release{{ID: "u1", Code: "REQ-1"}}
	return page, err
}

// TestTheTrailSaysCodesAndWhatWasMeant: ids have their release's code beside them, and what finds nothing leads on.
func TestTheTrailSaysCodesAndWhatWasMeant(t *testing.T) {
	t.Parallel()
	ask := func(trail oldTrail, path string) string {
		e := echo.New()
		for _, r := range Audit(namedTrail{trail}, time.Now) {
			e.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
		}
		recorder := httptest.NewRecorder()
		e.ServeHTTP(recorder, httptest.NewRequestWithContext(actor.Into(t.Context(), viewer), http.MethodGet, path, nil))
		return recorder.Body.String()
	}
	full := ask(oldTrail{{Seq: 2, ObjectKind: "item", ObjectID: "u1/P1.1", Outcome: "done"}, {Seq: 1, ObjectKind: "release", ObjectID: "u1", Outcome: "done"}}, "/audit")
	for _, want := range []string{"item P1.1 of REQ-1", "release REQ-1 (u1)", `<option value="release u1">REQ-1</option>`, `<option value="Dana Okafor">`} {
		if !strings.Contains(full, want) {
			t.Errorf("the trail does not say %s", want)
		}
	}
	for path, want := range map[string]string{
		"/audit?person=dana": `href="/audit?person=Dana+Okafor"`, "/audit?object=item+P1.1&outcome=done": `href="/audit?object=item+u1%2FP1.1&amp;outcome=done"`, "/audit?object=REQ-1": `href="/audit?object=release+u1"`,
	} {
		if body := ask(nil, path); !strings.Contains(body, want) || !strings.Contains(body, "Nothing was done that matches this filter.") {
			t.Errorf("GET %s does not lead to %s", path, want)
		}
	}
}
