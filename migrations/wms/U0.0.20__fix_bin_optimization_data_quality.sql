-- Undoes V0.0.20. Evidence in its four tables is lost, and 0.875 becomes 0.88 again.
DROP FUNCTION public.refresh_bin_optimization_view(text);
DELETE FROM public.cache_refresh_status WHERE cache_name = 'bin_optimization_data_quality';
DROP VIEW public.bin_optimization_data_quality_for_tenant;
DROP MATERIALIZED VIEW public.bin_optimization_data_quality;
DROP FUNCTION public.calculate_dimension_variance(numeric, numeric);
DROP TABLE public.bin_optimization_remediation_log;
DROP TABLE public.cross_dock_cancellations;
DROP TABLE public.capacity_validation_failures;
DROP TABLE public.material_dimension_verifications;
ALTER TABLE public.putaway_recommendations DROP CONSTRAINT chk_confidence_score_range;
ALTER TABLE public.putaway_recommendations ALTER COLUMN confidence_score TYPE numeric(3,2);
