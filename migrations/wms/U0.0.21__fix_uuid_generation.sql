-- Undoes V0.0.21: the function as V0.0.14 made it, to the letter.
CREATE OR REPLACE FUNCTION public.uuid_generate_v7() RETURNS uuid
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
