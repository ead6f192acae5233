package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

func sampleDocument() health.Document {
	return health.Report{
		CheckedAt: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
		Results: []health.Result{
			{Check: health.Database, Level: health.Healthy, Message: "The database answered."},
			{Check: health.CacheFreshness, Level: health.Warning, Message: "Known to be wrong."},
			{Check: health.GraphQL, Level: health.Unhealthy, Message: "Down.\x1b[2J\nreally"},
			{Check: health.Statistics, Level: health.NotDeployed, Message: "Comes with V0.0.22."},
		},
	}.Document("rivermark")
}

func TestHealthPrintsEightLinesAndTheLists(t *testing.T) {
	var b strings.Builder
	if err := printHealth(&b, sampleDocument(), false); err != nil {
		t.Fatal(err)
	}
	want := `Bin optimization health of rivermark, checked 2026-11-23 12:00:00 UTC

  HEALTHY       Database connection  The database answered.
  WARNING       Cache freshness      Known to be wrong.
  UNKNOWN       ML accuracy          This check has not run.
  UNKNOWN       Query performance    This check has not run.
  UNKNOWN       Scheduler            This check has not run.
  UNHEALTHY     GraphQL endpoint     Down. [2J really
  UNKNOWN       Data quality         This check has not run.
  NOT_DEPLOYED  Statistics           Comes with V0.0.22.

Critical issues:
  - GraphQL endpoint: Down. [2J really

Warnings:
  - Cache freshness: Known to be wrong.

Not deployed yet:
  - Statistics: Comes with V0.0.22.

UNHEALTHY
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	if err := printHealth(&b, sampleDocument(), true); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, red+"UNHEALTHY") || !strings.Contains(got, green+"HEALTHY") || strings.Contains(got, "\x1b[2J") {
		t.Errorf("in colour: %q", got)
	}
}

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestDatabaseAddressFromTheScriptsVariables(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{databaseAddress(environment("DB_HOST", "db", "DB_PASSWORD", "p@ss/word")), "postgres://gatehouse_app:p%40ss%2Fword@db:5432/agogsaas"},
		{databaseAddress(environment("DB_HOST", "db", "DB_PORT", "6000", "DB_NAME", "n", "DB_USER", "u")), "postgres://u@db:6000/n"},
		{databaseAddress(environment("DB_HOST", "db", "GATEHOUSE_DATABASE_URL", "postgres://x")), "postgres://x"},
		{databaseAddress(environment("DB_NAME", "n")), ""},
		{serverAddress(environment("API_URL", "https://g.example.com/")), "https://g.example.com"},
		{serverAddress(environment("GATEHOUSE_ADDR", "127.0.0.1:9000")), "http://127.0.0.1:9000"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func exitCode(err error) int {
	var exit exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	return -1
}

func TestHealthHereChecksOneTenant(t *testing.T) {
	d := housetest.At(t, "0.0.18")
	here := environment("GATEHOUSE_DATABASE_URL", d.AppURL, "API_URL", "http://127.0.0.1:1")
	got, err := findHealth(t.Context(), here, "saltway")
	if err != nil || got.Tenant != "saltway" || got.Checks["databaseConnection"].Status != "HEALTHY" || got.Checks["dataQuality"].Status != "NOT_DEPLOYED" || got.Checks["cacheAge"].Status != "UNKNOWN" {
		t.Errorf("findHealth = %+v, %v", got, err)
	}
	if got.Checks["graphqlEndpoint"].Status != "UNKNOWN" || got.Status != health.StatusDegraded {
		t.Errorf("without a token the GraphQL check is %s and the whole %s", got.Checks["graphqlEndpoint"].Status, got.Status)
	}
	for name, c := range map[string]struct {
		url, tenant, says string
	}{
		"no tenant named": {d.AppURL, "", "there are 2 tenants"},
		"unknown tenant":  {d.AppURL, "nobody", `there is no tenant "nobody"`},
		"a superuser":     {d.SuperURL, "saltway", "superuser"},
		"the owner":       {d.OwnerURL, "saltway", "owns tables"},
	} {
		_, err := findHealth(t.Context(), environment("GATEHOUSE_DATABASE_URL", c.url), c.tenant)
		if err == nil || exitCode(err) != 3 || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, exit %d; want %q, exit 3", name, err, exitCode(err), c.says)
		}
	}
}

func TestHealthOfADatabaseThatIsAwayIsAResult(t *testing.T) {
	pg := pgtest.Cluster(t)
	d := pgtest.OpenOn(t, pg, nil)
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	got, err := findHealth(t.Context(), environment("GATEHOUSE_DATABASE_URL", d.AppURL), "rivermark")
	if err != nil || got.Status != health.StatusUnhealthy || got.Checks["databaseConnection"].Status != "UNHEALTHY" || got.ExitCode != 2 {
		t.Errorf("findHealth = %+v, %v", got, err)
	}
	for key, check := range got.Checks {
		if check.Status == "HEALTHY" {
			t.Errorf("with the database away %s is healthy", key)
		}
	}
}

func TestHealthFromAServer(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   any
		want   health.Status
		code   int
	}{
		"healthy":   {200, health.Document{Status: health.StatusHealthy}, health.StatusHealthy, -1},
		"unhealthy": {503, sampleDocument(), health.StatusUnhealthy, -1},
		"away":      {503, map[string]string{"title": "Service Unavailable"}, "", 2},
		"refused":   {401, map[string]string{}, "", 3},
		"a page":    {200, "<html>", "", 2},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/wms/optimization/health" || r.Header.Get("Authorization") != "Bearer t" {
				t.Errorf("asked %s with %q", r.URL.Path, r.Header.Get("Authorization"))
			}
			w.WriteHeader(c.status)
			if text, ok := c.body.(string); ok {
				_, _ = io.WriteString(w, text)
				return
			}
			_ = json.NewEncoder(w).Encode(c.body)
		}))
		got, err := findHealth(t.Context(), environment("GATEHOUSE_TOKEN", "t", "API_URL", server.URL), "")
		server.Close()
		if got.Status != c.want || exitCode(err) != c.code {
			t.Errorf("%s: %s, %v; want %s, exit %d", name, got.Status, err, c.want, c.code)
		}
	}
	if _, err := findHealth(t.Context(), environment(), ""); exitCode(err) != 3 {
		t.Errorf("without any address: %v", err)
	}
}
