-- name: AddOperation :one
-- Only the tenant that operates the environment orders work on the database; the subject's file must still be there; one
-- is under way at a time. Where one of these does not hold, there is no row.
INSERT INTO gatehouse.operations (tenant_id, operation_id, request_key, kind, subject, actor_issuer, actor_subject, actor_name, actor_roles, origin)
SELECT t.tenant_id, @operation, @key, @kind, @subject::uuid, @issuer, @actor_subject, @name, @roles, @origin
  FROM gatehouse.tenants t
 WHERE t.tenant_id = @tenant AND t.is_operator
   AND (@subject::uuid IS NULL OR EXISTS (
           SELECT FROM gatehouse.backups b
            WHERE b.tenant_id = t.tenant_id AND b.backup_id = @subject
              AND NOT EXISTS (SELECT FROM gatehouse.backup_checks c
                               WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind = 'prune')))
    ON CONFLICT DO NOTHING
RETURNING operation_id;

-- name: OperationByKey :many
SELECT operation_id, kind, subject, state, actor_issuer, actor_subject, actor_name, actor_roles, origin, requested_at, started_at, finished_at, sentence, result
  FROM gatehouse.operations WHERE request_key = @key;

-- name: OperationUnderWay :many
SELECT operation_id, kind, subject, state, actor_issuer, actor_subject, actor_name, actor_roles, origin, requested_at, started_at, finished_at, sentence, result
  FROM gatehouse.operations WHERE state IN ('queued', 'running');

-- name: Operation :many
SELECT operation_id, kind, subject, state, actor_issuer, actor_subject, actor_name, actor_roles, origin, requested_at, started_at, finished_at, sentence, result
  FROM gatehouse.operations WHERE operation_id = @operation;

-- name: NewestOperations :many
SELECT operation_id, kind, subject, state, actor_issuer, actor_subject, actor_name, actor_roles, origin, requested_at, started_at, finished_at, sentence, result
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
RETURNING operation_id, kind, subject, state, actor_issuer, actor_subject, actor_name, actor_roles, origin, requested_at, started_at, finished_at, sentence, result;

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
