DROP TRIGGER migration_runs_mark ON gatehouse.migration_runs;
DROP TRIGGER audit_events_live ON gatehouse.audit_events;
DROP TABLE gatehouse.presence;
DROP TABLE gatehouse.server_processes;
DROP TABLE gatehouse.run_marks;
DROP FUNCTION gatehouse.notify_presence();
DROP FUNCTION gatehouse.mark_migration();
DROP FUNCTION gatehouse.mark_release();
