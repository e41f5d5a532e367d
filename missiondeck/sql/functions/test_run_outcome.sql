-- The outcome of a run: passed if at least one test passed, none failed, and the summary counts no failure.
CREATE OR REPLACE FUNCTION test_run_outcome(summary jsonb, results jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
RETURN CASE
    WHEN jsonb_typeof(results) IS DISTINCT FROM 'array' THEN NULL
    WHEN jsonb_path_exists(results, '$[*] ? (@.status == "failed" || @.status == "error")')
        OR NOT jsonb_path_exists(results, '$[*] ? (@.status == "passed")') THEN 'failed'
    WHEN jsonb_typeof(summary) = 'object' AND EXISTS (
        SELECT FROM jsonb_each(summary) AS e (key, value)
        WHERE (key IN ('failed', 'errors') AND value > '0')
            OR (key LIKE '%\_passed' AND value < summary->(left(key, -6) || 'total'))
    ) THEN 'failed'
    ELSE 'passed'
END;
