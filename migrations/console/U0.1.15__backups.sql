-- undo of V0.1.15. A backup may be what an apply went by, and is not forgotten.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.backups) THEN
        RAISE EXCEPTION 'There are backups; undoing this would forget where they are and what they are worth.'
            USING ERRCODE = 'restrict_violation', HINT = 'Nothing was changed.';
    END IF;
END $$;

DROP TABLE gatehouse.backup_checks;
DROP TABLE gatehouse.backups;
