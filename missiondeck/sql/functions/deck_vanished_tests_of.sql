-- The tests of a mission's baseline that ran there, do not appear in the runs that decide now, and are not confirmed.
-- Keys are compared first, which the index test_results_of_test has; only tests that are gone are read.
CREATE OR REPLACE FUNCTION deck_vanished_tests_of(of_mission uuid) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    WITH deciding AS MATERIALIZED (
        SELECT coalesce(array_agg(g.run_id), '{}') AS runs FROM deck_gate_runs(of_mission) g
    ), baseline AS MATERIALIZED (
        -- A run that decides now has all of its own tests.
        SELECT ARRAY(SELECT unnest(b.runs) EXCEPT SELECT unnest(d.runs) FROM deciding d) AS runs
        FROM (SELECT runs FROM deck_gate_baselines WHERE mission_id = of_mission ORDER BY id DESC LIMIT 1) b
    ), gone AS MATERIALIZED (
        SELECT r.test_key FROM test_results r WHERE r.run_id = ANY ((SELECT b.runs FROM baseline b)::uuid[])
        EXCEPT
        SELECT r.test_key FROM test_results r WHERE r.run_id = ANY ((SELECT d.runs FROM deciding d)::uuid[])
    )
    SELECT r.test FROM gone g JOIN test_results r ON r.test_key = g.test_key
    WHERE r.run_id = ANY ((SELECT b.runs FROM baseline b)::uuid[]) AND r.rank <> 2
    EXCEPT
    SELECT v.test FROM deck_vanished_tests v WHERE v.mission_id = of_mission
$$;
