-- title: a restore of the warehouse, asked for by one person and agreed to by another
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: the ledger and orders of work wait for a moment
-- undo loses: nothing; it refuses while somebody has asked for a restore or the ledger holds one
-- creates: table gatehouse.restore_looks
-- creates: table gatehouse.restore_requests
-- creates: table gatehouse.restore_agreements
-- creates: table gatehouse.restore_withdrawals
-- creates: table gatehouse.restore_safeties
-- creates: table gatehouse.restore_outcomes
-- creates: function gatehouse.restore_state(uuid, uuid)
-- creates: function gatehouse.restore_running(uuid)
-- changes: function gatehouse.rehearsal_passed(uuid)
-- changes: table gatehouse.migration_ledger

-- What a restore took out of the database stands in the ledger as its own direction: no undo file ran. What a restore
-- brought back is a baseline: it was found there, and recorded.
ALTER TABLE gatehouse.migration_ledger
    DROP CONSTRAINT migration_ledger_direction,
    ADD CONSTRAINT migration_ledger_direction CHECK (direction IN ('up', 'down', 'baseline', 'restore'));

-- One request is carried out once at most, by whichever door.
ALTER TABLE gatehouse.operations
    ADD CONSTRAINT operations_restore CHECK (kind <> 'restore' OR subject IS NOT NULL AND argument ~ '^[0-9a-f-]{36}$');
CREATE UNIQUE INDEX operations_one_restore_a_request ON gatehouse.operations (tenant_id, argument) WHERE kind = 'restore';

-- All that must not move between the moment in which a restore is shown and the one in which it begins: the database, the
-- file, and every entry of the ledger. NULL where the backup may not be restored: its newest drill did not pass, something
-- was found since, or its file was removed. The tenant is a parameter because the migrator asks, too, as the owner.
CREATE FUNCTION gatehouse.restore_state(tenant uuid, backup uuid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT gatehouse.audit_field('gatehouse-restore-1') || gatehouse.audit_field(current_database()) || gatehouse.audit_field(b.backup_id::text)
       || gatehouse.audit_field(b.name) || gatehouse.audit_field(b.sha256) || gatehouse.audit_field(b.manifest_sha256)
       || gatehouse.audit_field((SELECT max(h.ledger_id)::text FROM gatehouse.migration_history h))
       || gatehouse.audit_field((SELECT s.version || ' ' || s.dirty FROM gatehouse.migration_state s WHERE s.set_name = 'wms'))
  FROM gatehouse.backups b
 WHERE b.tenant_id = tenant AND b.backup_id = backup
   AND (SELECT c.passed FROM gatehouse.backup_checks c
         WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind = 'drill' ORDER BY c.recorded_at DESC LIMIT 1)
   AND NOT EXISTS (
       SELECT FROM gatehouse.backup_checks c
        WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id
          AND (c.kind = 'prune' OR c.kind = 'verify' AND NOT c.passed AND c.recorded_at > (
               SELECT max(d.recorded_at) FROM gatehouse.backup_checks d
                WHERE d.tenant_id = b.tenant_id AND d.backup_id = b.backup_id AND d.kind = 'drill' AND d.passed)))
$$;
REVOKE ALL ON FUNCTION gatehouse.restore_state(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.restore_state(uuid, uuid) TO gatehouse_app;

-- What a restore would do, as it was counted and shown once.
CREATE TABLE gatehouse.restore_looks (
    tenant_id    uuid        NOT NULL REFERENCES gatehouse.tenants,
    look_id      uuid        NOT NULL,
    backup_id    uuid        NOT NULL,
    looked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    looked_by    text        NOT NULL,
    result       text        NOT NULL,
    state_sha256 text        NOT NULL CONSTRAINT restore_looks_sha256_form CHECK (state_sha256 ~ '^[0-9a-f]{64}$'),
    CONSTRAINT restore_looks_pkey PRIMARY KEY (tenant_id, look_id),
    CONSTRAINT restore_looks_of_backup_key UNIQUE (tenant_id, look_id, backup_id),
    CONSTRAINT restore_looks_backup FOREIGN KEY (tenant_id, backup_id) REFERENCES gatehouse.backups
);
CREATE INDEX restore_looks_newest ON gatehouse.restore_looks (tenant_id, backup_id, looked_at DESC);

-- What one person asks for. It does nothing until a second person has agreed to exactly this content.
CREATE TABLE gatehouse.restore_requests (
    tenant_id      uuid        NOT NULL,
    request_id     uuid        NOT NULL,
    backup_id      uuid        NOT NULL,
    look_id        uuid        NOT NULL,
    content        text        NOT NULL,
    content_sha256 text        NOT NULL,
    state_sha256   text        NOT NULL,
    reason         text        NOT NULL CONSTRAINT restore_requests_reason CHECK (btrim(reason) <> '' AND length(reason) <= 2000),
    issuer         text        NOT NULL,
    subject        text        NOT NULL CONSTRAINT restore_requests_subject_filled CHECK (subject <> ''),
    name           text        NOT NULL,
    auth_time      timestamptz NOT NULL,
    asked_at       timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    CONSTRAINT restore_requests_pkey PRIMARY KEY (tenant_id, request_id),
    CONSTRAINT restore_requests_asker_key UNIQUE (tenant_id, request_id, issuer, subject),
    CONSTRAINT restore_requests_look FOREIGN KEY (tenant_id, look_id, backup_id) REFERENCES gatehouse.restore_looks (tenant_id, look_id, backup_id),
    CONSTRAINT restore_requests_hashed CHECK (content_sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')),
    CONSTRAINT restore_requests_fresh CHECK (auth_time BETWEEN asked_at - interval '5 minutes' AND asked_at + interval '60 seconds'),
    CONSTRAINT restore_requests_length CHECK (expires_at > asked_at AND expires_at <= asked_at + interval '1 hour')
);
CREATE INDEX restore_requests_newest ON gatehouse.restore_requests (tenant_id, backup_id, asked_at DESC);

-- The second person. Who asked stands here once more, so that the table itself can refuse that they are one.
CREATE TABLE gatehouse.restore_agreements (
    tenant_id      uuid        NOT NULL,
    request_id     uuid        NOT NULL,
    content_sha256 text        NOT NULL,
    asked_issuer   text        NOT NULL,
    asked_subject  text        NOT NULL,
    issuer         text        NOT NULL,
    subject        text        NOT NULL CONSTRAINT restore_agreements_subject_filled CHECK (subject <> ''),
    name           text        NOT NULL,
    auth_time      timestamptz NOT NULL,
    agreed_at      timestamptz NOT NULL,
    CONSTRAINT restore_agreements_pkey PRIMARY KEY (tenant_id, request_id),
    CONSTRAINT restore_agreements_asked FOREIGN KEY (tenant_id, request_id, asked_issuer, asked_subject)
        REFERENCES gatehouse.restore_requests (tenant_id, request_id, issuer, subject),
    CONSTRAINT restore_agreements_two_people CHECK ((issuer, subject) IS DISTINCT FROM (asked_issuer, asked_subject)),
    CONSTRAINT restore_agreements_fresh CHECK (auth_time BETWEEN agreed_at - interval '5 minutes' AND agreed_at + interval '60 seconds')
);

CREATE TABLE gatehouse.restore_withdrawals (
    tenant_id    uuid        NOT NULL,
    request_id   uuid        NOT NULL,
    issuer       text        NOT NULL,
    subject      text        NOT NULL CONSTRAINT restore_withdrawals_subject_filled CHECK (subject <> ''),
    name         text        NOT NULL,
    withdrawn_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT restore_withdrawals_pkey PRIMARY KEY (tenant_id, request_id),
    CONSTRAINT restore_withdrawals_request FOREIGN KEY (tenant_id, request_id) REFERENCES gatehouse.restore_requests
);

-- The dump that was taken before a restore began to change anything. Its file is kept until a time, however many are newer.
CREATE TABLE gatehouse.restore_safeties (
    tenant_id  uuid        NOT NULL,
    backup_id  uuid        NOT NULL,
    request_id uuid        NOT NULL,
    kept_until timestamptz NOT NULL,
    CONSTRAINT restore_safeties_pkey PRIMARY KEY (tenant_id, backup_id),
    CONSTRAINT restore_safeties_backup FOREIGN KEY (tenant_id, backup_id) REFERENCES gatehouse.backups,
    CONSTRAINT restore_safeties_request FOREIGN KEY (tenant_id, request_id) REFERENCES gatehouse.restore_requests
);

-- Written by the owner in the restore's own transaction: where this row stands, the restore is there, and nowhere else.
CREATE TABLE gatehouse.restore_outcomes (
    tenant_id    uuid        NOT NULL,
    request_id   uuid        NOT NULL,
    operation_id uuid        NOT NULL,
    safety_id    uuid        NOT NULL,
    sentence     text        NOT NULL,
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT restore_outcomes_pkey PRIMARY KEY (tenant_id, request_id),
    CONSTRAINT restore_outcomes_request FOREIGN KEY (tenant_id, request_id) REFERENCES gatehouse.restore_requests,
    CONSTRAINT restore_outcomes_operation FOREIGN KEY (tenant_id, operation_id) REFERENCES gatehouse.operations,
    CONSTRAINT restore_outcomes_safety FOREIGN KEY (tenant_id, safety_id) REFERENCES gatehouse.restore_safeties
);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['restore_looks', 'restore_requests', 'restore_agreements', 'restore_withdrawals', 'restore_safeties', 'restore_outcomes'] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.%1$s
            FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change()', t);
        EXECUTE format('ALTER TABLE gatehouse.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON gatehouse.%I
            USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant())', t);
        EXECUTE format('GRANT SELECT ON gatehouse.%I TO gatehouse_app', t);
    END LOOP;
END $$;
GRANT INSERT ON gatehouse.restore_looks, gatehouse.restore_requests, gatehouse.restore_agreements, gatehouse.restore_withdrawals,
                gatehouse.restore_safeties TO gatehouse_app;

-- Whether the connection of a restore is still there: until it is gone, nobody can say that it was not committed.
CREATE FUNCTION gatehouse.restore_running(operation uuid) RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT EXISTS (SELECT FROM pg_stat_activity a WHERE a.application_name = 'gatehouse-migrator ' || operation) $$;
REVOKE ALL ON FUNCTION gatehouse.restore_running(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.restore_running(uuid) TO gatehouse_app;

-- As before, but that a version which a restore took out is not in the database either.
CREATE OR REPLACE FUNCTION gatehouse.rehearsal_passed(run uuid) RETURNS uuid
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
          AND NOT coalesce((SELECT h.direction NOT IN ('down', 'restore') FROM gatehouse.migration_history h
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
