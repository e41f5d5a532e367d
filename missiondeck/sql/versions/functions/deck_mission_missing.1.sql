-- What is missing to complete a mission: a list of {"what", "count", …}, with up to 20 open items by name.
-- For overlapping runs, both the run that started last and the run that ended last must have passed. A running run counts
-- as the last to end.
CREATE OR REPLACE FUNCTION deck_mission_missing(of_mission uuid) RETURNS jsonb
LANGUAGE sql VOLATILE SET search_path = public, pg_temp
AS $$
    WITH items AS (
        SELECT count(*) AS all_items, count(*) FILTER (WHERE NOT completed) AS open_items,
               (array_agg(text ORDER BY category, position, created_at, id) FILTER (WHERE NOT completed))[1:20] AS texts
        FROM dod_items WHERE mission_id = of_mission
    ), latest AS (
        SELECT id, status FROM test_runs WHERE mission_id = of_mission ORDER BY created_at DESC, id DESC LIMIT 1
    ), last_to_end AS (
        SELECT id, status FROM test_runs WHERE mission_id = of_mission
        ORDER BY finished_at DESC NULLS FIRST, created_at DESC, id DESC LIMIT 1
    )
    SELECT coalesce(jsonb_agg(reason ORDER BY place), '[]') FROM (
        SELECT 1 AS place, jsonb_build_object('what', 'no_items') AS reason FROM items WHERE all_items = 0
        UNION ALL
        SELECT 2, jsonb_build_object('what', 'open_items', 'count', open_items, 'items', to_jsonb(texts))
        FROM items WHERE open_items > 0
        UNION ALL
        SELECT 3, jsonb_build_object('what', 'no_test_run') WHERE NOT EXISTS (SELECT FROM latest)
        UNION ALL
        SELECT 4, jsonb_build_object('what', 'test_run', 'status', status) FROM latest WHERE status <> 'passed'
        UNION ALL
        SELECT 5, jsonb_build_object('what', 'earlier_test_run', 'status', e.status, 'run', e.id)
        FROM last_to_end e WHERE e.status <> 'passed' AND e.id <> (SELECT id FROM latest)
    ) reasons
$$;
