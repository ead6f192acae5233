-- title: sealed codes of two halves for signing while the identity provider is away, and how its outages were met
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: every code, and the records of outages; that codes were made and revoked stands in the audit trail
-- creates: table gatehouse.signing_codes
-- creates: table gatehouse.provider_outages
-- creates: function gatehouse.holds_half(uuid, uuid, text, text, text)

-- Made in quiet times by the owner alone (`gatehouse admin signing-code`), so that a hole in the server's own statements
-- signs nothing. Only the hashes of the halves are kept, and the application cannot even read those.
CREATE TABLE gatehouse.signing_codes (
    tenant_id      uuid        NOT NULL REFERENCES gatehouse.tenants,
    code_id        uuid        NOT NULL,
    first_sha256   text        NOT NULL CONSTRAINT signing_codes_first_form CHECK (first_sha256 ~ '^[0-9a-f]{64}$'),
    second_sha256  text        NOT NULL CONSTRAINT signing_codes_second_form CHECK (second_sha256 ~ '^[0-9a-f]{64}$'),
    first_holder   text        NOT NULL CONSTRAINT signing_codes_first_filled CHECK (btrim(first_holder) <> ''),
    first_issuer   text        NOT NULL DEFAULT '', -- and subject: empty where no person of that name was known then
    first_subject  text        NOT NULL DEFAULT '',
    second_holder  text        NOT NULL CONSTRAINT signing_codes_second_filled CHECK (btrim(second_holder) <> ''),
    second_issuer  text        NOT NULL DEFAULT '',
    second_subject text        NOT NULL DEFAULT '',
    reason         text        NOT NULL CONSTRAINT signing_codes_reason_filled CHECK (btrim(reason) <> ''),
    made_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    revoked_reason text        NOT NULL DEFAULT '',
    CONSTRAINT signing_codes_pkey PRIMARY KEY (tenant_id, code_id),
    CONSTRAINT signing_codes_halves_key UNIQUE (first_sha256, second_sha256),
    CONSTRAINT signing_codes_two_halves CHECK (first_sha256 <> second_sha256),
    CONSTRAINT signing_codes_two_people CHECK (
        lower(btrim(first_holder)) <> lower(btrim(second_holder))
        AND (first_subject = '' OR (first_issuer, first_subject) <> (second_issuer, second_subject))),
    CONSTRAINT signing_codes_length CHECK (expires_at > made_at AND expires_at <= made_at + interval '90 days 1 minute'),
    CONSTRAINT signing_codes_revoked_with_reason CHECK ((revoked_at IS NULL) = (btrim(revoked_reason) = ''))
);
ALTER TABLE gatehouse.signing_codes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.signing_codes
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT (tenant_id, code_id, first_holder, first_issuer, first_subject, second_holder, second_issuer, second_subject, reason,
              made_at, expires_at, revoked_at, revoked_reason) ON gatehouse.signing_codes TO gatehouse_app;

-- Whether that person holds a half of the code: by issuer and subject where they were known when it was made, or else by name.
CREATE FUNCTION gatehouse.holds_half(tenant uuid, code uuid, person_issuer text, person_subject text, person_name text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (
    SELECT FROM gatehouse.signing_codes c
     WHERE c.tenant_id = tenant AND c.code_id = code
       AND (CASE c.first_subject WHEN '' THEN lower(btrim(c.first_holder)) = lower(btrim(person_name))
                                 ELSE (c.first_issuer, c.first_subject) = (person_issuer, person_subject) END
         OR CASE c.second_subject WHEN '' THEN lower(btrim(c.second_holder)) = lower(btrim(person_name))
                                  ELSE (c.second_issuer, c.second_subject) = (person_issuer, person_subject) END))
$$;

-- The server's own attempts at the provider that reached nobody. A row is one outage: it goes on for as long as an attempt
-- fails within ten minutes of the one before, and ends with the first that is answered.
CREATE TABLE gatehouse.provider_outages (
    tenant_id      uuid        NOT NULL REFERENCES gatehouse.tenants,
    outage_id      uuid        NOT NULL DEFAULT gen_random_uuid(),
    provider       text        NOT NULL,
    began_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    first_failure  text        NOT NULL CONSTRAINT provider_outages_said CHECK (btrim(first_failure) <> ''),
    last_failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_failure   text        NOT NULL,
    failures       integer     NOT NULL DEFAULT 1 CONSTRAINT provider_outages_counted CHECK (failures > 0),
    ended_at       timestamptz,
    CONSTRAINT provider_outages_pkey PRIMARY KEY (tenant_id, outage_id)
);
CREATE UNIQUE INDEX provider_outages_one_at_a_time ON gatehouse.provider_outages (tenant_id) WHERE ended_at IS NULL;
ALTER TABLE gatehouse.provider_outages ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.provider_outages
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.provider_outages TO gatehouse_app;
GRANT UPDATE (last_failed_at, last_failure, failures, ended_at) ON gatehouse.provider_outages TO gatehouse_app;
