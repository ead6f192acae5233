-- undo of V0.1.42. What was said of a backup, and who restored it, is not forgotten.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.backup_marks) OR EXISTS (SELECT FROM gatehouse.external_backups) THEN
        RAISE EXCEPTION 'There are external backups or marks; undoing this would forget them.'
            USING ERRCODE = 'restrict_violation', HINT = 'Nothing was changed.';
    END IF;
END $$;

DROP TABLE gatehouse.external_drills;
DROP TABLE gatehouse.external_backups;
DROP TABLE gatehouse.backup_marks;
