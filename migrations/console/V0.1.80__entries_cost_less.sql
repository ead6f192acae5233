-- title: an entry of the audit trail is less work for the database
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: nothing

-- What this calls, convert_to, is STABLE. Declared IMMUTABLE, the function could not be written into the statement that calls
-- it, so each entry paid eighteen calls that were planned anew. The text that is hashed is the same to the byte.
ALTER FUNCTION gatehouse.audit_field(text) STABLE;

-- A tenant without any alarm, which is nearly always all of them, is seen by one look into an index whose plan is kept.
-- Whether an alarm stands, and what it says, is still said by audit_alarm alone; this looks with its eyes, the owner's.
CREATE OR REPLACE FUNCTION gatehouse.audit_read_only() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    alarm text;
BEGIN
    IF NEW.outcome = 'refused' OR NEW.action ~ '^(session|audit):' THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT FROM gatehouse.audit_alarms a WHERE a.tenant_id = NEW.tenant_id) THEN
        RETURN NEW;
    END IF;
    alarm := gatehouse.audit_alarm(NEW.tenant_id);
    IF alarm IS NOT NULL THEN
        RAISE EXCEPTION '%', alarm USING ERRCODE = 'GH001';
    END IF;
    RETURN NEW;
END $$;
