-- name: RestoreState :one
SELECT current_database()::text AS database, gatehouse.restore_state(gatehouse.current_tenant(), @backup) AS state;

-- name: RestoreSessions :many
-- Who else is connected to this database, by role and program. Gatehouse's own are those of the reader's role.
SELECT coalesce(a.usename::text, '') AS role, coalesce(nullif(a.application_name, ''), 'no name') AS program, count(*)::int AS sessions
  FROM pg_stat_activity a
 WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.usename <> current_user AND a.application_name !~ '^gatehouse'
 GROUP BY 1, 2
 ORDER BY 1, 2
 LIMIT 20;

-- name: AddRestoreLook :one
-- A look is kept only where what it looked at is what stands now, and may be restored.
INSERT INTO gatehouse.restore_looks (tenant_id, look_id, backup_id, looked_by, result, state_sha256)
SELECT t.tenant_id, @look, @backup, @name, @result, @state_sha256
  FROM gatehouse.tenants t
 WHERE t.tenant_id = gatehouse.current_tenant() AND t.is_operator
   AND encode(sha256(convert_to(gatehouse.restore_state(t.tenant_id, @backup), 'UTF8')), 'hex') = @state_sha256
RETURNING look_id;

-- name: NewestRestoreLook :many
SELECT l.look_id, l.backup_id, l.looked_at, l.looked_by, l.result, l.looked_at > clock_timestamp() - interval '15 minutes' AS recent,
       l.state_sha256 IS NOT DISTINCT FROM encode(sha256(convert_to(gatehouse.restore_state(l.tenant_id, l.backup_id), 'UTF8')), 'hex') AS current
  FROM gatehouse.restore_looks l
 WHERE l.tenant_id = gatehouse.current_tenant() AND l.backup_id = @backup
 ORDER BY l.looked_at DESC
 LIMIT 1;

-- name: RestoreRequests :many
-- The newest requests, of one backup or by one id. What moved since makes a request void; the operation is what came of it.
SELECT a.request_id, a.backup_id, l.result, a.content_sha256, a.reason, a.issuer, a.subject, a.name, a.asked_at, a.expires_at,
       coalesce(g.name, '') AS agreed_by, g.agreed_at, coalesce(w.name, '') AS withdrawn_by, w.withdrawn_at,
       o.operation_id, coalesce(o.state, '') AS operation_state, coalesce(o.sentence, '') AS sentence, r.recorded_at AS restored_at,
       s.backup_id AS safety_id, coalesce(b.name, '') AS safety_name,
       coalesce((SELECT c.passed FROM gatehouse.backup_checks c
                  WHERE c.tenant_id = s.tenant_id AND c.backup_id = s.backup_id AND c.kind = 'drill' ORDER BY c.recorded_at DESC LIMIT 1), false) AS safety_restores,
       a.expires_at <= clock_timestamp() AS expired,
       a.state_sha256 IS DISTINCT FROM encode(sha256(convert_to(gatehouse.restore_state(a.tenant_id, a.backup_id), 'UTF8')), 'hex') AS moved
  FROM gatehouse.restore_requests a
  JOIN gatehouse.restore_looks l ON l.tenant_id = a.tenant_id AND l.look_id = a.look_id
  LEFT JOIN gatehouse.restore_agreements g ON g.tenant_id = a.tenant_id AND g.request_id = a.request_id
  LEFT JOIN gatehouse.restore_withdrawals w ON w.tenant_id = a.tenant_id AND w.request_id = a.request_id
  LEFT JOIN gatehouse.operations o ON o.tenant_id = a.tenant_id AND o.kind = 'restore' AND o.argument = a.request_id::text
  LEFT JOIN gatehouse.restore_outcomes r ON r.tenant_id = a.tenant_id AND r.request_id = a.request_id
  LEFT JOIN gatehouse.restore_safeties s ON s.tenant_id = a.tenant_id AND s.request_id = a.request_id
  LEFT JOIN gatehouse.backups b ON b.tenant_id = s.tenant_id AND b.backup_id = s.backup_id
 WHERE a.tenant_id = gatehouse.current_tenant()
   AND (@backup::uuid IS NULL OR a.backup_id = @backup) AND (@request::uuid IS NULL OR a.request_id = @request)
 ORDER BY a.asked_at DESC
 LIMIT 10;

-- name: AskRestore :one
-- Only with a fresh sign-in, the database's own name, and a look that is what stands now and younger than 15 minutes.
INSERT INTO gatehouse.restore_requests (tenant_id, request_id, backup_id, look_id, content, content_sha256, state_sha256, reason,
                                        issuer, subject, name, auth_time, asked_at, expires_at)
SELECT l.tenant_id, @request::uuid, l.backup_id, l.look_id, c.content, encode(sha256(convert_to(c.content, 'UTF8')), 'hex'), l.state_sha256, @reason,
       @issuer, @subject, @name, @auth_time, n.at, n.at + interval '1 hour'
  FROM gatehouse.tenants t
  JOIN gatehouse.restore_looks l ON l.tenant_id = t.tenant_id AND l.look_id = @look AND l.backup_id = @backup
 CROSS JOIN (SELECT clock_timestamp() AS at) n
 CROSS JOIN LATERAL (SELECT gatehouse.restore_state(l.tenant_id, l.backup_id) AS now) s
 CROSS JOIN LATERAL (
       SELECT s.now || gatehouse.audit_field(@request::uuid::text) || gatehouse.audit_field(l.result) || gatehouse.audit_field(@reason::text)
              || gatehouse.audit_field(@issuer::text) || gatehouse.audit_field(@subject::text) AS content) c
 WHERE t.tenant_id = gatehouse.current_tenant() AND t.is_operator
   AND l.looked_at > n.at - interval '15 minutes'
   AND encode(sha256(convert_to(s.now, 'UTF8')), 'hex') = l.state_sha256
   AND @database::text = current_database()
   AND @auth_time::timestamptz BETWEEN n.at - interval '5 minutes' AND n.at + interval '60 seconds'
    ON CONFLICT DO NOTHING
RETURNING request_id;

-- name: AgreeRestore :one
-- Somebody else than who asked, to exactly the content that they were shown, while nothing of it has moved.
INSERT INTO gatehouse.restore_agreements (tenant_id, request_id, content_sha256, asked_issuer, asked_subject, issuer, subject, name, auth_time, agreed_at)
SELECT a.tenant_id, a.request_id, a.content_sha256, a.issuer, a.subject, @issuer, @subject, @name, @auth_time, n.at
  FROM gatehouse.tenants t
  JOIN gatehouse.restore_requests a ON a.tenant_id = t.tenant_id AND a.request_id = @request AND a.content_sha256 = @seen
 CROSS JOIN (SELECT clock_timestamp() AS at) n
 WHERE t.tenant_id = gatehouse.current_tenant() AND t.is_operator AND a.expires_at > n.at
   AND (a.issuer, a.subject) IS DISTINCT FROM (@issuer, @subject)
   AND @database::text = current_database()
   AND @auth_time::timestamptz BETWEEN n.at - interval '5 minutes' AND n.at + interval '60 seconds'
   AND a.state_sha256 = encode(sha256(convert_to(gatehouse.restore_state(a.tenant_id, a.backup_id), 'UTF8')), 'hex')
   AND NOT EXISTS (SELECT FROM gatehouse.restore_withdrawals w WHERE w.tenant_id = a.tenant_id AND w.request_id = a.request_id)
    ON CONFLICT DO NOTHING
RETURNING request_id;

-- name: WithdrawRestore :one
-- Until it is carried out.
INSERT INTO gatehouse.restore_withdrawals (tenant_id, request_id, issuer, subject, name)
SELECT a.tenant_id, a.request_id, @issuer, @subject, @name
  FROM gatehouse.restore_requests a
 WHERE a.tenant_id = gatehouse.current_tenant() AND a.request_id = @request
   AND NOT EXISTS (SELECT FROM gatehouse.operations o WHERE o.tenant_id = a.tenant_id AND o.kind = 'restore' AND o.argument = a.request_id::text)
    ON CONFLICT DO NOTHING
RETURNING request_id;

-- name: AddRestoreSafety :exec
INSERT INTO gatehouse.restore_safeties (tenant_id, backup_id, request_id, kept_until)
VALUES (gatehouse.current_tenant(), @backup, @request, clock_timestamp() + @keep::interval);

-- name: RestoreOutcome :one
-- What became of the restore that an operation was to do: committed, still at it, or neither.
SELECT coalesce(r.sentence, '') AS sentence, gatehouse.restore_running(o.operation_id) AS running,
       coalesce(r.safety_id, (SELECT s.backup_id FROM gatehouse.restore_safeties s
                               WHERE s.tenant_id = o.tenant_id AND s.request_id::text = o.argument LIMIT 1)) AS safety
  FROM gatehouse.operations o
  LEFT JOIN gatehouse.restore_outcomes r ON r.tenant_id = o.tenant_id AND r.operation_id = o.operation_id
 WHERE o.tenant_id = gatehouse.current_tenant() AND o.operation_id = @operation AND o.kind = 'restore';
