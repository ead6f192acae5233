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
