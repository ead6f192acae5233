-- title: a line of the roster counts only as the trail knows it
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: nothing
-- creates: function gatehouse.deputy_told(uuid)
-- changes: function gatehouse.deputy_for(uuid, text, text, text, text, text[], text[])
-- changes: function gatehouse.waiting_deputies(text)

-- Whether the trail has an entry that named this deputy, by this person, for this role and these days, and none that revoked
-- the line. So whoever changes the table alone makes nobody a deputy, and brings none back; whoever changes the trail is
-- found by its chain.
CREATE FUNCTION gatehouse.deputy_told(line uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (
           SELECT FROM gatehouse.deputies d
             JOIN gatehouse.audit_events e ON e.tenant_id = d.tenant_id AND e.object_kind = 'deputy' AND e.object_id = d.deputy_id::text
            WHERE d.tenant_id = gatehouse.current_tenant() AND d.deputy_id = line AND e.action = 'deputy:name' AND e.outcome = 'done'
              AND (e.issuer, e.subject) = (d.named_issuer, d.named_subject)
              AND e.after ->> 'role' = d.role AND e.after ->> 'issuer' = d.issuer AND e.after ->> 'subject' = d.subject
              AND e.after ->> 'from' = to_char(d.from_day, 'YYYY-MM-DD') AND e.after ->> 'until' = to_char(d.until_day, 'YYYY-MM-DD'))
   AND NOT EXISTS (
           SELECT FROM gatehouse.audit_events e
            WHERE e.tenant_id = gatehouse.current_tenant() AND e.object_kind = 'deputy' AND e.object_id = line::text
              AND e.action = 'deputy:revoke' AND e.outcome = 'done')
$$;
REVOKE ALL ON FUNCTION gatehouse.deputy_told(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.deputy_told(uuid) TO gatehouse_app;

-- As before, and of lines that the trail knows.
CREATE OR REPLACE FUNCTION gatehouse.deputy_for(run uuid, gate_id text, slot_id text, by_issuer text, by_subject text, roles text[], signing text[]) RETURNS uuid
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT d.deputy_id
  FROM gatehouse.runs r
  JOIN gatehouse.run_gate_slots s ON s.tenant_id = r.tenant_id AND s.run_id = r.run_id AND s.gate = gate_id AND s.slot = slot_id
  JOIN gatehouse.roster d ON d.tenant_id = r.tenant_id AND d.role = s.role AND d.issuer = by_issuer AND d.subject = by_subject AND d.revoked_at IS NULL
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND NOT s.role = ANY (roles)
   AND (clock_timestamp() AT TIME ZONE r.time_zone)::date BETWEEN d.from_day AND d.until_day
   AND clock_timestamp() >= gatehouse.deputies_from(r.run_id, s.gate, s.slot)
   AND gatehouse.deputy_told(d.deputy_id) AND roles && signing AND NOT roles && ARRAY['admin', 'auditor']
   AND NOT EXISTS (
           SELECT FROM gatehouse.run_gate_slots o
            WHERE o.tenant_id = s.tenant_id AND o.run_id = s.run_id AND o.gate = s.gate AND o.slot <> s.slot AND o.required AND o.role = ANY (roles)
              AND NOT EXISTS (SELECT FROM gatehouse.signatures f
                               WHERE f.tenant_id = o.tenant_id AND f.run_id = o.run_id AND f.gate = o.gate AND f.slot = o.slot
                                 AND f.content_sha256 = gatehouse.gate_content_sha256(o.run_id, o.gate)
                                 AND NOT EXISTS (SELECT FROM gatehouse.signature_withdrawals w
                                                  WHERE w.tenant_id = f.tenant_id AND w.signature_id = f.signature_id)))
 ORDER BY d.until_day DESC, d.named_at, d.deputy_id
 LIMIT 1
$$;

CREATE OR REPLACE FUNCTION gatehouse.waiting_deputies(environment_name text) RETURNS TABLE (task text, deputies jsonb, own_first text[])
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'gate ' || l.run_id || ' ' || l.gate || ' ' || l.slot, d.people,
       ARRAY(SELECT o.role FROM gatehouse.run_gate_slots o
              WHERE o.tenant_id = l.tenant_id AND o.run_id = l.run_id AND o.gate = l.gate AND o.slot <> l.slot AND o.required
                AND NOT EXISTS (SELECT FROM gatehouse.signatures s
                                 WHERE s.tenant_id = o.tenant_id AND s.run_id = o.run_id AND s.gate = o.gate AND s.slot = o.slot
                                   AND s.content_sha256 = (SELECT gatehouse.gate_content_sha256(l.run_id, l.gate))
                                   AND NOT EXISTS (SELECT FROM gatehouse.signature_withdrawals w
                                                    WHERE w.tenant_id = s.tenant_id AND w.signature_id = s.signature_id)))
  FROM gatehouse.runs r
  JOIN gatehouse.run_gate_slots l ON l.tenant_id = r.tenant_id AND l.run_id = r.run_id AND l.deputies_seconds IS NOT NULL
 CROSS JOIN LATERAL (
       SELECT jsonb_agg(DISTINCT jsonb_build_object('issuer', x.issuer, 'subject', x.subject, 'name', x.name)) AS people
         FROM gatehouse.roster x
        WHERE x.tenant_id = r.tenant_id AND x.role = l.role AND x.revoked_at IS NULL AND gatehouse.deputy_told(x.deputy_id)
          AND (clock_timestamp() AT TIME ZONE r.time_zone)::date BETWEEN x.from_day AND x.until_day) d
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.environment = environment_name AND r.state = 'active' AND d.people IS NOT NULL
   AND clock_timestamp() >= gatehouse.deputies_from(l.run_id, l.gate, l.slot)
$$;
