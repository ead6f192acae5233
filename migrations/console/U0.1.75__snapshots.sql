-- undo of V0.1.75. What was measured is not forgotten.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.run_snapshots) OR EXISTS (SELECT FROM gatehouse.run_snapshot_misses) THEN
        RAISE EXCEPTION 'Snapshots of releases have been taken or missed; undoing this would forget them.'
            USING ERRCODE = 'restrict_violation', HINT = 'Nothing was changed.';
    END IF;
END $$;

DROP TABLE gatehouse.run_snapshot_misses;
DROP TABLE gatehouse.run_snapshots;
