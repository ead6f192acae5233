package migrator

const (
	// readPlace says which database this is, how large, and where its write-ahead log stands.
	readPlace = `
SELECT current_database() AS name, pg_catalog.pg_database_size(current_database()) AS bytes, current_setting('server_version') AS server,
       (SELECT system_identifier FROM pg_catalog.pg_control_system())::text || ' ' || (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())::text AS identity`

	// readRelations are all tables and materialized views of people, with the file that each stands in.
	readRelations = `
SELECT c.oid, n.nspname || '.' || c.relname AS name, coalesce(pg_catalog.pg_relation_filenode(c.oid), 0) AS file
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname NOT LIKE 'pg\_temp%'
 ORDER BY 2`

	readOwnLocks = `
SELECT l.relation AS oid, l.mode
  FROM pg_catalog.pg_locks l
 WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
 ORDER BY l.relation, l.mode`

	readWAL = `SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn)::bigint`
)
