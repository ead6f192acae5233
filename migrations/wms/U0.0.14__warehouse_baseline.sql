-- Undoes V0.0.14. A warehouse that belongs to somebody is not dropped by a button.
DO $$
BEGIN
    IF EXISTS (SELECT FROM public.tenants) THEN
        RAISE EXCEPTION 'The warehouse holds % tenant(s); undoing its baseline would destroy everything they have.',
            (SELECT count(*) FROM public.tenants)
            USING ERRCODE = 'restrict_violation',
                  HINT = 'Nothing was changed. To remove a warehouse for good, drop its database.';
    END IF;
END $$;

DROP TABLE public.wave_lines;
DROP TABLE public.pick_lists;
DROP TABLE public.wave_processing;
DROP TABLE public.inventory_transactions;
DROP TABLE public.sales_order_lines;
DROP TABLE public.sales_orders;
DROP TABLE public.lots;
DROP TABLE public.inventory_locations;
DROP TABLE public.materials;
DROP TABLE public.users;
DROP TABLE public.facilities;
DROP TABLE public.tenants;
DROP FUNCTION public.current_tenant();
DROP FUNCTION public.uuid_generate_v7();
DROP EXTENSION pgcrypto;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'gatehouse_app') THEN
        REVOKE USAGE ON SCHEMA public FROM gatehouse_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wms_application_role') THEN
        REVOKE USAGE ON SCHEMA public FROM wms_application_role;
    END IF;
END $$;
