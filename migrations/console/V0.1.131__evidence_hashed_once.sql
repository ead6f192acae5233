-- title: each piece of evidence that counts is hashed once
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: nothing
-- changes: function gatehouse.evidence_blockers(uuid, text)

-- Evidence that is not what was given keeps its gate shut, and so does too little of it. What counts is chosen before anything is
-- hashed: otherwise a plan for a small table hashes every piece once for every item. Files are read again, byte by byte,
-- where one gate is asked for: on its page and as it is signed; of all gates at once only what is short is.
CREATE OR REPLACE FUNCTION gatehouse.evidence_blockers(run uuid, gate_id text) RETURNS TABLE (gate text, item text, what text, place integer)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
WITH counting AS MATERIALIZED (
    SELECT i.gate, i.item_id, i.title, i.position, e.kind, e.value, e.note, e.summary, e.query, e.sha256
      FROM gatehouse.run_items i
      JOIN gatehouse.run_evidence e ON e.tenant_id = i.tenant_id AND e.run_id = i.run_id AND e.item_id = i.item_id AND e.number = i.evidence
     WHERE i.tenant_id = gatehouse.current_tenant() AND i.run_id = run AND i.gate <> '' AND (gate_id IS NULL OR i.gate = gate_id)
)
SELECT c.gate, c.item_id, c.item_id || ', ' || c.title || ', has evidence that is not what was given: its hash does not match. '
       || 'Tell your auditor; then put the item back and give its evidence anew.', c.position
  FROM counting c
 WHERE c.sha256 <> gatehouse.evidence_sha256(c.kind, c.value, c.note, c.summary, c.query)
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
