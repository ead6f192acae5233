package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/agogsaas/gatehouse/internal/privatepg"
)

// The roles of Gatehouse inside PostgreSQL.
const (
	ownerRole = "gatehouse_owner"
	appRole   = "gatehouse_app"
)

// password is what the roles get on a server that is not ours alone, where a
// connection may need one. It is a test server's, and no secret.
const password = "gatehouse-test"

// server is where this process makes its databases.
type server struct {
	url       func(database, user string) string
	superUser string
	pool      *pgxpool.Pool // as superuser, on the database postgres
	prefix    string        // of the names of our databases
	shared    bool          // somebody else's server, with passwords and other guests
	templates templates
}

// theServer starts the process's server at its first use.
var theServer = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if named := os.Getenv("GATEHOUSE_TEST_DATABASE_URL"); named != "" {
		return shared(ctx, named)
	}
	return private(ctx)
})

// private starts a cluster of our own. Losing it in a crash costs nothing, so
// nothing waits for the disk. Without autovacuum no worker sits in a template
// just when it is to be cloned.
func private(ctx context.Context) (*server, error) {
	pg, err := startCluster(ctx, privatepg.Config{Settings: map[string]string{
		"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off",
		"max_wal_senders": "0", "wal_level": "minimal", "max_wal_size": "4GB", "shared_buffers": "128MB",
	}})
	if err != nil {
		return nil, err
	}
	return connect(ctx, &server{url: pg.URL, superUser: privatepg.Superuser, prefix: "test_"})
}

// shared uses a server that others use too: names carry this process's mark,
// and what dead processes left is swept away.
func shared(ctx context.Context, named string) (*server, error) {
	base, err := url.Parse(named)
	if err != nil || (base.Scheme != "postgres" && base.Scheme != "postgresql") || base.User == nil {
		return nil, errors.New("GATEHOUSE_TEST_DATABASE_URL must be a URL like postgres://superuser:password@host:5432/postgres")
	}
	super := base.User.Username()
	s := &server{superUser: super, shared: true, url: func(database, user string) string {
		u := *base
		u.Path = "/" + database
		if user != super {
			u.User = url.UserPassword(user, password)
		}
		return u.String()
	}}
	mark := unique()
	s.prefix = sharedPrefix + mark + "_"
	if s, err = connect(ctx, s); err != nil {
		return nil, err
	}
	return s, s.claim(ctx, mark)
}

func connect(ctx context.Context, s *server) (*server, error) {
	s.templates.all = map[string]*templateOnce{}
	pool, err := pgxpool.New(ctx, s.superURL("postgres"))
	if err != nil {
		return nil, fmt.Errorf("connecting to the test server: %w", err)
	}
	var super bool
	if err := pool.QueryRow(ctx, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user").Scan(&super); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connecting to the test server: %w", err)
	}
	if !super {
		pool.Close()
		return nil, fmt.Errorf("%q is not a superuser of the test server, so it cannot create roles and databases", s.superUser)
	}
	s.pool = pool
	return s, nil
}

func (s *server) superURL(database string) string { return s.url(database, s.superUser) }

func (s *server) database(name string) *Database {
	return &Database{
		AppURL: s.url(name, appRole), OwnerURL: s.url(name, ownerRole), SuperURL: s.superURL(name), Name: name,
	}
}

func (s *server) exec(ctx context.Context, sql string, args ...any) error {
	if _, err := s.pool.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("%s: %w", firstWords(sql), err)
	}
	return nil
}

// givePasswords lets the roles sign in on a server that asks for a password. A
// preparation need not make them: what its tests do as superuser needs none.
func (s *server) givePasswords(ctx context.Context) error {
	if !s.shared {
		return nil
	}
	return withRolesLocked(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "SELECT rolname FROM pg_roles WHERE rolname = ANY($1)", []string{ownerRole, appRole})
		if err != nil {
			return fmt.Errorf("looking for the roles: %w", err)
		}
		roles, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("looking for the roles: %w", err)
		}
		for _, role := range roles {
			if _, err := tx.Exec(ctx, "ALTER ROLE "+quote(role)+" PASSWORD '"+password+"'"); err != nil {
				return fmt.Errorf("giving %s a password: %w", role, err)
			}
		}
		return nil
	})
}

// awaitUnused waits until the template has no connection. A closed one takes a
// moment to go; one that stays is a pool that the preparation forgot.
func (s *server) awaitUnused(ctx context.Context, name string) error {
	deadline := time.Now().Add(3 * time.Second)
	for {
		var n int
		var who *string
		err := s.pool.QueryRow(ctx, `
			SELECT count(*), min(coalesce(nullif(application_name, ''), usename) || ': ' || left(query, 80))
			FROM pg_stat_activity WHERE datname = $1`, name).Scan(&n, &who)
		if err != nil {
			return fmt.Errorf("looking for connections to the template: %w", err)
		}
		if n == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the preparation left %d connections open (%v); it must close its pools", n, deref(who))
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func deref(s *string) string {
	if s == nil {
		return "unknown"
	}
	return *s
}

func firstWords(sql string) string {
	words := strings.Fields(sql)
	return strings.Join(words[:min(len(words), 4)], " ")
}
