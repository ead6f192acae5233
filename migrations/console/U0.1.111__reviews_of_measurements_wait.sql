-- undo of V0.1.111. Measurements wait on their own page, as before.
DROP FUNCTION gatehouse.waiting(text);
ALTER FUNCTION gatehouse.waiting_for_releases(text) RENAME TO waiting;
DROP FUNCTION gatehouse.waiting_dimensions();
CREATE OR REPLACE FUNCTION gatehouse.waits_for(kind text, role text, holder text, barred text[], me text, roles text[], rights text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE AS $$
SELECT CASE kind
           WHEN 'item' THEN 'item:work' = ANY (rights) AND CASE holder WHEN '' THEN role = ANY (roles) ELSE holder = me END
           WHEN 'gate' THEN 'gate:sign' = ANY (rights) AND role = ANY (roles) AND me <> ALL (barred)
           WHEN 'rollback' THEN 'rollback:agree' = ANY (rights) AND me <> ALL (barred)
           WHEN 'rollback_review' THEN 'rollback:review' = ANY (rights) AND me <> ALL (barred)
           WHEN 'restore_start' THEN 'migration:down' = ANY (rights)
           ELSE 'gate:sign' = ANY (rights) AND me <> ALL (barred) END
$$;
