-- title: backups, drills and rehearsals that a person orders on a page
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: the record of who ordered what, with its log; it refuses while there is one
-- creates: table gatehouse.operations
-- creates: table gatehouse.operation_lines
-- creates: function gatehouse.operations_forward()
-- creates: function gatehouse.operations_unfinished()

CREATE TABLE gatehouse.operations (
    tenant_id     uuid        NOT NULL REFERENCES gatehouse.tenants,
    operation_id  uuid        NOT NULL CONSTRAINT operations_id_key UNIQUE,
    request_key   uuid        NOT NULL,
    kind          text        NOT NULL CONSTRAINT operations_kind CHECK (kind IN ('backup', 'drill', 'rehearsal')),
    subject       uuid,
    state         text        NOT NULL DEFAULT 'queued'
                  CONSTRAINT operations_state CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'interrupted')),
    actor_issuer  text        NOT NULL,
    actor_subject text        NOT NULL CONSTRAINT operations_subject_filled CHECK (actor_subject <> ''),
    actor_name    text        NOT NULL,
    actor_roles   text[]      NOT NULL,
    origin        text        NOT NULL,
    requested_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at    timestamptz,
    heard_at      timestamptz,
    finished_at   timestamptz,
    sentence      text        NOT NULL DEFAULT '',
    result        uuid,
    CONSTRAINT operations_pkey PRIMARY KEY (tenant_id, operation_id),
    -- A double press is one operation.
    CONSTRAINT operations_request_key UNIQUE (tenant_id, request_key),
    CONSTRAINT operations_work_on_a_backup FOREIGN KEY (tenant_id, subject) REFERENCES gatehouse.backups,
    CONSTRAINT operations_subject_by_kind CHECK ((kind = 'backup') = (subject IS NULL))
);
-- One at a time, whoever asks.
CREATE UNIQUE INDEX operations_one_at_a_time ON gatehouse.operations ((true)) WHERE state IN ('queued', 'running');
CREATE INDEX operations_newest ON gatehouse.operations (tenant_id, requested_at DESC);

-- An operation goes forward only. One that was called interrupted may still report how it ended.
CREATE FUNCTION gatehouse.operations_forward() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.state <> NEW.state AND NOT (
           OLD.state = 'queued' AND NEW.state IN ('running', 'interrupted')
        OR OLD.state = 'running' AND NEW.state IN ('succeeded', 'failed', 'interrupted')
        OR OLD.state = 'interrupted' AND OLD.started_at IS NOT NULL AND NEW.state IN ('succeeded', 'failed')) THEN
        RAISE EXCEPTION 'an operation does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER operations_forward BEFORE UPDATE ON gatehouse.operations
    FOR EACH ROW EXECUTE FUNCTION gatehouse.operations_forward();

ALTER TABLE gatehouse.operations ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.operations
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.operations TO gatehouse_app;
GRANT UPDATE (state, started_at, heard_at, finished_at, sentence, result) ON gatehouse.operations TO gatehouse_app;

CREATE TABLE gatehouse.operation_lines (
    tenant_id    uuid        NOT NULL,
    operation_id uuid        NOT NULL,
    seq          integer     NOT NULL CONSTRAINT operation_lines_seq_positive CHECK (seq > 0),
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    line         text        NOT NULL CONSTRAINT operation_lines_line_length CHECK (length(line) <= 2000),
    CONSTRAINT operation_lines_pkey PRIMARY KEY (tenant_id, operation_id, seq),
    CONSTRAINT operation_lines_operation FOREIGN KEY (tenant_id, operation_id) REFERENCES gatehouse.operations
);
CREATE TRIGGER operation_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.operation_lines
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.operation_lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.operation_lines
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.operation_lines TO gatehouse_app;

-- The worker looks for unfinished operations before it knows any tenant; it learns no more than where to look.
CREATE FUNCTION gatehouse.operations_unfinished()
    RETURNS TABLE (tenant_id uuid, operation_id uuid, state text, idle interval)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT o.tenant_id, o.operation_id, o.state, clock_timestamp() - coalesce(o.heard_at, o.started_at, o.requested_at)
            FROM gatehouse.operations o WHERE o.state IN ('queued', 'running') $$;
REVOKE ALL ON FUNCTION gatehouse.operations_unfinished() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.operations_unfinished() TO gatehouse_app;
