CREATE OR REPLACE FUNCTION gatehouse.gate_content(run uuid, gate_id text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT gatehouse.gate_facts(run, gate_id)
    || coalesce((SELECT jsonb_build_object('expires', gatehouse.utc_text(e.at)) FROM (SELECT gatehouse.gate_expires_at(run, gate_id) AS at) e WHERE e.at IS NOT NULL), '{}')
    || coalesce((SELECT jsonb_build_object('stops', jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                            'attempt', s.attempt, 'kind', s.kind, 'slot', s.slot, 'role', NULLIF(s.role, ''), 'reason', s.reason, 'by', s.name, 'issuer', s.issuer,
                            'subject', s.subject, 'at', gatehouse.utc_text(s.stopped_at), 'sha256', s.content_sha256)) ORDER BY s.attempt))
                   FROM gatehouse.gate_stops s
                  WHERE s.tenant_id = gatehouse.current_tenant() AND s.run_id = run AND s.gate = gate_id
                 HAVING count(*) > 0), '{}')
    || coalesce((SELECT jsonb_build_object('attempts', jsonb_agg(jsonb_build_object(
                            'attempt', a.attempt, 'note', a.note, 'by', a.name, 'issuer', a.issuer, 'subject', a.subject,
                            'at', gatehouse.utc_text(a.opened_at)) ORDER BY a.attempt))
                   FROM gatehouse.gate_attempts a
                  WHERE a.tenant_id = gatehouse.current_tenant() AND a.run_id = run AND a.gate = gate_id
                 HAVING count(*) > 0), '{}')
$$;
CREATE OR REPLACE FUNCTION gatehouse.gate_blockers(run uuid, gate_id text) RETURNS TABLE (gate text, item text, what text, place integer)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT o.gate, o.item, o.what, o.place FROM gatehouse.gate_obstacles(run, gate_id) o
UNION ALL
SELECT g.gate, '',
       CASE WHEN s.kind = 'rejected'
            THEN s.name || ' rejected this gate on ' || to_char(s.stopped_at AT TIME ZONE r.time_zone, 'DD Mon YYYY HH24:MI') || ' (' || r.time_zone || ').'
            ELSE 'This gate is denied. ' || coalesce(s.reason, gatehouse.gate_expiry_words(g.run_id, g.gate)) END
       || ' It stays shut until somebody who manages releases opens a new attempt.', -1
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
  LEFT JOIN gatehouse.gate_stops s ON s.tenant_id = g.tenant_id AND s.run_id = g.run_id AND s.gate = g.gate
                                  AND s.attempt = gatehouse.gate_attempt(g.run_id, g.gate)
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND (s.attempt IS NOT NULL OR gatehouse.gate_overdue(g.run_id, g.gate))
$$;
DROP TRIGGER migration_runs_not_in_a_rollback ON gatehouse.migration_runs;
DROP FUNCTION gatehouse.migration_runs_not_in_a_rollback();
DROP FUNCTION gatehouse.rolling_back(uuid, uuid);
DROP TABLE gatehouse.rollback_acts;
DROP TABLE gatehouse.rollbacks;
ALTER TABLE gatehouse.runs DROP CONSTRAINT runs_rollback_reason;
ALTER TABLE gatehouse.runs DROP CONSTRAINT runs_state;
ALTER TABLE gatehouse.runs ADD CONSTRAINT runs_state CHECK (state IN ('active', 'signed_off', 'aborted', 'closed'));
