-- title: rehearsals where there is no backup yet, on a sample
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: rehearsals for an instant
-- undo loses: nothing; it refuses while there is a rehearsal on a sample
-- changes: table gatehouse.rehearsals
-- creates: column gatehouse.rehearsals.sample_rows
-- creates: column gatehouse.rehearsals.whole_rows
-- creates: constraint gatehouse.rehearsals.rehearsals_sample_counted
-- changes: function gatehouse.rehearsal_passed(uuid)

-- sample_rows of whole_rows were copied; NULL where a rehearsal ran on everything.
ALTER TABLE gatehouse.rehearsals
    ADD COLUMN sample_rows bigint,
    ADD COLUMN whole_rows bigint,
    DROP CONSTRAINT rehearsals_data_kind,
    ADD CONSTRAINT rehearsals_data_kind CHECK (data_kind IN ('backup', 'copy', 'sample')),
    ADD CONSTRAINT rehearsals_sample_counted CHECK (
        (data_kind = 'sample') = (sample_rows IS NOT NULL) AND (sample_rows IS NULL) = (whole_rows IS NULL)
        AND sample_rows BETWEEN 0 AND whole_rows);

-- The newest rehearsal that speaks for a release, or NULL: it passed, and every version that the release plans was
-- rehearsed in it from exactly the text that the release froze, or was in the database before it began. A rehearsal that
-- was followed by one that failed on the same text speaks for nothing. One on a sample speaks for nothing either; one that
-- failed on a sample speaks against.
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
