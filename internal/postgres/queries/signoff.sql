-- name: GateHeads :many
-- All gates of a run, or the one that is named, with the facts of the run that its rules need.
SELECT g.gate, g.name, g.judges, g.after_migrations,
       g.position = (SELECT max(l.position) FROM gatehouse.run_gates l
                      WHERE l.tenant_id = g.tenant_id AND l.run_id = g.run_id) AS last,
       r.run_id, r.code, r.title, r.environment, r.time_zone, r.state, r.started_by_issuer, r.started_by_subject, r.started_by_name, r.started_at,
       c.content, encode(sha256(convert_to(c.content, 'UTF8')), 'hex') AS sha256,
       clock_timestamp() AS at,
       coalesce((SELECT h.seq FROM gatehouse.audit_heads h WHERE h.tenant_id = r.tenant_id), 0) AS seq,
       gatehouse.gate_expires_at(r.run_id, g.gate) AS expires_at, gatehouse.gate_overdue(r.run_id, g.gate) AS overdue,
       g.least_items, g.least_files, g.least_checks, g.required_checks, g.authors_barred
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
 CROSS JOIN LATERAL (SELECT gatehouse.gate_content(r.run_id, g.gate)::text AS content OFFSET 0) c
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run AND (@gate::text IS NULL OR g.gate = @gate)
 ORDER BY g.position;

-- name: GateSlots :many
SELECT gate, slot, role, required, signs_last, asks_score, meanings, statement, gatehouse.deputies_from(run_id, gate, slot) AS deputies_from
  FROM gatehouse.run_gate_slots
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run AND (@gate::text IS NULL OR gate = @gate)
 ORDER BY gate, position;

-- name: GateSignatures :many
SELECT signature_id, run_id, gate, slot, role, meaning, statement, score, note, content, content_sha256, intact, issuer, subject, name,
       auth_time, acr, signed_at, withdrawn_reason, withdrawn_by, withdrawn_at,
       deputy_id, deputy_named_by, deputy_named_at, deputy_from, deputy_until, deputy_reason
  FROM gatehouse.signature_marks
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run AND (@gate::text IS NULL OR gate = @gate)
 ORDER BY signed_at, signature_id;

-- name: GateMarks :many
-- As GateSignatures without the contents, for pages that only show who signed.
SELECT signature_id, run_id, gate, slot, role, meaning, statement, score, note, '' AS content, content_sha256, intact, issuer, subject, name,
       auth_time, acr, signed_at, withdrawn_reason, withdrawn_by, withdrawn_at,
       deputy_id, deputy_named_by, deputy_named_at, deputy_from, deputy_until, deputy_reason
  FROM gatehouse.signature_marks
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run
 ORDER BY signed_at, signature_id;

-- name: GateBlockers :many
SELECT gate, item, what, place FROM gatehouse.gate_blockers(@run, @gate) ORDER BY gate, place;

-- name: GateAppliers :many
-- Whoever applied a migration in this release, and whoever applied what this release judges in an earlier one.
SELECT DISTINCT h.actor_issuer, h.actor_subject, h.actor_name
  FROM gatehouse.migration_history h
 WHERE h.release_id = @run
    OR h.ledger_id IN (SELECT (SELECT max(l.ledger_id) FROM gatehouse.migration_history l WHERE l.version = m.version AND l.success)
                         FROM gatehouse.run_migrations m WHERE m.tenant_id = gatehouse.current_tenant() AND m.run_id = @run);

-- name: GateAuthors :many
-- Whoever gave evidence that a gate judges, where that keeps them from signing it, with the first item of theirs.
SELECT DISTINCT ON (g.gate, a.issuer, a.subject) g.gate, a.issuer, a.subject, a.name, a.item
  FROM gatehouse.run_gates g
 CROSS JOIN LATERAL gatehouse.evidence_authors(g.run_id, g.gate) a
 WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = @run AND (@gate::text IS NULL OR g.gate = @gate) AND g.authors_barred
 ORDER BY g.gate, a.issuer, a.subject, a.item;

-- name: GateDeputies :many
-- The lines of the roster that are for today, by the release's own days, that the trail knows, and for a place in which deputies
-- may sign.
SELECT deputy_id, role, issuer, subject, name, from_day, until_day, reason, named_issuer, named_subject, named_by, named_at, idempotency_key,
       revoked_reason, revoked_by, revoked_at
  FROM gatehouse.roster d
 WHERE tenant_id = gatehouse.current_tenant() AND revoked_at IS NULL AND gatehouse.deputy_told(deputy_id)
   AND role IN (SELECT s.role FROM gatehouse.run_gate_slots s WHERE s.tenant_id = d.tenant_id AND s.run_id = @run AND s.deputies_seconds IS NOT NULL)
   AND (clock_timestamp() AT TIME ZONE (SELECT r.time_zone FROM gatehouse.runs r WHERE r.tenant_id = d.tenant_id AND r.run_id = @run))::date
       BETWEEN from_day AND until_day
 ORDER BY until_day DESC, named_at, deputy_id;

-- name: GateStops :many
SELECT gate, attempt, kind, coalesce(slot, '') AS slot, role, reason, content, content_sha256,
       content_sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex') AS intact, issuer, subject, name, stopped_at, idempotency_key
  FROM gatehouse.gate_stops
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run AND (@gate::text IS NULL OR gate = @gate)
 ORDER BY gate, attempt;

-- name: GateAttempts :many
SELECT gate, attempt, note, name, opened_at, idempotency_key
  FROM gatehouse.gate_attempts
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run AND (@gate::text IS NULL OR gate = @gate)
 ORDER BY gate, attempt;

-- name: SignatureWithKey :many
SELECT signature_id, run_id, gate, slot, role, meaning, statement, score, note, content, content_sha256, intact, issuer, subject, name,
       auth_time, acr, signed_at, withdrawn_reason, withdrawn_by, withdrawn_at,
       deputy_id, deputy_named_by, deputy_named_at, deputy_from, deputy_until, deputy_reason
  FROM gatehouse.signature_marks
 WHERE tenant_id = gatehouse.current_tenant() AND idempotency_key = @key;

-- name: SignatureByID :one
SELECT signature_id, run_id, gate, slot, role, meaning, statement, score, note, content, content_sha256, intact, issuer, subject, name,
       auth_time, acr, signed_at, withdrawn_reason, withdrawn_by, withdrawn_at,
       deputy_id, deputy_named_by, deputy_named_at, deputy_from, deputy_until, deputy_reason
  FROM gatehouse.signature_marks
 WHERE tenant_id = gatehouse.current_tenant() AND signature_id = @signature;

-- name: GateOfSignature :many
SELECT g.gate, g.name, g.judges, g.after_migrations, false AS last,
       r.run_id, r.code, r.title, r.environment, r.time_zone, r.state, r.started_by_issuer, r.started_by_subject, r.started_by_name, r.started_at,
       c.content, encode(sha256(convert_to(c.content, 'UTF8')), 'hex') AS sha256, clock_timestamp() AS at, 0::bigint AS seq,
       gatehouse.gate_expires_at(r.run_id, g.gate) AS expires_at, gatehouse.gate_overdue(r.run_id, g.gate) AS overdue,
       g.least_items, g.least_files, g.least_checks, g.required_checks, g.authors_barred
  FROM gatehouse.signatures s
  JOIN gatehouse.runs r ON r.tenant_id = s.tenant_id AND r.run_id = s.run_id
  JOIN gatehouse.run_gates g ON g.tenant_id = s.tenant_id AND g.run_id = s.run_id AND g.gate = s.gate
 CROSS JOIN LATERAL (SELECT gatehouse.gate_content(r.run_id, g.gate)::text AS content OFFSET 0) c
 WHERE s.tenant_id = gatehouse.current_tenant() AND s.signature_id = @signature;

-- name: AddSignature :exec
-- The gate is this statement: every rule of package signoff stands in it, and no row means refused. Whoever gets here
-- holds the run's lock, so nothing that is read here changes before the commit.
WITH moment AS MATERIALIZED (
    SELECT clock_timestamp() AS at
), gate AS MATERIALIZED (
    SELECT g.tenant_id, g.run_id, g.gate, g.after_migrations, g.authors_barred, r.started_by_issuer, r.started_by_subject, c.content,
           encode(sha256(convert_to(c.content, 'UTF8')), 'hex') AS sha256
      FROM gatehouse.runs r
      JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
     CROSS JOIN LATERAL (SELECT gatehouse.gate_content(r.run_id, g.gate)::text AS content OFFSET 0) c
     WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run AND g.gate = @gate AND r.state = 'active'
), standing AS MATERIALIZED (
    SELECT s.slot, s.issuer, s.subject, s.content_sha256 = g.sha256 AS counts
      FROM gate g
      JOIN gatehouse.signatures s ON s.tenant_id = g.tenant_id AND s.run_id = g.run_id AND s.gate = g.gate
     WHERE NOT EXISTS (SELECT FROM gatehouse.signature_withdrawals w WHERE w.tenant_id = s.tenant_id AND w.signature_id = s.signature_id)
)
INSERT INTO gatehouse.signatures (tenant_id, signature_id, run_id, gate, slot, attempt, role, meaning, statement, score, note,
                                  content, content_sha256, issuer, subject, name, auth_time, acr, origin, ip, session,
                                  signed_at, idempotency_key, glass_code_id, deputy)
SELECT g.tenant_id, @signature, g.run_id, g.gate, l.slot,
       1 + (SELECT count(*) FROM gatehouse.signatures a
             WHERE a.tenant_id = g.tenant_id AND a.run_id = g.run_id AND a.gate = g.gate AND a.slot = l.slot),
       l.role, @meaning, l.statement, @score::text::numeric, @note,
       g.content, g.sha256, @issuer, @subject, @name, @auth_time, @acr, @origin, @ip, @session,
       m.at, @key, @code::uuid, d.deputy
  FROM gate g
 CROSS JOIN moment m
  JOIN gatehouse.run_gate_slots l ON l.tenant_id = g.tenant_id AND l.run_id = g.run_id AND l.gate = g.gate AND l.slot = @slot
 CROSS JOIN LATERAL (SELECT CASE WHEN NOT l.role = ANY (@roles::text[])
                                 THEN gatehouse.deputy_for(g.run_id, g.gate, l.slot, @issuer, @subject, @roles::text[], @signing::text[]) END AS deputy OFFSET 0) d
 WHERE (l.role = ANY (@roles::text[]) OR d.deputy IS NOT NULL)
   AND @meaning = ANY (l.meanings)
   AND l.statement = @statement
   AND l.asks_score = (@score::text IS NOT NULL)
   AND g.sha256 = @shown
   AND @auth_time::timestamptz <= m.at + @leeway::interval
   AND CASE WHEN @code::uuid IS NULL THEN @auth_time::timestamptz >= m.at - @fresh_for::interval
            ELSE EXISTS (SELECT FROM gatehouse.glass_signatures u WHERE u.tenant_id = g.tenant_id AND u.signature_id = @signature AND u.code_id = @code
                            AND u.run_id = g.run_id AND u.gate = g.gate) END
   AND (g.started_by_issuer, g.started_by_subject) <> (@issuer, @subject)
   AND NOT (g.after_migrations AND EXISTS (
           SELECT FROM gatehouse.migration_history h
            WHERE h.actor_issuer = @issuer AND h.actor_subject = @subject
              AND (h.release_id = g.run_id
                   OR h.ledger_id IN (SELECT (SELECT max(e.ledger_id) FROM gatehouse.migration_history e WHERE e.version = p.version AND e.success)
                                        FROM gatehouse.run_migrations p WHERE p.tenant_id = g.tenant_id AND p.run_id = g.run_id))))
   AND NOT (g.authors_barred AND EXISTS (
           SELECT FROM gatehouse.evidence_authors(g.run_id, g.gate) a WHERE a.issuer = @issuer AND a.subject = @subject))
   AND NOT EXISTS (SELECT FROM standing o WHERE o.slot <> l.slot AND o.issuer = @issuer AND o.subject = @subject)
   AND NOT EXISTS (SELECT FROM standing o WHERE o.slot = l.slot AND o.counts)
   AND NOT (l.signs_last AND EXISTS (
           SELECT FROM gatehouse.run_gate_slots f
            WHERE f.tenant_id = g.tenant_id AND f.run_id = g.run_id AND f.gate = g.gate AND f.required AND NOT f.signs_last
              AND NOT EXISTS (SELECT FROM standing o WHERE o.slot = f.slot AND o.counts)))
   AND gatehouse.gate_ready(g.run_id, g.gate);

-- name: WithdrawSignature :exec
INSERT INTO gatehouse.signature_withdrawals (tenant_id, signature_id, reason, issuer, subject, name)
SELECT s.tenant_id, s.signature_id, @reason, @issuer, @subject, @name
  FROM gatehouse.signatures s
  JOIN gatehouse.runs r ON r.tenant_id = s.tenant_id AND r.run_id = s.run_id
 WHERE s.tenant_id = gatehouse.current_tenant() AND s.signature_id = @signature
   AND s.issuer = @issuer AND s.subject = @subject AND r.state = 'active'
   AND NOT EXISTS (SELECT FROM gatehouse.signature_withdrawals w WHERE w.tenant_id = s.tenant_id AND w.signature_id = s.signature_id);

-- name: RejectGate :exec
-- Whoever holds the role of a place, with a fresh sign-in, while the release runs and the attempt is not over. Whoever gets
-- here holds the run's lock.
INSERT INTO gatehouse.gate_stops (tenant_id, run_id, gate, attempt, kind, slot, role, reason, content, content_sha256, issuer, subject, name,
                                  auth_time, acr, origin, ip, session, stopped_at, idempotency_key)
SELECT r.tenant_id, r.run_id, l.gate, gatehouse.gate_attempt(r.run_id, l.gate), 'rejected', l.slot, l.role, @reason,
       c.content, encode(sha256(convert_to(c.content, 'UTF8')), 'hex'), @issuer, @subject, @name, @auth_time, @acr, @origin, @ip, @session, m.at, @key
  FROM gatehouse.runs r
  JOIN gatehouse.run_gate_slots l ON l.tenant_id = r.tenant_id AND l.run_id = r.run_id AND l.gate = @gate AND l.slot = @slot
 CROSS JOIN LATERAL (SELECT gatehouse.gate_content(r.run_id, l.gate)::text AS content OFFSET 0) c
 CROSS JOIN (SELECT clock_timestamp() AS at) m
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run AND r.state = 'active'
   AND l.role = ANY (@roles::text[])
   AND @auth_time::timestamptz BETWEEN m.at - @fresh_for::interval AND m.at + @leeway::interval
   AND NOT gatehouse.gate_stopped(r.run_id, l.gate)
    ON CONFLICT DO NOTHING;

-- name: OverdueGates :many
SELECT r.run_id, g.gate
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.state = 'active' AND g.expires_seconds IS NOT NULL
   AND NOT EXISTS (SELECT FROM gatehouse.gate_stops s
                    WHERE s.tenant_id = g.tenant_id AND s.run_id = g.run_id AND s.gate = g.gate AND s.attempt = gatehouse.gate_attempt(g.run_id, g.gate))
   AND gatehouse.gate_overdue(g.run_id, g.gate);

-- name: ExpireGate :many
INSERT INTO gatehouse.gate_stops (tenant_id, run_id, gate, attempt, kind, role, reason, content, content_sha256, issuer, subject, name,
                                  acr, origin, ip, session, stopped_at, idempotency_key)
SELECT r.tenant_id, r.run_id, g.gate, gatehouse.gate_attempt(r.run_id, g.gate), 'expired', '', gatehouse.gate_expiry_words(r.run_id, g.gate),
       c.content, encode(sha256(convert_to(c.content, 'UTF8')), 'hex'), 'gatehouse', 'clock', 'Gatehouse', '', 'worker', '', '', clock_timestamp(), gen_random_uuid()
  FROM gatehouse.runs r
  JOIN gatehouse.run_gates g ON g.tenant_id = r.tenant_id AND g.run_id = r.run_id
 CROSS JOIN LATERAL (SELECT gatehouse.gate_content(r.run_id, g.gate)::text AS content OFFSET 0) c
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run AND g.gate = @gate AND r.state = 'active'
   AND gatehouse.gate_overdue(r.run_id, g.gate)
    ON CONFLICT DO NOTHING
RETURNING attempt, reason, content_sha256;

-- name: ReopenGate :exec
-- The attempt after the stopped one that was shown. Whoever gets here holds the run's lock and has written an expiry down.
INSERT INTO gatehouse.gate_attempts (tenant_id, run_id, gate, attempt, stopped_attempt, note, issuer, subject, name, idempotency_key)
SELECT s.tenant_id, s.run_id, s.gate, s.attempt + 1, s.attempt, @note, @issuer, @subject, @name, @key
  FROM gatehouse.gate_stops s
  JOIN gatehouse.runs r ON r.tenant_id = s.tenant_id AND r.run_id = s.run_id
 WHERE s.tenant_id = gatehouse.current_tenant() AND s.run_id = @run AND s.gate = @gate AND s.attempt = @after::int AND r.state = 'active'
   AND s.attempt = gatehouse.gate_attempt(s.run_id, s.gate)
    ON CONFLICT DO NOTHING;

-- name: SignOffRun :exec
UPDATE gatehouse.runs r
   SET state = 'signed_off', ended_at = clock_timestamp(), ended_by = @name, end_reason = 'Signed off by everybody who had to.', version = version + 1
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run AND r.state = 'active'
   AND @gate = (SELECT g.gate FROM gatehouse.run_gates g
                 WHERE g.tenant_id = r.tenant_id AND g.run_id = r.run_id ORDER BY g.position DESC LIMIT 1)
   AND gatehouse.gate_passed(r.run_id, @gate);

-- name: ChangesSince :many
-- What people did to the run after an entry of the trail, newest last.
SELECT at, name, action, object_id, reason
  FROM gatehouse.audit_events
 WHERE tenant_id = gatehouse.current_tenant() AND seq > @seq AND outcome = 'done' AND object_kind IN ('release', 'item', 'gate')
   AND (object_id = @run::text OR starts_with(object_id, @run::text || '/'))
 ORDER BY seq
 LIMIT 50;
