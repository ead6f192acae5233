-- name: SetUpRoles :script
-- Run by a role that may create roles, in the database that Gatehouse shall live in. Running it again changes nothing.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'gatehouse_owner') THEN
        CREATE ROLE gatehouse_owner LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'gatehouse_app') THEN
        CREATE ROLE gatehouse_app LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'wms_application_role') THEN
        CREATE ROLE wms_application_role NOLOGIN;
    END IF;
    EXECUTE format('GRANT CREATE, CONNECT, TEMPORARY ON DATABASE %I TO gatehouse_owner', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO gatehouse_app', current_database());
END $$;
GRANT USAGE, CREATE ON SCHEMA public TO gatehouse_owner;
GRANT USAGE ON SCHEMA public TO gatehouse_app, wms_application_role;
-- The owner reads settings and sessions of the application to say who blocks a migration.
GRANT pg_read_all_stats TO gatehouse_owner;

-- name: SetUpSchemas :script
-- Run as the owner.
CREATE SCHEMA IF NOT EXISTS gatehouse;
CREATE SCHEMA IF NOT EXISTS river;
GRANT USAGE ON SCHEMA gatehouse, river TO gatehouse_app;

-- name: GrantJobs :script
-- Run as the owner, after the job library has made its tables in schema river.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA river TO gatehouse_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA river TO gatehouse_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA river TO gatehouse_app;

-- name: AddTenant :many
-- Run as the owner. Gives the row where it is new or has changed. Whether the tenant operates the environment is left as
-- it is where the caller has not decided it; a new one then does where none does yet.
INSERT INTO gatehouse.tenants AS t (tenant_id, tenant_code, tenant_name, is_operator)
VALUES (@tenant_id, @tenant_code, @tenant_name,
        CASE WHEN @decided::boolean THEN @is_operator::boolean ELSE NOT EXISTS (SELECT FROM gatehouse.tenants o WHERE o.is_operator) END)
ON CONFLICT (tenant_id) DO UPDATE
   SET tenant_code = EXCLUDED.tenant_code, tenant_name = EXCLUDED.tenant_name,
       is_operator = CASE WHEN @decided::boolean THEN EXCLUDED.is_operator ELSE t.is_operator END
 WHERE (t.tenant_code, t.tenant_name) IS DISTINCT FROM (EXCLUDED.tenant_code, EXCLUDED.tenant_name)
    OR @decided::boolean AND t.is_operator <> EXCLUDED.is_operator
RETURNING tenant_id, tenant_code, tenant_name, is_operator;
