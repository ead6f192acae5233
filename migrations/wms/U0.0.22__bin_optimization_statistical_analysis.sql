-- Undoes V0.0.22. Everything in its five tables is lost.
CREATE OR REPLACE FUNCTION public.refresh_bin_optimization_view(p_view text)
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

DELETE FROM public.cache_refresh_status WHERE cache_name = 'bin_optimization_statistical_summary';
DROP VIEW public.bin_optimization_statistical_summary_for_tenant;
DROP MATERIALIZED VIEW public.bin_optimization_statistical_summary;
DELETE FROM public.warehouse_optimization_settings WHERE setting_key IN ('UTILIZATION_TREND_PER_DAY', 'ACCEPTANCE_TREND_PER_DAY');
DROP TABLE public.bin_optimization_outliers;
DROP TABLE public.bin_optimization_statistical_validations;
DROP TABLE public.bin_optimization_correlation_analysis;
DROP TABLE public.bin_optimization_ab_test_results;
DROP TABLE public.bin_optimization_statistical_metrics;
