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
       d.passed AS drilled, d.recorded_at AS drilled_at, d.findings AS drill_findings, d.took_ms AS drill_ms,
       p.recorded_at AS pruned_at, s.kept_until
  FROM gatehouse.backups b
  LEFT JOIN LATERAL (SELECT c.passed, c.recorded_at, c.findings FROM gatehouse.backup_checks c
                      WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind = 'verify' ORDER BY c.recorded_at DESC LIMIT 1) v ON true
  LEFT JOIN LATERAL (SELECT c.passed, c.recorded_at, c.findings, c.took_ms FROM gatehouse.backup_checks c
                      WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind = 'drill' ORDER BY c.recorded_at DESC LIMIT 1) d ON true
  LEFT JOIN LATERAL (SELECT c.recorded_at FROM gatehouse.backup_checks c
                      WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind = 'prune' ORDER BY c.recorded_at DESC LIMIT 1) p ON true
  LEFT JOIN gatehouse.restore_safeties s ON s.tenant_id = b.tenant_id AND s.backup_id = b.backup_id
 WHERE b.tenant_id = gatehouse.current_tenant() AND (@backup::uuid IS NULL OR b.backup_id = @backup)
 ORDER BY b.taken_at DESC
 LIMIT 50;

-- name: PrunableBackups :many
-- Files older than a time that are still there: never the newest backup, never the newest that restores, never one that another
-- tool put there, and never the dump that was taken before a restore, until its time is over.
SELECT b.backup_id, b.name
  FROM gatehouse.backups b
 WHERE b.tenant_id = gatehouse.current_tenant() AND b.taken_at < clock_timestamp() - @keep::interval
   AND NOT EXISTS (SELECT FROM gatehouse.backup_checks c WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind = 'prune')
   AND NOT EXISTS (SELECT FROM gatehouse.restore_safeties s WHERE s.tenant_id = b.tenant_id AND s.backup_id = b.backup_id AND s.kept_until > clock_timestamp())
   AND NOT EXISTS (SELECT FROM gatehouse.external_drills x WHERE x.tenant_id = b.tenant_id AND x.backup_id = b.backup_id)
   AND b.taken_at < (SELECT max(n.taken_at) FROM gatehouse.backups n WHERE n.tenant_id = b.tenant_id)
   AND b.backup_id IS DISTINCT FROM (
       SELECT n.backup_id
         FROM gatehouse.backups n
        CROSS JOIN LATERAL (SELECT c.passed FROM gatehouse.backup_checks c
                             WHERE c.tenant_id = n.tenant_id AND c.backup_id = n.backup_id ORDER BY c.recorded_at DESC LIMIT 1) l
        WHERE n.tenant_id = b.tenant_id AND l.passed
          AND EXISTS (SELECT FROM gatehouse.backup_checks c WHERE c.tenant_id = n.tenant_id AND c.backup_id = n.backup_id AND c.kind = 'drill' AND c.passed)
          AND NOT EXISTS (SELECT FROM gatehouse.backup_checks c WHERE c.tenant_id = n.tenant_id AND c.backup_id = n.backup_id AND c.kind = 'prune')
        ORDER BY n.taken_at DESC
        LIMIT 1)
 ORDER BY b.taken_at
 LIMIT 200;
