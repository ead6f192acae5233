-- name: HoldCapacity :one
-- Who changes failures does it alone in the tenant: what a correction would clear is then what it clears. Every act writes an
-- entry of the trail and so waits for the others anyway.
SELECT clock_timestamp() AS at, pg_advisory_xact_lock(hashtextextended('capacity ' || gatehouse.current_tenant(), 0));

-- name: CapacityDeployed :one
SELECT to_regclass('public.capacity_validation_failures') IS NOT NULL AS deployed;

-- name: CapacityGroups :many
-- The worst first. What is owned by nobody has an empty owner.
SELECT g.group_id, g.facility_id, coalesce(f.facility_code, '') AS facility_code, coalesce(f.facility_name, '') AS facility_name, g.cause, g.subject, g.label,
       g.untouched, g.in_work, g.to_verify, g.accepted, g.verified, g.worst_rank, g.worst_overflow, g.oldest_open_at,
       CASE WHEN isfinite(g.last_seen_at) THEN g.last_seen_at END AS last_seen_at
  FROM gatehouse.capacity_groups g
  LEFT JOIN public.facilities f ON f.tenant_id = g.tenant_id AND f.facility_id = g.facility_id
 WHERE g.tenant_id = gatehouse.current_tenant() AND g.open > 0
   AND (@facility::uuid IS NULL OR g.facility_id = @facility) AND (@cause::text = '' OR g.cause = @cause)
   AND (@rank::integer = 0 OR g.worst_rank = @rank)
   AND (@before::timestamptz IS NULL OR g.oldest_open_at < @before)
   AND (@standing::text = '' OR CASE @standing WHEN 'untouched' THEN g.untouched WHEN 'in_work' THEN g.in_work ELSE g.to_verify END > 0)
   AND (@zone::text = '' OR EXISTS (SELECT FROM gatehouse.capacity_cases c
                                     WHERE c.tenant_id = g.tenant_id AND c.group_id = g.group_id AND c.zone_code = @zone AND c.open))
   AND (NOT @owned::boolean OR EXISTS (SELECT FROM gatehouse.capacity_cases c
                                        WHERE c.tenant_id = g.tenant_id AND c.group_id = g.group_id AND c.open
                                          AND c.owner_issuer = @owner_issuer::text AND c.owner_subject = @owner_subject::text))
   AND (g.worst_rank, g.worst_overflow, g.group_id) < (@after_rank::smallint, @after_overflow::numeric, @after_id::uuid)
 ORDER BY g.worst_rank DESC, g.worst_overflow DESC, g.group_id DESC
 LIMIT @limit;

-- name: CapacityGroupsNewest :many
-- What is accepted, or was settled: the newest first.
SELECT g.group_id, g.facility_id, coalesce(f.facility_code, '') AS facility_code, coalesce(f.facility_name, '') AS facility_name, g.cause, g.subject, g.label,
       g.untouched, g.in_work, g.to_verify, g.accepted, g.verified, g.worst_rank, g.worst_overflow, g.oldest_open_at,
       CASE WHEN isfinite(g.last_seen_at) THEN g.last_seen_at END AS last_seen_at
  FROM gatehouse.capacity_groups g
  LEFT JOIN public.facilities f ON f.tenant_id = g.tenant_id AND f.facility_id = g.facility_id
 WHERE g.tenant_id = gatehouse.current_tenant()
   AND CASE @standing::text WHEN 'accepted' THEN g.accepted ELSE g.verified END > 0
   AND (@facility::uuid IS NULL OR g.facility_id = @facility) AND (@cause::text = '' OR g.cause = @cause)
   AND (g.last_seen_at, g.group_id) < (@after_at::timestamptz, @after_id::uuid)
 ORDER BY g.last_seen_at DESC, g.group_id DESC
 LIMIT @limit;

-- name: CapacityGroup :many
SELECT g.group_id, g.facility_id, coalesce(f.facility_code, '') AS facility_code, coalesce(f.facility_name, '') AS facility_name, g.cause, g.subject, g.label,
       g.untouched, g.in_work, g.to_verify, g.accepted, g.verified, g.worst_rank, g.worst_overflow, g.oldest_open_at,
       CASE WHEN isfinite(g.last_seen_at) THEN g.last_seen_at END AS last_seen_at
  FROM gatehouse.capacity_groups g
  LEFT JOIN public.facilities f ON f.tenant_id = g.tenant_id AND f.facility_id = g.facility_id
 WHERE g.tenant_id = gatehouse.current_tenant() AND g.group_id = @group;

-- name: CapacityFacilities :many
SELECT facility_id, facility_code, facility_name
  FROM public.facilities
 WHERE tenant_id = gatehouse.current_tenant() AND is_current AND is_active AND deleted_at IS NULL
 ORDER BY facility_code
 LIMIT 200;

-- name: CapacityWalk :many
SELECT at, looked, found, problem, walked_at, alerts_at FROM gatehouse.capacity_walks WHERE tenant_id = gatehouse.current_tenant();

-- name: CapacityUndo :many
-- What the person did to many and can still take back.
SELECT bulk_id, act, reason, cases, issuer, subject, name, done_at, undone_at
  FROM gatehouse.capacity_bulks
 WHERE tenant_id = gatehouse.current_tenant() AND issuer = @issuer AND subject = @subject AND undone_at IS NULL
   AND done_at > clock_timestamp() - @within::interval
 ORDER BY done_at DESC
 LIMIT 1;

-- name: CapacityCases :many
-- A page of a group, the worst first.
SELECT c.failure_id, c.group_id, g.cause, c.cause_reason, c.facility_id, c.facility_code, c.location_id, c.location_code, c.location_type, c.zone_code,
       c.material_id, c.material_code, c.lot_number, c.quantity, c.required_cubic_feet, c.available_cubic_feet, c.required_weight_lbs, c.available_weight_lbs,
       c.bin_cubic_feet, c.bin_max_weight_lbs, c.unit_cubic_feet, c.unit_weight_lbs, c.state, c.version, c.owner_issuer, c.owner_subject, c.owner_name,
       c.fix_code, c.fix_notes, c.fixed_issuer, c.fixed_subject, c.fixed_name, c.fixed_at, c.verified_issuer, c.verified_subject, c.verified_name, c.verified_at,
       c.accepted_until, c.accepted_issuer, c.accepted_subject, c.accepted_name, c.accept_reason, c.occurrences, c.first_seen_at, c.last_seen_at,
       c.opened_at, c.reopened, c.source
  FROM gatehouse.capacity_cases c
  JOIN gatehouse.capacity_groups g ON g.tenant_id = c.tenant_id AND g.group_id = c.group_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.group_id = @group
   AND (@zone::text = '' OR c.zone_code = @zone) AND (@rank::integer = 0 OR c.rank = @rank) AND c.state = ANY (@states::text[])
   AND (@before::timestamptz IS NULL OR c.opened_at < @before)
   AND (NOT @owned::boolean OR c.owner_issuer = @owner_issuer::text AND c.owner_subject = @owner_subject::text)
   AND (c.rank, c.overflow, c.failure_id) < (@after_rank::smallint, @after_overflow::numeric, @after_id::uuid)
 ORDER BY c.rank DESC, c.overflow DESC, c.failure_id DESC
 LIMIT @limit;

-- name: CapacityActable :one
-- How many an act on all of them would take, as far as one press goes.
SELECT count(*) FILTER (WHERE state IN ('new', 'reopened'))::integer AS acknowledge,
       count(*) FILTER (WHERE state IN ('new', 'reopened', 'acknowledged', 'assigned'))::integer AS assign
  FROM (SELECT c.state
          FROM gatehouse.capacity_cases c
         WHERE c.tenant_id = gatehouse.current_tenant() AND c.group_id = @group AND c.open
           AND (@zone::text = '' OR c.zone_code = @zone) AND (@rank::integer = 0 OR c.rank = @rank) AND c.state = ANY (@states::text[])
           AND (@before::timestamptz IS NULL OR c.opened_at < @before)
           AND (NOT @owned::boolean OR c.owner_issuer = @owner_issuer::text AND c.owner_subject = @owner_subject::text)
         LIMIT @limit) AS found;

-- name: CapacityMatching :many
SELECT c.failure_id, c.group_id, g.cause, c.cause_reason, c.facility_id, c.facility_code, c.location_id, c.location_code, c.location_type, c.zone_code,
       c.material_id, c.material_code, c.lot_number, c.quantity, c.required_cubic_feet, c.available_cubic_feet, c.required_weight_lbs, c.available_weight_lbs,
       c.bin_cubic_feet, c.bin_max_weight_lbs, c.unit_cubic_feet, c.unit_weight_lbs, c.state, c.version, c.owner_issuer, c.owner_subject, c.owner_name,
       c.fix_code, c.fix_notes, c.fixed_issuer, c.fixed_subject, c.fixed_name, c.fixed_at, c.verified_issuer, c.verified_subject, c.verified_name, c.verified_at,
       c.accepted_until, c.accepted_issuer, c.accepted_subject, c.accepted_name, c.accept_reason, c.occurrences, c.first_seen_at, c.last_seen_at,
       c.opened_at, c.reopened, c.source
  FROM gatehouse.capacity_cases c
  JOIN gatehouse.capacity_groups g ON g.tenant_id = c.tenant_id AND g.group_id = c.group_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.group_id = @group
   AND (@zone::text = '' OR c.zone_code = @zone) AND (@rank::integer = 0 OR c.rank = @rank) AND c.state = ANY (@states::text[])
   AND (@before::timestamptz IS NULL OR c.opened_at < @before)
   AND (NOT @owned::boolean OR c.owner_issuer = @owner_issuer::text AND c.owner_subject = @owner_subject::text)
 ORDER BY c.failure_id
 LIMIT @limit
   FOR UPDATE OF c;

-- name: CapacityAll :many
-- A piece of an export, newest first.
SELECT c.failure_id, c.group_id, g.cause, c.cause_reason, c.facility_id, c.facility_code, c.location_id, c.location_code, c.location_type, c.zone_code,
       c.material_id, c.material_code, c.lot_number, c.quantity, c.required_cubic_feet, c.available_cubic_feet, c.required_weight_lbs, c.available_weight_lbs,
       c.bin_cubic_feet, c.bin_max_weight_lbs, c.unit_cubic_feet, c.unit_weight_lbs, c.state, c.version, c.owner_issuer, c.owner_subject, c.owner_name,
       c.fix_code, c.fix_notes, c.fixed_issuer, c.fixed_subject, c.fixed_name, c.fixed_at, c.verified_issuer, c.verified_subject, c.verified_name, c.verified_at,
       c.accepted_until, c.accepted_issuer, c.accepted_subject, c.accepted_name, c.accept_reason, c.occurrences, c.first_seen_at, c.last_seen_at,
       c.opened_at, c.reopened, c.source
  FROM gatehouse.capacity_cases c
  JOIN gatehouse.capacity_groups g ON g.tenant_id = c.tenant_id AND g.group_id = c.group_id
 WHERE c.tenant_id = gatehouse.current_tenant()
   AND (@facility::uuid IS NULL OR c.facility_id = @facility) AND (@cause::text = '' OR g.cause = @cause) AND (@group::uuid IS NULL OR c.group_id = @group)
   AND (@zone::text = '' OR c.zone_code = @zone) AND (@rank::integer = 0 OR c.rank = @rank) AND c.state = ANY (@states::text[])
   AND (@before::timestamptz IS NULL OR c.opened_at < @before)
   AND (NOT @owned::boolean OR c.owner_issuer = @owner_issuer::text AND c.owner_subject = @owner_subject::text)
   AND (c.opened_at, c.failure_id) < (@after_at::timestamptz, @after_id::uuid)
 ORDER BY c.opened_at DESC, c.failure_id DESC
 LIMIT @limit;

-- name: CapacityCase :many
SELECT c.failure_id, c.group_id, g.cause, c.cause_reason, c.facility_id, c.facility_code, c.location_id, c.location_code, c.location_type, c.zone_code,
       c.material_id, c.material_code, c.lot_number, c.quantity, c.required_cubic_feet, c.available_cubic_feet, c.required_weight_lbs, c.available_weight_lbs,
       c.bin_cubic_feet, c.bin_max_weight_lbs, c.unit_cubic_feet, c.unit_weight_lbs, c.state, c.version, c.owner_issuer, c.owner_subject, c.owner_name,
       c.fix_code, c.fix_notes, c.fixed_issuer, c.fixed_subject, c.fixed_name, c.fixed_at, c.verified_issuer, c.verified_subject, c.verified_name, c.verified_at,
       c.accepted_until, c.accepted_issuer, c.accepted_subject, c.accepted_name, c.accept_reason, c.occurrences, c.first_seen_at, c.last_seen_at,
       c.opened_at, c.reopened, c.source
  FROM gatehouse.capacity_cases c
  JOIN gatehouse.capacity_groups g ON g.tenant_id = c.tenant_id AND g.group_id = c.group_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.failure_id = @failure;

-- name: LockCapacityCase :many
SELECT c.failure_id, c.group_id, g.cause, c.cause_reason, c.facility_id, c.facility_code, c.location_id, c.location_code, c.location_type, c.zone_code,
       c.material_id, c.material_code, c.lot_number, c.quantity, c.required_cubic_feet, c.available_cubic_feet, c.required_weight_lbs, c.available_weight_lbs,
       c.bin_cubic_feet, c.bin_max_weight_lbs, c.unit_cubic_feet, c.unit_weight_lbs, c.state, c.version, c.owner_issuer, c.owner_subject, c.owner_name,
       c.fix_code, c.fix_notes, c.fixed_issuer, c.fixed_subject, c.fixed_name, c.fixed_at, c.verified_issuer, c.verified_subject, c.verified_name, c.verified_at,
       c.accepted_until, c.accepted_issuer, c.accepted_subject, c.accepted_name, c.accept_reason, c.occurrences, c.first_seen_at, c.last_seen_at,
       c.opened_at, c.reopened, c.source
  FROM gatehouse.capacity_cases c
  JOIN gatehouse.capacity_groups g ON g.tenant_id = c.tenant_id AND g.group_id = c.group_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.failure_id = @failure
   FOR UPDATE OF c;

-- name: LockCapacityCaseOf :many
SELECT c.failure_id, c.group_id, g.cause, c.cause_reason, c.facility_id, c.facility_code, c.location_id, c.location_code, c.location_type, c.zone_code,
       c.material_id, c.material_code, c.lot_number, c.quantity, c.required_cubic_feet, c.available_cubic_feet, c.required_weight_lbs, c.available_weight_lbs,
       c.bin_cubic_feet, c.bin_max_weight_lbs, c.unit_cubic_feet, c.unit_weight_lbs, c.state, c.version, c.owner_issuer, c.owner_subject, c.owner_name,
       c.fix_code, c.fix_notes, c.fixed_issuer, c.fixed_subject, c.fixed_name, c.fixed_at, c.verified_issuer, c.verified_subject, c.verified_name, c.verified_at,
       c.accepted_until, c.accepted_issuer, c.accepted_subject, c.accepted_name, c.accept_reason, c.occurrences, c.first_seen_at, c.last_seen_at,
       c.opened_at, c.reopened, c.source
  FROM gatehouse.capacity_cases c
  JOIN gatehouse.capacity_groups g ON g.tenant_id = c.tenant_id AND g.group_id = c.group_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.location_id = @location AND c.material_id = @material AND c.failure_type = @type
   FOR UPDATE OF c;

-- name: CapacityOfTheBin :many
-- The open failures of the same location.
SELECT c.failure_id, c.group_id, g.cause, c.cause_reason, c.facility_id, c.facility_code, c.location_id, c.location_code, c.location_type, c.zone_code,
       c.material_id, c.material_code, c.lot_number, c.quantity, c.required_cubic_feet, c.available_cubic_feet, c.required_weight_lbs, c.available_weight_lbs,
       c.bin_cubic_feet, c.bin_max_weight_lbs, c.unit_cubic_feet, c.unit_weight_lbs, c.state, c.version, c.owner_issuer, c.owner_subject, c.owner_name,
       c.fix_code, c.fix_notes, c.fixed_issuer, c.fixed_subject, c.fixed_name, c.fixed_at, c.verified_issuer, c.verified_subject, c.verified_name, c.verified_at,
       c.accepted_until, c.accepted_issuer, c.accepted_subject, c.accepted_name, c.accept_reason, c.occurrences, c.first_seen_at, c.last_seen_at,
       c.opened_at, c.reopened, c.source
  FROM gatehouse.capacity_cases c
  JOIN gatehouse.capacity_groups g ON g.tenant_id = c.tenant_id AND g.group_id = c.group_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.location_id = (SELECT k.location_id FROM gatehouse.capacity_cases k WHERE k.tenant_id = gatehouse.current_tenant() AND k.failure_id = @failure)
   AND c.open
 LIMIT @limit;

-- name: LockCapacityOfBin :many
SELECT c.failure_id, c.group_id, g.cause, c.cause_reason, c.facility_id, c.facility_code, c.location_id, c.location_code, c.location_type, c.zone_code,
       c.material_id, c.material_code, c.lot_number, c.quantity, c.required_cubic_feet, c.available_cubic_feet, c.required_weight_lbs, c.available_weight_lbs,
       c.bin_cubic_feet, c.bin_max_weight_lbs, c.unit_cubic_feet, c.unit_weight_lbs, c.state, c.version, c.owner_issuer, c.owner_subject, c.owner_name,
       c.fix_code, c.fix_notes, c.fixed_issuer, c.fixed_subject, c.fixed_name, c.fixed_at, c.verified_issuer, c.verified_subject, c.verified_name, c.verified_at,
       c.accepted_until, c.accepted_issuer, c.accepted_subject, c.accepted_name, c.accept_reason, c.occurrences, c.first_seen_at, c.last_seen_at,
       c.opened_at, c.reopened, c.source
  FROM gatehouse.capacity_cases c
  JOIN gatehouse.capacity_groups g ON g.tenant_id = c.tenant_id AND g.group_id = c.group_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.location_id = @location AND c.open
 ORDER BY c.failure_id
 LIMIT @limit
   FOR UPDATE OF c;

-- name: CapacityOfTheMaterial :many
-- The open failures of the same material.
SELECT c.failure_id, c.group_id, g.cause, c.cause_reason, c.facility_id, c.facility_code, c.location_id, c.location_code, c.location_type, c.zone_code,
       c.material_id, c.material_code, c.lot_number, c.quantity, c.required_cubic_feet, c.available_cubic_feet, c.required_weight_lbs, c.available_weight_lbs,
       c.bin_cubic_feet, c.bin_max_weight_lbs, c.unit_cubic_feet, c.unit_weight_lbs, c.state, c.version, c.owner_issuer, c.owner_subject, c.owner_name,
       c.fix_code, c.fix_notes, c.fixed_issuer, c.fixed_subject, c.fixed_name, c.fixed_at, c.verified_issuer, c.verified_subject, c.verified_name, c.verified_at,
       c.accepted_until, c.accepted_issuer, c.accepted_subject, c.accepted_name, c.accept_reason, c.occurrences, c.first_seen_at, c.last_seen_at,
       c.opened_at, c.reopened, c.source
  FROM gatehouse.capacity_cases c
  JOIN gatehouse.capacity_groups g ON g.tenant_id = c.tenant_id AND g.group_id = c.group_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.material_id = (SELECT k.material_id FROM gatehouse.capacity_cases k WHERE k.tenant_id = gatehouse.current_tenant() AND k.failure_id = @failure)
   AND c.open
 LIMIT @limit;

-- name: LockCapacityOfMaterial :many
SELECT c.failure_id, c.group_id, g.cause, c.cause_reason, c.facility_id, c.facility_code, c.location_id, c.location_code, c.location_type, c.zone_code,
       c.material_id, c.material_code, c.lot_number, c.quantity, c.required_cubic_feet, c.available_cubic_feet, c.required_weight_lbs, c.available_weight_lbs,
       c.bin_cubic_feet, c.bin_max_weight_lbs, c.unit_cubic_feet, c.unit_weight_lbs, c.state, c.version, c.owner_issuer, c.owner_subject, c.owner_name,
       c.fix_code, c.fix_notes, c.fixed_issuer, c.fixed_subject, c.fixed_name, c.fixed_at, c.verified_issuer, c.verified_subject, c.verified_name, c.verified_at,
       c.accepted_until, c.accepted_issuer, c.accepted_subject, c.accepted_name, c.accept_reason, c.occurrences, c.first_seen_at, c.last_seen_at,
       c.opened_at, c.reopened, c.source
  FROM gatehouse.capacity_cases c
  JOIN gatehouse.capacity_groups g ON g.tenant_id = c.tenant_id AND g.group_id = c.group_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.material_id = @material AND c.open
 ORDER BY c.failure_id
 LIMIT @limit
   FOR UPDATE OF c;

-- name: CapacityEnding :many
SELECT c.failure_id, c.group_id, g.cause, c.cause_reason, c.facility_id, c.facility_code, c.location_id, c.location_code, c.location_type, c.zone_code,
       c.material_id, c.material_code, c.lot_number, c.quantity, c.required_cubic_feet, c.available_cubic_feet, c.required_weight_lbs, c.available_weight_lbs,
       c.bin_cubic_feet, c.bin_max_weight_lbs, c.unit_cubic_feet, c.unit_weight_lbs, c.state, c.version, c.owner_issuer, c.owner_subject, c.owner_name,
       c.fix_code, c.fix_notes, c.fixed_issuer, c.fixed_subject, c.fixed_name, c.fixed_at, c.verified_issuer, c.verified_subject, c.verified_name, c.verified_at,
       c.accepted_until, c.accepted_issuer, c.accepted_subject, c.accepted_name, c.accept_reason, c.occurrences, c.first_seen_at, c.last_seen_at,
       c.opened_at, c.reopened, c.source
  FROM gatehouse.capacity_cases c
  JOIN gatehouse.capacity_groups g ON g.tenant_id = c.tenant_id AND g.group_id = c.group_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.state = 'accepted' AND c.accepted_until < @before
 ORDER BY c.accepted_until, c.failure_id
 LIMIT @limit
   FOR UPDATE OF c;

-- name: CapacitySeen :many
SELECT source, lot_number, quantity, required_cubic_feet, available_cubic_feet, required_weight_lbs, available_weight_lbs, seen_at, told_by
  FROM gatehouse.capacity_sightings
 WHERE tenant_id = gatehouse.current_tenant() AND failure_id = @failure
 ORDER BY seen_at DESC
 LIMIT 20;

-- name: CapacityEvents :many
SELECT version, act, from_state, to_state, note, bulk_id, issuer, subject, name, at
  FROM gatehouse.capacity_events
 WHERE tenant_id = gatehouse.current_tenant() AND failure_id = @failure
 ORDER BY version DESC
 LIMIT 50;

-- name: CapacityEventsSince :many
SELECT version, act, from_state, to_state, note, bulk_id, issuer, subject, name, at
  FROM gatehouse.capacity_events
 WHERE tenant_id = gatehouse.current_tenant() AND failure_id = @failure AND version > @version
 ORDER BY version
 LIMIT 20;

-- name: CapacitySizes :many
SELECT s.at, s.name, s.before, s.after, s.reason, s.cleared
  FROM gatehouse.bin_sizes s
 WHERE s.tenant_id = gatehouse.current_tenant()
   AND s.location_id = (SELECT k.location_id FROM gatehouse.capacity_cases k WHERE k.tenant_id = gatehouse.current_tenant() AND k.failure_id = @failure)
 ORDER BY s.at DESC
 LIMIT 20;

-- name: CapacityAlerts :many
-- The keys of a failure's alerts begin alike; the constraint that keeps them once is their index.
SELECT role, created_at, delivered_at, delivered_by, attempts, problem
  FROM gatehouse.notices
 WHERE tenant_id = gatehouse.current_tenant() AND key >= 'capacity_failure ' || @failure::text || ' ' AND key < 'capacity_failure ' || @failure::text || '!'
 ORDER BY created_at DESC
 LIMIT 20;

-- name: CapacityWorkers :many
-- Who has signed in here and may have a failure in hand.
SELECT person_id, issuer, subject, name, roles
  FROM gatehouse.people
 WHERE tenant_id = gatehouse.current_tenant() AND disabled_at IS NULL AND roles && @working::text[]
 ORDER BY last_seen_at DESC
 LIMIT 200;

-- name: CapacityWorker :many
SELECT person_id, issuer, subject, name, roles
  FROM gatehouse.people
 WHERE tenant_id = gatehouse.current_tenant() AND person_id = @person AND disabled_at IS NULL AND roles && @working::text[];

-- name: CapacityBin :many
-- The bin and the material of a failure as they are now.
SELECT l.location_id, l.location_code, l.version, l.length_inches, l.width_inches, l.height_inches, l.cubic_feet, l.max_weight_lbs,
       NOT l.is_active OR l.deleted_at IS NOT NULL AS gone,
       m.material_name, m.width_inches AS unit_width, m.height_inches AS unit_height, m.thickness_inches AS unit_thickness,
       public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS unit_cubic_feet, m.weight_lbs_per_unit
  FROM gatehouse.capacity_cases c
  JOIN public.inventory_locations l ON l.tenant_id = c.tenant_id AND l.location_id = c.location_id
  JOIN public.materials m ON m.tenant_id = c.tenant_id AND m.material_id = c.material_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.failure_id = @failure;

-- name: LockBin :many
SELECT l.location_id, l.location_code, l.version, l.length_inches, l.width_inches, l.height_inches, l.cubic_feet, l.max_weight_lbs,
       NOT l.is_active OR l.deleted_at IS NOT NULL AS gone
  FROM public.inventory_locations l
 WHERE l.tenant_id = gatehouse.current_tenant() AND l.location_id = @location
   FOR UPDATE;

-- name: ResizeBin :exec
UPDATE public.inventory_locations
   SET length_inches = @length, width_inches = @width, height_inches = @height, cubic_feet = @cubic_feet, max_weight_lbs = @max_weight,
       version = version + 1, updated_at = clock_timestamp(), updated_by = @user
 WHERE tenant_id = gatehouse.current_tenant() AND location_id = @location AND version = @seen;

-- name: AddBinSize :exec
INSERT INTO gatehouse.bin_sizes (tenant_id, change_id, location_id, location_code, failure_id, before, after, cleared, reason, issuer, subject, name)
VALUES (gatehouse.current_tenant(), @id, @location, @code, @failure, @before, @after, @cleared, @reason, @issuer, @subject, @name);

-- name: UnitNow :many
SELECT public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS unit_cubic_feet, m.weight_lbs_per_unit
  FROM public.materials m
 WHERE m.tenant_id = gatehouse.current_tenant() AND m.material_id = @material;

-- name: CapacitySighted :many
SELECT failure_id, occurrence, content_sha256
  FROM gatehouse.capacity_sightings
 WHERE tenant_id = gatehouse.current_tenant() AND source = @source AND key = @key;

-- name: CapacityScene :many
-- What stands around a sighting, found by codes in the tenant alone.
SELECT f.facility_id, f.facility_code, f.facility_name, l.location_id, l.location_code, l.location_type, coalesce(l.zone_code, '') AS zone_code,
       m.material_id, m.material_code, m.material_name, m.width_inches AS unit_width, m.height_inches AS unit_height, m.thickness_inches AS unit_thickness,
       m.cubic_feet AS material_cubic_feet, public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS unit_cubic_feet,
       m.weight_lbs_per_unit, l.length_inches, l.width_inches, l.height_inches, l.cubic_feet AS bin_cubic_feet, l.max_weight_lbs,
       (SELECT count(*) FROM (SELECT FROM gatehouse.capacity_cases c
                               WHERE c.tenant_id = l.tenant_id AND c.material_id = m.material_id AND c.location_id <> l.location_id AND c.open LIMIT 100) o)::integer AS other_bins,
       (SELECT count(*) FROM (SELECT FROM gatehouse.capacity_cases c
                               WHERE c.tenant_id = l.tenant_id AND c.location_id = l.location_id AND c.material_id <> m.material_id AND c.open LIMIT 100) o)::integer AS other_materials,
       coalesce(a.cubic_feet, 0) AS arrived_cubic_feet, coalesce(a.weight_lbs, 0) AS arrived_weight_lbs
  FROM public.facilities f
  JOIN public.inventory_locations l ON l.tenant_id = f.tenant_id AND l.facility_id = f.facility_id AND l.location_code = @location AND l.deleted_at IS NULL
  JOIN public.materials m ON m.tenant_id = f.tenant_id AND m.material_code = @material AND m.deleted_at IS NULL
  LEFT JOIN LATERAL (
       SELECT sum(x.quantity * public.unit_cubic_feet(o.cubic_feet, o.width_inches, o.height_inches, o.thickness_inches)) AS cubic_feet,
              sum(x.quantity * o.weight_lbs_per_unit) AS weight_lbs
         FROM public.inventory_transactions x
         JOIN public.materials o ON o.tenant_id = x.tenant_id AND o.material_id = x.material_id
        WHERE x.tenant_id = l.tenant_id AND x.facility_id = f.facility_id AND x.to_location_id = l.location_id AND x.quantity > 0 AND x.status <> 'REVERSED'
          AND x.transaction_type IN ('RECEIPT', 'TRANSFER', 'RETURN', 'ADJUSTMENT') AND x.lot_number IS DISTINCT FROM @lot::text
          AND x.transaction_date > @at::timestamptz - interval '15 minutes' AND x.transaction_date <= @at::timestamptz) a ON true
 WHERE f.tenant_id = gatehouse.current_tenant() AND f.facility_code = @facility AND f.is_current AND f.deleted_at IS NULL;

-- name: CapacityStrangers :many
-- Failures that somebody wrote into the warehouse's own table. One of a case that is known already says nothing new.
SELECT v.failure_id, v.lot_number, v.required_cubic_feet, v.available_cubic_feet, v.required_weight_lbs, v.available_weight_lbs, v.last_seen_at, v.created_at,
       f.facility_id, f.facility_code, f.facility_name, l.location_id, l.location_code, l.location_type, coalesce(l.zone_code, '') AS zone_code,
       m.material_id, m.material_code, m.material_name, m.width_inches AS unit_width, m.height_inches AS unit_height, m.thickness_inches AS unit_thickness,
       m.cubic_feet AS material_cubic_feet, public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS unit_cubic_feet,
       m.weight_lbs_per_unit, l.length_inches, l.width_inches, l.height_inches, l.cubic_feet AS bin_cubic_feet, l.max_weight_lbs,
       (SELECT count(*) FROM (SELECT FROM gatehouse.capacity_cases c
                               WHERE c.tenant_id = l.tenant_id AND c.material_id = m.material_id AND c.location_id <> l.location_id AND c.open LIMIT 100) o)::integer AS other_bins,
       (SELECT count(*) FROM (SELECT FROM gatehouse.capacity_cases c
                               WHERE c.tenant_id = l.tenant_id AND c.location_id = l.location_id AND c.material_id <> m.material_id AND c.open LIMIT 100) o)::integer AS other_materials,
       coalesce(a.cubic_feet, 0) AS arrived_cubic_feet, coalesce(a.weight_lbs, 0) AS arrived_weight_lbs
  FROM public.capacity_validation_failures v
  JOIN public.facilities f ON f.tenant_id = v.tenant_id AND f.facility_id = v.facility_id
  JOIN public.inventory_locations l ON l.tenant_id = v.tenant_id AND l.location_id = v.location_id
  JOIN public.materials m ON m.tenant_id = v.tenant_id AND m.material_id = v.material_id
  LEFT JOIN LATERAL (
       SELECT sum(x.quantity * public.unit_cubic_feet(o.cubic_feet, o.width_inches, o.height_inches, o.thickness_inches)) AS cubic_feet,
              sum(x.quantity * o.weight_lbs_per_unit) AS weight_lbs
         FROM public.inventory_transactions x
         JOIN public.materials o ON o.tenant_id = x.tenant_id AND o.material_id = x.material_id
        WHERE x.tenant_id = l.tenant_id AND x.facility_id = f.facility_id AND x.to_location_id = l.location_id AND x.quantity > 0 AND x.status <> 'REVERSED'
          AND x.transaction_type IN ('RECEIPT', 'TRANSFER', 'RETURN', 'ADJUSTMENT') AND x.lot_number IS DISTINCT FROM v.lot_number
          AND x.transaction_date > v.created_at - interval '15 minutes' AND x.transaction_date <= v.created_at) a ON true
 WHERE v.tenant_id = gatehouse.current_tenant() AND NOT v.resolved
   AND NOT EXISTS (SELECT FROM gatehouse.capacity_cases c WHERE c.tenant_id = v.tenant_id AND c.failure_id = v.failure_id)
   AND NOT EXISTS (SELECT FROM gatehouse.capacity_cases c
                    WHERE c.tenant_id = v.tenant_id AND c.location_id = v.location_id AND c.material_id = v.material_id AND c.failure_type = v.failure_type)
 ORDER BY v.created_at, v.failure_id
 LIMIT @limit;

-- name: AddFailure :exec
INSERT INTO public.capacity_validation_failures (tenant_id, failure_id, facility_id, location_id, material_id, lot_number, required_cubic_feet, available_cubic_feet,
       required_weight_lbs, available_weight_lbs, failure_type, severity, cubic_feet_overflow_pct, weight_overflow_pct, last_seen_at, recommendation_id, putaway_user_id)
SELECT gatehouse.current_tenant(), @failure, @facility, @location, @material, @lot, @required_cubic_feet, @available_cubic_feet, @required_weight, @available_weight,
       @type, @severity, @cubic_feet_overflow, @weight_overflow, @seen_at,
       (SELECT r.recommendation_id FROM public.putaway_recommendations r WHERE r.tenant_id = gatehouse.current_tenant() AND r.recommendation_id = @recommendation::uuid),
       (SELECT u.user_id FROM public.users u WHERE u.tenant_id = gatehouse.current_tenant() AND u.user_id = @moved_by::uuid);

-- name: CapacityGroupFor :one
-- The group of a cause; made where there is none.
INSERT INTO gatehouse.capacity_groups AS g (tenant_id, group_id, facility_id, cause, subject, label)
VALUES (gatehouse.current_tenant(), @group, @facility, @cause, @subject, @label)
ON CONFLICT ON CONSTRAINT capacity_groups_once DO UPDATE SET label = EXCLUDED.label
RETURNING g.group_id;

-- name: AddCapacityCase :exec
INSERT INTO gatehouse.capacity_cases (tenant_id, failure_id, group_id, facility_id, facility_code, location_id, location_code, location_type, zone_code,
       material_id, material_code, lot_number, quantity, required_cubic_feet, available_cubic_feet, required_weight_lbs, available_weight_lbs, failure_type, severity, overflow,
       bin_cubic_feet, bin_max_weight_lbs, unit_cubic_feet, unit_weight_lbs, cause_reason, state, first_seen_at, last_seen_at, opened_at, source)
VALUES (gatehouse.current_tenant(), @failure, @group, @facility, @facility_code, @location, @location_code, @location_type, @zone, @material, @material_code, @lot, @quantity,
       @required_cubic_feet, @available_cubic_feet, @required_weight, @available_weight, @type, @severity, @overflow, @bin_cubic_feet, @bin_max_weight, @unit_cubic_feet, @unit_weight,
       @reason, 'new', @first_seen, @last_seen, @opened, @source);

-- name: AddCapacityEvent :exec
INSERT INTO gatehouse.capacity_events (tenant_id, failure_id, version, act, from_state, to_state, note, issuer, subject, name)
VALUES (gatehouse.current_tenant(), @failure, @version, @act, @from, @to, @note, @issuer, @subject, @name);

-- name: AddCapacitySighting :exec
INSERT INTO gatehouse.capacity_sightings (tenant_id, source, key, failure_id, content_sha256, occurrence, lot_number, quantity,
       required_cubic_feet, available_cubic_feet, required_weight_lbs, available_weight_lbs, seen_at, told_by)
VALUES (gatehouse.current_tenant(), @source, @key, @failure, @content, @occurrence, @lot, @quantity, @required_cubic_feet, @available_cubic_feet, @required_weight, @available_weight,
       @seen_at, @told_by);

-- name: GatherCapacity :exec
-- What lay under the rule because nothing pointed elsewhere yet follows the others of its subject.
UPDATE gatehouse.capacity_cases c
   SET group_id = @group, cause_reason = @reason, changed_at = clock_timestamp()
  FROM gatehouse.capacity_groups g
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.facility_id = @facility AND c.open
   AND (@material::uuid IS NULL OR c.material_id = @material) AND (@location::uuid IS NULL OR c.location_id = @location)
   AND g.tenant_id = c.tenant_id AND g.group_id = c.group_id AND g.cause = 'rule';

-- name: SaveCapacityCase :exec
-- Nothing is written over another change: the version before has to be the one that was read.
UPDATE gatehouse.capacity_cases
   SET lot_number = @lot, quantity = @quantity, required_cubic_feet = @required_cubic_feet, available_cubic_feet = @available_cubic_feet, required_weight_lbs = @required_weight,
       available_weight_lbs = @available_weight, severity = @severity, overflow = @overflow, state = @state, version = @version,
       owner_issuer = @owner_issuer, owner_subject = @owner_subject, owner_name = @owner_name, fix_code = @fix_code, fix_notes = @fix_notes,
       fixed_issuer = @fixed_issuer, fixed_subject = @fixed_subject, fixed_name = @fixed_name, fixed_at = @fixed_at,
       verified_issuer = @verified_issuer, verified_subject = @verified_subject, verified_name = @verified_name, verified_at = @verified_at,
       accepted_until = @accepted_until, accepted_issuer = @accepted_issuer, accepted_subject = @accepted_subject, accepted_name = @accepted_name, accept_reason = @accept_reason,
       occurrences = @occurrences, last_seen_at = @last_seen, opened_at = @opened, reopened = @reopened, changed_at = clock_timestamp()
 WHERE tenant_id = gatehouse.current_tenant() AND failure_id = @failure AND version = @version - 1;

-- name: FollowFailure :exec
-- The warehouse's own row follows: resolved is what a second person has verified.
UPDATE public.capacity_validation_failures v
   SET occurrences = @occurrences, last_seen_at = GREATEST(v.last_seen_at, @last_seen),
       resolved = @resolved, resolved_at = @resolved_at, resolved_by = @resolved_by, resolution_code = NULLIF(@code::text, ''), resolution_notes = NULLIF(@notes::text, ''),
       version = v.version + 1
 WHERE v.tenant_id = gatehouse.current_tenant() AND v.failure_id = @failure;

-- name: CapacityBulkWith :many
SELECT bulk_id, act, reason, cases, issuer, subject, name, done_at, undone_at
  FROM gatehouse.capacity_bulks WHERE tenant_id = gatehouse.current_tenant() AND key = @key;

-- name: CapacityBulk :many
SELECT bulk_id, act, reason, cases, issuer, subject, name, done_at, undone_at
  FROM gatehouse.capacity_bulks WHERE tenant_id = gatehouse.current_tenant() AND bulk_id = @bulk;

-- name: AddCapacityBulk :exec
INSERT INTO gatehouse.capacity_bulks (tenant_id, bulk_id, act, reason, cases, issuer, subject, name, key, done_at)
VALUES (gatehouse.current_tenant(), @bulk, @act, @reason, @cases, @issuer, @subject, @name, @key, @at);

-- name: SaveCapacityMany :exec
WITH was AS (
    SELECT c.failure_id, c.version, c.state, jsonb_build_object('state', c.state, 'owner', jsonb_build_object('Issuer', c.owner_issuer, 'Subject', c.owner_subject, 'Name', c.owner_name)) AS work
      FROM gatehouse.capacity_cases c
      JOIN unnest(@failures::uuid[], @versions::integer[]) AS k (failure_id, version) ON k.failure_id = c.failure_id AND k.version = c.version
     WHERE c.tenant_id = gatehouse.current_tenant()
), moved AS (
    UPDATE gatehouse.capacity_cases c
       SET state = @state, version = c.version + 1, changed_at = clock_timestamp(),
           owner_issuer = CASE WHEN @owns::boolean THEN @owner_issuer::text ELSE c.owner_issuer END,
           owner_subject = CASE WHEN @owns::boolean THEN @owner_subject::text ELSE c.owner_subject END,
           owner_name = CASE WHEN @owns::boolean THEN @owner_name::text ELSE c.owner_name END
      FROM was w
     WHERE c.tenant_id = gatehouse.current_tenant() AND c.failure_id = w.failure_id
    RETURNING c.failure_id
)
INSERT INTO gatehouse.capacity_events (tenant_id, failure_id, version, act, from_state, to_state, note, before, bulk_id, issuer, subject, name)
SELECT gatehouse.current_tenant(), w.failure_id, w.version + 1, @act, w.state, @state, @reason, w.work, @bulk, @issuer, @subject, @name
  FROM was w JOIN moved m ON m.failure_id = w.failure_id;

-- name: PutBackCapacity :many
-- Only what nobody has touched since is put back.
WITH mine AS (
    SELECT e.failure_id, e.version, e.before, e.to_state
      FROM gatehouse.capacity_events e
      JOIN gatehouse.capacity_cases c ON c.tenant_id = e.tenant_id AND c.failure_id = e.failure_id AND c.version = e.version
     WHERE e.tenant_id = gatehouse.current_tenant() AND e.bulk_id = @bulk AND e.before IS NOT NULL
), back AS (
    UPDATE gatehouse.capacity_cases c
       SET state = m.before->>'state', owner_issuer = m.before->'owner'->>'Issuer', owner_subject = m.before->'owner'->>'Subject', owner_name = m.before->'owner'->>'Name',
           version = c.version + 1, changed_at = clock_timestamp()
      FROM mine m
     WHERE c.tenant_id = gatehouse.current_tenant() AND c.failure_id = m.failure_id AND c.version = m.version
    RETURNING c.failure_id, c.version, c.state, m.to_state
), said AS (
    INSERT INTO gatehouse.capacity_events (tenant_id, failure_id, version, act, from_state, to_state, bulk_id, issuer, subject, name)
    SELECT gatehouse.current_tenant(), b.failure_id, b.version, 'undo', b.to_state, b.state, @bulk, @issuer, @subject, @name FROM back b
), ended AS (
    UPDATE gatehouse.capacity_bulks SET undone_at = clock_timestamp(), undone_by = @name WHERE tenant_id = gatehouse.current_tenant() AND bulk_id = @bulk
)
SELECT failure_id FROM back;

-- name: BeginCapacityWalk :exec
INSERT INTO gatehouse.capacity_walks (tenant_id, at, transaction, alerts_at)
VALUES (gatehouse.current_tenant(), clock_timestamp() - interval '1 day', '00000000-0000-0000-0000-000000000000', clock_timestamp() - interval '1 day')
ON CONFLICT ON CONSTRAINT capacity_walks_pkey DO NOTHING;

-- name: StepCapacityWalk :many
-- The next transactions, each looked at once: what a slow transaction commits late is found for an hour. They are found by key,
-- which grows with time where it is made as the platform makes it, and by their date where it is not.
WITH stand AS (
    SELECT w.at, w.transaction FROM gatehouse.capacity_walks w WHERE w.tenant_id = gatehouse.current_tenant()
), found AS (
    SELECT x.transaction_id
      FROM stand s
      JOIN public.inventory_transactions x ON x.tenant_id = gatehouse.current_tenant()
       AND x.transaction_id > (rpad(lpad(to_hex(floor(extract(epoch FROM s.at - interval '1 hour') * 1000)::bigint), 12, '0'), 32, '0'))::uuid
     WHERE x.created_at > s.at - interval '1 hour'
     UNION
    SELECT x.transaction_id
      FROM stand s
      JOIN public.facilities f ON f.tenant_id = gatehouse.current_tenant()
      JOIN public.inventory_transactions x ON x.tenant_id = f.tenant_id AND x.facility_id = f.facility_id AND x.transaction_date > s.at - interval '1 day'
     WHERE x.created_at > s.at - interval '1 hour'
), due AS MATERIALIZED (
    SELECT x.transaction_id, x.facility_id, x.material_id, x.lot_number, x.quantity, x.to_location_id, x.transaction_type, x.transaction_date, x.performed_by_user_id, x.status, x.created_at
      FROM found n
      JOIN public.inventory_transactions x ON x.tenant_id = gatehouse.current_tenant() AND x.transaction_id = n.transaction_id
     WHERE NOT EXISTS (SELECT FROM gatehouse.capacity_walked d WHERE d.tenant_id = x.tenant_id AND d.transaction_id = x.transaction_id)
     ORDER BY x.created_at, x.transaction_id
     LIMIT @limit
), kept AS (
    INSERT INTO gatehouse.capacity_walked (tenant_id, transaction_id, made_at)
    SELECT gatehouse.current_tenant(), d.transaction_id, d.created_at FROM due d
), moved AS (
    UPDATE gatehouse.capacity_walks w
       SET at = GREATEST(w.at, (SELECT max(d.created_at) FROM due d)), transaction = coalesce((SELECT d.transaction_id FROM due d ORDER BY d.created_at DESC, d.transaction_id DESC LIMIT 1), w.transaction)
     WHERE w.tenant_id = gatehouse.current_tenant()
)
SELECT d.transaction_id, f.facility_code, coalesce(l.location_code, '') AS location_code, m.material_code, coalesce(d.lot_number, '') AS lot_number,
       LEAST(d.quantity, o.quantity_on_hand) AS quantity, d.transaction_date, d.performed_by_user_id,
       public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS unit_cubic_feet, m.weight_lbs_per_unit,
       l.cubic_feet AS bin_cubic_feet, l.max_weight_lbs, b.used_cubic_feet, b.used_weight_lbs,
       coalesce(o.location_id = d.to_location_id AND d.status <> 'REVERSED' AND d.transaction_type IN ('RECEIPT', 'TRANSFER', 'RETURN', 'ADJUSTMENT')
                AND l.is_active AND l.deleted_at IS NULL, false) AS still
  FROM due d
  JOIN public.facilities f ON f.tenant_id = gatehouse.current_tenant() AND f.facility_id = d.facility_id
  JOIN public.materials m ON m.tenant_id = gatehouse.current_tenant() AND m.material_id = d.material_id
  LEFT JOIN public.inventory_locations l ON l.tenant_id = gatehouse.current_tenant() AND l.location_id = d.to_location_id
  LEFT JOIN public.lots o ON o.tenant_id = gatehouse.current_tenant() AND o.facility_id = d.facility_id AND o.lot_number = d.lot_number AND o.deleted_at IS NULL
  LEFT JOIN public.bin_utilization_cache b ON b.tenant_id = gatehouse.current_tenant() AND b.location_id = d.to_location_id
 ORDER BY d.created_at, d.transaction_id;

-- name: StandCapacityWalk :exec
UPDATE gatehouse.capacity_walks
   SET looked = looked + @looked, found = found + @found, problem = @problem, walked_at = clock_timestamp()
 WHERE tenant_id = gatehouse.current_tenant();

-- name: ForgetCapacityWalked :exec
DELETE FROM gatehouse.capacity_walked d
 USING gatehouse.capacity_walks w
 WHERE w.tenant_id = gatehouse.current_tenant() AND d.tenant_id = w.tenant_id AND d.made_at < w.at - interval '1 hour';

-- name: DeliverCapacityAlerts :one
-- What somebody delivered since one looked is called sent in the warehouse's own row, and nothing before.
WITH stand AS (
    SELECT w.alerts_at FROM gatehouse.capacity_walks w WHERE w.tenant_id = gatehouse.current_tenant()
), told AS MATERIALIZED (
    SELECT split_part(n.key, ' ', 2)::uuid AS failure_id, max(n.delivered_at) AS delivered_at, max(n.attempts) AS attempts, max(NULLIF(n.problem, '')) AS problem
      FROM stand s
      JOIN gatehouse.notices n ON n.tenant_id = gatehouse.current_tenant() AND n.kind = 'capacity_failure' AND n.delivered_at > s.alerts_at
     GROUP BY 1
), kept AS (
    UPDATE public.capacity_validation_failures v
       SET alert_sent = true, alert_sent_at = t.delivered_at, alert_attempts = GREATEST(v.alert_attempts, t.attempts), alert_last_error = t.problem, version = v.version + 1
      FROM told t
     WHERE v.tenant_id = gatehouse.current_tenant() AND v.failure_id = t.failure_id
    RETURNING v.failure_id
), moved AS (
    UPDATE gatehouse.capacity_walks w SET alerts_at = GREATEST(w.alerts_at, (SELECT max(t.delivered_at) FROM told t))
     WHERE w.tenant_id = gatehouse.current_tenant()
)
SELECT count(*)::integer AS delivered FROM kept;
