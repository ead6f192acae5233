-- Undoes V0.1.1. The ledger is the only record of who changed the warehouse's schema, and is not thrown away.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.migration_ledger) THEN
        RAISE EXCEPTION 'The migration ledger holds entries; undoing this would destroy the record of who changed the schema.'
            USING ERRCODE = 'restrict_violation', HINT = 'Nothing was changed.';
    END IF;
END $$;

DROP TABLE gatehouse.migration_run_lines;
DROP FUNCTION gatehouse.migration_runs_unfinished();
DROP TABLE gatehouse.migration_runs;
DROP FUNCTION gatehouse.migration_runs_forward();
DROP VIEW public.schema_version;
DROP VIEW gatehouse.migration_history;
DROP TABLE gatehouse.migration_ledger;
REVOKE SELECT ON gatehouse.migration_state FROM gatehouse_app;
DROP TRIGGER console_ledger_append_only ON gatehouse.console_ledger;
