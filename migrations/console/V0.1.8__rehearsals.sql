-- title: rehearsals of the warehouse's migrations
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: every rehearsal and its report; it refuses while there is one
-- creates: table gatehouse.rehearsals
-- creates: table gatehouse.rehearsed_files
-- creates: function gatehouse.rehearsal_passed(uuid)

-- A rehearsal that was held to its end, passed or not. The report is the text that was hashed.
CREATE TABLE gatehouse.rehearsals (
    tenant_id      uuid        NOT NULL REFERENCES gatehouse.tenants,
    rehearsal_id   uuid        NOT NULL CONSTRAINT rehearsals_id_key UNIQUE,
    passed         boolean     NOT NULL,
    verdict        text        NOT NULL,
    data_kind      text        NOT NULL CONSTRAINT rehearsals_data_kind CHECK (data_kind IN ('backup', 'copy')),
    backup_id      uuid,
    data_bytes     bigint      NOT NULL,
    server_version text        NOT NULL,
    started_at     timestamptz NOT NULL,
    finished_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_issuer   text        NOT NULL,
    actor_subject  text        NOT NULL CONSTRAINT rehearsals_subject_filled CHECK (actor_subject <> ''),
    actor_name     text        NOT NULL,
    actor_roles    text        NOT NULL,
    origin         text        NOT NULL,
    report         text        NOT NULL,
    report_sha256  text        NOT NULL,
    CONSTRAINT rehearsals_pkey PRIMARY KEY (tenant_id, rehearsal_id),
    CONSTRAINT rehearsals_report_is_hashed CHECK (report_sha256 = encode(sha256(convert_to(report, 'UTF8')), 'hex')),
    CONSTRAINT rehearsals_backup_named CHECK ((data_kind = 'backup') = (backup_id IS NOT NULL)),
    CONSTRAINT rehearsals_forward CHECK (finished_at >= started_at)
);
CREATE INDEX rehearsals_newest ON gatehouse.rehearsals (tenant_id, recorded_at DESC);
CREATE TRIGGER rehearsals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.rehearsals
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();

-- One file of a rehearsal, for asking by its hash.
CREATE TABLE gatehouse.rehearsed_files (
    tenant_id    uuid    NOT NULL,
    rehearsal_id uuid    NOT NULL,
    version      text    NOT NULL,
    position     integer NOT NULL CONSTRAINT rehearsed_files_position_positive CHECK (position > 0),
    sha256       text    NOT NULL CONSTRAINT rehearsed_files_sha256_form CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    passed       boolean NOT NULL,
    up_ms        bigint  NOT NULL,
    down_ms      bigint  NOT NULL,
    CONSTRAINT rehearsed_files_pkey PRIMARY KEY (tenant_id, rehearsal_id, version),
    CONSTRAINT rehearsed_files_rehearsal FOREIGN KEY (tenant_id, rehearsal_id) REFERENCES gatehouse.rehearsals
);
CREATE INDEX rehearsed_files_sha256 ON gatehouse.rehearsed_files (tenant_id, sha256);
CREATE TRIGGER rehearsed_files_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.rehearsed_files
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();

ALTER TABLE gatehouse.rehearsals ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.rehearsals
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
ALTER TABLE gatehouse.rehearsed_files ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.rehearsed_files
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.rehearsals, gatehouse.rehearsed_files TO gatehouse_app;

-- The newest rehearsal that speaks for a release, or NULL: it passed, and every version that the release plans was
-- rehearsed in it from exactly the text that the release froze, or was in the database before it began. A rehearsal that
-- was followed by one that failed on the same text speaks for nothing.
CREATE FUNCTION gatehouse.rehearsal_passed(run uuid) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
SELECT r.rehearsal_id
  FROM gatehouse.runs u
  JOIN gatehouse.rehearsals r ON r.tenant_id = u.tenant_id AND r.passed
 WHERE u.run_id = run
   AND EXISTS (SELECT FROM gatehouse.rehearsed_files f
                 JOIN gatehouse.run_migrations m ON m.tenant_id = f.tenant_id AND m.run_id = u.run_id AND m.version = f.version AND m.sha256 = f.sha256
                WHERE f.tenant_id = r.tenant_id AND f.rehearsal_id = r.rehearsal_id)
   AND NOT EXISTS (
       SELECT FROM gatehouse.run_migrations m
        WHERE m.tenant_id = u.tenant_id AND m.run_id = u.run_id
          AND NOT EXISTS (SELECT FROM gatehouse.rehearsed_files f
                           WHERE f.tenant_id = r.tenant_id AND f.rehearsal_id = r.rehearsal_id
                             AND f.version = m.version AND f.sha256 = m.sha256 AND f.passed)
          AND NOT coalesce((SELECT h.direction <> 'down' FROM gatehouse.migration_history h
                             WHERE h.version = m.version AND h.success AND h.finished_at <= r.started_at
                             ORDER BY h.ledger_id DESC LIMIT 1), false))
   AND NOT EXISTS (
       SELECT FROM gatehouse.rehearsals later
         JOIN gatehouse.rehearsed_files f ON f.tenant_id = later.tenant_id AND f.rehearsal_id = later.rehearsal_id AND NOT f.passed
         JOIN gatehouse.run_migrations m ON m.tenant_id = f.tenant_id AND m.run_id = u.run_id AND m.version = f.version AND m.sha256 = f.sha256
        WHERE later.tenant_id = r.tenant_id AND later.recorded_at > r.recorded_at)
 ORDER BY r.recorded_at DESC
 LIMIT 1
$$;
REVOKE ALL ON FUNCTION gatehouse.rehearsal_passed(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.rehearsal_passed(uuid) TO gatehouse_app;
