package migrator

const (
	// unbound lets a restore take as long as the data needs; only for locks it does not wait.
	unbound = `SELECT set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true), set_config('lock_timeout', $1, true)`

	// claimRestore asks once more, in the transaction that restores, for all that let it be ordered.
	claimRestore = `
SELECT coalesce(a.state_sha256 = encode(sha256(convert_to(gatehouse.restore_state(a.tenant_id, a.backup_id), 'UTF8')), 'hex'), false) AS same,
       EXISTS (SELECT FROM gatehouse.restore_withdrawals w WHERE w.tenant_id = a.tenant_id AND w.request_id = a.request_id) AS withdrawn,
       a.reason, a.name AS asked_by, g.name AS agreed_by
  FROM gatehouse.restore_requests a
  JOIN gatehouse.restore_agreements g ON g.tenant_id = a.tenant_id AND g.request_id = a.request_id AND g.content_sha256 = a.content_sha256
 WHERE a.tenant_id = $1 AND a.request_id = $2`

	// warehouseTables are those of schema public that are no extension's.
	warehouseTables = `
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY c.oid`

	// warehouseHolders are the sessions that hold a lock on a table of the warehouse; with $1 those that only read, too.
	warehouseHolders = `
SELECT DISTINCT a.pid, coalesce(a.usename::text, '') AS user, coalesce(nullif(a.application_name, ''), 'without a name') AS application
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a USING (pid)
  JOIN pg_catalog.pg_class c ON c.oid = l.relation
 WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid() AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
   AND ($1 OR l.mode <> 'AccessShareLock')
 ORDER BY a.pid
 LIMIT 5`

	// warehouseDrops takes away all of schema public but what extensions and Gatehouse's own files made there. Types that
	// belong to a table go with it.
	warehouseDrops = `
WITH own AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e')
SELECT format('DROP %s IF EXISTS %I.%I CASCADE', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
              WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, 'public', c.relname) AS statement, 1 AS place
  FROM pg_catalog.pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relname <> 'schema_version'
   AND NOT EXISTS (SELECT FROM own WHERE own.classid = 'pg_catalog.pg_class'::regclass AND own.objid = c.oid)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i')
UNION ALL
SELECT format('DROP %s IF EXISTS %I.%I(%s) CASCADE', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END,
              'public', p.proname, pg_get_function_identity_arguments(p.oid)), 2
  FROM pg_catalog.pg_proc p
 WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM own WHERE own.classid = 'pg_catalog.pg_proc'::regclass AND own.objid = p.oid)
UNION ALL
SELECT format('DROP TYPE IF EXISTS %I.%I CASCADE', 'public', t.typname), 3
  FROM pg_catalog.pg_type t
 WHERE t.typnamespace = 'public'::regnamespace AND t.typelem = 0
   AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
   AND NOT EXISTS (SELECT FROM own WHERE own.classid = 'pg_catalog.pg_type'::regclass AND own.objid = t.oid)
 ORDER BY 2, 1`

	// outsideWarehouse names all that is in no way the warehouse's, and must be there after a restore as before.
	outsideWarehouse = `
WITH theirs AS (
    SELECT oid FROM pg_catalog.pg_namespace WHERE nspname NOT IN ('public', 'pg_catalog', 'information_schema') AND nspname !~ '^pg_(temp|toast)'
), relations AS (SELECT oid FROM pg_catalog.pg_class WHERE relnamespace IN (SELECT oid FROM theirs))
SELECT pg_describe_object('pg_catalog.pg_class'::regclass, oid, 0) FROM relations
UNION ALL SELECT pg_describe_object('pg_catalog.pg_class'::regclass, a.attrelid, a.attnum) FROM pg_catalog.pg_attribute a
           WHERE a.attrelid IN (SELECT oid FROM relations) AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT pg_describe_object('pg_catalog.pg_attrdef'::regclass, oid, 0) FROM pg_catalog.pg_attrdef WHERE adrelid IN (SELECT oid FROM relations)
UNION ALL SELECT pg_describe_object('pg_catalog.pg_constraint'::regclass, oid, 0) FROM pg_catalog.pg_constraint WHERE connamespace IN (SELECT oid FROM theirs)
UNION ALL SELECT pg_describe_object('pg_catalog.pg_trigger'::regclass, oid, 0) FROM pg_catalog.pg_trigger WHERE tgrelid IN (SELECT oid FROM relations) AND NOT tgisinternal
UNION ALL SELECT pg_describe_object('pg_catalog.pg_policy'::regclass, oid, 0) FROM pg_catalog.pg_policy WHERE polrelid IN (SELECT oid FROM relations)
UNION ALL SELECT pg_describe_object('pg_catalog.pg_rewrite'::regclass, oid, 0) FROM pg_catalog.pg_rewrite WHERE ev_class IN (SELECT oid FROM relations)
UNION ALL SELECT pg_describe_object('pg_catalog.pg_proc'::regclass, oid, 0) FROM pg_catalog.pg_proc WHERE pronamespace IN (SELECT oid FROM theirs)
UNION ALL SELECT pg_describe_object('pg_catalog.pg_type'::regclass, oid, 0) FROM pg_catalog.pg_type WHERE typnamespace IN (SELECT oid FROM theirs)
UNION ALL SELECT pg_describe_object('pg_catalog.pg_extension'::regclass, oid, 0) FROM pg_catalog.pg_extension
UNION ALL SELECT pg_describe_object(d.classid, d.objid, 0) FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
UNION ALL SELECT pg_describe_object('pg_catalog.pg_class'::regclass, c.oid, 0) FROM pg_catalog.pg_class c WHERE c.oid = to_regclass('public.schema_version')`

	readAllEntries = `SELECT ` + columns + ` FROM LEDGER ORDER BY ledger_id`

	writeOutcome = `
INSERT INTO gatehouse.restore_outcomes (tenant_id, request_id, operation_id, safety_id, sentence) VALUES ($1, $2, $3, $4, $5)`

	// closeAllRuns: what interrupted runs left does not matter any more, because the schema is the backup's.
	closeAllRuns = `
UPDATE gatehouse.migration_runs
   SET acknowledged_by = $1, acknowledged_subject = $2, acknowledged_at = clock_timestamp(), acknowledged_note = left($3, 2000)
 WHERE state = 'interrupted' AND acknowledged_at IS NULL`

	// writeAudit is the entry of the restore, in its own transaction; the database numbers and chains it.
	writeAudit = `
INSERT INTO gatehouse.audit_events (tenant_id, seq, at, origin, issuer, subject, name, roles, ip,
                                    action, object_kind, object_id, outcome, reason, before, after, prev_hash, hash)
VALUES ($1, 0, now(), $2, $3, $4, $5, $6, $7, 'backup:restore', 'backup', $8, 'done', $9, NULL, $10::jsonb, '', '')`
)
