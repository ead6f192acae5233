-- undo of V0.1.99. A file that is being taken is let end first, or some of its lines were measured and nobody knows which.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.measurement_imports WHERE state = 'taking') THEN
        RAISE EXCEPTION 'A file of measurements is being taken; wait until it is done.';
    END IF;
END $$;
DROP TABLE gatehouse.measurement_import_problems;
DROP TABLE gatehouse.measurement_import_lines;
DROP TABLE gatehouse.measurement_imports;
