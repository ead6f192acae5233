-- undo of V0.1.50. What was sealed is not forgotten.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.audit_seals) THEN
        RAISE EXCEPTION 'Heads of the audit trail have been sealed; undoing this would forget the seals.'
            USING ERRCODE = 'restrict_violation', HINT = 'Nothing was changed.';
    END IF;
END $$;

DROP FUNCTION gatehouse.audit_newest_seal(uuid);
DROP TABLE gatehouse.audit_seals;
