-- title: an audit trail that is older than its published head is read-only until somebody acknowledges it
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: audit_events for an instant
-- undo loses: nothing; it refuses while there is an alarm
-- creates: table gatehouse.audit_alarms
-- creates: table gatehouse.audit_acknowledgements
-- creates: function gatehouse.audit_alarm(uuid)
-- creates: function gatehouse.audit_read_only()
-- creates: trigger gatehouse.audit_events.audit_events_read_only

-- A head that was published outside the database and that this trail does not hold: an older state was restored.
CREATE TABLE gatehouse.audit_alarms (
    tenant_id      uuid        NOT NULL REFERENCES gatehouse.tenants,
    alarm_id       uuid        NOT NULL,
    published_seq  bigint      NOT NULL,
    published_hash text        NOT NULL CONSTRAINT audit_alarms_hash_form CHECK (published_hash ~ '^[0-9a-f]{64}$'),
    published_at   timestamptz NOT NULL,
    -- The farthest published head that this trail does hold; 0 for none.
    agreed_seq     bigint      NOT NULL,
    found_seq      bigint      NOT NULL, -- where the trail ended when it was noticed
    noticed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT audit_alarms_pkey PRIMARY KEY (tenant_id, alarm_id),
    -- Each head is cried about once.
    CONSTRAINT audit_alarms_once UNIQUE (tenant_id, published_seq, published_hash)
);
CREATE TABLE gatehouse.audit_acknowledgements (
    tenant_id uuid        NOT NULL,
    alarm_id  uuid        NOT NULL,
    reason    text        NOT NULL CONSTRAINT audit_acknowledgements_reason CHECK (btrim(reason) <> '' AND length(reason) <= 2000),
    issuer    text        NOT NULL,
    subject   text        NOT NULL CONSTRAINT audit_acknowledgements_subject_filled CHECK (subject <> ''),
    name      text        NOT NULL,
    auth_time timestamptz NOT NULL,
    at        timestamptz NOT NULL,
    CONSTRAINT audit_acknowledgements_pkey PRIMARY KEY (tenant_id, alarm_id),
    CONSTRAINT audit_acknowledgements_alarm FOREIGN KEY (tenant_id, alarm_id) REFERENCES gatehouse.audit_alarms,
    CONSTRAINT audit_acknowledgements_fresh CHECK (auth_time BETWEEN at - interval '5 minutes' AND at + interval '60 seconds')
);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['audit_alarms', 'audit_acknowledgements'] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.%1$s
            FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change()', t);
        EXECUTE format('ALTER TABLE gatehouse.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON gatehouse.%I
            USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant())', t);
        EXECUTE format('GRANT SELECT, INSERT ON gatehouse.%I TO gatehouse_app', t);
    END LOOP;
END $$;

-- The sentence of a tenant whose alarm nobody has acknowledged; NULL where there is none. Asked with the session, before
-- the tenant is entered, so it gives the sentence and nothing else.
CREATE FUNCTION gatehouse.audit_alarm(tenant uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT 'An older state of this database was restored: entry ' || a.published_seq || ' of the audit trail was published on '
       || to_char(a.published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC, and the trail here ended at entry ' || a.found_seq
       || '. Nothing is changed until an auditor or an administrator acknowledges it on the page Audit.'
  FROM gatehouse.audit_alarms a
 WHERE a.tenant_id = tenant
   AND NOT EXISTS (SELECT FROM gatehouse.audit_acknowledgements k WHERE k.tenant_id = a.tenant_id AND k.alarm_id = a.alarm_id)
 ORDER BY a.noticed_at
 LIMIT 1
$$;
REVOKE ALL ON FUNCTION gatehouse.audit_alarm(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.audit_alarm(uuid) TO gatehouse_app;

-- Every act writes its entry in its own transaction, so what may write no entry does nothing, through whatever door. Signing
-- in and out, what is refused, and the trail's own acts go on: without them nobody could acknowledge.
CREATE FUNCTION gatehouse.audit_read_only() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
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
CREATE TRIGGER audit_events_read_only BEFORE INSERT ON gatehouse.audit_events
    FOR EACH ROW EXECUTE FUNCTION gatehouse.audit_read_only();
