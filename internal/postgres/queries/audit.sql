-- name: RecordAudit :exec
-- Number, time, previous hash and hash are set by the trigger audit_events_chain.
INSERT INTO gatehouse.audit_events (tenant_id, seq, at, origin, issuer, subject, name, roles, ip,
                                    action, object_kind, object_id, outcome, reason, before, after, prev_hash, hash)
VALUES (@tenant, 0, now(), @origin, @issuer, @subject, @name, @roles, @ip,
        @action, @object_kind, @object_id, @outcome, @reason, @before, @after, '', '');

-- name: AuditPage :many
SELECT tenant_id, seq, at, origin, issuer, subject, name, roles, ip, action, object_kind, object_id, outcome, reason,
       before::text AS before, after::text AS after, prev_hash, hash
  FROM gatehouse.audit_events
 WHERE tenant_id = gatehouse.current_tenant()
   AND (@before::bigint = 0 OR seq < @before)
   AND (@person::text = '' OR subject = @person OR name = @person)
   AND (@action::text = '' OR action = @action)
   AND ((@object_kind::text = '' OR object_kind = @object_kind) AND (@object_id::text = '' OR object_id = @object_id)
        -- What was refused on a release's pages stands under their addresses. Compared byte by byte, as the index holds them.
        OR @object_kind = 'release' AND @object_id <> '' AND outcome = 'refused'
           AND (object_id ~>=~ ('/releases/' || @object_id) AND object_id ~<~ ('/releases/' || @object_id || '0')
                OR object_id ~>=~ (@object_id || '/') AND object_id ~<~ (@object_id || '0')))
   AND (@outcome::text = '' OR outcome = @outcome)
   AND (@from::timestamptz IS NULL OR at >= @from)
   AND (@to::timestamptz IS NULL OR at < @to)
 ORDER BY seq DESC
 LIMIT @limit;

-- name: AuditNames :many
-- Whom the filter suggests, who was here last first.
SELECT name FROM (
    SELECT p.name, p.last_seen_at
      FROM gatehouse.people p
     WHERE p.tenant_id = gatehouse.current_tenant()
     ORDER BY p.last_seen_at DESC
     LIMIT 200) AS seen
 GROUP BY name
 ORDER BY max(last_seen_at) DESC, name;

-- name: AuditReleases :many
-- What releases are called, the newest first.
SELECT r.run_id, r.code
  FROM gatehouse.runs r
 WHERE r.tenant_id = gatehouse.current_tenant()
 ORDER BY r.started_at DESC, r.run_id DESC
 LIMIT 200;

-- name: AuditNewestCheck :one
SELECT seq, head, break, entries, checked_at
  FROM gatehouse.audit_checks
 WHERE tenant_id = gatehouse.current_tenant()
 ORDER BY checked_at DESC
 LIMIT 1;

-- name: AuditFarthestCheck :one
-- The walk that came farthest and found the chain whole. A later chain has to hold what it held.
SELECT seq, head, break, entries, checked_at
  FROM gatehouse.audit_checks
 WHERE tenant_id = gatehouse.current_tenant() AND break = '' AND seq > 0
 ORDER BY seq DESC, checked_at DESC
 LIMIT 1;

-- name: AuditWalk :many
SELECT tenant_id, seq, at, origin, issuer, subject, name, roles, ip, action, object_kind, object_id, outcome, reason,
       before::text AS before, after::text AS after, prev_hash, hash
  FROM gatehouse.audit_events
 WHERE tenant_id = gatehouse.current_tenant() AND seq > @after
 ORDER BY seq;

-- name: AuditHead :one
SELECT seq, hash FROM gatehouse.audit_heads WHERE tenant_id = gatehouse.current_tenant();

-- name: AddAuditCheck :exec
INSERT INTO gatehouse.audit_checks (tenant_id, seq, head, break, entries)
VALUES (@tenant, @seq, @head, @break, @entries);

-- name: AuditHashesAt :many
-- The hashes of the entries that were published.
SELECT seq, encode(hash, 'hex') AS hash FROM gatehouse.audit_events WHERE tenant_id = gatehouse.current_tenant() AND seq = ANY (@seqs::bigint[]);

-- name: AddAuditAlarm :one
INSERT INTO gatehouse.audit_alarms (tenant_id, alarm_id, published_seq, published_hash, published_at, agreed_seq, found_seq)
SELECT gatehouse.current_tenant(), @alarm, @seq, @hash, @at, @agreed,
       coalesce((SELECT h.seq FROM gatehouse.audit_heads h WHERE h.tenant_id = gatehouse.current_tenant()), 0)
    ON CONFLICT DO NOTHING
RETURNING alarm_id;

-- name: AcknowledgedAlarms :many
-- What was published between the state that was restored and the alarm does not hold any more.
SELECT a.published_at, a.agreed_seq
  FROM gatehouse.audit_alarms a
  JOIN gatehouse.audit_acknowledgements k ON k.tenant_id = a.tenant_id AND k.alarm_id = a.alarm_id
 WHERE a.tenant_id = gatehouse.current_tenant();

-- name: AcknowledgeAlarms :many
INSERT INTO gatehouse.audit_acknowledgements (tenant_id, alarm_id, reason, issuer, subject, name, auth_time, at)
SELECT a.tenant_id, a.alarm_id, @reason, @issuer, @subject, @name, @auth_time, n.at
  FROM gatehouse.audit_alarms a
 CROSS JOIN (SELECT clock_timestamp() AS at) n
 WHERE a.tenant_id = gatehouse.current_tenant()
   AND @auth_time::timestamptz BETWEEN n.at - interval '5 minutes' AND n.at + interval '60 seconds'
    ON CONFLICT DO NOTHING
RETURNING alarm_id;

-- name: AuditAlarm :one
SELECT coalesce(gatehouse.audit_alarm(gatehouse.current_tenant()), '') AS sentence;

-- name: AuditSeals :many
SELECT tenant_id, number, seq, hash, sealed_at, previous, key_id, signature
  FROM gatehouse.audit_seals
 WHERE tenant_id = gatehouse.current_tenant()
 ORDER BY number;

-- name: AuditNewestSeal :one
SELECT tenant_id, number, seq, hash, sealed_at, previous, key_id, signature
  FROM gatehouse.audit_seals
 WHERE tenant_id = gatehouse.current_tenant()
 ORDER BY number DESC
 LIMIT 1;

-- name: SealMoment :one
-- A seal is dated by the database's clock.
SELECT clock_timestamp() AS at;

-- name: AddAuditSeal :exec
-- Who comes second with a number finds it taken.
INSERT INTO gatehouse.audit_seals (tenant_id, number, seq, hash, sealed_at, previous, key_id, signature)
VALUES (gatehouse.current_tenant(), @number, @seq, @hash, @at, @previous, @key, @signature)
    ON CONFLICT DO NOTHING;

-- name: AuditBetween :many
SELECT tenant_id, seq, at, origin, issuer, subject, name, roles, ip, action, object_kind, object_id, outcome, reason,
       before::text AS before, after::text AS after, prev_hash, hash
  FROM gatehouse.audit_events
 WHERE tenant_id = gatehouse.current_tenant() AND seq > @after AND seq <= @up_to
   AND (@person::text = '' OR subject = @person OR name = @person)
   AND (@action::text = '' OR action = @action)
   AND ((@object_kind::text = '' OR object_kind = @object_kind) AND (@object_id::text = '' OR object_id = @object_id)
        -- What was refused on a release's pages stands under their addresses. Compared byte by byte, as the index holds them.
        OR @object_kind = 'release' AND @object_id <> '' AND outcome = 'refused'
           AND (object_id ~>=~ ('/releases/' || @object_id) AND object_id ~<~ ('/releases/' || @object_id || '0')
                OR object_id ~>=~ (@object_id || '/') AND object_id ~<~ (@object_id || '0')))
   AND (@outcome::text = '' OR outcome = @outcome)
   AND (@from::timestamptz IS NULL OR at >= @from)
   AND (@to::timestamptz IS NULL OR at < @to)
 ORDER BY seq
 LIMIT @limit;

-- name: RecordAuditReading :exec
-- Number, time, previous hash and hash are set by the trigger audit_events_chain.
INSERT INTO gatehouse.audit_events (tenant_id, seq, at, origin, issuer, subject, name, roles, ip,
                                    action, object_kind, object_id, outcome, reason, before, after, prev_hash, hash)
SELECT @tenant, 0, now(), @origin, @issuer, @subject, @name, @roles, @ip,
       @action, @object_kind, @object_id, @outcome, @reason, @before, @after, '', ''
 WHERE NOT EXISTS (SELECT FROM gatehouse.audit_events e
                    WHERE e.tenant_id = gatehouse.current_tenant() AND e.at > clock_timestamp() - @again::interval
                      AND e.action = @action AND e.issuer = @issuer AND e.subject = @subject AND e.after = @after::jsonb);
