-- The counts of a summary must equal the results.
CREATE OR REPLACE FUNCTION test_summary_fits(summary jsonb, results jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
RETURN CASE
    WHEN jsonb_typeof(summary) = 'object' AND jsonb_typeof(results) = 'array'
        AND summary ?| ARRAY['passed', 'failed', 'errors', 'skipped', 'total']
    THEN (
        SELECT coalesce((summary->'passed')::numeric = count(*) FILTER (WHERE status = 'passed'), true)
            AND coalesce((summary->'failed')::numeric = count(*) FILTER (WHERE status = 'failed'), true)
            AND coalesce((summary->'errors')::numeric = count(*) FILTER (WHERE status = 'error'), true)
            AND coalesce((summary->'skipped')::numeric = count(*) FILTER (WHERE status = 'skipped'), true)
            AND coalesce((summary->'total')::numeric = count(*), true)
        FROM (SELECT r.result->>'status' AS status FROM jsonb_array_elements(results) AS r (result)) counted
    )
    ELSE true
END;
