package app_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/housetest"
)

// statements are the texts of internal/postgres/queries by name.
func statements(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	files, err := filepath.Glob("../postgres/queries/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no statements: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range strings.Split("\n"+string(raw), "\n-- name: ")[1:] {
			header, body, _ := strings.Cut(block, "\n")
			name, _, _ := strings.Cut(header, " ")
			all[name] = strings.TrimSuffix(strings.TrimSpace(comment.ReplaceAllString(body, "")), ";")
		}
	}
	return all
}

var (
	comment   = regexp.MustCompile(`(?m)--.*$`)
	parameter = regexp.MustCompile(`@[a-z0-9_]+`)
)

// counting are the statements that may count, each with its bound.
var counting = map[string]string{
	"CountRunItems":    "the items of one release, when one of them changes",
	"AddSignature":     "the signatures of one gate, when one is given",
	"HealthDecisions":  "the decisions of seven days, from an index, when the checks run",
	"HealthFailures":   "at most 1,000 rows, when the checks run",
	"RestoreSessions":  "the connections of the server, by role and program",
	"HealthStatistics": "at most 10,000 and 1,000 rows, when the checks run",

	"ComputeQuality":        "every material, measurement and open failure of a tenant, when the scheduler computes the figures; never on a request",
	"CodesNotFound":         "the lines of one file, when the scheduler checks it",
	"CapacityActable":       "at most 501 failures of one group, when its page is opened",
	"CapacityScene":         "at most 100 open failures of a bin and of a material, when one is recorded",
	"CapacityStrangers":     "the same, when the scheduler takes in what the warehouse wrote itself",
	"DeliverCapacityAlerts": "the alerts that were delivered since the scheduler last looked",

	"DescribeAcceptance":      "the measurements of a period, when the scheduler takes a snapshot of a release",
	"DescribeBinVolume":       "the bins, when the scheduler takes a snapshot of a release",
	"DescribeBinWeight":       "the bins, when the scheduler takes a snapshot of a release",
	"DescribeConfidence":      "the recommendations of a period, when the scheduler takes a snapshot of a release",
	"DescribeDecisions":       "the recommendations of a period, when the scheduler takes a snapshot of a release",
	"SnapshotRecommendations": "the recommendations of a day, when the scheduler takes a snapshot of a release",
	"PlanTasks":               "the lots of a tenant, when the scheduler plans what to measure, every five minutes",
	"WantTask":                "the lots of one material, when somebody wants it measured",
	"EndRollback":             "the steps of one rollback, when it ends",
	"ReviewGlass":             "the one review that it writes down",
	"ReviewMigrations":        "the ledger's entries of one release, when its report is opened",
	"SnapshotMigrated":        "the migrations of one release, when its snapshots, its report or its dossier are opened",
	"ReviewItems":             "the entries of each item of one release, when its report is opened",
	"ReviewRefused":           "what was refused in one release, when its report is opened",
	"WaitingReady":            "the items and gates of the active release, when something was done since it was counted",
}

// TestNoPageCountsATable: a count that nobody has thought about is a page that gets slower with every day.
func TestNoPageCountsATable(t *testing.T) {
	for name, text := range statements(t) {
		counts := strings.Contains(strings.ToLower(text), "count(")
		if why, known := counting[name]; counts && !known {
			t.Errorf("statement %s counts; give it a bound and its reason here, or keep the number where it changes", name)
		} else if known && !counts {
			t.Errorf("statement %s no longer counts %s", name, why)
		}
	}
}

// list is a statement behind a page that grows, as its page asks it.
type list struct {
	name   string
	values map[string]string
}

// TestListsReadNoMoreThanTheyShow runs the statements behind the lists over 50,000 rows, each as often as it takes for
// PostgreSQL to settle on a plan: after five uses it may take one that is made for no values at all.
func TestListsReadNoMoreThanTheyShow(t *testing.T) {
	s := halfway(t, "0.0.18")
	s.grow(50_000)
	all := statements(t)
	newest := map[string]string{"before": "0", "person": "''", "action": "''", "object_kind": "''", "object_id": "''", "outcome": "''", "from": "NULL", "to": "NULL", "limit": "51"}
	runs := map[string]string{"environment": "'demo'", "state": "'closed'", "before_at": "'infinity'", "before_id": "'ffffffff-ffff-ffff-ffff-ffffffffffff'", "most": "51"}
	for _, l := range []list{
		{"AuditPage", newest},
		{"AuditPage", with(newest, "before", "25000")},
		{"AuditPage", with(newest, "outcome", "'refused'")},
		{"AuditPage", with(newest, "action", "'item:done'")},
		{"AuditPage", with(newest, "person", "'subject-7'")},
		{"AuditPage", with(newest, "person", "'nobody'")},
		{"AuditPage", with(with(newest, "object_kind", "'item'"), "object_id", "'object 7'")},
		{"AuditPage", with(with(newest, "from", "now() - interval '9 days'"), "to", "now() - interval '8 days'")},
		{"AuditNewestCheck", nil},
		{"ListRuns", runs},
		{"ListRuns", with(runs, "before_at", "now() - interval '20 days'")},
		{"ListRunsOfState", runs},
		{"ActiveRun", runs},
		{"MigrationHistory", map[string]string{"before": "0", "version": "0", "limit": "51"}},
		{"MigrationHistory", map[string]string{"before": "300", "version": "0", "limit": "51"}},
		{"MigrationHistory", map[string]string{"before": "0", "version": "20", "limit": "51"}},
		{"MigrationRunsOfVersion", map[string]string{"version": "20"}},
		{"MigrationRunsInTheWay", nil},
		{"LatestHealthResults", nil},
		{"LatestDrift", nil},
		{"DriftAcceptances", nil},
		{"NewestOperations", nil},
		{"ListBackups", map[string]string{"backup": "NULL"}},
		{"ReviewRefused", map[string]string{"run": "'0b8f2c1e-6a54-4c0e-9d3f-6f6b6a1f3f10'"}},
	} {
		text, ok := all[l.name]
		if !ok {
			t.Fatalf("there is no statement %s", l.name)
		}
		p := s.plan(text, l.values)
		t.Logf("%-24s reads %5d rows %v", l.name, p.read(), l.values)
		p.each(func(n plan) {
			if rows := int((n.Rows + n.Removed + n.Rechecked) * n.Loops); n.Type == "Seq Scan" && rows > 10_000 {
				t.Errorf("%s %v: reads all %d rows of %s", l.name, l.values, rows, n.Relation)
			}
			if strings.Contains(n.Type, "Sort") && len(n.Plans) > 0 && n.Plans[0].Rows*n.Plans[0].Loops > 1000 {
				t.Errorf("%s %v: sorts %.0f rows", l.name, l.values, n.Plans[0].Rows*n.Plans[0].Loops)
			}
		})
	}
}

func with(values map[string]string, name, value string) map[string]string {
	changed := map[string]string{}
	for n, v := range values {
		changed[n] = v
	}
	changed[name] = value
	return changed
}

// plan is a node of EXPLAIN (ANALYZE, FORMAT JSON).
type plan struct {
	Type      string  `json:"Node Type"`
	Relation  string  `json:"Relation Name"`
	Rows      float64 `json:"Actual Rows"`
	Loops     float64 `json:"Actual Loops"`
	Removed   float64 `json:"Rows Removed by Filter"`
	Rechecked float64 `json:"Rows Removed by Index Recheck"`
	Plans     []plan  `json:"Plans"`
}

func (p plan) each(look func(plan)) {
	look(p)
	for _, below := range p.Plans {
		below.each(look)
	}
}

// read is how many rows the scans of the plan looked at.
func (p plan) read() int {
	sum := 0.0
	p.each(func(n plan) {
		if n.Relation != "" {
			sum += (n.Rows + n.Removed + n.Rechecked) * n.Loops
		}
	})
	return int(sum)
}

// plan runs the statement as the application's role in our tenant.
func (s *story) plan(text string, values map[string]string) plan {
	s.t.Helper()
	var names, arguments []string
	text = parameter.ReplaceAllStringFunc(text, func(name string) string {
		at := slices.Index(names, name)
		if at < 0 {
			at, names = len(names), append(names, name)
			value, ok := values[name[1:]]
			if !ok {
				s.t.Fatalf("no value for %s", name)
			}
			arguments = append(arguments, value)
		}
		return fmt.Sprintf("$%d", at+1)
	})
	conn, err := pgx.Connect(s.t.Context(), s.database.AppURL)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close(s.t.Context()) }()
	execute := "EXECUTE asked"
	if len(arguments) > 0 {
		execute += "(" + strings.Join(arguments, ", ") + ")"
	}
	for _, statement := range []string{
		"SET app.current_tenant_id = '" + housetest.Rivermark.String() + "'", "PREPARE asked AS " + text,
	} {
		if _, err := conn.Exec(s.t.Context(), statement); err != nil {
			s.t.Fatalf("%s: %v", statement, err)
		}
	}
	for range 8 {
		if _, err := conn.Exec(s.t.Context(), execute, pgx.QueryExecModeSimpleProtocol); err != nil {
			s.t.Fatalf("%s: %v", execute, err)
		}
	}
	var raw []byte
	err = conn.QueryRow(s.t.Context(), "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+execute, pgx.QueryExecModeSimpleProtocol).Scan(&raw)
	if err != nil {
		s.t.Fatalf("%s: %v", execute, err)
	}
	var answers []struct{ Plan plan }
	if err := json.Unmarshal(raw, &answers); err != nil || len(answers) != 1 {
		s.t.Fatalf("%s: %v", raw, err)
	}
	return answers[0].Plan
}

// grow gives both tenants' lists the length of years, past the triggers. The ledger gets a row for every try to change the
// schema, so its years are some hundred rows; its view, a barrier, reads all of them.
func (s *story) grow(rows int) {
	s.t.Helper()
	s.sql(strings.NewReplacer("{rows}", fmt.Sprint(rows), "{theirs}", housetest.Saltway.String()).Replace(`
		BEGIN;
		SET LOCAL session_replication_role = replica;
		INSERT INTO gatehouse.audit_events (tenant_id, seq, at, origin, issuer, subject, name, roles, ip, action, object_kind, object_id, outcome, reason, prev_hash, hash)
		SELECT CASE WHEN n % 4 = 0 THEN '{theirs}'::uuid ELSE r.tenant_id END, 1000 + n, now() - make_interval(mins => {rows} - n), 'web', 'https://id.test', 'subject-' || n % 50, 'Name ' || n % 50, 'viewer', '127.0.0.1',
		       (ARRAY['item:done', 'item:take', 'session:sign_in', 'session:sign_out', 'health:run'])[1 + n % 5], 'item', 'object ' || n % 900,
		       CASE WHEN n % 41 = 0 THEN 'refused' ELSE 'done' END, '', sha256(n::text::bytea), sha256(n::text::bytea)
		  FROM gatehouse.runs r, generate_series(1, {rows}) n;
		INSERT INTO gatehouse.runs (tenant_id, run_id, environment, code, title, state, t0, time_zone, template_name, template_version, template_sha256, template,
		       started_by_issuer, started_by_subject, started_by_name, started_at, ended_at, ended_by, end_reason, items_total)
		SELECT CASE WHEN n % 4 = 0 THEN '{theirs}'::uuid ELSE tenant_id END, gen_random_uuid(), environment, 'R-' || n, title, CASE WHEN n % 3 = 0 THEN 'aborted' ELSE 'closed' END, t0, time_zone, template_name, template_version,
		       encode(sha256('{}'), 'hex'), '{}', started_by_issuer, started_by_subject, started_by_name, now() - make_interval(mins => n), now(), 'x', 'x', 81
		  FROM (SELECT * FROM gatehouse.runs WHERE state = 'active') r, generate_series(1, {rows}) n;
		INSERT INTO gatehouse.migration_ledger (version, version_number, description, script, direction, success, sha256, sha256_tokens, tenant_id, actor_issuer, actor_subject, actor_name,
		       actor_roles, origin, started_at, finished_at, duration_ms, server_version)
		SELECT version, version_number, description, script, direction, success, sha256, sha256_tokens, tenant_id, actor_issuer, actor_subject, actor_name,
		       actor_roles, origin, started_at, finished_at, duration_ms, server_version
		  FROM (SELECT * FROM gatehouse.migration_ledger ORDER BY ledger_id LIMIT 5) l, generate_series(1, {rows} / 500) n;
		INSERT INTO gatehouse.health_results (tenant_id, run_id, check_name, level, unit, message, took_ms, checked_at)
		SELECT r.tenant_id, gen_random_uuid(), 'cache', 'healthy', '', 'It is fresh.', 1, now() - make_interval(mins => n) FROM (SELECT * FROM gatehouse.runs WHERE state = 'active') r, generate_series(1, {rows}) n;
		COMMIT;`))
	for _, table := range []string{"audit_events", "runs", "migration_ledger", "health_results", "migration_runs"} {
		s.sql("ANALYZE gatehouse." + table)
	}
}
