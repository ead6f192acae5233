package handlers_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/handlers"
	"github.com/agogsaas/gatehouse/internal/graph"
	"github.com/agogsaas/gatehouse/web"
)

const goldenRoutes = "testdata/routes.golden"

// What the table is made of answers nothing here: only the table is looked at.
type (
	anyRunbook     struct{ handlers.RunbookStories }
	anySignoff     struct{ handlers.SignoffStories }
	anyMigrations  struct{ handlers.MigrationStories }
	anyChanges     struct{ handlers.ChangeStories }
	anyDrift       struct{ handlers.DriftStories }
	anyRepairs     struct{ handlers.RepairStories }
	anyHealth      struct{ handlers.HealthChecks }
	anyReady       struct{ handlers.Readiness }
	anyTrail       struct{ handlers.AuditTrail }
	anyOwn         struct{ handlers.OwnSessions }
	anySessions    struct{ web.Sessions }
	anyAttempts    struct{ web.Attempts }
	anyPeople      struct{ web.People }
	anyCredentials struct{ web.Credentials }
	anyRecorder    struct{ web.Recorder }
	anyProvider    struct{ web.IdentityProvider }
	anyWayBack     struct{ web.WayBack }
)

// TestRouteTable holds the whole access matrix against a file that people review. UPDATE=1 writes it.
func TestRouteTable(t *testing.T) {
	site, err := web.New(web.Config{
		PublicURL: "https://gatehouse.example.com", Static: http.NotFoundHandler(), Sessions: anySessions{}, Attempts: anyAttempts{},
		People: anyPeople{}, Credentials: anyCredentials{}, Recorder: anyRecorder{}, Provider: anyProvider{}, WayBack: anyWayBack{},
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	site.Mount(handlers.Routes(handlers.Stories{
		Runbook: anyRunbook{}, Signoff: anySignoff{}, Migrations: anyMigrations{}, Changes: anyChanges{}, Drift: anyDrift{}, Repairs: anyRepairs{}, Health: anyHealth{}, Ready: anyReady{},
		Audit: anyTrail{}, Sessions: anyOwn{}, Now: time.Now,
	}))
	site.Mount(graph.New(graph.Options{Log: slog.New(slog.DiscardHandler), Now: time.Now}).Routes())
	got := tableOf(site.Routes())
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(goldenRoutes, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenRoutes)
	if err != nil {
		t.Fatalf("%v; UPDATE=1 writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the route table is not the one that was reviewed (-reviewed +now); UPDATE=1 writes it anew:\n%s", diff)
	}
}

func tableOf(routes []web.Route) string {
	lines := make([]string, 0, len(routes))
	for _, r := range routes {
		right, fresh := "-", "-"
		if r.Right != "" {
			right = string(r.Right)
		}
		if r.Fresh > 0 {
			fresh = fmt.Sprintf("%.0fm", r.Fresh.Minutes())
		}
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%-5s %-45s %-10s %-16s %s", r.Method, r.Path, r.Access, right, fresh), " "))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[6:]+a[:5], b[6:]+b[:5]) })
	return "# method, path, access, right, fresh sign-in\n" + strings.Join(lines, "\n") + "\n"
}
