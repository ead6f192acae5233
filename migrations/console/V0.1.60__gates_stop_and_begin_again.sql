-- title: a gate that is rejected or runs out of time is stopped, and begins again as a new attempt
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: run_gates for an instant
-- undo loses: the rejections, the expiries and the new attempts of gates; what was signed after one is void without them
-- changes: table gatehouse.run_gates
-- creates: table gatehouse.gate_stops
-- creates: table gatehouse.gate_attempts
-- changes: function gatehouse.gate_content(uuid, text)
-- changes: function gatehouse.gate_blockers(uuid, text)
-- creates: function gatehouse.gate_facts(uuid, text)
-- creates: function gatehouse.gate_obstacles(uuid, text)
-- creates: function gatehouse.gate_attempt(uuid, text)
-- creates: function gatehouse.gate_expires_at(uuid, text)
-- creates: function gatehouse.gate_overdue(uuid, text)
-- creates: function gatehouse.gate_stopped(uuid, text)
-- creates: function gatehouse.gate_expiry_words(uuid, text)

-- How long after it is due a gate may still be passed; NULL for ever. Frozen with the release, so one that was started
-- before has no end.
ALTER TABLE gatehouse.run_gates ADD COLUMN expires_seconds integer
    CONSTRAINT run_gates_expires_positive CHECK (expires_seconds > 0);

-- An attempt at a gate that ended without passing it: somebody who could have signed rejected it, or its time ran out.
CREATE TABLE gatehouse.gate_stops (
    tenant_id       uuid        NOT NULL,
    run_id          uuid        NOT NULL,
    gate            text        NOT NULL,
    attempt         integer     NOT NULL CONSTRAINT gate_stops_attempt_positive CHECK (attempt > 0),
    kind            text        NOT NULL CONSTRAINT gate_stops_kind CHECK (kind IN ('rejected', 'expired')),
    slot            text, -- whose place it was; NULL for an expiry
    role            text        NOT NULL,
    reason          text        NOT NULL CONSTRAINT gate_stops_reason CHECK (length(btrim(reason)) >= 3 AND length(reason) <= 2000),
    content         text        NOT NULL, -- what the gate was about at that moment
    content_sha256  text        NOT NULL,
    issuer          text        NOT NULL,
    subject         text        NOT NULL CONSTRAINT gate_stops_subject_filled CHECK (subject <> ''),
    name            text        NOT NULL,
    auth_time       timestamptz,
    acr             text        NOT NULL,
    origin          text        NOT NULL,
    ip              text        NOT NULL,
    session         text        NOT NULL,
    stopped_at      timestamptz NOT NULL,
    idempotency_key uuid        NOT NULL,
    -- Two that stop one attempt at the same moment want the same row.
    CONSTRAINT gate_stops_pkey PRIMARY KEY (tenant_id, run_id, gate, attempt),
    CONSTRAINT gate_stops_idempotency_key UNIQUE (tenant_id, idempotency_key),
    CONSTRAINT gate_stops_gate FOREIGN KEY (tenant_id, run_id, gate) REFERENCES gatehouse.run_gates,
    CONSTRAINT gate_stops_slot FOREIGN KEY (tenant_id, run_id, gate, slot) REFERENCES gatehouse.run_gate_slots,
    CONSTRAINT gate_stops_content_hash CHECK (content_sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')),
    CONSTRAINT gate_stops_rejected_by_a_person CHECK ((kind = 'rejected') = (slot IS NOT NULL AND auth_time IS NOT NULL)),
    CONSTRAINT gate_stops_fresh CHECK (auth_time BETWEEN stopped_at - interval '5 minutes' AND stopped_at + interval '60 seconds')
);
CREATE TRIGGER gate_stops_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.gate_stops
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.gate_stops ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.gate_stops
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.gate_stops TO gatehouse_app;

-- The second and every further attempt at a gate. The first has no row.
CREATE TABLE gatehouse.gate_attempts (
    tenant_id       uuid        NOT NULL,
    run_id          uuid        NOT NULL,
    gate            text        NOT NULL,
    attempt         integer     NOT NULL CONSTRAINT gate_attempts_not_the_first CHECK (attempt > 1),
    stopped_attempt integer     NOT NULL,
    note            text        NOT NULL CONSTRAINT gate_attempts_note CHECK (length(btrim(note)) >= 3 AND length(note) <= 2000),
    issuer          text        NOT NULL,
    subject         text        NOT NULL CONSTRAINT gate_attempts_subject_filled CHECK (subject <> ''),
    name            text        NOT NULL,
    opened_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    idempotency_key uuid        NOT NULL,
    CONSTRAINT gate_attempts_pkey PRIMARY KEY (tenant_id, run_id, gate, attempt),
    CONSTRAINT gate_attempts_idempotency_key UNIQUE (tenant_id, idempotency_key),
    CONSTRAINT gate_attempts_follow CHECK (attempt = stopped_attempt + 1),
    CONSTRAINT gate_attempts_after_a_stop FOREIGN KEY (tenant_id, run_id, gate, stopped_attempt) REFERENCES gatehouse.gate_stops
);
CREATE TRIGGER gate_attempts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.gate_attempts
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.gate_attempts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.gate_attempts
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.gate_attempts TO gatehouse_app;

-- The number of the attempt that is under way.
CREATE FUNCTION gatehouse.gate_attempt(run uuid, gate_id text) RETURNS integer
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce(max(a.attempt), 1) FROM gatehouse.gate_attempts a
 WHERE a.tenant_id = gatehouse.current_tenant() AND a.run_id = run AND a.gate = gate_id
$$;

-- By when the attempt has to have passed: so long after the gate is due, and never less than that after a new attempt was
-- opened. NULL where the gate has no end.
CREATE FUNCTION gatehouse.gate_expires_at(run uuid, gate_id text) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT greatest(r.t0 + make_interval(secs => g.offset_seconds),
                (SELECT max(a.opened_at) FROM gatehouse.gate_attempts a
                  WHERE a.tenant_id = g.tenant_id AND a.run_id = g.run_id AND a.gate = g.gate)) + make_interval(secs => g.expires_seconds)
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND g.gate = gate_id
$$;

-- Whether the attempt's time is over by this clock and the gate not passed. Nobody has to have written it down.
CREATE FUNCTION gatehouse.gate_overdue(run uuid, gate_id text) RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN clock_timestamp() > gatehouse.gate_expires_at(run, gate_id) THEN gatehouse.gate_passed(run, gate_id) IS NOT TRUE ELSE false END
$$;

-- Whether the attempt that is under way has ended without passing.
CREATE FUNCTION gatehouse.gate_stopped(run uuid, gate_id text) RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (SELECT FROM gatehouse.gate_stops s
                WHERE s.tenant_id = gatehouse.current_tenant() AND s.run_id = run AND s.gate = gate_id AND s.attempt = gatehouse.gate_attempt(run, gate_id))
    OR gatehouse.gate_overdue(run, gate_id)
$$;

-- What is signed: the facts as before and, where there are such, the end of the attempt's time, how earlier attempts ended
-- and who opened the next one, and why. So nothing that was signed before a stop counts after it.
ALTER FUNCTION gatehouse.gate_content(uuid, text) RENAME TO gate_facts;
CREATE FUNCTION gatehouse.gate_content(run uuid, gate_id text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT gatehouse.gate_facts(run, gate_id)
    || coalesce((SELECT jsonb_build_object('expires', gatehouse.utc_text(e.at)) FROM (SELECT gatehouse.gate_expires_at(run, gate_id) AS at) e WHERE e.at IS NOT NULL), '{}')
    || coalesce((SELECT jsonb_build_object('stops', jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                            'attempt', s.attempt, 'kind', s.kind, 'slot', s.slot, 'role', NULLIF(s.role, ''), 'reason', s.reason, 'by', s.name, 'issuer', s.issuer,
                            'subject', s.subject, 'at', gatehouse.utc_text(s.stopped_at), 'sha256', s.content_sha256)) ORDER BY s.attempt))
                   FROM gatehouse.gate_stops s
                  WHERE s.tenant_id = gatehouse.current_tenant() AND s.run_id = run AND s.gate = gate_id
                 HAVING count(*) > 0), '{}')
    || coalesce((SELECT jsonb_build_object('attempts', jsonb_agg(jsonb_build_object(
                            'attempt', a.attempt, 'note', a.note, 'by', a.name, 'issuer', a.issuer, 'subject', a.subject,
                            'at', gatehouse.utc_text(a.opened_at)) ORDER BY a.attempt))
                   FROM gatehouse.gate_attempts a
                  WHERE a.tenant_id = gatehouse.current_tenant() AND a.run_id = run AND a.gate = gate_id
                 HAVING count(*) > 0), '{}')
$$;

-- That a gate's time ran out, in words.
CREATE FUNCTION gatehouse.gate_expiry_words(run uuid, gate_id text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'It had to be passed by ' || to_char(gatehouse.gate_expires_at(r.run_id, gate_id) AT TIME ZONE r.time_zone, 'DD Mon YYYY HH24:MI')
       || ' (' || r.time_zone || '), and was not.'
  FROM gatehouse.runs r
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run
$$;

-- What keeps a gate shut: what did before, and that it is stopped.
ALTER FUNCTION gatehouse.gate_blockers(uuid, text) RENAME TO gate_obstacles;
CREATE FUNCTION gatehouse.gate_blockers(run uuid, gate_id text) RETURNS TABLE (gate text, item text, what text, place integer)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT o.gate, o.item, o.what, o.place FROM gatehouse.gate_obstacles(run, gate_id) o
UNION ALL
SELECT g.gate, '',
       CASE WHEN s.kind = 'rejected'
            THEN s.name || ' rejected this gate on ' || to_char(s.stopped_at AT TIME ZONE r.time_zone, 'DD Mon YYYY HH24:MI') || ' (' || r.time_zone || ').'
            ELSE 'This gate is denied. ' || coalesce(s.reason, gatehouse.gate_expiry_words(g.run_id, g.gate)) END
       || ' It stays shut until somebody who manages releases opens a new attempt.', -1
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
  LEFT JOIN gatehouse.gate_stops s ON s.tenant_id = g.tenant_id AND s.run_id = g.run_id AND s.gate = g.gate
                                  AND s.attempt = gatehouse.gate_attempt(g.run_id, g.gate)
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND (s.attempt IS NOT NULL OR gatehouse.gate_overdue(g.run_id, g.gate))
$$;
GRANT EXECUTE ON FUNCTION gatehouse.gate_blockers(uuid, text) TO gatehouse_app;
