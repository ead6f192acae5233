package migrator

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/migration"
)

// readInvalidIndexes leaves out an index of which another session holds the build: that one is not left behind yet.
const readInvalidIndexes = `
SELECT format('%I.%I', s.nspname, c.relname) AS name, format('%I.%I', ts.nspname, t.relname) AS table
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace ts ON ts.oid = t.relnamespace
 WHERE NOT (i.indisvalid AND i.indisready) AND c.relkind = 'i' AND s.nspname = 'public'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
 ORDER BY 1`

func invalidIndexes(ctx context.Context, conn *pgx.Conn) ([]migration.InvalidIndex, error) {
	rows, err := conn.Query(ctx, readInvalidIndexes)
	if err != nil {
		return nil, wrap("looking for invalid indexes", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[migration.InvalidIndex])
	if err != nil {
		return nil, wrap("looking for invalid indexes", err)
	}
	return list, nil
}
