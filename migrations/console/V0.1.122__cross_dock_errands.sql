-- title: errands of the dock: who asked for what, since when a lot stands there, what happened, and how long it may
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: since when lots stand at the dock and why they go where they go, the history of their errands, and the limits; the cancellations themselves stay in the warehouse's own table
-- creates: table gatehouse.crossdock_errands
-- creates: table gatehouse.crossdock_told
-- creates: table gatehouse.crossdock_events
-- creates: table gatehouse.crossdock_limits

-- The warehouse's tables come and go with its own migrations, so nothing here refers to them by key.

-- What the warehouse's row of a cancellation has no room for. One that the warehouse wrote itself gets its errand when a place
-- is looked for.
CREATE TABLE gatehouse.crossdock_errands (
    tenant_id       uuid        NOT NULL REFERENCES gatehouse.tenants,
    cancellation_id uuid        NOT NULL,
    since_at        timestamptz NOT NULL, -- the lot stands at the dock
    why             text        NOT NULL DEFAULT '', -- it goes there, or has no place
    tried_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    tries           integer     NOT NULL DEFAULT 1,
    CONSTRAINT crossdock_errands_pkey PRIMARY KEY (tenant_id, cancellation_id)
);

-- What was asked for, each once: whoever sends the same twice has sent it once.
CREATE TABLE gatehouse.crossdock_told (
    tenant_id       uuid        NOT NULL REFERENCES gatehouse.tenants,
    teller          text        NOT NULL CONSTRAINT crossdock_told_somebody CHECK (teller <> ''),
    key             text        NOT NULL CONSTRAINT crossdock_told_key_length CHECK (length(key) BETWEEN 1 AND 200),
    cancellation_id uuid        NOT NULL,
    content_sha256  text        NOT NULL, -- so that one key cannot say two things
    outcome         text        NOT NULL CONSTRAINT crossdock_told_outcome_known CHECK (outcome IN ('recorded', 'open', 'held')),
    told_by         text        NOT NULL,
    told_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT crossdock_told_pkey PRIMARY KEY (tenant_id, teller, key)
);

CREATE TABLE gatehouse.crossdock_events (
    tenant_id       uuid        NOT NULL REFERENCES gatehouse.tenants,
    event_id        uuid        NOT NULL,
    cancellation_id uuid        NOT NULL,
    act             text        NOT NULL CONSTRAINT crossdock_events_act_known CHECK (act IN ('cancel', 'told_again', 'hold', 'place', 'unplace', 'choose', 'store')),
    note            text        NOT NULL DEFAULT '',
    from_code       text        NOT NULL DEFAULT '',
    to_code         text        NOT NULL DEFAULT '',
    issuer          text        NOT NULL,
    subject         text        NOT NULL,
    name            text        NOT NULL,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT crossdock_events_pkey PRIMARY KEY (tenant_id, event_id)
);
CREATE INDEX crossdock_events_of_cancellation ON gatehouse.crossdock_events (tenant_id, cancellation_id, at DESC);

-- How long goods may stand in a zone of the dock; an empty zone is every other one of the facility.
CREATE TABLE gatehouse.crossdock_limits (
    tenant_id   uuid        NOT NULL REFERENCES gatehouse.tenants,
    facility_id uuid        NOT NULL,
    zone_code   text        NOT NULL CONSTRAINT crossdock_limits_zone_length CHECK (length(zone_code) <= 50),
    minutes     integer     NOT NULL CONSTRAINT crossdock_limits_in_range CHECK (minutes BETWEEN 1 AND 10080),
    set_by      text        NOT NULL,
    set_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT crossdock_limits_pkey PRIMARY KEY (tenant_id, facility_id, zone_code)
);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['crossdock_errands', 'crossdock_told', 'crossdock_events', 'crossdock_limits'] LOOP
        EXECUTE format('ALTER TABLE gatehouse.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON gatehouse.%I
            USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant())', t);
        EXECUTE format('GRANT SELECT, INSERT ON gatehouse.%I TO gatehouse_app', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['crossdock_told', 'crossdock_events'] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.%1$s
            FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change()', t);
    END LOOP;
END $$;
GRANT UPDATE (why, tried_at, tries) ON gatehouse.crossdock_errands TO gatehouse_app;
GRANT UPDATE (minutes, set_by, set_at) ON gatehouse.crossdock_limits TO gatehouse_app;
