-- title: what a repair writes into the ledger
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: migration_ledger for an instant
-- undo loses: nothing; it refuses while the ledger holds a repair
-- changes: table gatehouse.migration_ledger
-- changes: view gatehouse.migration_history

-- A repair runs nothing: it records what was proven of a version that stopped half way.
ALTER TABLE gatehouse.migration_ledger DROP CONSTRAINT migration_ledger_direction;
ALTER TABLE gatehouse.migration_ledger ADD CONSTRAINT migration_ledger_direction
    CHECK (direction IN ('up', 'down', 'baseline', 'repair_applied', 'repair_removed'));

-- As before, with what a repair says of the version for all who ask whether it is there: schema_version, and releases.
-- recorded_as is the entry's own word.
CREATE OR REPLACE VIEW gatehouse.migration_history WITH (security_barrier) AS
SELECT l.ledger_id, l.version, l.version_number, l.description, l.script,
       CASE l.direction WHEN 'repair_applied' THEN 'up' WHEN 'repair_removed' THEN 'down' ELSE l.direction END AS direction,
       l.success, l.sha256, l.sha256_tokens,
       CASE WHEN m.mine THEN l.tenant_id END AS tenant_id,
       CASE WHEN m.mine THEN l.actor_issuer ELSE '' END AS actor_issuer,
       CASE WHEN m.mine THEN l.actor_subject ELSE '' END AS actor_subject,
       CASE WHEN m.mine THEN l.actor_name ELSE 'another organisation' END AS actor_name,
       CASE WHEN m.mine THEN l.actor_roles ELSE '' END AS actor_roles,
       CASE WHEN m.mine THEN l.origin ELSE '' END AS origin,
       CASE WHEN m.mine THEN l.release_id END AS release_id,
       CASE WHEN m.mine THEN l.run_id END AS run_id,
       l.started_at, l.finished_at, l.duration_ms, l.server_version, l.sqlstate,
       CASE WHEN m.mine THEN l.error WHEN l.error IS NOT NULL THEN 'shown to the organisation that operates this environment' END AS error,
       CASE WHEN m.mine THEN l.notices ELSE '' END AS notices,
       l.direction AS recorded_as
  FROM gatehouse.migration_ledger l
 CROSS JOIN LATERAL (
       -- Set-up acts for no tenant, and its name is nobody's.
       SELECT l.tenant_id = '00000000-0000-0000-0000-000000000000' OR l.tenant_id = gatehouse.current_tenant() IS TRUE AS mine
       ) m;
