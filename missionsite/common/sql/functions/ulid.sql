-- Returns a ULID, which sorts by creation time: 48 bits of milliseconds and 80 random bits in Crockford's base 32.
-- Source: the ULID specification, https://github.com/ulid/spec
CREATE OR REPLACE FUNCTION ulid() RETURNS character varying
LANGUAGE plpgsql VOLATILE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    letters CONSTANT text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
    ms CONSTANT bigint := floor(extract(epoch FROM clock_timestamp()) * 1000);
    -- A random UUID has 122 random bits; its bytes 6 and 8 carry the version and the variant.
    random CONSTANT bytea := uuid_send(gen_random_uuid());
    high bigint := 0;
    low bigint := 0;
BEGIN
    FOR i IN 0..4 LOOP
        high := (high << 8) | get_byte(random, i);
        low := (low << 8) | get_byte(random, i + 9);
    END LOOP;
    RETURN substr(letters, ((ms >> 45) & 31)::int + 1, 1) || substr(letters, ((ms >> 40) & 31)::int + 1, 1)
        || substr(letters, ((ms >> 35) & 31)::int + 1, 1) || substr(letters, ((ms >> 30) & 31)::int + 1, 1)
        || substr(letters, ((ms >> 25) & 31)::int + 1, 1) || substr(letters, ((ms >> 20) & 31)::int + 1, 1)
        || substr(letters, ((ms >> 15) & 31)::int + 1, 1) || substr(letters, ((ms >> 10) & 31)::int + 1, 1)
        || substr(letters, ((ms >> 5) & 31)::int + 1, 1) || substr(letters, (ms & 31)::int + 1, 1)
        || substr(letters, ((high >> 35) & 31)::int + 1, 1) || substr(letters, ((high >> 30) & 31)::int + 1, 1)
        || substr(letters, ((high >> 25) & 31)::int + 1, 1) || substr(letters, ((high >> 20) & 31)::int + 1, 1)
        || substr(letters, ((high >> 15) & 31)::int + 1, 1) || substr(letters, ((high >> 10) & 31)::int + 1, 1)
        || substr(letters, ((high >> 5) & 31)::int + 1, 1) || substr(letters, (high & 31)::int + 1, 1)
        || substr(letters, ((low >> 35) & 31)::int + 1, 1) || substr(letters, ((low >> 30) & 31)::int + 1, 1)
        || substr(letters, ((low >> 25) & 31)::int + 1, 1) || substr(letters, ((low >> 20) & 31)::int + 1, 1)
        || substr(letters, ((low >> 15) & 31)::int + 1, 1) || substr(letters, ((low >> 10) & 31)::int + 1, 1)
        || substr(letters, ((low >> 5) & 31)::int + 1, 1) || substr(letters, (low & 31)::int + 1, 1);
END;
$$;
