-- name: AddBackup :one
-- Only the tenant that operates the environment keeps backups; for any other there is no row.
INSERT INTO gatehouse.backups (tenant_id, backup_id, name, bytes, sha256, taken_at, took_ms, manifest, manifest_sha256,
                               actor_issuer, actor_subject, actor_name, origin)
SELECT t.tenant_id, @backup, @name, @bytes, @sha256, @taken_at, @took_ms, @manifest, encode(sha256(convert_to(@manifest, 'UTF8')), 'hex'),
       @issuer, @subject, @actor, @origin
  FROM gatehouse.tenants t
 WHERE t.tenant_id = @tenant AND t.is_operator
RETURNING backup_id;

-- name: AddBackupCheck :exec
INSERT INTO gatehouse.backup_checks (tenant_id, check_id, backup_id, kind, passed, findings, took_ms, actor_issuer, actor_subject, actor_name, origin)
VALUES (@tenant, @check, @backup, @kind, @passed, @findings, @took_ms, @issuer, @subject, @actor, @origin);

-- name: ListBackups :many
-- The newest first, each with the newest look of each kind.
SELECT b.backup_id, b.name, b.bytes, b.sha256, b.taken_at, b.took_ms, b.manifest, b.actor_name,
       v.passed AS verified, v.recorded_at AS verified_at, v.findings AS verify_findings,
       d.passed AS drilled, d.recorded_at AS drilled_at, d.findings AS drill_findings, d.took_ms AS drill_ms
  FROM gatehouse.backups b
  LEFT JOIN LATERAL (SELECT c.passed, c.recorded_at, c.findings FROM gatehouse.backup_checks c
                      WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind = 'verify' ORDER BY c.recorded_at DESC LIMIT 1) v ON true
  LEFT JOIN LATERAL (SELECT c.passed, c.recorded_at, c.findings, c.took_ms FROM gatehouse.backup_checks c
                      WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind = 'drill' ORDER BY c.recorded_at DESC LIMIT 1) d ON true
 WHERE b.tenant_id = gatehouse.current_tenant() AND (@backup::uuid IS NULL OR b.backup_id = @backup)
 ORDER BY b.taken_at DESC
 LIMIT 50;
