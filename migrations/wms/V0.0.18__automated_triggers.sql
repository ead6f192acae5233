-- title: Automated triggers
-- risk: medium
-- estimate: 5s
-- reversible: yes
-- locks: writers of lots, transactions, materials and bins wait until every bin has been reconciled once
-- undo loses: the record of reconciliations; the cache itself stays, and nothing keeps it right any more
-- creates: table public.cache_refresh_status
-- creates: function public.lots_inserted()
-- creates: function public.lots_updated()
-- creates: function public.lots_deleted()
-- creates: function public.lots_truncated()
-- creates: function public.inventory_transactions_inserted()
-- creates: function public.materials_updated()
-- creates: function public.inventory_locations_inserted()
-- creates: function public.inventory_locations_updated()
-- creates: function public.reconcile_bin_utilization()
-- creates: function public.scheduled_refresh_bin_utilization()
-- creates: trigger public.lots.after_lot_insert_refresh_bin_util
-- creates: trigger public.lots.after_lot_update_refresh_bin_util
-- creates: trigger public.lots.after_lot_delete_refresh_bin_util
-- creates: trigger public.lots.after_lot_truncate_mark_bin_util
-- creates: trigger public.inventory_transactions.after_transaction_refresh_bin_util
-- creates: trigger public.materials.after_material_update_refresh_bin_util
-- creates: trigger public.inventory_locations.after_location_insert_refresh_bin_util
-- creates: trigger public.inventory_locations.after_location_update_refresh_bin_util
--
-- Each trigger fires once a statement and recomputes only the bins that statement touched. The trigger functions are
-- SECURITY DEFINER, because whoever moves a lot has no right to write the cache. Locks are always taken in one order:
-- materials, then cache rows by location_id.

-- One row a cache, for all tenants: it holds no tenant's data.
CREATE TABLE public.cache_refresh_status (
    cache_name               varchar(100) PRIMARY KEY,
    last_refresh_at          timestamptz, -- the last success: everything committed before it is in the cache
    last_refresh_duration_ms integer,
    refresh_count            integer NOT NULL DEFAULT 0,
    last_attempt_at          timestamptz,
    last_outcome             varchar(10),
    last_error               text,        -- of the last failure, kept after a later success
    last_error_at            timestamptz,
    dirty_since              timestamptz, -- known to be wrong since then, until the next success
    rows_checked             integer,
    rows_put_right           integer,     -- by the last success; 0 is the healthy answer
    rows_put_right_total     bigint NOT NULL DEFAULT 0,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz,
    CONSTRAINT cache_refresh_status_outcome_known CHECK (last_outcome IN ('SUCCESS', 'FAILURE'))
);
INSERT INTO public.cache_refresh_status (cache_name) VALUES ('bin_utilization_cache');

-- A lot that appears in a bin must not miss a change of its material's dimensions that is just being committed: the
-- share lock waits for that change, or makes it wait and then find the lot.
CREATE FUNCTION public.lots_inserted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    touched uuid[] := (SELECT array_agg(DISTINCT location_id) FROM added WHERE location_id IS NOT NULL);
BEGIN
    IF touched IS NOT NULL THEN
        PERFORM FROM public.materials WHERE material_id IN (SELECT material_id FROM added WHERE location_id IS NOT NULL)
            ORDER BY material_id FOR SHARE;
        PERFORM public.recompute_bin_utilization(touched);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.lots_updated() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    touched uuid[];
    moved uuid[];
BEGIN
    SELECT array_agg(DISTINCT b.location_id) FILTER (WHERE b.location_id IS NOT NULL),
        array_agg(DISTINCT n.material_id) FILTER (WHERE n.location_id IS NOT NULL
            AND (n.location_id, n.material_id) IS DISTINCT FROM (o.location_id, o.material_id))
    INTO touched, moved
    FROM removed o FULL JOIN added n ON n.lot_id = o.lot_id
    CROSS JOIN LATERAL (VALUES (o.location_id), (n.location_id)) b (location_id)
    WHERE (o.location_id, o.material_id, o.quantity_on_hand, o.quality_status, o.deleted_at)
        IS DISTINCT FROM (n.location_id, n.material_id, n.quantity_on_hand, n.quality_status, n.deleted_at);
    IF moved IS NOT NULL THEN
        PERFORM FROM public.materials WHERE material_id = ANY (moved) ORDER BY material_id FOR SHARE;
    END IF;
    IF touched IS NOT NULL THEN
        PERFORM public.recompute_bin_utilization(touched);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.lots_deleted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    touched uuid[] := (SELECT array_agg(DISTINCT location_id) FROM removed WHERE location_id IS NOT NULL);
BEGIN
    IF touched IS NOT NULL THEN
        PERFORM public.recompute_bin_utilization(touched);
    END IF;
    RETURN NULL;
END $$;

-- TRUNCATE has no transition table; the next reconciliation puts everything right.
CREATE FUNCTION public.lots_truncated() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.cache_refresh_status SET dirty_since = now(), updated_at = now()
    WHERE cache_name = 'bin_utilization_cache' AND dirty_since IS NULL;
    RETURN NULL;
END $$;

-- A transaction moves no lot by itself, whatever its type; the bins it names are looked at again.
CREATE FUNCTION public.inventory_transactions_inserted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    touched uuid[] := (SELECT array_agg(DISTINCT b.location_id)
        FROM added CROSS JOIN LATERAL (VALUES (from_location_id), (to_location_id)) b (location_id)
        WHERE b.location_id IS NOT NULL);
BEGIN
    IF touched IS NOT NULL THEN
        PERFORM public.recompute_bin_utilization(touched);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.materials_updated() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    touched uuid[] := (SELECT array_agg(DISTINCT l.location_id)
        FROM removed o
        JOIN added n ON n.material_id = o.material_id
            AND (n.cubic_feet, n.width_inches, n.height_inches, n.thickness_inches, n.weight_lbs_per_unit)
            IS DISTINCT FROM (o.cubic_feet, o.width_inches, o.height_inches, o.thickness_inches, o.weight_lbs_per_unit)
        JOIN public.lots l ON l.tenant_id = n.tenant_id AND l.material_id = n.material_id
        WHERE l.location_id IS NOT NULL);
BEGIN
    IF touched IS NOT NULL THEN
        PERFORM public.recompute_bin_utilization(touched);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.inventory_locations_inserted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    touched uuid[] := (SELECT array_agg(location_id ORDER BY location_id) FROM added);
BEGIN
    IF touched IS NOT NULL THEN
        PERFORM public.recompute_bin_utilization(touched);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.inventory_locations_updated() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    touched uuid[] := (SELECT array_agg(n.location_id ORDER BY n.location_id)
        FROM removed o
        JOIN added n ON n.location_id = o.location_id
            AND (n.facility_id, n.location_code, n.location_type, n.zone_code, n.aisle_code, n.abc_classification,
                n.pick_sequence, n.cubic_feet, n.max_weight_lbs, n.is_active, n.deleted_at)
            IS DISTINCT FROM (o.facility_id, o.location_code, o.location_type, o.zone_code, o.aisle_code, o.abc_classification,
                o.pick_sequence, o.cubic_feet, o.max_weight_lbs, o.is_active, o.deleted_at));
BEGIN
    IF touched IS NOT NULL THEN
        DELETE FROM public.bin_utilization_cache c
        USING public.inventory_locations l
        WHERE c.location_id = ANY (touched) AND l.location_id = c.location_id
            AND (NOT l.is_active OR l.deleted_at IS NOT NULL);
        PERFORM public.recompute_bin_utilization(touched);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER after_lot_insert_refresh_bin_util AFTER INSERT ON public.lots
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.lots_inserted();
CREATE TRIGGER after_lot_update_refresh_bin_util AFTER UPDATE ON public.lots
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.lots_updated();
CREATE TRIGGER after_lot_delete_refresh_bin_util AFTER DELETE ON public.lots
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.lots_deleted();
CREATE TRIGGER after_lot_truncate_mark_bin_util AFTER TRUNCATE ON public.lots
    FOR EACH STATEMENT EXECUTE FUNCTION public.lots_truncated();
CREATE TRIGGER after_transaction_refresh_bin_util AFTER INSERT ON public.inventory_transactions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.inventory_transactions_inserted();
CREATE TRIGGER after_material_update_refresh_bin_util AFTER UPDATE ON public.materials
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.materials_updated();
CREATE TRIGGER after_location_insert_refresh_bin_util AFTER INSERT ON public.inventory_locations
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.inventory_locations_inserted();
CREATE TRIGGER after_location_update_refresh_bin_util AFTER UPDATE ON public.inventory_locations
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.inventory_locations_updated();

-- Compares every bin of every tenant with its stock in one snapshot, in which lots and cache agree unless the cache is
-- wrong, and repairs only the rows that differ. The outcome is a value and a row, never an exception: raising it would
-- roll back the record of it. BUSY: another run is under way and will record its own outcome.
CREATE FUNCTION public.reconcile_bin_utilization()
    RETURNS TABLE (outcome text, bins_checked integer, bins_put_right integer, duration_ms integer, error text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    started timestamptz := clock_timestamp();
    wrong uuid[];
    gone integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('public.reconcile_bin_utilization')) THEN
        RETURN QUERY SELECT 'BUSY'::text, NULL::integer, NULL::integer, NULL::integer,
            'Another reconciliation is running.'::text;
        RETURN;
    END IF;
    BEGIN
        SELECT count(v.location_id), array_agg(v.location_id ORDER BY v.location_id) FILTER (WHERE v.location_id IS NOT NULL
            AND (c.facility_id, c.location_code, c.location_type, c.zone_code, c.aisle_code, c.abc_classification, c.pick_sequence,
                c.total_cubic_feet, c.max_weight_lbs, c.used_cubic_feet, c.used_weight_lbs, c.available_cubic_feet, c.available_weight_lbs,
                c.lot_count, c.material_count, c.unknown_volume_lots, c.unknown_weight_lots,
                c.volume_utilization_pct, c.weight_utilization_pct, c.utilization_status)
            IS DISTINCT FROM (v.facility_id, v.location_code, v.location_type, v.zone_code, v.aisle_code, v.abc_classification, v.pick_sequence,
                v.total_cubic_feet, v.max_weight_lbs, v.used_cubic_feet, v.used_weight_lbs, v.available_cubic_feet, v.available_weight_lbs,
                v.lot_count, v.material_count, v.unknown_volume_lots, v.unknown_weight_lots,
                v.volume_utilization_pct, v.weight_utilization_pct, v.utilization_status))
        INTO bins_checked, wrong
        FROM public.bin_utilization_summary v
        LEFT JOIN public.bin_utilization_cache c ON c.tenant_id = v.tenant_id AND c.location_id = v.location_id;

        DELETE FROM public.bin_utilization_cache c
        USING public.inventory_locations l
        WHERE l.tenant_id = c.tenant_id AND l.location_id = c.location_id AND (NOT l.is_active OR l.deleted_at IS NOT NULL);
        GET DIAGNOSTICS gone = ROW_COUNT;
        bins_put_right := gone + COALESCE(public.recompute_bin_utilization(wrong), 0);
        outcome := 'SUCCESS';
    EXCEPTION WHEN query_canceled OR OTHERS THEN
        outcome := 'FAILURE';
        error := SQLERRM;
        bins_checked := NULL;
        bins_put_right := NULL;
    END;
    duration_ms := ceil(extract(epoch FROM clock_timestamp() - started) * 1000);
    IF outcome = 'SUCCESS' THEN
        UPDATE public.cache_refresh_status
        SET last_refresh_at = started, last_refresh_duration_ms = duration_ms, refresh_count = refresh_count + 1,
            last_attempt_at = started, last_outcome = outcome, dirty_since = NULL, rows_checked = bins_checked,
            rows_put_right = bins_put_right, rows_put_right_total = rows_put_right_total + bins_put_right, updated_at = clock_timestamp()
        WHERE cache_name = 'bin_utilization_cache';
    ELSE
        UPDATE public.cache_refresh_status
        SET last_attempt_at = started, last_outcome = outcome, last_error = error, last_error_at = clock_timestamp(),
            updated_at = clock_timestamp()
        WHERE cache_name = 'bin_utilization_cache';
    END IF;
    RETURN NEXT;
END $$;

-- For pg_cron, which keeps a job's warnings but cannot read its result.
CREATE FUNCTION public.scheduled_refresh_bin_utilization() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run record;
BEGIN
    SELECT * INTO run FROM public.reconcile_bin_utilization();
    IF run.outcome <> 'SUCCESS' THEN
        RAISE WARNING 'bin_utilization_cache was not reconciled (%): %', run.outcome, run.error;
    END IF;
END $$;

REVOKE EXECUTE ON FUNCTION public.lots_inserted(), public.lots_updated(), public.lots_deleted(), public.lots_truncated(),
    public.inventory_transactions_inserted(), public.materials_updated(), public.inventory_locations_inserted(),
    public.inventory_locations_updated(), public.reconcile_bin_utilization(), public.scheduled_refresh_bin_utilization() FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'gatehouse_app') THEN
        GRANT SELECT ON public.cache_refresh_status TO gatehouse_app;
        GRANT EXECUTE ON FUNCTION public.reconcile_bin_utilization() TO gatehouse_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wms_application_role') THEN
        GRANT SELECT ON public.cache_refresh_status TO wms_application_role;
    END IF;
END $$;

-- The cache has had no keeper since V0.0.16.
DO $$
DECLARE
    run record;
BEGIN
    SELECT * INTO run FROM public.reconcile_bin_utilization();
    IF run.outcome <> 'SUCCESS' THEN
        RAISE EXCEPTION 'The first reconciliation of bin_utilization_cache did not succeed (%): %', run.outcome, run.error;
    END IF;
END $$;
