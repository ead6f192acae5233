-- undo of V0.1.40. That an older state was restored, and who said what to it, is not forgotten.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.audit_alarms) THEN
        RAISE EXCEPTION 'There is an alarm about the audit trail; undoing this would forget it.'
            USING ERRCODE = 'restrict_violation', HINT = 'Nothing was changed.';
    END IF;
END $$;

DROP TRIGGER audit_events_read_only ON gatehouse.audit_events;
DROP FUNCTION gatehouse.audit_read_only();
DROP FUNCTION gatehouse.audit_alarm(uuid);
DROP TABLE gatehouse.audit_acknowledgements;
DROP TABLE gatehouse.audit_alarms;
