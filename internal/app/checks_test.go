package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/graph"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/quality"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

// checksAt joins the checks of a warehouse at a version as the house does, with a GraphQL endpoint of its own whose
// bearer token is looked up as the server does it.
func checksAt(t *testing.T, d *pgtest.Database) (Checks, runbook.RunFacts) {
	t.Helper()
	db := housetest.Open(t, d)
	schema, err := migrator.New(migrator.WMS(), d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	adapter, credentials := postgres.Health{DB: db}, postgres.Credentials{DB: db}
	self := &endpoint{credentials: credentials}
	service := health.NewService(adapter, time.Now, adapter, self, log)
	e := echo.New()
	e.POST("/graphql", func(c echo.Context) error {
		token := strings.TrimPrefix(c.Request().Header.Get("Authorization"), "Bearer ")
		by, err := credentials.Authenticate(c.Request().Context(), token, actor.API, "127.0.0.1")
		if err != nil {
			return c.JSON(401, map[string]string{})
		}
		c.SetRequest(c.Request().WithContext(actor.Into(c.Request().Context(), by)))
		return graph.New(graph.Options{Health: service, Quality: quality.NewService(postgres.Quality{DB: db}), Log: log, Now: time.Now}).Serve(c)
	})
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	self.url = server.URL + "/graphql"
	frozen, err := migrationPlan{schema.Files()}.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := Checks{
		Database: postgres.Checks{DB: db}, Health: service, Endpoint: self, Now: time.Now,
		Migrations: migration.NewService(postgres.Migrations{DB: db}, schema.Files(), time.Now),
	}
	return c, runbook.RunFacts{Code: "REQ", Migrations: frozen}
}

// stock gives our tenant a facility, a bin, a material and twenty good decisions, and reconciles the cache.
func stock(t *testing.T, d *pgtest.Database) {
	t.Helper()
	asSuper(t, d, fmt.Sprintf(`
INSERT INTO tenants (tenant_id, tenant_code, tenant_name) VALUES ('%[1]s', 'rivermark', 'Rivermark');
INSERT INTO facilities (tenant_id, facility_id, facility_code, facility_name, address_line1, city, postal_code, country)
VALUES ('%[1]s', '00000000-0000-7000-8000-0000000000a1', 'F', 'North', 'x', 'x', 'x', 'x');
INSERT INTO materials (tenant_id, material_id, material_code, material_name, material_type) VALUES ('%[1]s', '00000000-0000-7000-8000-0000000000c1', 'M', 'M', 'INK');
INSERT INTO inventory_locations (tenant_id, location_id, facility_id, location_code, location_type, cubic_feet)
VALUES ('%[1]s', '00000000-0000-7000-8000-0000000000b1', '00000000-0000-7000-8000-0000000000a1', 'Z-A-1-1', 'RESERVE', 100);
INSERT INTO putaway_recommendations (tenant_id, facility_id, lot_number, material_id, quantity, recommended_location_id, algorithm_used, confidence_score, accepted, decided_at)
SELECT tenant_id, facility_id, 'L', '00000000-0000-7000-8000-0000000000c1', 1, location_id, 'x', 0.9, true, now() FROM inventory_locations, generate_series(1, 20);`, housetest.Rivermark))
	asSuper(t, d, "SELECT public.reconcile_bin_utilization()")
}

func asSuper(t *testing.T, d *pgtest.Database, text string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.PgConn().Exec(t.Context(), text).ReadAll(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestEveryAutomaticItemIsAnswered(t *testing.T) {
	always := []string{"migration.baseline", "database.connection", "migration.plan", "cache.freshness", "ml.accuracy"}
	after := []string{
		"migration.applied", "schema_version.three", "tables.nine", "matviews.two", "constraint.confidence",
		"health.overall", "graphql.data_quality", "graphql.health", "graphql.statistics",
	}
	for version, good := range map[string][]string{
		"0.0.18": append(slices.Clone(always), "schema_version.last"),
		"0.0.22": append(slices.Clone(always), after...),
	} {
		d := housetest.At(t, version)
		stock(t, d)
		c, run := checksAt(t, d)
		by := housetest.Person(housetest.Rivermark, "qa", actor.QALead)
		if _, err := (postgres.Health{DB: c.Database.DB}).Reconcile(t.Context(), "river"); err != nil {
			t.Fatal(err)
		}
		if failed, err := (postgres.Quality{DB: c.Database.DB}).RefreshSummaries(t.Context(), 0); err != nil || len(failed) > 0 {
			t.Fatalf("refreshing: %v, %v", failed, err)
		}
		for _, name := range runbook.Checks { // health.overall stands before graphql.health, which reads what it stored
			got, err := c.Check(t.Context(), by, name, run)
			if err != nil {
				t.Errorf("%s at %s: %v", name, version, err)
				continue
			}
			if want := slices.Contains(good, name); got.OK != want {
				t.Errorf("%s at %s: OK %v, want %v: %s", name, version, got.OK, want, got.Summary)
			}
			if got.Summary == "" || got.Query == "" || len(got.Value) < 2 || got.At.IsZero() {
				t.Errorf("%s at %s left no evidence: %+v", name, version, got)
			}
		}
	}
}

// What go / no-go signs about backup and rehearsal is what the applying statement asks, and it names both by their hashes.
func TestBackupAndRehearsalAreFoundByTheSystem(t *testing.T) {
	d := housetest.At(t, "0.0.18")
	c, run := checksAt(t, d)
	by := housetest.Person(housetest.Rivermark, "devops", actor.DevOpsLead)
	schema, err := migrator.New(migrator.WMS(), d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	run.Run = housetest.Release(t, d, housetest.Rivermark, schema.Files(), false)
	look := func(by actor.Actor, name string) runbook.CheckResult {
		t.Helper()
		got, err := c.Check(t.Context(), by, name, run)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return got
	}
	for name, words := range map[string]string{"backup.restores": migration.NoBackup, "migration.rehearsed": migration.NotRehearsed} {
		if got := look(by, name); got.OK || got.Summary != words {
			t.Errorf("%s of nothing: %v, %q", name, got.OK, got.Summary)
		}
	}
	conn, err := pgx.Connect(t.Context(), d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // a test's own connection
	if err := housetest.Prove(t.Context(), conn, run.Run); err != nil {
		t.Fatal(err)
	}
	if got := look(by, "backup.restores"); !got.OK || !strings.Contains(string(got.Value), strings.Repeat("0", 64)) || !strings.Contains(got.Summary, "test.dump") {
		t.Errorf("backup.restores: %v, %q, %s", got.OK, got.Summary, got.Value)
	}
	var report string
	if err := conn.QueryRow(t.Context(), "SELECT report_sha256 FROM gatehouse.rehearsals").Scan(&report); err != nil {
		t.Fatal(err)
	}
	if got := look(by, "migration.rehearsed"); !got.OK || !strings.Contains(string(got.Value), report) || !strings.Contains(got.Summary, report) || !strings.Contains(string(got.Value), run.Migrations[0].SHA256) {
		t.Errorf("migration.rehearsed: %v, %q, %s", got.OK, got.Summary, got.Value)
	}
	theirs := housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead)
	for _, name := range []string{"backup.restores", "migration.rehearsed"} {
		if got := look(theirs, name); got.OK {
			t.Errorf("another tenant's %s is ours: %s", name, got.Value)
		}
	}
	// A rehearsal of another text speaks for nothing.
	asSuper(t, d, "ALTER TABLE gatehouse.rehearsed_files DISABLE TRIGGER USER; UPDATE gatehouse.rehearsed_files SET sha256 = repeat('a', 64) WHERE version = '0.0.20'")
	if got := look(by, "migration.rehearsed"); got.OK {
		t.Errorf("a rehearsal of another text: %q", got.Summary)
	}
}

func TestMigrationChecksSeeWhatIsWrong(t *testing.T) {
	d := housetest.At(t, "0.0.22")
	c, run := checksAt(t, d)
	by := housetest.Person(housetest.Rivermark, "devops", actor.DevOpsLead)
	other := runbook.RunFacts{Migrations: slices.Clone(run.Migrations)}
	other.Migrations[5].SHA256 = strings.Repeat("0", 64)
	for _, name := range []string{"migration.plan", "migration.applied"} {
		got, err := c.Check(t.Context(), by, name, other)
		if err != nil || got.OK || !strings.Contains(got.Summary, "0.0.22 is not the one the release was started with") {
			t.Errorf("%s with another file: %+v, %v", name, got, err)
		}
	}
	asSuper(t, d, "DROP INDEX idx_outliers_severity")
	if got, err := c.Check(t.Context(), by, "migration.applied", run); err != nil || got.OK || !strings.Contains(got.Summary, "idx_outliers_severity") {
		t.Errorf("migration.applied with an index gone: %+v, %v", got, err)
	}
	if got, err := c.Check(t.Context(), by, "migration.applied", runbook.RunFacts{}); err != nil || got.OK {
		t.Errorf("migration.applied of no migration: %+v, %v", got, err)
	}
	if _, err := c.Check(t.Context(), by, "moon.phase", run); err == nil {
		t.Error("a check that nobody knows was answered")
	}

	bare := housetest.At(t, "")
	c, run = checksAt(t, bare)
	if got, err := c.Check(t.Context(), by, "migration.baseline", run); err != nil || got.OK {
		t.Errorf("migration.baseline without a warehouse: %+v, %v", got, err)
	}
}

func TestSmokeTestsOfADeadEndpointFindThat(t *testing.T) {
	d := housetest.At(t, "0.0.22")
	c, run := checksAt(t, d)
	c.Endpoint.url = "http://127.0.0.1:1/graphql"
	for _, name := range []string{"graphql.data_quality", "graphql.health", "graphql.statistics"} {
		got, err := c.Check(t.Context(), housetest.Person(housetest.Rivermark, "qa", actor.QALead), name, run)
		if err != nil || got.OK || !strings.Contains(got.Summary, "cannot be reached") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
