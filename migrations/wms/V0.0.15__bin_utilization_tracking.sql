-- title: Bin utilization tracking
-- risk: low
-- estimate: 3s
-- reversible: yes
-- locks: materials for an instant; writers of lots wait while one index is built
-- undo loses: velocity figures, recommendations with their decisions, re-slotting history, settings, velocity ranks
-- creates: column public.materials.velocity_rank
-- creates: column public.materials.last_abc_analysis
-- creates: function public.unit_cubic_feet(numeric, numeric, numeric, numeric)
-- creates: function public.bin_utilization_status(numeric, boolean)
-- creates: table public.material_velocity_metrics
-- creates: table public.putaway_recommendations
-- creates: table public.reslotting_history
-- creates: table public.warehouse_optimization_settings
-- creates: view public.bin_utilization_summary
-- creates: index public.idx_lots_location
-- creates: index public.idx_material_velocity_material
-- creates: index public.idx_material_velocity_period
-- creates: index public.idx_material_velocity_abc
-- creates: index public.idx_putaway_rec_material
-- creates: index public.idx_putaway_rec_created
-- creates: index public.idx_putaway_rec_accepted
-- creates: index public.idx_putaway_recommendations_pending
-- creates: index public.idx_putaway_rec_training
-- creates: index public.idx_reslot_material
-- creates: index public.idx_reslot_facility
-- creates: index public.idx_reslot_status
-- creates: index public.idx_reslot_created
--
-- V0.0.17's two columns and two partial indexes of putaway_recommendations are part of it from the start.

ALTER TABLE public.materials
    ADD COLUMN velocity_rank integer,
    ADD COLUMN last_abc_analysis timestamptz;

CREATE INDEX idx_lots_location ON public.lots (location_id, tenant_id);

-- The one volume rule: the measured cubic feet, else width x height x thickness; NULL means nobody knows.
CREATE FUNCTION public.unit_cubic_feet(cubic_feet numeric, width numeric, height numeric, thickness numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN cubic_feet > 0 THEN cubic_feet
                      WHEN width > 0 AND height > 0 AND thickness > 0 THEN width * height * thickness / 1728 END $$;

-- What is known to be too full is too full whatever else is in the bin; short of that, an unknown volume is not called a state.
CREATE FUNCTION public.bin_utilization_status(volume_pct numeric, volume_unknown boolean) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN volume_pct > 95 THEN 'OVERUTILIZED'
                      WHEN volume_unknown THEN 'VOLUME_UNKNOWN'
                      WHEN volume_pct < 30 THEN 'UNDERUTILIZED'
                      WHEN volume_pct BETWEEN 60 AND 85 THEN 'OPTIMAL'
                      ELSE 'NORMAL' END $$;

CREATE TABLE public.material_velocity_metrics (
    tenant_id             uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    metric_id             uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    material_id           uuid NOT NULL,
    period_start          date NOT NULL,
    period_end            date NOT NULL,
    total_picks           integer NOT NULL DEFAULT 0,
    total_quantity_picked numeric(15,4) NOT NULL DEFAULT 0,
    total_value_picked    numeric(15,2) NOT NULL DEFAULT 0,
    abc_classification    char(1),
    velocity_rank         integer,
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz,
    PRIMARY KEY (tenant_id, metric_id),
    CONSTRAINT unique_material_period UNIQUE (tenant_id, material_id, period_start, period_end),
    CONSTRAINT material_velocity_metrics_material FOREIGN KEY (tenant_id, material_id) REFERENCES public.materials ON DELETE CASCADE,
    CONSTRAINT material_velocity_metrics_abc_known CHECK (abc_classification IN ('A', 'B', 'C')),
    CONSTRAINT material_velocity_metrics_period_in_order CHECK (period_end >= period_start),
    CONSTRAINT material_velocity_metrics_not_negative CHECK (total_picks >= 0 AND total_quantity_picked >= 0 AND total_value_picked >= 0)
);
CREATE INDEX idx_material_velocity_material ON public.material_velocity_metrics (tenant_id, material_id);
CREATE INDEX idx_material_velocity_period ON public.material_velocity_metrics (tenant_id, period_start, period_end);
CREATE INDEX idx_material_velocity_abc ON public.material_velocity_metrics (tenant_id, abc_classification);

CREATE TABLE public.putaway_recommendations (
    tenant_id               uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    recommendation_id       uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    facility_id             uuid NOT NULL,
    lot_number              varchar(100) NOT NULL,
    material_id             uuid NOT NULL,
    quantity                numeric(15,4) NOT NULL,
    recommended_location_id uuid NOT NULL,
    algorithm_used          varchar(50) NOT NULL,
    confidence_score        numeric(3,2) NOT NULL, -- no range and two decimals, as it has always been: V0.0.20 puts that right
    ml_adjusted_confidence  numeric(4,3),
    features                jsonb,
    reason                  text,
    accepted                boolean,
    actual_location_id      uuid,
    decided_at              timestamptz,
    decided_by              uuid,
    created_at              timestamptz NOT NULL DEFAULT now(),
    created_by              uuid,
    PRIMARY KEY (tenant_id, recommendation_id),
    CONSTRAINT putaway_recommendations_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT putaway_recommendations_material FOREIGN KEY (tenant_id, material_id) REFERENCES public.materials ON DELETE RESTRICT,
    CONSTRAINT putaway_recommendations_recommended FOREIGN KEY (tenant_id, recommended_location_id)
        REFERENCES public.inventory_locations ON DELETE RESTRICT,
    CONSTRAINT putaway_recommendations_actual FOREIGN KEY (tenant_id, actual_location_id)
        REFERENCES public.inventory_locations ON DELETE RESTRICT,
    CONSTRAINT putaway_recommendations_decided_by FOREIGN KEY (tenant_id, decided_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT putaway_recommendations_created_by FOREIGN KEY (tenant_id, created_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT putaway_recommendations_quantity_positive CHECK (quantity > 0),
    CONSTRAINT putaway_recommendations_ml_confidence_in_range CHECK (ml_adjusted_confidence BETWEEN 0 AND 1),
    CONSTRAINT putaway_recommendations_decided_with_time CHECK ((accepted IS NULL) = (decided_at IS NULL))
);
CREATE INDEX idx_putaway_rec_material ON public.putaway_recommendations (tenant_id, material_id);
CREATE INDEX idx_putaway_rec_created ON public.putaway_recommendations (tenant_id, created_at DESC);
CREATE INDEX idx_putaway_rec_accepted ON public.putaway_recommendations (tenant_id, facility_id, decided_at DESC)
    INCLUDE (accepted) WHERE accepted IS NOT NULL;
CREATE INDEX idx_putaway_recommendations_pending ON public.putaway_recommendations (tenant_id, facility_id, created_at DESC)
    WHERE accepted IS NULL;
CREATE INDEX idx_putaway_rec_training ON public.putaway_recommendations (tenant_id, decided_at DESC)
    INCLUDE (accepted) WHERE decided_at IS NOT NULL;

CREATE TABLE public.reslotting_history (
    tenant_id                 uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    reslot_id                 uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    facility_id               uuid NOT NULL,
    material_id               uuid NOT NULL,
    lot_number                varchar(100),
    quantity                  numeric(15,4) NOT NULL,
    from_location_id          uuid NOT NULL,
    to_location_id            uuid NOT NULL,
    reslot_type               varchar(20) NOT NULL,
    reason                    text,
    velocity_change           numeric(12,2),
    estimated_efficiency_gain numeric(5,2),
    actual_efficiency_gain    numeric(5,2),
    status                    varchar(20) NOT NULL DEFAULT 'PENDING',
    executed_at               timestamptz,
    executed_by               uuid,
    created_at                timestamptz NOT NULL DEFAULT now(),
    created_by                uuid,
    PRIMARY KEY (tenant_id, reslot_id),
    CONSTRAINT reslotting_history_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT reslotting_history_material FOREIGN KEY (tenant_id, material_id) REFERENCES public.materials ON DELETE RESTRICT,
    CONSTRAINT reslotting_history_from FOREIGN KEY (tenant_id, from_location_id) REFERENCES public.inventory_locations ON DELETE RESTRICT,
    CONSTRAINT reslotting_history_to FOREIGN KEY (tenant_id, to_location_id) REFERENCES public.inventory_locations ON DELETE RESTRICT,
    CONSTRAINT reslotting_history_executed_by FOREIGN KEY (tenant_id, executed_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT reslotting_history_created_by FOREIGN KEY (tenant_id, created_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT reslotting_history_quantity_positive CHECK (quantity > 0),
    CONSTRAINT reslotting_history_moves CHECK (from_location_id <> to_location_id),
    CONSTRAINT reslotting_history_type_known CHECK (reslot_type IN ('CONSOLIDATE', 'REBALANCE', 'RELOCATE', 'ABC_CHANGE')),
    CONSTRAINT reslotting_history_status_known CHECK (status IN ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED'))
);
CREATE INDEX idx_reslot_material ON public.reslotting_history (tenant_id, material_id);
CREATE INDEX idx_reslot_facility ON public.reslotting_history (tenant_id, facility_id);
CREATE INDEX idx_reslot_status ON public.reslotting_history (tenant_id, status);
CREATE INDEX idx_reslot_created ON public.reslotting_history (tenant_id, created_at DESC);

-- A setting without facility holds for the whole tenant, and there can be only one such: NULLS NOT DISTINCT.
CREATE TABLE public.warehouse_optimization_settings (
    tenant_id           uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    setting_id          uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    facility_id         uuid,
    setting_key         varchar(100) NOT NULL,
    setting_value       numeric(14,6) NOT NULL,
    setting_description text,
    version             integer NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz,
    updated_by          uuid,
    PRIMARY KEY (tenant_id, setting_id),
    CONSTRAINT warehouse_optimization_settings_key_once UNIQUE NULLS NOT DISTINCT (tenant_id, facility_id, setting_key),
    CONSTRAINT warehouse_optimization_settings_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT warehouse_optimization_settings_updated_by FOREIGN KEY (tenant_id, updated_by) REFERENCES public.users ON DELETE RESTRICT
);
INSERT INTO public.warehouse_optimization_settings (tenant_id, setting_key, setting_value, setting_description)
SELECT t.tenant_id, d.key, d.value, d.description
FROM public.tenants t
CROSS JOIN (VALUES
    ('OPTIMAL_UTILIZATION_PCT', 80, 'Fill level to aim at, in percent of a bin''s volume'),
    ('UNDERUTILIZED_THRESHOLD_PCT', 30, 'Below this a bin counts as underutilized'),
    ('OVERUTILIZED_THRESHOLD_PCT', 95, 'Above this a bin counts as overutilized'),
    ('ABC_A_CUTOFF_PCT', 40, 'Materials within this share of picks are class A'),
    ('ABC_C_CUTOFF_PCT', 80, 'Materials beyond this share of picks are class C')) AS d (key, value, description);

-- One row per active bin. All stock that is physically there counts, whatever its quality status; a deleted lot does not.
-- Lots and materials are found by location_id and material_id alone: the composite keys see to the tenant, and with
-- tenant_id in the condition a plan made while the tables are empty may pick an index that knows only the tenant.
CREATE VIEW public.bin_utilization_summary WITH (security_invoker = true) AS
SELECT l.tenant_id, l.facility_id, l.location_id, l.location_code, l.location_type, l.zone_code, l.aisle_code,
    l.abc_classification, l.pick_sequence,
    capacity.cubic_feet AS total_cubic_feet, capacity.weight_lbs AS max_weight_lbs,
    stock.used_cubic_feet, stock.used_weight_lbs,
    capacity.cubic_feet - stock.used_cubic_feet AS available_cubic_feet,
    capacity.weight_lbs - stock.used_weight_lbs AS available_weight_lbs,
    stock.lot_count, stock.material_count, stock.unknown_volume_lots, stock.unknown_weight_lots,
    fill.volume_pct AS volume_utilization_pct, fill.weight_pct AS weight_utilization_pct,
    public.bin_utilization_status(fill.volume_pct, stock.unknown_volume_lots > 0 OR capacity.cubic_feet = 0) AS utilization_status
FROM public.inventory_locations l
CROSS JOIN LATERAL (SELECT COALESCE(l.cubic_feet, 0) AS cubic_feet, COALESCE(l.max_weight_lbs, 0) AS weight_lbs) capacity
CROSS JOIN LATERAL (
    SELECT round(COALESCE(sum(o.quantity_on_hand * u.cubic_feet), 0), 4) AS used_cubic_feet,
        round(COALESCE(sum(o.quantity_on_hand * m.weight_lbs_per_unit), 0), 4) AS used_weight_lbs,
        count(*)::integer AS lot_count,
        count(DISTINCT o.material_id)::integer AS material_count,
        (count(*) FILTER (WHERE u.cubic_feet IS NULL))::integer AS unknown_volume_lots,
        (count(*) FILTER (WHERE m.weight_lbs_per_unit > 0 IS NOT TRUE))::integer AS unknown_weight_lots
    FROM public.lots o
    JOIN public.materials m ON m.material_id = o.material_id
    CROSS JOIN LATERAL (SELECT public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) AS cubic_feet) u
    WHERE o.location_id = l.location_id AND o.deleted_at IS NULL AND o.quantity_on_hand > 0) stock
CROSS JOIN LATERAL (
    SELECT CASE WHEN capacity.cubic_feet > 0 THEN round(stock.used_cubic_feet * 100 / capacity.cubic_feet, 4) ELSE 0 END AS volume_pct,
        CASE WHEN capacity.weight_lbs > 0 THEN round(stock.used_weight_lbs * 100 / capacity.weight_lbs, 4) ELSE 0 END AS weight_pct
    OFFSET 0) fill -- or the planner repeats the division wherever a percentage is used
WHERE l.is_active AND l.deleted_at IS NULL;

ALTER TABLE public.material_velocity_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.putaway_recommendations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.reslotting_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.warehouse_optimization_settings ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.material_velocity_metrics USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.putaway_recommendations USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.reslotting_history USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.warehouse_optimization_settings USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'gatehouse_app') THEN
        GRANT SELECT, INSERT, UPDATE ON public.material_velocity_metrics, public.putaway_recommendations,
            public.reslotting_history, public.warehouse_optimization_settings TO gatehouse_app;
        GRANT DELETE ON public.warehouse_optimization_settings TO gatehouse_app;
        GRANT SELECT ON public.bin_utilization_summary TO gatehouse_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wms_application_role') THEN
        GRANT SELECT, INSERT, UPDATE ON public.material_velocity_metrics, public.putaway_recommendations,
            public.reslotting_history, public.warehouse_optimization_settings TO wms_application_role;
        GRANT SELECT ON public.bin_utilization_summary TO wms_application_role;
    END IF;
END $$;
