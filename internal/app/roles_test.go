package app_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/web"
)

// I7: an administrator signs nothing, an auditor only reads. They knock at every door behind which something is changed, and
// each refusal is written down.
func TestAdministratorsAndAuditorsChangeNothing(t *testing.T) {
	s := open(t, "")
	may := map[string][]actor.Right{
		// To walk the chain, and to say that an older state was restored, is what auditors are for; neither changes what is kept.
		"auditor@rivermark": {actor.AuditRead, actor.AuditAcknowledge},
		"admin@rivermark":   {actor.AuditRead, actor.AuditAcknowledge, actor.IdentityExplain},
		"viewer@rivermark":  nil,
	}
	for username, rights := range may {
		b, knocked := s.as(username), 0
		for _, route := range s.app.Routes() {
			if route.Method == http.MethodGet || route.Access != web.NeedsRight || route.Path == "/graphql" {
				continue
			}
			held := false
			for _, right := range rights {
				held = held || route.Right == right
			}
			if held {
				continue
			}
			path := fillAny(route.Path)
			facts, done, refused := s.facts(), s.trail("done"), s.trail("refused")
			if a := b.post(path, url.Values{}); a.StatusCode != http.StatusForbidden {
				t.Errorf("%s: POST %s = %d, want 403", username, path, a.StatusCode)
			}
			if s.facts() != facts || s.trail("done") != done || s.trail("refused") != refused+1 {
				t.Errorf("%s: POST %s did something, or was not written down", username, path)
			}
			knocked++
		}
		if knocked < 30 {
			t.Errorf("%s knocked at %d doors alone", username, knocked)
		}
	}
	sign := "/releases/" + uuid.NewString() + "/gates/go_no_go/sign"
	a := s.as("admin@rivermark").post(sign, url.Values{})
	if a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "QA lead") {
		t.Errorf("an administrator signs: %d, want 403 with who can: %s", a.StatusCode, a.main())
	}
	// What an auditor reads is in the log, with who read it.
	page := s.as("auditor@rivermark").get("/audit")
	if line := s.line(page); line.Route != "/audit" || line.Status != http.StatusOK || line.Subject == "" {
		t.Errorf("the log line of an auditor's reading is %+v", line)
	}
}

// I3: who came in by two sealed halves sees every page that is for looking, and changes nothing anywhere.
func TestTheWayBackLooksAndChangesNothing(t *testing.T) {
	s := &story{open(t, ""), map[string]string{}}
	s.sealHalves()
	b := s.stranger()
	if a := b.post("/way-back", url.Values{"first": {s.ids["first"]}, "second": {s.ids["second"]}}); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("both halves: %d %s", a.StatusCode, a.main())
	}
	may := []actor.Right{actor.ReleaseRead, actor.MigrationRead, actor.HealthRead, actor.AuditRead, actor.IdentityExplain, actor.DimensionRead}
	looked := 0
	for _, route := range s.app.Routes() {
		if route.Streams || route.Access == web.Bare || route.Access == web.Public || strings.HasPrefix(route.Path, "/api/") || route.Path == "/graphql" {
			continue
		}
		held := route.Access == web.SignedIn || slices.Contains(may, route.Right)
		switch {
		case route.Method != http.MethodGet && !held:
			if a := b.post(fillAny(route.Path), url.Values{}); a.StatusCode != http.StatusForbidden {
				t.Errorf("POST %s = %d, want 403", route.Path, a.StatusCode)
			}
		case route.Method == http.MethodGet && held:
			a := b.get(fillAny(route.Path))
			if a.StatusCode == http.StatusSeeOther && strings.HasPrefix(a.Header.Get("Location"), strings.TrimSuffix(route.Path, ".csv")) {
				continue // a table of what is not deployed leads to the page that says so, and that page is looked at
			}
			if parameters := strings.Contains(route.Path, ":"); a.StatusCode != http.StatusOK && (!parameters || a.StatusCode != http.StatusNotFound) {
				t.Errorf("GET %s = %d: %s", route.Path, a.StatusCode, a.main())
			}
			looked++
		}
	}
	if looked < 15 {
		t.Errorf("only %d pages were looked at", looked)
	}
	me := b.get("/me")
	if !strings.Contains(me.body, `data-role="way_back"`) || strings.Contains(me.body, "sign at gates") {
		t.Errorf("the page of who that is: %s", me.main())
	}
}

// fillAny puts something of the right form in the place of each parameter.
func fillAny(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		switch {
		case part == ":version":
			parts[i] = "V0.0.20"
		case part == ":gate":
			parts[i] = "go_no_go"
		case strings.HasPrefix(part, ":"):
			parts[i] = uuid.NewString()
		}
	}
	return strings.Join(parts, "/")
}
