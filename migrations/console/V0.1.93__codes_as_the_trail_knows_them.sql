-- title: a sealed code opens only as the trail knows it, and signs at the gate that it was used for
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: signatures and glass_signatures for an instant
-- undo loses: nothing
-- creates: function gatehouse.signing_code_told(gatehouse.signing_codes)
-- changes: function gatehouse.use_signing_code(text, text, uuid, uuid, text, uuid, text, text, text)
-- changes: function gatehouse.waiting_reviews(text)
-- changes: table gatehouse.signatures
-- changes: table gatehouse.glass_signatures

-- Whether the trail has an entry that made the code as it stands, and none that revoked it. So whoever changes the table
-- alone makes no code, brings none back and hands none to others; whoever changes the trail is found by its chain. Entries
-- of before say nothing of who the holders are, nor of the halves.
CREATE FUNCTION gatehouse.signing_code_told(code gatehouse.signing_codes) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (
           SELECT FROM gatehouse.audit_events e
            WHERE e.tenant_id = code.tenant_id AND e.object_kind = 'signing_code' AND e.object_id = code.code_id::text
              AND e.action = 'signing_code:make' AND e.outcome = 'done'
              AND e.after ->> 'first_holder' = code.first_holder AND e.after ->> 'second_holder' = code.second_holder
              AND (e.after ->> 'expires_at')::timestamptz = code.expires_at
              AND coalesce(e.after ->> 'first_issuer', code.first_issuer) = code.first_issuer
              AND coalesce(e.after ->> 'first_subject', code.first_subject) = code.first_subject
              AND coalesce(e.after ->> 'second_issuer', code.second_issuer) = code.second_issuer
              AND coalesce(e.after ->> 'second_subject', code.second_subject) = code.second_subject
              AND coalesce(e.after ->> 'sealed' = encode(sha256(convert_to(code.first_sha256 || code.second_sha256, 'UTF8')), 'hex'), true))
   AND NOT EXISTS (
           SELECT FROM gatehouse.audit_events e
            WHERE e.tenant_id = code.tenant_id AND e.object_kind = 'signing_code' AND e.object_id = code.code_id::text
              AND e.action IN ('signing_code:revoke', 'signing_code:use') AND e.outcome = 'done')
$$;
REVOKE ALL ON FUNCTION gatehouse.signing_code_told(gatehouse.signing_codes) FROM PUBLIC;

-- As before, and a code of which the trail knows something else, or nothing, is not used.
CREATE OR REPLACE FUNCTION gatehouse.use_signing_code(one text, other text, signature uuid, run uuid, gate_id text, outage uuid,
                                           signer_issuer text, signer_subject text, signer_name text)
    RETURNS TABLE (outcome text, code_id uuid, first_holder text, second_holder text, review_due_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    code gatehouse.signing_codes;
    away gatehouse.provider_outages;
    said text := 'signed';
    at   timestamptz;
BEGIN
    SELECT * INTO code FROM gatehouse.signing_codes c
     WHERE c.tenant_id = gatehouse.current_tenant()
       AND ((c.first_sha256 = one AND c.second_sha256 = other) OR (c.first_sha256 = other AND c.second_sha256 = one))
       FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    at := clock_timestamp();
    SELECT * INTO away FROM gatehouse.provider_outages o
     WHERE o.tenant_id = code.tenant_id AND o.outage_id = outage AND o.ended_at IS NULL AND o.failures > 1
       AND o.last_failed_at > at - interval '1 minute'
       FOR SHARE;
    IF NOT FOUND THEN
        said := 'no_outage';
    ELSIF EXISTS (SELECT FROM gatehouse.glass_signatures u WHERE u.tenant_id = code.tenant_id AND u.code_id = code.code_id) THEN
        said := 'used';
    ELSIF code.revoked_at IS NOT NULL THEN
        said := 'revoked';
    ELSIF code.expires_at <= at THEN
        said := 'expired';
    ELSIF (lower(btrim(code.first_holder)) = lower(btrim(signer_name)) OR (code.first_issuer, code.first_subject) = (signer_issuer, signer_subject))
      AND (lower(btrim(code.second_holder)) = lower(btrim(signer_name)) OR (code.second_issuer, code.second_subject) = (signer_issuer, signer_subject)) THEN
        said := 'alone';
    ELSIF gatehouse.signing_code_told(code) IS NOT TRUE THEN
        said := 'untold';
    ELSE
        INSERT INTO gatehouse.glass_signatures (tenant_id, signature_id, code_id, run_id, gate, first_holder, second_holder,
                                                outage_id, outage_since, outage_failure, used_at, review_due_at)
        VALUES (code.tenant_id, signature, code.code_id, run, gate_id, code.first_holder, code.second_holder,
                away.outage_id, away.began_at, away.last_failure, at, at + interval '72 hours');
    END IF;
    RETURN QUERY SELECT said, code.code_id, code.first_holder, code.second_holder, at + interval '72 hours';
END $$;

-- As before, and whoever holds a half by name alone is not asked for the review either.
CREATE OR REPLACE FUNCTION gatehouse.waiting_reviews(environment_name text) RETURNS TABLE (
        kind text, id text, run_id uuid, code text, time_zone text, object text, title text, role text,
        holder_issuer text, holder_subject text, holder_name text, barred text[], ready boolean, needs text,
        state text, required boolean, checked boolean, watching boolean, round integer, due_at timestamptz, t0 timestamptz,
        started_at timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'review', 'review ' || m.signature_id, r.run_id, r.code, r.time_zone, m.signature_id::text, m.gate_name, '',
       '', '', m.name,
       ARRAY[m.issuer || ' ' || m.subject, r.started_by_issuer || ' ' || r.started_by_subject,
             m.first_issuer || ' ' || m.first_subject, m.second_issuer || ' ' || m.second_subject]
       || ARRAY(SELECT p.issuer || ' ' || p.subject FROM gatehouse.people p
                 WHERE p.tenant_id = m.tenant_id AND gatehouse.holds_half(m.tenant_id, m.code_id, p.issuer, p.subject, p.name)),
       true, '', 'open', true, false, false, 0, m.review_due_at, r.t0, m.used_at
  FROM gatehouse.runs r
  JOIN gatehouse.glass_marks m ON m.tenant_id = r.tenant_id AND m.run_id = r.run_id
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.environment = environment_name AND m.verdict IS NULL
$$;

-- The gate that a code was used for is the gate that is signed.
ALTER TABLE gatehouse.signatures ADD CONSTRAINT signatures_at_a_gate UNIQUE (tenant_id, signature_id, run_id, gate);
ALTER TABLE gatehouse.glass_signatures
    DROP CONSTRAINT glass_signatures_signature,
    ADD CONSTRAINT glass_signatures_signature FOREIGN KEY (tenant_id, signature_id, run_id, gate)
        REFERENCES gatehouse.signatures (tenant_id, signature_id, run_id, gate) DEFERRABLE INITIALLY DEFERRED;
