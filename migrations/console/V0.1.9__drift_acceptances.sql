-- title: looks at the live schema, and what was signed for
-- risk: low
-- estimate: 1s
-- reversible: yes
-- undo loses: every look for drift, every acceptance, and what was found when the warehouse was recorded
-- creates: table gatehouse.drift_checks
-- creates: table gatehouse.drift_acceptances
-- creates: table gatehouse.drift_withdrawals
-- creates: table gatehouse.warehouse_found

CREATE TABLE gatehouse.drift_checks (
    tenant_id      uuid        NOT NULL,
    check_id       uuid        NOT NULL,
    checked_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    version_number bigint      NOT NULL,
    compared       integer     NOT NULL CONSTRAINT drift_checks_compared_range CHECK (compared >= 0),
    took_ms        bigint      NOT NULL CONSTRAINT drift_checks_took_range CHECK (took_ms >= 0),
    checked_by     text        NOT NULL,
    differences    jsonb       NOT NULL CONSTRAINT drift_checks_differences_list CHECK (jsonb_typeof(differences) = 'array'),
    CONSTRAINT drift_checks_pkey PRIMARY KEY (tenant_id, check_id)
);
CREATE INDEX drift_checks_newest ON gatehouse.drift_checks (tenant_id, checked_at DESC);

CREATE TABLE gatehouse.drift_acceptances (
    tenant_id         uuid        NOT NULL,
    acceptance_id     uuid        NOT NULL,
    object            text        NOT NULL,
    difference_sha256 text        NOT NULL CONSTRAINT drift_acceptances_sha256_form CHECK (difference_sha256 ~ '^[0-9a-f]{64}$'),
    sentence          text        NOT NULL,
    issuer            text        NOT NULL,
    subject           text        NOT NULL CONSTRAINT drift_acceptances_subject_filled CHECK (subject <> ''),
    name              text        NOT NULL,
    roles             text        NOT NULL,
    auth_time         timestamptz NOT NULL,
    reason            text        NOT NULL CONSTRAINT drift_acceptances_reason_length CHECK (length(reason) BETWEEN 3 AND 2000),
    accepted_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at        timestamptz,
    CONSTRAINT drift_acceptances_pkey PRIMARY KEY (tenant_id, acceptance_id),
    CONSTRAINT drift_acceptances_fresh CHECK (auth_time > accepted_at - interval '11 minutes' AND auth_time < accepted_at + interval '1 minute'),
    CONSTRAINT drift_acceptances_expiry_later CHECK (expires_at > accepted_at)
);
COMMENT ON COLUMN gatehouse.drift_acceptances.difference_sha256 IS 'Of exactly the difference that was seen: where the object changes again, the acceptance is void.';
CREATE INDEX drift_acceptances_difference ON gatehouse.drift_acceptances (tenant_id, difference_sha256);

CREATE TABLE gatehouse.drift_withdrawals (
    tenant_id     uuid        NOT NULL,
    acceptance_id uuid        NOT NULL,
    issuer        text        NOT NULL,
    subject       text        NOT NULL,
    name          text        NOT NULL,
    reason        text        NOT NULL CONSTRAINT drift_withdrawals_reason_length CHECK (length(reason) BETWEEN 3 AND 2000),
    withdrawn_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT drift_withdrawals_pkey PRIMARY KEY (tenant_id, acceptance_id),
    CONSTRAINT drift_withdrawals_acceptance FOREIGN KEY (tenant_id, acceptance_id) REFERENCES gatehouse.drift_acceptances (tenant_id, acceptance_id)
);

-- What a warehouse held when it was recorded without being made by our files. The environment's, so it has no tenant; only
-- the owner reads and writes it.
CREATE TABLE gatehouse.warehouse_found (
    found_id       bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT warehouse_found_pkey PRIMARY KEY,
    version_number bigint      NOT NULL,
    catalog        jsonb       NOT NULL,
    catalog_sha256 text        NOT NULL,
    proof_sha256   text        NOT NULL,
    reason         text        NOT NULL,
    found_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['drift_checks', 'drift_acceptances', 'drift_withdrawals', 'warehouse_found'] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.%1$s
            FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change()', t);
        CONTINUE WHEN t = 'warehouse_found';
        EXECUTE format('ALTER TABLE gatehouse.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON gatehouse.%I
            USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant())', t);
        EXECUTE format('GRANT SELECT, INSERT ON gatehouse.%I TO gatehouse_app', t);
    END LOOP;
END $$;
