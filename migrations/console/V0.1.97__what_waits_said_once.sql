-- title: what waits for a person is said in one place, for the page and for the number in the frame
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: nothing
-- creates: function gatehouse.waiting_for(text, text, jsonb, text[], text[], boolean)

-- What waits for this person: what they hold, and the places of others in which they are a deputy, where no place of their own
-- comes first. me is "issuer subject", person the same as {"issuer", "subject"}; deputises says that their roles let them be a deputy.
CREATE FUNCTION gatehouse.waiting_for(environment_name text, me text, person jsonb, roles text[], rights text[], deputises boolean) RETURNS TABLE (
        kind text, id text, run_id uuid, code text, time_zone text, object text, title text, role text,
        holder_issuer text, holder_subject text, holder_name text, barred text[], ready boolean, needs text,
        state text, required boolean, checked boolean, watching boolean, round integer, due_at timestamptz, t0 timestamptz,
        started_at timestamptz, deputies jsonb)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT w.kind, w.id, w.run_id, w.code, w.time_zone, w.object, w.title, w.role, w.holder_issuer, w.holder_subject, w.holder_name, w.barred,
       w.ready, w.needs, w.state, w.required, w.checked, w.watching, w.round, w.due_at, w.t0, w.started_at, d.deputies
  FROM gatehouse.waiting(environment_name) w
  LEFT JOIN gatehouse.waiting_deputies(environment_name) d ON d.task = w.id
 WHERE gatehouse.waits_for(w.kind, w.role, btrim(w.holder_issuer || ' ' || w.holder_subject), w.barred, me, roles, rights)
    OR w.kind = 'gate' AND deputises AND me <> ALL (w.barred) AND NOT d.own_first && roles AND d.deputies @> jsonb_build_array(person)
$$;
REVOKE ALL ON FUNCTION gatehouse.waiting_for(text, text, jsonb, text[], text[], boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.waiting_for(text, text, jsonb, text[], text[], boolean) TO gatehouse_app;
