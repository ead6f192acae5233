-- Undoes V0.0.16. Aisle codes that were filled in stay: they are right, and nobody can tell them from typed ones.
DROP FUNCTION public.get_bin_optimization_recommendations(uuid, integer);
DROP VIEW public.material_velocity_analysis;
DROP VIEW public.aisle_congestion_metrics;
DROP INDEX public.idx_inventory_transactions_material_date;
DROP INDEX public.idx_sales_orders_status_ship_date;
DROP INDEX public.idx_sales_order_lines_material_status;
DROP INDEX public.idx_wave_lines_pick_location;
DROP INDEX public.idx_wave_lines_pick_list;
DROP INDEX public.idx_pick_lists_status_started;
DROP FUNCTION public.refresh_bin_utilization_for_location(uuid);
DROP FUNCTION public.recompute_bin_utilization(uuid[]);
DROP TABLE public.bin_utilization_cache;
DROP TABLE public.ml_model_weights;
DROP INDEX public.idx_inventory_locations_aisle;
