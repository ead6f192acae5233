-- name: LatestDrift :one
SELECT version_number, checked_at, took_ms, compared, differences::text AS differences,
       current_setting('server_version_num')::integer / 10000 AS server_major
  FROM gatehouse.drift_checks
 ORDER BY tenant_id, checked_at DESC
 LIMIT 1;

-- name: DriftAcceptances :many
-- Those that hold for a difference of the newest look.
SELECT a.acceptance_id, a.difference_sha256, a.name, a.reason
  FROM (SELECT differences FROM gatehouse.drift_checks ORDER BY tenant_id, checked_at DESC LIMIT 1) newest
 CROSS JOIN LATERAL jsonb_array_elements(newest.differences) d
  JOIN gatehouse.drift_acceptances a ON a.difference_sha256 = d ->> 'sha256'
 WHERE (a.expires_at IS NULL OR a.expires_at > clock_timestamp())
   AND NOT EXISTS (SELECT FROM gatehouse.drift_withdrawals w WHERE w.acceptance_id = a.acceptance_id)
 ORDER BY a.accepted_at;

-- name: SaveDrift :exec
INSERT INTO gatehouse.drift_checks (tenant_id, check_id, version_number, compared, took_ms, checked_by, differences)
VALUES (gatehouse.current_tenant(), @check_id, @version, @compared, @took_ms, @checked_by, @differences::text::jsonb);

-- name: AcceptDrift :exec
-- Only the operator's people, with a fresh sign-in, and only what the newest look shows.
INSERT INTO gatehouse.drift_acceptances (tenant_id, acceptance_id, object, difference_sha256, sentence, issuer, subject, name, roles,
                                         auth_time, reason, expires_at)
SELECT gatehouse.current_tenant(), @acceptance, d ->> 'object', d ->> 'sha256',
       concat(d ->> 'object_kind', ' ', d ->> 'object', ': expected ', d ->> 'expected', ', found ', d ->> 'found'),
       @issuer, @subject, @name, @roles, @auth_time, @reason, @expires_at::timestamptz
  FROM (SELECT differences FROM gatehouse.drift_checks ORDER BY tenant_id, checked_at DESC LIMIT 1) newest
 CROSS JOIN LATERAL jsonb_array_elements(newest.differences) d
  JOIN gatehouse.tenants t ON t.tenant_id = gatehouse.current_tenant() AND t.is_operator
 WHERE d ->> 'sha256' = @sha256
   AND @auth_time::timestamptz > clock_timestamp() - interval '10 minutes'
 LIMIT 1;

-- name: WithdrawDrift :exec
INSERT INTO gatehouse.drift_withdrawals (tenant_id, acceptance_id, issuer, subject, name, reason)
SELECT a.tenant_id, a.acceptance_id, @issuer, @subject, @name, @reason
  FROM gatehouse.drift_acceptances a
 WHERE a.acceptance_id = @acceptance
ON CONFLICT DO NOTHING;
