-- name: FindSession :one
-- Both limits are judged here, by the database's clock. Use is noted at most once a minute, in the same round trip, so
-- the idle limit may end a session up to a minute early and never late.
WITH live AS (
    SELECT s.token_sha256, s.session_id, s.tenant_id, s.data, s.last_seen_at
      FROM gatehouse.sessions s
     WHERE s.token_sha256 = @token AND s.expires_at > now()
       AND (s.last_seen_at > now() - make_interval(secs => @idle_seconds))
), touched AS (
    UPDATE gatehouse.sessions s SET last_seen_at = now()
      FROM live WHERE s.token_sha256 = live.token_sha256 AND live.last_seen_at < now() - interval '1 minute'
)
SELECT live.session_id, live.data, coalesce(gatehouse.audit_alarm(live.tenant_id), '') AS alarm, gatehouse.audit_seq(live.tenant_id) AS seq,
       s.number AS seal_number, s.seq AS seal_seq, s.hash AS seal_hash, s.sealed_at, s.key_id AS seal_key, s.signature AS seal_signature
  FROM live LEFT JOIN LATERAL gatehouse.audit_newest_seal(live.tenant_id) s ON true;

-- name: SessionIsLive :one
-- Looks without noting that the session was used.
SELECT EXISTS (SELECT FROM gatehouse.sessions s
                WHERE s.token_sha256 = @token AND s.expires_at > now() AND s.last_seen_at > now() - make_interval(secs => @idle_seconds)) AS live;

-- name: FormerPerson :one
SELECT person_id FROM gatehouse.sessions WHERE token_sha256 = @token AND person_id IS NOT NULL;

-- name: AddSession :exec
-- Sessions that are over are kept for a day, so that text typed over one can be given back to its person, and then swept.
WITH swept AS (
    DELETE FROM gatehouse.sessions
     WHERE token_sha256 IN (SELECT o.token_sha256 FROM gatehouse.sessions o
                             WHERE o.expires_at < now() - interval '1 day' LIMIT 100 FOR UPDATE SKIP LOCKED)
)
INSERT INTO gatehouse.sessions (token_sha256, tenant_id, person_id, provider_session, data, ip, agent, expires_at)
VALUES (@token, @tenant, @person, @provider_session, @data, @ip, @agent, now() + make_interval(secs => @lifetime_seconds));

-- name: ChangeSession :exec
-- Never inserts: a late answer must not bring back a session that was ended meanwhile.
UPDATE gatehouse.sessions SET data = @data WHERE token_sha256 = @token;

-- name: EndSession :exec
DELETE FROM gatehouse.sessions WHERE token_sha256 = @token;

-- name: EndProviderSessions :exec
DELETE FROM gatehouse.sessions WHERE provider_session = @provider_session AND provider_session <> '';

-- name: SessionsOfPerson :many
SELECT session_id, ip, agent, created_at, last_seen_at, expires_at
  FROM gatehouse.sessions
 WHERE person_id = @person AND tenant_id = @tenant AND expires_at > now()
   AND last_seen_at > now() - make_interval(secs => @idle_seconds)
 ORDER BY last_seen_at DESC, session_id
 LIMIT 50;

-- name: EndSessionOfPerson :exec
DELETE FROM gatehouse.sessions WHERE session_id = @session AND person_id = @person AND tenant_id = @tenant;

-- name: BeginSignIn :exec
-- What was begun and never finished is swept away in small portions, so the table stays as large as ten minutes of
-- sign-ins. One sweeps at a time (the key is "signin" in ASCII): the role may not lock rows, and two sweepers could meet.
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(126896544049518) AS ours
), swept AS (
    DELETE FROM gatehouse.sign_in_attempts
     WHERE (SELECT ours FROM turn)
       AND state_sha256 IN (SELECT o.state_sha256 FROM gatehouse.sign_in_attempts o WHERE o.expires_at < now() LIMIT 100)
)
INSERT INTO gatehouse.sign_in_attempts (state_sha256, browser_sha256, nonce, verifier, return_to, expect_issuer, expect_subject, anew, expires_at)
VALUES (@state, @browser, @nonce, @verifier, @return_to, @expect_issuer, @expect_subject, @anew, now() + make_interval(secs => @lifetime_seconds));

-- name: TakeSignIn :one
-- Removing is taking: a state works once, whoever asks at the same moment. Another browser removes nothing.
DELETE FROM gatehouse.sign_in_attempts
 WHERE state_sha256 = @state AND browser_sha256 = @browser AND expires_at > now()
RETURNING nonce, verifier, return_to, expect_issuer, expect_subject, anew;

-- name: TenantByCode :one
SELECT tenant_id, tenant_code, tenant_name, is_operator FROM gatehouse.tenant_by_code(@code);

-- name: TenantHere :one
SELECT tenant_id, tenant_code, tenant_name, is_operator FROM gatehouse.tenants WHERE tenant_id = @tenant;

-- name: WriteDownPerson :one
-- Somebody whom another tenant knows meets the policy here and is refused by it (42501).
INSERT INTO gatehouse.people (tenant_id, person_id, issuer, subject, name, email, roles)
VALUES (@tenant, @person, @issuer, @subject, @name, @email, @roles)
ON CONFLICT (issuer, subject) DO UPDATE
   SET name = excluded.name, email = excluded.email, roles = excluded.roles, last_seen_at = now()
RETURNING person_id, disabled_at IS NOT NULL AS disabled;

-- name: DisablePerson :many
-- The trigger people_disabled_end_sessions ends the person's sessions in the same transaction.
UPDATE gatehouse.people SET disabled_at = CASE WHEN @disabled::boolean THEN now() END
 WHERE tenant_id = @tenant AND issuer = @issuer AND subject = @subject
   AND (disabled_at IS NOT NULL) <> @disabled::boolean
RETURNING person_id;

-- name: FindCredential :one
SELECT credential_id, tenant_id, name, rights
  FROM gatehouse.machine_credentials
 WHERE token_sha256 = @token AND revoked_at IS NULL AND expires_at > now();

-- name: AddCredential :one
INSERT INTO gatehouse.machine_credentials (token_sha256, tenant_id, name, rights, created_by, expires_at)
VALUES (@token, @tenant, @name, @rights, @created_by, now() + make_interval(secs => @lifetime_seconds))
RETURNING credential_id, expires_at;

-- name: RevokeCredential :exec
UPDATE gatehouse.machine_credentials SET revoked_at = now()
 WHERE credential_id = @credential AND tenant_id = @tenant AND revoked_at IS NULL;

-- name: CredentialsOfTenant :many
SELECT credential_id, name, rights, created_by, created_at, expires_at, revoked_at
  FROM gatehouse.machine_credentials
 WHERE tenant_id = @tenant
 ORDER BY created_at DESC, credential_id
 LIMIT 200;

-- name: UseWayBack :one
SELECT outcome, tenant_id, tenant_code, tenant_name, is_operator, code_id, first_holder, second_holder, reason, session_seconds
  FROM gatehouse.use_way_back(@one, @other, @ip);

-- name: AddWayBack :one
-- By the owner: the application may use a code and not make one.
INSERT INTO gatehouse.way_back_codes (tenant_id, code_id, first_sha256, second_sha256, first_holder, second_holder, reason, session_seconds, expires_at)
VALUES (@tenant, @code, @first, @second, @first_holder, @second_holder, @reason, @session_seconds, clock_timestamp() + make_interval(secs => @lifetime_seconds))
RETURNING expires_at;

-- name: Knock :one
-- Minutes are the database's, so that all processes count the same ones. What is over is swept in small portions, by one
-- process at a time (the key is "knocks" in ASCII).
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(118122059361139) AS ours
), swept AS (
    DELETE FROM gatehouse.knocks
     WHERE (SELECT ours FROM turn)
       AND (key_sha256, minute) IN (SELECT o.key_sha256, o.minute FROM gatehouse.knocks o WHERE o.minute < now() - interval '2 minutes' LIMIT 100)
)
INSERT INTO gatehouse.knocks AS k (key_sha256, minute) VALUES (@key, date_trunc('minute', now()))
ON CONFLICT (key_sha256, minute) DO UPDATE SET times = k.times + 1
RETURNING times;
