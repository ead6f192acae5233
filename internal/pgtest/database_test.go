package pgtest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/pgtest"
)

func TestOpenGivesTheRolesTheirRights(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t)
	type facts struct {
		User            string
		Super, Bypass   bool
		OwnsDatabase    bool
		ERPRoleCanLogin bool
	}
	for name, c := range map[string]struct {
		url  string
		want facts
	}{
		"app":   {db.AppURL, facts{User: "gatehouse_app"}},
		"owner": {db.OwnerURL, facts{User: "gatehouse_owner", OwnsDatabase: true}},
		"super": {db.SuperURL, facts{User: "postgres", Super: true, Bypass: true}},
	} {
		rows, err := pgtest.Pool(t, c.url).Query(t.Context(), `
			SELECT r.rolname, r.rolsuper, r.rolbypassrls, d.datdba = r.oid,
			       (SELECT rolcanlogin FROM pg_roles WHERE rolname = 'wms_application_role')
			FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()`)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[facts])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if name == "super" {
			got.User = "postgres" // another server may call it otherwise
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("as %s (-want +got):\n%s", name, diff)
		}
	}
}

func TestClonesAreSeparateAndTheTemplateIsMadeOnce(t *testing.T) {
	t.Parallel()
	var made atomic.Int32
	prepare := func(ctx context.Context, superURL, _ string) error {
		made.Add(1)
		return onConn(ctx, superURL, "CREATE TABLE note (body text)", "INSERT INTO note VALUES ('from the template')")
	}
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			db := pgtest.OpenWith(t, t.Name()[:len(t.Name())-2], prepare)
			pool := pgtest.Pool(t, db.SuperURL)
			var got string
			err := pool.QueryRow(t.Context(), "INSERT INTO note VALUES ($1) RETURNING (SELECT string_agg(body, '|') FROM note)", fmt.Sprint(i)).Scan(&got)
			if want := "from the template"; err != nil || got != want {
				t.Errorf("clone %d holds %q, %v; want %q", i, got, err, want)
			}
			if got := made.Load(); got != 1 {
				t.Errorf("the template was prepared %d times, want 1", got)
			}
		})
	}
}

func TestCloneKeepsGrantsAndSettingsOfTheDatabase(t *testing.T) {
	t.Parallel()
	prepare := func(ctx context.Context, superURL, database string) error {
		name := pgx.Identifier{database}.Sanitize()
		return onConn(ctx, superURL,
			"REVOKE ALL ON DATABASE "+name+" FROM PUBLIC",
			"ALTER DATABASE "+name+" SET statement_timeout = '17s'")
	}
	pgtest.Open(t) // makes the roles, which a server shared by all databases has once
	db := pgtest.OpenWith(t, t.Name(), prepare)
	var mayTemp, mayConnect bool
	var timeout string
	err := pgtest.Pool(t, db.SuperURL).QueryRow(t.Context(), `
		SELECT has_database_privilege('pg_monitor', current_database(), 'TEMP'),
		       has_database_privilege('pg_monitor', current_database(), 'CONNECT'),
		       current_setting('statement_timeout')`).Scan(&mayTemp, &mayConnect, &timeout)
	if err != nil {
		t.Fatal(err)
	}
	if mayTemp || mayConnect || timeout != "17s" {
		t.Errorf("a clone has TEMP %v, CONNECT %v, statement_timeout %s; want false, false, 17s", mayTemp, mayConnect, timeout)
	}
}

func TestCleanUpDropsTheDatabase(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("a test", func(t *testing.T) {
		db := pgtest.Open(t)
		name = db.Name
		conn, err := pgx.Connect(t.Context(), db.AppURL) // left open: a leak must not keep the database
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	var there bool
	err := pgtest.Pool(t, pgtest.Open(t).SuperURL).QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there)
	if err != nil || there {
		t.Errorf("after its test, database %s is there: %v, %v; want false", name, there, err)
	}
}

func TestAPreparationThatFailsFailsTheTest(t *testing.T) {
	t.Parallel()
	boom := errors.New("migration 20 does not apply")
	var first *pgx.Conn
	for name, c := range map[string]struct {
		prepare pgtest.Prepare
		want    string
	}{
		"error": {func(context.Context, string, string) error { return boom }, boom.Error()},
		"open connection": {func(ctx context.Context, superURL, _ string) (err error) {
			first, err = pgx.Connect(ctx, superURL)
			return err
		}, "must close its pools"},
	} {
		t.Run(name, func(t *testing.T) {
			double := &failing{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				pgtest.OpenWith(double, t.Name(), c.prepare)
			}()
			<-done
			if !strings.Contains(double.said, c.want) {
				t.Errorf("OpenWith said %q, want something with %q", double.said, c.want)
			}
		})
	}
	if err := first.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// BenchmarkAClone is what a test's own database costs: about 60 ms on an idle machine. It is measured and not tested,
// because what a busy machine takes for it says nothing of the code.
func BenchmarkAClone(b *testing.B) {
	pgtest.Open(b)
	for b.Loop() {
		pgtest.Open(b)
	}
}

// failing is a test that ends its goroutine at Fatalf, as a test does.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func onConn(ctx context.Context, url string, statements ...string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return errors.Join(err, conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}
