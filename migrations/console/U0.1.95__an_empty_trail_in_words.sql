-- undo of V0.1.95. An empty trail ends at entry 0 again.
CREATE OR REPLACE FUNCTION gatehouse.audit_alarm(tenant uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT 'An older state of this database was restored: entry ' || a.published_seq || ' of the audit trail was published on '
       || to_char(a.published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC, and the trail here ended at entry ' || a.found_seq
       || '. Nothing is changed until an auditor or an administrator acknowledges it on the page Audit.'
  FROM gatehouse.audit_alarms a
 WHERE a.tenant_id = tenant
   AND NOT EXISTS (SELECT FROM gatehouse.audit_acknowledgements k WHERE k.tenant_id = a.tenant_id AND k.alarm_id = a.alarm_id)
 ORDER BY a.noticed_at
 LIMIT 1
$$;
