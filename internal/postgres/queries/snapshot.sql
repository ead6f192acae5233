-- name: WatchedRuns :many
-- Releases of which something may be due: those that go on, and those that were closed a moment ago. planned_at is since when
-- T-0 is what it is.
SELECT r.run_id, r.code, r.time_zone, r.state, r.t0,
       greatest(r.started_at, (SELECT max(e.at) FROM gatehouse.audit_events e
                                WHERE e.tenant_id = r.tenant_id AND e.object_kind = 'release' AND e.object_id = r.run_id::text
                                  AND e.action = 'release:schedule' AND e.outcome = 'done')) AS planned_at,
       CASE WHEN r.state NOT IN ('active', 'signed_off') THEN r.ended_at END AS ended_at
  FROM gatehouse.runs r
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.environment = @environment
   AND (r.state IN ('active', 'signed_off') OR r.state = 'closed' AND r.ended_at > @at::timestamptz - interval '2 hours');

-- name: WatchedRun :one
SELECT r.run_id, r.code, r.time_zone, r.state, r.t0,
       greatest(r.started_at, (SELECT max(e.at) FROM gatehouse.audit_events e
                                WHERE e.tenant_id = r.tenant_id AND e.object_kind = 'release' AND e.object_id = r.run_id::text
                                  AND e.action = 'release:schedule' AND e.outcome = 'done')) AS planned_at,
       CASE WHEN r.state NOT IN ('active', 'signed_off') THEN r.ended_at END AS ended_at
  FROM gatehouse.runs r
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run;

-- name: SnapshotMigrated :one
-- When what the release brings was in the database: of each migration, when this release applied it first, or where it was there
-- already since when. One that is not there leaves at empty.
SELECT count(*) > count(a.at) AS unmigrated, CASE WHEN count(*) = count(a.at) THEN max(a.at) END AS at
  FROM gatehouse.run_migrations m
 CROSS JOIN LATERAL (
       SELECT coalesce((SELECT min(h.finished_at) FROM gatehouse.migration_history h
                         WHERE h.version = m.version AND h.release_id = m.run_id AND h.success AND h.direction = 'up'),
                       (SELECT CASE WHEN h.direction IN ('up', 'baseline') THEN h.finished_at END FROM gatehouse.migration_history h
                         WHERE h.version = m.version AND h.success ORDER BY h.ledger_id DESC LIMIT 1)) AS at) a
 WHERE m.tenant_id = gatehouse.current_tenant() AND m.run_id = @run;

-- name: SnapshotHeads :many
SELECT s.run_id, s.snapshot_id, s.point, s.t0, s.due_at, s.taken_at, s.sha256
  FROM gatehouse.run_snapshots s
 WHERE s.tenant_id = gatehouse.current_tenant() AND s.run_id = ANY (@runs::uuid[])
 ORDER BY s.taken_at, s.snapshot_id;

-- name: Snapshots :many
SELECT s.run_id, s.snapshot_id, s.point, s.t0, s.due_at, s.taken_at, s.sha256, s.content
  FROM gatehouse.run_snapshots s
 WHERE s.tenant_id = gatehouse.current_tenant() AND s.run_id = @run
 ORDER BY s.taken_at, s.snapshot_id;

-- name: Snapshot :one
SELECT s.run_id, s.snapshot_id, s.point, s.t0, s.due_at, s.taken_at, s.sha256, s.content
  FROM gatehouse.run_snapshots s
 WHERE s.tenant_id = gatehouse.current_tenant() AND s.run_id = @run AND s.snapshot_id = @snapshot;

-- name: SnapshotMisses :many
SELECT m.run_id, m.point, m.t0, m.due_at, m.found_at, m.why
  FROM gatehouse.run_snapshot_misses m
 WHERE m.tenant_id = gatehouse.current_tenant() AND m.run_id = ANY (@runs::uuid[])
 ORDER BY m.due_at, m.found_at;

-- name: AddSnapshot :exec
INSERT INTO gatehouse.run_snapshots (tenant_id, run_id, snapshot_id, point, t0, due_at, taken_at, content, sha256)
VALUES (gatehouse.current_tenant(), @run, @snapshot, @point, @t0, @due_at, @taken_at, @content, @sha256);

-- name: AddSnapshotMiss :exec
INSERT INTO gatehouse.run_snapshot_misses (tenant_id, run_id, point, t0, due_at, found_at, why)
VALUES (gatehouse.current_tenant(), @run, @point, @t0, @due_at, @found_at, @why);

-- name: SnapshotRecommendations :one
SELECT count(*)::integer FROM public.putaway_recommendations WHERE created_at > now() - interval '24 hours' AND created_at <= now();

-- name: DescribeBinVolume :one
-- A bin whose volume is not known is missing, whatever stands in its column.
SELECT count(v)::integer AS n, (count(*) - count(v))::integer AS missing, coalesce(round(avg(v), 2)::text, '') AS mean,
       coalesce(round(stddev_samp(v), 2)::text, '') AS sd, coalesce(round(min(v), 2)::text, '') AS least,
       coalesce(round((percentile_cont(0.25) WITHIN GROUP (ORDER BY v))::numeric, 2)::text, '') AS p25,
       coalesce(round((percentile_cont(0.5) WITHIN GROUP (ORDER BY v))::numeric, 2)::text, '') AS median,
       coalesce(round((percentile_cont(0.75) WITHIN GROUP (ORDER BY v))::numeric, 2)::text, '') AS p75,
       coalesce(round((percentile_cont(0.95) WITHIN GROUP (ORDER BY v))::numeric, 2)::text, '') AS p95,
       coalesce(round(max(v), 2)::text, '') AS most
  FROM (SELECT CASE WHEN utilization_status <> 'VOLUME_UNKNOWN' THEN volume_utilization_pct END AS v FROM public.bin_utilization_cache) AS bins;

-- name: DescribeBinWeight :one
-- A bin that holds lots of unknown weight is missing.
SELECT count(v)::integer AS n, (count(*) - count(v))::integer AS missing, coalesce(round(avg(v), 2)::text, '') AS mean,
       coalesce(round(stddev_samp(v), 2)::text, '') AS sd, coalesce(round(min(v), 2)::text, '') AS least,
       coalesce(round((percentile_cont(0.25) WITHIN GROUP (ORDER BY v))::numeric, 2)::text, '') AS p25,
       coalesce(round((percentile_cont(0.5) WITHIN GROUP (ORDER BY v))::numeric, 2)::text, '') AS median,
       coalesce(round((percentile_cont(0.75) WITHIN GROUP (ORDER BY v))::numeric, 2)::text, '') AS p75,
       coalesce(round((percentile_cont(0.95) WITHIN GROUP (ORDER BY v))::numeric, 2)::text, '') AS p95,
       coalesce(round(max(v), 2)::text, '') AS most
  FROM (SELECT CASE WHEN unknown_weight_lots = 0 THEN weight_utilization_pct END AS v FROM public.bin_utilization_cache) AS bins;

-- name: DescribeConfidence :one
SELECT count(v)::integer AS n, (count(*) - count(v))::integer AS missing, coalesce(round(avg(v), 3)::text, '') AS mean,
       coalesce(round(stddev_samp(v), 3)::text, '') AS sd, coalesce(round(min(v), 3)::text, '') AS least,
       coalesce(round((percentile_cont(0.25) WITHIN GROUP (ORDER BY v))::numeric, 3)::text, '') AS p25,
       coalesce(round((percentile_cont(0.5) WITHIN GROUP (ORDER BY v))::numeric, 3)::text, '') AS median,
       coalesce(round((percentile_cont(0.75) WITHIN GROUP (ORDER BY v))::numeric, 3)::text, '') AS p75,
       coalesce(round((percentile_cont(0.95) WITHIN GROUP (ORDER BY v))::numeric, 3)::text, '') AS p95,
       coalesce(round(max(v), 3)::text, '') AS most
  FROM (SELECT confidence_score::numeric AS v FROM public.putaway_recommendations WHERE created_at > @from AND created_at <= @to) AS made;

-- name: DescribeDecisions :one
-- How long people took to decide; a recommendation that nobody has decided is missing.
SELECT count(v)::integer AS n, (count(*) - count(v))::integer AS missing, coalesce(round(avg(v), 0)::text, '') AS mean,
       coalesce(round(stddev_samp(v), 0)::text, '') AS sd, coalesce(round(min(v), 0)::text, '') AS least,
       coalesce(round((percentile_cont(0.25) WITHIN GROUP (ORDER BY v))::numeric, 0)::text, '') AS p25,
       coalesce(round((percentile_cont(0.5) WITHIN GROUP (ORDER BY v))::numeric, 0)::text, '') AS median,
       coalesce(round((percentile_cont(0.75) WITHIN GROUP (ORDER BY v))::numeric, 0)::text, '') AS p75,
       coalesce(round((percentile_cont(0.95) WITHIN GROUP (ORDER BY v))::numeric, 0)::text, '') AS p95,
       coalesce(round(max(v), 0)::text, '') AS most
  FROM (SELECT extract(epoch FROM decided_at - created_at) AS v FROM public.putaway_recommendations WHERE created_at > @from AND created_at <= @to) AS made;

-- name: DescribeAcceptance :one
-- The acceptance rates of the measurements that the warehouse wrote down in the period; one of nothing decided is missing.
SELECT count(v)::integer AS n, (count(*) - count(v))::integer AS missing, coalesce(round(avg(v), 2)::text, '') AS mean,
       coalesce(round(stddev_samp(v), 2)::text, '') AS sd, coalesce(round(min(v), 2)::text, '') AS least,
       coalesce(round((percentile_cont(0.25) WITHIN GROUP (ORDER BY v))::numeric, 2)::text, '') AS p25,
       coalesce(round((percentile_cont(0.5) WITHIN GROUP (ORDER BY v))::numeric, 2)::text, '') AS median,
       coalesce(round((percentile_cont(0.75) WITHIN GROUP (ORDER BY v))::numeric, 2)::text, '') AS p75,
       coalesce(round((percentile_cont(0.95) WITHIN GROUP (ORDER BY v))::numeric, 2)::text, '') AS p95,
       coalesce(round(max(v), 2)::text, '') AS most
  FROM (SELECT 100 * acceptance_rate AS v FROM public.bin_optimization_statistical_metrics
         WHERE measurement_timestamp > @from AND measurement_timestamp <= @to) AS measured;
