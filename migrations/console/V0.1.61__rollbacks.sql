-- title: a release is rolled back by a way of its runbook, against the clock, and reviewed afterwards
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: runs and migration_runs for an instant
-- undo loses: the rollbacks with their steps, clocks and reviews; it refuses while a release stands there as rolled back
-- changes: table gatehouse.runs
-- creates: table gatehouse.rollbacks
-- creates: table gatehouse.rollback_acts
-- changes: function gatehouse.gate_content(uuid, text)
-- changes: function gatehouse.gate_blockers(uuid, text)
-- creates: function gatehouse.rolling_back(uuid, uuid)
-- creates: function gatehouse.migration_runs_not_in_a_rollback()
-- creates: trigger gatehouse.migration_runs.migration_runs_not_in_a_rollback

ALTER TABLE gatehouse.runs DROP CONSTRAINT runs_state;
ALTER TABLE gatehouse.runs ADD CONSTRAINT runs_state CHECK (state IN ('active', 'signed_off', 'aborted', 'closed', 'rolled_back'));
ALTER TABLE gatehouse.runs ADD CONSTRAINT runs_rollback_reason CHECK (state <> 'rolled_back' OR btrim(end_reason) <> '');

-- Somebody decided to take a release back. What the template said of the way is frozen here with it.
CREATE TABLE gatehouse.rollbacks (
    tenant_id    uuid        NOT NULL,
    rollback_id  uuid        NOT NULL, -- the form's own: pressing it twice starts one
    run_id       uuid        NOT NULL,
    option_id    text        NOT NULL CONSTRAINT rollbacks_option_filled CHECK (option_id <> ''),
    title        text        NOT NULL,
    data_loss    text        NOT NULL,
    safe         boolean     NOT NULL, -- one person may do it alone
    goal_seconds integer     CONSTRAINT rollbacks_goal_positive CHECK (goal_seconds > 0),
    steps        text[]      NOT NULL CONSTRAINT rollbacks_steps_filled CHECK (cardinality(steps) > 0),
    reason       text        NOT NULL CONSTRAINT rollbacks_reason CHECK (length(btrim(reason)) >= 3 AND length(reason) <= 2000),
    issuer       text        NOT NULL,
    subject      text        NOT NULL CONSTRAINT rollbacks_subject_filled CHECK (subject <> ''),
    name         text        NOT NULL,
    auth_time    timestamptz NOT NULL,
    started_at   timestamptz NOT NULL,
    CONSTRAINT rollbacks_pkey PRIMARY KEY (tenant_id, rollback_id),
    CONSTRAINT rollbacks_run FOREIGN KEY (tenant_id, run_id) REFERENCES gatehouse.runs,
    CONSTRAINT rollbacks_fresh CHECK (auth_time BETWEEN started_at - interval '5 minutes' AND started_at + interval '60 seconds')
);
CREATE INDEX rollbacks_of_run ON gatehouse.rollbacks (tenant_id, run_id, started_at DESC);
CREATE TRIGGER rollbacks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.rollbacks
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.rollbacks ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.rollbacks
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.rollbacks TO gatehouse_app;

-- What was done to a rollback: the second person agreed, a step was settled, it ended, somebody reviewed it. Each once.
CREATE TABLE gatehouse.rollback_acts (
    tenant_id    uuid        NOT NULL,
    rollback_id  uuid        NOT NULL,
    kind         text        NOT NULL CONSTRAINT rollback_acts_kind CHECK (kind IN ('agreed', 'step', 'ended', 'reviewed')),
    step         integer     NOT NULL DEFAULT 0,
    good         boolean     NOT NULL, -- of a step: done and not left out; of the end: not given up; of the review: nothing objected
    note         text        NOT NULL CONSTRAINT rollback_acts_note_length CHECK (length(note) <= 2000),
    took_seconds integer,
    goal_kept    boolean,
    issuer       text        NOT NULL,
    subject      text        NOT NULL CONSTRAINT rollback_acts_subject_filled CHECK (subject <> ''),
    name         text        NOT NULL,
    auth_time    timestamptz,
    done_at      timestamptz NOT NULL,
    CONSTRAINT rollback_acts_pkey PRIMARY KEY (tenant_id, rollback_id, kind, step),
    CONSTRAINT rollback_acts_rollback FOREIGN KEY (tenant_id, rollback_id) REFERENCES gatehouse.rollbacks,
    CONSTRAINT rollback_acts_step_numbered CHECK ((kind = 'step') = (step > 0)),
    CONSTRAINT rollback_acts_end_timed CHECK ((kind = 'ended') = (took_seconds IS NOT NULL)),
    CONSTRAINT rollback_acts_said CHECK (kind = 'agreed' OR length(btrim(note)) >= 3),
    CONSTRAINT rollback_acts_fresh CHECK (kind NOT IN ('agreed', 'reviewed')
        OR auth_time IS NOT NULL AND auth_time BETWEEN done_at - interval '5 minutes' AND done_at + interval '60 seconds')
);
CREATE TRIGGER rollback_acts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.rollback_acts
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.rollback_acts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.rollback_acts
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.rollback_acts TO gatehouse_app;

-- The way by which a release is being taken back now, with who decided it; NULL while it is not.
CREATE FUNCTION gatehouse.rolling_back(tenant uuid, run uuid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT b.option_id || ', decided by ' || b.name
  FROM gatehouse.rollbacks b
 WHERE b.tenant_id = tenant AND b.run_id = run
   AND NOT EXISTS (SELECT FROM gatehouse.rollback_acts a WHERE a.tenant_id = b.tenant_id AND a.rollback_id = b.rollback_id AND a.kind = 'ended')
 LIMIT 1
$$;

-- While a release is being taken back nothing of it is applied, whichever program asks; what waits in the queue does not start.
CREATE FUNCTION gatehouse.migration_runs_not_in_a_rollback() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.direction = 'up' AND NEW.state IN ('queued', 'running') AND gatehouse.rolling_back(NEW.tenant_id, NEW.release_id) IS NOT NULL
       AND (TG_OP = 'INSERT' OR OLD.state = 'queued') THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER migration_runs_not_in_a_rollback BEFORE INSERT OR UPDATE ON gatehouse.migration_runs
    FOR EACH ROW EXECUTE FUNCTION gatehouse.migration_runs_not_in_a_rollback();

-- What is signed names the rollbacks that were begun and given up: whoever signs after one knows of it, and signs anew.
CREATE OR REPLACE FUNCTION gatehouse.gate_content(run uuid, gate_id text) RETURNS jsonb
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
    || coalesce((SELECT jsonb_build_object('rollbacks', jsonb_agg(jsonb_build_object(
                            'option', b.option_id, 'reason', b.reason, 'by', b.name, 'at', gatehouse.utc_text(b.started_at),
                            'given_up', a.note, 'given_up_by', a.name, 'given_up_at', gatehouse.utc_text(a.done_at)) ORDER BY b.started_at, b.rollback_id))
                   FROM gatehouse.rollbacks b
                   JOIN gatehouse.rollback_acts a ON a.tenant_id = b.tenant_id AND a.rollback_id = b.rollback_id AND a.kind = 'ended' AND NOT a.good
                  WHERE b.tenant_id = gatehouse.current_tenant() AND b.run_id = run
                 HAVING count(*) > 0), '{}')
$$;

-- What keeps a gate shut: what did before, that it is stopped, and that the release is being taken back.
CREATE OR REPLACE FUNCTION gatehouse.gate_blockers(run uuid, gate_id text) RETURNS TABLE (gate text, item text, what text, place integer)
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
UNION ALL
SELECT g.gate, '', 'This release is being rolled back by ' || b.way || '. Until that has ended, nothing of it is signed.', -2
  FROM gatehouse.run_gates g
 CROSS JOIN (SELECT gatehouse.rolling_back(gatehouse.current_tenant(), run) AS way) b
 WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = run AND (gate_id IS NULL OR g.gate = gate_id) AND b.way IS NOT NULL
$$;
