-- title: heads of the audit trail, sealed
-- risk: low
-- estimate: 1s
-- reversible: yes
-- undo loses: every seal; it refuses while there is one
-- creates: table gatehouse.audit_seals
-- creates: function gatehouse.audit_newest_seal(uuid)

CREATE TABLE gatehouse.audit_seals (
    tenant_id uuid        NOT NULL,
    number    bigint      NOT NULL CONSTRAINT audit_seals_number_range CHECK (number >= 1),
    seq       bigint      NOT NULL CONSTRAINT audit_seals_seq_range CHECK (seq >= 1),
    hash      text        NOT NULL CONSTRAINT audit_seals_hash_form CHECK (hash ~ '^[0-9a-f]{64}$'),
    sealed_at timestamptz NOT NULL,
    previous  text        NOT NULL CONSTRAINT audit_seals_previous_form CHECK (previous ~ '^[0-9a-f]{64}$'),
    key_id    text        NOT NULL CONSTRAINT audit_seals_key_form CHECK (key_id ~ '^[0-9a-f]{64}$'),
    signature bytea       NOT NULL CONSTRAINT audit_seals_signature_length CHECK (octet_length(signature) = 64),
    CONSTRAINT audit_seals_pkey PRIMARY KEY (tenant_id, number)
);
COMMENT ON TABLE gatehouse.audit_seals IS 'Heads of the audit chains, signed by the seal key. The text that is signed stands in package audit as Seal.Canonical.';
COMMENT ON COLUMN gatehouse.audit_seals.previous IS 'The SHA-256 of the signature of the seal before; zeros for the first.';
CREATE INDEX audit_seals_seq ON gatehouse.audit_seals (tenant_id, seq);

CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.audit_seals ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.audit_seals
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.audit_seals TO gatehouse_app;

-- The newest seal is printed at the foot of every page. It is asked with the session, before the tenant is entered, so it
-- gives what is printed and nothing else.
CREATE FUNCTION gatehouse.audit_newest_seal(tenant uuid)
    RETURNS TABLE (number bigint, seq bigint, hash text, sealed_at timestamptz, previous text, key_id text, signature bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT s.number, s.seq, s.hash, s.sealed_at, s.previous, s.key_id, s.signature
  FROM gatehouse.audit_seals s
 WHERE s.tenant_id = tenant
 ORDER BY s.number DESC
 LIMIT 1
$$;
REVOKE ALL ON FUNCTION gatehouse.audit_newest_seal(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.audit_newest_seal(uuid) TO gatehouse_app;
