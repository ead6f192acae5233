-- title: a way back in, of two sealed halves, while the identity provider lets nobody in
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: every code, used or not; that they were made and used stands in the audit trail
-- creates: table gatehouse.way_back_codes
-- creates: function gatehouse.use_way_back(text, text, text)

-- Codes are made by the owner alone (`gatehouse admin breakglass`), so that a hole in the server's own statements opens no
-- door. Only the hashes of the halves are kept; one half alone is worth nothing.
CREATE TABLE gatehouse.way_back_codes (
    tenant_id     uuid        NOT NULL REFERENCES gatehouse.tenants,
    code_id       uuid        NOT NULL,
    first_sha256  text        NOT NULL CONSTRAINT way_back_codes_first_form CHECK (first_sha256 ~ '^[0-9a-f]{64}$'),
    second_sha256 text        NOT NULL CONSTRAINT way_back_codes_second_form CHECK (second_sha256 ~ '^[0-9a-f]{64}$'),
    first_holder  text        NOT NULL CONSTRAINT way_back_codes_first_filled CHECK (btrim(first_holder) <> ''),
    second_holder text        NOT NULL CONSTRAINT way_back_codes_second_filled CHECK (btrim(second_holder) <> ''),
    reason        text        NOT NULL CONSTRAINT way_back_codes_reason_filled CHECK (btrim(reason) <> ''),
    session_seconds integer   NOT NULL CONSTRAINT way_back_codes_session CHECK (session_seconds BETWEEN 300 AND 3600),
    made_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz,
    used_ip       text        NOT NULL DEFAULT '',
    CONSTRAINT way_back_codes_pkey PRIMARY KEY (tenant_id, code_id),
    CONSTRAINT way_back_codes_halves_key UNIQUE (first_sha256, second_sha256),
    CONSTRAINT way_back_codes_two_halves CHECK (first_sha256 <> second_sha256),
    CONSTRAINT way_back_codes_two_people CHECK (lower(btrim(first_holder)) <> lower(btrim(second_holder))),
    CONSTRAINT way_back_codes_length CHECK (expires_at > made_at AND expires_at <= made_at + interval '241 minutes')
);
ALTER TABLE gatehouse.way_back_codes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.way_back_codes
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT ON gatehouse.way_back_codes TO gatehouse_app;

-- Both halves come before anybody, and so before any tenant, is known. Who holds both may learn why they open nothing.
CREATE FUNCTION gatehouse.use_way_back(one text, other text, from_ip text)
    RETURNS TABLE (outcome text, tenant_id uuid, tenant_code text, tenant_name text, is_operator boolean, code_id uuid,
                   first_holder text, second_holder text, reason text, session_seconds integer)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    code gatehouse.way_back_codes;
    said text := 'opened';
BEGIN
    SELECT * INTO code FROM gatehouse.way_back_codes c
     WHERE (c.first_sha256 = one AND c.second_sha256 = other) OR (c.first_sha256 = other AND c.second_sha256 = one)
       FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF code.used_at IS NOT NULL THEN
        said := 'used';
    ELSIF code.expires_at <= clock_timestamp() THEN
        said := 'expired';
    ELSE
        UPDATE gatehouse.way_back_codes c SET used_at = clock_timestamp(), used_ip = from_ip
         WHERE c.tenant_id = code.tenant_id AND c.code_id = code.code_id;
    END IF;
    RETURN QUERY SELECT said, t.tenant_id, t.tenant_code, t.tenant_name, t.is_operator, code.code_id,
                        code.first_holder, code.second_holder, code.reason, code.session_seconds
                   FROM gatehouse.tenants t WHERE t.tenant_id = code.tenant_id;
END $$;
REVOKE ALL ON FUNCTION gatehouse.use_way_back(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.use_way_back(text, text, text) TO gatehouse_app;
