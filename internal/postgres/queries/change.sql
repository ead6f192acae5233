-- name: ChangePage :one
SELECT r.run_id, r.code, r.time_zone, r.state = 'active' AS active,
       gatehouse.gate_passed(r.run_id, 'go_no_go') IS TRUE AS gate_open,
       gatehouse.gate_signed(r.tenant_id, r.run_id, 'go_no_go') AS signed,
       c.starts_at, c.ends_at, c.set_by, c.freeze_from, c.freeze_until, coalesce(c.freeze_reason, '') AS freeze_reason,
       c.window_until, c.freeze_passed_until, c.proof_until, coalesce(c.refusal, '') AS refusal, clock_timestamp() AS at
  FROM gatehouse.runs r
 CROSS JOIN LATERAL gatehouse.change_moment(r.tenant_id, r.run_id, clock_timestamp()) c
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @release;

-- name: ChangeMoment :one
SELECT c.starts_at, c.ends_at, c.set_by, c.freeze_from, c.freeze_until, coalesce(c.freeze_reason, '') AS freeze_reason,
       c.window_until, c.freeze_passed_until, c.proof_until, coalesce(c.refusal, '') AS refusal, clock_timestamp() AS at
  FROM gatehouse.change_moment(gatehouse.current_tenant(), @release, clock_timestamp()) c;

-- name: ChangeFreezes :many
SELECT starts_at, ends_at, reason, name
  FROM gatehouse.freezes
 WHERE tenant_id = gatehouse.current_tenant() AND ends_at > clock_timestamp()
 ORDER BY starts_at
 LIMIT 20;

-- name: ChangeOverrides :many
SELECT a.override_id, a.kind, a.reason, a.name, a.issuer, a.subject, a.asked_at, a.expires_at, a.expires_at <= clock_timestamp() AS expired,
       coalesce(s.name, '') AS second_name, s.seconded_at
  FROM gatehouse.apply_overrides a
  LEFT JOIN gatehouse.apply_override_seconds s ON s.tenant_id = a.tenant_id AND s.override_id = a.override_id
 WHERE a.tenant_id = gatehouse.current_tenant() AND a.run_id = @release
 ORDER BY a.asked_at DESC
 LIMIT 50;

-- name: ChangeTokens :many
SELECT k.token_id, k.version, k.direction, k.name, k.made_at, k.expires_at, e.used_by,
       CASE WHEN e.used_by IS NOT NULL THEN 'used' WHEN e.token_id IS NOT NULL THEN 'revoked'
            WHEN k.expires_at <= clock_timestamp() THEN 'expired'
            WHEN k.content_sha256 <> gatehouse.gate_content_sha256(k.run_id, 'go_no_go') OR gatehouse.gate_passed(k.run_id, 'go_no_go') IS NOT TRUE THEN 'void'
            ELSE 'good' END AS state
  FROM gatehouse.apply_tokens k
  LEFT JOIN gatehouse.apply_token_ends e ON e.tenant_id = k.tenant_id AND e.token_id = k.token_id
 WHERE k.tenant_id = gatehouse.current_tenant() AND k.run_id = @release
 ORDER BY k.made_at DESC
 LIMIT 50;

-- name: ChangePlan :many
SELECT m.version, m.title, (h.success AND h.direction IN ('up', 'baseline')) IS TRUE AS applied
  FROM gatehouse.run_migrations m
  LEFT JOIN LATERAL (SELECT l.direction, l.success FROM gatehouse.migration_history l
                      WHERE l.version = m.version ORDER BY l.ledger_id DESC LIMIT 1) h ON true
 WHERE m.tenant_id = gatehouse.current_tenant() AND m.run_id = @release ORDER BY m.position;

-- name: SetReleaseWindow :one
-- Only while nobody has signed: the row of the release is locked as signing locks it, so the two cannot pass each other.
WITH release AS MATERIALIZED (
    SELECT r.tenant_id, r.run_id FROM gatehouse.runs r
     WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @release AND r.state = 'active'
       FOR UPDATE
)
INSERT INTO gatehouse.release_windows (tenant_id, run_id, number, starts_at, ends_at, reason, issuer, subject, name)
SELECT r.tenant_id, r.run_id,
       1 + coalesce((SELECT max(w.number) FROM gatehouse.release_windows w WHERE w.tenant_id = r.tenant_id AND w.run_id = r.run_id), 0),
       @starts_at, @ends_at, @reason, @issuer, @subject, @name
  FROM release r
 WHERE NOT gatehouse.gate_signed(r.tenant_id, r.run_id, 'go_no_go')
RETURNING run_id;

-- name: AddFreeze :one
INSERT INTO gatehouse.freezes (tenant_id, freeze_id, starts_at, ends_at, reason, issuer, subject, name)
SELECT t.tenant_id, @freeze, @starts_at, @ends_at, @reason, @issuer, @subject, @name
  FROM gatehouse.tenants t
 WHERE t.tenant_id = gatehouse.current_tenant() AND t.is_operator
    ON CONFLICT DO NOTHING
RETURNING freeze_id;

-- name: AskOverride :one
INSERT INTO gatehouse.apply_overrides (tenant_id, override_id, run_id, kind, reason, issuer, subject, name, auth_time, asked_at, expires_at)
SELECT r.tenant_id, @override, r.run_id, @kind, @reason, @issuer, @subject, @name, @auth_time, n.at, n.at + make_interval(secs => @seconds::double precision)
  FROM gatehouse.runs r
 CROSS JOIN (SELECT clock_timestamp() AS at) n
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @release AND r.state = 'active'
   AND @auth_time::timestamptz BETWEEN n.at - interval '5 minutes' AND n.at + interval '60 seconds'
    ON CONFLICT DO NOTHING
RETURNING override_id;

-- name: SecondOverride :one
-- Somebody else than who asked, with a fresh sign-in, before it has expired, for a release that is under way.
INSERT INTO gatehouse.apply_override_seconds (tenant_id, override_id, asked_issuer, asked_subject, issuer, subject, name, auth_time, seconded_at)
SELECT a.tenant_id, a.override_id, a.issuer, a.subject, @issuer, @subject, @name, @auth_time, n.at
  FROM gatehouse.apply_overrides a
  JOIN gatehouse.runs r ON r.tenant_id = a.tenant_id AND r.run_id = a.run_id AND r.state = 'active'
 CROSS JOIN (SELECT clock_timestamp() AS at) n
 WHERE a.tenant_id = gatehouse.current_tenant() AND a.override_id = @override AND a.run_id = @release AND a.expires_at > n.at
   AND (a.issuer, a.subject) IS DISTINCT FROM (@issuer, @subject)
   AND @auth_time::timestamptz BETWEEN n.at - interval '5 minutes' AND n.at + interval '60 seconds'
    ON CONFLICT DO NOTHING
RETURNING override_id;

-- name: AddApplyToken :one
-- Made by the signed gate: only while it is passed, for a file that the release was started with, and only when the step
-- might be taken now. Good until the window ends and for an hour at most; past an overridden window, until the override ends.
INSERT INTO gatehouse.apply_tokens (tenant_id, token_id, token_sha256, run_id, version, direction, sha256, content_sha256, issuer, subject, name, made_at, expires_at)
SELECT r.tenant_id, @id, @token, r.run_id, m.version, @direction, @sha256, gatehouse.gate_content_sha256(r.run_id, 'go_no_go'),
       @issuer, @subject, @name, n.at, least(n.at + interval '60 minutes', greatest(CASE WHEN n.at < c.ends_at THEN c.ends_at END, c.window_until))
  FROM gatehouse.tenants t
  JOIN gatehouse.runs r ON r.tenant_id = t.tenant_id
  JOIN gatehouse.run_migrations m ON m.tenant_id = r.tenant_id AND m.run_id = r.run_id
 CROSS JOIN (SELECT clock_timestamp() AS at) n
 CROSS JOIN LATERAL gatehouse.change_moment(r.tenant_id, r.run_id, n.at) c
 WHERE t.tenant_id = gatehouse.current_tenant() AND t.is_operator AND r.run_id = @release AND r.state = 'active'
   AND m.version = @version AND m.sha256 = @plan_sha256
   AND gatehouse.gate_passed(r.run_id, 'go_no_go') IS TRUE AND c.refusal IS NULL
    ON CONFLICT DO NOTHING
RETURNING expires_at;

-- name: RevokeApplyToken :one
INSERT INTO gatehouse.apply_token_ends (tenant_id, token_id, issuer, subject, name)
SELECT k.tenant_id, k.token_id, @issuer, @subject, @name
  FROM gatehouse.apply_tokens k
 WHERE k.tenant_id = gatehouse.current_tenant() AND k.token_id = @id AND k.run_id = @release
    ON CONFLICT DO NOTHING
RETURNING token_id;
