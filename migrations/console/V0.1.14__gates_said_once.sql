-- title: what keeps a gate shut, and what a signature is, said in one place each
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: none that anybody waits for
-- undo loses: nothing
-- creates: function gatehouse.gate_blockers(uuid, text)
-- creates: view gatehouse.signature_marks
-- changes: function gatehouse.gate_ready(uuid, text)

-- What keeps a gate shut, each with its words; of every gate of the run where gate_id is NULL. place orders them.
CREATE FUNCTION gatehouse.gate_blockers(run uuid, gate_id text) RETURNS TABLE (gate text, item text, what text, place integer)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT g.gate, i.item_id AS item, i.item_id || ', ' || i.title || ', is ' || replace(i.state, '_', ' ') || '.' AS what, i.position AS place
  FROM gatehouse.run_gates g
  JOIN gatehouse.run_items i ON i.tenant_id = g.tenant_id AND i.run_id = g.run_id AND i.gate = g.gate AND i.required AND i.state <> 'done'
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
$$;

-- Ready for signing: the release is running and nothing keeps the gate shut.
CREATE OR REPLACE FUNCTION gatehouse.gate_ready(run uuid, gate_id text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (
    SELECT FROM gatehouse.runs r
      JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
     WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND r.state = 'active' AND g.gate = gate_id
       AND NOT EXISTS (SELECT FROM gatehouse.gate_blockers(run, gate_id)))
$$;

-- A signature with its withdrawal, and whether what it was given on is still what its hash was made of.
CREATE VIEW gatehouse.signature_marks WITH (security_invoker = true) AS
SELECT s.tenant_id, s.idempotency_key, s.signature_id, s.run_id, s.gate, s.slot, s.role, s.meaning, s.statement, s.score::text AS score, s.note, s.content, s.content_sha256,
       s.content_sha256 = encode(sha256(convert_to(s.content, 'UTF8')), 'hex') AS intact,
       s.issuer, s.subject, s.name, s.auth_time, s.acr, s.signed_at,
       w.reason AS withdrawn_reason, w.name AS withdrawn_by, w.withdrawn_at
  FROM gatehouse.signatures s
  LEFT JOIN gatehouse.signature_withdrawals w ON w.tenant_id = s.tenant_id AND w.signature_id = s.signature_id;
GRANT SELECT ON gatehouse.signature_marks TO gatehouse_app;
GRANT EXECUTE ON FUNCTION gatehouse.gate_blockers(uuid, text) TO gatehouse_app;
