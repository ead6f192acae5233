package sqlparse_test

import (
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/sqlparse"
	"github.com/agogsaas/gatehouse/migrations"
)

// shared is loaded once for all tests: that takes seconds.
var shared = sqlparse.New()

func lint(t testing.TB, file migration.File, live migration.LintLive) migration.LintReport {
	t.Helper()
	statements, err := shared.Parse(file.SQL)
	var unread *migration.ParseError
	if errors.As(err, &unread) {
		return migration.LintUnread(file.Script, unread)
	}
	if err != nil {
		t.Fatalf("Parse(%s): %v", file.SQL, err)
	}
	return migration.Lint(file, statements, live)
}

// brief is a finding as the tests name it: line, rule, level, relation.
func brief(r migration.LintReport) []string {
	list := []string{}
	for _, f := range r.Findings {
		list = append(list, strings.TrimSpace(strings.Join([]string{f.Rule, string(f.Level), f.Relation}, " ")))
	}
	return list
}

var large = migration.LintLive{
	Known: true,
	Tables: map[string]migration.LintTable{
		"public.filled": {Filled: true, Unique: "filled_key"}, "public.never": {Unique: "never_key"},
		"public.big": {Rows: 10_000_000, Bytes: 1e9}, "public.mid": {Rows: 50_000}, "public.small": {Rows: 10}, "public.busy": {Rows: 50_000, WritesPerHour: 10_000},
		"public.empty": {},
	},
	Columns: map[string]string{"public.big.d": "numeric(4,3)", "public.big.v": "character varying(20)"},
	Views:   map[string][]string{"public.small.seen": {"public.a_view"}},
	Roles:   map[string]bool{"here": true},
}

func TestRules(t *testing.T) {
	t.Parallel()
	const alone = "-- migrate:no-transaction\n"
	for _, c := range []struct {
		sql  string
		want []string
	}{
		{"SELECT 1", nil},
		{"SELECT ( FROM", []string{"unreadable stop"}},
		{"CREATE TABLE n (a int); CREATE INDEX ON n (a); ALTER TABLE n ADD COLUMN b uuid DEFAULT gen_random_uuid(), ALTER a TYPE text; UPDATE n SET a = '1'", nil},
		{"ALTER TABLE big ALTER d TYPE numeric(5,3)", []string{"type-change note public.big"}},
		{"ALTER TABLE big ALTER d TYPE decimal(5,2)", []string{"rewrite stop public.big"}},
		{"ALTER TABLE big ALTER v TYPE varchar(40)", []string{"type-change note public.big"}},
		{"ALTER TABLE big ALTER v TYPE text", []string{"type-change note public.big"}},
		{"ALTER TABLE big ALTER v TYPE text USING lower(v)", []string{"rewrite stop public.big"}},
		{"ALTER TABLE big ALTER v TYPE varchar(10)", []string{"rewrite stop public.big"}},
		{"ALTER TABLE mid ALTER x TYPE bigint", []string{"rewrite warn public.mid"}},
		{"ALTER TABLE small ALTER x TYPE bigint", []string{"rewrite note public.small"}},
		{"ALTER TABLE busy ALTER x TYPE bigint", []string{"rewrite stop public.busy"}},
		{"ALTER TABLE small ALTER seen TYPE bigint", []string{"dependent-view stop public.small", "rewrite note public.small"}},
		{"DROP VIEW a_view; ALTER TABLE small ALTER seen TYPE bigint", []string{"drop note public.a_view", "rewrite note public.small"}},
		{"ALTER TABLE small DROP COLUMN seen", []string{"dependent-view stop public.small", "drop warn public.small"}},
		{"CREATE INDEX i ON big (a)", []string{"index-not-concurrent stop public.big"}},
		{"CREATE INDEX CONCURRENTLY i ON big (a)", []string{"not-in-a-transaction stop public.big"}},
		{alone + "CREATE INDEX CONCURRENTLY i ON big (a)", nil},
		{alone + "CREATE INDEX CONCURRENTLY i ON big (a); DROP INDEX CONCURRENTLY k", []string{"two-in-a-file stop public.k", "drop note public.k"}},
		{"ALTER TABLE big ADD CONSTRAINT k CHECK (a > 0)", []string{"constraint-validated-at-once stop public.big"}},
		{"ALTER TABLE big ADD CONSTRAINT k CHECK (a > 0) NOT VALID", nil},
		{"ALTER TABLE big ADD CONSTRAINT k CHECK (a > 0) NOT VALID; ALTER TABLE big VALIDATE CONSTRAINT k", []string{"constraint-validated-at-once stop public.big"}},
		{"ALTER TABLE big VALIDATE CONSTRAINT k", nil},
		{"ALTER TABLE big ADD FOREIGN KEY (a) REFERENCES small", []string{"constraint-validated-at-once stop public.big"}},
		{"ALTER TABLE big ADD FOREIGN KEY (a) REFERENCES small NOT VALID", nil},
		{"ALTER TABLE big ADD UNIQUE (a)", []string{"index-not-concurrent stop public.big"}},
		{"ALTER TABLE big ADD CONSTRAINT u UNIQUE USING INDEX i", nil},
		{"ALTER TABLE big ALTER a SET NOT NULL", []string{"not-null stop public.big"}},
		{"ALTER TABLE big ADD COLUMN n int NOT NULL", []string{"not-null stop public.big"}},
		{"ALTER TABLE empty ADD COLUMN n int NOT NULL", []string{"not-null note public.empty"}},
		{"ALTER TABLE big ADD COLUMN n int NOT NULL DEFAULT 0, ADD COLUMN m timestamptz DEFAULT now()", nil},
		{"ALTER TABLE big ADD COLUMN n uuid DEFAULT gen_random_uuid()", []string{"volatile-default stop public.big"}},
		{"ALTER TABLE big ADD COLUMN n bigserial", []string{"rewrite stop public.big"}},
		{"ALTER TABLE big ADD COLUMN n int GENERATED ALWAYS AS (a + 1) STORED", []string{"rewrite stop public.big"}},
		{"ALTER TABLE big SET UNLOGGED", []string{"rewrite stop public.big"}},
		{"DROP TABLE big", []string{"drop warn public.big"}},
		{"DROP TYPE mood", []string{"drop warn public.mood"}},
		{
			"ALTER TABLE big RENAME TO large; ALTER TABLE big RENAME COLUMN a TO b; ALTER TABLE big RENAME CONSTRAINT a TO b; ALTER TYPE mood RENAME TO humour",
			[]string{"rename warn public.big", "rename warn public.big", "rename warn public.big", "rename warn"},
		},
		{"GRANT SELECT ON big TO nobody_here, here, PUBLIC", []string{"unguarded-grant stop", "unguarded-grant note"}},
		{"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles) THEN GRANT SELECT ON big TO nobody_here; END IF; END $$", nil},
		{"DO $$ BEGIN EXECUTE 'DROP TABLE big'; END $$", []string{"hidden-sql note"}},
		{"CREATE TRIGGER t AFTER INSERT OR UPDATE ON small FOR EACH ROW WHEN (TG_OP = 'INSERT') EXECUTE FUNCTION f()", []string{"tg-op-in-when stop public.small"}},
		{
			"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN REFRESH /**/ MATERIALIZED VIEW v; RETURN NULL; END $$; CREATE TRIGGER t AFTER INSERT ON small FOR EACH ROW EXECUTE FUNCTION f()",
			[]string{"refresh-per-row stop public.small"},
		},
		{"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN REFRESH MATERIALIZED VIEW v; RETURN NULL; END $$; CREATE TRIGGER t AFTER INSERT ON small FOR EACH STATEMENT EXECUTE FUNCTION f()", nil},
		{"VACUUM big", []string{"not-in-a-transaction stop public.big"}},
		{alone + "VACUUM FULL big", []string{"rewrite stop public.big"}},
		{"ANALYZE big", nil},
		{"CLUSTER mid USING i", []string{"rewrite warn public.mid"}},
		{"BEGIN; COMMIT; SAVEPOINT a", []string{"not-in-a-migration stop", "not-in-a-migration stop"}},
		{`\d`, []string{"unreadable stop"}},
		{
			"COPY big FROM PROGRAM 'x'; ALTER SYSTEM SET a = 1; SET ROLE x; SET SESSION AUTHORIZATION x; RESET ROLE",
			[]string{"not-in-a-migration stop", "not-in-a-migration stop", "not-in-a-migration stop", "not-in-a-migration stop", "not-in-a-migration stop"},
		},
		{"SET lock_timeout = '1min'", []string{"own-timeout warn"}},
		{"ALTER TYPE mood ADD VALUE 'glad'; INSERT INTO small VALUES ('glad')", []string{"enum-value note", "enum-value-used stop"}},
		{"LOCK TABLE small; LOCK TABLE big", []string{"lock-table warn public.small", "lock-table stop public.big"}},
		{"UPDATE big SET a = 1; DELETE FROM big; UPDATE big SET a = 1 WHERE b; DELETE FROM small", []string{"every-row stop public.big", "every-row stop public.big", "every-row note public.small"}},
		{"TRUNCATE small", []string{"truncate stop public.small"}},
		{"REFRESH MATERIALIZED VIEW mid; REFRESH MATERIALIZED VIEW CONCURRENTLY mid", []string{"refresh warn public.mid", "refresh-without-unique-index stop public.mid"}},
		{"REFRESH MATERIALIZED VIEW CONCURRENTLY filled", nil},
		{"REFRESH MATERIALIZED VIEW CONCURRENTLY never", []string{"refresh-not-filled stop public.never"}},
		{"REFRESH MATERIALIZED VIEW CONCURRENTLY w.nowhere", []string{"refresh-without-unique-index note w.nowhere"}},
		{"DO $$ BEGIN REFRESH MATERIALIZED VIEW CONCURRENTLY mid; END $$", []string{"refresh-without-unique-index stop public.mid"}},
		{"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN REFRESH MATERIALIZED VIEW CONCURRENTLY mid; END $$", []string{"refresh-without-unique-index stop public.mid"}},
		{"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN REFRESH MATERIALIZED VIEW CONCURRENTLY never; END $$", nil}, // by then it may be filled
		{
			"CREATE MATERIALIZED VIEW n AS SELECT 1 AS a; CREATE INDEX ON n (a); CREATE UNIQUE INDEX ON n (a) WHERE a > 1; CREATE UNIQUE INDEX ON n ((a + 1)); REFRESH MATERIALIZED VIEW CONCURRENTLY n",
			[]string{"refresh-without-unique-index stop public.n"},
		},
		{"CREATE MATERIALIZED VIEW n AS SELECT 1 AS a; CREATE UNIQUE INDEX ON n (a); REFRESH MATERIALIZED VIEW CONCURRENTLY n", nil},
		{
			"CREATE MATERIALIZED VIEW n AS SELECT 1 AS a; CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN REFRESH MATERIALIZED VIEW CONCURRENTLY n; END $$; CREATE UNIQUE INDEX ON n (a)",
			nil,
		},
		{"REINDEX TABLE mid", []string{"reindex warn public.mid"}},
	} {
		file := migration.File{SQL: c.sql, Direction: migration.Up, NoTransaction: strings.HasPrefix(c.sql, alone)}
		if diff := cmp.Diff(append([]string{}, c.want...), brief(lint(t, file, large))); diff != "" {
			t.Errorf("Lint(%s) (-want +got):\n%s", c.sql, diff)
		}
	}
}

func TestLocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sql, relation, want string }{
		{"ALTER TABLE a ADD COLUMN b int", "public.a", "AccessExclusiveLock"},
		{"ALTER TABLE w.a VALIDATE CONSTRAINT c", "w.a", "ShareUpdateExclusiveLock"},
		{"ALTER TABLE a ADD FOREIGN KEY (x) REFERENCES b", "public.a", "ShareRowExclusiveLock"},
		{"ALTER TABLE a ADD FOREIGN KEY (x) REFERENCES b", "public.b", "ShareRowExclusiveLock"},
		{"ALTER TABLE a ADD COLUMN x int REFERENCES b", "public.a", "AccessExclusiveLock"},
		{"CREATE TABLE n (x int REFERENCES b, FOREIGN KEY (x) REFERENCES c)", "public.c", "ShareRowExclusiveLock"},
		{"ALTER TABLE a ALTER x SET STATISTICS 5", "public.a", "ShareUpdateExclusiveLock"},
		{"ALTER TABLE a DISABLE TRIGGER t", "public.a", "ShareRowExclusiveLock"},
		{"ALTER TABLE a ATTACH PARTITION p DEFAULT", "public.p", "AccessExclusiveLock"},
		{"CREATE INDEX ON a (x)", "public.a", "ShareLock"},
		{"CREATE INDEX CONCURRENTLY ON a (x)", "public.a", "ShareUpdateExclusiveLock"},
		{"CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()", "public.a", "ShareRowExclusiveLock"},
		{"CREATE POLICY p ON a", "public.a", "AccessExclusiveLock"},
		{"DROP POLICY p ON a", "public.a", "AccessExclusiveLock"},
		{"REFRESH MATERIALIZED VIEW CONCURRENTLY a", "public.a", "ExclusiveLock"},
		{"REINDEX TABLE a", "public.a", "ShareLock"},
		{"REINDEX TABLE CONCURRENTLY a", "public.a", "ShareUpdateExclusiveLock"},
		{"UPDATE a SET x = 1 WHERE y", "public.a", "RowExclusiveLock"},
		{"LOCK TABLE a IN SHARE MODE", "public.a", "ShareLock"},
		{"COPY a FROM STDIN", "public.a", "RowExclusiveLock"},
		{"COPY a TO STDOUT", "public.a", "AccessShareLock"},
	} {
		got := map[string]string{}
		for _, l := range lint(t, migration.File{SQL: c.sql}, migration.LintLive{}).Locks {
			got[l.Relation] = l.Lock
		}
		if got[c.relation] != c.want {
			t.Errorf("%s locks %v, want %s on %s", c.sql, got, c.want, c.relation)
		}
	}
}

// What the shipped files do to a warehouse of unknown size.
func TestShippedFiles(t *testing.T) {
	t.Parallel()
	files, err := migration.ReadFiles(migrations.WMS, migration.Rules{Undo: true})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"V0.0.15": {"index-not-concurrent warn public.lots"},
		"V0.0.16": {
			"index-not-concurrent warn public.inventory_locations", "index-not-concurrent warn public.pick_lists", "index-not-concurrent warn public.wave_lines",
			"index-not-concurrent warn public.wave_lines", "index-not-concurrent warn public.sales_order_lines", "index-not-concurrent warn public.sales_orders",
			"index-not-concurrent warn public.inventory_transactions",
		},
		"V0.0.20": {"rewrite warn public.putaway_recommendations", "constraint-validated-at-once warn public.putaway_recommendations"},
	}
	for _, v := range files.Versions() {
		file, _ := files.Up(v)
		report := lint(t, file, migration.LintLive{})
		if diff := cmp.Diff(append([]string{}, want[v.Title()]...), brief(report)); diff != "" {
			t.Errorf("Lint(%s) (-want +got):\n%s", file.Script, diff)
		}
		undo, _ := files.Down(v)
		if r := lint(t, undo, migration.LintLive{}); r.Stops() {
			t.Errorf("Lint(%s) stops: %v", undo.Script, brief(r))
		}
	}
	file, _ := files.Up(files.Versions()[4])
	first := lint(t, file, migration.LintLive{}).Findings[0]
	if first.Line != 58 || first.Lock != "AccessExclusiveLock" || first.Waits != "reads and writes of public.putaway_recommendations wait" {
		t.Errorf("the rewrite of V0.0.20 is found as %+v, want line 58, AccessExclusiveLock and who waits", first)
	}
}

func TestParseNamesTheLine(t *testing.T) {
	t.Parallel()
	_, err := shared.Parse("-- größer: äöü äöü äöü äöü äöü äöü äöü\nSELECT 1;\n\nSELECT ( FROM x;\nSELECT 2;\n")
	var refused *migration.ParseError
	if !errors.As(err, &refused) || refused.Line != 4 || refused.Message != `syntax error at or near "FROM"` {
		t.Errorf("Parse of a syntax error = %v, want line 4 and PostgreSQL's message", err)
	}
	statements, err := shared.Parse("-- größer\n\n/* ä */ SELECT 'ä'; -- ö\n\nALTER TABLE ä ADD b int;")
	if err != nil || len(statements) != 2 || statements[0].Line != 3 || statements[1].Line != 5 || statements[1].SQL != "ALTER TABLE ä ADD b int" {
		t.Errorf("Parse = %+v, %v", statements, err)
	}
}

func TestParseRefusesWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"large": strings.Repeat("SELECT 1;\n", 200_000), "deep": "SELECT " + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000), "zero": "SELECT 1;\x00DROP TABLE a",
	} {
		var refused *migration.ParseError
		if _, err := shared.Parse(sql); !errors.As(err, &refused) {
			t.Errorf("Parse of %s text = %v, want a refusal", name, err)
		}
	}
}

func TestParserIsShared(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := shared.Parse("CREATE TABLE a (b int)"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func FuzzLint(f *testing.F) {
	for _, name := range []string{"V0.0.20__fix_bin_optimization_data_quality.sql", "V0.0.18__automated_triggers.sql"} {
		text, err := fs.ReadFile(migrations.WMS, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("ALTER TABLE a ADD b int[] DEFAULT ARRAY[f()], DROP c; DROP FUNCTION f(int); DROP OWNED BY a; ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b")
	f.Add("\xff\xfe$$ \x01 E'\\")
	f.Fuzz(func(t *testing.T, sql string) {
		report := lint(t, migration.File{SQL: sql}, large)
		for _, finding := range report.Findings {
			if finding.Line < 1 || finding.Why == "" || finding.Instead == "" {
				t.Errorf("Lint(%q) finds %+v", sql, finding)
			}
		}
	})
}
