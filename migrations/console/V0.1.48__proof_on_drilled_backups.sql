-- title: what opens a gate is a rehearsal on a backup that a drill restored
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: nothing
-- creates: function gatehouse.rehearsals_passed(uuid)
-- changes: function gatehouse.rehearsal_passed(uuid)
-- changes: function gatehouse.apply_proof(uuid)

-- The rehearsals that speak for a release: each passed, and every version that the release plans was rehearsed in it from
-- exactly the text that the release froze, or was in the database before it began and is still: neither taken back nor
-- restored away. A rehearsal that was followed by one that failed on the same text speaks for nothing. One on a sample speaks
-- for nothing either; one that failed on a sample speaks against.
CREATE FUNCTION gatehouse.rehearsals_passed(run uuid) RETURNS TABLE (rehearsal_id uuid, backup_id uuid, started_at timestamptz, recorded_at timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
SELECT r.rehearsal_id, r.backup_id, r.started_at, r.recorded_at
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
          AND (coalesce((SELECT h.direction FROM gatehouse.migration_history h
                          WHERE h.version = m.version AND h.success AND h.finished_at <= r.started_at
                          ORDER BY h.ledger_id DESC LIMIT 1), 'down') IN ('down', 'restore')
               OR (SELECT h.direction FROM gatehouse.migration_history h
                    WHERE h.version = m.version AND h.success ORDER BY h.ledger_id DESC LIMIT 1) IN ('down', 'restore')))
   AND NOT EXISTS (
       SELECT FROM gatehouse.rehearsals later
         JOIN gatehouse.rehearsed_files f ON f.tenant_id = later.tenant_id AND f.rehearsal_id = later.rehearsal_id AND NOT f.passed
         JOIN gatehouse.run_migrations m ON m.tenant_id = f.tenant_id AND m.run_id = u.run_id AND m.version = f.version AND m.sha256 = f.sha256
        WHERE later.tenant_id = r.tenant_id AND later.recorded_at > r.recorded_at)
$$;
REVOKE ALL ON FUNCTION gatehouse.rehearsals_passed(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.rehearsals_passed(uuid) TO gatehouse_app;

-- The newest of them, or NULL: what has to be there even where two people override the proof.
CREATE OR REPLACE FUNCTION gatehouse.rehearsal_passed(run uuid) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT r.rehearsal_id FROM gatehouse.rehearsals_passed(run) r ORDER BY r.recorded_at DESC LIMIT 1 $$;

-- What speaks for applying a release: a fresh backup, and the newest rehearsal of exactly its files that is newer than a
-- backup which is fresh still, and ran on a backup that was at most a day old then, was restored in a drill, and of which
-- nothing was found since. What a copy that somebody made by hand came from, nobody here has seen. Always one row; what
-- there is none of is NULL.
CREATE OR REPLACE FUNCTION gatehouse.apply_proof(run uuid) RETURNS TABLE (backup_id uuid, rehearsal_id uuid)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
WITH fresh AS (SELECT f.backup_id, f.taken_at FROM gatehouse.fresh_backups() f)
SELECT (SELECT f.backup_id FROM fresh f ORDER BY f.taken_at DESC LIMIT 1),
       (SELECT r.rehearsal_id
          FROM gatehouse.rehearsals_passed(run) r
          JOIN gatehouse.backups b ON b.tenant_id = gatehouse.current_tenant() AND b.backup_id = r.backup_id
         WHERE r.recorded_at >= (SELECT min(f.taken_at) FROM fresh f)
           AND b.taken_at >= r.started_at - interval '24 hours'
           AND (SELECT c.passed FROM gatehouse.backup_checks c
                 WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind <> 'prune' ORDER BY c.recorded_at DESC LIMIT 1)
           AND EXISTS (SELECT FROM gatehouse.backup_checks c
                        WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind = 'drill' AND c.passed)
         ORDER BY r.recorded_at DESC
         LIMIT 1)
$$;
