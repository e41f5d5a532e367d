-- The key of an error, the same for errors that differ only in numbers, addresses and identifiers; NULL without a text.
CREATE OR REPLACE FUNCTION test_error_key(result jsonb) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
RETURN md5(regexp_replace(
    left(coalesce(nullif(result->>'error', ''), nullif(split_part(result->>'traceback', E'\n', 1), '')), 500),
    '0x[0-9a-fA-F]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]+', '0', 'g'
))::uuid;
