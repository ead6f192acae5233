-- name: AddOperation :one
-- Only the tenant that operates the environment orders work on the database; the subject's file must still be there; one
-- is under way at a time. What works on the database itself asks a person for a fresh sign-in, and but for a look it waits
-- until no run is under way; a repair that runs an undo file and the rebuilding of an index keep the change window. A restore
-- asks for a request that two people stand behind and of which nothing has moved. Where one of these does not hold, there is
-- no row.
INSERT INTO gatehouse.operations (tenant_id, operation_id, request_key, kind, subject, argument, auth_time,
                                  actor_issuer, actor_subject, actor_name, actor_roles, origin)
SELECT t.tenant_id, @operation, @key, @kind, @subject::uuid, @argument, @auth_time::timestamptz,
       @issuer, @actor_subject, @name, @roles, @origin
  FROM gatehouse.tenants t
 WHERE t.tenant_id = @tenant AND t.is_operator
   AND (@subject::uuid IS NULL OR EXISTS (
           SELECT FROM gatehouse.backups b
            WHERE b.tenant_id = t.tenant_id AND b.backup_id = @subject
              AND NOT EXISTS (SELECT FROM gatehouse.backup_checks c
                               WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind = 'prune')))
   AND (@kind NOT IN ('losses', 'repair', 'reindex') OR @origin <> 'web' OR @auth_time::timestamptz > clock_timestamp() - interval '11 minutes')
   AND (CASE @kind WHEN 'repair' THEN (@argument::text)::jsonb ->> 'as' = 'undo' WHEN 'reindex' THEN true ELSE false END
        AND gatehouse.repair_refusal(t.tenant_id) IS NOT NULL) IS NOT TRUE
   AND (@kind NOT IN ('repair', 'reindex', 'restore') OR NOT EXISTS (SELECT FROM gatehouse.migration_runs r WHERE r.state IN ('queued', 'running')))
   AND (@kind <> 'restore' OR (@origin <> 'web' OR @auth_time::timestamptz > clock_timestamp() - interval '6 minutes') AND EXISTS (
           SELECT FROM gatehouse.restore_requests a
             JOIN gatehouse.restore_agreements g ON g.tenant_id = a.tenant_id AND g.request_id = a.request_id AND g.content_sha256 = a.content_sha256
            WHERE a.tenant_id = t.tenant_id AND a.request_id::text = @argument AND a.backup_id = @subject::uuid AND a.expires_at > clock_timestamp()
              AND a.state_sha256 = encode(sha256(convert_to(gatehouse.restore_state(a.tenant_id, a.backup_id), 'UTF8')), 'hex')
              AND NOT EXISTS (SELECT FROM gatehouse.restore_withdrawals w WHERE w.tenant_id = a.tenant_id AND w.request_id = a.request_id)))
    ON CONFLICT DO NOTHING
RETURNING operation_id;

-- name: RepairRefusal :one
SELECT coalesce(gatehouse.repair_refusal(@tenant), '') AS refusal;

-- name: OperationByKey :many
SELECT operation_id, kind, subject, argument, auth_time, state, actor_issuer, actor_subject, actor_name, actor_roles, origin, requested_at, started_at, finished_at, sentence, result
  FROM gatehouse.operations WHERE request_key = @key;

-- name: OperationUnderWay :many
SELECT operation_id, kind, subject, argument, auth_time, state, actor_issuer, actor_subject, actor_name, actor_roles, origin, requested_at, started_at, finished_at, sentence, result
  FROM gatehouse.operations WHERE state IN ('queued', 'running');

-- name: Operation :many
SELECT operation_id, kind, subject, argument, auth_time, state, actor_issuer, actor_subject, actor_name, actor_roles, origin, requested_at, started_at, finished_at, sentence, result
  FROM gatehouse.operations WHERE operation_id = @operation;

-- name: NewestOperations :many
SELECT operation_id, kind, subject, argument, auth_time, state, actor_issuer, actor_subject, actor_name, actor_roles, origin, requested_at, started_at, finished_at, sentence, result
  FROM gatehouse.operations
 WHERE tenant_id = gatehouse.current_tenant()
 ORDER BY requested_at DESC
 LIMIT 10;

-- name: OperationLines :many
SELECT seq, at, line FROM gatehouse.operation_lines WHERE operation_id = @operation AND seq > @after ORDER BY seq LIMIT @limit;

-- name: StartOperation :many
UPDATE gatehouse.operations
   SET state = 'running', started_at = clock_timestamp(), heard_at = clock_timestamp()
 WHERE operation_id = @operation AND state = 'queued'
RETURNING operation_id, kind, subject, argument, auth_time, state, actor_issuer, actor_subject, actor_name, actor_roles, origin, requested_at, started_at, finished_at, sentence, result;

-- name: BeatOperation :exec
UPDATE gatehouse.operations SET heard_at = clock_timestamp() WHERE operation_id = @operation AND state = 'running';

-- name: AddOperationLine :exec
INSERT INTO gatehouse.operation_lines (tenant_id, operation_id, seq, line)
SELECT @tenant, @operation, 1 + coalesce((SELECT max(l.seq) FROM gatehouse.operation_lines l
                                           WHERE l.tenant_id = @tenant AND l.operation_id = @operation), 0), @line
    ON CONFLICT DO NOTHING;

-- name: FinishOperation :one
-- What was called interrupted may still report how it ended.
UPDATE gatehouse.operations
   SET state = @state, finished_at = clock_timestamp(), sentence = @sentence, result = @result::uuid
 WHERE operation_id = @operation
   AND (state IN ('queued', 'running') OR state = 'interrupted' AND started_at IS NOT NULL AND @state <> 'interrupted')
RETURNING operation_id;

-- name: UnfinishedOperations :many
SELECT tenant_id, operation_id, state, extract(epoch FROM idle)::double precision AS idle_seconds
  FROM gatehouse.operations_unfinished();

-- name: AddLosses :exec
INSERT INTO gatehouse.migration_losses (tenant_id, loss_id, operation_id, version_number, undo_sha256, taken_at, oldest_xid, next_xid, lost, items, files, file_count)
VALUES (gatehouse.current_tenant(), @loss, @operation, @version, @undo_sha256, @taken_at, @oldest_xid, @next_xid, @lost, @items, @files, @file_count);

-- name: NewestLosses :one
SELECT loss_id, operation_id, version_number, undo_sha256, taken_at, oldest_xid, next_xid, items, files
  FROM gatehouse.migration_losses
 WHERE tenant_id = gatehouse.current_tenant() AND version_number = @version AND undo_sha256 = @undo_sha256
 ORDER BY taken_at DESC
 LIMIT 1;

-- name: SpeakingLosses :one
SELECT loss_id, operation_id, version_number, undo_sha256, taken_at, oldest_xid, next_xid, items, files
  FROM gatehouse.migration_losses
 WHERE tenant_id = gatehouse.current_tenant() AND version_number = @version AND undo_sha256 = @undo_sha256
   AND gatehouse.saving_speaks(version_number, taken_at)
 ORDER BY taken_at DESC
 LIMIT 1;

-- name: Losses :one
SELECT loss_id, operation_id, version_number, undo_sha256, taken_at, oldest_xid, next_xid, items, files
  FROM gatehouse.migration_losses
 WHERE loss_id = @loss;

-- name: AddProbe :exec
INSERT INTO gatehouse.migration_probes (tenant_id, probe_id, version_number, looked_by, result, sha256)
VALUES (gatehouse.current_tenant(), @probe, @version, @looked_by, @result, @sha256);

-- name: NewestProbe :one
SELECT looked_at, looked_by, result, sha256,
       EXISTS (SELECT FROM gatehouse.migration_history h WHERE h.version_number = @version AND h.finished_at > looked_at) AS outdated
  FROM gatehouse.migration_probes
 WHERE tenant_id = gatehouse.current_tenant() AND version_number = @version
 ORDER BY looked_at DESC
 LIMIT 1;

-- name: RepairsOfVersion :many
-- The repairs of a version that were ordered, newest first.
SELECT operation_id, argument, auth_time, state, actor_name, actor_roles, requested_at, sentence
  FROM gatehouse.operations
 WHERE tenant_id = gatehouse.current_tenant() AND CASE WHEN kind = 'repair' THEN argument::jsonb ->> 'version' END = @version
 ORDER BY requested_at DESC
 LIMIT 10;
