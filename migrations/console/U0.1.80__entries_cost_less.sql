-- undo of V0.1.80. Each entry is more work again; what it says is the same.
CREATE OR REPLACE FUNCTION gatehouse.audit_read_only() RETURNS trigger
    LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    alarm text;
BEGIN
    IF NEW.outcome = 'refused' OR NEW.action ~ '^(session|audit):' THEN
        RETURN NEW;
    END IF;
    alarm := gatehouse.audit_alarm(NEW.tenant_id);
    IF alarm IS NOT NULL THEN
        RAISE EXCEPTION '%', alarm USING ERRCODE = 'GH001';
    END IF;
    RETURN NEW;
END $$;

ALTER FUNCTION gatehouse.audit_field(text) IMMUTABLE;
