-- undo of V0.1.91. What was refused in a release is found among everything that was refused to the company again.
DROP INDEX gatehouse.audit_events_refused;
