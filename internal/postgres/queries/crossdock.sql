-- name: HoldCrossDock :one
-- Who promises places does it alone in the tenant: a place is promised once.
SELECT clock_timestamp() AS at, pg_advisory_xact_lock(hashtextextended('crossdock ' || gatehouse.current_tenant(), 0));

-- name: CrossDockDeployed :one
SELECT to_regclass('public.cross_dock_cancellations') IS NOT NULL AS deployed;

-- name: CrossDockOpen :many
-- What stands at the dock longest comes first. The index of the open ones holds no more than stands there.
SELECT x.cancellation_id, x.version, x.facility_id, f.facility_code, f.facility_name, x.lot_number, o.lot_id, o.version AS lot_version, o.quantity_on_hand, o.unit_of_measure,
       o.quality_status, NOT o.is_active OR o.deleted_at IS NOT NULL AS lot_gone, x.material_id, m.material_code, m.material_name,
       public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS unit_cubic_feet, m.weight_lbs_per_unit,
       m.thickness_inches, m.width_inches, m.height_inches, m.temperature_controlled, m.security_zone, x.cancellation_reason,
       x.original_sales_order_id, coalesce(n.sales_order_number, '') AS order_number, coalesce(e.since_at, x.cancelled_at) AS since_at, coalesce(e.why, '') AS why,
       o.location_id, coalesce(h.location_code, '') AS location_code, coalesce(h.zone_code, '') AS zone_code, coalesce(h.location_type, '') AS location_type,
       x.original_staging_location_id AS staging_id, coalesce(s.location_code, '') AS staging_code, coalesce(s.zone_code, '') AS staging_zone, coalesce(s.location_type, '') AS staging_type,
       x.new_recommended_location_id AS to_id, coalesce(t.location_code, '') AS to_code, coalesce(t.zone_code, '') AS to_zone, coalesce(t.location_type, '') AS to_type,
       x.actual_location_id AS actual_id, coalesce(a.location_code, '') AS actual_code, coalesce(a.zone_code, '') AS actual_zone, coalesce(a.location_type, '') AS actual_type,
       x.cancelled_at, coalesce(u.display_name, u.username) AS cancelled_by, coalesce(x.notes, '') AS notes, x.relocation_completed_at, coalesce(v.display_name, v.username, '') AS stored_by,
       coalesce(z.minutes, y.minutes, 240) AS limit_minutes
  FROM public.cross_dock_cancellations x
  JOIN public.facilities f ON f.tenant_id = x.tenant_id AND f.facility_id = x.facility_id
  JOIN public.lots o ON o.tenant_id = x.tenant_id AND o.facility_id = x.facility_id AND o.lot_number = x.lot_number
  JOIN public.materials m ON m.tenant_id = x.tenant_id AND m.material_id = x.material_id
  JOIN public.users u ON u.tenant_id = x.tenant_id AND u.user_id = x.cancelled_by
  LEFT JOIN public.users v ON v.tenant_id = x.tenant_id AND v.user_id = x.relocation_completed_by
  LEFT JOIN public.sales_orders n ON n.tenant_id = x.tenant_id AND n.sales_order_id = x.original_sales_order_id
  LEFT JOIN public.inventory_locations h ON h.tenant_id = x.tenant_id AND h.location_id = o.location_id
  LEFT JOIN public.inventory_locations s ON s.tenant_id = x.tenant_id AND s.location_id = x.original_staging_location_id
  LEFT JOIN public.inventory_locations t ON t.tenant_id = x.tenant_id AND t.location_id = x.new_recommended_location_id
  LEFT JOIN public.inventory_locations a ON a.tenant_id = x.tenant_id AND a.location_id = x.actual_location_id
  LEFT JOIN gatehouse.crossdock_errands e ON e.tenant_id = x.tenant_id AND e.cancellation_id = x.cancellation_id
  LEFT JOIN gatehouse.crossdock_limits z ON z.tenant_id = x.tenant_id AND z.facility_id = x.facility_id AND z.zone_code = coalesce(h.zone_code, '')
  LEFT JOIN gatehouse.crossdock_limits y ON y.tenant_id = x.tenant_id AND y.facility_id = x.facility_id AND y.zone_code = ''
 WHERE x.tenant_id = gatehouse.current_tenant() AND NOT x.relocation_completed
   AND (@facility::uuid IS NULL OR x.facility_id = @facility) AND (@reason::text = '' OR x.cancellation_reason = @reason)
   AND (@zone::text = '' OR h.zone_code = @zone)
   AND (@standing::text <> 'waiting' OR x.new_recommended_location_id IS NULL)
   AND (@standing::text <> 'late' OR coalesce(e.since_at, x.cancelled_at) < clock_timestamp() - coalesce(z.minutes, y.minutes, 240) * interval '1 minute')
   AND (coalesce(e.since_at, x.cancelled_at), x.cancellation_id) > (@after_at::timestamptz, @after_id::uuid)
 ORDER BY coalesce(e.since_at, x.cancelled_at), x.cancellation_id
 LIMIT @limit;

-- name: CrossDockStored :many
-- What was stored, by when it was cancelled, newest first: of each facility no more than the page shows.
SELECT x.cancellation_id, x.version, x.facility_id, f.facility_code, f.facility_name, x.lot_number, o.lot_id, o.version AS lot_version, o.quantity_on_hand, o.unit_of_measure,
       o.quality_status, NOT o.is_active OR o.deleted_at IS NOT NULL AS lot_gone, x.material_id, m.material_code, m.material_name,
       public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS unit_cubic_feet, m.weight_lbs_per_unit,
       m.thickness_inches, m.width_inches, m.height_inches, m.temperature_controlled, m.security_zone, x.cancellation_reason,
       x.original_sales_order_id, coalesce(n.sales_order_number, '') AS order_number, coalesce(e.since_at, x.cancelled_at) AS since_at, coalesce(e.why, '') AS why,
       o.location_id, coalesce(h.location_code, '') AS location_code, coalesce(h.zone_code, '') AS zone_code, coalesce(h.location_type, '') AS location_type,
       x.original_staging_location_id AS staging_id, coalesce(s.location_code, '') AS staging_code, coalesce(s.zone_code, '') AS staging_zone, coalesce(s.location_type, '') AS staging_type,
       x.new_recommended_location_id AS to_id, coalesce(t.location_code, '') AS to_code, coalesce(t.zone_code, '') AS to_zone, coalesce(t.location_type, '') AS to_type,
       x.actual_location_id AS actual_id, coalesce(a.location_code, '') AS actual_code, coalesce(a.zone_code, '') AS actual_zone, coalesce(a.location_type, '') AS actual_type,
       x.cancelled_at, coalesce(u.display_name, u.username) AS cancelled_by, coalesce(x.notes, '') AS notes, x.relocation_completed_at, coalesce(v.display_name, v.username, '') AS stored_by,
       coalesce(z.minutes, y.minutes, 240) AS limit_minutes
  FROM public.facilities w
 CROSS JOIN LATERAL (
       SELECT c.tenant_id, c.cancellation_id, c.version, c.facility_id, c.lot_number, c.material_id, c.cancellation_reason, c.original_sales_order_id, c.original_staging_location_id,
              c.new_recommended_location_id, c.actual_location_id, c.cancelled_at, c.cancelled_by, c.notes, c.relocation_completed_at, c.relocation_completed_by
         FROM public.cross_dock_cancellations c
        WHERE c.tenant_id = w.tenant_id AND c.facility_id = w.facility_id AND c.relocation_completed AND (@reason::text = '' OR c.cancellation_reason = @reason)
          AND (@zone::text = '' OR EXISTS (SELECT FROM public.inventory_locations g WHERE g.tenant_id = c.tenant_id AND g.location_id = c.original_staging_location_id AND g.zone_code = @zone))
          AND c.cancelled_at <= @after_at::timestamptz AND (c.cancelled_at, c.cancellation_id) < (@after_at::timestamptz, @after_id::uuid)
        ORDER BY c.cancelled_at DESC, c.cancellation_id DESC
        LIMIT @limit) x
  JOIN public.facilities f ON f.tenant_id = x.tenant_id AND f.facility_id = x.facility_id
  JOIN public.lots o ON o.tenant_id = x.tenant_id AND o.facility_id = x.facility_id AND o.lot_number = x.lot_number
  JOIN public.materials m ON m.tenant_id = x.tenant_id AND m.material_id = x.material_id
  JOIN public.users u ON u.tenant_id = x.tenant_id AND u.user_id = x.cancelled_by
  LEFT JOIN public.users v ON v.tenant_id = x.tenant_id AND v.user_id = x.relocation_completed_by
  LEFT JOIN public.sales_orders n ON n.tenant_id = x.tenant_id AND n.sales_order_id = x.original_sales_order_id
  LEFT JOIN public.inventory_locations h ON h.tenant_id = x.tenant_id AND h.location_id = o.location_id
  LEFT JOIN public.inventory_locations s ON s.tenant_id = x.tenant_id AND s.location_id = x.original_staging_location_id
  LEFT JOIN public.inventory_locations t ON t.tenant_id = x.tenant_id AND t.location_id = x.new_recommended_location_id
  LEFT JOIN public.inventory_locations a ON a.tenant_id = x.tenant_id AND a.location_id = x.actual_location_id
  LEFT JOIN gatehouse.crossdock_errands e ON e.tenant_id = x.tenant_id AND e.cancellation_id = x.cancellation_id
  LEFT JOIN gatehouse.crossdock_limits z ON z.tenant_id = x.tenant_id AND z.facility_id = x.facility_id AND z.zone_code = coalesce(h.zone_code, '')
  LEFT JOIN gatehouse.crossdock_limits y ON y.tenant_id = x.tenant_id AND y.facility_id = x.facility_id AND y.zone_code = ''
 WHERE w.tenant_id = gatehouse.current_tenant() AND (@facility::uuid IS NULL OR w.facility_id = @facility)
 ORDER BY x.cancelled_at DESC, x.cancellation_id DESC
 LIMIT @limit;

-- name: CrossDockOne :many
SELECT x.cancellation_id, x.version, x.facility_id, f.facility_code, f.facility_name, x.lot_number, o.lot_id, o.version AS lot_version, o.quantity_on_hand, o.unit_of_measure,
       o.quality_status, NOT o.is_active OR o.deleted_at IS NOT NULL AS lot_gone, x.material_id, m.material_code, m.material_name,
       public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS unit_cubic_feet, m.weight_lbs_per_unit,
       m.thickness_inches, m.width_inches, m.height_inches, m.temperature_controlled, m.security_zone, x.cancellation_reason,
       x.original_sales_order_id, coalesce(n.sales_order_number, '') AS order_number, coalesce(e.since_at, x.cancelled_at) AS since_at, coalesce(e.why, '') AS why,
       o.location_id, coalesce(h.location_code, '') AS location_code, coalesce(h.zone_code, '') AS zone_code, coalesce(h.location_type, '') AS location_type,
       x.original_staging_location_id AS staging_id, coalesce(s.location_code, '') AS staging_code, coalesce(s.zone_code, '') AS staging_zone, coalesce(s.location_type, '') AS staging_type,
       x.new_recommended_location_id AS to_id, coalesce(t.location_code, '') AS to_code, coalesce(t.zone_code, '') AS to_zone, coalesce(t.location_type, '') AS to_type,
       x.actual_location_id AS actual_id, coalesce(a.location_code, '') AS actual_code, coalesce(a.zone_code, '') AS actual_zone, coalesce(a.location_type, '') AS actual_type,
       x.cancelled_at, coalesce(u.display_name, u.username) AS cancelled_by, coalesce(x.notes, '') AS notes, x.relocation_completed_at, coalesce(v.display_name, v.username, '') AS stored_by,
       coalesce(z.minutes, y.minutes, 240) AS limit_minutes
  FROM public.cross_dock_cancellations x
  JOIN public.facilities f ON f.tenant_id = x.tenant_id AND f.facility_id = x.facility_id
  JOIN public.lots o ON o.tenant_id = x.tenant_id AND o.facility_id = x.facility_id AND o.lot_number = x.lot_number
  JOIN public.materials m ON m.tenant_id = x.tenant_id AND m.material_id = x.material_id
  JOIN public.users u ON u.tenant_id = x.tenant_id AND u.user_id = x.cancelled_by
  LEFT JOIN public.users v ON v.tenant_id = x.tenant_id AND v.user_id = x.relocation_completed_by
  LEFT JOIN public.sales_orders n ON n.tenant_id = x.tenant_id AND n.sales_order_id = x.original_sales_order_id
  LEFT JOIN public.inventory_locations h ON h.tenant_id = x.tenant_id AND h.location_id = o.location_id
  LEFT JOIN public.inventory_locations s ON s.tenant_id = x.tenant_id AND s.location_id = x.original_staging_location_id
  LEFT JOIN public.inventory_locations t ON t.tenant_id = x.tenant_id AND t.location_id = x.new_recommended_location_id
  LEFT JOIN public.inventory_locations a ON a.tenant_id = x.tenant_id AND a.location_id = x.actual_location_id
  LEFT JOIN gatehouse.crossdock_errands e ON e.tenant_id = x.tenant_id AND e.cancellation_id = x.cancellation_id
  LEFT JOIN gatehouse.crossdock_limits z ON z.tenant_id = x.tenant_id AND z.facility_id = x.facility_id AND z.zone_code = coalesce(h.zone_code, '')
  LEFT JOIN gatehouse.crossdock_limits y ON y.tenant_id = x.tenant_id AND y.facility_id = x.facility_id AND y.zone_code = ''
 WHERE x.tenant_id = gatehouse.current_tenant() AND x.cancellation_id = @cancellation;

-- name: LockCrossDock :many
SELECT x.cancellation_id, x.version, x.facility_id, f.facility_code, f.facility_name, x.lot_number, o.lot_id, o.version AS lot_version, o.quantity_on_hand, o.unit_of_measure,
       o.quality_status, NOT o.is_active OR o.deleted_at IS NOT NULL AS lot_gone, x.material_id, m.material_code, m.material_name,
       public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS unit_cubic_feet, m.weight_lbs_per_unit,
       m.thickness_inches, m.width_inches, m.height_inches, m.temperature_controlled, m.security_zone, x.cancellation_reason,
       x.original_sales_order_id, coalesce(n.sales_order_number, '') AS order_number, coalesce(e.since_at, x.cancelled_at) AS since_at, coalesce(e.why, '') AS why,
       o.location_id, coalesce(h.location_code, '') AS location_code, coalesce(h.zone_code, '') AS zone_code, coalesce(h.location_type, '') AS location_type,
       x.original_staging_location_id AS staging_id, coalesce(s.location_code, '') AS staging_code, coalesce(s.zone_code, '') AS staging_zone, coalesce(s.location_type, '') AS staging_type,
       x.new_recommended_location_id AS to_id, coalesce(t.location_code, '') AS to_code, coalesce(t.zone_code, '') AS to_zone, coalesce(t.location_type, '') AS to_type,
       x.actual_location_id AS actual_id, coalesce(a.location_code, '') AS actual_code, coalesce(a.zone_code, '') AS actual_zone, coalesce(a.location_type, '') AS actual_type,
       x.cancelled_at, coalesce(u.display_name, u.username) AS cancelled_by, coalesce(x.notes, '') AS notes, x.relocation_completed_at, coalesce(v.display_name, v.username, '') AS stored_by,
       coalesce(z.minutes, y.minutes, 240) AS limit_minutes
  FROM public.cross_dock_cancellations x
  JOIN public.facilities f ON f.tenant_id = x.tenant_id AND f.facility_id = x.facility_id
  JOIN public.lots o ON o.tenant_id = x.tenant_id AND o.facility_id = x.facility_id AND o.lot_number = x.lot_number
  JOIN public.materials m ON m.tenant_id = x.tenant_id AND m.material_id = x.material_id
  JOIN public.users u ON u.tenant_id = x.tenant_id AND u.user_id = x.cancelled_by
  LEFT JOIN public.users v ON v.tenant_id = x.tenant_id AND v.user_id = x.relocation_completed_by
  LEFT JOIN public.sales_orders n ON n.tenant_id = x.tenant_id AND n.sales_order_id = x.original_sales_order_id
  LEFT JOIN public.inventory_locations h ON h.tenant_id = x.tenant_id AND h.location_id = o.location_id
  LEFT JOIN public.inventory_locations s ON s.tenant_id = x.tenant_id AND s.location_id = x.original_staging_location_id
  LEFT JOIN public.inventory_locations t ON t.tenant_id = x.tenant_id AND t.location_id = x.new_recommended_location_id
  LEFT JOIN public.inventory_locations a ON a.tenant_id = x.tenant_id AND a.location_id = x.actual_location_id
  LEFT JOIN gatehouse.crossdock_errands e ON e.tenant_id = x.tenant_id AND e.cancellation_id = x.cancellation_id
  LEFT JOIN gatehouse.crossdock_limits z ON z.tenant_id = x.tenant_id AND z.facility_id = x.facility_id AND z.zone_code = coalesce(h.zone_code, '')
  LEFT JOIN gatehouse.crossdock_limits y ON y.tenant_id = x.tenant_id AND y.facility_id = x.facility_id AND y.zone_code = ''
 WHERE x.tenant_id = gatehouse.current_tenant() AND x.cancellation_id = @cancellation
   FOR UPDATE OF x, o;

-- name: LockCrossDockOf :many
SELECT x.cancellation_id, x.version, x.facility_id, f.facility_code, f.facility_name, x.lot_number, o.lot_id, o.version AS lot_version, o.quantity_on_hand, o.unit_of_measure,
       o.quality_status, NOT o.is_active OR o.deleted_at IS NOT NULL AS lot_gone, x.material_id, m.material_code, m.material_name,
       public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS unit_cubic_feet, m.weight_lbs_per_unit,
       m.thickness_inches, m.width_inches, m.height_inches, m.temperature_controlled, m.security_zone, x.cancellation_reason,
       x.original_sales_order_id, coalesce(n.sales_order_number, '') AS order_number, coalesce(e.since_at, x.cancelled_at) AS since_at, coalesce(e.why, '') AS why,
       o.location_id, coalesce(h.location_code, '') AS location_code, coalesce(h.zone_code, '') AS zone_code, coalesce(h.location_type, '') AS location_type,
       x.original_staging_location_id AS staging_id, coalesce(s.location_code, '') AS staging_code, coalesce(s.zone_code, '') AS staging_zone, coalesce(s.location_type, '') AS staging_type,
       x.new_recommended_location_id AS to_id, coalesce(t.location_code, '') AS to_code, coalesce(t.zone_code, '') AS to_zone, coalesce(t.location_type, '') AS to_type,
       x.actual_location_id AS actual_id, coalesce(a.location_code, '') AS actual_code, coalesce(a.zone_code, '') AS actual_zone, coalesce(a.location_type, '') AS actual_type,
       x.cancelled_at, coalesce(u.display_name, u.username) AS cancelled_by, coalesce(x.notes, '') AS notes, x.relocation_completed_at, coalesce(v.display_name, v.username, '') AS stored_by,
       coalesce(z.minutes, y.minutes, 240) AS limit_minutes
  FROM public.cross_dock_cancellations x
  JOIN public.facilities f ON f.tenant_id = x.tenant_id AND f.facility_id = x.facility_id
  JOIN public.lots o ON o.tenant_id = x.tenant_id AND o.facility_id = x.facility_id AND o.lot_number = x.lot_number
  JOIN public.materials m ON m.tenant_id = x.tenant_id AND m.material_id = x.material_id
  JOIN public.users u ON u.tenant_id = x.tenant_id AND u.user_id = x.cancelled_by
  LEFT JOIN public.users v ON v.tenant_id = x.tenant_id AND v.user_id = x.relocation_completed_by
  LEFT JOIN public.sales_orders n ON n.tenant_id = x.tenant_id AND n.sales_order_id = x.original_sales_order_id
  LEFT JOIN public.inventory_locations h ON h.tenant_id = x.tenant_id AND h.location_id = o.location_id
  LEFT JOIN public.inventory_locations s ON s.tenant_id = x.tenant_id AND s.location_id = x.original_staging_location_id
  LEFT JOIN public.inventory_locations t ON t.tenant_id = x.tenant_id AND t.location_id = x.new_recommended_location_id
  LEFT JOIN public.inventory_locations a ON a.tenant_id = x.tenant_id AND a.location_id = x.actual_location_id
  LEFT JOIN gatehouse.crossdock_errands e ON e.tenant_id = x.tenant_id AND e.cancellation_id = x.cancellation_id
  LEFT JOIN gatehouse.crossdock_limits z ON z.tenant_id = x.tenant_id AND z.facility_id = x.facility_id AND z.zone_code = coalesce(h.zone_code, '')
  LEFT JOIN gatehouse.crossdock_limits y ON y.tenant_id = x.tenant_id AND y.facility_id = x.facility_id AND y.zone_code = ''
 WHERE x.tenant_id = gatehouse.current_tenant() AND x.facility_id = @facility AND x.lot_number = @lot AND NOT x.relocation_completed
   FOR UPDATE OF x, o;

-- name: CrossDockFound :many
-- What a scan means: the lot, the material, or the place where it stands.
SELECT x.cancellation_id, x.version, x.facility_id, f.facility_code, f.facility_name, x.lot_number, o.lot_id, o.version AS lot_version, o.quantity_on_hand, o.unit_of_measure,
       o.quality_status, NOT o.is_active OR o.deleted_at IS NOT NULL AS lot_gone, x.material_id, m.material_code, m.material_name,
       public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS unit_cubic_feet, m.weight_lbs_per_unit,
       m.thickness_inches, m.width_inches, m.height_inches, m.temperature_controlled, m.security_zone, x.cancellation_reason,
       x.original_sales_order_id, coalesce(n.sales_order_number, '') AS order_number, coalesce(e.since_at, x.cancelled_at) AS since_at, coalesce(e.why, '') AS why,
       o.location_id, coalesce(h.location_code, '') AS location_code, coalesce(h.zone_code, '') AS zone_code, coalesce(h.location_type, '') AS location_type,
       x.original_staging_location_id AS staging_id, coalesce(s.location_code, '') AS staging_code, coalesce(s.zone_code, '') AS staging_zone, coalesce(s.location_type, '') AS staging_type,
       x.new_recommended_location_id AS to_id, coalesce(t.location_code, '') AS to_code, coalesce(t.zone_code, '') AS to_zone, coalesce(t.location_type, '') AS to_type,
       x.actual_location_id AS actual_id, coalesce(a.location_code, '') AS actual_code, coalesce(a.zone_code, '') AS actual_zone, coalesce(a.location_type, '') AS actual_type,
       x.cancelled_at, coalesce(u.display_name, u.username) AS cancelled_by, coalesce(x.notes, '') AS notes, x.relocation_completed_at, coalesce(v.display_name, v.username, '') AS stored_by,
       coalesce(z.minutes, y.minutes, 240) AS limit_minutes
  FROM public.cross_dock_cancellations x
  JOIN public.facilities f ON f.tenant_id = x.tenant_id AND f.facility_id = x.facility_id
  JOIN public.lots o ON o.tenant_id = x.tenant_id AND o.facility_id = x.facility_id AND o.lot_number = x.lot_number
  JOIN public.materials m ON m.tenant_id = x.tenant_id AND m.material_id = x.material_id
  JOIN public.users u ON u.tenant_id = x.tenant_id AND u.user_id = x.cancelled_by
  LEFT JOIN public.users v ON v.tenant_id = x.tenant_id AND v.user_id = x.relocation_completed_by
  LEFT JOIN public.sales_orders n ON n.tenant_id = x.tenant_id AND n.sales_order_id = x.original_sales_order_id
  LEFT JOIN public.inventory_locations h ON h.tenant_id = x.tenant_id AND h.location_id = o.location_id
  LEFT JOIN public.inventory_locations s ON s.tenant_id = x.tenant_id AND s.location_id = x.original_staging_location_id
  LEFT JOIN public.inventory_locations t ON t.tenant_id = x.tenant_id AND t.location_id = x.new_recommended_location_id
  LEFT JOIN public.inventory_locations a ON a.tenant_id = x.tenant_id AND a.location_id = x.actual_location_id
  LEFT JOIN gatehouse.crossdock_errands e ON e.tenant_id = x.tenant_id AND e.cancellation_id = x.cancellation_id
  LEFT JOIN gatehouse.crossdock_limits z ON z.tenant_id = x.tenant_id AND z.facility_id = x.facility_id AND z.zone_code = coalesce(h.zone_code, '')
  LEFT JOIN gatehouse.crossdock_limits y ON y.tenant_id = x.tenant_id AND y.facility_id = x.facility_id AND y.zone_code = ''
 WHERE x.tenant_id = gatehouse.current_tenant() AND NOT x.relocation_completed AND (@facility::uuid IS NULL OR x.facility_id = @facility)
   AND (x.lot_number = @lot::text OR x.lot_number = @code::text OR m.material_code = @code::text OR h.location_code = @code::text OR h.barcode = @code::text
        OR @gtin::text <> '' AND m.material_id IN (SELECT b.material_id FROM gatehouse.material_barcodes b WHERE b.tenant_id = gatehouse.current_tenant() AND b.gtin = @gtin))
 ORDER BY x.lot_number = @lot::text OR x.lot_number = @code::text DESC, coalesce(e.since_at, x.cancelled_at), x.cancellation_id
 LIMIT 20;

-- name: CrossDockLots :many
-- The lots of a number, in whichever facility.
SELECT o.lot_id, o.version AS lot_version, o.facility_id, f.facility_code, f.facility_name, o.lot_number, o.quantity_on_hand, o.unit_of_measure, o.quality_status,
       NOT o.is_active OR o.deleted_at IS NOT NULL AS lot_gone, o.material_id, m.material_code, m.material_name,
       public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS unit_cubic_feet, m.weight_lbs_per_unit,
       m.thickness_inches, m.width_inches, m.height_inches, m.temperature_controlled, m.security_zone,
       o.location_id, coalesce(h.location_code, '') AS location_code, coalesce(h.zone_code, '') AS zone_code, coalesce(h.location_type, '') AS location_type,
       NULL::timestamptz AS arrived_at
  FROM public.facilities f
  JOIN public.lots o ON o.tenant_id = f.tenant_id AND o.facility_id = f.facility_id
  JOIN public.materials m ON m.tenant_id = o.tenant_id AND m.material_id = o.material_id
  LEFT JOIN public.inventory_locations h ON h.tenant_id = o.tenant_id AND h.location_id = o.location_id
 WHERE f.tenant_id = gatehouse.current_tenant() AND (@facility::uuid IS NULL OR f.facility_id = @facility) AND o.lot_number = ANY (@numbers::text[]) AND o.deleted_at IS NULL
 ORDER BY f.facility_code, o.lot_number
 LIMIT 20;

-- name: LockCrossDockLot :many
-- A lot by codes in the tenant alone. When it was brought to where it is stands in the transactions of the last three days.
SELECT o.lot_id, o.version AS lot_version, o.facility_id, f.facility_code, f.facility_name, o.lot_number, o.quantity_on_hand, o.unit_of_measure, o.quality_status,
       NOT o.is_active OR o.deleted_at IS NOT NULL AS lot_gone, o.material_id, m.material_code, m.material_name,
       public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS unit_cubic_feet, m.weight_lbs_per_unit,
       m.thickness_inches, m.width_inches, m.height_inches, m.temperature_controlled, m.security_zone,
       o.location_id, coalesce(h.location_code, '') AS location_code, coalesce(h.zone_code, '') AS zone_code, coalesce(h.location_type, '') AS location_type,
       (SELECT max(i.transaction_date)
          FROM public.inventory_transactions i
         WHERE i.tenant_id = o.tenant_id AND i.facility_id = o.facility_id AND i.transaction_date > @now::timestamptz - interval '3 days' AND i.transaction_date <= @now::timestamptz
           AND i.lot_number = o.lot_number AND i.to_location_id = o.location_id AND i.status <> 'REVERSED') AS arrived_at
  FROM public.facilities f
  JOIN public.lots o ON o.tenant_id = f.tenant_id AND o.facility_id = f.facility_id
  JOIN public.materials m ON m.tenant_id = o.tenant_id AND m.material_id = o.material_id
  LEFT JOIN public.inventory_locations h ON h.tenant_id = o.tenant_id AND h.location_id = o.location_id
 WHERE f.tenant_id = gatehouse.current_tenant() AND f.facility_code = @facility AND f.is_current AND f.deleted_at IS NULL AND o.lot_number = @lot
   FOR UPDATE OF o;

-- name: CrossDockBin :many
-- A place as it is now, without what other errands were promised there.
WITH promised AS (
    SELECT x.new_recommended_location_id AS location_id,
           sum(o.quantity_on_hand * public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches)) AS cubic_feet,
           sum(o.quantity_on_hand * m.weight_lbs_per_unit) AS weight_lbs,
           bool_or(public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) IS NULL OR m.weight_lbs_per_unit IS NULL) AS unknown
      FROM public.cross_dock_cancellations x
      JOIN public.lots o ON o.tenant_id = x.tenant_id AND o.facility_id = x.facility_id AND o.lot_number = x.lot_number
      JOIN public.materials m ON m.tenant_id = o.tenant_id AND m.material_id = o.material_id
     WHERE x.tenant_id = gatehouse.current_tenant() AND x.facility_id = @facility AND NOT x.relocation_completed AND x.cancellation_id <> @for::uuid
       AND x.new_recommended_location_id IS NOT NULL AND o.location_id IS DISTINCT FROM x.new_recommended_location_id
     GROUP BY x.new_recommended_location_id
)
SELECT l.location_id, l.location_code, l.location_type, coalesce(l.zone_code, '') AS zone_code, l.is_active AND l.deleted_at IS NULL AS active, l.is_available,
       coalesce(l.blocked_reason, '') AS blocked_reason, l.temperature_controlled, l.security_zone, coalesce(l.cubic_feet, 0) > 0 AND coalesce(l.max_weight_lbs, 0) > 0 AS stated,
       coalesce(c.available_cubic_feet, 0) - coalesce(p.cubic_feet, 0) AS free_cubic_feet, coalesce(c.available_weight_lbs, 0) - coalesce(p.weight_lbs, 0) AS free_weight_lbs,
       coalesce(c.unknown_volume_lots, 0) + coalesce(c.unknown_weight_lots, 0) > 0 OR coalesce(p.unknown, false) AS unknown,
       l.length_inches, l.width_inches, l.height_inches, 0 AS rank
  FROM public.inventory_locations l
  LEFT JOIN public.bin_utilization_cache c ON c.tenant_id = l.tenant_id AND c.location_id = l.location_id
  LEFT JOIN promised p ON p.location_id = l.location_id
 WHERE l.tenant_id = gatehouse.current_tenant() AND l.facility_id = @facility AND (upper(l.location_code) = upper(@code::text) OR l.barcode = @code::text)
 ORDER BY upper(l.location_code) = upper(@code::text) DESC, l.location_id
 LIMIT 1;

-- name: CrossDockShelves :many
-- Places that nothing but their sides may rule out: the best kind first, of that the least room.
WITH promised AS (
    SELECT x.new_recommended_location_id AS location_id,
           sum(o.quantity_on_hand * public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches)) AS cubic_feet,
           sum(o.quantity_on_hand * m.weight_lbs_per_unit) AS weight_lbs,
           bool_or(public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) IS NULL OR m.weight_lbs_per_unit IS NULL) AS unknown
      FROM public.cross_dock_cancellations x
      JOIN public.lots o ON o.tenant_id = x.tenant_id AND o.facility_id = x.facility_id AND o.lot_number = x.lot_number
      JOIN public.materials m ON m.tenant_id = o.tenant_id AND m.material_id = o.material_id
     WHERE x.tenant_id = gatehouse.current_tenant() AND x.facility_id = @facility AND NOT x.relocation_completed AND x.cancellation_id <> @for::uuid
       AND x.new_recommended_location_id IS NOT NULL AND o.location_id IS DISTINCT FROM x.new_recommended_location_id
     GROUP BY x.new_recommended_location_id
), fit AS (
    SELECT l.location_id, l.location_code, l.location_type, coalesce(l.zone_code, '') AS zone_code, l.is_active AND l.deleted_at IS NULL AS active, l.is_available,
       coalesce(l.blocked_reason, '') AS blocked_reason, l.temperature_controlled, l.security_zone, coalesce(l.cubic_feet, 0) > 0 AND coalesce(l.max_weight_lbs, 0) > 0 AS stated,
       coalesce(c.available_cubic_feet, 0) - coalesce(p.cubic_feet, 0) AS free_cubic_feet, coalesce(c.available_weight_lbs, 0) - coalesce(p.weight_lbs, 0) AS free_weight_lbs,
       coalesce(c.unknown_volume_lots, 0) + coalesce(c.unknown_weight_lots, 0) > 0 OR coalesce(p.unknown, false) AS unknown,
       l.length_inches, l.width_inches, l.height_inches,
           array_position(@types::text[], l.location_type::text) * 2 + (l.temperature_controlled AND NOT @cold::boolean)::integer AS rank
      FROM public.inventory_locations l
      LEFT JOIN public.bin_utilization_cache c ON c.tenant_id = l.tenant_id AND c.location_id = l.location_id
      LEFT JOIN promised p ON p.location_id = l.location_id
     WHERE l.tenant_id = gatehouse.current_tenant() AND l.facility_id = @facility AND l.location_type = ANY (@types::text[]) AND l.is_active AND l.deleted_at IS NULL AND l.is_available
       AND (l.temperature_controlled OR NOT @cold::boolean) AND l.security_zone = ANY (@clearances::text[])
)
SELECT location_id, location_code, location_type, zone_code, active, is_available, blocked_reason, temperature_controlled, security_zone, stated, free_cubic_feet, free_weight_lbs,
       unknown, length_inches, width_inches, height_inches, rank
  FROM fit
 WHERE (@loose::boolean OR stated AND NOT unknown AND free_cubic_feet >= @cubic_feet::numeric AND free_weight_lbs >= @weight::numeric)
   AND (rank, free_cubic_feet, location_id) > (@after_rank::integer, @after_free::numeric, @after_id::uuid)
 ORDER BY rank, free_cubic_feet, location_id
 LIMIT @limit;

-- name: CrossDockSpot :many
SELECT l.location_id, l.location_code, l.location_type, coalesce(l.zone_code, '') AS zone_code
  FROM public.inventory_locations l
 WHERE l.tenant_id = gatehouse.current_tenant() AND l.facility_id = @facility AND l.location_code = @code AND l.deleted_at IS NULL;

-- name: CrossDockOrder :many
SELECT n.sales_order_id, n.sales_order_number
  FROM public.sales_orders n
 WHERE n.tenant_id = gatehouse.current_tenant() AND n.facility_id = @facility AND n.sales_order_number = @number AND n.deleted_at IS NULL;

-- name: CrossDockFacility :many
SELECT facility_id, facility_code, facility_name
  FROM public.facilities
 WHERE tenant_id = gatehouse.current_tenant() AND facility_id = @facility AND deleted_at IS NULL;

-- name: CrossDockLimits :many
SELECT l.facility_id, f.facility_code, f.facility_name, l.zone_code, l.minutes, l.set_by
  FROM gatehouse.crossdock_limits l
  JOIN public.facilities f ON f.tenant_id = l.tenant_id AND f.facility_id = l.facility_id
 WHERE l.tenant_id = gatehouse.current_tenant()
 ORDER BY f.facility_code, l.zone_code
 LIMIT 200;

-- name: SetCrossDockLimit :one
WITH was AS (
    SELECT minutes FROM gatehouse.crossdock_limits WHERE tenant_id = gatehouse.current_tenant() AND facility_id = @facility AND zone_code = @zone
), kept AS (
    INSERT INTO gatehouse.crossdock_limits (tenant_id, facility_id, zone_code, minutes, set_by)
    VALUES (gatehouse.current_tenant(), @facility, @zone, @minutes, @by)
    ON CONFLICT ON CONSTRAINT crossdock_limits_pkey DO UPDATE SET minutes = excluded.minutes, set_by = excluded.set_by, set_at = clock_timestamp()
)
SELECT coalesce((SELECT minutes FROM was), 240);

-- name: CrossDockEvents :many
SELECT act, note, from_code, to_code, issuer, subject, name, at
  FROM gatehouse.crossdock_events
 WHERE tenant_id = gatehouse.current_tenant() AND cancellation_id = @cancellation
 ORDER BY at DESC, event_id DESC
 LIMIT 100;

-- name: CrossDockTold :many
SELECT cancellation_id, content_sha256, outcome
  FROM gatehouse.crossdock_told
 WHERE tenant_id = gatehouse.current_tenant() AND teller = @teller AND key = @key;

-- name: AddCrossDockTold :exec
INSERT INTO gatehouse.crossdock_told (tenant_id, teller, key, cancellation_id, content_sha256, outcome, told_by)
VALUES (gatehouse.current_tenant(), @teller, @key, @cancellation, @content, @outcome, @by);

-- name: AddCrossDock :exec
INSERT INTO public.cross_dock_cancellations (tenant_id, cancellation_id, facility_id, material_id, lot_number, original_recommendation_id, original_staging_location_id,
       original_sales_order_id, cancellation_reason, new_recommended_location_id, cancelled_at, cancelled_by, notes)
SELECT gatehouse.current_tenant(), @cancellation, @facility, @material, @lot,
       (SELECT r.recommendation_id FROM public.putaway_recommendations r WHERE r.tenant_id = gatehouse.current_tenant() AND r.recommendation_id = @recommendation::uuid),
       @staging, @order, @reason, @to, @at, @user, NULLIF(@notes::text, '');

-- name: AddCrossDockErrand :exec
INSERT INTO gatehouse.crossdock_errands AS e (tenant_id, cancellation_id, since_at, why)
VALUES (gatehouse.current_tenant(), @cancellation, @since, @why)
ON CONFLICT ON CONSTRAINT crossdock_errands_pkey DO UPDATE SET why = excluded.why, tried_at = clock_timestamp(), tries = e.tries + 1;

-- name: AddCrossDockEvent :exec
INSERT INTO gatehouse.crossdock_events (tenant_id, event_id, cancellation_id, act, note, from_code, to_code, issuer, subject, name)
VALUES (gatehouse.current_tenant(), @event, @cancellation, @act, @note, @from, @to, @issuer, @subject, @name);

-- name: PutCrossDock :exec
UPDATE public.cross_dock_cancellations
   SET new_recommended_location_id = @to, version = @version
 WHERE tenant_id = gatehouse.current_tenant() AND cancellation_id = @cancellation AND version = @version - 1 AND NOT relocation_completed;

-- name: FinishCrossDock :exec
UPDATE public.cross_dock_cancellations
   SET actual_location_id = @actual, relocation_completed = true, relocation_completed_at = @at, relocation_completed_by = @user, version = @version
 WHERE tenant_id = gatehouse.current_tenant() AND cancellation_id = @cancellation AND version = @version - 1 AND NOT relocation_completed;

-- name: HoldLot :exec
UPDATE public.lots
   SET quality_status = 'HOLD', version = version + 1, updated_at = clock_timestamp()
 WHERE tenant_id = gatehouse.current_tenant() AND lot_id = @lot AND quality_status = 'RELEASED';

-- name: MoveLot :exec
UPDATE public.lots
   SET location_id = @to, version = version + 1, updated_at = clock_timestamp()
 WHERE tenant_id = gatehouse.current_tenant() AND lot_id = @lot AND location_id IS NOT DISTINCT FROM @from::uuid;

-- name: AddTransfer :exec
INSERT INTO public.inventory_transactions (tenant_id, facility_id, transaction_number, transaction_type, material_id, lot_number, quantity, from_location_id, to_location_id, performed_by_user_id)
VALUES (gatehouse.current_tenant(), @facility, @number, 'TRANSFER', @material, @lot, @quantity, @from, @to, @user);

-- name: CrossDockUnsettled :many
-- Open errands without a place, or with one that does not hold any more by what is known of it now.
SELECT x.cancellation_id
  FROM public.cross_dock_cancellations x
  JOIN public.lots o ON o.tenant_id = x.tenant_id AND o.facility_id = x.facility_id AND o.lot_number = x.lot_number
  JOIN public.materials m ON m.tenant_id = o.tenant_id AND m.material_id = o.material_id
  LEFT JOIN public.inventory_locations t ON t.tenant_id = x.tenant_id AND t.location_id = x.new_recommended_location_id
  LEFT JOIN public.bin_utilization_cache c ON c.tenant_id = x.tenant_id AND c.location_id = x.new_recommended_location_id
  LEFT JOIN gatehouse.crossdock_errands e ON e.tenant_id = x.tenant_id AND e.cancellation_id = x.cancellation_id
 WHERE x.tenant_id = gatehouse.current_tenant() AND NOT x.relocation_completed
   AND (x.new_recommended_location_id IS NULL OR NOT t.is_active OR t.deleted_at IS NOT NULL OR NOT t.is_available
        OR (o.quality_status <> 'RELEASED') <> (t.location_type = 'QUARANTINE')
        OR o.location_id IS DISTINCT FROM t.location_id AND t.location_type <> 'QUARANTINE'
           AND (o.quantity_on_hand * public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) > c.available_cubic_feet
                OR o.quantity_on_hand * m.weight_lbs_per_unit > c.available_weight_lbs))
 ORDER BY e.tried_at NULLS FIRST, x.cancelled_at, x.cancellation_id
 LIMIT @limit;
