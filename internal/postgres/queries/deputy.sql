-- name: RosterNewest :many
-- Keyset: the page after (before_at, before_id), newest first.
SELECT deputy_id, role, issuer, subject, name, from_day, until_day, reason, named_issuer, named_subject, named_by, named_at, idempotency_key,
       revoked_reason, revoked_by, revoked_at
  FROM gatehouse.roster
 WHERE tenant_id = gatehouse.current_tenant() AND (named_at, deputy_id) < (@before_at::timestamptz, @before_id::uuid)
 ORDER BY named_at DESC, deputy_id DESC
 LIMIT @most;

-- name: RosterClock :one
-- Days of the roster are days of a release's own zone: that of the newest one that runs.
SELECT clock_timestamp() AS at,
       coalesce((SELECT time_zone FROM gatehouse.runs WHERE tenant_id = gatehouse.current_tenant() AND state = 'active' ORDER BY started_at DESC LIMIT 1), 'UTC') AS time_zone;

-- name: DeputyCandidates :many
-- Who has signed in here and may be named by the roles they had then; the newest thousand, by name.
SELECT person_id, issuer, subject, name, roles
  FROM (SELECT person_id, issuer, subject, name, roles FROM gatehouse.people
         WHERE tenant_id = gatehouse.current_tenant() AND disabled_at IS NULL AND roles && @signing::text[] AND NOT roles && ARRAY['admin', 'auditor']
         ORDER BY last_seen_at DESC LIMIT 1000) p
 ORDER BY name, subject;

-- name: DeputyCandidate :many
SELECT person_id, issuer, subject, name, roles
  FROM gatehouse.people
 WHERE tenant_id = gatehouse.current_tenant() AND person_id = @person AND disabled_at IS NULL;

-- name: HoldRoster :one
-- Deputies sign under the same key, shared (HoldRosterToSign): whoever is revoked has signed before, or does not sign.
SELECT clock_timestamp() AS at, pg_advisory_xact_lock(hashtextextended('roster ' || gatehouse.current_tenant(), 0));

-- name: HoldRosterToSign :exec
SELECT pg_advisory_xact_lock_shared(hashtextextended('roster ' || gatehouse.current_tenant(), 0));

-- name: DeputyByID :many
SELECT deputy_id, role, issuer, subject, name, from_day, until_day, reason, named_issuer, named_subject, named_by, named_at, idempotency_key,
       revoked_reason, revoked_by, revoked_at
  FROM gatehouse.roster
 WHERE tenant_id = gatehouse.current_tenant() AND deputy_id = @deputy;

-- name: DeputyWithKey :many
SELECT deputy_id, role, issuer, subject, name, from_day, until_day, reason, named_issuer, named_subject, named_by, named_at, idempotency_key,
       revoked_reason, revoked_by, revoked_at
  FROM gatehouse.roster
 WHERE tenant_id = gatehouse.current_tenant() AND idempotency_key = @key;

-- name: NameDeputy :exec
-- Every rule of package signoff stands in it, and no row means refused. The person is one who has signed in to this tenant.
INSERT INTO gatehouse.deputies (tenant_id, deputy_id, role, issuer, subject, name, from_day, until_day, reason, named_issuer, named_subject, named_by,
                                auth_time, acr, origin, ip, session, named_at, idempotency_key)
SELECT p.tenant_id, @deputy, @role, p.issuer, p.subject, p.name, @from_day::date, @until_day::date, @reason, @issuer, @subject, @name,
       @auth_time, @acr, @origin, @ip, @session, m.at, @key
  FROM gatehouse.people p
 CROSS JOIN (SELECT clock_timestamp() AS at) m
 WHERE p.tenant_id = gatehouse.current_tenant() AND p.person_id = @person AND p.disabled_at IS NULL
   AND @role = ANY (@roles::text[]) AND @role = ANY (@signing::text[]) AND NOT @roles::text[] && ARRAY['admin', 'auditor']
   AND (p.issuer, p.subject) <> (@issuer, @subject)
   AND p.roles && @signing::text[] AND NOT p.roles && ARRAY['admin', 'auditor'] AND NOT @role = ANY (p.roles)
   AND @auth_time::timestamptz BETWEEN m.at - @fresh_for::interval AND m.at + @leeway::interval
   AND @from_day::date >= (m.at AT TIME ZONE 'UTC')::date - 1
   AND @until_day::date BETWEEN @from_day::date AND @from_day::date + 89;

-- name: RevokeDeputy :exec
INSERT INTO gatehouse.deputy_revocations (tenant_id, deputy_id, reason, issuer, subject, name)
SELECT d.tenant_id, d.deputy_id, @reason, @issuer, @subject, @name
  FROM gatehouse.roster d
 WHERE d.tenant_id = gatehouse.current_tenant() AND d.deputy_id = @deputy AND d.revoked_at IS NULL
   AND @roles::text[] && @signing::text[] AND (d.role = ANY (@roles::text[]) OR (d.issuer, d.subject) = (@issuer, @subject));
