-- title: no apply without a fresh backup that restores, and a rehearsal on it
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: nothing; backups and rehearsals stay
-- creates: function gatehouse.most_wal_since_backup()
-- creates: function gatehouse.fresh_backups()
-- creates: function gatehouse.apply_proof(uuid)

-- How many bytes of log may be written since a backup that counts as fresh: twice the database, and a gigabyte at least.
CREATE FUNCTION gatehouse.most_wal_since_backup() RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT greatest(2 * pg_database_size(current_database()), 1073741824) $$;
REVOKE ALL ON FUNCTION gatehouse.most_wal_since_backup() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.most_wal_since_backup() TO gatehouse_app;

-- The tenant's backups that a restore may count on now, newest first: at most 24 hours old by the clock; of this very
-- cluster; with not too much log written since; with its file still kept; whose newest
-- look found nothing wrong; and that was restored in a drill. A backup from the future proves nothing.
CREATE FUNCTION gatehouse.fresh_backups() RETURNS TABLE (backup_id uuid, taken_at timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
SELECT b.backup_id, b.taken_at
  FROM gatehouse.backups b
 CROSS JOIN LATERAL (SELECT (b.manifest::jsonb ->> 'wal')::pg_lsn AS wal, b.manifest::jsonb ->> 'system' AS system) m
 WHERE b.tenant_id = gatehouse.current_tenant()
   AND b.taken_at BETWEEN clock_timestamp() - interval '24 hours' AND clock_timestamp()
   AND m.system = (SELECT c.system_identifier::text FROM pg_control_system() c)
   AND pg_wal_lsn_diff(pg_current_wal_lsn(), m.wal) BETWEEN 0 AND gatehouse.most_wal_since_backup()
   AND (SELECT c.passed AND c.kind <> 'prune' FROM gatehouse.backup_checks c
         WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id ORDER BY c.recorded_at DESC LIMIT 1)
   AND EXISTS (SELECT FROM gatehouse.backup_checks c
                WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind = 'drill' AND c.passed)
 ORDER BY b.taken_at DESC
$$;
REVOKE ALL ON FUNCTION gatehouse.fresh_backups() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.fresh_backups() TO gatehouse_app;

-- What speaks for applying a release: a fresh backup, and the rehearsal of exactly its files where that is newer than a
-- backup which is fresh still. Always one row; what there is none of is NULL.
CREATE FUNCTION gatehouse.apply_proof(run uuid) RETURNS TABLE (backup_id uuid, rehearsal_id uuid)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
WITH fresh AS (SELECT f.backup_id, f.taken_at FROM gatehouse.fresh_backups() f)
SELECT (SELECT f.backup_id FROM fresh f ORDER BY f.taken_at DESC LIMIT 1),
       (SELECT r.rehearsal_id FROM gatehouse.rehearsals r
         WHERE r.rehearsal_id = gatehouse.rehearsal_passed(run) AND r.recorded_at >= (SELECT min(f.taken_at) FROM fresh f))
$$;
REVOKE ALL ON FUNCTION gatehouse.apply_proof(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.apply_proof(uuid) TO gatehouse_app;
