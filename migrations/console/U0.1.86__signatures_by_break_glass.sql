DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.glass_signatures) THEN
        RAISE EXCEPTION 'somebody has signed by break-glass, and without this a signature of that kind would look like one that rests on a fresh sign-in';
    END IF;
END $$;
DROP FUNCTION gatehouse.gate_blockers(uuid, text);
ALTER FUNCTION gatehouse.gate_hindrances(uuid, text) RENAME TO gate_blockers;
CREATE OR REPLACE FUNCTION gatehouse.gate_overdue(run uuid, gate_id text) RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN clock_timestamp() > gatehouse.gate_expires_at(run, gate_id) THEN gatehouse.gate_passed(run, gate_id) IS NOT TRUE ELSE false END
$$;
DROP FUNCTION gatehouse.gate_passed(uuid, text);
ALTER FUNCTION gatehouse.gate_filled(uuid, text) RENAME TO gate_passed;
DROP FUNCTION gatehouse.glass_blockers(uuid, text);
DROP FUNCTION gatehouse.glass_holds_up(uuid, text);
DROP FUNCTION gatehouse.use_signing_code(text, text, uuid, uuid, text, uuid, text, text, text);
DROP VIEW gatehouse.glass_marks;
DROP TABLE gatehouse.glass_reviews;
ALTER TABLE gatehouse.signatures
    DROP CONSTRAINT signatures_glass,
    DROP CONSTRAINT signatures_fresh,
    ADD CONSTRAINT signatures_fresh CHECK (auth_time BETWEEN signed_at - interval '5 minutes' AND signed_at + interval '60 seconds');
ALTER TABLE gatehouse.signatures DROP COLUMN glass_code_id;
DROP TABLE gatehouse.glass_signatures;
