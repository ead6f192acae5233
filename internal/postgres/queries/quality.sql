-- name: DataQualityMetrics :many
-- The view shows the rows of the tenant that was entered, and no other. No verification, no variance.
SELECT facility_id, facility_name, materials_verified_count, materials_with_variance,
       COALESCE(avg_cubic_feet_variance_pct, 0)::float8 AS avg_cubic_feet_variance_pct,
       COALESCE(avg_weight_variance_pct, 0)::float8 AS avg_weight_variance_pct,
       capacity_failures_count, unresolved_failures_count, crossdock_cancellations_count, pending_relocations_count,
       auto_remediation_count, failed_remediation_count, as_of
  FROM public.bin_optimization_data_quality_for_tenant
 WHERE (@facility::uuid IS NULL OR facility_id = @facility)
 ORDER BY facility_name, facility_id
 LIMIT @limit;

-- name: StatisticalSummary :one
SELECT tenant_id, facility_id, last_update, algorithm_version, current_acceptance_rate::float8, current_avg_utilization::float8,
       current_std_dev_utilization::float8, current_target_achievement::float8, current_ml_accuracy::float8, current_sample_size,
       is_statistically_significant, utilization_trend_slope::float8, utilization_trend_direction,
       acceptance_trend_slope::float8, acceptance_trend_direction, trend_has_enough_data, measurements_in_30d,
       first_measurement, last_measurement, active_outliers, critical_outliers, as_of
  FROM public.bin_optimization_statistical_summary_for_tenant
 WHERE facility_id = @facility;

-- name: SummariesToRefresh :many
SELECT cache_name FROM public.cache_refresh_status
 WHERE cache_name IN ('bin_optimization_data_quality', 'bin_optimization_statistical_summary')
   AND (last_refresh_at IS NULL OR last_refresh_at <= now() - make_interval(secs => @seconds))
 ORDER BY cache_name;

-- name: SummaryCanBeRefreshed :one
-- Whether a summary that was filled has the unique index by which it is refreshed while people read it.
SELECT NOT c.relispopulated OR EXISTS (
           SELECT FROM pg_catalog.pg_index u
            WHERE u.indrelid = c.oid AND u.indisunique AND u.indimmediate AND u.indisvalid AND u.indpred IS NULL AND u.indexprs IS NULL) AS can
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relname = @view AND c.relkind = 'm';

-- name: RefreshSummary :one
SELECT outcome, COALESCE(duration_ms, 0) AS duration_ms, COALESCE(error, '') AS error
  FROM public.refresh_bin_optimization_view(@view);

-- name: ComputeQuality :exec
-- The figures of the tenant's facilities as they are now, written as those of today. A material is due where no measurement of
-- it at the facility was accepted, or the newest such one is more than 90 whole days old; one that detected a variance is none.
WITH held AS (
    SELECT DISTINCT l.facility_id, l.material_id
      FROM public.lots l
     WHERE l.tenant_id = gatehouse.current_tenant() AND l.deleted_at IS NULL
), accepted AS (
    SELECT v.facility_id, v.material_id, max(v.verified_at) AS at
      FROM public.material_dimension_verifications v
     WHERE v.tenant_id = gatehouse.current_tenant() AND v.verification_status <> 'VARIANCE_DETECTED'
     GROUP BY v.facility_id, v.material_id
), due AS (
    SELECT h.facility_id, count(*) AS held, count(*) FILTER (WHERE a.at IS NULL OR a.at <= now() - interval '91 days') AS due
      FROM held h
      LEFT JOIN accepted a ON a.facility_id = h.facility_id AND a.material_id = h.material_id
     GROUP BY h.facility_id
), latest AS (
    SELECT DISTINCT ON (v.facility_id, v.material_id) v.facility_id, v.cubic_feet_variance_pct AS pct
      FROM public.material_dimension_verifications v
     WHERE v.tenant_id = gatehouse.current_tenant()
     ORDER BY v.facility_id, v.material_id, v.verified_at DESC, v.verification_id DESC
), variances AS (
    SELECT facility_id, count(*) FILTER (WHERE pct IS NULL) AS first_measured, ARRAY[
               count(*) FILTER (WHERE pct < -20), count(*) FILTER (WHERE pct >= -20 AND pct < -10), count(*) FILTER (WHERE pct >= -10 AND pct < -5),
               count(*) FILTER (WHERE pct BETWEEN -5 AND 5),
               count(*) FILTER (WHERE pct > 5 AND pct <= 10), count(*) FILTER (WHERE pct > 10 AND pct <= 20), count(*) FILTER (WHERE pct > 20)] AS bands
      FROM latest
     GROUP BY facility_id
), failures AS (
    SELECT c.facility_id, count(*) FILTER (WHERE c.last_seen_at > now() - interval '24 hours') AS failures_24h,
           count(*) FILTER (WHERE c.last_seen_at > now() - interval '24 hours' AND NOT c.resolved) AS unresolved_24h,
           count(*) FILTER (WHERE NOT c.resolved) AS unresolved
      FROM public.capacity_validation_failures c
     WHERE c.tenant_id = gatehouse.current_tenant() AND (NOT c.resolved OR c.last_seen_at > now() - interval '24 hours')
     GROUP BY c.facility_id
), pending AS (
    SELECT x.facility_id, count(*) AS pending
      FROM public.cross_dock_cancellations x
     WHERE x.tenant_id = gatehouse.current_tenant() AND NOT x.relocation_completed
     GROUP BY x.facility_id
)
INSERT INTO gatehouse.quality_days AS q (tenant_id, facility_id, day, computed_at, materials_held, materials_due, failures_24h, unresolved_24h, unresolved,
       pending, by_variance, first_measured)
SELECT f.tenant_id, f.facility_id, (now() AT TIME ZONE 'UTC')::date, now(), COALESCE(d.held, 0), COALESCE(d.due, 0), COALESCE(c.failures_24h, 0),
       COALESCE(c.unresolved_24h, 0), COALESCE(c.unresolved, 0), COALESCE(p.pending, 0), COALESCE(v.bands, ARRAY[0, 0, 0, 0, 0, 0, 0]), COALESCE(v.first_measured, 0)
  FROM public.facilities f
  LEFT JOIN due d ON d.facility_id = f.facility_id
  LEFT JOIN variances v ON v.facility_id = f.facility_id
  LEFT JOIN failures c ON c.facility_id = f.facility_id
  LEFT JOIN pending p ON p.facility_id = f.facility_id
 WHERE f.tenant_id = gatehouse.current_tenant() AND f.is_current AND f.is_active AND f.deleted_at IS NULL
    ON CONFLICT ON CONSTRAINT quality_days_pkey DO UPDATE SET computed_at = excluded.computed_at, materials_held = excluded.materials_held,
       materials_due = excluded.materials_due, failures_24h = excluded.failures_24h, unresolved_24h = excluded.unresolved_24h,
       unresolved = excluded.unresolved, pending = excluded.pending, by_variance = excluded.by_variance, first_measured = excluded.first_measured
 WHERE q.computed_at <= excluded.computed_at;

-- name: QualityComputed :exec
INSERT INTO gatehouse.quality_turns AS t (tenant_id, succeeded_at, took_ms)
VALUES (gatehouse.current_tenant(), now(), (1000 * extract(epoch FROM clock_timestamp() - now()))::integer)
    ON CONFLICT ON CONSTRAINT quality_turns_pkey
    DO UPDATE SET succeeded_at = excluded.succeeded_at, took_ms = excluded.took_ms, failing_since = NULL, failure = NULL;

-- name: QualityFailed :exec
INSERT INTO gatehouse.quality_turns AS t (tenant_id, failing_since, failure)
VALUES (gatehouse.current_tenant(), now(), @failure)
    ON CONFLICT ON CONSTRAINT quality_turns_pkey
    DO UPDATE SET failing_since = COALESCE(t.failing_since, now()), failure = excluded.failure;

-- name: QualityTurn :one
SELECT now() AS at, t.succeeded_at, t.took_ms, t.failing_since, t.failure
  FROM (VALUES (gatehouse.current_tenant())) AS c (tenant_id)
  LEFT JOIN gatehouse.quality_turns t ON t.tenant_id = c.tenant_id;

-- name: QualityDays :many
-- The course of the tenant's facilities over a month, each in order. That many facilities are shown, so that many are read.
SELECT q.facility_id, q.day, q.computed_at, q.materials_held, q.materials_due, q.failures_24h, q.unresolved_24h, q.unresolved, q.pending,
       q.by_variance, q.first_measured
  FROM gatehouse.quality_days q
 WHERE q.tenant_id = gatehouse.current_tenant() AND q.day > (now() AT TIME ZONE 'UTC')::date - 30
   AND q.facility_id IN (SELECT facility_id FROM public.bin_optimization_data_quality_for_tenant ORDER BY facility_name, facility_id LIMIT @limit)
 ORDER BY q.facility_id, q.day;
