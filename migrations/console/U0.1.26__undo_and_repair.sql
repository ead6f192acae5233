-- undo of V0.1.26. What was saved before an undo, and who repaired what, is not forgotten.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.migration_losses) OR EXISTS (SELECT FROM gatehouse.migration_probes)
       OR EXISTS (SELECT FROM gatehouse.operations WHERE kind NOT IN ('backup', 'drill', 'rehearsal')) THEN
        RAISE EXCEPTION 'There are repairs, or losses that were saved; undoing this would forget them.'
            USING ERRCODE = 'restrict_violation', HINT = 'Nothing was changed.';
    END IF;
END $$;

ALTER TABLE gatehouse.migration_runs DROP COLUMN auth_time, DROP COLUMN loss_id;
DROP TABLE gatehouse.migration_probes;
DROP TABLE gatehouse.migration_losses;
ALTER TABLE gatehouse.operations
    DROP CONSTRAINT operations_argument_by_kind,
    DROP CONSTRAINT operations_subject_by_kind,
    ADD CONSTRAINT operations_subject_by_kind CHECK ((kind = 'backup') = (subject IS NULL)),
    DROP CONSTRAINT operations_kind,
    ADD CONSTRAINT operations_kind CHECK (kind IN ('backup', 'drill', 'rehearsal')),
    DROP COLUMN auth_time,
    DROP COLUMN argument;
