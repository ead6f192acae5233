package migrator

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/migration"
)

// readRefreshable says of materialized views whether they were filled, and by which index REFRESH CONCURRENTLY can go.
const readRefreshable = `
SELECT n.nspname || '.' || c.relname AS name, c.relispopulated AS filled,
       coalesce((SELECT x.relname FROM pg_catalog.pg_index u JOIN pg_catalog.pg_class x ON x.oid = u.indexrelid
                  WHERE u.indrelid = c.oid AND u.indisunique AND u.indimmediate AND u.indisvalid AND u.indpred IS NULL AND u.indexprs IS NULL
                  ORDER BY x.relname LIMIT 1), '') AS "unique"
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'm' AND n.nspname || '.' || c.relname = ANY ($1::text[])`

// refreshable looks, before a file runs that refreshes a materialized view CONCURRENTLY, whether that can be done.
func refreshable(ctx context.Context, s *session, file migration.File) error {
	views := file.MustBeRefreshable()
	if len(views) == 0 {
		return nil
	}
	rows, err := s.conn.Query(ctx, readRefreshable, views)
	if err != nil {
		return wrap("looking at the materialized views", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[migration.Refreshable])
	if err != nil {
		return wrap("looking at the materialized views", err)
	}
	return migration.RefuseRefresh(file.Script, views, found)
}
