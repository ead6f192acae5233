package migrator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/migration"
)

// sight is the live schema, as one snapshot of the catalog.
type sight struct {
	catalog migration.Catalog
	roles   map[string]bool
}

// look reads the catalog in one round trip, as one snapshot unless a transaction is under way; nil objects reads all of
// schema public.
func look(ctx context.Context, conn *pgx.Conn, objects []string) (sight, error) {
	seen := sight{catalog: migration.Catalog{ServerMajor: serverMajor(conn)}, roles: map[string]bool{"PUBLIC": true}}
	var batch pgx.Batch
	inside := conn.PgConn().TxStatus() == 'T'
	if !inside {
		batch.Queue(beginLook)
	}
	batch.Queue(boundLook)
	batch.Queue(readCatalog, objects).Query(func(rows pgx.Rows) (err error) {
		seen.catalog.Items, err = pgx.CollectRows(rows, pgx.RowToStructByName[migration.Item])
		for _, i := range seen.catalog.Items {
			maps.DeleteFunc(i.Facts, func(_, value string) bool { return value == "" })
		}
		return err
	})
	batch.Queue(readRoles).Query(func(rows pgx.Rows) error {
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for _, name := range names {
			seen.roles[name] = true
		}
		return err
	})
	if !inside {
		batch.Queue("COMMIT")
	}
	if err := conn.SendBatch(ctx, &batch).Close(); err != nil {
		if inside {
			return sight{}, fmt.Errorf("reading the live schema: %w", err)
		}
		_, rollback := conn.Exec(ctx, "ROLLBACK")
		return sight{}, errors.Join(fmt.Errorf("reading the live schema: %w", err), rollback)
	}
	return seen, nil
}

// serverMajor is 15 for "15.8 (Debian 15.8-1)".
func serverMajor(conn *pgx.Conn) int {
	text := conn.PgConn().ParameterStatus("server_version")
	end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		text = text[:end]
	}
	major, err := strconv.Atoi(text)
	if err != nil {
		return 0 // no server that we know; then definitions are compared as between two majors
	}
	return major
}

// Catalog reads what the database holds in schema public, for writing the expectation down.
func (m *Migrator) Catalog(ctx context.Context) (c migration.Catalog, err error) {
	s, err := m.connect(ctx, migration.RunID{})
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	seen, err := look(ctx, s.conn, nil)
	return seen.catalog, err
}
