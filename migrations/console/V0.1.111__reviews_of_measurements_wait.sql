-- title: measurements beyond the tolerance wait for a supervisor who has not measured
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: nothing
-- creates: function gatehouse.waiting_for_releases(text)
-- creates: function gatehouse.waiting_dimensions()
-- changes: function gatehouse.waiting(text)
-- changes: function gatehouse.waits_for(text, text, text, text[], text, text[], text[])

-- A measurement beyond the tolerance, until somebody has decided; a day after it was measured it is late. The rule is that of
-- AddDimensionReview: who measured in the case, in whatever round, does not review it.
CREATE FUNCTION gatehouse.waiting_dimensions() RETURNS TABLE (
        kind text, id text, run_id uuid, code text, time_zone text, object text, title text, role text,
        holder_issuer text, holder_subject text, holder_name text, barred text[], ready boolean, needs text,
        state text, required boolean, checked boolean, watching boolean, round integer, due_at timestamptz, t0 timestamptz,
        started_at timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'dimension_review', 'dimension_review ' || c.case_id, NULL::uuid, '', 'UTC', c.case_id::text, c.material_code, '', '', '', max(r.name),
       array_agg(DISTINCT r.issuer || ' ' || r.subject), true, '', 'open', true, false, false, 0, c.changed_at + interval '24 hours', NULL::timestamptz, c.opened_at
  FROM gatehouse.dimension_cases c
  JOIN gatehouse.dimension_readings r ON r.tenant_id = c.tenant_id AND r.case_id = c.case_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.state = 'review'
 GROUP BY c.tenant_id, c.case_id
$$;
REVOKE ALL ON FUNCTION gatehouse.waiting_dimensions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.waiting_dimensions() TO gatehouse_app;

ALTER FUNCTION gatehouse.waiting(text) RENAME TO waiting_for_releases;
CREATE FUNCTION gatehouse.waiting(environment_name text) RETURNS TABLE (
        kind text, id text, run_id uuid, code text, time_zone text, object text, title text, role text,
        holder_issuer text, holder_subject text, holder_name text, barred text[], ready boolean, needs text,
        state text, required boolean, checked boolean, watching boolean, round integer, due_at timestamptz, t0 timestamptz,
        started_at timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT r.kind, r.id, r.run_id, r.code, r.time_zone, r.object, r.title, r.role, r.holder_issuer, r.holder_subject, r.holder_name, r.barred,
       r.ready, r.needs, r.state, r.required, r.checked, r.watching, r.round, r.due_at, r.t0, r.started_at
  FROM gatehouse.waiting_for_releases(environment_name) r
UNION ALL
SELECT d.kind, d.id, d.run_id, d.code, d.time_zone, d.object, d.title, d.role, d.holder_issuer, d.holder_subject, d.holder_name, d.barred,
       d.ready, d.needs, d.state, d.required, d.checked, d.watching, d.round, d.due_at, d.t0, d.started_at
  FROM gatehouse.waiting_dimensions() d
$$;
REVOKE ALL ON FUNCTION gatehouse.waiting(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.waiting(text) TO gatehouse_app;

CREATE OR REPLACE FUNCTION gatehouse.waits_for(kind text, role text, holder text, barred text[], me text, roles text[], rights text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE AS $$
SELECT CASE kind
           WHEN 'item' THEN 'item:work' = ANY (rights) AND CASE holder WHEN '' THEN role = ANY (roles) ELSE holder = me END
           WHEN 'gate' THEN 'gate:sign' = ANY (rights) AND role = ANY (roles) AND me <> ALL (barred)
           WHEN 'rollback' THEN 'rollback:agree' = ANY (rights) AND me <> ALL (barred)
           WHEN 'rollback_review' THEN 'rollback:review' = ANY (rights) AND me <> ALL (barred)
           WHEN 'restore_start' THEN 'migration:down' = ANY (rights)
           WHEN 'dimension_review' THEN 'dimension:review' = ANY (rights) AND me <> ALL (barred)
           ELSE 'gate:sign' = ANY (rights) AND me <> ALL (barred) END
$$;
