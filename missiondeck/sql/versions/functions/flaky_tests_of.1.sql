-- Tests that fail in these results and passed after a failure within their last five runs, including this one.
-- Searches the ten earlier runs of the mission.
CREATE OR REPLACE FUNCTION flaky_tests_of(of_mission uuid, before timestamptz, run uuid, results jsonb) RETURNS text[]
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    WITH failing AS MATERIALIZED (
        SELECT DISTINCT test_identity(r.result) AS test FROM jsonb_array_elements(results) AS r (result)
        WHERE r.result->>'status' IN ('failed', 'error')
    ), past AS (
        SELECT t.id, t.created_at, test_identity(r.result) AS test,
               bool_or(r.result->>'status' IN ('failed', 'error')) AS is_bad
        FROM (
            SELECT p.id, p.created_at, p.results FROM test_runs p
            WHERE p.mission_id = of_mission AND p.status <> 'running' AND p.id <> run AND p.created_at <= before
            ORDER BY p.created_at DESC, p.id DESC LIMIT 10
        ) t, jsonb_array_elements(t.results) AS r (result)
        WHERE EXISTS (SELECT FROM failing) AND r.result->>'status' <> 'skipped'
            AND test_identity(r.result) IN (SELECT test FROM failing)
        GROUP BY 1, 2, 3
    ), placed AS (
        SELECT test, is_bad, row_number() OVER (PARTITION BY test ORDER BY created_at DESC, id DESC) AS place FROM past
    )
    SELECT coalesce(array_agg(test ORDER BY test), '{}') FROM (
        SELECT test FROM placed WHERE place <= 4 GROUP BY test
        HAVING min(place) FILTER (WHERE NOT is_bad) < max(place) FILTER (WHERE is_bad)
    ) flaky
$$;
