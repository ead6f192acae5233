-- title: Data quality fixes and monitoring
-- risk: medium
-- estimate: 8s
-- reversible: yes
-- locks: nobody reads or writes putaway_recommendations while the table is rewritten
-- undo loses: dimension verifications, capacity failures, cross-dock cancellations and the remediation log; confidence scores are rounded to two decimals (0.875 becomes 0.88)
-- changes: column public.putaway_recommendations.confidence_score numeric(4,3)
-- creates: constraint public.putaway_recommendations.chk_confidence_score_range
-- creates: table public.material_dimension_verifications
-- creates: table public.capacity_validation_failures
-- creates: table public.cross_dock_cancellations
-- creates: table public.bin_optimization_remediation_log
-- creates: matview public.bin_optimization_data_quality
-- creates: view public.bin_optimization_data_quality_for_tenant
-- creates: function public.calculate_dimension_variance(numeric, numeric)
-- creates: function public.refresh_bin_optimization_view(text)
-- creates: index public.idx_dim_verifications_material
-- creates: index public.idx_dim_verifications_facility
-- creates: index public.idx_dim_verifications_status
-- creates: index public.idx_dim_verifications_tenant
-- creates: index public.idx_dim_verifications_variance_exceeded
-- creates: index public.idx_capacity_failures_location
-- creates: index public.idx_capacity_failures_material
-- creates: index public.idx_capacity_failures_tenant
-- creates: index public.idx_capacity_failures_unresolved
-- creates: index public.idx_capacity_failures_type
-- creates: index public.idx_capacity_failures_created
-- creates: index public.idx_crossdock_cancel_material
-- creates: index public.idx_crossdock_cancel_lot
-- creates: index public.idx_crossdock_cancel_tenant
-- creates: index public.idx_crossdock_cancel_pending
-- creates: index public.idx_remediation_log_tenant
-- creates: index public.idx_remediation_log_check_type
-- creates: index public.idx_remediation_log_created
-- creates: index public.idx_remediation_log_failed
-- creates: index public.bin_optimization_data_quality_key

-- A score outside 0 to 1 must be looked at by a person: which of the writer and the score is wrong, the migration cannot know.
DO $$
DECLARE
    offending bigint;
    named text;
BEGIN
    SELECT count(*), string_agg(recommendation_id || ' (' || confidence_score || ')', ', ' ORDER BY recommendation_id)
        FILTER (WHERE place <= 20)
    INTO offending, named
    FROM (SELECT recommendation_id, confidence_score, row_number() OVER (ORDER BY recommendation_id) AS place
        FROM public.putaway_recommendations WHERE confidence_score < 0 OR confidence_score > 1) o;
    IF offending > 0 THEN
        RAISE EXCEPTION '% putaway recommendation(s) have a confidence score outside 0 to 1: %', offending,
            named || CASE WHEN offending > 20 THEN ' and ' || offending - 20 || ' more' ELSE '' END
            USING ERRCODE = 'check_violation', SCHEMA = 'public', TABLE = 'putaway_recommendations', COLUMN = 'confidence_score',
                CONSTRAINT = 'chk_confidence_score_range',
                HINT = 'Nothing was changed. Correct these rows, or have them corrected by whoever wrote them, and apply the migration again.';
    END IF;
END $$;

ALTER TABLE public.putaway_recommendations ALTER COLUMN confidence_score TYPE numeric(4,3);
ALTER TABLE public.putaway_recommendations
    ADD CONSTRAINT chk_confidence_score_range CHECK (confidence_score >= 0 AND confidence_score <= 1) NOT VALID;
ALTER TABLE public.putaway_recommendations VALIDATE CONSTRAINT chk_confidence_score_range;

CREATE TABLE public.material_dimension_verifications (
    tenant_id                   uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    verification_id             uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    material_id                 uuid NOT NULL,
    facility_id                 uuid NOT NULL,
    master_cubic_feet           numeric(10,4),
    master_weight_lbs           numeric(10,4),
    master_width_inches         numeric(10,4),
    master_height_inches        numeric(10,4),
    master_thickness_inches     numeric(10,4),
    measured_cubic_feet         numeric(10,4) NOT NULL,
    measured_weight_lbs         numeric(10,4) NOT NULL,
    measured_width_inches       numeric(10,4),
    measured_height_inches      numeric(10,4),
    measured_thickness_inches   numeric(10,4),
    cubic_feet_variance_pct     numeric(6,2), -- NULL where there was no master value to compare with
    weight_variance_pct         numeric(6,2),
    variance_out_of_range       boolean NOT NULL DEFAULT false, -- beyond +-9999.99 and stored as that
    first_measurement           boolean NOT NULL DEFAULT false,
    verification_status         varchar(20) NOT NULL,
    variance_threshold_exceeded boolean NOT NULL DEFAULT false,
    auto_updated_master_data    boolean NOT NULL DEFAULT false,
    verified_by                 uuid NOT NULL,
    verified_at                 timestamptz NOT NULL DEFAULT now(),
    notes                       text,
    created_at                  timestamptz NOT NULL DEFAULT now(),
    created_by                  uuid,
    PRIMARY KEY (tenant_id, verification_id),
    CONSTRAINT material_dimension_verifications_material FOREIGN KEY (tenant_id, material_id) REFERENCES public.materials ON DELETE RESTRICT,
    CONSTRAINT material_dimension_verifications_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT material_dimension_verifications_verified_by FOREIGN KEY (tenant_id, verified_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT material_dimension_verifications_created_by FOREIGN KEY (tenant_id, created_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT material_dimension_verifications_status_known CHECK (verification_status IN
        ('VERIFIED', 'VARIANCE_DETECTED', 'MASTER_DATA_UPDATED')),
    CONSTRAINT material_dimension_verifications_volume_in_range CHECK (measured_cubic_feet > 0 AND measured_cubic_feet <= 10000),
    CONSTRAINT material_dimension_verifications_weight_in_range CHECK (measured_weight_lbs > 0 AND measured_weight_lbs <= 50000),
    CONSTRAINT material_dimension_verifications_inches_positive CHECK (measured_width_inches > 0
        AND measured_height_inches > 0 AND measured_thickness_inches > 0),
    CONSTRAINT material_dimension_verifications_variance_shows CHECK
        (variance_threshold_exceeded = (verification_status = 'VARIANCE_DETECTED')),
    CONSTRAINT material_dimension_verifications_update_shows CHECK
        (NOT auto_updated_master_data OR verification_status = 'MASTER_DATA_UPDATED')
);
CREATE INDEX idx_dim_verifications_material ON public.material_dimension_verifications (tenant_id, material_id, facility_id, verified_at DESC);
CREATE INDEX idx_dim_verifications_facility ON public.material_dimension_verifications (tenant_id, facility_id, verified_at DESC);
CREATE INDEX idx_dim_verifications_status ON public.material_dimension_verifications (tenant_id, verification_status, verified_at DESC);
CREATE INDEX idx_dim_verifications_tenant ON public.material_dimension_verifications (tenant_id, verified_at DESC);
CREATE INDEX idx_dim_verifications_variance_exceeded ON public.material_dimension_verifications (tenant_id, verified_at DESC)
    WHERE variance_threshold_exceeded;

CREATE TABLE public.capacity_validation_failures (
    tenant_id               uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    failure_id              uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_id             uuid NOT NULL,
    location_id             uuid NOT NULL,
    material_id             uuid NOT NULL,
    lot_number              varchar(100) NOT NULL,
    required_cubic_feet     numeric(10,4) NOT NULL,
    available_cubic_feet    numeric(10,4) NOT NULL,
    required_weight_lbs     numeric(10,4) NOT NULL,
    available_weight_lbs    numeric(10,4) NOT NULL,
    failure_type            varchar(30) NOT NULL,
    severity                varchar(10) NOT NULL,
    cubic_feet_overflow_pct numeric(6,2), -- NULL where the bin had no room at all
    weight_overflow_pct     numeric(6,2),
    occurrences             integer NOT NULL DEFAULT 1,
    last_seen_at            timestamptz NOT NULL DEFAULT now(),
    recommendation_id       uuid,
    putaway_user_id         uuid,
    alert_sent              boolean NOT NULL DEFAULT false,
    alert_sent_at           timestamptz,
    alert_attempts          integer NOT NULL DEFAULT 0,
    alert_last_error        text,
    resolved                boolean NOT NULL DEFAULT false,
    resolved_at             timestamptz,
    resolved_by             uuid,
    resolution_code         varchar(30),
    resolution_notes        text,
    version                 integer NOT NULL DEFAULT 1,
    created_at              timestamptz NOT NULL DEFAULT now(),
    created_by              uuid,
    PRIMARY KEY (tenant_id, failure_id),
    CONSTRAINT capacity_validation_failures_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT capacity_validation_failures_location FOREIGN KEY (tenant_id, location_id) REFERENCES public.inventory_locations ON DELETE RESTRICT,
    CONSTRAINT capacity_validation_failures_material FOREIGN KEY (tenant_id, material_id) REFERENCES public.materials ON DELETE RESTRICT,
    CONSTRAINT capacity_validation_failures_recommendation FOREIGN KEY (tenant_id, recommendation_id)
        REFERENCES public.putaway_recommendations ON DELETE SET NULL (recommendation_id),
    CONSTRAINT capacity_validation_failures_putaway_user FOREIGN KEY (tenant_id, putaway_user_id) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT capacity_validation_failures_resolved_by FOREIGN KEY (tenant_id, resolved_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT capacity_validation_failures_created_by FOREIGN KEY (tenant_id, created_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT capacity_validation_failures_type_known CHECK (failure_type IN ('CUBIC_FEET_EXCEEDED', 'WEIGHT_EXCEEDED', 'BOTH_EXCEEDED')),
    CONSTRAINT capacity_validation_failures_type_true CHECK (CASE failure_type
        WHEN 'CUBIC_FEET_EXCEEDED' THEN required_cubic_feet > available_cubic_feet AND required_weight_lbs <= available_weight_lbs
        WHEN 'WEIGHT_EXCEEDED' THEN required_weight_lbs > available_weight_lbs AND required_cubic_feet <= available_cubic_feet
        ELSE required_cubic_feet > available_cubic_feet AND required_weight_lbs > available_weight_lbs END),
    CONSTRAINT capacity_validation_failures_severity_known CHECK (severity IN ('INFO', 'WARNING', 'CRITICAL')),
    CONSTRAINT capacity_validation_failures_overflow_not_negative CHECK (cubic_feet_overflow_pct >= 0 AND weight_overflow_pct >= 0),
    CONSTRAINT capacity_validation_failures_occurrences_positive CHECK (occurrences > 0 AND alert_attempts >= 0),
    CONSTRAINT capacity_validation_failures_alert_with_time CHECK (alert_sent = (alert_sent_at IS NOT NULL)),
    CONSTRAINT capacity_validation_failures_code_known CHECK (resolution_code IN
        ('MASTER_DATA_CORRECTED', 'BIN_CAPACITY_CORRECTED', 'STOCK_MOVED', 'FALSE_ALARM', 'OTHER')),
    CONSTRAINT capacity_validation_failures_resolved_whole CHECK (resolved = (resolved_at IS NOT NULL)
        AND resolved = (resolved_by IS NOT NULL) AND resolved = (resolution_code IS NOT NULL)
        AND (NOT resolved OR length(resolution_notes) >= 10 IS TRUE))
);
CREATE INDEX idx_capacity_failures_location ON public.capacity_validation_failures (tenant_id, location_id);
CREATE INDEX idx_capacity_failures_material ON public.capacity_validation_failures (tenant_id, material_id);
CREATE INDEX idx_capacity_failures_tenant ON public.capacity_validation_failures (tenant_id, facility_id, created_at DESC);
CREATE INDEX idx_capacity_failures_unresolved ON public.capacity_validation_failures (tenant_id, facility_id, created_at DESC)
    WHERE NOT resolved;
CREATE INDEX idx_capacity_failures_type ON public.capacity_validation_failures (tenant_id, failure_type);
CREATE INDEX idx_capacity_failures_created ON public.capacity_validation_failures (tenant_id, created_at DESC);

CREATE TABLE public.cross_dock_cancellations (
    tenant_id                    uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    cancellation_id              uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_id                  uuid NOT NULL,
    material_id                  uuid NOT NULL,
    lot_number                   varchar(100) NOT NULL,
    original_recommendation_id   uuid,
    original_staging_location_id uuid,
    original_sales_order_id      uuid,
    cancellation_reason          varchar(50) NOT NULL,
    new_recommended_location_id  uuid, -- NULL: awaiting a location
    new_recommendation_id        uuid,
    actual_location_id           uuid,
    relocation_completed         boolean NOT NULL DEFAULT false,
    relocation_completed_at      timestamptz,
    relocation_completed_by      uuid,
    cancelled_at                 timestamptz NOT NULL DEFAULT now(),
    cancelled_by                 uuid NOT NULL,
    notes                        text,
    version                      integer NOT NULL DEFAULT 1,
    created_at                   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, cancellation_id),
    CONSTRAINT cross_dock_cancellations_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT cross_dock_cancellations_material FOREIGN KEY (tenant_id, material_id) REFERENCES public.materials ON DELETE RESTRICT,
    CONSTRAINT cross_dock_cancellations_lot FOREIGN KEY (tenant_id, facility_id, lot_number)
        REFERENCES public.lots (tenant_id, facility_id, lot_number) ON DELETE RESTRICT,
    CONSTRAINT cross_dock_cancellations_original FOREIGN KEY (tenant_id, original_recommendation_id)
        REFERENCES public.putaway_recommendations ON DELETE SET NULL (original_recommendation_id),
    CONSTRAINT cross_dock_cancellations_staging FOREIGN KEY (tenant_id, original_staging_location_id)
        REFERENCES public.inventory_locations ON DELETE RESTRICT,
    CONSTRAINT cross_dock_cancellations_order FOREIGN KEY (tenant_id, original_sales_order_id) REFERENCES public.sales_orders ON DELETE RESTRICT,
    CONSTRAINT cross_dock_cancellations_new_location FOREIGN KEY (tenant_id, new_recommended_location_id)
        REFERENCES public.inventory_locations ON DELETE RESTRICT,
    CONSTRAINT cross_dock_cancellations_new FOREIGN KEY (tenant_id, new_recommendation_id)
        REFERENCES public.putaway_recommendations ON DELETE SET NULL (new_recommendation_id),
    CONSTRAINT cross_dock_cancellations_actual FOREIGN KEY (tenant_id, actual_location_id) REFERENCES public.inventory_locations ON DELETE RESTRICT,
    CONSTRAINT cross_dock_cancellations_completed_by FOREIGN KEY (tenant_id, relocation_completed_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT cross_dock_cancellations_cancelled_by FOREIGN KEY (tenant_id, cancelled_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT cross_dock_cancellations_reason_known CHECK (cancellation_reason IN
        ('ORDER_CANCELLED', 'ORDER_DELAYED', 'QUANTITY_MISMATCH', 'MATERIAL_QUALITY_ISSUE', 'MANUAL_OVERRIDE')),
    CONSTRAINT cross_dock_cancellations_completed_whole CHECK (relocation_completed = (relocation_completed_at IS NOT NULL)
        AND relocation_completed = (relocation_completed_by IS NOT NULL) AND relocation_completed = (actual_location_id IS NOT NULL))
);
CREATE INDEX idx_crossdock_cancel_material ON public.cross_dock_cancellations (tenant_id, material_id);
CREATE INDEX idx_crossdock_cancel_lot ON public.cross_dock_cancellations (tenant_id, facility_id, lot_number);
CREATE INDEX idx_crossdock_cancel_tenant ON public.cross_dock_cancellations (tenant_id, facility_id, cancelled_at DESC);
-- One open cancellation a lot.
CREATE UNIQUE INDEX idx_crossdock_cancel_pending ON public.cross_dock_cancellations (tenant_id, facility_id, lot_number)
    WHERE NOT relocation_completed;

-- Rows without tenant are about the whole system (a reconciliation serves every tenant); no tenant sees them.
CREATE TABLE public.bin_optimization_remediation_log (
    remediation_id           uuid PRIMARY KEY DEFAULT public.uuid_generate_v7(),
    tenant_id                uuid REFERENCES public.tenants ON DELETE RESTRICT,
    facility_id              uuid,
    health_check_type        varchar(50) NOT NULL,
    health_status            varchar(20) NOT NULL,
    remediation_action       varchar(50) NOT NULL,
    action_successful        boolean NOT NULL,
    pre_action_metric_value  numeric(14,4),
    post_action_metric_value numeric(14,4),
    improvement_pct          numeric(6,2),
    error_message            text,
    execution_time_ms        integer,
    triggered_by             varchar(10) NOT NULL,
    triggered_by_user_id     uuid,
    created_at               timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bin_optimization_remediation_log_once UNIQUE (tenant_id, remediation_id),
    CONSTRAINT bin_optimization_remediation_log_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_remediation_log_user FOREIGN KEY (tenant_id, triggered_by_user_id) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_remediation_log_facility_has_tenant CHECK (facility_id IS NULL OR tenant_id IS NOT NULL),
    CONSTRAINT bin_optimization_remediation_log_check_known CHECK (health_check_type IN
        ('MATERIALIZED_VIEW_FRESHNESS', 'ML_MODEL_ACCURACY', 'CONGESTION_CACHE', 'DB_PERFORMANCE', 'ALGORITHM_PERFORMANCE')),
    CONSTRAINT bin_optimization_remediation_log_status_known CHECK (health_status IN ('HEALTHY', 'DEGRADED', 'UNHEALTHY')),
    CONSTRAINT bin_optimization_remediation_log_action_known CHECK (remediation_action IN
        ('CACHE_REFRESHED', 'ML_RETRAINING_SCHEDULED', 'CONGESTION_CACHE_CLEARED', 'INDEX_REBUILT', 'DEVOPS_ALERTED')),
    CONSTRAINT bin_optimization_remediation_log_trigger_known CHECK (triggered_by IN ('SCHEDULER', 'USER')),
    CONSTRAINT bin_optimization_remediation_log_user_named CHECK (triggered_by = 'SCHEDULER' OR triggered_by_user_id IS NOT NULL),
    CONSTRAINT bin_optimization_remediation_log_failure_told CHECK (action_successful OR error_message IS NOT NULL),
    CONSTRAINT bin_optimization_remediation_log_time_not_negative CHECK (execution_time_ms >= 0)
);
CREATE INDEX idx_remediation_log_tenant ON public.bin_optimization_remediation_log (tenant_id, facility_id, created_at DESC);
CREATE INDEX idx_remediation_log_check_type ON public.bin_optimization_remediation_log (tenant_id, health_check_type, created_at DESC);
CREATE INDEX idx_remediation_log_created ON public.bin_optimization_remediation_log (created_at DESC);
CREATE INDEX idx_remediation_log_failed ON public.bin_optimization_remediation_log (tenant_id, created_at DESC) WHERE NOT action_successful;

ALTER TABLE public.material_dimension_verifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.capacity_validation_failures ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.cross_dock_cancellations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.bin_optimization_remediation_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.material_dimension_verifications USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.capacity_validation_failures USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.cross_dock_cancellations USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.bin_optimization_remediation_log USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());

-- NULL where there is nothing to compare with, and never beyond what numeric(6,2) holds. LEAST and GREATEST pass over
-- NULL, so they must not see one.
CREATE FUNCTION public.calculate_dimension_variance(p_master numeric, p_measured numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN p_master <> 0 AND p_measured IS NOT NULL
        THEN LEAST(GREATEST((p_measured - p_master) / p_master * 100, -9999.99), 9999.99)::numeric(6,2) END $$;

-- Each source is added up on its own before it is joined, so rows cannot multiply. Averages are over the latest
-- verification of each material and leave out those that had nothing to compare with.
CREATE MATERIALIZED VIEW public.bin_optimization_data_quality AS
SELECT f.tenant_id, f.facility_id, f.facility_name,
    COALESCE(v.materials_verified_count, 0) AS materials_verified_count,
    COALESCE(v.materials_with_variance, 0) AS materials_with_variance,
    v.avg_cubic_feet_variance_pct, v.avg_weight_variance_pct,
    COALESCE(c.capacity_failures_count, 0) AS capacity_failures_count,
    COALESCE(c.unresolved_failures_count, 0) AS unresolved_failures_count,
    COALESCE(x.crossdock_cancellations_count, 0) AS crossdock_cancellations_count,
    COALESCE(x.pending_relocations_count, 0) AS pending_relocations_count,
    COALESCE(r.auto_remediation_count, 0) AS auto_remediation_count,
    COALESCE(r.failed_remediation_count, 0) AS failed_remediation_count,
    now() AS as_of
FROM public.facilities f
JOIN public.tenants t ON t.tenant_id = f.tenant_id AND t.is_current AND t.deleted_at IS NULL
LEFT JOIN (
    SELECT tenant_id, facility_id,
        count(*) FILTER (WHERE verification_status <> 'VARIANCE_DETECTED') AS materials_verified_count,
        count(*) FILTER (WHERE verification_status = 'VARIANCE_DETECTED') AS materials_with_variance,
        avg(abs(cubic_feet_variance_pct)) AS avg_cubic_feet_variance_pct,
        avg(abs(weight_variance_pct)) AS avg_weight_variance_pct
    FROM (SELECT DISTINCT ON (tenant_id, facility_id, material_id) tenant_id, facility_id, verification_status,
            cubic_feet_variance_pct, weight_variance_pct
        FROM public.material_dimension_verifications
        ORDER BY tenant_id, facility_id, material_id, verified_at DESC, verification_id DESC) latest
    GROUP BY tenant_id, facility_id) v ON v.tenant_id = f.tenant_id AND v.facility_id = f.facility_id
LEFT JOIN (
    SELECT tenant_id, facility_id, count(*) AS capacity_failures_count,
        count(*) FILTER (WHERE NOT resolved) AS unresolved_failures_count
    FROM public.capacity_validation_failures
    GROUP BY tenant_id, facility_id) c ON c.tenant_id = f.tenant_id AND c.facility_id = f.facility_id
LEFT JOIN (
    SELECT tenant_id, facility_id, count(*) AS crossdock_cancellations_count,
        count(*) FILTER (WHERE NOT relocation_completed) AS pending_relocations_count
    FROM public.cross_dock_cancellations
    GROUP BY tenant_id, facility_id) x ON x.tenant_id = f.tenant_id AND x.facility_id = f.facility_id
LEFT JOIN (
    SELECT tenant_id, facility_id, count(*) AS auto_remediation_count,
        count(*) FILTER (WHERE NOT action_successful) AS failed_remediation_count
    FROM public.bin_optimization_remediation_log
    GROUP BY tenant_id, facility_id) r ON r.tenant_id = f.tenant_id AND r.facility_id = f.facility_id
WHERE f.is_current AND f.is_active AND f.deleted_at IS NULL;
CREATE UNIQUE INDEX bin_optimization_data_quality_key ON public.bin_optimization_data_quality (tenant_id, facility_id);

-- A materialized view knows no row level security, so nobody but the owner reads it; a tenant reads this.
CREATE VIEW public.bin_optimization_data_quality_for_tenant WITH (security_barrier = true) AS
SELECT tenant_id, facility_id, facility_name, materials_verified_count, materials_with_variance, avg_cubic_feet_variance_pct,
    avg_weight_variance_pct, capacity_failures_count, unresolved_failures_count, crossdock_cancellations_count,
    pending_relocations_count, auto_remediation_count, failed_remediation_count, as_of
FROM public.bin_optimization_data_quality
WHERE tenant_id = public.current_tenant();

INSERT INTO public.cache_refresh_status (cache_name, last_refresh_at, refresh_count, last_attempt_at, last_outcome)
VALUES ('bin_optimization_data_quality', now(), 1, now(), 'SUCCESS');

-- Like reconcile_bin_utilization: one at a time, and the outcome is a value and a row, never an exception.
CREATE FUNCTION public.refresh_bin_optimization_view(p_view text)
    RETURNS TABLE (outcome text, duration_ms integer, error text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    started timestamptz := clock_timestamp();
    filled boolean;
BEGIN
    IF p_view IS DISTINCT FROM 'bin_optimization_data_quality' THEN
        RAISE EXCEPTION 'There is no materialized view % to refresh.', p_view USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT pg_try_advisory_xact_lock(hashtext('public.' || p_view)) THEN
        RETURN QUERY SELECT 'BUSY'::text, NULL::integer, 'Another refresh of this view is running.'::text;
        RETURN;
    END IF;
    BEGIN
        -- Restored without data, a view can only be filled the plain way once; after that readers need not wait.
        SELECT relispopulated INTO filled FROM pg_class WHERE oid = to_regclass('public.' || p_view);
        IF filled THEN
            REFRESH MATERIALIZED VIEW CONCURRENTLY public.bin_optimization_data_quality;
        ELSE
            REFRESH MATERIALIZED VIEW public.bin_optimization_data_quality;
        END IF;
        outcome := 'SUCCESS';
    EXCEPTION WHEN query_canceled OR OTHERS THEN
        outcome := 'FAILURE';
        error := SQLERRM;
    END;
    duration_ms := ceil(extract(epoch FROM clock_timestamp() - started) * 1000);
    IF outcome = 'SUCCESS' THEN
        UPDATE public.cache_refresh_status
        SET last_refresh_at = started, last_refresh_duration_ms = duration_ms, refresh_count = refresh_count + 1,
            last_attempt_at = started, last_outcome = outcome, dirty_since = NULL, updated_at = clock_timestamp()
        WHERE cache_name = p_view;
    ELSE
        UPDATE public.cache_refresh_status
        SET last_attempt_at = started, last_outcome = outcome, last_error = error, last_error_at = clock_timestamp(),
            updated_at = clock_timestamp()
        WHERE cache_name = p_view;
    END IF;
    RETURN NEXT;
END $$;
REVOKE EXECUTE ON FUNCTION public.refresh_bin_optimization_view(text) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'gatehouse_app') THEN
        GRANT SELECT, INSERT ON public.material_dimension_verifications, public.capacity_validation_failures,
            public.cross_dock_cancellations, public.bin_optimization_remediation_log TO gatehouse_app;
        GRANT UPDATE (occurrences, last_seen_at, alert_sent, alert_sent_at, alert_attempts, alert_last_error, resolved, resolved_at,
            resolved_by, resolution_code, resolution_notes, version) ON public.capacity_validation_failures TO gatehouse_app;
        GRANT UPDATE (new_recommended_location_id, new_recommendation_id, actual_location_id, relocation_completed,
            relocation_completed_at, relocation_completed_by, notes, version) ON public.cross_dock_cancellations TO gatehouse_app;
        GRANT SELECT ON public.bin_optimization_data_quality_for_tenant TO gatehouse_app;
        GRANT EXECUTE ON FUNCTION public.refresh_bin_optimization_view(text) TO gatehouse_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wms_application_role') THEN
        GRANT SELECT, INSERT, UPDATE ON public.material_dimension_verifications, public.capacity_validation_failures,
            public.cross_dock_cancellations TO wms_application_role;
        GRANT SELECT, INSERT ON public.bin_optimization_remediation_log TO wms_application_role;
        GRANT SELECT ON public.bin_optimization_data_quality_for_tenant TO wms_application_role;
    END IF;
END $$;
