-- undo of V0.1.76. What people wrote down is not forgotten.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.release_lessons) THEN
        RAISE EXCEPTION 'Lessons of releases have been written down; undoing this would forget them.'
            USING ERRCODE = 'restrict_violation', HINT = 'Nothing was changed.';
    END IF;
END $$;

DROP TABLE gatehouse.release_lesson_marks;
DROP TABLE gatehouse.release_lessons;
