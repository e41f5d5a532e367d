-- The identity of a test across runs.
CREATE OR REPLACE FUNCTION test_identity(result jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(nullif(coalesce(nullif(result->>'classname', ''), result->>'suite'), '') || ' › ', '')
    || (result->>'name');
