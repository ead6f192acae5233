-- title: a signature by break-glass, flagged, and reviewed by another person within 72 hours
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: signatures for an instant
-- undo loses: nothing while nobody has signed by break-glass; it refuses where somebody has
-- changes: table gatehouse.signatures
-- creates: table gatehouse.glass_signatures
-- creates: table gatehouse.glass_reviews
-- creates: view gatehouse.glass_marks
-- creates: trigger gatehouse.glass_reviews.glass_reviews_of_living_sessions
-- creates: function gatehouse.use_signing_code(text, text, uuid, uuid, text, uuid, text, text, text)
-- creates: function gatehouse.glass_holds_up(uuid, text)
-- creates: function gatehouse.glass_blockers(uuid, text)
-- creates: function gatehouse.gate_filled(uuid, text)
-- creates: function gatehouse.gate_hindrances(uuid, text)
-- changes: function gatehouse.gate_passed(uuid, text)
-- changes: function gatehouse.gate_overdue(uuid, text)
-- changes: function gatehouse.gate_blockers(uuid, text)

-- That a signature was given by break-glass: the code that was used up, whose halves they were, and the outage as it was then.
-- Rows come from use_signing_code alone, and none stays without its signature.
CREATE TABLE gatehouse.glass_signatures (
    tenant_id      uuid        NOT NULL,
    signature_id   uuid        NOT NULL,
    code_id        uuid        NOT NULL,
    run_id         uuid        NOT NULL,
    gate           text        NOT NULL,
    first_holder   text        NOT NULL,
    second_holder  text        NOT NULL,
    outage_id      uuid        NOT NULL,
    outage_since   timestamptz NOT NULL,
    outage_failure text        NOT NULL,
    used_at        timestamptz NOT NULL,
    review_due_at  timestamptz NOT NULL,
    CONSTRAINT glass_signatures_pkey PRIMARY KEY (tenant_id, signature_id),
    CONSTRAINT glass_signatures_once UNIQUE (tenant_id, code_id),
    CONSTRAINT glass_signatures_code_of_signature UNIQUE (tenant_id, signature_id, code_id),
    CONSTRAINT glass_signatures_code FOREIGN KEY (tenant_id, code_id) REFERENCES gatehouse.signing_codes,
    CONSTRAINT glass_signatures_outage FOREIGN KEY (tenant_id, outage_id) REFERENCES gatehouse.provider_outages,
    CONSTRAINT glass_signatures_gate FOREIGN KEY (tenant_id, run_id, gate) REFERENCES gatehouse.run_gates,
    CONSTRAINT glass_signatures_signature FOREIGN KEY (tenant_id, signature_id) REFERENCES gatehouse.signatures DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT glass_signatures_reviewed_in_time CHECK (review_due_at = used_at + interval '72 hours')
);
CREATE INDEX glass_signatures_of_run ON gatehouse.glass_signatures (tenant_id, run_id);
CREATE TRIGGER glass_signatures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.glass_signatures
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.glass_signatures ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.glass_signatures
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT ON gatehouse.glass_signatures TO gatehouse_app;

-- A signature rests on a fresh sign-in, or on a code that was used up for this very one.
ALTER TABLE gatehouse.signatures ADD COLUMN glass_code_id uuid;
ALTER TABLE gatehouse.signatures
    ADD CONSTRAINT signatures_glass FOREIGN KEY (tenant_id, signature_id, glass_code_id)
        REFERENCES gatehouse.glass_signatures (tenant_id, signature_id, code_id),
    DROP CONSTRAINT signatures_fresh,
    ADD CONSTRAINT signatures_fresh CHECK (auth_time <= signed_at + interval '60 seconds'
        AND (glass_code_id IS NOT NULL OR auth_time >= signed_at - interval '5 minutes'));

-- What another person made of it. A signature that is refused is taken back in the same statement.
CREATE TABLE gatehouse.glass_reviews (
    tenant_id       uuid        NOT NULL,
    signature_id    uuid        NOT NULL,
    verdict         text        NOT NULL CONSTRAINT glass_reviews_verdict CHECK (verdict IN ('upheld', 'refused')),
    reason          text        NOT NULL CONSTRAINT glass_reviews_reason CHECK (length(reason) <= 2000 AND (verdict = 'upheld' OR length(btrim(reason)) >= 3)),
    issuer          text        NOT NULL,
    subject         text        NOT NULL CONSTRAINT glass_reviews_subject_filled CHECK (subject <> ''),
    name            text        NOT NULL,
    auth_time       timestamptz NOT NULL,
    acr             text        NOT NULL,
    origin          text        NOT NULL,
    ip              text        NOT NULL,
    session         text        NOT NULL,
    reviewed_at     timestamptz NOT NULL,
    idempotency_key uuid        NOT NULL,
    CONSTRAINT glass_reviews_pkey PRIMARY KEY (tenant_id, signature_id),
    CONSTRAINT glass_reviews_idempotency_key UNIQUE (tenant_id, idempotency_key),
    CONSTRAINT glass_reviews_signature FOREIGN KEY (tenant_id, signature_id) REFERENCES gatehouse.glass_signatures,
    CONSTRAINT glass_reviews_fresh CHECK (auth_time BETWEEN reviewed_at - interval '5 minutes' AND reviewed_at + interval '60 seconds')
);
CREATE TRIGGER glass_reviews_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.glass_reviews
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
CREATE TRIGGER glass_reviews_of_living_sessions BEFORE INSERT ON gatehouse.glass_reviews
    FOR EACH ROW WHEN (NEW.session ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$')
    EXECUTE FUNCTION gatehouse.refuse_ended_session();
ALTER TABLE gatehouse.glass_reviews ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.glass_reviews
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.glass_reviews TO gatehouse_app;

-- Everything about it in one row.
CREATE VIEW gatehouse.glass_marks WITH (security_invoker = true) AS
SELECT u.tenant_id, u.signature_id, u.run_id, u.gate, g.name AS gate_name, s.name, s.issuer, s.subject, s.role, s.auth_time, u.code_id,
       u.first_holder, c.first_issuer, c.first_subject, u.second_holder, c.second_issuer, c.second_subject,
       u.outage_id, u.outage_since, u.outage_failure, u.used_at, u.review_due_at, v.verdict, v.reason AS review_reason, v.name AS reviewer,
       v.issuer AS reviewer_issuer, v.subject AS reviewer_subject, v.reviewed_at, v.idempotency_key AS review_key
  FROM gatehouse.glass_signatures u
  JOIN gatehouse.signatures s ON s.tenant_id = u.tenant_id AND s.signature_id = u.signature_id
  JOIN gatehouse.signing_codes c ON c.tenant_id = u.tenant_id AND c.code_id = u.code_id
  JOIN gatehouse.run_gates g ON g.tenant_id = u.tenant_id AND g.run_id = u.run_id AND g.gate = u.gate
  LEFT JOIN gatehouse.glass_reviews v ON v.tenant_id = u.tenant_id AND v.signature_id = u.signature_id;
GRANT SELECT ON gatehouse.glass_marks TO gatehouse_app;

-- Uses a code up for the signature that the same transaction then gives; without one it does not commit. It looks at the
-- halves, the code and the outage: at least two attempts reached nobody, the last of them within this minute. It runs with the
-- owner's rights, so that the application writes no such row by itself, and so it asks for the tenant expressly.
CREATE FUNCTION gatehouse.use_signing_code(one text, other text, signature uuid, run uuid, gate_id text, outage uuid,
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
    ELSE
        INSERT INTO gatehouse.glass_signatures (tenant_id, signature_id, code_id, run_id, gate, first_holder, second_holder,
                                                outage_id, outage_since, outage_failure, used_at, review_due_at)
        VALUES (code.tenant_id, signature, code.code_id, run, gate_id, code.first_holder, code.second_holder,
                away.outage_id, away.began_at, away.last_failure, at, at + interval '72 hours');
    END IF;
    RETURN QUERY SELECT said, code.code_id, code.first_holder, code.second_holder, at + interval '72 hours';
END $$;
REVOKE ALL ON FUNCTION gatehouse.use_signing_code(text, text, uuid, uuid, text, uuid, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.use_signing_code(text, text, uuid, uuid, text, uuid, text, text, text) TO gatehouse_app;

-- Whether a review that is missing keeps the gate from counting as passed: one that is overdue keeps its own gate, and any
-- that is missing keeps the last gate, and with it the sign-off. A signature that was taken back is reviewed all the same.
CREATE FUNCTION gatehouse.glass_holds_up(run uuid, gate_id text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (
    SELECT FROM gatehouse.glass_signatures u
     WHERE u.tenant_id = gatehouse.current_tenant() AND u.run_id = run
       AND NOT EXISTS (SELECT FROM gatehouse.glass_reviews v WHERE v.tenant_id = u.tenant_id AND v.signature_id = u.signature_id)
       AND (u.gate = gate_id AND u.review_due_at <= clock_timestamp()
            OR gate_id = (SELECT g.gate FROM gatehouse.run_gates g
                           WHERE g.tenant_id = u.tenant_id AND g.run_id = u.run_id ORDER BY g.position DESC LIMIT 1)))
$$;

-- The same in words, for whoever wants to sign: the last gate waits for the reviews of those before it.
CREATE FUNCTION gatehouse.glass_blockers(run uuid, gate_id text) RETURNS TABLE (gate text, item text, what text, place integer)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT g.gate, '',
       m.name || ' signed ' || CASE WHEN m.gate = g.gate THEN 'here' ELSE 'the gate ' || m.gate_name END || ' by break-glass, and '
       || CASE WHEN m.review_due_at <= clock_timestamp()
               THEN 'nobody reviewed that by ' || to_char(m.review_due_at AT TIME ZONE r.time_zone, 'DD Mon YYYY HH24:MI') || ' (' || r.time_zone || ').'
               ELSE 'that is not reviewed yet.' END
       || CASE WHEN m.gate = g.gate THEN ' Until somebody does, this gate counts as not passed.' ELSE ' Until it is, nobody signs the release off.' END, 40000
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
  JOIN gatehouse.glass_marks m ON m.tenant_id = r.tenant_id AND m.run_id = r.run_id AND m.verdict IS NULL
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND (m.gate = g.gate AND m.review_due_at <= clock_timestamp()
        OR m.gate <> g.gate AND g.position = (SELECT max(l.position) FROM gatehouse.run_gates l WHERE l.tenant_id = r.tenant_id AND l.run_id = r.run_id))
$$;

-- Passed: every required place is filled, and no review is missing. That a gate's time ran out is about its places alone:
-- a review that comes late lets the gate count again.
ALTER FUNCTION gatehouse.gate_passed(uuid, text) RENAME TO gate_filled;
CREATE FUNCTION gatehouse.gate_passed(run uuid, gate_id text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$$ SELECT gatehouse.gate_filled(run, gate_id) AND NOT gatehouse.glass_holds_up(run, gate_id) $$;
CREATE OR REPLACE FUNCTION gatehouse.gate_overdue(run uuid, gate_id text) RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN clock_timestamp() > gatehouse.gate_expires_at(run, gate_id) THEN gatehouse.gate_filled(run, gate_id) IS NOT TRUE ELSE false END
$$;

-- What keeps a gate shut: what did before, and reviews that are missing.
ALTER FUNCTION gatehouse.gate_blockers(uuid, text) RENAME TO gate_hindrances;
CREATE FUNCTION gatehouse.gate_blockers(run uuid, gate_id text) RETURNS TABLE (gate text, item text, what text, place integer)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT h.gate, h.item, h.what, h.place FROM gatehouse.gate_hindrances(run, gate_id) h
UNION ALL
SELECT b.gate, b.item, b.what, b.place FROM gatehouse.glass_blockers(run, gate_id) b
$$;
GRANT EXECUTE ON FUNCTION gatehouse.gate_blockers(uuid, text) TO gatehouse_app;
