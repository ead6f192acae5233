-- title: UUID generation fix
-- risk: low
-- estimate: 2s
-- reversible: yes
-- locks: none; ids made while it commits come from the old function or the new one, and both are right
-- undo loses: nothing; ten random calls an id instead of one
-- changes: function public.uuid_generate_v7()
--
-- 48 bits of milliseconds, version 7, variant 10, and the rest random out of one call. Not ordered within a millisecond.

CREATE OR REPLACE FUNCTION public.uuid_generate_v7() RETURNS uuid
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    id bytea := substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        || public.gen_random_bytes(10);
BEGIN
    id := set_byte(id, 6, (get_byte(id, 6) & 15) | 112);
    id := set_byte(id, 8, (get_byte(id, 8) & 63) | 128);
    RETURN encode(id, 'hex')::uuid;
END $$;
