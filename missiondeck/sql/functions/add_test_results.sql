-- Adds the results of a run after the first ones as rows of test_results. EXECUTE is revoked: only triggers and
-- migrations call it.
CREATE OR REPLACE FUNCTION add_test_results(of_run uuid, results jsonb, first integer) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp
AS $$
    INSERT INTO test_results (run_id, rank, number, test, test_key, duration, error_key, result)
    SELECT of_run, array_position(ARRAY['error', 'failed', 'skipped', 'passed'], r.result->>'status') - 1,
           r.number, named.test, md5(named.test)::uuid, (r.result->>'duration')::double precision,
           CASE WHEN r.result->>'status' IN ('error', 'failed') THEN test_error_key(r.result) END, r.result
    FROM jsonb_array_elements(results) WITH ORDINALITY AS r (result, number),
        LATERAL (SELECT test_identity(r.result) AS test OFFSET 0) named
    WHERE r.number > first
$$;
REVOKE EXECUTE ON FUNCTION add_test_results(uuid, jsonb, integer) FROM PUBLIC;
