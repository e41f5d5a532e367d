-- What is missing to complete a mission: a list of {"what", "count", …}, with up to 20 open items by name.
-- The rules of its test runs are those of deck_gate().
CREATE OR REPLACE FUNCTION deck_mission_missing(of_mission uuid) RETURNS jsonb
LANGUAGE sql VOLATILE SET search_path = public, pg_temp
AS $$
    WITH items AS (
        SELECT count(*) AS all_items, count(*) FILTER (WHERE NOT completed) AS open_items,
               (array_agg(text ORDER BY category, position, created_at, id) FILTER (WHERE NOT completed))[1:20] AS texts
        FROM dod_items WHERE mission_id = of_mission
    ), gate AS MATERIALIZED (SELECT deck_gate(of_mission) AS g), runs AS (
        SELECT run, place FROM gate, jsonb_array_elements(g->'runs') WITH ORDINALITY AS r (run, place)
    )
    SELECT coalesce(jsonb_agg(reason ORDER BY place, nested), '[]') FROM (
        SELECT 1 AS place, 0 AS nested, jsonb_build_object('what', 'no_items') AS reason FROM items WHERE all_items = 0
        UNION ALL
        SELECT 2, 0, jsonb_build_object('what', 'open_items', 'count', open_items, 'items', to_jsonb(texts))
        FROM items WHERE open_items > 0
        UNION ALL
        SELECT 3, 0, jsonb_build_object('what', 'no_test_run') FROM gate WHERE g->'runs' = '[]'
        UNION ALL
        SELECT 4, 0, jsonb_build_object('what', 'test_run', 'status', run->'status') FROM runs, gate
        WHERE g->>'commit' = '' AND (run->'is_latest')::boolean AND NOT (run->'is_green')::boolean
        UNION ALL
        SELECT 5, place, jsonb_build_object(
            'what', 'suite', 'suite', run->'suite', 'environment', run->'environment', 'status', run->'status',
            'run', run->'run'
        ) FROM runs, gate
        WHERE NOT (g->>'commit' = '' AND (run->'is_latest')::boolean) AND NOT (run->'is_green')::boolean
            AND run->>'status' <> 'running'
        UNION ALL
        SELECT 6, place, jsonb_build_object('what', 'open_run', 'suite', run->'suite', 'run', run->'run')
        FROM gate, jsonb_array_elements(g->'open') WITH ORDINALITY AS r (run, place)
        UNION ALL
        SELECT 7, 0, jsonb_build_object(
            'what', CASE g->>'commit' WHEN '' THEN 'earlier_test_run' ELSE 'later_test_run' END,
            'status', g->'later'->'status', 'run', g->'later'->'run'
        ) FROM gate WHERE jsonb_typeof(g->'later') = 'object'
        UNION ALL
        SELECT 8, place, jsonb_build_object('what', 'suite_missing', 'suite', suite)
        FROM gate, jsonb_array_elements(g->'missing_suites') WITH ORDINALITY AS s (suite, place)
        UNION ALL
        SELECT 9, 0, jsonb_build_object('what', 'too_many_failures', 'count', g->'failures', 'limit', g->'max_failures')
        FROM gate WHERE (g->'max_failures')::bigint > 0 AND (g->'failures')::bigint > (g->'max_failures')::bigint
        UNION ALL
        SELECT 10, 0, jsonb_build_object('what', 'too_few_tests', 'count', g->'tests', 'limit', g->'min_tests')
        FROM gate WHERE g->'runs' <> '[]' AND jsonb_typeof(g->'min_tests') = 'number'
            AND (g->'tests')::bigint < (g->'min_tests')::bigint
        UNION ALL
        SELECT 11, 0, jsonb_build_object('what', 'vanished_tests', 'count', g->'vanished', 'tests', g->'vanished_tests')
        FROM gate WHERE g->'runs' <> '[]' AND (g->'vanished')::bigint > 0
        UNION ALL
        SELECT 12, 0, jsonb_build_object('what', 'too_old', 'limit', g->'max_age_days')
        FROM gate WHERE (g->'is_too_old')::boolean
    ) reasons
$$;
