-- title: a review of break-glass waits for whoever may give it
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: nothing
-- creates: function gatehouse.waiting_work(text)
-- creates: function gatehouse.waiting_reviews(text)
-- changes: function gatehouse.waiting(text)

-- Signatures by break-glass that nobody has reviewed, of whatever became of the release: the same columns as waiting.
CREATE FUNCTION gatehouse.waiting_reviews(environment_name text) RETURNS TABLE (
        kind text, id text, run_id uuid, code text, time_zone text, object text, title text, role text,
        holder_issuer text, holder_subject text, holder_name text, barred text[], ready boolean, needs text,
        state text, required boolean, checked boolean, watching boolean, round integer, due_at timestamptz, t0 timestamptz,
        started_at timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'review', 'review ' || m.signature_id, r.run_id, r.code, r.time_zone, m.signature_id::text, m.gate_name, '',
       '', '', m.name,
       ARRAY[m.issuer || ' ' || m.subject, r.started_by_issuer || ' ' || r.started_by_subject,
             m.first_issuer || ' ' || m.first_subject, m.second_issuer || ' ' || m.second_subject],
       true, '', 'open', true, false, false, 0, m.review_due_at, r.t0, m.used_at
  FROM gatehouse.runs r
  JOIN gatehouse.glass_marks m ON m.tenant_id = r.tenant_id AND m.run_id = r.run_id
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.environment = environment_name AND m.verdict IS NULL
$$;
REVOKE ALL ON FUNCTION gatehouse.waiting_reviews(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.waiting_reviews(text) TO gatehouse_app;

ALTER FUNCTION gatehouse.waiting(text) RENAME TO waiting_work;
CREATE FUNCTION gatehouse.waiting(environment_name text) RETURNS TABLE (
        kind text, id text, run_id uuid, code text, time_zone text, object text, title text, role text,
        holder_issuer text, holder_subject text, holder_name text, barred text[], ready boolean, needs text,
        state text, required boolean, checked boolean, watching boolean, round integer, due_at timestamptz, t0 timestamptz,
        started_at timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT w.kind, w.id, w.run_id, w.code, w.time_zone, w.object, w.title, w.role, w.holder_issuer, w.holder_subject, w.holder_name, w.barred,
       w.ready, w.needs, w.state, w.required, w.checked, w.watching, w.round, w.due_at, w.t0, w.started_at
  FROM gatehouse.waiting_work(environment_name) w
UNION ALL
SELECT v.kind, v.id, v.run_id, v.code, v.time_zone, v.object, v.title, v.role, v.holder_issuer, v.holder_subject, v.holder_name, v.barred,
       v.ready, v.needs, v.state, v.required, v.checked, v.watching, v.round, v.due_at, v.t0, v.started_at
  FROM gatehouse.waiting_reviews(environment_name) v
$$;
REVOKE ALL ON FUNCTION gatehouse.waiting(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.waiting(text) TO gatehouse_app;
