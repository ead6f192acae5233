package pgtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Database is one test's own database.
type Database struct {
	AppURL   string // gatehouse_app: owns nothing, sees one tenant
	OwnerURL string // gatehouse_owner: owns the tables, migrates
	SuperURL string // sees everything: for looking past the rules, never for testing them
	Name     string
}

// Prepare fills a new, empty database that becomes a template. superURL
// connects to that database. It may create roles, and must close every
// connection it opens: a template with a connection cannot be cloned.
type Prepare func(ctx context.Context, superURL, database string) error

// Open returns a database with Gatehouse's roles and whatever the standard
// preparation puts there.
func Open(t testing.TB) *Database {
	t.Helper()
	return OpenWith(t, "standard", standard)
}

// OpenWith returns a clone of the template that prepare makes. The template is
// made once per process and key; the clone is dropped at the end of the test.
func OpenWith(t testing.TB, key string, prepare Prepare) *Database {
	t.Helper()
	s, err := theServer()
	if err != nil {
		t.Fatalf("pgtest: no database for this test: %v", err)
	}
	template, err := s.template(t.Context(), key, prepare)
	if err != nil {
		t.Fatalf("pgtest: preparing the template %q: %v", key, err)
	}
	name := s.prefix + unique()
	if err := s.clone(t.Context(), template, name); err != nil {
		t.Fatalf("pgtest: cloning the template %q: %v", key, err)
	}
	t.Cleanup(func() {
		// The test's own context is over by now.
		if err := s.drop(context.Background(), name); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return s.database(name)
}

// Pool opens a pool that is closed at the end of the test.
func Pool(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatalf("pgtest: opening a pool: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// templates are made one at a time per key, and a failure is remembered: the
// second test must not wait for the same failure again.
type templates struct {
	mu  sync.Mutex
	all map[string]*templateOnce
}

type templateOnce struct {
	once sync.Once
	name string
	err  error
}

func (s *server) template(ctx context.Context, key string, prepare Prepare) (string, error) {
	s.templates.mu.Lock()
	one, ok := s.templates.all[key]
	if !ok {
		one = &templateOnce{}
		s.templates.all[key] = one
	}
	s.templates.mu.Unlock()
	one.once.Do(func() {
		name := fmt.Sprintf("%st_%08x", s.prefix, hash(key))
		// Later tests need the template even if the first one is cancelled.
		one.name, one.err = name, s.makeTemplate(context.WithoutCancel(ctx), name, prepare)
	})
	return one.name, one.err
}

func (s *server) makeTemplate(ctx context.Context, name string, prepare Prepare) error {
	if err := s.exec(ctx, "CREATE DATABASE "+quote(name)); err != nil {
		return err
	}
	if err := prepare(ctx, s.superURL(name), name); err != nil {
		return err
	}
	if err := s.givePasswords(ctx); err != nil {
		return err
	}
	return s.awaitUnused(ctx, name)
}

// clone copies template, with what CREATE DATABASE leaves out: owner, grants
// and settings of the database itself. Without them a test would run with the
// CONNECT, CREATE and TEMP rights that set-up takes away.
func (s *server) clone(ctx context.Context, template, name string) error {
	// A thousand files are copied faster than they are written page by page through a small cache. It takes a checkpoint,
	// which costs nothing where nothing waits for the disk, and everybody's time on a server with other guests.
	strategy := "file_copy"
	if s.shared {
		strategy = "wal_log"
	}
	if err := s.exec(ctx, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(template)+" STRATEGY "+strategy); err != nil {
		return err
	}
	return s.exec(ctx, `
		WITH t AS (SELECT oid, datdba, datacl FROM pg_database WHERE datname = @template),
		     c AS (UPDATE pg_database d SET datdba = t.datdba, datacl = t.datacl FROM t WHERE d.datname = @name RETURNING d.oid)
		INSERT INTO pg_db_role_setting (setdatabase, setrole, setconfig)
		SELECT c.oid, r.setrole, r.setconfig FROM c, t JOIN pg_db_role_setting r ON r.setdatabase = t.oid`,
		pgx.StrictNamedArgs{"template": template, "name": name})
}

func (s *server) drop(ctx context.Context, name string) error {
	return s.exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
}

func unique() string {
	var b [6]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func hash(key string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(key))
	return h.Sum32()
}
