-- title: what was counted or agreed before a restore holds for none after it
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: none
-- undo loses: nothing
-- changes: function gatehouse.restore_state(uuid, uuid)

-- A restore after which the same versions stand adds no entry to the ledger, so what was counted before it, and what two
-- people agreed to before it, still seemed to hold afterwards. The newest restore is part of the state now.
CREATE OR REPLACE FUNCTION gatehouse.restore_state(tenant uuid, backup uuid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT gatehouse.audit_field('gatehouse-restore-2') || gatehouse.audit_field(current_database()) || gatehouse.audit_field(b.backup_id::text)
       || gatehouse.audit_field(b.name) || gatehouse.audit_field(b.sha256) || gatehouse.audit_field(b.manifest_sha256)
       || gatehouse.audit_field((SELECT max(h.ledger_id)::text FROM gatehouse.migration_history h))
       || gatehouse.audit_field((SELECT s.version || ' ' || s.dirty FROM gatehouse.migration_state s WHERE s.set_name = 'wms'))
       || gatehouse.audit_field((SELECT max(o.recorded_at)::text FROM gatehouse.restore_outcomes o WHERE o.tenant_id = tenant))
  FROM gatehouse.backups b
 WHERE b.tenant_id = tenant AND b.backup_id = backup
   AND (SELECT c.passed FROM gatehouse.backup_checks c
         WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind = 'drill' ORDER BY c.recorded_at DESC LIMIT 1)
   AND NOT EXISTS (
       SELECT FROM gatehouse.backup_checks c
        WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id
          AND (c.kind = 'prune' OR c.kind = 'verify' AND NOT c.passed AND c.recorded_at > (
               SELECT max(d.recorded_at) FROM gatehouse.backup_checks d
                WHERE d.tenant_id = b.tenant_id AND d.backup_id = b.backup_id AND d.kind = 'drill' AND d.passed)))
$$;
