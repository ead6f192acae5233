-- title: open pages of a release are woken when it changed, and who has an item or a gate open is seen
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: the audit trail and the runs of migrations for an instant
-- undo loses: nothing; open pages ask by themselves again
-- creates: table gatehouse.run_marks
-- creates: table gatehouse.server_processes
-- creates: table gatehouse.presence
-- creates: function gatehouse.mark_release()
-- creates: function gatehouse.mark_migration()
-- creates: function gatehouse.notify_presence()
-- creates: trigger gatehouse.audit_events.audit_events_live
-- creates: trigger gatehouse.migration_runs.migration_runs_mark
-- creates: trigger gatehouse.presence.presence_live

-- How often something of a release has changed. A page compares it; what has changed it reads itself.
CREATE TABLE gatehouse.run_marks (
    tenant_id uuid   NOT NULL,
    run_id    uuid   NOT NULL,
    changes   bigint NOT NULL,
    CONSTRAINT run_marks_pkey PRIMARY KEY (tenant_id, run_id),
    CONSTRAINT run_marks_run FOREIGN KEY (tenant_id, run_id) REFERENCES gatehouse.runs
);
ALTER TABLE gatehouse.run_marks ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.run_marks
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT ON gatehouse.run_marks TO gatehouse_app;

-- Nothing is done without an entry in the trail, so the entry is what wakes: whoever adds a new act to a release need not
-- think of it. What is about a release names it first in its object; what is about the schema, a backup or a freeze
-- concerns the releases that are under way. The entry's own lock comes first, so marks are always locked after it.
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

-- A migration goes on by itself, between the entries of its beginning and its end.
CREATE FUNCTION gatehouse.mark_migration() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE gatehouse.run_marks SET changes = changes + 1 WHERE tenant_id = NEW.tenant_id AND run_id = NEW.release_id;
    PERFORM pg_notify('gatehouse_live', 'release ' || NEW.release_id);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION gatehouse.mark_migration() FROM PUBLIC;
CREATE TRIGGER migration_runs_mark AFTER UPDATE OF state ON gatehouse.migration_runs
    FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION gatehouse.mark_migration();

-- The processes that keep pages open, each heard of every few seconds: one row for a process, however many people it serves.
CREATE UNLOGGED TABLE gatehouse.server_processes (
    process_id uuid        NOT NULL CONSTRAINT server_processes_pkey PRIMARY KEY,
    heard_at   timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON gatehouse.server_processes TO gatehouse_app;

-- Who has an item or a gate open now. A row lives as long as its page; with its process it goes.
CREATE UNLOGGED TABLE gatehouse.presence (
    tenant_id  uuid        NOT NULL REFERENCES gatehouse.tenants,
    page_id    uuid        NOT NULL,
    process_id uuid        NOT NULL CONSTRAINT presence_process REFERENCES gatehouse.server_processes ON DELETE CASCADE,
    place      uuid        NOT NULL, -- made of the release and what of it is open
    issuer     text        NOT NULL,
    subject    text        NOT NULL CONSTRAINT presence_subject_filled CHECK (subject <> ''),
    name       text        NOT NULL,
    since      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT presence_pkey PRIMARY KEY (tenant_id, page_id)
);
CREATE INDEX presence_at ON gatehouse.presence (tenant_id, place);
CREATE INDEX presence_of_process ON gatehouse.presence (process_id);
ALTER TABLE gatehouse.presence ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.presence
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT, DELETE ON gatehouse.presence TO gatehouse_app;

CREATE FUNCTION gatehouse.notify_presence() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('gatehouse_live', 'presence ' || CASE TG_OP WHEN 'DELETE' THEN OLD.place ELSE NEW.place END);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION gatehouse.notify_presence() FROM PUBLIC;
CREATE TRIGGER presence_live AFTER INSERT OR DELETE ON gatehouse.presence
    FOR EACH ROW EXECUTE FUNCTION gatehouse.notify_presence();
