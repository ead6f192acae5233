-- name: AddRehearsal :one
-- Only the tenant that operates the environment keeps rehearsals; for any other there is no row.
INSERT INTO gatehouse.rehearsals (tenant_id, rehearsal_id, passed, verdict, data_kind, backup_id, data_bytes, server_version, started_at,
                                  finished_at, actor_issuer, actor_subject, actor_name, actor_roles, origin, report, report_sha256)
SELECT t.tenant_id, @rehearsal, @passed, @verdict, @data_kind, @backup, @data_bytes, @server, @started_at,
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
-- The newest rehearsal of each text of each file.
SELECT DISTINCT ON (f.sha256) f.rehearsal_id, f.version, f.sha256, f.passed, f.up_ms, f.down_ms, r.recorded_at
  FROM gatehouse.rehearsed_files f
  JOIN gatehouse.rehearsals r USING (tenant_id, rehearsal_id)
 ORDER BY f.sha256, r.recorded_at DESC;

-- name: NewestRehearsals :many
SELECT r.rehearsal_id, r.passed, r.verdict, r.data_kind, r.data_bytes, r.recorded_at, r.actor_name, r.report_sha256,
       ARRAY(SELECT f.version FROM gatehouse.rehearsed_files f
              WHERE f.tenant_id = r.tenant_id AND f.rehearsal_id = r.rehearsal_id ORDER BY f.position) AS versions
  FROM gatehouse.rehearsals r
 WHERE r.tenant_id = gatehouse.current_tenant()
 ORDER BY r.recorded_at DESC
 LIMIT 50;
