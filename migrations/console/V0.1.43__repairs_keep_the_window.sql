-- title: a repair that runs an undo file keeps the change window
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: nothing
-- creates: function gatehouse.repair_refusal(uuid)

-- Why a repair may not change the schema now, in the sentence of every other door; NULL where it may. A repair belongs to no
-- release, so it keeps the window of the one that is active. Where none is, there is no window, but a freeze holds.
CREATE FUNCTION gatehouse.repair_refusal(tenant uuid) RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT NULLIF(coalesce(
    (SELECT coalesce(gatehouse.change_refusal(r.tenant_id, r.run_id), '')
       FROM gatehouse.runs r
      WHERE r.tenant_id = tenant AND r.state = 'active'
      ORDER BY r.started_at DESC
      LIMIT 1),
    (SELECT 'Nothing is applied or taken back while the environment is frozen, which is until '
            || to_char(f.ends_at AT TIME ZONE 'UTC', 'DD Mon YYYY HH24:MI') || ' (UTC): ' || f.reason
            || ' Wait for its end, or start a release, on whose page Window two people can override it.'
       FROM gatehouse.freezes f
      WHERE f.tenant_id = tenant AND f.starts_at <= clock_timestamp() AND f.ends_at > clock_timestamp()
      ORDER BY f.ends_at DESC
      LIMIT 1)), '')
$$;
REVOKE ALL ON FUNCTION gatehouse.repair_refusal(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.repair_refusal(uuid) TO gatehouse_app;
