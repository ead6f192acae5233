-- name: Rollbacks :many
SELECT b.rollback_id, b.option_id, b.title, b.data_loss, b.safe, b.goal_seconds, b.steps, b.reason, b.issuer, b.subject, b.name, b.started_at
  FROM gatehouse.rollbacks b
 WHERE b.tenant_id = gatehouse.current_tenant() AND b.run_id = @run
 ORDER BY b.started_at DESC, b.rollback_id
 LIMIT 50;

-- name: RollbackActs :many
SELECT a.rollback_id, a.kind, a.step, a.good, a.note, a.took_seconds, a.goal_kept, a.issuer, a.subject, a.name, a.done_at
  FROM gatehouse.rollback_acts a
  JOIN gatehouse.rollbacks b ON b.tenant_id = a.tenant_id AND b.rollback_id = a.rollback_id
 WHERE a.tenant_id = gatehouse.current_tenant() AND b.run_id = @run
 ORDER BY a.done_at;

-- name: BeginRollback :exec
-- One at a time, of a release that runs or is watched, by a fresh sign-in. Whoever gets here holds the run's lock.
INSERT INTO gatehouse.rollbacks (tenant_id, rollback_id, run_id, option_id, title, data_loss, safe, goal_seconds, steps, reason,
                                 issuer, subject, name, auth_time, started_at)
SELECT r.tenant_id, @rollback, r.run_id, @option, @title, @data_loss, @safe, @goal_seconds::int, @steps, @reason,
       @issuer, @subject, @name, @auth_time, m.at
  FROM gatehouse.runs r
 CROSS JOIN (SELECT clock_timestamp() AS at) m
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run AND r.state IN ('active', 'signed_off')
   AND gatehouse.rolling_back(r.tenant_id, r.run_id) IS NULL
   AND @auth_time::timestamptz BETWEEN m.at - @fresh_for::interval AND m.at + @leeway::interval
    ON CONFLICT DO NOTHING;

-- name: AgreeRollback :exec
-- Somebody else than who asked, with a fresh sign-in, while it has not ended.
INSERT INTO gatehouse.rollback_acts (tenant_id, rollback_id, kind, good, note, issuer, subject, name, auth_time, done_at)
SELECT b.tenant_id, b.rollback_id, 'agreed', true, '', @issuer, @subject, @name, @auth_time, m.at
  FROM gatehouse.rollbacks b
 CROSS JOIN (SELECT clock_timestamp() AS at) m
 WHERE b.tenant_id = gatehouse.current_tenant() AND b.rollback_id = @rollback AND NOT b.safe
   AND (b.issuer, b.subject) IS DISTINCT FROM (@issuer, @subject)
   AND @auth_time::timestamptz BETWEEN m.at - @fresh_for::interval AND m.at + @leeway::interval
   AND NOT EXISTS (SELECT FROM gatehouse.rollback_acts e WHERE e.tenant_id = b.tenant_id AND e.rollback_id = b.rollback_id AND e.kind = 'ended')
    ON CONFLICT DO NOTHING;

-- name: TickRollback :exec
-- A step of its own list, once, while it has not ended; where it takes two, after the second has agreed.
INSERT INTO gatehouse.rollback_acts (tenant_id, rollback_id, kind, step, good, note, issuer, subject, name, done_at)
SELECT b.tenant_id, b.rollback_id, 'step', @step, @good, @note, @issuer, @subject, @name, clock_timestamp()
  FROM gatehouse.rollbacks b
 WHERE b.tenant_id = gatehouse.current_tenant() AND b.rollback_id = @rollback AND @step::int BETWEEN 1 AND cardinality(b.steps)
   AND (b.safe OR EXISTS (SELECT FROM gatehouse.rollback_acts g WHERE g.tenant_id = b.tenant_id AND g.rollback_id = b.rollback_id AND g.kind = 'agreed'))
   AND NOT EXISTS (SELECT FROM gatehouse.rollback_acts e WHERE e.tenant_id = b.tenant_id AND e.rollback_id = b.rollback_id AND e.kind = 'ended')
    ON CONFLICT DO NOTHING;

-- name: EndRollback :exec
-- Given up at any time; otherwise when it may be done and every step is settled. The clock is this database's, and what it
-- shows is stored with the end.
INSERT INTO gatehouse.rollback_acts (tenant_id, rollback_id, kind, good, note, took_seconds, goal_kept, issuer, subject, name, done_at)
SELECT b.tenant_id, b.rollback_id, 'ended', NOT @given_up, @note, ceil(extract(epoch FROM m.at - b.started_at))::int,
       CASE WHEN NOT @given_up THEN m.at <= b.started_at + make_interval(secs => b.goal_seconds) END, @issuer, @subject, @name, m.at
  FROM gatehouse.rollbacks b
 CROSS JOIN (SELECT clock_timestamp() AS at) m
 WHERE b.tenant_id = gatehouse.current_tenant() AND b.rollback_id = @rollback
   AND (@given_up::boolean
        OR (b.safe OR EXISTS (SELECT FROM gatehouse.rollback_acts g WHERE g.tenant_id = b.tenant_id AND g.rollback_id = b.rollback_id AND g.kind = 'agreed'))
           AND cardinality(b.steps) = (SELECT count(*) FROM gatehouse.rollback_acts s WHERE s.tenant_id = b.tenant_id AND s.rollback_id = b.rollback_id AND s.kind = 'step'))
    ON CONFLICT DO NOTHING;

-- name: EndRolledBackRun :exec
UPDATE gatehouse.runs r
   SET state = 'rolled_back', ended_at = a.done_at, ended_by = a.name, end_reason = left(b.option_id || ', ' || b.title || ': ' || a.note, 2000), version = r.version + 1
  FROM gatehouse.rollbacks b
  JOIN gatehouse.rollback_acts a ON a.tenant_id = b.tenant_id AND a.rollback_id = b.rollback_id AND a.kind = 'ended' AND a.good
 WHERE b.tenant_id = gatehouse.current_tenant() AND b.rollback_id = @rollback
   AND r.tenant_id = b.tenant_id AND r.run_id = b.run_id AND r.state IN ('active', 'signed_off');

-- name: CloseAfterRollback :exec
-- While it was being taken back nothing closed it; now that this is given up, it closes if nothing is left to do.
UPDATE gatehouse.runs r
   SET state = 'closed', ended_at = a.done_at, ended_by = a.name, end_reason = 'Nothing is left to do.', version = r.version + 1
  FROM gatehouse.rollbacks b
  JOIN gatehouse.rollback_acts a ON a.tenant_id = b.tenant_id AND a.rollback_id = b.rollback_id AND a.kind = 'ended' AND NOT a.good
 WHERE b.tenant_id = gatehouse.current_tenant() AND b.rollback_id = @rollback
   AND r.tenant_id = b.tenant_id AND r.run_id = b.run_id AND r.state = 'signed_off'
   AND (SELECT bool_and(i.state IN ('done', 'skipped')) FROM gatehouse.run_items i
         WHERE i.tenant_id = r.tenant_id AND i.run_id = r.run_id AND i.gate = '');

-- name: ReviewRollback :exec
-- After its end, by somebody who neither asked for it nor ended it, with a fresh sign-in.
INSERT INTO gatehouse.rollback_acts (tenant_id, rollback_id, kind, good, note, issuer, subject, name, auth_time, done_at)
SELECT b.tenant_id, b.rollback_id, 'reviewed', NOT @objected::boolean, @note, @issuer, @subject, @name, @auth_time, m.at
  FROM gatehouse.rollbacks b
  JOIN gatehouse.rollback_acts e ON e.tenant_id = b.tenant_id AND e.rollback_id = b.rollback_id AND e.kind = 'ended'
 CROSS JOIN (SELECT clock_timestamp() AS at) m
 WHERE b.tenant_id = gatehouse.current_tenant() AND b.rollback_id = @rollback
   AND (b.issuer, b.subject) IS DISTINCT FROM (@issuer, @subject) AND (e.issuer, e.subject) IS DISTINCT FROM (@issuer, @subject)
   AND @auth_time::timestamptz BETWEEN m.at - @fresh_for::interval AND m.at + @leeway::interval
    ON CONFLICT DO NOTHING;
