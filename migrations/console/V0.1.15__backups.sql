-- title: backups of the database, and what became of each when it was looked at
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: every record of a backup; it refuses while there is one
-- creates: table gatehouse.backups
-- creates: table gatehouse.backup_checks

-- A dump that was taken whole. The manifest is what was counted in the dump's own snapshot.
CREATE TABLE gatehouse.backups (
    tenant_id       uuid        NOT NULL REFERENCES gatehouse.tenants,
    backup_id       uuid        NOT NULL CONSTRAINT backups_id_key UNIQUE,
    name            text        NOT NULL CONSTRAINT backups_name_form CHECK (name ~ '^[a-z0-9_.-]+$'),
    bytes           bigint      NOT NULL CONSTRAINT backups_bytes_positive CHECK (bytes > 0),
    sha256          text        NOT NULL CONSTRAINT backups_sha256_form CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    taken_at        timestamptz NOT NULL,
    took_ms         bigint      NOT NULL,
    manifest        text        NOT NULL,
    manifest_sha256 text        NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_issuer    text        NOT NULL,
    actor_subject   text        NOT NULL CONSTRAINT backups_subject_filled CHECK (actor_subject <> ''),
    actor_name      text        NOT NULL,
    origin          text        NOT NULL,
    CONSTRAINT backups_pkey PRIMARY KEY (tenant_id, backup_id),
    CONSTRAINT backups_manifest_is_hashed CHECK (manifest_sha256 = encode(sha256(convert_to(manifest, 'UTF8')), 'hex'))
);
CREATE INDEX backups_newest ON gatehouse.backups (tenant_id, taken_at DESC);
CREATE TRIGGER backups_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.backups
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();

-- What was done with a backup: verify reads the file again, drill restores it, prune removes the file. All stay, passed or not.
CREATE TABLE gatehouse.backup_checks (
    tenant_id     uuid        NOT NULL,
    check_id      uuid        NOT NULL,
    backup_id     uuid        NOT NULL,
    kind          text        NOT NULL CONSTRAINT backup_checks_kind CHECK (kind IN ('verify', 'drill', 'prune')),
    passed        boolean     NOT NULL,
    findings      text[]      NOT NULL,
    took_ms       bigint      NOT NULL,
    recorded_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_issuer  text        NOT NULL,
    actor_subject text        NOT NULL CONSTRAINT backup_checks_subject_filled CHECK (actor_subject <> ''),
    actor_name    text        NOT NULL,
    origin        text        NOT NULL,
    CONSTRAINT backup_checks_pkey PRIMARY KEY (tenant_id, check_id),
    CONSTRAINT backup_checks_backup FOREIGN KEY (tenant_id, backup_id) REFERENCES gatehouse.backups,
    CONSTRAINT backup_checks_passed_finds_nothing CHECK (passed = (cardinality(findings) = 0))
);
CREATE INDEX backup_checks_newest ON gatehouse.backup_checks (tenant_id, backup_id, recorded_at DESC);
CREATE TRIGGER backup_checks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.backup_checks
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();

ALTER TABLE gatehouse.backups ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.backups
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
ALTER TABLE gatehouse.backup_checks ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.backup_checks
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.backups, gatehouse.backup_checks TO gatehouse_app;
