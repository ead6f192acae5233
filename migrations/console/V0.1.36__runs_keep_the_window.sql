-- title: a run keeps the window and the token, whichever program asks for it
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: migration_runs for an instant
-- undo loses: nothing
-- creates: function gatehouse.migration_runs_in_time()
-- creates: trigger gatehouse.migration_runs.migration_runs_in_time

-- While a new version of Gatehouse is rolled out, the old program works on beside it and knows neither windows nor tokens.
-- The statement of the new one refuses in words; this refuses whoever does not ask.
CREATE FUNCTION gatehouse.migration_runs_in_time() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    closed text := gatehouse.change_refusal(NEW.tenant_id, NEW.release_id);
BEGIN
    IF closed IS NOT NULL THEN
        RAISE EXCEPTION '%', closed USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.origin <> 'web' AND NOT EXISTS (
           SELECT FROM gatehouse.apply_token_ends e WHERE e.tenant_id = NEW.tenant_id AND e.used_by = NEW.run_id) THEN
        RAISE EXCEPTION 'nothing is changed from here without a one-time token of the signed gate' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
-- After the statement, which writes the use of the token as well.
CREATE TRIGGER migration_runs_in_time AFTER INSERT ON gatehouse.migration_runs
    FOR EACH ROW EXECUTE FUNCTION gatehouse.migration_runs_in_time();
