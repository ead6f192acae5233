-- name: HealthClock :one
SELECT clock_timestamp();

-- name: HealthCache :one
-- Row-level security narrows the cache to the tenant; the status row is one for all.
SELECT clock_timestamp() AS now,
       NOT EXISTS (SELECT FROM public.bin_utilization_cache) AS empty,
       s.last_refresh_at, s.dirty_since, COALESCE(s.rows_put_right, 0) AS put_right
  FROM (VALUES ('bin_utilization_cache')) AS cache (name)
  LEFT JOIN public.cache_refresh_status s ON s.cache_name = cache.name;

-- name: HealthDecisions :one
-- Answered from index idx_putaway_rec_training alone, and only from its last days.
SELECT count(*) FILTER (WHERE accepted)::integer AS accepted, count(*)::integer AS decided
  FROM public.putaway_recommendations
 WHERE decided_at >= now() - make_interval(secs => @seconds) AND decided_at <= now();

-- name: HealthTimedQuery :many
SELECT location_code, volume_utilization_pct::text, utilization_status FROM public.bin_utilization_cache LIMIT 10;

-- name: HealthJobRuns :many
SELECT scheduler, last_success_at, last_failure_at, last_error
  FROM gatehouse.job_runs
 WHERE job_name = @job;

-- name: HealthScheduler :one
SELECT clock_timestamp() AS now, s.last_refresh_at, COALESCE(s.rows_put_right, 0) AS put_right
  FROM (VALUES ('bin_utilization_cache')) AS cache (name)
  LEFT JOIN public.cache_refresh_status s ON s.cache_name = cache.name;

-- name: HealthCron :one
-- pg_cron may be absent, or closed to this role; its table is therefore only named inside a text that is run where both
-- are not so. pg_cron shows a role its own jobs only.
SELECT t.oid IS NOT NULL AS installed,
       COALESCE(t.readable, false) AS readable,
       CASE WHEN t.readable THEN query_to_xml($cron$
            SELECT 1 FROM cron.job
             WHERE active AND (jobname = 'refresh_bin_util' OR command LIKE '%refresh_bin_utilization%'
                OR command LIKE '%reconcile_bin_utilization%') LIMIT 1 $cron$, false, false, '')::text LIKE '%<row>%'
            ELSE false END AS job
  FROM (VALUES (1)) AS one
  LEFT JOIN (SELECT c.oid, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable
               FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = 'cron' AND c.relname = 'job') t ON true;

-- name: HealthFailures :one
-- A failure that happens again is one row seen again, so its last time counts.
SELECT count(*)::integer
  FROM (SELECT FROM public.capacity_validation_failures
         WHERE NOT resolved AND last_seen_at >= now() - make_interval(secs => @seconds) LIMIT @most) AS unresolved;

-- name: HealthStatistics :one
SELECT (SELECT count(*) FROM (SELECT FROM public.bin_optimization_statistical_metrics
                               WHERE measurement_timestamp >= now() - make_interval(secs => @seconds) LIMIT @most) AS m)::integer AS measurements,
       (SELECT count(*) FROM (SELECT FROM public.bin_optimization_outliers
                               WHERE investigation_status = 'PENDING' AND outlier_severity IN ('SEVERE', 'EXTREME') LIMIT @most) AS o)::integer AS critical_pending;

-- name: MigrationCountsAsApplied :one
SELECT EXISTS (SELECT FROM public.schema_version WHERE version = @version AND success);

-- name: KeepHealthResults :exec
INSERT INTO gatehouse.health_results (tenant_id, run_id, check_name, level, value, unit, message, took_ms)
SELECT @tenant, @run, r.check_name, r.level, NULLIF(r.value, '')::numeric, r.unit, r.message, r.took_ms
  FROM unnest(@checks::text[], @levels::text[], @values::text[], @units::text[], @messages::text[], @took_ms::float8[])
       AS r (check_name, level, value, unit, message, took_ms);

-- name: ForgetHealthResults :exec
DELETE FROM gatehouse.health_results WHERE checked_at < now() - make_interval(secs => @seconds);

-- name: LatestHealthResults :many
SELECT r.run_id, r.check_name, r.level, COALESCE(r.value::text, '') AS value, r.unit, r.message,
       r.took_ms::float8 AS took_ms, r.checked_at
  FROM gatehouse.health_results r
 WHERE r.run_id = (SELECT n.run_id FROM gatehouse.health_results n ORDER BY n.checked_at DESC LIMIT 1);

-- name: JobStarted :exec
INSERT INTO gatehouse.job_runs (job_name, scheduler, last_start_at)
VALUES (@job, @scheduler, clock_timestamp())
ON CONFLICT (job_name, scheduler) DO UPDATE SET last_start_at = excluded.last_start_at;

-- name: JobSucceeded :exec
UPDATE gatehouse.job_runs SET last_success_at = clock_timestamp(), last_error = ''
 WHERE job_name = @job AND scheduler = @scheduler;

-- name: JobFailed :exec
UPDATE gatehouse.job_runs SET last_failure_at = clock_timestamp(), last_error = @error
 WHERE job_name = @job AND scheduler = @scheduler;

-- name: ReconcileUtilization :one
SELECT outcome, COALESCE(bins_checked, 0) AS checked, COALESCE(bins_put_right, 0) AS put_right,
       COALESCE(duration_ms, 0) AS duration_ms, COALESCE(error, '') AS error
  FROM public.reconcile_bin_utilization();

-- name: AllowMinutes :exec
-- A reconciliation reads every bin; the pool's own limit is for pages.
SELECT set_config('statement_timeout', '300000', true);

-- name: ConsoleSchema :one
SELECT version, dirty FROM gatehouse.migration_state WHERE set_name = 'console';
