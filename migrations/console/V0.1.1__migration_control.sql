-- title: the ledger of the warehouse schema, and the runs that change it
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: the runs and their logs; it refuses while the ledger holds an entry
-- creates: table gatehouse.migration_ledger
-- creates: view gatehouse.migration_history
-- creates: view public.schema_version
-- creates: table gatehouse.migration_runs
-- creates: table gatehouse.migration_run_lines
-- creates: function gatehouse.migration_runs_forward()
-- creates: function gatehouse.migration_runs_unfinished()
--
-- gatehouse.console_ledger and gatehouse.migration_state are the migrator's own and older than this file.

CREATE TRIGGER console_ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.console_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();

-- The ledger: one row for every try. It belongs to the environment, not to a tenant; tenant_id is whose person acted.
CREATE TABLE gatehouse.migration_ledger (
    ledger_id      bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT migration_ledger_pkey PRIMARY KEY,
    version        text        NOT NULL,
    version_number bigint      NOT NULL,
    description    text        NOT NULL,
    script         text        NOT NULL,
    direction      text        NOT NULL CONSTRAINT migration_ledger_direction CHECK (direction IN ('up', 'down', 'baseline')),
    success        boolean     NOT NULL,
    sha256         text        NOT NULL,
    sha256_tokens  text        NOT NULL,
    tenant_id      uuid        NOT NULL,
    actor_issuer   text        NOT NULL,
    actor_subject  text        NOT NULL,
    actor_name     text        NOT NULL,
    actor_roles    text        NOT NULL,
    origin         text        NOT NULL,
    release_id     uuid,
    run_id         uuid,
    started_at     timestamptz NOT NULL,
    finished_at    timestamptz NOT NULL,
    duration_ms    bigint      NOT NULL,
    server_version text        NOT NULL,
    sqlstate       text,
    error          text,
    notices        text        NOT NULL DEFAULT '',
    CONSTRAINT migration_ledger_error_where_failed CHECK (success = (error IS NULL))
);
CREATE INDEX migration_ledger_version ON gatehouse.migration_ledger (version_number, success, ledger_id DESC);
-- One run takes effect once.
CREATE UNIQUE INDEX migration_ledger_run ON gatehouse.migration_ledger (run_id) WHERE run_id IS NOT NULL;
CREATE TRIGGER migration_ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.migration_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();

-- What the application may read of it. Everybody sees what happened to the schema; who did it, and what the server said
-- (which may name rows), only the tenant whose person it was.
CREATE VIEW gatehouse.migration_history WITH (security_barrier) AS
SELECT l.ledger_id, l.version, l.version_number, l.description, l.script, l.direction, l.success, l.sha256, l.sha256_tokens,
       CASE WHEN m.mine THEN l.tenant_id END AS tenant_id,
       CASE WHEN m.mine THEN l.actor_issuer ELSE '' END AS actor_issuer,
       CASE WHEN m.mine THEN l.actor_subject ELSE '' END AS actor_subject,
       CASE WHEN m.mine THEN l.actor_name ELSE 'another organisation' END AS actor_name,
       CASE WHEN m.mine THEN l.actor_roles ELSE '' END AS actor_roles,
       CASE WHEN m.mine THEN l.origin ELSE '' END AS origin,
       CASE WHEN m.mine THEN l.release_id END AS release_id,
       CASE WHEN m.mine THEN l.run_id END AS run_id,
       l.started_at, l.finished_at, l.duration_ms, l.server_version, l.sqlstate,
       CASE WHEN m.mine THEN l.error WHEN l.error IS NOT NULL THEN 'shown to the organisation that operates this environment' END AS error,
       CASE WHEN m.mine THEN l.notices ELSE '' END AS notices
  FROM gatehouse.migration_ledger l
 CROSS JOIN LATERAL (
       -- Set-up acts for no tenant, and its name is nobody's.
       SELECT l.tenant_id = '00000000-0000-0000-0000-000000000000' OR l.tenant_id = gatehouse.current_tenant() IS TRUE AS mine
       ) m;
GRANT SELECT ON gatehouse.migration_history, gatehouse.migration_state TO gatehouse_app;

-- As the requirement's own query reads it: one row a version, as it stands. A version that was taken back has none; one
-- whose last try failed shows success = false until a try succeeds; one that could not be taken back is still applied.
CREATE VIEW public.schema_version WITH (security_barrier) AS
WITH newest AS (
    SELECT DISTINCT ON (version_number) ledger_id, version_number, direction, success
      FROM gatehouse.migration_history
     ORDER BY version_number, ledger_id DESC
), effect AS (
    SELECT DISTINCT ON (version_number) ledger_id, version_number, direction
      FROM gatehouse.migration_history
     WHERE success
     ORDER BY version_number, ledger_id DESC
)
SELECT h.ledger_id AS installed_rank, h.version, h.description, h.script, h.sha256 AS checksum,
       h.actor_name AS installed_by, h.finished_at AS installed_on, h.duration_ms AS execution_time_ms, h.success
  FROM newest n
  LEFT JOIN effect e USING (version_number)
  JOIN gatehouse.migration_history h
    ON h.ledger_id = CASE WHEN e.direction IN ('up', 'baseline') THEN e.ledger_id
                          WHEN NOT n.success THEN n.ledger_id END;
GRANT SELECT ON public.schema_version TO gatehouse_app;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'wms_application_role') THEN
        GRANT SELECT ON public.schema_version TO wms_application_role;
    END IF;
END $$;

-- Runs: one press of the button, and what came of it. release_id names a row of gatehouse.runs, which a later file makes.
CREATE TABLE gatehouse.migration_runs (
    tenant_id       uuid        NOT NULL REFERENCES gatehouse.tenants,
    run_id          uuid        NOT NULL CONSTRAINT migration_runs_id_key UNIQUE,
    request_key     uuid        NOT NULL,
    release_id      uuid        NOT NULL,
    version         text        NOT NULL,
    version_number  bigint      NOT NULL,
    direction       text        NOT NULL CONSTRAINT migration_runs_direction CHECK (direction IN ('up', 'down')),
    sha256          text        NOT NULL CONSTRAINT migration_runs_sha256_form CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    state           text        NOT NULL DEFAULT 'queued'
                    CONSTRAINT migration_runs_state CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'interrupted')),
    actor_issuer    text        NOT NULL,
    actor_subject   text        NOT NULL CONSTRAINT migration_runs_subject_filled CHECK (actor_subject <> ''),
    actor_name      text        NOT NULL,
    actor_roles     text        NOT NULL,
    origin          text        NOT NULL,
    reason          text        NOT NULL DEFAULT '' CONSTRAINT migration_runs_reason_length CHECK (length(reason) <= 2000),
    requested_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at      timestamptz,
    finished_at     timestamptz,
    duration_ms     bigint,
    error           text,
    sqlstate        text,
    resolution      text        NOT NULL DEFAULT '',
    acknowledged_by text,
    acknowledged_subject text,
    acknowledged_at timestamptz,
    acknowledged_note text      NOT NULL DEFAULT '' CONSTRAINT migration_runs_note_length CHECK (length(acknowledged_note) <= 2000),
    CONSTRAINT migration_runs_reason_to_undo CHECK (direction = 'up' OR btrim(reason) <> ''),
    CONSTRAINT migration_runs_pkey PRIMARY KEY (tenant_id, run_id),
    -- A double press is one run.
    CONSTRAINT migration_runs_request_key UNIQUE (tenant_id, request_key)
);
-- One at a time, whoever asks and through whichever door.
CREATE UNIQUE INDEX migration_runs_one_at_a_time ON gatehouse.migration_runs ((true)) WHERE state IN ('queued', 'running');
CREATE INDEX migration_runs_newest ON gatehouse.migration_runs (tenant_id, requested_at DESC);
CREATE INDEX migration_runs_version ON gatehouse.migration_runs (tenant_id, version_number, requested_at DESC);
CREATE INDEX migration_runs_waiting ON gatehouse.migration_runs (tenant_id) WHERE state = 'interrupted' AND acknowledged_at IS NULL;

-- A run goes forward only, and what it was asked to do never changes.
CREATE FUNCTION gatehouse.migration_runs_forward() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.state <> NEW.state AND NOT (
           OLD.state = 'queued' AND NEW.state IN ('running', 'failed', 'interrupted')
        OR OLD.state = 'running' AND NEW.state IN ('succeeded', 'failed', 'interrupted')) THEN
        RAISE EXCEPTION 'a migration run does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.acknowledged_at IS NOT NULL AND NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at THEN
        RAISE EXCEPTION 'a migration run is acknowledged once' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER migration_runs_forward BEFORE UPDATE ON gatehouse.migration_runs
    FOR EACH ROW EXECUTE FUNCTION gatehouse.migration_runs_forward();

ALTER TABLE gatehouse.migration_runs ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.migration_runs
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.migration_runs TO gatehouse_app;
GRANT UPDATE (state, started_at, finished_at, duration_ms, error, sqlstate, resolution,
              acknowledged_by, acknowledged_subject, acknowledged_at, acknowledged_note) ON gatehouse.migration_runs TO gatehouse_app;

-- The worker looks for unfinished runs before it knows any tenant; it learns no more than where to look.
CREATE FUNCTION gatehouse.migration_runs_unfinished()
    RETURNS TABLE (tenant_id uuid, run_id uuid, state text, idle interval)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT r.tenant_id, r.run_id, r.state, clock_timestamp() - coalesce(r.started_at, r.requested_at)
            FROM gatehouse.migration_runs r WHERE r.state IN ('queued', 'running') $$;
REVOKE ALL ON FUNCTION gatehouse.migration_runs_unfinished() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.migration_runs_unfinished() TO gatehouse_app;

CREATE TABLE gatehouse.migration_run_lines (
    tenant_id uuid        NOT NULL,
    run_id    uuid        NOT NULL,
    seq       integer     NOT NULL CONSTRAINT migration_run_lines_seq_positive CHECK (seq > 0),
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    line      text        NOT NULL CONSTRAINT migration_run_lines_line_length CHECK (length(line) <= 4000),
    CONSTRAINT migration_run_lines_pkey PRIMARY KEY (tenant_id, run_id, seq),
    CONSTRAINT migration_run_lines_run FOREIGN KEY (tenant_id, run_id) REFERENCES gatehouse.migration_runs
);
CREATE TRIGGER migration_run_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.migration_run_lines
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.migration_run_lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.migration_run_lines
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.migration_run_lines TO gatehouse_app;
