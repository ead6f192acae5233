-- undo of V0.1.14
DROP VIEW gatehouse.signature_marks;

-- Ready for signing: the release is running, every required item is done, nothing was said before its time and the gate's
-- own has come, the gates before have been passed and hold, and where the gate judges migrations, the last entry of each
-- in the ledger says that it is applied.
CREATE OR REPLACE FUNCTION gatehouse.gate_ready(run uuid, gate_id text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (
    SELECT FROM gatehouse.runs r
      JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
     WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND r.state = 'active' AND g.gate = gate_id
       AND NOT EXISTS (SELECT FROM gatehouse.run_items i
                        WHERE i.tenant_id = r.tenant_id AND i.run_id = r.run_id AND i.gate = g.gate
                          AND i.required AND i.state <> 'done')
       AND NOT EXISTS (SELECT FROM gatehouse.run_items i
                        WHERE i.tenant_id = r.tenant_id AND i.run_id = r.run_id AND i.gate = g.gate AND i.state = 'done'
                          AND i.settled_at < gatehouse.earliest(r.t0, i.not_before_seconds))
       AND (clock_timestamp() < gatehouse.earliest(r.t0, g.not_before_seconds)) IS NOT TRUE
       AND NOT EXISTS (SELECT FROM gatehouse.run_gates earlier
                        WHERE earlier.tenant_id = r.tenant_id AND earlier.run_id = r.run_id AND earlier.position < g.position
                          AND gatehouse.gate_passed(run, earlier.gate) IS NOT TRUE)
       AND (NOT g.after_migrations OR NOT EXISTS (
               SELECT FROM gatehouse.run_migrations m
                 LEFT JOIN LATERAL (SELECT l.direction, l.success FROM gatehouse.migration_history l
                                     WHERE l.version = m.version ORDER BY l.ledger_id DESC LIMIT 1) h ON true
                WHERE m.tenant_id = r.tenant_id AND m.run_id = r.run_id
                  AND (h.success AND h.direction IN ('up', 'baseline')) IS NOT TRUE)))
$$;

DROP FUNCTION gatehouse.gate_blockers(uuid, text);
