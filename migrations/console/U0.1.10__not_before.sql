-- undo of V0.1.10
-- What is signed. Having taken an item in hand is no change of it, so an item in progress stands there as open.
CREATE OR REPLACE FUNCTION gatehouse.gate_content(run uuid, gate_id text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT jsonb_build_object(
    'form', 'gatehouse-gate-1',
    'release', jsonb_build_object('run', r.run_id, 'tenant', r.tenant_id, 'code', r.code, 'title', r.title,
                                  'environment', r.environment, 't0', gatehouse.utc_text(r.t0), 'time_zone', r.time_zone),
    'template', jsonb_build_object('name', r.template_name, 'version', r.template_version, 'sha256', r.template_sha256),
    'gate', jsonb_build_object('id', g.gate, 'name', g.name, 'judges', g.judges),
    'slots', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                         'slot', s.slot, 'role', s.role, 'required', s.required, 'statement', s.statement) ORDER BY s.position), '[]')
                FROM gatehouse.run_gate_slots s WHERE s.tenant_id = r.tenant_id AND s.run_id = r.run_id AND s.gate = g.gate),
    'migrations', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                              'version', m.version, 'title', m.title, 'sha256', m.sha256) ORDER BY m.position), '[]')
                     FROM gatehouse.run_migrations m WHERE m.tenant_id = r.tenant_id AND m.run_id = r.run_id),
    'items', (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                         'id', i.item_id, 'title', i.title, 'owner', i.owner_role, 'required', i.required,
                         'state', CASE i.state WHEN 'in_progress' THEN 'open' ELSE i.state END,
                         'by', NULLIF(i.settled_name, ''), 'issuer', NULLIF(i.settled_issuer, ''),
                         'subject', NULLIF(i.settled_subject, ''),
                         'at', gatehouse.utc_text(i.settled_at), 'reason', NULLIF(i.reason, ''),
                         'evidence', CASE WHEN e.number IS NOT NULL THEN jsonb_build_object(
                             'number', e.number, 'kind', e.kind, 'value', e.value, 'note', e.note, 'summary', e.summary,
                             'query', e.query, 'passed', e.passed, 'sha256', e.sha256, 'by', e.name,
                             'at', gatehouse.utc_text(e.added_at)) END)) ORDER BY i.position), '[]')
                FROM gatehouse.run_items i
                LEFT JOIN gatehouse.run_evidence e
                       ON e.tenant_id = i.tenant_id AND e.run_id = i.run_id AND e.item_id = i.item_id AND e.number = i.evidence
               WHERE i.tenant_id = r.tenant_id AND i.run_id = r.run_id AND i.gate = g.gate))
    || CASE WHEN g.after_migrations THEN jsonb_build_object(
    'applied', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                           'version', m.version, 'direction', h.direction, 'success', h.success, 'sha256', h.sha256,
                           'finished_at', gatehouse.utc_text(h.finished_at), 'entry', h.ledger_id) ORDER BY m.position), '[]')
                  FROM gatehouse.run_migrations m
                 CROSS JOIN LATERAL (SELECT l.ledger_id, l.direction, l.success, l.sha256, l.finished_at
                                       FROM gatehouse.migration_history l WHERE l.version = m.version
                                      ORDER BY l.ledger_id DESC LIMIT 1) h
                 WHERE m.tenant_id = r.tenant_id AND m.run_id = r.run_id),
    'health', (SELECT jsonb_build_object('item', i.item_id, 'passed', e.passed, 'summary', e.summary,
                                         'sha256', e.sha256, 'at', gatehouse.utc_text(e.added_at))
                 FROM gatehouse.run_items i
                 JOIN gatehouse.run_evidence e
                   ON e.tenant_id = i.tenant_id AND e.run_id = i.run_id AND e.item_id = i.item_id AND e.number = i.evidence
                WHERE i.tenant_id = r.tenant_id AND i.run_id = r.run_id AND i.gate = g.gate AND i.check_name = 'health.overall'
                ORDER BY e.added_at DESC, i.position DESC LIMIT 1)) ELSE '{}' END
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND g.gate = gate_id
$$;

-- Ready for signing: the release is running, every required item is done, the gates before have been passed and hold,
-- and where the gate judges migrations, the last entry of each in the ledger says that it is applied.
CREATE OR REPLACE FUNCTION gatehouse.gate_ready(run uuid, gate_id text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (
    SELECT FROM gatehouse.runs r
      JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
     WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND r.state = 'active' AND g.gate = gate_id
       AND NOT EXISTS (SELECT FROM gatehouse.run_items i
                        WHERE i.tenant_id = r.tenant_id AND i.run_id = r.run_id AND i.gate = g.gate
                          AND i.required AND i.state <> 'done')
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

DROP FUNCTION gatehouse.earliest(timestamptz, integer);
ALTER TABLE gatehouse.run_items DROP COLUMN not_before_seconds;
ALTER TABLE gatehouse.run_gates DROP COLUMN not_before_seconds;
