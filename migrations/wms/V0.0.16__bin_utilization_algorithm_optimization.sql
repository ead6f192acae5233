-- title: Algorithm optimization
-- risk: low
-- estimate: 6s
-- reversible: yes
-- locks: writers of pick lists, wave lines, orders, order lines, transactions and bins wait while six indexes are built
-- undo loses: model weights; aisle codes filled in from the location code stay
-- creates: table public.ml_model_weights
-- creates: table public.bin_utilization_cache
-- creates: function public.recompute_bin_utilization(uuid[])
-- creates: function public.refresh_bin_utilization_for_location(uuid)
-- creates: function public.get_bin_optimization_recommendations(uuid, integer)
-- creates: view public.aisle_congestion_metrics
-- creates: view public.material_velocity_analysis
-- creates: index public.idx_inventory_locations_aisle
-- creates: index public.idx_bin_utilization_cache_facility
-- creates: index public.idx_bin_utilization_cache_utilization
-- creates: index public.idx_bin_utilization_cache_status
-- creates: index public.idx_bin_utilization_cache_aisle
-- creates: index public.idx_pick_lists_status_started
-- creates: index public.idx_wave_lines_pick_list
-- creates: index public.idx_wave_lines_pick_location
-- creates: index public.idx_sales_order_lines_material_status
-- creates: index public.idx_sales_orders_status_ship_date
-- creates: index public.idx_inventory_transactions_material_date
--
-- V0.0.19's tenant_id of ml_model_weights is there from the start. bin_utilization_cache is a table, not a materialized
-- view: a materialized view can only be rebuilt whole, and knows no row level security.

-- A location code is zone-aisle-row-bin.
UPDATE public.inventory_locations
SET aisle_code = NULLIF(split_part(location_code, '-', 2), '')
WHERE aisle_code IS NULL AND split_part(location_code, '-', 2) <> '';
CREATE INDEX idx_inventory_locations_aisle ON public.inventory_locations (tenant_id, facility_id, aisle_code)
    WHERE aisle_code IS NOT NULL;

CREATE TABLE public.ml_model_weights (
    tenant_id         uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    model_id          uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    model_name        varchar(100) NOT NULL,
    weights           jsonb NOT NULL,
    accuracy_pct      numeric(5,2), -- NULL until it has been measured
    total_predictions integer NOT NULL DEFAULT 0,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz,
    PRIMARY KEY (tenant_id, model_id),
    CONSTRAINT ml_model_weights_name_once UNIQUE (tenant_id, model_name),
    CONSTRAINT ml_model_weights_are_an_object CHECK (jsonb_typeof(weights) = 'object'),
    CONSTRAINT ml_model_weights_accuracy_in_range CHECK (accuracy_pct BETWEEN 0 AND 100),
    CONSTRAINT ml_model_weights_predictions_not_negative CHECK (total_predictions >= 0)
);
INSERT INTO public.ml_model_weights (tenant_id, model_name, weights)
SELECT tenant_id, 'putaway_confidence_adjuster',
    '{"abcMatch": 0.35, "utilizationOptimal": 0.25, "pickSequenceLow": 0.20, "locationTypeMatch": 0.15, "congestionLow": 0.05}'
FROM public.tenants;

CREATE TABLE public.bin_utilization_cache (
    tenant_id              uuid NOT NULL REFERENCES public.tenants ON DELETE CASCADE,
    location_id            uuid NOT NULL UNIQUE,
    facility_id            uuid NOT NULL,
    location_code          varchar(50) NOT NULL,
    location_type          varchar(20) NOT NULL,
    zone_code              varchar(50),
    aisle_code             varchar(50),
    abc_classification     varchar(1),
    pick_sequence          integer,
    total_cubic_feet       numeric NOT NULL,
    max_weight_lbs         numeric NOT NULL,
    used_cubic_feet        numeric NOT NULL,
    used_weight_lbs        numeric NOT NULL,
    available_cubic_feet   numeric NOT NULL,
    available_weight_lbs   numeric NOT NULL,
    lot_count              integer NOT NULL,
    material_count         integer NOT NULL,
    unknown_volume_lots    integer NOT NULL,
    unknown_weight_lots    integer NOT NULL,
    volume_utilization_pct numeric NOT NULL,
    weight_utilization_pct numeric NOT NULL,
    utilization_status     text NOT NULL,
    last_updated           timestamptz NOT NULL DEFAULT now(), -- when this bin's figures last changed
    PRIMARY KEY (tenant_id, location_id),
    CONSTRAINT bin_utilization_cache_location FOREIGN KEY (tenant_id, location_id)
        REFERENCES public.inventory_locations ON DELETE CASCADE,
    CONSTRAINT bin_utilization_cache_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE CASCADE,
    CONSTRAINT bin_utilization_cache_status_known CHECK (utilization_status IN
        ('UNDERUTILIZED', 'NORMAL', 'OPTIMAL', 'OVERUTILIZED', 'VOLUME_UNKNOWN'))
) WITH (fillfactor = 85); -- rows are rewritten in place all day
CREATE INDEX idx_bin_utilization_cache_facility ON public.bin_utilization_cache (tenant_id, facility_id, location_code);
CREATE INDEX idx_bin_utilization_cache_utilization ON public.bin_utilization_cache (tenant_id, facility_id, volume_utilization_pct);
CREATE INDEX idx_bin_utilization_cache_status ON public.bin_utilization_cache (tenant_id, facility_id, utilization_status);
CREATE INDEX idx_bin_utilization_cache_aisle ON public.bin_utilization_cache (tenant_id, facility_id, aisle_code)
    WHERE aisle_code IS NOT NULL;

INSERT INTO public.bin_utilization_cache
SELECT tenant_id, location_id, facility_id, location_code, location_type, zone_code, aisle_code, abc_classification, pick_sequence,
    total_cubic_feet, max_weight_lbs, used_cubic_feet, used_weight_lbs, available_cubic_feet, available_weight_lbs,
    lot_count, material_count, unknown_volume_lots, unknown_weight_lots,
    volume_utilization_pct, weight_utilization_pct, utilization_status
FROM public.bin_utilization_summary;

-- Puts the given bins' rows right and says how many were not. Two writers who touch the same bin: each must count the
-- other's lots, so the bin's row is locked first and the stock is read afterwards, by a statement of its own, whose
-- snapshot is therefore newer than the commit of whoever held the lock. One statement doing both would read the stock
-- as it was before the wait. At REPEATABLE READ the lock fails with 40001 instead of leaving a wrong figure.
-- The plan is made once a session, perhaps on an empty warehouse: without sequential scans it is right for any size.
CREATE FUNCTION public.recompute_bin_utilization(p_locations uuid[]) RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    locked integer;
    added integer := 0;
    changed integer;
BEGIN
    PERFORM FROM unnest(p_locations) AS touched (id) JOIN public.bin_utilization_cache c ON c.location_id = touched.id
        ORDER BY c.location_id FOR NO KEY UPDATE OF c;
    GET DIAGNOSTICS locked = ROW_COUNT;
    IF locked < cardinality(p_locations) THEN
        -- A bin without a row is new, or not active. The share lock waits for whoever is just switching it on.
        PERFORM FROM unnest(p_locations) AS touched (id) JOIN public.inventory_locations l ON l.location_id = touched.id
            ORDER BY l.location_id FOR SHARE OF l;
        INSERT INTO public.bin_utilization_cache
        SELECT v.tenant_id, v.location_id, v.facility_id, v.location_code, v.location_type, v.zone_code, v.aisle_code,
            v.abc_classification, v.pick_sequence, v.total_cubic_feet, v.max_weight_lbs, v.used_cubic_feet, v.used_weight_lbs,
            v.available_cubic_feet, v.available_weight_lbs, v.lot_count, v.material_count, v.unknown_volume_lots,
            v.unknown_weight_lots, v.volume_utilization_pct, v.weight_utilization_pct, v.utilization_status
        FROM unnest(p_locations) AS touched (id)
        CROSS JOIN LATERAL (SELECT * FROM public.bin_utilization_summary s WHERE s.location_id = touched.id OFFSET 0) v
        WHERE NOT EXISTS (SELECT FROM public.bin_utilization_cache c WHERE c.location_id = v.location_id)
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS added = ROW_COUNT;
        PERFORM FROM unnest(p_locations) AS touched (id) JOIN public.bin_utilization_cache c ON c.location_id = touched.id
            ORDER BY c.location_id FOR NO KEY UPDATE OF c;
    END IF;
    UPDATE public.bin_utilization_cache c
    SET (facility_id, location_code, location_type, zone_code, aisle_code, abc_classification, pick_sequence,
            total_cubic_feet, max_weight_lbs, used_cubic_feet, used_weight_lbs, available_cubic_feet, available_weight_lbs,
            lot_count, material_count, unknown_volume_lots, unknown_weight_lots,
            volume_utilization_pct, weight_utilization_pct, utilization_status, last_updated)
        = ROW (v.facility_id, v.location_code, v.location_type, v.zone_code, v.aisle_code, v.abc_classification, v.pick_sequence,
            v.total_cubic_feet, v.max_weight_lbs, v.used_cubic_feet, v.used_weight_lbs, v.available_cubic_feet, v.available_weight_lbs,
            v.lot_count, v.material_count, v.unknown_volume_lots, v.unknown_weight_lots,
            v.volume_utilization_pct, v.weight_utilization_pct, v.utilization_status, now())
    FROM unnest(p_locations) AS touched (id)
    -- OFFSET 0 keeps the planner from computing every bin of a small warehouse to find the few that were touched.
    CROSS JOIN LATERAL (SELECT * FROM public.bin_utilization_summary s WHERE s.location_id = touched.id OFFSET 0) v
    WHERE c.location_id = touched.id
        AND (c.facility_id, c.location_code, c.location_type, c.zone_code, c.aisle_code, c.abc_classification, c.pick_sequence,
            c.total_cubic_feet, c.max_weight_lbs, c.used_cubic_feet, c.used_weight_lbs, c.available_cubic_feet, c.available_weight_lbs,
            c.lot_count, c.material_count, c.unknown_volume_lots, c.unknown_weight_lots,
            c.volume_utilization_pct, c.weight_utilization_pct, c.utilization_status)
        IS DISTINCT FROM (v.facility_id, v.location_code, v.location_type, v.zone_code, v.aisle_code, v.abc_classification, v.pick_sequence,
            v.total_cubic_feet, v.max_weight_lbs, v.used_cubic_feet, v.used_weight_lbs, v.available_cubic_feet, v.available_weight_lbs,
            v.lot_count, v.material_count, v.unknown_volume_lots, v.unknown_weight_lots,
            v.volume_utilization_pct, v.weight_utilization_pct, v.utilization_status);
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN added + changed;
END $$;
REVOKE EXECUTE ON FUNCTION public.recompute_bin_utilization(uuid[]) FROM PUBLIC;

-- Only ever makes a figure right, so it does not matter whose bin it is, and it does not tell.
CREATE FUNCTION public.refresh_bin_utilization_for_location(p_location_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM public.recompute_bin_utilization(ARRAY[p_location_id]);
END $$;
REVOKE EXECUTE ON FUNCTION public.refresh_bin_utilization_for_location(uuid) FROM PUBLIC;

CREATE INDEX idx_pick_lists_status_started ON public.pick_lists (tenant_id, facility_id, started_at) WHERE status = 'IN_PROGRESS';
CREATE INDEX idx_wave_lines_pick_list ON public.wave_lines (tenant_id, pick_list_id);
CREATE INDEX idx_wave_lines_pick_location ON public.wave_lines (tenant_id, pick_location_id);
CREATE INDEX idx_sales_order_lines_material_status ON public.sales_order_lines (tenant_id, material_id)
    WHERE quantity_ordered > quantity_allocated;
CREATE INDEX idx_sales_orders_status_ship_date ON public.sales_orders (tenant_id, facility_id, requested_ship_date)
    WHERE status IN ('RELEASED', 'PICKING');
CREATE INDEX idx_inventory_transactions_material_date ON public.inventory_transactions (tenant_id, material_id, transaction_date)
    WHERE transaction_type = 'ISSUE';

-- Ten points for each pick list at work in the aisle, and up to thirty for how long they have been at it.
CREATE VIEW public.aisle_congestion_metrics WITH (security_invoker = true) AS
SELECT tenant_id, facility_id, aisle_code,
    count(*)::integer AS current_active_picks,
    avg(minutes) AS avg_pick_time_minutes,
    sum(lines)::integer AS active_lines,
    min(started_at) AS earliest_started_at,
    10 * count(*) + LEAST(avg(minutes), 30) AS congestion_score,
    CASE WHEN count(*) >= 5 THEN 'HIGH' WHEN count(*) >= 3 THEN 'MEDIUM' ELSE 'LOW' END AS congestion_level
FROM (
    SELECT p.tenant_id, l.facility_id, l.aisle_code, p.pick_list_id, count(*) AS lines,
        COALESCE(p.started_at, p.assigned_at) AS started_at,
        GREATEST(extract(epoch FROM now() - COALESCE(p.started_at, p.assigned_at)) / 60, 0) AS minutes
    FROM public.pick_lists p
    JOIN public.wave_lines w ON w.tenant_id = p.tenant_id AND w.pick_list_id = p.pick_list_id
    JOIN public.inventory_locations l ON l.tenant_id = w.tenant_id AND l.location_id = w.pick_location_id
    WHERE p.status = 'IN_PROGRESS' AND l.aisle_code IS NOT NULL
    GROUP BY p.tenant_id, l.facility_id, l.aisle_code, p.pick_list_id, p.started_at, p.assigned_at) lists
GROUP BY tenant_id, facility_id, aisle_code;

-- The last 30 days against the 150 before them, per 30 days. A material that stopped moving is down 100 %, not unknown.
CREATE VIEW public.material_velocity_analysis WITH (security_invoker = true) AS
SELECT p.tenant_id, p.facility_id, p.material_id, m.material_code, m.material_name, m.abc_classification,
    p.recent_picks, p.recent_quantity, p.recent_quantity * m.unit_cost AS recent_value,
    p.historical_picks, p.historical_quantity, c.velocity_change_pct,
    c.velocity_change_pct > 100 AS velocity_spike, c.velocity_change_pct < -50 AS velocity_drop
FROM (
    SELECT tenant_id, facility_id, material_id,
        (count(*) FILTER (WHERE transaction_date >= now() - interval '30 days'))::integer AS recent_picks,
        COALESCE(sum(abs(quantity)) FILTER (WHERE transaction_date >= now() - interval '30 days'), 0) AS recent_quantity,
        (count(*) FILTER (WHERE transaction_date < now() - interval '30 days'))::integer AS historical_picks,
        COALESCE(sum(abs(quantity)) FILTER (WHERE transaction_date < now() - interval '30 days'), 0) AS historical_quantity
    FROM public.inventory_transactions
    WHERE transaction_type = 'ISSUE' AND status <> 'REVERSED'
        AND transaction_date >= now() - interval '180 days' AND transaction_date <= now()
    GROUP BY tenant_id, facility_id, material_id) p
JOIN public.materials m ON m.tenant_id = p.tenant_id AND m.material_id = p.material_id AND m.is_active AND m.deleted_at IS NULL
CROSS JOIN LATERAL (
    SELECT CASE WHEN p.historical_picks = 0 THEN 100
        ELSE (p.recent_picks - p.historical_picks / 5.0) / (p.historical_picks / 5.0) * 100 END AS velocity_change_pct) c;

CREATE FUNCTION public.get_bin_optimization_recommendations(p_facility_id uuid, p_limit integer DEFAULT 50)
    RETURNS TABLE (location_id uuid, location_code varchar, recommendation_type text, priority text,
        volume_utilization_pct numeric, lot_count integer, reason text)
    LANGUAGE sql STABLE AS $$
    SELECT c.location_id, c.location_code, r.type, r.priority, c.volume_utilization_pct, c.lot_count, r.reason
    FROM public.bin_utilization_cache c
    CROSS JOIN LATERAL (
        SELECT 'REBALANCE' AS type, 'HIGH' AS priority, 1 AS rank, 'Fuller than 95 %: move stock to a bin with room.' AS reason
        WHERE c.volume_utilization_pct > 95
        UNION ALL
        SELECT 'CONSOLIDATE', 'MEDIUM', 2, 'Less than a quarter full: its stock would fit in another bin.'
        WHERE c.volume_utilization_pct < 25 AND c.lot_count > 0 AND c.unknown_volume_lots = 0) r
    WHERE c.tenant_id = public.current_tenant() AND c.facility_id = p_facility_id
    ORDER BY r.rank, CASE r.rank WHEN 1 THEN -c.volume_utilization_pct ELSE c.volume_utilization_pct END, c.location_code
    LIMIT p_limit $$;

ALTER TABLE public.ml_model_weights ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.bin_utilization_cache ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.ml_model_weights USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.bin_utilization_cache USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'gatehouse_app') THEN
        GRANT SELECT, INSERT, UPDATE ON public.ml_model_weights TO gatehouse_app;
        GRANT SELECT ON public.bin_utilization_cache, public.aisle_congestion_metrics, public.material_velocity_analysis TO gatehouse_app;
        GRANT EXECUTE ON FUNCTION public.refresh_bin_utilization_for_location(uuid) TO gatehouse_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wms_application_role') THEN
        GRANT SELECT, INSERT, UPDATE ON public.ml_model_weights TO wms_application_role;
        GRANT SELECT ON public.bin_utilization_cache, public.aisle_congestion_metrics, public.material_velocity_analysis TO wms_application_role;
        GRANT EXECUTE ON FUNCTION public.refresh_bin_utilization_for_location(uuid) TO wms_application_role;
    END IF;
END $$;
