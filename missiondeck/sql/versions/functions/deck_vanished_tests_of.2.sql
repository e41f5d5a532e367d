-- The tests of a mission's baseline that ran there, do not appear in the runs that decide now, and are not confirmed.
CREATE OR REPLACE FUNCTION deck_vanished_tests_of(of_mission uuid) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    WITH baseline AS (
        SELECT b.runs FROM deck_gate_baselines b WHERE b.mission_id = of_mission ORDER BY b.id DESC LIMIT 1
    )
    SELECT r.test FROM baseline b JOIN test_results r ON r.run_id = ANY (b.runs) WHERE r.rank <> 2
    EXCEPT
    SELECT r.test FROM deck_gate_runs(of_mission) g JOIN test_results r ON r.run_id = g.run_id
    EXCEPT
    SELECT v.test FROM deck_vanished_tests v WHERE v.mission_id = of_mission
$$;
