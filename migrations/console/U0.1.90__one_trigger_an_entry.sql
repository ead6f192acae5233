-- undo of V0.1.90. Each entry is checked, chained and told of by three triggers again; what it says is the same.
CREATE OR REPLACE FUNCTION gatehouse.audit_canonical(e gatehouse.audit_events) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN gatehouse.audit_field('gatehouse-audit-1')
        || gatehouse.audit_field(e.tenant_id::text) || gatehouse.audit_field(e.seq::text)
        || gatehouse.audit_field(to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || gatehouse.audit_field(e.origin) || gatehouse.audit_field(e.issuer) || gatehouse.audit_field(e.subject)
        || gatehouse.audit_field(e.name) || gatehouse.audit_field(e.roles) || gatehouse.audit_field(e.ip)
        || gatehouse.audit_field(e.action) || gatehouse.audit_field(e.object_kind) || gatehouse.audit_field(e.object_id)
        || gatehouse.audit_field(e.outcome) || gatehouse.audit_field(e.reason)
        || gatehouse.audit_field(e.before::text) || gatehouse.audit_field(e.after::text)
        || gatehouse.audit_field(encode(e.prev_hash, 'hex'));

CREATE OR REPLACE FUNCTION gatehouse.audit_chain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head gatehouse.audit_heads;
BEGIN
    SELECT * INTO head FROM gatehouse.audit_heads WHERE tenant_id = NEW.tenant_id FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO gatehouse.audit_heads (tenant_id, seq, hash)
        VALUES (NEW.tenant_id, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
        SELECT * INTO STRICT head FROM gatehouse.audit_heads WHERE tenant_id = NEW.tenant_id FOR UPDATE;
    END IF;
    NEW.seq := head.seq + 1;
    NEW.at := clock_timestamp();
    NEW.prev_hash := head.hash;
    NEW.hash := sha256(convert_to(gatehouse.audit_canonical(NEW), 'UTF8'));
    UPDATE gatehouse.audit_heads SET seq = NEW.seq, hash = NEW.hash WHERE tenant_id = NEW.tenant_id;
    RETURN NEW;
END $$;

CREATE FUNCTION gatehouse.audit_read_only() RETURNS trigger
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
CREATE TRIGGER audit_events_read_only BEFORE INSERT ON gatehouse.audit_events
    FOR EACH ROW EXECUTE FUNCTION gatehouse.audit_read_only();

CREATE FUNCTION gatehouse.mark_release() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    named uuid := CASE WHEN NEW.object_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(/|$)' THEN left(NEW.object_id, 36)::uuid END;
    run uuid;
BEGIN
    FOR run IN SELECT r.run_id FROM gatehouse.runs r
                WHERE r.tenant_id = NEW.tenant_id AND CASE WHEN NEW.object_kind IN ('release', 'item', 'gate') THEN r.run_id = named ELSE r.state = 'active' END
                ORDER BY r.run_id LOOP
        INSERT INTO gatehouse.run_marks AS m (tenant_id, run_id, changes) VALUES (NEW.tenant_id, run, 1)
            ON CONFLICT ON CONSTRAINT run_marks_pkey DO UPDATE SET changes = m.changes + 1;
        PERFORM pg_notify('gatehouse_live', 'release ' || run);
    END LOOP;
    PERFORM pg_notify('gatehouse_live', 'tenant ' || NEW.tenant_id);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION gatehouse.mark_release() FROM PUBLIC;
CREATE TRIGGER audit_events_live AFTER INSERT ON gatehouse.audit_events
    FOR EACH ROW WHEN (NEW.outcome = 'done' AND NEW.object_kind IN ('release', 'item', 'gate', 'freeze', 'migration', 'migration_run', 'backup', 'rehearsal'))
    EXECUTE FUNCTION gatehouse.mark_release();
