DROP TRIGGER migration_runs_in_time ON gatehouse.migration_runs;
DROP FUNCTION gatehouse.migration_runs_in_time();
