-- name: BeginImport :exec
INSERT INTO gatehouse.measurement_imports (tenant_id, import_id, file_name, issuer, subject, name)
VALUES (gatehouse.current_tenant(), @import, @file, @issuer, @subject, @name);

-- name: StageImportLines :exec
INSERT INTO gatehouse.measurement_import_lines (tenant_id, import_id, line, facility_code, material_code, entered, notes)
SELECT gatehouse.current_tenant(), @import, l.line, l.facility, l.material, l.entered::jsonb, l.notes
  FROM unnest(@lines::integer[], @facilities::text[], @materials::text[], @entered::text[], @notes::text[]) AS l(line, facility, material, entered, notes);

-- name: StageImportProblems :exec
INSERT INTO gatehouse.measurement_import_problems (tenant_id, import_id, line, column_name, problem)
SELECT gatehouse.current_tenant(), @import, p.line, p.column_name, p.problem
  FROM unnest(@lines::integer[], @columns::text[], @problems::text[]) AS p(line, column_name, problem);

-- name: ImportIsHeard :exec
UPDATE gatehouse.measurement_imports SET heard_at = clock_timestamp() WHERE tenant_id = gatehouse.current_tenant() AND import_id = @import;

-- name: ImportArrived :exec
UPDATE gatehouse.measurement_imports
   SET state = @state, lines = @lines, problems = @problems, heard_at = clock_timestamp(), version = version + 1,
       ended_at = CASE WHEN @state = 'refused' THEN clock_timestamp() END
 WHERE tenant_id = gatehouse.current_tenant() AND import_id = @import AND state = 'arriving';

-- name: NewestImports :many
SELECT import_id, file_name, state, lines, problems, asked, found, next_line, done_lines, preview, result, issuer, subject, name, received_at, sure, confirmed_user,
       confirmed_issuer, confirmed_subject, confirmed_name, confirmed_roles, confirmed_ip, confirmed_origin, confirmed_at, ended_at, version
  FROM gatehouse.measurement_imports
 WHERE tenant_id = gatehouse.current_tenant()
 ORDER BY received_at DESC, import_id
 LIMIT 25;

-- name: Import :many
SELECT import_id, file_name, state, lines, problems, asked, found, next_line, done_lines, preview, result, issuer, subject, name, received_at, sure, confirmed_user,
       confirmed_issuer, confirmed_subject, confirmed_name, confirmed_roles, confirmed_ip, confirmed_origin, confirmed_at, ended_at, version
  FROM gatehouse.measurement_imports
 WHERE tenant_id = gatehouse.current_tenant() AND import_id = @import;

-- name: LockImport :many
-- Whoever does lines of a file holds it until their transaction ends; a second one waits here and finds the next place.
SELECT import_id, file_name, state, lines, problems, asked, found, next_line, done_lines, preview, result, issuer, subject, name, received_at, sure, confirmed_user,
       confirmed_issuer, confirmed_subject, confirmed_name, confirmed_roles, confirmed_ip, confirmed_origin, confirmed_at, ended_at, version
  FROM gatehouse.measurement_imports
 WHERE tenant_id = gatehouse.current_tenant() AND import_id = @import
   FOR UPDATE;

-- name: ImportProblems :many
SELECT line, column_name, problem
  FROM gatehouse.measurement_import_problems
 WHERE tenant_id = gatehouse.current_tenant() AND import_id = @import
 ORDER BY line, number
OFFSET @after LIMIT @most;

-- name: ImportLinesAsked :many
SELECT line, material_code, verdict, reason, asked
  FROM gatehouse.measurement_import_lines
 WHERE tenant_id = gatehouse.current_tenant() AND import_id = @import AND asked <> ''
 ORDER BY line
 LIMIT @most;

-- name: ImportLinesLeft :many
SELECT line, material_code, verdict, reason, asked
  FROM gatehouse.measurement_import_lines
 WHERE tenant_id = gatehouse.current_tenant() AND import_id = @import AND verdict = 'not_taken'
 ORDER BY line
 LIMIT @most;

-- name: ConfirmImport :exec
-- Nobody confirms what they have not seen, nor a file with a question that nobody answered; no row means not confirmed.
UPDATE gatehouse.measurement_imports
   SET state = 'taking', next_line = 0, done_lines = 0, sure = @sure, confirmed_user = @user, confirmed_issuer = @issuer, confirmed_subject = @subject, confirmed_name = @name,
       confirmed_roles = @roles, confirmed_ip = @ip, confirmed_origin = @origin, confirmed_at = clock_timestamp(), heard_at = clock_timestamp(), ended_at = NULL, version = version + 1
 WHERE tenant_id = gatehouse.current_tenant() AND import_id = @import AND state = 'checked' AND version = @seen AND problems = 0 AND (asked = 0 OR @sure);

-- name: DiscardImport :exec
UPDATE gatehouse.measurement_imports SET state = 'discarded', ended_at = clock_timestamp(), version = version + 1
 WHERE tenant_id = gatehouse.current_tenant() AND import_id = @import AND state IN ('checked', 'refused') AND version = @seen;

-- name: DropImportLines :exec
DELETE FROM gatehouse.measurement_import_lines WHERE tenant_id = gatehouse.current_tenant() AND import_id = @import;

-- name: FindImportCodes :exec
UPDATE gatehouse.measurement_import_lines l
   SET material_id = m.material_id, seen = coalesce(m.version, 0), facility_id = f.facility_id
  FROM gatehouse.measurement_import_lines x
  LEFT JOIN public.materials m ON m.tenant_id = x.tenant_id AND m.material_code = x.material_code AND m.deleted_at IS NULL
  LEFT JOIN public.facilities f ON f.tenant_id = x.tenant_id AND f.facility_code = x.facility_code AND f.is_current AND f.is_active AND f.deleted_at IS NULL
 WHERE x.tenant_id = gatehouse.current_tenant() AND x.import_id = @import
   AND l.tenant_id = x.tenant_id AND l.import_id = x.import_id AND l.line = x.line;

-- name: CodesNotFound :one
-- What no material, and no facility, of this tenant is; and what is measured twice. All are counted, and the first are kept.
WITH numbered AS (
    SELECT l.line, l.facility_id, l.material_id, l.material_code, l.facility_code, first_value(l.line) OVER (PARTITION BY coalesce(l.material_id::text, l.material_code) ORDER BY l.line) AS first
      FROM gatehouse.measurement_import_lines l
     WHERE l.tenant_id = gatehouse.current_tenant() AND l.import_id = @import
), wrong AS (
    SELECT n.line, 'facility' AS column_name, 'No facility has the code ' || left(n.facility_code, 60) || ' here.' AS problem FROM numbered n WHERE n.facility_id IS NULL
    UNION ALL
    SELECT n.line, 'material', CASE WHEN EXISTS (SELECT FROM public.materials d WHERE d.tenant_id = gatehouse.current_tenant() AND d.material_code = n.material_code)
                                    THEN 'The material ' || left(n.material_code, 60) || ' was deleted, so it is not measured any more.'
                                    ELSE 'No material has the code ' || left(n.material_code, 60) || ' here.' END
      FROM numbered n WHERE n.material_id IS NULL
    UNION ALL
    SELECT n.line, 'material', 'The material ' || left(n.material_code, 60) || ' stands in line ' || n.first || ' already. A file measures a material once; a second reading is somebody else''s.'
      FROM numbered n WHERE n.line > n.first AND n.material_id IS NOT NULL
), kept AS (
    INSERT INTO gatehouse.measurement_import_problems (tenant_id, import_id, line, column_name, problem)
    SELECT gatehouse.current_tenant(), @import, w.line, w.column_name, w.problem FROM wrong w ORDER BY w.line, w.column_name LIMIT @room
)
SELECT count(*)::integer AS wrong FROM wrong;

-- name: NextImportLines :many
SELECT line, facility_code, material_code, entered, notes, coalesce(facility_id, '00000000-0000-0000-0000-000000000000') AS facility_id, material_id, seen, asked
  FROM gatehouse.measurement_import_lines
 WHERE tenant_id = gatehouse.current_tenant() AND import_id = @import AND line > @after AND (NOT @taking::boolean OR verdict <> 'not_taken')
 ORDER BY line
 LIMIT @most;

-- name: JudgeImportLines :exec
UPDATE gatehouse.measurement_import_lines l
   SET verdict = v.verdict, reason = v.reason, asked = CASE WHEN v.verdict = 'not_taken' THEN l.asked ELSE v.asked END
  FROM unnest(@lines::integer[], @verdicts::text[], @reasons::text[], @asked::text[]) AS v(line, verdict, reason, asked)
 WHERE l.tenant_id = gatehouse.current_tenant() AND l.import_id = @import AND l.line = v.line;

-- name: MoveImport :exec
UPDATE gatehouse.measurement_imports
   SET state = @state, problems = @problems, asked = @asked, found = @found, next_line = @position, done_lines = @done, preview = @preview, result = @result,
       heard_at = clock_timestamp(), ended_at = CASE WHEN @ended::boolean THEN clock_timestamp() END, version = version + CASE WHEN @ended::boolean THEN 1 ELSE 0 END
 WHERE tenant_id = gatehouse.current_tenant() AND import_id = @import;

-- name: SilentImports :many
SELECT import_id FROM gatehouse.measurement_imports
 WHERE tenant_id = gatehouse.current_tenant() AND state IN ('checking', 'taking') AND heard_at < clock_timestamp() - interval '45 seconds';

-- name: DropHalfImports :exec
-- What broke off on its way in: nobody has its address.
DELETE FROM gatehouse.measurement_imports WHERE tenant_id = gatehouse.current_tenant() AND state = 'arriving' AND heard_at < clock_timestamp() - interval '1 hour';

-- name: LockMaterials :many
-- In one order for everybody who holds several at once.
SELECT material_id, material_code, material_name, material_type, height_inches, width_inches, thickness_inches, cubic_feet,
       weight_lbs_per_unit AS weight_lbs, version
  FROM public.materials
 WHERE tenant_id = gatehouse.current_tenant() AND material_id = ANY (@materials::uuid[]) AND deleted_at IS NULL
 ORDER BY material_id
   FOR UPDATE;

-- name: MaterialsByID :many
SELECT material_id, material_code, material_name, material_type, height_inches, width_inches, thickness_inches, cubic_feet,
       weight_lbs_per_unit AS weight_lbs, version
  FROM public.materials
 WHERE tenant_id = gatehouse.current_tenant() AND material_id = ANY (@materials::uuid[]) AND deleted_at IS NULL;

-- name: FacilitiesByID :many
SELECT facility_id, facility_code, facility_name
  FROM public.facilities
 WHERE tenant_id = gatehouse.current_tenant() AND facility_id = ANY (@facilities::uuid[]) AND is_current AND is_active AND deleted_at IS NULL;

-- name: OpenCasesOfMaterials :many
SELECT case_id, facility_id, material_id, material_code, round, state, measured_height_inches, measured_width_inches, measured_thickness_inches,
       measured_cubic_feet, measured_weight_lbs, cubic_feet_pct, weight_pct, causes, opened_at, changed_at, version
  FROM gatehouse.dimension_cases
 WHERE tenant_id = gatehouse.current_tenant() AND material_id = ANY (@materials::uuid[]) AND state <> 'settled';

-- name: ReadingsOfOpenCases :many
SELECT r.reading_id, r.case_id, r.facility_id, r.material_id, r.round, r.number, r.material_version, r.entered, r.asked_back, r.notes, r.tolerance_pct, r.tolerance_version,
       r.outcome, coalesce(r.status, '') AS status, r.verification_id, r.cubic_feet_pct, r.weight_pct, r.issuer, r.subject, r.name, r.idempotency_key, r.measured_at
  FROM gatehouse.dimension_cases c
  JOIN gatehouse.dimension_readings r ON r.tenant_id = c.tenant_id AND r.case_id = c.case_id AND r.round = c.round
 WHERE c.tenant_id = gatehouse.current_tenant() AND c.material_id = ANY (@materials::uuid[]) AND c.state <> 'settled'
 ORDER BY r.round, r.number;

-- name: ChangesOfMaterials :many
SELECT c.change_id, c.material_id, c.kind, c.material_version, c.old_height_inches, c.old_width_inches, c.old_thickness_inches, c.old_cubic_feet, c.old_weight_lbs,
       c.new_height_inches, c.new_width_inches, c.new_thickness_inches, c.new_cubic_feet, c.new_weight_lbs, c.reason, c.case_id, c.verification_id, c.issuer, c.subject, c.name, c.changed_at
  FROM unnest(@materials::uuid[]) AS m(id)
 CROSS JOIN LATERAL (SELECT d.change_id, d.material_id, d.kind, d.material_version, d.old_height_inches, d.old_width_inches, d.old_thickness_inches, d.old_cubic_feet, d.old_weight_lbs,
                             d.new_height_inches, d.new_width_inches, d.new_thickness_inches, d.new_cubic_feet, d.new_weight_lbs, d.reason, d.case_id, d.verification_id, d.issuer, d.subject, d.name, d.changed_at
                        FROM gatehouse.dimension_changes d
                      WHERE d.tenant_id = gatehouse.current_tenant() AND d.material_id = m.id
                      ORDER BY d.changed_at DESC, d.change_id DESC LIMIT @most) c;

-- name: Tolerances :many
-- The newest of each type.
SELECT DISTINCT ON (packaging) packaging, tolerance_pct, version, source
  FROM gatehouse.dimension_tolerances
 WHERE tenant_id = gatehouse.current_tenant()
 ORDER BY packaging, version DESC;
