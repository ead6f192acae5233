-- name: EnterTenant :exec
SELECT set_config('app.current_tenant_id', @tenant, true);

-- name: RoleCheck :one
-- A member of an owner counts as an owner: it could SET ROLE.
SELECT current_user::text,
       r.rolsuper,
       r.rolbypassrls,
       EXISTS (SELECT FROM pg_catalog.pg_class c
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname IN ('public', 'gatehouse', 'river') AND c.relkind IN ('r', 'p', 'm', 'v')
                  AND pg_catalog.pg_has_role(current_user, c.relowner, 'MEMBER'))
  FROM pg_catalog.pg_roles r
 WHERE r.rolname = current_user;

-- name: NoStatementTimeout :exec
-- For long reads in the background, whose caller has a deadline of its own.
SELECT set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true);

-- name: Tenants :many
SELECT tenant_id, tenant_code, tenant_name, is_operator FROM gatehouse.tenant_list();
