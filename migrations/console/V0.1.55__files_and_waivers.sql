-- title: evidence that is a file, and the signed skipping of what is required
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: run_items and run_evidence for an instant
-- undo loses: nothing; it refuses while there is a file or a signed skipping
-- creates: table gatehouse.evidence_files
-- creates: table gatehouse.evidence_chunks
-- creates: table gatehouse.item_waivers
-- creates: function gatehouse.file_sha256(uuid, text, integer)
-- creates: function gatehouse.item_files_content(uuid, text, integer)
-- creates: function gatehouse.item_waiver_content(uuid)
-- creates: function gatehouse.evidence_blockers(uuid, text)
-- creates: function gatehouse.waiver_roles(uuid, text)
-- creates: function gatehouse.waiver_content(uuid, text, text, text)
-- changes: table gatehouse.run_items
-- changes: table gatehouse.run_evidence
-- changes: function gatehouse.gate_content(uuid, text)
-- changes: function gatehouse.gate_blockers(uuid, text)

-- round counts how often the item was begun: putting it back begins the next, and what was attached before counts no longer.
ALTER TABLE gatehouse.run_items
    ADD COLUMN round integer NOT NULL DEFAULT 1 CONSTRAINT run_items_round_positive CHECK (round > 0),
    ADD COLUMN waiver uuid,
    DROP CONSTRAINT run_items_kind,
    ADD CONSTRAINT run_items_kind CHECK (kind IN ('text', 'number', 'link', 'statement', 'file', 'auto')),
    DROP CONSTRAINT run_items_required_not_skipped,
    ADD CONSTRAINT run_items_required_skipped_by_signature CHECK (state <> 'skipped' OR NOT required OR waiver IS NOT NULL),
    ADD CONSTRAINT run_items_waived_is_skipped CHECK (waiver IS NULL OR state = 'skipped');
GRANT UPDATE (round, waiver) ON gatehouse.run_items TO gatehouse_app;
ALTER TABLE gatehouse.run_evidence
    DROP CONSTRAINT run_evidence_kind,
    ADD CONSTRAINT run_evidence_kind CHECK (kind IN ('text', 'number', 'link', 'statement', 'file', 'auto'));

-- A file that a person attached to an item. What its bytes are called here is their SHA-256; the name is the person's.
CREATE TABLE gatehouse.evidence_files (
    tenant_id uuid        NOT NULL,
    run_id    uuid        NOT NULL,
    item_id   text        NOT NULL,
    number    integer     NOT NULL CONSTRAINT evidence_files_number_positive CHECK (number > 0),
    round     integer     NOT NULL,
    sha256    text        NOT NULL CONSTRAINT evidence_files_sha256_form CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    file_name text        NOT NULL CONSTRAINT evidence_files_name_form
                          CHECK (octet_length(file_name) BETWEEN 1 AND 255 AND file_name !~ '[/\\[:cntrl:]]'),
    bytes     integer     NOT NULL CONSTRAINT evidence_files_size CHECK (bytes BETWEEN 1 AND 20 * 1024 * 1024),
    issuer    text        NOT NULL,
    subject   text        NOT NULL CONSTRAINT evidence_files_subject_filled CHECK (subject <> ''),
    name      text        NOT NULL,
    added_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT evidence_files_pkey PRIMARY KEY (tenant_id, run_id, item_id, number),
    CONSTRAINT evidence_files_once_a_round UNIQUE (tenant_id, run_id, item_id, round, sha256),
    CONSTRAINT evidence_files_item FOREIGN KEY (tenant_id, run_id, item_id) REFERENCES gatehouse.run_items
);

-- Its bytes, in pieces of 256 KiB, so that neither here nor in the program a whole file has to be held to be sent on.
-- They come before the row of the file, which is only stored when the pieces have the hash that was received.
CREATE TABLE gatehouse.evidence_chunks (
    tenant_id uuid    NOT NULL,
    run_id    uuid    NOT NULL,
    item_id   text    NOT NULL,
    number    integer NOT NULL,
    place     integer NOT NULL,
    body      bytea   NOT NULL CONSTRAINT evidence_chunks_size CHECK (octet_length(body) BETWEEN 1 AND 256 * 1024),
    CONSTRAINT evidence_chunks_pkey PRIMARY KEY (tenant_id, run_id, item_id, number, place),
    CONSTRAINT evidence_chunks_file FOREIGN KEY (tenant_id, run_id, item_id, number) REFERENCES gatehouse.evidence_files
               DEFERRABLE INITIALLY DEFERRED
);
ALTER TABLE gatehouse.evidence_chunks ALTER COLUMN body SET STORAGE EXTERNAL; -- most files are packed already

-- Skipping what is required is signed by somebody of the roles that sign its gate. It holds what was shown, byte by byte.
CREATE TABLE gatehouse.item_waivers (
    tenant_id       uuid        NOT NULL,
    waiver_id       uuid        NOT NULL,
    run_id          uuid        NOT NULL,
    item_id         text        NOT NULL,
    role            text        NOT NULL,
    statement       text        NOT NULL CONSTRAINT item_waivers_statement_filled CHECK (btrim(statement) <> ''),
    reason          text        NOT NULL CONSTRAINT item_waivers_reason CHECK (btrim(reason) <> '' AND length(reason) <= 2000),
    content         text        NOT NULL,
    content_sha256  text        NOT NULL,
    issuer          text        NOT NULL,
    subject         text        NOT NULL CONSTRAINT item_waivers_subject_filled CHECK (subject <> ''),
    name            text        NOT NULL,
    auth_time       timestamptz NOT NULL,
    acr             text        NOT NULL,
    origin          text        NOT NULL,
    ip              text        NOT NULL,
    session         text        NOT NULL,
    signed_at       timestamptz NOT NULL,
    CONSTRAINT item_waivers_pkey PRIMARY KEY (tenant_id, waiver_id),
    CONSTRAINT item_waivers_of_item UNIQUE (tenant_id, run_id, item_id, waiver_id),
    CONSTRAINT item_waivers_content_hash CHECK (content_sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')),
    CONSTRAINT item_waivers_fresh CHECK (auth_time BETWEEN signed_at - interval '5 minutes' AND signed_at + interval '60 seconds'),
    CONSTRAINT item_waivers_item FOREIGN KEY (tenant_id, run_id, item_id) REFERENCES gatehouse.run_items
);
ALTER TABLE gatehouse.run_items ADD CONSTRAINT run_items_waiver
    FOREIGN KEY (tenant_id, run_id, item_id, waiver) REFERENCES gatehouse.item_waivers (tenant_id, run_id, item_id, waiver_id);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['evidence_files', 'evidence_chunks', 'item_waivers'] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.%1$s
            FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change()', t);
        EXECUTE format('ALTER TABLE gatehouse.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON gatehouse.%I
            USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant())', t);
        EXECUTE format('GRANT SELECT, INSERT ON gatehouse.%I TO gatehouse_app', t);
    END LOOP;
END $$;

-- The hash of the bytes as they are stored now; NULL where there are none.
CREATE FUNCTION gatehouse.file_sha256(run uuid, item text, file integer) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT encode(sha256(string_agg(c.body, ''::bytea ORDER BY c.place)), 'hex')
  FROM gatehouse.evidence_chunks c
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.run_id = run AND c.item_id = item AND c.number = file
$$;

-- The files that count for an item, as they stand in what is signed; NULL where there are none.
CREATE FUNCTION gatehouse.item_files_content(run uuid, item text, round integer) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT jsonb_agg(jsonb_build_object('number', f.number, 'name', f.file_name, 'bytes', f.bytes, 'sha256', f.sha256, 'by', f.name,
                                    'at', gatehouse.utc_text(f.added_at)) ORDER BY f.number)
  FROM gatehouse.evidence_files f
 WHERE f.tenant_id = gatehouse.current_tenant() AND f.run_id = run AND f.item_id = item AND f.round = item_files_content.round
$$;

-- Who signed that an item is skipped, and what they declared, as it stands in what is signed; NULL where nobody did.
CREATE FUNCTION gatehouse.item_waiver_content(waiver uuid) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT jsonb_build_object('statement', w.statement, 'reason', w.reason, 'role', w.role, 'by', w.name, 'issuer', w.issuer, 'subject', w.subject,
                          'at', gatehouse.utc_text(w.signed_at), 'sha256', w.content_sha256)
  FROM gatehouse.item_waivers w
 WHERE w.tenant_id = gatehouse.current_tenant() AND w.waiver_id = waiver
$$;

-- The roles of which one signs that a required item is skipped: those that must sign the gate that judges it, or where none
-- does, the last gate.
CREATE FUNCTION gatehouse.waiver_roles(run uuid, item text) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT array_agg(DISTINCT s.role ORDER BY s.role)
  FROM gatehouse.run_items i
  JOIN gatehouse.run_gate_slots s ON s.tenant_id = i.tenant_id AND s.run_id = i.run_id AND s.required
   AND s.gate = coalesce(NULLIF(i.gate, ''), (SELECT g.gate FROM gatehouse.run_gates g
                                               WHERE g.tenant_id = i.tenant_id AND g.run_id = i.run_id ORDER BY g.position DESC LIMIT 1))
 WHERE i.tenant_id = gatehouse.current_tenant() AND i.run_id = run AND i.item_id = item
$$;

-- What is signed by whoever lets a required item be skipped.
CREATE FUNCTION gatehouse.waiver_content(run uuid, item text, statement text, reason text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT jsonb_build_object('form', 'gatehouse-waiver-1',
    'release', jsonb_build_object('run', r.run_id, 'tenant', r.tenant_id, 'code', r.code, 'title', r.title,
                                  'environment', r.environment, 't0', gatehouse.utc_text(r.t0), 'time_zone', r.time_zone),
    'template', jsonb_build_object('name', r.template_name, 'version', r.template_version, 'sha256', r.template_sha256),
    'item', jsonb_build_object('id', i.item_id, 'title', i.title, 'owner', i.owner_role, 'gate', i.gate, 'state', i.state, 'version', i.version),
    'statement', waiver_content.statement, 'reason', waiver_content.reason)
  FROM gatehouse.runs r
  JOIN gatehouse.run_items i ON i.tenant_id = r.tenant_id AND i.run_id = r.run_id
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND i.item_id = item
$$;

-- Evidence that is not what was given keeps its gate shut. Files are read again, byte by byte, where one gate is asked for:
-- on its page and as it is signed; of all gates at once only what is short is.
CREATE FUNCTION gatehouse.evidence_blockers(run uuid, gate_id text) RETURNS TABLE (gate text, item text, what text, place integer)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT i.gate, i.item_id, i.item_id || ', ' || i.title || ', has evidence that is not what was given: its hash does not match. '
       || 'Tell your auditor; then put the item back and give its evidence anew.', i.position
  FROM gatehouse.run_items i
  JOIN gatehouse.run_evidence e ON e.tenant_id = i.tenant_id AND e.run_id = i.run_id AND e.item_id = i.item_id AND e.number = i.evidence
 WHERE i.tenant_id = gatehouse.current_tenant() AND i.run_id = run AND i.gate <> '' AND (gate_id IS NULL OR i.gate = gate_id)
   AND e.sha256 <> gatehouse.evidence_sha256(e.kind, e.value, e.note, e.summary, e.query)
UNION ALL
SELECT i.gate, i.item_id, i.item_id || ', ' || i.title || ', has the file ' || f.file_name || ', which is not what was given: its hash does not match. '
       || 'Tell your auditor; then put the item back and attach the file anew.', i.position
  FROM gatehouse.run_items i
  JOIN gatehouse.evidence_files f ON f.tenant_id = i.tenant_id AND f.run_id = i.run_id AND f.item_id = i.item_id AND f.round = i.round
 WHERE i.tenant_id = gatehouse.current_tenant() AND i.run_id = run AND gate_id IS NOT NULL AND i.gate = gate_id
   AND gatehouse.file_sha256(f.run_id, f.item_id, f.number) IS DISTINCT FROM f.sha256
UNION ALL
SELECT i.gate, i.item_id, i.item_id || ', ' || i.title || ', was done with a file that is not among those that count. '
       || 'Put the item back and attach the file anew.', i.position
  FROM gatehouse.run_items i
  JOIN gatehouse.run_evidence e ON e.tenant_id = i.tenant_id AND e.run_id = i.run_id AND e.item_id = i.item_id AND e.number = i.evidence
 WHERE i.tenant_id = gatehouse.current_tenant() AND i.run_id = run AND i.gate <> '' AND (gate_id IS NULL OR i.gate = gate_id)
   AND e.kind = 'file'
   AND NOT EXISTS (SELECT FROM gatehouse.evidence_files f
                    WHERE f.tenant_id = i.tenant_id AND f.run_id = i.run_id AND f.item_id = i.item_id AND f.round = i.round AND f.sha256 = e.value)
$$;

-- What is signed. Having taken an item in hand is no change of it, so an item in progress stands there as open.
CREATE OR REPLACE FUNCTION gatehouse.gate_content(run uuid, gate_id text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT jsonb_build_object(
    'form', 'gatehouse-gate-1',
    'release', jsonb_build_object('run', r.run_id, 'tenant', r.tenant_id, 'code', r.code, 'title', r.title,
                                  'environment', r.environment, 't0', gatehouse.utc_text(r.t0), 'time_zone', r.time_zone),
    'template', jsonb_build_object('name', r.template_name, 'version', r.template_version, 'sha256', r.template_sha256),
    'gate', jsonb_strip_nulls(jsonb_build_object('id', g.gate, 'name', g.name, 'judges', g.judges,
                                                'not_before', gatehouse.utc_text(gatehouse.earliest(r.t0, g.not_before_seconds)))),
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
                         'not_before', gatehouse.utc_text(gatehouse.earliest(r.t0, i.not_before_seconds)),
                         'evidence', CASE WHEN e.number IS NOT NULL THEN jsonb_build_object(
                             'number', e.number, 'kind', e.kind, 'value', e.value, 'note', e.note, 'summary', e.summary,
                             'query', e.query, 'passed', e.passed, 'sha256', e.sha256, 'by', e.name,
                             'at', gatehouse.utc_text(e.added_at)) END,
                         'files', gatehouse.item_files_content(i.run_id, i.item_id, i.round),
                         'waiver', gatehouse.item_waiver_content(i.waiver))) ORDER BY i.position), '[]')
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

-- What keeps a gate shut, each with its words; of every gate of the run where gate_id is NULL. place orders them.
CREATE OR REPLACE FUNCTION gatehouse.gate_blockers(run uuid, gate_id text) RETURNS TABLE (gate text, item text, what text, place integer)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT g.gate, i.item_id AS item, i.item_id || ', ' || i.title || ', is ' || replace(i.state, '_', ' ') || '.' AS what, i.position AS place
  FROM gatehouse.run_gates g
  JOIN gatehouse.run_items i ON i.tenant_id = g.tenant_id AND i.run_id = g.run_id AND i.gate = g.gate AND i.required AND i.state <> 'done' AND i.waiver IS NULL
 WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
UNION ALL
SELECT g.gate, i.item_id, i.item_id || ', ' || i.title || ', was said before its time as T-0 is now. Put it back, and say it again when it is true.', i.position
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
  JOIN gatehouse.run_items i ON i.tenant_id = g.tenant_id AND i.run_id = g.run_id AND i.gate = g.gate AND i.state = 'done'
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND i.settled_at < gatehouse.earliest(r.t0, i.not_before_seconds)
UNION ALL
SELECT g.gate, '', 'The gate opens at ' || to_char(gatehouse.earliest(r.t0, g.not_before_seconds) AT TIME ZONE r.time_zone, 'DD Mon YYYY HH24:MI')
       || ' (' || r.time_zone || '): what it judges needs that time.', 30000
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND clock_timestamp() < gatehouse.earliest(r.t0, g.not_before_seconds)
UNION ALL
SELECT g.gate, '', 'The gate ' || e.name || ' comes first, and it is not passed.', 10000 + e.position
  FROM gatehouse.run_gates g
  JOIN gatehouse.run_gates e ON e.tenant_id = g.tenant_id AND e.run_id = g.run_id AND e.position < g.position
 WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND gatehouse.gate_passed(e.run_id, e.gate) IS NOT TRUE
UNION ALL
SELECT g.gate, '', 'Migration V' || m.version || ' is not applied, by the last entry of the ledger.', 20000 + m.position
  FROM gatehouse.run_gates g
  JOIN gatehouse.run_migrations m ON m.tenant_id = g.tenant_id AND m.run_id = g.run_id
  LEFT JOIN LATERAL (SELECT l.direction, l.success FROM gatehouse.migration_history l
                      WHERE l.version = m.version ORDER BY l.ledger_id DESC LIMIT 1) h ON true
 WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND g.after_migrations AND (h.success AND h.direction IN ('up', 'baseline')) IS NOT TRUE
UNION ALL
SELECT g.gate, i.item_id, i.item_id || ', ' || i.title || ', was found at ' || to_char(e.added_at AT TIME ZONE r.time_zone, 'DD Mon HH24:MI')
       || ', and is good for ' || CASE WHEN i.fresh_seconds % 3600 = 0 THEN i.fresh_seconds / 3600 || ' h' ELSE i.fresh_seconds / 60 || ' min' END
       || '. Run its check again.', i.position
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
  JOIN gatehouse.run_items i ON i.tenant_id = g.tenant_id AND i.run_id = g.run_id AND i.gate = g.gate AND i.state = 'done' AND i.fresh_seconds IS NOT NULL
  JOIN gatehouse.run_evidence e ON e.tenant_id = i.tenant_id AND e.run_id = i.run_id AND e.item_id = i.item_id AND e.number = i.evidence
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND gatehouse.went_stale(e.added_at, i.fresh_seconds, clock_timestamp())
UNION ALL
SELECT g.gate, i.item_id, i.item_id || ', ' || i.title || ', was found before V' || b.version || ' was taken back. Run its check again.', i.position
  FROM gatehouse.run_gates g
  JOIN gatehouse.run_items i ON i.tenant_id = g.tenant_id AND i.run_id = g.run_id AND i.gate = g.gate AND i.state = 'done' AND i.kind = 'auto'
 CROSS JOIN LATERAL (SELECT l.version FROM gatehouse.migration_history l
                       JOIN gatehouse.run_migrations m ON m.version = l.version AND m.tenant_id = g.tenant_id AND m.run_id = g.run_id
                      WHERE l.success AND l.direction NOT IN ('up', 'baseline') AND l.finished_at > i.settled_at
                      ORDER BY l.ledger_id DESC LIMIT 1) b
 WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
   AND g.after_migrations
UNION ALL
SELECT b.gate, b.item, b.what, b.place FROM gatehouse.evidence_blockers(run, gate_id) b
$$;
