-- title: Statistical analysis framework
-- risk: low
-- estimate: 12s
-- reversible: yes
-- locks: none that matter; it only makes new objects
-- undo loses: every metric, A/B test, correlation, validation and outlier with its investigation, and the two trend thresholds
-- changes: function public.refresh_bin_optimization_view(text)
-- creates: table public.bin_optimization_statistical_metrics
-- creates: table public.bin_optimization_ab_test_results
-- creates: table public.bin_optimization_correlation_analysis
-- creates: table public.bin_optimization_statistical_validations
-- creates: table public.bin_optimization_outliers
-- creates: matview public.bin_optimization_statistical_summary
-- creates: view public.bin_optimization_statistical_summary_for_tenant
-- creates: index public.idx_stat_metrics_tenant_facility
-- creates: index public.idx_stat_metrics_timestamp
-- creates: index public.idx_stat_metrics_period
-- creates: index public.idx_stat_metrics_algorithm
-- creates: index public.idx_ab_test_tenant_facility
-- creates: index public.idx_ab_test_status
-- creates: index public.idx_ab_test_dates
-- creates: index public.idx_correlation_tenant_facility
-- creates: index public.idx_correlation_date
-- creates: index public.idx_correlation_features
-- creates: index public.idx_validation_tenant_facility
-- creates: index public.idx_validation_timestamp
-- creates: index public.idx_validation_type
-- creates: index public.idx_outliers_tenant_facility
-- creates: index public.idx_outliers_timestamp
-- creates: index public.idx_outliers_severity
-- creates: index public.idx_outliers_investigation
-- creates: index public.idx_outliers_open_once
-- creates: index public.idx_stat_summary_tenant_facility
-- creates: index public.idx_stat_summary_last_update

CREATE TABLE public.bin_optimization_statistical_metrics (
    tenant_id                      uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    metric_id                      uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_id                    uuid NOT NULL,
    measurement_timestamp          timestamptz NOT NULL DEFAULT now(),
    measurement_period_start       timestamptz NOT NULL,
    measurement_period_end         timestamptz NOT NULL,
    algorithm_version              varchar(50) NOT NULL DEFAULT 'V2.0_ENHANCED',
    total_recommendations_generated integer NOT NULL DEFAULT 0,
    recommendations_accepted       integer NOT NULL DEFAULT 0,
    recommendations_rejected       integer NOT NULL DEFAULT 0,
    recommendations_undecided      integer NOT NULL DEFAULT 0,
    acceptance_rate                numeric(5,4), -- of the decided ones; NULL where none was decided
    avg_volume_utilization         numeric(9,2) NOT NULL,
    std_dev_volume_utilization     numeric(9,2),
    median_volume_utilization      numeric(9,2),
    p25_volume_utilization         numeric(9,2),
    p75_volume_utilization         numeric(9,2),
    p95_volume_utilization         numeric(9,2),
    avg_weight_utilization         numeric(9,2) NOT NULL,
    std_dev_weight_utilization     numeric(9,2),
    locations_in_optimal_range     integer NOT NULL DEFAULT 0, -- 60 to 80 %
    locations_underutilized        integer NOT NULL DEFAULT 0,
    locations_overutilized         integer NOT NULL DEFAULT 0,
    target_achievement_rate        numeric(5,4),
    avg_pick_travel_distance_reduction numeric(5,2),
    avg_putaway_time_reduction     numeric(5,2),
    space_utilization_improvement  numeric(5,2),
    ml_model_accuracy              numeric(5,4),
    ml_model_precision             numeric(5,4), -- NULL unless there is a confusion matrix to take them from
    ml_model_recall                numeric(5,4),
    ml_model_f1_score              numeric(5,4),
    avg_confidence_score           numeric(4,3),
    std_dev_confidence_score       numeric(4,3),
    median_confidence_score        numeric(4,3),
    sample_size                    integer NOT NULL,
    is_statistically_significant   boolean NOT NULL DEFAULT false, -- at least 30 decided: an adequate sample
    confidence_interval_95_lower   numeric(5,4),
    confidence_interval_95_upper   numeric(5,4),
    confidence_interval_method     varchar(20) NOT NULL DEFAULT 'WILSON',
    created_at                     timestamptz NOT NULL DEFAULT now(),
    created_by                     uuid,
    PRIMARY KEY (tenant_id, metric_id),
    CONSTRAINT bin_optimization_statistical_metrics_period_once UNIQUE
        (tenant_id, facility_id, measurement_period_start, measurement_period_end, algorithm_version),
    CONSTRAINT bin_optimization_statistical_metrics_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_statistical_metrics_created_by FOREIGN KEY (tenant_id, created_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_statistical_metrics_period_in_order CHECK (measurement_period_end > measurement_period_start),
    CONSTRAINT bin_optimization_statistical_metrics_counts_add_up CHECK (recommendations_accepted >= 0
        AND recommendations_rejected >= 0 AND recommendations_undecided >= 0
        AND total_recommendations_generated = recommendations_accepted + recommendations_rejected + recommendations_undecided),
    CONSTRAINT bin_optimization_statistical_metrics_bins_not_negative CHECK (locations_in_optimal_range >= 0
        AND locations_underutilized >= 0 AND locations_overutilized >= 0 AND sample_size >= 0),
    CONSTRAINT bin_optimization_statistical_metrics_rates_in_range CHECK (acceptance_rate BETWEEN 0 AND 1
        AND target_achievement_rate BETWEEN 0 AND 1 AND ml_model_accuracy BETWEEN 0 AND 1 AND ml_model_precision BETWEEN 0 AND 1
        AND ml_model_recall BETWEEN 0 AND 1 AND ml_model_f1_score BETWEEN 0 AND 1
        AND avg_confidence_score BETWEEN 0 AND 1 AND median_confidence_score BETWEEN 0 AND 1),
    CONSTRAINT bin_optimization_statistical_metrics_interval_in_order CHECK
        (0 <= confidence_interval_95_lower AND confidence_interval_95_lower <= confidence_interval_95_upper AND confidence_interval_95_upper <= 1),
    CONSTRAINT bin_optimization_statistical_metrics_method_known CHECK (confidence_interval_method IN ('WILSON', 'WALD', 'T'))
);
CREATE INDEX idx_stat_metrics_tenant_facility ON public.bin_optimization_statistical_metrics (tenant_id, facility_id, measurement_timestamp DESC);
CREATE INDEX idx_stat_metrics_timestamp ON public.bin_optimization_statistical_metrics (tenant_id, measurement_timestamp DESC);
CREATE INDEX idx_stat_metrics_period ON public.bin_optimization_statistical_metrics (tenant_id, measurement_period_start, measurement_period_end);
CREATE INDEX idx_stat_metrics_algorithm ON public.bin_optimization_statistical_metrics (tenant_id, algorithm_version, measurement_timestamp DESC);

-- Means and standard deviations are kept, so that the test can be worked out again from its row.
CREATE TABLE public.bin_optimization_ab_test_results (
    tenant_id                   uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    test_id                     uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_id                 uuid NOT NULL,
    test_name                   varchar(200) NOT NULL,
    metric_name                 varchar(100) NOT NULL,
    test_start_date             timestamptz NOT NULL,
    test_end_date               timestamptz,
    test_status                 varchar(20) NOT NULL DEFAULT 'IN_PROGRESS',
    control_algorithm_version   varchar(50) NOT NULL,
    control_sample_size         integer NOT NULL DEFAULT 0,
    control_mean                numeric(14,6),
    control_std_dev             numeric(14,6),
    control_acceptance_rate     numeric(5,4),
    control_avg_utilization     numeric(9,2),
    control_avg_confidence      numeric(4,3),
    treatment_algorithm_version varchar(50) NOT NULL,
    treatment_sample_size       integer NOT NULL DEFAULT 0,
    treatment_mean              numeric(14,6),
    treatment_std_dev           numeric(14,6),
    treatment_acceptance_rate   numeric(5,4),
    treatment_avg_utilization   numeric(9,2),
    treatment_avg_confidence    numeric(4,3),
    test_type                   varchar(20) NOT NULL,
    test_statistic              numeric(14,6),
    p_value                     numeric(10,8),
    is_significant              boolean,
    significance_level          numeric(3,2) NOT NULL DEFAULT 0.05,
    effect_size                 numeric(10,6),
    effect_interpretation       varchar(20), -- NULL: below SMALL
    winner                      varchar(20),
    recommendation              text,
    version                     integer NOT NULL DEFAULT 1,
    created_at                  timestamptz NOT NULL DEFAULT now(),
    created_by                  uuid,
    updated_at                  timestamptz,
    updated_by                  uuid,
    PRIMARY KEY (tenant_id, test_id),
    CONSTRAINT bin_optimization_ab_test_results_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_ab_test_results_created_by FOREIGN KEY (tenant_id, created_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_ab_test_results_updated_by FOREIGN KEY (tenant_id, updated_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_ab_test_results_dates_in_order CHECK (test_end_date >= test_start_date),
    CONSTRAINT bin_optimization_ab_test_results_status_known CHECK (test_status IN ('IN_PROGRESS', 'COMPLETED', 'CANCELLED')),
    CONSTRAINT bin_optimization_ab_test_results_type_known CHECK (test_type IN ('t-test', 'chi-square', 'mann-whitney')),
    CONSTRAINT bin_optimization_ab_test_results_effect_known CHECK (effect_interpretation IN ('SMALL', 'MEDIUM', 'LARGE')),
    CONSTRAINT bin_optimization_ab_test_results_winner_known CHECK (winner IN ('CONTROL', 'TREATMENT', 'NO_DIFFERENCE')),
    CONSTRAINT bin_optimization_ab_test_results_sizes_not_negative CHECK (control_sample_size >= 0 AND treatment_sample_size >= 0
        AND control_std_dev >= 0 AND treatment_std_dev >= 0),
    CONSTRAINT bin_optimization_ab_test_results_rates_in_range CHECK (control_acceptance_rate BETWEEN 0 AND 1
        AND treatment_acceptance_rate BETWEEN 0 AND 1 AND control_avg_confidence BETWEEN 0 AND 1
        AND treatment_avg_confidence BETWEEN 0 AND 1 AND p_value BETWEEN 0 AND 1 AND significance_level > 0 AND significance_level < 1)
);
CREATE INDEX idx_ab_test_tenant_facility ON public.bin_optimization_ab_test_results (tenant_id, facility_id);
CREATE INDEX idx_ab_test_status ON public.bin_optimization_ab_test_results (tenant_id, test_status);
CREATE INDEX idx_ab_test_dates ON public.bin_optimization_ab_test_results (tenant_id, test_start_date DESC, test_end_date);

CREATE TABLE public.bin_optimization_correlation_analysis (
    tenant_id            uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    correlation_id       uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_id          uuid NOT NULL,
    analysis_date        timestamptz NOT NULL DEFAULT now(),
    feature_x            varchar(100) NOT NULL,
    feature_y            varchar(100) NOT NULL,
    pearson_correlation  numeric(10,6), -- NULL where a feature does not vary: undefined, not zero
    spearman_correlation numeric(10,6),
    correlation_strength varchar(20) NOT NULL,
    p_value              numeric(10,8),
    is_significant       boolean NOT NULL DEFAULT false,
    sample_size          integer NOT NULL,
    regression_slope     numeric(20,6),
    regression_intercept numeric(20,6),
    r_squared            numeric(10,6),
    relationship_type    varchar(20) NOT NULL,
    interpretation       text,
    created_at           timestamptz NOT NULL DEFAULT now(),
    created_by           uuid,
    PRIMARY KEY (tenant_id, correlation_id),
    CONSTRAINT bin_optimization_correlation_analysis_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_correlation_analysis_created_by FOREIGN KEY (tenant_id, created_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_correlation_analysis_in_range CHECK (pearson_correlation BETWEEN -1 AND 1
        AND spearman_correlation BETWEEN -1 AND 1 AND r_squared BETWEEN 0 AND 1 AND p_value BETWEEN 0 AND 1 AND sample_size >= 0),
    CONSTRAINT bin_optimization_correlation_analysis_strength_known CHECK (correlation_strength IN
        ('VERY_WEAK', 'WEAK', 'MODERATE', 'STRONG', 'VERY_STRONG', 'UNDEFINED')),
    CONSTRAINT bin_optimization_correlation_analysis_relationship_known CHECK (relationship_type IN
        ('POSITIVE', 'NEGATIVE', 'NONE', 'UNDEFINED')),
    CONSTRAINT bin_optimization_correlation_analysis_undefined_is_null CHECK
        ((pearson_correlation IS NULL) = (correlation_strength = 'UNDEFINED')
        AND (pearson_correlation IS NULL) = (relationship_type = 'UNDEFINED'))
);
CREATE INDEX idx_correlation_tenant_facility ON public.bin_optimization_correlation_analysis (tenant_id, facility_id);
CREATE INDEX idx_correlation_date ON public.bin_optimization_correlation_analysis (tenant_id, analysis_date DESC);
CREATE INDEX idx_correlation_features ON public.bin_optimization_correlation_analysis (tenant_id, feature_x, feature_y);

CREATE TABLE public.bin_optimization_statistical_validations (
    tenant_id             uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    validation_id         uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_id           uuid NOT NULL,
    validation_timestamp  timestamptz NOT NULL DEFAULT now(),
    validation_type       varchar(50) NOT NULL,
    validation_method     varchar(50) NOT NULL,
    test_statistic        numeric(14,6),
    p_value               numeric(10,8), -- NULL for Durbin-Watson, which passes by a band
    passes_validation     boolean NOT NULL,
    significance_level    numeric(3,2) NOT NULL DEFAULT 0.05,
    data_field            varchar(100) NOT NULL,
    sample_size           integer NOT NULL,
    result_interpretation text,
    remediation_required  boolean NOT NULL DEFAULT false,
    remediation_action    text,
    created_at            timestamptz NOT NULL DEFAULT now(),
    created_by            uuid,
    PRIMARY KEY (tenant_id, validation_id),
    CONSTRAINT bin_optimization_statistical_validations_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_statistical_validations_created_by FOREIGN KEY (tenant_id, created_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_statistical_validations_type_known CHECK (validation_type IN ('NORMALITY', 'HOMOGENEITY', 'INDEPENDENCE')),
    CONSTRAINT bin_optimization_statistical_validations_method_known CHECK (validation_method IN
        ('Shapiro-Wilk', 'Kolmogorov-Smirnov', 'Levene', 'Bartlett', 'Durbin-Watson')),
    CONSTRAINT bin_optimization_statistical_validations_in_range CHECK (p_value BETWEEN 0 AND 1
        AND significance_level > 0 AND significance_level < 1 AND sample_size >= 0)
);
CREATE INDEX idx_validation_tenant_facility ON public.bin_optimization_statistical_validations (tenant_id, facility_id);
CREATE INDEX idx_validation_timestamp ON public.bin_optimization_statistical_validations (tenant_id, validation_timestamp DESC);
CREATE INDEX idx_validation_type ON public.bin_optimization_statistical_validations (tenant_id, validation_type);

CREATE TABLE public.bin_optimization_outliers (
    tenant_id              uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    outlier_id             uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_id            uuid NOT NULL,
    location_id            uuid,
    material_id            uuid,
    detection_timestamp    timestamptz NOT NULL DEFAULT now(),
    last_seen_at           timestamptz NOT NULL DEFAULT now(),
    times_seen             integer NOT NULL DEFAULT 1,
    metric_name            varchar(100) NOT NULL,
    metric_value           numeric(16,4) NOT NULL,
    detection_method       varchar(50) NOT NULL,
    lower_bound            numeric(16,4),
    upper_bound            numeric(16,4),
    z_score                numeric(16,4),
    outlier_severity       varchar(20) NOT NULL,
    outlier_type           varchar(10) NOT NULL,
    requires_investigation boolean NOT NULL DEFAULT false,
    investigation_status   varchar(20) NOT NULL DEFAULT 'PENDING',
    assigned_to            uuid,
    started_at             timestamptz,
    root_cause             text,
    corrective_action      text,
    resolved_at            timestamptz,
    resolved_by            uuid,
    resolution_notes       text,
    version                integer NOT NULL DEFAULT 1,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz,
    PRIMARY KEY (tenant_id, outlier_id),
    CONSTRAINT bin_optimization_outliers_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_outliers_location FOREIGN KEY (tenant_id, location_id)
        REFERENCES public.inventory_locations ON DELETE SET NULL (location_id),
    CONSTRAINT bin_optimization_outliers_material FOREIGN KEY (tenant_id, material_id)
        REFERENCES public.materials ON DELETE SET NULL (material_id),
    CONSTRAINT bin_optimization_outliers_assigned_to FOREIGN KEY (tenant_id, assigned_to) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_outliers_resolved_by FOREIGN KEY (tenant_id, resolved_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT bin_optimization_outliers_method_known CHECK (detection_method IN ('IQR', 'Z_SCORE', 'MODIFIED_Z_SCORE', 'ISOLATION_FOREST')),
    CONSTRAINT bin_optimization_outliers_severity_known CHECK (outlier_severity IN ('MILD', 'MODERATE', 'SEVERE', 'EXTREME')),
    CONSTRAINT bin_optimization_outliers_type_known CHECK (outlier_type IN ('HIGH', 'LOW')),
    CONSTRAINT bin_optimization_outliers_investigation_known CHECK (investigation_status IN ('PENDING', 'IN_PROGRESS', 'RESOLVED', 'IGNORED')),
    CONSTRAINT bin_optimization_outliers_bounds_in_order CHECK (lower_bound <= upper_bound),
    CONSTRAINT bin_optimization_outliers_seen CHECK (times_seen > 0 AND last_seen_at >= detection_timestamp),
    CONSTRAINT bin_optimization_outliers_in_progress_whole CHECK (investigation_status <> 'IN_PROGRESS'
        OR (assigned_to IS NOT NULL AND started_at IS NOT NULL)),
    CONSTRAINT bin_optimization_outliers_closed_whole CHECK ((investigation_status IN ('RESOLVED', 'IGNORED')) = (resolved_at IS NOT NULL)
        AND (resolved_at IS NULL) = (resolved_by IS NULL)),
    CONSTRAINT bin_optimization_outliers_resolved_explained CHECK (investigation_status <> 'RESOLVED'
        OR (root_cause IS NOT NULL AND corrective_action IS NOT NULL)),
    CONSTRAINT bin_optimization_outliers_ignored_explained CHECK (investigation_status <> 'IGNORED' OR resolution_notes IS NOT NULL)
);
CREATE INDEX idx_outliers_tenant_facility ON public.bin_optimization_outliers (tenant_id, facility_id, detection_timestamp DESC);
CREATE INDEX idx_outliers_timestamp ON public.bin_optimization_outliers (tenant_id, detection_timestamp DESC);
CREATE INDEX idx_outliers_severity ON public.bin_optimization_outliers (tenant_id, outlier_severity, detection_timestamp DESC);
CREATE INDEX idx_outliers_investigation ON public.bin_optimization_outliers (tenant_id, investigation_status, outlier_severity)
    WHERE investigation_status IN ('PENDING', 'IN_PROGRESS');
-- A finding that is still open is seen again, not found again.
CREATE UNIQUE INDEX idx_outliers_open_once ON public.bin_optimization_outliers
    (tenant_id, facility_id, metric_name, detection_method, location_id, material_id) NULLS NOT DISTINCT
    WHERE investigation_status IN ('PENDING', 'IN_PROGRESS');

INSERT INTO public.warehouse_optimization_settings (tenant_id, setting_key, setting_value, setting_description)
SELECT t.tenant_id, d.key, d.value, d.description
FROM public.tenants t
CROSS JOIN (VALUES
    ('UTILIZATION_TREND_PER_DAY', 0.05, 'Percentage points a day beyond which utilization counts as improving or declining'),
    ('ACCEPTANCE_TREND_PER_DAY', 0.0005, 'Change of the acceptance rate (0 to 1) a day beyond which it counts as improving or declining')
    ) AS d (key, value, description);

-- The latest metrics of each facility, the slope of the last 30 days per day, and the outliers still open. A direction
-- needs at least three measurements over at least seven days; short of that it is STABLE and says so.
CREATE MATERIALIZED VIEW public.bin_optimization_statistical_summary AS
SELECT m.tenant_id, m.facility_id, m.measurement_timestamp AS last_update, m.algorithm_version,
    m.acceptance_rate AS current_acceptance_rate, m.avg_volume_utilization AS current_avg_utilization,
    m.std_dev_volume_utilization AS current_std_dev_utilization, m.target_achievement_rate AS current_target_achievement,
    m.ml_model_accuracy AS current_ml_accuracy, m.sample_size AS current_sample_size, m.is_statistically_significant,
    t.utilization_slope AS utilization_trend_slope,
    CASE WHEN NOT t.enough_data THEN 'STABLE' WHEN t.utilization_slope > s.utilization_limit THEN 'IMPROVING'
        WHEN t.utilization_slope < -s.utilization_limit THEN 'DECLINING' ELSE 'STABLE' END AS utilization_trend_direction,
    t.acceptance_slope AS acceptance_trend_slope,
    CASE WHEN NOT t.enough_data OR t.acceptance_measurements < 3 THEN 'STABLE' WHEN t.acceptance_slope > s.acceptance_limit THEN 'IMPROVING'
        WHEN t.acceptance_slope < -s.acceptance_limit THEN 'DECLINING' ELSE 'STABLE' END AS acceptance_trend_direction,
    COALESCE(t.enough_data, false) AS trend_has_enough_data,
    COALESCE(t.measurements, 0) AS measurements_in_30d, t.first_measurement, t.last_measurement,
    COALESCE(o.active, 0) AS active_outliers, COALESCE(o.critical, 0) AS critical_outliers,
    now() AS as_of
FROM (
    SELECT DISTINCT ON (tenant_id, facility_id) tenant_id, facility_id, measurement_timestamp, algorithm_version, acceptance_rate,
        avg_volume_utilization, std_dev_volume_utilization, target_achievement_rate, ml_model_accuracy, sample_size,
        is_statistically_significant
    FROM public.bin_optimization_statistical_metrics
    ORDER BY tenant_id, facility_id, measurement_timestamp DESC, metric_id DESC) m
LEFT JOIN (
    SELECT tenant_id, facility_id, count(*) AS measurements,
        min(measurement_timestamp) AS first_measurement, max(measurement_timestamp) AS last_measurement,
        count(*) >= 3 AND max(measurement_timestamp) - min(measurement_timestamp) >= interval '7 days' AS enough_data,
        regr_slope(avg_volume_utilization, extract(epoch FROM measurement_timestamp) / 86400) AS utilization_slope,
        regr_slope(acceptance_rate, extract(epoch FROM measurement_timestamp) / 86400) AS acceptance_slope,
        count(acceptance_rate) AS acceptance_measurements
    FROM public.bin_optimization_statistical_metrics
    WHERE measurement_timestamp >= now() - interval '30 days'
    GROUP BY tenant_id, facility_id) t ON t.tenant_id = m.tenant_id AND t.facility_id = m.facility_id
LEFT JOIN (
    SELECT tenant_id, facility_id, count(*) AS active,
        count(*) FILTER (WHERE outlier_severity IN ('SEVERE', 'EXTREME')) AS critical
    FROM public.bin_optimization_outliers
    WHERE investigation_status IN ('PENDING', 'IN_PROGRESS')
    GROUP BY tenant_id, facility_id) o ON o.tenant_id = m.tenant_id AND o.facility_id = m.facility_id
CROSS JOIN LATERAL (
    SELECT COALESCE((SELECT setting_value FROM public.warehouse_optimization_settings w
            WHERE w.tenant_id = m.tenant_id AND w.setting_key = 'UTILIZATION_TREND_PER_DAY'
                AND (w.facility_id = m.facility_id OR w.facility_id IS NULL)
            ORDER BY w.facility_id NULLS LAST LIMIT 1), 0.05) AS utilization_limit,
        COALESCE((SELECT setting_value FROM public.warehouse_optimization_settings w
            WHERE w.tenant_id = m.tenant_id AND w.setting_key = 'ACCEPTANCE_TREND_PER_DAY'
                AND (w.facility_id = m.facility_id OR w.facility_id IS NULL)
            ORDER BY w.facility_id NULLS LAST LIMIT 1), 0.0005) AS acceptance_limit) s;
CREATE UNIQUE INDEX idx_stat_summary_tenant_facility ON public.bin_optimization_statistical_summary (tenant_id, facility_id);
CREATE INDEX idx_stat_summary_last_update ON public.bin_optimization_statistical_summary (last_update DESC);

CREATE VIEW public.bin_optimization_statistical_summary_for_tenant WITH (security_barrier = true) AS
SELECT tenant_id, facility_id, last_update, algorithm_version, current_acceptance_rate, current_avg_utilization,
    current_std_dev_utilization, current_target_achievement, current_ml_accuracy, current_sample_size, is_statistically_significant,
    utilization_trend_slope, utilization_trend_direction, acceptance_trend_slope, acceptance_trend_direction, trend_has_enough_data,
    measurements_in_30d, first_measurement, last_measurement, active_outliers, critical_outliers, as_of
FROM public.bin_optimization_statistical_summary
WHERE tenant_id = public.current_tenant();

INSERT INTO public.cache_refresh_status (cache_name, last_refresh_at, refresh_count, last_attempt_at, last_outcome)
VALUES ('bin_optimization_statistical_summary', now(), 1, now(), 'SUCCESS');

-- As V0.0.20 made it, with one view more.
CREATE OR REPLACE FUNCTION public.refresh_bin_optimization_view(p_view text)
    RETURNS TABLE (outcome text, duration_ms integer, error text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    started timestamptz := clock_timestamp();
    filled boolean;
BEGIN
    IF p_view IS NULL OR p_view NOT IN ('bin_optimization_data_quality', 'bin_optimization_statistical_summary') THEN
        RAISE EXCEPTION 'There is no materialized view % to refresh.', p_view USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT pg_try_advisory_xact_lock(hashtext('public.' || p_view)) THEN
        RETURN QUERY SELECT 'BUSY'::text, NULL::integer, 'Another refresh of this view is running.'::text;
        RETURN;
    END IF;
    BEGIN
        -- Restored without data, a view can only be filled the plain way once; after that readers need not wait.
        SELECT relispopulated INTO filled FROM pg_class WHERE oid = to_regclass('public.' || p_view);
        CASE
            WHEN p_view = 'bin_optimization_data_quality' AND filled THEN
                REFRESH MATERIALIZED VIEW CONCURRENTLY public.bin_optimization_data_quality;
            WHEN p_view = 'bin_optimization_data_quality' THEN
                REFRESH MATERIALIZED VIEW public.bin_optimization_data_quality;
            WHEN filled THEN
                REFRESH MATERIALIZED VIEW CONCURRENTLY public.bin_optimization_statistical_summary;
            ELSE
                REFRESH MATERIALIZED VIEW public.bin_optimization_statistical_summary;
        END CASE;
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

ALTER TABLE public.bin_optimization_statistical_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.bin_optimization_ab_test_results ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.bin_optimization_correlation_analysis ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.bin_optimization_statistical_validations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.bin_optimization_outliers ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.bin_optimization_statistical_metrics USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.bin_optimization_ab_test_results USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.bin_optimization_correlation_analysis USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.bin_optimization_statistical_validations USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.bin_optimization_outliers USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'gatehouse_app') THEN
        GRANT SELECT, INSERT, UPDATE ON public.bin_optimization_statistical_metrics, public.bin_optimization_ab_test_results TO gatehouse_app;
        GRANT SELECT, INSERT ON public.bin_optimization_correlation_analysis, public.bin_optimization_statistical_validations,
            public.bin_optimization_outliers TO gatehouse_app;
        GRANT UPDATE (last_seen_at, times_seen, metric_value, lower_bound, upper_bound, z_score, outlier_severity, outlier_type,
            requires_investigation, investigation_status, assigned_to, started_at, root_cause, corrective_action, resolved_at,
            resolved_by, resolution_notes, version, updated_at) ON public.bin_optimization_outliers TO gatehouse_app;
        GRANT SELECT ON public.bin_optimization_statistical_summary_for_tenant TO gatehouse_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wms_application_role') THEN
        GRANT SELECT, INSERT, UPDATE ON public.bin_optimization_statistical_metrics, public.bin_optimization_ab_test_results,
            public.bin_optimization_outliers TO wms_application_role;
        GRANT SELECT, INSERT ON public.bin_optimization_correlation_analysis,
            public.bin_optimization_statistical_validations TO wms_application_role;
        GRANT SELECT ON public.bin_optimization_statistical_summary_for_tenant TO wms_application_role;
    END IF;
END $$;
