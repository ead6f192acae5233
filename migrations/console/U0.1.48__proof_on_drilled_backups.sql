-- undo of V0.1.48. The functions as V0.1.41 and V0.1.18 left them.
CREATE OR REPLACE FUNCTION gatehouse.apply_proof(run uuid) RETURNS TABLE (backup_id uuid, rehearsal_id uuid)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
WITH fresh AS (SELECT f.backup_id, f.taken_at FROM gatehouse.fresh_backups() f)
SELECT (SELECT f.backup_id FROM fresh f ORDER BY f.taken_at DESC LIMIT 1),
       (SELECT r.rehearsal_id FROM gatehouse.rehearsals r
         WHERE r.rehearsal_id = gatehouse.rehearsal_passed(run) AND r.recorded_at >= (SELECT min(f.taken_at) FROM fresh f))
$$;
CREATE OR REPLACE FUNCTION gatehouse.rehearsal_passed(run uuid) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
SELECT r.rehearsal_id
  FROM gatehouse.runs u
  JOIN gatehouse.rehearsals r ON r.tenant_id = u.tenant_id AND r.passed AND r.data_kind <> 'sample'
 WHERE u.run_id = run
   AND EXISTS (SELECT FROM gatehouse.rehearsed_files f
                 JOIN gatehouse.run_migrations m ON m.tenant_id = f.tenant_id AND m.run_id = u.run_id AND m.version = f.version AND m.sha256 = f.sha256
                WHERE f.tenant_id = r.tenant_id AND f.rehearsal_id = r.rehearsal_id)
   AND NOT EXISTS (
       SELECT FROM gatehouse.run_migrations m
        WHERE m.tenant_id = u.tenant_id AND m.run_id = u.run_id
          AND NOT EXISTS (SELECT FROM gatehouse.rehearsed_files f
                           WHERE f.tenant_id = r.tenant_id AND f.rehearsal_id = r.rehearsal_id
                             AND f.version = m.version AND f.sha256 = m.sha256 AND f.passed)
          AND NOT coalesce((SELECT h.direction <> 'down' FROM gatehouse.migration_history h
                             WHERE h.version = m.version AND h.success AND h.finished_at <= r.started_at
                             ORDER BY h.ledger_id DESC LIMIT 1), false))
   AND NOT EXISTS (
       SELECT FROM gatehouse.rehearsals later
         JOIN gatehouse.rehearsed_files f ON f.tenant_id = later.tenant_id AND f.rehearsal_id = later.rehearsal_id AND NOT f.passed
         JOIN gatehouse.run_migrations m ON m.tenant_id = f.tenant_id AND m.run_id = u.run_id AND m.version = f.version AND m.sha256 = f.sha256
        WHERE later.tenant_id = r.tenant_id AND later.recorded_at > r.recorded_at)
 ORDER BY r.recorded_at DESC
 LIMIT 1
$$;
DROP FUNCTION gatehouse.rehearsals_passed(uuid);
