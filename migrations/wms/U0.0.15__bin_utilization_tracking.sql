-- Undoes V0.0.15. Everything in its four tables is lost.
DROP VIEW public.bin_utilization_summary;
DROP TABLE public.warehouse_optimization_settings;
DROP TABLE public.reslotting_history;
DROP TABLE public.putaway_recommendations;
DROP TABLE public.material_velocity_metrics;
DROP FUNCTION public.bin_utilization_status(numeric, boolean);
DROP FUNCTION public.unit_cubic_feet(numeric, numeric, numeric, numeric);
DROP INDEX public.idx_lots_location;
ALTER TABLE public.materials
    DROP COLUMN last_abc_analysis,
    DROP COLUMN velocity_rank;
