-- title: an entry of the audit trail is checked, chained and told of by one trigger
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: the audit trail for an instant
-- undo loses: nothing

-- The text that is hashed is the same to the byte. It is made by one call instead of seventy: what a statement calls is looked
-- up again, right to call it included, in every transaction that writes an entry.
CREATE OR REPLACE FUNCTION gatehouse.audit_canonical(e gatehouse.audit_events) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN concat(
        '17:gatehouse-audit-1',
        octet_length(e.tenant_id::text), ':', e.tenant_id,
        octet_length(e.seq::text), ':', e.seq,
        '27:', to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        octet_length(convert_to(e.origin, 'UTF8')), ':', e.origin,
        octet_length(convert_to(e.issuer, 'UTF8')), ':', e.issuer,
        octet_length(convert_to(e.subject, 'UTF8')), ':', e.subject,
        octet_length(convert_to(e.name, 'UTF8')), ':', e.name,
        octet_length(convert_to(e.roles, 'UTF8')), ':', e.roles,
        octet_length(convert_to(e.ip, 'UTF8')), ':', e.ip,
        octet_length(convert_to(e.action, 'UTF8')), ':', e.action,
        octet_length(convert_to(e.object_kind, 'UTF8')), ':', e.object_kind,
        octet_length(convert_to(e.object_id, 'UTF8')), ':', e.object_id,
        octet_length(convert_to(e.outcome, 'UTF8')), ':', e.outcome,
        octet_length(convert_to(e.reason, 'UTF8')), ':', e.reason,
        -- Only these two may be missing, which is said in a way that no text can say.
        octet_length(convert_to(e.before::text, 'UTF8')), CASE WHEN e.before IS NULL THEN 'n' ELSE ':' END, e.before,
        octet_length(convert_to(e.after::text, 'UTF8')), CASE WHEN e.after IS NULL THEN 'n' ELSE ':' END, e.after,
        2 * octet_length(e.prev_hash), ':', encode(e.prev_hash, 'hex'));

-- Numbers and chains an entry. The head row's lock puts a tenant's entries in one line; seq, at, prev_hash and hash that
-- the writer may have sent are overwritten, so nobody can insert an entry that does not continue the chain.
--
-- Every act writes its entry in its own transaction, so what may write no entry does nothing, through whatever door. Whether
-- an alarm stands, and what it says, is said by audit_alarm alone; a tenant without any, which is nearly always all of them, is
-- seen by one look into an index.
--
-- Nothing is done without an entry, so the entry is what wakes open pages: whoever adds a new act to a release need not think
-- of it. What is about a release names it first in its object; what is about the schema, a backup or a freeze concerns the
-- releases that are under way. The entry's own lock comes first, so marks are always locked after it.
CREATE OR REPLACE FUNCTION gatehouse.audit_chain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    done boolean := NEW.outcome = 'done';
    named uuid; -- the release that the entry is about
    run uuid;
    alarmed boolean;
    alarm text;
BEGIN
    -- An id and then a slash or the end; a regular expression that counts costs as much as the hash.
    IF done AND NEW.object_kind IN ('release', 'item', 'gate')
       AND translate(left(NEW.object_id, 37), '0123456789abcdef', 'xxxxxxxxxxxxxxxx') IN ('xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx', 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx/') THEN
        named := left(NEW.object_id, 36);
    END IF;
    LOOP
        SELECT h.seq + 1, h.hash, EXISTS (SELECT FROM gatehouse.audit_alarms a WHERE a.tenant_id = NEW.tenant_id),
               (SELECT r.run_id FROM gatehouse.runs r WHERE r.tenant_id = NEW.tenant_id AND r.run_id = named)
          INTO NEW.seq, NEW.prev_hash, alarmed, run
          FROM gatehouse.audit_heads h WHERE h.tenant_id = NEW.tenant_id FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO gatehouse.audit_heads (tenant_id, seq, hash)
        VALUES (NEW.tenant_id, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
    END LOOP;
    IF alarmed THEN
        IF NEW.outcome <> 'refused' AND NEW.action !~ '^(session|audit):' THEN
            alarm := gatehouse.audit_alarm(NEW.tenant_id);
            IF alarm IS NOT NULL THEN
                RAISE EXCEPTION '%', alarm USING ERRCODE = 'GH001';
            END IF;
        END IF;
    END IF;
    NEW.at := clock_timestamp();
    NEW.hash := sha256(convert_to(gatehouse.audit_canonical(NEW), 'UTF8'));
    UPDATE gatehouse.audit_heads SET seq = NEW.seq, hash = NEW.hash WHERE tenant_id = NEW.tenant_id;

    -- A notice is told by an expression: a statement would be planned for, started and ended.
    IF NOT done THEN
        RETURN NEW;
    ELSIF run IS NOT NULL THEN
        INSERT INTO gatehouse.run_marks AS m (tenant_id, run_id, changes) VALUES (NEW.tenant_id, run, 1)
            ON CONFLICT ON CONSTRAINT run_marks_pkey DO UPDATE SET changes = m.changes + 1;
        IF pg_notify('gatehouse_live', 'release ' || run) IS NULL THEN END IF;
    ELSIF NEW.object_kind IN ('freeze', 'migration', 'migration_run', 'backup', 'rehearsal') THEN
        FOR run IN INSERT INTO gatehouse.run_marks AS m (tenant_id, run_id, changes)
                   SELECT r.tenant_id, r.run_id, 1 FROM gatehouse.runs r WHERE r.tenant_id = NEW.tenant_id AND r.state = 'active' ORDER BY r.run_id
                       ON CONFLICT ON CONSTRAINT run_marks_pkey DO UPDATE SET changes = m.changes + 1
                   RETURNING m.run_id LOOP
            IF pg_notify('gatehouse_live', 'release ' || run) IS NULL THEN END IF;
        END LOOP;
    ELSIF NEW.object_kind NOT IN ('release', 'item', 'gate') THEN
        RETURN NEW;
    END IF;
    IF pg_notify('gatehouse_live', 'tenant ' || NEW.tenant_id) IS NULL THEN END IF;
    RETURN NEW;
END $$;

DROP TRIGGER audit_events_live ON gatehouse.audit_events;
DROP FUNCTION gatehouse.mark_release();
DROP TRIGGER audit_events_read_only ON gatehouse.audit_events;
DROP FUNCTION gatehouse.audit_read_only();
