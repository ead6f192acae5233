DROP TRIGGER operation_lines_live ON gatehouse.operation_lines;
DROP TRIGGER operations_live ON gatehouse.operations;
DROP TRIGGER migration_run_lines_live ON gatehouse.migration_run_lines;
DROP TRIGGER migration_runs_live ON gatehouse.migration_runs;
DROP FUNCTION gatehouse.notify_live();
