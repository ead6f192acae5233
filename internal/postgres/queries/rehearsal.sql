-- name: AddRehearsal :one
-- Only the tenant that operates the environment keeps rehearsals; for any other there is no row.
INSERT INTO gatehouse.rehearsals (tenant_id, rehearsal_id, passed, verdict, data_kind, backup_id, data_bytes, sample_rows, whole_rows, server_version, started_at,
                                  finished_at, actor_issuer, actor_subject, actor_name, actor_roles, origin, report, report_sha256)
SELECT t.tenant_id, @rehearsal, @passed, @verdict, @data_kind, @backup, @data_bytes, @sample_rows::bigint, @whole_rows::bigint, @server, @started_at,
       @finished_at, @issuer, @subject, @name, @roles, @origin, @report, @sha256
  FROM gatehouse.tenants t
 WHERE t.tenant_id = @tenant AND t.is_operator
RETURNING rehearsal_id;

-- name: AddRehearsedFile :exec
INSERT INTO gatehouse.rehearsed_files (tenant_id, rehearsal_id, version, position, sha256, passed, up_ms, down_ms)
VALUES (@tenant, @rehearsal, @version, @position, @sha256, @passed, @up_ms, @down_ms);

-- name: Rehearsal :one
SELECT rehearsal_id, tenant_id, actor_issuer, actor_subject, actor_name, actor_roles, origin, recorded_at, report, report_sha256
  FROM gatehouse.rehearsals
 WHERE rehearsal_id = @rehearsal;

-- name: RehearsedFiles :many
-- The newest rehearsal of each text of each file. One that passed on a sample counts only where none ran on all of the data.
SELECT DISTINCT ON (f.sha256) f.rehearsal_id, f.version, f.sha256, f.passed, f.up_ms, f.down_ms, r.sample_rows, r.whole_rows, r.recorded_at
  FROM gatehouse.rehearsed_files f
  JOIN gatehouse.rehearsals r USING (tenant_id, rehearsal_id)
 WHERE NOT (r.data_kind = 'sample' AND f.passed AND EXISTS (
           SELECT FROM gatehouse.rehearsed_files a
             JOIN gatehouse.rehearsals w USING (tenant_id, rehearsal_id)
            WHERE a.tenant_id = f.tenant_id AND a.sha256 = f.sha256 AND w.data_kind <> 'sample'))
 ORDER BY f.sha256, r.recorded_at DESC;

-- name: SomeBackupRestores :one
-- Whether the tenant has a backup that was restored once and whose file is kept.
SELECT EXISTS (SELECT FROM gatehouse.backup_checks d
                WHERE d.tenant_id = gatehouse.current_tenant() AND d.kind = 'drill' AND d.passed
                  AND NOT EXISTS (SELECT FROM gatehouse.backup_checks p
                                   WHERE p.tenant_id = d.tenant_id AND p.backup_id = d.backup_id AND p.kind = 'prune'));

-- name: NewestRehearsals :many
SELECT r.rehearsal_id, r.passed, r.verdict, r.data_kind, r.data_bytes, r.sample_rows, r.whole_rows, r.recorded_at, r.actor_name, r.report_sha256,
       ARRAY(SELECT f.version FROM gatehouse.rehearsed_files f
              WHERE f.tenant_id = r.tenant_id AND f.rehearsal_id = r.rehearsal_id ORDER BY f.position) AS versions
  FROM gatehouse.rehearsals r
 WHERE r.tenant_id = gatehouse.current_tenant()
 ORDER BY r.recorded_at DESC
 LIMIT 50;
