package migrations_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// card reads the plan card as README.md describes it.
func card(sql string) map[string][]string {
	c := map[string][]string{}
	for line := range strings.Lines(sql) {
		key, value, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "-- ")), ": ")
		if !ok || !strings.HasPrefix(line, "-- ") {
			break
		}
		c[key] = append(c[key], value)
	}
	return c
}

// There must be no line between the names and what the requirement calls them.
func TestFileNames(t *testing.T) {
	t.Parallel()
	var got []string
	for _, r := range releases(t) {
		got = append(got, r.name)
	}
	want := []string{
		"V0.0.14__warehouse_baseline.sql", "V0.0.15__bin_utilization_tracking.sql",
		"V0.0.16__bin_utilization_algorithm_optimization.sql", "V0.0.18__automated_triggers.sql",
		"V0.0.20__fix_bin_optimization_data_quality.sql", "V0.0.21__fix_uuid_generation.sql",
		"V0.0.22__bin_optimization_statistical_analysis.sql",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("releases() (-want +got):\n%s", diff)
	}
}

var shapes = map[string]string{
	"extension": `^\w+$`, "table": `^public\.\w+$`, "view": `^public\.\w+$`, "matview": `^public\.\w+$`, "index": `^public\.\w+$`,
	"column": `^public\.\w+\.\w+$`, "constraint": `^public\.\w+\.\w+$`, "trigger": `^public\.\w+\.\w+$`, "function": `^public\.\w+\([\w, \[\]]*\)$`,
}

func TestPlanCards(t *testing.T) {
	t.Parallel()
	for _, r := range releases(t) {
		c := card(r.up)
		for _, key := range []string{"title", "risk", "estimate", "reversible", "locks", "undo loses"} {
			if got := len(c[key]); got != 1 {
				t.Errorf("%s: %q appears %d times on the plan card, want once", r.name, key, got)
				c[key] = []string{""}
			}
		}
		if risk := c["risk"][0]; risk != "low" && risk != "medium" && risk != "high" {
			t.Errorf("%s: risk %q, want low, medium or high", r.name, risk)
		}
		if d, err := time.ParseDuration(c["estimate"][0]); err != nil || d <= 0 {
			t.Errorf("%s: estimate %q is not a duration", r.name, c["estimate"][0])
		}
		if got := c["reversible"][0]; got != "yes" {
			t.Errorf("%s: reversible %q, want yes: it has a U file", r.name, got)
		}
		for _, object := range c["creates"] {
			kind, name, _ := strings.Cut(object, " ")
			if shape, ok := shapes[kind]; !ok || !regexp.MustCompile(shape).MatchString(name) {
				t.Errorf("%s: creates %q, which is no object README.md knows", r.name, object)
			}
		}
	}
}

// TestCardNamesEverything: an index or table that the card forgets is one the post-checks cannot miss.
func TestCardNamesEverything(t *testing.T) {
	t.Parallel()
	created := regexp.MustCompile(`(?m)^CREATE (?:UNIQUE )?(TABLE|VIEW|MATERIALIZED VIEW|INDEX|FUNCTION) (?:public\.)?(\w+)`)
	kinds := map[string]string{"TABLE": "table", "VIEW": "view", "MATERIALIZED VIEW": "matview", "INDEX": "index", "FUNCTION": "function"}
	for _, r := range releases(t) {
		named := "\n" + strings.Join(card(r.up)["creates"], "\n") + "\n"
		for _, m := range created.FindAllStringSubmatch(r.up, -1) {
			want := kinds[m[1]] + " public." + m[2]
			if !strings.Contains(named, "\n"+want+"\n") && !strings.Contains(named, "\n"+want+"(") {
				t.Errorf("%s makes %s, and its plan card does not say so", r.name, want)
			}
		}
	}
}

func TestFilesLeaveTransactionsAlone(t *testing.T) {
	t.Parallel()
	comment := regexp.MustCompile(`--.*`)
	body := regexp.MustCompile(`(?s)\$\$.*?\$\$`)
	forbidden := regexp.MustCompile(`(?i)\b(BEGIN|COMMIT|ROLLBACK|IF NOT EXISTS|DROP \w+ IF EXISTS|CASCADE;|CONCURRENTLY|SET ROLE|ALTER SYSTEM|EXECUTE format)\b`)
	for _, r := range releases(t) {
		for name, sql := range map[string]string{r.name: r.up, "U" + r.name[1:]: r.down} {
			plain := body.ReplaceAllString(comment.ReplaceAllString(sql, ""), "")
			if found := forbidden.FindString(plain); found != "" {
				t.Errorf("%s contains %s outside a function body", name, found)
			}
		}
	}
}

// exists looks one object of a plan card up in the catalog.
func exists(t *testing.T, conn *pgx.Conn, object string) bool {
	t.Helper()
	kind, name, _ := strings.Cut(object, " ")
	parts := strings.Split(name, ".")
	switch kind {
	case "extension":
		return one(t, conn, "SELECT count(*) FROM pg_extension WHERE extname = $1", name) == "1"
	case "table", "view", "matview", "index":
		relkind := map[string]string{"table": "r", "view": "v", "matview": "m", "index": "i"}[kind]
		return one(t, conn, "SELECT count(*) FROM pg_class WHERE oid = to_regclass($1) AND relkind = $2::\"char\"", name, relkind) == "1"
	case "column":
		return one(t, conn, `SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped`,
			parts[0]+"."+parts[1], parts[2]) == "1"
	case "constraint":
		return one(t, conn, `SELECT count(*) FROM pg_constraint WHERE conrelid = to_regclass($1) AND conname = $2 AND convalidated`,
			parts[0]+"."+parts[1], parts[2]) == "1"
	case "trigger":
		return one(t, conn, `SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass($1) AND tgname = $2 AND NOT tgisinternal`,
			parts[0]+"."+parts[1], parts[2]) == "1"
	case "function":
		return one(t, conn, "SELECT to_regprocedure($1) IS NOT NULL", name) == "t"
	}
	t.Fatalf("no way to look for %q", object)
	return false
}
