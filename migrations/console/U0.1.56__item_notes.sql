-- undo of V0.1.56. What people said is not forgotten.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.item_notes) THEN
        RAISE EXCEPTION 'There are comments or notes of takings over; undoing this would forget them.'
            USING ERRCODE = 'restrict_violation', HINT = 'Nothing was changed.';
    END IF;
END $$;
DROP TABLE gatehouse.item_notes;

-- The function as V0.1.55 left it.
-- What keeps a gate shut, each with its words; of every gate of the run where gate_id is NULL. place orders them.
CREATE OR REPLACE FUNCTION gatehouse.gate_blockers(run uuid, gate_id text) RETURNS TABLE (gate text, item text, what text, place integer)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT g.gate, i.item_id AS item, i.item_id || ', ' || i.title || ', is ' || replace(i.state, '_', ' ') || '.' AS what, i.position AS place
  FROM gatehouse.run_gates g
  JOIN gatehouse.run_items i ON i.tenant_id = g.tenant_id AND i.run_id = g.run_id AND i.gate = g.gate AND i.required AND i.state <> 'done' AND i.waiver IS NULL
 WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
UNION ALL
SELECT g.gate, i.item_id, i.item_id || ', ' || i.title || ', was said before its time as T-0 is now. Put it back, and say it again when it is true.', i.position
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
  JOIN gatehouse.run_items i ON i.tenant_id = g.tenant_id AND i.run_id = g.run_id AND i.gate = g.gate AND i.state = 'done'
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND i.settled_at < gatehouse.earliest(r.t0, i.not_before_seconds)
UNION ALL
SELECT g.gate, '', 'The gate opens at ' || to_char(gatehouse.earliest(r.t0, g.not_before_seconds) AT TIME ZONE r.time_zone, 'DD Mon YYYY HH24:MI')
       || ' (' || r.time_zone || '): what it judges needs that time.', 30000
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND clock_timestamp() < gatehouse.earliest(r.t0, g.not_before_seconds)
UNION ALL
SELECT g.gate, '', 'The gate ' || e.name || ' comes first, and it is not passed.', 10000 + e.position
  FROM gatehouse.run_gates g
  JOIN gatehouse.run_gates e ON e.tenant_id = g.tenant_id AND e.run_id = g.run_id AND e.position < g.position
 WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND gatehouse.gate_passed(e.run_id, e.gate) IS NOT TRUE
UNION ALL
SELECT g.gate, '', 'Migration V' || m.version || ' is not applied, by the last entry of the ledger.', 20000 + m.position
  FROM gatehouse.run_gates g
  JOIN gatehouse.run_migrations m ON m.tenant_id = g.tenant_id AND m.run_id = g.run_id
  LEFT JOIN LATERAL (SELECT l.direction, l.success FROM gatehouse.migration_history l
                      WHERE l.version = m.version ORDER BY l.ledger_id DESC LIMIT 1) h ON true
 WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND g.after_migrations AND (h.success AND h.direction IN ('up', 'baseline')) IS NOT TRUE
UNION ALL
SELECT g.gate, i.item_id, i.item_id || ', ' || i.title || ', was found at ' || to_char(e.added_at AT TIME ZONE r.time_zone, 'DD Mon HH24:MI')
       || ', and is good for ' || CASE WHEN i.fresh_seconds % 3600 = 0 THEN i.fresh_seconds / 3600 || ' h' ELSE i.fresh_seconds / 60 || ' min' END
       || '. Run its check again.', i.position
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
  JOIN gatehouse.run_items i ON i.tenant_id = g.tenant_id AND i.run_id = g.run_id AND i.gate = g.gate AND i.state = 'done' AND i.fresh_seconds IS NOT NULL
  JOIN gatehouse.run_evidence e ON e.tenant_id = i.tenant_id AND e.run_id = i.run_id AND e.item_id = i.item_id AND e.number = i.evidence
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND gatehouse.went_stale(e.added_at, i.fresh_seconds, clock_timestamp())
UNION ALL
SELECT g.gate, i.item_id, i.item_id || ', ' || i.title || ', was found before V' || b.version || ' was taken back. Run its check again.', i.position
  FROM gatehouse.run_gates g
  JOIN gatehouse.run_items i ON i.tenant_id = g.tenant_id AND i.run_id = g.run_id AND i.gate = g.gate AND i.state = 'done' AND i.kind = 'auto'
 CROSS JOIN LATERAL (SELECT l.version FROM gatehouse.migration_history l
                       JOIN gatehouse.run_migrations m ON m.version = l.version AND m.tenant_id = g.tenant_id AND m.run_id = g.run_id
                      WHERE l.success AND l.direction NOT IN ('up', 'baseline') AND l.finished_at > i.settled_at
                      ORDER BY l.ledger_id DESC LIMIT 1) b
 WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND g.after_migrations
UNION ALL
SELECT b.gate, b.item, b.what, b.place FROM gatehouse.evidence_blockers(run, gate_id) b
$$;
