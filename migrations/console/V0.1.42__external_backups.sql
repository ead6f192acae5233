-- title: backups that other tools took, with evidence and their drills
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: nothing; it refuses while there is a mark or an external backup
-- creates: table gatehouse.backup_marks
-- creates: table gatehouse.external_backups
-- creates: table gatehouse.external_drills

-- Where this cluster's log stood at a moment. A dump in which the mark is found was taken of this database, after that.
CREATE TABLE gatehouse.backup_marks (
    tenant_id     uuid        NOT NULL REFERENCES gatehouse.tenants,
    mark_id       uuid        NOT NULL CONSTRAINT backup_marks_id_key UNIQUE,
    marked_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    system        text        NOT NULL,
    wal           pg_lsn      NOT NULL,
    actor_issuer  text        NOT NULL,
    actor_subject text        NOT NULL CONSTRAINT backup_marks_subject_filled CHECK (actor_subject <> ''),
    actor_name    text        NOT NULL,
    origin        text        NOT NULL,
    CONSTRAINT backup_marks_pkey PRIMARY KEY (tenant_id, mark_id)
);
CREATE INDEX backup_marks_newest ON gatehouse.backup_marks (tenant_id, marked_at DESC);

-- What a person says of a backup that another tool took. file names a dump of it in the place where backups are kept.
CREATE TABLE gatehouse.external_backups (
    tenant_id       uuid        NOT NULL REFERENCES gatehouse.tenants,
    external_id     uuid        NOT NULL CONSTRAINT external_backups_id_key UNIQUE,
    provider        text        NOT NULL CONSTRAINT external_backups_provider CHECK (btrim(provider) <> '' AND length(provider) <= 200),
    identifier      text        NOT NULL CONSTRAINT external_backups_identifier CHECK (btrim(identifier) <> '' AND length(identifier) <= 500),
    taken_at        timestamptz NOT NULL,
    covers          text        NOT NULL CONSTRAINT external_backups_covers CHECK (btrim(covers) <> '' AND length(covers) <= 1000),
    evidence        text        NOT NULL CONSTRAINT external_backups_evidence CHECK (btrim(evidence) <> '' AND length(evidence) <= 2000),
    sha256          text        NOT NULL DEFAULT '' CONSTRAINT external_backups_sha256_form CHECK (sha256 ~ '^([0-9a-f]{64})?$'),
    file            text        NOT NULL DEFAULT '' CONSTRAINT external_backups_file_form CHECK (file ~ '^([a-z0-9_][a-z0-9_.-]*)?$'),
    registered_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_issuer    text        NOT NULL,
    actor_subject   text        NOT NULL CONSTRAINT external_backups_subject_filled CHECK (actor_subject <> ''),
    actor_name      text        NOT NULL,
    auth_time       timestamptz,
    origin          text        NOT NULL,
    CONSTRAINT external_backups_pkey PRIMARY KEY (tenant_id, external_id),
    CONSTRAINT external_backups_one_of_each UNIQUE (tenant_id, provider, identifier),
    CONSTRAINT external_backups_signed_in CHECK (origin <> 'web' OR auth_time IS NOT NULL)
);
CREATE INDEX external_backups_newest ON gatehouse.external_backups (tenant_id, taken_at DESC);

-- own: Gatehouse restored the file beside the database. attested: a person says when somebody restored it, with evidence.
-- backup_id is the backup as which it counts since; NULL where it counts for nothing.
CREATE TABLE gatehouse.external_drills (
    tenant_id     uuid        NOT NULL,
    drill_id      uuid        NOT NULL,
    external_id   uuid        NOT NULL,
    kind          text        NOT NULL CONSTRAINT external_drills_kind CHECK (kind IN ('own', 'attested')),
    passed        boolean     NOT NULL,
    findings      text[]      NOT NULL,
    unproven      text        NOT NULL DEFAULT '',
    restored_at   timestamptz NOT NULL,
    took_ms       bigint      NOT NULL,
    evidence      text        NOT NULL DEFAULT '' CONSTRAINT external_drills_evidence_length CHECK (length(evidence) <= 2000),
    backup_id     uuid,
    recorded_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_issuer  text        NOT NULL,
    actor_subject text        NOT NULL CONSTRAINT external_drills_subject_filled CHECK (actor_subject <> ''),
    actor_name    text        NOT NULL,
    auth_time     timestamptz,
    origin        text        NOT NULL,
    CONSTRAINT external_drills_pkey PRIMARY KEY (tenant_id, drill_id),
    CONSTRAINT external_drills_external FOREIGN KEY (tenant_id, external_id) REFERENCES gatehouse.external_backups,
    CONSTRAINT external_drills_backup FOREIGN KEY (tenant_id, backup_id) REFERENCES gatehouse.backups,
    CONSTRAINT external_drills_counts_only_when_ours CHECK (backup_id IS NULL OR kind = 'own' AND passed AND unproven = ''),
    CONSTRAINT external_drills_attested_by_evidence CHECK (kind = 'own' OR btrim(evidence) <> '' AND passed AND (origin <> 'web' OR auth_time IS NOT NULL)),
    CONSTRAINT external_drills_passed_finds_nothing CHECK (passed = (cardinality(findings) = 0))
);
CREATE INDEX external_drills_newest ON gatehouse.external_drills (tenant_id, external_id, recorded_at DESC);
CREATE INDEX external_drills_of_backup ON gatehouse.external_drills (tenant_id, backup_id) WHERE backup_id IS NOT NULL;

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['backup_marks', 'external_backups', 'external_drills'] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.%1$s
            FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change()', t);
        EXECUTE format('ALTER TABLE gatehouse.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON gatehouse.%I
            USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant())', t);
        EXECUTE format('GRANT SELECT, INSERT ON gatehouse.%I TO gatehouse_app', t);
    END LOOP;
END $$;
