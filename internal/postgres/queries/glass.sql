-- name: GlassOfRun :many
SELECT signature_id, run_id, gate, gate_name, name, issuer, subject, code_id, first_holder, first_issuer, first_subject,
       second_holder, second_issuer, second_subject, outage_id, outage_since, outage_failure, used_at, review_due_at,
       verdict, review_reason, reviewer, reviewer_issuer, reviewer_subject, reviewed_at, review_key
  FROM gatehouse.glass_marks
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run
 ORDER BY used_at, signature_id;

-- name: GlassOfSignature :one
SELECT signature_id, run_id, gate, gate_name, name, issuer, subject, code_id, first_holder, first_issuer, first_subject,
       second_holder, second_issuer, second_subject, outage_id, outage_since, outage_failure, used_at, review_due_at,
       verdict, review_reason, reviewer, reviewer_issuer, reviewer_subject, reviewed_at, review_key
  FROM gatehouse.glass_marks
 WHERE tenant_id = gatehouse.current_tenant() AND signature_id = @signature;

-- name: GlassRelease :one
SELECT r.run_id, r.code, r.title, r.environment, r.time_zone, r.state, r.started_by_issuer, r.started_by_subject, r.started_by_name
  FROM gatehouse.glass_signatures u
  JOIN gatehouse.runs r ON r.tenant_id = u.tenant_id AND r.run_id = u.run_id
 WHERE u.tenant_id = gatehouse.current_tenant() AND u.signature_id = @signature;

-- name: OutageNow :one
SELECT outage_id, began_at, last_failure, last_failed_at, failures, clock_timestamp() AS at
  FROM gatehouse.provider_outages
 WHERE tenant_id = gatehouse.current_tenant() AND ended_at IS NULL;

-- name: ForgetOutage :exec
-- Nobody looked for ten minutes: whether the provider came back in between is not known, so what comes now is another outage.
UPDATE gatehouse.provider_outages SET ended_at = clock_timestamp()
 WHERE tenant_id = gatehouse.current_tenant() AND ended_at IS NULL AND last_failed_at < clock_timestamp() - interval '10 minutes';

-- name: MeetOutage :one
INSERT INTO gatehouse.provider_outages AS o (tenant_id, provider, first_failure, last_failure)
VALUES (gatehouse.current_tenant(), @provider, @failure, @failure)
ON CONFLICT (tenant_id) WHERE ended_at IS NULL
DO UPDATE SET last_failed_at = clock_timestamp(), last_failure = EXCLUDED.last_failure, failures = o.failures + 1
RETURNING outage_id, began_at, last_failure, last_failed_at, failures, clock_timestamp() AS at;

-- name: EndOutage :exec
UPDATE gatehouse.provider_outages SET ended_at = clock_timestamp()
 WHERE tenant_id = gatehouse.current_tenant() AND ended_at IS NULL;

-- name: UseSigningCode :one
SELECT outcome, code_id, first_holder, second_holder, review_due_at
  FROM gatehouse.use_signing_code(@one, @other, @signature, @run, @gate, @outage, @issuer, @subject, @name);

-- name: ReviewGlass :one
-- Somebody else, with a fresh sign-in: neither who signed, nor who started the release, nor who held a half. What is refused is
-- taken back by the same statement. Whoever gets here holds the run's lock.
WITH moment AS MATERIALIZED (
    SELECT clock_timestamp() AS at
), reviewed AS (
    INSERT INTO gatehouse.glass_reviews (tenant_id, signature_id, verdict, reason, issuer, subject, name, auth_time, acr, origin, ip, session,
                                         reviewed_at, idempotency_key)
    SELECT u.tenant_id, u.signature_id, @verdict, @reason, @issuer, @subject, @name, @auth_time, @acr, @origin, @ip, @session, m.at, @key
      FROM gatehouse.glass_signatures u
      JOIN gatehouse.signatures s ON s.tenant_id = u.tenant_id AND s.signature_id = u.signature_id
      JOIN gatehouse.runs r ON r.tenant_id = u.tenant_id AND r.run_id = u.run_id
     CROSS JOIN moment m
     WHERE u.tenant_id = gatehouse.current_tenant() AND u.signature_id = @signature
       AND @auth_time::timestamptz BETWEEN m.at - @fresh_for::interval AND m.at + @leeway::interval
       AND (s.issuer, s.subject) <> (@issuer, @subject)
       AND (r.started_by_issuer, r.started_by_subject) <> (@issuer, @subject)
       AND NOT gatehouse.holds_half(u.tenant_id, u.code_id, @issuer, @subject, @name)
        ON CONFLICT DO NOTHING
    RETURNING tenant_id, signature_id, verdict, reason
), voided AS (
    INSERT INTO gatehouse.signature_withdrawals (tenant_id, signature_id, reason, issuer, subject, name)
    SELECT v.tenant_id, v.signature_id, 'Refused in the review of break-glass: ' || left(v.reason, 1900), @issuer, @subject, @name
      FROM reviewed v WHERE v.verdict = 'refused'
        ON CONFLICT DO NOTHING
)
SELECT count(*)::integer AS reviewed FROM reviewed;

-- name: SignOffReviewed :exec
UPDATE gatehouse.runs r
   SET state = 'signed_off', ended_at = clock_timestamp(), ended_by = @name, version = version + 1,
       end_reason = 'Signed off by everybody who had to, and signatures by break-glass were reviewed.'
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run AND r.state = 'active'
   AND gatehouse.gate_passed(r.run_id, (SELECT g.gate FROM gatehouse.run_gates g
                                         WHERE g.tenant_id = r.tenant_id AND g.run_id = r.run_id ORDER BY g.position DESC LIMIT 1));

-- name: PersonNamed :many
-- By the owner: who of the tenant is called that, to write down whose half it is.
SELECT issuer, subject
  FROM gatehouse.people
 WHERE tenant_id = @tenant AND disabled_at IS NULL AND (lower(btrim(name)) = lower(btrim(@name)) OR lower(email) = lower(btrim(@name)))
 LIMIT 2;

-- name: AddSigningCode :one
-- By the owner: the application may use a code and not make one.
INSERT INTO gatehouse.signing_codes (tenant_id, code_id, first_sha256, second_sha256, first_holder, first_issuer, first_subject,
                                     second_holder, second_issuer, second_subject, reason, expires_at)
VALUES (@tenant, @code, @first, @second, @first_holder, @first_issuer, @first_subject, @second_holder, @second_issuer, @second_subject,
        @reason, clock_timestamp() + make_interval(secs => @lifetime_seconds))
RETURNING expires_at;

-- name: LockSigningCode :exec
-- By the owner, before it is revoked: who uses it at this moment comes first, and the next statement sees that they did.
SELECT FROM gatehouse.signing_codes WHERE tenant_id = @tenant AND code_id = @code FOR UPDATE;

-- name: RevokeSigningCode :exec
-- By the owner. A used one stays as it was used.
UPDATE gatehouse.signing_codes c SET revoked_at = clock_timestamp(), revoked_reason = @reason
 WHERE c.tenant_id = @tenant AND c.code_id = @code AND c.revoked_at IS NULL
   AND NOT EXISTS (SELECT FROM gatehouse.glass_signatures u WHERE u.tenant_id = c.tenant_id AND u.code_id = c.code_id);

-- name: SigningCodes :many
-- By the owner, and never the halves: there are none, and their hashes say nothing to anybody.
SELECT c.code_id, c.first_holder, c.first_subject <> '' AS first_known, c.second_holder, c.second_subject <> '' AS second_known, c.reason, c.made_at, c.expires_at,
       CASE WHEN u.signature_id IS NOT NULL THEN 'used' WHEN c.revoked_at IS NOT NULL THEN 'revoked'
            WHEN c.expires_at <= clock_timestamp() THEN 'expired' ELSE 'good' END AS state,
       coalesce(u.used_at, c.revoked_at) AS ended_at, c.revoked_reason
  FROM gatehouse.signing_codes c
  LEFT JOIN gatehouse.glass_signatures u ON u.tenant_id = c.tenant_id AND u.code_id = c.code_id
 WHERE c.tenant_id = @tenant
 ORDER BY c.made_at DESC, c.code_id
 LIMIT 200;
