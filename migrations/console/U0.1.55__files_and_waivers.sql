-- undo of V0.1.55. What was attached or signed is not forgotten.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.evidence_files) OR EXISTS (SELECT FROM gatehouse.item_waivers)
       OR EXISTS (SELECT FROM gatehouse.run_items WHERE kind = 'file') THEN
        RAISE EXCEPTION 'There are files, items that ask for one, or signed skippings; undoing this would forget them.'
            USING ERRCODE = 'restrict_violation', HINT = 'Nothing was changed.';
    END IF;
END $$;

-- The functions as V0.1.10 and V0.1.46 left them.
-- What is signed. Having taken an item in hand is no change of it, so an item in progress stands there as open.
CREATE OR REPLACE FUNCTION gatehouse.gate_content(run uuid, gate_id text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT jsonb_build_object(
    'form', 'gatehouse-gate-1',
    'release', jsonb_build_object('run', r.run_id, 'tenant', r.tenant_id, 'code', r.code, 'title', r.title,
                                  'environment', r.environment, 't0', gatehouse.utc_text(r.t0), 'time_zone', r.time_zone),
    'template', jsonb_build_object('name', r.template_name, 'version', r.template_version, 'sha256', r.template_sha256),
    'gate', jsonb_strip_nulls(jsonb_build_object('id', g.gate, 'name', g.name, 'judges', g.judges,
                                                'not_before', gatehouse.utc_text(gatehouse.earliest(r.t0, g.not_before_seconds)))),
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
                         'not_before', gatehouse.utc_text(gatehouse.earliest(r.t0, i.not_before_seconds)),
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

-- What keeps a gate shut, each with its words; of every gate of the run where gate_id is NULL. place orders them.
CREATE OR REPLACE FUNCTION gatehouse.gate_blockers(run uuid, gate_id text) RETURNS TABLE (gate text, item text, what text, place integer)
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
$$;

DROP FUNCTION gatehouse.evidence_blockers(uuid, text);
DROP FUNCTION gatehouse.waiver_content(uuid, text, text, text);
DROP FUNCTION gatehouse.waiver_roles(uuid, text);
DROP FUNCTION gatehouse.item_waiver_content(uuid);
DROP FUNCTION gatehouse.item_files_content(uuid, text, integer);
DROP FUNCTION gatehouse.file_sha256(uuid, text, integer);
ALTER TABLE gatehouse.run_evidence
    DROP CONSTRAINT run_evidence_kind,
    ADD CONSTRAINT run_evidence_kind CHECK (kind IN ('text', 'number', 'link', 'statement', 'auto'));
ALTER TABLE gatehouse.run_items
    DROP COLUMN waiver,
    DROP COLUMN round,
    DROP CONSTRAINT run_items_kind,
    ADD CONSTRAINT run_items_kind CHECK (kind IN ('text', 'number', 'link', 'statement', 'auto')),
    ADD CONSTRAINT run_items_required_not_skipped CHECK (state <> 'skipped' OR NOT required);
DROP TABLE gatehouse.item_waivers;
DROP TABLE gatehouse.evidence_chunks;
DROP TABLE gatehouse.evidence_files;
