-- title: rollbacks and agreed restores wait for whoever may act on them
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: nothing
-- creates: function gatehouse.waiting_at_gates(text)
-- creates: function gatehouse.waiting_rollbacks(text)
-- creates: function gatehouse.waiting_restores()
-- creates: function gatehouse.waits_for(text, text, text, text[], text, text[], text[])
-- changes: function gatehouse.waiting(text)

-- A rollback that loses data waits for a second person, as soon as it was asked for; one that has ended for somebody who
-- neither decided nor ended it, 72 hours at most. The rules are those of AgreeRollback and ReviewRollback.
CREATE FUNCTION gatehouse.waiting_rollbacks(environment_name text) RETURNS TABLE (
        kind text, id text, run_id uuid, code text, time_zone text, object text, title text, role text,
        holder_issuer text, holder_subject text, holder_name text, barred text[], ready boolean, needs text,
        state text, required boolean, checked boolean, watching boolean, round integer, due_at timestamptz, t0 timestamptz,
        started_at timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN e.done_at IS NULL THEN 'rollback' ELSE 'rollback_review' END,
       CASE WHEN e.done_at IS NULL THEN 'rollback ' ELSE 'rollback_review ' END || b.rollback_id, r.run_id, r.code, r.time_zone,
       b.rollback_id::text, b.option_id || ', ' || b.title, '', '', '', CASE WHEN e.done_at IS NULL THEN b.name ELSE e.name END,
       ARRAY[b.issuer || ' ' || b.subject] || CASE WHEN e.done_at IS NOT NULL THEN ARRAY[e.issuer || ' ' || e.subject] END,
       true, '', 'open', true, false, false, 0, coalesce(e.done_at + interval '72 hours', b.started_at), r.t0, coalesce(e.done_at, b.started_at)
  FROM gatehouse.runs r
  JOIN gatehouse.rollbacks b ON b.tenant_id = r.tenant_id AND b.run_id = r.run_id
  LEFT JOIN gatehouse.rollback_acts e ON e.tenant_id = b.tenant_id AND e.rollback_id = b.rollback_id AND e.kind = 'ended'
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.environment = environment_name
   AND CASE WHEN e.done_at IS NULL
            THEN NOT b.safe AND NOT EXISTS (SELECT FROM gatehouse.rollback_acts a WHERE a.tenant_id = b.tenant_id AND a.rollback_id = b.rollback_id AND a.kind = 'agreed')
            ELSE NOT EXISTS (SELECT FROM gatehouse.rollback_acts a WHERE a.tenant_id = b.tenant_id AND a.rollback_id = b.rollback_id AND a.kind = 'reviewed') END
$$;
REVOKE ALL ON FUNCTION gatehouse.waiting_rollbacks(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.waiting_rollbacks(text) TO gatehouse_app;

-- A restore that two people stand behind and nobody has carried out, until it expires. The rule is that of the order.
CREATE FUNCTION gatehouse.waiting_restores() RETURNS TABLE (
        kind text, id text, run_id uuid, code text, time_zone text, object text, title text, role text,
        holder_issuer text, holder_subject text, holder_name text, barred text[], ready boolean, needs text,
        state text, required boolean, checked boolean, watching boolean, round integer, due_at timestamptz, t0 timestamptz,
        started_at timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'restore_start', 'restore_start ' || a.request_id, NULL::uuid, '', 'UTC', a.backup_id::text, a.reason, '', '', '', g.name,
       '{}'::text[], true, '', 'open', true, false, false, 0, a.expires_at, NULL::timestamptz, g.agreed_at
  FROM gatehouse.restore_requests a
  JOIN gatehouse.tenants t ON t.tenant_id = a.tenant_id AND t.is_operator
  JOIN gatehouse.restore_agreements g ON g.tenant_id = a.tenant_id AND g.request_id = a.request_id
 WHERE a.tenant_id = gatehouse.current_tenant() AND a.expires_at > clock_timestamp()
   AND NOT EXISTS (SELECT FROM gatehouse.restore_withdrawals w WHERE w.tenant_id = a.tenant_id AND w.request_id = a.request_id)
   AND NOT EXISTS (SELECT FROM gatehouse.operations o WHERE o.tenant_id = a.tenant_id AND o.kind = 'restore' AND o.argument = a.request_id::text)
   AND a.state_sha256 = encode(sha256(convert_to(gatehouse.restore_state(a.tenant_id, a.backup_id), 'UTF8')), 'hex')
$$;
REVOKE ALL ON FUNCTION gatehouse.waiting_restores() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.waiting_restores() TO gatehouse_app;

-- What waited so far keeps its text, whatever it is, under a name of its own; each part of what waits has one function.
ALTER FUNCTION gatehouse.waiting(text) RENAME TO waiting_at_gates;
CREATE FUNCTION gatehouse.waiting(environment_name text) RETURNS TABLE (
        kind text, id text, run_id uuid, code text, time_zone text, object text, title text, role text,
        holder_issuer text, holder_subject text, holder_name text, barred text[], ready boolean, needs text,
        state text, required boolean, checked boolean, watching boolean, round integer, due_at timestamptz, t0 timestamptz,
        started_at timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT g.kind, g.id, g.run_id, g.code, g.time_zone, g.object, g.title, g.role, g.holder_issuer, g.holder_subject, g.holder_name, g.barred,
       g.ready, g.needs, g.state, g.required, g.checked, g.watching, g.round, g.due_at, g.t0, g.started_at
  FROM gatehouse.waiting_at_gates(environment_name) g
UNION ALL
SELECT b.kind, b.id, b.run_id, b.code, b.time_zone, b.object, b.title, b.role, b.holder_issuer, b.holder_subject, b.holder_name, b.barred,
       b.ready, b.needs, b.state, b.required, b.checked, b.watching, b.round, b.due_at, b.t0, b.started_at
  FROM gatehouse.waiting_rollbacks(environment_name) b
UNION ALL
SELECT a.kind, a.id, a.run_id, a.code, a.time_zone, a.object, a.title, a.role, a.holder_issuer, a.holder_subject, a.holder_name, a.barred,
       a.ready, a.needs, a.state, a.required, a.checked, a.watching, a.round, a.due_at, a.t0, a.started_at
  FROM gatehouse.waiting_restores() a
$$;
REVOKE ALL ON FUNCTION gatehouse.waiting(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.waiting(text) TO gatehouse_app;

-- Whether a thing of this kind waits for this person: what they hold, and that it is not kept from them. holder and me are
-- "issuer subject"; a kind that is not named waits for whoever signs.
CREATE FUNCTION gatehouse.waits_for(kind text, role text, holder text, barred text[], me text, roles text[], rights text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE AS $$
SELECT CASE kind
           WHEN 'item' THEN 'item:work' = ANY (rights) AND CASE holder WHEN '' THEN role = ANY (roles) ELSE holder = me END
           WHEN 'gate' THEN 'gate:sign' = ANY (rights) AND role = ANY (roles) AND me <> ALL (barred)
           WHEN 'rollback' THEN 'rollback:agree' = ANY (rights) AND me <> ALL (barred)
           WHEN 'rollback_review' THEN 'rollback:review' = ANY (rights) AND me <> ALL (barred)
           WHEN 'restore_start' THEN 'migration:down' = ANY (rights)
           ELSE 'gate:sign' = ANY (rights) AND me <> ALL (barred) END
$$;
REVOKE ALL ON FUNCTION gatehouse.waits_for(text, text, text, text[], text, text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.waits_for(text, text, text, text[], text, text[], text[]) TO gatehouse_app;
