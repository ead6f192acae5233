-- title: a gate's rules say how much evidence it needs, which checks, and whether who gave evidence may sign
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: run_gates and run_gate_slots for an instant
-- undo loses: the rules of gates of releases that were started since; they are judged without them then
-- changes: table gatehouse.run_gates
-- changes: table gatehouse.run_gate_slots
-- changes: function gatehouse.evidence_blockers(uuid, text)
-- creates: function gatehouse.rule_blockers(uuid, text)
-- creates: function gatehouse.evidence_authors(uuid, text)

-- Frozen with the release; one that was started before has none of these rules.
ALTER TABLE gatehouse.run_gates
    ADD COLUMN least_items integer NOT NULL DEFAULT 0 CONSTRAINT run_gates_least_items CHECK (least_items >= 0),
    ADD COLUMN least_files integer NOT NULL DEFAULT 0 CONSTRAINT run_gates_least_files CHECK (least_files >= 0),
    ADD COLUMN least_checks integer NOT NULL DEFAULT 0 CONSTRAINT run_gates_least_checks CHECK (least_checks >= 0),
    ADD COLUMN required_checks text[] NOT NULL DEFAULT '{}',
    ADD COLUMN authors_barred boolean NOT NULL DEFAULT false;
-- How long after the gate is due the deputies of a place may sign in it; NULL where they never may.
ALTER TABLE gatehouse.run_gate_slots ADD COLUMN deputies_seconds integer
    CONSTRAINT run_gate_slots_deputies_not_before_due CHECK (deputies_seconds >= 0);

-- Who gave the evidence that a gate judges: what counts of each settled item, and its files. What a check of the system found
-- is nobody's word, whoever asked for it.
CREATE FUNCTION gatehouse.evidence_authors(run uuid, gate_id text) RETURNS TABLE (issuer text, subject text, name text, item text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT e.issuer, e.subject, e.name, i.item_id
  FROM gatehouse.run_items i
  JOIN gatehouse.run_evidence e ON e.tenant_id = i.tenant_id AND e.run_id = i.run_id AND e.item_id = i.item_id AND e.number = i.evidence
 WHERE i.tenant_id = gatehouse.current_tenant() AND i.run_id = run AND i.gate = gate_id AND i.state = 'done' AND e.kind <> 'auto'
UNION
SELECT f.issuer, f.subject, f.name, i.item_id
  FROM gatehouse.run_items i
  JOIN gatehouse.evidence_files f ON f.tenant_id = i.tenant_id AND f.run_id = i.run_id AND f.item_id = i.item_id AND f.round = i.round
 WHERE i.tenant_id = gatehouse.current_tenant() AND i.run_id = run AND i.gate = gate_id AND i.state = 'done'
$$;

-- What a gate's own rules still miss. An item that was skipped, with or without a signature, is no evidence of anything.
CREATE FUNCTION gatehouse.rule_blockers(run uuid, gate_id text) RETURNS TABLE (gate text, item text, what text, place integer)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
WITH gates AS (
    SELECT g.* FROM gatehouse.run_gates g
     WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = run AND (gate_id IS NULL OR g.gate = gate_id)
       AND (g.least_items > 0 OR g.least_files > 0 OR g.least_checks > 0 OR cardinality(g.required_checks) > 0)
), settled AS (
    SELECT i.gate, i.item_id, i.kind, i.check_name,
           i.kind = 'auto' AND e.passed AND NOT coalesce(gatehouse.went_stale(e.added_at, i.fresh_seconds, clock_timestamp()), false) AS found_good,
           e.kind = 'file' OR EXISTS (SELECT FROM gatehouse.evidence_files f
                                       WHERE f.tenant_id = i.tenant_id AND f.run_id = i.run_id AND f.item_id = i.item_id AND f.round = i.round) AS has_file
      FROM gatehouse.run_items i
      JOIN gatehouse.run_evidence e ON e.tenant_id = i.tenant_id AND e.run_id = i.run_id AND e.item_id = i.item_id AND e.number = i.evidence
     WHERE i.tenant_id = gatehouse.current_tenant() AND i.run_id = run AND i.state = 'done' AND i.gate IN (SELECT g.gate FROM gates g)
), counted AS (
    SELECT g.gate, g.least_items, g.least_files, g.least_checks,
           (SELECT count(*) FROM settled s WHERE s.gate = g.gate) AS items,
           (SELECT count(*) FROM settled s WHERE s.gate = g.gate AND s.has_file) AS files,
           (SELECT count(*) FROM settled s WHERE s.gate = g.gate AND s.found_good) AS checks
      FROM gates g
)
SELECT c.gate, '', 'This gate needs evidence for at least ' || c.least_items || CASE c.least_items WHEN 1 THEN ' item' ELSE ' items' END
       || ', and has it for ' || c.items || '. An item that is skipped does not count.', 30001
  FROM counted c WHERE c.items < c.least_items
UNION ALL
SELECT c.gate, '', 'This gate needs a file with at least ' || c.least_files || CASE c.least_files WHEN 1 THEN ' item' ELSE ' items' END
       || ', and ' || c.files || CASE c.files WHEN 1 THEN ' has' ELSE ' have' END || ' one.', 30002
  FROM counted c WHERE c.files < c.least_files
UNION ALL
SELECT c.gate, '', 'This gate needs at least ' || c.least_checks || CASE c.least_checks WHEN 1 THEN ' check' ELSE ' checks' END
       || ' of the system that found everything good, and has ' || c.checks || '.', 30003
  FROM counted c WHERE c.checks < c.least_checks
UNION ALL
SELECT g.gate, coalesce(i.item_id, ''),
       'The check ' || n.name || ' has to have found everything good'
       || CASE WHEN i.item_id IS NULL THEN ', and no item of this gate runs it.' ELSE ', and not too long ago: run it at ' || i.item_id || ', ' || i.title || '.' END,
       30100 + n.place::integer
  FROM gates g
 CROSS JOIN LATERAL unnest(g.required_checks) WITH ORDINALITY n(name, place)
  LEFT JOIN LATERAL (SELECT x.item_id, x.title FROM gatehouse.run_items x
                      WHERE x.tenant_id = g.tenant_id AND x.run_id = g.run_id AND x.gate = g.gate AND x.kind = 'auto' AND x.check_name = n.name
                      ORDER BY x.position LIMIT 1) i ON true
 WHERE NOT EXISTS (SELECT FROM settled s WHERE s.gate = g.gate AND s.check_name = n.name AND s.found_good)
$$;

-- Evidence that is not what was given keeps its gate shut, and so does too little of it. Files are read again, byte by byte,
-- where one gate is asked for: on its page and as it is signed; of all gates at once only what is short is.
CREATE OR REPLACE FUNCTION gatehouse.evidence_blockers(run uuid, gate_id text) RETURNS TABLE (gate text, item text, what text, place integer)
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
UNION ALL
SELECT b.gate, b.item, b.what, b.place FROM gatehouse.rule_blockers(run, gate_id) b
$$;
