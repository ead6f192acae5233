package migrator

const beginLook = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`

// boundLook keeps a look from waiting behind somebody's lock, and makes the server print every name with its schema.
// Compiling the statement would take longer than running it.
const boundLook = `SELECT set_config('search_path', 'pg_catalog', true), set_config('jit', 'off', true), set_config('lock_timeout', '1500ms', true), set_config('statement_timeout', '5s', true)`

// readCatalog gives one row an item. $1 are the tables, views and functions that count; null means all of schema public
// that is no extension's. The server prints definitions with every name qualified, because search_path is empty.
const readCatalog = `
WITH rel AS MATERIALIZED (
    SELECT c.*, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS full_name
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
       AND CASE WHEN $1::text[] IS NULL THEN n.nspname = 'public' ELSE n.nspname || '.' || c.relname = ANY ($1::text[]) END
), fun AS MATERIALIZED (
    SELECT p.*, quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS full_name
      FROM pg_proc p
      JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE p.prokind IN ('f', 'p')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
       AND n.nspname = 'public'
)
SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'matview' ELSE 'table' END AS kind, '' AS on, full_name AS name,
       CASE WHEN relkind IN ('r', 'p')
            THEN jsonb_build_object('row level security', CASE WHEN relrowsecurity THEN 'on' ELSE 'off' END,
                                    'forced for the owner', CASE WHEN relforcerowsecurity THEN 'yes' ELSE 'no' END,
                                    'persistence', CASE relpersistence WHEN 'p' THEN 'logged' ELSE 'not logged' END)
            ELSE jsonb_build_object('definition', pg_get_viewdef(oid), 'options', coalesce(array_to_string(reloptions, ', '), ''))
       END AS facts
  FROM rel
UNION ALL
SELECT 'column', rel.full_name, quote_ident(a.attname),
       jsonb_build_object('type', format_type(a.atttypid, a.atttypmod))
       || CASE WHEN rel.relkind IN ('r', 'p') THEN jsonb_build_object(
              'null', CASE WHEN a.attnotnull THEN 'not allowed' ELSE 'allowed' END,
              'default', CASE WHEN a.attgenerated = '' THEN coalesce(pg_get_expr(d.adbin, d.adrelid), '') ELSE '' END,
              'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' ELSE '' END,
              'generated', CASE WHEN a.attgenerated = '' THEN '' ELSE 'always as ' || pg_get_expr(d.adbin, d.adrelid) END)
          ELSE '{}' END
  FROM rel
  JOIN pg_attribute a ON a.attrelid = rel.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT 'constraint', rel.full_name, quote_ident(c.conname),
       jsonb_build_object('definition', replace(pg_get_constraintdef(c.oid), ' NOT VALID', ''), 'validated', CASE WHEN c.convalidated THEN 'yes' ELSE 'no' END,
           'enforced', CASE WHEN EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = c.oid AND t.tgenabled = 'D') THEN 'no' ELSE 'yes' END)
  FROM rel
  JOIN pg_constraint c ON c.conrelid = rel.oid AND c.contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL
SELECT 'index', rel.full_name, quote_ident(n.nspname) || '.' || quote_ident(ic.relname),
       jsonb_build_object('definition', pg_get_indexdef(i.indexrelid), 'valid', CASE WHEN i.indisvalid AND i.indisready THEN 'yes' ELSE 'no' END)
  FROM rel
  JOIN pg_index i ON i.indrelid = rel.oid
  JOIN pg_class ic ON ic.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = ic.relnamespace
 WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = rel.oid AND c.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'trigger', rel.full_name, quote_ident(t.tgname),
       jsonb_build_object('definition', pg_get_triggerdef(t.oid), 'fires', CASE t.tgenabled WHEN 'O' THEN 'on origin' WHEN 'D' THEN 'never' WHEN 'R' THEN 'on replica' ELSE 'always' END)
  FROM rel
  JOIN pg_trigger t ON t.tgrelid = rel.oid AND NOT t.tgisinternal
UNION ALL
SELECT 'policy', rel.full_name, quote_ident(p.polname),
       jsonb_build_object('mode', CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
           'command', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
           'roles', (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ' ORDER BY r) FROM unnest(p.polroles) AS r),
           'using', coalesce(pg_get_expr(p.polqual, p.polrelid), ''), 'check', coalesce(pg_get_expr(p.polwithcheck, p.polrelid), ''))
  FROM rel
  JOIN pg_policy p ON p.polrelid = rel.oid
UNION ALL
SELECT 'rule', rel.full_name, quote_ident(r.rulename),
       jsonb_build_object('definition', pg_get_ruledef(r.oid), 'fires', CASE r.ev_enabled WHEN 'D' THEN 'never' ELSE 'yes' END)
  FROM rel
  JOIN pg_rewrite r ON r.ev_class = rel.oid AND r.rulename <> '_RETURN'
UNION ALL
SELECT 'grant', rel.full_name, a.privilege_type || ' TO ' || CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
       jsonb_build_object('may pass it on', CASE WHEN a.is_grantable THEN 'yes' ELSE 'no' END)
  FROM rel
 CROSS JOIN LATERAL aclexplode(rel.relacl) AS a
 WHERE a.grantee <> rel.relowner
UNION ALL
SELECT 'grant', rel.full_name,
       a.privilege_type || ' (' || quote_ident(c.attname) || ') TO ' || CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
       jsonb_build_object('may pass it on', CASE WHEN a.is_grantable THEN 'yes' ELSE 'no' END)
  FROM rel
  JOIN pg_attribute c ON c.attrelid = rel.oid AND c.attacl IS NOT NULL AND NOT c.attisdropped
 CROSS JOIN LATERAL aclexplode(c.attacl) AS a
 WHERE a.grantee <> rel.relowner
UNION ALL
SELECT 'function', '', full_name,
       jsonb_build_object('body', encode(sha256(convert_to(prosrc, 'UTF8')), 'hex'), 'returns', pg_get_function_result(oid),
           'arguments', pg_get_function_arguments(oid), 'language', (SELECT lanname FROM pg_language l WHERE l.oid = prolang),
           'security', CASE WHEN prosecdef THEN 'definer' ELSE 'invoker' END, 'settings', coalesce(array_to_string(proconfig, '; '), ''),
           'volatility', CASE provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
           'strict', CASE WHEN proisstrict THEN 'yes' ELSE 'no' END)
  FROM fun
 WHERE $1::text[] IS NULL OR full_name = ANY ($1::text[])
UNION ALL
SELECT 'grant', full_name, a.privilege_type || ' TO ' || CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
       jsonb_build_object('may pass it on', CASE WHEN a.is_grantable THEN 'yes' ELSE 'no' END)
  FROM fun
 CROSS JOIN LATERAL aclexplode(coalesce(proacl, acldefault('f', proowner))) AS a
 WHERE a.grantee <> proowner AND ($1::text[] IS NULL OR full_name = ANY ($1::text[]))
UNION ALL
SELECT 'extension', '', quote_ident(extname), '{}'
  FROM pg_extension
 WHERE extname <> 'plpgsql' AND ($1::text[] IS NULL OR extname = ANY ($1::text[]))
 ORDER BY 1, 2, 3`

// readRoles are those that a grant could be made to.
const readRoles = `SELECT quote_ident(rolname) FROM pg_roles`
