-- title: the command line changes the schema with a one-time token of a signed gate
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: every token, used or not, and which run used it
-- creates: table gatehouse.apply_tokens
-- creates: table gatehouse.apply_token_ends

-- A token is good for one step of one release, of exactly these files, as the gate's content stood. Only its hash is kept.
CREATE TABLE gatehouse.apply_tokens (
    tenant_id      uuid        NOT NULL,
    token_id       uuid        NOT NULL,
    token_sha256   text        NOT NULL CONSTRAINT apply_tokens_token_form CHECK (token_sha256 ~ '^[0-9a-f]{64}$'),
    run_id         uuid        NOT NULL,
    version        text        NOT NULL,
    direction      text        NOT NULL CONSTRAINT apply_tokens_direction CHECK (direction IN ('up', 'down')),
    sha256         text        NOT NULL CONSTRAINT apply_tokens_sha256_form CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    content_sha256 text        NOT NULL CONSTRAINT apply_tokens_content_form CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
    issuer         text        NOT NULL,
    subject        text        NOT NULL CONSTRAINT apply_tokens_subject_filled CHECK (subject <> ''),
    name           text        NOT NULL,
    made_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at     timestamptz NOT NULL,
    CONSTRAINT apply_tokens_pkey PRIMARY KEY (tenant_id, token_id),
    CONSTRAINT apply_tokens_token_key UNIQUE (token_sha256),
    CONSTRAINT apply_tokens_migration FOREIGN KEY (tenant_id, run_id, version) REFERENCES gatehouse.run_migrations,
    CONSTRAINT apply_tokens_length CHECK (expires_at > made_at AND expires_at <= made_at + interval '61 minutes')
);
CREATE INDEX apply_tokens_newest ON gatehouse.apply_tokens (tenant_id, run_id, made_at DESC);
CREATE TRIGGER apply_tokens_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.apply_tokens
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.apply_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.apply_tokens
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.apply_tokens TO gatehouse_app;

-- A token ends once: with the run that used it, or revoked, and then there is no run. The key is what makes it one-time.
CREATE TABLE gatehouse.apply_token_ends (
    tenant_id uuid        NOT NULL,
    token_id  uuid        NOT NULL,
    used_by   uuid, -- of gatehouse.migration_runs
    issuer    text        NOT NULL,
    subject   text        NOT NULL,
    name      text        NOT NULL,
    ended_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT apply_token_ends_pkey PRIMARY KEY (tenant_id, token_id),
    CONSTRAINT apply_token_ends_token FOREIGN KEY (tenant_id, token_id) REFERENCES gatehouse.apply_tokens
);
CREATE TRIGGER apply_token_ends_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.apply_token_ends
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.apply_token_ends ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.apply_token_ends
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.apply_token_ends TO gatehouse_app;
