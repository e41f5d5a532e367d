-- The tests of a mission's baseline that ran there, do not appear in the runs that decide now, and are not confirmed.
CREATE OR REPLACE FUNCTION deck_vanished_tests_of(of_mission uuid) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    WITH baseline AS (
        SELECT b.runs FROM deck_gate_baselines b WHERE b.mission_id = of_mission ORDER BY b.id DESC LIMIT 1
    )
    SELECT test_identity(r.result)
    FROM baseline b JOIN test_runs t ON t.id = ANY (b.runs), jsonb_array_elements(t.results) AS r (result)
    WHERE r.result->>'status' <> 'skipped'
    EXCEPT
    SELECT test_identity(r.result)
    FROM deck_gate_runs(of_mission) g JOIN test_runs t ON t.id = g.run_id, jsonb_array_elements(
        CASE jsonb_typeof(t.results) WHEN 'array' THEN t.results ELSE '[]' END
    ) AS r (result)
    EXCEPT
    SELECT v.test FROM deck_vanished_tests v WHERE v.mission_id = of_mission
$$;
