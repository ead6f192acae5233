-- name: TasksByWalk :many
-- Keyset: by zone and walking order.
SELECT t.facility_id, t.material_id, t.material_code, t.material_name, t.reason, t.note, t.last_at, t.failures, t.bins, t.zone, t.location_code, t.walk, t.gain,
       t.taken_issuer, t.taken_subject, t.taken_name, t.taken_at, t.assigned_by, t.version,
       ARRAY(SELECT jsonb_build_object('Issuer', r.issuer, 'Subject', r.subject, 'Name', r.name) FROM gatehouse.dimension_cases c
              JOIN gatehouse.dimension_readings r ON r.tenant_id = c.tenant_id AND r.case_id = c.case_id AND r.round = c.round
             WHERE c.tenant_id = t.tenant_id AND c.facility_id = t.facility_id AND c.material_id = t.material_id AND c.state <> 'settled') AS barred
  FROM gatehouse.measure_tasks t
 WHERE t.tenant_id = gatehouse.current_tenant()
   AND t.facility_id = coalesce(@facility, (SELECT f.facility_id FROM public.facilities f
         WHERE f.tenant_id = gatehouse.current_tenant() AND f.is_current AND f.is_active AND f.deleted_at IS NULL ORDER BY f.facility_code LIMIT 1))
   AND (@zone::text = '' OR t.zone = @zone) AND (t.zone, t.walk, t.material_id) > (@after_zone::text, @after_number::integer, @after_material::uuid)
 ORDER BY t.zone, t.walk, t.material_id
 LIMIT @most;

-- name: TasksByGain :many
-- Keyset: by what it brings, the most first.
SELECT t.facility_id, t.material_id, t.material_code, t.material_name, t.reason, t.note, t.last_at, t.failures, t.bins, t.zone, t.location_code, t.walk, t.gain,
       t.taken_issuer, t.taken_subject, t.taken_name, t.taken_at, t.assigned_by, t.version,
       ARRAY(SELECT jsonb_build_object('Issuer', r.issuer, 'Subject', r.subject, 'Name', r.name) FROM gatehouse.dimension_cases c
              JOIN gatehouse.dimension_readings r ON r.tenant_id = c.tenant_id AND r.case_id = c.case_id AND r.round = c.round
             WHERE c.tenant_id = t.tenant_id AND c.facility_id = t.facility_id AND c.material_id = t.material_id AND c.state <> 'settled') AS barred
  FROM gatehouse.measure_tasks t
 WHERE t.tenant_id = gatehouse.current_tenant()
   AND t.facility_id = coalesce(@facility, (SELECT f.facility_id FROM public.facilities f
         WHERE f.tenant_id = gatehouse.current_tenant() AND f.is_current AND f.is_active AND f.deleted_at IS NULL ORDER BY f.facility_code LIMIT 1))
   AND (@zone::text = '' OR t.zone = @zone) AND (-t.gain, t.material_id) > (-(@after_number::integer), @after_material::uuid)
 ORDER BY -t.gain, t.material_id
 LIMIT @most;

-- name: TasksOfMine :many
SELECT t.facility_id, t.material_id, t.material_code, t.material_name, t.reason, t.note, t.last_at, t.failures, t.bins, t.zone, t.location_code, t.walk, t.gain,
       t.taken_issuer, t.taken_subject, t.taken_name, t.taken_at, t.assigned_by, t.version, '{}'::jsonb[] AS barred
  FROM gatehouse.measure_tasks t
 WHERE t.tenant_id = gatehouse.current_tenant() AND t.taken_subject = @subject AND t.taken_issuer = @issuer
 ORDER BY t.zone, t.walk, t.material_id
 LIMIT 20;

-- name: MeasureTask :many
SELECT t.facility_id, t.material_id, t.material_code, t.material_name, t.reason, t.note, t.last_at, t.failures, t.bins, t.zone, t.location_code, t.walk, t.gain,
       t.taken_issuer, t.taken_subject, t.taken_name, t.taken_at, t.assigned_by, t.version,
       ARRAY(SELECT jsonb_build_object('Issuer', r.issuer, 'Subject', r.subject, 'Name', r.name) FROM gatehouse.dimension_cases c
              JOIN gatehouse.dimension_readings r ON r.tenant_id = c.tenant_id AND r.case_id = c.case_id AND r.round = c.round
             WHERE c.tenant_id = t.tenant_id AND c.facility_id = t.facility_id AND c.material_id = t.material_id AND c.state <> 'settled') AS barred
  FROM gatehouse.measure_tasks t
 WHERE t.tenant_id = gatehouse.current_tenant() AND t.facility_id = @facility AND t.material_id = @material
   FOR UPDATE OF t;

-- name: HoldTask :exec
UPDATE gatehouse.measure_tasks
   SET taken_issuer = @issuer, taken_subject = @subject, taken_name = @name, taken_at = CASE WHEN @subject = '' THEN NULL ELSE clock_timestamp() END,
       assigned_by = @assigned_by, version = version + 1
 WHERE tenant_id = gatehouse.current_tenant() AND facility_id = @facility AND material_id = @material AND version = @version;

-- name: TaskZones :many
-- Loose: one look into the index for each zone.
WITH RECURSIVE here AS (
    SELECT coalesce(@facility, (SELECT f.facility_id FROM public.facilities f
         WHERE f.tenant_id = gatehouse.current_tenant() AND f.is_current AND f.is_active AND f.deleted_at IS NULL ORDER BY f.facility_code LIMIT 1)) AS facility_id
), zones AS (
    (SELECT t.zone, 1 AS n FROM gatehouse.measure_tasks t, here h WHERE t.tenant_id = gatehouse.current_tenant() AND t.facility_id = h.facility_id ORDER BY t.zone LIMIT 1)
    UNION ALL
    SELECT (SELECT t.zone FROM gatehouse.measure_tasks t, here h
             WHERE t.tenant_id = gatehouse.current_tenant() AND t.facility_id = h.facility_id AND t.zone > z.zone ORDER BY t.zone LIMIT 1), z.n + 1
      FROM zones z WHERE z.zone IS NOT NULL AND z.n < 40
)
SELECT zone FROM zones WHERE zone <> '' ORDER BY zone;

-- name: WantTask :exec
-- Whoever has the task keeps it, unless somebody else is to read now.
INSERT INTO gatehouse.measure_tasks AS t (tenant_id, facility_id, material_id, material_code, material_name, reason, note, bins, zone, location_code, walk, gain)
SELECT m.tenant_id, @facility, m.material_id, m.material_code, m.material_name, @reason, left(@note, 500), p.bins, p.zone, p.location_code, p.walk,
       CASE @reason WHEN 'reading' THEN 1000 WHEN 'remeasure' THEN 900 WHEN 'failure' THEN 500 WHEN 'asked' THEN 300 ELSE 100 END + p.bins
  FROM public.materials m
 CROSS JOIN LATERAL (
       SELECT count(DISTINCT o.location_id)::integer AS bins, coalesce((array_agg(l.zone_code ORDER BY l.pick_sequence, l.location_code))[1], '') AS zone,
              coalesce((array_agg(l.location_code ORDER BY l.pick_sequence, l.location_code))[1], '') AS location_code, coalesce(min(l.pick_sequence), 0) AS walk
         FROM public.lots o
         JOIN public.inventory_locations l ON l.tenant_id = o.tenant_id AND l.location_id = o.location_id
        WHERE o.tenant_id = m.tenant_id AND o.material_id = m.material_id AND o.facility_id = @facility AND o.deleted_at IS NULL AND o.quantity_on_hand > 0) p
 WHERE m.tenant_id = gatehouse.current_tenant() AND m.material_id = @material
ON CONFLICT ON CONSTRAINT measure_tasks_pkey DO UPDATE
   SET reason = excluded.reason, note = excluded.note, gain = excluded.gain, bins = excluded.bins, zone = excluded.zone, location_code = excluded.location_code, walk = excluded.walk,
       taken_issuer = CASE WHEN excluded.reason = 'reading' THEN '' ELSE t.taken_issuer END, taken_subject = CASE WHEN excluded.reason = 'reading' THEN '' ELSE t.taken_subject END,
       taken_name = CASE WHEN excluded.reason = 'reading' THEN '' ELSE t.taken_name END, taken_at = CASE WHEN excluded.reason = 'reading' THEN NULL ELSE t.taken_at END,
       assigned_by = CASE WHEN excluded.reason = 'reading' THEN '' ELSE t.assigned_by END, version = t.version + 1;

-- name: DropTask :exec
DELETE FROM gatehouse.measure_tasks WHERE tenant_id = gatehouse.current_tenant() AND facility_id = @facility AND material_id = @material;

-- name: PlanTasks :one
-- The scheduler's: what lies in a facility and has to be measured there, and why. Readings that are wanted, what is measured
-- again and what somebody asked for stay until they are done. A record that a supervisor kept counts as verified then. More
-- than 90 whole days, strictly: verified on the ninetieth day before is still good.
WITH stock AS MATERIALIZED (
    SELECT o.facility_id, o.material_id, count(DISTINCT o.location_id)::integer AS bins,
           coalesce((array_agg(l.zone_code ORDER BY l.pick_sequence, l.location_code))[1], '') AS zone,
           coalesce((array_agg(l.location_code ORDER BY l.pick_sequence, l.location_code))[1], '') AS location_code, coalesce(min(l.pick_sequence), 0) AS walk
      FROM public.lots o
      LEFT JOIN public.inventory_locations l ON l.tenant_id = o.tenant_id AND l.location_id = o.location_id
     WHERE o.tenant_id = gatehouse.current_tenant() AND o.deleted_at IS NULL AND o.quantity_on_hand > 0
     GROUP BY o.facility_id, o.material_id
), verified AS MATERIALIZED (
    SELECT facility_id, material_id, max(at) AS at
      FROM (SELECT facility_id, material_id, verified_at AS at FROM public.material_dimension_verifications
             WHERE tenant_id = gatehouse.current_tenant() AND verification_status <> 'VARIANCE_DETECTED'
            UNION ALL
            SELECT facility_id, material_id, reviewed_at FROM gatehouse.dimension_reviews
             WHERE tenant_id = gatehouse.current_tenant() AND decision = 'KEEP_MASTER') v
     GROUP BY facility_id, material_id
), failed AS MATERIALIZED (
    SELECT x.facility_id, x.material_id, count(*)::integer AS failures
      FROM public.capacity_validation_failures x
      LEFT JOIN verified v ON v.facility_id = x.facility_id AND v.material_id = x.material_id
     WHERE x.tenant_id = gatehouse.current_tenant() AND NOT x.resolved AND (v.at IS NULL OR x.last_seen_at > v.at)
     GROUP BY x.facility_id, x.material_id
), wanted AS MATERIALIZED (
    SELECT s.*, m.material_code, m.material_name, v.at AS last_at, coalesce(x.failures, 0) AS failures,
           CASE WHEN x.failures > 0 THEN 'failure'
                WHEN public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) IS NULL OR m.weight_lbs_per_unit > 0 IS NOT TRUE THEN 'unknown'
                WHEN v.at IS NULL THEN 'never'
                WHEN clock_timestamp() - v.at >= interval '91 days' THEN 'stale' END AS reason
      FROM stock s
      JOIN public.materials m ON m.tenant_id = gatehouse.current_tenant() AND m.material_id = s.material_id AND m.deleted_at IS NULL AND m.is_active
      LEFT JOIN verified v ON v.facility_id = s.facility_id AND v.material_id = s.material_id
      LEFT JOIN failed x ON x.facility_id = s.facility_id AND x.material_id = s.material_id
), needed AS MATERIALIZED (
    SELECT w.*, CASE w.reason WHEN 'failure' THEN 500 + 50 * least(w.failures, 8) WHEN 'unknown' THEN 250 WHEN 'never' THEN 100 ELSE 50 END + w.bins AS gain
      FROM wanted w
     WHERE w.reason IS NOT NULL
       AND NOT EXISTS (SELECT FROM gatehouse.dimension_cases c WHERE c.tenant_id = gatehouse.current_tenant() AND c.facility_id = w.facility_id
                          AND c.material_id = w.material_id AND c.state <> 'settled')
), gone AS (
    DELETE FROM gatehouse.measure_tasks t
     WHERE t.tenant_id = gatehouse.current_tenant() AND t.reason IN ('failure', 'unknown', 'never', 'stale')
       AND NOT EXISTS (SELECT FROM needed n WHERE n.facility_id = t.facility_id AND n.material_id = t.material_id)
    RETURNING 1
), put AS (
    INSERT INTO gatehouse.measure_tasks AS t (tenant_id, facility_id, material_id, material_code, material_name, reason, last_at, failures, bins, zone, location_code, walk, gain)
    SELECT gatehouse.current_tenant(), facility_id, material_id, material_code, material_name, reason, last_at, failures, bins, zone, location_code, walk, gain FROM needed
    ON CONFLICT ON CONSTRAINT measure_tasks_pkey DO UPDATE
       SET material_code = excluded.material_code, material_name = excluded.material_name, last_at = excluded.last_at, failures = excluded.failures, bins = excluded.bins,
           zone = excluded.zone, location_code = excluded.location_code, walk = excluded.walk,
           reason = CASE WHEN t.reason IN ('failure', 'unknown', 'never', 'stale') THEN excluded.reason ELSE t.reason END,
           gain = CASE WHEN t.reason IN ('failure', 'unknown', 'never', 'stale') THEN excluded.gain ELSE t.gain END
     WHERE (t.material_code, t.material_name, t.last_at, t.failures, t.bins, t.zone, t.location_code, t.walk)
           IS DISTINCT FROM (excluded.material_code, excluded.material_name, excluded.last_at, excluded.failures, excluded.bins, excluded.zone, excluded.location_code, excluded.walk)
        OR t.reason IN ('failure', 'unknown', 'never', 'stale') AND (t.reason, t.gain) IS DISTINCT FROM (excluded.reason, excluded.gain)
    RETURNING xmax = 0 AS fresh
)
SELECT (SELECT count(*) FROM put WHERE fresh)::integer AS added, (SELECT count(*) FROM gone)::integer AS removed;

-- name: PlanTasksOfOutliers :exec
-- Figures that lie out and name a material that lies there, as long as nobody has measured it since.
INSERT INTO gatehouse.measure_tasks AS t (tenant_id, facility_id, material_id, material_code, material_name, reason, note, gain)
SELECT DISTINCT ON (x.facility_id, x.material_id) x.tenant_id, x.facility_id, x.material_id, m.material_code, m.material_name, 'outlier',
       left('An outlier of ' || x.metric_name || ' names it.', 500), 150
  FROM public.bin_optimization_outliers x
  JOIN public.materials m ON m.tenant_id = x.tenant_id AND m.material_id = x.material_id AND m.deleted_at IS NULL AND m.is_active
 WHERE x.tenant_id = gatehouse.current_tenant() AND x.investigation_status IN ('PENDING', 'IN_PROGRESS')
   AND NOT EXISTS (SELECT FROM public.material_dimension_verifications v WHERE v.tenant_id = x.tenant_id AND v.material_id = x.material_id
                      AND v.facility_id = x.facility_id AND v.verified_at > x.detection_timestamp)
   AND NOT EXISTS (SELECT FROM gatehouse.dimension_cases c WHERE c.tenant_id = x.tenant_id AND c.facility_id = x.facility_id
                      AND c.material_id = x.material_id AND c.state <> 'settled')
ON CONFLICT ON CONSTRAINT measure_tasks_pkey DO NOTHING;

-- name: FindMaterials :many
-- By what was scanned or typed: a code of a material, its trade item number, a lot of it, or a location that holds it. The whole
-- code first; else what begins with it.
SELECT m.material_id, m.material_code, m.material_name, f.kind, f.location
  FROM (
    SELECT x.material_id, 'code' AS kind, '' AS location, 1 AS rank FROM public.materials x
     WHERE x.tenant_id = gatehouse.current_tenant() AND x.material_code IN (@code::text, upper(@code::text))
    UNION ALL
    SELECT b.material_id, 'gtin', '', 1 FROM gatehouse.material_barcodes b WHERE b.tenant_id = gatehouse.current_tenant() AND b.gtin = @gtin::text
    UNION ALL
    SELECT o.material_id, 'lot', coalesce(l.location_code, ''), 2 FROM public.lots o
      LEFT JOIN public.inventory_locations l ON l.tenant_id = o.tenant_id AND l.location_id = o.location_id
     WHERE o.tenant_id = gatehouse.current_tenant() AND o.lot_number IN (@code::text, @lot::text) AND o.lot_number <> '' AND o.deleted_at IS NULL
    UNION ALL
    SELECT o.material_id, 'location', l.location_code, 3 FROM public.inventory_locations l
      JOIN public.lots o ON o.tenant_id = l.tenant_id AND o.location_id = l.location_id AND o.deleted_at IS NULL AND o.quantity_on_hand > 0
     WHERE l.tenant_id = gatehouse.current_tenant() AND @code::text <> '' AND (l.location_code = @code OR l.barcode = @code) AND l.deleted_at IS NULL
    UNION ALL
    (SELECT x.material_id, 'code', '', 4 FROM public.materials x
      WHERE x.tenant_id = gatehouse.current_tenant() AND length(@code::text) >= 3
        AND x.material_code >= upper(@code::text) AND x.material_code < upper(@code::text) || chr(1114109)
      ORDER BY x.material_code LIMIT 20)) f
  JOIN public.materials m ON m.tenant_id = gatehouse.current_tenant() AND m.material_id = f.material_id AND m.deleted_at IS NULL
 ORDER BY f.rank, m.material_code, f.location
 LIMIT 40;

-- name: Colleagues :many
-- Who has signed in here with a role that measures; the newest hundred, by name.
SELECT person_id, issuer, subject, name
  FROM (SELECT person_id, issuer, subject, name FROM gatehouse.people
         WHERE tenant_id = gatehouse.current_tenant() AND disabled_at IS NULL AND roles && @measuring::text[]
         ORDER BY last_seen_at DESC LIMIT 100) p
 ORDER BY name, subject;

-- name: Colleague :many
SELECT person_id, issuer, subject, name
  FROM gatehouse.people
 WHERE tenant_id = gatehouse.current_tenant() AND person_id = @person AND disabled_at IS NULL AND roles && @measuring::text[];
