-- Undoes V0.1.8. A rehearsal may be what a signature went by, and is not thrown away.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.rehearsals) THEN
        RAISE EXCEPTION 'There are rehearsals; undoing this would destroy what releases went by.'
            USING ERRCODE = 'restrict_violation', HINT = 'Nothing was changed.';
    END IF;
END $$;

DROP FUNCTION gatehouse.rehearsal_passed(uuid);
DROP TABLE gatehouse.rehearsed_files;
DROP TABLE gatehouse.rehearsals;
