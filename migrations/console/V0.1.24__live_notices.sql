-- title: open pages are woken when a run, an operation or its log has changed
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: the runs, the operations and their logs for an instant
-- undo loses: nothing; open pages ask by themselves again
-- creates: function gatehouse.notify_live()
-- creates: trigger gatehouse.migration_runs.migration_runs_live
-- creates: trigger gatehouse.migration_run_lines.migration_run_lines_live
-- creates: trigger gatehouse.operations.operations_live
-- creates: trigger gatehouse.operation_lines.operation_lines_live

-- The notice says which kind of thing has changed and its id, and never what: it reaches whoever listens to this database,
-- past every policy. Who is woken by it reads inside their own tenant. Equal notices of one transaction become one.
CREATE FUNCTION gatehouse.notify_live() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('gatehouse_live', TG_ARGV[0] || ' ' || (to_jsonb(NEW) ->> TG_ARGV[1]));
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION gatehouse.notify_live() FROM PUBLIC;

CREATE TRIGGER migration_runs_live AFTER INSERT OR UPDATE OF state, acknowledged_at ON gatehouse.migration_runs
    FOR EACH ROW EXECUTE FUNCTION gatehouse.notify_live('migration_run', 'run_id');
CREATE TRIGGER migration_run_lines_live AFTER INSERT ON gatehouse.migration_run_lines
    FOR EACH ROW EXECUTE FUNCTION gatehouse.notify_live('migration_run', 'run_id');
-- That an operation is heard of every few seconds changes nothing that a page shows.
CREATE TRIGGER operations_live AFTER INSERT OR UPDATE OF state ON gatehouse.operations
    FOR EACH ROW EXECUTE FUNCTION gatehouse.notify_live('operation', 'operation_id');
CREATE TRIGGER operation_lines_live AFTER INSERT ON gatehouse.operation_lines
    FOR EACH ROW EXECUTE FUNCTION gatehouse.notify_live('operation', 'operation_id');
