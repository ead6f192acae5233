-- title: people, sessions, machine credentials and the audit trail
-- risk: low
-- estimate: 1s
-- reversible: yes
-- undo loses: every session, person, machine credential and the whole audit trail

-- Schema gatehouse itself is made by set-up, with USAGE for gatehouse_app.

CREATE FUNCTION gatehouse.current_tenant() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.current_tenant_id', true), '')::uuid;

-- Tenants -----------------------------------------------------------------

CREATE TABLE gatehouse.tenants (
    tenant_id   uuid        NOT NULL CONSTRAINT tenants_pkey PRIMARY KEY,
    tenant_code text        NOT NULL CONSTRAINT tenants_code_key UNIQUE
                            CONSTRAINT tenants_code_form CHECK (tenant_code ~ '^[a-z0-9][a-z0-9_-]{0,49}$'),
    tenant_name text        NOT NULL CONSTRAINT tenants_name_filled CHECK (btrim(tenant_name) <> ''),
    is_operator boolean     NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX tenants_one_operator ON gatehouse.tenants (is_operator) WHERE is_operator;
COMMENT ON COLUMN gatehouse.tenants.is_operator IS 'This tenant operates the environment: only its people may change the schema.';

ALTER TABLE gatehouse.tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.tenants
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT ON gatehouse.tenants TO gatehouse_app;

-- Sign-in happens before a tenant is entered, so the code of the token's claim is looked up by a function that gives one row.
CREATE FUNCTION gatehouse.tenant_by_code(code text)
    RETURNS TABLE (tenant_id uuid, tenant_code text, tenant_name text, is_operator boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT t.tenant_id, t.tenant_code, t.tenant_name, t.is_operator FROM gatehouse.tenants t WHERE t.tenant_code = code $$;
REVOKE ALL ON FUNCTION gatehouse.tenant_by_code(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.tenant_by_code(text) TO gatehouse_app;

-- The scheduler works for every tenant in turn.
CREATE FUNCTION gatehouse.tenant_list()
    RETURNS TABLE (tenant_id uuid, tenant_code text, tenant_name text, is_operator boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT t.tenant_id, t.tenant_code, t.tenant_name, t.is_operator FROM gatehouse.tenants t ORDER BY t.tenant_code $$;
REVOKE ALL ON FUNCTION gatehouse.tenant_list() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.tenant_list() TO gatehouse_app;

-- People ------------------------------------------------------------------

CREATE TABLE gatehouse.people (
    tenant_id   uuid        NOT NULL REFERENCES gatehouse.tenants,
    person_id   uuid        NOT NULL,
    issuer      text        NOT NULL,
    subject     text        NOT NULL CONSTRAINT people_subject_filled CHECK (subject <> ''),
    name        text        NOT NULL,
    email       text        NOT NULL DEFAULT '',
    roles       text[]      NOT NULL DEFAULT '{}',
    disabled_at timestamptz,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT people_pkey PRIMARY KEY (tenant_id, person_id),
    CONSTRAINT people_id_key UNIQUE (person_id),
    -- A person is issuer and subject, never an e-mail address; and belongs to one tenant.
    CONSTRAINT people_identity_key UNIQUE (issuer, subject)
);
ALTER TABLE gatehouse.people ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.people
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT, UPDATE ON gatehouse.people TO gatehouse_app;

-- Sessions and sign-in attempts: found by a hash before any tenant is known, so they are system tables -------------

CREATE TABLE gatehouse.sessions (
    token_sha256 text        NOT NULL CONSTRAINT sessions_pkey PRIMARY KEY,
    session_id   uuid        NOT NULL DEFAULT gen_random_uuid() CONSTRAINT sessions_id_key UNIQUE,
    tenant_id    uuid,
    person_id    uuid        REFERENCES gatehouse.people (person_id) ON DELETE CASCADE,
    provider_session text    NOT NULL DEFAULT '',
    data         bytea       NOT NULL,
    ip           text        NOT NULL DEFAULT '',
    agent        text        NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL
);
CREATE INDEX sessions_person ON gatehouse.sessions (person_id);
CREATE INDEX sessions_expires ON gatehouse.sessions (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON gatehouse.sessions TO gatehouse_app;

-- A removed person's sessions end in the same transaction.
CREATE FUNCTION gatehouse.end_sessions_of_disabled_person() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM gatehouse.sessions WHERE person_id = NEW.person_id;
    RETURN NULL;
END $$;
CREATE TRIGGER people_disabled_end_sessions AFTER UPDATE OF disabled_at ON gatehouse.people
    FOR EACH ROW WHEN (NEW.disabled_at IS NOT NULL) EXECUTE FUNCTION gatehouse.end_sessions_of_disabled_person();

CREATE TABLE gatehouse.sign_in_attempts (
    state_sha256  text        NOT NULL CONSTRAINT sign_in_attempts_pkey PRIMARY KEY,
    browser_sha256 text       NOT NULL,
    nonce         text        NOT NULL,
    verifier      text        NOT NULL,
    return_to     text        NOT NULL,
    -- For a fresh sign-in: who has to come back. Anybody else is refused and the first session stays as it was.
    expect_issuer  text       NOT NULL DEFAULT '',
    expect_subject text       NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL
);
CREATE INDEX sign_in_attempts_expires ON gatehouse.sign_in_attempts (expires_at);
GRANT SELECT, INSERT, DELETE ON gatehouse.sign_in_attempts TO gatehouse_app;

-- Machine credentials: found by hash before any tenant is known ------------------------------------------------------

CREATE TABLE gatehouse.machine_credentials (
    token_sha256  text        NOT NULL CONSTRAINT machine_credentials_pkey PRIMARY KEY,
    credential_id uuid        NOT NULL DEFAULT gen_random_uuid() CONSTRAINT machine_credentials_id_key UNIQUE,
    tenant_id     uuid        NOT NULL REFERENCES gatehouse.tenants,
    name          text        NOT NULL,
    rights        text[]      NOT NULL,
    created_by    text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    revoked_at    timestamptz
);
GRANT SELECT, INSERT, DELETE ON gatehouse.machine_credentials TO gatehouse_app;
GRANT UPDATE (revoked_at) ON gatehouse.machine_credentials TO gatehouse_app;

-- The audit trail ------------------------------------------------------------------------------------------------------

CREATE TABLE gatehouse.audit_heads (
    tenant_id uuid   NOT NULL CONSTRAINT audit_heads_pkey PRIMARY KEY,
    seq       bigint NOT NULL,
    hash      bytea  NOT NULL CONSTRAINT audit_heads_hash_length CHECK (octet_length(hash) = 32)
);
ALTER TABLE gatehouse.audit_heads ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.audit_heads
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT ON gatehouse.audit_heads TO gatehouse_app;

CREATE TABLE gatehouse.audit_events (
    tenant_id   uuid        NOT NULL,
    seq         bigint      NOT NULL,
    at          timestamptz NOT NULL,
    origin      text        NOT NULL,
    issuer      text        NOT NULL,
    subject     text        NOT NULL,
    name        text        NOT NULL,
    roles       text        NOT NULL,
    ip          text        NOT NULL,
    action      text        NOT NULL CONSTRAINT audit_events_action_form CHECK (action ~ '^[a-z_]+:[a-z_]+$'),
    object_kind text        NOT NULL,
    object_id   text        NOT NULL,
    outcome     text        NOT NULL CONSTRAINT audit_events_outcome CHECK (outcome IN ('done', 'refused', 'failed')),
    reason      text        NOT NULL,
    before      jsonb,
    after       jsonb,
    prev_hash   bytea       NOT NULL,
    hash        bytea       NOT NULL,
    CONSTRAINT audit_events_pkey PRIMARY KEY (tenant_id, seq)
);
CREATE INDEX audit_events_object ON gatehouse.audit_events (tenant_id, object_kind, object_id, seq);
CREATE INDEX audit_events_subject ON gatehouse.audit_events (tenant_id, subject, seq);
CREATE INDEX audit_events_name ON gatehouse.audit_events (tenant_id, name, seq);
CREATE INDEX audit_events_action ON gatehouse.audit_events (tenant_id, action, seq);
CREATE INDEX audit_events_outcome ON gatehouse.audit_events (tenant_id, outcome, seq) WHERE outcome <> 'done';
CREATE INDEX audit_events_at ON gatehouse.audit_events (tenant_id, at);

CREATE FUNCTION gatehouse.audit_field(s text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN s IS NULL THEN 'n' ELSE octet_length(convert_to(s, 'UTF8')) || ':' || s END;

-- The same form stands in package audit as Entry.Canonical; a test holds the two against each other.
CREATE FUNCTION gatehouse.audit_canonical(e gatehouse.audit_events) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN gatehouse.audit_field('gatehouse-audit-1')
        || gatehouse.audit_field(e.tenant_id::text) || gatehouse.audit_field(e.seq::text)
        || gatehouse.audit_field(to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || gatehouse.audit_field(e.origin) || gatehouse.audit_field(e.issuer) || gatehouse.audit_field(e.subject)
        || gatehouse.audit_field(e.name) || gatehouse.audit_field(e.roles) || gatehouse.audit_field(e.ip)
        || gatehouse.audit_field(e.action) || gatehouse.audit_field(e.object_kind) || gatehouse.audit_field(e.object_id)
        || gatehouse.audit_field(e.outcome) || gatehouse.audit_field(e.reason)
        || gatehouse.audit_field(e.before::text) || gatehouse.audit_field(e.after::text)
        || gatehouse.audit_field(encode(e.prev_hash, 'hex'));

-- Numbers and chains an entry. The head row's lock puts a tenant's entries in one line; seq, at, prev_hash and hash that
-- the writer may have sent are overwritten, so nobody can insert an entry that does not continue the chain.
CREATE FUNCTION gatehouse.audit_chain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head gatehouse.audit_heads;
BEGIN
    SELECT * INTO head FROM gatehouse.audit_heads WHERE tenant_id = NEW.tenant_id FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO gatehouse.audit_heads (tenant_id, seq, hash)
        VALUES (NEW.tenant_id, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
        SELECT * INTO STRICT head FROM gatehouse.audit_heads WHERE tenant_id = NEW.tenant_id FOR UPDATE;
    END IF;
    NEW.seq := head.seq + 1;
    NEW.at := clock_timestamp();
    NEW.prev_hash := head.hash;
    NEW.hash := sha256(convert_to(gatehouse.audit_canonical(NEW), 'UTF8'));
    UPDATE gatehouse.audit_heads SET seq = NEW.seq, hash = NEW.hash WHERE tenant_id = NEW.tenant_id;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_events_chain BEFORE INSERT ON gatehouse.audit_events
    FOR EACH ROW EXECUTE FUNCTION gatehouse.audit_chain();

CREATE FUNCTION gatehouse.refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();

ALTER TABLE gatehouse.audit_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.audit_events
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.audit_events TO gatehouse_app;
