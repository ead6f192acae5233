package migrator

import "strings"

const (
	tryLock = `SELECT pg_try_advisory_lock($1::int, $2::int)`

	lockHolder = `
SELECT l.pid, coalesce(nullif(a.application_name, ''), 'a session without a name'), clock_timestamp() - coalesce(a.backend_start, clock_timestamp())
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a USING (pid)
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
   AND l.classid::bigint = $1 AND l.objid::bigint = $2`

	findBackend = `
SELECT pid, clock_timestamp() - backend_start
  FROM pg_catalog.pg_stat_activity
 WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()
 LIMIT 1`

	// findBlockers is who holds what the run waits for, and since when it waits.
	findBlockers = `
SELECT b.pid, coalesce(b.usename::text, '') AS user, coalesce(b.application_name, '') AS application,
       coalesce(clock_timestamp() - b.xact_start, interval '0') AS age, left(coalesce(b.query, ''), 500) AS query,
       coalesce(w.since, clock_timestamp()) AS since, coalesce(extract(epoch FROM clock_timestamp() - w.since), 0)::double precision AS seconds
  FROM pg_catalog.pg_stat_activity a
 CROSS JOIN LATERAL (SELECT min(l.waitstart) AS since FROM pg_catalog.pg_locks l WHERE l.pid = a.pid AND NOT l.granted) w
 CROSS JOIN LATERAL unnest(pg_catalog.pg_blocking_pids(a.pid)) AS blocking (pid)
  JOIN pg_catalog.pg_stat_activity b ON b.pid = blocking.pid
 WHERE a.datname = current_database() AND a.application_name = $1 AND a.wait_event_type = 'Lock'
 ORDER BY b.pid
LIMIT 5`

	readColumns = `
SELECT n.nspname || '.' || c.relname AS table, a.attname AS column, pg_catalog.pg_get_userbyid(c.relowner) AS owner,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS ours
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'p') AND n.nspname || '.' || c.relname = ANY ($1::text[])`

	readMissingFunctions = `SELECT f FROM unnest($1::text[]) AS f WHERE pg_catalog.to_regprocedure(f) IS NULL`

	makeState = `
CREATE TABLE IF NOT EXISTS gatehouse.migration_state (
    set_name   text        NOT NULL CONSTRAINT migration_state_pkey PRIMARY KEY,
    version    bigint      NOT NULL, -- -1 is golang-migrate's "none"
    dirty      boolean     NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
)`

	makeLedger = `
CREATE TABLE IF NOT EXISTS gatehouse.console_ledger (
    ledger_id      bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT console_ledger_pkey PRIMARY KEY,
    version        text        NOT NULL,
    version_number bigint      NOT NULL,
    description    text        NOT NULL,
    script         text        NOT NULL,
    direction      text        NOT NULL CONSTRAINT console_ledger_direction CHECK (direction IN ('up', 'down', 'baseline')),
    success        boolean     NOT NULL,
    sha256         text        NOT NULL,
    sha256_tokens  text        NOT NULL,
    tenant_id      uuid        NOT NULL,
    actor_issuer   text        NOT NULL,
    actor_subject  text        NOT NULL,
    actor_name     text        NOT NULL,
    actor_roles    text        NOT NULL,
    origin         text        NOT NULL,
    release_id     uuid,
    run_id         uuid,
    started_at     timestamptz NOT NULL,
    finished_at    timestamptz NOT NULL,
    duration_ms    bigint      NOT NULL,
    server_version text        NOT NULL,
    sqlstate       text,
    error          text,
    notices        text        NOT NULL DEFAULT '',
    CONSTRAINT console_ledger_error_where_failed CHECK (success = (error IS NULL))
)`

	setBounds = `SELECT set_config('lock_timeout', $1, $3), set_config('statement_timeout', $2, $3)`

	// claimRun locks the run's row until the migration's transaction ends: whoever wants to give the run up waits, and
	// whoever has given it up is seen.
	// The change window is asked for here once more: waiting for a lock may have taken it past its end.
	claimRun = `SELECT state, coalesce(gatehouse.change_refusal(tenant_id, release_id), '') FROM gatehouse.migration_runs WHERE run_id = $1 FOR SHARE`

	readState = `SELECT version, dirty FROM gatehouse.migration_state WHERE set_name = $1`

	writeState = `
INSERT INTO gatehouse.migration_state (set_name, version, dirty) VALUES ($1, $2, $3)
ON CONFLICT (set_name) DO UPDATE SET version = excluded.version, dirty = excluded.dirty, changed_at = clock_timestamp()`

	columns = `ledger_id, version_number, description, script, direction, success, sha256, sha256_tokens,
       tenant_id, actor_issuer, actor_subject, actor_name, actor_roles, origin, release_id, run_id,
       started_at, finished_at, duration_ms, server_version, sqlstate, error, notices, READ_WAITS`

	// keepText keeps what a hash of the ledger stands for.
	keepText = `INSERT INTO gatehouse.migration_texts (sha256, body) VALUES ($1, $2) ON CONFLICT DO NOTHING`

	readTexts = `SELECT sha256, body FROM gatehouse.migration_texts WHERE sha256 = ANY ($1::text[])`
)

// In these the ledger's table stands for LEDGER; it is one of two constants.
const (
	// readEntries gives the newest success and the newest failure of each version, which is all that its state needs.
	readEntries = `
SELECT DISTINCT ON (version_number, success) ` + columns + `
  FROM LEDGER
 ORDER BY version_number, success, ledger_id DESC`

	readRun = `SELECT ` + columns + ` FROM LEDGER WHERE run_id = $1`

	writeEntry = `
INSERT INTO LEDGER (version, version_number, description, script, direction, success, sha256, sha256_tokens,
                    tenant_id, actor_issuer, actor_subject, actor_name, actor_roles, origin, release_id, run_id,
                    started_at, finished_at, duration_ms, server_version, sqlstate, error, notices WAITS)
SELECT @version, @version_number, @description, @script, @direction, @success, @sha256, @sha256_tokens,
       @tenant_id, @actor_issuer, @actor_subject, @actor_name, @actor_roles, @origin, @release_id, @run_id,
       @started_at, c.at, round(extract(epoch FROM c.at - @started_at::timestamptz) * 1000)::bigint,
       current_setting('server_version'), @sqlstate, @error, @notices WRITE_WAITS
  FROM (SELECT clock_timestamp() AS at) c`
)

// waitColumns fill in what the warehouse's ledger has beyond the console's: what a step waited for.
var (
	waitColumns = strings.NewReplacer("READ_WAITS", "lock_waits, lock_wait_ms, lock_waited_for",
		"WRITE_WAITS", ", @lock_waits, @lock_wait_ms, @lock_waited_for", "WAITS", ", lock_waits, lock_wait_ms, lock_waited_for")
	noWaitColumns = strings.NewReplacer("READ_WAITS", "NULL::integer AS lock_waits, NULL::bigint AS lock_wait_ms, NULL::text AS lock_waited_for",
		"WRITE_WAITS", "", "WAITS", "")
)

func (l Ledger) sql(text string) string {
	more := noWaitColumns
	if l.claims {
		more = waitColumns
	}
	return more.Replace(strings.Replace(text, "LEDGER", l.table, 1))
}
