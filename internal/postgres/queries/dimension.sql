-- name: LockMaterial :many
-- In force until the transaction ends: two who measure the same material wait for each other here.
SELECT material_id, material_code, material_name, material_type, height_inches, width_inches, thickness_inches, cubic_feet,
       weight_lbs_per_unit AS weight_lbs, version
  FROM public.materials
 WHERE tenant_id = gatehouse.current_tenant() AND material_id = @material AND deleted_at IS NULL
   FOR UPDATE;

-- name: MaterialByID :many
SELECT material_id, material_code, material_name, material_type, height_inches, width_inches, thickness_inches, cubic_feet,
       weight_lbs_per_unit AS weight_lbs, version
  FROM public.materials
 WHERE tenant_id = gatehouse.current_tenant() AND material_id = @material AND deleted_at IS NULL;

-- name: MaterialByCode :many
SELECT material_id, material_code, material_name, material_type, height_inches, width_inches, thickness_inches, cubic_feet,
       weight_lbs_per_unit AS weight_lbs, version
  FROM public.materials
 WHERE tenant_id = gatehouse.current_tenant() AND material_code = @code AND deleted_at IS NULL;

-- name: FacilityToMeasureAt :many
SELECT facility_id, facility_code, facility_name
  FROM public.facilities
 WHERE tenant_id = gatehouse.current_tenant() AND facility_id = @facility AND is_current AND is_active AND deleted_at IS NULL;

-- name: FacilitiesToMeasureAt :many
SELECT facility_id, facility_code, facility_name
  FROM public.facilities
 WHERE tenant_id = gatehouse.current_tenant() AND is_current AND is_active AND deleted_at IS NULL
 ORDER BY facility_code
 LIMIT 100;

-- name: ReadingWithKey :many
SELECT r.reading_id, r.case_id, r.facility_id, r.material_id, r.round, r.number, r.material_version, r.entered, r.asked_back, r.notes, r.tolerance_pct, r.tolerance_version,
       r.outcome, coalesce(r.status, '') AS status, r.verification_id, r.cubic_feet_pct, r.weight_pct, r.issuer, r.subject, r.name, r.idempotency_key, r.measured_at
  FROM gatehouse.dimension_readings r
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.idempotency_key = @key;

-- name: OpenDimensionCase :many
SELECT case_id, facility_id, material_id, material_code, round, state, measured_height_inches, measured_width_inches, measured_thickness_inches,
       measured_cubic_feet, measured_weight_lbs, cubic_feet_pct, weight_pct, causes, opened_at, changed_at, version
  FROM gatehouse.dimension_cases
 WHERE tenant_id = gatehouse.current_tenant() AND facility_id = @facility AND material_id = @material AND state <> 'settled';

-- name: OpenDimensionCases :many
SELECT case_id, facility_id, material_id, material_code, round, state, measured_height_inches, measured_width_inches, measured_thickness_inches,
       measured_cubic_feet, measured_weight_lbs, cubic_feet_pct, weight_pct, causes, opened_at, changed_at, version
  FROM gatehouse.dimension_cases
 WHERE tenant_id = gatehouse.current_tenant() AND material_id = @material AND state <> 'settled';

-- name: DimensionCase :many
SELECT case_id, facility_id, material_id, material_code, round, state, measured_height_inches, measured_width_inches, measured_thickness_inches,
       measured_cubic_feet, measured_weight_lbs, cubic_feet_pct, weight_pct, causes, opened_at, changed_at, version
  FROM gatehouse.dimension_cases
 WHERE tenant_id = gatehouse.current_tenant() AND case_id = @case;

-- name: LockDimensionCase :many
SELECT case_id, facility_id, material_id, material_code, round, state, measured_height_inches, measured_width_inches, measured_thickness_inches,
       measured_cubic_feet, measured_weight_lbs, cubic_feet_pct, weight_pct, causes, opened_at, changed_at, version
  FROM gatehouse.dimension_cases
 WHERE tenant_id = gatehouse.current_tenant() AND case_id = @case
   FOR UPDATE;

-- name: ReadingsOfCase :many
SELECT r.reading_id, r.case_id, r.facility_id, r.material_id, r.round, r.number, r.material_version, r.entered, r.asked_back, r.notes, r.tolerance_pct, r.tolerance_version,
       r.outcome, coalesce(r.status, '') AS status, r.verification_id, r.cubic_feet_pct, r.weight_pct, r.issuer, r.subject, r.name, r.idempotency_key, r.measured_at
  FROM gatehouse.dimension_readings r
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.case_id = @case
 ORDER BY r.round, r.number;

-- name: ReadingsOfMaterial :many
SELECT r.reading_id, r.case_id, r.facility_id, r.material_id, r.round, r.number, r.material_version, r.entered, r.asked_back, r.notes, r.tolerance_pct, r.tolerance_version,
       r.outcome, coalesce(r.status, '') AS status, r.verification_id, r.cubic_feet_pct, r.weight_pct, r.issuer, r.subject, r.name, r.idempotency_key, r.measured_at
  FROM gatehouse.dimension_readings r
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.material_id = @material
 ORDER BY r.measured_at DESC, r.reading_id DESC
 LIMIT 30;

-- name: ReadersOfOpenCase :many
-- Who has measured in the round that is under way. What they measured is not read: whoever measures next is not to know.
SELECT c.state, coalesce(r.issuer, '') AS issuer, coalesce(r.subject, '') AS subject, coalesce(r.name, '') AS name
  FROM gatehouse.dimension_cases c
  LEFT JOIN gatehouse.dimension_readings r ON r.tenant_id = c.tenant_id AND r.case_id = c.case_id AND r.round = c.round
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.facility_id = @facility AND c.material_id = @material AND c.state <> 'settled';

-- name: MaterialToMeasure :many
-- No dimension of it: a reading is blind.
SELECT m.material_id, m.material_code, m.material_name, m.version, coalesce(t.location_code, '') AS location
  FROM public.materials m
  LEFT JOIN gatehouse.measure_tasks t ON t.tenant_id = m.tenant_id AND t.facility_id = @facility AND t.material_id = m.material_id
 WHERE m.tenant_id = gatehouse.current_tenant() AND m.material_id = @material AND m.deleted_at IS NULL;

-- name: VerificationsAreDeployed :one
SELECT EXISTS (SELECT FROM public.material_dimension_verifications WHERE tenant_id = gatehouse.current_tenant()) AS any;

-- name: ToleranceOf :many
-- That of the type, else that of every other; the newest version.
SELECT packaging, tolerance_pct, version, source
  FROM gatehouse.dimension_tolerances
 WHERE tenant_id = gatehouse.current_tenant() AND packaging IN (@packaging, '')
 ORDER BY packaging = '', version DESC
 LIMIT 1;

-- name: DimensionChanges :many
SELECT change_id, material_id, kind, material_version, old_height_inches, old_width_inches, old_thickness_inches, old_cubic_feet, old_weight_lbs,
       new_height_inches, new_width_inches, new_thickness_inches, new_cubic_feet, new_weight_lbs, reason, case_id, verification_id, issuer, subject, name, changed_at
  FROM gatehouse.dimension_changes
 WHERE tenant_id = gatehouse.current_tenant() AND material_id = @material
 ORDER BY changed_at DESC, change_id DESC
 LIMIT @most;

-- name: WarehouseUser :one
-- The person in the warehouse's own table: by what the provider proved, never by an address, which two people may share.
INSERT INTO public.users (tenant_id, user_id, username, email, sso_provider, sso_user_id, display_name)
VALUES (gatehouse.current_tenant(), @user::uuid, 'gatehouse:' || @user::uuid::text, @user::uuid::text || chr(64) || 'gatehouse.invalid', left(@issuer::text, 255), left(@subject::text, 255), left(@name::text, 255))
ON CONFLICT ON CONSTRAINT users_sso_once DO UPDATE SET display_name = excluded.display_name
RETURNING user_id;

-- name: AddVerification :exec
INSERT INTO public.material_dimension_verifications (tenant_id, verification_id, material_id, facility_id,
    master_cubic_feet, master_weight_lbs, master_width_inches, master_height_inches, master_thickness_inches,
    measured_cubic_feet, measured_weight_lbs, measured_width_inches, measured_height_inches, measured_thickness_inches,
    cubic_feet_variance_pct, weight_variance_pct, variance_out_of_range, first_measurement, verification_status,
    variance_threshold_exceeded, auto_updated_master_data, verified_by, notes, created_by)
VALUES (gatehouse.current_tenant(), @verification, @material, @facility,
    @master_cubic_feet, LEAST(@master_weight, 999999.9999), @master_width, @master_height, @master_thickness,
    @cubic_feet, @weight, @width, @height, @thickness,
    @cubic_feet_pct, @weight_pct, @beyond, @first, @status, @exceeded, @automatic, @user, nullif(@notes, ''), @user);

-- name: SetMaster :exec
UPDATE public.materials
   SET height_inches = @height, width_inches = @width, thickness_inches = @thickness, cubic_feet = @cubic_feet, weight_lbs_per_unit = @weight,
       version = version + 1, updated_at = clock_timestamp(), updated_by = @user
 WHERE tenant_id = gatehouse.current_tenant() AND material_id = @material AND version = @version AND deleted_at IS NULL;

-- name: AddDimensionChange :exec
INSERT INTO gatehouse.dimension_changes (tenant_id, change_id, material_id, kind, material_version,
    old_height_inches, old_width_inches, old_thickness_inches, old_cubic_feet, old_weight_lbs,
    new_height_inches, new_width_inches, new_thickness_inches, new_cubic_feet, new_weight_lbs, reason, case_id, verification_id, issuer, subject, name)
VALUES (gatehouse.current_tenant(), @change, @material, @kind, @version, @old_height, @old_width, @old_thickness, @old_cubic_feet, @old_weight,
    @new_height, @new_width, @new_thickness, @new_cubic_feet, @new_weight, @reason, @case, @verification, @issuer, @subject, @name);

-- name: SaveDimensionCase :exec
INSERT INTO gatehouse.dimension_cases AS c (tenant_id, case_id, facility_id, material_id, material_code, round, state, measured_height_inches, measured_width_inches,
    measured_thickness_inches, measured_cubic_feet, measured_weight_lbs, cubic_feet_pct, weight_pct, causes, verification_id)
VALUES (gatehouse.current_tenant(), @case, @facility, @material, @code, @round, @state, @height, @width, @thickness, @cubic_feet, @weight, @cubic_feet_pct, @weight_pct, @causes, @verification)
ON CONFLICT ON CONSTRAINT dimension_cases_pkey DO UPDATE
   SET round = excluded.round, state = excluded.state, measured_height_inches = excluded.measured_height_inches, measured_width_inches = excluded.measured_width_inches,
       measured_thickness_inches = excluded.measured_thickness_inches, measured_cubic_feet = excluded.measured_cubic_feet, measured_weight_lbs = excluded.measured_weight_lbs,
       cubic_feet_pct = excluded.cubic_feet_pct, weight_pct = excluded.weight_pct, causes = excluded.causes,
       verification_id = coalesce(excluded.verification_id, c.verification_id), changed_at = clock_timestamp(), version = c.version + 1;

-- name: AddReading :exec
INSERT INTO gatehouse.dimension_readings (tenant_id, reading_id, case_id, round, number, material_id, facility_id, material_version, entered,
    height_inches, width_inches, thickness_inches, cubic_feet, weight_lbs, asked_back, notes, tolerance_pct, tolerance_version, outcome, status, verification_id,
    cubic_feet_pct, weight_pct, issuer, subject, name, idempotency_key)
VALUES (gatehouse.current_tenant(), @reading, @case, @round, @number, @material, @facility, @version, @entered,
    @height, @width, @thickness, @cubic_feet, @weight, @asked_back, @notes, @tolerance_pct, @tolerance_version, @outcome, nullif(@status, ''), @verification,
    @cubic_feet_pct, @weight_pct, @issuer, @subject, @name, @key);

-- name: AddDimensionReview :exec
-- Whoever measured in the case, in whatever round, is not let through, and no row means refused.
INSERT INTO gatehouse.dimension_reviews (tenant_id, review_id, case_id, round, material_id, facility_id, decision, note, verification_id, issuer, subject, name)
SELECT c.tenant_id, @review, c.case_id, c.round, c.material_id, c.facility_id, @decision, @note, @verification, @issuer, @subject, @name
  FROM gatehouse.dimension_cases c
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.case_id = @case AND c.state = 'review' AND c.version = @seen
   AND NOT EXISTS (SELECT FROM gatehouse.dimension_readings r
                    WHERE r.tenant_id = c.tenant_id AND r.case_id = c.case_id AND r.issuer = @issuer AND r.subject = @subject);

-- name: ReviewsOfCase :many
SELECT round, decision, note, issuer, subject, name, reviewed_at
  FROM gatehouse.dimension_reviews
 WHERE tenant_id = gatehouse.current_tenant() AND case_id = @case
 ORDER BY round;

-- name: ReviewQueue :many
-- Keyset: the oldest first.
SELECT c.case_id, c.facility_id, c.material_id, c.material_code, c.round, c.state, c.measured_height_inches, c.measured_width_inches, c.measured_thickness_inches,
       c.measured_cubic_feet, c.measured_weight_lbs, c.cubic_feet_pct, c.weight_pct, c.causes, c.opened_at, c.changed_at, c.version,
       coalesce(m.material_name, '') AS material_name, coalesce(f.facility_code, '') AS facility_code,
       ARRAY(SELECT jsonb_build_object('Issuer', r.issuer, 'Subject', r.subject, 'Name', r.name) FROM gatehouse.dimension_readings r
              WHERE r.tenant_id = c.tenant_id AND r.case_id = c.case_id ORDER BY r.round, r.number) AS readers
  FROM gatehouse.dimension_cases c
  LEFT JOIN public.materials m ON m.tenant_id = c.tenant_id AND m.material_id = c.material_id
  LEFT JOIN public.facilities f ON f.tenant_id = c.tenant_id AND f.facility_id = c.facility_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.state = 'review' AND (c.changed_at, c.case_id) > (@after_at::timestamptz, @after_id::uuid)
 ORDER BY c.changed_at, c.case_id
 LIMIT @most;

-- name: MaterialOfCase :many
SELECT m.material_id, m.material_code, m.material_name, m.material_type, m.height_inches, m.width_inches, m.thickness_inches, m.cubic_feet,
       m.weight_lbs_per_unit AS weight_lbs, m.version
  FROM gatehouse.dimension_cases c
  JOIN public.materials m ON m.tenant_id = c.tenant_id AND m.material_id = c.material_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.case_id = @case;

-- name: FacilityOfCase :many
SELECT f.facility_id, f.facility_code, f.facility_name
  FROM gatehouse.dimension_cases c
  JOIN public.facilities f ON f.tenant_id = c.tenant_id AND f.facility_id = c.facility_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.case_id = @case;

-- name: BinsOfCase :many
-- Each bin with the material, as its fill is now and as it would be with what was measured. What nobody knows counts as nothing now.
SELECT b.location_code, coalesce(f.facility_code, '') AS facility_code, s.quantity, b.total_cubic_feet AS capacity_cubic_feet, b.max_weight_lbs AS capacity_pounds,
       b.used_cubic_feet AS before_cubic_feet, b.used_cubic_feet + s.quantity * (c.measured_cubic_feet - coalesce(u.cubic_feet, 0)) AS after_cubic_feet,
       b.used_weight_lbs AS before_pounds, b.used_weight_lbs + s.quantity * (c.measured_weight_lbs - coalesce(m.weight_lbs_per_unit, 0)) AS after_pounds
  FROM gatehouse.dimension_cases c
  JOIN public.materials m ON m.tenant_id = c.tenant_id AND m.material_id = c.material_id
 CROSS JOIN LATERAL (SELECT public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS cubic_feet) u
  JOIN (SELECT l.tenant_id, l.material_id, l.location_id, sum(l.quantity_on_hand) AS quantity FROM public.lots l
         WHERE l.tenant_id = gatehouse.current_tenant() AND l.deleted_at IS NULL AND l.quantity_on_hand > 0 AND l.location_id IS NOT NULL
           AND l.material_id = (SELECT material_id FROM gatehouse.dimension_cases WHERE tenant_id = gatehouse.current_tenant() AND case_id = @case)
         GROUP BY 1, 2, 3) s ON s.tenant_id = c.tenant_id AND s.material_id = c.material_id
  JOIN public.bin_utilization_cache b ON b.tenant_id = s.tenant_id AND b.location_id = s.location_id
  LEFT JOIN public.facilities f ON f.tenant_id = b.tenant_id AND f.facility_id = b.facility_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.case_id = @case AND c.measured_cubic_feet IS NOT NULL
 ORDER BY f.facility_code, b.location_code
 LIMIT 200;

-- name: PutawaysOfCase :many
SELECT p.lot_number AS lot, l.location_code, p.quantity, p.quantity * c.measured_cubic_feet AS required_cubic_feet, p.quantity * c.measured_weight_lbs AS required_pounds,
       b.available_cubic_feet, b.available_weight_lbs AS available_pounds
  FROM gatehouse.dimension_cases c
  JOIN public.putaway_recommendations p ON p.tenant_id = c.tenant_id AND p.material_id = c.material_id AND p.accepted IS NULL
  JOIN public.inventory_locations l ON l.tenant_id = p.tenant_id AND l.location_id = p.recommended_location_id
  JOIN public.bin_utilization_cache b ON b.tenant_id = l.tenant_id AND b.location_id = l.location_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.case_id = @case AND c.measured_cubic_feet IS NOT NULL
 ORDER BY p.created_at DESC, p.recommendation_id
 LIMIT 50;

-- name: FailuresOfCase :many
-- As much as was needed then, by the measured instead of the recorded unit; where nothing was recorded, nothing can be said.
SELECT x.lot_number AS lot, l.location_code, x.required_cubic_feet * c.measured_cubic_feet / u.cubic_feet AS required_cubic_feet,
       x.required_weight_lbs * c.measured_weight_lbs / m.weight_lbs_per_unit AS required_pounds, x.available_cubic_feet, x.available_weight_lbs AS available_pounds
  FROM gatehouse.dimension_cases c
  JOIN public.materials m ON m.tenant_id = c.tenant_id AND m.material_id = c.material_id
 CROSS JOIN LATERAL (SELECT public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS cubic_feet) u
  JOIN public.capacity_validation_failures x ON x.tenant_id = c.tenant_id AND x.material_id = c.material_id AND NOT x.resolved
  JOIN public.inventory_locations l ON l.tenant_id = x.tenant_id AND l.location_id = x.location_id
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.case_id = @case AND c.measured_cubic_feet IS NOT NULL AND u.cubic_feet > 0 AND m.weight_lbs_per_unit > 0
 ORDER BY x.created_at DESC, x.failure_id
 LIMIT 50;

-- name: VerificationsOfMaterial :many
SELECT v.verification_status, f.facility_code, v.measured_weight_lbs, v.measured_cubic_feet, v.cubic_feet_variance_pct, v.weight_variance_pct, v.first_measurement,
       v.variance_out_of_range, v.auto_updated_master_data, coalesce(u.display_name, u.username) AS verified_by, coalesce(v.notes, '') AS notes, v.verified_at
  FROM public.material_dimension_verifications v
  JOIN public.facilities f ON f.tenant_id = v.tenant_id AND f.facility_id = v.facility_id
  JOIN public.users u ON u.tenant_id = v.tenant_id AND u.user_id = v.verified_by
 WHERE v.tenant_id = gatehouse.current_tenant() AND v.material_id = @material
 ORDER BY v.verified_at DESC, v.verification_id DESC
 LIMIT 30;

-- name: BarcodesOfMaterial :many
SELECT gtin FROM gatehouse.material_barcodes WHERE tenant_id = gatehouse.current_tenant() AND material_id = @material ORDER BY gtin LIMIT 50;

-- name: FacilityOfMaterial :many
SELECT facility_id FROM public.lots
 WHERE tenant_id = gatehouse.current_tenant() AND material_id = @material AND deleted_at IS NULL AND quantity_on_hand > 0
 ORDER BY received_date DESC
 LIMIT 1;

-- name: LinkBarcode :one
WITH was AS (SELECT material_id FROM gatehouse.material_barcodes WHERE tenant_id = gatehouse.current_tenant() AND gtin = @gtin)
INSERT INTO gatehouse.material_barcodes AS b (tenant_id, gtin, material_id, issuer, subject, name)
VALUES (gatehouse.current_tenant(), @gtin, @material, @issuer, @subject, @name)
ON CONFLICT ON CONSTRAINT material_barcodes_pkey DO UPDATE
   SET material_id = excluded.material_id, issuer = excluded.issuer, subject = excluded.subject, name = excluded.name, linked_at = clock_timestamp(), version = b.version + 1
RETURNING (SELECT material_id FROM was) AS was;
