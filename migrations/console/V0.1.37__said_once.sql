-- title: what the runbook puts before applying, and what a saving speaks for, said in one place each
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: none that anybody waits for
-- undo loses: nothing
-- creates: function gatehouse.unsettled(uuid)
-- creates: function gatehouse.saving_speaks(bigint, timestamptz)

-- The required items that the runbook of a release puts before applying and that are not settled, in words; NULL where there
-- is none.
CREATE FUNCTION gatehouse.unsettled(run uuid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT string_agg(b.item_id || ' (' || b.title || ')', ', ' ORDER BY b.position)
  FROM gatehouse.run_items b
 WHERE b.tenant_id = gatehouse.current_tenant() AND b.run_id = run AND b.required AND b.state NOT IN ('done', 'skipped')
   AND EXISTS (SELECT FROM gatehouse.run_items applied
                WHERE applied.tenant_id = b.tenant_id AND applied.run_id = b.run_id AND applied.check_name = 'migration.applied'
                  AND b.item_id = ANY (applied.after_items))
$$;

-- Whether what an undo would lose, saved at that time, may still be undone on: it is young, and since then the version was
-- neither applied again nor taken back, after which other rows stand there.
CREATE FUNCTION gatehouse.saving_speaks(version bigint, taken_at timestamptz) RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT saving_speaks.taken_at BETWEEN clock_timestamp() - interval '15 minutes' AND clock_timestamp()
   AND NOT EXISTS (SELECT FROM gatehouse.migration_history h
                    WHERE h.version_number = saving_speaks.version AND h.success AND h.finished_at > saving_speaks.taken_at)
$$;
