-- name: AddExternalBackup :one
-- Only the tenant that operates the environment registers; for any other, and for a person whose sign-in is not fresh, there
-- is no row.
INSERT INTO gatehouse.external_backups (tenant_id, external_id, provider, identifier, taken_at, covers, evidence, sha256, file,
                                        actor_issuer, actor_subject, actor_name, auth_time, origin)
SELECT t.tenant_id, @external, @provider, @identifier, @taken_at, @covers, @evidence, @sha256, @file,
       @issuer, @subject, @actor, @auth_time::timestamptz, @origin
  FROM gatehouse.tenants t
 WHERE t.tenant_id = @tenant AND t.is_operator
   AND (@origin <> 'web' OR @auth_time::timestamptz > clock_timestamp() - interval '11 minutes')
RETURNING external_id;

-- name: AddBackupMark :one
INSERT INTO gatehouse.backup_marks (tenant_id, mark_id, system, wal, actor_issuer, actor_subject, actor_name, origin)
SELECT t.tenant_id, @mark, (SELECT c.system_identifier FROM pg_control_system() c)::text, pg_current_wal_lsn(), @issuer, @subject, @actor, @origin
  FROM gatehouse.tenants t
 WHERE t.tenant_id = @tenant AND t.is_operator
RETURNING mark_id;

-- name: NewestMark :many
-- The newest of these marks that this very cluster made.
SELECT m.mark_id, m.marked_at, m.system, m.wal::text AS wal
  FROM gatehouse.backup_marks m
 WHERE m.tenant_id = gatehouse.current_tenant() AND m.mark_id = ANY (@marks::uuid[])
   AND m.system = (SELECT c.system_identifier::text FROM pg_control_system() c)
 ORDER BY m.marked_at DESC
 LIMIT 1;

-- name: ExternalBackups :many
-- The newest first, each with the newest drill of each kind.
SELECT x.external_id, x.provider, x.identifier, x.taken_at, x.covers, x.evidence, x.sha256, x.file, x.actor_name, x.registered_at,
       o.passed AS own_passed, o.findings AS own_findings, o.unproven AS own_unproven, o.restored_at AS own_at, o.took_ms AS own_ms,
       o.actor_name AS own_by, o.backup_id AS own_backup,
       a.restored_at AS attested_at, a.took_ms AS attested_ms, a.evidence AS attested_evidence, a.actor_name AS attested_by
  FROM gatehouse.external_backups x
  LEFT JOIN LATERAL (SELECT d.passed, d.findings, d.unproven, d.restored_at, d.took_ms, d.actor_name, d.backup_id FROM gatehouse.external_drills d
                      WHERE d.tenant_id = x.tenant_id AND d.external_id = x.external_id AND d.kind = 'own' ORDER BY d.recorded_at DESC LIMIT 1) o ON true
  LEFT JOIN LATERAL (SELECT d.restored_at, d.took_ms, d.evidence, d.actor_name FROM gatehouse.external_drills d
                      WHERE d.tenant_id = x.tenant_id AND d.external_id = x.external_id AND d.kind = 'attested' ORDER BY d.recorded_at DESC LIMIT 1) a ON true
 WHERE x.tenant_id = gatehouse.current_tenant() AND (@external::uuid IS NULL OR x.external_id = @external)
 ORDER BY x.taken_at DESC
 LIMIT 50;

-- name: AddExternalDrill :one
INSERT INTO gatehouse.external_drills (tenant_id, drill_id, external_id, kind, passed, findings, unproven, restored_at, took_ms, evidence, backup_id,
                                       actor_issuer, actor_subject, actor_name, auth_time, origin)
SELECT x.tenant_id, @drill, x.external_id, @kind, @passed, @findings, @unproven, @restored_at, @took_ms, @evidence, @backup::uuid,
       @issuer, @subject, @actor, @auth_time::timestamptz, @origin
  FROM gatehouse.external_backups x
 WHERE x.tenant_id = gatehouse.current_tenant() AND x.external_id = @external
   AND (@kind = 'own' OR @origin <> 'web' OR @auth_time::timestamptz > clock_timestamp() - interval '11 minutes')
RETURNING drill_id;
