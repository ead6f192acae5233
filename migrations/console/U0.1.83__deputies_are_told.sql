DROP FUNCTION gatehouse.waiting_deputies(text);
CREATE OR REPLACE FUNCTION gatehouse.waiting(environment_name text) RETURNS TABLE (
        kind text, id text, run_id uuid, code text, time_zone text, object text, title text, role text,
        holder_issuer text, holder_subject text, holder_name text, barred text[], ready boolean, needs text,
        state text, required boolean, checked boolean, watching boolean, round integer, due_at timestamptz, t0 timestamptz,
        started_at timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
WITH here AS MATERIALIZED (
    SELECT r.* FROM gatehouse.runs r
     WHERE r.tenant_id = gatehouse.current_tenant() AND r.environment = environment_name AND r.state IN ('active', 'signed_off')
), gates AS MATERIALIZED (
    -- The content of a gate is dear, and a gate at which nobody has signed is not passed.
    SELECT g.*, r.code, r.time_zone, r.t0, r.started_at, r.started_by_issuer, r.started_by_subject,
           CASE WHEN EXISTS (SELECT FROM gatehouse.signatures s WHERE s.tenant_id = g.tenant_id AND s.run_id = g.run_id AND s.gate = g.gate)
                THEN gatehouse.gate_passed(g.run_id, g.gate) IS TRUE ELSE false END AS passed
      FROM here r
      JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
     WHERE r.state = 'active'
), items AS MATERIALIZED (
    SELECT i.*, r.code, r.time_zone, r.t0, r.started_at, r.state AS run_state, min(i.position) OVER (PARTITION BY i.run_id, i.phase) AS phase_begins
      FROM here r
      JOIN gatehouse.run_items i ON i.tenant_id = r.tenant_id AND i.run_id = r.run_id
), held_up AS MATERIALIZED (
    -- What a phase still has to have done, before anything of a later one.
    SELECT DISTINCT ON (i.run_id, i.phase) i.run_id, i.phase, i.position, i.item_id, i.title
      FROM items i WHERE i.required AND i.state NOT IN ('done', 'skipped')
     ORDER BY i.run_id, i.phase, i.position
), next_gate AS MATERIALIZED (
    SELECT DISTINCT ON (g.run_id) g.* FROM gates g WHERE NOT g.passed ORDER BY g.run_id, g.position
), opened AS MATERIALIZED (
    SELECT n.*, o.items AS items_left,
           CASE WHEN o.items = 0 THEN gatehouse.gate_ready(n.run_id, n.gate) ELSE false END AS ready
      FROM next_gate n
     CROSS JOIN LATERAL (SELECT count(*) AS items FROM items i
                          WHERE i.run_id = n.run_id AND i.gate = n.gate AND i.required AND i.state NOT IN ('done', 'skipped')) o
), filled AS MATERIALIZED (
    SELECT s.run_id, s.gate, s.slot, s.issuer, s.subject,
           s.content_sha256 = (SELECT gatehouse.gate_content_sha256(s.run_id, s.gate)) AS counts
      FROM opened n
      JOIN gatehouse.signatures s ON s.tenant_id = n.tenant_id AND s.run_id = n.run_id AND s.gate = n.gate
     WHERE NOT EXISTS (SELECT FROM gatehouse.signature_withdrawals w WHERE w.tenant_id = s.tenant_id AND w.signature_id = s.signature_id)
)
SELECT 'item', 'item ' || i.run_id || ' ' || i.item_id, i.run_id, i.code, i.time_zone, i.item_id, i.title, i.owner_role,
       i.holder_issuer, i.holder_subject, i.holder_name, '{}'::text[], w.what IS NULL, coalesce(w.what, ''),
       i.state, i.required, i.kind = 'auto', i.run_state = 'signed_off', 0, i.t0 + make_interval(secs => i.offset_seconds), i.t0, i.started_at
  FROM items i
  LEFT JOIN LATERAL (
       SELECT x.what FROM (
           SELECT 1 AS rank, h.position AS place, h.item_id || ', ' || h.title || ', comes first.' AS what
             FROM held_up h WHERE h.run_id = i.run_id AND h.phase <> i.phase AND h.position < i.position
           UNION ALL
           SELECT 2, a.position, a.item_id || ', ' || a.title || ', comes first.'
             FROM items a WHERE a.run_id = i.run_id AND a.item_id = ANY (i.after_items) AND a.position < i.position AND a.state NOT IN ('done', 'skipped')
           UNION ALL
           SELECT 3, g.position, 'The gate ' || g.name || ' comes first.'
             FROM gates g
             JOIN LATERAL (SELECT min(p.position) AS begins FROM items p WHERE p.run_id = g.run_id AND p.phase = g.after_phase) b ON b.begins < i.phase_begins
            WHERE g.run_id = i.run_id AND NOT g.passed
           UNION ALL
           SELECT 4, 0, 'It can be said from ' || to_char(gatehouse.earliest(i.t0, i.not_before_seconds) AT TIME ZONE i.time_zone, 'DD Mon HH24:MI') || ' (' || i.time_zone || ') on.'
            WHERE clock_timestamp() < gatehouse.earliest(i.t0, i.not_before_seconds)) x
        ORDER BY x.rank, x.place LIMIT 1) w ON true
 WHERE i.state NOT IN ('done', 'skipped') AND (i.run_state = 'active' OR i.gate = '')
UNION ALL
SELECT 'gate', 'gate ' || n.run_id || ' ' || n.gate || ' ' || l.slot, n.run_id, n.code, n.time_zone, n.gate, n.name, l.role, '', '', '',
       ARRAY[n.started_by_issuer || ' ' || n.started_by_subject]
       || ARRAY(SELECT f.issuer || ' ' || f.subject FROM filled f WHERE f.run_id = n.run_id AND f.slot <> l.slot)
       || CASE WHEN n.after_migrations THEN ARRAY(
              SELECT h.actor_issuer || ' ' || h.actor_subject FROM gatehouse.migration_history h
               WHERE h.release_id = n.run_id
                  OR h.ledger_id IN (SELECT (SELECT max(e.ledger_id) FROM gatehouse.migration_history e WHERE e.version = p.version AND e.success)
                                       FROM gatehouse.run_migrations p WHERE p.tenant_id = n.tenant_id AND p.run_id = n.run_id)) END,
       n.ready AND o.first IS NULL,
       CASE WHEN n.items_left > 0 THEN n.items_left || CASE n.items_left WHEN 1 THEN ' item of it is' ELSE ' items of it are' END || ' not done yet.'
            WHEN NOT n.ready THEN 'It is not open yet; the gate says why.'
            WHEN o.first IS NOT NULL THEN 'Who authorises signs last, and others have not signed yet.' ELSE '' END,
       'open', l.required, false, false,
       (SELECT count(*)::integer FROM gatehouse.signatures a WHERE a.tenant_id = n.tenant_id AND a.run_id = n.run_id AND a.gate = n.gate AND a.slot = l.slot),
       n.t0 + make_interval(secs => n.offset_seconds), n.t0, n.started_at
  FROM opened n
  JOIN gatehouse.run_gate_slots l ON l.tenant_id = n.tenant_id AND l.run_id = n.run_id AND l.gate = n.gate
  LEFT JOIN LATERAL (
       SELECT f.slot AS first FROM gatehouse.run_gate_slots f
        WHERE l.signs_last AND f.tenant_id = n.tenant_id AND f.run_id = n.run_id AND f.gate = n.gate AND f.required AND NOT f.signs_last
          AND NOT EXISTS (SELECT FROM filled s WHERE s.run_id = n.run_id AND s.slot = f.slot AND s.counts)
        LIMIT 1) o ON true
 WHERE NOT EXISTS (SELECT FROM filled s WHERE s.run_id = n.run_id AND s.slot = l.slot AND s.counts)
UNION ALL
SELECT 'override', 'override ' || a.override_id, r.run_id, r.code, r.time_zone, a.kind, a.reason, '', '', '', a.name,
       ARRAY[a.issuer || ' ' || a.subject], true, '', 'open', true, false, false, 0, a.expires_at, r.t0, a.asked_at
  FROM here r
  JOIN gatehouse.apply_overrides a ON a.tenant_id = r.tenant_id AND a.run_id = r.run_id
 WHERE r.state = 'active' AND a.expires_at > clock_timestamp()
   AND NOT EXISTS (SELECT FROM gatehouse.apply_override_seconds s WHERE s.tenant_id = a.tenant_id AND s.override_id = a.override_id)
UNION ALL
SELECT 'restore', 'restore ' || a.request_id, NULL, '', 'UTC', a.backup_id::text, a.reason, '', '', '', a.name,
       ARRAY[a.issuer || ' ' || a.subject], true, '', 'open', true, false, false, 0, a.expires_at, NULL, a.asked_at
  FROM gatehouse.restore_requests a
  JOIN gatehouse.tenants t ON t.tenant_id = a.tenant_id AND t.is_operator
 WHERE a.tenant_id = gatehouse.current_tenant() AND a.expires_at > clock_timestamp()
   AND NOT EXISTS (SELECT FROM gatehouse.restore_agreements g WHERE g.tenant_id = a.tenant_id AND g.request_id = a.request_id)
   AND NOT EXISTS (SELECT FROM gatehouse.restore_withdrawals w WHERE w.tenant_id = a.tenant_id AND w.request_id = a.request_id)
   AND a.state_sha256 = encode(sha256(convert_to(gatehouse.restore_state(a.tenant_id, a.backup_id), 'UTF8')), 'hex')
$$;
