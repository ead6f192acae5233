-- The functions as V0.1.33, V0.1.39 and V0.1.43 left them.
CREATE OR REPLACE FUNCTION gatehouse.restore_state(tenant uuid, backup uuid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT gatehouse.audit_field('gatehouse-restore-1') || gatehouse.audit_field(current_database()) || gatehouse.audit_field(b.backup_id::text)
       || gatehouse.audit_field(b.name) || gatehouse.audit_field(b.sha256) || gatehouse.audit_field(b.manifest_sha256)
       || gatehouse.audit_field((SELECT max(h.ledger_id)::text FROM gatehouse.migration_history h))
       || gatehouse.audit_field((SELECT s.version || ' ' || s.dirty FROM gatehouse.migration_state s WHERE s.set_name = 'wms'))
  FROM gatehouse.backups b
 WHERE b.tenant_id = tenant AND b.backup_id = backup
   AND (SELECT c.passed FROM gatehouse.backup_checks c
         WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id AND c.kind = 'drill' ORDER BY c.recorded_at DESC LIMIT 1)
   AND NOT EXISTS (
       SELECT FROM gatehouse.backup_checks c
        WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id
          AND (c.kind = 'prune' OR c.kind = 'verify' AND NOT c.passed AND c.recorded_at > (
               SELECT max(d.recorded_at) FROM gatehouse.backup_checks d
                WHERE d.tenant_id = b.tenant_id AND d.backup_id = b.backup_id AND d.kind = 'drill' AND d.passed)))
$$;

CREATE OR REPLACE FUNCTION gatehouse.change_moment(tenant uuid, release uuid, at timestamptz)
    RETURNS TABLE (starts_at timestamptz, ends_at timestamptz, set_by text, freeze_from timestamptz, freeze_until timestamptz, freeze_reason text,
                   window_until timestamptz, freeze_passed_until timestamptz, proof_until timestamptz, refusal text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT w.starts_at, w.ends_at, w.set_by, f.starts_at, f.ends_at, f.reason, o.window_until, o.freeze_until, o.proof_until,
       CASE WHEN (at < w.starts_at OR at >= w.ends_at) AND o.window_until IS NULL THEN
                 'Nothing is applied or taken back outside the change window of release ' || r.code || ', which is from '
                 || to_char(w.starts_at AT TIME ZONE r.time_zone, 'DD Mon YYYY HH24:MI') || ' to '
                 || to_char(w.ends_at AT TIME ZONE r.time_zone, 'DD Mon YYYY HH24:MI') || ' (' || r.time_zone
                 || '). Wait for it, or let two people override it on the release''s page Window.'
            WHEN f.starts_at <= at AND o.freeze_until IS NULL THEN
                 'Nothing is applied or taken back while the environment is frozen, which is until '
                 || to_char(f.ends_at AT TIME ZONE r.time_zone, 'DD Mon YYYY HH24:MI') || ' (' || r.time_zone || '): ' || f.reason
                 || ' Wait for its end, or let two people override it on the release''s page Window.' END
  FROM gatehouse.runs r
 CROSS JOIN LATERAL (
       SELECT coalesce(max(s.starts_at), r.t0) AS starts_at, coalesce(max(s.ends_at), r.t0 + interval '4 hours') AS ends_at, coalesce(max(s.name), '') AS set_by
         FROM (SELECT n.starts_at, n.ends_at, n.name FROM gatehouse.release_windows n
                WHERE n.tenant_id = r.tenant_id AND n.run_id = r.run_id ORDER BY n.number DESC LIMIT 1) s) w
  -- Of the freezes that hold, the one that ends last; where none holds, the next.
  LEFT JOIN LATERAL (
       SELECT n.starts_at, n.ends_at, n.reason FROM gatehouse.freezes n
        WHERE n.tenant_id = r.tenant_id AND n.ends_at > at
        ORDER BY n.starts_at <= at DESC, CASE WHEN n.starts_at <= at THEN n.ends_at END DESC, n.starts_at LIMIT 1) f ON true
 CROSS JOIN LATERAL (
       SELECT max(a.expires_at) FILTER (WHERE a.kind = 'window') AS window_until,
              max(a.expires_at) FILTER (WHERE a.kind = 'freeze') AS freeze_until,
              max(a.expires_at) FILTER (WHERE a.kind = 'proof') AS proof_until
         FROM gatehouse.apply_overrides a
         JOIN gatehouse.apply_override_seconds s ON s.tenant_id = a.tenant_id AND s.override_id = a.override_id
        WHERE a.tenant_id = r.tenant_id AND a.run_id = r.run_id AND s.seconded_at <= at AND at < a.expires_at) o
 WHERE r.tenant_id = tenant AND r.run_id = release
$$;

CREATE OR REPLACE FUNCTION gatehouse.repair_refusal(tenant uuid) RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
SELECT NULLIF(coalesce(
    (SELECT coalesce(gatehouse.change_refusal(r.tenant_id, r.run_id), '')
       FROM gatehouse.runs r
      WHERE r.tenant_id = tenant AND r.state = 'active'
      ORDER BY r.started_at DESC
      LIMIT 1),
    (SELECT 'Nothing is applied or taken back while the environment is frozen, which is until '
            || to_char(f.ends_at AT TIME ZONE 'UTC', 'DD Mon YYYY HH24:MI') || ' (UTC): ' || f.reason
            || ' Wait for its end, or start a release, on whose page Window two people can override it.'
       FROM gatehouse.freezes f
      WHERE f.tenant_id = tenant AND f.starts_at <= clock_timestamp() AND f.ends_at > clock_timestamp()
      ORDER BY f.ends_at DESC
      LIMIT 1)), '')
$$;
