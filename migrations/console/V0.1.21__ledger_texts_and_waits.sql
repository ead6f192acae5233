-- title: the texts that were applied, and what each step waited for
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: the ledger, for a moment
-- undo loses: the texts of applied files and the lock waits of every step; it refuses while there are any
-- creates: table gatehouse.migration_texts
-- creates: column gatehouse.migration_ledger.lock_waits
-- creates: column gatehouse.migration_ledger.lock_wait_ms
-- creates: column gatehouse.migration_ledger.lock_waited_for

-- The text behind each hash of the ledger. It belongs to the environment, as the ledger does.
CREATE TABLE gatehouse.migration_texts (
    sha256  text        NOT NULL CONSTRAINT migration_texts_pkey PRIMARY KEY,
    body    text        NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT migration_texts_body_has_the_hash CHECK (sha256 = encode(sha256(convert_to(body, 'UTF8')), 'hex'))
);
CREATE TRIGGER migration_texts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.migration_texts
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
GRANT SELECT ON gatehouse.migration_texts TO gatehouse_app;

-- How often a step waited for a lock, how long in all, and for whom. NULL where nobody looked, and in entries older than this.
ALTER TABLE gatehouse.migration_ledger
    ADD COLUMN lock_waits integer,
    ADD COLUMN lock_wait_ms bigint,
    ADD COLUMN lock_waited_for text,
    ADD CONSTRAINT migration_ledger_lock_waits_whole CHECK ((lock_waits IS NULL) = (lock_wait_ms IS NULL) AND (lock_waits IS NULL) = (lock_waited_for IS NULL)),
    ADD CONSTRAINT migration_ledger_lock_waits_not_negative CHECK (lock_waits >= 0 AND lock_wait_ms >= 0);

CREATE OR REPLACE VIEW gatehouse.migration_history WITH (security_barrier) AS
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
       CASE WHEN m.mine THEN l.notices ELSE '' END AS notices,
       l.lock_waits, l.lock_wait_ms,
       CASE WHEN m.mine THEN l.lock_waited_for WHEN l.lock_waited_for IS NOT NULL THEN '' END AS lock_waited_for
  FROM gatehouse.migration_ledger l
 CROSS JOIN LATERAL (
       -- Set-up acts for no tenant, and its name is nobody's.
       SELECT l.tenant_id = '00000000-0000-0000-0000-000000000000' OR l.tenant_id = gatehouse.current_tenant() IS TRUE AS mine
       ) m;
