-- name: ListenLive :exec
LISTEN gatehouse_live;

-- name: NotifySelf :exec
-- What the listener says to itself, and has to hear.
SELECT pg_catalog.pg_notify('gatehouse_live', 'self ' || @self::text);

-- name: ReleaseMark :one
-- What tells an open page of a release that something is not what it was, in one look at four small indexes: how often it
-- changed, the end of the ledger, who else has the place open.
SELECT r.state, coalesce(m.changes, 0) AS changes,
       coalesce((SELECT max(l.ledger_id) FROM gatehouse.migration_history l), 0)::bigint AS ledger,
       coalesce((SELECT string_agg(p.page_id::text, ' ' ORDER BY p.page_id) FROM gatehouse.presence p
                   JOIN gatehouse.server_processes s ON s.process_id = p.process_id AND s.heard_at > clock_timestamp() - interval '20 seconds'
                  WHERE p.tenant_id = r.tenant_id AND p.place = @place), '') AS here
  FROM gatehouse.runs r
  LEFT JOIN gatehouse.run_marks m ON m.tenant_id = r.tenant_id AND m.run_id = r.run_id
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run;

-- name: TenantMark :one
SELECT coalesce((SELECT sum(m.changes) FROM gatehouse.run_marks m JOIN gatehouse.runs r ON r.tenant_id = m.tenant_id AND r.run_id = m.run_id
                  WHERE m.tenant_id = gatehouse.current_tenant() AND r.state IN ('active', 'signed_off')), 0)::bigint AS changes,
       coalesce((SELECT h.seq FROM gatehouse.audit_heads h WHERE h.tenant_id = gatehouse.current_tenant()), 0)::bigint AS seq;

-- name: PresentAt :many
-- Each person once, from when their first page was opened.
SELECT p.issuer, p.subject, max(p.name) AS name, min(p.since) AS since
  FROM gatehouse.presence p
  JOIN gatehouse.server_processes s ON s.process_id = p.process_id AND s.heard_at > clock_timestamp() - interval '20 seconds'
 WHERE p.tenant_id = gatehouse.current_tenant() AND p.place = @place
 GROUP BY p.issuer, p.subject
 ORDER BY min(p.since), p.issuer, p.subject
 LIMIT 20;

-- name: EnterPlace :exec
INSERT INTO gatehouse.presence (tenant_id, page_id, process_id, place, issuer, subject, name, since)
VALUES (gatehouse.current_tenant(), @page, @process, @place, @issuer, @subject, @name, coalesce(@since::timestamptz, clock_timestamp()))
ON CONFLICT ON CONSTRAINT presence_pkey DO NOTHING;

-- name: LeavePlace :exec
DELETE FROM gatehouse.presence WHERE tenant_id = gatehouse.current_tenant() AND page_id = @page;

-- name: HearProcess :one
-- Says whether the process was not known, or no longer: then what it had open has to be entered again.
INSERT INTO gatehouse.server_processes AS s (process_id, heard_at) VALUES (@process, clock_timestamp())
ON CONFLICT ON CONSTRAINT server_processes_pkey DO UPDATE SET heard_at = clock_timestamp()
RETURNING xmax = 0 AS fresh;

-- name: SweepProcesses :exec
-- Their pages go with them, and whoever looks at the same places is woken.
DELETE FROM gatehouse.server_processes WHERE heard_at < clock_timestamp() - interval '20 seconds' AND process_id <> @process;

-- name: EndProcess :exec
DELETE FROM gatehouse.server_processes WHERE process_id = @process;
