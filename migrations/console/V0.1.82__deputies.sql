-- title: deputies from a roster sign in the place of a role, from when the gate says
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: signatures for an instant
-- undo loses: the roster of deputies; it refuses while a deputy has signed
-- creates: table gatehouse.deputies
-- creates: table gatehouse.deputy_revocations
-- changes: table gatehouse.signatures
-- changes: view gatehouse.signature_marks
-- creates: view gatehouse.roster
-- creates: function gatehouse.deputies_from(uuid, text, text)
-- creates: function gatehouse.deputy_for(uuid, text, text, text, text, text[], text[])

-- Who may sign in the place of a role, from a day until a day, named by somebody who holds it. Never edited: what is wrong
-- is revoked, and named anew.
CREATE TABLE gatehouse.deputies (
    tenant_id       uuid        NOT NULL REFERENCES gatehouse.tenants,
    deputy_id       uuid        NOT NULL,
    role            text        NOT NULL CONSTRAINT deputies_role_form CHECK (role ~ '^[a-z_]{1,50}$'),
    issuer          text        NOT NULL,
    subject         text        NOT NULL CONSTRAINT deputies_subject_filled CHECK (subject <> ''),
    name            text        NOT NULL,
    from_day        date        NOT NULL,
    until_day       date        NOT NULL,
    reason          text        NOT NULL CONSTRAINT deputies_reason CHECK (length(btrim(reason)) >= 3 AND length(reason) <= 2000),
    named_issuer    text        NOT NULL,
    named_subject   text        NOT NULL CONSTRAINT deputies_named_subject_filled CHECK (named_subject <> ''),
    named_by        text        NOT NULL,
    auth_time       timestamptz NOT NULL,
    acr             text        NOT NULL,
    origin          text        NOT NULL,
    ip              text        NOT NULL,
    session         text        NOT NULL,
    named_at        timestamptz NOT NULL,
    idempotency_key uuid        NOT NULL,
    CONSTRAINT deputies_pkey PRIMARY KEY (tenant_id, deputy_id),
    CONSTRAINT deputies_idempotency_key UNIQUE (tenant_id, idempotency_key),
    -- What a signature of a deputy has to match.
    CONSTRAINT deputies_of_person UNIQUE (tenant_id, deputy_id, role, issuer, subject),
    CONSTRAINT deputies_nobody_names_themselves CHECK ((issuer, subject) <> (named_issuer, named_subject)),
    CONSTRAINT deputies_ninety_days CHECK (until_day BETWEEN from_day AND from_day + 89),
    -- A day is over everywhere on earth before it can no longer be named.
    CONSTRAINT deputies_not_for_the_past CHECK (from_day >= (named_at AT TIME ZONE 'UTC')::date - 1),
    CONSTRAINT deputies_fresh CHECK (auth_time BETWEEN named_at - interval '5 minutes' AND named_at + interval '60 seconds')
);
CREATE INDEX deputies_newest ON gatehouse.deputies (tenant_id, named_at DESC, deputy_id DESC);
CREATE INDEX deputies_by_role ON gatehouse.deputies (tenant_id, role, until_day);

CREATE TABLE gatehouse.deputy_revocations (
    tenant_id  uuid        NOT NULL,
    deputy_id  uuid        NOT NULL,
    reason     text        NOT NULL CONSTRAINT deputy_revocations_reason CHECK (length(btrim(reason)) >= 3 AND length(reason) <= 2000),
    issuer     text        NOT NULL,
    subject    text        NOT NULL CONSTRAINT deputy_revocations_subject_filled CHECK (subject <> ''),
    name       text        NOT NULL,
    revoked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT deputy_revocations_pkey PRIMARY KEY (tenant_id, deputy_id),
    CONSTRAINT deputy_revocations_deputy FOREIGN KEY (tenant_id, deputy_id) REFERENCES gatehouse.deputies
);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['deputies', 'deputy_revocations'] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.%1$s
            FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change()', t);
        EXECUTE format('ALTER TABLE gatehouse.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON gatehouse.%I
            USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant())', t);
        EXECUTE format('GRANT SELECT, INSERT ON gatehouse.%I TO gatehouse_app', t);
    END LOOP;
END $$;

-- The roster: each appointment, and how it was revoked where it was.
CREATE VIEW gatehouse.roster WITH (security_invoker = true) AS
SELECT d.tenant_id, d.deputy_id, d.role, d.issuer, d.subject, d.name, d.from_day, d.until_day, d.reason, d.named_issuer, d.named_subject, d.named_by,
       d.named_at, d.idempotency_key, r.reason AS revoked_reason, r.name AS revoked_by, r.revoked_at
  FROM gatehouse.deputies d
  LEFT JOIN gatehouse.deputy_revocations r ON r.tenant_id = d.tenant_id AND r.deputy_id = d.deputy_id;
GRANT SELECT ON gatehouse.roster TO gatehouse_app;

-- The appointment by which a signature was given in another's place; NULL where the person held the role. The key holds it to
-- the same role and the same person.
ALTER TABLE gatehouse.signatures
    ADD COLUMN deputy uuid,
    ADD CONSTRAINT signatures_deputy FOREIGN KEY (tenant_id, deputy, role, issuer, subject)
        REFERENCES gatehouse.deputies (tenant_id, deputy_id, role, issuer, subject);

CREATE OR REPLACE VIEW gatehouse.signature_marks WITH (security_invoker = true) AS
SELECT s.tenant_id, s.idempotency_key, s.signature_id, s.run_id, s.gate, s.slot, s.role, s.meaning, s.statement, s.score::text AS score, s.note, s.content, s.content_sha256,
       s.content_sha256 = encode(sha256(convert_to(s.content, 'UTF8')), 'hex') AS intact,
       s.issuer, s.subject, s.name, s.auth_time, s.acr, s.signed_at,
       w.reason AS withdrawn_reason, w.name AS withdrawn_by, w.withdrawn_at,
       d.deputy_id, d.named_by AS deputy_named_by, d.named_at AS deputy_named_at, d.from_day::text AS deputy_from, d.until_day::text AS deputy_until,
       d.reason AS deputy_reason
  FROM gatehouse.signatures s
  LEFT JOIN gatehouse.signature_withdrawals w ON w.tenant_id = s.tenant_id AND w.signature_id = s.signature_id
  LEFT JOIN gatehouse.deputies d ON d.tenant_id = s.tenant_id AND d.deputy_id = s.deputy;

-- From when on the deputies of a place may sign; NULL where they never may.
CREATE FUNCTION gatehouse.deputies_from(run uuid, gate_id text, slot_id text) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT r.t0 + make_interval(secs => g.offset_seconds + s.deputies_seconds)
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id AND g.gate = gate_id
  JOIN gatehouse.run_gate_slots s ON s.tenant_id = g.tenant_id AND s.run_id = g.run_id AND s.gate = g.gate AND s.slot = slot_id
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run
$$;

-- The appointment by which somebody with these roles may sign in a place now; NULL where there is none. signing are the roles
-- that carry the right to sign: without one of one's own nobody is a deputy, and who administers or audits never is. A day is
-- one of the release's own zone. The own place comes first: who has to sign elsewhere at this gate does that.
CREATE FUNCTION gatehouse.deputy_for(run uuid, gate_id text, slot_id text, by_issuer text, by_subject text, roles text[], signing text[]) RETURNS uuid
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT d.deputy_id
  FROM gatehouse.runs r
  JOIN gatehouse.run_gate_slots s ON s.tenant_id = r.tenant_id AND s.run_id = r.run_id AND s.gate = gate_id AND s.slot = slot_id
  JOIN gatehouse.roster d ON d.tenant_id = r.tenant_id AND d.role = s.role AND d.issuer = by_issuer AND d.subject = by_subject AND d.revoked_at IS NULL
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND NOT s.role = ANY (roles)
   AND (clock_timestamp() AT TIME ZONE r.time_zone)::date BETWEEN d.from_day AND d.until_day
   AND clock_timestamp() >= gatehouse.deputies_from(r.run_id, s.gate, s.slot)
   AND roles && signing AND NOT roles && ARRAY['admin', 'auditor']
   AND NOT EXISTS (
           SELECT FROM gatehouse.run_gate_slots o
            WHERE o.tenant_id = s.tenant_id AND o.run_id = s.run_id AND o.gate = s.gate AND o.slot <> s.slot AND o.required AND o.role = ANY (roles)
              AND NOT EXISTS (SELECT FROM gatehouse.signatures f
                               WHERE f.tenant_id = o.tenant_id AND f.run_id = o.run_id AND f.gate = o.gate AND f.slot = o.slot
                                 AND f.content_sha256 = gatehouse.gate_content_sha256(o.run_id, o.gate)
                                 AND NOT EXISTS (SELECT FROM gatehouse.signature_withdrawals w
                                                  WHERE w.tenant_id = f.tenant_id AND w.signature_id = f.signature_id)))
 ORDER BY d.until_day DESC, d.named_at, d.deputy_id
 LIMIT 1
$$;
