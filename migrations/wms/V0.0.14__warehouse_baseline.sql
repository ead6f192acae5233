-- title: Warehouse baseline
-- risk: high
-- estimate: 1s
-- reversible: yes
-- locks: none that matter; it only makes new objects, in a database without a warehouse
-- undo loses: the whole warehouse; the undo refuses while there is a tenant in it
-- creates: extension pgcrypto
-- creates: function public.uuid_generate_v7()
-- creates: function public.current_tenant()
-- creates: table public.tenants
-- creates: table public.facilities
-- creates: table public.users
-- creates: table public.materials
-- creates: table public.inventory_locations
-- creates: table public.lots
-- creates: table public.sales_orders
-- creates: table public.sales_order_lines
-- creates: table public.inventory_transactions
-- creates: table public.wave_processing
-- creates: table public.pick_lists
-- creates: table public.wave_lines
-- creates: index public.idx_lots_material
-- creates: index public.idx_inventory_transactions_date
-- creates: index public.idx_wave_lines_wave
--
-- The tables that every later release stands on, under the names the feature uses (tenant_id, material_id, ...).
-- Every table of a tenant has the primary key (tenant_id, x_id), so that a child can only point inside its own
-- tenant, and x_id is unique on its own too, because the client's queries look things up by it alone.

CREATE EXTENSION pgcrypto WITH SCHEMA public;

-- As the platform has always made it: ten calls for ten random bytes. V0.0.21 puts that right.
CREATE FUNCTION public.uuid_generate_v7() RETURNS uuid
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    ms bytea := substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3);
    random_part bytea := ''::bytea;
BEGIN
    FOR i IN 1..10 LOOP
        random_part := random_part || public.gen_random_bytes(1);
    END LOOP;
    random_part := set_byte(random_part, 0, (get_byte(random_part, 0) & 15) | 112);
    random_part := set_byte(random_part, 2, (get_byte(random_part, 2) & 63) | 128);
    RETURN encode(ms || random_part, 'hex')::uuid;
END $$;

-- The setting is an empty string, not NULL, once a transaction that set it has ended.
CREATE FUNCTION public.current_tenant() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid $$;

CREATE TABLE public.tenants (
    tenant_id            uuid PRIMARY KEY DEFAULT public.uuid_generate_v7(),
    tenant_code          varchar(50) NOT NULL,
    tenant_name          varchar(255) NOT NULL,
    subscription_tier    varchar(20) NOT NULL DEFAULT 'STARTER',
    status               varchar(20) NOT NULL DEFAULT 'ACTIVE',
    default_currency     char(3) NOT NULL DEFAULT 'USD',
    default_timezone     varchar(50) NOT NULL DEFAULT 'America/New_York',
    default_language     varchar(10) NOT NULL DEFAULT 'en-US',
    enabled_features     jsonb NOT NULL DEFAULT '{}',
    custom_configuration jsonb NOT NULL DEFAULT '{}',
    effective_from       date NOT NULL DEFAULT CURRENT_DATE,
    effective_to         date,
    is_current           boolean NOT NULL DEFAULT true,
    version_number       integer NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz,
    deleted_at           timestamptz,
    CONSTRAINT tenants_code_once UNIQUE (tenant_code),
    CONSTRAINT tenants_tier_known CHECK (subscription_tier IN ('STARTER', 'PROFESSIONAL', 'ENTERPRISE')),
    CONSTRAINT tenants_status_known CHECK (status IN ('ACTIVE', 'SUSPENDED', 'TRIAL', 'CANCELLED')),
    CONSTRAINT tenants_effective_in_order CHECK (effective_to IS NULL OR effective_to >= effective_from)
);

CREATE TABLE public.facilities (
    tenant_id      uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    facility_id    uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_code  varchar(50) NOT NULL,
    facility_name  varchar(255) NOT NULL,
    facility_type  varchar(30) NOT NULL DEFAULT 'WAREHOUSE',
    address_line1  varchar(255) NOT NULL,
    city           varchar(100) NOT NULL,
    postal_code    varchar(20) NOT NULL,
    country        varchar(100) NOT NULL,
    is_warehouse   boolean NOT NULL DEFAULT true,
    timezone       varchar(50) NOT NULL DEFAULT 'America/New_York',
    is_active      boolean NOT NULL DEFAULT true,
    effective_from date NOT NULL DEFAULT CURRENT_DATE,
    effective_to   date,
    is_current     boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz,
    deleted_at     timestamptz,
    PRIMARY KEY (tenant_id, facility_id),
    CONSTRAINT facilities_code_once UNIQUE (tenant_id, facility_code),
    CONSTRAINT facilities_type_known CHECK (facility_type IN
        ('WAREHOUSE', 'MANUFACTURING', 'SALES_OFFICE', 'DISTRIBUTION_CENTER', '3PL_WAREHOUSE')),
    CONSTRAINT facilities_effective_in_order CHECK (effective_to IS NULL OR effective_to >= effective_from)
);

CREATE TABLE public.users (
    tenant_id                uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    user_id                  uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    username                 varchar(100) NOT NULL,
    email                    varchar(255) NOT NULL,
    password_hash            varchar(255),
    sso_provider             varchar(255),
    sso_user_id              varchar(255),
    first_name               varchar(100),
    last_name                varchar(100),
    display_name             varchar(255),
    default_facility_id      uuid,
    roles                    jsonb NOT NULL DEFAULT '[]',
    permissions              jsonb NOT NULL DEFAULT '[]',
    security_clearance_level varchar(20) NOT NULL DEFAULT 'STANDARD',
    is_active                boolean NOT NULL DEFAULT true,
    is_locked                boolean NOT NULL DEFAULT false,
    failed_login_attempts    integer NOT NULL DEFAULT 0,
    last_login_at            timestamptz,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz,
    deleted_at               timestamptz,
    PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT users_default_facility FOREIGN KEY (tenant_id, default_facility_id)
        REFERENCES public.facilities (tenant_id, facility_id) ON DELETE RESTRICT,
    CONSTRAINT users_username_once UNIQUE (tenant_id, username),
    CONSTRAINT users_email_once UNIQUE (tenant_id, email),
    CONSTRAINT users_sso_once UNIQUE (tenant_id, sso_provider, sso_user_id),
    CONSTRAINT users_roles_are_a_list CHECK (jsonb_typeof(roles) = 'array'),
    CONSTRAINT users_permissions_are_a_list CHECK (jsonb_typeof(permissions) = 'array'),
    CONSTRAINT users_failed_logins_not_negative CHECK (failed_login_attempts >= 0),
    CONSTRAINT users_clearance_known CHECK (security_clearance_level IN
        ('STANDARD', 'RESTRICTED', 'SECURE', 'HIGH_SECURITY', 'VAULT'))
);

CREATE TABLE public.materials (
    tenant_id              uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    material_id            uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    material_code          varchar(100) NOT NULL,
    material_name          varchar(255) NOT NULL,
    description            text,
    material_type          varchar(30) NOT NULL,
    material_category      varchar(100),
    primary_uom            varchar(20) NOT NULL DEFAULT 'EA',
    width_inches           numeric(10,4),
    height_inches          numeric(10,4),
    thickness_inches       numeric(10,6),
    cubic_feet             numeric(10,4),
    weight_lbs_per_unit    numeric(12,4),
    abc_classification     varchar(1),
    standard_cost          numeric(18,4),
    last_cost              numeric(18,4),
    average_cost           numeric(18,4),
    unit_cost              numeric(18,4),
    temperature_controlled boolean NOT NULL DEFAULT false,
    security_zone          varchar(20) NOT NULL DEFAULT 'STANDARD',
    is_active              boolean NOT NULL DEFAULT true,
    version                integer NOT NULL DEFAULT 1,
    created_at             timestamptz NOT NULL DEFAULT now(),
    created_by             uuid,
    updated_at             timestamptz,
    updated_by             uuid,
    deleted_at             timestamptz,
    PRIMARY KEY (tenant_id, material_id),
    CONSTRAINT materials_code_once UNIQUE (tenant_id, material_code),
    CONSTRAINT materials_created_by FOREIGN KEY (tenant_id, created_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT materials_updated_by FOREIGN KEY (tenant_id, updated_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT materials_type_known CHECK (material_type IN ('RAW_MATERIAL', 'SUBSTRATE', 'INK', 'COATING', 'ADHESIVE',
        'PACKAGING', 'FINISHED_GOOD', 'WIP', 'KIT')),
    CONSTRAINT materials_abc_known CHECK (abc_classification IN ('A', 'B', 'C')),
    CONSTRAINT materials_dimensions_not_negative CHECK (width_inches >= 0 AND height_inches >= 0
        AND thickness_inches >= 0 AND cubic_feet >= 0 AND weight_lbs_per_unit >= 0),
    CONSTRAINT materials_costs_not_negative CHECK (standard_cost >= 0 AND last_cost >= 0 AND average_cost >= 0 AND unit_cost >= 0),
    CONSTRAINT materials_zone_known CHECK (security_zone IN ('STANDARD', 'RESTRICTED', 'SECURE', 'HIGH_SECURITY', 'VAULT'))
);

CREATE TABLE public.inventory_locations (
    tenant_id              uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    location_id            uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_id            uuid NOT NULL,
    location_code          varchar(50) NOT NULL,
    location_name          varchar(255),
    barcode                varchar(100),
    zone_code              varchar(50),
    aisle_code             varchar(50),
    rack_code              varchar(50),
    shelf_code             varchar(50),
    bin_code               varchar(50),
    location_type          varchar(20) NOT NULL,
    abc_classification     varchar(1),
    length_inches          numeric(10,2),
    width_inches           numeric(10,2),
    height_inches          numeric(10,2),
    max_weight_lbs         numeric(12,2),
    cubic_feet             numeric(12,4),
    security_zone          varchar(20) NOT NULL DEFAULT 'STANDARD',
    temperature_controlled boolean NOT NULL DEFAULT false,
    min_temperature_f      numeric(5,2),
    max_temperature_f      numeric(5,2),
    pick_sequence          integer,
    pick_zone              varchar(50),
    is_active              boolean NOT NULL DEFAULT true,
    is_available           boolean NOT NULL DEFAULT true,
    blocked_reason         varchar(255),
    version                integer NOT NULL DEFAULT 1,
    created_at             timestamptz NOT NULL DEFAULT now(),
    created_by             uuid,
    updated_at             timestamptz,
    updated_by             uuid,
    deleted_at             timestamptz,
    PRIMARY KEY (tenant_id, location_id),
    CONSTRAINT inventory_locations_code_once UNIQUE (tenant_id, facility_id, location_code),
    CONSTRAINT inventory_locations_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT inventory_locations_created_by FOREIGN KEY (tenant_id, created_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT inventory_locations_updated_by FOREIGN KEY (tenant_id, updated_by) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT inventory_locations_type_known CHECK (location_type IN ('RECEIVING', 'STAGING', 'PUTAWAY', 'PICK_FACE',
        'RESERVE', 'PACKING', 'SHIPPING', 'QUARANTINE', 'RETURNS')),
    CONSTRAINT inventory_locations_abc_known CHECK (abc_classification IN ('A', 'B', 'C')),
    CONSTRAINT inventory_locations_capacity_not_negative CHECK (length_inches >= 0 AND width_inches >= 0
        AND height_inches >= 0 AND max_weight_lbs >= 0 AND cubic_feet >= 0),
    CONSTRAINT inventory_locations_temperatures_in_order CHECK (min_temperature_f <= max_temperature_f),
    CONSTRAINT inventory_locations_zone_known CHECK (security_zone IN ('STANDARD', 'RESTRICTED', 'SECURE', 'HIGH_SECURITY', 'VAULT'))
);

CREATE TABLE public.lots (
    tenant_id          uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    lot_id             uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_id        uuid NOT NULL,
    lot_number         varchar(100) NOT NULL,
    material_id        uuid NOT NULL,
    original_quantity  numeric(18,4) NOT NULL,
    quantity_on_hand   numeric(18,4) NOT NULL,
    quantity_available numeric(18,4) NOT NULL,
    quantity_allocated numeric(18,4) NOT NULL DEFAULT 0,
    unit_of_measure    varchar(20) NOT NULL DEFAULT 'EA',
    location_id        uuid,
    received_date      date NOT NULL,
    expiration_date    date,
    quality_status     varchar(20) NOT NULL DEFAULT 'RELEASED',
    is_active          boolean NOT NULL DEFAULT true,
    version            integer NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz,
    deleted_at         timestamptz,
    PRIMARY KEY (tenant_id, lot_id),
    CONSTRAINT lots_number_once UNIQUE (tenant_id, facility_id, lot_number),
    CONSTRAINT lots_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT lots_material FOREIGN KEY (tenant_id, material_id) REFERENCES public.materials ON DELETE RESTRICT,
    CONSTRAINT lots_location FOREIGN KEY (tenant_id, location_id) REFERENCES public.inventory_locations ON DELETE RESTRICT,
    CONSTRAINT lots_quantities_not_negative CHECK (original_quantity >= 0 AND quantity_on_hand >= 0
        AND quantity_available >= 0 AND quantity_allocated >= 0),
    CONSTRAINT lots_quality_status_known CHECK (quality_status IN
        ('QUARANTINE', 'PENDING_INSPECTION', 'RELEASED', 'REJECTED', 'HOLD'))
);
CREATE INDEX idx_lots_material ON public.lots (tenant_id, material_id);

CREATE TABLE public.sales_orders (
    tenant_id              uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    sales_order_id         uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_id            uuid NOT NULL,
    sales_order_number     varchar(50) NOT NULL,
    customer_id            uuid,
    status                 varchar(20) NOT NULL DEFAULT 'DRAFT',
    priority               integer NOT NULL DEFAULT 5,
    order_priority         varchar(20) NOT NULL DEFAULT 'NORMAL',
    order_date             date NOT NULL DEFAULT CURRENT_DATE,
    requested_ship_date    date,
    requested_delivery_date date,
    promised_delivery_date date,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz,
    deleted_at             timestamptz,
    PRIMARY KEY (tenant_id, sales_order_id),
    CONSTRAINT sales_orders_number_once UNIQUE (tenant_id, sales_order_number),
    CONSTRAINT sales_orders_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT sales_orders_status_known CHECK (status IN ('DRAFT', 'CONFIRMED', 'IN_PRODUCTION', 'RELEASED', 'PICKING',
        'SHIPPED', 'DELIVERED', 'INVOICED', 'CANCELLED', 'ON_HOLD')),
    CONSTRAINT sales_orders_priority_in_range CHECK (priority BETWEEN 1 AND 10),
    CONSTRAINT sales_orders_order_priority_known CHECK (order_priority IN ('LOW', 'NORMAL', 'HIGH', 'URGENT'))
);

CREATE TABLE public.sales_order_lines (
    tenant_id           uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    sales_order_line_id uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    sales_order_id      uuid NOT NULL,
    line_number         integer NOT NULL,
    material_id         uuid NOT NULL,
    quantity_ordered    numeric(18,4) NOT NULL,
    quantity_allocated  numeric(18,4) NOT NULL DEFAULT 0,
    quantity_shipped    numeric(18,4) NOT NULL DEFAULT 0,
    quantity_invoiced   numeric(18,4) NOT NULL DEFAULT 0,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz,
    PRIMARY KEY (tenant_id, sales_order_line_id),
    CONSTRAINT sales_order_lines_number_once UNIQUE (tenant_id, sales_order_id, line_number),
    CONSTRAINT sales_order_lines_order FOREIGN KEY (tenant_id, sales_order_id) REFERENCES public.sales_orders ON DELETE RESTRICT,
    CONSTRAINT sales_order_lines_material FOREIGN KEY (tenant_id, material_id) REFERENCES public.materials ON DELETE RESTRICT,
    CONSTRAINT sales_order_lines_quantities_not_negative CHECK (quantity_ordered >= 0 AND quantity_allocated >= 0
        AND quantity_shipped >= 0 AND quantity_invoiced >= 0)
);

CREATE TABLE public.inventory_transactions (
    tenant_id            uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    transaction_id       uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_id          uuid NOT NULL,
    transaction_number   varchar(50) NOT NULL,
    transaction_type     varchar(20) NOT NULL,
    transaction_date     timestamptz NOT NULL DEFAULT now(),
    material_id          uuid NOT NULL,
    lot_number           varchar(100),
    quantity             numeric(18,4) NOT NULL,
    from_location_id     uuid,
    to_location_id       uuid,
    sales_order_id       uuid,
    unit_cost            numeric(18,4),
    total_cost           numeric(18,4),
    performed_by_user_id uuid NOT NULL,
    status               varchar(20) NOT NULL DEFAULT 'COMPLETED',
    created_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, transaction_id),
    CONSTRAINT inventory_transactions_number_once UNIQUE (tenant_id, transaction_number),
    CONSTRAINT inventory_transactions_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT inventory_transactions_material FOREIGN KEY (tenant_id, material_id) REFERENCES public.materials ON DELETE RESTRICT,
    CONSTRAINT inventory_transactions_from FOREIGN KEY (tenant_id, from_location_id) REFERENCES public.inventory_locations ON DELETE RESTRICT,
    CONSTRAINT inventory_transactions_to FOREIGN KEY (tenant_id, to_location_id) REFERENCES public.inventory_locations ON DELETE RESTRICT,
    CONSTRAINT inventory_transactions_order FOREIGN KEY (tenant_id, sales_order_id) REFERENCES public.sales_orders ON DELETE RESTRICT,
    CONSTRAINT inventory_transactions_performed_by FOREIGN KEY (tenant_id, performed_by_user_id) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT inventory_transactions_type_known CHECK (transaction_type IN
        ('RECEIPT', 'ISSUE', 'TRANSFER', 'ADJUSTMENT', 'CYCLE_COUNT', 'RETURN', 'SCRAP')),
    CONSTRAINT inventory_transactions_status_known CHECK (status IN ('PENDING', 'COMPLETED', 'REVERSED'))
);
CREATE INDEX idx_inventory_transactions_date ON public.inventory_transactions (tenant_id, facility_id, transaction_date);

CREATE TABLE public.wave_processing (
    tenant_id   uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    wave_id     uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_id uuid NOT NULL,
    wave_number varchar(50) NOT NULL,
    wave_type   varchar(20) NOT NULL DEFAULT 'PICK_SHIP',
    status      varchar(20) NOT NULL DEFAULT 'PLANNED',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz,
    PRIMARY KEY (tenant_id, wave_id),
    CONSTRAINT wave_processing_number_once UNIQUE (tenant_id, wave_number),
    CONSTRAINT wave_processing_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT wave_processing_type_known CHECK (wave_type IN ('MANUFACTURING', 'PICK_SHIP', 'CARRIER_SPECIFIC')),
    CONSTRAINT wave_processing_status_known CHECK (status IN ('PLANNED', 'RELEASED', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED'))
);

CREATE TABLE public.pick_lists (
    tenant_id        uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    pick_list_id     uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    facility_id      uuid NOT NULL,
    pick_list_number varchar(50) NOT NULL,
    wave_id          uuid,
    picker_user_id   uuid NOT NULL,
    pick_strategy    varchar(20) NOT NULL DEFAULT 'DISCRETE',
    assigned_at      timestamptz NOT NULL,
    started_at       timestamptz,
    completed_at     timestamptz,
    status           varchar(20) NOT NULL DEFAULT 'ASSIGNED',
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz,
    PRIMARY KEY (tenant_id, pick_list_id),
    CONSTRAINT pick_lists_number_once UNIQUE (tenant_id, pick_list_number),
    CONSTRAINT pick_lists_facility FOREIGN KEY (tenant_id, facility_id) REFERENCES public.facilities ON DELETE RESTRICT,
    CONSTRAINT pick_lists_wave FOREIGN KEY (tenant_id, wave_id) REFERENCES public.wave_processing ON DELETE RESTRICT,
    CONSTRAINT pick_lists_picker FOREIGN KEY (tenant_id, picker_user_id) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT pick_lists_strategy_known CHECK (pick_strategy IN ('DISCRETE', 'BATCH', 'ZONE', 'CLUSTER')),
    CONSTRAINT pick_lists_status_known CHECK (status IN ('ASSIGNED', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED'))
);

CREATE TABLE public.wave_lines (
    tenant_id           uuid NOT NULL REFERENCES public.tenants ON DELETE RESTRICT,
    wave_line_id        uuid NOT NULL UNIQUE DEFAULT public.uuid_generate_v7(),
    wave_id             uuid NOT NULL,
    pick_list_id        uuid,
    sales_order_id      uuid,
    sales_order_line_id uuid,
    material_id         uuid NOT NULL,
    lot_number          varchar(100),
    quantity_required   numeric(18,4) NOT NULL,
    quantity_picked     numeric(18,4) NOT NULL DEFAULT 0,
    quantity_short      numeric(18,4) NOT NULL DEFAULT 0,
    pick_location_id    uuid,
    picker_user_id      uuid,
    status              varchar(20) NOT NULL DEFAULT 'PENDING',
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz,
    PRIMARY KEY (tenant_id, wave_line_id),
    CONSTRAINT wave_lines_wave FOREIGN KEY (tenant_id, wave_id) REFERENCES public.wave_processing ON DELETE RESTRICT,
    CONSTRAINT wave_lines_pick_list FOREIGN KEY (tenant_id, pick_list_id) REFERENCES public.pick_lists ON DELETE RESTRICT,
    CONSTRAINT wave_lines_order FOREIGN KEY (tenant_id, sales_order_id) REFERENCES public.sales_orders ON DELETE RESTRICT,
    CONSTRAINT wave_lines_order_line FOREIGN KEY (tenant_id, sales_order_line_id) REFERENCES public.sales_order_lines ON DELETE RESTRICT,
    CONSTRAINT wave_lines_material FOREIGN KEY (tenant_id, material_id) REFERENCES public.materials ON DELETE RESTRICT,
    CONSTRAINT wave_lines_location FOREIGN KEY (tenant_id, pick_location_id) REFERENCES public.inventory_locations ON DELETE RESTRICT,
    CONSTRAINT wave_lines_picker FOREIGN KEY (tenant_id, picker_user_id) REFERENCES public.users ON DELETE RESTRICT,
    CONSTRAINT wave_lines_quantities_not_negative CHECK (quantity_required >= 0 AND quantity_picked >= 0 AND quantity_short >= 0),
    CONSTRAINT wave_lines_status_known CHECK (status IN ('PENDING', 'ASSIGNED', 'PICKING', 'PICKED', 'SHORT', 'CANCELLED'))
);
CREATE INDEX idx_wave_lines_wave ON public.wave_lines (tenant_id, wave_id);

ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.facilities ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.materials ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.inventory_locations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.lots ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.sales_orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.sales_order_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.inventory_transactions ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.wave_processing ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.pick_lists ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.wave_lines ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant ON public.tenants USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.facilities USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.users USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.materials USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.inventory_locations USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.lots USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.sales_orders USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.sales_order_lines USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.inventory_transactions USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.wave_processing USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.pick_lists USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());
CREATE POLICY tenant ON public.wave_lines USING (tenant_id = public.current_tenant()) WITH CHECK (tenant_id = public.current_tenant());

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'gatehouse_app') THEN
        GRANT USAGE ON SCHEMA public TO gatehouse_app;
        GRANT SELECT ON public.tenants, public.facilities, public.sales_orders, public.sales_order_lines,
            public.wave_processing, public.pick_lists, public.wave_lines TO gatehouse_app;
        GRANT SELECT, INSERT, UPDATE ON public.users, public.materials, public.inventory_locations, public.lots TO gatehouse_app;
        GRANT SELECT, INSERT ON public.inventory_transactions TO gatehouse_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wms_application_role') THEN
        GRANT USAGE ON SCHEMA public TO wms_application_role;
        GRANT SELECT ON public.tenants TO wms_application_role;
        GRANT SELECT, INSERT, UPDATE, DELETE ON public.facilities, public.users, public.materials, public.inventory_locations,
            public.lots, public.sales_orders, public.sales_order_lines, public.wave_processing, public.pick_lists,
            public.wave_lines TO wms_application_role;
        GRANT SELECT, INSERT, UPDATE ON public.inventory_transactions TO wms_application_role;
    END IF;
END $$;
