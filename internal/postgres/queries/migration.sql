-- name: MigrationStates :many
-- The newest success and the newest failure of each version: all that a version's state needs.
SELECT DISTINCT ON (version_number, success)
       ledger_id, version_number, description, script, direction, success, sha256, sha256_tokens,
       tenant_id, actor_issuer, actor_subject, actor_name, actor_roles, origin, release_id, run_id,
       started_at, finished_at, duration_ms, server_version, sqlstate, error, notices,
       lock_waits, lock_wait_ms, lock_waited_for
  FROM gatehouse.migration_history
 ORDER BY version_number, success, ledger_id DESC;

-- name: MigrationHistory :many
SELECT ledger_id, version_number, description, script, direction, success, sha256, sha256_tokens,
       tenant_id, actor_issuer, actor_subject, actor_name, actor_roles, origin, release_id, run_id,
       started_at, finished_at, duration_ms, server_version, sqlstate, error, notices,
       lock_waits, lock_wait_ms, lock_waited_for
  FROM gatehouse.migration_history
 WHERE (@before = 0 OR ledger_id < @before) AND (@version = 0 OR version_number = @version)
 ORDER BY ledger_id DESC
 LIMIT @limit;

-- name: MigrationBelief :one
SELECT version, dirty FROM gatehouse.migration_state WHERE set_name = 'wms';

-- name: MigrationRunsInTheWay :many
SELECT tenant_id, run_id, release_id, version_number, direction, sha256, state, actor_issuer, actor_subject, actor_name,
       actor_roles, origin, reason, requested_at, started_at, finished_at, duration_ms, error, sqlstate, resolution,
       acknowledged_by, acknowledged_at, acknowledged_note
  FROM gatehouse.migration_runs
 WHERE state IN ('queued', 'running') OR state = 'interrupted' AND acknowledged_at IS NULL
 ORDER BY requested_at DESC
 LIMIT 50;

-- name: MigrationRunsOfVersion :many
SELECT tenant_id, run_id, release_id, version_number, direction, sha256, state, actor_issuer, actor_subject, actor_name,
       actor_roles, origin, reason, requested_at, started_at, finished_at, duration_ms, error, sqlstate, resolution,
       acknowledged_by, acknowledged_at, acknowledged_note
  FROM gatehouse.migration_runs
 WHERE version_number = @version
 ORDER BY requested_at DESC
 LIMIT 20;

-- name: MigrationRun :one
SELECT tenant_id, run_id, release_id, version_number, direction, sha256, state, actor_issuer, actor_subject, actor_name,
       actor_roles, origin, reason, requested_at, started_at, finished_at, duration_ms, error, sqlstate, resolution,
       acknowledged_by, acknowledged_at, acknowledged_note
  FROM gatehouse.migration_runs
 WHERE run_id = @run;

-- name: LockMigrationRun :one
SELECT tenant_id, run_id, release_id, version_number, direction, sha256, state, actor_issuer, actor_subject, actor_name,
       actor_roles, origin, reason, requested_at, started_at, finished_at, duration_ms, error, sqlstate, resolution,
       acknowledged_by, acknowledged_at, acknowledged_note
  FROM gatehouse.migration_runs
 WHERE run_id = @run
   FOR NO KEY UPDATE;

-- name: MigrationRunByKey :one
SELECT tenant_id, run_id, release_id, version_number, direction, sha256, state, actor_issuer, actor_subject, actor_name,
       actor_roles, origin, reason, requested_at, started_at, finished_at, duration_ms, error, sqlstate, resolution,
       acknowledged_by, acknowledged_at, acknowledged_note
  FROM gatehouse.migration_runs
 WHERE request_key = @key;

-- name: MigrationRunLines :many
SELECT seq, at, line FROM gatehouse.migration_run_lines WHERE run_id = @run ORDER BY seq LIMIT 2000;

-- name: MigrationRunTail :many
SELECT seq, at, line FROM gatehouse.migration_run_lines WHERE run_id = @run AND seq > @after ORDER BY seq LIMIT @limit;

-- name: MigrationRelease :one
-- The tenant's active release, what its go / no-go gate still needs, how it was stopped or which review is missing, what is proven for it, and the files it was started with.
SELECT r.run_id, r.code, r.time_zone,
       p.backup_id IS NOT NULL OR c.proof_until IS NOT NULL AS backed_up,
       p.rehearsal_id IS NOT NULL OR c.proof_until IS NOT NULL AND gatehouse.rehearsal_passed(r.run_id) IS NOT NULL AS rehearsed,
       c.starts_at, c.ends_at, c.set_by, c.freeze_from, c.freeze_until, coalesce(c.freeze_reason, '') AS freeze_reason,
       c.window_until, c.freeze_passed_until, c.proof_until, coalesce(c.refusal, '') AS refusal, clock_timestamp() AS at,
       gatehouse.gate_passed(r.run_id, 'go_no_go') IS TRUE AS gate_open,
       ARRAY(SELECT s.role
               FROM gatehouse.run_gate_slots s
              WHERE s.tenant_id = r.tenant_id AND s.run_id = r.run_id AND s.gate = 'go_no_go' AND s.required
                AND NOT EXISTS (SELECT FROM gatehouse.signatures g
                                 WHERE g.tenant_id = s.tenant_id AND g.run_id = s.run_id AND g.gate = s.gate AND g.slot = s.slot
                                   AND g.content_sha256 = (SELECT gatehouse.gate_content_sha256(r.run_id, 'go_no_go'))
                                   AND NOT EXISTS (SELECT FROM gatehouse.signature_withdrawals w
                                                    WHERE w.tenant_id = g.tenant_id AND w.signature_id = g.signature_id))
              ORDER BY s.position) AS missing,
       CASE WHEN gatehouse.gate_passed(r.run_id, 'go_no_go') IS TRUE THEN ''
            ELSE coalesce((SELECT b.what FROM gatehouse.gate_blockers(r.run_id, 'go_no_go') b
                            WHERE b.place IN (-1, 40000) ORDER BY b.place LIMIT 1), '') END AS shut,
       coalesce(gatehouse.unsettled(r.run_id), '') AS unsettled,
       (SELECT coalesce(jsonb_object_agg(m.version, m.sha256), '{}')
          FROM gatehouse.run_migrations m WHERE m.tenant_id = r.tenant_id AND m.run_id = r.run_id) AS plan
  FROM gatehouse.runs r
 CROSS JOIN LATERAL gatehouse.apply_proof(r.run_id) p
 CROSS JOIN LATERAL gatehouse.change_moment(r.tenant_id, r.run_id, clock_timestamp()) c
 WHERE r.state = 'active'
 ORDER BY r.started_at DESC
 LIMIT 1;

-- name: AddMigrationRun :one
-- The gate is this statement. It gives no row where somebody else has the floor, or where one of these does not hold:
-- the tenant operates the environment; the release is active and was started with this very file; for a step up, its
-- go / no-go gate is passed as its content stands now, a fresh backup restores and a rehearsal of the release's files on it
-- passed, and every required item that the runbook puts before applying is settled; for a step down, what this very undo file
-- would lose was counted and saved in the last minutes and since it was last applied, and where that is anything, a person's sign-in is fresh (the step
-- itself then looks, with everybody kept out, whether anything was written since); no interrupted run waits for a person;
-- it is within the change window and in no freeze. Two people may override window, freeze, and how fresh the proof is:
-- that exactly these files passed a rehearsal nobody overrides. Whoever comes through another door than the pages has to
-- show a token of the signed gate, and using it is part of this statement.
WITH token AS (
    SELECT k.tenant_id, k.token_id
      FROM gatehouse.apply_tokens k
     WHERE k.tenant_id = @tenant AND k.token_sha256 = @token AND k.run_id = @release AND k.version = @version
       AND k.direction = @direction AND k.sha256 = @sha256 AND k.expires_at > clock_timestamp()
       AND k.content_sha256 = gatehouse.gate_content_sha256(k.run_id, 'go_no_go') AND gatehouse.gate_passed(k.run_id, 'go_no_go') IS TRUE
       AND NOT EXISTS (SELECT FROM gatehouse.apply_token_ends e WHERE e.tenant_id = k.tenant_id AND e.token_id = k.token_id)
), added AS (
INSERT INTO gatehouse.migration_runs (tenant_id, run_id, request_key, release_id, version, version_number, direction, sha256,
                                      actor_issuer, actor_subject, actor_name, actor_roles, origin, reason, loss_id, auth_time)
SELECT t.tenant_id, @run, @key, r.run_id, m.version, @version_number, @direction, @sha256,
       @issuer, @subject, @name, @roles, @origin, @reason, @loss::uuid, @auth_time::timestamptz
  FROM gatehouse.tenants t
  JOIN gatehouse.runs r ON r.tenant_id = t.tenant_id
  JOIN gatehouse.run_migrations m ON m.tenant_id = r.tenant_id AND m.run_id = r.run_id
 WHERE t.tenant_id = @tenant AND t.is_operator
   AND r.run_id = @release AND r.state = 'active'
   AND m.version = @version AND m.sha256 = @plan_sha256
   AND (@direction = 'up' OR EXISTS (
           SELECT FROM gatehouse.migration_losses l
            WHERE l.tenant_id = t.tenant_id AND l.loss_id = @loss::uuid AND l.version_number = @version_number AND l.undo_sha256 = @sha256
              AND gatehouse.saving_speaks(l.version_number, l.taken_at)
              AND (l.lost = 0 OR @origin <> 'web' OR @auth_time::timestamptz > clock_timestamp() - interval '11 minutes')))
   AND (@direction = 'down' OR gatehouse.gate_passed(r.run_id, 'go_no_go') IS TRUE)
   AND (@origin = 'web' OR EXISTS (SELECT FROM token))
   AND gatehouse.change_refusal(r.tenant_id, r.run_id) IS NULL
   AND (@direction = 'down' OR EXISTS (SELECT FROM gatehouse.apply_proof(r.run_id) p WHERE p.backup_id IS NOT NULL AND p.rehearsal_id IS NOT NULL)
        OR gatehouse.rehearsal_passed(r.run_id) IS NOT NULL
           AND (SELECT c.proof_until IS NOT NULL FROM gatehouse.change_moment(r.tenant_id, r.run_id, clock_timestamp()) c))
   AND (@direction = 'down' OR gatehouse.unsettled(r.run_id) IS NULL)
   AND NOT EXISTS (SELECT FROM gatehouse.migration_runs i
                    WHERE i.tenant_id = t.tenant_id AND i.state = 'interrupted' AND i.acknowledged_at IS NULL)
    ON CONFLICT DO NOTHING
RETURNING tenant_id, run_id
), used AS (
INSERT INTO gatehouse.apply_token_ends (tenant_id, token_id, used_by, issuer, subject, name)
SELECT token.tenant_id, token.token_id, added.run_id, @issuer, @subject, @name FROM token, added
)
SELECT run_id FROM added;

-- name: MigrationObstacles :one
SELECT coalesce(t.is_operator, false) AS operator,
       r.run_id IS NOT NULL AS release_found,
       coalesce(r.state, '') AS release_state,
       coalesce(r.code, '') AS release_code,
       gatehouse.gate_passed(r.run_id, 'go_no_go') IS TRUE AS gate_open,
       p.backup_id IS NOT NULL OR c.proof_until IS NOT NULL AS backed_up,
       p.rehearsal_id IS NOT NULL OR c.proof_until IS NOT NULL AND gatehouse.rehearsal_passed(r.run_id) IS NOT NULL AS rehearsed,
       coalesce(c.refusal, '') AS closed,
       coalesce(gatehouse.rolling_back(r.tenant_id, r.run_id), '') AS rolling_back,
       coalesce((SELECT b.what FROM gatehouse.gate_blockers(r.run_id, 'go_no_go') b
                  WHERE b.place IN (-1, 40000) ORDER BY b.place LIMIT 1), '') AS stopped,
       -- Whatever was shown at the other door: what is wrong with it.
       CASE WHEN @token = '' THEN 'none'
            WHEN k.token_id IS NULL THEN 'unknown'
            WHEN e.used_by IS NOT NULL THEN 'used'
            WHEN e.token_id IS NOT NULL THEN 'revoked'
            WHEN k.expires_at <= clock_timestamp() THEN 'expired'
            WHEN k.run_id <> r.run_id OR k.version <> @version OR k.direction <> @direction OR k.sha256 <> @sha256 THEN 'another'
            WHEN k.content_sha256 <> gatehouse.gate_content_sha256(r.run_id, 'go_no_go')
                 OR gatehouse.gate_passed(r.run_id, 'go_no_go') IS NOT TRUE THEN 'void'
            ELSE '' END AS token,
       coalesce(m.sha256, '') AS planned_sha256,
       EXISTS (
           SELECT FROM gatehouse.migration_losses l
            WHERE l.tenant_id = asked.tenant_id AND l.loss_id = @loss::uuid AND l.version_number = @version_number AND l.undo_sha256 = @sha256
              AND gatehouse.saving_speaks(l.version_number, l.taken_at)
              AND (l.lost = 0 OR @origin <> 'web' OR @auth_time::timestamptz > clock_timestamp() - interval '11 minutes')) AS saved,
       coalesce(gatehouse.unsettled(r.run_id), '') AS unsettled
  FROM (SELECT @tenant::uuid AS tenant_id) asked
  LEFT JOIN gatehouse.tenants t USING (tenant_id)
  LEFT JOIN gatehouse.runs r ON r.tenant_id = asked.tenant_id AND r.run_id = @release
  LEFT JOIN gatehouse.run_migrations m ON m.tenant_id = r.tenant_id AND m.run_id = r.run_id AND m.version = @version
  LEFT JOIN LATERAL gatehouse.apply_proof(r.run_id) p ON true
  LEFT JOIN LATERAL gatehouse.change_moment(r.tenant_id, r.run_id, clock_timestamp()) c ON true
  LEFT JOIN gatehouse.apply_tokens k ON k.tenant_id = asked.tenant_id AND k.token_sha256 = @token
  LEFT JOIN gatehouse.apply_token_ends e ON e.tenant_id = k.tenant_id AND e.token_id = k.token_id;

-- name: StartMigrationRun :one
-- The gate once more: since the run was asked for, a signature may have been taken back, the release aborted, or the window closed.
WITH release AS MATERIALIZED (
    SELECT l.tenant_id, l.run_id
      FROM gatehouse.runs l
     WHERE l.state = 'active' AND l.run_id = (SELECT o.release_id FROM gatehouse.migration_runs o WHERE o.run_id = @run)
       FOR SHARE
)
UPDATE gatehouse.migration_runs r
   SET state = 'running', started_at = clock_timestamp()
  FROM release
 WHERE r.run_id = @run AND r.state = 'queued' AND r.tenant_id = release.tenant_id AND r.release_id = release.run_id
   AND (r.direction = 'down' OR gatehouse.gate_passed(r.release_id, 'go_no_go') IS TRUE)
   AND gatehouse.change_refusal(r.tenant_id, r.release_id) IS NULL
RETURNING r.run_id;

-- name: ChangeRefusal :one
SELECT coalesce(gatehouse.change_refusal(@tenant, @release), '') AS refusal;

-- name: FinishMigrationRun :one
UPDATE gatehouse.migration_runs
   SET state = @state, finished_at = clock_timestamp(), error = @error, sqlstate = @sqlstate, resolution = @resolution,
       duration_ms = coalesce(nullif(@duration_ms::bigint, 0),
                              (extract(epoch FROM clock_timestamp() - coalesce(started_at, requested_at)) * 1000)::bigint)
 WHERE run_id = @run AND state IN ('queued', 'running')
RETURNING run_id;

-- name: AcknowledgeMigrationRun :one
UPDATE gatehouse.migration_runs
   SET acknowledged_by = @name, acknowledged_subject = @subject, acknowledged_at = clock_timestamp(), acknowledged_note = @note
 WHERE run_id = @run AND state = 'interrupted' AND acknowledged_at IS NULL
RETURNING run_id;

-- name: AddMigrationRunLine :exec
INSERT INTO gatehouse.migration_run_lines (tenant_id, run_id, seq, line)
SELECT @tenant, @run, 1 + coalesce((SELECT max(l.seq) FROM gatehouse.migration_run_lines l
                                     WHERE l.tenant_id = @tenant AND l.run_id = @run), 0), @line
    ON CONFLICT DO NOTHING;

-- name: UnfinishedMigrationRuns :many
SELECT tenant_id, run_id, state, extract(epoch FROM idle)::double precision AS idle_seconds
  FROM gatehouse.migration_runs_unfinished();

-- name: InvalidIndexes :many
-- Indexes that every write keeps up and no query may use. Whether somebody is building one now, the application may not see.
SELECT format('%I.%I', s.nspname, c.relname) AS name, format('%I.%I', ts.nspname, t.relname) AS table
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace ts ON ts.oid = t.relnamespace
 WHERE NOT (i.indisvalid AND i.indisready) AND c.relkind = 'i' AND s.nspname = 'public'
 ORDER BY 1
 LIMIT 20;

-- name: CatalogObjects :many
-- Objects of plan cards, each looked up in the catalog by its kind.
SELECT o.n::integer AS number, f.sound IS NOT NULL AS found, coalesce(f.sound, false) AS sound, coalesce(f.detail, '') AS detail
  FROM unnest(@kinds::text[], @names::text[]) WITH ORDINALITY AS o (kind, name, n)
 CROSS JOIN LATERAL (SELECT split_part(o.name, '.', 1) AS space, split_part(o.name, '.', 2) AS relation,
                            split_part(o.name, '.', 3) AS part) p
  LEFT JOIN LATERAL (
       SELECT true AS sound, e.extversion AS detail
         FROM pg_catalog.pg_extension e WHERE o.kind = 'extension' AND e.extname = o.name
       UNION ALL
       SELECT CASE c.relkind WHEN 'm' THEN c.relispopulated
                             WHEN 'i' THEN (SELECT i.indisvalid AND i.indisready FROM pg_catalog.pg_index i WHERE i.indexrelid = c.oid)
                             ELSE true END,
              CASE c.relkind WHEN 'm' THEN coalesce((
                    SELECT x.relname FROM pg_catalog.pg_index u JOIN pg_catalog.pg_class x ON x.oid = u.indexrelid
                     WHERE u.indrelid = c.oid AND u.indisunique AND u.indimmediate AND u.indisvalid AND u.indpred IS NULL AND u.indexprs IS NULL
                     ORDER BY x.relname LIMIT 1), '') ELSE '' END
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
        WHERE o.kind IN ('table', 'view', 'matview', 'index') AND s.nspname = p.space AND c.relname = p.relation
          AND c.relkind = ANY (CASE o.kind WHEN 'table' THEN '{r,p}' WHEN 'view' THEN '{v}' WHEN 'matview' THEN '{m}' ELSE '{i,I}' END::"char"[])
       UNION ALL
       SELECT true, pg_catalog.format_type(a.atttypid, a.atttypmod)
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
         JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
        WHERE o.kind = 'column' AND s.nspname = p.space AND c.relname = p.relation AND a.attname = p.part
          AND a.attnum > 0 AND NOT a.attisdropped
       UNION ALL
       SELECT k.convalidated, pg_catalog.pg_get_constraintdef(k.oid)
         FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
         JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
        WHERE o.kind = 'constraint' AND s.nspname = p.space AND c.relname = p.relation AND k.conname = p.part
       UNION ALL
       SELECT g.tgenabled <> 'D', ''
         FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
         JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
        WHERE o.kind = 'trigger' AND NOT g.tgisinternal AND s.nspname = p.space AND c.relname = p.relation AND g.tgname = p.part
       UNION ALL
       SELECT true, ''
        WHERE CASE WHEN o.kind = 'function' THEN pg_catalog.to_regprocedure(o.name) END IS NOT NULL
       ) f ON true
 ORDER BY o.n;

-- name: LintTables :many
-- How large each relation is, or the table of an index, and how often it is written to. All of it is what the server has
-- noted: nothing is counted, and nothing is locked. pg_total_relation_size would wait behind the very migration that the
-- page shows. Writes are those since the last ANALYZE, or, where that is more, the average since the figures began.
SELECT r.name, greatest(f.rows, 0)::bigint AS rows, (f.pages * current_setting('block_size')::bigint)::bigint AS bytes,
       coalesce(f.writes_per_hour, 0)::double precision AS writes_per_hour, c.relispopulated AS filled,
       CASE c.relkind WHEN 'm' THEN coalesce((
                    SELECT x.relname FROM pg_catalog.pg_index u JOIN pg_catalog.pg_class x ON x.oid = u.indexrelid
                     WHERE u.indrelid = c.oid AND u.indisunique AND u.indimmediate AND u.indisvalid AND u.indpred IS NULL AND u.indexprs IS NULL
                     ORDER BY x.relname LIMIT 1), '') ELSE '' END AS unique_index
  FROM unnest(@relations::text[]) AS r (name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = split_part(r.name, '.', 1)
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = split_part(r.name, '.', 2) AND c.relkind IN ('r', 'p', 'm', 'i', 'I')
 CROSS JOIN LATERAL (SELECT coalesce((SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = c.oid), c.oid) AS oid) own
  JOIN pg_catalog.pg_class t ON t.oid = own.oid
  LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = t.oid
 CROSS JOIN LATERAL (
       SELECT CASE WHEN t.reltuples < 0 THEN coalesce(s.n_live_tup, 0) ELSE t.reltuples END AS rows,
              t.relpages::bigint + coalesce((SELECT toast.relpages FROM pg_catalog.pg_class toast WHERE toast.oid = t.reltoastrelid), 0)
              + coalesce((SELECT sum(x.relpages) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = t.oid), 0) AS pages,
              greatest(s.n_mod_since_analyze / greatest(extract(epoch FROM clock_timestamp() - greatest(s.last_analyze, s.last_autoanalyze)) / 3600, 1),
                       (s.n_tup_ins + s.n_tup_upd + s.n_tup_del) / greatest(extract(epoch FROM clock_timestamp() - d.stats_reset) / 3600, 1)) AS writes_per_hour
         FROM pg_catalog.pg_stat_database d
        WHERE d.datname = current_database()) f;

-- name: LintColumns :many
-- The type of each column, and the views that use it.
SELECT o.name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       ARRAY(SELECT DISTINCT format('%s.%s', vs.nspname, v.relname)
               FROM pg_catalog.pg_depend d
               JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
               JOIN pg_catalog.pg_class v ON v.oid = w.ev_class AND v.oid <> c.oid
               JOIN pg_catalog.pg_namespace vs ON vs.oid = v.relnamespace
              WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
                AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
              ORDER BY 1) AS views
  FROM unnest(@columns::text[]) AS o (name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = split_part(o.name, '.', 1)
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = split_part(o.name, '.', 2)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = split_part(o.name, '.', 3) AND a.attnum > 0 AND NOT a.attisdropped;

-- name: LintRoles :many
SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = ANY (@roles::text[]);

-- name: MigrationTexts :many
-- The texts that versions were applied with, where this program carries another one.
SELECT x.sha256, x.body
  FROM gatehouse.migration_texts x
 WHERE x.sha256 <> ALL (@known::text[])
   AND x.sha256 IN (SELECT DISTINCT ON (h.version_number) h.sha256
                      FROM gatehouse.migration_history h
                     WHERE h.success AND (@version = 0 OR h.version_number = @version)
                     ORDER BY h.version_number, h.ledger_id DESC);
