-- name: ServerVersion :one
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer AS number;

-- name: NewestSchemaVersions :many
SELECT version, success, installed_on, string_to_array(version, '.')::integer[] < string_to_array(@below, '.')::integer[] AS below
  FROM public.schema_version
 ORDER BY string_to_array(version, '.')::integer[] DESC
 LIMIT 5;

-- name: SchemaVersionsOf :many
SELECT version, success FROM public.schema_version WHERE version = ANY (@versions) ORDER BY version;

-- name: RelationsPresent :many
-- From the catalogue and not from information_schema, which hides what the role may not use and knows no materialized view.
SELECT w.name, COALESCE(c.relkind::text, '') AS kind, COALESCE(c.relispopulated, false) AS populated,
       COALESCE(c.relrowsecurity, false) AS row_security,
       EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p') AS primary_key
  FROM unnest(@names::text[]) WITH ORDINALITY AS w (name, place)
  LEFT JOIN (pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public')
    ON c.relname = w.name
 ORDER BY w.place;

-- name: ValidRecommendation :many
-- A facility with a bin, and a material: what a recommendation of this tenant must name.
SELECT l.facility_id, l.location_id, m.material_id
  FROM (SELECT facility_id, location_id FROM public.inventory_locations WHERE is_active AND deleted_at IS NULL LIMIT 1) l
 CROSS JOIN (SELECT material_id FROM public.materials WHERE is_active AND deleted_at IS NULL LIMIT 1) m;

-- name: TryRecommendation :exec
INSERT INTO public.putaway_recommendations
       (tenant_id, facility_id, lot_number, material_id, quantity, recommended_location_id, algorithm_used, confidence_score)
VALUES (@tenant, @facility, 'GATEHOUSE-CONSTRAINT-TEST', @material, 1, @location, 'CONSTRAINT_TEST', @confidence);

-- name: FreshBackup :many
-- The newest backup that is fresh and was restored, with what a person can look for by: its file, its hash, its drill.
SELECT b.backup_id, b.name, b.bytes, b.sha256, b.manifest_sha256, b.taken_at, c.recorded_at AS restored_at, c.check_id AS drill
  FROM gatehouse.apply_proof(@run) p
  JOIN gatehouse.backups b ON b.tenant_id = gatehouse.current_tenant() AND b.backup_id = p.backup_id
 CROSS JOIN LATERAL (SELECT k.recorded_at, k.check_id FROM gatehouse.backup_checks k
                      WHERE k.tenant_id = b.tenant_id AND k.backup_id = b.backup_id AND k.kind = 'drill' AND k.passed
                      ORDER BY k.recorded_at DESC LIMIT 1) c;

-- name: RehearsalOfRelease :many
-- The newest rehearsal of exactly the release's files that passed on a backup which a drill restored, and is newer than a
-- backup that is fresh.
SELECT r.rehearsal_id, r.backup_id, b.name AS backup_name, r.report_sha256, r.server_version, r.started_at, r.recorded_at,
       (SELECT coalesce(jsonb_object_agg(f.version, f.sha256), '{}') FROM gatehouse.rehearsed_files f
         WHERE f.tenant_id = r.tenant_id AND f.rehearsal_id = r.rehearsal_id)::text AS files
  FROM gatehouse.apply_proof(@run) p
  JOIN gatehouse.rehearsals r ON r.tenant_id = gatehouse.current_tenant() AND r.rehearsal_id = p.rehearsal_id
  JOIN gatehouse.backups b ON b.tenant_id = r.tenant_id AND b.backup_id = r.backup_id;
