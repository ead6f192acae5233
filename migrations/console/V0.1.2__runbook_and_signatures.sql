-- title: releases, their runbooks, gates and signatures
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: every release with its items, evidence, signatures and withdrawals
-- creates: table gatehouse.runs
-- creates: table gatehouse.run_items
-- creates: table gatehouse.run_evidence
-- creates: table gatehouse.run_gates
-- creates: table gatehouse.run_gate_slots
-- creates: table gatehouse.run_migrations
-- creates: table gatehouse.signatures
-- creates: table gatehouse.signature_withdrawals
-- creates: function gatehouse.gate_content(uuid, text)
-- creates: function gatehouse.gate_content_sha256(uuid, text)
-- creates: function gatehouse.gate_ready(uuid, text)
-- creates: function gatehouse.gate_passed(uuid, text)

-- A run is one release being taken through its runbook. What it was started from is frozen in it: the template's text,
-- its items, its gates, and the hashes of the migration files.
CREATE TABLE gatehouse.runs (
    tenant_id          uuid        NOT NULL REFERENCES gatehouse.tenants,
    run_id             uuid        NOT NULL,
    environment        text        NOT NULL CONSTRAINT runs_environment_filled CHECK (environment <> ''),
    code               text        NOT NULL CONSTRAINT runs_code_length CHECK (length(code) BETWEEN 1 AND 100),
    title              text        NOT NULL CONSTRAINT runs_title_length CHECK (length(title) BETWEEN 1 AND 200),
    state              text        NOT NULL DEFAULT 'active'
                       CONSTRAINT runs_state CHECK (state IN ('active', 'signed_off', 'aborted', 'closed')),
    t0                 timestamptz NOT NULL,
    time_zone          text        NOT NULL,
    template_name      text        NOT NULL,
    template_version   text        NOT NULL,
    template_sha256    text        NOT NULL,
    template           text        NOT NULL,
    started_by_issuer  text        NOT NULL,
    started_by_subject text        NOT NULL CONSTRAINT runs_starter_filled CHECK (started_by_subject <> ''),
    started_by_name    text        NOT NULL,
    started_at         timestamptz NOT NULL DEFAULT now(),
    ended_at           timestamptz,
    ended_by           text        NOT NULL DEFAULT '',
    end_reason         text        NOT NULL DEFAULT '',
    -- Kept by every change of an item, so that a list need not count.
    items_total        integer     NOT NULL,
    items_done         integer     NOT NULL DEFAULT 0,
    items_failed       integer     NOT NULL DEFAULT 0,
    items_skipped      integer     NOT NULL DEFAULT 0,
    version            integer     NOT NULL DEFAULT 1,
    CONSTRAINT runs_pkey PRIMARY KEY (tenant_id, run_id),
    CONSTRAINT runs_template_hash CHECK (template_sha256 = encode(sha256(convert_to(template, 'UTF8')), 'hex')),
    CONSTRAINT runs_end_known CHECK ((state = 'active') = (ended_at IS NULL)),
    CONSTRAINT runs_abort_reason CHECK (state <> 'aborted' OR btrim(end_reason) <> '')
);
CREATE UNIQUE INDEX runs_one_active ON gatehouse.runs (tenant_id, environment) WHERE state = 'active';
CREATE INDEX runs_newest ON gatehouse.runs (tenant_id, started_at DESC, run_id DESC);
CREATE INDEX runs_newest_by_state ON gatehouse.runs (tenant_id, state, started_at DESC, run_id DESC);
ALTER TABLE gatehouse.runs ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.runs
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.runs TO gatehouse_app;
GRANT UPDATE (state, t0, ended_at, ended_by, end_reason, items_done, items_failed, items_skipped, version)
    ON gatehouse.runs TO gatehouse_app;

CREATE TABLE gatehouse.run_items (
    tenant_id       uuid    NOT NULL,
    run_id          uuid    NOT NULL,
    item_id         text    NOT NULL CONSTRAINT run_items_id_form CHECK (item_id ~ '^[A-Z0-9][A-Za-z0-9.-]{0,29}$'),
    position        integer NOT NULL,
    phase           text    NOT NULL,
    gate            text    NOT NULL, -- the gate whose content the item is part of; empty after the last one
    title           text    NOT NULL,
    owner_role      text    NOT NULL,
    required        boolean NOT NULL,
    offset_seconds  integer NOT NULL,
    after_items     text[]  NOT NULL,
    kind            text    NOT NULL CONSTRAINT run_items_kind CHECK (kind IN ('text', 'number', 'link', 'statement', 'auto')),
    check_name      text    NOT NULL,
    -- From here on it changes.
    state           text    NOT NULL DEFAULT 'open'
                    CONSTRAINT run_items_state CHECK (state IN ('open', 'in_progress', 'done', 'failed', 'skipped')),
    holder_issuer   text    NOT NULL DEFAULT '',
    holder_subject  text    NOT NULL DEFAULT '',
    holder_name     text    NOT NULL DEFAULT '',
    settled_issuer  text    NOT NULL DEFAULT '',
    settled_subject text    NOT NULL DEFAULT '',
    settled_name    text    NOT NULL DEFAULT '',
    settled_at      timestamptz,
    due_at          timestamptz, -- as it was when the item was settled; before that, T-0 and the offset say
    reason          text    NOT NULL DEFAULT '' CONSTRAINT run_items_reason_length CHECK (length(reason) <= 2000),
    evidence        integer, -- the number of the evidence that counts now
    version         integer NOT NULL DEFAULT 1,
    CONSTRAINT run_items_pkey PRIMARY KEY (tenant_id, run_id, item_id),
    CONSTRAINT run_items_position_key UNIQUE (tenant_id, run_id, position),
    CONSTRAINT run_items_run FOREIGN KEY (tenant_id, run_id) REFERENCES gatehouse.runs,
    CONSTRAINT run_items_auto_has_check CHECK ((kind = 'auto') = (check_name <> '')),
    CONSTRAINT run_items_done_has_evidence CHECK (state <> 'done' OR evidence IS NOT NULL),
    CONSTRAINT run_items_required_not_skipped CHECK (state <> 'skipped' OR NOT required),
    CONSTRAINT run_items_skipped_has_reason CHECK (state <> 'skipped' OR btrim(reason) <> ''),
    CONSTRAINT run_items_settled_known
        CHECK ((state IN ('done', 'failed', 'skipped')) = (settled_at IS NOT NULL AND due_at IS NOT NULL AND settled_subject <> '')),
    CONSTRAINT run_items_held_while_in_progress CHECK ((state = 'in_progress') = (holder_subject <> ''))
);
ALTER TABLE gatehouse.run_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.run_items
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.run_items TO gatehouse_app;
GRANT UPDATE (state, holder_issuer, holder_subject, holder_name, settled_issuer, settled_subject, settled_name, settled_at,
              due_at, reason, evidence, version) ON gatehouse.run_items TO gatehouse_app;

CREATE FUNCTION gatehouse.evidence_sha256(kind text, value text, note text, summary text, query text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN encode(sha256(convert_to(gatehouse.audit_field('gatehouse-evidence-1') || gatehouse.audit_field(kind)
        || gatehouse.audit_field(value) || gatehouse.audit_field(note) || gatehouse.audit_field(summary)
        || gatehouse.audit_field(query), 'UTF8')), 'hex');

CREATE TABLE gatehouse.run_evidence (
    tenant_id  uuid        NOT NULL,
    run_id     uuid        NOT NULL,
    item_id    text        NOT NULL,
    number     integer     NOT NULL CONSTRAINT run_evidence_number_positive CHECK (number > 0),
    kind       text        NOT NULL CONSTRAINT run_evidence_kind CHECK (kind IN ('text', 'number', 'link', 'statement', 'auto')),
    value      text        NOT NULL CONSTRAINT run_evidence_value_length CHECK (length(value) BETWEEN 1 AND 65536),
    note       text        NOT NULL CONSTRAINT run_evidence_note_length CHECK (length(note) <= 2000),
    summary    text        NOT NULL, -- what a check says it found; empty for a person's evidence
    query      text        NOT NULL, -- what a check asked
    passed     boolean     NOT NULL,
    sha256     text        NOT NULL,
    issuer     text        NOT NULL,
    subject    text        NOT NULL,
    name       text        NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT run_evidence_pkey PRIMARY KEY (tenant_id, run_id, item_id, number),
    CONSTRAINT run_evidence_item FOREIGN KEY (tenant_id, run_id, item_id) REFERENCES gatehouse.run_items
);
ALTER TABLE gatehouse.run_items ADD CONSTRAINT run_items_evidence
    FOREIGN KEY (tenant_id, run_id, item_id, evidence) REFERENCES gatehouse.run_evidence;
CREATE TRIGGER run_evidence_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.run_evidence
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.run_evidence ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.run_evidence
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.run_evidence TO gatehouse_app;

CREATE TABLE gatehouse.run_gates (
    tenant_id        uuid    NOT NULL,
    run_id           uuid    NOT NULL,
    gate             text    NOT NULL,
    position         integer NOT NULL,
    name             text    NOT NULL,
    judges           text    NOT NULL,
    after_phase      text    NOT NULL,
    offset_seconds   integer NOT NULL,
    after_migrations boolean NOT NULL, -- it judges what the migrations did, so their outcome is part of its content
    CONSTRAINT run_gates_pkey PRIMARY KEY (tenant_id, run_id, gate),
    CONSTRAINT run_gates_position_key UNIQUE (tenant_id, run_id, position),
    CONSTRAINT run_gates_run FOREIGN KEY (tenant_id, run_id) REFERENCES gatehouse.runs
);
CREATE TRIGGER run_gates_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.run_gates
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.run_gates ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.run_gates
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.run_gates TO gatehouse_app;

CREATE TABLE gatehouse.run_gate_slots (
    tenant_id  uuid    NOT NULL,
    run_id     uuid    NOT NULL,
    gate       text    NOT NULL,
    slot       text    NOT NULL,
    position   integer NOT NULL,
    role       text    NOT NULL,
    required   boolean NOT NULL,
    signs_last boolean NOT NULL,
    asks_score boolean NOT NULL,
    meanings   text[]  NOT NULL CONSTRAINT run_gate_slots_meanings_filled CHECK (cardinality(meanings) > 0),
    statement  text    NOT NULL,
    CONSTRAINT run_gate_slots_pkey PRIMARY KEY (tenant_id, run_id, gate, slot),
    CONSTRAINT run_gate_slots_gate FOREIGN KEY (tenant_id, run_id, gate) REFERENCES gatehouse.run_gates
);
CREATE TRIGGER run_gate_slots_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.run_gate_slots
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.run_gate_slots ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.run_gate_slots
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.run_gate_slots TO gatehouse_app;

CREATE TABLE gatehouse.run_migrations (
    tenant_id uuid    NOT NULL,
    run_id    uuid    NOT NULL,
    version   text    NOT NULL, -- as the ledger has it: 0.0.20
    position  integer NOT NULL,
    title     text    NOT NULL,
    sha256    text    NOT NULL CONSTRAINT run_migrations_sha256_form CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    CONSTRAINT run_migrations_pkey PRIMARY KEY (tenant_id, run_id, version),
    CONSTRAINT run_migrations_run FOREIGN KEY (tenant_id, run_id) REFERENCES gatehouse.runs
);
CREATE TRIGGER run_migrations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.run_migrations
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.run_migrations ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.run_migrations
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.run_migrations TO gatehouse_app;

-- A signature holds what was shown, byte by byte. It is never changed; it counts for as long as nobody took it back and
-- the gate's content is still the one that was signed.
CREATE TABLE gatehouse.signatures (
    tenant_id       uuid         NOT NULL,
    signature_id    uuid         NOT NULL,
    run_id          uuid         NOT NULL,
    gate            text         NOT NULL,
    slot            text         NOT NULL,
    attempt         integer      NOT NULL,
    role            text         NOT NULL,
    meaning         text         NOT NULL,
    statement       text         NOT NULL,
    score           numeric(3,1) CONSTRAINT signatures_score_range CHECK (score BETWEEN 0 AND 10),
    note            text         NOT NULL CONSTRAINT signatures_note_length CHECK (length(note) <= 2000),
    content         text         NOT NULL,
    content_sha256  text         NOT NULL,
    issuer          text         NOT NULL,
    subject         text         NOT NULL CONSTRAINT signatures_subject_filled CHECK (subject <> ''),
    name            text         NOT NULL,
    auth_time       timestamptz  NOT NULL,
    acr             text         NOT NULL,
    origin          text         NOT NULL,
    ip              text         NOT NULL,
    session         text         NOT NULL,
    signed_at       timestamptz  NOT NULL,
    idempotency_key uuid         NOT NULL,
    CONSTRAINT signatures_pkey PRIMARY KEY (tenant_id, signature_id),
    CONSTRAINT signatures_idempotency_key UNIQUE (tenant_id, idempotency_key),
    -- Two that sign one slot at the same moment want the same number.
    CONSTRAINT signatures_attempt_key UNIQUE (tenant_id, run_id, gate, slot, attempt),
    CONSTRAINT signatures_content_hash CHECK (content_sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')),
    CONSTRAINT signatures_fresh CHECK (auth_time BETWEEN signed_at - interval '5 minutes' AND signed_at + interval '60 seconds'),
    CONSTRAINT signatures_slot FOREIGN KEY (tenant_id, run_id, gate, slot) REFERENCES gatehouse.run_gate_slots
);
CREATE TRIGGER signatures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.signatures
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.signatures ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.signatures
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.signatures TO gatehouse_app;

CREATE TABLE gatehouse.signature_withdrawals (
    tenant_id    uuid        NOT NULL,
    signature_id uuid        NOT NULL,
    reason       text        NOT NULL CONSTRAINT signature_withdrawals_reason CHECK (btrim(reason) <> '' AND length(reason) <= 2000),
    issuer       text        NOT NULL,
    subject      text        NOT NULL,
    name         text        NOT NULL,
    withdrawn_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT signature_withdrawals_pkey PRIMARY KEY (tenant_id, signature_id),
    CONSTRAINT signature_withdrawals_signature FOREIGN KEY (tenant_id, signature_id) REFERENCES gatehouse.signatures
);
CREATE TRIGGER signature_withdrawals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.signature_withdrawals
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.signature_withdrawals ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.signature_withdrawals
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.signature_withdrawals TO gatehouse_app;

-- The gates ----------------------------------------------------------------------------------------------------------
-- All of these run with the rights of the caller: another tenant's run is no run, and its content NULL.

-- Times stand in the content as UTC text, so that no setting of a session changes what is signed.
CREATE FUNCTION gatehouse.utc_text(at timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- What is signed. Having taken an item in hand is no change of it, so an item in progress stands there as open.
CREATE FUNCTION gatehouse.gate_content(run uuid, gate_id text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT jsonb_build_object(
    'form', 'gatehouse-gate-1',
    'release', jsonb_build_object('run', r.run_id, 'tenant', r.tenant_id, 'code', r.code, 'title', r.title,
                                  'environment', r.environment, 't0', gatehouse.utc_text(r.t0), 'time_zone', r.time_zone),
    'template', jsonb_build_object('name', r.template_name, 'version', r.template_version, 'sha256', r.template_sha256),
    'gate', jsonb_build_object('id', g.gate, 'name', g.name, 'judges', g.judges),
    'slots', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                         'slot', s.slot, 'role', s.role, 'required', s.required, 'statement', s.statement) ORDER BY s.position), '[]')
                FROM gatehouse.run_gate_slots s WHERE s.tenant_id = r.tenant_id AND s.run_id = r.run_id AND s.gate = g.gate),
    'migrations', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                              'version', m.version, 'title', m.title, 'sha256', m.sha256) ORDER BY m.position), '[]')
                     FROM gatehouse.run_migrations m WHERE m.tenant_id = r.tenant_id AND m.run_id = r.run_id),
    'items', (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                         'id', i.item_id, 'title', i.title, 'owner', i.owner_role, 'required', i.required,
                         'state', CASE i.state WHEN 'in_progress' THEN 'open' ELSE i.state END,
                         'by', NULLIF(i.settled_name, ''), 'issuer', NULLIF(i.settled_issuer, ''),
                         'subject', NULLIF(i.settled_subject, ''),
                         'at', gatehouse.utc_text(i.settled_at), 'reason', NULLIF(i.reason, ''),
                         'evidence', CASE WHEN e.number IS NOT NULL THEN jsonb_build_object(
                             'number', e.number, 'kind', e.kind, 'value', e.value, 'note', e.note, 'summary', e.summary,
                             'query', e.query, 'passed', e.passed, 'sha256', e.sha256, 'by', e.name,
                             'at', gatehouse.utc_text(e.added_at)) END)) ORDER BY i.position), '[]')
                FROM gatehouse.run_items i
                LEFT JOIN gatehouse.run_evidence e
                       ON e.tenant_id = i.tenant_id AND e.run_id = i.run_id AND e.item_id = i.item_id AND e.number = i.evidence
               WHERE i.tenant_id = r.tenant_id AND i.run_id = r.run_id AND i.gate = g.gate))
    || CASE WHEN g.after_migrations THEN jsonb_build_object(
    'applied', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                           'version', m.version, 'direction', h.direction, 'success', h.success, 'sha256', h.sha256,
                           'finished_at', gatehouse.utc_text(h.finished_at), 'entry', h.ledger_id) ORDER BY m.position), '[]')
                  FROM gatehouse.run_migrations m
                 CROSS JOIN LATERAL (SELECT l.ledger_id, l.direction, l.success, l.sha256, l.finished_at
                                       FROM gatehouse.migration_history l WHERE l.version = m.version
                                      ORDER BY l.ledger_id DESC LIMIT 1) h
                 WHERE m.tenant_id = r.tenant_id AND m.run_id = r.run_id),
    'health', (SELECT jsonb_build_object('item', i.item_id, 'passed', e.passed, 'summary', e.summary,
                                         'sha256', e.sha256, 'at', gatehouse.utc_text(e.added_at))
                 FROM gatehouse.run_items i
                 JOIN gatehouse.run_evidence e
                   ON e.tenant_id = i.tenant_id AND e.run_id = i.run_id AND e.item_id = i.item_id AND e.number = i.evidence
                WHERE i.tenant_id = r.tenant_id AND i.run_id = r.run_id AND i.gate = g.gate AND i.check_name = 'health.overall'
                ORDER BY e.added_at DESC, i.position DESC LIMIT 1)) ELSE '{}' END
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND g.gate = gate_id
$$;

CREATE FUNCTION gatehouse.gate_content_sha256(run uuid, gate_id text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$$ SELECT encode(sha256(convert_to(gatehouse.gate_content(run, gate_id)::text, 'UTF8')), 'hex') $$;

-- Passed: every required slot holds a signature of the content as it is now that nobody took back.
CREATE FUNCTION gatehouse.gate_passed(run uuid, gate_id text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
WITH now AS MATERIALIZED (SELECT gatehouse.gate_content_sha256(run, gate_id) AS sha256)
SELECT count(*) FILTER (WHERE s.required) > 0
   AND bool_and(NOT s.required OR EXISTS (
           SELECT FROM gatehouse.signatures g
            WHERE g.tenant_id = s.tenant_id AND g.run_id = s.run_id AND g.gate = s.gate AND g.slot = s.slot
              AND g.content_sha256 = now.sha256
              AND NOT EXISTS (SELECT FROM gatehouse.signature_withdrawals w
                               WHERE w.tenant_id = g.tenant_id AND w.signature_id = g.signature_id)))
  FROM gatehouse.run_gate_slots s
 CROSS JOIN now
 WHERE s.tenant_id = gatehouse.current_tenant() AND s.run_id = run AND s.gate = gate_id
$$;

-- Ready for signing: the release is running, every required item is done, the gates before have been passed and hold,
-- and where the gate judges migrations, the last entry of each in the ledger says that it is applied.
CREATE FUNCTION gatehouse.gate_ready(run uuid, gate_id text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (
    SELECT FROM gatehouse.runs r
      JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
     WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND r.state = 'active' AND g.gate = gate_id
       AND NOT EXISTS (SELECT FROM gatehouse.run_items i
                        WHERE i.tenant_id = r.tenant_id AND i.run_id = r.run_id AND i.gate = g.gate
                          AND i.required AND i.state <> 'done')
       AND NOT EXISTS (SELECT FROM gatehouse.run_gates earlier
                        WHERE earlier.tenant_id = r.tenant_id AND earlier.run_id = r.run_id AND earlier.position < g.position
                          AND gatehouse.gate_passed(run, earlier.gate) IS NOT TRUE)
       AND (NOT g.after_migrations OR NOT EXISTS (
               SELECT FROM gatehouse.run_migrations m
                 LEFT JOIN LATERAL (SELECT l.direction, l.success FROM gatehouse.migration_history l
                                     WHERE l.version = m.version ORDER BY l.ledger_id DESC LIMIT 1) h ON true
                WHERE m.tenant_id = r.tenant_id AND m.run_id = r.run_id
                  AND (h.success AND h.direction IN ('up', 'baseline')) IS NOT TRUE)))
$$;
