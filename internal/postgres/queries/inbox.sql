-- name: Waiting :many
-- What the person can do, now or soon: items of their roles that nobody else has in hand, places at gates that are not kept
-- from them, what somebody else asks for, reviews, and restores that were agreed. A gate is shown a day ahead, an item an hour.
SELECT kind, id, run_id, code, time_zone, object, title, role, holder_issuer, holder_subject, holder_name, ready, needs, state,
       required, checked, watching, round, due_at, t0, started_at, deputies
  FROM gatehouse.waiting_for(@environment, @me, @person::jsonb, @roles::text[], @rights::text[], @deputises)
 WHERE (ready OR due_at < clock_timestamp() + CASE kind WHEN 'gate' THEN interval '24 hours' ELSE interval '1 hour' END)
   AND (due_at, id) > (@after_at::timestamptz, @after_id::text)
 ORDER BY due_at, id
 LIMIT @most;

-- name: WaitingReady :one
SELECT count(*)::integer AS ready,
       (count(*) FILTER (WHERE w.kind IN ('item', 'gate', 'review', 'rollback_review', 'dimension_review') AND w.due_at < clock_timestamp() AND w.due_at >= w.started_at))::integer AS late,
       clock_timestamp() AS at
  FROM gatehouse.waiting_for(@environment, @me, @person::jsonb, @roles::text[], @rights::text[], @deputises) w
 WHERE w.ready;

-- name: WaitingAll :many
SELECT kind, id, run_id, code, time_zone, object, title, role, holder_issuer, holder_subject, holder_name, ready, needs, state,
       required, checked, watching, round, due_at, t0, started_at, deputies
  FROM gatehouse.waiting(@environment) w
  LEFT JOIN gatehouse.waiting_deputies(@environment) d ON d.task = w.id;

-- name: DatabaseClock :one
SELECT clock_timestamp() AS at;

-- name: AddNotice :exec
-- Once for each key, whoever finds the cause first.
INSERT INTO gatehouse.notices (tenant_id, key, kind, run_id, role, issuer, subject, name, headline, body, path, due_at)
VALUES (gatehouse.current_tenant(), @key, @kind, @run, @role, @issuer, @subject, @name, @headline, @body, @path, @due_at)
ON CONFLICT ON CONSTRAINT notices_once DO NOTHING;

-- name: Notices :many
-- settled: what the notice asks for was done since, or the release is over. The page that it leads to names the item or the gate.
SELECT n.notice_id, n.key, n.kind, n.run_id, n.role, n.issuer, n.subject, n.name, n.headline, n.body, n.path, n.due_at, n.created_at,
       n.delivered_at, n.delivered_by, n.attempts, n.problem, coalesce(r.time_zone, 'UTC') AS time_zone,
       coalesce((SELECT CASE i.state WHEN 'done' THEN 'Done' ELSE 'Skipped' END || ' since by ' || i.settled_name FROM gatehouse.run_items i
                  WHERE i.tenant_id = n.tenant_id AND i.run_id = n.run_id AND n.path = '/releases/' || i.run_id || '/items/' || i.item_id
                    AND i.item_id = split_part(n.path, '/', 5) AND i.state IN ('done', 'skipped') AND i.settled_at >= n.created_at),
                (SELECT 'Signed since by ' || max(s.name) FROM gatehouse.signatures s
                  WHERE s.tenant_id = n.tenant_id AND s.run_id = n.run_id AND n.path = '/releases/' || s.run_id || '/gates/' || s.gate
                    AND s.gate = split_part(n.path, '/', 5) AND s.role = n.role AND s.signed_at >= n.created_at),
                CASE WHEN r.state IN ('aborted', 'closed', 'rolled_back') THEN 'The release is over' END, '') AS settled
  FROM gatehouse.notices n
  LEFT JOIN gatehouse.runs r ON r.tenant_id = n.tenant_id AND r.run_id = n.run_id
 WHERE n.tenant_id = gatehouse.current_tenant() AND (n.created_at, n.notice_id) < (@before_at::timestamptz, @before_id::uuid)
 ORDER BY n.created_at DESC, n.notice_id DESC
 LIMIT @most;
