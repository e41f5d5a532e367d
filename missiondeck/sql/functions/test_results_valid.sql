-- Whether results are a list of {"name", "status", …} as in models/runs.py, for the CHECK of test_runs.
CREATE OR REPLACE FUNCTION test_results_valid(results jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
RETURN CASE WHEN jsonb_typeof(results) = 'array' THEN NOT EXISTS (
    SELECT FROM jsonb_array_elements(results) AS r (result)
    WHERE NOT coalesce(CASE WHEN jsonb_typeof(result) = 'object' THEN
        result - ARRAY['name', 'status', 'duration', 'classname', 'suite', 'file', 'error', 'traceback', 'output',
            'flaky', 'retries'] = '{}'
        AND jsonb_typeof(result->'name') = 'string' AND result->>'name' !~ '^\s*$'
        AND result->>'status' IN ('passed', 'failed', 'error', 'skipped')
        AND coalesce(jsonb_typeof(result->'duration') = 'number' AND result->'duration' >= '0', true)
        AND coalesce(jsonb_typeof(result->'retries') = 'number' AND result->'retries' >= '0', true)
        AND coalesce(jsonb_typeof(result->'flaky') = 'boolean', true)
        AND coalesce(jsonb_typeof(result->'classname') = 'string', true)
        AND coalesce(jsonb_typeof(result->'suite') = 'string', true)
        AND coalesce(jsonb_typeof(result->'file') = 'string', true)
        AND coalesce(jsonb_typeof(result->'error') = 'string', true)
        AND coalesce(jsonb_typeof(result->'traceback') = 'string', true)
        AND coalesce(jsonb_typeof(result->'output') = 'string', true)
    END, false)
) ELSE false END;
