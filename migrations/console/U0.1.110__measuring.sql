-- undo of V0.1.110. Readings are evidence of what was measured, so they are not thrown away in passing.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.dimension_readings) THEN
        RAISE EXCEPTION 'There are readings of dimensions; export them first, and remove them with the owner''s rights if they are to go.';
    END IF;
END $$;
DROP TABLE gatehouse.material_barcodes;
DROP TABLE gatehouse.measure_tasks;
DROP TABLE gatehouse.dimension_tolerances;
DROP TABLE gatehouse.dimension_changes;
DROP TABLE gatehouse.dimension_reviews;
DROP TABLE gatehouse.dimension_readings;
DROP TABLE gatehouse.dimension_cases;
