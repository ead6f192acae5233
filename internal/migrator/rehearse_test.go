package migrator_test

import (
	"context"
	"crypto/rand"
	"net/url"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/privatepg"
)

func TestRehearsingTheReleaseNamesItsLocksAndRewrites(t *testing.T) {
	t.Parallel()
	db := housetest.At(t, "0.0.18")
	m, err := migrator.New(migrator.WMS(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	copied := copyOf(t, db)
	before, err := m.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	report := rehearse(t, m, copied)
	if !report.Passed() {
		t.Fatalf("the rehearsal of our own files did not pass: %s\n%v", report.Verdict(), report.Versions)
	}
	if diff := cmp.Diff([]string{"0.0.20", "0.0.21", "0.0.22"}, report.Planned); diff != "" {
		t.Errorf("Planned (-want +got):\n%s", diff)
	}
	change := find(t, report, 0, 0, "ALTER TABLE public.putaway_recommendations ALTER COLUMN confidence_score")
	if diff := cmp.Diff([]string{"public.putaway_recommendations"}, change.Rewrites); diff != "" {
		t.Errorf("what the type change rewrites (-want +got):\n%s", diff)
	}
	want := migration.HeldLock{Relation: "public.putaway_recommendations", Mode: "AccessExclusiveLock"}
	if !holds(change.Locks, want) {
		t.Errorf("the type change holds %v, want %v among them", change.Locks, want)
	}
	if change.WALBytes <= 0 || change.Line == 0 {
		t.Errorf("the type change wrote %d bytes of log and stands in line %d", change.WALBytes, change.Line)
	}
	if report.Versions[0].Checks == 0 || report.Versions[0].UpTime() <= 0 || report.Versions[0].DownTime() <= 0 {
		t.Errorf("V0.0.20 has %d checks, %s up and %s down", report.Versions[0].Checks, report.Versions[0].UpTime(), report.Versions[0].DownTime())
	}
	after, err := m.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the rehearsal changed the real schema (-before +after):\n%s", diff)
	}
	if got := states(t, m)["0.0.20"]; got != migration.StatePending {
		t.Errorf("after the rehearsal V0.0.20 is %s, want pending", got)
	}
}

// TestARehearsalStopsAtTheFirstError uses the faults that the first authors' own files had.
func TestARehearsalStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	const table = "CREATE TABLE public.t15 (id int);\n"
	for name, c := range map[string]struct{ sql, state, place, undo string }{
		"TG_OP in WHEN": {table + "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\n" +
			"CREATE TRIGGER g AFTER INSERT ON public.t15 FOR EACH ROW\n    WHEN (TG_OP = 'INSERT')\n    EXECUTE FUNCTION public.f();", "42703", "line 8 ", ""},
		"a grant to nobody":   {table + "\nGRANT SELECT ON public.t15 TO somebody_who_is_not_there;", "42704", "line 7 ", ""},
		"copy from a program": {table + "DO $$ BEGIN EXECUTE 'COPY public.t15 FROM PROGRAM ''echo 1'''; END $$;", "42501", "line 6 ", ""},
		"data against a check": {"INSERT INTO public.t14 VALUES (2);\n" +
			"ALTER TABLE public.t14 ADD CONSTRAINT small CHECK (id < 2);", "23514", "line 6 ", ""},
		"an undo that fails": {table, "42P01", "U0.0.15__step.sql line 1 ", "DROP TABLE public.t16;"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := folder(map[int]string{14: "CREATE TABLE public.t14 (id int);", 15: c.sql, 16: "SELECT 1;"})
			if c.undo != "" {
				files["U0.0.15__step.sql"] = &fstest.MapFile{Data: []byte(c.undo)}
			}
			db := empty(t)
			m := open(t, db, files)
			if _, err := m.UpTo(t.Context(), v(t, "0.0.14"), setUp, nil); err != nil {
				t.Fatal(err)
			}
			report := rehearse(t, m, copyOf(t, db))
			if report.Passed() || len(report.Versions) != 1 {
				t.Fatalf("%d versions were rehearsed and passed is %v, want one that did not pass", len(report.Versions), report.Passed())
			}
			one := report.Versions[0]
			last := one.Passes[len(one.Passes)-1]
			if last.SQLState != c.state || !strings.Contains(last.Error, c.place) {
				t.Errorf("it stopped with %q %s, want SQLSTATE %s and %q", last.Error, last.SQLState, c.state, c.place)
			}
			if len(one.Left) > 0 {
				t.Errorf("a file that failed has left: %v", one.Left)
			}
		})
	}
}

func TestARehearsalSeesWhatAnUndoFileForgets(t *testing.T) {
	t.Parallel()
	files := folder(map[int]string{14: "CREATE TABLE public.t14 (id int);", 15: "CREATE TABLE public.t15 (id int);\nCREATE INDEX late ON public.t14 (id);"})
	files["V0.0.15__step.sql"].Data = []byte(card + "-- creates: table public.t99\nCREATE TABLE public.t15 (id int);\nCREATE INDEX IF NOT EXISTS late ON public.t14 (id);")
	db := empty(t)
	m := open(t, db, files)
	if _, err := m.UpTo(t.Context(), v(t, "0.0.14"), setUp, nil); err != nil {
		t.Fatal(err)
	}
	report := rehearse(t, m, copyOf(t, db))
	want := []string{"After it was taken back: index public.late has remained.", "Post-check table public.t99: expected there, found missing."}
	if diff := cmp.Diff(want, report.Versions[0].Wrong()); diff != "" {
		t.Errorf("Wrong() (-want +got):\n%s", diff)
	}
}

func TestARehearsalRunsOnACopyOfThisSchemaAlone(t *testing.T) {
	t.Parallel()
	db := empty(t)
	m := open(t, db, folder(tables(14, 15)))
	if _, err := m.UpTo(t.Context(), v(t, "0.0.14"), setUp, nil); err != nil {
		t.Fatal(err)
	}
	copied := copyOf(t, db)
	mighty, err := housetest.AsUser(copied, user(t, db.SuperURL))
	if err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{"the database itself": db.OwnerURL, "as superuser": mighty, "no address": "here"} {
		if _, err := m.Rehearse(t.Context(), request(address)); !refusedAs(err, fault.Invalid) {
			t.Errorf("Rehearse(%s) = %v, want Invalid", name, err)
		}
	}
	conn, err := pgx.Connect(t.Context(), copied)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // a test's own connection
	if _, err := conn.Exec(t.Context(), "ALTER TABLE public.t14 ADD x int"); err != nil {
		t.Fatal(err)
	}
	_, err = m.Rehearse(t.Context(), request(copied))
	if diff := cmp.Diff([]string{"column public.t14.x has remained."}, disagreement(err)); diff != "" {
		t.Errorf("on a copy of another schema (-want +got):\n%s", diff)
	}
	upTo(t, m)
	if _, err := m.Rehearse(t.Context(), request(copied)); !refusedAs(err, fault.Conflict) || !strings.Contains(err.Error(), "Nothing is pending") {
		t.Errorf("with nothing pending: %v", err)
	}
}

func TestACancelledRehearsalIsNoReport(t *testing.T) {
	t.Parallel()
	db := empty(t)
	m := open(t, db, folder(map[int]string{14: "SELECT pg_sleep(30);"}))
	req := request(copyOf(t, db))
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			n, err := pgx.Connect(ctx, db.SuperURL)
			if err != nil {
				return
			}
			var sleeps bool
			err = n.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND application_name LIKE '%rehearsal')").Scan(&sleeps)
			_ = n.Close(context.Background())
			if err == nil && sleeps {
				stop()
			}
		}
	}()
	defer stop()
	if _, err := m.Rehearse(ctx, req); err == nil {
		t.Error("a rehearsal that was stopped gave a report")
	}
}

func request(address string) migrator.RehearseRequest {
	return migrator.RehearseRequest{URL: address, Data: migration.RehearsalData{Kind: migration.OnCopy}, Facts: postgres.CatalogFacts}
}

func rehearse(t *testing.T, m *migrator.Migrator, address string) migration.RehearsalReport {
	t.Helper()
	req := request(address)
	req.Say = func(line string) { t.Log(line) }
	report, err := m.Rehearse(t.Context(), req)
	if err != nil {
		t.Fatalf("Rehearse: %v", err)
	}
	return report
}

func find(t *testing.T, r migration.RehearsalReport, version, pass int, prefix string) migration.RehearsedStatement {
	t.Helper()
	for _, s := range r.Versions[version].Passes[pass].Statements {
		if strings.HasPrefix(s.SQL, prefix) {
			return s
		}
	}
	t.Fatalf("no statement begins with %q", prefix)
	return migration.RehearsedStatement{}
}

func holds(locks []migration.HeldLock, want migration.HeldLock) bool {
	for _, l := range locks {
		if l == want {
			return true
		}
	}
	return false
}

// TestTheCopyThatTheHelpDescribes makes the copy with pg_dump and pg_restore, rehearses on it, and finds a score that
// V0.0.20 will not accept before anybody applies it.
func TestTheCopyThatTheHelpDescribes(t *testing.T) {
	t.Parallel()
	db := housetest.At(t, "0.0.18")
	conn, err := pgx.Connect(t.Context(), db.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	// A score that its writer got wrong years ago; what it was for is of no matter here.
	_, err = conn.Exec(t.Context(), `DO $$ DECLARE k text; BEGIN
		FOR k IN SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = 'public.putaway_recommendations'::regclass LOOP
			EXECUTE format('ALTER TABLE public.putaway_recommendations DROP CONSTRAINT %I', k);
		END LOOP; END $$`)
	if err == nil {
		_, err = conn.Exec(t.Context(), `INSERT INTO public.putaway_recommendations SELECT r.* FROM jsonb_populate_record(NULL::public.putaway_recommendations, $1) r`,
			wrongScore(t, conn))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	name := migration.ScratchPrefix + strings.ToLower(rand.Text())
	super(t, db, "CREATE DATABASE "+name+" OWNER gatehouse_owner")
	t.Cleanup(func() { super(t, db, "DROP DATABASE "+name+" WITH (FORCE)") })
	bin, err := privatepg.FindBinDir("")
	if err != nil {
		t.Fatal(err)
	}
	dump := osexec.CommandContext(t.Context(), filepath.Join(bin, "pg_dump"), "--format=custom", "--dbname="+db.SuperURL)
	restore := osexec.CommandContext(t.Context(), filepath.Join(bin, "pg_restore"), "--exit-on-error", "--dbname="+in(t, db.SuperURL, name))
	if restore.Stdin, err = dump.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := dump.Start(); err != nil {
		t.Fatal(err)
	}
	if out, err := restore.CombinedOutput(); err != nil {
		t.Fatalf("pg_restore: %v\n%s", err, out)
	}
	if err := dump.Wait(); err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	m, err := migrator.New(migrator.WMS(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	report := rehearse(t, m, in(t, db.OwnerURL, name))
	got := report.Verdict()
	if report.Passed() || !strings.Contains(got, "V0.0.20") || !strings.Contains(got, "1 putaway recommendation(s) have a confidence score outside 0 to 1") || !strings.Contains(got, "(1.50)") {
		t.Errorf("Verdict() = %q, want V0.0.20's complaint with the count and the row", got)
	}
}

// wrongScore is a row with something in every column that must have something, and a confidence score of 1.5.
func wrongScore(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	var row string
	err := conn.QueryRow(t.Context(), `
		SELECT jsonb_object_agg(attname, CASE WHEN attname = 'confidence_score' THEN '1.5'
		           WHEN atttypid = 'uuid'::regtype THEN to_jsonb(gen_random_uuid()) WHEN atttypid = 'timestamptz'::regtype THEN to_jsonb(now())
		           WHEN atttypid = 'boolean'::regtype THEN 'false' WHEN typcategory = 'N' THEN '1' ELSE '"x"' END)::text
		  FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
		 WHERE attrelid = 'public.putaway_recommendations'::regclass AND attnum > 0 AND NOT attisdropped AND (attnotnull OR attname = 'confidence_score')`).Scan(&row)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// copyOf is a copy of the test's database that a rehearsal may change, as the owner. The database has no connection yet.
func copyOf(t *testing.T, db *pgtest.Database) string {
	t.Helper()
	name := migration.ScratchPrefix + strings.ToLower(rand.Text())
	super(t, db, "CREATE DATABASE "+name+" TEMPLATE "+pgx.Identifier{db.Name}.Sanitize())
	super(t, db, "GRANT CREATE, CONNECT, TEMPORARY ON DATABASE "+name+" TO gatehouse_owner")
	t.Cleanup(func() { super(t, db, "DROP DATABASE "+name+" WITH (FORCE)") })
	return in(t, db.OwnerURL, name)
}

// super runs one statement as superuser beside the test's database, also when the test is over.
func super(t *testing.T, db *pgtest.Database, sql string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, in(t, db.SuperURL, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx) //nolint:errcheck // a test's own connection
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func in(t *testing.T, address, database string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + database
	return u.String()
}

func user(t *testing.T, address string) string {
	t.Helper()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	return config.User
}
