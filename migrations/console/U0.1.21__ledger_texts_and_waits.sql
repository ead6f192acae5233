-- undo of V0.1.21. What was applied, and what it waited for, is not forgotten.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.migration_texts) OR EXISTS (SELECT FROM gatehouse.migration_ledger WHERE lock_waits IS NOT NULL) THEN
        RAISE EXCEPTION 'There are texts of applied files; undoing this would forget them.'
            USING ERRCODE = 'restrict_violation', HINT = 'Nothing was changed.';
    END IF;
END $$;

DROP VIEW public.schema_version;
DROP VIEW gatehouse.migration_history;
ALTER TABLE gatehouse.migration_ledger
    DROP CONSTRAINT migration_ledger_lock_waits_whole,
    DROP CONSTRAINT migration_ledger_lock_waits_not_negative,
    DROP COLUMN lock_waits,
    DROP COLUMN lock_wait_ms,
    DROP COLUMN lock_waited_for;
DROP TABLE gatehouse.migration_texts;

CREATE VIEW gatehouse.migration_history WITH (security_barrier) AS
SELECT l.ledger_id, l.version, l.version_number, l.description, l.script, l.direction, l.success, l.sha256, l.sha256_tokens,
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
       CASE WHEN m.mine THEN l.notices ELSE '' END AS notices
  FROM gatehouse.migration_ledger l
 CROSS JOIN LATERAL (
       -- Set-up acts for no tenant, and its name is nobody's.
       SELECT l.tenant_id = '00000000-0000-0000-0000-000000000000' OR l.tenant_id = gatehouse.current_tenant() IS TRUE AS mine
       ) m;
GRANT SELECT ON gatehouse.migration_history, gatehouse.migration_state TO gatehouse_app;

CREATE VIEW public.schema_version WITH (security_barrier) AS
WITH newest AS (
    SELECT DISTINCT ON (version_number) ledger_id, version_number, direction, success
      FROM gatehouse.migration_history
     ORDER BY version_number, ledger_id DESC
), effect AS (
    SELECT DISTINCT ON (version_number) ledger_id, version_number, direction
      FROM gatehouse.migration_history
     WHERE success
     ORDER BY version_number, ledger_id DESC
)
SELECT h.ledger_id AS installed_rank, h.version, h.description, h.script, h.sha256 AS checksum,
       h.actor_name AS installed_by, h.finished_at AS installed_on, h.duration_ms AS execution_time_ms, h.success
  FROM newest n
  LEFT JOIN effect e USING (version_number)
  JOIN gatehouse.migration_history h
    ON h.ledger_id = CASE WHEN e.direction IN ('up', 'baseline') THEN e.ledger_id
                          WHEN NOT n.success THEN n.ledger_id END;
GRANT SELECT ON public.schema_version TO gatehouse_app;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'wms_application_role') THEN
        GRANT SELECT ON public.schema_version TO wms_application_role;
    END IF;
END $$;
